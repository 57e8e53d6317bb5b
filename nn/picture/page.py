"""`network_page`: an HTML page that shows a network and plays its training.

This module collects the data of the page; `web/` holds its JavaScript and CSS. The page computes
the network's outputs in JavaScript, so `check_computed` first verifies that this gives the outputs
of the model. It also computes the gradients of the example that it shows, with the derivatives of
the engine's table. For a network on images, `front` adds the feature maps.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

import numpy as np

from autograd import Page, Value
from autograd.extend import Programs

from ..activations import Activation
from ..data import Examples
from ..data import features as features_of
from ..labels import numbered
from ..layers import Layer
from ..loss_modules import function_of
from ..module import Module
from ..networks import layers_of, parameters_in
from ..settings import function, instance, pair, several, text, whole
from ..targets import one_hot
from ..training.answers import Answers, answers_of, labels_known, outputs_read
from ..training.history import History
from ..training.snapshots import pack, unpack
from .circles import BOUNDS
from .formulas import write_activation, write_cost, write_shares
from .front import Front
from .stages import SQUARES, begins_with_flatten, takes_images
from .train_on import train_on

WEB = files(__package__) / "web"

MOST_EXAMPLES = 1000  # examples in a page at most
MOST_NUMBERS = 240_000  # features in a page at most (306 MNIST images), to keep the file small
FAINT = 0.1  # of the brightest; a darker pixel is background
FILLED = 20 / 28  # share of an image's side that a digit fills, as in MNIST
CHECKED = 3  # rows on which the page's computation is compared with the model


def network_page(
    model: Module,
    *,
    history: History | None = None,
    data: tuple[Any, Any] | None = None,
    loss: Callable[[Any, Any], Value] | None = None,
    classes: Sequence[Any] | None = None,
    features: Sequence[Any] | None = None,
    shape: Sequence[int] | None = None,
    title: str | None = None,
) -> Page:
    """Make a page that shows a network's weights, gradients and history, and its answers to inputs.

    For the arguments see `pages.page`.

    Raises:
        TypeError, ValueError: the model is not a chain of layers, `history` is of another model,
            `data`, `classes`, `loss` or `shape` does not fit the model, or the page cannot compute
            the loss.
    """
    instance(model, Module, "model is a module of nn, as MLP(...) makes")
    _check_history(history)
    labels = None
    if data is not None:
        X, y = pair(data, "data is a pair (X, y) of examples")
        labels = labels_known(y, model, history)
        data = X, numbered(y, labels)
    data, shape = _as_rows(model, data, shape)
    front = _front(model, data, shape)
    layers = front.layers if front else list(layers_of(model).values())
    sizes = [layers[0].nin, *(layer.nout for layer in layers)]
    nin, nout = math.prod(front.shape) if front else sizes[0], sizes[-1]
    image = front.sides if front else _shape(shape, nin)
    inputs = _feature_names(features, nin, front)
    named = _named(front, sizes) if title is None else text(title, "title")
    examples = _examples(data, nin, front)
    if classes is not None:
        classes = several(classes, "classes are names")
    elif labels:
        classes = labels.names
    if loss is not None:
        function(loss, "loss is the cost of one example, a function of outputs and target")
    frames, start = _frames(model, layers, front, history)
    y = examples.y if examples else None
    answers = _answers(model, nout, y, classes, history, loss)
    right = None if y is None or answers.kind == "numbers" else [answers.expected(t) for t in y]
    check_computed(model, layers, front, nin, examples)
    wanted, cost = None, "null"
    if loss is not None and examples is not None:
        wanted = _wanted(examples, answers, nout)
        cost = write_cost(loss, nout, wanted[0].tolist())
    programs = Programs()
    contents = {
        "sizes": sizes,
        "features": inputs,
        "front": front and front.contents(programs),
        "activations": [layer.activation.name for layer in layers],
        "bounds": [BOUNDS.get(layer.activation.name) for layer in layers],
        "answers": {"kind": answers.kind, "names": answers.names, "threshold": answers.threshold},
        "sure": _sure(answers, layers[-1].activation),
        "image": image and _image(image, examples),
        "examples": examples and _packed(examples, right, image is not None),
        "wanted": None if wanted is None else pack(wanted[: _most(nin)].ravel()),
        "cost": None if loss is None else getattr(function_of(loss), "__name__", "the loss"),
        "training": _training(model, layers, front, history, examples, loss is not None),
        "frames": frames,
        "start": start,
        "curves": {} if history is None else _curves(history),
    }
    probable = _probable(answers, layers[-1].activation)
    shares = write_shares(answers.sure, nout) if probable else "null"
    activations = [write_activation(layer.activation, layer.nout) for layer in layers]
    generated = (
        f"const ACTIVATIONS = [{', '.join(activations)}];\n"
        f"const SHARES = {shares};\n"
        f"const COST = {cost};\n"
        f"{programs.javascript()}"
    )
    return Page("network", named, contents, generated, folders=[WEB])


def _named(front: Front | None, sizes: list[int]) -> str:
    if front is None:
        return f"a {'-'.join(map(str, sizes))} network"
    if front.thing == "signal":
        return f"a network on signals of {front.shape[1]} numbers"
    rows, columns = front.sides
    return f"a network on {rows} × {columns} images"


def _feature_names(names: Sequence[Any] | None, nin: int, front: Front | None) -> list[str]:
    """Check the names of the inputs; no names are an empty list."""
    if names is None:
        return []
    if front:
        raise TypeError("features= names the inputs of a network without modules on images")
    found = [str(name) for name in several(names, "features are names")]
    if len(found) != nin:
        raise ValueError(f"features are {nin} names, one for each input; got {len(found)}")
    return found


def _check_history(history: History | None) -> None:
    if history is not None and not isinstance(history, History):
        raise TypeError(f"history is what trainer.fit() returned, got {history!r:.60}")


# ---------------------------------------------------------------------- inputs


def _as_rows(model: Module, data: Any, shape: Sequence[int] | None) -> tuple[Any, Any]:
    """Return data and shape; images become rows of pixels if the model begins with `Flatten`."""
    if data is None or takes_images(model) or not begins_with_flatten(model):
        return data, shape
    X, y = pair(data, "data is a pair (X, y) of examples")
    X = features_of(X)
    if X.ndim == 4 and X.shape[1] == 1 and shape is None:
        shape = X.shape[2:]
    return (X.reshape(len(X), -1), y), shape


def _front(model: Module, data: Any, shape: Sequence[int] | None) -> Front | None:
    """Return the part of a network on images that makes its feature maps, else None."""
    if not takes_images(model):
        return None
    if shape is None and data is not None:
        X = features_of(pair(data, "data is a pair (X, y) of examples")[0])
        if X.ndim == 2:
            raise ValueError(
                f"the model takes images or signals, X of shape (n, channels, height, width) or "
                f"(n, channels, length); got {X.shape}"
            )
        shape = X.shape[1:]
    return Front(model, shape)


def _examples(data: tuple[Any, Any] | None, nin: int, front: Front | None) -> Examples | None:
    """Return the examples, with the pixels of an image in a row; None without data."""
    if data is None:
        return None
    X, y = pair(data, "data is a pair (X, y) of examples")
    examples = Examples.of(X, y, rows_only=front is None)
    if front:
        if examples.X.shape[1:] != front.shape:
            raise ValueError(
                f"X has shape {examples.X.shape}, and the {front.thing}s have shape {front.shape}"
            )
        return Examples(examples.X.reshape(len(examples), -1), examples.y)
    if examples.X.shape[1] != nin:
        raise ValueError(f"X has {examples.X.shape[1]} columns, and the model takes {nin} inputs")
    return examples


def _shape(shape: Sequence[int] | None, nin: int) -> tuple[int, int] | None:
    if shape is None:
        return SQUARES.get(nin)
    sides = pair(shape, "shape is a pair (rows, columns), as in (28, 28)")
    rows, columns = (whole(side, "shape") for side in sides)
    if rows * columns != nin:
        raise ValueError(f"an image of {rows} × {columns} pixels does not fit {nin} inputs")
    return rows, columns


def _image(shape: tuple[int, int], examples: Examples | None) -> dict[str, Any]:
    """Return the shape of an image, its range of brightness, and the typical size of its ink.

    The page scales the reader's drawings to this size.
    """
    low, high = (0.0, 1.0) if examples is None else (examples.X.min(), examples.X.max())
    filled = FILLED * min(shape)
    if examples is not None and high > low:
        # of several channels, all ink together
        channels = examples.X[:MOST_EXAMPLES].reshape(len(examples.X[:MOST_EXAMPLES]), -1, *shape)
        inked = ((channels - low) / (high - low)).max(1) > FAINT
        filled = float(
            np.median([np.ptp(np.argwhere(ink), 0).max() + 1 for ink in inked if ink.any()])
        )
    return {"shape": shape, "range": [low, high], "filled": filled}


def _packed(examples: Examples, right: list[list[int]] | None, grey: bool) -> dict[str, Any]:
    """Return the first examples as base64: images as bytes of brightness, others as float32."""
    X = examples.X[: _most(examples.X.shape[1])]
    low, high = examples.X.min(), examples.X.max()
    levels = np.rint(255.0 * (X - low) / max(high - low, 1e-300)).astype(np.uint8)
    return {
        "inputs": base64.b64encode(levels.tobytes()).decode() if grey else pack(X.ravel()),
        "right": None if right is None else right[: len(X)],
        "shown": len(X),
        "of": len(examples),
    }


def _most(nin: int) -> int:
    """Return how many examples of this many inputs a page holds at most."""
    return min(MOST_EXAMPLES, MOST_NUMBERS // nin)


def _wanted(examples: Examples, answers: Answers, nout: int) -> np.ndarray:
    """Return the wanted outputs of each example: its target, one-hot for the index of a class."""
    y = np.array(examples.y, dtype=float)
    if answers.kind == "classes" and y.ndim == 1:
        return one_hot(examples.y, nout)
    if y.size != len(y) * nout:
        raise ValueError(f"y has shape {y.shape}, and loss needs {nout} target(s) for each example")
    return y.reshape(len(y), nout)


def _training(
    model: Module,
    layers: list[Layer],
    front: Front | None,
    history: History | None,
    examples: Examples | None,
    has_loss: bool,
) -> dict[str, Any] | str | None:
    """Return how the page trains the network on, or why not; None if nobody would expect it."""
    if history is None and examples is None and not has_loss:
        return None
    if examples is None or not has_loss:
        return "To train the network on here, save the page with data=… and loss=…"
    if front:
        return f"This page trains no network on {front.thing}s: only one of dense layers."
    return train_on(model, layers, history, min(len(examples), _most(examples.X.shape[1])))


# ---------------------------------------------------------------------- weights


def _frames(
    model: Module, layers: list[Layer], front: Front | None, history: History | None
) -> tuple[list[dict[str, Any]], int]:
    """Return the frames of the page, and the index of the frame with the current weights.

    The frames are the snapshots of the history, and the current weights if no snapshot has them.
    Weights are in order of layers and neurons, each neuron's bias last; then come those of the
    front. The current ones have all their digits.
    """
    params = model.parameters()
    place = {id(p): i for i, p in enumerate(params)}
    zero = len(params)  # the place of the bias of a layer without biases
    ordered = parameters_in(layers) + (front.parameters if front else [])
    order = [place.get(id(p), zero) for p in ordered]
    now = np.array([*(p.data for p in params), 0.0])[order]
    frames = []
    for shot in history.snapshots if history else ():
        weights = unpack(shot.weights)
        if len(weights) != len(params):
            raise ValueError(
                f"the history is of a model of {len(weights):,} parameters, and this one has "
                f"{len(params):,}: give the one that trainer.fit() returned for it"
            )
        packed = pack(np.append(weights, 0.0)[order])
        frames.append({"epoch": shot.epoch, "weights": packed, "exact": False})
    same = [i for i, frame in enumerate(frames) if frame["weights"] == pack(now)]
    start = same[-1] if same else len(frames)
    epoch = frames[start]["epoch"] if same else None
    frames[start : start + 1] = [{"epoch": epoch, "weights": pack_exactly(now), "exact": True}]
    return frames, start


def pack_exactly(numbers: Sequence[float] | np.ndarray) -> str:
    """Return numbers as base64 of float64, which `doubles` in packed.js reads."""
    return base64.b64encode(np.asarray(numbers, dtype="<f8").tobytes()).decode()


def _curves(history: History) -> dict[str, list[float | None]]:
    columns: dict[str, Sequence[float | None]] = {
        "loss": history.losses,
        "validation loss": history.validation_losses,
        "accuracy": history.accuracies,
        "validation accuracy": history.validation_accuracies,
    }
    return {
        name: [x if x is not None and math.isfinite(x) else None for x in column]
        for name, column in columns.items()
        if any(x is not None for x in column)
    }


# ---------------------------------------------------------------------- computing


def check_computed(
    model: Module,
    layers: list[Layer],
    front: Front | None,
    nin: int,
    examples: Examples | None,
) -> None:
    """Raise a ValueError if the page would compute other outputs than the model.

    If a weight is not finite, nothing is checked, and the page shows the weights as they are.
    """
    if not all(math.isfinite(p.data) for p in model.parameters()):
        return
    rows = np.random.default_rng(0).uniform(-1.0, 1.0, (CHECKED, nin))
    if examples is not None:
        rows = np.concatenate([rows, examples.X[:CHECKED]])
    if front:
        rows = rows[-1:]  # an image takes long
    hint = "a page shows layers that follow one another, each neuron f(b + Σ w·x), and nothing else"
    try:
        into = [front.features(row) for row in rows] if front else rows
        found = np.array([_outputs(layers, row) for row in into])
        wanted = model.predict(rows.reshape(-1, *front.shape) if front else rows)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{hint}: {error}") from None
    if not np.allclose(found, wanted.reshape(found.shape), rtol=1e-9, atol=1e-12):
        raise ValueError(f"{hint}; but {model!r:.80} computes something else")


def _outputs(layers: list[Layer], x: np.ndarray) -> list[float]:
    """Compute the outputs in the way of the page: layer by layer, from the weights alone."""
    for layer in layers:
        sums = [Value(n.b.data + float(np.dot([w.data for w in n.w], x))) for n in layer.neurons]
        single, whole = layer.activation.of_one, layer.activation.of_layer
        outputs = whole(sums) if whole else [single(z) for z in sums] if single else sums
        x = np.array([a.data for a in outputs])
    return [float(a) for a in x]


def _answers(
    model: Module,
    nout: int,
    y: Sequence[Any] | None,
    classes: Sequence[Any] | None,
    history: History | None,
    loss: Callable[[Any, Any], Value] | None,
) -> Answers:
    """Return how the outputs are read: as in the training, else as the loss says, else assumed."""
    answers = outputs_read(model, nout, y, classes, history)
    if answers.known or loss is None or y is None:
        return answers
    implied = answers_of(loss, y, nout)
    says = implied.known and (implied.kind != "numbers" or answers.kind == "numbers")
    return implied.named(classes) if says else answers


def _sure(answers: Answers, last: Activation) -> str:
    """Describe in words the bars beside the outputs, and any assumption about the outputs."""
    by = {"sigmoid": ": σ of the output", "softmax": ": softmax of the outputs"}.get(
        answers.sure, ""
    )
    one = f"bar shows how sure it is of {answers.names[1]}" if answers.kind == "sides" else ""
    shown = one or "bars show how sure it is"
    parts = [f"The {shown}{by}."] if _probable(answers, last) else []
    if not answers.known:
        parts.append(f"{answers.why[0].upper()}{answers.why[1:]}.")
    return " ".join(parts)


def _probable(answers: Answers, last: Activation) -> bool:
    """Return True if the page can show a probability for each answer."""
    if answers.sure == "output":  # outputs under a distance may lie outside 0 … 1
        return BOUNDS.get(last.name) == (0.0, 1.0)
    return bool(answers.sure)
