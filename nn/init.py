"""Initialisers: where the weights start. Biases start at zero.

Weights that are too large saturate the neurons behind them, weights that are too small let the
signal fade; `xavier` and `he` keep its variance from layer to layer, for activations that are
straight near zero, and for those that let half of it through.
"""

from __future__ import annotations

import math
import operator
import random
from collections.abc import Callable
from math import isfinite
from typing import cast

import numpy as np

from .activations import Activation
from .settings import function, looked_up

Initialiser = Callable[[random.Random, int, int], float]
"""One weight, from a generator and the number of inputs and outputs of its layer."""

Seed = int | float | str | random.Random | None


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

    Raises:
        TypeError: it is none of these.

    >>> generator(5).random() == random.Random(5).random()
    True
    """
    if isinstance(seed, random.Random):
        return seed
    if isinstance(seed, (bool, np.bool_)) or (isinstance(seed, float) and not isfinite(seed)):
        raise TypeError(f"a seed is a whole number or a random.Random, got {seed!r}")
    if cast(object, seed) is random:  # the module draws as a generator does
        return cast(random.Random, random)
    if seed is None:
        seed = random.random()
    elif not isinstance(seed, (str, float)):
        try:
            return random.Random(operator.index(seed))
        except TypeError:
            raise TypeError(f"a seed is a whole number or a random.Random, got {seed!r}") from None
    return random.Random(seed)


def start(
    init: str | Initialiser | None, seed: Seed, activation: Activation
) -> tuple[Initialiser, random.Random]:
    """The initialiser and the generator that these settings stand for.

    Args:
        init: a name, a function, or None for the one that fits the activation.
        seed: of the generator. With neither `init` nor `seed`, weights are drawn by
            `random.uniform(-1, 1)`, as micrograd draws them.
        activation: of the neurons.

    Raises:
        ValueError: there is no such initialiser; the nearest names are given.
        TypeError: `init` is a class.
    """
    if init is None and seed is None:
        return uniform, cast(random.Random, random)
    if init is None:
        init = activation.init
    if callable(init):
        chosen = function(init, "init is a name or a function (rng, nin, nout)")
    else:
        chosen = looked_up(init, INITIALISERS, "initialiser")
    return chosen, generator(seed)
