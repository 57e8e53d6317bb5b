"""Tests of compiled code in training and prediction: equal to the engine, or abandoned."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value, drawn, no_grad
from nn import prediction
from nn.data import Examples
from nn.prediction import PROBED
from nn.probes import Probes, find_differences
from nn.training.checkpoint import Checkpoint
from nn.training.comparison import MOST, ComparedCosts, DifferentError
from nn.training.compiled_costs import CompiledCosts
from nn.training.costs import Computed, EngineCosts, Steps
from nn.training.loop import LAST

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
Y = (X[:, 0] * X[:, 1] > 0).astype(int) + (X[:, 0] > 0.5)  # 0, 1, 2


def number(v: Any) -> float:
    """Read the number of a Value in a way that tracing does not notice."""
    if type(v).__name__ == "Shared":
        return float(v._a[v._b])
    return float(Value.__dict__["data"].__get__(v)) if isinstance(v, Value) else float(v)


def network(nout: int = 1) -> nn.MLP:
    return nn.MLP(2, [4, nout], "tanh", seed=0)


def fitted(model: nn.Module, loss: Any, y: Any, **settings: Any) -> tuple[nn.History, list[float]]:
    """Train with all the settings that a run can have; return the history and the parameters."""
    optimizer = nn.Adam(model.parameters(), 0.05)
    trainer = nn.Trainer(model, loss, optimizer, scheduler=nn.StepLR(optimizer, 2, 0.5))
    settings = {"validation": 0.25, "early_stopping": 3, "epochs": 5, "batch_size": 8, **settings}
    history = trainer.fit(X, y, **settings)
    assert trainer.history is history
    return history, [p.data for p in model.parameters()]


def timeless(history: nn.History) -> dict[str, Any]:
    skipped = ("seconds", "not_compiled")
    return {name: x for name, x in vars(history).items() if name not in skipped}


class Branching(nn.Module):
    """A network that takes another branch if an input has a special value."""

    def __init__(self, special: float) -> None:
        self.inner, self.special = network(), special

    def forward(self, x: Any) -> Value:
        outputs: Value = self.inner(x)
        return -3.0 * outputs if number(x[0]) == self.special else outputs


class Training(nn.Module):
    """A network that takes another branch in training, for the largest input."""

    def __init__(self) -> None:
        self.inner = network()

    def forward(self, x: Any) -> Value:
        outputs: Value = self.inner(x)
        return -outputs if self.training and number(x[1]) == X[:, 1].max() else outputs


def at_one(o: Value, y: Any) -> Value:
    return (o - 1.0) ** 2 if number(y) == 2.0 else (o + 2.0) ** 4


def fading(o: Value, y: Any) -> Value:
    """Compute a cost that is the same for all targets, and has no gradient for some."""
    return (o.detach() if number(y) == 2.0 else o) ** 2


def grows(o: Value, y: Any) -> Value:
    """Compute a cost that takes another branch once the output is large."""
    return (o - 5.0) ** 2 if number(o) < 1.0 else (o - 5.0) ** 2 * 0.1


HIDDEN: dict[str, tuple[Callable[[], nn.Module], Any]] = {
    "a kind of target": (network, at_one),
    "the gradient of a kind of target": (network, fading),
    "a rare input": (lambda: Branching(X[:, 0].min()), nn.mse_loss),
    "the largest input": (lambda: Branching(X[:, 0].max()), nn.mse_loss),
    "an input near zero": (lambda: Branching(X[np.abs(X[:, 0]).argmin(), 0]), nn.mse_loss),
    "the last row": (lambda: Branching(X[-1, 0]), nn.mse_loss),
    "training alone": (Training, nn.mse_loss),
    "outputs that grow": (network, grows),
}


@pytest.mark.filterwarnings("ignore:training .* with the engine", "ignore:training runs on the en")
@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_hidden_branch_trains_to_the_engines_numbers(hidden: str) -> None:
    build, loss = HIDDEN[hidden]
    (fast, weights), (slow, others) = (
        fitted(build(), loss, Y, compile=compile, validation=None, early_stopping=None)
        for compile in (True, False)
    )
    by_rows, by_traces = r"X\[\d+\]: the compiled code gives .* and the engine", "for one row it"
    assert re.search(f"{by_rows}|{by_traces}", fast.not_compiled)
    assert timeless(fast) == timeless(slow)
    assert weights == others


@pytest.mark.filterwarnings("ignore:training begins anew", "ignore:training runs on the engine")
def test_nothing_of_wrong_code_is_left_in_any_part_of_a_run(tmp_path: Path) -> None:
    runs = []
    for compile in (True, False):
        path, seen = tmp_path / f"{compile}.npz", []
        note = lambda who, history: seen.append(history.losses[-1])  # noqa: E731, B023
        settings = {"checkpoint": path, "callbacks": [note], "compile": compile}
        history, weights = fitted(network(), grows, Y, **settings)
        assert seen[-history.epochs :] == history.losses, (
            "the callback is called again for each epoch"
        )
        kept = Checkpoint.load(path)
        runs.append((timeless(history), weights, timeless(kept.history), kept.progress))
    assert runs[0] == runs[1]


def test_a_branch_that_shows_late_is_given_up_late() -> None:
    with pytest.warns(RuntimeWarning, match="training begins anew with the engine: X"):
        fitted(network(), grows, Y, validation=None, early_stopping=None)


def test_a_branch_is_found_beside_callbacks_too() -> None:
    said: list[str] = []
    settings = {"callbacks": [lambda who, history: said.append(history.not_compiled)]}
    with pytest.warns(RuntimeWarning, match="training begins anew with the engine: X"):
        history, weights = fitted(network(), grows, Y, epochs=9, **settings)
    assert said[0] == ""
    assert said[-1] == history.not_compiled != ""
    assert weights == fitted(network(), grows, Y, epochs=9, compile=False)[1]


def test_a_penalty_with_a_hidden_branch_is_given_up() -> None:
    def penalty(model: Any) -> Value:
        w = model.parameters()[0]
        return w * w * (0.5 if number(w) == start else 2.0)

    start = network().parameters()[0].data
    runs = []
    for compile in (True, False):
        model = network()
        trainer = nn.Trainer(model, nn.mse_loss, nn.SGD(model.parameters(), 0.1), penalty=penalty)
        if compile:
            with pytest.warns(RuntimeWarning, match="as penalty and the engine"):
                runs.append(trainer.fit(X, Y + 3.0, 3, 8).losses)
        else:
            runs.append(trainer.fit(X, Y + 3.0, 3, 8, compile=False).losses)
    assert runs[0] == runs[1]


def test_what_code_cannot_compute_and_the_engine_can_is_no_reason_to_be_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compute = CompiledCosts.compute

    def failing(self: CompiledCosts, *arguments: Any, **settings: Any) -> Computed:
        found = compute(self, *arguments, **settings)
        learned = len(found.gradient) and len(found.costs) > 1
        nan = np.full(len(found.costs), np.nan)
        return Computed(nan, found.outputs, found.gradient) if learned else found

    def cannot(*_: Any) -> Steps:
        raise ArithmeticError("a number is not finite")

    monkeypatch.setattr(CompiledCosts, "compute", failing)
    monkeypatch.setattr(CompiledCosts, "descend", cannot)
    with pytest.warns(RuntimeWarning, match="cannot compute a step, and the engine can"):
        history, weights = fitted(network(), nn.mse_loss, Y)
    assert "cannot compute a step" in history.not_compiled
    assert weights == fitted(network(), nn.mse_loss, Y, compile=False)[1]


def test_chance_is_named_as_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAWS", "0")  # a state that no trace can see

    class Noisy(nn.Module):
        def __init__(self) -> None:
            self.inner = network()

        def forward(self, x: Any) -> Value:
            count = int(os.environ["DRAWS"]) + 1
            os.environ["DRAWS"] = str(count)
            outputs: Value = self.inner(x)
            return -outputs if count > 20 and random.Random(count).random() < 0.5 else outputs

    with pytest.raises(DifferentError, match="does it draw at random"):
        costs = ComparedCosts(EngineCosts(Noisy(), nn.mse_loss), Examples.of(X, Y), None)
        for _ in range(9):
            costs.check(at_least=len(X))


@pytest.mark.parametrize(("share", "at_least", "count"), [
    (0.0, 0, 0), (0.0, LAST, LAST), (1e9, 0, MOST), (1e9, LAST, MOST),
])  # fmt: skip
def test_rows_are_checked_as_time_allows_and_some_in_any_case(
    share: float, at_least: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = network()
    costs = ComparedCosts(EngineCosts(model, nn.mse_loss), Examples.of(X, Y), None)
    checked: list[int] = []
    monkeypatch.setattr(costs, "_compare", lambda table, rows: checked.extend(rows))
    monkeypatch.setattr("nn.training.comparison.SHARE", share)
    costs.check(at_least)
    assert len(checked) == count


# ---------------------------------------------------------------------- no false alarm


class Drawing(nn.Module):
    """A network that adds noise in training, from its own generator."""

    def __init__(self) -> None:
        self.inner, self.rng = network(), random.Random(0)

    def forward(self, x: Any) -> Value:
        noise = drawn(self.rng.random) if self.training else 0.0
        outputs: Value = self.inner(x)
        return outputs + noise


def dropping() -> nn.Module:
    return nn.Sequential(nn.Layer(2, 6, seed=0), nn.Dropout(0.3), nn.Layer(6, 1, seed=1))


@pytest.mark.parametrize(
    ("build", "loss", "X", "y"),
    [
        (network, nn.mse_loss, X, Y),
        (dropping, nn.mse_loss, X, Y),
        (Drawing, nn.mse_loss, X, Y),
        (network, nn.mse_loss, X, 1e9 + X[:, 0]),  # costs that lose digits by cancellation
        (network, nn.mse_loss, X * 1e6, X[:, 0] * 1e6),
        (network, nn.mse_loss, X * 1e-9, X[:, 0] * 1e-9),
        (network, nn.l1_loss, np.zeros((60, 2)), np.zeros(60)),  # a kink at every example
        (lambda: network(3), nn.cross_entropy, X * 100.0, [0, 1, 2] * 20),
    ],
)
def test_a_healthy_run_stays_compiled(build: Any, loss: Any, X: Any, y: Any) -> None:
    model = build()
    trainer = nn.Trainer(model, loss, nn.SGD(model.parameters(), 1e-14))
    assert trainer.fit(X, y, 5, 8, validation=0.25).not_compiled == ""


def test_a_perfect_fit_stays_compiled() -> None:
    neuron = nn.Neuron(2, "identity", seed=0)
    trainer = nn.Trainer(neuron, nn.mse_loss, nn.SGD(neuron.parameters(), 0.1))
    target = X @ [0.3, -0.7] + 0.1
    assert trainer.fit(X, target, 300, 10).losses[-1] < 1e-29
    assert trainer.fit(X, target, 3, 10).not_compiled == ""


# ---------------------------------------------------------------------- predict


@pytest.mark.parametrize("special", [X[:, 0].min(), X[:, 0].max(), X[-1, 0]])
def test_predict_goes_with_the_engine_and_says_so(special: float) -> None:
    model = Branching(special)
    with no_grad():
        wanted = [model(row).data for row in X.tolist()]
    with pytest.warns(RuntimeWarning, match=r"predict runs on the engine: for X\[\d+\] the compil"):
        assert model.predict(X).tolist() == wanted


def test_predict_sees_each_value_of_a_feature_with_few() -> None:
    table = np.array([[1.0, x] for x in np.linspace(-1.0, 1.0, 200)])
    table[77, 0] = 0.0
    with pytest.warns(RuntimeWarning, match=r"X\[77\]"):
        found = Branching(0.0).predict(table)
    assert found[77] == pytest.approx(-3.0 * network().predict(table)[77])


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list to which each comparison in `predict` adds the number of its rows."""
    is_right, counts = prediction._is_right, []

    def noting(model: Any, rows: Any, outputs: Any, chosen: list[int]) -> bool:
        counts.append(len(chosen))
        return is_right(model, rows, outputs, chosen)

    monkeypatch.setattr(prediction, "_is_right", noting)
    return counts


def test_predict_compares_new_code_on_many_rows_and_known_code_rarely(
    compared: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction, "SHARE", 0.0)
    model = network()
    for _ in range(5):
        model.predict(X)
    assert compared == [PROBED, 1]
    model.parameters()[0].data += 1.0  # the code reads it anew
    model.predict(X)
    assert compared == [PROBED, 1]
    model.layers[0] = nn.Layer(2, 4, "relu", seed=1)
    model.predict(X)
    assert compared == [PROBED, 1, PROBED]


def test_predict_compares_known_code_again_as_time_allows(
    compared: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction, "SHARE", 1e9)
    model = network()
    for _ in range(3):
        model.predict(X)
    assert compared == [PROBED, 1, 1]


def test_predict_uses_code_that_was_wrong_for_a_row_no_more(
    compared: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction, "SHARE", 1e9)
    model, special = Branching(5.0), np.full((60, 2), 5.0)
    few = np.concatenate([model.predict(X[:30]), model.predict(X[30:])])  # by the engine
    model.predict(X)
    with pytest.warns(RuntimeWarning, match="predict runs on the engine"):
        assert model.predict(special).tolist() == [model(special[0].tolist()).data] * 60
    assert model.predict(X).tolist() == few.tolist()
    assert compared == [PROBED, 1]


# ---------------------------------------------------------------------- which rows


def test_probes_begin_with_each_kind_of_target_the_first_and_the_last_row() -> None:
    y = np.array([2.0] * 30 + [0.0] * 15 + [1.0] * 15)
    assert Probes(X, y).representative == [30, 45, 0, 59]
    one_hot = Probes(X, nn.one_hot(y.astype(int), 3))
    assert set(one_hot.representative) == {0, 30, 45, 59}


def test_probes_hold_extremes_few_values_and_zeros() -> None:
    X = np.random.default_rng(1).normal(size=(500, 3))
    X[123, 0] = 0.0
    X[:, 1] = np.arange(500) % 7
    rows = Probes(X).next(60)
    assert {int(X[:, 0].argmin()), int(X[:, 0].argmax()), 123} <= set(rows)
    assert set(X[rows, 1]) == set(range(7))
    assert {int(X[:, 2].argmin()), int(X[:, 2].argmax())} <= set(rows)


def test_probes_come_to_every_row_in_time() -> None:
    probes = Probes(X)
    seen = {row for _ in range(2000) for row in probes.next(1)}
    assert seen == set(range(60))


def test_large_tables_are_looked_through_in_part() -> None:
    X = np.zeros((3000, 1000))
    X[:, 0] = np.arange(3000)
    rows = Probes(X).next(40)
    assert min(rows) >= 0
    assert max(rows) < 3000


@pytest.mark.parametrize(
    ("found", "wanted", "goes_in", "places"),
    [
        ([1.0, 2.0], [1.0, 2.0], [], []),
        ([np.nan], [np.nan], [], []),
        ([np.nan], [1.0], [], [0]),
        ([np.inf], [np.inf], [], []),
        ([np.inf], [-np.inf], [], [0]),
        ([1.0 + 1e-6], [1.0], [], [0]),
        ([1e-5], [0.0], [], [0]),
        ([1e-5], [0.0], [1e6], []),  # rounding of numbers near a million
        ([1e300], [2e300], [1e300], [0]),
    ],
)
def test_numbers_are_alike_but_for_rounding(
    found: Any, wanted: Any, goes_in: list[float], places: list[int]
) -> None:
    assert find_differences(found, wanted, goes_in).tolist() == places
