"""Backpropagation on the simplest network: a chain with one neuron in each layer.

Every gradient is computed twice, from the lessons' formulas on plain floats and by the engine:

    z = w·a_prev + b      a = σ(z)      C = (a_last − y)²

    python -m demos.chain
    python -m demos.chain --activation tanh --layers 5 --interactive

Source: 3Blue1Brown, "Backpropagation calculus", Deep Learning chapter 4.
"""

from __future__ import annotations

import argparse
import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograd import Nudge, Value
from demos.lesson import Lesson, options, run
from demos.stepping import SteppingPrompt

TARGET = 1.0
NUDGE = 0.01
RATES = (0.02, 0.35, 1.1)  # too small, right, too large
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


def print_layer(k: int, lines: list[Line], width: int) -> None:
    """Print the formulas' values of layer k beside the engine's."""
    print(f"layer {k}")
    for line in lines:
        print(line.written(width))


def show_formulas(lesson: Lesson, chain: Chain, activation: str) -> list[list[Line]]:
    """Print the formulas beside the engine, the last layer first; return all lines by layer."""
    worked = work_out(chain, activation)
    width = max(len(line.result) for lines in worked for line in lines)
    symbol, slope = ACTIVATIONS[activation].symbol, ACTIVATIONS[activation].formula
    last = len(worked)
    with lesson.section("The last layer, by the formulas and by the engine"):
        print(f"z = w·a_prev + b    a = {symbol}(z)    C = (a{last} − y)², y = {TARGET:g}")
        print(f"∂z/∂w = a_prev    ∂z/∂b = 1    ∂z/∂a_prev = w    ∂a/∂z = {slope}")
        print_layer(last, worked[-1], width)
        every = [line for lines in worked for line in lines]
        lesson.claim(
            "the_engine_computes_what_the_formulas_say",
            "The engine's numbers are those of the formulas, in every layer.",
            all(line.difference <= 1e-12 * max(1.0, abs(line.formula)) for line in every),
        )
        lesson.claim(
            "a_weight_matters_by_the_activation_before_it",
            "∂C/∂w is a_prev · ∂C/∂b: the larger the activation before, the more w matters.",
            all(
                math.isclose(w.grad, a.data * b.grad, rel_tol=1e-9, abs_tol=1e-300)
                for w, a, b in zip(chain.w, chain.a[:-1], chain.b, strict=True)
            ),
        )
    with lesson.section("The layers before it: the same rule again", more=True):
        for k in range(last - 1, 0, -1):
            print_layer(k, worked[k - 1], width)
    return worked


def show_path(lesson: Lesson, chain: Chain) -> None:
    """Explain the gradient of the first weight as one product."""
    explanation = chain.cost.explain("w1")
    print(explanation)
    (path,) = explanation.paths
    named = [node for node in path.nodes if node.label]
    lesson.claim(
        "each_layer_adds_factors_to_the_chain_rule",
        "The gradient of w1 is one product: each further layer adds two factors, ∂a/∂z and ∂z/∂a.",
        len(named) - 1 == 2 * len(chain.w) + 1
        and math.isclose(path.product, chain.w[0].grad, rel_tol=1e-9, abs_tol=1e-300),
    )


def show_ratios(lesson: Lesson, chain: Chain) -> list[float]:
    """Show that ΔC/Δw tends to ∂C/∂w for smaller and smaller Δw; return the ratios."""
    w = chain.w[-1]
    sizes = (0.1, 0.01, 0.001)
    ratios = [chain.cost.nudge(w, size).actual / size for size in sizes]
    for size, ratio in zip(sizes, ratios, strict=True):
        print(f"Δ{w.label} = {size:<6g} ΔC/Δ{w.label} = {ratio:.7f}   off by {ratio - w.grad:+.1e}")
    print(f"∂C/∂{w.label}{'':16}= {w.grad:.7f}")
    gaps = [abs(ratio - w.grad) for ratio in ratios]
    lesson.claim(
        "a_derivative_is_a_ratio_of_small_changes",
        "∂C/∂w is the ratio of a small change of C to the small change of w that caused it.",
        gaps[2] <= gaps[1] <= gaps[0] and gaps[2] <= 1e-3 * max(abs(w.grad), 1e-12),
    )
    return ratios


def show_nudges(lesson: Lesson, chain: Chain, lr: float) -> list[Nudge]:
    """Print the parameters, their gradients, nudges and new values, as the lessons do.

    Returns:
        For each parameter what happens to C if it alone moves by `NUDGE`.
    """
    nudges = [chain.cost.nudge(p, NUDGE) for p in chain.parameters]
    largest = max(abs(p.grad) for p in chain.parameters) or 1.0
    heads = f"{'':4}{'value':>8}{'∂C/∂p':>11}{f'−{lr:g} · ∂C/∂p':>12}{'new value':>11}"
    print(f"{heads}{'ΔC if +0.01':>13}   by |∂C/∂p|")
    for p, nudge in zip(chain.parameters, nudges, strict=True):
        step = -lr * p.grad
        bar = "█" * round(16 * abs(p.grad) / largest)
        print(
            f"{p.label:4}{p.data:>8.2f}{p.grad:>11.4g}{step:>12.4f}{p.data + step:>11.4f}"
            f"{nudge.actual:>13.2e}   {bar}".rstrip()
        )
    lesson.claim(
        "the_gradient_predicts_the_change_of_the_cost",
        "A small nudge of a parameter changes C by its gradient times the nudge.",
        all(math.isclose(n.actual, n.predicted, rel_tol=0.05, abs_tol=1e-9) for n in nudges),
    )
    lesson.claim(
        "the_nudge_is_against_the_gradient",
        "The gradient says which way is up; the nudge −lr · ∂C/∂p goes down, alone as well.",
        all(chain.cost.nudge(p, -1e-3 * lr * p.grad).actual <= 0.0 for p in chain.parameters),
    )
    by_gradient = sorted(nudges, key=lambda n: abs(n.gradient))
    lesson.claim(
        "the_largest_gradient_is_the_best_bargain",
        "The larger a parameter's gradient, the more the same small nudge changes C.",
        by_gradient == sorted(nudges, key=lambda n: abs(n.actual)),
    )
    return nudges


def show_descent(lesson: Lesson, chain: Chain, steps: int, lr: float) -> list[float]:
    """Print the cost after each step of gradient descent as a number and a bar."""
    costs = descend(chain, steps, lr)
    widest = max(costs) or 1.0
    for i, cost in enumerate(costs):
        print(f"step {i:>3}   C = {cost:<12.6g}{'█' * round(48 * cost / widest)}".rstrip())
    lesson.claim(
        "many_nudges_lower_the_cost",
        "Nudge after nudge, the cost falls.",
        all(b < a for a, b in itertools.pairwise(costs)),
    )
    return costs


def show_rates(lesson: Lesson, steps: int = 8) -> dict[float, list[float]]:
    """Descend one cost, C = (w·x − y)², with three learning rates; return w by learning rate."""
    walks: dict[float, list[float]] = {}
    for lr in RATES:
        w, x = Value(0.0, label="w"), Value(1.0, label="x")
        cost = (w * x - TARGET) ** 2
        walks[lr] = [w.data]
        for _ in range(steps):
            cost.zero_grad()
            cost.backward()
            w.data -= lr * w.grad
            cost.recompute()
            walks[lr].append(w.data)
    print("step " + "".join(f"{f'w, lr = {lr:g}':>14}" for lr in RATES))
    for k, row in enumerate(zip(*walks.values(), strict=True)):
        print(f"{k:>4} " + "".join(f"{w:>14.4f}" for w in row))
    small, right, large = ([w - TARGET for w in walk] for walk in walks.values())
    lesson.claim(
        "too_small_a_learning_rate_creeps",
        "Too small a learning rate creeps: most of the way is still to go.",
        abs(small[-1]) > 0.5 * abs(small[0]),
    )
    lesson.claim(
        "a_right_learning_rate_arrives",
        "A right learning rate arrives at the bottom of the valley.",
        abs(right[-1]) < 1e-3,
    )
    lesson.claim(
        "too_large_a_learning_rate_jumps_over_the_valley",
        "Too large a learning rate jumps over the valley from side to side, and climbs.",
        all(a * b < 0.0 and abs(b) > abs(a) for a, b in itertools.pairwise(large)),
    )
    return walks


def show_two_neurons(lesson: Lesson, activation: str) -> tuple[float, ...]:
    """Explain a gradient through two neurons of one layer; return the products of its paths."""
    x = Value(0.5, label="x")
    hidden = []
    for k, weight in enumerate((0.8, -1.2)):
        a: Value = getattr(Value(weight, label=f"u{k}") * x, activation)()
        a.label = f"a{k}"
        hidden.append(a)
    out = Value(0.7, label="v0") * hidden[0] + Value(0.4, label="v1") * hidden[1]
    out.label = "out"
    out.backward()
    explanation = out.explain("x")
    print(explanation)
    products = tuple(path.product for path in explanation.paths)
    lesson.claim(
        "paths_add_where_a_layer_has_several_neurons",
        "An activation reaches C through every neuron of the next layer: the paths add up.",
        len(products) == 2 and math.isclose(sum(products), x.grad, rel_tol=1e-9, abs_tol=1e-300),
    )
    return products


def main(
    activation: str = "sigmoid",
    layers: int = 3,
    seed: int = 0,
    steps: int = 10,
    lr: float = 2.0,
    out: str | Path = "out",
    interactive: bool = False,
    more: bool = False,
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
        more: True to show the sections that are hidden by default.

    Returns:
        `layers` (lists of `Line`), `ratios`, `nudges`, `sensitivity`, `costs`, `rates` (w by
        learning rate), `products` (of the paths through two neurons), `claims`, `sections`, and
        the paths of the `pictures` and the `page`.
    """
    lesson, chain = Lesson(more), build(activation, layers, seed)
    chain.cost.backward()
    neurons = " → ".join(f"a{k}" for k in range(layers + 1))
    print(f"One neuron per layer: {neurons} → C")
    if interactive:
        SteppingPrompt(chain.cost).converse()
    worked = show_formulas(lesson, chain, activation)
    with lesson.section("Why the gradient of w1 has this value: explain()"):
        show_path(lesson, chain)
    with lesson.section("A derivative is a ratio", more=True):
        ratios = show_ratios(lesson, chain)
    with lesson.section("Parameters, gradients and nudges −lr · ∂C/∂p"):
        nudges = show_nudges(lesson, chain, lr)
    sensitivity = chain.cost.sensitivity()
    with lesson.section("The leaves by size of gradient: sensitivity()", more=True):
        print(sensitivity)
    drawing = chain.cost.draw()
    pictures = [drawing.render(Path(out) / f"chain.{kind}") for kind in ("svg", "png")]
    page = chain.cost.save_html(
        Path(out) / "chain.html",
        parameters=chain.parameters,
        lr=lr,
        title=TITLE,
    )
    with lesson.section("Gradient descent: such nudges again and again"):
        costs = show_descent(lesson, chain, steps, lr)
    with lesson.section("Three learning rates on one cost, C = (w·x − y)²"):
        rates = show_rates(lesson)
    with lesson.section("Two neurons in a layer", more=True):
        products = show_two_neurons(lesson, activation)
    lesson.end(pictures, page)
    return {
        "layers": worked,
        "ratios": ratios,
        "nudges": nudges,
        "sensitivity": sensitivity,
        "costs": costs,
        "rates": rates,
        "products": products,
        "claims": lesson.claims,
        "sections": lesson.sections,
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
