"""Underfitting, overfitting and regularisation, on points of which some are mislabelled.

Six models learn the same points:

    a line            too simple: wrong on the training points and on new ones
    a large network   memorises the wrong labels: right on the training points, worse on new ones
    L1                C + λ·Σ|w| pulls weights to zero: many are nearly zero at the end
    L2                C + λ·Σw² keeps all weights small
    dropout           leaves out hidden neurons at random, so that none relies on another
    early stopping    ends when the cost of held-out points no longer falls

    python -m demos.overfit
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import make_moons

import nn
from autograd import Value
from demos.lesson import heading, options, percent, run, save

NOISE = 0.1
MISLABELLED = 0.2  # share of the points to learn from
ZERO = 0.01  # a weight whose size is below this counts as zero
HIDDEN = [32, 32]
HELD_OUT, UNSEEN = 200, 500


@dataclass(frozen=True)
class Fit:
    """A model after training.

    Attributes:
        model: the model.
        train: its accuracy on the points it learned from.
        test: its accuracy on new points.
        zeros: the share of its weights that are nearly zero.
        norm: √Σw² of its weights.
        epochs: number of epochs it trained.
    """

    model: nn.Module
    train: float
    test: float
    zeros: float
    norm: float
    epochs: int


@dataclass(frozen=True)
class Way:
    """The settings of one model: sizes of the hidden layers, and regularisation."""

    sizes: list[int]
    penalty: Callable[[list[Value]], Value] | None = None
    dropout: float = 0.0
    patience: int | None = None


WAYS = {
    "a line": Way([]),
    "unregularised": Way(HIDDEN),
    "L1": Way(HIDDEN, penalty=lambda w: nn.l1_penalty(w, 0.002)),
    "L2": Way(HIDDEN, penalty=lambda w: nn.l2_penalty(w, 0.004)),
    "dropout": Way(HIDDEN, dropout=0.3),
    "early stopping": Way(HIDDEN, patience=60),
}


def weights(model: nn.Module) -> list[Value]:
    """Return all weights, without the biases."""
    return [p for name, p in model.named_parameters() if not name.endswith("b")]


def build(way: Way, seed: int) -> nn.Sequential:
    """Build a network with one output, and with dropout after each hidden layer if asked for."""
    modules: list[nn.Module] = []
    for k, (nin, nout) in enumerate(zip([2, *way.sizes], way.sizes, strict=False)):
        modules.append(nn.Layer(nin, nout, "relu", seed=f"{seed}, layer {k}"))
        if way.dropout:
            modules.append(nn.Dropout(way.dropout))
    last = nn.Layer([2, *way.sizes][-1], 1, "identity", seed=f"{seed}, output")
    return nn.Sequential(*modules, last)


def moons(points: int, seed: int) -> dict[str, Any]:
    """Draw two moons for training, validation and test; mislabel some of the training points."""
    sizes = {"train": points, "validation": HELD_OUT, "test": UNSEEN}
    data = {
        part: make_moons(n, noise=NOISE, random_state=seed + 10_000 * k)
        for k, (part, n) in enumerate(sizes.items())
    }
    wrong = np.random.default_rng(seed).permutation(points)[: round(MISLABELLED * points)]
    data["train"][1][wrong] = 1 - data["train"][1][wrong]
    return data


def fit(way: Way, data: dict[str, Any], epochs: int, lr: float, seed: int) -> Fit:
    """Train one model and measure it."""
    model = build(way, seed)
    optimizer = nn.Adam(model.parameters(), lr)
    penalty = way.penalty
    X, y = data["train"]
    trainer = nn.Trainer(
        model,
        nn.binary_cross_entropy_with_logits,
        optimizer,
        scheduler=nn.CosineAnnealingLR(optimizer, epochs),
        penalty=(lambda m: penalty(weights(m))) if penalty else None,
    )
    history = trainer.fit(
        X,
        y,
        epochs,
        10,
        validation=data["validation"] if way.patience else None,
        early_stopping=way.patience,
        seed=seed,
    )
    sizes = np.abs([w.data for w in weights(model)])
    train, test = (right(model, *data[part]) for part in ("train", "test"))
    zeros = float((sizes < ZERO).mean())
    return Fit(model, train, test, zeros, math.hypot(*sizes), history.epochs)


def right(model: nn.Module, X: np.ndarray, y: np.ndarray) -> float:
    """Compute the accuracy of a model."""
    return float(np.mean((model.predict(X) > 0.0) == y))


def print_fits(fits: dict[str, Fit]) -> None:
    """Print a table with a row for each model."""
    print(heading("Accuracy on training and unseen points, and the size of the weights"))
    print(f"{'':16}{'training':>9}{'unseen':>9}{'zeros':>9}{'norm':>8}{'epochs':>8}")
    for name, f in fits.items():
        print(
            f"{name:16}{percent(f.train):>9}{percent(f.test):>9}{percent(f.zeros):>9}"
            f"{f.norm:>8.2f}{f.epochs:>8}"
        )


def orders_of(fits: dict[str, Fit]) -> dict[str, bool]:
    """Return what should hold of the large networks, and whether each statement holds."""
    large = {name: f for name, f in fits.items() if name != "a line"}
    plain = fits["unregularised"].test
    return {
        "L1 has the most zeros": max(large, key=lambda name: large[name].zeros) == "L1",
        "L2 has the smallest norm": min(large, key=lambda name: large[name].norm) == "L2",
        **{
            f"{name} is no worse than unregularised on points unseen": f.test >= plain
            for name, f in large.items()
            if name != "unregularised"
        },
    }


def main(
    points: int = 100,
    epochs: int = 500,
    lr: float = 0.02,
    seed: int = 0,
    out: str | Path = "out",
) -> dict[str, Any]:
    """Train every model on the same points, print and draw the results, return the numbers.

    Args:
        points: number of points to learn from.
        epochs: how often each point is shown, at most.
        lr: the learning rate, which falls to zero along half a cosine.
        seed: seed of the points, of the weights and of the order.
        out: the folder for `overfit.png`.

    Returns:
        `fits` (a `Fit` for each model), `orders` (see `orders_of`), `pictures`.
    """
    data = moons(points, seed)
    fits = {name: fit(way, data, epochs, lr, seed) for name, way in WAYS.items()}
    print_fits(fits)
    orders = orders_of(fits)
    print(heading("The orders"))
    for order, holds in orders.items():
        print(f"{'holds' if holds else 'DOES NOT HOLD':14}{order}")
    made = pictures(fits, data, out)
    print(f"\nThe regions: {made[0]}")
    return {"fits": fits, "orders": orders, "pictures": made}


def pictures(fits: dict[str, Fit], data: dict[str, Any], out: str | Path) -> list[str]:
    """Draw the regions of each model with the points it learned from."""
    from matplotlib.figure import Figure

    from nn import plots

    figure = Figure(figsize=(9.6, 6.2), layout="constrained")
    for i, (name, f) in enumerate(fits.items(), 1):
        title = f"{name}: {percent(f.test)} unseen"
        plots.regions(figure.add_subplot(2, 3, i), f.model, *data["train"], title=title)
    return [save(figure, out, "overfit")]


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse and check the command line's options."""
    return options(
        main,
        "Under- and overfitting, and what holds a network back.",
        points="points to learn from",
        epochs="largest number of epochs",
        lr="learning rate",
    ).parse_args(arguments)


if __name__ == "__main__":
    run(main, parsed)
