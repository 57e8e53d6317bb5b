"""Tests of `Program` and of its passes: the effect of each pass, and the rules they keep."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import Value
from autograd.compiler import program as compiler
from autograd.compiler.passes import (
    PASSES,
    Pass,
    delay_relus,
    eliminate_common_subexpressions,
    fold_constants,
    merge_chains,
    recognise_softmax,
)
from autograd.compiler.program import Node, change_nodes, check_program, interpret
from autograd.compiler.trace import record_trace
from autograd.extend import TABLE
from tests.random_graphs import CALM, GUARDED, PIECEWISE, Program, programs

X, W = [Value(x, f"x{i}") for i, x in enumerate((0.5, -1.5, 2.0))], Value(3.0, "w")


def program_of(function: Callable[..., Any], count: int = 3) -> compiler.Program:
    """Return the program of a function of a list, with W as a parameter."""
    return compiler.make_program(record_trace(function, [np.array([0.5, -1.5, 2.0][:count])]), [W])


def operations(program: compiler.Program) -> list[str]:
    """Return the names of the operations, without the leaves."""
    return [node.op.name for node in program.nodes if node.args]


@settings(max_examples=100, deadline=None)
@given(programs((*CALM, *GUARDED, *PIECEWISE), most=20), st.lists(st.sampled_from(PASSES)))
def test_passes_in_any_order_leave_the_value_as_it_is(random: Program, chosen: list[Pass]) -> None:
    params = [Value(x) for x in random.leaves[1:]]
    row = np.array(random.leaves[:1])

    def function(x: Any) -> Value:
        return random.run([*x, *params], dict(TABLE))[-1]

    program = compiler.make_program(record_trace(function, [row]), params)
    leaves = list(random.leaves)
    wanted = interpret(program, leaves[:1], leaves[1:])
    for improve in chosen:
        program = check_program(improve(program))
    assert interpret(program, leaves[:1], leaves[1:]) == pytest.approx(wanted, rel=1e-12, abs=1e-14)


# A pass, a function, the number of its operations, and those that the pass leaves
EXAMPLES: list[tuple[Pass, Callable[..., Any], int, list[str]]] = [
    (
        eliminate_common_subexpressions,
        lambda x: x[0] * x[1] + (x[0] * x[1]).exp(),
        4,
        ["mul", "exp", "add"],
    ),
    (
        eliminate_common_subexpressions,
        lambda x: x[0] * x[1] + x[1] * x[0],
        3,
        ["mul", "mul", "add"],
    ),
    (fold_constants, lambda x: (Value(2.0) * 3.0 + 1.0) * x[0], 3, ["mul"]),
    (fold_constants, lambda x: sum([x[0], x[1]]), 2, ["add"]),
    (merge_chains, lambda x: x[0] + x[1] + x[2], 2, ["sum"]),
    (merge_chains, lambda x: x[0] + (x[1] + (x[2] + 1.0)), 3, ["sum"]),
    (merge_chains, lambda x: W * x[0] + x[1] * W + 1.0, 4, ["dot"]),
    (
        merge_chains,
        lambda x: 2.0 * x[0].exp() + 3.0 * x[1].exp(),
        5,
        ["exp", "mul"] * 2 + ["add"],
    ),
    (merge_chains, lambda x: [s := x[0] + x[1], s + x[2] + 1.0], 3, ["add", "sum"]),
    (merge_chains, lambda x: x[0].maximum(x[1]).maximum(x[2]), 2, ["maximum", "maximum"]),
    (delay_relus, lambda x: x[0].relu().maximum(x[1].relu()), 3, ["maximum", "relu"]),
    (
        delay_relus,
        lambda x: x[2].relu().maximum(x[0].relu().maximum(x[1].relu())).exp(),
        6,
        ["maximum", "maximum", "relu", "exp"],
    ),
    (delay_relus, lambda x: x[0].relu().maximum(x[1]), 2, ["relu", "maximum"]),
    (delay_relus, lambda x: (r := x[0].relu()).maximum(r), 2, ["relu", "maximum"]),
    (
        delay_relus,
        lambda x: [r := x[0].relu(), r.maximum(x[1].relu())],
        3,
        ["relu", "relu", "maximum"],
    ),
    (recognise_softmax, lambda x: autograd.logsumexp(x[:2]), 9, ["logsumexp"]),
    (recognise_softmax, lambda x: autograd.softmax(x[:2]), 9, ["softmax", "part", "part"]),
]


def test_every_pass_has_an_example() -> None:
    assert {improve for improve, *_ in EXAMPLES} == set(PASSES)


@pytest.mark.parametrize(("improve", "function", "before", "after"), EXAMPLES)
def test_what_a_pass_makes(improve: Pass, function: Any, before: int, after: list[str]) -> None:
    program = program_of(function)
    assert len(operations(program)) == before
    assert operations(check_program(improve(program))) == after


def test_a_delayed_relu_has_the_name_of_the_maximum_whose_number_it_is() -> None:
    def function(x: list[Value]) -> Value:
        rectified = [a.relu() for a in x]
        for i, h in enumerate(rectified):
            h.label = f"h{i}"
        largest = functools.reduce(Value.maximum, rectified)
        largest.label = "largest"
        return largest

    program = delay_relus(program_of(function))
    names = [(node.op.name, program.label(i)) for i, node in enumerate(program.nodes) if node.args]
    assert names == [("maximum", ""), ("maximum", ""), ("relu", "largest")]


def test_equal_constants_are_merged_and_zeros_of_two_signs_are_not() -> None:
    program = eliminate_common_subexpressions(
        program_of(lambda x: x[0] * 0.0 + x[1] * -0.0 + x[2] * 0.0 + (x[0] + math.nan) - math.nan)
    )
    kept = [program.constants[n.offset] for n in program.nodes if n.op is TABLE["constant"]]
    assert list(map(repr, kept)) == ["0.0", "-0.0", "nan"]


def test_long_equal_computations_are_merged_to_their_ends() -> None:
    def chain(x: list[Value]) -> Value:
        return functools.reduce(lambda y, k: (y * x[k % 3]).tanh(), range(40), x[0])

    program = eliminate_common_subexpressions(program_of(lambda x: chain(x) + chain(x) * 2.0))
    assert operations(program) == [*["mul", "tanh"] * 40, "mul", "add"]


def test_constants_are_folded_through_long_chains() -> None:
    def folded(x: list[Value]) -> Value:
        number = functools.reduce(lambda y, _: (y + 1.0).sqrt(), range(40), Value(2.0))
        return x[0] * number.exp()

    assert operations(fold_constants(program_of(folded))) == ["mul"]


@pytest.mark.parametrize("count", [2, 3])
def test_log_sum_exp_and_softmax_are_recognised(count: int) -> None:
    program = recognise_softmax(merge_chains(program_of(autograd.logsumexp, count)))
    assert operations(program) == ["logsumexp"]
    program = recognise_softmax(merge_chains(program_of(autograd.softmax, count)))
    assert operations(check_program(program)) == ["softmax", *["part"] * count]
    one = recognise_softmax(merge_chains(program_of(lambda x: autograd.softmax(x)[1], count)))
    assert operations(one) == ["softmax", "part"]
    odds = recognise_softmax(
        merge_chains(program_of(lambda x: autograd.surprisal(x[0], x[1:]), count))
    )
    assert operations(check_program(odds)) == ["log_odds", "softplus"]


def test_a_softmax_of_one_is_a_softmax() -> None:
    assert operations(recognise_softmax(program_of(autograd.softmax, 1))) == ["softmax", "part"]


def by_the_smallest(x: list[Value]) -> Value:
    shift = autograd.stop_gradient(x[0].minimum(x[1]))
    return shift + autograd.sum(autograd.gap(xi, shift).exp() for xi in x[:2]).log()


def by_a_plain_difference(x: list[Value]) -> Value:
    shift = autograd.stop_gradient(x[0].maximum(x[1]))
    return shift + autograd.sum((xi - shift).exp() for xi in x[:2]).log()  # NaN at infinities


def with_another_use(x: list[Value]) -> Value:
    shift = autograd.stop_gradient(x[0].maximum(x[1]))
    total = autograd.sum(autograd.gap(xi, shift).exp() for xi in x[:2])
    return shift + total.log() + total


@pytest.mark.parametrize("function", [by_the_smallest, by_a_plain_difference, with_another_use])
def test_what_only_looks_like_log_sum_exp_is_left_alone(function: Any) -> None:
    assert "logsumexp" not in operations(recognise_softmax(merge_chains(program_of(function))))


def test_a_program_is_text() -> None:
    text = str(program_of(lambda x: W * x[0] + 2.0))
    assert text.splitlines() == [
        "v0 = param(0)   # w",
        "v1 = input(0)   # x[0]",
        "v2 = mul(v0, v1)",
        "v3 = constant(0)",
        "v4 = add(v2, v3)",
        "return v4",
    ]


def test_a_broken_program_is_noticed() -> None:
    good = program_of(lambda x: W * x[0] + 2.0)
    add = len(good.nodes) - 1
    broken = [
        replace(good, outputs=[99]),
        change_nodes(good, {add: Node(TABLE["add"], (0, add))}),
        change_nodes(good, {add: Node(TABLE["add"], (0,))}),
        change_nodes(good, {add: Node(compiler.SUM, (0,))}),
        change_nodes(good, {add: Node(compiler.PART, (0,), 0)}),
        replace(good, constants=[]),
        replace(good, params=[]),
    ]
    for program in broken:
        with pytest.raises(AssertionError):
            check_program(program)
