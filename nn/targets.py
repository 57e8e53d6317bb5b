"""Targets that are classes: class indices and one-hot vectors."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np

from .settings import refuse_masked, whole


def one_hot(target: Any, num_classes: int) -> np.ndarray:
    """Return one-hot vectors: 1 at the index of the class, 0 elsewhere.

    Args:
        target: a class index, or n class indices.
        num_classes: the number K of classes.

    Returns:
        An array of shape (K,), or (n, K).

    Raises:
        ValueError: an index is not between 0 and K − 1.
        TypeError: a target is not a whole number.

    >>> one_hot(2, 4)
    array([0., 0., 1., 0.])
    >>> one_hot([1, 0], 2)
    array([[0., 1.],
           [1., 0.]])
    """
    refuse_masked(target, "target")
    rows, target = np.eye(whole(num_classes, "num_classes")), as_lists(target)
    if isinstance(target, (str, bytes, Mapping)) or not hasattr(target, "__len__"):
        return np.array(rows[class_index(target, num_classes)])
    return np.array(rows[[class_index(as_lists(t), num_classes) for t in target]])


def class_index(target: Any, num_classes: int) -> int:
    """Return a target as a class index. Whole floats, such as 2.0, are accepted.

    Raises:
        ValueError: the index is not between 0 and `num_classes` − 1.
        TypeError: `target` is not a whole number.

    >>> class_index(10, 10)
    Traceback (most recent call last):
    ...
    ValueError: class 10 is outside the 10 classes, 0 to 9
    """
    if not _is_whole(target):
        raise TypeError(f"a class is a whole number from 0 to {num_classes - 1}, got {target!r}")
    index = int(target)
    if not 0 <= index < num_classes:
        raise ValueError(
            f"class {index} is outside the {num_classes} classes, 0 to {num_classes - 1}"
        )
    return index


def _is_whole(x: Any) -> bool:
    return isinstance(x, numbers.Real) and bool(x % 1 == 0)


def as_lists(x: Any) -> Any:
    """Return an array or a tensor as nested lists or a number; return other things unchanged.

    >>> as_lists(np.array([0, 1])), as_lists(np.array(2)), as_lists([3])
    ([0, 1], 2, [3])
    """
    refuse_masked(x, "the array")
    return x.tolist() if hasattr(x, "tolist") else x
