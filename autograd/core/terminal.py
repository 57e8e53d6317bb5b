"""Text for terminals that cannot show every character: there ∂C/∂w is written dC/dw."""

from __future__ import annotations

import codecs
import functools
import re
import sys
import unicodedata
from collections.abc import Callable
from typing import TypeVar

ERRORS = "autograd.spelled"
"""An error handler of codecs: after `sys.stdout.reconfigure(errors=ERRORS)` all can be printed."""

SPELLINGS = {
    **{"∂": "d", "Δ": "d", "·": "*", "×": "x", "−": "-", "–": "-", "—": "-", "─": "-", "÷": "/"},
    **{"→": "->", "←": "<-", "…": "...", "⋯": "...", "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~"},
    **{"½": "1/2", "¼": "1/4", "∞": "inf", "█": "#", "■": "#", "●": "o", "✓": "+", "✗": "x"},
    **{"Σ": "sum", "Π": "prod", "√": "sqrt", "′": "'", "’": "'", "‘": "'", "“": '"', "”": '"'},
    **{"▶": ">", "\u2028": " ", "\u2029": " ", "ᵀ": "^T"},
}
SUPERSCRIPTS = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻ᵃᵇᶻ]+")

T = TypeVar("T")


def spelled(text: str) -> str:
    """The text in ASCII, as one would type it.

    >>> spelled("∂a/∂z = a(1 − a)²"), spelled("σ(ε·x)")
    ('da/dz = a(1 - a)^2', 'sigma(epsilon*x)')
    """
    raised = SUPERSCRIPTS.sub(lambda found: "^" + _plain(found[0]), text)
    return "".join(c if c.isascii() else _spelled(c) for c in raised)


def _spelled(character: str) -> str:
    if character in SPELLINGS:
        return SPELLINGS[character]
    words = unicodedata.name(character, "").split()
    if words[:1] == ["GREEK"] and "LETTER" in words:
        return words[-1].lower() if "SMALL" in words else words[-1].capitalize()
    return _plain(character) or character.encode("ascii", "backslashreplace").decode()


def _plain(text: str) -> str:
    """Letters without their accents, small digits as digits."""
    apart = unicodedata.normalize("NFKD", text).replace("−", "-")
    return apart.encode("ascii", "ignore").decode()


def _handled(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return spelled(error.object[error.start : error.end]), error.end


codecs.register_error(ERRORS, _handled)


def shown(text: str) -> str:
    """The text with what `sys.stdout` cannot show spelled out; as it is where all can be shown."""
    encoding = getattr(sys.stdout, "encoding", None)
    return text.encode(encoding, ERRORS).decode(encoding) if encoding else text


def fitted(method: Callable[[T], str]) -> Callable[[T], str]:
    """A `__str__` or `__repr__` whose text can be printed on any terminal.

    `print` raises a UnicodeEncodeError for text that the terminal's encoding lacks, and what
    prints may have been waited for, or may have changed something.
    """

    @functools.wraps(method)
    def text(self: T) -> str:
        return shown(method(self))

    return text
