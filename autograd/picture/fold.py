"""Choose which nodes of a graph to show, so that a graph of any size fits on one page.

`draw` calls `view`; the interactive page uses `scopes` and `EDGES` for its own folding.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from ..core import ops
from ..core.find import nearest
from ..core.graph import consumers, distances, shown_args
from ..core.notation import shortened
from ..core.value import Value
from .composite import composite_of, is_composite, outputs_of

Item: TypeAlias = "Value | str"  # what a drawing shows: a node, or a folded scope by its name

EDGES = 2  # most edges per node that may be shown; with more, lines fill the page


@dataclass(frozen=True)
class View:
    """The choice of what a drawing shows.

    Attributes:
        place: maps a visible node to itself, and a node inside a folded scope to the name of the
            scope. Nodes that are not shown are missing.
        outputs: the outputs of each folded scope of a function.
        note: a sentence that says how many nodes are folded and how to show them, or "".
    """

    place: dict[Value, Item]
    outputs: dict[str, list[Value]]
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
    """Choose what to show of a graph.

    Scopes are folded first, inner scopes before outer ones, until at most `max_nodes` items
    remain. If that is not enough, the items farthest from the output (or from `around`) are
    hidden; at equal distance, those with the smallest `size` are hidden first.

    Args:
        order: all nodes in topological order.
        max_nodes: how many nodes and folded scopes to show at most.
        around: show the neighbourhood of this node; scopes are then not folded.
        depth: how many edges to follow at most; by default 2 from `around`, else no limit.
        opened: the names of scopes that must not be folded.
        keep: nodes to show in any case (of a long list, both ends), unless `around` is given.
        size: the importance of a node, as |gradient|.
    """
    _check_scopes(order, opened)
    place: dict[Value, Item] = {node: node for node in order}
    start: list[Item] = [around] if around is not None else list(_ends(list(keep), max_nodes))
    if around is None:
        folds = len(order) > max_nodes
        place = _folded_by_scope(order, max_nodes, opened) if folds else place
        place = _with_composites(place, scopes(order), opened)
    place.update((node, node) for node in start if isinstance(node, Value))
    if around is None:
        root = place[order[-1]]
        start.append(root if isinstance(root, str) and is_composite(root) else order[-1])
        place[order[-1]] = start[-1]
    inside: dict[Item, list[Value]] = {}
    for node, item in place.items():
        if item is not node:
            inside.setdefault(item, []).append(node)
    near = _nearest(order, place, inside, start, depth, around is not None, max_nodes)

    def weight(item: Item) -> float:
        nodes = [item] if isinstance(item, Value) else inside[item]
        return max([0.0, *(size.get(node, 0.0) for node in nodes)])

    ranked = sorted(near, key=lambda item: (near[item], -weight(item)))
    shown = {*start, *ranked[:max_nodes]}
    kept = {node: item for node, item in place.items() if item in shown}
    return View(kept, _outputs(order, kept), _note(order, kept))


def _with_composites(
    place: dict[Value, Item], scope_of: dict[Value, str], opened: Collection[str]
) -> dict[Value, Item]:
    """Fold the scopes of functions, too, unless they are inside a folded scope or are opened."""
    found = dict(place)
    for node, scope in scope_of.items():
        outer, now = composite_of(scope, opened), place[node]
        if outer and not (isinstance(now, str) and len(now) < len(outer)):
            found[node] = outer
    return found


def _outputs(order: list[Value], place: dict[Value, Item]) -> dict[str, list[Value]]:
    """Return the outputs of each folded function."""
    folded = {
        node: [item] for node, item in place.items() if isinstance(item, str) and is_composite(item)
    }
    return outputs_of(order, folded)


def _ends(path: list[Value], most: int) -> list[Value]:
    """Return `path`, or about `most` / 2 nodes from each end if it is longer than `most`."""
    half = most // 2
    return path if len(path) <= most else [*path[:half], *path[-half:]]


def _check_scopes(order: list[Value], opened: Collection[str]) -> None:
    """Raise ValueError if a scope to open does not exist."""
    known = {
        ".".join(parts[: i + 1])
        for parts in (scope.split(".") for scope in {node.scope for node in order})
        for i in range(len(parts))
    }
    for name in opened:
        if not (isinstance(name, str) and name and name in known):
            near = nearest(str(name), sorted(known))
            raise ValueError(f"there is no scope {name!r} to open; the nearest are {near}")


def _note(order: list[Value], place: dict[Value, Item]) -> str:
    """Say how many nodes are folded, and which arguments of `draw` show them; else return ""."""
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
) -> dict[Value, Item]:
    """Fold scopes level by level, the innermost first, until the rest fits into the drawing.

    Labelled leaves of one scope are folded with it only if the rest does not fit otherwise.
    """
    place: dict[Value, Item] = {node: node for node in order}
    for labelled in (False, True):  # the labelled leaves, as the weights of layers, come last
        scope_of = scopes(order, labelled)
        levels = max(scope.count(".") + 1 if scope else 0 for scope in scope_of.values())
        for level in range(levels, 0, -1):
            place = {
                node: _at_level(scope, level, opened) or node for node, scope in scope_of.items()
            }
            edges = {(place[arg], place[node]) for node in order for arg in shown_args(node)}
            if len(set(place.values())) <= max_nodes and len(edges) <= EDGES * max_nodes:
                return place
    return place


def scopes(order: list[Value], labelled: bool = False) -> dict[Value, str]:
    """Return the scope of each node, where a leaf without a scope joins its only consumer scope.

    A leaf or constant that was made outside every scope takes the scope of the nodes that use it,
    if they are all in the same one. Those with a label keep their place, because a reader looks
    for them there; with `labelled=True` they move as well.
    """
    found = {node: node.scope for node in order}
    if not any(found.values()):
        return found
    around: dict[Value, set[str]] = {
        node: set()
        for node, scope in found.items()
        if not (scope or node.args or (node.label and not labelled))
    }
    for user in order:
        for arg in shown_args(user):
            if arg in around:
                around[arg].add(user.scope)
    single = {node: scope.pop() for node, scope in around.items() if len(scope) == 1}
    return found | {node: scope for node, scope in single.items() if not _is_input(node, scope)}


def _is_input(node: Value, scope: str) -> bool:
    """Return True if a node is a leaf that a function is given; its constants are its own."""
    return node.op is ops.leaf and composite_of(scope) != ""


def _at_level(scope: str, level: int, opened: Collection[str]) -> str:
    """Return the folded scope that contains `scope`, or "" if `scope` is open.

    The result has at most `level` names, or more if an opened scope contains `scope`.
    """
    parts = scope.split(".")
    inside_open = [name.count(".") + 2 for name in opened if f"{scope}.".startswith(f"{name}.")]
    level = max([level, *inside_open])
    return "" if inside_open and level > len(parts) else ".".join(parts[:level])


def _nearest(
    order: list[Value],
    place: dict[Value, Item],
    inside: dict[Item, list[Value]],
    start: Iterable[Item],
    depth: int | None,
    both_ways: bool,
    most: int,
) -> dict[Item, int]:
    """Return the items within `depth` edges of `start`, with their distances.

    Edges are followed from a node to its operands, or in both directions with `both_ways`. Items
    that are farther away than the `most` nearest are left out.
    """
    users = consumers(order) if both_ways else {}

    def neighbours(item: Item) -> Iterable[Item]:
        nodes = [item] if isinstance(item, Value) else inside[item]
        others = (other for n in nodes for other in (*shown_args(n), *users.get(n, ())))
        return dict.fromkeys(place[other] for other in others)

    if depth is None:
        depth = 2 if both_ways else len(order)
    found: dict[Item, int] = {}
    farthest = 0
    for item, distance in distances(start, neighbours):
        if distance > depth or (len(found) >= most and distance > farthest):
            break
        found[item] = farthest = distance
    return found
