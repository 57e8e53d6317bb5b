"""Build the HTML of notebook displays from a few elements; all plain text is escaped.

Every `_repr_html_` in `autograd` and `nn` uses this module. Styles are written on the elements,
because notebooks remove style sheets from untrusted output. Text takes the notebook's own colour,
and the other colours are readable on light and on dark backgrounds.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence

POSITIVE, NEGATIVE = "#2b87c6", "#d9661f"  # bars; contrast at least 3:1 on white and on black
LINE = "rgba(128, 128, 128, 0.45)"
GREY = "#767676"  # text in an image, which has no colour of the notebook
QUIET = "opacity:0.72"
MONOSPACE = "font:0.93em/1.45 ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace"
TABLE = "border-collapse:collapse;width:auto;font-size:inherit;line-height:1.6"
PLAIN = "background:none;color:inherit;border:0;margin:0;padding:0"


class Markup(str):
    """A string of finished HTML. Any other string is text, and is escaped when it is inserted."""

    __slots__ = ()


def element(tag: str, *children: str, **attributes: str) -> Markup:
    """Return an HTML element. A child that is not a `Markup` is text and is escaped.

    >>> element("b", "1 < 2", title='"')
    '<b title="&quot;">1 &lt; 2</b>'
    """
    inside = "".join(f' {name}="{html.escape(x)}"' for name, x in attributes.items())
    return Markup(f"<{tag}{inside}>{joined(children)}</{tag}>")


def joined(parts: Iterable[str]) -> Markup:
    """Concatenate the parts, and escape those that are text."""
    return Markup("".join(p if isinstance(p, Markup) else html.escape(p) for p in parts))


def block(*children: str) -> Markup:
    """Return the outermost element of a display, which scrolls if it is too wide."""
    return element("div", *children, style="overflow-x:auto;line-height:1.5;padding:2px 0")


def paragraph(*children: str, style: str = "") -> Markup:
    """Return a paragraph of text."""
    return element("div", *children, style=f"margin:2px 0;{style}")


def note(*children: str) -> Markup:
    """Return a remark in small, pale text."""
    return paragraph(*children, style=f"font-size:0.92em;{QUIET}")


def warning(text: str) -> Markup:
    """Return a warning with a sign and a coloured border."""
    return paragraph("⚠ ", text, style=f"border-left:3px solid {NEGATIVE};padding-left:0.5em")


def code(text: str) -> Markup:
    """Return text in a monospace font, with its line breaks and spaces preserved."""
    style = f"{PLAIN};{MONOSPACE};white-space:pre-wrap;max-height:36em;overflow:auto"
    return element("pre", text, style=style)


def details(summary: str, *children: str) -> Markup:
    """Return a section that is closed at first: a click on the summary opens it."""
    opener = element("summary", summary, style=f"cursor:pointer;font-size:0.92em;{QUIET}")
    return element("details", opener, *children, style="margin:4px 0")


def beside(*children: str) -> Markup:
    """Place the children side by side where there is room, else below each other."""
    style = "display:flex;flex-wrap:wrap;gap:1em 2.5em;align-items:center"
    return element("div", *children, style=style)


def table(rows: Iterable[Sequence[str]], align: str, heads: Sequence[str] = ()) -> Markup:
    """Return a table.

    Args:
        rows: the rows; each cell is text or Markup.
        align: one letter for each column: l (left), r (right) or c (centre).
        heads: the column headings.

    >>> "<script>" in table([["<script>"]], "l")
    False
    """
    below = f"border-bottom:1px solid {LINE}"
    lines = [_row("th", heads, align, f"font-weight:normal;{QUIET};{below}")] if heads else []
    lines += [_row("td", row, align, "") for row in rows]
    return element("table", *lines, style=f"{PLAIN};{TABLE}")


def _row(tag: str, cells: Sequence[str], align: str, style: str) -> Markup:
    sides = {"l": "left", "r": "right", "c": "center"}
    common = "padding:1px 0.8em 1px 0;font-variant-numeric:tabular-nums;white-space:nowrap"
    elements = (
        element(tag, cell, style=f"{PLAIN};{common};text-align:{sides[side]};{style}")
        for cell, side in zip(cells, align)
    )
    return element("tr", *elements, style=PLAIN)


def image(svg: bytes, alt: str) -> Markup:
    """Return an SVG as an image that shrinks to the width of a notebook's cell.

    JupyterLab shows an SVG element at its full width, and of one in a notebook that it does not
    trust it leaves the words alone; an image it keeps.
    """
    data = base64.b64encode(svg).decode()
    style = "max-width:100%;height:auto;border-radius:8px"
    return element("img", src=f"data:image/svg+xml;base64,{data}", alt=alt, style=style)


def bar(share: float, negative: bool = False) -> Markup:
    """Return a bar whose length is `share` (0 to 1) of the longest bar."""
    length = f"{9 * share:.3g}em"
    style = f"width:{length};height:0.7em;border-radius:2px"
    return element("div", style=f"{style};background:{NEGATIVE if negative else POSITIVE}")
