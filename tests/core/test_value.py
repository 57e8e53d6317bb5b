"""Tests of `Value`: conversion, arithmetic, text, and what it refuses."""

from __future__ import annotations

import decimal
import fractions
import math
import operator
from collections.abc import Callable, Iterable, Sized
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value
from autograd.core import ops
from autograd.core.boundary import as_float
from autograd.core.spellings import ARC, FOREIGN
from autograd.extend import TABLE

# ---------------------------------------------------------------------- making one


def test_a_new_value_has_data_no_gradient_no_operands() -> None:
    v = Value(2, label="v")
    assert (v.data, v.grad, v.label, v.op, v.args, v.scope) == (2.0, 0.0, "v", ops.leaf, (), "")
    assert type(v.data) is float


@pytest.mark.parametrize(
    "number",
    [
        *(2, 2.0, True, fractions.Fraction(1, 2), np.float32(0.5), np.float64(0.5), np.int64(3)),
        *(np.float16(1.5), np.bool_(True), np.array(2.5), np.array([2.5]), np.longdouble(2.5)),
    ],
    ids=lambda x: type(x).__name__,
)
def test_any_real_scalar_becomes_an_exact_float(number: Any) -> None:
    data = Value(number).data
    assert type(data) is float
    assert data == float(np.asarray(number, dtype=float).reshape(()))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("3", r"got str '3': convert it first, as in float\('3'\)"),
        (None, "got NoneType None: pass an int, a float or a NumPy scalar"),
        (1j, "got complex 1j: pass its .real or .imag part"),
        (np.complex64(1j), "pass its .real"),
        (np.array([1.0, 2.0]), "an array of 2 elements .*one Value for each"),
        ([1.0], "got list"),
        (np.array("3"), "got an array of 1 elements"),
        (decimal.Decimal("0.1"), "got Decimal"),
        (Value(1.0), "use its .data where a number belongs"),
        ("x" * 1000, "…"),
    ],
)
def test_anything_else_is_refused_with_a_way_out(data: Any, words: str) -> None:
    with pytest.raises(TypeError, match=f"Value expected one real number.*{words}"):
        Value(data)


def test_an_integer_too_large_for_a_float_is_refused() -> None:
    with pytest.raises(OverflowError, match="beyond the largest float"):
        Value(10**5000)


def test_a_label_is_a_string() -> None:
    with pytest.raises(TypeError, match="takes a string as label"):
        Value(1.0, label=3)  # type: ignore[call-overload]


def test_an_error_names_what_was_asked_for() -> None:
    with pytest.raises(TypeError, match="the amount expected one real number"):
        as_float("a", "the amount")


# ---------------------------------------------------------------------- arithmetic

OPERATORS: list[Callable[[Any, Any], Any]] = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.pow,
]
NUMBERS = [3, 1.5, True, np.float32(1.5), np.float64(1.5), np.int64(2), fractions.Fraction(3, 2)]


@pytest.mark.parametrize("do", OPERATORS)
@pytest.mark.parametrize("number", NUMBERS, ids=lambda x: type(x).__name__)
def test_numbers_on_either_side(do: Callable[[Any, Any], Any], number: Any) -> None:
    plain = float(number)
    for result, wanted in (
        (do(Value(2.0), number), do(2.0, plain)),
        (do(number, Value(2.0)), do(plain, 2.0)),
    ):
        assert type(result) is Value
        assert type(result.data) is float
        assert result.data == wanted


@pytest.mark.parametrize("do", OPERATORS)
def test_what_is_not_a_number_is_left_to_python(do: Callable[[Any, Any], Any]) -> None:
    for other in ("3", None, [1.0], 1j):
        with pytest.raises(TypeError):
            do(Value(2.0), other)
        with pytest.raises(TypeError):
            do(other, Value(2.0))


def test_signs_and_absolute_value() -> None:
    v = Value(-2.0)
    assert ((-v).data, abs(v).data, +v) == (2.0, 2.0, v)


def test_a_power_with_a_number_and_one_with_a_value_are_two_operations() -> None:
    x, n = Value(2.0), Value(3.0)
    assert ((x**3).op, (x**n).op, (2**n).op) == (ops.pow, ops.power, ops.power)
    assert ((x ** n.detach()).op) is ops.pow
    y = x**n
    y.backward()
    assert x.grad == 12.0
    assert n.grad == pytest.approx(8 * math.log(2))


@pytest.mark.parametrize(
    "do", [operator.lt, operator.le, operator.gt, operator.ge], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("other", [1.0, 2, 3.5, np.float64(2.0), np.float32(1.0)])
def test_comparisons_are_those_of_the_data(do: Callable[[Any, Any], bool], other: Any) -> None:
    assert do(Value(2.0), other) == do(2.0, other)
    assert do(other, Value(2.0)) == do(other, 2.0)
    assert do(Value(2.0), Value(float(other))) == do(2.0, float(other))


def test_equality_and_hash_are_identity() -> None:
    a, b = Value(2.0), Value(2.0)
    assert a != b
    assert a == a
    assert len({a, b, a}) == 2
    assert a in [b, a]
    assert [b, a].index(a) == 1
    assert a not in [b]
    assert a != "2"
    assert (a == None) is False  # noqa: E711


@pytest.mark.parametrize(
    "number", [2, 2.0, True, np.float32(2), 2j, fractions.Fraction(2), decimal.Decimal(2)]
)
def test_a_value_beside_a_number_is_no_silent_false(number: Any) -> None:
    v = Value(2.0)
    for compare in (
        lambda: v == number,
        lambda: number == v,
        lambda: v != number,
        lambda: v in [number],
        lambda: [number].index(v),
        lambda: np.array([v]) == number,
    ):
        with pytest.raises(TypeError, match=r"not compared with a number .* write v\.data == "):
            compare()


@pytest.mark.parametrize("number", [0.0, -0.0, 1.0, -3.0, 1e-320, math.inf, math.nan])
def test_a_value_is_as_true_as_its_number(number: float) -> None:
    assert bool(Value(number)) is bool(number)
    assert any([Value(number)]) is bool(number)


def test_a_comparison_with_something_else_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        Value(1.0) < "a"  # type: ignore[operator]  # noqa: B015


SPELLINGS = {"add", "sub", "mul", "div", "neg", "pow", "abs"}  # PyTorch's names of operators
METHODS = [
    row.name
    for row in TABLE.values()
    if row.arity and row.name not in SPELLINGS and hasattr(Value, row.name)
]


def test_every_function_of_the_table_is_a_method_and_a_function() -> None:
    assert set(METHODS) == set(TABLE) - {
        *("leaf", "constant", "add", "sub", "mul", "div", "neg", "pow", "power", "abs"),
        *("where", "take", "stop_gradient", "gap"),
    }
    for name in METHODS:
        assert getattr(autograd, name) is TABLE[name]


@pytest.mark.parametrize("name", METHODS)
def test_method_and_function_record_the_same_node(name: str) -> None:
    others = {"clip": (0.5, 0.7)}.get(
        name, (0.7,) if name in ("maximum", "minimum", "hypot", "atan2", "mod") else ()
    )
    v = Value(1.3 if name == "acosh" else 0.3)
    by_method, by_function = getattr(v, name)(*others), TABLE[name](v, *others)
    assert by_method.op is by_function.op is TABLE[name]
    assert by_method.data == by_function.data
    assert by_method.args[0] is v


# ---------------------------------------------------------------------- the graph it records


def test_operands_stand_in_order_and_keep_duplicates() -> None:
    a, b = Value(2.0), Value(3.0)
    assert (a - b).args == (a, b)
    assert (a * a).args == (a, a)
    assert (-a).args == (a,)


def test_a_plain_number_is_a_constant() -> None:
    y = Value(2.0) * 3
    assert y.args[1].op is ops.constant
    y.backward()
    assert y.args[1].grad == 0.0


def test_args_can_be_rewired_but_not_miscounted() -> None:
    a, b, c = Value(2.0), Value(3.0), Value(4.0)
    y = a * b
    y.args = (a, c)
    assert y.recompute().data == 8.0
    with pytest.raises(ValueError, match=r"mul takes 2 Value\(s\) as operands"):
        y.args = (a,)
    with pytest.raises(ValueError, match=r"leaf takes 0 Value\(s\)"):
        a.args = (b,)
    assert y.args == (a, c)


def test_detach_cuts_the_graph() -> None:
    x = Value(3.0)
    d = (x * x).detach()
    assert (d.data, d.args, d.op) == (9.0, (), ops.constant)


# ---------------------------------------------------------------------- reading


def test_repr_is_plain_and_short() -> None:
    assert repr(Value(0.5)) == "Value(data=0.5, grad=0.0)"
    assert repr(Value(0.5, label="w")) == "Value(data=0.5, grad=0.0, label='w')"


def test_format_is_that_of_the_data() -> None:
    assert f"{Value(2 / 3):.3f}|{Value(2.0):>8.1e}|{Value(0.5)}" == (
        "0.667| 2.0e+00|Value(data=0.5, grad=0.0)"
    )


def test_item_is_the_number() -> None:
    assert Value(2.5).item() == 2.5


@pytest.mark.parametrize("convert", [float, int, complex, math.exp, math.sqrt, np.float64, range])
def test_a_silent_conversion_to_a_number_is_refused(convert: Callable[[Value], Any]) -> None:
    with pytest.raises(TypeError, match=r"v\.exp\(\).*v\.data"):
        convert(Value(1.0))


# ---------------------------------------------------------------------- fields set by hand


@pytest.mark.parametrize("data", ["a", None, [1.0]])
def test_data_set_to_what_is_no_number_is_found_by_the_next_operation(data: Any) -> None:
    x = Value(2.0, label="x")
    y = x * x.exp()
    x.data = data
    for use in (lambda: x * 2, lambda: x.exp(), y.recompute, y.backward, y.stepper, y.draw):
        with pytest.raises(TypeError, match="the data of x expected one real number"):
            use()
    assert (y.grad, x.grad) == (0.0, 0.0)


def test_a_gradient_emptied_with_none_or_set_to_another_number_is_a_float_again() -> None:
    x: Any = Value(2.0)
    for gradient, wanted in ((None, 3.0), (0, 3.0), (np.float64(1.0), 4.0)):
        x.grad = gradient
        (x * 3).backward()
        assert (type(x.grad), x.grad) == (float, wanted)
    x.grad = "1"
    with pytest.raises(TypeError, match="the gradient of a leaf expected one real number"):
        (x * 3).backward()
    assert x.grad == "1"


def test_a_label_set_to_a_number_is_read_as_text() -> None:
    x = Value(2.0)
    x.label = 7  # type: ignore[assignment]
    assert "∂(7²)/∂7" in str((x**2).explain(x))
    assert ">7<" in (x**2).draw().pipe("svg", encoding="utf-8")


# ---------------------------------------------------------------------- NumPy


def values(*numbers: float) -> np.ndarray[Any, np.dtype[Any]]:
    return np.array([Value(x) for x in numbers])


def data(array: Any) -> list[float]:
    return [v.data for v in np.asarray(array, dtype=object).ravel()]


def test_a_matrix_of_values_times_a_vector() -> None:
    w = np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]])
    x = values(10.0, 20.0)
    y = w @ x
    assert data(y) == [50.0, 110.0]
    y[1].backward()
    assert [v.grad for v in w[1]] == [10.0, 20.0]
    assert data(w @ np.array([10.0, 20.0])) == [50.0, 110.0]
    assert data(np.array([10.0, 20.0]) @ w) == [70.0, 100.0]


@pytest.mark.parametrize("do", OPERATORS)
@pytest.mark.parametrize(
    "array", [values(2.0, 3.0), np.array([2.0, 3.0]), np.array([2, 3])], ids=["Value", "f8", "i8"]
)
def test_array_and_value_work_element_by_element(
    do: Callable[[Any, Any], Any], array: np.ndarray[Any, np.dtype[Any]]
) -> None:
    v = Value(1.5)
    left, right = do(array, v), do(v, array)
    assert left.shape == right.shape == (2,)
    assert data(left) == [do(2.0, 1.5), do(3.0, 1.5)]
    assert data(right) == [do(1.5, 2.0), do(1.5, 3.0)]


def test_a_numpy_scalar_and_a_value_make_a_value() -> None:
    for number in (np.float32(2), np.float64(2), np.int32(2)):
        assert type(number * Value(3.0)) is Value
        assert type(Value(3.0) - number) is Value
        assert (number * Value(3.0)).data == 6.0


@pytest.mark.parametrize("name", ["exp", "log", "log1p", "expm1", "sqrt", "sin", "cos", "tanh"])
def test_numpys_functions_call_the_values_methods(name: str) -> None:
    result = getattr(np, name)(values(0.5, 2.0))
    assert data(result) == pytest.approx(list(getattr(np, name)([0.5, 2.0])), rel=1e-15)
    assert result[0].op.name == name


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        *[(name, name) for name in ("log2", "log10", "exp2", "tan", "sinh", "cosh", "floor")],
        *[(f"arc{name}", f"a{name}") for name in ("sin", "cos", "tan", "sinh", "tanh")],
    ],
)
def test_numpys_names_of_functions_work_too(name: str, ours: str) -> None:
    result = getattr(np, name)(values(0.5, 0.25))
    assert data(result) == pytest.approx(list(getattr(np, name)([0.5, 0.25])), rel=1e-15)
    assert result[0].op.name == ours


def test_numpys_functions_of_more_operands_keep_the_gradient() -> None:
    x, y = Value(3.0), Value(4.0)
    X, Y = np.array([x]), np.array([y])
    for result, wanted in (
        (np.hypot(X, Y)[0], (0.6, 0.8)),
        (np.arctan2(X, Y)[0], (0.16, -0.12)),
        (np.clip(X * Y, 0.0, 20.0)[0], (4.0, 3.0)),
        (np.square(X + Y)[0], (14.0, 14.0)),
        (np.reciprocal(X / Y)[0], (-4 / 9, 1 / 3)),
        (np.mod(X, Y)[0], (1.0, 0.0)),
        (np.remainder(-X, 2.0 * Y)[0], (-1.0, 2.0)),
        (np.arccosh(X * Y)[0], (4 / math.sqrt(143), 3 / math.sqrt(143))),
    ):
        assert autograd.grad(result, [x, y]) == pytest.approx(wanted, rel=1e-14)


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        *[("fmax", "maximum"), ("ln", "log"), ("multiply", r"\*"), ("swish", "silu")],
        *[("remainder", "%"), ("ceil", r"-\(-v\).floor\(\)")],
    ],
)
def test_a_name_of_another_library_is_met_with_the_name_here(name: str, ours: str) -> None:
    with pytest.raises(AttributeError, match=f"a Value has no '{name}': here it is {ours}"):
        getattr(Value(1.0), name)
    with pytest.raises(AttributeError, match=f"attribute '{name}': here it is {ours}"):
        getattr(autograd, name)


@pytest.mark.parametrize(
    ("name", "here"), [("numpy", ".data"), ("zero_", "v.data = 0.0"), ("is_leaf", "not v.args")]
)
def test_what_only_tensors_have_is_met_with_what_to_write(name: str, here: str) -> None:
    with pytest.raises(AttributeError, match=f"a Value has no '{name}': here it is {here}"):
        getattr(Value(1.0), name)


@pytest.mark.parametrize(("name", "here"), [("pow", "power"), ("Tensor", "Value")])
def test_pytorchs_functions_are_met_with_the_name_here(name: str, here: str) -> None:
    with pytest.raises(AttributeError, match=f"attribute '{name}': here it is {here}"):
        getattr(autograd, name)


def test_an_unknown_name_gets_the_usual_error() -> None:
    with pytest.raises(AttributeError, match="object has no attribute 'nothing'"):
        _ = Value(1.0).nothing  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="attribute 'arcsin': here it is asin"):
        _ = autograd.arcsin  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="attribute 'nothing'$"):
        _ = autograd.nothing  # type: ignore[attr-defined]


def test_a_property_of_a_value_that_cannot_be_set_says_so() -> None:
    untyped: Any = Value(1.0)
    with pytest.raises(AttributeError, match="requires_grad|can't set attribute"):
        untyped.requires_grad = False


def test_every_name_that_is_answered_is_free_and_every_answer_exists() -> None:
    for name, ours in FOREIGN.items():
        assert not hasattr(Value, name) and not hasattr(autograd, name)
        assert not ours.isidentifier() or (hasattr(Value, ours) and hasattr(autograd, ours))
    for name, ours in ARC.items():
        assert getattr(Value, name) is getattr(Value, ours)


def test_our_functions_take_arrays_too() -> None:
    assert data(autograd.relu(values(-1.0, 2.0))) == [0.0, 2.0]
    assert data(autograd.maximum(values(-1.0, 2.0), 0.5)) == [0.5, 2.0]
    assert list(autograd.relu(np.array([-1.0, 2.0]))) == [0.0, 2.0]


def test_sums_and_means_of_arrays() -> None:
    arr: Any = values(1.0, 2.0, 6.0)
    assert (arr.sum().data, arr.mean().data, np.abs(-arr).sum().data) == (9.0, 3.0, 9.0)
    arr.sum().backward()
    assert [v.grad for v in arr] == [1.0, 1.0, 1.0]


def test_an_array_of_floats_is_not_made_silently() -> None:
    with pytest.raises(TypeError, match=r"v\.data"):
        np.array([Value(1.0)], dtype=float)


def test_a_comparison_with_an_array_is_element_by_element() -> None:
    compared: Any = Value(2.0) > np.array([1.0, 3.0])
    assert list(compared) == [True, False]


def test_variance_and_deviation_of_an_array() -> None:
    arr = values(1.0, 2.0, 6.0)
    assert arr.var().data == pytest.approx(14 / 3)
    assert np.std(arr).data == pytest.approx(math.sqrt(14 / 3))


def test_a_value_stored_as_data_is_found_and_told() -> None:
    w = Value(1.0, label="w")
    w.data = w - 0.1  # type: ignore[assignment]  # the .data was forgotten
    for use in (lambda: w * 2, lambda: w.exp()):
        with pytest.raises(TypeError, match=r"w.data -= 0.1 \* w.grad"):
            use()


@pytest.mark.parametrize(("a", "b"), [(7.0, 2.5), (-7.0, 2.5), (7.0, -2.5), (-7.0, -2.5)])
def test_the_remainder_is_pythons(a: float, b: float) -> None:
    x, y = Value(a), Value(b)
    assert [v.data for v in (x % b, a % y, x % y)] == [a % b] * 3
    assert autograd.grad(x % y, [x, y]) == (1.0, -(a // b))
    assert math.floor(x).data == math.floor(a)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        *[(f, "is not rounded") for f in (round, math.ceil, math.trunc)],
        (lambda v: round(v, 2), "is not rounded"),
        *[(lambda v: v // 2, "divide with /"), (lambda v: 2 // v, "divide with /")],
        *[(lambda v: divmod(v, 2), "divide with /"), (lambda v: divmod(2, v), "divide with /")],
        *[(lambda v: v ^ 2, r"v\*\*2"), (lambda v: 2 ^ v, r"v\*\*2")],
        *[(lambda v: v @ v, "has no @"), (lambda v: 2 @ v, "has no @")],
        *[(lambda v: v & 1, "no bits"), (lambda v: 1 | v, "no bits"), (lambda v: ~v, "no bits")],
        *[(lambda v: v << 1, "no bits"), (lambda v: 1 >> v, "no bits")],
        (lambda v: pow(v, 2, 3), "no modulo, got 3"),
        *[(lambda v: 1j * v, "got complex 1j"), (lambda v: v - 1j, "got complex 1j")],
        *[(lambda v: None + v, "got NoneType"), (lambda v: v / None, "got NoneType")],
        *[(lambda v: "a" * v, "got str 'a'"), (lambda v: v ** "a", "got str 'a'")],
        *[(lambda v: v - [1], "one Value for each"), (lambda v: (1,) * v, "one Value for each")],
        *[
            (lambda v: v * decimal.Decimal(1), "got Decimal"),
            (lambda v: decimal.Decimal(1) - v, "got Decimal"),
        ],
        *[(lambda v: v < None, "got NoneType"), (lambda v: v >= "a", "got str 'a'")],
        *[(int, r"v\.data"), (complex, r"v\.data"), (np.float64, r"v\.data")],
        *[(range, r"v\.data"), (lambda v: [1, 2][v], r"v\.data")],
    ],
)
def test_what_a_number_can_and_a_value_cannot_is_refused_in_words(asked: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        asked(Value(2.5))


def test_a_value_does_not_pass_for_a_sequence_or_a_function() -> None:
    v: Any = Value(2.5)
    assert not isinstance(v, (Iterable, Sized)) and not callable(v)
    for asked in (len, iter, lambda v: v[0], lambda v: v()):
        with pytest.raises(TypeError, match="Value"):
            asked(v)


def test_a_type_that_knows_values_takes_over() -> None:
    class Unit:
        def __radd__(self, other: Value) -> str:
            return f"{other.data} and a unit"

    assert Value(2.5) + Unit() == "2.5 and a unit"


def test_an_overflow_of_a_training_loop_names_what_grew_and_how_to_mend_it() -> None:
    w = Value(1.0, "w")
    with pytest.raises(OverflowError, match=r"w is .*e\+\d+: if it grew in training, lower the"):
        for _ in range(100):
            loss = (w * 3.0 - 1.0) ** 4
            w.grad = 0.0
            loss.backward()
            w.data -= 0.5 * w.grad


def test_the_largest_leaf_is_named_whether_computed_anew_or_not() -> None:
    w, x, one = Value(2.0, "w"), Value(150.0), Value(1.0, "one")
    root = (w * x * one).exp()
    x.data = 400.0
    with pytest.raises(OverflowError, match="A leaf is 400: if it grew in training"):
        root.recompute()


def test_of_leaves_of_one_size_the_first_is_named() -> None:
    leaves = [Value(1000.0, f"w{i}") for i in range(20)]
    for _ in range(3):
        with pytest.raises(OverflowError, match="w0 is 1000: if it grew in training"):
            sum(leaves, Value(0.0)).exp()


def test_an_overflow_without_a_large_leaf_says_nothing_of_training() -> None:
    with pytest.raises(OverflowError) as caught:
        (Value(50.0, "x") * 50.0).exp()
    assert "training" not in str(caught.value)


def test_operations_read_the_numbers_of_a_class_that_refuses_reads() -> None:
    class Refusing(Value):
        __slots__ = ()

        @property
        def data(self) -> float:  # type: ignore[override]
            raise AttributeError("no code may read it")

    x, y, c = Value(3.0), Value(2.0), Value(1.0)
    for v in (x, y, c):
        v.__class__ = Refusing
    assert [v.data for v in (-x, x * y, autograd.where(c, x, y))] == [-3.0, 6.0, 3.0]
    with pytest.raises(AttributeError, match="no code may read it"):
        _ = x.data
