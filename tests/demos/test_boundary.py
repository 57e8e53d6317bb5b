"""Tests of the lesson on logistic regression."""

from __future__ import annotations

import numpy as np
import pytest

from demos import boundary
from tests.demo_runs import Results


def test_boundary(results: Results) -> None:
    numbers = results["boundary"]
    likelihood, cost = numbers["likelihood"]
    assert likelihood == pytest.approx(cost, rel=1e-12)
    assert len(numbers["lines"]) == numbers["history"].epochs + 1
    assert numbers["history"].losses == sorted(numbers["history"].losses, reverse=True)
    assert numbers["lines"][0] == (*boundary.START["w"], boundary.START["b"])


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
    table = capsys.readouterr().out.split("likelihood of a point")[1]
    rows = [row.split() for row in table.splitlines()]
    worked = [row for row in rows if row and row[0].isdigit()]
    assert [int(row[0]) for row in worked] == boundary.moments(5)
    for step, *numbers in worked:
        w1, w2, b = lines[int(step)]
        p = 1.0 / (1.0 + np.exp(-(X @ [w1, w2] + b)))
        cost = -np.mean(np.log(np.where(y == 1, p, 1.0 - p)))
        assert [float(n) for n in numbers[:4]] == pytest.approx([w1, w2, b, cost], abs=1e-3)


def test_the_lines_in_the_picture_are_the_neurons(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    monkeypatch.setattr(boundary, "save", lambda figure, *_: shown.append(figure) or "")
    lines = boundary.main(points=30, epochs=4)["lines"]
    for step, line in zip(boundary.moments(4), shown[0].axes[0].lines, strict=True):
        w1, w2, b = lines[step]
        x1, x2 = line.get_data()
        np.testing.assert_allclose(w1 * x1 + w2 * x2 + b, 0.0, atol=1e-9)
