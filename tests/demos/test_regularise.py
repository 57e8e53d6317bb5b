"""Tests of the lesson on penalties and dropout."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

import nn
from demos import overfit, regularise
from demos.lesson import Lesson
from tests.demo_runs import Results


def test_regularise(results: Results) -> None:
    numbers = results["regularise"]
    assert len(numbers["fits"]) == 8
    found = [[w.data for w in regularise.weights(f.model)] for f in numbers["fits"].values()]
    assert all(one != other for one, other in itertools.combinations(found, 2))
    dropouts = [m.p for m in numbers["fits"]["dropout"].model if isinstance(m, nn.Dropout)]
    assert dropouts == [0.3, 0.3]
    assert [len(w) for w in numbers["selected"].values()] == [8, 8, 8]
    assert set(numbers["missed"]) == {"no dropout", "dropout"}
    assert len(regularise.weights(numbers["fits"]["dropout"].model)) == 2 * 4 + 4 * 4 + 4


def test_a_sure_neuron_by_hand() -> None:
    z, cost, slope = regularise.answer(1.0, (1.0, 1.0), 1)
    a = 1 / (1 + math.exp(-2.0))
    assert (z, cost, slope) == pytest.approx((2.0, -math.log(a), a * (1 - a)))
    z, cost, _ = regularise.answer(10.0, (1.0, 1.0), 0)
    assert (z, cost) == pytest.approx((20.0, 20.0))


def weighted(*numbers: float) -> nn.Sequential:
    """Return a 2-2-1 network with these weights, layer by layer, and biases 0."""
    model = overfit.network([2, 1], 0)
    for p in model.parameters():
        p.data = 0.0
    for p, number in zip(regularise.weights(model), numbers, strict=True):
        p.data = number
    return model


def test_sizes_by_hand() -> None:
    sizes = regularise.sizes_of(weighted(0.5, -3.0, 0.0, 0.0005, 1.0, 0.5))
    np.testing.assert_array_equal(sizes.sizes, [3.0, 1.0, 0.5, 0.5, 0.0005, 0.0])
    assert (sizes.zeros, sizes.largest, sizes.top) == (2 / 6, 3.0, 1.0)


def test_a_penalty_leaves_the_biases_alone() -> None:
    model = weighted(0.5, -3.0, 0.0, 0.0, 1.0, 0.5)
    for neuron in model[0].neurons:
        neuron.b.data = 100.0
    assert regularise.penalised("L1", 0.1)(model).data == pytest.approx(0.5)
    assert regularise.penalised("L2", 0.1)(model).data == pytest.approx(0.1 * (0.25 + 9 + 1.25))


def test_each_penalty_changes_what_is_learned() -> None:
    data = overfit.parts(20, seed=0)
    penalties = [None, *(regularise.penalised(kind, 0.01) for kind in regularise.PENALTIES)]
    found = [
        overfit.fit(overfit.network([3, 1], 0), data, 3, 0.05, 0, penalty=penalty)
        for penalty in penalties
    ]
    first = [[w.data for w in regularise.weights(f.model)] for f in found]
    assert first[0] != first[1] != first[2] != first[0]


def test_answers_without_each_neuron_by_hand() -> None:
    model = weighted(1.0, 0.0, 0.0, 1.0, 2.0, 1.0)  # z = 2·tanh(x₁) + tanh(x₂)
    X = np.array([[1.0, -1.0], [-1.0, 1.0], [1.0, 1.0], [-1.0, -1.0]])
    part = overfit.Points(X, np.array([1, 0, 1, 0]), np.zeros(4, bool))
    assert overfit.mistakes(model, part).sum() == 0
    assert regularise.without_each(model, part).tolist() == [0.5, 0.0]


def test_dropout_layers_are_off_when_neurons_are_taken_away() -> None:
    data = overfit.parts(20, seed=0)["learned"]
    model = overfit.network([4, 1], 0, dropout=0.5)
    once, again = (regularise.without_each(model, data) for _ in range(2))
    np.testing.assert_array_equal(once, again)


def test_the_masks_are_those_of_training() -> None:
    trained, evaluated = regularise.masks(2000, 5, seed=0)
    assert set(np.unique(trained)) == {0.0, 1 / 0.7}
    assert (trained == 0.0).mean() == pytest.approx(0.3, abs=0.02)
    assert evaluated.tolist() == [1.0] * 5


def fitted(model: nn.Sequential, learned: float, unseen: float, by_heart: float) -> overfit.Fit:
    return overfit.Fit(model, nn.History(), learned, unseen, by_heart)


def penalised() -> dict[str, overfit.Fit]:
    """Return fits of which all claims about penalties hold."""
    sparse, even = weighted(4.0, 0.0, 0.0, 0.0, 0.0, 0.0), weighted(*[0.5, -0.4] * 3)
    large = weighted(5.0, -4.0, 3.0, 6.0, 2.0, -3.0)
    return {
        "no penalty": fitted(large, 0.03, 0.32, 0.9),
        **{
            f"{kind}, λ = {strength:g}": f
            for kind, middle in (("L1", sparse), ("L2", even))
            for strength, f in zip(
                regularise.LAMBDAS.values(),
                (
                    fitted(large, 0.05, 0.3, 0.8),
                    fitted(middle, 0.2, 0.21, 0.1),
                    fitted(weighted(*[0.00001] * 6), 0.5, 0.5, 0.5),
                ),
                strict=True,
            )
        },
    }


def claims(fits: dict[str, overfit.Fit], monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    monkeypatch.setattr(regularise, "LARGEST", 1)  # of six weights
    lesson = Lesson()
    regularise.penalty_section(lesson, fits)
    return lesson.claims


def test_the_claims_about_penalties_hold_where_they_should(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert all(claims(penalised(), monkeypatch).values())


@pytest.mark.parametrize(
    ("other", "name", "refuted"),
    [
        ("L2, λ = 0.002", "L1, λ = 0.002", "l1_sets_weights_to_zero"),
        ("L1, λ = 0.002", "L2, λ = 0.002", "l2_keeps_weights_small_and_even"),
        ("no penalty", "L2, λ = 0.002", "penalties_hold_back"),
        ("L1, λ = 0.002", "L1, λ = 0.0001", "too_small_a_lambda_still_overfits"),
        ("L1, λ = 0.002", "L2, λ = 0.1", "too_large_a_lambda_underfits"),
    ],
)
def test_the_claims_about_penalties_follow_the_numbers(
    other: str, name: str, refuted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits = penalised()
    assert not claims({**fits, name: fits[other]}, monkeypatch)[refuted]


def test_l1_selects_and_l2_does_not() -> None:
    found = regularise.select(150, seed=1)
    zeros = [int((abs(w[2:]) < regularise.ZERO).sum()) for w in found.values()]
    assert zeros[0] == zeros[2] == 0
    assert zeros[1] >= 4
    assert abs(found["L2, λ = 0.05"]).max() < abs(found["no penalty"]).max()


def test_the_claim_about_inputs_follows_the_numbers() -> None:
    sparse, small = np.array([1.0, 1.0, *[0.0] * 6]), np.array([0.7, 0.7, *[0.1] * 6])
    for l1, l2, holds in (
        (sparse, small, True),
        (small, sparse, False),
        (0 * sparse, small, False),
    ):
        lesson = Lesson()
        found = {"no penalty": 2 * small, "L1, λ = 0.05": l1, "L2, λ = 0.05": l2}
        regularise.select_section(lesson, found)
        assert lesson.claims == {"l1_picks_inputs": holds}


def test_the_claims_about_dropout_follow_the_numbers() -> None:
    X = np.array([[1.0, -1.0], [-1.0, 1.0], [1.0, 1.0], [-1.0, -1.0]])
    part = overfit.Points(X, np.array([1, 0, 1, 0]), np.zeros(4, bool))
    leaning = fitted(weighted(1.0, 0.0, 0.0, 1.0, 2.0, 1.0), 0.0, 0.3, 0.9)
    shared = fitted(weighted(1.0, 0.0, 1.0, 0.0, 1.0, 1.0), 0.2, 0.21, 0.1)
    about = ("dropout_holds_back", "dropout_makes_no_neuron_indispensable")
    for plain, dropped, holds in ((leaning, shared, True), (shared, leaning, False)):
        lesson = Lesson()
        missed = regularise.dropout_section(lesson, plain, dropped, part, seed=0)
        assert [lesson.claims[name] for name in about] == [holds, holds]
        assert sorted(missed.values()) == [0.0, 0.5]


def test_dropout_that_leaves_nothing_out_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regularise, "DROPOUT", 0.0)
    f = replace(fitted(weighted(*[1.0] * 6), 0.1, 0.2, 0.3))
    lesson = Lesson()
    regularise.dropout_section(lesson, f, f, overfit.points(4, 0), seed=0)
    assert not lesson.claims["dropout_leaves_neurons_out_at_random"]
