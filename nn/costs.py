"""The cost that a loss or a penalty returned: its check, and its gradient."""

from __future__ import annotations

import numbers
from collections.abc import Iterable
from typing import Any

from autograd import DomainError, Value
from autograd.extend import TABLE


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
