"""Optimisers: how far, and which way, each parameter moves downhill."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd import TABLE, Value

from .settings import at_least_zero, positive


class Optimizer:
    """Moves parameters against their gradients.

    A kind of optimiser says in `_change(gradient)` by how much to lower each parameter, and keeps
    what it remembers from step to step in `memory`, arrays with a number for each parameter.

    Args:
        params: the parameters, as from `model.parameters()`.
        lr: the learning rate, above 0; may be set later.
        weight_decay: λ ≥ 0; adds λ·w to the gradient of each w, as a cost of λ/2·Σw² would.

    Raises:
        TypeError: `params` holds other things than Values that you made.
        ValueError: there are none, one stands there twice, or a setting is out of range.
    """

    def __init__(self, params: Iterable[Value], lr: float, weight_decay: float = 0.0) -> None:
        self.params = _parameters(params)
        self.lr = lr
        self.weight_decay = at_least_zero(weight_decay, "weight_decay")
        self.memory: dict[str, np.ndarray] = {}
        self.steps = 0

    @property
    def lr(self) -> float:
        """The learning rate.

        Raises:
            ValueError: it is set to a number that is not positive and finite.
        """
        return self._lr

    @lr.setter
    def lr(self, lr: float) -> None:
        self._lr = positive(lr, "lr, the learning rate,")

    def zero_grad(self) -> None:
        """Empty the gradient of every parameter."""
        for p in self.params:
            p.zero_grad()

    def step(self) -> None:
        """Move every parameter once, by its gradient; all of them or, on an error, none."""
        data = np.array([p.data for p in self.params])
        gradient = np.array([p.grad or 0.0 for p in self.params])
        if self.weight_decay:
            gradient += self.weight_decay * data
        self.steps += 1
        move(self.params, data - self._change(gradient))

    def _change(self, gradient: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """What the next step depends on besides the parameters: lr, steps, and the memory."""
        return {"lr": self.lr, "steps": self.steps, **self.memory}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state_dict()`.

        Raises:
            ValueError: it is not that of this many parameters. Nothing has changed then.
        """
        memory = {name: np.array(x) for name, x in state.items() if name not in ("lr", "steps")}
        for name, array in memory.items():
            if array.shape != (len(self.params),):
                raise ValueError(
                    f"{name} has shape {array.shape}, and there are {len(self.params)} parameters"
                )
        self.lr, self.steps, self.memory = float(state["lr"]), int(state["steps"]), memory


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

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-3,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(params, lr, weight_decay)
        self.momentum = at_least_zero(momentum, "momentum")
        if nesterov and not momentum:
            raise ValueError("nesterov looks ahead along the momentum: give momentum, as in 0.9")
        self.nesterov = nesterov

    def _change(self, gradient: np.ndarray) -> np.ndarray:
        if not self.momentum:
            return self.lr * gradient
        velocity = self.momentum * self.memory.get("velocity", 0.0) + gradient
        self.memory["velocity"] = velocity
        return self.lr * (gradient + self.momentum * velocity if self.nesterov else velocity)

    def __repr__(self) -> str:
        return f"SGD(lr={self.lr:g}, momentum={self.momentum:g}, nesterov={self.nesterov})"


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

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr, weight_decay)
        if len(betas) != 2 or not all(0.0 <= beta < 1.0 for beta in betas):
            raise ValueError(f"betas are two numbers of at least 0 and below 1, got {betas!r}")
        self.betas = betas
        self.eps = at_least_zero(eps, "eps")

    def _change(self, gradient: np.ndarray) -> np.ndarray:
        beta1, beta2 = self.betas
        m = beta1 * self.memory.get("m", 0.0) + (1.0 - beta1) * gradient
        v = beta2 * self.memory.get("v", 0.0) + (1.0 - beta2) * gradient**2
        self.memory.update(m=m, v=v)
        unbiased_m = m / (1.0 - beta1**self.steps)
        unbiased_v = v / (1.0 - beta2**self.steps)
        return np.asarray(self.lr * unbiased_m / (np.sqrt(unbiased_v) + self.eps))

    def __repr__(self) -> str:
        return f"Adam(lr={self.lr:g}, betas={self.betas}, eps={self.eps:g})"


# ---------------------------------------------------------------------- clipping


def clip_grad_norm_(parameters: Iterable[Value], max_norm: float) -> float:
    """Scale all gradients so that their norm √Σg² is at most `max_norm`; their direction stays.

    Returns:
        The norm before.

    Raises:
        ValueError: `max_norm` is not positive.

    Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural
    networks", ICML 2013, algorithm 1.

    >>> w, b = Value(1.0), Value(1.0)
    >>> (3.0 * w + 4.0 * b).backward()
    >>> clip_grad_norm_([w, b], 1.0), round(w.grad, 6), round(b.grad, 6)
    (5.0, 0.6, 0.8)
    """
    positive(max_norm, "max_norm")
    parameters = list(parameters)
    norm = grad_norm(parameters)
    if norm > max_norm:
        for p in parameters:
            p.grad = (p.grad or 0.0) * max_norm / norm
    return norm


def clip_grad_value_(parameters: Iterable[Value], clip_value: float) -> None:
    """Move each gradient into −clip_value … clip_value.

    Raises:
        ValueError: `clip_value` is not positive.

    >>> w = Value(1.0)
    >>> (3.0 * w).backward()
    >>> clip_grad_value_([w], 0.5)
    >>> w.grad
    0.5
    """
    positive(clip_value, "clip_value")
    for p in parameters:
        p.grad = min(max(p.grad or 0.0, -clip_value), clip_value)


def grad_norm(parameters: Iterable[Value]) -> float:
    """The norm of the gradient, √Σg².

    >>> w, b = Value(1.0), Value(1.0)
    >>> (3.0 * w + 4.0 * b).backward()
    >>> grad_norm([w, b])
    5.0
    """
    return math.hypot(*(p.grad or 0.0 for p in parameters))


def move(params: Sequence[Value], data: np.ndarray) -> None:
    """Set the parameters to these numbers: all or, if interrupted, none."""
    before = [p.data for p in params]
    try:
        for p, x in zip(params, data.tolist()):
            p.data = x
    except BaseException:
        for p, x in zip(params, before):
            p.data = x
        raise


def _parameters(params: Iterable[Value]) -> list[Value]:
    found = list(params) if isinstance(params, Iterable) else [params]
    for p in found:
        if not isinstance(p, Value) or p.op is not TABLE["leaf"]:
            raise TypeError(
                f"an optimiser takes the Values that are to learn, as in model.parameters(); "
                f"got {p!r}"
            )
    if not found:
        raise ValueError("there are no parameters: is the model built yet?")
    if len(set(found)) < len(found):
        raise ValueError("a parameter stands there twice, and would move twice a step")
    return found
