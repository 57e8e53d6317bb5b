"""Tests of the chain demo: formulas and engine agree; its output, its options, its prompt."""

from __future__ import annotations

import io
import os
import re
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from autograd import Value
from demos import chain
from demos.lesson import WIDTH, Lesson
from demos.stepping import SteppingPrompt

ROOT = Path(__file__).parents[2]  # `python -m demos.chain` runs in the project's folder


@pytest.mark.parametrize("activation", chain.ACTIVATIONS)
@pytest.mark.parametrize("layers", [1, 3, 6])
@pytest.mark.parametrize("seed", range(5))
def test_the_formulas_and_the_engine_agree(activation: str, layers: int, seed: int) -> None:
    built = chain.build(activation, layers, seed)
    built.cost.backward()
    worked = chain.work_out(built, activation)
    assert len(worked) == layers
    for k, lines in enumerate(worked, 1):
        assert [line.name for line in lines] == [
            *(f"z{k}", f"a{k}", f"∂C/∂a{k}", f"∂C/∂z{k}", f"∂C/∂w{k}", f"∂C/∂b{k}"),
            f"∂C/∂a{k - 1}",
        ]
        for line in lines:
            assert line.difference <= 1e-12 * max(1.0, abs(line.formula))


def test_the_default_chain_has_four_neurons_three_weights_three_biases() -> None:
    built = chain.build("sigmoid", 3, seed=0)
    assert (len(built.a), len(built.w), len(built.b)) == (4, 3, 3)


def test_main_prints_the_lesson_returns_its_numbers_and_draws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = chain.main(out=tmp_path)
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines()[:-2])) <= WIDTH  # the last two are paths
    for words in ("∂C/∂w3 = ∂z3/∂w3 · ∂a3/∂z3 · ∂C/∂a3", "new value", "step  10", "w1"):
        assert words in printed
    assert numbers["costs"] == sorted(numbers["costs"], reverse=True)
    assert len(numbers["costs"]) == 11
    assert len(numbers["nudges"]) > 1
    for nudge in numbers["nudges"]:
        assert nudge.actual == pytest.approx(nudge.predicted, rel=0.05)
    assert (tmp_path / "chain.svg").read_bytes()[:5] == b"<?xml"
    assert (tmp_path / "chain.png").read_bytes()[:4] == b"\x89PNG"
    assert (tmp_path / "chain.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert numbers["page"] == str(tmp_path / "chain.html")


def test_the_table_of_nudges_is_that_of_the_lessons(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built = chain.build("sigmoid", 3, seed=0)
    built.cost.backward()
    chain.main(lr=2.0, out=tmp_path)
    table = capsys.readouterr().out.split("new value")[1]
    rows = [line.split() for line in table.splitlines()[1:7]]
    for p, (label, value, gradient, step, new, *_) in zip(built.parameters, rows, strict=True):
        assert label == p.label
        assert float(value) == p.data
        assert float(gradient) == pytest.approx(p.grad, rel=1e-3)
        assert float(step) == pytest.approx(-2.0 * p.grad, abs=1e-4)
        assert float(new) == pytest.approx(p.data - 2.0 * p.grad, abs=1e-4)


def test_three_learning_rates_on_a_parabola() -> None:
    lesson = Lesson()
    walks = chain.show_rates(lesson)
    for lr, walk in walks.items():
        wanted = [1.0 - (1.0 - 2.0 * lr) ** k for k in range(9)]  # w − 1 shrinks by 1 − 2·lr
        assert walk == pytest.approx(wanted)
    assert all(lesson.claims.values())


def test_a_cost_that_rises_refutes_the_claim() -> None:
    lesson, built = Lesson(), chain.build("softplus", 2, seed=3)
    costs = chain.show_descent(lesson, built, steps=5, lr=50.0)
    assert costs != sorted(costs, reverse=True)
    assert lesson.claims == {"many_nudges_lower_the_cost": False}


def test_two_paths_add_up() -> None:
    lesson = Lesson()

    def slope(z: float) -> float:
        return chain.sigmoid(z) * (1.0 - chain.sigmoid(z))

    products = chain.show_two_neurons(lesson, "sigmoid")
    assert products == pytest.approx((0.7 * slope(0.4) * 0.8, 0.4 * slope(-0.6) * -1.2))
    assert all(lesson.claims.values())


def test_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["chain", "--activation", "tanh", "--layers", "2", "--seed", "3", "--steps", "2"]
    monkeypatch.setattr(sys, "argv", [*arguments, "--lr", "0.1", "--out", str(tmp_path)])
    runpy.run_path(chain.__file__, run_name="__main__")
    assert (tmp_path / "chain.svg").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--layers", "0"],
        ["--layers", "two"],
        ["--lr", "-1"],
        ["--lr", "nan"],
        ["--steps", "0"],
        ["--activation", "cubic"],
    ],
)
def test_bad_options_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        chain.parsed(arguments)
    assert stopped.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_a_folder_that_stops_being_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "chain.svg").mkdir()
    monkeypatch.setattr(sys, "argv", ["chain", "--out", str(tmp_path)])
    with pytest.raises(SystemExit, match=r"demos.chain: .*chain\.svg"):
        runpy.run_path(chain.__file__, run_name="__main__")


def test_the_columns_of_the_lesson_stand_below_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chain.main(layers=6, seed=3, steps=2, out=tmp_path, more=True)
    lines = [line for line in capsys.readouterr().out.splitlines() if "engine " in line]
    checked = [line for line in lines if "off by" in line]
    assert len(checked) == 42
    assert (
        len({(line.index("engine "), line.index(", off by"), len(line)) for line in checked}) == 1
    )


# ---------------------------------------------------------------------- the prompt


def conversation(commands: str, monkeypatch: pytest.MonkeyPatch) -> None:
    w, x = Value(2.0, label="w"), Value(3.0, label="x")
    y = w * x
    y.label = "y"
    monkeypatch.setattr(sys, "stdin", io.StringIO(commands))
    prompt = SteppingPrompt(y)
    prompt.use_rawinput = False
    prompt.converse()


def test_the_prompt_steps_forwards_and_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    conversation("n\nb\nn 2\np\nreset\nu x\nr\nq\n", monkeypatch)
    out = capsys.readouterr().out
    assert out.count("1 × 3 = 3") == 3
    assert "0 of 2 steps done" in out
    assert "done: every gradient is known" in out


def test_the_prompt_checks_and_explains(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    conversation("c w=3\nc w = -3\ne w\n\n", monkeypatch)
    out = capsys.readouterr().out
    assert "w: 3 is right." in out
    assert "w: -3 is not right. The sign" in out
    assert "∂y/∂w = x" in out


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("n x", "A whole number goes here"),
        ("n 0", "A whole number goes here"),
        ("e", "Name its node, as in e w1"),
        ("e u", "no node is labelled 'u'"),
        ("c =3", "give a label and a number"),
        ("c w=1/0", "'1/0' has no value"),
        ("c w=9**9**9", "has no value"),
        ("c w=__import__('os')", "give a number or arithmetic with numbers"),
        ("c w=True", "give a number or arithmetic with numbers"),
        ("c w=" + "(" * 300, "give a number or arithmetic with numbers"),
        ("c w=1e999", "has no finite value"),
        ("u v", "no node is labelled 'v'"),
        ("c w", "give a label and a number"),
        ("jump", "there is no command 'jump'"),
        ("b 2 2", "A whole number goes here"),
        ("?", "u w1"),
        ("help", "u w1"),
    ],
)
def test_the_prompt_answers_what_it_does_not_understand_and_goes_on(
    command: str, answer: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    conversation(f"{command}\nn\nq\n", monkeypatch)
    out = capsys.readouterr().out
    assert answer in out
    assert "1 × 3 = 3" in out


@pytest.mark.parametrize("number", ["3", "6/2", "1/3*9", "-1.5*-2", "(1 + 2)**1", "1.5·2", "−3·−1"])
def test_the_prompt_takes_a_number_to_be_worked_out(
    number: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    conversation(f"c w={number}\n", monkeypatch)
    assert "w: 3 is right." in capsys.readouterr().out


@pytest.mark.parametrize("leave", ["q", "quit", "exit", "EOF", ""])
def test_the_prompt_is_left_by_any_of_these(
    leave: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    conversation(f"{leave}\nn\n" if leave else "", monkeypatch)
    assert "1 × 3 = 3" not in capsys.readouterr().out


def test_the_prompt_names_no_command_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    conversation("r\nn\nu w\nb 2\nc w=17.3\ne w+w\nc x=1\np\n", monkeypatch)
    out = capsys.readouterr().out
    assert "e lists them, as in e w1" in out
    assert "go back, or reset" in out
    assert not re.findall(r"\w+\(\)|s\.\w+|the node itself", out)


def test_ctrl_c_leaves_the_prompt_and_not_the_lesson(tmp_path: Path) -> None:
    lesson = "runpy.run_module('demos.chain', alter_sys=True, run_name='__main__')"
    hearing = "signal.signal(signal.SIGINT, signal.default_int_handler)"  # also in the background
    command = [sys.executable, "-u", "-c", f"import runpy, signal; {hearing}; {lesson}"]
    command += ["--interactive", "--out", str(tmp_path)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"n\n")
        process.stdin.flush()
        while b"1/17" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read().decode()
    assert process.returncode == 0
    assert "layer 3" in rest


def test_a_terminal_without_greek_and_a_reader_that_leaves_early_get_no_traceback(
    tmp_path: Path,
) -> None:
    command = f"{sys.executable} -m demos.chain --out {tmp_path}"
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command.split(), env=ascii_only, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "layer 3" in done.stdout
    early = subprocess.run(
        f"{command} | head -1", shell=True, cwd=ROOT, capture_output=True, text=True
    )
    assert early.stderr == ""
