"""`Neuron`, `Layer` and `Linear`, of which networks are made.

A neuron is scalar code on Values. Its last z and a stay in its attributes, where drawings and the
diagnosis read them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np

from autograd import Value, scope

from .activations import Activation, activation_named
from .init import Initialiser, Seed, initialiser_and_rng
from .members import is_parameter
from .module import Module
from .nested import SizeError, items_of
from .settings import finite, flag, refuse_masked, whole


class Neuron(Module):
    """A neuron: the weighted sum z = b + Σᵢ wᵢ·xᵢ and the activation a = f(z).

    Args:
        nin: the number of inputs.
        activation: a name from `nn.ACTIVATIONS`.
        nonlin: micrograd's argument: True means `activation="relu"`, False
            `activation="identity"`.
        init: the initialiser of the weights: "uniform", "xavier", "he", or a function. Default:
            the one that `nn.ACTIVATIONS` names for the activation. The bias starts at zero.
        seed: the seed of the weights. With neither `init` nor `seed`, weights are drawn with
            `random.uniform(-1, 1)`, as in micrograd.
        nout: the number of neurons in the layer, which some initialisers use.

    Attributes:
        w: the weights, a tuple of nin Values.
        b: the bias.
        z: the weighted sum of the last call; None before the first.
        a: the activation of the last call; None before the first.

    Raises:
        ValueError: `nin` is below 1, there is no such activation or initialiser, or the
            activation is softmax, which needs a whole layer.

    >>> neuron = Neuron(2, "sigmoid", seed=0)
    >>> neuron.load_state_dict({"w": [2.0, -1.0], "b": 0.5})
    >>> round(neuron([1.0, 2.5]).data, 4), neuron.z.data
    (0.5, 0.0)
    """

    def __init__(
        self,
        nin: int,
        activation: str | bool = "relu",
        *,
        nonlin: bool | None = None,
        init: str | Initialiser | None = None,
        seed: Seed = None,
        nout: int = 1,
    ) -> None:
        self.nin, self.nout = whole(nin, "nin"), whole(nout, "nout")
        self.activation = _activation(activation, nonlin)
        if self.activation.of_one is None:
            raise ValueError(
                f"{self.activation.name} compares the neurons of a layer: use "
                f"Layer({nin}, nout, {self.activation.name!r})"
            )
        self.init, rng = initialiser_and_rng(init, seed, self.activation)
        self.w = tuple([Value(0.0) for _ in range(nin)])
        self.b = Value(0.0)
        for p, x in Neuron.sample_parameters(self, rng):
            p.data = finite(x, "a weight that init draws")
        self.z: Value | Any = None  # Any, so that a use of z or a needs no check for None
        self.a: Value | Any = None
        self._label("w[{}]", place="")

    @property
    def nonlin(self) -> bool:
        """True if the activation is not the identity: micrograd's attribute."""
        return self.activation.name != "identity"

    def sample_parameters(self, rng: random.Random) -> Iterator[tuple[Value, float]]:
        """Yield each weight with a number drawn by the initialiser, and the bias with zero."""
        for w in self.w:
            yield w, self.init(rng, self.nin, self.nout)
        yield self.b, 0.0

    def _label(self, weight: str, place: str) -> None:
        """Label the parameters, and choose the labels of z and a.

        Args:
            weight: the label of a weight, with {} for its index.
            place: the neuron's place in the network, which follows b, z and a.
        """
        for i, w in enumerate(self.w):
            w.label = weight.format(i)
        self.b.label, self._z_label, self._a_label = f"b{place}", f"z{place}", f"a{place}"

    def weighted_sum(self, inputs: Sequence[Value]) -> Value:
        """Compute z = b + Σᵢ wᵢ·xᵢ, from left to right, and store it in `z`."""
        z = self.b
        for w, x in zip(self.w, inputs):
            z = z + w * x
        z.label = self._z_label
        self.z = z
        return z

    def keep_activation(self, a: Value) -> Value:
        """Store an activation in `a`, label it, and return it."""
        a.label = a.label or self._a_label
        self.a = a
        return a

    def forward(self, x: Any) -> Value:
        """Compute a = f(b + Σᵢ wᵢ·xᵢ).

        Args:
            x: nin numbers or Values.

        Raises:
            ValueError: x does not have nin items.
        """
        z = self.weighted_sum(_inputs(x, self))
        assert self.activation.of_one is not None
        return self.keep_activation(self.activation.of_one(z))

    def __repr__(self) -> str:
        return f"{self.activation.title}Neuron({self.nin})"


class Layer(Module):
    """A fully connected layer: nout neurons on the same inputs, a = f(W x + b).

    Args:
        nin: the number of inputs of each neuron.
        nout: the number of neurons.
        activation, nonlin, init, seed: as for `Neuron`; the activation may be "softmax".

    Attributes:
        neurons: the list of neurons.

    Raises:
        ValueError: `nin` or `nout` is below 1, or there is no such activation or initialiser.

    >>> layer = Layer(2, 3, "softmax", seed=0)
    >>> round(sum(a.data for a in layer([1.0, -1.0])), 12)
    1.0
    """

    _number = ""  # the number of the layer in its network, from 1; "" outside a network

    def __init__(
        self,
        nin: int,
        nout: int,
        activation: str | bool = "relu",
        *,
        nonlin: bool | None = None,
        init: str | Initialiser | None = None,
        seed: Seed = None,
    ) -> None:
        self.nin, self.nout = whole(nin, "nin"), whole(nout, "nout")
        self.activation = _activation(activation, nonlin)
        init, rng = initialiser_and_rng(init, seed, self.activation)
        single = self.activation.name if self.activation.of_one else "identity"
        self.neurons = [Neuron(nin, single, init=init, seed=rng, nout=nout) for _ in range(nout)]
        self._label("")

    def _label(self, number: str) -> None:
        """Label the neurons' Values by the number of this layer in its network, or by ""."""
        self._number = number
        for j, neuron in enumerate(self.neurons):
            neuron._label(f"W{number}[{j},{{}}]", f"{number}[{j}]")

    def tensors(self) -> dict[str, np.ndarray]:
        """Return `weight`, shape (nout, nin), and `bias`, shape (nout,), as arrays of Values.

        Parameters that a subclass of Layer or Neuron adds follow under their own names.
        """
        weight = np.array([neuron.w for neuron in self.neurons], dtype=object)
        biases = [neuron.b for neuron in self.neurons if is_parameter(neuron.b)]
        known = {*weight.flat, *biases}
        others = {k: v for k, v in super().tensors().items() if not known.issuperset(v.flat)}
        bias = {"bias": np.array(biases, dtype=object)} if biases else {}
        return {"weight": weight, **bias, **others}

    def forward(self, x: Any) -> Value | list[Value]:
        """Compute the activations of the neurons.

        Args:
            x: nin numbers or Values.

        Returns:
            A list of nout Values, or the Value itself if nout is 1.

        Raises:
            ValueError: x does not have nin items.
        """
        inputs = _inputs(x, self)
        outputs = []
        for j, neuron in enumerate(self.neurons):
            with scope(f"neurons[{j}]"):
                outputs.append(neuron(inputs))
        if self.activation.of_layer is not None:
            outputs = self.activation.of_layer(outputs)
            for neuron, a in zip(self.neurons, outputs):
                neuron.keep_activation(a)
        return outputs[0] if len(outputs) == 1 else outputs

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(repr, self.neurons))}]"


class Linear(Layer):
    """PyTorch's name for a `Layer` without activation, W x + b; an activation module may follow it.

    Args:
        in_features: the number of inputs.
        out_features: the number of outputs.
        bias: False for W x; then the layer has no parameter `bias`.
        init, seed: as for `Neuron`. Before ReLU and its variants, `init="he"` fits.

    Raises:
        ValueError: a size is below 1, or there is no such initialiser.

    >>> linear = Linear(2, 3, seed=0)
    >>> linear, {name: array.shape for name, array in linear.state_dict().items()}
    (Linear(in_features=2, out_features=3, bias=True), {'weight': (3, 2), 'bias': (3,)})
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        init: str | Initialiser | None = None,
        seed: Seed = None,
    ) -> None:
        nin, nout = whole(in_features, "in_features"), whole(out_features, "out_features")
        bias = flag(bias, "bias")
        super().__init__(nin, nout, "identity", init=init, seed=seed)
        if not bias:
            for neuron in self.neurons:
                neuron.b = _constant(0.0, neuron.b.label)

    def __repr__(self) -> str:
        bias = is_parameter(self.neurons[0].b)
        return f"Linear(in_features={self.nin}, out_features={self.nout}, bias={bias})"


def _activation(name: str | bool, nonlin: bool | None) -> Activation:
    return activation_named(name if nonlin is None else flag(nonlin, "nonlin"))


def _inputs(x: Any, module: Neuron | Layer) -> Sequence[Value]:
    """Return the inputs as Values. Each number becomes one constant that all neurons share."""
    if hasattr(x, "tolist"):
        refuse_masked(x, "x")
        x = x.tolist()
    if isinstance(x, Value) or not hasattr(x, "__len__"):
        x = [x]
    if len(x) != module.nin or _is_table(x):
        raise SizeError(
            f"{type(module).__name__} takes {module.nin} input(s), got {_described(x, module)}"
        )
    if all(type(xi) is Value for xi in x):
        return cast(Sequence[Value], x)
    return [xi if isinstance(xi, Value) else _constant(xi, f"x[{i}]") for i, xi in enumerate(x)]


def _described(x: Any, module: Neuron | Layer) -> str:
    """Return what came in instead of the inputs of a module, and what would take it."""
    if _is_table(x) and not _is_table(next(iter(x))):
        flat = "; if they are one example, put Flatten() before it, or pass X.reshape(len(X), -1)"
        return f"{len(x)} rows of numbers. For a table of examples there is model.predict(X){flat}"
    count = len(list(items_of(x)))
    rest = f", {module.nout})" if isinstance(module, Layer) else ")"
    fitting = f"{type(module).__name__}({count}{rest}"
    if not _is_table(x):
        return f"{count}: {fitting} would fit" if count else "none"
    mend = "" if count == module.nin else f", and make it {fitting}"
    return f"an image: put Flatten() before it{mend}"


def _is_table(x: Any) -> bool:
    """Return True if x is a table, judged by its first item."""
    first = next(iter(x), None)
    return (
        hasattr(first, "__len__") and not isinstance(first, str) and getattr(first, "ndim", 1) > 0
    )


def _constant(x: Any, label: str) -> Value:
    constant = Value(x).detach()
    constant.label = label
    return constant
