"""Tests of `take`: values, gradients, changes of the index, and errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import DomainError, Value, grad, gradcheck, take
from autograd.core.backprop import gradients
from autograd.core.graph import topological_order
from autograd.extend import TABLE
from tests import oracle

UNTYPED: Any = take


def table(rows: int = 4, columns: int = 2) -> list[list[Value]]:
    return [[Value(i + j / 10, f"W[{i},{j}]") for j in range(columns)] for i in range(rows)]


@given(st.lists(st.floats(-2.0, 2.0), min_size=1, max_size=30), st.data())
def test_the_value_is_the_entry_and_the_gradient_goes_to_it_alone(
    numbers: list[float], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(numbers) - 1))
    entries = [Value(x) for x in numbers]
    out = take(entries, Value(index)) * 3.0
    out.backward()
    assert out.data == numbers[index] * 3.0
    assert [entry.grad for entry in entries] == [3.0 * (i == index) for i in range(len(entries))]
    assert gradients(out) == {
        node: node.grad for node in topological_order(out) if node.op.name != "constant"
    }


@given(st.integers(0, 3))
def test_the_row_is_the_closed_form(index: int) -> None:
    numbers = (0.5, -1.5, 2.5, 0.25)
    row = TABLE["take"]
    assert row.value(index, *numbers) == oracle.value("take", (index, *numbers))
    slopes = row.partials(numbers[index], index, *numbers)
    formula = oracle.FORMULAS["take"]
    wanted = [oracle.partial(formula, (index, *numbers), k) for k in range(1, 5)]
    assert slopes == pytest.approx([0.0, *map(float, wanted)])
    assert [row.slope(k, None, index, *numbers) for k in range(5)] == list(slopes)


def test_a_table_gives_the_row_and_several_indices_give_rows() -> None:
    w = table()
    row = take(w, 2)
    assert [v.data for v in row] == [2.0, 2.1]
    assert [[v.data for v in row] for row in take(w, [3, Value(0)])] == [[3.0, 3.1], [0.0, 0.1]]
    assert [v.data for v in take(np.array(w), np.int64(1))] == [1.0, 1.1]
    assert take([[[1.0, 2.0]], [[3.0, Value(4.0)]]], 1)[0][1].data == 4.0
    assert take([1.0, 2.0], np.array([1, 1]))[0].data == 2.0


def test_an_entry_that_is_listed_twice_gets_both_gradients() -> None:
    x = Value(2.0)
    (take([x, x], 0) + take([x, x], 1)).backward()
    assert x.grad == 2.0


def test_after_a_change_of_the_index_recompute_chooses_another_entry() -> None:
    w, token = table(), Value(1, "token")
    out = autograd.sum(take(w, token))
    assert out.data == 2.1
    token.data = 3
    assert out.recompute().data == 6.1
    out.backward()
    assert (w[3][0].grad, w[1][0].grad, token.grad) == (1.0, 0.0, 0.0)


def test_a_computed_index_chooses_too_and_gets_no_gradient() -> None:
    x = Value(1.0)
    out = take([Value(5.0), Value(7.0)], x.step())
    out.backward()
    assert (out.data, x.grad) == (7.0, 0.0)


def test_second_derivatives_go_through_the_chosen_entry_and_follow_the_index() -> None:
    w, token = [Value(2.0), Value(3.0)], Value(1)
    out = take(w, token) ** 3
    slopes = grad(out, w, create_graph=True)
    assert [slope.data for slope in slopes] == [0.0, 27.0]
    assert grad(slopes[1], w) == (0.0, 18.0)
    token.data = 0
    assert [slope.recompute().data for slope in slopes] == [12.0, 0.0]


def test_a_gradient_that_is_not_finite_reaches_the_chosen_entry_alone() -> None:
    w = [Value(1.0), Value(2.0)]
    out = take(w, 1) * math.inf
    out.backward()
    assert [v.grad for v in w] == [0.0, math.inf]
    assert grad(out, w) == (0.0, math.inf)


def test_no_gradient_enters_a_constant() -> None:
    v = Value(1.0)
    (take([3.0, v], 0) + take([3.0, v], 1)).backward()
    assert v.grad == 1.0


def test_a_numeric_check_leaves_the_index_alone_and_says_so() -> None:
    w, token = table(), Value(1, "token")
    found = gradcheck((take(w, token)[0] * take(w, token)[1]).tanh())
    assert found
    (row,) = [row for row in found if row.leaf is token]
    assert (row.verdict, row.analytic) == ("index", 0.0)
    assert "index" in str(found)
    assert len(found) == 9
    assert gradcheck(lambda a, b: take([a, b * b], 1), [2.0, 3.0])


def test_a_wrong_gradient_of_a_step_that_is_an_index_is_still_checked() -> None:
    x = Value(0.5)
    (row,) = gradcheck(take([1.0, 2.0], x.step()))
    assert row.verdict == "ok"


def test_the_formula_of_a_look_up_is_short() -> None:
    w, token = table(27, 1), Value(1, "token")
    assert (
        str(autograd.core.notation.expression(take(w, token)[0])) == "[W[0,0], …, W[26,0]][token]"
    )
    a, b = Value(1.0, "a"), Value(2.0, "b")
    assert str(autograd.core.notation.expression(take([a, b], 1))) == "[a, b][1]"


def test_it_is_explained() -> None:
    w, token = table(), Value(1, "token")
    row = take(w, token)
    row[0].label, row[1].label = "e0", "e1"
    out = row[0] * row[1]
    out.label = "y"
    assert str(out.explain(w[1][0])) == (
        "∂y/∂W[1,0] = ∂y/∂e0 · ∂e0/∂W[1,0]\n           = e1 · 1\n           = 1.1 · 1\n"
        "           = 1.1"
    )
    assert out.explain(w[2][0]).total == 0.0


@pytest.mark.parametrize(
    ("index", "kind", "words"),
    [
        (27, ValueError, "take: token 27 is out of range for a table of 27 rows: 0 to 26"),
        (Value(30, "t"), ValueError, r"token 30 \(t\) is out of range for a table of 27 rows"),
        (-1, ValueError, "token -1 is negative, and nothing counts from the end of a table of 27"),
        (1.5, ValueError, "token 1.5 is no whole number"),
        (Value(0.5, "t"), ValueError, r"token 0.5 \(t\) is no whole number"),
        (math.nan, ValueError, "token nan is no whole number"),
        (math.inf, ValueError, "token inf is no whole number"),
        (True, TypeError, "a token is a whole number, an int or a Value, got True"),
        ("a", TypeError, "a token is a whole number.*got 'a'"),
        (None, TypeError, "a token is a whole number.*got None"),
        ([0, 27], ValueError, "token 27 is out of range"),
    ],
)
def test_an_index_that_is_no_place_is_refused(index: Any, kind: Any, words: str) -> None:
    with pytest.raises(kind, match=words):
        UNTYPED(table(27), index)
    if kind is ValueError:
        with pytest.raises(DomainError):
            UNTYPED(table(27), index)


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        ([], ValueError, "the table has no rows"),
        ([[1.0, 2.0], [3.0]], ValueError, "row 0 has length 2, and row 1 has length 1"),
        ([1.0, [2.0]], ValueError, "row 0 has no length, and row 1 has length 1"),
        ("ab", TypeError, "take looks up in a list.*got 'ab'"),
        (Value(1.0), TypeError, "take looks up in a list"),
        (["a", "b"], TypeError, "take expected one real number, got str 'a'"),
    ],
)
def test_what_is_no_table_is_refused(values: Any, kind: Any, words: str) -> None:
    with pytest.raises(kind, match=words):
        UNTYPED(values, 0)


def test_a_changed_index_that_is_no_place_leaves_the_graph_alone() -> None:
    token = Value(1, "token")
    out = take([Value(1.0), Value(2.0)], token)
    token.data = 2
    with pytest.raises(
        DomainError, match=r"token 2 \(token\) is out of range for a table of 2 rows"
    ):
        out.recompute()
    assert out.data == 2.0


def test_the_row_is_a_function_too() -> None:
    row: Callable[..., Any] = TABLE["take"]
    assert row(1, 5.0, 7.0) == 7.0
    assert row(np.array([0.0, 1.0]), 5.0, 7.0).tolist() == [5.0, 7.0]
    with pytest.raises(ValueError, match="out of range"):
        row(2, 5.0, 7.0)
    out = take([Value(5.0), Value(7.0)], 0)
    out.args = (*out.args, Value(9.0))
    assert len(out.args) == 4
    with pytest.raises(ValueError, match="two or more"):
        out.args = (Value(1.0),)


# ---------------------------------------------------------------------- steps and pictures


def test_only_the_chosen_entry_is_stepped_through() -> None:
    w, token = table(27), Value(2, "token")
    row = take(w, token)
    out = row[0] * row[1]
    out.backward()
    steps = list(out.stepper())
    assert [step.operand for step in steps] == [row[0], row[1], w[2][1], w[2][0]]
    assert steps[-1].rule == "∂[W[0,0], …, W[26,0]][token]/∂W[2,0] = 1"
    assert [step.total for step in steps[2:]] == [w[2][1].grad, w[2][0].grad]


def test_only_the_chosen_entry_and_the_index_are_drawn() -> None:
    w, token = table(27), Value(2, "token")
    out = take(w, token)[0] * 2.0
    source = out.draw().source
    assert "W[2,0]" in source and "token" in source and "one of 27" in source
    assert source.count(" -> ") == 4 and "folded" not in source
    assert ">W[3,0]<" not in source
    token.data = 3
    out.recompute()
    assert ">W[3,0]<" in out.draw().source and ">W[2,0]<" not in out.draw().source
    token.data = 30
    assert ">W[26,0]<" in out.draw().source  # stale: no entry is the chosen one


def test_an_entry_that_is_used_elsewhere_is_drawn_with_this_use() -> None:
    w = [Value(1.0, "w0"), Value(2.0, "w1")]
    out = take(w, 0) * w[1]
    assert out.draw().source.count(" -> ") == 4
    assert "w1" in out.draw(around="w1").source
    alone = take(w, 0) * 1.0
    assert ">w1<" not in alone.draw().source
    assert alone.draw(path=("w1", alone)).source.count(" -> ") == 5  # asked for: it is shown


def test_a_large_table_is_not_what_folds_a_picture() -> None:
    w, token = table(500), Value(7, "token")
    out = autograd.sum(take(w, token))
    assert "folded" not in out.draw().source


def test_no_gradient_is_stepped_through_what_only_an_index_depends_on() -> None:
    a, b, x = Value(3.0, "a"), Value(4.0, "b"), Value(1.5, "x")
    out = take([a, b], autograd.floor(x)) * x
    steps = list(out.stepper())
    assert [step.operand for step in steps[:2]] == [steps[2].node, x]
    assert steps[2].operand is b and len(steps) == 3
