"""Tests of gradients as an array: their norm, and clipping."""

from __future__ import annotations

import math
from typing import Any

import pytest

import nn
from autograd import Value


def with_gradients(*gradients: float | None) -> list[Value]:
    params = [Value(0.0) for _ in gradients]
    for p, gradient in zip(params, gradients):
        p.grad = gradient  # type: ignore[assignment]
    return params


def test_clipping_the_norm_keeps_the_direction() -> None:
    params = with_gradients(3.0, -4.0)
    assert nn.clip_grad_norm_(params, 1.0) == 5.0
    assert [p.grad for p in params] == pytest.approx([0.6, -0.8])
    assert nn.clip_grad_norm_(params, 2.0) == pytest.approx(1.0)
    assert nn.clip_grad_norm_(with_gradients(30.0, -40.0), 2.0) == 50.0
    assert [p.grad for p in params] == pytest.approx([0.6, -0.8])


@pytest.mark.parametrize(
    ("gradients", "largest", "norm", "clipped"),
    [
        ([1e307, 1e307], 100.0, 2.0**0.5 * 1e307, [100 / 2.0**0.5] * 2),
        ([1.7e308] * 4, 2.0, math.inf, [1.0] * 4),  # the norm is beyond the largest float
        ([3e200, -4e200], 1e-300, 5e200, [6e-301, -8e-301]),
        ([3e-320, 4e-320], 1.0, 5e-320, [3e-320, 4e-320]),
        ([3e-310, 4e-310], 1e-310, 5e-310, [6e-311, 8e-311]),
        ([0.0, 0.0], 1e-300, 0.0, [0.0, 0.0]),
        ([math.inf, 1.0], 1.0, math.inf, [math.nan, 0.0]),
        ([math.nan, 1.0], 1.0, math.nan, [math.nan, math.nan]),
    ],
)
def test_clipping_at_any_size_is_pytorchs_where_that_is_finite(
    torch: Any, gradients: list[float], largest: float, norm: float, clipped: list[float]
) -> None:
    params = with_gradients(*gradients)
    assert nn.grad_norm(params) == pytest.approx(norm, rel=1e-3, nan_ok=True)
    found = nn.clip_grad_norm_(params, largest)
    assert found == pytest.approx(norm, rel=1e-3, abs=0.0, nan_ok=True)
    assert [p.grad for p in params] == pytest.approx(clipped, rel=1e-3, abs=0.0, nan_ok=True)
    theirs = torch.tensor([0.0] * len(gradients), dtype=torch.float64, requires_grad=True)
    theirs.grad = torch.tensor(gradients, dtype=torch.float64)
    torch.nn.utils.clip_grad_norm_([theirs], largest)
    if not all(map(math.isfinite, gradients)):
        assert theirs.grad.tolist() == pytest.approx(clipped, nan_ok=True)


@pytest.mark.parametrize("gradient", [math.inf, math.nan])
def test_clipping_what_is_not_finite_may_be_an_error(gradient: float) -> None:
    params = with_gradients(gradient, 2.0)
    with pytest.raises(ValueError, match=f"the norm of the gradient is {gradient}"):
        nn.clip_grad_norm_(params, 1.0, error_if_nonfinite=True)
    assert params[1].grad == 2.0
    assert nn.clip_grad_norm_(with_gradients(3.0, 4.0), 1.0, error_if_nonfinite=True) == 5.0


def test_clipping_above_one_clips() -> None:
    params = with_gradients(30.0, -40.0)
    nn.clip_grad_norm_(params, 2.0)
    assert [p.grad for p in params] == pytest.approx([1.2, -1.6])


def test_clipping_values_moves_each_into_its_bounds() -> None:
    params = with_gradients(3.0, -4.0, 0.1, None)
    nn.clip_grad_value_(params, 0.5)
    assert [p.grad for p in params] == [0.5, -0.5, 0.1, 0.0]


def test_an_infinite_norm_only_measures() -> None:
    params = with_gradients(3.0, -4.0)
    assert nn.clip_grad_norm_(params, math.inf) == 5.0
    assert [p.grad for p in params] == [3.0, -4.0]


def test_gradients_are_read_from_what_can_be_gone_through_once_and_a_wrong_one_is_named() -> None:
    w, b = Value(1.0, label="w"), Value(2.0, label="b")
    b.grad = 3.0
    assert nn.gradients.gradient_of(v for v in (w, b)).tolist() == [0.0, 3.0]
    wrong: Any = "much"
    b.grad = wrong
    with pytest.raises(TypeError, match="the gradient of b"):
        nn.gradients.gradient_of(v for v in (w, b))
