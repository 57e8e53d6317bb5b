"""Tests of training mode and evaluation mode."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import autograd
import nn
from autograd import Value
from nn.modes import evaluating, mode


def test_train_and_eval_reach_every_module() -> None:
    model = nn.Sequential(nn.Layer(1, 2), nn.Dropout())
    assert model.eval() is model
    assert [module.training for module in model.modules()] == [False] * 5
    model.train()
    assert all(module.training for module in model.modules())


def test_a_mode_is_that_of_its_thread_and_of_its_module() -> None:
    model, other = nn.Dropout(0.5, seed=0), nn.Dropout(0.5, seed=0)
    inside, done = threading.Event(), threading.Event()

    def evaluate() -> None:
        with evaluating(model):
            inside.set()
            done.wait()

    thread = threading.Thread(target=evaluate)
    thread.start()
    inside.wait()
    assert model.training
    done.set()
    thread.join()
    with evaluating(model):
        assert (model.training, other.training) == (False, True)
        with mode(other, training=False), mode(model, training=True):
            assert (model.training, other.training) == (True, False)
        assert (model.training, other.training) == (False, True)
    assert model.training


def test_threads_that_predict_leave_recording_as_it_is() -> None:
    model = nn.MLP(2, [8, 1], "tanh", seed=3)
    stop, wrong = threading.Event(), []

    def predict() -> None:
        while not stop.is_set():
            model.predict([[0.1, 0.2]] * 3)

    threads = [threading.Thread(target=predict) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(2_000):
        x = Value(2.0)
        y = x * x * x + x
        y.backward()
        if x.grad != 13.0:
            wrong.append(x.grad)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert (Value(2.0) * 2).op.name == "mul"


def test_an_error_leaves_the_mode_as_it_was() -> None:
    model = nn.MLP(2, [3, 1], seed=0)
    with pytest.raises(ValueError, match="takes 2 input"):
        model.predict([[1.0]])
    assert all(module.training for module in model.modules())


def test_compiled_code_follows_which_modules_a_mode_is_for() -> None:
    dropout = nn.Dropout(0.5, seed=0)

    class Beside(nn.Module):
        def forward(self, x: Value) -> list[Value]:
            return dropout([x] * 8)

    model: Any = Beside()
    compiled = autograd.compile(lambda x: model(x))
    with evaluating(model):
        assert 0.0 in compiled([1.0])
    model.part = dropout
    with evaluating(model):
        assert compiled([1.0]).tolist() == [[1.0] * 8]
