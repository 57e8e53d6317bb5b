"""`Run`: one call of `Trainer.fit`, with its data and the state that it keeps between steps.

It keeps the first weights, the last finite weights and the best weights so far, and can restore
each of them. A step and the end of an epoch are whole or, if interrupted, undone.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ..data import Examples, shuffled
from ..dropout import dropouts_in, seed_dropouts
from ..gradients import clipped, norms_of
from ..modes import mode
from ..module import Module
from ..optim import SGD, Optimizer
from ..parameters import move
from ..schedule import Scheduler
from .checkpoint import Checkpoint, Progress
from .costs import Move, Steps
from .history import History
from .identity import difference
from .norms import LayerNorms
from .snapshots import Snapshot, count, with_snapshot

AT_ONCE = 1 << 18  # the numbers of the examples for steps that are checked together, at most


class Best(NamedTuple):
    """The cost, the epoch (0 for none) and the state dict of the best weights so far."""

    cost: float = math.inf
    epoch: int = 0
    state: Mapping[str, Any] = {}


class DivergenceError(ArithmeticError):
    """Training cannot continue: a cost or gradient is not finite or cannot be computed."""


class Run:
    """One call of `Trainer.fit`: its data, and the state that it keeps between steps.

    Args:
        model, optimizer, scheduler: those of the trainer.
        examples, held_out: the training examples and, if there are any, the held-out examples.
        seed: the seed of the order of the examples and of dropout.
        size: the number of examples per batch.
        patience: the argument `early_stopping` of `fit`.

    Attributes:
        history: the record of the run so far.
        identity: facts that must be the same in a run that resumes from a checkpoint.
        params: all parameters of the model at the beginning of the run.
        moved: the places in `params` of the parameters that the optimiser moves.
        layers: for each layer the places of its parameters in `params`.
        training: the block in which the model's modules are in training mode.
        best: the best weights so far.
        at_once: the number of steps that are checked together, if the costs can do so.
        good: the last weights of the optimiser's parameters that had a finite cost; None before
            the first step.
        gradient: the gradient of the last step, for all of `params`; None before the first step.
    """

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        scheduler: Scheduler | None,
        examples: Examples,
        held_out: Examples | None,
        seed: int,
        size: int,
        patience: int | None,
    ) -> None:
        self.model, self.optimizer, self.scheduler = model, optimizer, scheduler
        self.examples, self.held_out = examples, held_out
        self.seed, self.size, self.patience = seed, size, patience
        self.history = History(
            seed=seed,
            batch_size=size,
            optimizer=type(optimizer).__name__,
            momentum=optimizer.momentum if isinstance(optimizer, SGD) else 0.0,
        )
        self.identity: dict[str, str] = {}
        self.params = model.parameters()
        place = {id(p): i for i, p in enumerate(self.params)}
        moved = [place[id(p)] for p in optimizer.params]
        self.moved = _as_index(moved)
        self._moves_all = moved == list(range(len(self.params)))
        layers: dict[str, list[int]] = {}
        for name, tensor in model.tensors().items():
            layer = name.rpartition(".")[0] or name
            layers.setdefault(layer, []).extend(place[id(p)] for p in tensor.flat)
        self.layers = {layer: _as_index(sorted(places)) for layer, places in layers.items()}
        self._norms = LayerNorms(self.layers, len(self.params))
        numbers = size * (np.size(examples.X[0]) + np.size(examples.y[0]))
        self.at_once = max(1, min(self._norms.at_once, AT_ONCE // numbers))
        self.look_at_model()
        self.best = Best()
        self.good: np.ndarray | None = None
        self.gradient: np.ndarray | None = None
        self._has_moved = False
        self._pending: Callable[[], None] | None = None  # restores the state after an interrupt

    def look_at_model(self) -> None:
        """Find the modules of the model, which only a callback may change during the run."""
        self.training = mode(self.model, training=True)
        self._dropouts = dropouts_in(self.model)

    def begin(self) -> None:
        """Store the current state as the beginning of the run."""
        if not self.history.snapshots:
            self._remember()
        self._first = self.optimizer.read()
        weights = [p.data for p in self.params]
        self._go_back = self._restorer(lambda: move(self.params, weights))

    def start_anew(self) -> None:
        """Restore the state at the beginning of the run."""
        self._pending = self._go_back
        self._go_back()

    # ------------------------------------------------------------------ epochs and steps

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

    def batches(self) -> list[Any]:
        """Begin an epoch: shuffle the examples into batches, and restart the dropout masks."""
        self._norms.begin()
        name = f"{self.seed}, epoch {self.history.epochs}"
        seed_dropouts(self._dropouts, name)
        return self.examples.batches(np.array(shuffled(len(self.examples), name)), self.size)

    def steps(self, descend: Callable[[Move], Steps], clip: float | None) -> Steps:
        """Make several steps that are checked together: all of them or, on an error, none.

        Args:
            descend: computes the costs and gradients of the steps, and calls a function with each
                gradient, which moves the weights.
            clip: the largest norm of a gradient.

        Raises:
            FloatingPointError: a gradient or a step is not finite.
            Exception: what `descend` raises.
        """
        weights = self.optimizer.read()
        self._pending = self._restorer(lambda: self.optimizer.write(weights))

        def move(gradient: np.ndarray) -> None:
            self._note_weights()
            self.optimizer.step_unchecked(self._wanted(gradient, clip))

        try:
            found = descend(move)
            norms = norms_of(found.gradients, [slice(None)])
            if not (np.isfinite(norms).all() and self.optimizer.is_finite()):
                raise FloatingPointError("a gradient or a step is not finite")
        except Exception:
            self.settle()
            raise
        self._norms.add_all(found.gradients)
        self.history.step_losses.extend(found.costs)
        self.gradient = found.gradients[-1]
        self._pending = None
        return found

    def _note_weights(self) -> None:
        """Note the weights before a step, at which the cost is finite."""
        self.has_moved()
        self.good = self.optimizer.read()

    def _wanted(self, gradient: np.ndarray, clip: float | None) -> np.ndarray:
        """Return the part of a gradient that the optimiser moves against, clipped."""
        moved: np.ndarray = gradient[self.moved]
        return moved if clip is None else clipped(moved, clip)

    def step(self, cost: float, gradient: np.ndarray, clip: float | None) -> None:
        """Make one step against the gradient of a finite cost, whole or not at all.

        Raises:
            DivergenceError: no finite step can be made.
        """
        moved = self._wanted(gradient, clip)
        self._norms.add(gradient)
        self._note_weights()
        self._before = vars(self.optimizer).copy(), self.gradient, len(self.history.step_losses)
        self._pending = self._undo_step
        try:
            self.history.step_losses.append(cost)
            self.optimizer.step(moved)
            self.gradient = gradient
            self._pending = None
        except FloatingPointError as error:
            self.settle()
            raise self.diverged(str(error), weights_are_good=True) from None

    def end_epoch(self, **numbers: Any) -> None:
        """Add the numbers of an epoch to the history, and do what is due after it, as a whole."""
        weights = self.optimizer.read()
        self._pending = self._restorer(lambda: self.optimizer.write(weights))
        self.history.add(**numbers, gradient_norms=self._norms.means())
        self._remember()
        if self.scheduler is not None:
            self.scheduler.step(last_cost(self.history))
        self._note_best()
        self._pending = None

    def _remember(self) -> None:
        """Add a snapshot of the current weights to the history."""
        history = self.history
        gradient = () if self.gradient is None else self.gradient
        newest = Snapshot.of(history.epochs, self._weights(), gradient)
        history.snapshots = with_snapshot(history.snapshots, newest)

    def _weights(self) -> np.ndarray | list[float]:
        """Return the numbers of all parameters, from the optimiser's array if it has them all."""
        return self.optimizer.read() if self._moves_all else [p.data for p in self.params]

    def _note_best(self) -> None:
        """Store the weights if early stopping is on and their cost is the lowest so far."""
        if self.patience is not None:
            cost = last_cost(self.history)
            if cost < self.best.cost:
                self.best = Best(cost, self.history.epochs, self.model.state_dict())

    def has_moved(self) -> bool:
        """Return True if any step so far has changed a weight."""
        if not self._has_moved:
            self._has_moved = not np.array_equal(self.optimizer.read(), self._first)
        return self._has_moved

    @contextlib.contextmanager
    def at_first(self) -> Iterator[None]:
        """Set the weights to those at the beginning of the run, for the duration of the block."""
        now = self.optimizer.read()
        self.optimizer.write(self._first)
        try:
            yield
        finally:
            self.optimizer.write(now)

    # ------------------------------------------------------------------ divergence

    def diverged(self, what: str, weights_are_good: bool = False) -> DivergenceError:
        """Restore the last good weights, and return the error that ends training."""
        if self.good is not None and not weights_are_good:
            self.optimizer.write(self.good)
        step = len(self.history.step_losses) + 1
        where = f"{what} at step {step}, in epoch {self.history.epochs + 1}"
        if step == 1:
            return DivergenceError(f"{where}, so no step was made")
        return DivergenceError(
            f"{where}; the weights are the last ones whose cost was finite. Try a learning rate "
            f"below {self.optimizer.lr:g}, or clip the gradient"
        )

    def finite(self, cost: float) -> float:
        """Return the cost if it is finite; raise a DivergenceError otherwise."""
        if not math.isfinite(cost):
            raise self.diverged(f"the cost became {cost}")
        return cost

    # ------------------------------------------------------------------ whole or not at all

    def _undo_step(self) -> None:
        """Restore what a step changes, which `_restorer` would do too, but in more time."""
        assert self.good is not None
        optimizer, self.gradient, steps = self._before
        self.optimizer.write(self.good)
        vars(self.optimizer).update(optimizer)
        del self.history.step_losses[steps:]

    def _restorer(self, restore_weights: Callable[[], None]) -> Callable[[], None]:
        """Return a function that restores the current state of the run."""
        # This run comes last, because an interrupt may end `restore` where it is not done yet.
        parts = [self.history, self.optimizer, self.scheduler, self]
        before = [(part, dict(vars(part))) for part in parts if part is not None]
        history, length = self.history, (self.history.epochs, len(self.history.step_losses))

        def restore() -> None:
            restore_weights()
            history.cut(*length)
            for part, attributes in before:
                vars(part).update(attributes)

        return restore

    def settle(self) -> None:
        """Undo or complete an interrupted change, if there is one."""
        if self._pending is not None:
            self._pending()

    def finish(self) -> None:
        """Restore the best weights of early stopping, and store the last gradient in `.grad`."""
        self.settle()
        if self.best.epoch:
            self.model.load_state_dict(self.best.state)
        self.history.kept_epoch = self.best.epoch or self.history.epochs
        if self.gradient is not None:
            for p, slope in zip(self.params, self.gradient.tolist()):
                p.grad = slope

    # ------------------------------------------------------------------ checkpoints

    def checkpoint(self) -> Checkpoint:
        """Return a checkpoint with everything that the next epoch depends on."""
        state = self.optimizer.state_dict()
        arrays = {name: part for name, part in state.items() if isinstance(part, np.ndarray)}
        return Checkpoint(
            model=self.model.state_dict(),
            optimizer=arrays,
            best=self.best.state,
            progress=Progress(
                identity=self.identity,
                optimizer={name: part for name, part in state.items() if name not in arrays},
                scheduler=state_of(self.scheduler),
                best_epoch=self.best.epoch,
                best_cost=self.best.cost if self.best.epoch else None,
            ),
            history=replace(self.history, stop_reason=""),
        )

    def resume(self, path: str | os.PathLike[str]) -> None:
        """Restore the state in a checkpoint. On an error nothing has changed.

        Raises:
            OSError: the file cannot be read.
            ValueError: the checkpoint is of another run, or does not fit this one.
        """
        checkpoint = Checkpoint.load(path)
        if differs := difference(checkpoint.progress.identity, self.identity):
            raise ValueError(f"{os.fspath(path)} is of another run: {differs}")
        weights = [p.data for p in self.params]
        restore = self._restorer(lambda: move(self.params, weights))
        try:
            self._take(checkpoint)
        except BaseException as error:
            restore()
            if isinstance(error, ValueError):
                raise ValueError(f"{os.fspath(path)} does not fit this run: {error}") from None
            raise

    def _take(self, checkpoint: Checkpoint) -> None:
        """Load all parts of a checkpoint; `resume` restores the old state on an error."""
        progress, history = checkpoint.progress, replace(checkpoint.history, not_compiled="")
        self._check_history(history)
        if not 0 <= progress.best_epoch <= history.epochs:
            raise ValueError(f"its best epoch is {progress.best_epoch}, of {history.epochs}")
        best = Best()
        if progress.best_epoch:
            self.model.load_state_dict(checkpoint.best)  # raises an error if it does not fit
            cost = math.inf if progress.best_cost is None else progress.best_cost
            best = Best(cost, progress.best_epoch, dict(checkpoint.best))
        self.model.load_state_dict(checkpoint.model)
        self.optimizer.load_state_dict({**progress.optimizer, **checkpoint.optimizer})
        if self.scheduler is not None:
            self.scheduler.load_state_dict(progress.scheduler)
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


def _as_index(places: list[int]) -> Any:
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
