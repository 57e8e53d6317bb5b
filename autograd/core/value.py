"""`Value`: a number that records the operation and the operands that it was computed from.

Every arithmetic operation runs through this file, so it must be fast. A node stores its number,
gradient, operation and operands in slots; it has no closure and no dictionary. `ops.py` defines
the result and the derivatives of each operation.
"""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, SupportsFloat, TypeAlias, cast, overload

import numpy as np

from . import boundary, modes, ops
from .boundary import as_float, is_real, knows_no_values
from .notation import located, name
from .spellings import FOREIGN, OF_TENSORS, add_spellings
from .term import numeral, write_formula
from .terminal import shown
from .twin import give, twinned

if TYPE_CHECKING:
    from ..methods import Methods
    from .ops import Op
else:
    Methods = object

Operand: TypeAlias = "Value | SupportsFloat"  # a NumPy array has a __float__ too

AN_OPERATION = "an operation on a Value"  # the name of a wrong operand in error messages
FIXED_CONDITION = (
    "the condition of where is the plain bool {0}, which recompute() cannot change when the Values "
    "change: pass a Value that is 0 for false, as (x - y).step() for x > y. If the condition never "
    "changes, pass float({0})"
)
NOTHING: Any = ()  # the default of arguments that programs for micrograd pass
NOT_COMPUTED = float("0")
"""The gradient of a node that no backward pass has reached.

It equals 0.0, and is a separate object so that `grad is NOT_COMPUTED` recognises it.
"""

# Parts of the errors that are raised while a function is traced, as by `compile`.
COMPARE = "use maximum, minimum, relu, step, abs or where"
AS_INDEX = (
    "write autograd.take(table, token) for table[token]; a number that is the same for all rows, "
    "such as a size, is an argument that compile(..., static=...) names"
)
AS_TEXT = ("a Value is written as text", "write it outside of what is compiled")

LARGE = 100.0  # weights start near 1, so a larger leaf has probably grown in training

_allocate = object.__new__


def _refusal(what: str) -> Callable[..., Any]:
    """Return a method that raises a TypeError, for an operator that Value does not support."""

    def refuse(self: Value, *operands: Any) -> Any:
        raise TypeError(f"a Value {what}; v.data is the plain number, without a gradient")

    return refuse


@twinned
class Value(Methods):
    """A scalar that records the operations applied to it, so that gradients can be computed.

    Args:
        data: the number: an int, a float or a NumPy real scalar.
        label: the name in drawings, tables and formulas; it may stand second, as `Value(2.0, "x")`.
        children: the operands of an operation that is done by hand.
        local_grads: the derivatives of that operation by its operands, one number each. Or its
            name, as in micrograd: then its `_backward` is assigned.
        requires_grad: False makes a constant, which gets no gradient.
        _children, _op: micrograd's names of the operands and of the operation's name.

    Attributes:
        data: the number, a float.
        grad: ∂output/∂self; 0.0 before the first backward pass. A leaf adds up all passes.
        op: the operation that computed the Value, a row of the table. `ops.leaf` if you made it.
        label: the name, or "".
        scope: the `autograd.scope` in which the Value was made, or "".

    Raises:
        TypeError: `data` is not one real number, or `label` is not a string.
        ValueError: there is not one local derivative per operand.

    >>> x = Value(1.5, label="x"); w = Value(0.6, label="w")
    >>> z = w * x + 0.5
    >>> z.backward()
    >>> z.data, w.grad, x.grad
    (1.4, 1.5, 0.6)

    An operation by hand, of which the local derivative is given as a number:

    >>> square = Value(x.data**2, children=(x,), local_grads=(2 * x.data,))
    >>> square.backward()
    >>> x.grad
    3.6
    """

    __slots__ = ("__dict__", "_a", "_b", "_mark", "data", "grad", "label", "op", "scope")

    # The dictionary is for attributes that a program sets for itself, as an optimiser does.
    # One operand is stored in _a, two in _a and _b, three or more as a tuple in _a. A tuple in
    # every node would take 50 % more memory and slow down garbage collection.
    data: float
    _number: float  # the slot `data` under a second name: see below the class
    grad: float
    op: Op
    _a: Any
    _b: Any
    _mark: object  # set by the last traversal that visited the node
    label: str
    scope: str

    @overload
    def __init__(
        self, data: SupportsFloat, label: str = "", *, requires_grad: bool = True
    ) -> None: ...

    @overload
    def __init__(
        self,
        data: SupportsFloat,
        children: Iterable[Value],
        local_grads: Iterable[float],
        label: str = "",
    ) -> None: ...

    @overload
    def __init__(
        self,
        data: SupportsFloat,
        _children: Iterable[Value] = ...,
        _op: str = "",
        label: str = "",
    ) -> None: ...

    def __init__(  # type: ignore[misc]  # the second argument goes by three names
        self,
        data: SupportsFloat,
        children: Any = NOTHING,
        local_grads: Any = NOTHING,
        label: str = "",
        _children: Any = NOTHING,  # not keyword-only, for that is slower
        _op: Any = NOTHING,
        requires_grad: bool = True,
    ) -> None:
        self.data = data if type(data) is float else as_float(data)
        self.grad = NOT_COMPUTED
        self.op = ops.leaf
        self._a = self._b = self._mark = None
        self.label, self.scope = label, ""
        if modes.open_blocks:
            _note(self)
        if type(label) is not str and not isinstance(label, str):
            raise TypeError(f"Value takes a string as label, got {boundary.quoted(label)}")
        if children is not NOTHING:
            if isinstance(children, str):
                self.label = children
            else:
                self._made_by_hand(children, local_grads, _op)
        elif _children is not NOTHING or local_grads is not NOTHING or _op is not NOTHING:
            self._made_by_hand(_children, local_grads, _op)
        if requires_grad is not True and not boundary.flag(requires_grad, "requires_grad"):
            self.op = ops.constant
            self._a = self._b = None

    # ------------------------------------------------------------------ the graph

    @property
    def args(self) -> tuple[Value, ...]:
        """The operands, in order; an operand that is used twice is listed twice.

        Assigning to `args` changes the graph.

        Raises:
            ValueError: the operation takes another number of operands than is assigned.
        """
        arity = self.op.arity
        if arity == 2:
            return (self._a, self._b)
        if arity == 1:
            return (self._a,)
        return self._a if arity else ()

    @args.setter
    def args(self, operands: tuple[Value, ...]) -> None:
        operands = tuple(boundary.several(operands, "args are the operands, Values in order"))
        arity = self.op.arity
        if not arity and not operands:
            return
        if not (self.op.accepts(len(operands)) and all(isinstance(a, Value) for a in operands)):
            takes = "two or more" if arity == ops.MANY else arity
            raise ValueError(f"{self.op.name} takes {takes} Value(s) as operands, got {operands!r}")
        if arity > 2:
            self._a = operands
        else:
            self._a, self._b = (*operands, None, None)[:2]

    def _apply(self, op: Op, operands: tuple[Any, ...]) -> Value:
        """Record `op(*operands)`, where at least one operand is a Value."""
        if op.arity == 1:
            return _record1(op, *operands)
        if op is ops.pow or op is ops.power:
            return _record_power(*operands)
        if op is ops.where and isinstance(operands[0], (bool, np.bool_)):
            warnings.warn(FIXED_CONDITION.format(operands[0]), stacklevel=3)
        operands = tuple(a if isinstance(a, Value) else constant(a, op.name) for a in operands)
        return _record2(op, *operands) if op.arity == 2 else _record_many(op, operands)

    # ------------------------------------------------------------------ reading

    def item(self) -> float:
        """Return the number as a plain float."""
        if tracer := modes.find_tracer():
            tracer.refuse("item() takes the number out of a Value", "use the Value itself")
        return self.data

    def detach(self) -> Value:
        """Return a constant with the same number, through which no gradient flows.

        >>> x = Value(3.0)
        >>> y = x * x.detach()
        >>> y.backward()
        >>> x.grad
        3.0
        """
        if modes.find_tracer():
            return _record1(ops.stop_gradient, self)
        return constant(self.data)

    def __repr__(self) -> str:
        modes.refuse_outsiders(*AS_TEXT)
        label = f", label={self.label!r}" if self.label else ""
        return shown(f"Value(data={self.data!r}, grad={self.grad!r}{label})")

    def __format__(self, spec: str) -> str:
        modes.refuse_outsiders(*AS_TEXT)
        return format(self.data, spec) if spec else str(self)

    if not TYPE_CHECKING:  # these only raise, so a type checker reports their use

        def __float__(self) -> float:
            remedy = (
                "use v.exp(), v.log(), v.sin(), … in place of math.exp(v), math.log(v), "
                "math.sin(v), …"
            )
            if tracer := modes.find_tracer():
                tracer.refuse("a Value is turned into a float", remedy)
            raise TypeError(
                "a Value is not turned into a float silently, for its gradient would be lost: "
                f"{remedy} and v.data where you do want the plain number"
            )

        __complex__ = __float__

        def __index__(self) -> int:
            if tracer := modes.find_tracer():
                tracer.refuse("a Value is used as a whole number, such as an index", AS_INDEX)
            return self.__float__()  # which raises

        __int__ = __index__

        # __len__, __getitem__, __iter__ and __call__ are not defined, not even to raise an error:
        # Python would then treat a Value as a sequence or as a function.
        __round__ = __ceil__ = __trunc__ = _refusal(
            "is not rounded silently, for the derivative is 0: v.floor() rounds down, "
            "-(-v).floor() up, and (v + 0.5).floor() to the nearest whole number"
        )
        __floordiv__ = __rfloordiv__ = __divmod__ = __rdivmod__ = _refusal(
            "is not divided by //, for the derivative of a rounded quotient is 0: divide with /, "
            "or write (v / w).floor()"
        )
        __xor__ = __rxor__ = _refusal("has no ^, which works on bits: a power is written v**2")
        __matmul__ = __rmatmul__ = _refusal("is one number and has no @: multiply with *")
        __and__ = __rand__ = __or__ = __ror__ = __invert__ = _refusal("has no bits for &, | and ~")
        __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = _refusal("has no bits for << and >>")

    # ------------------------------------------------------------------ arithmetic

    def __add__(self, other: Operand) -> Value:
        return _record2(ops.add, self, other)

    def __radd__(self, other: Operand) -> Value:
        return _record2(ops.add, other, self)

    def __sub__(self, other: Operand) -> Value:
        return _record2(ops.sub, self, other)

    def __rsub__(self, other: Operand) -> Value:
        return _record2(ops.sub, other, self)

    def __mul__(self, other: Operand) -> Value:
        return _record2(ops.mul, self, other)

    def __rmul__(self, other: Operand) -> Value:
        return _record2(ops.mul, other, self)

    def __truediv__(self, other: Operand) -> Value:
        return _record2(ops.div, self, other)

    def __rtruediv__(self, other: Operand) -> Value:
        return _record2(ops.div, other, self)

    def __mod__(self, other: Operand) -> Value:
        return _record2(ops.mod, self, other)

    def __rmod__(self, other: Operand) -> Value:
        return _record2(ops.mod, other, self)

    def __floor__(self) -> Value:
        return _record1(ops.floor, self)

    def __pow__(self, other: Operand, modulo: None = None) -> Value:
        if modulo is not None:
            raise TypeError(f"pow(v, exponent) of a Value takes no modulo, got {modulo!r}")
        return _record_power(self, other)

    def __rpow__(self, other: Operand) -> Value:
        return _record_power(other, self)

    def __neg__(self) -> Value:
        return _record1(ops.neg, self)

    def __pos__(self) -> Value:
        return self

    def __abs__(self) -> Value:
        return _record1(ops.absolute, self)

    def conjugate(self) -> Value:
        """Return the Value itself, which is real; `np.var` and `np.std` call this method."""
        return self

    def __bool__(self) -> bool:
        if tracer := modes.find_tracer():
            tracer.refuse("a Value is taken for true or false", COMPARE)
        return self.data != 0.0

    # Sets, lists and dictionaries hold Values, so two Values are equal only if they are the same
    # object. By that rule `v == 2.0` would always be False, although v.data is meant: it raises.

    def __eq__(self, other: object) -> bool:
        if tracer := modes.find_tracer():
            tracer.refuse("a Value is compared", COMPARE)
        if isinstance(other, numbers.Number):
            raise TypeError(
                f"a Value is not compared with a number by == or !=: write v.data == {other!r} to "
                f"compare its number, and `v is w` to ask for the same Value"
            )
        return True if self is other else NotImplemented

    __hash__ = object.__hash__

    def __lt__(self, other: Operand) -> bool:
        data = _comparable(other)
        return data if data is NotImplemented else self.data < data

    def __le__(self, other: Operand) -> bool:
        data = _comparable(other)
        return data if data is NotImplemented else self.data <= data

    def __gt__(self, other: Operand) -> bool:
        data = _comparable(other)
        return data if data is NotImplemented else self.data > data

    def __ge__(self, other: Operand) -> bool:
        data = _comparable(other)
        return data if data is NotImplemented else self.data >= data

    # ------------------------------------------------------------------ functions

    def exp(self) -> Value:
        """Return eᵃ.

        Raises:
            OverflowError: a is above about 709.

        >>> round(Value(1.0).exp().data, 4)
        2.7183
        """
        return _record1(ops.exp, self)

    def log(self) -> Value:
        """Return the natural logarithm.

        Raises:
            ValueError: a is not positive.

        >>> Value(1.0).log().data
        0.0
        """
        return _record1(ops.log, self)

    def log1p(self) -> Value:
        """Return log(1 + a), accurate near zero.

        Raises:
            ValueError: a is not above −1.

        >>> Value(1e-20).log1p().data
        1e-20
        """
        return _record1(ops.log1p, self)

    def expm1(self) -> Value:
        """Return eᵃ − 1, accurate near zero.

        Raises:
            OverflowError: a is above about 709.

        >>> Value(1e-20).expm1().data
        1e-20
        """
        return _record1(ops.expm1, self)

    def log2(self) -> Value:
        """Return the logarithm to base 2, log(a)/log(2).

        Raises:
            ValueError: a is not positive.

        >>> Value(8.0).log2().data
        3.0
        """
        return _record1(ops.log2, self)

    def log10(self) -> Value:
        """Return the logarithm to base 10, log(a)/log(10).

        Raises:
            ValueError: a is not positive.

        >>> Value(1000.0).log10().data
        3.0
        """
        return _record1(ops.log10, self)

    def exp2(self) -> Value:
        """Return 2ᵃ.

        Raises:
            OverflowError: a is 1024 or above.

        >>> Value(3.0).exp2().data
        8.0
        """
        return _record1(ops.exp2, self)

    def sqrt(self) -> Value:
        """Return the square root.

        Raises:
            ValueError: a is negative.

        >>> Value(9.0).sqrt().data
        3.0
        """
        return _record1(ops.sqrt, self)

    def square(self) -> Value:
        """Return a².

        >>> Value(-3.0).square().data
        9.0
        """
        return _record1(ops.square, self)

    def reciprocal(self) -> Value:
        """Return 1/a.

        Raises:
            ValueError: a is zero.

        >>> Value(4.0).reciprocal().data
        0.25
        """
        return _record1(ops.reciprocal, self)

    def rsqrt(self) -> Value:
        """Return 1/√a.

        Raises:
            ValueError: a is not positive.

        >>> Value(4.0).rsqrt().data
        0.5
        """
        return _record1(ops.rsqrt, self)

    def hypot(self, other: Operand) -> Value:
        """Return √(a² + other²), the distance of the point (a, other) from the origin.

        Raises:
            TypeError: `other` is not a number.

        >>> Value(3.0).hypot(4.0).data
        5.0
        """
        return self._apply(ops.hypot, (self, other))

    def sin(self) -> Value:
        """Return the sine of an angle in radians.

        Raises:
            ValueError: a is infinite.

        >>> Value(0.0).sin().data
        0.0
        """
        return _record1(ops.sin, self)

    def cos(self) -> Value:
        """Return the cosine of an angle in radians.

        Raises:
            ValueError: a is infinite.

        >>> Value(0.0).cos().data
        1.0
        """
        return _record1(ops.cos, self)

    def tan(self) -> Value:
        """Return the tangent of an angle in radians, sin(a)/cos(a).

        Raises:
            ValueError: a is infinite.

        >>> Value(0.0).tan().data
        0.0
        """
        return _record1(ops.tan, self)

    def asin(self) -> Value:
        """Return the angle in radians from −π/2 to π/2 whose sine is a.

        Raises:
            ValueError: a is not from −1 to 1.

        >>> Value(0.0).asin().data
        0.0
        """
        return _record1(ops.asin, self)

    def acos(self) -> Value:
        """Return the angle in radians from 0 to π whose cosine is a.

        Raises:
            ValueError: a is not from −1 to 1.

        >>> Value(1.0).acos().data
        0.0
        """
        return _record1(ops.acos, self)

    def atan(self) -> Value:
        """Return the angle in radians from −π/2 to π/2 whose tangent is a.

        >>> Value(0.0).atan().data
        0.0
        """
        return _record1(ops.atan, self)

    def atan2(self, other: Operand) -> Value:
        """Return the angle of the point (other, a) in radians, from −π to π.

        Raises:
            TypeError: `other` is not a number.

        >>> Value(0.0).atan2(1.0).data
        0.0
        """
        return self._apply(ops.atan2, (self, other))

    def sinh(self) -> Value:
        """Return the hyperbolic sine, (eᵃ − e⁻ᵃ)/2.

        Raises:
            OverflowError: |a| is above about 710.

        >>> Value(0.0).sinh().data
        0.0
        """
        return _record1(ops.sinh, self)

    def cosh(self) -> Value:
        """Return the hyperbolic cosine, (eᵃ + e⁻ᵃ)/2.

        Raises:
            OverflowError: |a| is above about 710.

        >>> Value(0.0).cosh().data
        1.0
        """
        return _record1(ops.cosh, self)

    def tanh(self) -> Value:
        """Return the hyperbolic tangent, which rises from −1 to 1.

        >>> Value(0.0).tanh().data
        0.0
        """
        return _record1(ops.tanh, self)

    def asinh(self) -> Value:
        """Return the number whose hyperbolic sine is a, log(a + √(a² + 1)).

        >>> Value(0.0).asinh().data
        0.0
        """
        return _record1(ops.asinh, self)

    def acosh(self) -> Value:
        """Return log(a + √(a² − 1)), the number of at least 0 whose hyperbolic cosine is a.

        Raises:
            ValueError: a is below 1.

        >>> Value(1.0).acosh().data
        0.0
        """
        return _record1(ops.acosh, self)

    def atanh(self) -> Value:
        """Return the number whose hyperbolic tangent is a, log((1 + a)/(1 − a))/2.

        Raises:
            ValueError: a is not between −1 and 1.

        >>> Value(0.0).atanh().data
        0.0
        """
        return _record1(ops.atanh, self)

    # The names by which NumPy calls these methods for arrays of Values, as in np.arcsin(arr).
    arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
    arcsinh, arccosh, arctanh = asinh, acosh, atanh

    def sigmoid(self) -> Value:
        """Return 1/(1 + e⁻ᵃ), which rises from 0 to 1.

        >>> Value(0.0).sigmoid().data
        0.5
        """
        return _record1(ops.sigmoid, self)

    def relu(self) -> Value:
        """Return a if a > 0, else 0.

        >>> Value(-2.0).relu().data
        0.0
        """
        return _record1(ops.relu, self)

    def leaky_relu(self, negative_slope: Operand = 0.01) -> Value:
        """Return a if a > 0, else negative_slope·a.

        The slope may be a Value; then it gets a gradient.

        Raises:
            TypeError: the slope is not a number.

        >>> Value(-2.0).leaky_relu(0.1).data
        -0.2
        """
        return self._apply(ops.leaky_relu, (self, negative_slope))

    def elu(self, alpha: Operand = 1.0) -> Value:
        """Return a if a > 0, else alpha·(eᵃ − 1).

        Alpha may be a Value; then it gets a gradient.

        Raises:
            TypeError: alpha is not a number.

        >>> round(Value(-1.0).elu().data, 4)
        -0.6321
        """
        return self._apply(ops.elu, (self, alpha))

    def silu(self) -> Value:
        """Return a/(1 + e⁻ᵃ), which is a·sigmoid(a).

        >>> Value(0.0).silu().data
        0.0
        """
        return _record1(ops.silu, self)

    def gelu(self) -> Value:
        """Return a·Φ(a), where Φ(a) is the share of a normal distribution below a.

        >>> round(Value(1.0).gelu().data, 4)
        0.8413
        """
        return _record1(ops.gelu, self)

    def erf(self) -> Value:
        """Return the error function of a, which rises from −1 to 1.

        >>> round(Value(1.0).erf().data, 4)
        0.8427
        """
        return _record1(ops.erf, self)

    def erfc(self) -> Value:
        """Return 1 − erf(a), accurate in the right tail.

        >>> Value(0.0).erfc().data
        1.0
        """
        return _record1(ops.erfc, self)

    def softplus(self) -> Value:
        """Return log(1 + eᵃ), a smooth relu, accurate in both tails.

        >>> Value(1000.0).softplus().data
        1000.0
        """
        return _record1(ops.softplus, self)

    def step(self) -> Value:
        """Return 1 if a > 0, else 0: the activation of the perceptron. The derivative is 0.

        >>> Value(3.0).step().data
        1.0
        """
        return _record1(ops.step, self)

    def sign(self) -> Value:
        """Return 1 if a > 0, −1 if a < 0, and 0 at 0. The derivative is 0.

        >>> Value(-3.0).sign().data
        -1.0
        """
        return _record1(ops.sign, self)

    def floor(self) -> Value:
        """Return the largest whole number that is not above a. The derivative is 0.

        >>> Value(-2.5).floor().data
        -3.0
        """
        return _record1(ops.floor, self)

    def mod(self, other: Operand) -> Value:
        """Return the remainder a % other, which has the sign of `other`, as in Python.

        Raises:
            TypeError: `other` is not a number.
            DivisionByZeroError: it is 0.

        >>> Value(-2.5).mod(2.0).data
        1.5
        """
        return self._apply(ops.mod, (self, other))

    def maximum(self, other: Operand) -> Value:
        """Return the larger of two numbers; equal ones get half of the gradient each.

        Raises:
            TypeError: `other` is not a number.

        >>> Value(2.0).maximum(3.0).data
        3.0
        """
        return self._apply(ops.maximum, (self, other))

    def minimum(self, other: Operand) -> Value:
        """Return the smaller of two numbers; equal ones get half of the gradient each.

        Raises:
            TypeError: `other` is not a number.

        >>> Value(2.0).minimum(3.0).data
        2.0
        """
        return self._apply(ops.minimum, (self, other))

    def clip(self, low: Operand, high: Operand) -> Value:
        """Return the nearest number from `low` to `high`: min(max(a, low), high).

        Inside, and at the limits, a gets the gradient; outside, the limit that is met gets it.

        Raises:
            TypeError: a limit is not a number.

        >>> Value(3.0).clip(-1.0, 1.0).data
        1.0
        """
        return self._apply(ops.clip, (self, low, high))

    @property
    def _own(self) -> dict[str, Any] | None:
        """The attributes that a program has set for itself, or None."""
        return self.__dict__ or None

    @property
    def _kind(self) -> type[Value]:
        """The class that a copy of the node has."""
        return type(self)


# Operations read the numbers of their operands as `_number`, all other code as `data`. Both names
# stand for one slot. While a function is traced, its Values belong to a subclass whose `data`
# refuses reads. Operations need not be told apart from other readers, and are as fast as always.
Value._number = Value.data


add_spellings(Value, "a Value", FOREIGN | OF_TENSORS)


# ---------------------------------------------------------------------- recording


def constant(data: Any, what: str = "Value") -> Value:
    """Return a node for a plain number in an expression; it never gets a gradient.

    Args:
        data: the number.
        what: the name of the number in error messages.
    """
    out = _allocate(Value)
    out.data = data if type(data) is float else as_float(data, what)
    out.grad = NOT_COMPUTED
    out.op = ops.constant
    out._a = out._b = out._mark = None
    out.label = out.scope = ""
    if modes.open_blocks:
        _note(out)
    return out


def _note(leaf: Value) -> None:
    """Set the scope of a new leaf or constant, and report it to the tracer, if there is one."""
    settings = modes.settings()
    leaf.scope = settings["scope"]
    if settings["tracer"]:
        settings["tracer"].record_leaf(leaf)


@twinned
def _record1(op: Op, a: Value) -> Value:
    """Compute an operation on one operand, and record it as a node."""
    try:
        data = op.value(a._number)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise failure(op, error, (a,)) from None
    return make_node(op, data, a, None)


@twinned
def _record2(op: Op, a: Any, b: Any) -> Value:
    """Compute an operation on two operands, and record it as a node."""
    if type(a) is not Value and (a := _operand(a)) is NotImplemented:
        return a  # type: ignore[no-any-return]  # Python then asks the other operand
    if type(b) is not Value and (b := _operand(b)) is NotImplemented:
        return b  # type: ignore[no-any-return]
    try:
        data = op.value(a._number, b._number)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise failure(op, error, (a, b)) from None
    return make_node(op, data, a, b)


@twinned
def _record_power(a: Any, b: Any) -> Value:
    """Record a ** b: with `ops.power` if b can have a gradient, else with `ops.pow`."""
    varies = isinstance(b, Value) and b.op is not ops.constant
    return _record2(ops.power if varies else ops.pow, a, b)


@twinned
def _record_many(op: Op, operands: tuple[Value, ...]) -> Value:
    """Compute an operation on three or more operands, and record it as a node."""
    try:
        data = op.value(*[a._number for a in operands])
    except (ArithmeticError, TypeError, ValueError) as error:
        raise failure(op, error, operands) from None
    return make_node(op, data, operands, None)


@twinned
def make_node(op: Op, data: Any, a: Any, b: Any) -> Value:
    """Make the node of an operation: this is where the graph grows."""
    out = _allocate(Value)
    out.data = data
    out.grad = NOT_COMPUTED
    out.op = op
    out._a = a
    out._b = b
    out._mark = None
    out.label = out.scope = ""
    if type(data) is not float:
        out.data = _exact(out)
    return _under_settings(out) if modes.open_blocks else out


def _under_settings(out: Value) -> Value:
    """Apply the settings of the open `with` blocks (see `modes`) to a new node, and return it."""
    settings = modes.settings()
    out.scope = settings["scope"]
    if settings["watching"]:
        _watch(out)
    if settings["tracer"]:
        return cast(Value, settings["tracer"].record_node(out, settings["recording"]))
    if not settings["recording"]:
        out.op = ops.constant
        out._a = out._b = None
    return out


def _exact(node: Value) -> float:
    """Recompute the value of a node from floats, because an operand's data was of another type."""
    numbers = [exact_data(arg) for arg in node.args]
    return as_float(node.op.value(*numbers), f"the value of {node.op.name}")


def _watch(node: Value) -> None:
    """Raise a FloatingPointError if the value of a new node is not finite."""
    if not isfinite(node.data):
        names = [name(arg) for arg in node.args]
        at = located(names, [arg.data for arg in node.args])
        raise FloatingPointError(f"{write_formula(node.op, names)} is {node.data}, at {at}")


def failure(
    op: Op, error: Exception, operands: tuple[Value, ...], numbers: Sequence[float] | None = None
) -> Exception:
    """Return the error to report for `error`, which `op` raised on these operands.

    Args:
        op: the operation.
        error: the error that `op.value` raised.
        operands: the nodes that the operation was applied to.
        numbers: the operands' numbers, if other than their data.
    """
    if isinstance(error, TypeError):
        for operand in operands:
            exact_data(operand)
        return error
    if numbers is None:
        numbers = [a.data for a in operands]
    worded = op.failure(error, numbers, [name(a) for a in operands])
    if tracer := modes.find_tracer():
        tracer.raised.append(worded)
    elif isinstance(worded, OverflowError):
        return _grown(worded, operands)
    return worded


def _grown(error: OverflowError, operands: tuple[Value, ...]) -> OverflowError:
    """Extend an overflow error by the largest leaf, if that may have grown in training."""
    largest = max(leaves_below(operands), key=lambda leaf: abs(leaf.data), default=None)
    if largest is None or not abs(largest.data) > LARGE:
        return error
    return OverflowError(
        f"{error}. {largest.label or 'A leaf'} is {numeral(largest.data)}: if it grew in training, "
        f"lower the learning rate"
    )


def leaves_below(nodes: Iterable[Value]) -> Iterator[Value]:
    """Yield the leaves that the nodes depend on, in the order first met.

    Unlike `graph.leaves` it needs no lock, and finds the first leaf without a walk of all nodes.
    """
    seen: set[Value] = set()
    stack = [*nodes][::-1]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(node.args[::-1])
            if node.op is ops.leaf:
                yield node


def exact_data(node: Value) -> float:
    """Return the data of a node as a float; users may have assigned something else.

    Raises:
        TypeError: the data is not a number; the message names the node.
    """
    return as_float(node.data, f"the data of {node.label or 'a node'}")


def _operand(x: Any) -> Any:
    """Return x as an operand: a Value as it is, a number as a constant, else NotImplemented.

    NotImplemented makes Python ask the type of x. A NumPy array then goes element by element.
    """
    if type(x) is float or type(x) is int:  # the most frequent, and the fastest to recognise
        return constant(x, AN_OPERATION)
    if isinstance(x, Value):
        return x
    return constant(x, AN_OPERATION) if is_real(x) or knows_no_values(x) else NotImplemented


def _comparable(x: Any) -> Any:
    """Return the number that a Value is compared with by < or >, or NotImplemented."""
    if tracer := modes.find_tracer():
        tracer.refuse("Values are compared", COMPARE)
    if knows_no_values(x) and not is_real(x):
        as_float(x, "a comparison with a Value")
    return x.data if isinstance(x, Value) else x if is_real(x) else NotImplemented


give(
    NOT_COMPUTED=NOT_COMPUTED,
    leaf=ops.leaf,
    constant=ops.constant,
    pow=ops.pow,
    power=ops.power,
    take=ops.take,
    rows={**ops.TABLE, "copy": ops.copy},
    open_blocks=modes.open_blocks,
    innermost=modes.innermost,
    defaults=modes.DEFAULTS,
    _note=_note,
    _under_settings=_under_settings,
)
