"""Tests of `render`: on any machine, a complete file or none, with an error for each failure."""

from __future__ import annotations

import base64
import os
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import graphviz
import pytest

from autograd import RenderError, Value, draw
from autograd.picture.drawing import Drawing
from autograd.picture.render import lay_out

MAGIC = {"svg": b"<?xml", "png": b"\x89PNG\r\n\x1a\n", "pdf": b"%PDF-"}


@pytest.fixture
def drawing() -> Drawing:
    x = Value(2.0, label="café √x")
    root = x * x
    root.label = "C"
    return draw(root)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to an empty working directory."""
    path = tmp_path / "work"
    path.mkdir()
    monkeypatch.chdir(path)
    return path


@pytest.fixture(autouse=True)
def no_dot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make PATH empty, so that there is no `dot`."""
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that puts a shell script named `dot` on PATH."""
    if os.name != "posix":
        pytest.skip("a shell script is no program here")

    def install(script: str) -> None:
        program = tmp_path / "bin" / "dot"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent))

    return install


@pytest.fixture
def broken(install: Callable[[str], None]) -> str:
    """Install a `dot` that fails; return its error message."""
    install("echo 'half a picture'; echo 'the printer is on fire' >&2; exit 1")
    return "the printer is on fire"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# ---------------------------------------------------------------------- without and with a dot


@pytest.mark.parametrize("format", MAGIC)
def test_without_a_dot_on_the_machine_it_renders(drawing: Drawing, format: str) -> None:
    picture = drawing.pipe(format)
    assert picture.startswith(MAGIC[format]) and len(picture) > 1_000


def test_a_dot_on_path_is_the_one_used(drawing: Drawing, install: Callable[[str], None]) -> None:
    install('echo "$@"; while IFS= read -r line; do echo "$line"; done')
    arguments, _, source = drawing.pipe("png", encoding="utf-8").partition("\n")
    assert arguments == "-Kdot -Tpng"
    assert source == drawing.source


def test_the_engine_can_be_chosen(drawing: Drawing, install: Callable[[str], None]) -> None:
    assert drawing.pipe("svg", engine="neato").startswith(b"<?xml")
    install('echo "$@"')
    assert drawing.pipe("svg", engine="neato") == b"-Kneato -Tsvg\n"


def test_warnings_of_graphviz_are_shown_unless_they_are_unwanted(
    drawing: Drawing, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    drawing.pipe("svg")
    assert capfd.readouterr().err == ""
    drawing.node("odd", shape="nonsense")
    drawing.render("chain.svg")
    assert capfd.readouterr().err == "Warning: using box for unknown shape nonsense\n"
    drawing.pipe("svg", quiet=True)
    drawing.render("chain.svg", quiet=True)
    assert capfd.readouterr().err == ""


def test_labels_outside_ascii_survive_a_machine_without_utf8(
    drawing: Drawing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PYTHONUTF8", "0")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    assert "café √x" in "".join(ET.fromstring(drawing.pipe("svg")).itertext())


# ---------------------------------------------------------------------- a graphviz.Digraph


def test_a_drawing_is_a_digraph_with_its_source(drawing: Drawing) -> None:
    assert isinstance(drawing, graphviz.Digraph)
    assert drawing.source.startswith("digraph") and lay_out(drawing.source, "svg")
    drawing.node("added", label="added by hand")
    assert "added by hand" in drawing.pipe("svg", encoding="utf-8")


def test_the_format_of_the_drawing_is_the_default(folder: Path) -> None:
    drawing = draw(Value(1.0), format="pdf")
    assert drawing.pipe().startswith(MAGIC["pdf"])
    assert drawing.render("chain") == "chain.pdf"


def test_a_notebook_shows_the_svg(drawing: Drawing) -> None:
    ((kind, picture),) = drawing._repr_mimebundle_().items()
    assert kind == "image/svg+xml" and ET.fromstring(picture.encode()).tag.endswith("svg")
    bundle = drawing._repr_mimebundle_(include=["image/png"])
    assert bundle["image/png"].startswith(MAGIC["png"])


def test_a_notebook_fits_the_drawing_to_its_cell(drawing: Drawing) -> None:
    image = ET.fromstring(drawing._repr_html_())
    kind, _, data = image.attrib["src"].partition(",")
    assert image.tag == "img" and kind == "data:image/svg+xml;base64"
    assert "max-width:100%" in image.attrib["style"]
    assert base64.b64decode(data) == drawing.pipe("svg")


def test_the_dot_alone_is_saved(drawing: Drawing, folder: Path) -> None:
    assert drawing.save("chain.gv", "new") == str(Path("new", "chain.gv"))
    assert (folder / "new" / "chain.gv").read_text("utf-8") == drawing.source
    (folder / "chain.gv").write_text("older")
    drawing.save("chain.gv", skip_existing=True)
    assert (folder / "chain.gv").read_text() == "older"
    drawing.save("chain.gv")
    assert (folder / "chain.gv").read_text("utf-8") == drawing.source


def test_view_opens_the_rendered_file(
    drawing: Drawing, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(Drawing, "_view", lambda self, path, **options: opened.append(path))
    drawing.view("chain.svg")
    drawing.render("chain.png", view=True)
    assert opened == ["chain.svg", "chain.png"]
    assert names(folder) >= set(opened)


# ---------------------------------------------------------------------- files


@pytest.mark.parametrize("format", MAGIC)
def test_render_writes_the_file_it_is_given_and_no_other(
    drawing: Drawing, folder: Path, format: str
) -> None:
    assert drawing.render(f"chain.{format}") == f"chain.{format}"
    assert names(folder) == {f"chain.{format}"}
    assert (folder / f"chain.{format}").read_bytes().startswith(MAGIC[format])


def test_render_takes_paths_folders_and_endings_in_capitals(drawing: Drawing, folder: Path) -> None:
    for written in (
        drawing.render(folder / "new" / "a.svg"),
        drawing.render("b.svg", directory=folder / "newer" / "still"),
        drawing.render(outfile="c.SVG"),
        drawing.render("d.SVG"),
    ):
        assert Path(written).read_bytes().startswith(MAGIC["svg"])
    assert names(folder) == {"new", "newer", "c.SVG", "d.SVG"}


def test_a_name_without_an_ending_gets_one_and_the_dot_stands_beside_it(
    drawing: Drawing, folder: Path
) -> None:
    assert drawing.render("chain") == "chain.svg"
    assert names(folder) == {"chain.svg", "chain.gv"}
    assert (folder / "chain.gv").read_text("utf-8") == drawing.source
    assert drawing.render("v1.2", format="png", cleanup=True) == "v1.2.png"
    assert names(folder) == {"chain.svg", "chain.gv", "v1.2.png"}


@pytest.mark.parametrize("name", [None, "chain.gv"])
def test_render_makes_a_picture_whatever_the_dot_is_called(
    drawing: Drawing, folder: Path, name: str | None
) -> None:
    written = Path(drawing.render(name))
    assert written.suffix == ".svg" and written.read_bytes().startswith(MAGIC["svg"])
    kept = {path.read_text("utf-8") for path in folder.iterdir() if path.suffix == ".gv"}
    assert kept == {drawing.source}


def test_an_older_file_is_replaced_whole(drawing: Drawing, folder: Path) -> None:
    (folder / "chain.svg").write_bytes(b"older" * 100_000)
    drawing.render("chain.svg")
    assert ET.parse(folder / "chain.svg").getroot().tag.endswith("svg")


def test_the_file_is_as_open_to_others_as_any_new_file(drawing: Drawing, folder: Path) -> None:
    (folder / "usual").touch()
    drawing.render("chain.svg")
    assert (folder / "chain.svg").stat().st_mode == (folder / "usual").stat().st_mode


# ---------------------------------------------------------------------- failures


def test_an_unknown_format_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="format is one of .*jpeg.*; got 'jepg'"):
        draw(Value(1.0), format="jepg")


def test_a_failed_pipe_gives_the_reason_and_keeps_the_dot(drawing: Drawing) -> None:
    with pytest.raises(RenderError, match='"psd" not recognized') as caught:
        drawing.pipe("psd")  # a format that this Graphviz does not support
    assert caught.value.source == drawing.source
    assert "Traceback" not in str(caught.value)


def test_a_failed_dot_gives_its_reason(drawing: Drawing, broken: str) -> None:
    with pytest.raises(RenderError, match=f"could not make svg: {broken}"):
        drawing.pipe("svg")


@pytest.mark.parametrize("script", ["exit 7", "exit 0"], ids=["a bare status", "no output"])
def test_a_dot_that_says_nothing_is_a_failure_too(
    drawing: Drawing, install: Callable[[str], None], script: str
) -> None:
    install(script)
    with pytest.raises(RenderError, match=f"could not make svg: it ended with code {script[-1]}"):
        drawing.pipe("svg")


def test_a_dot_that_cannot_be_run_is_a_failure_too(
    drawing: Drawing, tmp_path: Path, install: Callable[[str], None]
) -> None:
    install("")
    (tmp_path / "bin" / "dot").write_bytes(b"\x7fELF for another machine")
    with pytest.raises(RenderError, match="could not make svg"):
        drawing.pipe("svg")


@pytest.mark.parametrize(
    ("pygraphviz", "reason"),
    [
        ("""raise ModuleNotFoundError("No module named 'pygraphviz'")""", "pip install"),
        ("import os; os.kill(os.getpid(), 9)", "could not make svg: it ended with code -?9"),
    ],
    ids=["not installed", "crashing"],
)
def test_a_pygraphviz_that_is_missing_or_crashes_is_told(
    drawing: Drawing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pygraphviz: str, reason: str
) -> None:
    (tmp_path / "pygraphviz.py").write_text(pygraphviz)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(RenderError, match=reason):
        drawing.pipe("svg")


@pytest.mark.parametrize("searched", [None, "", ".", "{here}", "{here}/../work", "/nowhere:"])
def test_nothing_in_the_current_folder_is_run(
    drawing: Drawing, folder: Path, monkeypatch: pytest.MonkeyPatch, searched: str | None
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if searched is not None:
        monkeypatch.setenv("PYTHONPATH", searched.format(here=folder))
    monkeypatch.setenv("PATH", f".{os.pathsep}{os.environ['PATH']}")
    for name in ("pygraphviz", "shlex", "tempfile"):
        (folder / f"{name}.py").write_text(f"open('{name} was run', 'w')")
    (folder / "dot").write_text("#!/bin/sh\necho > 'dot was run'")
    (folder / "dot").chmod(0o755)
    assert drawing.pipe("svg").startswith(MAGIC["svg"])
    assert names(folder) == {"pygraphviz.py", "shlex.py", "tempfile.py", "dot"}


def test_a_failed_render_keeps_the_dot_and_leaves_an_older_file_alone(
    drawing: Drawing, folder: Path, broken: str
) -> None:
    (folder / "chain.svg").write_text("older")
    with pytest.raises(RenderError, match=rf"{broken}. The DOT is kept in chain\.gv$") as caught:
        drawing.render("chain.svg")
    assert names(folder) == {"chain.svg", "chain.gv"}
    assert (folder / "chain.svg").read_text() == "older"
    assert (folder / "chain.gv").read_text("utf-8") == drawing.source == caught.value.source


def test_a_folder_in_the_way_is_an_error_and_nothing_is_left_behind(
    drawing: Drawing, folder: Path
) -> None:
    (folder / "chain.svg").mkdir()
    with pytest.raises(IsADirectoryError):
        drawing.render("chain.svg")
    assert names(folder) == {"chain.svg"} and not any((folder / "chain.svg").iterdir())


def test_a_file_in_place_of_the_folder_is_an_error(drawing: Drawing, folder: Path) -> None:
    (folder / "file").write_text("older")
    with pytest.raises(OSError, match="file"):
        drawing.render("file/chain.svg")
    assert (folder / "file").read_text() == "older"


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_folder_that_may_not_be_written_is_an_error(drawing: Drawing, folder: Path) -> None:
    folder.chmod(0o555)
    with pytest.raises(PermissionError):
        drawing.render("chain.svg")
    assert not names(folder)


def test_a_disk_that_fills_up_leaves_the_older_file_and_nothing_else(
    drawing: Drawing, folder: Path
) -> None:
    resource = pytest.importorskip("resource")
    (folder / "chain.svg").write_text("older")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            drawing.render("chain.svg")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert names(folder) == {"chain.svg"}
    assert (folder / "chain.svg").read_text() == "older"
