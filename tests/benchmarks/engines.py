"""The two engines that the benchmarks compare: this one and the published `micrograd`."""

from __future__ import annotations

import math
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
