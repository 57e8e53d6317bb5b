"""Check the arguments of a compiled function, and convert them to arrays.

`Compiled` calls `convert_arguments` on every call. The first axis of every array counts the rows:
a row is one example.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..core.boundary import refuse_masked


class Arguments(NamedTuple):
    """The arguments of one call, as arrays with one row for each example.

    Attributes:
        arrays: one for each argument, of the code's dtype.
        shapes: for each argument, the shape of one row.
        size: the number of rows; 1 without arguments.
    """

    arrays: list[np.ndarray]
    shapes: tuple[tuple[int, ...], ...]
    size: int

    def take_row(self, i: int) -> list[np.ndarray]:
        """Return row `i` of each argument."""
        return [array[i] for array in self.arrays]

    def keep_row(self, i: int) -> Arguments:
        """Return row `i` as arguments with a single row."""
        return self.keep_rows(i, i + 1)

    def keep_rows(self, start: int, stop: int) -> Arguments:
        """Return rows `start` to `stop` as arguments, or those that there are."""
        arrays = [array[start:stop] for array in self.arrays]
        return Arguments(arrays, self.shapes, len(arrays[0]) if arrays else 1)

    def find_other_row(self) -> list[np.ndarray]:
        """Return the first row that differs from row 0, or else row 0 with its numbers changed.

        A second trace with these numbers shows whether the graph depends on the numbers.
        """
        if (i := self.find_different_row()) > 0:
            return self.take_row(i)
        return [np.where(a[0] == 0.0, 1e-9, a[0] * (1.0 - 1e-6)) for a in self.arrays]

    def find_different_row(self) -> int:
        """Return the index of the first row that differs from row 0; 0 if there is none."""
        for i in range(1, self.size):
            if not all(np.array_equal(array[i], array[0]) for array in self.arrays):
                return i
        return 0

    def take_columns(self, start: int, stop: int) -> list[np.ndarray]:
        """Return rows `start` to `stop` of each argument as columns, of shape (k, rows)."""
        arrays = self.arrays
        if stop - start < self.size:
            arrays = [array[start:stop] for array in arrays]
        return [a.T if a.ndim == 2 else a.reshape(len(a), -1).T for a in arrays]


def convert_arguments(arguments: tuple[Any, ...], dtype: np.dtype[Any]) -> Arguments:
    """Convert the arguments of a call to arrays.

    Raises:
        TypeError: an argument does not consist of numbers.
        ValueError: an argument is a single number, has no rows, has rows of different shapes, or
            does not have as many rows as the first argument.

    >>> convert_arguments(([1, 2], [[3.0], [4.0]]), np.dtype(float)).shapes
    ((), (1,))
    """
    arrays = [_convert(argument, i, dtype) for i, argument in enumerate(arguments)]
    if not arrays:
        return Arguments([], (), 1)
    counts = list(map(len, arrays))
    if counts.count(counts[0]) < len(counts):
        raise ValueError(
            f"the arguments have different numbers of rows: {', '.join(map(str, counts))}"
        )
    return Arguments(arrays, tuple([array.shape[1:] for array in arrays]), counts[0])


def _convert(argument: Any, i: int, dtype: np.dtype[Any]) -> np.ndarray:
    if type(argument) is np.ndarray and argument.dtype == dtype and argument.size:
        return argument
    refuse_masked(argument, f"argument {i}")
    try:
        array = np.asarray(argument)
    except ValueError:
        raise ValueError(f"the rows of argument {i} differ in length") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"argument {i} is made of {array.dtype} data, expected numbers")
    if array.ndim == 0:
        raise ValueError(f"argument {i} is one number, expected rows: one for each example")
    if len(array) == 0:
        raise ValueError(f"argument {i} has no rows: there is no example in it")
    if array.dtype.kind != "f":
        return array.astype(dtype)
    with np.errstate(over="ignore"):  # a number too large for float32 becomes infinite
        return array.astype(dtype, copy=False)
