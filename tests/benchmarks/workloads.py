"""The workloads of the benchmarks, each written once for all engines.

All engines get the same random numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Any, NamedTuple

from .engines import Engine

CHAIN = 500  # products, few enough for micrograd's recursion

Scalar = Any  # a Value of any engine
Vector = list[Scalar]
Matrix = list[Vector]


class Problem(NamedTuple):
    """Parameters, and a function that builds the graph of their loss."""

    parameters: Vector
    loss: Callable[[], Scalar]


def train_once(problem: Problem) -> Scalar:
    """Run a training step without the update: zero the gradients, then forward and backward."""
    for parameter in problem.parameters:
        parameter.grad = 0.0
    loss = problem.loss()
    loss.backward()
    return loss


# ---------------------------------------------------------------------- layers of neurons


class Layer(NamedTuple):
    """The weights and the bias of each neuron of a layer."""

    weights: Matrix
    biases: Vector


def dense(value: Callable[[float], Scalar], random: Random, sizes: list[int]) -> list[Layer]:
    """Build the layers of a fully connected network."""
    return [
        Layer(
            [[value(random.uniform(-1, 1) / inputs**0.5) for _ in range(inputs)] for _ in range(n)],
            [value(0.0) for _ in range(n)],
        )
        for inputs, n in pairwise(sizes)
    ]


def activate(layers: list[Layer], x: Vector) -> Vector:
    """Compute the outputs of a network, with relu after each layer but the last."""
    for i, (weights, biases) in enumerate(layers):
        x = [sum((w * xi for w, xi in zip(row, x)), b) for row, b in zip(weights, biases)]
        if i < len(layers) - 1:
            x = [out.relu() for out in x]
    return x


def parameters_of(layers: list[Layer]) -> Vector:
    """Return all weights and biases."""
    return [p for weights, biases in layers for row in (*weights, biases) for p in row]


def network(engine: Engine) -> Problem:
    """Build a 2-16-16-1 network with the hinge loss on 100 points."""
    random = Random(1)
    layers = dense(engine.Value, random, [2, 16, 16, 1])
    points = [(random.uniform(-1, 1), random.uniform(-1, 1)) for _ in range(100)]

    def loss() -> Scalar:
        hinges = []
        for point in points:
            side = 1.0 if point[0] * point[1] > 0 else -1.0
            (score,) = activate(layers, [engine.Value(x) for x in point])
            hinges.append((1.0 - side * score).relu())
        return sum(hinges) / len(hinges)

    return Problem(parameters_of(layers), loss)


def network_of_floats() -> Callable[[], float]:
    """Return the same loss on plain floats, without gradients: what the loops alone take."""
    random = Random(1)
    layers = dense(float, random, [2, 16, 16, 1])
    points = [(random.uniform(-1, 1), random.uniform(-1, 1)) for _ in range(100)]

    def loss() -> float:
        hinges = []
        for point in points:
            side = 1.0 if point[0] * point[1] > 0 else -1.0
            x = list(point)
            for i, (weights, biases) in enumerate(layers):
                x = [sum((w * xi for w, xi in zip(row, x)), b) for row, b in zip(weights, biases)]
                if i < len(layers) - 1:
                    x = [out if out > 0.0 else 0.0 for out in x]
            score = 1.0 - side * x[0]
            hinges.append(score if score > 0.0 else 0.0)
        return sum(hinges) / len(hinges)

    return loss


def by_hand(engine: Engine) -> Problem:
    """Build a chain of products that the program makes by hand, each with a `_backward`."""
    x, w = engine.Value(1.0), engine.Value(1.0001)

    def product(a: Scalar, b: Scalar) -> Scalar:
        out = engine.Value(a.data * b.data, (a, b), "*")

        def _backward() -> None:
            a.grad += b.data * out.grad
            b.grad += a.data * out.grad

        out._backward = _backward
        return out

    def loss() -> Scalar:
        out = x
        for _ in range(CHAIN):
            out = product(out, w)
        return out

    return Problem([x, w], loss)


def by_derivatives(engine: Engine) -> Problem:
    """Build the same chain, for micrograd as it is, and with local derivatives for the others."""
    if engine.Value.__module__.startswith("micrograd"):
        return by_hand(engine)
    x, w = engine.Value(1.0), engine.Value(1.0001)

    def loss() -> Scalar:
        out = x
        for _ in range(CHAIN):
            out = engine.Value(out.data * w.data, (out, w), (w.data, out.data))
        return out

    return Problem([x, w], loss)


def image(engine: Engine) -> Problem:
    """Build a 784-16-16-10 network with the squared error of one image."""
    random = Random(2)
    layers = dense(engine.Value, random, [784, 16, 16, 10])
    pixels = [random.random() for _ in range(784)]
    target = [1.0 if digit == 3 else 0.0 for digit in range(10)]

    def loss() -> Scalar:
        out = activate(layers, [engine.Value(pixel) for pixel in pixels])
        return sum((o - t) ** 2 for o, t in zip(out, target))

    return Problem(parameters_of(layers), loss)


# ---------------------------------------------------------------------- a tiny GPT

WIDTH, HEADS, VOCABULARY = 16, 4, 27
HEAD = WIDTH // HEADS


def gpt(engine: Engine) -> Problem:
    """Build a one-layer GPT, 16 wide with 4 heads, that predicts 8 characters of 27."""
    random = Random(3)
    tokens = [random.randrange(VOCABULARY) for _ in range(9)]

    def matrix(rows: int, columns: int) -> Matrix:
        return [[engine.Value(random.gauss(0, 0.2)) for _ in range(columns)] for _ in range(rows)]

    model = {
        "token": matrix(VOCABULARY, WIDTH),
        "position": matrix(8, WIDTH),
        **{name: matrix(WIDTH, WIDTH) for name in ("query", "key", "value", "mix")},
        "widen": matrix(4 * WIDTH, WIDTH),
        "narrow": matrix(WIDTH, 4 * WIDTH),
        "predict": matrix(VOCABULARY, WIDTH),
    }

    def loss() -> Scalar:
        keys: Matrix = []
        values: Matrix = []
        surprises = []
        for position, (token, following) in enumerate(pairwise(tokens)):
            x = added(model["token"][token], model["position"][position])
            logits = predicted(engine, model, normalised(x), keys, values)
            surprises.append(-engine.log(softmax(engine, logits)[following]))
        return sum(surprises) / len(surprises)

    return Problem([p for m in model.values() for row in m for p in row], loss)


def predicted(
    engine: Engine, model: dict[str, Matrix], x: Vector, keys: Matrix, values: Matrix
) -> Vector:
    """Compute the logits of the character after `x`; append to `keys` and `values`."""
    normal = normalised(x)
    query = linear(model["query"], normal)
    keys.append(linear(model["key"], normal))
    values.append(linear(model["value"], normal))
    heads = [
        attended(engine, *(cut(m, start) for m in ([query], keys, values)))
        for start in range(0, WIDTH, HEAD)
    ]
    x = added(x, linear(model["mix"], [h for head in heads for h in head]))
    hidden = [h.relu() for h in linear(model["widen"], normalised(x))]
    x = added(x, linear(model["narrow"], hidden))
    return linear(model["predict"], x)


def cut(rows: Matrix, start: int) -> Matrix:
    """Return the part of each row that one head uses."""
    return [row[start : start + HEAD] for row in rows]


def attended(engine: Engine, query: Matrix, keys: Matrix, values: Matrix) -> Vector:
    """Compute one head: the mean of the values so far, weighted by the match of key and query."""
    scores = [score / HEAD**0.5 for score in linear(keys, query[0])]
    weights = softmax(engine, scores)
    return linear([list(column) for column in zip(*values)], weights)


def linear(weights: Matrix, x: Vector) -> Vector:
    """Compute the product of a matrix and a vector."""
    return [sum(w * xi for w, xi in zip(row, x)) for row in weights]


def added(a: Vector, b: Vector) -> Vector:
    """Compute the sum of two vectors."""
    return [ai + bi for ai, bi in zip(a, b)]


def normalised(x: Vector) -> Vector:
    """Compute RMSNorm: divide a vector by the root of its mean square."""
    scale = (sum(xi * xi for xi in x) / len(x) + 1e-5) ** -0.5
    return [xi * scale for xi in x]


def softmax(engine: Engine, logits: Vector) -> Vector:
    """Compute the softmax of logits."""
    largest = max(logit.data for logit in logits)
    exponentials = [engine.exp(logit - largest) for logit in logits]
    total = sum(exponentials)
    return [e / total for e in exponentials]
