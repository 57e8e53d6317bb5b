"""A network as a page that plays its training."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import numpy as np

from autograd import Page, Value, softmax
from autograd.extend import javascript

from ..activations import Activation
from ..data import Examples
from ..layers import Layer, layers_of
from ..module import Module
from ..settings import pair, several, text, whole
from ..training.answers import Answers, outputs_read
from ..training.history import History
from ..training.snapshots import packed, unpacked
from .draw import BOUNDS

WEB = files(__package__) / "web"

MOST_EXAMPLES = 1000  # of a page,
MOST_NUMBERS = 240_000  # and in all of them, so that it can be mailed: 306 images of MNIST
FAINT = 0.1  # of the brightest; below that a pixel is no ink
FILLED = 20 / 28  # how much of an image its digit fills, as in MNIST
CHECKED = 3  # rows on which the page's way of computing is held against the model's
SQUARES = {64: (8, 8), 784: (28, 28)}  # inputs that are taken for images, as rows and columns


def network_page(
    model: Module,
    *,
    history: History | None = None,
    data: tuple[Any, Any] | None = None,
    classes: Sequence[Any] | None = None,
    shape: tuple[int, int] | None = None,
    title: str | None = None,
) -> Page:
    """A page that shows a network, what it makes of its inputs, and how it came to its weights.

    Args:
        model: layers that follow one another, or a neuron.
        history: of its training, to play epoch by epoch; without it the weights are shown as they
            are now.
        data: (X, y), examples to try it on; the first of them, if they are many.
        classes: what the outputs mean, or what no and yes of a single output mean.
        shape: rows and columns, where the inputs are the pixels of an image; 64 and 784 inputs
            are taken for square ones.
        title: above the page; by default the sizes of its layers.

    Raises:
        TypeError, ValueError: the model is no row of layers, `history` is of another model, or
            `data`, `classes` or `shape` does not fit it.

    >>> from nn import MLP
    >>> network_page(MLP(2, [3, 1], seed=0)).title
    'a 2-3-1 network'
    """
    layers = list(layers_of(model).values())
    nin, nout = layers[0].nin, layers[-1].nout
    sizes = [nin, *(layer.nout for layer in layers)]
    named = f"a {'-'.join(map(str, sizes))} network" if title is None else text(title, "title")
    image, examples = _shape(shape, nin), _examples(data, nin)
    classes = None if classes is None else several(classes, "classes are names")
    _check_history(history)
    frames, start = _frames(model, layers, history)
    y = examples.y if examples else None
    answers = outputs_read(model, nout, y, classes, history)
    right = None if y is None or answers.kind == "numbers" else [answers.meant(t) for t in y]
    _check(model, layers, examples)
    contents = {
        "sizes": sizes,
        "activations": [layer.activation.name for layer in layers],
        "bounds": [BOUNDS.get(layer.activation.name) for layer in layers],
        "answers": {"kind": answers.kind, "names": answers.names, "threshold": answers.threshold},
        "sure": _sure(answers, layers[-1].activation),
        "image": image and _image(image, examples),
        "examples": examples and _packed(examples, right, image is not None),
        "frames": frames,
        "start": start,
        "curves": {} if history is None else _curves(history),
    }
    generated = (
        f"const ACTIVATIONS = [{', '.join(_activation(layer) for layer in layers)}];\n"
        f"const SHARES = {_shares(answers, layers[-1].activation, nout)};"
    )
    return Page("network", named, contents, generated, folder=WEB)


def _check_history(history: History | None) -> None:
    if history is not None and not isinstance(history, History):
        raise TypeError(f"history is what trainer.fit() returned, got {history!r:.60}")


# ---------------------------------------------------------------------- inputs


def _examples(data: tuple[Any, Any] | None, nin: int) -> Examples | None:
    if data is None:
        return None
    examples = Examples.of(*pair(data, "data is a pair (X, y) of examples"))
    if examples.X.shape[1] != nin:
        raise ValueError(f"X has {examples.X.shape[1]} columns, and the model takes {nin} inputs")
    return examples


def _shape(shape: tuple[int, int] | None, nin: int) -> tuple[int, int] | None:
    if shape is None:
        return SQUARES.get(nin)
    sides = pair(shape, "shape is a pair (rows, columns), as in (28, 28)")
    rows, columns = (whole(side, "shape") for side in sides)
    if rows * columns != nin:
        raise ValueError(f"an image of {rows} × {columns} pixels does not fit {nin} inputs")
    return rows, columns


def _image(shape: tuple[int, int], examples: Examples | None) -> dict[str, Any]:
    """The size of an image, its darkest and brightest number, and how long a drawing in it is."""
    low, high = (0.0, 1.0) if examples is None else (examples.X.min(), examples.X.max())
    filled = FILLED * min(shape)
    if examples is not None and high > low:
        inked = (examples.X[:MOST_EXAMPLES].reshape(-1, *shape) - low) / (high - low) > FAINT
        filled = float(
            np.median([np.ptp(np.argwhere(ink), 0).max() + 1 for ink in inked if ink.any()])
        )
    return {"shape": shape, "range": [low, high], "filled": filled}


def _packed(examples: Examples, right: list[list[int]] | None, grey: bool) -> dict[str, Any]:
    """The first examples as text, those that are images as bytes from dark to bright."""
    X = examples.X[: min(MOST_EXAMPLES, MOST_NUMBERS // examples.X.shape[1])]
    low, high = examples.X.min(), examples.X.max()
    levels = np.rint(255.0 * (X - low) / max(high - low, 1e-300)).astype(np.uint8)
    return {
        "inputs": base64.b64encode(levels.tobytes()).decode() if grey else packed(X.ravel()),
        "right": None if right is None else right[: len(X)],
        "shown": len(X),
        "of": len(examples),
    }


# ---------------------------------------------------------------------- weights


def _frames(
    model: Module, layers: list[Layer], history: History | None
) -> tuple[list[dict[str, Any]], int]:
    """The snapshots of a run, and the model as it is now where it is none of them; which it is."""
    params = model.parameters()
    place = {id(p): i for i, p in enumerate(params)}
    order = [place[id(p)] for layer in layers for n in layer.neurons for p in (*n.w, n.b)]
    frames = []
    for shot in history.snapshots if history else ():
        weights, gradient = unpacked(shot.weights), unpacked(shot.gradient)
        if len(weights) != len(params) or len(gradient) not in (0, len(params)):
            raise ValueError(
                f"the history is of a model of {len(weights):,} parameters, and this one has "
                f"{len(params):,}: give the one that trainer.fit() returned for it"
            )
        frames.append(_frame(shot.epoch, weights[order], gradient[order if len(gradient) else []]))
    weights, gradient = (
        np.array([getattr(params[i], name) for i in order], dtype=float)
        for name in ("data", "grad")
    )
    now = _frame(None, weights, gradient if gradient.any() else ())
    same = [i for i, frame in enumerate(frames) if frame["weights"] == now["weights"]]
    return (frames, same[-1]) if same else ([*frames, now], len(frames))


def _frame(epoch: int | None, weights: Any, gradient: Any) -> dict[str, Any]:
    """Layer by layer and neuron by neuron, its weights and then its bias."""
    return {"epoch": epoch, "weights": packed(weights), "gradient": packed(gradient)}


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


def _check(model: Module, layers: list[Layer], examples: Examples | None) -> None:
    """Hold the page's way of computing against the model's.

    Where weights are no numbers there is nothing to compare, and the page says what it sees.
    """
    if not all(math.isfinite(p.data) for p in model.parameters()):
        return
    nin = layers[0].nin
    rows = np.random.default_rng(0).uniform(-1.0, 1.0, (CHECKED, nin))
    if examples is not None:
        rows = np.concatenate([rows, examples.X[:CHECKED]])
    hint = "a page shows layers that follow one another, each neuron f(b + Σ w·x), and nothing else"
    try:
        found = np.array([_outputs(layers, row) for row in rows])
        wanted = model.predict(rows).reshape(found.shape)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{hint}: {error}") from None
    if not np.allclose(found, wanted, rtol=1e-9, atol=1e-12):
        raise ValueError(f"{hint}; but {model!r:.80} computes something else")


def _outputs(layers: list[Layer], x: np.ndarray) -> list[float]:
    """The outputs as the page computes them, from its copy of the weights."""
    for layer in layers:
        sums = [Value(n.b.data + float(np.dot([w.data for w in n.w], x))) for n in layer.neurons]
        single, whole = layer.activation.of_one, layer.activation.of_layer
        outputs = whole(sums) if whole else [single(z) for z in sums] if single else sums
        x = np.array([a.data for a in outputs])
    return [float(a) for a in x]


def _activation(layer: Layer) -> str:
    """The activation as JavaScript: of each sum, or of all sums of the layer."""
    single, whole = layer.activation.of_one, layer.activation.of_layer
    each = javascript(single, ["z"]) if single else "null"
    names = [f"z{j}" for j in range(layer.nout)]
    together = javascript(lambda *sums: whole(sums), names) if whole else "null"
    return f"{{ each: {each}, together: {together} }}"


def _sure(answers: Answers, last: Activation) -> str:
    """What the bars beside the outputs show, and what was assumed."""
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
    """Whether something is the probability of an answer."""
    if answers.sure == "output":  # which a distance asks of outputs that may be anything
        return BOUNDS.get(last.name) == (0.0, 1.0)
    return bool(answers.sure)


def _shares(answers: Answers, last: Activation, nout: int) -> str:
    """From the outputs to how sure the network is, as JavaScript: a number from 0 to 1 each."""
    names = [f"z{j}" for j in range(nout)]
    if not _probable(answers, last):
        return "null"
    if answers.sure == "output":
        return javascript(lambda *outputs: list(outputs), names)
    if answers.sure == "sigmoid":
        return javascript(lambda *outputs: [z.sigmoid() for z in outputs], names)
    return javascript(lambda *outputs: softmax(outputs), names)
