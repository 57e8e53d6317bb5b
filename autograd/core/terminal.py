"""Text for terminals that cannot show every character, where ∂C/∂w is printed as dC/dw."""

from __future__ import annotations

import codecs
import functools
import re
import sys
import unicodedata
from collections.abc import Callable
from typing import TypeVar

ERRORS = "autograd.spelled"
"""The name of a codec error handler: `sys.stdout.reconfigure(errors=ERRORS)` makes print use it."""

SPELLINGS = {
    **{"∂": "d", "Δ": "d", "·": "*", "×": "x", "−": "-", "–": "-", "—": "-", "─": "-", "÷": "/"},
    **{"→": "->", "←": "<-", "…": "...", "⋯": "...", "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~"},
    **{"½": "1/2", "¼": "1/4", "∞": "inf", "█": "#", "■": "#", "●": "o", "✓": "+", "✗": "x"},
    **{"Σ": "sum", "Π": "prod", "√": "sqrt", "′": "'", "’": "'", "‘": "'", "“": '"', "”": '"'},
    **{"▶": ">", "\u2028": " ", "\u2029": " ", "ᵀ": "^T"},
}
SUPERSCRIPTS = "[⁰¹²³⁴⁵⁶⁷⁸⁹⁻ᵃᵇᶻ]+"

T = TypeVar("T")


def spell(text: str) -> str:
    """Return the text in ASCII, as one would type it.

    >>> spell("∂a/∂z = a(1 − a)²"), spell("σ(ε·x)")
    ('da/dz = a(1 - a)^2', 'sigma(epsilon*x)')
    """
    raised = re.sub(SUPERSCRIPTS, lambda found: "^" + _plain(found[0]), text)
    return "".join(c if c.isascii() else _spelled(c) for c in raised)


def _spelled(character: str) -> str:
    """Return one character in ASCII; a Greek letter becomes its name."""
    if character in SPELLINGS:
        return SPELLINGS[character]
    words = unicodedata.name(character, "").split()
    if words[:1] == ["GREEK"] and "LETTER" in words:
        return words[-1].lower() if "SMALL" in words else words[-1].capitalize()
    return _plain(character) or character.encode("ascii", "backslashreplace").decode()


def _plain(text: str) -> str:
    """Return the text without accents, with raised digits as digits, and nothing beyond ASCII."""
    apart = unicodedata.normalize("NFKD", text).replace("−", "-")
    return apart.encode("ascii", "ignore").decode()


def _replace(error: UnicodeError) -> tuple[str, int]:
    """Replace what cannot be encoded, as an error handler of `codecs`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return spell(error.object[error.start : error.end]), error.end


codecs.register_error(ERRORS, _replace)


def shown(text: str) -> str:
    """Return the text with the characters that `sys.stdout` cannot encode replaced by ASCII."""
    encoding = getattr(sys.stdout, "encoding", None)
    return text.encode(encoding, ERRORS).decode(encoding) if encoding else text


def fitted(method: Callable[[T], str]) -> Callable[[T], str]:
    """Decorate a `__str__` or `__repr__` so that any terminal can print its text.

    Without it, `print` raises a UnicodeEncodeError if the encoding lacks a character. A result
    that took long to compute would then be lost.
    """

    @functools.wraps(method)
    def text(self: T) -> str:
        return shown(method(self))

    return text
