"""`Trainer`: the training loop over batches and epochs.

`fit` prepares everything and handles interrupts and divergence; `_epoch` and `_step` do the work.
The state that a run keeps between steps is in `Run` (`run.py`). Costs and gradients come from
compiled code (`code.py`) or from the engine; both must give the same numbers.
"""

from __future__ import annotations

import contextlib
import copy
import math
import numbers as numbers_abc
import os
import random
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import joblib
import numpy as np
from tqdm import tqdm

from autograd import DivisionByZeroError, DomainError, TraceError, Value
from autograd.extend import destination

from ..costs import cost_of, depends_on, differentiate
from ..data import Examples
from ..gradients import clipped, gradient_of, norm_of
from ..modes import evaluating, mode
from ..module import Module
from ..optim import Optimizer
from ..prediction import numbers
from ..schedule import Scheduler
from ..settings import (
    Checked,
    finite,
    flag,
    function,
    function_as,
    instance_of,
    optional,
    positive,
    several,
    whole,
)
from .answers import Answers, Judge, answers_of
from .checkpoint import Checkpoint
from .code import LAST, Code, DifferentError
from .history import History
from .identity import identity
from .run import DivergenceError, Run, last_cost, state_of, surely
from .squash import squashed_twice

Callback = Callable[["Trainer", History], object]
INTERRUPTED = "interrupted by Ctrl-C"
NUMERIC = ArithmeticError, DomainError  # errors that depend on the numbers, not on the caller
TRIED = 32  # distinct targets tried before the cost is reported to depend on no parameter
EXPLODED = 1000.0  # a cost above this many times the first one counts as diverged
NO_GRADIENT = (
    "the loss does not depend on any parameter that the optimiser moves, so there is nothing to "
    "learn: compute it from the outputs themselves, without .data, detach(), stop_gradient, "
    "float(...) or no_grad()"
)


class Trainer:
    """Trains a model: computes costs and gradients on batches and lets the optimiser step.

    Args:
        model: the model to train.
        loss: the cost of one example, `loss(model(x), y)`: a function or module of `nn`, or yours.
        optimizer: moves the model's parameters.
        scheduler: sets the optimiser's learning rate after each epoch.
        penalty: an extra cost of the model itself, as in `lambda m: l2_penalty(m.parameters(), λ)`.
        clip: the largest allowed norm of the gradient (see `clip_grad_norm_`).
        accuracy: a function `accuracy(outputs, y)` of numbers that returns True if the answer is
            right, False if it is wrong, None if neither. Default: the interpretation that the
            loss implies (class labels, a binary label, or none).

    Attributes:
        history: the `History` of the last `fit`.
        answers: how the outputs are interpreted; None before the first `fit` or `evaluate`.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `clip` is not positive, or the scheduler belongs to another optimiser.

    >>> import nn
    >>> model = nn.MLP(2, [4, 1], "tanh", seed=0)
    >>> trainer = Trainer(model, nn.hinge_loss, nn.SGD(model.parameters(), lr=0.5))
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [-1, 1, 1, -1]          # exclusive or
    >>> history = trainer.fit(X, y, epochs=100, batch_size=None)
    >>> history.accuracies[-1], history.stop_reason
    (1.0, 'all 100 epochs done')
    """

    model = Checked(instance_of(Module, "a module of nn"))
    loss = Checked(function_as("a function or a module of nn"))
    optimizer = Checked(instance_of(Optimizer, "one of nn, as in SGD(...)"))
    scheduler = Checked(optional(instance_of(Scheduler, "one of nn, as in StepLR(...)")))
    penalty = Checked(optional(function_as("a function of the model")))
    clip = Checked(optional(positive))
    accuracy = Checked(optional(function_as("a function (outputs, target)")))

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
        self.clip, self.accuracy = clip, accuracy
        self._check_scheduler()
        self.answers: Answers | None = None
        self.history = History()
        self._first = state_of(optimizer), state_of(scheduler)
        self.start = identity(optimizer=optimizer, scheduler=scheduler)

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
        compile: bool = True,
    ) -> History:
        """Train the model on all examples for a number of epochs.

        Ctrl-C ends training and keeps the weights learned so far. If the cost becomes infinite or
        NaN, or cannot be computed or differentiated (log of 0, square root at 0), training ends
        with a warning, and the last weights with a finite cost are restored. The history's
        `stop_reason` says why and where training ended, and also whether no weight moved or the
        cost exploded.

        Args:
            X: features, shape (n, nin).
            y: n targets, each as `loss` takes it.
            epochs: the number of passes over all examples.
            batch_size: the number of examples per step: None for all (batch descent), 1 for
                stochastic descent, a number between for mini-batches.
            validation: held-out examples (X, y), or the share of the examples to hold out.
            early_stopping: stop after this many epochs without a lower cost on the held-out
                examples, and restore the best weights.
            seed: the seed of the order of the examples and of dropout.
            checkpoint: a file to write after each epoch, after the callbacks.
            resume: continue from the file `checkpoint` if it exists. The result is the same as
                without the interruption. Data, model, loss, optimiser and settings must be the
                same, except `epochs`; `nn/training/identity.py` says how they are compared and
                what is not compared. Callbacks are not compared.
            callbacks: functions called as `callback(trainer, history)` after each epoch. A true
                result ends training.
            progress: show a progress bar. Default: only in a terminal.
            compile: run as compiled code if possible; otherwise `history.not_compiled` says why.
                Compiled code is compared with the engine: before training on examples chosen to
                be different, during training on further examples as time allows, and at the end.
                If the numbers differ, a warning says where, and training starts again with the
                engine from the first weights. Callbacks are then called again for each epoch.

        Returns:
            The history of the run, which is also stored in `history`.

        Raises:
            TypeError, ValueError: X or y does not fit the model and the loss, the loss does not
                return a Value or does not depend on any parameter that the optimiser moves, a
                setting is out of range, or the checkpoint is of another run. Nothing has changed
                then.
            OSError: the checkpoint cannot be read or written. If possible this is detected before
                training.
        """
        examples, epochs = Examples.of(X, y), whole(epochs, "epochs")
        size = len(examples) if batch_size is None else whole(batch_size, "batch_size")
        size, seed = min(size, len(examples)), whole(seed, "seed", None)
        resume, compile = flag(resume, "resume"), flag(compile, "compile")
        progress = None if progress is None else flag(progress, "progress")
        callbacks = _called(callbacks)
        examples, held_out = _held_out(examples, validation, seed)
        patience = None if early_stopping is None else whole(early_stopping, "early_stopping")
        if patience is not None and not held_out:
            raise ValueError("early_stopping judges by held-out examples: give validation=0.2")
        _check_path(checkpoint, resume)
        self._check_optimizer()
        self._check_scheduler()
        self.answers = self._answers(examples, self._check(examples, learns=True))
        if held_out is not None:
            self._check(held_out)

        run = Run(self, seed, size, patience)
        if checkpoint is not None:
            run.identify(examples, held_out)
        if compile:
            run.compile(examples, held_out)
        if resume and checkpoint is not None and destination(checkpoint).exists():
            not_compiled = run.history.not_compiled
            run.go_on(Checkpoint.load(checkpoint), checkpoint)
            run.history.not_compiled = not_compiled
            run.begin()
        self.history = run.history
        self.history.answers = self.model._answers = self.answers
        self._warn_of_squashing(examples)
        batches = math.ceil(len(examples) / size)
        bar = tqdm(
            total=epochs * batches,
            initial=run.history.epochs * batches,
            unit="step",
            disable=None if progress is None else not progress,
        )

        with bar, mode(self.model, training=True):
            try:
                try:
                    self._train(run, examples, held_out, epochs, callbacks, checkpoint, bar)
                except DifferentError as error:
                    run.start_anew(error)
                    self.history = run.history
                    bar.n = run.history.epochs * batches
                    self._train(run, examples, held_out, epochs, callbacks, checkpoint, bar)
            except KeyboardInterrupt:
                surely(run.settle)
                done = run.history.epochs
                run.history.stop_reason = f"{INTERRUPTED} after {done} epoch(s)"
            except DivergenceError as error:
                run.history.stop_reason = str(error)
                warnings.warn(f"training stopped: {error}", RuntimeWarning, stacklevel=2)
            finally:
                surely(run.finish)
        return run.history

    def evaluate(self, X: Any, y: Any) -> tuple[float, float | None]:
        """Compute the mean cost and the accuracy on some examples, in evaluation mode.

        Returns:
            The mean cost, and the share of right answers; None if no answer is right or wrong.

        Raises:
            TypeError, ValueError: X or y does not fit the model and the loss, the loss does not
                return a Value, or it cannot be computed. The error names the example.
        """
        examples = Examples.of(X, y)
        first = self._check(examples)
        self.answers = self.history.answers or self._answers(examples, first)
        return self._judged(examples)

    def restarts(
        self, n: int, X: Any, y: Any, *args: Any, n_jobs: int = 1, seed: int = 0, **settings: Any
    ) -> list[History]:
        """Train from n random starts, and keep the weights of the best.

        The best start has the lowest cost after training, on the validation examples if there are
        any. Ctrl-C ends the training and keeps the best of the finished starts; with `n_jobs=1`
        the interrupted start counts too.

        Args:
            n: the number of starts. Start k, from 0, draws the weights with `seed` + k.
                Parameters that the optimiser does not move are not drawn again.
            X, y: as for `fit`, as are the other arguments.
            n_jobs: the number of parallel processes; −1 for one per core.
            seed: the seed of the first start, and of the validation split that all starts share.

        Returns:
            The histories of the starts, the best first.

        Raises:
            TypeError, ValueError: as for `fit`, or a module has parameters that its
                `sample_parameters(rng)` does not yield.
        """
        n, seed = whole(n, "n"), whole(seed, "seed", None)
        if whole(n_jobs, "n_jobs", None) == 0:
            raise ValueError("n_jobs is a count of processes, or -1 for one on each core; got 0")
        if "checkpoint" in settings:
            raise ValueError("all starts would write the same checkpoint: call fit for each")
        if isinstance(settings.get("validation"), numbers_abc.Real):  # the same split for all
            examples, held_out = _held_out(Examples.of(X, y), settings["validation"], seed)
            assert held_out is not None
            X, y, settings["validation"] = examples.X, examples.y, (held_out.X, held_out.y)
        starts = range(seed, seed + n)
        one, found = joblib.delayed(_started), []
        settings.setdefault("progress", False)
        parallel = joblib.Parallel(n_jobs=int(n_jobs), return_as="generator")
        with contextlib.suppress(KeyboardInterrupt), _away_from_here():
            for result in parallel(
                one(copy.deepcopy(self), start, (X, y, *args), settings) for start in starts
            ):
                found.append(result)
                if result[1].stop_reason.startswith(INTERRUPTED):
                    break
        if not found:
            raise KeyboardInterrupt
        ranked = sorted(found, key=lambda result: result[0])
        _, history, state = ranked[0]

        def keep() -> None:
            self.model.load_state_dict(state)
            self.history = history
            self.model._answers = self.answers = history.answers

        surely(keep)
        return [history for _, history, _ in ranked]

    # ------------------------------------------------------------------ epochs and steps

    def _train(
        self,
        run: Run,
        examples: Examples,
        held_out: Examples | None,
        epochs: int,
        callbacks: list[Callback],
        checkpoint: str | os.PathLike[str] | None,
        bar: tqdm[Any],
    ) -> None:
        """Train epoch after epoch until the run ends.

        Raises:
            DivergenceError: the cost or its gradient is no longer finite.
            DifferentError: compiled code gives other numbers than the engine.
        """
        try:
            while run.goes_on(epochs):
                with mode(self.model, training=True):  # callbacks may have added modules
                    self._epoch(run, examples, held_out, bar)
                if callbacks:
                    run.look_at_code()
                stops = [callback(self, run.history) for callback in callbacks]
                if callbacks:
                    run.renew_code()
                run.check_code(at_least=0 if checkpoint is None else LAST)
                if checkpoint is not None:
                    self._judged_or_diverged(run, examples.first(run.size), run.learning)
                    run.checkpoint().save(checkpoint)
                if any(stops):
                    run.history.stop_reason = "a callback asked to stop"
            # No later batch shows whether the last step made the cost infinite.
            self._judged_or_diverged(run, examples.first(run.size), run.learning)
            run.check_code(at_least=LAST)
            run.history.stop_reason += self._remark(run, examples)
        except DivergenceError:
            run.check_code(at_least=LAST)  # perhaps the compiled code is wrong
            raise

    def _epoch(
        self, run: Run, examples: Examples, held_out: Examples | None, bar: tqdm[Any]
    ) -> None:
        """Train one epoch, and record it in the history."""
        history, began = run.history, time.perf_counter()
        order = run.shuffled(len(examples))
        costs, norms, answers = [], [], []
        for batch in (order[i : i + run.size] for i in range(0, len(order), run.size)):
            cost, norm, answered = self._step(run, examples, batch)
            costs.append(cost * (len(batch) / len(examples)))
            norms.append(norm)
            answers += answered
            bar.set_postfix(_shown(history, cost), refresh=False)
            bar.update()
        judged: dict[str, Any] = {}
        if held_out:
            loss, accuracy = self._judged_or_diverged(run, held_out, run.judging)
            judged = {"validation_losses": loss, "validation_accuracies": accuracy}
        loss = run.finite(_added(costs))
        with run.whole():
            history.add(
                losses=loss,
                accuracies=_share(answers),
                learning_rates=self.optimizer.lr,
                gradient_norms={
                    name: math.fsum(norm[name] for norm in norms) / len(norms)
                    for name in run.layers
                },
                seconds=time.perf_counter() - began,
                **judged,
            )
            run.remember()
            if self.scheduler is not None:
                self.scheduler.step(last_cost(history))
            run.note_best()

    def _judged_or_diverged(
        self, run: Run, examples: Examples, code: Code | None = None
    ) -> tuple[float, float | None]:
        """Do the work of `_judged`; raise a DivergenceError if the cost is not finite."""
        try:
            loss, accuracy = self._judged(examples, code)
        except (ArithmeticError, ValueError) as error:
            raise run.diverged(f"the cost could not be computed ({error})") from None
        return run.finite(loss), accuracy

    def _step(
        self, run: Run, examples: Examples, batch: list[int]
    ) -> tuple[float, dict[str, float], list[bool | None]]:
        """Make one step against the gradient of a batch's mean cost.

        Returns:
            The mean cost, the gradient's norm for each layer, and for each example whether the
            answer is right.
        """
        try:
            cost, gradient, answers = self._learned(run, examples, batch)
            if self.penalty is not None:
                extra, slope = run.penalised()
                cost, gradient = cost + extra, gradient + slope
        except (ArithmeticError, ValueError) as error:
            fine = self._has_cost(examples.chosen(batch))
            what = "gradient" if fine else "cost"
            raise run.diverged(f"the {what} could not be computed ({error})", fine) from None
        run.finite(cost)
        norms = {name: norm_of(gradient[places]) for name, places in run.layers.items()}
        if not all(map(math.isfinite, norms.values())):
            raise run.diverged("the gradient is no longer finite", weights_are_good=True)
        moved = gradient[run.moved]
        if self.clip is not None:
            moved = clipped(moved, self.clip)
        try:
            with run.whole(run.about_to_step()):
                run.history.step_losses.append(cost)
                self.optimizer.step(moved)
                run.gradient = gradient
        except FloatingPointError as error:
            run.settle()
            raise run.diverged(str(error), weights_are_good=True) from None
        return cost, norms, answers

    def _learned(
        self, run: Run, examples: Examples, batch: list[int]
    ) -> tuple[float, np.ndarray, list[bool | None]]:
        """Compute a batch's mean cost, its gradient, and whether each answer is right.

        Raises:
            DifferentError: compiled code cannot compute them, but the engine can.
        """
        if (found := self._by_code(run, examples, batch)) is not None:
            return found
        cost, gradient, answers = self._by_engine(run, examples, batch)
        if run.learning is not None and math.isfinite(cost) and np.isfinite(gradient).all():
            raise DifferentError("the compiled code cannot compute a step, and the engine can")
        return cost, gradient, answers

    def _by_code(
        self, run: Run, examples: Examples, batch: list[int]
    ) -> tuple[float, np.ndarray, list[bool | None]] | None:
        """Do the work of `_learned` with compiled code; return None if that is not possible."""
        if run.learning is None:
            return None
        try:
            costs, outputs, gradient = run.learning.learned(batch)
        except (ArithmeticError, TypeError, ValueError):
            return None  # the engine computes it, or raises an error that says why
        if not (np.isfinite(costs).all() and np.isfinite(gradient).all()):
            return None
        answers = [self._right(out, examples.y[i]) for out, i in zip(outputs, batch)]
        return _added((costs / len(batch)).tolist()), gradient, answers

    def _by_engine(
        self, run: Run, examples: Examples, batch: list[int]
    ) -> tuple[float, np.ndarray, list[bool | None]]:
        """Do the work of `_learned` with the engine.

        Each example's graph is built, differentiated and dropped before the next one is built, so
        memory is needed for one graph only. The gradients add up in the parameters. These are the
        parameters with which the run began, even if a callback has changed the layers since.
        """
        costs, answers, params = [], [], run.params
        run.zero_grad()
        for i in batch:
            x, y = examples[i]
            with _naming(examples.place(i)):
                outputs = self.model(x)
                cost = cost_of(self.loss(outputs, y), "loss")
                differentiate(cost, params, 1.0 / len(batch))
            costs.append(cost.data / len(batch))
            answers.append(self._right(numbers(outputs), y))
        return _added(costs), gradient_of(params), answers

    def _judged(self, examples: Examples, code: Code | None = None) -> tuple[float, float | None]:
        """Compute the mean cost and the share of right answers in evaluation mode.

        Args:
            examples: the examples.
            code: compiled code of these examples; it may hold further examples after them.

        Raises:
            DifferentError: compiled code cannot compute the cost, but the engine can.
        """
        if code is not None:
            with contextlib.suppress(ArithmeticError, TraceError, ValueError):
                costs, outputs = code.judged(slice(len(examples)))
                if np.isfinite(costs).all():
                    answers = [self._right(out, y) for out, y in zip(outputs, examples.y)]
                    return _added((costs / len(examples)).tolist()), _share(answers)
        found, judged = [], []
        with evaluating(self.model):
            for i, (x, y) in enumerate(examples):
                with _naming(examples.place(i)):
                    said = self.model(x)
                    cost = cost_of(self.loss(said, y), "loss")
                found.append(cost.data / len(examples))
                judged.append(self._right(numbers(said), y))
        if code is not None and math.isfinite(_added(found)):
            raise DifferentError("the compiled code cannot compute the cost, and the engine can")
        return _added(found), _share(judged)

    def _right(self, outputs: Any, y: Any) -> bool | None:
        """Return whether the answer is right; None if it is neither right nor wrong."""
        if self.accuracy is not None:
            verdict = self.accuracy(outputs, y)
            if not isinstance(verdict, (bool, np.bool_, int, type(None))):
                raise TypeError(f"accuracy answers with True, False or None, it said {verdict!r}")
            return None if verdict is None else bool(verdict)
        return None if self.answers is None else self.answers.right(outputs, y)

    def _check_scheduler(self) -> None:
        if self.scheduler is not None and self.scheduler.optimizer is not self.optimizer:
            raise ValueError(
                f"the scheduler sets the learning rate of another optimiser, "
                f"{self.scheduler.optimizer!r}: make it anew with the one that trains"
            )

    def _check_optimizer(self) -> None:
        known = {id(p) for p in self.model.parameters()}
        if not all(id(p) in known for p in self.optimizer.params):
            raise ValueError(
                "the optimiser moves parameters that are not the model's: was the model made anew? "
                "Make the optimiser anew too, with model.parameters()"
            )

    # ------------------------------------------------------------------ before and after

    def _check(self, examples: Examples, learns: bool = False) -> Any:
        """Try the model on the first example, and the loss on every kind of target.

        Args:
            examples: the examples.
            learns: True if the cost must depend on a parameter that the optimiser moves.

        Returns:
            The outputs for the first example; None if they cannot be computed.
        """
        kinds = examples.kinds()
        with mode(self.model, training=False) if learns else evaluating(self.model):
            first = self._outputs(examples, 0)
            depends = {self._depends(first, examples, i) for i in kinds}
            if learns and True not in depends:  # perhaps only the first outputs are constants
                for i in kinds[1:TRIED]:
                    depends.add(self._depends(self._outputs(examples, i), examples, i))
            if learns and self.penalty is not None:
                with contextlib.suppress(*NUMERIC):
                    cost_of(self.penalty(self.model), "penalty")
        if learns and False in depends and True not in depends:
            raise ValueError(NO_GRADIENT)
        return first

    def _answers(self, examples: Examples, outputs: Any) -> Answers:
        """Determine how the outputs are interpreted.

        If `outputs`, those of the first example, are None, the next example that has outputs
        gives their number.
        """
        with evaluating(self.model):
            for i in range(1, len(examples)):
                if outputs is not None:
                    break
                outputs = self._outputs(examples, i)
        return answers_of(self.loss, examples.y, np.size(numbers(outputs)))

    def _warn_of_squashing(self, examples: Examples) -> None:
        """Warn if the last activation does not fit the loss.

        This is not an error, because the cost is well defined; PyTorch computes it, too.
        """
        with mode(self.model, training=False):
            some = {0, len(examples) // 2, len(examples) - 1}
            outputs = [self._outputs(examples, i) for i in sorted(some)]
        if None not in outputs and (found := squashed_twice(self.loss, outputs)):
            warnings.warn(found, RuntimeWarning, stacklevel=3)

    def _outputs(self, examples: Examples, i: int) -> Any:
        """Compute the outputs for an example; return None if a numeric error occurs."""
        with contextlib.suppress(*NUMERIC):
            return self.model(examples[i][0])
        return None

    def _depends(self, outputs: Any, examples: Examples, i: int) -> bool | None:
        """Return True if the cost depends on a parameter that the optimiser moves.

        Return None if the cost cannot be computed.
        """
        if outputs is None:
            return None
        try:
            cost = cost_of(self.loss(outputs, examples.y[i]), "loss")
        except NUMERIC:
            return None  # `outputs` may be those of another example
        except (TypeError, ValueError) as error:
            raise _named(error, examples.place(i, "y")) from None
        return depends_on(cost, self.optimizer.params)

    def _has_cost(self, examples: Examples) -> bool:
        """Return True if the mean cost is finite."""
        with contextlib.suppress(ArithmeticError, ValueError):
            return math.isfinite(self._judged(examples)[0])
        return False

    def _remark(self, run: Run, examples: Examples) -> str:
        """Return a remark for the stop reason if a run that ended normally has not worked."""
        history = run.history
        norms = [norm for norms in history.gradient_norms.values() for norm in norms]
        if norms and not any(norms):
            learned = "; every gradient was zero, so nothing was learned"
            return learned if any(history.losses) else ""  # a cost of 0 has nothing to learn
        if not run.moving() and len({shot.weights for shot in history.snapshots}) == 1:
            return f"; no weight moved: with lr={self.optimizer.lr:g} no step is large enough"
        if max(history.losses) > EXPLODED * abs(history.step_losses[0]):
            return self._exploded(run, examples)
        return ""

    def _exploded(self, run: Run, examples: Examples) -> str:
        """Warn, and return a remark, if the mean cost is far above that before the first step."""
        try:
            after, _ = self._judged(examples, run.learning)
            with run.at_first():
                before, _ = self._judged(examples, run.learning)
        except (ArithmeticError, ValueError):
            return ""  # there is no cost to compare
        if after <= EXPLODED * abs(before) + 1e-6:
            return ""
        grew = f"the mean cost grew from {before:g} to {after:g}"
        rate = f"Try a learning rate below {self.optimizer.lr:g}, or clip the gradient"
        warnings.warn(f"training diverged: {grew}. {rate}", RuntimeWarning, stacklevel=4)
        return f"; {grew}"


@contextlib.contextmanager
def _naming(place: str) -> Iterator[None]:
    """Prefix numeric errors inside the block with the name of the example."""
    try:
        yield
    except (ArithmeticError, ValueError) as error:
        raise _named(error, place) from None


def _named(error: Exception, place: str) -> Exception:
    """Return an error of the same kind, with the place before its message."""
    kinds: list[type[Exception]] = [DivisionByZeroError, DomainError, OverflowError]
    kinds += [ZeroDivisionError, ArithmeticError, TypeError, ValueError]
    kind = next(kind for kind in kinds if isinstance(error, kind))
    return kind(f"{place}: {error}")


def _held_out(examples: Examples, validation: Any, seed: int) -> tuple[Examples, Examples | None]:
    """Return the training examples and the held-out examples; None if there are none."""
    if validation is None:
        return examples, None
    if isinstance(validation, (tuple, list)) and len(validation) == 2:
        X, y = validation
        return examples, Examples.of(X, y, "validation ")
    if isinstance(validation, bool) or not isinstance(validation, numbers_abc.Real):
        raise TypeError(f"validation is a pair (X, y), or a share as in 0.2; got {validation!r}")
    count = round(finite(validation, "validation") * len(examples))
    if not 0 < count < len(examples):
        raise ValueError(
            f"validation={validation} of {len(examples)} examples leaves none on one side"
        )
    order = random.Random(f"{seed}, validation").sample(range(len(examples)), len(examples))
    return examples.chosen(order[count:]), examples.chosen(order[:count])


def _called(callbacks: Iterable[Callback]) -> list[Callback]:
    expected = "callbacks are functions (trainer, history)"
    found = [callbacks] if callable(callbacks) else several(callbacks, expected)
    return [function(callback, expected) for callback in found]


def _check_path(checkpoint: str | os.PathLike[str] | None, resume: bool) -> None:
    if checkpoint is None:
        if resume:
            raise ValueError("resume goes on from a checkpoint: name the file it is in")
    else:
        destination(checkpoint)


@contextlib.contextmanager
def _away_from_here() -> Iterator[None]:
    """Keep new Python processes from importing from the current folder (Python 3.11 and later).

    Otherwise a worker would import a file of the user's that happens to be named `joblib.py`.
    Workers still find the user's modules, because joblib passes them this process's import path.
    """
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        os.environ.pop("PYTHONSAFEPATH", None)
        if before is not None:
            os.environ["PYTHONSAFEPATH"] = before


def _started(
    trainer: Trainer, seed: int, arguments: tuple[Any, ...], settings: dict[str, Any]
) -> tuple[float, History, dict[str, np.ndarray]]:
    """Train from one random start, possibly in another process.

    Returns:
        The cost after training, the history, and the weights.
    """
    moved = {id(p) for p in trainer.optimizer.params}
    frozen = [(p, p.data) for p in trainer.model.parameters() if id(p) not in moved]
    trainer.model.reset_parameters(seed)
    for p, x in frozen:
        p.data = x
    trainer.optimizer.load_state_dict(trainer._first[0])
    if trainer.scheduler is not None:
        trainer.scheduler.load_state_dict(trainer._first[1])
    history = trainer.fit(*arguments, seed=seed, **settings)
    try:
        cost, _ = trainer.evaluate(*(settings.get("validation") or arguments[:2]))
    except (ArithmeticError, ValueError):
        cost = math.inf
    return cost if cost == cost else math.inf, history, trainer.model.state_dict()


def _added(costs: list[float]) -> float:
    """Return the sum, exactly rounded if finite; `math.fsum` alone fails for infinities."""
    return math.fsum(costs) if abs(sum(costs)) < math.inf else sum(costs)


def _shown(history: History, cost: float) -> dict[str, str]:
    """Return the texts beside the progress bar: epoch, cost of the batch, and last accuracy."""
    answers = history.validation_accuracies or history.accuracies
    shown = {"epoch": f"{history.epochs + 1}", "loss": f"{cost:.4g}"}
    if answers and answers[-1] is not None:
        shown["accuracy"] = f"{answers[-1]:.1%}"
    return shown


def _share(answers: list[bool | None]) -> float | None:
    judged = [answer for answer in answers if answer is not None]
    return sum(judged) / len(judged) if judged else None
