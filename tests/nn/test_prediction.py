"""Tests of predictions: by the engine and by compiled code."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import Value, no_grad


def test_predict_drops_nothing_records_nothing_and_keeps_the_mode() -> None:
    dropout = nn.Dropout(0.9, seed=0).eval()
    model = nn.Sequential(nn.Layer(2, 3, seed=0), dropout)
    model.training = True
    X = [[1.0, 2.0], [3.0, -1.0]]
    expected = [[a.data for a in model[0](row)] for row in X]
    assert model.predict(X).tolist() == expected
    assert (model.training, dropout.training) == (True, False)
    assert model[0].neurons[0].a.args == ()


@pytest.mark.parametrize("nout", [1, 3])
def test_many_rows_are_predicted_as_few_are(nout: int) -> None:
    model = nn.Sequential(nn.Layer(2, 4, "tanh", seed=0), nn.Dropout(), nn.Layer(4, nout, seed=1))
    X = np.random.default_rng(0).normal(size=(120, 2))
    few = np.concatenate([model.predict(X[i : i + 10]) for i in range(0, 120, 10)])
    np.testing.assert_allclose(model.predict(X), few, rtol=1e-12, atol=1e-15)
    assert all(module.training for module in model.modules())


def test_predict_compiles_once_and_sees_every_change(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[Any] = []

    def noting(function: Any) -> Any:
        compiled.append(function)
        return autograd.compile(function)

    monkeypatch.setattr("nn.prediction.compile", noting)
    X, model = np.random.default_rng(0).normal(size=(60, 2)), nn.MLP(2, [3, 1], "tanh", seed=0)

    def is_right(model: nn.Module) -> bool:
        with no_grad():
            wanted = [model(row).data for row in X.tolist()]
        return bool(np.allclose(model.predict(X), wanted, rtol=1e-12))

    assert is_right(model)
    model.parameters()[0].data += 1.0
    assert is_right(model)
    model.layers[0] = nn.Layer(2, 3, "relu", seed=1)
    assert is_right(model)
    assert len(compiled) == 1


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_a_copy_of_a_model_that_has_predicted_predicts_by_itself(copied: Any) -> None:
    X, model = np.random.default_rng(0).normal(size=(60, 2)), nn.MLP(2, [3, 1], seed=0)
    before = model.predict(X)
    other = copied(model)
    other.layers = nn.MLP(2, [3, 1], seed=1).layers
    assert not np.allclose(other.predict(X), before)
    assert model.predict(X).tolist() == before.tolist()


def test_a_module_that_cannot_be_compiled_predicts_too() -> None:
    class Branching(nn.Module):
        def forward(self, x: Any) -> Value:
            z = Value(1.0) * x[0]
            return z if z.data > 0.0 else -z

    X = np.linspace(-1.0, 1.0, 101)[:, None]
    assert Branching().predict(X).tolist() == abs(X[:, 0]).tolist()


def test_one_output_predicts_a_vector() -> None:
    assert nn.MLP(2, [3, 1], seed=0).predict(np.zeros((4, 2))).shape == (4,)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([1.0, 2.0], r"shape \(2,\), expected rows"),
        ([], "shape"),
        (np.zeros((0, 2)), "nothing in it"),
        (np.zeros((2, 2, 2)), r"reshape\(len\(X\), -1\)"),
        ([[1.0, 2.0], [3.0]], r"rows of X differ in shape: \(1,\), \(2,\)"),
        ([[1.0, 2.0], [3.0, np.inf]], r"X\[1, 1\] \(row 1, column 1\) is inf"),
        ([["a", "b"]], "must be made of real numbers"),
        ([[1j, 2.0]], "must be made of real numbers"),
        ([[Value(1.0), Value(2.0)]], "X holds Values"),
        ([[1.0, 2.0, 3.0]], "takes 2 input"),
        (None, "must be made of real numbers"),
    ],
)
def test_predict_says_what_is_wrong_with_its_features(X: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        nn.MLP(2, [3, 1], seed=0).predict(X)


def test_predict_turns_arrays_of_values_into_numbers() -> None:
    class Matrix(nn.Module):
        def __init__(self) -> None:
            self.W = np.array([[Value(1.0), Value(2.0)], [Value(0.0), Value(-1.0)]])

        def forward(self, x: Any) -> Any:
            return self.W @ x

    outputs = Matrix().predict([[1.0, 2.0], [3.0, 4.0]])
    assert outputs.dtype == np.float64
    assert outputs.tolist() == [[5.0, -2.0], [11.0, -4.0]]
