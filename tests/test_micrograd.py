"""Tests that programs written for micrograd run unchanged, compared with the published engine."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from micrograd.engine import Value as TheirValue

from autograd import Value, draw_dot, grad, trace


def readme_example(kind: Any) -> tuple[Any, Any, Any]:
    a, b = kind(-4.0), kind(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    return a, b, g


def test_the_readme_example_gives_its_numbers() -> None:
    a, b, g = readme_example(Value)
    assert (f"{g.data:.4f}", f"{a.grad:.4f}", f"{b.grad:.4f}") == (
        *("24.7041", "138.8338", "645.5773"),
    )


def test_the_readme_example_agrees_with_the_published_package() -> None:
    for ours, theirs in zip(readme_example(Value), readme_example(TheirValue), strict=True):
        assert ours.data == pytest.approx(theirs.data, rel=1e-14)
        assert ours.grad == pytest.approx(theirs.grad, rel=1e-14)


def network(kind: Any) -> list[float]:
    """Train a small network as micrograd's demo does; return the losses."""
    rng = random.Random(1)
    weights = [[kind(rng.uniform(-1, 1)) for _ in range(3)] for _ in range(4)]
    out = [kind(rng.uniform(-1, 1)) for _ in range(4)]
    losses = []
    for _ in range(3):
        total = kind(0)
        for _ in range(5):
            x = [rng.uniform(-1, 1) for _ in range(3)]
            hidden = [
                sum((wi * xi for wi, xi in zip(w, x, strict=True)), kind(0.1)) for w in weights
            ]
            score = sum((o * h.relu() for o, h in zip(out, hidden, strict=True)), kind(0))
            total = total + (1 + -score).relu()
        parameters = [*(w for row in weights for w in row), *out]
        for p in parameters:
            p.grad = 0
        total.backward()
        for p in parameters:
            p.data += -0.1 * p.grad
        losses.append(total.data)
    return [*losses, *(p.data for p in parameters)]


def test_training_agrees_with_the_published_package() -> None:
    assert network(Value) == pytest.approx(network(TheirValue), rel=1e-12)


def test_prev_is_a_set_and_op_a_symbol() -> None:
    a, b = Value(2.0), Value(3.0)
    assert (a * a)._prev == {a}
    assert (a + b)._prev == {a, b}
    assert [v._op for v in (a, a + b, a * b, a**2, a**-0.5, a.relu(), a - b, a / b)] == [
        *("", "+", "*", "**2", "**-0.5", "ReLU", "-", "/"),
    ]
    assert (a.tanh()._op, (a**b)._op) == ("tanh", "**")


def test_the_lecture_steps_by_hand_with_backward() -> None:
    a, b, c = Value(2.0), Value(-3.0), Value(10.0)
    e = a * b
    d = e + c
    out = d * Value(-2.0)
    out.grad = 1.0
    out._backward()
    d._backward()
    e._backward()
    a._backward()  # a leaf has no operands
    assert (d.grad, e.grad, c.grad, a.grad, b.grad) == (-2.0, -2.0, -2.0, 6.0, -4.0)
    e._backward()
    assert a.grad == 12.0  # each call adds its contributions once


def tanh_by_hand(x: Value) -> Value:
    """Compute tanh as an operation written by hand, as in micrograd's lecture."""
    t = (math.exp(2 * x.data) - 1) / (math.exp(2 * x.data) + 1)
    out = Value(t, (x,), "tanh")

    def _backward() -> None:
        x.grad += (1 - t**2) * out.grad

    out._backward = _backward
    return out


def test_an_operation_written_by_hand_takes_part_in_all() -> None:
    x = Value(0.5, label="x")
    y = tanh_by_hand(x * 2) * 3
    y.label = "y"
    y.backward()
    wanted = 6 * (1 - math.tanh(1.0) ** 2)
    assert x.grad == pytest.approx(wanted)
    assert grad(y, x) == pytest.approx((wanted,))
    assert [step.contribution for step in y.stepper()][-1] == pytest.approx(wanted)
    assert y.explain(x).total == pytest.approx(wanted)
    assert "tanh" in y.draw().source
    assert (y.args[0]._op, y.args[0]._prev) == ("tanh", {y.args[0].args[0]})


def test_an_operation_by_hand_with_one_operand_twice_gets_it_all_once() -> None:
    x = Value(3.0)
    out = Value(9.0, (x, x), "*")

    def _backward() -> None:
        x.grad += x.data * out.grad
        x.grad += x.data * out.grad

    out._backward = _backward
    out.backward()
    assert x.grad == 6.0
    assert "·" in out.draw().source


def test_a_node_by_hand_without_backward_lets_nothing_flow() -> None:
    x = Value(3.0)
    out = Value(9.0, _children=(x,), _op="square")
    out.backward()
    assert x.grad == 0.0


def test_a_node_by_hand_cannot_be_recomputed_and_says_so() -> None:
    x = Value(0.5)
    y = tanh_by_hand(x) * 2
    x.data = 1.0
    with pytest.raises(NotImplementedError, match="does not say how it is computed"):
        y.recompute()
    assert y.data == 2 * math.tanh(0.5)


def test_a_node_by_hand_has_no_second_derivative_and_says_so() -> None:
    x = Value(0.5)
    with pytest.raises(TypeError, match="no second derivative"):
        grad(tanh_by_hand(x), x, create_graph=True)


def test_wrong_children_are_refused() -> None:
    with pytest.raises(TypeError, match="Values as children"):
        Value(1.0, (2.0,), "+")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="name of an operation is a string"):
        Value(1.0, (Value(2.0),), 3)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="a function without arguments"):
        (Value(1.0) * 2)._backward = 3  # type: ignore[assignment]


def test_trace_gives_nodes_and_edges() -> None:
    a, b = Value(2.0), Value(3.0)
    c = a * b
    d = c + a
    assert trace(d) == ({a, b, c, d}, {(a, c), (b, c), (c, d), (a, d)})


def test_draw_dot_draws() -> None:
    drawing = draw_dot(Value(2.0, label="a") * 3, format="png", rankdir="TB")
    assert drawing.format == "png"
    assert "rankdir=TB" in drawing.source
    assert drawing.pipe()[:4] == b"\x89PNG"


def test_children_may_come_from_a_generator() -> None:
    a, b = Value(2.0), Value(3.0)
    assert Value(5.0, (v for v in (a, b)), "+").args == (a, b)
