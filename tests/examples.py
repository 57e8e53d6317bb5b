"""Small graphs with labels, and a module, which several tests use."""

from __future__ import annotations

import numpy as np

import nn
from autograd import Value


def labelled(node: Value, label: str) -> Value:
    node.label = label
    return node


def neuron() -> Value:
    """Build C = (σ(w·x + b) − 1)² with labels."""
    w, x, b = Value(0.6, "w"), Value(1.5, "x"), Value(0.1, "b")
    z = labelled(w * x + b, "z")
    a = labelled(z.sigmoid(), "a")
    return labelled((a - 1) ** 2, "C")


def network() -> Value:
    """Build a network with two hidden neurons that share their input."""
    x = Value(1.5, "x")
    h1 = labelled((Value(0.6, "w1") * x).tanh(), "h1")
    h2 = labelled((Value(-0.4, "w2") * x).sigmoid(), "h2")
    o = labelled(Value(1.2, "v1") * h1 + Value(-0.7, "v2") * h2, "o")
    return labelled((o - 1) ** 2, "C")


def words(text: str) -> str:
    return " ".join(text.split())


class Mixed(nn.Module):
    """A module with parameters in every place where a user may keep them."""

    def __init__(self) -> None:
        self.scale = Value(2.0)
        self.grid = [[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]]
        self.ragged = [[Value(5.0)], [Value(6.0), Value(7.0)]]
        self.array = np.array([Value(8.0), Value(9.0)], dtype=object)
        self.heads = {"left": nn.Neuron(1, seed=0), "right": nn.Neuron(1, seed=1)}
        self.tied = self.scale
        self.name = "mixed"
        self.sizes = [1, 2, 3]
