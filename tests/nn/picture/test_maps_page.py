"""Tests of the page of a network on images, used in a real browser: its feature maps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from nn.training.snapshots import unpack
from tests.browsing import press, screens, violations
from tests.nn.picture.test_network_page import (
    digits,
    draw,
    epoch,
    focus,
    numbers_in,
    pixels,
    trained,
)

Opener = Callable[..., Any]
DIGITS, KINDS = digits()
IMAGES = DIGITS.reshape(-1, 1, 8, 8)


def network() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1, seed=0),
        nn.Tanh(),
        nn.MaxPool2d(2),
        nn.Conv2d(3, 4, 2, stride=2, seed=1),
        nn.ReLU(),
        nn.Dropout(0.5, seed=0),
        nn.Flatten(),
        nn.Linear(16, 5, seed=2),
        nn.ReLU(),
        nn.Linear(5, 2, seed=3),
    )


class Run:
    """A trained network on images, its history, and the file of its page."""

    def __init__(self, folder: Path) -> None:
        self.model = network()
        self.history = trained(self.model, nn.cross_entropy, IMAGES, KINDS)
        self.path = self.model.save_html(
            folder / "page.html",
            history=self.history,
            data=(IMAGES, KINDS),
            loss=nn.cross_entropy,
            classes=["lying", "upright"],
        )


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("images"))


def shown_image(page: Any) -> np.ndarray:
    """Return the image in the page: the example, rounded to 255 levels, or the drawing."""
    return (pixels(page) * DIGITS.max()).reshape(1, 8, 8)


def outputs(page: Any) -> list[float]:
    return numbers_in(page, "#outputs")


def go_to(page: Any, stage: int, channel: int) -> None:
    page.locator(".stage-maps").nth(stage).locator("canvas").nth(channel).focus()


def marks(page: Any, stage: int) -> list[list[float] | None]:
    """Return for each map of a stage its mark as first row, first column, rows and columns."""
    found = (
        page.locator(".stage-maps")
        .nth(stage)
        .locator(".mark")
        .evaluate_all(
            """marks => marks.map(({ hidden, style }) => hidden ? null :
          [style.top, style.left, style.height, style.width].map(parseFloat))"""
        )
    )
    side = (8, 8, 4, 2)[stage]
    return [mark and [round(share * side / 100, 6) for share in mark] for mark in found]


# ---------------------------------------------------------------------- the numbers


def test_the_outputs_are_those_of_predict(images: Run, opened: Opener) -> None:
    page = opened(images.path)
    for _ in range(4):
        wanted = images.model.predict([shown_image(page)])[0]
        assert outputs(page) == pytest.approx(wanted.tolist(), rel=1e-9, abs=1e-12)
        page.click("#example-after")


def test_what_is_drawn_goes_through_the_maps(images: Run, opened: Opener) -> None:
    page = opened(images.path)
    draw(page, [[(0.3, 0.1), (0.4, 0.5), (0.3, 0.9)]])
    image = shown_image(page)
    assert image.any()
    wanted = images.model.predict([image])[0]
    assert outputs(page) == pytest.approx(wanted.tolist(), rel=1e-9, abs=1e-12)
    assert page.inner_text("#example") == "your drawing"
    page.click("#clear")
    wanted = images.model.predict([np.zeros((1, 8, 8))])[0]
    assert outputs(page) == pytest.approx(wanted.tolist(), rel=1e-9, abs=1e-12)


def test_the_numbers_of_the_maps_are_the_engines(images: Run, opened: Opener) -> None:
    page = opened(images.path)
    image = shown_image(page)
    layers = images.model.layers
    for stage, end in ((0, 0), (1, 2), (2, 3), (3, 5)):
        found = nn.Sequential(*layers[:end]).predict([image])[0] if end else image
        channels, height, width = found.shape
        assert page.locator(".stage-maps").nth(stage).locator("canvas").count() == channels
        for channel in range(channels):
            go_to(page, stage, channel)
            press(page, "ArrowUp", height)
            press(page, "ArrowLeft", width)
            for row in range(height):
                (x,) = numbers_in(page, "#pixel")
                assert x == pytest.approx(found[channel, row, row % width], rel=1e-9, abs=1e-12)
                press(page, "ArrowDown")
                press(page, "ArrowRight")


def test_maps_are_brighter_for_larger_numbers(images: Run, opened: Opener) -> None:
    page = opened(images.path)
    image = shown_image(page)
    found = images.model.layers[2](images.model.layers[1](images.model.layers[0](image)))
    numbers = np.array([[[v.data for v in row] for row in channel] for channel in found])
    low, high = min(0.0, numbers.min()), numbers.max()
    for channel in range(3):
        canvas = page.locator(".stage-maps").nth(2).locator("canvas").nth(channel)
        levels = canvas.evaluate(
            """canvas => [...canvas.getContext("2d").getImageData(0, 0, 4, 4).data]
              .filter((_, i) => i % 4 === 0)"""
        )
        wanted = 30 + 225 * (numbers[channel].ravel() - low) / (high - low)
        assert levels == pytest.approx(wanted.tolist(), abs=1.0)
        said = canvas.get_attribute("aria-label")
        assert said.startswith(f"map {channel} of MaxPool2d(2): from ")


def test_the_maps_follow_the_training(images: Run, opened: Opener) -> None:
    page = opened(images.path, "#epoch=2")
    assert epoch(page) == "epoch 2 of 4"
    model = network()
    for p, x in zip(model.parameters(), unpack(images.history.snapshots[2].weights)):
        p.data = float(x)
    wanted = model.predict([shown_image(page)])[0]
    assert outputs(page) == pytest.approx(wanted.tolist(), rel=1e-9, abs=1e-12)


def test_the_gradients_of_the_layers_are_the_engines(images: Run, opened: Opener) -> None:
    page = opened(images.path)
    model = images.model.eval()
    model.zero_grad()
    nn.cross_entropy(model(shown_image(page)), int(KINDS[0])).backward()
    for k, layer in ((1, model.layers[7]), (2, model.layers[9])):
        focus(page, k, 1)
        assert numbers_in(page, "#neuron dl")[3] == pytest.approx(layer.neurons[1].b.grad, rel=1e-9)
    model.train()


# ---------------------------------------------------------------------- windows


def test_the_window_of_a_pixel_is_marked(images: Run, opened: Opener) -> None:
    page = opened(images.path)
    go_to(page, 3, 1)  # row 1, column 1 of 2 × 2: from rows and columns 2 to 3 of all maps
    assert marks(page, 3)[1] == [1, 1, 1, 1]
    assert marks(page, 2) == [[2, 2, 2, 2]] * 3
    assert page.inner_text("#pixel").endswith("made from rows 2 to 3, columns 2 to 3 of all 3 maps")
    go_to(page, 2, 2)  # pooling reads one map
    press(page, "ArrowUp")
    assert marks(page, 2) == [None, None, [1, 2, 1, 1]]
    assert marks(page, 1) == [None, None, [2, 4, 2, 2]]
    assert "columns 4 to 5 of map 2 of Conv2d(1, 3, 3, padding=1)" in page.inner_text("#pixel")
    go_to(page, 1, 0)
    press(page, "ArrowLeft", 9)
    assert marks(page, 0) == [[3, -1, 3, 3]], "the window hangs over the padding"
    assert page.inner_text("#pixel").endswith("columns -1 to 1 of the image")
    go_to(page, 0, 0)
    assert page.inner_text("#pixel").startswith("the image, row 4, column 4: ")
    assert epoch(page) == "epoch 4 of 4", "on a map the arrow keys do not play"


def test_pointing_at_a_pixel_chooses_it(images: Run, opened: Opener) -> None:
    page = opened(images.path)
    canvas = page.locator(".stage-maps").nth(1).locator("canvas").nth(2)
    canvas.scroll_into_view_if_needed()
    bounds = canvas.bounding_box()
    canvas.hover(position={"x": bounds["width"] * 0.7, "y": bounds["height"] * 0.3})
    assert marks(page, 1) == [None, None, [2, 5, 1, 1]]


# ---------------------------------------------------------------------- other networks


def test_colours_and_channels(tmp_path: Path, opened: Opener) -> None:
    X = np.random.default_rng(0).uniform(size=(3, 3, 5, 4))
    X = np.rint(255 * (X - X.min()) / np.ptp(X)) / 255  # as the page rounds them
    model = nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(12, 2, seed=0), nn.Softmax())
    page = opened(model.save_html(tmp_path / "page.html", data=(X, [0, 1, 1])))
    assert outputs(page) == pytest.approx(model.predict(X[:1])[0].tolist(), rel=1e-9)
    assert page.locator("#drawn").is_hidden()
    colours = page.locator("#image").evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(0, 0, 4, 5).data]"
    )
    found = np.array(colours).reshape(5, 4, 4)[:, :, :3].transpose(2, 0, 1)
    assert found == pytest.approx(255 * X[0], abs=1)


def test_a_network_that_begins_with_flatten_takes_images(tmp_path: Path, opened: Opener) -> None:
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 4, seed=0), nn.ReLU(), nn.Linear(4, 2, seed=1)
    )
    trained(model, nn.cross_entropy, IMAGES, KINDS, epochs=1)
    page = opened(model.save_html(tmp_path / "page.html", data=(IMAGES, KINDS)))
    wanted = model.predict([shown_image(page)])[0]
    assert outputs(page) == pytest.approx(wanted.tolist(), rel=1e-9, abs=1e-12)
    assert page.locator("#maps").is_hidden()
    assert page.locator("#heats canvas").count() == 4, "the weights are images"


def test_a_network_on_signals_has_maps_too(tmp_path: Path, opened: Opener) -> None:
    model = nn.Sequential(
        nn.Conv1d(1, 2, 3, stride=2, seed=0), nn.ReLU(), nn.Flatten(), nn.Linear(6, 2, seed=1)
    )
    X = np.random.default_rng(0).integers(0, 256, (4, 1, 7)) / 255.0
    X[0, 0, :2] = 0.0, 1.0  # all levels are used, as the page rounds them
    page = opened(model.save_html(tmp_path / "page.html", data=(X, [0, 1, 0, 1])))
    for row in X:
        assert outputs(page) == pytest.approx(model.predict([row])[0].tolist(), rel=1e-9)
        page.click("#example-after")
    assert page.inner_text("h1") == "Inside a network on signals of 7 numbers"
    assert page.locator("#drawn").is_hidden()
    titles = ["signal (1, 7)", "Conv1d(1, 2, 3, stride=2), relu (2, 3)"]
    assert page.locator("#stages h3").all_inner_texts() == titles
    go_to(page, 1, 1)
    said = page.inner_text("#pixel")
    assert said.startswith("map 1 of Conv1d(1, 2, 3, stride=2), place 1: ")
    assert said.endswith("made from places 2 to 4 of the signal")


def test_functions_are_stages_and_no_data_is_needed(tmp_path: Path, opened: Opener) -> None:
    def halves(image: Any) -> Any:
        return [[[pixel * 0.5 for pixel in row] for row in channel] for channel in image]

    model = nn.Sequential(
        nn.Conv2d(1, 2, 3, seed=0), halves, nn.Flatten(), nn.Linear(72, 1, seed=0), nn.Sigmoid()
    )
    page = opened(model.save_html(tmp_path / "page.html"))
    assert page.locator("#player").is_hidden()
    assert page.locator("#stages h3").all_inner_texts() == [
        "image (1, 8, 8)",
        "Conv2d(1, 2, 3) (2, 6, 6)",
        "halves (2, 6, 6)",
    ]
    go_to(page, 2, 1)
    assert "made from" not in page.inner_text("#pixel")
    draw(page, [[(0.3, 0.1), (0.3, 0.9)]])
    wanted = model.predict([pixels(page).reshape(1, 8, 8)])
    assert outputs(page) == pytest.approx(wanted.tolist(), rel=1e-9)


@pytest.mark.parametrize(("width", "scheme"), screens(320, 360, 830, 1280))
def test_nothing_is_in_the_way_of_anyone(
    width: int, scheme: str, images: Run, opened: Opener
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = opened(images.path, viewport={"width": width, "height": 900}, color_scheme=scheme)
    go_to(page, 2, 0)
    assert violations(Axe().run(page)) == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    for canvas in page.locator("canvas:visible").all():
        assert canvas.get_attribute("aria-label") or canvas.get_attribute("aria-labelledby")


class Reading(nn.Module):
    """A step that looks at a number, which cannot be traced."""

    def forward(self, x: Any) -> Any:
        return x if x[0][0][0].data > 2.0 else [x[0]]


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (nn.Sequential(nn.Conv2d(1, 2, 3)), {"shape": (1, 8, 8)}, "if layers of neurons give its"),
        (
            nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten()),
            {"shape": (1, 8, 8)},
            "layers of neurons",
        ),
        (network(), {"shape": (1, 9, 12)}, "takes 16 inputs, and for images"),
        (network(), {"shape": (8, 8)}, r"shape is \(channels, height, width\)"),
        (network(), {"data": (DIGITS, KINDS)}, r"takes images or signals, .* got \(30, 64\)"),
        (
            network(),
            {"data": (IMAGES, KINDS), "shape": (1, 10, 10)},
            r"X has shape \(30, 1, 8, 8\), and the images have shape \(1, 10, 10\)",
        ),
        (
            nn.Sequential(nn.Conv2d(1, 1, 3), Reading(), nn.Flatten(), nn.Linear(36, 2)),
            {},
            "is read",
        ),
    ],
)
def test_what_does_not_fit_is_refused(
    model: nn.Module, options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        model.save_html(tmp_path / "page.html", **options)
    assert list(tmp_path.iterdir()) == []
