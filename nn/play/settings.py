"""The settings of the playground: what a reader of the page, a link and a program can choose.

The page gets `TABLE` as JSON: it builds its controls from it, and checks links with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from .. import losses
from ..activations import ACTIVATIONS
from ..diagnosis.symptoms import FLAT, HARDLY, LATE, RATIO, SATURATED
from ..settings import choice, real, several, whole
from ..training.answers import answers_of
from .points import KINDS

MOST_LAYERS, MOST_NEURONS = 6, 16
MOST_POINTS, MOST_CLASSES, MOST_INPUTS = 1000, 6, 64
OWN = "own"  # the data of the reader


class Setting(NamedTuple):
    """A setting.

    Attributes:
        label: what a reader reads beside the control.
        default: the value at first.
        kind: "choice" of a name, "names" for some of the names, "number", "whole", or "sizes" for
            the neurons of each hidden layer.
        choices: the names that can be chosen, and what a reader reads for each.
        least, most: the bounds of a number, if it is one; `above` says that `least` itself is out.
    """

    label: str
    default: Any
    kind: Literal["choice", "names", "number", "whole", "sizes"]
    choices: Mapping[str, str] = {}
    least: float = 0
    most: float = 0
    above: bool = False


INPUTS = {
    "x1": "x₁",
    "x2": "x₂",
    "x1^2": "x₁²",
    "x2^2": "x₂²",
    "x1*x2": "x₁x₂",
    "sin(x1)": "sin x₁",
    "sin(x2)": "sin x₂",
}
COSTS = {  # for each kind of targets, the default first
    "sides": {
        "binary_cross_entropy_with_logits": "cross-entropy",
        "hinge_loss": "hinge",
        "mse_loss": "squared error",
    },
    "classes": {"cross_entropy": "cross-entropy", "mse_loss": "squared error"},
    "numbers": {"mse_loss": "squared error", "l1_loss": "absolute error"},
}
SCHEDULES: dict[str, tuple[str, str, dict[str, float]]] = {  # title, class, arguments
    "constant": ("constant", "", {}),
    "step": ("half every 50 epochs", "StepLR", {"step_size": 50, "gamma": 0.5}),
    "exponential": ("1 % less every epoch", "ExponentialLR", {"gamma": 0.99}),
    "cosine": ("a cosine to 0 in 200 epochs", "CosineAnnealingLR", {"T_max": 200}),
    "linear": (
        "a line to a tenth in 200 epochs",
        "LinearLR",
        {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 200},
    ),
}
LEARNING = {  # of the activations, those with a slope to learn by
    name: name
    for name, row in ACTIVATIONS.items()
    if row.of_one is not None and name not in ("step", "identity")
} | {"identity": "none (linear)"}

TABLE = {
    "data": Setting("data", "moons", "choice", {name: row.title for name, row in KINDS.items()}),
    "points": Setting("points", 200, "whole", least=10, most=MOST_POINTS),
    "noise": Setting("noise", 0.2, "number", least=0, most=2),
    "test": Setting("test points", 0.3, "number", least=0, most=0.9),
    "inputs": Setting("inputs", ["x1", "x2"], "names", INPUTS),
    "layers": Setting("neurons in hidden layers", [4, 3], "sizes"),
    "activation": Setting("activation", "tanh", "choice", LEARNING),
    "init": Setting(
        "first weights",
        "auto",
        "choice",
        {
            "auto": "as the activation needs",
            "xavier": "xavier",
            "he": "he",
            "uniform": "from −1 to 1",
            "equal": "all 0.5",
        },
    ),
    "cost": Setting(
        "cost",
        "auto",
        "choice",
        {"auto": "as the data needs"}
        | {name: title for row in COSTS.values() for name, title in row.items()},
    ),
    "optimizer": Setting(
        "optimiser",
        "sgd",
        "choice",
        {"sgd": "gradient descent", "momentum": "with momentum", "adam": "Adam"},
    ),
    "momentum": Setting("momentum", 0.9, "number", least=0, most=0.999),
    "lr": Setting("learning rate", 0.1, "number", least=0, most=100, above=True),
    "schedule": Setting("schedule", "constant", "choice", {k: v[0] for k, v in SCHEDULES.items()}),
    "penalty": Setting("penalty", "none", "choice", {"none": "none", "l1": "L1", "l2": "L2"}),
    "strength": Setting("how much", 0.001, "number", least=0, most=1),
    "dropout": Setting("dropout", 0.0, "number", least=0, most=0.9),
    "batch_size": Setting("points a step", 10, "whole", least=1, most=MOST_POINTS),
    "seed": Setting("seed", 0, "whole", least=0, most=2**32 - 1),
}


def checked(given: Mapping[str, Any], targets: str | None = None) -> dict[str, Any]:
    """Check settings, and return all of them: those given, and the defaults of the others.

    Args:
        given: settings by name.
        targets: for points of the reader's own, with which `data` is "own": "sides", "classes" or
            "numbers".

    Raises:
        TypeError, ValueError: there is no such setting, or its value is out of range.

    >>> checked({"lr": 0.5})["lr"], checked({})["cost"]
    (0.5, 'binary_cross_entropy_with_logits')
    """
    for name in given:
        choice(name, "a setting of the playground", TABLE)
    found = {name: _checked(name, row, given.get(name, row.default)) for name, row in TABLE.items()}
    if targets is not None:
        found["data"] = OWN
    costs = COSTS[targets or KINDS[found["data"]].targets]
    if found["cost"] == "auto":
        found["cost"] = next(iter(costs))
    choice(found["cost"], "the cost of these targets", costs)
    return found


def _checked(name: str, row: Setting, x: Any) -> Any:
    if row.kind == "choice":
        return choice(x, name, row.choices)
    if row.kind == "names":
        names = [
            choice(item, f"each of {name}", row.choices) for item in several(x, f"{name} is a list")
        ]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"{name} are one or more different names, got {x!r}")
        return [known for known in row.choices if known in names]
    if row.kind == "sizes":
        sizes = [whole(size, f"each of {name}") for size in several(x, f"{name} is a list")]
        if len(sizes) > MOST_LAYERS or any(size > MOST_NEURONS for size in sizes):
            raise ValueError(
                f"{name} are at most {MOST_LAYERS} numbers up to {MOST_NEURONS}, got {x!r}"
            )
        return sizes
    number = whole(x, name, int(row.least)) if row.kind == "whole" else real(x, name)
    if not (row.least < number if row.above else row.least <= number) or not number <= row.most:
        relation = "above" if row.above else "at least"
        raise ValueError(f"{name} is {relation} {row.least:g} and at most {row.most:g}, got {x!r}")
    return number


def _read_as(cost: str) -> dict[str, Any]:
    """Return the targets of a cost of two sides for no and yes, and the output between them."""
    answers = answers_of(getattr(losses, cost), [0, 1], 1)
    return {"targets": answers.kinds, "threshold": answers.threshold}


def as_json() -> dict[str, Any]:
    """Return the table as the page reads it."""
    return {
        "settings": {name: row._asdict() for name, row in TABLE.items()},
        "limits": {
            "flat": FLAT,
            "saturated": SATURATED,
            "ratio": RATIO,
            "hardly": HARDLY,
            "late": LATE,
        },
        "mostLayers": MOST_LAYERS,
        "mostNeurons": MOST_NEURONS,
        "mostPoints": MOST_POINTS,
        "mostClasses": MOST_CLASSES,
        "costs": {targets: list(names) for targets, names in COSTS.items()},
        "sides": {name: _read_as(name) for name in COSTS["sides"]},
        "inits": {name: row.init for name, row in ACTIVATIONS.items()},
        "data": {
            name: {"title": row.title, "targets": row.targets, "count": row.count}
            for name, row in KINDS.items()
        },
        "schedules": {
            name: {"kind": kind, "arguments": arguments}
            for name, (_, kind, arguments) in SCHEDULES.items()
        },
    }
