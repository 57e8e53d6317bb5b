"""Tests of `record_trace`: what it records of a function, and what it refuses."""

from __future__ import annotations

import copy
import math
import pickle
import queue
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import TraceError, Value, require

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
    unseen = ContextVar("unseen", default=0)  # its number cannot be read from its attributes

    def counted() -> int:
        unseen.set(unseen.get() + 1)
        return unseen.get()

    def noisy(x: Value) -> Value:
        noise = float(counted())
        return x + noise

    def branching(x: Value) -> Value:
        return x.exp() if counted() % 2 else x.sin()

    def growing(x: Value) -> Value:
        return autograd.sum([x] * (2 + counted()))

    with pytest.raises(TraceError, match=r"is \d+ for one row and \d+ for .*`return x \+ noise`"):
        autograd.compile(noisy)([1.0])
    with pytest.raises(TraceError, match=r"one row it computes \w+ and for another \w+ in .*exp"):
        autograd.compile(branching)([1.0])
    with pytest.raises(TraceError, match=r"for one row it computes"):
        autograd.compile(growing)([1.0])


def test_outputs_that_change_places_are_noticed() -> None:
    unseen = ContextVar("unseen", default=False)

    def changing(x: Value) -> list[Value]:
        y = x * W
        unseen.set(not unseen.get())
        return [y, x] if unseen.get() else [x, y]

    with pytest.raises(TraceError, match="or the same of others"):
        autograd.compile(changing)([1.0, 2.0])


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


def below_zero(x: float) -> ValueError:
    return ValueError(f"{x} is below zero")


def not_negative(x: Any) -> None:
    require(lambda x: x >= 0.0, x, error=below_zero)


def rooted(x: Value) -> Value:
    not_negative(x)
    return x.sqrt() * W


def test_a_check_holds_in_the_engine_and_in_compiled_code() -> None:
    assert rooted(Value(4.0)).data == 4.0
    with pytest.raises(ValueError, match=r"^-4.0 is below zero$"):
        rooted(Value(-4.0))
    compiled = autograd.compile(rooted)
    assert compiled.value_and_grad([4.0, 16.0])[0] == 6.0
    for run in (compiled, compiled.value_and_grad, autograd.compile(rooted)):
        with pytest.raises(ValueError, match=r"^in row 2: -4.0 is below zero$"):
            run([4.0, 0.0, -4.0, -5.0])
        with pytest.raises(ValueError, match=r"^in row 0: nan is below zero$"):
            run([math.nan, 1.0])
    with pytest.raises(ValueError, match=r"^in row 0: -1.0 is below zero$"):
        autograd.compile(rooted)([-1.0])


def test_a_check_of_parameters_intermediates_and_numbers() -> None:
    low, w = Value(0.5, "low"), Value(2.0, "w")

    def function(x: Value) -> Value:
        y = x.exp() * w
        require(
            lambda y, low, high: (low < y) & (y < high),
            *(y, low, 10.0),
            error=lambda y, low, high: LookupError(f"{y:g} is not in {low:g} to {high:g}"),
        )
        return y * y

    compiled = autograd.compile(function)
    value, gradient = compiled.value_and_grad([0.0])
    assert (value, gradient.tolist(), compiled.params) == (4.0, [4.0], [w])
    low.data = 3.0
    with pytest.raises(LookupError, match=r"in row 0: 2 is not in 3 to 10"):
        compiled([0.0])
    low.data, w.data = 0.0, 11.0
    with pytest.raises(LookupError, match=r"in row 1: 11 is not in 0 to 10"):
        compiled([-1.0, 0.0])


def test_the_first_row_that_fails_is_named_whatever_fails_in_it() -> None:
    def function(x: Value, y: Value) -> Value:
        z = x.log()
        require(np.isfinite, y, error=lambda y: KeyError(y))
        return z + y

    compiled = autograd.compile(function)
    assert compiled([1.0, math.e], [1.0, 0.0]) is not None
    with pytest.raises(ValueError, match=r"in row 1: log\(x\) is not defined"):
        compiled([1.0, -1.0, 1.0], [0.0, math.inf, math.inf])
    with pytest.raises(KeyError, match="in row 0: inf"):
        compiled([1.0, -1.0], [math.inf, 0.0])


def test_an_infinite_row_that_is_no_error_hides_no_later_one() -> None:
    compiled = autograd.compile(lambda x: [x.log()])
    assert compiled([math.inf, math.nan, 1.0]).ravel().tolist()[::2] == [math.inf, 0.0]
    with pytest.raises(ValueError, match="in row 2: log"):
        compiled([math.inf, math.nan, -1.0])


def test_a_check_without_arguments() -> None:
    w = Value(4.0)
    compiled = autograd.compile(lambda: rooted(w))
    assert compiled.value_and_grad()[0] == 4.0
    w.data = -4.0
    with pytest.raises(ValueError, match="-4.0 is below zero"):
        compiled()


def test_a_check_that_allows_one_number_is_compiled_from_one_row() -> None:
    def function(y: Value) -> Value:
        require(lambda y: (y == 1.0) | (y == -1.0), y, error=ValueError)
        return y * 2.0

    compiled = autograd.compile(function)
    assert compiled([-1.0]).tolist() == [-2.0]
    with pytest.raises(ValueError, match="in row 1: 0.5"):
        compiled([1.0, 0.5])


@pytest.mark.parametrize(
    "test",
    [
        lambda x: 0.0 <= x <= 9.0,
        lambda x: x >= 0.0 and x < 9.0,
        lambda x: math.isfinite(x),
        lambda x: True,
    ],
)
def test_a_check_must_answer_arrays(test: Any) -> None:
    def function(x: Value) -> Value:
        require(test, x, error=ValueError)
        return x * 2.0

    assert function(Value(1.0)).data == 2.0
    with pytest.raises(TraceError, match=r"not for an array .*in test_trace.py.* write \(p >= 0"):
        autograd.compile(function)([1.0])


def test_a_check_of_numbers_together_takes_one_array() -> None:
    def test(x: np.ndarray) -> Any:
        assert isinstance(x, np.ndarray), "not one argument for each number"
        return x.sum(axis=0) == 1.0

    def function(x: list[Value]) -> Value:
        require(test, *x, 0.5, error=lambda *x: ValueError(f"{x} add up to more"), together=True)
        return x[0] * x[1]

    assert function([Value(0.25), Value(0.25)]).data == 0.0625
    compiled = autograd.compile(function)
    assert compiled([[0.25, 0.25]] * 3).tolist() == [0.0625] * 3
    with pytest.raises(ValueError, match=r"in row 1: \(0.5, 0.5, 0.5\) add up to more"):
        compiled([[0.25, 0.25], [0.5, 0.5]])


def test_a_check_of_numbers_together_must_answer_for_each_row() -> None:
    def function(x: list[Value]) -> Value:
        require(lambda x: x.sum() < 9.0, *x, error=ValueError, together=True)
        return x[0]

    with pytest.raises(TraceError, match="not for an array of them"):
        autograd.compile(function)([[1.0, 2.0]])


def test_a_check_reads_no_value_that_it_is_not_given() -> None:
    def function(x: Value) -> Value:
        y = x * 2.0
        require(lambda x: x > y.data, x, error=ValueError)
        return y

    with pytest.raises(TraceError, match="`.data` of a Value is read"):
        autograd.compile(function)([-1.0])


def test_a_check_of_what_is_no_number_is_refused() -> None:
    with pytest.raises(TypeError, match="require expected one real number, got str 'a'"):
        require(lambda x: x, "a", error=ValueError)
    with pytest.raises(TypeError, match="test of require is a function of numbers, got True"):
        require(True, 1.0, error=ValueError)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="error of require is a function of numbers, got 'no'"):
        require(lambda x: x, 1.0, error="no")  # type: ignore[arg-type]


def test_no_advice_names_what_bakes_a_number_in() -> None:
    assert not hasattr(autograd, "peek")
    with pytest.raises(TraceError) as raised:
        autograd.compile(looks)([1.0])
    for name in ("stop_gradient", "softmax", "require", "has_aux=True"):
        assert name in str(raised.value)


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
    assert autograd.compile(trace_of)(matrices, [1.0, 10.0]).tolist() == [12.0, 390.0]
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
    assert compiled([1.0, 2.0]).tolist() == [1.0, 2.0]


def _matched(y: Any) -> int:
    match y:
        case 0:
            return 1
        case _:
            return 2


REFUSED: dict[str, Callable[[Any], Any]] = {
    "if": lambda y: 1.0 if y else 2.0,
    "not": lambda y: 1.0 if not y else 2.0,
    "and": lambda y: y and 3.0,
    "or": lambda y: y or 3.0,
    "any": lambda y: any([y]),
    "all": lambda y: all([y]),
    "bool": bool,
    "==": lambda y: 1.0 if y == 1 else 2.0,
    "!=": lambda y: 1.0 if y != 0 else 2.0,
    "itself": lambda y: 1.0 if y != y else 2.0,  # a test for NaN
    "a Value": lambda y: 1.0 if y == W else 2.0,
    "<": lambda y: 1.0 if y < 1 else 2.0,
    "in a tuple": lambda y: 1.0 if y in (0, 2) else 2.0,
    "in a set": lambda y: 1.0 if y in {0.0} else 2.0,
    "a key": lambda y: {0.0: 1.0}.get(y, 2.0),
    "hash": lambda y: float(hash(y) % 7),
    "match": _matched,
    "index": lambda y: [0.0, 1.0].index(y),
    "count": lambda y: [0.0, 1.0].count(y),
    "filter": lambda y: len(list(filter(None, [y]))),
    "sorted": lambda y: sorted([y, 0.5])[0],
    "max": lambda y: max(y, 0.5),
    "format": lambda y: float(f"{y:.0f}"),
    "f-string": lambda y: 1.0 if "0.0" in f"{y}" else 2.0,
    "join": lambda y: 1.0 if "0.0" in " ".join(map(str, [y])) else 2.0,
    "str": lambda y: 1.0 if "0.0" in str(y) else 2.0,
    "repr": lambda y: 1.0 if "0.0" in repr(y) else 2.0,
    "float": float,
    "int": int,
    "item": lambda y: y.item(),
    "data": lambda y: y.data,
    "grad": lambda y: 1.0 + y.grad,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda y: pickle.loads(pickle.dumps(y)),
    "np.where": lambda y: float(np.where(y == 1, 1.0, 2.0)),
    "np array": lambda y: float((np.array([y]) > 0).sum()),
    "argmax": lambda y: float(np.argmax([y, 0.5])),
    "nonzero": lambda y: float(np.count_nonzero(np.array([y]))),
    "backward": lambda y: (y * y).backward() or 1.0,
    "a number of grad": lambda y: autograd.grad(W * W, W)[0],
    "explain": lambda y: float(str((W * W).explain(W))[-1]),
    "stepper": lambda y: (W * W).stepper() and 1.0,
    "recompute": lambda y: (W * W).recompute(),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_what_looks_at_a_number_is_refused(name: str, value: float) -> None:
    look = REFUSED[name]
    with pytest.raises((TraceError, TypeError)):
        autograd.compile(lambda x, y: W * x * look(y))([1.0, 2.0], [value, 1.0 - value])
    with pytest.raises((TraceError, TypeError)):
        autograd.compile(lambda x, y: W * x * look(y))([1.0], [value])


@pytest.mark.parametrize(
    "name", ["if", "==", "format", "repr", "float", "data", "grad", "deepcopy"]
)
def test_what_looks_at_a_parameter_is_refused(name: str) -> None:
    look = REFUSED[name]
    with pytest.raises(TraceError, match="must be the same for all numbers"):
        autograd.compile(lambda x: W * x * look(W))([1.0])


def test_a_gradient_that_is_a_graph_is_no_look() -> None:
    w = Value(3.0)
    slope = autograd.compile(lambda x: autograd.grad(w * x * x, x, create_graph=True)[0])
    assert slope.value_and_grad([1.0, 2.0])[0] == 9.0


def test_values_look_as_ever_in_another_thread_meanwhile() -> None:
    seen: queue.SimpleQueue[str] = queue.SimpleQueue()

    def traced(x: Value) -> Value:
        other = threading.Thread(target=lambda: seen.put(f"{Value(2.0) == Value(2.0)} {W}"))
        other.start()
        other.join()
        return W * x

    autograd.compile(traced)([1.0])
    assert seen.get().startswith("False Value(data=")


def test_the_line_that_is_named_is_the_users() -> None:
    with pytest.raises(TraceError, match=r"in test_trace\.py, line \d+: `.*np\.argmax"):
        autograd.compile(lambda x: x * float(np.argmax([x, 0.5])))([1.0])


def test_a_compiled_function_inside_another_is_refused() -> None:
    inner = autograd.compile(lambda x: W * x)
    with pytest.raises(TraceError, match="a compiled function is called .* as .function of"):
        autograd.compile(lambda x: x * inner([1.0])[0])([1.0])
    assert autograd.compile(lambda x: x * inner.function(x))([3.0]).tolist() == [18.0]


def caught(x: Value) -> Value:
    try:
        return x.log()
    except ValueError:
        return x * 2.0


def caught_check(x: Value) -> Value:
    try:
        require(lambda x: x > 0.0, x, error=ValueError)
    except ValueError:
        return x * 2.0
    return x * 3.0


def caught_refusal(x: Value) -> Value:
    try:
        positive = x > 0.0
    except TypeError:
        positive = False
    return x * 2.0 if positive else x * 3.0


@pytest.mark.parametrize("function", [caught, caught_check, caught_refusal])
@pytest.mark.parametrize("rows", [[-1.0, -2.0, 3.0], [1.0, 2.0, -3.0], [1.0, -1.0]])
def test_an_error_that_the_function_catches_is_refused(function: Any, rows: list[float]) -> None:
    """Refuse, because another row may raise no error and take another branch."""
    with pytest.raises(TraceError, match=r"catches an error, which not every row|are compared"):
        autograd.compile(function)(rows)
