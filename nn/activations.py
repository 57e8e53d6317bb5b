"""The table of activation functions.

Neurons, layers, drawings and pages read `ACTIVATIONS`. To add an activation, add a row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from autograd import Value, softmax

from .settings import look_up


@dataclass(frozen=True)
class Activation:
    """A row of the table of activations.

    Attributes:
        name: the name for the argument `activation=`.
        title: the name in the `repr` of a neuron, as in ReLUNeuron.
        init: the name of the default initialiser.
        of_one: the function of one weighted sum; None if it needs those of a whole layer.
        of_layer: the function of all weighted sums of a layer; None if `of_one` is enough.
        range: the lower and the upper bound of its values.

    >>> tanh = ACTIVATIONS["tanh"]
    >>> tanh.title, tanh.init, tanh.range
    ('Tanh', 'xavier', (-1.0, 1.0))
    """

    name: str
    title: str
    init: str
    of_one: Callable[[Value], Value] | None
    of_layer: Callable[[Sequence[Value]], list[Value]] | None = None
    range: tuple[float, float] = (-inf, inf)


ACTIVATIONS = {
    row.name: row
    for row in (
        Activation("step", "Step", "xavier", Value.step, range=(0.0, 1.0)),
        Activation("sigmoid", "Sigmoid", "xavier", Value.sigmoid, range=(0.0, 1.0)),
        Activation("tanh", "Tanh", "xavier", Value.tanh, range=(-1.0, 1.0)),
        Activation("relu", "ReLU", "he", Value.relu, range=(0.0, inf)),
        Activation("leaky_relu", "LeakyReLU", "he", Value.leaky_relu),
        Activation("elu", "ELU", "he", Value.elu, range=(-1.0, inf)),
        Activation("silu", "SiLU", "he", Value.silu, range=(-0.2784645428, inf)),
        Activation("gelu", "GELU", "he", Value.gelu, range=(-0.1699712075, inf)),
        Activation("softplus", "Softplus", "he", Value.softplus, range=(0.0, inf)),
        Activation("softmax", "Softmax", "xavier", None, softmax, range=(0.0, 1.0)),
        Activation("identity", "Linear", "xavier", Value.__pos__),
    )
}
"""Every activation by name. `identity` returns the weighted sum unchanged."""


def activation_named(name: str | bool) -> Activation:
    """Return the activation of this name; True means relu and False identity, as in micrograd.

    Raises:
        ValueError: there is no such activation. The error gives the nearest names.

    >>> activation_named("relu").init
    'he'
    """
    if isinstance(name, (bool, np.bool_)):
        name = "relu" if name else "identity"
    return look_up(name, ACTIVATIONS, "activation")
