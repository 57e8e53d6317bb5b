"""Tests of steps that are checked together: they are the steps that are made one at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value, op
from nn.data import Examples
from nn.training import run
from nn.training.compiled_costs import CompiledCosts
from nn.training.costs import Steps

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 2))
SIDES = (X[:, 0] > X[:, 1]).astype(int)
Trainer = Callable[[], nn.Trainer]


def trainer(loss: Any = nn.cross_entropy, nout: int = 3, **settings: Any) -> nn.Trainer:
    model = nn.MLP(2, [4, nout], "tanh", seed=0)
    return nn.Trainer(model, loss, nn.Adam(model.parameters(), 0.05), **settings)


def moved_by(optimizer: Callable[[list[Value]], nn.Optimizer]) -> nn.Trainer:
    found = trainer()
    found.optimizer = optimizer(list(found.model.parameters()))
    return found


def squares(model: nn.Module) -> Value:
    return nn.l2_penalty(model.parameters(), 0.1)


TRAINERS: dict[str, tuple[Trainer, Any]] = {
    "classes": (trainer, (X[:, 0] > 0.0).astype(int) + SIDES),
    "two sides": (lambda: trainer(nn.binary_cross_entropy_with_logits, 1), SIDES),
    "numbers": (lambda: trainer(nn.mse_loss, 2), X[:, ::-1] * 2.0),
    "a penalty": (lambda: trainer(penalty=squares), SIDES),
    "clipped": (lambda: trainer(clip=0.1), SIDES),
    "momentum": (lambda: moved_by(lambda p: nn.SGD(p, 0.1, 0.9, nesterov=True)), SIDES),
    "decay": (lambda: moved_by(lambda p: nn.SGD(p, 0.1, weight_decay=0.1)), SIDES),
    "a layer stays": (lambda: moved_by(lambda p: nn.SGD(p[12:], 0.1)), SIDES),
    "some stay": (lambda: moved_by(lambda p: nn.SGD(p[::2], 0.1)), SIDES),
}


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the steps of each block that was made together."""
    found: list[int] = []
    descend = CompiledCosts.descend

    def noting(self: CompiledCosts, *arguments: Any) -> Steps:
        steps = descend(self, *arguments)
        found.append(len(steps.costs))
        return steps

    monkeypatch.setattr(CompiledCosts, "descend", noting)
    return found


def results(trained: nn.Trainer) -> tuple[Any, ...]:
    """Return all that a run leaves behind."""
    optimizer = trained.optimizer
    memory = {name: array.tolist() for name, array in optimizer.memory.items()}
    weights = [(p.data, p.grad) for p in trained.model.parameters()]
    history = replace(trained.history, seconds=[], answers=None)
    return weights, memory, optimizer.steps, history


def fitted(made: nn.Trainer, y: Any, **settings: Any) -> nn.Trainer:
    made.fit(X, y, **{"epochs": 3, "batch_size": 8, "progress": False, **settings})
    return made


@pytest.mark.parametrize("name", TRAINERS)
def test_they_are_the_steps_one_at_a_time(
    name: str, together: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    build, y = TRAINERS[name]
    found = fitted(build(), y, validation=0.2, early_stopping=2)
    assert together == [5, 5, 5]
    monkeypatch.setattr(run, "AT_ONCE", 0)
    assert results(found) == results(fitted(build(), y, validation=0.2, early_stopping=2))
    assert together == [5, 5, 5]


def test_a_block_has_few_numbers(together: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "AT_ONCE", 3 * 8 * 3)  # three batches of 8 rows of 3 numbers
    fitted(trainer(), SIDES, epochs=1)
    assert together == [3, 3]  # the seventh batch is alone


class Stubborn(nn.SGD):
    """An optimiser of the user's."""

    def step(self, gradient: np.ndarray | None = None) -> None:
        super().step(gradient)


def test_an_optimiser_of_the_users_makes_one_step_at_a_time(together: list[int]) -> None:
    assert fitted(moved_by(lambda p: Stubborn(p, 0.1)), SIDES).history.not_compiled == ""
    assert together == []


def test_a_step_that_replaces_that_of_the_class_is_called(
    together: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []
    monkeypatch.setattr(nn.Adam, "step", lambda self, gradient: steps.append(1), raising=False)
    fitted(trainer(), SIDES)
    assert (together, len(steps)) == ([], 21)


def test_a_penalty_that_a_callback_sets_is_for_the_next_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def sets(who: nn.Trainer, history: nn.History) -> None:
        who.penalty = squares

    found = results(fitted(trainer(), SIDES))
    for at_once in (run.AT_ONCE, 0):
        monkeypatch.setattr(run, "AT_ONCE", at_once)
        assert results(fitted(trainer(), SIDES, callbacks=[sets])) == found


def test_sequences_of_different_lengths_make_one_step_at_a_time(together: list[int]) -> None:
    class OfLast(nn.Module):
        """Answers by the last part of a sequence."""

        def __init__(self) -> None:
            self.layer = nn.Linear(1, 2, seed=0)

        def forward(self, x: Any) -> Any:
            return self.layer(x[-1])

    model = OfLast()
    last = nn.Trainer(model, nn.cross_entropy, nn.SGD(model.parameters(), 0.1))
    sequences = [[[1.0]], [[2.0], [1.0]], [[0.5]], [[0.1], [0.2]]]
    last.fit(sequences, [0, 1, 0, 1], 2, 1, progress=False)
    assert together == []


@pytest.mark.parametrize("lr", [1e3, 1e120, 1e300])
def test_a_run_that_diverges_ends_as_if_steps_were_made_one_at_a_time(
    lr: float, together: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverged() -> nn.Trainer:
        model = nn.MLP(2, [3, 1], seed=0)
        made = nn.Trainer(model, nn.mse_loss, nn.SGD(model.parameters(), lr, 0.5))
        with pytest.warns(RuntimeWarning, match="training (stopped|diverged)"):
            return fitted(made, SIDES * 1e3, epochs=20)

    found = diverged()
    monkeypatch.setattr(run, "AT_ONCE", 0)
    assert results(found) == results(diverged())
    assert "at step" in found.history.stop_reason


@pytest.mark.parametrize("scale, what", [(1e308, "gradient is no longer"), (np.inf, "cost")])
def test_what_only_a_sum_makes_infinite_fails_the_block(scale: float, what: str) -> None:
    """The numbers of the gradient are finite, and their norm is not; or the penalty is not."""

    def steep(model: nn.Module) -> Value:
        some = list(model.parameters())[:4]
        if scale == np.inf:
            return (some[0] * 0.0 + 1e200) * 1e200
        total = some[0] * scale
        for p in some[1:]:
            total = total + p * scale
        return total

    with pytest.warns(RuntimeWarning, match=f"training stopped: the {what}.* at step 1"):
        fitted(trainer(penalty=steep), SIDES)


@pytest.mark.parametrize("error", [ArithmeticError, TypeError, ValueError])
def test_a_block_that_fails_leaves_nothing_behind(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = results(fitted(trainer(), SIDES))
    descend = CompiledCosts.descend

    def failing(self: CompiledCosts, *arguments: Any) -> Steps:
        descend(self, *arguments)
        raise error("after the last step")

    monkeypatch.setattr(CompiledCosts, "descend", failing)
    assert results(fitted(trainer(), SIDES)) == wanted


def test_an_error_that_only_later_steps_of_a_block_meet_is_that_of_the_first() -> None:
    def value(a: float) -> float:
        if math.isnan(a):
            raise LookupError("no such number")
        return a

    same = op("same", value=value, partials=lambda out, a: (1.0,))
    model = nn.Sequential(nn.Linear(2, 3, seed=0), lambda x: [same(v) for v in x], nn.Linear(3, 1))
    made = nn.Trainer(model, nn.mse_loss, nn.SGD(model.parameters(), 1e100))
    with pytest.warns(RuntimeWarning, match="training stopped: .* at step 2"):
        fitted(made, X[:, :1] * 1e10)


def test_an_error_that_single_steps_do_not_repeat_is_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    descend = CompiledCosts.descend

    def interrupted(self: CompiledCosts, *arguments: Any) -> Steps:
        descend(self, *arguments)
        raise TimeoutError("as a signal handler raises it")

    monkeypatch.setattr(CompiledCosts, "descend", interrupted)
    made = trainer()
    with pytest.raises(TimeoutError):
        fitted(made, SIDES)
    assert made.optimizer.steps == len(made.history.step_losses) == 7


def test_a_step_that_only_the_optimiser_finds_infinite_fails_the_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = trainer()
    descend = CompiledCosts.descend

    def overflowing(
        self: CompiledCosts, examples: Examples, batches: Sequence[Any], move: Any
    ) -> Steps:
        found = descend(self, examples, batches, move)
        made.optimizer.memory["m"][0] = np.inf
        return found

    monkeypatch.setattr(CompiledCosts, "descend", overflowing)
    assert results(fitted(made, SIDES)) == results(fitted(trainer(), SIDES, compile=True))


def test_the_progress_bar_counts_all_steps(capsys: pytest.CaptureFixture[str]) -> None:
    fitted(trainer(), SIDES, progress=True)
    assert "21/21" in capsys.readouterr().err
