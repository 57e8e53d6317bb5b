"""Functions of many Values, such as `sum` and `softmax`, built from the operations of the table.

They state no derivative of their own. Functions with exponentials subtract the largest value first,
so that no exponential overflows.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable
from typing import Any

import numpy as np

from . import ops
from .boundary import refuse_masked, several
from .modes import scope
from .value import Value, constant


def sum(values: Iterable[Any]) -> Value:
    """Return v₁ + v₂ + … + vₙ, added from left to right; 0 for no values.

    Args:
        values: Values and numbers, in any iterable or in an array of any shape.

    Raises:
        TypeError: `values` is not iterable, or an element is not a number.

    >>> x = Value(2.0)
    >>> total = sum([x, 1.0, x])
    >>> total.backward()
    >>> total.data, x.grad
    (5.0, 2.0)
    """
    return functools.reduce(operator.add, _listed(values, "sum") or [constant(0.0)])


def mean(values: Iterable[Any]) -> Value:
    """Return (v₁ + … + vₙ)/n.

    Raises:
        ValueError: there are no values.
        TypeError: as for `sum`.

    >>> mean([Value(2.0), Value(4.0)]).data
    3.0
    """
    items = _at_least_one(values, "mean")
    return sum(items) / len(items)


@scope("logsumexp()")
def logsumexp(values: Iterable[Any]) -> Value:
    """Return log(e^v₁ + … + e^vₙ), computed so that no exponential overflows.

    logsumexp(v) = m + log Σ exp(vᵢ − m), m = max v. The derivative by m is zero, so m is treated
    as a constant. For infinite values, the result is the limit of the formula. Equal infinities
    share the derivative equally, as in `maximum`.

    Raises:
        ValueError: there are no values.
        TypeError: as for `sum`.

    Source: Blanchard, Higham and Higham, "Accurately computing the log-sum-exp and softmax
    functions", IMA J. Numer. Anal. 41 (2021), equation (1.4).

    >>> logsumexp([Value(1000.0), Value(1000.0)]).data
    1000.6931471805599
    >>> logsumexp([1.0, Value(float("inf"))]).data
    inf
    """
    items = _at_least_one(values, "logsumexp")
    if len(items) == 1:
        return items[0]
    largest, exponentials = _shifted_exponentials(items)
    return largest + sum(exponentials).log()


@scope("softmax()")
def softmax(values: Iterable[Any]) -> list[Value]:
    """Return exp(vᵢ)/Σ exp(vⱼ) for each i: positive numbers that add up to 1.

    For infinite values, the result is the limit of the formula. If several values are the largest
    and infinite, their results are equal.

    Raises:
        ValueError: there are no values.
        TypeError: as for `sum`.

    Source: Blanchard, Higham and Higham (2021), equation (1.5).

    >>> [round(p.data, 3) for p in softmax([Value(-1000.0), Value(0.0), Value(0.0)])]
    [0.0, 0.5, 0.5]
    """
    _, exponentials = _shifted_exponentials(_at_least_one(values, "softmax"))
    total = sum(exponentials)
    return [e / total for e in exponentials]


@scope("log_softmax()")
def log_softmax(values: Iterable[Any]) -> list[Value]:
    """Return log softmax(v)ᵢ for each i, accurate where softmax itself rounds to 0 or 1.

    Each result is −`surprisal`, which takes n − 1 exponentials. If you need the result for one i
    only, call `surprisal`.

    Raises:
        ValueError: there are no values.
        TypeError: as for `sum`.

    >>> [p.data for p in log_softmax([Value(0.0), Value(-50.0)])]
    [-1.92...e-22, -50.0]
    """
    items = _at_least_one(values, "log_softmax")
    return [-surprisal(v, [*items[:i], *items[i + 1 :]]) for i, v in enumerate(items)]


def surprisal(value: Any, others: Iterable[Any]) -> Value:
    """Return −log p for one of several choices, where p = exp(v)/(exp(v) + Σ exp(oⱼ)).

    It is computed as softplus(log Σ exp(oⱼ − v)). The value and its derivatives, p − 1 and the pⱼ,
    are accurate in both tails, because no p that was rounded to 0 or 1 is used. Without others,
    the result is 0.

    Args:
        value: v, a Value or number.
        others: the oⱼ, as for `sum`.

    Raises:
        TypeError: as for `sum`.

    Source: Shannon, "A mathematical theory of communication", Bell System Technical Journal 27
    (1948), section 6. The entropy defined there is the mean of −log p.

    >>> v = Value(60.0)
    >>> cost = surprisal(v, [0.0])
    >>> cost.backward()
    >>> cost.data, v.grad
    (8.75651076269652e-27, -8.75651076269652e-27)
    """
    (item,), items = _listed([value], "surprisal"), _listed(others, "surprisal")
    if not items:
        certain: Value = ops.gap(item, item)
        return certain
    largest, exponentials = _shifted_exponentials(items)
    odds_against: Value = sum(exponentials).log() + ops.gap(largest, item)
    return odds_against.softplus()


def _shifted_exponentials(items: list[Value]) -> tuple[Value, list[Value]]:
    """Return m = max v, through which no gradient flows, and exp(vᵢ − m) for each i."""
    largest = ops.stop_gradient(functools.reduce(ops.maximum, items))
    return largest, [item._apply(ops.gap, (item, largest)).exp() for item in items]


def _at_least_one(values: Iterable[Any], what: str) -> list[Value]:
    """Return the values as a list of Values, and refuse an empty one."""
    items = _listed(values, what)
    if not items:
        raise ValueError(f"{what} needs at least one value, got none")
    return items


def _listed(values: Iterable[Any], what: str) -> list[Value]:
    """Return the values as a list of Values, with numbers as constants."""
    if isinstance(values, np.ndarray):
        refuse_masked(values, what)
        values = values.ravel().tolist()
    items = several(values, f"{what} takes a sequence of Values, as in {what}([a, b])")
    return [v if isinstance(v, Value) else constant(v, what) for v in items]
