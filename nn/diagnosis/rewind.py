"""Whether the gradients that parameters hold are the sum of several passes: run backwards."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..optim import SGD, Adam, Optimizer

MOST = 200  # steps that are taken back
EXACT = 1e-6  # of a norm: as far as rounding goes
ZERO = 1e-4  # of a norm: what is left of nothing after many steps back


class State(NamedTuple):
    """Weights, the gradients held in them, and what an optimiser remembers."""

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
    """How many passes over all examples the held gradients are the sum of; None if unknown.

    Where every step used all gradients since the first, taking the steps back and each pass out
    of the gradients must end at zero after as many steps as there were passes, and nothing else
    does. A pass may have been of the mean cost of the examples or of its sum, and the last step
    may have been taken or not.

    Args:
        state: as it is now.
        optimizer: that took the steps; None if it is not known.
        gradient_at: the gradient of the mean cost at other weights.
        examples: how many are in the mean.
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
    """Passes of the mean cost, or of the sum, if they are a whole number."""
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
    """How many steps back the held gradients become zero."""
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
    """The state before the step that the held gradients made; None if it cannot be told."""
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
    """√Σx², infinite where it is no number."""
    size = float(np.linalg.norm(x))
    return size if size == size else math.inf
