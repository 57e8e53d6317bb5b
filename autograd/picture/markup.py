"""HTML for notebooks: a few elements, in which every text is data and is escaped.

Notebooks strip style sheets from what they do not trust, so styles stand on the elements. Colours
are those of the notebook, light or dark: `currentColor`, and greys and bars that both can show.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

POSITIVE, NEGATIVE = "#2b87c6", "#d9661f"  # of bars: 3 to 1 or better on white and on black
LINE = "rgba(128, 128, 128, 0.45)"
QUIET = "opacity:0.72"
MONOSPACE = "font:0.93em/1.45 ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace"
TABLE = "border-collapse:collapse;width:auto;font-size:inherit;line-height:1.6"
PLAIN = "background:none;color:inherit;border:0;margin:0;padding:0"


class Markup(str):
    """HTML, in contrast to text, which is escaped wherever it becomes HTML."""

    __slots__ = ()


def element(tag: str, *children: str, **attributes: str) -> Markup:
    """An element. A child that is no Markup is text.

    >>> element("b", "1 < 2", title='"')
    '<b title="&quot;">1 &lt; 2</b>'
    """
    written = "".join(f' {name}="{html.escape(x)}"' for name, x in attributes.items())
    return Markup(f"<{tag}{written}>{joined(children)}</{tag}>")


def joined(parts: Iterable[str]) -> Markup:
    """Parts one after the other, the texts among them escaped."""
    return Markup("".join(p if isinstance(p, Markup) else html.escape(p) for p in parts))


def block(*children: str) -> Markup:
    """What a cell shows: scrolls where it is wider than the notebook."""
    return element("div", *children, style="overflow-x:auto;line-height:1.5;padding:2px 0")


def paragraph(*children: str, style: str = "") -> Markup:
    """A line or more of text."""
    return element("div", *children, style=f"margin:2px 0;{style}")


def note(*children: str) -> Markup:
    """A remark that steps back."""
    return paragraph(*children, style=f"font-size:0.92em;{QUIET}")


def warning(text: str) -> Markup:
    """A remark that does not."""
    return paragraph("⚠ ", text, style=f"border-left:3px solid {NEGATIVE};padding-left:0.5em")


def code(text: str) -> Markup:
    """Text with its own lines and spaces."""
    style = f"{PLAIN};{MONOSPACE};white-space:pre-wrap;max-height:36em;overflow:auto"
    return element("pre", text, style=style)


def details(summary: str, *children: str) -> Markup:
    """What opens on a click."""
    opener = element("summary", summary, style=f"cursor:pointer;font-size:0.92em;{QUIET}")
    return element("details", opener, *children, style="margin:4px 0")


def beside(*children: str) -> Markup:
    """Side by side where there is room."""
    style = "display:flex;flex-wrap:wrap;gap:1em 2.5em;align-items:center"
    return element("div", *children, style=style)


def table(rows: Iterable[Sequence[str]], align: str, heads: Sequence[str] = ()) -> Markup:
    """Rows of cells.

    Args:
        rows: of texts and Markup.
        align: a letter for each column: l, r or c.
        heads: above the columns.

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
    written = (
        element(tag, cell, style=f"{PLAIN};{common};text-align:{sides[side]};{style}")
        for cell, side in zip(cells, align)
    )
    return element("tr", *written, style=PLAIN)


def bar(share: float, negative: bool = False) -> Markup:
    """A bar as long as a share of the longest."""
    length = f"{9 * share:.3g}em"
    style = f"width:{length};height:0.7em;border-radius:2px"
    return element("div", style=f"{style};background:{NEGATIVE if negative else POSITIVE}")
