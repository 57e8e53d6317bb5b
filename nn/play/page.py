"""`playground`: an HTML page in which a network learns while the reader watches."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from autograd import Page

from .. import losses
from ..activations import ACTIVATIONS
from ..module import Module
from ..networks import layers_of
from ..picture.formulas import write_activation, write_cost, write_shares
from ..settings import path as checked_path
from ..settings import with_options
from ..training.answers import answers_of
from ..training.squash import squashed_twice
from .own import Own, Start
from .scalars import scalars
from .settings import COSTS, LEARNING, MOST_CLASSES, TABLE, as_json, checked

WEB = files(__package__) / "web"
SHARED = files("nn.picture") / "web"  # the passes and the planes of the network page


@with_options
def playground(
    path: str | os.PathLike[str] = "playground.html",
    *,
    model: Module | None = None,
    data: str | tuple[Any, Any] | None = None,
    points: int | None = None,
    noise: float | None = None,
    test: float | None = None,
    inputs: Sequence[str] | None = None,
    layers: Sequence[int] | None = None,
    activation: str | None = None,
    init: str | None = None,
    cost: str | None = None,
    optimizer: str | None = None,
    momentum: float | None = None,
    lr: float | None = None,
    schedule: str | None = None,
    penalty: str | None = None,
    strength: float | None = None,
    dropout: float | None = None,
    batch_size: int | None = None,
    seed: int | None = None,
) -> str:
    """Write a page in which a network learns while the reader watches.

    The page is one file that works offline. Its reader chooses the data, the network and how it
    learns, stops at any moment, and looks at each number. The options are the settings at first.
    The page makes the steps that `Trainer.fit` makes with the same settings.

    Args:
        path: the file to write.
        model: the network to start from: dense layers, as `MLP` makes. It needs `data`, (X, y),
            and decides `layers` and `activation`.
        data: "moons", "circles", "xor", "gaussians", "spirals", "plane" or "wave", as for
            `nn.points`; or points of your own, (X, y).
        points: the number of points.
        noise: the noise of the points.
        test: the share of the points that is kept for testing.
        inputs: what the network sees of a point: some of "x1", "x2", "x1^2", "x2^2", "x1*x2",
            "sin(x1)" and "sin(x2)".
        layers: the number of neurons of each hidden layer.
        activation: the activation of the hidden layers.
        init: how the first weights are drawn: "auto", "xavier", "he", "uniform", or "equal".
        cost: a cost of `nn` that fits the data, by name; "auto" for the usual one.
        optimizer: "sgd", "momentum" or "adam".
        momentum: the momentum of the optimiser of that name.
        lr: the learning rate.
        schedule: of the learning rate: "constant", "step", "exponential", "cosine" or "linear".
        penalty: "none", "l1" or "l2", on all weights and biases.
        strength: the factor of the penalty.
        dropout: the probability with which an output of a hidden layer is left out.
        batch_size: the number of points in a step.
        seed: the seed of the points, of the first weights, of the order and of dropout.

    Returns:
        The path.

    Raises:
        TypeError, ValueError: a setting is out of range, or the page cannot train the model on
            the data.
        OSError: the file cannot be written; an existing file is unchanged.

    >>> playground("out/playground.html", data="circles", layers=[3], lr=0.5)
    'out/playground.html'
    """
    given = {name: x for name, x in locals().items() if name in TABLE and x is not None}
    file = checked_path(path)
    own = start = None
    if not isinstance(data, str | None):
        own = Own.of(given.pop("data"))
    if model is not None:
        if own is None:
            raise TypeError("a model needs data=(X, y), the points to train it on")
        for name in ("layers", "activation"):
            if name in given:
                raise TypeError(f"the model decides {name}: leave {name}= out")
        start = Start.of(model, own, len(checked(given, own.targets)["inputs"]))
        given = start.settings | given
        _warn(model, checked(given, own.targets)["cost"])
    return _page(given, own, start).save(file)


def _warn(model: Module, cost: str) -> None:
    """Warn, as `Trainer.fit` does, if the last activation does not fit the cost."""
    layers = list(layers_of(model).values())
    outputs: Any = [0.5] * layers[0].nin
    for layer in layers:
        outputs = layer(outputs)
    if problem := squashed_twice(getattr(losses, cost), [outputs]):
        warnings.warn(problem, RuntimeWarning, stacklevel=4)


def _page(given: Mapping[str, Any], own: Own | None, start: Start | None) -> Page:
    """Make the page for these settings, points of the reader's own, and a network to start from."""
    templates, graph = scalars(_outputs())
    contents = {
        "settings": checked(given, own.targets if own else None),
        "own": own.contents() if own else None,
        "start": start.contents() if start else None,
        "scalars": templates,
    }
    return Page(
        *("playground", "The playground", contents, generated(own)),
        folders=[WEB, SHARED],
        framed=graph,
    )


def _outputs() -> dict[str, list[int]]:
    """Return for each cost the numbers of outputs that it may have."""
    several = range(2, MOST_CLASSES + 1)
    found: dict[str, set[int]] = {}
    for targets, names in COSTS.items():
        for name in names:
            found.setdefault(name, set()).update(several if targets == "classes" else [1])
    return {name: sorted(counts) for name, counts in found.items()}


def generated(own: Own | None) -> str:
    """Return the JavaScript that the modules of the page read: the tables and the formulas.

    Activations, costs and their derivatives are written from the rows of the engine's table.
    """
    table = as_json()
    if own is not None:
        table["data"]["own"] = own.kind()
    activations = {name: write_activation(ACTIVATIONS[name], 1) for name in LEARNING}
    costs = {name: _costs(name, counts) for name, counts in _outputs().items()}
    shares = {name: _shares(name, counts) for name, counts in _outputs().items()}
    formulas = {
        "activations": _object(activations),
        "costs": _object({name: _object(row) for name, row in costs.items()}),
        "shares": _object({name: _object(row) for name, row in shares.items()}),
    }
    return (
        f"const PLAY = {json.dumps(table, ensure_ascii=False)};\n"
        f"const FORMULAS = {_object(formulas)};\n"
    )


def _costs(name: str, counts: Iterable[int]) -> dict[int, str]:
    """Write a cost for each number of outputs."""
    loss = getattr(losses, name)
    return {n: write_cost(loss, n, [1.0, *[0.0] * (n - 1)]) for n in counts}


def _shares(name: str, counts: Iterable[int]) -> dict[int, str]:
    """Write the probabilities that a cost of logits implies, for each number of outputs."""
    loss = getattr(losses, name)
    sure = {n: answers_of(loss, range(max(n, 2)), n).sure for n in counts}
    return {n: write_shares(by, n) for n, by in sure.items() if by in ("sigmoid", "softmax")}


def _object(texts: Mapping[Any, str]) -> str:
    """Write an object of JavaScript."""
    return f"{{ {', '.join(f'{json.dumps(name)}: {text}' for name, text in texts.items())} }}"
