"""`LayerNorms`: how long the gradient of each layer is, on average over the steps of an epoch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..gradients import norms_of
from .costs import mean_of

AT_ONCE = 1 << 15  # the numbers of the gradients whose norms are computed at once, about


class LayerNorms:
    """Collects the gradients of steps, and computes for each layer the mean of their norms.

    The norms of many steps are computed at once: one at a time takes a twentieth of a small step.

    Attributes:
        at_once: the number of gradients whose norms are computed at once.

    Args:
        layers: for each layer the places of its parameters in a gradient.
        size: the length of a gradient.

    >>> norms = LayerNorms({"a": slice(0, 2), "b": slice(2, 3)}, size=3)
    >>> norms.add(np.array([3.0, 4.0, 1.0]))
    >>> norms.add(np.array([0.6, 0.8, 2.0]))
    >>> norms.means()
    {'a': 3.0, 'b': 1.5}
    """

    def __init__(self, layers: dict[str, Any], size: int) -> None:
        self._layers, self.at_once = layers, max(1, AT_ONCE // size)
        self._waiting = np.empty((self.at_once, size))
        self.begin()

    def begin(self) -> None:
        """Begin anew, without any gradient."""
        self._count = 0
        self._norms: list[np.ndarray] = []

    def add(self, gradient: np.ndarray) -> None:
        """Add a copy of the gradient of a step."""
        self._waiting[self._count] = gradient
        self._count += 1
        if self._count == self.at_once:
            self._compute()

    def add_all(self, gradients: np.ndarray) -> None:
        """Add the gradients of several steps, one in each row."""
        self._norms.append(norms_of(gradients, list(self._layers.values())))

    def means(self) -> dict[str, float]:
        """Return the mean norm of each layer."""
        if self._count:
            self._compute()
        norms = np.concatenate(self._norms).T
        return {layer: mean_of(each) for layer, each in zip(self._layers, norms)}

    def _compute(self) -> None:
        """Compute the norms of the gradients that wait."""
        self.add_all(self._waiting[: self._count])
        self._count = 0
