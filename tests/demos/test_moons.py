"""Tests of the lesson on hidden layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nn
from demos import moons
from demos.lesson import Lesson
from tests.demo_runs import Results

X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])


def test_moons(results: Results) -> None:
    numbers = results["moons"]
    assert list(numbers["shapes"]) == list(moons.SHAPES)
    assert numbers["accuracy"] == numbers["shapes"]["2-16-16-1"]["right"]
    assert len(numbers["bends"]) == 3


def test_a_plane_has_no_bend() -> None:
    assert moons.bend(X @ [2.0, -3.0] + 1.0, X) == pytest.approx(0.0, abs=1e-12)
    assert moons.bend(np.array([0.0, 1.0, 1.0, 0.0]), X) == pytest.approx(1.0), "exclusive or"
    assert moons.bend(np.full(4, 5.0), X) == 0.0


def test_the_sums_are_those_of_the_neurons() -> None:
    model = nn.MLP(2, [3, 2], seed=1)
    first, second = moons.sums_of(model, X)
    for x, z, out in zip(X, first, second, strict=True):
        answer = model(x)
        assert [neuron.z.data for neuron in model.layers[0].neurons] == pytest.approx(z)
        assert [a.data for a in answer] == pytest.approx(out)


def test_a_network_that_stays_a_line_refutes_the_claims(capsys: pytest.CaptureFixture[str]) -> None:
    history = nn.History(losses=[1.0], validation_accuracies=[0.85])
    line = nn.MLP(2, [1], seed=0)
    lesson = Lesson()
    networks: dict[str, Any] = dict.fromkeys(moons.SHAPES, (line, history))
    moons.show_shapes(lesson, networks, X)
    assert lesson.claims == {
        "without_a_nonlinearity_it_stays_a_line": True,
        "hidden_neurons_bend_the_boundary": False,
        "more_neurons_bend_it_more": False,
    }
    assert "✗ not in this run" in capsys.readouterr().out
