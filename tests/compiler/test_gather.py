"""Tests of `take` in compiled code: equal to the engine, one look-up, the engine's errors."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import Value, take
from autograd.compiler.compiled import Compiled
from autograd.compiler.stages import Options

Table = list[list[Value]]


def table(rows: int, columns: int, name: str = "W") -> Table:
    rng = random.Random(f"{name} {rows} {columns}")
    return [
        [Value(rng.uniform(-1, 1), f"{name}[{i},{j}]") for j in range(columns)] for i in range(rows)
    ]


def agree(
    function: Callable[..., Any],
    arguments: list[Any],
    params: list[Value] | None = None,
    dtype: Any = float,
) -> Compiled:
    """Compare the outputs and the gradient of a compiled function with the engine's."""
    options = Options(dtype=np.dtype(dtype), debug=True, allow_unused=True)
    compiled = Compiled(function, params, options)
    relative = 1e-12 if dtype is float else 1e-5
    value, gradient = compiled.value_and_grad(*arguments)
    rows = list(zip(*(np.asarray(a, dtype=float).tolist() for a in arguments)))
    for p in compiled.params:
        p.grad = 0.0
    wanted = []
    for row in rows:
        out = function(*map(as_values, row))
        out.backward(1.0 / len(rows))
        wanted.append(out.data)
    assert value == pytest.approx(np.mean(wanted), rel=relative)
    np.testing.assert_allclose(compiled(*arguments), wanted, rtol=relative, atol=relative)
    slopes = [p.grad for p in compiled.params]
    np.testing.assert_allclose(gradient, slopes, rtol=relative, atol=relative)
    return compiled


def as_values(x: Any) -> Any:
    return [as_values(v) for v in x] if isinstance(x, list) else Value(x)


def bigrams(size: int = 5, width: int = 3) -> tuple[Callable[..., Value], list[Value]]:
    """Return the cost of a small language model, and its parameters."""
    w, v = table(size, width), table(size, width, "V")

    def cost(tokens: list[Value], targets: list[Value]) -> Value:
        costs = []
        for token, target in zip(tokens, targets):
            x = take(w, token)
            logits = [autograd.sum([a * b for a, b in zip(row, x)]) for row in v]
            costs.append(autograd.logsumexp(logits) - take(logits, target))
        return autograd.mean(costs)

    return cost, [p for row in w + v for p in row]


TOKENS = np.array([[0, 1, 4], [2, 2, 3], [4, 0, 4], [1, 1, 1]])
TARGETS = np.array([[1, 1, 0], [0, 2, 3], [3, 3, 3], [4, 0, 2]])


@pytest.mark.parametrize("dtype", [float, np.float32])
@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("count", [1, 3])
def test_a_language_model_agrees_with_the_engine(dtype: Any, given: bool, count: int) -> None:
    cost, params = bigrams()
    for rows in (1, 4):
        arguments = [TOKENS[:rows, :count], TARGETS[:rows, :count]]
        agree(cost, arguments, params if given else None, dtype)


def test_rows_are_looked_up_by_one_gather_and_their_gradient_is_added_in_one_call() -> None:
    cost, params = bigrams()
    compiled = agree(cost, [TOKENS, TARGETS], params)
    compiled.value_and_grad(TOKENS, TARGETS)
    source = compiled.source
    assert source.count("W.take(") == 1 and source.count("add_rows(") == 1
    assert source.count("choose(") == 1 and source.count("spread(") == 1
    assert "np.where(tokens" not in source
    assert "looked up in a table of 5 rows" in compiled.explain()
    assert "looked up in lists of 5" in compiled.explain()


def test_whole_numbers_come_as_lists_and_as_arrays_of_any_dtype() -> None:
    w = table(5, 3)
    compiled = autograd.compile(lambda token: take(w, token))
    wanted = [[v.data for v in w[i]] for i in (3, 0)]
    for tokens in (
        [3, 0],
        (3, 0),
        np.array([3, 0]),
        np.array([3, 0], np.uint8),
        np.array([3.0, 0]),
    ):
        assert compiled(tokens).tolist() == wanted


CASES: dict[str, Callable[[Table, Table, list[Value], list[Value]], Value]] = {
    "two tables at the same indices": lambda w, v, i, x: autograd.sum(
        [a * b for k in i for a, b in zip(take(w, k), take(v, k))]
    ),
    "one column": lambda w, v, i, x: take([row[0] for row in w], i[0]) * x[0],
    "one column at two places": lambda w, v, i, x: (
        take([row[1] for row in w], i[0]) * take([row[1] for row in w], i[1])
    ),
    "columns at different indices": lambda w, v, i, x: (
        take([row[0] for row in w], i[0]) * take([row[1] for row in w], i[1]) + take(w, i[0])[2]
    ),
    "inputs": lambda w, v, i, x: take(x, i[0]) * w[0][0] + take(x, i[1]) ** 2 * w[1][1],
    "inputs and parameters": lambda w, v, i, x: take([x[0], w[0][0], x[1], 3.0, w[1][0]], i[0]),
    "constants": lambda w, v, i, x: take([1.0, 2.0, 3.0, 5.0, 8.0], i[0]) * w[0][0],
    "a constant index": lambda w, v, i, x: take(w, 2)[1] * take(x, 1) + take(w, i[0])[1],
    "what is computed of parameters": lambda w, v, i, x: take(
        [autograd.sum([a * a for a in row]) for row in w], i[0]
    ),
    "what is computed of inputs": lambda w, v, i, x: (
        take([autograd.sum([a * b for a, b in zip(row, x)]) for row in w], i[0])
        * take([(x[0] * row[0]).tanh() for row in v], i[1])
    ),
    "the row of a row": lambda w, v, i, x: take(take(w, i[0]), i[1] - i[1]) * x[0],
    "a computed index": lambda w, v, i, x: take(w, (x[0] - 0.5).step() + x[0].step())[0] * x[1],
    "a Value that is listed twice": lambda w, v, i, x: take([w[0][0], w[1][1], w[0][0]] * 2, i[0]),
    "a tied table": lambda w, v, i, x: autograd.sum(
        [a * b for a, b in zip(take(w, i[0]), w[1])] + [a * b for a, b in zip(w[2], x)]
    ),
    "an index that is a number too": lambda w, v, i, x: take(w, i[0])[0] * i[0] * w[1][1],
    "one row": lambda w, v, i, x: take(w[:1], i[0] * 0.0)[1] * x[0],
    "a table of tables": lambda w, v, i, x: take([w, v, w, v, w], i[0])[1][2] * x[0],
}


@pytest.mark.parametrize("dtype", [float, np.float32])
@pytest.mark.parametrize("case", CASES)
def test_tables_of_every_kind_agree_with_the_engine(case: str, dtype: Any) -> None:
    w, v = table(5, 3), table(5, 3, "V")
    rng = np.random.default_rng(3)
    given = [p for row in w + v for p in row]
    for params in (None, given, given[::-1]):
        for rows in (1, 4):
            indices = rng.integers(0, 5, (rows, 2))
            numbers = rng.uniform(-1.0, 1.0, (rows, 5)).astype(np.float32)
            agree(lambda i, x: CASES[case](w, v, i, x), [indices, numbers], params, dtype)


@given(st.integers(0, 10_000))
@settings(max_examples=40)
def test_random_look_ups_agree_with_the_engine(seed: int) -> None:
    rng = random.Random(seed)
    size, width, count = rng.randint(1, 6), rng.randint(1, 4), rng.randint(1, 4)
    w, v = table(size, width), table(size, width, "V")

    def function(indices: list[Value], x: list[Value]) -> Value:
        draw = random.Random(seed)
        pool = [*w[0], *v[-1], *x]
        for _ in range(draw.randint(1, 6)):
            index = draw.choice(indices)
            kind = draw.randrange(4)
            if kind == 0:
                pool += take(draw.choice([w, v]), index)
            elif kind == 1:
                pool.append(take([draw.choice(pool) for _ in range(size)], index))
            elif kind == 2:
                pool += [a * b for a, b in zip(take(w, index), take(v, index))]
            else:
                pool.append((draw.choice(pool) * draw.choice(pool)).tanh())
        return autograd.sum(pool).tanh()

    rows = rng.randint(1, 4)
    indices = [[rng.randrange(size) for _ in range(count)] for _ in range(rows)]
    numbers = [[rng.uniform(-1.0, 1.0) for _ in range(2)] for _ in range(rows)]
    params = rng.choice([None, [p for row in w + v for p in row]])
    agree(function, [indices, numbers], params)


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (
            5,
            r"in row 2: take: token 5 \(tokens\[1\]\) is out of range for a table of 5 rows: 0",
        ),
        (-1, r"in row 2: take: token -1 \(tokens\[1\]\) is negative"),
        (1.5, r"in row 2: take: token 1.5 \(tokens\[1\]\) is no whole number"),
        (math.nan, r"in row 2: take: token nan \(tokens\[1\]\) is no whole number"),
        (1e300, r"in row 2: take: token 1e\+300 \(tokens\[1\]\) is out of range"),
    ],
)
@pytest.mark.parametrize("where", ["parameters", "inputs"])
def test_a_token_out_of_range_raises_the_engines_error_with_the_row(
    token: float, words: str, where: str
) -> None:
    w = table(5, 3)

    def function(tokens: list[Value], x: list[Value]) -> Any:
        return take(x if where == "inputs" else [row[0] for row in w], tokens[1]) + w[0][0]

    tokens, x = TOKENS.astype(float), np.ones((4, 5))
    compiled = autograd.compile(function)
    compiled(tokens, x)
    tokens[2, 1] = token
    for call in (compiled, compiled.value_and_grad, autograd.compile(function)):
        with pytest.raises(ValueError, match=words):
            call(tokens, x)


def test_a_look_up_at_a_wrong_place_does_not_change_the_other_rows_gradient() -> None:
    cost, params = bigrams()
    compiled = autograd.compile(cost, params=params)
    before = compiled.value_and_grad(TOKENS, TARGETS)
    with pytest.raises(ValueError, match="in row 1"):
        compiled.value_and_grad([[0, 1, 4], [2, 7, 3]], TARGETS[:2])
    value, gradient = compiled.value_and_grad(TOKENS, TARGETS)
    assert value == before[0] and np.array_equal(gradient, before[1])


def test_a_second_derivative_depends_on_the_token_of_each_row() -> None:
    w = [Value(0.5, "w0"), Value(-0.25, "w1"), Value(2.0, "w2")]

    def slope(token: Value) -> Value:
        (found,) = autograd.grad(take(w, token) ** 3, w[1], create_graph=True)
        return found + 0.0 * w[0]

    assert autograd.compile(slope)([0, 1, 2]).tolist() == [0.0, 3 * 0.0625, 0.0]


def test_the_same_numbers_without_a_second_row_still_trace() -> None:
    w = table(5, 3)
    compiled = autograd.compile(lambda token, x: take(w, token)[0] * x)
    assert compiled([4], [2.0]).tolist() == [w[4][0].data * 2.0]


def test_many_rows_run_in_blocks() -> None:
    cost, params = bigrams()
    compiled = autograd.compile(cost, params=params)
    compiled(TOKENS, TARGETS)
    version = compiled._get_latest()
    tokens, targets = np.tile(TOKENS, (300, 1)), np.tile(TARGETS, (300, 1))
    wanted = compiled.value_and_grad(tokens, targets)
    version._block = 64
    found = compiled.value_and_grad(tokens, targets)
    assert found[0] == pytest.approx(wanted[0])
    np.testing.assert_allclose(found[1], wanted[1], rtol=1e-12, atol=1e-15)
    targets[777, 0] = 5
    with pytest.raises(ValueError, match="in row 777: take: token 5"):
        compiled(tokens, targets)
