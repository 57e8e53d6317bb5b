"""Tests of the data in a graph's page, and of writing the file completely or not at all."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import nn
from autograd import LabelError, RenderError, Value, extend, no_grad, scope
from autograd.core import ops
from autograd.core.graph import leaves, topological_order
from autograd.page import graph_page
from autograd.page.expressions import translate
from autograd.page.groups import OUTERMOST, find_groups, opened, visible
from autograd.page.html import read
from autograd.page.javascript import is_computable
from autograd.page.layout import laid_out
from autograd.page.record import CONSTANT, LEAF, box_size, records, slope_formula
from demos import chain as chain_demo
from tests.browsing import parts
from tests.examples import labelled, neuron
from tests.random_graphs import CALM, Program, programs, results

TESTS = Path(__file__).parent.parent
PACKAGES = Path(autograd.__file__).parents[1]  # not beside the tests, if it was installed

# ---------------------------------------------------------------------- the file


def test_the_page_of_the_chain_is_small_and_asks_for_nothing() -> None:
    chain = chain_demo.build("sigmoid", 3, 0)
    html = graph_page(chain.cost, parameters=chain.parameters).html
    assert len(html.encode()) <= 300_000
    addresses = set(re.findall(r"https?://[^\s\"'`<)]+", html))
    assert addresses == {"http://www.w3.org/2000/svg"}  # an XML namespace, which is never fetched
    assert not re.search(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=(?!\"data:)", html)


@pytest.mark.parametrize(
    ("page", "tests"),
    [
        ("autograd/page/web/player.html", ["page/test_player.py"]),
        (
            "nn/picture/web/network.html",
            ["nn/picture/test_network_page.py", "nn/picture/test_train_on.py"],
        ),
    ],
)
def test_every_control_is_in_a_test(page: str, tests: list[str]) -> None:
    html = read("controls.html") + (PACKAGES / page).read_text("utf-8")
    controls = set(re.findall(r'<(?:button|input|select)\b[^>]* id="([^"]+)"', html))
    texts = [(TESTS / name).read_text("utf-8") for name in tests]
    named = set(re.findall(r"[\"#]([\w-]+)", "".join(texts)))
    assert len(controls) > 10 and controls <= named


def test_the_policy_allows_this_script_and_this_style_and_nothing_else() -> None:
    found = parts(graph_page(neuron()).html)
    hashes = [
        base64.b64encode(hashlib.sha256(found[kind].encode()).digest()).decode()
        for kind in ("script", "style")
    ]
    assert found["policy"] == (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; "
        f"img-src data:; base-uri 'none'; form-action 'none'"
    )


def test_other_peoples_code_comes_with_its_licence_and_only_where_it_is_needed() -> None:
    root = autograd.sum([Value(float(i), f"x{i}") for i in range(9)])
    assert "Permission is hereby granted" in graph_page(root, max_nodes=5).html
    assert "dagre 3" in graph_page(root, max_nodes=5).html
    assert "Permission is hereby granted" not in graph_page(root).html


def test_it_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "neuron.html"
    assert neuron().save_html(path) == str(path)
    assert path.read_text("utf-8") == graph_page(neuron()).html
    assert [p.name for p in path.parent.iterdir()] == ["neuron.html"]


def test_a_page_says_what_it_is() -> None:
    assert repr(neuron().page(title="mine")) == (
        "<page 'mine': .save('page.html') writes it, a notebook shows it>"
    )


def test_where_it_cannot_be_written_what_stood_there_stays(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        neuron().save_html(tmp_path / "folder")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OSError, match="file"):
        neuron().save_html(tmp_path / "file" / "page.html")
    assert (tmp_path / "file").read_text() == "mine"
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["file", "folder"]


def test_nothing_is_written_where_the_graph_cannot_be_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: Any) -> bytes:
        raise RenderError("Graphviz could not make json0: no", "digraph {}")

    monkeypatch.setattr("autograd.page.layout.lay_out", refuses)
    with pytest.raises(RenderError, match="json0"):
        neuron().save_html(tmp_path / "page.html")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("root", "options", "kind", "said"),
    [
        (Value(2.0).detach(), {}, ValueError, "nothing to differentiate: .* is a constant"),
        (neuron(), {"parameters": ["v"]}, LabelError, "no node is labelled 'v'"),
        (neuron(), {"parameters": ["z"]}, ValueError, "a parameter is a leaf, and z is computed"),
        (neuron(), {"parameters": 3}, TypeError, "parameters are leaves or their labels; got 3"),
        (
            neuron(),
            {"max_nodes": 1},
            ValueError,
            "max_nodes is .* at least 2, got 1",
        ),
        (neuron(), {"lr": "fast"}, TypeError, "lr"),
        (neuron(), {"lr": math.nan}, ValueError, "lr is a positive number, got nan"),
        (neuron(), {"position": 8}, ValueError, "position is from 0 to 7, .* got 8"),
        (
            neuron(),
            {"position": -1},
            ValueError,
            "position, .* of at least 0, got -1",
        ),
    ],
)
def test_what_cannot_be_a_page_says_why(
    root: Value, options: dict[str, Any], kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        graph_page(root, **options)


def test_a_graph_with_nothing_recorded_has_nothing_to_play(tmp_path: Path) -> None:
    with no_grad():
        y = Value(2.0, "x") * 3.0
    with pytest.raises(ValueError, match="nothing to differentiate"):
        y.save_html(tmp_path / "page.html")


def test_a_graph_too_large_for_a_page_says_what_to_do_instead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("autograd.page.play.MOST_NODES", 9)
    with pytest.raises(ValueError, match="at most 9 nodes, and C has 10: .* draw"):
        graph_page(neuron())


def test_making_a_page_changes_nothing() -> None:
    root = labelled(Value(2.0) * Value(3.0), "y")
    root.backward()
    before = [(n.data, n.grad, n.label) for n in topological_order(root)]
    graph_page(root)
    assert [(n.data, n.grad, n.label) for n in topological_order(root)] == before


# ---------------------------------------------------------------------- the record


def test_a_node_is_recorded_with_what_a_reader_sees_of_it() -> None:
    root = neuron()
    order = topological_order(root)
    used = [ops.leaf, ops.constant, *{node.op for node in order if node.args}]
    rows = records(root, {leaves(root)[0]}, used, used)
    (a,) = [row for row in rows if row["name"] == "a"]
    assert used[a["op"]] is ops.sigmoid
    assert [rows[i]["name"] for i in a["args"]] == ["z"]
    assert a["expression"] == "σ(z)"
    assert a["slopes"] == ["a(1 − a)"]
    assert [row["name"] for row in rows if row.get("moves")] == [leaves(root)[0].label]
    assert [row["name"] for row in rows if row["op"] == CONSTANT] == ["1", "2"]


def test_the_title_is_the_outputs_name_or_what_it_is_given() -> None:
    nameless = Value(2.0) * Value(3.0)
    assert graph_page(nameless).title == "v1·v2"  # as everywhere on the page
    assert graph_page(nameless, title="7").title == "7"


@pytest.mark.parametrize(
    ("parameters", "moving"),
    [
        (None, ["w", "b"]),
        (["b", "w"], ["w", "b"]),
        ("w", ["w"]),
        ([], []),
    ],
)
def test_descent_moves_the_leaves_it_is_told_to(parameters: Any, moving: list[str]) -> None:
    rows = parts(graph_page(neuron(), parameters=parameters).html)["data"]["nodes"]
    assert sorted(row["name"] for row in rows if row.get("moves")) == sorted(moving)


def test_parameters_may_be_nodes_and_are_found_at_once() -> None:
    model = nn.MLP(20, [20, 1], seed=0)
    cost = nn.squared_error(model([1.0] * 20), 1.0)
    rows = parts(graph_page(cost, parameters=model.parameters()).html)["data"]["nodes"]
    assert sum(row.get("moves", False) for row in rows) == len(model.parameters())


def test_what_is_not_finite_is_recorded_as_javascript_calls_it() -> None:
    root = Value(math.nan) + Value(math.inf) + Value(-math.inf)
    data = parts(graph_page(root).html)["data"]
    assert [row["data"] for row in data["nodes"] if row["op"] == LEAF] == [
        "NaN",
        "Infinity",
        "-Infinity",
    ]


@pytest.mark.parametrize("data", [-2.0, 0.0, 2.0])
@pytest.mark.parametrize(
    ("make", "formulas"),
    [
        (lambda z: z.relu(), ["1 if z > 0 else 0"]),
        (lambda z: z.elu(), ["1 if z > 0 else 1·exp(z)", "0 if z > 0 else expm1(z)"]),
        (lambda z: abs(z), ["1 if z > 0 else −1 if z < 0 else 0"]),
        (lambda z: z.maximum(Value(0.5, "y")), ["1 if z > y else 0 if z < y else ½", ""]),
        (lambda z: z.step(), ["0"]),
        (lambda z: z * 3.0, ["3", "z"]),
    ],
)
def test_a_formula_of_a_slope_holds_for_any_number(
    data: float, make: Any, formulas: list[str]
) -> None:
    node = make(Value(data, "z"))
    found = [slope_formula(node, slot) for slot in range(node.op.arity)]
    assert [f for f, wanted in zip(found, formulas, strict=True) if wanted] == [
        wanted for wanted in formulas if wanted
    ]


@pytest.mark.parametrize("source", ["np.linalg.norm(a)", "a if b", "a @ b", "[a]", "'a'"])
def test_what_has_no_javascript_is_refused(source: str) -> None:
    with pytest.raises((ValueError, SyntaxError)):
        translate(source)


# ---------------------------------------------------------------------- groups


def in_scopes(root: Value, names: list[str]) -> Value:
    """Put the nodes of a graph into these scopes, in turn, and return its root."""
    for i, node in enumerate(topological_order(root)):
        node.scope = names[i % len(names)]
    return root


SCOPES = ["", "a", "a.b", "a.b.c", "d", "d.b"]


@settings(max_examples=150, deadline=None)
@given(
    programs(CALM, least=12, most=40),
    st.lists(st.sampled_from(SCOPES), min_size=1, max_size=5),
    st.integers(2, 12),
)
def test_every_node_is_in_one_group_and_no_group_holds_more_than_fits(
    program: Program, names: list[str], most: int
) -> None:
    root = autograd.sum(results(program))  # no result is unused
    order = topological_order(in_scopes(root, names))
    groups, place = find_groups(order, most)
    assert len(place) == len(order) > most
    for i in range(-1, len(groups)):
        direct = place.count(i) + sum(group.parent == i for group in groups)
        assert 0 < direct <= most or i == OUTERMOST
    assert place.count(OUTERMOST) + sum(group.parent == OUTERMOST for group in groups) <= most
    assert all(group.parent < i for i, group in enumerate(groups))
    for i, group in enumerate(groups):
        assert group.count == sum(_inside(groups, p, i) for p in place)
    seen = opened(order, groups, place, most)
    shown = {visible(i, place, groups, set(seen)) for i in range(len(order))}
    assert len(shown) <= most


def test_a_long_run_is_cut_into_as_few_parts_as_fit() -> None:
    order = topological_order(autograd.sum([Value(1.0, f"x{i}") for i in range(13)]))
    groups, place = find_groups(order, 12)
    assert [(group.name, group.count) for group in groups] == [
        ("part 1 of 3", 9),
        ("part 2 of 3", 9),
        ("part 3 of 3", 7),
    ]
    assert place == [0] * 9 + [1] * 9 + [2] * 7


def test_outer_groups_are_opened_before_inner_ones_as_far_as_there_is_room() -> None:
    order = topological_order(in_scopes(neuron(), ["a.b"]))
    order[-1].scope = order[-2].scope = "a"
    groups, place = find_groups(order, len(order) - 1)
    assert [(group.name, group.parent) for group in groups] == [("a", OUTERMOST), ("b", 0)]
    assert opened(order, groups, place, len(order) - 1) == [0]
    assert opened(order, groups, place, len(order)) == [0, 1]


def test_what_fits_is_in_no_group() -> None:
    order = topological_order(in_scopes(neuron(), ["a", "b"]))
    assert find_groups(order, len(order)) == ([], [OUTERMOST] * len(order))
    assert find_groups(order, len(order) - 1)[0]


def _inside(groups: list[Any], place: int, outer: int) -> bool:
    while place != OUTERMOST:
        if place == outer:
            return True
        place = groups[place].parent
    return False


def test_a_network_folds_by_layer_and_neuron() -> None:
    model = nn.MLP(2, [20, 20, 1], seed=0)
    order = topological_order(model([1.0, 2.0]))
    groups, place = find_groups(order, 30)
    names = [group.name for group in groups if group.parent == OUTERMOST]
    assert sorted(names) == ["layer1", "layer2", "layer3"]
    weight = next(i for i, node in enumerate(order) if node.label == "W2[3,5]")
    inside, path = place[weight], []
    while inside != OUTERMOST:
        path.append(groups[inside].name)
        inside = groups[inside].parent
    assert path[-2:] == ["neurons[3]", "layer2"]


def test_a_scope_nested_ever_so_deep_folds() -> None:
    x = Value(1.0, "x")
    for _ in range(400):
        x = x * 1.01
    for i, node in enumerate(topological_order(x)):
        node.scope = ".".join(f"s{k}" for k in range(i // 2))
    groups, _ = find_groups(topological_order(x), 20)
    assert len(groups) >= 400
    with scope("outer"):
        assert graph_page(x + 1.0, max_nodes=20).html


# ---------------------------------------------------------------------- layout


@pytest.mark.parametrize("rankdir", ["LR", "TB"])
def test_boxes_do_not_overlap_and_lines_join_them(rankdir: str) -> None:
    sizes = {f"n{i}": (90 + 10 * i, 50) for i in range(5)}
    edges = [("e0", "n0", "n2"), ("e1", "n1", "n2"), ("e2", "n2", "n3"), ("e3", "n2", "n3")]
    edges += [("e4", "n3", "n4")]
    found = laid_out(sizes, edges, rankdir)
    places = found["boxes"]
    assert set(places) == set(sizes)
    assert set(found["edges"]) == {"e0", "e1", "e2", "e3", "e4"}
    names = list(sizes)
    for i, a in enumerate(names):
        x, y = places[a]
        assert sizes[a][0] / 2 - 1 <= x <= found["width"] - sizes[a][0] / 2 + 1
        assert sizes[a][1] / 2 - 1 <= y <= found["height"] - sizes[a][1] / 2 + 1
        for b in names[i + 1 :]:
            across = abs(x - places[b][0]) >= (sizes[a][0] + sizes[b][0]) / 2
            down = abs(y - places[b][1]) >= (sizes[a][1] + sizes[b][1]) / 2
            assert across or down
    along = 0 if rankdir == "LR" else 1
    for id_, tail, head in edges:
        assert places[tail][along] < places[head][along]
        numbers = [float(x) for x in re.findall(r"-?[\d.]+", found["edges"][id_]["path"])]
        assert abs(numbers[along] - places[tail][along]) <= sizes[tail][along] / 2 + 3
        assert abs(numbers[-2 + along] - places[head][along]) <= sizes[head][along] / 2 + 3


def test_beside_a_line_there_is_room_for_its_derivative() -> None:
    found = laid_out({"a": (72, 36), "b": (72, 36)}, [("e", "a", "b")], "LR")
    (left, line), (right, _) = found["boxes"]["a"], found["boxes"]["b"]
    across, down = found["edges"]["e"]["middle"]
    assert left + 36 < across < right - 36
    assert 5 <= abs(down - line) <= 30


@pytest.mark.parametrize("way", ["LR", "TB"])
def test_a_page_holds_a_line_for_each_operand(way: str) -> None:
    order = topological_order(neuron())
    wanted = {
        f"n{order.index(arg)}-n{i}-{slot}"
        for i, node in enumerate(order)
        for slot, arg in enumerate(node.args)
    }
    assert set(parts(graph_page(order[-1]).html)["data"]["layouts"][way]["edges"]) == wanted


@pytest.mark.parametrize(("nodes", "folded"), [(60, False), (61, True)])
def test_sixty_nodes_are_seen_and_descent_steps_by_a_tenth(nodes: int, folded: bool) -> None:
    y = Value(0.5, "x")
    for _ in range(nodes - 1):
        y = y.sin()
    data = parts(graph_page(labelled(y, "y")).html)["data"]
    assert (bool(data["groups"]), data["lr"]) == (folded, 0.1)


def test_a_box_is_as_wide_as_its_label() -> None:
    assert box_size({"op": "mul", "label": "a"})[0] == 120
    assert box_size({"op": "mul", "label": "a" * 18})[0] >= 18 * 8


def test_a_page_computes_what_can_be_written_in_javascript() -> None:
    in_python = autograd.op("in_python", lambda a: math.trunc(a), lambda out, a: (0.0,))
    assert is_computable(extend.TABLE["leaf"]) and is_computable(autograd.tanh)
    assert not is_computable(in_python)
    cbrt = autograd.Op(
        *("cbrt", lambda a: a ** (1 / 3), lambda out, a: (out / (3 * a),)),
        array="np.cbrt(a)",
        array_partials=("out / (3.0 * a)",),
    )
    assert cbrt.array and not is_computable(cbrt), "the page does not have every function of NumPy"


def test_a_symbol_is_data_too() -> None:
    own = autograd.op(
        "own_symbol", lambda a: a * 2.0, lambda out, a: (2.0,), symbol="</script><script>"
    )
    assert graph_page(own(Value(1.0, "x"))).html.count("</script>") == 2


def test_a_slope_that_is_no_number_is_recorded_as_none() -> None:
    own = autograd.op("own_root", lambda a: math.sqrt(a), lambda out, a: (0.5 / math.sqrt(a),))
    root = own(Value(0.0, "x"))
    assert records(root, [], [ops.leaf, root.op], [])[1]["locals"] == ["NaN"]


def test_an_operation_with_an_infinite_number_in_it_is_javascript_too() -> None:
    capped = autograd.op(
        "capped_at",
        value=lambda a: autograd.minimum(a, math.inf),
        partials=lambda out, a: (1.0,),
    )
    html = graph_page(capped(Value(1.0, "x"))).html
    assert "(Infinity)" in html
    assert "(inf)" not in html


def test_without_parameters_the_inputs_stay() -> None:
    def moving(root: Value) -> list[str]:
        rows = parts(graph_page(root).html)["data"]["nodes"]
        return sorted(row["name"] for row in rows if row.get("moves"))

    w, b = Value(2.0, "w"), Value(1.0, "b")
    for label in ("x", "x1", "X[0,2]", "a0", "target", "input", ""):
        assert moving((w * Value(3.0, label) + b).tanh()) == ["b", "w"]
    assert moving(w * Value(3.0, "xray")) == ["w", "xray"]
    assert moving(Value(3.0, "x") * Value(2.0, "x2")) == ["x", "x2"]
    assert moving(Value(3.0) * Value(2.0)) == ["v1", "v2"]
    model = nn.MLP(2, [2, 1], seed=0)
    inputs = [Value(0.5), Value(0.25, "x2")]
    cost = nn.squared_error(model(inputs), Value(1.0))
    assert len(moving(cost)) == len(model.parameters())
    with pytest.raises(ValueError, match="lr is a positive number, got 0"):
        graph_page(w * b, lr=0)
