"""Tests of the lesson on softmax."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nn
from demos import spirals
from tests.demo_runs import Results


def test_spirals(results: Results) -> None:
    for columns in (results["spirals"]["before"], results["spirals"]["after"]):
        assert sum(columns["p"]) == pytest.approx(1.0)
        slopes = np.array(columns["p"]) - columns["y"]
        assert columns["gradient"] == pytest.approx(slopes.tolist())
    rates = results["spirals"]["history"].learning_rates
    assert rates == sorted(rates, reverse=True)
    assert len(set(rates)) == len(rates)


def test_spirals_judges_by_points_it_never_saw(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    monkeypatch.setattr(spirals, "pictures", lambda model, *rest: shown.append(model) or [])
    accuracy = spirals.main(points=8, epochs=2)["accuracy"]
    X, y = spirals.spirals(8, seed=10_000)
    assert accuracy == np.mean(shown[0].predict(X).argmax(1) == y)
    assert not np.array_equal(X, spirals.spirals(8, seed=0)[0])


def test_the_right_class_should_go_up(capsys: pytest.CaptureFixture[str]) -> None:
    spirals.print_point(nn.MLP(2, [3], seed=0), [0.5, -0.5], 2)
    wishes = [row.split()[-1] for row in capsys.readouterr().out.splitlines()[2:]]
    assert wishes == ["down", "down", "up"]
