"""Tests of the lesson on overfitting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nn
from demos import overfit
from demos.lesson import Lesson
from tests.demo_runs import Results


def test_overfit(results: Results) -> None:
    fits = results["overfit"]["fits"]
    assert [f.parameters for f in fits.values()] == [3, 13, 37]
    for f in fits.values():
        assert 0.0 <= min(f.learned, f.unseen, f.by_heart) <= max(f.learned, f.unseen) <= 1.0
    assert results["overfit"]["stopped"].history.epochs <= 3


def test_a_fifth_of_the_labels_is_wrong_in_every_part() -> None:
    for part in overfit.parts(40, seed=3).values():
        assert part.mislabelled.sum() == len(part.y) / 5
        truth = np.where(part.mislabelled, 1 - part.y, part.y)
        assert truth.tolist() == [0, 1] * (len(truth) // 2)
        inside = np.hypot(*part.X.T) < 0.65
        assert np.mean(inside == truth) > 0.97  # the cloud of label 1 is inside the arch


def test_the_parts_have_no_point_in_common() -> None:
    data = overfit.parts(200, seed=0)
    rows = np.concatenate([part.X for part in data.values()])
    assert len(np.unique(rows, axis=0)) == len(rows) == 900


def test_dropout_follows_each_hidden_layer() -> None:
    kinds = [type(module) for module in overfit.network([4, 3, 1], 0, dropout=0.3)]
    assert kinds == [nn.Layer, nn.Dropout, nn.Layer, nn.Dropout, nn.Layer]
    assert [type(module) for module in overfit.network([1], 0, dropout=0.3)] == [nn.Layer]


def by_first_coordinate() -> nn.Sequential:
    """Return a model that answers yes where x₁ is above 0."""
    model = overfit.network([1], 0)
    for p, number in zip(model.parameters(), (1.0, 0.0, 0.0), strict=True):
        p.data = number
    return model


def test_wrong_answers_are_counted_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    X = np.array([[1.0, 5.0], [2.0, 5.0], [-1.0, 5.0], [-2.0, 5.0]])
    wrong = np.array([True, True, True, False])
    part = overfit.Points(X, np.array([1, 0, 1, 0]), wrong)  # the model says 1, 1, 0, 0
    model = by_first_coordinate()
    assert overfit.mistakes(model, part).tolist() == [False, True, True, False]
    monkeypatch.setattr(nn.Adam, "step", lambda *_: None)
    unseen = overfit.Points(X, np.array([1, 1, 1, 0]), wrong)
    f = overfit.fit(model, {"learned": part, "held out": part, "unseen": unseen}, 1, 0.1, 0)
    assert (f.learned, f.unseen, f.by_heart) == (0.5, 0.25, 1 / 3)


def test_training_does_not_see_the_points_it_is_judged_by() -> None:
    data = overfit.parts(20, seed=0)

    def stopped() -> overfit.Fit:
        return overfit.fit(overfit.network([3, 1], 0), data, 60, 0.3, 0, patience=3)

    first = stopped()
    assert first.history.kept_epoch == first.history.epochs - 3 < 57
    data["unseen"] = overfit.points(30, seed=9)
    again = stopped()
    assert first.history.validation_losses == again.history.validation_losses
    for name, array in first.model.state_dict().items():
        np.testing.assert_array_equal(array, again.model.state_dict()[name])
    held_out = data["held out"]
    data["held out"] = held_out._replace(y=1 - held_out.y)
    assert stopped().history.validation_losses != first.history.validation_losses


@pytest.mark.parametrize("settle", [False, True])
def test_the_learning_rate_settles_if_asked(settle: bool) -> None:
    data = overfit.parts(10, seed=0)
    rates = overfit.fit(
        overfit.network([1], 0), data, 4, 0.1, 0, settle=settle
    ).history.learning_rates
    assert rates[0] == pytest.approx(0.1)
    assert (rates[-1] < 0.05) == settle


def test_the_lowest_epoch_is_counted_from_one() -> None:
    assert overfit.lowest([0.7, 0.4, 0.6]) == 2


def made(learned: float, unseen: float, by_heart: float, history: Any = None) -> overfit.Fit:
    return overfit.Fit(overfit.network([1], 0), history, learned, unseen, by_heart)


def test_the_claims_about_sizes_follow_the_numbers() -> None:
    line, small, large = made(0.35, 0.38, 0.3), made(0.19, 0.23, 0.1), made(0.04, 0.32, 0.9)
    lesson = Lesson()
    overfit.sizes_section(lesson, {"line": line, "small": small, "large": large})
    assert all(lesson.claims.values())
    lesson = Lesson()
    overfit.sizes_section(lesson, {"line": small, "small": large, "large": line})
    assert not any(lesson.claims.values())


def test_the_claims_about_the_curves_follow_the_numbers() -> None:
    falling, turning = [0.7, 0.5, 0.3, 0.1], [0.72, 0.55, 0.8, 1.5]
    lesson = Lesson()
    overfit.curve_section(lesson, nn.History(losses=falling, validation_losses=turning))
    assert all(lesson.claims.values())
    lesson = Lesson()
    overfit.curve_section(lesson, nn.History(losses=turning, validation_losses=falling))
    assert not any(lesson.claims.values())


def test_the_claims_about_stopping_follow_the_numbers() -> None:
    costs = [0.7, 0.5, *[0.6] * 60]
    long = nn.History(losses=costs, validation_losses=costs, kept_epoch=62)
    short = nn.History(losses=costs[:52], validation_losses=costs[:52], kept_epoch=2)
    stopped, last = made(0.2, 0.22, 0.1, short), made(0.03, 0.32, 0.9, long)
    lesson = Lesson()
    overfit.stop_section(lesson, stopped, last)
    assert all(lesson.claims.values())
    lesson = Lesson()
    overfit.stop_section(lesson, last, stopped)
    assert not any(lesson.claims.values())
