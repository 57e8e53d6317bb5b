"""Write derivatives, and their products along a path, as text.

`explain`, the stepper, the verdicts on guesses and the interactive page all use these functions,
so that a derivative reads the same everywhere.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from math import prod
from typing import TypeVar

from ..core.backprop import local_of
from ..core.graph import count_paths, topological_order
from ..core.notation import name, shortened
from ..core.paths import Path
from ..core.term import ATOM, PRODUCT, SUM, Term, numeral
from ..core.value import Value

WIDTH = 80  # characters of a line
FACTORS = 12  # most factors of a path that are written
FORMULA = 60  # most characters of one factor
# In larger graphs the edges of a path are not combined into one factor, if there are other paths:
# each combination needs a count of all paths between two nodes.
GROUPING_LIMIT = 500

T = TypeVar("T")


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


def route_lines(path: Path, left: str) -> list[str]:
    """List the nodes of a path, output first, in lines that begin with `left`."""
    return wrapped(
        left, [None if node is None else name(node).text for node in _abridged(path.nodes)], " ← "
    )


def path_lines(path: Path, left: str, only: bool) -> list[str]:
    """Write a path as `∂C/∂a · ∂a/∂z`, then its formulas, its numbers, and the product.

    Args:
        path: the path.
        left: the beginning of the first line.
        only: True if there is no other path between its ends.
    """
    indent = " " * (len(left) - 2)
    lines: list[str] = []
    for parts in path_rows(path, left.removesuffix(" = "), only):
        lines += wrapped(f"{indent}= " if lines else left, parts, " · ")
    return lines


def path_rows(path: Path, left: str, only: bool) -> list[list[str | None]]:
    """Return the factors of a path as symbols, as formulas and as numbers, then the product.

    A row that equals the one before it is left out. A factor None replaces omitted factors.

    Args:
        path: the path.
        left: the text to the left of the first equals sign.
        only: True if there is no other path between its ends.
    """
    if len(path.nodes) == 1:
        return [["1"]]
    segments = _abridged(list(_segments(path, only)))
    formulas = [None if s is None else _segment_term(path, *s) for s in segments]
    binds = PRODUCT if len(segments) > 1 else SUM
    texts: list[list[str | None]] = [
        [None if s is None else slope_name(path.nodes[s[0]], path.nodes[s[1]]) for s in segments],
        [None if f is None else f.inside(binds) for f in formulas],
        [None if f is None else numeral(f.number) for f in formulas],
        [numeral(path.product)],
    ]
    # If there is only one factor, `left` is its symbol already.
    before: list[list[str | None]] = [[left], *texts]
    return [parts for previous, parts in zip(before, texts) if parts != previous]


def _segments(path: Path, only: bool) -> Iterator[tuple[int, int]]:
    """Split the path at its labelled nodes, so that a factor reads ∂a/∂z and not ∂(…)/∂(…).

    Yields the positions (start, end) of each factor in the path. Edges between two labelled nodes
    a and z become one factor only if no other path joins them: otherwise ∂a/∂z would include
    the other paths.
    """
    last = len(path.nodes) - 1
    look_through = only or len(topological_order(path.nodes[0])) <= GROUPING_LIMIT
    start = 0
    for end in range(1, last + 1):
        if end < last and look_through and not path.nodes[end].label:
            continue
        upper, lower = path.nodes[start], path.nodes[end]
        if only or end - start == 1 or count_paths(upper, lower) == 1:
            yield start, end
        else:
            yield from itertools.pairwise(range(start, end + 1))
        start = end


def _segment_term(path: Path, start: int, end: int) -> Term:
    """Return the product of a segment's local derivatives; its text is shortened."""
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
