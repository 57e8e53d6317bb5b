"""Logic gates: AND, OR and NOT with one neuron, XOR with three.

A perceptron answers 1 where w·x + b > 0. Its rule changes the weights only after a mistake:

    w ← w + (y − a)·x      b ← b + (y − a)

Gradient descent on the cross-entropy of a sigmoid changes the weights after every point, in
proportion to the error:

    w ← w − lr·(a − y)·x   b ← b − lr·(a − y)

Both draw one straight line, so neither can learn XOR. Two hidden neurons draw two lines.

    python -m demos.gates

Sources: Rosenblatt, "The perceptron", Psychological Review 65 (1958); Minsky and Papert,
"Perceptrons" (1969).
"""

from __future__ import annotations

import argparse
import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import nn
from autograd import sigmoid
from demos.lesson import Lesson, options, run, save, save_drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAIRS = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
GATES: dict[str, tuple[list[list[float]], list[int]]] = {
    "AND": (PAIRS, [0, 0, 0, 1]),
    "OR": (PAIRS, [0, 1, 1, 1]),
    "NOT": ([[0.0], [1.0]], [1, 0]),
    "XOR": (PAIRS, [0, 1, 1, 0]),
}
NAMES = {  # of the gates that one line can draw, by their answers to `PAIRS`
    (0, 0, 0, 1): "AND",
    (0, 1, 1, 1): "OR",
    (1, 1, 1, 0): "NAND",
    (1, 0, 0, 0): "NOR",
    (0, 0, 1, 0): "x1 AND NOT x2",
    (0, 1, 0, 0): "x2 AND NOT x1",
    (1, 0, 1, 1): "x1 OR NOT x2",
    (1, 1, 0, 1): "x2 OR NOT x1",
}
STEPPED, LR = (1.0, 1.0, -0.5), 0.1  # a line that is wrong about two points of AND, and a step
LINES = 10_000  # random lines that are tried on XOR
Weights = tuple[float, float, float]
"""w₁, w₂ and b."""


@dataclass(frozen=True)
class Learned:
    """The result of learning one gate.

    Attributes:
        model: the trained model.
        outputs: its output for each row of the truth table.
        right: whether every row is right.
        shown: how many times a row was shown to it.
        mistakes: how many of these times its answer was wrong.
        moved: how many of these times its weights changed.
    """

    model: nn.Neuron
    outputs: list[float]
    right: bool
    shown: int
    mistakes: int
    moved: int


@dataclass(frozen=True)
class Advice:
    """What a point tells the line, by one way of learning.

    Attributes:
        move: by how much b changes; w changes by `move` times the point.
        before: the weighted sum at the point, counted positive on the point's own side.
        after: the same after the change.
    """

    move: float
    before: float
    after: float

    def __str__(self) -> str:
        if not self.move:
            return "nothing"
        return "come closer" if self.before < 0 else "go farther"


def by_rule(gate: str, passes: int, seed: int) -> Learned:
    """Train one perceptron by its rule until a pass has no mistake.

    >>> by_rule("AND", 50, seed=0).right
    True
    """
    X, y = GATES[gate]
    rng = random.Random(f"{gate}, {seed}")
    neuron = nn.Neuron(len(X[0]), "step", init="uniform", seed=rng)
    neuron.b.data = rng.uniform(-1.0, 1.0)
    shown = mistakes = moved = 0
    for _ in range(passes):
        before = mistakes
        for x, wanted in zip(X, y, strict=True):
            weights = [p.data for p in neuron.parameters()]
            mistake = wanted - neuron(x).data
            for w, xi in zip(neuron.w, x, strict=True):
                w.data += mistake * xi
            neuron.b.data += mistake
            shown += 1
            mistakes += bool(mistake)
            moved += [p.data for p in neuron.parameters()] != weights
        if mistakes == before:
            break
    return compare_with_table(neuron, gate, shown, mistakes, moved)


def by_descent(gate: str, epochs: int, seed: int) -> Learned:
    """Train one sigmoid neuron by stochastic gradient descent on the cross-entropy.

    >>> by_descent("OR", 100, seed=0).right
    True
    """
    X, y = GATES[gate]
    neuron = nn.Neuron(len(X[0]), "sigmoid", seed=seed)
    optimizer, rng = nn.SGD(neuron.parameters(), lr=1.0), random.Random(seed)
    mistakes = moved = 0
    for _ in range(epochs):
        for i in rng.sample(range(len(X)), len(X)):
            before = optimizer.read()
            optimizer.zero_grad()
            a = neuron(X[i])
            nn.binary_cross_entropy(a, y[i]).backward()
            optimizer.step()
            mistakes += (a.data > 0.5) != y[i]
            moved += bool((optimizer.read() != before).any())
    return compare_with_table(neuron, gate, epochs * len(X), mistakes, moved)


def with_hidden_neurons(epochs: int, seed: int, starts: int = 5) -> nn.MLP:
    """Train a 2-2-1 network on XOR from several random starts and keep the best.

    Some starts get stuck.
    """
    network = nn.MLP(2, [2, 1], "tanh", seed=seed)
    optimizer = nn.SGD(network.parameters(), lr=0.3, momentum=0.9)
    trainer = nn.Trainer(network, nn.binary_cross_entropy_with_logits, optimizer)
    trainer.restarts(starts, *GATES["XOR"], epochs, None, seed=seed * starts)
    return network


def compare_with_table(
    model: nn.Neuron, gate: str, shown: int, mistakes: int, moved: int
) -> Learned:
    """Compare a trained model with the truth table."""
    X, y = GATES[gate]
    outputs = model.predict(X).tolist()
    right = [(output > 0.5) == bool(wanted) for output, wanted in zip(outputs, y, strict=True)]
    return Learned(model, outputs, all(right), shown, mistakes, moved)


def advice(weights: Weights, x: list[float], y: int, learned_by: str) -> Advice:
    """Compute what a point tells the line that these weights draw.

    >>> str(advice((1.0, 1.0, -0.5), [1.0, 0.0], 0, "rule"))
    'come closer'
    """
    w, b = np.array(weights[:2]), weights[2]
    z = float(w @ x + b)
    a = float(z > 0) if learned_by == "rule" else sigmoid(z)
    move = LR * (y - a)
    side = 1 if y else -1
    return Advice(move, side * z, side * (z + move * (float(np.dot(x, x)) + 1.0)))


def show_perceptron(lesson: Lesson, learned: Learned) -> None:
    """Write out how the perceptron that learned AND answers, with its bias in both forms."""
    neuron = learned.model
    assert isinstance(neuron, nn.Neuron)
    (w1, w2), b = (w.data for w in neuron.w), neuron.b.data
    print("Like a nerve cell: the dendrites bring the inputs in, the cell body adds them up,")
    print("and the axon passes on whether the cell fires.\n")
    sums = []
    for x1, x2 in PAIRS:
        z = w1 * x1 + w2 * x2 + b
        sums.append((z, sum(w * x for w, x in ((w1, x1), (w2, x2), (b, 1.0)))))
        print(
            f"{w1:.3g}·{x1:.0f} + {w2:.3g}·{x2:.0f} + ({b:.3g}) = {z:6.3f}   a = {float(z > 0):.0f}"
        )
    lesson.claim(
        "a_perceptron_fires_if_its_weighted_sum_is_positive",
        "A perceptron weighs its inputs, adds a bias, and answers 1 if the sum is positive.",
        [float(z > 0) for z, _ in sums] == learned.outputs,
    )
    lesson.claim(
        "a_bias_is_the_weight_of_an_input_of_one",
        "A bias is the weight of one more input that is always 1: the sum is the same.",
        all(np.isclose(z, again) for z, again in sums),
    )


def show_gates(lesson: Lesson, rule: dict[str, Learned], descent: dict[str, Learned]) -> None:
    """Print for each gate how often each way changed the weights, and whether it is right."""
    print(f"{'':6}{'the rule moved':>18}{'all right':>11}{'descent moved':>20}{'all right':>11}")
    for gate in GATES:
        cells = (
            f"{f'{one.moved} of {one.shown} times':>{width}}{'yes' if one.right else 'no':>11}"
            for one, width in ((rule[gate], 18), (descent[gate], 20))
        )
        print(f"{gate:6}{''.join(cells)}")
    simple = [gate for gate in GATES if gate != "XOR"]
    lesson.claim(
        "one_neuron_learns_and_or_and_not",
        "One neuron learns AND, OR and NOT: one straight line separates 1 from 0.",
        all(rule[gate].right and descent[gate].right for gate in simple),
    )
    lesson.claim(
        "the_rule_moves_only_after_a_mistake",
        "The perceptron's rule moves the line only after a mistake.",
        all(rule[gate].moved == rule[gate].mistakes < rule[gate].shown for gate in simple),
    )
    lesson.claim(
        "descent_moves_after_every_point",
        "Gradient descent moves the line after every point, right or wrong.",
        all(descent[gate].mistakes < descent[gate].moved == descent[gate].shown for gate in simple),
    )


def show_advice(lesson: Lesson) -> dict[str, list[Advice]]:
    """Show what the four points of AND tell a line that is wrong about two of them."""
    X, y = GATES["AND"]
    w1, w2, b = STEPPED
    told = {way: [advice(STEPPED, x, t, way) for x, t in zip(X, y)] for way in ("rule", "descent")}
    print(
        f"The line {w1:g}·x1 + {w2:g}·x2 − {-b:g} = 0, and a step with lr = {LR:g} by each point:\n"
    )
    heads = "".join(f"   {way + ' says':<13}{'by':>7}" for way in ("the rule", "descent"))
    print(f"{'point':>6}{'y':>4}{'ŷ':>4}{heads}")
    for x, wanted, one, other in zip(X, y, *told.values(), strict=True):
        answer = wanted if one.before > 0 else 1 - wanted
        print(
            f"({x[0]:.0f}, {x[1]:.0f}){wanted:>4}{answer:>4}   {one!s:<13}{one.move:>+7.3f}"
            f"   {other!s:<13}{other.move:>+7.3f}"
        )
    wrong = [i for i, one in enumerate(told["rule"]) if one.before < 0]
    right = [i for i, one in enumerate(told["rule"]) if one.before > 0]
    lesson.claim(
        "a_right_point_tells_the_rule_nothing",
        "For the rule, a point on the right side says nothing.",
        len(right) > 0 and all(told["rule"][i].move == 0.0 for i in right),
    )
    lesson.claim(
        "a_wrong_point_asks_the_line_to_come_closer",
        "A point on the wrong side asks the line to come closer.",
        len(wrong) > 0
        and all(one[i].before < one[i].after for one in told.values() for i in wrong),
    )
    lesson.claim(
        "for_descent_a_right_point_asks_the_line_to_go_farther",
        "For descent, a point on the right side asks the line to go farther away.",
        all(0.0 < told["descent"][i].before < told["descent"][i].after for i in right),
    )
    lesson.claim(
        "a_wrong_point_moves_the_line_more",
        "For descent, a point on the wrong side moves the line more than one on the right side.",
        min(abs(told["descent"][i].move) for i in wrong)
        > max(abs(told["descent"][i].move) for i in right),
    )
    return told


def show_biases(lesson: Lesson) -> list[float]:
    """Show where a neuron with one input fires, for several biases."""
    places = []
    print(f"{'b':>6}   fires where x + b > 0")
    for b in (-2.0, 0.0, 2.0):
        neuron = nn.Neuron(1, "step")
        neuron.load_state_dict({"w": [1.0], "b": b})
        along = np.linspace(-4.0, 4.0, 17)
        fires = neuron.predict(along[:, None])
        places.append(float(along[fires > 0][0]))
        bar = "".join("█" if a else "·" for a in fires)
        print(f"{b:>6g}   {bar}   x from {along[0]:g} to {along[-1]:g}")
    lesson.claim(
        "a_bias_shifts_where_a_neuron_fires",
        "A bias shifts where a neuron fires: a negative one makes it harder to fire.",
        places == sorted(places, reverse=True) and len(set(places)) == len(places),
    )
    return places


def show_one_line(lesson: Lesson, rule: Learned, descent: Learned, seed: int) -> int:
    """Show that no line solves XOR; return how many rows the best of many random lines gets."""
    rng = np.random.default_rng(seed)
    X, y = np.array(PAIRS), np.array(GATES["XOR"][1]) == 1
    w, b = rng.normal(size=(LINES, 2)), rng.normal(size=(LINES, 1))
    best = int(((w @ X.T + b > 0) == y).sum(1).max())
    print(f"the rule still moved in {rule.moved} of {rule.shown} steps;")
    print(f"descent ends with a = {', '.join(f'{a:.2f}' for a in descent.outputs)};")
    print(f"the best of {LINES:,} random lines is right on {best} of 4 rows")
    lesson.claim(
        "no_line_solves_xor",
        "No straight line separates the rows of XOR, and neither way of learning finds one.",
        not rule.right and not descent.right and best == 3,
    )
    return best


def show_network(lesson: Lesson, network: nn.MLP) -> dict[str, str]:
    """Print which gates the hidden neurons and the output became; return their names."""
    signs = []
    outputs = [network(x).data for x in PAIRS]
    for x in PAIRS:
        network(x)
        signs.append([int(neuron.z.data > 0) for neuron in network.layers[0].neurons])
    first, second = zip(*signs, strict=True)
    last = network.layers[1]
    # The output as a gate of the hidden neurons: what it answers if these are fully on or off.
    joined = tuple(int(last([2.0 * h - 1.0 for h in pair]).data > 0) for pair in PAIRS)
    tables = {"hidden 0": first, "hidden 1": second, "output of both": joined}
    named = {what: NAMES.get(answers, "no gate") for what, answers in tables.items()}
    print(f"{'x1  x2':8}{'hidden 0':>10}{'hidden 1':>10}{'z':>9}{'XOR':>6}")
    for x, pair, z, wanted in zip(PAIRS, signs, outputs, GATES["XOR"][1], strict=True):
        print(f"{x[0]:2.0f}  {x[1]:2.0f}  {pair[0]:>10}{pair[1]:>10}{z:>9.2f}{wanted:>6}")
    print("; ".join(f"{what} ≈ {name}" for what, name in named.items()))
    right = [int(z > 0) for z in outputs] == GATES["XOR"][1]
    lesson.claim(
        "two_lines_solve_xor",
        "Two hidden neurons draw two lines, and together they solve XOR.",
        right and first != second,
    )
    lesson.claim(
        "the_hidden_neurons_became_gates",
        "Each hidden neuron became a gate that one line can draw, and the output joins the two.",
        all(name != "no gate" for name in named.values())
        and [joined[2 * p + q] for p, q in signs] == GATES["XOR"][1],
    )
    return named


def picture_of_lines(rules: dict[str, Learned]) -> Figure:
    """Draw the line that the rule found for each gate."""
    from matplotlib.figure import Figure

    from nn import plots

    figure = Figure(figsize=(8.2, 2.5), layout="constrained")
    figure.suptitle("the lines of the perceptron's rule: ■ and blue 1, ● and orange 0", fontsize=10)
    for i, (gate, learned) in enumerate(rules.items(), 1):
        axes = figure.add_subplot(1, len(rules), i)
        X, y = GATES[gate]
        if gate == "NOT":
            flat_X = [[*x, 0.0] for x in X]
            plots.regions(axes, flat(learned), flat_X, y, title=gate, threshold=0.0)
            axes.set(yticks=[], xlabel="x1", xticks=(0, 1))
        else:
            title = "XOR: no line" if gate == "XOR" else gate
            plots.regions(axes, weighted_sum(learned), X, y, title=title, threshold=0.0)
            axes.set(xlabel="x1", ylabel="x2", xticks=(0, 1), yticks=(0, 1))
    return figure


def picture_of_xor(network: nn.MLP, named: dict[str, str]) -> Figure:
    """Draw the line of each hidden neuron, and the curve that the output makes of both."""
    from matplotlib.figure import Figure

    from nn import plots

    figure = Figure(figsize=(8.2, 3.0), layout="constrained")
    panels: dict[str, nn.Module] = {}
    for j, neuron in enumerate(network.layers[0].neurons):
        line = nn.Neuron(2, "identity", seed=0)
        line.load_state_dict(neuron.state_dict())
        panels[f"hidden {j}: {named[f'hidden {j}']}"] = line
    panels[f"line + line = curve: {named['output of both']}"] = network
    X, y = GATES["XOR"]
    for i, (title, model) in enumerate(panels.items(), 1):
        axes = figure.add_subplot(1, len(panels), i)
        plots.regions(axes, model, X, y, title=title, threshold=0.0)
        axes.set(xlabel="x1", ylabel="x2", xticks=(0, 1), yticks=(0, 1))
        axes.title.set_fontsize(10)
    return figure


def flat(learned: Learned) -> nn.Neuron:
    """Return a one-input neuron as a two-input neuron that ignores its second input."""
    neuron = weighted_sum(learned)
    twin = nn.Neuron(2, "identity", seed=0)
    twin.load_state_dict({"w": [neuron.w[0].data, 0.0], "b": neuron.b.data})
    return twin


def weighted_sum(learned: Learned) -> nn.Neuron:
    """Return the neuron without its step; the boundary line is where its output is zero."""
    state = learned.model.state_dict()
    neuron = nn.Neuron(len(state["w"]), "identity", seed=0)
    neuron.load_state_dict(state)
    return neuron


def main(
    passes: int = 100,
    epochs: int = 300,
    seed: int = 0,
    out: str | Path = "out",
    more: bool = False,
) -> dict[str, Any]:
    """Learn the gates, print their tables, draw their lines, and return the numbers.

    Args:
        passes: largest number of passes of the perceptron's rule.
        epochs: number of epochs of gradient descent.
        seed: seed of the random starts.
        out: the folder for the pictures.
        more: True to show the sections that are hidden by default.

    Returns:
        `rule`, `descent` (a `Learned` for each gate), `network` (the one for XOR), `advice` (an
        `Advice` of each point of AND by each way), `fires_from` (for each bias), `best_line`
        (rows of XOR that the best random line gets right), `named` (the gates in the network),
        `claims`, `sections`, `pictures`.
    """
    lesson = Lesson(more)
    rule = {gate: by_rule(gate, passes, seed) for gate in GATES}
    descent = {gate: by_descent(gate, epochs, seed) for gate in GATES}
    with lesson.section("A perceptron for AND"):
        show_perceptron(lesson, rule["AND"])
    with lesson.section("Four gates, learned in two ways"):
        show_gates(lesson, rule, descent)
    with lesson.section("What each point of AND tells a line"):
        told = show_advice(lesson)
    with lesson.section("A bias shifts where a neuron fires", more=True):
        places = show_biases(lesson)
    with lesson.section("XOR with one line"):
        best = show_one_line(lesson, rule["XOR"], descent["XOR"], seed)
    network = with_hidden_neurons(epochs, seed)
    with lesson.section("XOR with two lines: a 2-2-1 network"):
        named = show_network(lesson, network)
    made = [
        save(picture_of_lines(rule), out, "gates"),
        save(picture_of_xor(network, named), out, "gates-xor"),
        *(
            save_drawing(nn.draw(rule["AND"].model, bias=place), out, f"gates-bias-{place}")
            for place in ("inside", "input")
        ),
    ]
    lesson.end(made)
    return {
        "rule": rule,
        "descent": descent,
        "network": network,
        "advice": told,
        "fires_from": places,
        "best_line": best,
        "named": named,
        "claims": lesson.claims,
        "sections": lesson.sections,
        "pictures": made,
    }


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse and check the command line's options."""
    return options(
        main,
        "Logic gates with one neuron, and XOR with three.",
        passes="largest number of passes of the rule",
        epochs="epochs of gradient descent",
    ).parse_args(arguments)


if __name__ == "__main__":
    run(main, parsed)
