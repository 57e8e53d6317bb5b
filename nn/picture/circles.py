"""Columns of circles: the part of a drawing that shows layers of neurons.

The layout is fixed here; Graphviz (neato) only renders it.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autograd import Value

from ..layers import Layer

if TYPE_CHECKING:
    from autograd import Drawing

# Okabe and Ito's colours. Negative lines are also dashed, for printing in black and white.
POSITIVE, NEGATIVE, INK, QUIET = "#0072B2", "#D55E00", "#222222", "#707070"
COLUMN_GAP, ROW_GAP, RADIUS = 2.2, 0.5, 0.19  # inches
THICKEST = 3.5  # points
BOUNDS = {"sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "step": (0.0, 1.0), "tanh": (-1.0, 1.0)}
CIRCLE = {
    "shape": "circle",
    "fixedsize": "true",
    "width": f"{2 * RADIUS}",
    "fontname": "Helvetica",
    "fontsize": "8",
    "style": "filled",
    "fillcolor": "white",
    "color": INK,
    "label": "",
}


@dataclass(frozen=True)
class Columns:
    """What the columns of circles show, and where they stand.

    Attributes:
        layers: the layers of neurons.
        activations: the numbers of the inputs and of each layer; None where none are shown.
        names: the names of the outputs; empty for none.
        size: the number of inputs.
        by: "weight" or "gradient", which the lines show.
        most: the number of circles in a column at most.
        bias: "inside", "input" or None, as for `draw`.
        left: the place of the first column, in inches.
        title: the title of the first column.
    """

    layers: list[Layer]
    activations: list[list[float] | None]
    names: Sequence[Any]
    size: int
    by: str
    most: int
    bias: str | None
    left: float = 0.0
    title: str = "inputs"

    @property
    def sizes(self) -> list[int]:
        """The number of circles of each column, if none is left out."""
        return [self.size, *(layer.nout for layer in self.layers)]

    @property
    def height(self) -> float:
        """The height of the tallest column, in inches."""
        return ROW_GAP * max(min(size, self.most + 1) for size in self.sizes)

    @property
    def width(self) -> float:
        """The distance from the first column to the last, in inches."""
        return len(self.layers) * COLUMN_GAP

    def across(self, k: int) -> float:
        """Return the place of column k, in inches."""
        return round(self.left + k * COLUMN_GAP, 3)

    def add(self, picture: Drawing, foot: float) -> None:
        """Add all columns, their titles at height `foot`, and the lines."""
        for k in range(len(self.sizes)):
            self._add_column(picture, k)
        titles = [self.title, *(layer.activation.name for layer in self.layers)]
        for k, title in enumerate(titles):
            add_text(picture, f"title{k}", title, self.across(k), foot)
        for j, up in places(self.sizes[-1], self.most) if self.names else ():
            name = str(self.names[j])
            beside = self.left + self.width + RADIUS + 0.12 + 0.04 * len(name)
            add_text(picture, f"class{j}", name, beside, up)
        for k, layer in enumerate(self.layers):
            self._add_lines(picture, k, layer)

    def _add_column(self, picture: Drawing, k: int) -> None:
        layer = self.layers[k - 1] if k else None
        bounds = BOUNDS.get(layer.activation.name) if layer else None
        activations, size = self.activations[k], self.sizes[k]
        if activations is not None and bounds is None:
            bounds = span(activations)
        shown = dict(places(size, self.most))
        for j, up in shown.items():
            style = {"label": str(j), "fontcolor": QUIET, "tooltip": f"{j}"}
            if activations is not None and bounds is not None:
                style |= _lit(activations[j], *bounds)
            elif layer and self.bias == "inside":
                style["label"] = f"{layer.neurons[j].b.data:+.2g}".replace("-", "−")
            picture.node(f"n{k}_{j}", pos=f"{self.across(k)},{up}!", **style)
        if size > self.most:
            middle = shown[(self.most + 1) // 2 - 1] - ROW_GAP
            add_text(picture, f"more{k}", f"⋮ {size - self.most} more", self.across(k), middle)

    def _add_lines(self, picture: Drawing, k: int, layer: Layer) -> None:
        """Add a line for each weight and, with biases, for each bias from a further input, 1."""
        inputs = dict(places(layer.nin, self.most))
        outputs = dict(places(layer.nout, self.most))
        strengths = {
            (f"n{k}_{i}", j): self._strength(layer.neurons[j].w[i]) for j in outputs for i in inputs
        }
        if self.bias == "input":
            one = f"one{k}"
            where = f"{self.across(k)},{max(inputs.values()) + 1.2 * ROW_GAP}!"
            style = {"label": "= 1", "style": "dashed", "fontcolor": QUIET, "tooltip": "always 1"}
            picture.node(one, pos=where, **style)
            strengths |= {(one, j): self._strength(layer.neurons[j].b) for j in outputs}
        largest = max(map(abs, strengths.values())) or 1.0
        for (source, j), strength in strengths.items():
            share = abs(strength) / largest
            colour = POSITIVE if strength > 0 else NEGATIVE if strength < 0 else QUIET
            picture.edge(
                source,
                f"n{k + 1}_{j}",
                penwidth=f"{0.15 + THICKEST * share**1.5:.2f}",
                color=f"{colour}{round(40 + 190 * share):02x}",
                style="dashed" if strength < 0 else "solid",
            )

    def _strength(self, w: Value) -> float:
        strength = w.data if self.by == "weight" else w.grad or 0.0
        return strength if math.isfinite(strength) else 0.0


def add_caption(picture: Drawing, columns: Columns, up: float) -> None:
    """Add a line of text that says what the lines show."""
    if columns.layers:
        shown = "|w|" if columns.by == "weight" else "|∂C/∂w|"
        caption = f"lines as thick as {shown}; blue +, dashed −"
        add_text(picture, "caption", caption, columns.across(0) + columns.width / 2, up)


def places(size: int, most: int) -> Iterator[tuple[int, float]]:
    """Yield the index and the height of each neuron shown in a column, centred at height 0."""
    shown = list(range(size))
    if size > most:
        shown = [*range((most + 1) // 2), *range(size - most // 2, size)]
    slots = len(shown) + (size > most)
    for i, j in enumerate(shown):
        slot = i if j == i else i + 1
        yield j, round(((slots - 1) / 2 - slot) * ROW_GAP, 3)


def span(numbers: Iterable[float]) -> tuple[float, float]:
    """Return the range of brightness of these numbers: it includes 0, and is not empty."""
    finite = [x for x in numbers if math.isfinite(x)]
    return min([0.0, *finite]), max([1e-12, *finite])


def grey(x: float, low: float, high: float) -> tuple[str, bool]:
    """Return a number's colour, brighter for a larger number; and True if dark text suits it."""
    if not math.isfinite(x):
        return QUIET, False
    share = min(max((x - low) / (high - low), 0.0), 1.0)
    level = round(30 + 225 * share)
    return f"#{level:02x}{level:02x}{level:02x}", share > 0.5


def add_text(picture: Drawing, name: str, text: str, across: float, up: float) -> None:
    """Add a text in quiet letters, centred at a place."""
    picture.node(
        name,
        html.escape(text).replace("\\", "\\\\"),  # labels allow HTML entities and escapes
        pos=f"{round(across, 3)},{round(up, 3)}!",
        shape="plaintext",
        style="",
        fixedsize="false",
        fontcolor=QUIET,
        fontsize="10",
    )


def _lit(activation: float, low: float, high: float) -> dict[str, str]:
    """Return the style of a circle that shows its activation, as brightness and as a number."""
    colour, is_bright = grey(activation, low, high)
    label = _short(activation) if math.isfinite(activation) else f"{activation:g}"
    return {"fillcolor": colour, "fontcolor": INK if is_bright else "white", "label": label}


def _short(x: float) -> str:
    """Format a number so that it fits into a circle."""
    if abs(x) < 0.005:
        return "0"
    return (
        f"{x:.2f}"
        if abs(x) < 1.0
        else f"{x:.3g}"
        if abs(x) < 1000.0
        else f"{x:.0e}".replace("e+0", "e")
    )
