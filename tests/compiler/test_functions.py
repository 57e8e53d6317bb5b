"""Tests of `compile` on random functions: equal to the engine, or refused."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.random_functions import tried


@pytest.mark.parametrize("start", range(0, 200, 50))
def test_a_random_function_agrees_or_is_refused(start: int) -> None:
    verdicts = Counter(tried(seed) for seed in range(start, start + 50))
    assert min(verdicts["agreed"], verdicts["refused"]) > 5, (
        "some functions agree and some are refused"
    )
