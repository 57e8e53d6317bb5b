"""Times of compiled code and of its peers, measured in turns in one process.

A peer is another way to do the same step. The results of all peers are compared first.
"""

from __future__ import annotations

import copy
import gc
import math
import re
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

import autograd
import nn
from autograd import Value
from demos import idx

from . import gpt, timing

ROUNDS = 15
BATCH = 32
RATE = 0.01  # of SGD

Step = Callable[[], Any]


class Peer(NamedTuple):
    """A name, and a function that does one step."""

    name: str
    step: Step


def in_turns(peers: list[Peer], steps: int) -> dict[str, float]:
    """Measure the seconds a step of each peer: the median over rounds with a turn for each.

    A turn begins with untimed steps, and every other round runs in reverse order, because threads
    of the previous peer may still be running.
    """
    seconds: dict[str, list[float]] = {peer.name: [] for peer in peers}
    for turn in range(ROUNDS):
        for peer in peers[:: 1 if turn % 2 else -1]:
            for _ in range(1 + steps // 2):
                peer.step()
            start = perf_counter()
            for _ in range(steps):
                peer.step()
            seconds[peer.name].append((perf_counter() - start) / steps)
    return {name: median(times) for name, times in seconds.items()}


def cost_of(model: nn.Module) -> Any:
    """Compile the cross-entropy of a model for one image."""
    return autograd.compile(lambda x, y: nn.cross_entropy(model(x), y), params=model.parameters())


# ---------------------------------------------------------------------- a step of SGD


def images() -> tuple[np.ndarray, np.ndarray]:
    """Draw a batch of images of noise, and a class for each."""
    rng = np.random.default_rng(0)
    return rng.random((BATCH, 784)), rng.integers(0, 10, BATCH)


def sgd_peers() -> list[Peer]:
    """Return the peers for a step of SGD on 784-16-16-10 with 32 images; PyTorch if installed."""
    model = nn.MLP(784, [16, 16, 10], seed=0)
    return peers_of(model, *images(), sgd_by_hand, dense_in_torch, 20)


def peers_of(
    model: nn.Module,
    X: np.ndarray,
    y: np.ndarray,
    by_hand: Callable[[dict[str, np.ndarray], np.ndarray, np.ndarray], Step],
    in_torch: Callable[[Any, dict[str, np.ndarray]], Any],
    steps: int,
) -> list[Peer]:
    """Return the peers for a step of SGD, PyTorch if installed, after steps with equal costs.

    Args:
        model: the network, trained with cross-entropy on the images X of the classes y.
        by_hand: makes the step in NumPy from the weights, the images and one-hot classes.
        in_torch: makes PyTorch's network from the module `torch` and the weights.
        steps: how many steps are compared.
    """
    start, Y = model.state_dict(), nn.one_hot(y, 10)
    other = copy.deepcopy(model)
    unchecked = cost_of(other).while_unchanged()
    peers = [
        Peer("compiled", sgd_step(model, cost_of(model), X, Y)),
        Peer("compiled, while_unchanged", sgd_step(other, unchecked, X, Y)),
        Peer("NumPy by hand", by_hand(start, X, Y)),
    ]
    if find_spec("torch"):
        peers.append(Peer("PyTorch, 2 threads", torch_step(in_torch, start, X, y)))
    assert_equal(peers, steps)
    return peers


def sgd_step(model: nn.Module, cost: Any, X: np.ndarray, Y: np.ndarray) -> Step:
    """Return the step of SGD of a model whose cost is compiled."""
    optimizer = nn.SGD(model.parameters(), lr=RATE)

    def step() -> float:
        value, gradient = cost.value_and_grad(X, Y)
        optimizer.step(gradient)
        return float(value)

    return step


def torch_step(
    in_torch: Callable[[Any, dict[str, np.ndarray]], Any],
    state: dict[str, np.ndarray],
    X: np.ndarray,
    y: np.ndarray,
) -> Step:
    """Return the step of SGD of PyTorch's network, which `in_torch` makes."""
    import torch

    torch.set_num_threads(2)
    model = in_torch(torch, state)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    loss = torch.nn.CrossEntropyLoss()
    inputs, targets = torch.tensor(X), torch.tensor(y)

    def step() -> float:
        optimizer.zero_grad()
        cost = loss(model(inputs), targets)
        cost.backward()
        optimizer.step()
        return float(cost.detach())

    return step


def sgd_by_hand(state: dict[str, np.ndarray], X: np.ndarray, Y: np.ndarray) -> Step:
    """Return the SGD step, written by hand in NumPy."""
    W = [state[f"layers.{i}.weight"].copy() for i in range(3)]
    b = [state[f"layers.{i}.bias"].copy() for i in range(3)]

    def step() -> float:
        z0 = X @ W[0].T + b[0]
        a0 = np.maximum(z0, 0.0)
        z1 = a0 @ W[1].T + b[1]
        a1 = np.maximum(z1, 0.0)
        z2 = a1 @ W[2].T + b[2]
        z2 = z2 - z2.max(axis=1, keepdims=True)
        e = np.exp(z2)
        s = e.sum(axis=1, keepdims=True)
        cost = (np.log(s[:, 0]) - (z2 * Y).sum(axis=1)).mean()
        d2 = (e / s - Y) / len(X)
        d1 = (d2 @ W[2]) * (z1 > 0.0)
        d0 = (d1 @ W[1]) * (z0 > 0.0)
        for layer, (d, a) in enumerate(((d0, X), (d1, a0), (d2, a1))):
            W[layer] -= RATE * (d.T @ a)
            b[layer] -= RATE * d.sum(axis=0)
        return float(cost)

    return step


def dense_in_torch(torch: Any, state: dict[str, np.ndarray]) -> Any:
    """Return PyTorch's network with these weights."""
    layers = [torch.nn.Linear(a, b, dtype=torch.float64) for a, b in pairwise([784, 16, 16, 10])]
    relu = torch.nn.ReLU
    with torch.no_grad():
        for i, layer in enumerate(layers):
            layer.weight.copy_(torch.tensor(state[f"layers.{i}.weight"]))
            layer.bias.copy_(torch.tensor(state[f"layers.{i}.bias"]))
    return torch.nn.Sequential(layers[0], relu(), layers[1], relu(), layers[2])


def assert_equal(peers: list[Peer], steps: int) -> None:
    """Raise unless all peers compute the same cost in every step."""
    for _ in range(steps):
        costs = [peer.step() for peer in peers]
        assert all(math.isclose(cost, costs[0], rel_tol=1e-9) for cost in costs), costs


def micrograd_seconds() -> float:
    """Measure micrograd's seconds for one image, forward and backward, in the same network."""
    with timing.processes(["micrograd"]) as ask:
        ask("micrograd", timing.turn, "image")
        return median(ask("micrograd", timing.turn, "image") for _ in range(5))


# ---------------------------------------------------------------------- a step of the GPT


def gpt_peers(names: list[str]) -> list[Peer]:
    """Return the peers for a GPT step on 8 characters; PyTorch if it is installed."""
    arrays = gpt.initial()
    weights = gpt.values(arrays)
    params = [p for matrix in weights.values() for row in matrix for p in row]
    tokens, following = encoded(names)
    cost = autograd.compile(  # 8 of 16 positions are used
        lambda x, y: gpt.cost(weights, x, y), params=params, allow_unused=True
    )

    unchecked = cost.while_unchanged()

    def ours(cost: Any) -> tuple[float, np.ndarray]:
        value, gradient = cost.value_and_grad([tokens], [following])
        return float(value), gradient

    def by_hand() -> tuple[float, np.ndarray]:
        value, slopes = gpt.by_hand(arrays, tokens, following)
        return value, np.concatenate([slopes[name].ravel() for name in arrays])

    def by_the_engine() -> tuple[float, np.ndarray]:
        for p in params:
            p.zero_grad()
        root = gpt.cost(weights, tokens, following)
        root.backward()
        return root.data, np.array([p.grad for p in params])

    peers = [
        Peer("compiled", lambda: ours(cost)),
        Peer("compiled, while_unchanged", lambda: ours(unchecked)),
        Peer("NumPy by hand", by_hand),
        Peer("engine", by_the_engine),
    ]
    torch_gradient = gpt_in_torch(arrays, tokens, following)
    if torch_gradient is not None:
        peers.append(Peer("PyTorch, 1 thread", torch_gradient))
    (value, gradient), *others = [peer.step() for peer in peers]
    for other, slopes in others:
        assert math.isclose(value, other, rel_tol=1e-10)
        assert np.allclose(gradient, slopes, rtol=1e-9, atol=1e-14)
    return peers


def gpt_in_torch(
    arrays: dict[str, np.ndarray], tokens: list[int], following: list[int]
) -> Step | None:
    """Return the cost and the gradient in PyTorch; None if PyTorch is not installed."""
    try:
        import torch
    except ImportError:
        return None
    tensors = {name: torch.tensor(x, requires_grad=True) for name, x in arrays.items()}
    inputs, targets = torch.tensor(tokens), torch.tensor(following)

    def gradient() -> tuple[float, np.ndarray]:
        torch.set_num_threads(1)  # these matrices are too small to be shared
        cost = gpt.in_torch(tensors, inputs, targets)
        slopes = torch.autograd.grad(cost, list(tensors.values()))
        return cost.item(), np.concatenate([slope.numpy().ravel() for slope in slopes])

    return gradient


def encoded(names: list[str]) -> tuple[list[int], list[int]]:
    """Return 8 characters of the names and the 8 that follow; a dot ends each name."""
    text = "." + ".".join(names) + "."
    codes = [".abcdefghijklmnopqrstuvwxyz".index(character) for character in text[:9]]
    return codes[:-1], codes[1:]


# ---------------------------------------------------------------------- a call


def neuron_peers() -> list[Peer]:
    """Return the peers for a neuron on one row: a call, and the statements of its code alone."""
    w, b = [Value(0.5), Value(-0.3)], Value(0.1)
    neuron = autograd.compile(lambda x: (w[0] * x[0] + w[1] * x[1] + b).tanh(), params=[*w, b])
    module = autograd.compile(nn.Neuron(2, "tanh", seed=0))
    row, theta = np.array([[1.0, 2.0]]), np.array([[0.5], [-0.3], [0.1]])
    wanted, _ = neuron(row), module(row)
    code: dict[str, Any] = {"np": np}
    exec(neuron.source, code)
    columns, parts, statements = row.T, code["parameters"](theta), code["compiled"]
    assert np.array_equal(statements(columns, theta, *parts, 1)[0], wanted)
    return [
        Peer("compiled", lambda: neuron(row)),
        Peer("compiled nn.Neuron", lambda: module(row)),
        Peer("its NumPy statements", lambda: statements(columns, theta, *parts, 1)),
    ]


def predict_peers(widths: list[int]) -> list[Peer]:
    """Return the peers for the outputs of a network for 10,000 rows."""
    model = nn.MLP(widths[0], widths[1:], seed=0)
    X = np.random.default_rng(0).normal(size=(10_000, widths[0]))
    outputs = autograd.compile(model)
    assert np.array_equal(model.predict(X), outputs(X))
    return [Peer("predict", lambda: model.predict(X)), Peer("compiled call", lambda: outputs(X))]


# ---------------------------------------------------------------------- an irregular graph


class Irregular(NamedTuple):
    """A random graph: for each node its operation and two operands among the earlier nodes."""

    inputs: int
    kinds: list[int]
    operands: list[tuple[int, int]]

    def run(self, x: list[Any], operations: list[Callable[[Any, Any], Any]]) -> list[Any]:
        """Compute the graph; return the nodes that no other node uses, so that all are needed."""
        nodes = list(x)
        used: set[int] = set()
        for kind, (a, b) in zip(self.kinds, self.operands):
            nodes.append(operations[kind](nodes[a], nodes[b]))
            used.update((a, b) if kind < 4 else (a,))
        return [node for i, node in enumerate(nodes) if i not in used]


def irregular(nodes: int, seed: int = 1) -> Irregular:
    """Draw a random graph with this many nodes over 16 inputs."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 6, nodes).tolist()
    operands = [tuple(rng.integers(0, 16 + i, 2).tolist()) for i in range(nodes)]
    return Irregular(16, kinds, operands)


def irregular_peers(nodes: int, rows: int) -> list[Peer]:
    """Return the peers for the value of a random graph on rows of inputs; CasADi if installed."""
    graph = irregular(nodes)
    X = np.random.default_rng(2).uniform(-1.0, 1.0, (rows, graph.inputs))
    ours = autograd.compile(
        lambda x: autograd.sum(
            graph.run(
                x,
                [
                    *(lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b),
                    *(lambda a, b: a.maximum(b), lambda a, _: a.tanh(), lambda a, _: a.sin()),
                ],
            )
        )
    )
    peers = [Peer("compiled", lambda: ours.mean(X))]
    try:
        import casadi
    except ImportError:
        return peers
    symbols = [casadi.SX.sym(f"x{i}") for i in range(graph.inputs)]
    found = graph.run(
        symbols,
        [
            *(lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b),
            *(casadi.fmax, lambda a, _: casadi.tanh(a), lambda a, _: casadi.sin(a)),
        ],
    )
    total = casadi.sum1(casadi.vertcat(*found))
    one = casadi.Function("f", [casadi.vertcat(*symbols)], [total])
    columns = casadi.DM(X.T)

    def mean(mapped: Any) -> Callable[[], float]:
        return lambda: float(casadi.sum2(mapped(columns))) / rows

    for name, mapped in (
        ("CasADi SX, mapped", one.map(rows)),
        ("CasADi SX, 2 threads", one.map(rows, "thread", 2)),
    ):
        peers.append(Peer(name, mean(mapped)))
        assert math.isclose(peers[0].step(), peers[-1].step(), rel_tol=1e-9)
    return peers


# ---------------------------------------------------------------------- compiling


def compiling_seconds(widths: tuple[int, ...]) -> dict[int, float]:
    """Measure the seconds to trace and compile a network's gradient, by its number of nodes."""
    found = {}
    for width in widths:
        model = nn.MLP(784, [width, 16, 10], seed=0)
        cost = cost_of(model)
        X, y = images()
        gc.collect()
        start = perf_counter()
        cost.value_and_grad(X, nn.one_hot(y, 10))
        found[len(autograd.trace(cost.graph)[0])] = perf_counter() - start
    return found


def compiling_memory_apart(width: int) -> float:
    """Measure `compiling_memory` in a process of its own, whose peak it is."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(compiling_memory, width).result()


def compiling_memory(width: int) -> float:
    """Measure the bytes a node that a network's gradient takes on the way, above its parameters."""
    cost = cost_of(nn.MLP(784, [width, 16, 10], seed=0))
    X, y = images()
    before = peak()
    cost.value_and_grad(X, nn.one_hot(y, 10))
    return (peak() - before) / len(autograd.trace(cost.graph)[0])


def peak() -> int:
    """Return the most bytes that this process has held, on Linux.

    `resource.getrusage` would count those of the process that started it, too.
    """
    status = Path("/proc/self/status").read_text("ascii")
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])  # type: ignore[index]


def memory(rows: int) -> tuple[float, float]:
    """Measure the peak memory of a 784-16-16-10 gradient, and count the bytes it must hold.

    It must hold the inputs, the parameters, the gradient, and for each row the values that the
    gradient needs: the weighted sums, the activations and the exponentials of the softmax.
    """
    X = np.random.default_rng(0).random((rows, 784))
    Y = nn.one_hot(np.arange(rows) % 10, 10)
    cost = cost_of(nn.MLP(784, [16, 16, 10], seed=0))
    cost.value_and_grad(X, Y)
    inputs = X.nbytes + Y.nbytes + 8.0 * 2 * len(cost.params)
    live = 8.0 * rows * (2 * 16 + 2 * 16 + 2 * 10 + 2)
    tracemalloc.start()
    cost.value_and_grad(X, Y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return inputs + peak, inputs + live


# ---------------------------------------------------------------------- MNIST


def mnist(folder: Path, seed: int = 0) -> tuple[float, float]:
    """Train on MNIST; return the accuracy on the 10,000 test digits, and the seconds taken.

    The network is 784-16-16-10 with leaky relu, written scalar by scalar. Adam takes batches of
    128 with a rate that falls along half a cosine. Most batches are shifted by one pixel left,
    right, up or down. The settings were chosen on 10,000 images held out of the first 60,000. The
    seconds count everything from building the model to its answers, compiling included.
    """
    X, y = idx.mnist(folder, "train")
    unseen, answers = idx.mnist(folder, "t10k")
    epochs, size = 10, 128
    start = perf_counter()
    model = nn.MLP(784, [16, 16, 10], "leaky_relu", seed=seed)
    cost = cost_of(model).while_unchanged()
    optimizer = nn.Adam(model.parameters(), lr=0.01, weight_decay=5e-5)
    schedule = nn.CosineAnnealingLR(optimizer, epochs)
    Y, rng = nn.one_hot(y, 10), np.random.default_rng(seed)
    for _ in range(epochs):
        order = rng.permutation(len(X))
        for first in range(0, len(X), size):
            batch = order[first : first + size]
            seen = X.take(batch, axis=0)
            if rng.random() < 0.7:
                seen = np.roll(seen, rng.choice([-1, 1, -28, 28]), axis=1)
            optimizer.step(cost.value_and_grad(seen, Y[batch])[1])
        schedule.step()
    said = autograd.compile(model)(unseen).argmax(axis=1)
    return float((said == answers).mean()), perf_counter() - start
