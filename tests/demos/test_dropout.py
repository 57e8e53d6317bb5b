"""Tests of the lesson on dropout."""

from __future__ import annotations

import numpy as np
import pytest

import nn
from demos import dropout, overfit
from demos.lesson import Lesson
from tests.demo_runs import Results


def test_dropout(results: Results) -> None:
    numbers = results["dropout"]
    kinds = {
        name: [m.p for m in f.model if isinstance(m, nn.Dropout)]
        for name, f in numbers["fits"].items()
    }
    assert kinds == {"no dropout": [], "dropout": [0.3, 0.3]}
    assert [len(shares) for shares in numbers["missing"].values()] == [4, 4]


def weighted(*numbers: float) -> nn.Sequential:
    """Return a 2-2-1 network with these weights, layer by layer, and biases 0."""
    model = overfit.network([2, 1], 0)
    weights = iter(numbers)
    for name, p in model.named_parameters():
        p.data = 0.0 if name.endswith("b") else next(weights)
    return model


def test_answers_without_each_neuron_by_hand() -> None:
    model = weighted(1.0, 0.0, 0.0, 1.0, 2.0, 1.0)  # z = 2·tanh(x₁) + tanh(x₂)
    X = np.array([[1.0, -1.0], [-1.0, 1.0], [1.0, 1.0], [-1.0, -1.0]])
    part = overfit.Points(X, np.array([1, 0, 1, 0]), np.zeros(4, bool))
    assert overfit.mistakes(model, part).sum() == 0
    assert dropout.without_each(model, part).tolist() == [0.5, 0.0]


def test_dropout_layers_are_off_when_neurons_are_taken_away() -> None:
    data = overfit.parts(20, seed=0)["learned"]
    model = overfit.network([4, 1], 0, dropout=0.5)
    once, again = (dropout.without_each(model, data) for _ in range(2))
    np.testing.assert_array_equal(once, again)


def test_the_masks_are_those_of_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dropout, "EXAMPLES", 2000)
    trained, evaluated = dropout.masks(5, seed=0)
    assert set(np.unique(trained)) == {0.0, 1 / 0.7}
    assert (trained == 0.0).mean() == pytest.approx(0.3, abs=0.02)
    assert evaluated.tolist() == [1.0] * 5


def fitted(model: nn.Sequential, learned: float, unseen: float, by_heart: float) -> overfit.Fit:
    return overfit.Fit(model, nn.History(), learned, unseen, by_heart)


def test_the_claims_about_dropout_follow_the_numbers() -> None:
    X = np.array([[1.0, -1.0], [-1.0, 1.0], [1.0, 1.0], [-1.0, -1.0]])
    part = overfit.Points(X, np.array([1, 0, 1, 1]), np.zeros(4, bool))
    leaning = fitted(weighted(1.0, 0.0, 0.0, 1.0, 2.0, 1.0), 0.25, 0.3, 0.9)
    shared = fitted(weighted(1.0, 0.0, 1.0, 0.0, 1.0, 1.0), 0.25, 0.21, 0.1)
    for plain, dropped, holds in ((leaning, shared, True), (shared, leaning, False)):
        lesson = Lesson()
        dropout.fits_section(lesson, plain, dropped)
        missing = dropout.missed_section(lesson, plain, dropped, part)
        assert list(lesson.claims.values()) == [holds, holds]
        assert sorted(shares.max() for shares in missing.values()) == [0.25, 0.75]


@pytest.mark.parametrize("p", [0.0, 0.99])
def test_dropout_that_leaves_out_nothing_or_nearly_all_is_seen(
    p: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dropout, "DROPOUT", p)
    lesson = Lesson()
    dropout.masks_section(lesson, 200, seed=0)
    assert not lesson.claims["dropout_leaves_neurons_out_at_random"]
    assert lesson.claims["evaluation_uses_all_neurons"]
