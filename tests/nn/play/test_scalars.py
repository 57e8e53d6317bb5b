"""Tests that the page of a graph inside the playground has the numbers of the playground."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import nn
from autograd.page.html import globals_of, modules
from nn.play.own import Own
from nn.play.page import SHARED, WEB, _outputs, generated
from nn.play.scalars import scalars
from nn.play.settings import COSTS, LEARNING
from tests.browsing import press

PROBE = """\
import { Learner } from "./learner.js";
import { divided, points } from "./points.js";
import { scalarsOf } from "./scalars.js";
import { checked } from "./settings.js";

export function opened({ settings: given, own, templates, layer }) {
  const settings = checked(given);
  const { points: n, noise, seed, test, data } = settings;
  const learner = new Learner(settings, divided(own ?? points(data, n, noise, seed), test));
  learner.epoch();
  const { costs, gradients } = learner.look(learner.train, 3);
  const rows = scalarsOf(learner, templates, ["x1", "x2"], 3, { layer, neuron: 0 });
  const named = gradients.flatMap(({ nin, nout, numbers }, k) =>
    Array.from(numbers, (x, at) => {
      const [j, i] = [Math.floor(at / (nin + 1)), at % (nin + 1)];
      return [i === nin ? `b${k + 1}[${j}]` : `W${k + 1}[${j},${i}]`, x];
    }));
  return { rows, cost: costs[0], gradients: Object.fromEntries(named) };
}
"""
IN_THE_GRAPH = """({ nodes }) => {
  const { graphOf, backwardSteps, gradientsAfter, rootOf } = MODULES["graph.js"];
  const graph = graphOf(nodes);
  const found = gradientsAfter(graph, backwardSteps(graph));
  const moving = nodes.flatMap(({ moves, name }, i) => (moves ? [[name, found[i] ?? 0]] : []));
  return { cost: graph.values[rootOf(graph)], gradients: Object.fromEntries(moving) };
}"""
Ask = Callable[..., tuple[dict[str, Any], dict[str, Any]]]


def own_points(count: int) -> Own:
    return Own.of(
        ([[0.1 * i, (i * i) % 7 - 3.0] for i in range(30)], [i % count for i in range(30)])
    )


@pytest.fixture(scope="module")
def ask(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Yield a function that makes a graph with settings, and returns both pages' numbers."""
    folder = tmp_path_factory.mktemp("probe")
    (folder / "probe.js").write_text(PROBE, "utf-8")
    templates, page = scalars(_outputs())
    graph = browser.new_page()
    graph.set_content(page.html.replace('id="data">{}<', 'id="data">{"nodes": []}<'))

    def asked(own: Own | None = None, layer: int = 1, **settings: Any) -> Any:
        script = (
            globals_of("special.js") + generated(own) + modules("probe.js", [folder, WEB, SHARED])
        )
        playground = browser.new_page()
        playground.add_script_tag(content=script)
        given = {"settings": settings, "templates": templates, "layer": layer}
        given["own"] = own and own.contents()
        found = playground.evaluate("given => MODULES['probe.js'].opened(given)", given)
        playground.close()
        return found, graph.evaluate(IN_THE_GRAPH, found["rows"])

    yield asked
    graph.close()


CASES = [
    *({"activation": name} for name in LEARNING),
    *({"data": "moons", "cost": name} for name in COSTS["sides"]),
    *({"data": "spirals", "cost": name} for name in COSTS["classes"]),
    *({"data": "wave", "cost": name} for name in COSTS["numbers"]),
    {"layers": []},
]


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(row, marks=[] if i % 6 == 0 else pytest.mark.slow, id=str(row))
        for i, row in enumerate(CASES)
    ],
)
def test_the_graph_has_the_cost_and_the_gradients(ask: Ask, settings: dict[str, Any]) -> None:
    page, graph = ask(**settings)
    assert graph["cost"] == pytest.approx(page["cost"], rel=1e-12)
    assert graph["gradients"] == pytest.approx(page["gradients"], rel=1e-9, abs=1e-15)


@pytest.mark.slow
@pytest.mark.parametrize("count", [4, 5, 6])
def test_the_graph_knows_the_costs_of_more_classes(ask: Ask, count: int) -> None:
    page, graph = ask(own_points(count), data="own")
    assert graph["cost"] == pytest.approx(page["cost"], rel=1e-12)
    assert graph["gradients"] == pytest.approx(page["gradients"], rel=1e-9, abs=1e-15)


def test_only_the_chosen_neuron_is_open_and_no_gap_is_left(ask: Ask) -> None:
    page, _ = ask(layers=[4, 3], layer=2)
    rows, groups = page["rows"]["nodes"], page["rows"]["groups"]
    assert [groups[i]["name"] for i in page["rows"]["open"]] == ["layer 2", "neuron 0"]
    assert (groups[0]["name"], groups[0]["count"]) == ("layer 1", 32)
    assert rows[groups[1]["outputs"][0]]["name"] == "a1[0]"
    named = {row["name"]: row for row in rows}
    assert named["W1[0,0]·x1"]["slopes"] == ["x1", "W1[0,0]"]
    assert named["z1[0]"]["expression"] == "b1[0] + W1[0,0]·x1 + W1[0,1]·x2"
    assert named["a2[0]"]["slopes"] == ["1 − a2[0]²"]
    assert rows[-1]["name"] == "C"
    assert not any(0xA000 <= ord(letter) <= 0xA010 for letter in str(rows))


# ---------------------------------------------------------------------- the page in the page


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return nn.playground(tmp_path_factory.mktemp("page") / "p.html", layers=[2], points=20)


def test_a_neuron_opens_down_to_its_scalars_by_keys(opened: Callable[..., Any], path: str) -> None:
    page = opened(path)
    page.click("#epoch")
    page.focus('[aria-label="a1[1]"]')
    press(page, "Enter")
    page.focus("#open-scalars")
    press(page, "Enter")
    graph = page.frame_locator("#graph")
    assert graph.locator(".box.selected").get_attribute("aria-label").startswith("a1[1]: ")
    graph.locator("#last").focus()
    press(page, "Enter")
    wanted = page.locator("#neuron tr", has_text="W1[1,0]").locator("td").last.text_content()
    box = graph.locator('.box.leaf[aria-label^="W1[1,0]: "]')
    assert f"gradient {wanted}" in box.get_attribute("aria-label")
    assert page.text_content("#scalars-title") == "a1[1] at point 0, down to its scalars"
    page.focus("#scalars-close")
    press(page, "Escape")
    assert not page.is_visible("#scalars")


def test_the_graph_follows_the_theme(opened: Callable[..., Any], path: str) -> None:
    page = opened(path)
    page.click("#theme")
    page.click("#open-scalars")
    graph = page.frame_locator("#graph")
    graph.locator(".box").first.wait_for()
    assert "dark" in graph.locator("html").get_attribute("style")
