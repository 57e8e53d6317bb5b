"""Logistic regression: one neuron whose boundary line moves until it separates the data.

    p = σ(w·x + b)                     the probability of class 1
    L = Π p^y·(1 − p)^(1 − y)          the likelihood of the data under p
    C = −1/n·log L                     the cross-entropy: the mean cost of a point

The parameters that maximise the likelihood also minimise the cross-entropy.

    python -m demos.boundary

Source: Bishop, "Pattern Recognition and Machine Learning" (2006), section 4.3.2.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import make_blobs

import nn
from demos.lesson import heading, options, run, save, share

CENTRES = [(-1.5, -1.0), (1.5, 1.0)]
SPREAD = 0.45
START = {"w": [0.5, -1.5], "b": 1.0}  # a wrong line, so that one sees it move
SHOWN = 6  # points whose likelihood is printed factor by factor
Line = tuple[float, float, float]
"""w₁, w₂ and b: the line is where w₁·x₁ + w₂·x₂ + b = 0."""


def blobs(points: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw two clouds with half of the points each, as X and y.

    The centre of each cloud is four standard deviations from the origin.
    """
    X, y = make_blobs(points, centers=CENTRES, cluster_std=SPREAD, random_state=seed)
    return X, y


def line_of(neuron: nn.Neuron) -> Line:
    """Return the neuron's current boundary line."""
    return neuron.w[0].data, neuron.w[1].data, neuron.b.data


def print_likelihood(neuron: nn.Neuron, X: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Print the likelihood of a few points, factor by factor, and their cross-entropy.

    Returns:
        −1/n·log L of these points, and their mean cost by `nn.binary_cross_entropy`.
    """
    shown = min(SHOWN, len(X))
    print(heading(f"How likely are the first {shown} points, if p is right?"))
    outputs = [neuron(x) for x in X[:shown]]
    factors = []
    for i, (p, wanted) in enumerate(zip(outputs, y, strict=False)):
        factors.append(p.data if wanted else 1.0 - p.data)
        said = f"p = {p.data:.4f}" if wanted else f"1 − p = 1 − {p.data:.4f}"
        print(f"point {i}: y = {wanted}, so its factor is {said:<20} = {factors[-1]:.4f}")
    likelihood = math.prod(factors)
    from_likelihood = -math.log(likelihood) / shown
    cost = nn.binary_cross_entropy(outputs, y[:shown].tolist()).data
    print(f"\nL = the product                = {likelihood:.6f}")
    print(f"−1/{shown}·log L                     = {from_likelihood:.6f}")
    print(f"nn.binary_cross_entropy        = {cost:.6f}")
    return from_likelihood, cost


def train(
    neuron: nn.Neuron, X: np.ndarray, y: np.ndarray, epochs: int, lr: float
) -> tuple[nn.History, list[Line]]:
    """Train by batch gradient descent.

    Returns:
        The history, and the lines: one before training and one after each epoch.
    """
    lines = [line_of(neuron)]
    trainer = nn.Trainer(neuron, nn.binary_cross_entropy, nn.SGD(neuron.parameters(), lr))
    history = trainer.fit(X, y, epochs, None, callbacks=[lambda *_: lines.append(line_of(neuron))])
    return history, lines


def print_steps(history: nn.History, lines: list[Line], last: float) -> None:
    """Print the line and its cost at the start, after 1, 2, 4, … steps, and at the end."""
    print(heading("The line moves"))
    print(f"{'step':>4}{'w1':>9}{'w2':>9}{'b':>9}{'cost':>10}{'likelihood of a point':>24}")
    for step in moments(history.epochs):
        cost = [*history.losses, last][step]
        numbers = "".join(f"{v:9.3f}" for v in lines[step])
        print(f"{step:>4}{numbers}{cost:>10.4f}{math.exp(-cost):>24.3f}")


def moments(steps: int) -> list[int]:
    """Return the steps to show: 0, 1, 2, 4, 8, … and the last one.

    >>> moments(10)
    [0, 1, 2, 4, 8, 10]
    """
    return [0, *(2**k for k in range(steps.bit_length()) if 2**k < steps), steps]


def pictures(
    neuron: nn.Neuron, X: np.ndarray, y: np.ndarray, lines: list[Line], out: str | Path
) -> list[str]:
    """Draw the points, the final line, and the earlier lines in grey, later ones darker."""
    from nn import plots

    figure = plots.decision_regions(neuron, X, y, title="the line moves", threshold=0.5)
    (axes,) = figure.axes
    x1 = np.array(axes.get_xlim())
    shown = moments(len(lines) - 1)
    for k, step in enumerate(shown):
        w1, w2, b = lines[step]
        grey = 0.75 - 0.6 * k / len(shown)
        axes.plot(x1, -(w1 * x1 + b) / w2, color=str(grey), linewidth=0.8, scaley=False)
    return [save(figure, out, "boundary")]


def main(
    points: int = 100, epochs: int = 100, lr: float = 0.5, seed: int = 0, out: str | Path = "out"
) -> dict[str, Any]:
    """Train the neuron, print its costs, draw its lines, and return the numbers.

    Args:
        points: number of points in both clouds together.
        epochs: number of steps of batch gradient descent.
        lr: the learning rate.
        seed: seed of the points.
        out: the folder for `boundary.png`.

    Returns:
        `likelihood` (−1/n·log L of a few points, and their cross-entropy), `lines`, `history`,
        `accuracy` on new points, `pictures`.
    """
    X, y = blobs(points, seed)
    unseen = blobs(points, seed + 10_000)
    neuron = nn.Neuron(2, "sigmoid", seed=seed)
    neuron.load_state_dict(START)
    likelihood = print_likelihood(neuron, X, y)
    history, lines = train(neuron, X, y, epochs, lr)
    last = nn.binary_cross_entropy([neuron(x) for x in X], y.tolist()).data
    print_steps(history, lines, last)
    accuracy = float(np.mean((neuron.predict(unseen[0]) > 0.5) == unseen[1]))
    print(f"\nright on {share(accuracy)} of {points} points it never saw")
    made = pictures(neuron, X, y, lines, out)
    print(f"The line: {made[0]}")
    return {
        "likelihood": likelihood,
        "lines": lines,
        "history": history,
        "accuracy": accuracy,
        "pictures": made,
    }


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse and check the command line's options."""
    return options(
        main,
        "Logistic regression: likelihood, cross-entropy, a moving line.",
        points="points in both clouds together",
        epochs="epochs of batch descent",
        lr="learning rate",
    ).parse_args(arguments)


if __name__ == "__main__":
    run(main, parsed)
