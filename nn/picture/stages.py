"""Take a network on images apart: stages with feature maps, then layers of neurons.

`draw` and the page show the same stages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd import no_grad

from ..activation_modules import ActivationModule
from ..dropout import Dropout
from ..images import Flatten, Shape, Windows
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
        shape: the shape of what comes out: (channels, height, width), or (size,).
        numbers: what comes out for the example, in this shape; None without an example.
        steps: the module, and what follows it in the stage.
    """

    module: Any
    name: str
    activation: str = ""
    shape: tuple[int, ...] = ()
    numbers: np.ndarray | None = None
    steps: list[Callable[..., Any]] = field(default_factory=list)


@dataclass
class ImageNetwork:
    """A network on images, taken apart.

    Attributes:
        shape: the shape (channels, height, width) of the images.
        image: the example; None without one.
        stages: the stages that come before the layers of neurons.
        layers: the layers of neurons.
        activations: what goes into the first layer, then the activations of each.
    """

    shape: Shape
    image: np.ndarray | None
    stages: list[Stage]
    layers: list[Layer]
    activations: list[list[float] | None]

    @property
    def ends_in_maps(self) -> bool:
        """True if feature maps come out of the network."""
        return len(self.stages[-1].shape) == 3


def takes_images(model: Module) -> bool:
    """Return True if a part of the model works on images.

    >>> from nn import Conv2d, Linear, Sequential
    >>> takes_images(Sequential(Conv2d(1, 2, 3))), takes_images(Linear(2, 1))
    (True, False)
    """
    return any(isinstance(module, Windows) for module in model.modules())


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


def take_apart(model: Module, image: np.ndarray | None, shape: Shape | None) -> ImageNetwork:
    """Run a network on an image, and return its stages and its layers.

    Args:
        model: modules in a row.
        image: an example; None for no numbers.
        shape: the shape of the images, if there is no example. Default: see `find_shape`.

    Raises:
        ValueError: the modules are not in a row, or the image does not fit.
    """
    chain = _chain(model)
    numbers = np.zeros(shape or find_shape(chain)) if image is None else image
    stages, rest = _stages(chain)
    if not stages or any(isinstance(module, Windows) for module in rest):
        raise ValueError("a network on images is shown if its layers of neurons come last")
    with evaluating(model), no_grad():
        x: Any = numbers.tolist()
        for stage in stages:
            for step in stage.steps:
                x = step(x)
            found = np.array(numbers_in(x), dtype=float)
            if found.ndim not in (1, 3):
                raise ValueError(
                    f"{stage.name} gives numbers of shape {found.shape}: what is shown are maps, "
                    f"(channels, height, width), and lists"
                )
            stage.shape, stage.numbers = found.shape, None if image is None else found
        layers = list(layers_of(rest).values()) if len(rest) else []
        if layers and stages[-1].shape != (layers[0].nin,):
            raise ValueError(
                f"the first layer takes {layers[0].nin} inputs, and for images of shape "
                f"{numbers.shape} what comes before it has shape {stages[-1].shape}"
                + (": put Flatten() before it" if len(stages[-1].shape) == 3 else "")
            )
        activations: list[list[float] | None] = [None] * (len(layers) + 1)
        if image is not None:
            rest(x)
            outputs = [[n.a.data for n in layer.neurons] for layer in layers]
            activations = [numbers_in(x), *outputs]
    return ImageNetwork(numbers.shape, image, stages, layers, activations)


def image_shape(shape: Sequence[int]) -> Shape:
    """Check the shape of an image and return it.

    Raises:
        TypeError, ValueError: it is not three sizes of at least 1.

    >>> image_shape([1, 8, 8])
    (1, 8, 8)
    """
    expected = "shape is (channels, height, width), as in (1, 8, 8)"
    sizes = [whole(size, "a size in shape") for size in several(shape, expected)]
    if len(sizes) != 3:
        raise ValueError(f"{expected}; got {shape!r}")
    channels, height, width = sizes
    return channels, height, width


def find_shape(chain: Sequence[Any]) -> Shape:
    """Return the shape of the images that fit a chain of modules.

    It is that of the only square that fits the first layer of neurons, or of the only one of the
    usual squares among those that fit.

    Raises:
        ValueError: no square fits, or several do.
    """
    windows = [module for module in chain if isinstance(module, Windows)]
    nin = next((module.nin for module in chain if isinstance(module, (Layer, Neuron))), None)
    channels = next((m.in_channels for m in windows if hasattr(m, "in_channels")), 1)
    fitting = [side for side in range(1, LARGEST) if _size(windows, channels, side) == nin]
    usual = [side for side in fitting if (side, side) in SQUARES.values()]
    if len(fitting) == 1 or len(usual) == 1:
        (side,) = fitting if len(fitting) == 1 else usual
        return channels, side, side
    sides = f"squares of sides {', '.join(map(str, fitting))}" if fitting else "no square"
    if nin is None:
        sides = "images of any size"
    raise ValueError(
        f"the network fits {sides}: give the shape of its images, as in shape=({channels}, 8, 8), "
        f"or an example x"
    )


def _size(windows: Sequence[Windows], channels: int, side: int) -> int:
    """Return how many numbers the last window module makes of a square; 0 if it does not fit."""
    shape: tuple[int, ...] = channels, side, side
    try:
        for module in windows:
            shape = module.output_shape(shape)
    except ValueError:
        return 0
    return shape[0] * shape[1] * shape[2]


def _chain(model: Any) -> list[Any]:
    """Return the modules of nested Sequentials in a row.

    Raises:
        ValueError: a module holds others, and is no Sequential.
    """
    if isinstance(model, Sequential):
        return [module for inner in model.layers for module in _chain(inner)]
    parts = (Layer, Neuron, Windows)
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
        follows = bool(stages) and isinstance(stages[-1].module, Windows)
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
