"""`value_and_grad`: a function together with its gradient, as in `torch.func` and JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import boundary
from .backprop import gradients
from .value import Value


def value_and_grad(
    function: Callable[..., Any], argnums: int = 0
) -> Callable[..., tuple[float, Any]]:
    """Return a function that returns the number of `function`, and the gradient by an argument.

    Args:
        function: returns one Value.
        argnums: the place of the argument to differentiate by: a number, a Value, an array, or
            lists of these. The gradient has the same form.

    Returns:
        A function of the same arguments, which returns a pair of a float and the gradient.

    Raises:
        TypeError: `function` is not a function.
        ValueError: `argnums` is negative.

    >>> cost = value_and_grad(lambda w, x: (w[0] * x + w[1]) ** 2)
    >>> cost([2.0, 1.0], 3.0)
    (49.0, [42.0, 14.0])
    """
    boundary.function(function, "value_and_grad takes a function")
    place = boundary.whole(argnums, "argnums", least=0)

    def evaluate(*args: Any, **named: Any) -> tuple[float, Any]:
        if place >= len(args):
            raise TypeError(f"argnums is {place}, and {len(args)} argument(s) are given")
        by = _as_values(args[place])
        output = function(*args[:place], by, *args[place + 1 :], **named)
        boundary.instance(output, Value, "the function returns one Value")
        return output.data, _read(by, gradients(output), isinstance(args[place], np.ndarray))

    return evaluate


def _as_values(x: Any) -> Any:
    """Return numbers as Values, in lists of the same form."""
    if isinstance(x, (list, tuple)) or (isinstance(x, np.ndarray) and x.ndim):
        return [_as_values(item) for item in x]
    return x if isinstance(x, Value) else Value(x)


def _read(x: Any, found: dict[Value, float], as_array: bool = False) -> Any:
    """Return the gradients of Values, in lists of the same form, or in an array."""
    if isinstance(x, Value):
        return found.get(x, 0.0)
    read = [_read(item, found) for item in x]
    return np.array(read) if as_array else read
