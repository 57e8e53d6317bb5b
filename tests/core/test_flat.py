"""Tests of `Flat`: a leaf and its array element are one number, however it is read or set."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from autograd import Value
from autograd.extend import Flat


def test_a_leaf_and_its_place_in_the_array_are_one_number() -> None:
    a, b = Value(1.0, "a"), Value(2.0, "b")
    y = a * b
    flat = Flat([a, b])
    flat.read()[0] = 5.0
    assert a.data == 5.0
    b.data = 7
    assert flat.read().tolist() == [5.0, 7.0]
    assert y.recompute().data == 35.0
    y.backward()
    assert (a.grad, b.grad, repr(a)) == (7.0, 5.0, "Value(data=5.0, grad=7.0, label='a')")


def test_leaves_stay_where_they_are_when_they_are_brought_together_again() -> None:
    a, b, c, d = (Value(float(x)) for x in range(4))
    first = Flat([a, b, c])
    parts = [Flat([b, c]), Flat([c, a]), Flat([d, b])]
    first.write(np.array([10.0, 20.0, 30.0]))
    assert [part.read().tolist() for part in parts] == [[20.0, 30.0], [30.0, 10.0], [3.0, 20.0]]
    parts[2].write(np.array([40.0, 50.0]))
    parts[1].lower(np.array([1.0, 2.0]))
    parts[0].lower(np.array([3.0, 4.0]))
    assert [v.data for v in (a, b, c, d)] == [8.0, 47.0, 25.0, 40.0]


def test_only_numbers_can_be_set() -> None:
    a: Any = Value(1.0)
    Flat([a])
    with pytest.raises(TypeError):
        a.data = "two"
    a.data = np.float32(2.0)
    assert a.data == 2.0
    assert type(a.data) is float


def test_what_is_no_leaf_cannot_lie_in_an_array() -> None:
    a = Value(1.0)
    for wrong in (a * 2.0, a.detach(), 1.0):
        with pytest.raises(TypeError, match="only Values that you made can lie in an array"):
            Flat([a, wrong])  # type: ignore[list-item]
    a.args = ()
    assert a.data == 1.0


def test_copies_have_numbers_of_their_own() -> None:
    a, b = Value(1.0, "a"), Value(2.0, "b")
    flat = Flat([a, b])
    y = a * b
    for twin in (copy.deepcopy(y), pickle.loads(pickle.dumps(y))):
        twin.args[0].data = 9.0
        assert (a.data, type(twin.args[0])) == (1.0, Value)
    leaves, other = copy.deepcopy(([a, b], flat))
    leaves[0].data = 8.0
    assert (other.read().tolist(), flat.read().tolist()) == ([8.0, 2.0], [1.0, 2.0])


def test_a_part_that_begins_later_is_that_part() -> None:
    a, b, c = (Value(float(i)) for i in range(3))
    Flat([a, b, c])
    Flat([b, c]).read()[0] = 7.0
    assert [v.data for v in (a, b, c)] == [0.0, 7.0, 2.0]


@pytest.mark.parametrize(
    "numbers", [np.zeros(3), np.zeros((1, 2)), np.zeros(2, complex), np.array(["1", "2"])]
)
def test_only_as_many_real_numbers_as_leaves_are_written(numbers: np.ndarray) -> None:
    flat = Flat([Value(1.0), Value(2.0)])
    with pytest.raises(ValueError, match=r"takes an array of real numbers of shape \(2,\), got"):
        flat.write(numbers)
    assert flat.read().tolist() == [1.0, 2.0]


def test_whole_numbers_become_floats() -> None:
    a = Value(1.0)
    a.data = 2
    Flat([a]).write(np.array([0.5]))
    assert a.data == 0.5


def test_what_has_no_place_of_its_own_changes_nothing() -> None:
    class Mine(Value):
        pass

    a = Value(1.0)
    with pytest.raises(TypeError, match="the number of a Mine cannot lie in an array"):
        Flat([a, Mine(1.0)])
    with pytest.raises(ValueError, match="a Value is listed twice"):
        Flat([a, a])
    assert type(a) is Value
