"""Where Graphviz would put boxes of given sizes, and the lines between them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..picture.render import lay_out

POINTS = 72.0  # an inch; a pixel of the page is a point
STYLE = 'nodesep="0.22" ranksep="0.42"'


def laid_out(
    sizes: Mapping[str, tuple[int, int]], edges: Sequence[tuple[str, str, str]], rankdir: str
) -> dict[str, Any]:
    """A drawing's size, the middles of its boxes, and its lines as SVG paths.

    Args:
        sizes: how wide and high each box is, by its id.
        edges: (id, from, to).
        rankdir: "LR" or "TB".

    Returns:
        `width`, `height`, `boxes` ([x, y] by id), `edges` ({path, middle} by id).

    Raises:
        RenderError: Graphviz refuses.

    >>> found = laid_out({"a": (72, 36), "b": (72, 36)}, [("e", "a", "b")], "LR")
    >>> found["boxes"]["a"], found["edges"]["e"]["path"][:4]
    ([36, 18], 'M72.')
    """
    lines = [f'digraph {{ rankdir={rankdir} {STYLE} node [shape=box fixedsize=true label=""]']
    lines += [
        f'{id_} [width="{wide / POINTS}" height="{high / POINTS}"]'
        for id_, (wide, high) in sizes.items()
    ]
    # A label of this size keeps room for the local derivative beside the line
    lines += [
        f'{tail} -> {head} [id="{id_}" label="× 0.000" fontsize=10]' for id_, tail, head in edges
    ]
    found = json.loads(lay_out("\n".join([*lines, "}"]), "json0"))
    width, height = (_short(float(x)) for x in found["bb"].split(",")[2:])
    return {
        "width": width,
        "height": height,
        "boxes": {box["name"]: _point(box["pos"], height) for box in found.get("objects", [])},
        "edges": {edge["id"]: _edge(edge, height) for edge in found.get("edges", [])},
    }


def _short(x: float) -> float | int:
    return round(x, 1) if x % 1 else int(x)


def _point(text: str, height: float) -> list[float | int]:
    """Graphviz counts from the bottom, a page from the top."""
    x, y = map(float, text.split(","))
    return [_short(x), _short(height - y)]


def _edge(edge: dict[str, Any], height: float) -> dict[str, Any]:
    """The spline: `e,` and the arrow's tip, then a start and three points for each curve."""
    tip, *points = (_point(text.removeprefix("e,"), height) for text in edge["pos"].split(" "))
    texts = [f"{x} {y}" for x, y in points]
    curves = "".join(f"C{' '.join(texts[i : i + 3])}" for i in range(1, len(texts), 3))
    return {
        "path": f"M{texts[0]}{curves}L{tip[0]} {tip[1]}",
        "middle": _point(edge["lp"], height) if "lp" in edge else points[len(points) // 2],
    }
