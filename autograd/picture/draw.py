"""Draw a graph with Graphviz: data and gradient in each node, gradient flow as edge width.

`draw` is the public function, and also the method `Value.draw`. It decides with `fold.view` which
nodes to show, and writes DOT; `drawing.Drawing` turns the DOT into SVG, PNG or PDF.
"""

from __future__ import annotations

import html
import itertools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite, isnan
from typing import TYPE_CHECKING

from ..core import backprop, ops
from ..core.boundary import choice, instance, pair, several, whole, with_options
from ..core.find import find
from ..core.graph import shown_args, shown_order, shown_slots
from ..core.notation import expression, shortened
from ..core.paths import largest_paths
from ..core.term import numeral
from ..core.value import Value
from .composite import title_of
from .fold import View, view

if TYPE_CHECKING:
    from .drawing import Drawing

# Okabe and Ito's colours, which colour-blind readers can tell apart. Negative edges are also
# dashed, so that the sign is visible in black and white.
POSITIVE, NEGATIVE, INK = "#0072B2", "#D55E00", "#222222"
QUIET, QUIET_TEXT = "#B0B0B0", "#707070"  # text is darker than lines, to be legible in print
LEAF_FILL, NODE_FILL, ROOT_FILL, GROUP_FILL = "#FFF6D6", "#E8F1FA", "#DDF0E4", "#EEEEEE"
MOST_DPI = 1200  # a picture with more takes the memory of the machine
LABELLED_EDGES = 40  # with more edges than this, local derivatives are not written beside them

GRAPH_STYLE = {"fontname": "Helvetica", "fontsize": "11", "nodesep": "0.25", "ranksep": "0.4"}
NODE_STYLE = {"shape": "plain", "fontname": "Helvetica", "fontsize": "12", "fontcolor": INK}
EDGE_STYLE = {"fontname": "Helvetica", "fontsize": "10", "arrowsize": "0.7", "color": QUIET}
EDGE_STYLE |= {"fontcolor": QUIET_TEXT}


@with_options
def draw(
    root: Value,
    *,
    path: tuple[Value | str, Value | str] | None = None,
    around: Value | str | None = None,
    depth: int | None = None,
    max_nodes: int = 60,
    open: str | Collection[str] = (),
    gradients: Mapping[Value, float] | None = None,
    rankdir: str = "LR",
    format: str = "svg",
    dpi: int | None = None,
) -> Drawing:
    """Draw the graph of `root`: label, data and gradient of every node, and the gradient flow.

    The width of an edge grows with |upstream × local|. An edge is blue if this product is
    positive, and orange and dashed if it is negative. In small graphs the local derivative is
    written beside the edge. A gradient that has not been computed is shown as "—"; a gradient
    that no longer matches the data is marked "stale".

    Args:
        root: the output.
        path: (from, to): highlight the path between these nodes with the largest |product|.
        around: show only the nodes within `depth` edges of this node.
        depth: how many edges to follow from `around` (default: 2) or from the root (default: all).
        max_nodes: a larger graph is folded by scope, then by distance and size of gradient.
        open: the scopes to keep unfolded, by their names in the drawing.
        gradients: gradients to show instead of the nodes' `.grad`.
        rankdir: the direction from the leaves to the output: "LR", "TB", "RL" or "BT".
        format: the default format of `.render()` and `.pipe()`.
        dpi: the dots per inch of a PNG, at most 1200; by default 96.

    Raises:
        LabelError, ValueError, TypeError: a node is not in the graph (see `find`).
        ValueError: there is no path, a direction, format or scope is unknown, or a number is out
            of range.

    >>> x = Value(3.0, label="x")
    >>> y = x * x
    >>> drawing = draw(y)
    >>> drawing.pipe("svg")[:5]
    b'<?xml'
    """
    from .drawing import Drawing  # here, because graphviz takes long to import

    choice(rankdir, "rankdir", ("LR", "TB", "RL", "BT"))
    choice(format, "format", Drawing.formats)
    max_nodes = whole(max_nodes, "max_nodes")
    if dpi is not None and whole(dpi, "dpi") > MOST_DPI:
        raise ValueError(f"dpi is at most {MOST_DPI}, got {dpi}")
    depth = None if depth is None else whole(depth, "depth", 0)
    opened = [open] if isinstance(open, str) else several(open, "open lists scopes by name")
    if gradients is not None:
        for node in instance(gradients, Mapping, "gradients are numbers by node"):
            instance(node, Value, "gradients are numbers by node")
    lit = _lit(root, path)
    middle = None if around is None else find(root, around)
    order = shown_order(root, [*itertools.chain(*lit), *(() if middle is None else (middle,))])
    known = _known(order) if gradients is None else dict(gradients)
    shown = view(
        order,
        max_nodes,
        middle,
        depth,
        opened,
        itertools.chain.from_iterable(lit),
        {node: abs(gradient) for node, gradient in known.items()},
    )
    stale = backprop.stale(root)
    stale_gradients = set(known) if stale else set()
    if gradients is None:
        stale_gradients |= _left_behind(order, known)
    drawing = Drawing(
        format=format,
        graph_attr={**GRAPH_STYLE, "rankdir": rankdir, "charset": "UTF-8"},
        node_attr=NODE_STYLE,
        edge_attr=EDGE_STYLE,
    )
    _Picture(root, order, shown, known, lit, stale, stale_gradients).write(drawing)
    if dpi is not None:
        drawing.graph_attr["dpi"] = str(dpi)
    return drawing


def _known(order: list[Value]) -> dict[Value, float]:
    """Return the gradients of the nodes that a backward pass has reached."""
    return {node: node.grad for node in order if backprop.has_gradient(node)}


def _lit(
    root: Value, path: tuple[Value | str, Value | str] | None
) -> dict[tuple[Value, Value], None]:
    """Return the edges (operand, node) of the highlighted path, as the keys of a dict."""
    if path is None:
        return {}
    start, end = (find(root, node) for node in pair(path, "path is a pair, as in ('w', 'C')"))
    for upper, lower in ((end, start), (start, end)):
        for found in largest_paths(upper, lower, most=1):
            return dict.fromkeys((arg, node) for node, arg in itertools.pairwise(found.nodes))
    raise ValueError(f"no path leads from {expression(start)} to {expression(end)}")


def _left_behind(order: list[Value], known: Mapping[Value, float]) -> set[Value]:
    """Return the leaves whose gradient is older than the nodes that use them.

    Such a leaf has a gradient from an earlier pass, and at least one of its consumers has none.
    """
    newer = {arg for user in order if user not in known for arg in shown_args(user)}
    return {node for node in newer if node.op is ops.leaf and node in known}


@dataclass
class _Picture:
    """The state of one drawing while its DOT is written.

    Attributes:
        root: the output.
        order: all nodes in topological order.
        view: the nodes and folded scopes to show.
        known: the gradients to show, by node.
        lit: the highlighted edges (operand, node).
        stale: the nodes whose data is stale.
        stale_gradients: the nodes whose gradient is stale.
        ids: the DOT identifier of each node or scope that is shown.
    """

    root: Value
    order: list[Value]
    view: View
    known: dict[Value, float]
    lit: dict[tuple[Value, Value], None]
    stale: set[Value]
    stale_gradients: set[Value]
    ids: dict[Value | str, str] = field(default_factory=dict)

    def write(self, dot: Drawing) -> None:
        """Add the nodes and edges, and what is left out, to a drawing."""
        for item in dict.fromkeys(self.view.place.values()):
            self.ids[item] = f"n{len(self.ids)}"
        for item, id_ in self.ids.items():
            label = self._scope_label(item) if isinstance(item, str) else self._node_label(item)
            tooltip = item if isinstance(item, str) else expression(item).text
            dot.node(id_, label=label, tooltip=_tooltip(tooltip))
        self._draw_edges(dot)
        if self.view.note:
            dot.attr(label=_text(self.view.note, 250), labelloc="b", fontcolor=QUIET_TEXT)

    # ------------------------------------------------------------------ nodes

    def _node_label(self, node: Value, symbol: str = "") -> str:
        if node.op is ops.constant:
            called = f"{_text(node.label)} = " if node.label else ""
            return f'<<FONT COLOR="{QUIET_TEXT}">{called}{numeral(node.data)}</FONT>>'
        fill = ROOT_FILL if node is self.root else NODE_FILL if node.args else LEAF_FILL
        written = _text(symbol or node.op.symbol, 14)
        symbol = f'<FONT COLOR="{POSITIVE}" POINT-SIZE="16"><B>{written}</B></FONT>'
        label = f"<B>{_text(node.label)}</B>" if node.label else ""
        if node.op is ops.take:
            symbol += f' <FONT COLOR="{QUIET_TEXT}">one of {len(node.args) - 1}</FONT>'
        head = "&nbsp; ".join([label] * bool(label) + [symbol] * bool(node.args)) or "&nbsp;"
        gradient = numeral(self.known[node]) if node in self.known else "—"
        on_path = any(node in edge for edge in self.lit)
        width = 3 if on_path else 1
        return (
            f'<<TABLE BORDER="{width}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3" '
            f'STYLE="ROUNDED" COLOR="{INK}" BGCOLOR="{fill}">'
            f'<TR><TD COLSPAN="2">{head}</TD></TR>'
            + _row("data", numeral(node.data), node in self.stale)
            + _row("grad", gradient, node in self.stale_gradients)
            + "</TABLE>>"
        )

    def _scope_label(self, scope: str) -> str:
        outputs = self.view.outputs.get(scope, [])
        if len(outputs) == 1:
            return self._node_label(outputs[0], title_of(scope))
        inside = sum(place == scope for place in self.view.place.values())
        labels = ", ".join(node.label for node in outputs if node.label)
        content = _text(labels) if labels else f"{inside:,} nodes"
        return (
            f'<<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="6" STYLE="ROUNDED" '
            f'COLOR="{INK}" BGCOLOR="{GROUP_FILL}"><TR><TD><B>{_text(scope)}</B></TD></TR>'
            f"<TR><TD>{content}</TD></TR></TABLE>>"
        )

    # ------------------------------------------------------------------ edges

    def _draw_edges(self, dot: Drawing) -> None:
        flows = self._flows()
        largest = max((abs(f) for f, _ in flows.values() if f and isfinite(f)), default=0.0)
        for (arg, node, _), (flow, local) in flows.items():
            style = self._edge_style(arg, node, flow, largest)
            if len(flows) <= LABELLED_EDGES and arg.op is not ops.constant:
                style["label"] = f"× {numeral(local, 3)}"
            dot.edge(self.ids[arg], self.ids[node], **style)
        edges = dict.fromkeys(self._folded_edges())
        for stub in dict.fromkeys(end for edge in edges for end in edge if end.endswith("stub")):
            dot.node(stub, label="⋯", fontsize="18", fontcolor=QUIET_TEXT, tooltip="folded")
        for tail, head in edges:
            dot.edge(tail, head, style="dotted")

    def _flows(self) -> dict[tuple[Value, Value, int], tuple[float | None, float]]:
        """Return (flow, local derivative) for each edge (operand, node, slot) of visible nodes.

        The flow is upstream × local, or None if a gradient is unknown. It is also None while any
        node is stale: it would multiply an old gradient by a new local derivative.
        """
        flows: dict[tuple[Value, Value, int], tuple[float | None, float]] = {}
        visible = {node for node, place in self.view.place.items() if place is node}
        for node in self.order:
            if node not in visible or not node.args:
                continue
            slots = shown_slots(node)
            for slot, (arg, local) in enumerate(zip(node.args, backprop.known_locals(node))):
                if arg in visible and (slot in slots or (arg, node) in self.lit):
                    known = node in self.known and arg in self.known and not self.stale
                    flows[arg, node, slot] = (self.known[node] * local if known else None), local
        return flows

    def _edge_style(
        self, arg: Value, node: Value, flow: float | None, largest: float
    ) -> dict[str, str]:
        lit = (arg, node) in self.lit
        if self.lit and not lit:
            return {"color": "#DDDDDD", "fontcolor": QUIET_TEXT}
        if flow is None:
            return {"penwidth": "3", "color": INK} if lit else {}
        share = 0.0 if isnan(flow) else min(abs(flow) / (largest or 1.0), 1.0)
        colour = NEGATIVE if flow < 0 else POSITIVE if flow > 0 else QUIET
        width = 0.7 + 4.3 * share**0.5
        return {
            "penwidth": f"{width + (1.5 if lit else 0.0):.2f}",
            "color": colour,
            "fontcolor": colour if flow else QUIET_TEXT,
            "style": "dashed" if flow < 0 else "solid" if flow > 0 else "dotted",
        }

    def _folded_edges(self) -> Iterator[tuple[str, str]]:
        """Yield the edges (tail, head) that end at a folded scope or at nodes that are not shown.

        Nodes that are not shown are represented by a stub, drawn as "⋯".
        """
        place, ids = self.view.place, self.ids
        for node in self.order:
            for arg in shown_args(node):
                tail, head = place.get(arg), place.get(node)
                if tail is None and head is not None:
                    yield f"{ids[head]}_in_stub", ids[head]
                elif head is None and tail is not None:
                    yield ids[tail], f"{ids[tail]}_out_stub"
                elif tail is None or head is None or tail == head:
                    continue
                elif isinstance(tail, str) or isinstance(head, str):
                    yield ids[tail], ids[head]


def _row(what: str, text: str, stale: bool) -> str:
    mark = ' <FONT COLOR="#D55E00"><I>stale</I></FONT>' if stale else ""
    return (
        f'<TR><TD ALIGN="LEFT"><FONT COLOR="{QUIET_TEXT}" POINT-SIZE="10">{what}</FONT></TD>'
        f'<TD ALIGN="RIGHT">{text}{mark}</TD></TR>'
    )


def _text(text: str, width: int = 24) -> str:
    """Escape a label for HTML-like text in DOT, and shorten it."""
    # Graphviz expands \\N and similar escapes even in HTML-like text
    escaped = html.escape(shortened(text, width)).replace("\\", "\\\\")
    if set(escaped) == {"]"}:  # a syntax error in Graphviz 2.43
        return escaped.replace("]", "&#93;")
    return escaped or "&nbsp;"


def _tooltip(text: str) -> str:
    """Escape a tooltip, in which Graphviz decodes entities once and backslashes twice."""
    return html.escape(shortened(text, 80)).replace("\\", "\\" * 4)
