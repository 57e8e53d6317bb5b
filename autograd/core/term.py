"""Formulas that are made by running a function: a `Term` is a formula together with its number.

A row's derivative that is called with Terms instead of floats returns its own formula:
`out * (1 - out)` becomes `a(1 − a)`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .ops import Op

SUM, MINUS, PRODUCT, POWER, ATOM = range(5)  # precedence of a formula's outermost operator
LETTERS = "abcdefghijklmnopqrstuvwxyz"  # names of the operands in rules, in order
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def numeral(x: float, digits: int = 4) -> str:
    """Return the text of a number, with at most `digits` significant digits.

    >>> numeral(0.07232948), numeral(-2.0), numeral(1e-9), numeral(123456.0), numeral(float("nan"))
    ('0.07233', '-2', '1e-09', '1.235e+05', 'nan')
    """
    return f"{x + 0.0:.{digits}g}"  # adding zero turns -0.0 into 0.0


class Term:
    """A formula together with its number; arithmetic on Terms returns larger formulas.

    Args:
        text: the formula.
        number: its value.
        binds: the precedence of its outermost operator.

    >>> a, z = Term("a", 0.75), Term("z", -2.0)
    >>> a * (1 - a), 2 * (a - z), z / a, a**2, z * 1 + 0
    (a(1 − a), 2(a − z), z/a, a², z)
    >>> (1 / (2 * a)).number
    0.6666666666666666
    """

    __slots__ = ("binds", "number", "text")

    def __init__(self, text: str, number: float, binds: int = ATOM) -> None:
        self.text = text
        self.number = number
        self.binds = binds

    @classmethod
    def of(cls, x: Any) -> Term:
        """Return a number as a Term, or a Term unchanged."""
        if isinstance(x, Term):
            return x
        return cls(numeral(x), float(x), MINUS if x < 0 else ATOM)

    @property
    def is_number(self) -> bool:
        """True if the formula is a literal number, not a name or an expression."""
        return self.text == numeral(self.number)

    def is_literal(self, x: float) -> bool:
        """Return whether the formula is the literal number `x`."""
        return self.is_number and self.number == x

    def inside(self, binds: int) -> str:
        """Return the text as an operand, in parentheses if its precedence is below `binds`."""
        return self.text if self.binds >= binds else f"({self.text})"

    def _apply(self, op: Op, operands: Iterable[Any]) -> Term:
        return write_formula(op, [Term.of(operand) for operand in operands])

    def __repr__(self) -> str:
        return self.text

    def __float__(self) -> float:
        raise TypeError("a formula is not a number")

    def __add__(self, other: Any) -> Term:
        return _sum(self, Term.of(other))

    def __radd__(self, other: Any) -> Term:
        return _sum(Term.of(other), self)

    def __sub__(self, other: Any) -> Term:
        return _difference(self, Term.of(other))

    def __rsub__(self, other: Any) -> Term:
        return _difference(Term.of(other), self)

    def __mul__(self, other: Any) -> Term:
        return _product(self, Term.of(other))

    def __rmul__(self, other: Any) -> Term:
        return _product(Term.of(other), self)

    def __truediv__(self, other: Any) -> Term:
        return _quotient(self, Term.of(other))

    def __rtruediv__(self, other: Any) -> Term:
        return _quotient(Term.of(other), self)

    def __pow__(self, other: Any) -> Term:
        return _power(self, Term.of(other))

    def __neg__(self) -> Term:
        return Term.of(-self.number) if self.is_number else _negated(self)

    def __rpow__(self, other: Any) -> Term:
        return _power(Term.of(other), self)

    def __pos__(self) -> Term:
        return self

    def __abs__(self) -> Term:
        return Term(f"|{self.text}|", abs(self.number))

    def __lt__(self, other: Any) -> bool:
        return self.number < Term.of(other).number

    def __le__(self, other: Any) -> bool:
        return self.number <= Term.of(other).number

    def __gt__(self, other: Any) -> bool:
        return self.number > Term.of(other).number

    def __ge__(self, other: Any) -> bool:
        return self.number >= Term.of(other).number


def _sum(a: Term, b: Term) -> Term:
    if a.is_number and b.is_number:
        return Term.of(a.number + b.number)
    return b if a.is_literal(0.0) else a if b.is_literal(0.0) else _added(a, b)


def _difference(a: Term, b: Term) -> Term:
    if a.is_number and b.is_number:
        return Term.of(a.number - b.number)
    return a if b.is_literal(0.0) else _subtracted(a, b)


def _product(a: Term, b: Term) -> Term:
    if a.is_number and b.is_number:
        return Term.of(a.number * b.number)
    if a.is_literal(1.0) or b.is_literal(0.0):
        return b
    if b.is_literal(1.0) or a.is_literal(0.0):
        return a
    return -b if a.is_literal(-1.0) else -a if b.is_literal(-1.0) else _multiplied(a, b)


def _quotient(a: Term, b: Term) -> Term:
    return a if b.is_literal(1.0) else _divided(a, b)


def _power(a: Term, b: Term) -> Term:
    return a if b.is_literal(1.0) else Term.of(1.0) if b.is_literal(0.0) else _raised(a, b)


def _value(compute: Callable[..., float], *operands: Term) -> float:
    """Compute the number of a formula; NaN where it is not defined, for the text still is."""
    try:
        return compute(*(operand.number for operand in operands))
    except (ArithmeticError, ValueError, NotImplementedError):
        return math.nan


def _added(a: Term, b: Term) -> Term:
    return Term(f"{a.text} + {b.inside(PRODUCT)}", a.number + b.number, SUM)


def _subtracted(a: Term, b: Term) -> Term:
    return Term(f"{a.text} − {b.inside(PRODUCT)}", a.number - b.number, SUM)


def _negated(a: Term) -> Term:
    return Term(f"−{a.inside(PRODUCT)}", -a.number, MINUS)


def _multiplied(a: Term, b: Term) -> Term:
    left, right = a.inside(MINUS), b.inside(PRODUCT)
    touching = right.startswith("(") or (a.is_number and right[0].isalpha() and " " not in right)
    binds = min(a.binds, PRODUCT) if a.binds >= MINUS else PRODUCT
    return Term(left + ("" if touching else "·") + right, a.number * b.number, binds)


def _divided(a: Term, b: Term) -> Term:
    binds = min(a.binds, PRODUCT) if a.binds >= MINUS else PRODUCT
    text = f"{a.inside(MINUS)}/{b.inside(POWER)}"
    return Term(text, _value(operator.truediv, a, b), binds)


def _raised(a: Term, b: Term) -> Term:
    if b.is_number and b.number in range(2, 100):
        exponent = str(int(b.number)).translate(SUPERSCRIPTS)
    else:
        exponent = f"^{b.inside(ATOM)}"
    return Term(a.inside(ATOM) + exponent, _value(math.pow, a, b), POWER)


def _looked_up(op: Op, index: Term, *entries: Term) -> Term:
    """Return the formula of an entry of a list; of a long list, the first and the last entry."""
    texts = [entry.text for entry in entries]
    if len(texts) > 4:
        texts = [texts[0], "…", texts[-1]]
    return Term(f"[{', '.join(texts)}][{index.text}]", _value(op.value, index, *entries))


INFIX: dict[tuple[str, int], Callable[..., Term]] = {
    ("+", 2): _added,
    ("−", 2): _subtracted,
    ("−", 1): _negated,
    ("·", 2): _multiplied,
    ("/", 2): _divided,
    ("^", 2): _raised,
}


def write_formula(op: Op, operands: list[Term]) -> Term:
    """Return the formula of an operation: its sign between the operands, or a function call."""
    infix = INFIX.get((op.symbol, len(operands)))
    if infix is not None:
        return infix(*operands)
    if op.symbol == "take":
        return _looked_up(op, *operands)
    arguments = ", ".join(operand.text for operand in operands)
    return Term(f"{op.symbol}({arguments})", _value(op.value, *operands))
