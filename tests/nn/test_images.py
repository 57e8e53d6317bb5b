"""Tests of convolution and pooling: their numbers, gradients and sizes, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import nn
from autograd import Value, gradcheck
from autograd import sum as total
from nn.images import Sliding
from nn.nested import nested
from nn.picture.page import network_page

IMAGE = np.random.default_rng(0).normal(size=(2, 5, 6))
# A module of each class, for `IMAGE`
MODELS: list[Sliding] = [
    nn.Conv2d(2, 3, 2, stride=2, padding=1, seed=0),
    nn.MaxPool2d(2),
    nn.AvgPool2d(3, stride=1),
    nn.Conv2d(2, 1, (3, 2), stride=(1, 2), padding=(0, 1), bias=False, seed=0),
    nn.Conv1d(2, 3, 2, stride=2, padding=1, seed=0),
]


def values_of(image: np.ndarray) -> Any:
    """Return an image, or a signal, of leaves as nested lists."""
    return nested(image.shape, lambda *i: Value(image[i]))


def leaves_of(nested: Any) -> list[Value]:
    return nn.Flatten()(nested)


def network() -> nn.Sequential:
    """Return a small network for images of one channel and 6 × 6 pixels."""
    convolution = nn.Conv2d(1, 2, 3, seed=0), nn.ReLU(), nn.MaxPool2d(2)
    return nn.Sequential(*convolution, nn.Flatten(), nn.Linear(8, 2, seed=1))


def test_there_is_a_model_of_each_class() -> None:
    exported = {x for x in vars(nn).values() if isinstance(x, type) and issubclass(x, Sliding)}
    assert {type(model) for model in MODELS} == exported


# ---------------------------------------------------------------------- numbers and gradients


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_gradients_agree_with_differences(model: Sliding) -> None:
    image = IMAGE[:, 0] if isinstance(model, nn.Conv1d) else IMAGE
    outputs = leaves_of(model(values_of(image)))
    assert gradcheck(total(a.tanh() for a in outputs))


def test_a_convolution_by_hand() -> None:
    model = nn.Conv2d(2, 1, 2)
    model.load_state_dict({"weight": [[[[1, 2], [3, 4]], [[0, 0], [0, -1]]]], "bias": [0.5]})
    outputs = model([[[1, 0, 2], [0, 1, 0]], [[5, 5, 5], [5, 6, 7]]])
    assert [[[z.data for z in row] for row in c] for c in outputs] == [[[-0.5, 0.5]]]


def test_pooling_by_hand() -> None:
    image = [[[1.0, 5.0, 2.0], [3.0, 4.0, 9.0], [7.0, 7.0, 7.0]]]
    assert [[z.data for z in row] for row in nn.MaxPool2d(2)(image)[0]] == [[5.0]]
    assert [[z.data for z in row] for row in nn.AvgPool2d(2, 1)(image)[0]] == [
        [3.25, 5.0],
        [5.25, 6.75],
    ]


def test_the_largest_pixels_share_the_gradient() -> None:
    image = values_of(np.array([[[2.0, 1.0], [2.0, 0.0]]]))
    nn.MaxPool2d(2)(image)[0][0][0].backward()
    assert [pixel.grad for pixel in leaves_of(image)] == [0.5, 0.0, 0.5, 0.0]


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_compiled_code_agrees_with_the_engine(model: Sliding) -> None:
    image = IMAGE[:, 0] if isinstance(model, nn.Conv1d) else IMAGE
    X = np.stack([image, -image])
    engine = [np.array([z.data for z in leaves_of(model(image))]) for image in X]
    compiled = autograd.compile(lambda x: leaves_of(model(x)))(X)
    np.testing.assert_allclose(compiled, engine, rtol=1e-12, atol=1e-14)
    many = model.predict(np.concatenate([X] * 30))
    assert many.shape == (60, *model.output_shape(image.shape))
    np.testing.assert_allclose(many[:2].reshape(2, -1), engine, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", ["Conv2d", "Conv1d", "MaxPool2d", "AvgPool2d"])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_values_and_gradients_are_pytorchs(torch: Any, kind: str, data: st.DataObject) -> None:
    sides = 1 if kind == "Conv1d" else 2
    is_convolution = kind.startswith("Conv")

    def drawn_sizes(low: int, high: int) -> Any:
        """Draw a number for all sides, or one for each."""
        one, each = st.integers(low, high), st.tuples(*[st.integers(low, high)] * sides)
        return data.draw(one | each)

    def each_side(sizes: Any) -> list[int]:
        return list(sizes) if isinstance(sizes, tuple) else [sizes] * sides

    kernel, stride = drawn_sizes(1, 3), drawn_sizes(1, 3)
    padding = drawn_sizes(0, 2) if is_convolution else 0
    sizes = zip(each_side(kernel), each_side(padding))
    shape = [data.draw(st.integers(max(k - 2 * p, 1), 6)) for k, p in sizes]
    channels, seed = data.draw(st.integers(1, 3)), data.draw(st.integers(0, 99))
    image = np.random.default_rng(seed).normal(size=(channels, *shape))
    if is_convolution:
        settings = channels, data.draw(st.integers(1, 3)), kernel, stride, padding
        bias = data.draw(st.booleans())
        ours: Sliding = getattr(nn, kind)(*settings, bias=bias, seed=seed)
        theirs = getattr(torch.nn, kind)(*settings, bias=bias).double()
        if data.draw(st.booleans()):
            ours.load_state_dict(theirs.state_dict())
        else:
            state = ours.state_dict()
            theirs.load_state_dict({name: torch.from_numpy(x) for name, x in state.items()})
    else:
        ours, theirs = getattr(nn, kind)(kernel, stride), getattr(torch.nn, kind)(kernel, stride)
    pixels, tensor = values_of(image), torch.from_numpy(image).requires_grad_()
    found, wanted = ours(pixels), theirs(tensor)
    assert np.shape(found) == tuple(wanted.shape) == ours.output_shape(image.shape)
    numbers = [z.data for z in leaves_of(found)]
    np.testing.assert_allclose(numbers, wanted.detach().numpy().ravel(), rtol=1e-12, atol=1e-12)
    total(z * z for z in leaves_of(found)).backward()
    (wanted * wanted).sum().backward()
    gradients = [pixel.grad for pixel in leaves_of(pixels)]
    np.testing.assert_allclose(gradients, tensor.grad.numpy().ravel(), rtol=1e-12, atol=1e-12)
    for ours_, theirs_ in zip(ours.tensors().values(), theirs.parameters(), strict=True):
        slopes = [w.grad for w in ours_.flat]
        np.testing.assert_allclose(slopes, theirs_.grad.numpy().ravel(), rtol=1e-12, atol=1e-12)


# ---------------------------------------------------------------------- in a network


@pytest.mark.parametrize("compile", [True, False])
def test_a_network_learns_which_way_a_line_runs(compile: bool) -> None:
    X = np.zeros((12, 1, 6, 6))
    for i in range(6):
        X[i, 0, i], X[6 + i, 0, :, i] = 1.0, 1.0
    y = [0] * 6 + [1] * 6
    model = network()
    trainer = nn.Trainer(model, nn.cross_entropy, nn.Adam(model.parameters(), lr=0.05))
    history = trainer.fit(X, y, epochs=20, compile=compile, progress=False, validation=(X, y))
    assert history.accuracies[-1] == 1.0
    assert history.validation_losses[-1] == pytest.approx(trainer.evaluate(X, y)[0], rel=1e-12)
    assert model.predict(X).argmax(1).tolist() == y


def test_names_and_shapes_of_a_network_are_pytorchs(torch: Any) -> None:
    convolution = torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2)
    theirs = torch.nn.Sequential(*convolution, torch.nn.Flatten(), torch.nn.Linear(8, 2)).double()
    model = network()
    model.load_state_dict(theirs.state_dict())
    X = np.random.default_rng(1).normal(size=(3, 1, 6, 6))
    wanted = theirs(torch.from_numpy(X)).detach().numpy()
    np.testing.assert_allclose(model.predict(X), wanted, rtol=1e-12, atol=1e-12)
    theirs.load_state_dict({k: torch.from_numpy(x) for k, x in model.state_dict().items()})


def test_parameters_are_labelled_drawn_and_drawn_again() -> None:
    model = nn.Conv2d(2, 3, 2, seed=4)
    assert (model.weight[2][1][0][1].label, model.bias[2].label) == ("W[2,1,0,1]", "b[2]")
    before = model.state_dict()
    assert len(set(before["weight"].ravel().tolist())) == 24
    assert not before["bias"].any()
    model.reset_parameters(5)
    assert model.state_dict()["weight"].tolist() != before["weight"].tolist()
    model.reset_parameters(4)
    assert model.state_dict()["weight"].tolist() == before["weight"].tolist()


def test_an_initialiser_gets_the_sizes_of_a_window() -> None:
    model = nn.Conv2d(2, 3, 2, init=lambda rng, nin, nout: 100.0 * nin + nout)
    assert set(model.state_dict()["weight"].ravel()) == {812.0}


def test_the_settings_are_shown() -> None:
    shown = [nn.Conv2d(1, 8, 3), *MODELS, nn.Flatten()]
    assert list(map(repr, shown)) == [
        "Conv2d(1, 8, 3)",
        "Conv2d(2, 3, 2, stride=2, padding=1)",
        "MaxPool2d(2)",
        "AvgPool2d(3, stride=1)",
        "Conv2d(2, 1, (3, 2), stride=(1, 2), padding=(0, 1), bias=False)",
        "Conv1d(2, 3, 2, stride=2, padding=1)",
        "Flatten()",
    ]


def test_a_network_numbers_its_convolutions_among_its_layers() -> None:
    model = network()
    assert model[0].weight[1][0][2][0].label == "W1[1,0,2,0]"
    assert (model[0].bias[1].label, model[4].neurons[0].w[3].label) == ("b1[1]", "W2[0,3]")


# ---------------------------------------------------------------------- bad input


WAY = (
    r"Linear takes 60 input\(s\), got 72: Linear\(72, 2\) would fit. Before it, "
    r"Conv2d\(1, 8, 3\) on \(1, 8, 8\) gives \(8, 6, 6\), MaxPool2d\(2\) gives \(8, 3, 3\), "
    r"Flatten\(\) gives \(72,\)"
)


def before(*rest: nn.Module, shape: tuple[int, ...] = (1, 8, 8)) -> Any:
    """Run a convolution and pooling, and other modules behind them."""
    return nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), *rest)(np.ones(shape))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: nn.Conv2d(1, 4, 3)(IMAGE),
            r"Conv2d\(1, 4, 3\) takes 1 channel\(s\), and an image ",
        ),
        (lambda: nn.Conv2d(1, 4, 3)(IMAGE), r"\(2, 5, 6\) has 2: make it Conv2d\(2, 4, 3\)"),
        (lambda: nn.Conv2d(6, 4, 3)(IMAGE), "channels come first, then rows and columns"),
        (lambda: nn.MaxPool2d(7)(IMAGE), r"MaxPool2d\(7\) does not fit on \(2, 5, 6\)"),
        (lambda: nn.MaxPool2d(7)(IMAGE), "5 × 6 pixels, so that kernel_size is at most 5"),
        (lambda: nn.Conv2d(2, 1, 8, padding=1)(IMAGE), "with its padding, has 7 × 8 pixels"),
        (lambda: nn.Conv2d(1, 1, 3, padding=-1), "padding is a whole number of at least 0, got -1"),
        (lambda: nn.AvgPool2d(0), "kernel_size is a whole number of at least 1, got 0"),
        (lambda: nn.MaxPool2d((7, 2))(IMAGE), r"so that kernel_size is at most \(5, 6\)"),
        (lambda: nn.Conv2d(1, 1, (3, 2, 1)), r"kernel_size is a whole number, or 2 of them; got"),
        (lambda: nn.Conv2d(1, 1, 2, stride=(1, 0)), "a number in stride is .* at least 1, got 0"),
        (lambda: nn.Conv2d(1, 1, 2, padding="same"), "padding is a whole number .* got 'same'"),
        (lambda: nn.Conv1d(2, 1, 7)(IMAGE[:, 0]), r"Conv1d\(2, 1, 7\) does not fit on \(2, 6\)"),
        (
            lambda: nn.Conv1d(2, 1, 2)(IMAGE),
            r"takes a signal.*\(channels, length\); got .*For many",
        ),
        (lambda: nn.Conv1d(1, 1, 2)([1.0, 2.0]), r"X\[:, None\] for signals of one channel"),
        (lambda: nn.Conv1d(6, 1, 2)(IMAGE[:, 0]), "channels come first, then the places"),
        (lambda: before(nn.Flatten(), nn.Linear(60, 2)), WAY),
        (
            lambda: before(nn.Linear(60, 2)),
            r"put Flatten\(\) before it, and make it Linear\(72, 2\)",
        ),
        (lambda: before(nn.Conv2d(8, 2, 4)), r"Before it, .* gives \(8, 6, 6\), .* \(8, 3, 3\)$"),
        (
            lambda: before(nn.Flatten(), shape=(1, 2, 2)),
            r"Conv2d\(1, 8, 3\) does not .* at most 2$",
        ),
        (lambda: nn.MaxPool2d(2)(IMAGE[0]), r"takes an image, .* got numbers of shape \(5, 6\)"),
        (lambda: nn.MaxPool2d(2)(IMAGE[None]), r"For many images there is model.predict\(X\)"),
        (lambda: nn.MaxPool2d(2)([[[1.0], [1.0, 2.0]]]), "rows of an image are of one length"),
        (lambda: nn.MaxPool2d(2)([[]]), "not empty"),
        (lambda: nn.MaxPool2d(2).output_shape((8, 8)), r"as in \(1, 8, 8\); got \(8, 8\)"),
        (lambda: nn.Linear(60, 2)(IMAGE), r"got an image: put Flatten\(\) before it"),
        (lambda: network().predict(IMAGE), r"X\[:, None\] for images of one channel"),
        (lambda: nn.draw(network()), r"sides 6, 7: give the shape .* shape=\(1, 8, 8\)"),
        (
            lambda: nn.diagnose(nn.MLP(2, [1]), IMAGE[None], [1]),
            r"as in X.reshape\(len\(X\), -1\)$",
        ),
        (
            lambda: network_page(nn.MLP(2, [1]), data=(IMAGE[None], [1])),
            "expected rows of features",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_a_pixel_that_is_not_finite_is_named() -> None:
    X = np.zeros((2, 1, 6, 6))
    X[1, 0, 2, 3] = np.nan
    with pytest.raises(
        ValueError, match=r"X\[1, 0, 2, 3\] \(image 1, channel 0, row 2, column 3\)"
    ):
        network().predict(X)
