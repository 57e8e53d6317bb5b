"""List the wrong gradients that typical mistakes of a learner produce, with explanations.

`mistakes.judge` compares a wrong guess with these candidates. A gradient is a sum of products of
local derivatives, so it is linear in each of them. If the local derivative of one edge changes
from l to m, the gradient of a node changes by upstream · (m − l) · tangent, where the tangent is
∂operand/∂node for the operand of the edge. Each row of `SLIPS` is such a change. Other mistakes
leave out a path, add factors instead of multiplying them, stop too early, or include an extra
factor. The page's `slips.js` uses the same tables and must produce the same candidates.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import nan, prod

from ..core import ops
from ..core.backprop import gradients, known_locals, local_of, locals_of
from ..core.graph import flowing_edges, flowing_slots, topological_order
from ..core.notation import name
from ..core.paths import Path, largest_paths
from ..core.term import ATOM, numeral
from ..core.value import Value
from .formulas import local_term, slope_name

GRAPH_LIMIT = 5000  # in larger graphs (in nodes), only the candidates that are quick are tried
PATHS = 20  # with more paths than this, mistakes in single paths are not tried
LENGTH = 40  # in longer paths (in edges), mistakes in the factors of a path are not tried
MULTIPLES, PLACES = range(2, 11), (1, -1, 2, -2, 3, -3)

SIGN = "The sign is wrong: look at which factors are negative."
KEPT = "The contributions add up (+=): only 1 of {} was kept."
SEED = "The gradient of the output, {}, is missing as a factor."
PATH = "One path is missing: its contribution is {}."
ONE_PATH = "That is the contribution of one path of {}: add up all of them."
ADDED = "Multiply the factors of a path, do not add them: {}."
PART = "That is only {}: the other factors of the path are missing."
OTHER = "That is the gradient of {}."
DIGITS = "The digits are right, but the decimal point is in the wrong place."
TIMES = "That is {} times the right gradient."
DIVIDED = "That is the right gradient divided by {}."
EXTRA = "{} = {} is not a factor here: leave it out."
SLOPE = "That uses the derivative of {other}, but {op} computes {node}: use the {factor}."
NAMES = ("local", "out", "operand", "misplaced", "other", "upstream")
SLIPS = (
    ("-local", "The sign of the {factor} is wrong."),
    ("1.0", "The {factor} is missing."),
    ("0.0", "The path from {operand} to {node} is missing."),
    ("out", "That uses the value of {node} where it needs the derivative: the {factor}."),
    ("operand", "That uses the value of {operand} where it needs the derivative: the {factor}."),
    ("local * local", "The {factor} was used twice."),
    ("misplaced", "The {factor} was computed from {operand} instead of {node}."),
    ("1.0 / local if local != 0.0 else 0.0", "Multiply by the {factor}, do not divide."),
    ("1.0 - out", "That uses 1 − {of} instead of the {factor}."),
    ("1.0 - operand", "That uses 1 − {by} instead of the {factor}."),
    ("local / other if other != 0.0 else 0.0", "{other} is missing from the {factor}."),
    ("local * operand", "The {factor} was multiplied by {operand} one time too many."),
    (
        "1.0 + local / upstream if upstream != 0.0 else local",
        "Multiply the upstream gradient {upstream} by the {factor}, do not add them.",
    ),
)
"""Mistakes in one factor, as (the wrong factor, the explanation).

The wrong factor is an expression of `NAMES`: the local derivative, the data of the node, of its
operand and of its other operand, the derivative evaluated at the operand instead of the node
("misplaced"), and the upstream gradient. The expressions are translated to JavaScript too.
"""
COMMON = 3  # the number of slips at the top of the table that are tried early, even at a factor ±1
ACTIVATIONS = (ops.sigmoid, ops.tanh, ops.relu, ops.softplus, ops.exp, ops.sin, ops.cos)
"""Operations whose derivatives a learner may use by mistake."""
MIXED_UP = (*ACTIVATIONS, ops.leaky_relu, ops.elu)
"""Operations for which a learner may use the derivative of another."""

Candidate = tuple[float, Callable[[], str]]
"""A wrong gradient, and a function that returns its explanation."""


def candidates(root: Value, node: Value, found: dict[Value, float]) -> Iterator[Candidate]:
    """Yield wrong gradients of `node`, the most common mistakes first.

    Args:
        root: the output.
        node: the node whose gradient is wanted.
        found: the right gradients of `node`, of `root` and of all nodes between them.
    """
    true = found.get(node, 0.0)
    order = topological_order(root)
    yield -true, lambda: SIGN
    yield from _forgotten(order, node, found)
    if len(order) > GRAPH_LIMIT:
        yield from _off_by_a_factor(true)
        return
    tangents = _tangents(order, node)
    factors = _on_the_way(order, found, tangents)
    ones = [way for way in factors if abs(way[0].local) == 1.0]
    others = [way for way in factors if abs(way[0].local) != 1.0]
    yield from _slipped(true, factors, SLIPS[:COMMON])
    yield from _slipped(true, others, SLIPS[COMMON:])
    yield from _mixed_up(true, factors)
    yield from _wrong_paths(root, node, found)
    yield from _parts(order, node, found, tangents)
    yield from _off_by_a_factor(true)
    yield from _extra_factors(order, true)
    yield from _slipped(true, ones, SLIPS[COMMON:])


def _off_by_a_factor(true: float) -> Iterator[Candidate]:
    """Yield gradients with a misplaced decimal point, and small multiples and fractions."""
    for places in PLACES:
        yield true * 10.0**places, lambda: DIGITS
    for k in MULTIPLES:
        yield true * k, functools.partial(TIMES.format, k)
        yield true / k, functools.partial(DIVIDED.format, k)


def _forgotten(order: list[Value], node: Value, found: dict[Value, float]) -> Iterator[Candidate]:
    """Yield gradients that omit a contribution, or the gradient that flows into the output."""
    true, seed = found.get(node, 0.0), found[order[-1]]
    arriving = [
        found[other] * local_of(other, slot)
        for other, slot in flowing_edges(order[-1])
        if other.args[slot] is node
    ]
    if len(arriving) > 1:
        for contribution in arriving:
            yield contribution, functools.partial(KEPT.format, len(arriving))
        for contribution in arriving:
            yield true - contribution, functools.partial(PATH.format, numeral(contribution))
    if true and seed not in (0.0, 1.0):
        yield true / seed, functools.partial(SEED.format, numeral(seed))


@dataclass(frozen=True)
class _Factor:
    """The local derivative of one edge, and the gradient that flows into its node."""

    node: Value
    slot: int
    local: float
    upstream: float

    @functools.cached_property
    def numbers(self) -> tuple[float, ...]:
        """The values of `NAMES`, in the same order."""
        out, operands = self.node.data, [arg.data for arg in self.node.args]
        other = operands[1 - self.slot] if len(operands) == 2 else nan
        return self.local, out, operands[self.slot], self._misplaced, other, self.upstream

    @property
    def _misplaced(self) -> float:
        """The derivative with the operand in place of the node: z(1 − z) for a(1 − a)."""
        row = self.node.op
        operands = [arg.data for arg in self.node.args]
        if row.reads is None:
            return self.local
        try:
            return float(row.reads(operands[self.slot], *operands)[self.slot])
        except (ArithmeticError, ValueError):
            return self.local

    def slopes_of_others(self) -> Iterator[tuple[ops.Op, float]]:
        """Yield the derivatives of other activations, at this node's value and at their own."""
        if self.slot or self.node.op not in MIXED_UP:
            return
        operand = self.node.args[0].data
        for row in ACTIVATIONS:
            if row is not self.node.op:
                slope = row.reads or row.partials
                with contextlib.suppress(ArithmeticError, ValueError):  # not differentiable here
                    yield row, float(slope(self.node.data, operand)[0])
                    yield row, float(slope(row.value(operand), operand)[0])

    def say(self, says: str, rival: str = "") -> str:
        """Fill in the explanation of a slip at this factor.

        Args:
            says: the text, with gaps such as {factor} and {operand}.
            rival: the other activation, if the slip is to take its derivative.
        """
        node, operand = self.node, self.node.args[self.slot]
        others = [arg for slot, arg in enumerate(node.args) if slot != self.slot]
        factor = local_term(node, self.slot)
        called = slope_name(node, operand) if factor.is_number else factor.text
        return says.format(
            factor=f"factor {called} = {numeral(self.local)}",
            node=name(node),
            operand=name(operand),
            other=rival or ", ".join(name(arg).text for arg in others),
            of=name(node).inside(ATOM),
            by=name(operand).inside(ATOM),
            upstream=numeral(self.upstream),
            op=node.op.name,
        )


Way = tuple[_Factor, float]
"""A factor, and its coefficient in the gradient (which is linear in each factor)."""


def _on_the_way(
    order: list[Value], found: dict[Value, float], tangents: dict[Value, float]
) -> list[Way]:
    """Return the factors of the gradient with their coefficients, upstream · tangent."""
    return [
        (_Factor(other, slot, local, found[other]), found[other] * tangents[arg])
        for other in order
        for slot, arg, local in _edges(other, locals_of(other, found.__contains__))
        if tangents.get(arg) and arg.op is not ops.constant
    ]


def _slipped(
    true: float, factors: list[Way], slips: Sequence[tuple[str, str]] = SLIPS
) -> Iterator[Candidate]:
    """Yield the gradients that result from each slip at each factor."""
    for wrong, says in slips:
        slip = _compiled(wrong)
        for factor, reach in factors:
            instead = slip(*factor.numbers)
            yield true + reach * (instead - factor.local), functools.partial(factor.say, says)


def _mixed_up(true: float, factors: list[Way]) -> Iterator[Candidate]:
    """Yield gradients that use the derivative of another activation."""
    for factor, reach in factors:
        for row, slope in factor.slopes_of_others():
            explain = functools.partial(factor.say, SLOPE, row.name)
            yield true + reach * (slope - factor.local), explain


@functools.cache
def _compiled(wrong: str) -> Callable[..., float]:
    """Compile the expression of a wrong factor to a function of `NAMES`."""
    function: Callable[..., float] = eval(f"lambda {', '.join(NAMES)}: {wrong}")
    return function


def _wrong_paths(root: Value, node: Value, found: dict[Value, float]) -> Iterator[Candidate]:
    """Yield gradients with one path omitted, kept alone or wrong, or with factors added up."""
    true, seed = found.get(node, 0.0), found[root]
    paths = largest_paths(root, node, PATHS + 1, flowing=True)
    if len(paths) > PATHS:
        return
    if len(paths) > 1:
        for path in paths:
            carried = seed * path.product
            yield true - carried, functools.partial(PATH.format, numeral(carried))
            yield carried, functools.partial(ONE_PATH.format, len(paths))
    short = [path for path in paths if len(path.locals) <= LENGTH]
    if len(paths) > 1:  # with one path, `candidates` has tried these factors already
        factors = [factor for path in short for factor in _factors(path, seed, found)]
        yield from _slipped(true, factors)
        yield from _mixed_up(true, factors)
    for path in short:
        for instead, explain in _added(path):
            yield true + seed * (instead - path.product), explain


def _factors(path: Path, seed: float, found: dict[Value, float]) -> Iterator[Way]:
    """Yield each factor of one path; its coefficient is the product of the others."""
    for at, (upper, slot, local) in enumerate(zip(path.nodes, path.slots, path.locals)):
        rest = seed * prod(path.locals[:at]) * prod(path.locals[at + 1 :])
        yield _Factor(upper, slot, local, found[upper]), rest


def _added(path: Path) -> Iterator[Candidate]:
    """Yield products of a path in which all factors, or two of them, are added instead."""
    factors = path.locals
    every = range(len(factors))
    but_ones = [i for i in every if factors[i] != 1.0]
    pairs = [pair for pair in combinations(every, 2) if set(pair).intersection(but_ones)]
    for chosen in (but_ones, every, *pairs):
        some = [factors[i] for i in chosen]
        rest = prod(factors[i] for i in every if i not in chosen)
        yield rest * sum(some), functools.partial(_say_added, some)


def _say_added(factors: Sequence[float]) -> str:
    return ADDED.format(" · ".join(map(numeral, factors)))


def _parts(
    order: list[Value], node: Value, found: dict[Value, float], tangents: dict[Value, float]
) -> Iterator[Candidate]:
    """Yield single factors, products that stop before the output, and gradients of other nodes."""
    root = order[-1]
    for other in order:
        for _, arg, local in _edges(other, locals_of(other, tangents.__contains__)):
            if tangents.get(arg) and arg.op is not ops.constant:
                yield local, functools.partial(_say_part, other, arg)
    for other in order:
        if other in tangents and other is not node and other is not root:
            yield tangents[other], functools.partial(_say_part, other, node)
    reached = {root, *(of.args[slot] for of, slot in flowing_edges(root))}
    for other, gradient in _of_all_nodes(root, found).items():
        if other is not node and other in reached:
            yield gradient, functools.partial(_say_other, other)


def _edges(node: Value, slopes: Sequence[float]) -> list[tuple[int, Value, float]]:
    """Return (slot, operand, local derivative) for each operand that a gradient flows to."""
    return [(slot, node.args[slot], slopes[slot]) for slot in flowing_slots(node)]


def _of_all_nodes(root: Value, found: dict[Value, float]) -> dict[Value, float]:
    """Return the gradients of all nodes, or `found` if one of them cannot be computed."""
    try:
        return gradients(root, found[root])
    except ValueError:
        return found


def _say_part(of: Value, by: Value) -> str:
    return PART.format(slope_name(of, by))


def _say_other(node: Value) -> str:
    return OTHER.format(name(node))


def _extra_factors(order: list[Value], true: float) -> Iterator[Candidate]:
    """Yield the gradient times one extra factor: a local derivative, or the data of a node."""
    for other in order:
        for _, arg, local in _edges(other, known_locals(other)):
            if arg.op is not ops.constant:
                yield true * local, functools.partial(_say_extra_slope, other, arg, local)
    for other in order:
        yield true * other.data, functools.partial(_say_extra, other)


def _say_extra_slope(of: Value, by: Value, local: float) -> str:
    return EXTRA.format(slope_name(of, by), numeral(local))


def _say_extra(node: Value) -> str:
    return EXTRA.format(name(node), numeral(node.data))


def _tangents(order: list[Value], node: Value) -> dict[Value, float]:
    """Return ∂other/∂node for every node that depends on `node`, by forward mode."""
    tangents = {node: 1.0}
    for other in order:
        moving = [
            local * tangents[arg]
            for _, arg, local in _edges(other, locals_of(other, tangents.__contains__))
            if arg in tangents
        ]
        if moving and other is not node:
            tangents[other] = sum(moving)
    return tangents
