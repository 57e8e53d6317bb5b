"""Pages as a test sees them: their parts as text, and a browser that opens them."""

from __future__ import annotations

import json
import re
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


def parts(html: str) -> dict[str, Any]:
    """A page's policy, data and script."""
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


def violations(found: Any) -> list[str]:
    """What axe found to be in somebody's way."""
    return [
        f"{violation['id']}: {json.dumps(node['target'])} {node['failureSummary']}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]
