"""A 2-16-16-1 network learns to separate two moons, and is tested on held-out points.

python -m demos.moons
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sklearn.datasets import make_moons

import nn
from demos.lesson import heading, options, percent, run, save, save_drawing

NOISE = 0.1


def main(
    points: int = 200,
    epochs: int = 30,
    lr: float = 0.02,
    seed: int = 0,
    out: str | Path = "out",
) -> dict[str, Any]:
    """Train the network, print its history, draw what it learned, and return the numbers.

    Args:
        points: number of points to learn from; as many again are held out.
        epochs: how often each point is shown.
        lr: the learning rate, which falls to zero along half a cosine.
        seed: seed of the points, of the weights and of the order.
        out: the folder for the pictures and `moons.html`.

    Returns:
        `history`, `accuracy` on the held-out points, `diagnosis`, and the paths of the `pictures`
        and the `page`.
    """
    X, y = make_moons(points, noise=NOISE, random_state=seed)
    held_out = make_moons(points, noise=NOISE, random_state=seed + 10_000)
    model = nn.MLP(2, [16, 16, 1], seed=seed)
    print(f"{len(model.parameters())} parameters, {points} points to learn from")
    optimizer = nn.Adam(model.parameters(), lr)
    trainer = nn.Trainer(
        model,
        nn.binary_cross_entropy_with_logits,
        optimizer,
        scheduler=nn.CosineAnnealingLR(optimizer, epochs),
    )
    history = trainer.fit(X, y, epochs, 16, validation=held_out, seed=seed)
    print(history)
    accuracy = history.validation_accuracies[-1]
    print(f"right on {percent(accuracy)} of {points} points it never saw")
    print(heading("Is anything wrong with it?"))
    diagnosis = nn.diagnose(model, X, y)
    print(diagnosis)
    made = pictures(model, history, held_out, out)
    page = model.save_html(
        Path(out, "moons.html"),
        history=history,
        data=held_out,
        title="the network of the moons",
    )
    print(f"\nThe pictures: {', '.join(made)}")
    print(f"A page that plays the training epoch by epoch, for any browser: {page}")
    return {
        "history": history,
        "accuracy": accuracy,
        "diagnosis": diagnosis,
        "pictures": made,
        "page": page,
    }


def pictures(model: nn.MLP, history: nn.History, held_out: Any, out: str | Path) -> list[str]:
    """Draw the regions with the held-out points, the curves, each neuron's output, the network."""
    from nn import plots

    X, y = held_out
    network = nn.draw(model, X[0])
    return [
        save(plots.decision_regions(model, X, y, title="points unseen"), out, "moons"),
        save(history.plot(), out, "moons-curves"),
        save(plots.neuron_heatmaps(model, X), out, "moons-neurons"),
        save_drawing(network, out, "moons-network"),
    ]


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse and check the command line's options."""
    return options(
        main,
        "A 2-16-16-1 network on two moons.",
        points="points to learn from",
        epochs="how often each point is shown",
        lr="learning rate",
    ).parse_args(arguments)


if __name__ == "__main__":
    run(main, parsed)
