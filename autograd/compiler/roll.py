"""Store groups of scalars in arrays, and turn each group into an array statement.

`stages` calls `build_array_program`; `emit` writes the result as source. Each operand of a
statement must read from a single array, so that one slice reads it. If its scalars are in several
arrays, these arrays are joined into one. Leaves cannot move, so they are copied into it:

    operand of a sum      v0  v3  v7  v8
    arrays before         x: v4 v0        mul: v3 v7        exp: v8
    arrays after          x: v4 v0        v: (copy of v0) v8 v3 v7
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..core import ops
from ..core.ops import Op
from .arrays import Array, ArrayProgram, Read, Statement, name_results
from .groups import Group
from .names import Names, find_common_name
from .program import DOT, INPUT, LSE, MAX, ODDS, PARAM, PART, SOFTMAX, SUM, Node, Program


def build_array_program(program: Program, groups: list[Group]) -> ArrayProgram:
    """Return the program as array statements: one for each group, and some that copy."""
    return _Layout(program).build(groups)


class _Layout:
    """The arrays of a program, while they are chosen and filled.

    Attributes:
        nodes: the nodes of the program, and then the copies of some.
        group_of: for each node, the group that computes it.
        index: for each node, its index in its array.
        names: the names of arrays.
        lengths: the length of each array, by the group that represents it.
        filled: how many elements of each array are assigned so far.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.nodes = list(program.nodes)
        self.group_of: list[Group | None] = [None] * len(self.nodes)
        self.index: list[int] = [node.offset for node in self.nodes]
        self.names = Names()
        self.lengths: dict[Group, int] = {}
        self.filled: dict[Array, int] = {}

    def build(self, groups: list[Group]) -> ArrayProgram:
        """Choose the arrays, fill them group by group, and return the statements."""
        leaves = self.place_leaves()
        self.note_groups(groups)
        groups = self.add_copies(groups)
        for group in groups:
            root = group.find_root()
            self.lengths[root] = self.lengths.get(root, 0) + group.length
        for group in groups:
            self.arrange(group)
            self.assign_elements(group)
        statements = [self.make_statement(group) for group in groups]
        outputs = self.make_reads(self.program.outputs)
        numbers = np.array(self.program.constants, dtype=float)
        labelled = np.flatnonzero(self.program.find(PARAM) & (self.program.labels > 0)).tolist()
        labels = {self.nodes[i].offset: self.program.label(i) for i in labelled}
        return ArrayProgram(statements, *leaves, numbers, outputs, labels)

    # ------------------------------------------------------------------ leaves

    def place_leaves(self) -> tuple[list[Array], Array, Array]:
        """Return the arrays of the arguments, of the parameters and of the constants."""
        program = self.program
        starts = np.cumsum([0, *program.sizes])
        members: list[list[int]] = [[] for _ in program.sizes]
        leaf_groups: dict[Op, Group] = {}
        for op, name, size in (
            (PARAM, "theta", len(program.params)),
            (ops.constant, "constants", len(program.constants)),
        ):
            leaf_groups[op] = Group(op, [], False, [], array=Array(name, size, False))
        inputs = [Group(INPUT, [], True, []) for _ in program.sizes]
        for i, node in enumerate(program.nodes):
            if node.op is INPUT:
                argument = int(np.searchsorted(starts, node.offset, side="right")) - 1
                members[argument].append(i)
                self.index[i] = node.offset - int(starts[argument])
                self.group_of[i] = inputs[argument]
            elif node.op in leaf_groups:
                self.group_of[i] = leaf_groups[node.op]
        for k, (group, nodes) in enumerate(zip(inputs, members)):
            group.array = Array(self.make_name(nodes, f"x{k}"), program.sizes[k], True)
        theta = leaf_groups[PARAM].array
        constants = leaf_groups[ops.constant].array
        assert theta is not None and constants is not None
        return [group.array for group in inputs if group.array], theta, constants

    def make_name(self, nodes: Iterable[int], default: str) -> str:
        """Return a free name for an array: the common beginning of its nodes' labels."""
        labels = [self.program.label(i) for i in nodes]
        return self.names.reserve(find_common_name(labels) or default)

    # ------------------------------------------------------------------ one array for each operand

    def note_groups(self, groups: list[Group]) -> None:
        """Record which group computes each node."""
        for group in groups:
            for i in group.nodes:
                self.group_of[i] = group
        for i, node in enumerate(self.nodes):
            if node.op is PART:
                self.group_of[i] = self.group_of[node.args[0]]

    def add_copies(self, groups: list[Group]) -> list[Group]:
        """Make each operand come from one array, by copies and by joining arrays.

        Return all groups in order: copies come after the group they copy, and copies of leaves
        first.
        """
        copies: dict[tuple[Group, bool], Group] = {}
        known: dict[tuple[int, bool], int] = {}
        for group in groups:
            for k, operand in enumerate(group.operands):
                flat = operand.ravel().tolist()
                sources = dict.fromkeys(self.find_group(i) for i in flat)
                if len(sources) > 1:
                    batched = any(source.batched for source in sources)
                    joined = [self.find_copy(i, batched, copies, known) for i in flat]
                    group.operands[k] = np.array(joined).reshape(operand.shape)
                    _join([self.find_group(i) for i in dict.fromkeys(joined)])
        for group in copies.values():
            group.operands = [np.array([self.nodes[i].args[0] for i in group.nodes])]
        after: dict[Group, list[Group]] = {}
        for (source, _), group in copies.items():
            after.setdefault(source, []).append(group)
        leaves = [source for source in after if source.array is not None]
        ordered = [copy for source in leaves for copy in after[source]]
        for group in groups:
            ordered.extend([group, *after.get(group, [])])
        return ordered

    def find_group(self, i: int) -> Group:
        """Return the group that computes a node."""
        group = self.group_of[i]
        assert group is not None
        return group

    def find_copy(
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
        source = self.find_group(i)
        if source.array is None and source.batched == batched:
            return i
        if (i, batched) not in known:
            known[i, batched] = len(self.nodes)
            group = copies.setdefault((source, batched), Group(ops.copy, [], batched, []))
            group.nodes.append(len(self.nodes))
            self.nodes.append(Node(ops.copy, (i,)))
            self.index.append(-1)
            self.group_of.append(group)
        return known[i, batched]

    # ------------------------------------------------------------------ indices

    def arrange(self, group: Group) -> None:
        """Sort the nodes of a group by the indices of an operand, so that a slice reads it."""
        if group.grid is not None:
            self.arrange_product(group, group.grid)
        elif group.sizes is None:
            for operand in group.operands:
                order = self.find_order(operand)
                if order is not None:
                    group.nodes = [group.nodes[i] for i in order.tolist()]
                    group.operands = [one[order] for one in group.operands]
                    return

    def arrange_product(self, group: Group, grid: tuple[int, int]) -> None:
        """Sort the two lists of a matrix product, or of a look-up of rows, by their indices."""
        nodes = np.array(group.nodes).reshape(grid)
        for axis in (0, 1):
            order = self.find_order(group.operands[axis])
            if order is not None:
                group.operands[axis] = group.operands[axis][order]
                nodes = nodes.take(order, axis=axis)
                group.operands[2:] = [other.take(order, axis=axis) for other in group.operands[2:]]
        group.nodes = nodes.ravel().tolist()

    def find_order(self, operand: np.ndarray) -> np.ndarray | None:
        """Return the order of operands, or lists of them, in their array; None if two coincide."""
        first = operand.reshape(len(operand), -1)[:, 0].tolist()
        indices = np.array([self.find_index(i) for i in first])
        return np.argsort(indices) if len(np.unique(indices)) == len(indices) else None

    def assign_elements(self, group: Group) -> None:
        """Assign the nodes of a group to the next elements of their array."""
        if group.array is None:
            root = group.find_root()
            if root.array is None:
                size = self.lengths[root]
                whole = size == group.length
                if whole:
                    name = self.make_name(group.nodes, name_results(group.op))
                else:
                    name = self.names.reserve("v")
                root.array = Array(name, size, group.batched, whole)
            group.array = root.array
        group.start = self.filled.get(group.array, 0)
        self.filled[group.array] = group.start + group.length
        starts = range(group.start, group.start + len(group.nodes))
        if group.op is SOFTMAX:
            sizes = group.sizes
            if sizes is None:
                sizes = np.full(len(group.nodes), group.operands[0].shape[1])
            starts = (group.start + np.cumsum([0, *sizes[:-1]])).tolist()
        for i, start in zip(group.nodes, starts):
            self.index[i] = start

    def find_index(self, i: int) -> int:
        """Return the index of a node in its array; for a part, counted from its list's start."""
        node = self.nodes[i]
        return self.index[node.args[0]] + node.offset if node.op is PART else self.index[i]

    def find_array(self, i: int) -> Array:
        """Return the array that holds a node."""
        array = self.find_group(i).array
        assert array is not None
        return array

    def make_read(self, nodes: np.ndarray) -> Read:
        """Return the read of these nodes, which must be in one array."""
        flat = nodes.ravel().tolist()
        indices = np.array([self.find_index(i) for i in flat], dtype=np.intp)
        return Read(self.find_array(flat[0]), indices.reshape(nodes.shape))

    def make_reads(self, nodes: list[int]) -> list[Read]:
        """Split these nodes into reads of one array each, and keep their order."""
        found: list[list[int]] = []
        for i in nodes:
            if found and self.find_array(found[-1][0]) is self.find_array(i):
                found[-1].append(i)
            else:
                found.append([i])
        return [self.make_read(np.array(run)) for run in found]

    def make_statement(self, group: Group) -> Statement:
        """Return the statement that computes a group."""
        assert group.array is not None
        reads = [self.make_read(operand) for operand in group.operands]
        return Statement(
            group.op,
            *(reads, group.array, group.start, group.length),
            list_starts=None if group.sizes is None else np.cumsum([0, *group.sizes[:-1]]),
            matrix_product=group.op is DOT and group.grid is not None,
            scalar_count=_count_scalars(group),
            reaches_cost=group.reaches_cost,
        )


def _count_scalars(group: Group) -> int:
    """Return the number of scalar operations that a group replaces."""
    results, operands = len(group.nodes), group.operands[0].size
    if group.op is DOT:
        products = operands if group.grid is None else operands * group.grid[1]
        return 2 * products + (len(group.operands) > 2) * results - results
    if group.op in (SUM, MAX):
        return operands - results
    return 5 * operands if group.op in (LSE, ODDS, SOFTMAX) else results


def _join(groups: list[Group]) -> None:
    """Store these groups in one array."""
    roots = list(dict.fromkeys(group.find_root() for group in groups))
    for root in roots[1:]:
        root.joined_to = roots[0]
