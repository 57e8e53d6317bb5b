"""Tests of `conftest`: reports of skipped tests, failures for required ones, browser marks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
TEST = "nn/test_schedule.py::test_pytorch_agrees"
SAID = "AGREEMENT WITH PYTORCH WAS NOT TESTED"


def without_torch(tmp_path: Path, required: str) -> tuple[int, str]:
    """Run a test where PyTorch cannot be imported; return the exit code and the output."""
    (tmp_path / "torch.py").write_text("raise ImportError")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", TEST]
    path = os.pathsep.join(map(str, (tmp_path, HERE.parent)))
    environment = {**os.environ, "PYTHONPATH": path, "AUTOGRAD_REQUIRE": required}
    done = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout


def test_a_run_without_pytorch_says_so(tmp_path: Path) -> None:
    code, words = without_torch(tmp_path, "")
    assert code == 0 and SAID in words


def test_a_run_without_what_is_required_fails(tmp_path: Path) -> None:
    code, words = without_torch(tmp_path, "browser torch")
    assert code == 1 and "AUTOGRAD_REQUIRE names torch" in words and SAID not in words


def test_what_opens_a_browser_is_marked(browser: Any, request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("browser")


def test_what_opens_no_browser_is_not_marked(request: pytest.FixtureRequest) -> None:
    assert not request.node.get_closest_marker("browser")
