"""Write traced functions as programs that a page runs: array statements, stored as data.

A page of a network computes feature maps or attention with them; `web/program.js` runs them. The
compiler makes the statements, and their operations are written from the table, as for every page.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..compiler.arguments import convert_arguments
from ..compiler.arrays import Array, ArrayProgram, Read, Statement
from ..compiler.passes import PASSES, recognise_softmax
from ..compiler.program import DOT, MAX, SUM
from ..compiler.stages import Options, make_version
from ..core import ops
from ..core.boundary import function as checked_function
from ..core.boundary import instance, several
from ..core.ops import Op
from ..core.value import Value
from .javascript import write_functions

# What a page computes consists of operations of the table, and of sums and maxima of lists.
PLAIN = tuple(rewrite for rewrite in PASSES if rewrite is not recognise_softmax)
FOLDED = {SUM: (None, ops.add), MAX: (None, ops.maximum), DOT: (ops.mul, ops.add)}


class Programs:
    """The programs of one page. They share the list of operations.

    >>> programs = Programs()
    >>> w = Value(2.0)
    >>> program = programs.add(lambda x: [w * x[0], x[1]], [[[1.0, 3.0]]], [w])
    >>> [(row["each"], row["size"]) for row in program["statements"]], program["sizes"]
    ([(0, 1)], [2, 1, 0, 1])
    >>> programs.javascript()
    'const COMPUTE = [(a, b) => +(a * b)];'
    """

    def __init__(self) -> None:
        self._ops: dict[Op, int] = {}

    def add(
        self, function: Callable[..., Any], arguments: Sequence[Any], params: Sequence[Value]
    ) -> dict[str, Any]:
        """Trace a function, and return its program as data for JSON.

        Args:
            function: takes Values or lists of Values, and returns one or a list of them.
            arguments: for each argument, rows of numbers, as for a compiled function.
            params: the parameters, in the order in which the page gives their numbers.

        Raises:
            TraceError: the function cannot be traced.
            ValueError: the function uses an operation that has no JavaScript, or reads other
                Values than `params`.
        """
        checked_function(function, "a program is made of a function of Values")
        known = [
            instance(p, Value, "params are Values") for p in several(params, "params is a list")
        ]
        rows = convert_arguments(tuple(several(arguments, "arguments are rows")), np.dtype(float))
        options = Options(allow_unused=True, passes=PLAIN)
        version = make_version(function, known, options, rows)
        if len(version.program.params) > len(known):
            raise ValueError(f"the function reads {version.program.params[-1]!r}: add it to params")
        return self._write(version.array_program, len(version.trace.outputs))

    def javascript(self) -> str:
        """Return the operations as JavaScript, for the page's generated script."""
        return f"const COMPUTE = [{', '.join(write_functions(op)[0] for op in self._ops)}];"

    def _write(self, program: ArrayProgram, count: int) -> dict[str, Any]:
        """Return a program as data, with its first `count` outputs; the others are for tests."""
        arrays = [*program.inputs, program.theta, program.constants, *program.arrays()]
        place = {array: i for i, array in enumerate(arrays)}
        return {
            "sizes": [array.size for array in arrays],
            "constants": _pack(program.numbers, "<f8"),
            "statements": [self._write_statement(row, place) for row in program.statements],
            "count": count,
            "outputs": [_write_read(read, place) for read in program.outputs],
        }

    def _write_statement(self, statement: Statement, place: dict[Array, int]) -> dict[str, Any]:
        each, fold = FOLDED.get(statement.op, (statement.op, None))
        looks_up = statement.op is ops.take
        others = statement.reads[1].indices if len(statement.reads) > 1 else np.zeros((0, 0))
        pairs_all = statement.matrix_product or statement.looks_up_rows
        return {
            "each": -1 if looks_up else self._number(each),
            "fold": self._number(fold),
            "reads": [_write_read(read, place) for read in statement.reads],
            "starts": _pack_places(_find_starts(statement)) if fold else None,
            "choices": others.shape[1] if looks_up else 0,
            "product": len(others) if pairs_all else 0,
            "out": place[statement.out],
            "start": statement.start,
            "size": statement.size,
        }

    def _number(self, op: Op | None) -> int:
        """Return the place of an operation in the list; -1 for none."""
        if op is None:
            return -1
        if op not in self._ops and write_functions(op)[0] == "null":
            raise ValueError(f"{op.name} has no JavaScript")
        return self._ops.setdefault(op, len(self._ops))


def _find_starts(statement: Statement) -> np.ndarray:
    """Return the place of each list of operands, and the end of the last."""
    indices = statement.reads[0].indices
    if statement.list_starts is not None:
        return np.array([*statement.list_starts, indices.size])
    _, length = indices.shape
    return np.arange(0, indices.size + 1, length)


def _write_read(read: Read, place: dict[Array, int]) -> list[Any]:
    return [place[read.array], _pack_places(read.indices.ravel())]


def _pack_places(places: np.ndarray) -> list[Any]:
    """Return the number of bits of each, and whole numbers as base64."""
    bits = 16 if places.max(initial=0) < 2**16 else 32
    return [bits, _pack(places, f"<u{bits // 8}")]


def _pack(numbers: np.ndarray, kind: str) -> str:
    return base64.b64encode(numbers.astype(kind).tobytes()).decode()
