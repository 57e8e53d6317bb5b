"""Tests of costs: values by hand, numeric derivatives, large inputs, and PyTorch's results."""

from __future__ import annotations

import inspect
import math
import pickle
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
import nn
from autograd import Value, compile, gradcheck, log_softmax, softmax
from autograd import sum as total
from nn import losses
from nn.loss_modules import Loss
from nn.training.answers import DISTANCES, OF_CLASSES, OF_SIDES

UNTYPED: Any = nn  # to call with arguments of wrong types


def values(numbers: Any) -> Any:
    return [values(x) for x in numbers] if isinstance(numbers, list) else Value(numbers)


def leaves(nested: Any) -> list[Value]:
    return [v for x in nested for v in leaves(x)] if isinstance(nested, list) else [nested]


BATCH = [[0.2, -1.3, 0.7], [2.0, 0.1, -0.4]]
EXAMPLES: list[tuple[Callable[..., Value], Any, Any, float]] = [
    # the function, outputs, targets, the cost worked by hand (mean)
    (nn.mse_loss, [1.0, 4.0], [0.0, 2.0], (1.0 + 4.0) / 2),
    (nn.mse_loss, [[1.0, 4.0], [0.0, 1.0]], [[0.0, 2.0], [3.0, 1.0]], (1 + 4 + 9 + 0) / 4),
    (nn.l1_loss, [1.0, 4.0], [0.0, 6.5], (1.0 + 2.5) / 2),
    (nn.binary_cross_entropy, [0.25, 0.25], [1, 0], (math.log(4) + math.log(4 / 3)) / 2),
    (nn.binary_cross_entropy, 0.25, 0.5, (math.log(4) + math.log(4 / 3)) / 2),
    (nn.binary_cross_entropy_with_logits, [math.log(3), 0.0], [0, 1], math.log(8) / 2),
    (nn.binary_cross_entropy_with_logits, math.log(3), 0.25, math.log(4) - 0.25 * math.log(3)),
    (nn.cross_entropy, [0.0, math.log(2), 0.0], 1, math.log(2)),
    (nn.cross_entropy, [[0.0, math.log(2), 0.0]] * 2, [1, 2], (math.log(2) + math.log(4)) / 2),
    (nn.cross_entropy, [0.0, math.log(2), 0.0], [0, 1, 0], math.log(2)),
    (nn.cross_entropy, [0.0, math.log(2), 0.0], [0.5, 0.5, 0.0], 1.5 * math.log(2)),
    (nn.nll_loss, [[-0.5, -2.0], [-1.0, -3.0]], [0, 1], (0.5 + 3.0) / 2),
    (nn.hinge_loss, [0.25, 3.0, -0.5], [1, 1, 1], (0.75 + 0.0 + 1.5) / 3),
    (nn.hinge_loss, 0.25, -1, 1.25),
    (nn.perceptron_loss, [0.25, -2.0], [-1, 1], (0.25 + 2.0) / 2),
]
MODULES = {
    nn.mse_loss: nn.MSELoss,
    nn.l1_loss: nn.L1Loss,
    nn.binary_cross_entropy: nn.BCELoss,
    nn.binary_cross_entropy_with_logits: nn.BCEWithLogitsLoss,
    nn.cross_entropy: nn.CrossEntropyLoss,
    nn.nll_loss: nn.NLLLoss,
    nn.hinge_loss: nn.HingeLoss,
    nn.perceptron_loss: nn.PerceptronLoss,
}
EXPORTED = {
    x for x in vars(nn).values() if inspect.isfunction(x) and x.__module__ == losses.__name__
}


def count(function: Callable[..., Value], outputs: Any) -> int:
    """Return the number of terms that a mean divides by."""
    per_example = function in (nn.cross_entropy, nn.nll_loss)
    depth = np.ndim(outputs)
    return (len(outputs) if depth == 2 else 1) if per_example else int(np.size(outputs))


@pytest.mark.parametrize(("function", "outputs", "target", "cost"), EXAMPLES)
def test_by_hand(function: Any, outputs: Any, target: Any, cost: float) -> None:
    n = count(function, outputs)
    assert function(values(outputs), target).data == pytest.approx(cost, rel=1e-14)
    assert function(values(outputs), target, "sum").data == pytest.approx(n * cost, rel=1e-14)
    module = MODULES[function]
    assert module()(values(outputs), target).data == pytest.approx(cost, rel=1e-14)
    assert module(reduction="sum")(values(outputs), target).data == pytest.approx(n * cost)
    assert function(outputs, target).data == pytest.approx(cost), "plain numbers are accepted too"


@pytest.mark.parametrize(("function", "outputs", "target", "cost"), EXAMPLES)
def test_gradients_against_a_numeric_derivative(
    function: Any, outputs: Any, target: Any, cost: float
) -> None:
    assert gradcheck(function(values(outputs), target))


def test_every_cost_is_worked_by_hand_and_has_a_module() -> None:
    worked = {example[0] for example in EXAMPLES}
    assert worked == set(MODULES) == EXPORTED - {nn.squared_error}, "its test is below"
    modules = {x for x in vars(nn).values() if isinstance(x, type) and issubclass(x, Loss)}
    assert set(MODULES.values()) == modules - {nn.SquaredError}


def test_of_every_cost_it_is_known_what_outputs_mean() -> None:
    assert {*OF_CLASSES, *OF_SIDES, *DISTANCES} == EXPORTED


@pytest.mark.parametrize("function", MODULES)
def test_a_module_is_documented_as_its_function(function: Any) -> None:
    module: Any = MODULES[function]
    parameters = inspect.signature(function).parameters
    assert list(inspect.signature(module).parameters) == list(parameters)[2:]
    text = inspect.getdoc(module) or ""
    assert (function.__doc__ or "").splitlines()[0] in text
    assert f"{module.__name__}()(" in text
    assert f"{function.__name__}(" not in text


@pytest.mark.parametrize("module", [*MODULES.values(), nn.SquaredError])
def test_a_module_is_pickled(module: Any) -> None:
    before = module() if module is nn.SquaredError else module("sum")
    after = pickle.loads(pickle.dumps(before))
    assert type(after) is module
    assert repr(after) == repr(before) == f"{module.__name__}(reduction='sum')"


def test_the_lessons_cost_of_one_example() -> None:
    a = values([0.43, 0.28, 0.19])
    cost = nn.squared_error(a, [0.0, 0.0, 1.0])
    assert cost.data == pytest.approx(0.43**2 + 0.28**2 + (0.19 - 1) ** 2)
    assert nn.SquaredError()(a, [0.0, 0.0, 1.0]).data == cost.data
    cost.backward()
    assert [v.grad for v in a] == pytest.approx([2 * 0.43, 2 * 0.28, 2 * (0.19 - 1)])
    assert nn.squared_error(Value(3.0), 1.0).data == 4.0


# ---------------------------------------------------------------------- tails

LOGITS = st.floats(-800.0, 800.0)


def relative(a: float, b: Any) -> float:
    return float(abs(a - b) / (abs(b) + mpmath.mpf("1e-300")))


@given(LOGITS, st.sampled_from([0, 1]))
def test_logits_cost_what_they_should_in_both_tails(z: float, y: int) -> None:
    logit = Value(z)
    cost = nn.binary_cross_entropy_with_logits(logit, y)
    cost.backward()
    with mpmath.workdps(800):
        p = 1 / (1 + mpmath.exp(-mpmath.mpf(z)))
        exact = -mpmath.log(p if y else 1 - p)
        slope = p - y
    assert relative(cost.data, exact) < 1e-13
    assert relative(logit.grad, slope) < 1e-13


@given(st.lists(LOGITS, min_size=2, max_size=4), st.integers(0, 3))
def test_cross_entropy_costs_what_it_should_in_both_tails(z: list[float], c: int) -> None:
    c %= len(z)
    logits = values(z)
    cost = nn.cross_entropy(logits, c)
    cost.backward()
    with mpmath.workdps(1500):
        e = [mpmath.exp(mpmath.mpf(x)) for x in z]
        p = [x / sum(e) for x in e]
        exact = -mpmath.log(p[c])
        slopes = [pk - (k == c) for k, pk in enumerate(p)]
    # the difference of two logits is rounded once before exp
    rounding = 1e-13 * (1 + max(map(abs, z)))
    assert relative(cost.data, exact) < rounding
    for logit, slope in zip(logits, slopes):
        assert relative(logit.grad, slope) < rounding


@pytest.mark.parametrize("of_values", [False, True])
@pytest.mark.parametrize(
    ("z", "cost", "slopes"),
    [
        ([0.0, -math.inf, -math.inf], 0.0, [0.0, 0.0, 0.0]),
        ([-math.inf, 0.0, 0.0], math.inf, [-1.0, 0.5, 0.5]),
        ([1.0, math.inf], math.inf, [-1.0, 1.0]),
        ([math.inf, 1.0, 2.0], 0.0, [0.0, 0.0, 0.0]),
        ([60.0, 0.0], 8.75651076269652e-27, [-8.75651076269652e-27, 8.75651076269652e-27]),
        ([1e16, 1e16, 1e16], math.log(3.0), [-2 / 3, 1 / 3, 1 / 3]),
    ],
)
def test_cross_entropy_of_extreme_logits(
    z: list[float], cost: float, slopes: list[float], of_values: bool
) -> None:
    logits = values(z)
    target = values(nn.one_hot(0, len(z)).tolist()) if of_values else 0
    found = nn.cross_entropy(logits, target)
    found.backward()
    assert found.data == pytest.approx(cost, rel=1e-14, abs=0.0)
    assert [logit.grad for logit in logits] == pytest.approx(slopes, rel=1e-14, abs=0.0)


def test_cross_entropy_of_mixed_weights_agrees_whether_they_are_numbers_or_values() -> None:
    for z in ([0.3, -2.0, 5.0], [1e16, 1e16, 1e16], [800.0, 0.0, -800.0], [0.0, 1.0, -math.inf]):
        weights = [0.25, 0.75, 0.0]
        by_numbers, by_values = values(z), values(z)
        wanted = nn.cross_entropy(by_numbers, weights)
        found = nn.cross_entropy(by_values, values(weights))
        wanted.backward()
        found.backward()
        assert found.data == pytest.approx(wanted.data)
        assert [v.grad for v in by_values] == pytest.approx([v.grad for v in by_numbers])


def test_a_hopeless_probability_is_explained() -> None:
    for p, y in ((0.0, 1), (1.0, 0), (1.0, 0.5)):
        with pytest.raises(OverflowError, match="costs infinity: give the logits"):
            nn.binary_cross_entropy(Value(p), y)
    assert nn.binary_cross_entropy(Value(1.0), 1).data == 0.0
    assert nn.binary_cross_entropy(Value(1e-30), 0).data == 1e-30


# ---------------------------------------------------------------------- laws


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=5), st.data())
def test_a_class_a_one_hot_vector_and_values_cost_the_same(
    z: list[float], data: st.DataObject
) -> None:
    c = data.draw(st.integers(0, len(z) - 1))
    hot = nn.one_hot(c, len(z))
    costs = [
        nn.cross_entropy(values(z), c),
        nn.cross_entropy(values(z), hot),
        nn.cross_entropy(values(z), hot.astype(int).tolist()),
        nn.cross_entropy(values(z), values(hot.tolist())),
        nn.nll_loss([p.log() for p in softmax(values(z))], c),
        nn.nll_loss(log_softmax(values(z)), c),
        -softmax(values(z))[c].log(),
    ]
    assert [cost.data for cost in costs] == pytest.approx([costs[0].data] * 7, rel=1e-9, abs=1e-12)


def test_a_target_of_values_gets_gradients_too() -> None:
    z, y = values([0.3, -0.7, 1.1]), values([0.2, 0.5, 0.3])
    assert gradcheck(nn.cross_entropy(z, y))
    p, q = Value(0.3), Value(0.6)
    assert gradcheck(nn.binary_cross_entropy(p, q))
    assert gradcheck(nn.binary_cross_entropy_with_logits(p, q))
    assert gradcheck(nn.hinge_loss(p, Value(1.0)))


@pytest.mark.parametrize("one", [1.0, np.float32(1.0), np.array(1.0), np.int8(1), True])
def test_a_whole_number_is_a_class_however_it_is_written(one: Any) -> None:
    for loss in (nn.cross_entropy, nn.nll_loss):
        assert loss(values([1.0, 2.0]), one).data == loss(values([1.0, 2.0]), 1).data
    assert nn.one_hot(one, 3).tolist() == [0.0, 1.0, 0.0]
    assert nn.one_hot([one, 2.0], 3).tolist() == [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]


def test_yes_and_no_may_be_written_as_true_and_false() -> None:
    for loss in (nn.mse_loss, nn.binary_cross_entropy):
        for yes in (True, np.True_):
            assert loss(Value(0.25), yes).data == loss(Value(0.25), 1).data
    assert nn.cross_entropy(values([1.0, 2.0]), np.array([False, True])).data == (
        nn.cross_entropy(values([1.0, 2.0]), 1).data
    )


WRONG: list[tuple[Any, list[float], Any]] = [
    (nn.hinge_loss, [0.3], [0.0]),
    (nn.hinge_loss, [0.3], [math.nan]),
    (nn.perceptron_loss, [0.3], [2.0]),
    (nn.binary_cross_entropy, [0.3], [5.0]),
    (nn.binary_cross_entropy, [0.3], [-0.5]),
    (nn.binary_cross_entropy, [1.5], [1.0]),
    (nn.binary_cross_entropy, [math.nan], [1.0]),
    (nn.binary_cross_entropy, [0.0], [1.0]),
    (nn.binary_cross_entropy, [1.0], [0.5]),
    (nn.binary_cross_entropy_with_logits, [0.3], [5.0]),
    (nn.cross_entropy, [0.3, 0.2, 0.1], [1.0, 1.0, 0.0]),
    (nn.cross_entropy, [0.3, 0.2, 0.1], [1.5, -0.5, 0.0]),
    (nn.cross_entropy, [0.3, 0.2, 0.1], [0.0, 0.0, 0.0]),
]


@pytest.mark.parametrize(("loss", "outputs", "target"), WRONG)
def test_numbers_values_and_compiled_code_refuse_the_same_in_the_same_words(
    loss: Any, outputs: list[float], target: list[float]
) -> None:
    compiled = compile(lambda z, y: loss(z, y))
    fine = {nn.hinge_loss: [1.0], nn.perceptron_loss: [-1.0]}.get(loss, [0.0])
    right, other = (fine, fine) if len(outputs) == 1 else ([1.0, 0.0, 0.0], [0.0, 0.0, 1.0])
    mild = [[0.5] * len(outputs), [0.25] * len(outputs)]
    calls = [
        lambda: loss(values(outputs), target),
        lambda: loss(values(outputs), values(target)),
        lambda: compiled([*mild, outputs], [right, other, target]),
        lambda: compiled.value_and_grad([*mild, outputs], [right, other, target]),
    ]
    said = []
    for call in calls:
        with pytest.raises((ValueError, OverflowError)) as caught:
            call()
        said.append(str(caught.value).removeprefix("in row 2: "))
    assert said == [said[0]] * len(calls)


RIGHT: list[tuple[Any, float, float, float, float]] = [
    # a term multiplied by zero does not count, even if it is infinite
    (nn.binary_cross_entropy, 0.0, 0.0, 0.0, 1.0),
    (nn.binary_cross_entropy, 1.0, 1.0, 0.0, -1.0),
    (nn.binary_cross_entropy_with_logits, math.inf, 1.0, 0.0, 0.0),
    (nn.binary_cross_entropy_with_logits, -math.inf, 0.0, 0.0, 0.0),
    (nn.binary_cross_entropy_with_logits, 800.0, 0.0, 800.0, 1.0),
]


@pytest.mark.parametrize(("loss", "output", "target", "cost", "slope"), RIGHT)
def test_certain_answers_cost_the_same_on_every_path(
    loss: Any, output: float, target: float, cost: float, slope: float
) -> None:
    for y in (target, Value(target)):
        x = Value(output)
        found = loss(x, y)
        found.backward()
        assert (found.data, x.grad) == (cost, slope)
    shift = Value(0.0)
    compiled = compile(lambda x, y: loss(x + shift, y), params=[shift])
    mean, gradient = compiled.value_and_grad([output, 0.5], [target, 1.0])
    other = Value(0.5)
    costs = loss(other, 1.0)
    costs.backward()
    assert mean == pytest.approx((cost + costs.data) / 2)
    assert gradient[0] == pytest.approx((slope + other.grad) / 2)


def test_a_class_adds_no_node_for_its_zeros() -> None:
    hot = nn.cross_entropy(values([1.0, 2.0, 3.0]), nn.one_hot(1, 3))
    index = nn.cross_entropy(values([1.0, 2.0, 3.0]), 1)
    assert len(hot.draw(max_nodes=99).source) == len(index.draw(max_nodes=99).source)


def test_the_perceptrons_gradient_is_its_rule() -> None:
    w, b = [Value(0.5), Value(-1.0)], Value(0.25)
    for x, y in (([1.0, 2.0], 1), ([1.0, 2.0], -1)):
        score = total(wi * xi for wi, xi in zip(w, x)) + b
        cost = nn.perceptron_loss(score, y)
        cost.zero_grad()
        cost.backward()
        wrong = y * score.data <= 0
        assert [p.grad for p in [*w, b]] == [-y * xi if wrong else 0.0 for xi in [*x, 1.0]]


def test_one_output_may_stand_in_a_list_or_not() -> None:
    assert nn.mse_loss(Value(2.0), [1.0]).data == nn.mse_loss([Value(2.0)], 1.0).data == 1.0


def test_penalties_by_hand() -> None:
    w = values([3.0, -4.0])
    l1, l2 = nn.l1_penalty(w, 0.1), nn.l2_penalty(w, 0.1)
    assert (l1.data, l2.data) == pytest.approx((0.7, 2.5))
    l1.backward()
    assert [v.grad for v in w] == pytest.approx([0.1, -0.1])
    l1.zero_grad()
    l2.backward()
    assert [v.grad for v in w] == pytest.approx([0.6, -0.8])


def test_one_hot() -> None:
    assert nn.one_hot(0, 3).tolist() == [1.0, 0.0, 0.0]
    assert nn.one_hot(np.array([2, 0]), 3).tolist() == [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]


# ---------------------------------------------------------------------- beside PyTorch


OURS_ALONE = (nn.hinge_loss, nn.perceptron_loss)


@pytest.mark.parametrize(
    ("function", "outputs", "target", "cost"),
    [example for example in EXAMPLES if example[0] not in OURS_ALONE],
)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_pytorch_agrees(
    torch: Any, function: Any, outputs: Any, target: Any, cost: float, reduction: str
) -> None:
    theirs = getattr(torch.nn.functional, function.__name__)
    ours = values(outputs)
    mine = function(ours, target, reduction)
    mine.backward()
    tensor = torch.tensor(outputs, dtype=torch.float64, requires_grad=True)
    classes = function in (nn.cross_entropy, nn.nll_loss) and np.ndim(target) < np.ndim(outputs)
    wanted = torch.tensor(target, dtype=torch.int64 if classes else torch.float64)
    other = theirs(tensor, wanted, reduction=reduction)
    other.backward()
    assert mine.data == pytest.approx(other.item(), rel=1e-12)
    found = [v.grad for v in leaves(ours)]
    np.testing.assert_allclose(found, tensor.grad.numpy().ravel(), rtol=1e-10, atol=1e-15)


# ---------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.mse_loss(values([1.0, 2.0]), [1.0]), r"shape \(2,\) and the targets \(1,\)"),
        (lambda: nn.mse_loss(values([1.0, 2.0]), 1.0), r"shape \(2,\) and the targets \(\)"),
        (lambda: nn.mse_loss([], []), "there are no outputs"),
        (lambda: nn.cross_entropy([], []), "there are no outputs"),
        (lambda: nn.mse_loss([[Value(1.0)], []], [[1.0], []]), "rows differ in shape"),
        (lambda: nn.mse_loss(Value(1.0), 1.0, "median"), "one of mean, sum; got .median"),
        (lambda: nn.MSELoss("none"), "reduction is one of mean, sum; got 'none'"),
        (lambda: nn.binary_cross_entropy(Value(1.5), 1), "1.5 is no probability: put a sigmoid"),
        (lambda: nn.binary_cross_entropy(Value(0.5), 2), "a target is 0, 1 or between, got 2"),
        (lambda: nn.binary_cross_entropy_with_logits(Value(0.5), -1), "0, 1 or between, got -1"),
        (lambda: nn.cross_entropy(Value(1.0), 0), "at least two classes, got 1"),
        (lambda: nn.cross_entropy(values([1.0, 2.0]), 2), "class 2 is outside the 2 classes, 0 to"),
        (lambda: nn.cross_entropy(values([1.0, 2.0]), -1), "class -1 is outside"),
        (lambda: nn.cross_entropy(values([1.0, 2.0]), [1.0]), "2 logits and 1 probabilities"),
        (lambda: nn.cross_entropy(values([1.0, 2.0]), [2.0, -1.0]), "not negative"),
        (lambda: nn.cross_entropy(values([1.0, 2.0]), [0.3, 0.3]), "add up to 1"),
        (lambda: nn.cross_entropy(values(BATCH), [0]), "2 examples and as targets 1"),
        (lambda: nn.cross_entropy(values(BATCH), 0), "2 examples and as targets one number"),
        (
            lambda: nn.cross_entropy(values([1.0, 2.0, 0.0]), [1, 1, 0]),
            "add up to 1, got .* For se",
        ),
        (lambda: nn.nll_loss(values([1.0, 2.0]), 5), "class 5 is outside"),
        (lambda: nn.hinge_loss(Value(1.0), 0), "1 or -1, got 0"),
        (lambda: nn.perceptron_loss(Value(1.0), 0.5), "1 or -1, got 0.5"),
        (lambda: nn.one_hot([0, 3], 3), "class 3 is outside the 3 classes, 0 to 2"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: nn.cross_entropy(values([1.0, 2.0]), 0.5),
        lambda: nn.nll_loss(values([1.0, 2.0]), math.nan),
        lambda: nn.nll_loss(values([1.0, 2.0]), "one"),
        lambda: nn.one_hot(0.5, 3),
        lambda: nn.cross_entropy(values([1.0, 2.0]), None),
    ],
)
def test_a_class_is_a_whole_number(call: Callable[[], Any]) -> None:
    with pytest.raises(TypeError, match="a class is a whole number from 0 to"):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: nn.mse_loss(values([1.0, 2.0]), ["a", "b"]),
        lambda: nn.mse_loss(Value(1.0), None),
        lambda: nn.binary_cross_entropy(Value(0.5), None),
        lambda: UNTYPED.l1_penalty(nn.Neuron(1), 0.1),
        lambda: UNTYPED.l2_penalty(nn.Neuron(1), 0.1),
    ],
)
def test_what_is_no_number_is_told(call: Callable[[], Any]) -> None:
    with pytest.raises(TypeError, match="numbers?, got|parameters are Values"):
        call()


def test_arrays_of_no_dimensions_are_numbers() -> None:
    assert nn.mse_loss(Value(3.0), np.array(1.0)).data == 4.0
    assert nn.cross_entropy(values([1.0, 1.0]), np.array(0)).data == pytest.approx(math.log(2))
    assert nn.one_hot(np.array(1), 2).tolist() == [0.0, 1.0]


def test_a_masked_logit_costs_nothing() -> None:
    assert nn.cross_entropy([Value(-math.inf), Value(2.0)], 1).data == 0.0


# ---------------------------------------------------------------------- classes in the graph

OF_CLASS = {
    nn.cross_entropy: lambda z, k: autograd.surprisal(z[k], z[:k] + z[k + 1 :]),
    nn.nll_loss: lambda z, k: -z[k],
}


@pytest.mark.parametrize("loss", OF_CLASS)
def test_a_class_that_is_a_value_chooses_in_the_graph(loss: Any) -> None:
    z, y = values([60.0, -1.5, 0.25]), Value(0, "y")
    cost = loss(z, y)
    for k in (0, 2, 1):
        y.data = k
        wanted = OF_CLASS[loss](z, k)
        assert cost.recompute().data == pytest.approx(wanted.data, rel=1e-14)
        found, expected = autograd.grad(cost, z), autograd.grad(wanted, z, allow_unused=True)
        assert found == pytest.approx([x or 0.0 for x in expected], rel=1e-14)
    assert autograd.grad(cost, y) == (0.0,)
    y.data = 3
    with pytest.raises(ValueError, match="is out of range for a table of 3 rows: 0 to 2"):
        cost.recompute()
    with pytest.raises(ValueError, match=r"token 0.5 \(c\) is no whole number"):
        loss(z, Value(0.5, "c"))


@pytest.mark.parametrize("loss", OF_CLASS)
@pytest.mark.parametrize("make", [int, Value], ids=["numbers", "Values"])
def test_an_ignored_example_costs_nothing_and_the_mean_is_that_of_the_others(
    loss: Any, make: Any
) -> None:
    rows = [values([0.5, 1.0, -2.0]), values([0.0, 0.25, 3.0]), values([1.0, 1.5, 0.5])]
    kept = [loss(rows[0], 2).data, loss(rows[2], 0).data]
    for ignored in (-100, -1, 1):
        targets = [make(2), make(ignored), make(0)]
        mean = loss(rows, targets, ignore_index=ignored)
        assert mean.data == pytest.approx(sum(kept) / 2)
        total = loss(rows, targets, "sum", ignore_index=ignored)
        assert total.data == pytest.approx(sum(kept))
        slopes = autograd.grad(mean, rows[1], allow_unused=True)
        assert [slope or 0.0 for slope in slopes] == [0.0, 0.0, 0.0]
        assert loss(rows[1], make(ignored), ignore_index=ignored).data == 0.0
        assert loss(rows, [make(ignored)] * 3, ignore_index=ignored).data == 0.0


@pytest.mark.parametrize("loss", OF_CLASS)
def test_ignored_examples_and_chosen_classes_are_compiled(loss: Any) -> None:
    w = values([0.5, -1.0, 0.25])

    def cost(x: list[Value], y: list[Value]) -> Any:
        return loss([[a * b for b in w] for a in x], y)

    X = [[0.5, -1.0, 2.0], [1.0, 0.25, -0.5]]
    Y = [[0, -100, 2], [-100, 1, 1]]
    value, gradient = autograd.compile(cost, params=w).value_and_grad(X, Y)
    costs = [cost(x, y) for x, y in zip(X, Y)]  # type: ignore[arg-type]
    whole = autograd.mean(costs)
    assert value == pytest.approx(whole.data, rel=1e-12)
    assert gradient == pytest.approx(autograd.grad(whole, w), rel=1e-12)
    with pytest.raises(ValueError, match=r"in row 1: take: token 3 \(y\[1\]\) is out of range"):
        autograd.compile(cost, params=w)(X, [[0, 1, 2], [0, 3, 1]])


def test_a_module_ignores_what_it_is_told_to() -> None:
    loss = nn.CrossEntropyLoss(ignore_index=1)
    assert loss(values([0.5, 1.0]), 1).data == 0.0
    assert loss(values([0.5, 1.0]), 0).data > 0.0
    with pytest.raises(ValueError, match="ignore_index is a whole number, got 0.5"):
        nn.NLLLoss(ignore_index=UNTYPED_HALF)


UNTYPED_HALF: Any = 0.5
