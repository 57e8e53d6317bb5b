"""Tests of class indices as targets: which are accepted, and the errors for the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nn.targets import class_index, one_hot


@pytest.mark.parametrize("target", [0, 2, 2.0, np.int64(1), np.float32(1.0)])
def test_a_whole_number_within_the_classes_is_one(target: Any) -> None:
    assert class_index(target, 3) == int(target)
    assert one_hot(target, 3).tolist() == [float(k == target) for k in range(3)]


@pytest.mark.parametrize(
    ("target", "error", "said"),
    [
        (1.5, TypeError, "a class is a whole number from 0 to 2, got 1.5"),
        ("1", TypeError, "a class is a whole number from 0 to 2, got '1'"),
        (3, ValueError, "class 3 is outside the 3 classes, 0 to 2"),
        (-1, ValueError, "class -1 is outside the 3 classes, 0 to 2"),
    ],
)
def test_what_is_no_class_is_told_which_there_are(
    target: Any, error: type[Exception], said: str
) -> None:
    with pytest.raises(error) as raised:
        class_index(target, 3)
    assert str(raised.value) == said
