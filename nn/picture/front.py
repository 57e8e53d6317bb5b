"""The feature maps of a network on images, for its page.

The page computes what comes out of each stage with a program, which is traced from the modules
themselves, and gives the last of it to the layers of neurons.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import TraceError, Value, no_grad
from autograd.extend import Programs

from ..images import Convolution, Sliding
from ..modes import evaluating
from ..module import Module
from ..prediction import numbers_in
from .circles import BOUNDS
from .stages import Stage, grid_of, take_apart, window_of


class Front:
    """The stages of a network before its layers of neurons.

    Args:
        model: the network, modules in a row.
        shape: the shape of the images or signals; None for the one that fits.

    Attributes:
        shape: the shape of the images or signals.
        thing: "image" or "signal".
        stages: the stages.
        layers: the layers of neurons that follow.
        parameters: the parameters of the stages.

    Raises:
        ValueError: the network cannot be taken apart, or has no layers of neurons.
    """

    def __init__(self, model: Module, shape: Sequence[int] | None) -> None:
        found = take_apart(model, None, shape)
        if not found.layers:
            raise ValueError(
                "a page shows a network on images if layers of neurons give its answer, as in "
                "Sequential(Conv2d(1, 8, 3), ReLU(), Flatten(), Linear(288, 10))"
            )
        self._model = model
        self.shape, self.thing = found.shape, found.thing
        self.stages, self.layers = found.stages, found.layers
        modules = [step for stage in self.stages for step in stage.steps]
        inside = [p for step in modules if isinstance(step, Module) for p in step.parameters()]
        self.parameters = list(dict.fromkeys(inside))

    def outputs(self, image: Any) -> list[Any]:
        """Return what comes out of each stage."""
        found = []
        for stage in self.stages:
            for step in stage.steps:
                image = step(image)
            found.append(image)
        return found

    def features(self, pixels: np.ndarray) -> np.ndarray:
        """Return what comes out of the last stage, for the pixels of one image in a row."""
        with evaluating(self._model), no_grad():
            return np.array(numbers_in(self.outputs(pixels.reshape(self.shape).tolist())[-1]))

    def contents(self, programs: Programs) -> dict[str, Any]:
        """Return the data of the page: the program of all stages, and how to show each.

        Raises:
            ValueError: a stage cannot be traced, or uses what JavaScript does not have.
        """

        def numbers(x: Any) -> list[Value]:
            return [value for found in self.outputs(x) for value in np.ravel(np.array(found))]

        row = np.linspace(0.1, 0.9, np.prod(self.shape, dtype=int)).reshape(1, *self.shape)
        try:
            with evaluating(self._model):
                program = programs.add(numbers, [row], self.parameters)
        except (TraceError, ValueError) as error:
            raise ValueError(f"the page cannot compute these feature maps: {error}") from error
        stages = [_contents_of(stage) for stage in self.stages]
        image = Stage(None, self.thing, shape=self.shape)
        return {"program": program, "image": _contents_of(image), "stages": stages}

    @property
    def sides(self) -> tuple[int, int]:
        """The rows and columns of an image; a signal has one row."""
        return grid_of(self.shape)[1:]


def _contents_of(stage: Stage) -> dict[str, Any]:
    window: dict[str, Any] | None = None
    if isinstance(stage.module, Sliding):
        window = {**window_of(stage.module), "readsAll": isinstance(stage.module, Convolution)}
    return {
        "name": stage.name,
        "activation": stage.activation,
        "shape": stage.grid if stage.has_maps else stage.shape,
        "gives": str(stage.shape),
        "bounds": BOUNDS.get(stage.activation),
        "window": window,
    }
