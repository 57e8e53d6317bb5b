"""Tests in JupyterLab, which they start: what cells show, trusted or not, light and dark."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
PREPARE = """\
import sys
import nn
from autograd import Value
x, w = Value(0.5, "x"), Value(2.0, "w")
y = x
for _ in range(9):
    y = (w * y + 0.1).tanh()
y.label = "C"
y.backward()
X, labels = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
model = nn.MLP(2, [4, 1], "tanh", seed=1)
trainer = nn.Trainer(
    model, nn.binary_cross_entropy_with_logits, nn.SGD(model.parameters(), lr=1.0)
)
history = trainer.fit(X, labels, epochs=30, batch_size=None, progress=False)
"""
PICTURES = {
    "Value": "y",
    "drawing": "y.draw()",
    "history": "history",
    "curves": "history.plot()",
    "model": "model",
    "regions": "nn.plots.decision_regions(model, X, labels)",
}
PAGES = {
    "stepper": "y.stepper()",
    "page of a Value": "y.page()",
    "page of a model": "model.page()",
}
TEXTS = {
    "explanation": "y.explain(x)",
    "pyplot": "'matplotlib.pyplot' in sys.modules",
}
CELLS = {"prepare": PREPARE, **PICTURES, **PAGES, **TEXTS}
PYTHON = {"display_name": "Python 3", "language": "python", "name": "python3"}
THEMES = ("JupyterLab Light", "JupyterLab Dark")
ALL_RAN = """[...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]
    .every(prompt => /\\[\\d+\\]/.test(prompt.textContent))"""


class Lab:
    """A running JupyterLab, and a browser to look into it."""

    def __init__(self, url: str, work: Path, settings: Path, browser: Any) -> None:
        self.url, self.work, self.settings, self.browser = url, work, settings, browser

    def set(self, plugin: str, **settings: Any) -> None:
        path = (
            self.settings / "@jupyterlab" / "apputils-extension" / f"{plugin}.jupyterlab-settings"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings), "utf-8")

    @contextmanager
    def notebook(self, name: str, theme: str = THEMES[0]) -> Iterator[Any]:
        """Open a notebook on a screen so high that every cell is in sight."""
        self.set("themes", theme=theme)
        self.set("notification", fetchNews="false")
        context = self.browser.new_context(viewport={"width": 1000, "height": 8000})
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(f"{self.url}/lab/tree/{name}?reset")
        page.locator(".jp-CodeCell").nth(len(CELLS) - 1).wait_for()
        yield page
        context.close()


def output(page: Any, name: str) -> Any:
    """Return what the cell with this name shows."""
    cell = page.locator(".jp-CodeCell").nth(list(CELLS).index(name))
    return cell.locator(".jp-OutputArea-output")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert server.poll() is None
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(url)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[Lab]:
    """Start JupyterLab with folders of its own."""
    home = tmp_path_factory.mktemp("lab")
    kinds = {"JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"}
    kinds |= {"JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"}
    folders = {kind: home / kind for kind in (*kinds, "work")}
    for folder in folders.values():
        folder.mkdir()
    port = free_port()
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": folders["work"],
        "IdentityProvider.token": "",
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--{name}={value}" for name, value in options.items()]
    environment = {**os.environ, **{kind: str(folders[kind]) for kind in kinds}}
    environment["PYTHONPATH"] = str(ROOT)
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/api", server)
        yield Lab(url, folders["work"], folders["JUPYTERLAB_SETTINGS_DIR"], browser)
    finally:
        server.terminate()
        server.wait(60)


@pytest.fixture(scope="module")
def ran(lab: Lab) -> Iterator[Any]:
    """Run the cells, save the notebook, and leave it open."""
    cells = [new_code_cell(source) for source in CELLS.values()]
    notebook = new_notebook(cells=cells, metadata={"kernelspec": PYTHON})
    (lab.work / "ran.ipynb").write_text(nbformat.writes(notebook), "utf-8")
    with lab.notebook("ran.ipynb") as page:
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
        page.locator(".lm-MenuBar").get_by_text("Run", exact=True).click()
        page.locator(".lm-Menu").get_by_text("Run All Cells", exact=True).click()
        page.wait_for_function(ALL_RAN)
        page.keyboard.press("Control+s")
        page.wait_for_function("!document.querySelector('.jp-mod-dirty')")
        yield page


@pytest.fixture(scope="module")
def untrusted(lab: Lab, ran: Any) -> Iterator[Any]:
    """Open the executed notebook as one of a stranger, which nobody here has run."""
    notebook = json.loads((lab.work / "ran.ipynb").read_text("utf-8"))
    notebook["metadata"]["title"] = "of a stranger"
    (lab.work / "untrusted.ipynb").write_text(json.dumps(notebook), "utf-8")
    with lab.notebook("untrusted.ipynb") as page:
        yield page


def assert_picture_fits(shown: Any) -> None:
    picture = shown.locator("img")
    picture.wait_for()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    assert shown.evaluate("output => output.scrollWidth <= output.clientWidth")
    assert picture.bounding_box()["width"] > 300


@pytest.mark.parametrize("name", PICTURES)
def test_a_cell_shows_a_picture_that_fits(ran: Any, name: str) -> None:
    assert_picture_fits(output(ran, name))


@pytest.mark.parametrize("name", PICTURES)
def test_an_untrusted_notebook_shows_the_picture_too(untrusted: Any, name: str) -> None:
    shown = output(untrusted, name)
    assert_picture_fits(shown)
    assert len(shown.inner_text()) < 300


@pytest.mark.parametrize("name", PAGES)
def test_an_untrusted_notebook_says_that_a_page_does_not_run(untrusted: Any, name: str) -> None:
    said = output(untrusted, name).inner_text()
    assert "runs where the notebook is trusted" in said
    assert len(said) < 200


def test_what_is_text_is_the_same_in_an_untrusted_notebook(ran: Any, untrusted: Any) -> None:
    texts = [output(page, "explanation").inner_text() for page in (ran, untrusted)]
    assert texts[0] == texts[1]
    assert "∂C/∂x" in texts[0]


def test_no_picture_imported_pyplot(ran: Any) -> None:
    assert output(ran, "pyplot").inner_text() == "False"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_runs_in_its_cell(ran: Any, name: str) -> None:
    shown = output(ran, name)
    page = shown.frame_locator("iframe")
    title = page.locator("h1").inner_text()
    assert ("network" if "model" in name else "C") in title
    assert shown.evaluate("output => output.scrollWidth <= output.clientWidth")


def test_the_stepper_steps_in_its_cell(ran: Any) -> None:
    page = output(ran, "stepper").frame_locator("iframe")
    before = page.locator("#title").inner_text()
    page.locator("#next").click()
    assert page.locator("#title").inner_text() != before


@pytest.mark.parametrize("theme", THEMES)
def test_a_page_has_the_colours_of_the_notebook(lab: Lab, ran: Any, theme: str) -> None:
    scheme = theme.split()[-1].lower()
    with lab.notebook("ran.ipynb", theme) as notebook:
        for name in PAGES:
            page = output(notebook, name).frame_locator("iframe")
            page.locator(f"html[style*={scheme}]").wait_for()
