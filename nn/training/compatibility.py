"""Check that a model, a loss and examples fit together, before training or evaluation."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd import DomainError, Value
from autograd.extend import PlaceError

from ..data import Examples
from ..embedding import Embedding
from ..gradients import depends_on
from ..losses import cost_of
from ..modes import evaluating, mode
from ..module import Module
from ..prediction import numbers_in
from ..tables import differ
from .costs import Loss, Penalty, naming
from .squash import squashed_twice

NUMERIC = ArithmeticError, DomainError  # errors that depend on the numbers, not on the caller
TRIED = 32  # distinct targets tried before the cost is reported to depend on no parameter
NO_GRADIENT = (
    "the loss does not depend on any parameter that the optimiser moves, so there is nothing to "
    "learn: compute it from the outputs themselves, without .data, detach(), stop_gradient, "
    "float(...) or no_grad()"
)


def check_loss(model: Module, loss: Loss, examples: Examples, params: Sequence[Value] = ()) -> None:
    """Try the model on the first example, and the loss on every kind of target.

    Of sequences of different lengths, try the first of each length. Of tokens, also try the
    examples with the smallest and the largest, which may be out of range.

    Args:
        params: parameters; if there are any, the cost must depend on one of them.

    Raises:
        TypeError, ValueError: the model or the loss does not accept an example, which the error
            names, or the cost depends on none of the parameters.
    """
    kinds = examples.kinds()
    with mode(model, training=False):
        outputs = _outputs(model, examples, 0)
        costs = [
            _cost(
                loss, _outputs(model, examples, i) if differ(examples.X) else outputs, examples, i
            )
            for i in kinds
        ]
        for i in examples.extremes() if differ(examples.X) or _has_embedding(model) else ():
            _cost(loss, _outputs(model, examples, i), examples, i)
        if not params or _any_depends(costs, params):
            return
        # Perhaps only the first outputs are constants.
        more = [_cost(loss, _outputs(model, examples, i), examples, i) for i in kinds[1:TRIED]]
        if any(cost is not None for cost in costs + more) and not _any_depends(more, params):
            raise ValueError(NO_GRADIENT)


def check_penalty(model: Module, penalty: Penalty | None) -> None:
    """Raise a TypeError if the penalty does not return a Value."""
    if penalty is not None:
        with contextlib.suppress(*NUMERIC):
            cost_of(penalty(model), "penalty")


def shape_of_outputs(model: Module, examples: Examples) -> tuple[int, ...]:
    """Return the shape of the outputs for the first example for which they can be computed.

    >>> from nn import MLP
    >>> shape_of_outputs(MLP(2, [3]), Examples.of([[0.0, 1.0]], [2]))
    (3,)
    """
    with evaluating(model):
        found = (_outputs(model, examples, i) for i in range(len(examples)))
        first = next((outputs for outputs in found if outputs is not None), None)
        return np.shape(numbers_in(first))


def count_outputs(model: Module, examples: Examples) -> int:
    """Return the number of outputs: that for the first example whose outputs can be computed.

    >>> from nn import MLP
    >>> count_outputs(MLP(2, [3]), Examples.of([[0.0, 1.0]], [2]))
    3
    """
    return math.prod(shape_of_outputs(model, examples))


def warn_of_squashing(model: Module, loss: Loss, examples: Examples) -> None:
    """Warn if the last activation does not fit the loss.

    This is not an error, because the cost is well defined; PyTorch computes it, too.
    """
    with mode(model, training=False):
        some = {0, len(examples) // 2, len(examples) - 1}
        outputs = [_outputs(model, examples, i) for i in sorted(some)]
    if _are_tables(outputs):
        outputs = [row for table in outputs for row in table]
    if None not in outputs and (found := squashed_twice(loss, outputs)):
        warnings.warn(found, RuntimeWarning, stacklevel=3)


def _outputs(model: Module, examples: Examples, i: int) -> Any:
    """Compute the outputs for an example; return None if a numeric error occurs."""
    named = naming(examples.place(i), TypeError) if i else contextlib.nullcontext()
    with contextlib.suppress(*NUMERIC), named, _refusing_tokens():
        return model(examples[i][0])
    return None


def _has_embedding(model: Module) -> bool:
    return any(isinstance(module, Embedding) for module in model.modules())


@contextlib.contextmanager
def _refusing_tokens() -> Iterator[None]:
    """Let the error of a token that is no place in a table be the caller's, not a numeric one."""
    try:
        yield
    except PlaceError as error:
        raise ValueError(str(error)) from None


def _are_tables(outputs: list[Any]) -> bool:
    """Return True if the outputs for an example are a table, with a row for each position."""
    return all(np.ndim(numbers_in(table)) == 2 for table in outputs)


def _any_depends(costs: list[Value | None], params: Sequence[Value]) -> bool:
    return any(cost is not None and depends_on(cost, params) for cost in costs)


def _cost(loss: Loss, outputs: Any, examples: Examples, i: int) -> Value | None:
    """Compute the cost of outputs for the target of an example; return None if that fails.

    The outputs may be those of another example.
    """
    if outputs is not None:
        named = naming(examples.place(i, "y"), TypeError)
        with contextlib.suppress(*NUMERIC), named, _refusing_tokens():
            return cost_of(loss(outputs, examples.y[i]), "loss")
    return None
