"""Build the compiled twin of the core, where there is a C compiler; all else is in pyproject.toml.

Without a compiler the package is installed as plain Python, which does the same.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

CORE = Path("autograd", "core")


class BuildTwin(build_ext):
    """Write the rows of the table in C, and compile the twin with them."""

    def build_extension(self, ext: Any) -> None:
        """Compile one extension; a failure leaves it out."""
        folder = Path(self.build_temp)
        folder.mkdir(parents=True, exist_ok=True)
        table = (CORE / "ops.py").read_text(encoding="utf-8")
        (folder / "rows.h").write_text(load_translator().header(table), encoding="utf-8")
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


setup(
    ext_modules=[
        Extension(
            "autograd.core._twin",
            ["autograd/core/twin.c"],
            depends=["autograd/core/ops.py", "autograd/core/in_c.py"],
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildTwin},
)
