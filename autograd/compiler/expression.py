"""Build expressions of the generated source: their text, and the shape of their result.

`forward` and `backward` compose statements from these. The shapes decide where an expression
needs a reshape, a broadcast or a sum.
"""

from __future__ import annotations

import re
from math import prod
from typing import Any, NamedTuple

from ..core.term import LETTERS
from .simplify import NAME, simplify_expression

Dims = tuple[Any, ...]  # a shape in the source, as ints and "rows"; () for a single number


class Expr(NamedTuple):
    """An expression of the source, and the shape of its result.

    `out_call` is a call that writes the result into an existing array, which stands as {} in it;
    "" if there is no such call.
    """

    text: str
    dims: Dims
    out_call: str = ""


def write_shape(dims: Dims) -> str:
    """Return a shape as the source text of a tuple."""
    return f"({', '.join(map(str, dims))})"


def write_number(x: float) -> str:
    """Return a float as source text."""
    return re.sub("inf|nan", r"np.\g<0>", repr(x))


def broadcast_dims(several: list[Dims]) -> Dims:
    """Return the shape to which arrays of these shapes broadcast."""
    count = max((len(dims) for dims in several), default=0)
    padded = [(1,) * (count - len(dims)) + dims for dims in several]
    return tuple(next((n for n in column if n != 1), 1) for column in zip(*padded))


def sum_exprs(exprs: list[Expr]) -> Expr:
    """Return the sum of expressions."""
    text = " + ".join(expr.text for expr in exprs)
    return Expr(text, broadcast_dims([expr.dims for expr in exprs]))


def multiply(g: Expr, partial: Expr) -> Expr:
    """Return a gradient times a partial derivative."""
    left, divisor = bracket(g.text), partial.text.removeprefix("1.0 / ")
    signs = {"1.0": g.text, "-1.0": f"-{left}"}
    text = signs.get(partial.text, f"{left} * {bracket(partial.text)}")
    if divisor != partial.text and bracket(divisor) == divisor:
        text = f"{left} / {divisor}"
    return Expr(text, broadcast_dims([g.dims, partial.dims]))


def flatten_axes(text: str, dims: Dims) -> str:
    """Reshape an expression of shape `dims` to one axis of scalars, and the axis of the rows."""
    if len(dims) == 2:
        return text
    return f"{bracket(text)}.reshape({prod(dims[:-1])}, {dims[-1]})"


def split_axes(text: str, dims: Dims) -> Expr:
    """Reshape one axis of scalars, and the axis of the rows, to the shape `dims`."""
    return Expr(text if len(dims) == 2 else f"{bracket(text)}.reshape{write_shape(dims)}", dims)


def reduce_axis(expr: Expr, method: str, axis: int) -> Expr:
    """Reduce along an axis before the rows; the only such axis stays, with size 1."""
    text, dims = bracket(expr.text), expr.dims
    if axis == 0:
        return Expr(f"{text}.{method}(axis=0, keepdims=True)", (1, dims[-1]))
    return Expr(f"{text}.{method}(axis={axis})", (*dims[:axis], *dims[axis + 1 :]))


def sum_over_rows(expr: Expr) -> Expr:
    """Return the sum over the rows: the gradient of what all rows share."""
    if expr.dims == () or expr.dims[-1] == 1:
        return Expr(f"{bracket(expr.text)} * rows", expr.dims)
    text = f"{bracket(expr.text)}.sum(axis=-1, keepdims=True)"
    return Expr(text, (*expr.dims[:-1], 1), text[:-1] + ", out={})")


def sum_over_copies(
    expr: Expr, shape: tuple[int, ...], kept: list[int], over_rows: bool = False
) -> Expr:
    """Sum over the axes along which one element was broadcast, and drop these axes.

    Args:
        expr: the gradient of the broadcast elements.
        shape: the shape to which they were broadcast.
        kept: the other axes, which stay. If there is none, one axis of size 1 stays.
        over_rows: True to sum over the rows too; their axis stays, with size 1.
    """
    gone = [axis for axis in range(len(shape)) if axis not in kept]
    dims = expr.dims or (1,) * len(shape)
    summed = [axis for axis in gone if dims[axis] != 1]
    if over_rows and (not summed or dims[-1] == 1):
        expr, over_rows = sum_over_rows(expr), False
    if not gone:
        return expr
    has_row_axis = len(expr.dims) > len(shape)
    repeats = prod(shape[axis] for axis in gone if axis not in summed)
    text = expr.text
    if summed:
        axes = (*summed, len(shape)) if over_rows else tuple(summed)
        inside = str(axes[0]) if len(axes) == 1 else write_shape(axes)
        text = f"{bracket(text)}.sum(axis={inside}, keepdims=True)"
    if repeats > 1:
        text = f"{bracket(text)} * {repeats}"
    if expr.dims == ():
        return Expr(text, ())
    left = kept or [gone[0]]
    index = [":" if axis in left else "0" for axis in range(len(shape))]
    while index and index[-1] == ":":
        index.pop()
    if index:
        text = f"{bracket(text)}[{', '.join(index)}]"
    dims = tuple(1 if axis in summed else dims[axis] for axis in left)
    last = (1,) if over_rows else expr.dims[-1:]
    return Expr(text, (*dims, *(last if has_row_axis else ())))


def substitute(expression: str, operands: list[Expr], out: Expr | None = None) -> Expr:
    """Return an expression of the table, with operands in place of a, b and out."""
    known = dict(zip(LETTERS, operands))
    numbers = {letter: expr.text for letter, expr in known.items() if expr.dims == ()}
    if out:
        known["out"] = out
    text = simplify_expression(expression, numbers)
    used = [known[word].dims for word in re.findall(NAME, text) if word in known]
    text = re.sub(NAME, lambda m: bracket(known[m[0]].text) if m[0] in known else m[0], text)
    return Expr(text, broadcast_dims(used))


def bracket(text: str) -> str:
    """Put an expression in brackets, unless it can stand beside any operator without them."""
    depth = 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if depth == 0 and not (character.isalnum() or character in "_.)]"):
            return f"({text})"
    return text


SIGNS = {"+": "np.add", "-": "np.subtract", "*": "np.multiply", "/": "np.divide"}


def write_out_call(text: str, target: str) -> str:
    """Return the call that writes an expression into a target; "" if it is more than one call."""
    match = re.fullmatch(r"(np\.\w+)\((.*)\)", text)
    if match and match[1] not in ("np.where", "np.broadcast_to") and _is_balanced(match[2]):
        return f"{text[:-1]}, out={target})"
    for sign, ufunc in SIGNS.items():
        left, found, right = text.partition(f" {sign} ")
        if found and all(_is_balanced(side) and bracket(side) == side for side in (left, right)):
            return f"{ufunc}({left}, {right}, out={target})"
    return ""


def _is_balanced(text: str) -> bool:
    """Return True if every bracket in a text is opened and closed there."""
    depth = 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if depth < 0:
            return False
    return depth == 0
