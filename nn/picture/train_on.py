"""What the page of a network needs to train the network on from the weights that it shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..dropout import Dropout, dropouts_in
from ..layers import Layer
from ..module import Module
from ..networks import Sequential, parameters_in
from ..training.history import History

RATE = 0.05  # the learning rate without a history
BATCH = 32  # examples in a step, as for `Trainer.fit`
MOMENTUM = 0.9  # offered if the run had none


def train_on(
    model: Module, layers: Sequence[Layer], history: History | None, count: int
) -> dict[str, Any] | str:
    """Return how the page trains at first; a text says why it cannot train this network.

    Args:
        model: the model.
        layers: its dense layers, of which the page computes the outputs.
        history: the record of its training, which tells how its last epoch was trained.
        count: the number of examples in the page.
    """
    shown, known = parameters_in(layers), model.parameters()
    if len(shown) != len(known) or set(map(id, shown)) != set(map(id, known)):
        return (
            "This page cannot train the network on: it trains dense layers with weights and biases "
            "of their own, and all parameters of the network must be among them."
        )
    dropouts = dropouts_after(model, len(layers) - 1)
    if dropouts is None:
        return (
            "This page cannot train the network on: it has a dropout that does not follow a hidden "
            "layer."
        )
    run = history or History()
    return {
        "dropouts": dropouts,
        "optimizer": _optimizer(run),
        "momentum": run.momentum or MOMENTUM,
        "lr": run.learning_rates[-1] if run.learning_rates else RATE,
        "batch_size": min(run.batch_size or BATCH, count),
        "seed": str(run.seed),
    }


def _optimizer(run: History) -> str:
    """Return the page's name for the optimiser of a run; one that it does not have is plain SGD."""
    if run.optimizer == "Adam":
        return "adam"
    return "momentum" if run.momentum else "sgd"


def dropouts_after(model: Module, hidden: int) -> list[float | None] | None:
    """Return the dropout after each hidden layer; None if there is one somewhere else."""
    found: list[float | None] = [None] * hidden
    after = 0
    for module in model.layers if isinstance(model, Sequential) else ():
        after += isinstance(module, Layer)
        if isinstance(module, Dropout):
            if not 0 < after <= hidden or found[after - 1] is not None:
                return None
            found[after - 1] = module.p
    placed = sum(p is not None for p in found)
    return found if placed == len(dropouts_in(model)) else None
