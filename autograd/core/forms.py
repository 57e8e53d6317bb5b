"""A check of array forms: the expressions in `ops.py` that compute an operation on NumPy arrays.

Array forms are executed with `eval`, so this check limits them to element-wise arithmetic.
"""

from __future__ import annotations

import ast
from collections.abc import Collection

import numpy as np

_PLAIN = (
    *(ast.Expression, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Load),
    *(ast.operator, ast.unaryop, ast.cmpop),
)


def check_form(text: str, names: Collection[str]) -> None:
    """Refuse an array form that is not element-wise arithmetic on these names.

    Allowed are the names, numbers, signs, comparisons and element-wise functions of NumPy.

    Raises:
        ValueError: the text contains anything else.

    >>> check_form("np.where(a > 0.0, a, b * np.expm1(a))", ["a", "b"])
    >>> check_form("__import__('os')", ["a"])
    Traceback (most recent call last):
    ...
    ValueError: an array form is an expression of a, numbers, signs and functions of NumPy that \
work element by element, as in 'np.exp(-a)'; got "__import__('os')"
    """
    try:
        known = _is_known(ast.parse(text, mode="eval"), names)
    except (SyntaxError, ValueError):
        known = False
    if not known:
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
    """Return whether an expression is `np.` and the name of an element-wise function of NumPy."""
    if not (isinstance(node, ast.Attribute) and ast.unparse(node.value) == "np"):
        return False
    return node.attr == "where" or isinstance(getattr(np, node.attr, None), np.ufunc)
