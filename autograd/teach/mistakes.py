"""Judge gradients that a learner computed by hand, and name the likely mistake in a wrong one.

`Stepper.check` calls `judge`. The page's `quiz.js` is a translation of this module and must give
the same verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isclose, isfinite
from typing import NamedTuple

from ..core.backprop import STALE_WARNING, gradients
from ..core.notation import name
from ..core.term import numeral
from ..core.terminal import fitted
from ..core.value import Value
from ..picture.markup import block, table, warning
from .slips import Candidate, candidates

ROUNDED, CLOSE = 1e-3, 0.05  # the largest relative errors of a right and of a nearly right answer
NEARLY = "is close, but not right: compute with more digits."
HINT = "Check each factor:"


class Judgement(NamedTuple):
    """The verdict on one guess: the node, whether the guess is right, and a sentence."""

    node: Value
    right: bool
    text: str


class Verdict(tuple[Judgement, ...]):
    """A tuple of judgements; it is true if all are right, and prints one line for each."""

    stale = False
    """True if data changed since the graph was evaluated; the judgements may then be wrong."""

    def __bool__(self) -> bool:
        return all(judgement.right for judgement in self)

    @fitted
    def __repr__(self) -> str:
        lines = [judgement.text for judgement in self]
        return "\n".join([*lines, STALE_WARNING] if self.stale else lines)

    def _repr_html_(self) -> str:
        """Return an HTML table with a mark (✓ or ✗) for each judgement."""
        rows = [["✓" if judgement.right else "✗", judgement.text] for judgement in self]
        return block(table(rows, "ll"), *([warning(STALE_WARNING)] if self.stale else []))


def judge(root: Value, node: Value, guess: float, gradient: float = 1.0) -> Judgement:
    """Compare `guess` with ∂root/∂node, and name the likely mistake if it is wrong.

    A guess is right if it equals the true gradient rounded to the same number of digits, or if
    its error is no larger than that of a product of factors rounded to four digits. `gradient`
    is the gradient of `root`, as for `backward`.

    >>> x = Value(3.0, label="x")
    >>> judge(x * x, x, 6).text, judge(x * x, x, 3).text
    ('x: 6 is right.', 'x: 3 is not right. The contributions add up (+=): only 1 of 2 was kept.')
    """
    found = gradients(root, gradient, by=[node])
    true = found.get(node, 0.0)
    answer = f"{name(node)}: {numeral(guess, 10)}"
    if matches(guess, true):
        exactly = "" if isclose(guess, true, rel_tol=1e-9) else f" ({numeral(true, 7)})"
        return Judgement(node, True, f"{answer} is right{exactly}.")
    exact, likely = _explained(guess, candidates(root, node, found))
    rounded = _rounds_to(guess, true)
    if exact or (likely and not rounded):
        return Judgement(node, False, f"{answer} is not right. {exact or likely}")
    if rounded or abs(guess - true) <= CLOSE * abs(true):
        return Judgement(node, False, f"{answer} {NEARLY}")
    return Judgement(node, False, f"{answer} is not right. {HINT} explain() lists them.")


def _explained(guess: float, wrong: Iterable[Candidate]) -> tuple[str, str]:
    """Return the explanations of the mistake that gives the guess, as (exact, likely).

    `exact` explains the first mistake that gives the guess to all digits. If there is none,
    `likely` explains the first one that gives it to a few digits. The other is "".
    """
    likely: Callable[[], str] | None = None
    for value, explain in wrong:
        if isclose(guess, value, rel_tol=1e-9):
            return explain(), ""
        if likely is None and matches(guess, value):
            likely = explain
    return "", "" if likely is None else likely()


def matches(guess: float, true: float) -> bool:
    """Return True if `guess` is `true` rounded to the digits of the guess, or to about four.

    >>> matches(-0.16, -0.1586), matches(0.16, -0.1586), matches(0, 0.3)
    (True, False, False)
    """
    rounding = 1e-12 if 0.0 in (guess, true) else 0.0  # floats may give 1e-17 for an exact zero
    if isclose(guess, true, rel_tol=1e-9, abs_tol=rounding):
        return True
    if not isfinite(true):
        return False
    off = abs(guess - true)
    return off <= ROUNDED * abs(true) or (off <= CLOSE * abs(true) and _rounds_to(guess, true))


def _rounds_to(guess: float, true: float) -> bool:
    """Return True if they differ by at most half a unit in the last digit of `guess`."""
    if guess == 0.0 or not (isfinite(guess) and isfinite(true)):
        return False
    from decimal import Decimal  # here, because it takes long to import

    half_a_digit = 0.5 * 10.0 ** int(Decimal(repr(guess)).normalize().as_tuple().exponent)
    return abs(guess - true) <= half_a_digit * (1 + 1e-9)
