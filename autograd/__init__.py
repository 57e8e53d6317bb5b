"""A scalar autograd engine you can see through.

>>> from autograd import Value
>>> x = Value(1.5, label="x"); w = Value(0.6, label="w"); b = Value(0.1, label="b")
>>> a = (w * x + b).sigmoid()
>>> a.backward()
>>> round(w.grad, 4)
0.2949
"""

from . import boundary, markup, terminal
from .backprop import grad
from .check import gradcheck
from .compile import Compiled, compile, drawn, require
from .draw import draw
from .explain import Nudge, explain, nudge, sensitivity
from .files import destination, read_whole, write_whole
from .flat import Flat
from .graph import LabelError
from .micrograd import draw_dot, trace
from .modes import Setting, TraceError, detect_anomaly, no_grad, scope, setting
from .ops import (
    TABLE,
    DivisionByZeroError,
    Domain,
    DomainError,
    Op,
    absolute,
    add,
    cos,
    div,
    elu,
    exp,
    expm1,
    gap,
    leaky_relu,
    log,
    log1p,
    maximum,
    minimum,
    mul,
    neg,
    op,
    power,
    relu,
    sigmoid,
    sin,
    softplus,
    sqrt,
    step,
    stop_gradient,
    sub,
    tanh,
    where,
)
from .page import Page, javascript
from .render import Drawing, RenderError
from .sequences import log_softmax, logsumexp, mean, softmax, sum, surprisal
from .stepper import Stepper
from .value import Value

__all__ = [
    "TABLE",
    "Compiled",
    "DivisionByZeroError",
    "Domain",
    "DomainError",
    "Drawing",
    "Flat",
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
    "add",
    "boundary",
    "compile",
    "cos",
    "destination",
    "detect_anomaly",
    "div",
    "draw",
    "drawn",
    "draw_dot",
    "elu",
    "exp",
    "explain",
    "expm1",
    "gap",
    "grad",
    "gradcheck",
    "javascript",
    "leaky_relu",
    "log",
    "log1p",
    "log_softmax",
    "logsumexp",
    "markup",
    "maximum",
    "mean",
    "minimum",
    "mul",
    "neg",
    "no_grad",
    "nudge",
    "op",
    "power",
    "read_whole",
    "relu",
    "require",
    "scope",
    "sensitivity",
    "setting",
    "sigmoid",
    "sin",
    "softmax",
    "softplus",
    "sqrt",
    "step",
    "stop_gradient",
    "sub",
    "sum",
    "surprisal",
    "tanh",
    "terminal",
    "trace",
    "where",
    "write_whole",
]
