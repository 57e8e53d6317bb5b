"""Tests of the lesson on softmax."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nn
from demos import spirals
from demos.lesson import Lesson
from tests.demo_runs import Results


def test_spirals(results: Results) -> None:
    for columns in (results["spirals"]["before"], results["spirals"]["after"]):
        assert sum(columns["p"]) == pytest.approx(1.0)
        slopes = np.array(columns["p"]) - columns["y"]
        assert columns["gradient"] == pytest.approx(slopes.tolist())
        powers = [np.exp(z) for z in columns["z"]]
        assert columns["p"] == pytest.approx(np.array(powers) / sum(powers))
    assert results["spirals"]["softmax"] == pytest.approx([0.8668, 0.1173, 0.0159], abs=1e-4)
    rates = results["spirals"]["history"].learning_rates
    assert rates == sorted(rates, reverse=True)
    assert len(set(rates)) == len(rates)


def test_spirals_judges_by_points_it_never_saw(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []

    def noting(model: nn.MLP, *rest: Any) -> list[str]:
        shown.append(model)
        return ["spirals.png"]

    monkeypatch.setattr(spirals, "pictures", noting)
    accuracy = spirals.main(points=8, epochs=2)["accuracy"]
    X, y = spirals.spirals(8, seed=10_000)
    assert accuracy == np.mean(shown[0].predict(X).argmax(1) == y)
    assert not np.array_equal(X, spirals.spirals(8, seed=0)[0])


def test_the_right_class_should_go_up(capsys: pytest.CaptureFixture[str]) -> None:
    spirals.print_point(nn.MLP(2, [3], seed=0), [0.5, -0.5], 2)
    wishes = [row.split()[-1] for row in capsys.readouterr().out.splitlines()[2:]]
    assert wishes == ["down", "down", "up"]


def test_the_nearest_number_is_the_class() -> None:
    said = {(0.0, 0.0): -3.0, (1.0, 0.0): 0.4, (0.0, 1.0): 1.6, (1.0, 1.0): 7.0}

    class Coded(nn.MLP):
        def predict(self, X: Any) -> np.ndarray:
            return np.array([said[tuple(x)] for x in X])

    assert spirals.classes(Coded(2, [1], seed=0), list(said)).tolist() == [0, 0, 2, 2]


def test_numbers_that_separate_all_classes_refute_the_claims() -> None:
    X, y = spirals.spirals(8, seed=0)
    lesson = Lesson()

    class Right(nn.MLP):
        def predict(self, X: Any) -> np.ndarray:
            return y.astype(float)

    spirals.show_codes(lesson, Right(2, [1], seed=0), accuracy=0.9, held_out=(X, y))
    assert lesson.claims == {
        "numbers_as_classes_have_an_order": True,
        "one_hot_targets_learn_better": False,
        "numbers_put_class_1_between": False,
    }
