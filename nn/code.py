"""The cost of a batch as compiled code, checked against the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Value

from . import losses
from .data import Examples
from .module import Module, evaluating, mode
from .targets import one_hot

CHECKED = 8  # examples that the engine computes as well at first; then one in each epoch
AGREED = 1e-9  # relative
DIFFERENT = "the compiled one is not the engine's: it depends on more than it is given"


class Code:
    """Costs, outputs and gradients of many examples at once.

    Args:
        model, loss: whose cost it is.
        examples: what it is to run on.

    Raises:
        Exception: whatever keeps it from being compiled.
    """

    def __init__(
        self, model: Module, loss: Callable[[Any, Any], Value], examples: Examples
    ) -> None:
        self.model, self.loss, self.examples = model, loss, examples
        self.X = examples.X
        self.y = self._encoded(examples.y)
        kinds: dict[str, int] = {}
        for i, y in enumerate(examples.y):
            kinds.setdefault(repr(y), i)
        self.few = list(kinds.values())[:CHECKED]
        self.compile()
        if not self._agrees(self.few):
            raise ValueError(DIFFERENT)

    def compile(self) -> None:
        """Trace the cost, in training and in evaluation, and write its code."""
        params = self.model.parameters()
        cost = autograd.compile(params=params, has_aux=True, allow_unused=True)
        self._learning, self._judging = cost(self._cost), cost(self._cost)
        for code, training in ((self._learning, True), (self._judging, False)):
            with mode(self.model, training):
                code(self.X[:2], self.y[:2])

    def _cost(self, x: Any, y: Any) -> list[Value]:
        outputs = self.model(x)
        cost = self.loss(outputs, y)
        return [cost, outputs] if isinstance(outputs, Value) else [cost, *outputs]

    def _encoded(self, y: list[Any]) -> np.ndarray:
        """Targets as arrays: a class index chooses a logit, which only a one-hot vector can."""
        if losses.function_of(self.loss) is losses.cross_entropy and np.ndim(y) == 1:
            with evaluating(self.model):
                return one_hot(y, len(self.model(self.X[0].tolist())))
        return np.array(y, dtype=float)

    def check(self, epoch: int) -> bool:
        """Hold an example's cost against the engine's; if they differ, compile anew.

        Returns:
            Whether it was compiled anew.

        Raises:
            ValueError: they differ even then.
        """
        if self._agrees([self.few[epoch % len(self.few)]]):
            return False
        self.compile()
        if not self._agrees(self.few):
            raise ValueError(DIFFERENT)
        return True

    def _agrees(self, chosen: list[int]) -> bool:
        with evaluating(self.model):
            few = [self.examples[i] for i in chosen]
            wanted = [self.loss(self.model(x), y).data for x, y in few]
        found = self.judged(chosen)[0]
        return bool(np.allclose(found, wanted, rtol=AGREED, atol=1e-12))

    def judged(self, chosen: Sequence[int] | slice) -> tuple[np.ndarray, list[Any]]:
        """The cost of each chosen example, and its outputs."""
        with evaluating(self.model):
            found = self._judging(self.X[chosen], self.y[chosen])
        return found[:, 0], _outputs(found)

    def learned(self, chosen: Sequence[int]) -> tuple[np.ndarray, list[Any], np.ndarray]:
        """The same in training, and the gradient of the mean cost by all parameters."""
        found, gradient = self._learning.value_and_grad(self.X[chosen], self.y[chosen])
        return found[:, 0], _outputs(found), gradient


def _outputs(found: np.ndarray) -> list[Any]:
    outputs: list[Any] = found[:, 1].tolist() if found.shape[1] == 2 else found[:, 1:].tolist()
    return outputs


class PenaltyCode:
    """A penalty and its gradient as compiled code.

    Args:
        model, penalty: whose it is, and what it costs.

    Raises:
        Exception: whatever keeps it from being compiled.
    """

    def __init__(self, model: Module, penalty: Callable[[Any], Value]) -> None:
        self.model, self.penalty = model, penalty
        self._compile()
        self.check()

    def _compile(self) -> None:
        params = self.model.parameters()
        self._code = autograd.compile(
            lambda: self.penalty(self.model), params=params, allow_unused=True
        )

    def check(self) -> None:
        """Hold it against the engine, and compile it anew if they differ.

        Raises:
            ValueError: they differ even then.
        """
        if not self._agrees():
            self._compile()
            if not self._agrees():
                raise ValueError(DIFFERENT)

    def _agrees(self) -> bool:
        with evaluating(self.model):
            wanted = self.penalty(self.model).data
        return bool(np.isclose(self._code(), wanted, rtol=AGREED, atol=1e-12))

    def penalised(self) -> tuple[float, np.ndarray]:
        """The penalty and its gradient by all parameters."""
        cost, gradient = self._code.value_and_grad()
        return cost, gradient
