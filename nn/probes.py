"""Compiled code beside the engine: on which rows to hold it, and when two numbers differ."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

import numpy as np

FEW = 32  # so many values of a column are each looked at; of more, the extremes
RELATIVE, ABSOLUTE = 1e-7, 1e-12  # the second of the square of the largest number that goes in
LOOKED_THROUGH = 1 << 18  # numbers; of larger tables some rows, drawn at random


class Probes:
    """Rows of a table without end: first the most telling, then in turns others and random ones.

    Args:
        X: features, shape (n, nin).
        y: targets, shape (n, ...), if there are any.
        seed: of what is drawn at random.

    Attributes:
        telling: a row of each kind of target, the first and the last.

    >>> probes = Probes(np.array([[3.0], [1.0], [2.0], [1.0]]), np.array([0.0, 1.0, 1.0, 1.0]))
    >>> probes.telling, sorted(set(probes.next(20)))
    ([0, 1, 3], [0, 1, 2, 3])
    """

    def __init__(self, X: np.ndarray, y: np.ndarray | None = None, seed: int | str = 0) -> None:
        rng, last = random.Random(seed), len(X) - 1
        kinds = [] if y is None else _marked(y.reshape(len(y), -1), rng)
        self.telling = list(dict.fromkeys([*kinds, 0, last]))
        others = _marked(X, rng)
        rng.shuffle(others)
        self._rows = self._in_turns(others, len(X), rng)

    def next(self, count: int) -> list[int]:
        """So many rows more, none of them twice."""
        return list(dict.fromkeys(itertools.islice(self._rows, count)))

    def _in_turns(self, others: list[int], count: int, rng: random.Random) -> Iterator[int]:
        yield from self.telling
        for row in itertools.cycle([*others, *self.telling]):
            yield row
            yield rng.randrange(count)


def unlike(found: Any, wanted: Any, *goes_in: Any) -> np.ndarray:
    """The places at which two computations of the same differ by more than rounding.

    Args:
        found, wanted: numbers in the same shape.
        goes_in: what they were computed from: large numbers that cancel leave large rounding.

    >>> unlike([1.0, 2.0], [1.0 + 1e-15, 2.1])
    array([1])
    """
    sizes = np.concatenate([np.ravel(x) for x in (wanted, *goes_in)])
    largest = np.abs(sizes).max(initial=1.0, where=np.isfinite(sizes))
    absolute = ABSOLUTE * min(largest, 1e150) ** 2  # which is finite
    close = np.isclose(found, wanted, RELATIVE, absolute, equal_nan=True)
    return np.flatnonzero(~close)


def _marked(table: np.ndarray, rng: random.Random) -> list[int]:
    """A row of each value of a column that has few; of other columns the extremes and around 0."""
    rows = np.arange(len(table))
    if table.size > LOOKED_THROUGH:
        count = max(LOOKED_THROUGH // table.shape[1], 1)
        rows = np.array(sorted(rng.sample(range(len(table)), count)))
    found: list[int] = []
    for column in table[rows].T:
        values, first = np.unique(column, return_index=True)
        if len(values) > FEW:
            first = np.array([first[0], first[-1], np.abs(column).argmin()])
        found += rows[first].tolist()
    return list(dict.fromkeys(found))
