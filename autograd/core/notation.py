"""The names of nodes in messages, tables and drawings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .term import ATOM, LETTERS, SUM, Term, numeral, write_formula

if TYPE_CHECKING:
    from .value import Value

EXPRESSION_DEPTH = 3  # levels of operations in the name of an unlabelled node
LABEL_WIDTH = 32
SIGNS = " +-*/^=−·"  # a label with one of these gets parentheses beside an operator
JOINER = "\u200d"  # joins several emoji into one; Python calls it unprintable


def shortened(text: str, width: int = LABEL_WIDTH) -> str:
    """Return the text as one printable line of at most `width` characters.

    >>> shortened("two\\nlines"), shortened("x" * 10_000, 8)
    ('two lines', 'xxxxxxx…')
    """
    text = "".join(c if c.isprintable() or c == JOINER else " " for c in str(text)[: 2 * width])
    return text if len(text) <= width else text[: width - 1] + "…"


def located(operands: Iterable[Term], numbers: Iterable[float]) -> str:
    """Return the operands of an operation and their numbers as text, for error messages.

    >>> located([Term("x − 2", -1.0), Term.of(0.5)], [-1.0, 0.5])
    'a = x − 2 = -1, b = 0.5'
    """
    return ", ".join(
        f"{letter} = {numeral(x)}" if term.is_number else f"{letter} = {term} = {numeral(x)}"
        for letter, term, x in zip(LETTERS, operands, numbers)
    )


def name(node: Value) -> Term:
    """Return the name of a node: its label, else its number if it has no operands, or its formula.

    >>> from autograd import Value
    >>> x = Value(3.0, label="x")
    >>> name(x), name((x - 1.0) ** 2), name(Value(2.0))
    (x, (x − 1)², 2)
    """
    return _name(node, EXPRESSION_DEPTH)


def expression(node: Value) -> Term:
    """Return the formula of a node, even if the node has a label.

    >>> from autograd import Value
    >>> x = Value(3.0, label="x")
    >>> y = x.exp() + 1; y.label = "y"
    >>> expression(y)
    exp(x) + 1
    """
    return _expression(node, EXPRESSION_DEPTH) if node.op.arity else _name(node, 0)


def _name(node: Value, depth: int) -> Term:
    if node.label:
        label = shortened(node.label)
        return Term(label, node.data, SUM if any(c in SIGNS for c in label) else ATOM)
    if node.op.arity == 0:
        return Term.of(node.data)
    if depth == 0:
        return Term("…", node.data)
    return _expression(node, depth)


def _expression(node: Value, depth: int) -> Term:
    term = write_formula(node.op, [_name(arg, depth - 1) for arg in node.args])
    return Term(shortened(term.text), node.data, term.binds)
