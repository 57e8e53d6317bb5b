"""Tests of how a graph is placed in its frame, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nn
from autograd import Value, softmax
from autograd.core.term import numeral
from demos import chain as chain_demo
from tests.examples import network, neuron

Opener = Callable[..., Any]

CROSSED = """() => [...document.querySelectorAll(".local")].filter((text) => {
  const { x, y, width, height } = text.getBBox();
  return [...document.querySelectorAll(".edge .line")].some((line) => {
    const length = line.getTotalLength();
    for (let at = 0; at <= length; at += 1) {
      const point = line.getPointAtLength(at);
      if (point.x > x && point.x < x + width && point.y > y && point.y < y + height) return true;
    }
    return false;
  });
}).map((text) => text.textContent)"""
HIDDEN = "(frame) => [frame.scrollWidth - frame.clientWidth, frame.scrollLeft]"


def long_chain() -> Value:
    return chain_demo.build("tanh", 3, 1).cost


@pytest.mark.parametrize("width", [360, pytest.param(1280, marks=pytest.mark.slow)])
@pytest.mark.parametrize("root", [neuron(), network(), long_chain()])
def test_no_number_is_struck_through_by_a_line(
    root: Value, width: int, opened: Opener, tmp_path: Path
) -> None:
    page = opened(root.save_html(tmp_path / "page.html"), viewport={"width": width, "height": 800})
    page.keyboard.press("End")
    assert page.locator(".local").count() > 5
    assert page.evaluate(CROSSED) == []


def test_a_graph_that_fits_opens_whole_and_a_long_one_at_its_output(
    opened: Opener, tmp_path: Path
) -> None:
    page = opened(neuron().save_html(tmp_path / "short.html"))
    assert page.locator("#drawing").evaluate(HIDDEN) == [0, 0]
    assert page.inner_text("#more") == ""
    page = opened(long_chain().save_html(tmp_path / "long.html"))
    hidden, left = page.locator("#drawing").evaluate(HIDDEN)
    assert left == hidden > 100
    page.locator("#more", has_text="The drawing goes on: ◀ left.").wait_for()
    page.keyboard.press("ArrowRight")  # to the first product, at the left
    page.locator("#more", has_text="The drawing goes on: right ▶.").wait_for()
    heights = "(texts) => texts.map((text) => parseFloat(getComputedStyle(text).fontSize))"
    least = min(page.locator("#drawing text").evaluate_all(heights))
    scale = page.locator("#drawing svg").evaluate(
        "(drawing) => drawing.clientWidth / drawing.viewBox.baseVal.width"
    )
    assert least * scale > 10.99
    page.click("#fit")
    assert page.locator("#drawing").evaluate(HIDDEN)[0] == 0
    page.locator("#more", has_text="").wait_for(state="hidden")


def test_a_function_is_one_box_with_the_numbers_of_its_output_and_opens(
    opened: Opener, tmp_path: Path
) -> None:
    cost = nn.cross_entropy([Value(float(i), f"z{i}") for i in range(3)], 1)
    cost.label = "C"
    page = opened(cost.save_html(tmp_path / "page.html"))
    assert page.locator(".box").count() == 4
    page.keyboard.press("End")
    box = page.locator(".box.group")
    assert box.locator(".number").all_text_contents() == [numeral(cost.data), "1"]
    assert "cross_entropy" in box.text_content()
    box.focus()
    page.keyboard.press("Enter")
    assert page.locator(".box").count() == 14
    page.locator(".chip", has_text="cross_entropy").click()
    assert page.locator(".box").count() == 4


def test_a_function_of_several_outputs_names_them(opened: Opener, tmp_path: Path) -> None:
    shares = softmax([Value(float(i), f"z{i}") for i in range(3)])
    for i, share in enumerate(shares):
        share.label = f"p{i}"
    page = opened((shares[0] * shares[2]).save_html(tmp_path / "page.html"))
    box = page.locator(".box.group")
    assert box.locator("text").all_text_contents() == ["softmax", "⊕ p0, p2"]
    assert box.get_attribute("aria-label") == "softmax, p0, p2, folded: press Enter to open"


def test_the_text_of_a_constant_fits_into_its_box(opened: Opener, tmp_path: Path) -> None:
    target = Value(1.0, "target", requires_grad=False)
    page = opened((Value(0.5, "x") - target).save_html(tmp_path / "page.html"))
    box = page.locator(".box", has_text="target = 1")
    wide, frame = (
        box.locator(part).evaluate("part => part.getBBox().width") for part in ("text", "rect")
    )
    assert wide < frame
