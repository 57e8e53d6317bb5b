"""Checks for training data: tables of features X, images, or sequences, and lists of targets y.

Every public function that takes X or y checks them here first.
"""

from __future__ import annotations

import functools
import numbers
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import Value

from .settings import are_finite, finite, refuse_masked
from .tables import as_table, checked_sequences, differ, groups

Example = tuple[list[Any], Any]


@dataclass(frozen=True, eq=False)
class Examples:
    """A checked table of examples. Item i is the pair (features as a list, target).

    Attributes:
        X: the features, shape (n, nin), or images, shape (n, channels, height, width); sequences
            of different lengths are an array of arrays.
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
        return cls(rows, targets(y, len(rows), differ(rows)), table=table)

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, i: int) -> Example:
        return self.X[i].tolist(), self.y[i]

    def __iter__(self) -> Iterator[Example]:
        return (self[i] for i in range(len(self)))

    @functools.cached_property
    def targets(self) -> np.ndarray:
        """The targets as an array; as an array of arrays, if they differ in shape."""
        return as_table(self.y)

    @functools.cached_property
    def vary(self) -> bool:
        """True if the examples may differ in shape."""
        return differ(self.X) or differ(self.targets)

    def groups(self, order: Iterable[int]) -> list[list[int]]:
        """Return the indices in `order` in groups of examples of one shape."""
        return groups(order, self.X, self.targets)

    def batches(self, order: Any, size: int) -> list[Any]:
        """Cut an order of the examples into batches, each with examples of one shape.

        A batch is complete when it has `size` examples; incomplete ones come last. If `size` is the
        number of all examples, they are one batch.

        Args:
            order: indices, as a list or an array.
            size: the number of examples in a batch.

        >>> examples = Examples.of([[0], [1, 2], [3], [4, 5], [6]], [0, 1, 0, 1, 1])
        >>> examples.batches([4, 3, 2, 1, 0], 2)
        [[4, 2], [3, 1], [0]]
        """
        groups = self.groups(order) if self.vary else [order]
        if len(groups) == 1:
            return [order[i : i + size] for i in range(0, len(order), size)]
        if size >= len(order):
            return [[i for group in groups for i in group]]
        batches = [g[i : i + size] for g in groups for i in range(0, len(g), size)]
        place = {i: k for k, i in enumerate(order)}
        return sorted(batches, key=lambda batch: (len(batch) < size, place[batch[-1]]))

    def first(self, count: int) -> Examples:
        """Return the first `count` examples, or all if there are fewer."""
        return self.chosen(range(min(count, len(self))))

    def chosen(self, order: Sequence[int]) -> Examples:
        """Return the examples with these indices, in this order."""
        rows = [self._row(i) for i in order]
        return Examples(self.X[list(order)], [self.y[i] for i in order], rows, self.table)

    def extremes(self) -> list[int]:
        """Return the indices of the examples with the smallest and the largest numbers.

        >>> Examples.of([[5.0], [7.0], [1.0]], [0, 2, 1]).extremes()
        [0, 1, 2]
        """
        found = set()
        for table in (self.X, self.targets):
            for find in (np.min, np.max):
                numbers = (
                    [find(row) for row in table]
                    if differ(table)
                    else find(table.reshape(len(table), -1), axis=1)
                )
                found |= {int(np.argmin(numbers)), int(np.argmax(numbers))}
        return sorted(found)

    def kinds(self) -> list[int]:
        """Return the index of the first example for each distinct target.

        Of sequences of different lengths, it is the first for each shape.

        >>> Examples(np.zeros((4, 1)), [1, 0, 1, 2]).kinds()
        [0, 1, 3]
        """
        if differ(self.X):
            return [group[0] for group in self.groups(range(len(self)))]
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
    order = shuffled(len(examples), f"{seed}, validation")
    return examples.chosen(order[count:]), examples.chosen(order[:count])


def shuffled(count: int, name: str) -> list[int]:
    """Return the numbers from 0 to `count` − 1 in an order drawn at random, with `name` as seed.

    It is the order of `random.Random(name).sample(range(count), count)`, in half the time: that
    calls a function of Python for each number.

    >>> shuffled(5, "0, epoch 1")
    [4, 3, 2, 0, 1]
    """
    bits_of = random.Random(name).getrandbits
    left, order = list(range(count)), []
    for size in range(count, 0, -1):
        bits = size.bit_length()
        place = bits_of(bits)
        while place >= size:
            place = bits_of(bits)
        order.append(left[place])
        left[place] = left[size - 1]
    return order


def features(X: Any, rows_only: bool = False) -> np.ndarray:
    """Check the features and return them as an array of floats, shape (n, nin).

    Unless `rows_only`, X may also be images, shape (n, channels, height, width), or signals
    or sequences, shape (n, channels, length) or (n, positions, width). Sequences of different
    lengths are returned as an array of arrays; each is a list of tokens, or of vectors.

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
    array = _numeric(X, "X", may_differ=not rows_only)
    if differ(array):
        _refuse_infinite_sequences(array)
        return array
    if array.ndim != 2 and (rows_only or array.ndim not in (3, 4)):
        shown = "model.predict([row])" if array.ndim == 1 else "X.reshape(len(X), -1)"
        raise ValueError(
            f"X has shape {array.shape}, expected rows of features, (n, nin); as in {shown}"
        )
    if array.size == 0:
        raise ValueError(f"X has shape {array.shape}: there is nothing in it")
    if not are_finite(array):
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        names = {2: "row column", 3: "example row column", 4: "image channel row column"}[
            array.ndim
        ]
        words = ", ".join(f"{name} {i}" for name, i in zip(names.split(), place))
        raise ValueError(
            f"X{list(place)} ({words}) is {array[place]}: every feature must be a finite number"
        )
    return array


def targets(y: Any, n: int, may_differ: bool = False) -> list[Any]:
    """Check the targets of n rows and return them as a list.

    Integers stay integers, because they can be class indices. If `may_differ`, targets may be
    sequences of different lengths.

    Raises:
        TypeError: y is not made of numbers.
        ValueError: y does not have n targets, or a target is not finite.

    >>> targets(np.array([0, 2, 1]), 3)
    [0, 2, 1]
    """
    array = _numeric(y, "y", may_differ)
    if array.ndim == 0 or len(array) != n:
        count = "one number" if array.ndim == 0 else f"{len(array)} target(s)"
        raise ValueError(f"X has {n} row(s) and y has {count}: give one target for each row")
    if differ(array):
        return [_target(row, i) for i, row in enumerate(y)]
    if not np.isfinite(array).all():
        row = int(np.argwhere(~np.isfinite(array))[0][0])
        raise ValueError(f"y[{row}] is {array[row]}: every target must be finite")
    found: list[Any] = np.asarray(y).tolist()
    return found


def _target(row: Any, i: int) -> Any:
    """Check the targets of one sequence and return them as a list."""
    array = np.asarray(row)
    if not np.isfinite(array).all():
        raise ValueError(f"y[{i}] is {array.tolist()}: every target must be finite")
    return array.tolist()


def _refuse_infinite_sequences(X: np.ndarray) -> None:
    for i, sequence in enumerate(X):
        if not np.isfinite(sequence).all():
            place = [i, *np.argwhere(~np.isfinite(sequence))[0].tolist()]
            raise ValueError(f"X{place} is not finite: every feature must be a finite number")


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


def _numeric(data: Any, what: str, may_differ: bool = False) -> np.ndarray:
    """Return X or y as an array of floats; `what` is its name in errors.

    If `may_differ`, sequences of different lengths are accepted.
    """
    refuse_masked(data, what)
    if isinstance(data, np.ndarray) and data.dtype == object and data.ndim == 1:
        data = data.tolist()
    try:
        array = np.asarray(data)
    except ValueError:
        if may_differ and (found := checked_sequences(data, what)) is not None:
            return found
        shapes = sorted({str(np.shape(row) or "a number") for row in data if _has_shape(row)})
        raise ValueError(f"the rows of {what} differ in shape: {', '.join(shapes)}") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(
            f"{what} must be made of real numbers, got {array.dtype} data: {data!r:.60}"
        )
    return array.astype(np.float64, copy=False)
