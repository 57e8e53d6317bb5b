"""Tests of the lesson on ways downhill."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from autograd import Value
from demos import descent
from tests.demo_runs import Results


def test_the_orders_of_descent_hold(results: Results) -> None:
    numbers = results["descent"]
    assert all(numbers["orders"].values()), numbers["orders"]
    assert len(numbers["orders"]) == 6
    for walk in numbers["walks"].values():
        assert len(walk.costs) == len(walk.places)
        assert walk.costs[-1] < walk.costs[0]


def test_the_drunk_goes_its_own_way_each_time() -> None:
    hill = descent.Hill(seed=0)
    first, again, other = (hill.walk(1, 0.1, 20, seed).places for seed in (1, 1, 2))
    assert first == again != other


def test_the_bottom_of_the_hill_is_its_lowest_place() -> None:
    hill = descent.Hill(seed=0)
    x = np.stack([hill.x, np.ones(len(hill.x))], axis=1)
    (w, b), *_ = np.linalg.lstsq(x, np.array(hill.y), rcond=None)
    assert hill.lowest() == pytest.approx(hill.cost(w, b), rel=1e-12)


def test_the_waves_are_the_same_for_values_and_numbers() -> None:
    for cost in (descent.dip, descent.waves):
        assert cost(Value(0.7)).data == pytest.approx(cost(0.7))


def test_one_step_of_descent_is_a_way(tmp_path: Path) -> None:
    assert descent.main(steps=1, starts=1, out=tmp_path)["pictures"]
