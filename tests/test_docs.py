"""Tests of the site that `make docs` builds: its reference, its links, its pages in a browser."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote

import pytest

import autograd
import nn
import nn.sklearn
from docs import lessons, reference
from nn import plots

ROOT = Path(__file__).parent.parent
ABSENT = {"https:", "http:", "mailto:", "data:", "javascript:"}


@pytest.mark.parametrize("module", [autograd, nn], ids=["autograd", "nn"])
def test_the_reference_groups_every_public_name_once(module: ModuleType) -> None:
    grouped = [
        name
        for rows in reference.groups(module).values()
        for names in rows.values()
        for name in names
    ]
    assert sorted(grouped) == sorted(module.__all__)


def test_each_lesson_has_a_page() -> None:
    (listed,) = re.findall(
        "^LESSONS := (.+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE
    )
    assert sorted(lessons.ORDER) == sorted(listed.split())
    for name in lessons.ORDER:
        assert "| claim |" in lessons.notes(name)


class Links(HTMLParser):
    """The ids and the links of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.add(value or "")
            elif name in ("href", "src") and value and not value.startswith(tuple(ABSENT)):
                self.links.add(value)


def broken(pages: dict[Path, Links]) -> list[str]:
    """Return the links whose file or anchor does not exist."""
    found = []
    for page, links in pages.items():
        for link in links.links:
            file, _, anchor = unquote(link).partition("#")
            target = (page.parent / file.partition("?")[0]).resolve() if file else page
            ids = pages[target].ids if target in pages else set()
            if not target.exists() or (anchor and target in pages and anchor not in ids):
                found.append(f"{page.name}: {link}")
    return found


def walk(browser: Any, pages: list[Path], root: Path) -> list[str]:
    """Open every page, and return what the browser complains of and what it asks of others."""
    complaints: list[str] = []
    page = browser.new_page()

    def complain(message: Any) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{page.url}: {message.type}: {message.text}")

    page.on("console", complain)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((root.as_uri(), "data:"))
            else complaints.append(f"{page.url}: request of {request.url}")
        ),
    )
    for path in pages:
        page.goto(path.as_uri())
        page.wait_for_load_state("load")
    page.goto((root / "search.html").as_uri() + "?q=stepper")
    page.wait_for_selector("#search-results li a")
    page.close()
    return complaints


@pytest.mark.slow
def test_the_site_is_whole(tmp_path: Path, browser: Any) -> None:
    site = tmp_path / "site"
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d"]
    command += [str(tmp_path / "doctrees"), "docs", str(site)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    files = [path.resolve() for path in site.rglob("*.html") if "_static" not in path.parts]
    pages = {path: Links(path) for path in files}
    assert broken(pages) == []
    ids = set().union(*(links.ids for links in pages.values()))
    names = [f"{module.__name__}.{n}" for module in (autograd, nn) for n in module.__all__]
    names += [f"nn.sklearn.{name}" for name in nn.sklearn.__all__]
    names += [f"nn.plots.{name}" for name in reference.own(plots)]
    assert set(names) - ids == set()
    live = {name for name in lessons.ORDER if (site / f"lessons/live/{name}.html").exists()}
    assert live == set(lessons.ORDER)
    notebook = (site / "notebooks" / "chain.html").read_text("utf-8")
    assert "<math" in notebook and "<iframe" in notebook
    assert walk(browser, sorted(pages), site.resolve()) == []
