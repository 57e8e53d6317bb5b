"""The HTML that a notebook displays for a Value: its name, its numbers and its graph.

`Value._repr_html_` calls `card`. A notebook calls it for every cell that ends in a Value, so
`card` must not raise and must stay fast.
"""

from __future__ import annotations

from ..core import ops
from ..core.backprop import STALE_WARNING, has_gradient, stale
from ..core.graph import topological_order
from ..core.notation import expression, name, shortened
from ..core.term import ATOM, numeral
from ..core.value import Value
from .draw import draw
from .markup import Markup, block, element, joined, note, paragraph, table, warning
from .render import RenderError

MOST_NODES = 10_000  # the largest graph that is drawn; checking and drawing it takes half a second
UNFIT = (ArithmeticError, RenderError, TypeError, ValueError)  # raised for nodes with unusual data


def card(node: Value) -> Markup | None:
    """Return the name, the numbers and the drawing of `node` as HTML.

    If the drawing fails, a note gives the reason. If the name or the numbers cannot be written,
    the result is None, and the notebook shows the text form instead.

    >>> x = Value(3.0, label="<x>")
    >>> "<b>&lt;x&gt;</b>, a leaf" in card(x)
    True
    """
    try:
        head = [_title(node), _numbers(node)]
    except UNFIT:  # for example, the data is not a number; `repr` can still display it
        return None
    return block(*head, *_graph(node))


def _title(node: Value) -> Markup:
    label = element("b", shortened(node.label)) if node.label else ""
    if node.args:
        made = f" = {expression(node)}" if node.label else expression(node).text
    else:
        kind = "constant" if node.op is ops.constant else "leaf"
        made = f", a {kind}" if node.label else f"a {kind}"
    scope = note(f"made in {node.scope}") if node.scope else ""
    return joined([paragraph(label, made), scope])


def _numbers(node: Value) -> Markup:
    rows = [["data", "", numeral(node.data)]]
    if node.op is not ops.constant:
        slope = f"∂/∂{name(node).inside(ATOM)}" if node.label else ""
        rows.append(["gradient", slope, numeral(node.grad) if has_gradient(node) else "—"])
    return table(rows, "llr")


def _graph(node: Value) -> list[Markup]:
    """Return the drawing of the graph, with a warning if it is stale, or a note if it fails."""
    if not node.args:
        return []
    parts: list[Markup] = []
    try:
        count = len(topological_order(node))
        if count > MOST_NODES:
            return [note(f"{count:,} nodes: too many to look through in passing; .draw() does it")]
        if stale(node):
            parts.append(warning(STALE_WARNING))
        parts.append(draw(node).markup())
    except UNFIT as error:
        parts.append(note(f"no drawing: {error}"))
    return parts
