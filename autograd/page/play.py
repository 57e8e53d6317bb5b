"""Build the page that plays the forward and the backward pass of a graph.

`Value.page` calls `graph_page`. It collects the data that `player.js` shows: nodes, groups,
layouts and operations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from ..core import ops
from ..core.backprop import check_for_leaves, stale
from ..core.boundary import positive, text, whole, with_options
from ..core.graph import flowing_edges, shown_order, shown_slots, topological_order
from ..core.notation import name
from ..core.value import Value
from ..picture.composite import is_composite, title_of
from .groups import OUTERMOST, Group, find_groups, opened, visible
from .html import Page
from .javascript import is_computable
from .layout import laid_out
from .parameters import moving
from .record import box_size, records
from .tables import write_operations, write_quiz

MOST_NODES = 50_000  # browsers should still open the page
GROUP_SIZE = (132, 52)  # pixels of the box of a closed group
WIDEST_FAN = 8  # most lines from one leaf that are laid out; the page draws the others straight
DIRECTIONS = ("LR", "TB")  # one for wide windows and one for narrow windows


@with_options
def graph_page(
    root: Value,
    *,
    parameters: Collection[Value | str] | Value | str | None = None,
    lr: float = 0.1,
    max_nodes: int = 60,
    title: str | None = None,
    position: int | None = None,
) -> Page:
    """Make a page that shows the graph of `root` and plays its forward and backward pass.

    Args:
        root: the output.
        parameters: the leaves, or their labels, that gradient descent changes. By default all
            leaves without the inputs, which are those named like `x`, `x1`, `input` or `target`,
            those without a label if others have one, and those on which an index of `take`
            depends. If only inputs are left, these change.
        lr: the initial learning rate.
        max_nodes: a larger graph is folded by scope when the page opens. It is also the largest
            number of items in one group.
        title: the title; by default the name of the output.
        position: the number of backward steps that are done when the page opens. By default the
            page opens before the forward pass.

    Raises:
        LabelError, TypeError, ValueError: a parameter is not a leaf of the graph, or decides an
            index of `take`; a number is out of range, there is nothing to differentiate, or the
            graph is too large for a page.
        RenderError: Graphviz fails.

    >>> x = Value(3.0, label="x")
    >>> graph_page(x * x).html[:15]
    '<!doctype html>'
    """
    lr, max_nodes = positive(lr, "lr"), whole(max_nodes, "max_nodes", 2)
    order = _checked_order(root)
    titled = None if title is None else text(title, "title")
    begun = {} if position is None else {"position": _checked_position(position, root)}
    used = list(dict.fromkeys([ops.leaf, ops.constant, *(node.op for node in order)]))
    computed = {op for op in used if is_computable(op)}
    rows = records(root, moving(order, parameters), used, computed)
    shown = shown_order(root)
    groups, place = find_groups(shown, max_nodes)
    seen = opened(shown, groups, place, max_nodes)
    index = {node: i for i, node in enumerate(order)}
    places = [index[node] for node in shown]
    around = _groups_around(order, dict(zip(shown, place)))
    for node, row in zip(order, rows):
        looks_up = node.op is ops.take
        row["size"] = box_size(row, f"take one of {len(node.args) - 1}" if looks_up else "")
        if around[node] != OUTERMOST:
            row["group"] = around[node]
    data: dict[str, Any] = {
        "nodes": rows,
        "groups": [_group(group, places) for group in groups],
        "open": seen,
        "layouts": _layouts(order, shown, rows, groups, set(seen)),
        "lr": lr,
        "stale": bool(stale(root)),
        **begun,
    }
    return Page(
        "player",
        rows[-1]["name"] if titled is None else titled,
        data,
        f"const OPERATIONS = {write_operations(used)};\n{write_quiz()}",
        ("dagre.min.js",) if groups or ops.take in used else (),
    )


def _checked_order(root: Value) -> list[Value]:
    order = topological_order(root)
    check_for_leaves(root, order)
    if len(order) > MOST_NODES:
        raise ValueError(
            f"a page shows at most {MOST_NODES:,} nodes, and {name(root)} has {len(order):,}: make "
            f"one of a part, of fewer examples, or draw(max_nodes=60) for a picture"
        )
    return order


def _groups_around(order: list[Value], place: dict[Value, int]) -> dict[Value, int]:
    """Add the nodes that are not shown: an entry that may be chosen later joins its look-up."""
    for node in reversed(order):
        for arg in node.args:
            place.setdefault(arg, place[node])
    return place


def _checked_position(position: int, root: Value) -> int:
    steps = len(flowing_edges(root))
    if whole(position, "position, a count of steps,", 0) > steps:
        raise ValueError(f"position is from 0 to {steps}, the backward steps; got {position}")
    return int(position)


def _group(group: Group, at: list[int]) -> dict[str, Any]:
    """Return a group as data; `at` has the places of the shown nodes among all nodes."""
    outputs = [at[output] for output in group.outputs]
    named = title_of(group.name) if is_composite(group.name) else group.name
    return {**vars(group), "name": named, "size": _size(group), "outputs": outputs}


def _size(group: Group) -> tuple[int, int]:
    """Return the size of a group's box; that of a function of one output has its numbers."""
    if len(group.outputs) != 1:
        return GROUP_SIZE
    return max(120, 30 + 9 * len(group.name)), 62


def _layouts(
    order: list[Value], shown: list[Value], rows: list[Any], groups: list[Any], seen: set[int]
) -> Any:
    """Lay out the boxes that are visible at first, once for each direction."""
    at = {node: i for i, node in enumerate(order)}
    place = [row.get("group", OUTERMOST) for row in rows]
    items = {at[node]: visible(at[node], place, groups, seen) for node in shown}
    sizes = {
        item: _size(groups[int(item[1:])]) if item.startswith("g") else tuple(rows[i]["size"])
        for i, item in items.items()
    }
    edges: dict[str, tuple[str, str, str]] = {}
    fans: Counter[str] = Counter()
    for node in shown:
        for slot in shown_slots(node):
            i, arg = at[node], at[node.args[slot]]
            tail, head = items[arg], items[i]
            if tail != head:
                plain = tail.startswith("n") and head.startswith("n")
                id_ = f"{tail}-{head}-{slot}" if plain else f"{tail}-{head}"
                if id_ not in edges and (rows[arg]["args"] or fans[tail] < WIDEST_FAN):
                    edges[id_] = id_, tail, head
                    fans[tail] += 1
    return {way: laid_out(sizes, list(edges.values()), way) for way in DIRECTIONS}
