"""Tests of the lesson on logistic regression."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from demos import boundary
from demos.lesson import Lesson
from tests.demo_runs import Results


def test_boundary(results: Results) -> None:
    numbers = results["boundary"]
    for likelihood in (*numbers["models"], numbers["before"], numbers["after"]):
        assert -math.log(likelihood.product) == pytest.approx(likelihood.total, rel=1e-12)
        assert likelihood.total / len(likelihood.costs) == pytest.approx(likelihood.mean, rel=1e-12)
    assert len(numbers["lines"]) == numbers["history"].epochs + 1
    assert numbers["costs"] == sorted(numbers["costs"], reverse=True)
    assert numbers["lines"][0] == (*boundary.START_W, boundary.START_B)
    assert numbers["dimensions"] == {2: 1, 3: 2, 5: 4}


def test_the_notes_four_points() -> None:
    bad, good = (
        boundary.likelihood_of(list(p), list(boundary.CLASSES)) for p in boundary.MODELS.values()
    )
    assert (bad.product, good.product) == pytest.approx((0.0084, 0.3024))
    assert (bad.total, good.total) == pytest.approx((4.7795, 1.1960), abs=1e-4)


def test_the_multiples_are_how_far_p_is_off(results: Results) -> None:
    X, y = boundary.blobs(30, seed=0)
    p = 1.0 / (1.0 + np.exp(-(X @ boundary.START_W + boundary.START_B)))
    np.testing.assert_allclose(results["boundary"]["multiples"], (p - y)[:6])


def test_a_sweep_leaves_the_neuron_as_it_was() -> None:
    neuron, (X, y) = boundary.start(2, seed=0), boundary.blobs(30, seed=0)
    lesson = Lesson()
    found = boundary.sweep(lesson, neuron, X, y)
    assert boundary.boundary_of(neuron) == (*boundary.START_W, boundary.START_B)
    neuron.w[0].data = found["w1"][3]
    z = X @ [w.data for w in neuron.w] + neuron.b.data
    assert found["mistakes"][3] == ((z > 0) != y).sum()
    cost = nn.binary_cross_entropy([neuron(x) for x in X], y.tolist())
    assert found["cost"][3] == pytest.approx(cost.data)


def test_points_that_are_never_wrong_show_no_jumps() -> None:
    lesson, neuron = Lesson(), boundary.start(2, seed=0)
    neuron.load_state_dict({"w": [0.0, 0.0], "b": 9.0})
    boundary.sweep(lesson, neuron, np.array([[0.0, 1.0]]), np.array([1]))
    assert not lesson.claims["mistakes_do_not_say_where_to_go"]
    assert not lesson.claims["the_cost_says_where_to_go"], "w1 does not matter where x1 = 0"


def test_a_learning_rate_that_is_too_large_refutes_the_claim(tmp_path: Path) -> None:
    claims = boundary.main(points=30, epochs=5, lr=200.0, out=tmp_path)["claims"]
    assert not claims["descent_makes_the_data_likelier"]


@pytest.mark.parametrize("features", [3, 5])
def test_more_features(features: int, tmp_path: Path) -> None:
    numbers = boundary.main(points=30, epochs=10, features=features, out=tmp_path)
    assert {len(line) for line in numbers["lines"]} == {features + 1}
    assert [Path(path).name for path in numbers["pictures"]] == [
        "boundary-costs.png",
        *(["boundary.png"] if features == 3 else []),
    ]


def test_the_number_of_features_is_judged_before_any_work() -> None:
    with pytest.raises(SystemExit):
        boundary.parsed(["--features", "6"])


def test_boundary_judges_by_points_it_never_saw() -> None:
    X, y = boundary.blobs(30, seed=10_000)
    assert not np.array_equal(X, boundary.blobs(30, seed=0)[0])
    w1, w2, b = boundary.main(points=30, epochs=1, lr=0.05)["lines"][-1]
    accuracy = np.mean((X @ [w1, w2] + b > 0) == y)
    assert accuracy < 1.0, "otherwise this test could not fail"
    assert boundary.main(points=30, epochs=1, lr=0.05)["accuracy"] == accuracy


def test_boundary_prints_what_each_line_costs(capsys: pytest.CaptureFixture[str]) -> None:
    lines = boundary.main(points=30, epochs=5)["lines"]
    X, y = boundary.blobs(30, seed=0)
    table = capsys.readouterr().out.split("The boundary moves")[1]
    rows = [row.split() for row in table.splitlines()]
    worked = [row for row in rows if len(row) == 7 and row[0].isdigit()]
    assert [int(row[0]) for row in worked] == boundary.moments(5)
    for step, *numbers in worked:
        w1, w2, b = lines[int(step)]
        p = 1.0 / (1.0 + np.exp(-(X @ [w1, w2] + b)))
        cost = -np.mean(np.log(np.where(y == 1, p, 1.0 - p)))
        assert [float(n) for n in numbers[:4]] == pytest.approx([w1, w2, b, cost], abs=1e-3)


def test_the_lines_in_the_picture_are_the_neurons(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []

    def noting(figure: Any, *rest: Any) -> str:
        shown.append(figure)
        return ""

    monkeypatch.setattr(boundary, "save", noting)
    lines = boundary.main(points=30, epochs=4)["lines"]
    for step, line in zip(boundary.moments(4), shown[1].axes[0].lines, strict=True):
        w1, w2, b = lines[step]
        x1, x2 = line.get_data()
        np.testing.assert_allclose(w1 * x1 + w2 * x2 + b, 0.0, atol=1e-9)
