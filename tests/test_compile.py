"""Compiled functions give the numbers of the engine, over rows at once, as code one can read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_graphs import CALM, GUARDED, PIECEWISE, Program, programs

import autograd
import nn
from autograd import TABLE, TraceError, Value
from autograd.compile import program as passes
from autograd.compile.trace import trace


@st.composite
def problems(draw: st.DrawFn) -> tuple[Program, int, np.ndarray]:
    """A program, how many of its leaves are inputs, and rows of them."""
    program = draw(programs((*CALM, *GUARDED, *PIECEWISE), most=20))
    inputs = draw(st.integers(0, len(program.leaves)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return program, inputs, rng.uniform(-2.0, 2.0, size=(draw(st.integers(1, 4)), inputs))


def function_of(program: Program, params: list[Value]) -> Callable[..., Value]:
    def function(*x: Any) -> Value:
        return program.run([*(x[0] if x else []), *params], dict(TABLE))[-1]

    return function


def by_the_engine(
    function: Callable[..., Any], params: list[Value], rows: list[list[Any]]
) -> tuple[float, list[float]]:
    """The mean value over the rows and its gradient."""
    for p in params:
        p.zero_grad()
    values = []
    for row in rows:
        out = function(*row)
        if out.op is not TABLE["constant"]:
            out.backward(1.0 / len(rows))
        values.append(out.data)
    return float(np.mean(values)), [p.grad for p in params]


@settings(max_examples=300, deadline=None)
@given(problems())
def test_random_graphs_have_the_engines_value_and_gradient(
    problem: tuple[Program, int, np.ndarray],
) -> None:
    program, inputs, X = problem
    params = [Value(x, f"p{i}") for i, x in enumerate(program.leaves[inputs:])]
    function = function_of(program, params)
    arguments = [X] if inputs else []
    rows: list[list[Any]] = [[[Value(x) for x in row]] for row in X.tolist()] if inputs else [[]]
    wanted, slopes = by_the_engine(function, params, rows)
    compiled = autograd.compile(function, params=params)
    value, gradient = compiled.value_and_grad(*arguments)
    assert value == pytest.approx(wanted, rel=1e-10, abs=1e-12)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-9, atol=1e-10)
    assert compiled(*arguments) == pytest.approx(value, rel=1e-12, abs=1e-14)


PASSES = [passes.shared, passes.folded, passes.gathered]


@settings(max_examples=60, deadline=None)
@given(problems(), st.sets(st.integers(0, 2)))
def test_each_pass_leaves_the_value_as_it_is(
    problem: tuple[Program, int, np.ndarray], chosen: set[int]
) -> None:
    program, inputs, X = problem
    params = [Value(x) for x in program.leaves[inputs:]]
    traced = trace(function_of(program, params), [X[0]] if inputs else [])
    before = passes.recorded(traced, params)
    after = before
    for i in sorted(chosen):
        after = PASSES[i](after)
    leaves = [*X[0].tolist(), *(p.data for p in params)]
    wanted, got = (interpreted(p, leaves, inputs) for p in (before, after))
    assert got == pytest.approx(wanted, rel=1e-12, abs=1e-14)
    for i, node in enumerate(after.nodes):
        assert all(arg < i for arg in node.args), "each after its operands"


def interpreted(program: passes.Program, leaves: list[float], inputs: int) -> list[float]:
    """What a program computes, one scalar after the other."""
    found: list[float] = []
    for node in program.nodes:
        operands = [found[arg] for arg in node.args]
        half = len(operands) // 2
        if node.op is passes.INPUT:
            found.append(leaves[node.place])
        elif node.op is passes.PARAM:
            found.append(leaves[inputs + node.place])
        elif node.op is TABLE["constant"]:
            found.append(program.constants[node.place])
        elif node.op is passes.SUM:
            found.append(sum(operands))
        elif node.op is passes.MAX:
            found.append(max(operands))
        elif node.op is passes.DOT:
            pairs = zip(operands[:half], operands[half : 2 * half])
            found.append(sum(a * b for a, b in pairs) + sum(operands[2 * half :]))
        else:
            found.append(node.op.value(*operands))
    return [found[i] for i in program.outputs]


# ---------------------------------------------------------------------- networks

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(7, 3)), nn.one_hot(RNG.integers(0, 2, 7), 2)


@pytest.mark.parametrize("activation", [name for name in nn.ACTIVATIONS if name != "step"])
def test_a_network_has_the_engines_cost_and_gradient(activation: str) -> None:
    model = nn.MLP(3, [4, 4, 2], activation, seed=1)

    def cost(x: Any, y: Any) -> Value:
        return nn.cross_entropy(model(x), y)

    rows = [[x, [Value(v) for v in y]] for x, y in zip(X.tolist(), Y.tolist())]
    wanted, slopes = by_the_engine(cost, model.parameters(), rows)
    compiled = autograd.compile(cost, params=model.parameters())
    value, gradient = compiled.value_and_grad(X, Y)
    assert value == pytest.approx(wanted, rel=1e-12)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-9, atol=1e-14)


def test_the_source_is_the_matrix_code_one_would_write() -> None:
    model = nn.MLP(3, [4, 2], seed=0)
    compiled = autograd.compile(model, params=model.parameters())
    compiled(X)
    lines = [line.strip() for line in compiled.source.splitlines()]
    assert lines == [
        "def compiled(x, theta):",
        "rows = x.shape[1]",
        "z0 = theta[0:16].reshape(4, 4)[:, :3] @ x + theta[3:16:4][:, None]",
        "a0 = np.maximum(z0, 0.0)",
        "z1 = theta[16:26].reshape(2, 5)[:, :4] @ a0 + theta[20:26:5][:, None]",
        "return z1",
    ]
    assert "36 scalar operations" not in compiled.explain()
    assert "z0, 4 numbers a row" in compiled.explain()


def test_any_outputs_come_by_rows() -> None:
    model = nn.MLP(3, [4, 2], "tanh", seed=0)
    np.testing.assert_allclose(autograd.compile(model)(X), model.predict(X), rtol=1e-12)
    same = autograd.compile(lambda x: [x[0], 2.0 * x[0], 1.0])
    assert same([[3.0], [4.0]]).tolist() == [[3.0, 6.0, 1.0], [4.0, 8.0, 1.0]]


def test_a_cost_over_the_whole_data_set_is_batched() -> None:
    model = nn.MLP(3, [4, 1], "tanh", seed=0)
    targets = [1.0 if y[0] else -1.0 for y in Y]

    def cost() -> Value:
        scores = [model(row) for row in X.tolist()]
        hinges = [(1 - y * s).relu() for y, s in zip(targets, scores)]
        total = sum(hinges) * (1.0 / len(hinges))
        return total + 1e-4 * sum(p * p for p in model.parameters())

    wanted, slopes = by_the_engine(cost, model.parameters(), [[]])
    compiled = autograd.compile(cost, params=model.parameters())
    value, gradient = compiled.value_and_grad()
    assert value == pytest.approx(wanted, rel=1e-12)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-10, atol=1e-14)
    assert len(compiled.source.splitlines()) < 40, "seven copies are one matrix product"


def test_parameters_are_the_values_themselves() -> None:
    w = Value(2.0, label="w")
    compiled = autograd.compile(lambda x: w * x)
    assert compiled([3.0]) == 6.0
    w.data = 5.0
    assert compiled([3.0]) == 15.0
    assert compiled.params == [w]


def test_parameters_that_are_not_given_are_read_and_get_no_gradient() -> None:
    w, frozen = Value(2.0), Value(3.0)
    compiled = autograd.compile(lambda x: w * frozen * x, params=[w])
    assert compiled.value_and_grad([1.0, 3.0])[1].tolist() == [6.0]
    frozen.data = 10.0
    assert compiled([1.0]) == 20.0


def test_what_else_is_wanted_comes_with_the_cost() -> None:
    w = Value(2.0)
    compiled = autograd.compile(lambda x: [(w * x) ** 2, w * x], has_aux=True)
    outputs, gradient = compiled.value_and_grad([1.0, 3.0])
    assert outputs.tolist() == [[4.0, 2.0], [36.0, 6.0]]
    assert gradient.tolist() == [2.0 * 2.0 * (1.0 + 9.0) / 2.0]


def test_other_shapes_are_traced_anew() -> None:
    calls = []

    def total(x: Any) -> Value:
        calls.append(len(x))
        return autograd.sum(x)

    compiled = autograd.compile(total)
    assert [compiled([[1.0, 2.0]]), compiled([[1.0, 2.0, 3.0]]), compiled([[1.0, 3.0]])] == [
        3,
        6,
        4,
    ]
    assert calls == [2, 2, 3, 3], "twice for each shape, and never again"


def test_an_operation_of_ones_own_compiles() -> None:
    swish = autograd.op(
        "swish",
        value=lambda a: a * autograd.sigmoid(a),
        partials=lambda out, a: (autograd.sigmoid(a) * (1 + a * autograd.sigmoid(-a)),),
    )
    w = Value(0.5)

    def function(x: Any) -> Value:
        return swish(w * x)

    wanted, slopes = by_the_engine(function, [w], [[1.0], [-2.0]])
    value, gradient = autograd.compile(function).value_and_grad([1.0, -2.0])
    assert value == pytest.approx(wanted)
    assert gradient == pytest.approx(slopes)


def test_it_decorates() -> None:
    w = Value(2.0)

    @autograd.compile(params=[w])
    def doubled(x: Value) -> Value:
        """Twice as much."""
        return w * x

    assert doubled([4.0]) == 8.0
    assert doubled.__doc__ == "Twice as much."


# ---------------------------------------------------------------------- what cannot be compiled


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: x if x > 0 else -x, "a comparison of Values steers the program here"),
        (lambda x: x * x.data, r"a plain number in it is .* read from a Value by .data"),
        (lambda x: 3.0, "returned no Value"),
        (lambda x: [1.0, 2.0], "returned no Value"),
        (lambda x: x.exp() if round(x.data) else x.log(), "on one row it computes"),
        (lambda x: x * x if x.data > 1.5 else x, "on one row it computes"),
    ],
)
def test_what_depends_on_values_is_refused(function: Any, message: str) -> None:
    with pytest.raises(TraceError, match=message):
        autograd.compile(function)([2.0, 0.25])


def test_comparing_is_allowed_again_afterwards() -> None:
    with pytest.raises(TraceError):
        autograd.compile(lambda x: x if x > 0 else -x)([1.0])
    assert Value(1.0) > 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "argument 0 has no rows"),
        ((1.0,), "argument 0 is one number"),
        (([[1.0], [2.0, 3.0]],), "rows of argument 0 differ in length"),
        ((["a"],), "argument 0 is made of <U1 data"),
        (([1.0], [1.0, 2.0]), "different numbers of rows: 1, 2"),
        ((np.zeros((2, 2, 2)),), r"shape \(2, 2, 2\): expected \(n,\) or \(n, k\)"),
    ],
)
def test_bad_arguments_are_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        autograd.compile(lambda *x: autograd.sum(v for v in x))(*arguments)


def test_a_row_that_cannot_be_computed_is_named() -> None:
    compiled = autograd.compile(lambda x: x.log())
    with pytest.raises(ValueError, match=r"in row 2: log\(x\) is not defined"):
        compiled([1.0, 2.0, -1.0])


def test_a_gradient_is_that_of_one_value() -> None:
    with pytest.raises(ValueError, match="the function returns 2"):
        autograd.compile(lambda x: [x, x]).value_and_grad([1.0])
    with pytest.raises(TypeError, match="compile takes a function of Values, got 3"):
        autograd.compile(3)
    with pytest.raises(ValueError, match="nothing is compiled yet"):
        _ = autograd.compile(lambda x: x).source
