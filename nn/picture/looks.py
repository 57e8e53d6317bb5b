"""Attention in a drawing: a map for each head, a cell for each pair of positions.

A row is a position that looks, a column one that it looks at; a fuller cell is a larger share.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autograd import no_grad

from ..attention import MultiheadAttention
from ..modes import evaluating
from ..module import Module
from ..prediction import numbers_in
from ..settings import several
from ..targets import as_lists
from .circles import INK, POSITIVE, add_text

if TYPE_CHECKING:
    from autograd import Drawing

CELL, SMALL_CELL = 0.34, 0.17  # inches
NUMBERED = 6  # most positions for which each cell has its number
LETTER = 0.08  # inches: the width of a letter
DARK = 0.8  # from this share on, bright text is easier to read
GAP = 0.45  # inches between maps
TITLE = 0.2  # inches: a line of text
CAPTION = 1.6  # inches: the middle of titles

Table = list[list[float]]


def has_attention(model: Module) -> bool:
    """Return True if a part of the model is attention.

    >>> from nn import Linear
    >>> has_attention(MultiheadAttention(4, 2)), has_attention(Linear(2, 1))
    (True, False)
    """
    return any(isinstance(module, MultiheadAttention) for module in model.modules())


def add_attention(
    picture: Drawing, model: Module, x: Any, names: Sequence[Any] | None, most: int
) -> None:
    """Run a model on an example, and add the maps of its heads, a line for each module.

    Args:
        picture: the drawing.
        model: a model with attention.
        x: the example; None is refused.
        names: names of the positions. Default: their indices.
        most: the number of heads in a line at most.

    Raises:
        ValueError: there is no example, or names do not fit it.
    """
    if x is None:
        raise ValueError("attention depends on what is read: give an example x")
    with evaluating(model), no_grad():
        model(as_lists(x))
    top = 0.0
    for k, (name, module) in enumerate(model.named_modules()):
        if isinstance(module, MultiheadAttention) and module.shares:
            heads: list[Table] = numbers_in(module.shares)
            title = f"{name}: {module!r}" if name else repr(module)
            top = _add_heads(picture, f"{k}", title, heads[:most], names, top)
            if len(heads) > most:
                add_text(picture, f"hidden{k}", f"⋮ {len(heads) - most} more heads", 0.0, top)
                top -= TITLE
    caption = "a row looks at its columns; a fuller cell is a larger share"
    add_text(picture, "caption", caption, CAPTION, top)


def _add_heads(
    picture: Drawing,
    name: str,
    title: str,
    heads: list[Table],
    names: Sequence[Any] | None,
    top: float,
) -> float:
    """Add the maps of one module below height `top`; return the height below them."""
    down, across = _names(names, len(heads[0])), _names(names, len(heads[0][0]))
    high = CELL if max(len(down), len(across)) <= NUMBERED else SMALL_CELL
    wide = max(high, LETTER * max(map(len, across)))
    add_text(picture, f"title{name}", title, CAPTION, top)
    first = top - 2 * TITLE - high / 2
    beside = LETTER * max(map(len, down))
    for h, head in enumerate(heads):
        left = h * (len(across) * wide + beside + GAP)
        grid = _Grid(left, first, wide, high, down, across)
        grid.add(picture, f"{name}_{h}", head)
        middle, foot = left + (len(across) - 1) * wide / 2, first - len(down) * high
        add_text(picture, f"head{name}_{h}", f"head {h}", middle, foot)
    return foot - 1.5 * TITLE


def _names(names: Sequence[Any] | None, count: int) -> list[str]:
    if names is None:
        return [str(i) for i in range(count)]
    listed = list(names) if isinstance(names, str) else several(names, "classes are names")
    if len(listed) != count:
        raise ValueError(f"there are {count} positions and {len(listed)} names for them")
    return [str(name) for name in listed]


@dataclass(frozen=True)
class _Grid:
    """The cells of one map: the place of the first, their width and height, and the names."""

    left: float
    top: float
    wide: float
    high: float
    down: list[str]
    across: list[str]

    def add(self, picture: Drawing, name: str, head: Table) -> None:
        """Add the cells, a frame around them, and the names."""
        rows, columns = len(self.down), len(self.across)
        for j, column in enumerate(self.across):
            above = self.top + self.high / 2 + 0.1
            add_text(picture, f"column{name}_{j}", column, self.left + j * self.wide, above)
        for i, row in enumerate(self.down):
            beside = self.left - self.wide / 2 - 0.06 - LETTER * len(row) / 2
            add_text(picture, f"row{name}_{i}", row, beside, self.top - i * self.high)
            for j, share in enumerate(head[i]):
                self._add_box(picture, f"cell{name}_{i}_{j}", i, j, self._style(i, j, share))
        frame = {"style": "", "penwidth": "0.7"}
        middle = (rows - 1) / 2, (columns - 1) / 2
        size = {"width": f"{columns * self.wide:.3f}", "height": f"{rows * self.high:.3f}"}
        self._add_box(picture, f"frame{name}", *middle, frame | size)

    def _style(self, i: int, j: int, share: float) -> dict[str, str]:
        said = f"{self.down[i]} looks at {self.across[j]}: {share:.3g}"
        return {
            "width": f"{self.wide:.3f}",
            "height": f"{self.high:.3f}",
            "color": "white",
            "penwidth": "0.5",
            "fillcolor": _tint(share),
            "fontcolor": "white" if share > DARK else INK,
            "label": f"{share:.2f}" if self.high == CELL else "",
            "tooltip": html.escape(said).replace("\\", "\\" * 4),
        }

    def _add_box(
        self, picture: Drawing, name: str, i: float, j: float, style: dict[str, str]
    ) -> None:
        across, up = self.left + j * self.wide, self.top - i * self.high
        picture.node(name, shape="box", pos=f"{across:.3f},{up:.3f}!", **style)


def _tint(share: float) -> str:
    """Return the colour of a share: from white to blue."""
    full = [int(POSITIVE[i : i + 2], 16) for i in (1, 3, 5)]
    levels = [round(255 + (level - 255) * min(max(share, 0.0), 1.0)) for level in full]
    return "#" + "".join(f"{level:02x}" for level in levels)
