"""What other programs call the operations, and how each is written here."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, NoReturn


class Elsewhere:
    """A class attribute for a name of another library: reading it says what is nearest here.

    A method `__getattr__` would do the same, but NumPy looks for three names in each Value of an
    array, which would then take forty times as long.
    """

    def __init__(self, advice: str) -> None:
        self.advice = advice

    def __get__(self, thing: Any, kind: type) -> NoReturn:
        raise AttributeError(self.advice)


def add_spellings(kind: type, what: str, names: Mapping[str, str]) -> None:
    """Let a class say for names of other libraries what is nearest here.

    `dir` and tab completion leave these names out.

    >>> class Line: ...
    >>> add_spellings(Line, "a line", {"gradient": "slope"})
    >>> Line().gradient
    Traceback (most recent call last):
    ...
    AttributeError: a line has no 'gradient': here it is slope
    """
    for name, here in names.items():
        setattr(kind, name, Elsewhere(f"{what} has no {name!r}: here it is {here}"))
    kind.__dir__ = _names_of  # type: ignore[method-assign, assignment]


def _names_of(thing: Any) -> list[str]:
    """Return the attributes of a thing, without the names of other libraries."""
    return [
        name
        for name in object.__dir__(thing)
        if not isinstance(inspect.getattr_static(thing, name, None), Elsewhere)
    ]


FOREIGN = {
    **{"ln": "log", "float_power": "**", "divide": "/"},
    **{"multiply": "*", "subtract": "-", "negative": "-", "fabs": "abs(v)"},
    **{"clip_by_value": "clip", "max": "maximum", "min": "minimum"},
    **{"fmax": "maximum", "fmin": "minimum", "max_with": "maximum", "min_with": "minimum"},
    **{"sgn": "sign", "heaviside": "step", "logistic": "sigmoid", "expit": "sigmoid"},
    **{"swish": "silu", "LeakyReLU": "leaky_relu", "ReLU": "relu", "inverse": "reciprocal"},
    **{"remainder": "%", "fmod": "%", "floor_divide": "(v / w).floor()"},
    **{"ceil": "-(-v).floor()", "rint": "(v + 0.5).floor()", "round": "(v + 0.5).floor()"},
}
ARC = {f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh")}
"""NumPy's names, which are methods of a Value but no functions of `autograd`."""

OF_TENSORS = {
    **dict.fromkeys(("numpy", "tolist"), ".data"),
    **{"zero_": "v.data = 0.0", "fill_": "v.data = x", "copy_": "v.data = x"},
    **{"add_": "v.data += x", "sub_": "v.data -= x", "mul_": "v.data *= x", "div_": "v.data /= x"},
    **{"requires_grad_": "Value(x, requires_grad=False)", "is_leaf": "not v.args"},
    **{"grad_fn": ".op", "retain_grad": "not needed, for every node keeps its .grad"},
}
"""What PyTorch's tensors have besides operations."""
OF_TORCH = {"pow": "power", "abs": "absolute", "clamp": "clip"} | dict.fromkeys(
    ("tensor", "Tensor", "Variable"), "Value"
)
"""What `torch` has, as functions and classes."""
