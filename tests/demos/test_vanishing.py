"""Tests of the lesson on vanishing gradients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from demo_runs import Results

from demos import vanishing


def test_vanishing(results: Results) -> None:
    numbers = results["vanishing"]
    assert {len(norms) for norms in numbers["norms"].values()} == {5}
    assert numbers["ratios"]["sigmoid"] >= 100.0
    assert "layers.0: the gradient vanishes" in str(numbers["diagnosis"])


@pytest.mark.parametrize("settings", [{"width": 1}, {"depth": 12, "width": 2, "seed": 3}])
def test_dead_networks_are_shown_too(settings: dict[str, Any], tmp_path: Path) -> None:
    assert vanishing.main(**settings, out=tmp_path)["pictures"]
