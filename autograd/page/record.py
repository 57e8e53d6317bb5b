"""Convert the nodes of a graph to JSON data for the page: names, numbers and formulas.

`graph_page` calls `records`. The typedef `Row` in `graph.js` describes the result.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from math import isfinite
from typing import Any

from ..core import ops
from ..core.backprop import known_locals
from ..core.by_hand import ByHand, by_hand
from ..core.copies import copied
from ..core.graph import topological_order
from ..core.notation import expression, name, shortened
from ..core.ops import Op
from ..core.term import ATOM, LETTERS, SUM, Term, numeral
from ..core.value import Value
from ..teach.formulas import local_term

LEAF, CONSTANT = 0, 1  # positions of these operations in `used`, the same on every page
WIDEST_NAME = 18  # most characters of a label in a box


def records(
    root: Value, parameters: Collection[Value], used: Sequence[Op], computed: Collection[Op]
) -> list[dict[str, Any]]:
    """Return one row of data per node, in topological order.

    Operands are given as positions in this order. A leaf without a label is named v1, v2, …: the
    page can change its number, so the number cannot be its name. For the same reason, formulas
    of local derivatives are valid for any data.

    Args:
        root: the output.
        parameters: the leaves that gradient descent changes.
        used: the operations of the graph, `leaf` and `constant` first; a row has the position of
            its operation in this list.
        computed: the operations that the page can compute. For other operations the current
            local derivatives are stored as numbers.

    >>> x = Value(3.0, label="x")
    >>> records(x * 2.0, [x], [ops.leaf, ops.constant, ops.mul], [ops.mul])[2]["slopes"]
    ['2', 'x']
    """
    originals = topological_order(root)
    order = topological_order(copied(root, {}))
    _call_nameless_leaves(order)
    place = {node: i for i, node in enumerate(order)}
    kind = {op: i for i, op in enumerate(used)}
    rows = []
    for node, original in zip(order, originals):
        if isinstance(node.op, ByHand):
            # A `_backward` adds to the operands that it was made for, not to their copies
            node.op = by_hand(node.op.name, node.op.arity, known_locals(original))
        rows.append(_row(node, kind[original.op], place, original.op in computed))
        if original in parameters:
            rows[-1]["moves"] = True
    return rows


def _call_nameless_leaves(order: list[Value]) -> None:
    """Label the leaves that have no label v1, v2, …, and skip the labels that are in use."""
    taken = {node.label for node in order}
    names = (f"v{i}" for i in range(1, len(order) + len(taken) + 1))
    free = (name for name in names if name not in taken)
    for node in order:
        if node.op is ops.leaf and not node.label:
            node.label = next(free)


def _row(node: Value, kind: int, place: dict[Value, int], computed: bool) -> dict[str, Any]:
    called = name(node)
    row: dict[str, Any] = {
        "op": kind,
        "args": [place[arg] for arg in node.args],
        "data": plain(node.data),
        "name": called.text,
        "atom": called.inside(ATOM),
        "label": shortened(node.label, WIDEST_NAME),
    }
    if node.args:
        row["expression"] = expression(node).text
        row["slopes"] = _slope_formulas(node)
        if not computed:
            row["locals"] = [plain(local) for local in known_locals(node)]
    return row


def _slope_formulas(node: Value) -> list[str]:
    """Write the local derivatives; of a look-up, those by the index and by the chosen entry."""
    if node.op is ops.take:
        return [numeral(x) for x in ops.take.partials(0.0, 0.0, 0.0)]  # in a list of one
    return [slope_formula(node, slot) for slot in range(len(node.args))]


def plain(x: float) -> float | str:
    """Convert a number for JSON: if it is not finite, to its JavaScript name as a string.

    >>> plain(1.5), plain(float("-inf"))
    (1.5, '-Infinity')
    """
    return x if isfinite(x) else "NaN" if x != x else "Infinity" if x > 0 else "-Infinity"


def slope_formula(node: Value, slot: int) -> str:
    """Write the local derivative as a formula that is valid for any data; "" if there is none.

    `local_term` would write only the branch for the current data: for relu "1", and not
    "1 if z > 0 else 0".

    >>> z = Value(1.0, label="z")
    >>> slope_formula(z.relu(), 0), slope_formula(z.sigmoid(), 0)
    ('1 if z > 0 else 0', 'σ(z)(1 − σ(z))')
    """
    _, equals, rule = node.op.rule(slot).partition(" = ")
    try:
        term = local_term(node, slot)
    except ValueError:
        term = Term.of(0.0)
    if not (node.op.kink or term.is_number):
        return term.text
    if not equals:
        return ""
    names = dict(zip(LETTERS, [name(arg) for arg in node.args]))
    if rule in names:
        return names[rule].text
    return re.sub(
        r"\b([a-z])\b",
        lambda found: names[found[0]].inside(SUM) if found[0] in names else found[0],
        rule,
    )


def box_size(row: dict[str, Any], beside: str = "") -> tuple[int, int]:
    """Return the width and the height of the box of a node, in pixels.

    Args:
        row: what `records` returns for the node.
        beside: a long text beside its label.
    """
    if row["op"] == CONSTANT:
        named = f"{row['label']} = " if row["label"] else ""
        return 10 + 8 * len(named + numeral(float(row["data"]))), 24
    return max(120, 44 + 8 * len(row["label"]) + 6 * len(beside)), 62
