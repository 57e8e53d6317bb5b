"""Gradients of parameters: from a cost, as an array, their norm √Σg², and clipping."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from autograd import DomainError, Value
from autograd.extend import TABLE, boundary

from .parameters import values_in
from .settings import flag, positive, real

SMALLEST = 1e-250  # a smaller sum of squares may lack some that are rounded to 0


def clip_grad_norm_(
    parameters: Iterable[Value], max_norm: float, *, error_if_nonfinite: bool = False
) -> float:
    """Scale all gradients by one factor so that their norm √Σg² is at most `max_norm`.

    If a gradient is infinite or NaN, the results are 0 or NaN, as in PyTorch. On an error no
    gradient has changed.

    Args:
        parameters: as from `model.parameters()`.
        max_norm: the largest norm allowed. With infinity, the norm is computed and nothing scaled.
        error_if_nonfinite: raise an error if the norm is infinite or NaN.

    Returns:
        The norm before scaling.

    Raises:
        TypeError: `parameters` holds something other than Values, or a setting has the wrong type.
        ValueError: `max_norm` is not positive, or the norm is not finite and `error_if_nonfinite`
            is True.

    Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural
    networks", ICML 2013, algorithm 1.

    >>> w, b = Value(1.0), Value(1.0)
    >>> (3.0 * w + 4.0 * b).backward()
    >>> clip_grad_norm_([w, b], 1.0), round(w.grad, 6), round(b.grad, 6)
    (5.0, 0.6, 0.8)
    """
    max_norm = real(max_norm, "max_norm")
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
    """Return the gradient, scaled down to the norm `max_norm` if its norm is larger.

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
    gradient = gradient / largest  # otherwise the norm or the ratio could overflow
    return gradient * (max_norm / norm_of(gradient))


def clip_grad_value_(parameters: Iterable[Value], clip_value: float) -> None:
    """Clip each gradient to the interval from −clip_value to clip_value.

    Raises:
        TypeError: `parameters` holds something other than Values.
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
    """Return the gradients of the parameters as an array, with 0 for a missing gradient.

    Raises:
        TypeError: a gradient was set to something other than a number.

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
    """Compute the norm √Σg² of the gradients of the parameters.

    Raises:
        TypeError: `parameters` holds something other than Values.

    >>> w, b = Value(1.0), Value(1.0)
    >>> (3.0 * w + 4.0 * b).backward()
    >>> grad_norm([w, b])
    5.0
    """
    return norm_of(gradient_of(values_in(parameters)))


def norm_of(gradient: np.ndarray) -> float:
    """Compute √Σg² of an array without overflow in the squares; it may be infinite or NaN.

    >>> norm_of(np.array([3.0, 4.0])), norm_of(np.array([1e200, 0.0]))
    (5.0, 1e+200)
    """
    squares = boundary.sum_squares(gradient)
    if SMALLEST < squares < math.inf:
        return math.sqrt(squares)
    largest = float(np.abs(gradient).max(initial=0.0))
    if not 0.0 < largest < math.inf:
        return largest
    return largest * math.sqrt(float(np.square(gradient / largest).sum()))


def norms_of(gradients: np.ndarray, parts: Sequence[Any]) -> np.ndarray:
    """Compute √Σg² of each part of each row, as `norm_of` does, shape (rows, parts).

    Args:
        gradients: a gradient in each row.
        parts: slices or indices.

    >>> norms_of(np.array([[3.0, 4.0, 2.0]]), [slice(0, 2), [2]])
    array([[5., 2.]])
    """
    squares = np.zeros((len(gradients), len(parts)))
    if gradients.shape[1] <= boundary.ON_ONE_THREAD:
        with np.errstate(over="ignore"):
            for k, part in enumerate(parts):
                found = gradients[:, part]
                squares[:, k] = np.matmul(found[:, None, :], found[:, :, None]).ravel()
    if squares.min() > SMALLEST and squares.max() < math.inf:
        return np.sqrt(squares)
    return np.array([[norm_of(gradient[part]) for part in parts] for gradient in gradients])


def depends_on(cost: Value, params: Iterable[Value]) -> bool:
    """Return True if a gradient can flow from a cost to at least one of these parameters.

    >>> w = Value(2.0)
    >>> depends_on(w * 3.0, [w]), depends_on(w.detach() * 3.0, [w])
    (True, False)
    """
    wanted, seen, stack = set(params), set(), [cost]
    while stack:
        node = stack.pop()
        if node in wanted:
            return True
        if node not in seen and node.op is not TABLE["stop_gradient"]:
            seen.add(node)
            stack.extend(node.args)
    return False


def differentiate(cost: Value, params: list[Value], share: float) -> None:
    """Add `share` times the gradient of a cost to the gradients of the parameters.

    A cost that does not depend on any parameter adds nothing.

    >>> w = Value(2.0)
    >>> differentiate(w * 3.0, [w], 0.5), differentiate(w.detach() * 3.0, [w], 0.5), w.grad
    (None, None, 1.5)
    """
    try:
        cost.backward(share)
    except DomainError:
        raise
    except ValueError:
        if depends_on(cost, params):
            raise
