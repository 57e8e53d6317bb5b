"""Tests of terminal output: all printed text is readable on any terminal."""

from __future__ import annotations

import codecs
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value
from autograd.extend import terminal
from tests.examples import neuron

ROOT = Path(__file__).parents[2]
ENCODINGS = ["ascii", "cp1252"]

EVERYTHING = """
import autograd, nn
from autograd import Value, gradcheck, mul, sigmoid

w, x = Value(0.6, "w₁"), Value(1.5, "köln")
z = w * x - 0.2
a = z.sigmoid()
a.label = "α"
cost = (a - 1) ** 2
cost.label = "C"
s = cost.stepper()
s.n(2), s.b(), s.u("w1*koln - 0.2"), s.run()
model = nn.MLP(2, [3, 1], "tanh", seed=0)
X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
trainer = nn.Trainer(model, nn.mse_loss, nn.SGD(model.parameters(), 0.1))
network = autograd.compile(model)
network(X)
shown = [
    *(w, cost, s, s.check({"alpha": 1.0, w: 3.0}), cost.explain(w)),
    *(cost.nudge(w, 0.1), cost.sensitivity(), gradcheck(cost), mul, sigmoid, cost.draw()),
    *(cost.page(title="∂"), trainer.fit(X, y, epochs=2), nn.diagnose(model, X, y), model),
    *(network, network.source, network.explain(), cost.stepper(2.0), (w * w).explain(w)),
]
for thing in shown:
    print(thing)
    print(repr(thing))
try:
    cost.explain("∂")
except KeyError as error:
    print(error)
"""


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_all_that_teaches_can_be_printed(encoding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", EVERYTHING],
        env=environment,
        capture_output=True,
        encoding=encoding,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert "dC/d" in said
    assert "?" not in said.replace("how much?", "")
    assert "\\u" not in said


def test_where_all_can_be_shown_nothing_is_spelled() -> None:
    assert "∂C/∂w = ∂C/∂a · ∂a/∂z" in str(neuron().explain("w"))


def test_what_an_encoding_has_is_kept() -> None:
    assert "½·∂²".encode("cp1252", terminal.ERRORS) == "½·d²".encode("cp1252")


def test_numbers_above_and_below_the_line_stay_apart() -> None:
    assert terminal.spell("x¹² + e⁻ᶻ + w₁₂ → é") == "x^12 + e^-z + w12 -> e"


def test_a_letter_nobody_can_spell_keeps_its_number() -> None:
    assert terminal.spell("重") == "\\u91cd"


@given(st.text())
def test_any_text_is_spelled_in_ascii(text: str) -> None:
    assert terminal.spell(text).isascii()
    assert text.encode("ascii", terminal.ERRORS).decode("ascii").isascii()


def test_what_cannot_be_read_is_no_matter_of_spelling() -> None:
    with pytest.raises(UnicodeDecodeError):
        codecs.decode(b"\xff", "ascii", terminal.ERRORS)


class Narrow(io.StringIO):
    """A terminal whose reader is gone: every write raises an error."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        raise BrokenPipeError("nobody reads")


def test_a_step_that_cannot_be_printed_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    s = neuron().stepper()
    s.n(2)
    before = repr(s)
    monkeypatch.setattr(sys, "stdout", Narrow())
    for drive in (s.n, lambda: s.n(3), lambda: s.u("w"), s.run):
        with pytest.raises(BrokenPipeError):
            drive()
    assert repr(s) == before


def test_without_a_terminal_the_text_is_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert str(neuron().nudge("w", 0.1)).startswith("nudge w by 0.1\n  predicted  ΔC")
    assert repr(Value(1.0, "ε")) == "Value(data=1.0, grad=0.0, label='ε')"
