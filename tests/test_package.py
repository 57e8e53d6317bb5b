"""Tests of the package: its version, a name that it does not have, and what it imports."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import autograd

ROOT = Path(__file__).parent.parent
PROJECT = ROOT / "pyproject.toml"


def test_the_version_is_that_of_the_project_file() -> None:
    (version,) = re.findall(r'^version = "(.+)"', PROJECT.read_text("utf-8"), re.MULTILINE)
    assert autograd.__version__ == version


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'autograd' has no attribute 'tensor'"):
        autograd.tensor  # type: ignore[attr-defined]  # noqa: B018


def test_importing_the_packages_leaves_large_libraries_for_later() -> None:
    program = "import sys, autograd, nn; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    imported = {*done.stdout.split()}
    assert "nn.picture.draw" in imported
    assert not {"joblib", "tqdm", "matplotlib", "sklearn", "asyncio", "graphviz"} & imported
    assert not {"subprocess", "concurrent.futures", "numpy.random", "decimal"} & imported
