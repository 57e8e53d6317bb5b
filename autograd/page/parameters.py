"""Choose the leaves that gradient descent changes on the page of a graph: not the inputs."""

from __future__ import annotations

import re
from collections.abc import Collection

from ..core import ops
from ..core.boundary import several
from ..core.find import find
from ..core.notation import name
from ..core.value import Value

INPUT = re.compile(r"(x|xs|a_?0|t|inputs?|targets?)([\d_]+|\[.*\])?", re.IGNORECASE)
"""The labels of inputs and targets, as x, x1, x[0], a0 and target."""


def moving(
    order: list[Value], parameters: Collection[Value | str] | Value | str | None
) -> set[Value]:
    """Return the leaves that gradient descent changes."""
    indices = _deciding_indices(order)
    if parameters is None:
        free = {node for node in order if node.op is ops.leaf and node not in indices}
        return {node for node in free if not _is_input(node, free)} or free
    if isinstance(parameters, (Value, str)):
        parameters = [parameters]
    parameters = several(parameters, "parameters are leaves or their labels")
    nodes, root = set(order), order[-1]
    found = {p if isinstance(p, Value) and p in nodes else find(root, p) for p in parameters}
    for node in found:
        if node.op is not ops.leaf:
            raise ValueError(f"a parameter is a leaf, and {name(node)} is computed")
        if node in indices:
            raise ValueError(
                f"a parameter moves in small steps, and {name(node)} decides an index of take, "
                f"which is whole"
            )
    return found


def _is_input(leaf: Value, leaves: set[Value]) -> bool:
    """Return True if a leaf is named as an input, or has no label where another has one."""
    if not leaf.label:
        return any(other.label for other in leaves)
    return INPUT.fullmatch(leaf.label) is not None


def _deciding_indices(order: list[Value]) -> set[Value]:
    """Return the nodes on which an index of `take` depends."""
    found = {node.args[0] for node in order if node.op is ops.take}
    for node in reversed(order):
        if node in found:
            found.update(node.args)
    return found
