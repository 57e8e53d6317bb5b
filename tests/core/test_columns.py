"""Tests of the loops over a graph that is stored as columns of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd.core.columns import add_depths, list_terms, mark_operands, mark_users, number_values
from autograd.core.twin import choice

Lists = list[list[int]]


@st.composite
def graphs(draw: Any) -> Lists:
    """Draw the operands of each node of a graph."""
    found: Lists = [[]]
    for i in range(1, draw(st.integers(1, 12))):
        found.append(draw(st.lists(st.integers(0, i - 1), max_size=3)))
    return found


def columns(operands: Lists) -> tuple[np.ndarray, np.ndarray]:
    """Return where the operands of each node start, and all operands."""
    starts = np.cumsum([0, *map(len, operands)]).astype(np.int32)
    return starts, np.array([arg for args in operands for arg in args], dtype=np.int32)


def find_below(operands: Lists, i: int) -> set[int]:
    """Return the nodes that node i depends on, and the node."""
    return {i}.union(*(find_below(operands, arg) for arg in operands[i]))


@settings(max_examples=100, deadline=None)
@given(graphs(), st.integers(0, 11))
def test_marks_go_to_operands_or_to_users(operands: Lists, chosen: int) -> None:
    count, chosen = len(operands), min(chosen, len(operands) - 1)
    below, above = np.zeros((2, count), dtype=bool)
    below[chosen] = above[chosen] = True
    mark_operands(*columns(operands), below)
    mark_users(*columns(operands), above)
    assert set(np.flatnonzero(below).tolist()) == find_below(operands, chosen)
    wanted = {i for i in range(count) if chosen in find_below(operands, i)}
    assert set(np.flatnonzero(above).tolist()) == wanted


@settings(max_examples=100, deadline=None)
@given(graphs())
def test_depths_are_added_along_the_longest_path(operands: Lists) -> None:
    def measure(i: int) -> int:
        return i % 3 + max(map(measure, operands[i]), default=0)

    depths = np.arange(len(operands), dtype=np.int32) % 3
    add_depths(*columns(operands), depths)
    assert depths.tolist() == [measure(i) for i in range(len(operands))]


@settings(max_examples=100, deadline=None)
@given(graphs(), st.lists(st.integers(0, 2), min_size=12, max_size=12))
def test_equal_computations_have_one_number(operands: Lists, codes: list[int]) -> None:
    def write(i: int) -> str:
        return f"{codes[i]}({','.join(map(write, operands[i]))})"

    texts = [write(i) for i in range(len(operands))]
    numbers = np.empty(len(operands), dtype=np.int32)
    used = np.array(codes[: len(operands)], dtype=np.int32)
    number_values(used, np.zeros_like(used), *columns(operands), numbers)
    assert numbers.tolist() == [texts.index(text) for text in texts]


def test_values_differ_by_their_offsets() -> None:
    same, offsets, numbers = np.zeros((3, 3), dtype=np.int32)
    offsets[:] = 4, 5, 4
    number_values(same, offsets, *columns([[], [], []]), numbers)
    assert numbers.tolist() == [0, 1, 0]


def test_the_terms_of_chains_stand_from_left_to_right() -> None:
    # 5 = (0 + 1) + (2 + 0), and 6 = 1 + 5
    operands = [[], [], [], [0, 1], [2, 0], [3, 4], [1, 5]]
    inner = np.array([False, False, False, True, True, False, False])
    ends, counts = np.array([5, 6], dtype=np.int32), np.zeros(2, dtype=np.int32)
    terms = np.full(8, -1, dtype=np.int32)
    list_terms(*columns(operands), inner, ends, counts, terms)
    assert counts.tolist() == [4, 2]
    assert terms.tolist() == [0, 1, 2, 0, 1, 5, -1, -1]


@pytest.mark.skipif(choice.twin is None, reason="plain Python takes any integers")
def test_columns_of_other_sizes_are_refused() -> None:
    starts, args = columns([[], [0]])
    with pytest.raises(TypeError, match="column 1 has elements of 8 bytes, expected 4"):
        mark_users(starts, args.astype(np.int64), np.zeros(2, dtype=bool))
