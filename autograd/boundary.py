"""What may become a number: the one place where foreign scalars are let in."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np


def is_real(value: Any) -> bool:
    """Whether `value` is one real number: Python's, a fraction, or a NumPy scalar."""
    return isinstance(value, (numbers.Real, np.bool_))


def knows_no_values(x: Any) -> bool:
    """Whether `x` is of a type that cannot have learned to compute with Values.

    >>> import numpy as np
    >>> knows_no_values("3"), knows_no_values(None), knows_no_values(np.array([3.0]))
    (True, True, False)
    """
    return type(x).__module__ == "builtins" or isinstance(x, numbers.Number)


def as_float(value: Any, what: str = "Value") -> float:
    """The exact `float` behind any real scalar, or an error that says how to get one.

    >>> import numpy as np
    >>> as_float(np.float32(0.5)), as_float(True), as_float(np.array([3]))
    (0.5, 1.0, 3.0)
    """
    if type(value) is float:
        return value
    if is_real(value):
        try:
            return float(value)
        except OverflowError:
            raise OverflowError(
                f"{what} got a number beyond the largest float, about 1.8e308: scale it down first"
            ) from None
    if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "fiub":
        return float(value.item())
    raise TypeError(f"{what} expected one real number, got {_described(value)}: {_remedy(value)}")


def _described(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.size} elements ({value.dtype}, shape {value.shape})"
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 40 else text[:39] + '…'}"


def _remedy(value: Any) -> str:
    if hasattr(value, "_apply"):
        return "use its .data where a number belongs, as in w.data -= 0.1 * w.grad"
    if isinstance(value, str):
        return "convert it first, as in float('3')"
    if isinstance(value, numbers.Complex):
        return "pass its .real or .imag part"
    if isinstance(value, (np.ndarray, list, tuple)):
        return "make one Value for each, as in [Value(x) for x in xs]"
    return "pass an int, a float or a NumPy scalar"
