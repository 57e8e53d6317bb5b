"""Tests of functions of sequences: correct, numerically stable, and checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp

import autograd
from autograd import Value
from autograd.core import ops
from autograd.core.backprop import gradients
from tests import oracle

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
    terms: list[Any] = [x, x, 1]
    total = sum(terms)
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


INF = math.inf
TAKEN = {  # for each input: log-sum-exp, and its derivatives, which are the softmax
    (1.0, INF): (INF, [0.0, 1.0]),
    (INF, 1.0): (INF, [1.0, 0.0]),
    (INF, INF): (INF, [0.5, 0.5]),
    (INF, -INF): (INF, [1.0, 0.0]),
    (-INF, -INF): (-INF, [0.5, 0.5]),
    (-INF, 0.0, -INF): (0.0, [0.0, 1.0, 0.0]),
    (-INF, -INF, -INF, -INF): (-INF, [0.25] * 4),
    (0.0, 1000.0): (1000.0, [0.0, 1.0]),
    (1e16, 1e16): (1e16, [0.5, 0.5]),
    (1e308, -1e308): (1e308, [1.0, 0.0]),
    (math.nan, 0.0): (math.nan, [math.nan] * 2),
}
each_place = pytest.mark.parametrize("at", list(TAKEN), ids=str)


def engine(f: Callable[[list[Value]], Value], at: Sequence[float]) -> tuple[float, list[float]]:
    values = [Value(x) for x in at]
    out = f(values)
    out.backward()
    return out.data, [v.grad for v in values]


def compiled(f: Callable[[list[Value]], Value], at: Sequence[float]) -> tuple[float, list[float]]:
    values = [Value(x) for x in at]
    data, slopes = autograd.compile(lambda: f(values), params=values).value_and_grad()
    return data, slopes.tolist()


both_ways = pytest.mark.parametrize("way", [engine, compiled])


@both_ways
@each_place
def test_log_sum_exp_at_infinities_is_what_it_is_the_limit_of(way: Any, at: Any) -> None:
    wanted, shares = TAKEN[at]
    found, slopes = way(autograd.logsumexp, at)
    assert found == pytest.approx(wanted, nan_ok=True)
    assert slopes == pytest.approx(shares, nan_ok=True)


@both_ways
@each_place
def test_softmax_at_infinities_shares_as_log_sum_exp_does(way: Any, at: Any) -> None:
    shares = TAKEN[at][1]
    for i, share in enumerate(shares):
        found, slopes = way(lambda values, i=i: autograd.softmax(values)[i], at)
        assert found == pytest.approx(share, nan_ok=True)
        wanted = [share * ((i == j) - other) for j, other in enumerate(shares)]
        assert slopes == pytest.approx(wanted, nan_ok=True)


@both_ways
@each_place
def test_log_softmax_at_infinities_shares_as_softmax_does(way: Any, at: Any) -> None:
    shares = TAKEN[at][1]
    for i, share in enumerate(shares):
        found, slopes = way(lambda values, i=i: autograd.log_softmax(values)[i], at)
        if share > 0.0:
            assert found == pytest.approx(math.log(share))
        elif share == 0.0:
            assert found == pytest.approx(max(at[i] - max(at), -INF))
        assert slopes == pytest.approx([(i == j) - p for j, p in enumerate(shares)], nan_ok=True)


@given(st.lists(st.floats(-1000, 1000), min_size=2, max_size=5), st.integers(0, 4))
def test_log_softmax_is_exact_in_both_tails(xs: list[float], i: int) -> None:
    i %= len(xs)
    exact = 1e-13 * (1 + max(map(abs, xs)))  # each difference is rounded once
    with mp.workdps(1000):
        e = [mp.exp(x) for x in xs]
        wanted, slopes = mp.log(e[i] / sum(e)), [(i == j) - ej / sum(e) for j, ej in enumerate(e)]
        for way in (engine, compiled):
            found, gradient = way(lambda values: autograd.log_softmax(values)[i], xs)
            assert abs(found - wanted) <= exact * abs(wanted) + 1e-300
            for slope, got in zip(slopes, gradient):
                assert abs(got - slope) <= exact * abs(slope) + 1e-300


def test_log_softmax_has_the_right_second_derivatives() -> None:
    xs = [Value(0.3), Value(-1.2), Value(2.0)]
    p = [share.data for share in autograd.softmax(xs)]
    slopes = autograd.grad(autograd.log_softmax(xs)[1], xs, create_graph=True)
    for i, slope in enumerate(slopes):
        wanted = [-p[i] * ((i == j) - p[j]) for j in range(3)]
        assert autograd.grad(slope, xs) == pytest.approx(wanted, rel=1e-12)


def test_one_value_is_certain_whatever_it_is() -> None:
    for x in (3.0, INF, -INF):
        assert autograd.log_softmax([Value(x)])[0].data == 0.0
        assert autograd.surprisal(Value(x), []).data == 0.0


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


@pytest.mark.parametrize(
    "f", [autograd.mean, autograd.softmax, autograd.log_softmax, autograd.logsumexp]
)
def test_nothing_has_no_mean_and_no_softmax(f: Callable[[Any], Any]) -> None:
    with pytest.raises(ValueError, match=f"{f.__name__} needs at least one value"):
        f([])


@pytest.mark.parametrize(
    "f", [autograd.sum, autograd.mean, autograd.softmax, autograd.log_softmax, autograd.logsumexp]
)
@pytest.mark.parametrize("wrong", [Value(1.0), 3.0, "12", None])
def test_what_is_no_sequence_is_refused(f: Callable[[Any], Any], wrong: Any) -> None:
    with pytest.raises(TypeError, match=rf"{f.__name__} takes a sequence of Values"):
        f(wrong)
    with pytest.raises(TypeError, match=f"{f.__name__} expected one real number"):
        f([Value(1.0), "2"])
