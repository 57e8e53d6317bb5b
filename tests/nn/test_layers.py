"""Tests of neurons, layers and networks: the lessons' formulas, and agreement with micrograd."""

from __future__ import annotations

import copy
import pickle
import random
from collections.abc import Callable
from typing import Any

import micrograd.engine
import micrograd.nn
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
import nn
from autograd import Value, gradcheck
from autograd import sum as total
from nn.activation_modules import ActivationModule
from nn.images import Sliding
from nn.init import he, uniform, xavier
from nn.loss_modules import Loss
from nn.normalisation import Normalisation

UNTYPED: Any = nn  # to call with arguments of wrong types


def loaded(module: nn.Module, **state: Any) -> Any:
    module.load_state_dict(state)
    return module


# A module of each class, for two inputs
MODELS = [
    nn.Neuron(2, seed=0),
    nn.Layer(2, 3, seed=0),
    nn.MLP(2, [2, 1], seed=0),
    nn.Sequential(nn.Layer(2, 2, seed=0), nn.Layer(2, 1, seed=0)),
    nn.Dropout(seed=0),
    nn.Linear(2, 3, seed=0),
    *(nn.Step(), nn.Sigmoid(), nn.Tanh(), nn.ReLU(), nn.LeakyReLU(), nn.ELU()),
    *(nn.SiLU(), nn.GELU("tanh")),
    *(nn.Softplus(), nn.Softmax(), nn.Identity(), nn.Flatten()),
    *(nn.LayerNorm(2), nn.RMSNorm(2)),
]
# Modules that take more than the inputs of one example
ELEMENTWISE = (nn.Dropout, nn.Flatten, ActivationModule, Normalisation)


def test_there_is_a_model_of_each_class() -> None:
    modules = {x for x in vars(nn).values() if isinstance(x, type) and issubclass(x, nn.Module)}
    exported = {x for x in modules if not issubclass(x, (Loss, Sliding))} - {nn.Module}
    assert {type(model) for model in MODELS} == exported - {nn.Embedding, nn.MultiheadAttention}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_the_numbers_and_gradients_of_each_module(model: nn.Module) -> None:
    """Compare a copy with the model, compiled code with the engine, gradients with differences."""
    X = np.array([[0.5, -1.5], [-0.25, 2.0]])
    twin = copy.deepcopy(model).eval()
    outputs = [np.ravel(twin([Value(x) for x in row])) for row in X]
    numbers = np.array([[a.data for a in row] for row in outputs])
    for predicted in (model.predict(X), autograd.compile(twin)(X)):
        np.testing.assert_allclose(np.reshape(predicted, numbers.shape), numbers, rtol=1e-12)
    assert gradcheck(total(a * a for row in outputs for a in row))


# ---------------------------------------------------------------------- by hand


def test_a_neuron_keeps_its_weighted_sum_and_its_activation() -> None:
    neuron = loaded(nn.Neuron(2, "relu"), w=[2.0, -3.0], b=0.5)
    assert (neuron.z, neuron.a) == (None, None)
    out = neuron([1.0, 2.0])
    assert (neuron.z.data, neuron.a.data) == (2.0 - 6.0 + 0.5, 0.0)
    assert out is neuron.a
    assert (neuron.z.label, neuron.a.label) == ("z", "a")


@pytest.mark.parametrize(
    ("activation", "at_minus_one", "at_two"),
    [
        ("step", 0.0, 1.0),
        ("sigmoid", 0.2689414213699951, 0.8807970779778823),
        ("tanh", -0.7615941559557649, 0.9640275800758169),
        ("relu", 0.0, 2.0),
        ("leaky_relu", -0.01, 2.0),
        ("elu", -0.6321205588285577, 2.0),
        ("silu", -0.2689414213699951, 1.7615941559557649),
        ("gelu", -0.15865525393145707, 1.9544997361036416),
        ("softplus", 0.31326168751822286, 2.1269280110429727),
        ("identity", -1.0, 2.0),
    ],
)
def test_each_activation(activation: str, at_minus_one: float, at_two: float) -> None:
    neuron = loaded(nn.Neuron(1, activation), w=[1.0], b=0.0)
    assert neuron(-1.0).data == pytest.approx(at_minus_one, rel=1e-14)
    assert neuron(2.0).data == pytest.approx(at_two, rel=1e-14)


def test_every_activation_is_tried_above_or_is_softmax() -> None:
    marks = test_each_activation.pytestmark  # type: ignore[attr-defined]
    tried = {row[0] for row in marks[0].args[1]}
    assert tried | {"softmax"} == set(nn.ACTIVATIONS)


LOWEST = (-1.27846454, -0.75179152)  # where silu and gelu are smallest


@pytest.mark.parametrize("activation", nn.ACTIVATIONS)
def test_the_range_of_each_activation_is_what_it_takes(activation: str) -> None:
    layer = loaded(nn.Layer(1, 2, activation), weight=[[1.0], [0.0]], bias=[0.0, 0.0])
    outputs = [layer(float(z))[0].data for z in (*range(-5000, 5001, 100), *LOWEST)]
    low, high = nn.ACTIVATIONS[activation].range
    for bound, found in ((low, min(outputs)), (high, max(outputs))):
        assert abs(found) >= 50.0 if np.isinf(bound) else found == pytest.approx(bound)
    assert low <= min(outputs) and max(outputs) <= high


def test_a_softmax_layer() -> None:
    layer = loaded(nn.Layer(1, 3, "softmax"), weight=[[0.0], [1.0], [2.0]], bias=[0.0] * 3)
    exponentials = np.exp([0.0, 1.0, 2.0])
    outputs = [a.data for a in layer(1.0)]
    np.testing.assert_allclose(outputs, exponentials / exponentials.sum(), rtol=1e-14)
    assert [neuron.a.data for neuron in layer.neurons] == outputs
    assert [neuron.z.data for neuron in layer.neurons] == [0.0, 1.0, 2.0]


@given(st.data())
def test_a_network_is_the_matrix_code_one_would_write(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    model = nn.MLP(sizes[0], sizes[1:], "tanh", seed=data.draw(st.integers(0, 99)))
    X = np.random.default_rng(0).normal(size=(3, sizes[0]))
    state, A = model.state_dict(), X
    for i in range(len(sizes) - 1):
        A = A @ state[f"layers.{i}.weight"].T + state[f"layers.{i}.bias"]
        A = A if i == len(sizes) - 2 else np.tanh(A)
    np.testing.assert_allclose(model.predict(X), A if sizes[-1] > 1 else A[:, 0], atol=1e-13)


# ---------------------------------------------------------------------- gradients


@pytest.mark.parametrize("activation", nn.ACTIVATIONS)
def test_gradients_of_each_layer_against_a_numeric_derivative(activation: str) -> None:
    layer = nn.Layer(3, 4, activation, seed=1)
    x = [Value(0.3, "p"), Value(-0.8, "q"), Value(0.5, "r")]
    for neuron, bias in zip(layer.neurons, (0.1, -0.4, 0.2, -0.3)):
        neuron.b.data = bias
    assert gradcheck(total(a * a for a in layer(x)))


def test_gradients_of_a_deep_network_against_a_numeric_derivative() -> None:
    model = nn.MLP(2, [3, 3, 2], "sigmoid", output="softmax", seed=0)
    assert gradcheck(model([0.5, -1.0])[0].log())


# ---------------------------------------------------------------------- micrograd


def test_the_weights_are_micrograds_under_the_same_seed() -> None:
    random.seed(7)
    ours = nn.MLP(2, [16, 16, 1])
    random.seed(7)
    theirs = micrograd.nn.MLP(2, [16, 16, 1])
    assert [p.data for p in ours.parameters()] == [p.data for p in theirs.parameters()]
    assert repr(ours) == repr(theirs)
    x = [0.25, -1.5]
    mine, other = ours(x), theirs(x)
    assert mine.data == other.data
    mine.backward()
    other.backward()
    gradients = [p.grad for p in ours.parameters()]
    np.testing.assert_allclose(gradients, [p.grad for p in theirs.parameters()], rtol=1e-12)


@pytest.mark.parametrize("nonlin", [True, False])
@pytest.mark.parametrize("kind", [lambda m, n: m.Neuron(3, nonlin=n), lambda m, n: m.Neuron(3, n)])
def test_nonlin_and_its_repr_are_micrograds(kind: Callable[..., Any], nonlin: bool) -> None:
    assert repr(kind(nn, nonlin)) == repr(kind(micrograd.nn, nonlin))
    layers = nn.Layer(3, 2, nonlin=nonlin), micrograd.nn.Layer(3, 2, nonlin=nonlin)
    assert repr(layers[0]) == repr(layers[1])


def test_micrograds_training_loop_runs_unchanged() -> None:
    def trained(nn: Any) -> list[float]:
        random.seed(3)
        model = nn.MLP(2, [4, 1])
        losses = []
        for k in range(5):
            scores = [model([x, 1.0 - x]) for x in (0.1, 0.6, 0.9)]
            loss = sum((1 + -y * s).relu() for y, s in zip((1, -1, 1), scores)) * (1.0 / 3)
            loss = loss + 1e-4 * sum(p * p for p in model.parameters())
            model.zero_grad()
            loss.backward()
            for p in model.parameters():
                p.data -= (1.0 - 0.9 * k / 100) * p.grad
            losses.append(loss.data)
        return losses

    assert trained(nn) == pytest.approx(trained(micrograd.nn), rel=1e-12)


def test_one_neuron_in_the_middle_works_where_micrograd_fails() -> None:
    assert isinstance(nn.MLP(3, [1, 1], seed=0)([1.0, 2.0, 3.0]), Value)


# ---------------------------------------------------------------------- names and scopes


def test_labels_are_the_matrices_of_the_lessons() -> None:
    model = nn.MLP(2, [3, 2], seed=0)
    first, second = model.layers
    assert [w.label for w in first.neurons[2].w] == ["W1[2,0]", "W1[2,1]"]
    assert (first.neurons[2].b.label, second.neurons[1].b.label) == ("b1[2]", "b2[1]")
    out = model([1.0, 2.0])
    assert (first.neurons[2].z.label, first.neurons[2].a.label) == ("z1[2]", "a1[2]")
    assert out[1].label == "z2[1]", "an identity does not rename z"
    assert str(out[1].explain("W2[1,0]")).startswith("∂z2[1]/∂W2[1,0] =")


def test_labels_count_layers_and_not_what_stands_between() -> None:
    model = nn.Sequential(nn.Layer(1, 1), nn.Dropout(), nn.Layer(1, 1))
    assert [p.label for p in model.parameters()] == ["W1[0,0]", "b1[0]", "W2[0,0]", "b2[0]"]


def test_layers_of_nested_networks_are_numbered_through() -> None:
    model = nn.Sequential(nn.MLP(1, [1, 1]), nn.Dropout(), nn.Layer(1, 1))
    biases = [p.label for p in model.parameters() if p.label.startswith("b")]
    assert biases == ["b1[0]", "b2[0]", "b3[0]"]
    out = model([1.0])
    assert (out.label, out.scope) == ("a3[0]", "layer3.neurons[0]")
    assert model[0].layers[1].neurons[0].z.scope == "MLP[0].layer2.neurons[0]"


def test_a_layer_that_is_added_later_has_no_number() -> None:
    model = nn.MLP(1, [1])
    model.layers.append(nn.Layer(1, 1))
    out = model([1.0])
    assert (out.label, out.scope) == ("a[0]", "Layer[1].neurons[0]")


def test_inputs_become_one_constant_each() -> None:
    layer = nn.Layer(2, 3, seed=0)
    layer([1.0, np.float64(2.0)])
    x = layer.neurons[0].z.args[1].args[1]
    assert (x.label, x.op.name) == ("x[1]", "constant")
    assert layer.neurons[1].z.args[1].args[1] is x


def test_nodes_carry_the_neuron_and_layer_they_were_made_in() -> None:
    model = nn.MLP(2, [3, 1], seed=0)
    out = model([1.0, 2.0])
    assert model.layers[0].neurons[2].z.scope == "layer1.neurons[2]"
    assert out.scope == "layer2.neurons[0]"
    drawing = model([1.0, 2.0]).draw(max_nodes=8).source
    assert "layer1" in drawing
    assert "layer2" in drawing


# ---------------------------------------------------------------------- initialisers


@pytest.mark.parametrize("activation", nn.ACTIVATIONS)
def test_the_initialiser_fits_the_activation(activation: str) -> None:
    rectifiers = {"relu", "leaky_relu", "elu", "silu", "gelu", "softplus"}
    expected = "he" if activation in rectifiers else "xavier"
    by_default = nn.Layer(5, 4, activation, seed=3)
    named = nn.Layer(5, 4, activation, init=expected, seed=3)
    other = nn.Layer(5, 4, activation, init="uniform", seed=3)
    assert by_default.state_dict()["weight"].tolist() == named.state_dict()["weight"].tolist()
    assert by_default.state_dict()["weight"].tolist() != other.state_dict()["weight"].tolist()


@pytest.mark.parametrize(
    ("init", "variance", "bound"),
    [(uniform, 1 / 3, 1.0), (xavier, 2 / (30 + 70), (6 / 100) ** 0.5), (he, 2 / 30, np.inf)],
)
def test_the_variance_of_each_initialiser(init: Any, variance: float, bound: float) -> None:
    rng = random.Random(0)
    drawn = np.array([init(rng, 30, 70) for _ in range(20_000)])
    assert drawn.mean() == pytest.approx(0.0, abs=0.02 * variance**0.5 + 0.005)
    assert drawn.var() == pytest.approx(variance, rel=0.05)
    assert 0.9 * bound <= abs(drawn).max() <= bound or bound == np.inf


def test_the_same_seed_gives_the_same_weights_and_leaves_random_alone() -> None:
    random.seed(0)
    before = random.getstate()
    one, two = nn.MLP(2, [3, 1], seed=5), nn.MLP(2, [3, 1], seed=5)
    assert random.getstate() == before
    assert [p.data for p in one.parameters()] == [p.data for p in two.parameters()]
    weights = one.state_dict()["layers.0.weight"]
    assert len(set(weights.ravel().tolist())) == weights.size
    assert not one.state_dict()["layers.0.bias"].any()


def test_seeds_of_numpy_are_seeds() -> None:
    one, two = nn.Layer(2, 2, seed=np.int64(3)), nn.Layer(2, 2, seed=3)
    assert [p.data for p in one.parameters()] == [p.data for p in two.parameters()]


def test_an_initialiser_without_a_seed_follows_random_seed() -> None:
    random.seed(1)
    one = nn.Layer(2, 2, init="he")
    random.seed(1)
    two = nn.Layer(2, 2, init="he")
    assert [p.data for p in one.parameters()] == [p.data for p in two.parameters()]


def test_an_initialiser_of_ones_own() -> None:
    layer = nn.Layer(3, 2, init=lambda rng, nin, nout: 10.0 * nin + nout)
    assert set(layer.state_dict()["weight"].ravel()) == {32.0}


# ---------------------------------------------------------------------- dropout


def test_dropout_keeps_the_expected_value() -> None:
    dropout = nn.Dropout(0.25, seed=0)
    outputs = np.array(dropout([1.0] * 10_000))
    assert set(outputs) == {0.0, 1 / 0.75}
    assert outputs.mean() == pytest.approx(1.0, abs=0.03)
    assert dropout([1.0] * 50) != dropout([1.0] * 50), "a mask is drawn for each call"


def test_dropout_of_values_blocks_their_gradient() -> None:
    dropout = nn.Dropout(0.5, seed=1)
    x = [Value(1.0) for _ in range(4)]
    out = dropout(x)
    total(out).backward()
    assert [v.grad for v in x] == [v.data for v in out] == [0.0, 2.0, 2.0, 0.0]
    assert isinstance(dropout(x[0]), Value)


def test_dropout_of_rows() -> None:
    assert nn.Dropout(0.5, seed=1)([[1.0, 1.0], [1.0, 1.0]]) == [[0.0, 2.0], [2.0, 0.0]]


def test_inputs_may_be_any_numbers() -> None:
    neuron = loaded(nn.Neuron(1, "identity"), w=[2.0], b=0.5)
    for x in (3, np.array(3.0), np.array([3]), [np.float32(3.0)], (3.0,)):
        assert neuron(x).data == 6.5


def test_dropout_starts_anew_with_its_seed() -> None:
    dropout = nn.Dropout(0.5)
    dropout.seed(3)
    first = dropout([1.0] * 20)
    dropout.seed(3)
    assert dropout([1.0] * 20) == first


def test_dropout_does_nothing_in_evaluation() -> None:
    x = [Value(1.0)]
    assert nn.Dropout(0.9).eval()(x) is x
    assert nn.Dropout(0.0)(x) is x


# ---------------------------------------------------------------------- sequences


def test_sequential_runs_modules_and_functions_in_turn() -> None:
    layer = nn.Layer(1, 2, "identity", init=lambda *_: 3.0)
    model = nn.Sequential(layer, lambda values: values[0] + values[1])
    assert model(2.0).data == 12.0
    assert [model[0], len(model), next(iter(model))] == [layer, 2, layer]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_models_are_copied(copied: Callable[[nn.Module], nn.Module]) -> None:
    model = nn.MLP(2, [3, 1], seed=0)
    model([1.0, 2.0])
    twin = copied(model)
    assert [p.data for p in twin.parameters()] == [p.data for p in model.parameters()]
    assert not set(twin.parameters()) & set(model.parameters())


# ---------------------------------------------------------------------- bad input


@pytest.mark.parametrize("kind", [nn.Neuron(2), nn.Layer(2, 3), nn.MLP(2, [3, 1])])
@pytest.mark.parametrize("x", [[1.0], [1.0, 2.0, 3.0], 1.0, Value(1.0), np.zeros(5)])
def test_a_wrong_number_of_inputs_is_refused(kind: Any, x: Any) -> None:
    with pytest.raises(ValueError, match=r"takes 2 input\(s\), got [135]"):
        kind(x)


def test_a_table_is_for_predict() -> None:
    with pytest.raises(
        ValueError, match=r"got 3 rows of numbers. For a table of examples there is model.predict"
    ):
        nn.MLP(2, [1])([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: nn.Neuron(0), "nin is a whole number of at least 1, got 0"),
        (lambda: UNTYPED.Neuron(2.0), "nin is a whole number"),
        (lambda: nn.Layer(2, True), "nout is a whole number"),
        (lambda: nn.MLP(2, [3, -1]), "nout is a whole number of at least 1, got -1"),
        (lambda: nn.MLP(2, []), "at least one layer"),
        (lambda: nn.Neuron(2, "rleu"), "no activation 'rleu'; the nearest are 'relu'"),
        (lambda: nn.Neuron(2, "Sigmoid"), "the nearest are 'sigmoid'"),
        (lambda: nn.Neuron(2, "softmax"), r"use Layer\(2, nout, 'softmax'\)"),
        (lambda: nn.Layer(2, 2, init="xavjer"), "no initialiser 'xavjer'; the nearest are 'xavier"),
        (lambda: nn.Dropout(1.0), "at least 0 and below 1, got 1.0"),
        (lambda: nn.Dropout(-0.1), "at least 0 and below 1"),
    ],
)
def test_bad_settings_are_refused(build: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: UNTYPED.MLP(2, 16), r"as in \[16, 16, 1\]; got 16"),
        (lambda: UNTYPED.MLP(2, "16"), "got '16'"),
        (lambda: nn.Sequential(nn.Layer(1, 1), "relu"), "modules of nn and functions, got 'relu'"),
        (lambda: nn.Sequential(micrograd.nn.Neuron(1)), "modules of nn and functions, got"),
        (lambda: nn.Neuron(1)(["a"]), "expected one real number"),
        (lambda: UNTYPED.Neuron(2, seed=np.random.default_rng(0)), "a seed is a whole number or a"),
        (lambda: UNTYPED.Dropout("0.5"), "p, a probability, is a number, got '0.5'"),
    ],
)
def test_things_of_another_kind_are_refused(build: Callable[[], Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        build()


class Inside(nn.Module):
    """A user's module around a Sequential."""

    def __init__(self) -> None:
        self.inner = nn.Sequential(nn.Dropout(0.1), nn.MLP(2, [2, 1], seed=0))

    def forward(self, x: Any) -> Any:
        return self.inner(x)


@pytest.mark.parametrize(
    "model",
    [*(model for model in MODELS if not isinstance(model, ELEMENTWISE)), Inside()],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("rows", [1, 2, 3])
@pytest.mark.parametrize(
    "form",
    [
        lambda rows: [[0.0, 1.0]] * rows,
        lambda rows: ((0.0, 1.0),) * rows,
        lambda rows: np.zeros((rows, 2)),
        lambda rows: [np.zeros(2)] * rows,
        lambda rows: [[Value(0.0), 1.0]] * rows,
    ],
    ids=["lists", "tuples", "array", "arrays", "Values"],
)
def test_a_table_of_examples_is_pointed_to_predict(
    model: nn.Module, rows: int, form: Callable[[int], Any]
) -> None:
    with pytest.raises(ValueError, match=r"takes 2 input.*rows.*there is model.predict\(X\)"):
        model(form(rows))


def test_a_column_is_a_table_even_for_a_neuron_of_one_input() -> None:
    with pytest.raises(ValueError, match="got 1 rows of numbers"):
        nn.Neuron(1, seed=0)([[3.0]])
