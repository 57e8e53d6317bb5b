"""Divide a large graph into groups that the page can fold and open.

`graph_page` calls `find_groups` and `opened`. Groups follow the scopes in which nodes were made. A
scope with more items than fit into a drawing is divided into parts, and each part is a group. A
closed group is drawn as one box. `fold.js` shows these groups, with the same identifiers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil

from ..core.graph import shown_args
from ..core.value import Value
from ..picture.composite import is_composite, outputs_of
from ..picture.fold import EDGES, scopes

OUTERMOST = -1
Content = Value | str  # a node, or the name of a scope


@dataclass
class Group:
    """One group.

    Attributes:
        name: its name inside the parent group.
        parent: the index of the group that contains it, or -1.
        count: the number of nodes inside, at any depth.
        outputs: the positions of its outputs in the order, if it is a function.
    """

    name: str
    parent: int
    count: int = 0
    outputs: list[int] = field(default_factory=list)


def find_groups(order: list[Value], most: int) -> tuple[list[Group], list[int]]:
    """Return the groups, parents before children, and for each node the index of its group.

    In a graph with at most `most` nodes only the functions are groups, such as softmax; a node in
    no group has the index -1.

    >>> from autograd import sum
    >>> from autograd.core.graph import topological_order
    >>> total = sum([Value(1.0, label="x")] * 9)
    >>> [group.name for group in find_groups(topological_order(total), 4)[0]]
    ['part 1 of 3', 'part 2 of 3', 'part 3 of 3']
    """
    if len(order) <= most and not any(map(is_composite, scopes(order).values())):
        return [], [OUTERMOST] * len(order)
    groups: list[Group] = []
    place: dict[Value, int] = {}
    contents = _contents(order)
    to_place = [(contents[""], OUTERMOST)]
    while to_place:
        items, parent = to_place.pop()
        for named, held in _parts(items, most) or _scopes_among(items, contents):
            to_place.append((held, len(groups)))
            groups.append(Group(named, parent))
        if len(items) <= most:
            place.update((item, parent) for item in items if isinstance(item, Value))
    around = {node: list(_enclosing(place[node], groups)) for node in order}
    for inside in around.values():
        for i in inside:
            groups[i].count += 1
    functions = {
        node: [i for i in inside if is_composite(groups[i].name)] for node, inside in around.items()
    }
    at = {node: i for i, node in enumerate(order)}
    for i, outputs in outputs_of(order, functions).items():
        groups[i].outputs = [at[output] for output in outputs]
    return groups, [place[node] for node in order]


def _enclosing(inside: int, groups: list[Group]) -> Iterator[int]:
    """Yield a group and those around it; nothing for the index of no group."""
    while inside != OUTERMOST:
        yield inside
        inside = groups[inside].parent


def _parts(items: list[Content], most: int) -> list[tuple[str, list[Content]]]:
    """Divide more than `most` items into named parts of equal length; else return no parts."""
    if len(items) <= most:
        return []
    count = min(ceil(len(items) / most), most)
    length = ceil(len(items) / count)
    runs = [items[start : start + length] for start in range(0, len(items), length)]
    return [(f"part {i} of {len(runs)}", run) for i, run in enumerate(runs, 1)]


def _scopes_among(
    items: list[Content], contents: dict[str, list[Content]]
) -> list[tuple[str, list[Content]]]:
    """Return (name, contents) of each scope among the items, named relative to its parent."""
    return [
        (item.removeprefix(f"{item.rpartition('.')[0]}."), contents[item])
        for item in items
        if isinstance(item, str)
    ]


def _contents(order: list[Value]) -> dict[str, list[Content]]:
    """Return the nodes and inner scopes directly in each scope; "" is the whole graph."""
    found: dict[str, list[Content]] = {"": []}
    for node, scope in scopes(order, labelled=True).items():
        parts = scope.split(".") if scope else []
        for depth in range(len(parts)):
            inner, outer = ".".join(parts[: depth + 1]), ".".join(parts[:depth])
            if inner not in found:
                found[inner] = []
                found[outer].append(inner)
        found[scope].append(node)
    return found


def opened(order: list[Value], groups: list[Group], place: list[int], most: int) -> list[int]:
    """Return the groups that are open at first.

    Groups are opened level by level, as long as the visible boxes and lines fit into a drawing.
    """
    index = {node: i for i, node in enumerate(order)}
    depth = [0] * len(groups)
    for i, group in enumerate(groups):
        depth[i] = 0 if group.parent == OUTERMOST else depth[group.parent] + 1
    shown: list[int] = []
    for level in range(max(depth, default=-1) + 1):
        wider = [
            i
            for i, group in enumerate(groups)
            if depth[i] <= level and not is_composite(group.name)
        ]
        items = [visible(i, place, groups, set(wider)) for i in range(len(order))]
        edges = {
            (items[index[arg]], items[i])
            for i, node in enumerate(order)
            for arg in shown_args(node)
        }
        if len(set(items)) > most or len(edges) > EDGES * most:
            break
        shown = wider
    return shown


def visible(node: int, place: list[int], groups: list[Group], opened: set[int]) -> str:
    """Return the box that shows a node: its own, as "n5", or its outermost closed group, as "g2".

    Args:
        node: its place in the topological order.
        place: the group of each node, from `find_groups`.
        groups: the groups, from `find_groups`.
        opened: the open groups.
    """
    item, inside = f"n{node}", place[node]
    while inside != OUTERMOST:
        if inside not in opened:
            item = f"g{inside}"
        inside = groups[inside].parent
    return item
