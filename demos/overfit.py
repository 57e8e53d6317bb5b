"""Underfitting and overfitting: a model too simple, one just right, one that learns by heart.

The points to learn from have some wrong labels. A large network learns even those, and is then
worse on points that it never saw. How much worse is seen only on such points: they show which size
is right, and when to stop.

    python -m demos.overfit

What holds a large network back is in the lessons `demos.regularise` and `demos.dropout`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import nn
from autograd import Value
from demos.lesson import Lesson, options, percent, run, save

MISLABELLED = 0.2  # share of the labels that are wrong, in every part of the points
HELD_OUT, UNSEEN = 200, 500
LINE, SMALL = [1], [3, 1]  # sizes of the layers after the two inputs
EARLY = 3  # an epoch after which the large network has hardly learned anything
PATIENCE = 50  # epochs without a lower cost on the held-out points, after which training stops
SHOWN = (1, 3, 10, 30, 100, 200, 300)  # epochs of which the costs are printed


class Points(NamedTuple):
    """Points in the plane, their labels 0 or 1, and which of the labels are wrong."""

    X: np.ndarray
    y: np.ndarray
    mislabelled: np.ndarray


@dataclass(frozen=True)
class Fit:
    """A model after training.

    Attributes:
        model: the model.
        history: the history of its training.
        learned: the share of wrong answers on the points it learned from.
        unseen: the share of wrong answers on points it never saw.
        by_heart: the share of the wrong labels, among those it learned from, that it repeats.
    """

    model: nn.Sequential
    history: nn.History
    learned: float
    unseen: float
    by_heart: float

    @property
    def parameters(self) -> int:
        """The number of weights and biases."""
        return len(self.model.parameters())


def points(count: int, seed: int) -> Points:
    """Draw points of two classes, a cloud and an arch around it, and give some the wrong label."""
    rng = np.random.default_rng(seed)
    label = np.arange(count) % 2
    angle = np.pi * rng.uniform(-0.2, 1.2, count)
    arch = np.stack([np.cos(angle), np.sin(angle)], 1)
    centre, spread = np.where(label[:, None], 0.0, arch), np.where(label[:, None], 0.2, 0.1)
    mislabelled = rng.permutation(count) < max(1, round(MISLABELLED * count))
    X = centre + spread * rng.normal(size=(count, 2))
    return Points(X, np.where(mislabelled, 1 - label, label), mislabelled)


def parts(count: int, seed: int) -> dict[str, Points]:
    """Draw the points to learn from, points held out to decide when to stop, and unseen ones."""
    sizes = {"learned": count, "held out": HELD_OUT, "unseen": UNSEEN}
    return {name: points(n, seed + 10_000 * k) for k, (name, n) in enumerate(sizes.items())}


def network(sizes: list[int], seed: int, dropout: float = 0.0) -> nn.Sequential:
    """Build a tanh network of two inputs and one output, with dropout after each hidden layer."""
    modules: list[nn.Module] = []
    for k, (nin, nout) in enumerate(zip([2, *sizes[:-1]], sizes, strict=True), 1):
        activation = "tanh" if k < len(sizes) else "identity"
        modules.append(nn.Layer(nin, nout, activation, seed=f"{seed}, layer {k}"))
        if dropout and k < len(sizes):
            modules.append(nn.Dropout(dropout))
    return nn.Sequential(*modules)


def fit(
    model: nn.Sequential,
    data: dict[str, Points],
    epochs: int,
    lr: float,
    seed: int,
    *,
    watch: bool = False,
    patience: int | None = None,
    penalty: Callable[[Any], Value] | None = None,
    settle: bool = False,
) -> Fit:
    """Train a model on all points at once and measure it.

    Args:
        model: the model; its output is above 0 for label 1.
        data: the parts of the points.
        epochs: the number of steps, at most.
        lr: Adam's learning rate.
        seed: the seed of dropout.
        watch: True to note the cost of the held-out points after each epoch.
        patience: stop after this many epochs without a lower cost of the held-out points.
        penalty: an extra cost of the model itself.
        settle: True to let the learning rate fall to zero along half a cosine.
    """
    optimizer = nn.Adam(model.parameters(), lr)
    trainer = nn.Trainer(
        model,
        nn.binary_cross_entropy_with_logits,
        optimizer,
        scheduler=nn.CosineAnnealingLR(optimizer, epochs) if settle else None,
        penalty=penalty,
    )
    learned, held_out = data["learned"], data["held out"]
    history = trainer.fit(
        learned.X,
        learned.y,
        epochs,
        batch_size=None,
        validation=(held_out.X, held_out.y) if watch or patience else None,
        early_stopping=patience,
        seed=seed,
        progress=False,
    )
    wrong, unseen = mistakes(model, learned), mistakes(model, data["unseen"])
    by_heart = float(np.mean(~wrong[learned.mislabelled]))
    return Fit(model, history, float(wrong.mean()), float(unseen.mean()), by_heart)


def mistakes(model: nn.Module, part: Points) -> np.ndarray:
    """Return for each point whether the model's answer differs from its label."""
    return np.asarray((model.predict(part.X) > 0.0) != part.y)


def print_fits(fits: dict[str, Fit]) -> None:
    """Print a row for each model: its size, and its wrong answers."""
    print(f"{'':18}{'':>11}{'wrong answers on':>24}{'wrong labels':>15}")
    print(f"{'':18}{'parameters':>11}{'learned':>12}{'unseen':>12}{'by heart':>15}")
    for name, f in fits.items():
        print(
            f"{name:18}{f.parameters:>11}{percent(f.learned):>12}{percent(f.unseen):>12}"
            f"{percent(f.by_heart):>15}"
        )


def sizes_section(lesson: Lesson, fits: dict[str, Fit]) -> None:
    """Print what a line, a small and a large network answer, and the claims about them."""
    line, small, large = fits.values()
    print(
        f"{MISLABELLED:.0%} of the labels are wrong, also of the unseen points: a model that knows "
        f"the truth gives\n{MISLABELLED:.0%} wrong answers, and repeats no wrong label.\n"
    )
    print_fits(fits)
    lesson.claim(
        "too_simple_is_wrong_on_both",
        "The line is too simple: wrong on the points it learned and on new ones. It underfits.",
        min(line.learned, line.unseen) >= MISLABELLED + 0.04 and line.unseen >= small.unseen + 0.03,
    )
    lesson.claim(
        "too_large_learns_by_heart",
        "The large network learns most of the wrong labels by heart.",
        large.by_heart > 0.5 and large.by_heart >= small.by_heart + 0.2,
    )
    lesson.claim(
        "too_large_is_worse_on_new_points",
        "It is very good on the points it learned, and much worse on new ones. It overfits.",
        large.learned <= MISLABELLED - 0.06 and large.unseen >= large.learned + 0.15,
    )
    lesson.claim(
        "just_right_is_best_on_new_points",
        "The small network is just right: of the three it is the best on new points.",
        small.unseen <= min(line.unseen, large.unseen) - 0.02,
    )
    lesson.claim(
        "learned_points_choose_the_wrong_model",
        "By the points they learned we would choose the large one: judge by points never seen.",
        min(fits.values(), key=lambda f: f.learned) is large is not _best(fits),
    )


def _best(fits: dict[str, Fit]) -> Fit:
    return min(fits.values(), key=lambda f: f.unseen)


def lowest(costs: list[float]) -> int:
    """Return the epoch of the lowest cost; the first epoch is 1."""
    return int(np.argmin(costs)) + 1


def curve_section(lesson: Lesson, history: nn.History) -> None:
    """Print the costs of the large network by epoch, and the claims about the two curves."""
    learned, held_out = history.losses, history.validation_losses
    stop, last = lowest(held_out), history.epochs
    print(f"{'epoch':>8}{'cost: learned':>17}{'held out':>12}")
    for epoch in sorted({*(e for e in SHOWN if e < last), stop, last}):
        mark = "   ← lowest on the held-out points" if epoch == stop else ""
        print(f"{epoch:>8}{learned[epoch - 1]:>17.3f}{held_out[epoch - 1]:>12.3f}{mark}")
    lesson.claim(
        "learned_cost_falls_on",
        "On the points it learns from, the cost falls, also after that epoch.",
        learned[-1] < 0.5 * learned[stop - 1] and learned[stop - 1] < learned[0],
    )
    lesson.claim(
        "held_out_cost_turns_up",
        "On points it does not learn from, the cost falls at first, and then it rises.",
        held_out[stop - 1] <= min(held_out[0] - 0.05, held_out[-1] - 0.2),
    )
    gaps = np.subtract(held_out, learned)
    lesson.claim(
        "underfits_before_and_overfits_after",
        "Before the lowest point both costs are high (underfitting); after it they part.",
        abs(gaps[:stop]).mean() < 0.15 and gaps[-1] > 0.5 and learned[0] > held_out[stop - 1],
    )


def stop_section(lesson: Lesson, stopped: Fit, last: Fit) -> None:
    """Print the network that was stopped early beside the one trained on, and the claims."""
    kept, epochs = stopped.history.kept_epoch, stopped.history.epochs
    fits = {f"stopped at {kept}": stopped, f"trained to {last.history.epochs}": last}
    print_fits(fits)
    print(f"\nTraining stopped after epoch {epochs}, and the weights of epoch {kept} were kept.")
    lesson.claim(
        "stops_when_the_cost_no_longer_falls",
        f"Early stopping waits {PATIENCE} epochs for a lower held-out cost, and keeps the best.",
        kept == lowest(last.history.validation_losses[:epochs]) == epochs - PATIENCE,
    )
    lesson.claim(
        "stopping_early_is_better_on_new_points",
        "The stopped network knows fewer wrong labels by heart, and is better on new points.",
        stopped.by_heart <= last.by_heart - 0.2 and stopped.unseen <= last.unseen - 0.02,
    )


def main(
    count: int = 100,
    width: int = 20,
    epochs: int = 300,
    lr: float = 0.05,
    seed: int = 0,
    out: str | Path = "out",
) -> dict[str, Any]:
    """Train each model on the same points, print and draw the results, return the numbers.

    Args:
        count: number of points to learn from.
        width: number of neurons in each of the two hidden layers of the large network.
        epochs: number of steps with all of them.
        lr: the learning rate.
        seed: seed of the points and of the weights.
        out: the folder for the pictures.

    Returns:
        `fits` (a `Fit` for each size), `stopped` (the large network, stopped early), `claims`,
        `sections`, `pictures`.
    """
    lesson = Lesson()
    data = parts(count, seed)
    sizes = [width, width, 1]
    line, small = (fit(network(few, seed), data, epochs, lr, seed) for few in (LINE, SMALL))
    large = fit(network(sizes, seed), data, epochs, lr, seed, watch=True)
    fits = {"a line": line, "a small network": small, "a large network": large}
    with lesson.section("Too simple, just right, too large"):
        sizes_section(lesson, fits)
    with lesson.section("The large network, epoch after epoch"):
        curve_section(lesson, large.history)
    stopped = fit(network(sizes, seed), data, epochs, lr, seed, patience=PATIENCE)
    with lesson.section("Stopping early"):
        stop_section(lesson, stopped, large)
    early = fit(network(sizes, seed), data, min(EARLY, epochs), lr, seed)
    made = [
        save(sizes_figure(fits, data["learned"]), out, "overfit"),
        save(curve_figure(early, stopped, large, data["learned"]), out, "overfit-curves"),
    ]
    lesson.end(made)
    return {
        "fits": fits,
        "stopped": stopped,
        "claims": lesson.claims,
        "sections": lesson.sections,
        "pictures": made,
    }


def sizes_figure(fits: dict[str, Fit], learned: Points) -> Any:
    """Draw the regions of each model, with the points it learned from."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 3.8), layout="constrained")
    verdicts = ("too simple", "just right", "too large")
    for axes, (name, f), verdict in zip(figure.subplots(1, 3), fits.items(), verdicts, strict=True):
        draw_regions(axes, f, learned, f"{name}: {verdict}")
    return figure


def draw_regions(axes: Any, f: Fit, learned: Points, title: str) -> None:
    """Draw a model's regions and the points it learned from, those with a wrong label ringed."""
    from nn import plots

    plots.regions(axes, f.model, learned.X, learned.y, title=title)
    ringed = learned.X[learned.mislabelled]
    axes.figure.supxlabel("a ring marks a wrong label", fontsize=9)
    axes.scatter(*ringed.T, s=70, facecolors="none", edgecolors="#222222", linewidths=0.9)
    axes.set_xlabel(f"wrong: {percent(f.learned)} learned, {percent(f.unseen)} unseen", fontsize=9)


def curve_figure(early: Fit, stopped: Fit, last: Fit, learned: Points) -> Any:
    """Draw both costs of the large network by epoch, and its regions at three epochs."""
    from matplotlib.figure import Figure

    from nn import plots

    figure = Figure(figsize=(9.6, 7.2), layout="constrained")
    grid = figure.add_gridspec(2, 3)
    axes = figure.add_subplot(grid[0, :])
    history, stop = last.history, stopped.history.kept_epoch
    epochs = range(1, history.epochs + 1)
    axes.plot(epochs, history.losses, color=plots.COLOURS[1], label="learned points")
    axes.plot(
        epochs, history.validation_losses, "--", color=plots.COLOURS[0], label="held-out points"
    )
    axes.axvline(stop, color="#222222", linewidth=1.0, linestyle=":")
    axes.annotate(
        f"stop here: epoch {stop}", (stop, 1.0), (6, -4), xycoords=("data", "axes fraction"),
        textcoords="offset points", va="top",
    )  # fmt: skip
    title = "the large network: it underfits before the stop and overfits after it"
    axes.set(xlabel="epoch", ylabel="cost", title=title)
    axes.set_ylim(bottom=0.0)
    axes.margins(x=0.01)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="center right")
    shown = {"underfits": early, "just right": stopped, "overfits": last}
    for k, (verdict, f) in enumerate(shown.items()):
        epoch = f.history.kept_epoch
        draw_regions(figure.add_subplot(grid[1, k]), f, learned, f"epoch {epoch}: {verdict}")
    return figure


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse and check the command line's options."""
    return options(
        main,
        "Underfitting, overfitting, and when to stop.",
        count="points to learn from",
        width="neurons in each hidden layer of the large network",
        epochs="steps with all points",
        lr="learning rate",
    ).parse_args(arguments)


if __name__ == "__main__":
    run(main, parsed)
