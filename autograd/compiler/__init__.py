"""Tracing a scalar graph once and running it as matrix code."""

from .compiled import Compiled, compile
from .trace import drawn, require

__all__ = ["Compiled", "compile", "drawn", "require"]
