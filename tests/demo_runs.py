"""Small budgets on which the tests run the demos, and the numbers that the demos return on them."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

TINY: dict[str, dict[str, Any]] = {
    "gates": {"passes": 20, "epochs": 60},
    "boundary": {"points": 30, "epochs": 10},
    "moons": {"points": 20, "epochs": 2},
    "spirals": {"points": 6, "epochs": 2},
    "descent": {"steps": 2000},
    "overfit": {"points": 10, "epochs": 2},
    "vanishing": {"depth": 5},
    "digits": {"images": 20, "epochs": 1},
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
