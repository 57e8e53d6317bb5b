"""How derivatives, and the products of them along a path, are written."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from math import prod
from typing import TypeVar

from ..core.backprop import local_of
from ..core.graph import count_paths, topological_order
from ..core.notation import ATOM, PRODUCT, SUM, Term, name, number, shortened
from ..core.paths import Path
from ..core.value import Value

WIDTH = 80
FACTORS = 12  # of a path that are spelled out
FORMULA = 60  # characters of one factor
# Above this many nodes, unlabelled nodes on one of several paths are not looked through.
GROUPING_LIMIT = 500

T = TypeVar("T")


def slope_name(of: Value, by: Value) -> str:
    """How ∂of/∂by is written."""
    return f"∂{name(of).inside(ATOM)}/∂{name(by).inside(ATOM)}"


def local_term(node: Value, slot: int) -> Term:
    """The local derivative ∂node/∂operand as a formula of the names around it.

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
        term = Term.of(local_of(node, slot))  # a user's derivative may work on numbers only
    return Term(term.text, local_of(node, slot), term.binds)


def route_lines(path: Path, left: str) -> list[str]:
    """The nodes on the way, output first."""
    return wrapped(
        left, [None if node is None else name(node).text for node in _abridged(path.nodes)], " ← "
    )


def path_lines(path: Path, left: str, only: bool) -> list[str]:
    """`∂C/∂a · ∂a/∂z`, then its formulas, then its numbers, then the product.

    Args:
        path: the path.
        left: what stands on the left of the first line.
        only: whether there is no other path between its ends.
    """
    indent = " " * (len(left) - 2)
    lines: list[str] = []
    for parts in path_rows(path, left.removesuffix(" = "), only):
        lines += wrapped(f"{indent}= " if lines else left, parts, " · ")
    return lines


def path_rows(path: Path, left: str, only: bool) -> list[list[str | None]]:
    """The factors of a path as slopes, as formulas and as numbers, then their product.

    Nothing is written twice; a factor that is None stands for those left out.

    Args:
        path: the path.
        left: what all this is equal to.
        only: whether there is no other path between its ends.
    """
    if len(path.nodes) == 1:
        return [["1"]]
    segments = _abridged(list(_segments(path, only)))
    formulas = [None if s is None else _segment_term(path, *s) for s in segments]
    binds = PRODUCT if len(segments) > 1 else SUM
    texts: list[list[str | None]] = [
        [None if s is None else slope_name(path.nodes[s[0]], path.nodes[s[1]]) for s in segments],
        [None if f is None else f.inside(binds) for f in formulas],
        [None if f is None else number(f.number) for f in formulas],
        [number(path.product)],
    ]
    # A single factor stands on the left already, and is not written again.
    before: list[list[str | None]] = [[left], *texts]
    return [parts for previous, parts in zip(before, texts) if parts != previous]


def _segments(path: Path, only: bool) -> Iterator[tuple[int, int]]:
    """The path cut at its labelled nodes, so that a factor reads ∂a/∂z and not ∂(…)/∂(…).

    Unlabelled nodes are looked through only where there is one way through them: otherwise
    ∂a/∂z would stand for more than this path.
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
    """The product of a segment's local derivatives, written out as far as it is shown."""
    product = Term.of(1.0)
    for i in range(start, end):
        product = product * local_term(path.nodes[i], path.slots[i])
        if len(product.text) > FORMULA:
            break
    return Term(shortened(product.text, FORMULA), prod(path.locals[start:end]), product.binds)


def _abridged(items: Sequence[T]) -> list[T | None]:
    """The items, or the first and the last few with a None for those between."""
    if len(items) <= FACTORS:
        return list(items)
    half = FACTORS // 2
    return [*items[:half], None, *items[-half:]]


def wrapped(left: str, parts: Sequence[str | None], sign: str, last: str = "") -> list[str]:
    """`left` and the parts joined by `sign`, broken into lines that fit and stay aligned.

    A part that is None stands for those left out.
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
