"""Tests of functions that are drawn as one box: which nodes are their outputs."""

from __future__ import annotations

import autograd
from autograd import Value, scope
from autograd.core.graph import topological_order
from autograd.page.groups import find_groups
from autograd.picture.composite import outputs_of


def test_a_node_that_others_use_outside_is_an_output() -> None:
    x = Value(2.0)
    inner = x * x
    outer = inner + 1.0
    y = outer * 3.0
    order = topological_order(y)
    functions = {inner: ["f", "g"], outer: ["f"]}
    assert outputs_of(order, functions) == {"g": [inner], "f": [outer]}
    assert outputs_of(topological_order(outer), functions) == {"g": [inner], "f": [outer]}


def test_a_function_may_have_two_outputs() -> None:
    x = Value(2.0)
    square, cube = x * x, x**3
    y = square + cube
    assert outputs_of(topological_order(y), {square: ["f"], cube: ["f"]}) == {"f": [square, cube]}
    assert outputs_of(topological_order(y), {square: ["f"]}) == {"f": [square]}


def test_a_function_inside_another_has_an_output_of_its_own_on_the_page() -> None:
    logits = [Value(0.5, "a"), Value(-1.0, "b")]
    with scope("cost()"):
        z = autograd.logsumexp(logits)
        cost = 2.0 * z
    y = cost.tanh()
    order = topological_order(y)
    groups, _ = find_groups(order, 60)
    outputs = {group.name: [order[i] for i in group.outputs] for group in groups}
    assert outputs == {"cost()": [cost], "logsumexp()": [z]}
