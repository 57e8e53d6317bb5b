"""The training loop: batches, epochs, and all that can happen in them."""

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

from ..data import Examples
from ..losses import cost_of, depends_on, differentiate
from ..module import Module, evaluating, mode, numbers
from ..optim import Optimizer, clipped, gradient_of, norm_of
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
NUMERIC = ArithmeticError, DomainError  # met by numbers on their way, and no mistake of the caller
TRIED = 32  # kinds of targets tried before a cost is said to depend on nothing
EXPLODED = 1000.0  # how many times the first cost is no cost of training that works
NO_GRADIENT = (
    "the loss does not depend on any parameter that the optimiser moves, so there is nothing to "
    "learn: compute it from the outputs themselves, without .data, detach(), stop_gradient, "
    "float(...) or no_grad()"
)


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
        answers: what the outputs say by the loss and the targets; None before they are known.

    Raises:
        TypeError: the model, the loss or the optimiser is something else.
        ValueError: `clip` is not positive.

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
        """Show the model all examples, `epochs` times, and move its parameters batch by batch.

        Ctrl-C ends it and keeps what was learned. A cost that is no longer finite, or can no longer
        be computed or differentiated (a logarithm of 0, a root at 0), ends it with a warning, and
        puts the weights back to the last ones whose cost was finite. The history's `stop_reason`
        says what happened and where, and also if nothing moved or the cost exploded.

        Args:
            X: features, shape (n, nin).
            y: n targets, each as `loss` takes it.
            epochs: how often all examples are shown.
            batch_size: how many examples make a step: None for all (batch descent), 1 for one by
                one (stochastic), a number between for mini-batches.
            validation: (X, y) held out to judge by, or the share of the examples to hold out.
            early_stopping: end after this many epochs without a lower cost on the validation
                examples, and put the best weights back.
            seed: of the order of the examples, and of dropout.
            checkpoint: a file to write after each epoch, once the callbacks have been called.
            resume: go on from `checkpoint` if it is there, to the same numbers as without the
                interruption. Data, model, cost, optimiser and settings must be the same, but for
                `epochs`; `nn/identity.py` says how they are compared and what cannot be. Callbacks
                are not compared.
            callbacks: each is called as `callback(trainer, history)` after each epoch; a true
                answer ends training.
            progress: show a progress bar; by default where there is a terminal.
            compile: run as compiled code where that can be done, and say in the history why where
                it cannot. Examples chosen to differ are held against the engine, others in each
                epoch as time allows, and some at the end. If the numbers differ, a warning says
                where, and training begins anew with the engine: nothing that the code did is kept
                (callbacks are called anew for each epoch).

        Returns:
            What happened; it is also kept in `history`.

        Raises:
            TypeError, ValueError: X or y is not what the model and the loss take, the loss returns
                no Value or one that depends on nothing that the optimiser moves, a setting is out
                of range, or the checkpoint is of another run. Nothing has changed then.
            OSError: the checkpoint cannot be read or written; what can be seen beforehand is seen
                before training.
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
        """The mean cost of these examples, and the share of right answers (None if it has none).

        Raises:
            TypeError, ValueError: X or y is not what the model and the loss take, the loss returns
                no Value, or it cannot be computed for an example, which is named.
        """
        examples = Examples.of(X, y)
        first = self._check(examples)
        self.answers = self.history.answers or self._answers(examples, first)
        return self._judged(examples)

    def restarts(
        self, n: int, X: Any, y: Any, *args: Any, n_jobs: int = 1, seed: int = 0, **settings: Any
    ) -> list[History]:
        """Train from n random starts and keep the best: its weights are the model's afterwards.

        Args:
            n: how many starts; the k-th draws what the optimiser moves with `seed` + k.
            X, y: as for `fit`, as are the other arguments.
            n_jobs: how many processes train side by side; −1 for one on each core.
            seed: of the first start, and of the validation split, which is the same for all.

        Ctrl-C ends it and keeps the best of the starts that were finished, or had begun with
        `n_jobs=1`.

        Returns:
            The history of each start, the best first: that whose weights cost least in the end,
            on the validation examples if there are any.

        Raises:
            TypeError, ValueError: as for `fit`, or a module of yours has parameters and does not
                say where they start.
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

    # ------------------------------------------------------------------ all epochs, and one

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
        """Epoch after epoch until training ends.

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
            # Did the last step go too far?
            self._judged_or_diverged(run, examples.first(run.size), run.learning)
            run.check_code(at_least=LAST)
            run.history.stop_reason += self._remark(run, examples)
        except DivergenceError:
            run.check_code(at_least=LAST)  # the code may be what went too far
            raise

    def _epoch(
        self, run: Run, examples: Examples, held_out: Examples | None, bar: tqdm[Any]
    ) -> None:
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
        try:
            loss, accuracy = self._judged(examples, code)
        except (ArithmeticError, ValueError) as error:
            raise run.diverged(f"the cost could not be computed ({error})") from None
        return run.finite(loss), accuracy

    def _step(
        self, run: Run, examples: Examples, batch: list[int]
    ) -> tuple[float, dict[str, float], list[bool | None]]:
        """One step by the mean cost of a batch: that cost, the gradient's norms, the answers."""
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
        """The mean cost of a batch, its gradient and the answers.

        Raises:
            DifferentError: compiled code cannot compute them, and the engine can.
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
        """The mean cost of a batch, its gradient and the answers; None if the engine must."""
        if run.learning is None:
            return None
        try:
            costs, outputs, gradient = run.learning.learned(batch)
        except (ArithmeticError, TypeError, ValueError):
            return None  # the engine says what went wrong
        if not (np.isfinite(costs).all() and np.isfinite(gradient).all()):
            return None
        answers = [self._right(out, examples.y[i]) for out, i in zip(outputs, batch)]
        return _added((costs / len(batch)).tolist()), gradient, answers

    def _by_engine(
        self, run: Run, examples: Examples, batch: list[int]
    ) -> tuple[float, np.ndarray, list[bool | None]]:
        """The same, one scalar after the other.

        Each example's graph is made, differentiated and dropped in turn: the gradients add up in
        the parameters, and the memory is that of one example. They are those that the run began
        with, for a callback may have put a layer between them.
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
        """The mean cost and the share of right answers, as they are: nothing is recorded.

        `code` is that of these examples, and perhaps of more after them.

        Raises:
            DifferentError: compiled code cannot compute the cost, and the engine can.
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
            learns: whether the cost must depend on what the optimiser moves.

        Returns:
            The outputs for the first example; None if they cannot be computed.
        """
        kinds = examples.kinds()
        with mode(self.model, training=False) if learns else evaluating(self.model):
            first = self._outputs(examples, 0)
            depends = {self._depends(first, examples, i) for i in kinds}
            if learns and True not in depends:  # perhaps the outputs of the first are constants
                for i in kinds[1:TRIED]:
                    depends.add(self._depends(self._outputs(examples, i), examples, i))
            if learns and self.penalty is not None:
                with contextlib.suppress(*NUMERIC):
                    cost_of(self.penalty(self.model), "penalty")
        if learns and False in depends and True not in depends:
            raise ValueError(NO_GRADIENT)
        return first

    def _answers(self, examples: Examples, outputs: Any) -> Answers:
        """What the outputs say; if those of the first are not known, others have as many."""
        with evaluating(self.model):
            for i in range(1, len(examples)):
                if outputs is not None:
                    break
                outputs = self._outputs(examples, i)
        return answers_of(self.loss, examples.y, np.size(numbers(outputs)))

    def _warn_of_squashing(self, examples: Examples) -> None:
        """A warning and no error, for it is computed as asked, and in PyTorch as well."""
        with mode(self.model, training=False):
            some = {0, len(examples) // 2, len(examples) - 1}
            outputs = [self._outputs(examples, i) for i in sorted(some)]
        if None not in outputs and (found := squashed_twice(self.loss, outputs)):
            warnings.warn(found, RuntimeWarning, stacklevel=3)

    def _outputs(self, examples: Examples, i: int) -> Any:
        """The outputs for an example; None if they cannot be computed."""
        with contextlib.suppress(*NUMERIC):
            return self.model(examples[i][0])
        return None

    def _depends(self, outputs: Any, examples: Examples, i: int) -> bool | None:
        """Whether a cost depends on what the optimiser moves; None if it cannot be computed."""
        if outputs is None:
            return None
        try:
            cost = cost_of(self.loss(outputs, examples.y[i]), "loss")
        except NUMERIC:
            return None  # perhaps these outputs are not those of this target
        except (TypeError, ValueError) as error:
            raise _named(error, examples.place(i, "y")) from None
        return depends_on(cost, self.optimizer.params)

    def _has_cost(self, examples: Examples) -> bool:
        with contextlib.suppress(ArithmeticError, ValueError):
            return math.isfinite(self._judged(examples)[0])
        return False

    def _remark(self, run: Run, examples: Examples) -> str:
        """What can be shown to have gone wrong in a run that came to its end."""
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
        """Whether the mean cost is far above that before the first step."""
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
    """Errors of numbers inside say where they happened."""
    try:
        yield
    except (ArithmeticError, ValueError) as error:
        raise _named(error, place) from None


def _named(error: Exception, place: str) -> Exception:
    """An error of the same kind that says where it happened."""
    kinds: list[type[Exception]] = [DivisionByZeroError, DomainError, OverflowError]
    kinds += [ZeroDivisionError, ArithmeticError, TypeError, ValueError]
    kind = next(kind for kind in kinds if isinstance(error, kind))
    return kind(f"{place}: {error}")


def _held_out(examples: Examples, validation: Any, seed: int) -> tuple[Examples, Examples | None]:
    """The examples to learn from, and those to judge by."""
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
    """Inside, new Python processes look for no modules in the current folder, from 3.11 on.

    A worker would run a `joblib.py` that happens to lie there. What this process can import, it
    tells its workers itself.
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
    """One of several random starts, maybe in a process of its own: cost, history and weights."""
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
    """Their sum, which may be infinite or NaN."""
    return math.fsum(costs) if abs(sum(costs)) < math.inf else sum(costs)


def _shown(history: History, cost: float) -> dict[str, str]:
    """What stands beside the progress bar: epoch, cost of the batch, answers of the last epoch."""
    answers = history.validation_accuracies or history.accuracies
    shown = {"epoch": f"{history.epochs + 1}", "loss": f"{cost:.4g}"}
    if answers and answers[-1] is not None:
        shown["accuracy"] = f"{answers[-1]:.1%}"
    return shown


def _share(answers: list[bool | None]) -> float | None:
    judged = [answer for answer in answers if answer is not None]
    return sum(judged) / len(judged) if judged else None
