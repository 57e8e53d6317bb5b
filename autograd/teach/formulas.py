"""Write derivatives, and their products along a path, as text.

`explain`, the stepper, the verdicts on guesses and the interactive page all use these functions,
so that a derivative reads the same everywhere.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from math import prod
from typing import TypeVar

from ..core.backprop import local_of
from ..core.graph import topological_order
from ..core.notation import name, shortened
from ..core.paths import Path
from ..core.term import ATOM, PRODUCT, SUM, Term, numeral
from ..core.value import Value

WIDTH = 80  # characters of a line
FACTORS = 12  # most factors of a path that are written
FORMULA = 60  # most characters of one factor

T = TypeVar("T")
Factor = tuple[int, int]
"""The positions in a path between which a factor is the derivative of one node by the other."""


def slope_name(of: Value, by: Value) -> str:
    """Write the symbol ∂of/∂by."""
    return f"∂{name(of).inside(ATOM)}/∂{name(by).inside(ATOM)}"


def local_term(node: Value, slot: int) -> Term:
    """Return the local derivative ∂node/∂operand as a formula in the names of these nodes.

    >>> z = Value(1.0, label="z")
    >>> a = z.sigmoid(); a.label = "a"
    >>> local_term(a, 0)
    a(1 − a)
    """
    args = node.args
    names = [name(node), *(name(arg) for arg in args)]
    try:
        term = Term.of(
            node.op.reads(*names)[slot] if node.op.reads else node.op.slope(slot, *names)
        )
    except (ArithmeticError, AttributeError, TypeError, ValueError):
        term = Term.of(local_of(node, slot))  # a user's derivative may accept numbers only
    return Term(term.text, local_of(node, slot), term.binds)


class Ways:
    """Which nodes of a graph just one path joins.

    Args:
        root: the output of the graph.
    """

    def __init__(self, root: Value) -> None:
        self._order = topological_order(root)
        self._counts: dict[Value, dict[Value, int]] = {}

    def is_only(self, upper: Value, lower: Value) -> bool:
        """Return True if just one path leads from a node to one that it depends on."""
        if lower not in self._counts:
            self._counts[lower] = self._count_from(lower)
        return self._counts[lower][upper] == 1

    def _count_from(self, lower: Value) -> dict[Value, int]:
        """Count the paths to `lower` from each node that depends on it; two stands for more."""
        ways = {lower: 1}
        for node in self._order:
            if node is not lower and (count := sum([ways.get(arg, 0) for arg in node.args])):
                ways[node] = min(count, 2)
        return ways


def factors_of(path: Path, ways: Ways | None) -> list[Factor]:
    """Split a path at its labelled nodes, so that a factor reads ∂a/∂z and not ∂(…)/∂(…).

    Edges between two labelled nodes a and z become one factor only if no other path joins them:
    otherwise ∂a/∂z would include the other paths.

    Args:
        path: the path.
        ways: the paths of the graph; None if there is no other path between the ends of this one.

    Returns:
        The positions (start, end) of each factor in the path.
    """
    last = len(path.nodes) - 1
    named = [i for i in range(1, last) if path.nodes[i].label]
    factors: list[Factor] = []
    for start, end in itertools.pairwise([0, *named, last] if last else []):
        upper, lower = path.nodes[start], path.nodes[end]
        if ways is None or end - start == 1 or ways.is_only(upper, lower):
            factors.append((start, end))
        else:
            factors += itertools.pairwise(range(start, end + 1))
    return factors


def route_lines(path: Path, factors: Sequence[Factor], left: str) -> list[str]:
    """List the nodes between the factors, output first, in lines that begin with `left`.

    Unnamed nodes between two factors that are always 1 are left out: these are partial sums.
    """
    units = [_is_unit(path, factor) for factor in factors]
    between = [
        end
        for (_, end), above, below in zip(factors, units, units[1:])
        if path.nodes[end].label or not (above and below)
    ]
    places = _abridged([0, *between, len(path.nodes) - 1])
    return wrapped(left, [None if i is None else name(path.nodes[i]).text for i in places], " ← ")


def path_lines(path: Path, factors: Sequence[Factor], left: str) -> list[str]:
    """Write a path as `∂C/∂a · ∂a/∂z`, then its formulas, its numbers, and the product.

    `left` is the beginning of the first line; see `path_rows`.
    """
    indent = " " * (len(left) - 2)
    lines: list[str] = []
    for parts in path_rows(path, factors, left.removesuffix(" = ")):
        lines += wrapped(f"{indent}= " if lines else left, parts, " · ")
    return lines


def path_rows(path: Path, factors: Sequence[Factor], left: str) -> list[list[str | None]]:
    """Return the factors of a path as symbols, as formulas and as numbers, then the product.

    Factors that are always 1 are left out. A row that equals the one before it is left out. None
    replaces further factors of a long path.

    Args:
        path: the path.
        factors: what `factors_of` returns for it.
        left: the text to the left of the first equals sign.
    """
    written = _abridged(_telling(path, factors))
    if not written:
        return [["1"]]
    formulas = [None if f is None else _factor_term(path, *f) for f in written]
    binds = PRODUCT if len(written) > 1 else SUM
    texts: list[list[str | None]] = [
        [None if f is None else slope_name(path.nodes[f[0]], path.nodes[f[1]]) for f in written],
        [None if f is None else f.inside(binds) for f in formulas],
        [None if f is None else numeral(f.number) for f in formulas],
        [numeral(path.product)],
    ]
    # If there is only one factor, `left` is its symbol already.
    before: list[list[str | None]] = [[left], *texts]
    return [parts for previous, parts in zip(before, texts) if parts != previous]


def _telling(path: Path, factors: Sequence[Factor]) -> list[Factor]:
    """Leave out the factors that are always 1.

    The derivative of one named node by another, such as ∂z/∂b = 1, stays if there is room.
    """
    units = [_is_unit(path, factor) for factor in factors]
    telling = [f for f, unit in zip(factors, units) if not unit]
    named = [
        f for f, unit in zip(factors, units) if not unit or all(path.nodes[i].label for i in f)
    ]
    return named if len(named) <= FACTORS else telling


def _is_unit(path: Path, factor: Factor) -> bool:
    """Return True if the derivative is 1 by its rule, whatever the data, as in sums."""
    return all(path.nodes[i].op.rule(path.slots[i]).endswith(" = 1") for i in range(*factor))


def _factor_term(path: Path, start: int, end: int) -> Term:
    """Return the product of a factor's local derivatives; its text is shortened."""
    product = Term.of(1.0)
    for i in range(start, end):
        product = product * local_term(path.nodes[i], path.slots[i])
        if len(product.text) > FORMULA:
            break
    return Term(shortened(product.text, FORMULA), prod(path.locals[start:end]), product.binds)


def _abridged(items: Sequence[T]) -> list[T | None]:
    """Return the items; of a long list only both ends, with None between them."""
    if len(items) <= FACTORS:
        return list(items)
    half = FACTORS // 2
    return [*items[:half], None, *items[-half:]]


def wrapped(left: str, parts: Sequence[str | None], sign: str, last: str = "") -> list[str]:
    """Join `left` and the parts by `sign`, and break the result into aligned lines.

    Each line has at most `WIDTH` characters where its parts allow it. A part None is written as
    "…".
    """
    lines = [left]
    for i, part in enumerate(parts):
        piece = (part or "…") + (sign.rstrip() if i < len(parts) - 1 else last)
        lead = "" if i == 0 else " "
        if len(lines[-1]) + len(lead + piece) > WIDTH and len(lines[-1]) > len(left):
            lines.append(" " * len(left) + piece)
        else:
            lines[-1] += lead + piece
    return lines
