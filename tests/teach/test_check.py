"""Tests of `gradcheck`: it accepts right derivatives, finds wrong ones, and changes nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd
from autograd import Op, Value, gradcheck
from autograd.core.graph import topological_order
from autograd.extend import TABLE
from tests import rows
from tests.random_graphs import CALM, GUARDED, Program, programs

PLACES = ((0.7, 1.3, -0.6), (-0.7, 1.3, 0.9), (1.7, -0.4, 0.2))
ROWS = [row for row in rows.ROWS if row.name != "stop_gradient"]


def operands(row: Op, place: tuple[float, ...]) -> list[Any]:
    leaves: list[Any] = [Value(x, label) for x, label in zip(place[: row.arity], "abc")]
    return [leaves[0], place[1]] if row.name == "pow" else leaves


def on_domain(row: Op) -> list[tuple[float, ...]]:
    return [
        place for place in PLACES if row.domain is None or row.domain.holds(*place[: row.arity])
    ]


def with_wrong(row: Op, slot: int, factor: float) -> Op:
    """Return the row with one of its derivatives multiplied by a factor."""

    def wrong(out: Any, *args: Any) -> tuple[Any, ...]:
        right = row.partials(out, *args)
        return tuple(factor * x if i == slot else x for i, x in enumerate(right))

    return replace(row, partials=wrong)


every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


@every_row
def test_every_operation_passes(row: Op) -> None:
    assert on_domain(row)
    for place in on_domain(row):
        found = gradcheck(row(*operands(row, place)))
        assert found, found
        assert {line.verdict for line in found} == {"ok"}


@pytest.mark.parametrize("factor", [1.01, 0.99, -1.0, 0.0, 2.0])
@every_row
def test_every_wrong_derivative_is_caught(row: Op, factor: float) -> None:
    caught = 0
    for place in on_domain(row):
        right = row.partials(row.value(*place[: row.arity]), *place[: row.arity])
        for slot, partial in enumerate(right):
            inputs = operands(row, place)
            if partial and isinstance(inputs[slot], Value):
                found = gradcheck(with_wrong(row, slot, factor)(*inputs))
                assert not found
                assert [line.leaf for line in found if not line.ok] == [inputs[slot]]
                caught += 1
    assert caught or row.name in ("step", "sign", "floor")  # the derivative is zero everywhere


def test_a_wrong_derivative_deep_in_a_graph_is_caught_in_every_leaf_before_it() -> None:
    a, b, c = Value(0.3, "a"), Value(0.5, "b"), Value(0.7, "c")
    tanh = with_wrong(TABLE["tanh"], 0, 1.01)
    found = gradcheck((tanh(a * b) * c).exp() + c)
    verdicts = {line.leaf.label: line.verdict for line in found}
    assert verdicts == {"a": "WRONG", "b": "WRONG", "c": "ok"}


@settings(deadline=None)
@given(programs((*CALM, *GUARDED), most=8))
def test_random_graphs_pass_and_are_left_as_they_were(program: Program) -> None:
    leaves = [Value(x, f"x{i}") for i, x in enumerate(program.leaves)]
    root = program.run(leaves, dict(TABLE))[-1]
    order = topological_order(root)
    for i, node in enumerate(order):
        node.grad = float(i)
    before = [(node.data.hex(), node.grad) for node in order]
    assert gradcheck(root)
    assert [(node.data.hex(), node.grad) for node in order] == before


# ---------------------------------------------------------------------- kinks


KINKED: dict[str, Callable[[Value], Value]] = {
    "relu": lambda x: x.relu(),
    "leaky_relu": lambda x: x.leaky_relu(),
    "elu": lambda x: x.elu(2.0),
    "abs": abs,
    "step": lambda x: x.step(),
    "sign": lambda x: x.sign(),
    "floor": lambda x: x.floor(),
    "mod": lambda x: (3.0 * x) % 1.0,
    "clip": lambda x: x.clip(0.0, 1.0),
    "clip to one number": lambda x: x.clip(0.0, 0.0),
    "clip by a limit": lambda x: (x - 1.0).clip(x, 0.0),
    "maximum": lambda x: x.maximum(0.0),
    "minimum": lambda x: x.minimum(0.0),
    "inside": lambda x: (2 * (x + 1.0) - 2.0).relu().exp(),
    "of two": lambda x: x.maximum(3 * x),
}


@pytest.mark.parametrize("name", KINKED)
def test_a_kink_within_reach_is_called_a_kink_and_not_wrong(name: str) -> None:
    found = gradcheck(KINKED[name](Value(0.0, "x")))
    assert found
    assert [(line.verdict, line.kink, line.ok) for line in found] == [("kink", True, True)]
    assert repr(found).endswith("kink")


@pytest.mark.parametrize("at", [5e-7, -5e-7])
@pytest.mark.parametrize("name", KINKED)
def test_beside_a_kink_nothing_is_wrong(name: str, at: float) -> None:
    assert gradcheck(KINKED[name](Value(at, "x")))
    assert not gradcheck(with_wrong(TABLE["neg"], 0, 1.01)(Value(at, "x").relu() + Value(1.0)))


@pytest.mark.parametrize("at", [1e-4, -1e-4])
@pytest.mark.parametrize("name", KINKED)
def test_away_from_a_kink_there_is_none(name: str, at: float) -> None:
    assert [line.verdict for line in gradcheck(KINKED[name](Value(at, "x")))] == ["ok"]


def test_the_maximum_of_a_value_with_itself_has_no_kink() -> None:
    x = Value(2.0, "x")
    assert [line.verdict for line in gradcheck(x.maximum(x))] == ["ok"]


def test_the_kink_of_one_leaf_does_not_excuse_another() -> None:
    a, b = Value(0.0, "a"), Value(0.5, "b")
    found = gradcheck(a.relu() + with_wrong(TABLE["sin"], 0, 1.01)(b))
    assert [line.verdict for line in found] == ["kink", "WRONG"]
    assert not found


# ---------------------------------------------------------------------- numbers and tolerances


def test_a_row_holds_both_derivatives_and_how_far_they_are_apart() -> None:
    x = Value(2.0, "x")
    (row,) = gradcheck(with_wrong(TABLE["exp"], 0, 1.5)(x))
    assert row.leaf is x
    assert row.analytic == 1.5 * math.exp(2)
    assert row.numeric == pytest.approx(math.exp(2), rel=1e-8)
    assert row.error == abs(row.analytic - row.numeric)
    assert row.tolerance == pytest.approx(1e-4 * row.numeric, rel=1e-2)
    assert row.step == 2e-4


def test_the_table_has_a_line_for_each_leaf() -> None:
    a, b = Value(2.0, "a"), Value(4.0, "b")
    lines = repr(
        gradcheck(a * with_wrong(TABLE["neg"], 0, 2.0)(b) + Value(1.0, "c") * 3)
    ).splitlines()
    assert lines[0].split() == ["leaf", "analytic", "numeric", "error", "step"]
    table = [line.split() for line in lines[1:]]
    assert [(row[0], row[1], row[2], row[5]) for row in table] == [
        ("a", "-4", "-4", "ok"),
        ("b", "-4", "-2", "WRONG"),
        ("c", "3", "3", "ok"),
    ]
    assert max(map(len, lines)) <= 80


def test_the_table_fits_80_columns_whatever_is_in_it() -> None:
    a = Value(1.23456789e-9, "a label that goes on and on, far too long for any table")
    b = Value(-9.87654321e15, "b" * 100)
    lines = repr(gradcheck(a * b + a.relu())).splitlines()
    assert max(map(len, lines)) <= 80
    assert len({len(line.rsplit("  ", 1)[0]) for line in lines[1:]} | {len(lines[0])}) == 1


def test_tolerances_are_absolute_and_relative() -> None:
    y = with_wrong(TABLE["mul"], 0, 1.01)(Value(1.0, "a"), 300.0)  # 303 for 300
    assert not gradcheck(y)
    assert gradcheck(y, rtol=0.011, atol=0)
    assert not gradcheck(y, rtol=0.009, atol=0)
    assert gradcheck(y, rtol=0, atol=3.1)
    assert not gradcheck(y, rtol=0, atol=2.9)


def test_the_step_grows_with_the_data_so_that_large_ones_can_be_checked() -> None:
    assert gradcheck(Value(1e12, "x") ** 2)
    assert gradcheck(Value(1e-9, "x") * 3)


def test_where_an_output_turns_quickly_the_step_is_small() -> None:
    x = Value(0.3, "x")
    (row,) = gradcheck((x * 1000.0).sin())
    assert row.step == 1e-6
    assert row.numeric == pytest.approx(1000.0 * math.cos(300.0), rel=1e-6)


def test_a_larger_step_sees_further() -> None:
    y = Value(0.01, "x").relu()
    assert [row.verdict for row in gradcheck(y)] == ["ok"]
    assert [row.verdict for row in gradcheck(y, eps=0.1)] == ["kink"]


SIZES = st.builds(
    lambda sign, exponent: sign * 10.0**exponent, st.sampled_from([-1, 1]), st.floats(-12, 5)
) | st.sampled_from([0.0, 1.0, -1.0, 40.0, -40.0, 700.0])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ROWS), st.lists(SIZES, min_size=3, max_size=3))
def test_no_right_derivative_is_called_wrong_at_any_size(row: Op, at: list[float]) -> None:
    operands: list[Any] = [Value(x) for x in at[: row.arity]]
    if row.name == "pow":
        operands[1] = at[1]
    if row.name == "atan2":  # it turns within less than the smallest step from an exact zero
        assume(0.0 not in at[:2] or max(map(abs, at[:2])) > 1e-3)
    try:
        out = row(*operands)
        out.backward()
    except (ArithmeticError, ValueError):
        assume(False)
    try:
        found = gradcheck(out)
    except ValueError as error:
        assert "cannot be checked" in str(error)  # at the edge of a domain
    else:
        assert found, (row, at, found)


@pytest.mark.parametrize("factor", [1.001, 0.999, -1.0, 4.0, 1e6])
@pytest.mark.parametrize("scale", [1e-300, 1e-12, 1e-6, 1.0, 1e6, 1e300])
def test_a_wrong_derivative_is_caught_at_any_scale_of_the_gradient(
    scale: float, factor: float
) -> None:
    for x in (0.3, 2.0, -1.5, 1e-7, 40.0):
        y = with_wrong(TABLE["sin"], 0, factor)(Value(x, "x")) * scale
        assert not gradcheck(y), (x, gradcheck(y))
        assert gradcheck(Value(x).sin() * scale)


@pytest.mark.parametrize("x", [1e-300, 1e-12, 1e-7, 1e-3, 5.0, 1e12, 1e300])
@pytest.mark.parametrize("name", ["log", "sqrt", "div"])
def test_near_the_edge_of_a_domain_the_step_stays_inside(name: str, x: float) -> None:
    def f(v: Value) -> Value:
        return x / v if name == "div" else getattr(v, name)()

    assert gradcheck(f, [x])
    assert not gradcheck(lambda v: with_wrong(TABLE["neg"], 0, 1.001)(f(v)), [x])
    assert gradcheck(f, [x])[0].step <= x / 2 or x > 1.0


@pytest.mark.parametrize("x", [math.inf, -math.inf, math.nan])
def test_beside_what_is_not_finite_there_is_nothing_to_check(x: float) -> None:
    with pytest.raises(ValueError, match="x0 = .* cannot be checked: with no step"):
        gradcheck(lambda v: v * 2, [x])


# ---------------------------------------------------------------------- what is checked


def test_a_function_is_checked_at_numbers_and_at_values() -> None:
    x = Value(2.0, "x")
    found = gradcheck(lambda a, b, c: a * b.exp() + c, [x, 0.5, 3])
    assert found
    assert {row.leaf.label for row in found} == {"x", "x1", "x2"}
    assert x in {row.leaf for row in found}
    assert not gradcheck(with_wrong(TABLE["exp"], 0, 1.01), [2.0])


def test_constants_are_not_checked() -> None:
    x = Value(2.0, "x")
    assert [row.leaf for row in gradcheck(x * 3 + x.detach() * 2)] == [x]
    assert repr(gradcheck(x.detach())).endswith("(no leaves)")


def test_an_own_operation_is_checked() -> None:
    def cube(partial: Callable[[float], float]) -> Op:
        return autograd.op("cube", lambda a: a**3, lambda out, a: (partial(a),))

    assert gradcheck(cube(lambda a: 3 * a**2), [2.0])
    assert not gradcheck(cube(lambda a: 2 * a**2), [2.0])


def test_a_derivative_that_is_not_finite_is_wrong() -> None:
    assert not gradcheck(with_wrong(TABLE["exp"], 0, math.nan)(Value(1.0)))
    assert not gradcheck(with_wrong(TABLE["exp"], 0, math.inf)(Value(1.0)))


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ((3.0,), TypeError, "takes a Value or a function that returns one; got 3.0"),
        ((Value(1.0), [1.0]), TypeError, "has its inputs already"),
        ((lambda a: a,), TypeError, "a function needs inputs"),
        ((lambda a: a.data, [1.0]), TypeError, "must return a Value, it returned 1.0"),
        ((Value(1.0), None, 0.0), ValueError, "eps, the size of a step, is a positive"),
        ((Value(1.0), None, -1e-6), ValueError, "is a positive number, got -1e-06"),
        ((Value(1.0), None, math.nan), ValueError, "is a positive number, got nan"),
    ],
)
def test_bad_arguments_are_refused(
    arguments: tuple[Any, ...], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        gradcheck(*arguments)


def test_an_output_without_a_value_beside_a_leaf_is_an_error_and_changes_nothing() -> None:
    x = Value(1e-7, "x")
    y = x.log()
    x.grad, before = 7.0, y.data
    with pytest.raises(ValueError, match="x = 1e-07 cannot be checked: .* log needs a > 0"):
        gradcheck(y, eps=1e-6)
    assert (x.data, x.grad, y.data) == (1e-7, 7.0, before)


def test_a_stale_graph_is_recomputed_before_it_is_checked() -> None:
    x = Value(2.0, "x")
    y = x * x
    x.data = 3.0
    with pytest.raises(ValueError, match="nothing to check yet: stale"):
        gradcheck(y)


def test_inputs_are_a_sequence() -> None:
    with pytest.raises(TypeError, match="inputs is a sequence with a number for each argument"):
        gradcheck(lambda a: a * a, 3.0)  # type: ignore[arg-type]


def test_of_many_leaves_the_wrong_ones_are_printed_first() -> None:
    bad = autograd.op("bad", lambda a: a, lambda out, a: (2.0,))
    good = [Value(1.0, f"g{i}") for i in range(100)]
    table = repr(gradcheck(autograd.sum([*good, bad(Value(1.0, "b"))])))
    assert table.splitlines()[1].startswith("b ")
    assert table.splitlines()[-1] == "… and 81 more"


@pytest.mark.parametrize(
    "f",
    [
        lambda a: a * math.sin(a.data),
        lambda a: a * a.detach(),
        lambda a: Value(a.data**2) + a,
    ],
)
def test_a_function_whose_graph_hides_a_dependence_is_caught(f: Callable[[Value], Value]) -> None:
    assert not gradcheck(f, [2.0])


def test_a_step_too_small_to_take_is_refused() -> None:
    with pytest.raises(ValueError, match="a leaf = 2 cannot be checked: with no step of 2e-20"):
        gradcheck(Value(2.0) * 3, eps=1e-20)
