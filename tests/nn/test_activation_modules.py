"""Tests of `Linear` and of the activations as modules: they are layers in two parts."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value
from autograd import sum as total
from nn.activation_modules import ActivationModule
from nn.networks import layers_of
from nn.picture.page import network_page
from tests.browsing import parts

CLASSES = ActivationModule.__subclasses__()
X = np.random.default_rng(0).normal(size=(60, 2))
Y = [int(p > 0.0) for p, _ in X]


def test_each_activation_has_a_module() -> None:
    assert {module.row.name for module in CLASSES} == set(nn.ACTIVATIONS)


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("nout", [1, 3])
def test_a_linear_with_an_activation_is_a_layer(kind: type[ActivationModule], nout: int) -> None:
    parts = nn.Sequential(nn.Linear(2, nout, seed=1), kind())
    whole = nn.Layer(2, nout, kind.row.name, seed=1)
    whole.load_state_dict({"weight": parts[0].state_dict()["weight"], "bias": [0.5] * nout})
    parts.load_state_dict({f"0.{name}": array for name, array in whole.state_dict().items()})
    found, wanted = parts([0.3, -0.8]), whole([0.3, -0.8])
    for outputs in (found, wanted):
        total(a * a for a in np.ravel(outputs)).backward()
    assert np.shape(found) == np.shape(wanted)
    for ours, theirs in zip(parts[0].neurons, whole.neurons):
        assert (ours.z.data, ours.a.data) == (theirs.z.data, theirs.a.data)
        assert [w.grad for w in ours.w] == [w.grad for w in theirs.w]
    assert [n.a for n in parts[0].neurons] == list(np.ravel(found))
    (layer,) = layers_of(parts).values()
    assert (layer.activation.name, layer.activation.range) == (kind.row.name, kind.row.range)


def test_the_activation_is_labelled_as_that_of_a_layer() -> None:
    out = nn.Sequential(nn.Linear(1, 2), nn.Tanh(), nn.Linear(2, 1))([1.0])
    first = out.args[0].args[1].args[1]
    assert (first.label, first.scope, first.args[0].label) == ("a1[0]", "Tanh[1]", "z1[0]")


def test_sizes_and_settings_are_shown() -> None:
    model = nn.Sequential(nn.Linear(2, 1, bias=False), nn.ReLU(), nn.ELU(), nn.LeakyReLU(0.5))
    assert repr(model) == (
        "Sequential of [Linear(in_features=2, out_features=1, bias=False), ReLU(), "
        "ELU(alpha=1.0), LeakyReLU(negative_slope=0.5)]"
    )


def test_nested_lists_are_activated_item_by_item() -> None:
    outputs = nn.ReLU()([[[1.0, -2.0]], [[-3.0, Value(4.0)]]])
    assert [[[a.data for a in row] for row in table] for table in outputs] == [[[1, 0]], [[0, 4]]]
    with pytest.raises(ValueError, match="Softmax takes the outputs of a layer, got a table"):
        nn.Softmax()([[1.0, 2.0]])


def test_a_setting_that_is_changed_later_counts() -> None:
    model = nn.Sequential(nn.Linear(2, 1, seed=0), nn.LeakyReLU(0.5))
    model.predict(X)
    model[1].negative_slope = 0.25
    plain = nn.Sequential(model[0]).predict(X)
    np.testing.assert_allclose(model.predict(X), np.where(plain > 0.0, plain, 0.25 * plain))


# ---------------------------------------------------------------------- PyTorch


def both(torch: Any, bias: bool) -> tuple[nn.Sequential, Any]:
    """Return a network with each activation that both libraries have, and PyTorch's."""

    def made(library: Any) -> list[Any]:
        return [
            *(library.Linear(3, 4), library.ReLU(), library.Linear(4, 4, bias)),
            *(library.LeakyReLU(0.2), library.Linear(4, 4), library.ELU(1.5)),
            *(library.Linear(4, 4), library.SiLU(), library.Linear(4, 4), library.GELU()),
            *(library.Linear(4, 4), library.GELU(approximate="tanh")),
            *(library.Linear(4, 4), library.Softplus(), library.Linear(4, 4), library.Tanh()),
            *(library.Linear(4, 4), library.Sigmoid(), library.Linear(4, 4), library.Identity()),
        ]

    theirs = torch.nn.Sequential(*made(torch.nn), torch.nn.Softmax(dim=-1)).double()
    return nn.Sequential(*made(nn), nn.Softmax()), theirs


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("from_ours", [True, False])
def test_weights_values_and_gradients_are_pytorchs(torch: Any, bias: bool, from_ours: bool) -> None:
    ours, theirs = both(torch, bias)
    if from_ours:
        state = ours.state_dict()
        theirs.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
    else:
        ours.load_state_dict(theirs.state_dict())
    x = [0.5, -1.0, 0.25]
    found, wanted = ours(x), theirs(torch.tensor(x, dtype=torch.float64))
    np.testing.assert_allclose([a.data for a in found], wanted.detach().numpy(), rtol=1e-12)
    found[1].backward()
    wanted[1].backward()
    for tensor, parameter in zip(ours.tensors().values(), theirs.parameters(), strict=True):
        gradient = np.reshape([p.grad for p in tensor.flat], tensor.shape)
        np.testing.assert_allclose(gradient, parameter.grad.numpy(), rtol=1e-10, atol=1e-14)


# ---------------------------------------------------------------------- training, and looking at it


def test_a_layer_without_biases_learns_its_weights_alone() -> None:
    model = nn.Linear(2, 1, bias=False, seed=0)
    assert list(model.state_dict()) == ["weight"]
    assert [name for name, _ in model.named_parameters()] == ["neurons.0.w.0", "neurons.0.w.1"]
    trainer = nn.Trainer(model, nn.mse_loss, nn.SGD(model.parameters(), lr=0.1))
    trainer.fit(X, (X @ [2.0, -1.0] + 5.0).tolist(), epochs=3, progress=False)
    assert model([0.0, 0.0]).data == 0.0
    model.reset_parameters(0)
    first = nn.Linear(2, 1, seed=0).state_dict()["weight"]
    assert model.state_dict()["weight"].tolist() == first.tolist()


def two_and_one() -> tuple[nn.Sequential, nn.Sequential]:
    """Return two networks that compute the same: in two parts a layer, and in one."""
    one = nn.Sequential(nn.Layer(2, 4, seed=0), nn.Layer(4, 3, "softmax", seed=1))
    first, second = nn.Linear(2, 4, init="he", seed=0), nn.Linear(4, 3, seed=1)
    return nn.Sequential(first, nn.ReLU(), second, nn.Softmax()), one


@pytest.mark.parametrize("compile", [True, False])
def test_training_is_that_of_layers(compile: bool) -> None:
    losses = []
    for model in two_and_one():
        trainer = nn.Trainer(model, nn.squared_error, nn.Adam(model.parameters()))
        history = trainer.fit(X, nn.one_hot(Y, 3), epochs=2, compile=compile, progress=False)
        losses.append(history.losses)
    assert losses[0] == losses[1]


def test_drawings_diagnosis_and_pages_are_those_of_layers() -> None:
    targets = (4.0 * np.array(nn.one_hot(Y, 3))).tolist()
    drawings, findings, pages = [], [], []
    for model in two_and_one():
        drawings.append(nn.draw(model, [1.0, -2.0]).source)
        diagnosis = nn.diagnose(model, X, targets, nn.squared_error)
        findings.append([(finding.kind, finding.text) for finding in diagnosis])
        pages.append(network_page(model, data=(X, Y), loss=nn.squared_error).html)
    assert drawings[0] == drawings[1]
    assert findings[0] == findings[1]
    assert "range" in dict(findings[0])
    assert pages[0] == pages[1]


def test_a_page_of_layers_without_biases_plays_their_training() -> None:
    model = nn.Sequential(nn.Linear(2, 3, bias=False, seed=0), nn.Tanh(), nn.Linear(3, 1, seed=1))
    trainer = nn.Trainer(model, nn.mse_loss, nn.SGD(model.parameters(), lr=0.1))
    page = network_page(model, history=trainer.fit(X, Y, epochs=2, progress=False))
    weights = [
        np.frombuffer(base64.b64decode(frame["weights"]), "<f8" if frame["exact"] else "<f4")
        for frame in parts(page.html)["data"]["frames"]
    ]
    assert [w[[2, 5, 8]].tolist() for w in weights] == [[0.0] * 3] * len(weights)
    assert weights[-1][-1] == model[2].neurons[0].b.data != 0.0


def test_the_range_of_an_elu_follows_its_alpha() -> None:
    model = nn.Sequential(nn.Linear(2, 1, seed=0), nn.ELU(3.0))
    for target, expected in ((-2.5, False), (-3.5, True)):
        found = nn.diagnose(model, X, [target] * len(X), nn.mse_loss)
        assert ("range" in {finding.kind for finding in found}) == expected


class InMembers(nn.Module):
    """A user's module that keeps an activation beside its layer."""

    def __init__(self) -> None:
        self.layer, self.activation = nn.Linear(2, 1), nn.ReLU()

    def forward(self, x: Any) -> Any:
        return self.activation(self.layer(x))


RELU = nn.ReLU()


@pytest.mark.parametrize(
    "model",
    [
        nn.Sequential(nn.Linear(2, 1), nn.Dropout(), nn.ReLU()),
        nn.Sequential(nn.ReLU(), nn.Linear(2, 1)),
        nn.Sequential(nn.Layer(2, 1, "tanh"), nn.ReLU()),
        nn.Sequential(nn.Linear(2, 1), RELU, nn.Dropout(), RELU),
        InMembers(),
    ],
)
def test_an_activation_elsewhere_is_refused_where_layers_are_looked_at(model: nn.Module) -> None:
    for look in (lambda: nn.draw(model), lambda: nn.diagnose(model, X, Y)):
        with pytest.raises(ValueError, match=r"ReLU\(\) belongs to no layer: .*after a Linear"):
            look()
    assert model.eval().predict(X).shape == (len(X),)


def test_pytorchs_arguments_without_effect_are_taken() -> None:
    for module in (
        nn.ReLU(inplace=True),
        nn.SiLU(True),
        nn.ELU(0.5, True),
        nn.LeakyReLU(0.1, True),
    ):
        assert isinstance(module(-1.0), Value)
    outputs = [[p.data for p in nn.Softmax(dim=dim)([0.0, 1.0])] for dim in (None, -1, 0, 1)]
    assert outputs == [outputs[0]] * 4
