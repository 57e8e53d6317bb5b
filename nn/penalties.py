"""Penalties: costs of the parameters themselves, against overfitting."""

from __future__ import annotations

from collections.abc import Iterable

from autograd import Value
from autograd import sum as total

from .optim import values_in
from .settings import at_least_zero


def l1_penalty(parameters: Iterable[Value], strength: float) -> Value:
    """strength·Σ|w|: pulls each parameter towards zero by the same amount, many to zero itself.

    Raises:
        TypeError: `parameters` holds other things than Values.
        ValueError: `strength` is negative.

    Source: Tibshirani, "Regression shrinkage and selection via the lasso", JRSS B 58 (1996).

    >>> l1_penalty([Value(3.0), Value(-4.0)], 0.5).data
    3.5
    """
    strength = at_least_zero(strength, "strength")
    return strength * total(abs(p) for p in values_in(parameters))


def l2_penalty(parameters: Iterable[Value], strength: float) -> Value:
    """strength·Σw²: pulls each parameter towards zero in proportion to its size.

    Raises:
        TypeError: `parameters` holds other things than Values.
        ValueError: `strength` is negative.

    Source: Hoerl and Kennard, "Ridge regression", Technometrics 12 (1970).

    >>> l2_penalty([Value(3.0), Value(-4.0)], 0.5).data
    12.5
    """
    strength = at_least_zero(strength, "strength")
    return strength * total(p * p for p in values_in(parameters))
