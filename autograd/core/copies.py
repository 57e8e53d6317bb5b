"""Copies and pickles of a graph, for `copy.deepcopy` and `pickle`.

Both treat the graph as a list in topological order, so a graph of any depth is copied without
recursion.
"""

from __future__ import annotations

import copy
from typing import Any, cast

from .by_hand import ByHand
from .graph import topological_order
from .value import NOT_COMPUTED, Value


def copied(root: Value, memo: dict[int, Any]) -> Value:
    """Copy a graph for `copy.deepcopy(root)`; a node that is used twice is copied once.

    >>> import copy
    >>> x = Value(2.0, label="x")
    >>> y = copy.deepcopy(x * x)
    >>> y.args[0] is y.args[1], y.args[0] is x
    (True, False)
    """
    for node in topological_order(root):
        if id(node) not in memo:
            twin = _remade(_fields(node), node._kind)
            if own := node._own:
                vars(twin).update(copy.deepcopy(own, memo))
            twin.args = tuple(memo[id(arg)] for arg in node.args)
            memo[id(node)] = twin
            if isinstance(twin.op, ByHand):
                twin.op = twin.op.copied(memo)
    return cast(Value, memo[id(root)])


def pickled(root: Value) -> tuple[Any, ...]:
    """Return what `pickle.dumps(root)` writes: a row per node, with its operands as row indices.

    If two pickled roots share leaves, these stay shared. Other shared nodes are written twice.
    """
    if root.op.arity == 0:
        return _remade, (_fields(root), root._kind), root._own or None
    order = topological_order(root)
    index = {node: i for i, node in enumerate(order)}
    rows = [
        (_fields(node), [index[arg] for arg in node.args], node._own) if node.op.arity else node
        for node in order
    ]
    return _unpacked, (rows, root._kind)


def _fields(node: Value) -> tuple[Any, ...]:
    grad = None if node.grad is NOT_COMPUTED else node.grad
    return node.data, grad, node.op, node.label, node.scope


def _remade(fields: tuple[Any, ...], kind: type[Value]) -> Value:
    """Make a node with these fields; its operands are set later."""
    node = object.__new__(kind)
    node.data, grad, node.op, node.label, node.scope = fields
    node.grad = NOT_COMPUTED if grad is None else grad
    node._a = node._b = node._mark = None
    return node


def _unpacked(rows: list[Any], kind: type[Value]) -> Value:
    """Make the graph that `pickled` described, and return its root."""
    nodes: list[Value] = []
    for row in rows:
        if isinstance(row, Value):
            nodes.append(row)
        else:
            fields, operands, own = row
            node = _remade(fields, kind)
            node.args = tuple(nodes[i] for i in operands)
            if own:
                vars(node).update(own)
            nodes.append(node)
    return nodes[-1]
