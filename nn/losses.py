"""Loss functions (costs): how far the outputs of a network are from the targets.

Each loss is a function and a module, as in `mse_loss` and `MSELoss`; names follow PyTorch. Targets
can be numbers or Values. A term that a target multiplies by the number 0 is left out of the graph.
"""

from __future__ import annotations

import functools
import math
import numbers
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np

from autograd import (
    DomainError,
    Value,
    gap,
    logsumexp,
    maximum,
    mean,
    require,
    stop_gradient,
    surprisal,
    where,
)
from autograd import sum as total
from autograd.extend import TABLE

from .module import Module
from .settings import choice, instance, number
from .targets import class_index, listed

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
    return _reduced(((a - y) ** 2 for a, y in _pairs(input, target)), reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Value:
    """Compute the mean absolute error, 1/n Σᵢ |aᵢ − yᵢ|.

    Arguments and errors are those of `mse_loss`.

    >>> l1_loss([Value(1.0), Value(3.0)], [0.0, 0.0]).data
    2.0
    """
    return _reduced((abs(a - y) for a, y in _pairs(input, target)), reduction)


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
    pairs = _pairs(input, target)
    return _reduced((_bernoulli(p, y) for p, y in pairs), reduction)


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
    return _reduced((_bernoulli_of_logit(z, y) for z, y in _pairs(input, target)), reduction)


def cross_entropy(input: Any, target: Any, reduction: str = "mean") -> Value:
    """Compute the cross-entropy of logits z, −Σₖ yₖ·log pₖ with p = softmax(z).

    Each −log pₖ is computed by `autograd.surprisal`, which is accurate for pₖ near 0 and near 1.

    Args:
        input: the logits z of one example, a list of K; or a list of such lists.
        target: for each example a class index from 0 to K − 1, or K probabilities (numbers or
            Values).
        reduction: "mean" or "sum", over the examples.

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
    return _reduced((_categorical(z, y) for z, y in _examples(input, target)), reduction)


def nll_loss(input: Any, target: Any, reduction: str = "mean") -> Value:
    """Compute the negative log-likelihood of the true classes, −log p_c.

    Args:
        input: log-probabilities of one example, a list of K, as from `autograd.log_softmax`; or a
            list of such lists.
        target: for each example the index c of its class, from 0 to K − 1.
        reduction: "mean" or "sum", over the examples.

    Raises:
        ValueError: a class index is out of range, or inputs and targets differ in number.
        TypeError: a target is not a whole number.

    Source: Bishop (2006), equation (4.108).

    >>> nll_loss([Value(-0.5), Value(-2.0)], 1).data
    2.0
    """
    examples = _examples(input, target)
    return _reduced((-p[class_index(y, len(p))] for p, y in examples), reduction)


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
    pairs = _pairs(input, target)
    return _reduced(((1.0 - s * _sign(y)).relu() for s, y in pairs), reduction)


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
    return _reduced(((-s * _sign(y)).relu() for s, y in _pairs(input, target)), reduction)


# ---------------------------------------------------------------------- modules


class Loss(Module):
    """Base class of losses as modules. A subclass sets `function`, which `forward` calls.

    Args:
        reduction: "mean" or "sum".

    Raises:
        ValueError: there is no such reduction.
    """

    function: ClassVar[Callable[..., Value]]

    def __init__(self, reduction: str = "mean") -> None:
        self.reduction = _known(reduction)

    def forward(self, input: Any, target: Any) -> Value:
        """Compute the loss of these outputs for these targets."""
        return type(self).function(input, target, self.reduction)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(reduction={self.reduction!r})"


def function_of(loss: Any) -> Any:
    """Return the loss function behind a loss: itself, or what a module or `partial` calls.

    >>> function_of(MSELoss()) is function_of(partial(mse_loss, reduction="sum")) is mse_loss
    True
    """
    while isinstance(loss, partial):
        loss = loss.func
    return getattr(type(loss), "function", loss)


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


class SquaredError(Loss):
    """`squared_error` as a module.

    >>> SquaredError()(Value(3.0), 1.0).data
    4.0
    """

    function = mse_loss

    def __init__(self) -> None:
        super().__init__("sum")


class MSELoss(Loss):
    """`mse_loss` as a module."""

    function = mse_loss


class L1Loss(Loss):
    """`l1_loss` as a module."""

    function = l1_loss


class BCELoss(Loss):
    """`binary_cross_entropy` as a module."""

    function = binary_cross_entropy


class BCEWithLogitsLoss(Loss):
    """`binary_cross_entropy_with_logits` as a module."""

    function = binary_cross_entropy_with_logits


class CrossEntropyLoss(Loss):
    """`cross_entropy` as a module."""

    function = cross_entropy


class NLLLoss(Loss):
    """`nll_loss` as a module."""

    function = nll_loss


class HingeLoss(Loss):
    """`hinge_loss` as a module."""

    function = hinge_loss


class PerceptronLoss(Loss):
    """`perceptron_loss` as a module."""

    function = perceptron_loss


# ---------------------------------------------------------------------- one term


def _bernoulli(p: Value, y: Any) -> Value:
    require(_is_probability, p, error=_no_probability)
    require(_costs_a_number, p, y, error=_costs_infinity)
    return _mixture(y, p, lambda p: -p.log(), lambda p: -(-p).log1p(), sure=(1.0, 0.0))


def _is_probability(p: Any) -> Any:
    return (p >= 0.0) & (p <= 1.0)


def _costs_a_number(p: Any, y: Any) -> Any:
    return ((p != 0.0) | (y == 0.0)) & ((p != 1.0) | (y == 1.0))


def _no_probability(p: float) -> ValueError:
    return ValueError(
        f"{p:g} is no probability: put a sigmoid before binary_cross_entropy, or give "
        f"the logits to binary_cross_entropy_with_logits"
    )


def _costs_infinity(p: float, y: float) -> OverflowError:
    return OverflowError(
        f"an output of exactly {p:g} for a target of {y:g} costs infinity: give "
        f"the logits to binary_cross_entropy_with_logits, which does not round them away"
    )


def _bernoulli_of_logit(z: Value, y: Any) -> Value:
    return _mixture(y, z, lambda z: (-z).softplus(), lambda z: z.softplus(), sure=(0.0, 0.0))


def _no_share(y: float) -> ValueError:
    return ValueError(f"a target is 0, 1 or between, got {y:g}")


def _mixture(
    y: Any,
    x: Value,
    if_one: Callable[[Any], Value],
    if_zero: Callable[[Any], Value],
    sure: tuple[float, float],
) -> Value:
    """Compute y·if_one(x) + (1 − y)·if_zero(x), where a term multiplied by zero counts as 0.

    If y is the number 0 or 1, the term is left out. If y is a Value, the term is computed at
    `sure[0]` or `sure[1]` instead of x: there it is finite, so its product with 0 is 0.
    """
    require(_is_probability, y, error=_no_share)
    if not isinstance(y, Value) and y in (0, 1):
        return if_one(x) if y else if_zero(x)
    no = 1.0 - y
    cost: Value = if_one(where(y, x, sure[0])) * y + if_zero(where(no, x, sure[1])) * no
    return cost


def _categorical(z: list[Value], y: Any) -> Value:
    if len(z) < 2:
        raise ValueError(
            f"cross_entropy takes the logits of at least two classes, got {len(z)}: for a network "
            f"with one output use binary_cross_entropy_with_logits"
        )
    if not hasattr(y, "__len__"):
        return _surprisal(z, class_index(y, len(z)))
    if len(y) != len(z):
        raise ValueError(f"there are {len(z)} logits and {len(y)} probabilities in the target")
    weights = [w if isinstance(w, Value) else number(_told(w), "a probability") for w in y]
    require(_are_probabilities, *weights, error=_no_probabilities)
    if any(isinstance(weight, Value) for weight in weights):
        return _mixed_surprisal(z, weights)
    return total(
        _surprisal(z, k) if weight == 1.0 else weight * _surprisal(z, k)
        for k, weight in enumerate(weights)
        if weight
    )


def _are_probabilities(*weights: Any) -> Any:
    together = np.array(weights)
    return (together.min(axis=0) >= 0.0) & (np.abs(together.sum(axis=0) - 1.0) <= 1e-6)


def _no_probabilities(*weights: float) -> ValueError:
    shown = ", ".join(f"{weight:g}" for weight in weights)
    return ValueError(
        f"a target's probabilities are not negative and add up to 1, got [{shown}]. For "
        f"several examples of a network with one output use binary_cross_entropy_with_logits"
    )


def _surprisal(z: list[Value], k: int) -> Value:
    return surprisal(z[k], [*z[:k], *z[k + 1 :]])


def chosen_surprisal(z: Sequence[Value], chosen: Sequence[Any]) -> Value:
    """Compute −log p_c, where `chosen` is a one-hot vector with its 1 at c.

    Compiled code uses it for cross-entropy, because c differs between examples.

    >>> round(chosen_surprisal([Value(1.0), Value(2.0), Value(0.0)], [0.0, 1.0, 0.0]).data, 4)
    0.4076
    """
    right = total(where(y, zk, 0.0) for zk, y in zip(z, chosen))
    return surprisal(right, [where(y, -math.inf, zk) for zk, y in zip(z, chosen)])


def _mixed_surprisal(z: list[Value], weights: list[Any]) -> Value:
    """Compute −Σₖ yₖ·log pₖ for weights that are Values.

    It needs one log-sum-exp, not one for each class as with numbers. For one-hot weights it uses
    `chosen_surprisal`, which is accurate for probabilities near 0 and near 1.
    """
    largest = stop_gradient(functools.reduce(maximum, z))
    below = [gap(zk, largest) for zk in z]
    normaliser = logsumexp(below)
    expected = total(where(y, normaliser - b, 0.0) * y for b, y in zip(below, weights))
    mixed = total(y * (1.0 - y) for y in weights)
    cost: Value = where(mixed, expected, chosen_surprisal(z, weights))
    return cost


def _sign(y: Any) -> Any:
    require(_is_sign, y, error=_no_sign)
    return y


def _is_sign(y: Any) -> Any:
    return (y == 1.0) | (y == -1.0)


def _no_sign(y: float) -> ValueError:
    return ValueError(f"a target of this cost is 1 or -1, got {y:g}")


# ---------------------------------------------------------------------- shapes


def _reduced(terms: Iterator[Value], reduction: str) -> Value:
    reduce, found = REDUCTIONS[_known(reduction)], list(terms)
    return found[0] if len(found) == 1 else reduce(found)


def _known(reduction: str) -> str:
    return choice(reduction, "reduction", REDUCTIONS)


def _pairs(input: Any, target: Any) -> Iterator[tuple[Value, Any]]:
    """Yield each output with its target, from two nested lists of the same shape."""
    input, target = listed(input), listed(target)
    shape, other = _shape(input), _shape(target)
    if shape == other == (1,) or (shape, other) in (((), (1,)), ((1,), ())):
        input, target = _first(input), _first(target)  # one output, in a list or not
        shape = other = ()
    if shape != other:
        raise ValueError(f"the outputs have shape {shape} and the targets {other}")
    if 0 in shape:
        raise ValueError("there are no outputs")
    yield from _flat(input, target)


def _first(x: Any) -> Any:
    return x if _shape(x) == () else x[0]


def _flat(input: Any, target: Any) -> Iterator[tuple[Value, Any]]:
    if not hasattr(input, "__len__"):
        yield (
            _values([input])[0],
            target if isinstance(target, Value) else number(_told(target), "a target"),
        )
    else:
        for a, y in zip(input, target):
            yield from _flat(a, y)


def _told(target: Any) -> Any:
    """Return False and True as 0 and 1, because comparisons are common targets."""
    return int(target) if isinstance(target, (bool, np.bool_)) else target


def _shape(x: Any) -> tuple[int, ...]:
    if isinstance(x, (str, bytes, Mapping)):
        raise TypeError(f"outputs and targets are numbers, got {x!r}")
    if not hasattr(x, "__len__"):
        return ()
    inner = {_shape(item) for item in x}
    if len(inner) > 1:
        raise ValueError(f"rows differ in shape: {sorted(inner)}")
    return (len(x), *(inner.pop() if inner else ()))


def _examples(input: Any, target: Any) -> Iterator[tuple[list[Value], Any]]:
    """Yield each example's outputs with its target; a single example needs no list around it."""
    input, target = listed(input), listed(target)
    instance(input, (Value, list, tuple, float, int), "outputs are a list of Values or numbers")
    if not hasattr(input, "__len__"):
        input = [input]
    if len(input) == 0:
        raise ValueError("there are no outputs")
    if not hasattr(input[0], "__len__"):
        yield _values(input), target
        return
    if not hasattr(target, "__len__") or len(target) != len(input):
        count = len(target) if hasattr(target, "__len__") else "one number"
        raise ValueError(f"there are {len(input)} examples and as targets {count}: give each one")
    for z, y in zip(input, target):
        yield _values(z), listed(y)


def _values(outputs: Any) -> list[Value]:
    return [z if isinstance(z, Value) else Value(z).detach() for z in outputs]
