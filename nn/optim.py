"""Optimisers: how far, and which way, each parameter moves downhill."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from autograd import Value
from autograd.extend import TABLE, Flat, boundary

from .settings import (
    Checked,
    at_least_zero,
    flag,
    instance,
    number,
    pair,
    positive,
    refuse_masked,
    several,
    share,
    whole,
)


class Optimizer:
    """Moves parameters against their gradients.

    A kind of optimiser says in `_change(gradient)` by how much to lower each parameter and what
    to remember until the next step, in arrays with a number for each parameter; its settings are
    arguments and attributes, named in `settings`.

    Args:
        params: the parameters, as from `model.parameters()`.
        lr: the learning rate, above 0; may be set later.
        weight_decay: λ ≥ 0; adds λ·w to the gradient of each w, as a cost of λ/2·Σw² would.

    Raises:
        TypeError: `params` holds other things than Values that you made.
        ValueError: there are none, one stands there twice, or a setting is out of range.
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
        self._flat: Flat | None = None  # the parameters in one array, if their gradients come so

    @property
    def params(self) -> tuple[Value, ...]:
        """The parameters, in the order of a gradient."""
        return self._params

    @params.setter
    def params(self, params: Any) -> None:
        kind = type(self).__name__
        raise AttributeError(
            f"what an optimiser remembers belongs to its parameters: for others make a new {kind}"
        )

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Empty the gradient of every parameter; it is then none, however PyTorch is asked."""
        flag(set_to_none, "set_to_none")
        for p in self.params:
            p.zero_grad()

    def step(self, gradient: np.ndarray | None = None) -> None:
        """Move every parameter once, by its gradient; all of them or, on an error, none.

        Args:
            gradient: a number for each parameter, shape (n,), in place of the parameters' own.

        Raises:
            TypeError, ValueError: `gradient` is no array of so many numbers.
            FloatingPointError: the step is not finite, because the gradient is not, or too large.
        """
        if gradient is None:
            gradient = gradient_of(self.params)
        else:
            gradient = self._numbers(gradient, "gradient")
            if self._flat is None:  # who has gradients in an array will have more of them
                self._flat = Flat(self.params)
        with np.errstate(all="ignore"):
            if self.weight_decay:
                gradient = gradient + self.weight_decay * self.read()
            change, memory = self._change(gradient)
        for array in (change, *memory.values()):
            if not np.isfinite(array).all():
                raise self._not_finite(gradient, array)
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
        """The numbers of the parameters, as they are now."""
        return self._flat.read().copy() if self._flat else np.array([p.data for p in self.params])

    def write(self, numbers: np.ndarray) -> None:
        """Set the parameters to these numbers: all or, if interrupted, none.

        Raises:
            TypeError, ValueError: it is no array of a number for each parameter.
        """
        numbers = self._numbers(numbers, "numbers")
        if self._flat:
            self._flat.write(numbers)
        else:
            move(self.params, numbers.tolist())

    def _numbers(self, given: Any, what: str) -> np.ndarray:
        """A number for each parameter: NumPy would stretch one over all of them."""
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
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """What the next step depends on besides the parameters and their gradients."""
        settings = {name: getattr(self, name) for name in self.settings}
        memory = {f"memory.{name}": array for name, array in self.memory.items()}
        return {"kind": type(self).__name__, "steps": self.steps, **settings, **memory}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state_dict()`.

        Raises:
            ValueError: it is of another kind of optimiser, or of another number of parameters, a
                setting is out of range, or what it remembers gives no finite step. Nothing has
                changed then.
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
    """Gradient descent: w ← w − lr·g, with momentum w ← w − lr·v, v ← momentum·v + g.

    Stochastic if the gradient is that of a few examples. Nesterov's form moves by g + momentum·v.

    Args:
        params: the parameters, as from `model.parameters()`.
        lr: the learning rate, above 0; may be set later.
        momentum: what share of the last velocity stays, at least 0.
        weight_decay: λ ≥ 0; adds λ·w to the gradient of each w.
        nesterov: look ahead; needs momentum.

    Raises:
        TypeError: `params` holds other things than Values that you made.
        ValueError: there are none, one stands there twice, or a setting is out of range.

    Source: Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum
    in deep learning", ICML 2013; as PyTorch writes it.

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
    return share(first, f"each of {what}"), share(second, f"each of {what}")


class Adam(Optimizer):
    """Steps of about lr, whatever the size of the gradient: w ← w − lr·m̂/(√v̂ + ε).

    m and v are running means of g and g²; m̂ = m/(1 − β₁ᵗ) and v̂ = v/(1 − β₂ᵗ) make up for their
    start at zero.

    Args:
        params: the parameters, as from `model.parameters()`.
        lr: the learning rate, above 0; may be set later.
        betas: β₁ and β₂, what share of the last mean stays; at least 0 and below 1.
        eps: ε, at least 0.
        weight_decay: λ ≥ 0; adds λ·w to the gradient of each w.

    Raises:
        TypeError: `params` holds other things than Values that you made.
        ValueError: there are none, one stands there twice, or a setting is out of range.

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


# ---------------------------------------------------------------------- clipping


def clip_grad_norm_(
    parameters: Iterable[Value], max_norm: float, *, error_if_nonfinite: bool = False
) -> float:
    """Scale all gradients so that their norm √Σg² is at most `max_norm`; their direction stays.

    Gradients that are infinite or NaN have no direction, and become NaN or 0, as in PyTorch.

    Args:
        parameters: as from `model.parameters()`.
        max_norm: the largest norm that is left.
        error_if_nonfinite: raise an error where the norm is infinite or NaN.

    Returns:
        The norm before; with `max_norm` infinite, that is all it does.

    Raises:
        TypeError: `parameters` holds other things than Values, or a setting is of another type.
        ValueError: `max_norm` is not positive, or the norm is not finite and that is an error.
            No gradient has changed then.

    Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural
    networks", ICML 2013, algorithm 1.

    >>> w, b = Value(1.0), Value(1.0)
    >>> (3.0 * w + 4.0 * b).backward()
    >>> clip_grad_norm_([w, b], 1.0), round(w.grad, 6), round(b.grad, 6)
    (5.0, 0.6, 0.8)
    """
    max_norm = number(max_norm, "max_norm")
    if max_norm != math.inf:
        positive(max_norm, "max_norm")
    parameters = values_in(parameters)
    gradient = gradient_of(parameters)
    norm = norm_of(gradient)
    if flag(error_if_nonfinite, "error_if_nonfinite") and not math.isfinite(norm):
        raise ValueError(f"the norm of the gradient is {norm}, so it cannot be clipped")
    scaled = clipped(gradient, max_norm)
    if scaled is not gradient:
        for p, x in zip(parameters, scaled.tolist()):
            p.grad = x
    return norm


def clipped(gradient: np.ndarray, max_norm: float) -> np.ndarray:
    """The gradient itself, or one in its direction with the norm `max_norm` if it is longer.

    >>> clipped(np.array([1e307, 1e308, 1e308]), 1.0).round(3)
    array([0.071, 0.705, 0.705])
    """
    norm = norm_of(gradient)
    if norm <= max_norm or max_norm == math.inf:
        return gradient
    largest = float(np.abs(gradient).max())
    if not math.isfinite(largest):
        with np.errstate(invalid="ignore"):
            return gradient * (max_norm / norm)
    gradient = gradient / largest  # so that neither its norm nor the ratio leaves the floats
    return gradient * (max_norm / norm_of(gradient))


def clip_grad_value_(parameters: Iterable[Value], clip_value: float) -> None:
    """Move each gradient into −clip_value … clip_value.

    Raises:
        TypeError: `parameters` holds other things than Values.
        ValueError: `clip_value` is not positive.

    >>> w = Value(1.0)
    >>> (3.0 * w).backward()
    >>> clip_grad_value_([w], 0.5)
    >>> w.grad
    0.5
    """
    clip_value = positive(clip_value, "clip_value")
    parameters = values_in(parameters)
    for p, g in zip(parameters, gradient_of(parameters).tolist()):
        p.grad = min(max(g, -clip_value), clip_value)


def gradient_of(parameters: Iterable[Value]) -> np.ndarray:
    """The gradients of the parameters as an array; one that was not computed is 0.

    Raises:
        TypeError: one was set to what is no number.

    >>> gradient_of([Value(1.0), Value(2.0)])
    array([0., 0.])
    """
    parameters = list(parameters)
    found = [0.0 if p.grad is None else p.grad for p in parameters]
    try:
        return np.array(found, dtype=float)
    except (TypeError, ValueError):
        for p, g in zip(parameters, found):
            boundary.as_float(g, f"the gradient of {p.label or 'a parameter'}")
        raise


def grad_norm(parameters: Iterable[Value]) -> float:
    """The norm of the gradient, √Σg².

    Raises:
        TypeError: `parameters` holds other things than Values.

    >>> w, b = Value(1.0), Value(1.0)
    >>> (3.0 * w + 4.0 * b).backward()
    >>> grad_norm([w, b])
    5.0
    """
    return norm_of(gradient_of(values_in(parameters)))


def norm_of(gradient: np.ndarray) -> float:
    """√Σg² of an array, which may be infinite or NaN; no square overflows on the way.

    >>> norm_of(np.array([3.0, 4.0])), norm_of(np.array([1e200, 0.0]))
    (5.0, 1e+200)
    """
    largest = float(np.abs(gradient).max(initial=0.0))
    if not 0.0 < largest < math.inf:
        return largest
    return largest * math.sqrt(float(np.square(gradient / largest).sum()))


def move(params: Sequence[Value], data: Sequence[float]) -> None:
    """Set the parameters to these numbers: all or, if interrupted, none."""
    before = [p.data for p in params]
    try:
        for p, x in zip(params, data):
            p.data = x
    except BaseException:
        for p, x in zip(params, before):
            p.data = x
        raise


def values_in(parameters: Iterable[Value]) -> list[Value]:
    """The parameters, as a list.

    Raises:
        TypeError: there are other things than Values among them.
    """
    expected = "parameters are Values, as in model.parameters()"
    found = [parameters] if isinstance(parameters, Value) else several(parameters, expected)
    for p in found:
        instance(p, Value, expected)
    return found


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
        raise ValueError("a parameter stands there twice, and would move twice a step")
    return found
