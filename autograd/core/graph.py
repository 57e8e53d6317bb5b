"""Functions that read a graph: its order, its counts and the names of its nodes.

The backward pass, the teaching tools and the drawings call them. None of them changes a node's
number or gradient, and none is recursive: a graph may be deeper than Python's recursion limit.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable

from . import locks, modes, ops
from .boundary import instance, quoted
from .notation import expression, name, shortened
from .terminal import fitted, spelled
from .value import Value


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
    start: Iterable[Hashable], neighbours: Callable[[Hashable], Iterable[Hashable]]
) -> dict[Hashable, int]:
    """Return the number of edges from the nearest of `start` to each item, nearest first."""
    found = dict.fromkeys(start, 0)
    queue = list(found)
    for node in queue:
        for neighbour in neighbours(node):
            if neighbour not in found:
                found[neighbour] = found[node] + 1
                queue.append(neighbour)
    return found


def consumers(order: Iterable[Value]) -> dict[Value, list[Value]]:
    """Return, for each node of a topological order, the nodes that have it as an operand."""
    found: dict[Value, list[Value]] = {}
    for node in order:
        found[node] = []
        for arg in dict.fromkeys(node.args):
            found[arg].append(node)
    return found


def find(root: Value, wanted: Value | str) -> Value:
    """Find a node of the graph by its label or formula, or check that the graph has the node.

    A formula may be written as it is shown or as it is typed: `w·x` and `w*x` are the same.

    Raises:
        KeyError: no node, or more than one, has this label or formula.
        ValueError: the node is not part of the graph.
        TypeError: `wanted` is neither a node nor a string.

    >>> w, x = Value(2.0, label="w"), Value(3.0, label="x")
    >>> y = w * x - 1.0
    >>> find(y, "w") is w, find(y, "w*x") is find(y, "w·x") is y.args[0]
    (True, True)
    """
    order = topological_order(root)
    if isinstance(wanted, Value):
        if wanted not in set(order):
            raise ValueError(f"{wanted!r} is not part of the graph of {root!r}")
        return wanted
    if not isinstance(wanted, str):
        raise TypeError(f"expected a node, its label or its formula, got {quoted(wanted)}")
    found = [node for node in order if node.label == wanted] if wanted else []
    found = found or _written_as(wanted, order)
    if len(found) == 1:
        return found[0]
    if found:
        kind = "labelled" if found[0].label == wanted else "written"
        raise LabelError(
            f"{len(found)} nodes are {kind} {wanted!r}: pass the node itself, not its name"
        )
    labels = list(dict.fromkeys(str(node.label) for node in order if node.label))
    near = ", ".join(map(repr, nearest(wanted, labels)))
    hint = f"the nearest are {near}" if near else "no node has a label yet"
    raise LabelError(f"no node is labelled {wanted!r}: {hint}")


def _written_as(wanted: str, order: list[Value]) -> list[Value]:
    """Return the nodes whose formula or displayed name equals the formula `wanted`."""
    typed = _typed(wanted)
    return [
        node
        for node in order
        if typed in {_typed(term.text) for term in (name(node), expression(node))}
    ]


def _typed(formula: str) -> str:
    """Return one common spelling, as for w·x, w*x and (w * x), or 2(a − 1)² and 2*(a-1)**2."""
    text = spelled("".join(formula.split())).replace("**", "^")
    for row in ops.TABLE.values():
        text = text.replace(f"{row.name}(", f"{spelled(row.symbol)}(")
    text = re.sub(r"\*(?=\()|(?<![\w.])([\d.]+)\*(?=[^\W\d])", r"\1", text)
    return text[1:-1] if re.fullmatch(r"\([^()]*\)", text) else text


def nearest(wanted: str, names: list[str]) -> list[str]:
    """Return the names most similar to `wanted`, or the first six if none is similar.

    >>> nearest("wieght", ["bias", "weight"])
    ['weight']
    """
    return difflib.get_close_matches(wanted, names, n=3, cutoff=0.3) or names[:6]


def find_variable(root: Value, wanted: Value | str) -> Value:
    """Find a node as `find` does, and refuse a constant, which has no gradient.

    Raises:
        ValueError: the node is a constant.
    """
    node = find(root, wanted)
    if node.op is ops.constant:
        raise ValueError(
            f"{node.label or node.data} is a constant: it cannot move and has no gradient"
        )
    return node


class LabelError(KeyError):
    """No node, or more than one, has the label or formula that was asked for."""

    @fitted
    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would print the repr, quotes and all
