"""A program of arrays as data: which scalars lie where, and what computes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..core.ops import TABLE, Op, copy
from ..core.terminal import fitted
from .program import DOT, LSE, MAX, ODDS, SOFTMAX, SUM

MANY = (SUM, MAX, LSE, ODDS, SOFTMAX, DOT)
NAMES = {SUM: "sum", MAX: "maximum", LSE: "log-sum-exp", ODDS: "log-odds", DOT: "dot product"}
_OURS = frozenset({*TABLE.values(), *MANY, copy})


def own_name(op: Op) -> str:
    """What the source calls the results of an operation: "op" for those of a user.

    >>> own_name(TABLE["tanh"]), own_name(Op("class", lambda a: a, lambda out, a: (1.0,)))
    ('tanh', 'op')
    """
    return op.name if op in _OURS else "op"


@dataclass(eq=False)
class Array:
    """Scalars side by side, of shape (size, rows) if each row has its own, else (size, 1).

    Attributes:
        name: in the source.
        size: how many scalars.
        batched: whether each row has its own.
        whole: whether one statement makes all of it.
    """

    name: str
    size: int
    batched: bool
    whole: bool = True

    @property
    def axis(self) -> Any:
        """Its last axis: "rows", or 1 if all rows share it."""
        return "rows" if self.batched else 1


class Read(NamedTuple):
    """Which scalars of an array an operand takes; `places` has any shape."""

    base: Array
    places: np.ndarray


@dataclass(eq=False)
class Statement:
    """Part of an array, and how it is computed.

    Attributes:
        op: a row of the table, or a node of a program with many operands.
        reads: its operands. For a node with many, each read is of shape (size, k), or flat where
            k differs; in a matrix product the lefts are (l, k) and the rights (r, k), and what is
            added is (l, r).
        out: the array that it makes a part of.
        start: where that part begins.
        size: how many scalars it makes.
        sums: where k differs, where the operands of each scalar begin.
        outer: of DOT, whether it is a matrix product: every left one meets every right one.
        count: how many scalar operations it stands for.
        inside: whether the cost is made of it, if a gradient is asked for.
    """

    op: Op
    reads: list[Read]
    out: Array
    start: int
    size: int
    sums: np.ndarray | None = None
    outer: bool = False
    count: int = 0
    inside: bool = True

    def part(self, name: str) -> str:
        """What it makes, in an array of this name as large as the one it makes a part of."""
        return name if self.out.whole else f"{name}[{self.start}:{self.start + self.size}]"

    @fitted
    def __str__(self) -> str:
        numbers = f"{self.size:,} number{'s' if self.size > 1 else ''}"
        rows = " a row" if self.out.batched else ", the same for all rows"
        return f"{self.count:>10,} scalar → {self.out.name}, {numbers}{rows}: {self.why}"

    @property
    def why(self) -> str:
        """What these scalar operations have in common."""
        if self.outer:
            (count, k), r = self.reads[0].places.shape, len(self.reads[1].places)
            met = f"each of {r:,} lists of" if r > 1 else "the same"
            lists = f"{count:,} lists of {k:,} weights meet" if count > 1 else f"{k:,} weights meet"
            return f"{lists} {met} {k:,} numbers: a matrix product"
        if self.op is copy:
            return "copied, to lie beside what they are read with"
        if self.op in MANY:
            k = self.reads[0].places.size // max(1, self.size)
            if self.op is SOFTMAX:
                return "exponentials over their sum: softmax"
            name = NAMES[self.op]
            if self.size == 1:
                return f"a {name} of {k:,}"
            return f"a {name} each, of {k:,}" if self.sums is None else f"a {name} each"
        return f"{self.op.name}, element by element"


@dataclass(eq=False)
class Rolled:
    """A program of array statements.

    Attributes:
        statements: in order.
        inputs: the array of each argument.
        theta: the parameters' array.
        constants: the constants' array.
        numbers: what the constants are.
        outputs: what is returned, one after the other.
        labels: what the parameters are called, by their place in theta.
    """

    statements: list[Statement]
    inputs: list[Array]
    theta: Array
    constants: Array
    numbers: np.ndarray
    outputs: list[Read]
    labels: dict[int, str]

    def arrays(self) -> list[Array]:
        """The arrays that statements make, in the order they are begun."""
        return list(dict.fromkeys(statement.out for statement in self.statements))
