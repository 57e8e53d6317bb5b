"""Tests of the drawing of a network: its circles, its lines, and what is left out."""

from __future__ import annotations

import re
from typing import Any

import pytest

import nn

MODEL = nn.MLP(2, [2, 1], seed=0)
MODEL.load_state_dict(
    {
        "layers.0.weight": [[1.0, -2.0], [0.0, 0.5]],
        "layers.0.bias": [0.0, 0.0],
        "layers.1.weight": [[4.0, -1.0]],
        "layers.1.bias": [0.0],
    }
)


def lines(source: str) -> dict[tuple[str, str], dict[str, str]]:
    found = {}
    for tail, head, attributes in re.findall(r"(n\d_\d+) -> (n\d_\d+) \[(.*)\]", source):
        found[tail, head] = dict(re.findall(r'(\w+)="?([^" ]+)"?', attributes))
    return found


def circles(source: str) -> dict[str, dict[str, str]]:
    rows = re.findall(r"^\t(n\d_\d+) \[(.*)\]$", source, flags=re.MULTILINE)
    return {name: dict(re.findall(r'(\w+)="?([^" ]*)"?', attributes)) for name, attributes in rows}


def test_a_line_for_each_weight_by_sign_and_size() -> None:
    drawn = lines(nn.draw(MODEL).source)
    assert len(drawn) == 6
    assert drawn["n0_0", "n1_0"]["style"] == "solid"
    assert drawn["n0_1", "n1_0"]["style"] == "dashed"
    assert drawn["n0_0", "n1_0"]["color"][:7] == "#0072B2"
    assert drawn["n0_1", "n1_0"]["color"][:7] == "#D55E00"
    widths = [float(drawn[f"n0_{i}", f"n1_{j}"]["penwidth"]) for i, j in ((0, 1), (1, 1), (0, 0))]
    assert widths == sorted(widths)
    assert float(drawn["n0_1", "n1_0"]["penwidth"]) > widths[-1]


def with_biases() -> nn.Neuron:
    neuron = nn.Neuron(2, "step")
    neuron.load_state_dict({"w": [1.0, -2.0], "b": -1.5})
    return neuron


def test_a_bias_inside_its_neuron() -> None:
    source = nn.draw(with_biases(), bias="inside").source
    labels = {name: style["label"] for name, style in circles(source).items()}
    assert labels == {"n0_0": "0", "n0_1": "1", "n1_0": "−1.5"}
    assert "one0" not in source
    with pytest.raises(ValueError, match="a circle shows its bias or, with x, its activation"):
        nn.draw(with_biases(), [0.0, 1.0], bias="inside")


def test_a_bias_as_the_weight_of_an_input_that_is_one() -> None:
    source = nn.draw(with_biases(), [0.0, 1.0], bias="input").source
    assert re.search(r'^\tone0 \[label="= 1"', source, flags=re.MULTILINE)
    line = re.search(r"one0 -> n1_0 \[(.*)\]", source)
    assert line and "style=dashed" in line[1]
    thickness = float(re.findall(r"penwidth=([\d.]+)", line[1])[0])
    assert 0.15 < thickness < float(lines(source)["n0_1", "n1_0"]["penwidth"]), "|−1.5| < |−2|"
    assert "one0" not in nn.draw(with_biases()).source


def test_lines_by_gradient() -> None:
    MODEL.zero_grad()
    MODEL([1.0, 3.0]).backward()
    drawn = lines(nn.draw(MODEL, by="gradient").source)
    # only the second hidden neuron is on: ∂/∂v = (0, 1.5), ∂/∂W = (0, −1·x)
    assert drawn["n1_1", "n2_0"]["style"] == "solid"
    assert drawn["n0_1", "n1_1"]["style"] == "dashed"
    assert drawn["n0_1", "n1_0"]["penwidth"] == "0.15"


def test_brightness_is_the_activation() -> None:
    shown = circles(nn.draw(MODEL, [1.0, 3.0]).source)
    assert shown["n0_0"]["label"] == "1"
    assert shown["n1_0"] | {"label": "0", "fillcolor": "#1e1e1e"} == shown["n1_0"]
    assert shown["n1_1"] | {"label": "1.5", "fillcolor": "#ffffff"} == shown["n1_1"]
    assert shown["n2_0"]["label"] == "-1.5"
    assert "fillcolor" not in circles(nn.draw(MODEL).source)["n1_1"]
    assert shown["n1_1"]["tooltip"] == "1"


@pytest.mark.parametrize(("activation", "grey"), [("sigmoid", "#8e8e8e"), ("tanh", "#8e8e8e")])
def test_brightness_spans_the_range_of_the_activation(activation: str, grey: str) -> None:
    model = nn.MLP(1, [1], output=activation, init=lambda *_: 0.0, seed=0)
    assert circles(nn.draw(model, [1.0]).source)["n1_0"]["fillcolor"] == grey


def test_of_each_layer_two_neurons_are_shown_at_the_least() -> None:
    found = circles(nn.draw(nn.MLP(5, [4, 1], seed=0), max_neurons=2).source)
    assert {"n0_0", "n0_4", "n1_0", "n1_3", "n2_0"} == {name for name in found if name[0] == "n"}


def test_wide_layers_are_elided() -> None:
    source = nn.draw(nn.MLP(784, [16, 10], seed=0)).source
    assert "⋮ 768 more" in source
    assert source.count("more") == 2, "one node and its label"
    names = {name for name in circles(source) if name.startswith("n0_")}
    assert names == {f"n0_{i}" for i in [*range(8), *range(776, 784)]}
    assert len(lines(source)) == 16 * 16 + 16 * 10


def test_outputs_are_named() -> None:
    model = nn.MLP(1, [3], seed=0)
    assert all(f"class{j} [label={j}" in nn.draw(model, [0.0]).source for j in range(3))
    assert "class0" not in nn.draw(model).source
    source = nn.draw(model, classes=["cat", "<b>", "a\\N&b"]).source
    assert "&lt;b&gt;" in source
    assert b"a\\N&amp;b" in nn.draw(model, classes=["cat", "<b>", "a\\N&b"]).pipe("svg")


@pytest.mark.parametrize("format", ["svg", "png", "pdf"])
def test_it_renders(format: str) -> None:
    start = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[format]
    assert nn.draw(MODEL, [1.0, 3.0], format=format).pipe().startswith(start)


def test_dropout_and_functions_have_no_column() -> None:
    model = nn.Sequential(nn.Layer(2, 3, seed=0), nn.Dropout(), nn.Layer(3, 1, seed=0))
    assert "n3_0" not in nn.draw(model, [0.0, 1.0]).source


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"by": "colour"}, "by is one of weight, gradient; got 'colour'"),
        ({"max_neurons": 1}, "max_neurons is a whole number of at least 2"),
        ({"x": [1.0]}, r"takes 2 input\(s\), got 1"),
        ({"x": [[1.0, 2.0]]}, "x is one example, 2 numbers; got"),
        ({"x": [1.0, float("nan")]}, "is nan"),
        ({"classes": ["a", "b"]}, "there are 1 outputs and 2 names"),
    ],
)
def test_what_does_not_fit_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nn.draw(MODEL, **settings)


def test_layers_that_are_not_in_a_row_are_refused() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            self.left, self.right = nn.Layer(2, 3), nn.Layer(2, 3)

    with pytest.raises(ValueError, match="one takes 2 inputs, and what stands before it has 3"):
        nn.draw(Two())


def test_a_model_without_layers_is_refused() -> None:
    with pytest.raises(ValueError, match="no Layer and no Neuron in Dropout"):
        nn.draw(nn.Dropout())


def test_a_network_that_begins_with_flatten_takes_an_image() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, seed=0), nn.ReLU())
    image = [[[0.5, 1.0], [2.0, 0.0]]]
    assert nn.draw(model, image).source == nn.draw(model, [0.5, 1.0, 2.0, 0.0]).source


def test_a_neuron_alone_is_drawn() -> None:
    assert len(lines(nn.draw(nn.Neuron(3, seed=0)).source)) == 3


def test_a_neuron_behind_a_layer_is_drawn() -> None:
    model = nn.Sequential(nn.Layer(2, 3, seed=0), nn.Neuron(3, seed=0))
    assert "n2_0" in circles(nn.draw(model, [0.0, 1.0]).source)


def test_circles_have_their_numbers_and_lines_their_meaning() -> None:
    source = nn.draw(MODEL).source
    assert circles(source)["n1_1"]["label"] == "1"
    assert "lines as thick as |w|" in source


def test_a_weight_of_zero_is_neither() -> None:
    assert lines(nn.draw(MODEL).source)["n0_0", "n1_1"]["color"][:7] == "#707070"


def test_gradients_are_drawn_after_a_backward_pass() -> None:
    with pytest.raises(ValueError, match=r"no gradient to draw yet: call backward\(\)"):
        nn.draw(nn.MLP(2, [2, 1], seed=0), by="gradient")
    MODEL.zero_grad()
    MODEL([1.0, 3.0]).backward()
    assert "|∂C/∂w|" in nn.draw(MODEL, by="gradient").source


def test_numbers_that_are_none_are_shown() -> None:
    model = nn.MLP(1, [1], init=lambda *_: 1e200, seed=0)
    shown = circles(nn.draw(model, [1e200]).source)
    assert shown["n1_0"]["label"] == "inf"
    assert shown["n0_0"]["label"] == "1e+200"


def test_long_names_stand_beside_their_circles() -> None:
    source = nn.draw(nn.MLP(1, [2]), classes=["cat", "a very long class name"]).source
    places = [float(x) for x in re.findall(r"class\d .*pos=\"([\d.]+),", source)]
    half_widths = [0.036 * len("cat"), 0.036 * len("a very long class name")]
    for place, half in zip(places, half_widths):
        assert place - half > 2.2 + 0.19


def test_dropout_drops_nothing_in_a_drawing() -> None:
    model = nn.Sequential(nn.Layer(2, 4, "identity", seed=0), nn.Dropout(), nn.Layer(4, 1, seed=1))
    assert len({nn.draw(model, [1.0, -2.0]).source for _ in range(5)}) == 1


def test_each_column_has_its_own_range_and_title() -> None:
    model = nn.MLP(1, [1, 1], "tanh", output="sigmoid", init=lambda *_: 0.0, seed=0)
    source = nn.draw(model, [1.0]).source
    shown = circles(source)
    assert shown["n1_0"]["fillcolor"] == "#8e8e8e", "0 between −1 and 1"
    assert shown["n2_0"]["fillcolor"] == "#8e8e8e", "½ between 0 and 1"
    titles = re.findall(r"title\d \[label=(\w+)", source)
    assert titles == ["inputs", "tanh", "sigmoid"]


def test_numbers_can_be_read_on_their_circles() -> None:
    shown = circles(nn.draw(MODEL, [1.0, 3.0]).source)
    assert (shown["n1_0"]["fillcolor"], shown["n1_0"]["fontcolor"]) == ("#1e1e1e", "white")
    assert (shown["n1_1"]["fillcolor"], shown["n1_1"]["fontcolor"]) == ("#ffffff", "#222222")
