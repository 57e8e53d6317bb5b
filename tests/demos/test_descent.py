"""Tests of the lesson on ways downhill."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from autograd import Value
from demos import descent
from demos.lesson import Lesson
from tests.demo_runs import Results


def test_descent(results: Results) -> None:
    numbers = results["descent"]
    for walk in numbers["walks"].values():
        assert len(walk.costs) == len(walk.places)
        assert walk.costs[-1] < walk.costs[0]
    assert numbers["push"] == pytest.approx([1.0, 0.9, 0.81, 0.729, 0.6561])
    assert list(numbers["costs"].values()) == [
        pytest.approx([0.0, 1.0, 1.0]),
        pytest.approx([10 / 3, 4.0, 34.0]),
    ]
    assert numbers["cosines"][64] == pytest.approx(1.0)


def test_the_gradient_of_the_hill_is_that_of_the_formulas() -> None:
    hill = descent.Hill(seed=1)
    w, b = descent.START
    off = w * np.array(hill.x) + b - np.array(hill.y)
    wanted = 2 * np.mean(off * hill.x), 2 * np.mean(off)
    assert hill.gradient(range(64)) == pytest.approx(wanted)
    first = 2 * off[0] * hill.x[0], 2 * off[0]
    assert hill.gradient([0]) == pytest.approx(first)


def test_the_slope_of_the_dip_is_that_of_the_formula() -> None:
    for w in (-1.5, 0.3, 1.9):
        assert descent.slope_of(descent.dip, w) == pytest.approx(4 * w**3 - 4 * w + 0.3)


def test_walkers_that_do_not_differ_refute_the_claims() -> None:
    walk = descent.Walk([(0.0, 0.0), (1.0, 0.0)], [2.0, 1.0], looks=1)
    lesson = Lesson()
    descent.show_walks(lesson, dict.fromkeys(descent.WALKERS, walk))
    assert not any(lesson.claims.values())


def test_one_start_refutes_that_many_are_better(tmp_path: Path) -> None:
    claims = descent.main(steps=20, starts=1, out=tmp_path)["claims"]
    assert not claims["the_best_of_many_starts_is_lower"]
    assert not claims["descent_finds_a_local_minimum"]


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
