"""The places at which tests evaluate each operation of the table."""

from __future__ import annotations

import itertools

from autograd import Op
from autograd.core.ops import MANY
from autograd.extend import TABLE

ROWS = [row for row in TABLE.values() if 0 < row.arity < MANY]  # `take` has tests of its own
POINTS = (-40.0, -20.0, -2.5, -1.0, -0.3, 1e-3, 0.3, 1.0, 2.0, 3.5, 20.0, 40.0)

WITHIN_ONE = (-0.999, -0.7, -0.3, 1e-3, 0.3, 0.7, 0.999)  # at ±1, no derivative exists
INNER: dict[str, tuple[float, ...]] = {
    **{"asin": WITHIN_ONE, "acos": WITHIN_ONE, "atanh": WITHIN_ONE},
    "floor": (-40.5, -2.5, -0.3, 0.3, 0.7, 1.5, 3.5, 20.5),
    "acosh": (1.001, 1.5, 2.0, 2.5, 3.0, 3.5, 20.0, 40.0),
}


def places(row: Op) -> list[tuple[float, ...]]:
    """Return operands in the row's domain, away from its kinks."""
    grids: list[tuple[float, ...]] = [POINTS] * row.arity
    if row.name in ("pow", "power"):
        grids = [(-2.5, -1.0, 0.3, 1.0, 2.0, 20.0), (-2.0, -0.5, 0.5, 1.0, 2.0, 3.0)]
    if row.name in INNER:
        grids = [INNER[row.name]]
    return [
        at
        for at in itertools.product(*grids)
        if (row.domain is None or row.domain.holds(*at)) and is_smooth(row, at)
    ]


def is_smooth(row: Op, at: tuple[float, ...]) -> bool:
    """Return whether no derivative jumps at this place."""
    if row.name == "clip":  # the sign of its kink is 0 between the limits
        return len(set(at)) == 3
    if row.name in ("floor", "mod"):  # their kink is the number of a piece
        a, b = at if row.name == "mod" else (*at, 1.0)
        return abs(b) >= 1.0 and abs(a / b - round(a / b)) > 0.05
    return row.kink is None or bool(row.kink(*at))


def differentiable(row: Op, at: tuple[float, ...]) -> list[int]:
    """Return the slots of the operands that have a derivative at this place."""
    if row.name == "pow":
        return [0]  # the exponent is a plain number
    if row.name == "power" and at[0] < 0:
        return [0]  # a negative base allows whole exponents only
    return list(range(row.arity))
