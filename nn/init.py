"""Initialisers: where the weights start. Biases start at zero.

Weights that are too large saturate the neurons behind them, weights that are too small let the
signal fade; `xavier` and `he` keep its variance from layer to layer.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from .activations import Activation
from .settings import looked_up

Initialiser = Callable[[random.Random, int, int], float]
"""One weight, from a generator and the number of inputs and outputs of its layer."""

Seed = int | str | random.Random | None


def uniform(rng: random.Random, nin: int, nout: int) -> float:
    """U(−1, 1), whatever the size of the layer.

    >>> -1 <= uniform(random.Random(0), 784, 16) <= 1
    True
    """
    return rng.uniform(-1.0, 1.0)


def xavier(rng: random.Random, nin: int, nout: int) -> float:
    """U(−r, r) with r = √(6/(nin + nout)): for activations that are straight near zero.

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010, equation (16).

    >>> abs(xavier(random.Random(0), 3, 3)) <= 1.0
    True
    """
    bound = math.sqrt(6.0 / (nin + nout))
    return rng.uniform(-bound, bound)


def he(rng: random.Random, nin: int, nout: int) -> float:
    """N(0, 2/nin): for activations that let half of their inputs through.

    Source: He, Zhang, Ren and Sun, "Delving deep into rectifiers", ICCV 2015, equation (10).

    >>> he(random.Random(0), 2, 16) == random.Random(0).gauss(0.0, 1.0)
    True
    """
    return rng.gauss(0.0, math.sqrt(2.0 / nin))


INITIALISERS: dict[str, Initialiser] = {"uniform": uniform, "xavier": xavier, "he": he}


def generator(seed: Seed) -> random.Random:
    """A generator of one's own from a seed; a generator as it is.

    Without a seed it is seeded from the `random` module, and so follows `random.seed`.
    """
    if isinstance(seed, random.Random):
        return seed
    return random.Random(random.random() if seed is None else seed)


def weights(
    init: str | Initialiser | None, seed: Seed, activation: Activation, nin: int, nout: int
) -> Callable[[], float]:
    """A function that draws one weight after the other.

    Args:
        init: a name, a function, or None for the one that fits the activation.
        seed: of the generator. With neither `init` nor `seed`, weights are drawn by
            `random.uniform(-1, 1)`, as micrograd draws them.
        activation: of the neurons.
        nin, nout: the number of inputs and outputs of the layer.

    Raises:
        ValueError: there is no such initialiser; the nearest names are given.
    """
    if init is None and seed is None:
        return lambda: random.uniform(-1, 1)
    if init is None:
        init = activation.init
    draw = init if callable(init) else looked_up(init, INITIALISERS, "initialiser")
    rng = generator(seed)
    return lambda: draw(rng, nin, nout)
