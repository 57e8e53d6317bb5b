"""Dropout: inputs that are set to zero at random in training."""

from __future__ import annotations

import numbers
import random
from typing import Any

from autograd import Value, drawn

from .init import Seed, generator
from .module import Module
from .settings import Checked, fraction, several


class Dropout(Module):
    """Dropout: in training, set each input to zero with probability p and scale up the others.

    The output is xᵢ·mᵢ/(1 − p), where mᵢ is 0 with probability p, else 1. Its expected value is
    xᵢ, so evaluation (`model.eval()`) returns the inputs unchanged.

    Args:
        p: the probability, at least 0 and below 1.
        seed: the seed of the masks. Each call draws a new mask.

    Raises:
        ValueError: p is out of range.

    Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from
    overfitting", JMLR 15 (2014), section 10 (inverted dropout).

    >>> dropout = Dropout(0.5, seed=1)
    >>> dropout([1.0, 1.0, 1.0, 1.0])
    [0.0, 2.0, 2.0, 0.0]
    >>> dropout.eval()([1.0, 1.0, 1.0, 1.0])
    [1.0, 1.0, 1.0, 1.0]
    """

    p = Checked(fraction, "p, a probability,")
    _rng: random.Random
    _owns_rng = False  # True if nothing else draws from _rng

    def __init__(self, p: float = 0.5, seed: Seed = None) -> None:
        self.p = p
        self.seed(seed)

    def seed(self, seed: Seed) -> None:
        """Restart the random masks from a seed.

        Raises:
            TypeError: `seed` is not a seed.
        """
        rng = generator(seed)
        if self._owns_rng and isinstance(seed, (int, float, str)):
            self._rng.seed(seed)  # compiled code holds this generator and stays valid
        else:
            self._rng, self._owns_rng = rng, rng is not seed

    def forward(self, x: Any) -> Any:
        """Return the inputs with some set to zero; a single Value or number gives a single one."""
        if not self.training or self.p == 0.0:
            return x
        if hasattr(x, "__len__"):
            return [self.forward(xi) for xi in several(x, "x holds Values or numbers")]
        if not isinstance(x, (Value, numbers.Real)):
            raise TypeError(f"x holds Values or numbers; got {x!r}")
        return x * drawn(self._mask)

    def _mask(self) -> float:
        return 0.0 if self._rng.random() < self.p else 1.0 / (1.0 - self.p)

    def __repr__(self) -> str:
        return f"Dropout(p={self.p})"


def dropouts_in(model: Module) -> list[Dropout]:
    """Return all dropouts in a model."""
    return [module for module in model.modules() if isinstance(module, Dropout)]


def seed_dropouts(dropouts: list[Dropout], name: str) -> None:
    """Restart the masks of the dropouts of a model, each with its own seed derived from `name`."""
    for k, dropout in enumerate(dropouts):
        dropout.seed(f"{name}, dropout {k}")
