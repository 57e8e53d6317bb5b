"""Reads the drawing of a graph for tests: its boxes and lines, as a person sees them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Any

from autograd import Value, draw
from autograd.picture.drawing import Drawing

SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"


@dataclass
class Box:
    """One node of a picture, with its texts from left to right and top to bottom."""

    id: str
    texts: list[str]
    tooltip: str
    outline: float
    at: tuple[float, float]

    @property
    def head(self) -> list[str]:
        return self.texts[: self.texts.index("data")] if "data" in self.texts else self.texts

    @property
    def data(self) -> str:
        return " ".join(self.texts[self.texts.index("data") + 1 : self.texts.index("grad")])

    @property
    def gradient(self) -> str:
        return " ".join(self.texts[self.texts.index("grad") + 1 :])


@dataclass
class Line:
    """One edge of a picture."""

    tail: str
    head: str
    colour: str
    width: float
    dashes: str
    text: str


class Picture:
    """The boxes and lines of a drawing, read back from its SVG."""

    def __init__(self, drawing: Drawing) -> None:
        self.svg = ET.fromstring(drawing.pipe("svg"))
        nodes = [_box(group) for group in self._groups("node")]
        self.stubs = [box for box in nodes if box.texts == ["⋯"]]
        self.boxes = [box for box in nodes if box.texts != ["⋯"]]
        self.lines = [_line(group) for group in self._groups("edge")]
        self.note = " ".join(_texts(next(self._groups("graph")), "./"))

    def _groups(self, kind: str) -> Any:
        return (group for group in self.svg.iter(f"{SVG}g") if group.get("class") == kind)

    @property
    def labels(self) -> set[str]:
        return {text for box in self.boxes for text in box.head}

    def box(self, label: str) -> Box:
        (found,) = [box for box in self.boxes if label in box.head]
        return found

    def line(self, label: str) -> Line:
        """Return the only line that starts at the box with this label."""
        (found,) = [line for line in self.lines if line.tail == self.box(label).id]
        return found

    def size(self) -> tuple[float, float]:
        width, height = (float(self.svg.attrib[side][:-2]) for side in ("width", "height"))
        return width, height


def _texts(group: ET.Element, where: str = ".//") -> list[str]:
    texts = ["".join(text.itertext()).strip() for text in group.findall(f"{where}{SVG}text")]
    return [text for text in texts if text]


def _box(group: ET.Element) -> Box:
    title, link = group.find(f"{SVG}title"), group.find(f".//{SVG}a")
    text = group.find(f".//{SVG}text")
    assert title is not None and text is not None
    outlines = [path for path in group.iter(f"{SVG}path") if path.get("fill") == "none"]
    return Box(
        title.text or "",
        _texts(group),
        "" if link is None else link.attrib[f"{XLINK}title"],
        max([float(path.get("stroke-width", 1)) for path in outlines], default=0.0),
        (float(text.attrib["x"]), float(text.attrib["y"])),
    )


def _line(group: ET.Element) -> Line:
    title, path = group.find(f"{SVG}title"), group.find(f".//{SVG}path")
    assert title is not None and path is not None
    tail, head = (title.text or "").split("->")
    return Line(
        tail,
        head,
        path.attrib["stroke"],
        float(path.get("stroke-width", 1)),
        path.get("stroke-dasharray", ""),
        " ".join(_texts(group)),
    )


def look(root: Value, **options: Any) -> Picture:
    return Picture(draw(root, **options))
