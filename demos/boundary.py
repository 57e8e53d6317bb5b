"""Logistic regression: one neuron that moves a line until the data are likely.

    p = σ(w·x + b)                     the probability of a yes
    L = Π p^y·(1 − p)^(1 − y)          how likely the data are, if p is right
    C = −1/n·log L                     the cross-entropy, the mean cost of a point

To make the data most likely and the cross-entropy smallest is the same.

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
START = {"w": [0.5, -1.5], "b": 1.0}  # a line that is wrong, to see it move
SHOWN = 6  # points whose likelihood is worked out in print
Line = tuple[float, float, float]
"""w₁, w₂ and b: the line is where w₁·x₁ + w₂·x₂ + b = 0."""


def blobs(points: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two clouds of points, half of them each, four standard deviations from the middle."""
    X, y = make_blobs(points, centers=CENTRES, cluster_std=SPREAD, random_state=seed)
    return X, y


def line_of(neuron: nn.Neuron) -> Line:
    """Where the neuron's boundary is now."""
    return neuron.w[0].data, neuron.w[1].data, neuron.b.data


def print_likelihood(neuron: nn.Neuron, X: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """The likelihood of a few points, factor by factor, and the cross-entropy it amounts to.

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
    """Batch gradient descent; returns where the line was before it and after each epoch."""
    lines = [line_of(neuron)]
    trainer = nn.Trainer(neuron, nn.binary_cross_entropy, nn.SGD(neuron.parameters(), lr))
    history = trainer.fit(X, y, epochs, None, callbacks=[lambda *_: lines.append(line_of(neuron))])
    return history, lines


def print_steps(history: nn.History, lines: list[Line], last: float) -> None:
    """Where the line is, and what it costs, at the start, after 1, 2, 4, … steps, and last."""
    print(heading("The line moves"))
    print(f"{'step':>4}{'w1':>9}{'w2':>9}{'b':>9}{'cost':>10}{'likelihood of a point':>24}")
    for step in moments(history.epochs):
        cost = [*history.losses, last][step]
        numbers = "".join(f"{v:9.3f}" for v in lines[step])
        print(f"{step:>4}{numbers}{cost:>10.4f}{math.exp(-cost):>24.3f}")


def moments(steps: int) -> list[int]:
    """0, 1, 2, 4, 8, … and the last step.

    >>> moments(10)
    [0, 1, 2, 4, 8, 10]
    """
    return [0, *(2**k for k in range(steps.bit_length()) if 2**k < steps), steps]


def pictures(
    neuron: nn.Neuron, X: np.ndarray, y: np.ndarray, lines: list[Line], out: str | Path
) -> list[str]:
    """The points, the last line, and the lines on the way, the later the darker."""
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
    """Move the line, print what it costs, draw it, and return the numbers.

    Args:
        points: in both clouds together.
        epochs: steps of batch gradient descent.
        lr: the learning rate.
        seed: of the points.
        out: the folder for `boundary.png`.

    Returns:
        `likelihood` (−1/n·log L of a few points, and their cross-entropy), `lines`, `history`,
        `accuracy` on points never seen, `pictures`.
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
    """The command line's options, checked."""
    return options(
        "boundary",
        "Logistic regression: likelihood, cross-entropy, a moving line.",
        points=(100, "in both clouds"),
        epochs=(100, "of batch descent"),
        lr=(0.5, "learning rate"),
    ).parse_args(arguments)


if __name__ == "__main__":
    run("boundary", main, parsed)
