"""Provide `compile`, which checks its settings and returns a `Compiled` function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, overload

import numpy as np

from ..core.boundary import flag, quoted
from ..core.value import Value
from .compiled import Compiled, check_params, make_compiled
from .stages import Options
from .static import check_static

FLOATS = ("float64", "float32")


@overload
def compile(
    function: Callable[..., Any],
    *,
    params: Iterable[Value] | None = ...,
    has_aux: bool = ...,
    allow_unused: bool = ...,
    dtype: Any = ...,
    static: Any = ...,
) -> Compiled: ...


@overload
def compile(
    function: None = None,
    *,
    params: Iterable[Value] | None = ...,
    has_aux: bool = ...,
    allow_unused: bool = ...,
    dtype: Any = ...,
    static: Any = ...,
) -> Callable[[Callable[..., Any]], Compiled]: ...


def compile(
    function: Callable[..., Any] | None = None,
    *,
    params: Iterable[Value] | None = None,
    has_aux: bool = False,
    allow_unused: bool = False,
    dtype: Any = np.float64,
    static: Any = (),
) -> Any:
    """Compile a function of Values for one example into NumPy code for many rows at once.

    The first call traces the function: it runs it on Values, and records the graph. Scalars that
    are computed alike become arrays, and sums of products become matrix products. The result is
    written as NumPy source, checked against the engine on the first rows, and kept for arguments
    of the same shapes.

    The parameters stay Values, and each call uses their current numbers: compiling moves these into
    one array, which the code and `Value.data` both read. Everything else that the function reads
    becomes part of the code (specialisation): numbers, Values and functions in its closure, globals
    and defaults, and in attributes and elements of these. Each call checks whether any of it has
    changed since the trace, and if so traces the function again. (A module is thus traced once for
    training and once for evaluation.)

    A function is refused if its runs can differ for another reason than the arguments and the
    parameters: if it reads the number of a Value, draws random numbers (see `drawn`), advances an
    iterator, or changes what it reads, as a counter does. It may store Values that it computed.

    Some changes are not detected: those of `random.SystemRandom`, `secrets`, clocks, files and
    environment variables, if they only decide a branch; the state of installed modules that do not
    use autograd; and lists and arrays of more than 100,000 elements. Pass such data as arguments.

    If an operation is not defined on a row, and an output is not finite there, the call raises the
    error of the engine and names the row. If the outputs are finite, it does not raise: 1/exp(1000)
    is 0, although the engine raises an error for exp(1000).

    Args:
        function: takes Values or lists of Values; returns a Value or a list of them.
        params: the Values to differentiate with respect to. Default: the function's `parameters()`
            if it has them, else the Values that it closes over, in the order of first use.
        has_aux: True if the function returns a cost, then other outputs; the gradient is that of
            the cost.
        allow_unused: True to return the gradient 0 for parameters that the function does not use;
            else they are an error.
        dtype: the dtype of the computation, float64 or float32.
        static: the names or positions of arguments that have no rows, but are the same for all: a
            size, a mode, a text. The function is traced for each value of them, and code for the
            last 32 values is kept. They are hashable; a call may give them by name.

    Returns:
        A `Compiled` function; without `function`, a decorator.

    Raises:
        TypeError: `function` is not callable, a parameter is not a Value that you made, or `dtype`
            is neither float64 nor float32; or `static` holds no names and positions.
        ValueError: a parameter occurs twice, or the function has no such static argument.

    >>> from autograd import Value
    >>> w, b = Value(2.0, label="w"), Value(1.0, label="b")
    >>> cost = compile(lambda x, y: (w * x + b - y) ** 2)
    >>> cost([1.0, 2.0], [3.0, 4.0])
    array([0., 1.])
    >>> cost.mean([1.0, 2.0], [3.0, 4.0])
    0.5
    >>> value, gradient = cost.value_and_grad([1.0, 2.0], [3.0, 4.0])
    >>> gradient
    array([2., 1.])
    >>> power = compile(lambda x, n: x**n, static="n")
    >>> power([1.0, 2.0], 3), power([1.0, 2.0], n=2)
    (array([1., 8.]), array([1., 4.]))
    """
    options = Options(
        flag(has_aux, "has_aux"),
        flag(allow_unused, "allow_unused"),
        _check_dtype(dtype),
        check_static(static),
    )
    known = None if params is None else check_params(params)
    if function is None:
        return lambda function: make_compiled(function, known, options)
    return make_compiled(function, known, options)


def _check_dtype(dtype: Any) -> np.dtype[Any]:
    if isinstance(dtype, (type, np.dtype)) or (isinstance(dtype, str) and dtype in FLOATS):
        kind: np.dtype[Any] = np.dtype(dtype)
        if kind.name in FLOATS:
            return kind
    raise TypeError(f"dtype is float64 or float32, got {quoted(dtype)}")
