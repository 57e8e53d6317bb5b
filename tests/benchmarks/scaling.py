"""Scaling of this engine: a very deep graph, and the time per node from small graphs to large."""

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
NODES_A_NEURON = 11  # five leaves, two products, two sums, a relu, and the addition to the total


def deep_chain() -> dict[str, float]:
    """Measure every operation on a chain of a million operations, and check each result.

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
    """Apply a million operations that give x again: -(x + 1) applied twice is exactly x."""
    for _ in range(DEPTH // 2):
        x = -(x + 1.0)
    return x


def seconds_a_node() -> dict[int, float]:
    """Measure the median time per node in graphs of each size: forward, backward and freeing.

    The first round is a warm-up and does not count.
    """
    rounds = [{size: turn(size) for size in SIZES} for _ in range(ROUNDS + 1)][1:]
    return {size: median(times[size] for times in rounds) for size in SIZES}


def seconds_a_node_uncollected() -> dict[int, float]:
    """Measure the same with the garbage collector off."""
    gc.disable()
    try:
        return seconds_a_node()
    finally:
        gc.enable()


def turn(size: int) -> float:
    """Measure the seconds per node, over as many nodes as the largest size has."""
    neurons = size // NODES_A_NEURON
    repeats = max(SIZES) // size
    gc.collect()  # the garbage of other sizes must not count here
    start = perf_counter()
    for _ in range(repeats):
        summed_neurons(neurons).backward()
    return (perf_counter() - start) / (repeats * neurons * NODES_A_NEURON)


def summed_neurons(neurons: int) -> Value:
    """Compute the sum of separate neurons with two inputs each."""
    total = Value(0.0)
    for i in range(neurons):
        x, y, w, v, bias = Value(0.5), Value(i / neurons), Value(0.3), Value(0.7), Value(-0.2)
        total = total + (w * x + v * y + bias).relu()
    return total
