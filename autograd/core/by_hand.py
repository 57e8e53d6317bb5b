"""Nodes that a program makes by hand, in each way that programs for micrograd do it.

They write `Value(data, (a, b), (slope, slope))` with the local derivatives as numbers, or
`Value(data, (a, b), "op")`, and then assign a function to `_backward`. Such a node gets an `Op` of
its own: its partials are the numbers, or are found by calling the function.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from types import CellType, FrameType, FunctionType
from typing import Any, NamedTuple, NoReturn

from . import modes, ops
from .backprop import push
from .boundary import as_float, quoted, several
from .term import LETTERS
from .twin import give
from .value import NOTHING, Value

GIVEN = "the name of an operation is a string, and local_grads are numbers, one per operand"


class Untied(NamedTuple):
    """A function assigned to the `_backward` of a node, which does not keep the node alive.

    The function uses the node, as `out`, and the node's row keeps the function: a cycle, which only
    the garbage collector would free. So the variables of the function that hold the node are empty
    except while it runs.
    """

    function: Callable[[], None]
    variables: tuple[CellType, ...]

    def run(self, node: Value) -> None:
        """Call the function."""
        for variable in self.variables:
            variable.cell_contents = node
        try:
            self.function()
        finally:
            for variable in self.variables:
                del variable.cell_contents

    def copied(self, memo: Mapping[int, Any]) -> Untied:
        """Return the function for copies of the Values that it uses, which `memo` has by id."""
        fresh = {id(variable): CellType() for variable in self.variables}
        for variable in getattr(self.function, "__closure__", None) or ():
            with contextlib.suppress(ValueError):  # it is empty
                if (value := memo.get(id(variable.cell_contents))) is not None:
                    fresh[id(variable)] = CellType(value)
        function = _rebound(self.function, fresh, memo)
        return Untied(function, tuple([fresh[id(variable)] for variable in self.variables]))


def _rebound(function: Any, cells: Mapping[int, CellType], values: Mapping[int, Any]) -> Any:
    """Return a function with other variables and other defaults, given by id; or itself."""
    if type(function) is not FunctionType:
        return function
    closure = tuple([cells.get(id(cell), cell) for cell in function.__closure__ or ()])
    defaults = tuple([values.get(id(x), x) for x in function.__defaults__ or ()])
    copy = FunctionType(
        function.__code__, function.__globals__, function.__name__, defaults, closure
    )
    if named := function.__kwdefaults__:
        copy.__kwdefaults__ = {name: values.get(id(x), x) for name, x in named.items()}
    return copy


def untied(node: Value, function: Callable[[], None]) -> Untied:
    """Return a function with its own variables in place of those that hold the node."""
    closure = function.__closure__ if type(function) is FunctionType else None
    fresh = {id(variable): CellType() for variable in closure or () if _holds(variable, node)}
    if not fresh:
        return Untied(function, ())
    return Untied(_rebound(function, fresh, {}), tuple(fresh.values()))


def _holds(variable: CellType, node: Value) -> bool:
    try:
        return variable.cell_contents is node
    except ValueError:  # it is empty
        return False


class ByHand(ops.Op):
    """The row of one node that was made by hand.

    A program may make as many rows as nodes, so a row stores only `slopes`: the local derivatives,
    or a `_backward` that adds them to gradients. Its class holds the rest, and is made once for
    each name and number of operands.
    """

    __slots__ = ("slopes",)
    slopes: tuple[float, ...] | Untied

    def partials(self, out: Any, *_: Any) -> tuple[float, ...]:
        """Return the local derivatives, which are numbers, whatever the arguments are."""
        if isinstance(out, Value):
            raise TypeError(
                f"the derivatives of {self.name!r} were given by hand, as numbers: it has no "
                f"second derivative. Make it an operation with autograd.op(...)"
            )
        if isinstance(self.slopes, Untied):
            raise ops.NodeNeeded
        return self.slopes

    def partials_of(self, node: Value) -> tuple[float, ...]:
        """Return the local derivatives at the node, where `_backward` has to run."""
        return _probed(node, self.slopes) if isinstance(self.slopes, Untied) else self.slopes

    def copied(self, memo: Mapping[int, Any]) -> ByHand:
        """Return the row for a copy of the node: its `_backward` uses the copied operands."""
        if not isinstance(self.slopes, Untied):
            return self
        return by_hand(self.name, self.arity, self.slopes.copied(memo))

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


def get_backward(node: Value) -> Callable[[], None]:
    """Return a function that adds the node's contribution to its operands' gradients."""
    return lambda: push(node)


def set_backward(node: Value, function: Callable[[], None]) -> None:
    """Use `function` in place of the table to add the node's gradient to its operands.

    Raises:
        TypeError: `function` is not callable.
    """
    if not callable(function):
        raise TypeError(f"_backward is a function without arguments, got {function!r}")
    if arity := node.op.arity:  # a leaf has no operands to add a gradient to
        node.op = by_hand(node.op.name, arity, untied(node, function))


def _no_formula(*_: float) -> Any:
    raise NotImplementedError(
        "a node made by hand, as Value(data, children, ...), does not say how it is computed, so "
        "it cannot be recomputed: make it an operation with autograd.op(...)"
    )


def _probed(node: Value, function: Untied) -> tuple[float, ...]:
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
        function.run(node)
        found = [float(arg.grad) for arg in node.args]
    finally:
        for other, gradient in zip(touched, before):
            other.grad = gradient
    first = {arg: i for i, arg in reversed(list(enumerate(node.args)))}
    return tuple(g if first[arg] == i else 0.0 for i, (arg, g) in enumerate(zip(node.args, found)))


give(by_hand=by_hand, Untied=Untied, get_backward=get_backward, set_backward=set_backward)
