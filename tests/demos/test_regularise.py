"""Tests of the lesson on penalties."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import nn
from demos import overfit, regularise
from demos.lesson import Lesson
from tests.demo_runs import Results


def test_regularise(results: Results) -> None:
    numbers = results["regularise"]
    assert len(numbers["fits"]) == 7
    found = [[w.data for w in regularise.weights(f.model)] for f in numbers["fits"].values()]
    assert all(one != other for one, other in itertools.combinations(found, 2))
    assert [len(w) for w in numbers["selected"].values()] == [8, 8, 8]
    assert len(regularise.weights(numbers["fits"]["no penalty"].model)) == 2 * 4 + 4 * 4 + 4


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
        ("no penalty", "L2, λ = 0.002", "l2_keeps_weights_small_and_even"),
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
