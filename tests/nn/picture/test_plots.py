"""Tests of plots: they show the numbers that they are given."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import nn
from autograd import Value
from nn import plots

X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
Y = [0, 0, 1, 1]


def up() -> nn.MLP:
    """Return a network that answers yes above the line x₁ = ½."""
    model = nn.MLP(2, [1])
    model.load_state_dict({"layers.0.weight": [[0.0, 1.0]], "layers.0.bias": [-0.5]})
    return model


def drawn(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=40)
    assert file.getvalue().startswith(b"\x89PNG")
    return file.getvalue()


def test_activations_are_dotted_where_they_are_nearly_flat() -> None:
    left, right = plots.activations(["sigmoid", "relu"], reach=6.0).axes
    for axes, at_two in (
        (left, {"sigmoid": 1 / (1 + np.exp(-2.0)), "relu": 2.0}),
        (right, {"sigmoid": np.exp(-2.0) / (1 + np.exp(-2.0)) ** 2, "relu": 1.0}),
    ):
        for name, solid, dotted in zip(at_two, axes.lines[0:4:2], axes.lines[1:4:2], strict=True):
            z, heights = map(np.asarray, solid.get_data())
            assert heights[list(z).index(2.0)] == pytest.approx(at_two[name])
            hidden = np.isnan(dotted.get_data()[1])
            assert (np.isnan(heights) == ~hidden).all(), "each point is on one of the two lines"
            flat = abs(z) > 2.89 if name == "sigmoid" else z <= 0.0  # σ′(2.89) = 0.05
            assert (hidden == ~flat).all()


LOOKS = [[[1.0, 0.0, 0.0], [0.25, 0.75, 0.0], [0.1, 0.2, 0.7]], np.eye(3).tolist()]


def test_attention_is_a_map_for_each_head() -> None:
    first, second = plots.attention(LOOKS, "ann", title="who looks where").axes
    assert np.asarray(first.images[0].get_array()).tolist() == LOOKS[0]
    assert np.asarray(second.images[0].get_array()).tolist() == LOOKS[1]
    for ticks in (first.get_xticklabels(), first.get_yticklabels()):
        assert [label.get_text() for label in ticks] == ["a", "n", "n"]
    assert "0.75" in [text.get_text() for text in first.texts]
    drawn(plots.attention(LOOKS, "ann"))


def test_attention_of_one_head_as_the_model_computes_it() -> None:
    rows = [[Value(x) for x in row[: i + 1]] for i, row in enumerate(LOOKS[0])]
    (axes,) = plots.attention(rows, ["<b>", "a", "n"]).axes
    assert np.asarray(axes.images[0].get_array()).tolist() == LOOKS[0], "later tokens have 0"
    assert axes.get_title() == "", "one head has no number"


def test_attention_of_many_tokens_has_no_numbers() -> None:
    (axes,) = plots.attention(np.eye(7), "abcdefg").axes
    assert not axes.texts


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.eye(2), "3 rows of 3 shares, or such rows for each head; got array"),
        ([[0.5], [0.5]], "3 rows of 3 shares"),
        ([], "3 rows of 3 shares"),
        (3.0, "3 rows of 3 shares"),
        ("ann", "3 rows of 3 shares"),
        (np.full((3, 3), np.nan), "3 rows of 3 shares"),
        (2.0 * np.eye(3), "which sum to 1 in each row: apply softmax first"),
        (1.5 * np.eye(3) - 0.25 * (1.0 - np.eye(3)), "apply softmax first"),
    ],
)
def test_what_is_no_attention(weights: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plots.attention(weights, "ann")


@pytest.mark.parametrize(
    ("names", "reach", "message"),
    [
        (["softmax"], 6.0, "softmax needs all weighted sums of a layer"),
        (["sigmoyd"], 6.0, "there is no activation 'sigmoyd'"),
        ([], 6.0, "names has from 1 to 6 activations, got 0"),
        (7 * ["tanh"], 6.0, "names has from 1 to 6 activations, got 7"),
        (["tanh"], 0.0, "reach is a positive number"),
    ],
)
def test_activations_that_have_no_curve(names: list[str], reach: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plots.activations(names, reach)


def test_curves_show_both_sets() -> None:
    history = nn.History(
        losses=[3.0, 1.0],
        accuracies=[0.5, 0.75],
        validation_losses=[4.0, 2.0],
        validation_accuracies=[0.25, 0.5],
    )
    cost, accuracy = history.plot().axes
    assert [list(np.asarray(line.get_ydata())) for line in cost.lines] == [[3.0, 1.0], [4.0, 2.0]]
    assert [list(np.asarray(line.get_ydata())) for line in accuracy.lines] == [
        [0.5, 0.75],
        [0.25, 0.5],
    ]
    drawn(history.plot())


def test_curves_of_a_regression_have_one_panel() -> None:
    assert len(nn.History(losses=[1.0], accuracies=[None]).plot().axes) == 1


def picture_in(axes: Any) -> np.ndarray:
    """Return the answers at the points of the grid, without those between them."""
    side = plots.FINER * (plots.GRID - 1) + 1
    picture = np.asarray(axes.collections[0].get_array()).reshape(side, side)
    return picture[:: plots.FINER, :: plots.FINER]


def test_decision_regions_are_what_the_model_says() -> None:
    figure = plots.decision_regions(up(), X, Y, title="up")
    (axes,) = figure.axes
    picture = picture_in(axes)
    assert not picture[:28].any()
    assert picture[-28:].all()
    line = np.asarray(axes.collections[1].get_paths()[0].vertices)
    np.testing.assert_allclose(line[:, 1], 0.5, atol=1e-9)
    drawn(figure)


def test_decision_regions_of_several_classes() -> None:
    model = nn.MLP(2, [3])
    model.load_state_dict({"layers.0.weight": [[0, 1], [0, -1], [9, 0]], "layers.0.bias": [0] * 3})
    (axes,) = plots.decision_regions(model, X, [0, 1, 2, 0]).axes
    picture = picture_in(axes)
    assert (picture[:, -1] == 2).all()
    assert picture[-1, 0] == 0


def test_heatmaps_show_each_neuron() -> None:
    model = nn.MLP(2, [3, 1], "tanh", seed=0)
    figure = plots.neuron_heatmaps(model, X)
    assert len(figure.axes) == 5  # the last is the scale
    assert [figure.axes[k].get_ylabel() for k in (0, 3)] == ["layer 1", "layer 2"]
    image = np.asarray(figure.axes[1].images[0].get_array())
    corner = X.min(0) - 0.12 * (X.max(0) - X.min(0))
    model(corner.tolist())
    assert image[0, 0] == pytest.approx(model.layers[0].neurons[1].a.data)
    drawn(figure)


def test_weights_as_images() -> None:
    layer = nn.Layer(6, 10, seed=0)
    figure = plots.weights_as_images(layer, (2, 3))
    image = figure.axes[9].images[0].get_array()
    assert np.asarray(image).ravel().tolist() == [w.data for w in layer.neurons[9].w]
    largest = max(abs(w.data) for neuron in layer.neurons for w in neuron.w)
    scales = {axes.images[0].get_clim() for axes in figure.axes[:10]}
    assert scales == {(-largest, largest)}, "all images have the scale of the colour bar"
    assert figure.axes[10].get_ylabel() == "weight"
    assert [axes.get_xlabel() for axes in figure.axes[:10]] == [
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "column →",
        "",
    ]
    dots = sum(len(np.asarray(axes.lines[0].get_xdata())) for axes in figure.axes[:10])
    negative = [w for neuron in layer.neurons for w in neuron.w if w.data < -0.2 * largest]
    assert dots == len(negative)
    drawn(figure)


def test_filters_and_the_maps_they_make() -> None:
    conv, image = nn.Conv2d(2, 3, 2, seed=0), np.random.default_rng(0).random((2, 4, 5))
    figure = plots.filters(conv, image, ["a", "b", "c"])
    shown = [np.asarray(axes.images[0].get_array()) for axes in figure.axes]
    np.testing.assert_array_equal(shown[0], image[0])
    np.testing.assert_array_equal(shown[1], image[1])
    maps = conv.predict(image[None])[0]
    for j, kernel in enumerate(conv.weight):
        for c, part in enumerate(kernel):
            assert shown[2 + 3 * j + c].tolist() == [[w.data for w in row] for row in part]
        np.testing.assert_allclose(shown[4 + 3 * j], maps[j])
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["the image", "", "a", "", "", "b", "", "", "c", "", ""]
    assert figure.axes[2].texts[0].get_text() == f"{conv.weight[0][0][0][0].data:.2g}".replace(
        "-", "−"
    )
    drawn(figure)


@pytest.mark.parametrize(("count", "side"), [(7, 3), (2, 4), (2, (2, 4))])
def test_many_or_large_filters_have_dots_and_no_numbers(count: int, side: Any) -> None:
    conv = nn.Conv2d(1, count, side, seed=0)
    figure = plots.filters(conv)
    assert len(figure.axes) == count
    assert not any(axes.texts for axes in figure.axes)
    for axes, kernel in zip(figure.axes, conv.weight):
        weights = np.array([[w.data for w in row] for row in kernel[0]])
        dots = len(np.asarray(axes.lines[0].get_xdata()))
        assert dots == (weights < -0.2 * abs(weights).max()).sum() > 0
    drawn(figure)


def test_a_negative_weight_has_a_true_minus_sign() -> None:
    conv = nn.Conv2d(1, 9, 1)
    conv.load_state_dict({"weight": np.full((9, 1, 1, 1), -1.0), "bias": np.zeros(9)})
    assert plots.filters(conv).axes[8].get_title() == "filter 8"
    one = nn.Conv2d(1, 1, 1)
    one.load_state_dict({"weight": [[[[-1.0]]]], "bias": [0.0]})
    assert plots.filters(one).axes[0].texts[0].get_text() == "−1"


def test_the_confusion_matrix_counts() -> None:
    figure = plots.confusion_matrix([0, 0, 1, 2], [0, 1, 1, 1], classes=["a", "b", "c"])
    (axes,) = figure.axes
    counts = {
        (int(t.get_position()[1]), int(t.get_position()[0])): t.get_text() for t in axes.texts
    }
    assert counts == {(0, 0): "1", (0, 1): "1", (1, 1): "1", (2, 1): "1"}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]
    drawn(figure)


def test_the_confusion_matrix_knows_classes_that_nobody_is() -> None:
    figure = plots.confusion_matrix([0, 1, 1], [0, 1, 0], ["setosa", "versicolor", "virginica"])
    labels = figure.axes[0].get_xticklabels()
    assert [label.get_text() for label in labels] == ["setosa", "versicolor", "virginica"]
    assert labels[0].get_rotation() == 45
    drawn(figure)


def test_a_class_that_is_not_there_keeps_its_colour() -> None:
    model = nn.MLP(2, [3])
    model.load_state_dict({"layers.0.weight": [[0, 0]] * 3, "layers.0.bias": [0, 9, 0]})
    (axes,) = plots.decision_regions(model, X, [0, 2, 0, 2]).axes
    assert (np.asarray(axes.collections[0].get_array()) == 1).all()
    assert [points.get_label() for points in axes.collections[1:]] == [
        *("class 0", "class 1", "class 2")
    ]
    drawn(plots.decision_regions(up(), [[5.0, 1e7]] * 2, [1, 1]))


@pytest.mark.parametrize(("activation", "half"), [("sigmoid", 0.5), ("step", 0.5), ("tanh", 0.0)])
def test_the_line_lies_where_the_activation_has_its_middle(activation: str, half: float) -> None:
    neuron = nn.Neuron(2, activation)
    neuron.load_state_dict({"w": [0.0, 1.0], "b": -0.5})
    (axes,) = plots.decision_regions(neuron, X, Y).axes
    picture = picture_in(axes)
    assert not picture[:28].any()
    assert picture[-28:].all()
    assert len(plots.neuron_heatmaps(neuron, X).axes) == 2


def test_one_epoch_is_a_point() -> None:
    assert nn.History(losses=[1.0], accuracies=[None]).plot().axes[0].lines[0].get_marker() == "o"


def test_a_path_of_descent() -> None:
    path = [(2.0, 2.0), (1.0, 0.5), (0.0, 0.0)]
    figure = plots.descent_path(lambda p, q: Value(p) ** 2 + q * q, {"careful": path})
    (axes,) = figure.axes
    assert [tuple(point) for point in np.asarray(axes.lines[0].get_xydata())] == path
    drawn(figure)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plots.decision_regions(up(), [[1.0]], [0]), "a plane has two features"),
        (lambda: plots.neuron_heatmaps(nn.Dropout(), X), "there is no Layer and no Neuron in Drop"),
        (lambda: plots.filters(nn.Conv2d(1, 2, 1), names=["a"]), "2 filters and 1 names"),
        (lambda: plots.filters(nn.Conv2d(1, 2, 3), np.ones((1, 2, 2))), "does not fit"),
        (lambda: plots.filters(nn.Conv2d(1, 2, 1), np.ones((2, 2))), "channels, height, width"),
        (lambda: plots.weights_as_images(nn.Layer(6, 1), (2, 2)), "2 × 2 does not fit 6 inputs"),
        (lambda: plots.confusion_matrix([0, 1], [0]), "y has 2"),
        (lambda: plots.confusion_matrix([-1, 1], [1, 1]), "a class in y is .* at least 0, got -1"),
        (lambda: plots.decision_regions(up(), X, [0, 1, 2, 3]), "one output tells two classes"),
        (lambda: plots.descent_path(lambda p, q: p, {}), "at least one place"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_plots_are_there_when_asked_for() -> None:
    program = "import nn; print(nn.plots.curves.__name__); nn.linear"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "curves"
    assert "AttributeError: module 'nn' has no attribute 'linear'" in done.stderr


def test_without_matplotlib_it_says_how_to_get_it() -> None:
    program = (
        "import sys; sys.modules['matplotlib.axes'] = None\n"
        "import nn\n"
        "nn.History(losses=[1.0], accuracies=[1.0]).plot()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    message = "plots are made with matplotlib: pip install 'scalar-autograd[plots]'"
    assert f"ImportError: {message}" in done.stderr


def test_a_threshold_of_ones_own_is_used() -> None:
    (axes,) = plots.decision_regions(up(), X, Y, threshold=0.25).axes
    line = np.asarray(axes.collections[1].get_paths()[0].vertices)
    np.testing.assert_allclose(line[:, 1], 0.75, atol=1e-9)


def test_a_plane_goes_beyond_its_points_on_every_side() -> None:
    for low, high, margin in ((-1.0, 3.0, 0.48), (100.0, 104.0, 0.48), (5.0, 5.0, 0.6)):
        across, up = plots._axes_around(np.array([[low, 0.0], [high, 0.0]]))
        assert (across[0], across[-1]) == pytest.approx((low - margin, high + margin))
        assert (up[0], up[-1]) == pytest.approx((-0.12, 0.12))


def test_contours_are_those_of_the_cost() -> None:
    path = [(0.0, 0.0), (1.0, 4.0)]
    (axes,) = plots.descent_path(lambda p, q: p, {"along": path}).axes
    outlines = [np.asarray(path.vertices) for path in axes.collections[0].get_paths()]
    contours = [outline for outline in outlines if len(outline)]
    assert len(contours) > 3
    for contour in contours:
        assert np.ptp(contour[:, 0]) < 1e-9, "p is the same along a contour"


def test_the_confusion_matrix_says_which_is_which() -> None:
    (axes,) = plots.confusion_matrix([0, 1], [1, 1]).axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("said", "is")
    assert {text.get_position() for text in axes.texts} == {(1, 0), (1, 1)}


def test_curves_count_epochs_from_one_and_dash_the_held_out() -> None:
    (axes,) = nn.History(losses=[3.0, 1.0], validation_losses=[4.0, 2.0]).plot().axes
    assert [list(np.asarray(line.get_xdata())) for line in axes.lines] == [[1, 2], [1, 2]]
    assert [line.get_linestyle() for line in axes.lines] == ["-", "--"]


def test_plots_are_loaded_when_they_are_asked_for() -> None:
    code = "import sys, nn; assert 'nn.picture.plots' not in sys.modules; print(nn.plots.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "nn.picture.plots"


def test_a_notebook_shows_a_figure_without_pyplot() -> None:
    figure = plots.activations()
    shown = figure._repr_png_()
    assert shown.startswith(b"\x89PNG") and len(shown) > len(drawn(figure))
