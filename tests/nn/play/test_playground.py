"""Tests of the playground's page: used in a real browser, by mouse and by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from demos import playground
from nn.play.settings import INPUTS, TABLE
from tests.browsing import press, screens, until, violations

Opener = Callable[..., Any]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return nn.playground(tmp_path_factory.mktemp("play") / "playground.html")


def counts(page: Any) -> tuple[int, int]:
    """Return the epochs and the steps that the page has made."""
    epoch, step = page.inner_text("#counts").removeprefix("epoch ").split(", step ")
    return int(epoch), int(step)


def slow(*values: Any) -> Any:
    """Return the parameters of a test that is slow."""
    return pytest.param(*values, marks=pytest.mark.slow)


def training_cost(page: Any) -> float:
    return float(page.inner_text("#losses dd").split()[0])


def field(page: Any, name: str, value: str) -> None:
    """Set a setting by its control."""
    control = page.locator(f"#set-{name}")
    if control.evaluate("field => field.tagName") == "SELECT":
        control.select_option(value)
    else:
        control.fill(value)
        control.press("Enter")
        control.blur()


# ---------------------------------------------------------------------- the player


def test_it_learns_while_it_plays(opened: Opener, path: str) -> None:
    page = opened(path)
    before = training_cost(page)
    page.select_option("#speed", "0")
    page.click("#play")
    until(page, lambda: counts(page)[0] > 20)
    until(page, lambda: page.inner_text("#pace").endswith(" ms a step"))
    page.click("#play")
    stopped = counts(page)
    page.wait_for_timeout(100)
    assert counts(page) == stopped
    assert training_cost(page) < before / 2
    page.click("#reset")
    assert counts(page) == (0, 0) and training_cost(page) == before


def test_a_step_an_epoch_and_the_keys(opened: Opener, path: str) -> None:
    page = opened(path)
    page.click("#step")
    assert counts(page) == (0, 1)
    page.click("#epoch")
    assert counts(page) == (1, 14)  # 140 points to learn from, 10 a step
    page.evaluate("document.activeElement.blur()")
    press(page, "ArrowRight", 2)
    press(page, "e")
    assert counts(page) == (2, 28)
    press(page, " ")
    until(page, lambda: counts(page)[1] > 28)
    press(page, " ")
    assert page.inner_text("#play").endswith("Play")
    press(page, "Home")
    assert counts(page) == (0, 0)


def test_another_seed_makes_other_points_and_weights(opened: Opener, path: str) -> None:
    page = opened(path)
    before = training_cost(page)
    page.click("#seed-next")
    assert page.input_value("#set-seed") == "1"
    assert training_cost(page) != before


# ---------------------------------------------------------------------- the settings


@pytest.mark.slow
def test_every_setting_has_a_control_that_works(opened: Opener, path: str) -> None:
    page = opened(path, "#data=moons&optimizer=momentum&penalty=l2")
    for name, row in TABLE.items():
        if row.kind in ("names", "sizes", "choice"):
            continue
        field(
            page,
            name,
            "1"
            if row.kind == "whole" and row.least <= 1
            else f"{row.least + 0.5:g}"
            if row.kind == "number"
            else f"{row.least:g}",
        )
        assert page.inner_text("#warning") == "", name
    for name in ("optimizer", "schedule", "penalty", "init", "activation", "data"):
        for value in TABLE[name].choices:
            field(page, name, value)
            page.click("#step")
            assert page.inner_text("#warning") == "", (name, value)
            assert np.isfinite(training_cost(page))


def test_inputs_layers_and_neurons_are_added_and_removed(opened: Opener, path: str) -> None:
    page = opened(path)
    assert page.locator(".node").count() == 2 + 4 + 3 + 1
    page.click("[data-input='x1*x2']")
    page.click("[data-input='x1']")
    assert page.locator(".node").count() == 2 + 4 + 3 + 1
    page.click("[data-input='x2']")
    page.click("[data-input='x1*x2']")
    assert "one or more different names" in page.inner_text("#warning")
    page.click("[data-input='x2']")
    page.click("#layer-more")
    page.click("#layer-more")
    assert page.locator(".node").count() == 2 + 4 + 3 + 4 + 4 + 1
    page.click("[aria-label='one neuron less in layer 2']")
    page.click("[aria-label='one neuron more in layer 1']")
    assert page.locator(".node").count() == 2 + 5 + 2 + 4 + 4 + 1
    for _ in range(4):
        page.click("#layer-less")
    assert page.locator(".node").count() == 3
    assert page.locator("#layer-less").is_disabled()
    page.click("#epoch")
    assert counts(page)[0] == 1
    assert len(INPUTS) == page.locator("[data-input]").count()


def test_a_setting_that_is_refused_says_why(opened: Opener, path: str) -> None:
    page = opened(path)
    page.click("#epoch")
    field(page, "lr", "-1")
    assert "lr is a number above 0" in page.inner_text("#warning")
    assert counts(page)[0] == 1  # nothing has changed
    field(page, "lr", "0,5")
    assert page.inner_text("#warning") == "" and counts(page)[0] == 0


def test_a_rate_that_is_too_high_stops_it_in_words(opened: Opener, path: str) -> None:
    page = opened(path, "#data=plane&lr=90&activation=identity")
    page.select_option("#speed", "0")
    page.click("#play")
    until(page, lambda: page.inner_text("#warning") != "")
    assert "Try a learning rate below 90" in page.inner_text("#warning")
    assert page.inner_text("#play").endswith("Play")


# ---------------------------------------------------------------------- links


@pytest.mark.parametrize(
    "link",
    [
        "#layers=1000000000",
        "#points=1e9",
        "#data=<script>alert(1)</script>",
        "#nonsense=1",
        "#lr=0",
    ],
)
def test_a_hostile_link_is_refused_in_words(opened: Opener, path: str, link: str) -> None:
    page = opened(path, link)
    assert page.inner_text("#warning").startswith("This link is refused:")
    assert page.locator(".node").count() == 10
    page.click("#epoch")
    assert counts(page)[0] == 1


def test_the_address_holds_the_settings(opened: Opener, path: str) -> None:
    page = opened(path)
    field(page, "data", "circles")
    page.click("#layer-more")
    address = page.evaluate("location.hash")
    again = opened(path, address)
    assert again.input_value("#set-data") == "circles"
    assert again.locator(".node").count() == 2 + 4 + 3 + 4 + 1
    assert training_cost(again) == training_cost(page)


def test_a_copied_link_holds_the_settings_before_any_change(opened: Opener, path: str) -> None:
    page = opened(path, permissions=["clipboard-read", "clipboard-write"])
    page.click("#copy-link")
    until(page, lambda: page.inner_text("#copied") != "")
    assert page.evaluate("navigator.clipboard.readText()").endswith(".html#data=moons")


@pytest.mark.parametrize(
    "k", [pytest.param(k, marks=[pytest.mark.slow] if k else []) for k in range(8)]
)
def test_each_exercise_opens_with_its_task(opened: Opener, path: str, k: int) -> None:
    page = opened(path)
    link = page.locator("#exercises a").nth(k)
    link.click()
    until(page, lambda: page.inner_text("#told") != "")
    assert page.inner_text("#told").startswith(link.inner_text())
    assert page.inner_text("#warning") == ""
    page.click("#epoch")
    assert counts(page)[0] == 1


def test_an_exercise_opens_again_and_the_way_back_leads_to_the_start(
    opened: Opener, path: str
) -> None:
    page = opened(path)
    xor = page.locator("#exercises a").first
    xor.click()
    until(page, lambda: page.input_value("#set-data") == "xor")
    page.click("#step")
    xor.click()
    assert counts(page) == (0, 0)
    page.fill("#own-table", "0 0 a\n1 1 b")
    page.click("#own-use")
    assert page.evaluate("location.hash") == "" and page.inner_text("#told") == ""
    xor.click()
    until(page, lambda: page.input_value("#set-data") == "xor")
    page.go_back()
    until(page, lambda: page.input_value("#set-data") == "moons")


def test_a_link_is_refused_with_the_text_that_it_holds(opened: Opener, path: str) -> None:
    assert 'got "1/3"' in opened(path, "#lr=1/3").inner_text("#warning")


# ---------------------------------------------------------------------- looking inside


def test_a_weight_is_changed_by_hand_and_by_keys(opened: Opener, path: str) -> None:
    page = opened(path)
    before = training_cost(page)
    page.locator("[aria-label='a1[1]']").click()
    weight = page.locator("[aria-label='W1[1,0]']")
    weight.fill("2.5")
    weight.press("Enter")
    assert training_cost(page) != before
    weight.press("ArrowUp")
    weight.press("Shift+ArrowDown")
    assert float(weight.input_value()) == pytest.approx(2.59)
    weight.fill("much")
    weight.press("Enter")
    assert weight.evaluate("field => field.validationMessage").startswith("“much” is not a number")
    page.locator("[aria-label='a2[0]']").click()
    page.locator("[aria-label='a1[1]']").click()
    assert "2.59·" in page.inner_text("#neuron")


def test_the_card_follows_a_change_and_keeps_the_focus(opened: Opener, path: str) -> None:
    page = opened(path)
    page.locator("[aria-label='a1[0]']").click()
    assert "If b1[0], and z with it, grows by 0.01" in page.inner_text("#neuron")
    before = page.inner_text("#neuron")
    page.focus("[aria-label='W1[0,1]']")
    assert "If W1[0,1] grows by 0.01" in page.inner_text("#neuron")
    press(page, "ArrowUp", 5)
    value = page.input_value("[aria-label='W1[0,1]']")
    assert f"{float(value):.4g}·" in page.inner_text("#neuron")
    slope = "#neuron tbody tr:last-child td:last-child"
    assert page.inner_text(slope) not in before
    press(page, "Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "b1[0]"
    page.click("#epoch")
    page.click("#copy-program")
    space: dict[str, Any] = {}
    exec(page.text_content("#program"), space)  # which starts from the weights that were changed
    cost, _ = space["trainer"].evaluate(space["X"][:140], space["y"][:140])
    assert training_cost(page) == pytest.approx(cost, rel=1e-3)
    page.focus("[aria-label='W1[0,1]']")
    press(page, "ArrowUp")
    page.click("#copy-program")
    assert "# In epoch 2 of the page, weights were changed" in page.text_content("#program")


def test_the_keyboard_keeps_its_place_when_neurons_are_added(opened: Opener, path: str) -> None:
    page = opened(path)
    page.focus("[aria-label='one neuron more in layer 1']")
    press(page, "Enter", 3)
    assert page.locator(".node").count() == 2 + 7 + 3 + 1
    page.focus("[aria-label='one neuron less in layer 2']")
    press(page, "Enter", 4)  # then the layer is gone, and its button with it
    assert page.locator(".node").count() == 2 + 7 + 1
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "x₁"


def test_a_line_opens_its_weight_and_what_a_nudge_does(opened: Opener, path: str) -> None:
    page = opened(path)
    page.locator(".net path.hit").first.dispatch_event("click")
    said = page.inner_text("#neuron")
    assert "If W1[0,0] grows by 0.01" in said
    predicted, actual = (
        float(text.split("= ")[-1].rstrip("."))
        if "=" in text
        else float(text.split(" by ")[-1].rstrip("."))
        for text in said.split("predicted: ")[1].split("; ")
    )
    assert actual == pytest.approx(predicted, rel=0.2, abs=1e-5)
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "W1[0,0]"


def test_the_gradient_on_the_card_is_that_of_the_engine(opened: Opener, path: str) -> None:
    page = opened(path)
    page.locator("[aria-label='a1[1]']").click()
    X, y = nn.points("moons", 200, noise=0.2, seed=0)
    model = nn.MLP(2, [4, 3, 1], "tanh", seed=0)
    nn.binary_cross_entropy_with_logits(model(X[0].tolist()), int(y[0])).backward()
    wanted = model.layers[0].neurons[1].w[0].grad
    shown = page.locator("#neuron tbody tr").first.locator("td").last.inner_text()
    assert float(shown) == pytest.approx(wanted, rel=1e-3)


def test_a_point_is_chosen_by_mouse_and_by_keys(opened: Opener, path: str) -> None:
    page = opened(path)
    page.locator("[aria-label='a1[0]']").click()
    page.focus("#points")
    press(page, "ArrowRight", 3)
    assert "at point 3" in page.inner_text("#neuron h2")
    page.fill("#example", "-300")  # counted from the end, over and over
    page.press("#example", "Enter")
    assert "at point 120" in page.inner_text("#neuron h2")
    page.fill("#example", "3")
    page.press("#example", "Enter")
    box = page.locator("#points").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert "at point 3" not in page.inner_text("#neuron h2")


def test_the_quiz_asks_and_names_the_mistake(opened: Opener, path: str) -> None:
    page = opened(path)
    page.click("#quiz-next")
    text = page.inner_text("#quiz-text")
    slope, name = (
        text.split("its neuron is ")[1].split(". By")[0],
        text.split(". ")[1].split(" =")[0],
    )
    given = float(text.split(f"{name} = ")[1].split("= ")[1].split(";")[0])
    right = -0.1 * given * float(slope)
    page.fill("#quiz-answer", f"{-right:.6g}")
    page.press("#quiz-answer", "Enter")
    assert "The sign" in page.inner_text("#quiz-said")
    page.click("#quiz-next")
    page.fill("#quiz-answer", "a lot")
    page.press("#quiz-answer", "Enter")
    assert "is not a number" in page.inner_text("#quiz-said")


@pytest.mark.parametrize(
    ("link", "epochs", "says", "setting"),
    [
        ("#data=moons&init=equal&layers=4", 0, "equal weights", "init"),
        (
            "#data=circles&activation=sigmoid&layers=4,4,4,4,4,4",
            0,
            "gradients vanish",
            "activation",
        ),
        slow("#data=xor&layers=", 12, "can only be straight", "layers"),
        slow("#data=plane&lr=50&activation=identity", 0, "rate is too high", "lr"),
        slow("#data=moons&lr=0.0000001", 0, "rate is too low", "lr"),
        ("#data=moons", 0, "Nothing found", ""),
    ],
)
def test_what_is_wrong_names_the_control(
    opened: Opener, path: str, link: str, epochs: int, says: str, setting: str
) -> None:
    page = opened(path, link)
    for _ in range(epochs):
        page.click("#epoch")
    page.click("#diagnose")
    assert says in page.inner_text("#findings")
    marked = page.locator(".changed")
    assert marked.count() == bool(setting)
    if setting and setting != "layers":
        page.locator("#findings li", has_text=says).locator("button").click()
        assert page.evaluate("document.activeElement.id") == f"set-{setting}"


@pytest.mark.slow
def test_the_program_gives_the_costs_of_the_page(opened: Opener, path: str) -> None:
    page = opened(path, "#data=circles&layers=4")
    for _ in range(5):
        page.click("#epoch")
    page.click("#copy-program")
    page.locator("#program-shown").evaluate("details => { details.open = true; }")
    space: dict[str, Any] = {}
    exec(page.inner_text("#program"), space)
    X, y = space["X"][:140], space["y"][:140]
    cost, _ = space["trainer"].evaluate(X, y)
    assert training_cost(page) == pytest.approx(cost, rel=1e-3)


# ---------------------------------------------------------------------- other networks


def test_a_network_and_points_of_ones_own(opened: Opener, tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(60, 3))
    y = ["warm" if x[0] > 0 else "cold" for x in X]
    model = nn.MLP(3, [5, 1], "relu", seed=3)
    page = opened(nn.playground(tmp_path / "own.html", model=model, data=(X, y), test=0.0, lr=0.3))
    trainer = nn.Trainer(
        model, nn.binary_cross_entropy_with_logits, nn.SGD(model.parameters(), lr=0.3)
    )
    targets = [int(label == "warm") for label in y]
    assert training_cost(page) == pytest.approx(trainer.evaluate(X, targets)[0], rel=1e-3)
    trainer.fit(X, targets, 3, 10)
    for _ in range(3):
        page.click("#epoch")
    assert training_cost(page) == pytest.approx(trainer.evaluate(X, targets)[0], rel=1e-3)


def test_points_that_lie_in_no_plane_leave_all_controls_in_reach(
    opened: Opener, tmp_path: Path
) -> None:
    X = np.random.default_rng(0).normal(size=(40, 3))
    y = ["warm" if x[0] > 0 else "cold" for x in X]
    model = nn.MLP(3, [20, 1], "relu", seed=0)
    page = opened(nn.playground(tmp_path / "own.html", model=model, data=(X, y)))
    page.click("#diagnose")
    assert page.inner_text("#layer-count") == "1 hidden layer"
    assert not page.is_visible("#plane") and not page.is_visible("#inputs")
    page.locator("[aria-label='a1[0]']").click()
    page.fill("#example", "3")
    page.press("#example", "Enter")
    assert "at point 3" in page.inner_text("#neuron h2")
    assert page.text_content("#kinds") == "coldwarm"
    assert "whose class is " in page.inner_text("#neuron")
    page.click("#layer-more")  # 20 neurons are more than the page makes
    assert "whole numbers from 1 to 16" in page.inner_text("#warning")


# ---------------------------------------------------------------------- the page


def test_the_file_is_small(path: str) -> None:
    assert Path(path).stat().st_size < 400_000


def test_the_demo_writes_it_and_says_how_to_open_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = playground.main([f"--out={tmp_path}"])
    assert Path(written).read_text("utf-8").startswith("<!doctype html>")
    assert Path(written).resolve().as_uri() in capsys.readouterr().out


@pytest.mark.parametrize(("width", "scheme"), screens(360, 1280, 3840))
def test_it_is_accessible_on_every_screen(
    opened: Opener, path: str, width: int, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = opened(path, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.locator("[aria-label='a1[0]']").click()
    page.click("#epoch")
    page.click("#diagnose")
    page.click("#quiz-next")
    assert violations(Axe().run(page)) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.slow
def test_a_page_left_to_learn_does_not_grow(opened: Opener, path: str) -> None:
    page = opened(path, "#data=moons&points=20&layers=2")
    session = page.context.new_cdp_session(page)

    def used_after(epochs: int) -> int:
        """Return the bytes in use after so many epochs more, each shown by the whole page."""
        page.evaluate(
            "n => { for (let i = 0; i < n; i++) document.getElementById('epoch').click(); }", epochs
        )
        session.send("HeapProfiler.collectGarbage")
        return int(session.send("Runtime.getHeapUsage")["usedSize"])

    settled = used_after(450)  # the chart is full
    assert used_after(1600) < 1.05 * settled + 200_000
    assert counts(page)[0] == 2050
