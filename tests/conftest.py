"""Fixtures that not every run can provide: a browser, PyTorch, MNIST, a core. No test is timed.

A test that lacks one of them is skipped, and the end of the run reports it. AUTOGRAD_REQUIRE names
those without which a test fails instead: `AUTOGRAD_REQUIRE="browser torch" make test`.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pytest
from hypothesis import HealthCheck, settings

from autograd.core.twin import choice
from tests.browsing import CHROMIUM, NO_BROWSER, chromium

# No test is timed: a busy machine would fail it.
settings.register_profile(
    "untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("untimed")


class Lack(NamedTuple):
    """Something missing on this machine: the reason, and what was not tested without it."""

    reason: str
    untested: str


LACKS = {
    "browser": Lack(NO_BROWSER, "THE PAGES WERE NOT TESTED"),
    "torch": Lack(
        "there is no PyTorch: .venv/bin/python -m pip install torch",
        "AGREEMENT WITH PYTORCH WAS NOT TESTED",
    ),
    "twin": Lack(
        "there is no compiled core: install the package again, where there is a C compiler",
        "THE COMPILED CORE WAS NOT TESTED",
    ),
    "data": Lack("AUTOGRAD_DATA names no folder that holds mnist/", "MNIST WAS NOT READ"),
}


def lacking(name: str) -> NoReturn:
    """Skip the test because `name` is missing; fail it if AUTOGRAD_REQUIRE names it."""
    if name in os.environ.get("AUTOGRAD_REQUIRE", "").split():
        pytest.fail(f"AUTOGRAD_REQUIRE names {name}, and {LACKS[name].reason}", pytrace=False)
    pytest.skip(LACKS[name].reason)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that open a browser, which `make fast` leaves out."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Report at the end of the run what was not tested."""
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for lack in LACKS.values():
        if count := sum(lack.reason in text for text in skipped):
            terminalreporter.section(lack.untested, sep="!", red=True)
            terminalreporter.line(f"{count} tests were skipped: {lack.reason}")


@pytest.fixture(scope="session")
def torch() -> Any:
    """Import PyTorch."""
    try:
        return importlib.import_module("torch")
    except ImportError:
        lacking("torch")


@pytest.fixture
def twin() -> Any:
    """Return the compiled core, which runs."""
    if choice.reason.startswith("AUTOGRAD_PURE"):
        pytest.skip("plain Python was asked for")
    if choice.twin is None:
        lacking("twin")
    return choice.twin


@pytest.fixture
def plain_core() -> None:
    """Skip a test that watches or changes the lines of the core, if its compiled twin runs."""
    if choice.twin is not None:
        pytest.skip(
            "the compiled core runs; `make test` runs the core's tests with AUTOGRAD_PURE=1 too"
        )


@pytest.fixture(scope="session")
def mnist() -> Path:
    """Return the folder with MNIST's files."""
    folder = Path(os.environ.get("AUTOGRAD_DATA", ""), "mnist")
    if not folder.is_dir():
        lacking("data")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start headless Chromium."""
    if CHROMIUM is None:
        lacking("browser")
    with chromium() as running:
        yield running


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Any]]:
    """Yield a function that opens a file as a page; fail on requests and on console errors."""
    complaints: list[str] = []
    contexts = []

    def opener(path: str | Path, hash: str = "", **settings: Any) -> Any:
        url = Path(path).resolve().as_uri()
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
        contexts.append(context)

        def complain_of_request(request: Any) -> None:
            if request.url.split("#")[0] != url and not request.url.startswith("data:"):
                complaints.append(f"request: {request.url}")

        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("request", complain_of_request)
        page.goto(url + hash)
        return page

    yield opener
    for context in contexts:
        context.close()
    assert not complaints
