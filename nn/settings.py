"""Checks for the settings and arguments of `nn`.

Most come from `autograd.extend.boundary`. A check takes a value and the name that an error calls
it, and returns the value to store.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar, overload

from autograd.extend import boundary

Thing = TypeVar("Thing")


class Checked(Generic[Thing]):
    """A descriptor for an attribute that is checked whenever it is set, in `__init__` or later.

    Args:
        check: a function (value, name) that returns the value to store.
        what: the name for error messages. Default: the attribute's name.

    >>> class Rate:
    ...     lr = Checked(boundary.positive)
    >>> rate = Rate()
    >>> rate.lr = -1.0
    Traceback (most recent call last):
    ...
    ValueError: lr is a positive number, got -1.0
    """

    def __init__(self, check: Callable[[Any, str], Thing], what: str = "") -> None:
        self._check, self._what = check, what

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, owner: None, kind: type) -> Checked[Thing]: ...

    @overload
    def __get__(self, owner: object, kind: type) -> Thing: ...

    def __get__(self, owner: object, kind: type) -> Any:
        return self if owner is None else vars(owner)[self._name]

    def __set__(self, owner: object, x: Any) -> None:
        vars(owner)[self._name] = self._check(x, self._what or self._name)


def optional(check: Callable[[Any, str], Thing]) -> Callable[[Any, str], Thing | None]:
    """Return a check that accepts None as well."""
    return lambda x, what: None if x is None else check(x, what)


are_finite = boundary.are_finite
at_least_zero = boundary.at_least_zero
choice = boundary.choice
finite = boundary.finite
flag = boundary.flag
fraction = boundary.fraction
function = boundary.function
instance = boundary.instance
pair = boundary.pair
path = boundary.path
positive = boundary.positive
quoted = boundary.quoted
real = boundary.real
refuse_masked = boundary.refuse_masked
several = boundary.several
text = boundary.text
whole = boundary.whole
with_options = boundary.with_options


def instance_of(kind: type[Thing], expected: str) -> Callable[[Any, str], Thing]:
    """Return a check that accepts instances of a class."""
    return lambda x, what: instance(x, kind, f"{what} is {expected}")


def function_as(expected: str) -> Callable[[Any, str], Callable[..., Any]]:
    """Return a check that accepts functions and other callables."""
    return lambda x, what: function(x, f"{what} is {expected}")


def look_up(name: object, table: Mapping[str, Thing], what: str) -> Thing:
    """Return the row of a table by its name.

    Raises:
        ValueError: there is no such name. The error gives the nearest names.

    >>> look_up("tahn", {"tanh": 1, "relu": 2}, "activation")
    Traceback (most recent call last):
    ...
    ValueError: there is no activation 'tahn'; the nearest are 'tanh'
    """
    if isinstance(name, str) and name in table:
        return table[name]
    near = difflib.get_close_matches(str(name).lower(), table, n=3) or list(table)
    raise ValueError(f"there is no {what} {name!r}; the nearest are {', '.join(map(repr, near))}")
