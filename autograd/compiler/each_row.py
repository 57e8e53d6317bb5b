"""Let a function draw a number, or require something of one, anew for each row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import boundary, modes
from ..core.value import Value, constant
from .errors import make_error
from .tracer import Requirement


def drawn(sampler: Callable[[], float]) -> Any:
    """Draw a random number, which compiled code draws again for each row of each call.

    A compiled function that draws numbers in another way is refused: a number that is drawn while
    the function is traced would be used for all rows.

    Args:
        sampler: a function without arguments that draws the number, such as `random.random`.

    Raises:
        TypeError: `sampler` is not a function.

    >>> drawn(lambda: 0.5)
    0.5
    """
    boundary.function(sampler, "sampler is a function without arguments, as random.random is")
    tracer = modes.find_tracer()
    return tracer.draw(sampler) if tracer else sampler()


def require(
    test: Callable[..., Any],
    *values: Any,
    error: Callable[..., Exception],
    together: bool = False,
) -> None:
    """Raise an error unless a test of some numbers holds, in the engine and in compiled code.

    In a compiled function, an `if` on the number of a Value is refused, because it would be decided
    once for all rows. `require` is decided for every row.

    Args:
        test: `test(*numbers)` is true if the numbers are allowed. It must accept floats and NumPy
            arrays, so write `(p >= 0) & (p <= 1)` and `np.isfinite(p)`, not `and` and
            `math.isfinite`.
        values: Values or plain numbers.
        error: `error(*numbers)` returns the exception to raise if the test fails. Compiled code
            puts the number of the row in front of its text.
        together: True if the test takes all numbers as one array, of shape (k,) or (k, rows). It
            then answers with a reduction over the first axis, such as `x.min(axis=0) >= 0`.

    Raises:
        Exception: the test fails; the exception is the one that `error` returned.
        TypeError: `test` or `error` is not a function, `together` is not a bool, or one of the
            values is not a number.
        TraceError: the function is compiled, and the test of an array does not return one answer
            for each element.

    >>> def root(x):
    ...     require(lambda x: x >= 0.0, x, error=lambda x: ValueError(f"{x} is negative"))
    ...     return x.sqrt()
    >>> root(Value(4.0)).data
    2.0
    >>> import autograd
    >>> autograd.compile(root)([4.0, -9.0])
    Traceback (most recent call last):
    ...
    ValueError: in row 1: -9.0 is negative
    """
    for role, function in (("test", test), ("error", error)):
        if not callable(function):
            raise TypeError(f"{role} of require is a function of numbers, got {function!r}")
    nodes = [v if isinstance(v, Value) else constant(v, "require") for v in values]
    numbers = [v.data for v in nodes]
    required = Requirement(test, nodes, boundary.flag(together, "together"))
    tracer = modes.find_tracer()
    if not required.ask(np.array(numbers) if together else numbers):
        failed = error(*numbers)
        if tracer:
            tracer.raised.append(failed)
        raise failed
    if tracer:
        _check_on_arrays(required, numbers)
        tracer.requirements.append(required)


def _check_on_arrays(required: Requirement, numbers: list[float]) -> None:
    """Raise unless a test accepts arrays, and answers for each row."""
    try:
        answer = required.ask(np.repeat(np.array(numbers)[:, None], 2, axis=1))
    except (TypeError, ValueError):
        answer = None
    if np.shape(answer) != (2,):
        raise make_error(
            "the test of autograd.require answers for one number, and not for an array of them",
            "write (p >= 0) & (p <= 1) and np.isfinite(p), not `and` and math.isfinite",
        )
