"""Which nodes a drawing shows, and which are folded away: a graph of any size on one page."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass

from ..core.graph import consumers, distances, nearest
from ..core.notation import shortened
from ..core.value import Value

EDGES = 2  # for each node that may be shown: above that, lines fill the page


@dataclass(frozen=True)
class View:
    """What stands in the drawing for each node.

    Attributes:
        place: for each node that is visible, itself; for one inside a folded scope, the name of
            the scope. Nodes that are not shown at all are missing.
        note: what was folded and how to open it, or "".
    """

    place: dict[Value, Value | str]
    note: str = ""


def view(
    order: list[Value],
    max_nodes: int,
    around: Value | None,
    depth: int | None,
    opened: Collection[str],
    keep: Iterable[Value],
    size: dict[Value, float],
) -> View:
    """Choose what to show of a graph given in topological order.

    Scopes fold first, the innermost before the outer, until the rest fits into `max_nodes`; then
    what is farthest from the output, or from `around`, and of these the smallest in `size`.
    """
    _check_scopes(order, opened)
    place: dict[Value, Value | str] = {node: node for node in order}
    if around is None and len(order) > max_nodes:
        place = _folded_by_scope(order, max_nodes, opened)
    start = [around] if around is not None else [*_ends(list(keep), max_nodes), order[-1]]
    place.update((node, node) for node in start)
    near = _nearest(order, place, start, depth, both_ways=around is not None)
    weight: dict[Hashable, float] = {}
    for node in order:
        weight[place[node]] = max(weight.get(place[node], 0.0), size.get(node, 0.0))
    ranked = sorted(near, key=lambda item: (near[item], -weight[item]))
    shown = {*start, *ranked[:max_nodes]}
    kept = {node: item for node, item in place.items() if item in shown}
    return View(kept, _note(order, kept))


def _ends(path: list[Value], most: int) -> list[Value]:
    """The path, or its two ends if it is longer than that."""
    half = most // 2
    return path if len(path) <= most else [*path[:half], *path[-half:]]


def _check_scopes(order: list[Value], opened: Collection[str]) -> None:
    known = {
        ".".join(parts[: i + 1])
        for parts in (scope.split(".") for scope in {node.scope for node in order})
        for i in range(len(parts))
    }
    for name in opened:
        if not (isinstance(name, str) and name and name in known):
            near = nearest(str(name), sorted(known))
            raise ValueError(f"there is no scope {name!r} to open; the nearest are {near}")


def _note(order: list[Value], place: dict[Value, Value | str]) -> str:
    """How many nodes are folded, and the arguments of `draw` that show them."""
    folded = sum(place.get(node) is not node for node in order)
    if not folded:
        return ""
    scopes = [item for item in dict.fromkeys(place.values()) if isinstance(item, str)]
    ways = [f"open={shortened(repr(scopes[0]), 60)}"] if scopes else []
    ways += ["around=node, depth=3", f"max_nodes={len(order)}"]
    return (
        f"{folded:,} of {len(order):,} nodes are folded; draw({') or draw('.join(ways)}) shows more"
    )


def _folded_by_scope(
    order: list[Value], max_nodes: int, opened: Collection[str]
) -> dict[Value, Value | str]:
    scope_of = scopes(order)
    levels = max(scope.count(".") + 1 if scope else 0 for scope in scope_of.values())
    place: dict[Value, Value | str] = {node: node for node in order}
    for level in range(levels, 0, -1):
        place = {node: _at_level(scope, level, opened) or node for node, scope in scope_of.items()}
        edges = {(place[arg], place[node]) for node in order for arg in node.args}
        if len(set(place.values())) <= max_nodes and len(edges) <= EDGES * max_nodes:
            break
    return place


def scopes(order: list[Value], labelled: bool = False) -> dict[Value, str]:
    """The scope of each node; a leaf made outside of any goes with the one scope that it feeds.

    One with a label stays where a reader looks for it, unless `labelled` leaves go as well.
    """
    found = {node: node.scope for node in order}
    for node, users in consumers(order).items():
        around = {user.scope for user in users}
        if not (node.scope or node.args or (node.label and not labelled)) and len(around) == 1:
            found[node] = around.pop()
    return found


def _at_level(scope: str, level: int, opened: Collection[str]) -> str:
    """The scope of at most `level` names that stands for this one; "" where it is open."""
    parts = scope.split(".")
    inside_open = [name.count(".") + 2 for name in opened if f"{scope}.".startswith(f"{name}.")]
    level = max([level, *inside_open])
    return "" if inside_open and level > len(parts) else ".".join(parts[:level])


def _nearest(
    order: list[Value],
    place: dict[Value, Value | str],
    start: Iterable[Value],
    depth: int | None,
    both_ways: bool,
) -> dict[Hashable, int]:
    """Distances of what is placed from `start`, along operands or along edges either way."""
    neighbours: dict[Hashable, dict[Hashable, None]] = {item: {} for item in place.values()}
    for node in order:
        for arg in node.args:
            neighbours[place[node]][place[arg]] = None
            if both_ways:
                neighbours[place[arg]][place[node]] = None
    found = distances(start, neighbours.__getitem__)
    if depth is None:
        depth = 2 if both_ways else len(order)
    return {item: distance for item, distance in found.items() if distance <= depth}
