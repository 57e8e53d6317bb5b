"""Tests of optimisers: one step by hand, and a hundred compared with PyTorch."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value

UNTYPED: Any = nn  # to call with arguments of wrong types


def stepped(optimizer: nn.Optimizer, gradients: list[float]) -> float:
    (w,) = optimizer.params
    for gradient in gradients:
        w.grad = gradient
        optimizer.step()
    return w.data


@pytest.mark.parametrize(
    ("build", "gradients", "expected"),
    [
        # w₀ = 4; w ← w − lr·g
        (lambda w: nn.SGD([w], lr=0.1), [2.0, -1.0], 4.0 - 0.2 + 0.1),
        # v = 2, then 0.9·2 + 1 = 2.8
        (lambda w: nn.SGD([w], 0.1, momentum=0.9), [2.0, 1.0], 4.0 - 0.2 - 0.28),
        # g + 0.9·v: 2 + 1.8, then 1 + 0.9·2.8
        (lambda w: nn.SGD([w], 0.1, 0.9, nesterov=True), [2.0, 1.0], 4.0 - 0.38 - 0.352),
        # g = 2 + 0.5·4, then 1 + 0.5·3.6
        (lambda w: nn.SGD([w], 0.1, weight_decay=0.5), [2.0, 1.0], 4.0 - 0.4 - 0.28),
        # the first step is lr·g/|g|
        (lambda w: nn.Adam([w], 0.1, eps=0.0), [123.0], 3.9),
        # m = 0.1·2 then 0.9·0.2 + 0.1·1 = 0.28, over 1 − 0.81; v = 0.004 then 0.003996 + 0.001
        (
            lambda w: nn.Adam([w], 0.1, eps=0.0),
            [2.0, 1.0],
            3.9 - 0.1 * (0.28 / 0.19) / math.sqrt(0.004996 / 0.001999),
        ),
        # m̂ = 3 and √v̂ = 3
        (lambda w: nn.Adam([w], 0.1, eps=1.0), [3.0], 4.0 - 0.1 * 3.0 / (3.0 + 1.0)),
        # g = −1.5 + 0.5·4 = 0.5, and √v̂ = 0.5
        (lambda w: nn.Adam([w], 0.1, eps=0.5, weight_decay=0.5), [-1.5], 4.0 - 0.1 * 0.5),
    ],
)
def test_steps_worked_by_hand(
    build: Callable[[Value], nn.Optimizer], gradients: list[float], expected: float
) -> None:
    assert stepped(build(Value(4.0)), gradients) == pytest.approx(expected, rel=1e-12)


SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.02, "momentum": 0.8, "nesterov": True, "weight_decay": 0.01}),
    ("Adam", {"lr": 0.01}),
    ("Adam", {"lr": 0.02, "betas": (0.8, 0.95), "eps": 1e-6, "weight_decay": 0.02}),
]


@pytest.mark.parametrize(("kind", "settings"), SETTINGS)
def test_a_hundred_steps_are_pytorchs(torch: Any, kind: str, settings: dict[str, Any]) -> None:
    model = nn.MLP(2, [4, 3], "tanh", seed=0)
    twin = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3))
    twin = twin.double()
    names = ("0.weight", "0.bias", "2.weight", "2.bias")
    arrays = map(torch.from_numpy, model.state_dict().values())
    twin.load_state_dict(dict(zip(names, arrays)))
    ours = getattr(nn, kind)(model.parameters(), **settings)
    theirs = getattr(torch.optim, kind)(twin.parameters(), **settings)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(5, 2)), rng.integers(0, 3, size=5)
    for _ in range(100):
        ours.zero_grad()
        nn.cross_entropy([model(row) for row in X], y).backward()
        ours.step()
        theirs.zero_grad()
        torch.nn.functional.cross_entropy(twin(torch.from_numpy(X)), torch.from_numpy(y)).backward()
        theirs.step()
    for mine, other in zip(model.state_dict().values(), twin.state_dict().values()):
        np.testing.assert_allclose(mine, other.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("kind", "settings"), SETTINGS)
def test_a_saved_optimiser_goes_on_as_if_nothing_had_happened(
    kind: str, settings: dict[str, Any]
) -> None:
    straight = getattr(nn, kind)([Value(1.0)], **settings)
    stepped(straight, [1.0, -2.0, 0.5])
    first = getattr(nn, kind)([Value(1.0)], **settings)
    stepped(first, [1.0, -2.0])
    second = getattr(nn, kind)([Value(first.params[0].data)], **settings)
    second.load_state_dict(first.state_dict())
    assert stepped(second, [0.5]) == straight.params[0].data


def test_a_state_of_another_size_changes_nothing() -> None:
    small, large = (nn.Adam([Value(1.0) for _ in range(n)]) for n in (1, 2))
    stepped(small, [1.0])
    before = large.state_dict()
    with pytest.raises(ValueError, match=r"m has shape \(1,\), and there are 2 parameters"):
        large.load_state_dict(small.state_dict())
    with pytest.raises(ValueError, match="this is the state of SGD, and not of Adam"):
        large.load_state_dict(nn.SGD([Value(1.0)]).state_dict())
    with pytest.raises(ValueError, match="this is the state of None"):
        large.load_state_dict({})
    assert large.state_dict() == before


def test_a_state_brings_its_settings() -> None:
    other = nn.SGD([Value(1.0)], 0.1)
    other.load_state_dict(
        nn.SGD([Value(1.0)], 0.2, 0.9, weight_decay=0.01, nesterov=True).state_dict()
    )
    assert (other.lr, other.momentum, other.weight_decay, other.nesterov) == (0.2, 0.9, 0.01, True)


def test_what_pytorch_has_in_another_place_goes_by_name() -> None:
    with pytest.raises(TypeError, match="positional argument"):
        UNTYPED.SGD([Value(1.0)], 0.1, 0.9, 0, 1e-4)


@pytest.mark.parametrize("kind", [nn.SGD, nn.Adam])
def test_the_repr_shows_the_settings(kind: Any) -> None:
    shown = repr(kind([Value(1.0)], lr=0.25, weight_decay=0.125))
    assert shown.startswith(f"{kind.__name__}(lr=0.25, ")
    assert "weight_decay=0.125" in shown


def test_a_failed_step_is_no_step() -> None:
    class Broken(nn.SGD):
        def _change(self, gradient: np.ndarray) -> Any:
            raise ZeroDivisionError

    optimizer = Broken([Value(1.0)])
    with pytest.raises(ZeroDivisionError):
        optimizer.step()
    assert (optimizer.steps, optimizer.params[0].data) == (0, 1.0)


@pytest.mark.parametrize("kind", [nn.SGD, nn.Adam])
@pytest.mark.parametrize(
    ("gradient", "error", "words"),
    [
        (
            np.array([1.0]),
            ValueError,
            r"each of the 3 parameters, got float64 data of shape \(1,\)",
        ),
        (np.array([1.0, 2.0]), ValueError, r"of shape \(2,\)"),
        (np.ones((3, 1)), ValueError, r"of shape \(3, 1\)"),
        (np.ones((1, 3)), ValueError, r"of shape \(1, 3\)"),
        (np.array(1.0), ValueError, r"of shape \(\)"),
        (1.0, TypeError, "gradient is an array with a number for each parameter, got 1.0"),
        ([], ValueError, r"of shape \(0,\)"),
        (["1", "2", "3"], ValueError, "gradient has a number for each"),
        (np.array([1j, 2.0, 3.0]), ValueError, "gradient has a number for each"),
        ([None, 1.0, 2.0], ValueError, "gradient has a number for each"),
        ([Value(1.0)] * 3, ValueError, "gradient has a number for each"),
        (np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False]), ValueError, "masked"),
        ([1.0, math.nan, 2.0], FloatingPointError, r"the gradient of b is nan, .* no parameter"),
        ([math.inf, 1.0, 2.0], FloatingPointError, r"the gradient of params\[0\] is inf"),
    ],
    ids=str,
)
def test_a_gradient_that_is_no_number_for_each_moves_nothing(
    kind: Any, gradient: Any, error: type[Exception], words: str
) -> None:
    optimizer = kind([Value(0.0), Value(1.0, "b"), Value(2.0)], lr=1.0)
    with pytest.raises(error, match=words):
        optimizer.step(gradient)
    assert [p.data for p in optimizer.params] == [0.0, 1.0, 2.0]
    assert (optimizer.steps, optimizer.memory) == (0, {})


@pytest.mark.parametrize(
    "gradient",
    [
        [1.0, 2.0],
        np.array([1, 2]),
        np.array([1.0, 2.0], dtype=np.float32),
        np.array([1, 2], np.uint8),
    ],
    ids=repr,
)
def test_a_gradient_may_come_in_any_type_of_number(gradient: Any) -> None:
    optimizer = nn.SGD([Value(3.0), Value(5.0)], lr=1.0)
    optimizer.step(gradient)
    assert [p.data for p in optimizer.params] == [2.0, 3.0]


@pytest.mark.parametrize(
    ("build", "gradient"),
    [
        (lambda w: nn.SGD([w], 0.1), math.nan),
        (lambda w: nn.SGD([w], 10.0), 1e308),
        (lambda w: nn.SGD([w], 0.1, 0.9), -math.inf),
        (lambda w: nn.Adam([w]), 1e200),  # its square would block this parameter for ever
    ],
)
def test_a_step_that_is_not_finite_is_no_step(build: Any, gradient: float) -> None:
    w = Value(1.0)
    optimizer = build(w)
    w.grad = gradient
    with pytest.raises(FloatingPointError, match="no finite step can be made"):
        optimizer.step()
    assert (w.data, optimizer.steps, optimizer.memory) == (1.0, 0, {})


@pytest.mark.parametrize("kind, settings", [(nn.SGD, {"momentum": 0.9}), (nn.Adam, {})])
def test_unchecked_steps_are_steps_that_are_checked_later(kind: Any, settings: Any) -> None:
    checked, unchecked = (kind([Value(1.0), Value(-2.0)], lr=0.1, **settings) for _ in range(2))
    for gradient in ([1.0, 2.0], [-3.0, 0.5]):
        checked.step(np.array(gradient))
        unchecked.step_unchecked(np.array(gradient))
    assert unchecked.read().tolist() == checked.read().tolist()
    assert repr(unchecked.state_dict()) == repr(checked.state_dict())
    assert unchecked.is_finite()
    with np.errstate(all="ignore"):
        unchecked.step_unchecked(np.array([1.0, np.nan]))
        unchecked.step_unchecked(np.array([1.0, 1.0]))
    assert not unchecked.is_finite()


def test_a_parameter_without_a_gradient_stays() -> None:
    w = Value(1.0)
    w.grad = None  # type: ignore[assignment]  # as PyTorch's users empty it
    nn.SGD([w], 0.1).step()
    assert w.data == 1.0


def test_zero_grad_empties_the_gradients() -> None:
    w = Value(2.0)
    for given in ({}, {"set_to_none": True}, {"set_to_none": False}):
        (w * w).backward()
        nn.SGD([w], 0.1).zero_grad(**given)
        assert w.grad == 0.0


def test_an_interrupted_step_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stubborn(Value):
        def __setattr__(self, name: str, value: Any) -> None:
            if name == "data" and value < 1.0:
                raise KeyboardInterrupt
            super().__setattr__(name, value)

    params = [Value(1.0), Stubborn(1.0)]
    for p in params:
        p.grad = 1.0
    with pytest.raises(KeyboardInterrupt):
        nn.SGD(params, 0.1).step()
    assert [p.data for p in params] == [1.0, 1.0]


# ---------------------------------------------------------------------- bad input


def test_an_optimiser_keeps_its_parameters() -> None:
    w = Value(1.0)
    optimizer = nn.SGD([w], lr=0.5)
    with pytest.raises(AttributeError, match="cannot be replaced: make a new SGD"):
        optimizer.params = [Value(2.0)]
    assert optimizer.params == (w,)


@pytest.mark.parametrize("kind", [nn.SGD, nn.Adam])
@pytest.mark.parametrize("lr", [0.0, -0.1, math.nan, math.inf])
def test_a_learning_rate_is_positive(kind: Any, lr: float) -> None:
    with pytest.raises(ValueError, match="lr, the learning rate, is a positive number"):
        kind([Value(1.0)], lr=lr)
    optimizer = kind([Value(1.0)], lr=0.1)
    with pytest.raises(ValueError, match="lr, the learning rate, is a positive number"):
        optimizer.lr = lr
    assert optimizer.lr == 0.1


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda w: nn.SGD([], 0.1), "there are no parameters"),
        (lambda w: nn.SGD([w, w], 0.1), "a parameter is listed twice"),
        (lambda w: nn.SGD([w], 0.1, momentum=-1), "momentum is at least 0, got -1"),
        (lambda w: nn.SGD([w], 0.1, momentum=math.inf), "momentum is at least 0, got inf"),
        (lambda w: nn.SGD([w], 0.1, weight_decay=-1), "weight_decay is at least 0, got -1"),
        (lambda w: nn.SGD([w], 0.1, nesterov=True), "give momentum"),
        (lambda w: nn.Adam([w], betas=(0.9, 1.0)), "each of betas is at least 0 and below 1"),
        (lambda w: nn.Adam([w], eps=-1e-8), "eps is at least 0"),
        (lambda w: nn.clip_grad_norm_([w], 0.0), "max_norm is a positive number"),
        (lambda w: nn.clip_grad_value_([w], -1.0), "clip_value is a positive number"),
    ],
)
def test_bad_settings_are_refused(build: Callable[[Value], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(Value(1.0))


@pytest.mark.parametrize("params", [[1.0], Value(1.0) * 2.0, [Value(1.0).detach()], 3])
def test_only_values_that_you_made_can_learn(params: Any) -> None:
    with pytest.raises(TypeError, match=r"as in model.parameters\(\); got"):
        nn.SGD(params, 0.1)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda w: UNTYPED.SGD([w], "0.1"), "lr, the learning rate, is a number, got '0.1'"),
        (lambda w: UNTYPED.SGD([w], None), "is a number, got None"),
        (lambda w: UNTYPED.Adam([w], betas=0.9), "betas are two numbers"),
        (lambda w: UNTYPED.Adam([w], betas=(0.9,)), "betas are two numbers"),
        (
            lambda w: UNTYPED.clip_grad_norm_(nn.Neuron(1), 1.0),
            r"parameters are Values, as in model",
        ),
        (lambda w: UNTYPED.clip_grad_value_([1.0], 1.0), "parameters are Values"),
        (lambda w: UNTYPED.grad_norm([1.0]), "parameters are Values"),
    ],
)
def test_things_of_another_kind_are_refused(build: Callable[[Value], Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        build(Value(1.0))


def test_whole_numbers_as_gradients_work() -> None:
    w = Value(1.0)
    w.grad = 1
    nn.SGD([w], 0.1, weight_decay=0.5).step()
    assert w.data == pytest.approx(0.85)


DEFAULTS: dict[Any, dict[str, Any]] = {
    # as in PyTorch
    nn.SGD: {"lr": 1e-3, "momentum": 0.0, "weight_decay": 0.0, "nesterov": False},
    nn.Adam: {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0},
    nn.StepLR: {"gamma": 0.1},
    nn.CosineAnnealingLR: {"eta_min": 0.0},
    nn.LinearLR: {"start_factor": 1 / 3, "end_factor": 1.0, "total_iters": 5},
    nn.ReduceLROnPlateau: {"mode": "min", "factor": 0.1, "patience": 10, "threshold": 1e-4},
    nn.Dropout: {"p": 0.5},
}


@pytest.mark.parametrize("kind", DEFAULTS)
def test_defaults_are_pytorchs(kind: Any) -> None:
    parameters = inspect.signature(kind).parameters
    assert {name: parameters[name].default for name in DEFAULTS[kind]} == DEFAULTS[kind]
