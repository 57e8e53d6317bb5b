"""Templates of graphs, for a page that makes graphs itself and shows them on the page of a graph.

A template is the rows of a graph whose leaves are gaps: their labels are the characters `GAPS`. The
page puts other nodes and their names there.
"""

from __future__ import annotations

from typing import Any

from ..core import ops
from ..core.graph import topological_order
from ..core.ops import Op
from ..core.value import Value
from .html import Page
from .record import box_size, records
from .tables import write_operations, write_quiz

GAPS = [chr(0xA000 + i) for i in range(16)]  # Yi letters: names of one letter are never shortened
OUT = chr(0xA010)  # the gap for the name of the root


class GraphTemplates:
    """Templates, and the page of a graph on which a graph made of them is shown.

    >>> templates = GraphTemplates()
    >>> z = Value(0.5, label=GAPS[0])
    >>> [row["slopes"] for row in templates.add(z.tanh()) if row["args"]] == [[f"1 − {OUT}²"]]
    True
    """

    def __init__(self) -> None:
        self._ops: dict[Op, None] = dict.fromkeys([ops.leaf, ops.constant])

    def add(self, root: Value) -> list[dict[str, Any]]:
        """Return the rows of a template, whose leaves have the labels `GAPS`."""
        root.label = OUT
        self._ops |= dict.fromkeys(node.op for node in topological_order(root))
        used = list(self._ops)
        rows = records(root, [], used, used)
        for row in rows:
            row["size"] = box_size(row)
            if row["args"]:
                row["data"] = None  # the page computes it
        return rows

    def page(self, title: str) -> Page:
        """Return the page of a graph without nodes, which has the operations of the templates."""
        generated = f"const OPERATIONS = {write_operations(list(self._ops))};\n{write_quiz()}"
        return Page("player", title, {}, generated, ("dagre.min.js",))
