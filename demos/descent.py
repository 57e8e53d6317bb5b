"""Gradient descent by batch size, with momentum, with learning-rate decay, from many starts.

    all examples a step       the careful walker: reads all examples, then takes one exact step
    a few examples a step     in between
    one example a step        the drunk walker: noisy steps, but a step for every example

The demo prints at the end which of these orders hold. At the default learning rate all of them
hold for every seed tried, and the tests check them:
- the cost of the careful walker never rises; that of the drunk walker sometimes does;
- the fewer examples a step uses, the fewer examples are read until the goal is reached;
- the fewer examples a step uses, the longer the path is;
- momentum passes a shallow minimum in which plain descent stops;
- a decaying learning rate ends at a lower cost than a constant one;
- the best of many random starts ends lower than the median.

    python -m demos.descent
"""

from __future__ import annotations

import argparse
import math
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median
from typing import Any

import nn
from autograd import Value
from demos.lesson import heading, options, run, save

WALKERS = {"careful (all)": None, "in between (8)": 8, "drunk (1)": 1}
EXAMPLES = 64
SLOPE, INTERCEPT, SPREAD = 2.0, -1.0, 0.3
START = (-2.0, 2.5)
RUNAWAY = 1000.0  # times the first cost: above it, descent has diverged
GOAL = 1.25  # times the lowest possible cost
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


def rolled(cost: Any, start: float, lr: float, momentum: float, steps: int) -> list[float]:
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


def print_walks(walks: dict[str, Walk], goal: float) -> None:
    """Print for each walker its steps, examples read, time and length of path."""
    print(heading(f"From the same start towards the same cost, {goal:.4f}"))
    print(f"{'':16}{'steps':>8}{'examples':>10}{'ms':>8}{'length':>8}{'uphill':>8}{'cost':>9}")
    for name, walk in walks.items():
        print(
            f"{name:16}{len(walk.costs) - 1:>8}{walk.looks:>10}{1000 * walk.seconds:>8.1f}"
            f"{walk.length:>8.2f}{walk.climbs:>8}{walk.costs[-1]:>9.4f}"
        )


def main(
    steps: int = 2000, lr: float = 0.1, starts: int = 20, seed: int = 0, out: str | Path = "out"
) -> dict[str, Any]:
    """Run every kind of descent, print and draw the results, and return the numbers.

    Args:
        steps: largest number of steps of each walker.
        lr: the learning rate.
        starts: number of random starts on the wavy cost.
        seed: seed of the points, of the order and of the starts.
        out: the folder for the pictures.

    Returns:
        `walks` (a `Walk` for each walker), `plain` and `momentum` (places), `steady` and
        `decayed` (mean cost of the last steps), `ends` (the final cost of each start), `orders`
        (each statement of the module's docstring, and whether it holds), `pictures`.
    """
    hill = Hill(seed)
    goal = GOAL * hill.lowest()
    walks = {name: hill.walk(size, lr, steps, seed, goal) for name, size in WALKERS.items()}
    print_walks(walks, goal)

    rng = random.Random(seed)
    start = rng.uniform(1.6, 2.0)
    plain, momentum = (rolled(dip, start, 0.01, m, 300) for m in (0.0, 0.9))
    print(heading(f"A dip on the way: C(w) = w⁴ − 2w² + 0.3w from w = {start:.2f}"))
    print(f"plain descent ends at    w = {plain[-1]:6.3f}, C = {dip(plain[-1]):.3f}")
    print(f"with momentum 0.9 it is  w = {momentum[-1]:6.3f}, C = {dip(momentum[-1]):.3f}")

    half = max(steps // 2, 8)
    tails = {
        decay: fmean(hill.walk(1, lr, half, seed, decay=decay).costs[-half // 4 :])
        for decay in (1.0, 0.01 ** (1.0 / half))
    }
    steady, decayed = tails.values()
    print(heading(f"The drunk walker's mean cost in the last quarter of {half} steps"))
    lowest = f"(the lowest there is: {hill.lowest():.4f})"
    for way, cost, beside in (
        (f"stays {lr:g}", steady, ""),
        ("falls to a hundredth", decayed, lowest),
    ):
        print(f"{f'lr {way}:':28}{cost:>9.4f}   {beside}".rstrip())

    rolls = [rolled(waves, rng.uniform(-6.0, 6.0), 0.02, 0.0, 200) for _ in range(starts)]
    ends = [waves(places[-1]) for places in rolls]
    print(heading(f"{starts} random starts on a wavy cost"))
    print(f"the first ends at {ends[0]:.3f}, half of them above {median(ends):.3f}, "
          f"the best at {min(ends):.3f}")  # fmt: skip

    careful, between, drunk = walks.values()
    orders = {
        "the careful walker never goes uphill, the drunk does": careful.climbs == 0 < drunk.climbs,
        "fewer examples a step, fewer examples in all": drunk.looks < between.looks < careful.looks,
        "fewer examples a step, a longer path": careful.length < between.length < drunk.length,
        "momentum rolls through the dip": dip(momentum[-1]) < dip(plain[-1]) - 0.1,
        "a decaying learning rate ends lower": decayed < steady,
        "the best of many starts ends lower than half": min(ends) < median(ends),
    }
    print(heading("The orders"))
    for order, holds in orders.items():
        print(f"{'holds' if holds else 'DOES NOT HOLD':14}{order}")
    made = pictures(hill, walks, {"plain": plain, "momentum": momentum}, rolls, out)
    print(f"\nThe pictures: {', '.join(made)}")
    return {
        "walks": walks,
        "plain": plain,
        "momentum": momentum,
        "steady": steady,
        "decayed": decayed,
        "ends": ends,
        "orders": orders,
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
