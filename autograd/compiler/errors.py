"""Say in errors which line cannot be compiled, and in which row a number is wrong."""

from __future__ import annotations

import contextlib
import linecache
import sys
from collections.abc import Iterator
from pathlib import Path

from ..core import modes
from ..core.modes import TraceError
from .foreign import is_foreign


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


@contextlib.contextmanager
def in_row(row: int) -> Iterator[None]:
    """Put the row in front of the text of errors that this package raises inside."""
    try:
        yield
    except TraceError:
        raise
    except Exception as error:
        frame = error.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        where = frame.tb_frame.f_globals.get("__name__", "") if frame else ""
        if where.startswith("autograd."):  # not an error of the user's own code
            error.args = (f"in row {row}: {error}",)
        raise
