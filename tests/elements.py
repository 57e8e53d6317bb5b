"""Reads HTML for tests: its elements, which must be closed in order, its tables and its text."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

Attributes = dict[str, str]
IMAGE = re.compile(r'<img src="data:image/svg\+xml;base64,([^"]+)"[^>]*></img>')


def opened(html: str) -> str:
    """Return the HTML with the source of each SVG image in place of the image."""
    return IMAGE.sub(lambda found: base64.b64decode(found[1]).decode(), html)


class Elements(HTMLParser):
    """The elements of a piece of HTML.

    Attributes:
        found: each element's tag and attributes, in order.
        rows: the texts of the cells of all tables, a row each.
        text: all text.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, Attributes]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self.unclosed: list[str] = []
        self.feed(html)
        self.close()
        assert not self.unclosed

    @property
    def tags(self) -> set[str]:
        """Return the tags that occur."""
        return {tag for tag, _ in self.found}

    def of(self, tag: str) -> list[Attributes]:
        """Return the attributes of every element with this tag."""
        return [attributes for other, attributes in self.found if other == tag]

    def styles(self, tag: str, name: str) -> list[str]:
        """Return the values of a style property of the elements with this tag, where it is set."""
        pattern = rf"(?:^|;){name}:([^;]+)"
        found = (re.findall(pattern, one.get("style", "")) for one in self.of(tag))
        return [values[-1] for values in found if values]

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attributes)
        self.unclosed.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attributes}))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.unclosed.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if {"td", "th"} & set(self.unclosed):
            self.rows[-1][-1] += data
