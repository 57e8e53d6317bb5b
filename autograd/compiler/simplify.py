"""Simplify expressions of the table of operations in which some operands are known numbers.

This is partial evaluation: `expression.substitute` calls it with the constant operands.
"""

from __future__ import annotations

import ast
import re

NAME = r"\b(?<!\.)(out|[a-z])\b(?!\.)"


def simplify_expression(expression: str, numbers: dict[str, str]) -> str:
    """Put numbers in place of names in an expression, and evaluate what these decide.

    >>> simplify_expression("np.where(b == 0.0, 0.0, b * a ** (b - 1.0))", {"b": "3.0"})
    '3.0 * a ** 2.0'
    >>> simplify_expression("b * a ** (b - 1.0)", {"b": "2.0"})
    '2.0 * a'
    >>> simplify_expression("a ** b", {"a": "-2.0"})
    '(-2.0) ** b'
    """
    if not numbers.keys() & set(re.findall(NAME, expression)):
        return expression
    tree = ast.parse(expression, mode="eval")
    return ast.unparse(_Simplifier(numbers).visit(tree))


class _Simplifier(ast.NodeTransformer):
    """Replaces names, and then evaluates `-`, comparisons, `np.where` and `** 1.0` of numbers."""

    def __init__(self, numbers: dict[str, str]) -> None:
        self.numbers = numbers

    def visit_Name(self, node: ast.Name) -> ast.AST:
        number = self.numbers.get(node.id, "")
        return node if "np" in number or not number else _make_constant(float(number))

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow) and _is_number(node.right):
            return node.left if ast.unparse(node.right) == "1.0" else node
        return self.evaluate(node, node.left, node.right) if isinstance(node.op, ast.Sub) else node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        return self.evaluate(node, node.left, *node.comparators)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        test = node.args[0]
        if ast.unparse(node.func) == "np.where" and isinstance(test, ast.Constant):
            return node.args[1] if test.value else node.args[2]
        return node

    @staticmethod
    def evaluate(node: ast.expr, *parts: ast.expr) -> ast.AST:
        """Evaluate an expression whose parts are all numbers; return any other unchanged."""
        if all(_is_number(part) for part in parts):
            return _make_constant(eval(ast.unparse(node)))
        return node


def _make_constant(number: float) -> ast.expr:
    """Return the syntax node of a number; a minus sign is a node, so that `unparse` brackets it."""
    if isinstance(number, float) and number < 0.0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-number))
    return ast.Constant(number)


def _is_number(node: ast.expr) -> bool:
    inner = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(inner, ast.Constant)
