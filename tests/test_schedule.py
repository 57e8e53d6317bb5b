"""Learning-rate schedules: by hand, and beside PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import nn
from autograd import Value

SCHEDULES: list[tuple[str, dict[str, Any], list[float]]] = [
    ("StepLR", {"step_size": 2, "gamma": 0.5}, [1.0, 1.0, 0.5, 0.5, 0.25]),
    ("ExponentialLR", {"gamma": 0.5}, [1.0, 0.5, 0.25, 0.125, 0.0625]),
    ("CosineAnnealingLR", {"T_max": 4}, [1.0, (1 + 0.5**0.5) / 2, 0.5, (1 - 0.5**0.5) / 2, 0.0]),
    ("CosineAnnealingLR", {"T_max": 2, "eta_min": 0.2}, [1.0, 0.6, 0.2, 0.6, 1.0]),
    (
        "LinearLR",
        {"start_factor": 0.5, "end_factor": 1.0, "total_iters": 2},
        [0.5, 0.75, 1.0, 1.0, 1.0],
    ),
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
    # the plateau: 2 is progress, the next two are not, and one is borne
    costs = COSTS[1:6] if kind == "ReduceLROnPlateau" else COSTS[:5]
    schedule = getattr(nn, kind)(optimizer(), **settings)
    assert rates(schedule, costs) == pytest.approx(expected, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(("kind", "settings", "expected"), SCHEDULES)
def test_pytorch_agrees(kind: str, settings: dict[str, Any], expected: list[float]) -> None:
    torch = pytest.importorskip("torch")
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
        (lambda o: nn.CosineAnnealingLR(o, 2.5), "T_max is a whole number"),
        (lambda o: nn.CosineAnnealingLR(o, 5, eta_min=-1), "eta_min is at least 0"),
        (lambda o: nn.LinearLR(o, start_factor=0.0), "start_factor is a positive number"),
        (lambda o: nn.LinearLR(o, total_iters=0), "total_iters is a whole number"),
        (lambda o: nn.ReduceLROnPlateau(o, factor=1.0), "factor is above 0 and below 1"),
        (lambda o: nn.ReduceLROnPlateau(o, patience=-1), "patience is at least 0"),
        (lambda o: nn.ReduceLROnPlateau(o).step(), r"call step\(cost\)"),
    ],
)
def test_bad_settings_are_refused(build: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(optimizer())
