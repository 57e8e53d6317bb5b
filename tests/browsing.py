"""The browser that pages are opened in: Chromium, headless."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
NO_BROWSER = "there is no chromium on PATH: apt-get install chromium"


@contextmanager
def chromium() -> Iterator[Any]:
    """A running browser.

    Raises:
        FileNotFoundError: there is none on this machine.
    """
    if CHROMIUM is None:
        raise FileNotFoundError(NO_BROWSER)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()
