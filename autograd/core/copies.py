"""Copies of a graph, and graphs as pickles."""

from __future__ import annotations

import copy
from typing import Any, cast

from .graph import topological_order
from .value import NOT_COMPUTED, Value


def copied(root: Value, memo: dict[int, Any]) -> Value:
    """What `copy.deepcopy(root)` makes: the same graph of new nodes, shared nodes still shared.

    >>> import copy
    >>> x = Value(2.0, label="x")
    >>> y = copy.deepcopy(x * x)
    >>> y.args[0] is y.args[1], y.args[0] is x
    (True, False)
    """
    for node in topological_order(root):
        if id(node) not in memo:
            twin = _remade(_fields(node), node._kind)
            if hasattr(node, "__dict__"):  # a subclass may carry more
                twin.__dict__.update(copy.deepcopy(vars(node), memo))
            twin.args = tuple(memo[id(arg)] for arg in node.args)
            memo[id(node)] = twin
    return cast(Value, memo[id(root)])


def packed(root: Value) -> tuple[Any, ...]:
    """What `pickle.dumps(root)` writes: nodes as rows, their operands as indices of rows.

    Leaves that two pickled roots share stay shared; nodes between are written for each root.
    """
    if root.op.arity == 0:
        return _remade, (_fields(root), root._kind)
    order = topological_order(root)
    index = {node: i for i, node in enumerate(order)}
    rows = [
        (_fields(node), [index[arg] for arg in node.args]) if node.op.arity else node
        for node in order
    ]
    return _unpacked, (rows, root._kind)


def _fields(node: Value) -> tuple[Any, ...]:
    grad = None if node.grad is NOT_COMPUTED else node.grad
    return node.data, grad, node.op, node.label, node.scope


def _remade(fields: tuple[Any, ...], kind: type[Value]) -> Value:
    """A node with these fields, and no operands yet."""
    node = object.__new__(kind)
    node.data, grad, node.op, node.label, node.scope = fields
    node.grad = NOT_COMPUTED if grad is None else grad
    node._a = node._b = node._mark = None
    return node


def _unpacked(rows: list[Any], kind: type[Value]) -> Value:
    nodes: list[Value] = []
    for row in rows:
        if isinstance(row, Value):
            nodes.append(row)
        else:
            fields, operands = row
            node = _remade(fields, kind)
            node.args = tuple(nodes[i] for i in operands)
            nodes.append(node)
    return nodes[-1]
