"""Tests of `find_view`: the expression selects the requested elements and shares their memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autograd.compiler.view import View, find_regular_shape, find_strides, find_view

Problem = tuple[np.ndarray, int]  # indices, and the size of the array that they are in
WIDTHS = st.sampled_from([("rows", 3), ("1", 1), ("", 1)])


def make_indices(start: int, shape: list[int], steps: list[int]) -> np.ndarray:
    """Return indices that begin at `start` and advance by these steps along each axis."""
    indices = np.full(shape, start)
    for axis, (size, step) in enumerate(zip(shape, steps)):
        along = [1] * len(shape)
        along[axis] = size
        indices = indices + step * np.arange(size).reshape(along)
    return indices


@st.composite
def nested_indices(draw: st.DrawFn) -> Problem:
    """Draw indices in rows of equal length, in blocks of equal length, with any axis order."""
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    steps, block = [], draw(st.integers(1, 3))
    for size in shape:  # the innermost first
        repeated = draw(st.booleans())  # the same element repeats along this axis
        steps.append(0 if repeated else block)
        block *= 1 if repeated else size + draw(st.integers(0, 2))
    order = draw(st.permutations(range(len(shape))))
    start = draw(st.integers(0, 5))
    indices = make_indices(start, [shape[i] for i in order], [steps[i] for i in order])
    return indices, start + block + draw(st.integers(0, 4))


@st.composite
def regular_indices(draw: st.DrawFn) -> Problem:
    """Draw indices with equal steps, perhaps backwards; rows may overlap or be cut short."""
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    steps = draw(st.lists(st.integers(0, 12), min_size=len(shape), max_size=len(shape)))
    indices = make_indices(draw(st.integers(0, 5)), shape, steps)
    length = int(indices.max()) + 1 + draw(st.integers(0, 4))
    return np.flip(indices) if draw(st.booleans()) else indices, length


@given(nested_indices(), WIDTHS)
def test_what_lies_in_blocks_has_a_view(problem: Problem, last: tuple[str, int]) -> None:
    (indices, length), (width, rows) = problem, last
    found = find_view("v", length, indices, width)
    assert found is not None
    check_view(found, indices, length, width, rows)


@given(regular_indices(), WIDTHS)
def test_a_view_is_what_it_says(problem: Problem, last: tuple[str, int]) -> None:
    (indices, length), (width, rows) = problem, last
    found = find_view("v", length, indices, width)
    assume(found)  # no view is found where rows overlap
    assert found is not None
    check_view(found, indices, length, width, rows)


def check_view(found: View, indices: np.ndarray, length: int, width: str, rows: int) -> None:
    """Check that a view selects the elements at these indices and shares the array's memory."""
    v = np.arange(length * rows).reshape(length, rows)
    core = eval(found.core, {"v": v, "rows": rows})
    taken = eval(found.core + found.suffix, {"v": v, "rows": rows})
    wanted = v[indices] if width else v[indices][..., 0]
    assert np.array_equal(np.broadcast_to(taken, wanted.shape), wanted)
    dims = (*found.dims, rows) if width else found.dims
    assert (1,) * (len(dims) - taken.ndim) + taken.shape == dims
    assert np.shares_memory(core, v)


@pytest.mark.parametrize(
    ("indices", "length", "text"),
    [
        ([0, 1, 2], 3, "v"),
        ([1, 2], 3, "v[1:3]"),
        ([0, 3, 6], 8, "v[0:7:3]"),
        ([[0, 1], [3, 4]], 6, "v.reshape(2, 3, rows)[:, :2]"),
        ([[1, 2], [4, 5]], 6, "v.reshape(2, 3, rows)[:, 1:]"),
        ([[1, 3], [9, 11]], 16, "v.reshape(2, 4, 2, rows)[:, :2, 1]"),
        ([[4, 6], [12, 14]], 16, "v.reshape(2, 4, 2, rows)[:, 2:, 0]"),
        (
            [[[5, 6], [9, 10]], [[21, 22], [25, 26]]],
            *(34, "v[0:32].reshape(2, 4, 4, rows)[:, 1:3, 1:3]"),
        ),
        ([[0, 2], [1, 3]], 4, "v.reshape(2, 2, rows).swapaxes(0, 1)"),
        ([[0, 0], [1, 1]], 2, "v[:, None, :]"),
        ([2, 1, 0], 3, "v[::-1]"),
        ([[4], [2]], 6, "v[4:1:-2][:, None, :]"),
        ([[1, 0], [3, 2]], 4, None),
        ([[0, 1], [1, 2]], 3, None),
    ],
)
def test_text(indices: list[int], length: int, text: str | None) -> None:
    found = find_view("v", length, np.array(indices), "rows")
    assert (found and found.core + found.suffix) == text


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5))
def test_a_grid_makes_repeated_and_tiled_places_regular(a: int, b: int, c: int) -> None:
    repeated, tiled = np.arange(a).repeat(b * c), np.tile(np.arange(b * c), a)
    swapped = np.arange(b * c).reshape(b, c).T.ravel()
    operands = [repeated, tiled, np.tile(swapped, a)]
    shape = find_regular_shape(operands)
    assert all(find_strides(indices.reshape(shape)) is not None for indices in operands)


def test_irregular_places_leave_the_shape_to_the_others() -> None:
    irregular = np.array([5, 0, 3, 1, 9, 2])
    assert find_regular_shape([irregular]) == (6,)
    assert find_regular_shape([irregular, np.array([0, 0, 0, 1, 1, 1])]) == (2, 3)
