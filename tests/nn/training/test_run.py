"""Tests of interrupted runs: the state after an interrupt at any line."""

from __future__ import annotations

import contextlib
import sys
import threading
from types import FrameType
from typing import Any

import numpy as np
import pytest

import nn
from nn.training.comparison import ComparedCosts, DifferentError
from nn.training.run import surely

RNG = np.random.default_rng(0)
X = RNG.normal(size=(10, 2))
Y = (X[:, 0] > 0).astype(int)
FILES = (
    *("trainer.py", "loop.py", "judging.py", "run.py", "history.py", "snapshots.py"),
    *("optim.py", "schedule.py", "flat.py", "version.py"),
)


class Interrupt:
    """A trace function that raises KeyboardInterrupt once, at the n-th line run in some files."""

    def __init__(self, at: int) -> None:
        self.at, self.lines = at, 0

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename.rpartition("/")[2] not in FILES:
            return None
        if event == "line":
            self.lines += 1
            if self.lines == self.at:
                raise KeyboardInterrupt
        return self


def built(draws: bool = True) -> nn.Trainer:
    """Make a trainer; if its model draws, no steps are checked together."""
    layers = nn.Layer(2, 3, "tanh", seed=0), nn.Layer(3, 2, seed=1)
    model = nn.Sequential(layers[0], nn.Dropout(0.2).eval() if draws else nn.ReLU(), layers[1])
    optimizer = nn.SGD(model.parameters(), 0.1, momentum=0.9)
    schedule = nn.ExponentialLR(optimizer, 0.5)
    return nn.Trainer(model, nn.cross_entropy, optimizer, scheduler=schedule)


def state(trainer: nn.Trainer) -> tuple[list[float], list[float]]:
    """Return the weights and the momentum."""
    memory = trainer.optimizer.memory.get("velocity", np.zeros(0))
    return [p.data for p in trainer.model.parameters()], np.ravel(memory).tolist()


def states_by_step(compile: bool, draws: bool) -> list[tuple[list[float], list[float]]]:
    """Return the states of an uninterrupted run at its start and after each step."""
    trainer = built(draws)
    found = [state(trainer)]
    step = trainer.optimizer.step

    def noting(gradient: Any) -> None:
        step(gradient)
        found.append(state(trainer))

    trainer.optimizer.step = noting  # type: ignore[method-assign, assignment]
    fit(trainer, compile)
    return found


def fit(trainer: nn.Trainer, compile: bool, after_the_first: Any = None) -> nn.History:
    """Train for three epochs; after the first one, set the trace function `after_the_first`."""

    def callback(who: nn.Trainer, history: nn.History) -> None:
        if history.epochs == 1 and after_the_first is not None:
            sys.settrace(after_the_first)

    before = sys.gettrace()
    try:
        return trainer.fit(
            *(X, Y, 3, 5), compile=compile, validation=(X[:2], Y[:2]), callbacks=[callback]
        )
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("compile, draws", [(True, True), (True, False), (False, True)])
def test_an_interrupt_at_any_line_leaves_whole_steps_and_whole_epochs(
    compile: bool, draws: bool
) -> None:
    known = states_by_step(compile, draws)
    counting = Interrupt(0)
    fit(built(draws), compile, counting)
    for at in range(1, counting.lines, max(counting.lines // 8, 1)):
        trainer = built(draws)
        modes = [module.training for module in trainer.model.modules()]
        with contextlib.suppress(KeyboardInterrupt):  # training may have ended before
            fit(trainer, compile, Interrupt(at))
        history, optimizer = trainer.history, trainer.optimizer
        steps = len(history.step_losses)
        assert optimizer.steps == steps, at
        assert state(trainer) == known[steps], at
        assert optimizer.lr == 0.1 * 0.5**history.epochs, at
        assert history.epochs in (steps // 2, (steps - 1) // 2), at
        columns: list[list[Any]] = [
            history.accuracies,
            history.validation_losses,
            history.learning_rates,
        ]
        columns += [history.seconds, history.validation_accuracies]
        assert {len(c) for c in [*columns, *history.gradient_norms.values()]} == {history.epochs}
        assert [module.training for module in trainer.model.modules()] == modes, at


def test_an_interrupt_while_a_run_begins_anew_leaves_it_at_its_beginning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trainer = built()
    beginning = state(trainer)
    cut = nn.History.cut
    calls: list[int] = []

    def interrupted(self: nn.History, epochs: int, steps: int) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        cut(self, epochs, steps)

    def differs(self: ComparedCosts, at_least: int = 0) -> None:
        raise DifferentError("the numbers differ")

    monkeypatch.setattr(nn.History, "cut", interrupted)
    monkeypatch.setattr(ComparedCosts, "check", differs)
    history = fit(trainer, compile=True)
    assert history is trainer.history
    assert "interrupted by Ctrl-C after 0 epoch(s)" in history.stop_reason
    assert (history.losses, history.step_losses, trainer.optimizer.steps) == ([], [], 0)
    assert state(trainer)[0] == beginning[0]


def test_what_must_be_done_is_done_before_an_interrupt_goes_on() -> None:
    done: list[int] = []

    def action() -> None:
        done.append(1)
        if len(done) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        surely(action)
    assert len(done) == 2


def test_threads_train_as_if_each_were_alone() -> None:
    alone = state_after(built())
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(state_after(built()))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # One thread's draw from the module random may look like another one's chance, which ends its
    # compiling: the engine's numbers differ in the last digit.
    for one in found:
        for mine, wanted in zip(one, alone):
            np.testing.assert_allclose(mine, wanted, rtol=1e-12, atol=1e-12)
    assert len(found) == 4


def state_after(trainer: nn.Trainer) -> Any:
    fit(trainer, compile=True)
    return state(trainer)
