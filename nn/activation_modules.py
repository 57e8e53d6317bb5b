"""The activations as modules, as in `Sequential(Linear(2, 3), ReLU())`; names follow PyTorch.

A module is made from its row of `ACTIVATIONS`: `class ReLU(ActivationModule, name="relu")`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from math import inf, pi, sqrt
from typing import Any, ClassVar

from autograd import Value

from .activations import ACTIVATIONS, Activation
from .module import Module
from .pairing import as_value
from .settings import Checked, at_least_zero, choice, finite, flag, several, whole
from .targets import as_lists


class ActivationModule(Module):
    """Base class of activations as modules. A subclass names its row of `ACTIVATIONS`.

    A subclass without a docstring gets one that names the layer with the same activation.
    """

    row: ClassVar[Activation]

    def __init_subclass__(cls, name: str | None = None) -> None:
        super().__init_subclass__()
        if name is not None:
            cls.row = ACTIVATIONS[name]
            cls.__doc__ = cls.__doc__ or _docstring(cls.__name__, cls.row)

    @property
    def activation(self) -> Activation:
        """The row of the table of activations, with the settings of this module."""
        return self.row

    def forward(self, x: Any) -> Any:
        """Compute the activations of a Value, of a list of Values, or of nested lists.

        Raises:
            TypeError: x holds something other than Values and numbers.
            ValueError: the activation is softmax, and x holds lists.

        >>> from nn import ReLU, Softmax
        >>> [a.data for a in ReLU()([Value(-1.0), Value(2.0)])]
        [0.0, 2.0]
        >>> [p.data for p in Softmax()([0.0, 0.0])]
        [0.5, 0.5]
        """
        x = as_lists(x)
        single, whole = self.activation.of_one, self.activation.of_layer
        is_list = hasattr(x, "__len__")
        inputs = several(x, "x holds Values or numbers") if is_list else [x]
        if whole is not None:
            if any(hasattr(xi, "__len__") for xi in inputs):
                raise ValueError(f"{type(self).__name__} takes the outputs of a layer, got a table")
            outputs = whole(list(map(as_value, inputs)))
            return outputs if is_list else outputs[0]
        if is_list:
            return [self.forward(xi) for xi in inputs]
        assert single is not None
        return single(as_value(x))


def _docstring(module: str, row: Activation) -> str:
    """Return the docstring of an activation of one weighted sum as a module."""
    assert row.of_one is not None
    outputs = [round(row.of_one(Value(x)).data, 4) for x in (-1.0, 1.0)]
    return (
        f"The activation {row.name} as a module: `Sequential(Linear(2, 3), {module}())` computes "
        f"what `Layer(2, 3, {row.name!r})` does.\n\n"
        f">>> [round(a.data, 4) for a in {module}()([-1.0, 1.0])]\n{outputs}\n"
    )


class Step(ActivationModule, name="step"): ...


class Sigmoid(ActivationModule, name="sigmoid"): ...


class Tanh(ActivationModule, name="tanh"): ...


class InPlace:
    """Base class of activations with PyTorch's argument `inplace`.

    Args:
        inplace: accepted, and without effect: the graph keeps every number.
    """

    def __init__(self, inplace: bool = False) -> None:
        flag(inplace, "inplace")


class ReLU(InPlace, ActivationModule, name="relu"): ...


class LeakyReLU(InPlace, ActivationModule, name="leaky_relu"):
    """The activation leaky_relu as a module: x if x > 0, else negative_slope·x.

    Args:
        negative_slope: the slope of its left half.
        inplace: without effect, as for `ReLU`.

    Raises:
        TypeError, ValueError: the slope is not a finite number.

    >>> LeakyReLU(0.5)(-2.0).data
    -1.0
    """

    negative_slope = Checked(finite)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    @property
    def activation(self) -> Activation:
        """The row leaky_relu, with this slope."""
        return replace(
            self.row, of_one=partial(Value.leaky_relu, negative_slope=self.negative_slope)
        )

    def __repr__(self) -> str:
        return f"LeakyReLU(negative_slope={self.negative_slope})"


class ELU(InPlace, ActivationModule, name="elu"):
    """The activation elu as a module: x if x > 0, else alpha·(eˣ − 1).

    Args:
        alpha: the size of its lower bound −alpha, at least 0.
        inplace: without effect, as for `ReLU`.

    Raises:
        TypeError, ValueError: alpha is not a number of at least 0.

    >>> round(ELU(2.0)(-1.0).data, 4)
    -1.2642
    """

    alpha = Checked(at_least_zero)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    @property
    def activation(self) -> Activation:
        """The row elu, with this alpha."""
        return replace(
            self.row, of_one=partial(Value.elu, alpha=self.alpha), range=(-self.alpha, inf)
        )

    def __repr__(self) -> str:
        return f"ELU(alpha={self.alpha})"


class SiLU(InPlace, ActivationModule, name="silu"): ...


def approximation(name: Any, what: str) -> str:
    """Check the name of a way to compute gelu."""
    return choice(name, what, ("none", "tanh"))


class GELU(ActivationModule, name="gelu"):
    """The activation gelu as a module: x·Φ(x), where Φ is the normal distribution.

    Args:
        approximate: "none", or "tanh" for the formula with a tanh that GPT-2 uses.

    Raises:
        TypeError, ValueError: `approximate` is neither.

    >>> round(GELU()(1.0).data, 4), round(GELU("tanh")(1.0).data, 4)
    (0.8413, 0.8412)
    """

    approximate = Checked(approximation)

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    @property
    def activation(self) -> Activation:
        """The row gelu, with this way to compute it."""
        return replace(self.row, of_one=gelu_by_tanh) if self.approximate == "tanh" else self.row

    def __repr__(self) -> str:
        return f"GELU(approximate={self.approximate!r})"


def gelu_by_tanh(x: Value) -> Value:
    """Approximate x·Φ(x) by x·(1 + tanh(u))/2, where u = √(2/π)·(x + 0.044715·x³)."""
    twice = (2.0 * sqrt(2.0 / pi)) * (x + 0.044715 * x**3)
    return x * twice.sigmoid()  # the same as (1 + tanh(u))/2, accurate in the left tail


class Softplus(ActivationModule, name="softplus"): ...


class Softmax(ActivationModule, name="softmax"):
    """The activation softmax as a module: it takes the outputs of a layer, a list of numbers.

    Args:
        dim: PyTorch's name of the axis of the classes: None, −1, 0 or 1. It has no effect, because
            the outputs of one example have only this axis; in PyTorch a batch comes before it.

    Raises:
        TypeError, ValueError: dim is another axis.

    >>> [p.data for p in Softmax(dim=-1)([0.0, 0.0])]
    [0.5, 0.5]
    """

    def __init__(self, dim: int | None = None) -> None:
        if dim is not None and whole(dim, "dim", None) not in (-1, 0, 1):
            raise ValueError(f"dim is None, -1, 0 or 1: outputs have one axis; got {dim!r}")


class Identity(ActivationModule, name="identity"): ...
