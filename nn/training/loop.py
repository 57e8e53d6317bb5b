"""`Loop`: the training loop of `Trainer.fit`, over epochs and batches.

A `Costs` computes costs and gradients (`costs.py`), by the engine or by compiled code; a `Run`
keeps the state between steps (`run.py`); a `Judge` counts the right answers (`judging.py`).
"""

from __future__ import annotations

import functools
import math
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data import Examples
from ..optim import Optimizer
from ..tables import rows_of
from .costs import ALL, FAILURES, Computed, Costs, total
from .history import History
from .judging import Judged
from .outcome import remark
from .run import DivergenceError, Run

if TYPE_CHECKING:
    from tqdm import tqdm

    from .trainer import Trainer

Callback = Callable[["Trainer", History], object]
Stepped = tuple[list[float], list[Any]]  # the mean cost of each batch, and tables of outputs
LAST = 4  # examples to check, at least, before weights are stored or returned


class Loop:
    """The training loop of one call of `Trainer.fit`.

    Args:
        trainer: the trainer, which the callbacks are given.
        run: the state of the run.
        epochs, callbacks, checkpoint: the arguments of `fit`.
        bar: the progress bar.
    """

    def __init__(
        self,
        trainer: Trainer,
        run: Run,
        epochs: int,
        callbacks: list[Callback],
        checkpoint: str | os.PathLike[str] | None,
        bar: tqdm[Any],
    ) -> None:
        self.trainer, self.run, self.epochs = trainer, run, epochs
        self.callbacks, self.checkpoint, self.bar = callbacks, checkpoint, bar

    def train(self, costs: Costs) -> None:
        """Train epoch after epoch until the run ends.

        Raises:
            DivergenceError: the cost or its gradient is no longer finite.
            DifferentError: compiled code gives other numbers than the engine.
        """
        run, first = self.run, slice(self.run.size)
        try:
            while run.goes_on(self.epochs):
                self._epoch(costs)
                callbacks = costs.around(self.callbacks)
                stops = [callback(self.trainer, run.history) for callback in callbacks]
                if stops:
                    run.look_at_model()
                costs.check(at_least=0 if self.checkpoint is None else LAST)
                if self.checkpoint is not None:
                    self._finite_cost(costs, run.examples, first)
                    run.checkpoint().save(self.checkpoint)
                if any(stops):
                    run.history.stop_reason = "a callback asked to stop"
            # No later batch shows whether the last step made the cost infinite.
            self._finite_cost(costs, run.examples, first)
            costs.check(at_least=LAST)
            run.history.stop_reason += remark(run, costs)
        except DivergenceError:
            costs.check(at_least=LAST)  # perhaps the compiled code is wrong
            raise

    def _epoch(self, costs: Costs) -> None:
        """Train one epoch, and record it in the history."""
        run = self.run
        began, batches = time.perf_counter(), run.batches()
        means: list[float] = []
        outputs: list[Any] = []
        with run.training:
            steady = costs.while_unchanged() if _is_ours(run.optimizer) else costs
            for block in self._blocks(steady, batches):
                found = self._steps(steady, block) or self._single_steps(steady, block)
                means += found[0]
                outputs += found[1]
        try:
            order = np.concatenate(batches)
            accuracy = self.trainer._judge.share_right(rows_of(outputs), run.examples, order)
        except (ArithmeticError, ValueError) as error:
            what = f"the accuracy could not be computed ({error})"
            raise run.diverged(what, weights_are_good=True) from None
        shares = [mean * (len(batch) / len(order)) for mean, batch in zip(means, batches)]
        validation: dict[str, Any] = {}
        if run.held_out:
            loss, share = self._finite_cost(costs, run.held_out)
            validation = {"validation_losses": loss, "validation_accuracies": share}
        run.end_epoch(
            losses=run.finite(total(shares)),
            accuracies=accuracy,
            learning_rates=run.optimizer.lr,
            seconds=time.perf_counter() - began,
            **validation,
        )

    def _blocks(self, costs: Costs, batches: list[np.ndarray]) -> list[list[np.ndarray]]:
        """Cut the batches of an epoch into blocks; the steps of a block are checked together."""
        run = self.run
        size = run.at_once if costs.can_descend and not run.examples.vary else 1
        return [batches[i : i + size] for i in range(0, len(batches), size)]

    def _steps(self, costs: Costs, batches: list[np.ndarray]) -> Stepped | None:
        """Make the steps of a block together; return None if it must be one at a time.

        If a step fails, single steps are to find out which, and why. An error that they do not
        repeat is raised, such as that of a signal handler.
        """
        if len(batches) == 1:
            return None
        descend = functools.partial(costs.descend, self.run.examples, batches)
        try:
            found = self.run.steps(descend, self.trainer.clip)
        except FAILURES:
            return None
        except Exception:  # perhaps of a step after one whose numbers are not finite
            self._single_steps(costs, batches)
            raise
        self._show(found.costs[-1], len(batches))
        return found.costs, [found.outputs]

    def _single_steps(self, costs: Costs, batches: list[np.ndarray]) -> Stepped:
        """Make a step for each batch."""
        means, outputs = [], []
        for batch in batches:
            found = self._step(costs, batch)
            means.append(found.cost)
            outputs.append(found.outputs)
            self._show(found.cost, 1)
        return means, outputs

    def _show(self, cost: float, steps: int) -> None:
        """Show the steps that were made, and the cost of the last, beside the progress bar."""
        if not self.bar.disable:
            self.bar.set_postfix(_shown(self.run.history, cost), refresh=False)
            self.bar.update(steps)

    def _step(self, costs: Costs, batch: np.ndarray) -> Computed:
        """Make one step against the gradient of a batch's mean cost, and return what it was."""
        run = self.run
        try:
            found = costs.learn(run.examples, batch)
            if costs.penalty is not None:
                found = found.penalized(costs.penalize())
        except (ArithmeticError, ValueError) as error:
            raise self._failed(costs, batch, error) from None
        if not found.is_finite:
            run.finite(found.cost)
            raise run.diverged("the gradient is no longer finite", weights_are_good=True)
        run.step(found.cost, found.gradient, self.trainer.clip)
        return found

    def _failed(self, costs: Costs, batch: np.ndarray, why: Exception) -> DivergenceError:
        """Return the error that ends training if a step could not be computed."""
        try:
            has_cost = math.isfinite(costs.judge(self.run.examples, batch).cost)
        except (ArithmeticError, ValueError):
            has_cost = False
        what = "gradient" if has_cost else "cost"
        return self.run.diverged(f"the {what} could not be computed ({why})", has_cost)

    def _finite_cost(self, costs: Costs, examples: Examples, rows: slice = ALL) -> Judged:
        """Judge examples; raise a DivergenceError if their mean cost is not finite."""
        try:
            loss, accuracy = self.trainer._judge.judge(costs, examples, rows)
        except (ArithmeticError, ValueError) as error:
            raise self.run.diverged(f"the cost could not be computed ({error})") from None
        return self.run.finite(loss), accuracy


def _is_ours(optimizer: Optimizer) -> bool:
    """Return True if the optimiser runs no code of the user's, which could change the model."""
    step = getattr(optimizer.step, "__func__", None)  # a function of the user's may replace it
    return type(optimizer).__module__ == Optimizer.__module__ and step is Optimizer.step


def _shown(history: History, cost: float) -> dict[str, str]:
    """Return the texts beside the progress bar: epoch, cost of the batch, and last accuracy."""
    answers = history.validation_accuracies or history.accuracies
    shown = {"epoch": f"{history.epochs + 1}", "loss": f"{cost:.4g}"}
    if answers and answers[-1] is not None:
        shown["accuracy"] = f"{answers[-1]:.1%}"
    return shown
