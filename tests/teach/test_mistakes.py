"""Tests of checked answers: right and wrong gradients, and the explanation of each mistake."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from autograd import Value
from autograd.core import ops
from autograd.core.backprop import gradients, locals_of
from autograd.core.find import find
from autograd.core.graph import topological_order
from autograd.core.paths import Path
from autograd.teach.mistakes import judge, matches
from autograd.teach.slips import PATHS, candidates
from tests.examples import labelled, network, neuron, words
from tests.random_graphs import CALM, GUARDED, Program, built, programs

HINT = "Check each factor"


def square() -> Value:
    """Build y = x²: ∂y/∂x = 2x = 6."""
    return labelled(Value(3.0, "x") ** 2, "y")


def product() -> Value:
    """Build y = x·x: ∂y/∂x = 3 + 3 = 6."""
    x = Value(3.0, "x")
    return labelled(x * x, "y")


def three_terms() -> Value:
    """Build y = 2x + 5x + 11x: ∂y/∂x = 18."""
    x = Value(3.0, "x")
    return labelled(2 * x + 5 * x + 11 * x, "y")


def fork() -> Value:
    """Build z = 3w, p = 5z, q = 7z, C = p + q: ∂C/∂w = 3·5 + 3·7 = 36."""
    z = labelled(3 * Value(2.0, "w"), "z")
    p, q = labelled(5 * z, "p"), labelled(7 * z, "q")
    return labelled(p + q, "C")


def difference() -> Value:
    """Build C = 5z − 7z with z = 3w: ∂C/∂w = 3·5 − 3·7 = −6."""
    z = labelled(3 * Value(2.0, "w"), "z")
    return labelled(labelled(5 * z, "p") - labelled(7 * z, "q"), "C")


def joined() -> Value:
    """Build s = x·x, y = s³, x = 1.5: ∂y/∂x = 3s²·(x + x) = 15.19 · 3."""
    x = Value(1.5, "x")
    return labelled(labelled(x * x, "s") ** 3, "y")


def cube() -> Value:
    """Build y = x³ at 2: ∂y/∂x = 3x² = 12."""
    return labelled(Value(2.0, "x") ** 3, "y")


def three_ways() -> Value:
    """Build z = 2x, C = 3z + 2z + 10.5z: ∂C/∂x = 6 + 4 + 21, all through z."""
    z = labelled(2.0 * Value(1.0, "x"), "z")
    return labelled(labelled(labelled(3.0 * z, "p") + labelled(2.0 * z, "q"), "s") + 10.5 * z, "C")


@pytest.mark.parametrize(
    ("make", "label", "true", "guess", "mistake"),
    [
        (square, "x", 6, -6, ["sign is wrong"]),
        (neuron, "w", -0.1586313, 0.159, ["sign is wrong"]),
        (product, "x", 6, 3, ["add up (+=)", "only 1 of 2 was kept"]),
        (three_terms, "x", 18, 11, ["add up (+=)", "only 1 of 3 was kept"]),
        (three_terms, "x", 18, 2, ["add up (+=)", "only 1 of 3 was kept"]),
        (three_terms, "x", 18, 13, ["path is missing", "contribution is 5"]),
        (three_terms, "x", 18, 7, ["path is missing", "contribution is 11"]),
        (fork, "w", 36, 15, ["path from z to q is missing"]),
        (fork, "w", 36, 21, ["path from z to p is missing"]),
        (square, "x", 6, 0, ["path from x to y is missing"]),
        (square, "x", 6, 1, ["factor", "2x = 6 is missing"]),
        (neuron, "w", -0.1586313, -0.1058, ["factor", "x = 1.5 is missing"]),
        (neuron, "w", -0.1586313, -0.807, ["factor", "a(1 − a) = 0.1966 is missing"]),
        (neuron, "w", -0.1586313, 0.295, ["factor", "2(a − 1) = -0.5379 is missing"]),
        (joined, "x", 45.5625, 3, ["factor 3s² = 15.19 is missing"]),
        (difference, "w", -6, 36, ["sign of the factor", "is wrong"]),
        (difference, "w", -6, -36, ["sign of the factor", "= 5 is wrong"]),
        (square, "x", 6, 9, ["uses the value of y where it needs the derivative", "2x = 6"]),
        (
            neuron,
            "w",
            -0.1586313,
            -0.59,
            ["uses the value of a where it needs the derivative", "a(1 − a)"],
        ),
        (square, "x", 6, 3, ["uses the value of x where it needs the derivative", "2x = 6"]),
        (neuron, "w", -0.1586313, -0.0793, ["uses the value of a − 1 where", "2(a − 1)"]),
        (square, "x", 6, 36, ["2x = 6 was used twice"]),
        (neuron, "w", -0.1586313, -0.0312, ["a(1 − a) = 0.1966 was used twice"]),
        (square, "x", 6, 0.1667, ["Multiply by the factor", "2x = 6", "do not divide"]),
        (neuron, "w", -0.1586313, -4.104, ["Multiply by the factor", "a(1 − a)", "not divide"]),
        (
            neuron,
            "w",
            -0.1586313,
            1.5,
            ["only ∂(w·x)/∂w:", "other factors of the path are missing"],
        ),
        (neuron, "w", -0.1586313, 0.19661, ["only ∂a/∂z:"]),
        (fork, "w", 36, 27, ["Multiply the upstream gradient 12 by", "do not add them"]),
        (network, "w1", -0.68097307, 0.18664552, ["gradient of w2"]),
        (neuron, "w", -0.1586313, -0.21699, ["1 − a instead of the factor", "a(1 − a)"]),
        (neuron, "w", -0.1586313, -0.37540, ["derivative of tanh", "sigmoid computes a"]),
        (neuron, "w", -0.1586313, 1.15876, ["Multiply", "do not add them: -0.5379 · 0.1966 · 1.5"]),
        (neuron, "w", -0.1586313, -0.91262, ["Multiply", "do not add them: 0.1966 · 1.5"]),
        (neuron, "w", -0.1586313, -1.586313, ["decimal point is in the wrong place"]),
        (neuron, "w", -0.1586313, -0.001586313, ["decimal point is in the wrong place"]),
        (neuron, "w", -0.1586313, -0.0114737, ["C = 0.07233 is not a factor here"]),
        (neuron, "w", -0.1586313, -0.4758939, ["3 times the right gradient"]),
        (neuron, "w", -0.1586313, -0.05287711, ["right gradient divided by 3"]),
        (cube, "x", 12, 4, ["3 is missing from the factor 3x²"]),
        (cube, "x", 12, 24, ["multiplied by x one time too many"]),
        (three_ways, "x", 31, 10, ["path from z to 10.5z is missing"]),
        (three_ways, "x", 31, 6, ["one path of 3"]),
        (square, "x", 6, 1234.5, [HINT]),
    ],
)
def test_a_wrong_gradient_is_told_why(
    make: Callable[[], Value], label: str, true: float, guess: float, mistake: list[str]
) -> None:
    root = make()
    node = find(root, label)
    assert gradients(root)[node] == pytest.approx(true, rel=1e-6)
    found = judge(root, node, guess)
    assert (found.node, found.right) == (node, False)
    assert words(found.text).startswith(f"{label}: {guess} is not right.")
    assert [part for part in mistake if part not in words(found.text)] == []


def test_a_factor_that_is_a_number_is_not_called_equal_to_itself() -> None:
    root = fork()
    text = judge(root, find(root, "w"), 12).text
    assert "is missing" in text
    assert "3 = 3" not in text


def test_the_gradient_that_flows_in_is_a_factor_too() -> None:
    y = square()
    found = judge(y, y.args[0], 6, gradient=2.0)
    assert not found.right
    assert "The gradient of the output, 2, is missing" in words(found.text)
    assert judge(y, y.args[0], 12, gradient=2.0).right


def test_a_right_guess_is_shown_what_it_was_rounded_from() -> None:
    root, y = neuron(), square()
    assert judge(root, find(root, "w"), -0.16).text == "w: -0.16 is right (-0.1586313)."
    assert judge(y, y.args[0], 6).text == "x: 6 is right."


def test_the_gradient_of_the_output_itself_is_one() -> None:
    y = square()
    assert judge(y, y, 1).right
    assert "sign" in judge(y, y, -1).text


def test_judging_leaves_data_and_gradients_as_they_were() -> None:
    root = neuron()
    order = topological_order(root)
    for i, node in enumerate(order):
        node.grad = float(i)
    before = [(node.data, node.grad) for node in order]
    judge(root, find(root, "w"), 5.0)
    assert [(node.data, node.grad) for node in order] == before


def test_a_very_large_graph_is_judged_without_trying_every_factor() -> None:
    x = y = Value(0.5, "x")
    for _ in range(20_000):
        y = y * 0.9999
    assert judge(y, x, gradients(y)[x]).right
    assert HINT in words(judge(y, x, 7.5).text)


# ---------------------------------------------------------------------- rounding


@pytest.mark.parametrize(
    ("guess", "true", "right"),
    [
        (-0.1586312784, -0.15863127838821, True),
        (-0.1586, -0.15863, True),
        (-0.159, -0.15863, True),
        (-0.16, -0.15863, True),
        (-0.15, -0.15863, False),
        (-0.158, -0.15863, False),
        (0.16, -0.15863, False),
        (-0.2, -0.15863, False),  # one digit is too few
        (12, 12.4, True),
        (12, 12.6, False),
        (12.0001, 12.0, True),  # the precision of factors with four digits
        (1.2e-7, 1.23e-7, True),
        (1.2e-7, 1.26e-7, False),
        (1.3e-13, 1e-13, False),
        (-1e-13, 1e-13, False),
        (1.235e5, 123456.0, True),
        (124000, 123456.0, False),
        (100000, 99995.0, True),
        (123, 1.23e20, False),
        (1.23e20, 1.2345e20, True),
        (0, 0.0, True),
        (0, -0.0, True),
        (0, 1e-17, True),  # the size of 0.1 + 0.2 − 0.3
        (0, 0.3, False),
        (0.01, 0.0, False),
        (math.inf, math.inf, True),
        (math.inf, 1.0, False),
        (1.0, math.inf, False),
        (math.nan, 1.0, False),
        (1.0, math.nan, False),
    ],
)
def test_a_guess_is_right_in_the_digits_in_which_it_is_given(
    guess: float, true: float, right: bool
) -> None:
    assert matches(guess, true) is right


@given(st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False), st.integers(4, 15))
def test_a_number_rounded_to_four_digits_or_more_is_always_right(true: float, digits: int) -> None:
    rounded = float(f"{true:.{digits}g}")
    assume(math.isfinite(rounded))
    assert matches(rounded, true)


@given(
    st.floats(min_value=1e-300, max_value=1e300),
    st.sampled_from([0.0, 0.7, 1.3, -1.0, 2.0, 0.5, 10.0, 0.1]),
    st.booleans(),
)
def test_a_number_far_off_is_never_right(true: float, factor: float, negative: bool) -> None:
    assume(factor or true > 1e-12)
    true = -true if negative else true
    assert not matches(factor * true, true)


# ---------------------------------------------------------------------- random graphs


def chosen(root: Value, data: st.DataObject) -> tuple[Value, float]:
    """Draw a node, and return it with its gradient."""
    nodes = [node for node in topological_order(root) if node.op is not ops.constant]
    node = data.draw(st.sampled_from(nodes))
    return node, gradients(root)[node]


@settings(deadline=None)
@given(programs((*CALM, *GUARDED)), st.data())
def test_the_true_gradient_in_four_digits_is_always_right(
    program: Program, data: st.DataObject
) -> None:
    root = built(program)
    node, true = chosen(root, data)
    assert judge(root, node, float(f"{true:.4g}")).right
    assert judge(root, node, true).right


@settings(deadline=None)
@given(programs((*CALM, *GUARDED)), st.data(), st.sampled_from([0.7, 1.3, -1.0]))
def test_a_gradient_that_is_far_off_is_never_right(
    program: Program, data: st.DataObject, factor: float
) -> None:
    root = built(program)
    node, true = chosen(root, data)
    assume(abs(true) > 1e-300)
    assert not judge(root, node, factor * true).right


Planted = Callable[[Path, int], float]
"""From a path and the position of a factor: the path's product with that factor wrong."""


def replaced(change: Callable[[Value, int, float], float]) -> Planted:
    """Return a mistake that changes one local derivative of a path."""

    def carried(path: Path, at: int) -> float:
        wrong = change(path.nodes[at], path.slots[at], path.locals[at])
        return math.prod([*path.locals[:at], wrong, *path.locals[at + 1 :]])

    return carried


def pair_added(path: Path, at: int) -> float:
    """Compute a path's product with two neighbouring factors added instead of multiplied."""
    assume(at > 0)
    first, second = path.locals[at - 1 : at + 1]
    return math.prod([*path.locals[: at - 1], first + second, *path.locals[at + 1 :]])


PLANTED: dict[str, Planted] = {
    "missing": replaced(lambda node, slot, local: 1.0),
    "sign": replaced(lambda node, slot, local: -local),
    "twice": replaced(lambda node, slot, local: local * local),
    "no path": replaced(lambda node, slot, local: 0.0),
    "value for slope": replaced(lambda node, slot, local: node.data),
    "operand for slope": replaced(lambda node, slot, local: node.args[slot].data),
    "one minus": replaced(lambda node, slot, local: 1.0 - node.data),
    "divided": replaced(lambda node, slot, local: 1.0 / local if local else 0.0),
    "sum for product": pair_added,
    "all added": lambda path, at: math.fsum(x for x in path.locals if x != 1.0),
}


@settings(deadline=None, max_examples=150)
@given(programs((*CALM, *GUARDED), most=6), st.data(), st.sampled_from(sorted(PLANTED)))
def test_one_mistake_on_one_path_is_always_given_a_name(
    program: Program, data: st.DataObject, mistake: str
) -> None:
    root = built(program)
    node, true = chosen(root, data)
    paths = root.explain(node, max_paths=PATHS + 1).paths
    assume(len(paths) <= PATHS)
    path = data.draw(st.sampled_from(paths))
    assume(path.locals)
    wrong = PLANTED[mistake](path, data.draw(st.integers(0, len(path.locals) - 1)))
    named(root, node, true - path.product + wrong)


def named(root: Value, node: Value, guess: float) -> None:
    """Check that a wrong guess gets an explanation."""
    true = gradients(root)[node]
    assume(math.isfinite(guess) and abs(guess) > 1e-6 and not matches(guess, true))
    found = judge(root, node, guess)
    assert not found.right
    assert HINT not in words(found.text)


@settings(deadline=None)
@given(programs(CALM, most=6), st.data(), st.sampled_from(["missing", "sign", "twice", "no path"]))
def test_one_wrong_factor_on_all_paths_is_always_given_a_name(
    program: Program, data: st.DataObject, mistake: str
) -> None:
    root = built(program)
    node, _ = chosen(root, data)
    paths = root.explain(node, max_paths=10_000).paths
    path = paths[data.draw(st.integers(0, len(paths) - 1))]
    assume(path.locals)
    at = data.draw(st.integers(0, len(path.locals) - 1))
    wrong = (path.nodes[at], path.slots[at])
    guess = 0.0
    for other in paths:
        places = list(zip(other.nodes, other.slots))
        met = wrong in places
        guess += PLANTED[mistake](other, places.index(wrong)) if met else other.product
    named(root, node, guess)


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        *[
            (10.0**places, "decimal point is in the wrong place")
            for places in (-3, -2, -1, 1, 2, 3)
        ],
        *[(k, f"{k} times the right gradient") for k in range(2, 10)],
        *[(1.0 / k, f"right gradient divided by {k}") for k in range(3, 10)],
    ],
)
def test_a_factor_is_named(factor: float, said: str) -> None:
    root = neuron()
    node = find(root, "w")
    assert said in judge(root, node, gradients(root)[node] * factor).text


@settings(deadline=None, max_examples=200)
@given(programs((*CALM, *GUARDED), most=6), st.data())
def test_a_gradient_with_something_else_in_its_place_is_always_given_a_name(
    program: Program, data: st.DataObject
) -> None:
    root = built(program)
    node, true = chosen(root, data)
    found = gradients(root)
    other = data.draw(st.sampled_from([node for node in found if node.op is not ops.leaf]))
    local = data.draw(st.sampled_from(locals_of(other) or (1.0,)))
    places, k = data.draw(st.sampled_from([-3, -2, -1, 1, 2, 3])), data.draw(st.integers(2, 10))
    guesses = {
        "the gradient of another node": found[other],
        "an extra factor": true * other.data,
        "an extra slope": true * local,
        "a slipped decimal point": true * 10.0**places,
        "a multiple": true * k,
        "a share": true / k,
    }
    named(root, node, guesses[data.draw(st.sampled_from(sorted(guesses)))])


@settings(deadline=None, max_examples=100)
@given(programs((*CALM, *GUARDED), most=6), st.data())
def test_what_is_said_is_said_of_this_number(program: Program, data: st.DataObject) -> None:
    root = built(program)
    node, true = chosen(root, data)
    guess = true * data.draw(st.floats(-20.0, 20.0))
    text = judge(root, node, guess).text
    given_names = {says() for value, says in candidates(root, node, gradients(root))
                   if matches(guess, value)}  # fmt: skip
    assert (
        HINT in text
        or "right" in text
        or "carry" in text
        or text.split("right. ")[1] in given_names
    )


def test_a_slope_taken_at_the_operand_in_place_of_the_value_is_named() -> None:
    z = Value(2.0, "z")
    a = labelled(z.sigmoid(), "a")
    text = judge(a, z, 2.0 * (1.0 - 2.0)).text
    assert (
        text == "z: -2 is not right. The factor a(1 − a) = 0.105 was computed from z instead of a."
    )


def test_a_product_of_the_factors_as_they_are_printed_is_right() -> None:
    root = neuron()
    assert judge(root, find(root, "w"), -0.5379 * 0.1966 * 1.5).right


@pytest.mark.parametrize("guess", [-0.158, -0.2])
def test_a_guess_that_is_close_is_told_to_carry_more_digits(guess: float) -> None:
    root = neuron()
    judgement = judge(root, find(root, "w"), guess)
    assert not judgement.right
    assert judgement.text.endswith("is close, but not right: compute with more digits.")


def test_a_verdict_marks_right_and_wrong() -> None:
    html = neuron().stepper().check(w=-0.16, b=3)._repr_html_()
    assert html.index("✓") < html.index("w: -0.16") < html.index("✗") < html.index("b: 3")


def test_a_verdict_is_true_if_all_answers_are_right() -> None:
    s = neuron().stepper()
    assert s.check({"w": -0.1586, "b": -0.1058})
    assert not s.check({"w": -0.1586, "b": 0.1058})
    assert not s.check({"w": 0.1586, "b": -0.1058})
