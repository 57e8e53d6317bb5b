"""Tests of `compile(..., static=...)`: a trace for each value, kept for the last ones."""

from __future__ import annotations

import math
from typing import Any

import pytest

import autograd
from autograd import Value
from autograd.compiler.compiled import STATICS

UNTYPED: Any = autograd.compile


def power(x: Any, n: int, mode: str = "up") -> Any:
    return W * x**n if mode == "up" else W - x**n


W = Value(2.0, "W")
SEEN: list[Any] = []


def traced(f: Any, *arguments: Any, **named: Any) -> tuple[Any, bool]:
    """Return the result of a call, and whether new code was made for it."""
    found = f(*arguments, **named).tolist()
    is_new = f._get_latest() not in SEEN
    SEEN.append(f._get_latest())
    return found, is_new


@pytest.mark.parametrize("static", [["n", "mode"], (1, 2), ["n", 2]])
def test_a_function_is_traced_for_each_value_of_its_static_arguments(static: Any) -> None:
    f = autograd.compile(power, static=static)
    X = [1.0, 3.0]
    assert traced(f, X, 2) == ([2.0, 18.0], True)
    assert traced(f, X, 3) == ([2.0, 54.0], True)
    assert traced(f, X, 2) == ([2.0, 18.0], False)
    assert traced(f, X, 2, "down") == ([1.0, -7.0], True)
    assert traced(f, X, n=2, mode="down")[0] == [1.0, -7.0]
    assert f.mean(X, 2) == 10.0
    value, gradient = f.value_and_grad(X, 2)
    assert (value, gradient.tolist()) == (10.0, [5.0])
    assert "x ** 2.0" in f.source and f.params == [W]
    f.retrace()
    assert traced(f, X, 2)[1]


def test_static_arguments_may_stand_anywhere_and_be_all_there_is() -> None:
    f = autograd.compile(lambda name, x, times: x * times if name else x, static=[0, "times"])
    assert f("a", [1.0, 2.0], 3).tolist() == [3.0, 6.0]
    assert f("", [1.0, 2.0], 3).tolist() == [1.0, 2.0]
    assert autograd.compile(lambda n: W * n, static="n")(3) == 6.0
    assert autograd.compile(lambda *a: a[0] * a[1], static=1)([2.0], 4).tolist() == [8.0]
    keyword = autograd.compile(lambda x, *, n: x * n, static="n")
    assert keyword([2.0], n=4).tolist() == [8.0]


def test_values_that_are_equal_but_of_another_kind_are_told_apart() -> None:
    f = autograd.compile(lambda x, n: x * 0.0 + len(repr(n)), static="n")
    for n in (1, 1.0, True, 0.0, -0.0, (1,), (1.0,), (True, ("a", 1)), None, "a"):
        assert f([1.0], n).tolist() == [len(repr(n))]


def test_the_code_of_the_last_values_is_kept() -> None:
    f = autograd.compile(power, static="n")
    for n in range(STATICS + 1):
        traced(f, [1.0], n)
        traced(f, [1.0], 1)
    assert not traced(f, [1.0], 1)[1]
    assert not traced(f, [1.0], STATICS)[1]
    assert traced(f, [1.0], 0)[1]


def test_a_method_has_static_arguments_too() -> None:
    class Model:
        def __init__(self) -> None:
            self.w = Value(3.0)

        @autograd.compile(static="k")
        def __call__(self, x: Any, k: int) -> Any:
            return self.w * x[k]

        @autograd.compile(static="k")
        def pick(self, x: Any, k: int) -> Any:
            return self.w * x[k]

    model = Model()
    assert model.pick([[1.0, 2.0]], 1).tolist() == [6.0]
    assert model.pick([[1.0, 2.0]], k=0).tolist() == [3.0]


def test_a_static_object_that_changes_is_traced_again() -> None:
    class Settings:
        scale = 2.0

    settings = Settings()
    f = autograd.compile(lambda x, s: x * s.scale, static="s")
    assert f([1.0], settings).tolist() == [2.0]
    settings.scale = 5.0
    assert f([1.0], settings).tolist() == [5.0]


def test_errors_name_the_row_of_the_arguments_that_have_rows() -> None:
    f = autograd.compile(lambda n, x: x.log() * n, static="n")
    with pytest.raises(ValueError, match="in row 1: log"):
        f(2, [1.0, -1.0])
    with pytest.raises(ValueError, match=r"log\(x\)"):
        f(2, [-1.0])


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: UNTYPED(power, static="m"), ValueError, "no argument 'm' to be static: it has x"),
        (lambda: UNTYPED(power, static=3), ValueError, "no argument 3 to be static"),
        (lambda: UNTYPED(lambda: 0, static=0), ValueError, "no argument 0 to be static"),
        (lambda: UNTYPED(power, static=-1), ValueError, "counts from 0, got -1"),
        (lambda: UNTYPED(power, static=True), TypeError, "name or the position.*got True"),
        (lambda: UNTYPED(power, static=[None]), TypeError, "name or the position.*got None"),
        (lambda: UNTYPED(power, static="n")([1.0], [2]), TypeError, r"argument n is hashed.*\[2\]"),
        (lambda: UNTYPED(power, static="n")(x=[1.0], n=2), TypeError, "only static.*'x' is none"),
        (lambda: UNTYPED(power)([1.0], n=2), TypeError, "only static.*'n' is none"),
    ],
)
def test_what_cannot_be_static_is_refused(call: Any, kind: Any, words: str) -> None:
    with pytest.raises(kind, match=words):
        call()


def test_a_number_that_is_not_finite_is_static_too() -> None:
    f = autograd.compile(lambda x, n: x * (0.0 if math.isnan(n) else 1.0), static="n")
    assert f([1.0], math.nan).tolist() == [0.0]
    assert f([1.0], math.inf).tolist() == [1.0]
