"""How this engine grows: a very deep graph, and the time a node from small graphs to large."""

from __future__ import annotations

import copy
import gc
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

from autograd import Value
from autograd.core.graph import count

DEPTH = 1_000_000
SIZES = (10**3, 10**4, 10**5, 10**6)
ROUNDS = 5
NODES_A_NEURON = 11  # five leaves, two products, two sums, a relu, and its place in the total


def deep_chain() -> dict[str, float]:
    """Seconds for all that is done with a chain of a million operations, each step checked.

    Raises:
        AssertionError: a result is wrong, or the recursion limit was changed.
    """
    limit = sys.getrecursionlimit()
    x = Value(0.5)
    seconds: dict[str, float] = {}

    def timed(what: str, function: Callable[[], Any]) -> Any:
        start = perf_counter()
        result = function()
        seconds[what] = perf_counter() - start
        return result

    roots = [timed("evaluate", lambda: chain(x))]
    assert roots[0].data == 0.5
    timed("backward", roots[0].backward)
    assert x.grad == 1.0
    x.data = 0.25
    timed("recompute", roots[0].recompute)
    assert roots[0].data == 0.25
    counts = timed("count", lambda: count(roots[0]))
    assert counts["add"] + counts["neg"] == DEPTH
    twin = timed("deepcopy", lambda: copy.deepcopy(roots[0]))
    assert twin is not roots[0] and twin.data == 0.25
    timed("free", roots.clear)
    assert sys.getrecursionlimit() == limit
    return seconds


def chain(x: Value) -> Value:
    """A million operations that give x back: -(x + 1) done twice is x, and exactly so."""
    for _ in range(DEPTH // 2):
        x = -(x + 1.0)
    return x


def seconds_a_node() -> dict[int, float]:
    """The time a node takes in graphs of each size: forward, backward and freeing; medians.

    The first round warms up and is left out.
    """
    rounds = [{size: turn(size) for size in SIZES} for _ in range(ROUNDS + 1)][1:]
    return {size: median(times[size] for times in rounds) for size in SIZES}


def seconds_a_node_uncollected() -> dict[int, float]:
    """The same with the garbage collector off, which tells its part of the time."""
    gc.disable()
    try:
        return seconds_a_node()
    finally:
        gc.enable()


def turn(size: int) -> float:
    """Seconds a node, over a million nodes in graphs of this size."""
    neurons = size // NODES_A_NEURON
    repeats = max(SIZES) // size
    gc.collect()  # what the other sizes left behind is not this one's to pay for
    start = perf_counter()
    for _ in range(repeats):
        summed_neurons(neurons).backward()
    return (perf_counter() - start) / (repeats * neurons * NODES_A_NEURON)


def summed_neurons(neurons: int) -> Value:
    """The sum of separate neurons with two inputs each."""
    total = Value(0.0)
    for i in range(neurons):
        x, y, w, v, bias = Value(0.5), Value(i / neurons), Value(0.3), Value(0.7), Value(-0.2)
        total = total + (w * x + v * y + bias).relu()
    return total
