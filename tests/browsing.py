"""Helpers for tests of HTML pages: the parts of a page as text, and a browser to open it."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

# The shell, which has no windows, opens a page in less than half the time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
NO_BROWSER = "there is no Chromium on PATH: apt-get install chromium-headless-shell"


@contextmanager
def chromium() -> Iterator[Any]:
    """Start a headless browser and yield it.

    Raises:
        FileNotFoundError: no browser is installed.
    """
    if CHROMIUM is None:
        raise FileNotFoundError(NO_BROWSER)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


def screens(*widths: int) -> list[Any]:
    """Return each width with each colour scheme, as parameters of a test.

    The narrowest dark screen and the widest bright one are always tried, the others are slow.
    """
    always = {(min(widths), "dark"), (max(widths), "light")}
    return [
        pytest.param(*screen, marks=[] if screen in always else pytest.mark.slow)
        for screen in itertools.product(widths, ("light", "dark"))
    ]


def parts(html: str) -> dict[str, Any]:
    """Return a page's policy, data, script and style."""
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    script = re.search(r"<script>(.*?)</script>", html, re.DOTALL)
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert policy and data and script and style
    return {
        "policy": policy[1],
        "data": json.loads(data[1]),
        "script": script[1],
        "style": style[1],
    }


def press(page: Any, key: str, times: int = 1) -> None:
    for _ in range(times):
        page.keyboard.press(key)


def until(page: Any, holds: Callable[[], bool]) -> None:
    """Wait for the page until something holds."""
    for _ in range(100):
        if holds():
            return
        page.wait_for_timeout(50)
    raise TimeoutError


def violations(found: Any) -> list[str]:
    """Return the accessibility violations that axe found, as text."""
    return [
        f"{violation['id']}: {json.dumps(node['target'])} {node['failureSummary']}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]
