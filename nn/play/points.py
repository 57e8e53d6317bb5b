"""`points`: points in the plane to learn from, the same as in the page of the playground."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..settings import at_least_zero, look_up, whole

REACH = 3.0  # points lie about between −REACH and REACH on both axes


@dataclass(frozen=True)
class Kind:
    """A kind of data.

    Attributes:
        title: what a reader reads.
        targets: "sides" (0 or 1), "classes" (0, 1, 2, …) or "numbers".
        place: a function (rng, i) that returns the place of point i without noise.
        target: a function (i, x1, x2) that returns the target of point i at this place.
        count: the number of classes; for numbers 1.
    """

    title: str
    targets: str
    place: Callable[[random.Random, int], tuple[float, float]]
    target: Callable[[int, float, float], float]
    count: int = 2


def _anywhere(rng: random.Random, i: int) -> tuple[float, float]:
    x1 = rng.uniform(-REACH, REACH)
    return x1, rng.uniform(-REACH, REACH)


def _moon(rng: random.Random, i: int) -> tuple[float, float]:
    angle = math.pi * rng.random()
    x1, x2 = math.cos(angle), math.sin(angle)
    return (2.0 * x1 - 1.0, 2.0 * x2 - 0.5) if i % 2 == 0 else (1.0 - 2.0 * x1, 0.5 - 2.0 * x2)


def _circle(rng: random.Random, i: int) -> tuple[float, float]:
    angle = 2.0 * math.pi * rng.random()
    radius = 1.0 if i % 2 == 0 else 2.4
    return radius * math.cos(angle), radius * math.sin(angle)


def _centre(rng: random.Random, i: int) -> tuple[float, float]:
    centre = 1.4 if i % 2 == 0 else -1.4
    x1 = rng.gauss(centre, 0.5)
    return x1, rng.gauss(centre, 0.5)


def _spiral(rng: random.Random, i: int) -> tuple[float, float]:
    share = 0.1 + 0.9 * rng.random()
    angle = 4.5 * share + 2.0 * math.pi * (i % 3) / 3.0
    return 2.8 * share * math.cos(angle), 2.8 * share * math.sin(angle)


KINDS = {
    "moons": Kind("two moons", "sides", _moon, lambda i, x1, x2: i % 2),
    "circles": Kind("circles", "sides", _circle, lambda i, x1, x2: i % 2),
    "xor": Kind("exclusive or", "sides", _anywhere, lambda i, x1, x2: x1 * x2 < 0.0),
    "gaussians": Kind("two heaps", "sides", _centre, lambda i, x1, x2: i % 2),
    "spirals": Kind("three spirals", "classes", _spiral, lambda i, x1, x2: i % 3, 3),
    "plane": Kind("a plane", "numbers", _anywhere, lambda i, x1, x2: (x1 + x2) / 4.0, 1),
    "wave": Kind("a wave", "numbers", _anywhere, lambda i, x1, x2: math.sin(x1) * math.cos(x2), 1),
}


def points(
    kind: str, n: int = 200, *, noise: float = 0.2, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Make points in the plane with a target each, as the playground does.

    The points lie about between −3 and 3 on both axes. Two neighbours in the order are of
    different classes, so that a slice of the points holds about as many of each.

    Args:
        kind: "moons", "circles", "xor" or "gaussians", with targets 0 and 1; "spirals", with
            classes 0, 1 and 2; "plane" or "wave", whose targets are numbers from about −1.5 to 1.5.
        n: the number of points.
        noise: the standard deviation of what is added to both coordinates; for "plane" and
            "wave", to the target.
        seed: the seed of the random numbers.

    Returns:
        X of shape (n, 2) and y of shape (n,): whole numbers for classes.

    Raises:
        ValueError: there is no such kind, n is below 1, or the noise is negative.
        TypeError: an argument is not a number.

    >>> X, y = points("moons", 4, noise=0.0)
    >>> X.shape, y
    ((4, 2), array([0, 1, 0, 1]))
    """
    row = look_up(kind, KINDS, "kind of data")
    n, noise = whole(n, "n"), at_least_zero(noise, "noise")
    rng = random.Random(whole(seed, "seed", 0))
    X, y = np.empty((n, 2)), np.empty(n)
    for i in range(n):
        x1, x2 = row.place(rng, i)
        target = row.target(i, x1, x2)
        if row.targets == "numbers":
            X[i], y[i] = (x1, x2), target + rng.gauss(0.0, noise)
        else:
            X[i, 0] = x1 + rng.gauss(0.0, noise)
            X[i, 1], y[i] = x2 + rng.gauss(0.0, noise), target
    return X, y if row.targets == "numbers" else y.astype(int)
