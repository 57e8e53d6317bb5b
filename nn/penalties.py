"""Penalties on the size of the parameters, against overfitting; see `Trainer(penalty=...)`."""

from __future__ import annotations

from collections.abc import Iterable

from autograd import Value
from autograd import sum as total

from .parameters import values_in
from .settings import at_least_zero


def l1_penalty(parameters: Iterable[Value], strength: float) -> Value:
    """Compute the L1 penalty strength·Σ|w|.

    Its gradient has the same size for every parameter, which drives many of them to zero.

    Raises:
        TypeError: `parameters` holds something other than Values.
        ValueError: `strength` is negative.

    Source: Tibshirani, "Regression shrinkage and selection via the lasso", JRSS B 58 (1996).

    >>> l1_penalty([Value(3.0), Value(-4.0)], 0.5).data
    3.5
    """
    strength = at_least_zero(strength, "strength")
    return strength * total(abs(p) for p in values_in(parameters))


def l2_penalty(parameters: Iterable[Value], strength: float) -> Value:
    """Compute the L2 penalty strength·Σw²; its gradient is proportional to each parameter.

    Raises:
        TypeError: `parameters` holds something other than Values.
        ValueError: `strength` is negative.

    Source: Hoerl and Kennard, "Ridge regression", Technometrics 12 (1970).

    >>> l2_penalty([Value(3.0), Value(-4.0)], 0.5).data
    12.5
    """
    strength = at_least_zero(strength, "strength")
    return strength * total(p * p for p in values_in(parameters))
