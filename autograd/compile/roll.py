"""Scalars to arrays: nodes that compute alike, on operands of the same kind, become one array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import ops
from ..ops import Op
from .program import DOT, INPUT, MAX, PARAM, SUM, Program


@dataclass(eq=False)
class Array:
    """Scalars side by side; with an axis for the rows behind if they depend on the inputs.

    Attributes:
        name: in the source.
        size: how many scalars.
        batched: whether each row has its own.
    """

    name: str
    size: int
    batched: bool


@dataclass(eq=False)
class Read:
    """Which scalars an operand takes: `places` in the arrays `sources`, one after the other."""

    sources: list[Array]
    places: np.ndarray

    @property
    def batched(self) -> bool:
        """Whether each row has its own."""
        return any(source.batched for source in self.sources)

    def taking(self, places: np.ndarray) -> Read:
        """A read of some of these places, in the arrays that they lie in."""
        kept, moved, start, shift = [], places.copy(), 0, 0
        for source in self.sources:
            inside = (places >= start) & (places < start + source.size)
            if inside.any():
                kept.append(source)
                moved[inside] -= shift
            else:
                shift += source.size
            start += source.size
        return Read(kept, moved)


@dataclass(eq=False)
class Statement:
    """One array and how it is computed.

    Attributes:
        out: the array.
        op: a row of the table, SUM, MAX or DOT.
        reads: its operands. Of SUM and MAX one, of shape (size, k); of DOT the left ones (l, k)
            and the right ones (r, k), and what is added, if anything.
        outer: of DOT, whether every left one meets every right one, so that it is a matrix
            product; else they meet in pairs.
        count: how many scalar nodes it stands for.
    """

    out: Array
    op: Op
    reads: list[Read]
    outer: bool = False
    count: int = 0


@dataclass(eq=False)
class Rolled:
    """A program of array statements.

    Attributes:
        statements: in order.
        inputs: the array of each argument.
        theta: the parameters' array.
        constants: the constants' array.
        numbers: what the constants are.
        output: what is returned.
    """

    statements: list[Statement]
    inputs: list[Array]
    theta: Array
    constants: Array
    numbers: np.ndarray
    output: Read


@dataclass
class _Roller:
    program: Program
    where: dict[int, tuple[Array, int]] = field(default_factory=dict)
    names: set[str] = field(default_factory=lambda: {"theta", "constants", "np", "rows"})

    def named(self, nodes: Sequence[int], default: str) -> str:
        """What the labels of these nodes have in common, as a name that is still free."""
        labels = {self.program.labels.get(i, "").partition("[")[0] for i in nodes}
        name = labels.pop() if len(labels) == 1 else ""
        name = name if name.isidentifier() and not name.startswith("_") else default
        free, count = name, 1
        while free in self.names:
            count += 1
            free = f"{name}_{count}"
        self.names.add(free)
        return free

    def read(self, nodes: Any) -> Read:
        """These nodes, in an array of any shape, as places in arrays."""
        nodes = np.asarray(nodes)
        found = [self.where[i] for i in nodes.ravel().tolist()]
        sources = list(dict.fromkeys(array for array, _ in found))
        starts, start = {}, 0
        for array in sources:
            starts[array] = start
            start += array.size
        places = np.array([starts[array] + place for array, place in found], dtype=np.intp)
        return Read(sources, places.reshape(nodes.shape))

    def place(self, nodes: Sequence[int], array: Array, places: Sequence[int]) -> None:
        for i, place in zip(nodes, places):
            self.where[i] = array, place


def rolled(program: Program) -> Rolled:
    """The program as array statements."""
    roller = _Roller(program)
    batched, levels = _kinds(program)
    inputs = [
        Array(roller.named(nodes, f"x{i}"), program.sizes[i], True)
        for i, nodes in enumerate(_arguments(program))
    ]
    theta = Array("theta", len(program.params), False)
    constants = Array("constants", len(program.constants), False)
    starts = np.cumsum([0, *program.sizes])
    for i, node in enumerate(program.nodes):
        if node.op is INPUT:
            argument = int(np.searchsorted(starts, node.place, side="right")) - 1
            roller.where[i] = inputs[argument], node.place - int(starts[argument])
        elif node.op is PARAM:
            roller.where[i] = theta, node.place
        elif node.op is ops.constant:
            roller.where[i] = constants, node.place
    groups: dict[tuple[Any, ...], list[int]] = {}
    for i, node in enumerate(program.nodes):
        if node.args:
            kinds = (
                tuple(batched[arg] for arg in node.args)
                if node.op.arity > 0
                else (_kinds_of_many(program, i, batched))
            )
            key = (levels[i], id(node.op), len(node.args), kinds)
            groups.setdefault(key, []).append(i)
    statements = [
        _statement(roller, groups[key], batched) for key in sorted(groups, key=lambda key: key[0])
    ]
    numbers = np.array(program.constants, dtype=float)
    return Rolled(statements, inputs, theta, constants, numbers, roller.read(program.outputs))


def _arguments(program: Program) -> list[list[int]]:
    """The nodes of each argument's inputs, for their labels."""
    starts = np.cumsum([0, *program.sizes])
    found: list[list[int]] = [[] for _ in program.sizes]
    for i, node in enumerate(program.nodes):
        if node.op is INPUT:
            found[int(np.searchsorted(starts, node.place, side="right")) - 1].append(i)
    return found


def _kinds(program: Program) -> tuple[list[bool], list[int]]:
    """For each node whether it depends on the inputs, and how many steps it is from the leaves."""
    batched: list[bool] = []
    levels: list[int] = []
    for node in program.nodes:
        batched.append(node.op is INPUT or any(batched[arg] for arg in node.args))
        levels.append(1 + max([levels[arg] for arg in node.args], default=-1))
    return batched, levels


def _kinds_of_many(program: Program, i: int, batched: list[bool]) -> tuple[bool, ...]:
    node = program.nodes[i]
    if node.op is not DOT:
        return (batched[i],)
    lefts, rights, other = _halves(node.args)
    lefts, rights = _oriented(lefts, rights, batched)
    return (
        any(batched[a] for a in lefts),
        any(batched[a] for a in rights),
        *(batched[a] for a in other),
    )


def _oriented(
    lefts: tuple[int, ...], rights: tuple[int, ...], batched: list[bool]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The factors of a dot product with those that all rows share on the left."""
    if all(batched[a] for a in lefts) and not any(batched[a] for a in rights):
        return rights, lefts
    return lefts, rights


def _halves(args: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    k = len(args) // 2
    return args[:k], args[k : 2 * k], args[2 * k :]


def _statement(roller: _Roller, nodes: list[int], batched: list[bool]) -> Statement:
    program = roller.program
    op = program.nodes[nodes[0]].op
    out = Array(roller.named(nodes, f"v{len(roller.names)}"), len(nodes), batched[nodes[0]])
    args = [program.nodes[i].args for i in nodes]
    count = len(nodes)
    if op is DOT:
        statement = _products(roller, nodes, args, out, batched)
    elif op is SUM or op is MAX:
        statement = Statement(out, op, [roller.read(args)], count=count * (len(args[0]) - 1))
    else:
        operands = [list(operand) for operand in zip(*args)]
        statement = Statement(out, op, [roller.read(operand) for operand in operands], count=count)
    if op is not DOT:
        roller.place(nodes, out, range(len(nodes)))
    return statement


def _products(
    roller: _Roller,
    nodes: list[int],
    args: list[tuple[int, ...]],
    out: Array,
    batched: list[bool],
) -> Statement:
    """Dot products: a matrix product where all that stand left meet all that stand right."""
    halves = [_halves(arg) for arg in args]
    pairs = [_oriented(lefts, rights, batched) for lefts, rights, _ in halves]
    others = [other[0] for *_, other in halves if other]
    left_of = {left: i for i, left in enumerate(dict.fromkeys(left for left, _ in pairs))}
    right_of = {right: j for j, right in enumerate(dict.fromkeys(right for _, right in pairs))}
    count = len(nodes) * (2 * len(pairs[0][0]) - 1 + bool(others))
    unbatched = not any(batched[a] for left in left_of for a in left)
    if len(left_of) * len(right_of) == len(nodes) == len(set(pairs)) and unbatched:
        places = [right_of[right] * len(left_of) + left_of[left] for left, right in pairs]
        roller.place(nodes, out, places)
        reads = [roller.read(list(left_of)), roller.read(list(right_of))]
        if others:
            reads.append(roller.read([other for _, other in sorted(zip(places, others))]))
        return Statement(out, DOT, reads, outer=True, count=count)
    roller.place(nodes, out, range(len(nodes)))
    reads = [roller.read([left for left, _ in pairs]), roller.read([right for _, right in pairs])]
    if others:
        reads.append(roller.read(others))
    return Statement(out, DOT, reads, count=count)
