"""Feature maps: the part of a drawing that shows what comes out of the modules on images.

A stage is a stack of maps, one for each channel. All maps have pixels of one size, unless a map
would be too small to see.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..images import Convolution, Sliding
from .circles import BOUNDS, INK, QUIET, add_text, grey, span
from .stages import Stage, window_of

if TYPE_CHECKING:
    from autograd import Drawing

WINDOW = "#009E73"  # the colour of a window, and of the pixel that it makes
TALLEST, WIDEST = 6.5, 1.6  # inches: a stack, and a map
SMALLEST = 0.3  # inches: the side of a map
ROWS = 8  # maps above each other
GAP = 0.1  # inches between maps
BETWEEN = 0.75  # inches between stacks, at least
LETTER = 0.072  # inches: the width of a letter
LINE = 0.2  # inches from one line of text to the next
LONGEST = 24  # letters in a line of a title


@dataclass
class Stack:
    """The maps of one stage, and where they are drawn.

    Attributes:
        stage: the stage.
        k: its position.
        shown: the number of maps that are drawn.
        pixel: the side of a pixel, in inches.
        left: the place of the left side, in inches.
    """

    stage: Stage
    k: int
    shown: int
    pixel: float
    left: float = 0.0

    @property
    def rows(self) -> int:
        """The number of maps above each other."""
        return min(self.shown, ROWS)

    @property
    def size(self) -> tuple[float, float]:
        """The width and the height of a map, in inches."""
        _, height, width = self.stage.grid
        return width * self.pixel, height * self.pixel

    @property
    def lines(self) -> list[str]:
        """The title, line by line: the module and the activation."""
        name = self.stage.name
        if len(name) > LONGEST and ", stride" in name:
            head, _, tail = name.partition(", stride")
            name = f"{head},\nstride{tail}"
        return [*name.split("\n"), *filter(None, [self.stage.activation])]

    @property
    def width(self) -> float:
        """The width of the stack, in inches."""
        columns = -(-self.shown // self.rows)
        return columns * (self.size[0] + GAP) - GAP

    @property
    def height(self) -> float:
        """The height of the stack, in inches."""
        return self.rows * (self.size[1] + GAP) - GAP

    @property
    def broad(self) -> float:
        """The width of the stack or of its texts, whichever is larger."""
        return max(self.width, LETTER * max(map(len, [*self.lines, str(self.stage.shape)])))

    @property
    def middle(self) -> float:
        """The place of the middle, in inches from the left."""
        return self.left + self.broad / 2

    @property
    def right(self) -> float:
        """The place of the right side, in inches."""
        return self.left + self.broad

    def corner(self, channel: int) -> tuple[float, float]:
        """Return the place of the upper left corner of a map."""
        column, row = divmod(channel, self.rows)
        width, height = self.size
        across = self.middle - self.width / 2 + column * (width + GAP)
        return across, self.height / 2 - row * (height + GAP)

    def pixels(
        self, channel: int, row: float, column: float, rows: float, columns: float
    ) -> tuple[float, float, float, float]:
        """Return the middle, the width and the height of a rectangle of pixels of a map."""
        left, top = self.corner(channel)
        across = left + (column + columns / 2) * self.pixel
        return across, top - (row + rows / 2) * self.pixel, columns * self.pixel, rows * self.pixel


def lay_out(stages: list[Stage], most: int) -> list[Stack]:
    """Place the stages that have maps beside each other, with `most` maps in a stack at most."""
    stacks = [
        Stack(stage, k, min(stage.shape[0], most), 1.0)
        for k, stage in enumerate(stages)
        if stage.has_maps
    ]
    pixel = min(
        min(
            (TALLEST / stack.rows - GAP) / stack.stage.grid[1],
            WIDEST / max(stack.stage.grid[1:]),
        )
        for stack in stacks
    )
    left = 0.0
    for stack in stacks:
        stack.pixel = max(pixel, SMALLEST / max(stack.stage.grid[1:]))
        stack.left = left
        left += stack.broad + BETWEEN
    return stacks


def add_stacks(picture: Drawing, stacks: list[Stack], foot: float) -> None:
    """Add stacks of maps, the windows between them, and their titles below height `foot`."""
    for stack in stacks:
        for channel in range(stack.shown):
            _add_map(picture, stack, channel)
        _add_titles(picture, stack, foot)
    for before, after in itertools.pairwise(stacks):
        if isinstance(after.stage.module, Sliding):
            _add_window(picture, before, after, after.stage.module)


def add_funnel(picture: Drawing, stack: Stack, to: float, height: float) -> None:
    """Add lines from the corners of a stack to a column of circles: all pixels become inputs."""
    right = stack.middle + stack.width / 2 + GAP / 2
    for sign in (1, -1):
        add_line(picture, (right, sign * stack.height / 2), (to, sign * height / 2), QUIET)


def add_line(
    picture: Drawing, start: tuple[float, float], end: tuple[float, float], colour: str
) -> None:
    """Add a line between two places."""
    names = []
    for across, up in (start, end):
        names.append(f"at{len(picture.body)}")
        where = f"{across:.3f},{up:.3f}!"
        picture.node(names[-1], shape="point", width="0", style="invis", pos=where)
    picture.edge(*names, color=colour, penwidth="0.8")


def _add_map(picture: Drawing, stack: Stack, channel: int) -> None:
    """Add a map: with an example its pixels, row by row, and in any case its outline."""
    _, height, width = stack.stage.grid
    numbers = stack.stage.numbers
    if numbers is not None:
        numbers = numbers.reshape(stack.stage.grid)
    whole = stack.pixels(channel, 0, 0, height, width)
    said = ""
    if numbers is not None:
        bounds = BOUNDS.get(stack.stage.activation) or span(numbers.ravel().tolist())
        ground, _ = grey(float(np.median(numbers[channel])), *bounds)
        _add_box(
            picture, f"ground{stack.k}_{channel}", whole, {"style": "filled", "fillcolor": ground}
        )
        for row, pixels in enumerate(numbers[channel].tolist()):
            colours = [grey(x, *bounds)[0] for x in pixels]
            style = {"style": "striped" if width > 1 else "filled", "penwidth": "0"}
            style |= {"fillcolor": ":".join(colours), "tooltip": " "}
            place = stack.pixels(channel, row, 0, 1, width)
            _add_box(picture, f"row{stack.k}_{channel}_{row}", place, style)
        low, high = numbers[channel].min(), numbers[channel].max()
        said = f": from {low:.3g} to {high:.3g}"
    style = {"color": INK, "penwidth": "0.7", "tooltip": f"map {channel}{said}"}
    _add_box(picture, f"map{stack.k}_{channel}", whole, style)


def _add_box(
    picture: Drawing,
    name: str,
    place: tuple[float, float, float, float],
    style: dict[str, str],
) -> None:
    across, up, width, height = (round(x, 3) for x in place)
    box = {"shape": "box", "style": "", "width": f"{width}", "height": f"{height}"}
    picture.node(name, pos=f"{across},{up}!", **box | style)


def _add_titles(picture: Drawing, stack: Stack, foot: float) -> None:
    channels = stack.stage.shape[0]
    above = stack.height / 2 + 0.18
    add_text(picture, f"shape{stack.k}", str(stack.stage.shape), stack.middle, above)
    if channels > stack.shown:
        more = f"⋮ {channels - stack.shown} more"
        add_text(picture, f"hidden{stack.k}", more, stack.middle, -stack.height / 2 - 0.15)
    for i, line in enumerate(stack.lines):
        add_text(picture, f"stage{stack.k}_{i}", line, stack.middle, foot - i * LINE)


def _add_window(picture: Drawing, before: Stack, after: Stack, module: Sliding) -> None:
    """Mark a window, and the pixel that it makes in the first map.

    A convolution reads the same window of all maps, and pooling that of one.
    """
    _, height, width = after.stage.grid
    row, column = (height - 1) // 2, width // 2
    window = window_of(module)
    _, rows, columns = before.stage.grid
    top, tall = _on_the_map(window, 0, row, rows)
    left, wide = _on_the_map(window, 1, column, columns)
    down, across = window["size"]
    style = {"color": WINDOW, "penwidth": "1.6", "tooltip": f"a window of {down} × {across}"}
    pixel = after.pixels(0, row, column, 1, 1)
    for channel in range(before.shown if isinstance(module, Convolution) else 1):
        place = before.pixels(channel, top, left, tall, wide)
        _add_box(picture, f"window{after.k}_{channel}", place, style)
        right, up, half = place[0] + place[2] / 2, place[1], place[3] / 2
        edge = pixel[0] - pixel[2] / 2
        for sign in (1, -1):
            end = edge, pixel[1] + sign * pixel[3] / 2
            add_line(picture, (right, up + sign * half), end, f"{WINDOW}90")
    _add_box(picture, f"pixel{after.k}", pixel, style | {"tooltip": "the pixel that it makes"})


def _on_the_map(
    window: dict[str, tuple[int, int]], axis: int, place: int, side: int
) -> tuple[int, int]:
    """Return the start and the length of a window along one side, without what lies outside."""
    start = place * window["stride"][axis] - window["padding"][axis]
    end = min(start + window["size"][axis], side)
    start = max(start, 0)
    return start, end - start
