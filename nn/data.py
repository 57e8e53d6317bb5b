"""Checks for training data: tables of features X, or images, and lists of targets y.

Every public function that takes X or y checks them here first.
"""

from __future__ import annotations

import numbers
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import Value

from .settings import finite, refuse_masked

Example = tuple[list[Any], Any]


@dataclass(frozen=True, eq=False)
class Examples:
    """A checked table of examples. Item i is the pair (features as a list, target).

    Attributes:
        X: the features, shape (n, nin), or images, shape (n, channels, height, width).
        y: the n targets.
        rows: the index of each example in the user's table; None if it is unchanged.
        table: a prefix for X and y in error messages, such as "validation ".

    >>> examples = Examples(np.array([[0.0, 1.0], [2.0, 3.0]]), [0, 1])
    >>> examples[1], len(examples)
    (([2.0, 3.0], 1), 2)
    """

    X: np.ndarray
    y: list[Any]
    rows: list[int] | None = None
    table: str = ""

    @classmethod
    def of(cls, X: Any, y: Any, table: str = "", rows_only: bool = False) -> Examples:
        """Check X and y and make examples of them. If `rows_only`, refuse images and the like.

        Raises:
            TypeError, ValueError: as for `features` and `targets`.
        """
        rows = features(X, rows_only)
        return cls(rows, targets(y, len(rows)), table=table)

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, i: int) -> Example:
        return self.X[i].tolist(), self.y[i]

    def __iter__(self) -> Iterator[Example]:
        return (self[i] for i in range(len(self)))

    def first(self, count: int) -> Examples:
        """Return the first `count` examples, or all if there are fewer."""
        return self.chosen(range(min(count, len(self))))

    def chosen(self, order: Sequence[int]) -> Examples:
        """Return the examples with these indices, in this order."""
        rows = [self._row(i) for i in order]
        return Examples(self.X[list(order)], [self.y[i] for i in order], rows, self.table)

    def kinds(self) -> list[int]:
        """Return the index of the first example for each distinct target.

        >>> Examples(np.zeros((4, 1)), [1, 0, 1, 2]).kinds()
        [0, 1, 3]
        """
        found: dict[str, int] = {}
        for i, y in enumerate(self.y):
            found.setdefault(repr(y), i)
        return list(found.values())

    def place(self, i: int, column: str = "X") -> str:
        """Return the name of example i in the user's table, such as X[3], for error messages."""
        return f"{self.table}{column}[{self._row(i)}]"

    def _row(self, i: int) -> int:
        return i if self.rows is None else self.rows[i]


def split(examples: Examples, validation: Any, seed: int) -> tuple[Examples, Examples | None]:
    """Return the training examples and the held-out examples; None if there are none.

    Args:
        examples: all examples.
        validation: held-out examples (X, y), or the share of `examples` to hold out, or None.
        seed: the seed of the choice.

    Raises:
        TypeError, ValueError: `validation` is nothing of this, or leaves no examples on one side.

    >>> learned, held_out = split(Examples.of(np.zeros((4, 1)), [1, 0, 1, 2]), 0.25, seed=0)
    >>> len(learned), len(held_out)
    (3, 1)
    """
    if validation is None:
        return examples, None
    if isinstance(validation, (tuple, list)) and len(validation) == 2:
        X, y = validation
        return examples, Examples.of(X, y, "validation ")
    if isinstance(validation, bool) or not isinstance(validation, numbers.Real):
        raise TypeError(f"validation is a pair (X, y), or a share as in 0.2; got {validation!r}")
    count = round(finite(validation, "validation") * len(examples))
    if not 0 < count < len(examples):
        raise ValueError(
            f"validation={validation} of {len(examples)} examples leaves none on one side"
        )
    order = random.Random(f"{seed}, validation").sample(range(len(examples)), len(examples))
    return examples.chosen(order[count:]), examples.chosen(order[:count])


def features(X: Any, rows_only: bool = False) -> np.ndarray:
    """Check the features and return them as an array of floats, shape (n, nin).

    Unless `rows_only`, X may also be images, shape (n, channels, height, width), or signals
    or sequences, shape (n, channels, length) or (n, positions, width).

    Raises:
        TypeError: X is not made of numbers.
        ValueError: X is empty, is none of these, or holds a NaN or an infinity. The error
            names its place.

    >>> features([[1, 2], [3, float("nan")]])
    Traceback (most recent call last):
    ...
    ValueError: X[1, 1] (row 1, column 1) is nan: every feature must be a finite number
    """
    if isinstance(X, Value) or (isinstance(X, (list, tuple)) and _has_values(X)):
        raise TypeError("X holds Values; pass plain numbers, as in [[v.data for v in row] ...]")
    array = _numeric(X, "X")
    if array.ndim != 2 and (rows_only or array.ndim not in (3, 4)):
        shown = "model.predict([row])" if array.ndim == 1 else "X.reshape(len(X), -1)"
        raise ValueError(
            f"X has shape {array.shape}, expected rows of features, (n, nin); as in {shown}"
        )
    if array.size == 0:
        raise ValueError(f"X has shape {array.shape}: there is nothing in it")
    if not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        names = {2: "row column", 3: "example row column", 4: "image channel row column"}[
            array.ndim
        ]
        words = ", ".join(f"{name} {i}" for name, i in zip(names.split(), place))
        raise ValueError(
            f"X{list(place)} ({words}) is {array[place]}: every feature must be a finite number"
        )
    return array


def targets(y: Any, n: int) -> list[Any]:
    """Check the targets of n rows and return them as a list.

    Integers stay integers, because they can be class indices.

    Raises:
        TypeError: y is not made of numbers.
        ValueError: y does not have n targets, or a target is not finite.

    >>> targets(np.array([0, 2, 1]), 3)
    [0, 2, 1]
    """
    array = _numeric(y, "y")
    if array.ndim == 0 or len(array) != n:
        count = "one number" if array.ndim == 0 else f"{len(array)} target(s)"
        raise ValueError(f"X has {n} row(s) and y has {count}: give one target for each row")
    if not np.isfinite(array).all():
        row = int(np.argwhere(~np.isfinite(array))[0][0])
        raise ValueError(f"y[{row}] is {array[row]}: every target must be finite")
    found: list[Any] = np.asarray(y).tolist()
    return found


def _has_values(X: Any) -> bool:
    return any(
        isinstance(item, Value) or (isinstance(item, (list, tuple)) and _has_values(item))
        for item in X
    )


def _has_shape(row: Any) -> bool:
    """Return False for nested lists whose rows differ in length."""
    try:
        np.shape(row)
    except ValueError:
        return False
    return True


def _numeric(data: Any, what: str) -> np.ndarray:
    """Return X or y as an array of floats; `what` is its name in errors."""
    refuse_masked(data, what)
    try:
        array = np.asarray(data)
    except ValueError:
        shapes = sorted({str(np.shape(row) or "a number") for row in data if _has_shape(row)})
        raise ValueError(f"the rows of {what} differ in shape: {', '.join(shapes)}") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(
            f"{what} must be made of real numbers, got {array.dtype} data: {data!r:.60}"
        )
    return array.astype(np.float64, copy=False)
