"""`CompiledCosts`: costs, outputs and gradients by compiled code, for many examples at once.

The compiler refuses most models that branch on numbers or change between calls, but it cannot
detect all of them (see `autograd.compile`). Therefore its numbers are to be compared with the
engine's.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

import autograd
from autograd import Value

from ..data import Examples
from ..losses import cost_of
from ..modes import mode
from ..module import Module
from ..nested import nested, shape_of
from ..tables import stacked
from .costs import EMPTY, Computed, Costs, Loss, Move, Penalty, Rows, Steps, mean_of

NOTHING = nullcontext()


class CompiledCosts(Costs):
    """Computes costs with compiled code. Its first call may raise any error of the compiler."""

    def __init__(self, model: Module, loss: Loss, penalty: Penalty | None = None) -> None:
        super().__init__(model, loss, penalty)
        self._programs: dict[bool, Any] = {}  # the last program in training, and in evaluation
        self._in_training = False  # True if all calls are inside a block of training mode
        self.renew()

    def renew(self) -> None:
        """Make new compiled functions. Each traces the model when it is called first."""
        model, penalty = self.model, self.penalty  # all that the function reads is watched
        compiled = autograd.compile(params=self.params, has_aux=True, allow_unused=True)
        code = compiled(_cost_by(model, self.loss))
        self._codes = {True: code, False: code}  # in training, and in evaluation

        def cost() -> Value:
            assert penalty is not None
            return cost_of(penalty(model), "penalty")

        self._penalty = autograd.compile(cost, params=self.params, allow_unused=True)

    def while_unchanged(self) -> CompiledCosts:
        """Return costs that check only once whether the model has changed.

        To learn, they set no mode: use them in a block of training mode.
        """
        found = copy.copy(self)
        found._codes = {mode: code.while_unchanged() for mode, code in self._codes.items()}
        found._penalty = self._penalty.while_unchanged()
        found._in_training = True
        return found

    def _mode(self, training: bool) -> AbstractContextManager[Any]:
        """Return a block in which the model is in this mode."""
        return NOTHING if training and self._in_training else mode(self.model, training)

    def compute(self, examples: Examples, rows: Rows, training: bool, slopes: bool) -> Computed:
        """Compute costs and outputs of some rows and, if `slopes` is True, the gradient.

        Examples that differ in shape are computed in groups; each shape has a program of its own.
        """
        if not examples.vary:
            return self._compute(examples, rows, training, slopes)
        chosen = range(len(examples))[rows] if isinstance(rows, slice) else rows
        place = {i: k for k, i in enumerate(chosen)}
        costs, outputs = np.empty(len(chosen)), [None] * len(chosen)
        gradient: np.ndarray = np.zeros(len(self.params)) if slopes else EMPTY
        for group in examples.groups(chosen):
            found = self._compute(examples, group, training, slopes)
            for i, cost, output in zip(group, found.costs, found.outputs):
                costs[place[i]], outputs[place[i]] = cost, output
            gradient = gradient + found.gradient * (len(group) / len(chosen))
        return Computed(costs, outputs, gradient)

    def _compute(self, examples: Examples, rows: Rows, training: bool, slopes: bool) -> Computed:
        """Compute what `compute` does, for rows of one shape."""
        code = self._codes[training]
        X, y = stacked(examples.X, rows), stacked(examples.targets, rows)
        with self._mode(training):
            found, gradient = code.value_and_grad(X, y) if slopes else (code(X, y), EMPTY)
        self._programs[training] = code.program
        costs, outputs = _costs_and_outputs(found)
        return Computed(costs, outputs, gradient)

    @property
    def can_descend(self) -> bool:
        """True for the steps of an epoch, as of `while_unchanged`."""
        return self._in_training

    def descend(self, examples: Examples, batches: Sequence[np.ndarray], move: Move) -> Steps:
        """Compute what `learn` does for one batch after the other, and check it at the end."""
        code, rows, size = self._codes[True], np.concatenate(batches), len(batches[0])
        X, y = stacked(examples.X, rows), stacked(examples.targets, rows)
        penalties: list[Computed] = []

        def penalized(gradient: np.ndarray) -> None:
            penalty = self.penalize()
            if not penalty.is_finite:
                raise ArithmeticError("the penalty is not finite")
            penalties.append(penalty)
            move(gradient + penalty.gradient)

        step = move if self.penalty is None else penalized
        found, gradients = code.descend(X, y, size=size, step=step)
        self._programs[True] = code.program
        costs, outputs = _costs_and_outputs(found)
        means = [mean_of(costs[i : i + size]) for i in range(0, len(rows), size)]
        if penalties:
            means = [mean + penalty.cost for mean, penalty in zip(means, penalties)]
            gradients = gradients + [penalty.gradient for penalty in penalties]
        return Steps(means, outputs, gradients)

    def penalize(self) -> Computed:
        """Compute the penalty and its gradient."""
        with self._mode(training=True):
            cost, gradient = self._penalty.value_and_grad()
        return Computed(np.array([cost]), [], gradient)

    @property
    def has_one_program(self) -> bool:
        """True if training and evaluation have last run the same program."""
        return self._programs.get(True) is self._programs.get(False)


def _costs_and_outputs(found: np.ndarray) -> tuple[np.ndarray, Any]:
    """Return the cost of each row, and its outputs, of what `_cost_by` returns for each row."""
    outputs = found[:, 1] if found.shape[1:] == (2,) else found[:, 1:]
    return found.reshape(len(found), -1)[:, 0], outputs


def _cost_by(model: Module, loss: Loss) -> Callable[[Any, Any], list[Any]]:
    """Return a function that computes the cost of an example, followed by its outputs.

    If the outputs are a table, the cost fills a row before its rows.

    The compiler watches everything that the function reads, so it reads only the model and the
    loss.
    """

    def cost(x: Any, y: Any) -> list[Any]:
        outputs = model(x)
        cost = cost_of(loss(outputs, y), "loss")
        if isinstance(outputs, Value):
            return [cost, outputs]
        _, *shape = shape_of(outputs, "the outputs")
        return [nested(shape, lambda *_: cost), *outputs]

    return cost
