"""Tests of the lesson on overfitting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nn
from demos import overfit
from tests.demo_runs import Results


@pytest.mark.slow
def test_overfit(results: Results) -> None:
    fits = results["overfit"]["fits"]
    assert len(results["overfit"]["orders"]) == 6
    assert fits["early stopping"].epochs <= 2
    assert all(0.0 <= f.train <= 1.0 and f.norm > 0.0 for f in fits.values())
    assert len(overfit.weights(fits["L1"].model)) == 2 * 32 + 32 * 32 + 32


def test_a_fifth_of_the_points_is_mislabelled() -> None:
    from sklearn.datasets import make_moons

    data = overfit.moons(40, seed=3)
    X, y = make_moons(40, noise=0.1, random_state=3)
    np.testing.assert_array_equal(data["train"][0], X)
    assert (data["train"][1] != y).sum() == 8


@pytest.mark.slow
def test_each_way_is_held_back_as_it_says() -> None:
    data = overfit.moons(20, seed=0)
    fits = {name: overfit.fit(way, data, 2, 0.03, 0) for name, way in overfit.WAYS.items()}
    plain = overfit.weights(fits["unregularised"].model)
    for name in ("L1", "L2"):
        held_back = overfit.weights(fits[name].model)
        assert [w.data for w in held_back] != [w.data for w in plain]
    kinds = [type(module) for module in overfit.build(overfit.WAYS["dropout"], 0)]
    assert kinds == [nn.Layer, nn.Dropout, nn.Layer, nn.Dropout, nn.Layer]
    assert [type(module) for module in overfit.build(overfit.WAYS["a line"], 0)] == [nn.Layer]


@pytest.mark.slow
def test_early_stopping_does_not_see_the_points_of_the_test() -> None:
    data = overfit.moons(20, seed=0)
    way = overfit.WAYS["early stopping"]
    found = overfit.fit(way, data, 3, 0.03, 0)
    data["test"] = (-data["test"][0], data["test"][1])
    assert overfit.fit(way, data, 3, 0.03, 0).norm == found.norm
    data["validation"] = (-data["validation"][0], 1 - data["validation"][1])
    assert overfit.fit(way, data, 3, 0.03, 0).test != found.test


def test_the_orders_are_those_of_the_fits() -> None:

    def made(test: float, zeros: float, norm: float) -> Any:
        return overfit.Fit(nn.Neuron(1), 1.0, test, zeros, norm, 1)

    fits = {
        "a line": made(0.5, 1.0, 0.1),
        "unregularised": made(0.7, 0.1, 9.0),
        "L1": made(0.8, 0.9, 5.0),
        "L2": made(0.7, 0.2, 3.0),
        "dropout": made(0.6, 0.0, 8.0),
        "early stopping": made(0.9, 0.0, 4.0),
    }
    held = list(overfit.orders_of(fits).values())
    assert held == [True, True, True, True, False, True]
    fits["L1"], fits["L2"] = fits["L2"], fits["L1"]
    assert list(overfit.orders_of(fits).values())[:2] == [False, False]
