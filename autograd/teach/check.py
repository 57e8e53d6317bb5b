"""Check gradients against numeric derivatives; `gradcheck` is the public function.

A numeric derivative is a difference of output values, evaluated on both sides of a leaf. It must
never use the `partials` of an operation, because these are what the check tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite, nan, ulp
from typing import Any, NamedTuple

from ..core import boundary
from ..core.backprop import STALE_WARNING, gradients, moved, stale
from ..core.boundary import as_float, at_least_zero, positive, several
from ..core.graph import leaves
from ..core.notation import name, shortened
from ..core.ops import PlaceError
from ..core.term import numeral
from ..core.terminal import fitted, shown
from ..core.value import Value

ROWS = 20  # most rows printed
# Steps relative to max(1, |x|), then to |x|, then to 1. The others are needed if x is close to the
# edge of the domain, or if the function bends within a larger step.
STEPS = 1e-4, 1e-6, 1e-2
SURE = 1e-6  # a relative error at which no further step is tried


@dataclass(frozen=True)
class Row:
    """One row of the table: a leaf, its two derivatives, and the tolerance.

    Attributes:
        leaf: the leaf.
        analytic: ∂output/∂leaf by the chain rule.
        numeric: ∂output/∂leaf by evaluating the output on both sides of the leaf's data.
        step: the distance of these evaluations from the leaf's data.
        tolerance: the largest |analytic − numeric| that counts as agreement.
        kink: True if a kink lies within the step, so that the two need not agree.
        index: True if an index of `take` depends on the leaf. It is whole, and is not moved.
    """

    leaf: Value
    analytic: float
    numeric: float
    step: float
    tolerance: float
    kink: bool
    index: bool = False

    @property
    def error(self) -> float:
        """|analytic − numeric|; 0 if both are the same infinity."""
        return 0.0 if self.analytic == self.numeric else abs(self.analytic - self.numeric)

    @property
    def ok(self) -> bool:
        """True if the two derivatives agree, or if there is a kink or an index."""
        return self.kink or self.index or self.error <= self.tolerance

    @property
    def verdict(self) -> str:
        """The result of the row in one word: `ok`, `kink`, `index` or `WRONG`."""
        return "index" if self.index else "kink" if self.kink else "ok" if self.ok else "WRONG"


class GradCheck(tuple[Row, ...]):
    """The rows of a check: a tuple that is true if all rows are ok, and prints as a table."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return all(row.ok for row in self)

    @fitted
    def __repr__(self) -> str:
        lines = [f"{'leaf':<20}{'analytic':>15}{'numeric':>15}{'error':>11}{'step':>9}"]
        rows = sorted(self, key=lambda row: row.ok)[:ROWS] if len(self) > ROWS else self
        for row in rows:  # if not all rows fit, the wrong ones are printed first
            called = shortened(shown(name(row.leaf).text), 19)
            lines.append(
                f"{called:<20}{numeral(row.analytic, 7):>15}{numeral(row.numeric, 7):>15}"
                f"{numeral(row.error, 2):>11}{numeral(row.step, 2):>9}  {row.verdict}"
            )
        if len(self) > ROWS:
            lines.append(f"… and {len(self) - ROWS:,} more")
        if len(self) == 0:
            lines.append("(no leaves)")
        return "\n".join(lines)


def gradcheck(
    f: Value | Callable[..., Value],
    inputs: Sequence[Any] | None = None,
    eps: float | None = None,
    atol: float = 0.0,
    rtol: float = 1e-4,
) -> GradCheck:
    """Compare the gradients of a graph, or of a function, with central differences.

    With D(h) = (f(x + h) − f(x − h)) / 2h, the numeric derivative is (4·D(h/2) − D(h)) / 3. The
    gradient is right if |analytic − numeric| ≤ atol + rtol · |numeric| + error, where error
    estimates how wrong the numeric derivative may be: |D(h) − D(h/2)| plus the effect of rounding.
    Several steps h are tried; a step that crosses a kink, or leaves the domain, is avoided. The
    first step with a small error is used, else the one with the smallest error.

    The check has two limits. It cannot see a change that rounding removes from the output, such
    as +1 beside 1e16. It cannot judge an output that oscillates within a millionth of x, such as
    sin at 1e12.

    Args:
        f: an output whose leaves are checked, or a function of Values that returns one.
        inputs: the arguments of the function: Values or numbers.
        eps: the step relative to max(1, |x|); by default it is chosen automatically.
        atol, rtol: the absolute and relative tolerance.

    Returns:
        A table with the step of each row, true if every gradient is right. At a kink the two
        derivatives may differ, and the row says "kink". A leaf that is an index of `take` is not
        moved, for it is whole; its row says "index". The graph is not changed.

    Raises:
        TypeError: `f` is neither a Value nor a function, or the function does not return a
            Value, or `inputs` is missing, or is given for a Value.
        ValueError: `eps` is not positive, the graph is stale, or the output has no value on
            both sides of a leaf, for example near infinity.

    Source: Press, Teukolsky, Vetterling and Flannery, "Numerical Recipes", 3rd edition (2007),
    section 5.7.

    >>> x = Value(2.0, label="x")
    >>> gradcheck(x**3)
    leaf                       analytic        numeric      error     step
    x                                12             12    ...   0.0002  ok
    >>> bool(gradcheck(lambda a, b: a * b.exp(), [2.0, 0.5]))
    True
    """
    if eps is not None:
        eps = positive(eps, "eps, the size of a step,")
    atol, rtol = at_least_zero(atol, "atol"), at_least_zero(rtol, "rtol")
    given = _given(f, inputs)
    root = f if isinstance(f, Value) else _output(f(*given))
    if stale(root):
        raise ValueError(f"nothing to check yet: {STALE_WARNING}")
    analytic = gradients(root)
    rows = []
    for leaf in leaves(root):
        called = f if leaf in given else None  # a function may take another branch at a new input
        try:
            slope = _best(root, leaf, eps, called, given)
        except PlaceError:
            rows.append(Row(leaf, analytic[leaf], nan, 0.0, 0.0, kink=False, index=True))
            continue
        tolerance = atol + rtol * abs(slope.value) + slope.error if isfinite(slope.value) else 0.0
        rows.append(Row(leaf, analytic[leaf], slope.value, slope.step, tolerance, slope.kink))
    return GradCheck(rows)


class _Slope(NamedTuple):
    """A numeric derivative, an estimate of its error, the step, and whether it crosses a kink."""

    value: float
    error: float
    step: float
    kink: bool

    @property
    def doubt(self) -> float:
        """The relative error of the derivative, at most 1."""
        if self.value == 0.0 or not isfinite(self.error):
            return 1.0
        return min(1.0, self.error / abs(self.value))


def _best(root: Value, leaf: Value, eps: float | None, f: Any, given: list[Value]) -> _Slope:
    """Return the numeric derivative at the most reliable step.

    `f` and `given` are the function and its inputs if `leaf` is one of these; otherwise `f` is
    None, and the graph of `root` is evaluated instead.
    """
    here = as_float(leaf.data, "the data of a leaf")
    sizes = dict.fromkeys((max(1.0, abs(here)), abs(here), 1.0))
    steps = [size * share for size in sizes for share in STEPS]
    if eps is not None:
        steps = [eps * max(1.0, abs(here))]
    found, failed = [], None
    for step in steps:
        if here - step < here < here + step and isfinite(here + step) and isfinite(here - step):
            try:
                slope = _slope(root, leaf, step, f, given)
            except PlaceError:
                raise
            except (ArithmeticError, ValueError) as error:
                failed = error
                continue
            found.append(slope)
            if not slope.kink and slope.error <= SURE * abs(slope.value):
                return slope
    if not found:
        tried = ", ".join(numeral(step, 2) for step in steps)
        raise ValueError(
            f"{leaf.label or 'a leaf'} = {numeral(here)} cannot be checked: with no step of "
            f"{tried} are there another number and a value on both sides. "
            f"{failed or 'Check at a smaller number, or give another eps'}"
        )
    return min(found, key=lambda slope: (slope.kink, slope.doubt, slope.error))


def _slope(root: Value, leaf: Value, step: float, f: Any, given: list[Value]) -> _Slope:
    """Extrapolate the differences over a step and over half a step to step 0 (Richardson)."""
    wide, _, kink = _difference(root, leaf, step, f, given)
    narrow, rounding, _ = _difference(root, leaf, step / 2.0, f, given)
    change = 0.0 if narrow == wide else narrow - wide
    return _Slope(narrow + change / 3.0, abs(change) + rounding, step, kink)


def _difference(
    root: Value, leaf: Value, step: float, f: Any, given: list[Value]
) -> tuple[float, float, bool]:
    """Return the central difference, its rounding error, and whether it crosses a kink."""
    left, right = leaf.data - step, leaf.data + step
    on_left, on_right = moved(root, leaf, left), moved(root, leaf, right)
    below, above = on_left[root], on_right[root]
    if f is not None:
        below, above = (_called(f, given, leaf, x) for x in (left, right))
    half = right / 2.0 - left / 2.0  # halved first: right − left may overflow
    rounding = 4.0 * ulp(max(abs(below), abs(above))) / half
    return (above / 2.0 - below / 2.0) / half, rounding, _crosses_kink(on_left, on_right)


def _given(f: Value | Callable[..., Value], inputs: Sequence[Any] | None) -> list[Value]:
    """Return the inputs of a function as Values; an empty list if `f` is a Value."""
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


def _called(f: Any, given: list[Value], leaf: Value, data: float) -> float:
    """Call the function on copies of its inputs, with the data of `leaf` replaced by `data`."""
    fresh = {value: Value(data if value is leaf else value.data, value.label) for value in given}
    return _output(f(*[fresh[value] for value in given])).data


def _crosses_kink(on_left: dict[Value, float], on_right: dict[Value, float]) -> bool:
    """Return True if the derivative of an operation jumps between the two sides."""
    for node in on_left:
        kink = node.op.kink
        if kink is not None:
            left = kink(*[on_left.get(arg, arg.data) for arg in node.args])
            right = kink(*[on_right.get(arg, arg.data) for arg in node.args])
            if left != right and (type(left) is int or left * right <= 0.0):
                return True
    return False
