"""Runs one lesson, and makes its live page: `python -m docs.live moons`.

A lesson that writes no page of its own gets one here, of its own networks and costs.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import nn
from autograd import Page, Value
from demos import chain, descent, gates, overfit, spirals
from docs.lessons import OUTPUT

LOGITS = nn.binary_cross_entropy_with_logits


def gates_page() -> Page:
    """Play the training of a network of two hidden neurons on XOR."""
    X, y = gates.GATES["XOR"]
    model = nn.MLP(2, [2, 1], "tanh", seed=1)
    trainer = nn.Trainer(model, LOGITS, nn.SGD(model.parameters(), lr=0.3, momentum=0.9))
    history = trainer.fit(X, y, 100, None, progress=False)
    return model.page(history=history, data=(X, y), loss=LOGITS, title="XOR by two lines")


def boundary_page() -> Page:
    """Play descent on the cross-entropy of two points."""
    w1, w2, b = Value(-0.5, "w1"), Value(1.0, "w2"), Value(0.2, "b")
    costs = []
    for k, (x1, x2, y) in enumerate([(1.0, 0.5, 1), (-0.8, -1.0, 0)], 1):
        p = (w1 * x1 + w2 * x2 + b).sigmoid()
        p.label = f"p{k}"
        costs.append(nn.binary_cross_entropy(p, y))
    cost = (costs[0] + costs[1]) / 2
    cost.label = "C"
    return cost.page(parameters=[w1, w2, b], lr=1.0, title="the cross-entropy of two points")


def descent_page() -> Page:
    """Play descent on a cost of one weight with two valleys."""
    w = Value(1.8, "w")
    cost: Value = descent.dip(w)
    cost.label = "C"
    return cost.page(parameters=[w], lr=0.01, title="the slope says which way")


def spirals_page() -> Page:
    """Play the training of three classes."""
    settings = {"seed": 0, "lr": 0.02, "epochs": 40}
    data, held_out = spirals.spirals(60, 0), spirals.spirals(60, 10_000)
    model, history = spirals.trained(3, nn.cross_entropy, *data, held_out, settings)
    return model.page(history=history, data=data, loss=nn.cross_entropy, title="three spirals")


def overfitting(penalty: float = 0.0, dropout: float = 0.0) -> Page:
    """Play the training of a network that is too large for its points."""
    data = overfit.parts(60, 0)
    model = overfit.network([16, 16, 1], 0, dropout)
    held_back = (lambda m: nn.l2_penalty(m.parameters(), penalty)) if penalty else None
    fitted = overfit.fit(model, data, 200, 0.02, 0, watch=True, penalty=held_back)
    learned = data["learned"]
    return model.page(
        history=fitted.history, data=(learned.X, learned.y), loss=LOGITS, title="a large network"
    )


def vanishing_page() -> Page:
    """Play the backward pass through a chain of eight sigmoids."""
    cost = chain.build("sigmoid", 8, seed=0).cost
    return cost.page(title="eight sigmoids in a chain")


MADE_HERE: dict[str, Callable[[], Page]] = {
    "gates": gates_page,
    "boundary": boundary_page,
    "descent": descent_page,
    "spirals": spirals_page,
    "overfit": overfitting,
    "regularise": lambda: overfitting(penalty=0.01),
    "dropout": lambda: overfitting(dropout=0.2),
    "vanishing": vanishing_page,
}


def main(name: str) -> None:
    """Run a lesson, whose output is printed, and write its page."""
    target = OUTPUT / f"{name}.html"
    with tempfile.TemporaryDirectory() as folder:
        importlib.import_module(f"demos.{name}").main(out=folder)
        html = (
            MADE_HERE[name]().html
            if name in MADE_HERE
            else Path(folder, f"{name}.html").read_text("utf-8")
        )
    target.write_text(html, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
