"""Tracing: what is seen of a function, and what it may not do while it is looked at."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import TraceError, Value, peek

W = Value(2.0, "w")


def looks(x: Value) -> Value:
    return x * x.data


def looks_at_a_weight(x: Value) -> Value:
    return W * x * W.data


def steers(x: Value) -> Value:
    return x if x.data > 0 else -x


def compares(x: Value) -> Value:
    return x if x > 0 else -x


def sorts(x: Value) -> Value:
    return max(x, W)


def floats(x: Value) -> Value:
    return x * math.exp(x)  # type: ignore[arg-type]


def takes_out(x: Value) -> Value:
    return x * x.item()


def sets(x: Value) -> Value:
    y = x * 1.0
    y.data = 3.0
    return y


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (looks, r"`.data` of x is read in test_trace.py, line \d+: `return x \* x.data`"),
        (looks_at_a_weight, r"`.data` of w is read in test_trace.py, line \d+"),
        (steers, r"line \d+: `return x if x.data > 0 else -x`.* use the Value itself"),
        (
            compares,
            r"Values are compared in .*`return x if x > 0 else -x`.*relu, step, abs",
        ),
        (sorts, r"Values are compared in .*: `return max\(x, W\)`.* use maximum"),
        (floats, r"a Value is turned into a float in .*math.exp\(x\).*use v.exp\(\)"),
        (takes_out, r"item\(\) takes the number out of a Value in .*x.item\(\)"),
        (sets, r"`.data` of a Value is set in .*y.data = 3.0"),
        (lambda x: 3.0, "returned no Value"),
        (lambda x: [1.0, 2.0], "returned no Value"),
        (lambda x: [[x, x], [x]], "lists that differ in length"),
        (lambda x: None, "returned no Value"),
    ],
)
def test_what_depends_on_values_is_refused_with_its_line(function: Any, message: str) -> None:
    with pytest.raises(TraceError, match=message):
        autograd.compile(function)([2.0, 0.25])
    x = Value(-1.0)
    assert (x.data, x > 0, type(x * 2.0), W.data) == (-1.0, False, Value, 2.0), "all is as before"


def test_what_differs_from_row_to_row_is_named_with_its_line() -> None:
    drawn = iter(range(100))

    def noisy(x: Value) -> Value:
        noise = float(next(drawn))
        return x + noise

    def branching(x: Value) -> Value:
        return x.exp() if next(drawn) % 2 else x.sin()

    def growing(x: Value) -> Value:
        return autograd.sum([x] * (2 + next(drawn)))

    with pytest.raises(TraceError, match=r"is \d+ for one row and \d+ for .*`return x \+ noise`"):
        autograd.compile(noisy)([1.0])
    with pytest.raises(TraceError, match=r"one row it computes \w+ and for another \w+ in .*exp"):
        autograd.compile(branching)([1.0])
    with pytest.raises(TraceError, match=r"for one row it computes"):
        autograd.compile(growing)([1.0])


def test_outputs_that_change_places_are_noticed() -> None:
    count = iter(range(9))

    def changing(x: Value) -> list[Value]:
        y = x * W
        return [y, x] if next(count) % 2 else [x, y]

    with pytest.raises(TraceError, match="or the same of others"):
        autograd.compile(changing)([1.0, 2.0])


def test_a_look_shows_even_where_there_is_one_row() -> None:
    for x in (2.0, 0.0):
        with pytest.raises(TraceError, match="a plain number is"):
            autograd.compile(lambda x: x + peek(x))([x])


def test_the_weights_that_are_given_may_not_be_looked_at() -> None:
    w = Value(2.0, "w")
    with pytest.raises(TraceError, match="`.data` of w is read"):
        autograd.compile(lambda x: w * x * w.data, params=[w])([1.0])


def test_an_error_of_the_function_leaves_all_as_it_was() -> None:
    kept = []

    def fails(x: Value) -> Value:
        kept.append(x * 2.0)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        autograd.compile(fails)([1.0])
    assert kept[0].data == 2.0


def test_a_check_may_look() -> None:
    def checked(x: Value) -> Value:
        if not peek(x) >= 0.0:
            raise ValueError("below zero")
        return x.sqrt()

    assert autograd.compile(checked)([4.0, 16.0]) == 3.0
    assert autograd.compile(lambda x: x * 1.0 if repr(x) else x)([1.0]) == 1.0


def test_detached_values_and_those_made_under_no_grad_have_no_gradient() -> None:
    w = Value(3.0)

    def cost(x: Value) -> Value:
        with autograd.no_grad():
            scale = w * x
        return scale * w + (w * w).detach() * x

    value, gradient = autograd.compile(cost).value_and_grad([1.0, 2.0])
    assert value == np.mean([9.0 * x + 9.0 * x for x in (1.0, 2.0)])
    assert gradient.tolist() == [3.0 * 1.5]


def test_no_grad_outside_changes_nothing() -> None:
    w = Value(3.0)
    with autograd.no_grad():
        compiled = autograd.compile(lambda x: w * x)
        assert compiled.value_and_grad([2.0])[1].tolist() == [2.0]


def test_leaves_made_inside_are_constants_and_those_outside_parameters() -> None:
    w, unused = Value(3.0), Value(1.0)

    def cost(x: Value) -> Value:
        return Value(5.0) * w * x

    compiled = autograd.compile(cost)
    assert compiled.value_and_grad([2.0])[1].tolist() == [10.0]
    assert compiled.params == [w]
    given = autograd.compile(cost, params=[unused, w], allow_unused=True)
    assert given.value_and_grad([2.0])[1].tolist() == [0.0, 10.0]


def test_arguments_have_any_shape() -> None:
    def trace_of(matrix: list[list[Value]], scale: Value) -> Value:
        return scale * autograd.sum(row[i] for i, row in enumerate(matrix))

    matrices = np.arange(18.0).reshape(2, 3, 3)
    assert autograd.compile(trace_of)(matrices, [1.0, 10.0]) == (12.0 + 390.0) / 2
    doubled = autograd.compile(lambda m: [[2.0 * v for v in row] for row in m])(matrices)
    assert np.array_equal(doubled, 2.0 * matrices)


def test_what_is_drawn_is_drawn_anew_for_each_row_and_call() -> None:
    count = iter(range(100))
    compiled = autograd.compile(lambda x: [x * autograd.drawn(lambda: float(next(count)))])
    first = compiled(np.ones(3)).ravel()
    second = compiled(np.ones(3)).ravel()
    assert np.diff(first).tolist() == [1.0, 1.0]
    assert second[0] == first[-1] + 1.0


def test_ten_thousand_deep_is_no_recursion() -> None:
    def deep(x: Value) -> Value:
        for _ in range(5_000):
            x = -(x + 1.0)
        return x * 1.0

    compiled = autograd.compile(deep)
    assert compiled([1.0, 2.0]) == 1.5
