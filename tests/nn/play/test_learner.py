"""Tests that the page of the playground learns as `Trainer.fit` does, run in a real browser."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from autograd.page.html import globals_of, modules
from nn.play.own import Own, Start
from nn.play.page import SHARED, WEB, generated
from nn.play.points import KINDS
from nn.play.settings import COSTS, SCHEDULES, TABLE, checked

PROBE = """\
import { Learner } from "./learner.js";
import { linkOf, settingsOf } from "./link.js";
import { doubles } from "./packed.js";
import { divided, points } from "./points.js";
import { programOf } from "./program.js";
import { Random } from "./random.js";
import { checked } from "./settings.js";

function refused(make) {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return error.message;
  }
}

function learned({ settings: given, epochs, own, start }) {
  const settings = checked(given);
  const { points: n, noise, seed, test } = settings;
  const split = divided(own ?? points(settings.data, n, noise, seed), test);
  const beginning = start && {
    shape: { sizes: start.sizes, activations: start.activations },
    weights: doubles(start.weights),
  };
  const program = programOf(settings, split, epochs, beginning);
  const learner = new Learner(settings, split, beginning);
  const [losses, testLosses] = [[], []];
  learner.heard = (cost, test) => (losses.push(cost), testLosses.push(test));
  const message = refused(() => {
    for (let k = 0; k < epochs; k++) learner.epoch();
  });
  const { weights } = learner;
  return {
    settings, program, message, losses, testLosses, weights: [...weights],
    scores: learner.scores(), link: linkOf(settings),
  };
}

function begun(given) {
  const settings = checked(given);
  const { points: n, noise, seed, test } = settings;
  return new Learner(settings, divided(points(settings.data, n, noise, seed), test));
}

function left(learner, epochs) {
  let last = NaN;
  learner.heard = (cost) => (last = cost);
  for (let k = 0; k < epochs; k++) learner.epoch();
  return last;
}

function drawn(seed) {
  const rng = new Random(seed);
  const numbers = [rng.random(), rng.uniform(-1, 1), rng.gauss(0, 2), rng.gauss(1, 1)];
  return [...numbers, rng.below(1000), ...rng.order(30), rng.random()];
}

export const PROBED = {
  learned, begun, left, drawn, points, fromLink: (link) => refused(() => settingsOf(link)),
  checkedOr: (given) => refused(() => checked(given)),
};
"""
Ask = Callable[..., Any]


def asking(browser: Any, folder: Path, own: Own | None = None) -> Any:
    """Open a page with the modules of the playground."""
    (folder / "probe.js").write_text(PROBE, "utf-8")
    script = globals_of("special.js") + generated(own) + modules("probe.js", [folder, WEB, SHARED])
    page = browser.new_page()
    page.add_script_tag(content=script)
    return page


@pytest.fixture(scope="module")
def ask(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Yield a function that calls a function of `PROBED`."""
    page = asking(browser, tmp_path_factory.mktemp("probe"))
    yield lambda name, *args: page.evaluate(
        "([name, args]) => MODULES['probe.js'].PROBED[name](...args)", [name, args]
    )
    page.close()


def run(program: str) -> dict[str, Any]:
    """Run a program that the page wrote, and return its names."""
    space: dict[str, Any] = {}
    exec(program, space)  # as a reader who copies it
    return space


# ---------------------------------------------------------------------- random numbers, points


@pytest.mark.parametrize("seed", [0, 5, 2**32 - 1, "0, epoch 3", "∂, dropout 1", "a" * 200])
def test_a_seed_gives_the_numbers_of_python(ask: Ask, seed: int | str) -> None:
    rng = random.Random(seed)
    wanted = [rng.random(), rng.uniform(-1, 1), rng.gauss(0, 2), rng.gauss(1, 1)]
    wanted += [rng.randrange(1000), *rng.sample(range(30), 30), rng.random()]
    assert ask("drawn", seed) == pytest.approx(wanted, rel=1e-15)


@pytest.mark.parametrize("kind", KINDS)
def test_the_points_are_those_of_python(ask: Ask, kind: str) -> None:
    found = ask("points", kind, 50, 0.3, 7)
    X, y = nn.points(kind, 50, noise=0.3, seed=7)
    np.testing.assert_allclose(found["X"], X, rtol=0, atol=1e-14)
    np.testing.assert_allclose(found["y"], y, rtol=0, atol=1e-14)


# ---------------------------------------------------------------------- the same costs

ALL: list[dict[str, Any]] = [
    {},
    *({"activation": name} for name in TABLE["activation"].choices),
    # The gradient of an absolute error jumps: with larger steps rounding errors grow.
    *(
        {"data": kind, "cost": cost, "lr": 0.02}
        for kind, row in KINDS.items()
        for cost in COSTS[row.targets]
    ),
    *({"optimizer": name, "lr": 0.02} for name in TABLE["optimizer"].choices),
    *({"schedule": name, "lr": 0.05} for name in SCHEDULES),
    *({"penalty": name, "strength": 0.01} for name in ("l1", "l2")),
    *({"init": name} for name in TABLE["init"].choices),
    {"dropout": 0.3, "layers": [8, 8], "activation": "relu"},
    {"dropout": 0.5, "data": "spirals", "optimizer": "adam", "lr": 0.01, "init": "he"},
    {"inputs": ["x1", "x2^2", "x1*x2", "sin(x2)"], "layers": []},
    {"inputs": list(TABLE["inputs"].choices), "data": "wave", "layers": [8, 6, 4, 4, 3, 2]},
    {"batch_size": 1000, "points": 77, "seed": 2**32 - 1},
    {"batch_size": 1, "points": 30, "test": 0.0},
]


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(row, marks=[] if i % 10 == 0 else pytest.mark.slow, id=str(row))
        for i, row in enumerate(ALL)
    ],
)
def test_the_page_and_its_program_have_the_same_costs(ask: Ask, settings: dict[str, Any]) -> None:
    epochs = 50 if settings.get("batch_size") != 1 else 10
    found = ask("learned", {"settings": settings, "epochs": epochs})
    assert found["settings"] == checked(settings)
    space = run(found["program"])
    history, model = space["history"], space["model"]
    np.testing.assert_allclose(found["losses"], history.losses, rtol=1e-9)
    if history.validation_losses:
        np.testing.assert_allclose(found["testLosses"], history.validation_losses, rtol=1e-9)
        assert found["scores"]["test"]["share"] == history.validation_accuracies[-1]
    weights = [p.data for p in model.parameters()]
    np.testing.assert_allclose(found["weights"], weights, rtol=1e-8, atol=1e-10)


def test_points_and_a_network_of_ones_own(browser: Any, tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(60, 3))
    y = np.where(X[:, 0] > 0, "warm", np.where(X[:, 1] > 0, "cold", "mild"))
    rng = random.Random(3)
    layers = nn.Layer(3, 5, "tanh", seed=rng), nn.Layer(5, 4, "relu", seed=rng)
    model = nn.Sequential(*layers, nn.Linear(4, 3, seed=rng))
    own = Own.of((X, y))
    start = Start.of(model, own)
    page = asking(browser, tmp_path, own)
    asked = {"settings": {"data": "own"}, "epochs": 20, "own": own.contents()}
    found = page.evaluate(
        "asked => MODULES['probe.js'].PROBED.learned(asked)", asked | {"start": start.contents()}
    )
    page.close()
    assert own.names == ["cold", "mild", "warm"]
    trainer = nn.Trainer(model, nn.cross_entropy, nn.SGD(model.parameters(), lr=0.1))
    history = trainer.fit(X[:42], own.y[:42].astype(int), 20, 10)
    np.testing.assert_allclose(found["losses"], history.losses, rtol=1e-9)
    np.testing.assert_allclose(run(found["program"])["history"].losses, history.losses, rtol=1e-12)


@pytest.mark.parametrize(
    ("axes", "model"),
    [
        (3, None),
        (1, None),
        (2, nn.Sequential(nn.Layer(2, 20, "tanh", seed=0), nn.Dropout(0.2), nn.Linear(20, 1))),
    ],
    ids=["three numbers", "one number", "a wide network with dropout"],
)
def test_the_points_and_the_network_decide_the_sizes(
    browser: Any, tmp_path: Path, axes: int, model: nn.Module | None
) -> None:
    X = np.random.default_rng(0).normal(size=(40, axes))
    own = Own.of((X, (X.sum(axis=1) > 0).astype(int)))
    start = None if model is None else Start.of(model, own)
    settings = {"data": "own", **(start.settings if start else {})}
    asked = {"settings": settings, "epochs": 5, "own": own.contents()}
    page = asking(browser, tmp_path, own)
    found = page.evaluate(
        "asked => MODULES['probe.js'].PROBED.learned(asked)",
        asked | {"start": start and start.contents()},
    )
    page.close()
    history = run(found["program"])["history"]
    np.testing.assert_allclose(found["losses"], history.losses, rtol=1e-9)


def test_a_rate_too_high_is_said_and_keeps_the_last_good_weights(ask: Ask) -> None:
    settings = {"data": "plane", "cost": "mse_loss", "lr": 90.0, "activation": "identity"}
    found = ask("learned", {"settings": settings, "epochs": 50})
    assert "Try a learning rate below" in found["message"]
    assert math.isfinite(found["scores"]["train"]["cost"])
    with pytest.warns(RuntimeWarning, match="the weights are the last ones"):
        model = run(found["program"])["model"]
    np.testing.assert_allclose(found["weights"], [p.data for p in model.parameters()], rtol=1e-8)


@pytest.mark.slow
def test_an_hour_of_steps_neither_grows_nor_drifts(browser: Any, tmp_path: Path) -> None:
    settings = {"points": 60, "test": 0.0, "layers": [2], "batch_size": 5}
    half, steps = 9_000, 12
    assert 2 * half * steps == 60 * 60 * 60  # steps in an hour, at 60 a second
    page = asking(browser, tmp_path)
    session = page.context.new_cdp_session(page)
    page.evaluate("given => { window.LEFT = MODULES['probe.js'].PROBED.begun(given); }", settings)
    used = []
    for _ in range(2):
        cost = page.evaluate("epochs => MODULES['probe.js'].PROBED.left(LEFT, epochs)", half)
        session.send("HeapProfiler.collectGarbage")
        used.append(session.send("Runtime.getHeapUsage")["usedSize"])
    asked = {"settings": settings, "epochs": 1}
    program = page.evaluate("asked => MODULES['probe.js'].PROBED.learned(asked)", asked)["program"]
    page.close()
    assert used[1] < used[0] + 100_000
    history = run(program.replace("epochs=1,", f"epochs={2 * half},"))["history"]
    assert cost == pytest.approx(history.losses[-1], rel=1e-9)


# ---------------------------------------------------------------------- links, wrong settings


@pytest.mark.parametrize("settings", ALL, ids=str)
def test_a_link_opens_the_same_settings(ask: Ask, settings: dict[str, Any]) -> None:
    found = ask("learned", {"settings": settings, "epochs": 0})
    assert ask("fromLink", found["link"]) == found["settings"] == checked(settings)


@pytest.mark.parametrize(
    "given",
    [
        {"layers": [10**9]},
        {"layers": [1] * 7},
        {"layers": [2.5]},
        {"layers": "8"},
        {"layers": [0]},
        {"points": 10**9},
        {"points": 0},
        {"lr": 0},
        {"lr": -1},
        {"lr": "fast"},
        {"data": "<script>alert(1)</script>"},
        {"data": "constructor"},
        {"data": "own"},
        {"inputs": []},
        {"inputs": ["x1", "x1"]},
        {"inputs": ["__proto__"]},
        {"cost": "cross_entropy", "data": "moons"},
        {"seed": 2**32},
        {"seed": -1},
        {"dropout": 1},
        {"momentum": 1.5},
        {"nonsense": 1},
        {"toString": 1},
    ],
    ids=str,
)
def test_a_setting_that_is_out_of_range_is_refused(ask: Ask, given: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        checked(given)
    (name,) = [name for name in given if name != "data" or len(given) == 1]
    said = ask("checkedOr", given)
    assert isinstance(said, str) and name in said
    text = {name: ",".join(map(str, x)) if isinstance(x, list) else x for name, x in given.items()}
    if given != {"layers": "8"}:  # which a link may hold
        assert isinstance(ask("fromLink", "#" + "&".join(f"{k}={v}" for k, v in text.items())), str)


@pytest.mark.parametrize("link", ["#lr=", "#lr=NaN", "#lr=1e999", "#points=1.5", "#layers=4,,3"])
def test_a_link_that_cannot_be_read_is_refused(ask: Ask, link: str) -> None:
    assert isinstance(ask("fromLink", link), str)


def test_a_program_of_another_kind_of_data_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit points of 2 numbers"):
        Start.of(nn.MLP(3, [2, 1], seed=0), Own.of(nn.points("moons", 20)))
    with pytest.raises(ValueError, match="and not softmax"):
        Start.of(nn.MLP(2, [2, 1], "softmax", seed=0), Own.of(nn.points("moons", 20)))
    with pytest.raises(ValueError, match="dropout of one rate"):
        layers = nn.Layer(2, 2, seed=0), nn.Layer(2, 2, seed=0), nn.Dropout(0.5)
        model = nn.Sequential(*layers, nn.Linear(2, 1, seed=0))
        Start.of(model, Own.of(nn.points("moons", 20)))
    with pytest.raises(ValueError, match="dropout of one rate"):
        model = nn.Sequential(nn.Dropout(0.5), nn.Layer(2, 2, seed=0), nn.Linear(2, 1, seed=0))
        Start.of(model, Own.of(nn.points("moons", 20)))
    with pytest.raises(ValueError, match="at most 1,000 points"):
        Own.of(nn.points("moons", 1001))
    with pytest.raises(TypeError, match="a model needs data"):
        nn.playground(model=nn.MLP(2, [2, 1], seed=0))


class Shortcut(nn.Module):
    """Two layers, and a way around the first, which the page does not know."""

    def __init__(self) -> None:
        self.first, self.last = nn.Layer(2, 2, "tanh", seed=0), nn.Linear(2, 1, seed=1)

    def forward(self, x: Any) -> Any:
        return self.last([a + b for a, b in zip(x, self.first(x))])


def not_finite() -> nn.Module:
    model = nn.MLP(2, [2, 1], seed=0)
    model.parameters()[0].data = math.nan
    return model


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (Shortcut(), "computes something else"),
        (
            nn.Sequential(nn.Linear(2, 3, seed=0), nn.LayerNorm(3), nn.Linear(3, 1, seed=1)),
            "computes something else",
        ),
        (not_finite(), "are not finite"),
    ],
    ids=["a shortcut", "a normalisation", "nan"],
)
def test_a_network_that_the_page_cannot_compute_is_refused(model: nn.Module, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Start.of(model, Own.of(nn.points("moons", 20)))


@pytest.mark.parametrize("count", [1, 7])
def test_names_of_too_few_or_too_many_classes_are_refused(count: int) -> None:
    X, _ = nn.points("moons", 20)
    with pytest.raises(ValueError, match=f"from 2 to 6 classes, got {count}"):
        Own.of((X, [f"class {i % count}" for i in range(20)]))


def test_a_point_of_too_many_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 64 numbers of a point, got 784"):
        Own.of((np.zeros((3, 784)), [0.5, 1.0, 2.0]))


@pytest.mark.parametrize("given", [{"layers": [3]}, {"activation": "relu"}], ids=str)
def test_what_the_model_decides_is_not_given_twice(given: Any) -> None:
    model, data = nn.MLP(2, [2, 1], seed=0), nn.points("moons", 20)
    with pytest.raises(TypeError, match=f"the model decides {next(iter(given))}"):
        nn.playground(model=model, data=data, **given)


def test_a_model_of_the_features_of_a_plane(tmp_path: Path) -> None:
    model, data = nn.MLP(3, [2, 1], seed=0), nn.points("moons", 20)
    nn.playground(tmp_path / "p.html", model=model, data=data, inputs=["x1", "x2", "x1*x2"])
    with pytest.raises(ValueError, match=r"of 2 numbers that need 2 input\(s\)"):
        nn.playground(tmp_path / "p.html", model=model, data=data)


def test_probabilities_before_a_cost_of_logits_are_warned_of(tmp_path: Path) -> None:
    model, data = nn.MLP(2, [2, 1], output="sigmoid", seed=0), nn.points("moons", 20)
    with pytest.warns(RuntimeWarning, match="the outputs are probabilities already") as warned:
        nn.playground(tmp_path / "p.html", model=model, data=data)
    assert warned[0].filename == __file__
    nn.playground(tmp_path / "p.html", model=model, data=data, cost="mse_loss")
