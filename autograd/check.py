"""Gradients held against numbers: a check that never calls the code it checks.

The numeric derivative comes from evaluating the output twice, a little to the left and a little
to the right of where it is; no row's `partials` takes part in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite, ulp
from typing import Any

from . import boundary
from .backprop import STALE_WARNING, gradients, moved, stale
from .boundary import as_float, at_least_zero, positive, several
from .graph import leaves
from .notation import name, number, shortened
from .terminal import fitted, shown
from .value import Value

ROWS = 20  # that are printed


@dataclass(frozen=True)
class Row:
    """One line of the table: a leaf, its two derivatives, and how far they are apart.

    Attributes:
        leaf: the leaf.
        analytic: ∂output/∂leaf by the chain rule.
        numeric: the same by evaluating the output on both sides of the leaf's data.
        tolerance: how far apart they may be.
        kink: whether a kink lies within reach, so that the two need not agree.
    """

    leaf: Value
    analytic: float
    numeric: float
    tolerance: float
    kink: bool

    @property
    def error(self) -> float:
        """|analytic − numeric|."""
        return abs(self.analytic - self.numeric)

    @property
    def ok(self) -> bool:
        """Whether they agree, or need not."""
        return self.kink or self.error <= self.tolerance

    @property
    def verdict(self) -> str:
        """`ok`, `kink` or `WRONG`."""
        return "kink" if self.kink else "ok" if self.ok else "WRONG"


class GradCheck(tuple[Row, ...]):
    """The rows of a check; true if all are right; prints as a table."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return all(row.ok for row in self)

    @fitted
    def __repr__(self) -> str:
        lines = [f"{'leaf':<20}{'analytic':>15}{'numeric':>15}{'error':>11}"]
        rows = sorted(self, key=lambda row: row.ok)[:ROWS] if len(self) > ROWS else self
        for row in rows:  # where not all fit, what is wrong comes first
            called = shortened(shown(name(row.leaf).text), 19)
            lines.append(
                f"{called:<20}{number(row.analytic, 7):>15}{number(row.numeric, 7):>15}"
                f"{number(row.error, 2):>11}  {row.verdict}"
            )
        if len(self) > ROWS:
            lines.append(f"… and {len(self) - ROWS:,} more")
        if len(self) == 0:
            lines.append("(no leaves)")
        return "\n".join(lines)


def gradcheck(
    f: Value | Callable[..., Value],
    inputs: Sequence[Any] | None = None,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
) -> GradCheck:
    """Compare the gradients of a graph, or of a function, with central differences.

    numeric = (f(x + h) − f(x − h)) / 2h with h = eps · max(1, |x|); right if
    |analytic − numeric| ≤ atol + rtol · |numeric|, plus what rounding the output may do to it.

    Args:
        f: an output whose leaves are checked, or a function that makes one from Values.
        inputs: for a function, its arguments: Values or numbers.
        eps: the step, relative above one.
        atol, rtol: the absolute and relative tolerance.

    Returns:
        A table, true if every gradient is right. At a kink the two may differ, and the row says
        so. The graph is left as it was.

    Raises:
        TypeError: `f` is neither, does not return a Value, or `inputs` are missing or unwanted.
        ValueError: `eps` is not positive, the graph is stale, or the output has no value nearby.

    >>> x = Value(2.0, label="x")
    >>> gradcheck(x**3)
    leaf                       analytic        numeric      error
    x                                12             12    ...  ok
    >>> bool(gradcheck(lambda a, b: a * b.exp(), [2.0, 0.5]))
    True
    """
    eps = positive(eps, "eps, the size of a step,")
    atol, rtol = at_least_zero(atol, "atol"), at_least_zero(rtol, "rtol")
    given = _given(f, inputs)
    root = f if isinstance(f, Value) else _output(f(*given))
    if stale(root):
        raise ValueError(f"nothing to check yet: {STALE_WARNING}")
    analytic = gradients(root)
    rows = []
    for leaf in leaves(root):
        left, right = _sides(leaf, eps)
        on_left, on_right = moved(root, leaf, left), moved(root, leaf, right)
        below, above = on_left[root], on_right[root]
        if leaf in given:  # a function may do more than its graph shows
            below, above = (_called(f, given, leaf, x) for x in (left, right))
        numeric = (above - below) / (right - left)
        rounding = 2 * ulp(max(abs(below), abs(above))) / (right - left)
        tolerance = atol + rtol * abs(numeric) + rounding if isfinite(numeric) else 0.0
        kink = _crosses_kink(on_left, on_right)
        rows.append(Row(leaf, analytic[leaf], numeric, tolerance, kink))
    return GradCheck(rows)


def _given(f: Value | Callable[..., Value], inputs: Sequence[Any] | None) -> list[Value]:
    """The inputs of a function as Values."""
    if isinstance(f, Value):
        if inputs is not None:
            raise TypeError("an existing graph has its inputs already: call gradcheck(output)")
        return []
    boundary.function(f, "gradcheck takes a Value or a function that returns one")
    if inputs is None:
        raise TypeError("a function needs inputs to be checked at: gradcheck(f, [2.0, 0.5])")
    given = several(inputs, "inputs is a sequence with a number for each argument")
    return [x if isinstance(x, Value) else Value(x, f"x{i}") for i, x in enumerate(given)]


def _output(output: Any) -> Value:
    if not isinstance(output, Value):
        raise TypeError(f"the function must return a Value, it returned {output!r}")
    return output


def _sides(leaf: Value, eps: float) -> tuple[float, float]:
    """A little to the left and to the right of where the leaf is."""
    here = as_float(leaf.data, "the data of a leaf")
    step = eps * max(1.0, abs(here))
    if here - step == here or here + step == here:
        raise ValueError(f"eps = {eps} is too small to tell {here} from its neighbours: try 1e-6")
    return here - step, here + step


def _called(f: Any, given: list[Value], leaf: Value, data: float) -> float:
    """What the function makes of new inputs, one of them moved."""
    fresh = {value: Value(data if value is leaf else value.data, value.label) for value in given}
    return _output(f(*[fresh[value] for value in given])).data


def _crosses_kink(on_left: dict[Value, float], on_right: dict[Value, float]) -> bool:
    """Whether an operation's derivative jumps between the two sides."""
    for node in on_left:
        kink = node.op.kink
        if kink is not None:
            left = kink(*[on_left.get(arg, arg.data) for arg in node.args])
            right = kink(*[on_right.get(arg, arg.data) for arg in node.args])
            if left * right <= 0.0 and left != right:
                return True
    return False
