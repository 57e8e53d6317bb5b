"""Loss functions (costs): how far the outputs of a network are from the targets.

Names follow PyTorch. Targets can be numbers or Values. A term that a target multiplies by the
number 0 is left out of the graph. For the losses as modules see `loss_modules.py`.
"""

from __future__ import annotations

import functools
import math
import numbers
import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd import (
    Value,
    gap,
    maximum,
    mean,
    require,
    scope,
    stop_gradient,
    surprisal,
    take,
    where,
)
from autograd import sum as total

from .pairing import examples, number_or_value, pairs
from .settings import choice, whole
from .targets import class_index

REDUCTIONS: dict[str, Callable[[list[Any]], Value]] = {"mean": mean, "sum": total}


def squared_error(output: Any, target: Any) -> Value:
    """Compute the squared error of one example, Σᵢ (aᵢ − yᵢ)².

    Args:
        output: the activations a of the last layer: a Value, or a list of n Values.
        target: the wanted activations y: a number, or n numbers.

    Raises:
        ValueError: output and target differ in shape.

    >>> squared_error([Value(0.5), Value(1.0)], [1.0, 0.0]).data
    1.25
    """
    return mse_loss(output, target, "sum")


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Value:
    """Compute the mean squared error, 1/n Σᵢ (aᵢ − yᵢ)².

    Args:
        input: the outputs a: a Value, or nested lists of Values.
        target: numbers y in the same shape.
        reduction: "mean", or "sum" for the sum over all elements.

    Raises:
        ValueError: input and target differ in shape, or there is no such reduction.

    >>> mse_loss([Value(1.0), Value(3.0)], [0.0, 0.0]).data
    5.0
    """
    return _reduced(((a - y) ** 2 for a, y in pairs(input, target)), reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Value:
    """Compute the mean absolute error, 1/n Σᵢ |aᵢ − yᵢ|.

    Arguments and errors are those of `mse_loss`.

    >>> l1_loss([Value(1.0), Value(3.0)], [0.0, 0.0]).data
    2.0
    """
    return _reduced((abs(a - y) for a, y in pairs(input, target)), reduction)


def binary_cross_entropy(input: Any, target: Any, reduction: str = "mean") -> Value:
    """Compute the binary cross-entropy of probabilities, −y·log p − (1 − y)·log(1 − p).

    Args:
        input: the probabilities p of class 1: a Value, or nested lists of Values.
        target: y in the same shape: 1, 0, or a probability.
        reduction: "mean" or "sum", over all elements.

    Raises:
        ValueError: input and target differ in shape, or a probability is not between 0 and 1.
        OverflowError: p is exactly 0 or 1 and differs from y, so the cost is infinite.

    Source: Bishop, "Pattern Recognition and Machine Learning" (2006), equation (4.90).

    >>> round(binary_cross_entropy(Value(0.25), 0).data, 4)
    0.2877
    """
    return _reduced((_bernoulli(p, y) for p, y in pairs(input, target)), reduction)


def binary_cross_entropy_with_logits(input: Any, target: Any, reduction: str = "mean") -> Value:
    """Compute the binary cross-entropy of logits z, y·softplus(−z) + (1 − y)·softplus(z).

    This equals `binary_cross_entropy` at p = σ(z), and is accurate for large |z| too, because p
    is never rounded to 0 or 1.

    Args:
        input: the logits z: a Value, or nested lists of Values.
        target, reduction: as for `binary_cross_entropy`.

    Raises:
        ValueError: input and target differ in shape, or a target is not between 0 and 1.

    >>> binary_cross_entropy_with_logits(Value(-50.0), 0).data
    1.92...e-22
    """
    return _reduced((_bernoulli_of_logit(z, y) for z, y in pairs(input, target)), reduction)


@scope("cross_entropy()")
def cross_entropy(
    input: Any, target: Any, reduction: str = "mean", *, ignore_index: int = -100
) -> Value:
    """Compute the cross-entropy of logits z, −Σₖ yₖ·log pₖ with p = softmax(z).

    Each −log pₖ is computed by `autograd.surprisal`, which is accurate for pₖ near 0 and near 1.

    Args:
        input: the logits z of one example, a list of K; or a list of such lists.
        target: for each example a class index from 0 to K − 1 (a number or a Value), or K
            probabilities (numbers or Values).
        reduction: "mean" or "sum", over the examples.
        ignore_index: the class index of examples to ignore. They cost 0, and the mean is that of
            the others; if all are ignored, it is 0.

    Raises:
        ValueError: there are fewer than two logits, a class index is out of range, a target does
            not have K probabilities, or inputs and targets differ in number.
        TypeError: a target is neither a class index nor a list of probabilities.

    Source: Bishop (2006), equation (4.108).

    >>> round(cross_entropy([Value(1.0), Value(2.0), Value(0.0)], 1).data, 4)
    0.4076
    >>> cross_entropy([Value(60.0), Value(0.0)], 0).data
    8.75651076269652e-27
    """
    ignored = whole(ignore_index, "ignore_index", None)
    terms = (_categorical(z, y, ignored) for z, y in examples(input, target))
    return _reduced_counted(terms, reduction)


def nll_loss(
    input: Any, target: Any, reduction: str = "mean", *, ignore_index: int = -100
) -> Value:
    """Compute the negative log-likelihood of the true classes, −log p_c.

    Args:
        input: log-probabilities of one example, a list of K, as from `autograd.log_softmax`; or a
            list of such lists.
        target: for each example the index c of its class, from 0 to K − 1.
        reduction, ignore_index: as for `cross_entropy`.

    Raises:
        ValueError: a class index is out of range, or inputs and targets differ in number.
        TypeError: a target is not a whole number.

    Source: Bishop (2006), equation (4.108).

    >>> nll_loss([Value(-0.5), Value(-2.0)], 1).data
    2.0
    """
    ignored = whole(ignore_index, "ignore_index", None)
    terms = (_of_class(_negated, p, y, ignored) for p, y in examples(input, target))
    return _reduced_counted(terms, reduction)


def hinge_loss(input: Any, target: Any, reduction: str = "mean") -> Value:
    """Compute the hinge loss of support vector machines, max(0, 1 − y·s).

    It is 0 for an example on the right side with a margin of at least 1.

    Args:
        input: the scores s: a Value, or nested lists of Values.
        target: y in the same shape: 1 or −1.
        reduction: "mean" or "sum", over all elements.

    Raises:
        ValueError: input and target differ in shape, or a target is neither 1 nor −1.

    Source: Cortes and Vapnik, "Support-vector networks", Machine Learning 20 (1995).

    >>> hinge_loss(Value(0.25), 1).data
    0.75
    """
    terms = ((1.0 - s * _sign(y)).relu() for s, y in pairs(input, target))
    return _reduced(terms, reduction)


def perceptron_loss(input: Any, target: Any, reduction: str = "mean") -> Value:
    """Compute the perceptron loss, max(0, −y·s), which is 0 for an example on the right side.

    Its gradient is the perceptron learning rule: −y·x for a misclassified example, else 0. At
    s = 0 the gradient is 0 too, so start from random weights, not from zeros.

    Arguments and errors are those of `hinge_loss`.

    Source: Rosenblatt, "The perceptron", Psychological Review 65 (1958); as a loss, Bishop
    (2006), equation (4.54).

    >>> perceptron_loss(Value(-0.5), 1).data, perceptron_loss(Value(0.1), 1).data
    (0.5, 0.0)
    """
    return _reduced(((-s * _sign(y)).relu() for s, y in pairs(input, target)), reduction)


def cost_of(returned: Any, what: str) -> Value:
    """Check that a loss or a penalty has returned a Value, and return that Value.

    Raises:
        TypeError: `returned` is not a Value. The error says why.

    >>> cost_of(0.5, "loss")
    Traceback (most recent call last):
    ...
    TypeError: the loss returned the number 0.5, which has no gradient: return the Value itself,
    without .data, float(...) or a function of math or NumPy
    """
    if isinstance(returned, Value):
        return returned
    if returned is None:
        raise TypeError(f"the {what} returned None: does it end in `return`?")
    if isinstance(returned, numbers.Number):
        raise TypeError(
            f"the {what} returned the number {returned}, which has no gradient: return the Value "
            f"itself, without .data, float(...) or a function of math or NumPy"
        )
    several = ": return one Value, as from autograd.mean or autograd.sum"
    raise TypeError(
        f"the {what} returned a {type(returned).__name__}"
        f"{several if hasattr(returned, '__len__') else ', and not a Value'}"
    )


def _reduced(terms: Iterator[Value], reduction: str) -> Value:
    reduce, found = REDUCTIONS[checked_reduction(reduction)], list(terms)
    return found[0] if len(found) == 1 else reduce(found)


def _reduced_counted(terms: Iterator[tuple[Value, Any]], reduction: str) -> Value:
    """Reduce costs, each given with 1, or with 0 if it is ignored: the mean is over the former."""
    checked_reduction(reduction)
    found = list(terms)
    costs, counts = [cost for cost, _ in found], [count for _, count in found]
    if len(costs) == 1:
        return costs[0]
    if reduction == "sum":
        return total(costs)
    cost: Value = total(costs) / maximum(functools.reduce(operator.add, counts), 1.0)
    return cost


def checked_reduction(reduction: str) -> str:
    """Return the name of a reduction, if there is one of this name.

    >>> checked_reduction("sum")
    'sum'
    """
    return choice(reduction, "reduction", REDUCTIONS)


# ---------------------------------------------------------------------- one term


def _bernoulli(p: Value, y: Any) -> Value:
    require(_is_probability, p, error=_probability_error)
    require(_cost_is_finite, p, y, error=_infinite_cost_error)
    return _mixture(y, p, lambda p: -p.log(), lambda p: -(-p).log1p(), safe=(1.0, 0.0))


def _is_probability(p: Any) -> Any:
    return (p >= 0.0) & (p <= 1.0)


def _cost_is_finite(p: Any, y: Any) -> Any:
    return ((p != 0.0) | (y == 0.0)) & ((p != 1.0) | (y == 1.0))


def _probability_error(p: float) -> ValueError:
    return ValueError(
        f"{p:g} is no probability: put a sigmoid before binary_cross_entropy, or give "
        f"the logits to binary_cross_entropy_with_logits"
    )


def _infinite_cost_error(p: float, y: float) -> OverflowError:
    return OverflowError(
        f"an output of exactly {p:g} for a target of {y:g} costs infinity: give "
        f"the logits to binary_cross_entropy_with_logits, which does not round them away"
    )


def _bernoulli_of_logit(z: Value, y: Any) -> Value:
    return _mixture(y, z, lambda z: (-z).softplus(), lambda z: z.softplus(), safe=(0.0, 0.0))


def _target_error(y: float) -> ValueError:
    return ValueError(f"a target is 0, 1 or between, got {y:g}")


def _mixture(
    y: Any,
    x: Value,
    if_one: Callable[[Any], Value],
    if_zero: Callable[[Any], Value],
    safe: tuple[float, float],
) -> Value:
    """Compute y·if_one(x) + (1 − y)·if_zero(x), where a term multiplied by zero counts as 0.

    If y is the number 0 or 1, the term is left out. If y is a Value, the term is computed at
    `safe[0]` or `safe[1]` instead of x: there it is finite, so its product with 0 is 0.
    """
    require(_is_probability, y, error=_target_error)
    if not isinstance(y, Value) and y in (0, 1):
        return if_one(x) if y else if_zero(x)
    no = 1.0 - y
    cost: Value = if_one(where(y, x, safe[0])) * y + if_zero(where(no, x, safe[1])) * no
    return cost


def _categorical(z: list[Value], y: Any, ignore_index: int) -> tuple[Value, Any]:
    """Return the cost of one example, and its count: 0 if it is ignored."""
    if len(z) < 2:
        raise ValueError(
            f"cross_entropy takes the logits of at least two classes, got {len(z)}: for a network "
            f"with one output use binary_cross_entropy_with_logits"
        )
    if not hasattr(y, "__len__"):
        return _of_class(_surprisal, z, y, ignore_index)
    if len(y) != len(z):
        raise ValueError(f"there are {len(z)} logits and {len(y)} probabilities in the target")
    weights = [number_or_value(w, "a probability") for w in y]
    require(_are_probabilities, *weights, error=_probabilities_error, together=True)
    if any(isinstance(weight, Value) for weight in weights):
        return _mixed_surprisal(z, weights), 1.0
    terms = (
        _surprisal(z, k) if weight == 1.0 else weight * _surprisal(z, k)
        for k, weight in enumerate(weights)
        if weight
    )
    return total(terms), 1.0


def _of_class(
    cost: Callable[[list[Value], Any], Value], z: list[Value], y: Any, ignore_index: int
) -> tuple[Value, Any]:
    """Return `cost(z, class)` and its count of 1; for an ignored class, 0 and 0."""
    if not isinstance(y, Value):
        if y == ignore_index:
            return where(0.0, z[0], 0.0), 0.0
        return cost(z, class_index(y, len(z))), 1.0
    kept = y - ignore_index
    index = where(kept, y, 0.0)
    index.label = y.label
    return where(kept, cost(z, index), 0.0), where(kept, 1.0, 0.0)


def _negated(p: list[Value], k: Any) -> Value:
    chosen: Value = take(p, k) if isinstance(k, Value) else p[k]
    return -chosen


def _are_probabilities(weights: np.ndarray) -> Any:
    return (weights.min(axis=0) >= 0.0) & (np.abs(weights.sum(axis=0) - 1.0) <= 1e-6)


def _probabilities_error(*weights: float) -> ValueError:
    shown = ", ".join(f"{weight:g}" for weight in weights)
    return ValueError(
        f"a target's probabilities are not negative and add up to 1, got [{shown}]. For "
        f"several examples of a network with one output use binary_cross_entropy_with_logits"
    )


def _surprisal(z: list[Value], k: Any) -> Value:
    """Compute −log p_k; the index k may be a Value."""
    if isinstance(k, Value):
        return surprisal(take(z, k), [where(k - i, zi, -math.inf) for i, zi in enumerate(z)])
    return surprisal(z[k], [*z[:k], *z[k + 1 :]])


def _mixed_surprisal(z: list[Value], weights: list[Any]) -> Value:
    """Compute −Σₖ yₖ·log pₖ for weights that are Values.

    With m = max zⱼ and S = Σ exp(zⱼ − m), −log pₖ is log S + (m − zₖ). For one-hot weights, m and S
    leave out the chosen class: then this is the log-odds against the class, and its softplus is the
    cost. Like `autograd.surprisal`, the cost is accurate for probabilities near 0 and near 1.
    """
    mixed = total(y * (1.0 - y) for y in weights)
    chosen = [where(mixed, 0.0, y) for y in weights]
    others = [where(c, -math.inf, zk) for c, zk in zip(chosen, z)]
    largest = stop_gradient(functools.reduce(maximum, others))
    log_sum = total(gap(v, largest).exp() for v in others).log()
    # A term of weight 0 is 0, also where zₖ is infinite.
    costs = [log_sum + gap(largest, where(y, zk, largest)) for y, zk in zip(weights, z)]
    expected = total(where(y, cost, 0.0) * y for y, cost in zip(weights, costs))
    found: Value = where(mixed, expected, expected.softplus())
    return found


def _sign(y: Any) -> Any:
    require(_is_sign, y, error=_sign_error)
    return y


def _is_sign(y: Any) -> Any:
    return (y == 1.0) | (y == -1.0)


def _sign_error(y: float) -> ValueError:
    return ValueError(f"a target of this cost is 1 or -1, got {y:g}")
