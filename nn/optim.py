"""Optimisers.

An optimiser turns one array, with a gradient for each parameter, into one array of changes. A
step changes all parameters or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from autograd import Value
from autograd.extend import TABLE, Flat

from .gradients import gradient_of
from .parameters import move, values_in
from .settings import (
    Checked,
    are_finite,
    at_least_zero,
    flag,
    fraction,
    instance,
    pair,
    positive,
    refuse_masked,
    whole,
)


class Optimizer:
    """Base class of optimisers, which move parameters against their gradients.

    A subclass defines `_change(gradient)`. It returns the array to subtract from the parameters
    and the new `memory`: arrays, by name, that the next step needs. The settings of a subclass
    are arguments and attributes of the same names, listed in `settings`.

    Args:
        params: the parameters, as from `model.parameters()`.
        lr: the learning rate, above 0. It can be changed between steps.
        weight_decay: λ ≥ 0; adds λ·w to the gradient of each w, as a cost of λ/2·Σw² would.

    Raises:
        TypeError: `params` holds something other than leaf Values.
        ValueError: `params` is empty or holds a Value twice, or a setting is out of range.

    >>> class SignSGD(Optimizer):
    ...     def _change(self, gradient):
    ...         return self.lr * np.sign(gradient), {}
    >>> w = Value(3.0)
    >>> (w * w).backward()
    >>> SignSGD([w], lr=0.5).step(); w.data
    2.5
    """

    settings: ClassVar[tuple[str, ...]] = ("lr", "weight_decay")
    lr = Checked(positive, "lr, the learning rate,")
    weight_decay = Checked(at_least_zero)

    def __init__(self, params: Iterable[Value], lr: float, weight_decay: float = 0.0) -> None:
        self._params = tuple(_parameters(params))
        self.lr = lr
        self.weight_decay = weight_decay
        self.memory: dict[str, np.ndarray] = {}
        self.steps = 0
        self._flat: Flat | None = None  # the parameters as one array, once `step` gets an array

    @property
    def params(self) -> tuple[Value, ...]:
        """The parameters, in the order of the gradient array."""
        return self._params

    @params.setter
    def params(self, params: Any) -> None:
        kind = type(self).__name__
        raise AttributeError(
            f"the memory of an optimiser belongs to its params, which therefore cannot be "
            f"replaced: make a new {kind}"
        )

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradient of every parameter to 0.

        `set_to_none` is PyTorch's argument, and changes nothing: a gradient is always a number.

        >>> w = Value(3.0)
        >>> (w * w).backward()
        >>> SGD([w]).zero_grad(); w.grad
        0.0
        """
        flag(set_to_none, "set_to_none")
        for p in self.params:
            p.zero_grad()

    def step(self, gradient: np.ndarray | None = None) -> None:
        """Move every parameter once against its gradient. On an error no parameter has moved.

        Args:
            gradient: an array with a number for each parameter, shape (n,). Default: the
                gradients stored in the parameters.

        Raises:
            TypeError, ValueError: `gradient` is not an array of n numbers.
            FloatingPointError: the step is not finite, because the gradient is not finite or too
                large.

        >>> w = Value(3.0)
        >>> SGD([w], lr=0.5).step(np.array([2.0])); w.data
        2.0
        """
        if gradient is None:
            gradient = gradient_of(self.params)
        else:
            gradient = self._numbers(gradient, "gradient")
            self._use_array()
        with np.errstate(all="ignore"):
            change, memory = self._next(gradient)
        for array in (change, *memory.values()):
            if not are_finite(array):
                raise self._not_finite(gradient, array)
        self._move(change, memory)

    def step_unchecked(self, gradient: np.ndarray) -> None:
        """Make a step as `step` does, without its checks and with NumPy's warnings.

        It is for many short steps that `is_finite` checks together, after the last of them: what is
        not finite once stays so.

        >>> w = Value(3.0)
        >>> optimizer = SGD([w], lr=0.5)
        >>> optimizer.step_unchecked(np.array([2.0])); w.data
        2.0
        >>> optimizer.step_unchecked(np.array([np.inf])); optimizer.is_finite()
        False
        """
        self._use_array()
        self._move(*self._next(gradient))

    def is_finite(self) -> bool:
        """Return True if all parameters and the memory of the optimiser are finite."""
        return all(are_finite(array) for array in (self.read(), *self.memory.values()))

    def _use_array(self) -> None:
        """Keep the parameters as one array: who passes gradients as an array does so each time."""
        if self._flat is None:
            self._flat = Flat(self.params)

    def _next(self, gradient: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return what `_change` does, for the gradient with weight decay."""
        if self.weight_decay:
            gradient = gradient + self.weight_decay * self.read()
        return self._change(gradient)

    def _move(self, change: np.ndarray, memory: dict[str, np.ndarray]) -> None:
        """Subtract a change from the parameters, and keep the memory."""
        if self._flat:
            self._flat.lower(change)
        else:
            self.write(self.read() - change)
        self.memory, self.steps = memory, self.steps + 1

    def _not_finite(self, gradient: np.ndarray, step: np.ndarray) -> FloatingPointError:
        i = int(np.argmin(np.isfinite(step)))
        called = self.params[i].label or f"params[{i}]"
        return FloatingPointError(
            f"the gradient of {called} is {gradient[i]:g}, of which no finite step can be made; no "
            f"parameter was moved. Lower the learning rate, or clip gradients with clip_grad_norm_ "
            f"before they are so large"
        )

    def read(self) -> np.ndarray:
        """Return the current numbers of the parameters, as a new array."""
        return self._flat.read().copy() if self._flat else np.array([p.data for p in self.params])

    def write(self, numbers: np.ndarray) -> None:
        """Set the parameters to these numbers: all of them or, if interrupted, none.

        Raises:
            TypeError, ValueError: `numbers` is not an array with a number for each parameter.
        """
        numbers = self._numbers(numbers, "numbers")
        if self._flat:
            self._flat.write(numbers)
        else:
            move(self.params, numbers.tolist())

    def _numbers(self, given: Any, what: str) -> np.ndarray:
        """Check that `given` has a number for each parameter, and return it as a float array.

        Without this check NumPy would broadcast a single number to all parameters.
        """
        refuse_masked(given, what)
        if not isinstance(given, (np.ndarray, list, tuple)):
            raise TypeError(f"{what} is an array with a number for each parameter, got {given!r}")
        array = np.asarray(given)
        if array.dtype.kind not in "fiub" or array.shape != (len(self.params),):
            raise ValueError(
                f"{what} has a number for each of the {len(self.params):,} parameters, got "
                f"{array.dtype} data of shape {array.shape}"
            )
        return array.astype(np.float64, copy=False)

    def _change(self, gradient: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return the array to subtract from the parameters, and the new memory."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Return the kind, step count, settings and memory of the optimiser.

        Together with the parameters and their gradients they determine the next step.
        """
        settings = {name: getattr(self, name) for name in self.settings}
        memory = {f"memory.{name}": array for name, array in self.memory.items()}
        return {"kind": type(self).__name__, "steps": self.steps, **settings, **memory}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a `state_dict()`. On an error the optimiser is unchanged.

        Raises:
            ValueError: the state is of another kind of optimiser or another number of
                parameters, a setting is out of range, or the memory gives a step that is not
                finite.
        """
        instance(state, Mapping, "state is what state_dict() returned")
        kind = str(state.get("kind"))
        missing = [name for name in ("steps", *self.settings) if name not in state]
        if kind != type(self).__name__ or missing:
            raise ValueError(f"this is the state of {kind}, and not of {type(self).__name__}")
        settings = {name: state[name] for name in self.settings}
        try:
            found = type(self)(self.params, **settings)
            found.steps = whole(state["steps"], "steps", least=0)
        except TypeError as error:
            raise ValueError(f"this is no state of {kind}: {error}") from None
        prefix = "memory."
        for name, array in state.items():
            if name.startswith(prefix):
                found.memory[name.removeprefix(prefix)] = self._remembered(name, array)
        with np.errstate(all="ignore"):
            change, _ = found._change(np.zeros(len(self.params)))
        if not np.isfinite(change).all():
            raise ValueError(f"this is no state of {kind}: its next step would not be finite")
        found._flat = self._flat
        vars(self).update(vars(found))

    def _remembered(self, name: str, numbers: Any) -> np.ndarray:
        array = np.array(numbers)
        if array.shape != (len(self.params),):
            raise ValueError(
                f"{name} has shape {array.shape}, and there are {len(self.params)} parameters"
            )
        if array.dtype.kind not in "fiub" or not np.isfinite(array).all():
            raise ValueError(f"{name} is not an array of finite numbers")
        return array.astype(np.float64)


class SGD(Optimizer):
    """Gradient descent, w ← w − lr·g; with momentum w ← w − lr·v, where v ← momentum·v + g.

    It is stochastic if g is the gradient over a few examples. Nesterov's variant replaces v in
    the step by g + momentum·v.

    Args:
        params: the parameters, as from `model.parameters()`.
        lr: the learning rate, above 0. It can be changed between steps.
        momentum: the factor by which the last velocity is multiplied, at least 0.
        weight_decay: λ ≥ 0; adds λ·w to the gradient of each w.
        nesterov: use Nesterov's variant, which needs momentum.

    Raises:
        TypeError: `params` holds something other than leaf Values.
        ValueError: `params` is empty or holds a Value twice, or a setting is out of range.

    Source: Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum
    in deep learning", ICML 2013, in the form that PyTorch uses.

    >>> w = Value(3.0)
    >>> optimizer = SGD([w], lr=0.1)
    >>> (w * w).backward()
    >>> optimizer.step(); round(w.data, 6)
    2.4
    """

    settings = ("lr", "weight_decay", "momentum", "nesterov")
    momentum = Checked(at_least_zero)
    nesterov = Checked(flag)

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-3,
        momentum: float = 0.0,
        *,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(params, lr, weight_decay)
        self.momentum, self.nesterov = momentum, nesterov
        if nesterov and not momentum:
            raise ValueError("nesterov looks ahead along the momentum: give momentum, as in 0.9")

    def _change(self, gradient: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        if not self.momentum:
            return self.lr * gradient, {}
        velocity = self.momentum * self.memory.get("velocity", 0.0) + gradient
        ahead = gradient + self.momentum * velocity if self.nesterov else velocity
        return self.lr * ahead, {"velocity": velocity}

    def __repr__(self) -> str:
        return (
            f"SGD(lr={self.lr:g}, momentum={self.momentum:g}, "
            f"weight_decay={self.weight_decay:g}, nesterov={self.nesterov})"
        )


def _betas(betas: Any, what: str) -> tuple[float, float]:
    first, second = pair(betas, f"{what} are two numbers, as in (0.9, 0.999)")
    return fraction(first, f"each of {what}"), fraction(second, f"each of {what}")


class Adam(Optimizer):
    """Adam: w ← w − lr·m̂/(√v̂ + ε), a step of about lr whatever the size of the gradient.

    m and v are running means of g and g². They start at zero; m̂ = m/(1 − β₁ᵗ) and
    v̂ = v/(1 − β₂ᵗ) correct the bias that this causes.

    Args:
        params: the parameters, as from `model.parameters()`.
        lr: the learning rate, above 0. It can be changed between steps.
        betas: β₁ and β₂, the weights of the previous means; each at least 0 and below 1.
        eps: ε, at least 0.
        weight_decay: λ ≥ 0; adds λ·w to the gradient of each w.

    Raises:
        TypeError: `params` holds something other than leaf Values.
        ValueError: `params` is empty or holds a Value twice, or a setting is out of range.

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.

    >>> w = Value(3.0)
    >>> optimizer = Adam([w], lr=0.1)
    >>> (w * w).backward()
    >>> optimizer.step(); round(w.data, 6)
    2.9
    """

    settings = ("lr", "weight_decay", "betas", "eps")
    betas = Checked(_betas)
    eps = Checked(at_least_zero)

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr, weight_decay)
        self.betas, self.eps = betas, eps

    def _change(self, gradient: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        (beta1, beta2), t = self.betas, self.steps + 1
        m = beta1 * self.memory.get("m", 0.0) + (1.0 - beta1) * gradient
        v = beta2 * self.memory.get("v", 0.0) + (1.0 - beta2) * gradient**2
        unbiased_m, unbiased_v = m / (1.0 - beta1**t), v / (1.0 - beta2**t)
        return self.lr * unbiased_m / (np.sqrt(unbiased_v) + self.eps), {"m": m, "v": v}

    def __repr__(self) -> str:
        return (
            f"Adam(lr={self.lr:g}, betas={self.betas}, eps={self.eps:g}, "
            f"weight_decay={self.weight_decay:g})"
        )


def _parameters(params: Iterable[Value]) -> list[Value]:
    found = values_in(params)
    for p in found:
        if p.op is not TABLE["leaf"]:
            raise TypeError(
                f"only Values that you made can learn, as in model.parameters(); got {p!r}, "
                f"made by {p.op.name}"
            )
    if not found:
        raise ValueError("there are no parameters: is the model built yet?")
    if len(set(found)) < len(found):
        raise ValueError("a parameter is listed twice: each step would move it twice")
    return found
