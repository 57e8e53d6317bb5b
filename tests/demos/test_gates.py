"""Tests of the lesson on the perceptron and its gates."""

from __future__ import annotations

import random

import numpy as np
import pytest

import nn
from demos import gates
from tests.demo_runs import Results


def test_gates(results: Results) -> None:
    numbers = results["gates"]
    assert numbers["right"] == {"AND": True, "OR": True, "NOT": True, "XOR": True}
    for gate in ("AND", "OR", "NOT"):
        assert numbers["rule"][gate].moved < numbers["rule"][gate].shown, "only on mistakes"
        assert numbers["descent"][gate].moved == numbers["descent"][gate].shown, "on every point"


def test_the_rule_moves_by_the_mistake() -> None:
    rng = random.Random("AND, 0")
    w = np.array([rng.uniform(-1, 1), rng.uniform(-1, 1)])
    b = rng.uniform(-1, 1)
    X, y = (np.array(part) for part in gates.GATES["AND"])
    for _ in range(20):
        for x, wanted in zip(X, y):
            mistake = wanted - float(w @ x + b > 0)
            w, b = w + mistake * x, b + mistake
    learned = gates.by_rule("AND", 20, seed=0)
    assert [p.data for p in learned.model.w] == pytest.approx(w)
    assert learned.model.b.data == pytest.approx(b)
    assert learned.moved > 1
    assert learned.shown % 4 == 0
    again = gates.by_rule("AND", learned.shown // 4, seed=0)
    assert (again.shown, again.moved) == (learned.shown, learned.moved), "it stops when right"
    assert not gates.by_rule("AND", learned.shown // 4 - 2, seed=0).right


def test_descent_moves_by_how_far_it_is_off() -> None:
    start = nn.Neuron(2, "sigmoid", seed=3)
    w, b = np.array([p.data for p in start.w]), start.b.data
    X, y = (np.array(part) for part in gates.GATES["OR"])
    for i in random.Random("3, epoch 0").sample(range(4), 4):
        a = 1.0 / (1.0 + np.exp(-(w @ X[i] + b)))
        w, b = w - 1.0 * (a - y[i]) * X[i], b - 1.0 * (a - y[i])
    learned = gates.by_descent("OR", 1, seed=3).model
    assert [p.data for p in learned.w] == pytest.approx(w)
    assert learned.b.data == pytest.approx(b)
