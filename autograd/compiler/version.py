"""Run the compiled code of a function, and check it against the engine.

`Compiled` makes a `Version` for each shape of the arguments, and for each state of what the
function reads. Source is written, executed and checked when it is first needed: separately for
values, and for values with a gradient.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..core import locks, ops
from ..core.backprop import gradient_column
from ..core.boundary import are_finite
from ..core.copies import copied
from ..core.flat import Flat
from ..core.graph import find_places, in_order
from ..core.value import Value
from .arguments import Arguments
from .arrays import OURS, ArrayProgram
from .collector import paused_collector
from .emit import Source, write_source
from .guard import Guard
from .program import Program
from .trace import Trace, TracedRow, find_largest

# Relative to the number itself, and relative to the largest number in the graph.
TOLERANCES = {"float64": (1e-7, 1e-11), "float32": (1e-2, 1e-5)}
NO_GRADIENT = np.zeros(0)
BLOCK = 1 << 20  # the numbers that one run may hold: more rows are run in blocks
# The numbers that a statement computes at once in a block on one thread, on average. For larger
# arrays the system maps new memory again and again, which takes longer than to compute them.
AT_ONCE = 1 << 13


class Version:
    """The compiled code of a function, for arguments of one shape.

    Attributes:
        trace: the scalar graph.
        program: the graph as data, after the passes.
        array_program: the program as array statements.
        gradient_size: the number of parameters that the gradient is returned for.
        guard: the check that everything the function reads is unchanged.
        depends_on_rows: True if an output may differ from row to row.
        steep: True if a derivative may be infinite at a finite value, as that of a root at 0.
    """

    def __init__(
        self,
        trace: Trace,
        rows: list[TracedRow],
        program: Program,
        theta: Flat,
        array_program: ArrayProgram,
        gradient_size: int,
        guard: Guard,
        dtype: np.dtype[Any],
    ) -> None:
        self.trace, self.program, self.array_program = trace, program, array_program
        self._rows = rows
        self.gradient_size, self.guard = gradient_size, guard
        self._dtype = dtype
        self._theta = theta
        self._first = self._theta.read().copy()
        self._executables: dict[bool, Executable] = {}
        self._last: Executable | None = None  # the code that ran last
        # NumPy already runs a matrix product on several threads.
        products = any(s.matrix_product for s in array_program.statements)
        self._threads = 1 if products else os.cpu_count() or 1
        self._block = _choose_block(array_program, self._threads)
        used = {statement.op for statement in array_program.statements}
        users = used - OURS
        # True if the engine may raise an error where NumPy signals none: for operations of users,
        # and for divisions and remainders (NaN/0), except by a constant.
        self._unsignalled = bool(users) or any(
            statement.op in (ops.div, ops.mod)
            and statement.reads[1].array is not array_program.constants
            for statement in array_program.statements
        )
        self.depends_on_rows = any(read.array.batched for read in array_program.outputs)
        self.steep = bool(users) or any(op.domain is not None for op in used)

    def run(self, rows: Arguments, gradient: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the computed numbers, of shape (k, n) or (k, 1), and the gradient.

        The numbers are the outputs, then those that `require` tests. The gradient is that of the
        mean of the first output over the rows; it is empty unless asked for.

        Raises:
            ArithmeticError: the code is new, and disagrees with the engine.
        """
        executable = self._choose_executable(gradient)
        executable.bind(self._theta.read())
        if rows.size <= self._block:
            return executable(self._make_columns(rows, 0), rows.size)
        blocks = [self._make_columns(rows, i) for i in range(0, rows.size, self._block)]
        found = self._run_blocks(lambda columns: executable(columns, rows.size), blocks)
        total = np.sum([slopes for _, slopes in found], axis=0, dtype=self._dtype)
        if not self.depends_on_rows:
            return found[0][0], total
        return np.concatenate([outputs for outputs, _ in found], axis=1), total

    def run_batches(
        self, rows: Arguments, size: int, step: Callable[[np.ndarray], object]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Run batches of rows in turn, and call `step` with the gradient of each.

        This is `run` for each batch, without what need not be done for each.

        Args:
            rows: the rows.
            size: the number of rows in a batch; the last batch may have fewer.
            step: may change the numbers of the parameters.

        Returns:
            The numbers for all rows, shape (k, n), and the gradient of each batch, (batches, m).
        """
        executable = self._choose_executable(gradient=True)
        starts = range(0, rows.size, size)
        outputs = np.empty((len(self.program.outputs), rows.size), self._dtype)
        gradients = np.empty((len(starts), self.gradient_size), self._dtype)
        with np.errstate(all="ignore"):
            for k, start in enumerate(starts):
                batch = rows.keep_rows(start, start + size)
                if batch.size > self._block:
                    found, slopes = self.run(batch, gradient=True)
                else:
                    executable.bind(self._theta.read())
                    found, slopes = executable.compute(self._make_columns(batch, 0), batch.size)
                outputs[:, start : start + size] = found
                gradients[k] = slopes[: self.gradient_size]
                step(gradients[k])
        return outputs, gradients

    def _run_blocks(
        self,
        run: Callable[[list[np.ndarray]], tuple[np.ndarray, np.ndarray]],
        blocks: list[list[np.ndarray]],
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Run each block, on several threads if NumPy does not use them already."""
        if self._threads == 1:
            return list(map(run, blocks))
        from concurrent.futures import ThreadPoolExecutor  # here, because it takes long to import

        with ThreadPoolExecutor(self._threads) as pool:
            return list(pool.map(run, blocks))

    def _choose_executable(self, gradient: bool) -> Executable:
        """Return the code with or without the gradient, which runs next."""
        self._last = self._executables.get(gradient) or self._make_executable(gradient)
        return self._last

    def _make_executable(self, gradient: bool) -> Executable:
        """Write the code, and check it against the engine; the first thread that asks does so."""
        with locks.code, paused_collector():
            if gradient not in self._executables:
                source = write_source(self.array_program, gradient)
                executable = Executable(source, self.array_program.numbers, self._dtype)
                self._check_against_engine(executable)
                self._executables[gradient] = executable
            return self._executables[gradient]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the computation."""
        return self._dtype

    def read_parameters(self) -> np.ndarray:
        """Return the current numbers of the parameters, in the dtype of the computation."""
        return self._theta.read().astype(self._dtype)

    def take_traced_rows(self) -> Arguments:
        """Return the rows that were traced, as arguments."""
        arrays = [column.T for column in self._list_columns()]
        return Arguments(arrays, (), len(self._rows) if arrays else 1)

    def _list_columns(self) -> list[np.ndarray]:
        """Return the rows that were traced as columns, one array for each argument."""
        flat = np.array([row.inputs for row in self._rows], self._dtype).T
        bounds = itertools.accumulate(map(len, self.trace.inputs), initial=0)
        return [flat[start:stop] for start, stop in itertools.pairwise(bounds)]

    def arrange_by_row(self, rows: Arguments, outputs: np.ndarray) -> np.ndarray:
        """Return the outputs in their shape, with one row for each row of the arguments."""
        every, shape = outputs[: len(self.trace.outputs)], (rows.size, *self.trace.shape)
        if every.shape[1] == rows.size:
            return every.T.reshape(shape).copy()
        return np.broadcast_to(every.T, (rows.size, len(every))).reshape(shape).copy()

    @property
    def source(self) -> str:
        """The source of the code that ran last."""
        return self._last.source if self._last else ""

    def accepts(self, outputs: np.ndarray) -> bool:
        """Return True if all outputs are finite, and no requirement fails."""
        if not self.trace.requirements:
            return are_finite(outputs)
        return are_finite(outputs[: len(self.trace.outputs)]) and all(
            np.count_nonzero(passing) == passing.size  # faster than `all` for a few rows
            for passing in self._test_requirements(outputs)
        )

    def mark_rows(self, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return two masks of rows: a requirement fails there; an output is not finite there."""
        wrong = ~np.isfinite(outputs[: len(self.trace.outputs)]).all(axis=0)
        failing = np.zeros_like(wrong)
        for passing in self._test_requirements(outputs):
            failing |= ~passing
        return failing, wrong

    def _test_requirements(self, outputs: np.ndarray) -> Iterator[np.ndarray]:
        """Yield a mask of the rows that pass, for each requirement."""
        start = len(self.trace.outputs)
        for requirement in self.trace.requirements:
            stop = start + len(requirement.values)
            yield requirement.passes(outputs[start:stop])
            start = stop

    def may_raise(self, rows: Arguments) -> bool:
        """Return True if the engine may raise an error on these rows, instead of returning NaN."""
        assert self._last is not None
        return self._unsignalled or self._last.signals(self._make_columns(rows, 0), rows.size)

    def _check_against_engine(self, executable: Executable) -> None:
        """Check code against the engine, on the rows that were traced."""
        rows, columns = self._rows, self._list_columns()
        executable.bind(self._first)
        outputs, slopes = executable(columns, len(rows) if columns else 1)
        scale = max(row.largest for row in rows)
        expected = np.array([row.computed for row in rows]).T
        self._compare(np.broadcast_to(outputs, expected.shape).ravel(), expected.ravel(), scale)
        if executable.gradient:
            self._check_gradient(slopes)

    def _check_gradient(self, slopes: np.ndarray) -> None:
        """Check a gradient against the engine's, and leave `.grad` of the parameters unchanged."""
        columns = []
        try:
            for row in self._rows:
                columns.append(self._compute_engine_gradient(row.root))
        except (ArithmeticError, ValueError):
            return  # one of the rows has no gradient
        with np.errstate(all="ignore"):  # a sum of infinities may be NaN
            expected = np.sum([slopes / len(columns) for slopes, _ in columns], axis=0)
        sure = np.isfinite(expected)  # the engine's 0 · ∞ may be 0 in the code, which is simplified
        self._compare(slopes[sure], expected[sure], max(scale for _, scale in columns))
        self._rows = self._rows[:1]

    def _compute_engine_gradient(self, root: Value) -> tuple[np.ndarray, Any]:
        """Return the engine's gradient by the parameters, and the largest slope in the graph."""
        params = self.program.params
        if not np.array_equal(self._theta.read(), self._first):
            memo: dict[int, Any] = {}  # the parameters have changed: a copy gets the old numbers
            root = copied(root, memo)
            for p, number in zip(params, self._first.tolist()):
                if id(p) in memo:
                    memo[id(p)].data = number
            params = [memo.get(id(p), p) for p in params]
        order = in_order(root)
        found = np.frombuffer(gradient_column(order, params))
        places = np.frombuffer(find_places(order, params), dtype=np.int32)
        return np.where(places < 0, 0.0, found[places]), find_largest(found)

    def _compare(self, found: np.ndarray, expected: np.ndarray, scale: Any) -> None:
        """Raise if numbers differ by more than the tolerances; `scale` is that of a graph."""
        relative, absolute = TOLERANCES[self._dtype.name]
        with np.errstate(over="ignore"):
            expected = expected.astype(self._dtype)
        close = np.isclose(found, expected, relative, absolute * scale, equal_nan=True)
        if not close.all():
            i = int(np.argmin(close))
            raise ArithmeticError(
                f"the compiled function gives {found[i]} in {self._dtype} and the engine "
                f"{expected[i]}, for the first rows: use the function itself, without compile"
            )

    def _make_columns(self, rows: Arguments, start: int) -> list[np.ndarray]:
        """Return a block of rows as columns, with the random numbers drawn for them."""
        columns = rows.take_columns(start, start + self._block)
        if samplers := self.trace.samplers:
            count = range(columns[0].shape[1] if columns else 1)
            draws = np.array([[draw() for draw in samplers] for _ in count], dtype=self._dtype)
            columns = [*columns, draws.T]
        return columns


def _choose_block(program: ArrayProgram, threads: int) -> int:
    """Return how many rows are run at once."""
    numbers = sum(array.size for array in program.arrays())
    rows = BLOCK // (2 * numbers + 1)
    if threads == 1:
        rows = min(rows, AT_ONCE * len(program.statements) // max(1, numbers))
    return max(64, rows)


class Executable:
    """A function that was made by executing source.

    Attributes:
        source: the text of the source.
        gradient: True if it computes the gradient too.

    Args:
        source: the source.
        constants: the numbers of the program's constants.
        dtype: the dtype of the computation.
    """

    def __init__(self, source: Source, constants: np.ndarray, dtype: np.dtype[Any]) -> None:
        self.source, self._dtype, self.gradient = source.text, dtype, source.gradient
        namespace = {**source.namespace, "dtype": dtype}
        with np.errstate(over="ignore"):
            namespace["constants"] = constants.astype(dtype)[:, None]
        exec(source.text, namespace)
        self._function = namespace["compiled"]
        self._slices = namespace.get("parameters", lambda theta: ())
        self._bound: tuple[Any, ...] = (None,)  # the bound array, as a column, and its slices

    def bind(self, theta: np.ndarray) -> None:
        """Use these parameters from now on; each run reads the array as it is then."""
        if theta is not self._bound[0] or theta.dtype != self._dtype:
            with np.errstate(over="ignore"):
                column = theta.astype(self._dtype, copy=False)[:, None]
            self._bound = (theta, column, *self._slices(column))

    def __call__(self, columns: list[np.ndarray], n: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the computed numbers, and the gradient of the first output's sum divided by n."""
        with np.errstate(all="ignore"):
            return self.compute(columns, n)

    def compute(self, columns: list[np.ndarray], n: int) -> tuple[np.ndarray, np.ndarray]:
        """Return what a call returns, for a caller that has turned NumPy's warnings off."""
        found = self._function(*columns, *self._bound[1:], n)
        return (found[0], found[1].ravel()) if self.gradient else (found, NO_GRADIENT)

    def signals(self, columns: list[np.ndarray], n: int) -> bool:
        """Return True if NumPy signals an error: finite numbers give NaN or infinity."""
        try:
            with np.errstate(all="raise", under="ignore"):
                self._function(*columns, *self._bound[1:], n)
        except FloatingPointError:
            return True
        return False
