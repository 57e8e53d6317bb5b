"""Pairing outputs with their targets: number by number, or example by example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autograd import Value

from .settings import instance, real
from .targets import as_lists


def pairs(input: Any, target: Any) -> Iterator[tuple[Value, Any]]:
    """Yield each output with its target, from two nested lists of the same shape."""
    input, target = as_lists(input), as_lists(target)
    shape, other = _shape(input), _shape(target)
    if {shape, other} == {(), (1,)}:  # one output, and only one of the two is in a list
        input, target = _in_list(input), _in_list(target)
    elif shape != other:
        raise ValueError(f"the outputs have shape {shape} and the targets {other}")
    if 0 in shape:
        raise ValueError("there are no outputs")
    yield from _number_pairs(input, target)


def _in_list(x: Any) -> Any:
    return x if hasattr(x, "__len__") else [x]


def _number_pairs(input: Any, target: Any) -> Iterator[tuple[Value, Any]]:
    """Yield the pairs of two nested lists of the same shape, which is not checked again."""
    if not hasattr(input, "__len__"):
        yield as_value(input), number_or_value(target, "a target")
    else:
        for a, y in zip(input, target):
            yield from _number_pairs(a, y)


def number_or_value(target: Any, what: str) -> Any:
    """Return a target as it is if it is a Value, else as a number.

    False and True count as 0 and 1, because comparisons are common targets.

    >>> number_or_value(True, "a target")
    1.0
    """
    if isinstance(target, Value):
        return target
    return real(int(target) if isinstance(target, (bool, np.bool_)) else target, what)


def _shape(x: Any) -> tuple[int, ...]:
    """Return the shape of nested lists; () for a single number or Value."""
    if isinstance(x, (str, bytes, Mapping)):
        raise TypeError(f"outputs and targets are numbers, got {x!r}")
    if not hasattr(x, "__len__"):
        return ()
    inner = {_shape(item) for item in x}
    if len(inner) > 1:
        raise ValueError(f"rows differ in shape: {sorted(inner)}")
    return (len(x), *(inner.pop() if inner else ()))


def examples(input: Any, target: Any) -> Iterator[tuple[list[Value], Any]]:
    """Yield each example's outputs with its target; a single example needs no list around it."""
    input, target = as_lists(input), as_lists(target)
    instance(input, (Value, list, tuple, float, int), "outputs are a list of Values or numbers")
    input = _in_list(input)
    if len(input) == 0:
        raise ValueError("there are no outputs")
    if not hasattr(input[0], "__len__"):
        yield list(map(as_value, input)), target
        return
    if not hasattr(target, "__len__") or len(target) != len(input):
        count = len(target) if hasattr(target, "__len__") else "one number"
        raise ValueError(f"there are {len(input)} examples and as targets {count}: give each one")
    for z, y in zip(input, target):
        yield list(map(as_value, z)), as_lists(y)


def as_value(x: Any) -> Value:
    """Return a number as a constant, and a Value as it is.

    >>> as_value(2.0).op.name
    'constant'
    """
    return x if isinstance(x, Value) else Value(x).detach()
