"""A thousand steps of the GPT, one word each, with words of 12 lengths; compiling is included."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from random import Random
from time import perf_counter

import numpy as np

import autograd
import nn

from . import gpt
from .workloads import VOCABULARY

STEPS, LENGTHS, RATE = 1_000, range(2, 14), 0.01

Step = Callable[[list[int], list[int]], float]
"""It takes the characters and those that follow, moves the weights, and returns the cost."""


def words() -> Iterator[tuple[list[int], list[int]]]:
    """Yield the characters of each word, and those that follow; a dot, 0, is before and behind."""
    random = Random(5)
    for _ in range(STEPS):
        word = [random.randrange(1, VOCABULARY) for _ in range(random.choice(LENGTHS))]
        yield [0, *word], [*word, 0]


def seconds() -> dict[str, float]:
    """Measure the seconds of a thousand steps of each peer; PyTorch if it is installed."""
    found, costs = {}, []
    peers = {"compiled": compiled, "NumPy by hand": by_hand, "PyTorch, 1 thread": in_torch}
    for name, prepare in peers.items():
        try:
            start = perf_counter()
            step = prepare()
            costs.append([step(*word) for word in words()])
            found[name] = perf_counter() - start
        except ImportError:
            continue
    for cost, *others in zip(*costs):
        assert all(math.isclose(cost, other, rel_tol=1e-6) for other in others)
    return found


def compiled() -> Step:
    """Return the step of this library: written in scalars, and compiled for each length."""
    weights = gpt.values(gpt.initial())
    params = [p for matrix in weights.values() for row in matrix for p in row]
    cost = autograd.compile(lambda x, y: gpt.cost(weights, x, y), params=params, allow_unused=True)
    optimizer = nn.Adam(params, lr=RATE)

    def step(tokens: list[int], following: list[int]) -> float:
        value, gradient = cost.value_and_grad([tokens], [following])
        optimizer.step(gradient)
        return float(value)

    return step


def by_hand() -> Step:
    """Return the step by hand in NumPy."""
    weights = gpt.initial()
    count, m, v = 0, np.zeros(1), np.zeros(1)

    def step(tokens: list[int], following: list[int]) -> float:
        nonlocal count, m, v
        value, slopes = gpt.by_hand(weights, tokens, following)
        gradient = np.concatenate([slopes[name].ravel() for name in weights])
        count += 1
        m = 0.9 * m + 0.1 * gradient
        v = 0.999 * v + 0.001 * gradient**2
        moved = RATE * (m / (1.0 - 0.9**count)) / (np.sqrt(v / (1.0 - 0.999**count)) + 1e-8)
        first = 0
        for array in weights.values():
            array -= moved[first : first + array.size].reshape(array.shape)
            first += array.size
        return value

    return step


def in_torch() -> Step:
    """Return the step in PyTorch."""
    import torch

    torch.set_num_threads(1)  # these matrices are too small to be shared
    tensors = {name: torch.tensor(x, requires_grad=True) for name, x in gpt.initial().items()}
    optimizer = torch.optim.Adam(tensors.values(), lr=RATE)

    def step(tokens: list[int], following: list[int]) -> float:
        optimizer.zero_grad()
        cost = gpt.in_torch(tensors, tokens, torch.tensor(following))
        cost.backward()
        optimizer.step()
        return float(cost.detach())

    return step
