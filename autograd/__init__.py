"""A scalar autograd engine you can see through.

>>> from autograd import Value
>>> x = Value(1.5, label="x"); w = Value(0.6, label="w"); b = Value(0.1, label="b")
>>> a = (w * x + b).sigmoid()
>>> a.backward()
>>> round(w.grad, 4)
0.2949
"""

from typing import TYPE_CHECKING

from . import methods  # noqa: F401  # the import adds methods to Value
from .compiler import Compiled, compile, drawn, require
from .core.backprop import grad
from .core.find import LabelError
from .core.functional import value_and_grad
from .core.lookup import take
from .core.modes import Setting, TraceError, detect_anomaly, no_grad, scope, setting
from .core.ops import (
    DivisionByZeroError,
    Domain,
    DomainError,
    Op,
    absolute,
    acos,
    acosh,
    add,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    clip,
    cos,
    cosh,
    div,
    elu,
    erf,
    erfc,
    exp,
    exp2,
    expm1,
    floor,
    gap,
    gelu,
    hypot,
    leaky_relu,
    log,
    log1p,
    log2,
    log10,
    maximum,
    minimum,
    mod,
    mul,
    neg,
    op,
    power,
    reciprocal,
    relu,
    rsqrt,
    sigmoid,
    sign,
    silu,
    sin,
    sinh,
    softplus,
    sqrt,
    square,
    step,
    stop_gradient,
    sub,
    tan,
    tanh,
    where,
)
from .core.sequences import log_softmax, logsumexp, mean, softmax, sum, surprisal
from .core.value import Value
from .micrograd import draw_dot, trace
from .page import Page
from .picture.draw import draw
from .picture.render import Drawing, RenderError
from .teach.check import gradcheck
from .teach.explain import Nudge, explain, nudge, sensitivity
from .teach.stepper import Stepper

__all__ = [
    "Compiled",
    "DivisionByZeroError",
    "Domain",
    "DomainError",
    "Drawing",
    "LabelError",
    "Nudge",
    "Op",
    "Page",
    "RenderError",
    "Setting",
    "Stepper",
    "TraceError",
    "Value",
    "absolute",
    "acos",
    "acosh",
    "add",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "clip",
    "compile",
    "cos",
    "cosh",
    "detect_anomaly",
    "div",
    "draw",
    "drawn",
    "draw_dot",
    "elu",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "explain",
    "expm1",
    "floor",
    "gap",
    "gelu",
    "grad",
    "gradcheck",
    "hypot",
    "leaky_relu",
    "log",
    "log10",
    "log1p",
    "log2",
    "log_softmax",
    "logsumexp",
    "maximum",
    "mean",
    "minimum",
    "mod",
    "mul",
    "neg",
    "no_grad",
    "nudge",
    "op",
    "power",
    "reciprocal",
    "relu",
    "require",
    "rsqrt",
    "scope",
    "sensitivity",
    "setting",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "sqrt",
    "square",
    "step",
    "stop_gradient",
    "sub",
    "sum",
    "surprisal",
    "take",
    "tan",
    "tanh",
    "trace",
    "value_and_grad",
    "where",
]

__version__: str

if not TYPE_CHECKING:  # because of `__getattr__`, a type checker would accept every name

    def __getattr__(name: str) -> str:
        """Return `__version__`, read only on request, because importing the metadata is slow."""
        if name == "__version__":
            from importlib.metadata import version

            return version("scalar-autograd")
        from .core.spellings import ARC, FOREIGN, OF_TORCH

        here = (FOREIGN | ARC | OF_TORCH).get(name)
        remedy = f": here it is {here}" if here else ""
        raise AttributeError(f"module 'autograd' has no attribute {name!r}{remedy}")
