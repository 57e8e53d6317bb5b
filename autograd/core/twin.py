"""Choose the core that runs: plain Python, or its twin in compiled code.

`@twinned` marks a function or class of the core that exists in C, too, under the same name.
If the twin was built, and fits this version, it runs in place of the function; the function then
serves the cases that the twin leaves to Python. Both give the same numbers, bit for bit.

Set the environment variable AUTOGRAD_PURE=1 to run plain Python. `python -m autograd` says which of
the two runs, and why.
"""

from __future__ import annotations

import importlib
import os
import warnings
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from .in_c import digest

Twinned = TypeVar("Twinned")

CORE = Path(__file__).parent
OF_EVERY_CLASS = {"__dict__", "__weakref__", "__slots__", "__module__"}


class Choice(NamedTuple):
    """The core that runs.

    Attributes:
        twin: the compiled module, or None for plain Python.
        reason: what decided it, as a phrase.
    """

    twin: Any
    reason: str


def choose() -> Choice:
    """Choose the core; warn if a twin is there that was built from other sources."""
    asked = os.environ.get("AUTOGRAD_PURE", "")
    if asked not in ("", "0"):
        return Choice(None, f"AUTOGRAD_PURE={asked}")
    try:
        twin = importlib.import_module("autograd.core._twin")
    except ImportError as error:
        return Choice(None, f"the compiled twin was not built for this Python ({error})")
    if (CORE / "twin.c").exists() and digest(CORE) != twin.DIGEST:
        reason = (
            "the compiled twin was built from another version of ops.py or of the C files: "
            "install it again"
        )
        warnings.warn(f"plain Python runs, for {reason}", RuntimeWarning, stacklevel=2)
        return Choice(None, reason)
    return Choice(twin, "the compiled twin fits")


choice = choose()
own_names = frozenset(vars(choice.twin.Value) if choice.twin else ())
"""The attributes of `Value` that the twin has itself."""


def twinned(part: Twinned) -> Twinned:
    """Return the twin of a function or class, and give the twin the original to fall back on."""
    twin = choice.twin
    if twin is None:
        return part
    named: Any = part
    there: Twinned = getattr(twin, named.__name__)
    if isinstance(part, type):
        _complete(there, part)
    else:
        give(**{named.__name__: part})
    return there


def give(**parts: Any) -> None:
    """Give the twin objects and functions of the core that have no twin."""
    if choice.twin is not None:
        choice.twin.install(parts)


def _complete(there: Any, kind: Any) -> None:
    """Add to the compiled class all that the class in Python has, and it has not."""
    left_out = {*own_names, *OF_EVERY_CLASS, *kind.__slots__} - {"__doc__"}
    for name, part in vars(kind).items():
        if name not in left_out:
            setattr(there, name, part)
    give(__init__=kind.__init__, set_args=kind.args.fset)
