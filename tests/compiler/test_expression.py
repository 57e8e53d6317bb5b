"""Tests of `Expr`: the axes that an expression states are those of its computed value."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from autograd.compiler.expression import (
    Expr,
    flatten_axes,
    multiply,
    reduce_axis,
    split_axes,
    substitute,
    sum_exprs,
    sum_over_copies,
    sum_over_rows,
)

ROWS = 5
SHAPES = [(), (1,), (3,), (2, 3), (1, 3), (2, 1), (2, 3, 4)]
AXES = [(*shape, last) for shape in SHAPES if shape for last in ("rows", 1)]


def draw_array(dims: tuple[Any, ...], seed: int = 0) -> np.ndarray:
    """Draw an array with these axes."""
    return np.random.default_rng(seed).normal(size=[ROWS if n == "rows" else n for n in dims])


def compute(expr: Expr, **names: Any) -> np.ndarray:
    """Compute the value of an expression, and check its axes."""
    found = np.asarray(eval(expr.text, {"np": np, "rows": ROWS, **names}))
    assert found.shape == tuple(ROWS if n == "rows" else n for n in expr.dims)
    return found


@pytest.mark.parametrize("dims", AXES)
def test_axes_become_rows_of_scalars_and_come_back(dims: tuple[Any, ...]) -> None:
    a = draw_array(dims)
    rows = np.asarray(eval(flatten_axes("a", dims), {"a": a, "rows": ROWS}))
    assert rows.shape == (a.size // a.shape[-1], a.shape[-1])
    np.testing.assert_array_equal(compute(split_axes("a", dims), a=rows), a)


@pytest.mark.parametrize("method", ["sum", "max"])
@pytest.mark.parametrize("dims", AXES)
def test_the_axis_before_the_rows_is_reduced(dims: tuple[Any, ...], method: str) -> None:
    a, axis = draw_array(dims), len(dims) - 2
    found = compute(reduce_axis(Expr("a", dims), method, axis), a=a)
    np.testing.assert_allclose(found, getattr(np, method)(a, axis=axis).reshape(found.shape))


@pytest.mark.parametrize("dims", [(), *AXES])
def test_what_all_rows_share_is_summed_over_the_rows(dims: tuple[Any, ...]) -> None:
    a = draw_array(dims)
    expr = sum_over_rows(Expr("a", dims))
    every = np.broadcast_to(a, (*a.shape[:-1], ROWS)) if dims else np.full(ROWS, a)
    np.testing.assert_allclose(compute(expr, a=a).ravel(), every.sum(-1).ravel())
    if expr.out_call:
        out = np.empty(compute(expr, a=a).shape)
        eval(expr.out_call.format("out"), {"a": a, "out": out})
        np.testing.assert_array_equal(out, compute(expr, a=a))


@pytest.mark.parametrize("shape", SHAPES[1:])
def test_what_served_several_is_summed_over_them(shape: tuple[int, ...]) -> None:
    axes = range(len(shape))
    for kept in (list(k) for n in axes for k in itertools.combinations(axes, n)):
        for last in ("rows", 1):
            a = draw_array((*shape, last))
            expr = sum_over_copies(Expr("a", (*shape, last)), shape, kept)
            gone = tuple(axis for axis in axes if axis not in kept)
            wanted = a.sum(axis=gone)
            np.testing.assert_allclose(compute(expr, a=a).ravel(), wanted.ravel())


def test_sums_and_products_have_the_axes_of_both() -> None:
    a, b = Expr("a", (2, 1, "rows")), Expr("b", (3, 1))
    names = {"a": draw_array(a.dims), "b": draw_array(b.dims, 1)}
    np.testing.assert_array_equal(compute(sum_exprs([a, b]), **names), names["a"] + names["b"])
    np.testing.assert_array_equal(compute(multiply(a, b), **names), names["a"] * names["b"])
    assert multiply(a, Expr("1.0", ())) == a
    assert multiply(Expr("a + b", ()), Expr("-1.0", ())).text == "-(a + b)"


def test_a_quotient_of_one_divides_the_gradient() -> None:
    g = Expr("a + b", ("rows",))
    assert multiply(g, Expr("1.0 / s", (1,))) == Expr("(a + b) / s", ("rows",))
    assert multiply(g, Expr("1.0 / (1.0 + s)", ())).text == "(a + b) / (1.0 + s)"
    assert multiply(g, Expr("1.0 / s + t", ())).text == "(a + b) * (1.0 / s + t)"


def test_operands_are_put_in_their_places() -> None:
    a, b = Expr("u + v", (2, "rows")), Expr("3.0", ())
    assert substitute("a * b", [a, b]) == Expr("(u + v) * 3.0", (2, "rows"))
    assert substitute("np.where(b > 2.0, a, 0.0)", [a, b]).text == "(u + v)"
    assert substitute("out * a", [a], Expr("y", (2, "rows"))).text == "y * (u + v)"
