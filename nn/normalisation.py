"""Normalisation: the numbers of an example, brought to one scale; names follow PyTorch."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from autograd import Value, mean

from .module import Module
from .nested import SizeError, items_of, nested, shape_of
from .pairing import as_value
from .settings import at_least_zero, flag, several, whole
from .targets import as_lists


class Normalisation(Module):
    """Base class of modules that bring the last axes of nested lists to one scale.

    Attributes:
        normalized_shape: the sizes of these axes, a tuple.
        weight: nested lists of Values of this shape, which start at 1; None without parameters.
        bias: likewise, which start at 0.
    """

    normalized_shape: tuple[int, ...]
    weight: Any
    bias: Any

    def _make(self, normalized_shape: int | Sequence[int], weight: bool, bias: bool) -> None:
        self.normalized_shape = _sizes(normalized_shape)
        self.weight, self.bias = (
            nested(
                self.normalized_shape,
                lambda *i, w=w, x=x: Value(x, f"{w}[{','.join(map(str, i))}]"),
            )
            if wanted
            else None
            for w, x, wanted in (("weight", 1.0, weight), ("bias", 0.0, bias))
        )

    def sample_parameters(self, rng: random.Random) -> Iterator[tuple[Value, float]]:
        """Yield each weight with 1, and each bias with 0; nothing is drawn."""
        for w in items_of(self.weight) if self.weight else ():
            yield w, 1.0
        for b in items_of(self.bias) if self.bias else ():
            yield b, 0.0

    def forward(self, x: Any) -> Any:
        """Normalise the last axes, those of `normalized_shape`; each position by itself.

        Args:
            x: nested lists of Values or numbers, such as a list of `normalized_shape` numbers, or
                a sequence of such lists.

        Returns:
            Nested lists of Values, of the shape of x.

        Raises:
            TypeError, ValueError: x does not end in axes of this shape.
        """
        x, sizes = as_lists(x), self.normalized_shape
        shape = shape_of(x, "x")
        if shape[-len(sizes) :] != sizes:
            width = sizes[0] if len(sizes) == 1 else sizes
            raise SizeError(
                f"{self!r} takes lists of {width} numbers, as a sequence of (positions, width) "
                f"has them; got numbers of shape {shape}: make it "
                f"{type(self).__name__}({shape[-1] if shape else '…'})"
            )
        return self._inner(x, len(shape) - len(sizes))

    def _inner(self, x: Any, outer: int) -> Any:
        """Normalise what is inside of `outer` axes."""
        if outer:
            return [self._inner(item, outer - 1) for item in x]
        outputs = self._normalised([as_value(xi) for xi in items_of(x)])
        if self.weight is not None:
            outputs = [w * a for w, a in zip(items_of(self.weight), outputs)]
        if self.bias is not None:
            outputs = [a + b for a, b in zip(outputs, items_of(self.bias))]
        following = iter(outputs)
        return nested(self.normalized_shape, lambda *_: next(following))

    def _normalised(self, x: list[Value]) -> list[Value]:
        raise NotImplementedError


class LayerNorm(Normalisation):
    """Layer normalisation: subtract the mean, divide by the standard deviation.

    The output is wᵢ·(xᵢ − m)/√(s² + eps) + bᵢ, where m is the mean of the xᵢ and s² the mean of
    (xᵢ − m)².

    Args:
        normalized_shape: the number of inputs, or the sizes of the last axes.
        eps: a number that keeps the divisor from zero.
        elementwise_affine: False for a module without weights and biases.
        bias: False for a module without biases.

    Attributes:
        weight, bias: as in `Normalisation`.

    Raises:
        ValueError: a size is below 1, or `eps` below 0.

    Source: Ba, Kiros and Hinton, "Layer normalization", 2016, equation (4).

    >>> [round(a.data, 3) for a in LayerNorm(3)([1.0, 2.0, 3.0])]
    [-1.225, 0.0, 1.225]
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        self.eps = at_least_zero(eps, "eps")
        affine, bias = flag(elementwise_affine, "elementwise_affine"), flag(bias, "bias")
        self._make(normalized_shape, weight=affine, bias=affine and bias)

    def _normalised(self, x: list[Value]) -> list[Value]:
        middle = mean(x)
        deviations = [xi - middle for xi in x]
        variance = mean([d * d for d in deviations])
        scale = (variance + self.eps).rsqrt()
        return [d * scale for d in deviations]

    def __repr__(self) -> str:
        return f"LayerNorm({self.normalized_shape}, eps={self.eps})"


class RMSNorm(Normalisation):
    """Normalisation by the root of the mean square: wᵢ·xᵢ/√(mean(x²) + eps).

    Args:
        normalized_shape, elementwise_affine: as for `LayerNorm`.
        eps: a number that keeps the divisor from zero. Default: 2.2e-16, the distance from 1 to
            the next float.

    Attributes:
        weight: as in `Normalisation`. There are no biases.

    Raises:
        ValueError: a size is below 1, or `eps` below 0.

    Source: Zhang and Sennrich, "Root mean square layer normalization", NeurIPS 2019, equation (4).

    >>> [round(a.data, 3) for a in RMSNorm(2)([3.0, 4.0])]
    [0.849, 1.131]
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
    ) -> None:
        self.eps = None if eps is None else at_least_zero(eps, "eps")
        affine = flag(elementwise_affine, "elementwise_affine")
        self._make(normalized_shape, weight=affine, bias=False)

    def _normalised(self, x: list[Value]) -> list[Value]:
        eps = sys.float_info.epsilon if self.eps is None else self.eps
        scale = (mean([xi * xi for xi in x]) + eps).rsqrt()
        return [xi * scale for xi in x]

    def __repr__(self) -> str:
        return f"RMSNorm({self.normalized_shape}, eps={self.eps})"


def _sizes(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    """Return the sizes of the axes that a module normalises."""
    if not hasattr(normalized_shape, "__len__"):
        return (whole(normalized_shape, "normalized_shape"),)
    sizes = several(normalized_shape, "normalized_shape is a size, or the sizes of the last axes")
    if not sizes:
        raise ValueError("normalized_shape is empty: name the size of at least one axis")
    return tuple(whole(size, "a size in normalized_shape") for size in sizes)
