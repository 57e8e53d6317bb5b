"""Three classes in three spirals: softmax, one-hot targets and cross-entropy.

    p = softmax(z),  pₖ = exp(zₖ)/Σ exp(zⱼ)      scores become probabilities
    C = −Σₖ yₖ·log pₖ = −log p_right              the cost of one example
    ∂C/∂zₖ = pₖ − yₖ                              scores with a negative gradient should go up

    python -m demos.spirals

Source: Bishop, "Pattern Recognition and Machine Learning" (2006), section 4.3.4.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import nn
from autograd import Value, softmax
from demos.lesson import heading, options, run, save, share

CLASSES = 3


def spirals(points: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw points along three spiral arms, `points` in each.

    >>> X, y = spirals(50, seed=0)
    >>> X.shape, np.bincount(y).tolist()
    ((150, 2), [50, 50, 50])
    """
    rng = np.random.default_rng(seed)
    along = rng.uniform(0.05, 1.0, size=(CLASSES, points))
    turn = 2.0 * np.pi * np.arange(CLASSES)[:, None] / CLASSES
    angle = turn + 4.0 * along + rng.normal(scale=0.12, size=along.shape)
    X = np.stack([along * np.sin(angle), along * np.cos(angle)], axis=-1).reshape(-1, 2)
    return X, np.repeat(np.arange(CLASSES), points)


def print_point(model: nn.Module, x: Any, right: int) -> dict[str, list[float]]:
    """Print the scores, probabilities and gradients of one point; return the table's columns."""
    scores: list[Value] = model(x)
    cost = nn.cross_entropy(scores, right)
    cost.backward()
    columns = {
        "z": [z.data for z in scores],
        "p": [p.data for p in softmax(scores)],
        "y": nn.one_hot(right, CLASSES).tolist(),
        "gradient": [z.grad for z in scores],
    }
    print(f"a point at ({x[0]:.2f}, {x[1]:.2f}), of class {right}: C = −log p = {cost.data:.4f}")
    print(f"{'class':>6}{'z':>9}{'p':>9}{'y':>5}{'∂C/∂z':>9}{'p − y':>9}")
    for k, (z, p, y, gradient) in enumerate(zip(*columns.values(), strict=True)):
        wish = "up" if gradient < 0 else "down"
        print(f"{k:>6}{z:>9.3f}{p:>9.3f}{y:>5.0f}{gradient:>9.3f}{p - y:>9.3f}   {wish}")
    return columns


def main(
    points: int = 80,
    epochs: int = 80,
    lr: float = 0.02,
    seed: int = 0,
    out: str | Path = "out",
) -> dict[str, Any]:
    """Train a 2-16-16-3 network, print one point before and after, draw, and return the numbers.

    Args:
        points: number of points to learn from in each spiral; as many again are held out.
        epochs: how often each point is shown.
        lr: the learning rate, which falls to zero along half a cosine.
        seed: seed of the points, of the weights and of the order.
        out: the folder for the pictures.

    Returns:
        `before` and `after` (the columns of one point's table), `history`, `accuracy` on the
        held-out points, `pictures`.
    """
    X, y = spirals(points, seed)
    held_out = spirals(points, seed + 10_000)
    model = nn.MLP(2, [16, 16, CLASSES], "tanh", seed=seed)
    print(heading("Before training"))
    before = print_point(model, X[0], int(y[0]))
    optimizer = nn.Adam(model.parameters(), lr)
    schedule = nn.CosineAnnealingLR(optimizer, epochs)
    trainer = nn.Trainer(model, nn.cross_entropy, optimizer, scheduler=schedule)
    history = trainer.fit(X, y, epochs, 16, validation=held_out, seed=seed)
    print(heading("Training"))
    print(history)
    print(heading("After training"))
    after = print_point(model, X[0], int(y[0]))
    accuracy = history.validation_accuracies[-1]
    print(f"\nright on {share(accuracy)} of {len(X)} points it never saw")
    made = pictures(model, history, held_out, out)
    print(f"The pictures: {', '.join(made)}")
    return {
        "before": before,
        "after": after,
        "history": history,
        "accuracy": accuracy,
        "pictures": made,
    }


def pictures(model: nn.MLP, history: nn.History, held_out: Any, out: str | Path) -> list[str]:
    """Draw the regions of the classes with the held-out points, and the curves."""
    from nn import plots

    X, y = held_out
    return [
        save(plots.decision_regions(model, X, y, title="points unseen"), out, "spirals"),
        save(history.plot(), out, "spirals-curves"),
    ]


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse and check the command line's options."""
    return options(
        main,
        "Three spirals: softmax, one-hot targets, cross-entropy.",
        points="points in each spiral",
        epochs="how often each point is shown",
        lr="learning rate",
    ).parse_args(arguments)


if __name__ == "__main__":
    run(main, parsed)
