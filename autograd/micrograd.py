"""Compatibility with programs that were written for micrograd's engine.

Such programs make nodes by hand: as `Value(data, (a, b), "op")`, after which they assign
`_backward`, or as `Value(data, (a, b), (slope, slope))` with the local derivatives. Such a node
gets an `Op` of its own, whose partials call the assigned function or return those numbers.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from types import FrameType
from typing import Any, NoReturn

from .core import modes, ops
from .core.boundary import as_float, quoted, several
from .core.graph import topological_order
from .core.term import LETTERS
from .core.value import NOTHING, Value
from .picture.draw import draw
from .picture.render import Drawing

NAMES = {ops.add: "+", ops.sub: "-", ops.mul: "*", ops.div: "/", ops.power: "**"}
NAMES |= {ops.neg: "-", ops.relu: "ReLU", ops.leaf: "", ops.constant: ""}
GIVEN = "the name of an operation is a string, and local_grads are numbers, one per operand"


def op_name(node: Value) -> str:
    """Return micrograd's `_op`, such as `'+'`, `'**2'` or `'ReLU'`, or else the row's name."""
    if node.op is ops.pow:
        return f"**{node.args[1].data:g}"
    return NAMES.get(node.op, node.op.name)


class ByHand(ops.Op):
    """The row of one node that was made by hand.

    A program may make as many rows as nodes, so a row stores only `slopes`: the local derivatives,
    or a function that returns them. Its class holds the rest, and is made once for each name and
    number of operands.
    """

    __slots__ = ("slopes",)
    slopes: tuple[float, ...] | Callable[[], tuple[float, ...]]

    def partials(self, out: Any, *_: Any) -> tuple[float, ...]:
        """Return the local derivatives, which are numbers, whatever the arguments are."""
        if isinstance(out, Value):
            raise TypeError(
                f"the derivatives of {op_name(out)!r} were given by hand, as numbers: it has no "
                f"second derivative. Make it an operation with autograd.op(...)"
            )
        return self.slopes() if callable(self.slopes) else self.slopes

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return by_hand, (self.name, self.arity, self.slopes)


_set_slopes: Any = ByHand.slopes.__set__  # type: ignore[union-attr]  # the slot: rows are frozen


def by_hand(name: str, arity: int, slopes: Any) -> ByHand:
    """Make the row of a node that is made by hand."""
    row = object.__new__(_kind(name, arity))
    _set_slopes(row, slopes)
    return row


@functools.lru_cache(maxsize=1000)
def _kind(name: str, arity: int) -> type[ByHand]:
    """Make the class of the rows of this name, which has all that they share as attributes."""
    rules = tuple(f"∂{name}/∂{letter}" for letter in LETTERS[:arity])
    symbol = {"*": "·", "-": "−"}.get(name, name)
    row = ops.Op(name, _no_formula, _no_formula, rules=rules, symbol=symbol, arity=arity)
    shared = {f.name: getattr(row, f.name) for f in fields(row) if f.name != "partials"}
    shared |= {"value": staticmethod(_no_formula), "__slots__": ()}
    return type("ByHand", (ByHand,), shared)


def adopt(node: Value, children: Any, given: Any, op: Any = NOTHING) -> None:
    """Make `node` the result of an operation on `children` that was done by hand.

    Args:
        node: a new Value.
        children: the operands.
        given: the local derivatives, or the name of the operation.
        op: the name of the operation. Default: the name of the function that made the node.

    Raises:
        TypeError: the children are not Values, the derivatives are not numbers, or the name of the
            operation is not a string.
        ValueError: there is not one local derivative per operand.
    """
    operands = children if type(children) is tuple else _listed(children)
    for child in operands:
        if not isinstance(child, Value):
            _refuse_children(children)
    arity, name = len(operands), op
    if isinstance(given, str):
        name, slopes = given, (0.0,) * arity  # micrograd's default is `_backward = lambda: None`
    else:
        slopes = _numbers(given) or (0.0,) * arity
    if name is NOTHING:
        name = _caller()
    elif not isinstance(name, str):
        raise TypeError(f"the name of an operation is a string, got {quoted(name)}")
    if len(slopes) != arity:
        raise ValueError(f"local_grads has one number per operand: {arity} here, got {len(slopes)}")
    if not arity:
        return
    if tracer := modes.find_tracer():
        tracer.refuse("a node is made by hand", "make it an operation with autograd.op(...)")
    if modes.open_blocks and not modes.setting("recording"):
        node.op = ops.constant
        return
    node.op = by_hand(name, arity, slopes)
    if arity == 2:
        node._a, node._b = operands
    elif arity == 1:
        node._a = operands[0]
    else:
        node._a = operands


def _listed(children: Any) -> tuple[Any, ...]:
    if not isinstance(children, Iterable) or isinstance(children, (str, bytes)):
        _refuse_children(children)
    return tuple(children)


def _refuse_children(children: Any) -> NoReturn:
    raise TypeError(
        f"Value(data, label) takes a string as label, and Value(data, _children, _op) takes "
        f"Values as children; got {quoted(children)}"
    )


def _numbers(slopes: Any) -> tuple[float, ...]:
    """Return local derivatives as floats."""
    given = slopes if type(slopes) is tuple else several(slopes, GIVEN)
    for x in given:
        if type(x) is not float:
            return tuple([as_float(x, "a local derivative") for x in given])
    return tuple(given)


def _caller() -> str:
    """Return the name of the function that makes a node by hand, or "?"."""
    frame: FrameType | None = sys._getframe(4)  # the caller of Value()
    while frame and frame.f_code.co_name == "__init__":  # of a subclass
        frame = frame.f_back
    name = frame.f_code.co_name if frame else "?"
    return name if name.isidentifier() else "?"


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


def set_backward(node: Value, function: Callable[[], None]) -> None:
    """Use `function` in place of the table to add the node's gradient to its operands.

    Raises:
        TypeError: `function` is not callable.
    """
    if not callable(function):
        raise TypeError(f"_backward is a function without arguments, got {function!r}")
    if arity := node.op.arity:  # a leaf has no operands to add a gradient to
        node.op = by_hand(node.op.name, arity, functools.partial(_probed, node, function))


def _no_formula(*_: float) -> Any:
    raise NotImplementedError(
        "a node made by hand, as Value(data, children, ...), does not say how it is computed, so "
        "it cannot be recomputed: make it an operation with autograd.op(...)"
    )


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
