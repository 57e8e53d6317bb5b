"""Modules on images: convolution, pooling, and the step to a list; names follow PyTorch.

An image is nested lists of Values or numbers, of shape (channels, height, width). A window of
kernel_size × kernel_size pixels moves over it in steps of `stride` pixels.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

from autograd import Value, mean

from .activations import ACTIVATIONS
from .init import Initialiser, Seed, initialiser_and_rng
from .module import Module
from .pairing import as_value
from .settings import finite, several, whole
from .targets import as_lists

Image = list[list[list[Value]]]
Shape = tuple[int, int, int]


class Windows(Module):
    """Base class of modules that compute one number from each window of an image.

    Attributes:
        kernel_size: the height and the width of a window.
        stride: the number of pixels from one window to the next.
        padding: the number of zeros that are added at each of the four sides.
    """

    kernel_size: int
    stride: int
    padding = 0

    def output_shape(self, input_shape: Sequence[int]) -> Shape:
        """Return the shape (channels, height, width) of what comes out.

        A side of s pixels gives (s + 2·padding − kernel_size)//stride + 1 pixels.

        Args:
            input_shape: the shape (channels, height, width) of the image.

        Raises:
            TypeError, ValueError: `input_shape` is not three sizes, the window is larger than the
                image, or the number of channels does not fit.

        >>> Conv2d(1, 8, 3).output_shape((1, 8, 8)), MaxPool2d(2).output_shape((8, 6, 6))
        ((8, 6, 6), (8, 3, 3))
        """
        expected = "input_shape is (channels, height, width), as in (1, 8, 8)"
        sizes = several(input_shape, expected)
        if len(sizes) != 3:
            raise ValueError(f"{expected}; got {input_shape!r}")
        channels, height, width = (whole(size, "a size in input_shape") for size in sizes)
        found = self._channels(channels, height, width)
        down, across = height + 2 * self.padding, width + 2 * self.padding
        if self.kernel_size > min(down, across):
            padded = ", with its padding," if self.padding else ""
            raise ValueError(
                f"{self!r} does not fit on {(channels, height, width)}: the image{padded} has "
                f"{down} × {across} pixels, so that kernel_size is at most {min(down, across)}"
            )
        return (
            found,
            (down - self.kernel_size) // self.stride + 1,
            (across - self.kernel_size) // self.stride + 1,
        )

    def _channels(self, channels: int, height: int, width: int) -> int:
        """Return the number of channels that come out: for pooling, those that go in."""
        return channels

    def forward(self, x: Any) -> Image:
        """Compute a number from each window.

        Args:
            x: an image, nested lists of shape (channels, height, width).

        Returns:
            Nested lists of Values, of the shape that `output_shape` returns.

        Raises:
            TypeError, ValueError: x is no image, or does not fit; see `output_shape`.
        """
        image = _image(x, self)
        channels, height, width = self.output_shape(_shape(image))
        image = _padded(image, self.padding)
        outputs: Image = []
        for j in range(channels):
            rows = []
            for row in range(height):
                top = row * self.stride
                rows.append([self._at(image, j, top, i * self.stride) for i in range(width)])
            outputs.append(rows)
        return outputs

    def _at(self, image: Image, j: int, top: int, left: int) -> Value:
        """Compute output channel j from the window whose upper left corner is (top, left)."""
        raise NotImplementedError

    def _pixels(self, channel: list[list[Value]], top: int, left: int) -> list[Value]:
        """Return the pixels of one channel in a window, row by row."""
        rows = channel[top : top + self.kernel_size]
        return [pixel for row in rows for pixel in row[left : left + self.kernel_size]]


class Conv2d(Windows):
    """A convolution: the same weights in every window, b + Σ w·x over its pixels and channels.

    Args:
        in_channels: the number of channels of the image.
        out_channels: the number of channels that come out, each with weights of its own.
        kernel_size: the height and the width of a window.
        stride: the number of pixels from one window to the next.
        padding: the number of zeros to add at each of the four sides.
        init, seed: as for `Neuron`; an initialiser gets the numbers of weights of a window, times
            the number of channels that come in, or that come out.

    Attributes:
        weight: nested lists of Values, shape (out_channels, in_channels, kernel_size, kernel_size).
        bias: a list of out_channels Values, which start at zero.

    Raises:
        ValueError: a size is below 1, `padding` is below 0, or there is no such initialiser.

    >>> edge = Conv2d(1, 1, 2)
    >>> edge.load_state_dict({"weight": [[[[-1.0, 1.0], [-1.0, 1.0]]]], "bias": [0.0]})
    >>> edge.predict([[[[0, 0, 5], [0, 0, 5], [0, 0, 5]]]]).tolist()
    [[[[0.0, 10.0], [0.0, 10.0]]]]
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        *,
        init: str | Initialiser | None = None,
        seed: Seed = None,
    ) -> None:
        self.in_channels = whole(in_channels, "in_channels")
        self.out_channels = whole(out_channels, "out_channels")
        self.kernel_size = whole(kernel_size, "kernel_size")
        self.stride, self.padding = whole(stride, "stride"), whole(padding, "padding", 0)
        self.init, rng = initialiser_and_rng(init, seed, ACTIVATIONS["identity"])
        self.weight = [
            [self._kernel(j, c) for c in range(self.in_channels)] for j in range(self.out_channels)
        ]
        self.bias = [Value(0.0, f"b[{j}]") for j in range(self.out_channels)]
        for p, x in Conv2d.sample_parameters(self, rng):
            p.data = finite(x, "a weight that init draws")

    def _kernel(self, j: int, c: int) -> list[list[Value]]:
        """Return weights for a window, from channel c that comes in to channel j that comes out."""
        side = range(self.kernel_size)
        return [[Value(0.0, f"W[{j},{c},{p},{q}]") for q in side] for p in side]

    def sample_parameters(self, rng: random.Random) -> Iterator[tuple[Value, float]]:
        """Yield each weight with a number drawn by the initialiser, and each bias with zero."""
        pixels = self.kernel_size**2
        nin, nout = self.in_channels * pixels, self.out_channels * pixels
        for j, kernels in enumerate(self.weight):
            for kernel in kernels:
                for row in kernel:
                    for w in row:
                        yield w, self.init(rng, nin, nout)
            yield self.bias[j], 0.0

    def _channels(self, channels: int, height: int, width: int) -> int:
        if channels != self.in_channels:
            mend = f"make it Conv2d({channels}, {self.out_channels}, {self.kernel_size})"
            if width == self.in_channels:
                mend = "channels come first, then rows and columns"
            raise ValueError(
                f"{self!r} takes {self.in_channels} channel(s), and an image of shape "
                f"{(channels, height, width)} has {channels}: {mend}"
            )
        return self.out_channels

    def _at(self, image: Image, j: int, top: int, left: int) -> Value:
        z = self.bias[j]
        for kernel, channel in zip(self.weight[j], image):
            for p, row in enumerate(kernel):
                for q, w in enumerate(row):
                    z = z + w * channel[top + p][left + q]
        return z

    def __repr__(self) -> str:
        sizes = f"{self.in_channels}, {self.out_channels}, {self.kernel_size}"
        stride = f", stride={self.stride}" if self.stride != 1 else ""
        padding = f", padding={self.padding}" if self.padding else ""
        return f"Conv2d({sizes}{stride}{padding})"


class Pool(Windows):
    """Base class of pooling: one number from each window, for each channel by itself.

    Args:
        kernel_size: the height and the width of a window.
        stride: the number of pixels from one window to the next. Default: `kernel_size`, so that
            windows do not overlap.

    Raises:
        ValueError: a size is below 1.
    """

    def __init__(self, kernel_size: int, stride: int | None = None) -> None:
        self.kernel_size = whole(kernel_size, "kernel_size")
        self.stride = self.kernel_size if stride is None else whole(stride, "stride")

    def __repr__(self) -> str:
        stride = f", stride={self.stride}" if self.stride != self.kernel_size else ""
        return f"{type(self).__name__}({self.kernel_size}{stride})"


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


def _image(x: Any, module: Module) -> Image:
    """Return an image as nested lists of Values. Each number becomes one constant."""
    x = as_lists(x)
    shape = _shape(x)
    if len(shape) != 3:
        many = ". For many images there is model.predict(X)" if len(shape) == 4 else ""
        raise ValueError(
            f"{module!r} takes an image, nested lists of shape (channels, height, width); got "
            f"numbers of shape {shape}{many}"
        )
    return [[[as_value(pixel) for pixel in row] for row in channel] for channel in x]


def _shape(x: Any) -> tuple[int, ...]:
    """Return the shape of nested lists.

    Raises:
        ValueError: lists differ in shape, or one is empty.
    """
    if not hasattr(x, "__len__"):
        return ()
    shapes = [_shape(item) for item in several(x, "an image is nested lists of numbers")]
    if len(set(shapes)) != 1:
        raise ValueError(f"the rows of an image are of one length and not empty; got {x!r:.60}")
    return len(shapes), *shapes[0]


def _padded(image: Image, padding: int) -> Image:
    """Return an image with zeros around each channel."""
    if not padding:
        return image
    zero = Value(0.0).detach()
    beside = [zero] * padding
    found = []
    for channel in image:
        rows = [beside + row + beside for row in channel]
        empty = [[zero] * len(rows[0]) for _ in range(padding)]
        found.append(empty + rows + empty)
    return found
