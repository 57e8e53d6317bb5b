"""Functions that read a graph: its order, its counts and its edges.

The backward pass, the teaching tools and the drawings call them. None of them changes a node's
number or gradient, and none is recursive: a graph may be deeper than Python's recursion limit.
"""

from __future__ import annotations

import contextlib
from array import array
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, TypeVar

from . import locks, modes, ops
from .boundary import instance
from .notation import shortened
from .twin import give, twinned
from .value import Value

Item = TypeVar("Item", bound=Hashable)


def topological_order(root: Value) -> list[Value]:
    """Return every node that `root` depends on, each after its operands; `root` is last.

    The traversal is depth first, left operand first, with an explicit stack. It puts a node with
    operands back on the stack, then a `None`, then the operands. When it pops the `None`, all
    operands are in the list, and it appends the node. It marks visited nodes in `_mark`, with
    objects that no other traversal uses. A dictionary would be slower for large graphs.

    Raises:
        ValueError: the graph has a cycle.
        TypeError: `root` is not a Value.
        TraceError: a function that is being traced, as by `compile`, calls this.

    >>> x = Value(2.0, label="x")
    >>> [node.op.name for node in topological_order(x * x + 1.0)]
    ['leaf', 'mul', 'constant', 'add']
    """
    if tracer := modes.find_tracer():
        tracer.refuse(
            "a graph is gone through (as by backward, explain or grad)",
            "do that outside, or ask for grad(..., create_graph=True)",
        )
    return in_order(root)


@twinned
def in_order(root: Value) -> list[Value]:
    """Return `topological_order(root)`, also while a function is traced."""
    instance(root, Value, "the root of a graph is a Value")
    global _walks
    with locks.marks:
        while True:  # repeat if a signal handler's traversal has replaced the marks
            _walks += 1
            walk = _walks
            order = _walked(root)
            if walk == _walks:
                return order


_walks = 0


def _walked(root: Value) -> list[Value]:
    """Traverse the graph once, as `topological_order` describes."""
    order: list[Value] = []
    entered, done = object(), object()
    stack: list[Value | None] = [root]
    pop, push, emit = stack.pop, stack.append, order.append
    while stack:
        node = pop()
        if node is None:
            node = pop()
            node._mark = done  # type: ignore[union-attr]  # only nodes stand under a None
            emit(node)  # type: ignore[arg-type]
        elif node._mark is done:
            continue
        elif node._mark is entered:
            raise _cycle(node)
        elif (arity := node.op.arity) == 0:
            node._mark = done
            emit(node)
        else:
            node._mark = entered
            push(node)
            push(None)
            if arity == 2:
                push(node._b)
                push(node._a)
            elif arity == 1:
                push(node._a)
            else:
                stack.extend(reversed(node._a))
    return order


def _cycle(node: Value) -> ValueError:
    called = f" {shortened(node.label)!r}" if node.label else ""
    return ValueError(
        f"the graph has a cycle: the {node.op.name} node{called} is an operand of itself, directly "
        f"or through others. A graph of operations has none; look where .args was set by hand"
    )


give(_cycle=_cycle)


@twinned
def find_places(order: list[Value], nodes: list[Value]) -> Any:
    """Return the places of nodes in an order, as integers of 4 bytes; -1 for one not in it."""
    place = {id(node): i for i, node in enumerate(order)}
    return array("i", [place.get(id(node), -1) for node in nodes])


@twinned
def tabulate(order: list[Value], created: list[Value]) -> tuple[Any, ...]:
    """Return a topological order as columns of integers of 4 bytes, and one of floats.

    Returns:
        The operations that occur; the labels, and the scopes of nodes without a label, that occur,
        after "", some of them twice. For each node, the index of its operation; where its operands
        start among all, and at last where they end; the operands of all nodes; for each node, the
        index of its label, and 1 if it is in `created`, else 0; and its number.
    """
    kinds: dict[ops.Op, int] = {}
    texts = {"": 0}
    place = {id(node): i for i, node in enumerate(order)}
    codes, starts, operands, labels = array("i"), array("i", [0]), array("i"), array("i")
    for node in order:
        codes.append(kinds.setdefault(node.op, len(kinds)))
        operands.extend([place[id(arg)] for arg in node.args])
        starts.append(len(operands))
        labels.append(texts.setdefault(node.label or node.scope, len(texts)))
    known = set(map(id, created))
    inside = array("i", [id(node) in known for node in order])
    numbers = array("d", [node.data for node in order])
    return list(kinds), list(texts), codes, starts, operands, labels, inside, numbers


def leaves(root: Value) -> list[Value]:
    """Return the leaves that `root` depends on, in topological order; constants are not leaves.

    >>> x, w = Value(2.0, label="x"), Value(3.0, label="w")
    >>> [leaf.label for leaf in leaves(w * x + 1.0)]
    ['w', 'x']
    """
    return [node for node in topological_order(root) if node.op is ops.leaf]


def count(root: Value) -> Counter[str]:
    """Count the nodes of the graph by operation; `.total()` of the result counts them all.

    >>> x = Value(2.0)
    >>> counts = count(x * x + x)
    >>> counts["mul"], counts["leaf"], counts.total()
    (1, 1, 3)
    """
    return Counter(node.op.name for node in topological_order(root))


def count_paths(root: Value, node: Value) -> int:
    """Count the paths from `node` to `root`; `x * x` has two from `x`.

    >>> x = Value(2.0)
    >>> y = x * x
    >>> count_paths(y * y, x)
    4
    """
    order = topological_order(root)
    uses = Counter(arg for other in order for arg in other.args)
    paths = {node: 1}
    for other in order:
        if other is not node:
            paths[other] = sum(paths[arg] for arg in other.args)
        for arg in other.args:
            uses[arg] -= 1
            if not uses[arg]:
                del paths[arg]  # counts can be very large integers, so drop each after its last use
    return paths[root]


def distances(
    start: Iterable[Item], neighbours: Callable[[Item], Iterable[Item]]
) -> Iterator[tuple[Item, int]]:
    """Yield each item and the number of edges to it from the nearest of `start`, nearest first."""
    found = dict.fromkeys(start, 0)
    queue = list(found)
    for item in queue:
        yield item, found[item]
        for neighbour in neighbours(item):
            if neighbour not in found:
                found[neighbour] = found[item] + 1
                queue.append(neighbour)


def shown_slots(node: Value) -> tuple[int, ...]:
    """Return the slots of the operands that pictures show: of a `take`, index and chosen entry.

    If the index has changed to no place in the table, all are shown.

    >>> from autograd import take
    >>> shown_slots(take([Value(5.0), Value(7.0), Value(9.0)], 1))
    (0, 2)
    """
    args = node.args
    if node.op is ops.take:
        with contextlib.suppress(ops.PlaceError):
            return 0, 1 + ops.place(args[0].data, len(args) - 1)
    return tuple(range(len(args)))


def flowing_slots(node: Value) -> tuple[int, ...]:
    """Return the slots through which a gradient may flow: those shown, without an index."""
    return shown_slots(node)[node.op is ops.take :]


def flowing_edges(root: Value) -> list[tuple[Value, int]]:
    """Return the edges (node, slot) through which gradients flow, in the order of a backward pass.

    Those between nodes on which only an index depends are left out.

    >>> x = Value(2.0)
    >>> len(flowing_edges(x * x + 1.0))
    3
    """
    reached, edges = {root}, []
    for node in reversed(topological_order(root)):
        if node in reached:
            for slot in flowing_slots(node):
                operand = node.args[slot]
                if operand.op is not ops.constant:
                    reached.add(operand)
                    edges.append((node, slot))
    return edges


def shown_args(node: Value) -> tuple[Value, ...]:
    """Return the operands that pictures show; see `shown_slots`."""
    args = node.args
    return tuple([args[slot] for slot in shown_slots(node)]) if node.op is ops.take else args


def shown_order(root: Value, keep: Iterable[Value] = ()) -> list[Value]:
    """Return the topological order, without nodes that no picture of `root` shows, but `keep`."""
    order = topological_order(root)
    if not any(node.op is ops.take for node in order):
        return order
    shown = {root, *keep}
    for node in reversed(order):
        if node in shown:
            shown.update(shown_args(node))
    return [node for node in order if node in shown]


def consumers(order: Iterable[Value]) -> dict[Value, list[Value]]:
    """Return, for each node of an order, the nodes that have it as an operand that is shown."""
    found: dict[Value, list[Value]] = {}
    for node in order:
        found[node] = []
        for arg in dict.fromkeys(shown_args(node)):
            found[arg].append(node)
    return found
