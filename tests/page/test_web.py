"""Tests of the page's JavaScript modules: the same numbers and texts as the engine's."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import autograd
from autograd import Op, Value
from autograd.core.backprop import gradients
from autograd.core.graph import count_paths, leaves, topological_order
from autograd.core.paths import largest_paths
from autograd.core.term import numeral
from autograd.extend import TABLE
from autograd.page.html import globals_of, modules
from autograd.page.record import records
from autograd.page.tables import write_operations, write_quiz
from autograd.teach.mistakes import judge, matches
from autograd.teach.slips import candidates
from tests.examples import labelled, network, neuron
from tests.random_graphs import CALM, GUARDED, PIECEWISE, Program, built, programs
from tests.rows import ROWS, differentiable, places

Run = Callable[..., Any]
EVERY_KIND = (*CALM, *GUARDED, *PIECEWISE)

swish = autograd.op(
    "swish",
    value=lambda a: a * autograd.sigmoid(a),
    partials=lambda out, a: (autograd.sigmoid(a) * (1 + a * autograd.sigmoid(-a)),),
)
double_swish = autograd.op(
    "double_swish",
    value=lambda a: swish(a) + swish(a),
    partials=lambda out, a: (2 * autograd.sigmoid(a) * (1 + a * autograd.sigmoid(-a)),),
)
in_python = autograd.op(
    "in_python", value=lambda a: math.sin(a), partials=lambda out, a: (math.cos(a),)
)


USED = [*TABLE.values(), swish, double_swish, in_python]


@pytest.fixture(scope="module")
def run(browser: Any) -> Iterator[Run]:
    """Yield a function that runs the body of a JavaScript function with the argument `given`."""
    page = browser.new_page()
    page.add_script_tag(
        content=f"{globals_of('special.js')}\nconst OPERATIONS = {write_operations(USED)};\n"
        f"{write_quiz()}\n{modules('quiz.js')}"
    )
    yield lambda body, argument=None: page.evaluate(
        f"(given) => {{ const {{ number, parsed }} = MODULES['number.js'];"
        f"const g = MODULES['graph.js']; const q = MODULES['quiz.js']; {body} }}",
        argument,
    )
    page.close()


def rows(root: Value) -> list[dict[str, Any]]:
    """Return a graph as the data of a page."""
    found: list[dict[str, Any]] = json.loads(json.dumps(records(root, [], USED, USED)))
    return found


# ---------------------------------------------------------------------- numbers


@settings(max_examples=400, deadline=None)
@given(st.floats(), st.integers(1, 10))
@example(1234.5, 4)  # a tie
@example(1235.5, 4)
@example(0.15625, 4)
@example(2.5, 1)
@example(-3.5, 1)
@example(-12345.0, 4)
@example(9999.5, 4)
@example(0.00012345, 4)
@example(5e-324, 4)
@example(1.7976931348623157e308, 4)
def test_numbers_are_written_as_the_engine_writes_them(run: Run, x: float, digits: int) -> None:
    if math.isfinite(x):
        assert run("return number(given.x, given.digits)", {"x": x, "digits": digits}) == numeral(
            x, digits
        )


def test_what_is_no_number_is_written_too(run: Run) -> None:
    assert run("return [number(NaN), number(Infinity), number(-Infinity), number(-0)]") == [
        *map(numeral, (math.nan, math.inf, -math.inf)),
        "0",
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        *[("0.25", 0.25), (" -3 ", -3.0), ("−3", -3.0), ("1e-3", 0.001), ("0,5", 0.5)],
        *[("−1e−5", -1e-5), (".5", 0.5), ("5.", 5.0), ("+2", 2.0)],
    ],
)
def test_a_field_is_read_as_people_write_numbers(run: Run, text: str, wanted: float) -> None:
    assert run("return parsed(given)", text) == wanted


@pytest.mark.parametrize(
    "text", ["", " ", "a", "1 2", "--1", "1,000", "1,000,000", "0x10", "inf", "1e", "."]
)
def test_a_field_that_holds_no_number_is_not_one(run: Run, text: str) -> None:
    assert run("return Number.isNaN(parsed(given))", text)


# ---------------------------------------------------------------------- the table


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_computes_in_the_page_what_it_computes_here(run: Run, row: Op) -> None:
    # A negative base has a derivative by its whole exponent in the page, and none in the engine
    grid = [at for at in places(row) if not (row.name == "power" and at[0] < 0)]
    found = run(
        "const row = OPERATIONS[given.row];"
        "return given.grid.map((at) => { const out = row.value(...at);"
        " const read = (f) => f(out, ...at);"
        " return [out, row.partials.map(read), row.reads.map(read)] })",
        {"row": USED.index(row), "grid": [list(at) for at in grid]},
    )
    for at, (out, slopes, reads) in zip(grid, found, strict=True):
        right = row.value(*at)
        assert out == pytest.approx(right, rel=1e-13, abs=1e-300), at
        for slot in differentiable(row, at):
            wanted = row.partials(right, *at)[slot]
            assert slopes[slot] == pytest.approx(wanted, rel=1e-12, abs=1e-300), at
        if row.reads is not None:
            assert reads == pytest.approx(row.reads(right, *at), rel=1e-12, abs=1e-300), at


@pytest.mark.parametrize("row", [swish, double_swish], ids=lambda row: row.name)
def test_an_own_operation_made_of_others_computes_in_the_page_too(run: Run, row: Op) -> None:
    for x in (-3.0, 0.0, 0.7):
        found = run(
            f"const row = OPERATIONS[{USED.index(row)}]; const out = row.value(given);"
            f"return [out, row.partials[0](out, given)]",
            x,
        )
        assert found == pytest.approx([row(x), *row.partials(row(x), x)], rel=1e-12)


def test_an_own_operation_on_plain_numbers_is_known_to_python_only(run: Run) -> None:
    assert run("return OPERATIONS.at(-1).value") is None


# ---------------------------------------------------------------------- whole graphs


@settings(max_examples=150, deadline=None)
@given(programs(EVERY_KIND), st.lists(st.floats(-2.0, 2.0), min_size=4, max_size=4))
def test_values_and_gradients_are_the_engines_after_leaves_were_edited(
    run: Run, program: Program, edits: list[float]
) -> None:
    root = built(program)
    before, order = rows(root), topological_order(root)
    for leaf, x in zip(leaves(root), edits):
        leaf.data = x
    root.recompute()
    assume(all(abs(node.data) < 1e6 for node in order))
    values, slopes = run(
        "const graph = g.graphOf(given.rows);"
        "graph.values = g.evaluated(graph, new Map(given.edits));"
        "const slopes = g.gradientsAfter(graph, g.backwardSteps(graph));"
        "return [graph.values, [...slopes].map((x) => x ?? 0)]",
        {"rows": before, "edits": [[order.index(leaf), leaf.data] for leaf in leaves(root)]},
    )
    assert values == pytest.approx([node.data for node in order], rel=1e-12, abs=1e-12)
    right = gradients(root)
    scale = max(1.0, *map(abs, right.values()))
    assert slopes == pytest.approx(
        [right.get(node, 0.0) for node in order], rel=1e-12, abs=1e-12 * scale
    )


@settings(max_examples=100, deadline=None)
@given(programs(CALM))
def test_paths_and_their_count_are_the_engines(run: Run, program: Program) -> None:
    root = built(program)
    order = topological_order(root)
    for leaf in leaves(root):
        found = run(
            "const graph = g.graphOf(given.rows); return g.pathsTo(graph, given.node, 5)",
            {"rows": rows(root), "node": order.index(leaf)},
        )
        assert found["count"] == count_paths(root, leaf)
        products = [path.product for path in largest_paths(root, leaf, 5)]
        sizes = sorted(map(abs, products))
        assert sorted(abs(path["product"]) for path in found["paths"]) == pytest.approx(
            sizes, rel=1e-9, abs=1e-15
        )
        for path in found["paths"]:
            assert path["nodes"][0] == len(order) - 1
            assert path["nodes"][-1] == order.index(leaf)
            steps = zip(path["nodes"], path["slots"], path["nodes"][1:], strict=False)
            assert all(order[node].args[slot] is order[arg] for node, slot, arg in steps)


OUTSIDE: list[tuple[Callable[[Value], Value], float]] = [
    (lambda x: x.log(), -1.0),
    (lambda x: x.log(), 0.0),
    (lambda x: x.log1p(), -1.0),
    (lambda x: x.sqrt(), -1.0),
    (lambda x: 1.0 / x, 0.0),
    (lambda x: x / x, 0.0),
    (lambda x: x**0.5, -2.0),
    (lambda x: x**-1, 0.0),
    (lambda x: x**x, -1.5),
    (lambda x: x.exp(), 1000.0),
    (lambda x: x.expm1(), 1000.0),
    (lambda x: (x / 4.0).asin(), 8.0),
    (lambda x: (x / 4.0).atanh(), 8.0),
    (lambda x: x.acosh(), 0.5),
    (lambda x: x.rsqrt(), -1.0),
    (lambda x: x.reciprocal(), 0.0),
    (lambda x: x.log2(), -1.0),
    (lambda x: x.cosh(), 1000.0),
    (lambda x: x**3, 1e200),
    (lambda x: 2.0**x, 5000.0),
]


@pytest.mark.parametrize(("make", "edit"), OUTSIDE)
def test_an_edit_outside_the_domain_is_refused_in_the_engines_words(
    run: Run, make: Callable[[Value], Value], edit: float
) -> None:
    root = make(Value(2.0, "x"))
    (x,) = leaves(root)
    found = run(
        "const graph = g.graphOf(given.rows);"
        "try { g.evaluated(graph, new Map([[given.leaf, given.edit]])) }"
        "catch (error) { return [error.name, error.message, graph.values.includes(given.edit)] }",
        {"rows": rows(root), "leaf": topological_order(root).index(x), "edit": edit},
    )
    x.data = edit
    with pytest.raises((ValueError, OverflowError)) as caught:
        root.recompute()
    said = str(caught.value).split(". x is ")[0].rstrip(".")  # descent in the page says more itself
    assert found == ["RangeError", f"{said}.", False]


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x.sqrt(),
        lambda x: (x * x + 0.0).sqrt(),
        lambda x: x**0.5,
        lambda x: 2.0 * x.sqrt() + 1.0,
    ],
)
def test_where_there_is_no_slope_no_gradient_is_made_up(
    run: Run, make: Callable[[Value], Value]
) -> None:
    root = make(Value(0.0, "x"))
    with pytest.raises(ValueError, match="no finite derivative") as caught:
        root.backward()
    found = run(
        "const graph = g.graphOf(given);"
        "try { return g.finiteGradients(graph, g.backwardSteps(graph)) }"
        "catch (error) { return [error.name, error.message] }",
        rows(root),
    )
    assert found == ["RangeError", str(caught.value)]


def test_a_nan_that_was_there_is_no_error(run: Run) -> None:
    root = Value(math.nan, "x") * 2.0 + Value(1.0, "y")
    values = run(
        "const graph = g.graphOf(given); return g.evaluated(graph, new Map()).map(String)",
        rows(root),
    )
    assert "NaN" in values


# ---------------------------------------------------------------------- the quiz


@settings(max_examples=300, deadline=None)
@given(st.floats(-100.0, 100.0), st.floats(-100.0, 100.0), st.integers(1, 6))
@example(0.0, 0.3, 3)
@example(0.3, 0.0, 3)
def test_a_guess_is_right_where_the_engine_says_so(
    run: Run, guess: float, right: float, digits: int
) -> None:
    for said in (guess, float(f"{right:.{digits}g}")):
        assert run("return q.matches(given[0], given[1])", [said, right]) == matches(said, right)


def shared() -> Value:
    """Build a graph with two paths: one through tanh, one through a power and sin."""
    z = labelled(Value(0.7, "x") * 1.3, "z")
    return z.tanh() * 2.0 + (z**3 - 0.5).sin()


def looked_up() -> Value:
    """Build a graph with two look-ups in one column, in which one index is computed."""
    table = [Value(0.3 + 0.5 * i, f"w{i}") for i in range(4)]
    x = Value(1.25, "x")
    first, second = autograd.take(table, Value(2, "i")), autograd.take(table, autograd.floor(x))
    return (first * second * 1.5).tanh() + first * 0.75 - x


@pytest.mark.parametrize(
    "root",
    [
        *(neuron(), shared()),
        *(pytest.param(graph(), marks=pytest.mark.slow) for graph in (network, looked_up)),
    ],
)
def test_a_wrong_answer_is_told_what_the_engine_tells(run: Run, root: Value) -> None:
    order, found, graph = topological_order(root), gradients(root), rows(root)
    told = []
    for node in leaves(root):
        guesses = [value for value, _ in candidates(root, node, found)] + [found[node], 17.25, 0.0]
        for guess in {x for x in guesses if math.isfinite(x) and (x == 0 or abs(x) > 1e-12)}:
            wanted = judge(root, node, guess)
            got = run(
                "return q.judge(g.graphOf(given.rows), given.node, given.guess)",
                {"rows": graph, "node": order.index(node), "guess": guess},
            )
            assert got["right"] == wanted.right
            assert (
                got["text"].replace(
                    "each edge on a path to the output shows one", "explain() lists them"
                )
                == wanted.text
            )
            told.append(got["text"])
    assert any("is missing" in text for text in told)
    assert any("Multiply the factors" in text for text in told)


def test_the_largest_paths_come_first(run: Run) -> None:
    x = Value(1.0, "x")
    root = autograd.sum([x * factor for factor in (1.0, -9.0, math.nan, 4.0, 2.0)])
    found = run(
        "const graph = g.graphOf(given.rows);"
        "return g.pathsTo(graph, given.node, 3).paths.map(({ product }) => String(product))",
        {"rows": rows(root), "node": topological_order(root).index(x)},
    )
    assert found == ["NaN", "-9", "4"]


@pytest.mark.parametrize(("limit", "said"), [(5000, "is missing."), (0, "shows one.")])
def test_in_a_large_graph_single_factors_are_not_tried(run: Run, limit: int, said: str) -> None:
    text = run(
        "const before = QUIZ.limit; QUIZ.limit = given.limit;"
        "try { return q.judge(g.graphOf(given.rows), 0, 2).text } finally { QUIZ.limit = before }",
        {"rows": rows((Value(0.5, "x") * 2.0).tanh()), "limit": limit},
    )
    assert text.endswith(said)
