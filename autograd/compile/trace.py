"""Running a function once on Values, to see what it computes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from .. import modes, ops
from ..graph import topological_order
from ..modes import TraceError
from ..sequences import sum as total
from ..value import Value, constant


@dataclass
class Traced:
    """What a function computed from one row of its arguments.

    Attributes:
        inputs: for each argument its Values, flat.
        outputs: what it returned, flat; a plain number is a constant.
        shape: () for one Value, else (k,) for a list of k.
        order: every node, each after its operands.
        samplers: what to draw anew for each row; the Values so drawn are the last inputs.
    """

    inputs: list[list[Value]]
    outputs: list[Value]
    shape: tuple[int, ...]
    order: list[Value]
    samplers: list[Callable[[], float]]


def trace(function: Callable[..., Any], row: Sequence[np.ndarray]) -> Traced:
    """Run a function on Values that hold one row of its arguments.

    Args:
        function: of lists of Values, or of Values.
        row: for each argument its numbers for one example: shape () for a Value, (k,) for a list.

    Raises:
        TraceError: it returned no Value, or compared Values.
    """
    names = _names(function, len(row))
    arguments = [_made(numbers, name) for numbers, name in zip(row, names)]
    with modes.traced():
        returned = function(*arguments)
        random = cast(list[tuple[Value, Callable[[], float]]], modes.tracing)
    outputs, shape = _outputs(returned)
    inputs = [argument if isinstance(argument, list) else [argument] for argument in arguments]
    if random:
        inputs.append([value for value, _ in random])
    order = topological_order(total(outputs))
    return Traced(inputs, outputs, shape, order, [sampler for _, sampler in random])


def drawn(sampler: Callable[[], float]) -> Any:
    """A number drawn at random, which compiled code draws anew for each row and each call.

    Args:
        sampler: draws it, as in `random.random`.

    >>> drawn(lambda: 0.5)
    0.5
    """
    if modes.tracing is None:
        return sampler()
    value = Value(sampler(), label="drawn")
    modes.tracing.append((value, sampler))
    return value


def _names(function: Callable[..., Any], count: int) -> list[str]:
    target = getattr(function, "forward", function)
    try:
        names = list(inspect.signature(target).parameters)[:count]
    except ValueError:
        names = []
    return names + [f"x{i}" for i in range(len(names), count)]


def _made(numbers: np.ndarray, name: str) -> Any:
    if numbers.ndim == 0:
        return Value(float(numbers), label=name)
    return [Value(x, label=f"{name}[{i}]") for i, x in enumerate(numbers.tolist())]


def _outputs(returned: Any) -> tuple[list[Value], tuple[int, ...]]:
    if isinstance(returned, Value):
        return [returned], ()
    if isinstance(returned, np.ndarray):
        returned = returned.tolist()
    if not isinstance(returned, (list, tuple)) or not any(isinstance(v, Value) for v in returned):
        raise TraceError(f"the function returned no Value, and no list of them: {returned!r:.60}")
    return [v if isinstance(v, Value) else constant(v) for v in returned], (len(returned),)


def same(first: Traced, second: Traced) -> None:
    """Check that two traces on different numbers are one and the same computation.

    Raises:
        TraceError: they are not: something depends on values, and not only on structure.
    """
    if len(first.order) != len(second.order):
        raise TraceError(
            f"on one row it computes {len(first.order):,} nodes and on another "
            f"{len(second.order):,}: {REMEDY}"
        )
    index = ({id(node): i for i, node in enumerate(t.order)} for t in (first, second))
    one, two = index
    for a, b in zip(first.order, second.order):
        if a.op is not b.op or [one[id(x)] for x in a.args] != [two[id(x)] for x in b.args]:
            raise TraceError(
                f"on one row it computes {a.op.name}, on another {b.op.name}: {REMEDY}"
            )
        if (
            a.op is ops.constant
            and a.data != b.data
            and not (a.data != a.data and b.data != b.data)
        ):
            raise TraceError(
                f"a plain number in it is {a.data:g} for one row and {b.data:g} for another: "
                f"it was read from a Value by .data, or drawn at random. {REMEDY}"
            )


REMEDY = (
    "what is compiled must be the same for all rows. In place of an if on a Value use maximum, "
    "relu, step or abs; in place of .data use the Value itself"
)
