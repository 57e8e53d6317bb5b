"""Tests that the shapes of public programs, with only their class deleted, give the right numbers.

Each program is compared with plain formulas, or with the same program in the operations of Value.
"""

from __future__ import annotations

import copy
import math
import pickle
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import Value, no_grad
from autograd.core.graph import leaves

# ---------------------------------------------------------------------- operations by hand


def times(a: Value, b: Value) -> Value:
    """Multiply as micrograd's lecture does."""
    out = Value(a.data * b.data, (a, b), "*", label="out")

    def _backward() -> None:
        a.grad += b.data * out.grad
        b.grad += a.data * out.grad

    out._backward = _backward
    return out


def plus(a: Value, b: Value) -> Value:
    """Add in the other spelling: with local derivatives."""
    return Value(a.data + b.data, (a, b), (1, 1))


def squash(x: Value) -> Value:
    t = math.tanh(x.data)
    return Value(t, (x,), (1.0 - t**2,))


def fitted(
    mul: Callable[[Value, Value], Value],
    add: Callable[[Value, Value], Value],
    tanh: Callable[[Value], Value],
) -> list[float]:
    """Fit a small network in a loop of one's own, and return its losses and its weights."""
    rng = random.Random(3)
    w1 = [[Value(rng.uniform(-1, 1)) for _ in range(3)] for _ in range(4)]
    w2 = [Value(rng.uniform(-1, 1)) for _ in range(5)]
    weights = [*(w for row in w1 for w in row), *w2]
    losses = []
    for _ in range(5):
        loss = Value(0.0)
        for x, y, wanted in [(2.0, -1.0, 1.0), (0.5, 1.0, -1.0)]:
            inputs = [Value(x), Value(y), Value(1.0)]
            hidden = []
            for row in w1:
                z = mul(row[0], inputs[0])
                for w, xi in zip(row[1:], inputs[1:]):
                    z = add(z, mul(w, xi))
                hidden.append(tanh(z))
            out = w2[4]
            for w, h in zip(w2, hidden):
                out = add(out, mul(w, h))
            error = add(out, Value(-wanted))
            loss = add(loss, mul(error, error))
        for w in weights:
            w.grad = 0.0
        loss.backward()
        for w in weights:
            w.data -= 0.05 * w.grad
        losses.append(loss.data)
    assert losses[-1] < losses[0]
    return [*losses, *(w.data for w in weights)]


def test_a_network_of_operations_by_hand_trains_as_one_of_the_table_does() -> None:
    wanted = fitted(lambda a, b: a * b, lambda a, b: a + b, Value.tanh)
    assert fitted(times, plus, squash) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda a, b: Value(6.0, (a, b), "*", "c"),
        lambda a, b: Value(6.0, (a, b), "*", label="c"),
        lambda a, b: Value(6.0, (a, b), _op="*", label="c"),
        lambda a, b: Value(6.0, {a, b}, "*", label="c"),
        lambda a, b: Value(data=6.0, _children=[a, b], _op="*", label="c"),
    ],
)
def test_the_lectures_constructor_is_called_in_every_way(make: Callable[..., Value]) -> None:
    a, b = Value(2.0), Value(3.0)
    c = make(a, b)
    assert (c.data, c._prev, c._op, c.label) == (6.0, {a, b}, "*", "c")


@pytest.mark.parametrize(
    "make",
    [
        lambda: Value(1.0, (), ""),
        lambda: Value(1.0, (), ()),
        lambda: Value(1.0, _children=(), _op=""),
        lambda: Value(1.0, children=(), local_grads=()),
    ],
)
def test_a_value_without_operands_is_a_leaf(make: Callable[[], Value]) -> None:
    leaf = make()
    (leaf * 2.0).backward()
    assert (leaf._prev, leaf._op, leaf.label, leaf.grad) == (set(), "", "", 2.0)


def test_local_grads_take_part_in_all() -> None:
    x, w = Value(2.0, "x"), Value(3.0, "w")

    def cubed(v: Value) -> Value:
        return Value(v.data**3, children=(v,), local_grads=(3 * v.data**2,))

    y = cubed(x) * w
    y.label = "y"
    y.backward()
    assert (y.data, x.grad, w.grad) == (24.0, 36.0, 8.0)
    assert autograd.grad(y, x) == (36.0,)
    assert [step.contribution for step in y.stepper()] == [3.0, 8.0, 36.0]
    assert "w·12" in str(y.explain(x)) and y.explain(x).total == 36.0
    assert "cubed" in y.draw().source
    assert (y._children, y._local_grads) == (y.args, (3.0, 8.0))
    assert (x._children, x._local_grads) == ((), ())


def test_three_operands_and_whole_numbers_are_local_grads_too() -> None:
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    Value(14.0, (a, b, c), [1, 2, 3]).backward()
    assert (a.grad, b.grad, c.grad) == (1.0, 2.0, 3.0)


def test_an_operand_that_is_used_twice_gets_both_local_grads() -> None:
    x = Value(3.0)
    Value(9.0, (x, x), (3.0, 3.0)).backward()
    assert x.grad == 6.0


made_outside = Value(4.0, (Value(2.0),), (4.0,))


def test_a_node_is_named_after_the_function_that_made_it() -> None:
    assert squash(Value(1.0))._op == "squash"
    assert Value(1.0, (Value(1.0),), (1.0,), "a label").label == "a label"
    assert made_outside._op == "?" and "?" in made_outside.draw().source


def test_local_grads_have_no_second_derivative_and_say_so() -> None:
    x = Value(0.5)
    with pytest.raises(TypeError, match="'squash' were given by hand.*no second derivative"):
        autograd.grad(squash(x), x, create_graph=True)


def test_wrong_local_grads_are_refused() -> None:
    x = Value(2.0)
    with pytest.raises(ValueError, match="one number per operand: 1 here, got 2"):
        Value(4.0, (x,), (4.0, 1.0))
    with pytest.raises(ValueError, match="one number per operand: 0 here, got 1"):
        Value(4.0, (), (4.0,))
    with pytest.raises(TypeError, match="a local derivative"):
        Value(4.0, (x,), ("a",))  # type: ignore[arg-type]


def test_copies_and_pickles_keep_local_grads() -> None:
    y = squash(Value(0.5)) * 2.0
    y.backward()
    for twin in (copy.deepcopy(y), pickle.loads(pickle.dumps(y))):
        leaf = twin.args[0].args[0]
        leaf.grad = 0.0
        twin.backward()
        assert leaf.grad == y.args[0].args[0].grad != 0.0
        assert twin.args[0]._op == "squash"


def test_the_backward_of_a_copy_uses_the_copied_operands() -> None:
    def product(a: Value, b: Value) -> Value:
        out = Value(a.data * b.data, (a, b), "*")

        def _backward(left: Value = a, *, right: Value = b) -> None:
            left.grad += right.data * out.grad
            b.grad += a.data * out.grad

        out._backward = _backward
        return out

    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    y = product(product(a, b), b)
    y.backward()
    twin = copy.deepcopy(y)
    copies = leaves(twin)
    for leaf in copies:
        leaf.data += 1.0
        leaf.grad = 0.0
    twin.args[0].data = 12.0
    twin.backward()
    assert [leaf.grad for leaf in copies] == [16.0, 24.0]
    assert [a.grad, b.grad, y.args[0].grad] == [9.0, 12.0, 3.0]
    y.backward()
    assert [a.grad, b.grad] == [18.0, 24.0]


def test_no_gradient_flows_through_a_node_by_hand_under_no_grad() -> None:
    x = Value(2.0)
    with no_grad():
        y = Value(4.0, (x,), (4.0,))
    assert not y.args
    (x + y).backward()
    assert x.grad == 1.0


def test_prev_and_op_can_be_assigned() -> None:
    a, b = Value(2.0), Value(3.0)
    out = Value(6.0)
    out._prev = {a, b}
    out._op = "mal"

    def _backward() -> None:
        a.grad += b.data * out.grad
        b.grad += a.data * out.grad

    out._backward = _backward
    out.backward()
    assert (out._op, out._prev, a.grad, b.grad) == ("mal", {a, b}, 3.0, 2.0)
    assert "mal" in out.draw().source


def test_a_new_name_leaves_the_derivatives() -> None:
    x = Value(3.0)
    y = x * x
    y._op = "square"
    y.backward()
    assert (y._op, len(y._prev), x.grad) == ("square", 1, 6.0)
    x._op = "input"  # a leaf has no operation
    assert x._op == ""
    with pytest.raises(TypeError, match="name of an operation is a string"):
        y._op = 3  # type: ignore[assignment]


def test_a_method_that_is_assigned_to_the_class_is_found_on_every_result() -> None:
    named: Any = Value
    named.swished = lambda self: self * self.sigmoid()
    try:
        x: Any = Value(2.0)
        outputs = [(x * 1.0).swished(), (x + 1.0).tanh().swished().swished()]
        assert outputs[0].data == 2.0 / (1.0 + math.exp(-2.0))
        compiled = autograd.compile(lambda v: (v * 2.0).swished())
        assert compiled([1.0])[0] == pytest.approx(outputs[0].data)
    finally:
        del named.swished


class Parameter(Value):
    m: float
    v: float


def test_a_subclass_keeps_attributes_of_its_own() -> None:
    p = Parameter(5.0)
    p.m = p.v = 0.0
    for t in range(1, 301):
        cost = (p - 2.0) ** 2
        p.grad = 0.0
        cost.backward()
        p.m = 0.9 * p.m + 0.1 * p.grad
        p.v = 0.999 * p.v + 0.001 * p.grad**2
        p.data -= 0.1 * (p.m / (1 - 0.9**t)) / (math.sqrt(p.v / (1 - 0.999**t)) + 1e-8)
    theirs = Value(5.0)
    adam = nn.Adam([theirs], lr=0.1)
    for _ in range(300):
        adam.zero_grad()
        ((theirs - 2.0) ** 2).backward()
        adam.step()
    assert p.data == pytest.approx(theirs.data, rel=1e-9)
    for twin in (copy.copy(p), copy.deepcopy(p), pickle.loads(pickle.dumps(p))):
        assert (type(twin), twin.m, twin.v, twin.data) == (Parameter, p.m, p.v, p.data)
    loss = (p * 2.0).tanh()
    graph: Any
    for graph in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert graph.args[0].args[0].m == p.m
    del p.m
    assert not hasattr(p, "m") and not hasattr(Parameter, "m")


@pytest.mark.parametrize("made", [Value, lambda x: Value(x) + 2.0])
def test_a_plain_value_keeps_attributes_of_ones_own(made: Callable[[float], Any]) -> None:
    node, other = made(1.0), made(1.0)
    assert not hasattr(node, "colour")
    node.colour = ["red"]
    for twin in (copy.deepcopy(node), pickle.loads(pickle.dumps(node + 0.0)).args[0]):
        assert twin.colour == ["red"] and twin.colour is not node.colour
    assert not hasattr(other, "colour") and vars(node) == {"colour": ["red"]}
    del node.colour
    for wrong in (lambda: node.colour, lambda: delattr(node, "colour"), lambda: other.colour):
        with pytest.raises(AttributeError, match="colour"):
            wrong()


def test_leaves_in_an_array_keep_attributes_of_ones_own() -> None:
    p: Any = Value(2.0)
    p.m = 0.5
    autograd.compile(lambda x: p * x, params=[p]).value_and_grad([3.0])
    p.v = 0.25
    assert (p.m, p.v, p.data) == (0.5, 0.25, 2.0)
    assert (copy.deepcopy(p).m, copy.deepcopy(p).v) == (0.5, 0.25)


# ---------------------------------------------------------------------- attention by hand


def softmax(logits: list[Value]) -> list[Value]:
    largest = max(v.data for v in logits)
    exps = [(v - largest).exp() for v in logits]
    total = sum(exps, Value(0.0))
    return [e / total for e in exps]


def attend(table: list[list[Value]], tokens: list[int]) -> Value:
    """Predict the last token from those before it, with one head of attention."""
    keys = [table[token] for token in tokens[:-1]]
    query = keys[-1]
    scores = [sum((q * k for q, k in zip(query, key)), Value(0.0)) / 2**0.5 for key in keys]
    shares = softmax(scores)
    mixed = [sum((a * key[j] for a, key in zip(shares, keys)), Value(0.0)) for j in range(2)]
    logits = [sum((m * x for m, x in zip(mixed, row)), Value(0.0)) for row in table]
    return -softmax(logits)[tokens[-1]].log()


def attend_with_formulas(table: list[list[float]], tokens: list[int]) -> float:
    def shares_of(scores: list[float]) -> list[float]:
        exps = [math.exp(s) for s in scores]
        return [e / sum(exps) for e in exps]

    keys = [table[token] for token in tokens[:-1]]
    scores = [sum(q * k for q, k in zip(keys[-1], key)) / 2**0.5 for key in keys]
    mixed = [sum(a * key[j] for a, key in zip(shares_of(scores), keys)) for j in range(2)]
    logits = [sum(m * x for m, x in zip(mixed, row)) for row in table]
    return -math.log(shares_of(logits)[tokens[-1]])


def test_a_small_attention_agrees_with_its_formulas_and_with_differences() -> None:
    numbers = [[0.3, -0.2], [1.1, 0.4], [-0.7, 0.9]]
    table = [[Value(x) for x in row] for row in numbers]
    tokens = [0, 2, 1, 2]
    loss = attend(table, tokens)
    loss.backward()
    assert loss.data == pytest.approx(attend_with_formulas(numbers, tokens), rel=1e-12)
    for i, row in enumerate(table):
        for j, weight in enumerate(row):
            costs = []
            for step in (1e-6, -1e-6):
                moved = [list(row) for row in numbers]
                moved[i][j] += step
                costs.append(attend_with_formulas(moved, tokens))
            assert weight.grad == pytest.approx((costs[0] - costs[1]) / 2e-6, abs=1e-8)


def test_compiled_code_refuses_the_largest_number_with_what_to_write() -> None:
    with pytest.raises(autograd.TraceError) as caught:
        autograd.compile(lambda x: softmax([x, 2.0 * x])[0])([1.0])
    said = str(caught.value)
    assert "`largest = max(v.data for v in logits)`" in said
    assert said.endswith(
        "write functools.reduce(autograd.maximum, values) for the largest of Values"
    )


def test_compiled_code_refuses_a_token_as_an_index_with_what_to_write() -> None:
    table = [[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]]

    def looked_up(token: Any) -> Any:
        return table[token]

    def written_so(token: Any) -> Any:
        return autograd.take(table, token)

    with pytest.raises(autograd.TraceError) as caught:
        autograd.compile(looked_up)([1])
    said = str(caught.value)
    assert "used as a whole number, such as an index" in said and "`return table[token]`" in said
    assert "write autograd.take(table, token) for table[token]" in said
    assert autograd.compile(written_so)([1]).tolist() == [[3.0, 4.0]]


def test_compiled_code_refuses_a_node_by_hand_with_what_to_write() -> None:
    with pytest.raises(autograd.TraceError, match=r"made by hand in .*autograd\.op"):
        autograd.compile(lambda x: Value(1.0, (x,), (2.0,)))([1.0])


def test_a_neuron_says_whether_it_is_linear() -> None:
    assert nn.Neuron(2).nonlin and not nn.Neuron(2, nonlin=False).nonlin


# ---------------------------------------------------------------------- PyTorch's names


def test_pytorchs_methods_record_the_operations_of_the_signs() -> None:
    x, y = Value(-3.0), Value(2.0)
    pairs = [
        *((x.add(y), x + y), (x.sub(1), x - 1), (x.mul(y), x * y), (x.div(y), x / y)),
        *((x.pow(2), x**2), (y.pow(y), y**y), (x.neg(), -x), (x.abs(), abs(x))),
    ]
    for ours, signs in pairs:
        assert (ours.op, ours.data) == (signs.op, signs.data)


def test_a_clone_is_another_node_that_passes_the_gradient_on() -> None:
    x = Value(-3.0)
    y = x.clone()
    (y * 2.0).backward()
    assert y is not x and (y.data, x.grad) == (-3.0, 2.0)


@pytest.mark.parametrize(
    ("data", "clamped", "slope"),
    [(-2.0, -1.0, 0.0), (-1.0, -1.0, 1.0), (0.5, 0.5, 1.0), (1.0, 1.0, 1.0), (3.0, 1.0, 0.0)],
)
def test_clamp_and_its_gradient_are_pytorchs_at_the_bounds_too(
    data: float, clamped: float, slope: float
) -> None:
    x = Value(data)
    y = x.clamp(-1, max=1)
    y.backward()
    assert (y.data, x.grad) == (clamped, slope)


def test_clamp_takes_one_bound_and_compiles() -> None:
    assert Value(3.0).clamp(max=1).data == 1.0
    assert Value(-3.0).clamp(min=Value(0.0)).data == 0.0
    with pytest.raises(TypeError, match="min, max or both"):
        Value(3.0).clamp()
    compiled = autograd.compile(lambda x: x.clamp(-1, 1))
    assert compiled([-2.0, 0.5, 2.0]).tolist() == [-1.0, 0.5, 1.0]


def test_requires_grad_tells_constants_from_leaves() -> None:
    x, c = Value(3.0, requires_grad=True), Value(2.0, "c", requires_grad=False)
    assert x.requires_grad and (x * c).requires_grad
    assert not c.requires_grad and not (c * 2.0).requires_grad
    (x * c).backward()
    assert (x.grad, c.grad, c.label) == (2.0, 0.0, "c")


def test_a_graph_is_kept_whether_or_not_that_is_asked_for() -> None:
    x = Value(3.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward(retain_graph=False)
    y.backward()
    assert x.grad == 18.0
    assert autograd.grad(y, x, retain_graph=True) == (6.0,)


def test_value_and_grad_gives_both_in_the_form_of_the_argument() -> None:
    def cost(w: Any, x: float, *, scale: float = 1.0) -> Any:
        return scale * (w[0][0] * x + w[1][0]) ** 2

    both = autograd.value_and_grad(cost)
    assert both([[2.0], [1.0]], 3.0, scale=2.0) == (98.0, [[84.0], [28.0]])
    data, slopes = both(np.array([[2.0], [1.0]]), 3.0)
    assert data == 49.0 and slopes.tolist() == [[42.0], [14.0]]
    assert autograd.value_and_grad(lambda x, y: x * y, 1)(2.0, 5.0) == (10.0, 2.0)
    assert autograd.value_and_grad(lambda w: w[0] * 2.0)([1.0, 7.0]) == (2.0, [2.0, 0.0])
    w = Value(4.0)
    assert autograd.value_and_grad(lambda v: v * v)(w) == (16.0, 8.0) and w.grad == 0.0


def test_value_and_grad_refuses_what_it_cannot_differentiate() -> None:
    with pytest.raises(TypeError, match="returns one Value"):
        autograd.value_and_grad(lambda x: 3.0)(1.0)
    with pytest.raises(TypeError, match=r"argnums is 2, and 1 argument"):
        autograd.value_and_grad(lambda x: x, 2)(1.0)
