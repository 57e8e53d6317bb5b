"""Tests of the public type hints: programs as users write them pass `mypy --strict`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import programs

pytestmark = pytest.mark.slow  # mypy reads the packages anew

ROOT = Path(__file__).parent.parent
PROGRAMS = [
    programs.session,
    programs.arithmetic,
    programs.network,
    programs.images,
    programs.loop,
    programs.micrograd,
    programs.own,
    programs.compiled,
]

START = """
import math, autograd, nn
from autograd import Value
x, model = Value(1.0), nn.MLP(2, [1])
trainer = nn.Trainer(model, nn.mse_loss, nn.Adam(model.parameters()))
""".strip()

WRONG = """
Value("3")
Value(x)
Value([1.0, 2.0])
Value(1.0, 3)
Value(1.0, lable="w")
x + "3"
x * None
x > "3"
x[0]
x(1.0)
x.gard
x.data = x
x.maximum([1.0])
x.explain(3)
x.nudge("x")
2 // x
x @ x
x & x
math.exp(x)
float(x)
round(x)
range(x)
len(x)
list(x)
autograd.sigmid(x)
autograd.sigmoid(x).gard
autograd.sigmoid(1.0).backward()
autograd.grad()
autograd.compile(3)
autograd.compile(model, dtyp="float32")
autograd.compile(model).sauce
autograd.op("cube", lambda a: a**3)
nn.cros_entropy
nn.plots.decision_region
model.layers[0].neuron
model.layers[0].neurons[0].z.gard
nn.MLP(2, 4)
nn.MLP(2, [4.5])
nn.MLP(2, [4], "tanh", 0)
nn.Neuron(2.5)
nn.SGD(nn.Neuron(2))
nn.SGD(model.parameters(), lr="0.1")
nn.SGD(model.parameters(), 0.1, 0.9, True)
nn.Adam(model.parameters(), betas=0.9)
nn.StepLR(model, 10)
nn.Trainer(model, nn.mse_loss)
nn.Trainer(model, "mse", nn.Adam(model.parameters()))
trainer.fit([[1.0]], [1.0], epoch=3)
trainer.fit([[1.0]], [1.0], "3")
nn.History().loses
""".strip().splitlines()


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_runs(
    program: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program()


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return what mypy says of the programs and of the wrong lines, in a folder of their own."""
    folder = tmp_path_factory.mktemp("types")
    right, wrong = folder / "programs.py", folder / "wrong.py"
    shutil.copy(programs.__file__, right)
    wrong.write_text("\n".join([START, *WRONG]))
    command = [sys.executable, "-m", "mypy", "--strict", str(right), str(wrong)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout.splitlines()


def test_mypy_accepts_the_programs(complaints: list[str]) -> None:
    assert [line for line in complaints if "error:" in line and "wrong.py" not in line] == []


@pytest.mark.parametrize("line", WRONG)
def test_mypy_reports_a_wrong_line(line: str, complaints: list[str]) -> None:
    number = len(START.splitlines()) + WRONG.index(line) + 1
    assert any(f"wrong.py:{number}: error:" in complaint for complaint in complaints)
