"""Comparing compiled code with the engine: on which rows, and with which tolerance.

`predict` and `training/comparison.py` use it. Wrong code may be right for some rows, because it
records one branch of the model only. Therefore the rows are chosen to differ from each other.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

import numpy as np

from .tables import differ, groups

FEW = 32  # a column with at most this many different values is probed at each of them
RELATIVE, ABSOLUTE = 1e-7, 1e-12  # ABSOLUTE is multiplied by the square of the largest number
SEARCHED = 1 << 18  # numbers that are searched for notable rows; larger tables are sampled


class Probes:
    """An endless stream of rows to compare on.

    First come the rows in `representative`, then in turn a row with notable features and a row
    drawn at random.

    Args:
        X: features, shape (n, ...).
        y: targets, shape (n, ...); None if there are none.
        seed: the seed of the random rows.

    Attributes:
        representative: rows that cover the targets, and the first and the last row.

    >>> probes = Probes(np.array([[3.0], [1.0], [2.0], [1.0]]), np.array([0.0, 1.0, 1.0, 1.0]))
    >>> probes.representative, sorted(set(probes.next(20)))
    ([0, 1, 3], [0, 1, 2, 3])
    """

    def __init__(self, X: np.ndarray, y: np.ndarray | None = None, seed: int | str = 0) -> None:
        rng, last = random.Random(seed), len(X) - 1
        kinds = [] if y is None else _notable_rows(y, rng)
        self.representative = list(dict.fromkeys([*kinds, 0, last]))
        others = _notable_rows(X, rng)
        rng.shuffle(others)
        self._rows = self._stream(others, len(X), rng)

    def next(self, count: int) -> list[int]:
        """Take the next `count` rows of the stream and return them without duplicates."""
        return list(dict.fromkeys(itertools.islice(self._rows, count)))

    def _stream(self, others: list[int], count: int, rng: random.Random) -> Iterator[int]:
        yield from self.representative
        for row in itertools.cycle([*others, *self.representative]):
            yield row
            yield rng.randrange(count)


def find_differences(found: Any, wanted: Any, *inputs: Any) -> np.ndarray:
    """Return the indices at which two results differ by more than rounding.

    Args:
        found, wanted: numbers in the same shape.
        inputs: the inputs of the computation. Large inputs that cancel leave large rounding
            errors, so they widen the tolerance.

    >>> find_differences([1.0, 2.0], [1.0 + 1e-15, 2.1])
    array([1])
    """
    sizes = np.concatenate([np.ravel(x) for x in (wanted, *inputs)])
    largest = np.abs(sizes).max(initial=1.0, where=np.isfinite(sizes))
    absolute = ABSOLUTE * min(largest, 1e150) ** 2  # the minimum keeps the square finite
    close = np.isclose(found, wanted, RELATIVE, absolute, equal_nan=True)
    return np.flatnonzero(~close)


def _notable_rows(table: np.ndarray, rng: random.Random) -> list[int]:
    """Return rows with notable values in some column.

    For a column with at most `FEW` different values this is one row for each value; for other
    columns, the rows of the least value, the greatest, and the one nearest to 0. If rows differ in
    shape, it is one row for each shape.
    """
    if differ(table):
        return [group[0] for group in groups(range(len(table)), table)]
    table = table.reshape(len(table), -1)
    rows = np.arange(len(table))
    if table.size > SEARCHED:
        count = max(SEARCHED // table.shape[1], 1)
        rows = np.array(sorted(rng.sample(range(len(table)), count)))
    found: list[int] = []
    for column in table[rows].T:
        values, first = np.unique(column, return_index=True)
        if len(values) > FEW:
            first = np.array([first[0], first[-1], np.abs(column).argmin()])
        found += rows[first].tolist()
    return list(dict.fromkeys(found))
