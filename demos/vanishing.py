"""Vanishing gradients: how small the gradient is in the first layers of a deep network.

Going back through a layer multiplies the gradient by the layer's weights and by the slope of its
activation. The sigmoid's slope is at most ¼, so the gradient shrinks from layer to layer. The slope
of tanh is at most 1, and that of relu is 0 or 1.

    python -m demos.vanishing

Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
networks", AISTATS 2010.
"""

from __future__ import annotations

import argparse
import math
import textwrap
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

import nn
from autograd import Value, grad
from demos.lesson import Lesson, options, percent, run, save

ACTIVATIONS = {"sigmoid": Value.sigmoid, "tanh": Value.tanh, "relu": Value.relu}
POINTS = 40
HEIGHTS = (-6.0, -3.0, -1.0, 0.0, 1.0, 3.0, 6.0)  # weighted sums at which slopes are printed
EPOCHS, LR = 300, 0.5


def points(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw points in the plane, of class 1 where both coordinates have the same sign, else 0."""
    X = np.random.default_rng(seed).normal(size=(POINTS, 2))
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)


def slope(activation: str, z: float) -> float:
    """Compute the slope ∂a/∂z of an activation at a weighted sum z."""
    at = Value(z)
    (found,) = grad(ACTIVATIONS[activation](at), [at])
    return float(found)


def gradients(model: nn.MLP, activation: str, seed: int) -> tuple[list[float], list[float]]:
    """Compute the norm of the gradient of each hidden layer, and the mean slope ∂a/∂z in it."""
    X, y = points(seed)
    hidden = model.layers[:-1]
    slopes: list[list[float]] = [[] for _ in hidden]
    for x, wanted in zip(X, y, strict=True):
        nn.binary_cross_entropy_with_logits(model(x), int(wanted)).backward(1.0 / POINTS)
        for met, layer in zip(slopes, hidden, strict=True):
            met += [slope(activation, neuron.z.data) for neuron in layer.neurons]
    return [nn.grad_norm(layer.parameters()) for layer in hidden], [fmean(met) for met in slopes]


def ratio(norms: list[float]) -> float:
    """Divide the last norm by the first; infinity if only the first is zero, NaN if both are.

    >>> ratio([0.5, 2.0]), ratio([0.0, 2.0])
    (4.0, inf)
    """
    if norms[0]:
        return norms[-1] / norms[0]
    return math.inf if norms[-1] else math.nan


def train_and_measure(model: nn.MLP, seed: int) -> tuple[list[float], float]:
    """Train with plain descent; return how far each layer moved, and the share of right answers.

    How far a layer moved is the length of the change of its parameters.
    """
    before = [np.array([p.data for p in layer.parameters()]) for layer in model.layers]
    trainer = nn.Trainer(
        model, nn.binary_cross_entropy_with_logits, nn.SGD(model.parameters(), lr=LR)
    )
    X, y = points(seed)
    history = trainer.fit(X, y, epochs=EPOCHS, batch_size=None, progress=False)
    after = [np.array([p.data for p in layer.parameters()]) for layer in model.layers]
    lengths = [float(np.linalg.norm(new - old)) for old, new in zip(before, after, strict=True)]
    return lengths, history.accuracies[-1] or 0.0


def print_layers(rows: dict[str, list[float]], form: str) -> None:
    """Print a row for each layer, the first on top, and a column for each activation."""
    print(f"{'layer':>6}" + "".join(f"{name:>12}" for name in rows))
    for k, row in enumerate(zip(*rows.values(), strict=True), 1):
        print(f"{k:>6}" + "".join(f"{number:>12{form}}" for number in row))


def main(
    depth: int = 8, width: int = 8, seed: int = 0, out: str | Path = "out", more: bool = False
) -> dict[str, Any]:
    """Measure, print and draw the gradients, and return the numbers.

    Args:
        depth: number of hidden layers.
        width: number of neurons in each.
        seed: seed of the points and of the weights.
        out: the folder for the pictures.
        more: True to show the sections that are hidden by default.

    Returns:
        `norms` and `slopes` (for each activation, one for each hidden layer), `ratios` (last
        norm / first), `moves` (how far each layer moved in training), `accuracies` after it,
        `diagnosis` of the sigmoid network, `claims`, `sections`, `pictures`.
    """
    lesson = Lesson(more)
    with lesson.section("Where the activations are nearly flat: the slope ∂a/∂z"):
        curve = {name: [slope(name, z) for z in HEIGHTS] for name in ACTIVATIONS}
        print(f"{'z':>8}" + "".join(f"{z:>8g}" for z in HEIGHTS))
        for name, slopes_at in curve.items():
            print(f"{name:>8}" + "".join(f"{number:>8.4f}" for number in slopes_at))
        lesson.claim(
            "sigmoid_slope_is_at_most_a_quarter",
            "The sigmoid is steepest at z = 0, and its slope there is only ¼.",
            max(curve["sigmoid"]) == slope("sigmoid", 0.0) == 0.25,
        )
        lesson.claim(
            "sigmoid_is_flat_far_out",
            "Far from 0 the sigmoid is nearly flat: a nudge of z hardly changes a.",
            curve["sigmoid"][0] < 0.01 and curve["sigmoid"][-1] < 0.01,
        )
        lesson.claim(
            "tanh_is_steeper",
            "tanh is steeper near 0, where its slope is 1, but it is flat far out too.",
            slope("tanh", 0.0) == 1.0 and curve["tanh"][-1] < curve["sigmoid"][-1],
        )
        lesson.claim(
            "relu_is_steep_where_it_is_on",
            "relu has the slope 1 for every positive z, however large, and 0 for every negative z.",
            all(number == (z > 0) for z, number in zip(HEIGHTS, curve["relu"], strict=True)),
        )

    networks = {name: nn.MLP(2, [width] * depth + [1], name, seed=seed) for name in ACTIVATIONS}
    found = {name: gradients(model, name, seed) for name, model in networks.items()}
    norms, slopes = ({name: pair[i] for name, pair in found.items()} for i in (0, 1))
    ratios = {name: ratio(row) for name, row in norms.items()}
    with lesson.section("The norm of the gradient ∂C/∂(w, b), layer by layer"):
        print_layers(norms, ".2e")
        print("\nthe last layer's, as a multiple of the first's")
        print(f"{'':6}" + "".join(f"{number:>12,.1f}" for number in ratios.values()))
        lesson.claim(
            "sigmoid_gradient_vanishes",
            "With the sigmoid the first layer's gradient is far smaller than the last layer's.",
            ratios["sigmoid"] >= 100.0,
        )
        lesson.claim(
            "tanh_and_relu_keep_the_gradient",
            "With tanh or relu it is of about the same size in all layers.",
            all(0.01 < ratios[name] < 100.0 for name in ("tanh", "relu")),
        )

    with lesson.section("The mean slope in each layer, and the product of all of them", more=True):
        print_layers(slopes, ".4f")
        products = {name: math.prod(row) for name, row in slopes.items()}
        print("product" + "".join(f"{p:>12.1e}" for p in products.values())[1:])
        lesson.claim(
            "a_factor_for_each_layer",
            "Each layer multiplies the gradient by one more slope, and small slopes make it tiny.",
            products["sigmoid"] <= 0.25**depth and products["tanh"] > 10 * products["sigmoid"],
        )

    with lesson.section(f"How far {EPOCHS} steps of descent move each layer's parameters"):
        trained = {name: train_and_measure(model, seed) for name, model in networks.items()}
        moves = {name: lengths for name, (lengths, _) in trained.items()}
        accuracies = {name: accuracy for name, (_, accuracy) in trained.items()}
        print_layers(moves, ".4f")
        print(f"{'right':>6}" + "".join(f"{percent(a):>12}" for a in accuracies.values()))
        lesson.claim(
            "early_layers_hardly_move",
            "Where the gradient vanishes, the steps are tiny: the early layers hardly learn.",
            moves["sigmoid"][0] < 0.01 * moves["sigmoid"][-1],
        )
        lesson.claim(
            "tanh_and_relu_learn_what_sigmoid_does_not",
            "From the same points, tanh and relu networks learn what the sigmoid network does not.",
            min(accuracies["tanh"], accuracies["relu"]) >= accuracies["sigmoid"] + 0.1,
        )

    with lesson.section("What nn.diagnose says of the sigmoid network"):
        untrained = nn.MLP(2, [width] * depth + [1], "sigmoid", seed=seed)
        diagnosis = nn.diagnose(untrained, *points(seed))
        print(textwrap.fill(str(diagnosis), 100, subsequent_indent="  "))
        print("(layers.0 is PyTorch's name for layer 1)")
    made = pictures(norms, out)
    lesson.end(made)
    return {
        "norms": norms,
        "slopes": slopes,
        "ratios": ratios,
        "moves": moves,
        "accuracies": accuracies,
        "diagnosis": diagnosis,
        "claims": lesson.claims,
        "sections": lesson.sections,
        "pictures": made,
    }


def pictures(norms: dict[str, list[float]], out: str | Path) -> list[str]:
    """Draw the norms by layer on a logarithmic scale, and the activations with their slopes."""
    from matplotlib.figure import Figure

    from nn import plots

    figure = Figure(figsize=(6.0, 3.4), layout="constrained")
    axes = figure.add_subplot()
    for i, (name, row) in enumerate(norms.items()):
        layers = range(1, len(row) + 1)
        axes.plot(layers, row, color=plots.COLOURS[i], marker=plots.MARKERS[i], label=name)
    axes.set_yscale("log")
    axes.set(xlabel="hidden layer", ylabel="norm of the gradient")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    curves = plots.activations(list(ACTIVATIONS))
    return [save(figure, out, "vanishing"), save(curves, out, "vanishing-activations")]


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
