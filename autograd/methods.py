"""The methods of `Value` that call other parts of the package, such as `backward` and `draw`.

`core/value.py` defines only the operations, because it must not import the parts that import it.
This module is imported after all of them, and adds the remaining methods to `Value`. For type
checkers, `Value` derives from `Methods`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from types import FunctionType
from typing import Any

from . import micrograd
from .core import backprop, by_hand, copies, modes, ops
from .core.twin import own_names
from .core.value import Operand, Value, constant
from .page import graph_page, saved
from .picture import draw as drawing
from .picture.card import card
from .teach import explain as explaining
from .teach.stepper import Stepper

A_COPY = ("a Value is copied with its number", "use the Value itself, or v.detach()")


class Methods:
    """The methods that every `Value` has besides its operations.

    Functions of a root are methods as they are: `v.draw()` is `draw(v)`.
    """

    # ------------------------------------------------------------------ the backward pass

    backward = backprop.backward
    recompute = backprop.recompute
    zero_grad = backprop.zero_grad

    # ------------------------------------------------------------------ PyTorch's names

    @property
    def requires_grad(self: Any) -> bool:
        """True if the node is a leaf or depends on one, so that a gradient flows through it."""
        return backprop.depends_on_a_leaf(self)

    def add(self: Any, other: Operand) -> Value:
        """Return self + other.

        Raises:
            TypeError: `other` is not a number.

        >>> Value(2.0).add(3).data
        5.0
        """
        return self._apply(ops.add, (self, other))  # type: ignore[no-any-return]

    def sub(self: Any, other: Operand) -> Value:
        """Return self − other.

        Raises:
            TypeError: `other` is not a number.

        >>> Value(2.0).sub(3).data
        -1.0
        """
        return self._apply(ops.sub, (self, other))  # type: ignore[no-any-return]

    def mul(self: Any, other: Operand) -> Value:
        """Return self · other.

        Raises:
            TypeError: `other` is not a number.

        >>> Value(2.0).mul(3).data
        6.0
        """
        return self._apply(ops.mul, (self, other))  # type: ignore[no-any-return]

    def div(self: Any, other: Operand) -> Value:
        """Return self / other.

        Raises:
            TypeError: `other` is not a number.
            DivisionByZeroError: it is 0.

        >>> Value(3.0).div(2).data
        1.5
        """
        return self._apply(ops.div, (self, other))  # type: ignore[no-any-return]

    def pow(self: Any, exponent: Operand) -> Value:
        """Return self to the power of the exponent.

        Raises:
            TypeError: the exponent is not a number.
            DomainError: the power is not a real number.

        >>> Value(3.0).pow(2).data
        9.0
        """
        given = exponent if isinstance(exponent, Value) else constant(exponent, "pow")
        return self**given  # type: ignore[no-any-return]

    def neg(self: Any) -> Value:
        """Return −self."""
        return -self  # type: ignore[no-any-return]

    def abs(self: Any) -> Value:
        """Return |self|."""
        return self.__abs__()  # type: ignore[no-any-return]

    def clone(self: Any) -> Value:
        """Return a new node with the same number, through which the gradient flows.

        >>> x = Value(3.0)
        >>> y = x.clone()
        >>> y.backward()
        >>> y is x, y.data, x.grad
        (False, 3.0, 1.0)
        """
        return self * 1.0  # type: ignore[no-any-return]

    def clamp(self: Any, min: Operand | None = None, max: Operand | None = None) -> Value:
        """Return the number, or the bound that it exceeds; at a bound, it keeps its gradient.

        Raises:
            TypeError: a bound is not a number, or neither is given.

        >>> Value(3.0).clamp(-1, 1).data, Value(0.5).clamp(max=1).data
        (1.0, 0.5)
        """
        if min is None and max is None:
            raise TypeError("clamp takes min, max or both: a number")
        out: Value = self
        if min is not None:
            out = ops.where(ops.step(ops.sub(min, out)), min, out)
        if max is not None:
            out = ops.where(ops.step(ops.sub(out, max)), max, out)
        return out

    # ------------------------------------------------------------------ teaching

    def stepper(self: Any, gradient: float = 1.0) -> Stepper:
        """Run the backward pass by hand, one multiplication at a time.

        Args:
            gradient: ∂self/∂self, the gradient that the pass starts with.

        Raises:
            TypeError: the gradient is not a number.
            ValueError: the graph has a cycle, or no leaf.

        >>> x = Value(3.0, "x")
        >>> walk = (x * x).stepper()
        >>> walk.left
        2
        """
        return Stepper(self, gradient)

    explain = explaining.explain
    nudge = explaining.nudge
    sensitivity = explaining.sensitivity

    # ------------------------------------------------------------------ pictures

    draw = drawing.draw
    page = graph_page
    save_html = saved(graph_page)

    def _repr_html_(self: Any) -> str | None:
        """Return the HTML that a notebook shows."""
        return card(self)

    # ------------------------------------------------------------------ copies

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> Value:
        modes.refuse_outsiders(*A_COPY)
        return copies.copied(self, memo)

    def __reduce__(self: Any) -> tuple[Any, ...]:
        modes.refuse_outsiders(*A_COPY)
        return copies.pickled(self)

    # ------------------------------------------------------------------ micrograd's names

    def _made_by_hand(self: Any, children: Any, given: Any, op: Any) -> None:
        by_hand.adopt(self, children, given, op)

    @property
    def _prev(self: Any) -> set[Value]:
        """micrograd's set of operands. Assigning it makes the node an operation by hand."""
        return set(self.args)

    @_prev.setter
    def _prev(self: Any, operands: Iterable[Value]) -> None:
        by_hand.adopt(self, operands, micrograd.op_name(self) or "?")

    @property
    def _children(self: Any) -> tuple[Value, ...]:
        """The operands, in order."""
        return self.args  # type: ignore[no-any-return]

    @property
    def _local_grads(self: Any) -> tuple[float, ...]:
        """The local derivatives ∂self/∂operand, in the order of the operands."""
        return backprop.locals_of(self)

    @property
    def _op(self: Any) -> str:
        """micrograd's name of the operation; a new name leaves the derivatives as they are."""
        return micrograd.op_name(self)

    @_op.setter
    def _op(self: Any, name: str) -> None:
        micrograd.rename(self, name)

    @property
    def _backward(self: Any) -> Callable[[], None]:
        """micrograd's closure: each call adds this node's contribution to its operands' gradients.

        Assigning a function replaces the derivatives of the table for this node.
        """
        return by_hand.get_backward(self)

    @_backward.setter
    def _backward(self: Any, function: Callable[[], None]) -> None:
        by_hand.set_backward(self, function)


OF_EVERY_CLASS = {"__module__", "__doc__", "__dict__", "__weakref__"}


def bind(kind: type, methods: type, left_out: Set[str] = frozenset()) -> None:
    """Add the methods of the class `methods` to the class `kind`, as if defined there."""
    for name, method in vars(methods).items():
        if name not in OF_EVERY_CLASS and name not in left_out:
            if isinstance(method, FunctionType) and method.__module__ == methods.__module__:
                method.__qualname__ = f"{kind.__qualname__}.{name}"
            setattr(kind, name, method)


bind(Value, Methods, own_names)
