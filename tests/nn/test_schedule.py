"""Tests of learning-rate schedules: values by hand, and compared with PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import nn
from autograd import Value

UNTYPED: Any = nn  # to call with arguments of wrong types

SCHEDULES: list[tuple[str, dict[str, Any], list[float]]] = [
    ("StepLR", {"step_size": 2, "gamma": 0.5}, [1.0, 1.0, 0.5, 0.5, 0.25]),
    ("StepLR", {"step_size": 3}, [1.0, 1.0, 1.0, 0.1, 0.1]),
    ("ExponentialLR", {"gamma": 0.5}, [1.0, 0.5, 0.25, 0.125, 0.0625]),
    ("CosineAnnealingLR", {"T_max": 4}, [1.0, (1 + 0.5**0.5) / 2, 0.5, (1 - 0.5**0.5) / 2, 0.0]),
    ("CosineAnnealingLR", {"T_max": 2, "eta_min": 0.2}, [1.0, 0.6, 0.2, 0.6, 1.0]),
    (
        "LinearLR",
        {"start_factor": 0.5, "end_factor": 1.0, "total_iters": 2},
        [0.5, 0.75, 1.0, 1.0, 1.0],
    ),
    (
        "LinearLR",
        {},
        [1 / 3, 7 / 15, 9 / 15, 11 / 15, 13 / 15],
    ),  # a third at the start, the full rate after five epochs
    ("ReduceLROnPlateau", {"factor": 0.1, "patience": 1}, [1.0, 1.0, 1.0, 0.1, 0.1]),
]
COSTS = [3.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0]


def optimizer() -> nn.SGD:
    return nn.SGD([Value(0.0)], lr=1.0)


def rates(schedule: Any, costs: list[float]) -> list[float]:
    found = []
    for cost in costs:
        found.append(schedule.optimizer.lr)
        schedule.step(cost)
    return found


@pytest.mark.parametrize(("kind", "settings", "expected"), SCHEDULES)
def test_by_hand(kind: str, settings: dict[str, Any], expected: list[float]) -> None:
    # plateau: 2 is progress, the next two costs are not, and patience allows one of these
    costs = COSTS[1:6] if kind == "ReduceLROnPlateau" else COSTS[:5]
    schedule = getattr(nn, kind)(optimizer(), **settings)
    assert rates(schedule, costs) == pytest.approx(expected, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(("kind", "settings", "expected"), SCHEDULES)
def test_pytorch_agrees(
    torch: Any, kind: str, settings: dict[str, Any], expected: list[float]
) -> None:
    sgd = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = getattr(torch.optim.lr_scheduler, kind)(sgd, **settings)
    ours = rates(getattr(nn, kind)(optimizer(), **settings), COSTS)
    for cost, lr in zip(COSTS, ours):
        assert lr == pytest.approx(sgd.param_groups[0]["lr"], abs=1e-12)
        sgd.step()
        theirs.step(cost) if kind == "ReduceLROnPlateau" else theirs.step()


@pytest.mark.parametrize(("kind", "settings", "expected"), SCHEDULES)
def test_a_saved_schedule_goes_on(
    kind: str, settings: dict[str, Any], expected: list[float]
) -> None:
    straight = getattr(nn, kind)(optimizer(), **settings)
    first, second = (getattr(nn, kind)(optimizer(), **settings) for _ in range(2))
    found = rates(first, COSTS[:4])
    second.load_state_dict(first.state_dict())
    second.optimizer.lr = first.optimizer.lr
    assert found + rates(second, COSTS[4:]) == rates(straight, COSTS)


def test_a_plateau_stops_at_its_lowest_rate() -> None:
    schedule = nn.ReduceLROnPlateau(optimizer(), factor=0.1, patience=0, min_lr=0.05)
    assert rates(schedule, [1.0] * 5) == pytest.approx([1.0, 1.0, 0.1, 0.05, 0.05])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda o: nn.StepLR(o, 0), "step_size is a whole number of at least 1, got 0"),
        (lambda o: nn.StepLR(o, 2, gamma=0.0), "gamma is a positive number"),
        (lambda o: nn.ExponentialLR(o, -0.5), "gamma is a positive number, got -0.5"),
        (lambda o: UNTYPED.CosineAnnealingLR(o, 2.5), "T_max is a whole number"),
        (lambda o: nn.CosineAnnealingLR(o, 5, eta_min=-1), "eta_min is at least 0"),
        (lambda o: nn.LinearLR(o, start_factor=0.0), "start_factor is a positive number"),
        (lambda o: nn.LinearLR(o, total_iters=0), "total_iters is a whole number"),
        (lambda o: nn.ReduceLROnPlateau(o, factor=1.0), "factor is at least 0 and below 1"),
        (lambda o: nn.ReduceLROnPlateau(o, factor=0.0), "factor is above 0"),
        (lambda o: nn.ReduceLROnPlateau(o, threshold_mode="no"), "is one of rel, abs; got 'no'"),
        (lambda o: nn.ReduceLROnPlateau(o, "down"), "mode is one of min, max; got 'down'"),
        (lambda o: nn.ReduceLROnPlateau(o, patience=-1), "patience is .* at least 0, got -1"),
        (lambda o: nn.ReduceLROnPlateau(o).step(), r"call step\(cost\)"),
    ],
)
def test_bad_settings_are_refused(build: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(optimizer())


def test_schedules_work_together_as_pytorchs_do() -> None:
    o = optimizer()
    warm_up, decay = nn.LinearLR(o, 0.1, 1.0, 5), nn.ExponentialLR(o, 0.9)
    plateau = nn.ReduceLROnPlateau(o)
    found = []
    for epoch in range(7):
        warm_up.step()
        decay.step()
        plateau.step(1.0 / (epoch + 1))
        found += decay.get_last_lr()
    factors = [min(0.1 + 0.9 * t / 5, 1.0) * 0.9**t for t in range(1, 8)]
    assert found == pytest.approx(factors)


def test_a_rate_set_by_hand_stays_in_force() -> None:
    o = optimizer()
    schedule = nn.StepLR(o, 2, gamma=0.1)
    o.lr = 0.5
    schedule.step()
    assert o.lr == 0.5
    schedule.step()
    assert o.lr == pytest.approx(0.05)


def test_a_plateau_never_raises_the_rate_and_takes_a_value() -> None:
    o = nn.SGD([Value(0.0)], lr=0.001)
    schedule = nn.ReduceLROnPlateau(o, patience=0, min_lr=0.01)
    schedule.step(Value(0.5) * 2)
    schedule.step(Value(0.5) * 2)
    assert o.lr == 0.001
    assert schedule.state_dict()["best"] == 1.0


def test_a_plateau_of_something_that_should_rise() -> None:
    schedule = nn.ReduceLROnPlateau(optimizer(), "max", factor=0.5, patience=0)
    assert rates(schedule, [0.5, 0.6, 0.6, 0.7]) == [1.0, 1.0, 1.0, 0.5]


def test_a_schedule_takes_an_optimiser_and_a_number() -> None:
    with pytest.raises(TypeError, match="a schedule takes an optimiser of nn; got"):
        nn.StepLR(nn.Neuron(1), 1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="the cost is a number, got 'low'"):
        nn.ReduceLROnPlateau(optimizer()).step("low")  # type: ignore[arg-type]


def test_a_plateau_waits_anew_after_each_fall() -> None:
    schedule = nn.ReduceLROnPlateau(optimizer(), factor=0.5, patience=1)
    assert rates(schedule, [1.0] * 7) == [1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25]


@pytest.mark.parametrize(("mode", "small", "large"), [("min", 1.85, 1.6), ("max", 2.15, 2.4)])
def test_progress_is_more_than_the_threshold(mode: str, small: float, large: float) -> None:
    for second, found in ((small, 0.5), (large, 1.0)):
        schedule = nn.ReduceLROnPlateau(optimizer(), mode, factor=0.5, patience=0, threshold=0.1)
        schedule.step(2.0)
        schedule.step(second)
        assert schedule.optimizer.lr == found


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("costs", "settings", "falls"),  # with patience 1: after which costs the rate is halved
    [
        ([1.0] * 7, {}, [2, 4, 6]),
        ([-1.0] * 7, {}, [2, 4, 6]),
        ([0.0] * 7, {}, [2, 4, 6]),
        ([-1.0] * 7, {"mode": "max"}, [2, 4, 6]),
        ([-1.0 + 5e-5 * i for i in range(7)], {}, [2, 4, 6]),
        ([-1.0, -2.0, -3.0, -4.0], {}, []),
        ([-4.0, -3.0, -2.0, -1.0], {"mode": "max"}, []),
        ([NAN, 1.0, 0.5, 0.25], {}, []),
        ([NAN, NAN, 1.0, 0.5], {}, [1]),
        ([1.0, NAN, NAN, 0.5], {}, [2]),
        ([INF, 1.0, 0.5], {}, []),
        ([INF, INF, INF, 1.0], {}, [1]),
        ([-INF, -INF, -INF], {}, [2]),
        ([1.0, -INF, -INF], {"mode": "max"}, [2]),
        ([100.0, 99.5, 99.0, 98.5], {"threshold": 0.4, "threshold_mode": "abs"}, []),
        ([100.0, 99.7, 99.6, 99.5], {"threshold": 0.4, "threshold_mode": "abs"}, [2]),
        ([-1.0, -0.7, -0.5], {"mode": "max", "threshold": 0.4, "threshold_mode": "abs"}, []),
        ([-1.0, -0.7, -0.7], {"mode": "max", "threshold": 0.4, "threshold_mode": "abs"}, [2]),
    ],
)
def test_a_plateau_of_any_costs(
    torch: Any, costs: list[float], settings: dict[str, Any], falls: list[int]
) -> None:
    schedule = nn.ReduceLROnPlateau(optimizer(), factor=0.5, patience=1, **settings)
    found = [*rates(schedule, costs), schedule.optimizer.lr]
    assert [i for i in range(len(costs)) if found[i + 1] < found[i]] == falls
    if min(costs) >= 0.0 or settings.get("threshold_mode") == "abs":
        # PyTorch takes (1 ∓ threshold)·best for the margin, which negative costs turn around
        sgd = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(sgd, factor=0.5, patience=1, **settings)
        for cost, lr in zip(costs, found[1:]):
            theirs.step(cost)
            assert sgd.param_groups[0]["lr"] == lr


def test_a_plateau_that_met_infinity_goes_on() -> None:
    first, second = (nn.ReduceLROnPlateau(optimizer(), patience=1) for _ in range(2))
    first.step(-INF)
    second.load_state_dict(first.state_dict())
    assert rates(second, [0.0] * 3) == [1.0, 1.0, 0.1]
    with pytest.raises(ValueError, match="best is a number, got nan"):
        second.load_state_dict({**first.state_dict(), "best": NAN})


def test_a_rate_falls_on_a_plateau_and_stays_a_rate() -> None:
    schedule = nn.ReduceLROnPlateau(optimizer(), factor=1e-100, patience=0)
    assert rates(schedule, [1.0] * 6)[-1] == 1e-30


def test_a_rate_that_grows_beyond_floats_is_refused_and_stays() -> None:
    schedule = nn.ExponentialLR(optimizer(), gamma=1e200)
    schedule.step()
    with pytest.raises(ValueError, match="lr, the learning rate, is a positive number, got inf"):
        schedule.step()
    assert (schedule.epoch, schedule.optimizer.lr) == (1, 1e200)


def test_the_lowest_rate_of_a_cosine_is_a_rate() -> None:
    schedule = nn.CosineAnnealingLR(nn.SGD([Value(0.0)], lr=0.1), T_max=2, eta_min=0.02)
    assert rates(schedule, [0.0] * 3) == pytest.approx([0.1, 0.06, 0.02])
