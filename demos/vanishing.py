"""Vanishing gradients: how small the gradient is in the first layers of a deep network.

Going back through a layer multiplies the gradient by the layer's weights and by the derivative of
its activation. The sigmoid's derivative is at most ¼, so the gradient shrinks from layer to layer.
The derivative of tanh is at most 1, and that of relu is 0 or 1.

    python -m demos.vanishing

Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
networks", AISTATS 2010.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import numpy as np

import nn
from demos.lesson import heading, options, run, save

ACTIVATIONS = ("sigmoid", "tanh", "relu")
POINTS = 40


def points(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw points in the plane, of class 1 where both coordinates have the same sign, else 0."""
    X = np.random.default_rng(seed).normal(size=(POINTS, 2))
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)


def gradient_norms(activation: str, depth: int, width: int, seed: int) -> list[float]:
    """Compute the norm of the gradient by the parameters of each hidden layer, before training."""
    X, y = points(seed)
    model = nn.MLP(2, [width] * depth + [1], activation, seed=seed)
    for x, wanted in zip(X, y, strict=True):
        nn.binary_cross_entropy_with_logits(model(x), int(wanted)).backward(1.0 / POINTS)
    return [nn.grad_norm(layer.parameters()) for layer in model.layers[:-1]]


def ratio(norms: list[float]) -> float:
    """Divide the last norm by the first; infinity if only the first is zero, NaN if both are.

    >>> ratio([0.5, 2.0]), ratio([0.0, 2.0])
    (4.0, inf)
    """
    if norms[0]:
        return norms[-1] / norms[0]
    return math.inf if norms[-1] else math.nan


def print_norms(norms: dict[str, list[float]]) -> None:
    """Print a row for each layer, and the last layer's norm as a multiple of the first's."""
    print(heading("The norm of the gradient, layer by layer"))
    print(f"{'layer':>6}" + "".join(f"{name:>12}" for name in norms))
    for k, row in enumerate(zip(*norms.values(), strict=True)):
        print(f"{k:>6}" + "".join(f"{norm:>12.2e}" for norm in row))
    print("\nthe last layer's, as a multiple of the first's")
    print(f"{'':6}" + "".join(f"{ratio(row):>12,.1f}" for row in norms.values()))


def main(depth: int = 8, width: int = 8, seed: int = 0, out: str | Path = "out") -> dict[str, Any]:
    """Measure, print and draw the gradients, and return the numbers.

    Args:
        depth: number of hidden layers.
        width: number of neurons in each.
        seed: seed of the points and of the weights.
        out: the folder for `vanishing.png`.

    Returns:
        `norms` (for each activation, one for each hidden layer), `ratios` (last norm / first),
        `diagnosis` of the sigmoid network, `pictures`.
    """
    norms = {name: gradient_norms(name, depth, width, seed) for name in ACTIVATIONS}
    print_norms(norms)
    model = nn.MLP(2, [width] * depth + [1], "sigmoid", seed=seed)
    diagnosis = nn.diagnose(model, *points(seed))
    print(heading("What nn.diagnose says of the sigmoid network"))
    print(diagnosis)
    made = pictures(norms, out)
    print(f"\nThe picture: {made[0]}")
    return {
        "norms": norms,
        "ratios": {name: ratio(row) for name, row in norms.items()},
        "diagnosis": diagnosis,
        "pictures": made,
    }


def pictures(norms: dict[str, list[float]], out: str | Path) -> list[str]:
    """Draw the norms by layer on a logarithmic scale."""
    from matplotlib.figure import Figure

    from nn import plots

    figure = Figure(figsize=(6.0, 3.4), layout="constrained")
    axes = figure.add_subplot()
    for i, (name, row) in enumerate(norms.items()):
        axes.plot(row, color=plots.COLOURS[i], marker=plots.MARKERS[i], label=name)
    axes.set_yscale("log")
    axes.set(xlabel="hidden layer, the first on the left", ylabel="norm of the gradient")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return [save(figure, out, "vanishing")]


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse and check the command line's options."""
    return options(
        main,
        "Gradients of deep sigmoid, tanh and relu networks.",
        depth="hidden layers",
        width="neurons in each hidden layer",
    ).parse_args(arguments)


if __name__ == "__main__":
    run(main, parsed)
