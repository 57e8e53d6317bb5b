"""Regularisation: what keeps a large network from learning wrong labels by heart.

    L1    C + λ·Σ|w| sets most weights to zero
    L2    C + λ·Σw² keeps all weights small and even

The points and the large network are those of the lesson `demos.overfit`; another way to hold the
network back is `demos.dropout`.

    python -m demos.regularise
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import nn
from autograd import Value, grad
from demos.lesson import Lesson, options, percent, run, save
from demos.overfit import Fit, Points, draw_regions, fit, network, parts

ZERO = 0.001  # a weight whose size is below this counts as zero
LARGEST = 10  # weights whose share of the sum of all sizes is printed
LAMBDAS = {"too little": 0.0001, "right": 0.002, "too much": 0.1}
PENALTIES = {"L1": nn.l1_penalty, "L2": nn.l2_penalty}
USEFUL, USELESS = 2, 6  # inputs of the neuron whose inputs are selected
SELECTING = 150  # steps of its training, at most


@dataclass(frozen=True)
class Sizes:
    """The sizes of a network's weights.

    Attributes:
        sizes: |w| of each weight, the largest first.
        zeros: the share of weights that are zero.
        largest: the largest size.
        top: the share of Σ|w| that the largest ten weights have.
    """

    sizes: np.ndarray
    zeros: float
    largest: float
    top: float


def weights(model: nn.Module) -> list[Value]:
    """Return all weights, without the biases."""
    return [p for name, p in model.named_parameters() if not name.endswith("b")]


def sizes_of(model: nn.Module) -> Sizes:
    """Measure the weights of a network."""
    sizes = np.sort(np.abs([w.data for w in weights(model)]))[::-1]
    top = float(sizes[:LARGEST].sum() / sizes.sum())
    return Sizes(sizes, float(np.mean(sizes < ZERO)), float(sizes[0]), top)


def answer(scale: float, x: tuple[float, float], label: int) -> tuple[float, float, float]:
    """Compute the answer of a neuron at one point.

    The neuron has both weights equal to `scale` and a sigmoid.

    Returns:
        The weighted sum z, the cross-entropy with the label, and the slope ∂a/∂z.
    """
    z = Value(scale * (x[0] + x[1]))
    cost = nn.binary_cross_entropy_with_logits(z, label)
    return z.data, cost.data, grad(z.sigmoid(), [z])[0]


def sure_section(lesson: Lesson) -> None:
    """Print the answers of x₁+x₂ and of 10x₁+10x₂ at three points, and the claims."""
    cases = [((1.0, 1.0), 1), ((-1.0, -1.0), 0), ((1.0, 1.0), 0)]
    print(f"{'':17}{'a = σ(x₁ + x₂)':>28}{'a = σ(10x₁ + 10x₂)':>30}")
    print(f"{'(x₁, x₂)   label':17}" + f"{'a':>12}{'cost':>8}{'slope':>10}" * 2)
    rows = []
    for x, label in cases:
        small, large = row = [answer(scale, x, label) for scale in (1.0, 10.0)]
        rows.append(row)
        cells = "".join(
            f"{1 / (1 + math.exp(-z)):>12.6f}{cost:>8.3f}{slope:>10.1e}"
            for z, cost, slope in (small, large)
        )
        print(f"({x[0]:2g}, {x[1]:2g}){label:>8} {cells}")
    right, wrong = rows[:2], rows[2]
    lesson.claim(
        "large_weights_have_the_same_line",
        "Both neurons draw the same line: they give the same answers.",
        all((small[0] > 0) == (large[0] > 0) for small, large in rows),
    )
    lesson.claim(
        "large_weights_look_better",
        "Where the answer is right, large weights cost less: so descent lets weights grow.",
        all(large[1] < small[1] for small, large in right),
    )
    lesson.claim(
        "large_weights_are_too_sure",
        "Where the label says otherwise (last row), large weights are too sure and cost much more.",
        wrong[1][1] > 5 * wrong[0][1],
    )
    lesson.claim(
        "large_weights_are_flat",
        "Their sigmoid is nearly flat at all these points: a nudge hardly changes the answer.",
        all(large[2] < 0.001 * small[2] for small, large in rows),
    )


def penalised(kind: str, strength: float) -> Callable[[Any], Value]:
    """Return the penalty of a kind with this λ, on the weights of a model."""
    return lambda model: PENALTIES[kind](weights(model), strength)


def print_fits(fits: dict[str, Fit]) -> None:
    """Print a row for each network: its wrong answers and the sizes of its weights."""
    print(
        f"{'':20}{'wrong answers on':>20}{'wrong labels':>14}"
        f"{'weights':>10}{'largest':>9}{'Σ|w| in the':>14}"
    )
    print(
        f"{'':20}{'learned':>10}{'unseen':>10}{'by heart':>14}"
        f"{'at zero':>10}{'|w|':>9}{'largest ten':>14}"
    )
    for name, f in fits.items():
        s = sizes_of(f.model)
        print(
            f"{name:20}{percent(f.learned):>10}{percent(f.unseen):>10}{percent(f.by_heart):>14}"
            f"{percent(s.zeros):>10}{s.largest:>9.2f}{percent(s.top):>14}"
        )


def penalty_section(lesson: Lesson, fits: dict[str, Fit]) -> None:
    """Print the networks with each penalty, and the claims about them."""
    print("L1 learns with the cost C + λ·Σ|w|, L2 with C + λ·Σw². A network that gives the same")
    print(
        "answer everywhere is wrong for half of the points, and repeats half of the wrong labels.\n"
    )
    print_fits(fits)
    plain = fits["no penalty"]
    little, right, much = (
        [fits[f"{kind}, λ = {strength:g}"] for kind in PENALTIES] for strength in LAMBDAS.values()
    )
    lesson.claim(
        "penalties_hold_back",
        "With the middle λ the network learns fewer wrong labels, and is better on new points.",
        all(f.by_heart <= plain.by_heart - 0.2 and f.unseen < plain.unseen for f in right),
    )
    lesson.claim(
        "too_small_a_lambda_still_overfits",
        "With too small a λ the network still overfits.",
        all(f.unseen >= f.learned + 0.1 for f in little),
    )
    lesson.claim(
        "too_large_a_lambda_underfits",
        "With too large a λ it underfits: all weights are near zero, and no input matters.",
        all(min(f.learned, f.unseen) >= 0.3 and sizes_of(f.model).largest < 0.1 for f in much),
    )
    l1, l2 = (sizes_of(f.model) for f in right)
    lesson.claim(
        "l1_sets_weights_to_zero",
        "L1 sets most weights to zero and lets a few be large: use it to find what matters.",
        l1.zeros >= 0.7 and l1.zeros >= l2.zeros + 0.3 and l1.top >= 2 * l2.top,
    )
    lesson.claim(
        "l2_keeps_weights_small_and_even",
        "L2 keeps all weights small and about even: use it to train a network well.",
        l2.largest <= 0.75 * min(l1.largest, sizes_of(plain.model).largest) and l2.zeros < 0.5,
    )


def even_section(lesson: Lesson) -> None:
    """Print both penalties of two pairs of weights with the same answer, and the claims."""
    pairs = {"(1, 0)": (1.0, 0.0), "(½, ½)": (0.5, 0.5)}
    print(f"{'(w₁, w₂)':12}{'w₁·1 + w₂·1':>14}{'Σ|w|':>8}{'Σw²':>8}")
    found = []
    for name, pair in pairs.items():
        w = [Value(x) for x in pair]
        l1, l2 = nn.l1_penalty(w, 1.0).data, nn.l2_penalty(w, 1.0).data
        found.append((sum(pair), l1, l2))
        print(f"{name:12}{sum(pair):>14g}{l1:>8g}{l2:>8g}")
    one, even = found
    lesson.claim(
        "l1_does_not_mind_uneven_weights",
        "To L1, one large weight costs as much as two small ones.",
        one[:2] == even[:2],
    )
    lesson.claim("l2_prefers_even_weights", "To L2, even weights cost less.", even[2] < one[2])


def select(steps: int, seed: int) -> dict[str, np.ndarray]:
    """Train a neuron with useful and useless inputs in three ways, and return its weights."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(200, USEFUL + USELESS))
    noisy = X[:, :USEFUL].sum(1) + rng.normal(size=len(X)) > 0.0
    found = {}
    penalties = {
        "no penalty": None,
        "L1, λ = 0.05": lambda neuron: nn.l1_penalty(neuron.w, 0.05),
        "L2, λ = 0.05": lambda neuron: nn.l2_penalty(neuron.w, 0.05),
    }
    for name, penalty in penalties.items():
        neuron = nn.Neuron(X.shape[1], "identity", seed=seed)
        optimizer = nn.Adam(neuron.parameters(), 0.05)
        schedule = nn.CosineAnnealingLR(optimizer, steps)
        trainer = nn.Trainer(
            neuron,
            nn.binary_cross_entropy_with_logits,
            optimizer,
            scheduler=schedule,
            penalty=penalty,
        )
        trainer.fit(X, noisy.astype(int), steps, batch_size=None, progress=False)
        found[name] = np.array([w.data for w in neuron.w])
    return found


def select_section(lesson: Lesson, found: dict[str, np.ndarray]) -> None:
    """Print the weights of a neuron whose last inputs are useless, and the claim."""
    print(f"{'':14}{'useful inputs':>16}{'useless inputs':>18}")
    for name, w in found.items():
        print(f"{name:14}" + "".join(f"{number:>8.3f}" for number in w))
    zeros = {name: int((abs(w[USEFUL:]) < ZERO).sum()) for name, w in found.items()}
    kept = abs(found["L1, λ = 0.05"][:USEFUL])
    lesson.claim(
        "l1_picks_inputs",
        "L1 picks inputs: it sets weights of useless ones to zero. L2 only makes them smaller.",
        zeros["L1, λ = 0.05"] >= USELESS / 2 > zeros["L2, λ = 0.05"] and kept.min() >= 0.1,
    )


def main(
    count: int = 100,
    width: int = 20,
    epochs: int = 300,
    lr: float = 0.05,
    seed: int = 0,
    out: str | Path = "out",
) -> dict[str, Any]:
    """Train the large network in each way, print and draw the results, return the numbers.

    Args:
        count: number of points to learn from.
        width: number of neurons in each of the two hidden layers.
        epochs: number of steps with all of them.
        lr: the learning rate, which falls to zero along half a cosine.
        seed: seed of the points and of the weights.
        out: the folder for the pictures.

    Returns:
        `fits` (a `Fit` for each network), `selected` (the weights of the neuron with useless
        inputs), `claims`, `sections`, `pictures`.
    """
    lesson = Lesson()
    with lesson.section("Large weights make a neuron too sure"):
        sure_section(lesson)
    data = parts(count, seed)

    def trained(penalty: Callable[[Any], Value] | None = None) -> Fit:
        model = network([width, width, 1], seed)
        return fit(model, data, epochs, lr, seed, penalty=penalty, settle=True)

    fits = {"no penalty": trained()}
    for kind in PENALTIES:
        for strength in LAMBDAS.values():
            fits[f"{kind}, λ = {strength:g}"] = trained(penalised(kind, strength))
    with lesson.section("A penalty on large weights, L1 or L2"):
        penalty_section(lesson, fits)
    with lesson.section("One large weight or two small ones"):
        even_section(lesson)
    selected = select(min(epochs, SELECTING), seed)
    with lesson.section("Which inputs matter"):
        select_section(lesson, selected)
    made = [
        save(weights_figure(fits), out, "regularise-weights"),
        save(regions_figure(fits, data["learned"]), out, "regularise"),
    ]
    lesson.end(made)
    return {
        "fits": fits,
        "selected": selected,
        "claims": lesson.claims,
        "sections": lesson.sections,
        "pictures": made,
    }


def weights_figure(fits: dict[str, Fit]) -> Any:
    """Draw histograms of the weights: a row for each penalty, a column for each λ."""
    from matplotlib.figure import Figure

    from nn import plots

    figure = Figure(figsize=(9.6, 5.0), layout="constrained")
    panels = figure.subplots(2, 3, sharex=True, sharey=True)
    bins = np.linspace(-4.1, 4.1, 42)
    for row, kind, colour in zip(panels, PENALTIES, plots.COLOURS[:2], strict=True):
        for axes, (how, strength) in zip(row, LAMBDAS.items(), strict=True):
            model = fits[f"{kind}, λ = {strength:g}"].model
            numbers = np.clip([w.data for w in weights(model)], bins[0], bins[-1])
            axes.hist(numbers, bins, histtype="stepfilled", color=colour)
            zeros = percent(sizes_of(model).zeros)
            axes.set_title(f"{kind}, λ = {strength:g} ({how}): {zeros} zeros", fontsize=10)
            axes.set_yscale("log")
            axes.spines[["top", "right"]].set_visible(False)
    for axes in panels[:, 0]:
        axes.set_ylabel("number of weights")
    for axes in panels[1]:
        axes.set_xlabel("weight")
    return figure


def regions_figure(fits: dict[str, Fit], learned: Points) -> Any:
    """Draw the regions of each network: a row for each penalty, a column for each λ."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 6.8), layout="constrained")
    for row, kind in zip(figure.subplots(2, 3), PENALTIES, strict=True):
        for axes, (how, strength) in zip(row, LAMBDAS.items(), strict=True):
            name = f"{kind}, λ = {strength:g}"
            draw_regions(axes, fits[name], learned, f"{name} ({how})")
    return figure


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse and check the command line's options."""
    return options(
        main,
        "Penalties on large weights.",
        count="points to learn from",
        width="neurons in each hidden layer",
        epochs="steps with all points",
        lr="learning rate",
    ).parse_args(arguments)


if __name__ == "__main__":
    run(main, parsed)
