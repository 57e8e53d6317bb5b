"""A scalar autograd engine you can see through.

A `Value` is a number that remembers how it was computed. `v.backward()` stores in every node that
`v` depends on the derivative of `v` by that node.

Functions of Values, numbers and NumPy arrays:
    arithmetic      add sub mul div neg power mod square reciprocal sqrt rsqrt absolute sign floor
    exponentials    exp exp2 expm1 log log2 log10 log1p
    trigonometry    sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh hypot
    activations     relu leaky_relu elu gelu silu sigmoid softplus step erf erfc
    choices         maximum minimum clip where take
    sequences       sum mean softmax log_softmax logsumexp surprisal gap
    your own        op makes an operation, an `Op`; Domain says where it is defined

Derivatives:
    v.backward(), v.grad        reverse mode; v.recompute() after a change, v.zero_grad()
    grad, value_and_grad        derivatives as Values, so that they have derivatives too
    stop_gradient, no_grad      let no gradient through, record no graph
    gradcheck                   compare with differences
    require, detect_anomaly     check numbers where they are computed

To look and to ask, each as a function or a method of a Value:
    draw, Drawing               the graph as a picture; scope groups nodes
    draw_dot, trace             micrograd's drawing, and its list of nodes and edges
    v.stepper(), Stepper        the backward pass by hand, step by step
    explain, sensitivity        a gradient as a sum over paths; the leaves by their effect
    nudge, Nudge                what a small change does, beside what the gradient says
    v.page(), v.save_html(), Page    an HTML page that plays both passes

Speed:
    compile, Compiled           the same function as NumPy code for many rows; drawn: random numbers

Errors:
    DomainError, DivisionByZeroError, LabelError, RenderError, TraceError

`Setting` and `setting` are for libraries on top, as is `autograd.extend`. `autograd.micrograd` has
the names of micrograd.

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
from .picture.render import RenderError
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

if TYPE_CHECKING:  # because of `__getattr__`, a type checker would accept every name
    from .picture.drawing import Drawing as Drawing
else:

    def __getattr__(name: str) -> object:
        """Return what is imported on first use, because it takes long to import."""
        if name == "__version__":
            from importlib.metadata import version

            return version("scalar-autograd")
        if name == "Drawing":
            from .picture.drawing import Drawing

            return Drawing
        from .core.spellings import ARC, FOREIGN, OF_TORCH

        here = (FOREIGN | ARC | OF_TORCH).get(name)
        remedy = f": here it is {here}" if here else ""
        raise AttributeError(f"module 'autograd' has no attribute {name!r}{remedy}")


def __dir__() -> list[str]:
    return [*__all__, "__version__", "extend", "micrograd"]
