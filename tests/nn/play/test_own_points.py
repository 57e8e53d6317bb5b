"""Tests that a reader of the playground can bring points of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
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


@pytest.mark.parametrize(
    ("table", "wanted"),
    [
        ('"1.5","2","light red"\n"0","1","blue"', "2 points: classes blue, light red."),
        ("1,5;2,0;rot\n−0,5;1,0;blau", "2 points: classes blau, rot."),
        ("1,2,a,\n2,3,b,", "2 points: classes a, b."),
    ],
    ids=["quoted", "decimal commas", "commas at the end"],
)
def test_tables_are_read_as_spreadsheets_write_them(page: Any, table: str, wanted: str) -> None:
    page.fill("#own-table", table)
    page.click("#own-use")
    assert page.text_content("#own-said") == wanted


def test_test_points_of_a_sorted_table_are_of_all_classes(page: Any) -> None:
    rows = [f"{i / 10:g} {name}" for name in ("1 red", "2 blue") for i in range(40)]
    page.fill("#own-table", "\n".join(rows))
    page.click("#own-use")
    page.fill("#set-test", "0.5")
    page.press("#set-test", "Enter")
    space = program(page)
    parts = space["y"][:40], space["y"][40:]
    assert all(set(part) == {0, 1} for part in parts)
    assert len({tuple(x) for x in space["X"]}) == 80


def test_the_way_back_leads_to_the_points_that_python_gave(
    opened: Callable[..., Any], tmp_path: Path
) -> None:
    data = nn.points("moons", 20)
    page = opened(nn.playground(tmp_path / "p.html", data=data, layers=[2], test=0.0))
    before = page.inner_text("#losses")
    page.fill("#own-table", "0 0 0.5\n1 1 1.5\n2 2 2.5")
    page.click("#own-use")
    page.locator("#exercises a").first.click()
    page.wait_for_function("document.getElementById('told').textContent !== ''")
    page.go_back()
    page.wait_for_function("document.getElementById('told').textContent === ''")
    assert page.input_value("#set-cost") == "binary_cross_entropy_with_logits"
    assert page.inner_text("#losses") == before


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


def weights(page: Any) -> list[float]:
    """Return the weights with which the program of the page begins."""
    page.click("#copy-program")
    return next(
        [float(x) for x in line.removeprefix("weights = [").rstrip("]").split(",")]
        for line in page.text_content("#program").split("\n")
        if line.startswith("weights = ")
    )


def test_a_placed_point_leaves_the_weights_and_the_cost(page: Any) -> None:
    page.click("#own-shown")
    page.click("#own-use")
    page.select_option("#set-cost", "hinge_loss")
    page.locator("[aria-label='a1[1]']").click()
    page.fill("[aria-label='W1[1,0]']", "2.5")
    page.press("[aria-label='W1[1,0]']", "Enter")
    page.select_option("#pen", "1")
    page.focus("#points")
    press(page, "Space")
    assert page.text_content("#own-said") == "21 points: classes 0, 1."
    assert page.input_value("#set-cost") == "hinge_loss"
    page.click("#epoch")
    assert weights(page)[3] == 2.5
    space = program(page)
    cost, _ = space["trainer"].evaluate(space["X"], space["y"])
    assert float(page.inner_text("#losses dd").split()[0]) == pytest.approx(cost, rel=1e-3)
    page.select_option("#pen", "2")
    page.focus("#points")
    press(page, "Space")  # three classes need three outputs, and so another network
    assert page.locator(".node").count() == 2 + 2 + 3
    assert page.input_value("#set-cost") == "cross_entropy"


def test_the_pen_places_numbers(page: Any) -> None:
    page.select_option("#pen", label="places numbers")
    for x in ("0", "1", "a lot"):  # 0 and 1 would be classes
        page.fill("#pen-number", x)
        page.focus("#points")
        press(page, "Space")
    assert "“a lot” is not a number" in page.text_content("#own-said")
    assert page.input_value("#own-table") == "0, 0, 0\n0, 0, 1"
    assert page.input_value("#set-cost") == "mse_loss"
    space = program(page)
    assert space["history"].losses and list(space["y"]) == [0.0, 1.0]


def test_the_pen_and_the_legend_have_the_names_of_the_classes(page: Any) -> None:
    page.fill("#own-table", "1 2 red\n-1 0 blue\n0 0 green")
    page.click("#own-use")
    assert page.locator("#kinds .kind").all_text_contents() == ["blue", "green", "red"]
    page.select_option("#pen", "red")
    page.locator("[aria-label='output 2']").click()
    assert page.text_content("#neuron h2") == "output 2, the class red, at point 0"
    assert "whose class is red" in page.text_content("#neuron")
    page.click("#own-shown")
    assert page.input_value("#own-table").split("\n")[1] == "-1, 0, blue"


def test_the_points_shown_can_be_taken_and_changed(page: Any) -> None:
    page.click("#own-shown")
    table = page.input_value("#own-table").split("\n")
    assert len(table) == 20
    page.fill("#own-table", "\n".join(table[:10]))
    page.click("#own-use")
    assert page.text_content("#own-said") == "10 points: classes 0, 1."
