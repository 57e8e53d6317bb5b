"""The losses as modules, as in `MSELoss()(outputs, targets)`; names follow PyTorch.

A module is made from its function: `class MSELoss(Loss, function=mse_loss)`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from autograd import Value

from .losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    checked_reduction,
    cross_entropy,
    hinge_loss,
    l1_loss,
    mse_loss,
    nll_loss,
    perceptron_loss,
)
from .module import Module
from .settings import whole


class Loss(Module):
    """Base class of losses as modules. A subclass names its `function`, which `forward` calls.

    A subclass without a docstring gets that of the function.

    Args:
        reduction: "mean" or "sum".

    Raises:
        ValueError: there is no such reduction.
    """

    function: ClassVar[Callable[..., Value]]

    def __init_subclass__(cls, function: Callable[..., Value] | None = None) -> None:
        super().__init_subclass__()
        if function is not None:
            cls.function = function
            cls.__doc__ = cls.__doc__ or _docstring(cls.__name__, function)

    def __init__(self, reduction: str = "mean") -> None:
        self.reduction = checked_reduction(reduction)

    def forward(self, input: Any, target: Any) -> Value:
        """Compute the loss of these outputs for these targets."""
        return type(self).function(input, target, self.reduction, **self._options())

    def _options(self) -> dict[str, Any]:
        """Return the further arguments of the function, by name."""
        return {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}(reduction={self.reduction!r})"


def _docstring(module: str, function: Callable[..., Value]) -> str:
    """Return the docstring of a function, with examples that call the module."""
    name, text = function.__name__, inspect.getdoc(function) or ""
    return f"`{name}` as a module.\n\n{text.replace(f'{name}(', f'{module}()(')}\n"


def function_of(loss: Any) -> Any:
    """Return the loss function behind a loss: itself, or what a module or `partial` calls.

    >>> function_of(MSELoss()) is function_of(partial(mse_loss, reduction="sum")) is mse_loss
    True
    """
    while isinstance(loss, partial):
        loss = loss.func
    return getattr(type(loss), "function", loss)


class MSELoss(Loss, function=mse_loss): ...


class L1Loss(Loss, function=l1_loss): ...


class BCELoss(Loss, function=binary_cross_entropy): ...


class BCEWithLogitsLoss(Loss, function=binary_cross_entropy_with_logits): ...


class ClassLoss(Loss):
    """Base class of the losses whose targets are class indices.

    Args:
        reduction: "mean" or "sum".
        ignore_index: the class index of examples to ignore; see `cross_entropy`.
    """

    def __init__(self, reduction: str = "mean", *, ignore_index: int = -100) -> None:
        super().__init__(reduction)
        self.ignore_index = whole(ignore_index, "ignore_index", None)

    def _options(self) -> dict[str, Any]:
        return {"ignore_index": self.ignore_index}


class CrossEntropyLoss(ClassLoss, function=cross_entropy): ...


class NLLLoss(ClassLoss, function=nll_loss): ...


class HingeLoss(Loss, function=hinge_loss): ...


class PerceptronLoss(Loss, function=perceptron_loss): ...


class SquaredError(Loss, function=mse_loss):
    """`squared_error` as a module.

    >>> SquaredError()(Value(3.0), 1.0).data
    4.0
    """

    def __init__(self) -> None:
        super().__init__("sum")
