"""Names by which programs for micrograd's engine call what is here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .core import ops
from .core.boundary import quoted
from .core.by_hand import ByHand, by_hand
from .core.graph import topological_order
from .core.value import Value
from .picture.draw import draw

if TYPE_CHECKING:
    from .picture.drawing import Drawing

NAMES = {ops.add: "+", ops.sub: "-", ops.mul: "*", ops.div: "/", ops.power: "**"}
NAMES |= {ops.neg: "-", ops.relu: "ReLU", ops.leaf: "", ops.constant: ""}


def op_name(node: Value) -> str:
    """Return micrograd's `_op`, such as `'+'`, `'**2'` or `'ReLU'`, or else the row's name."""
    if node.op is ops.pow:
        return f"**{node.args[1].data:g}"
    return NAMES.get(node.op, node.op.name)


def rename(node: Value, name: str) -> None:
    """Give the operation of a node another name, for drawings; a leaf has none.

    Raises:
        TypeError: the name is not a string.
    """
    if not isinstance(name, str):
        raise TypeError(f"the name of an operation is a string, got {quoted(name)}")
    op = node.op
    if isinstance(op, ByHand):
        node.op = by_hand(name, op.arity, op.slopes)
    elif op.arity and name != op_name(node):
        node.op = replace(op, name=name, symbol=name)


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
    """Draw the graph: micrograd's name for `autograd.draw`.

    >>> from autograd import Value
    >>> "digraph" in draw_dot(Value(2.0) * 3.0).source
    True
    """
    return draw(root, format=format, rankdir=rankdir)
