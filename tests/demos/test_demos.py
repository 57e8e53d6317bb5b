"""Tests of all other demos on small budgets: numbers, pictures, and refused options."""

from __future__ import annotations

import argparse
import gzip
import importlib
import io
import os
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

import nn
from autograd import Value

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
NAMES = [pytest.param(name, marks=[pytest.mark.slow] * (name == "overfit")) for name in TINY]


class Results(dict[str, Any]):
    """The numbers of the demos; a demo runs once, when a test first asks for its numbers."""

    def __init__(self, out: Path) -> None:
        self.out = out

    def __missing__(self, name: str) -> Any:
        self[name] = demo(name).main(**TINY[name], out=self.out)
        return self[name]


def demo(name: str) -> ModuleType:
    return importlib.import_module(f"demos.{name}")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Return the numbers of the demos; their pictures are in a temporary folder."""
    return Results(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change to a folder of the test, where demos put pictures by default."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module", autouse=True)
def coarse() -> Iterator[None]:
    """Draw pictures on a coarse grid, to save time."""
    from nn import plots

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plots, "GRID", 12)
        yield


def test_every_demo_is_tried() -> None:
    files = {path.stem for path in Path(demo("moons").__file__ or "").parent.glob("*.py")}
    tried_elsewhere = {"chain", "stepping", "chain_notebook", "build_notebook"}
    assert files - {"__init__", "lesson", "idx"} - tried_elsewhere == set(TINY)


@pytest.mark.parametrize("name", NAMES)
def test_the_pictures_are_there(name: str, results: dict[str, Any]) -> None:
    assert results[name]["pictures"]
    for picture in results[name]["pictures"]:
        assert Path(picture).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["moons", "digits"])
def test_the_training_can_be_played(name: str, results: dict[str, Any]) -> None:
    page = Path(results[name]["page"])
    assert page.name == f"{name}.html"
    assert page.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("name", NAMES)
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


@pytest.mark.parametrize("name", [*TINY, "chain"])
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


@pytest.mark.parametrize("name", ["boundary", "moons", "spirals", "descent", "overfit", "digits"])
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


def test_a_folder_of_images_is_judged_before_any_work(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        demo("digits").parsed(["--mnist", "nowhere"])
    assert stopped.value.code == 2
    assert "expected a folder with MNIST's files, got 'nowhere'" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("name", ["chain", "vanishing"])
def test_a_demo_is_told_on_any_terminal(
    name: str, encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    options = [f"--{option}={value}" for option, value in TINY.get(name, {"steps": 2}).items()]
    monkeypatch.setattr(sys, "argv", [name, *options, f"--out={tmp_path}"])
    monkeypatch.setattr(sys, "stdout", terminal)
    runpy.run_path(demo(name).__file__ or "", run_name="__main__")
    terminal.flush()
    told = terminal.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]
    assert len(told) > 200
    assert "\\u" not in told


@pytest.mark.parametrize("name", ["boundary", "moons", "spirals", "digits"])
def test_the_engine_tells_the_same_history(
    name: str, results: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    learned = gates.by_rule("AND", 20, seed=0)
    assert [p.data for p in learned.model.w] == pytest.approx(w)
    assert learned.model.b.data == pytest.approx(b)
    assert learned.moved > 1
    assert learned.shown % 4 == 0
    again = gates.by_rule("AND", learned.shown // 4, seed=0)
    assert (again.shown, again.moved) == (learned.shown, learned.moved), "it stops when right"
    assert not gates.by_rule("AND", learned.shown // 4 - 2, seed=0).right


def test_descent_moves_by_how_far_it_is_off() -> None:
    gates = demo("gates")
    start = nn.Neuron(2, "sigmoid", seed=3)
    w, b = np.array([p.data for p in start.w]), start.b.data
    X, y = (np.array(part) for part in gates.GATES["OR"])
    for i in random.Random("3, epoch 0").sample(range(4), 4):
        a = 1.0 / (1.0 + np.exp(-(w @ X[i] + b)))
        w, b = w - 1.0 * (a - y[i]) * X[i], b - 1.0 * (a - y[i])
    learned = gates.by_descent("OR", 1, seed=3).model
    assert [p.data for p in learned.w] == pytest.approx(w)
    assert learned.b.data == pytest.approx(b)


def test_boundary(results: dict[str, Any]) -> None:
    boundary = results["boundary"]
    likelihood, cost = boundary["likelihood"]
    assert likelihood == pytest.approx(cost, rel=1e-12)
    assert len(boundary["lines"]) == boundary["history"].epochs + 1
    assert boundary["history"].losses == sorted(boundary["history"].losses, reverse=True)
    assert boundary["lines"][0] == (*demo("boundary").START["w"], demo("boundary").START["b"])


def test_boundary_judges_by_points_it_never_saw() -> None:
    boundary = demo("boundary")
    X, y = boundary.blobs(30, seed=10_000)
    assert not np.array_equal(X, boundary.blobs(30, seed=0)[0])
    w1, w2, b = boundary.main(points=30, epochs=1, lr=0.05)["lines"][-1]
    accuracy = np.mean((X @ [w1, w2] + b > 0) == y)
    assert accuracy < 1.0, "otherwise this test could not fail"
    assert boundary.main(points=30, epochs=1, lr=0.05)["accuracy"] == accuracy


def test_boundary_prints_what_each_line_costs(capsys: pytest.CaptureFixture[str]) -> None:
    boundary = demo("boundary")
    lines = boundary.main(points=30, epochs=5)["lines"]
    X, y = boundary.blobs(30, seed=0)
    table = capsys.readouterr().out.split("likelihood of a point")[1]
    rows = [row.split() for row in table.splitlines()]
    worked = [row for row in rows if row and row[0].isdigit()]
    assert [int(row[0]) for row in worked] == boundary.moments(5)
    for step, *numbers in worked:
        w1, w2, b = lines[int(step)]
        p = 1.0 / (1.0 + np.exp(-(X @ [w1, w2] + b)))
        cost = -np.mean(np.log(np.where(y == 1, p, 1.0 - p)))
        assert [float(n) for n in numbers[:4]] == pytest.approx([w1, w2, b, cost], abs=1e-3)


def test_the_lines_in_the_picture_are_the_neurons(monkeypatch: pytest.MonkeyPatch) -> None:
    boundary = demo("boundary")
    shown = []
    monkeypatch.setattr(boundary, "save", lambda figure, *_: shown.append(figure) or "")
    lines = boundary.main(points=30, epochs=4)["lines"]
    for step, line in zip(boundary.moments(4), shown[0].axes[0].lines, strict=True):
        w1, w2, b = lines[step]
        x1, x2 = line.get_data()
        np.testing.assert_allclose(w1 * x1 + w2 * x2 + b, 0.0, atol=1e-9)


def test_spirals(results: dict[str, Any]) -> None:
    for columns in (results["spirals"]["before"], results["spirals"]["after"]):
        assert sum(columns["p"]) == pytest.approx(1.0)
        slopes = np.array(columns["p"]) - columns["y"]
        assert columns["gradient"] == pytest.approx(slopes.tolist())
    rates = results["spirals"]["history"].learning_rates
    assert rates == sorted(rates, reverse=True)
    assert len(set(rates)) == len(rates)


def test_spirals_judges_by_points_it_never_saw(monkeypatch: pytest.MonkeyPatch) -> None:
    spirals = demo("spirals")
    shown: list[Any] = []
    monkeypatch.setattr(spirals, "pictures", lambda model, *rest: shown.append(model) or [])
    accuracy = spirals.main(points=8, epochs=2)["accuracy"]
    X, y = spirals.spirals(8, seed=10_000)
    assert accuracy == np.mean(shown[0].predict(X).argmax(1) == y)
    assert not np.array_equal(X, spirals.spirals(8, seed=0)[0])


def test_the_right_class_should_go_up(capsys: pytest.CaptureFixture[str]) -> None:
    spirals = demo("spirals")
    spirals.print_point(nn.MLP(2, [3], seed=0), [0.5, -0.5], 2)
    wishes = [row.split()[-1] for row in capsys.readouterr().out.splitlines()[2:]]
    assert wishes == ["down", "down", "up"]


def test_the_orders_of_descent_hold(results: dict[str, Any]) -> None:
    descent = results["descent"]
    assert all(descent["orders"].values()), descent["orders"]
    assert len(descent["orders"]) == 6
    for walk in descent["walks"].values():
        assert len(walk.costs) == len(walk.places)
        assert walk.costs[-1] < walk.costs[0]


def test_the_drunk_goes_its_own_way_each_time() -> None:
    hill = demo("descent").Hill(seed=0)
    first, again, other = (hill.walk(1, 0.1, 20, seed).places for seed in (1, 1, 2))
    assert first == again != other


def test_the_bottom_of_the_hill_is_its_lowest_place() -> None:
    hill = demo("descent").Hill(seed=0)
    x = np.stack([hill.x, np.ones(len(hill.x))], axis=1)
    (w, b), *_ = np.linalg.lstsq(x, np.array(hill.y), rcond=None)
    assert hill.lowest() == pytest.approx(hill.cost(w, b), rel=1e-12)


def test_the_waves_are_the_same_for_values_and_numbers() -> None:
    descent = demo("descent")
    for cost in (descent.dip, descent.waves):
        assert cost(Value(0.7)).data == pytest.approx(cost(0.7))


@pytest.mark.slow
def test_overfit(results: dict[str, Any]) -> None:
    fits = results["overfit"]["fits"]
    assert len(results["overfit"]["orders"]) == 6
    assert fits["early stopping"].epochs <= 2
    assert all(0.0 <= f.train <= 1.0 and f.norm > 0.0 for f in fits.values())
    assert len(demo("overfit").weights(fits["L1"].model)) == 2 * 32 + 32 * 32 + 32


def test_a_fifth_of_the_points_is_mislabelled() -> None:
    from sklearn.datasets import make_moons

    data = demo("overfit").moons(40, seed=3)
    X, y = make_moons(40, noise=0.1, random_state=3)
    np.testing.assert_array_equal(data["train"][0], X)
    assert (data["train"][1] != y).sum() == 8


@pytest.mark.slow
def test_each_way_is_held_back_as_it_says() -> None:
    overfit = demo("overfit")
    data = overfit.moons(20, seed=0)
    fits = {name: overfit.fit(way, data, 2, 0.03, 0) for name, way in overfit.WAYS.items()}
    plain = overfit.weights(fits["unregularised"].model)
    for name in ("L1", "L2"):
        held_back = overfit.weights(fits[name].model)
        assert [w.data for w in held_back] != [w.data for w in plain]
    kinds = [type(module) for module in overfit.build(overfit.WAYS["dropout"], 0)]
    assert kinds == [nn.Layer, nn.Dropout, nn.Layer, nn.Dropout, nn.Layer]
    assert [type(module) for module in overfit.build(overfit.WAYS["a line"], 0)] == [nn.Layer]


@pytest.mark.slow
def test_early_stopping_does_not_see_the_points_of_the_test() -> None:
    overfit = demo("overfit")
    data = overfit.moons(20, seed=0)
    way = overfit.WAYS["early stopping"]
    found = overfit.fit(way, data, 3, 0.03, 0)
    data["test"] = (-data["test"][0], data["test"][1])
    assert overfit.fit(way, data, 3, 0.03, 0).norm == found.norm
    data["validation"] = (-data["validation"][0], 1 - data["validation"][1])
    assert overfit.fit(way, data, 3, 0.03, 0).test != found.test


def test_the_orders_are_those_of_the_fits() -> None:
    overfit = demo("overfit")

    def made(test: float, zeros: float, norm: float) -> Any:
        return overfit.Fit(nn.Neuron(1), 1.0, test, zeros, norm, 1)

    fits = {
        "a line": made(0.5, 1.0, 0.1),
        "unregularised": made(0.7, 0.1, 9.0),
        "L1": made(0.8, 0.9, 5.0),
        "L2": made(0.7, 0.2, 3.0),
        "dropout": made(0.6, 0.0, 8.0),
        "early stopping": made(0.9, 0.0, 4.0),
    }
    held = list(overfit.orders_of(fits).values())
    assert held == [True, True, True, True, False, True]
    fits["L1"], fits["L2"] = fits["L2"], fits["L1"]
    assert list(overfit.orders_of(fits).values())[:2] == [False, False]


def test_vanishing(results: dict[str, Any]) -> None:
    vanishing = results["vanishing"]
    assert {len(norms) for norms in vanishing["norms"].values()} == {5}
    assert vanishing["ratios"]["sigmoid"] >= 100.0
    assert "layers.0: the gradient vanishes" in str(vanishing["diagnosis"])


@pytest.mark.parametrize("settings", [{"width": 1}, {"depth": 12, "width": 2, "seed": 3}])
def test_dead_networks_are_shown_too(settings: dict[str, Any], tmp_path: Path) -> None:
    assert demo("vanishing").main(**settings, out=tmp_path)["pictures"]


def test_one_step_of_descent_is_a_way(tmp_path: Path) -> None:
    assert demo("descent").main(steps=1, starts=1, out=tmp_path)["pictures"]


def test_digits(results: dict[str, Any]) -> None:
    digits = results["digits"]
    before, wishes = digits["before"], digits["wishes"]
    assert digits["parameters"] == 64 * 16 + 16 + 16 * 16 + 16 + 16 * 10 + 10
    assert sum(before["square"]) == pytest.approx(before["cost"][0])
    assert before["wish"] == pytest.approx([2 * (y - a) for a, y in zip(before["a"], before["y"])])
    np.testing.assert_allclose(wishes["step"], wishes["batch"], atol=1e-12)
    assert wishes["wishes"].shape == (16, digits["parameters"])
    assert ((digits["noise"] > 0.1) & (digits["noise"] <= 1.0)).all()


def test_small_digits_are_bright_from_0_to_1_and_none_is_in_both_parts() -> None:
    digits = demo("digits").small_digits(seed=0, images=None)
    assert (digits.X.min(), digits.X.max()) == (0.0, 1.0)
    assert (len(digits.X), len(digits.unseen_images)) == (1437, 360)
    learned = {image.tobytes() for image in digits.X}
    assert not any(image.tobytes() in learned for image in digits.unseen_images)


def idx_files(folder: Path) -> Path:
    """Write six images for each part; every pixel of digit d is 20·d, plus 7 in `train`."""
    for part, shift, digits in (("train", 7, range(6)), ("t10k", 0, range(4, 10))):
        labels = np.array(digits, dtype=np.uint8)
        images = np.repeat(20 * labels + shift, 28 * 28).reshape(6, 28, 28).astype(np.uint8)
        for name, array in (("images-idx3", images), ("labels-idx1", labels)):
            header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            (folder / f"{part}-{name}-ubyte.gz").write_bytes(
                gzip.compress(header + array.tobytes())
            )
    return folder


@pytest.mark.slow
def test_mnist_has_the_lessons_13002_parameters(tmp_path: Path) -> None:
    files = idx_files(tmp_path)
    numbers = demo("digits").main(mnist=files, images=3, epochs=1, out=tmp_path)
    assert numbers["parameters"] == 13_002


def test_images_of_mnist_keep_their_labels(tmp_path: Path) -> None:
    digits = demo("digits").mnist_digits(idx_files(tmp_path), seed=1, images=4)
    assert (digits.X[:, 0] * 255).round().tolist() == (20 * digits.y + 7).tolist()
    unseen = (digits.unseen_images[:, 0] * 255).round().tolist()
    assert unseen == (20 * digits.unseen_labels).tolist()
    assert (len(digits.y), digits.side) == (4, 28)


def test_the_mistakes_in_the_picture_are_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = demo("digits")
    figures: dict[str, Any] = {}
    monkeypatch.setattr(
        digits, "save", lambda figure, out, name: figures.update({name: figure}) or name
    )
    data = digits.small_digits(seed=0, images=5)
    said = (data.unseen_labels + (np.arange(360) < 3)) % 10
    digits.pictures(nn.MLP(64, [2, 10], seed=0), data, said, out="")
    titles = [axes.get_title() for axes in figures["digits-mistakes"].axes]
    assert titles == [f"a {y}, said {(y + 1) % 10}" for y in data.unseen_labels[:3]]


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
