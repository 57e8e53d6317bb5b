"""Fixtures of the demos: their numbers on small budgets, run in a folder of the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo_runs import Results


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Return the numbers of the demos; their pictures are in a temporary folder."""
    return Results(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change to a folder of the test, where demos put pictures by default."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module", autouse=True)
def coarse() -> Iterator[None]:
    """Draw pictures on a coarse grid, to save time."""
    from nn import plots

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plots, "GRID", 12)
        yield
