"""Gradients worked out by hand: right ones told from wrong ones, and the wrong ones told why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from math import isclose, isfinite
from typing import NamedTuple

from ..core.backprop import STALE_WARNING, gradients
from ..core.notation import name, number
from ..core.terminal import fitted
from ..core.value import Value
from ..picture.markup import block, table, warning
from .slips import Candidate, candidates

ROUNDED, CLOSE = 1e-3, 0.05  # how far off, relatively, a right and a nearly right answer may be
NEARLY = "is close, but not right: carry more digits."
HINT = "Take it one factor at a time:"


class Judgement(NamedTuple):
    """One gradient held against the right one."""

    node: Value
    right: bool
    text: str


class Verdict(tuple[Judgement, ...]):
    """Judgements, a line each when printed; true if all are right."""

    stale = False
    """Whether data changed since the graph was evaluated, so that right and wrong mean little."""

    def __bool__(self) -> bool:
        return all(judgement.right for judgement in self)

    @fitted
    def __repr__(self) -> str:
        lines = [judgement.text for judgement in self]
        return "\n".join([*lines, STALE_WARNING] if self.stale else lines)

    def _repr_html_(self) -> str:
        """The same with a mark for right and wrong."""
        rows = [["✓" if judgement.right else "✗", judgement.text] for judgement in self]
        return block(table(rows, "ll"), *([warning(STALE_WARNING)] if self.stale else []))


def judged(root: Value, node: Value, guess: float, gradient: float = 1.0) -> Judgement:
    """Hold `guess` against ∂root/∂node, and if it is wrong, name the likely mistake.

    A guess is right if it is the true gradient rounded to the digits given, or as far off as a
    product of factors rounded to four digits may be.

    >>> x = Value(3.0, label="x")
    >>> judged(x * x, x, 6).text, judged(x * x, x, 3).text
    ('x: 6 is right.', 'x: 3 is not right. Contributions add up (+=): 1 of 2 was kept.')
    """
    found = gradients(root, gradient, by=[node])
    true = found.get(node, 0.0)
    said = f"{name(node)}: {guess:.10g}"
    if matches(guess, true):
        exactly = "" if isclose(guess, true, rel_tol=1e-9) else f" ({number(true, 7)})"
        return Judgement(node, True, f"{said} is right{exactly}.")
    exact, likely = _explained(guess, candidates(root, node, found))
    rounded = _rounds_to(guess, true)
    if exact or (likely and not rounded):
        return Judgement(node, False, f"{said} is not right. {exact or likely}")
    if rounded or abs(guess - true) <= CLOSE * abs(true):
        return Judgement(node, False, f"{said} {NEARLY}")
    return Judgement(node, False, f"{said} is not right. {HINT} explain() lists them.")


def _explained(guess: float, wrong: Iterable[Candidate]) -> tuple[str, str]:
    """What is said of the first mistake that gives the guess to all digits, else to a few."""
    likely: Callable[[], str] | None = None
    for value, says in wrong:
        if isclose(guess, value, rel_tol=1e-9):
            return says(), ""
        if likely is None and matches(guess, value):
            likely = says
    return "", "" if likely is None else likely()


def matches(guess: float, true: float) -> bool:
    """Whether `guess` is `true`, rounded to the digits in which it was given or to about four.

    >>> matches(-0.16, -0.1586), matches(0.16, -0.1586), matches(0, 0.3)
    (True, False, False)
    """
    rounding = 1e-12 if 0.0 in (guess, true) else 0.0  # what is zero on paper may not be in floats
    if isclose(guess, true, rel_tol=1e-9, abs_tol=rounding):
        return True
    if not isfinite(true):
        return False
    off = abs(guess - true)
    return off <= ROUNDED * abs(true) or (off <= CLOSE * abs(true) and _rounds_to(guess, true))


def _rounds_to(guess: float, true: float) -> bool:
    """Whether they differ by at most half of the last digit given."""
    if guess == 0.0 or not (isfinite(guess) and isfinite(true)):
        return False
    half_a_digit = 0.5 * 10.0 ** int(Decimal(repr(guess)).normalize().as_tuple().exponent)
    return abs(guess - true) <= half_a_digit * (1 + 1e-9)
