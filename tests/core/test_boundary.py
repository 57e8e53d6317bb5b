"""Tests of checks that do not belong to one argument; for the others see `test_input.py`."""

from __future__ import annotations

import numpy as np
import pytest

from autograd.core.boundary import ON_ONE_THREAD, WORTH_WAKING, are_finite, sum_squares

LARGE, INFINITE = 1e300, np.inf  # the square of the first is infinite as well


@pytest.mark.parametrize(
    ("numbers", "answer"),
    [
        ([], True),
        ([0.0, -1.0, 5e-324], True),
        ([LARGE, -LARGE], True),
        ([1.0, INFINITE], False),
        ([INFINITE, -INFINITE], False),
        ([LARGE, np.nan], False),
        ([1.0, np.nan], False),
    ],
)
@pytest.mark.parametrize("count", [1, 50])
def test_numbers_are_finite_if_each_is_and_nothing_is_signalled(
    numbers: list[float], answer: bool, count: int
) -> None:
    table = np.array([numbers] * count)
    with np.errstate(all="raise"):
        for array in (table, table.T, table[:, ::-1], np.array(numbers)):
            assert are_finite(array) is answer
        single = np.array([x for x in numbers if abs(x) != LARGE], np.float32)
        assert are_finite(single) is bool(np.isfinite(single).all())


@pytest.mark.parametrize(
    "size", [ON_ONE_THREAD, ON_ONE_THREAD + 1, 3 * ON_ONE_THREAD + 7, WORTH_WAKING]
)
def test_every_block_of_a_long_array_counts(size: int) -> None:
    every = np.ones(size)
    assert sum_squares(every) == size
    for place in (0, ON_ONE_THREAD - 1, ON_ONE_THREAD, size - 1):
        array = every.copy()
        array[min(place, size - 1)] = np.nan
        assert are_finite(every) and not are_finite(array)
