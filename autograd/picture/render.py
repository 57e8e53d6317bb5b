"""Render DOT as SVG, PNG or PDF, with or without an installed `dot` program.

`lay_out` runs Graphviz in a process of its own.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

# This runs in a process of its own, so that Graphviz messages on stderr, and crashes of its C code,
# can be reported as a Python exception. The current folder is removed from `sys.path`, because a
# drawing must not import a file named pygraphviz.py that happens to be there.
BUNDLED_DOT = """\
import os, sys
here = os.getcwd()
sys.path = [folder for folder in sys.path if os.path.realpath(folder) != here]
import pygraphviz
try:
    graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode("utf-8"))
    sys.stdout.buffer.write(graph.draw(format=sys.argv[2], prog=sys.argv[1]))
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


class RenderError(RuntimeError):
    """An error raised if Graphviz cannot render a drawing; `.source` is its DOT.

    >>> lay_out("no graph {", "svg")
    Traceback (most recent call last):
    autograd.picture.render.RenderError: ...
    """

    def __init__(self, message: str, source: str) -> None:
        super().__init__(message)
        self.source = source


def lay_out(source: str, format: str, engine: str = "dot", quiet: bool = False) -> bytes:
    """Render DOT with the `dot` program on PATH, else with the Graphviz of the pygraphviz wheel.

    Warnings of Graphviz, as about an unknown shape, go to stderr unless it is to be `quiet`.

    Raises:
        RenderError: there is no Graphviz, or it fails; the message gives the reason.

    >>> lay_out("digraph { a -> b }", "svg")[:5]
    b'<?xml'
    """
    import shutil  # here, because they take long to import
    import subprocess

    found = shutil.which("dot") or ""
    if Path(found).is_absolute():  # on Windows, `which` also finds programs in the current folder
        command = [found, f"-K{engine}", f"-T{format}"]
    else:
        command = [sys.executable, "-c", BUNDLED_DOT, engine, format]
    try:
        done = subprocess.run(command, input=source.encode(), capture_output=True, check=False)
    except OSError as error:
        raise RenderError(f"Graphviz could not make {format}: {error}", source) from None
    messages = _messages(done)
    if done.returncode or not done.stdout:
        reason = messages or f"it ended with code {done.returncode} and no message"
        raise RenderError(f"Graphviz could not make {format}: {reason}", source)
    if messages and not quiet:
        sys.stderr.write(messages + "\n")
    return done.stdout


def _messages(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return the messages of Graphviz, without Fontconfig warnings, which are unrelated."""
    messages = done.stderr.decode("utf-8", "replace")
    if "No module named 'pygraphviz'" in messages:
        return "there is no dot on PATH and no pygraphviz: pip install 'pygraphviz>=2'"
    lines = [line for line in messages.splitlines() if not line.startswith("Fontconfig")]
    return "\n".join(lines).strip()
