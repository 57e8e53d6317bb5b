"""The page that plays a graph, in a real browser, as a reader uses it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from examples import network, neuron

from autograd import Value
from demos import chain as chain_demo

Written = Callable[..., Path]
Opener = Callable[..., Any]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Writes the page of a graph."""

    def writer(root: Value, **options: Any) -> Path:
        return Path(root.save_html(tmp_path / "page.html", **options))

    return writer


def words(page: Any) -> list[str]:
    """What stands above the drawing: the step, its formula, its numbers, their sum."""
    return [page.inner_text(f"#{part}") for part in ("title", "formula", "numbers", "sum")]


def press(page: Any, key: str, times: int = 1) -> None:
    for _ in range(times):
        page.keyboard.press(key)


@pytest.mark.parametrize("root", [neuron(), network(), chain_demo.build("tanh", 3, 1).cost])
def test_every_step_says_what_the_stepper_says(
    root: Value, opened: Opener, written: Written
) -> None:
    page = opened(written(root))
    steps = list(root.stepper())
    press(page, "End")
    press(page, "ArrowLeft", len(steps))
    for step in steps:
        press(page, "ArrowRight")
        assert words(page) == [
            f"backward {step.index} of {step.count}",
            step.rule,
            step.arithmetic,
            step.sum,
        ]
