"""Tests of graph functions: order, counts, names and copies, at any depth."""

from __future__ import annotations

import copy
import gc
import math
import pickle
import sys
import tracemalloc
import weakref
from typing import Any

import pytest
from hypothesis import given, settings

from autograd import LabelError, Value, scope
from autograd.core.backprop import has_gradient
from autograd.core.find import find
from autograd.core.graph import (
    consumers,
    count,
    count_paths,
    distances,
    find_places,
    leaves,
    tabulate,
    topological_order,
)
from autograd.extend import TABLE
from tests.random_graphs import CALM, GUARDED, Program, programs

DEPTH = 1_000_000


@settings(deadline=None, max_examples=80)
@given(programs((*CALM, *GUARDED)))
def test_every_node_comes_once_and_after_its_operands(program: Program) -> None:
    root = program.run([Value(x) for x in program.leaves], dict(TABLE))[-1]
    order = topological_order(root)
    place = {node: i for i, node in enumerate(order)}
    assert len(place) == len(order)
    assert order[-1] is root
    assert all(place[arg] < place[node] for node in order for arg in node.args)


def test_the_order_goes_through_the_left_operand_first() -> None:
    a, b, c = (Value(1.0, label=x) for x in "abc")
    order = topological_order((a * b) + c)
    assert [node.label or node.op.name for node in order] == ["a", "b", "mul", "c", "add"]


def test_two_traversals_do_not_disturb_each_other() -> None:
    x = Value(2.0)
    y, z = x * x, x + x
    assert topological_order(y) == [x, y]
    assert topological_order(z) == [x, z]
    assert topological_order(y) == [x, y]


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_graph_as_columns_of_numbers(by_hand: bool) -> None:
    x = Value(2.0, "x")
    with scope("layer"):
        y = x * x
    z = Value(54.6, children=(y,), local_grads=(54.6,)) if by_hand else y.exp()
    chosen = TABLE["where"](y, x, z)
    chosen.label = "x"
    order = topological_order(chosen)
    kinds, texts, *columns, numbers = tabulate(order, [x, Value(1.0), chosen])
    assert kinds == [x.op, y.op, z.op, chosen.op]
    assert texts == ["", "x", "layer"]
    codes, starts, operands, labels, created = map(integers, columns)
    assert codes == [0, 1, 2, 3]
    assert (starts, operands) == ([0, 0, 2, 3, 6], [0, 0, 1, 1, 0, 2])
    assert (labels, created) == ([1, 2, 0, 1], [1, 0, 0, 1])
    assert list(memoryview(numbers).cast("B").cast("d")) == [v.data for v in order]
    assert integers(find_places(order, [chosen, Value(1.0), y, x])) == [3, -1, 1, 0]


def integers(column: Any) -> list[int]:
    """Return the integers of 4 bytes of a column."""
    return list(memoryview(column).cast("B").cast("i"))


def test_leaves_are_those_the_user_made() -> None:
    x, w = Value(1.0), Value(2.0)
    assert leaves(w * x + w + 3.0) == [w, x]


def test_count_is_by_operation() -> None:
    x = Value(2.0)
    assert count(x * x + 1.0) == {"leaf": 1, "mul": 1, "constant": 1, "add": 1}


def test_paths_are_counted_not_walked() -> None:
    x = Value(1.0)
    y = x
    for _ in range(200):
        y = y * y
    assert count_paths(y, x) == 2**200
    assert count_paths(x, y) == 0
    assert count_paths(y, y) == 1


def test_distances_are_the_shortest() -> None:
    a = Value(1.0)
    b = a * 2
    c = b * a
    assert dict(distances([c], lambda node: node.args)) == {c: 0, b: 1, a: 1, b.args[1]: 2}


def test_consumers_name_each_user_once() -> None:
    x = Value(2.0)
    y = x * x
    z = y + x
    assert consumers(topological_order(z)) == {x: [y, z], y: [z], z: []}


# ---------------------------------------------------------------------- names


def test_a_node_is_found_by_label_or_by_itself() -> None:
    x = Value(2.0, label="x")
    y = x * x
    assert find(y, "x") is find(y, x) is x


def test_an_unknown_label_names_the_nearest() -> None:
    w1, bias = Value(2.0, label="weight1"), Value(1.0, label="bias")
    with pytest.raises(LabelError) as caught:
        find(w1 * bias, "wieght1")
    assert str(caught.value) == "no node is labelled 'wieght1': the nearest are 'weight1'"


def test_an_unknown_label_where_nothing_has_one() -> None:
    with pytest.raises(LabelError, match="no node has a label yet"):
        find(Value(2.0) * 3, "x")
    with pytest.raises(LabelError):
        find(Value(2.0) * 3, "")


def test_an_ambiguous_label_asks_for_the_node() -> None:
    with pytest.raises(LabelError, match="2 nodes are labelled 'x': pass the node itself"):
        find(Value(2.0, label="x") * Value(3.0, label="x"), "x")


def test_a_stranger_is_not_found() -> None:
    with pytest.raises(ValueError, match="is not part of the graph"):
        find(Value(2.0) * 3, Value(2.0))
    with pytest.raises(TypeError, match="expected a node, its label or its formula, got 3"):
        find(Value(2.0) * 3, 3)  # type: ignore[arg-type]


# ---------------------------------------------------------------------- copies


def small_graph() -> tuple[Value, Value]:
    with scope("layer"):
        x = Value(2.0, label="x")
        y = (x * x + 1.0).sigmoid()
    y.backward()
    return x, y


@pytest.mark.parametrize(
    "make", [copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))], ids=["deepcopy", "pickle"]
)
def test_a_copy_is_the_same_graph_of_new_nodes(make) -> None:  # type: ignore[no-untyped-def]
    x, y = small_graph()
    twin = make(y)
    for old, new in zip(topological_order(y), topological_order(twin), strict=True):
        assert new is not old
        assert (new.data, new.grad, new.op, new.label, new.scope) == (
            *(old.data, old.grad, old.op, old.label, old.scope),
        )
        assert has_gradient(new) == has_gradient(old)
    leaves(twin)[0].data = 0.0
    assert twin.recompute().data != y.data
    assert x.data == 2.0


def test_a_copied_model_keeps_its_leaves_shared() -> None:
    w = Value(2.0)
    model = {"w": w, "twice": w * 2, "again": w * 3}
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin["twice"].args[0] is twin["again"].args[0] is twin["w"]
        assert twin["w"] is not w


def test_a_leaf_without_a_gradient_is_copied_without_one() -> None:
    assert not has_gradient(copy.deepcopy(Value(1.0)))
    assert not has_gradient(pickle.loads(pickle.dumps(Value(1.0))))


# ---------------------------------------------------------------------- depth


@pytest.mark.slow
def test_a_chain_a_million_deep_needs_no_recursion() -> None:
    assert sys.getrecursionlimit() <= 1000
    x = Value(0.5)
    y = x
    for _ in range(DEPTH // 2):
        y = -(y + 1.0)
    assert y.data == 0.5
    y.backward()
    assert x.grad == 1.0
    x.data = 0.25
    assert y.recompute().data == 0.25
    assert count(y)["neg"] == DEPTH // 2
    twin = copy.deepcopy(y)
    assert twin.data == 0.25
    del y, twin


def test_a_deep_chain_is_pickled_stepped_drawn_and_explained() -> None:
    x = Value(0.5, label="x")
    y = x
    for _ in range(20_000):
        y = (y + 1.0) - 1.0
    assert pickle.loads(pickle.dumps(y)).data == y.data
    assert sum(1 for _ in y.stepper()) == 40_000
    assert "folded" in y.draw().source
    assert y.explain(x, max_paths=1).paths[0].product == 1.0
    assert y.nudge(x, 0.5).actual == 0.5


def test_a_graph_is_freed_without_the_garbage_collector() -> None:
    class Watched(Value):
        __slots__ = ("__weakref__",)

    gc.disable()
    try:
        x = Watched(2.0)
        y = (x * x).exp()
        y.backward()
        y.recompute()
        grave = weakref.ref(x)
        del x, y
        assert grave() is None
    finally:
        gc.enable()


def test_many_layers_keep_their_numbers() -> None:
    x = Value(1.0)
    y = x
    for _ in range(5000):
        y = y * 1.001
    y.backward()
    assert x.grad == pytest.approx(math.pow(1.001, 5000), rel=1e-9)


def test_what_is_no_value_has_no_graph() -> None:
    with pytest.raises(TypeError, match="the root of a graph is a Value; got 3"):
        topological_order(3)  # type: ignore[arg-type]


def test_a_copied_subclass_keeps_what_it_carries() -> None:
    class Tagged(Value):
        tags: list[str]

    x = Tagged(2.0)
    x.tags = ["a"]
    twin = copy.deepcopy(x)
    assert (type(twin), twin.tags, twin.tags is x.tags) == (Tagged, ["a"], False)


def test_counting_very_many_paths_keeps_few_counts_at_a_time() -> None:
    x = y = Value(1.0)
    for _ in range(20_000):
        y = y + y
    tracemalloc.start()
    try:
        assert count_paths(y, x) == 2**20_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5e6  # all of them together would take 28 MB


def shown_names() -> tuple[Value, Value, Value, Value]:
    """Build w·x, (w·x − 1)², 2x(w + 1), and a root of these and two σ(w·x), without labels."""
    w, x = Value(2.0, "w"), Value(3.0, "x")
    product = w * x
    square, doubled = (product - 1.0) ** 2, 2.0 * x * (w + 1.0)
    return product, square, doubled, square + doubled + product.sigmoid() * product.sigmoid()


@pytest.mark.parametrize("wanted", ["w·x", "w*x", "w * x", "(w·x)", "(w * x)"])
def test_a_node_is_found_by_the_formula_it_is_shown_by(wanted: str) -> None:
    product, _, _, root = shown_names()
    assert find(root, wanted) is product


@pytest.mark.parametrize("wanted", ["(w·x − 1)²", "(w*x - 1)**2", "(w*x-1)^2"])
def test_powers_are_found_as_they_are_typed(wanted: str) -> None:
    _, square, _, root = shown_names()
    assert find(root, wanted) is square


def test_a_formula_that_stands_twice_is_not_guessed_at() -> None:
    _, _, _, root = shown_names()
    with pytest.raises(LabelError, match=r"2 nodes are written 'sigmoid\(w\*x\)': pass the node"):
        find(root, "sigmoid(w*x)")


@pytest.mark.parametrize("wanted", ["2x(w + 1)", "2*x*(w+1)", "2·x·(w+1)"])
def test_numbers_and_brackets_need_no_dot(wanted: str) -> None:
    _, _, doubled, root = shown_names()
    assert find(root, wanted) is doubled


def test_a_labelled_node_is_found_by_its_formula_and_by_how_its_label_is_typed() -> None:
    x = Value(0.5, "ξ₁")
    y = x.tanh()
    y.label = "y"
    assert find(y, "tanh(ξ₁)") is find(y, "tanh(xi1)") is y
    assert find(y, "xi1") is x


def test_a_label_goes_before_a_formula() -> None:
    w, x, other = Value(2.0, "w"), Value(3.0, "x"), Value(5.0, "w·x")
    assert find(w * x + other, "w·x") is other
    assert find(w * x + other, "w·x + (w·x)").op.name == "add"


def test_a_number_is_a_name_too_if_it_stands_alone() -> None:
    leaf = Value(2.5)
    assert find(leaf * Value(3.0, "x"), "2.5") is leaf


@pytest.mark.parametrize("wanted", ["w·y", "w x", "wx", "(", ")*(", "·", " "])
def test_what_is_not_shown_is_not_found(wanted: str) -> None:
    *_, root = shown_names()
    with pytest.raises(LabelError, match="the nearest are"):
        find(root, wanted)


def test_all_that_takes_a_label_takes_a_formula() -> None:
    product, _, _, root = shown_names()
    s = root.stepper()
    s.until("w*x")
    assert product in s.gradients
    assert s.check({"w·x": 1.0})[0].node is product
    assert root.explain("w*x").node is root.nudge("w * x", 0.1).node is product
    assert root.draw(path=("w*x", "(w*x - 1)^2"), around="w·x").source
