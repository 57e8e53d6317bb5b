"""Tests of the notebooks: equal to what their scripts make, and interactive in a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from demos.build_notebook import SCRIPTS, executed, notebook_of
from tests.examples import neuron

STALE = "the notebook is not what its script makes: run `make notebook`"
LARGEST = 600_000  # bytes


@pytest.fixture(params=SCRIPTS, ids=lambda script: script.stem)
def script(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.fixture
def committed(script: Path) -> Any:
    return nbformat.read(notebook_of(script), as_version=4)


def said(cell: Any) -> list[Any]:
    """Return the machine-independent output of a cell: its texts, and the kinds of its data."""
    return [
        (output.name, output.text)
        if output.output_type == "stream"
        else (sorted(output.data), output.data["text/plain"])
        for output in cell.get("outputs", [])
    ]


def test_the_notebook_is_what_its_script_makes(script: Path, committed: Any) -> None:
    built = executed(script)
    assert [c.source for c in committed.cells] == [c.source for c in built.cells], STALE
    assert [said(c) for c in committed.cells] == [said(c) for c in built.cells], STALE
    assert committed.metadata == built.metadata, STALE


def test_every_cell_ran_in_order_and_none_complained(committed: Any) -> None:
    cells = [cell for cell in committed.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert {output.output_type for output in outputs} <= {"stream", "execute_result"}
    assert {output.name for output in outputs if output.output_type == "stream"} == {"stdout"}


def test_the_notebook_is_small_and_knows_no_machine(script: Path, committed: Any) -> None:
    nbformat.validate(committed)
    text = notebook_of(script).read_text(encoding="utf-8")
    assert len(text.encode()) < LARGEST
    for trace in (str(Path.home()), "/tmp/", "site-packages", "object at 0x", "ipykernel"):
        assert trace not in text
    assert all(cell.metadata == {} for cell in committed.cells)


# ------------------------------------------------------------------ in a browser


@pytest.fixture
def cell(opened: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Return a function that opens a cell's output as a notebook does, and returns its frame."""

    def opener(thing: Any) -> Any:
        html = f'<!doctype html><link rel="icon" href="data:,"><body>{thing._repr_html_()}</body>'
        path = tmp_path / "notebook.html"
        path.write_text(html, encoding="utf-8")
        return opened(path).frame_locator("iframe")

    return opener


def stepped(steps: int) -> Any:
    stepper = neuron().stepper()
    for _, _ in zip(range(steps), stepper):
        pass
    return stepper


def test_the_stepper_plays_in_a_cell_from_the_step_it_is_at(cell: Callable[..., Any]) -> None:
    frame = cell(stepped(2))
    title = frame.locator("#title")
    assert title.inner_text() == "backward 2 of 7"
    frame.locator("#next").click()
    assert title.inner_text() == "backward 3 of 7"
    frame.locator("#next").press("ArrowRight")
    frame.locator("#next").press("ArrowRight")
    assert title.inner_text() == "backward 5 of 7"
    frame.locator("#drawing").press("Home")
    assert "backward" not in title.inner_text()


def test_a_leaf_can_be_chosen_and_descent_runs_in_a_cell(cell: Callable[..., Any]) -> None:
    frame = cell(stepped(0))
    frame.locator("g.box.leaf").first.click()
    assert "∂C/∂" in frame.locator("#panel").inner_text()
    frame.locator("#descend").click()
    assert "C = " in frame.locator("#descent-said").inner_text()


def test_the_step_of_a_long_graph_is_in_sight(cell: Callable[..., Any]) -> None:
    from demos import chain

    stepper = chain.build("sigmoid", 6, 0).cost.stepper()
    next(iter(stepper))
    frame = cell(stepper)
    for _ in range(50):  # a frame gets its size some time after it has loaded
        box = frame.locator("g.box.root").bounding_box()
        room = frame.locator("#drawing").bounding_box()
        seen = room["x"] <= box["x"]
        seen = seen and box["x"] + box["width"] <= room["x"] + room["width"] + 1
        if seen:
            break
        frame.owner.page.wait_for_timeout(100)
    assert seen


def test_a_hostile_label_runs_nothing_in_a_cell(cell: Callable[..., Any]) -> None:
    root = neuron()
    root.label = "</iframe></script><script>document.title = 'ran'</script>"
    frame = cell(root.stepper())
    assert root.label[:20] in frame.locator("h1").inner_text()
    assert frame.owner.evaluate("() => document.title") == ""


@pytest.mark.parametrize(("text", "scheme"), [("black", "light"), ("#ddd", "dark")])
def test_a_page_is_dark_where_the_text_of_the_notebook_is_light(
    opened: Callable[..., Any], tmp_path: Path, text: str, scheme: str
) -> None:
    path = tmp_path / "notebook.html"
    frame = neuron().page().frame()
    path.write_text(f'<link rel="icon" href="data:,"><body style="color:{text}">{frame}', "utf-8")
    other = {"light": "dark", "dark": "light"}[scheme]
    page = opened(path, color_scheme=other).frame_locator("iframe")
    page.locator(f"html[style*={scheme}]").wait_for()
    page.locator("#theme").click()
    assert page.locator("html").evaluate("root => root.style.colorScheme") == other
