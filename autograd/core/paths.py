"""The paths from the output to a node, those with the largest contribution to its gradient first.

`explain` shows them. A gradient is the sum over all paths of the product of local derivatives.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from math import inf, isnan, prod

from .backprop import local_of, locals_of
from .graph import flowing_slots, topological_order
from .value import Value


@dataclass(frozen=True)
class Path:
    """One path from the output down to a node.

    Attributes:
        nodes: the nodes on the path, output first.
        slots: the operand number of the next node, for each node but the last.
        locals: ∂node/∂next, for each node but the last.
    """

    nodes: tuple[Value, ...]
    slots: tuple[int, ...]
    locals: tuple[float, ...]

    @property
    def product(self) -> float:
        """The product of the local derivatives: the path's contribution to the gradient."""
        return prod(self.locals)


def largest_paths(root: Value, node: Value, most: int = 10, *, flowing: bool = False) -> list[Path]:
    """Return the `most` paths from `root` down to `node` with the largest |product|, in that order.

    The best paths from a node continue along best paths from its operands. So each node stores
    its `most` best paths only, each as |product|, operand number, and rank among that operand's
    paths. With `flowing`, no path leads to an index or to an entry that no look-up chooses.
    """
    best: dict[Value, list[tuple[float, int, int]]] = {node: [(1.0, -1, -1)]}
    for other in topological_order(root):
        if other is not node and any(arg in best for arg in other.args):
            ways = [
                (magnitude(local) * best_size, slot, rank)
                for slot, (arg, local) in enumerate(
                    zip(other.args, locals_of(other, best.__contains__))
                )
                if not flowing or slot in flowing_slots(other)
                for rank, (best_size, _, _) in enumerate(best.get(arg, ()))
            ]
            best[other] = heapq.nlargest(most, ways, key=lambda way: way[0])
    return [_followed(root, node, rank, best) for rank in range(len(best.get(root, ())))]


def magnitude(local: float) -> float:
    """Return |local|, or infinity if it is NaN."""
    return inf if isnan(local) else abs(local)


def _followed(
    root: Value, node: Value, rank: int, best: dict[Value, list[tuple[float, int, int]]]
) -> Path:
    """Return the path of this rank from `root` down to `node`."""
    nodes, slots, slopes = [root], [], []
    while nodes[-1] is not node:
        _, slot, rank = best[nodes[-1]][rank]
        slots.append(slot)
        slopes.append(local_of(nodes[-1], slot))
        nodes.append(nodes[-1].args[slot])
    return Path(tuple(nodes), tuple(slots), tuple(slopes))
