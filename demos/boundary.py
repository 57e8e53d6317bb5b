"""Logistic regression: one neuron whose boundary moves until it separates the data.

    p = σ(w·x + b)                     the probability of class 1
    L = Π p^y·(1 − p)^(1 − y)          the likelihood of the data under p
    C = −1/n·log L                     the cross-entropy: the mean cost of a point

The parameters that maximise the likelihood also minimise the cross-entropy. With two features the
boundary is a line, with three a plane, with more a hyperplane.

    python -m demos.boundary
    python -m demos.boundary --features 3

Source: Bishop, "Pattern Recognition and Machine Learning" (2006), section 4.3.2.
"""

from __future__ import annotations

import argparse
import itertools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.datasets import make_blobs

import nn
from autograd import Value, sigmoid
from demos.lesson import Lesson, options, percent, run, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CENTRE = [1.5, 1.0, 0.8, -0.6, 0.4]  # of the cloud of class 1; its features are repeated
SPREAD = 0.45
START_W, START_B = (0.5, -1.5), 1.0  # a wrong line, so that one sees it move
NUDGE = 1e-4
SHOWN = 6  # points whose probability is printed
DISTANCES = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
MANY = 1000
CLASSES = (1, 1, 0, 0)  # of the notes' four points
MODELS = {"model A": (0.6, 0.2, 0.9, 0.3), "model B": (0.9, 0.6, 0.3, 0.2)}  # their p of class 1
Boundary = tuple[float, ...]
"""w₁, w₂, … and b: the boundary is where w₁·x₁ + w₂·x₂ + … + b = 0."""


def blobs(points: int, seed: int, features: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Draw two clouds with half of the points each, as X and y.

    The centre of each cloud is four standard deviations from the origin.
    """
    centre = np.resize(CENTRE, features)
    centre *= 4.0 * SPREAD / np.linalg.norm(centre)
    X, y = make_blobs(points, centers=[-centre, centre], cluster_std=SPREAD, random_state=seed)
    return X, y


def start(features: int, seed: int) -> nn.Neuron:
    """Return a neuron with a wrong boundary: `START_W`, with zeros for further features."""
    neuron = nn.Neuron(features, "sigmoid", seed=seed)
    neuron.load_state_dict({"w": [*START_W, *[0.0] * (features - 2)], "b": START_B})
    return neuron


def boundary_of(neuron: nn.Neuron) -> Boundary:
    """Return the neuron's current boundary."""
    return *(w.data for w in neuron.w), neuron.b.data


def equation(boundary: Boundary) -> str:
    """Write the boundary as an equation.

    >>> equation((0.5, -1.5, 1.0))
    '0.5·x1 − 1.5·x2 + 1 = 0'
    """
    *w, b = boundary
    terms = [(x, f"·x{i}") for i, x in enumerate(w, 1)] + [(b, "")]
    text = "".join(f" {'−' if x < 0 else '+'} {abs(x):.3g}{name}" for x, name in terms)
    return f"{text[3:] if text.startswith(' +') else '−' + text[3:]} = 0"


@dataclass(frozen=True)
class Likelihood:
    """The likelihood of some points of known class under a model, in its parts.

    Attributes:
        factors: the probability that the model gives to the class of each point.
        costs: −log of each factor.
        product: the likelihood L of the points.
        total: −log L, the sum of the costs.
        mean: the cross-entropy of the points by `nn.binary_cross_entropy`.
    """

    factors: list[float]
    costs: list[float]
    product: float
    total: float
    mean: float


def likelihood_of(p: list[float], y: list[int]) -> Likelihood:
    """Compute the likelihood of points of classes y under the probabilities p of class 1.

    >>> round(likelihood_of([0.6, 0.2, 0.9, 0.3], [1, 1, 0, 0]).product, 4)
    0.0084
    """
    factors = [q if wanted else 1.0 - q for q, wanted in zip(p, y, strict=True)]
    costs = [-math.log(factor) for factor in factors]
    mean = nn.binary_cross_entropy([Value(q) for q in p], y).data
    return Likelihood(factors, costs, math.prod(factors), sum(costs), mean)


def print_beside(
    names: list[str], p: list[list[float]], y: list[int], likelihoods: list[Likelihood]
) -> None:
    """Print what two models say of the same points, side by side, and the last row with totals."""
    print(f"{'':12}" + "".join(f"{name:>32}" for name in names))
    print("point      y" + 2 * f"{'p':>12}{'factor':>10}{'−log':>10}")
    for i, wanted in enumerate(y):
        cells = zip(p, likelihoods, strict=True)
        print(
            f"{i:>5}{wanted:>7}"
            + "".join(f"{q[i]:>12.4f}{t.factors[i]:>10.4f}{t.costs[i]:>10.4f}" for q, t in cells)
        )
    totals = "".join(f"{'':12}{t.product:>10.4g}{t.total:>10.4f}" for t in likelihoods)
    print(f"product, sum{totals}")


def compare_models(lesson: Lesson) -> list[Likelihood]:
    """Show the likelihood of four points under two given models."""
    y, p = list(CLASSES), [list(probabilities) for probabilities in MODELS.values()]
    likelihoods = [likelihood_of(probabilities, y) for probabilities in p]
    print_beside(list(MODELS), p, y, likelihoods)
    bad, good = likelihoods
    lesson.claim(
        "the_better_model_makes_the_data_likelier",
        "The better model gives what happened the larger probability: the product of the factors.",
        good.product > bad.product and round(bad.product, 4) == 0.0084,
    )
    lesson.claim(
        "the_logarithm_turns_the_product_into_a_sum",
        "The logarithm turns the product into a sum; the better model has the smaller −log.",
        all(math.isclose(-math.log(t.product), t.total) for t in likelihoods)
        and good.total < bad.total,
    )
    lesson.claim(
        "an_unlikely_point_costs_most",
        "A point to whose class the model gives little probability has a large cost.",
        all(np.argmin(t.factors) == np.argmax(t.costs) for t in likelihoods)
        and max(bad.costs) > 1.0,
    )
    lesson.claim(
        "the_cross_entropy_is_the_mean_cost",
        "The mean of −log is the cross-entropy.",
        all(math.isclose(t.mean, t.total / len(y)) for t in likelihoods),
    )
    many = math.prod(bad.factors * MANY)
    print(f"\n{4 * MANY} points of such factors: product {many:g}, sum {bad.total * MANY:.1f}")
    lesson.claim(
        "a_long_product_is_too_small_for_a_number",
        "The product of many probabilities is too small for a computer's number; the sum is not.",
        many == 0.0 and math.isfinite(bad.total * MANY),
    )
    return likelihoods


def probability(boundary: Boundary, distance: float) -> float:
    """Compute p at a distance from the boundary, positive on the side of class 1."""
    *w, _ = boundary
    return sigmoid(math.hypot(*w) * distance)


def show_distances(lesson: Lesson, boundary: Boundary) -> list[float]:
    """Show p at some distances from the boundary, beside the answer of a step."""
    p = [probability(boundary, distance) for distance in DISTANCES]
    print(f"{'distance':>9}{'step':>8}{'p':>10}")
    for distance, sure in zip(DISTANCES, p, strict=True):
        bar = "█" * round(24 * sure)
        print(f"{distance:>9.1f}{float(distance > 0):>8.0f}{sure:>10.4f}  {bar}".rstrip())
    lesson.claim(
        "p_says_how_sure_a_step_only_which_side",
        "A step says only on which side a point lies; p says how sure, and grows with distance.",
        p == sorted(p) and len(set(p)) == len(p),
    )
    lesson.claim(
        "p_is_a_half_on_the_boundary",
        "On the boundary p = ½, and at equal distances on both sides p and 1 − p are equal.",
        p[3] == 0.5 and np.allclose(np.array(p) + p[::-1], 1.0),
    )
    return p


def sweep(
    lesson: Lesson, neuron: nn.Neuron, X: np.ndarray, y: np.ndarray
) -> dict[str, list[float]]:
    """Show the mistakes and the cross-entropy while w1 moves, and restore w1."""
    w1 = neuron.w[0]
    before = w1.data
    found: dict[str, list[float]] = {
        "w1": [],
        "mistakes": [],
        "cost": [],
        "nudged": [],
        "changed": [],
    }
    for value in np.linspace(before - 1.0, before + 3.0, 9).tolist():
        (mistakes, cost), (then, later) = (
            _mistakes_and_cost(neuron, X, y, w) for w in (value, value + NUDGE)
        )
        row = value, mistakes, cost, then - mistakes, later - cost
        for column, number in zip(found.values(), row, strict=True):
            column.append(number)
    w1.data = before
    print(f"{'w1':>8}{'mistakes':>10}{'cost':>10}{f'w1 + {NUDGE:g}: mistakes':>24}{'cost':>12}")
    for value, mistakes, cost, dm, dc in zip(*found.values(), strict=True):
        print(f"{value:>8.2f}{mistakes:>10.0f}{cost:>10.4f}{dm:>+24.0f}{dc:>+12.2e}")
    lesson.claim(
        "mistakes_do_not_say_where_to_go",
        "The number of mistakes moves in jumps: a small nudge does not change it.",
        len(set(found["mistakes"])) > 1 and not any(found["nudged"]),
    )
    lesson.claim(
        "the_cost_says_where_to_go",
        "The cross-entropy is smooth: every nudge changes it a little, and says which way is down.",
        all(0.0 < abs(change) < NUDGE * 10 for change in found["changed"]),
    )
    return found


def _mistakes_and_cost(
    neuron: nn.Neuron, X: np.ndarray, y: np.ndarray, w1: float
) -> tuple[int, float]:
    """Count the mistakes and compute the cross-entropy with another w1."""
    neuron.w[0].data = w1
    z = X @ [w.data for w in neuron.w] + neuron.b.data
    return int(((z > 0) != y).sum()), float(np.logaddexp(0.0, np.where(y, -z, z)).mean())


def show_gradients(lesson: Lesson, neuron: nn.Neuron, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Show the gradient of single points as a multiple of the point; return the multiples."""
    print(f"{'point':>5}{'p − y':>9}{'x1':>9}{'x2':>9}{'∂C/∂w1':>10}{'∂C/∂w2':>10}{'∂C/∂b':>10}")
    multiples, exact, helped = [], [], []
    for i, (x, wanted) in enumerate(zip(X, y.tolist(), strict=True)):
        neuron.zero_grad()
        p = neuron(x)
        nn.binary_cross_entropy(p, wanted).backward()
        gradient = [v.grad for v in (*neuron.w, neuron.b)]
        multiple = p.data - wanted
        numbers = [multiple, *x[:2], *gradient[:2], gradient[-1]]
        print(
            f"{i:>5}"
            + "".join(f"{v:>9.4f}" for v in numbers[:3])
            + "".join(f"{v:>10.4f}" for v in numbers[3:])
        )
        exact.append(np.allclose(gradient, multiple * np.array([*x, 1.0])))
        z = sum((w.data - w.grad) * q for w, q in zip(neuron.w, x)) + neuron.b.data - neuron.b.grad
        helped.append(abs(sigmoid(z) - wanted) < abs(multiple))
        multiples.append(multiple)
    neuron.zero_grad()
    lesson.claim(
        "the_gradient_is_a_multiple_of_the_point",
        "∂C/∂w is the point times p − y, and ∂C/∂b is p − y: the farther off, the larger.",
        all(exact),
    )
    lesson.claim(
        "a_step_brings_p_closer_to_y",
        "A step of minus the gradient, by one point alone, brings the p of that point closer to y.",
        all(helped),
    )
    return np.array(multiples)


def train(
    neuron: nn.Neuron, X: np.ndarray, y: np.ndarray, epochs: int, lr: float
) -> tuple[nn.History, list[Boundary]]:
    """Train by batch gradient descent.

    Returns:
        The history, and the boundaries: one before training and one after each epoch.
    """
    seen = [boundary_of(neuron)]
    trainer = nn.Trainer(neuron, nn.binary_cross_entropy, nn.SGD(neuron.parameters(), lr))
    history = trainer.fit(
        X, y, epochs, None, callbacks=[lambda *_: seen.append(boundary_of(neuron))], progress=False
    )
    return history, seen


def show_steps(
    lesson: Lesson, lines: list[Boundary], costs: list[float], points: int, accuracy: float
) -> None:
    """Show the boundary and its cost at the start, after 1, 2, 4, … steps, and at the end."""
    names = [*(f"w{i}" for i in range(1, len(lines[0]))), "b"]
    print(f"{'step':>4}" + "".join(f"{name:>9}" for name in names), end="")
    print(f"{'C':>10}{'−log L = n·C':>15}{'L':>12}")
    for step in moments(len(lines) - 1):
        total = points * costs[step]
        print(f"{step:>4}" + "".join(f"{v:>9.3f}" for v in lines[step]), end="")
        print(f"{costs[step]:>10.4f}{total:>15.3f}{math.exp(-total):>12.2e}")
    print(f"right on {percent(accuracy)} of {points} points it never saw")
    lesson.claim(
        "descent_makes_the_data_likelier",
        "Each step lowers the cross-entropy, and so raises the likelihood of the data.",
        all(later < earlier for earlier, later in itertools.pairwise(costs)),
    )
    lesson.claim(
        "the_boundary_separates_new_points",
        "The boundary is right on new points, too.",
        accuracy >= 0.95,
    )


def show_features(lesson: Lesson, points: int, seed: int) -> dict[int, int]:
    """Show the boundary for 2, 3 and 5 features; return its number of dimensions for each."""
    dimensions = {}
    for features, name in ((2, "line"), (3, "plane"), (5, "hyperplane")):
        neuron = start(features, seed)
        _, boundaries = train(neuron, *blobs(points, seed, features), epochs=20, lr=0.5)
        *w, b = boundaries[-1]
        normal = np.array(w) / np.dot(w, w)
        rng = np.random.default_rng(seed)
        spread = rng.normal(size=(20, features))
        on_it = spread - np.outer(spread @ w + b, normal)  # the nearest points of the boundary
        assert np.allclose(on_it @ w + b, 0.0)
        dimensions[features] = int(np.linalg.matrix_rank(on_it - on_it[0], tol=1e-9))
        print(f"{features} features, a {name} of {dimensions[features]} dimension(s):")
        print(f"    {equation(boundaries[-1])}")
    lesson.claim(
        "the_boundary_has_one_dimension_less",
        "In n features the boundary has n − 1 dimensions: a line, a plane, a hyperplane.",
        all(found == features - 1 for features, found in dimensions.items()),
    )
    return dimensions


def moments(steps: int) -> list[int]:
    """Return the steps to show: 0, 1, 2, 4, 8, … and the last one.

    >>> moments(10)
    [0, 1, 2, 4, 8, 10]
    """
    return [0, *(2**k for k in range(steps.bit_length()) if 2**k < steps), steps]


def picture_of_lines(
    neuron: nn.Neuron, X: np.ndarray, y: np.ndarray, lines: list[Boundary]
) -> Figure:
    """Draw the points, p as shading, the final line, and the earlier lines in grey."""
    from matplotlib.colors import LinearSegmentedColormap

    from nn import plots

    figure: Figure = plots.decision_regions(
        neuron, X, y, title="the line moves; paler is less sure", threshold=0.5
    )
    (axes,) = figure.axes
    x1 = np.array(axes.get_xlim())
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    across, up = np.linspace(left, right, 60), np.linspace(low, high, 60)
    p = neuron.predict([[x, y] for y in up for x in across]).reshape(60, 60)
    red, blue = plots.COLOURS[:2]
    shades = LinearSegmentedColormap.from_list("p", [red, "white", blue])
    axes.collections[0].remove()  # the regions, all equally sure
    extent = (left, right, low, high)
    shown = axes.imshow(
        p, shades, aspect="auto", vmin=0, vmax=1, alpha=0.4, extent=extent, origin="lower"
    )
    shown.set(interpolation="bilinear", zorder=0.5)
    figure.colorbar(shown, ax=axes, label="a, the output of the neuron")
    steps = moments(len(lines) - 1)
    for k, step in enumerate(steps):
        w1, w2, b = lines[step]
        grey = 0.75 - 0.6 * k / len(steps)
        axes.plot(x1, -(w1 * x1 + b) / w2, color=str(grey), linewidth=0.8, scaley=False)
    axes.set(xlabel="x1", ylabel="x2")
    return figure


def picture_of_plane(X: np.ndarray, y: np.ndarray, boundary: Boundary) -> Figure:
    """Draw the points of three features and the plane between them."""
    from matplotlib.figure import Figure

    from nn import plots

    *w, b = boundary
    normal = np.array(w) / np.linalg.norm(w)
    centre = X.mean(0) - (X.mean(0) @ w + b) / np.linalg.norm(w) * normal
    _, _, (_, along, across) = np.linalg.svd(normal[None, :])
    side = np.linspace(-1.8, 1.8, 7)
    x1, x2, x3 = (c + np.add.outer(p * side, q * side) for c, p, q in zip(centre, along, across))
    figure = Figure(figsize=(5.0, 4.6), layout="constrained")
    axes: Any = figure.add_subplot(projection="3d")
    axes.plot_surface(x1, x2, x3, color="#888888", alpha=0.5)
    for kind in (0, 1):
        colour, marker = plots.COLOURS[kind], plots.MARKERS[kind]
        axes.scatter(*X[y == kind].T, color=colour, marker=marker, label=f"class {kind}")
    axes.set(title="the boundary is a plane", xlabel="x1", ylabel="x2", zlabel="x3")
    axes.set_box_aspect(None, zoom=0.9)
    axes.legend(frameon=False)
    return figure


def picture_of_costs(found: dict[str, list[float]], boundary: Boundary) -> Figure:
    """Draw mistakes and cross-entropy while w1 moves, and p by the distance from the boundary."""
    from matplotlib.figure import Figure

    from nn import plots

    figure = Figure(figsize=(8.0, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    mistakes = np.array(found["mistakes"]) / max(1.0, *found["mistakes"])
    red, blue = plots.COLOURS[:2]
    left.step(found["w1"], mistakes, "--", where="mid", color=red, label="mistakes, scaled to 1")
    left.plot(found["w1"], found["cost"], "o-", color=blue, label="cross-entropy")
    left.set(title="mistakes jump, the cost is smooth", xlabel="w1")
    right.step([-2.0, 0.0, 2.0], [0.0, 0.0, 1.0], "--", color=red, label="step")
    distances = np.linspace(-2.0, 2.0, 81)
    p = [probability(boundary, distance) for distance in distances]
    right.plot(distances, p, color=blue, marker="o", markevery=10, label="p")
    right.set(title="how sure, by distance", xlabel="distance from the boundary")
    for axes in (left, right):
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def main(
    points: int = 100,
    epochs: int = 100,
    lr: float = 0.5,
    features: int = 2,
    seed: int = 0,
    out: str | Path = "out",
    more: bool = False,
) -> dict[str, Any]:
    """Train the neuron, print its costs, draw its boundary, and return the numbers.

    Args:
        points: number of points in both clouds together.
        epochs: number of steps of batch gradient descent.
        lr: the learning rate.
        features: number of features, from 2 to 5; the boundary is drawn for 2 and 3.
        seed: seed of the points.
        out: the folder for the pictures.
        more: True to show the sections that are hidden by default.

    Returns:
        `models` (the `Likelihood` under the two given models), `before` and `after` (that of a few
        points), `p` (by distance), `sweep`, `multiples`, `lines` (the boundary after each step),
        `costs`, `history`, `dimensions`, `accuracy` on new points, `claims`, `sections`,
        `pictures`.
    """
    lesson = Lesson(more)
    X, y = blobs(points, seed, features)
    unseen = blobs(points, seed + 10_000, features)
    neuron = start(features, seed)
    first, wanted = X[:SHOWN], y[:SHOWN].tolist()
    with lesson.section("Two models and four points: which model is better?"):
        models = compare_models(lesson)
    with lesson.section("Mistakes and cross-entropy while w1 moves"):
        swept = sweep(lesson, neuron, X, y)
    with lesson.section(f"The gradient of each of the first {len(first)} points, at the start"):
        multiples = show_gradients(lesson, neuron, first, y[:SHOWN])

    p = [neuron.predict(first).tolist()]
    history, lines = train(neuron, X, y, epochs, lr)
    costs = [*history.losses, nn.binary_cross_entropy([neuron(x) for x in X], y.tolist()).data]
    accuracy = float(np.mean((neuron.predict(unseen[0]) > 0.5) == unseen[1]))
    with lesson.section("The boundary moves"):
        show_steps(lesson, lines, costs, points, accuracy)
    p.append(neuron.predict(first).tolist())
    before, after = (likelihood_of(probabilities, wanted) for probabilities in p)
    with lesson.section(f"The first {len(first)} points before and after training", more=True):
        print_beside(["before", "after"], p, wanted, [before, after])
        lesson.claim(
            "training_turns_to_the_better_model",
            "Training turns the worse model into the better one.",
            after.product > before.product and after.total < before.total,
        )
    with lesson.section("p by distance from the boundary, after training", more=True):
        by_distance = show_distances(lesson, lines[-1])
    with lesson.section("More features", more=True):
        dimensions = show_features(lesson, points, seed)

    figures = {"boundary-costs": picture_of_costs(swept, lines[-1])}
    if features == 2:
        figures["boundary"] = picture_of_lines(neuron, X, y, lines)
    if features == 3:
        figures["boundary"] = picture_of_plane(X, y, lines[-1])
    made = [save(figure, out, name) for name, figure in figures.items()]
    lesson.end(made)
    return {
        "models": models,
        "before": before,
        "after": after,
        "p": by_distance,
        "sweep": swept,
        "multiples": multiples,
        "lines": lines,
        "costs": costs,
        "history": history,
        "dimensions": dimensions,
        "accuracy": accuracy,
        "claims": lesson.claims,
        "sections": lesson.sections,
        "pictures": made,
    }


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse and check the command line's options."""
    parser = options(
        main,
        "Logistic regression: likelihood, cross-entropy, a moving boundary.",
        points="points in both clouds together",
        epochs="epochs of batch descent",
        lr="learning rate",
    )
    what = "features of a point; the boundary is drawn for 2 and 3"
    parser.add_argument("--features", type=int, choices=range(2, 6), help=what)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    run(main, parsed)
