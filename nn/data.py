"""What is let in: tables of features and columns of targets, checked at the boundary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import Value

from .settings import refuse_masked

Example = tuple[list[float], Any]


@dataclass(frozen=True)
class Examples:
    """Rows of features with their targets; each is a pair of lists when it is asked for.

    Attributes:
        X: the features, shape (n, nin).
        y: n targets.
        rows: where each stood in the table that was given; None if they stand as they did.
        table: what messages put before X and y, as in "validation ".

    >>> examples = Examples(np.array([[0.0, 1.0], [2.0, 3.0]]), [0, 1])
    >>> examples[1], len(examples)
    (([2.0, 3.0], 1), 2)
    """

    X: np.ndarray
    y: list[Any]
    rows: list[int] | None = None
    table: str = ""

    @classmethod
    def of(cls, X: Any, y: Any, table: str = "") -> Examples:
        """The examples in X and y.

        Raises:
            TypeError, ValueError: as for `features` and `targets`.
        """
        rows = features(X)
        return cls(rows, targets(y, len(rows)), table=table)

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, i: int) -> Example:
        return self.X[i].tolist(), self.y[i]

    def __iter__(self) -> Iterator[Example]:
        return (self[i] for i in range(len(self)))

    def first(self, count: int) -> Examples:
        """So many of them, or all if there are fewer."""
        return self.chosen(range(min(count, len(self))))

    def chosen(self, order: Sequence[int]) -> Examples:
        """Some of them, in this order."""
        rows = [self._row(i) for i in order]
        return Examples(self.X[list(order)], [self.y[i] for i in order], rows, self.table)

    def kinds(self) -> list[int]:
        """An example of each kind of target.

        >>> Examples(np.zeros((4, 1)), [1, 0, 1, 2]).kinds()
        [0, 1, 3]
        """
        found: dict[str, int] = {}
        for i, y in enumerate(self.y):
            found.setdefault(repr(y), i)
        return list(found.values())

    def place(self, i: int, column: str = "X") -> str:
        """Where an example stood in the table that was given, as in X[3]."""
        return f"{self.table}{column}[{self._row(i)}]"

    def _row(self, i: int) -> int:
        return i if self.rows is None else self.rows[i]


def features(X: Any) -> np.ndarray:
    """Rows of finite numbers, shape (n, nin).

    Raises:
        TypeError: X is not made of numbers.
        ValueError: X is empty, is not two-dimensional, or has a NaN or an infinity; its row and
            column are named.

    >>> features([[1, 2], [3, float("nan")]])
    Traceback (most recent call last):
    ...
    ValueError: X[1, 1] (row 1, column 1) is nan: every feature must be a finite number
    """
    if isinstance(X, Value) or (isinstance(X, (list, tuple)) and _has_values(X)):
        raise TypeError("X holds Values; pass plain numbers, as in [[v.data for v in row] ...]")
    array = _numeric(X, "X")
    if array.ndim != 2:
        shown = "model.predict([row])" if array.ndim == 1 else "X.reshape(len(X), -1)"
        raise ValueError(
            f"X has shape {array.shape}, expected rows of features, (n, nin); as in {shown}"
        )
    if array.size == 0:
        raise ValueError(f"X has shape {array.shape}: there is nothing in it")
    if not np.isfinite(array).all():
        row, column = (int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(
            f"X[{row}, {column}] (row {row}, column {column}) is {array[row, column]}: "
            f"every feature must be a finite number"
        )
    return array


def targets(y: Any, n: int) -> list[Any]:
    """A target for each of n rows: whole numbers stay whole, so that they can name classes.

    Raises:
        TypeError: y is not made of numbers.
        ValueError: there are more or fewer than n, or one is not finite.

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


def _is_even(row: Any) -> bool:
    try:
        np.shape(row)
    except ValueError:
        return False
    return True


def _numeric(data: Any, what: str) -> np.ndarray:
    refuse_masked(data, what)
    try:
        array = np.asarray(data)
    except ValueError:
        shapes = sorted({str(np.shape(row) or "a number") for row in data if _is_even(row)})
        raise ValueError(f"the rows of {what} differ in shape: {', '.join(shapes)}") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(
            f"{what} must be made of real numbers, got {array.dtype} data: {data!r:.60}"
        )
    return array.astype(np.float64, copy=False)
