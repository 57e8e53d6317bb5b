"""Tests of the stepper: the backward pass, one printed multiplication at a time."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import LabelError, Stepper, Value
from autograd.core import ops
from autograd.core.find import find
from autograd.core.graph import topological_order
from tests.examples import labelled, network, neuron, words
from tests.random_graphs import CALM, PIECEWISE, Program, built, programs


def shared() -> Value:
    """Build y = a·b + a at a = 2, b = 3: the gradient of a is a sum of two contributions."""
    a, b = Value(2.0, "a"), Value(3.0, "b")
    return labelled(a * b + a, "y")


def bits(gradients: dict[Value, float]) -> dict[Value, str]:
    return {node: gradient.hex() for node, gradient in gradients.items()}


def silently(command: Callable[..., Any], *arguments: Any) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        command(*arguments)


# ---------------------------------------------------------------------- what a step is


def test_every_step_prints_one_line_of_arithmetic(capsys: pytest.CaptureFixture[str]) -> None:
    shared().stepper().run()
    assert [words(line) for line in capsys.readouterr().out.splitlines()] == [
        "1/4 ∂y/∂(a·b) = 1 1 × 1 = 1 ∂y/∂(a·b) = 1",
        "2/4 ∂y/∂a = 1 1 × 1 = 1 ∂y/∂a = 1 …",
        "3/4 ∂(a·b)/∂a = b 1 × 3 = 3 ∂y/∂a: 1 → 4",
        "4/4 ∂(a·b)/∂b = a 1 × 2 = 2 ∂y/∂b = 2",
    ]


def test_the_chain_of_a_neuron_reads_as_the_lesson_has_it() -> None:
    assert [(step.rule, step.arithmetic, step.sum) for step in neuron().stepper()] == [
        ("∂C/∂(a − 1) = 2(a − 1)", "1 × -0.5379 = -0.5379", "∂C/∂(a − 1) = -0.5379"),
        ("∂(a − 1)/∂a = 1", "-0.5379 × 1 = -0.5379", "∂C/∂a = -0.5379"),
        ("∂a/∂z = a(1 − a)", "-0.5379 × 0.1966 = -0.1058", "∂C/∂z = -0.1058"),
        ("∂z/∂(w·x) = 1", "-0.1058 × 1 = -0.1058", "∂C/∂(w·x) = -0.1058"),
        ("∂z/∂b = 1", "-0.1058 × 1 = -0.1058", "∂C/∂b = -0.1058"),
        ("∂(w·x)/∂w = x", "-0.1058 × 1.5 = -0.1586", "∂C/∂w = -0.1586"),
        ("∂(w·x)/∂x = w", "-0.1058 × 0.6 = -0.06345", "∂C/∂x = -0.06345"),
    ]


def test_a_step_is_scriptable() -> None:
    y = shared()
    product, a = y.args
    third = list(y.stepper())[2]
    assert (third.node, third.operand, third.slot) == (product, a, 0)
    assert (third.upstream, third.local, third.contribution) == (1.0, 3.0, 3.0)
    assert (third.before, third.total, third.complete) == (1.0, 4.0, True)
    assert (third.index, third.count, third.stale) == (3, 4, False)


@settings(deadline=None)
@given(programs())
def test_contributions_add_up_and_flow_on_only_once_complete(program: Program) -> None:
    root = built(program)
    arrived: dict[Value, float] = {root: 1.0}
    complete = {root}
    for step in root.stepper():
        assert step.node in complete
        assert step.operand not in complete
        assert step.upstream == arrived[step.node]
        assert step.contribution == step.upstream * step.local
        assert step.before == arrived.get(step.operand)
        arrived[step.operand] = arrived.get(step.operand, 0.0) + step.contribution
        assert step.total == arrived[step.operand]
        if step.complete:
            complete.add(step.operand)
    assert complete == set(arrived)


@settings(deadline=None)
@given(programs())
def test_there_is_one_step_for_each_edge_to_a_node_that_is_no_constant(program: Program) -> None:
    root = built(program)
    edges = [
        (node, slot)
        for node in topological_order(root)
        for slot, arg in enumerate(node.args)
        if arg.op is not ops.constant
    ]
    steps = list(root.stepper())
    assert len(steps) == len(edges) == len({(s.node, s.slot) for s in steps})
    assert [step.index for step in steps] == list(range(1, len(edges) + 1))
    assert {(step.node, step.slot) for step in steps} == set(edges)


def test_constants_get_no_step_no_row_and_no_gradient() -> None:
    x = Value(2.0, "x")
    s = labelled(3 * x + x.detach(), "y").stepper()
    assert [step.operand for step in s] == [s.root.args[0], x]
    assert set(s.gradients) == {s.root, s.root.args[0], x}
    assert len(repr(s).splitlines()) == 3 + 3 + 2


# ---------------------------------------------------------------------- the same as backward()


@settings(deadline=None, max_examples=200)
@given(programs((*CALM, *PIECEWISE)), st.sampled_from([1.0, -0.5, 0.0, 3.0]))
def test_in_the_end_the_gradients_are_those_of_backward_bit_for_bit(
    program: Program, gradient: float
) -> None:
    root = built(program)
    s = root.stepper(gradient)
    silently(s.run)
    root.backward(gradient)
    order = topological_order(root)
    assert bits(s.gradients) == bits({n: n.grad for n in order if n.op is not ops.constant})


def test_no_contribution_is_shown_as_minus_zero(capsys: pytest.CaptureFixture[str]) -> None:
    x = Value(-2.0, "x")
    y = labelled(x.relu() * -3, "y")
    s = y.stepper()
    s.run()
    y.backward()
    assert s.gradients[x].hex() == x.grad.hex() == (0.0).hex()
    assert words(capsys.readouterr().out).endswith("∂relu(x)/∂x = 0 -3 × 0 = 0 ∂y/∂x = 0")


@settings(deadline=None)
@given(programs(most=8))
def test_stepping_leaves_grad_and_data_alone(program: Program) -> None:
    root = built(program)
    order = topological_order(root)
    for i, node in enumerate(order):
        node.grad = float(i)
    before = [(node.data.hex(), node.grad) for node in order]
    s = root.stepper()
    silently(s.run)
    silently(s.back, 3)
    repr(s)
    s.reset()
    assert [(node.data.hex(), node.grad) for node in order] == before


# ---------------------------------------------------------------------- driving


def test_next_does_one_step_or_as_many_as_asked(capsys: pytest.CaptureFixture[str]) -> None:
    s = neuron().stepper()
    s.next()
    assert (s.left, len(capsys.readouterr().out.splitlines())) == (6, 1)
    s.n(3)
    assert (s.left, len(capsys.readouterr().out.splitlines())) == (3, 3)
    s.n(100)
    assert (s.left, len(capsys.readouterr().out.splitlines())) == (0, 3)
    s.n()
    assert "nothing left" in capsys.readouterr().out


def test_a_printed_line_is_the_step_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    neuron().stepper().run()
    assert capsys.readouterr().out.splitlines() == [str(step) for step in neuron().stepper()]


@settings(deadline=None)
@given(programs(), st.data())
def test_back_undoes_exactly(program: Program, data: st.DataObject) -> None:
    s = built(program).stepper()
    seen = [(bits(s.gradients), repr(s))]
    for step in s:
        assert bits(s.gradients)[step.operand] == step.total.hex()
        seen.append((bits(s.gradients), repr(s)))
    done = len(seen) - 1
    for _ in range(5):
        steps = data.draw(st.integers(1, len(seen)))
        silently(s.back if data.draw(st.booleans()) else s.next, steps)
        assert (bits(s.gradients), repr(s)) in seen
    silently(s.run)
    assert bits(s.gradients) == seen[-1][0]
    for k in reversed(range(done)):
        silently(s.b)
        assert (bits(s.gradients), repr(s)) == seen[k]


def test_back_says_where_it_is_and_stops_at_the_beginning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    s = neuron().stepper()
    s.n(5)
    capsys.readouterr()
    s.b()
    s.back(2)
    s.back(100)
    assert capsys.readouterr().out.splitlines() == [f"{k} of 7 steps done" for k in (4, 2, 0)]
    assert s.gradients == {s.root: 1.0}


@settings(deadline=None)
@given(programs(), st.data())
def test_until_stops_as_soon_as_the_gradient_is_complete(
    program: Program, data: st.DataObject
) -> None:
    root = built(program)
    wanted = data.draw(st.sampled_from([n for n in topological_order(root) if n.op.arity]))
    s, whole = root.stepper(), root.stepper()
    silently(whole.run)
    silently(s.until, wanted)
    assert s.gradients[wanted] == whole.gradients[wanted]
    if wanted is not root:
        silently(s.back)
        last = next(iter(s))
        assert (last.operand, last.complete) == (wanted, True)


def test_until_takes_a_label_or_a_node(capsys: pytest.CaptureFixture[str]) -> None:
    s, t = shared().stepper(), shared().stepper()
    s.u("a")
    t.until(t.root.args[1])
    assert (s.left, t.left) == (1, 1)
    assert "∂y/∂a: 1 → 4" in capsys.readouterr().out.splitlines()[-1]
    s.u("a")
    assert "nothing left to do here" in capsys.readouterr().out


def test_iterating_prints_nothing_and_goes_on_where_the_hand_left_off(
    capsys: pytest.CaptureFixture[str],
) -> None:
    s = neuron().stepper()
    s.n(5)
    capsys.readouterr()
    assert [step.index for step in s] == [6, 7]
    assert list(s) == []
    assert capsys.readouterr().out == ""


def test_reset_starts_again_with_the_data_now_in_the_graph() -> None:
    y = shared()
    s = y.stepper()
    silently(s.run)
    y.args[1].data = 5.0
    y.recompute()
    s.reset()
    assert (s.left, s.gradients) == (4, {y: 1.0})
    assert [step.total for step in s] == [1.0, 1.0, 4.0, 5.0]
    assert "stale" not in repr(s)


def test_the_gradient_that_flows_in_may_be_chosen() -> None:
    s = shared().stepper(-2.0)
    assert [step.total for step in s] == [-2.0, -2.0, -8.0, -4.0]


def test_a_leaf_has_its_gradient_from_the_start() -> None:
    x = Value(2.0, "x")
    s = x.stepper()
    assert (s.left, s.gradients, list(s)) == (0, {x: 1.0}, [])
    assert "done: every gradient is known" in repr(s)


# ---------------------------------------------------------------------- the table


def rows(s: Stepper) -> list[list[str]]:
    return [line.split(maxsplit=2) for line in repr(s).splitlines()[3:-2]]


def test_the_table_has_a_dash_until_a_gradient_is_known_and_dots_until_it_is_complete() -> None:
    s = shared().stepper()
    assert rows(s) == [["y", "8", "1"], ["a·b", "6", "—"], ["b", "3", "—"], ["a", "2", "—"]]
    silently(s.n, 2)
    assert rows(s) == [["y", "8", "1"], ["a·b", "6", "1"], ["b", "3", "—"], ["a", "2", "1 …"]]
    silently(s.run)
    assert rows(s) == [["y", "8", "1"], ["a·b", "6", "1"], ["b", "3", "2"], ["a", "2", "4"]]


def test_the_table_says_what_is_left() -> None:
    s = shared().stepper()
    silently(s.n)
    assert repr(s).startswith("gradients of y: 1 of 4 steps done\n")
    assert repr(s).splitlines()[-1] == "next: from y to a; 3 left"
    silently(s.run)
    assert repr(s).splitlines()[-1] == "done: every gradient is known"


def test_the_drawing_shows_the_gradients_so_far() -> None:
    s = neuron().stepper()
    assert "-0.1058" not in s.draw().source
    silently(s.until, "z")
    assert "-0.1058" in s.draw().source
    assert "-0.1586" not in s.draw().source


# ---------------------------------------------------------------------- what it prints, in size


@pytest.mark.parametrize("make", [shared, neuron, network])
def test_lines_of_a_small_graph_fit_80_columns(
    make: Callable[[], Value], capsys: pytest.CaptureFixture[str]
) -> None:
    s = make().stepper()
    s.run()
    lines = [*capsys.readouterr().out.splitlines(), *repr(s).splitlines()]
    assert [line for line in lines if len(line) > 80] == []


@pytest.mark.parametrize("make", [neuron, network])
def test_the_formula_and_the_arithmetic_of_a_line_do_not_run_into_each_other(
    make: Callable[[], Value],
) -> None:
    for step in make().stepper():
        assert f"{step.rule}  " in str(step)
        assert f"  {step.arithmetic}" in str(step)


@pytest.mark.parametrize("labels", [True, False])
def test_a_huge_graph_prints_a_bounded_number_of_lines(
    labels: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    y = Value(0.5, "x")
    for i in range(3000):
        y = labelled((y * 1.01).tanh(), f"h{i}" if labels else "")
    s = y.stepper()
    s.n(3000)
    table = repr(s).splitlines()
    s.run()
    lines = [*capsys.readouterr().out.splitlines(), *table]
    assert len(lines) <= 150
    assert any("2,976 steps" in line for line in lines)
    assert any(line.startswith("6000/6000") for line in lines)


def test_the_table_of_a_huge_graph_shows_where_the_pass_is() -> None:
    y = Value(0.5, "x")
    for i in range(200):
        y = labelled(y.tanh(), f"h{i}")
    s = y.stepper()
    silently(s.until, "h100")
    assert [word for word in ("h101 ", "h100 ", "h99 ", "nodes above", "nodes below")
            if word not in repr(s)] == []  # fmt: skip
    assert "h150 " not in repr(s)


# ---------------------------------------------------------------------- stale data


def test_steps_after_data_changed_are_marked_stale_until_recomputed_and_reset() -> None:
    y = shared()
    product, a = y.args
    s = y.stepper()
    assert not next(iter(s)).stale
    a.data = 5.0
    assert [step.stale for step in s] == [True, True, True]
    assert "stale" in repr(s)
    s.reset()  # without recompute the values are still the old ones
    assert all(step.stale for step in s)
    y.recompute()
    s.reset()
    a.data = 6.0
    y.recompute()  # without reset, the steps belong to the pass before
    assert all(step.stale for step in s)
    s.reset()
    assert not any(step.stale for step in s)
    assert "stale" not in repr(s)
    assert product.data == 18.0


def test_a_stale_step_says_so_even_where_its_own_operands_did_not_change(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = neuron()
    s = root.stepper()
    find(root, "w").data = 7.0
    s.n()
    assert "(stale)" in capsys.readouterr().out


def test_nan_is_not_taken_for_changed_data() -> None:
    s = (Value(math.nan, "x") * 2).stepper()
    assert not any(step.stale for step in s)
    assert "stale" not in repr(s)


# ---------------------------------------------------------------------- gradients by hand


def test_check_tells_right_from_wrong_and_moves_nothing() -> None:
    s = neuron().stepper()
    before = repr(s)
    assert repr(s.check(w=-0.16)) == "w: -0.16 is right (-0.1586313)."
    wrong = s.check(w=0.16, b=-0.1058)
    assert [judgement.right for judgement in wrong] == [False, True]
    assert "sign" in repr(wrong).splitlines()[0]
    assert bool(s.check(w=-0.16, b=-0.11)) is True
    assert bool(wrong) is False
    assert repr(s) == before


def test_check_of_stale_data_says_so() -> None:
    root = neuron()
    s = root.stepper()
    find(root, "w").data = 5.0
    assert "stale" in repr(s.check(w=-0.16))
    root.recompute()
    assert "stale" not in repr(s.check(w=-0.16))


def test_check_takes_nodes_and_labels_that_are_no_python_names() -> None:
    y = labelled(Value(3.0, "a weight") ** 2, "y")
    assert y.stepper().check({"a weight": 6, y: 1})
    assert not y.stepper().check({y.args[0]: 7})


def test_check_scales_with_the_gradient_that_flows_in() -> None:
    s = labelled(Value(3.0, "x") ** 2, "y").stepper(2.0)
    assert s.check(x=12)
    assert "The gradient of the output, 2, is missing" in words(repr(s.check(x=6)))


# ---------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "ask", [lambda s: s.until("wieght 1"), lambda s: s.check({"wieght 1": 1.0})]
)
def test_an_unknown_label_names_the_nearest(ask: Callable[[Stepper], Any]) -> None:
    y = Value(2.0, "weight 1") * Value(3.0, "weight 2") + Value(1.0, "zzz")
    with pytest.raises(LabelError, match="no node is labelled 'wieght 1'") as caught:
        ask(y.stepper())
    assert "'weight 1', 'weight 2'" in str(caught.value)
    assert "zzz" not in str(caught.value)


@pytest.mark.parametrize("count", [0, -1, 1.5, "2", None])
@pytest.mark.parametrize("name", ["next", "back"])
def test_a_count_of_steps_is_a_positive_whole_number(name: str, count: Any) -> None:
    s = neuron().stepper()
    with pytest.raises(ValueError, match="how many steps, is a whole number of at least 1, got"):
        getattr(s, name)(count)
    assert s.left == 7


def test_what_cannot_be_stepped_is_refused() -> None:
    x = Value(2.0, "x")
    with pytest.raises(ValueError, match="is a constant"):
        x.detach().stepper()
    with pytest.raises(TypeError, match="gradient expected one real number"):
        x.stepper("1")  # type: ignore[arg-type]
    y = x * 3
    z = y + 1
    y.args = (z, z)
    with pytest.raises(ValueError, match="cycle"):
        z.stepper()


def test_what_cannot_be_asked_for_is_refused() -> None:
    x = Value(2.0, "x")
    s = (x * labelled(x.detach(), "c")).stepper()
    with pytest.raises(ValueError, match="c is a constant: it cannot move and has no gradient"):
        s.until("c")
    with pytest.raises(ValueError, match="not part of the graph"):
        s.until(Value(1.0))
    with pytest.raises(ValueError, match="nothing to check"):
        s.check()
    with pytest.raises(TypeError, match="a guess expected one real number"):
        s.check(x="four")  # type: ignore[arg-type]
    assert s.left == 1


def test_a_step_without_a_finite_derivative_is_not_done_and_those_before_it_are_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    s = labelled(labelled(Value(0.0, "x").sqrt(), "r") * 2, "y").stepper()
    with pytest.raises(ValueError, match="no finite derivative at a = x = 0"):
        s.run()
    assert (s.left, len(capsys.readouterr().out.splitlines())) == (1, 1)


def test_an_own_operation_with_partials_in_plain_math_steps_by_its_number() -> None:
    row = autograd.op("cube", lambda a: a**3, lambda out, a: (3 * math.pow(a, 2),))
    (step,) = labelled(row(Value(2.0, "x")), "y").stepper()
    assert (step.local, step.total, step.rule) == (12.0, 12.0, "∂y/∂x = 12")


def test_a_guess_without_a_name_is_refused() -> None:
    with pytest.raises(TypeError, match=r"by label, as in check\(w=-0.16\); got -0.16"):
        neuron().stepper().check(-0.16)  # type: ignore[arg-type]
    x = Value(2.0, "x")
    y = x * labelled(Value(3.0).detach(), "c")
    with pytest.raises(ValueError, match="c is a constant"):
        y.stepper().check(c=0)


def test_a_drawing_half_way_shows_only_what_has_flowed() -> None:
    s = neuron().stepper()
    silently(s.next)
    source = s.draw().source
    assert source.count(' color="#D55E00"') == 1
