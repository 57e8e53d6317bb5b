"""The checks that settings and arguments of `nn` go through: those of `autograd`, and names."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeVar

from autograd import boundary

Row = TypeVar("Row")

at_least_zero = boundary.at_least_zero
choice = boundary.choice
finite = boundary.finite
flag = boundary.flag
function = boundary.function
instance = boundary.instance
number = boundary.number
path = boundary.path
positive = boundary.positive
quoted = boundary.quoted
several = boundary.several
share = boundary.share
text = boundary.text
refuse_masked = boundary.refuse_masked
whole = boundary.whole


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
