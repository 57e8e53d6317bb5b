"""Modules on images and signals: convolution, pooling, the step to a list; names follow PyTorch.

An image is nested lists of Values or numbers, of shape (channels, height, width), and a signal of
shape (channels, length). A window of kernel_size pixels moves over it in steps of `stride` pixels.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from autograd import Value, mean
from autograd import sum as total

from .activations import ACTIVATIONS
from .init import Initialiser, Seed, initialiser_and_rng
from .module import Module
from .nested import SizeError, items_of, nested, shape_of
from .pairing import as_value
from .settings import finite, flag, several, whole
from .targets import as_lists

Image = list[list[list[Value]]]
Shape = tuple[int, int, int]
Pair = int | tuple[int, int]


class Sliding(Module):
    """Base class of modules that compute one number from each place of a window.

    Attributes:
        kernel_size: the sides of a window: (height, width), or (length,) on signals.
        stride: the number of pixels from one window to the next, along each side.
        padding: the number of zeros that are added at both ends of each side.
    """

    article: ClassVar[str] = "an"
    thing: ClassVar[str] = "image"  # what the window moves over
    places: ClassVar[str] = "rows and columns"
    axes: ClassVar[tuple[str, ...]] = ("height", "width")
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]

    def output_shape(self, input_shape: Sequence[int]) -> tuple[int, ...]:
        """Return the shape (channels, height, width), or (channels, length), of what comes out.

        A side of s pixels gives (s + 2·padding − kernel_size)//stride + 1 pixels.

        Args:
            input_shape: the shape of the image, or of the signal.

        Raises:
            TypeError, ValueError: `input_shape` has another number of sizes, the window is larger
                than the image, or the number of channels does not fit.

        >>> Conv2d(1, 8, 3).output_shape((1, 8, 8)), Conv1d(1, 8, 3, stride=2).output_shape((1, 9))
        ((8, 6, 6), (8, 4))
        """
        names = ("channels", *self.axes)
        expected = f"input_shape is ({', '.join(names)}), as in {(1, 8, 8)[: len(names)]}"
        sizes = several(input_shape, expected)
        if len(sizes) != len(names):
            raise ValueError(f"{expected}; got {input_shape!r}")
        channels, *sides = [whole(size, "a size in input_shape") for size in sizes]
        found = self._channels((channels, *sides))
        padded = [side + 2 * zeros for side, zeros in zip(sides, self.padding)]
        if any(size > side for size, side in zip(self.kernel_size, padded)):
            largest = tuple(padded)
            if len(set(self.kernel_size)) == 1:
                largest = (min(padded),)
            raise SizeError(
                f"{self!r} does not fit on {(channels, *sides)}: the {self.thing}"
                f"{', with its padding,' if any(self.padding) else ''} has "
                f"{' × '.join(map(str, padded))} pixels, so that kernel_size is at most "
                f"{shown_sizes(largest)}"
            )
        steps = zip(padded, self.kernel_size, self.stride)
        return (found, *[(side - size) // stride + 1 for side, size, stride in steps])

    def _channels(self, shape: tuple[int, ...]) -> int:
        """Return the number of channels that come out: for pooling, those that go in."""
        return shape[0]

    def _checked(self, x: Any) -> tuple[Any, tuple[int, ...]]:
        """Return x as nested lists of Values, and the shape of what comes out of the module.

        Each number becomes one constant.
        """
        x = as_lists(x)
        shape = shape_of(x, f"{self.article} {self.thing}")
        if len(shape) != 1 + len(self.axes):
            mend = ""
            if len(shape) == 2 + len(self.axes):
                mend = f". For many {self.thing}s there is model.predict(X)"
            elif len(shape) == len(self.axes):
                mend = f", as in X[:, None] for {self.thing}s of one channel"
            raise SizeError(
                f"{self!r} takes {self.article} {self.thing}, nested lists of shape "
                f"(channels, {', '.join(self.axes)}); got numbers of shape {shape}{mend}"
            )
        found = self.output_shape(shape)
        items = map(as_value, items_of(x))
        return nested(shape, lambda *_: next(items)), found


class Windows(Sliding):
    """Base class of modules that compute one number from each window of an image."""

    def forward(self, x: Any) -> Image:
        """Compute a number from each window.

        Args:
            x: an image, nested lists of shape (channels, height, width).

        Returns:
            Nested lists of Values, of the shape that `output_shape` returns.

        Raises:
            TypeError, ValueError: x is no image, or does not fit; see `output_shape`.
        """
        image, (channels, height, width) = self._checked(x)
        image = _padded(image, *self.padding)
        down, across = self.stride
        outputs: Image = []
        for j in range(channels):
            rows = []
            for row in range(height):
                top = row * down
                rows.append([self._at(image, j, top, i * across) for i in range(width)])
            outputs.append(rows)
        return outputs

    def _at(self, image: Image, j: int, top: int, left: int) -> Value:
        """Compute output channel j from the window whose upper left corner is (top, left)."""
        raise NotImplementedError

    def _pixels(self, channel: list[list[Value]], top: int, left: int) -> list[Value]:
        """Return the pixels of one channel in a window, row by row."""
        height, width = self.kernel_size
        rows = channel[top : top + height]
        return [pixel for row in rows for pixel in row[left : left + width]]


class Convolution(Sliding):
    """Base class of convolutions: the same weights in every window, b + Σ w·x.

    Args:
        in_channels: the number of channels that come in.
        out_channels: the number of channels that come out, each with weights of its own.
        kernel_size: the sides of a window: a number, or one for each side.
        stride: the number of pixels from one window to the next, likewise.
        padding: the number of zeros to add at both ends of each side, likewise.
        bias: False for Σ w·x.
        init, seed: as for `Neuron`; an initialiser gets the numbers of weights of a window, times
            the number of channels that come in, or that come out.

    Attributes:
        weight: nested lists of Values, shape (out_channels, in_channels, *kernel_size).
        bias: a list of out_channels Values, which start at zero; None with `bias=False`.

    Raises:
        ValueError: a size is below 1, `padding` is below 0, or there is no such initialiser.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        *,
        bias: bool = True,
        init: str | Initialiser | None = None,
        seed: Seed = None,
    ) -> None:
        self.in_channels = whole(in_channels, "in_channels")
        self.out_channels = whole(out_channels, "out_channels")
        sides = len(self.axes)
        self.kernel_size = _sizes(kernel_size, "kernel_size", sides)
        self.stride = _sizes(stride, "stride", sides)
        self.padding = _sizes(padding, "padding", sides, least=0)
        has_bias = flag(bias, "bias")
        self.init, rng = initialiser_and_rng(init, seed, ACTIVATIONS["identity"])
        shape = self.out_channels, self.in_channels, *self.kernel_size
        self.weight = nested(shape, lambda *_: Value(0.0))
        self.bias: list[Value] | Any = (
            [Value(0.0) for _ in range(self.out_channels)] if has_bias else None
        )
        for p, x in Convolution.sample_parameters(self, rng):
            p.data = finite(x, "a weight that init draws")
        self._label("")

    def _label(self, number: str) -> None:
        """Label the parameters by the number of this layer in its network, or by ""."""
        shape = self.out_channels, self.in_channels, *self.kernel_size
        for indices in itertools.product(*map(range, shape)):
            w = self.weight
            for i in indices:
                w = w[i]
            w.label = f"W{number}[{','.join(map(str, indices))}]"
        for j, b in enumerate(self.bias or ()):
            b.label = f"b{number}[{j}]"

    def sample_parameters(self, rng: random.Random) -> Iterator[tuple[Value, float]]:
        """Yield each weight with a number drawn by the initialiser, and each bias with zero."""
        pixels = 1
        for size in self.kernel_size:
            pixels *= size
        nin, nout = self.in_channels * pixels, self.out_channels * pixels
        for j, kernels in enumerate(self.weight):
            for w in items_of(kernels):
                yield w, self.init(rng, nin, nout)
            if self.bias is not None:
                yield self.bias[j], 0.0

    def _channels(self, shape: tuple[int, ...]) -> int:
        if shape[0] != self.in_channels:
            sizes = f"{shape[0]}, {self.out_channels}, {shown_sizes(self.kernel_size)}"
            mend = f"make it {type(self).__name__}({sizes})"
            if shape[-1] == self.in_channels:
                mend = f"channels come first, then {self.places}"
            raise SizeError(
                f"{self!r} takes {self.in_channels} channel(s), and {self.article} {self.thing} "
                f"of shape {shape} has {shape[0]}: {mend}"
            )
        return self.out_channels

    def __repr__(self) -> str:
        sizes = f"{self.in_channels}, {self.out_channels}, {shown_sizes(self.kernel_size)}"
        stride = f", stride={shown_sizes(self.stride)}" if set(self.stride) != {1} else ""
        padding = f", padding={shown_sizes(self.padding)}" if any(self.padding) else ""
        bias = "" if self.bias is not None else ", bias=False"
        return f"{type(self).__name__}({sizes}{stride}{padding}{bias})"


class Conv2d(Convolution, Windows):
    """A convolution of an image: the same weights in every window, b + Σ w·x over its pixels.

    Args:
        in_channels: the number of channels of the image.
        out_channels: the number of channels that come out, each with weights of its own.
        kernel_size: the side of a window, or the pair (height, width).
        stride: the number of pixels from one window to the next, or the pair (down, across).
        padding: the number of zeros to add at each of the four sides, or the pair of those above
            and below, and of those at the left and the right.
        bias, init, seed: as for `Convolution`.

    Attributes:
        weight: nested lists of Values, shape (out_channels, in_channels, height, width).
        bias: a list of out_channels Values, which start at zero; None with `bias=False`.

    Raises:
        ValueError: a size is below 1, `padding` is below 0, or there is no such initialiser.

    >>> edge = Conv2d(1, 1, 2)
    >>> edge.load_state_dict({"weight": [[[[-1.0, 1.0], [-1.0, 1.0]]]], "bias": [0.0]})
    >>> edge.predict([[[[0, 0, 5], [0, 0, 5], [0, 0, 5]]]]).tolist()
    [[[[0.0, 10.0], [0.0, 10.0]]]]
    """

    def _at(self, image: Image, j: int, top: int, left: int) -> Value:
        terms = [] if self.bias is None else [self.bias[j]]
        for kernel, channel in zip(self.weight[j], image):
            for p, row in enumerate(kernel):
                for q, w in enumerate(row):
                    terms.append(w * channel[top + p][left + q])
        return total(terms)


class Conv1d(Convolution):
    """A convolution of a signal: the same weights in every window, b + Σ w·x over its numbers.

    Args:
        in_channels: the number of channels of the signal.
        out_channels: the number of channels that come out, each with weights of its own.
        kernel_size: the length of a window.
        stride: the number of places from one window to the next.
        padding: the number of zeros to add at both ends.
        bias, init, seed: as for `Convolution`.

    Attributes:
        weight: nested lists of Values, shape (out_channels, in_channels, kernel_size).
        bias: a list of out_channels Values, which start at zero; None with `bias=False`.

    Raises:
        ValueError: a size is below 1, `padding` is below 0, or there is no such initialiser.

    >>> change = Conv1d(1, 1, 2)
    >>> change.load_state_dict({"weight": [[[-1.0, 1.0]]], "bias": [0.0]})
    >>> [z.data for z in change([[1.0, 1.0, 4.0, 2.0]])[0]]
    [0.0, 3.0, -2.0]
    """

    article, thing, places, axes = "a", "signal", "the places", ("length",)

    def forward(self, x: Any) -> list[list[Value]]:
        """Compute a number from each window.

        Args:
            x: a signal, nested lists of shape (channels, length).

        Returns:
            Nested lists of Values, of the shape that `output_shape` returns.

        Raises:
            TypeError, ValueError: x is no signal, or does not fit; see `output_shape`.
        """
        signal, (channels, length) = self._checked(x)
        zeros = [Value(0.0).detach()] * self.padding[0]
        signal = [zeros + channel + zeros for channel in signal]
        (stride,) = self.stride
        return [[self._at(signal, j, i * stride) for i in range(length)] for j in range(channels)]

    def _at(self, signal: list[list[Value]], j: int, start: int) -> Value:
        """Compute output channel j from the window that begins at `start`."""
        terms = [] if self.bias is None else [self.bias[j]]
        for kernel, channel in zip(self.weight[j], signal):
            for q, w in enumerate(kernel):
                terms.append(w * channel[start + q])
        return total(terms)


class Pool(Windows):
    """Base class of pooling: one number from each window, for each channel by itself.

    Args:
        kernel_size: the side of a window, or the pair (height, width).
        stride: the number of pixels from one window to the next, or the pair (down, across).
            Default: `kernel_size`, so that windows do not overlap.

    Raises:
        ValueError: a size is below 1.
    """

    padding = (0, 0)

    def __init__(self, kernel_size: Pair, stride: Pair | None = None) -> None:
        self.kernel_size = _sizes(kernel_size, "kernel_size", 2)
        self.stride = self.kernel_size if stride is None else _sizes(stride, "stride", 2)

    def __repr__(self) -> str:
        stride = f", stride={shown_sizes(self.stride)}" if self.stride != self.kernel_size else ""
        return f"{type(self).__name__}({shown_sizes(self.kernel_size)}{stride})"


class MaxPool2d(Pool):
    """The largest pixel of each window.

    If several are the largest, they share its gradient; PyTorch gives it to the first.

    Args:
        kernel_size, stride: as for `Pool`: by default windows do not overlap.

    >>> MaxPool2d(2).predict([[[[1, 2], [4, 3]]]]).tolist()
    [[[[4.0]]]]
    """

    def _at(self, image: Image, j: int, top: int, left: int) -> Value:
        largest, *others = self._pixels(image[j], top, left)
        for pixel in others:
            largest = largest.maximum(pixel)
        return largest


class AvgPool2d(Pool):
    """The mean of the pixels of each window.

    Args:
        kernel_size, stride: as for `Pool`: by default windows do not overlap.

    >>> AvgPool2d(2).predict([[[[1, 2], [4, 3]]]]).tolist()
    [[[[2.5]]]]
    """

    def _at(self, image: Image, j: int, top: int, left: int) -> Value:
        return mean(self._pixels(image[j], top, left))


class Flatten(Module):
    """The step from an image to a list of its pixels: channel by channel, row by row.

    >>> Flatten()([[[1.0, 2.0], [3.0, 4.0]]])
    [1.0, 2.0, 3.0, 4.0]
    """

    def forward(self, x: Any) -> list[Any]:
        """Return the items of nested lists as one list."""
        items = several(as_lists(x), "x is an image, nested lists of Values or numbers")
        return [
            inner
            for item in items
            for inner in (self.forward(item) if hasattr(item, "__len__") else [item])
        ]


def shown_sizes(sizes: tuple[int, ...]) -> str:
    """Return the text of a size for each side; of one number if all are equal.

    >>> shown_sizes((3, 3)), shown_sizes((3, 2))
    ('3', '(3, 2)')
    """
    return str(sizes[0] if len(set(sizes)) == 1 else sizes)


def _sizes(x: Any, what: str, sides: int, least: int = 1) -> tuple[int, ...]:
    """Return a size for each side, from one number for all of them, or from one for each."""
    if not isinstance(x, (tuple, list)):
        return (whole(x, what, least),) * sides
    if len(x) != sides:
        raise ValueError(f"{what} is a whole number, or {sides} of them; got {x!r}")
    return tuple(whole(size, f"a number in {what}", least) for size in x)


def _padded(image: Image, above: int, beside: int) -> Image:
    """Return an image with zeros around each channel."""
    zero = Value(0.0).detach()
    margin = [zero] * beside
    found = []
    for channel in image:
        rows = [margin + row + margin for row in channel]
        empty = [[zero] * len(rows[0]) for _ in range(above)]
        found.append(empty + rows + empty)
    return found
