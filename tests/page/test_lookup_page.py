"""Tests of the page of a graph with a look-up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograd import Value, take
from tests.browsing import press


def test_the_page_steps_through_a_look_up(tmp_path: Path, opened: Callable[..., Any]) -> None:
    w = [[Value(i + j / 10, f"W[{i},{j}]") for j in range(2)] for i in range(4)]
    row = take(w, Value(2, "token"))
    out = row[0] * row[1]
    out.label = "y"
    out.save_html(tmp_path / "page.html")
    page = opened(tmp_path / "page.html")
    seen = ""
    for _ in range(16):
        press(page, "ArrowRight")
        seen += page.inner_text("body")
    assert "∂take/∂entry = 1 at the index, else 0" in seen
