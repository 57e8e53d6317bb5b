"""What went wrong in a gradient worked out by hand.

A gradient is a sum of products of local derivatives, so it is linear in each of them: changing
the local derivative of one edge from l to m changes it by upstream · (m − l) · tangent, where the
tangent says how the edge's operand moves with the node asked about. Each usual mistake is such a
change; the one that gives the learner's number is the likely one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from decimal import Decimal
from math import isclose, isfinite
from typing import NamedTuple

from . import ops
from .backprop import STALE_WARNING, gradients, locals_of
from .graph import topological_order
from .markup import block, table, warning
from .notation import name, number
from .paths import local_term, slope_name
from .terminal import fitted
from .value import Value

ROUNDED, CLOSE = 1e-3, 0.05  # how far off, relatively, a right and a nearly right answer may be
GRAPH_LIMIT = 5000  # nodes up to which single factors are tried

SIGN = "The sign is wrong: look at which factors are negative."
KEPT = "Contributions add up (+=): 1 of {} was kept."
PATH = "A path is missing, the one that adds {}."
HINT = "Take it one factor at a time:"
SLIP_NAMES = ("local", "out", "operand", "misplaced")
SLIPS = (
    ("1.0", "The {factor} is missing."),
    ("0.0", "The path from {operand} to {node} is missing."),
    ("-local", "The sign of the {factor} is wrong."),
    ("out", "Where {node} was used, its slope belongs: the {factor}."),
    ("operand", "Where {operand} was used, the slope belongs: the {factor}."),
    ("local * local", "The {factor} was used twice."),
    ("misplaced", "The {factor} is taken at {operand}."),
    ("1.0 / local if local != 0.0 else 0.0", "Multiply by the {factor}, do not divide."),
)
"""What may stand in a gradient in place of a local derivative, and what is then said.

The first are expressions of the local derivative, of the numbers of the node and its operand, and
of the derivative taken at the wrong one of these; a page runs them too.
"""


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
    for value, mistake in mistakes(root, node, found):
        if matches(guess, value):
            return Judgement(node, False, f"{said} is not right. {mistake}")
    if abs(guess - true) <= CLOSE * abs(true) or _rounds_to(guess, true):
        return Judgement(node, False, f"{said} is close, but not right: carry more digits.")
    return Judgement(node, False, f"{said} is not right. {HINT} explain() lists them.")


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
    return off <= ROUNDED * abs(true) or (_rounds_to(guess, true) and off <= CLOSE * abs(true))


def _rounds_to(guess: float, true: float) -> bool:
    """Whether they differ by at most half of the last digit given."""
    if guess == 0.0 or not (isfinite(guess) and isfinite(true)):
        return False
    half_a_digit = 0.5 * 10.0 ** int(Decimal(repr(guess)).normalize().as_tuple().exponent)
    return abs(guess - true) <= half_a_digit * (1 + 1e-9)


def mistakes(root: Value, node: Value, found: dict[Value, float]) -> Iterator[tuple[float, str]]:
    """Wrong gradients that a learner could arrive at, the commonest first, and how they came."""
    true = found.get(node, 0.0)
    order = topological_order(root)
    yield -true, SIGN
    arriving = [
        found[other] * local
        for other in reversed(order)
        for arg, local in zip(other.args, locals_of(other, found.__contains__))
        if arg is node
    ]
    if len(arriving) > 1:
        kept = KEPT.format(len(arriving))
        yield from ((contribution, kept) for contribution in arriving)
        for contribution in arriving:
            yield true - contribution, PATH.format(number(contribution))
    if true and found[root] != 1.0:
        yield true / found[root], f"The gradient that flows in, {number(found[root])}, is missing."
    if len(order) <= GRAPH_LIMIT:
        yield from _wrong_factors(order, node, found)


def _wrong_factors(
    order: list[Value], node: Value, found: dict[Value, float]
) -> Iterator[tuple[float, str]]:
    true = found.get(node, 0.0)
    tangents = _tangents(order, node)
    for other in order:
        for slot, (arg, local) in enumerate(zip(other.args, locals_of(other, found.__contains__))):
            if not (tangents.get(arg) and arg.op is not ops.constant):
                continue
            reach = found[other] * tangents[arg]
            factor = local_term(other, slot)
            called = slope_name(other, arg) if factor.is_number else factor.text
            written = f"factor {called} = {number(local)}"
            misplaced = _misplaced(other, slot, local)
            for wrong, says in SLIPS:
                instead = _compiled(wrong)(local, other.data, arg.data, misplaced)
                yield (
                    true + reach * (instead - local),
                    says.format(factor=written, node=name(other), operand=name(arg)),
                )


@functools.cache
def _compiled(wrong: str) -> Callable[[float, float, float, float], float]:
    function: Callable[[float, float, float, float], float]
    function = eval(f"lambda {', '.join(SLIP_NAMES)}: {wrong}")
    return function


def _misplaced(node: Value, slot: int, local: float) -> float:
    """The slope read off at the operand where the rule has the value: z(1 − z) for a(1 − a)."""
    if node.op.reads is None:
        return local
    try:
        operands = [arg.data for arg in node.args]
        return float(node.op.reads(operands[slot], *operands)[slot])
    except (ArithmeticError, ValueError):
        return local


def _tangents(order: list[Value], node: Value) -> dict[Value, float]:
    """∂other/∂node for every node that depends on it: forward mode."""
    tangents = {node: 1.0}
    for other in order:
        moving = [
            local * tangents[arg]
            for arg, local in zip(other.args, locals_of(other, tangents.__contains__))
            if arg in tangents
        ]
        if moving and other is not node:
            tangents[other] = sum(moving)
    return tangents
