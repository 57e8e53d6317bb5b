"""Plots of training and of trained networks, made with matplotlib (the extra `plots`).

Most functions return a `matplotlib.figure.Figure`, which `.savefig("curves.png")` writes. They
work without pyplot and without a display.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np

from autograd import Value, grad
from autograd.extend import expanded

from ..activations import Activation, activation_named
from ..data import features, targets
from ..images import Conv2d
from ..labels import Labels, are_labels, numbered
from ..layers import Layer
from ..modes import evaluating
from ..module import Module
from ..networks import layers_of
from ..prediction import numbers_in
from ..settings import finite, function, instance, pair, positive, several, text, whole
from ..targets import as_lists, class_index
from ..training.answers import Answers, labels_known, outputs_read
from ..training.history import History

try:
    from matplotlib import figure as figures
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, ListedColormap, Normalize, to_rgb
    from matplotlib.ticker import MaxNLocator
except ImportError as error:
    raise ImportError(
        "plots are made with matplotlib: pip install 'scalar-autograd[plots]', or matplotlib"
    ) from error

# Okabe and Ito's colours suit colour-blind readers. Markers and line styles help in print.
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SIGNED = LinearSegmentedColormap.from_list("signed", [COLOURS[0], "white", COLOURS[1]])
NEURONS_ACROSS = 8  # neurons beside each other
MARKERS = ("o", "s", "^", "D", "v", "P")
LINES = ("-", "--", ":", "-.")
GRID = 60  # points per side of a picture of the plane
FINER = 4  # steps between two of these points in which the outputs are interpolated
DOTTED = 0.2  # a negative weight has a dot from this share of the largest weight on
MAPS_ACROSS = 4  # maps of attention beside each other
NUMBERED = 6  # most tokens for which each cell of a map of attention has its number
ROUNDED = 0.05  # how far the rounded shares of a row of attention may be from 1 in sum
FILTERS_ACROSS = 8  # filters beside each other
FILTERS_WIDE = 8.3  # inches
NUMBERED_SIDE, NUMBERED_FILTERS = 3, 6  # largest filters, and most, whose weights are numbered
FLAT = 0.05  # an activation is nearly flat where its slope is below this


class Figure(figures.Figure):
    """A matplotlib figure that a notebook shows without pyplot.

    >>> activations(["tanh"]).savefig(BytesIO(), format="png")
    """

    def savefig(self, fname: Any, **kwargs: Any) -> None:
        """Write the figure to a file, as in matplotlib; `~` is the home folder."""
        named = isinstance(fname, (str, os.PathLike))
        super().savefig(expanded(fname) if named else fname, **kwargs)

    def _repr_png_(self) -> bytes:
        """Return the figure as PNG."""
        picture = BytesIO()
        self.savefig(picture, format="png")
        return picture.getvalue()


def curves(history: History) -> Figure:
    """Plot cost and accuracy by epoch, on the training and on the held-out examples.

    >>> import nn
    >>> model = nn.MLP(1, [1], seed=0)
    >>> trainer = nn.Trainer(model, nn.mse_loss, nn.SGD(model.parameters(), lr=0.1))
    >>> figure = curves(trainer.fit([[0.0], [1.0]], [0.0, 2.0], epochs=3, progress=False))
    >>> figure.axes[0].get_xlabel()
    'epoch'
    """
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
    """Plot the answers of a model in the plane of its two features, with the examples on top.

    Args:
        model: a model of two features. Its outputs are interpreted as in its training; see
            `Answers`.
        X: the examples, shape (n, 2).
        y: the class of each example, a whole number or a label.
        title: the title of the plot.
        threshold: the boundary between no and yes. Default: that of the interpretation.
        history: the history of the model's training. Default: the last training of this object.
            Without any training the interpretation is assumed, and the plot says so.

    Raises:
        ValueError: X does not have two columns, y does not have two classes for a single output,
            or the outputs are several labels at once.

    >>> import nn
    >>> model = nn.MLP(2, [3, 1], "tanh", seed=0)
    >>> figure = decision_regions(model, [[0, 0], [0, 1], [1, 0]], [0, 1, 1], title="or")
    >>> figure.axes[0].get_title()
    'or...'
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
    """Draw the plot of `decision_regions` on existing axes.

    >>> import nn
    >>> model = nn.MLP(2, [3, 1], "tanh", seed=0)
    >>> figure = Figure()
    >>> for axes, size in zip(figure.subplots(1, 2), ("first", "second")):
    ...     regions(axes, model, [[0, 0], [0, 1], [1, 0]], [0, 1, 1], title=size)
    """
    instance(axes, Axes, "axes are matplotlib's, as from figure.add_subplot()")
    instance(model, Module, "model is a module of nn")
    text(title, "title")
    threshold = None if threshold is None else finite(threshold, "threshold")
    if history is not None:
        instance(history, History, "history is what trainer.fit() returned")
    labels = labels_known(y, model, history)
    points, classes = _plane(X, numbered(y, labels))
    across, up = _axes_around(points)
    outputs = model.predict(np.array([[p, q] for q in up for p in across]))
    answers = _told_apart(model, outputs, classes.tolist(), threshold, history)
    surfaces = outputs.reshape(len(up), len(across), -1)
    fine = _refined(surfaces)
    flat = fine.reshape(-1, *outputs.shape[1:])
    picture = answers.places(flat).reshape(fine.shape[:2])
    count = len(answers.names)
    tints = ListedColormap([_tint(COLOURS[i % len(COLOURS)]) for i in range(count)])
    finely = [np.linspace(axis[0], axis[-1], n) for axis, n in zip((up, across), fine.shape)]
    axes.pcolormesh(finely[1], finely[0], picture, cmap=tints, vmin=-0.5, vmax=count - 0.5)
    for surface in _above_the_others(surfaces, answers):
        if surface.min() < 0.0 < surface.max():
            axes.contour(across, up, surface, levels=[0.0], colors="#222222", linewidths=1.2)
    _scatter(axes, points, classes, answers.kinds, labels.names if labels else answers.kinds)
    axes.set(title=title, xlim=(across[0], across[-1]), ylim=(up[0], up[-1]))
    if not answers.known:
        axes.set_xlabel(answers.why, fontsize=7, wrap=True)


def _refined(surfaces: np.ndarray) -> np.ndarray:
    """Interpolate surfaces between the points of the grid, so that borders are no staircases."""
    for axis in (0, 1):
        count = surfaces.shape[axis]
        at = np.linspace(0, count - 1, FINER * (count - 1) + 1)
        below = np.minimum(at.astype(int), count - 2)
        shape = [1] * surfaces.ndim
        shape[axis] = len(at)
        share = (at - below).reshape(shape)
        low, high = surfaces.take(below, axis), surfaces.take(below + 1, axis)
        surfaces = low + share * (high - low)
    return surfaces


def _above_the_others(surfaces: np.ndarray, answers: Answers) -> list[np.ndarray]:
    """Return for each border a surface that is zero there."""
    if answers.kind == "sides":
        return [surfaces[:, :, 0] - answers.threshold]
    return [
        surfaces[:, :, k] - np.delete(surfaces, k, axis=2).max(axis=2)
        for k in range(surfaces.shape[2])
    ]


def _told_apart(
    model: Module, outputs: Any, y: list[Any], threshold: float | None, history: History | None
) -> Answers:
    nout = 1 if outputs.ndim == 1 else outputs.shape[1]
    answers = outputs_read(model, nout, y, history=history, told_apart=True)
    if answers.kind == "labels":
        raise ValueError(
            f"the {nout} outputs are {nout} separate answers, and the plot shows one answer for "
            f"each point: plot a model that returns one of the outputs"
        )
    if threshold is None:
        return answers
    return replace(answers, threshold=threshold, known=True)


def scatter(axes: Axes, X: Any, y: Any, kinds: Sequence[Any] | None = None) -> None:
    """Plot examples as points, with a colour and a marker for each class in `kinds`.

    >>> axes = Figure().subplots()
    >>> scatter(axes, [[0, 0], [0, 1], [1, 0]], [0, 1, 1])
    >>> len(axes.collections)
    2
    """
    instance(axes, Axes, "axes are matplotlib's, as from figure.add_subplot()")
    labels = Labels.of(y) if are_labels(y) else None
    points, classes = _plane(X, numbered(y, labels))
    found = np.unique(classes).tolist() if kinds is None else kinds
    _scatter(axes, points, classes, found, labels.names if labels else found)


def _scatter(
    axes: Axes, points: np.ndarray, classes: np.ndarray, kinds: Sequence[Any], names: Sequence[Any]
) -> None:
    for i, (kind, name) in enumerate(zip(kinds, names)):
        chosen = points[classes == kind]
        axes.scatter(
            chosen[:, 0],
            chosen[:, 1],
            s=18,
            color=COLOURS[i % len(COLOURS)],
            marker=MARKERS[i % len(MARKERS)],
            edgecolor="white",
            linewidth=0.5,
            label=name if isinstance(name, str) else f"class {name}",
            zorder=3,
        )
    axes.tick_params(length=0, labelsize=8)


def neuron_heatmaps(model: Module, X: Any) -> Figure:
    """Plot the activation of each neuron over the plane of two features, one row per layer.

    Blue is positive, orange negative and white zero. Each neuron has its own scale, up to the
    number above it.

    Args:
        model: a model of two features.
        X: examples, shape (n, 2). The plot covers the region around them.

    Raises:
        ValueError: X does not have two columns, or the model has no layers.

    >>> import nn
    >>> figure = neuron_heatmaps(nn.MLP(2, [3, 1], "tanh", seed=0), [[0.0, 0.0], [1.0, 1.0]])
    >>> len(figure.axes) >= 4                                # one for each neuron
    True
    """
    points = _places(X)
    layers = list(layers_of(model).values())
    across, up = (axis[::2] for axis in _axes_around(points))
    seen = []
    with evaluating(model):
        for q in up:
            for p in across:
                model([p, q])
                seen.append([[numbers_in(n.a) for n in layer.neurons] for layer in layers])
    widest = min(NEURONS_ACROSS, max(layer.nout for layer in layers))
    rows = [-(-layer.nout // widest) for layer in layers]
    size = (max(1.0 * widest, 4.0) + 0.8, 1.2 * sum(rows))
    figure = Figure(figsize=size, layout="constrained")
    for k, layer in enumerate(layers):
        for j in range(layer.nout):
            axes = figure.add_subplot(sum(rows), widest, sum(rows[:k]) * widest + j + 1)
            image = np.array([s[k][j] for s in seen]).reshape(len(up), len(across))
            bound = float(abs(image).max()) or 1.0
            axes.imshow(image, origin="lower", cmap=SIGNED, vmin=-bound, vmax=bound)
            axes.set(xticks=[], yticks=[])
            axes.set_title(f"{j}: ±{bound:.2g}" if image.any() else f"{j}: dead", fontsize=7, pad=2)
            if j == 0:
                axes.set_xlabel("x1 →, x2 ↑", fontsize=7)
                axes.set_ylabel(f"layer {k + 1}", fontsize=8)
    colours = ScalarMappable(Normalize(-1.0, 1.0), SIGNED)
    scale = figure.colorbar(
        colours, ax=figure.axes, label="activation", ticks=[-1, 0, 1], aspect=40
    )
    scale.ax.set_yticklabels(["−max", "0", "+max"])
    return figure


def activations(names: Sequence[str] = ("sigmoid", "tanh", "relu"), reach: float = 6.0) -> Figure:
    """Plot activation functions a(z) and their slopes ∂a/∂z, dotted where they are nearly flat.

    Nearly flat means that the slope is below `FLAT`: there a change of z hardly changes a.

    Args:
        names: the activations, each a function of one weighted sum.
        reach: the plot covers z from −reach to reach; above 0.

    Raises:
        ValueError: an activation is unknown or needs a whole layer (softmax), names is empty or
            has more than six names, or reach is not above 0.

    >>> figure = activations(["sigmoid", "relu"], reach=4.0)
    >>> [axes.get_title() for axes in figure.axes]
    ['activation a', 'slope ∂a/∂z']
    """
    rows = [activation_named(text(name, "a name")) for name in several(names, "names are names")]
    if not 0 < len(rows) <= len(COLOURS):
        raise ValueError(f"names has from 1 to {len(COLOURS)} activations, got {len(rows)}")
    reach = positive(reach, "reach")
    z = np.linspace(-reach, reach, 241)
    figure = Figure(figsize=(8.0, 3.2), layout="constrained")
    panels = figure.subplots(1, 2)
    for i, row in enumerate(rows):
        a, slope = np.array([_value_and_slope(row, x) for x in z.tolist()]).T
        flat = abs(slope) < FLAT
        for axes, height in zip(panels, (a, slope)):
            solid, dotted = (np.where(hidden, np.nan, height) for hidden in (flat, ~flat))
            style = {"color": COLOURS[i], "marker": MARKERS[i], "markevery": (10 + 8 * i, 40)}
            axes.plot(z, solid, label=row.name, **style)
            axes.plot(z, dotted, ":", color=COLOURS[i])
    for axes, title in zip(panels, ("activation a", "slope ∂a/∂z")):
        axes.set(title=title, xlabel=f"z    (dotted: slope below {FLAT:g})")
        axes.axhline(0.0, color="#BBBBBB", linewidth=0.8, zorder=0)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].legend(frameon=False)
    return figure


def _value_and_slope(activation: Activation, z: float) -> tuple[float, float]:
    if activation.of_one is None:
        raise ValueError(f"{activation.name} needs all weighted sums of a layer: it has no curve")
    at = Value(z)
    a = activation.of_one(at)
    return a.data, grad(a, [at])[0]


def weights_as_images(layer: Layer, shape: tuple[int, int]) -> Figure:
    """Plot the weights of each neuron as an image, all on one scale.

    Positive weights are blue, and negative ones are orange with a dot, as far as they are seen.

    Args:
        layer: the first layer of a network whose inputs are images.
        shape: (rows, columns) of the images.

    Raises:
        ValueError: the number of inputs does not fit the shape.

    >>> import nn
    >>> figure = weights_as_images(nn.Layer(9, 2, seed=0), (3, 3))
    >>> figure.axes[0].images[0].get_array().shape
    (3, 3)
    """
    instance(layer, Layer, "layer is a Layer, as model[0] is")
    rows, columns = (whole(size, "shape") for size in pair(shape, "shape is a pair, as (28, 28)"))
    if rows * columns != layer.nin:
        raise ValueError(f"an image of {rows} × {columns} does not fit {layer.nin} inputs")
    across = min(layer.nout, 8)
    down = -(-layer.nout // across)
    figure = Figure(figsize=(1.0 * across + 0.8, 1.2 * down), layout="constrained")
    images = np.array([[w.data for w in neuron.w] for neuron in layer.neurons])
    bound = float(abs(images).max()) or 1.0
    for j, image in enumerate(images.reshape(-1, rows, columns)):
        axes = figure.add_subplot(down, across, j + 1)
        shown = _signed_image(axes, image, bound)
        axes.set_title(f"neuron {j}", fontsize=8)
        if j == (down - 1) * across:
            axes.set_xlabel("column →", fontsize=7)
            axes.set_ylabel("← row", fontsize=7)
    figure.colorbar(shown, ax=figure.axes, label="weight", aspect=30)
    return figure


def _signed_image(axes: Axes, image: np.ndarray, bound: float, dots: float = 15.0) -> Any:
    """Show numbers as an image: positive ones blue, negative ones orange with a dot."""
    shown = axes.imshow(image, cmap=SIGNED, vmin=-bound, vmax=bound)
    low, left = np.nonzero(image < -DOTTED * bound)
    axes.plot(left, low, ".", color="#222222", markersize=dots / max(image.shape))
    axes.set(xticks=[], yticks=[])
    return shown


def filters(conv: Conv2d, image: Any = None, names: Sequence[Any] | None = None) -> Figure:
    """Plot the filters of a convolution and, below them, the map that each makes of an image.

    Positive numbers are blue, and negative ones are orange with a dot, as far as they are seen.
    Each weight of a few small filters has its number. Each filter and each map has its own scale.

    Args:
        conv: the convolution. A filter has a row for each channel that comes in.
        image: the image, nested lists of shape (channels, height, width), to show at the left and
            to make the maps of. Default: the filters alone.
        names: a name for each filter. Default: their numbers.

    Raises:
        ValueError: the image does not fit the convolution, or the names do not fit the filters.

    >>> import nn
    >>> figure = filters(nn.Conv2d(1, 2, 3, seed=0), names=["first", "second"])
    >>> figure.axes[0].get_title()
    'first'
    """
    instance(conv, Conv2d, "conv is a Conv2d, as model[0] is")
    weights = np.array([[[[w.data for w in row] for row in part] for part in kernel]
                        for kernel in conv.weight])  # fmt: skip
    count, channels = weights.shape[:2]
    listed = (
        [f"filter {j}" for j in range(count)]
        if names is None
        else several(names, "names are texts")
    )
    if len(listed) != count:
        raise ValueError(f"there are {count} filters and {len(listed)} names for them")
    pixels, maps = None, None
    if image is not None:
        if np.ndim(image) != 3:
            raise ValueError(f"image has the shape (channels, height, width); got {image!r:.60}")
        pixels = features([image])
        maps = conv.predict(pixels)[0]
    across = min(count, FILTERS_ACROSS)
    block, blocks = channels + (maps is not None), -(-count // across)
    size = FILTERS_WIDE / (across + (maps is not None))
    figure = Figure(
        figsize=(FILTERS_WIDE, size * block * blocks + 0.25 * blocks), layout="constrained"
    )
    grid = figure.add_gridspec(block * blocks, across + (maps is not None))
    if pixels is not None:
        for c, channel in enumerate(pixels[0]):
            axes = figure.add_subplot(grid[c : c + 2 if c == channels - 1 else c + 1, 0])
            axes.imshow(channel, cmap="gray")
            axes.set(xticks=[], yticks=[])
            axes.set_title("the image" if c == 0 else "", fontsize=9)
    for j, name in enumerate(listed):
        row, column = block * (j // across), j % across + (maps is not None)
        for c, kernel in enumerate(weights[j]):
            axes = figure.add_subplot(grid[row + c, column])
            _filter(axes, kernel, float(abs(weights[j]).max()) or 1.0, across <= NUMBERED_FILTERS)
            axes.set_title(str(name) if c == 0 else "", fontsize=9)
        if maps is not None:
            axes = figure.add_subplot(grid[row + channels, column])
            _signed_image(axes, maps[j], float(abs(maps[j]).max()) or 1.0, dots=30.0)
    return figure


def _filter(axes: Axes, kernel: np.ndarray, bound: float, numbered: bool) -> None:
    """Show the weights of a filter for one channel, with numbers if there is room for them."""
    is_small = numbered and max(kernel.shape) <= NUMBERED_SIDE
    _signed_image(axes, kernel, bound, dots=0.0 if is_small else 30.0)
    for (row, column), weight in np.ndenumerate(kernel) if is_small else ():
        colour = "white" if abs(weight) > 0.6 * bound else "#222222"
        shown = f"{weight:.2g}".replace("-", "−")
        axes.text(column, row, shown, ha="center", va="center", fontsize=8, color=colour)


def confusion_matrix(
    y: Any, said: Any, classes: Sequence[Any] | None = None, *, history: History | None = None
) -> Figure:
    """Plot the confusion matrix: true classes by row, the model's answers by column.

    Args:
        y: the true classes, n whole numbers from 0 or n labels; with `history`, the targets of its
            loss.
        said: the model's answers, in the form of y; with `history`, the outputs of
            `model.predict`.
        classes: names of the classes. Default: their indices.
        history: the history of the training. It defines how the outputs are interpreted.

    Raises:
        ValueError: y and `said` differ in length, a class is out of range, or the outputs are
            interpreted as numbers or labels.
        TypeError: a class is not a whole number.

    >>> figure = confusion_matrix(["cat", "dog", "dog"], ["cat", "dog", "cat"])
    >>> [label.get_text() for label in figure.axes[0].get_xticklabels()]
    ['cat', 'dog']
    """
    if history is not None:
        instance(history, History, "history is what trainer.fit() returned")
        return _confusion(*_read_by(history, y, said, classes))
    if are_labels(y):
        labels = Labels.of([*y, *said])
        y, said = labels.numbered(y), labels.numbered(said)
        classes = labels.names if classes is None else classes
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
    """Return the true classes and the answers, both as indices, and the names."""
    answers = None if history.answers is None else history.answers.named(classes)
    if answers is None or answers.kind not in ("classes", "sides"):
        what = "not known" if answers is None else f"{answers.kind}: {answers.why}"
        raise ValueError(f"a confusion matrix takes one answer a row; these outputs are {what}")
    said = answers.places(outputs).tolist()
    wanted = targets(numbered(y, answers.labels), len(said))
    return [answers.expected(target)[0] for target in wanted], said, answers.names


def _confusion(wanted: list[int], answers: list[int], names: list[str]) -> Figure:
    count = len(names)
    matrix = np.zeros((count, count), dtype=int)
    for right, answer in zip(wanted, answers):
        matrix[class_index(right, count), class_index(answer, count)] += 1
    figure = Figure(figsize=(0.42 * count + 1.2, 0.42 * count + 1.0), layout="constrained")
    axes = figure.add_subplot()
    blues = LinearSegmentedColormap.from_list("shares", ["white", COLOURS[1]])
    axes.imshow(matrix / np.maximum(matrix.sum(1, keepdims=True), 1), cmap=blues, vmin=0, vmax=1)
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


def attention(weights: Any, tokens: Sequence[Any], *, title: str = "") -> Figure:
    """Plot attention as a map: by row the token that looks, by column the token it looks at.

    Darker is more attention. Of few tokens, each cell has its number.

    Args:
        weights: for each head, a row of shares for each token; or these rows alone, of one head.
            Numbers or Values. Row i may end after column i, if no token looks at later ones.
        tokens: the names of the tokens: a list, or a string of characters.
        title: the title of the plot.

    Raises:
        ValueError: weights are not tables of one row and one column for each token, or a row does
            not consist of shares that sum to 1.

    >>> figure = attention([[1.0, 0.0], [0.5, 0.5]], "ab")
    >>> [label.get_text() for label in figure.axes[0].get_xticklabels()]
    ['a', 'b']
    """
    listed = list(tokens) if isinstance(tokens, str) else several(tokens, "tokens are names")
    names = [str(token) for token in listed]
    heads = _attention_maps(weights, len(names))
    across = min(len(heads), MAPS_ACROSS)
    down = -(-len(heads) // across)
    side = max(1.8, 0.24 * len(names) + 0.6)
    figure = Figure(figsize=(side * across + 0.5, (side + 0.3) * down + 0.3), layout="constrained")
    blues = LinearSegmentedColormap.from_list("shares", ["white", COLOURS[1]])
    for i, head in enumerate(heads):
        axes = figure.add_subplot(down, across, i + 1)
        axes.imshow(head, cmap=blues, vmin=0.0, vmax=1.0)
        axes.set(xticks=range(len(names)), yticks=range(len(names)))
        axes.set_xticklabels(names, verticalalignment="baseline")
        axes.set_yticklabels(names)
        axes.tick_params(length=0, labelsize=9)
        axes.tick_params(axis="x", pad=12)
        if len(heads) > 1:
            axes.set_title(f"head {i}", fontsize=9)
        if len(names) <= NUMBERED:
            for row, column in np.ndindex(head.shape):
                share = head[row, column]
                colour = "white" if share > 0.8 else "#222222"
                shown = f"{share:.2f}"
                axes.text(column, row, shown, ha="center", va="center", fontsize=8, color=colour)
    figure.suptitle(text(title, "title"), fontsize=11)
    figure.supxlabel("looks at", fontsize=9)
    figure.supylabel("token", fontsize=9)
    return figure


def _attention_maps(weights: Any, count: int) -> np.ndarray:
    """Return the weights as numbers, shape (heads, count, count)."""
    expected = f"weights are {count} rows of {count} shares, or such rows for each head"
    try:
        heads = as_lists(weights)
        heads = heads if hasattr(as_lists(as_lists(heads[0])[0]), "__len__") else [heads]
        maps = [[_shares(row, i, count) for i, row in enumerate(head)] for head in heads]
        array = np.array(maps).reshape(len(heads), count, count)
    except (IndexError, KeyError, TypeError, ValueError):
        raise ValueError(f"{expected}; got {weights!r:.60}") from None
    if not ((array >= 0.0).all() and np.allclose(array.sum(axis=2), 1.0, atol=ROUNDED)):
        raise ValueError(f"{expected}, which sum to 1 in each row: apply softmax first")
    return array


def _shares(row: Any, i: int, count: int) -> list[float]:
    """Return row i of a map; one that ends after column i gets zeros for the later tokens."""
    shares = [finite(share.data if isinstance(share, Value) else share, "a share") for share in row]
    return shares + [0.0] * (count - len(shares)) if len(shares) == i + 1 else shares


def descent_path(
    cost: Callable[[float, float], float | Value],
    paths: dict[str, Sequence[tuple[float, float]]],
    *,
    names: tuple[str, str] = ("w", "b"),
) -> Figure:
    """Plot paths of gradient descent over the contour lines of a cost of two parameters.

    Args:
        cost: a function (p, q) that returns the cost.
        paths: for each name the sequence of points (p, q).
        names: the names of the two parameters.

    Raises:
        ValueError: there are no paths, or a path has no points.

    >>> path = [(2.0, 1.0), (1.0, 0.5), (0.5, 0.25)]
    >>> figure = descent_path(lambda w, b: w * w + b * b, {"lr = 0.25": path})
    >>> figure.axes[0].get_xlabel()
    'w'
    """
    function(cost, "cost is a function of two numbers")
    first, second = (text(name, "a name") for name in pair(names, "names are two"))
    places = [_places(path) for path in instance(paths, dict, "paths are places by name").values()]
    if not places:
        raise ValueError("paths is empty: a path needs at least one place")
    figure = Figure(figsize=(5.4, 4.4), layout="constrained")
    axes = figure.add_subplot()
    across, up = _axes_around(np.concatenate(places))
    surface = np.array([[numbers_in(cost(float(p), float(q))) for p in across] for q in up])
    levels = np.quantile(surface, np.linspace(0.0, 1.0, 18))
    levels = np.unique(levels)
    axes.contour(across, up, surface, levels=levels, colors="#BBBBBB", linewidths=0.8)
    for i, (name, line) in enumerate(zip(paths, places)):
        colour = COLOURS[i % len(COLOURS)]
        style = LINES[i % len(LINES)]
        axes.plot(*line.T, style, color=colour, lw=1.2, marker=".", markersize=3, label=name)
        axes.plot(*line[-1], color=colour, marker=MARKERS[i % len(MARKERS)], markersize=7)
    axes.plot(*places[0][0], "k*", markersize=10)
    axes.set(xlabel=first, ylabel=second)
    axes.legend(frameon=False, fontsize=9)
    return figure


def _plane(X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    rows = _places(X)
    return rows, np.array(targets(y, len(rows)))


def _places(X: Any) -> np.ndarray:
    rows = features(X, rows_only=True)
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
