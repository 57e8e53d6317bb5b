"""Every operation of the table again, computed from its definition in 150-digit arithmetic.

The module shares no code with the engine. Values come from mpmath, derivatives from central
differences with a step of 1e-50, which are far more exact than a float.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mpmath import mp, mpf

mp.dps = 150
STEP = mpf(10) ** -50


def far_out(f: Callable[..., Any]) -> Callable[..., Any]:
    """Compute to 600 digits, for differences of numbers that agree in the first hundreds."""

    def precise(a: Any) -> Any:
        with mp.workdps(600):
            return f(a)

    return precise


FORMULAS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "gap": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "pow": lambda a, b: a**b,
    "power": lambda a, b: a**b,
    "exp": mp.exp,
    "log": mp.log,
    "log1p": lambda a: mp.log(1 + a),
    "expm1": lambda a: mp.exp(a) - 1,
    "log2": lambda a: mp.log(a) / mp.log(2),
    "log10": lambda a: mp.log(a) / mp.log(10),
    "exp2": lambda a: mpf(2) ** a,
    "sqrt": mp.sqrt,
    "square": lambda a: a * a,
    "reciprocal": lambda a: 1 / a,
    "rsqrt": lambda a: 1 / mp.sqrt(a),
    "hypot": lambda a, b: mp.sqrt(a * a + b * b),
    "tan": lambda a: mp.sin(a) / mp.cos(a),
    "asin": mp.asin,
    "acos": mp.acos,
    "atan": mp.atan,
    "atan2": mp.atan2,
    "sinh": lambda a: (mp.exp(a) - mp.exp(-a)) / 2,
    "cosh": lambda a: (mp.exp(a) + mp.exp(-a)) / 2,
    "asinh": lambda a: mp.log(a + mp.sqrt(a * a + 1)),
    "acosh": lambda a: mp.log(a + mp.sqrt(a * a - 1)),
    "atanh": lambda a: mp.log((1 + a) / (1 - a)) / 2,
    "silu": lambda a: a / (1 + mp.exp(-a)),
    "gelu": far_out(lambda a: a * mp.erfc(-a / mp.sqrt(2)) / 2),
    "erf": far_out(mp.erf),
    "erfc": far_out(mp.erfc),
    "floor": mp.floor,
    "mod": lambda a, b: a - b * mp.floor(a / b),
    "sign": lambda a: mp.sign(a),
    "clip": lambda a, b, c: min(max(a, b), c),
    "sin": mp.sin,
    "cos": mp.cos,
    "tanh": lambda a: (mp.exp(a) - mp.exp(-a)) / (mp.exp(a) + mp.exp(-a)),
    "sigmoid": lambda a: 1 / (1 + mp.exp(-a)),
    "relu": lambda a: max(a, mpf(0)),
    "leaky_relu": lambda a, b: a if a > 0 else b * a,
    "elu": lambda a, b: a if a > 0 else b * (mp.exp(a) - 1),
    "softplus": lambda a: mp.log(1 + mp.exp(a)),
    "step": lambda a: mpf(1) if a > 0 else mpf(0),
    "abs": abs,
    "maximum": max,
    "minimum": min,
    "where": lambda a, b, c: c if a == 0 else b,
    "take": lambda a, *entries: entries[int(a)],
    "stop_gradient": lambda a: a,
}


def value(name: str, operands: Sequence[float]) -> Any:
    """Compute the operation's value to 150 digits."""
    return FORMULAS[name](*map(mpf, operands))


def partial(f: Callable[..., Any], operands: Sequence[Any], slot: int, step: Any = STEP) -> Any:
    """Compute ∂f/∂operand by a central difference."""
    right, left = list(map(mpf, operands)), list(map(mpf, operands))
    right[slot] += step
    left[slot] -= step
    return (f(*right) - f(*left)) / (2 * step)


def second_partial(f: Callable[..., Any], operands: Sequence[Any], first: int, second: int) -> Any:
    """Compute ∂²f/∂first∂second by a difference of differences."""
    step = mpf(10) ** -30

    def slope(*at: Any) -> Any:
        return partial(f, at, first, step)

    return partial(slope, operands, second, step)
