"""Networks: modules in a row, the multi-layer perceptron, and the layers of any model."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable, Iterator, Sequence
from reprlib import recursive_repr
from typing import Any

import numpy as np

from autograd import Value, scope

from .activation_modules import ActivationModule
from .images import Convolution, Sliding
from .init import Initialiser, Seed, generator
from .layers import Layer, Neuron
from .module import Module
from .nested import SizeError
from .settings import instance, several
from .targets import as_lists


class Sequential(Module):
    """A chain of modules: the outputs of each module are the inputs of the next.

    The layers inside, dense and convolutional, are numbered from 1, because the inputs are the
    activations of layer 0. An activation module right after a layer without activation, such as
    `Linear`, counts as the activation of this layer: its outputs are the `a` of its neurons.

    Args:
        layers: modules, or plain functions of a list of Values.

    Raises:
        TypeError: a layer cannot be called, is a class, or is a module of another library.

    >>> from nn import Dropout
    >>> network = Sequential(Layer(2, 8, "tanh", seed=0), Dropout(0.5, seed=0), Layer(8, 1, seed=1))
    >>> len(network), len(network.parameters()), network[1]
    (3, 33, Dropout(p=0.5))
    >>> from nn import Linear, ReLU
    >>> list(Sequential(Linear(2, 16), ReLU(), Linear(16, 1)).state_dict())
    ['0.weight', '0.bias', '2.weight', '2.bias']
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
        inside = [m for m in self.modules() if isinstance(m, (Layer, Convolution))]
        for number, layer in enumerate(inside, 1):
            layer._label(str(number))

    def forward(self, x: Any) -> Any:
        """Compute the outputs of the last module from the inputs of the first."""
        passed = [x]
        for i, layer in enumerate(self.layers):
            with scope(_scope_name(layer, i)):
                try:
                    x = layer(x)
                except SizeError as error:
                    raise SizeError(f"{error}{self._way(passed)}") from None
            passed.append(x)
            if i and is_activation_of(layer, before := self.layers[i - 1]):
                for neuron, a in zip(before.neurons, [x] if isinstance(x, Value) else x):
                    neuron.keep_activation(a)
        return x

    def _way(self, passed: list[Any]) -> str:
        """Return what the modules before a failing one did to the shape, for its error."""
        shapes = [np.shape(np.array(as_lists(x), dtype=object)) for x in passed]
        changes = [
            f"{_short(layer)} {f'on {before} ' if i == 0 else ''}gives {after}"
            for i, (layer, (before, after)) in enumerate(
                zip(self.layers, itertools.pairwise(shapes))
            )
            if before != after
        ]
        return f". Before it, {', '.join(changes)}" if changes else ""

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the parameters as arrays of Values, named `0.weight` as in PyTorch."""
        found = super().tensors()
        return {name.removeprefix("layers."): tensor for name, tensor in found.items()}

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, index: int) -> Any:
        return self.layers[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layers)

    @recursive_repr("…")
    def __repr__(self) -> str:
        return f"{type(self).__name__} of [{', '.join(map(repr, self.layers))}]"


def _short(module: Any) -> str:
    """Return the name of a module with its sizes; a `Layer` shows no neurons."""
    if isinstance(module, Layer) and type(module) is Layer:
        return f"Layer({module.nin}, {module.nout})"
    return repr(module) if isinstance(module, Module) else getattr(module, "__name__", "a function")


def _scope_name(module: Any, position: int) -> str:
    """Return `layer1` for the first layer of a network, `Dropout[1]` for what is not a layer."""
    if isinstance(module, Layer) and module._number:
        return f"layer{module._number}"
    return f"{type(module).__name__}[{position}]"


def is_activation_of(module: Any, before: Any) -> bool:
    """Return True if a module counts as the activation of the one before it.

    >>> from nn import Linear, ReLU
    >>> is_activation_of(ReLU(), Linear(2, 3)), is_activation_of(ReLU(), Layer(2, 3, "tanh"))
    (True, False)
    """
    is_activation = isinstance(module, ActivationModule)
    return is_activation and isinstance(before, Layer) and before.activation.name == "identity"


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

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the parameters as arrays of Values, named `layers.0.weight`."""
        return Module.tensors(self)


def layers_of(model: Module) -> dict[str, Layer]:
    """Return the layers of a model by name; a neuron outside any layer counts as a layer of one.

    A layer without activation that an activation module follows counts as a layer with it.

    Raises:
        ValueError: the model has no layers and no neurons, or has modules on images, or an
            activation module does not follow a layer without activation.

    >>> list(layers_of(MLP(2, [3, 1]))), layers_of(Neuron(2))
    (['layers.0', 'layers.1'], {'neuron': Layer of [ReLUNeuron(2)]})
    """
    instance(model, Module, "model is a module of nn, as MLP(...) makes")
    found: dict[str, Layer] = {}
    inside: set[int] = set()
    _refuse_images(model)
    activations = _activations_of_layers(model)
    for name, module in model.named_modules():
        if isinstance(module, Layer):
            found[name or "layer"] = _activated(module, activations.get(id(module)))
            inside.update(map(id, module.neurons))
        elif isinstance(module, Neuron) and id(module) not in inside:
            found[name or "neuron"] = _layer_of_one(module)
    if not found:
        raise ValueError(f"there is no Layer and no Neuron in {model!r} to look at")
    return found


def parameters_in(layers: Iterable[Layer]) -> list[Value]:
    """Return the parameters of layers as pages read them: each neuron's weights, then its bias.

    A neuron without a bias has the Value 0 in its place.

    >>> [p.label for p in parameters_in(layers_of(MLP(2, [1])).values())]
    ['W1[0,0]', 'W1[0,1]', 'b1[0]']
    """
    return [p for layer in layers for n in layer.neurons for p in (*n.w, n.b)]


def _refuse_images(model: Module) -> None:
    for module in model.modules():
        if isinstance(module, Sliding):
            raise ValueError(
                f"{module!r} is no layer of neurons: look at the part of the network after "
                "Flatten, as in Sequential(*model[4:])"
            )


def _activations_of_layers(model: Module) -> dict[int, ActivationModule]:
    """Return the activation module that follows each layer, by the id of the layer.

    Raises:
        ValueError: an activation module is somewhere else.
    """
    found: dict[int, ActivationModule] = {}
    others: list[ActivationModule] = []
    for chain in [module for module in model.modules() if isinstance(module, Sequential)]:
        for before, module in itertools.pairwise([None, *chain.layers]):
            if is_activation_of(module, before):
                found[id(before)] = module
            elif isinstance(module, ActivationModule):
                others.append(module)
    inside = {id(module) for module in found.values()}
    modules = [module for module in model.modules() if isinstance(module, ActivationModule)]
    others += [module for module in modules if id(module) not in inside]
    if others:
        raise ValueError(
            f"{others[0]!r} belongs to no layer: to look at the layers, put it right after a "
            f"Linear, as in Sequential(Linear(2, 3), {others[0]!r})"
        )
    return found


def _activated(layer: Layer, module: ActivationModule | None) -> Layer:
    if module is None:
        return layer
    view = copy.copy(layer)  # it has the same neurons
    view.activation = module.activation
    return view


def _layer_of_one(neuron: Neuron) -> Layer:
    layer = object.__new__(Layer)  # __init__ would make another neuron
    layer.nin, layer.nout, layer.activation = neuron.nin, 1, neuron.activation
    layer.neurons = [neuron]
    return layer
