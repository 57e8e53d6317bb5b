"""Which scalars belong together.

Nodes do if they are equally many steps from the leaves, have the same operation, and agree on
which of their operands differ from row to row. Dot products in which each of some lists meets each
of some others become one matrix product.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.ops import Op
from .arrays import MANY, Array
from .program import DOT, INPUT, ODDS, PART, SOFTMAX, Node, Program, made_of


@dataclass(eq=False)
class Group:
    """Nodes that become one statement.

    Attributes:
        operands: the nodes that they take: of shape (n,), or (n, k), or flat.
        sizes: for nodes with different numbers of operands, how many each has.
        grid: of a matrix product, how many lefts and how many rights there are.
    """

    op: Op
    nodes: list[int]
    batched: bool
    operands: list[np.ndarray]
    sizes: np.ndarray | None = None
    grid: tuple[int, int] | None = None
    pool: Group | None = None  # another group of the same array
    base: Array | None = None
    start: int = 0
    inside: bool = True  # whether the cost is made of it

    @property
    def length(self) -> int:
        """How many scalars it makes; each node of a softmax makes as many as it takes."""
        return self.operands[0].size if self.op is SOFTMAX else len(self.nodes)

    def root(self) -> Group:
        """The group that stands for all groups of the same array."""
        group = self
        while group.pool is not None:
            if group.pool.pool is not None:
                group.pool = group.pool.pool
            group = group.pool
        return group


def grouped(program: Program, cost: int | None, matrices: bool) -> list[Group]:
    """The nodes that belong together, those first that the others need.

    Args:
        program: the scalar program.
        cost: the node whose gradient will be asked for: what it is not made of is kept apart, so
            that a NaN there stays there.
        matrices: make matrix products of dot products.
    """
    return _Grouping(program, cost, matrices).groups()


class _Grouping:
    def __init__(self, program: Program, cost: int | None, matrices: bool) -> None:
        self.program, self.matrices = program, matrices
        self.inside = [True] * len(program.nodes) if cost is None else made_of(program, [cost])
        self.batched, self.levels = _kinds(program)

    def groups(self) -> list[Group]:
        """The groups, those first that the others need."""
        alike: dict[tuple[Any, ...], list[int]] = {}
        for i, node in enumerate(self.program.nodes):
            if node.args and node.op is not PART:
                key = (self.levels[i], id(node.op), self.inside[i], *self.kinds(node))
                alike.setdefault(key, []).append(i)
        groups: list[Group] = []
        for key in sorted(alike, key=lambda key: key[0]):
            nodes, before = alike[key], len(groups)
            op = self.program.nodes[nodes[0]].op
            if op is DOT:
                groups.extend(self.products(nodes))
            elif op is ODDS:
                args = [self.program.nodes[i].args for i in nodes]
                group = self.many(op, nodes, [one[:-1] for one in args])
                group.operands.append(np.array([one[-1] for one in args]))
                groups.append(group)
            elif op in MANY:
                groups.append(self.many(op, nodes, [self.program.nodes[i].args for i in nodes]))
            else:
                operands = [
                    np.array(operand)
                    for operand in zip(*(self.program.nodes[i].args for i in nodes))
                ]
                groups.append(Group(op, nodes, self.batched[nodes[0]], operands))
            for group in groups[before:]:
                group.inside = self.inside[nodes[0]]
        return groups

    def kinds(self, node: Node) -> tuple[bool, ...]:
        """Which operands differ from row to row."""
        if node.op is DOT:
            lefts, rights, others = self.factors(node)
            return (self.any(lefts), self.any(rights), *(self.batched[i] for i in others))
        if node.op is ODDS:
            return (self.any(node.args[:-1]), self.batched[node.args[-1]])
        if node.op in MANY:
            return (self.any(node.args),)
        return tuple([self.batched[arg] for arg in node.args])

    def any(self, nodes: Iterable[int]) -> bool:
        """Whether one of these nodes differs from row to row."""
        return any(self.batched[i] for i in nodes)

    def factors(self, node: Node) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """The lefts and the rights of a dot product, and what is added to it.

        What all rows share stands left.
        """
        k = len(node.args) // 2
        lefts, rights, others = node.args[:k], node.args[k : 2 * k], node.args[2 * k :]
        if self.any(lefts) and not self.any(rights):
            lefts, rights = rights, lefts
        return lefts, rights, others

    def many(self, op: Op, nodes: list[int], *lists: list[tuple[int, ...]]) -> Group:
        """A group of nodes with many operands, which may be differently many."""
        sizes = np.array([len(one) for one in lists[0]])
        batched = self.batched[nodes[0]]
        if (sizes == sizes[0]).all():
            return Group(op, nodes, batched, [np.array(operands) for operands in lists])
        flat = [np.array([arg for one in operands for arg in one]) for operands in lists]
        return Group(op, nodes, batched, flat, sizes)

    def products(self, nodes: list[int]) -> list[Group]:
        """Dot products: matrix products where all lefts meet all rights, and the rest in pairs."""
        found = {i: self.factors(self.program.nodes[i]) for i in nodes}
        groups: list[Group] = []
        pairs: list[int] = []
        for members in _connected(found) if self.matrices else []:
            lefts = list(dict.fromkeys(found[i][0] for i in members))
            rights = list(dict.fromkeys(found[i][1] for i in members))
            met = {found[i][:2]: i for i in members}
            every = len(met) == len(members) == len(lefts) * len(rights)
            alone = every and len(members) == 1 and not self.any(rights[0])
            if not every or alone or self.any(i for left in lefts for i in left):
                pairs.extend(members)
                continue
            ordered = [met[left, right] for left in lefts for right in rights]
            operands = [np.array(lefts), np.array(rights)]
            if found[members[0]][2]:
                others = np.array([found[i][2][0] for i in ordered])
                operands.append(others.reshape(len(lefts), len(rights)))
            grid = (len(lefts), len(rights))
            group = Group(DOT, ordered, self.batched[ordered[0]], operands, grid=grid)
            groups.append(group)
        pairs = sorted(pairs) if self.matrices else nodes
        if pairs:
            lists = [[found[i][side] for i in pairs] for side in (0, 1)]
            group = self.many(DOT, pairs, *lists)
            if found[pairs[0]][2]:
                group.operands.append(np.array([found[i][2][0] for i in pairs]))
            groups.append(group)
        return groups


def _kinds(program: Program) -> tuple[list[bool], list[int]]:
    """For each node whether it depends on the inputs, and how many steps it is from the leaves."""
    batched: list[bool] = []
    levels: list[int] = []
    for node in program.nodes:
        if node.args:
            batched.append(any(batched[arg] for arg in node.args))
            levels.append((node.op is not PART) + max([levels[arg] for arg in node.args]))
        else:
            batched.append(node.op is INPUT)
            levels.append(0)
    return batched, levels


def _connected(
    pairs: dict[int, tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]],
) -> list[list[int]]:
    """Dot products in sets that have no left and no right in common with another set."""
    first: dict[tuple[str, tuple[int, ...]], int] = {}
    leader: dict[int, int] = {}

    def find(i: int) -> int:
        while leader[i] != i:
            leader[i] = leader[leader[i]]
            i = leader[i]
        return i

    for i, (lefts, rights, _) in pairs.items():
        leader[i] = i
        for key in (("left", lefts), ("right", rights)):
            leader[find(i)] = find(first.setdefault(key, i))
    sets: dict[int, list[int]] = {}
    for i in pairs:
        sets.setdefault(find(i), []).append(i)
    return list(sets.values())
