"""Translate the expressions of the table of operations from NumPy to JavaScript."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from ..core.special import BESIDES_NUMPY

OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.BitAnd: "&&",
    ast.USub: "-",
    ast.Eq: "===",
    ast.NotEq: "!==",
    ast.Lt: "<",
    ast.Gt: ">",
    ast.LtE: "<=",
    ast.GtE: ">=",
}
# By NumPy name. A template may repeat an argument, because arguments are names or numbers.
FUNCTIONS = {
    "where": "({0} ? {1} : {2})",
    "maximum": "Math.max({0}, {1})",
    "minimum": "Math.min({0}, {1})",
    "heaviside": "({0} < 0.0 ? 0.0 : {0} > 0.0 ? 1.0 : {0} === 0.0 ? {1} : NaN)",
    "exp2": "Math.pow(2.0, {0})",
    "arctan2": "Math.atan2({0}, {1})",
    "hypot": "Math.hypot({0}, {1})",
    "mod": "({0} % {1} + (Math.sign({0} % {1}) * {1} < 0.0 ? {1} : 0.0))",
    "logaddexp": "(Math.max({0}, {1}) + Math.log1p(Math.exp(-Math.abs({0} - {1}))))",
} | {
    name: f"Math.{name}({{0}})"
    for name in (
        *("exp", "log", "log1p", "expm1", "log2", "log10", "sqrt", "abs", "sign", "floor"),
        *("sin", "cos", "tan", "sinh", "cosh", "tanh"),
    )
}
FUNCTIONS |= {
    name: f"Math.{in_javascript}({{0}})"
    for name, in_javascript in {
        **{"arcsin": "asin", "arccos": "acos", "arctan": "atan"},
        **{"arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh"},
    }.items()
}


def translate(source: str) -> str:
    """Translate an expression of the table from NumPy to JavaScript.

    Raises:
        ValueError: the expression contains something that has no translation here.

    >>> translate("np.where(a > 0.0, a, b * np.expm1(a))")
    '((a > 0.0) ? a : (b * Math.expm1(a)))'
    >>> translate("a**b")
    'Math.pow(a, b)'
    """
    return _translate(ast.parse(source, mode="eval").body)


def _translate(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Constant(value=int() | float() as number):
            return repr(number)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return f"Math.pow({_translate(left)}, {_translate(right)})"
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in OPERATORS:
            return f"({_translate(left)} {OPERATORS[type(sign)]} {_translate(right)})"
        case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in OPERATORS:
            return f"({_translate(left)} {OPERATORS[type(sign)]} {_translate(right)})"
        case ast.IfExp(test=test, body=body, orelse=other):
            return f"({_translate(test)} ? {_translate(body)} : {_translate(other)})"
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return f"(-{_translate(operand)})"
        case ast.Call(func=ast.Attribute(attr=name), args=args) if name in FUNCTIONS:
            return FUNCTIONS[name].format(*map(_translate, args))
        case ast.Call(func=ast.Name(id=name), args=[argument]) if name in BESIDES_NUMPY:
            return f"{name}({_translate(argument)})"  # of special.js
    raise ValueError(f"no JavaScript is known for {ast.unparse(node)}")


def write_arrow(names: Sequence[str], source: str) -> str:
    """Write an expression of the table as an arrow function; a boolean result becomes 0 or 1."""
    text = translate(source)
    return f"({', '.join(names)}) => +{text if text.startswith('(') else f'({text})'}"
