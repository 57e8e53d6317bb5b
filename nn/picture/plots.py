"""Pictures of training and of what was learned, made with matplotlib (the extra `plots`).

Each function returns a `matplotlib.figure.Figure`: `.savefig("curves.png")` writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..data import features, targets
from ..layers import Layer, layers_of
from ..module import Module, evaluating, numbers
from ..settings import finite, function, instance, pair, several, text, whole
from ..targets import class_index
from ..training.answers import Answers, outputs_read
from ..training.history import History

try:
    from matplotlib.axes import Axes
    from matplotlib.colors import ListedColormap, to_rgb
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator
except ImportError as error:
    raise ImportError(
        "plots are made with matplotlib: pip install 'scalar-autograd[plots]', or matplotlib"
    ) from error

# Okabe and Ito's colours, told apart by the colour-blind; markers tell classes apart in print
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P")
GRID = 60  # points a side of a decision region


def curves(history: History) -> Figure:
    """Cost and accuracy by epoch, on the batches and on the held-out examples."""
    instance(history, History, "history is what trainer.fit() returned")
    figure = Figure(figsize=(8.0, 3.2), layout="constrained")
    pairs: dict[str, tuple[Sequence[float | None], Sequence[float | None]]] = {
        "cost": (history.losses, history.validation_losses),
        "accuracy": (history.accuracies, history.validation_accuracies),
    }
    shown = {name: pair for name, pair in pairs.items() if any(x is not None for x in pair[0])}
    for i, (name, (learned, held_out)) in enumerate(shown.items(), 1):
        axes = figure.add_subplot(1, len(shown), i)
        for values, label, style in ((learned, "training", "-"), (held_out, "validation", "--")):
            if any(x is not None for x in values):
                epochs = range(1, len(values) + 1)
                points = [np.nan if x is None else x for x in values]
                colour = COLOURS[1 if label == "training" else 0]
                marker = "o" if len(points) == 1 else ""
                axes.plot(epochs, points, style, color=colour, label=label, marker=marker)
        axes.set(xlabel="epoch", title=name)
        axes.margins(x=0.02)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if name == "accuracy":
            axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        axes.spines[["top", "right"]].set_visible(False)
        if held_out:
            axes.legend(frameon=False)
    return figure


def decision_regions(
    model: Module,
    X: Any,
    y: Any,
    *,
    title: str = "",
    threshold: float | None = None,
    history: History | None = None,
) -> Figure:
    """Where in the plane a model says what, with the examples on top.

    Args:
        model: takes two features; its outputs are read as its training read them, see `Answers`.
        X: the examples, shape (n, 2).
        y: their classes: whole numbers.
        title: above the picture.
        threshold: between no and yes, if it is to be another.
        history: of its training; without it, the last since the model was made. Where neither is
            known, what is assumed stands below the picture.

    Raises:
        ValueError: X has other than two columns, y other than two classes for one output, or
            the outputs are several yes-or-no answers at once.
    """
    figure = Figure(figsize=(4.4, 4.0), layout="constrained")
    axes = figure.add_subplot()
    regions(axes, model, X, y, title=title, threshold=threshold, history=history)
    return figure


def regions(
    axes: Axes,
    model: Module,
    X: Any,
    y: Any,
    *,
    title: str = "",
    threshold: float | None = None,
    history: History | None = None,
) -> None:
    """`decision_regions` on axes of your own."""
    instance(axes, Axes, "axes are matplotlib's, as from figure.add_subplot()")
    instance(model, Module, "model is a module of nn")
    text(title, "title")
    threshold = None if threshold is None else finite(threshold, "threshold")
    if history is not None:
        instance(history, History, "history is what trainer.fit() returned")
    points, classes = _plane(X, y)
    across, up = _axes_around(points)
    outputs = model.predict(np.array([[p, q] for q in up for p in across]))
    answers = _told_apart(model, outputs, classes.tolist(), threshold, history)
    said = np.searchsorted(answers.kinds, answers.of(outputs))
    picture = said.reshape(len(up), len(across))
    count = len(answers.names)
    tints = ListedColormap([_tint(COLOURS[i % len(COLOURS)]) for i in range(count)])
    axes.pcolormesh(across, up, picture, cmap=tints, vmin=-0.5, vmax=count - 0.5)
    if answers.kind == "sides":
        surface, line = outputs.reshape(len(up), len(across)), answers.threshold
        if surface.min() < line < surface.max():
            axes.contour(across, up, surface, levels=[line], colors="#222222", linewidths=1.2)
    scatter(axes, points, classes, answers.kinds)
    axes.set(title=title, xlim=(across[0], across[-1]), ylim=(up[0], up[-1]))
    if not answers.known:
        axes.set_xlabel(answers.why, fontsize=7, wrap=True)


def _told_apart(
    model: Module, outputs: Any, y: list[Any], threshold: float | None, history: History | None
) -> Answers:
    nout = 1 if outputs.ndim == 1 else outputs.shape[1]
    answers = outputs_read(model, nout, y, history=history, told_apart=True)
    if answers.kind == "labels":
        raise ValueError(
            f"the {nout} outputs are {nout} answers at once, and a place has one colour: draw a "
            f"model that returns one of them"
        )
    if threshold is None:
        return answers
    return replace(answers, threshold=threshold, known=True)


def scatter(axes: Axes, X: Any, y: Any, kinds: Sequence[Any] | None = None) -> None:
    """Examples as points, a colour and a marker for each of the `kinds` of classes."""
    instance(axes, Axes, "axes are matplotlib's, as from figure.add_subplot()")
    points, classes = _plane(X, y)
    for i, kind in enumerate(np.unique(classes) if kinds is None else kinds):
        chosen = points[classes == kind]
        axes.scatter(
            chosen[:, 0],
            chosen[:, 1],
            s=18,
            color=COLOURS[i % len(COLOURS)],
            marker=MARKERS[i % len(MARKERS)],
            edgecolor="white",
            linewidth=0.5,
            label=f"class {kind}",
            zorder=3,
        )
    axes.tick_params(length=0, labelsize=8)


def neuron_heatmaps(model: Module, X: Any) -> Figure:
    """What each neuron sees: its activation at each place of the plane, a row for each layer.

    Blue is positive, red negative, white zero, and the strongest colour each neuron's own most.

    Args:
        model: takes two features.
        X: the examples whose surroundings are shown, shape (n, 2).

    Raises:
        ValueError: X has other than two columns, or the model has no layers.
    """
    points = _places(X)
    layers = list(layers_of(model).values())
    across, up = (axis[::2] for axis in _axes_around(points))
    seen = []
    with evaluating(model):
        for q in up:
            for p in across:
                model([p, q])
                seen.append([[numbers(n.a) for n in layer.neurons] for layer in layers])
    widest = max(layer.nout for layer in layers)
    figure = Figure(figsize=(max(0.75 * widest, 4.0), 1.0 * len(layers)), layout="constrained")
    for row, layer in enumerate(layers):
        for j in range(layer.nout):
            axes = figure.add_subplot(len(layers), widest, row * widest + j + 1)
            image = np.array([s[row][j] for s in seen]).reshape(len(up), len(across))
            bound = abs(image).max() or 1.0
            axes.imshow(image, origin="lower", cmap="RdBu", vmin=-bound, vmax=bound)
            axes.set(xticks=[], yticks=[])
            axes.set_title(f"{j}" if image.any() else f"{j}: dead", fontsize=7, pad=2)
            if j == 0:
                axes.set_ylabel(f"layer {row}", fontsize=8)
    return figure


def weights_as_images(layer: Layer, shape: tuple[int, int]) -> Figure:
    """The weights of each neuron as an image: blue where it wants light, red where darkness.

    Args:
        layer: the first layer of a network that sees images.
        shape: rows and columns of the images.

    Raises:
        ValueError: the neurons take another number of inputs.
    """
    instance(layer, Layer, "layer is a Layer, as model[0] is")
    rows, columns = (whole(size, "shape") for size in pair(shape, "shape is a pair, as (28, 28)"))
    if rows * columns != layer.nin:
        raise ValueError(f"an image of {rows} × {columns} does not fit {layer.nin} inputs")
    across = min(layer.nout, 8)
    down = -(-layer.nout // across)
    figure = Figure(figsize=(1.1 * across, 1.25 * down), layout="constrained")
    for j, neuron in enumerate(layer.neurons):
        axes = figure.add_subplot(down, across, j + 1)
        image = np.array([w.data for w in neuron.w]).reshape(rows, columns)
        bound = abs(image).max() or 1.0
        axes.imshow(image, cmap="RdBu", vmin=-bound, vmax=bound)
        axes.set(xticks=[], yticks=[])
        axes.set_title(f"neuron {j}", fontsize=8)
    return figure


def confusion_matrix(
    y: Any, said: Any, classes: Sequence[Any] | None = None, *, history: History | None = None
) -> Figure:
    """How often each class was taken for each: right answers on the diagonal.

    Args:
        y: the right classes, n whole numbers from 0; with `history`, targets as its cost has them.
        said: what the model said, as y; with `history`, the outputs of `model.predict`.
        classes: the names of the classes; by default their numbers.
        history: of the training that says how outputs are read.

    Raises:
        ValueError: there are not as many answers as classes, one is outside, or the outputs are
            numbers or several answers at once.
        TypeError: a class is no whole number.
    """
    if history is not None:
        instance(history, History, "history is what trainer.fit() returned")
        return _confusion(*_read_by(history, y, said, classes))
    wanted, answers = (_classes(kinds, what) for kinds, what in ((y, "y"), (said, "said")))
    if len(wanted) != len(answers):
        raise ValueError(f"y has {len(wanted)} classes and said has {len(answers)}")
    if classes is None:
        names = [str(name) for name in range(max([1, *wanted, *answers]) + 1)]
    else:
        names = [str(name) for name in several(classes, "classes are names")]
    return _confusion(wanted, answers, names)


def _classes(kinds: Any, what: str) -> list[int]:
    array = np.asarray(targets(kinds, len(several(kinds, f"{what} lists classes"))))
    if array.ndim != 1:
        raise ValueError(f"{what} has shape {array.shape}, expected one class for each row")
    return [whole(kind, f"a class in {what}", 0) for kind in array.tolist()]


def _read_by(
    history: History, y: Any, outputs: Any, classes: Sequence[Any] | None
) -> tuple[list[int], list[int], list[str]]:
    """What is right, what the outputs say, both as places among the names."""
    answers = None if history.answers is None else history.answers.named(classes)
    if answers is None or answers.kind not in ("classes", "sides"):
        what = "not known" if answers is None else f"{answers.kind}: {answers.why}"
        raise ValueError(f"a confusion matrix takes one answer a row; these outputs are {what}")
    said = np.searchsorted(answers.kinds, answers.of(outputs)).tolist()
    return [answers.meant(target)[0] for target in targets(y, len(said))], said, answers.names


def _confusion(wanted: list[int], answers: list[int], names: list[str]) -> Figure:
    count = len(names)
    matrix = np.zeros((count, count), dtype=int)
    for right, answer in zip(wanted, answers):
        matrix[class_index(right, count), class_index(answer, count)] += 1
    figure = Figure(figsize=(0.42 * count + 1.2, 0.42 * count + 1.0), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(matrix / np.maximum(matrix.sum(1, keepdims=True), 1), cmap="Blues", vmin=0, vmax=1)
    for i, j in np.argwhere(matrix):
        dark = matrix[i, j] > 0.5 * matrix[i].sum()
        colour = "white" if dark else "#222222"
        axes.text(j, i, str(matrix[i, j]), color=colour, ha="center", va="center", fontsize=8)
    axes.set(xlabel="said", ylabel="is", xticks=range(count), yticks=range(count))
    slanted: dict[str, Any] = {"rotation": 45, "ha": "right"} if max(map(len, names)) > 3 else {}
    axes.set_xticklabels(names, **slanted)
    axes.set_yticklabels(names)
    axes.tick_params(length=0)
    return figure


def descent_path(
    cost: Callable[[float, float], float],
    paths: dict[str, Sequence[tuple[float, float]]],
    *,
    names: tuple[str, str] = ("w", "b"),
) -> Figure:
    """Ways down a cost of two parameters, over its contour lines.

    Args:
        cost: the cost at (p, q).
        paths: for each walker the places it was at.
        names: of the parameters.

    Raises:
        ValueError: there are no paths, or one has no places.
    """
    function(cost, "cost is a function of two numbers")
    first, second = (text(name, "a name") for name in pair(names, "names are two"))
    places = [_places(path) for path in instance(paths, dict, "paths are places by name").values()]
    if not places:
        raise ValueError("paths is empty: a path needs at least one place")
    figure = Figure(figsize=(5.4, 4.4), layout="constrained")
    axes = figure.add_subplot()
    across, up = _axes_around(np.concatenate(places))
    surface = np.array([[numbers(cost(float(p), float(q))) for p in across] for q in up])
    levels = np.quantile(surface, np.linspace(0.0, 1.0, 18))
    levels = np.unique(levels)
    axes.contour(across, up, surface, levels=levels, colors="#BBBBBB", linewidths=0.8)
    for i, (name, line) in enumerate(zip(paths, places)):
        colour = COLOURS[i % len(COLOURS)]
        axes.plot(*line.T, color=colour, linewidth=1.2, marker=".", markersize=3, label=name)
        axes.plot(*line[-1], color=colour, marker=MARKERS[i % len(MARKERS)], markersize=7)
    axes.plot(*places[0][0], "k*", markersize=10)
    axes.set(xlabel=first, ylabel=second)
    axes.legend(frameon=False, fontsize=9)
    return figure


def _plane(X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    rows = _places(X)
    return rows, np.array(targets(y, len(rows)))


def _places(X: Any) -> np.ndarray:
    rows = features(X)
    if rows.shape[1] != 2:
        raise ValueError(f"a plane has two features, and X has {rows.shape[1]} columns")
    return rows


def _axes_around(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low, high = points.min(0), points.max(0)
    margin = 0.12 * np.where(high > low, high - low, np.maximum(abs(high), 1.0))
    across, up = np.linspace(low - margin, high + margin, GRID).T
    return across, up


def _tint(colour: str) -> tuple[float, ...]:
    return tuple(1.0 - 0.28 * (1.0 - part) for part in to_rgb(colour))
