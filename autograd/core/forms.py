"""Array forms: the expressions in `ops.py` that compute an operation on NumPy arrays.

`recorded_forms` derives them: it runs a function on Forms, which record what the function does.
`check_form` limits them to element-wise arithmetic, because they are executed with `eval`.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from .special import BESIDES_NUMPY
from .term import LETTERS

if TYPE_CHECKING:
    from .ops import Op

LONGEST = 500  # characters of a derived form
SAME_IN_NUMPY = (  # these functions of `math` have the same name and meaning in NumPy
    *(math.sqrt, math.exp, math.expm1, math.log1p, math.log2, math.log10),
    *(math.sin, math.cos, math.tan, math.sinh, math.cosh, math.tanh),
)
NOT_IN_NUMPY = (math.erf, math.erfc)
_PLAIN = (
    *(ast.Expression, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Load),
    *(ast.operator, ast.unaryop, ast.cmpop),
)


Method = Callable[["Form", Any], "Form"]


def _infix(sign: str) -> tuple[Method, Method]:
    """Return the methods of a Form that write a sign: for its left and for its right operand."""

    def left(self: Form, other: Any) -> Form:
        return Form(f"({self.text}) {sign} ({Form.of(other).text})")

    def right(self: Form, other: Any) -> Form:
        return Form(f"({Form.of(other).text}) {sign} ({self.text})")

    return left, right


class Form:
    """A NumPy expression; arithmetic on Forms returns larger expressions.

    A Form has no number. Code that compares Forms, or converts one to a float, raises a TypeError.

    Args:
        text: the expression, which may have more brackets than it needs.

    >>> a, b = Form("a"), Form("b")
    >>> print((-a / b**2.0).text)
    (-(a)) / ((b) ** (2.0))
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            text = ast.unparse(ast.parse(text, mode="eval"))  # without brackets it does not need
        if len(text) > LONGEST:
            raise ValueError(f"a derived form has at most {LONGEST} characters")
        self.text = text

    @classmethod
    def of(cls, x: Any) -> Form:
        """Return a number as a Form, or a Form unchanged."""
        return x if isinstance(x, Form) else cls(repr(float(x)))

    def _apply(self, op: Op, operands: Sequence[Any]) -> Form:
        """Return the array form of an operation, with these operands in place of its letters."""
        if not op.array:
            raise TypeError(f"{op.name} has no array form")
        given = {letter: Form.of(x).text for letter, x in zip(LETTERS, operands)}
        return Form(re.sub(r"\b[a-z]\b", lambda letter: f"({given[letter[0]]})", op.array))

    __add__, __radd__ = _infix("+")
    __sub__, __rsub__ = _infix("-")
    __mul__, __rmul__ = _infix("*")
    __truediv__, __rtruediv__ = _infix("/")
    __pow__, __rpow__ = _infix("**")

    def __neg__(self) -> Form:
        return Form(f"-({self.text})")

    def __pos__(self) -> Form:
        return self

    def __abs__(self) -> Form:
        return Form(f"np.abs({self.text})")

    def __bool__(self) -> NoReturn:
        raise TypeError("an array form is neither true nor false")

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError("an array form has no number to compare")


def recorded_forms(function: Callable[..., Any], names: Sequence[str]) -> tuple[str, ...]:
    """Run a function on names, and return each of its results as an array form.

    Raises:
        Exception: the function does more than arithmetic on its operands: it compares them, or
            calls a function that accepts numbers only.

    >>> recorded_forms(lambda out, a: (1.0 - out**2, a / 2), ["out", "a"])
    ('1.0 - out ** 2.0', 'a / 2.0')
    >>> recorded_forms(math.exp, ["a"])
    ('np.exp(a)',)
    """
    if function in SAME_IN_NUMPY:
        return (f"np.{function.__name__}({', '.join(names)})",)
    if function in NOT_IN_NUMPY:
        return (f"{function.__name__}({', '.join(names)})",)
    found = function(*map(Form, names))
    results = found if isinstance(found, tuple) else (found,)
    return tuple(check_form(Form.of(x).text, names) for x in results)


def check_form(text: str, names: Collection[str]) -> str:
    """Check that an array form is element-wise arithmetic on these names.

    Allowed are the names, numbers, signs, comparisons and element-wise functions of NumPy.

    Returns:
        The form without the brackets that it does not need.

    Raises:
        ValueError: the text contains anything else.

    >>> check_form("np.where((a) > (0.0), a, (b) * (np.expm1(a)))", ["a", "b"])
    'np.where(a > 0.0, a, b * np.expm1(a))'
    >>> check_form("__import__('os')", ["a"])
    Traceback (most recent call last):
    ...
    ValueError: an array form is an expression of a, numbers, signs and functions of NumPy that \
work element by element, as in 'np.exp(-a)'; got "__import__('os')"
    """
    try:
        tree = ast.parse(text, mode="eval")
        if _is_known(tree, names):
            return ast.unparse(tree)
    except (SyntaxError, ValueError):
        pass
    raise ValueError(
        f"an array form is an expression of {', '.join(names)}, numbers, signs and functions "
        f"of NumPy that work element by element, as in 'np.exp(-a)'; got {text!r}"
    )


def _is_known(node: ast.AST, names: Collection[str]) -> bool:
    """Return whether all parts of an expression are allowed in an array form."""
    if isinstance(node, ast.Name):
        return node.id in names
    if isinstance(node, ast.Constant):
        return type(node.value) in (int, float)
    if isinstance(node, ast.Call):
        arguments = all(_is_known(argument, names) for argument in node.args)
        return arguments and not node.keywords and _is_elementwise(node.func)
    inner = ast.iter_child_nodes(node)
    return isinstance(node, _PLAIN) and all(_is_known(child, names) for child in inner)


def _is_elementwise(node: ast.AST) -> bool:
    """Return whether an expression is an element-wise function of NumPy, or one of `special`."""
    if isinstance(node, ast.Name):
        return node.id in BESIDES_NUMPY
    if not (isinstance(node, ast.Attribute) and ast.unparse(node.value) == "np"):
        return False
    return node.attr == "where" or isinstance(getattr(np, node.attr, None), np.ufunc)
