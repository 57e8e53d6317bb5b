"""Three classes in three spirals: softmax, one-hot targets and cross-entropy.

    p = softmax(z),  pₖ = exp(zₖ)/Σ exp(zⱼ)      scores become probabilities
    C = −Σₖ yₖ·log pₖ = −log p_right              the cost of one example
    ∂C/∂zₖ = pₖ − yₖ                              scores with a negative gradient should go up

    python -m demos.spirals

Source: Bishop, "Pattern Recognition and Machine Learning" (2006), section 4.3.4.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import numpy as np

import nn
from autograd import Value, sigmoid, softmax
from demos.lesson import Lesson, options, percent, run, save

CLASSES = 3
SCORES = (2.0, 0.0, -2.0)  # their sum is 0
HEIGHTS = (-4.0, -1.0, 0.0, 1.0, 4.0)


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


def show_softmax(lesson: Lesson) -> list[float]:
    """Show how scores become probabilities, and return the probabilities."""
    p = [share.data for share in softmax([Value(z) for z in SCORES])]
    powers = [math.exp(z) for z in SCORES]
    print(f"{'score z':>10}{'eᶻ':>10}{'p = eᶻ/Σeᶻ':>14}")
    for z, power, probability in zip(SCORES, powers, p, strict=True):
        print(f"{z:>10.1f}{power:>10.4f}{probability:>14.4f}")
    print(f"{'sum':>3}{sum(SCORES):>7.1f}{sum(powers):>10.4f}{sum(p):>14.4f}")
    lesson.claim(
        "plain_shares_of_scores_fail",
        "Scores can be negative, and their sum can be 0: z/Σz is no probability.",
        min(SCORES) < 0.0 and sum(SCORES) == 0.0,
    )
    lesson.claim(
        "e_to_the_z_is_positive_and_keeps_the_order",
        "eᶻ is positive for every z, and larger for a larger z.",
        min(powers) > 0.0 and sorted(powers, reverse=True) == powers,
    )
    lesson.claim(
        "softmax_gives_probabilities",
        "So the shares of eᶻ are probabilities: they are positive and add up to 1.",
        min(p) > 0.0 and math.isclose(sum(p), 1.0),
    )
    return p


def show_two_classes(lesson: Lesson) -> list[tuple[float, float]]:
    """Show the softmax of two scores beside the sigmoid, and return both."""
    pairs = [(softmax([Value(z), Value(0.0)])[0].data, sigmoid(z)) for z in HEIGHTS]
    print(f"{'z':>6}{'softmax([z, 0])':>18}{'σ(z)':>10}")
    for z, (first, second) in zip(HEIGHTS, pairs, strict=True):
        print(f"{z:>6.1f}{first:>18.6f}{second:>10.6f}")
    lesson.claim(
        "for_two_classes_softmax_is_the_sigmoid",
        "For two classes, softmax([z, 0]) is the sigmoid of z.",
        all(math.isclose(first, second, rel_tol=1e-12) for first, second in pairs),
    )
    return pairs


def print_point(model: nn.Module, x: Any, right: int) -> dict[str, Any]:
    """Print the scores, probabilities and gradients of one point; return the table's columns."""
    scores: list[Value] = model(x)
    cost = nn.cross_entropy(scores, right)
    cost.backward()
    columns: dict[str, list[float]] = {
        "z": [z.data for z in scores],
        "power": [math.exp(z.data) for z in scores],
        "p": [p.data for p in softmax(scores)],
        "y": nn.one_hot(right, CLASSES).tolist(),
        "gradient": [z.grad for z in scores],
    }
    print(f"a point at ({x[0]:.2f}, {x[1]:.2f}), of class {right}: C = −log p = {cost.data:.4f}")
    print(f"{'class':>6}{'z':>9}{'eᶻ':>11}{'p':>9}{'y':>5}{'∂C/∂z':>9}{'p − y':>9}   z should go")
    for k, (z, power, p, y, gradient) in enumerate(zip(*columns.values(), strict=True)):
        wish = "up" if gradient < 0 else "down"
        print(
            f"{k:>6}{z:>9.3f}{power:>11.4g}{p:>9.3f}{y:>5.0f}{gradient:>9.3f}{p - y:>9.3f}   {wish}"
        )
    return columns | {"cost": cost.data}


def trained(
    outputs: int, loss: Any, X: np.ndarray, y: Any, held_out: Any, settings: dict[str, Any]
) -> tuple[nn.MLP, nn.History]:
    """Train a 2-16-16 network with this many outputs; the learning rate falls to zero."""
    model = nn.MLP(2, [16, 16, outputs], "tanh", seed=settings["seed"])
    optimizer = nn.Adam(model.parameters(), settings["lr"])
    trainer = nn.Trainer(
        model, loss, optimizer, scheduler=nn.CosineAnnealingLR(optimizer, settings["epochs"])
    )
    history = trainer.fit(
        X, y, settings["epochs"], 16, validation=held_out, seed=settings["seed"], progress=False
    )
    return model, history


def classes(coded: nn.MLP, X: Any) -> np.ndarray:
    """Return the classes that a network of one output says: the nearest of 0, 1, 2."""
    said: np.ndarray = np.clip(np.rint(coded.predict(X)), 0, CLASSES - 1)
    return said


def show_codes(
    lesson: Lesson, coded: nn.MLP, accuracy: float, held_out: tuple[np.ndarray, np.ndarray]
) -> dict[str, float]:
    """Compare a network that learned the numbers 0, 1, 2 with the one of one-hot targets."""
    X, y = held_out
    said = classes(coded, X)
    wrong = (said != y) & (y != 1)
    between = int((wrong & (said == 1)).sum())
    far = [(0.0 - other) ** 2 for other in (1.0, 2.0)]
    one_hot = [
        sum((a - b) ** 2 for a, b in zip(nn.one_hot(0, 3), nn.one_hot(k, 3))) for k in (1, 2)
    ]
    print("squared error of class 0 if the answer is         class 1    class 2")
    print(f"    the numbers 0, 1, 2                          {far[0]:>8.0f}{far[1]:>11.0f}")
    print(f"    one-hot: (1,0,0), (0,1,0), (0,0,1)           {one_hot[0]:>8.0f}{one_hot[1]:>11.0f}")
    numbers = {"one-hot": accuracy, "numbers": float(np.mean(said == y))}
    print(f"right on unseen points: with one-hot targets {percent(numbers['one-hot'])},", end=" ")
    print(f"with the numbers 0, 1, 2 {percent(numbers['numbers'])}")
    print(f"of the {int(wrong.sum())} mistakes with points of class 0 and 2, {between} say class 1")
    lesson.claim(
        "numbers_as_classes_have_an_order",
        "The numbers 0, 1, 2 say that class 1 lies between the others; one-hot targets do not.",
        far[1] > far[0] and one_hot[1] == one_hot[0],
    )
    lesson.claim(
        "one_hot_targets_learn_better",
        "The same network learns the classes better from one-hot targets.",
        numbers["one-hot"] > numbers["numbers"],
    )
    lesson.claim(
        "numbers_put_class_1_between",
        "Learned as numbers, classes 0 and 2 are mostly mistaken for class 1, which lies between.",
        between > 0.5 * wrong.sum(),
    )
    return numbers


def main(
    points: int = 80,
    epochs: int = 80,
    lr: float = 0.02,
    seed: int = 0,
    out: str | Path = "out",
    more: bool = False,
) -> dict[str, Any]:
    """Train a 2-16-16-3 network, print one point before and after, draw, and return the numbers.

    Args:
        points: number of points to learn from in each spiral; as many again are held out.
        epochs: how often each point is shown.
        lr: the learning rate, which falls to zero along half a cosine.
        seed: seed of the points, of the weights and of the order.
        out: the folder for the pictures.
        more: True to show the sections that are hidden by default.

    Returns:
        `softmax` (the probabilities of `SCORES`), `two` (softmax and sigmoid), `before` and
        `after` (the columns of one point's table), `history`, `accuracy` on the held-out points,
        `codes` (accuracies with one-hot targets and with numbers), `claims`, `sections`,
        `pictures`.
    """
    lesson = Lesson(more)
    X, y = spirals(points, seed)
    held_out = spirals(points, seed + 10_000)
    settings = {"epochs": epochs, "lr": lr, "seed": seed}
    with lesson.section("Scores become probabilities: softmax"):
        p = show_softmax(lesson)
    with lesson.section("Two classes", more=True):
        two = show_two_classes(lesson)
    with lesson.section("One point before training"):
        untrained = nn.MLP(2, [16, 16, CLASSES], "tanh", seed=seed)
        before = print_point(untrained, X[0], int(y[0]))
    model, history = trained(CLASSES, nn.cross_entropy, X, y, held_out, settings)
    accuracy = history.validation_accuracies[-1] or 0.0
    with lesson.section("Training"):
        print(history)
        print(f"right on {percent(accuracy)} of {len(X)} points it never saw")
        lesson.claim(
            "a_network_separates_three_classes",
            "One output for each class, and softmax, separate more than two classes.",
            accuracy >= 0.95,
        )
    with lesson.section("The same point after training"):
        after = print_point(model, X[0], int(y[0]))
        lesson.claim(
            "the_gradient_of_a_score_is_p_minus_y",
            "∂C/∂z = p − y: the score of the right class should go up, the others down.",
            all(np.allclose(t["gradient"], np.subtract(t["p"], t["y"])) for t in (before, after)),
        )
        lesson.claim(
            "a_sure_and_right_answer_costs_little",
            "The cost is −log of the right class's p: nearly 0 when the network is sure and right.",
            after["cost"] < 0.1 < before["cost"],
        )
    coded, _ = trained(1, nn.mse_loss, X, y, held_out, settings)
    with lesson.section("Why not the numbers 0, 1 and 2?"):
        codes = show_codes(lesson, coded, accuracy, held_out)
    made = pictures(model, coded, history, held_out, out)
    lesson.end(made)
    return {
        "softmax": p,
        "two": two,
        "before": before,
        "after": after,
        "history": history,
        "accuracy": accuracy,
        "codes": codes,
        "claims": lesson.claims,
        "sections": lesson.sections,
        "pictures": made,
    }


def pictures(
    model: nn.MLP, coded: nn.MLP, history: nn.History, held_out: Any, out: str | Path
) -> list[str]:
    """Draw the regions of the classes with the held-out points, by both codings; and the curves."""
    from matplotlib.figure import Figure

    from nn import plots

    X, y = held_out
    figure = Figure(figsize=(8.2, 3.9), layout="constrained")
    left, right = figure.subplots(1, 2)
    plots.regions(left, model, X, y, title="one-hot targets and softmax")
    along = np.linspace(-1.15, 1.15, plots.GRID)
    number = coded.predict([[p, q] for q in along for p in along]).reshape(plots.GRID, plots.GRID)
    levels = [-np.inf, *np.arange(CLASSES - 1) + 0.5, np.inf]
    right.contourf(along, along, number, levels, colors=plots.COLOURS[:CLASSES], alpha=0.28)
    right.contour(along, along, number, levels[1:-1], colors="#222222", linewidths=1.2)
    plots.scatter(right, X, y)
    right.set(title="the numbers 0, 1, 2: class 1 between")
    for axes in (left, right):
        axes.set(xlabel="x1", ylabel="x2")
    return [save(figure, out, "spirals"), save(history.plot(), out, "spirals-curves")]


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
