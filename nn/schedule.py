"""Learning-rate schedules: large steps at first, small steps near the minimum.

`Trainer` calls `step()` once per epoch. Each schedule except `ReduceLROnPlateau` defines
`_factor(t)`, by which the first learning rate is multiplied after t epochs.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from functools import partial
from typing import Any

from autograd import Value

from .optim import SGD, Optimizer
from .settings import Checked, at_least_zero, choice, fraction, instance, positive, real, whole

SMALLEST = 1e-30  # the least factor and learning rate, because a learning rate cannot be zero


class Scheduler:
    """Base class of schedules, which change the learning rate of an optimiser epoch by epoch.

    Each step multiplies the current rate by _factor(t + 1)/_factor(t). Changes made by hand or by
    another schedule therefore remain in effect.

    Args:
        optimizer: the optimiser to control. Its current `lr` is the first learning rate, lr₀.

    Raises:
        TypeError: `optimizer` is not an optimiser of `nn`.

    >>> from autograd import Value
    >>> from nn import SGD
    >>> class Halving(Scheduler):
    ...     def _factor(self, epoch):
    ...         return 0.5**epoch
    >>> schedule = Halving(SGD([Value(0.0)], lr=1.0))
    >>> schedule.step(); schedule.optimizer.lr
    0.5
    """

    base_lr, epoch = Checked(positive), Checked(partial(whole, least=0))

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = instance(optimizer, Optimizer, "a schedule takes an optimiser of nn")
        self.base_lr = optimizer.lr
        self.epoch = 0
        optimizer.lr *= self._clipped(0)

    def __repr__(self) -> str:
        settings = [name for name in inspect.signature(type(self)).parameters if name in vars(self)]
        shown = [f"{name}={getattr(self, name)!r}" for name in settings if name != "optimizer"]
        return f"{type(self).__name__}({', '.join(shown)})"

    def step(self, metric: float | None = None) -> None:
        """Set the learning rate of the next epoch.

        Args:
            metric: the cost of the epoch that has ended. Only `ReduceLROnPlateau` reads it.

        >>> from autograd import Value
        >>> from nn import SGD
        >>> schedule = ExponentialLR(SGD([Value(0.0)], lr=1.0), gamma=0.5)
        >>> schedule.step(); schedule.get_last_lr()
        [0.5]
        """
        self.optimizer.lr *= self._clipped(self.epoch + 1) / self._clipped(self.epoch)
        self.epoch += 1

    def get_last_lr(self) -> list[float]:
        """Return the current learning rate in a list, as PyTorch does."""
        return [self.optimizer.lr]

    def _clipped(self, t: int) -> float:
        """Return `_factor(t)`, at least `SMALLEST`, and infinite if it overflows."""
        try:
            return max(self._factor(t), SMALLEST)
        except OverflowError:
            return math.inf

    def _factor(self, t: int) -> float:
        """Return the factor of the first learning rate after t epochs."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Return the attributes on which the next step depends."""
        return {name: x for name, x in vars(self).items() if name != "optimizer"}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a `state_dict()`. On an error the schedule is unchanged.

        The current learning rate is not part of it: it is in the state of the optimiser.

        Raises:
            ValueError: the state is of another kind of schedule, or a number is out of range.
        """
        instance(state, Mapping, "state is what state_dict() returned")
        kind = type(self).__name__
        mine = self.state_dict()
        if state.keys() != mine.keys():
            raise ValueError(f"this is the state of another schedule, and not of {kind}")
        arguments = [name for name in inspect.signature(type(self)).parameters if name in state]
        try:
            twin = SGD([Value(0.0)], state["base_lr"])
            found = type(self)(twin, **{name: state[name] for name in arguments})
            others = {
                name: _checked_like(mine[name], x, name)
                for name, x in state.items()
                if name not in arguments
            }
        except TypeError as error:
            raise ValueError(f"this is no state of {kind}: {error}") from None
        vars(self).update({**vars(found), **others, "optimizer": self.optimizer})


def _checked_like(model: Any, x: Any, name: str) -> Any:
    """Check an item of a state: it has the type of `model`, the item of this schedule's state."""
    if type(model) is int:
        return whole(x, name, least=0)
    if type(model) is float or model is None:
        if x is not None and math.isnan(real(x, name)):
            raise ValueError(f"{name} is a number, got {x!r}")
        return x
    return instance(x, type(model), f"{name} is of the type {type(model).__name__}")


class StepLR(Scheduler):
    """lr₀·γ^⌊t/step_size⌋: multiplies the rate by γ every `step_size` epochs.

    Raises:
        ValueError: `step_size` is below 1, or `gamma` is not positive.

    >>> from autograd import Value
    >>> from nn import SGD
    >>> schedule = StepLR(SGD([Value(0.0)], lr=1.0), step_size=2, gamma=0.1)
    >>> for _ in range(2): schedule.step()
    >>> schedule.optimizer.lr
    0.1
    """

    step_size, gamma = Checked(whole), Checked(positive)

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer)

    def _factor(self, t: int) -> float:
        return self.gamma ** (t // self.step_size)


class ExponentialLR(Scheduler):
    """lr₀·γᵗ: multiplies the rate by γ every epoch.

    Raises:
        ValueError: `gamma` is not positive.

    >>> from autograd import Value
    >>> from nn import SGD
    >>> schedule = ExponentialLR(SGD([Value(0.0)], lr=1.0), gamma=0.9)
    >>> for _ in range(2): schedule.step()
    >>> round(schedule.optimizer.lr, 6)
    0.81
    """

    gamma = Checked(positive)

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = gamma
        super().__init__(optimizer)

    def _factor(self, t: int) -> float:
        return self.gamma**t


class CosineAnnealingLR(Scheduler):
    """η + (lr₀ − η)·(1 + cos(π·t/T))/2: half a cosine wave, from lr₀ at t = 0 to η at t = T.

    T is `T_max` and η is `eta_min`.

    Raises:
        ValueError: `T_max` is below 1, or `eta_min` is negative.

    Source: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR
    2017, equation (5).

    >>> from autograd import Value
    >>> from nn import SGD
    >>> schedule = CosineAnnealingLR(SGD([Value(0.0)], lr=1.0), T_max=10)
    >>> for _ in range(5): schedule.step()
    >>> round(schedule.optimizer.lr, 6)
    0.5
    """

    T_max, eta_min = Checked(whole), Checked(at_least_zero)

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer)

    def _factor(self, t: int) -> float:
        lowest = self.eta_min / self.base_lr
        return lowest + (1.0 - lowest) * (1.0 + math.cos(math.pi * t / self.T_max)) / 2.0


class LinearLR(Scheduler):
    """lr₀·f, where f changes linearly from `start_factor` to `end_factor`.

    It reaches `end_factor` after `total_iters` epochs and stays there.

    Raises:
        ValueError: `total_iters` is below 1, `start_factor` is not positive, or `end_factor` is
            negative.

    >>> from autograd import Value
    >>> from nn import SGD
    >>> schedule = LinearLR(SGD([Value(0.0)], lr=1.0), start_factor=0.5, total_iters=2)
    >>> schedule.optimizer.lr
    0.5
    >>> schedule.step(); schedule.optimizer.lr
    0.75
    """

    start_factor, end_factor = Checked(positive), Checked(at_least_zero)
    total_iters = Checked(whole)

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3.0,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = total_iters
        super().__init__(optimizer)

    def _factor(self, t: int) -> float:
        share = min(t / self.total_iters, 1.0)
        return self.start_factor + (self.end_factor - self.start_factor) * share


def _min_or_max(mode: Any, what: str) -> str:
    return choice(mode, what, ("min", "max"))


def _rel_or_abs(mode: Any, what: str) -> str:
    return choice(mode, what, ("rel", "abs"))


def _above_0_below_1(factor: Any, what: str) -> float:
    if fraction(factor, what) == 0.0:
        raise ValueError(f"{what} is above 0 and below 1, got {factor!r}")
    return float(factor)


class ReduceLROnPlateau(Scheduler):
    """Multiplies the rate by `factor` after more than `patience` epochs without progress.

    An epoch makes progress if its cost is below the best cost so far by more than
    threshold·|best|. A cost of NaN is no progress.

    Args:
        optimizer: the optimiser to control.
        mode: "min" for a metric that should fall, "max" for one that should rise.
        factor: above 0 and below 1.
        patience: the number of epochs without progress that are tolerated.
        threshold: the least progress, at least 0.
        threshold_mode: "rel" for threshold·|best|, as above, or "abs" for `threshold` itself.
        min_lr: the lowest learning rate.

    Raises:
        TypeError: a setting or the metric is not a number.
        ValueError: a setting is out of range, or `step()` is called without a metric.

    >>> from autograd import Value
    >>> from nn import SGD
    >>> schedule = ReduceLROnPlateau(SGD([Value(0.0)], lr=1.0), factor=0.5, patience=1)
    >>> for cost in (3.0, 2.0, 2.0, 2.0): schedule.step(cost)
    >>> schedule.optimizer.lr
    0.5
    """

    mode, factor = Checked(_min_or_max), Checked(_above_0_below_1)
    threshold_mode = Checked(_rel_or_abs)
    patience = Checked(partial(whole, least=0))
    threshold, min_lr = Checked(at_least_zero), Checked(at_least_zero)

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        *,
        min_lr: float = 0.0,
    ) -> None:
        self.mode, self.factor, self.patience = mode, factor, patience
        self.threshold, self.threshold_mode, self.min_lr = threshold, threshold_mode, min_lr
        self.best: float | None = None
        self.waited = 0
        super().__init__(optimizer)

    def step(self, metric: float | Value | None = None) -> None:
        """Set the learning rate of the next epoch, from the cost of the epoch that has ended."""
        if metric is None:
            raise ValueError("ReduceLROnPlateau reads the cost: call step(cost)")
        cost = real(metric.data if isinstance(metric, Value) else metric, "the cost")
        if self._is_progress(cost):
            self.best, self.waited = cost, 0
        else:
            self.waited += 1
        if self.waited > self.patience:
            lr = self.optimizer.lr
            self.optimizer.lr = min(lr, max(lr * self.factor, self.min_lr, SMALLEST))
            self.waited = 0
        self.epoch += 1

    def _is_progress(self, cost: float) -> bool:
        sign = 1.0 if self.mode == "min" else -1.0
        best = math.inf if self.best is None else sign * self.best
        size = abs(best) if self.threshold_mode == "rel" else 1.0
        margin = self.threshold * size if math.isfinite(size) else 0.0
        return sign * cost < best - margin

    def _factor(self, t: int) -> float:
        return 1.0
