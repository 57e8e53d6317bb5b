"""Tests of compiled code that is saved as a file: it runs alone, and gives the same numbers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import Value, compile

RNG = np.random.default_rng(0)
X = RNG.normal(size=(7, 3))

# The arguments of a script: the file, the arguments, theta, and where to write the results.
SCRIPT = """
import sys
sys.modules["autograd"] = sys.modules["nn"] = None  # importing them is an error
import importlib.util, numpy as np
path, given, out = sys.argv[1:]
spec = importlib.util.spec_from_file_location("model", path)
model = importlib.util.module_from_spec(spec)
spec.loader.exec_module(model)
with np.load(given) as arrays:
    arguments = [arrays[f"x{i}"] for i in range(len(arrays.files))]
found = {"values": model.predict(*arguments)}
if hasattr(model, "value_and_grad"):
    found["value"], found["gradient"] = model.value_and_grad(model.theta, *arguments)
np.savez(out, **found)
"""


def run_alone(path: Path, *arguments: Any) -> dict[str, np.ndarray]:
    """Run a saved file in a new Python, in which this project cannot be imported."""
    given, out = path.with_name("given.npz"), path.with_name("out.npz")
    named: dict[str, Any] = {f"x{i}": np.asarray(a) for i, a in enumerate(arguments)}
    np.savez(given, **named)
    command = [sys.executable, "-I", "-c", SCRIPT, *map(str, (path, given, out))]
    subprocess.run(command, check=True, timeout=60, cwd=path.parent)
    with np.load(out) as arrays:
        return {name: arrays[name] for name in arrays.files}


def mlp() -> nn.MLP:
    return nn.MLP(3, [5, 4], "tanh", seed=0)


def classes(dtype: str = "float64") -> tuple[autograd.Compiled, list[Any]]:
    model = mlp()

    def cost(x: Any, y: Any) -> list[Value]:
        z = model(x)
        return [nn.cross_entropy(z, y), *z]

    code = compile(cost, params=model.parameters(), has_aux=True, dtype=dtype)
    return code, [X, np.arange(7) % 4]


def numbers() -> tuple[autograd.Compiled, list[Any]]:
    model = nn.MLP(3, [4, 1], "gelu", seed=0)
    cost = compile(lambda x, y: nn.mse_loss(model(x), y), params=model.parameters())
    return cost, [X, X[:, 0]]


def big() -> tuple[autograd.Compiled, list[Any]]:
    return compile(nn.MLP(100, [30, 2], seed=0)), [RNG.normal(size=(3, 100))]


def images() -> tuple[autograd.Compiled, list[Any]]:
    layers = nn.Conv2d(1, 2, 3, seed=0), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3, seed=1)
    model = nn.Sequential(*layers)
    cost = compile(lambda x, y: nn.cross_entropy(model(x), y), params=model.parameters())
    return cost, [RNG.normal(size=(5, 1, 6, 6)), [0, 1, 2, 0, 1]]


def tokens() -> tuple[autograd.Compiled, list[Any]]:
    table = nn.Embedding(5, 3, seed=0)
    cost = compile(
        lambda t, u: autograd.sum(table(t)) * autograd.sum(table(u)), params=table.parameters()
    )
    return cost, [[0, 1, 4], [1, 1, 2]]


def constants() -> tuple[autograd.Compiled, list[Any]]:
    return compile(lambda x: [x[0] * 2.0 + x[1], x[2].exp()]), [X]


def nothing() -> tuple[autograd.Compiled, list[Any]]:
    w = Value(3.0)
    return compile(lambda: w * w, params=[w]), []


@pytest.mark.parametrize("case", [classes, numbers, big, images, tokens, constants, nothing])
def test_a_saved_file_runs_alone_with_the_same_numbers(
    case: Callable[[], tuple[autograd.Compiled, list[Any]]], tmp_path: Path
) -> None:
    code, arguments = case()
    wanted = np.atleast_1d(code(*arguments))
    found = run_alone(Path(str(code.save(tmp_path / "model.py"))), *arguments)
    assert np.array_equal(found["values"], wanted)
    if "gradient" in found:
        value, gradient = code.value_and_grad(*arguments)
        assert np.array_equal(found["gradient"], gradient)
        np.testing.assert_allclose(found["value"], value, rtol=1e-15)
    assert ("gradient" in found) == bool(code.params and case is not big)
    assert (tmp_path / "model.npz").exists() == (case is big)


def test_a_saved_file_computes_in_float32(tmp_path: Path) -> None:
    code, arguments = classes("float32")
    wanted = code(*arguments)
    found = run_alone(Path(code.save(tmp_path / "model.py")), *arguments)
    assert found["values"].dtype == found["gradient"].dtype == np.float32
    assert np.array_equal(found["values"], wanted)


def test_the_current_numbers_are_saved_and_any_others_can_be_tried(tmp_path: Path) -> None:
    w = Value(2.0)
    cost = compile(lambda x: w * x, params=[w])
    cost([1.0])
    w.data = 5.0
    cost.save(tmp_path / "line.py")
    namespace: dict[str, Any] = {}
    exec((tmp_path / "line.py").read_text("utf-8"), namespace)
    assert namespace["predict"]([1.0, 2.0]).tolist() == [5.0, 10.0]
    value, gradient = namespace["value_and_grad"]([7.0], [1.0, 2.0])
    assert (value, gradient.tolist()) == (10.5, [1.5])


def test_a_name_of_the_user_cannot_end_the_docstring(tmp_path: Path) -> None:
    def function(x: Any) -> Any:
        return x * 2.0

    function.__name__ = '"""\nraise SystemExit'
    code = compile(function)
    code([1.0])
    namespace: dict[str, Any] = {}
    exec(Path(code.save(tmp_path / "double.py")).read_text("utf-8"), namespace)
    assert namespace["predict"]([1.0]).tolist() == [2.0]


def test_what_cannot_run_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    with pytest.raises(ValueError, match="nothing is compiled yet"):
        compile(lambda x: x).save(path)
    steps = autograd.op("steps", lambda a: float(a > 1), lambda out, a: (0.0,))
    code = compile(lambda x: steps(x) + x)
    code([2.0])
    with pytest.raises(ValueError, match="steps.* no form for arrays"):
        code.save(path)
    noisy = compile(nn.Sequential(nn.Linear(3, 2, seed=0), nn.Dropout(0.5, seed=0)))
    noisy(X)
    with pytest.raises(ValueError, match=r"draws random numbers.*model.eval\(\)"):
        noisy.save(path)
    with pytest.raises(TypeError, match="path"):
        code.save(3)  # type: ignore[arg-type]
    assert not path.exists()


def test_nothing_is_written_that_gives_other_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, arguments = numbers()
    code(*arguments)
    monkeypatch.setattr("autograd.compiler.standalone.INLINE", -1)
    monkeypatch.setattr(np, "array_equal", lambda *_, **__: False)
    with pytest.raises(ArithmeticError, match="nothing is written"):
        code.save(tmp_path / "model.py")
    assert list(tmp_path.iterdir()) == []
