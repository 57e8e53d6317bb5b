"""`CompiledCosts`: costs, outputs and gradients by compiled code, for many examples at once.

The compiler refuses most models that branch on numbers or change between calls, but it cannot
detect all of them (see `autograd.compile`). Therefore its numbers are to be compared with the
engine's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd
from autograd import Value

from ..data import Examples
from ..losses import cost_of
from ..modes import mode
from ..module import Module
from .costs import EMPTY, Computed, Costs, Loss, Penalty, Rows


class CompiledCosts(Costs):
    """Computes costs with compiled code. Its first call may raise any error of the compiler."""

    def __init__(self, model: Module, loss: Loss, penalty: Penalty | None = None) -> None:
        super().__init__(model, loss, penalty)
        self._targets: dict[Examples, np.ndarray] = {}
        self._programs: dict[bool, Any] = {}  # the last program in training, and in evaluation
        self.renew()

    def renew(self) -> None:
        """Make new compiled functions. Each traces the model when it is called first."""
        model, penalty = self.model, self.penalty  # all that the function reads is watched
        compiled = autograd.compile(params=self.params, has_aux=True, allow_unused=True)
        self._code = compiled(_cost_by(model, self.loss))

        def cost() -> Value:
            assert penalty is not None
            return cost_of(penalty(model), "penalty")

        self._penalty = autograd.compile(cost, params=self.params, allow_unused=True)

    def compute(self, examples: Examples, rows: Rows, training: bool, slopes: bool) -> Computed:
        """Compute costs and outputs of some rows and, if `slopes` is True, the gradient."""
        y, code = self.targets(examples), self._code
        run = code.value_and_grad if slopes else lambda *table: (code(*table), EMPTY)
        with mode(self.model, training):
            found, gradient = run(examples.X[rows], y[rows])
        self._programs[training] = code.program
        outputs = found[:, 1] if found.shape[1] == 2 else found[:, 1:]
        return Computed(found[:, 0], outputs.tolist(), gradient)

    def penalize(self) -> Computed:
        """Compute the penalty and its gradient."""
        with mode(self.model, training=True):
            cost, gradient = self._penalty.value_and_grad()
        return Computed(np.array([cost]), [], gradient)

    def targets(self, examples: Examples) -> np.ndarray:
        """Return the targets as an array, which the compiled code takes."""
        if examples not in self._targets:
            self._targets[examples] = np.array(examples.y, dtype=float)
        return self._targets[examples]

    @property
    def has_one_program(self) -> bool:
        """True if training and evaluation have last run the same program."""
        return self._programs.get(True) is self._programs.get(False)


def _cost_by(model: Module, loss: Loss) -> Callable[[Any, Any], list[Value]]:
    """Return a function that computes the cost of an example, followed by its outputs.

    The compiler watches everything that the function reads, so it reads only the model and the
    loss.
    """

    def cost(x: Any, y: Any) -> list[Value]:
        outputs = model(x)
        cost = cost_of(loss(outputs, y), "loss")
        return [cost, outputs] if isinstance(outputs, Value) else [cost, *outputs]

    return cost
