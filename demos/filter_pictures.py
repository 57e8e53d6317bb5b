"""Pictures of the lesson on convolution: a sliding filter, pooling, moved digits, a gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from demos.digit_data import Digits, moved
from demos.filters import KERNEL, POOL, STEPS, pooled, slide, strongest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE = 8.3  # inches
GREEN = "#009E73"


def signed() -> Any:
    """Return the colours of numbers from negative (orange) over zero (white) to positive (blue)."""
    from matplotlib.colors import LinearSegmentedColormap

    from nn import plots

    return LinearSegmentedColormap.from_list(
        "signed", [plots.COLOURS[0], "white", plots.COLOURS[1]]
    )


def numbers(
    axes: Axes, table: np.ndarray, title: str, size: int = 9, is_image: bool = False
) -> None:
    """Draw a table with a number in each cell; dark cells get white numbers."""
    bound = float(abs(table).max()) or 1.0
    cmap, low = ("gray", 0.0) if is_image else (signed(), -bound)
    shown = axes.imshow(table, cmap=cmap, vmin=low, vmax=bound)
    for (row, column), x in np.ndenumerate(table):
        red, green, blue, _ = shown.to_rgba(x)
        colour = "white" if 0.3 * red + 0.6 * green + 0.1 * blue < 0.5 else "#222222"
        text = f"{x}".replace("-", "−")
        axes.text(column, row, text, ha="center", va="center", fontsize=size, color=colour)
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=10)


def box(axes: Axes, top: float, left: float, side: float) -> None:
    """Draw a green frame, edged in white, around a square of cells."""
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import withStroke

    frame = Rectangle((left - 0.5, top - 0.5), side, side, fill=False, edgecolor=GREEN, linewidth=3)
    frame.set_clip_on(False)
    frame.set_path_effects([withStroke(linewidth=6, foreground="white")])  # seen in grey, too
    axes.add_patch(frame)


def sliding(image: np.ndarray) -> Figure:
    """Draw a window of an image, the filter, their products, and the map for each step."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDE, 5.7), layout="constrained")
    top, left = strongest(image)
    products = image[top : top + 3, left : left + 3] * KERNEL
    grid = figure.add_gridspec(2, 12, height_ratios=[1.4, 1.0])
    axes = figure.add_subplot(grid[0, :6])
    numbers(axes, image, "the image, and a window", is_image=True)
    box(axes, top, left, 3)
    axes = figure.add_subplot(grid[0, 6:9])
    numbers(axes, KERNEL, "the filter")
    axes = figure.add_subplot(grid[0, 9:])
    numbers(axes, products, "window × filter")
    axes.set_xlabel(f"their sum: {products.sum()}", fontsize=10)
    for i, (stride, padding) in enumerate(STEPS):
        axes = figure.add_subplot(grid[1, 3 * i : 3 * i + 3])
        found = slide(image, KERNEL, stride, padding)
        title = f"stride {stride}, padding {padding}: {len(found)} × {len(found)}"
        numbers(axes, found, title, size=7)
        row, column = top + padding, left + padding
        if row % stride == 0 and column % stride == 0:
            box(axes, row // stride, column // stride, 1)
    return figure


def pooling(image: np.ndarray) -> Figure:
    """Draw a map, the largest number of each window, and these numbers in a line."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDE, 3.6), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=[3, 2, 0.8])
    found = slide(image, KERNEL)
    small = pooled(found)
    numbers(left, found, "the map, in windows of 2 × 2")
    for place in np.ndindex(small.shape):
        box(left, place[0] * POOL, place[1] * POOL, POOL)
    numbers(middle, small, "the largest of each")
    numbers(right, small.reshape(-1, 1), "flatten")
    return figure


def reading(digits: Digits, shares: list[dict[str, float]]) -> Figure:
    """Draw an unseen digit with its moves, and the share of all that each network reads."""
    from matplotlib.figure import Figure

    from nn import plots

    by, side = digits.side // 8, digits.side
    moves = {"unseen": (0, 0), "left": (0, -by), "right": (0, by), "up": (-by, 0), "down": (by, 0)}
    figure = Figure(figsize=(WIDE, 4.0), layout="constrained")
    grid = figure.add_gridspec(2, 5, height_ratios=[1.0, 1.9])
    for i, (name, move) in enumerate(moves.items()):
        axes = figure.add_subplot(grid[0, i])
        axes.imshow(moved(digits.unseen_images[:1], side, *move).reshape(side, side), cmap="gray")
        axes.set(xticks=[], yticks=[])
        axes.set_title("an unseen digit" if name == "unseen" else f"{name} by {by}", fontsize=10)
    axes = figure.add_subplot(grid[1, :])
    for i, (name, read) in enumerate(zip(("convolutional", "dense"), shares, strict=True)):
        places = np.arange(5) + 0.36 * (i - 0.5)
        hatch = "" if i == 0 else "//"
        bars = axes.bar(places, list(read.values()), 0.34, label=name, hatch=hatch,
                        color=plots.COLOURS[1 - i], edgecolor="white")  # fmt: skip
        axes.bar_label(bars, [f"{share:.0%}" for share in read.values()], fontsize=9, padding=2)
    axes.set(xticks=[], ylim=(0.0, 1.12), xlim=(-0.5, 4.5), ylabel="digits read rightly")
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.02))
    return figure


def gradient(slopes: np.ndarray, pixels: np.ndarray) -> Figure:
    """Draw ∂C/∂z, the pixel under the weight, and their product, for each place of a map."""
    from matplotlib.figure import Figure

    from nn import plots

    figure = Figure(figsize=(WIDE, 2.9), layout="constrained")
    panels: Any = figure.subplots(1, 3)
    products = slopes * pixels
    panels[0].set_title("∂C/∂z at each place", fontsize=10)
    panels[1].imshow(pixels, cmap="gray")
    panels[1].set_title("× the pixel under the weight", fontsize=10)
    panels[2].set_title("= its part of ∂C/∂w", fontsize=10)
    total = f"{products.sum():.4g}".replace("-", "−")
    panels[2].set_xlabel(f"the sum is {total}", fontsize=10)
    for axes, table in ((panels[0], slopes), (panels[2], products)):
        bound = float(abs(table).max()) or 1.0
        shown = axes.imshow(table, cmap=signed(), vmin=-bound, vmax=bound)
        low, left = np.nonzero(table < -plots.DOTTED * bound)
        axes.plot(left, low, ".", color="#222222", markersize=30.0 / len(table))
        figure.colorbar(shown, ax=axes, shrink=0.8)
    for axes in panels:
        axes.set(xticks=[], yticks=[])
    return figure
