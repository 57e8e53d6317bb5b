"""sum, mean, softmax and logsumexp: right, stable, and refusing what is no sequence."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp

import autograd
from autograd import Value, ops
from autograd.backprop import gradients

numbers = st.lists(st.floats(-1000, 1000), min_size=1, max_size=5)


def test_sum_adds_from_left_to_right_without_a_zero() -> None:
    a, b, c = Value(1.0), Value(2.0), Value(4.0)
    total = autograd.sum([a, b, c])
    assert (total.data, total.args[1], total.args[0].args) == (7.0, c, (a, b))


def test_sum_takes_numbers_generators_and_arrays() -> None:
    assert autograd.sum(Value(x) for x in (1.0, 2.0)).data == 3.0
    assert autograd.sum([1, Value(2.0), np.float32(3)]).data == 6.0
    assert autograd.sum(np.array([[Value(1.0), Value(2.0)], [Value(3.0), 4]])).data == 10.0
    assert autograd.sum(np.array([1, 2])).data == 3.0


def test_the_sum_of_nothing_is_zero() -> None:
    empty = autograd.sum([])
    assert (empty.data, empty.op) == (0.0, ops.constant)


def test_the_builtin_sum_works_too() -> None:
    x = Value(2.0)
    total = sum([x, x, 1])
    total.backward()
    assert (total.data, x.grad) == (5.0, 2.0)


def test_mean_shares_the_gradient() -> None:
    xs = [Value(float(x)) for x in range(4)]
    autograd.mean(xs).backward()
    assert [x.grad for x in xs] == [0.25] * 4


@given(numbers)
def test_logsumexp_is_exact_at_any_size(xs: list[float]) -> None:
    values = [Value(x) for x in xs]
    out = autograd.logsumexp(values)
    out.backward()
    with mp.workdps(1000):
        exponentials = [mp.exp(x) for x in xs]
        wanted = mp.log(sum(exponentials))
        assert abs(out.data - wanted) <= 1e-12 * max(1, abs(wanted))
        for value, e in zip(values, exponentials):
            assert abs(value.grad - e / sum(exponentials)) <= 1e-12


@given(numbers)
def test_softmax_adds_up_to_one_and_has_the_right_gradient(xs: list[float]) -> None:
    values = [Value(x) for x in xs]
    shares = autograd.softmax(values)
    assert math.fsum(p.data for p in shares) == pytest.approx(1.0, rel=1e-12)
    found = gradients(shares[0])
    p = [share.data for share in shares]
    for j, value in enumerate(values):
        wanted = p[0] * ((j == 0) - p[j])
        assert found[value] == pytest.approx(wanted, abs=1e-12)


def test_softmax_follows_a_recompute_far_from_where_it_was_made() -> None:
    xs = [Value(0.0), Value(1.0)]
    first, second = autograd.softmax(xs)
    xs[0].data = 5000.0
    assert (first.recompute().data, second.recompute().data) == (1.0, 0.0)


def test_masked_entries_get_no_share() -> None:
    shares = autograd.softmax([Value(1.0), -math.inf, Value(1.0)])
    assert [p.data for p in shares] == [0.5, 0.0, 0.5]


def test_the_oracle_is_not_the_engine() -> None:
    assert not hasattr(oracle, "autograd")


@pytest.mark.parametrize("f", [autograd.mean, autograd.softmax, autograd.logsumexp])
def test_nothing_has_no_mean_and_no_softmax(f: Callable[[Any], Any]) -> None:
    with pytest.raises(ValueError, match=f"{f.__name__} needs at least one value"):
        f([])


@pytest.mark.parametrize("f", [autograd.sum, autograd.mean, autograd.softmax, autograd.logsumexp])
@pytest.mark.parametrize("wrong", [Value(1.0), 3.0, "12", None])
def test_what_is_no_sequence_is_refused(f: Callable[[Any], Any], wrong: Any) -> None:
    with pytest.raises(TypeError, match=rf"{f.__name__} takes a sequence of Values"):
        f(wrong)
    with pytest.raises(TypeError, match=f"{f.__name__} expected one real number"):
        f([Value(1.0), "2"])
