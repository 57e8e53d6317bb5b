"""Detecting a last activation that does not fit the loss, such as softmax before cross_entropy.

`Trainer.fit` warns of it, and the diagnosis reports it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.extend import TABLE

from ..loss_modules import function_of
from ..losses import binary_cross_entropy_with_logits, cross_entropy, nll_loss
from ..prediction import numbers_in

REMEDY = "To mend it, leave out the last activation, as output='identity' does"


def squashed_twice(loss: Any, outputs: Sequence[Any]) -> str:
    """Explain what is wrong if the outputs are not of the kind that the loss needs.

    It recognises probabilities where the loss needs logits, and for `nll_loss` outputs that are
    not log-probabilities.

    Args:
        loss: a function or a module of `nn`.
        outputs: the model's outputs for some examples, each a Value or a list of Values.

    Returns:
        The problem, its effect and the remedy; "" if no problem is found.

    >>> from autograd import Value, softmax
    >>> print(squashed_twice(cross_entropy, [softmax([Value(0.5), Value(2.0)])]))
    the outputs are probabilities already, and cross_entropy takes the softmax of them once more:
    no class of 2 gets above 0.731, however long it learns. To mend it, leave out the last
    activation, as output='identity' does
    """
    function = function_of(loss)
    rows = [row if hasattr(row, "__len__") else [row] for row in outputs]
    if function is cross_entropy and (_sigmoids(rows) or _add_up(numbers_in(rows))):
        count = len(rows[0])
        return (
            f"the outputs are probabilities already, and cross_entropy takes the softmax of them "
            f"once more: no class of {count} gets above {math.e / (math.e + count - 1.0):.3g}, "
            f"however long it learns. {REMEDY}"
        )
    takes_logits = function is binary_cross_entropy_with_logits
    if takes_logits and (_sigmoids(rows) or _add_up(numbers_in(rows))):
        return (
            f"the outputs are probabilities already, and binary_cross_entropy_with_logits takes "
            f"the sigmoid of them once more: they stay between 0.5 and 0.731. {REMEDY}, or use "
            f"binary_cross_entropy"
        )
    if function is nll_loss and not _add_up(logs := numbers_in(rows), exp=True):
        total = sum(math.exp(min(x, 700.0)) for x in logs[0])
        return (
            f"nll_loss takes logarithms of probabilities, and exp of the outputs of an example "
            f"adds up to {total:.4g}, not to 1, so its cost is that of no probability. To mend "
            f"it, use cross_entropy with logits, or put autograd.log_softmax before it"
        )
    return ""


def _sigmoids(rows: list[Any]) -> bool:
    return all(v.op is TABLE["sigmoid"] for row in rows for v in row)


def _add_up(rows: list[list[float]], exp: bool = False) -> bool:
    """Return True if each row, or its exponentials, has several probabilities with the sum 1."""
    with np.errstate(over="ignore"):
        found = np.exp(rows) if exp else np.array(rows)
    total = found.sum(axis=1)
    return bool(found.shape[1] > 1 and (found >= 0.0).all() and (abs(total - 1.0) < 1e-9).all())
