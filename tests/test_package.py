"""Tests of the package's version, and of names that it does not have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import autograd

PROJECT = Path(__file__).parent.parent / "pyproject.toml"


def test_the_version_is_that_of_the_project_file() -> None:
    (version,) = re.findall(r'^version = "(.+)"', PROJECT.read_text("utf-8"), re.MULTILINE)
    assert autograd.__version__ == version


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'autograd' has no attribute 'tensor'"):
        autograd.tensor  # type: ignore[attr-defined]  # noqa: B018
