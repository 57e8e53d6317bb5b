"""Tests of `Compiled.descend`: the steps of `value_and_grad` in turn, checked at the end."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value, compile, detect_anomaly, drawn, require
from autograd.compiler import version
from autograd.compiler.compiled import Compiled

X = np.random.default_rng(0).normal(size=(11, 2))
Y = X[:, 0] - 2.0 * X[:, 1] + 0.5


class Problem:
    """A compiled cost with its parameters, made anew for each run."""

    def __init__(self, has_aux: bool = False, **options: Any) -> None:
        self.params = [Value(x, label=name) for x, name in ((0.3, "w0"), (-0.2, "w1"), (0.1, "b"))]
        w0, w1, b = self.params

        def cost(x: Any, y: Any) -> Any:
            out = w0 * x[0] + w1 * x[1] + b
            return [(out - y) ** 2, out, b * 2.0] if has_aux else (out - y) ** 2

        self.code = compile(cost, params=self.params, has_aux=has_aux, **options)

    def move(self, gradient: np.ndarray) -> None:
        for p, g in zip(self.params, gradient.tolist()):
            p.data -= 0.1 * g

    @property
    def numbers(self) -> list[float]:
        return [p.data for p in self.params]


def one_by_one(problem: Problem, size: int) -> tuple[list[Any], list[Any]]:
    """Return the values and the gradients of calls of `value_and_grad`, with a step after each."""
    values, gradients = [], []
    for i in range(0, len(X), size):
        value, gradient = problem.code.value_and_grad(X[i : i + size], Y[i : i + size])
        values.append(value)
        gradients.append(gradient)
        problem.move(gradient)
    return values, gradients


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("has_aux", [False, True])
@pytest.mark.parametrize("size", [1, 4, 11, 50])
def test_it_is_value_and_grad_in_turn(size: int, has_aux: bool, dtype: str) -> None:
    wanted, found = (Problem(has_aux, dtype=dtype) for _ in range(2))
    values, gradients = one_by_one(wanted, size)
    got = found.code.descend(X, Y, size=size, step=found.move)
    assert got[0].tolist() == (np.concatenate(values) if has_aux else np.array(values)).tolist()
    assert got[1].tolist() == np.array(gradients).tolist()
    assert got[1].dtype == dtype
    assert found.numbers == wanted.numbers != Problem().numbers


def test_batches_of_many_rows_run_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version, "_choose_block", lambda *_: 3)
    wanted, found = Problem(), Problem()
    values, gradients = one_by_one(wanted, 7)
    got = found.code.descend(X, Y, size=7, step=found.move)
    assert got[0].tolist() == values
    assert got[1].tolist() == np.array(gradients).tolist()


def test_what_the_code_reads_may_have_changed_since_the_last_call() -> None:
    w, scale = Value(1.0, label="w"), [1.0]
    code = compile(lambda x: w * x * scale[0], params=[w])
    for scale[0] in (2.0, 3.0):
        assert code.descend([1.0], size=1, step=lambda _: None)[0].tolist() == scale


def test_arguments_may_be_static_or_missing() -> None:
    w = Value(2.0, label="w")
    power = compile(lambda x, n: w * x**n, params=[w], static="n")
    values, gradients = power.descend([1.0, 3.0], n=2, size=1, step=lambda _: None)
    assert (values.tolist(), gradients.tolist()) == ([2.0, 18.0], [[1.0], [9.0]])
    alone = compile(lambda: w * w, params=[w])
    values, gradients = alone.descend(size=1, step=lambda _: None)
    assert (values.tolist(), gradients.tolist()) == ([4.0], [[4.0]])


def test_an_output_that_no_row_changes_has_the_mean_of_value_and_grad() -> None:
    w = Value(0.1, label="w")
    code = compile(lambda x: w * w * w, params=[w])
    rows = [0.0] * 19
    values, _ = code.descend(rows, size=8, step=lambda _: None)
    assert values.tolist() == [code.value_and_grad(rows)[0]] * 3


def test_a_step_that_changes_what_the_function_reads_is_refused() -> None:
    w, scale = Value(1.0, label="w"), [1.0]
    code = compile(lambda x: w * x * scale[0], params=[w])

    def step(gradient: np.ndarray) -> None:
        scale[0] += 1.0

    with pytest.raises(ValueError, match="a step changed something that the function reads"):
        code.descend([1.0, 1.0], size=1, step=step)


def root() -> Compiled:
    """Compile a function whose derivative is infinite at 0, and that refuses 5."""
    w = Value(1.0, label="w")

    def function(x: Any) -> Value:
        require(lambda x: x != 5.0, x, error=lambda x: ValueError(f"{x:g} is no five"))
        return (w * x).sqrt()

    return compile(function, params=[w])


@pytest.mark.parametrize("bad", [0.0, -1.0, 5.0, math.inf, math.nan])
def test_what_is_not_finite_or_not_defined_is_said_after_the_last_batch(bad: float) -> None:
    steps: list[float] = []
    code = root()
    code([1.0, 4.0])  # the rows that are traced raise errors of their own
    with pytest.raises(ArithmeticError, match="restore the parameters, and call value_and_grad"):
        code.descend([1.0, bad, 4.0], size=1, step=lambda gradient: steps.extend(gradient))
    assert len(steps) == 3


def test_a_function_that_draws_is_refused_before_any_step() -> None:
    w = Value(1.0, label="w")
    code = compile(lambda x: w * x * drawn(lambda: 0.5), params=[w])
    with pytest.raises(ValueError, match="draws random numbers, which cannot be drawn again"):
        code.descend([1.0], size=1, step=lambda _: pytest.fail("a step was made"))


@pytest.mark.parametrize(
    "size, step, message",
    [
        (0, print, "size, the rows of a batch, is a whole number of at least 1"),
        (2.5, print, "size, the rows of a batch, is a whole number of at least 1"),
        (1, 0.1, "step is a function of a gradient"),
    ],
)
def test_settings_are_checked(size: Any, step: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        Problem().code.descend(X, Y, size=size, step=step)


def test_several_outputs_have_no_gradient_without_aux() -> None:
    w = Value(1.0)
    code = compile(lambda x: [w * x, w], params=[w])
    with pytest.raises(ValueError, match="a gradient is that of one Value"):
        code.descend([1.0], size=1, step=print)


def test_an_error_of_the_step_is_passed_on() -> None:
    def fail(gradient: np.ndarray) -> None:
        raise LookupError("no step today")

    with pytest.raises(LookupError, match="no step today"):
        Problem().code.descend(X, Y, size=4, step=fail)


@pytest.mark.parametrize("call", ["value_and_grad", "descend"])
def test_detect_anomaly_watches_each_batch(call: str) -> None:
    code = root()
    run: Callable[..., Any] = (
        code.value_and_grad
        if call == "value_and_grad"
        else lambda x: code.descend(x, size=2, step=lambda _: None)
    )
    run([1.0, 2.0, 3.0])
    with detect_anomaly(), pytest.raises(ValueError, match=r"row 2: "):
        run([1.0, 2.0, -1.0])


def test_a_network_learns_by_it() -> None:
    model = nn.MLP(2, [4, 1], seed=0)
    code = compile(lambda x, y: (model(x) - y) ** 2, params=model.parameters())
    optimizer = nn.SGD(model.parameters(), lr=0.1)
    costs = [code.descend(X, Y, size=5, step=optimizer.step)[0].mean() for _ in range(50)]
    assert costs[-1] < 0.02 < costs[0]
