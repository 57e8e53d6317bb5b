"""Tests of `compile`: results equal to the engine's, over all rows, as readable code."""

from __future__ import annotations

import copy
import gc
import itertools
import math
import pickle
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import nn
from autograd import Value, extend
from autograd.compiler.arguments import convert_arguments
from autograd.compiler.compiled import Compiled
from autograd.compiler.passes import PASSES
from autograd.compiler.program import Node, change_nodes
from autograd.compiler.stages import Options
from autograd.compiler.version import Executable
from autograd.core import locks
from autograd.extend import TABLE
from nn.modes import evaluating, mode
from tests.random_graphs import CALM, GUARDED, PIECEWISE, Program, programs
from tests.rows import ROWS

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 0.5, 300.0, -300.0, math.inf, -math.inf, math.nan]


@st.composite
def problems(draw: st.DrawFn) -> tuple[Program, int, list[int], np.ndarray]:
    """Draw a program, its number of input leaves, its outputs, and rows of inputs."""
    program = draw(programs((*CALM, *GUARDED, *PIECEWISE), most=20))
    inputs = draw(st.integers(0, len(program.leaves)))
    count = len(program.leaves) + len(program.instructions)
    outputs = [count - 1, *draw(st.lists(st.integers(0, count - 1), max_size=3))]
    program = program.only(outputs)  # compiled code does not compute the others
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    rows = rng.uniform(-2.0, 2.0, size=(draw(st.integers(1, 4)), inputs))
    if draw(st.booleans()):  # kinks, ties, infinities and NaN
        chosen = rng.random(rows.shape) < 0.5
        rows[chosen] = rng.choice(SPECIAL, size=int(chosen.sum()))
    return program, inputs, outputs, rows


def function_of(
    program: Program, params: list[Value], outputs: list[int]
) -> Callable[..., list[Value]]:
    def function(*x: Any) -> list[Value]:
        found = program.run([*(x[0] if x else []), *params], dict(TABLE))
        return [found[i] for i in outputs]

    return function


def by_the_engine(
    function: Callable[..., Any], params: list[Value], rows: list[list[Any]]
) -> tuple[list[list[float]], list[float]]:
    """Compute by the engine the outputs for each row, and the gradient of the first one's mean.

    Raises:
        ArithmeticError, ValueError: the engine cannot compute them.
    """
    for p in params:
        p.zero_grad()
    values = []
    for row in rows:
        returned = function(*row)
        outputs = [returned] if isinstance(returned, Value) else returned
        if outputs[0].op is not TABLE["constant"]:
            outputs[0].backward(1.0 / len(rows))
        values.append([v.data for v in outputs])
    return values, [p.grad for p in params]


@settings(max_examples=400, deadline=None)
@given(problems(), st.sets(st.sampled_from(PASSES)), st.booleans())
def test_random_graphs_have_the_engines_outputs_and_gradient(
    problem: tuple[Program, int, list[int], np.ndarray], left_out: set[Any], matrices: bool
) -> None:
    """Test with any passes left out; `debug` checks the rules of the program after each pass."""
    program, inputs, outputs, X = problem
    params = [Value(x, f"p{i}") for i, x in enumerate(program.leaves[inputs:])]
    function = function_of(program, params, outputs)
    rows: list[list[Any]] = [[[Value(x) for x in row]] for row in X.tolist()] if inputs else [[]]
    kept = [improve for improve in PASSES if improve not in left_out]
    options = Options(True, True, passes=tuple(kept), matrices=matrices, debug=True)
    compiled = Compiled(function, params, options)
    arguments = [X] if inputs else []
    try:
        wanted, slopes = by_the_engine(function, params, rows)
    except (ArithmeticError, ValueError) as error:
        try:
            found, gradient = compiled.value_and_grad(*arguments)
        except type(error):
            return
        # `compile` says that it raises no error where an output is finite all the same.
        assert np.isfinite(found).all() and np.isfinite(gradient).all()
        return
    found, gradient = compiled.value_and_grad(*arguments)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(compiled(*arguments), found, rtol=1e-12, atol=1e-13)


def test_blocks_share_what_all_rows_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["autograd.compiler.version"], "BLOCK", 1)
    w, x = Value(0.5), np.ones(200)
    value, gradient = autograd.compile(lambda x: w * w).value_and_grad(x)
    assert (value, gradient.tolist()) == (0.25, [pytest.approx(1.0)])
    both = autograd.compile(lambda x: [w * w, w + 1.0], has_aux=True)
    assert both.value_and_grad(x)[0].shape == (200, 2)
    single = autograd.compile(lambda x: w * x, dtype="float32")
    assert single.value_and_grad(x)[1].dtype == np.float32


def test_a_matrix_product_takes_as_many_rows_as_keep_its_arrays_small(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counts: list[int] = []
    call = Executable.__call__

    def noting(code: Executable, columns: list[np.ndarray], n: int) -> Any:
        counts.append(columns[0].shape[1])
        return call(code, columns, n)

    monkeypatch.setattr(Executable, "__call__", noting)
    model, X = nn.MLP(2, [16, 16, 1], "tanh", seed=0), np.ones((3_000, 2))
    found = autograd.compile(model)(X)
    assert sum(counts[1:]) == 3_000, "after the check of the code"
    assert max(counts) < 1_024, "128 kB for 16 numbers a row"
    np.testing.assert_allclose(found, np.full(3_000, model([1.0, 1.0]).data), rtol=1e-12)


def test_blocks_of_rows_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["autograd.compiler.version"], "BLOCK", 1)
    w, rng = Value(0.5), np.random.default_rng(0)
    x = rng.normal(size=(200, 3))

    def cost(x: Any) -> list[Value]:
        return [autograd.sum((w * xi).tanh() for xi in x) + w * w, w * x[0], w + w]

    (value, gradient), whole = (
        autograd.compile(cost, has_aux=True).value_and_grad(x),
        autograd.compile(cost, has_aux=True),
    )
    monkeypatch.undo()
    wanted, slopes = whole.value_and_grad(x)
    np.testing.assert_allclose(value, wanted, rtol=1e-14)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-12)


# ---------------------------------------------------------------------- structures

total = autograd.sum
A, B = [Value(x) for x in (0.5, -0.7, 0.9)], [Value(x) for x in (0.2, 0.4, -0.6)]
M = [[Value(x) for x in row] for row in ((0.1, -0.2, 0.3), (0.7, 0.5, -0.4), (0.6, -0.8, 0.2))]
MATRIX = [p for row in M for p in row]


def times(rows: Iterable[Sequence[Any]], x: Sequence[Any]) -> list[Any]:
    return [total(w * v for w, v in zip(row, x)) for row in rows]


def recurrent(x: list[Value]) -> Value:
    h = A
    for xi in x:
        h = [(u + v * xi).tanh() for u, v in zip(times(M, h), B)]
    return total(h)


def convolved(x: list[Value]) -> Value:
    padded: list[Any] = [0.0, *x, 0.0]
    found = [total(w * v for w, v in zip(A, padded[i:])).relu() for i in range(len(x))]
    return found[0].maximum(found[1]).maximum(found[2])


def attended(x: list[Value]) -> Value:
    queries = [[w * xi for w in A] for xi in x]
    keys = [[w * xi for w in B] for xi in x]
    outputs = []
    for i, query in enumerate(queries):
        weights = autograd.softmax(times(keys[: i + 1], query))
        outputs.append(total(w * v for w, v in zip(weights, x)))
    return total(outputs)


def mixed(x: list[Value]) -> Value:
    h = [u.tanh() for u in times(M, x)]
    together = [*x, *h, *A]  # inputs, parameters and hidden values in one list
    return total(u * v for u, v in zip(together, together[::-1])) + autograd.logsumexp(together)


def normed(x: list[Value]) -> Value:
    mean = total(x) / 3.0
    scale = (total((v - mean) ** 2 for v in x) / 3.0 + 1e-5) ** -0.5
    return total(((v - mean) * scale * a + b) ** 2 for v, a, b in zip(x, A, B))


def summed(x: list[Value]) -> Value:
    return total(total(w * v for w, v in zip(A[: i + 1], x)).sin() for i in range(3))


def leaked(x: list[Value]) -> list[Value]:
    products = [p * q for p in A for q in x]
    return [total(products), *products]


def several_sums(x: list[Value]) -> Value:
    sums = [
        total([*A, x[0]]),
        total([*B, x[1], x[2], A[0]]),
        total([A[1], B[1], x[2], x[0], x[1], B[2]]),
    ]
    return total(sums) * sums[0].sin()


def piecewise(x: list[Value]) -> Value:
    h = [x[0].tanh(), autograd.leaky_relu(x[1], 0.1), autograd.where(x[1], x[2], A[0])]
    return total(a * z.tanh() for a, z in zip(A, times(M, h)))


def largest(x: list[Value]) -> Value:
    m = (A[0] * x[0]).maximum(A[1] * x[1]).maximum(A[2] * x[2])
    return m * autograd.stop_gradient(m)


def shifted_by_a_weight(x: list[Value]) -> Value:
    e = [(v - A[0]).exp() for v in x[:2]]
    return e[0] / (e[0] + e[1]) * A[1]


STRUCTURES: dict[str, tuple[Callable[..., Any], list[Value]]] = {
    "recurrent": (recurrent, [*MATRIX, *A, *B]),
    "convolved": (convolved, A),
    "attended": (attended, [*A, *B]),
    "mixed": (mixed, [*MATRIX, *A]),
    "normed": (normed, [*A, *B]),
    "summed": (summed, A),
    "outputs that the cost is made of": (leaked, A),
    "tied": (lambda x: total(times(list(zip(*M)), times(M, x))), MATRIX),
    "a product of matrices": (
        lambda x: total(times([times(M, column) for column in zip(*M)], x)),
        MATRIX,
    ),
    "weights that are computed": (
        lambda x: total(p * q for p, q in zip(autograd.softmax(A), x)).tanh(),
        A,
    ),
    "a matrix, a vector, an input": (
        lambda x: total((u + v).tanh() for u, v in zip(times(M, A), x)),
        [*MATRIX, *A],
    ),
    "a condition for all rows": (
        lambda x: total(autograd.where(c.relu(), p, q) for r in M for c, p, q in zip(A, A, r)),
        [*A, *MATRIX],
    ),
    "a condition for each": (
        lambda x: total(autograd.where(c.relu(), p, q) for r in M for c, p, q in zip(x, A, r)),
        [*A, *MATRIX],
    ),
    "conditions that are plain numbers": (
        lambda x: (
            total(autograd.where(k, p, v).tanh() for k, p, v in zip((1.0, 0.0, 1.0), A, x))
            + total(autograd.where(1.0, p, v).tanh() for p, v in zip(B, x))
        ),
        [A[0], A[2], *B],
    ),
    "slopes that learn": (lambda x: total(autograd.leaky_relu(p, s) for s in B for p in x), B),
    "quotients": (lambda x: total(q / (c * c + 1.0) for r in M for c, q in zip(x, r)), MATRIX),
    "several powers": (lambda x: total((a * a) ** k for a in A for k in (2, 3)) * x[0], A),
    "the smallest of many": (lambda x: x[0].minimum(A[0]).minimum(x[1]) * A[1], A[:2]),
    "several sums": (several_sums, [*A, *B]),
    "piecewise": (piecewise, [*A, *MATRIX]),
    "the largest, stopped and not": (largest, A),
    "no softmax, for its shift learns": (shifted_by_a_weight, A[:2]),
    "one operand twice in a softmax": (
        lambda x: total(
            p * v for p, v in zip(autograd.softmax([x[0] * A[0], x[0] * A[0], A[1]]), x)
        ),
        A[:2],
    ),
    "used many times": (
        lambda x: total((x[0] * (A[0] * A[0]) + i).tanh() for i in range(200)),
        A[:1],
    ),
}


@pytest.mark.parametrize("rows", [1, 5])
@pytest.mark.parametrize("name", STRUCTURES)
def test_a_structure_has_the_engines_outputs_and_gradient(name: str, rows: int) -> None:
    function, params = STRUCTURES[name]
    compiled = Compiled(function, params, Options(has_aux=True, debug=True))
    several = function is leaked
    if not several:
        compiled = Compiled(function, params, Options(debug=True))
    for turn in range(3):  # rows and parameters differ from those of the trace
        x = np.random.default_rng(turn).normal(size=(rows, 3))
        wanted, slopes = by_the_engine(function, params, [[[Value(v) for v in r]] for r in x])
        found, gradient = compiled.value_and_grad(x)
        means = np.mean(wanted) if not several else wanted
        np.testing.assert_allclose(found, means, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(gradient, slopes, rtol=1e-10, atol=1e-13)
        for p in params:
            p.data = math.sin(3.0 * p.data + turn)


@pytest.fixture
def changed(plain_core: None) -> Iterator[Callable[[str], None]]:
    """Yield a function that triples a row's partials; restore them after the test."""
    before = []

    def triple(name: str) -> None:
        row = TABLE[name]
        partials, array_partials = row.partials, row.array_partials
        before.append((row, partials, array_partials))
        tripled = tuple(f"3.0 * ({text})" for text in array_partials)
        object.__setattr__(row, "array_partials", tripled)
        object.__setattr__(row, "partials", lambda *x: tuple(3.0 * d for d in partials(*x)))

    yield triple
    for row, partials, array_partials in before:
        object.__setattr__(row, "partials", partials)
        object.__setattr__(row, "array_partials", array_partials)


# Functions that become dot products, matrix products, log-sum-exp and softmax.
COMPOSITES: dict[str, tuple[Callable[..., Any], list[Value], tuple[str, ...]]] = {
    "pairs": (lambda x: total((p * v).tanh() * v for p, v in zip(A, x)), A, ("mul",)),
    "squares": (lambda x: total(p * p for p in A) * x[0], A, ("mul",)),
    "a matrix product": (lambda x: total(z.tanh() for z in times(M, x)), MATRIX, ("mul",)),
    "two layers": (lambda x: total(times(M, times(M, x))), MATRIX, ("mul",)),
    "log-sum-exp": (lambda x: autograd.logsumexp([*A, *x]), A, ("log", "exp")),
    "softmax": (lambda x: autograd.softmax([*A, *x])[0], A, ("div", "exp")),
    "softmaxes of different sizes": (attended, [*A, *B], ("div", "exp", "mul")),
}


@pytest.mark.parametrize(
    ("name", "row"), [(name, row) for name in COMPOSITES for row in COMPOSITES[name][2]]
)
def test_what_is_made_of_many_operations_has_the_derivatives_of_their_rows(
    name: str, row: str, changed: Callable[[str], None]
) -> None:
    """Change the partials of a row, and test that its composites' gradients change too."""
    function, params, _ = COMPOSITES[name]
    x = [[0.3, -0.8, 1.1]]

    def gradients() -> tuple[list[float], list[float]]:
        _, slopes = by_the_engine(function, params, [[[Value(v) for v in x[0]]]])
        found = autograd.compile(function, params=params).value_and_grad(x)[1]
        return slopes, found.tolist()

    before, _ = gradients()
    changed(row)
    slopes, found = gradients()
    assert found == pytest.approx(slopes, rel=1e-12)
    assert found != pytest.approx(before, rel=1e-3)


@pytest.mark.parametrize("names", [("x", "value"), ("x", "d_w"), ("theta", "n"), ("np", "rows")])
def test_names_that_the_source_has_itself_are_no_trouble(names: tuple[str, str]) -> None:
    w = Value(0.7, "w")
    function = eval(f"lambda {names[0]}, {names[1]}: (w * {names[1]} - {names[0]}) ** 2", {"w": w})
    value, gradient = autograd.compile(function).value_and_grad([0.0, 1.0, 2.0], [0.0, 3.0, -1.0])
    assert value == pytest.approx((0.0 + 1.1**2 + 2.7**2) / 3)
    assert gradient == pytest.approx([(2 * 1.1 * 3 + 2 * 2.7) / 3])


def test_powers_of_a_negative_number() -> None:
    assert autograd.compile(lambda x: [(-2.0) ** x])([1.0, 2.0, 3.0]).ravel().tolist() == [
        -2,
        4,
        -8,
    ]


def test_a_node_that_is_used_very_often_is_no_recursion() -> None:
    w = Value(1.001)

    def cost(x: Value) -> Value:
        k = w * w
        for _ in range(4_000):
            x = x * k
        return x

    _, gradient = autograd.compile(cost).value_and_grad([1.0])
    assert gradient[0] == pytest.approx(8_000 * 1.001**7_999)


def test_what_is_not_finite_beside_the_cost_stays_there() -> None:
    w, b, z = Value(2.0), Value(0.3), Value(1.0)

    def both(x: Value) -> list[Value]:
        h = [(w * x).tanh(), (b * x * x).tanh()]
        return [h[0] * h[1] + w * x, autograd.logsumexp([*h, (z * x * x).sqrt()])]

    params = [w, b, z]
    _, slopes = by_the_engine(both, params, [[Value(x)] for x in (1.0, 0.0, 2.0)])
    _, gradient = autograd.compile(
        both, params=params, has_aux=True, allow_unused=True
    ).value_and_grad([1.0, 0.0, 2.0])
    np.testing.assert_allclose(gradient, slopes, rtol=1e-12)


# ---------------------------------------------------------------------- precision


def test_infinite_constants_and_signed_zeros() -> None:
    assert autograd.compile(lambda x: x.maximum(-math.inf))([1.0]) == 1.0
    assert autograd.compile(lambda x: x.minimum(math.inf))([1.0]) == 1.0
    signs = np.signbit(autograd.compile(lambda x: [x[0] * 0.0, x[1] * -0.0])([[1.0, 1.0]]))
    assert signs.tolist() == [[False, True]]
    assert np.signbit(autograd.compile(lambda x: [x * 0.0, x * -0.0])([1.0])).tolist() == [
        [False, True]
    ]
    assert np.isnan(autograd.compile(lambda x: x * math.nan)([1.0, 2.0])).all()
    assert math.isnan(autograd.compile(lambda x: x * 2.0).mean([math.nan, 1.0]))


def test_nothing_overflows_on_the_way() -> None:
    rows = [[0.0, 1.0], [0.0, 800.0], [-900.0, 800.0]]
    wanted = [math.log(1 + math.e), 800.0, 800.0]
    assert autograd.compile(autograd.logsumexp)(rows) == pytest.approx(wanted)
    assert autograd.compile(autograd.softmax)(rows)[1].tolist() == [0.0, 1.0]
    assert autograd.compile(lambda x: x * 1.0).mean([1.5e308] * 2) == 1.5e308


def test_the_check_of_a_large_gradient_overflows_nowhere() -> None:
    w = Value(0.5, label="w")
    cost = autograd.compile(lambda x: w * 1.7e308 * x, params=[w])
    assert cost.value_and_grad([1.0, 0.9])[1].tolist() == pytest.approx([0.95 * 1.7e308])


def test_float32_stays_float32_and_follows_the_parameters() -> None:
    w = Value(2.0)
    compiled = autograd.compile(lambda x: w * x, dtype="float32")
    assert [compiled([1.0]), compiled([1.0])] == [2.0, 2.0]
    w.data = 5.0
    assert compiled([1.0]) == 5.0
    square = autograd.op("square", lambda a: a * a, lambda out, a: (2 * a,))

    def several(x: Any) -> list[Value]:
        h = [x[0].tanh(), square(x[1]), x[2] * 1.5]
        return [*h, total(z.tanh() for z in times(M, h))]

    assert autograd.compile(several, dtype="float32")(X).dtype == np.float32


def test_a_function_that_numpy_lacks_stays_float32_and_may_be_a_label() -> None:
    weights = [Value(0.3, label="erf"), Value(-2.0, label="erfc")]

    def several(x: Any) -> list[Value]:
        return [total(w * x[0].erf() for w in weights), (x[1] * weights[0]).erfc().gelu()]

    double, single = autograd.compile(several), autograd.compile(several, dtype="float32")
    wanted = [[y.data for y in several([Value(xi) for xi in row])] for row in X]
    np.testing.assert_allclose(double(X), wanted, rtol=1e-14)
    np.testing.assert_allclose(single(X), wanted, rtol=1e-5)
    assert single(X).dtype == np.float32


def test_float32_is_offered() -> None:
    model = nn.MLP(3, [4, 2], "tanh", seed=0)
    single = autograd.compile(lambda x, y: nn.cross_entropy(model(x), y), dtype="float32")
    double = autograd.compile(lambda x, y: nn.cross_entropy(model(x), y))
    value, gradient = single.value_and_grad(X, Y)
    wanted, slopes = double.value_and_grad(X, Y)
    assert gradient.dtype == np.float32 and slopes.dtype == np.float64
    assert value == pytest.approx(wanted, rel=1e-5)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-3, atol=1e-6)
    assert single.params[0].data == double.params[0].data
    outputs = autograd.compile(model, dtype=np.float32)(X)
    assert outputs.dtype == np.float32
    assert autograd.compile(lambda x: x.minimum(1e300), dtype="float32")([1e300]) == math.inf
    with pytest.raises(TypeError, match="dtype is float64 or float32, got .*int64"):
        autograd.compile(model, dtype=np.int64)


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
    assert value == pytest.approx(np.mean(wanted), rel=1e-12)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-9, atol=1e-14)


def test_the_source_is_the_matrix_code_one_would_write() -> None:
    model = nn.MLP(3, [4, 2], seed=0)
    compiled = autograd.compile(model, params=model.parameters())
    compiled(X)
    lines = [line.strip() for line in compiled.source.splitlines()]
    assert lines == [
        "def parameters(theta):",
        "W1 = theta[0:16].reshape(4, 4)[:, :3]",
        "b1 = theta[3:16:4]",
        "W2 = theta[16:26].reshape(2, 5)[:, :4]",
        "b2 = theta[20:26:5]",
        "return W1, b1, W2, b2",
        "",
        "",
        "def compiled(x, theta, W1, b1, W2, b2, n):",
        "rows = x.shape[1]",
        "z1 = W1 @ x + b1",
        "a1 = np.maximum(z1, 0.0)",
        "z2 = W2 @ a1 + b2",
        "return z2",
    ]
    assert "36 scalar operations" not in compiled.explain()
    assert "z1, 4 numbers a row" in compiled.explain()


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
    assert value == pytest.approx(wanted[0][0], rel=1e-12)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-10, atol=1e-14)
    products = compiled.source.count(" @ ") + compiled.source.count("np.matmul(")
    assert products == 2 + 3, "the seven copies share one product per layer"


def test_parameters_are_the_values_themselves() -> None:
    w = Value(2.0, label="w")
    compiled = autograd.compile(lambda x: w * x)
    assert compiled([3.0]) == 6.0
    w.data = 5.0
    assert compiled([3.0]) == 15.0
    assert compiled.params == [w]


def test_a_method_compiles_for_each_instance() -> None:
    class Scaled:
        def __init__(self, scale: float) -> None:
            self.scale = Value(scale)

        @autograd.compile
        def cost(self, x: Value) -> Value:
            return self.scale * x

        @autograd.compile(has_aux=True, dtype="float32")
        def both(self, x: Value) -> list[Value]:
            return [self.scale * x, x]

    assert Scaled.cost is vars(Scaled)["cost"]
    outputs, gradient = Scaled(2.0).both.value_and_grad([1.0, 3.0])
    assert (outputs.dtype, gradient.tolist()) == (np.float32, [2.0])
    two, three = Scaled(2.0), Scaled(3.0)
    assert (two.cost([1.0]), three.cost([1.0]), two.cost([5.0])) == (2.0, 3.0, 10.0)
    assert two.cost.params == [two.scale]


@autograd.compile
def doubled(x: Value) -> Value:
    return x * 2.0


class Line:
    """A function of x with a slope, and its square as a compiled method."""

    def __init__(self, slope: float) -> None:
        self.slope = Value(slope)

    def __call__(self, x: Value) -> Value:
        return self.slope * x

    @autograd.compile
    def square(self, x: Value) -> Value:
        return (self.slope * x) ** 2


@pytest.mark.parametrize("copied", [lambda x: pickle.loads(pickle.dumps(x)), copy.deepcopy])
def test_a_compiled_function_is_copied_with_its_parameters(copied: Callable[[Any], Any]) -> None:
    line = Line(2.0)
    compiled = autograd.compile(line, params=[line.slope], dtype="float32")
    before = compiled.value_and_grad([1.0, 3.0])[1]
    there = copied(compiled)
    assert there.params == [there.function.slope] != compiled.params
    after = there.value_and_grad([1.0, 3.0])[1]
    assert (before.tolist(), before.dtype) == (after.tolist(), after.dtype) == ([2.0], np.float32)
    there.function.slope.data = 5.0
    assert (there([1.0]), compiled([1.0])) == (5.0, 2.0)


def test_a_decorated_function_is_pickled_by_its_name() -> None:
    assert pickle.loads(pickle.dumps(doubled)) is doubled
    line = Line(2.0)
    assert line.square([3.0]) == 36.0
    there = pickle.loads(pickle.dumps(line))
    there.slope.data = 3.0
    assert (there.square([3.0]), line.square([3.0])) == (81.0, 36.0)
    assert there.square.params == [there.slope]


def test_a_function_that_cannot_be_pickled_says_so() -> None:
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        pickle.dumps(autograd.compile(lambda x: x))


def test_training_and_evaluation_are_traced_apart() -> None:
    model = nn.Sequential(nn.Layer(2, 40, seed=0), nn.Dropout(0.5, seed=0))
    compiled = autograd.compile(model)
    x = np.ones((1, 2))
    assert (compiled(x) == 0.0).sum() > (model.eval() and (compiled(x) == 0.0).sum())


def test_what_it_came_from_can_be_looked_at() -> None:
    w = Value(2.0, "w")
    compiled = autograd.compile(lambda x: w * x + 1.0)
    compiled([3.0])
    assert compiled.graph.data == 7.0
    assert "mul" in str(compiled.program)
    assert compiled.explain().startswith("2 scalar operations became 2 array statements\n")
    assert "mul, element by element" in compiled.explain()


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
    compiled = autograd.compile(lambda x: autograd.sum(x))
    rows = [[1.0, 2.0]], [[1.0, 2.0, 3.0]], [[1.0, 3.0]]
    assert [compiled(x).tolist() for x in rows] == [[3.0], [6.0], [4.0]]


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
    compiled = autograd.compile(function)
    value, gradient = compiled.value_and_grad([1.0, -2.0])
    assert value == pytest.approx(np.mean(wanted))
    assert gradient == pytest.approx(slopes)
    assert "np.exp" in compiled.source and "op_value" not in compiled.source


def test_code_is_held_against_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    version = sys.modules["autograd.compiler.version"]
    write_source = version.write_source

    def write_wrong(*arguments: Any) -> Any:
        source = write_source(*arguments)
        return replace(source, text=source.text.replace(" + ", " - "))

    monkeypatch.setattr(version, "write_source", write_wrong)
    with pytest.raises(ArithmeticError, match="use the function itself"):
        autograd.compile(lambda x: x + A[0])([1.0])


def test_gradient_code_is_held_against_the_parameters_it_was_traced_with() -> None:
    w = Value(2.0)
    compiled = autograd.compile(lambda x: w**3 * x)
    compiled([1.0, 2.0])
    w.data = 5.0
    assert compiled.value_and_grad([1.0, 2.0])[1].tolist() == [pytest.approx(112.5)]
    assert (w.data, w.grad) == (5.0, 0.0), "neither data nor grad of a parameter changes"


def test_outputs_are_ones_own() -> None:
    x, w = np.ones((2, 2)), Value(1.0)
    found = autograd.compile(lambda x: [x[0], x[1]])(x)
    found[0, 0] = 9.0
    assert x[0, 0] == 1.0
    shared = autograd.compile(lambda x: [w * 2.0, w * 3.0])(x)
    shared[0, 0] = 4.0
    assert shared.tolist() == [[4.0, 3.0], [2.0, 3.0]]


def test_explanations_say_what_became_of_what() -> None:
    def why(function: Any, *arguments: Any) -> str:
        compiled = autograd.compile(function)
        compiled(*arguments)
        return compiled.explain()

    w = Value(2.0)
    assert "the same for all rows" in why(lambda x: w * w * x, [1.0])
    assert "15 scalar" in why(autograd.logsumexp, [[1.0, 2.0, 3.0]])
    assert "6 scalar" in why(lambda x: total(a * v for a, v in zip(A, x)) + B[0], X)
    assert "exponentials over their sum" in why(autograd.softmax, X)
    assert "a sum each, of 3" in why(lambda x: [total(x[:3]), total(x[1:])], np.ones((1, 4)))
    uneven = why(lambda x: total(x[:3]).sin() + total(x[3:]).sin(), np.ones((1, 7)))
    assert "a sum each\n" in uneven
    rows = why(lambda: total(z.tanh() for x in ([1, 2, 3], [3, 5, 7]) for z in times(M, x)))
    assert "3 lists of 3 weights meet each of 2 lists of 3 numbers: a matrix product" in rows


def test_names_that_are_keywords_are_not_taken() -> None:
    w = Value(2.0, "lambda")
    assert autograd.compile(lambda x: w * x)([3.0]) == 6.0


def test_a_model_may_have_parameters_that_it_does_not_use() -> None:
    class Half:
        def __init__(self) -> None:
            self.a, self.b = Value(1.0), Value(2.0)

        def parameters(self) -> list[Value]:
            return [self.a, self.b]

        def __call__(self, x: Value) -> Value:
            return self.a * x

    assert autograd.compile(Half()).value_and_grad([3.0])[1].tolist() == [3.0, 0.0]


def test_debug_notices_a_pass_that_breaks_the_rules() -> None:
    def breaking(program: Any) -> Any:
        return change_nodes(program, {len(program.nodes) - 1: Node(TABLE["add"], (0,))})

    with pytest.raises(AssertionError):
        Compiled(lambda x: x * 2.0, None, Options(passes=(breaking,), debug=True))([1.0])


def test_it_decorates() -> None:
    w = Value(2.0)

    @autograd.compile(params=[w])
    def doubled(x: Value) -> Value:
        """Twice as much."""
        return w * x

    assert doubled([4.0]) == 8.0
    assert doubled.__doc__ == "Twice as much."


# ---------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "argument 0 has no rows"),
        ((1.0,), "argument 0 is one number"),
        (([[1.0], [2.0, 3.0]],), "rows of argument 0 differ in length"),
        ((["a"],), "argument 0 is made of <U1 data"),
        (([1j],), "argument 0 is made of complex128 data"),
        (([1.0], [1.0, 2.0]), "different numbers of rows: 1, 2"),
        (([1.0, 2.0], [[1.0, 2.0]]), "different numbers of rows: 2, 1"),
    ],
)
def test_bad_arguments_are_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        autograd.compile(lambda *x: autograd.sum(v for v in x))(*arguments)


def test_a_row_that_cannot_be_computed_is_named() -> None:
    compiled = autograd.compile(lambda x: x.log())
    with pytest.raises(ValueError, match=r"in row 2: log\(x\) is not defined"):
        compiled([1.0, 2.0, -1.0])
    for rows, row in (([-1.0, 1.0], 0), ([1.0, -1.0], 1)):
        with pytest.raises(ValueError, match=f"in row {row}: "):
            autograd.compile(lambda x: x.log())(rows)
    with pytest.raises(ValueError, match="in row 2: "):
        autograd.compile(lambda x: [x.log(), x])([1.0, 2.0, -1.0])


@pytest.mark.parametrize("name", [row.name for row in ROWS])
def test_an_operation_has_one_verdict_on_what_is_no_ordinary_number(name: str) -> None:
    row = TABLE[name]
    numbers = (math.nan, math.inf, -math.inf, 0.0, -1.5, 2.0, 1e300)
    ordinary = [1.5 if name == "acosh" else 0.5] * row.arity
    compiled = autograd.compile(lambda x: [row(*x), x[0]])
    for operands in itertools.product(numbers, repeat=row.arity):
        try:
            wanted = row(*map(Value, operands)).data
        except (ArithmeticError, ValueError) as error:
            with pytest.raises(type(error), match="in row 1: "):
                compiled([ordinary, operands])
        else:
            np.testing.assert_allclose(compiled([ordinary, operands])[1, 0], wanted, rtol=1e-14)


@pytest.mark.parametrize("name", ["logsumexp", "softmax", "mean", "sum"])
def test_a_nan_passes_through_what_is_composed_of_operations(name: str) -> None:
    def function(x: list[Value]) -> list[Value]:
        made = getattr(autograd, name)(x)
        return [*made] if isinstance(made, list) else [made, made]

    rows = [[1.0, 2.0, 3.0], [1.0, math.nan, 3.0], [math.nan, 0.0, 0.0], [math.nan] * 3]
    found = autograd.compile(function)(rows)
    wanted = [[v.data for v in function([Value(x) for x in row])] for row in rows]
    np.testing.assert_allclose(found, wanted, rtol=1e-14)
    assert np.isnan(wanted[1]).any()


def test_a_slope_that_is_not_there_names_its_row() -> None:
    w = Value(1.0)
    compiled = autograd.compile(lambda x: (w * x).sqrt())
    assert compiled.value_and_grad([4.0])[1].tolist() == [1.0]
    with pytest.raises(ValueError, match=r"in row 1: sqrt\(.*\) has no finite derivative"):
        compiled.value_and_grad([4.0, 0.0])
    assert compiled.value_and_grad([4.0])[1].tolist() == [1.0], "later calls still work"
    inner = autograd.op("inner", lambda a: math.log(a), lambda out, a: (1.0 / a,))
    with pytest.raises(ValueError, match="in row 2: inner"):
        autograd.compile(lambda x: inner(x))([1.0, 2.0, -1.0])


@pytest.mark.parametrize(
    ("column", "row"), [([1.0], 0), ([1.0, 1.0], 0), ([1.0, 2.0], 1), ([1.0, 1.0, 2.0], 2)]
)
def test_the_second_trace_takes_the_first_row_that_differs(column: list[float], row: int) -> None:
    same = [0.0] * len(column)
    assert convert_arguments((same, column), np.dtype(float)).find_different_row() == row
    assert convert_arguments((column, same), np.dtype(float)).find_different_row() == row


def test_where_no_row_differs_the_second_trace_takes_other_numbers() -> None:
    (moved,) = convert_arguments(([[0.0, 2.0, -3.0]],), np.dtype(float)).find_other_row()
    assert (moved != [0.0, 2.0, -3.0]).all()
    np.testing.assert_allclose(moved, [0.0, 2.0, -3.0], rtol=1e-5, atol=1e-8)


def test_arguments_without_numbers_are_arguments() -> None:
    w = Value(2.0)
    compiled = autograd.compile(lambda x, y: w * y)
    assert compiled(np.zeros((3, 0)), [1.0, 2.0, 3.0]).tolist() == [2.0, 4.0, 6.0]
    assert autograd.compile(lambda x, y: w * y)(np.zeros((1, 2, 0)), [1.0]) == 2.0


def test_one_output_is_one_number_a_row_and_its_mean_has_a_name() -> None:
    w = Value(3.0)
    one = autograd.compile(lambda x: w * x)
    found = one([1.0, 2.0, 4.0])
    assert (found.shape, found.tolist()) == ((3,), [3.0, 6.0, 12.0])
    assert one.mean([1.0, 2.0, 4.0]) == one.value_and_grad([1.0, 2.0, 4.0])[0] == 7.0
    assert type(one.mean([1.0])) is type(one.value_and_grad([1.0])[0]) is float
    assert one([2.0]).tolist() == [6.0], "a single row gives an array too"
    assert autograd.compile(nn.MLP(3, [4, 1], seed=0))(np.ones((5, 3))).shape == (5,)
    shared = autograd.compile(lambda x: w * 2.0)
    assert shared([0.0, 0.0]).tolist() == [6.0, 6.0], (
        "an output that all rows share is repeated for each row"
    )
    assert shared.mean([0.0, 0.0]) == 6.0


def test_without_arguments_the_output_is_a_float() -> None:
    w = Value(3.0)
    compiled = autograd.compile(lambda: w * w)
    assert (compiled(), type(compiled()), compiled.mean()) == (9.0, float, 9.0)
    assert autograd.compile(lambda: [w * w])().tolist() == [[9.0]]


def test_the_mean_of_several_is_that_of_the_first_if_the_rest_is_aux() -> None:
    both = lambda x: [x, 2.0 * x]  # noqa: E731
    with pytest.raises(ValueError, match=r"a mean is that of one Value, .* returns 2"):
        autograd.compile(both).mean([1.0])
    compiled = autograd.compile(both, has_aux=True)
    assert compiled.mean([1.0, 2.0]) == 1.5
    assert compiled([1.0, 2.0]).tolist() == [[1.0, 2.0], [2.0, 4.0]]


@pytest.mark.parametrize("several", [False, True])
def test_under_no_grad_the_first_call_is_as_any_other(several: bool) -> None:
    w = Value(3.0)

    def function(x: Value) -> Any:
        return [w * x, w * w] if several else w * x

    with autograd.no_grad():
        first = autograd.compile(function)([1.0, 2.0])
        compiled = autograd.compile(function, has_aux=several)
        value, gradient = compiled.value_and_grad([1.0, 2.0])
    np.testing.assert_array_equal(first, autograd.compile(function)([1.0, 2.0]))
    np.testing.assert_array_equal(value, compiled.value_and_grad([1.0, 2.0])[0])
    assert gradient.tolist() == [1.5]


def test_a_gradient_is_that_of_one_value() -> None:
    with pytest.raises(ValueError, match="the function returns 2"):
        autograd.compile(lambda x: [x, x]).value_and_grad([1.0])
    w = Value(1.0)
    with pytest.raises(ValueError, match=r"depend on 1 of its 2 params, as on Value\(data=5.0"):
        autograd.compile(lambda x: w * x, params=[w, Value(5.0)])([1.0])
    with pytest.raises(ValueError, match="listed twice in params"):
        autograd.compile(lambda x: w * x, params=[w, w])
    with pytest.raises(TypeError, match="params are Values that you made"):
        autograd.compile(lambda x: w * x, params=[w * 2.0])
    with pytest.raises(TypeError, match="compile takes a function of Values. got 3"):
        autograd.compile(3)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="nothing is compiled yet"):
        _ = autograd.compile(lambda x: x).source


def test_a_closure_over_a_model_follows_the_mode_around_the_call() -> None:
    dropout = nn.Dropout(0.5, seed=0)
    doubled = autograd.compile(lambda x: dropout(x) * 2.0)
    with mode(dropout, training=False):
        assert doubled([1.0, 1.0, 1.0, 1.0]).tolist() == [2.0] * 4
    assert set(doubled(np.ones(50)).tolist()) == {0.0, 4.0}
    with evaluating(dropout):
        assert doubled([1.0, 1.0, 1.0, 1.0]).tolist() == [2.0] * 4


def test_detect_anomaly_watches_compiled_functions() -> None:
    w = Value(1e200, "w")
    cost = autograd.compile(lambda x: (w * x * w).tanh())
    assert cost([1.0, 0.0]).tolist() == [1.0, 0.0]
    with autograd.detect_anomaly():
        assert cost([0.0]).tolist() == [0.0]
        for run in (cost, cost.value_and_grad):
            with pytest.raises(FloatingPointError, match="in row 1: .* is inf"):
                run([0.0, 1.0])


@pytest.mark.parametrize("runs", [True, False])
def test_the_collector_rests_while_code_is_made_and_then_is_as_it_was(runs: bool) -> None:
    def square(x: Any) -> Any:
        assert not gc.isenabled()
        return x * x

    (gc.enable if runs else gc.disable)()
    try:
        assert autograd.compile(square)([2.0]) == 4.0
        assert gc.isenabled() == runs
        with pytest.raises(autograd.TraceError):
            autograd.compile(lambda x: x.data)([2.0])
        assert gc.isenabled() == runs
    finally:
        gc.enable()


def test_holding_the_code_against_the_engine_touches_no_parameter() -> None:
    w = Value(3.0, "w")
    cost = autograd.compile(lambda x: (w * x) ** 2)
    cost([1.0, 2.0])
    w.data, w.grad = 5.0, 7.0
    seen = []
    before = extend.Flat.write
    extend.Flat.write = lambda *args: seen.append(args)  # type: ignore[method-assign]
    try:
        value, gradient = cost.value_and_grad([1.0, 2.0])
    finally:
        extend.Flat.write = before  # type: ignore[method-assign]
    assert (value, gradient.tolist()) == (62.5, [25.0])
    assert (w.data, w.grad, seen) == (5.0, 7.0, [])


@pytest.mark.parametrize("attempt", range(20))
def test_threads_that_compile_the_same_at_once_wait_for_one_another(attempt: int) -> None:
    w = Value(3.0, "w")
    cost = autograd.compile(lambda x: (w * x).tanh())
    cost([1.0, 2.0])  # traced; the code of the gradient is not written yet
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _: cost.value_and_grad([1.0, 2.0])[1][0], range(8)))
    finally:
        sys.setswitchinterval(before)
    slope = ((1.0 - math.tanh(3.0) ** 2) + 2.0 * (1.0 - math.tanh(6.0) ** 2)) / 2.0
    assert found == pytest.approx([slope] * 8)


@pytest.mark.parametrize("attempt", range(20))
def test_threads_that_trace_the_same_values_wait_for_one_another(attempt: int) -> None:
    w = Value(3.0, "w")
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            compiled = [autograd.compile(lambda x: (w * x).tanh()) for _ in range(4)]
            found = list(pool.map(lambda each: each([1.0])[0], compiled))
    finally:
        sys.setswitchinterval(before)
    assert found == [math.tanh(3.0)] * 4


def test_a_traced_function_may_wait_for_a_thread_that_traces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(locks, "PATIENCE", 0.05)

    def function(x: Any) -> Any:
        inner = autograd.compile(lambda y: y * 2.0)
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(inner, [1.0]).result().tolist() == [2.0]
        return x * 3.0

    assert autograd.compile(function)([1.0, 2.0]).tolist() == [3.0, 6.0]


def test_threads_share_a_compiled_function() -> None:
    w = Value(3.0, "w")
    cost = autograd.compile(lambda x: (w * x).tanh())
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: cost.value_and_grad(np.ones(n))[0], range(1, 40)))
    assert found == pytest.approx([math.tanh(3.0)] * 39)
