"""Tests of `explain`, `nudge` and `sensitivity`."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import nn
from autograd import LabelError, Value, softmax
from autograd.core import ops
from autograd.core.backprop import gradients, locals_of
from autograd.core.find import find
from autograd.core.graph import count_paths, leaves, topological_order
from autograd.extend import TABLE
from autograd.teach import formulas
from autograd.teach.explain import Explanation, approximately, explain, nudge, sensitivity
from autograd.teach.formulas import local_term
from tests.examples import labelled, network, neuron
from tests.random_graphs import CALM, PIECEWISE, Program, built, programs


def classifier() -> Value:
    """Build −log of a softmax: many nodes without labels, several paths."""
    return labelled(-softmax([Value(0.5 * i, f"x{i}") for i in range(3)])[1].log(), "L")


def text(*lines: str) -> str:
    return "\n".join(lines)


# ---------------------------------------------------------------------- the words of an explanation


def test_one_path_is_a_chain_of_symbols_then_numbers_then_the_product() -> None:
    assert str(neuron().explain("w")) == text(
        "∂C/∂w = ∂C/∂a · ∂a/∂z · ∂z/∂w",
        "      = 2(a − 1) · a(1 − a) · x",
        "      = -0.5379 · 0.1966 · 1.5",
        "      = -0.1586",
    )


def test_printing_is_the_repr_and_the_function_is_the_method() -> None:
    root = neuron()
    assert repr(root.explain("w")) == str(root.explain("w")) == str(explain(root, find(root, "w")))


def test_a_square_has_two_paths_that_are_the_same() -> None:
    x = Value(3.0, "x")
    assert str(labelled(x * x, "y").explain(x)) == text(
        "∂y/∂x = 6, the sum over 2 paths",
        "",
        "path 1: y ← x",
        "    ∂y/∂x",
        "  = x",
        "  = 3",
        "",
        "path 2: y ← x",
        "    ∂y/∂x",
        "  = x",
        "  = 3",
        "",
        "∂y/∂x = 3 + 3 = 6",
    )


def test_the_larger_path_comes_first_and_the_sum_last() -> None:
    a, b = Value(2.0, "a"), Value(3.0, "b")
    assert str(labelled(a + a * b, "y").explain(a)) == text(
        "∂y/∂a = 4, the sum over 2 paths",
        "",
        "path 1: y ← a·b ← a",
        "    ∂(a·b)/∂a",
        "  = b",
        "  = 3",
        "",
        "path 2: y ← a",
        "    ∂y/∂a",
        "  = 1",
        "",
        "∂y/∂a = 3 + 1 = 4",
    )


@pytest.mark.parametrize(
    ("make", "formula", "value"),
    [
        (lambda a, b: a + b, "1", None),
        (lambda a, b: b - a, "-1", None),
        (lambda a, b: -a, "-1", None),
        (lambda a, b: a * b, "b", "3"),
        (lambda a, b: 5 * a, "5", None),
        (lambda a, b: a / b, "1/b", "0.3333"),
        (lambda a, b: b / a, "−b/a²", "-0.75"),
        (lambda a, b: a**2, "2a", "4"),
        (lambda a, b: a**3, "3a²", "12"),
        (lambda a, b: a**b, "b·a^(b − 1)", "12"),
        (lambda a, b: b**a, "y·log(b)", "9.888"),
        (lambda a, b: a.exp(), "y", "7.389"),
        (lambda a, b: (a * b).exp(), "y·b", "1210"),
        (lambda a, b: a.log(), "1/a", "0.5"),
        (lambda a, b: a.log1p(), "1/(1 + a)", "0.3333"),
        (lambda a, b: a.sqrt(), "1/(2y)", "0.3536"),
        (lambda a, b: a.sin(), "cos(a)", "-0.4161"),
        (lambda a, b: a.cos(), "−sin(a)", "-0.9093"),
        (lambda a, b: a.tanh(), "1 − y²", "0.07065"),
        (lambda a, b: (10 * a).tanh(), "(1 − y²)·10", "1.699e-16"),  # exact though y is 1
        (lambda a, b: a.sigmoid(), "y(1 − y)", "0.105"),
        (lambda a, b: a.softplus(), "σ(a)", "0.8808"),
        (lambda a, b: a.erf(), "1.128exp(−a²)", "0.02067"),
        (lambda a, b: a.gelu(), "0.5erfc(−0.7071a) + 0.3989a·exp(−a²/2)", "1.085"),
        (lambda a, b: a.relu(), "1", None),
        (lambda a, b: (-a).relu(), "0", None),
        (lambda a, b: abs(-a), "1", None),
        (lambda a, b: a.maximum(b), "0", None),
        (lambda a, b: a.minimum(b), "1", None),
        (lambda a, b: (a - b) ** 2, "2(a − b)", "-2"),
    ],
)
def test_a_single_factor_is_written_as_in_the_lesson(
    make: Callable[[Value, Value], Value], formula: str, value: str | None
) -> None:
    a, b = Value(2.0, "a"), Value(3.0, "b")
    wanted = [f"∂y/∂a = {formula}"] + ([f"      = {value}"] if value else [])
    assert str(labelled(make(a, b), "y").explain(a)) == text(*wanted)


def test_unlabelled_nodes_with_two_ways_through_them_are_not_looked_through() -> None:
    a = Value(3.0, "a")
    half = a * 2
    assert str(labelled(half * half, "y").explain(a)).splitlines()[2:7] == [
        "path 1: y ← a·2 ← a",
        "    ∂y/∂(a·2) · ∂(a·2)/∂a",
        "  = a·2 · 2",
        "  = 6 · 2",
        "  = 12",
    ]


def test_a_path_through_wide_layers_shows_the_factor_of_each_layer() -> None:
    model = nn.MLP(8, [32, 32, 1], "tanh", seed=0)
    cost = labelled(nn.squared_error(model([0.1 * i for i in range(8)]), 1.0), "C")
    found = cost.explain("W1[2,1]", max_paths=1)
    lines = str(found).splitlines()
    (j,) = [j for j in range(32) if f" a2[{j}] " in lines[2]]
    assert [" ".join(lines[3:5]), *lines[2:3], *lines[5:6]] == [
        f"    ∂C/∂z3[0] · ∂z3[0]/∂a2[{j}] · ∂a2[{j}]/∂z2[{j}] · ∂z2[{j}]/∂a1[2] · "
        "∂a1[2]/∂z1[2] ·     ∂z1[2]/∂W1[2,1]",
        f"path 1: C ← z3[0] ← a2[{j}] ← z2[{j}] ← a1[2] ← z1[2] ← W1[2,1]",
        f"  = 2(z3[0] − 1) · W3[0,{j}] · (1 − a2[{j}]²) · W2[{j},2] · (1 − a1[2]²) · x[1]",
    ]
    assert lines[6].count(" · ") == 5
    assert "…" not in "".join(lines) + found._repr_html_()


def test_sums_of_unnamed_nodes_are_left_out_before_a_path_is_shortened() -> None:
    w = Value(2.0, "w")
    terms = [w * Value(float(i), f"x{i}") for i in range(20)]
    cost = labelled(autograd.sum(terms).tanh(), "C")
    assert str(cost.explain(w, max_paths=1)).splitlines()[2:5] == [
        "path 1: C ← … + … + w·x18 + w·x19 ← w·x19 ← w",
        "    ∂C/∂(… + … + w·x18 + w·x19) · ∂(w·x19)/∂w",
        "  = (1 − C²) · x19",
    ]


def test_a_derivative_of_one_by_its_rule_is_written_between_named_nodes_if_there_is_room() -> None:
    assert str(neuron().explain("b")).splitlines()[:2] == [
        "∂C/∂b = ∂C/∂a · ∂a/∂z · ∂z/∂b",
        "      = 2(a − 1) · a(1 − a) · 1",
    ]
    y = labelled(Value(3.0, "x") * 2, "y")
    for i in range(formulas.FACTORS):
        y = labelled(y + 1, f"y{i}")
    assert str(labelled(y**2, "C").explain("x")).splitlines()[:2] == [
        "∂C/∂x = ∂C/∂y11 · ∂y/∂x",
        "      = 2y11 · 2",
    ]


def test_a_derivative_of_one_at_this_place_is_written() -> None:
    z = labelled(Value(3.0, "x") * 2, "z")
    assert "= 2a · 1 · 2" in str(labelled(labelled(z.relu(), "a") ** 2, "C").explain("x"))


def test_a_path_of_sums_alone_has_the_product_one() -> None:
    x = Value(3.0, "x")
    assert str((x + 1 + 2).explain(x)) == "∂(x + 1 + 2)/∂x = 1"
    assert str((x + 1 + x).explain(x)).splitlines()[2:4] == ["path 1: x + 1 + x ← x", "    1"]


def test_an_intermediate_node_can_be_explained_and_so_can_the_output() -> None:
    root = neuron()
    assert str(root.explain("z")).startswith("∂C/∂z = ∂C/∂a · ∂a/∂z\n")
    assert str(root.explain(root)) == "∂C/∂C = 1"


def test_paths_left_out_are_counted_and_summed() -> None:
    x = Value(2.0, "x")
    shown = str(labelled(x * x * x, "y").explain(x, max_paths=1))
    assert shown.startswith("∂y/∂x = 12, the sum over 3 paths\n")
    assert shown.count("path ") == 1
    assert shown.endswith("∂y/∂x = 4 + 8 from 2 more = 12")


def test_an_own_operation_with_partials_in_plain_math_is_explained_by_its_numbers() -> None:
    row = autograd.op("cube", lambda a: a**3, lambda out, a: (3 * math.pow(a, 2),))
    y = labelled(row(Value(2.0, "x")), "y")
    assert str(labelled(y * 5, "C").explain("x")) == text(
        "∂C/∂x = ∂C/∂y · ∂y/∂x",
        "      = 5 · 12",
        "      = 60",
    )
    assert str(y.explain("x")) == "∂y/∂x = 12"


def test_a_dead_path_has_a_gradient_of_zero_without_a_sign() -> None:
    assert str(labelled(Value(-2.0, "x").relu() * -3, "y").explain("x")) == "∂y/∂x = 0"


def test_an_explanation_of_stale_data_says_so() -> None:
    root = neuron()
    find(root, "w").data = 0.7
    assert "stale" in str(root.explain("w"))
    assert "stale" not in str(root.recompute().explain("w"))


@pytest.mark.parametrize("make", [neuron, network, classifier])
def test_lines_of_a_small_graph_fit_80_columns(make: Callable[[], Value]) -> None:
    root = make()
    for leaf in leaves(root):
        lines = str(root.explain(leaf)).splitlines()
        lines += repr(root.nudge(leaf, 0.01)).splitlines() + repr(root.sensitivity()).splitlines()
        assert [line for line in lines if len(line) > 80] == []


@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize("shortcut", [True, False])
@pytest.mark.parametrize("depth", [8, 100, 1000])
def test_a_deep_graph_is_explained_in_a_bounded_number_of_lines_that_fit(
    depth: int, shortcut: bool, labels: bool
) -> None:
    y = x = Value(0.5, "x")
    for i in range(depth):
        y = labelled((y * 1.01).tanh(), f"h{i}" if labels else "")
    lines = str(labelled(y + x if shortcut else -y, "y").explain(x)).splitlines()
    assert len(lines) <= 110
    assert [line for line in lines if len(line) > 80] == []


# ---------------------------------------------------------------------- the paths


BINARY = ("add", "sub", "mul", "maximum", "leaky_relu")
UNARY = ("neg", "tanh", "sin", "relu", "softplus")


@st.composite
def explanations(draw: st.DrawFn) -> Explanation:
    """Draw the explanation of a leaf in a dense graph, where most nodes are used several times."""
    nodes = [Value(draw(st.floats(-2, 2)), f"x{i}") for i in range(draw(st.integers(1, 2)))]
    for _ in range(draw(st.integers(2, 6))):
        other = draw(st.sampled_from(nodes))
        nodes.append(TABLE[draw(st.sampled_from(BINARY))](nodes[-1], other))
        if draw(st.booleans()):
            nodes.append(TABLE[draw(st.sampled_from(UNARY))](nodes[-1]))
    return nodes[-1].explain(draw(st.sampled_from(leaves(nodes[-1]))), max_paths=10_000)


def close(a: float, b: float, scale: float) -> bool:
    return abs(a - b) <= 1e-12 * scale


@settings(deadline=None, max_examples=200)
@given(explanations())
def test_the_gradient_is_the_sum_over_paths_of_products(found: Explanation) -> None:
    products = [path.product for path in found.paths]
    found.root.backward()
    assert found.total == found.node.grad
    assert close(math.fsum(products), found.total, 1e-3 + sum(map(abs, products)))


@settings(deadline=None)
@given(explanations())
def test_every_path_is_a_path_with_its_local_derivatives_and_none_is_given_twice(
    found: Explanation,
) -> None:
    for path in found.paths:
        assert (path.nodes[0], path.nodes[-1]) == (found.root, found.node)
        for upper, slot, lower, local in zip(path.nodes, path.slots, path.nodes[1:], path.locals):
            assert upper.args[slot] is lower
            assert locals_of(upper)[slot] == local
    ways = {(path.nodes, path.slots) for path in found.paths}
    assert len(ways) == len(found.paths) == found.count == count_paths(found.root, found.node)


@settings(deadline=None)
@given(explanations(), st.integers(1, 5))
def test_the_largest_paths_come_first_however_many_are_asked_for(
    found: Explanation, most: int
) -> None:
    sizes = [abs(path.product) for path in found.paths]
    for larger, smaller in itertools.pairwise(sizes):
        assert smaller <= larger * (1 + 1e-12) + 1e-300
    some = [abs(path.product) for path in found.root.explain(found.node, most).paths]
    assert some == pytest.approx(sizes[:most], rel=1e-12)


def test_a_path_through_a_stopped_gradient_has_the_product_zero() -> None:
    x = Value(3.0, "x")
    found = (x * autograd.stop_gradient(x)).explain(x)
    assert ([path.product for path in found.paths], found.total) == ([3.0, 0.0], 3.0)


def in_ten_seconds(program: str) -> str:
    """Run a Python program in a process that can be stopped; return what it prints."""
    code = "from autograd import Value\n" + textwrap.dedent(program)
    command = [sys.executable, "-c", code]
    return subprocess.run(command, timeout=60, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("start", [1.0, 0.999, 0.5])
def test_the_largest_of_exponentially_many_paths_are_found_at_once(start: float) -> None:
    program = f"""
        x = y = Value({start})
        for _ in range(60):
            y = y * y
        found = y.explain(x, max_paths=3)
        assert found.count == 2**60 and len(found.paths) == 3
        assert len({{path.slots for path in found.paths}}) == 3
        print("found")
        """
    assert in_ten_seconds(program) == "found\n"


def test_a_path_of_very_many_nodes_is_written_at_once() -> None:
    program = """
        x = y = Value(0.5, "x")
        for _ in range(60_000):
            y = (y * 1.01).tanh()
        print(str((y + x).explain(x)).count("path "))
        """
    assert in_ten_seconds(program) == "2\n"


def test_so_many_paths_that_their_number_has_thousands_of_digits_are_printed() -> None:
    program = """
        x = y = Value(0.75, "x")
        for _ in range(15_000):
            y = (y + y) * 0.5
        y.label = "y"
        lines = str(y.explain(x, max_paths=1)).splitlines()
        print(len(lines) <= 100, max(map(len, lines)) <= 80, lines[0].encode("ascii", "replace"))
        """
    assert in_ten_seconds(program).startswith("True True b'?y/?x = 1, the sum over ")


def test_paths_are_counted_however_many_there_are() -> None:
    x = y = Value(1.0)
    for _ in range(5000):
        y = y * y
    assert count_paths(y, x) == 2**5000
    assert count_paths(y, y) == 1
    assert count_paths(x, y) == 0


def test_a_path_with_an_infinite_factor_does_not_hide_the_others() -> None:
    x = Value(2.0, "x")
    found = labelled(x * Value(math.inf, "k") + x, "y").explain(x)
    assert [path.product for path in found.paths] == [math.inf, 1.0]
    assert str(found).endswith("∂y/∂x = inf + 1 = inf")


# ---------------------------------------------------------------------- what cannot be explained


@pytest.mark.parametrize("ask", [lambda y, v: y.explain(v), lambda y, v: y.nudge(v, 0.1)])
def test_only_nodes_of_the_graph_can_be_asked_about(ask: Callable[[Value, Any], Any]) -> None:
    y = neuron()
    with pytest.raises(LabelError, match="no node is labelled 'W': the nearest are"):
        ask(y, "W")
    with pytest.raises(ValueError, match="not part of the graph"):
        ask(y, Value(1.0))
    with pytest.raises(TypeError, match="expected a node, its label or its formula, got 3"):
        ask(y, 3)


@pytest.mark.parametrize("ask", [lambda y, v: y.explain(v), lambda y, v: y.nudge(v, 0.1)])
def test_a_constant_has_no_gradient_to_ask_about(ask: Callable[[Value, Any], Any]) -> None:
    c = labelled(Value(3.0).detach(), "c")
    with pytest.raises(ValueError, match="c is a constant"):
        ask(c * Value(5.0, "x") + c, "c")


def test_max_paths_is_at_least_one() -> None:
    with pytest.raises(ValueError, match="max_paths is a whole number of at least 1, got 0"):
        neuron().explain("w", max_paths=0)


@pytest.mark.parametrize(
    ("count", "text"),
    [(10**15 - 1, "999,999,999,999,999"), (10**15, "about 10^15"), (10**17 - 1, "about 10^17")],
)
def test_very_many_paths_are_counted_roughly(count: int, text: str) -> None:
    assert approximately(count) == text


# ---------------------------------------------------------------------- nudges


def test_a_nudge_puts_the_prediction_beside_what_happens() -> None:
    x = Value(3.0, "x")
    result = labelled(x * x, "y").nudge("x", 0.01)
    assert result.predicted == pytest.approx(0.06)
    assert result.actual == pytest.approx(0.0601)
    assert repr(result) == text(
        "nudge x by 0.01",
        "  predicted  Δy = ∂y/∂x · Δx = 6 × 0.01 = 0.06",
        "  actual     Δy = 0.0601, off by 0.0001",
    )


@settings(deadline=None)
@given(programs(most=10), st.floats(-0.5, 0.5), st.data())
def test_the_actual_change_is_that_of_the_graph_built_again(
    program: Program, amount: float, data: st.DataObject
) -> None:
    root = built(program)
    leaf = data.draw(st.sampled_from(leaves(root)))
    index = int(leaf.label[1:])
    inputs = list(program.leaves)
    inputs[index] += amount
    again = built(Program(tuple(inputs), program.instructions))
    found = root.nudge(leaf, amount)
    assert found.actual == again.data - root.data
    assert found.predicted == gradients(root)[leaf] * amount


@settings(deadline=None)
@given(programs(most=10), st.data())
def test_asking_leaves_data_and_gradients_as_they_were(
    program: Program, data: st.DataObject
) -> None:
    root = built(program)
    order = topological_order(root)
    for i, node in enumerate(order):
        node.grad = float(i)
    before = [(node.data.hex(), node.grad) for node in order]
    node = data.draw(st.sampled_from([n for n in order if n.op is not ops.constant]))
    nudge(root, node, 0.25)
    str(explain(root, node, max_paths=2))
    repr(sensitivity(root))
    assert [(node.data.hex(), node.grad) for node in order] == before


def test_a_nudge_of_a_node_between_moves_what_comes_after_it_only() -> None:
    root = neuron()
    found = root.nudge("a", 0.1)
    a = find(root, "a").data
    assert found.actual == pytest.approx((a + 0.1 - 1) ** 2 - (a - 1) ** 2)
    assert root.nudge(root, 0.1).actual == pytest.approx(0.1)


def test_a_nudge_of_stale_data_says_so() -> None:
    root = neuron()
    find(root, "w").data = 5.0
    assert "stale" in repr(root.nudge("w", 0.1))
    assert "stale" not in repr(root.recompute().nudge("w", 0.1))


def test_a_nudge_out_of_the_domain_is_an_error_and_changes_nothing() -> None:
    x = Value(0.5, "x")
    y = x.log() * 2
    with pytest.raises(ValueError, match="log needs a > 0"):
        y.nudge(x, -1.0)
    with pytest.raises(TypeError, match="the amount of a nudge expected one real number"):
        y.nudge(x, "far")  # type: ignore[arg-type]
    assert (x.data, y.data) == (0.5, 2 * math.log(0.5))


# ---------------------------------------------------------------------- sensitivity


def test_leaves_are_ranked_by_the_size_of_their_gradient() -> None:
    ranked = neuron().sensitivity()
    assert [leaf.label for leaf, _ in ranked] == ["w", "b", "x"]
    assert [round(gradient, 4) for _, gradient in ranked] == [-0.1586, -0.1058, -0.0635]


@settings(deadline=None)
@given(programs((*CALM, *PIECEWISE)))
def test_every_leaf_is_ranked_once_and_no_constant_is(program: Program) -> None:
    root = built(program)
    found = root.sensitivity()
    root.backward()
    assert dict(found) == {x: x.grad for x in leaves(root)}
    assert len(found) == len(leaves(root))
    sizes = [abs(gradient) for _, gradient in found]
    assert sizes == sorted(sizes, reverse=True)


def test_sensitivity_prints_a_bar_as_long_as_the_gradient_is_large() -> None:
    x, w, v = Value(2.0, "x"), Value(-4.0, "w"), Value(0.0)
    assert repr((w * x + v * 0.0).sensitivity()) == text(
        f"leaf{'data':>28}{'gradient':>14}  a step goes against it",
        f"x{'2':>31}{'-4':>14}  {'█' * 24}",
        f"w{'-4':>31}{'2':>14}  {'█' * 12}",
        f"(no label){'0':>22}{'0':>14}",
    )


def test_sensitivity_of_very_many_leaves_prints_the_first() -> None:
    found = autograd.sum([Value(1.0, f"x{i}") * i for i in range(5000)]).sensitivity()
    lines = repr(found).splitlines()
    assert len(found) == 5000
    assert lines[1].startswith("x4999 ")
    assert len(lines) <= 25
    assert lines[-1] == "… and 4,980 leaves that matter less"


def test_sensitivity_says_when_there_are_no_leaves() -> None:
    assert repr(Value(1.0).detach().sensitivity()).startswith("no leaves")


@pytest.mark.parametrize("factor", [math.inf, math.nan])
def test_a_gradient_that_is_not_finite_comes_first_and_is_printed(factor: float) -> None:
    x, y = Value(2.0, "x"), Value(3.0, "y")
    found = (y * 5 + x * Value(factor).detach()).sensitivity()
    assert [leaf.label for leaf, _ in found] == ["x", "y"]
    assert str(factor) in repr(found).splitlines()[1]
    assert repr(found).splitlines()[2].endswith("█" * 24)


def test_sensitivity_of_stale_data_says_so() -> None:
    root = neuron()
    assert "stale" not in repr(root.sensitivity())
    find(root, "w").data = 5.0
    assert "stale" in repr(root.sensitivity())


def test_a_label_with_a_sign_in_it_is_set_in_brackets() -> None:
    x = Value(2.0, "x1 + x2")
    assert str(labelled(x * 3, "n").explain(x)) == "∂n/∂(x1 + x2) = 3"


def test_paths_that_carry_nothing_are_summed_not_spelled_out() -> None:
    logits = [Value(0.5 * i, f"x{i}") for i in range(3)]
    explained = labelled(-softmax(logits)[1].log(), "L").explain("x1")
    assert explained.count > 2
    assert not any(part == "0" for part in str(explained).replace("\n", " ").split(" · "))
    assert "from 4 more" in str(explained)


def test_no_more_of_a_long_path_is_written_out_than_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = y = Value(1.0, "x")
    for _ in range(3_000):
        y = y.sin()
    written = []

    def noting(*at: Any) -> Any:
        written.append(at)
        return local_term(*at)

    monkeypatch.setattr(formulas, "local_term", noting)
    assert str(y.explain(x)).splitlines()[0].endswith("…")
    assert len(written) < 20


def test_a_leaf_without_a_label_is_explained_to_the_end() -> None:
    w = Value(0.5, "w")
    x = Value(1.5)
    a = (w * x).sigmoid()
    a.label = "a"
    assert str(a.explain(x)) == "∂a/∂1.5 = a(1 − a)·w\n        = 0.1089"
