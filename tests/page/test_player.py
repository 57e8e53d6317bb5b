"""Tests of the page of a graph, used in a real browser."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import autograd
import nn
from autograd import Value
from autograd.core import notation
from autograd.core.backprop import gradients
from autograd.core.find import find
from autograd.core.graph import topological_order
from autograd.core.term import numeral
from demos import chain as chain_demo
from tests.browsing import press, screens, violations
from tests.examples import labelled, network, neuron

Written = Callable[..., Path]
Opener = Callable[..., Any]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Return a function that writes the page of a graph."""

    def writer(root: Value, **options: Any) -> Path:
        return Path(root.save_html(tmp_path / "page.html", **options))

    return writer


def words(page: Any) -> list[str]:
    """Return the texts above the drawing: the step, its formula, its numbers, their sum."""
    return [page.inner_text(f"#{part}") for part in ("title", "formula", "numbers", "sum")]


def title(page: Any) -> str:
    return str(page.inner_text("#title"))


def wait_for_title(page: Any, text: str) -> None:
    page.locator("#title", has_text=text).wait_for()


def box(page: Any, name: str) -> Any:
    """Find the box of a node by the node's name."""
    return page.locator(f'.box[aria-label^="{name}:"]')


def numbers_of(page: Any, name: str) -> list[str]:
    """Return the numbers in the box of a node: its value and its gradient."""
    return list(box(page, name).locator(".number").all_text_contents())


# ---------------------------------------------------------------------- the two passes


@pytest.mark.parametrize("root", [neuron(), network(), chain_demo.build("tanh", 3, 1).cost])
def test_every_step_says_what_the_stepper_says(
    root: Value, opened: Opener, written: Written
) -> None:
    page = opened(written(root))
    steps = list(root.stepper())
    press(page, "End")
    press(page, "ArrowLeft", len(steps))
    for step in steps:
        press(page, "ArrowRight")
        assert words(page) == [
            f"backward {step.index} of {step.count}",
            step.rule,
            step.arithmetic,
            step.sum,
        ]
        assert page.inner_text("#rule") == step.node.op.rules[step.slot]


def test_values_appear_in_order_and_then_gradients(opened: Opener, written: Written) -> None:
    page = opened(written(neuron()))
    assert numbers_of(page, "w") == ["0.6", "—"]
    assert numbers_of(page, "z") == ["—", "—"]
    press(page, "ArrowRight")
    assert words(page) == ["forward 1 of 5", "w·x", "0.6·1.5 = 0.9", ""]
    press(page, "ArrowRight")
    assert words(page)[1:3] == ["z = w·x + b", "0.9 + 0.1 = 1"]
    assert numbers_of(page, "z") == ["1", "—"]
    assert numbers_of(page, "a") == ["—", "—"]
    press(page, "ArrowRight", 3)
    assert words(page)[1:3] == ["C = (a − 1)²", "(-0.2689)^2 = 0.07233"]
    assert numbers_of(page, "C") == ["0.07233", "—"]
    press(page, "ArrowRight")
    assert words(page)[1] == "∂C/∂C = 1"
    assert numbers_of(page, "C") == ["0.07233", "1"]
    press(page, "ArrowRight", 3)
    assert numbers_of(page, "z") == ["1", "-0.1058"]
    assert numbers_of(page, "w") == ["0.6", "—"]
    press(page, "ArrowLeft")
    assert numbers_of(page, "z") == ["1", "—"]


def test_the_edge_of_a_step_lights_up_and_grows_with_what_flows(
    opened: Opener, written: Written
) -> None:
    page = opened(written(neuron()))
    press(page, "End")
    assert page.locator(".edge.active").count() == 1
    assert page.locator(".box.active").count() == 2
    widths = {
        line.get_attribute("data-edge"): float(
            line.locator(".line").get_attribute("stroke-width") or 0
        )
        for line in page.locator(".edge").all()
    }
    root = neuron()
    order, right = topological_order(root), gradients(root)
    a, w = order.index(find(root, "a")), order.index(find(root, "w"))
    (from_a,) = (width for id_, width in widths.items() if str(id_).startswith(f"n{a}-"))
    (from_w,) = (width for id_, width in widths.items() if str(id_).startswith(f"n{w}-"))
    assert from_a > from_w
    assert right[find(root, "a")] < right[find(root, "w")] < 0
    assert page.locator(".edge.minus").count() == 7
    assert page.locator(".edge.plus").count() == 0


def test_every_control(opened: Opener, written: Written) -> None:
    page = opened(written(neuron()))
    last = 5 + 1 + 7
    assert page.is_disabled("#previous")
    assert page.is_disabled("#first")
    for control, position in (("next", 1), ("next", 2), ("previous", 1), ("last", last)):
        page.click(f"#{control}")
        assert page.input_value("#slider") == str(position)
    assert page.is_disabled("#next")
    assert page.is_disabled("#last")
    page.click("#first")
    assert title(page) == "start"
    page.fill("#slider", "8")
    assert title(page) == "backward 2 of 7"
    page.fill("#slider", "2")
    assert title(page) == "forward 2 of 5"


def test_it_plays_at_a_chosen_speed_and_pauses(opened: Opener, written: Written) -> None:
    page = opened(written(neuron()))
    page.select_option("#speed", "50")
    page.click("#play")
    assert page.get_attribute("#play", "aria-pressed") == "true"
    page.locator("#play[aria-pressed=false]").wait_for()
    assert title(page) == "backward 7 of 7"
    page.select_option("#speed", "1")
    page.click("#play")  # from the end it starts again
    wait_for_title(page, "forward 1 of 5")
    page.click("#play")
    stopped = title(page)
    page.wait_for_timeout(1200)
    assert title(page) == stopped


def test_the_keyboard_alone_reaches_everything(opened: Opener, written: Written) -> None:
    page = opened(written(neuron()))
    page.select_option("#speed", "50")
    page.keyboard.press("Home")
    page.locator("#speed").blur()
    press(page, "Space")
    wait_for_title(page, "backward 7 of 7")
    press(page, "Home")
    assert title(page) == "start"
    press(page, "End")
    assert title(page) == "backward 7 of 7"
    reached = set()
    for _ in range(60):
        press(page, "Tab")
        reached.add(
            page.evaluate(
                "document.activeElement.id || document.activeElement.getAttribute('data-box')"
            )
        )
    controls = page.evaluate(
        """[...document.querySelectorAll("button:enabled, input, select, #drawing")]
            .filter((control) => control.checkVisibility())
            .map((control) => control.id)"""
    )
    assert len(controls) > 12 and set(controls) <= reached
    assert sum(str(id_).startswith("n") and id_[1:].isdecimal() for id_ in reached) == 10
    box(page, "w").focus()
    press(page, "Enter")
    assert page.inner_text("#panel h2") == "w"
    press(page, "Enter")  # the second press moves the focus to the card
    assert page.evaluate("document.activeElement.id") == "value"
    press(page, "Escape")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("w:")
    press(page, "Space")
    assert title(page) == "backward 7 of 7"  # Space on a node selects it and does not start playing


def test_a_link_opens_at_a_step_and_the_step_stands_in_the_address(
    opened: Opener, written: Written
) -> None:
    page = opened(written(neuron()), hash="#step=8")
    assert title(page) == "backward 2 of 7"
    press(page, "ArrowRight")
    page.wait_for_url("**#step=9")
    page.evaluate("window.location.hash = '#step=2'")
    wait_for_title(page, "forward 2 of 5")
    assert title(opened(written(neuron()), hash="#step=999")) == "backward 7 of 7"
    assert title(opened(written(neuron()), hash="#nonsense")) == "start"


def test_a_link_that_is_none_opens_at_the_start(opened: Opener, written: Written) -> None:
    for hash in ("#%", "#step=%zz", "#step=", "#step=-1", "#epoch=3"):
        assert title(opened(written(neuron()), hash=hash)) == "start"


def test_it_can_open_at_a_step_of_the_backward_pass(opened: Opener, written: Written) -> None:
    assert title(opened(written(neuron(), position=3))) == "backward 3 of 7"


# ---------------------------------------------------------------------- the card of a node


def test_the_card_tells_value_gradient_every_path_and_its_product(
    opened: Opener, written: Written
) -> None:
    root = network()
    page = opened(written(root))
    press(page, "End")
    box(page, "x").click()
    right = gradients(root)[find(root, "x")]
    assert page.inner_text("#panel h2") == "x"
    assert page.input_value("#value") == "1.5"
    assert numeral(right, 6) in page.inner_text("#panel dl")
    assert "the sum over 2 paths" in page.inner_text("#panel h3 >> nth=0")
    assert page.locator(".paths .route").all_inner_texts() == [
        "C ← o − 1 ← o ← v1·h1 ← h1 ← w1·x ← x",
        "C ← o − 1 ← o ← v2·h2 ← h2 ← w2·x ← x",
    ]
    assert page.locator(".paths .symbols").all_inner_texts() == [
        "∂C/∂o · ∂o/∂h1 · ∂h1/∂x",
        "∂C/∂o · ∂o/∂h2 · ∂h2/∂x",
    ]
    products = [
        float(text.rsplit("=", 1)[1]) for text in page.locator(".paths .product").all_inner_texts()
    ]
    assert sum(products) == pytest.approx(right, rel=1e-3)


def test_the_card_of_a_parameter_tells_the_gradient_from_the_nudge(
    opened: Opener, written: Written
) -> None:
    root = neuron()
    page = opened(written(root, parameters=["w"], lr=0.5))
    press(page, "End")
    gradient = gradients(root)[find(root, "w")]

    def entries() -> list[str]:
        return list(page.locator("#panel > dl:not(.nudge) > *").all_inner_texts())[2:]

    box(page, "w").click()
    shown = ["gradient ∂C/∂w", numeral(gradient, 6)]
    assert entries() == [*shown, "nudge −lr · ∂C/∂w", numeral(-0.5 * gradient, 6)]
    page.fill("#lr", "2")
    assert entries()[-1] == numeral(-2.0 * gradient, 6)
    page.uncheck("#moves")
    assert entries() == shown
    assert page.evaluate("document.activeElement.id") == "moves"
    page.check("#moves")
    page.click("#quiz")
    assert entries() == ["gradient ∂C/∂w", "?", "nudge −lr · ∂C/∂w", "?"]


def test_the_card_tells_nothing_before_its_step(opened: Opener, written: Written) -> None:
    root = network()
    page = opened(written(root))

    def card() -> str:
        return str(page.inner_text("#panel"))

    box(page, "C").click()
    assert "not computed yet" in card()
    box(page, "x").click()
    told = numeral(gradients(root)[find(root, "x")], 6)
    last = len(list(root.stepper()))
    for key in ("Home", "End", "ArrowLeft"):
        press(page, key)
        assert (told in card()) == (key == "End")
        assert page.locator(".paths, #nudge").count() == (2 if key == "End" else 0)
    assert "so far" in card()  # the other path's product is already there
    press(page, "Home")
    assert "not known yet" in card()
    assert f"The backward pass completes this gradient in step {last}." in card()
    assert told[:4] not in card()
    page.click("#give")
    assert told in card()
    assert numbers_of(page, "x")[1] == numeral(float(told))


def test_the_card_leaves_out_partial_sums_and_their_factors(
    opened: Opener, written: Written
) -> None:
    w = Value(2.0, "w")
    terms = [w * Value(float(i), f"x{i}") for i in range(20)]
    page = opened(written(labelled(autograd.sum(terms) * 0.5, "C"), max_nodes=100))
    press(page, "End")
    box(page, "x3").click()
    assert page.inner_text(".paths .route") == "C ← … + … + w·x18 + w·x19 ← w·x3 ← x3"
    assert page.inner_text(".paths .product") == "0.5 · 2 = 1"


def test_the_card_shows_a_factor_of_one_between_named_nodes(
    opened: Opener, written: Written
) -> None:
    page = opened(written(neuron()))
    press(page, "End")
    box(page, "b").click()
    assert page.inner_text(".paths .product") == "-0.5379 · 0.1966 · 1 = -0.1058"
    page = opened(written(labelled(Value(1.0, "x") + 1 + 2, "y")))
    press(page, "End")
    box(page, "x").click()
    assert page.inner_text(".paths .route") == "y ← x"
    assert page.inner_text(".paths .product") == "1"


def test_the_card_follows_the_pointer_and_the_focus_and_comes_back_to_the_chosen(
    opened: Opener, written: Written
) -> None:
    page = opened(written(neuron()))

    def card() -> str:
        return str(page.inner_text("#panel h2"))

    assert card() == "Choose a node"
    box(page, "z").hover()
    assert card() == "z = w·x + b"
    page.mouse.move(5, 5)
    assert card() == "z = w·x + b"  # no node is selected, so the card stays open
    box(page, "w").click()
    assert card() == "w"
    box(page, "a").hover()
    assert card() == "a = σ(z)"
    page.mouse.move(5, 5)
    assert card() == "w"
    box(page, "b").focus()
    assert card() == "b"
    page.focus("#play")
    assert card() == "w"
    page.focus("#value")
    page.keyboard.type("1")
    box(page, "a").hover()
    assert card() == "w"  # a card stays open while somebody writes into it


def test_a_nudge_is_predicted_and_then_done(opened: Opener, written: Written) -> None:
    root = neuron()
    page = opened(written(root))
    press(page, "End")
    box(page, "w").click()
    page.fill("#nudge", "0.15")
    amount = float(page.input_value("#nudge"))
    nudge = root.nudge("w", amount)
    predicted, actual = page.locator(".nudge dd").all_inner_texts()
    assert predicted.endswith(f"× {numeral(amount)} = {numeral(nudge.predicted)}")
    assert actual.startswith(f"ΔC = {numeral(nudge.actual)}, off by")
    assert numbers_of(page, "w")[0] == "0.6"  # the graph is unchanged


def test_a_leaf_can_be_edited_and_everything_follows(opened: Opener, written: Written) -> None:
    root = neuron()
    page = opened(written(root))
    press(page, "End")
    box(page, "w").click()
    page.fill("#value", "-0.3")
    press(page, "Enter")
    find(root, "w").data = -0.3
    root.recompute().backward()
    for name in ("w", "z", "a", "C", "x", "b"):
        node = find(root, name)
        assert numbers_of(page, name) == [
            numeral(node.data),
            numeral(gradients(root)[node]),
        ]
    assert words(page)[2] == str(list(root.stepper())[-1].arithmetic)
    page.click("#reset")
    assert numbers_of(page, "w")[0] == "0.6"


def test_who_edits_stays_in_the_field_and_escape_leaves_it(
    opened: Opener, written: Written
) -> None:
    page = opened(written(neuron()))
    box(page, "w").focus()
    press(page, "Enter", 2)
    page.keyboard.press("Control+A")
    page.keyboard.type("0.7")
    press(page, "Enter")
    assert page.evaluate("document.activeElement.id") == "value"
    assert numbers_of(page, "w")[0] == "0.7"
    press(page, "Escape")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("w:")
    press(page, "Enter")
    page.keyboard.press("Control+A")
    page.keyboard.type("0.8")
    press(page, "Tab")
    box(page, "w").locator(".number", has_text="0.8").wait_for()
    assert page.evaluate("document.activeElement.id") == "moves"


def test_what_is_no_number_is_not_nudged(opened: Opener, written: Written) -> None:
    page = opened(written(labelled(Value(math.nan, "x") * Value(2.0, "w"), "y")))
    press(page, "End")
    box(page, "x").click()
    assert page.locator("#nudge").count() == 0
    box(page, "w").click()
    assert page.locator("#nudge").count() == 1


def test_a_constant_is_pointed_at_like_any_node(opened: Opener, written: Written) -> None:
    page = opened(written(neuron()))
    page.locator(".constant").first.hover()
    assert "none: constants have no gradient" in page.inner_text("#panel")


def test_an_edit_that_cannot_be_is_refused_and_changes_nothing(
    opened: Opener, written: Written
) -> None:
    x = Value(2.0, "x")
    page = opened(written(labelled(x.log(), "y")))
    press(page, "End")
    box(page, "x").click()
    for text, said in (
        (
            "-1",
            "log(x) is not defined: log needs a > 0, and here a = x = -1. Add a small number "
            "first, as in log(a + 1e-12). The old value stays.",
        ),
        ("two", "“two” is not a number: write it like 0.25 or -3."),
    ):
        page.fill("#value", text)
        press(page, "Enter")
        assert page.inner_text("#edit-said") == said
        assert page.input_value("#value") == "2"
        assert numbers_of(page, "x") == ["2", "0.5"]


def test_leaves_without_a_label_keep_one_name_when_edited(opened: Opener, written: Written) -> None:
    page = opened(written(labelled(Value(2.0) * Value(3.0, "v1"), "y")))
    press(page, "End")
    press(page, "ArrowLeft")
    assert words(page)[1] == "∂y/∂v2 = v1"
    box(page, "v2").click()
    page.fill("#value", "7")
    press(page, "Enter")
    assert words(page)[1:3] == ["∂y/∂v2 = v1", "1 × 3 = 3"]
    assert numbers_of(page, "y")[0] == "21"


def test_over_a_kink_the_formula_holds_on_both_sides(opened: Opener, written: Written) -> None:
    page = opened(written(labelled(Value(2.0, "z").relu(), "a")))
    press(page, "End")
    assert words(page)[1:3] == ["∂a/∂z = 1 if z > 0 else 0", "1 × 1 = 1"]
    box(page, "z").click()
    page.fill("#value", "-2")
    press(page, "Enter")
    assert words(page)[1:3] == ["∂a/∂z = 1 if z > 0 else 0", "1 × 0 = 0"]


# ---------------------------------------------------------------------- downhill


def test_steps_downhill_are_the_engines_and_draw_the_falling_cost(
    opened: Opener, written: Written
) -> None:
    chain = chain_demo.build("sigmoid", 3, 0)
    page = opened(written(chain.cost, parameters=chain.parameters, lr=2.0))
    press(page, "End")
    page.click("#descend")
    page.click("#descend-ten")
    costs = chain_demo.descend(chain, 11, 2.0)
    assert page.inner_text("#descent-said") == (
        f"C = {numeral(costs[-1])} after 11 steps, from {numeral(costs[0])}"
    )
    assert numbers_of(page, "w1")[0] == numeral(chain.w[0].data)
    assert numbers_of(page, "a0")[0] == numeral(chain.a[0].data)  # an input is not changed
    heights = [float(dot.get_attribute("cy")) for dot in page.locator(".dot").all()]
    assert len(heights) == 12
    assert heights == sorted(heights)  # downwards
    page.click("#reset")
    assert page.inner_text("#descent-said") == f"C = {numeral(costs[0])}"
    assert page.locator(".dot").count() == 0


def test_descent_says_what_is_missing_or_goes_too_far(opened: Opener, written: Written) -> None:
    page = opened(written(labelled(Value(0.5, "x").log(), "y"), parameters=["x"]))
    for lr, said in (
        ("fast", "lr is a number above 0, like 0.1."),
        ("0", "lr is a number above 0, like 0.1."),
        ("-0.1", "lr is a number above 0, like 0.1."),
        ("NaN", "lr is a number above 0, like 0.1."),
        ("1", "A step of lr = 1 leads too far: log(x) is not defined"),
    ):
        page.fill("#lr", lr)
        page.click("#descend")
        assert page.inner_text("#descent-said").startswith(said)
        assert numbers_of(page, "x")[0] == "0.5"
    box(page, "x").click()
    page.uncheck("#moves")
    page.click("#descend")
    assert "No leaf is a parameter" in page.inner_text("#descent-said")


def test_where_there_is_no_slope_the_page_stays_as_the_engine_does(
    opened: Opener, written: Written
) -> None:
    x, y = Value(1.0, "x"), Value(0.0, "y")
    root = labelled((x * x + y * y).sqrt(), "C")
    page = opened(written(root, parameters=["x", "y"], lr=1.0))
    press(page, "End")
    x.data = 0.0  # where the norm has no slope
    with pytest.raises(ValueError, match="no finite derivative") as caught:
        root.recompute().backward()
    for _ in range(2):
        page.click("#descend")
        assert page.inner_text("#descent-said") == (
            f"A step of lr = 1 leads too far: {caught.value}"
        )
        assert [numbers_of(page, name) for name in "xyC"] == [["1", "1"], ["0", "0"], ["1", "1"]]


def test_a_step_to_no_number_is_refused(opened: Opener, written: Written) -> None:
    page = opened(written(labelled(Value(2.0, "x") * 3.0, "C"), lr=1e308))
    press(page, "End")
    page.click("#descend")
    assert page.inner_text("#descent-said") == (
        "A step of lr = 1e+308 leads too far: x becomes -inf."
    )
    assert numbers_of(page, "C")[0] == "6"


# ---------------------------------------------------------------------- the quiz


def test_in_the_quiz_gradients_are_hidden_until_they_are_found(
    opened: Opener, written: Written
) -> None:
    page = opened(written(neuron()))
    press(page, "End")
    page.click("#quiz")
    assert numbers_of(page, "w") == ["0.6", "?"]
    assert words(page)[2:] == ["? × 0.6 = ?", "∂C/∂x = ?"]
    assert page.locator(".paths").count() == 0
    box(page, "w").click()
    page.fill("#guess", "-0.807")
    page.click("#panel button[type=submit]")
    assert page.inner_text("#quiz-said") == (
        "w: -0.807 is not right. The factor a(1 − a) = 0.1966 is missing."
    )
    assert numbers_of(page, "w") == ["0.6", "?"]
    page.fill("#guess", "-0.16")
    press(page, "Enter")
    assert "is right" in page.inner_text("#quiz-said")
    assert numbers_of(page, "w") == ["0.6", "-0.1586"]
    box(page, "b").click()
    page.click("#give")
    assert numbers_of(page, "b") == ["0.1", "-0.1058"]
    page.click("#quiz")
    assert numbers_of(page, "x") == ["1.5", "-0.06345"]


def test_the_quiz_gives_nothing_away_in_labels_or_lines(opened: Opener, written: Written) -> None:
    root = neuron()
    page = opened(written(root))
    press(page, "End")
    page.click("#quiz")
    said = [str(box.get_attribute("aria-label")) for box in page.locator(".box").all()]
    assert sum("gradient ?" in text for text in said) == 7
    assert page.locator(".edge.minus, .edge.plus").count() == 0
    box(page, "w").click()
    assert numeral(gradients(root)[find(root, "w")]) not in page.inner_text("main")


# ---------------------------------------------------------------------- folding


def scoped(width: int) -> Value:
    model = nn.MLP(2, [width, width, 1], "tanh", seed=0)
    return labelled(nn.squared_error(model([1.0, 2.0]), 1.0), "C")


def test_a_large_graph_opens_folded_and_unfolds_on_a_click(
    opened: Opener, written: Written
) -> None:
    page = opened(written(scoped(6), max_nodes=20))
    groups = [box.split(",")[0] for box in labels(page, ".group")]
    assert sorted(groups) == ["layer1", "layer2", "layer3"]
    before = page.locator(".box").count()
    page.locator('.group[aria-label^="layer2"]').click()
    assert [name for name in labels(page, ".group") if name.startswith("neurons")]
    assert page.locator(".box").count() > before
    page.locator('.group[aria-label^="neurons[2]"]').click()
    assert box(page, "z2[2]").count() == 1
    assert page.locator(".chip").count() == 2
    page.locator(".chip").first.click()  # folds the groups inside as well
    assert page.locator(".chip").count() == 0
    assert page.locator(".box").count() == before


def labels(page: Any, kind: str) -> list[str]:
    return [str(found.get_attribute("aria-label")) for found in page.locator(kind).all()]


def test_every_node_of_a_folded_graph_can_be_reached(opened: Opener, written: Written) -> None:
    root = scoped(3)
    page = opened(written(root, max_nodes=10))
    for _ in range(200):
        if not page.locator(".group").count():
            break
        page.locator(".group").first.click()
    nodes = page.locator(".box").count()
    assert nodes == len(topological_order(root))


@pytest.mark.slow
def test_what_was_opened_first_folds_when_too_much_would_be_seen(
    opened: Opener, written: Written
) -> None:
    page = opened(written(scoped(12), max_nodes=20))
    seen = []
    for _ in range(30):
        page.locator(".group").last.click()
        seen.append(page.locator(".box").count())
    assert max(seen) <= 120
    assert sorted(seen) != seen  # a group was folded again
    chips = page.locator(".chip").all_inner_texts()
    assert any(" / " in chip for chip in chips)
    for chip in chips:
        outer, _, _ = chip.rpartition(" / ")
        assert not outer or page.locator(".chip", has_text=f"{outer} ⊖").count()


def test_steps_inside_a_folded_group_light_the_group(opened: Opener, written: Written) -> None:
    root = scoped(6)
    page = opened(written(root, max_nodes=20))
    press(page, "End")
    assert page.locator(".group.active").count() == 1
    assert math.isclose(float(numbers_of(page, "C")[0]), root.data, rel_tol=1e-3)


@pytest.mark.parametrize("max_nodes", [60, 12])  # laid out by Graphviz, and by dagre
def test_a_leaf_that_feeds_many_has_a_line_to_each(
    max_nodes: int, opened: Opener, written: Written
) -> None:
    x = Value(0.5, "x")
    root = x
    for _ in range(12):
        root = root.sin() * x
    page = opened(written(labelled(root, "y"), max_nodes=max_nodes))
    for _ in range(9):
        if page.locator(".group").count():
            page.locator(".group").first.click()
    lines = page.locator(".edge").all()
    assert len(lines) == sum(len(node.args) for node in topological_order(root))
    tips = [line.locator(".tip").bounding_box() for line in lines]
    boxes = [found.bounding_box() for found in page.locator(".box").all()]
    assert all(any(_touches(tip, box) for box in boxes) for tip in tips)


def _touches(tip: dict[str, float], box: dict[str, float]) -> bool:
    across = box["x"] - 4 <= tip["x"] + tip["width"] and tip["x"] <= box["x"] + box["width"] + 4
    down = box["y"] - 4 <= tip["y"] + tip["height"] and tip["y"] <= box["y"] + box["height"] + 4
    return across and down


def test_a_graph_without_scopes_folds_in_parts(opened: Opener, written: Written) -> None:
    root = labelled(autograd.sum([Value(float(i), f"x{i}") for i in range(40)]), "y")
    page = opened(written(root, max_nodes=20))
    parts = labels(page, ".group")
    assert len(parts) > 1
    assert all("part" in name for name in parts)
    for _ in parts:
        page.locator(".group").first.click()
    assert page.locator(".group").count() == 0
    press(page, "End")
    assert numbers_of(page, "y") == ["780", "1"]


# ---------------------------------------------------------------------- honest, safe, for everyone


@pytest.mark.parametrize(
    "label",
    [
        "<script>document.title = 'run'</script>",
        "</script><script>document.title = 'run'</script>",
        "<img src=x onerror=\"document.title = 'run'\">",
        "<!--<script>",
        "\u2028${document.title = 'run'}`",
        '"><svg onload="document.title = 1">',
        "$1 $& {node}",
    ],
)
def test_labels_are_data(label: str, opened: Opener, written: Written) -> None:
    x = Value(2.0, label)
    path = written(labelled((x * x).exp(), label + "2"), title=label)
    page = opened(path)
    before = page.title()
    press(page, "End")
    page.locator(".leaf").click()
    page.click("#quiz")
    page.fill("#guess", "3")
    press(page, "Enter")
    assert "is not right" in page.inner_text("#quiz-said")
    assert page.title() == before != "run"
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', path.read_text("utf-8"))
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy[1]


def test_what_got_into_the_file_all_the_same_the_policy_stops(
    browser: Any, written: Written
) -> None:
    path = written(neuron())
    text = path.read_text("utf-8").replace("</main>", "</main><script>document.title=1</script>")
    path.write_text(text, "utf-8")
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(path.as_uri())
    assert page.title() == "C"
    assert any("Content Security Policy" in text for text in said)
    page.close()


def test_nan_is_shown_as_what_it_is(opened: Opener, written: Written) -> None:
    page = opened(written(labelled(Value(math.nan, "x") * Value(2.0, "w"), "y")))
    press(page, "End")
    assert numbers_of(page, "y") == ["nan", "1"]
    assert numbers_of(page, "w") == ["2", "nan"]
    box(page, "x").click()
    page.fill("#value", "3")
    press(page, "Enter")
    assert numbers_of(page, "y") == ["6", "1"]


def test_a_stale_graph_says_so_until_it_is_computed_anew(opened: Opener, written: Written) -> None:
    root = neuron()
    find(root, "w").data = 0.9
    page = opened(written(root))
    assert page.is_visible("#stale")
    box(page, "w").click()
    page.fill("#value", "0.6")
    press(page, "Enter")
    assert not page.is_visible("#stale")
    press(page, "Escape")
    press(page, "End")
    assert numbers_of(page, "z")[0] == "1"
    page.click("#reset")  # as it came: stale
    assert page.is_visible("#stale")
    assert numbers_of(page, "w")[0] == "0.9"


def test_an_operation_known_to_python_only_is_shown_and_not_edited(
    opened: Opener, written: Written
) -> None:
    sine = autograd.op("sine", value=lambda a: math.sin(a), partials=lambda out, a: (math.cos(a),))
    root = labelled(sine(Value(1.0, "x")), "y")
    page = opened(written(root))
    press(page, "End")
    assert words(page)[2] == f"1 × {numeral(math.cos(1.0))} = {numeral(math.cos(1.0))}"
    assert page.is_disabled("#descend")
    assert "Only Python can compute" in page.inner_text("#descent-said")
    box(page, "x").click()
    assert page.locator("#value").count() == 0


def test_operations_of_one_name_are_not_taken_for_each_other(
    opened: Opener, written: Written
) -> None:
    def power(n: float) -> autograd.Op:
        return autograd.op("f", lambda a: a**n, lambda out, a: (n * a ** (n - 1),))

    x = Value(3.0, "x")
    root = labelled(power(2)(x) + power(3)(x), "y")  # 9 + 27, with slopes 6 and 27
    page = opened(written(root))
    press(page, "End")
    assert numbers_of(page, "x") == ["3", "33"]
    box(page, "x").click()
    page.fill("#value", "2")
    press(page, "Enter")
    assert numbers_of(page, "y")[0] == "12"
    assert numbers_of(page, "x")[1] == "16"


def test_an_operation_called_constant_is_none(opened: Opener, written: Written) -> None:
    own = autograd.op("constant", lambda a: 2.0 * a, lambda out, a: (2.0,))
    page = opened(written(labelled(own(Value(3.0, "x")) * 5.0, "y")))
    press(page, "End")
    assert numbers_of(page, "x") == ["3", "10"]


def test_nodes_made_by_hand_are_shown_and_not_edited(opened: Opener, written: Written) -> None:
    a, b = Value(2.0, "a"), Value(3.0, "b")
    out = Value(a.data * b.data, (a, b), "*")

    def _backward() -> None:
        a.grad += b.data * out.grad
        b.grad += a.data * out.grad

    out._backward = _backward
    page = opened(written(labelled(out + 1.0, "y")))
    press(page, "End")
    assert (numbers_of(page, "a"), numbers_of(page, "b")) == (["2", "3"], ["3", "2"])
    assert page.is_disabled("#descend")
    box(page, "a").click()
    assert page.locator("#value").count() == 0
    assert (a.grad, b.grad, out.grad) == (0.0, 0.0, 0.0)


def test_a_single_leaf_is_a_graph_too(opened: Opener, written: Written) -> None:
    page = opened(written(Value(3.0, "x")))
    press(page, "End")
    assert numbers_of(page, "x") == ["3", "1"]


@pytest.mark.parametrize(("width", "scheme"), screens(320, 1280, 3840))
def test_nothing_is_in_the_way_of_anyone(
    width: int, scheme: str, opened: Opener, written: Written
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = opened(written(network()), viewport={"width": width, "height": 900}, color_scheme=scheme)
    press(page, "End")
    box(page, "x").click()
    page.click("#descend")
    assert violations(Axe().run(page)) == []
    page.click("#quiz")
    page.fill("#guess", "1")
    press(page, "Enter")
    assert violations(Axe().run(page)) == []
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0


def test_light_and_dark_follow_the_system_and_the_button(opened: Opener, written: Written) -> None:
    page = opened(written(neuron()), color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.click("#theme")
    light = page.evaluate(ground)
    assert (light, dark) == ("rgb(255, 255, 255)", "rgb(22, 24, 28)")
    page.click("#theme")
    assert page.evaluate(ground) == dark


def test_on_paper_there_is_the_graph_and_no_button(opened: Opener, written: Written) -> None:
    page = opened(written(neuron()))
    press(page, "End")
    page.emulate_media(media="print")
    assert page.is_visible(".drawing svg")
    assert page.is_visible("#formula")
    assert not page.is_visible("#play")
    assert not page.is_visible("#quiz")


def test_all_of_a_wide_drawing_fits_when_asked_for(opened: Opener, written: Written) -> None:
    page = opened(written(chain_demo.build("sigmoid", 6, 0).cost))
    room = page.locator("#drawing")

    def hidden() -> int:
        return int(room.evaluate("(room) => room.scrollWidth - room.clientWidth"))

    assert hidden() > 100
    page.click("#fit")
    assert hidden() <= 1
    page.click("#larger")
    assert hidden() > 100
    page.click("#smaller")
    assert hidden() <= 1


def test_on_paper_the_graph_runs_the_way_in_which_it_is_larger(
    opened: Opener, written: Written
) -> None:
    page = opened(written(chain_demo.build("sigmoid", 3, 0).cost))

    def size() -> tuple[float, float]:
        box = page.locator(".drawing svg").bounding_box()
        return box["width"], box["height"]

    across, down = size()
    assert across > down
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    across, down = size()
    assert down > across
    assert down <= 800
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    across, down = size()
    assert across > down


def test_a_narrow_window_reads_from_top_to_bottom(opened: Opener, written: Written) -> None:
    page = opened(written(neuron()), viewport={"width": 400, "height": 800})
    across = box(page, "C").bounding_box()
    first = box(page, "w").bounding_box()
    assert across["y"] > first["y"] + 200
    page.set_viewport_size({"width": 1280, "height": 800})
    # The page learns of the new size some time later, and then draws the boxes again.
    page.wait_for_function(
        """() => document.querySelector('.box[aria-label^="C:"]').getBoundingClientRect().x > 600"""
    )


def test_the_paths_that_are_left_out_are_counted(opened: Opener, written: Written) -> None:
    x = Value(1.0, "x")
    page = opened(written(labelled(autograd.sum([x * float(i) for i in range(1, 13)]), "y")))
    press(page, "End")
    box(page, "x").click()
    assert page.locator(".paths li").count() == 10
    assert "… and 2 more paths with smaller products" in page.inner_text("#panel")


def test_the_bars_of_a_nudge_go_to_the_side_of_its_sign(opened: Opener, written: Written) -> None:
    page = opened(written(neuron()))
    press(page, "End")
    box(page, "w").click()
    page.fill("#nudge", "0.15")  # the cost falls
    style = page.locator(".bar.predicted").evaluate("bar => bar.style")
    width, left = float(style["width"].rstrip("%")), float(style["marginLeft"].rstrip("%"))
    assert width > 0.0
    assert left == pytest.approx(50.0 - width)
    assert page.get_attribute("#nudge", "aria-valuetext") == "0.15"


def test_a_nudge_out_of_the_domain_says_so(opened: Opener, written: Written) -> None:
    page = opened(written(labelled(Value(0.05, "x").log(), "y")))
    press(page, "End")
    box(page, "x").click()
    page.fill("#nudge", "-0.1")
    assert "log(x) is not defined" in page.locator(".nudge dd").last.inner_text()


def test_an_edit_asks_the_quiz_anew_and_starts_the_costs_anew(
    opened: Opener, written: Written
) -> None:
    page = opened(written(neuron()))
    page.click("#descend")
    page.click("#quiz")
    box(page, "b").click()
    page.click("#give")
    assert numbers_of(page, "b")[1] != "?"
    box(page, "w").click()
    page.fill("#value", "1")
    press(page, "Enter")
    assert numbers_of(page, "b")[1] == "?"
    assert "after" not in page.inner_text("#descent-said")


def test_the_quiz_starts_at_a_parameter_and_where_gradients_are(
    opened: Opener, written: Written
) -> None:
    page = opened(written(neuron(), parameters=["b"]))
    page.click("#quiz")
    assert title(page) == "backward, before the first step"
    assert page.inner_text("#panel h2") == "b"
    box(page, "C").click()
    assert page.locator("#guess").count() == 0  # ∂C/∂C is no question


def test_a_sheet_of_paper_gets_all_of_it_and_then_the_window_again(
    opened: Opener, written: Written
) -> None:
    page = opened(written(chain_demo.build("sigmoid", 6, 0).cost))

    def width() -> float:
        return float(
            page.evaluate("parseFloat(document.querySelector('.drawing svg').style.width)")
        )

    before = width()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert width() <= 660 < before
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert width() == before


def test_what_was_opened_is_in_focus(opened: Opener, written: Written) -> None:
    page = opened(written(scoped(6), max_nodes=20))
    page.locator('.group[aria-label^="layer2"]').focus()
    press(page, "Enter")
    assert page.evaluate("document.activeElement.hasAttribute('data-box')")


def test_the_drawing_can_be_made_smaller_and_larger(opened: Opener, written: Written) -> None:
    page = opened(written(neuron()))
    width = "parseFloat(document.querySelector('.drawing svg').style.width)"
    fitting = page.evaluate(width)
    page.click("#larger")
    assert page.evaluate(width) == pytest.approx(1.25 * fitting, rel=0.01)
    page.click("#smaller")
    page.click("#smaller")
    assert page.evaluate(width) == pytest.approx(fitting / 1.25, rel=0.01)
    for _ in range(30):
        page.click("#smaller")
    assert page.evaluate(width) == pytest.approx(0.2 * fitting, rel=0.02)
    page.click("#fit")
    assert page.evaluate(width) == fitting


def test_keys_of_the_browser_and_of_a_field_are_not_the_players(
    opened: Opener, written: Written
) -> None:
    page = opened(written(neuron()))
    press(page, "Control+ArrowRight")
    assert title(page) == "start"
    page.focus("#lr")
    press(page, "End")
    press(page, "ArrowLeft")
    assert title(page) == "start"


def test_while_it_plays_the_words_are_not_read_aloud(opened: Opener, written: Written) -> None:
    page = opened(written(neuron()))
    page.select_option("#speed", "0.5")
    page.click("#play")
    assert page.get_attribute("#words", "aria-live") == "off"
    page.click("#play")
    assert page.get_attribute("#words", "aria-live") == "polite"


def test_what_is_not_known_yet_looks_and_reads_so(opened: Opener, written: Written) -> None:
    page = opened(written(neuron()))
    assert page.locator(".box.pending").count() == 5
    assert box(page, "w").get_attribute("aria-label") == "w: value 0.6, gradient not known yet"
    press(page, "ArrowRight")
    assert page.locator(".box.pending").count() == 4
    assert page.locator(".edge.active").count() == 2  # both operands flow into it
    box(page, "w").click()
    assert page.locator(".box.selected").get_attribute("aria-label").startswith("w:")


def test_local_derivatives_stand_beside_few_lines(opened: Opener, written: Written) -> None:
    page = opened(written(neuron()))
    press(page, "End")
    assert "× 0.197" in page.locator(".local").all_text_contents()


def test_a_line_is_coloured_once_its_own_step_is_done(opened: Opener, written: Written) -> None:
    x = Value(3.0, "x")
    page = opened(written(labelled(x * x, "y"), position=1))
    assert page.locator(".edge.plus").count() == 1
    press(page, "ArrowRight")
    assert page.locator(".edge.plus").count() == 2


def test_a_line_along_which_nothing_flows_is_neither_plus_nor_minus(
    opened: Opener, written: Written
) -> None:
    page = opened(written(labelled(Value(-1.0, "x").relu(), "y"), position=1))
    assert page.locator(".edge.none").count() == 1


def test_a_cost_that_stays_is_a_level_line(opened: Opener, written: Written) -> None:
    x = Value(0.0, "x")
    page = opened(written(labelled(x * x, "y")))
    page.click("#descend")
    heights = [float(dot.get_attribute("cy")) for dot in page.locator(".dot").all()]
    assert heights[0] == heights[1]


def test_ten_steps_are_done_all_or_none(opened: Opener, written: Written) -> None:
    page = opened(written(labelled(Value(2.0, "x").log(), "y"), lr=1.0))
    page.click("#descend-ten")  # the third would leave the domain
    assert "leads too far" in page.inner_text("#descent-said")
    press(page, "End")
    assert numbers_of(page, "x")[0] == "2"


def test_a_dark_page_prints_on_white_without_buttons(opened: Opener, written: Written) -> None:
    page = opened(written(neuron()), color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.is_visible("#descend")


def test_a_line_of_a_group_carries_the_sum_of_what_it_stands_for(
    opened: Opener, written: Written
) -> None:
    x = Value(0.5, "x")
    with autograd.scope("g"):
        both = x * 2.0 + x * -2.0
    page = opened(written(labelled(both.tanh() + x, "y"), max_nodes=4))
    press(page, "End")
    assert page.locator('.edge.none[data-edge$="-g0"]').count() == 1


@pytest.mark.parametrize(("open_", "opening", "kept"), [([0], 1, [0, 1]), ([0, 1], 2, [2])])
def test_what_folds_again_is_not_what_was_asked_for_and_all_that_is_inside(
    open_: list[int], opening: int, kept: list[int], opened: Opener, written: Written
) -> None:
    page = opened(written(scoped(6), max_nodes=20))
    found = page.evaluate(
        """([open, opening]) => {
          const leaf = { op: 0, args: [] };
          const rows = [70, 60, 60].flatMap((n, group) => Array(n).fill({ ...leaf, group }));
          rows[189] = { op: 0, args: Array.from({ length: 189 }, (_, i) => i), group: 2 };
          const groups = [-1, 0, -1].map((parent) => ({ parent }));
          return [...MODULES["fold.js"].opened({ rows }, groups, new Set(open), opening)].sort();
        }""",
        [open_, opening],
    )
    assert found == kept


def test_a_cell_leaves_the_address_alone(opened: Opener, tmp_path: Any) -> None:
    path = tmp_path / "notebook.html"
    path.write_text(f'<link rel="icon" href="data:,">{neuron().stepper()._repr_html_()}', "utf-8")
    page = opened(path)
    page.frame_locator("iframe").locator("#next").click()
    page.wait_for_timeout(400)  # longer than REST; an error would fail the fixture
    assert page.url == path.as_uri()


def test_the_quiz_gives_no_other_answer_away(opened: Opener, written: Written) -> None:
    page = opened(written(neuron()))
    page.click("#quiz")
    box(page, "w").click()
    page.click("#give")
    press(page, "End")
    press(page, "ArrowLeft")  # upstream is ∂C/∂(w·x), which is still asked for
    assert words(page)[1:] == ["∂(w·x)/∂w = x", "? × 1.5 = ?", "∂C/∂w = ?"]


def test_folding_keeps_the_focus_and_the_quiz_asks_what_is_seen(
    opened: Opener, written: Written
) -> None:
    page = opened(written(scoped(6), max_nodes=20))
    page.locator('.group[aria-label^="layer2"]').click()
    page.locator(".chip").first.focus()
    press(page, "Enter")
    assert page.evaluate("document.activeElement.getAttribute('data-box')").startswith("g")
    before = page.locator(".box").count()
    page.click("#quiz")
    assert page.locator(".box").count() == before


def test_the_quiz_goes_on_by_itself_keeps_score_and_shows_what_was_found(
    opened: Opener, written: Written
) -> None:
    root = neuron()
    page = opened(written(root, parameters=["w", "b"]))
    page.click("#quiz")
    right = {notation.name(node).text: gradient for node, gradient in gradients(root).items()}
    asked = []
    for i in range(7):
        node = page.inner_text("#panel h2").split(" = ")[0]
        asked.append(node)
        if i == 1:
            page.fill("#guess", "7")
            press(page, "Enter")
            assert "is not right" in page.inner_text("#quiz-said")
            assert page.input_value("#guess") == "7"
            page.click("#give")
        else:
            page.fill("#guess", f"2 * {right[node]!r}/2")
            press(page, "Enter")
            assert f"{node}: " in page.inner_text("#quiz-said")
        assert numbers_of(page, node)[1] == numeral(right[node])
        if page.locator("#guess").count() == 0:
            break
    assert asked[:2] == ["w", "b"]
    assert len(asked) == len(set(asked)) == 7
    assert page.inner_text("#score") == "6 of 7 right at the first try, no question is open"


def test_the_quiz_can_ask_at_random(opened: Opener, written: Written) -> None:
    page = opened(written(neuron(), parameters=["w"]))
    page.evaluate("Math.random = () => 0.999")  # the last of the open questions
    page.click("#quiz")
    page.select_option("#order", "random")
    page.click("#give")
    first = page.inner_text("#panel h2")
    page.click("#give")
    assert first == "x"
    assert page.inner_text("#panel h2") == "b"


def test_the_quiz_takes_sums_products_and_fractions(opened: Opener, written: Written) -> None:
    x = Value(0.6, "x")
    page = opened(written(labelled(x * (1 / 3) + 0.0, "y"), parameters=["x"]))
    for text, taken in (
        ("1/3", True),
        ("-0.5*-2 / 3", True),
        ("(1 + 1)/6", True),
        ("0.2·5 : 3", True),
        ("1/0", False),
        ("2*", False),
        ("1/(3", False),
        ("1 3", False),
        ("alert(1)", False),
    ):
        page.click("#quiz")
        page.locator('.box[aria-label^="x:"]').click()
        page.fill("#guess", text)
        press(page, "Enter")
        said = page.inner_text("#quiz-said")
        assert ("is right" in said) == taken, text
        assert ("is not a number" in said) != taken
        page.click("#quiz")
