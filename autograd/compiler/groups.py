"""Group the scalar nodes that one array statement can compute.

This is vectorisation: `stages` groups a program after its passes, and `roll` turns each group
into a statement. Nodes form a group if they have the same operation, the same depth above the
leaves, and agree on which of their operands differ from row to row. Dot products of each of l
lists with each of r lists form one matrix product:

    DOT(w0 w1, x0 x1)         w0 w1     x0
    DOT(w2 w3, x0 x1)    →    w2 w3  @  x1
    DOT(w4 w5, x0 x1)         w4 w5

Likewise, a `take` in each column of a table at each of some indices forms one look-up of rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core import ops
from ..core.ops import Op
from .arrays import LIST_OPS, Array
from .program import DOT, INPUT, ODDS, PARAM, PART, SOFTMAX, Node, Program, find_used


@dataclass(eq=False)
class Group:
    """Nodes that become one statement.

    Attributes:
        op: their operation.
        nodes: their indices.
        batched: True if their values differ from row to row.
        operands: the indices of their operands, with the shapes that `Statement.reads` have.
        sizes: how many operands each node has, if the numbers differ.
        grid: for a matrix product, how many left lists and how many right lists it has; for a
            look-up of rows, how many indices and how many columns.
        joined_to: another group that shares the array; None for the group that represents them all.
        array: the array that holds the results, once it is chosen.
        start: the index of the first result in `array`.
        reaches_cost: False if a gradient is asked for, and the cost does not depend on the nodes.
    """

    op: Op
    nodes: list[int]
    batched: bool
    operands: list[np.ndarray]
    sizes: np.ndarray | None = None
    grid: tuple[int, int] | None = None
    joined_to: Group | None = None
    array: Array | None = None
    start: int = 0
    reaches_cost: bool = True

    @property
    def length(self) -> int:
        """The number of scalars that it computes: for a softmax, one for each operand."""
        return self.operands[0].size if self.op is SOFTMAX else len(self.nodes)

    def find_root(self) -> Group:
        """Return the group that represents all groups of the same array (union-find)."""
        group = self
        while group.joined_to is not None:
            if group.joined_to.joined_to is not None:
                group.joined_to = group.joined_to.joined_to
            group = group.joined_to
        return group


def group_nodes(program: Program, cost: int | None, matrices: bool) -> list[Group]:
    """Return the groups of a program, each after the groups that it reads.

    Args:
        program: the scalar program.
        cost: the node whose gradient may be asked for. Nodes that it does not depend on form groups
            of their own, so that a NaN in them cannot enter the gradient.
        matrices: True to form matrix products of dot products.
    """
    return _Grouper(program, cost, matrices).make_groups()


class _Grouper:
    """The nodes of a program with what decides their group.

    Attributes:
        reaches_cost: for each node, True if the cost depends on it.
        batched: for each node, True if it differs from row to row.
        levels: for each node, its depth above the leaves.
    """

    def __init__(self, program: Program, cost: int | None, matrices: bool) -> None:
        self.program, self.matrices = program, matrices
        every = [True] * len(program.nodes)
        self.reaches_cost = every if cost is None else find_used(program, [cost]).tolist()
        self.batched, self.levels = _find_batched_and_levels(program)

    def make_groups(self) -> list[Group]:
        """Return the groups, each after the groups that it reads."""
        alike: dict[tuple[Any, ...], list[int]] = {}
        for i, node in enumerate(self.program.nodes):
            if node.args and node.op is not PART:
                key = (self.levels[i], id(node.op), self.reaches_cost[i], *self.find_batched(node))
                alike.setdefault(key, []).append(i)
        groups: list[Group] = []
        for key in sorted(alike, key=lambda key: key[0]):
            nodes, before = alike[key], len(groups)
            op = self.program.nodes[nodes[0]].op
            if op is DOT:
                groups.extend(self.group_products(nodes))
            elif op is ODDS:
                args = [self.program.nodes[i].args for i in nodes]
                group = self.make_list_group(op, nodes, [one[:-1] for one in args])
                group.operands.append(np.array([one[-1] for one in args]))
                groups.append(group)
            elif op in LIST_OPS:
                args = [self.program.nodes[i].args for i in nodes]
                groups.append(self.make_list_group(op, nodes, args))
            elif op is ops.take:
                groups.extend(self.group_lookups(nodes))
            else:
                operands = [
                    np.array(operand)
                    for operand in zip(*(self.program.nodes[i].args for i in nodes))
                ]
                groups.append(Group(op, nodes, self.batched[nodes[0]], operands))
            for group in groups[before:]:
                group.reaches_cost = self.reaches_cost[nodes[0]]
        return groups

    def find_batched(self, node: Node) -> tuple[int, ...]:
        """Return, for each operand or list of operands, True if it differs from row to row."""
        if node.op is DOT:
            lefts, rights, others = self.find_factors(node)
            sides = (self.any_batched(lefts), self.any_batched(rights))
            return (*sides, *(self.batched[i] for i in others))
        if node.op is ODDS:
            return (self.any_batched(node.args[:-1]), self.batched[node.args[-1]])
        if node.op in LIST_OPS:
            return (self.any_batched(node.args),)
        if node.op is ops.take:  # the last makes a group for each size of tables
            index, *entries = node.args
            return (self.batched[index], self.any_batched(entries), len(entries))
        return tuple([self.batched[arg] for arg in node.args])

    def any_batched(self, nodes: Iterable[int]) -> bool:
        """Return True if one of these nodes differs from row to row."""
        return True in map(self.batched.__getitem__, nodes)

    def find_factors(self, node: Node) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Return the left factors and the right factors of a dot product, and its summand.

        If all rows share the factors of only one side, these become the left factors.
        """
        k = len(node.args) // 2
        lefts, rights, others = node.args[:k], node.args[k : 2 * k], node.args[2 * k :]
        if self.any_batched(lefts) and not self.any_batched(rights):
            lefts, rights = rights, lefts
        return lefts, rights, others

    def make_list_group(self, op: Op, nodes: list[int], *lists: list[tuple[int, ...]]) -> Group:
        """Return a group of nodes with lists of operands, which may differ in length."""
        sizes = np.array([len(one) for one in lists[0]])
        batched = self.batched[nodes[0]]
        if (sizes == sizes[0]).all():
            return Group(op, nodes, batched, [np.array(operands) for operands in lists])
        flat = [np.array([arg for one in operands for arg in one]) for operands in lists]
        return Group(op, nodes, batched, flat, sizes)

    def group_products(self, nodes: list[int]) -> list[Group]:
        """Return groups of dot products: the matrix products, then one group of all others.

        A matrix product is a set of dot products of every left list with every right list, in
        which all rows share the left lists.
        """
        found = {i: self.find_factors(self.program.nodes[i]) for i in nodes}
        groups: list[Group] = []
        pairs: list[int] = []
        for members in _find_components(found) if self.matrices else []:
            lefts = list(dict.fromkeys(found[i][0] for i in members))
            rights = list(dict.fromkeys(found[i][1] for i in members))
            met = {found[i][:2]: i for i in members}
            every = len(met) == len(members) == len(lefts) * len(rights)
            alone = every and len(members) == 1 and not self.any_batched(rights[0])
            if not every or alone or self.any_batched(i for left in lefts for i in left):
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
            group = self.make_list_group(DOT, pairs, *lists)
            if found[pairs[0]][2]:
                group.operands.append(np.array([found[i][2][0] for i in pairs]))
            groups.append(group)
        return groups

    def group_lookups(self, nodes: list[int]) -> list[Group]:
        """Return a group for each table that all rows share, or one group of all other look-ups."""
        found = {i: self.program.nodes[i].args for i in nodes}
        batched = self.batched[nodes[0]]
        if self.any_batched(found[nodes[0]][1:]):
            indices = np.array([args[0] for args in found.values()])
            lists = np.array([args[1:] for args in found.values()])
            return [Group(ops.take, nodes, batched, [indices, lists])]
        at: dict[tuple[int, ...], dict[int, int]] = {}  # the nodes, by the column and the index
        for i, args in found.items():
            at.setdefault(args[1:], {})[args[0]] = i
        alike: dict[tuple[int, ...], list[tuple[int, ...]]] = {}  # columns, by their indices
        for column, by_index in at.items():
            alike.setdefault(tuple(sorted(by_index)), []).append(column)
        groups = []
        for rows, together in alike.items():
            for columns in _split_into_tables(self.program, together):
                ordered = [at[column][row] for row in rows for column in columns]
                operands = [np.array(rows), np.array(columns)]
                grid = (len(rows), len(columns))
                groups.append(Group(ops.take, ordered, batched, operands, grid=grid))
        return groups


def _split_into_tables(
    program: Program, columns: list[tuple[int, ...]]
) -> list[list[tuple[int, ...]]]:
    """Split columns of parameters where the distance from one column to the next changes.

    Two tables that are looked up at the same indices would else become one, which no slice reads.
    """
    nodes = program.nodes
    if any(nodes[i].op is not PARAM for column in columns for i in column):
        return [columns]
    ordered = sorted(columns, key=lambda column: nodes[column[0]].offset)
    found = [ordered[:1]]
    for column in ordered[1:]:
        starts = [nodes[one[0]].offset for one in (*found[-1][:2], found[-1][-1], column)]
        if len(found[-1]) > 1 and starts[1] - starts[0] != starts[-1] - starts[-2]:
            found.append([])
        found[-1].append(column)
    return found


def _find_batched_and_levels(program: Program) -> tuple[list[bool], list[int]]:
    """Return, for each node, True if it depends on the inputs, and its depth above the leaves."""
    batched: list[bool] = []
    levels: list[int] = []
    for node in program.nodes:
        if node.args:
            batched.append(True in map(batched.__getitem__, node.args))
            levels.append((node.op is not PART) + max(map(levels.__getitem__, node.args)))
        else:
            batched.append(node.op is INPUT)
            levels.append(0)
    return batched, levels


def _find_components(
    pairs: dict[int, tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]],
) -> list[list[int]]:
    """Split dot products into sets without common left or right lists: connected components."""
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
