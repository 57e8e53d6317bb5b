"""The table of activations: what a neuron makes of its weighted sum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from autograd import Value, softmax

from .settings import looked_up


@dataclass(frozen=True)
class Activation:
    """An activation, as one row.

    Attributes:
        name: what `activation=` calls it.
        title: what a neuron that has it is called.
        init: the initialiser that fits it.
        of_one: the activation of one weighted sum; None if it takes those of a whole layer.
        of_layer: the activations of a layer's weighted sums, if they depend on each other.
    """

    name: str
    title: str
    init: str
    of_one: Callable[[Value], Value] | None
    of_layer: Callable[[Sequence[Value]], list[Value]] | None = None


ACTIVATIONS = {
    row.name: row
    for row in (
        Activation("step", "Step", "xavier", Value.step),
        Activation("sigmoid", "Sigmoid", "xavier", Value.sigmoid),
        Activation("tanh", "Tanh", "xavier", Value.tanh),
        Activation("relu", "ReLU", "he", Value.relu),
        Activation("leaky_relu", "LeakyReLU", "he", Value.leaky_relu),
        Activation("elu", "ELU", "he", Value.elu),
        Activation("softplus", "Softplus", "he", Value.softplus),
        Activation("softmax", "Softmax", "xavier", None, softmax),
        Activation("identity", "Linear", "xavier", Value.__pos__),
    )
}
"""Every activation by name; `identity` leaves the weighted sum as it is."""


def activation_named(name: str | bool) -> Activation:
    """The row of this name; micrograd's `nonlin=True` and `False` are relu and identity.

    Raises:
        ValueError: there is none; the nearest names are given.

    >>> activation_named("relu").init
    'he'
    """
    if isinstance(name, (bool, np.bool_)):
        name = "relu" if name else "identity"
    return looked_up(name, ACTIVATIONS, "activation")
