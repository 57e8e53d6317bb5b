"""Tracing a scalar graph once and running it as matrix code."""

from .compiled import Compiled, compile

__all__ = ["Compiled", "compile"]
