"""How a large graph folds: by the scopes its nodes were made in, and in runs where those are long.

A group stands in the drawing for what it holds until it is opened, and none holds more than fits
into a drawing: one that would is cut into runs, each a group of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from ..core.value import Value
from ..picture.fold import EDGES, scopes

OUTERMOST = -1
Content = Value | str  # a node, or the name of a scope


@dataclass
class Group:
    """One group: its name in the group it lies in (-1 for none), and how many nodes it holds."""

    name: str
    parent: int
    count: int = 0


def grouped(order: list[Value], most: int) -> tuple[list[Group], list[int]]:
    """The groups, each after the one it lies in, and the group of each node.

    A graph of at most `most` nodes has none.

    >>> from autograd import sum
    >>> from autograd.core.graph import topological_order
    >>> total = sum([Value(1.0, label="x")] * 9)
    >>> [group.name for group in grouped(topological_order(total), 4)[0]]
    ['part 1 of 3', 'part 2 of 3', 'part 3 of 3']
    """
    if len(order) <= most:
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
    for node in order:
        inside = place[node]
        while inside != OUTERMOST:
            groups[inside].count += 1
            inside = groups[inside].parent
    return groups, [place[node] for node in order]


def _parts(items: list[Content], most: int) -> list[tuple[str, list[Content]]]:
    """Too many items in runs of equal length; none where they are not too many."""
    if len(items) <= most:
        return []
    count = min(ceil(len(items) / most), most)
    length = ceil(len(items) / count)
    runs = [items[start : start + length] for start in range(0, len(items), length)]
    return [(f"part {i} of {len(runs)}", run) for i, run in enumerate(runs, 1)]


def _scopes_among(
    items: list[Content], contents: dict[str, list[Content]]
) -> list[tuple[str, list[Content]]]:
    """The scopes among the items, called as inside the scope they lie in, and what they hold."""
    return [
        (item.removeprefix(f"{item.rpartition('.')[0]}."), contents[item])
        for item in items
        if isinstance(item, str)
    ]


def _contents(order: list[Value]) -> dict[str, list[Content]]:
    """What lies directly in each scope, nodes and inner scopes; "" is the whole graph."""
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
    """The groups that are open at first: level by level, as long as what is seen fits a drawing."""
    index = {node: i for i, node in enumerate(order)}
    depth = [0] * len(groups)
    for i, group in enumerate(groups):
        depth[i] = 0 if group.parent == OUTERMOST else depth[group.parent] + 1
    shown: list[int] = []
    for level in range(max(depth, default=-1) + 1):
        wider = [i for i in range(len(groups)) if depth[i] <= level]
        items = [visible(i, place, groups, set(wider)) for i in range(len(order))]
        edges = {(items[index[arg]], items[i]) for i, node in enumerate(order) for arg in node.args}
        if len(set(items)) > most or len(edges) > EDGES * most:
            break
        shown = wider
    return shown


def visible(node: int, place: list[int], groups: list[Group], opened: set[int]) -> str:
    """What stands in the drawing for a node: itself, "n5", or the outermost closed group, "g2"."""
    item, inside = f"n{node}", place[node]
    while inside != OUTERMOST:
        if inside not in opened:
            item = f"g{inside}"
        inside = groups[inside].parent
    return item
