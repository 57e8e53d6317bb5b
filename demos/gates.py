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
    """The result of learning one gate.

    Attributes:
        model: the trained model.
        outputs: its output for each row of the truth table.
        right: whether every row is right.
        shown: how many times a row was shown to it.
        moved: how many of these times its weights changed.
    """

    model: nn.Module
    outputs: list[float]
    right: bool
    shown: int
    moved: int


def by_rule(gate: str, passes: int, seed: int) -> Learned:
    """Train one perceptron by its rule until a pass has no mistake.

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
    """Train one sigmoid neuron by stochastic gradient descent on the cross-entropy.

    >>> by_descent("OR", 100, seed=0).right
    True
    """
    X, y = GATES[gate]
    neuron = nn.Neuron(len(X[0]), "sigmoid", seed=seed)
    trainer = nn.Trainer(neuron, nn.binary_cross_entropy, nn.SGD(neuron.parameters(), lr=1.0))
    trainer.fit(X, y, epochs, batch_size=1, seed=seed)
    return judged(neuron, gate, 0.5, epochs * len(X), epochs * len(X))


def with_hidden_neurons(gate: str, epochs: int, seed: int, starts: int = 5) -> Learned:
    """Train a 2-2-1 network from several random starts and keep the best: some starts get stuck."""
    X, y = GATES[gate]
    network = nn.MLP(2, [2, 1], "tanh", seed=seed)
    optimizer = nn.SGD(network.parameters(), lr=0.3, momentum=0.9)
    trainer = nn.Trainer(network, nn.binary_cross_entropy_with_logits, optimizer)
    trainer.restarts(starts, X, y, epochs, None, seed=seed * starts)
    shown = starts * epochs * len(X)
    return judged(network, gate, 0.0, shown, shown)


def judged(model: nn.Module, gate: str, threshold: float, shown: int, moved: int) -> Learned:
    """Compare a trained model with the truth table."""
    X, y = GATES[gate]
    outputs = model.predict(X).tolist()
    right = [(output > threshold) == bool(wanted) for output, wanted in zip(outputs, y)]
    return Learned(model, outputs, all(right), shown, moved)


def print_table(gate: str, rule: Learned, descent: Learned) -> None:
    """Print the truth table with the outputs of both neurons."""
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
        print(f"{name} changed the weights in {learned.moved} of {learned.shown} steps: {verdict}")


def print_network(network: Learned) -> None:
    """Print the outputs of the 2-2-1 network for XOR."""
    print("\nWith two hidden neurons, 2-2-1:")
    for x, wanted, z in zip(*GATES["XOR"], network.outputs, strict=True):
        print(f"{x[0]:2.0f}  {x[1]:2.0f}   {wanted:6}   {float(z > 0):12.0f}   z = {z:5.2f}")
    print("all rows right" if network.right else "not all rows right: a bad start")


def pictures(rules: dict[str, Learned], network: Learned, out: str | Path) -> list[str]:
    """Draw the line of each gate, and the two lines of XOR."""
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
    """Return a one-input neuron as a two-input neuron that ignores its second input."""
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
    passes: int = 100, epochs: int = 300, seed: int = 0, out: str | Path = "out"
) -> dict[str, Any]:
    """Learn the gates, print their tables, draw their lines, and return the numbers.

    Args:
        passes: largest number of passes of the perceptron's rule.
        epochs: number of epochs of gradient descent.
        seed: seed of the random starts.
        out: the folder for `gates.png`.

    Returns:
        `rule`, `descent` (a `Learned` for each gate), `network` (the one for XOR), `right`
        (whether both neurons learned the gate; for XOR, whether only the network did),
        `pictures`.
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
    """Parse and check the command line's options."""
    return options(
        main,
        "Logic gates with one neuron, and XOR with three.",
        passes="largest number of passes of the rule",
        epochs="epochs of gradient descent",
    ).parse_args(arguments)


if __name__ == "__main__":
    run(main, parsed)
