"""Nodes made by hand: with local derivatives, or with a `_backward`."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from autograd import Value


class Token:
    """An object whose end can be watched."""


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Turn the garbage collector off."""
    gc.disable()
    yield
    gc.enable()


def product(a: Any, b: Any, token: object = None) -> Any:
    """Multiply as a program for micrograd does."""
    out: Any = Value(a.data * b.data, (a, b), "*")

    def _backward() -> None:
        assert token is None or token
        a.grad += b.data * out.grad
        b.grad += a.data * out.grad

    out._backward = _backward
    assert out.data == a.data * b.data  # the program may go on using its variable
    return out


def test_a_node_with_a_backward_is_freed_without_the_collector(uncollected: None) -> None:
    token = Token()
    alive = weakref.ref(token)
    x, y = Value(3.0), Value(2.0)
    out = product(x, y, token)
    out.backward()
    assert (x.grad, y.grad) == (2.0, 3.0)
    del out, token
    assert alive() is None


def test_a_backward_is_kept_as_it_was_given() -> None:
    x, y = Value(3.0), Value(2.0)
    out: Any = product(x, y)
    again: Any = product(out, y)
    again.backward()
    assert (x.grad, y.grad, out.grad) == (4.0, 12.0, 2.0)
    out._backward()  # adds the contribution of this node once more
    assert (x.grad, y.grad) == (8.0, 18.0)
    assert out.op.name == "*" and out.args == (x, y)


def test_a_backward_with_defaults_and_one_without_variables_run() -> None:
    x = Value(3.0)
    out: Any = Value(9.0, (x,), "square")

    def _backward(factor: float = 2.0, *, node: Any = out) -> None:
        x.grad += factor * x.data * node.grad

    out._backward = _backward
    out.backward()
    assert x.grad == 6.0
    silent: Any = Value(9.0, (x,), "square")
    silent._backward = print
    silent.backward()
    assert x.grad == 6.0


def test_a_variable_that_is_still_empty_is_no_error() -> None:
    x = Value(3.0)
    out: Any = Value(9.0, (x,), "square")

    def _backward() -> None:
        x.grad += 6.0 * out.grad if out else later

    out._backward = _backward
    later = 1.0
    out.backward()
    assert x.grad == 6.0


@pytest.mark.parametrize("count", [1, 2, 3, 20])
def test_any_number_of_operands(count: int) -> None:
    leaves: list[Any] = [Value(float(i)) for i in range(count)]
    given = Value(1.0, tuple(leaves), tuple(float(i) for i in range(count)))
    called: Any = Value(1.0, tuple(leaves), "f")

    def _backward() -> None:
        for i, leaf in enumerate(leaves):
            leaf.grad += i * called.grad

    called._backward = _backward
    (given + 2.0 * called).backward()
    assert [leaf.grad for leaf in leaves] == [3.0 * i for i in range(count)]


def test_an_operand_that_is_used_twice_gets_the_sum() -> None:
    x = Value(3.0)
    out = product(x, x)
    out.backward()
    assert x.grad == 6.0
    assert out._local_grads == (6.0, 0.0)


def raising(x: Any) -> None:
    raise KeyError("their mistake")


def returning_text(x: Any) -> None:
    x.grad = "text"


@pytest.mark.parametrize(("wrong", "error"), [(raising, KeyError), (returning_text, ValueError)])
def test_a_wrong_backward_leaves_the_gradients_as_they_were(
    wrong: Callable[[Any], None], error: type[Exception]
) -> None:
    x = Value(3.0)
    x.grad = 0.25
    out: Any = Value(9.0, (x,), "square")
    out._backward = lambda: wrong(x)
    total = out * 2.0
    with pytest.raises(error):
        total.backward()
    assert x.grad == 0.25 and total.grad == 0.0


@pytest.mark.parametrize("slopes", [(1, 2), (1.0, 2), [1.0, 2.0]])
def test_local_derivatives_may_be_whole_numbers(slopes: Any) -> None:
    x, y = Value(1.0), Value(1.0)
    Value(3.0, (x, y), slopes, "z").backward()
    assert (x.grad, y.grad) == (1.0, 2.0)


def test_a_node_by_hand_is_named_by_the_function_that_makes_it() -> None:
    def halved(x: Value) -> Value:
        return Value(x.data / 2, (x,), (0.5,))

    x = Value(3.0, label="x")
    assert halved(x).op.name == "halved"
    assert (lambda: Value(1.0, (x,), (0.5,)))().op.name == "?"
    assert Value(1.0, children=(x,), local_grads=(0.5,), label="h").label == "h"
    assert Value(1.0, _children=(x,), _op="half").op.name == "half"
