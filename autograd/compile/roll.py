"""Scalars to arrays: nodes that compute alike, on operands of the same kind, become one array.

Nodes belong together if they are equally many steps from the leaves, have the same operation, and
agree on which of their operands differ from row to row. Dot products in which each of some lists
meets each of some others become one matrix product. Arrays that one operand is taken from
together are parts of one larger array, so that taking is one step.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import ops
from ..ops import Op
from .arrays import COPY, MANY, Array, Read, Rolled, Statement
from .names import TAKEN, common_name, free
from .program import DOT, INPUT, LSE, MAX, PARAM, PART, SOFTMAX, SUM, Node, Program, made_of


@dataclass(eq=False)
class _Group:
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
    pool: _Group | None = None  # another group of the same array
    base: Array | None = None
    start: int = 0

    @property
    def length(self) -> int:
        """How many scalars it makes; each node of a softmax makes as many as it takes."""
        return self.operands[0].size if self.op is SOFTMAX else len(self.nodes)

    def root(self) -> _Group:
        """The group that stands for all groups of the same array."""
        group = self
        while group.pool is not None:
            if group.pool.pool is not None:
                group.pool = group.pool.pool
            group = group.pool
        return group


def rolled(program: Program, cost: int | None = None, matrices: bool = True) -> Rolled:
    """The program as array statements.

    Args:
        program: the scalar program.
        cost: the node whose gradient will be asked for: what it is not made of is kept apart, so
            that a NaN there stays there.
        matrices: make matrix products of dot products.
    """
    return _Roller(program, cost).rolled(matrices)


class _Roller:
    def __init__(self, program: Program, cost: int | None) -> None:
        self.program = program
        self.inside = [True] * len(program.nodes) if cost is None else made_of(program, [cost])
        self.nodes = list(program.nodes)  # and copies, which are added
        self.batched, self.levels = _kinds(program)
        self.group_of: list[_Group | None] = [None] * len(self.nodes)
        self.place: list[int] = [node.place for node in self.nodes]
        self.names = set(TAKEN)
        self.labels: dict[Array, dict[int, str]] = {}
        self.lengths: dict[_Group, int] = {}  # of the arrays, by the group that stands for each
        self.filled: dict[Array, int] = {}

    def rolled(self, matrices: bool) -> Rolled:
        leaves = self.leaves()
        groups = self.with_copies(self.groups(matrices))
        for group in groups:
            root = group.root()
            self.lengths[root] = self.lengths.get(root, 0) + group.length
        for group in groups:
            self.arrange(group)
            self.put(group)
        statements = [self.statement(group) for group in groups]
        outputs = self.runs(self.program.outputs)
        numbers = np.array(self.program.constants, dtype=float)
        return Rolled(statements, *leaves, numbers, outputs, self.labels)

    # ------------------------------------------------------------------ leaves

    def leaves(self) -> tuple[list[Array], Array, Array]:
        """The arrays of the arguments, of the parameters and of the constants."""
        program = self.program
        starts = np.cumsum([0, *program.sizes])
        members: list[list[int]] = [[] for _ in program.sizes]
        homes: dict[Op, _Group] = {}
        for op, name, size in (
            (PARAM, "theta", len(program.params)),
            (ops.constant, "constants", len(program.constants)),
        ):
            homes[op] = _Group(op, [], False, [], base=Array(name, size, False))
        inputs = [_Group(INPUT, [], True, []) for _ in program.sizes]
        for i, node in enumerate(program.nodes):
            if node.op is INPUT:
                argument = int(np.searchsorted(starts, node.place, side="right")) - 1
                members[argument].append(i)
                self.place[i] = node.place - int(starts[argument])
                self.group_of[i] = inputs[argument]
            elif node.op in homes:
                self.group_of[i] = homes[node.op]
        for k, (group, nodes) in enumerate(zip(inputs, members)):
            group.base = Array(self.named(nodes, f"x{k}"), program.sizes[k], True)
        theta = homes[PARAM].base
        constants = homes[ops.constant].base
        assert theta is not None and constants is not None
        self.labels[theta] = {
            node.place: program.labels[i]
            for i, node in enumerate(program.nodes)
            if node.op is PARAM and i in program.labels
        }
        return [group.base for group in inputs if group.base], theta, constants

    def named(self, nodes: Iterable[int], default: str) -> str:
        """What the labels of these nodes have in common, as a name that is still free."""
        labels = [self.program.labels.get(i, "") for i in nodes]
        return free(common_name(labels) or default, self.names)

    # ------------------------------------------------------------------ groups

    def groups(self, matrices: bool) -> list[_Group]:
        """The nodes that belong together, those first that the others need."""
        alike: dict[tuple[Any, ...], list[int]] = {}
        for i, node in enumerate(self.nodes):
            if node.args and node.op is not PART:
                key = (self.levels[i], id(node.op), self.inside[i], *self.kinds(node))
                alike.setdefault(key, []).append(i)
        groups: list[_Group] = []
        for key in sorted(alike, key=lambda key: key[0]):
            nodes = alike[key]
            op = self.nodes[nodes[0]].op
            if op is DOT:
                groups.extend(self.products(nodes, matrices))
            elif op in MANY:
                groups.append(self.many(op, nodes, [self.nodes[i].args for i in nodes]))
            else:
                operands = [
                    np.array(operand) for operand in zip(*(self.nodes[i].args for i in nodes))
                ]
                groups.append(_Group(op, nodes, self.batched[nodes[0]], operands))
        for group in groups:
            for i in group.nodes:
                self.group_of[i] = group
        for i, node in enumerate(self.nodes):
            if node.op is PART:
                self.group_of[i] = self.group_of[node.args[0]]
        return groups

    def kinds(self, node: Node) -> tuple[bool, ...]:
        """Which operands differ from row to row."""
        if node.op is DOT:
            lefts, rights, others = self.factors(node)
            return (self.any(lefts), self.any(rights), *(self.batched[i] for i in others))
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

    def many(self, op: Op, nodes: list[int], *lists: list[tuple[int, ...]]) -> _Group:
        """A group of nodes with many operands, which may be differently many."""
        sizes = np.array([len(one) for one in lists[0]])
        batched = self.batched[nodes[0]]
        if (sizes == sizes[0]).all():
            return _Group(op, nodes, batched, [np.array(operands) for operands in lists])
        flat = [np.array([arg for one in operands for arg in one]) for operands in lists]
        return _Group(op, nodes, batched, flat, sizes)

    def products(self, nodes: list[int], matrices: bool) -> list[_Group]:
        """Dot products: matrix products where all lefts meet all rights, and the rest in pairs."""
        found = {i: self.factors(self.nodes[i]) for i in nodes}
        groups: list[_Group] = []
        pairs: list[int] = []
        for members in _connected(found) if matrices else []:
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
            group = _Group(DOT, ordered, self.batched[ordered[0]], operands, grid=grid)
            groups.append(group)
        pairs = sorted(pairs) if matrices else nodes
        if pairs:
            lists = [[found[i][side] for i in pairs] for side in (0, 1)]
            group = self.many(DOT, pairs, *lists)
            if found[pairs[0]][2]:
                group.operands.append(np.array([found[i][2][0] for i in pairs]))
            groups.append(group)
        return groups

    # ------------------------------------------------------------------ one array for each operand

    def with_copies(self, groups: list[_Group]) -> list[_Group]:
        """Make each operand of a group come from one array: with copies, and by joining arrays."""
        copies: dict[tuple[_Group, bool], _Group] = {}
        known: dict[tuple[int, bool], int] = {}
        for group in groups:
            for k, operand in enumerate(group.operands):
                flat = operand.ravel().tolist()
                homes = dict.fromkeys(self.home(i) for i in flat)
                if len(homes) > 1:
                    batched = any(home.batched for home in homes)
                    moved = [self.copied(i, batched, copies, known) for i in flat]
                    group.operands[k] = np.array(moved).reshape(operand.shape)
                    _join([self.home(i) for i in dict.fromkeys(moved)])
        for group in copies.values():
            group.operands = [np.array([self.nodes[i].args[0] for i in group.nodes])]
        after: dict[_Group, list[_Group]] = {}
        for (home, _), group in copies.items():
            after.setdefault(home, []).append(group)
        ordered = [copy for home in after if home.base is not None for copy in after[home]]
        for group in groups:
            ordered.extend([group, *after.get(group, [])])
        return ordered

    def home(self, i: int) -> _Group:
        """The group that makes a node."""
        group = self.group_of[i]
        assert group is not None
        return group

    def copied(
        self,
        i: int,
        batched: bool,
        copies: dict[tuple[_Group, bool], _Group],
        known: dict[tuple[int, bool], int],
    ) -> int:
        """A node that can lie in an array with others: itself, or a copy of it."""
        home = self.home(i)
        if home.base is None and home.batched == batched:
            return i
        if (i, batched) not in known:
            known[i, batched] = len(self.nodes)
            group = copies.setdefault((home, batched), _Group(COPY, [], batched, []))
            group.nodes.append(len(self.nodes))
            self.nodes.append(Node(COPY, (i,)))
            self.batched.append(batched)
            self.place.append(-1)
            self.group_of.append(group)
        return known[i, batched]

    # ------------------------------------------------------------------ places

    def arrange(self, group: _Group) -> None:
        """Order nodes as their operands lie, so that these are read in one piece."""
        if group.grid is not None:
            self.arrange_product(group, group.grid)
        elif group.sizes is None:
            for operand in group.operands:
                order = self.order(operand)
                if order is not None:
                    group.nodes = [group.nodes[i] for i in order.tolist()]
                    group.operands = [one[order] for one in group.operands]
                    return

    def arrange_product(self, group: _Group, grid: tuple[int, int]) -> None:
        """Order the lefts and the rights of a matrix product as they lie."""
        nodes = np.array(group.nodes).reshape(grid)
        for axis in (0, 1):
            order = self.order(group.operands[axis])
            if order is not None:
                group.operands[axis] = group.operands[axis][order]
                nodes = nodes.take(order, axis=axis)
                group.operands[2:] = [other.take(order, axis=axis) for other in group.operands[2:]]
        group.nodes = nodes.ravel().tolist()

    def order(self, operand: np.ndarray) -> np.ndarray | None:
        """The order in which operands, or lists of them, begin in their array; if all differ."""
        first = operand.reshape(len(operand), -1)[:, 0].tolist()
        places = np.array([self.place_of(i) for i in first])
        return np.argsort(places) if len(np.unique(places)) == len(places) else None

    def put(self, group: _Group) -> None:
        """Give the nodes of a group their places in an array."""
        if group.base is None:
            root = group.root()
            if root.base is None:
                size = self.lengths[root]
                whole = size == group.length
                name = self.named(group.nodes if whole else [], f"v{len(self.names)}")
                root.base = Array(name, size, group.batched, whole)
                self.labels[root.base] = {}
            group.base = root.base
        group.start = self.filled.get(group.base, 0)
        self.filled[group.base] = group.start + group.length
        starts = range(group.start, group.start + len(group.nodes))
        if group.op is SOFTMAX:
            sizes = group.sizes
            if sizes is None:
                sizes = np.full(len(group.nodes), group.operands[0].shape[1])
            starts = (group.start + np.cumsum([0, *sizes[:-1]])).tolist()
        for i, start in zip(group.nodes, starts):
            self.place[i] = start

    def place_of(self, i: int) -> int:
        """Where a node is in its array; a part of a list is so many places behind its start."""
        node = self.nodes[i]
        return self.place[node.args[0]] + node.place if node.op is PART else self.place[i]

    def base_of(self, i: int) -> Array:
        """The array that a node lies in."""
        base = self.home(i).base
        assert base is not None
        return base

    def read(self, nodes: np.ndarray) -> Read:
        """These nodes, all in one array, as places in it."""
        flat = nodes.ravel().tolist()
        places = np.array([self.place_of(i) for i in flat], dtype=np.intp)
        return Read(self.base_of(flat[0]), places.reshape(nodes.shape))

    def runs(self, nodes: list[int]) -> list[Read]:
        """These nodes, as reads of one array each."""
        found: list[list[int]] = []
        for i in nodes:
            if found and self.base_of(found[-1][0]) is self.base_of(i):
                found[-1].append(i)
            else:
                found.append([i])
        return [self.read(np.array(run)) for run in found]

    def statement(self, group: _Group) -> Statement:
        assert group.base is not None
        sums = None
        count = len(group.nodes)
        if group.sizes is not None:
            sums = np.cumsum([0, *group.sizes[:-1]])
        if group.op is DOT:
            products = (
                group.operands[0].size
                if group.grid is None
                else (group.operands[0].size * group.grid[1])
            )
            count = 2 * products + (len(group.operands) > 2) * count - count
        elif group.op in (SUM, MAX):
            count = group.operands[0].size - count
        elif group.op in (LSE, SOFTMAX):
            count = 5 * group.operands[0].size
        reads = [self.read(operand) for operand in group.operands]
        outer = group.grid is not None
        inside = group.op is COPY or self.inside[group.nodes[0]]
        return Statement(
            group.op, reads, group.base, group.start, group.length, sums, outer, count, inside
        )


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


def _join(groups: list[_Group]) -> None:
    """Let these groups be parts of one array."""
    roots = list(dict.fromkeys(group.root() for group in groups))
    for root in roots[1:]:
        root.pool = roots[0]
