"""Scaling of this engine: a very deep graph, and the time per node from small graphs to large."""

from __future__ import annotations

import gc
import resource
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from random import Random
from statistics import median
from time import perf_counter
from typing import Any

from autograd import Value

from . import workloads

DEPTH = 10_000_000
LARGE = 100_000
SIZES = (10**3, 10**4, 10**5, 10**6)
ROUNDS = 5
NODES_A_NEURON = 11  # five leaves, two products, two sums, a relu, and the addition to the total


def deep_chain_apart() -> tuple[dict[str, float], float]:
    """Measure `deep_chain` in a process of its own, and its peak in gigabytes."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(deep_chain).result()


def deep_chain() -> tuple[dict[str, float], float]:
    """Measure every operation on a chain of ten million operations, and check each result."""
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
    timed("free", roots.clear)
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def chain(x: Value) -> Value:
    """Negate x ten million times, which gives x again."""
    for _ in range(DEPTH):
        x = -x
    return x


def tool_seconds() -> dict[str, float]:
    """Measure the teaching tools on the cost of a network on many points, about 100,000 nodes."""
    random = Random(1)
    layers = workloads.dense(Value, random, [2, 20, 20, 1])
    layers[0].weights[0][0].label = "w"
    nodes_a_point = 2 * (2 * 20 + 20 * 20 + 20) + 2 * 20 + 4
    outputs = []
    for _ in range(LARGE // nodes_a_point):
        point = [Value(random.uniform(-1, 1)) for _ in range(2)]
        outputs.append(workloads.activate(layers, point)[0])
    loss: Value = sum((out * out for out in outputs), Value(0.0))
    loss.backward()
    tools: dict[str, Callable[[], Any]] = {
        "stepper": loss.stepper,
        "explain": lambda: repr(loss.explain("w")),
        "draw": lambda: loss.draw().source,
    }
    seconds = {}
    for what, run in tools.items():
        start = perf_counter()
        run()
        seconds[what] = perf_counter() - start
    return seconds


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
