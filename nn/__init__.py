"""Neurons, layers, costs, descent: neural networks on scalar Values, with PyTorch's names.

>>> import nn
>>> nn.MLP(2, [2, 1], seed=0)
MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(2)]]
"""

from .activations import ACTIVATIONS, Activation
from .init import INITIALISERS
from .layers import MLP, Dropout, Layer, Neuron, Sequential
from .module import Module

__all__ = [
    "ACTIVATIONS",
    "INITIALISERS",
    "MLP",
    "Activation",
    "Dropout",
    "Layer",
    "Module",
    "Neuron",
    "Sequential",
]
