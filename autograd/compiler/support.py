"""The functions that the generated source calls besides NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.modes import TraceError
from ..core.ops import Op

COLUMNS = 4096  # of a block of `multiply_long`


class RepeatedIndices:
    """Indices into an array, some of them repeated, for `add_at`.

    Attributes:
        size: the number of elements of the array.
        indices: the indices, flat.
        rounds: the indices in sets without repetition. A set is a pair of arrays: the positions of
            the contributions, and the indices that these are added at.
    """

    def __init__(self, indices: np.ndarray, size: int) -> None:
        self.indices, self.size = indices, size
        order = np.argsort(indices, kind="stable")
        ordered = indices[order]
        starts = np.flatnonzero(np.r_[True, np.diff(ordered) > 0])
        rank = np.arange(len(indices)) - np.repeat(starts, np.diff(np.r_[starts, len(indices)]))
        self.rounds = [
            (order[rank == k], ordered[rank == k]) for k in range(int(rank.max(initial=-1)) + 1)
        ]


def add_at(target: np.ndarray, at: RepeatedIndices, contributions: np.ndarray) -> None:
    """Do the same as `np.add.at(target, at.indices, contributions)`, but faster.

    >>> target = np.zeros((3, 1))
    >>> add_at(target, RepeatedIndices(np.array([0, 2, 0]), 3), np.array([[1.0], [2.0], [3.0]]))
    >>> target.ravel()
    array([4., 0., 2.])
    """
    if target.shape[1] == 1:
        summed = np.bincount(at.indices, contributions[:, 0], at.size)
        target[:, 0] += summed.astype(target.dtype, copy=False)
        return
    for which, where in at.rounds:
        target[where] += contributions[which]


def multiply_long(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return `left @ right.T` for few rows with many columns.

    It is computed in blocks of columns: twice as fast where the processor's cache holds a block of
    both, and not all columns.

    >>> multiply_long(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0], [0.0, 1.0]]))
    array([[11.,  2.]])
    """
    starts = range(0, left.shape[1], COLUMNS)
    blocks = [slice(start, start + COLUMNS) for start in starts]
    found: np.ndarray = sum(left[:, block] @ right[:, block].T for block in blocks)
    return found


def places(indices: np.ndarray, count: int) -> np.ndarray:
    """Return indices as whole numbers that are places in a table of `count` rows.

    An index that is none becomes one; `Compiled` has the engine raise the error for its row.

    >>> places(np.array([[2.0, 3.0, np.nan, -1.0]]), 3)
    array([[2, 2, 0, 0]])
    """
    inside = np.fmin(np.fmax(indices, 0.0), count - 1.0)
    return inside.astype(np.intp)  # type: ignore[no-any-return]


def add_rows(at: np.ndarray, gradients: np.ndarray, count: int) -> np.ndarray:
    """Return the gradient of a table: the gradients of the rows looked up, added at their places.

    Args:
        at: the places, shape (p, rows).
        gradients: those of the results, shape (p, d, rows).
        count: the number of rows of the table.

    >>> add_rows(np.array([[2, 0, 2]]), np.array([[[1.0, 2.0, 3.0]]]), 3).ravel()
    array([2., 0., 4.])
    """
    width = gradients.shape[1]
    elements = at[:, None] * width + np.arange(width)[:, None]
    summed = np.bincount(elements.ravel(), gradients.ravel(), count * width)
    return summed.astype(gradients.dtype, copy=False).reshape(count, width)


def spread(at: np.ndarray, gradients: np.ndarray, count: int) -> np.ndarray:
    """Return the gradient of lists of `count` numbers, of each of which one was looked up.

    Args:
        at: the places, shape (n, rows).
        gradients: those of the results, shape (n, rows).
        count: the number of numbers in each list.

    >>> spread(np.array([[1, 0]]), np.array([[5.0, 6.0]]), 2)
    array([[[0., 6.],
            [5., 0.]]])
    """
    found = np.zeros((len(gradients), count, gradients.shape[1]), gradients.dtype)
    found[_index_chosen(found, at)] = gradients
    return found


def choose(lists: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return one number of each list.

    Args:
        lists: the lists of k numbers, shape (n, k, rows).
        at: the places, shape (n, rows). Each of the two may have one row for all.

    >>> choose(np.array([[[5.0, 6.0], [7.0, 8.0]]]), np.array([[1, 0]]))
    array([[7., 6.]])
    """
    found: np.ndarray = lists[_index_chosen(lists, at)]
    return found


def _index_chosen(lists: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the index of the numbers at these places, of lists of shape (n, k, rows)."""
    count, _, rows = lists.shape
    return np.arange(count)[:, None], at, np.arange(rows)


class Elementwise:
    """The value (operand -1) or a partial derivative of an operation, applied element by element.

    It is for operations without an array form.
    """

    def __init__(self, op: Op, operand: int) -> None:
        self.op, self.operand = op, operand

    def __call__(self, *arrays: Any) -> Any:
        """Compute it for arrays of operands; a partial derivative takes the value first."""
        found = np.frompyfunc(self._scalar, len(arrays), 1)(*arrays)
        return np.asarray(found).astype(np.result_type(*arrays))

    def _scalar(self, *operands: Any) -> float:
        numbers = [float(x) for x in operands]
        try:
            if self.operand < 0:
                return float(self.op.value(*numbers))
            return float(self.op.slope(self.operand, *numbers))
        except NotImplementedError as error:
            raise TraceError(str(error)) from None
        except (ArithmeticError, ValueError):
            return math.nan  # `Compiled` then runs the row in the engine, which raises the error


SUPPORT = (add_at, add_rows, choose, multiply_long, places, spread)
