"""The costs of the estimators, as scikit-learn's networks define them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from autograd import Value, surprisal, where
from autograd import sum as total

from ..losses import binary_cross_entropy_with_logits, squared_error
from ..networks import MLP
from ..pairing import pairs

Loss = Callable[[Any, Any], Value]


def half_squared_error(outputs: Any, target: Any) -> Value:
    """Compute half the squared error of one example, ½ Σᵢ (aᵢ − yᵢ)².

    >>> half_squared_error([Value(1.0), Value(2.0)], [0.0, 0.0]).data
    2.5
    """
    return squared_error(outputs, target) / 2.0


def poisson_cost(outputs: Any, target: Any) -> Value:
    """Compute the Poisson cost of one example, Σᵢ exp(zᵢ) − yᵢ·zᵢ, where exp(zᵢ) is the answer.

    This is half the deviance, less a term that depends on the targets alone.

    >>> poisson_cost([Value(0.0)], [3.0]).data
    1.0
    """
    return total(z.exp() - y * z for z, y in pairs(outputs, target))


def binary_costs(outputs: Any, target: Any) -> Value:
    """Compute the sum of the binary cross-entropies of one or several logits.

    >>> round(binary_costs([Value(0.0), Value(0.0)], [0.0, 1.0]).data, 4)
    1.3863
    """
    return binary_cross_entropy_with_logits(outputs, target, "sum")


def class_cost(outputs: Any, target: Any) -> Value:
    """Compute the cross-entropy of one example, whose target is 1 for its class, and else 0.

    `nn.cross_entropy` takes longer, because it allows for other targets.

    >>> round(class_cost([Value(1.0), Value(2.0), Value(0.0)], [0.0, 1.0, 0.0]).data, 4)
    0.4076
    """
    chosen = total(z * y for z, y in pairs(outputs, target))
    return surprisal(chosen, [where(y, -math.inf, z) for z, y in pairs(outputs, target)])


# The functions that turn outputs into answers have scikit-learn's names.
OF_CLASSES: tuple[str, Loss] = ("softmax", class_cost)
OF_SIDES: tuple[str, Loss] = ("logistic", binary_costs)
OF_NUMBERS: dict[str, tuple[str, Loss]] = {
    "squared_error": ("identity", half_squared_error),
    "poisson": ("exp", poisson_cost),
}


class Cost:
    """The weighted cost of one example, and then the outputs, as a function to compile."""

    def __init__(self, model: MLP, loss: Loss) -> None:
        self.model, self.loss = model, loss

    def __call__(self, x: Any, target: Any, weight: Any) -> list[Value]:
        """Return the cost and the outputs."""
        outputs = self.model(x)
        cost = self.loss(outputs, target) * weight
        return [cost, outputs] if isinstance(outputs, Value) else [cost, *outputs]
