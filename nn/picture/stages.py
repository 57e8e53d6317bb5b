"""Take a network on images or signals apart: stages with feature maps, then layers of neurons.

`draw` and the page show the same stages. The map of a signal has one row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd import no_grad

from ..activation_modules import ActivationModule
from ..data import features
from ..dropout import Dropout
from ..images import Flatten, Sliding
from ..layers import Layer, Neuron
from ..modes import evaluating
from ..module import Module
from ..networks import Sequential, layers_of
from ..prediction import numbers_in
from ..settings import several, whole

SQUARES = {64: (8, 8), 784: (28, 28)}  # numbers of inputs shown as images: (rows, columns)
LARGEST = 512  # the largest side of an image that `find_shape` tries


@dataclass
class Stage:
    """A step of a network on images: a module, and the activation that follows it.

    Attributes:
        module: the module; None for the image itself.
        name: the text of the module, as in Conv2d(1, 8, 3).
        activation: the name of the activation; "" if none follows.
        shape: the shape of what comes out: (channels, height, width) of images, (channels, length)
            of signals, or (size,).
        numbers: what comes out for the example, in this shape; None without an example.
        steps: the module, and what follows it in the stage.
    """

    module: Any
    name: str
    activation: str = ""
    shape: tuple[int, ...] = ()
    numbers: np.ndarray | None = None
    steps: list[Callable[..., Any]] = field(default_factory=list)

    @property
    def has_maps(self) -> bool:
        """True if feature maps come out."""
        return len(self.shape) > 1

    @property
    def grid(self) -> tuple[int, int, int]:
        """The number of maps, and of the rows and the columns of each."""
        return grid_of(self.shape)


@dataclass
class ImageNetwork:
    """A network on images, taken apart.

    Attributes:
        shape: the shape of the images, or of the signals.
        thing: "image" or "signal".
        image: the example; None without one.
        stages: the stages that come before the layers of neurons.
        layers: the layers of neurons.
        activations: what goes into the first layer, then the activations of each.
    """

    shape: tuple[int, ...]
    thing: str
    image: np.ndarray | None
    stages: list[Stage]
    layers: list[Layer]
    activations: list[list[float] | None]

    @property
    def ends_in_maps(self) -> bool:
        """True if feature maps come out of the network."""
        return self.stages[-1].has_maps


def takes_images(model: Module) -> bool:
    """Return True if a part of the model works on images or signals.

    >>> from nn import Conv2d, Linear, Sequential
    >>> takes_images(Sequential(Conv2d(1, 2, 3))), takes_images(Linear(2, 1))
    (True, False)
    """
    return any(isinstance(module, Sliding) for module in model.modules())


def begins_with_flatten(model: Module) -> bool:
    """Return True if the first module of the model makes a list of an image.

    Such a model computes the same from an image and from the list of its pixels.

    >>> from nn import Linear, Sequential
    >>> begins_with_flatten(Sequential(Flatten(), Linear(4, 1))), begins_with_flatten(Linear(4, 1))
    (True, False)
    """
    first: Any = model
    while isinstance(first, Sequential) and first.layers:
        first = first.layers[0]
    return isinstance(first, Flatten)


def grid_of(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return the shape of maps: that of images, or of signals as images of one row.

    >>> grid_of((3, 4, 5)), grid_of((3, 5))
    ((3, 4, 5), (3, 1, 5))
    """
    channels, *sides = shape
    height, width = (1, *sides)[-2:]
    return channels, height, width


def window_of(module: Sliding) -> dict[str, tuple[int, int]]:
    """Return the size of a window, its steps and the padding, each along rows and columns.

    >>> from nn import Conv1d
    >>> window_of(Conv1d(1, 1, 3, stride=2))
    {'size': (1, 3), 'stride': (1, 2), 'padding': (0, 0)}
    """
    height, width = (1, *module.kernel_size)[-2:]
    down, across = (1, *module.stride)[-2:]
    above, beside = (0, *module.padding)[-2:]
    return {"size": (height, width), "stride": (down, across), "padding": (above, beside)}


def take_apart(model: Module, x: Any, shape: Sequence[int] | None) -> ImageNetwork:
    """Run a network on an image or a signal, and return its stages and its layers.

    Args:
        model: modules in a row.
        x: an example; None for no numbers.
        shape: the shape of the examples, if there is none. Default: see `find_shape`.

    Raises:
        TypeError, ValueError: the modules are not in a row, or the example does not fit.
    """
    chain = _chain(model)
    sliding = next(module for module in chain if isinstance(module, Sliding))
    names = ("channels", *sliding.axes)
    if shape is not None:
        shape = _checked_shape(shape, names)
    if x is not None and np.ndim(x) != len(names):
        raise ValueError(f"x is one {sliding.thing}, shape ({', '.join(names)}); got {x!r:.60}")
    image = None if x is None else features([x])[0]
    numbers = np.zeros(shape or find_shape(chain)) if image is None else image
    stages, rest = _stages(chain)
    if not stages or any(isinstance(module, Sliding) for module in rest):
        raise ValueError("a network on images is shown if its layers of neurons come last")
    with evaluating(model), no_grad():
        inside: Any = numbers.tolist()
        for stage in stages:
            for step in stage.steps:
                inside = step(inside)
            found = np.array(numbers_in(inside), dtype=float)
            if found.ndim not in (1, len(names)):
                raise ValueError(
                    f"{stage.name} gives numbers of shape {found.shape}: what is shown are maps, "
                    f"({', '.join(names)}), and lists"
                )
            stage.shape, stage.numbers = found.shape, None if image is None else found
        layers = list(layers_of(rest).values()) if len(rest) else []
        if layers and stages[-1].shape != (layers[0].nin,):
            raise ValueError(
                f"the first layer takes {layers[0].nin} inputs, and for {sliding.thing}s of shape "
                f"{numbers.shape} what comes before it has shape {stages[-1].shape}"
                + (": put Flatten() before it" if stages[-1].has_maps else "")
            )
        activations: list[list[float] | None] = [None] * (len(layers) + 1)
        if image is not None:
            rest(inside)
            outputs = [[n.a.data for n in layer.neurons] for layer in layers]
            activations = [numbers_in(inside), *outputs]
    return ImageNetwork(numbers.shape, sliding.thing, image, stages, layers, activations)


def _checked_shape(shape: Sequence[int], names: tuple[str, ...]) -> tuple[int, ...]:
    expected = f"shape is ({', '.join(names)}), as in {(1, 8, 8)[: len(names)]}"
    sizes = [whole(size, "a size in shape") for size in several(shape, expected)]
    if len(sizes) != len(names):
        raise ValueError(f"{expected}; got {shape!r}")
    return tuple(sizes)


def find_shape(chain: Sequence[Any]) -> tuple[int, ...]:
    """Return the shape of the images or signals that fit a chain of modules.

    It is that of the only square, or length, that fits the first layer of neurons, or of the only
    one of the usual squares among those that fit.

    Raises:
        ValueError: none fits, or several do.
    """
    sliding = [module for module in chain if isinstance(module, Sliding)]
    axes, thing = len(sliding[0].axes), sliding[0].thing
    nin = next((module.nin for module in chain if isinstance(module, (Layer, Neuron))), None)
    channels = next((m.in_channels for m in sliding if hasattr(m, "in_channels")), 1)
    shapes = [(channels, *[side] * axes) for side in range(1, LARGEST)]
    fitting = [shape for shape in shapes if _size(sliding, shape) == nin]
    usual = [shape for shape in fitting if shape[1:] in SQUARES.values()]
    for found in (fitting, usual):
        if len(found) == 1:
            return found[0]
    sides = ", ".join(str(side) for _, side, *_ in fitting)
    several_fit, none = ("squares of sides", "no square") if axes == 2 else ("lengths", "no length")
    what = f"{several_fit} {sides}" if fitting else none
    if nin is None:
        what = f"{thing}s of any size"
    example = (channels, *[8] * axes)
    raise ValueError(
        f"the network fits {what}: give the shape of its {thing}s, as in shape={example}, or an "
        f"example x"
    )


def _size(sliding: Sequence[Sliding], shape: tuple[int, ...]) -> int:
    """Return how many numbers the last of these modules gives; 0 if the shape does not fit."""
    try:
        for module in sliding:
            shape = module.output_shape(shape)
    except ValueError:
        return 0
    return math.prod(shape)


def _chain(model: Any) -> list[Any]:
    """Return the modules of nested Sequentials in a row.

    Raises:
        ValueError: a module holds others, and is no Sequential.
    """
    if isinstance(model, Sequential):
        return [module for inner in model.layers for module in _chain(inner)]
    parts = (Layer, Neuron, Sliding)
    if isinstance(model, Module) and not isinstance(model, parts):
        inside = [module for module in model.modules() if isinstance(module, parts)]
        if inside:
            raise ValueError(
                f"a network on images is shown if it is a Sequential of its modules, as in "
                f"Sequential(Conv2d(1, 8, 3), ReLU(), ...); {type(model).__name__} is none"
            )
    return [model]


def _stages(chain: list[Any]) -> tuple[list[Stage], Sequential]:
    """Return the stages before the first layer of neurons, and the rest as a network."""
    first = next(
        (i for i, module in enumerate(chain) if isinstance(module, (Layer, Neuron))), len(chain)
    )
    stages: list[Stage] = []
    for module in chain[:first]:
        follows = bool(stages) and isinstance(stages[-1].module, Sliding)
        if isinstance(module, ActivationModule) and follows and not stages[-1].activation:
            stages[-1].activation = module.activation.name
            stages[-1].steps.append(module)
        elif isinstance(module, Dropout) and stages:
            stages[-1].steps.append(module)
        else:
            named = isinstance(module, Module)
            name = repr(module) if named else getattr(module, "__name__", "a function")
            stages.append(Stage(module, name, steps=[module]))
    rest = object.__new__(Sequential)  # __init__ would number the layers anew
    rest.layers = chain[first:]
    return stages, rest
