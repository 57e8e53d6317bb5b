"""Tests of the programs that a page runs: the same numbers as the engine's."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import autograd
from autograd import Value
from autograd.extend import TABLE, Programs
from autograd.page.html import globals_of, modules
from tests.random_graphs import CALM, GUARDED, PIECEWISE, Program, programs

Run = Callable[[Any, Any, list[Value]], list[float]]
ROW = [0.5, -1.5, 2.0, 0.25]
SCRIPT = """([program, operations, inputs, parameters]) => {
  globalThis.COMPUTE = new Function(`${operations}; return COMPUTE;`)();
  return new MODULES["program.js"].Program(program).run([inputs], parameters);
}"""


@pytest.fixture(scope="module")
def run(browser: Any) -> Iterator[Run]:
    """Yield a function that computes the outputs of a function of a row in the browser."""
    page = browser.new_page()
    page.add_script_tag(content=f"{globals_of('special.js')}\n{modules('program.js')}")

    def computed(function: Any, row: Any, params: list[Value]) -> list[float]:
        written = Programs()
        program = json.loads(json.dumps(written.add(function, [[row]], params)))
        numbers = [p.data for p in params]
        inputs = np.ravel(row).tolist()
        found: list[float] = page.evaluate(SCRIPT, [program, written.javascript(), inputs, numbers])
        return found

    yield computed
    page.close()


def softmax_of_all(x: Any, w: list[Value]) -> list[Value]:
    return autograd.softmax([a * b for a, b in zip(x, w)])


def largest(x: Any, w: list[Value]) -> list[Value]:
    return [functools.reduce(autograd.maximum, x), autograd.logsumexp(x), autograd.mean(x)]


def layers(x: Any, w: list[Value]) -> list[Value]:
    """Compute two products of matrices, the first with summands."""
    hidden = [
        (w[0] * x[i] + w[1] * x[j] + w[2] * 1.5 + w[3]).tanh() for i in (0, 1) for j in (2, 3)
    ]
    return [w[1] * sum(a * b for a, b in zip(hidden, x)) for _ in range(2)] + hidden


def windows(x: Any, w: list[Value]) -> list[Value]:
    """Compute a convolution along the row, and all its parts."""
    found = [w[3] + w[0] * x[i] + w[1] * x[i + 1] + w[2] * x[i + 2] for i in range(2)]
    return [*found, *(z.relu() for z in found), x[3], w[0], Value(2.0)]


def lists_of_different_lengths(x: Any, w: list[Value]) -> list[Value]:
    scores = [[x[t] * w[t] * x[s] for s in range(t + 1)] for t in range(4)]
    shares = [autograd.softmax(row) for row in scores]
    sums = [sum(share * x[s] for s, share in enumerate(row)) for row in shares]
    return [*(share for row in shares for share in row), *sums]


def rows_of_tables(x: Any, w: list[Value]) -> list[Value]:
    """Look rows up in a table at each of two indices, a number in another, and one in the row."""
    table = [[a, a * 2.0, b] for a, b in zip(w, reversed(w))]
    index, other = x[2], x[2] - 1.0
    rows = autograd.take(table, index) + autograd.take(table, other)
    return [*rows, autograd.take(w, index), autograd.take(x, other), autograd.take(x[1:], index)]


@pytest.mark.parametrize(
    "function",
    [softmax_of_all, largest, layers, windows, lists_of_different_lengths, rows_of_tables],
)
def test_a_program_computes_what_the_function_does(run: Run, function: Any) -> None:
    w = [Value(x) for x in (0.5, -2.0, 0.75, 1.25)]
    wanted = [v.data for v in function([Value(x) for x in ROW], w)]
    assert run(lambda x: function(x, w), ROW, w) == pytest.approx(wanted, rel=1e-12, abs=1e-14)


@settings(max_examples=60, deadline=None)
@given(programs((*CALM, *GUARDED, *PIECEWISE), most=20))
def test_random_functions_compute_the_same_in_the_page(run: Run, random: Program) -> None:
    params = [Value(x) for x in random.leaves[1:]]

    def function(x: Any) -> list[Value]:
        return random.run([*x, *params], dict(TABLE))[len(random.leaves) :]

    wanted = [v.data for v in function([Value(random.leaves[0])])]
    found = run(function, random.leaves[:1], params)
    assert found == pytest.approx(wanted, rel=1e-9, abs=1e-12)


def test_an_image_has_rows_and_columns(run: Run) -> None:
    image = np.arange(12.0).reshape(2, 2, 3)
    assert run(lambda x: [x[1][0][2] * 2.0, x[0][1][0]], image, []) == [16.0, 3.0]


def test_many_numbers_have_large_places(run: Run) -> None:
    row = np.arange(70_000.0)
    assert run(lambda x: [x[-1] + x[0], x[-2] * 2.0], row, []) == [69_999.0, 139_996.0]


def test_what_a_page_cannot_compute_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the function reads Value\(.*'b'\): add it to params"):
        Programs().add((lambda b: lambda x: b * x)(Value(1.0, "b")), [[1.0]], [])
    strange = autograd.op("strange", value=lambda a: float(str(a)), partials=lambda out, a: (1.0,))
    with pytest.raises(ValueError, match="strange has no JavaScript"):
        Programs().add(strange, [[1.0]], [])
