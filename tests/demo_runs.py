"""Each demo's small budget for tests and target for full runs, and its numbers on the budget."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import fmean
from types import ModuleType
from typing import Any, NamedTuple

import pytest

SHORT_NAMES = str(Path(__file__).parent / "demos" / "short_names.txt")  # is compiled soon

TINY: dict[str, dict[str, Any]] = {
    "chain": {"steps": 2},
    "gates": {"passes": 20, "epochs": 60},
    "boundary": {"points": 30, "epochs": 10},
    "moons": {"points": 20, "epochs": 2},
    "spirals": {"points": 6, "epochs": 2},
    "descent": {"steps": 2000},
    "overfit": {"count": 20, "width": 4, "epochs": 3},
    "regularise": {"count": 20, "width": 4, "epochs": 3},
    "dropout": {"count": 20, "width": 4, "epochs": 3},
    "vanishing": {"depth": 5},
    "digits": {"images": 20, "epochs": 1},
    "convolution": {"filters": 2, "images": 40, "epochs": 1},
    "names": {"steps": 4, "batches": 2, "file": SHORT_NAMES},
}


def mostly_slow(names: Iterable[str], *always: str) -> list[Any]:
    """Return names as parameters of a test that is slow for all but some of them."""
    return [pytest.param(name, marks=[] if name in always else pytest.mark.slow) for name in names]


class Target(NamedTuple):
    """The target of a demo: a text, a function of the demo's numbers, and its lowest good value."""

    text: str
    number: Callable[[dict[str, Any]], float]
    least: float


def claimed(numbers: dict[str, Any]) -> float:
    """Compute the share of a demo's claims that hold."""
    return fmean(numbers["claims"].values())


TARGETS = {
    "chain": Target("share of claims", claimed, 1.0),
    "gates": Target("share of claims", claimed, 1.0),
    "boundary": Target("accuracy >= 0.95", lambda r: r["accuracy"], 0.95),
    "moons": Target("test accuracy >= 0.97", lambda r: r["accuracy"], 0.97),
    "spirals": Target("test accuracy >= 0.95", lambda r: r["accuracy"], 0.95),
    "descent": Target("share of claims", claimed, 1.0),
    "overfit": Target("share of claims", claimed, 1.0),
    "regularise": Target("share of claims", claimed, 1.0),
    "dropout": Target("share of claims", claimed, 1.0),
    "vanishing": Target("sigmoid's last/first >= 100", lambda r: r["ratios"]["sigmoid"], 100.0),
    "digits": Target("test accuracy >= 0.94", lambda r: r["accuracy"], 0.94),
    "convolution": Target(
        "test accuracy >= 0.97, moved 0.1 better",
        lambda r: min(r["accuracy"], r["better"] + 0.87),
        0.97,
    ),
    "names": Target("nats below pairs >= 0.1", lambda r: r["pairs"] - r["surprisal"], 0.1),
}


def demo(name: str) -> ModuleType:
    return importlib.import_module(f"demos.{name}")


class Results(dict[str, Any]):
    """The numbers of the demos; a demo runs once, when a test first asks for its numbers."""

    def __init__(self, out: Path) -> None:
        self.out = out

    def __missing__(self, name: str) -> Any:
        self[name] = demo(name).main(**TINY[name], out=self.out)
        return self[name]
