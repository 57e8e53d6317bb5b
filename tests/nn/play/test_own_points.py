"""Tests that a reader of the playground can bring points of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nn
from nn.play.own import Own
from tests.browsing import press


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return nn.playground(tmp_path_factory.mktemp("page") / "p.html", layers=[2], points=20)


@pytest.fixture
def page(opened: Callable[..., Any], path: str) -> Any:
    return opened(path)


def program(page: Any) -> dict[str, Any]:
    """Run the program that the page writes, and return its names."""
    page.click("#copy-program")
    space: dict[str, Any] = {}
    exec(page.text_content("#program"), space)
    return space


# ---------------------------------------------------------------------- own points


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("x, y, kind\n1, 2, red\n-1; 0; blue\n\n0.5\t-2  red", "3 points: classes blue, red."),
        ("0 0 0\n1 1 1\n2 2 2", "3 points: classes 0, 1, 2."),
        ("0 0 0.5\n1 1 1.5\n2 2 2.5", "3 points: numbers."),
    ],
)
def test_a_pasted_table_is_learned_from_as_in_python(page: Any, table: str, said: str) -> None:
    page.fill("#own-table", table)
    page.click("#own-use")
    assert page.text_content("#own-said") == said
    assert page.input_value("#set-data") == "own"
    space = program(page)
    cells = [line.replace(",", " ").replace(";", " ").split() for line in table.split("\n")]
    rows = [row for row in cells if row and row[0] != "x"]
    own = Own.of(([[float(a), float(b)] for a, b, _ in rows], [number_or(c) for *_, c in rows]))
    np.testing.assert_array_equal(space["X"], own.X)
    np.testing.assert_array_equal(space["y"], own.y)


def number_or(text: str) -> float | str:
    return text if text.isalpha() else float(text)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", "a table has from 1 to 1000 points, got 0"),
        ("1 2 a\n1 2", "line 2 is x₁, x₂ (from −1000 to 1000) and a class or a number, got “1, 2”"),
        ("1 2 a\n1e9 2 b", "line 2 is x₁"),
        ("1 2 a", "there are from 2 to 6 classes, got 1"),
        ("\n".join(f"1 2 {name}" for name in "abcdefg"), "there are from 2 to 6 classes, got 7"),
        pytest.param(
            "0 0 1\n" * 1001,
            "a table has from 1 to 1000 points, got 1001",
            marks=pytest.mark.slow,
        ),
        ("1 2 a\n1 2 <script>alert(1)</script>", "classes <script>alert(1)</script>, a."),
    ],
)
def test_a_table_that_holds_no_points_is_refused_in_words(page: Any, table: str, said: str) -> None:
    page.fill("#own-table", table)
    page.click("#own-use")
    assert said in page.text_content("#own-said")


def test_the_pen_places_points_by_mouse_and_by_keys(page: Any) -> None:
    page.fill("#own-table", "")
    page.select_option("#pen", "0")
    plane = page.locator("#points")
    size = plane.bounding_box()
    plane.click(position={"x": 0.75 * size["width"], "y": 0.5 * size["height"]})
    page.select_option("#pen", "1")
    page.focus("#points")
    press(page, "ArrowLeft", 5)
    press(page, "Shift+ArrowUp")
    press(page, "Space")
    lines = page.input_value("#own-table").split("\n")
    assert [float(x) for x in lines[0].split(", ")] == pytest.approx([1.8, 0.0, 0.0], abs=0.05)
    assert lines[1:] == ["-0.5, 0.01, 1"]
    assert page.text_content("#own-said") == "2 points: classes 0, 1."
    page.click("#epoch")
    assert "epoch 1" in page.text_content("#counts")


def test_the_points_shown_can_be_taken_and_changed(page: Any) -> None:
    page.click("#own-shown")
    table = page.input_value("#own-table").split("\n")
    assert len(table) == 20
    page.fill("#own-table", "\n".join(table[:10]))
    page.click("#own-use")
    assert page.text_content("#own-said") == "10 points: classes 0, 1."
