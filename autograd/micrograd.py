"""Compatibility with programs that were written for micrograd's engine.

Such programs make nodes by hand: `Value(data, (a, b), "op")`, and then assign `_backward`. Such a
node gets an `Op` of its own, whose partials call the assigned function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .core import ops
from .core.boundary import quoted
from .core.graph import topological_order
from .core.term import LETTERS
from .core.value import Value
from .picture.draw import draw
from .picture.render import Drawing

NAMES = {ops.add: "+", ops.sub: "-", ops.mul: "*", ops.div: "/", ops.power: "**"}
NAMES |= {ops.neg: "-", ops.relu: "ReLU", ops.leaf: "", ops.constant: ""}


def op_name(node: Value) -> str:
    """Return micrograd's `_op`, such as `'+'`, `'**2'` or `'ReLU'`, or else the row's name."""
    if node.op is ops.pow:
        return f"**{node.args[1].data:g}"
    return NAMES.get(node.op, node.op.name)


def adopt(node: Value, children: Any, op: str) -> None:
    """Make `node` the result of an operation on `children` that was done by hand.

    Raises:
        TypeError: the children are not Values, or the operation's name is not a string.
    """
    listed = isinstance(children, Iterable) and not isinstance(children, (str, bytes))
    operands = tuple(children) if listed else (children,)
    if not all(isinstance(c, Value) for c in operands):
        raise TypeError(
            f"Value(data, label) takes a string as label, and Value(data, _children, _op) takes "
            f"Values as children; got {quoted(children)}"
        )
    if not isinstance(op, str):
        raise TypeError(f"the name of an operation is a string, got {quoted(op)}")
    if operands:
        node.op = _handmade(op, len(operands), _nothing)
        node.args = operands


def set_backward(node: Value, function: Callable[[], None]) -> None:
    """Use `function` in place of the table to add the node's gradient to its operands.

    Raises:
        TypeError: `function` is not callable.
    """
    if not callable(function):
        raise TypeError(f"_backward is a function without arguments, got {function!r}")
    if not node.op.arity:
        return  # a leaf has no operands to add a gradient to
    operands = node.args

    def partials(out: Any, *_: Any) -> tuple[float, ...]:
        if isinstance(out, Value):
            raise TypeError(
                f"{op_name(out)!r} was given its _backward by hand, which works on numbers: it has "
                f"no second derivative. Make it an operation with autograd.op(...)"
            )
        return _probed(node, function)

    node.op = _handmade(node.op.name, len(operands), partials)
    node.args = operands


def _handmade(name: str, arity: int, partials: Callable[..., tuple[float, ...]]) -> ops.Op:
    """Make the row of a node that was made by hand."""
    symbol = {"*": "·", "-": "−"}.get(name, name)
    rules = tuple(f"∂{name}/∂{letter}" for letter in LETTERS[:arity])
    return ops.Op(name, _no_formula, partials, rules=rules, symbol=symbol, arity=arity)


def _no_formula(*_: float) -> float:
    raise NotImplementedError(
        "a node made as Value(data, _children, _op) does not say how it is computed, so it cannot "
        "be recomputed: make it an operation with autograd.op(...)"
    )


def _nothing(out: Any, *operands: Any) -> tuple[float, ...]:
    """Return partials of 0: micrograd's default is `_backward = lambda: None`."""
    return (0.0,) * len(operands)


def _probed(node: Value, function: Callable[[], None]) -> tuple[float, ...]:
    """Find the local derivatives of a `_backward`: run it with a gradient of 1, read what it adds.

    If an operand is used twice, only the sum of its two derivatives is known. The first use gets
    the sum, and the second gets 0.
    """
    touched = [node, *node.args]
    before = [other.grad for other in touched]
    try:
        for other in touched:
            other.grad = 0.0
        node.grad = 1.0
        function()
        found = [float(arg.grad) for arg in node.args]
    finally:
        for other, gradient in zip(touched, before):
            other.grad = gradient
    first = {arg: i for i, arg in reversed(list(enumerate(node.args)))}
    return tuple(g if first[arg] == i else 0.0 for i, (arg, g) in enumerate(zip(node.args, found)))


def trace(root: Value) -> tuple[set[Value], set[tuple[Value, Value]]]:
    """Return all nodes, and all edges as pairs (operand, node): micrograd's walk of the graph.

    >>> x = Value(2.0)
    >>> nodes, edges = trace(x * x)
    >>> len(nodes), len(edges)
    (2, 1)
    """
    nodes = topological_order(root)
    return set(nodes), {(arg, node) for node in nodes for arg in node.args}


def draw_dot(root: Value, format: str = "svg", rankdir: str = "LR") -> Drawing:
    """Draw the graph: micrograd's name for `autograd.draw`."""
    return draw(root, format=format, rankdir=rankdir)
