"""Small graphs with labels, which several tests use."""

from __future__ import annotations

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
