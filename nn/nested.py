"""Nested lists of one shape: what shape they have, their items in one list, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .settings import several


class SizeError(ValueError):
    """What comes into a module has a shape that does not fit; `Sequential` says what made it."""


def shape_of(x: Any, what: str) -> tuple[int, ...]:
    """Return the shape of nested lists; () for a single number or Value.

    Args:
        x: nested lists, or a number, or a Value.
        what: their name in errors.

    Raises:
        TypeError: x holds something other than lists.
        ValueError: lists differ in shape, or one is empty.

    >>> shape_of([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "a table")
    (2, 3)
    """
    if not hasattr(x, "__len__"):
        return ()
    items = several(x, f"{what} is nested lists of Values or numbers")
    shapes = [shape_of(item, what) for item in items]
    if len(set(shapes)) != 1:
        raise ValueError(f"the rows of {what} are of one length and not empty; got {x!r:.60}")
    return len(shapes), *shapes[0]


def items_of(x: Any) -> Iterator[Any]:
    """Yield the items of nested lists, from left to right. A string is one item.

    >>> list(items_of([[1.0, 2.0], [3.0, 4.0]]))
    [1.0, 2.0, 3.0, 4.0]
    """
    if hasattr(x, "__len__") and not isinstance(x, (str, bytes)):
        for inner in x:
            yield from items_of(inner)
    else:
        yield x


def nested(shape: Sequence[int], make: Callable[..., Any]) -> Any:
    """Return nested lists of a shape; each item is what `make` returns for its indices.

    >>> nested((2, 3), lambda i, j: 10 * i + j)
    [[0, 1, 2], [10, 11, 12]]
    """
    if not shape:
        return make()
    size, *inner = shape
    return [nested(inner, lambda *rest, i=i: make(i, *rest)) for i in range(size)]
