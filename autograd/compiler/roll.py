"""Groups of scalars to arrays: where each lies, and what each statement reads.

What one operand is taken from together lies in one array, so that taking is one step: arrays are
joined to a larger one, and leaves are copied beside what they are read with.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..core import ops
from ..core.ops import Op
from .arrays import Array, Read, Rolled, Statement, own_name
from .groups import Group
from .names import Names, common_name
from .program import DOT, INPUT, LSE, MAX, ODDS, PARAM, PART, SOFTMAX, SUM, Node, Program


def rolled(program: Program, groups: list[Group]) -> Rolled:
    """The program as array statements, one for each group, and for copies where they are due."""
    return _Layout(program).rolled(groups)


class _Layout:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.nodes = list(program.nodes)  # and copies, which are added
        self.group_of: list[Group | None] = [None] * len(self.nodes)
        self.place: list[int] = [node.place for node in self.nodes]
        self.names = Names()
        self.lengths: dict[Group, int] = {}  # of the arrays, by the group that stands for each
        self.filled: dict[Array, int] = {}

    def rolled(self, groups: list[Group]) -> Rolled:
        leaves = self.leaves()
        self.note_homes(groups)
        groups = self.with_copies(groups)
        for group in groups:
            root = group.root()
            self.lengths[root] = self.lengths.get(root, 0) + group.length
        for group in groups:
            self.arrange(group)
            self.put(group)
        statements = [self.statement(group) for group in groups]
        outputs = self.runs(self.program.outputs)
        numbers = np.array(self.program.constants, dtype=float)
        labels = {
            node.place: self.program.labels[i]
            for i, node in enumerate(self.program.nodes)
            if node.op is PARAM and i in self.program.labels
        }
        return Rolled(statements, *leaves, numbers, outputs, labels)

    # ------------------------------------------------------------------ leaves

    def leaves(self) -> tuple[list[Array], Array, Array]:
        """The arrays of the arguments, of the parameters and of the constants."""
        program = self.program
        starts = np.cumsum([0, *program.sizes])
        members: list[list[int]] = [[] for _ in program.sizes]
        homes: dict[Op, Group] = {}
        for op, name, size in (
            (PARAM, "theta", len(program.params)),
            (ops.constant, "constants", len(program.constants)),
        ):
            homes[op] = Group(op, [], False, [], base=Array(name, size, False))
        inputs = [Group(INPUT, [], True, []) for _ in program.sizes]
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
        return [group.base for group in inputs if group.base], theta, constants

    def named(self, nodes: Iterable[int], default: str) -> str:
        """What the labels of these nodes have in common, as a name that is still free."""
        labels = [self.program.labels.get(i, "") for i in nodes]
        return self.names.free(common_name(labels) or default)

    # ------------------------------------------------------------------ one array for each operand

    def note_homes(self, groups: list[Group]) -> None:
        """Remember which group makes each node."""
        for group in groups:
            for i in group.nodes:
                self.group_of[i] = group
        for i, node in enumerate(self.nodes):
            if node.op is PART:
                self.group_of[i] = self.group_of[node.args[0]]

    def with_copies(self, groups: list[Group]) -> list[Group]:
        """Make each operand of a group come from one array: with copies, and by joining arrays."""
        copies: dict[tuple[Group, bool], Group] = {}
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
        after: dict[Group, list[Group]] = {}
        for (home, _), group in copies.items():
            after.setdefault(home, []).append(group)
        ordered = [copy for home in after if home.base is not None for copy in after[home]]
        for group in groups:
            ordered.extend([group, *after.get(group, [])])
        return ordered

    def home(self, i: int) -> Group:
        """The group that makes a node."""
        group = self.group_of[i]
        assert group is not None
        return group

    def copied(
        self,
        i: int,
        batched: bool,
        copies: dict[tuple[Group, bool], Group],
        known: dict[tuple[int, bool], int],
    ) -> int:
        """A node that can lie in an array with others: itself, or a copy of it."""
        home = self.home(i)
        if home.base is None and home.batched == batched:
            return i
        if (i, batched) not in known:
            known[i, batched] = len(self.nodes)
            group = copies.setdefault((home, batched), Group(ops.copy, [], batched, []))
            group.nodes.append(len(self.nodes))
            self.nodes.append(Node(ops.copy, (i,)))
            self.place.append(-1)
            self.group_of.append(group)
        return known[i, batched]

    # ------------------------------------------------------------------ places

    def arrange(self, group: Group) -> None:
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

    def arrange_product(self, group: Group, grid: tuple[int, int]) -> None:
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

    def put(self, group: Group) -> None:
        """Give the nodes of a group their places in an array."""
        if group.base is None:
            root = group.root()
            if root.base is None:
                size = self.lengths[root]
                whole = size == group.length
                name = (
                    self.named(group.nodes, own_name(group.op)) if whole else self.names.free("v")
                )
                root.base = Array(name, size, group.batched, whole)
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

    def statement(self, group: Group) -> Statement:
        assert group.base is not None
        reads = [self.read(operand) for operand in group.operands]
        return Statement(
            group.op,
            *(reads, group.base, group.start, group.length),
            sums=None if group.sizes is None else np.cumsum([0, *group.sizes[:-1]]),
            outer=group.grid is not None,
            count=_count(group),
            inside=group.inside,
        )


def _count(group: Group) -> int:
    """How many scalar operations a group stands for."""
    made, taken = len(group.nodes), group.operands[0].size
    if group.op is DOT:
        products = taken if group.grid is None else taken * group.grid[1]
        return 2 * products + (len(group.operands) > 2) * made - made
    if group.op in (SUM, MAX):
        return taken - made
    return 5 * taken if group.op in (LSE, ODDS, SOFTMAX) else made


def _join(groups: list[Group]) -> None:
    """Let these groups be parts of one array."""
    roots = list(dict.fromkeys(group.root() for group in groups))
    for root in roots[1:]:
        root.pool = roots[0]
