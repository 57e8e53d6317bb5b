"""Links that lead out of the site, in its pages and in the parts of a README that they include.

A README names files from its own folder. Pictures are found in the gallery; files of the repository
are named without a link, because the site holds only pages. Links to pages of the site stay.
"""

from __future__ import annotations

import re
from typing import Any


def rewrite(text: str, depth: int) -> str:
    """Find pictures in the gallery, and drop links to files of the repository.

    The blank line by which an example ends before its fence is dropped, too.

    >>> rewrite("![A](gallery/a.png) and [`b`](autograd/b.py)", 1)
    '![A](../demos/gallery/a.png) and `b`'
    """
    root = "../" * depth
    text = re.sub(r"(!\[[^]]*\]\()(?:demos/)?gallery/", rf"\1{root}demos/gallery/", text)
    text = re.sub(r"\n\n+```$", "\n```", text, flags=re.MULTILINE)
    return re.sub(r"(?<!!)\[([^]]+)\]\((?:\.\./)*(?:autograd|nn|demos)/[^)]+\)", r"\1", text)


def included(app: Any, path: Any, document: str, content: list[str]) -> None:
    """Rewrite what a page includes: Sphinx's event `include-read`."""
    content[0] = rewrite(content[0], document.count("/") + 1)


def read(app: Any, document: str, content: list[str]) -> None:
    """Rewrite a page: Sphinx's event `source-read`."""
    content[0] = rewrite(content[0], document.count("/") + 1)


def connect(app: Any) -> None:
    """Rewrite the pages, and whatever they include."""
    app.connect("include-read", included)
    app.connect("source-read", read)
