"""Whether the outputs of a network mean what they should, by what its cost takes them for."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from . import losses

Judge = Callable[[Any, Any], bool | None]
"""From outputs, as numbers, and a target: is it right? None if the question makes no sense."""


def largest(outputs: Any, target: Any) -> bool | None:
    """The largest output stands at the class, or at the largest probability of the target.

    >>> largest([0.1, 2.0, -1.0], 1), largest([0.1, 2.0, -1.0], [1.0, 0.0, 0.0])
    (True, False)
    """
    if np.ndim(outputs) != 1:
        return None
    answer = max(range(len(outputs)), key=outputs.__getitem__)
    return answer == int(np.argmax(target) if hasattr(target, "__len__") else target)


def _largest_if_classes(outputs: Any, target: Any) -> bool | None:
    """As `largest`, if the target can be one: probabilities, and not any numbers."""
    if np.ndim(target) != 1 or len(target) < 2:
        return None
    probable = min(target) >= 0.0 and abs(math.fsum(target) - 1.0) < 1e-6
    return largest(outputs, target) if probable else None


def _on_the_same_side(of_output: float, of_target: float, outputs: Any, target: Any) -> bool:
    sides = np.ravel(outputs) > of_output, np.ravel(target) > of_target
    return bool((sides[0] == sides[1]).all())


def _no_verdict(outputs: Any, target: Any) -> None:
    return None


JUDGES: dict[Callable[..., Any], Judge] = {
    losses.cross_entropy: largest,
    losses.nll_loss: largest,
    losses.squared_error: _largest_if_classes,
    losses.mse_loss: _largest_if_classes,
    losses.l1_loss: _largest_if_classes,
    losses.binary_cross_entropy: partial(_on_the_same_side, 0.5, 0.5),
    losses.binary_cross_entropy_with_logits: partial(_on_the_same_side, 0.0, 0.5),
    losses.hinge_loss: partial(_on_the_same_side, 0.0, 0.0),
    losses.perceptron_loss: partial(_on_the_same_side, 0.0, 0.0),
}


def judge_of(loss: Any) -> Judge:
    """The judge that fits a cost, a function or a module; one that never judges if none is known.

    >>> judge_of(losses.BCEWithLogitsLoss())(-0.3, 0)
    True
    """
    return JUDGES.get(losses.function_of(loss), _no_verdict)
