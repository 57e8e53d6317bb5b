"""Tests of notebook displays: the text is unchanged, and the HTML contains all of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from IPython.core.formatters import DisplayFormatter

import autograd
import autograd.picture.card
import nn
from autograd import RenderError, Value, scope
from autograd.core.find import find
from autograd.core.graph import topological_order
from autograd.page.html import TELL_COLOUR
from autograd.picture import render
from autograd.picture.markup import NEGATIVE, POSITIVE
from autograd.teach.explain import sensitivity
from demos import chain as chain_demo
from nn.training.curve import curve
from tests.elements import Elements, opened
from tests.examples import labelled, network, neuron

HOSTILE = "</iframe></pre><script>alert(1)</script><img src=x onerror=alert(1)>"


def shown(thing: Any) -> dict[str, str]:
    """Return what IPython displays, by MIME type, with the images in its HTML opened."""
    bundle, _ = DisplayFormatter().format(thing)
    return {kind: opened(x) if kind == "text/html" else x for kind, x in bundle.items()}


def backpropagated(root: Value) -> Value:
    root.backward()
    return root


def trained() -> tuple[nn.Module, nn.History]:
    model = nn.MLP(2, [3, 1], "tanh", seed=1)
    trainer = nn.Trainer(model, nn.mse_loss, nn.SGD(model.parameters(), lr=0.1))
    examples = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [1.0, 0.0, 1.0]
    history = trainer.fit(*examples, epochs=20, batch_size=None, validation=examples)
    return model, history


def compiled(label: str = "w") -> autograd.Compiled:
    w = Value(0.5, label=label)
    function = autograd.compile(lambda x: (w * x).tanh())
    function([1.0, 2.0])
    return function


DISPLAYS: dict[str, Callable[[], Any]] = {
    "leaf": lambda: Value(1.5, label="x"),
    "constant": lambda: Value(1.5).detach(),
    "neuron": neuron,
    "chain": lambda: backpropagated(chain_demo.build("sigmoid", 3, 0).cost),
    "explanation": lambda: neuron().explain("w"),
    "explanation of two paths": lambda: network().explain("x"),
    "nudge": lambda: neuron().nudge("w", 0.01),
    "sensitivity": lambda: neuron().sensitivity(),
    "verdict": lambda: neuron().stepper().check(w=-0.16, b=3),
    "stepper": lambda: neuron().stepper(),
    "page": lambda: neuron().page(),
    "model": lambda: trained()[0],
    "history": lambda: trained()[1],
    "compiled": compiled,
}


@pytest.mark.parametrize("display", DISPLAYS.values(), ids=DISPLAYS)
def test_the_text_is_as_before_and_the_html_is_whole(display: Callable[[], Any]) -> None:
    thing = display()
    bundle = shown(thing)
    assert bundle["text/plain"] == repr(thing)
    assert set(bundle) == {"text/plain", "text/html"}
    assert "script" not in Elements(bundle["text/html"]).tags


def hostile(root: Value) -> Value:
    for node in topological_order(root):
        node.label = HOSTILE + node.label
    root.scope = HOSTILE
    return root


HOSTILE_DISPLAYS: dict[str, Callable[[], Any]] = {
    "value": lambda: hostile(neuron()),
    "leaf": lambda: Value(1.0, HOSTILE),
    "explanation": lambda: hostile(root := network()).explain(find(root, HOSTILE + "x")),
    "nudge": lambda: hostile(root := neuron()).nudge(root, 0.1),
    "sensitivity": lambda: sensitivity(hostile(neuron())),
    "verdict": lambda: hostile(root := neuron()).stepper().check({root: 5.0}),
    "stepper": lambda: hostile(neuron()).stepper(),
    "history": lambda: nn.History(losses=[1.0], stop_reason=HOSTILE, not_compiled=HOSTILE),
    "compiled": lambda: compiled(HOSTILE),
}


@pytest.mark.parametrize("display", HOSTILE_DISPLAYS.values(), ids=HOSTILE_DISPLAYS)
def test_a_hostile_label_is_text(display: Callable[[], Any]) -> None:
    html = shown(display())["text/html"]
    found = Elements(html)
    assert not {"script", "img"} & found.tags
    handlers = {one[name] for _, one in found.found for name in one if name.startswith("on")}
    assert handlers <= {TELL_COLOUR}


@pytest.mark.parametrize("display", DISPLAYS.values(), ids=DISPLAYS)
def test_showing_again_shows_the_same(display: Callable[[], Any]) -> None:
    thing = display()
    assert shown(thing) == shown(thing)


def test_showing_changes_no_node() -> None:
    root = backpropagated(neuron())
    find(root, "w").data = 2.0
    before = [(id(n), n.data, n.grad, n.label, n.op, n.args) for n in topological_order(root)]
    for thing in (root, root.stepper(), root.explain("w"), root.sensitivity()):
        shown(thing)
    after = [(id(n), n.data, n.grad, n.label, n.op, n.args) for n in topological_order(root)]
    assert after == before


# ------------------------------------------------------------------ a Value


def card(node: Value) -> Elements:
    return Elements(shown(node)["text/html"])


def test_the_card_says_what_the_node_is_called_and_made_of() -> None:
    root = backpropagated(neuron())
    text = card(root).text
    assert "C = (a − 1)²" in text
    assert "data0.07233gradient∂/∂C1" in text


def test_a_gradient_that_was_not_computed_is_a_dash() -> None:
    assert "gradient∂/∂x—" in card(Value(1.0, "x")).text


def test_the_card_draws_the_graph_and_says_when_it_is_stale() -> None:
    root = backpropagated(neuron())
    assert "svg" in card(root).tags
    assert "recompute()" not in card(root).text
    find(root, "w").data = 2.0
    assert "recompute()" in card(root).text


def test_a_larger_graph_is_drawn_folded() -> None:
    assert "folded" in card(chain_demo.build("tanh", 40, 0).cost).text


def test_a_huge_graph_is_counted_and_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "lay_out", lambda *_: pytest.fail("it was drawn"))
    node = x = Value(1.0, "x")
    for _ in range(100_000):
        node = node * 0.5 + x
    assert "300,001 nodes" in card(node).text


def test_without_graphviz_there_is_the_card_and_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(source: str, *_: str) -> bytes:
        raise RenderError("Graphviz is out", source)

    monkeypatch.setattr(render, "lay_out", refuse)
    found = card(neuron())
    assert "C = (a − 1)²" in found.text
    assert "no drawing: Graphviz is out" in found.text


def test_a_cycle_has_a_card() -> None:
    x = Value(1.0, "x")
    y = labelled(x * x, "y")
    y.args = (y, x)
    assert "no drawing: " in card(y).text


@pytest.mark.parametrize("data", [float("nan"), float("inf"), 3])
def test_numbers_of_all_kinds_have_a_card(data: Any) -> None:
    x = Value(1.0, "x")
    y = x * x
    x.data = data
    assert "svg" in card(y).tags


def test_data_that_is_no_number_is_shown_as_text_alone() -> None:
    x = Value(1.0)
    x.data = "three"  # type: ignore[assignment]
    assert set(shown(x)) == {"text/plain"}


# ------------------------------------------------------------------ the others


def test_the_factors_of_a_path_stand_in_columns() -> None:
    found = Elements(shown(neuron().explain("w"))["text/html"])
    assert found.rows == [
        ["∂C/∂w", "=", "∂C/∂a", "·", "∂a/∂z", "·", "∂z/∂w"],
        ["", "=", "2(a − 1)", "·", "a(1 − a)", "·", "x"],
        ["", "=", "-0.5379", "·", "0.1966", "·", "1.5"],
        ["", "=", "-0.1586"],
    ]


def test_the_sum_over_paths_says_each_path() -> None:
    text = Elements(shown(network().explain("x"))["text/html"]).text
    for part in ("the sum over 2 paths", "path 1: C ← ", "path 2: C ← "):
        assert part in text
    assert text.endswith("∂C/∂x = -0.2724 + -0.04977 = -0.3222")


def test_a_long_path_is_abridged() -> None:
    text = Elements(shown(chain_demo.build("tanh", 20, 0).cost.explain("w1"))["text/html"]).text
    assert "·…·" in text


def test_stale_numbers_are_marked() -> None:
    root = neuron()
    stepper = root.stepper()
    find(root, "w").data = 2.0
    for thing in (root.explain("w"), root.nudge("w", 0.1), root.sensitivity(), stepper.check(w=1)):
        assert "⚠ stale" in shown(thing)["text/html"]


def test_bars_are_as_long_as_the_gradients() -> None:
    root = backpropagated(neuron())
    found = Elements(shown(root.sensitivity())["text/html"])
    assert [row[0] for row in found.rows] == ["leaf", "w", "b", "x"]
    lengths = [float(length.removesuffix("em")) for length in found.styles("div", "width")]
    slopes = [find(root, label).grad for label in ("w", "b", "x")]
    assert lengths == pytest.approx([9.0 * slope / slopes[0] for slope in slopes], rel=1e-3)


@pytest.mark.parametrize(
    ("leaves", "said"), [(20, ""), (21, "1 leaf that matters"), (25, "5 leaves that matter")]
)
def test_leaves_that_matter_less_are_counted(leaves: int, said: str) -> None:
    found = autograd.sum([Value(float(i), f"x{i}") for i in range(leaves)]).sensitivity()
    for text in (repr(found), shown(found)["text/html"]):
        assert (f"… and {said} less" in text) if said else ("less" not in text)


def test_a_nudge_has_its_numbers_in_columns_and_bars_to_compare_them() -> None:
    x = Value(3.0, "x")
    found = Elements(shown(labelled(x * x, "y").nudge("x", 0.5))["text/html"])
    assert found.rows == [
        ["predicted", "Δy = ∂y/∂x · Δx = 6 × 0.5 =", "3", ""],
        ["actual", "Δy =", "3.25", ""],
        ["off by", "", "0.25", ""],
    ]
    assert found.styles("div", "width") == [f"{9 * 3 / 3.25:.3g}em", "9em"]
    colours = [
        Elements(shown(Value(3.0, "x").nudge("x", amount))["text/html"]).styles("div", "background")
        for amount in (0.5, -0.5)
    ]
    assert colours == [[POSITIVE] * 2, [NEGATIVE] * 2]


def test_a_stepper_for_another_gradient_or_of_a_large_graph_is_text() -> None:
    assert set(shown(neuron().stepper(gradient=2.0))) == {"text/plain"}
    node = x = Value(1.0, "x")
    for _ in range(5_000):
        node = node + x
    assert set(shown(node.stepper())) == {"text/plain"}


def test_a_drawing_shows_itself_without_a_dot_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    bundle = shown(neuron().draw())
    assert "</svg>" in bundle["image/svg+xml"]
    assert bundle["text/plain"] == repr(neuron().draw())


def test_a_history_has_its_rows_and_its_curves() -> None:
    history = trained()[1]
    found = Elements(shown(history)["text/html"])
    assert [row[0] for row in found.rows] == ["epoch", *"123456", "⋮", *map(str, range(15, 21))]
    last = dict(zip(found.rows[0], found.rows[-1], strict=True))
    assert last["loss"] == f"{history.losses[-1]:.4g}"
    assert last["val. loss"] == f"{history.validation_losses[-1]:.4g}"
    assert last["lr"] == "0.1"
    axes, first, _, second, _ = (line["points"].split() for line in found.of("polyline"))
    assert (len(axes), len(first), len(second)) == (3, 20, 20)
    assert "all 20 epochs done" in found.text


@pytest.mark.parametrize(
    "losses", [[], [1.0], [float("nan")], [0.0, 0.0], [-1.0, float("inf"), 2.0], [1.0] * 10_000]
)
def test_any_history_has_a_curve(losses: list[float]) -> None:
    html = shown(nn.History(losses=losses))["text/html"]
    assert "nan" not in html.split("<svg")[1]
    assert len(html) < 20_000


def test_a_module_without_layers_in_a_row_is_text() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            self.a, self.b = nn.Layer(2, 3), nn.Layer(2, 3)

    assert set(shown(Two())) == {"text/plain"}
    assert set(shown(nn.Dropout(0.5))) == {"text/plain"}


def test_a_compiled_function_shows_its_code_and_why() -> None:
    found = Elements(shown(compiled())["text/html"])
    assert "np.tanh" in found.text
    assert "scalar operations became" in found.text
    assert "details" in found.tags


def test_a_compiled_function_is_text_before_its_first_call() -> None:
    w = Value(0.5)
    function = autograd.compile(lambda x: w * x)
    assert set(shown(function)) == {"text/plain"}
    assert "not called yet" in repr(function)


def test_the_card_says_where_a_node_was_made() -> None:
    with scope("layers[0]"):
        y = Value(2.0, "x") * 3.0
    assert "made in layers[0]" in card(y).text


def test_a_number_too_large_for_a_float_is_shown_as_text_alone() -> None:
    x = Value(1.0)
    x.data = 10**400
    assert autograd.picture.card.card(x) is None


def test_a_falling_cost_falls_to_its_last_epoch() -> None:
    html = opened(curve({"loss": [3.0 / (i + 1) for i in range(701)]}))
    points = html.split("<polyline")[2].split('"')[1].split()
    heights = [float(point.split(",")[1]) for point in points]
    assert heights == sorted(heights)  # downwards
    assert float(points[-1].split(",")[0]) == 430


def test_a_curve_has_its_numbers_beside_its_axes() -> None:
    texts = Elements(opened(curve({"loss": [4.0, 1.0, 0.5]}))).of("text")
    places = [(float(text["x"]), float(text["y"])) for text in texts]
    highest, lowest, first, last, key = places
    assert highest[0] == lowest[0] < first[0] < last[0]
    assert highest[1] < lowest[1] < first[1] == last[1] < 180
    assert key[1] < lowest[1]


def test_without_held_out_examples_there_is_one_line() -> None:
    assert "val. loss" not in nn.History(losses=[1.0, 0.5])._repr_html_()
