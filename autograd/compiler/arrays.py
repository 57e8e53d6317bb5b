"""Array statements as data: the arrays of a program, and the statements that compute them.

`roll` builds an `ArrayProgram` from a scalar program; `forward` and `backward` write it as source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..core.ops import TABLE, Op, copy, take
from ..core.terminal import fitted
from .program import DOT, LSE, MAX, ODDS, SOFTMAX, SUM

LIST_OPS = (SUM, MAX, LSE, ODDS, SOFTMAX, DOT)
LIST_NAMES = {SUM: "sum", MAX: "maximum", LSE: "log-sum-exp", ODDS: "log-odds", DOT: "dot product"}
OURS = frozenset({*TABLE.values(), *LIST_OPS, copy})


def name_results(op: Op) -> str:
    """Return the name of an operation's results in the source: "op" if a user defined it.

    >>> name_results(TABLE["tanh"]), name_results(Op("class", lambda a: a, lambda out, a: (1.0,)))
    ('tanh', 'op')
    """
    return op.name if op in OURS else "op"


def find_distinct(indices: np.ndarray) -> np.ndarray:
    """Return the same as `np.unique(indices)`, faster: large arrays are hashed there.

    >>> find_distinct(np.array([3, 1, 3]))
    array([1, 3])
    """
    ordered = np.sort(indices, axis=None)
    found: np.ndarray = ordered[np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]]
    return found


@dataclass(eq=False)
class Array:
    """An array of scalars, of shape (size, rows) if it is batched, else (size, 1).

    Attributes:
        name: its name in the source.
        size: the number of scalars.
        batched: True if the scalars differ from row to row.
        whole: True if one statement computes the whole array.
    """

    name: str
    size: int
    batched: bool
    whole: bool = True

    @property
    def width(self) -> Any:
        """The size of the last axis: "rows" if the array is batched, else 1."""
        return "rows" if self.batched else 1


class Read(NamedTuple):
    """The elements of an array that an operand reads: their indices, in any shape."""

    array: Array
    indices: np.ndarray


@dataclass(eq=False)
class Statement:
    """A statement that computes part of an array.

    Attributes:
        op: an operation of the table, or one of `LIST_OPS`, which take any number of operands.
        reads: the operands. For an operation of `LIST_OPS`, a read has shape (n, k): n lists of k
            operands. It is flat if the lists differ in length. For a matrix product, the left
            factors have shape (l, k), the right factors (r, k), and the summands (l, r). For a
            `take` of rows of a table, the indices have shape (p,) and the columns (d, k). For any
            other, the indices have shape (n,) and the lists (n, k).
        out: the array that the results are stored in.
        start: the index of the first result in `out`.
        size: the number of results.
        list_starts: if the lists differ in length, the index at which each of them starts.
        matrix_product: True if a DOT is a matrix product of all left lists with all right lists.
        scalar_count: the number of scalar operations that the statement replaces.
        reaches_cost: False if a gradient is asked for, and the cost does not depend on the results.
    """

    op: Op
    reads: list[Read]
    out: Array
    start: int
    size: int
    list_starts: np.ndarray | None = None
    matrix_product: bool = False
    scalar_count: int = 0
    reaches_cost: bool = True

    @property
    def looks_up_rows(self) -> bool:
        """True if a `take` reads each of its columns, which all rows share, at each index."""
        if self.op is not take or self.reads[1].array.batched:
            return False
        return bool(len(self.reads[0].indices) * len(self.reads[1].indices) == self.size)

    def write_slice(self, name: str) -> str:
        """Return the slice of the results, in an array called `name` of the size of `out`."""
        return name if self.out.whole else f"{name}[{self.start}:{self.start + self.size}]"

    @fitted
    def __str__(self) -> str:
        numbers = f"{self.size:,} number{'s' if self.size > 1 else ''}"
        rows = " a row" if self.out.batched else ", the same for all rows"
        return f"{self.scalar_count:>10,} scalar → {self.out.name}, {numbers}{rows}: {self.reason}"

    @property
    def reason(self) -> str:
        """The reason why these scalar operations form one statement."""
        if self.matrix_product:
            (count, k), r = self.reads[0].indices.shape, len(self.reads[1].indices)
            met = f"each of {r:,} lists of" if r > 1 else "the same"
            lists = f"{count:,} lists of {k:,} weights meet" if count > 1 else f"{k:,} weights meet"
            return f"{lists} {met} {k:,} numbers: a matrix product"
        if self.op is copy:
            return "copied, so that one array holds all that a statement reads"
        if self.op is take:
            k = self.reads[1].indices.shape[1]
            from_what = f"a table of {k:,} rows" if self.looks_up_rows else f"lists of {k:,}"
            return f"looked up in {from_what}"
        if self.op in LIST_OPS:
            k = self.reads[0].indices.size // max(1, self.size)
            if self.op is SOFTMAX:
                return "exponentials over their sum: softmax"
            name = LIST_NAMES[self.op]
            if self.size == 1:
                return f"a {name} of {k:,}"
            return f"a {name} each, of {k:,}" if self.list_starts is None else f"a {name} each"
        return f"{self.op.name}, element by element"


@dataclass(eq=False)
class ArrayProgram:
    """A program of array statements.

    Attributes:
        statements: the statements, in the order of execution.
        inputs: one array for each argument.
        theta: the array of the parameters.
        constants: the array of the constants.
        numbers: the values of the constants.
        outputs: the reads whose concatenation is returned.
        labels: the labels of the parameters, in the order of `theta`.
    """

    statements: list[Statement]
    inputs: list[Array]
    theta: Array
    constants: Array
    numbers: np.ndarray
    outputs: list[Read]
    labels: list[str]

    def arrays(self) -> list[Array]:
        """Return the arrays that statements compute, in the order of their first statement."""
        return list(dict.fromkeys(statement.out for statement in self.statements))
