"""Tests of the lesson on vanishing gradients."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from demos import vanishing
from tests.demo_runs import Results


def test_vanishing(results: Results) -> None:
    numbers = results["vanishing"]
    assert {len(norms) for norms in numbers["norms"].values()} == {5}
    assert {len(lengths) for lengths in numbers["moves"].values()} == {6}
    for name, slopes in numbers["slopes"].items():
        assert all(0.0 <= mean <= (0.25 if name == "sigmoid" else 1.0) for mean in slopes)
    assert numbers["ratios"]["sigmoid"] >= 100.0
    assert "layers.0: the gradient vanishes" in str(numbers["diagnosis"])


@pytest.mark.parametrize("settings", [{"width": 1}, {"depth": 12, "width": 2, "seed": 3}])
def test_dead_networks_are_shown_too(settings: dict[str, Any], tmp_path: Path) -> None:
    assert vanishing.main(**settings, out=tmp_path)["pictures"]


def test_the_slopes_are_those_of_the_formulas() -> None:
    for z in (-2.0, 0.5, 3.0):
        a = 1.0 / (1.0 + math.exp(-z))
        assert vanishing.slope("sigmoid", z) == pytest.approx(a * (1.0 - a))
        assert vanishing.slope("tanh", z) == pytest.approx(1.0 - math.tanh(z) ** 2)
        assert vanishing.slope("relu", z) == (z > 0)


def test_a_shallow_network_makes_no_gradient_vanish(tmp_path: Path) -> None:
    claims = vanishing.main(depth=1, out=tmp_path)["claims"]
    assert not claims["sigmoid_gradient_vanishes"]
    assert not claims["early_layers_hardly_move"]
