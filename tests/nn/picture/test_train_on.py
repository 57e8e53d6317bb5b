"""Tests of "train on" in the page of a network: in a browser, it learns as `Trainer.fit` does."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from tests.browsing import press, until, violations

Opener = Callable[..., Any]
EPOCHS = 3
WATCH = """() => {
    const { Training } = MODULES["training.js"];
    const step = Training.prototype.step;
    Training.prototype.step = function () {
        window.seen = this;
        step.call(this);
    };
}"""  # the page keeps its training to itself
NOW = "[...window.seen.weights]"
OPTIMISERS: dict[str, Callable[[nn.Module, float], nn.Optimizer]] = {
    "sgd": lambda model, lr: nn.SGD(model.parameters(), lr),
    "momentum": lambda model, lr: nn.SGD(model.parameters(), lr, 0.9),
    "adam": lambda model, lr: nn.Adam(model.parameters(), lr),
}


def examples(n: int = 30, axes: int = 2, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Draw points that lose nothing in a page, and for each the class of its angle."""
    X = np.random.default_rng(3).uniform(-1.0, 1.0, (n, axes)).astype(np.float32).astype(float)
    turn = np.arctan2(X[:, 0], X[:, 1]) / (2.0 * np.pi) + 0.5
    return X, (turn * classes).astype(int).clip(0, classes - 1)


def one_hot() -> tuple[np.ndarray, np.ndarray]:
    X, y = examples(classes=3)
    return X, nn.one_hot(y, 3)


def labels() -> tuple[np.ndarray, np.ndarray]:
    """Say of each point whether it lies right, up, and right or up."""
    X, _ = examples()
    return X, np.stack([X[:, 0] > 0, X[:, 1] > 0, X.max(1) > 0], axis=1).astype(int)


def numbers() -> tuple[np.ndarray, np.ndarray]:
    X, _ = examples(axes=3)
    return X, (X[:, 0] * X[:, 1]).astype(np.float32).astype(float)


def chain(*modules: nn.Module) -> nn.Module:
    return nn.Sequential(*modules)


def fields(page: Any, **given: Any) -> None:
    """Set controls of training by their names."""
    for name, x in given.items():
        if name == "optimizer":
            page.select_option("#train-optimizer", x)
        else:
            page.fill(f"#train-{name}", str(x))
            page.dispatch_event(f"#train-{name}", "change")


def text(page: Any, name: str) -> str:
    return str(page.inner_text(f"#{name}"))


CASES: dict[str, tuple[nn.Module, Any, Any, str, float, int]] = {
    "sides": (
        *(nn.MLP(2, [4, 3, 1], "tanh", seed=0), nn.binary_cross_entropy_with_logits, examples()),
        *("sgd", 0.5, 7),
    ),
    "classes": (
        *(nn.MLP(2, [5, 3], "relu", seed=1), nn.cross_entropy, examples(classes=3)),
        *("momentum", 0.05, 10),
    ),
    "numbers": (nn.MLP(3, [4, 1], "gelu", seed=2), nn.mse_loss, numbers(), "adam", 0.01, 30),
    "softmax": (
        *(nn.MLP(2, [4, 3], output="softmax", seed=2), nn.mse_loss, one_hot(), "sgd", 0.3, 4),
    ),
    "labels": (
        nn.MLP(2, [4, 3], "leaky_relu", output="sigmoid", seed=2),
        *(nn.binary_cross_entropy, labels(), "adam", 0.05, 6),
    ),
    "distances": (
        nn.MLP(3, [4, 4, 1], "elu", seed=4),
        nn.l1_loss,
        numbers(),
        "momentum",
        0.003,
        16,
    ),
    "dropouts": (
        chain(
            *(nn.Linear(2, 6, seed=0), nn.ReLU(), nn.Linear(6, 6, seed=1), nn.Tanh()),
            *(nn.Dropout(0.25), nn.Linear(6, 6, seed=2), nn.Dropout(0.5), nn.Linear(6, 1, seed=3)),
        ),
        *(nn.hinge_loss, (examples()[0], 2 * examples()[1] - 1), "adam", 0.02, 8),
    ),
}


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=pytest.mark.slow if case != "sides" else []) for case in CASES],
)
def test_it_trains_as_the_trainer_does(opened: Opener, tmp_path: Path, case: str) -> None:
    model, loss, (X, y), optimizer, lr, size = CASES[case]
    model = copy.deepcopy(model)
    page = opened(model.save_html(tmp_path / "page", data=(X, y), loss=loss))
    page.evaluate(WATCH)
    fields(page, optimizer=optimizer, lr=lr, batch=size)
    for _ in range(EPOCHS):
        page.click("#train-epoch")
    trainer = nn.Trainer(model, loss, OPTIMISERS[optimizer](model, lr))
    history = trainer.fit(X, y, EPOCHS, size, progress=False)
    weights = np.array([p.data for p in model.parameters()])
    np.testing.assert_allclose(page.evaluate(NOW), weights, rtol=1e-9, atol=1e-12)
    steps = EPOCHS * -(-len(X) // size)
    assert f"{steps} steps, {EPOCHS} epochs" in text(page, "train-said")
    cost, share = trainer.evaluate(X, y)
    scores = text(page, "scores").splitlines()
    assert scores[0] == f"loss here {float(f'{cost:.4g}'):g}"
    found = [float(line.split()[2]) / 100 for line in scores[1:]]
    assert found == ([] if share is None else [pytest.approx(share, abs=1e-3)])
    assert page.locator("#curve .dot.live").count() == EPOCHS + 1
    assert history.epochs == EPOCHS


@pytest.fixture
def recorded(opened: Opener, tmp_path: Path) -> Any:
    """Open the page of a network with its history."""
    model, (X, y) = nn.MLP(2, [4, 1], "tanh", seed=0), examples()
    loss = nn.binary_cross_entropy_with_logits
    trainer = nn.Trainer(model, loss, nn.SGD(model.parameters(), lr=0.25))
    history = trainer.fit(X, y, 4, 10, progress=False)
    page = opened(model.save_html(tmp_path / "page", history=history, data=(X, y), loss=loss))
    page.evaluate(WATCH)
    return page


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "shown"),
    [
        (lambda ps: nn.SGD(ps, 0.25), ("sgd", "0.25")),
        (lambda ps: nn.SGD(ps, 0.125, momentum=0.5), ("momentum", "0.125")),
        (lambda ps: nn.Adam(ps, 0.01), ("adam", "0.01")),
    ],
)
def test_it_begins_with_the_settings_of_the_run(
    opened: Opener, tmp_path: Path, make: Callable[[Any], nn.Optimizer], shown: tuple[str, str]
) -> None:
    model, (X, y), loss = nn.MLP(2, [4, 2], "tanh", seed=0), examples(), nn.cross_entropy
    trainer = nn.Trainer(model, loss, make(model.parameters()))
    history = trainer.fit(X, y, 2, 7, seed=3, progress=False)
    page = opened(model.save_html(tmp_path / "page", history=history, data=(X, y), loss=loss))
    page.evaluate(WATCH)
    assert (page.input_value("#train-optimizer"), page.input_value("#train-lr")) == shown
    assert page.input_value("#train-batch") == "7"
    for _ in range(EPOCHS):
        page.click("#train-epoch")
    nn.Trainer(model, loss, make(model.parameters())).fit(X, y, EPOCHS, 7, seed=3, progress=False)
    weights = [p.data for p in model.parameters()]
    np.testing.assert_allclose(page.evaluate(NOW), weights, rtol=1e-9, atol=1e-12)


def test_it_goes_on_from_the_epoch_that_is_shown(recorded: Any) -> None:
    page = recorded
    assert page.input_value("#train-lr") == "0.25"  # the last one of the history
    press(page, "ArrowLeft", 2)
    said, scores = text(page, "epoch"), text(page, "scores")
    assert said == "epoch 2 of 4"
    page.click("#train-step")
    assert text(page, "epoch") == "trained on here, from epoch 2"
    assert text(page, "train-said").startswith("1 step, 0 epochs on the 30 examples of this page")
    first = page.evaluate(NOW)
    page.click("#train-back")
    assert (text(page, "epoch"), text(page, "scores")) == (said, scores)
    assert page.locator("#curve .live").count() == 0
    page.click("#train-step")  # from the same weights again
    assert page.evaluate(NOW) == first
    press(page, "ArrowRight")  # the player leaves it, too
    assert text(page, "epoch") == "epoch 3 of 4"
    assert page.is_disabled("#train-back")


@pytest.mark.slow
def test_it_learns_while_the_reader_watches_and_pauses(recorded: Any) -> None:
    page = recorded
    before = page.evaluate("document.getElementById('region').toDataURL()")
    page.click("#play")
    page.click("#train-play")
    assert text(page, "play") == "Play"  # the player stops
    until(page, lambda: page.evaluate("window.seen?.epochs > 20"))
    page.click("#train-play")
    assert text(page, "train-play") == "Train on"
    paused = page.evaluate("window.seen.steps")
    assert page.evaluate("document.getElementById('region').toDataURL()") != before
    page.wait_for_timeout(100)
    assert page.evaluate("window.seen.steps") == paused
    assert "then from" in text(page, "curve-said")


def test_keys_alone_train_it(recorded: Any) -> None:
    page = recorded
    page.focus("#example-after")
    while page.evaluate("document.activeElement.id") != "train-play":
        press(page, "Tab")
    press(page, "Space")
    until(page, lambda: page.evaluate("window.seen?.epochs > 1"))
    press(page, "Space")
    press(page, "Tab")
    press(page, "Enter")
    steps = page.evaluate("window.seen.steps")
    press(page, "Enter")
    assert page.evaluate("window.seen.steps") == steps + 1


def test_space_pauses_it_and_leaves_the_recorded_run_alone(recorded: Any) -> None:
    page = recorded
    page.click("#train-play")
    page.evaluate("document.activeElement.blur()")
    until(page, lambda: page.evaluate("window.seen?.epochs > 1"))
    assert page.get_attribute("#answer", "aria-live") == "off"  # nothing is read out in each frame
    press(page, "Space")
    assert text(page, "train-play") == "Train on"
    assert page.get_attribute("#answer", "aria-live") == "polite"
    steps = page.evaluate("window.seen.steps")
    press(page, "Space")
    until(page, lambda: page.evaluate(f"window.seen.steps > {steps}"))
    assert text(page, "play") == "Play"
    page.click("#train-back")
    page.evaluate("document.activeElement.blur()")
    press(page, "Space")
    assert text(page, "play") == "Pause"


@pytest.mark.slow
def test_a_reader_in_the_card_of_a_neuron_stays_there(recorded: Any) -> None:
    page = recorded
    page.focus('[data-neuron="1,0"]')
    page.click("#train-play")
    until(page, lambda: page.evaluate("window.seen?.steps > 3"))
    page.evaluate("document.querySelector('#neuron .wide').focus()")
    steps = page.evaluate("window.seen.steps")
    until(page, lambda: page.evaluate(f"window.seen.steps > {steps + 30}"))
    assert page.evaluate("document.activeElement.matches('#neuron .wide')")
    page.hover('[data-neuron="2,0"]')  # another one's card is shown at once
    assert page.inner_text("#neuron h2") == "Neuron a2[0]"
    shown = page.inner_text("#neuron")
    page.click("#train-play")
    assert page.inner_text("#neuron") != shown


@pytest.mark.slow
def test_it_is_not_judged_in_each_frame_if_that_takes_long(recorded: Any) -> None:
    page = recorded
    page.evaluate(
        """() => {
          const { Training } = MODULES["training.js"];
          const judged = Training.prototype.judged;
          Training.prototype.judged = function (examples) {
              if (examples.count === 0) return judged.call(this, examples);
              window.times = (window.times ?? 0) + 1;
              for (const start = performance.now(); performance.now() < start + 300; );
              return judged.call(this, examples);
          };
        }"""
    )
    page.click("#train-play")
    until(page, lambda: page.evaluate("window.seen?.epochs > 10"))  # an epoch a frame at most
    page.click("#train-play")
    assert page.evaluate("window.times < window.seen.epochs")
    cost = page.evaluate("window.seen.judged(window.seen.train).cost")
    assert text(page, "scores").splitlines()[0] == f"loss here {float(f'{cost:.4g}'):g}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("lr", "0", "A learning rate is above 0; 0 is not."),
        ("lr", "-1", "A learning rate is above 0; -1 is not."),
        ("lr", "fast", "“fast” is not a number"),
        ("lr", "nan", "“nan” is not a number"),
        ("batch", "0", "A step takes a whole number of examples, from 1 to 30; not 0."),
        ("batch", "2.5", "from 1 to 30; not 2.5."),
        ("batch", "31", "from 1 to 30; not 31."),
    ],
)
def test_nonsense_is_refused_in_words(recorded: Any, name: str, typed: str, words: str) -> None:
    page = recorded
    fields(page, **{name: typed})
    assert words in text(page, "train-warning")
    assert page.get_attribute(f"#train-{name}", "aria-invalid") == "true"
    page.click("#train-epoch")
    rules = page.evaluate("window.seen.rules")
    assert (rules["lr"], rules["batch_size"]) == (0.25, 10)
    fields(page, **{name: 2})
    assert text(page, "train-warning") == ""
    page.click("#train-step")
    assert page.evaluate("window.seen.lr" if name == "lr" else "window.seen.rules.batch_size") == 2


@pytest.mark.slow
def test_a_rate_that_is_too_high_stops_it_with_the_last_good_weights(
    opened: Opener, tmp_path: Path
) -> None:
    model = nn.MLP(3, [4, 1], seed=0)
    page = opened(model.save_html(tmp_path / "page", data=numbers(), loss=nn.mse_loss))
    page.evaluate(WATCH)
    fields(page, lr="1e6")
    page.click("#train-play")
    page.wait_for_selector("#train-warning:has-text('It stopped')")
    assert text(page, "train-play") == "Train on"
    assert all(map(np.isfinite, page.evaluate(NOW)))


@pytest.mark.slow
def test_axe_finds_nothing(recorded: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    recorded.set_viewport_size({"width": 360, "height": 800})
    recorded.click("#train-epoch")
    fields(recorded, lr="0")
    assert violations(Axe().run(recorded)) == []
    assert recorded.evaluate("document.documentElement.scrollWidth <= innerWidth")


IMAGES = np.random.default_rng(0).uniform(size=(4, 1, 4, 4)), np.array([0, 1, 0, 1])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "data", "words"),
    [
        (nn.MLP(2, [3, 1], seed=0), {"data": examples()}, "save the page with data=… and loss=…"),
        (nn.MLP(2, [3, 1], seed=0), {"loss": nn.hinge_loss}, "save the page with data=… and loss"),
        (
            nn.MLP(2, [3, 1], seed=0),
            {"history": nn.History()},
            "save the page with data=… and loss",
        ),
        (
            chain(nn.Linear(2, 3, bias=False, seed=0), nn.ReLU(), nn.Linear(3, 1, seed=0)),
            {"data": examples(), "loss": nn.binary_cross_entropy_with_logits},
            "weights and biases of their own",
        ),
        (
            chain(nn.Dropout(0.5), nn.Linear(2, 1, seed=0)),
            {"data": examples(), "loss": nn.binary_cross_entropy_with_logits},
            "a dropout that does not follow a hidden layer",
        ),
        (
            chain(nn.Conv2d(1, 2, 3, seed=0), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2, seed=0)),
            {"data": IMAGES, "loss": nn.cross_entropy},
            "trains no network on images: only one of dense layers",
        ),
    ],
)
def test_a_page_that_cannot_train_says_why(
    opened: Opener, tmp_path: Path, model: nn.Module, data: dict[str, Any], words: str
) -> None:
    page = opened(model.save_html(tmp_path / "page", **data))
    assert words in text(page, "train-said")
    assert page.is_hidden("#train-play")


@pytest.mark.slow
def test_a_page_without_examples_and_cost_has_no_card(opened: Opener, tmp_path: Path) -> None:
    page = opened(nn.MLP(2, [3, 1], seed=0).save_html(tmp_path / "page"))
    assert page.is_hidden("#train")
