"""`draw`: a diagram of a network: columns of circles, and stacks of feature maps before them.

`circles` draws layers of neurons, `maps` what comes out of the modules on images, and `looks` the
attention of each head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data import features
from ..layers import Layer
from ..modes import evaluating
from ..module import Module
from ..networks import layers_of
from ..settings import choice, instance, several, whole, with_options
from .circles import CIRCLE, RADIUS, Columns, add_caption, add_text
from .looks import add_attention, has_attention
from .maps import BETWEEN, LINE, Stack, add_funnel, add_stacks, lay_out
from .stages import (
    ImageNetwork,
    Stage,
    begins_with_flatten,
    take_apart,
    takes_images,
)

if TYPE_CHECKING:
    from autograd import Drawing


@with_options
def draw(
    model: Module,
    x: Any = None,
    *,
    by: str = "weight",
    max_neurons: int = 16,
    classes: Sequence[Any] | None = None,
    bias: str | None = None,
    shape: Sequence[int] | None = None,
    format: str = "svg",
) -> Drawing:
    """Draw a network: a column of circles for the inputs and for each layer.

    Of a network on images or signals, what comes out of each module is drawn as a stack of feature
    maps, with its shape. A window and the pixel that it makes are marked. With x, the maps show x's
    numbers.

    Of a model with attention, the shares of each head on the example x are drawn as a map.

    With x, the brightness of a circle shows its activation. The scale is the range of the
    activation function or, if that is infinite, the range of the column. Without x, a circle shows
    the index of its neuron. The thickness of a line shows the size of the weight relative to the
    largest in its layer. Positive lines are blue, negative lines orange and dashed.

    Args:
        model: a network of layers, or a neuron; or a Sequential with modules on images; or a model
            with `MultiheadAttention`.
        x: nin numbers for which to show the activations; or an image, (channels, height, width),
            a signal, (channels, length), or what the model with attention takes.
        by: "weight", or "gradient" for lines as thick as |∂C/∂w| after a backward pass.
        max_neurons: the number of circles in a column at most. A larger column shows its first
            and last neurons and the number of those left out; a stack, its first maps.
        classes: names of the outputs. Default: with x their indices, without x none. With
            attention: names of the positions.
        bias: "inside" to write each bias b into the circle of its neuron (without x); "input" to
            draw the biases as the weights of a further input that is always 1. Default: biases
            are not drawn.
        shape: the shape of the images or signals, without x. Default: that of the length or
            square that fits the first layer; of several, the usual one, 8 × 8 or 28 × 28.
        format: the default format of `.render()` and `.pipe()`.

    Raises:
        ValueError: the model has no layers or is not a chain of layers, x does not fit, `by` or
            `bias` is unknown, the circles are to show both biases and x, there is no gradient
            yet, `max_neurons` is below 2, the number of classes is wrong, or the shape of the
            images is not known.

    >>> from nn import MLP
    >>> picture = draw(MLP(784, [16, 10], seed=0))
    >>> "⋮ 768 more" in picture.source
    True
    """
    from autograd import Drawing  # here, because graphviz takes long to import

    instance(model, Module, "model is a module of nn, as MLP(...) makes")
    choice(by, "by", ("weight", "gradient"))
    choice(format, "format", Drawing.formats)
    max_neurons = whole(max_neurons, "max_neurons", 2)
    if bias is not None:
        choice(bias, "bias", ("inside", "input"))
    if bias == "inside" and x is not None:
        raise ValueError(
            'a circle shows its bias or, with x, its activation: use bias="input", or leave out x'
        )
    picture = Drawing(
        engine="neato",
        format=format,
        graph_attr={"splines": "line", "outputorder": "edgesfirst", "pad": "0.15"},
        node_attr=CIRCLE,
        edge_attr={"dir": "none"},
    )
    settings = {"by": by, "most": max_neurons, "bias": bias}
    if shape is not None and (has_attention(model) or not takes_images(model)):
        raise ValueError(f"shape is that of images, and {type(model).__name__} takes none")
    if has_attention(model):
        if (by, bias) != ("weight", None):
            raise ValueError("a drawing of attention shows no weights: leave out by and bias")
        add_attention(picture, model, x, classes, max_neurons)
    elif takes_images(model):
        _draw_images(picture, model, x, shape, classes, settings)
    else:
        _draw_layers(picture, model, x, classes, settings)
    return picture


def _draw_layers(
    picture: Drawing,
    model: Module,
    x: Any,
    classes: Sequence[Any] | None,
    settings: dict[str, Any],
) -> None:
    """Draw a network of layers: columns of circles."""
    layers = list(layers_of(model).values())
    _check_row(model, layers, layers[0].nin)
    _check_gradient(layers, settings["by"])
    names = _names(classes, layers[-1].nout, numbered=x is not None)
    shown = _activations(model, layers, x)
    columns = Columns(layers, shown, names, layers[0].nin, **settings)
    foot = -columns.height / 2 - 0.15
    columns.add(picture, foot)
    add_caption(picture, columns, foot - 0.3)


def _draw_images(
    picture: Drawing,
    model: Module,
    x: Any,
    shape: Sequence[int] | None,
    classes: Sequence[Any] | None,
    settings: dict[str, Any],
) -> None:
    """Draw a network on images: stacks of maps, then the circles of the layers after them."""
    found = take_apart(model, x, shape)
    images = Stage(None, found.thing, shape=found.shape, numbers=found.image)
    stacks = lay_out([images, *found.stages], settings["most"])
    foot = -max(stack.height for stack in stacks) / 2 - 0.4
    lines = LINE * (max(len(stack.lines) for stack in stacks) + 0.5)  # below the titles
    if found.ends_in_maps:
        if classes is not None:
            raise ValueError("classes names outputs, and this network ends in feature maps")
    else:
        columns = _columns(found, stacks[-1], classes, settings)
        _check_row(model, found.layers, columns.size)
        _check_gradient(found.layers, columns.by)
        foot = min(foot, -columns.height / 2 - 0.15)
        columns.add(picture, foot)
        add_funnel(picture, stacks[-1], columns.left - RADIUS, columns.height)
        add_caption(picture, columns, foot - lines)
    add_stacks(picture, stacks, foot)
    brighter = "" if x is None else "; brighter is larger"
    caption = f"green: a window, and the pixel that it makes{brighter}"
    add_text(picture, "key", caption, stacks[-1].right / 2, foot - lines)


def _columns(
    found: ImageNetwork,
    before: Stack,
    classes: Sequence[Any] | None,
    settings: dict[str, Any],
) -> Columns:
    """Return the columns of circles for what comes after the last maps."""
    flat, layers = found.stages[-1], found.layers
    (size,) = flat.shape
    names = _names(classes, layers[-1].nout, found.image is not None) if layers else ()
    columns = Columns(layers, found.activations, names, size, **settings)
    left = before.right + BETWEEN + RADIUS
    return replace(columns, left=left, title=f"{flat.name}: {size}")


def _check_row(model: Module, layers: list[Layer], size: int) -> None:
    """Raise unless each layer takes what the one before it gives; the first takes `size` inputs."""
    for layer in layers:
        if layer.nin != size:
            raise ValueError(
                f"the layers are not in a row: one takes {layer.nin} inputs, and what stands "
                f"before it has {size}; draw a part of {type(model).__name__}"
            )
        size = layer.nout


def _check_gradient(layers: list[Layer], by: str) -> None:
    if by == "gradient" and not any(p.grad for layer in layers for p in layer.parameters()):
        raise ValueError("there is no gradient to draw yet: call backward() on a cost first")


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
    if np.ndim(x) == 3 and begins_with_flatten(model):
        x = np.ravel(x)
    if np.ndim(x) != 1:
        raise ValueError(f"x is one example, {layers[0].nin} numbers; got {x!r:.60}")
    (row,) = features([x]).tolist()
    with evaluating(model):
        model(row)
    return [row, *([n.a.data for n in layer.neurons if n.a is not None] for layer in layers)]
