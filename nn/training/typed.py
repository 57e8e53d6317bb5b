"""Converting parsed JSON to dataclasses, with every field checked against its type hint.

History and checkpoints are loaded with it, so that a damaged file raises an error that names the
wrong field.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import types
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from ..settings import quoted

Class = TypeVar("Class")
WORDS = {int: "a whole number", float: "a finite number", str: "a text", bool: "true or false"}


def typed(numbers: Any, kind: type[Class], what: str) -> Class:
    """Make an instance of a dataclass from a parsed JSON object, as `dataclasses.asdict` made it.

    A missing field takes its default.

    Args:
        numbers: the parsed JSON.
        kind: the dataclass.
        what: the name of the object in error messages.

    Raises:
        ValueError: a field is unknown, is missing and has no default, does not match its type
            hint, or holds a number that is not finite.

    >>> @dataclasses.dataclass
    ... class Line:
    ...     slope: float
    ...     marks: list[int]
    >>> typed({"slope": 2, "marks": [1, 2]}, Line, "line")
    Line(slope=2.0, marks=[1, 2])
    >>> typed({"slope": 2, "marks": [1, "2"]}, Line, "line")
    Traceback (most recent call last):
    ...
    ValueError: line.marks[1] is a whole number, got '2'
    """
    hints = get_type_hints(kind)
    if not isinstance(numbers, dict):
        raise ValueError(f"{what} is an object, got {quoted(numbers)}")
    unknown = [name for name in numbers if name not in hints]
    if unknown:
        raise ValueError(f"{what} has no {unknown[0]!r}")
    found = {name: _read(x, hints[name], f"{what}.{name}") for name, x in numbers.items()}
    try:
        return kind(**found)
    except TypeError as error:  # a field without a default is missing; the error names it
        raise ValueError(f"{what}: {error}") from None


def _read(x: Any, kind: Any, what: str) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        return _read_one_of(x, get_args(kind), what)
    if kind is Any or (kind is type(None) and x is None):
        return x
    inside = get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return typed(x, kind, what)
    if get_origin(kind) is list and isinstance(x, list):
        return [_read(item, inside[0], f"{what}[{i}]") for i, item in enumerate(x)]
    if get_origin(kind) is dict and isinstance(x, dict):
        return {name: _read(item, inside[1], f"{what}.{name}") for name, item in x.items()}
    if kind is float and type(x) in (int, float) and abs(x) < math.inf:
        return _float(x, what)
    if kind in WORDS and type(x) is kind and kind is not float:
        return x
    raise ValueError(f"{what} is {WORDS.get(kind, kind)}, got {quoted(x)}")


def _read_one_of(x: Any, kinds: tuple[Any, ...], what: str) -> Any:
    for kind in kinds[1:]:  # the first kind comes last: its error is the one to report
        with contextlib.suppress(ValueError):
            return _read(x, kind, what)
    return _read(x, kinds[0], what)


def _float(x: int | float, what: str) -> float:
    try:
        return float(x)
    except OverflowError:
        raise ValueError(f"{what} is beyond the largest float") from None
