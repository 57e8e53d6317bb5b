"""Dropout: hidden neurons are left out at random in training, so that none is indispensable.

The points and the large network are those of the lesson `demos.overfit`; penalties on large weights
are in `demos.regularise`.

    python -m demos.dropout

Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting",
JMLR 15 (2014).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import nn
from demos.lesson import Lesson, options, percent, run, save
from demos.overfit import Fit, Points, draw_regions, fit, network, parts, print_fits

DROPOUT = 0.3  # the probability that a neuron is left out
EXAMPLES = 100  # examples of which it is noted which neurons are left out


def masks(width: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Send ones through a dropout layer; return the outputs in training and in evaluation."""
    dropout = nn.Dropout(DROPOUT, seed=seed)
    trained = np.array([dropout([1.0] * width) for _ in range(EXAMPLES)])
    return trained, np.array(dropout.eval()([1.0] * width))


def without_each(model: nn.Sequential, part: Points) -> np.ndarray:
    """Compute the share of wrong answers without each neuron of the last hidden layer."""
    *hidden, last = model
    a = nn.Sequential(*hidden).predict(part.X)
    w = np.array([weight.data for weight in last.neurons[0].w])
    z = model.predict(part.X)[:, None] - a * w
    return np.asarray(((z > 0.0) != part.y[:, None]).mean(0))


def masks_section(lesson: Lesson, width: int, seed: int) -> None:
    """Print which neurons are left out at some examples, and the claims about it."""
    trained, evaluated = masks(width, seed)
    print(f"which of {width} neurons pass their output on (■), at p = {DROPOUT:g}")
    for i, row in enumerate(trained[:5], 1):
        print(f"  training, example {i}    " + " ".join("■" if m else "·" for m in row))
    print("  evaluation             " + " ".join("■" if m else "·" for m in evaluated))
    on = trained > 0.0
    lesson.claim(
        "dropout_leaves_neurons_out_at_random",
        "Each neuron is left out at times and learns at times, so that all neurons learn.",
        0 < on.sum(0).min() <= on.sum(0).max() < len(on),
    )
    lesson.claim(
        "evaluation_uses_all_neurons",
        "In evaluation no neuron is left out.",
        (evaluated == 1.0).all(),
    )


def fits_section(lesson: Lesson, plain: Fit, dropped: Fit) -> None:
    """Print the large network without and with dropout, and the claim about them."""
    print_fits({"no dropout": plain, f"dropout, p = {DROPOUT:g}": dropped})
    lesson.claim(
        "dropout_holds_back",
        "With dropout it learns fewer wrong labels by heart, and is better on new points.",
        dropped.by_heart <= plain.by_heart - 0.2 and dropped.unseen < plain.unseen,
    )


def missed_section(
    lesson: Lesson, plain: Fit, dropped: Fit, learned: Points
) -> dict[str, np.ndarray]:
    """Print the wrong answers without the neuron that is missed most, and the claim about them."""
    fits = {"no dropout": plain, "dropout": dropped}
    missing = {name: without_each(f.model, learned) for name, f in fits.items()}
    print(
        "wrong answers on the learned points, with one neuron of the last hidden layer taken away"
    )
    print(f"{'':18}{'none taken away':>17}{'the one missed most':>23}")
    for name, f in fits.items():
        print(f"{name:18}{percent(f.learned):>17}{percent(missing[name].max()):>23}")
    worst = {name: missing[name].max() - f.learned for name, f in fits.items()}
    lesson.claim(
        "dropout_makes_no_neuron_indispensable",
        "It spreads the work: without dropout one neuron can be indispensable, with it none is.",
        worst["dropout"] <= 0.05 and worst["dropout"] <= 0.5 * worst["no dropout"],
    )
    return missing


def main(
    count: int = 100,
    width: int = 20,
    epochs: int = 300,
    lr: float = 0.05,
    seed: int = 0,
    out: str | Path = "out",
) -> dict[str, Any]:
    """Train the large network without and with dropout, print and draw, return the numbers.

    Args:
        count: number of points to learn from.
        width: number of neurons in each of the two hidden layers.
        epochs: number of steps with all points.
        lr: the learning rate, which falls to zero along half a cosine.
        seed: seed of the points, of the weights and of dropout.
        out: the folder for the picture.

    Returns:
        `fits` (a `Fit` for each network), `missing` (for each network the share of wrong answers
        without each neuron of the last hidden layer), `claims`, `sections`, `pictures`.
    """
    lesson = Lesson()
    with lesson.section("Neurons left out at random"):
        masks_section(lesson, width, seed)
    data = parts(count, seed)
    plain, dropped = (
        fit(network([width, width, 1], seed, p), data, epochs, lr, seed, settle=True)
        for p in (0.0, DROPOUT)
    )
    with lesson.section("The large network without and with dropout"):
        fits_section(lesson, plain, dropped)
    with lesson.section("What is missed most"):
        missing = missed_section(lesson, plain, dropped, data["learned"])
    fits = {"no dropout": plain, "dropout": dropped}
    made = [save(picture(fits, missing, data["learned"]), out, "dropout")]
    lesson.end(made)
    return {
        "fits": fits,
        "missing": missing,
        "claims": lesson.claims,
        "sections": lesson.sections,
        "pictures": made,
    }


def picture(fits: dict[str, Fit], missing: dict[str, np.ndarray], learned: Points) -> Any:
    """Draw the regions of both networks, and the wrong answers that taking a neuron away adds."""
    from matplotlib.figure import Figure

    from nn import plots

    figure = Figure(figsize=(9.6, 3.8), layout="constrained")
    *left, right = figure.subplots(1, 3)
    for k, (name, f) in enumerate(fits.items()):
        draw_regions(left[k], f, learned, name)
        added = 100.0 * (np.sort(missing[name])[::-1] - f.learned)
        right.plot(added, color=plots.COLOURS[k], marker=plots.MARKERS[k], label=name)
    right.set(
        title="one neuron taken away",
        xlabel="neurons, the one missed most first",
        ylabel="wrong answers added, %",
    )
    right.set_xticks([])
    right.axhline(0.0, color="#BBBBBB", linewidth=0.8, zorder=0)
    right.spines[["top", "right"]].set_visible(False)
    right.legend(frameon=False)
    return figure


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse and check the command line's options."""
    return options(
        main,
        "Dropout: a network in which no neuron is indispensable.",
        count="points to learn from",
        width="neurons in each hidden layer",
        epochs="steps with all points",
        lr="learning rate",
    ).parse_args(arguments)


if __name__ == "__main__":
    run(main, parsed)
