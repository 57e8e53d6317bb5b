"""`Trainer`: what is trained, how, and on which examples.

`fit` checks and prepares everything, and handles interrupts and divergence; a `Loop` trains
(`loop.py`).
"""

from __future__ import annotations

import numbers as numbers_abc
import os
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd import Value
from autograd.extend import destination

from ..data import Examples, split
from ..labels import numbered
from ..loss_modules import function_of
from ..modes import mode
from ..module import Module
from ..optim import Optimizer
from ..schedule import Scheduler
from ..settings import (
    Checked,
    flag,
    function,
    function_as,
    instance_of,
    optional,
    positive,
    several,
    whole,
)
from ..tables import content_of
from .answers import Accuracy, Answers
from .comparison import DifferentError, compared_if_possible
from .compatibility import check_loss, check_penalty, warn_of_squashing
from .costs import EngineCosts
from .history import History
from .identity import identity
from .judging import Judge, find_answers, find_labels
from .loop import Callback, Loop
from .restarts import INTERRUPTED, split_once, train_from
from .run import DivergenceError, Run, state_of, surely


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
    >>> trainer
    Trainer(MLP of 17 parameters, hinge_loss, SGD(lr=0.5, ...))
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
        accuracy: Accuracy | None = None,
    ) -> None:
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.scheduler, self.penalty = scheduler, penalty
        self.clip, self.accuracy = clip, accuracy
        self._check_scheduler()
        self.answers: Answers | None = None
        self.history = History()
        self._first_states = state_of(optimizer), state_of(scheduler)
        self._first_facts = identity(optimizer=optimizer, scheduler=scheduler)

    def __repr__(self) -> str:
        count = len(self.model.parameters())
        called = getattr(function_of(self.loss), "__name__", repr(self.loss))
        parts = [
            f"{type(self.model).__name__} of {count:,} parameters",
            called,
            repr(self.optimizer),
        ]
        for name in ("scheduler", "penalty", "clip", "accuracy"):
            if (part := getattr(self, name)) is not None:
                parts.append(f"{name}={getattr(part, '__name__', repr(part))}")
        return f"Trainer({', '.join(parts)})"

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
            X: features, shape (n, nin), images, shape (n, channels, height, width), or a list of
                sequences, each a list of tokens or of vectors. Sequences may differ in length; a
                batch then holds sequences of one length.
            y: n targets, each as `loss` takes it, or n labels, such as "cat" and "dog". For a
                sequence it may be a list with a target for each position; `loss` takes the mean
                over them, and the cost of a batch is the mean over its examples, so that a long
                sequence counts as much as a short one.
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
                The comparisons during training take at most 3 % of its time, those around callbacks
                as much, and half a second at least. Whether the model or the loss has changed is
                checked once an epoch, or in each step if the optimiser is a class of your own: what
                another thread changes is noticed in the next epoch.

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
        labels = find_labels(self.model, self.loss, X, y)
        examples, epochs = Examples.of(X, numbered(y, labels)), whole(epochs, "epochs")
        size = len(examples) if batch_size is None else whole(batch_size, "batch_size")
        size, seed = min(size, len(examples)), whole(seed, "seed", None)
        resume, compile = flag(resume, "resume"), flag(compile, "compile")
        progress = None if progress is None else flag(progress, "progress")
        callbacks = _called(callbacks)
        if labels and isinstance(validation, (tuple, list)) and len(validation) == 2:
            validation = validation[0], numbered(validation[1], labels)
        examples, held_out = split(examples, validation, seed)
        patience = None if early_stopping is None else whole(early_stopping, "early_stopping")
        if patience is not None and not held_out:
            raise ValueError("early_stopping judges by held-out examples: give validation=0.2")
        if checkpoint is not None:
            destination(checkpoint)
        elif resume:
            raise ValueError("resume goes on from a checkpoint: name the file it is in")
        self._check_optimizer()
        self._check_scheduler()
        check_loss(self.model, self.loss, examples, self.optimizer.params)
        check_penalty(self.model, self.penalty)
        if held_out is not None:
            check_loss(self.model, self.loss, held_out)
        self.answers = find_answers(self.model, self.loss, examples, labels)

        data = examples, held_out
        run = Run(self.model, self.optimizer, self.scheduler, *data, seed, size, patience)
        if checkpoint is not None:
            run.identity = self._identity(run)
            if resume and destination(checkpoint).exists():
                run.resume(checkpoint)
        engine = EngineCosts(self.model, self.loss, self.penalty)
        costs = compared_if_possible(engine, *data, run.history) if compile else engine
        self.history = run.history
        self.history.answers = self.model._answers = self.answers
        run.begin()
        warn_of_squashing(self.model, self.loss, examples)
        batches = len(examples.batches(range(len(examples)), size))
        from tqdm import tqdm  # at first use, for `import nn` is to be quick

        bar = tqdm(
            total=epochs * batches,
            initial=run.history.epochs * batches,
            unit="step",
            disable=None if progress is None else not progress,
        )
        loop = Loop(self, run, epochs, callbacks, checkpoint, bar)

        with bar, mode(self.model, training=True):
            try:
                try:
                    loop.train(costs)
                except DifferentError as error:
                    run.start_anew()
                    run.history.not_compiled = str(error)
                    why = f"training begins anew with the engine: {error}"
                    warnings.warn(why, RuntimeWarning, stacklevel=2)
                    bar.n = run.history.epochs * batches
                    loop.train(engine)
            except KeyboardInterrupt:
                surely(run.settle)
                run.history.stop_reason = f"{INTERRUPTED} after {run.history.epochs} epoch(s)"
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

        >>> import nn
        >>> model = nn.Linear(1, 1, seed=0)
        >>> for p in model.parameters(): p.data = 1.0
        >>> trainer = Trainer(model, nn.mse_loss, nn.SGD(model.parameters()))
        >>> trainer.evaluate([[0.0], [1.0]], [1.0, 3.0])
        (0.5, None)
        """
        known = self.history.answers
        labels = (
            known.labels if known and known.labels else find_labels(self.model, self.loss, X, y)
        )
        examples = Examples.of(X, numbered(y, labels))
        check_loss(self.model, self.loss, examples)
        self.answers = known or find_answers(self.model, self.loss, examples, labels)
        return self._judge.judge(EngineCosts(self.model, self.loss), examples)

    def restarts(
        self,
        n: int,
        X: Any,
        y: Any,
        epochs: int = 10,
        batch_size: int | None = 32,
        *,
        validation: tuple[Any, Any] | float | None = None,
        early_stopping: int | None = None,
        checkpoint: None = None,
        callbacks: Iterable[Callback] = (),
        progress: bool | None = False,
        compile: bool = True,
        n_jobs: int | None = None,
        seed: int = 0,
    ) -> list[History]:
        """Train from n random starts, and keep the weights of the best.

        The best start has the lowest cost after training, on the validation examples if there are
        any. Ctrl-C ends the training and keeps the best of the finished starts; with one at a time
        the interrupted start counts too.

        Args:
            n: the number of starts. Start k, from 0, draws the weights with `seed` + k.
                Parameters that the optimiser does not move are not drawn again.
            X, y, epochs, batch_size, validation, early_stopping, callbacks, progress, compile: as
                for `fit`.
            checkpoint: not taken, because all starts would write the same file.
            n_jobs: the number of starts at a time; −1 for one per core. Default: that of
                `joblib.parallel_config`, else 1. The same block chooses where the starts run: in
                processes, in threads, or on the machines of a Dask or Ray cluster.
            seed: the seed of the first start, and of the validation split that all starts share.

        Returns:
            The histories of the starts, the best first.

        Raises:
            TypeError, ValueError: as for `fit`, or a module has parameters that its
                `sample_parameters(rng)` does not yield.

        >>> import nn
        >>> model = nn.MLP(1, [2, 1], "tanh", seed=0)
        >>> trainer = Trainer(model, nn.mse_loss, nn.SGD(model.parameters(), lr=0.1))
        >>> best, worst = trainer.restarts(2, [[0.0], [1.0]], [1.0, 0.0], epochs=5)
        >>> best.losses[-1] <= worst.losses[-1]
        True
        """
        n, seed = whole(n, "n"), whole(seed, "seed", None)
        n_jobs = None if n_jobs is None else whole(n_jobs, "n_jobs", None)
        if n_jobs == 0:
            raise ValueError("n_jobs is a count of processes, or -1 for one on each core; got 0")
        if checkpoint is not None:
            raise ValueError("all starts would write the same checkpoint: call fit for each")
        if isinstance(validation, numbers_abc.Real):  # the same split for all
            labels = find_labels(self.model, self.loss, X, y)
            X, y, validation = split_once(X, y, labels, validation, seed)
        settings = {
            "validation": validation,
            "early_stopping": early_stopping,
            "callbacks": callbacks,
            "progress": progress,
            "compile": compile,
        }
        arguments = (X, y, epochs, batch_size)
        found = train_from(self, range(seed, seed + n), arguments, settings, n_jobs)
        if not found:
            raise KeyboardInterrupt
        ranked = sorted(found, key=lambda trained: trained.cost)

        def keep() -> None:
            self.model.load_state_dict(ranked[0].weights)
            self.history = ranked[0].history
            self.model._answers = self.answers = self.history.answers

        surely(keep)
        return [trained.history for trained in ranked]

    def _restart(self, seed: int) -> None:
        """Draw the parameters that the optimiser moves, and restore the first settings."""
        moved = {id(p) for p in self.optimizer.params}
        frozen = [(p, p.data) for p in self.model.parameters() if id(p) not in moved]
        self.model.reset_parameters(seed)
        for p, x in frozen:
            p.data = x
        optimizer, scheduler = self._first_states
        self.optimizer.load_state_dict(optimizer)
        if self.scheduler is not None:
            self.scheduler.load_state_dict(scheduler)

    @property
    def _judge(self) -> Judge:
        return Judge(self.loss, self.answers, self.accuracy)

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

    def _identity(self, run: Run) -> dict[str, str]:
        """Return the facts that must be the same in a run that resumes from a checkpoint."""
        names = [name for name, _ in self.model.named_parameters()]
        moved = np.array(names)[run.moved].tolist()
        data = {}
        for what, table in (("", run.examples), ("validation ", run.held_out)):
            data[f"{what}X"] = None if table is None else content_of(table.X)
            data[f"{what}y"] = None if table is None else content_of(table.targets)
        facts = identity(
            seed=run.seed,
            batch_size=run.size,
            early_stopping=run.patience,
            **data,
            model=self.model,
            shape={name: tensor.shape for name, tensor in self.model.tensors().items()},
            moved=len(names) if moved == names else moved,
            loss=self.loss,
            penalty=self.penalty,
            clip=self.clip,
            accuracy=self.accuracy,
        )
        return facts | self._first_facts


def _called(callbacks: Iterable[Callback]) -> list[Callback]:
    expected = "callbacks are functions (trainer, history)"
    found = [callbacks] if callable(callbacks) else several(callbacks, expected)
    return [function(callback, expected) for callback in found]
