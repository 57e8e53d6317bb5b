"""The ways by which a gradient came, the largest first."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from math import inf, isnan, prod

from .backprop import local_of, locals_of
from .graph import topological_order
from .value import Value


@dataclass(frozen=True)
class Path:
    """One way from a node to the output, output first.

    Attributes:
        nodes: the nodes on the way.
        slots: which operand the next node is, for each node but the last.
        locals: ∂node/∂next for each node but the last.
    """

    nodes: tuple[Value, ...]
    slots: tuple[int, ...]
    locals: tuple[float, ...]

    @property
    def product(self) -> float:
        """The product of the local derivatives: what this path adds to the gradient."""
        return prod(self.locals)


def largest_paths(root: Value, node: Value, most: int = 10) -> list[Path]:
    """The `most` paths from `root` down to `node` with the largest |product|, in that order.

    The best paths of a node go on as one of the best paths of an operand, so each node needs to
    know only its own best few, as pairs of the operand to take and that operand's path.
    """
    best: dict[Value, list[tuple[float, int, int]]] = {node: [(1.0, -1, -1)]}
    for other in topological_order(root):
        if other is not node and any(arg in best for arg in other.args):
            ways = [
                (magnitude(local) * best_size, slot, rank)
                for slot, (arg, local) in enumerate(
                    zip(other.args, locals_of(other, best.__contains__))
                )
                for rank, (best_size, _, _) in enumerate(best.get(arg, ()))
            ]
            best[other] = heapq.nlargest(most, ways, key=lambda way: way[0])
    return [_followed(root, node, rank, best) for rank in range(len(best.get(root, ())))]


def magnitude(local: float) -> float:
    """|local|; what is not a number counts as the largest."""
    return inf if isnan(local) else abs(local)


def _followed(
    root: Value, node: Value, rank: int, best: dict[Value, list[tuple[float, int, int]]]
) -> Path:
    nodes, slots, slopes = [root], [], []
    while nodes[-1] is not node:
        _, slot, rank = best[nodes[-1]][rank]
        slots.append(slot)
        slopes.append(local_of(nodes[-1], slot))
        nodes.append(nodes[-1].args[slot])
    return Path(tuple(nodes), tuple(slots), tuple(slopes))
