"""Tests of the page of a graph with a look-up: it shows and moves only the chosen entries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import autograd
from autograd import Value, take
from autograd.core.backprop import gradients
from autograd.core.find import find
from autograd.core.graph import leaves
from autograd.core.term import numeral
from autograd.teach.mistakes import judge
from tests.browsing import press
from tests.examples import labelled

Opener = Callable[..., Any]


@pytest.fixture
def shown(tmp_path: Path, opened: Opener) -> Callable[..., Any]:
    """Return a function that opens the page of a graph."""

    def show(root: Value, hash: str = "#step=999", **options: Any) -> Any:
        return opened(root.save_html(tmp_path / "page.html", **options), hash)

    return show


def table(count: int = 5) -> list[list[Value]]:
    return [[Value((i + 1) / (j + 3), f"W[{i},{j}]") for j in range(2)] for i in range(count)]


def embedding(token: Value) -> Value:
    """Look up a row of width 2 in a table of 5, and compute (row · u − 1)²."""
    row = take(table(), token)
    score = row[0] * Value(0.5, "u0") + row[1] * Value(-1.25, "u1")
    return labelled((score - 1.0) ** 2, "loss")


def names(page: Any) -> list[str]:
    """Return the names of the leaves in the drawing."""
    return sorted(page.locator(".box.leaf .label").all_text_contents())


def edit(page: Any, name: str, number: str) -> None:
    page.locator(f'.box[aria-label^="{name}:"]').click()
    page.fill("#value", number)
    page.press("#value", "Enter")


def numbers(page: Any, name: str) -> list[str]:
    box = page.locator(f'.box[aria-label^="{name}:"]')
    return list(box.locator(".number").all_text_contents())


def assert_equal(page: Any, root: Value) -> None:
    """Require the engine's value and gradient in each box of a leaf, and of the root."""
    root.recompute()
    slopes = gradients(root)
    by_name = {node.label: node for node in [*leaves(root), root]}
    for name in [*names(page), root.label]:
        node = by_name[name]
        assert numbers(page, name) == [numeral(node.data), numeral(slopes[node])], name


def steps_of(root: Value) -> int:
    """Return the number of steps of the stepper."""
    return len(list(root.stepper()))


def test_the_page_shows_and_steps_through_the_chosen_entries_alone(
    shown: Callable[..., Any],
) -> None:
    root = embedding(Value(2, "token"))
    page = shown(root)
    assert names(page) == ["W[2,0]", "W[2,1]", "token", "u0", "u1"]
    assert page.inner_text("#rule") == "∂take/∂entry = 1 at the index, else 0"
    assert page.locator(".box.op", has_text="one of 5").count() == 2
    assert page.inner_text("#title") == f"backward {steps_of(root)} of {steps_of(root)}"
    assert_equal(page, root)
    page.click("#first")
    press(page, "ArrowRight")
    assert page.inner_text("#formula") == "[W[0,0], …, W[4,0]][token]"
    assert page.inner_text("#numbers") == "[…][2] = 1"


def test_a_leaf_is_edited_and_steps_downhill_move_the_chosen_entries(
    shown: Callable[..., Any],
) -> None:
    token = Value(2, "token")
    root = embedding(token)
    by_name = {leaf.label: leaf for leaf in leaves(root)}
    page = shown(root, lr=0.05)
    edit(page, "W[2,1]", "-0.75")
    by_name["W[2,1]"].data = -0.75
    assert_equal(page, root)
    page.click("#descend")
    slopes = gradients(root)
    for leaf in leaves(root):
        leaf.data -= 0.05 * slopes[leaf]
    assert token.data == 2.0 and slopes[by_name["W[3,0]"]] == 0.0
    assert_equal(page, root)


def test_another_index_chooses_another_row(shown: Callable[..., Any]) -> None:
    token = Value(2, "token")
    root = embedding(token)
    page = shown(root)
    places = {
        name: page.locator(f'.box[aria-label^="{name}:"]').get_attribute("transform")
        for name in ("W[2,0]", "u0", "loss")
    }
    edit(page, "token", "4")
    token.data = 4
    assert names(page) == ["W[4,0]", "W[4,1]", "token", "u0", "u1"]
    assert_equal(page, root)
    for name in ("u0", "loss"):  # nothing else moves
        box = page.locator(f'.box[aria-label^="{name}:"]')
        assert box.get_attribute("transform") == places[name]
    chosen = page.locator('.box[aria-label^="W[4,0]:"]')
    assert chosen.get_attribute("transform") == places["W[2,0]"]
    edit(page, "W[4,0]", "0.125")
    by_name = {leaf.label: leaf for leaf in leaves(root)}
    by_name["W[4,0]"].data = 0.125
    assert_equal(page, root)
    page.click("#reset")
    assert names(page) == ["W[2,0]", "W[2,1]", "token", "u0", "u1"]
    assert page.inner_text("#panel h2") == "Choose a node"  # the chosen one is not shown any more


@pytest.mark.parametrize("number", ["5", "-1", "1.5", "1e300"])
def test_an_index_that_is_no_place_is_refused(shown: Callable[..., Any], number: str) -> None:
    page = shown(embedding(Value(2, "token")))
    edit(page, "token", number)
    said = page.inner_text("#edit-said")
    assert said == (
        f"token = {numeral(float(number))} is no place in a list of 5: an index is a whole number "
        f"from 0 to 4. The old value stays."
    )
    assert page.input_value("#value") == "2"
    assert names(page) == ["W[2,0]", "W[2,1]", "token", "u0", "u1"]


def test_an_index_is_not_nudged(shown: Callable[..., Any]) -> None:
    page = shown(embedding(Value(2, "token")))
    page.locator('.box[aria-label^="token:"]').click()
    assert "An index: a whole number from 0 to 4" in page.inner_text("#panel")
    assert page.locator("#panel #moves, #panel #nudge").count() == 0
    page.locator('.box[aria-label^="W[2,0]:"]').click()
    assert "one path" in page.inner_text("#panel")
    assert page.locator("#panel #moves, #panel #nudge").count() == 2


def test_an_index_is_no_parameter() -> None:
    token = Value(2, "token")
    with pytest.raises(ValueError, match="token decides an index of take, which is whole"):
        embedding(token).page(parameters=[token])
    x = Value(1.5, "x")
    with pytest.raises(ValueError, match="x decides an index of take"):
        take([Value(1.0), Value(2.0)], autograd.floor(x)).page(parameters=["x"])


def test_an_index_may_be_computed(shown: Callable[..., Any]) -> None:
    x = Value(1.5, "x")
    entries = [Value(3.0, "a"), labelled(Value(2.0, "b").tanh(), "t"), Value(0.5, "c")]
    root = labelled(take(entries, autograd.floor(x)) * x, "y")
    page = shown(root)
    assert page.inner_text("#title") == f"backward {steps_of(root)} of {steps_of(root)}"
    assert names(page) == ["b", "x"]
    assert_equal(page, root)
    edit(page, "x", "2.25")
    x.data = 2.25
    root.recompute()
    assert names(page) == ["c", "x"]
    assert_equal(page, root)
    assert page.inner_text("#title").endswith(f" of {steps_of(root)}")
    edit(page, "x", "3.5")
    assert "[a, t, c][floor(x)]" in page.inner_text("body")
    assert "floor(x) = 3 is no place in a list of 3" in page.inner_text("#edit-said")


def test_rows_that_two_look_ups_share(shown: Callable[..., Any]) -> None:
    w, first, second = table(), Value(1, "i"), Value(3, "k")
    left, right = take(w, first), take(w, second)
    root = labelled(left[0] * right[0] + left[1] * right[1], "y")
    page = shown(root)
    edit(page, "k", "1")
    second.data = 1
    assert names(page) == ["W[1,0]", "W[1,1]", "i", "k"]
    assert_equal(page, root)
    page.locator('.box[aria-label^="W[1,0]:"]').click()
    assert "the sum over 2 paths" in page.inner_text("#panel")
    assert page.inner_text("#panel").count("←") == 2 * 3


def test_choices_among_the_same_nodes_are_drawn_anew(shown: Callable[..., Any]) -> None:
    a, b, index = Value(2.0, "a"), Value(3.0, "b"), Value(0, "i")
    root = labelled(take([a, b], index) * a * b, "y")
    page = shown(root)
    edit(page, "i", "1")
    index.data = 1
    assert_equal(page, root)
    take_box = page.locator(".box.op", has_text="take").get_attribute("data-box")
    b_box = page.locator('.box[aria-label^="b:"]').get_attribute("data-box")
    assert page.locator(f'[data-edge="{b_box}-{take_box}-2"]').count() == 1


def test_a_large_table_does_not_fold_a_page(shown: Callable[..., Any]) -> None:
    token = Value(7, "token")
    root = labelled(autograd.sum(take(table(100), token)), "y")
    page = shown(root)
    assert names(page) == ["W[7,0]", "W[7,1]", "token"]
    edit(page, "token", "99")
    assert names(page) == ["W[99,0]", "W[99,1]", "token"]


def test_a_folded_graph_shows_the_entry_that_is_chosen_later(shown: Callable[..., Any]) -> None:
    token = Value(2, "token")
    with autograd.scope("look"):
        row = take([[Value(float(i), f"w{i}")] for i in range(9)], token)
    root = row[0]
    for _ in range(12):
        root = root.tanh()
    page = shown(labelled(root, "y"), max_nodes=8)
    for group in ("part 1 of 2", "look"):
        page.locator(".box.group", has_text=group).click()
    edit(page, "token", "5")
    token.data = 5
    root.recompute()
    assert "w5" in names(page) and "w2" not in names(page)
    assert numbers(page, "w5") == ["5", numeral(gradients(root)[find(root, "w5")])]


def test_the_quiz_judges_as_the_engine(shown: Callable[..., Any]) -> None:
    w = table()
    left, right = take(w, Value(2, "i")), take(w, Value(1, "k"))
    root = labelled(left[0] * right[0] + left[0].tanh() * 3.0, "y")
    slopes = gradients(root)
    page = shown(root)
    page.click("#quiz")
    right = slopes[w[2][0]]
    for guess in (0.0, -right, w[1][0].data, right * w[1][0].data, 1.0):
        page.locator('.box[aria-label^="W[2,0]:"]').click()
        page.fill("#guess", repr(guess))
        page.click("#check")
        wanted = judge(root, w[2][0], guess).text
        assert "explain()" not in wanted and page.inner_text("#quiz-said") == wanted


def test_the_index_may_be_a_number_of_the_program(shown: Callable[..., Any]) -> None:
    w = [Value(float(i), f"w{i}") for i in range(4)]
    page = shown(labelled(take(w, 3) ** 2, "y"))
    assert names(page) == ["w3"]
    edit(page, "w3", "5")
    assert numbers(page, "y") == ["25", "1"]
    assert numbers(page, "w3") == ["5", "10"]
    assert page.locator(".box.constant").all_text_contents() == ["33", "22"]  # with a tooltip
