"""`draw`: a diagram of a network, with columns of circles and a line for each weight.

The layout is fixed here; Graphviz (neato) only renders it.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd import Drawing, Value

from ..data import features
from ..layers import Layer
from ..modes import evaluating
from ..module import Module
from ..networks import layers_of
from ..settings import choice, several, whole

# Okabe and Ito's colours. Negative lines are also dashed, for printing in black and white.
POSITIVE, NEGATIVE, INK, QUIET = "#0072B2", "#D55E00", "#222222", "#707070"
COLUMN_GAP, ROW_GAP, RADIUS = 2.2, 0.5, 0.19  # inches
THICKEST = 3.5  # points
BOUNDS = {"sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "step": (0.0, 1.0), "tanh": (-1.0, 1.0)}


def draw(
    model: Module,
    x: Any = None,
    *,
    by: str = "weight",
    max_neurons: int = 16,
    classes: Sequence[Any] | None = None,
    bias: str | None = None,
    format: str = "svg",
) -> Drawing:
    """Draw a network: a column of circles for the inputs and for each layer.

    With x, the brightness of a circle shows its activation. The scale is the range of the
    activation function or, if that is infinite, the range of the column. Without x, a circle shows
    the index of its neuron. The thickness of a line shows the size of the weight relative to the
    largest in its layer. Positive lines are blue, negative lines orange and dashed.

    Args:
        model: a network of layers, or a neuron.
        x: nin numbers for which to show the activations.
        by: "weight", or "gradient" for lines as thick as |∂C/∂w| after a backward pass.
        max_neurons: the number of circles in a column at most. A larger column shows its first
            and last neurons and the number of those left out.
        classes: names of the outputs. Default: with x their indices, without x none.
        bias: "inside" to write each bias b into the circle of its neuron (without x); "input" to
            draw the biases as the weights of a further input that is always 1. Default: biases
            are not drawn.
        format: the default format of `.render()` and `.pipe()`.

    Raises:
        ValueError: the model has no layers or is not a chain of layers, x does not fit, `by` or
            `bias` is unknown, the circles are to show both biases and x, there is no gradient
            yet, `max_neurons` is below 2, or the number of classes is wrong.

    >>> from nn import MLP
    >>> picture = draw(MLP(784, [16, 10], seed=0))
    >>> "⋮ 768 more" in picture.source
    True
    """
    choice(by, "by", ("weight", "gradient"))
    choice(format, "format", Drawing.formats)
    max_neurons = whole(max_neurons, "max_neurons", 2)
    if bias is not None:
        choice(bias, "bias", ("inside", "input"))
    if bias == "inside" and x is not None:
        raise ValueError(
            'a circle shows its bias or, with x, its activation: use bias="input", or leave out x'
        )
    layers = list(layers_of(model).values())
    if by == "gradient" and not any(p.grad for layer in layers for p in layer.parameters()):
        raise ValueError("there is no gradient to draw yet: call backward() on a cost first")
    names = _names(classes, layers[-1].nout, numbered=x is not None)
    sizes = [layers[0].nin, *(layer.nout for layer in layers)]
    for layer, size in zip(layers, sizes):
        if layer.nin != size:
            raise ValueError(
                f"the layers are not in a row: one takes {layer.nin} inputs, and what stands "
                f"before it has {size}; draw a part of {type(model).__name__}"
            )
    columns = _activations(model, layers, x)
    picture = Drawing(
        engine="neato",
        format=format,
        graph_attr={"splines": "line", "outputorder": "edgesfirst", "pad": "0.15"},
        node_attr={
            "shape": "circle",
            "fixedsize": "true",
            "width": f"{2 * RADIUS}",
            "fontname": "Helvetica",
            "fontsize": "8",
            "style": "filled",
            "fillcolor": "white",
            "color": INK,
            "label": "",
        },
        edge_attr={"dir": "none"},
    )
    for k, size in enumerate(sizes):
        bounds = BOUNDS.get(layers[k - 1].activation.name) if k else None
        _add_column(picture, k, size, max_neurons, columns[k], bounds)
        if bias == "inside" and k:
            for j, _ in _places(size, max_neurons):
                picture.node(
                    f"n{k}_{j}", f"{layers[k - 1].neurons[j].b.data:+.2g}".replace("-", "−")
                )
    _add_titles(picture, layers, by, max(min(size, max_neurons + 1) for size in sizes))
    if names:
        for j, up in _places(sizes[-1], max_neurons):
            name = str(names[j])
            beside = len(layers) * COLUMN_GAP + RADIUS + 0.12 + 0.04 * len(name)
            _add_text(picture, f"class{j}", name, beside, up)
    for k, layer in enumerate(layers):
        _add_lines(picture, k, layer, by, max_neurons, bias == "input")
    return picture


def _names(classes: Sequence[Any] | None, count: int, numbered: bool) -> Sequence[Any]:
    if classes is None:
        return range(count) if numbered and count > 1 else ()
    classes = several(classes, "classes are names of the outputs")
    if len(classes) != count:
        raise ValueError(f"there are {count} outputs and {len(classes)} names for them")
    return classes


def _activations(model: Module, layers: list[Layer], x: Any) -> list[list[float] | None]:
    """Return the inputs and the activations of each layer; without x, None for each."""
    if x is None:
        return [None] * (len(layers) + 1)
    if np.ndim(x) != 1:
        raise ValueError(f"x is one example, {layers[0].nin} numbers; got {x!r:.60}")
    (row,) = features([x]).tolist()
    with evaluating(model):
        model(row)
    return [row, *([n.a.data for n in layer.neurons if n.a is not None] for layer in layers)]


def _places(size: int, most: int) -> Iterator[tuple[int, float]]:
    """Yield the index and the height of each neuron shown in a column, centred at height 0."""
    shown = list(range(size))
    if size > most:
        shown = [*range((most + 1) // 2), *range(size - most // 2, size)]
    slots = len(shown) + (size > most)
    for i, j in enumerate(shown):
        slot = i if j == i else i + 1
        yield j, round(((slots - 1) / 2 - slot) * ROW_GAP, 3)


def _add_column(
    picture: Drawing,
    k: int,
    size: int,
    most: int,
    activations: list[float] | None,
    bounds: tuple[float, float] | None,
) -> None:
    across = k * COLUMN_GAP
    places = dict(_places(size, most))
    if activations is not None and bounds is None:
        finite = [a for a in activations if math.isfinite(a)]
        bounds = min([0.0, *finite]), max([1e-12, *finite])
    for j, up in places.items():
        style = {"label": str(j), "fontcolor": QUIET, "tooltip": f"{j}"}
        if activations is not None and bounds is not None:
            style |= _lit(activations[j], *bounds)
        picture.node(f"n{k}_{j}", pos=f"{across},{up}!", **style)
    if size > most:
        middle = places[(most + 1) // 2 - 1] - ROW_GAP
        _add_text(picture, f"more{k}", f"⋮ {size - most} more", across, middle)


def _add_text(picture: Drawing, name: str, text: str, across: float, up: float) -> None:
    picture.node(
        name,
        html.escape(text).replace("\\", "\\\\"),  # labels allow HTML entities and escapes
        pos=f"{across},{up}!",
        shape="plaintext",
        style="",
        fixedsize="false",
        fontcolor=QUIET,
        fontsize="10",
    )


def _lit(activation: float, low: float, high: float) -> dict[str, str]:
    """Return the style of a circle that shows its activation, as brightness and as a number."""
    if not math.isfinite(activation):
        return {"fillcolor": QUIET, "fontcolor": "white", "label": f"{activation:g}"}
    share = min(max((activation - low) / (high - low), 0.0), 1.0)
    level = round(30 + 225 * share)
    return {
        "fillcolor": f"#{level:02x}{level:02x}{level:02x}",
        "fontcolor": INK if share > 0.5 else "white",
        "label": _short(activation),
    }


def _short(x: float) -> str:
    """Format a number so that it fits into a circle."""
    if abs(x) < 0.005:
        return "0"
    return (
        f"{x:.2f}"
        if abs(x) < 1.0
        else f"{x:.3g}"
        if abs(x) < 1000.0
        else f"{x:.0e}".replace("e+0", "e")
    )


def _add_titles(picture: Drawing, layers: list[Layer], by: str, rows: int) -> None:
    up = -(rows / 2) * ROW_GAP - 0.15
    titles = ["inputs", *(layer.activation.name for layer in layers)]
    for k, title in enumerate(titles):
        _add_text(picture, f"title{k}", title, k * COLUMN_GAP, up)
    shown = "|w|" if by == "weight" else "|∂C/∂w|"
    caption = f"lines as thick as {shown}; blue +, dashed −"
    _add_text(picture, "caption", caption, len(layers) * COLUMN_GAP / 2, up - 0.3)


def _add_lines(
    picture: Drawing, k: int, layer: Layer, by: str, most: int, with_biases: bool
) -> None:
    """Add a line for each weight and, with biases, for each bias from a further input, 1."""
    inputs = dict(_places(layer.nin, most))
    strengths = {
        (f"n{k}_{i}", j): _strength(layer.neurons[j].w[i], by)
        for j, _ in _places(layer.nout, most)
        for i in inputs
    }
    if with_biases:
        one = f"one{k}"
        up = max(inputs.values()) + 1.2 * ROW_GAP
        where = f"{k * COLUMN_GAP},{up}!"
        picture.node(one, "= 1", pos=where, style="dashed", fontcolor=QUIET, tooltip="always 1")
        strengths |= {
            (one, j): _strength(layer.neurons[j].b, by) for j, _ in _places(layer.nout, most)
        }
    largest = max(map(abs, strengths.values())) or 1.0
    for (source, j), strength in strengths.items():
        share = abs(strength) / largest
        colour = POSITIVE if strength > 0 else NEGATIVE if strength < 0 else QUIET
        picture.edge(
            source,
            f"n{k + 1}_{j}",
            penwidth=f"{0.15 + THICKEST * share**1.5:.2f}",
            color=f"{colour}{round(40 + 190 * share):02x}",
            style="dashed" if strength < 0 else "solid",
        )


def _strength(w: Value, by: str) -> float:
    strength = w.data if by == "weight" else w.grad or 0.0
    return strength if math.isfinite(strength) else 0.0
