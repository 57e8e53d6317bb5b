"""Tests of notation: numbers, formulas and nodes as text."""

from __future__ import annotations

import math

import pytest

from autograd import Value
from autograd.core.notation import expression, name, shortened
from autograd.core.term import Term, numeral

a, b, z = Term("a", 0.75), Term("b", 2.0), Term("z", -2.0)


@pytest.mark.parametrize(
    ("term", "text"),
    [
        (a + b - z, "a + b − z"),
        (a - (b - z), "a − (b − z)"),
        (a * (b + z), "a(b + z)"),
        ((a + b) * z, "(a + b)·z"),
        (2 * a, "2a"),
        (2 * a * b, "2a·b"),
        (a * 2, "a·2"),
        (-2.0 * a, "-2a"),
        (a * -1, "−a"),
        (-(a + b), "−(a + b)"),
        (a * -b, "a(−b)"),
        (a / (b * z), "a/(b·z)"),
        (a / b / z, "a/b/z"),
        (a**2, "a²"),
        ((a + b) ** 10, "(a + b)¹⁰"),
        (a**-1, "a^(-1)"),
        (a**0.5, "a^0.5"),
        (a**b, "a^b"),
        ((a**2) ** 3, "(a²)³"),
        (a + 0, "a"),
        (0 + a, "a"),
        (a - 0, "a"),
        (1 * a, "a"),
        (a * 0, "0"),
        (a**1, "a"),
        (a**0, "1"),
        (a / 1, "a"),
        (Term.of(2) * 3 + 1, "7"),
    ],
)
def test_formulas(term: Term, text: str) -> None:
    assert term.text == text


def test_a_formula_knows_its_number() -> None:
    assert (2 * (a - z) / b).number == 2.75
    assert math.isnan((a / 0).number)
    assert math.isnan((z**0.5).number)


def test_a_formula_compares_by_its_number_and_is_no_float() -> None:
    assert (a < b, a <= b, a > b, a >= b) == (True, True, False, False)
    with pytest.raises(TypeError):
        float(a)


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (1.0, "1"),
        (0.123456, "0.1235"),
        (-1e-12, "-1e-12"),
        (math.inf, "inf"),
        (12345.0, "1.234e+04"),
    ],
)
def test_numbers(x: float, text: str) -> None:
    assert numeral(x) == text


def test_a_node_is_called_by_label_then_by_formula() -> None:
    x, w = Value(1.5, label="x"), Value(0.5, label="w")
    y = (w * x + 1.0) ** 2
    assert name(y).text == "(w·x + 1)²"
    y.label = "y"
    assert name(y).text == "y"
    assert expression(y).text == "(w·x + 1)²"
    assert name(Value(0.25)).text == "0.25"
    assert expression(x).text == "x"


def test_node_names_do_not_hide_what_is_there() -> None:
    x = Value(2.0, label="x")
    assert name(0 + x * 1).text == "0 + x·1"


def test_long_formulas_are_cut() -> None:
    x = Value(1.0, label="x")
    y = x
    for _ in range(50):
        y = y + x
    assert name(y).text == "… + x + x + x"
    x.label = "long" * 100
    assert len(name(x).text) == 32


def test_control_characters_and_newlines_become_spaces() -> None:
    assert shortened("a\n\x00\tb") == "a   b"


def test_absolute_values_and_powers_of_numbers() -> None:
    assert [abs(a).text, (2**a).text, (+a).text] == ["|a|", "2^a", "a"]
