"""Tests of all other demos on small budgets: numbers, pictures, and refused options."""

from __future__ import annotations

import argparse
import inspect
import io
import os
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

import nn
from tests.demo_runs import TINY, Results, demo, mostly_slow


def test_every_demo_is_tried() -> None:
    files = {path.stem for path in Path(demo("moons").__file__ or "").parent.glob("*.py")}
    tried_elsewhere = {
        "stepping",
        "playground",
        "chain_notebook",
        "network_notebook",
        "build_notebook",
    }
    parts = {"__init__", "lesson", "idx", "digit_data", "digit_wishes"}
    parts |= {"filters", "filter_gradient", "filter_pictures"}
    parts |= {"attention_by_hand", "decoder", "decoder_inside", "name_list"}
    parts |= {"name_pictures", "name_training"}
    assert files - parts - tried_elsewhere == set(TINY)


@pytest.mark.parametrize("name", TINY)
def test_the_pictures_are_there(name: str, results: Results) -> None:
    assert results[name]["pictures"]
    for picture in results[name]["pictures"]:
        assert Path(picture).read_bytes().startswith((b"\x89PNG", b"<?xml"))


@pytest.mark.parametrize("name", ["chain", "moons", "digits", "convolution", "names"])
def test_the_training_can_be_played(name: str, results: Results) -> None:
    page = Path(results[name]["page"])
    assert page.name == f"{name}.html"
    assert page.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("name", mostly_slow(TINY, "chain", "boundary", "descent"))
def test_the_command_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [f"--{option}={value}" for option, value in TINY[name].items()]
    monkeypatch.setattr(sys, "argv", [name, *options, "--seed=1", f"--out={tmp_path}"])
    runpy.run_path(demo(name).__file__ or "", run_name="__main__")
    assert list(tmp_path.glob("*.png"))
    assert max(map(len, capsys.readouterr().out.splitlines()), default=0) < 400


@pytest.mark.parametrize("name", TINY)
def test_each_argument_of_main_is_an_option_with_its_default(name: str) -> None:
    parameters = inspect.signature(demo(name).main).parameters
    assert vars(demo(name).parsed([])) == {key: p.default for key, p in parameters.items()}


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_bad_options_are_refused(name: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    option = f"--{next(iter(TINY[name]))}"
    with pytest.raises(SystemExit) as stopped:
        demo(name).parsed([option, value])
    assert stopped.value.code == 2
    assert option in capsys.readouterr().err


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--seed", "1.5", "expected a whole number from 0 to 4,000,000,000, got '1.5'"),
        ("--seed", "-1", "expected a whole number from 0 to 4,000,000,000, got '-1'"),
        ("--seed", "many", "expected a whole number from 0 to"),
        ("--seed", str(2**32), "expected a whole number from 0 to"),
        ("--out", "taken", "taken' is none"),
        ("--out", "taken/below/it", "taken' is none"),
        ("--out", "", "expected a folder"),
        ("--out", "a\0b", "names no folder"),
        ("--out", 300 * "x", "names no folder"),
    ],
)
def test_seeds_and_folders_are_judged_before_any_work(
    name: str, option: str, value: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("taken").write_text("a file")
    with pytest.raises(SystemExit) as stopped:
        demo(name).parsed([option, value])
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert f"argument {option}: " in error
    assert said in error


@pytest.mark.parametrize(
    "name",
    ["boundary", "moons", "spirals", "descent", "overfit", "regularise", "dropout", "digits"],
)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "0", "-0.1", "fast", ""])
def test_a_learning_rate_is_judged_before_any_work(
    name: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        demo(name).parsed([f"--lr={value}"])
    assert stopped.value.code == 2
    assert f"argument --lr: expected a number above zero, got {value!r}" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="folders have no owners here")
def test_a_folder_that_may_not_be_written_to_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda place, mode: False)  # root may write anywhere
    with pytest.raises(argparse.ArgumentTypeError, match="nothing can be written into the folder"):
        demo("lesson").folder("new")


def test_a_folder_to_be_made_is_not_made_yet() -> None:
    assert demo("lesson").folder("new/one") == "new/one"
    assert not Path("new").exists()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("name", ["chain", "vanishing"])
def test_a_demo_is_told_on_any_terminal(
    name: str, encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    options = [f"--{option}={value}" for option, value in TINY[name].items()]
    monkeypatch.setattr(sys, "argv", [name, *options, f"--out={tmp_path}"])
    monkeypatch.setattr(sys, "stdout", terminal)
    runpy.run_path(demo(name).__file__ or "", run_name="__main__")
    terminal.flush()
    told = terminal.buffer.getvalue().decode(encoding)
    assert len(told) > 200
    assert "\\u" not in told


@pytest.mark.parametrize(
    "name", mostly_slow(["boundary", "moons", "spirals", "digits", "convolution"], "boundary")
)
def test_the_engine_tells_the_same_history(
    name: str, results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = nn.Trainer.fit

    def by_the_engine(self: nn.Trainer, *args: Any, **settings: Any) -> nn.History:
        return fit(self, *args, **{**settings, "compile": False})

    monkeypatch.setattr(nn.Trainer, "fit", by_the_engine)
    compiled = results[name]["history"]
    engine = demo(name).main(**TINY[name], out=tmp_path)["history"]
    assert compiled.not_compiled == ""
    assert compiled.losses == pytest.approx(engine.losses, rel=1e-9)
    assert compiled.step_losses == pytest.approx(engine.step_losses, rel=1e-9)
    assert compiled.accuracies == engine.accuracies


def test_ctrl_c_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(**_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as stopped:
        demo("lesson").run(interrupted, lambda: demo("moons").parsed([]))
    assert stopped.value.code == 130
