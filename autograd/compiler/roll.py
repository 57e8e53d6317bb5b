"""Store groups of scalars in arrays, and turn each group into an array statement.

`compiled` calls `rolled`; `emit` writes the result as source. Each operand of a statement must read
from a single array, so that one slice reads it. If its scalars are in several arrays, these arrays
are joined into one. Leaves cannot move, so they are copied into it:

    operand of a sum      v0  v3  v7  v8
    arrays before         x: v4 v0        mul: v3 v7        exp: v8
    arrays after          x: v4 v0        v: (copy of v0) v8 v3 v7
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
    """Return the program as array statements: one for each group, and some that copy."""
    return _Layout(program).rolled(groups)


class _Layout:
    """The arrays of a program, while they are chosen and filled.

    Attributes:
        nodes: the nodes of the program, and then the copies of some.
        group_of: for each node, the group that computes it.
        place: for each node, its index in its array.
        names: the names of arrays.
        lengths: the length of each array, by the group that represents it.
        filled: how many elements of each array are assigned so far.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.nodes = list(program.nodes)
        self.group_of: list[Group | None] = [None] * len(self.nodes)
        self.place: list[int] = [node.place for node in self.nodes]
        self.names = Names()
        self.lengths: dict[Group, int] = {}
        self.filled: dict[Array, int] = {}

    def rolled(self, groups: list[Group]) -> Rolled:
        """Choose the arrays, fill them group by group, and return the statements."""
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
        """Return the arrays of the arguments, of the parameters and of the constants."""
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
        """Return a free name for an array: the common beginning of its nodes' labels."""
        labels = [self.program.labels.get(i, "") for i in nodes]
        return self.names.free(common_name(labels) or default)

    # ------------------------------------------------------------------ one array for each operand

    def note_homes(self, groups: list[Group]) -> None:
        """Record which group computes each node."""
        for group in groups:
            for i in group.nodes:
                self.group_of[i] = group
        for i, node in enumerate(self.nodes):
            if node.op is PART:
                self.group_of[i] = self.group_of[node.args[0]]

    def with_copies(self, groups: list[Group]) -> list[Group]:
        """Make each operand come from one array, by copies and by joining arrays.

        Return all groups in order: copies come after the group they copy, and copies of leaves
        first.
        """
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
        """Return the group that computes a node."""
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
        """Return a node that can be stored with others: itself, or a copy.

        A copy is needed for a leaf, whose array is fixed, and for a node that is not batched but
        is read with others that are.
        """
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
        """Sort the nodes of a group by the indices of an operand, so that a slice reads it."""
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
        """Sort the left lists and the right lists of a matrix product by their indices."""
        nodes = np.array(group.nodes).reshape(grid)
        for axis in (0, 1):
            order = self.order(group.operands[axis])
            if order is not None:
                group.operands[axis] = group.operands[axis][order]
                nodes = nodes.take(order, axis=axis)
                group.operands[2:] = [other.take(order, axis=axis) for other in group.operands[2:]]
        group.nodes = nodes.ravel().tolist()

    def order(self, operand: np.ndarray) -> np.ndarray | None:
        """Return the order of operands, or lists of them, in their array; None if two coincide."""
        first = operand.reshape(len(operand), -1)[:, 0].tolist()
        places = np.array([self.place_of(i) for i in first])
        return np.argsort(places) if len(np.unique(places)) == len(places) else None

    def put(self, group: Group) -> None:
        """Assign the nodes of a group to the next elements of their array."""
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
        """Return the index of a node in its array; for a part, counted from its list's start."""
        node = self.nodes[i]
        return self.place[node.args[0]] + node.place if node.op is PART else self.place[i]

    def base_of(self, i: int) -> Array:
        """Return the array that holds a node."""
        base = self.home(i).base
        assert base is not None
        return base

    def read(self, nodes: np.ndarray) -> Read:
        """Return the read of these nodes, which must be in one array."""
        flat = nodes.ravel().tolist()
        places = np.array([self.place_of(i) for i in flat], dtype=np.intp)
        return Read(self.base_of(flat[0]), places.reshape(nodes.shape))

    def runs(self, nodes: list[int]) -> list[Read]:
        """Split these nodes into reads of one array each, and keep their order."""
        found: list[list[int]] = []
        for i in nodes:
            if found and self.base_of(found[-1][0]) is self.base_of(i):
                found[-1].append(i)
            else:
                found.append([i])
        return [self.read(np.array(run)) for run in found]

    def statement(self, group: Group) -> Statement:
        """Return the statement that computes a group."""
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
    """Return the number of scalar operations that a group replaces."""
    made, taken = len(group.nodes), group.operands[0].size
    if group.op is DOT:
        products = taken if group.grid is None else taken * group.grid[1]
        return 2 * products + (len(group.operands) > 2) * made - made
    if group.op in (SUM, MAX):
        return taken - made
    return 5 * taken if group.op in (LSE, ODDS, SOFTMAX) else made


def _join(groups: list[Group]) -> None:
    """Store these groups in one array."""
    roots = list(dict.fromkeys(group.root() for group in groups))
    for root in roots[1:]:
        root.pool = roots[0]
