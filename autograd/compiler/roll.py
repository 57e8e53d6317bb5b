"""Store groups of scalars in arrays, and turn each group into an array statement.

`stages` calls `build_array_program`; `emit` writes the result as source. Each operand of a
statement must read from a single array, so that one slice reads it. If its scalars are in several
arrays, these arrays are joined into one. Leaves cannot move, so they are copied into it:

    operand of a sum      v0  v3  v7  v8
    arrays before         x: v4 v0        mul: v3 v7        exp: v8
    arrays after          x: v4 v0        v: (copy of v0) v8 v3 v7
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from ..core import ops
from ..core.ops import Op
from .arrays import Array, ArrayProgram, Read, Statement, find_distinct, name_results
from .groups import Group
from .names import Names, find_common_name
from .program import DOT, INPUT, LSE, MAX, ODDS, PARAM, PART, SOFTMAX, SUM, Program, add_up


def build_array_program(program: Program, groups: list[Group]) -> ArrayProgram:
    """Return the program as array statements: one for each group, and some that copy."""
    return _Layout(program).build(groups)


class _Layout:
    """The arrays of a program, while they are chosen and filled.

    Attributes:
        groups: the groups of leaves, then those of other nodes, then those of copies.
        group_of: for each node, and then for each copy, the index of its group.
        source: for each of them, the node itself, or the list that it is a PART of.
        shift: the index of a PART in its list; 0 for all others.
        index: the index in its array.
        count: the number of nodes and copies.
        names: the names of arrays.
        lengths: the length of each array, by the group that represents it.
        filled: how many elements of each array are assigned so far.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.groups: list[Group] = []
        self.group_of = np.zeros(len(program.codes), dtype=np.int32)
        self.source = np.arange(len(program.codes), dtype=np.int32)
        self.shift = np.zeros_like(self.source)
        self.index = program.offsets.copy()
        self.count = len(program.codes)
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
        return ArrayProgram(statements, *leaves, numbers, outputs, self.list_labels())

    # ------------------------------------------------------------------ leaves

    def place_leaves(self) -> tuple[list[Array], Array, Array]:
        """Return the arrays of the arguments, of the parameters and of the constants."""
        program = self.program
        for op, name, size in (
            (PARAM, "theta", len(program.params)),
            (ops.constant, "constants", len(program.constants)),
        ):
            self.add_leaves(op, np.flatnonzero(program.find(op)), Array(name, size, False))
        inputs = np.flatnonzero(program.find(INPUT))
        starts = add_up(np.array(program.sizes, dtype=np.int32))
        arguments = np.searchsorted(starts, program.offsets[inputs], side="right") - 1
        self.index[inputs] -= starts[arguments]
        for k, size in enumerate(program.sizes):
            nodes = inputs[arguments == k]
            self.add_leaves(INPUT, nodes, Array(self.make_name(nodes, f"x{k}"), size, True))
        theta, constants, *others = [group.array for group in self.groups if group.array]
        return others, theta, constants

    def add_leaves(self, op: Op, nodes: np.ndarray, array: Array) -> None:
        """Record that an array holds these leaves."""
        self.group_of[nodes] = len(self.groups)
        self.groups.append(Group(op, nodes, array.batched, [], array=array))

    def make_name(self, nodes: np.ndarray, default: str) -> str:
        """Return a free name for an array: the common beginning of its nodes' labels."""
        labels = [self.program.texts[k] for k in find_distinct(self.program.labels[nodes]).tolist()]
        return self.names.reserve(find_common_name(labels) or default)

    def list_labels(self) -> list[str]:
        """Return the labels of the parameters."""
        program = self.program
        found = np.zeros(len(program.params), dtype=np.int32)
        params = program.find(PARAM)
        found[program.offsets[params]] = program.labels[params]
        return [program.texts[k] for k in found.tolist()]

    # ------------------------------------------------------------------ one array for each operand

    def note_groups(self, groups: list[Group]) -> None:
        """Record which group computes each node."""
        for group in groups:
            self.group_of[group.nodes] = len(self.groups)
            self.groups.append(group)
        parts = np.flatnonzero(self.program.find(PART))
        self.source[parts] = self.program.args[self.program.starts[parts]]
        self.shift[parts] = self.program.offsets[parts]
        self.group_of[parts] = self.group_of[self.source[parts]]

    def add_copies(self, groups: list[Group]) -> list[Group]:
        """Make each operand come from one array, by copies and by joining arrays.

        Return all groups in order: copies come after the group they copy, and copies of leaves
        first.
        """
        copies: dict[tuple[int, bool], _Copies] = {}
        for group in groups:
            for k, operand in enumerate(group.operands):
                found = self.group_of[operand]
                if (found != found.flat[0]).any():
                    group.operands[k] = self.bring_together(operand, found, copies)
        self.note_copies([made.finish() for made in copies.values()])
        after: dict[Group, list[Group]] = {}
        for (source, _), made in copies.items():
            after.setdefault(self.groups[source], []).append(made.group)
        leaves = [source for source in after if source.array is not None]
        ordered = [copy for source in leaves for copy in after[source]]
        for group in groups:
            ordered.extend([group, *after.get(group, [])])
        return ordered

    def bring_together(
        self, operand: np.ndarray, found: np.ndarray, copies: dict[tuple[int, bool], _Copies]
    ) -> np.ndarray:
        """Return nodes that can be stored in one array, in place of those of an operand.

        A copy is needed for a leaf, whose array is fixed, and for a node that is not batched but is
        read with others that are.
        """
        sources = list(dict.fromkeys(found.ravel().tolist()))
        batched = any(self.groups[source].batched for source in sources)
        joined, operand = [], operand.copy()
        for source in sources:
            group = self.groups[source]
            if group.array is not None or group.batched != batched:
                made = copies.setdefault((source, batched), _Copies.empty(batched))
                here = operand[found == source].tolist()
                for i in here:
                    self.count += i not in made.of
                    made.of.setdefault(i, self.count - 1)
                operand[found == source] = [made.of[i] for i in here]
                group = made.group
            joined.append(group)
        _join(joined)
        return operand

    def note_copies(self, groups: list[Group]) -> None:
        """Record which group makes each copy."""
        copies = np.arange(len(self.group_of), self.count, dtype=np.int32)
        self.group_of = np.append(self.group_of, copies)
        self.source = np.append(self.source, copies)
        self.shift = np.append(self.shift, np.zeros_like(copies))
        self.index = np.append(self.index, np.zeros_like(copies))
        for group in groups:
            self.group_of[group.nodes] = len(self.groups)
            self.groups.append(group)

    # ------------------------------------------------------------------ indices

    def arrange(self, group: Group) -> None:
        """Sort the nodes of a group by the indices of an operand, so that a slice reads it."""
        if group.grid is not None:
            self.arrange_product(group, group.grid)
        elif group.sizes is None:
            for operand in group.operands:
                order = self.find_order(operand)
                if order is not None:
                    group.nodes = group.nodes[order]
                    group.operands = [one[order] for one in group.operands]
                    return

    def arrange_product(self, group: Group, grid: tuple[int, int]) -> None:
        """Sort the two lists of a matrix product, or of a look-up of rows, by their indices."""
        nodes = group.nodes.reshape(grid)
        for axis in (0, 1):
            order = self.find_order(group.operands[axis])
            if order is not None:
                group.operands[axis] = group.operands[axis][order]
                nodes = nodes.take(order, axis=axis)
                group.operands[2:] = [other.take(order, axis=axis) for other in group.operands[2:]]
        group.nodes = nodes.ravel()

    def find_order(self, operand: np.ndarray) -> np.ndarray | None:
        """Return the order of operands, or lists of them, in their array; None if two coincide."""
        indices = self.find_indices(operand.reshape(len(operand), -1)[:, 0])
        order = np.argsort(indices)
        return order if np.diff(indices[order]).all() else None

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
        places = np.arange(len(group.nodes))
        if group.op is SOFTMAX:
            sizes = group.sizes
            if sizes is None:
                sizes = np.full(len(group.nodes), group.operands[0].shape[1])
            places = add_up(sizes)[:-1]
        self.index[group.nodes] = group.start + places

    def find_indices(self, nodes: np.ndarray) -> np.ndarray:
        """Return the index of each node in its array; for a part, counted from its list's start."""
        found: np.ndarray = self.index[self.source[nodes]] + self.shift[nodes]
        return found

    def find_array(self, i: int) -> Array:
        """Return the array that holds a node."""
        array = self.groups[int(self.group_of[i])].array
        assert array is not None
        return array

    def make_read(self, nodes: np.ndarray) -> Read:
        """Return the read of these nodes, which must be in one array."""
        return Read(self.find_array(nodes.flat[0]), self.find_indices(nodes).astype(np.intp))

    def make_reads(self, nodes: list[int]) -> list[Read]:
        """Split these nodes into reads of one array each, and keep their order."""
        runs = itertools.groupby(nodes, key=lambda i: id(self.find_array(i)))
        return [self.make_read(np.array(list(run))) for _, run in runs]

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


@dataclass
class _Copies:
    """The copies of nodes of one group.

    Attributes:
        group: the group of the copies.
        of: the copy of each node.
    """

    group: Group
    of: dict[int, int]

    @classmethod
    def empty(cls, batched: bool) -> _Copies:
        """Return no copies yet."""
        return cls(Group(ops.copy, np.zeros(0, dtype=np.int32), batched, []), {})

    def finish(self) -> Group:
        """Return the group with all copies."""
        self.group.nodes = np.array(list(self.of.values()))
        self.group.operands = [np.array(list(self.of))]
        return self.group


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
