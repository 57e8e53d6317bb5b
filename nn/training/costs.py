"""`Costs`: how costs, outputs and gradients are computed. `EngineCosts` does it with the engine.

The training loop uses a `Costs` without knowing which: the engine, or compiled code
(`compiled_costs.py`) that is compared with the engine (`comparison.py`).
"""

from __future__ import annotations

import contextlib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd import DivisionByZeroError, DomainError, Value, no_grad

from ..data import Examples
from ..gradients import differentiate, gradient_of, norm_of
from ..losses import cost_of
from ..modes import mode
from ..module import Module
from ..prediction import numbers_in

Loss = Callable[[Any, Any], Value]
Penalty = Callable[[Any], Value]
Rows = Sequence[int] | np.ndarray | slice
Move = Callable[[np.ndarray], object]
ALL = slice(None)
FAILURES = (ArithmeticError, TypeError, ValueError)  # of code that the engine may run instead
EMPTY = np.zeros(0)


class Computed:
    """Numbers that a `Costs` has computed.

    Attributes:
        costs: the cost of each row; for a penalty, the penalty alone.
        outputs: the outputs for each row, an array or lists of numbers; empty for a penalty.
        gradient: the gradient of the mean cost, for each parameter; empty if it was not wanted.
        cost: the mean cost, and the penalty that was added to it.
        is_finite: True if the mean cost and the norm of the gradient are finite.
    """

    def __init__(
        self,
        costs: np.ndarray,
        outputs: Sequence[Any],
        gradient: np.ndarray = EMPTY,
        penalty: float = 0.0,
    ) -> None:
        self.costs, self.outputs, self.gradient = costs, outputs, gradient
        self.cost = mean_of(costs) + penalty
        self.is_finite = math.isfinite(self.cost) and math.isfinite(norm_of(gradient))

    @property
    def numbers(self) -> np.ndarray:
        """All numbers in one array."""
        parts = self.costs, self.outputs, self.gradient
        return np.concatenate([np.ravel(part) for part in parts])

    def penalized(self, by: Computed) -> Computed:
        """Return these numbers with a penalty and its gradient added."""
        return Computed(self.costs, self.outputs, self.gradient + by.gradient, by.cost)

    def name(self, k: int) -> str:
        """Return the name of the k-th of the `numbers`, if there is one row."""
        count = 1 + np.size(self.outputs)
        if k >= count:
            return f"slope by parameter {k - count}"
        if k:
            return f"output {k - 1}"
        return "cost" if len(self.outputs) else "penalty"


class Steps(NamedTuple):
    """Numbers that a `Costs` has computed for several steps.

    Attributes:
        costs: the mean cost of each batch.
        outputs: the outputs for each row, of one batch after the other.
        gradients: the gradient of each mean cost, shape (batches, params).
    """

    costs: list[float]
    outputs: np.ndarray
    gradients: np.ndarray


class Costs(ABC):
    """Computes costs, outputs and gradients.

    Args:
        model: the model.
        loss: the cost of one example.
        penalty: an extra cost of the model itself; None if there is none.

    Attributes:
        params: the parameters in the order of the gradient. They stay the same if a callback
            changes the layers of the model.
    """

    def __init__(self, model: Module, loss: Loss, penalty: Penalty | None = None) -> None:
        self.model, self.loss, self.penalty = model, loss, penalty
        self.params = model.parameters()

    def judge(self, examples: Examples, rows: Rows = ALL) -> Computed:
        """Compute costs and outputs in evaluation mode."""
        return self.compute(examples, rows, training=False, slopes=False)

    def learn(self, examples: Examples, rows: Rows = ALL) -> Computed:
        """Compute costs, outputs and the gradient in training mode."""
        return self.compute(examples, rows, training=True, slopes=True)

    @abstractmethod
    def compute(self, examples: Examples, rows: Rows, training: bool, slopes: bool) -> Computed:
        """Compute costs and outputs of some rows and, if `slopes` is True, the gradient.

        Raises:
            ArithmeticError, ValueError: a number cannot be computed.
        """

    @abstractmethod
    def penalize(self) -> Computed:
        """Compute the penalty and its gradient; the errors are those of `compute`."""

    @property
    def can_descend(self) -> bool:
        """True if `descend` can compute several steps."""
        return False

    def descend(self, examples: Examples, batches: Sequence[np.ndarray], move: Move) -> Steps:
        """Compute what `learn` does for one batch after the other, and check it at the end.

        Args:
            examples: the examples, of one shape.
            batches: the rows of each batch; the last may be shorter.
            move: called with each gradient; it may change the numbers of the parameters.

        Raises:
            ArithmeticError, TypeError, ValueError: a number cannot be computed, or the model draws
                random numbers. The parameters may have moved then.
        """
        raise NotImplementedError

    def while_unchanged(self) -> Costs:
        """Return costs for the steps of an epoch, which change only the parameters' numbers.

        Use them in a block of training mode.
        """
        return self

    def check(self, at_least: int = 0) -> None:
        """Check the numbers on further examples, if there is anything to check them against."""
        return

    def around(self, callbacks: Sequence[Callable[..., Any]]) -> Sequence[Callable[..., Any]]:
        """Return the functions to call after an epoch: the callbacks, perhaps among others."""
        return callbacks


class EngineCosts(Costs):
    """Computes costs with the engine, one example at a time. No `.grad` of a parameter changes."""

    def compute(self, examples: Examples, rows: Rows, training: bool, slopes: bool) -> Computed:
        """Compute costs and outputs of some rows and, if `slopes` is True, the gradient.

        The graph of an example is dropped before the next one is built, so memory is needed for
        one graph only.
        """
        chosen = range(len(examples))[rows] if isinstance(rows, slice) else rows
        costs, outputs, gradient = [], [], EMPTY
        with mode(self.model, training), self._cleared() if slopes else no_grad():
            for i in chosen:
                x, y = examples[i]
                with naming(examples.place(i)):
                    found = self.model(x)
                    cost = cost_of(self.loss(found, y), "loss")
                    if slopes:
                        differentiate(cost, self.params, 1.0 / len(chosen))
                costs.append(cost.data)
                outputs.append(numbers_in(found))
            if slopes:
                gradient = gradient_of(self.params)
        return Computed(np.array(costs), outputs, gradient)

    def penalize(self) -> Computed:
        """Compute the penalty and its gradient."""
        assert self.penalty is not None
        with mode(self.model, training=True), self._cleared():
            cost = cost_of(self.penalty(self.model), "penalty")
            differentiate(cost, self.params, 1.0)
            return Computed(np.array([cost.data]), [], gradient_of(self.params))

    @contextlib.contextmanager
    def _cleared(self) -> Iterator[None]:
        """Clear the gradients of the parameters for the duration of the block."""
        before = [p.grad for p in self.params]
        for p in self.params:
            p.grad = 0.0
        try:
            yield
        finally:
            for p, slope in zip(self.params, before):
                p.grad = slope


@contextlib.contextmanager
def naming(place: str, *others: type[Exception]) -> Iterator[None]:
    """Put the name of the example before the message of numeric and other errors."""
    exact = DivisionByZeroError, DomainError, OverflowError, ZeroDivisionError
    kinds: tuple[type[Exception], ...] = (*exact, ArithmeticError, ValueError, *others)
    try:
        yield
    except kinds as error:
        kind = next(kind for kind in kinds if isinstance(error, kind))
        raise kind(f"{place}: {error}") from None


def mean_of(numbers: np.ndarray) -> float:
    """Return the mean, which does not overflow if the numbers are finite.

    >>> mean_of(np.array([1.5e308, 1.1e308]))
    1.3e+308
    """
    return total((numbers / len(numbers)).tolist())


def total(costs: list[float]) -> float:
    """Return the sum, exactly rounded if finite; `math.fsum` alone fails for infinities."""
    try:
        return math.fsum(costs)
    except (OverflowError, ValueError):
        return sum(costs)
