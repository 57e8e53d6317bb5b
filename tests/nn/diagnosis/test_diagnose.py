"""Tests of `diagnose`: it finds what keeps a network from learning, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 2))
Y = (X[:, 0] > X[:, 1]).astype(int)


def healthy() -> nn.MLP:
    return nn.MLP(2, [6, 6, 1], "tanh", seed=0)


def kinds(model: nn.Module, **settings: Any) -> list[tuple[str, str]]:
    return [(finding.kind, finding.layer) for finding in nn.diagnose(model, X, Y, **settings)]


def test_a_healthy_network_has_nothing() -> None:
    found = nn.diagnose(healthy(), X, Y, lr=0.1)
    assert found == []
    assert str(found) == "nothing found that would keep it from learning"


def test_dead_relus() -> None:
    model = nn.MLP(2, [4, 1], seed=0)
    for j in (1, 3):
        model.layers[0].neurons[j].b.data = -100.0
    (finding,) = nn.diagnose(model, X, Y)
    assert (finding.kind, finding.layer) == ("dead", "layers.0")
    assert "neurons 1, 3 of 4 are dead" in finding.text
    assert "leaky_relu" in str(finding)


def test_a_finding_says_of_how_many_examples_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn.MLP(2, [4, 1], seed=0)
    model.layers[0].neurons[1].b.data = -100.0
    assert "the 30 examples" in str(nn.diagnose(model, X, Y))
    monkeypatch.setattr("nn.diagnosis.evidence.BUDGET", 0)
    assert "30 of 90 examples" in str(nn.diagnose(model, [*X] * 3, [*Y] * 3))


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_saturated_neurons(activation: str) -> None:
    model = nn.MLP(2, [4, 1], activation, seed=0)
    model.layers[0].neurons[2].b.data = 50.0
    findings = [f for f in nn.diagnose(model, X, Y) if f.kind == "saturated"]
    assert [f.layer for f in findings] == ["layers.0"]
    assert "neuron 2 of 4 is saturated" in findings[0].text


def test_vanishing_gradients() -> None:
    model = nn.MLP(2, [8] * 6 + [1], "sigmoid", seed=0)
    found = kinds(model)
    assert ("vanishing", "layers.0") in found
    assert ("vanishing", "layers.6") not in found


def test_the_remedy_fits_the_trouble() -> None:
    sigmoids = nn.MLP(2, [8] * 6 + [1], "sigmoid", seed=0)
    assert "at most ¼: use relu or tanh" in str(nn.diagnose(sigmoids, X, Y))
    flat = nn.MLP(2, [1], init=lambda *_: 0.0)
    assert "the cost is flat" in str(nn.diagnose(flat, X, 2 * Y - 1, nn.perceptron_loss))


def test_a_neuron_alone_is_looked_at() -> None:
    neuron = nn.Neuron(2, "sigmoid", seed=0)
    neuron.b.data = 50.0
    assert kinds(neuron, loss=nn.mse_loss) == [("saturated", "neuron")]


def test_exploding_gradients() -> None:
    model = nn.MLP(2, [8] * 5 + [1], "leaky_relu", seed=0)
    for k, layer in enumerate(model.layers):
        for p in layer.parameters():
            p.data *= 12.0 if k else 1e-3
    assert ("exploding", "layers.0") in kinds(model, loss=lambda score, y: score)


def test_symmetric_weights() -> None:
    model = nn.MLP(2, [4, 1], "tanh", init=lambda *_: 0.3)
    assert kinds(model) == [("symmetric", "layers.0")]
    assert "neurons 0, 1, 2, 3 have the same weights" in str(nn.diagnose(model, X, Y))


def passed(model: nn.Module, times: int) -> None:
    for _ in range(times):
        for x, y in zip(X, Y):
            nn.binary_cross_entropy_with_logits(model(x), int(y)).backward(1.0 / len(X))


@pytest.mark.parametrize(("times", "found"), [(0, False), (1, False), (2, True), (5, True)])
def test_a_forgotten_zero_grad(times: int, found: bool) -> None:
    model = healthy()
    passed(model, times)
    assert (kinds(model) == [("zero_grad", "")]) is found
    if found:
        assert f"are {times} times those of one pass" in str(nn.diagnose(model, X, Y))


def test_a_learning_rate_too_high() -> None:
    model = healthy()
    (finding,) = nn.diagnose(model, X, Y, lr=1000.0)
    assert finding.kind == "lr"
    better = float(finding.text.split("Try lr=")[1])
    assert nn.diagnose(model, X, Y, lr=better) == []


def test_a_summed_cost_is_no_forgotten_zero_grad() -> None:
    model = healthy()
    for x, y in zip(X, Y):
        nn.binary_cross_entropy_with_logits(model(x), int(y)).backward()
    assert kinds(model) == []


def test_neurons_that_are_equal_but_learn_differently_are_not_symmetric() -> None:
    assert kinds(nn.MLP(2, [2], init=lambda *_: 0.0)) == []


def test_a_network_that_has_learned_is_not_saturated() -> None:
    blobs = np.concatenate([RNG.normal(-3, 0.5, (20, 2)), RNG.normal(3, 0.5, (20, 2))])
    y = [0] * 20 + [1] * 20
    model = nn.MLP(2, [1], output="sigmoid", seed=1)
    nn.Trainer(model, nn.BCELoss(), nn.SGD(model.parameters(), 0.5)).fit(blobs, y, 50)
    assert nn.diagnose(model, blobs, y, nn.BCELoss()) == []


def test_a_step_lets_no_gradient_through() -> None:
    model = nn.MLP(2, [4, 1], "step", seed=0)
    (finding,) = nn.diagnose(model, X, Y)
    assert (finding.kind, finding.layer) == ("vanishing", "layers.0")
    assert "no gradient at all arrives here: step is flat everywhere" in finding.text


@pytest.mark.parametrize("factor", [np.nan, 1e120])
def test_weights_beyond_computing_are_told(factor: float) -> None:
    model = nn.MLP(2, [6, 6, 1], "leaky_relu", seed=0)
    for p in model.parameters():
        p.data *= factor
    (finding,) = nn.diagnose(model, X, X[:, 0], nn.mse_loss, lr=0.1)
    assert finding.kind == "overflow"
    assert "start anew" in str(finding)


def test_a_rate_that_makes_the_cost_infinite_is_too_high() -> None:
    model = nn.MLP(2, [4, 1], "tanh", output="sigmoid", seed=0)
    assert kinds(model, loss=nn.BCELoss(), lr=1e4) == [("lr", "")]


def test_an_error_changes_nothing_either() -> None:
    model = nn.Sequential(nn.Layer(2, 4, seed=0), nn.Dropout(0.5, seed=0), nn.Layer(4, 2, seed=1))
    nn.cross_entropy(model(X[0]), 1).backward()
    before = [p.grad for p in model.parameters()]
    with pytest.raises(ValueError, match="class 5"):
        nn.diagnose(model, X[:3], [0, 1, 5], nn.cross_entropy)
    assert [p.grad for p in model.parameters()] == before
    assert all(module.training for module in model.modules())


def test_nothing_is_changed() -> None:
    model = healthy()
    passed(model, 1)
    before = [(p.data, p.grad) for p in model.parameters()]
    model.train()
    nn.diagnose(model, X, Y, lr=1000.0)
    assert [(p.data, p.grad) for p in model.parameters()] == before
    assert model.training


@pytest.mark.parametrize(
    ("nout", "y", "loss"),
    [
        (3, [0, 2, 1] * 10, nn.cross_entropy),
        (2, np.eye(2)[Y], nn.squared_error),
        (1, Y, nn.binary_cross_entropy_with_logits),
        (1, 2 * Y - 1, nn.hinge_loss),
        (1, X[:, 0], nn.squared_error),
    ],
)
def test_the_cost_fits_the_targets(nout: int, y: Any, loss: Any) -> None:
    model = nn.MLP(2, [6, nout], "tanh", seed=0)
    by_default = nn.diagnose(model, X, y, lr=1000.0)
    assert by_default == nn.diagnose(model, X, y, loss, lr=1000.0)
    assert len(by_default) == 1


def test_many_neurons_are_counted_not_listed() -> None:
    model = nn.MLP(2, [12, 1], "tanh", init=lambda *_: 0.3)
    assert "neurons 0, 1, 2, 3, 4, 5 and 6 more have" in str(nn.diagnose(model, X, Y))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="lr is a positive number"):
        nn.diagnose(healthy(), X, Y, lr=-1.0)
    with pytest.raises(ValueError, match="no Layer and no Neuron in Dropout"):
        nn.diagnose(nn.Sequential(nn.Dropout())[0], X, Y, nn.mse_loss)
    with pytest.raises(ValueError, match="y has 3"):
        nn.diagnose(healthy(), X, [0, 1, 0])


def test_dropout_drops_nothing_in_a_diagnosis() -> None:
    model = nn.Sequential(
        nn.Layer(2, 8, "tanh", seed=0), nn.Dropout(), nn.Layer(8, 1, "identity", seed=1)
    )
    found = [str(nn.diagnose(model, X, X[:, 0], lr=10.0)) for _ in range(3)]
    assert len(set(found)) == 1
    assert "up to" in found[0]


def test_a_regression_far_from_learned_has_its_troubles() -> None:
    model = nn.MLP(2, [4, 1], "tanh", seed=0)
    model.layers[0].neurons[2].b.data = 50.0
    assert ("saturated", "layers.0") in [(f.kind, f.layer) for f in nn.diagnose(model, X, X[:, 0])]


def test_half_saturated_is_not_saturated() -> None:
    model = nn.MLP(2, [1, 1], "tanh", seed=0)
    model.layers[0].load_state_dict({"weight": [[9.0, 0.0]], "bias": [0.0]})
    share = np.mean(abs(9.0 * X[:, 0]) > 3.0)
    assert 0.3 < share < 0.9
    assert kinds(model) == []


def test_gradients_in_another_direction_were_not_added_up() -> None:
    model = healthy()
    for p, x in zip(model.parameters(), np.random.default_rng(1).normal(size=200)):
        p.grad = 100.0 * float(x)
    assert kinds(model) == []


def test_a_network_that_has_learned_may_have_uneven_gradients() -> None:
    model = nn.MLP(2, [8] * 6 + [1], "sigmoid", seed=0)
    said = (model.predict(X) > 0).astype(int)
    assert [(f.kind) for f in nn.diagnose(model, X, said)] == []


def test_a_relu_that_is_never_above_zero_is_dead() -> None:
    model = nn.MLP(2, [1, 1], seed=0)
    model.layers[0].load_state_dict({"weight": [[0.0, 0.0]], "bias": [0.0]})
    assert ("dead", "layers.0") in kinds(model)
