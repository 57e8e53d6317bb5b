"""The training loop: batches, epochs, and all that can happen in them."""

from __future__ import annotations

import copy
import itertools
import math
import os
import random
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from tqdm import tqdm

from autograd import Value

from .accuracy import Judge, judge_of
from .checkpoint import Checkpoint
from .data import features, targets
from .history import History
from .layers import Dropout
from .module import Module, evaluating, numbers
from .optim import Optimizer, clip_grad_norm_, grad_norm, move
from .schedule import Scheduler
from .settings import positive, whole

Example = tuple[list[float], Any]
Callback = Callable[["Trainer", History], object]


class Trainer:
    """Trains a model: shows it examples, and moves its parameters against the gradient.

    Args:
        model: what is trained.
        loss: the cost of one example, `loss(model(x), y)`: a function or module of `nn`, or yours.
        optimizer: moves the model's parameters.
        scheduler: sets the optimiser's learning rate after each epoch.
        penalty: an extra cost of the model itself, as in `lambda m: l2_penalty(m.parameters(), λ)`.
        clip: the largest norm that the gradient may have (see `clip_grad_norm_`).
        accuracy: `accuracy(outputs, y)`, from numbers: is the answer right? By default what the
            loss takes the outputs for: classes, yes or no, or nothing of the kind.

    Attributes:
        history: of the last `fit`.

    Raises:
        ValueError: `clip` is not positive.

    >>> import nn
    >>> model = nn.MLP(2, [4, 1], "tanh", seed=0)
    >>> trainer = Trainer(model, nn.hinge_loss, nn.SGD(model.parameters(), lr=0.5))
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [-1, 1, 1, -1]          # exclusive or
    >>> history = trainer.fit(X, y, epochs=100, batch_size=None)
    >>> history.accuracies[-1], history.stop_reason
    (1.0, 'all 100 epochs done')
    """

    def __init__(
        self,
        model: Module,
        loss: Callable[[Any, Any], Value],
        optimizer: Optimizer,
        *,
        scheduler: Scheduler | None = None,
        penalty: Callable[[Any], Value] | None = None,
        clip: float | None = None,
        accuracy: Judge | None = None,
    ) -> None:
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.scheduler, self.penalty = scheduler, penalty
        self.clip = None if clip is None else positive(clip, "clip")
        self.accuracy = accuracy or judge_of(loss)
        self.history = History()

    def fit(
        self,
        X: Any,
        y: Any,
        epochs: int = 10,
        batch_size: int | None = 32,
        *,
        validation: tuple[Any, Any] | float | None = None,
        early_stopping: int | None = None,
        seed: int = 0,
        checkpoint: str | os.PathLike[str] | None = None,
        resume: bool = False,
        callbacks: Iterable[Callback] = (),
        progress: bool | None = None,
    ) -> History:
        """Show the model all examples, `epochs` times, and move its parameters batch by batch.

        Ctrl-C ends it and keeps what was learned. A cost that is no longer finite ends it with a
        warning, and puts the weights back to the last ones whose cost was.

        Args:
            X: features, shape (n, nin).
            y: n targets, each as `loss` takes it.
            epochs: how often all examples are shown.
            batch_size: how many examples make a step: None for all (batch descent), 1 for one by
                one (stochastic), a number between for mini-batches.
            validation: (X, y) held out to judge by, or the share of the examples to hold out.
            early_stopping: end after this many epochs without a lower cost on the validation
                examples (without any, on the batches), and put the best weights back.
            seed: of the order of the examples, and of dropout.
            checkpoint: a file to write after each epoch.
            resume: go on from `checkpoint` if it is there; with the same settings, to the same
                numbers as without the interruption.
            callbacks: each is called as `callback(trainer, history)` after each epoch; a true
                answer ends training.
            progress: show a progress bar; by default where there is a terminal.

        Returns:
            What happened; it is also kept in `history`.

        Raises:
            TypeError, ValueError: X or y is not what the model and the loss take, a setting is
                out of range, or the checkpoint is of another run. Nothing has changed then.
            OSError: the checkpoint cannot be read or written.
        """
        rows = features(X)
        examples = list(zip(rows, targets(y, len(rows))))
        epochs = whole(epochs, "epochs")
        size = min(whole(batch_size or len(examples), "batch_size"), len(examples))
        patience = None if early_stopping is None else whole(early_stopping, "early_stopping")
        examples, held_out = _held_out(examples, validation, seed)
        self._check(examples, "y")
        self._check(held_out, "validation y")

        run = _Run(self, seed, size, len(examples), patience)
        if resume and checkpoint is not None and Path(checkpoint).exists():
            run.go_on(Checkpoint.load(checkpoint), checkpoint)
        self.history = run.history
        modes = [(module, module.training) for module in self.model.modules()]
        batches = math.ceil(len(examples) / size)
        bar = tqdm(
            total=epochs * batches,
            initial=run.history.epochs * batches,
            unit="step",
            disable=None if progress is None else not progress,
        )
        with bar:
            try:
                while run.goes_on(epochs):
                    self._epoch(run, examples, held_out, bar)
                    if checkpoint is not None:
                        run.checkpoint().save(checkpoint)
                    stops = [callback(self, run.history) for callback in callbacks]
                    if any(stops):
                        run.history.stop_reason = "a callback asked to stop"
            except KeyboardInterrupt:
                done = run.history.epochs
                run.history.stop_reason = f"interrupted by Ctrl-C after {done} epoch(s)"
            except DivergenceError as error:
                run.history.stop_reason = str(error)
                warnings.warn(f"training stopped: {error}", RuntimeWarning, stacklevel=2)
            finally:
                run.restore_best()
                for module, mode in modes:
                    module.training = mode
        return run.history

    def evaluate(self, X: Any, y: Any) -> tuple[float, float | None]:
        """The mean cost of these examples, and the share of right answers (None if it has none).

        Raises:
            TypeError, ValueError: X or y is not what the model and the loss take.
        """
        rows = features(X)
        examples = list(zip(rows, targets(y, len(rows))))
        self._check(examples, "y")
        return self._judged(examples)

    def restarts(
        self, n: int, X: Any, y: Any, *args: Any, n_jobs: int = 1, seed: int = 0, **settings: Any
    ) -> list[History]:
        """Train from n random starts and keep the best: its weights are the model's afterwards.

        Args:
            n: how many starts; the k-th draws its weights with `seed` + k.
            X, y: as for `fit`, as are the other arguments.
            n_jobs: how many processes train side by side; −1 for one on each core.
            seed: of the first start.

        Returns:
            The history of each start, the best first: that with the lowest last cost, on the
            validation examples if there are any.

        Raises:
            TypeError, ValueError: as for `fit`, or a module of yours has parameters and does not
                say where they start.
        """
        starts = range(seed, seed + whole(n, "n"))
        start = joblib.delayed(_started)
        settings.setdefault("progress", False)
        found = joblib.Parallel(n_jobs=n_jobs)(
            start(copy.deepcopy(self), k, (X, y, *args), settings) for k in starts
        )
        ranked = sorted(found, key=lambda result: _cost_of_weights(result[0]))
        self.history, state = ranked[0]
        self.model.load_state_dict(state)
        return [history for history, _ in ranked]

    # ------------------------------------------------------------------ one epoch

    def _epoch(
        self, run: _Run, examples: list[Example], held_out: list[Example], bar: tqdm[Any]
    ) -> None:
        history, began = run.history, time.perf_counter()
        self.model.train()
        order = run.shuffled(examples)
        costs, norms, answers = [], [], []
        for batch in (order[i : i + run.size] for i in range(0, len(order), run.size)):
            cost, norm, answered = self._step(run, batch)
            costs.append(cost * len(batch))
            norms.append(norm)
            answers += answered
            bar.set_postfix(epoch=history.epochs + 1, loss=f"{cost:.4g}", refresh=False)
            bar.update()
        judged = self._judged(held_out) if held_out else None
        history.losses.append(math.fsum(costs) / len(examples))
        history.accuracies.append(_share(answers))
        history.learning_rates.append(self.optimizer.lr)
        if judged is not None:
            history.validation_losses.append(judged[0])
            history.validation_accuracies.append(judged[1])
        for name in run.layers:
            mean_norm = math.fsum(norm[name] for norm in norms) / len(norms)
            history.gradient_norms.setdefault(name, []).append(mean_norm)
        history.seconds.append(time.perf_counter() - began)
        if self.scheduler is not None:
            self.scheduler.step(_last_cost(history))
        run.note_best()

    def _step(
        self, run: _Run, batch: Sequence[Example]
    ) -> tuple[float, dict[str, float], list[bool | None]]:
        """One step by the mean cost of a batch: that cost, the gradient's norms, the answers.

        Each example's graph is made, differentiated and dropped in turn: the gradients add up in
        the parameters, and the memory is that of one example.
        """
        costs, answers = [], []
        try:
            self.optimizer.zero_grad()
            for x, y in batch:
                outputs = self.model(x)
                cost = self.loss(outputs, y)
                cost.backward(1.0 / len(batch))
                costs.append(cost.data / len(batch))
                answers.append(self.accuracy(numbers(outputs), y))
            if self.penalty is not None:
                extra = self.penalty(self.model)
                extra.backward()
                costs.append(extra.data)
        except ArithmeticError as error:
            raise run.diverged(f"the cost could not be computed ({error})") from None
        total = math.fsum(costs) if all(map(math.isfinite, costs)) else sum(costs)
        if not math.isfinite(total):
            raise run.diverged(f"the cost became {total}")
        norms = {name: grad_norm(params) for name, params in run.layers.items()}
        if not all(map(math.isfinite, norms.values())):
            raise run.diverged("the gradient is no longer finite", weights_are_good=True)
        if self.clip is not None:
            clip_grad_norm_(self.optimizer.params, self.clip)
        run.about_to_step(total)
        self.optimizer.step()
        return total, norms, answers

    def _judged(self, examples: list[Example]) -> tuple[float, float | None]:
        """The mean cost and the share of right answers, as they are: nothing is recorded."""
        costs, answers = [], []
        with evaluating(self.model):
            for x, y in examples:
                outputs = self.model(x)
                costs.append(self.loss(outputs, y).data)
                answers.append(self.accuracy(numbers(outputs), y))
        return math.fsum(costs) / len(examples), _share(answers)

    def _check(self, examples: list[Example], what: str) -> None:
        """Try the model on the first example, and the loss on every kind of target."""
        if not examples:
            return
        first: dict[str, int] = {}
        for i, (_, y) in enumerate(examples):
            first.setdefault(repr(y), i)
        with evaluating(self.model):
            outputs = self.model(examples[0][0])
            for i in first.values():
                try:
                    self.loss(outputs, examples[i][1])
                except (TypeError, ValueError) as error:
                    raise type(error)(f"{what}[{i}]: {error}") from None


class DivergenceError(ArithmeticError):
    """The cost is no longer a number."""


class _Run:
    """What one call of `fit` keeps between its steps."""

    def __init__(
        self, trainer: Trainer, seed: int, size: int, rows: int, patience: int | None
    ) -> None:
        self.trainer, self.seed, self.size, self.patience = trainer, seed, size, patience
        self.settings = {"seed": seed, "batch_size": size, "rows": rows}
        self.history = History(seed=seed)
        self.best: dict[str, np.ndarray] = {}
        self.best_cost, self.waited = math.inf, 0
        self.good: np.ndarray | None = None  # the last weights whose cost was finite
        self.layers: dict[str, list[Value]] = {}
        for name, tensor in trainer.model.tensors().items():
            layer = name.rpartition(".")[0] or name
            self.layers.setdefault(layer, []).extend(tensor.ravel().tolist())

    def goes_on(self, epochs: int) -> bool:
        """Whether another epoch is due; if not, the history says why."""
        if not self.history.stop_reason:
            if self.patience is not None and self.waited >= self.patience:
                self.history.stop_reason = (
                    f"no lower cost for {self.waited} epochs; the weights are those of epoch "
                    f"{self.history.epochs - self.waited}"
                )
            elif self.history.epochs >= epochs:
                self.history.stop_reason = f"all {epochs} epochs done"
        return not self.history.stop_reason

    def shuffled(self, examples: list[Example]) -> list[Example]:
        """The examples in this epoch's order; its dropout starts anew as well."""
        name = f"{self.seed}, epoch {self.history.epochs}"
        count = itertools.count()
        for module in self.trainer.model.modules():
            if isinstance(module, Dropout):
                module.seed(f"{name}, dropout {next(count)}")
        return random.Random(name).sample(examples, len(examples))

    def about_to_step(self, cost: float) -> None:
        """The weights have a finite cost: the ones to come back to."""
        self.good = np.array([p.data for p in self.trainer.optimizer.params])
        self.history.step_losses.append(cost)

    def diverged(self, what: str, weights_are_good: bool = False) -> DivergenceError:
        """Put the last good weights back, and make the error that ends training."""
        if self.good is not None and not weights_are_good:
            move(self.trainer.optimizer.params, self.good)
        step = len(self.history.step_losses) + 1
        return DivergenceError(
            f"{what} at step {step}, in epoch {self.history.epochs + 1}; the weights are the last "
            f"ones whose cost was finite. Try a learning rate below {self.trainer.optimizer.lr:g}, "
            f"or clip the gradient"
        )

    def note_best(self) -> None:
        """Remember the weights if their cost is the lowest so far."""
        if self.patience is None:
            return
        cost = _last_cost(self.history)
        if cost < self.best_cost:
            self.best_cost, self.waited = cost, 0
            self.best = self.trainer.model.state_dict()
        else:
            self.waited += 1

    def restore_best(self) -> None:
        """Put the weights of the best epoch back, if they were kept."""
        self.history.kept_epoch = self.history.epochs - self.waited
        if self.best:
            self.trainer.model.load_state_dict(self.best)

    def checkpoint(self) -> Checkpoint:
        """All that the next epoch depends on."""
        scheduler = self.trainer.scheduler
        return Checkpoint(
            model=self.trainer.model.state_dict(),
            optimizer=self.trainer.optimizer.state_dict(),
            best=self.best,
            settings=self.settings,
            progress={
                "best_cost": self.best_cost,
                "waited": self.waited,
                "scheduler": None if scheduler is None else scheduler.state_dict(),
            },
            history=self.history,
        )

    def go_on(self, checkpoint: Checkpoint, path: str | os.PathLike[str]) -> None:
        """Take over a checkpoint; if it does not fit, nothing has changed."""
        trainer, progress = self.trainer, checkpoint.progress
        for name, mine in self.settings.items():
            if checkpoint.settings.get(name) != mine:
                raise ValueError(
                    f"{os.fspath(path)} is of another run: {name} was "
                    f"{checkpoint.settings.get(name)} there and is {mine} here"
                )
        before = trainer.model.state_dict()
        try:
            trainer.model.load_state_dict(checkpoint.model)
            trainer.optimizer.load_state_dict(checkpoint.optimizer)
        except ValueError as error:
            trainer.model.load_state_dict(before)
            raise ValueError(f"{os.fspath(path)} does not fit this model: {error}") from None
        if trainer.scheduler is not None and progress["scheduler"] is not None:
            trainer.scheduler.load_state_dict(progress["scheduler"])
        self.best, self.history = dict(checkpoint.best), checkpoint.history
        self.best_cost, self.waited = progress["best_cost"], progress["waited"]


def _held_out(
    examples: list[Example], validation: tuple[Any, Any] | float | None, seed: int
) -> tuple[list[Example], list[Example]]:
    """The examples to learn from, and those to judge by."""
    if validation is None:
        return examples, []
    if not isinstance(validation, float):
        X, y = validation
        rows = features(X)
        return examples, list(zip(rows, targets(y, len(rows))))
    count = round(validation * len(examples))
    if not 0 < count < len(examples):
        raise ValueError(
            f"validation={validation} of {len(examples)} examples leaves none on one side"
        )
    order = random.Random(f"{seed}, validation").sample(examples, len(examples))
    return order[count:], order[:count]


def _started(
    trainer: Trainer, seed: int, arguments: tuple[Any, ...], settings: dict[str, Any]
) -> tuple[History, dict[str, np.ndarray]]:
    """One of several random starts, maybe in a process of its own."""
    trainer.model.reset_parameters(seed)
    trainer.optimizer.load_state_dict({"lr": trainer.optimizer.lr, "steps": 0})
    history = trainer.fit(*arguments, seed=seed, **settings)
    return history, trainer.model.state_dict()


def _last_cost(history: History) -> float:
    return (history.validation_losses or history.losses)[-1]


def _cost_of_weights(history: History) -> float:
    costs = history.validation_losses or history.losses
    return costs[history.kept_epoch - 1] if history.kept_epoch else math.inf


def _share(answers: list[bool | None]) -> float | None:
    judged = [answer for answer in answers if answer is not None]
    return sum(judged) / len(judged) if judged else None
