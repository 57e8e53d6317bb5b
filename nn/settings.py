"""Settings that a person chose, checked where they come in."""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

Row = TypeVar("Row")


def looked_up(name: object, table: Mapping[str, Row], what: str) -> Row:
    """The row of this name.

    Raises:
        ValueError: there is none; the nearest names are given.

    >>> looked_up("tahn", {"tanh": 1, "relu": 2}, "activation")
    Traceback (most recent call last):
    ...
    ValueError: there is no activation 'tahn'; the nearest are 'tanh'
    """
    if isinstance(name, str) and name in table:
        return table[name]
    near = difflib.get_close_matches(str(name).lower(), table, n=3) or list(table)
    raise ValueError(f"there is no {what} {name!r}; the nearest are {', '.join(map(repr, near))}")


def whole(n: Any, what: str) -> int:
    """A count of at least 1.

    Raises:
        ValueError: it is not.

    >>> whole(16, "nout")
    16
    """
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise ValueError(f"{what} is a whole number of at least 1, got {n!r}")
    return int(n)


def number(x: Any, what: str) -> float:
    """One real number.

    Raises:
        TypeError: it is something else.

    >>> number(np.float32(0.5), "lr")
    0.5
    """
    if not isinstance(x, numbers.Real):
        raise TypeError(f"{what} is a number, got {x!r}")
    return float(x)


def positive(x: Any, what: str) -> float:
    """A number above zero.

    Raises:
        TypeError: it is no number.
        ValueError: it is not above zero, or not finite.

    >>> positive(0.1, "lr")
    0.1
    """
    if not 0.0 < number(x, what) < math.inf:
        raise ValueError(f"{what} is a positive number, got {x!r}")
    return float(x)


def at_least_zero(x: Any, what: str) -> float:
    """A number that may be zero but not less.

    Raises:
        TypeError: it is no number.
        ValueError: it is negative, or not finite.

    >>> at_least_zero(0.9, "momentum")
    0.9
    """
    if not 0.0 <= number(x, what) < math.inf:
        raise ValueError(f"{what} is at least 0, got {x!r}")
    return float(x)


def share(x: Any, what: str) -> float:
    """A number of at least 0 and below 1.

    Raises:
        TypeError: it is no number.
        ValueError: it is outside.

    >>> share(0.5, "p")
    0.5
    """
    if not 0.0 <= number(x, what) < 1.0:
        raise ValueError(f"{what} is at least 0 and below 1, got {x!r}")
    return float(x)
