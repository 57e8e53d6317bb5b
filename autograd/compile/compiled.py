"""`compile`: a function of Values as matrix code, and the code for a person to read."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import ops
from ..value import Value
from . import program as passes
from .emit import Source, written
from .program import Program
from .roll import Rolled, rolled
from .trace import Traced, same, trace


@dataclass(frozen=True)
class Version:
    """What a function was compiled to for arguments of one shape.

    Attributes:
        traced: the scalar graph.
        program: the graph as data, after the passes.
        rolled: the program as array statements.
        sources: the code, of the value and of value and gradient.
    """

    traced: Traced
    program: Program
    rolled: Rolled
    value: Callable[..., Any]
    value_source: str
    value_and_grad: Callable[..., Any] | None
    grad_source: str


def compile(
    function: Callable[..., Any] | None = None,
    *,
    params: Iterable[Value] | None = None,
    has_aux: bool = False,
) -> Any:
    """A function of Values, written for one example, that runs over rows of arrays at once.

    The first call traces it: runs it on Values, and looks at the graph. The scalars that compute
    alike become arrays, the sums of products become matrix products, and the code is written,
    compiled and kept for arguments of the same shapes.

    Args:
        function: takes Values or lists of Values; returns a Value or a list of them.
        params: what the gradient is by; by default the function's `parameters()` if it has any,
            else the Values that it closes over, in the order first met.
        has_aux: the function returns a cost first, and then what else is wanted; the gradient is
            that of the cost.

    Returns:
        A `Compiled` function; without `function`, a decorator.

    Raises:
        TypeError: `function` is not callable.

    >>> from autograd import Value
    >>> w, b = Value(2.0, label="w"), Value(1.0, label="b")
    >>> cost = compile(lambda x, y: (w * x + b - y) ** 2)
    >>> cost([1.0, 2.0], [3.0, 4.0])
    0.5
    >>> value, gradient = cost.value_and_grad([1.0, 2.0], [3.0, 4.0])
    >>> gradient
    array([2., 1.])
    """
    if function is None:
        return functools.partial(compile, params=params, has_aux=has_aux)
    if not callable(function):
        raise TypeError(f"compile takes a function of Values, got {function!r}")
    if params is None and hasattr(function, "parameters"):
        params = function.parameters()
    return Compiled(function, None if params is None else list(params), has_aux)


class Compiled:
    """A function of Values as matrix code; see `compile`.

    Attributes:
        function: what was compiled.
        params: the parameters, once known; their data are read at each call.
    """

    def __init__(
        self, function: Callable[..., Any], params: list[Value] | None, has_aux: bool = False
    ) -> None:
        self.function = function
        self._given, self._has_aux = params, has_aux
        self._versions: dict[tuple[Any, ...], Version] = {}
        self._last: Version | None = None
        functools.update_wrapper(self, function, updated=())

    @property
    def params(self) -> list[Value]:
        """The parameters, in the order of the gradient.

        Raises:
            ValueError: they are not known before the first call.
        """
        return self._given if self._given is not None else self._latest().program.params

    @property
    def program(self) -> Program:
        """The scalar program of the last call, as data."""
        return self._latest().program

    @property
    def source(self) -> str:
        """The NumPy code of the last call."""
        return self._latest().grad_source or self._latest().value_source

    def explain(self) -> str:
        """How many scalar nodes became which array statement."""
        version = self._latest()
        scalars = sum(1 for node in version.traced.order if node.args)
        lines = [
            f"{scalars:,} scalar operations became {len(version.rolled.statements)} statements"
        ]
        for statement in version.rolled.statements:
            lines.append(
                f"{statement.count:>10,} × {statement.op.name:<12} → {statement.out.name}, "
                f"{statement.out.size:,} number{'s' if statement.out.size > 1 else ''}"
                f"{' a row' if statement.out.batched else ''}"
            )
        return "\n".join(lines)

    def __call__(self, *arguments: Any) -> Any:
        """The outputs for each row, (n, k) or (n,); of one output the mean over the rows.

        Raises:
            TypeError, ValueError: the arguments are no arrays of numbers with the same rows.
            TraceError: the function depends on values in a way that cannot be compiled.
        """
        arrays = _arrays(arguments)
        version = self._version(arrays)
        outputs = np.asarray(version.value(*self._columns(version, arrays)))
        if not np.isfinite(outputs).all():
            self._explain_what_is_not_finite(arrays, outputs)
        return _by_rows(outputs, version, arrays)

    def value_and_grad(self, *arguments: Any) -> tuple[Any, np.ndarray]:
        """The mean of the one output over the rows, and its gradient by the parameters.

        With `has_aux` the outputs of each row, (n, k), and the gradient of the mean of the first.

        Raises:
            TypeError, ValueError: as for a call, or the function returns several Values.
            TraceError: as for a call.
        """
        arrays = _arrays(arguments)
        version = self._version(arrays)
        if version.value_and_grad is None:
            raise ValueError(
                f"a gradient is that of one Value, and the function returns "
                f"{len(version.traced.outputs)}"
            )
        outputs, gradient = version.value_and_grad(*self._columns(version, arrays))
        if not np.isfinite(outputs).all():
            self._explain_what_is_not_finite(arrays, outputs)
        wanted = len(version.program.params) if self._given is None else len(self._given)
        return _by_rows(outputs, version, arrays), gradient[:wanted]

    # ------------------------------------------------------------------ versions

    def _latest(self) -> Version:
        if self._last is None:
            raise ValueError("nothing is compiled yet: call the function first")
        return self._last

    def _columns(self, version: Version, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """The arguments with their rows along the last axis, (k, n); what is drawn; theta."""
        columns = [array.reshape(len(array), -1).T for array in arrays]
        if samplers := version.traced.samplers:
            rows = range(len(arrays[0]) if arrays else 1)
            columns.append(np.array([[draw() for draw in samplers] for _ in rows]).T)
        theta = np.array([p.data for p in version.program.params], dtype=float)
        return [*columns, theta]

    def _version(self, arrays: list[np.ndarray]) -> Version:
        shapes = tuple(array.shape[1:] for array in arrays)
        if shapes not in self._versions:
            self._versions[shapes] = self._compiled(arrays)
        self._last = self._versions[shapes]
        return self._last

    def _compiled(self, arrays: list[np.ndarray]) -> Version:
        traced = trace(self.function, [array[0] for array in arrays])
        same(traced, trace(self.function, [_another(array) for array in arrays]))
        given = self._given or []
        known = {id(p) for p in given}
        params = [*given, *(p for p in _closed_over(traced) if id(p) not in known)]
        scalar = passes.recorded(traced, params)
        for improve in (passes.shared, passes.folded, passes.shared, passes.gathered):
            scalar = improve(scalar)
        arrays_program = rolled(scalar)
        value, value_source = _made(written(arrays_program, gradient=False))
        value_and_grad, grad_source = None, ""
        if traced.shape == () or self._has_aux:
            value_and_grad, grad_source = _made(written(arrays_program, gradient=True))
        return Version(
            traced, scalar, arrays_program, value, value_source, value_and_grad, grad_source
        )

    def _explain_what_is_not_finite(self, arrays: list[np.ndarray], outputs: np.ndarray) -> None:
        """Let the engine compute the first row that went wrong: it says where a number fails."""
        wrong = ~np.isfinite(outputs.reshape(-1, outputs.shape[-1] if outputs.ndim > 1 else 1))
        row = int(np.argmax(wrong.any(axis=0)))
        try:
            trace(self.function, [array[row] for array in arrays])
        except (ArithmeticError, ValueError) as error:
            raise type(error)(f"in row {row}: {error}") from None


def _by_rows(outputs: np.ndarray, version: Version, arrays: list[np.ndarray]) -> Any:
    """The mean of a single output, or a row of outputs for each row of the arguments."""
    if version.traced.shape == ():
        return float(outputs.mean())
    rows = len(arrays[0]) if arrays else 1
    return np.broadcast_to(outputs.reshape(len(outputs), -1), (len(outputs), rows)).T.copy()


def _made(source: Source) -> tuple[Callable[..., Any], str]:
    text = "\n".join(source.lines)
    names = dict(source.names)
    exec(text, names)
    function = names["compiled"]

    def quiet(*arguments: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*arguments)

    return quiet, text


def _arrays(arguments: tuple[Any, ...]) -> list[np.ndarray]:
    arrays = []
    for i, argument in enumerate(arguments):
        try:
            array = np.asarray(argument)
        except ValueError:
            raise ValueError(f"the rows of argument {i} differ in length") from None
        if array.dtype.kind not in "fiub":
            raise TypeError(f"argument {i} is made of {array.dtype} data, expected numbers")
        if array.ndim == 0:
            raise ValueError(f"argument {i} is one number, expected rows: one for each example")
        if len(array) == 0:
            raise ValueError(f"argument {i} has no rows: there is no example in it")
        if array.ndim > 2:
            raise ValueError(f"argument {i} has shape {array.shape}: expected (n,) or (n, k)")
        arrays.append(array.astype(float))
    if len({len(array) for array in arrays}) > 1:
        counts = ", ".join(str(len(array)) for array in arrays)
        raise ValueError(f"the arguments have different numbers of rows: {counts}")
    return arrays


def _another(array: np.ndarray) -> np.ndarray:
    """Numbers unlike those of the first row: another row, or the first one moved a little."""
    for row in array[1:]:
        if not np.array_equal(row, array[0]):
            return np.asarray(row)
    return np.asarray(array[0] * (1.0 + 1e-6))


def _closed_over(traced: Traced) -> list[Value]:
    inputs = {id(leaf) for argument in traced.inputs for leaf in argument}
    return [v for v in traced.order if v.op is ops.leaf and id(v) not in inputs]
