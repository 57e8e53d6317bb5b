"""Tests of the lesson on the perceptron and its gates."""

from __future__ import annotations

import random

import numpy as np
import pytest

import nn
from demos import gates
from demos.lesson import Lesson
from tests.demo_runs import Results


def test_gates(results: Results) -> None:
    numbers = results["gates"]
    for gate in ("AND", "OR", "NOT"):
        rule, descent = numbers["rule"][gate], numbers["descent"][gate]
        assert rule.right and descent.right
        assert rule.moved == rule.mistakes < rule.shown, "only on mistakes"
        assert descent.mistakes < descent.moved == descent.shown, "on every point"
    assert not numbers["rule"]["XOR"].right
    assert not numbers["descent"]["XOR"].right
    outputs = numbers["network"].predict(gates.PAIRS)
    assert [int(z > 0) for z in outputs] == gates.GATES["XOR"][1]
    assert numbers["best_line"] == 3
    assert numbers["fires_from"] == [2.5, 0.5, -1.5], "fires where x + b > 0, in steps of ½"


@pytest.mark.parametrize(
    ("x", "y", "way", "says", "move"),
    [
        ([0.0, 0.0], 0, "rule", "nothing", 0.0),
        ([1.0, 0.0], 0, "rule", "come closer", -0.1),
        ([1.0, 0.0], 0, "descent", "come closer", -0.1 / (1 + np.exp(-0.5))),
        ([1.0, 1.0], 1, "descent", "go farther", 0.1 / (1 + np.exp(1.5))),
    ],
)
def test_what_a_point_tells_a_line(
    x: list[float], y: int, way: str, says: str, move: float
) -> None:
    told = gates.advice((1.0, 1.0, -0.5), x, y, way)
    assert str(told) == says
    assert told.move == pytest.approx(move)
    w, b = np.array([1.0, 1.0]) + move * np.array(x), -0.5 + move
    side = 1 if y else -1
    assert told.after == pytest.approx(side * (w @ x + b))


def network(weights: list[list[float]], biases: list[float], last: list[float]) -> nn.MLP:
    model = nn.MLP(2, [2, 1], "tanh", seed=0)
    *joining, bias = last
    model.load_state_dict(
        {
            "layers.0.weight": weights,
            "layers.0.bias": biases,
            "layers.1.weight": [joining],
            "layers.1.bias": [bias],
        }
    )
    return model


def test_hidden_neurons_are_named_by_what_they_answer() -> None:
    lesson = Lesson()
    xor = network([[9.0, 9.0], [-9.0, -9.0]], [-4.0, 13.0], [5.0, 5.0, -5.0])
    named = gates.show_network(lesson, xor)
    assert named == {"hidden 0": "OR", "hidden 1": "NAND", "output of both": "AND"}
    assert all(lesson.claims.values())


def test_a_network_that_did_not_learn_refutes_the_claims() -> None:
    lesson = Lesson()
    gates.show_network(lesson, network([[9.0, 9.0], [9.0, 9.0]], [-4.0, -4.0], [5.0, 5.0, 1.0]))
    assert lesson.claims == {
        "two_lines_solve_xor": False,
        "the_hidden_neurons_became_gates": False,
    }


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
    for i in random.Random(3).sample(range(4), 4):
        a = 1.0 / (1.0 + np.exp(-(w @ X[i] + b)))
        w, b = w - 1.0 * (a - y[i]) * X[i], b - 1.0 * (a - y[i])
    learned = gates.by_descent("OR", 1, seed=3).model
    assert [p.data for p in learned.w] == pytest.approx(w)
    assert learned.b.data == pytest.approx(b)
