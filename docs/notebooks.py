"""Copies the notebooks of demos/ into the site, with what their cells showed when they ran."""

from __future__ import annotations

import shutil
from pathlib import Path

DEMOS = Path(__file__).parent.parent / "demos"
PAGES = Path(__file__).parent / "notebooks"


def write() -> None:
    """Copy the notebooks anew."""
    shutil.rmtree(PAGES, ignore_errors=True)
    PAGES.mkdir()
    for notebook in DEMOS.glob("*.ipynb"):
        shutil.copy(notebook, PAGES)
