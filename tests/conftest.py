"""What the tests in a browser share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import CHROMIUM, NO_BROWSER, chromium


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say loudly that the pages were not looked at."""
    skipped = [
        report
        for report in terminalreporter.stats.get("skipped", [])
        if NO_BROWSER in str(report.longrepr)
    ]
    if skipped:
        terminalreporter.section("THE PAGES WERE NOT TESTED", sep="!", red=True)
        terminalreporter.line(f"{len(skipped)} tests in a browser were skipped, for {NO_BROWSER}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium."""
    if CHROMIUM is None:
        pytest.skip(NO_BROWSER)
    with chromium() as running:
        yield running


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens files as pages, and fails if one asked for anything else, or complained."""
    complaints: list[str] = []
    contexts = []

    def opener(path: str | Path, hash: str = "", **settings: Any) -> Any:
        url = Path(path).resolve().as_uri()
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on(
            "request",
            lambda request: (
                request.url.split("#")[0] == url
                or request.url.startswith("data:")
                or complaints.append(f"request: {request.url}")
            ),
        )
        page.goto(url + hash)
        return page

    yield opener
    for context in contexts:
        context.close()
    assert not complaints
