"""Write activations, costs and probabilities of `nn` in JavaScript, for pages.

Activations and costs have their derivatives beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import TraceError, Value, softmax
from autograd import sum as total
from autograd.extend import javascript, javascript_gradient

from ..activations import Activation
from ..losses import cost_of


def write_activation(row: Activation, nout: int) -> str:
    """Write the activation of a layer of `nout` neurons, and its backward pass.

    A function of one sum (`each`) has its value and its slope; one of all sums of the layer
    (`together`) has the gradient of Σ g·a, where g is the upstream gradient.
    """
    single, whole = row.of_one, row.of_layer
    if whole is None:
        slope = javascript_gradient(single, ["z"], [0.5]) if single else "null"
        each = javascript(single, ["z"]) if single else "null"
        return f"{{ each: {each}, together: null, back: {slope} }}"
    sums, upstream = ([f"{name}{j}" for j in range(nout)] for name in "zg")

    def mixed(*numbers: Value) -> Value:
        outputs = whole(numbers[:nout])
        return total(g * a for g, a in zip(numbers[nout:], outputs))

    together = javascript(lambda *z: whole(z), sums)
    at = np.linspace(0.5, 1.0, 2 * nout).tolist()
    back = javascript_gradient(mixed, [*sums, *upstream], at)
    return f"{{ each: null, together: {together}, back: {back} }}"


def write_cost(loss: Callable[[Any, Any], Value], nout: int, wanted: Sequence[float]) -> str:
    """Write the cost of one example and its gradient, as a function of outputs and targets.

    Args:
        loss: the cost.
        nout: the number of outputs.
        wanted: possible targets, one for each output.

    Raises:
        ValueError: the page cannot compute the cost.
    """
    names = [f"{name}{j}" for name in "ay" for j in range(nout)]

    def cost(*numbers: Value) -> Value:
        outputs, targets = list(numbers[:nout]), list(numbers[nout:])
        single = nout == 1
        return cost_of(loss(*(outputs + targets if single else [outputs, targets])), "loss")

    try:
        return javascript_gradient(cost, names, [*[0.5] * nout, *wanted])
    except (ArithmeticError, TraceError, TypeError, ValueError) as error:
        raise ValueError(f"the page cannot compute this loss: {error}") from error


def write_shares(sure: str, nout: int) -> str:
    """Write the function from outputs to probabilities; `sure` is that of `Answers`."""
    names = [f"z{j}" for j in range(nout)]
    if sure == "output":
        return javascript(lambda *outputs: list(outputs), names)
    if sure == "sigmoid":
        return javascript(lambda *outputs: [z.sigmoid() for z in outputs], names)
    return javascript(lambda *outputs: softmax(outputs), names)
