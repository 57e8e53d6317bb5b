"""Compute with Graphviz where the page draws its boxes and lines.

`graph_page` calls `laid_out` for the groups that are open at first. For other views the page
computes the layout itself, in `layout.js`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..picture.render import lay_out

POINTS = 72.0  # points per inch; one pixel of the page is one point
STYLE = 'nodesep="0.22" ranksep="0.42"'


def laid_out(
    sizes: Mapping[str, tuple[int, int]], edges: Sequence[tuple[str, str, str]], rankdir: str
) -> dict[str, Any]:
    """Lay out a drawing.

    Args:
        sizes: the width and the height of each box, by its id.
        edges: the lines, as (id, from, to).
        rankdir: the direction, "LR" or "TB".

    Returns:
        `width`, `height`, `boxes` (the centre [x, y] of each box, by id), and `edges` (the SVG
        path and the middle of each line, by id).

    Raises:
        RenderError: Graphviz fails.

    >>> found = laid_out({"a": (72, 36), "b": (72, 36)}, [("e", "a", "b")], "LR")
    >>> found["boxes"]["a"], found["edges"]["e"]["path"][:4]
    ([36, 18], 'M72.')
    """
    lines = [f'digraph {{ rankdir={rankdir} {STYLE} node [shape=box fixedsize=true label=""]']
    lines += [
        f'{id_} [width="{wide / POINTS}" height="{high / POINTS}"]'
        for id_, (wide, high) in sizes.items()
    ]
    # The label reserves space for the local derivative, which the page writes beside the line.
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
    """Parse a point, and count its y from the top; Graphviz counts from the bottom."""
    x, y = map(float, text.split(","))
    return [_short(x), _short(height - y)]


def _edge(edge: dict[str, Any], height: float) -> dict[str, Any]:
    """Convert a spline of Graphviz to an SVG path, and find its middle.

    A spline is written as `e,` with the tip of the arrow, then a start, then three points for
    each Bézier curve.
    """
    tip, *points = (_point(text.removeprefix("e,"), height) for text in edge["pos"].split(" "))
    texts = [f"{x} {y}" for x, y in points]
    curves = "".join(f"C{' '.join(texts[i : i + 3])}" for i in range(1, len(texts), 3))
    return {
        "path": f"M{texts[0]}{curves}L{tip[0]} {tip[1]}",
        "middle": _point(edge["lp"], height) if "lp" in edge else points[len(points) // 2],
    }
