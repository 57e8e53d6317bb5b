"""Make the errors for what cannot be compiled, with the line of the user's code that is running."""

from __future__ import annotations

import linecache
import sys
from pathlib import Path

from ..core import modes
from ..core.modes import TraceError
from .reach import is_foreign


def make_error(what: str, remedy: str, line: str = "") -> TraceError:
    """Return the error that `what` cannot be compiled, and report it to the tracer."""
    where = line or find_line()
    error = TraceError(
        f"{what} in {where}. What is compiled must be the same for all numbers: {remedy}"
    )
    if tracer := modes.find_tracer():
        tracer.raised.append(error)
    return error


def find_line() -> str:
    """Return the line of the user's code that is running."""
    frame = sys._getframe(1)
    while frame.f_back and is_foreign(frame.f_globals.get("__name__")):
        frame = frame.f_back
    path, number = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(path, number).strip()
    return f"{Path(path).name}, line {number}" + (f": `{text}`" if text else "")
