"""Detecting a forgotten `zero_grad()` by undoing the optimiser's steps.

If nobody cleared the gradients, the parameters hold the sum of the gradients of several passes.
`passes_held` counts the passes. The diagnosis calls it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..optim import SGD, Adam, Optimizer

MOST = 200  # steps to undo at most
EXACT = 1e-6  # relative tolerance for rounding in one comparison
ZERO = 1e-4  # a gradient counts as zero below this share of the first norm; undoing adds rounding


class State(NamedTuple):
    """The weights, the gradients that they hold, and the optimiser's memory and step count."""

    weights: np.ndarray
    held: np.ndarray
    memory: dict[str, np.ndarray]
    steps: int


def passes_held(
    state: State,
    optimizer: Optimizer | None,
    gradient_at: Callable[[np.ndarray], np.ndarray],
    examples: int,
) -> int | None:
    """Count the passes over all examples whose gradients have added up in `state.held`.

    First it tests whether the held gradient is a multiple of the gradient at the current weights.
    Otherwise it undoes the steps one by one and subtracts the gradient of each pass. If the
    gradients were never cleared, the held gradient becomes zero after as many steps as there
    were passes. The count works for passes over the mean cost or the summed cost, and before or
    after the optimiser's step.

    Args:
        state: the current state.
        optimizer: the optimiser that made the steps; None if it is not known.
        gradient_at: a function that returns the gradient of the mean cost at other weights.
        examples: the number of examples in the mean.

    Returns:
        The number of passes; None if it cannot be determined.
    """
    norm = _norm(state.held)
    if norm == 0.0:
        return None
    here = gradient_at(state.weights)
    if _norm(here) > 0.0:
        times = float(state.held @ here) / _norm(here) ** 2
        if _norm(state.held - times * here) <= EXACT * norm:
            return _whole(times, examples)
    if optimizer is None:
        return None
    counts = []
    for scale in (1.0, float(examples)):
        unstepped = state._replace(held=state.held - scale * here)
        for start, passes in ((state, 0), (unstepped, 1)):
            taken = _rewound(start, optimizer, gradient_at, scale, norm)
            counts += [] if taken is None else [passes + taken]
    return min(counts, default=None)


def _whole(times: float, examples: int) -> int | None:
    """Return a multiple as a number of passes, over the summed or the mean cost.

    Return None if it is not a whole number.
    """
    for unit in (float(examples), 1.0):
        count = round(times / unit)
        if count >= 1 and abs(times / unit - count) <= EXACT * count:
            return count
    return None


def _rewound(
    state: State,
    optimizer: Optimizer,
    gradient_at: Callable[[np.ndarray], np.ndarray],
    scale: float,
    norm: float,
) -> int | None:
    """Return the number of steps to undo until the held gradient is zero; None if it never is.

    `scale` is 1 for passes over the mean cost, and the number of examples for the summed cost.
    """
    for taken in range(1, MOST + 1):
        before = before_step(state, optimizer)
        if before is None:
            return None
        held = before.held - scale * gradient_at(before.weights)
        if not _norm(held) <= 1e3 * norm:
            return None
        if _norm(held) <= ZERO * norm:
            return taken
        state = before._replace(held=held)
    return None


def before_step(state: State, optimizer: Optimizer) -> State | None:
    """Undo the step that the optimiser made with the held gradient.

    Return None if this optimiser with these settings cannot be undone.
    """
    with np.errstate(all="ignore"):
        if type(optimizer) is SGD and not optimizer.nesterov:
            return _before_descent(state, optimizer)
        if type(optimizer) is Adam and not optimizer.weight_decay and state.steps > 0:
            return _before_adam(state, optimizer)
    return None


def _before_descent(state: State, optimizer: SGD) -> State | None:
    velocity = state.memory.get("velocity") if optimizer.momentum else state.held
    if velocity is None or (optimizer.momentum and optimizer.weight_decay):
        return None
    kept = 1.0 if optimizer.momentum else 1.0 - optimizer.lr * optimizer.weight_decay
    weights = (state.weights + optimizer.lr * velocity) / kept
    memory = {}
    if optimizer.momentum:
        memory["velocity"] = (velocity - state.held) / optimizer.momentum
    return State(weights, state.held, memory, state.steps - 1)


def _before_adam(state: State, optimizer: Adam) -> State | None:
    (beta1, beta2), t = optimizer.betas, state.steps
    m, v = state.memory["m"], state.memory["v"]
    step = m / (1.0 - beta1**t) / (np.sqrt(v / (1.0 - beta2**t)) + optimizer.eps)
    memory = {
        "m": (m - (1.0 - beta1) * state.held) / max(beta1, 1e-300),
        "v": np.maximum((v - (1.0 - beta2) * state.held**2) / max(beta2, 1e-300), 0.0),
    }
    return State(state.weights + optimizer.lr * step, state.held, memory, t - 1)


def _norm(x: np.ndarray) -> float:
    """Compute √Σx²; NaN becomes infinity."""
    size = float(np.linalg.norm(x))
    return size if size == size else math.inf
