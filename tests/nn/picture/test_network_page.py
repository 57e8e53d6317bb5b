"""Tests of the page of a network, used in a real browser."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from nn.training.answers import outputs_read
from nn.training.snapshots import Snapshot, unpack
from tests.browsing import parts, press, screens, violations

Opener = Callable[..., Any]
HOSTILE = "</script><script>document.title='run'</script><b>"
EPOCHS = 4


def points(n: int = 24) -> tuple[np.ndarray, np.ndarray]:
    X = np.random.default_rng(1).uniform(-1.0, 1.0, (n, 2))
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)


def digits(n: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Draw bars in 8 × 8 images: vertical bars are of class 1, horizontal bars of class 0."""
    rng = np.random.default_rng(0)
    images, kinds = np.zeros((n, 8, 8)), rng.integers(0, 2, n)
    for image, kind in zip(images, kinds):
        start = rng.integers(1, 6)
        image[:, start : start + rng.integers(1, 3)] = rng.uniform(0.5, 1.0)
        if kind == 0:
            image[:] = image.T.copy()
    return images.reshape(n, -1), kinds


def trained(
    model: nn.Module, loss: Any, X: Any, y: Any, epochs: int = EPOCHS, **settings: Any
) -> nn.History:
    optimizer = nn.Adam(model.parameters(), lr=0.05)
    return nn.Trainer(model, loss, optimizer).fit(X, y, epochs, 8, **settings)


class Run:
    """A trained network, its history, and the file of its page."""

    def __init__(self, folder: Path, model: nn.MLP, loss: Any, data: Any, **options: Any) -> None:
        self.model, self.loss, self.data = model, loss, data
        self.history = trained(model, loss, *data, validation=data)
        self.path = model.save_html(
            folder / "page.html", history=self.history, data=data, loss=loss, **options
        )


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Run:
    model = nn.MLP(2, [4, 3, 1], "tanh", seed=0)
    loss = nn.binary_cross_entropy_with_logits
    return Run(tmp_path_factory.mktemp("plane"), model, loss, points())


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Run:
    model = nn.MLP(64, [5, 2], seed=0)
    names = ["lying", "upright"]
    return Run(tmp_path_factory.mktemp("picture"), model, nn.cross_entropy, digits(), classes=names)


def epoch(page: Any) -> str:
    return str(page.inner_text("#epoch"))


def numbers_in(page: Any, where: str) -> list[float]:
    """Return the numbers in a part of the page, with all their digits."""
    found = page.locator(f"{where} data").evaluate_all("all => all.map((one) => one.value)")
    return [float(x) for x in found]


def focus(page: Any, k: int, j: int) -> None:
    page.locator(f'[data-neuron="{k},{j}"]').focus()


# ---------------------------------------------------------------------- epochs


def test_every_control_goes_to_its_epoch(plane: Run, opened: Opener) -> None:
    page = opened(plane.path)
    assert epoch(page) == "epoch 4 of 4"
    for control, title in (
        ("first", "before training"),
        ("next", "epoch 1 of 4"),
        ("last", "epoch 4 of 4"),
        ("previous", "epoch 3 of 4"),
    ):
        page.click(f"#{control}")
        assert epoch(page) == title
    page.locator("#slider").fill("2")
    assert epoch(page) == "epoch 2 of 4"
    assert page.get_attribute("#slider", "aria-valuetext") == "epoch 2 of 4"


def test_the_keyboard_alone_plays(plane: Run, opened: Opener) -> None:
    page = opened(plane.path)
    press(page, "Home")
    assert epoch(page) == "before training"
    press(page, "ArrowRight", 2)
    press(page, "ArrowLeft")
    assert epoch(page) == "epoch 1 of 4"
    page.select_option("#speed", "50")
    page.evaluate("document.activeElement.blur()")
    press(page, " ")
    page.locator("#epoch", has_text="epoch 4 of 4").wait_for()
    page.locator("#play", has_text="Play").wait_for()
    press(page, "Home")
    page.select_option("#speed", "0.5")
    page.evaluate("document.activeElement.blur()")
    press(page, " ")
    assert page.inner_text("#play") == "Pause"
    press(page, " ")
    assert page.inner_text("#play") == "Play"


def test_a_link_opens_at_an_epoch(plane: Run, opened: Opener) -> None:
    page = opened(plane.path, "#epoch=2")
    assert epoch(page) == "epoch 2 of 4"
    press(page, "ArrowRight")
    page.wait_for_url("**#epoch=3")
    page.evaluate("window.location.hash = '#epoch=1'")
    page.locator("#epoch", has_text="epoch 1 of 4").wait_for()
    page.evaluate("window.location.hash = '#epoch=99'")
    page.locator("#epoch", has_text="epoch 4 of 4").wait_for()
    assert epoch(opened(plane.path, "#epoch=nowhere")) == "epoch 4 of 4"


def test_each_epoch_says_its_numbers(plane: Run, opened: Opener) -> None:
    page = opened(plane.path, "#epoch=2")
    said = page.inner_text("#scores")
    assert f"validation loss {plane.history.validation_losses[1]:.4g}" in said
    assert page.locator("#curve .cursor").count() == 1
    assert page.locator("#curve polyline").count() == 2
    press(page, "Home")
    assert page.inner_text("#scores") == ""


def test_the_model_as_it_is_now_follows_the_run(plane: Run, tmp_path: Path, opened: Opener) -> None:
    model = nn.MLP(2, [4, 3, 1], "tanh", seed=7)
    path = model.save_html(tmp_path / "page.html", history=plane.history)
    page = opened(path)
    assert epoch(page) == "the model as it is now"
    focus(page, 1, 0)
    assert numbers_in(page, "#neuron tbody tr")[0] == pytest.approx(model.parameters()[0].data)
    press(page, "ArrowLeft")
    assert epoch(page) == "epoch 4 of 4"
    press(page, "ArrowRight")
    page.wait_for_url("**#epoch=now")


# ---------------------------------------------------------------------- neurons


@pytest.mark.parametrize("at", [0, 2, EPOCHS])
def test_a_neurons_numbers_are_the_engines(plane: Run, opened: Opener, at: int) -> None:
    page = opened(plane.path, f"#epoch={at}")
    shot = plane.history.snapshots[at]
    model = nn.MLP(2, [4, 3, 1], "tanh", seed=0)
    for p, x in zip(model.parameters(), unpack(shot.weights)):
        p.data = float(x)
    page.click("#example-after")
    model.zero_grad()
    cost = plane.loss(model(plane.data[0][1]), int(plane.data[1][1]))
    cost.backward()
    assert page.inner_text("#cost").startswith(
        f"C = {cost.data:.4g} is the cost of example 2 alone"
    )
    for k, layer in enumerate(model.layers, 1):
        for j, neuron in enumerate(layer.neurons):
            focus(page, k, j)
            found = numbers_in(page, "#neuron dl")
            wanted = [neuron.z.data, neuron.a.data, neuron.b.data, neuron.b.grad]
            assert found == pytest.approx(wanted, rel=1e-6, abs=1e-6)
            columns = np.array(numbers_in(page, "#neuron tbody")).reshape(layer.nin, -1)
            assert columns[:, 0] == pytest.approx([w.data for w in neuron.w], rel=1e-6)
            gradients = [w.grad for w in neuron.w]
            assert columns[:, 3] == pytest.approx(gradients, rel=1e-6, abs=1e-9)


def test_lines_show_weights_or_gradients(plane: Run, opened: Opener) -> None:
    page = opened(plane.path)
    first = page.locator("#columns line").first

    def sign() -> Any:
        return re.search("plus|minus", first.get_attribute("class"))[0]  # type: ignore[index]

    w = plane.model.parameters()[0]
    assert sign() == ("plus" if w.data > 0 else "minus")
    page.click("#gradients")
    signs = set()
    for x, y in zip(*plane.data):
        plane.model.zero_grad()
        plane.loss(plane.model(x), int(y)).backward()
        assert sign() == ("plus" if w.grad > 0 else "minus")
        signs.add(sign())
        page.click("#example-after")
    assert signs == {"plus", "minus"}, "the gradients differ from example to example"
    assert page.get_attribute("#gradients", "aria-pressed") == "true"
    page.locator("#fields input").first.fill("0.3")
    assert page.locator("#gradients").is_disabled()
    assert page.get_attribute("#weights", "aria-pressed") == "true"
    assert page.inner_text("#cost").startswith("No gradients: an input of your own has no target")
    assert sign() == ("plus" if w.data > 0 else "minus")


@pytest.mark.parametrize(
    ("loss", "output", "targets"),
    [
        (nn.squared_error, "sigmoid", nn.one_hot([0, 2, 1], 3)),
        (nn.squared_error, "softmax", [0, 2, 1]),
        (nn.MSELoss(), "relu", [[0.5, -1.0, 2.0]] * 3),
        (nn.l1_loss, "tanh", [[0.5, -1.0, 2.0]] * 3),
        (nn.cross_entropy, "identity", [0, 2, 1]),
        (nn.binary_cross_entropy, "sigmoid", [[0, 1, 1]] * 3),
        (nn.hinge_loss, "leaky_relu", [[1, -1, 1]] * 3),
        (lambda a, y: sum(y_ * a_.exp() for a_, y_ in zip(a, y)), "elu", [[0.1, 0.2, 0.3]] * 3),
    ],
)
def test_each_cost_and_activation_has_the_engines_gradients(
    loss: Any, output: str, targets: Any, tmp_path: Path, opened: Opener
) -> None:
    model = nn.MLP(4, [3, 3], "softplus", output=output, seed=1)
    X = np.random.default_rng(0).uniform(-1.0, 1.0, (3, 4))
    page = opened(model.save_html(tmp_path / "page.html", data=(X, targets), loss=loss))
    page.click("#example-after")
    target = np.asarray(targets)[1]
    if loss is nn.squared_error and target.ndim == 0:
        target = nn.one_hot(int(target), 3)
    loss(model(X[1]), target.tolist()).backward()
    for k, layer in enumerate(model.layers, 1):
        for j, neuron in enumerate(layer.neurons):
            focus(page, k, j)
            columns = np.array(numbers_in(page, "#neuron tbody")).reshape(layer.nin, -1)
            assert columns[:, 3] == pytest.approx([w.grad for w in neuron.w], rel=1e-5, abs=1e-7)
            assert numbers_in(page, "#neuron dl")[3] == pytest.approx(neuron.b.grad, abs=1e-6)


def test_the_images_of_gradients_follow_the_example(picture: Run, opened: Opener) -> None:
    page = opened(picture.path)
    page.click("#gradients")
    for i in range(3):
        picture.model.zero_grad()
        picture.loss(picture.model(picture.data[0][i]), int(picture.data[1][i])).backward()
        largest = max(abs(w.grad) for w in picture.model.layers[0].neurons[0].w) or 1.0
        label = page.locator("#heats canvas").first.get_attribute("aria-label")
        assert float(label.rpartition(" ")[2]) == pytest.approx(largest, rel=0.02, abs=1e-9)
        page.click("#example-after")
    draw(page, [[(0.3, 0.1), (0.3, 0.9)]])
    assert page.inner_text("#views-title") == "The weights of the first layer as images"


def test_without_a_cost_there_are_no_gradients(tmp_path: Path, opened: Opener) -> None:
    page = opened(nn.MLP(2, [2], seed=0).save_html(tmp_path / "page.html", data=([[1, 2]], [0])))
    assert page.locator("#gradients").is_disabled()
    assert "saved without the cost of an example, loss=…" in page.inner_text("#cost")
    focus(page, 1, 0)
    assert len(numbers_in(page, "#neuron dl")) == 3


def test_pointing_at_a_neuron_or_its_view_chooses_it(plane: Run, opened: Opener) -> None:
    page = opened(plane.path)
    page.hover('[data-neuron="2,1"]')
    assert page.inner_text("#neuron h2") == "Neuron a2[1]"
    page.hover("#heats figure >> nth=3")
    assert page.inner_text("#neuron h2") == "Neuron a1[3]"
    assert page.inner_text("#neuron tbody th >> nth=0") == "W1[3,0]"
    assert page.inner_text("#neuron thead th >> nth=4") == "gradient ∂C/∂w"
    assert page.inner_text("#neuron dt >> nth=3") == "gradient ∂C/∂b"
    assert page.locator("#heats h3").all_inner_texts() == [
        "layer 1, tanh",
        "layer 2, tanh",
        "layer 3, identity",
    ]
    assert page.locator(".neuron.chosen").get_attribute("data-neuron") == "1,3"


# ---------------------------------------------------------------------- the plane


def colour_at(page: Any, x: float, y: float) -> list[int]:
    found: list[int] = page.evaluate(
        """([x, y]) => {
          const canvas = document.getElementById("region");
          const context = canvas.getContext("2d");
          return [...context.getImageData(x * canvas.width, y * canvas.height, 1, 1).data];
        }""",
        [x, y],
    )
    return found


def corner(data: tuple[np.ndarray, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower corner of the decision region's picture, and its width and height."""
    low, high = data[0].min(0), data[0].max(0)
    margin = 0.12 * (high - low)
    return low - margin, high - low + 2 * margin


def test_the_region_agrees_with_the_model(plane: Run, opened: Opener) -> None:
    page = opened(plane.path)
    low, size = corner(plane.data)
    tried = 0
    for across in np.linspace(0.02, 0.98, 9):
        for down in (0.015, 0.985):  # where no example lies
            said = plane.model.predict([low + size * [across, 1.0 - down]])[0]
            if abs(said) < 0.1:
                continue
            red, _, blue, _ = colour_at(page, across, down)
            assert (blue > red) == (said > 0.0), (across, down, said)
            tried += 1
    assert tried > 8


def test_an_input_may_be_typed_or_clicked(plane: Run, opened: Opener) -> None:
    page = opened(plane.path)
    page.locator("#fields input").first.fill("0.3")
    page.locator("#fields input").last.fill("-0.7")
    assert numbers_in(page, "#outputs") == pytest.approx(
        plane.model.predict([[0.3, -0.7]]).tolist(), rel=1e-5
    )
    assert page.inner_text("#example") == "your input"
    bounds = page.locator("#region").bounding_box()
    page.locator("#region").click(position={"x": bounds["width"] / 4, "y": bounds["height"] / 2})
    low, size = corner(plane.data)
    found = [float(x.input_value()) for x in page.locator("#fields input").all()]
    assert found == pytest.approx((low + size * [0.25, 0.5]).tolist(), abs=0.02)


def test_every_canvas_says_what_it_shows(plane: Run, picture: Run, opened: Opener) -> None:
    for run in (plane, picture):
        page = opened(run.path)
        canvases = page.locator("canvas:visible").all()
        assert len(canvases) > 1
        for canvas in canvases:
            named = canvas.get_attribute("aria-label") or canvas.get_attribute("aria-labelledby")
            assert named
            assert canvas.get_attribute("role") in ("img", "application")


# ---------------------------------------------------------------------- images


def pixels(page: Any) -> np.ndarray:
    """Return the network's input image, read from its canvas."""
    found = page.evaluate(
        """() => {
          const canvas = document.getElementById("image");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return [...data].filter((_, i) => i % 4 === 0);
        }"""
    )
    return np.array(found) / 255.0


def draw(page: Any, strokes: list[list[tuple[float, float]]]) -> None:
    """Draw strokes on the pad, given as fractions of its width and height."""
    page.locator("#pad").scroll_into_view_if_needed()
    pad = page.locator("#pad").bounding_box()
    for stroke in strokes:
        for i, (x, y) in enumerate(stroke):
            page.mouse.move(pad["x"] + x * pad["width"], pad["y"] + y * pad["height"], steps=3)
            if i == 0:
                page.mouse.down()
        page.mouse.up()


@pytest.mark.parametrize(
    ("strokes", "answer"),
    [([[(0.3, 0.1), (0.3, 0.9)]], "upright"), ([[(0.2, 0.6), (0.9, 0.6)]], "lying")],
)
def test_what_is_drawn_is_what_the_model_answers(
    picture: Run, opened: Opener, strokes: Any, answer: str
) -> None:
    page = opened(picture.path)
    draw(page, strokes)
    outputs = picture.model.predict([pixels(page) * picture.data[0].max()])[0]
    assert numbers_in(page, "#outputs") == pytest.approx(outputs.tolist(), rel=1e-4, abs=1e-5)
    assert page.inner_text("#answer").startswith(f"It says {answer}, ")
    assert ["lying", "upright"][outputs.argmax()] == answer
    assert page.inner_text("#example") == "your drawing"


def test_a_drawing_is_as_large_as_the_examples_and_in_the_middle(
    picture: Run, opened: Opener
) -> None:
    page = opened(picture.path)
    draw(page, [[(0.1, 0.1), (0.1, 0.4)]])  # small and in a corner
    image = pixels(page).reshape(8, 8)
    inked = np.argwhere(image > 0.1)
    assert np.ptp(inked[:, 0]) + 1 == 8
    middle = (image.sum(0) * (np.arange(8) + 0.5)).sum() / image.sum()
    assert middle == pytest.approx(4.0, abs=0.1)


def test_a_cleared_pad_shows_nothing(picture: Run, opened: Opener) -> None:
    page = opened(picture.path)
    draw(page, [[(0.3, 0.1), (0.3, 0.9)]])
    assert pixels(page).any()
    page.click("#clear")
    assert not pixels(page).any()
    outputs = picture.model.predict([np.zeros(64)])[0]
    assert numbers_in(page, "#outputs") == pytest.approx(outputs.tolist(), rel=1e-4, abs=1e-5)


def test_a_drawing_by_keys(picture: Run, opened: Opener) -> None:
    page = opened(picture.path)
    page.locator("#pad").focus()
    press(page, "ArrowUp", 8)
    assert page.inner_text("#pen") == "pen up, 14 from the left, 6 from the top"
    mark = page.locator("#pen-mark").evaluate("mark => [mark.style.left, mark.style.top]")
    assert [float(at.rstrip("%")) for at in mark] == pytest.approx([50.0, 600 / 28], rel=1e-4)
    press(page, " ")
    press(page, "ArrowDown", 16)
    assert page.inner_text("#answer").startswith("It says upright")
    assert epoch(page) == "epoch 4 of 4", "on the pad the keys draw and do not play"
    press(page, " ")
    assert page.inner_text("#pen").startswith("pen up")
    page.click("#clear")
    assert page.evaluate(
        "document.getElementById('pad').getContext('2d').getImageData(0, 0, 280, 280)"
        ".data.every((x, i) => i % 4 === 3 || x === 0)"
    )


def test_examples_and_mistakes_are_turned_over(picture: Run, opened: Opener) -> None:
    page = opened(picture.path, "#epoch=0")
    X, y = picture.data
    page.click("#example-before")
    assert page.inner_text("#example") == f"example 30 of 30: it is {['lying', 'upright'][y[29]]}"
    page.click("#example-after")
    assert pixels(page) * X.max() == pytest.approx(X[0], abs=1 / 255)
    untrained = nn.MLP(64, [5, 2], seed=0)
    wrong = np.flatnonzero(untrained.predict(X).argmax(1) != y)
    wrong = wrong[wrong > 0]
    page.click("#mistake")
    assert page.inner_text("#example").startswith(f"example {wrong[0] + 1} of 30")


def test_where_nothing_is_wrong_there_is_no_mistake(
    picture: Run, tmp_path: Path, opened: Opener
) -> None:
    X, _ = picture.data
    said = picture.model.predict(X).argmax(1)
    page = opened(picture.model.save_html(tmp_path / "page.html", data=(X, said)))
    page.click("#mistake")
    assert page.inner_text("#example") == "The network is right on all 30 examples here."


def test_the_first_layers_weights_are_images(picture: Run, opened: Opener) -> None:
    page = opened(picture.path)
    assert page.locator("#heats canvas").count() == 5
    found = page.locator("#heats canvas").first.evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(0, 0, 8, 8).data]"
    )
    colours = np.array(found).reshape(64, 4)
    w = np.array([p.data for p in picture.model.parameters()[:64]])
    strong = abs(w) > 0.3 * abs(w).max()
    assert ((colours[:, 2] > colours[:, 0]) == (w > 0))[strong].all()


# ---------------------------------------------------------------------- other networks


def test_neurons_and_weights_have_the_names_that_the_model_gives_them(
    plane: Run, opened: Opener
) -> None:
    page = opened(plane.path)
    page.hover('[data-neuron="2,1"]')
    neuron = plane.model.layers[1].neurons[1]
    plane.model([0.0, 0.0])
    assert page.inner_text("#neuron h2") == f"Neuron {neuron.a.label}"
    rows = page.locator("#neuron tbody th").all_inner_texts()
    assert rows == [w.label for w in neuron.w]
    assert "Σ w·a1, a = tanh(z)" in page.inner_text("#neuron .formula")


def test_gradients_are_those_of_the_epoch_also_before_training(plane: Run, opened: Opener) -> None:
    page = opened(plane.path)
    page.click("#gradients")
    now = page.inner_text("#cost")
    press(page, "Home")
    assert page.inner_text("#cost") != now
    assert page.get_attribute("#gradients", "aria-pressed") == "true"


def test_what_is_typed_and_is_no_number_is_said(plane: Run, opened: Opener) -> None:
    page = opened(plane.path)
    field = page.locator("#fields input").first
    field.fill("abc")
    assert field.get_attribute("aria-invalid") == "true"
    assert page.inner_text("#example") == "“abc” is not a number: write it like 0.25 or -3."
    field.fill("0.5")
    assert field.get_attribute("aria-invalid") == "false"


def test_what_was_trained_to_give_numbers_is_shown_as_numbers(
    tmp_path: Path, opened: Opener
) -> None:
    model = nn.MLP(2, [3, 1], "tanh", seed=0)
    X = np.random.default_rng(0).normal(size=(12, 2))
    history = trained(model, nn.mse_loss, X, np.where(X[:, 0] > 0, 5, 7), epochs=2)
    for data in (None, (X, np.where(X[:, 0] > 0, 5, 7))):
        page = opened(model.save_html(tmp_path / "page.html", history=history, data=data))
        assert "sure" not in page.inner_text("main")
        assert page.inner_text("#answer").startswith("It says ")


def test_long_names_stay_in_their_place(tmp_path: Path, opened: Opener) -> None:
    names = ["a very long class name indeed", "Supercalifragilistic", "Ankle boot"]
    path = nn.MLP(2, [3, 3], seed=0).save_html(tmp_path / "page.html", classes=names)
    for width in (320, 1280):
        page = opened(path, viewport={"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_other_inputs_are_shown_too(tmp_path: Path, opened: Opener) -> None:
    X = np.random.default_rng(0).normal(size=(12, 5))
    y = X.sum(1)
    model = nn.MLP(5, [20, 1], "elu", seed=0)
    history = trained(model, nn.mse_loss, X, y, 2)
    page = opened(model.save_html(tmp_path / "page.html", history=history, data=(X, y)))
    assert page.locator("#region").is_hidden()
    assert page.locator("#views").is_hidden()
    assert numbers_in(page, "#outputs") == pytest.approx(model.predict(X[:1]), rel=1e-5)
    assert page.inner_text("#answer").startswith("It says ")
    assert "⋮ 4 more" in page.locator("#columns").text_content()


@pytest.mark.parametrize("name", nn.ACTIVATIONS)
def test_every_activation_is_computed_as_the_engine_does(
    name: str, tmp_path: Path, opened: Opener
) -> None:
    X = np.random.default_rng(2).normal(size=(6, 3)) * [1.0, 5.0, 30.0]
    model = nn.Sequential(nn.Layer(3, 4, name, seed=0), nn.Dropout(0.5), nn.Layer(4, 2, seed=1))
    page = opened(model.save_html(tmp_path / "page.html", data=(X, [0, 1] * 3)))
    for row in X:
        assert numbers_in(page, "#outputs") == pytest.approx(
            model.eval().predict([row])[0].tolist(), rel=1e-5, abs=1e-6
        )
        page.click("#example-after")


def test_without_history_and_data_it_shows_the_weights_as_they_are(
    tmp_path: Path, opened: Opener
) -> None:
    model = nn.MLP(2, [3, 3], output="softmax", seed=0)
    page = opened(model.save_html(tmp_path / "page.html", classes=["a", "b", "c"]))
    assert page.locator("#player").is_hidden()
    assert page.locator("#losses").is_hidden()
    assert page.locator("#examples").is_hidden()
    assert page.inner_text("#kinds").split() == ["a", "b", "c"]
    page.locator("#fields input").first.fill("1")
    assert numbers_in(page, "#outputs") == pytest.approx(
        model.predict([[1.0, 0.0]])[0].tolist(), rel=1e-5
    )


def test_a_single_neuron_is_a_network(tmp_path: Path, opened: Opener) -> None:
    neuron = nn.Neuron(2, "sigmoid", seed=0)
    page = opened(neuron.save_html(tmp_path / "page.html", classes=["no", "yes"]))
    assert "yes if > 0.5" in page.locator("#columns").text_content()


def test_weights_that_are_no_numbers_are_said(tmp_path: Path, opened: Opener) -> None:
    model = nn.MLP(2, [3, 2], seed=0)
    model.parameters()[0].data = float("nan")
    page = opened(model.save_html(tmp_path / "page.html"))
    assert "Some weights are not finite numbers" in page.inner_text("#warning")
    assert page.inner_text("#answer") == "No answer: an output is not a number"


# ---------------------------------------------------------------------- for everyone


def test_a_label_runs_nothing(tmp_path: Path, opened: Opener) -> None:
    model = nn.MLP(2, [2, 2], seed=0)
    path = model.save_html(tmp_path / "page.html", classes=[HOSTILE, "b"], title=HOSTILE)
    page = opened(path)
    assert page.inner_text("h1") == f"Inside {HOSTILE}"
    assert page.title() == HOSTILE
    assert HOSTILE in page.inner_text("#kinds")
    assert page.locator("script").count() == 2


@pytest.mark.parametrize(("width", "scheme"), screens(320, 1280, 3840))
def test_nothing_is_in_the_way_of_anyone(
    width: int, scheme: str, plane: Run, picture: Run, opened: Opener
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    for run in (plane, picture):
        page = opened(run.path, viewport={"width": width, "height": 900}, color_scheme=scheme)
        focus(page, 1, 0)
        page.click("#gradients")
        assert violations(Axe().run(page)) == []
        overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0


def test_it_prints_dark_on_bright(plane: Run, opened: Opener) -> None:
    page = opened(plane.path, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("#player").is_hidden()


def test_canvases_follow_the_theme(plane: Run, opened: Opener) -> None:
    page = opened(plane.path, color_scheme="light")
    light = sum(colour_at(page, 0.5, 0.5)[:3])
    page.click("#theme")
    assert sum(colour_at(page, 0.5, 0.5)[:3]) != light


# ---------------------------------------------------------------------- what is refused


class Skipping(nn.Module):
    """A network whose second layer also reads the inputs, so that it is not sequential."""

    def __init__(self) -> None:
        self.first, self.second = nn.Layer(2, 2, seed=0), nn.Layer(2, 2, seed=1)

    def forward(self, x: Any) -> Any:
        return [a + xi for a, xi in zip(self.second(self.first(x)), x)]


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (nn.Dropout(0.5), {}, "there is no Layer and no Neuron"),
        (Skipping(), {}, "but Skipping.* computes something else"),
        (nn.MLP(2, [2]), {"data": ([[1.0]], [0])}, "X has 1 columns, and the model takes 2 inputs"),
        (nn.MLP(2, [2]), {"data": ([[1.0, 2.0]], [5])}, "class 5 is outside the 2 classes"),
        (
            nn.MLP(1, [2]),
            {"loss": nn.mse_loss, "data": ([[1.0]], [0.5])},
            r"y has shape \(1,\), and loss needs 2 target\(s\)",
        ),
        (
            nn.MLP(1, [2]),
            {"loss": lambda a, y: a[0] * a[1].data, "data": ([[1.0]], [0])},
            "the page cannot compute this loss: `.data` of .* is read",
        ),
        (nn.MLP(2, [2]), {"classes": ["a"]}, "tell 2 classes apart, and there are 1 names"),
        (nn.MLP(2, [2]), {"shape": (-1, -2)}, "shape"),
        (nn.MLP(2, [2]), {"shape": (3, 3)}, "an image of 3 × 3 pixels does not fit 2 inputs"),
        (
            nn.MLP(1, [1]),
            {"data": ([[1.0]], [0.5]), "classes": ["a", "b"]},
            "classes are to be told apart, but y has numbers such as 0.5",
        ),
        (
            nn.MLP(2, [2]),
            {"history": trained(nn.MLP(1, [1], seed=0), nn.mse_loss, [[1.0]], [1.0], 1)},
            "the history is of a model of 2 parameters, and this one has 6",
        ),
    ],
)
def test_what_does_not_fit_is_refused(
    model: nn.Module, options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        model.save_html(tmp_path / "page.html", **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"history": [nn.History()]}, "history is what trainer.fit\\(\\) returned, got \\["),
        ({"loss": "mse"}, "loss is the cost of one example, a function of .*; got 'mse'"),
        ({"shape": 7}, "shape is a pair \\(rows, columns\\), as in \\(28, 28\\); got 7"),
    ],
)
def test_what_is_of_another_kind_is_refused(
    options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(TypeError, match=message):
        nn.MLP(2, [2], seed=0).save_html(tmp_path / "page.html", **options)
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        nn.MLP(2, [2]).save_html(tmp_path / "file" / "page.html")


@pytest.mark.slow
def test_a_page_of_a_recogniser_can_be_mailed(tmp_path: Path) -> None:
    X = np.random.default_rng(0).integers(0, 256, (400, 784)) / 255.0
    model = nn.MLP(784, [16, 16, 10], seed=0)
    history = trained(model, nn.cross_entropy, X[:8], [0, 1] * 4, 20)
    path = model.save_html(tmp_path / "page.html", history=history, data=(X, [0, 1] * 200))
    assert Path(path).stat().st_size < 4_000_000


def test_lines_of_other_neurons_step_back(plane: Run, opened: Opener) -> None:
    page = opened(plane.path)
    focus(page, 2, 1)
    assert page.locator(".weight").count() == 8 + 12 + 3
    assert page.locator(".weight:not(.far)").count() == 4 + 1


def test_a_circle_is_as_bright_as_its_neuron_is_active(plane: Run, opened: Opener) -> None:
    page = opened(plane.path)
    plane.model(plane.data[0][0])
    for j, neuron in enumerate(plane.model.layers[0].neurons):
        circle = page.locator(f'[data-neuron="1,{j}"] circle')
        level = float(circle.get_attribute("fill").split()[1])
        assert level == pytest.approx(30 + 225 * (neuron.a.data + 1) / 2, abs=1.0)


def test_the_pixels_in_the_drawing_are_framed_in_the_picture(
    tmp_path: Path, opened: Opener
) -> None:
    page = opened(nn.MLP(64, [2], seed=0).save_html(tmp_path / "page.html", shape=(2, 32)))
    first = page.locator(".neuron[data-name]").first
    assert first.get_attribute("data-name") == "x[40] = 0"
    style = page.locator("#row-mark").evaluate("({ style }) => style")
    assert [style[side] for side in ("left", "top", "width", "height")] == [
        "25%", "50%", "50%", "50%",
    ]  # fmt: skip


def test_a_neuron_of_many_weights_shows_those_that_add_most(picture: Run, opened: Opener) -> None:
    page = opened(picture.path)
    focus(page, 1, 0)
    added = np.array(numbers_in(page, "#neuron tbody")).reshape(16, -1)[:, 2]
    w = np.array([p.data for p in picture.model.layers[0].neurons[0].w])
    wanted = np.sort(abs(w * picture.data[0][0]))[::-1][:16]
    assert abs(added) == pytest.approx(wanted, rel=1e-2, abs=1e-3)


def test_a_neuron_that_is_never_active_is_called_dead(tmp_path: Path, opened: Opener) -> None:
    model = nn.MLP(2, [2, 1], seed=0)
    model.layers[0].neurons[1].b.data = -100.0
    page = opened(model.save_html(tmp_path / "page.html"))
    assert "a1[1]: dead" in page.locator("figcaption").all_inner_texts()


def test_of_many_outputs_the_largest_are_shown(tmp_path: Path, opened: Opener) -> None:
    model = nn.MLP(2, [14], seed=0)
    page = opened(model.save_html(tmp_path / "page.html", data=([[0.5, -0.5]], [0])))
    wanted = np.sort(model.predict([[0.5, -0.5]])[0])[::-1][:12]
    assert numbers_in(page, "#outputs") == pytest.approx(wanted.tolist(), rel=1e-4, abs=1e-6)
    assert page.locator("#outputs .best").count() == 1
    assert page.locator("#outputs li").first.get_attribute("class") == "best"


def test_the_loss_says_how_outputs_are_read(tmp_path: Path) -> None:
    model, data = nn.MLP(2, [3, 1], seed=0), ([[0.9, -0.4]], [1])
    found = contents(model, tmp_path, data=data, loss=nn.hinge_loss)
    assert (found["answers"]["names"], found["sure"]) == (["-1", "1"], "")
    found = contents(model, tmp_path, data=data, loss=nn.mse_loss, classes=["no", "yes"])
    assert found["answers"]["kind"] == "sides"  # y has one of them only: the names say more
    assert "Assumed" in found["sure"]


@pytest.mark.parametrize(
    ("output", "share", "said"),
    [
        (
            "identity",
            lambda a: 1 / (1 + np.exp(-a)),
            "The bar shows how sure it is of 1: σ of the output. Assumed, for no cost is known: an "
            "output above 0 is a yes, as of scores and logits.",
        ),
        (
            "sigmoid",
            lambda a: a,
            "The bar shows how sure it is of 1. Assumed, for no cost is known: an output above "
            "0.5 is a yes, as of the sigmoid of the last layer.",
        ),
    ],
)
def test_one_output_says_how_sure_it_is(
    output: str, share: Any, said: str, tmp_path: Path, opened: Opener
) -> None:
    model = nn.MLP(2, [3, 1], output=output, seed=0)
    page = opened(model.save_html(tmp_path / "page.html", data=([[0.9, -0.4]], [1])))
    yes = share(model.predict([[0.9, -0.4]])[0])
    assert page.get_attribute("#outputs .bar-of", "title") == f"{100 * yes:.1f} %"
    answer = f"It says {int(yes > 0.5)}, {100 * max(yes, 1 - yes):.1f} % sure"
    assert page.inner_text("#answer") == answer
    assert page.inner_text("#sure") == said


def test_nothing_of_a_drawing_is_cut_off(plane: Run, picture: Run, opened: Opener) -> None:
    page = opened(picture.path)
    ink = [255, *[0] * 8, 51]
    found = page.evaluate("ink => MODULES['centred.js'].centred(ink, 10, [1, 10], 10)", ink)
    assert found == ink


def test_the_pen_is_lifted_when_the_pad_is_left(picture: Run, opened: Opener) -> None:
    page = opened(picture.path)
    draw(page, [[(0.3, 0.1), (0.3, 0.9)]])
    page.locator("#pad").focus()
    press(page, "ArrowUp")
    assert page.inner_text("#pen").startswith("pen up")
    press(page, " ")
    press(page, "Tab")
    assert page.inner_text("#pen") == ""
    page.locator("#pad").focus()
    press(page, "ArrowUp")
    assert page.inner_text("#pen").startswith("pen up")


def test_canvases_follow_the_system_too(plane: Run, opened: Opener) -> None:
    page = opened(plane.path, color_scheme="light")
    light = colour_at(page, 0.5, 0.5)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "light => document.getElementById('region').getContext('2d')"
        ".getImageData(360, 360, 1, 1).data[0] !== light",
        arg=light[0],
    )


def test_shares_are_percentages_and_the_curve_marks_the_epoch(plane: Run, opened: Opener) -> None:
    page = opened(plane.path, "#epoch=2")
    right = plane.history.validation_accuracies[1]
    assert right is not None
    assert f"validation accuracy {100 * right:.1f} %" in page.inner_text("#scores")
    assert float(page.locator("#curve .cursor").get_attribute("x1")) == 42 + 246 * 2 / 4


def test_examples_and_the_input_stand_in_the_plane(plane: Run, opened: Opener) -> None:
    page = opened(plane.path, color_scheme="light")
    low, size = corner(plane.data)
    X, y = plane.data
    across, down = (X[0] - low) / size * [1, -1] + [0, 1]
    assert colour_at(page, across, down)[:3] == [[0xC2, 0x4F, 0x00], [0x00, 0x67, 0xA5]][y[0]]
    ink = [0x1D, 0x1F, 0x23]
    assert colour_at(page, across + 18 / 720, down)[:3] == ink  # an arm of the cross


def test_the_surer_the_fuller_is_the_tint(tmp_path: Path, opened: Opener) -> None:
    neuron = nn.Neuron(2, "sigmoid", seed=0)
    for p, x in zip(neuron.parameters(), (4.0, 0.0, 0.0)):
        p.data = x
    page = opened(neuron.save_html(tmp_path / "page.html"), color_scheme="light")
    tints = [255 - colour_at(page, x, 0.05)[0] for x in (0.52, 0.7, 0.98)]
    assert tints[0] < tints[1] - 20 < tints[2] - 40


def test_what_is_typed_stays_as_it_is_typed(plane: Run, opened: Opener) -> None:
    page = opened(plane.path)
    field = page.locator("#fields input").first
    field.fill("")
    field.press_sequentially("0.50")
    assert field.input_value() == "0.50"
    page.click("#example-after")
    assert page.inner_text("#example").startswith("example 1 of 24")


def test_with_numbers_for_targets_there_is_no_mistake_to_find(
    tmp_path: Path, opened: Opener
) -> None:
    model = nn.MLP(5, [1], seed=0)
    page = opened(model.save_html(tmp_path / "page.html", data=([[0.1] * 5], [0.25])))
    assert page.locator("#examples").is_visible()
    assert page.locator("#mistake").is_hidden()


def test_the_images_are_of_gradients_where_the_lines_are(picture: Run, opened: Opener) -> None:
    page = opened(picture.path)
    assert page.is_visible("#views-key")
    page.click("#gradients")
    assert page.inner_text("#views-title") == "The gradients of the first layer as images"
    assert not page.is_visible("#views-key")  # they want nothing


def test_every_neuron_is_reached_by_tab(plane: Run, opened: Opener) -> None:
    assert opened(plane.path).locator('.neuron[tabindex="0"]').count() == 4 + 3 + 1


def contents(model: nn.Module, folder: Path, **options: Any) -> dict[str, Any]:
    """Return the data that the page contains."""
    path = Path(model.save_html(folder / "page.html", **options))
    found: dict[str, Any] = parts(path.read_text("utf-8"))["data"]
    return found


def test_of_many_examples_the_first_are_taken_in_the_range_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nn.picture.page.MOST_NUMBERS", 64 * 2)
    X = np.zeros((3, 64))
    X[0, 5], X[1, 6], X[2, 7] = 1.0, 2.0, 4.0
    found = contents(nn.MLP(64, [2], seed=0), tmp_path, data=(X, [0, 1, 0]))
    assert (found["examples"]["shown"], found["examples"]["of"]) == (2, 3)
    levels = np.frombuffer(base64.b64decode(found["examples"]["inputs"]), np.uint8)
    low, high = found["image"]["range"]
    assert low + levels / 255 * (high - low) == pytest.approx(X[:2].ravel(), abs=4 / 255)


def test_without_examples_a_drawing_fills_an_image_as_in_mnist(tmp_path: Path) -> None:
    assert contents(nn.MLP(784, [2], seed=0), tmp_path)["image"]["filled"] == pytest.approx(20)


def test_it_opens_at_the_last_moment_with_the_models_weights(tmp_path: Path) -> None:
    model = nn.MLP(2, [2], seed=0)
    weights = [p.data for p in model.parameters()]
    shots = [Snapshot.of(epoch, weights) for epoch in (0, 1)]
    assert contents(model, tmp_path, history=nn.History(snapshots=shots))["start"] == 1


def test_a_cost_that_is_no_number_is_a_gap_in_the_curve(tmp_path: Path) -> None:
    history = nn.History(losses=[0.5, float("nan")])
    found = contents(nn.MLP(2, [2], seed=0), tmp_path, history=history)
    assert found["curves"] == {"loss": [0.5, None]}


class Clipping(nn.Module):
    """A layer whose inputs are cut off at one."""

    def __init__(self) -> None:
        self.layer = nn.Layer(2, 2, "identity", seed=0)

    def forward(self, x: Any) -> Any:
        return self.layer([min(xi, 1.0) for xi in x])


class Leaning(nn.Module):
    """A layer that adds a little of the first input to each output."""

    def __init__(self) -> None:
        self.layer = nn.Layer(2, 2, "identity", seed=0)

    def forward(self, x: Any) -> Any:
        return [a + 1e-6 * x[0] for a in self.layer(x)]


def test_a_model_that_computes_almost_the_same_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="computes something else"):
        Leaning().save_html(tmp_path / "page.html")


def test_the_examples_are_computed_as_the_model_does(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="computes something else"):
        Clipping().save_html(tmp_path / "page.html", data=([[3.0, 3.0]], [0]))


def test_rows_that_add_up_to_one_by_a_negative_number_are_numbers() -> None:
    assert outputs_read(nn.MLP(2, [3]), 3, [[2.0, -1.0, 0.0]]).kind == "numbers"


def test_the_answer_stands_by_the_pad_on_a_phone_and_the_frame_is_explained(
    picture: Run, opened: Opener
) -> None:
    page = opened(picture.path, viewport={"width": 360, "height": 800})
    pad, answer = page.locator("#pad").bounding_box(), page.locator("#answer").bounding_box()
    assert 0 < answer["y"] - pad["y"] - pad["height"] < 150
    assert page.locator("#input #outputs li").count() == 2
    assert page.inner_text("#row-said") == (
        "The frame marks the pixels 32 to 47, which the drawing of the network shows as its "
        "inputs; all 64 go in."
    )
    page.set_viewport_size({"width": 1280, "height": 800})
    page.locator("#network #outputs").wait_for()


def test_sixteen_neurons_wrap_evenly_and_their_colours_have_a_scale(
    opened: Opener, tmp_path: Path
) -> None:
    model = nn.MLP(2, [16, 1], "tanh", seed=0)
    page = opened(model.save_html(tmp_path / "page.html"), viewport={"width": 1280, "height": 800})
    tops = [
        figure.bounding_box()["y"]
        for figure in page.locator(".heats").first.locator("figure").all()
    ]
    assert [tops.count(top) for top in sorted(set(tops))] == [8, 8]
    assert page.locator(".scale-bar").is_visible()
    bounds = [text.split("±") for text in page.locator("figcaption").all_inner_texts()]
    assert len(bounds) == 17
    assert all(0 < float(bound) <= 1 for _, bound in bounds[:16])


def test_the_names_of_the_inputs_are_shown_everywhere(opened: Opener, tmp_path: Path) -> None:
    model = nn.MLP(2, [3, 1], "tanh", seed=0)
    names = ["petal length", HOSTILE]
    page = opened(model.save_html(tmp_path / "page.html", features=names))
    assert page.locator("#columns .before").first.text_content() == "petal length"
    assert page.locator("#fields label").first.inner_text().strip() == "petal length"
    focus(page, 1, 0)
    assert "petal length = 0" in page.inner_text("#neuron")
    assert HOSTILE in page.inner_text("#neuron")
    assert "petal length" in str(page.get_attribute("#region", "aria-label"))
    assert "x[0]" not in page.inner_text("body")
    with pytest.raises(ValueError, match="features are 2 names, one for each input; got 1"):
        model.page(features=["a"])
