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

import itertools
from dataclasses import dataclass

import numpy as np

from ..core import ops
from ..core.columns import add_depths, mark_users
from ..core.ops import Op
from .arrays import LIST_OPS, Array
from .program import DOT, INPUT, LSE, MAX, ODDS, PARAM, PART, SOFTMAX, SUM, Program, find_used


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
    nodes: np.ndarray
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
        patterns: for each node, a number whose bits say which operands differ from row to row. Each
            operand has a bit, or each list of operands: the bits of a DOT are those of the left
            factors, of the right factors and of the summand.
    """

    def __init__(self, program: Program, cost: int | None, matrices: bool) -> None:
        self.program, self.matrices = program, matrices
        every = np.ones(len(program.codes), dtype=bool)
        self.reaches_cost = every if cost is None else find_used(program, [cost])
        self.batched = program.find(INPUT)
        mark_users(program.starts, program.args, self.batched)
        self.levels = ((program.arities > 0) & ~program.find(PART)).astype(np.int32)
        add_depths(program.starts, program.args, self.levels)
        self.patterns = self.find_patterns()

    def find_patterns(self) -> np.ndarray:
        """Return `patterns`."""
        program, arities = self.program, self.program.arities
        widths = np.where(program.find(SUM, MAX, LSE, SOFTMAX), arities, 1)
        widths = np.where(program.find(ODDS), arities - 1, widths)
        widths = np.where(program.find(DOT), arities // 2, widths)
        bits = np.arange(len(program.args)) - program.starts[:-1].repeat(arities)
        bits //= widths.repeat(arities)
        most = np.where(program.find(ops.take), 1, 60)  # a `take` has an index and a list
        masks = self.batched[program.args] << np.minimum(bits, most.repeat(arities))
        found = np.zeros(len(arities), dtype=np.int64)
        inner = arities > 0
        found[inner] = np.bitwise_or.reduceat(masks, program.starts[:-1][inner])
        return found

    def make_groups(self) -> list[Group]:
        """Return the groups, each after the groups that it reads."""
        groups: list[Group] = []
        for alike in self.split_nodes():
            op, before = self.program.kinds[self.program.codes[alike[0]]], len(groups)
            nodes, first = alike.tolist(), self.program.starts[alike]
            arity = self.program.arities[nodes[0]]
            if op is DOT:
                groups.extend(self.group_products(nodes))
            elif op is ODDS:
                group = self.make_list_group(op, nodes, self.read_lists(nodes, fewer=1))
                group.operands.append(self.program.args[self.program.starts[1:][alike] - 1])
                groups.append(group)
            elif op in LIST_OPS:
                groups.append(self.make_list_group(op, nodes, self.read_lists(nodes)))
            elif op is ops.take:
                groups.extend(self.group_lookups(nodes))
            else:
                operands = [self.program.args[first + k] for k in range(arity)]
                groups.append(Group(op, alike, self.is_batched(nodes), operands))
            for group in groups[before:]:
                group.reaches_cost = bool(self.reaches_cost[nodes[0]])
        return groups

    def split_nodes(self) -> list[np.ndarray]:
        """Return the nodes that are alike, in the order of their levels and of their first nodes.

        Nodes are alike that have the same level, operation, pattern and number of operands, or of
        summands for a DOT, and of which the cost depends on all or none.
        """
        program, is_dot = self.program, self.program.find(DOT)
        nodes = np.flatnonzero((program.arities > 0) & ~program.find(PART))
        patterns = np.where(is_dot & (self.patterns & 3 == 1), self.patterns ^ 3, self.patterns)
        sizes = np.where(program.find(*LIST_OPS), is_dot * program.arities % 2, program.arities)
        keys = self.levels[nodes].astype(np.int64)
        for column in (program.codes, self.reaches_cost, patterns, sizes):
            keys = keys * (int(column.max(initial=0)) + 1) + column[nodes]
        order = np.argsort(keys, kind="stable")
        bounds = np.flatnonzero(np.diff(keys[order], prepend=-1, append=-1)).tolist()
        found = [nodes[order[a:b]] for a, b in itertools.pairwise(bounds)]
        return sorted(found, key=lambda alike: (self.levels[alike[0]], alike[0]))

    def is_batched(self, alike: list[int]) -> bool:
        """Return True if nodes that are alike differ from row to row."""
        return bool(self.batched[alike[0]])

    def read_lists(self, nodes: list[int], fewer: int = 0) -> list[bytes]:
        """Return the operands of each node, or all but the last, as bytes, which can be hashed."""
        args, starts = self.program.args, self.program.starts
        bounds = zip(starts[nodes].tolist(), (starts[1:][nodes] - fewer).tolist())
        return [args[a:b].tobytes() for a, b in bounds]

    def find_factors(self, i: int) -> tuple[bytes, bytes, list[int]]:
        """Return the left factors and the right factors of a dot product, and its summand.

        If all rows share the factors of only one side, these become the left factors. The factors
        are the bytes of their indices, which can be hashed.
        """
        start, end = self.program.starts[i : i + 2].tolist()
        k, args = (end - start) // 2, self.program.args
        lefts, rights = args[start : start + k].tobytes(), args[start + k : start + 2 * k].tobytes()
        if self.patterns[i] & 3 == 1:
            lefts, rights = rights, lefts
        return lefts, rights, args[start + 2 * k : end].tolist()

    def make_list_group(self, op: Op, nodes: list[int], *sides: list[bytes]) -> Group:
        """Return a group of nodes with lists of operands, which may differ in length."""
        flat = [_read_flat(side) for side in sides]
        sizes = np.array([len(one) for one in sides[0]]) // flat[0].itemsize
        if (sizes == sizes[0]).all():
            rows = [operands.reshape(len(nodes), -1) for operands in flat]
            return Group(op, np.array(nodes), self.is_batched(nodes), rows)
        return Group(op, np.array(nodes), self.is_batched(nodes), flat, sizes)

    def group_products(self, nodes: list[int]) -> list[Group]:
        """Return groups of dot products: the matrix products, then one group of all others.

        A matrix product is a set of dot products of every left list with every right list, in
        which all rows share the left lists.
        """
        found = {i: self.find_factors(i) for i in nodes}
        pattern = self.patterns[nodes[0]] & 3
        groups: list[Group] = []
        pairs: list[int] = []
        for members in _find_components(found) if self.matrices else []:
            lefts = list(dict.fromkeys(found[i][0] for i in members))
            rights = list(dict.fromkeys(found[i][1] for i in members))
            met = {found[i][:2]: i for i in members}
            every = len(met) == len(members) == len(lefts) * len(rights)
            alone = every and len(members) == 1 and not pattern
            if not every or alone or pattern == 3:
                pairs.extend(members)
                continue
            ordered = [met[left, right] for left in lefts for right in rights]
            operands = [_read_flat(side).reshape(len(side), -1) for side in (lefts, rights)]
            if found[members[0]][2]:
                others = np.array([found[i][2][0] for i in ordered])
                operands.append(others.reshape(len(lefts), len(rights)))
            grid = (len(lefts), len(rights))
            groups.append(
                Group(DOT, np.array(ordered), self.is_batched(nodes), operands, grid=grid)
            )
        pairs = sorted(pairs) if self.matrices else nodes
        if pairs:
            lists = [found[i][0] for i in pairs], [found[i][1] for i in pairs]
            group = self.make_list_group(DOT, pairs, *lists)
            if found[pairs[0]][2]:
                group.operands.append(np.array([found[i][2][0] for i in pairs]))
            groups.append(group)
        return groups

    def group_lookups(self, nodes: list[int]) -> list[Group]:
        """Return a group for each table that all rows share, or one group of all other look-ups."""
        found = {i: tuple(self.program.list_operands(i)) for i in nodes}
        batched = self.is_batched(nodes)
        if self.patterns[nodes[0]] & 2:
            indices = np.array([args[0] for args in found.values()])
            lists = np.array([args[1:] for args in found.values()])
            return [Group(ops.take, np.array(nodes), batched, [indices, lists])]
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
                groups.append(Group(ops.take, np.array(ordered), batched, operands, grid=grid))
        return groups


def _read_flat(lists: list[bytes]) -> np.ndarray:
    """Return all indices of lists that `read_lists` returned."""
    return np.frombuffer(b"".join(lists), dtype=np.int32)


def _split_into_tables(
    program: Program, columns: list[tuple[int, ...]]
) -> list[list[tuple[int, ...]]]:
    """Split columns of parameters where the distance from one column to the next changes.

    Two tables that are looked up at the same indices would else become one, which no slice reads.
    """
    offsets = program.offsets
    if not program.find(PARAM)[np.array(columns)].all():
        return [columns]
    ordered = sorted(columns, key=lambda column: offsets[column[0]])
    found = [ordered[:1]]
    for column in ordered[1:]:
        starts = [offsets[one[0]] for one in (*found[-1][:2], found[-1][-1], column)]
        if len(found[-1]) > 1 and starts[1] - starts[0] != starts[-1] - starts[-2]:
            found.append([])
        found[-1].append(column)
    return found


def _find_components(
    pairs: dict[int, tuple[bytes, bytes, list[int]]],
) -> list[list[int]]:
    """Split dot products into sets without common left or right lists: connected components."""
    first: dict[tuple[str, bytes], int] = {}
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
