"""Represent a scalar graph as data.

A `Program` is a list of nodes, each after its operands, stored as arrays with a column for each
property. `make_program` makes it from a trace. `passes` rewrite it by `replace_nodes` and
`merge_nodes`, and `groups` and `roll` turn it into array statements. `interpret` says what a
program means, and `check_program` states the invariants that every stage relies on. Passes create
nodes with any number of operands besides the operations of the table: see `SUM` and those below it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import exp, log
from typing import Any, NamedTuple

import numpy as np

from ..core import ops
from ..core.columns import mark_operands
from ..core.notation import shortened
from ..core.ops import Op
from ..core.terminal import fitted
from ..core.value import Value
from .trace import Trace


def _make_marker(name: str) -> Op:
    """Return an operation outside the table, which only marks a kind of node."""
    return Op(name, value=lambda: 0.0, partials=lambda out: (), arity=0)


INPUT, PARAM = _make_marker("input"), _make_marker("param")
SUM, MAX, LSE = _make_marker("sum"), _make_marker("max"), _make_marker("logsumexp")
ODDS = _make_marker("log_odds")  # log(Σ exp(xᵢ) / exp(z)): the operands are the xᵢ, then z
# The operands of a DOT are the left factors, the right factors, then at most one summand.
DOT = _make_marker("dot")
SOFTMAX = _make_marker("softmax")  # a list of numbers; a PART is one of them
PART = _make_marker("part")


class Node(NamedTuple):
    """One scalar: its operation, and the indices of its operands.

    `offset` is the index of a leaf's number among those of its kind, or the index of a PART in its
    list.
    """

    op: Op
    args: tuple[int, ...] = ()
    offset: int = -1


def make_node(op: Op, args: tuple[int, ...], offset: int = -1) -> Node:
    """Return `Node(op, args, place)`, in a third of the time: programs have very many nodes."""
    return tuple.__new__(Node, (op, args, offset))


@dataclass(frozen=True)
class Program:
    """A scalar graph as data: one entry of `codes`, `offsets` and `labels` for each node.

    Attributes:
        kinds: the operations that occur.
        codes: the index in `kinds` of each node's operation.
        offsets: `Node.offset` of each node.
        starts: where the operands of each node start in `args`, and at last where they all end.
        args: the indices of all operands. Each node stands after its operands.
        labels: the index in `texts` of each node's label.
        texts: the labels; the first is "".
        outputs: the indices of the nodes that are returned, then of those that `require` tests.
        constants: the numbers of the constants.
        params: the Values that are parameters.
        sizes: for each argument, the count of its numbers.
    """

    kinds: list[Op]
    codes: np.ndarray
    offsets: np.ndarray
    starts: np.ndarray
    args: np.ndarray
    labels: np.ndarray
    texts: list[str]
    outputs: list[int]
    constants: list[float]
    params: list[Value]
    sizes: list[int]

    def computes_as(self, other: Program) -> bool:
        """Return True if another program has the same nodes, outputs and constants."""
        return (
            self.kinds == other.kinds
            and all(map(np.array_equal, self._list_columns(), other._list_columns()))
            and self.outputs == other.outputs
            and bool((number_keys(self.constants) == number_keys(other.constants)).all())
        )

    def _list_columns(self) -> tuple[np.ndarray, ...]:
        return self.codes, self.offsets, self.starts, self.args

    @cached_property
    def nodes(self) -> list[Node]:
        """The nodes one by one."""
        starts, args = self.starts.tolist(), self.args.tolist()
        columns = zip(self.codes.tolist(), starts, starts[1:], self.offsets.tolist())
        return [make_node(self.kinds[c], tuple(args[a:b]), offset) for c, a, b, offset in columns]

    @property
    def arities(self) -> np.ndarray:
        """The number of operands of each node."""
        return np.diff(self.starts)

    @property
    def users(self) -> np.ndarray:
        """For each entry of `args`, the node that has this operand."""
        return np.repeat(np.arange(len(self.codes), dtype=np.int32), self.arities)

    def find(self, *ops: Op) -> np.ndarray:
        """Return a mask of the nodes that have one of these operations."""
        wanted: np.ndarray = np.array([op in ops for op in self.kinds])[self.codes]
        return wanted

    def find_users(self, operands: np.ndarray) -> np.ndarray:
        """Return a mask of the nodes that have an operand in another mask."""
        return np.bincount(self.users[operands[self.args]], minlength=len(self.codes)) > 0

    def list_operands(self, i: int) -> list[int]:
        """Return the operands of a node."""
        operands: list[int] = self.args[self.starts[i] : self.starts[i + 1]].tolist()
        return operands

    def label(self, i: int) -> str:
        """Return the label of a node."""
        return self.texts[int(self.labels[i])]

    @fitted
    def __str__(self) -> str:
        lines = []
        for i, node in enumerate(self.nodes):
            operands = ", ".join(f"v{arg}" for arg in node.args) or str(node.offset)
            label = f"   # {shortened(self.label(i))}" if self.label(i) else ""
            lines.append(f"v{i} = {shortened(node.op.name)}({operands}){label}")
        return "\n".join([*lines, f"return {', '.join(f'v{i}' for i in self.outputs)}"])


def make_program(trace: Trace, params: list[Value]) -> Program:
    """Return the program of a trace; a leaf that is no parameter and no input is a constant."""
    table = trace.table
    kinds = [INPUT, PARAM, ops.constant, *(op for op in table.kinds if op.arity)]
    code_of = {op: code for code, op in enumerate(kinds)}
    codes = np.array([code_of.get(op, 0) for op in table.kinds], dtype=np.int32)[table.codes]
    offsets = np.full(len(codes), -1, dtype=np.int32)
    is_constant = np.diff(table.starts) == 0
    for op, places in ((PARAM, trace.find_places(params)), (INPUT, trace.input_places)):
        there = np.flatnonzero(places >= 0)
        codes[places[there]], offsets[places[there]] = code_of[op], there
        is_constant[places[there]] = False
    codes[is_constant] = code_of[ops.constant]
    constants = table.numbers[is_constant].tolist()
    offsets[is_constant] = np.arange(len(constants))
    return Program(
        *(kinds, codes, offsets, table.starts, table.args, table.labels, table.texts),
        *(trace.find_places(trace.list_computed()).tolist(), constants, params),
        [len(argument) for argument in trace.inputs],
    )


def number_keys(numbers: list[float]) -> np.ndarray:
    """Return integers that are equal where numbers are: -0.0 is not 0.0, and NaN is NaN."""
    found = np.array(numbers, dtype=float)
    found[np.isnan(found)] = np.nan
    return found.view(np.int64)


def change_nodes(program: Program, changed: dict[int, Node]) -> Program:
    """Return the program with other nodes at some indices."""
    at = sorted(changed)
    ordered = [changed[i] for i in at]
    return replace_nodes(
        program,
        np.array(at, dtype=np.int32),
        [node.op for node in ordered],
        np.array([len(node.args) for node in ordered]),
        np.array([arg for node in ordered for arg in node.args], dtype=np.int32),
        np.array([node.offset for node in ordered]),
    )


def replace_nodes(
    program: Program,
    at: np.ndarray,
    ops: list[Op],
    counts: np.ndarray,
    args: np.ndarray,
    offsets: np.ndarray | int = -1,
) -> Program:
    """Return the program with other nodes at some indices, which are given as columns.

    Args:
        program: the program.
        at: the indices, in ascending order.
        ops: the operation of each new node.
        counts: the number of its operands.
        args: the operands of all new nodes.
        offsets: `Node.offset` of each.
    """
    if not len(at):
        return program
    kinds = list(dict.fromkeys([*program.kinds, *ops]))
    code_of = {op: code for code, op in enumerate(kinds)}
    new = np.zeros(len(program.codes), dtype=bool)
    new[at] = True
    codes, changed, arities = program.codes.copy(), program.offsets.copy(), program.arities
    kept = program.args[np.repeat(~new, arities)]
    codes[at], changed[at], arities[at] = [code_of[op] for op in ops], offsets, counts
    starts = add_up(arities)
    every, mine = np.empty(starts[-1], dtype=np.int32), np.repeat(new, arities)
    every[mine], every[~mine] = args, kept
    return replace(program, kinds=kinds, codes=codes, offsets=changed, starts=starts, args=every)


def add_up(counts: np.ndarray) -> np.ndarray:
    """Return where each of several lists starts if they stand one after the other, and the end.

    >>> add_up(np.array([2, 0, 3]))
    array([0, 2, 2, 5], dtype=int32)
    """
    found = np.zeros(len(counts) + 1, dtype=np.int32)
    np.cumsum(counts, out=found[1:])
    return found


def merge_nodes(program: Program, targets: np.ndarray, kept: np.ndarray | None = None) -> Program:
    """Return the program with node `targets[i]` in place of node i, and without those not `kept`.

    A node without a label gets the first label of those that are merged into it.
    """
    while not np.array_equal(merged := targets[targets], targets):
        targets = merged  # a node was merged into one that was merged itself
    kept = targets == np.arange(len(targets)) if kept is None else kept
    if kept.all():
        return program
    new = (np.cumsum(kept, dtype=np.int32) - 1)[targets]
    arities = program.arities
    labelled = np.flatnonzero(program.labels * kept[targets])[::-1]  # the first is written last
    labels = np.zeros(np.count_nonzero(kept), dtype=np.int32)
    labels[new[labelled]] = program.labels[labelled]
    return replace(
        program,
        codes=program.codes[kept],
        offsets=program.offsets[kept],
        starts=add_up(arities[kept]),
        args=new[program.args[np.repeat(kept, arities)]],
        labels=labels,
        outputs=new[program.outputs].tolist(),
    )


def find_used(program: Program, outputs: list[int]) -> np.ndarray:
    """Return a mask of the nodes that one of `outputs` depends on."""
    found = np.zeros(len(program.codes), dtype=bool)
    found[outputs] = True
    mark_operands(program.starts, program.args, found)
    return found


def interpret(program: Program, inputs: Sequence[float], params: Sequence[float]) -> list[float]:
    """Compute the outputs of a program for one row, one node after the other.

    This is what a program means. It is not used to compute anything, for it is slow and makes no
    step against overflow: tests hold every pass, and the code that is generated, against it.

    Args:
        program: the program.
        inputs: the numbers of the row, those of all arguments one after the other.
        params: the numbers of the parameters.

    >>> import numpy as np
    >>> from autograd.compiler.trace import record_trace
    >>> program = make_program(record_trace(lambda x: x * x + 1.0, [np.array(3.0)]), [])
    >>> interpret(program, [3.0], [])
    [10.0]
    """
    found: list[Any] = []
    leaves = {INPUT: inputs, PARAM: params, ops.constant: program.constants}
    for node in program.nodes:
        if node.op in leaves:
            found.append(leaves[node.op][node.offset])
        else:
            operands = [found[arg] for arg in node.args]
            meaning = MEANINGS.get(node.op, node.op.value)
            found.append(operands[0][node.offset] if node.op is PART else meaning(*operands))
    return [found[i] for i in program.outputs]


def _compute_dot(*operands: float) -> float:
    half = len(operands) // 2
    lefts, rights, rest = operands[:half], operands[half : 2 * half], operands[2 * half :]
    return sum([a * b for a, b in zip(lefts, rights)]) + sum(rest)


def _compute_log_sum_exp(*operands: float) -> float:
    return log(sum(map(exp, operands)))


MEANINGS: dict[Op, Callable[..., Any]] = {
    SUM: lambda *operands: sum(operands),
    MAX: max,
    DOT: _compute_dot,
    LSE: _compute_log_sum_exp,
    ODDS: lambda *operands: _compute_log_sum_exp(*operands[:-1]) - operands[-1],
    SOFTMAX: lambda *operands: [exp(x) / sum(map(exp, operands)) for x in operands],
}


# ---------------------------------------------------------------------- invariants


def check_program(program: Program) -> Program:
    """Return the program if it keeps the invariants that passes and later stages rely on.

    Raises:
        AssertionError: a node stands before one of its operands, has a wrong number of operands,
            or refers to a number, parameter, input or part that does not exist; or an output is
            not the index of a scalar node.
    """
    count = len(program.nodes)
    counts = {
        INPUT: sum(program.sizes),
        PARAM: len(program.params),
        ops.constant: len(program.constants),
    }
    for i, node in enumerate(program.nodes):
        assert all(0 <= arg < i for arg in node.args), f"v{i} stands before an operand"
        for arg in node.args:
            assert node.op is PART or program.nodes[arg].op is not SOFTMAX, f"v{i} reads a list"
        if node.op in counts:
            assert 0 <= node.offset < counts[node.op], f"v{i} has no number"
        elif node.op is PART:
            (source,) = node.args
            assert program.nodes[source].op is SOFTMAX, f"v{i} is no part"
            assert 0 <= node.offset < len(program.nodes[source].args), f"v{i} is no part"
        elif node.op in (SUM, MAX, LSE, ODDS, SOFTMAX, DOT):
            assert len(node.args) > (node.op is not SOFTMAX), f"v{i} has too few operands"
        else:
            assert node.op.accepts(len(node.args)), f"v{i} has not {node.op.arity} operands"
    assert all(0 <= i < count for i in program.outputs), "an output is not there"
    assert all(program.nodes[i].op is not SOFTMAX for i in program.outputs), "an output is a list"
    return program
