"""Logic gates with one neuron, and the one that needs three.

A perceptron says 1 where w·x + b > 0. Its rule moves only on mistakes, by the mistake itself:

    w ← w + (y − a)·x      b ← b + (y − a)

Gradient descent on the cross-entropy of a sigmoid moves on every point, by how far it is off:

    w ← w − lr·(a − y)·x   b ← b − lr·(a − y)

Both draw one straight line, so neither can do XOR; two hidden neurons draw two.

    python -m demos.gates

Sources: Rosenblatt, "The perceptron", Psychological Review 65 (1958); Minsky and Papert,
"Perceptrons" (1969).
"""

from __future__ import annotations

import argparse
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nn
from demos.lesson import heading, options, run, save

PAIRS = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
GATES: dict[str, tuple[list[list[float]], list[int]]] = {
    "AND": (PAIRS, [0, 0, 0, 1]),
    "OR": (PAIRS, [0, 1, 1, 1]),
    "NOT": ([[0.0], [1.0]], [1, 0]),
    "XOR": (PAIRS, [0, 1, 1, 0]),
}


@dataclass(frozen=True)
class Learned:
    """A gate as it was learned.

    Attributes:
        model: what learned it.
        outputs: what it says to each row of the truth table.
        right: whether every row is right.
        shown: how often it was shown a row.
        moved: at how many of these showings it moved.
    """

    model: nn.Module
    outputs: list[float]
    right: bool
    shown: int
    moved: int


def by_rule(gate: str, passes: int, seed: int) -> Learned:
    """One perceptron, trained by the perceptron's rule until a pass has no mistake.

    >>> by_rule("AND", 50, seed=0).right
    True
    """
    X, y = GATES[gate]
    rng = random.Random(f"{gate}, {seed}")
    neuron = nn.Neuron(len(X[0]), "step", init="uniform", seed=rng)
    neuron.b.data = rng.uniform(-1.0, 1.0)
    shown = moved = 0
    for _ in range(passes):
        mistakes = 0
        for x, wanted in zip(X, y, strict=True):
            shown += 1
            mistake = wanted - neuron(x).data
            if mistake:
                mistakes += 1
                for w, xi in zip(neuron.w, x, strict=True):
                    w.data += mistake * xi
                neuron.b.data += mistake
        moved += mistakes
        if not mistakes:
            break
    return judged(neuron, gate, 0.5, shown, moved)


def by_descent(gate: str, epochs: int, seed: int) -> Learned:
    """One sigmoid neuron, trained by stochastic gradient descent on the cross-entropy.

    >>> by_descent("OR", 100, seed=0).right
    True
    """
    X, y = GATES[gate]
    neuron = nn.Neuron(len(X[0]), "sigmoid", seed=seed)
    trainer = nn.Trainer(neuron, nn.binary_cross_entropy, nn.SGD(neuron.parameters(), lr=1.0))
    trainer.fit(X, y, epochs, batch_size=1, seed=seed)
    return judged(neuron, gate, 0.5, epochs * len(X), epochs * len(X))


def with_hidden_neurons(gate: str, epochs: int, seed: int, starts: int = 5) -> Learned:
    """A 2-2-1 network, the best of several random starts: two hidden neurons can get stuck."""
    X, y = GATES[gate]
    network = nn.MLP(2, [2, 1], "tanh", seed=seed)
    optimizer = nn.SGD(network.parameters(), lr=0.3, momentum=0.9)
    trainer = nn.Trainer(network, nn.binary_cross_entropy_with_logits, optimizer)
    trainer.restarts(starts, X, y, epochs, None, seed=seed * starts)
    shown = starts * epochs * len(X)
    return judged(network, gate, 0.0, shown, shown)


def judged(model: nn.Module, gate: str, threshold: float, shown: int, moved: int) -> Learned:
    """A trained model, held against the truth table."""
    X, y = GATES[gate]
    outputs = model.predict(X).tolist()
    right = [(output > threshold) == bool(wanted) for output, wanted in zip(outputs, y)]
    return Learned(model, outputs, all(right), shown, moved)


def print_table(gate: str, rule: Learned, descent: Learned) -> None:
    """The truth table, and what both say."""
    X, y = GATES[gate]
    print(heading(gate))
    names = "  ".join(f"x{i + 1}" for i in range(len(X[0])))
    print(f"{names}   wanted   the rule's a   descent's a")
    for x, wanted, a, p in zip(X, y, rule.outputs, descent.outputs, strict=True):
        print(f"{'  '.join(f'{v:2.0f}' for v in x)}   {wanted:6}   {a:12.0f}   {p:11.3f}")
    for name, learned in (("the rule", rule), ("descent", descent)):
        verdict = "all rows right" if learned.right else "not all rows right"
        if gate == "XOR" and not learned.right:
            verdict += ", for no straight line can"
        print(f"{name} moved at {learned.moved} of {learned.shown} showings: {verdict}")


def print_network(network: Learned) -> None:
    """What the hidden neurons of the 2-2-1 network draw."""
    print("\nWith two hidden neurons, 2-2-1:")
    for x, wanted, z in zip(*GATES["XOR"], network.outputs, strict=True):
        print(f"{x[0]:2.0f}  {x[1]:2.0f}   {wanted:6}   {float(z > 0):12.0f}   z = {z:5.2f}")
    print("all rows right" if network.right else "not all rows right: a bad start")


def pictures(rules: dict[str, Learned], network: Learned, out: str | Path) -> list[str]:
    """The line of each gate, and the two of XOR."""
    from matplotlib.figure import Figure

    from nn import plots

    figure = Figure(figsize=(13.0, 3.3), layout="constrained")
    figure.suptitle("the lines of the perceptron's rule: ■ and blue 1, ● and orange 0", fontsize=10)
    panels: dict[str, Any] = {gate: weighted_sum(learned) for gate, learned in rules.items()}
    panels |= {"XOR, one neuron": panels.pop("XOR"), "XOR, 2-2-1": network.model}
    for i, (title, model) in enumerate(panels.items(), 1):
        axes = figure.add_subplot(1, len(panels), i)
        X, y = GATES[title.split(",")[0]]
        if len(X[0]) == 1:
            plots.regions(axes, flat(model), [[*x, 0.0] for x in X], y, title=title)
            axes.set(yticks=[])
        else:
            plots.regions(axes, model, X, y, title=title)
    return [save(figure, out, "gates")]


def flat(neuron: nn.Neuron) -> nn.Neuron:
    """A neuron of one input as one of two, to which the second makes no difference."""
    twin = nn.Neuron(2, "identity", seed=0)
    twin.load_state_dict({"w": [neuron.w[0].data, 0.0], "b": neuron.b.data})
    return twin


def weighted_sum(learned: Learned) -> nn.Neuron:
    """The same neuron before its step: its line is where this is zero."""
    state = learned.model.state_dict()
    neuron = nn.Neuron(len(state["w"]), "identity", seed=0)
    neuron.load_state_dict(state)
    return neuron


def main(passes: int = 100, epochs: int = 300, seed: int = 0, out: str | Path = "out") -> dict:
    """Learn the gates, print their tables, draw their lines, and return the numbers.

    Args:
        passes: of the perceptron's rule, at the most.
        epochs: of gradient descent.
        seed: of the random starts.
        out: the folder for `gates.png`.

    Returns:
        `rule`, `descent` (a `Learned` for each gate), `network` (of XOR), `right` (whether all
        rows of each gate are right in the end, and XOR only with hidden neurons), `pictures`.
    """
    rule = {gate: by_rule(gate, passes, seed) for gate in GATES}
    descent = {gate: by_descent(gate, epochs, seed) for gate in GATES}
    for gate in GATES:
        print_table(gate, rule[gate], descent[gate])
    network = with_hidden_neurons("XOR", epochs, seed)
    print_network(network)
    made = pictures(rule, network, out)
    print(f"\nThe lines: {made[0]}")
    right = {gate: rule[gate].right and descent[gate].right for gate in ("AND", "OR", "NOT")}
    right["XOR"] = network.right and not (rule["XOR"].right or descent["XOR"].right)
    return {
        "rule": rule,
        "descent": descent,
        "network": network,
        "right": right,
        "pictures": made,
    }


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line's options, checked."""
    return options(
        "gates",
        "Logic gates with one neuron, and XOR with three.",
        passes=(100, "of the rule, at most"),
        epochs=(300, "of gradient descent"),
    ).parse_args(arguments)


if __name__ == "__main__":
    run("gates", main, parsed)
