"""The engines that the benchmarks compare: this one, micrograd, and the class of a public GPT."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from typing import Any, NamedTuple


class Engine(NamedTuple):
    """The parts of an engine that a workload uses."""

    Value: Any
    exp: Callable[[Any], Any]
    log: Callable[[Any], Any]


# Each engine is imported only by the process that runs it, so that neither has the other's
# modules for the garbage collector to walk through.


def autograd() -> Engine:
    """Return this project's engine."""
    from autograd import Value

    return Engine(Value, Value.exp, Value.log)


def plain_python() -> Engine:
    """Return this project's engine without its compiled twin; for a process of its own."""
    os.environ["AUTOGRAD_PURE"] = "1"
    return autograd()


def slotted() -> Engine:
    """Return a class in the manner of the public GPTs of 200 lines."""
    return Engine(Slotted, Slotted.exp, Slotted.log)


class Slotted:
    """A number with its operands and local derivatives, which are computed when it is made."""

    __slots__ = ("_children", "_local_grads", "data", "grad")

    def __init__(self, data: float, children: Any = (), local_grads: Any = ()) -> None:
        self.data = data
        self.grad = 0.0
        self._children = children
        self._local_grads = local_grads

    @property
    def _prev(self) -> set[Any]:
        return set(self._children)

    def __add__(self, other: Any) -> Slotted:
        other = other if isinstance(other, Slotted) else Slotted(other)
        return Slotted(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other: Any) -> Slotted:
        other = other if isinstance(other, Slotted) else Slotted(other)
        return Slotted(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, other: float) -> Slotted:
        return Slotted(self.data**other, (self,), (other * self.data ** (other - 1),))

    def log(self) -> Slotted:
        return Slotted(math.log(self.data), (self,), (1 / self.data,))

    def exp(self) -> Slotted:
        return Slotted(math.exp(self.data), (self,), (math.exp(self.data),))

    def relu(self) -> Slotted:
        return Slotted(max(0, self.data), (self,), (float(self.data > 0),))

    def __neg__(self) -> Slotted:
        return self * -1

    def __radd__(self, other: Any) -> Slotted:
        return self + other

    def __sub__(self, other: Any) -> Slotted:
        return self + (-other)

    def __rsub__(self, other: Any) -> Slotted:
        return other + (-self)

    def __rmul__(self, other: Any) -> Slotted:
        return self * other

    def __truediv__(self, other: Any) -> Slotted:
        return self * other**-1

    def __rtruediv__(self, other: Any) -> Slotted:
        return other * self**-1

    def backward(self) -> None:
        order: list[Slotted] = []
        visited = set()

        def visit(node: Slotted) -> None:
            if node not in visited:
                visited.add(node)
                for child in node._children:
                    visit(child)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for child, local in zip(node._children, node._local_grads):
                child.grad += local * node.grad


def micrograd() -> Engine:
    """Return the published engine, with `exp` and `log` added in its own style."""
    from micrograd.engine import Value

    sys.setrecursionlimit(10_000)  # its backward pass calls itself once for each level

    def exp(v: Any) -> Any:
        out = Value(math.exp(v.data), (v,), "exp")

        def _backward() -> None:
            v.grad += out.data * out.grad

        out._backward = _backward

        return out

    def log(v: Any) -> Any:
        out = Value(math.log(v.data), (v,), "log")

        def _backward() -> None:
            v.grad += (1 / v.data) * out.grad

        out._backward = _backward

        return out

    return Engine(Value, exp, log)
