"""Networks: modules in a row, and the multi-layer perceptron."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from reprlib import recursive_repr
from typing import Any

from autograd import scope

from .init import Initialiser, Seed, generator
from .layers import Layer
from .module import Module
from .settings import several


class Sequential(Module):
    """A chain of modules: the outputs of each module are the inputs of the next.

    The layers inside are numbered from 1, because the inputs are the activations of layer 0.

    Args:
        layers: modules, or plain functions of a list of Values.

    Raises:
        TypeError: a layer cannot be called, is a class, or is a module of another library.

    >>> from nn import Dropout
    >>> network = Sequential(Layer(2, 8, "tanh", seed=0), Dropout(0.5, seed=0), Layer(8, 1, seed=1))
    >>> len(network), len(network.parameters()), network[1]
    (3, 33, Dropout(p=0.5))
    """

    def __init__(self, *layers: Any) -> None:
        for layer in layers:
            if (
                isinstance(layer, type)
                or not callable(layer)
                or (hasattr(layer, "parameters") and not isinstance(layer, Module))
            ):
                raise TypeError(f"Sequential takes modules of nn and functions, got {layer!r}")
        self.layers = list(layers)
        inside = [module for module in self.modules() if isinstance(module, Layer)]
        for number, layer in enumerate(inside, 1):
            layer._label(str(number))

    def forward(self, x: Any) -> Any:
        """Compute the outputs of the last module from the inputs of the first."""
        for i, layer in enumerate(self.layers):
            with scope(_scope_name(layer, i)):
                x = layer(x)
        return x

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, index: int) -> Any:
        return self.layers[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layers)

    @recursive_repr("…")
    def __repr__(self) -> str:
        return f"{type(self).__name__} of [{', '.join(map(repr, self.layers))}]"


def _scope_name(module: Any, position: int) -> str:
    """Return `layer1` for the first layer of a network, `Dropout[1]` for what is not a layer."""
    if isinstance(module, Layer) and module._number:
        return f"layer{module._number}"
    return f"{type(module).__name__}[{position}]"


class MLP(Sequential):
    """A multi-layer perceptron: a chain of fully connected layers.

    Args:
        nin: the number of inputs.
        nouts: the number of neurons of each layer; the last is the number of outputs.
        activation: the activation of all layers but the last.
        output: the activation of the last layer; "identity" gives logits.
        init, seed: as for `Neuron`; one generator draws all layers in order. Give a seed for
            anything but small networks: without `init` and `seed`, weights are drawn from −1 to 1
            as in micrograd, whatever the size of the layers.

    Raises:
        TypeError: `nouts` is not a sequence.
        ValueError: a size is below 1, or there is no such activation or initialiser.

    >>> model = MLP(2, [16, 16, 1], seed=0)
    >>> len(model.parameters())
    337
    >>> next(model.named_parameters())[0]
    'layers.0.neurons.0.w.0'
    """

    layers: list[Layer]

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        activation: str | bool = "relu",
        *,
        output: str = "identity",
        init: str | Initialiser | None = None,
        seed: Seed = None,
    ) -> None:
        nouts = several(nouts, "nouts lists the sizes of the layers, as in [16, 16, 1]")
        if len(nouts) == 0:
            raise ValueError("nouts is empty: a network needs at least one layer")
        rng = None if init is None and seed is None else generator(seed)
        sizes = [nin, *nouts]
        super().__init__(
            *(
                Layer(a, b, activation if i < len(nouts) else output, init=init, seed=rng)
                for i, (a, b) in enumerate(itertools.pairwise(sizes), 1)
            )
        )
