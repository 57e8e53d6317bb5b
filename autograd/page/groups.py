"""How a large graph folds: by the scopes its nodes were made in, and in runs where those are long.

A group stands in the drawing for what it holds until it is opened, and none holds more than fits
into a drawing: the middle of a long one folds into groups of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from ..fold import EDGES, scopes
from ..value import Value

OUTERMOST = -1


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
    >>> from autograd.graph import topological_order
    >>> total = sum([Value(1.0, label="x")] * 9)
    >>> [group.name for group in grouped(topological_order(total), 4)[0]]
    ['part 1 of 3', 'part 2 of 3', 'part 3 of 3']
    """
    if len(order) <= most:
        return [], [OUTERMOST] * len(order)
    groups: list[Group] = []
    place: dict[Value, int] = {}
    contents = _contents(order)

    def add(items: list[Value | str], parent: int) -> None:
        runs = ceil(len(items) / most)
        if runs > 1:
            runs = min(runs, most)
            length = ceil(len(items) / runs)
            for start in range(0, len(items), length):
                groups.append(Group(f"part {start // length + 1} of {runs}", parent))
                add(items[start : start + length], len(groups) - 1)
            return
        for item in items:
            if isinstance(item, Value):
                place[item] = parent
            else:
                outer = item.rpartition(".")[0]
                groups.append(Group(item.removeprefix(f"{outer}."), parent))
                add(contents[item], len(groups) - 1)

    add(contents[""], OUTERMOST)
    for node in order:
        inside = place[node]
        while inside != OUTERMOST:
            groups[inside].count += 1
            inside = groups[inside].parent
    return groups, [place[node] for node in order]


def _contents(order: list[Value]) -> dict[str, list[Value | str]]:
    """What lies directly in each scope, nodes and inner scopes; "" is the whole graph."""
    found: dict[str, list[Value | str]] = {"": []}
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
