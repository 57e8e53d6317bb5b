"""Two moons: a 2-16-16-1 network bends the boundary that one neuron can only draw as a line.

    a⁽¹⁾ = relu(W⁽¹⁾a⁽⁰⁾ + b⁽¹⁾)     each hidden neuron draws one line
    a⁽²⁾ = relu(W⁽²⁾a⁽¹⁾ + b⁽²⁾)     each of the next layer joins such lines
    z    = W⁽³⁾a⁽²⁾ + b⁽³⁾            the logit: positive means class 1

Without the nonlinearity relu, the network draws a line, however many layers it has. The network is
tested on points that it never saw.

    python -m demos.moons
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import make_moons

import nn
from demos.lesson import Lesson, options, percent, run, save, save_drawing

NOISE = 0.1
SHAPES: dict[str, tuple[list[int], str]] = {
    "2-1, one neuron": ([1], "relu"),
    "2-16-16-1 without relu": ([16, 16, 1], "identity"),
    "2-4-1": ([4, 1], "relu"),
    "2-16-16-1": ([16, 16, 1], "relu"),
}
Points = tuple[np.ndarray, np.ndarray]


def learned(
    shape: tuple[list[int], str], data: Points, held_out: Points, settings: dict[str, Any]
) -> tuple[nn.MLP, nn.History]:
    """Train a network of this shape and activation; the learning rate falls to zero."""
    nouts, activation = shape
    model = nn.MLP(2, nouts, activation, seed=settings["seed"])
    optimizer = nn.Adam(model.parameters(), settings["lr"])
    trainer = nn.Trainer(
        model,
        nn.binary_cross_entropy_with_logits,
        optimizer,
        scheduler=nn.CosineAnnealingLR(optimizer, settings["epochs"]),
    )
    history = trainer.fit(
        *data, settings["epochs"], 16, validation=held_out, seed=settings["seed"], progress=False
    )
    return model, history


def bend(z: np.ndarray, X: np.ndarray) -> float:
    """Measure how far numbers at some points are from a plane over the points, from 0 to 1.

    It is the share of their variation that the nearest plane w·x + b leaves.
    """
    columns = np.column_stack([X, np.ones(len(X))])
    plane = columns @ np.linalg.lstsq(columns, z, rcond=None)[0]
    variation = float(((z - z.mean()) ** 2).sum())
    return float(((z - plane) ** 2).sum()) / variation if variation else 0.0


def sums_of(model: nn.MLP, X: np.ndarray) -> list[np.ndarray]:
    """Compute the weighted sums z of each layer as matrix products, a row for each point."""
    sums, a = [], X
    for layer in model.layers:
        state = layer.state_dict()
        sums.append(a @ state["weight"].T + state["bias"])
        a = np.maximum(sums[-1], 0.0)
    return sums


def show_shapes(
    lesson: Lesson, networks: dict[str, tuple[nn.MLP, nn.History]], X: np.ndarray
) -> dict[str, dict[str, float]]:
    """Show for each network how many unseen points it gets right, and how bent its output is."""
    rows = {
        name: {
            "right": history.validation_accuracies[-1] or 0.0,
            "bend": bend(model.predict(X), X),
        }
        for name, (model, history) in networks.items()
    }
    print(f"{'network':26}{'right on unseen points':>24}{'not flat':>12}")
    for name, row in rows.items():
        print(f"{name:26}{percent(row['right']):>24}{percent(row['bend']):>12}")
    one, flat, four, full = rows.values()
    lesson.claim(
        "without_a_nonlinearity_it_stays_a_line",
        "Without a nonlinearity a network draws a straight line, however many layers it has.",
        max(one["bend"], flat["bend"]) < 1e-9 and flat["right"] < 0.95,
    )
    lesson.claim(
        "hidden_neurons_bend_the_boundary",
        "Hidden neurons with a nonlinearity bend the boundary, and more points are right.",
        full["bend"] > 0.05 and full["right"] >= max(one["right"], flat["right"]) + 0.05,
    )
    lesson.claim(
        "more_neurons_bend_it_more",
        "A few hidden neurons bend it a little, more of them as much as the moons need.",
        one["right"] <= four["right"] <= full["right"] >= 0.97,
    )
    return rows


def show_layers(lesson: Lesson, model: nn.MLP, X: np.ndarray) -> list[float]:
    """Show how far the weighted sums of each layer are from planes; return the means."""
    sums = sums_of(model, X)
    bends = [float(np.mean([bend(z, X) for z in layer.T])) for layer in sums]
    print(f"{'layer':>6}{'neurons':>9}   mean share of z that is not flat over the plane")
    for k, (layer, mean) in enumerate(zip(sums, bends, strict=True), 1):
        print(f"{k:>6}{layer.shape[1]:>9}   {percent(mean):>6}  {'█' * round(40 * mean)}".rstrip())
    lesson.claim(
        "each_neuron_of_the_first_layer_draws_a_line",
        "Each neuron of the first layer draws a straight line: its z is flat over the plane.",
        bends[0] < 1e-9,
    )
    lesson.claim(
        "later_neurons_join_lines_to_curves",
        "The neurons of later layers join these lines to curves.",
        min(bends[1:]) > 0.05,
    )
    lesson.claim(
        "a_layer_is_a_matrix_product",
        "A layer is one matrix product: relu(W·a + b) gives what its neurons give one by one.",
        np.allclose(sums[-1][:, 0], [model(x).data for x in X], rtol=1e-9),
    )
    return bends


def show_training(lesson: Lesson, history: nn.History) -> None:
    """Print the history, and compare learned with unseen points."""
    print(history)
    lesson.claim(
        "training_lowers_the_cost",
        "Training lowers the cost, epoch by epoch.",
        history.losses[-1] < 0.1 * history.losses[0],
    )
    right = [history.accuracies[-1] or 0.0, history.validation_accuracies[-1] or 0.0]
    lesson.claim(
        "it_is_right_on_points_it_never_saw",
        "What it learned also holds for points that it never saw.",
        right[1] >= max(0.97, right[0] - 0.03),
    )


def main(
    points: int = 200,
    epochs: int = 30,
    lr: float = 0.02,
    seed: int = 0,
    out: str | Path = "out",
    more: bool = False,
) -> dict[str, Any]:
    """Train the networks, print what they learned, draw it, and return the numbers.

    Args:
        points: number of points to learn from; as many again are held out.
        epochs: how often each point is shown.
        lr: the learning rate, which falls to zero along half a cosine.
        seed: seed of the points, of the weights and of the order.
        out: the folder for the pictures and `moons.html`.
        more: True to show the sections that are hidden by default.

    Returns:
        `history` and `accuracy` on the held-out points of the 2-16-16-1 network, `shapes` (the
        accuracy and the bend of each network), `bends` (of each layer), `diagnosis`, `claims`,
        `sections`, and the paths of the `pictures` and the `page`.
    """
    lesson = Lesson(more)
    data = make_moons(points, noise=NOISE, random_state=seed)
    held_out = make_moons(points, noise=NOISE, random_state=seed + 10_000)
    settings = {"epochs": epochs, "lr": lr, "seed": seed}
    networks = {name: learned(shape, data, held_out, settings) for name, shape in SHAPES.items()}
    model, history = networks["2-16-16-1"]
    with lesson.section("From a line to a curve"):
        shapes = show_shapes(lesson, networks, held_out[0])
    with lesson.section(f"Training the 2-16-16-1 network, {len(model.parameters())} parameters"):
        show_training(lesson, history)
    with lesson.section("What its layers see"):
        bends = show_layers(lesson, model, held_out[0])
    with lesson.section("Is anything wrong with it?"):
        diagnosis = nn.diagnose(model, *data)
        print(diagnosis)
    made = pictures(networks, held_out, out)
    page = model.save_html(
        Path(out, "moons.html"),
        history=history,
        data=held_out,
        loss=nn.binary_cross_entropy_with_logits,
        title="the network of the moons",
    )
    lesson.end(made, page)
    return {
        "history": history,
        "accuracy": history.validation_accuracies[-1],
        "shapes": shapes,
        "bends": bends,
        "diagnosis": diagnosis,
        "claims": lesson.claims,
        "sections": lesson.sections,
        "pictures": made,
        "page": page,
    }


def pictures(
    networks: dict[str, tuple[nn.MLP, nn.History]], held_out: Points, out: str | Path
) -> list[str]:
    """Draw the regions of three networks, and the curves, neurons and weights of the last."""
    from matplotlib.figure import Figure

    from nn import plots

    X, y = held_out
    figure = Figure(figsize=(8.2, 2.9), layout="constrained")
    shown = ["2-16-16-1 without relu", "2-4-1", "2-16-16-1"]
    for axes, name in zip(figure.subplots(1, 3), shown, strict=True):
        plots.regions(axes, networks[name][0], X, y, title=name)
        axes.set(xlabel="x1", ylabel="x2")
        axes.title.set_fontsize(10)
    model, history = networks["2-16-16-1"]
    return [
        save(figure, out, "moons-lines"),
        save(plots.decision_regions(model, X, y, title="points unseen"), out, "moons"),
        save(history.plot(), out, "moons-curves"),
        save(plots.neuron_heatmaps(model, X), out, "moons-neurons"),
        save_drawing(nn.draw(model, X[0]), out, "moons-network"),
    ]


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse and check the command line's options."""
    return options(
        main,
        "Networks of several shapes on two moons.",
        points="points to learn from",
        epochs="how often each point is shown",
        lr="learning rate",
    ).parse_args(arguments)


if __name__ == "__main__":
    run(main, parsed)
