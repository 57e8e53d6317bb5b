"""Functions of many Values, built from the operations of the table."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np

from . import ops
from .boundary import refuse_masked, several
from .value import Value, constant


def sum(values: Iterable[Any]) -> Value:
    """v₁ + v₂ + … + vₙ, added from left to right; 0 for no values.

    Args:
        values: Values and numbers: any iterable, or an array of any shape.

    Raises:
        TypeError: `values` is not iterable, or an element is not a number.

    >>> x = Value(2.0)
    >>> total = sum([x, 1.0, x])
    >>> total.backward()
    >>> total.data, x.grad
    (5.0, 2.0)
    """
    return functools.reduce(ops.add, _listed(values, "sum") or [constant(0.0)])


def mean(values: Iterable[Any]) -> Value:
    """(v₁ + … + vₙ)/n.

    Raises:
        ValueError: there are no values.
        TypeError: as for `sum`.

    >>> mean([Value(2.0), Value(4.0)]).data
    3.0
    """
    items = _some(values, "mean")
    return sum(items) / len(items)


def logsumexp(values: Iterable[Any]) -> Value:
    """log(e^v₁ + … + e^vₙ), with the largest taken out first so that nothing overflows.

    logsumexp(v) = m + log Σ exp(vᵢ − m), m = max v; the derivative by m is zero and is not taken.
    Infinities count as what they are the limit of; equal ones share the derivative, as in maximum.

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
    items = _some(values, "logsumexp")
    if len(items) == 1:
        return items[0]
    largest, exponentials = _shifted_exponentials(items)
    return largest + sum(exponentials).log()


def softmax(values: Iterable[Any]) -> list[Value]:
    """exp(vᵢ)/Σ exp(vⱼ) for each i: positive numbers that add up to one.

    Infinities count as what they are the limit of; equal ones at the top have equal shares.

    Raises:
        ValueError: there are no values.
        TypeError: as for `sum`.

    Source: Blanchard, Higham and Higham (2021), equation (1.5).

    >>> [round(p.data, 3) for p in softmax([Value(-1000.0), Value(0.0), Value(0.0)])]
    [0.0, 0.5, 0.5]
    """
    _, exponentials = _shifted_exponentials(_some(values, "softmax"))
    total = sum(exponentials)
    return [e / total for e in exponentials]


def log_softmax(values: Iterable[Any]) -> list[Value]:
    """log softmax(v)ᵢ for each i, exact where a softmax rounds to 0 or 1: −`surprisal`.

    It takes n − 1 exponentials for each of n values; where one i is wanted, take its `surprisal`.

    Raises:
        ValueError: there are no values.
        TypeError: as for `sum`.

    >>> [p.data for p in log_softmax([Value(0.0), Value(-50.0)])]
    [-1.92...e-22, -50.0]
    """
    items = _some(values, "log_softmax")
    return [-surprisal(v, [*items[:i], *items[i + 1 :]]) for i, v in enumerate(items)]


def surprisal(value: Any, others: Iterable[Any]) -> Value:
    """−log p of the first of several choices, p = exp(v)/(exp(v) + Σ exp(oⱼ)).

    It is softplus(log Σ exp(oⱼ − v)). The value and its derivatives, p − 1 and the pⱼ, are exact
    in both tails: no p that was rounded to 0 or 1 takes part. Beside no others it is 0.

    Args:
        value: v, a Value or number.
        others: the oⱼ, as for `sum`.

    Raises:
        TypeError: as for `sum`.

    Source: Shannon, "A mathematical theory of communication", Bell System Technical Journal 27
    (1948), section 6, whose entropy is its mean.

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
    """The largest, through which no gradient flows, and exp(vᵢ − largest) for each."""
    largest = ops.stop_gradient(functools.reduce(ops.maximum, items))
    return largest, [item._apply(ops.gap, (item, largest)).exp() for item in items]


def _some(values: Iterable[Any], what: str) -> list[Value]:
    items = _listed(values, what)
    if not items:
        raise ValueError(f"{what} needs at least one value, got none")
    return items


def _listed(values: Iterable[Any], what: str) -> list[Value]:
    if isinstance(values, np.ndarray):
        refuse_masked(values, what)
        values = values.ravel().tolist()
    items = several(values, f"{what} takes a sequence of Values, as in {what}([a, b])")
    return [v if isinstance(v, Value) else constant(v, what) for v in items]
