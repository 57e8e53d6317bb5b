"""Provide the functions that `compile` returns.

A `Compiled` function looks for code that fits the arguments and the state of what the function
reads, and else runs the stages of the compiler. It runs the code, and if a number is not finite
it runs the function itself, so that the engine raises the error.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..core import boundary, modes, ops
from ..core.backprop import gradients
from ..core.boundary import are_finite, several
from ..core.terminal import fitted, shown
from ..core.value import Value
from ..picture.markup import block, code, details
from .arguments import Arguments, convert_arguments
from .errors import in_row
from .program import Program
from .stages import Options, make_version
from .standalone import save
from .static import Splitter
from .trace import record_trace
from .version import Version

STATICS = 32  # values of static arguments whose code is kept
VERSIONS = 4  # versions kept for arguments of the same shapes, such as training and evaluation


def make_compiled(
    function: Callable[..., Any], params: list[Value] | None, options: Options
) -> Compiled:
    """Return the compiled function; without `params`, they are its `parameters()` if it has them.

    Raises:
        TypeError, ValueError: it is not callable, or its `parameters()` are not distinct leaves.
    """
    boundary.function(function, "compile takes a function of Values")
    if params is None and hasattr(function, "parameters"):
        params, options = check_params(function.parameters()), replace(options, allow_unused=True)
    return Compiled(function, params, options)


def check_params(params: Iterable[Value]) -> list[Value]:
    """Return the parameters as a list.

    Raises:
        TypeError: one of them is not a Value that you made.
        ValueError: one is listed twice.
    """
    found = several(params, "params are Values that you made, as in model.parameters()")
    for p in found:
        if not isinstance(p, Value) or p.op is not ops.leaf:
            raise TypeError(f"params are Values that you made, as in model.parameters(); got {p!r}")
    if len(set(found)) < len(found):
        raise ValueError("a parameter is listed twice in params")
    return found


class Compiled:
    """A compiled function; see `compile`.

    Attributes:
        function: the function that was compiled.

    >>> from autograd import Value, compile
    >>> w = Value(2.0, label="w")
    >>> cost = compile(lambda x, y: (w * x - y) ** 2)
    >>> cost([1.0, 2.0], [2.0, 3.0])
    array([0., 1.])
    >>> value, gradient = cost.value_and_grad([1.0, 2.0], [2.0, 3.0])
    >>> value, gradient
    (0.5, array([2.]))
    """

    def __init__(
        self, function: Callable[..., Any], params: list[Value] | None, options: Options
    ) -> None:
        self.function = function
        self._given_params, self._options = params, options
        self._versions: dict[Any, list[Version]] = {}  # by the shapes of the arguments
        self._splitter = Splitter(function, options.static) if options.static else None
        self._codes: dict[Any, Compiled] = {}  # by the static arguments, the last used last
        self._last: Version | None = None
        self._steady: dict[Any, Version] | None = None  # by shapes, if made by `while_unchanged`
        functools.update_wrapper(self, function, updated=())

    def __get__(self, instance: Any, owner: type) -> Compiled:
        """Return the compiled method of an instance, and store it in the instance."""
        if instance is None:
            return self
        bound = make_compiled(self.function.__get__(instance), self._given_params, self._options)
        vars(instance)[self.function.__name__] = bound
        return bound

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Pickle the function with its settings: it is compiled where it arrives."""
        function = self.function
        instance, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
        if isinstance(getattr(type(instance), name, None), Compiled):
            return getattr, (instance, name)
        if _find_global(function) is self:
            return str(function.__qualname__)
        return Compiled, (function, self._given_params, self._options)

    # ------------------------------------------------------------------ running

    def __call__(self, *arguments: Any, **static: Any) -> Any:
        """Return the outputs for each row: (n,) for one output, (n, k) for a list of k.

        Without arguments that have rows, a single output is returned as a float. Static arguments
        may be given by name.

        Raises:
            TypeError, ValueError: the arguments are not arrays of numbers with the same number of
                rows, or the function is not defined on a row, which the message names.
            TraceError: the function depends on values in a way that cannot be compiled.
        """
        version, rows, outputs, _ = self._run(arguments, static, gradient=False)
        found = version.arrange_by_row(rows, outputs)
        return found if rows.arrays or version.trace.shape else float(found[0])

    def mean(self, *arguments: Any, **static: Any) -> float:
        """Return the mean of the output over the rows; with `has_aux`, that of the first output.

        Raises:
            TypeError, ValueError: as for a call, or the function returns several Values.
            TraceError: as for a call.

        >>> from autograd import compile
        >>> compile(lambda x: x * x).mean([1.0, 2.0])
        2.5
        """
        _, _, outputs, _ = self._run(arguments, static, gradient=False, what="a mean")
        return _compute_mean(outputs)

    def value_and_grad(self, *arguments: Any, **static: Any) -> tuple[Any, np.ndarray]:
        """Return the mean of the output over the rows, and its gradient for the parameters.

        With `has_aux`, return the outputs for each row, (n, k), and the gradient of the mean of the
        first.

        Raises:
            TypeError, ValueError: as for a call, or the function returns several Values, or has
                no finite derivative on a row, which the message names.
            TraceError: as for a call.

        >>> from autograd import Value, compile
        >>> w = Value(2.0)
        >>> compile(lambda x: (w * x - 1.0) ** 2).value_and_grad([0.0, 1.0])
        (1.0, array([1.]))
        """
        version, rows, outputs, gradient = self._run(
            arguments, static, gradient=True, what="a gradient"
        )
        if version.steep and not are_finite(gradient):
            self._raise_gradient_errors(version, rows)
        found = (
            version.arrange_by_row(rows, outputs) if version.trace.shape else _compute_mean(outputs)
        )
        return found, gradient[: version.gradient_size]

    def descend(
        self, *arguments: Any, size: int, step: Callable[[np.ndarray], object], **static: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        """Compute what `value_and_grad` does for one batch of rows after the other.

        After each batch, `step` is called with its gradient, and may move the parameters: this is
        gradient descent. It may change neither the rows nor anything else that the function reads.
        What `value_and_grad` checks in each call is checked once, after the last batch, so a short
        step takes less time. NumPy's warnings are off meanwhile.

        Args:
            arguments: rows, as for `value_and_grad`.
            size: the number of rows in a batch; the last batch has the rest.
            step: a function of a gradient, shape (m,), one number for each parameter.
            static: static arguments, by name.

        Returns:
            The mean of the output over each batch, shape (batches,), and the gradients, (batches,
            m). With `has_aux`, the outputs for each row, (n, k), and the gradients.

        Raises:
            TypeError, ValueError: as for `value_and_grad`; or `size` is not a whole number above
                0, `step` is not a function, or it changes what the function reads; or the function
                draws random numbers (see `drawn`).
            ArithmeticError: a number is not finite, or the function is not defined on a row. The
                parameters have moved then. Restore them, and call `value_and_grad` for each batch:
                its error names the row.

        >>> from autograd import Value, compile
        >>> w = Value(0.0)
        >>> cost = compile(lambda x, y: (w * x - y) ** 2)
        >>> def step(gradient):
        ...     w.data -= 0.25 * gradient[0]
        >>> values, gradients = cost.descend([1.0, 2.0], [3.0, 4.0], size=1, step=step)
        >>> values, gradients.ravel(), w.data
        (array([9., 1.]), array([-6., -4.]), 2.5)
        """
        size = boundary.whole(size, "size, the rows of a batch,")
        boundary.function(step, "step is a function of a gradient")
        code, version, rows = self._prepare(arguments, static, "a gradient")
        if version.trace.samplers:
            raise ValueError(
                "the function draws random numbers, which cannot be drawn again if a check fails "
                "at the end: call value_and_grad for each batch"
            )
        if modes.setting("watching"):
            step = code._make_watched(rows, size, step)
        outputs, gradients = version.run_batches(rows, size, step)
        if code._steady is None and not version.guard.holds():
            raise ValueError(
                "a step changed something that the function reads, other than the parameters: call "
                "value_and_grad for each batch, which sees it"
            )
        if not (version.accepts(outputs) and are_finite(gradients)):
            raise ArithmeticError(
                "a number in one of the batches is not finite, or the function is not defined on a "
                "row: restore the parameters, and call value_and_grad for each batch"
            )
        if version.trace.shape:
            return version.arrange_by_row(rows, outputs), gradients
        starts, width = range(0, rows.size, size), size if version.depends_on_rows else 1
        return np.array([_compute_mean(outputs[:, i : i + width]) for i in starts]), gradients

    def _make_watched(
        self, rows: Arguments, size: int, step: Callable[[np.ndarray], object]
    ) -> Callable[[np.ndarray], object]:
        """Return `step` with what `detect_anomaly` checks of each batch before it."""
        starts = iter(range(0, rows.size, size))

        def watched(gradient: np.ndarray) -> None:
            start = next(starts)
            self._watch(rows, gradient, range(start, min(start + size, rows.size)))
            step(gradient)

        return watched

    def _run(
        self,
        arguments: tuple[Any, ...],
        static: Mapping[str, Any],
        gradient: bool,
        what: str = "",
    ) -> tuple[Version, Arguments, np.ndarray, np.ndarray]:
        """Return the code for these arguments, the rows, the computed numbers and the gradient.

        The engine raises the errors of rows. `what` is as for `_prepare`.
        """
        code, version, rows = self._prepare(arguments, static, what)
        outputs, slopes = version.run(rows, gradient)
        if modes.setting("watching"):
            code._watch(rows, slopes, range(rows.size))
        code._raise_row_errors(version, rows, outputs)
        return version, rows, outputs, slopes

    def _prepare(
        self, arguments: tuple[Any, ...], static: Mapping[str, Any], what: str
    ) -> tuple[Compiled, Version, Arguments]:
        """Return the function for these static arguments, its code and the rows.

        `what` names the result that is asked for, if only a function that returns one Value has it.
        """
        if tracer := modes.find_tracer():
            tracer.refuse(
                "a compiled function is called",
                "call the function itself, as .function of what was compiled",
            )
        if self._splitter or static:
            code, arguments = self._specialise(arguments, static)
            found = code._prepare(arguments, {}, what)
            self._last = code._last
            return found
        rows = convert_arguments(arguments, self._options.dtype)
        version = self._find_version(rows)
        if what and version.trace.shape != () and not self._options.has_aux:
            raise ValueError(
                f"{what} is that of one Value, and the function returns "
                f"{len(version.trace.outputs)}: return their sum, or give has_aux=True for that "
                f"of the first"
            )
        return self, version, rows

    def _watch(self, rows: Arguments, slopes: np.ndarray, which: range) -> None:
        """Run rows in the engine, under `detect_anomaly`: the engine checks every operation."""
        for row in which:
            with in_row(row):
                record_trace(self.function, rows.take_row(row))
        if not np.isfinite(slopes).all():
            raise FloatingPointError("the gradient is not finite")

    def _raise_row_errors(self, version: Version, rows: Arguments, outputs: np.ndarray) -> None:
        """Run rows that fail a check, or are not finite, in the engine, which raises the error."""
        if version.accepts(outputs):
            return
        failing, wrong = version.mark_rows(outputs)
        for row in np.flatnonzero(failing | wrong).tolist():
            if failing[row] or version.may_raise(rows.keep_row(row)):
                with in_row(row):
                    record_trace(self.function, rows.take_row(row))

    def _raise_gradient_errors(self, version: Version, rows: Arguments) -> None:
        """Differentiate rows whose gradient is not finite in the engine, which raises the error."""
        for row in range(rows.size):
            _, gradient = version.run(rows.keep_row(row), gradient=True)
            if not np.isfinite(gradient).all():
                with in_row(row):
                    cost = record_trace(self.function, rows.take_row(row)).outputs[0]
                    gradients(cost, by=version.program.params)

    def while_unchanged(self) -> Compiled:
        """Return this function for as long as nothing that it reads changes.

        Each call of a compiled function checks whether what the function reads has changed. That
        can take longer than the code itself. The returned function checks only in its first call
        for arguments of each shape. It still uses the current numbers of the parameters. What is
        changed later, also by another thread and by a setting such as a mode, it does not see: ask
        for a new one then, which shares the code that still fits.

        Two kinds of functions are checked in every call, because code of their own runs between:
        functions that draw (see `drawn`), and those with static arguments.

        >>> from autograd import Value, compile
        >>> w = Value(2.0)
        >>> quick = compile(lambda x: w * x).while_unchanged()
        >>> for w.data in (2.0, 3.0):
        ...     quick([1.0])
        array([2.])
        array([3.])
        """
        found = Compiled(self.function, self._given_params, self._options)
        found._versions, found._codes, found._steady = self._versions, self._codes, {}
        return found

    # ------------------------------------------------------------------ inspection

    @fitted
    def __repr__(self) -> str:
        called = getattr(self, "__name__", type(self.function).__name__)
        if self._last is None:
            return f"<compiled {called}, which was not called yet>"
        return f"<compiled {called}: {self.explain().splitlines()[0]}, which .source shows>"

    def _repr_html_(self) -> str | None:
        """Return the source and its explanation as HTML; None, for plain text, before a call."""
        if self._last is None:
            return None
        summary, *statements = self.explain().splitlines()
        return block(code(self.source), details(summary, code("\n".join(statements))))

    @property
    def params(self) -> list[Value]:
        """The parameters, in the order of the gradient.

        Raises:
            ValueError: they are unknown before the first call.
        """
        if self._given_params is not None:
            return self._given_params
        version = self._get_latest()
        return version.program.params[: version.gradient_size]

    @property
    def graph(self) -> Any:
        """The scalar graph of the last call's code: the returned Value, or the list of them.

        >>> from autograd import compile
        >>> square = compile(lambda x: x * x)
        >>> _ = square([1.0, 2.0])
        >>> square.graph.op
        <operation mul>
        """
        outputs = self._get_latest().trace.outputs
        return outputs[0] if self._get_latest().trace.shape == () else outputs

    @property
    def program(self) -> Program:
        """The scalar program of the last call, as data."""
        return self._get_latest().program

    @property
    def source(self) -> str:
        """The NumPy source of the last call."""
        return self._get_latest().source

    def explain(self) -> str:
        """Return a text that lists the array statements, and the scalar operations they replace.

        >>> from autograd import compile
        >>> square = compile(lambda x: x * x)
        >>> _ = square([1.0, 2.0])
        >>> print(square.explain())
        1 scalar operations became 1 array statements...
        """
        version = self._get_latest()
        scalars = sum(1 for node in version.trace.nodes if node.args)
        statements = version.array_program.statements
        lines = [f"{scalars:,} scalar operations became {len(statements)} array statements"]
        lines += [f"  {statement}" for statement in statements]
        return shown("\n".join(lines))

    def save(self, path: str | os.PathLike[str]) -> str:
        """Write the code of the last call as a Python file that needs NumPy alone.

        The file holds the source, the current numbers `theta` of the parameters, and two functions:
        `predict(x, ...)` returns what a call returns, and `value_and_grad(theta, x, ...)` what the
        method of this name returns. Long arrays are written to a file `.npz` beside it.
        The file is run and compared with the code before it is written.

        A row on which the function is not defined gives NaN or infinity there, and no error.

        Args:
            path: the file to write, as in "model.py".

        Returns:
            The path.

        Raises:
            ValueError: nothing is compiled yet, or the code draws random numbers or calls an
                operation that has no form for arrays.
            OSError: a file cannot be written; an existing file is then unchanged.
        """
        version = self._get_latest()
        has_gradient = bool(version.program.params) and (
            version.trace.shape == () or self._options.has_aux
        )
        title = getattr(self, "__name__", type(self.function).__name__)
        return save(version, title, boundary.path(path), has_gradient)

    def retrace(self) -> None:
        """Discard the compiled code, so that the next call traces the function again."""
        for codes in (self._versions, self._codes, self._steady or {}):
            codes.clear()

    def _get_latest(self) -> Version:
        if self._last is None:
            raise ValueError("nothing is compiled yet: call the function first")
        return self._last

    # ------------------------------------------------------------------ compiling

    def _specialise(
        self, arguments: tuple[Any, ...], static: Mapping[str, Any]
    ) -> tuple[Compiled, tuple[Any, ...]]:
        """Return the compiled function for these static arguments, and the other arguments."""
        splitter = self._splitter or Splitter(self.function, ())
        fixed, arguments = splitter.split(arguments, static)
        key = splitter.make_key(fixed)
        code = self._codes.pop(key, None)
        if code is None:
            options = replace(self._options, static=())
            code = Compiled(splitter.bind(self.function, fixed), self._given_params, options)
        self._codes[key] = code
        if len(self._codes) > STATICS:
            del self._codes[next(iter(self._codes))]
        return code, arguments

    def _find_version(self, rows: Arguments) -> Version:
        """Return the code for these shapes and for what the function reads now."""
        if self._steady and rows.shapes in self._steady:
            self._last = self._steady[rows.shapes]
            return self._last
        known = self._versions.setdefault(rows.shapes, [])
        for version in known:
            if version.guard.holds():
                break
        else:
            version = make_version(self.function, self._given_params, self._options, rows)
        if not known or version is not known[0]:  # keep the most recently used first
            others = [other for other in known if other is not version]
            known[:] = [version, *others[: VERSIONS - 1]]
        if self._steady is not None and not version.trace.samplers:
            self._steady[rows.shapes] = version
        self._last = version
        return version


def _find_global(function: Any) -> Any:
    """Return what a module holds by the function's name: its decorated form, if it has one."""
    found: Any = sys.modules.get(getattr(function, "__module__", None) or "")
    for name in getattr(function, "__qualname__", "<unknown>").split("."):
        found = getattr(found, name, None)
    return found


def _compute_mean(outputs: np.ndarray) -> float:
    """Return the mean of the first output over the rows."""
    if outputs.shape[1] == 1:
        return float(outputs[0, 0])
    with np.errstate(all="ignore"):
        return float(np.add.reduce(outputs[0] / outputs.shape[1]))
