"""Check that a model, a loss and examples fit together, before training or evaluation."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd import DomainError, Value

from ..costs import cost_of, depends_on
from ..data import Examples
from ..modes import evaluating, mode
from ..module import Module
from ..prediction import numbers
from .costs import Loss, Penalty, named
from .squash import squashed_twice

NUMERIC = ArithmeticError, DomainError  # errors that depend on the numbers, not on the caller
TRIED = 32  # distinct targets tried before the cost is reported to depend on no parameter
NO_GRADIENT = (
    "the loss does not depend on any parameter that the optimiser moves, so there is nothing to "
    "learn: compute it from the outputs themselves, without .data, detach(), stop_gradient, "
    "float(...) or no_grad()"
)


def check_loss(model: Module, loss: Loss, examples: Examples) -> None:
    """Try the model on the first example, and the loss on every kind of target.

    Raises:
        TypeError, ValueError: the model or the loss does not accept an example. The error names it.
    """
    with evaluating(model):
        outputs = _outputs(model, examples, 0)
        for i in examples.kinds():
            _cost(loss, outputs, examples, i)


def check_gradient(
    model: Module, loss: Loss, penalty: Penalty | None, examples: Examples, params: Iterable[Value]
) -> None:
    """Do the work of `check_loss`, and check that the cost depends on one of the parameters.

    Raises:
        TypeError, ValueError: as for `check_loss`, or the cost depends on none of them.
    """
    params, kinds = list(params), examples.kinds()
    with mode(model, training=False):
        outputs = _outputs(model, examples, 0)
        costs = [_cost(loss, outputs, examples, i) for i in kinds]
        depends = {depends_on(cost, params) for cost in costs if cost is not None}
        if True not in depends:  # perhaps only the first outputs are constants
            for i in kinds[1:TRIED]:
                cost = _cost(loss, _outputs(model, examples, i), examples, i)
                depends |= set() if cost is None else {depends_on(cost, params)}
        if penalty is not None:
            with contextlib.suppress(*NUMERIC):
                cost_of(penalty(model), "penalty")
    if depends == {False}:
        raise ValueError(NO_GRADIENT)


def count_outputs(model: Module, examples: Examples) -> int:
    """Return the number of outputs: that for the first example whose outputs can be computed.

    >>> from nn import MLP
    >>> count_outputs(MLP(2, [3]), Examples.of([[0.0, 1.0]], [2]))
    3
    """
    with evaluating(model):
        found = (_outputs(model, examples, i) for i in range(len(examples)))
        return np.size(numbers(next((outputs for outputs in found if outputs is not None), None)))


def warn_of_squashing(model: Module, loss: Loss, examples: Examples) -> None:
    """Warn if the last activation does not fit the loss.

    This is not an error, because the cost is well defined; PyTorch computes it, too.
    """
    with mode(model, training=False):
        some = {0, len(examples) // 2, len(examples) - 1}
        outputs = [_outputs(model, examples, i) for i in sorted(some)]
    if None not in outputs and (found := squashed_twice(loss, outputs)):
        warnings.warn(found, RuntimeWarning, stacklevel=3)


def _outputs(model: Module, examples: Examples, i: int) -> Any:
    """Compute the outputs for an example; return None if a numeric error occurs."""
    with contextlib.suppress(*NUMERIC):
        return model(examples[i][0])
    return None


def _cost(loss: Loss, outputs: Any, examples: Examples, i: int) -> Value | None:
    """Compute the cost of outputs for the target of an example; return None if that fails.

    The outputs may be those of another example.
    """
    if outputs is None:
        return None
    try:
        return cost_of(loss(outputs, examples.y[i]), "loss")
    except NUMERIC:
        return None
    except (TypeError, ValueError) as error:
        raise named(error, examples.place(i, "y")) from None
