"""Docstrings as reStructuredText: they are plain text, with code in single backticks.

Formulas in them, such as |x|·w_ or a*b, mean no markup. Indented lines are shown as they are.
"""

from __future__ import annotations

import re
from typing import Any

SECTIONS = {"Args", "Attributes", "Raises", "Returns", "Source", "Sources", "Yields"}
BEFORE_NAPOLEON = 400


def escape(line: str) -> str:
    r"""Write code as a literal, and let no other character mean markup.

    >>> escape("the product `a * b` of |a| and b_")
    'the product ``a * b`` of \\|a\\| and b\\_'
    """
    texts = line.split("`")
    for k, text in enumerate(texts):
        if k % 2 == 0:
            texts[k] = re.sub(r"([\\*|]|(?<=\w)_(?!\w))", r"\\\1", text)
    return "``".join(texts)


def indent(line: str) -> int:
    """Count the spaces before a line."""
    return len(line) - len(line.lstrip())


def rst(lines: list[str]) -> list[str]:
    """Translate a docstring, line by line; the sections of Google's style stay.

    >>> rst(["A cost.", "", "    C = |a|", "", "Returns:", "    The cost |a|."])
    ['A cost.', '', '::', '', '    C = |a|', '', 'Returns:', '    The cost \\\\|a\\\\|.']
    """
    made: list[str] = []
    kind = "text"
    for line in lines:
        blank = not line.strip()
        if kind == "example":
            kind = "text" if blank else kind
        elif line.lstrip().startswith(">>> "):
            kind = "example"
        elif not blank and indent(line) == 0:
            title = line.rstrip(":") if line.endswith(":") else ""
            kind = "section" if title in SECTIONS else "text"
            if title == "Derivatives":
                made += ["Derivatives::", ""]
                kind = "literal"
                continue
        elif not blank and kind == "text" and made and not made[-1].strip():
            made += ["::", ""]
            kind = "literal"
        made.append(line if kind in ("example", "literal") else escape(line))
    return made


def translate(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Translate the lines of a docstring in place: Sphinx's event `autodoc-process-docstring`."""
    lines[:] = rst(lines)


def connect(app: Any) -> None:
    """Translate each docstring before napoleon reads it."""
    app.connect("autodoc-process-docstring", translate, priority=BEFORE_NAPOLEON)
