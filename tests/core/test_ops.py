"""Tests that every row of the table of operations must pass."""

from __future__ import annotations

import ast
import inspect
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

import autograd
from autograd import DivisionByZeroError, Op, Value, grad, gradcheck
from autograd.core import ops
from autograd.core.backprop import gradients
from autograd.core.derived import derive_partials, derive_value
from autograd.core.term import ATOM, Term, write_formula
from autograd.extend import TABLE
from tests import oracle
from tests.random_graphs import CALM, GUARDED, LEFT_OUT, PIECEWISE
from tests.rows import ROWS, differentiable, places


def close(got: float, wanted: Any, rel: float = 1e-14) -> bool:
    return abs(mpf(got) - wanted) <= rel * abs(wanted) + mpf(10) ** -300


every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


@every_row
def test_value_is_the_closed_form(row: Op) -> None:
    assert len(without_tails(positive_bases(row))) >= 5
    rel = 4e-14 if row.name == "gelu" else 1e-14  # one rounding of −20/√2 changes gelu(−20) by 400
    for at in places(row):
        assert close(row.value(*at), oracle.value(row.name, at), rel), at


@every_row
def test_partials_are_the_derivatives_of_the_closed_form_tails_included(row: Op) -> None:
    for at in places(row):
        for slot in differentiable(row, at):
            wanted = oracle.partial(oracle.FORMULAS[row.name], at, slot)
            if row.name == "stop_gradient":
                wanted = mpf(0)  # its derivative is zero by definition
            if row.name == "power" and at[0] < 0:
                got = at[1] * at[0] ** (at[1] - 1)  # the other partial does not exist
            else:
                got = row.partials(row.value(*at), *at)[slot]
            assert close(got, wanted, 1e-13), (at, slot)


not_by_decree = pytest.mark.parametrize(  # the derivative of stop_gradient is zero by definition
    "row", [row for row in ROWS if row.name != "stop_gradient"], ids=lambda row: row.name
)


def positive_bases(row: Op) -> list[tuple[float, ...]]:
    """Return the row's places, without those where a power has no derivative by its exponent."""
    return [at for at in places(row) if row.name != "power" or at[0] > 0]


@not_by_decree
def test_second_derivatives_come_from_the_same_row(row: Op) -> None:
    for at in positive_bases(row)[::5]:
        slots = differentiable(row, at)
        leaves = [Value(x) if slot in slots else x for slot, x in enumerate(at)]
        inputs = [leaf for leaf in leaves if isinstance(leaf, Value)]
        first = grad(row(*leaves), inputs, create_graph=True)
        for i, slope in zip(slots, first):
            second: dict[Any, Any] = gradients(slope)
            for j in slots:
                wanted = oracle.second_partial(oracle.FORMULAS[row.name], at, i, j)
                got = second.get(leaves[j], 0.0)
                assert abs(got - wanted) <= 1e-9 * max(1, abs(wanted)), (at, i, j)


@not_by_decree
def test_a_numeric_check_that_never_calls_the_partials_agrees(row: Op) -> None:
    for at in positive_bases(row):
        operands = [Value(x) if i in differentiable(row, at) else x for i, x in enumerate(at)]
        assert gradcheck(row(*operands)), at


def test_every_operation_is_in_random_programs_or_left_out_on_purpose() -> None:
    drawn = {name.removesuffix("_tanh") for name in (*CALM, *PIECEWISE, *GUARDED)}
    assert drawn | set(LEFT_OUT) == set(TABLE)


# ---------------------------------------------------------------------- rules

SOURCE = ast.parse(inspect.getsource(ops))

SPELLING = {"·": "*", "−": "-", "½": "0.5", "²": "**2", "^": "**", "σ(": "sigmoid("}
FUNCTIONS = {"max": max, "min": min, "π": mp.pi, "Φ": mp.ncdf, "φ": mp.npdf, **oracle.FORMULAS}


def read(formula: str, operands: dict[str, Any]) -> Any:
    """Evaluate the right side of a rule as arithmetic."""
    for sign, spelling in SPELLING.items():
        formula = formula.replace(sign, spelling)
    return eval(formula, {"__builtins__": {}}, FUNCTIONS | operands)


def without_tails(at: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    """Return the places where the textbook formula is as exact as the computed one."""
    return [numbers for numbers in at if max(map(abs, numbers)) <= 3.5]


@every_row
def test_a_rule_for_each_operand_says_what_it_differentiates(row: Op) -> None:
    letters = "abc"[: row.arity]
    formula = write_formula(row, [Term(letter, 1.0) for letter in letters]).inside(ATOM)
    assert [rule.split(" = ")[0] for rule in row.rules] == [f"∂{formula}/∂{x}" for x in letters]


@every_row
def test_the_rules_a_person_reads_are_the_partials_that_are_computed(row: Op) -> None:
    for at in without_tails(positive_bases(row)):
        numbers = dict(zip("abc", map(mpf, at)))
        for rule, partial in zip(row.rules, row.partials(row.value(*at), *at)):
            assert close(partial, read(rule.split(" = ", 1)[1], numbers), 1e-12), (rule, at)


@pytest.mark.parametrize("row", [row for row in ROWS if row.reads], ids=lambda row: row.name)
def test_the_lessons_form_is_the_same_derivative(row: Op) -> None:
    assert row.reads is not None
    for at in without_tails(places(row)):
        out = row.value(*at)
        assert row.reads(out, *at) == pytest.approx(row.partials(out, *at), rel=1e-12)


def stated(row: Op) -> set[str]:
    """Return which of the texts that can be derived stand in the source of a row."""
    calls = [node for node in ast.walk(SOURCE) if isinstance(node, ast.Call)]
    (found,) = [call for call in calls if call.args and ast.unparse(call.args[0]) == repr(row.name)]
    return {"rules", "array", "array_partials"} & {keyword.arg for keyword in found.keywords}


@every_row
def test_a_row_states_only_what_is_not_derived(row: Op) -> None:
    bare = Op(row.name, row.value, row.partials, symbol=row.symbol, reads=row.reads)
    derive_value(bare)
    derive_partials(bare)
    for text in ("rules", "array", "array_partials"):
        assert (getattr(bare, text) == getattr(row, text)) == (text not in stated(row)), text


# ---------------------------------------------------------------------- kinks and tails


@pytest.mark.parametrize(
    ("row", "at", "partials"),
    [
        (autograd.relu, (0.0,), (0.0,)),
        (autograd.relu, (-0.0,), (0.0,)),
        (autograd.absolute, (0.0,), (0.0,)),
        (autograd.leaky_relu, (0.0, 0.01), (0.01, 0.0)),
        (autograd.elu, (0.0, 2.0), (2.0, 0.0)),
        (autograd.step, (0.0,), (0.0,)),
        (autograd.maximum, (3.0, 3.0), (0.5, 0.5)),
        (autograd.minimum, (3.0, 3.0), (0.5, 0.5)),
        (autograd.sign, (0.0,), (0.0,)),
        (autograd.floor, (2.0,), (0.0,)),
        (autograd.mod, (6.0, 2.0), (1.0, -3.0)),
        (autograd.clip, (-1.0, -1.0, 2.0), (1.0, 0.0, 0.0)),
        (autograd.clip, (2.0, -1.0, 2.0), (1.0, 0.0, 0.0)),
        (autograd.clip, (0.0, 2.0, -1.0), (0.0, 0.0, 1.0)),  # the limits are the wrong way round
    ],
    ids=lambda x: getattr(x, "name", str(x)),
)
def test_at_a_kink_the_derivative_is_pytorchs(
    row: Op, at: tuple[float, ...], partials: tuple[float, ...]
) -> None:
    assert row.partials(row.value(*at), *at) == partials


def test_step_is_off_at_zero() -> None:
    assert [autograd.step(x) for x in (-1.0, 0.0, 1e-300)] == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("x", [-1000.0, -700.0, -40.0, 40.0, 700.0, 1000.0])
@pytest.mark.parametrize(
    "name", ["sigmoid", "tanh", "softplus", "silu", "gelu", "erf", "erfc", "atan", "asinh"]
)
def test_tails_have_right_values_and_right_derivatives(name: str, x: float) -> None:
    leaf = Value(x)
    out = getattr(leaf, name)()
    out.backward()
    f = oracle.FORMULAS[name]
    with mp.workdps(1200):
        assert close(out.data, f(mpf(x)))
        assert close(leaf.grad, oracle.partial(f, [x], 0, mpf(10) ** -100), 1e-13)


@pytest.mark.parametrize(
    ("name", "at"),
    [
        *[("log2", (1e-308,)), ("log10", (1e-300,)), ("exp2", (-1000.0,)), ("rsqrt", (1e-200,))],
        *[("atanh", (1.0 - 2.0**-53,)), ("asin", (1.0 - 2.0**-53,)), ("acos", (2.0**-53 - 1.0,))],
        *[("acosh", (1.0 + 2.0**-52,)), ("acosh", (1e200,)), ("asinh", (1e200,))],
        *[("hypot", (3e200, 4e200)), ("hypot", (1e-200, 0.0)), ("atan2", (1e200, -1e200))],
        *[("sinh", (1e-300,)), ("sinh", (-700.0,)), ("cosh", (700.0,)), ("silu", (-300.0,))],
        *[("erfc", (26.0,)), ("erf", (1e-300,)), ("gelu", (1e-300,)), ("gelu", (-8.0,))],
        *[("mod", (1e15, 0.1)), ("mod", (1.0, 0.1)), ("mod", (-1e-300, 3.0)), ("mod", (5.5, -2.0))],
    ],
)
def test_far_out_and_close_to_the_edge_values_and_derivatives_are_exact(
    name: str, at: tuple[float, ...]
) -> None:
    row = TABLE[name]
    with mp.workdps(1200):
        out = row.value(*at)
        assert close(out, oracle.value(name, at))
        for slot, slope in enumerate(row.partials(out, *at)):
            wanted = oracle.partial(oracle.FORMULAS[name], at, slot, mpf(10) ** -550)
            assert close(slope, wanted, 1e-13)


@pytest.mark.parametrize(
    "name",
    ["sign", "silu", "gelu", "erf", "floor", "relu", "step", "sigmoid", "tanh", "softplus", "abs"],
)
def test_nan_stays_nan(name: str) -> None:
    assert math.isnan(TABLE[name].value(math.nan))


@pytest.mark.parametrize("name", ["maximum", "minimum"])
@pytest.mark.parametrize("at", [(math.nan, 1.0), (1.0, math.nan)])
def test_nan_wins_a_maximum(name: str, at: tuple[float, float]) -> None:
    assert math.isnan(TABLE[name].value(*at))


# ---------------------------------------------------------------------- outside the domain


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda x: (x - 3).log(), ValueError, ["log(x − 3)", "a > 0", "x − 3 = -1", "1e-12"]),
        (lambda x: (x - 2).log(), ValueError, ["log(x − 2)", "a > 0", "x − 2 = 0"]),
        (lambda x: (x - 2) ** -1, ValueError, ["(x − 2)^(-1)", "a = x − 2 = 0"]),
        (lambda x: 1 / (x - 2), DivisionByZeroError, ["1/(x − 2)", "b != 0", "denominator"]),
        (lambda x: (x - 10) ** 0.5, ValueError, ["(x − 10)^0.5", "a = x − 10 = -8", "abs(a)"]),
        (lambda x: (x - 10).sqrt(), ValueError, ["sqrt(x − 10)", "a >= 0"]),
        (lambda x: (x - 3).log1p(), ValueError, ["log1p(x − 3)", "a > -1"]),
        (lambda x: (x * 500).exp(), OverflowError, ["exp(x·500)", "x·500 = 1000", "softplus"]),
        (lambda x: (x * 500).expm1(), OverflowError, ["expm1(x·500)", "too large"]),
        (lambda x: (x * 1e200) ** 2, OverflowError, ["too large"]),
        (lambda x: (x - 3).log2(), ValueError, ["log2(x − 3)", "a > 0", "1e-12"]),
        (lambda x: (x - 2).log10(), ValueError, ["log10(x − 2)", "a > 0", "1e-12"]),
        (lambda x: x.asin(), ValueError, ["asin(x)", "-1 <= a <= 1", "0.999 * tanh(a)"]),
        (lambda x: x.acos(), ValueError, ["acos(x)", "-1 <= a <= 1", "0.999 * tanh(a)"]),
        (lambda x: (x - 1).atanh(), ValueError, ["atanh(x − 1)", "-1 < a < 1", "tanh(a)"]),
        (lambda x: (x - 2).acosh(), ValueError, ["acosh(x − 2)", "a >= 1", "1 + abs(a)"]),
        (lambda x: (x - 2).rsqrt(), DivisionByZeroError, ["rsqrt(x − 2)", "a > 0", "1e-12"]),
        (lambda x: (x - 3).rsqrt(), ValueError, ["rsqrt(x − 3)", "a > 0", "1e-12"]),
        (lambda x: x % (x - 2), DivisionByZeroError, ["mod(x, x − 2)", "b != 0", "divisor"]),
        (lambda x: (x - 2).reciprocal(), DivisionByZeroError, ["a != 0", "denominator"]),
        (lambda x: (x * 500).exp2().exp2(), OverflowError, ["too large"]),
        (lambda x: (x * 500).sinh(), OverflowError, ["too large"]),
        (lambda x: (x * 500).cosh(), OverflowError, ["too large"]),
        (lambda x: (x * math.inf).tan(), ValueError, ["tan(x·inf)", "could not be computed"]),
        (lambda x: (x * math.inf).sin(), ValueError, ["sin(x·inf)", "could not be computed"]),
    ],
)
def test_outside_the_domain_the_error_says_what_where_and_how_to_mend_it(
    make: Callable[[Value], Value], kind: type[Exception], words: list[str]
) -> None:
    with pytest.raises(kind) as caught:
        make(Value(2.0, label="x"))
    assert [word for word in words if word not in str(caught.value)] == []


@pytest.mark.parametrize(("exponent", "value"), [(2.0, 0.0), (0.5, 0.0), (0.0, 1.0)])
def test_a_power_of_the_number_zero_has_a_gradient_by_its_exponent(
    exponent: float, value: float
) -> None:
    v = Value(exponent, "v")
    y = 0**v
    y.backward()
    assert (y.data, v.grad) == (value, 0.0)
    with pytest.raises(ValueError, match=r"0\^v is not defined.*b >= 0"):
        v.data = -1.0
        y.recompute()


def test_a_division_by_zero_is_caught_as_either_error() -> None:
    with pytest.raises(ZeroDivisionError):
        Value(1.0) / 0
    with pytest.raises(ValueError, match="denominator"):
        Value(1.0) / 0


@pytest.mark.parametrize(
    "make",
    [
        *[lambda x: x.sqrt(), lambda x: x**0.5, lambda x: Value(2.0, label="b") * x**0.25],
        lambda x: x.hypot(0.0),
    ],
)
def test_an_infinite_derivative_is_an_error_and_leaves_gradients_alone(
    make: Callable[[Value], Value],
) -> None:
    x = Value(0.0, label="x")
    x.grad = 7.0
    y = make(x)
    with pytest.raises(ValueError, match="no finite derivative at a = x = 0"):
        y.backward()
    assert (x.grad, y.grad) == (7.0, 0.0)


# ---------------------------------------------------------------------- rows as functions


def test_a_row_on_plain_numbers_gives_a_plain_number() -> None:
    assert autograd.maximum(2, 3.5) == 3.5
    assert type(autograd.exp(1)) is float


def test_a_row_on_plain_numbers_words_its_errors_too() -> None:
    with pytest.raises(ValueError, match=r"log\(0\) is not defined: log needs a > 0"):
        autograd.log(0.0)


def test_a_row_takes_operands_by_name_and_by_default() -> None:
    x = Value(-2.0)
    assert autograd.leaky_relu(x).data == -0.02
    assert autograd.leaky_relu(x, negative_slope=0.5).data == -1.0
    assert autograd.elu(-1.0, 2.0) == 2.0 * math.expm1(-1.0)


def test_a_row_refuses_the_wrong_number_of_operands() -> None:
    with pytest.raises(TypeError, match=r"exp has 1 operand\(s\): too many"):
        autograd.exp(1.0, 2.0)
    with pytest.raises(TypeError, match="missing a required argument"):
        autograd.maximum(1.0)


def test_a_row_refuses_what_is_not_a_number() -> None:
    with pytest.raises(TypeError, match="exp expected one real number, got str '3'"):
        autograd.exp("3")
    with pytest.raises(TypeError, match="maximum expected one real number"):
        Value(1.0).maximum("3")  # type: ignore[arg-type]


def test_a_learnable_slope_gets_its_gradient() -> None:
    slope = Value(0.1)
    Value(-2.0).leaky_relu(slope).backward()
    assert slope.grad == -2.0


# ---------------------------------------------------------------------- operations of one's own


def cube_row() -> Op:
    return autograd.op(
        "cube",
        value=lambda a: a**3,
        partials=lambda out, a: (3 * a**2,),
        rules=("∂cube(a)/∂a = 3a²",),
    )


def test_an_own_operation_evaluates_backpropagates_recomputes_and_is_checked() -> None:
    x = Value(2.0, label="x")
    y = cube_row()(x)
    y.backward()
    assert (y.data, x.grad, bool(gradcheck(y))) == (8.0, 12.0, True)
    x.data = 3.0
    assert y.recompute().data == 27.0


def test_an_own_operation_steps_explains_and_draws() -> None:
    x = Value(2.0, label="x")
    y = cube_row()(x)
    y.label = "y"
    (step,) = y.stepper()
    assert (step.local, step.rule) == (12.0, "∂y/∂x = 3x²")
    assert str(y.explain(x)) == "∂y/∂x = 3x²\n      = 12"
    assert "cube" in y.draw().source


def test_the_rules_and_array_forms_of_an_own_operation_are_derived() -> None:
    row = autograd.op(
        "ratio",
        value=lambda a, b: a / (1 + abs(b)),
        partials=(lambda out, a, b: 1 / (1 + abs(b)), lambda out, a, b: -out * autograd.exp(-b)),
        reads=lambda out, a, b: (out / a, -a * autograd.exp(-b)),
    )
    assert row.rules == (
        "∂ratio(a, b)/∂a = ratio(a, b)/a",
        "∂ratio(a, b)/∂b = −a·exp(−b)",
    )
    assert row.array == "a / (1.0 + np.abs(b))"
    assert row.array_partials == ("1.0 / (1.0 + np.abs(b))", "-out * np.exp(-b)")
    tan = autograd.op("tan", value=math.tan, partials=lambda out, a: (1 + out**2,))
    assert (tan.array, tan.array_partials) == ("np.tan(a)", ("1.0 + out ** 2.0",))
    assert tan.rules == ("∂tan(a)/∂a = 1 + tan(a)²",)


class Scaled:
    factor = 2.0

    def partials(self, out: float, a: float) -> tuple[float]:
        return (self.factor,)


FACTOR = [2.0]
CALLS: list[float] = []


def counting(out: float, a: float) -> tuple[float]:
    CALLS.append(a)
    return (2.0,)


def growing(out: float, a: Any) -> tuple[float]:
    for _ in range(100):
        a = a * a
    return (a,)


@pytest.mark.parametrize(
    "partials",
    [
        lambda out, a: (FACTOR[0],),
        lambda out, a: (1.0 if a > 0.0 else 2.0,),
        lambda out, a: (2.0 if a == 0.0 else 1.0,),
        lambda out, a: (math.pow(a, 2),),
        lambda out, a: (sum(a for _ in (1, 2)),),
        lambda out, a: (nowhere(a),),  # type: ignore[name-defined]  # noqa: F821
        Scaled().partials,
        counting,
        growing,
    ],
)
def test_nothing_is_derived_from_what_can_change_or_compares_or_has_effects(partials: Any) -> None:
    row = autograd.op("f", value=lambda a: FACTOR[0] * a, partials=partials)
    assert (row.rules, row.array, row.array_partials) == (("∂f/∂a",), "", ())
    assert not CALLS


def test_an_own_operation_may_read_a_name_that_is_assigned_later() -> None:
    row = autograd.op("f", lambda a: later(a), lambda out, a: (out,))
    later = autograd.exp
    assert (row(0.0), row.array) == (1.0, "")


def test_a_value_that_ignores_an_operand_has_no_array_form() -> None:
    row = autograd.op("first", lambda a, b: a + 0, lambda out, a, b: (1.0, 0.0))
    assert (row.array, row.array_partials) == ("", ("1.0", "0.0"))


def test_an_own_operation_raises_on_arrays_what_it_raises_on_numbers() -> None:
    row = autograd.op("f", lambda a: 1 / autograd.exp(a), lambda out, a: (-out,))
    assert row.array
    with pytest.raises(OverflowError, match="too large"):
        row(np.array([1.0, 1000.0]))


def test_an_own_operation_has_second_derivatives() -> None:
    x = Value(2.0)
    (slope,) = grad(cube_row()(x), x, create_graph=True)
    assert grad(slope, x) == (12.0,)


def test_an_own_operation_with_three_operands() -> None:
    fma = autograd.op("fma", lambda a, b, c: a * b + c, lambda out, a, b, c: (b, a, 1.0))
    a, b, c = Value(2.0, label="a"), Value(3.0, label="b"), Value(4.0, label="c")
    y = fma(a, b, c)
    y.backward()
    assert (y.data, a.grad, b.grad, c.grad) == (10.0, 3.0, 2.0, 1.0)
    assert y.args == (a, b, c)
    assert fma(a, 3, 4).data == 10.0


def test_an_own_operation_with_a_domain_words_its_errors() -> None:
    row = autograd.op(
        "asin",
        value=math.asin,
        partials=lambda out, a: (1 / (1 - a * a) ** 0.5,),
        domain=("-1 <= a <= 1", lambda a: -1 <= a <= 1, "Clamp it first."),
    )
    with pytest.raises(ValueError, match="asin needs -1 <= a <= 1, and here a = x = 2. Clamp"):
        row(Value(2.0, label="x"))


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        (("two words", abs, lambda out, a: (1.0,)), ValueError, "name is a word"),
        (("f", 3.0, lambda out, a: (1.0,)), TypeError, "value of f is a function; got 3.0"),
        (("f", abs, None), TypeError, "partials of f is a function.*; got None"),
        (("f", abs, (None,)), TypeError, "each of partials of f is a function; got None"),
        (("f", abs, (lambda a: 1.0,)), TypeError, "must take the value first"),
        (("f", abs, [lambda out, a: 1.0] * 2), ValueError, "1 operand.* and 2 partials"),
        (("f", abs, lambda a: (1.0,)), TypeError, r"2 in all: lambda out, a: \(...\)"),
        (("f", max, lambda out, a: (1.0,)), TypeError, "cannot be counted"),
        (("f", lambda *a: a[0], lambda out, a: (1.0,)), TypeError, r"without \* or"),
    ],
)
def test_a_bad_row_is_refused(
    arguments: tuple[Any, ...], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        autograd.op(*arguments)


def test_a_row_with_too_few_rules_is_refused() -> None:
    with pytest.raises(ValueError, match=r"2 operand\(s\) and 1 rule"):
        autograd.op("f", lambda a, b: a, lambda out, a, b: (1.0, 0.0), rules=("one",))


@pytest.mark.parametrize("returned", [1.0, (), (1.0, 2.0)])
def test_partials_that_return_no_tuple_of_the_right_length_are_told_so(returned: Any) -> None:
    y = autograd.op("f", abs, lambda out, a: returned)(Value(1.0))
    with pytest.raises(TypeError, match="partials of f must return a tuple of 1"):
        y.backward()


def test_foreign_scalars_from_an_own_operation_do_not_leak() -> None:
    x = Value(1.0)
    y = autograd.op("f", lambda a: np.float64(a), lambda out, a: (np.float32(2.0),))(x)
    y.backward()
    assert (type(y.data), type(x.grad)) == (float, float)


def test_partials_may_be_a_function_for_each_operand() -> None:
    product = autograd.op(
        "product",
        value=lambda a, b: a * b,
        partials=(lambda out, a, b: b, lambda out, a, b: a),
    )
    x, y = Value(2.0), Value(3.0)
    assert gradcheck(product(x, y))
    assert gradcheck(grad(product(x, x) * y, x, create_graph=True)[0])
    assert (product.slope(0, 6.0, 2.0, 3.0), product.slope(1, 6.0, 2.0, 3.0)) == (3.0, 2.0)
    wrong = autograd.op("wrong", value=lambda a: a, partials=(lambda out, a: "1",))
    with pytest.raises(TypeError, match="a derivative of wrong expected one real number"):
        wrong(x).backward()


def test_a_row_prints_its_rules() -> None:
    assert str(autograd.mul) == "mul\n  ∂(a·b)/∂a = b\n  ∂(a·b)/∂b = a"
    assert repr(autograd.mul) == "<operation mul>"


# ---------------------------------------------------------------------- on arrays

SPECIAL = (0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e-300, -1e-300, 750.0, -750.0)


def everywhere(row: Op) -> list[tuple[float, ...]]:
    """Return places in the domain, on kinks, with ties, and with special numbers."""
    found = []
    for at in [*places(row), *itertools.product(SPECIAL, repeat=row.arity)]:
        try:
            out = row.value(*at)
            row.partials(out, *at)
        except (ArithmeticError, ValueError):
            continue  # the engine raises there
        found.append(at)
    return found


@every_row
def test_the_array_form_is_the_value(row: Op) -> None:
    at = everywhere(row)
    assert len(at) >= 6
    with np.errstate(all="ignore"):
        got = row.compute(row.array, *np.array(at).T)
    np.testing.assert_allclose(got, [row.value(*p) for p in at], rtol=1e-13, atol=1e-300)


@every_row
def test_the_array_partials_are_the_partials(row: Op) -> None:
    assert len(row.array_partials) == row.arity
    at = everywhere(row)
    out = np.array([row.value(*p) for p in at])
    wanted = np.array([row.partials(o, *p) for o, p in zip(out.tolist(), at)]).T
    for i, expression in enumerate(row.array_partials):
        with np.errstate(all="ignore"):
            got = row.compute(expression, *np.array(at).T, out=out)
        got = np.broadcast_to(np.asarray(got, dtype=float), out.shape)
        for g, w, p in zip(got, wanted[i], at):
            assert close_or_same(g, w), (p, g, w)


@pytest.mark.parametrize("row", [row for row in ROWS if row.arity == 1], ids=lambda row: row.name)
def test_the_array_form_of_an_own_operation_is_that_of_its_parts(row: Op) -> None:
    own = autograd.op("own", lambda a: 2 - row(a / 2) * 3, lambda out, a: (row(-a) ** 2,))
    x = np.array([x for (x,) in everywhere(row)])
    with np.errstate(all="ignore"):
        wanted = 2 - row.compute(row.array, x / 2) * 3, row.compute(row.array, -x) ** 2
        got = own.compute(own.array, x), own.compute(own.array_partials[0], x)
    np.testing.assert_array_equal(got, wanted)


def close_or_same(got: float, wanted: float) -> bool:
    if math.isfinite(got) and math.isfinite(wanted):
        return abs(got - wanted) <= 1e-12 * abs(wanted) + 1e-300
    return got == wanted or (math.isnan(got) and math.isnan(wanted))


@every_row
def test_arrays_of_numbers_make_arrays_of_numbers(row: Op) -> None:
    at = np.array(places(row)[:6]).T
    got = row(*at)
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, [row(*map(float, p)) for p in at.T], rtol=1e-13)


def test_arrays_are_broadcast_and_refused_as_numbers_are() -> None:
    assert autograd.maximum(np.array([[1.0], [3.0]]), np.array([2, 0])).tolist() == [[2, 1], [3, 3]]
    assert autograd.leaky_relu(np.array([-1.0, 2.0]), 0.5).tolist() == [-0.5, 2.0]
    assert autograd.add(np.array([math.inf]), 1.0).tolist() == [math.inf]
    with pytest.raises(ValueError, match="log needs a > 0, and here a = -1"):
        autograd.log(np.array([1.0, -1.0]))
    with pytest.raises(OverflowError, match="too large for a float, at a = 1000"):
        autograd.exp(np.array([1.0, 1000.0]))
