"""Tests of data checks: which features and targets are accepted, and the order of rows."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from autograd import Value
from nn.data import Examples, features, shuffled, targets

EXAMPLES = Examples.of([[0, 1], [2, 3], [4, 5], [6, 7]], [1, 0, 1, 2], "validation ")


def test_an_example_is_a_row_and_its_target() -> None:
    assert list(EXAMPLES) == [([0.0, 1.0], 1), ([2.0, 3.0], 0), ([4.0, 5.0], 1), ([6.0, 7.0], 2)]
    assert len(EXAMPLES) == 4
    assert EXAMPLES[2] == ([4.0, 5.0], 1)


def test_chosen_examples_know_where_they_stood() -> None:
    some = EXAMPLES.chosen([3, 1, 2])
    assert list(some) == [([6.0, 7.0], 2), ([2.0, 3.0], 0), ([4.0, 5.0], 1)]
    assert [some.place(i) for i in range(3)] == [f"validation X[{row}]" for row in (3, 1, 2)]
    again = some.chosen([2, 0])
    assert list(again) == [([4.0, 5.0], 1), ([6.0, 7.0], 2)]
    assert [again.place(i, "y") for i in range(2)] == ["validation y[2]", "validation y[3]"]
    assert EXAMPLES.place(1) == "validation X[1]"


@pytest.mark.parametrize(("count", "kept"), [(1, 1), (3, 3), (4, 4), (9, 4)])
def test_the_first_are_so_many_or_all(count: int, kept: int) -> None:
    assert list(EXAMPLES.first(count)) == list(EXAMPLES)[:kept]


def test_there_is_an_example_of_each_kind_of_target() -> None:
    assert EXAMPLES.kinds() == [0, 1, 3]
    assert Examples.of([[0.0]] * 3, [[0, 1], [1, 0], [0, 1]]).kinds() == [0, 1]


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1.0, 2.0], [3.0, np.nan]], [0, 1], r"X\[1, 1\] \(row 1, column 1\) is nan"),
        ([[1.0, np.inf], [3.0, 4.0]], [0, 1], r"X\[0, 1\] \(row 0, column 1\) is inf"),
        ([1.0, 2.0], [0, 1], r"X has shape \(2,\).* as in model.predict\(\[row\]\)"),
        (np.zeros((2, 2, 2)), [0, 1], r"X has shape \(2, 2, 2\).* as in X.reshape\(len\(X\), -1\)"),
        (np.zeros((2, 0)), [0, 1], r"X has shape \(2, 0\): there is nothing in it"),
        ([[1.0, 2.0], [3.0]], [0, 1], r"the rows of X differ in shape: \(1,\), \(2,\)"),
        ([[1.0], 2.0], [0, 1], r"the rows of X differ in shape: \(1,\), a number"),
        ([[1.0], [2.0]], [0], r"X has 2 row\(s\) and y has 1 target\(s\)"),
        ([[1.0], [2.0]], 0, r"X has 2 row\(s\) and y has one number"),
        ([[1.0], [2.0]], [0.0, np.nan], r"y\[1\] is nan: every target must be finite"),
        ([[1.0], [2.0]], [[0.0, -np.inf], [0.0, 1.0]], r"y\[0\] is .*inf"),
    ],
)
def test_tables_that_do_not_fit_are_refused(X: Any, y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Examples.of(X, y, rows_only=True)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([["a"]], "X must be made of real numbers, got <U1 data"),
        ([[1j]], "X must be made of real numbers, got complex128 data"),
        ([[Value(1.0)]], "X holds Values; pass plain numbers"),
        ((1.0, [2.0, (Value(1.0),)]), "X holds Values; pass plain numbers"),
        (Value(1.0), "X holds Values; pass plain numbers"),
    ],
)
def test_what_is_no_number_is_no_feature(X: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        features(X)


def test_whole_targets_stay_whole() -> None:
    assert repr(targets(np.array([0, 2, 1]), 3)) == "[0, 2, 1]"
    assert repr(targets([0.0, 2.5], 2)) == "[0.0, 2.5]"
    assert targets([[1, 0], [0, 1]], 2) == [[1, 0], [0, 1]]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 8, 9, 100, 1025])
def test_the_order_of_examples_is_that_of_pythons_sample(count: int) -> None:
    for name in ("0, epoch 0", "7, validation"):
        assert shuffled(count, name) == random.Random(name).sample(range(count), count)
