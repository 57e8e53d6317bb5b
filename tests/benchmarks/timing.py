"""Comparison of the engines, which take turns, each in a process of its own.

Each process has its own graphs and garbage collector, as in a program that uses one engine. The
engines take short turns, so that a slow period of the machine affects both.
"""

from __future__ import annotations

import gc
import math
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from multiprocessing import get_context
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

from . import engines, workloads

TURNS = 6
STEPS = 3  # timed together, because the garbage of a step is often collected in the next one

Ask = Callable[..., Any]  # ask(engine, function, *args): what its process answers


class Memory(NamedTuple):
    """Number of nodes, bytes per node after the backward pass, and peak bytes per node."""

    nodes: int
    held: float
    peak: float


def race(workload: str, *names: str) -> dict[str, float]:
    """Measure the median seconds a step of each engine: forward, backward and freeing.

    Args:
        workload: the name of a function in `workloads`.
        names: the names of the engines, which are functions in `engines`.

    Raises:
        AssertionError: the engines do not agree on the loss and the gradients.
    """
    seconds: dict[str, list[float]] = {engine: [] for engine in names}
    with processes(names) as ask:
        first, *others = [ask(engine, answer, workload) for engine in names]
        for other in others:
            assert_agree(first, other)
        for engine in names:
            ask(engine, turn, workload)
        for _ in range(TURNS):
            for engine in names:
                seconds[engine].append(ask(engine, turn, workload))
    return {engine: median(turns) for engine, turns in seconds.items()}


def weigh(workload: str, *names: str) -> dict[str, Memory]:
    """Measure the memory of a step's graph in each engine, parameters included."""
    with processes(names) as ask:
        return {engine: ask(engine, weight, workload) for engine in names}


def race_floats() -> tuple[float, float]:
    """Measure a step of the network, and its forward pass alone on plain floats."""
    with processes(["autograd"]) as ask:
        return ask("autograd", best_turns)


def assert_agree(a: list[float], b: list[float]) -> None:
    """Raise unless the numbers are the same up to rounding."""
    assert len(a) == len(b)
    for x, y in zip(a, b):
        assert math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-15), f"{x} is not {y}"


@contextmanager
def processes(names: Iterable[str]) -> Iterator[Ask]:
    """Start a process for each engine; yield a function that calls a function in one of them."""
    pools = {engine: ProcessPoolExecutor(1, get_context("spawn")) for engine in names}
    try:
        yield lambda engine, function, *args: pools[engine].submit(function, engine, *args).result()
    finally:
        for pool in pools.values():
            pool.shutdown()


# ---------------------------------------------------------------------- inside a process


@cache
def problem(engine: str, workload: str) -> workloads.Problem:
    """Build the workload in this engine, once a process."""
    build: Callable[[engines.Engine], workloads.Problem] = getattr(workloads, workload)
    return build(getattr(engines, engine)())


def answer(engine: str, workload: str) -> list[float]:
    """Compute the loss and then the gradient of each parameter."""
    loss = workloads.train_once(problem(engine, workload))
    return [loss.data, *(p.grad for p in problem(engine, workload).parameters)]


def turn(engine: str, workload: str) -> float:
    """Measure the seconds a step."""
    start = perf_counter()
    for _ in range(STEPS):
        workloads.train_once(problem(engine, workload))
    return (perf_counter() - start) / STEPS


def best_turns(engine: str) -> tuple[float, float]:
    """Measure the shortest step of the network, and the shortest forward pass on floats."""
    forward = workloads.network_of_floats()
    assert_agree([answer(engine, "network")[0]], [forward()])
    steps, passes = [], []
    for _ in range(10 * TURNS):
        steps.append(turn(engine, "network"))
        start = perf_counter()
        forward()
        passes.append(perf_counter() - start)
    return min(steps), min(passes)


def weight(engine: str, workload: str) -> Memory:
    """Measure the bytes that a problem and its graph hold."""
    value = getattr(engines, engine)().Value
    (value(1.0) * value(2.0)).backward()  # loads all modules, whose memory must not count
    gc.collect()
    tracemalloc.start()
    loss = workloads.train_once(problem(engine, workload))
    gc.collect()
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    nodes = size(loss)
    return Memory(nodes, held / nodes, peak / nodes)


def size(root: Any) -> int:
    """Count the nodes of a graph of either engine."""
    seen = {root}
    stack = [root]
    while stack:
        for operand in stack.pop()._prev - seen:
            seen.add(operand)
            stack.append(operand)
    return len(seen)
