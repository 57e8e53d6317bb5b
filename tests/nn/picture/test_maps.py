"""Tests of drawings of networks on images: stacks of feature maps, windows, and what is refused."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import nn
from autograd import mean
from tests.elements import opened

X = np.arange(64.0).reshape(1, 8, 8) / 63.0


def network(outputs: int = 3, bias: float = 0.0) -> nn.Sequential:
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, seed=0),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(36, outputs, seed=0),
    )
    for b in model[0].bias:
        b.data = bias
    return model


def nodes(source: str) -> dict[str, dict[str, str]]:
    """Return the attributes of each node."""
    rows = re.findall(r"^\t(\w+) \[(.*)\]$", source, flags=re.MULTILINE)
    pattern = r'(\w+)=(?:"([^"]*)"|([^" ]+))'
    return {
        name: {key: quoted or plain for key, quoted, plain in re.findall(pattern, attributes)}
        for name, attributes in rows
    }


def greys(source: str, stage: int, channel: int) -> list[list[int]]:
    """Return the grey levels of a map, row by row."""
    found = nodes(source)
    count = sum(name.startswith(f"row{stage}_{channel}_") for name in found)
    rows = [found[f"row{stage}_{channel}_{row}"]["fillcolor"] for row in range(count)]
    return [[int(colour[1:3], 16) for colour in row.split(":")] for row in rows]


def box(node: dict[str, str]) -> tuple[float, float, float, float]:
    """Return the left, right, lower and upper side of a box."""
    across, up = map(float, node["pos"].rstrip("!").split(","))
    width, height = float(node["width"]), float(node["height"])
    return across - width / 2, across + width / 2, up - height / 2, up + height / 2


def test_each_stage_has_its_maps_its_module_and_its_shape() -> None:
    found = nodes(nn.draw(network()).source)
    for stage, channels in enumerate((1, 4, 4)):
        maps = {name for name in found if name.startswith(f"map{stage}_")}
        assert maps == {f"map{stage}_{channel}" for channel in range(channels)}
    shapes = [found[f"shape{stage}"]["label"] for stage in range(3)]
    assert shapes == ["(1, 8, 8)", "(4, 6, 6)", "(4, 3, 3)"]
    titles = [found[f"stage{stage}_0"]["label"] for stage in range(3)]
    assert titles == ["image", "Conv2d(1, 4, 3)", "MaxPool2d(2)"]
    assert found["stage1_1"]["label"] == "relu"
    assert found["title0"]["label"] == "Flatten(): 36"
    assert found["title1"]["label"] == "identity"


def test_maps_show_the_numbers_of_the_example() -> None:
    model = network(bias=0.1)
    source = nn.draw(model, X).source
    image = X
    for stage, module in enumerate((None, nn.Sequential(*model.layers[:2]), model[2])):
        if module is not None:
            image = module.predict([image])[0]
        share = (image - min(0.0, image.min())) / (image.max() - min(0.0, image.min()))
        for channel, numbers in enumerate(share):
            assert greys(source, stage, channel) == np.rint(30 + 225 * numbers).tolist()
    assert nodes(source)["n0_0"]["label"] == f"{image[0, 0, 0]:.2f}"
    outputs = model.predict([X])[0]
    assert float(nodes(source)["n1_2"]["label"]) == pytest.approx(outputs[2], abs=0.005)
    assert nodes(source)["class2"]["label"] == "2"


def test_without_an_example_maps_are_empty() -> None:
    source = nn.draw(network()).source
    assert "row1_0_0" not in nodes(source)
    assert "striped" not in source


def test_the_window_is_where_the_pixel_comes_from() -> None:
    found = nodes(nn.draw(network()).source)
    left, right, _, high = box(found["map0_0"])
    size = (right - left) / 8
    window = box(found["window1_0"])
    # the pixel at row 2, column 3 of 6 × 6 is made from rows 2 to 4, columns 3 to 5
    wanted = (left + 3 * size, left + 6 * size, high - 5 * size, high - 2 * size)
    assert window == pytest.approx(wanted, abs=0.002)
    left, right, _, high = box(found["map1_0"])
    size = (right - left) / 6
    wanted = (left + 3 * size, left + 4 * size, high - 3 * size, high - 2 * size)
    assert box(found["pixel1"]) == pytest.approx(wanted, abs=0.002)


def test_a_convolution_reads_all_maps_and_pooling_reads_one() -> None:
    model = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1, seed=0), nn.AvgPool2d(2))
    found = nodes(nn.draw(model, shape=(3, 4, 4)).source)
    windows = {name for name in found if name.startswith("window")}
    assert windows == {"window1_0", "window1_1", "window1_2", "window2_0"}


def test_a_window_ends_at_the_edge_of_the_image() -> None:
    found = nodes(nn.draw(nn.Conv2d(1, 1, 5, padding=2, seed=0), shape=(1, 2, 2)).source)
    assert box(found["window1_0"]) == pytest.approx(box(found["map0_0"]))


def test_maps_do_not_overlap_each_other() -> None:
    model = nn.Sequential(
        nn.Conv2d(1, 20, 5, stride=2, seed=0), nn.Tanh(), nn.Conv2d(20, 3, 1, seed=0)
    )
    source = nn.draw(model, shape=(1, 28, 28)).source
    boxes = [box(node) for name, node in nodes(source).items() if name.startswith("map")]
    assert len(boxes) == 1 + 16 + 3
    assert nodes(source)["hidden1"]["label"] == "⋮ 4 more"
    for i, (left, right, low, high) in enumerate(boxes):
        for other in boxes[:i]:
            apart = left >= other[1] or other[0] >= right or low >= other[3] or other[2] >= high
            assert apart


def test_a_dropout_has_no_stage_and_a_function_has_one() -> None:
    def averages(image: Any) -> Any:
        return [mean([pixel for row in channel for pixel in row]) for channel in image]

    model = nn.Sequential(
        nn.Conv2d(1, 2, 3, seed=0), nn.Dropout(), averages, nn.Dropout(), nn.Linear(2, 2, seed=0)
    )
    found = nodes(nn.draw(model, X).source)
    assert "shape2" not in found
    assert found["title0"]["label"] == "averages: 2"
    means = nn.Sequential(model[0], averages).predict([X])[0]
    assert float(found["n0_1"]["label"]) == pytest.approx(means[1], abs=0.005)


def test_nested_networks_and_a_neuron_are_drawn() -> None:
    body = nn.Sequential(nn.Conv2d(1, 2, 3, seed=0), nn.ReLU())
    source = nn.draw(nn.Sequential(body, nn.Flatten(), nn.Neuron(72, seed=0)), X).source
    found = nodes(source)
    assert found["stage1_1"]["label"] == "relu"
    assert "n1_0" in found
    assert "n2_0" not in found


def signals() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(2, 3, 3, stride=2, padding=1, seed=0),
        nn.Tanh(),
        nn.Conv1d(3, 4, 2, seed=1),
        nn.Flatten(),
        nn.Linear(12, 2, seed=2),
    )


def test_signals_have_maps_of_one_row() -> None:
    x = np.linspace(-1.0, 1.0, 14).reshape(2, 7)
    model = signals()
    source = nn.draw(model, x).source
    found = nodes(source)
    shapes = [found[f"shape{stage}"]["label"] for stage in range(3)]
    assert shapes == ["(2, 7)", "(3, 4)", "(4, 3)"]
    assert found["stage0_0"]["label"] == "signal"
    image = nn.Sequential(*model.layers[:2]).predict([x])[0]
    for channel in range(3):
        wanted = np.rint(30 + 225 * (image[channel] + 1.0) / 2.0)  # tanh: from −1 to 1
        assert greys(source, 1, channel) == [wanted.tolist()]
    left, right, low, high = box(found["map0_0"])
    size = (right - left) / 7
    assert high - low == pytest.approx(size, abs=0.002)
    # the number at place 2 of 4 is made from places 3 to 5
    window = (left + 3 * size, left + 6 * size, low, high)
    assert box(found["window1_0"]) == pytest.approx(window, abs=0.002)
    assert nodes(nn.draw(signals(), shape=(2, 8)).source)["shape0"]["label"] == "(2, 8)"
    with pytest.raises(ValueError, match=r"fits lengths 7, 8: .* as in shape=\(2, 8\)"):
        nn.draw(signals())
    with pytest.raises(ValueError, match=r"x is one signal, shape \(channels, length\); got"):
        nn.draw(signals(), x[None])


def test_a_drawing_leaves_the_labels_of_the_model_alone() -> None:
    model = nn.Sequential(*(nn.Linear(1, 1, seed=0) for _ in range(2)), network()[4])
    before = model[2].neurons[0].b.label
    nn.draw(nn.Sequential(*network().layers[:4], model[2]))
    nn.draw(network())
    assert model[2].neurons[0].b.label == "b2[0]"
    assert before == "b3[0]"


@pytest.mark.parametrize("format", ["svg", "png", "pdf"])
def test_it_renders(format: str) -> None:
    start = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[format]
    assert nn.draw(network(), X, format=format).pipe().startswith(start)


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (network(), (1, 8, 8)),  # 9 × 9 would give 36 inputs, too
        (nn.Sequential(nn.Conv2d(2, 3, 3), nn.Flatten(), nn.Linear(27, 1)), (2, 5, 5)),
        (nn.Sequential(nn.MaxPool2d(4), nn.Flatten(), nn.Linear(49, 1)), (1, 28, 28)),
    ],
)
def test_the_shape_that_fits_is_found(model: nn.Module, shape: tuple[int, ...]) -> None:
    assert nodes(nn.draw(model).source)["shape0"]["label"] == str(shape)


def test_a_notebook_shows_the_maps() -> None:
    shown = network()._repr_html_()
    assert shown is not None
    assert "(4, 6, 6)" in opened(shown)


class Apart(nn.Module):
    def __init__(self) -> None:
        self.filters, self.layer = nn.Conv2d(1, 1, 3), nn.Linear(36, 2)


@pytest.mark.parametrize(
    ("model", "settings", "message"),
    [
        (nn.Conv2d(1, 2, 3), {}, r"fits images of any size: give .* as in shape=\(1, 8, 8\)"),
        (
            nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4, 1)),
            {},
            "squares of sides 4, 5",
        ),
        (nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(7, 1)), {}, "fits no square"),
        (network(), {"shape": (1, 8)}, r"shape is \(channels, height, width\)"),
        (network(), {"shape": (1, 9, 12)}, r"takes 36 inputs, and for .*\(1, 9, 12\).* \(60,\)"),
        (
            nn.Sequential(nn.Conv2d(1, 1, 3), nn.Linear(36, 2)),
            {"shape": (1, 8, 8)},
            r"before it has shape \(1, 6, 6\): put Flatten\(\) before it",
        ),
        (network(), {"shape": (2, 8, 8)}, "takes 1 channel"),
        (network(), {"x": X[0]}, r"x is one image, shape \(channels, height, width\); got"),
        (network(), {"x": X[:, :7, :5]}, "takes 36 inputs, and for"),
        (network(), {"classes": ["a"]}, "there are 3 outputs and 1 names"),
        (network(), {"by": "gradient"}, "there is no gradient to draw yet"),
        (nn.Conv2d(1, 2, 3), {"x": X, "classes": ["a", "b"]}, "ends in feature maps"),
        (Apart(), {"x": X}, "is shown if it is a Sequential of its modules"),
        (
            nn.Sequential(nn.Linear(2, 2), nn.Conv2d(1, 1, 1)),
            {"x": X},
            "layers of neurons come last",
        ),
        (nn.Sequential(nn.Conv2d(1, 1, 1), lambda x: x[0]), {"x": X}, r"shape \(8, 8\): what is"),
        (nn.MLP(2, [1]), {"shape": (1, 8, 8)}, "shape is that of images, and MLP takes none"),
    ],
)
def test_what_does_not_fit_is_refused(
    model: nn.Module, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        nn.draw(model, **settings)
