"""Represent a scalar graph as data.

A `Program` is a list of nodes, each after its operands. `make_program` makes it from a trace,
`passes` rewrite it, and `groups` and `roll` turn it into array statements. `interpret` says what a
program means, and `check_program` states the invariants that every stage relies on. Passes create
nodes with any number of operands besides the operations of the table: see `SUM` and those below it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import exp, log
from typing import Any, NamedTuple

from ..core import ops
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
    """A scalar graph as data.

    Attributes:
        nodes: the nodes, each after its operands.
        outputs: the indices of the nodes that are returned, then of those that `require` tests.
        constants: the numbers of the constants.
        params: the Values that are parameters.
        labels: the labels of nodes that have one, by index.
        sizes: for each argument, the count of its numbers.
    """

    nodes: list[Node]
    outputs: list[int]
    constants: list[float]
    params: list[Value]
    sizes: list[int]
    labels: dict[int, str] = field(default_factory=dict)

    def computes_as(self, other: Program) -> bool:
        """Return True if another program has the same nodes, outputs and constants."""
        return (
            self.nodes == other.nodes
            and self.outputs == other.outputs
            and list(map(repr, self.constants)) == list(map(repr, other.constants))
        )

    @fitted
    def __str__(self) -> str:
        lines = []
        for i, node in enumerate(self.nodes):
            operands = ", ".join(f"v{arg}" for arg in node.args) or str(node.offset)
            label = f"   # {shortened(self.labels[i])}" if i in self.labels else ""
            lines.append(f"v{i} = {shortened(node.op.name)}({operands}){label}")
        return "\n".join([*lines, f"return {', '.join(f'v{i}' for i in self.outputs)}"])


def make_program(trace: Trace, params: list[Value]) -> Program:
    """Return the program of a trace; a leaf that is no parameter and no input is a constant."""
    nodes: list[Node] = []
    index: dict[Value, int] = {}
    constants: list[float] = []
    labels: dict[int, str] = {}
    inputs = [leaf for argument in trace.inputs for leaf in argument]
    leaves = {p: Node(PARAM, (), i) for i, p in enumerate(params)}
    leaves |= {leaf: Node(INPUT, (), i) for i, leaf in enumerate(inputs)}
    for i, value in enumerate(trace.nodes):
        arity = value.op.arity
        if arity == 2:
            node = make_node(value.op, (index[value._a], index[value._b]))
        elif arity:
            node = make_node(value.op, tuple([index[arg] for arg in value.args]))
        elif value in leaves:
            node = leaves[value]
        else:
            node = make_node(ops.constant, (), len(constants))
            constants.append(value.data)
        if value.label or value.scope:
            labels[i] = value.label or value.scope
        index[value] = i
        nodes.append(node)
    outputs = [index[value] for value in trace.list_computed()]
    return Program(nodes, outputs, constants, params, [len(a) for a in trace.inputs], labels)


def find_used(program: Program, outputs: list[int]) -> list[bool]:
    """Return, for each node, True if one of `outputs` depends on it."""
    found = [False] * len(program.nodes)
    for i in outputs:
        found[i] = True
    for i in range(len(program.nodes) - 1, -1, -1):
        if found[i]:
            for arg in program.nodes[i].args:
                found[arg] = True
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
