"""The array forms of operations: expressions that are executed, so what they may say is limited."""

from __future__ import annotations

import ast
from collections.abc import Collection

import numpy as np

_PLAIN = (
    *(ast.Expression, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Load),
    *(ast.operator, ast.unaryop, ast.cmpop),
)


def check_form(text: str, names: Collection[str]) -> None:
    """Hold an array form to numbers, these names, signs and functions of NumPy on arrays.

    Raises:
        ValueError: it is anything else.

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
    """Whether all of an expression is of the kinds that an array form may have."""
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
    """Whether this is `np.` and a function of NumPy that works element by element."""
    if not (isinstance(node, ast.Attribute) and ast.unparse(node.value) == "np"):
        return False
    return node.attr == "where" or isinstance(getattr(np, node.attr, None), np.ufunc)
