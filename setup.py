"""Build the compiled twin of the core, where there is a C compiler; all else is in pyproject.toml.

Without a compiler the package is installed as plain Python, which does the same. With
AUTOGRAD_PURE=1 the twin is left out, for a wheel that fits every platform.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

CORE = Path("autograd", "core")


class BuildTwin(build_ext):
    """Write the rows of the table in C, and compile the twin with them."""

    def build_extension(self, ext: Any) -> None:
        """Compile one extension, even if it seems up to date; a failure leaves it out."""
        self.force = True
        folder = Path(self.build_temp)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rows.h").write_text(load_translator().header(CORE), encoding="utf-8")
        ext.include_dirs.append(str(folder))
        if self.compiler.compiler_type != "msvc":  # which does not contract a * b + c by itself
            ext.extra_compile_args.append("-ffp-contract=off")
        super().build_extension(ext)


def load_translator() -> Any:
    """Load `in_c.py` alone, for the package needs NumPy, which is not here at build time."""
    path = CORE / "in_c.py"
    spec = importlib.util.spec_from_file_location("in_c", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TWIN = Extension("autograd.core._twin", ["autograd/core/twin.c"], optional=True)

setup(
    ext_modules=[TWIN] if os.environ.get("AUTOGRAD_PURE", "0") in ("", "0") else [],
    cmdclass={"build_ext": BuildTwin},
)
