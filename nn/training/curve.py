"""A small line plot of the cost, without matplotlib; notebooks show it for a History."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, isfinite

from autograd.extend import markup

SPACE = "http://www.w3.org/2000/svg"  # the namespace
WIDTH, HEIGHT = 440, 180
LEFT, RIGHT, TOP, BOTTOM = 56, 430, 12, 154  # of the axes
POINTS = 300  # of a line at most; more cannot be told apart at this width
AXIS = {"stroke": markup.LINE, "fill": "none"}
STYLES = (
    {"stroke": markup.POSITIVE, "stroke-width": "2", "fill": "none"},
    {"stroke": markup.NEGATIVE, "stroke-width": "2", "fill": "none", "stroke-dasharray": "6 4"},
)


def curve(lines: Mapping[str, Sequence[float]]) -> markup.Markup:
    """Draw one or two named lines over the epochs; numbers that are not finite are left out.

    >>> 'alt="loss over 3 epochs"' in curve({"loss": [0.7, 0.4, 0.2]})
    True
    """
    finite = [x for line in lines.values() for x in line if isfinite(x)]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    epochs = max(map(len, lines.values()))

    def point(index: int, x: float) -> str:
        across = LEFT + (RIGHT - LEFT) * index / max(epochs - 1, 1)
        up = BOTTOM - (BOTTOM - TOP) * (x - low) / ((high - low) or 1.0)
        return f"{across:.1f},{up:.1f}"

    parts = [
        _line({"points": f"{LEFT},{TOP} {LEFT},{BOTTOM} {RIGHT},{BOTTOM}"} | AXIS),
        _text(f"{high:.3g}", LEFT - 6, TOP + 4, "end"),
        _text(f"{low:.3g}", LEFT - 6, BOTTOM + 4, "end"),
        _text("epoch 1", LEFT, BOTTOM + 18, "start"),
        _text(f"{epochs:,}", RIGHT, BOTTOM + 18, "end"),
    ]
    for i, (name, line) in enumerate(lines.items()):
        kept = sorted({*range(0, len(line), ceil(len(line) / POINTS) or 1), len(line) - 1})
        points = " ".join(point(k, line[k]) for k in kept if k >= 0 and isfinite(line[k]))
        up = TOP + 8 + 18 * i
        parts.append(_line({"points": points} | STYLES[i]))
        parts.append(_line({"points": f"{RIGHT - 34},{up} {RIGHT},{up}"} | STYLES[i]))
        parts.append(_text(name, RIGHT - 42, up + 4, "end"))
    size = {"viewBox": f"0 0 {WIDTH} {HEIGHT}", "width": str(WIDTH), "height": str(HEIGHT)}
    svg = markup.element("svg", *parts, xmlns=SPACE, **size, **{"font-family": "sans-serif"})
    return markup.image(svg.encode(), f"{' and '.join(lines)} over {epochs:,} epochs")


def _line(attributes: Mapping[str, str]) -> markup.Markup:
    return markup.element("polyline", **attributes)


def _text(text: str, across: int, up: int, anchor: str) -> markup.Markup:
    place = {"x": str(across), "y": str(up), "text-anchor": anchor}
    return markup.element("text", text, **place, fill=markup.GREY, **{"font-size": "11"})
