"""`Run`: the state that one call of `Trainer.fit` keeps between its steps.

It keeps the first weights, the last finite weights and the best weights so far, and can restore
each of them. Any change that an interrupt could leave half done is made inside `Run.whole`.
"""

from __future__ import annotations

import contextlib
import copy
import math
import os
import random
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd import TraceError

from ..costs import cost_of, differentiate
from ..data import Examples
from ..gradients import gradient_of
from ..layers import seed_dropouts
from ..optim import Optimizer
from ..parameters import move
from ..schedule import Scheduler
from .checkpoint import Checkpoint, Progress
from .code import Code, Codes, DifferentError
from .history import History
from .identity import difference, identity
from .snapshots import Snapshot, count, with_snapshot

if TYPE_CHECKING:
    from .trainer import Trainer


class Best(NamedTuple):
    """The cost, the epoch (0 for none) and the state dict of the best weights so far."""

    cost: float = math.inf
    epoch: int = 0
    state: Mapping[str, Any] = {}


class Start(NamedTuple):
    """The state at the beginning of a run, from which it can start again."""

    weights: np.ndarray
    optimizer: Mapping[str, Any]
    scheduler: Mapping[str, Any]
    best: Best
    history: History


class DivergenceError(ArithmeticError):
    """Training cannot continue: a cost or gradient is not finite or cannot be computed."""


class Run:
    """The state of one call of `Trainer.fit`.

    Args:
        trainer: the trainer.
        seed: the seed of the order of the examples and of dropout.
        size: the number of examples per batch.
        patience: the argument `early_stopping` of `fit`.

    Attributes:
        best: the best weights so far.
        good: the last weights of the optimiser's parameters that had a finite cost; None before
            the first step.
        params: all parameters of the model at the beginning of the run.
        moved: the places in `params` of the parameters that the optimiser moves.
        layers: for each layer the places of its parameters in `params`.
        gradient: the gradient of the last step, for all of `params`.
        codes: the compiled code; None if the engine computes everything.
    """

    def __init__(
        self,
        trainer: Trainer,
        seed: int,
        size: int,
        patience: int | None,
    ) -> None:
        self.trainer, self.seed, self.size, self.patience = trainer, seed, size, patience
        self.history = History(seed=seed)
        self.identity: dict[str, str] = {}
        self.best = Best()
        self.good: np.ndarray | None = None
        self._moving = False
        self._pending: Callable[[], None] | None = None  # cleans up after an interrupt
        self.params = trainer.model.parameters()
        place = {id(p): i for i, p in enumerate(self.params)}
        self.moved = _run_of([place[id(p)] for p in trainer.optimizer.params])
        layers: dict[str, list[int]] = {}
        for name, tensor in trainer.model.tensors().items():
            layer = name.rpartition(".")[0] or name
            layers.setdefault(layer, []).extend(place[id(p)] for p in tensor.flat)
        self.layers = {layer: _run_of(sorted(places)) for layer, places in layers.items()}
        self.gradient: np.ndarray | None = None
        self.codes: Codes | None = None
        self.begin()

    def identify(self, examples: Examples, held_out: Examples | None) -> None:
        """Store the facts that must be the same in a run that resumes from a checkpoint."""
        trainer = self.trainer
        names = [name for name, _ in trainer.model.named_parameters()]
        moved = np.array(names)[self.moved].tolist()
        shown = {}
        for what, data in (("", examples), ("validation ", held_out)):
            shown[f"{what}X"] = None if data is None else data.X
            shown[f"{what}y"] = None if data is None else np.array(data.y, dtype=float)
        self.identity = identity(
            seed=self.seed,
            batch_size=self.size,
            early_stopping=self.patience,
            **shown,
            model=trainer.model,
            shape={name: tensor.shape for name, tensor in trainer.model.tensors().items()},
            moved=len(names) if moved == names else moved,
            loss=trainer.loss,
            penalty=trainer.penalty,
            clip=trainer.clip,
            accuracy=trainer.accuracy,
        )
        self.identity |= trainer.start

    def begin(self) -> None:
        """Store the current state as the beginning of the run, for `start_anew`."""
        if not self.history.snapshots:
            self.remember()
        self._start = Start(
            np.array([p.data for p in self.params]),
            *(state_of(self.trainer.optimizer), state_of(self.trainer.scheduler)),
            *(self.best, copy.deepcopy(self.history)),
        )

    # ------------------------------------------------------------------ compiled code

    @property
    def learning(self) -> Code | None:
        """The compiled cost of the training examples; None if the engine computes it."""
        return None if self.codes is None else self.codes.learning

    @property
    def judging(self) -> Code | None:
        """The compiled cost of the held-out examples; None if the engine computes it."""
        return None if self.codes is None else self.codes.judging

    def compile(self, examples: Examples, held_out: Examples | None) -> None:
        """Compile the cost. If this fails, the history says why and the engine is used."""
        try:
            self.codes = Codes(self.trainer, examples, held_out)
        except DifferentError as error:
            self._give_up(str(error), "training runs on the engine")
        except Exception as error:  # any error: training can still run on the engine
            self.history.not_compiled = f"{type(error).__name__}: {error}".partition("\n")[0]

    def check_code(self, at_least: int = 0) -> None:
        """Compare compiled code with the engine, on at least `at_least` new examples.

        Raises:
            DifferentError: they differ.
        """
        if self.codes is not None:
            self.codes.check(at_least)

    def look_at_code(self) -> None:
        """Compare compiled code with the engine just before the callbacks.

        If `renew_code` then finds a difference after them, a callback has changed something.

        Raises:
            DifferentError: they differ.
        """
        if self.codes is not None:
            self.codes.look(self.history.epochs)

    def renew_code(self) -> None:
        """Compile again if callbacks have changed the model or the loss.

        If the new code differs from the engine too, training continues with the engine.
        """
        if self.codes is not None:
            try:
                self.codes.renew(self.history.epochs)
            except DifferentError as error:
                self._give_up(str(error), "training goes on with the engine")
            except (ArithmeticError, TypeError, ValueError) as error:
                self.codes, self.history.not_compiled = None, str(error).partition("\n")[0]

    def start_anew(self, error: DifferentError) -> None:
        """Restore the state at the beginning of the run, and give up compiled code."""
        self._pending = self._go_back
        self._go_back()
        self._give_up(str(error), "training begins anew with the engine")

    def _go_back(self) -> None:
        start, trainer = self._start, self.trainer
        move(self.params, start.weights.tolist())
        trainer.optimizer.load_state_dict(start.optimizer)
        if trainer.scheduler is not None:
            trainer.scheduler.load_state_dict(start.scheduler)
        answers = self.history.answers
        self.best, self.history = start.best, copy.deepcopy(start.history)
        self.history.answers = answers
        self.good, self.gradient, self._moving, self._pending = None, None, False, None

    def _give_up(self, reason: str, what: str) -> None:
        """Drop the compiled code, record the reason, and warn."""
        self.codes, self.history.not_compiled = None, reason
        warnings.warn(f"{what}: {reason}", RuntimeWarning, stacklevel=4)

    def penalised(self) -> tuple[float, np.ndarray]:
        """Compute the penalty and its gradient.

        Raises:
            DifferentError: compiled code cannot compute them, but the engine can.
        """
        code = None if self.codes is None else self.codes.penalty
        if code is not None:
            with contextlib.suppress(ArithmeticError, TraceError, ValueError):
                cost, gradient = code.penalised()
                if np.isfinite(cost) and np.isfinite(gradient).all():
                    return cost, gradient
        assert self.trainer.penalty is not None
        self.zero_grad()
        extra = cost_of(self.trainer.penalty(self.trainer.model), "penalty")
        differentiate(extra, self.params, 1.0)
        gradient = gradient_of(self.params)
        if code is not None and math.isfinite(extra.data) and np.isfinite(gradient).all():
            raise DifferentError("the compiled code cannot compute the penalty, and the engine can")
        return extra.data, gradient

    # ------------------------------------------------------------------ whole or not at all

    @contextlib.contextmanager
    def whole(self, weights: np.ndarray | None = None) -> Iterator[None]:
        """Make the changes inside the block all or nothing: `settle` undoes an interrupted block.

        Args:
            weights: the optimiser's parameters before the block, if the block moves them.
        """
        history, optimizer = self.history, self.trainer.optimizer
        parts = [part for part in (history, optimizer, self.trainer.scheduler) if part is not None]
        before = [(part, dict(vars(part))) for part in (*parts, self)]
        length = history.epochs, len(history.step_losses)

        def undo() -> None:
            if weights is not None:
                optimizer.write(weights)
            history.cut(*length)
            for part, attributes in before:
                vars(part).update(attributes)

        self._pending = undo
        yield
        self._pending = None

    def settle(self) -> None:
        """Undo or complete an interrupted change, if there is one."""
        if self._pending is not None:
            self._pending()

    def finish(self) -> None:
        """Set the final state: the best weights, the last gradient, and the trainer's history."""
        self.settle()
        self.restore_best()
        self.leave_gradient()
        self.trainer.history = self.history

    def zero_grad(self) -> None:
        """Clear all gradients, including those of parameters that a callback has removed."""
        self.trainer.model.zero_grad()
        for p in self.params:
            p.zero_grad()

    def leave_gradient(self) -> None:
        """Store the gradient of the last step in the parameters, for the user to inspect."""
        if self.gradient is not None:
            for p, x in zip(self.params, self.gradient.tolist()):
                p.grad = x

    def goes_on(self, epochs: int) -> bool:
        """Return True if another epoch is due; otherwise set the history's stop reason."""
        if not self.history.stop_reason:
            waited = self.history.epochs - self.best.epoch
            if self.patience is not None and waited >= self.patience:
                self.history.stop_reason = (
                    f"no lower cost for {waited} epochs; the weights are those of epoch "
                    f"{self.best.epoch}"
                )
            elif self.history.epochs >= epochs:
                self.history.stop_reason = f"all {self.history.epochs} epochs done"
        return not self.history.stop_reason

    def shuffled(self, count: int) -> list[int]:
        """Return the order of the examples in this epoch, and restart the dropout masks."""
        name = f"{self.seed}, epoch {self.history.epochs}"
        seed_dropouts(self.trainer.model, name)
        return random.Random(name).sample(range(count), count)

    def about_to_step(self) -> np.ndarray:
        """Store the current weights as the last good ones, and return them.

        It is called when their cost is known to be finite.
        """
        self.moving()
        self.good = self.trainer.optimizer.read()
        return self.good

    def moving(self) -> bool:
        """Return True if any step so far has changed a weight."""
        if not self._moving:
            first = self._start.weights[self.moved]
            self._moving = not np.array_equal(self.trainer.optimizer.read(), first)
        return self._moving

    @contextlib.contextmanager
    def at_first(self) -> Iterator[None]:
        """Set the weights to those at the beginning of the run, for the duration of the block."""
        optimizer = self.trainer.optimizer
        now = optimizer.read()
        optimizer.write(self._start.weights[self.moved])
        try:
            yield
        finally:
            optimizer.write(now)

    def diverged(self, what: str, weights_are_good: bool = False) -> DivergenceError:
        """Restore the last good weights, and return the error that ends training."""
        if self.good is not None and not weights_are_good:
            self.trainer.optimizer.write(self.good)
        step = len(self.history.step_losses) + 1
        where = f"{what} at step {step}, in epoch {self.history.epochs + 1}"
        if step == 1:
            return DivergenceError(f"{where}, so no step was made")
        return DivergenceError(
            f"{where}; the weights are the last ones whose cost was finite. Try a learning rate "
            f"below {self.trainer.optimizer.lr:g}, or clip the gradient"
        )

    def finite(self, cost: float) -> float:
        """Return the cost if it is finite; raise a DivergenceError otherwise."""
        if not math.isfinite(cost):
            raise self.diverged(f"the cost became {cost}")
        return cost

    def remember(self) -> None:
        """Add a snapshot of the current weights to the history."""
        history = self.history
        gradient = () if self.gradient is None else self.gradient
        newest = Snapshot.of(history.epochs, [p.data for p in self.params], gradient)
        history.snapshots = with_snapshot(history.snapshots, newest)

    def note_best(self) -> None:
        """Store the weights if early stopping is on and their cost is the lowest so far."""
        if self.patience is not None:
            cost = last_cost(self.history)
            if cost < self.best.cost:
                state = self.trainer.model.state_dict()
                self.best = Best(cost, self.history.epochs, state)

    def restore_best(self) -> None:
        """Restore the weights of the best epoch, if early stopping has stored them."""
        if self.best.epoch:
            self.trainer.model.load_state_dict(self.best.state)
        self.history.kept_epoch = self.best.epoch or self.history.epochs

    def checkpoint(self) -> Checkpoint:
        """Return a checkpoint with everything that the next epoch depends on."""
        state = self.trainer.optimizer.state_dict()
        arrays = {name: part for name, part in state.items() if isinstance(part, np.ndarray)}
        return Checkpoint(
            model=self.trainer.model.state_dict(),
            optimizer=arrays,
            best=self.best.state,
            progress=Progress(
                identity=self.identity,
                optimizer={name: part for name, part in state.items() if name not in arrays},
                scheduler=state_of(self.trainer.scheduler),
                best_epoch=self.best.epoch,
                best_cost=self.best.cost if self.best.epoch else None,
            ),
            history=replace(self.history, stop_reason=""),
        )

    def go_on(self, checkpoint: Checkpoint, path: str | os.PathLike[str]) -> None:
        """Restore the state in a checkpoint. On an error nothing has changed.

        Raises:
            ValueError: the checkpoint is of another run, or does not fit this one.
        """
        if differs := difference(checkpoint.progress.identity, self.identity):
            raise ValueError(f"{os.fspath(path)} is of another run: {differs}")
        parts: list[object] = [self, self.trainer.optimizer, self.trainer.scheduler]
        parts = [part for part in parts if part is not None]
        before = [dict(vars(part)) for part in parts]
        weights = [p.data for p in self.params]
        try:
            self._take(checkpoint)
        except BaseException as error:
            move(self.params, weights)
            for part, attributes in zip(parts, before):
                vars(part).update(attributes)
            if isinstance(error, ValueError):
                raise ValueError(f"{os.fspath(path)} does not fit this run: {error}") from None
            raise

    def _take(self, checkpoint: Checkpoint) -> None:
        """Load all parts of a checkpoint; `go_on` restores the old state on an error."""
        trainer, progress, history = self.trainer, checkpoint.progress, checkpoint.history
        self._check_history(history)
        if not 0 <= progress.best_epoch <= history.epochs:
            raise ValueError(f"its best epoch is {progress.best_epoch}, of {history.epochs}")
        best = Best()
        if progress.best_epoch:
            trainer.model.load_state_dict(checkpoint.best)  # raises an error if it does not fit
            cost = math.inf if progress.best_cost is None else progress.best_cost
            best = Best(cost, progress.best_epoch, dict(checkpoint.best))
        trainer.model.load_state_dict(checkpoint.model)
        trainer.optimizer.load_state_dict({**progress.optimizer, **checkpoint.optimizer})
        if trainer.scheduler is not None:
            trainer.scheduler.load_state_dict(progress.scheduler)
        self.best, self.history = best, history

    def _check_history(self, history: History) -> None:
        """Raise a ValueError for a history with gaps or of other layers."""
        epochs, held_out = history.epochs, len(history.validation_losses)
        columns: list[list[Any]] = [history.accuracies, history.learning_rates, history.seconds]
        columns += history.gradient_norms.values()
        whole = all(len(column) == epochs for column in columns)
        if not whole or held_out not in (0, epochs) or not history.snapshots:
            raise ValueError("its history has gaps")
        if history.gradient_norms.keys() != self.layers.keys():
            raise ValueError("its history is of other layers")
        if count(history.snapshots[0].weights) != len(self.params):
            raise ValueError("its history is of another number of parameters")


def surely(action: Callable[[], None]) -> None:
    """Call `action`; if Ctrl-C interrupts it, call it again and then raise the interrupt."""
    try:
        action()
    except KeyboardInterrupt:
        action()
        raise


def _run_of(places: list[int]) -> Any:
    """Return indices as a slice if they are consecutive, else as an array.

    Indexing an array with a slice makes no copy.
    """
    follow = places == list(range(places[0], places[0] + len(places)))
    return slice(places[0], places[0] + len(places)) if follow else np.array(places)


def last_cost(history: History) -> float:
    """Return the last epoch's cost on the held-out examples or, without them, on the batches.

    >>> last_cost(History(losses=[0.5], validation_losses=[0.7]))
    0.7
    """
    return (history.validation_losses or history.losses)[-1]


def state_of(part: Optimizer | Scheduler | None) -> dict[str, Any]:
    """Return the state dict of an optimiser or a schedule; an empty dict for None."""
    return {} if part is None else part.state_dict()
