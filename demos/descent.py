"""Ways downhill: slope and gradient, batches, momentum, learning-rate decay, many starts.

Each step goes against a gradient, and the ways differ in how many examples it reads:

    w ← w − lr·∂C/∂w          a step against the slope, longer where it is steeper
    v ← β·v + ∂C/∂w           momentum: the step −lr·v remembers the slopes before

    all examples a step       the careful walker: reads all examples, then takes one exact step
    a few examples a step     in between
    one example a step        the drunk walker: noisy steps, but a step for every example

    python -m demos.descent
"""

from __future__ import annotations

import argparse
import itertools
import math
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np

import nn
from autograd import Value
from demos.lesson import Lesson, options, run, save

WALKERS = {"careful (all)": None, "in between (8)": 8, "drunk (1)": 1}
EXAMPLES = 64
SLOPE, INTERCEPT, SPREAD = 2.0, -1.0, 0.3
START = (-2.0, 2.5)
RUNAWAY = 1000.0  # times the first cost: above it, descent has diverged
GOAL = 1.25  # times the lowest possible cost
SHORT, DIRECTIONS = 0.01, 100  # length of the steps that are compared, and how many directions
BETA = 0.9
SHOWN = (0, 1, 2, 5, 10, 40)  # steps on the dip that are printed
Point = tuple[float, float]


@dataclass
class Walk:
    """The path of one run of gradient descent.

    Attributes:
        places: (w, b) at the start and after each step.
        costs: the cost of all examples at each place.
        looks: number of examples read.
        seconds: time taken.
    """

    places: list[Point] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    looks: int = 0
    seconds: float = 0.0

    @property
    def length(self) -> float:
        """The length of the path in the plane of w and b."""
        return sum(math.dist(p, q) for p, q in zip(self.places, self.places[1:], strict=False))

    @property
    def climbs(self) -> int:
        """The number of steps that raised the cost."""
        return sum(b > a for a, b in zip(self.costs, self.costs[1:], strict=False))


class Hill:
    """The mean squared error of a line w·x + b on noisy points: a bowl over (w, b)."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)
        self.x = [rng.uniform(-1.0, 1.0) for _ in range(EXAMPLES)]
        self.y = [SLOPE * x + INTERCEPT + rng.gauss(0.0, SPREAD) for x in self.x]

    def cost(self, w: float, b: float) -> float:
        """Compute the cost of all examples."""
        return fmean((w * x + b - y) ** 2 for x, y in zip(self.x, self.y, strict=True))

    def graph(self, w: Value, b: Value, chosen: Iterable[int] = range(EXAMPLES)) -> Value:
        """Build the cost of the chosen examples as a graph."""
        chosen = list(chosen)
        return nn.mse_loss([w * self.x[i] + b for i in chosen], [self.y[i] for i in chosen])

    def gradient(self, chosen: Iterable[int]) -> Point:
        """Compute the gradient of the cost of the chosen examples at `START`."""
        w, b = (Value(x) for x in START)
        self.graph(w, b, chosen).backward()
        return w.grad, b.grad

    def lowest(self) -> float:
        """Compute the lowest possible cost, by the normal equations."""
        x, y = fmean(self.x), fmean(self.y)
        pairs = list(zip(self.x, self.y, strict=True))
        w = sum((p - x) * (q - y) for p, q in pairs) / sum((p - x) ** 2 for p in self.x)
        return self.cost(w, y - w * x)

    def walk(
        self,
        size: int | None,
        lr: float,
        steps: int,
        seed: int,
        goal: float = -math.inf,
        decay: float = 1.0,
    ) -> Walk:
        """Run stochastic gradient descent from `START`, and return its path.

        Args:
            size: number of examples a step uses; None for all.
            lr: the learning rate.
            steps: largest number of steps.
            seed: seed of the choice of examples.
            goal: the walk ends when the cost of all examples is at most this.
            decay: factor that multiplies the learning rate after each step.
        """
        neuron = nn.Neuron(1, "identity", seed=0)
        neuron.load_state_dict({"w": [START[0]], "b": START[1]})
        optimizer = nn.SGD(neuron.parameters(), lr)
        schedule = nn.ExponentialLR(optimizer, decay)
        rng, walk, began = random.Random(seed), Walk(), time.perf_counter()
        self._note(walk, neuron)
        while walk.costs[-1] > goal and len(walk.costs) <= steps:
            if walk.costs[-1] > RUNAWAY * walk.costs[0]:
                raise ValueError(
                    f"at lr={lr:g} the walker runs away uphill: take a smaller learning rate"
                )
            chosen = range(EXAMPLES) if size is None else rng.sample(range(EXAMPLES), size)
            optimizer.zero_grad()
            nn.mse_loss([neuron(self.x[i]) for i in chosen], [self.y[i] for i in chosen]).backward()
            optimizer.step()
            schedule.step()
            walk.looks += len(chosen)
            self._note(walk, neuron)
        walk.seconds = time.perf_counter() - began
        return walk

    def _note(self, walk: Walk, neuron: nn.Neuron) -> None:
        place = neuron.w[0].data, neuron.b.data
        walk.places.append(place)
        walk.costs.append(self.cost(*place))


def dip(w: Any) -> Any:
    """Compute a cost with a shallow minimum at about 0.96 and a deep one at about −1.04."""
    return w**4 - 2.0 * w**2 + 0.3 * w


def waves(w: Any) -> Any:
    """Compute a cost with many minima, the deepest near −0.5."""
    return 0.1 * w**2 + (3.0 * w).sin() if isinstance(w, Value) else 0.1 * w**2 + math.sin(3.0 * w)


def roll(cost: Any, start: float, lr: float, momentum: float, steps: int) -> list[float]:
    """Minimise a cost of one parameter; return the parameter at the start and after each step."""
    w = Value(start, label="w")
    optimizer = nn.SGD([w], lr, momentum=momentum)
    places = [w.data]
    for _ in range(steps):
        optimizer.zero_grad()
        cost(w).backward()
        optimizer.step()
        places.append(w.data)
    return places


def slope_of(cost: Any, w: float) -> float:
    """Compute the slope ∂C/∂w of a cost of one parameter."""
    at = Value(w)
    cost(at).backward()
    return at.grad


def show_slope(lesson: Lesson, lr: float, start: float) -> dict[float, list[float]]:
    """Show slope and step of descents on the dip from both sides; return the slopes of each."""
    found = {}
    print(f"{'step':>4}{'w':>9}{'C':>9}{'∂C/∂w':>10}{'−lr·∂C/∂w':>12}")
    for side in (start, -start):
        places = roll(dip, side, lr, 0.0, SHOWN[-1] + 1)
        found[side] = [slope_of(dip, w) for w in places[:-1]]
        for k in SHOWN:
            w, slope = places[k], found[side][k]
            way = "positive: go left" if slope > 0 else "negative: go right"
            print(f"{k:>4}{w:>9.3f}{dip(w):>9.3f}{slope:>10.3f}{places[k + 1] - w:>12.4f}   {way}")
        steps = [b - a for a, b in itertools.pairwise(places)]
        assert np.allclose(steps, [-lr * slope for slope in found[side]])
    right, left = found.values()
    lesson.claim(
        "a_step_goes_against_the_slope",
        "A positive slope says: go left; a negative one: go right. The step is −lr·∂C/∂w.",
        min(right) > 0.0 > max(left),
    )
    lesson.claim(
        "steps_shorten_where_it_flattens",
        "Towards the bottom the slope flattens, and so the steps get shorter.",
        all(abs(slopes[-1]) < 0.1 * abs(slopes[0]) for slopes in found.values()),
    )
    return found


def show_directions(lesson: Lesson, hill: Hill, seed: int) -> tuple[float, list[float]]:
    """Compare −∇C with random directions; return the fall of C along each, for equal lengths."""
    rng = random.Random(seed)
    w, b = (Value(x) for x in START)
    hill.graph(w, b).backward()
    gradient = (w.grad, b.grad)
    length = math.hypot(*gradient)

    def fall(direction: Point) -> float:
        u, v = (START[i] + SHORT * direction[i] / math.hypot(*direction) for i in (0, 1))
        return hill.cost(*START) - hill.cost(u, v)

    steepest = fall((-gradient[0], -gradient[1]))
    falls = sorted(fall((rng.gauss(0, 1), rng.gauss(0, 1))) for _ in range(DIRECTIONS))
    print(f"∇C = ({gradient[0]:.3f}, {gradient[1]:.3f}), of length {length:.3f}")
    print(f"a step of length {SHORT:g} lowers C by")
    print(
        f"    along −∇C                    {steepest:8.5f}   {steepest / SHORT:.3f} for each unit"
    )
    best, half = falls[-1], median(falls)
    print(f"    in {DIRECTIONS} random directions     {best:8.5f} at best, {half:.5f} for half")
    lesson.claim(
        "the_negative_gradient_is_the_steepest_way_down",
        "No direction leads down as steeply as the negative gradient −∇C.",
        steepest > falls[-1],
    )
    lesson.claim(
        "the_length_of_the_gradient_is_the_steepness",
        "The length of the gradient is how steep this way is.",
        math.isclose(steepest / SHORT, length, rel_tol=0.02),
    )
    return steepest, falls


def show_batches(lesson: Lesson, hill: Hill, seed: int) -> dict[int, float]:
    """Show how well the gradient of a batch points where the full gradient points."""
    rng = random.Random(seed)
    full = hill.gradient(range(EXAMPLES))
    single = [hill.gradient([i]) for i in range(EXAMPLES)]
    mean = tuple(fmean(column) for column in zip(*single, strict=True))
    cosines = {
        size: fmean(
            _cosine(hill.gradient(rng.sample(range(EXAMPLES), size)), full) for _ in range(50)
        )
        for size in (1, 8, EXAMPLES)
    }
    print(f"{'examples a batch':>18}{'mean cosine to the full gradient':>36}")
    for size, cosine in cosines.items():
        print(f"{size:>18}{cosine:>36.4f}")
    lesson.claim(
        "the_gradient_is_the_mean_over_the_examples",
        "The full gradient is the mean of the gradients of all examples.",
        all(math.isclose(a, b, rel_tol=1e-9) for a, b in zip(mean, full, strict=True)),
    )
    one, some, every = cosines.values()
    lesson.claim(
        "a_batch_estimates_the_gradient",
        "A batch estimates the full gradient, and the larger the batch, the better.",
        0.0 < one < some < every and math.isclose(every, 1.0),
    )
    return cosines


def _cosine(a: Point, b: Point) -> float:
    return (a[0] * b[0] + a[1] * b[1]) / (math.hypot(*a) * math.hypot(*b))


def show_walks(lesson: Lesson, walks: dict[str, Walk]) -> None:
    """Print for each walker its steps, examples read, time and length of path."""
    print(f"{'':16}{'steps':>8}{'examples':>10}{'ms':>8}{'length':>8}{'uphill':>8}{'cost':>9}")
    for name, walk in walks.items():
        print(
            f"{name:16}{len(walk.costs) - 1:>8}{walk.looks:>10}{1000 * walk.seconds:>8.1f}"
            f"{walk.length:>8.2f}{walk.climbs:>8}{walk.costs[-1]:>9.4f}"
        )
    careful, between, drunk = walks.values()
    lesson.claim(
        "the_drunk_walker_stumbles",
        "The careful walker never goes uphill; the drunk walker sometimes does.",
        careful.climbs == 0 < drunk.climbs,
    )
    lesson.claim(
        "fewer_examples_a_step_fewer_in_all",
        "The fewer examples a step uses, the fewer examples are read until the goal is reached.",
        drunk.looks < between.looks < careful.looks,
    )
    lesson.claim(
        "fewer_examples_a_step_a_longer_path",
        "The fewer examples a step uses, the longer is the path.",
        careful.length < between.length < drunk.length,
    )


def show_momentum(lesson: Lesson, plain: list[float], momentum: list[float]) -> list[float]:
    """Show the steps after one push, and both descents on the dip; return the steps."""
    w = Value(0.0)
    optimizer = nn.SGD([w], lr=1.0, momentum=BETA)
    places = [w.data]
    for push in (-1.0, 0.0, 0.0, 0.0, 0.0):
        w.grad = push
        optimizer.step()
        places.append(w.data)
    steps = [b - a for a, b in itertools.pairwise(places)]
    print(f"one push and then flat ground: the steps are {', '.join(f'{s:.4g}' for s in steps)}")
    print(f"plain descent ends at    w = {plain[-1]:6.3f}, C = {dip(plain[-1]):.3f}")
    print(f"with momentum {BETA:g} it is  w = {momentum[-1]:6.3f}, C = {dip(momentum[-1]):.3f}")
    lesson.claim(
        "momentum_remembers_by_powers_of_beta",
        "With momentum β, a push counts fully in its own step, then by β, β², β³ and so on.",
        all(math.isclose(step, BETA**k) for k, step in enumerate(steps)),
    )
    lesson.claim(
        "momentum_rolls_through_a_dip",
        "Momentum carries descent through a dip in which plain descent stops.",
        dip(momentum[-1]) < dip(plain[-1]) - 0.1,
    )
    return steps


def show_decay(lesson: Lesson, hill: Hill, lr: float, half: int, seed: int) -> tuple[float, float]:
    """Show the drunk walker's mean cost with a constant and with a decaying learning rate."""
    steady, decayed = (
        fmean(hill.walk(1, lr, half, seed, decay=decay).costs[-half // 4 :])
        for decay in (1.0, 0.01 ** (1.0 / half))
    )
    print(f"the drunk walker's mean cost in the last quarter of {half} steps")
    print(f"    lr stays {lr:<12g}      {steady:.4f}")
    print(f"    lr falls to a hundredth    {decayed:.4f}   (lowest possible: {hill.lowest():.4f})")
    lesson.claim(
        "a_decaying_learning_rate_ends_lower",
        "A learning rate that decays ends lower: long steps first, short steps near the bottom.",
        decayed < steady,
    )
    return steady, decayed


def show_starts(lesson: Lesson, rolls: list[list[float]]) -> list[float]:
    """Show where descents from random starts end, and return their final costs."""
    ends = [waves(places[-1]) for places in rolls]
    steepest = max(abs(slope_of(waves, places[-1])) for places in rolls)
    print(f"the first ends at C = {ends[0]:.3f}, half of them above {median(ends):.3f},")
    print(f"the best at {min(ends):.3f}; the steepest slope where they end is {steepest:.1e}")
    lesson.claim(
        "descent_finds_a_local_minimum",
        "Descent ends in a minimum near its start, which need not be the lowest.",
        steepest < 1e-3 and max(ends) > min(ends) + 0.1,
    )
    lesson.claim(
        "the_best_of_many_starts_is_lower",
        "The best of many random starts ends lower than half of them.",
        min(ends) < median(ends),
    )
    return ends


def show_costs(lesson: Lesson) -> dict[str, list[float]]:
    """Show mean error, mean absolute error and mean squared error of a few errors."""
    cases = {"+1 and −1": [1.0, -1.0], "and an outlier, +10": [1.0, -1.0, 10.0]}
    found = {}
    print(f"{'errors':22}{'mean':>8}{'mean |e|':>10}{'mean e²':>10}")
    for name, errors in cases.items():
        zeros = [0.0] * len(errors)
        values = [Value(e) for e in errors]
        row = [nn.l1_loss(values, zeros).data, nn.mse_loss(values, zeros).data]
        found[name] = [fmean(errors), *row]
        print(f"{name:22}{fmean(errors):>8.2f}{row[0]:>10.2f}{row[1]:>10.2f}")
    (plain, far) = found.values()
    lesson.claim(
        "errors_cancel_when_merely_added",
        "Errors of both signs cancel when they are merely added; sizes and squares do not.",
        plain[0] == 0.0 < min(plain[1:]),
    )
    lesson.claim(
        "squares_weigh_an_outlier_more",
        "One outlier raises the mean of the squares far more than the mean of the sizes.",
        far[2] / plain[2] > 2.0 * far[1] / plain[1],
    )
    return found


def main(
    steps: int = 2000,
    lr: float = 0.1,
    starts: int = 20,
    seed: int = 0,
    out: str | Path = "out",
    more: bool = False,
) -> dict[str, Any]:
    """Run every kind of descent, print and draw the results, and return the numbers.

    Args:
        steps: largest number of steps of each walker.
        lr: the learning rate of the walkers.
        starts: number of random starts on the wavy cost.
        seed: seed of the points, of the order and of the starts.
        out: the folder for the pictures.
        more: True to show the sections that are hidden by default.

    Returns:
        `slopes` (on the dip, by start), `steepest` and `falls` (along −∇C, in random
        directions), `cosines` (by size of batch), `walks` (a `Walk` for each walker), `plain` and
        `momentum` (places), `push` (steps after one push), `steady` and `decayed` (mean cost of
        the last steps), `ends` (the final cost of each start), `costs`, `claims`, `sections`,
        `pictures`.
    """
    lesson, hill, rng = Lesson(more), Hill(seed), random.Random(seed)
    start = rng.uniform(1.6, 2.0)
    plain, momentum = (roll(dip, start, 0.01, m, 300) for m in (0.0, BETA))
    with lesson.section("The slope says which way: C(w) = w⁴ − 2w² + 0.3w, lr = 0.01"):
        slopes = show_slope(lesson, 0.01, start)
    with lesson.section("Two weights: which way is the steepest?"):
        steepest, falls = show_directions(lesson, hill, seed)
    with lesson.section("The gradient of a batch", more=True):
        cosines = show_batches(lesson, hill, seed)
    goal = GOAL * hill.lowest()
    walks = {name: hill.walk(size, lr, steps, seed, goal) for name, size in WALKERS.items()}
    with lesson.section("Three walkers, from the same start to the same cost"):
        print(f"the goal is a cost of {goal:.4f}")
        show_walks(lesson, walks)
    with lesson.section("Momentum"):
        push = show_momentum(lesson, plain, momentum)
    with lesson.section("A learning rate that decays", more=True):
        steady, decayed = show_decay(lesson, hill, lr, max(steps // 2, 8), seed)
    rolls = [roll(waves, rng.uniform(-6.0, 6.0), 0.02, 0.0, 200) for _ in range(starts)]
    with lesson.section("Many random starts on a wavy cost"):
        ends = show_starts(lesson, rolls)
    with lesson.section("Why squares?", more=True):
        costs = show_costs(lesson)
    made = pictures(hill, walks, {"plain": plain, "momentum": momentum}, rolls, out)
    lesson.end(made)
    return {
        "slopes": slopes,
        "steepest": steepest,
        "falls": falls,
        "cosines": cosines,
        "walks": walks,
        "plain": plain,
        "momentum": momentum,
        "push": push,
        "steady": steady,
        "decayed": decayed,
        "ends": ends,
        "costs": costs,
        "claims": lesson.claims,
        "sections": lesson.sections,
        "pictures": made,
    }


def pictures(
    hill: Hill,
    walks: dict[str, Walk],
    dips: dict[str, list[float]],
    rolls: list[list[float]],
    out: str | Path,
) -> list[str]:
    """Draw the walks over the bowl's contour lines, and descent on both costs of one weight."""
    from matplotlib.figure import Figure

    from nn import plots

    bowl = plots.descent_path(hill.cost, {name: walk.places for name, walk in walks.items()})
    figure = Figure(figsize=(9.0, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    along = [-1.7 + 3.8 * i / 200 for i in range(201)]
    left.plot(along, [dip(w) for w in along], color="#BBBBBB")
    for (name, places), colour in zip(dips.items(), plots.COLOURS, strict=False):
        left.plot(places, [dip(w) for w in places], ".", color=colour, markersize=4, label=name)
        left.plot(places[-1], dip(places[-1]), "o", color=colour)
    left.set(title="momentum rolls through a dip", xlabel="w", ylabel="C", ylim=(-1.6, 9.5))
    left.legend(frameon=False)
    along = [-6.5 + 13.0 * i / 400 for i in range(401)]
    right.plot(along, [waves(w) for w in along], color="#BBBBBB")
    for places in rolls:
        right.plot(places[0], waves(places[0]), "x", color=plots.COLOURS[0], markersize=5)
        right.plot(places[-1], waves(places[-1]), "o", color=plots.COLOURS[1], markersize=5)
    right.set(title="where random starts (×) end (●)", xlabel="w", ylabel="C")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return [save(bowl, out, "descent"), save(figure, out, "descent-dips")]


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse and check the command line's options."""
    return options(
        main,
        "Ways downhill: batches, momentum, decay, restarts.",
        steps="largest number of steps",
        lr="learning rate",
        starts="random starts on the wavy cost",
    ).parse_args(arguments)


if __name__ == "__main__":
    run(main, parsed)
