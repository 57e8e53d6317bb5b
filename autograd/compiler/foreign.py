"""Tell which modules are foreign: standard and installed ones, which are assumed not to change."""

from __future__ import annotations

import functools
import sys
import sysconfig
from types import FunctionType, ModuleType
from typing import Any

OURS = {"autograd", "numpy"}
STANDARD = sys.stdlib_module_names | OURS
INSTALLED = tuple({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})


def is_standard(module: str | None) -> bool:
    """Return True for a module of this package, of NumPy or of the standard library."""
    return str(module).partition(".")[0] in STANDARD


@functools.cache
def is_foreign(module: str | None) -> bool:
    """Return True for a module that is assumed not to change: a standard or an installed one.

    An installed package that imports this one may define layers and costs. All its modules are
    inspected like a user's.
    """
    found = sys.modules.get(str(module))
    file = getattr(found, "__file__", None) or ""
    return is_standard(module) or (
        file.startswith(INSTALLED) and not _uses_this_package(str(module).partition(".")[0])
    )


@functools.cache
def _uses_this_package(package: str) -> bool:
    """Return True if a module of an installed package holds something of this package."""
    modules = [m for name, m in list(sys.modules.items()) if name.partition(".")[0] == package]
    return any(
        _is_of_this_package(thing) for module in modules for thing in list(vars(module).values())
    )


def _is_of_this_package(thing: Any) -> bool:
    """Return True for a module, class, function or object of this package."""
    kind = type(thing)  # isinstance would ask the thing for its __class__, which may warn
    if issubclass(kind, ModuleType):
        name = str(thing.__name__)
    else:
        named = thing if issubclass(kind, (type, FunctionType)) else kind
        name = str(named.__module__)
    return name.partition(".")[0] == __name__.partition(".")[0]
