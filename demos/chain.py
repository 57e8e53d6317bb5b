"""Backpropagation on the simplest network: a chain with one neuron in each layer.

Every gradient is computed twice, from the lessons' formulas on plain floats and by the engine:

    z = w·a_prev + b      a = σ(z)      C = (a_last − y)²

    python -m demos.chain
    python -m demos.chain --activation tanh --layers 5 --interactive

Source: 3Blue1Brown, "Backpropagation calculus", Deep Learning chapter 4.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograd import Nudge, Value
from demos.lesson import heading, options, run
from demos.stepping import SteppingPrompt

TARGET = 1.0
NUDGE = 0.01
TITLE = "one neuron per layer"


@dataclass(frozen=True)
class Activation:
    """An activation on plain floats, with its derivative as the lessons write it."""

    symbol: str
    value: Callable[[float], float]
    slope: Callable[[float], float]
    formula: str  # the derivative, written in z and a


def sigmoid(z: float) -> float:
    """Compute 1/(1 + e⁻ᶻ)."""
    return 1.0 / (1.0 + math.exp(-z))


ACTIVATIONS = {
    "sigmoid": Activation("σ", sigmoid, lambda z: sigmoid(z) * (1.0 - sigmoid(z)), "a(1 − a)"),
    "tanh": Activation("tanh", math.tanh, lambda z: 1.0 - math.tanh(z) ** 2, "1 − a²"),
    "relu": Activation("relu", lambda z: max(0.0, z), lambda z: float(z > 0), "1 if z > 0 else 0"),
    "softplus": Activation("softplus", lambda z: math.log(1.0 + math.exp(z)), sigmoid, "σ(z)"),
}


@dataclass
class Chain:
    """A chain as a graph: lists of labelled nodes, from the input to the cost."""

    a: list[Value]
    w: list[Value]
    b: list[Value]
    z: list[Value]
    cost: Value

    @property
    def parameters(self) -> list[Value]:
        """Weights and biases, layer by layer."""
        return [p for pair in zip(self.w, self.b, strict=True) for p in pair]


def build(activation: str, layers: int, seed: int) -> Chain:
    """Build a chain with random weights, biases and input.

    >>> build("sigmoid", 3, seed=0).cost.label
    'C'
    """
    rng = random.Random(seed)
    a = [Value(round(rng.uniform(0.2, 1.0), 2), label="a0")]
    w, b, z = [], [], []
    for k in range(1, layers + 1):
        w.append(Value(round(rng.uniform(-2.0, 2.0), 2), label=f"w{k}"))
        b.append(Value(round(rng.uniform(-1.0, 1.0), 2), label=f"b{k}"))
        z.append(w[-1] * a[-1] + b[-1])
        z[-1].label = f"z{k}"
        a.append(getattr(z[-1], activation)())
        a[-1].label = f"a{k}"
    y = Value(TARGET).detach()
    y.label = "y"
    cost = (a[-1] - y) ** 2
    cost.label = "C"
    return Chain(a, w, b, z, cost)


@dataclass(frozen=True)
class Line:
    """One quantity, computed from the formulas and by the engine.

    Attributes:
        name: its name, such as `∂C/∂w3`.
        factors: its formula in names, such as `∂z3/∂w3 · ∂a3/∂z3 · ∂C/∂a3`.
        numbers: the same formula in numbers.
        formula: its value by the lessons' formulas, on plain floats.
        engine: its value by the engine.
    """

    name: str
    factors: str
    numbers: str
    formula: float
    engine: float

    @property
    def difference(self) -> float:
        """The absolute difference between the engine's value and the formula's."""
        return abs(self.engine - self.formula)

    @property
    def result(self) -> str:
        """The formula in numbers and its value, as text."""
        return f"{' ' * (len(self.name) + 3)}= {self.numbers} = {self.formula:.4g}"

    def written(self, width: int) -> str:
        """Return two lines: the formula, then its value (padded to `width`) and the engine's."""
        check = f"engine {self.engine:>10.4g}, off by {self.difference:.0e}"
        return f"  {self.name} = {self.factors}\n{self.result:<{width}}  {check}"


def product(name: str, factors: dict[str, float], engine: Value) -> Line:
    """Return the line of a gradient that is a product of named factors.

    >>> print(product("∂C/∂z", {"∂a/∂z": 0.25, "∂C/∂a": -0.5}, Value(0.0)).numbers)
    0.25 · -0.5
    """
    numbers = " · ".join(f"{factor:.4g}" for factor in factors.values())
    return Line(name, " · ".join(factors), numbers, math.prod(factors.values()), engine.grad)


def work_out(chain: Chain, activation: str) -> list[list[Line]]:
    """Compute every quantity of every layer both ways; the first layer comes first.

    The engine's numbers are read from the graph, so `backward` must have run. The formulas start
    from the numbers of the weights, biases and input, and use nothing else of the graph.
    """
    kind = ACTIVATIONS[activation]
    w, b = [p.data for p in chain.w], [p.data for p in chain.b]
    a, z = [chain.a[0].data], []
    for weight, bias in zip(w, b, strict=True):
        z.append(weight * a[-1] + bias)
        a.append(kind.value(z[-1]))

    layers: list[list[Line]] = []
    last = len(w)
    slope = 2.0 * (a[last] - TARGET)
    difference = f"2 · ({a[last]:.4g} − {TARGET:g})"
    by_activation = Line(f"∂C/∂a{last}", f"2(a{last} − y)", difference, slope, chain.a[last].grad)
    for k in range(last, 0, -1):
        weight, bias, before, z_k = w[k - 1], b[k - 1], a[k - 1], z[k - 1]
        upstream = {f"∂a{k}/∂z{k}": kind.slope(z_k), f"∂C/∂a{k}": by_activation.formula}
        by_previous = product(
            f"∂C/∂a{k - 1}", {f"∂z{k}/∂a{k - 1}": weight, **upstream}, chain.a[k - 1]
        )
        weighted = f"{weight:.4g} · {before:.4g} + {bias:.4g}"
        layers.append(
            [
                Line(f"z{k}", f"w{k} · a{k - 1} + b{k}", weighted, z_k, chain.z[k - 1].data),
                Line(
                    f"a{k}",
                    f"{kind.symbol}(z{k})",
                    f"{kind.symbol}({z_k:.4g})",
                    a[k],
                    chain.a[k].data,
                ),
                by_activation,
                product(f"∂C/∂z{k}", upstream, chain.z[k - 1]),
                product(f"∂C/∂w{k}", {f"∂z{k}/∂w{k}": before, **upstream}, chain.w[k - 1]),
                product(f"∂C/∂b{k}", {f"∂z{k}/∂b{k}": 1.0, **upstream}, chain.b[k - 1]),
                by_previous,
            ]
        )
        by_activation = by_previous
    return layers[::-1]


def descend(chain: Chain, steps: int, lr: float) -> list[float]:
    """Run plain gradient descent on weights and biases.

    Returns:
        The cost at the start and after each step.

    >>> costs = descend(build("sigmoid", 2, seed=0), steps=3, lr=1.0)
    >>> costs == sorted(costs, reverse=True)
    True
    """
    costs = [chain.cost.data]
    for _ in range(steps):
        chain.cost.zero_grad()
        chain.cost.backward()
        for p in chain.parameters:
            p.data -= lr * p.grad
        costs.append(chain.cost.recompute().data)
    return costs


def print_layers(layers: list[list[Line]], activation: str) -> None:
    """Print the formulas' values beside the engine's, starting at the last layer."""
    symbol, slope = ACTIVATIONS[activation].symbol, ACTIVATIONS[activation].formula
    print(heading("Forwards and backwards, by the formulas and by the engine"))
    print(f"z = w·a_prev + b    a = {symbol}(z)    C = (a{len(layers)} − y)², y = {TARGET:g}")
    print(f"∂z/∂w = a_prev    ∂z/∂b = 1    ∂z/∂a_prev = w    ∂a/∂z = {slope}")
    width = max(len(line.result) for lines in layers for line in lines)
    for k, lines in reversed(list(enumerate(layers, 1))):
        print(f"\nlayer {k}")
        for line in lines:
            print(line.written(width))


def print_nudges(nudges: list[Nudge]) -> None:
    """Print for each nudge the predicted change of the cost and the actual one."""
    print(heading(f"Nudge each parameter by {NUDGE:g}: the change of C, predicted and actual"))
    print(f"{'':6}{'gradient':>12}{'predicted ΔC':>16}{'actual ΔC':>16}{'off by':>12}")
    for nudge in nudges:
        gap = nudge.actual - nudge.predicted
        print(
            f"{nudge.node.label:6}{nudge.gradient:>12.4g}{nudge.predicted:>16.4g}"
            f"{nudge.actual:>16.4g}{gap:>12.1e}"
        )


def print_descent(costs: list[float], lr: float) -> None:
    """Print the cost after each step as a number and a bar."""
    print(heading(f"Gradient descent, lr = {lr:g}: every parameter moves by −lr × its gradient"))
    widest = max(costs) or 1.0
    for i, cost in enumerate(costs):
        print(f"step {i:>3}   C = {cost:<12.6g}{'█' * round(48 * cost / widest)}".rstrip())


def main(
    activation: str = "sigmoid",
    layers: int = 3,
    seed: int = 0,
    steps: int = 10,
    lr: float = 2.0,
    out: str | Path = "out",
    interactive: bool = False,
) -> dict[str, Any]:
    """Print the lesson, draw it, and return its numbers.

    Args:
        activation: one of `ACTIVATIONS`.
        layers: number of neurons after the input.
        seed: seed of the random weights, biases and input.
        steps: number of steps of gradient descent.
        lr: the learning rate.
        out: the folder for `chain.svg`, `chain.png` and `chain.html`.
        interactive: whether to start the stepper's prompt before any gradient is printed.

    Returns:
        `layers` (lists of `Line`), `nudges`, `sensitivity`, `costs`, and the paths of the
        `pictures` and the `page`.
    """
    chain = build(activation, layers, seed)
    chain.cost.backward()
    neurons = " → ".join(f"a{k}" for k in range(layers + 1))
    print(f"One neuron per layer: {neurons} → C")
    if interactive:
        SteppingPrompt(chain.cost).converse()
    worked = work_out(chain, activation)
    print_layers(worked, activation)
    print(heading("Why the gradient of w1 has this value: explain()"))
    print(chain.cost.explain("w1"))
    nudges = [chain.cost.nudge(p, NUDGE) for p in chain.parameters]
    print_nudges(nudges)
    sensitivity = chain.cost.sensitivity()
    print(heading("Which leaf changes the cost most: the leaves by size of gradient"))
    print(sensitivity)
    drawing = chain.cost.draw()
    pictures = [drawing.render(Path(out) / f"chain.{kind}") for kind in ("svg", "png")]
    page = chain.cost.save_html(
        Path(out) / "chain.html",
        parameters=chain.parameters,
        lr=lr,
        title=TITLE,
    )
    costs = descend(chain, steps, lr)
    print_descent(costs, lr)
    print(f"\nThe drawing: {' and '.join(pictures)}")
    print(f"A page that plays both passes step by step, for any browser: {page}")
    return {
        "layers": worked,
        "nudges": nudges,
        "sensitivity": sensitivity,
        "costs": costs,
        "pictures": pictures,
        "page": page,
    }


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse and check the command line's options."""
    parser = options(
        main,
        "Backpropagation through one neuron per layer, number by number.",
        layers="neurons after the input",
        steps="steps of gradient descent",
        lr="learning rate",
    )
    parser.add_argument("--activation", choices=ACTIVATIONS, help="activation of all neurons")
    parser.add_argument("--interactive", action="store_true", help="start the stepper's prompt")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    run(main, parsed)
