"""Every demo runs on a tiny budget, returns its numbers, draws, and refuses bad options."""

from __future__ import annotations

import gzip
import importlib
import random
import runpy
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from autograd import Value

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

TINY: dict[str, dict[str, Any]] = {
    "gates": {"passes": 20, "epochs": 60},
    "boundary": {"points": 30, "epochs": 10},
    "moons": {"points": 20, "epochs": 2},
    "spirals": {"points": 6, "epochs": 2},
    "descent": {"steps": 2000},
    "overfit": {"points": 10, "epochs": 2},
    "vanishing": {"depth": 5},
    "digits": {"images": 20, "epochs": 1},
}


def demo(name: str) -> ModuleType:
    return importlib.import_module(f"demos.{name}")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The numbers of every demo, run once."""
    out = tmp_path_factory.mktemp("pictures")
    return {name: demo(name).main(**settings, out=out) for name, settings in TINY.items()}


@pytest.fixture(scope="module", autouse=True)
def coarse() -> Iterator[None]:
    """Pictures on a coarse grid: that they are drawn is tried here, not how finely."""
    from nn import plots

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plots, "GRID", 12)
        yield


def test_every_demo_is_tried() -> None:
    files = {path.stem for path in Path(demo("moons").__file__ or "").parent.glob("*.py")}
    assert files - {"__init__", "chain", "stepping", "lesson", "idx"} == set(TINY)


@pytest.mark.parametrize("name", TINY)
def test_the_pictures_are_there(name: str, results: dict[str, Any]) -> None:
    assert results[name]["pictures"]
    for picture in results[name]["pictures"]:
        assert Path(picture).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", TINY)
def test_the_command_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [f"--{option}={value}" for option, value in TINY[name].items()]
    monkeypatch.setattr(sys, "argv", [name, *options, "--seed=1", f"--out={tmp_path}"])
    runpy.run_path(demo(name).__file__ or "", run_name="__main__")
    assert list(tmp_path.glob("*.png"))
    assert max(map(len, capsys.readouterr().out.splitlines()), default=0) < 400


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_bad_options_are_refused(name: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    option = f"--{next(iter(TINY[name]))}"
    with pytest.raises(SystemExit) as stopped:
        demo(name).parsed([option, value])
    assert stopped.value.code == 2
    assert option in capsys.readouterr().err


def test_gates(results: dict[str, Any]) -> None:
    gates = results["gates"]
    assert gates["right"] == {"AND": True, "OR": True, "NOT": True, "XOR": True}
    for gate in ("AND", "OR", "NOT"):
        assert gates["rule"][gate].moved < gates["rule"][gate].shown, "only on mistakes"
        assert gates["descent"][gate].moved == gates["descent"][gate].shown, "on every point"


def test_the_rule_moves_by_the_mistake() -> None:
    gates = demo("gates")
    rng = random.Random("AND, 0")
    w = np.array([rng.uniform(-1, 1), rng.uniform(-1, 1)])
    b = rng.uniform(-1, 1)
    X, y = (np.array(part) for part in gates.GATES["AND"])
    for _ in range(20):
        for x, wanted in zip(X, y):
            mistake = wanted - float(w @ x + b > 0)
            w, b = w + mistake * x, b + mistake
    learned = gates.by_rule("AND", 20, seed=0).model
    assert [p.data for p in learned.w] == pytest.approx(w)
    assert learned.b.data == pytest.approx(b)


def test_boundary(results: dict[str, Any]) -> None:
    boundary = results["boundary"]
    likelihood, cost = boundary["likelihood"]
    assert likelihood == pytest.approx(cost, rel=1e-12)
    assert len(boundary["lines"]) == boundary["history"].epochs + 1
    assert boundary["history"].losses == sorted(boundary["history"].losses, reverse=True)


def test_spirals(results: dict[str, Any]) -> None:
    for columns in (results["spirals"]["before"], results["spirals"]["after"]):
        assert sum(columns["p"]) == pytest.approx(1.0)
        slopes = np.array(columns["p"]) - columns["y"]
        assert columns["gradient"] == pytest.approx(slopes.tolist())


def test_the_orders_of_descent_hold(results: dict[str, Any]) -> None:
    descent = results["descent"]
    assert all(descent["orders"].values()), descent["orders"]
    assert len(descent["orders"]) == 6
    for walk in descent["walks"].values():
        assert len(walk.costs) == len(walk.places)
        assert walk.costs[-1] < walk.costs[0]


def test_the_bottom_of_the_hill_is_its_lowest_place() -> None:
    hill = demo("descent").Hill(seed=0)
    x = np.stack([hill.x, np.ones(len(hill.x))], axis=1)
    (w, b), *_ = np.linalg.lstsq(x, np.array(hill.y), rcond=None)
    assert hill.lowest() == pytest.approx(hill.cost(w, b), rel=1e-12)


def test_the_waves_are_the_same_for_values_and_numbers() -> None:
    descent = demo("descent")
    for cost in (descent.dip, descent.waves):
        assert cost(Value(0.7)).data == pytest.approx(cost(0.7))


def test_overfit(results: dict[str, Any]) -> None:
    fits = results["overfit"]["fits"]
    assert len(results["overfit"]["orders"]) == 6
    assert fits["early stopping"].epochs <= 2
    assert all(0.0 <= f.train <= 1.0 and f.norm > 0.0 for f in fits.values())
    assert len(demo("overfit").weights(fits["L1"].model)) == 2 * 16 + 16 * 16 + 16


def test_a_fifth_of_the_points_is_mislabelled() -> None:
    from sklearn.datasets import make_moons

    data = demo("overfit").moons(40, seed=3)
    X, y = make_moons(40, noise=0.1, random_state=3)
    np.testing.assert_array_equal(data["train"][0], X)
    assert (data["train"][1] != y).sum() == 8


def test_vanishing(results: dict[str, Any]) -> None:
    vanishing = results["vanishing"]
    assert {len(norms) for norms in vanishing["norms"].values()} == {5}
    assert vanishing["ratios"]["sigmoid"] >= 100.0
    assert "layers.0: the gradient vanishes" in str(vanishing["diagnosis"])


def test_digits(results: dict[str, Any]) -> None:
    digits = results["digits"]
    before, wishes = digits["before"], digits["wishes"]
    assert digits["parameters"] == 64 * 16 + 16 + 16 * 16 + 16 + 16 * 10 + 10
    assert sum(before["square"]) == pytest.approx(before["cost"][0])
    assert before["wish"] == pytest.approx([2 * (y - a) for a, y in zip(before["a"], before["y"])])
    np.testing.assert_allclose(wishes["step"], wishes["batch"], atol=1e-12)
    assert wishes["wishes"].shape == (16, digits["parameters"])
    assert ((digits["noise"] > 0.1) & (digits["noise"] <= 1.0)).all()


def idx_files(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    for part in ("train", "t10k"):
        images = rng.integers(0, 256, size=(6, 28, 28), dtype=np.uint8)
        labels = np.arange(6, dtype=np.uint8)
        for name, array in (("images-idx3", images), ("labels-idx1", labels)):
            header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            (folder / f"{part}-{name}-ubyte.gz").write_bytes(
                gzip.compress(header + array.tobytes())
            )
    return folder


def test_mnist_has_the_lessons_13002_parameters(tmp_path: Path) -> None:
    files = idx_files(tmp_path)
    numbers = demo("digits").main(mnist=files, images=3, epochs=1, out=tmp_path)
    assert numbers["parameters"] == 13_002


def test_a_damaged_mnist_is_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = idx_files(tmp_path) / "train-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-6])
    monkeypatch.setattr(sys, "argv", ["digits", "--mnist", str(tmp_path)])
    with pytest.raises(SystemExit, match="demos.digits: .*train-labels.* cannot be unzipped"):
        runpy.run_path(demo("digits").__file__ or "", run_name="__main__")


def test_ctrl_c_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(**_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as stopped:
        demo("lesson").run("moons", interrupted, lambda: demo("moons").parsed([]))
    assert stopped.value.code == 130
