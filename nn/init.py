"""Initialisers: functions that draw the first weights. Biases start at zero.

If weights are too large, the next neurons saturate; if they are too small, the signal fades from
layer to layer. `xavier` keeps the variance of the signal for activations that are linear near
zero, `he` for activations that pass half of their inputs, such as ReLU.
"""

from __future__ import annotations

import math
import operator
import random
from collections.abc import Callable
from math import isfinite
from typing import SupportsIndex, cast

import numpy as np

from .activations import Activation
from .settings import function, look_up

Initialiser = Callable[[random.Random, int, int], float]
"""A function (rng, nin, nout) that returns one weight; nin and nout are the layer's sizes."""

Seed = SupportsIndex | float | str | random.Random | None


def uniform(rng: random.Random, nin: int, nout: int) -> float:
    """Draw a weight from U(−1, 1), whatever the size of the layer.

    >>> -1 <= uniform(random.Random(0), 784, 16) <= 1
    True
    """
    return rng.uniform(-1.0, 1.0)


def xavier(rng: random.Random, nin: int, nout: int) -> float:
    """Draw a weight from U(−r, r), r = √(6/(nin + nout)), for activations linear near zero.

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010, equation (16).

    >>> abs(xavier(random.Random(0), 3, 3)) <= 1.0
    True
    """
    bound = math.sqrt(6.0 / (nin + nout))
    return rng.uniform(-bound, bound)


def he(rng: random.Random, nin: int, nout: int) -> float:
    """Draw a weight from N(0, 2/nin), for activations that pass half of their inputs.

    Source: He, Zhang, Ren and Sun, "Delving deep into rectifiers", ICCV 2015, equation (10).

    >>> he(random.Random(0), 2, 16) == random.Random(0).gauss(0.0, 1.0)
    True
    """
    return rng.gauss(0.0, math.sqrt(2.0 / nin))


INITIALISERS: dict[str, Initialiser] = {"uniform": uniform, "xavier": xavier, "he": he}


def generator(seed: Seed) -> random.Random:
    """Return a new generator for a seed, or the generator itself if one is given.

    For None, the new generator is seeded from the `random` module, so that `random.seed` makes it
    reproducible.

    Raises:
        TypeError: `seed` is neither a seed nor a generator.

    >>> generator(5).random() == random.Random(5).random()
    True
    """
    if isinstance(seed, random.Random):
        return seed
    if isinstance(seed, (bool, np.bool_)) or (isinstance(seed, float) and not isfinite(seed)):
        raise TypeError(f"a seed is a whole number or a random.Random, got {seed!r}")
    if cast(object, seed) is random:  # the module has the methods of a generator
        return cast(random.Random, random)
    if seed is None:
        seed = random.random()
    elif not isinstance(seed, (str, float)):
        try:
            return random.Random(operator.index(seed))
        except TypeError:
            raise TypeError(f"a seed is a whole number or a random.Random, got {seed!r}") from None
    return random.Random(seed)


def initialiser_and_rng(
    init: str | Initialiser | None, seed: Seed, activation: Activation
) -> tuple[Initialiser, random.Random]:
    """Return the initialiser and the generator for the arguments `init` and `seed` of a layer.

    Args:
        init: a name, a function, or None for the activation's default initialiser.
        seed: the seed of the generator. With neither `init` nor `seed`, weights are drawn with
            `random.uniform(-1, 1)`, as in micrograd.
        activation: the activation of the neurons.

    Raises:
        ValueError: there is no such initialiser. The error gives the nearest names.
        TypeError: `init` is a class.
    """
    if init is None and seed is None:
        return uniform, cast(random.Random, random)
    if init is None:
        init = activation.init
    if callable(init):
        chosen = function(init, "init is a name or a function (rng, nin, nout)")
    else:
        chosen = look_up(init, INITIALISERS, "initialiser")
    return chosen, generator(seed)
