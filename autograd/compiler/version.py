"""What a function was compiled to for arguments of one shape, and how it runs."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from ..core import ops
from ..core.backprop import gradients
from ..core.copies import copied
from ..core.flat import Flat
from ..core.value import Value
from .arguments import Arguments
from .arrays import MANY, Rolled
from .emit import Source, written
from .program import Program
from .reach import Guard
from .trace import Traced

TOLERANCES = {"float64": (1e-7, 1e-11), "float32": (1e-2, 1e-5)}  # relative, and of the largest
NONE = np.zeros(0)
BLOCK = 1 << 20  # how many numbers a run keeps at once: rows go through in blocks of so many


class Version:
    """What a function was compiled to, for arguments of one shape.

    Attributes:
        traced: the scalar graph.
        program: the graph as data, after the passes.
        rolled: the program as array statements.
        wanted: how many of the parameters the gradient is by.
        guard: tells whether the function still reads what it read.
        steep: whether a slope may be infinite where the value is not, as of a root at 0.
    """

    def __init__(
        self,
        traces: list[Traced],
        program: Program,
        rolled: Rolled,
        wanted: int,
        guard: Guard,
        dtype: np.dtype[Any],
    ) -> None:
        self.traced, self.program, self.rolled = traces[0], program, rolled
        self._traces = traces
        self._wanted = np.array([[v.data for v in t.computed()] for t in traces]).T
        self.wanted, self.guard = wanted, guard
        self._dtype = dtype
        self._theta = Flat(program.params)
        self._first = self._theta.read().copy()
        self._codes: dict[bool, Code] = {}
        self._code: Code | None = None  # that ran last
        # A matrix product has threads of its own.
        self._threads = 1 if any(s.outer for s in rolled.statements) else os.cpu_count() or 1
        numbers = 2 * sum(array.size for array in rolled.arrays()) + 1
        self._block = max(64, BLOCK // numbers)
        rows = {statement.op for statement in rolled.statements}
        # NumPy signals where numbers make what is no number, except in these.
        self._unsignalled = any(
            not statement.op.array
            if statement.op is not ops.div
            else statement.reads[1].base is not rolled.constants  # NaN/0
            for statement in rolled.statements
            if statement.op not in MANY
        )
        self.steep = any(op.domain is not None or not op.array for op in rows - set(MANY))

    def run(self, rows: Arguments, gradient: bool) -> tuple[np.ndarray, np.ndarray]:
        """The outputs and what is checked, (k, n) or (k, 1), and the gradient of the mean.

        The mean is that of the first output.

        Raises:
            ArithmeticError: the code is new, and does not agree with the engine.
        """
        code = self._codes.get(gradient)
        if code is None:
            source = written(self.rolled, gradient)
            code = Code(source, self.rolled, self._dtype)
            self._hold(code)
            self._codes[gradient] = code
        self._code = code
        theta = self._theta.read()
        code.bind(theta)
        if rows.size <= self._block:
            return code(self._columns(rows, 0), rows.size)
        blocks = [self._columns(rows, i) for i in range(0, rows.size, self._block)]
        with ThreadPoolExecutor(self._threads) as pool:
            found = list(pool.map(lambda columns: code(columns, rows.size), blocks))
        total = np.sum([slopes for _, slopes in found], axis=0, dtype=self._dtype)
        if not any(read.base.batched for read in self.rolled.outputs):
            return found[0][0], total
        return np.concatenate([outputs for outputs, _ in found], axis=1), total

    @property
    def source(self) -> str:
        """The code that ran last."""
        return self._code.source if self._code else ""

    def judged(self, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """In which rows a check fails, and in which an output is not finite."""
        checked = outputs[len(self.traced.outputs) :]
        wrong = ~np.isfinite(outputs[: len(self.traced.outputs)]).all(axis=0)
        failing = np.zeros_like(wrong)
        for check in self.traced.checks:
            failing |= check.fails(checked[: len(check.values)])
            checked = checked[len(check.values) :]
        return failing, wrong

    def may_raise(self, rows: Arguments) -> bool:
        """Whether the engine may raise an error on these rows, and not only pass on a NaN."""
        assert self._code is not None
        return self._unsignalled or self._code.signals(self._columns(rows, 0), rows.size)

    def _hold(self, code: Code) -> None:
        """Hold code against the engine, on the rows that were traced."""
        rows = [[v for argument in t.inputs for v in argument] for t in self._traces]
        flat = np.array([[v.data for v in row] for row in rows], self._dtype).T
        columns = np.split(flat, np.cumsum([len(a) for a in self.traced.inputs])[:-1])
        takes = bool(self.traced.inputs)
        code.bind(self._first)
        outputs, slopes = code(columns if takes else [], len(rows) if takes else 1)
        among = [x for t in self._traces for x in t.data()]
        wanted = self._wanted[:, : len(rows)]
        self._compare(np.broadcast_to(outputs, wanted.shape).ravel(), wanted.ravel(), among)
        if code.gradient:
            self._hold_gradient(slopes)

    def _hold_gradient(self, slopes: np.ndarray) -> None:
        """Hold a gradient against the engine's; no parameter is touched."""
        wanted, among = np.zeros(len(self.program.params)), []
        try:
            for traced in self._traces:
                found = self._engine_slopes(traced.outputs[0])
                wanted += np.array([found.get(p, 0.0) for p in self.program.params])
                among += list(found.values())
        except (ArithmeticError, ValueError):
            return  # there is no gradient on one of the rows
        wanted /= len(self._traces)
        sure = np.isfinite(wanted)  # where the engine finds 0 · ∞, the code may know that it is 0
        self._compare(slopes[sure], wanted[sure], among)
        self._traces = self._traces[:1]

    def _engine_slopes(self, root: Value) -> dict[Value, float]:
        """The gradients of a graph that was traced, at the parameters that it was traced at."""
        params = self.program.params
        if np.array_equal(self._theta.read(), self._first):
            return gradients(root, by=params)
        memo: dict[int, Any] = {}  # the parameters have moved on, so a copy is moved back
        root = copied(root, memo)
        for p, number in zip(params, self._first.tolist()):
            if id(p) in memo:
                memo[id(p)].data = number
        mine = {memo[id(p)]: p for p in params if id(p) in memo}
        found = gradients(root, by=mine)
        return {mine.get(node, node): slope for node, slope in found.items()}

    def _compare(self, found: np.ndarray, wanted: np.ndarray, among: list[float]) -> None:
        """Raise where numbers differ by more than rounding, among numbers as large as these."""
        sizes = np.abs(np.array(among, dtype=float))
        scale = sizes.max(initial=0.0, where=np.isfinite(sizes))
        relative, absolute = TOLERANCES[self._dtype.name]
        with np.errstate(over="ignore"):
            wanted = wanted.astype(self._dtype)
        close = np.isclose(found, wanted, relative, absolute * scale, equal_nan=True)
        if not close.all():
            i = int(np.argmin(close))
            raise ArithmeticError(
                f"the compiled function gives {found[i]} in {self._dtype} and the engine "
                f"{wanted[i]}, for the first rows: use the function itself, without compile"
            )

    def _columns(self, rows: Arguments, start: int) -> list[np.ndarray]:
        """A block of rows as columns, with what is drawn at random for them."""
        columns = rows.columns(start, start + self._block)
        if samplers := self.traced.samplers:
            count = range(columns[0].shape[1] if columns else 1)
            draws = np.array([[draw() for draw in samplers] for _ in count], dtype=self._dtype)
            columns = [*columns, draws.T]
        return columns


class Code:
    """Source that runs.

    Attributes:
        source: as text.
        gradient: whether it computes the gradient as well.
    """

    def __init__(self, source: Source, rolled: Rolled, dtype: np.dtype[Any]) -> None:
        self.source, self._dtype, self.gradient = source.text, dtype, source.gradient
        names = {**source.names, "dtype": dtype}
        with np.errstate(over="ignore"):
            names["constants"] = rolled.numbers.astype(dtype)[:, None]
        exec(source.text, names)
        self._function = names["compiled"]
        self._slices = names.get("parameters", lambda theta: ())
        self._known: tuple[Any, ...] = (None,)  # an array, and what it is to the function

    def bind(self, theta: np.ndarray) -> None:
        """Run with these parameters from now on; what changes in their array is seen."""
        if theta is not self._known[0] or theta.dtype != self._dtype:
            with np.errstate(over="ignore"):
                column = theta.astype(self._dtype, copy=False)[:, None]
            self._known = (theta, column, *self._slices(column))

    def __call__(self, columns: list[np.ndarray], n: int) -> tuple[np.ndarray, np.ndarray]:
        """The outputs, and the gradient of the mean over n rows of the first."""
        with np.errstate(all="ignore"):
            found = self._function(*columns, *self._known[1:], n)
        return (found[0], found[1].ravel()) if self.gradient else (found, NONE)

    def signals(self, columns: list[np.ndarray], n: int) -> bool:
        """Whether an operation makes what is not finite of numbers that are."""
        try:
            with np.errstate(all="raise", under="ignore"):
                self._function(*columns, *self._known[1:], n)
        except FloatingPointError:
            return True
        return False
