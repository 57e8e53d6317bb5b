"""The table of operations. Each operation is one row, and no other file states a derivative.

The forward pass, the backward pass, the stepper, explanations, drawings, the compiler and the
gradient check all read this table. `partials` of a row is written once and called with four kinds
of arguments: floats give numbers, `Value`s give the graph of the derivative (for second
derivatives), `Term`s give its formula as text, and `Form`s give its source for NumPy arrays.

The rows stand in the second half of the file. Read `add`, `mul` and `exp` first.
"""

from __future__ import annotations

import inspect
import keyword
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np

from . import boundary
from .boundary import as_float, instance, quoted, refuse_masked, several, text
from .derived import EXAMPLES, derive_partials, derive_value, example_of, is_closed
from .forms import check_form
from .notation import located
from .special import BESIDES_NUMPY
from .term import LETTERS, Term, write_formula
from .terminal import fitted

if TYPE_CHECKING:
    from .value import Value


class Domain(NamedTuple):
    """The set of operands for which an operation is defined.

    Attributes:
        text: the condition as text, such as "a > 0".
        holds: `holds(a, b, ...)` returns whether the operands satisfy it.
        remedy: the advice in the error message.

    >>> print(log.domain.text)
    a > 0
    >>> log.domain.holds(2.0), log.domain.holds(-2.0)
    (True, False)
    """

    text: str
    holds: Callable[..., bool]
    remedy: str


class DomainError(ValueError):
    """An operation, or its derivative, is not defined at the given numbers.

    >>> log(-1.0)
    Traceback (most recent call last):
    autograd.core.ops.DomainError: log(-1) is not defined: log needs a > 0, and here a = -1. ...
    """


class NodeNeeded(ValueError):  # noqa: N818  # no error: backprop asks `partials_of` instead
    """The partials of a node made by hand are known only at the node: see `by_hand.py`."""


class DivisionByZeroError(DomainError, ZeroDivisionError):
    """A division by zero, as a `DomainError` that `except ZeroDivisionError` catches too.

    >>> div(1.0, 0.0)
    Traceback (most recent call last):
    autograd.core.ops.DivisionByZeroError: ...
    """


class PlaceError(DomainError):
    """The index of `take` is no place in its table."""


MANY = 1 << 30  # the arity of an operation that takes any number of operands, at least two


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Op:
    """One row of the table: the value, the derivatives and the notation of one operation.

    A call on plain numbers returns a number. A call with a Value records a node. A call with a
    NumPy array does the same for each element.

    `rules`, `array` and `array_partials` that are not given are derived from the functions where
    that is possible: for the rows of `TABLE` at the end of this file, and for others by `op`.

    Args:
        name: the name of the operation, such as "mul".
        value: `value(a, b, ...)` returns the result as a number.
        partials: `partials(out, a, b, ...)` returns the tuple (∂out/∂a, ∂out/∂b, ...).
        each: one function per partial, for rows where one partial may exist and another may not.
        rules: the partials as text, one per operand. With the arity `MANY`, the last is that of all
            further operands.
        symbol: the sign or name in formulas and drawings. Default: `name`.
        reads: `partials` in textbook form, from which formulas are printed. Needed only if
            `partials` is written in another form, for accuracy or speed.
        domain: where the operation is defined, if not everywhere. If `value` fails outside the
            domain, the error message is made from it.
        kink: a function of the operands that changes sign where the derivative jumps. Or, if that
            happens at many places, one that returns the number of the piece between two of them, as
            an int.
        array: `value` for NumPy arrays of numbers, as an expression of a, b, …
        array_partials: the partials for NumPy arrays, one expression of out, a, b, … per operand.
        arity: the number of operands, or `MANY`. Default: the number of parameters of `value`.

    Raises:
        ValueError: an array form uses more than its operands, numbers, signs and functions of
            NumPy that work element by element.

    >>> from autograd import Value, mul
    >>> mul(2.0, 3.0), mul(Value(2.0), 3.0)
    (6.0, Value(data=6.0, grad=0.0))
    >>> mul.partials(6.0, 2.0, 3.0)
    (3.0, 2.0)
    >>> print(mul)
    mul
      ∂(a·b)/∂a = b
      ∂(a·b)/∂b = a
    """

    name: str
    value: Callable[..., Any]
    partials: Callable[..., tuple[Any, ...]]
    rules: tuple[str, ...] = ()
    symbol: str = ""
    each: tuple[Callable[..., Any], ...] = ()
    reads: Callable[..., tuple[Any, ...]] | None = None
    domain: Domain | None = None
    kink: Callable[..., Any] | None = None
    array: str = ""
    array_partials: tuple[str, ...] = ()
    arity: int = -1

    def __post_init__(self) -> None:
        if self.arity < 0:
            object.__setattr__(self, "arity", len(inspect.signature(self.value).parameters))
        object.__setattr__(self, "symbol", self.symbol or self.name)
        operands = LETTERS[: self.arity]
        for form, names in [
            (self.array, operands),
            *((p, ["out", *operands]) for p in self.array_partials),
        ]:
            if form:
                check_form(form, names)

    @overload
    def __call__(self, operand: float, /) -> float: ...

    @overload
    def __call__(self, operand: Value, /, *operands: Any, **named: Any) -> Value: ...

    @overload
    def __call__(self, *operands: Any, **named: Any) -> Any: ...

    def __call__(self, *operands: Any, **named: Any) -> Any:
        """Apply the operation to numbers, Values or arrays; operands may be given by name."""
        if named or not self.accepts(len(operands)):
            operands = self._bound(operands, named)
        if any(isinstance(operand, np.ndarray) for operand in operands):
            return self._on_arrays(operands)
        for operand in operands:
            if hasattr(operand, "_apply"):  # a Value, a Term or a Form
                return operand._apply(self, operands)
        numbers = [as_float(operand, self.name) for operand in operands]
        try:
            return as_float(self.value(*numbers), f"the value of {self.name}")
        except (ArithmeticError, ValueError) as error:
            raise self.failure(error, numbers, [Term.of(x) for x in numbers]) from None

    def accepts(self, count: int) -> bool:
        """Return whether the operation takes this number of operands."""
        return count == self.arity or (self.arity == MANY and count > 1)

    def _on_arrays(self, operands: tuple[Any, ...]) -> Any:
        """Apply the operation to each element of the arrays.

        The array expression of a built-in row computes all elements at once. Its result is used
        only if every element is finite. Otherwise the row is called once per element, which raises
        the same errors as a call on numbers.
        """
        for operand in operands:
            refuse_masked(operand, self.name)
        arrays = [np.asarray(operand) for operand in operands]
        numeric = all(array.dtype.kind in "fiub" for array in arrays)
        if numeric and self.array and _is_built_in(self):
            with np.errstate(all="ignore"):
                out = self.compute(self.array, *(array.astype(float) for array in arrays))
            if np.isfinite(out).all():
                return out
        out = np.frompyfunc(self, len(operands), 1)(*operands)
        return out.astype(float) if numeric else out

    @staticmethod
    def compute(expression: str, *operands: Any, out: Any = None) -> Any:
        """Evaluate an array expression of a row on these operands.

        >>> relu.compute(relu.array, np.array([-1.0, 2.0]))
        array([0., 2.])
        """
        known = {"np": np, **BESIDES_NUMPY}
        return eval(expression, known, {"out": out, **dict(zip(LETTERS, operands))})

    def rule(self, slot: int) -> str:
        """Return the partial by one operand as text."""
        return self.rules[min(slot, len(self.rules) - 1)]

    def slope(self, slot: int, out: Any, *operands: Any) -> Any:
        """Return the partial by one operand, without computing the others if the row has `each`.

        >>> power.slope(0, -8.0, -2.0, 3.0)
        12.0
        """
        if self.each:
            return self.each[slot](out, *operands)
        return self.partials(out, *operands)[slot]

    def failure(
        self, error: Exception, numbers: Sequence[float], names: Sequence[Term]
    ) -> Exception:
        """Return the error to report to the user for `error`, which `value` raised at `numbers`."""
        if isinstance(error, PlaceError):
            return place_error(numbers[0], len(numbers) - 1, names[0])
        formula = write_formula(self, list(names))
        at = located(names, numbers)
        if self.domain and not self.domain.holds(*numbers):
            kind = DivisionByZeroError if isinstance(error, ZeroDivisionError) else DomainError
            needs = f"{self.name} needs {self.domain.text}, and here {at}"
            return kind(f"{formula} is not defined: {needs}. {self.domain.remedy}")
        if isinstance(error, OverflowError):
            return OverflowError(
                f"{formula} is too large for a float, at {at} (the largest is about 1.8e308). "
                f"Make the operands smaller, or use a form that cannot overflow: "
                f"softplus, sigmoid, softmax, logsumexp"
            )
        return DomainError(f"{formula} could not be computed at {at}: {error}")

    def slope_failure(
        self, error: Exception, numbers: Sequence[float], names: Sequence[Term]
    ) -> Exception:
        """Return the error to report for `error`, which the partials raised at `numbers`."""
        rules = "; ".join(self.rules)
        if not _is_built_in(self):  # its rules may state no formula, so quote the error too
            rules += f": {str(error).rstrip('.')}"
        return DomainError(
            f"{write_formula(self, list(names))} has no finite derivative at "
            f"{located(names, numbers)} ({rules}). "
            f"{self.domain.remedy if self.domain else 'Move the operands away from there.'}"
        )

    def _bound(self, operands: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        """Return all operands in order, when some are given by name or have defaults."""
        try:
            bound = inspect.signature(self.value).bind(*operands, **named)
        except TypeError as error:
            raise TypeError(f"{self.name} has {self.arity} operand(s): {error}") from None
        bound.apply_defaults()
        return bound.args

    def describe(self) -> str:
        """Return the docstring of the operation: its operands, rules and domain."""
        operands = "a, b, …" if self.arity == MANY else ", ".join(LETTERS[: self.arity])
        lines = [f"Apply the operation {self.name}({operands}) to Values, numbers or NumPy arrays."]
        if self.rules:
            lines += ["", "Derivatives:", *(f"    {rule}" for rule in self.rules)]
        if self.domain:
            lines += [
                "",
                "Raises:",
                f"    DomainError: not {self.domain.text}. {self.domain.remedy}",
            ]
        if _is_built_in(self) and self.arity in EXAMPLES:
            lines += ["", *example_of(self)]
        return "\n".join(lines)

    def __reduce_ex__(self, protocol: Any) -> str | tuple[Any, ...]:
        if _is_built_in(self):
            return _row, (self.name,)  # lambdas cannot be pickled, so pickle the name of the row
        return object.__reduce_ex__(self, protocol)

    def __repr__(self) -> str:
        return f"<operation {self.name}>"

    @fitted
    def __str__(self) -> str:
        return "\n  ".join([self.name, *self.rules])


class _Docstring:
    """The docstring of the class, and for a row that of its operation."""

    def __init__(self, of_class: str | None) -> None:
        self.of_class = of_class

    def __get__(self, row: Op | None, kind: type) -> str | None:
        return self.of_class if row is None else row.describe()


Op.__doc__ = _Docstring(Op.__doc__)  # type: ignore[assignment]  # help(sigmoid) is about sigmoid


# ---------------------------------------------------------------------- rows of users


def op(
    name: str,
    value: Callable[..., Any],
    partials: Callable[..., Any] | Sequence[Callable[..., Any]],
    *,
    rules: Sequence[str] = (),
    symbol: str = "",
    reads: Callable[..., Any] | None = None,
    domain: Domain | tuple[str, Callable[..., bool], str] | None = None,
    kink: Callable[..., Any] | None = None,
) -> Op:
    """Define a new operation, as one row that is used like the built-in ones.

    The stepper, explanations, drawings and `gradcheck` work with the new operation too. Write the
    partials with the functions of `autograd` (`autograd.exp`, not `math.exp`): then second
    derivatives and formulas also work. If the functions consist of arithmetic and such functions,
    and compare nothing, the rules and the code for NumPy arrays are derived from them.

    Args:
        name: the name of the operation, a Python identifier.
        value: `value(a, b, ...)` takes floats and returns a float. A parameter with a default
            makes its operand optional.
        partials: `partials(out, a, b, ...)` returns the tuple (∂out/∂a, ∂out/∂b, ...). Or a
            sequence of functions of the same arguments, one per operand: then one partial may
            exist where another does not.
        rules, symbol, reads, domain, kink: see `Op`.

    Returns:
        The row. Call it on Values and numbers.

    Raises:
        TypeError: `value` or `partials` is not a function, or their operands do not match.
        ValueError: the name is not an identifier, or there is not one rule per operand.

    >>> import autograd
    >>> softsign = autograd.op(
    ...     "softsign",
    ...     value=lambda a: a / (1 + abs(a)),
    ...     partials=lambda out, a: ((1 - abs(out)) ** 2,),
    ... )
    >>> print(softsign)
    softsign
      ∂softsign(a)/∂a = (1 − |softsign(a)|)²
    >>> x = autograd.Value(3.0, label="x")
    >>> y = softsign(x)
    >>> y.backward()
    >>> y.data, x.grad
    (0.75, 0.0625)
    """
    if not (isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name)):
        raise ValueError(f"an operation's name is a word like 'softsign', got {name!r}")
    each = () if callable(partials) else tuple(_functions(name, partials))
    together = partials if callable(partials) else _together(each)
    roles = {"value": value, "reads": reads, "kink": kink}
    for role, part in roles.items():
        if part is not None or role == "value":
            boundary.function(part, f"{role} of {name} is a function")
    text(symbol, "symbol")
    rules = [text(rule, "a rule") for rule in several(rules, "rules are texts")]
    arity = _count_parameters(name, "value", value)
    if each and len(each) != arity:
        raise ValueError(f"{name} has {arity} operand(s) and {len(each)} partials: give one each")
    for function in each or (together,):
        if _count_parameters(name, "partials", function) != arity + 1:
            raise TypeError(
                f"partials of {name} must take the value first and then the operands, "
                f"{arity + 1} in all: lambda out, {', '.join(LETTERS[:arity])}: (...)"
            )
    if rules and len(rules) != arity:
        raise ValueError(f"{name} has {arity} operand(s) and {len(rules)} rule(s): give one each")
    row = Op(
        name,
        value,
        _checked(name, together, arity),
        rules=tuple(rules),
        symbol=symbol,
        each=tuple(_checked_number(name, function) for function in each),
        reads=reads,
        domain=None if domain is None else _domain(domain),
        kink=kink,
    )
    parts = [part for part in (value, *(each or (together,)), reads) if part]
    if all(is_closed(part, _is_built_in) for part in parts):
        derive_value(row)
        derive_partials(row)
    if not row.rules:
        rules = [f"∂{name}/∂{letter}" for letter in LETTERS[:arity]]
        object.__setattr__(row, "rules", tuple(rules))
    return row


def _is_built_in(x: Any) -> bool:
    """Return whether an object is a row of `TABLE`."""
    return isinstance(x, Op) and TABLE.get(x.name) is x


def _domain(given: Any) -> Domain:
    """Check a domain that a user gave as a triple, and return it as a Domain."""
    expected = "domain is a triple, as in ('a > 0', lambda a: a > 0, 'Add a small number first.')"
    if len(instance(given, (tuple, list), expected)) != 3:
        raise ValueError(f"{expected}, got {quoted(given)}")
    condition, holds, remedy = given
    text(condition, "the condition of a domain"), text(remedy, "the remedy of a domain")
    return Domain(condition, boundary.function(holds, "the test of a domain is a function"), remedy)


def _functions(name: str, partials: Any) -> list[Callable[..., Any]]:
    """Check partials that are given as one function per operand, and return them as a list."""
    expected = f"partials of {name} is a function, or one for each operand"
    functions = instance(partials, (tuple, list), expected)
    return [
        boundary.function(slope, f"each of partials of {name} is a function") for slope in functions
    ]


def _together(each: Sequence[Callable[..., Any]]) -> Callable[..., tuple[Any, ...]]:
    """Return a function that computes all partials, given one function per operand."""
    return lambda out, *operands: tuple(slope(out, *operands) for slope in each)


def _count_parameters(name: str, role: str, function: Callable[..., Any]) -> int:
    """Return the number of parameters of a function, and refuse `*args` and `**kwargs`."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        raise TypeError(
            f"the operands of {role} of {name} cannot be counted: "
            f"wrap it, as in {role}=lambda a: {getattr(function, '__name__', 'f')}(a)"
        ) from None
    if any(p.kind not in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters):
        raise TypeError(f"{role} of {name} must name its operands, without * or **")
    return len(parameters)


def _checked(name: str, partials: Callable[..., Any], arity: int) -> Callable[..., tuple[Any, ...]]:
    """Wrap a user's `partials` to check that it returns a tuple with one number per operand."""

    def checked(out: Any, *operands: Any) -> tuple[Any, ...]:
        found = partials(out, *operands)
        if not isinstance(found, (tuple, list)) or len(found) != arity:
            raise TypeError(
                f"partials of {name} must return a tuple of {arity}, one derivative for each "
                f"operand, as in (…,); it returned {found!r}"
            )
        return tuple(_derivative(name, x) for x in found)

    return checked


def _checked_number(name: str, slope: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a user's function for one partial to check that it returns a number."""
    return lambda out, *operands: _derivative(name, slope(out, *operands))


def _derivative(name: str, x: Any) -> Any:
    """Return a derivative that is a number, a Value, a Term or a Form; refuse anything else."""
    return x if hasattr(x, "_apply") else as_float(x, f"a derivative of {name}")


# ---------------------------------------------------------------------- functions for the rows


def is_zero(a: Any) -> bool:
    """Return whether a number, a Value or a Term is zero."""
    return bool(0.0 <= a <= 0.0)  # not a == 0.0, which raises for a Value


def _maximum(a: float, b: float) -> float:
    """Return the larger number; NaN if one of them is NaN."""
    return a if a >= b or math.isnan(a) else b


def _minimum(a: float, b: float) -> float:
    """Return the smaller number; NaN if one of them is NaN."""
    return a if a <= b or math.isnan(a) else b


def _sigmoid(a: float) -> float:
    """Return 1/(1 + e⁻ᵃ), computed so that the exponential cannot overflow."""
    if a >= 0.0:
        return 1.0 / (1.0 + math.exp(-a))
    e = math.exp(a)
    return e / (1.0 + e)


def _whole_below(a: float) -> float:
    """Return the largest whole number up to a, as an int unless a is infinite."""
    return math.floor(a) if math.isfinite(a) else a


def place(index: float, count: int) -> int:
    """Return an index as an int, if it is a place in a table of `count` rows.

    Raises:
        PlaceError: it is not a whole number from 0 to count − 1.
    """
    if 0.0 <= index < count and index % 1.0 == 0.0:
        return int(index)
    raise place_error(index, count)


def place_error(index: float, count: int, called: Term | None = None) -> PlaceError:
    """Return the error for an index that is no place in a table of `count` rows."""
    token = f"{index:g}" if called is None or called.is_number else f"{index:g} ({called})"
    rows = f"a table of {count} row{'s' * (count > 1)}: 0 to {count - 1}"
    if index < 0.0 and index % 1.0 == 0.0:
        return PlaceError(
            f"take: token {token} is negative, and nothing counts from the end of {rows}"
        )
    wrong = "out of range" if index % 1.0 == 0.0 else "no whole number, as needed"
    return PlaceError(f"take: token {token} is {wrong} for {rows}")


def _is_at(index: Any, k: int) -> Any:
    """Return 1.0 if an index is k, else 0.0; for a Value, as a Value that follows its changes."""
    if hasattr(index, "_number"):
        return where(index - float(k), 0.0, 1.0)
    return 1.0 if is_zero(index - k) else 0.0


LOG_2, LOG_10 = math.log(2.0), math.log(10.0)
ROOT_HALF, ROOT_PI = math.sqrt(0.5), math.sqrt(math.pi)


# ---------------------------------------------------------------------- the rows

# A row states `rules`, `array` and `array_partials` only if they cannot be derived, as where its
# functions compare operands, or if another form is more exact, faster or easier to read.

# Nodes without operands: a Value that a user made, and a plain number in an expression.
leaf = Op("leaf", value=lambda: math.nan, partials=lambda out: ())
constant = Op("constant", value=lambda: math.nan, partials=lambda out: ())
copy = Op(  # only compiled code uses it: to copy numbers into adjacent places
    "copy",
    value=lambda a: a,
    partials=lambda out, a: (1.0,),
)

add = Op(
    "add",
    symbol="+",
    value=lambda a, b: a + b,
    partials=lambda out, a, b: (1.0, 1.0),
)
sub = Op(
    "sub",
    symbol="−",
    value=lambda a, b: a - b,
    partials=lambda out, a, b: (1.0, -1.0),
)
gap = Op(  # a − b, but 0 instead of NaN for two equal infinities
    "gap",
    value=lambda a, b: 0.0 if a == b else a - b,
    partials=lambda out, a, b: (1.0, -1.0),
    array="np.where(a == b, 0.0, a - b)",
)
mul = Op(
    "mul",
    symbol="·",
    value=lambda a, b: a * b,
    partials=lambda out, a, b: (b, a),
)
div = Op(
    "div",
    symbol="/",
    value=lambda a, b: a / b,
    partials=lambda out, a, b: (1.0 / b, -out / b),
    reads=lambda out, a, b: (1.0 / b, -a / b**2),
    domain=Domain("b != 0", lambda a, b: b != 0, "Add a small number to the denominator."),
)
neg = Op(
    "neg",
    symbol="−",
    value=lambda a: -a,
    partials=lambda out, a: (-1.0,),
)
power_domain = Domain(
    "a > 0, or a = 0 with b >= 0, or a < 0 with a whole b",
    lambda a, b: a > 0 or (b >= 0 if a == 0 else b % 1 == 0),
    "Keep the base positive, as in abs(a) ** b or (a + 1e-12) ** b.",
)
pow = Op(  # a ** b for a constant exponent b, which gets no gradient
    "pow",
    symbol="^",
    value=lambda a, b: math.pow(a, b),
    partials=lambda out, a, b: (0.0 if is_zero(b) else b * a ** (b - 1.0), 0.0),
    rules=("∂(a^b)/∂a = b·a^(b − 1)", "∂(a^b)/∂b = 0"),
    domain=power_domain,
    array="a**b",
    array_partials=("np.where(b == 0.0, 0.0, b * a ** (b - 1.0))", "0.0"),
)
_by_base_and_exponent = (
    lambda out, a, b: 0.0 if is_zero(a) and is_zero(b) else b * a ** (b - 1.0),
    lambda out, a, b: 0.0 if is_zero(a) else out * log(a),
)
power = Op(  # a ** b for an exponent b that is a Value and gets a gradient
    "power",
    symbol="^",
    value=lambda a, b: math.pow(a, b),
    partials=_together(_by_base_and_exponent),
    each=_by_base_and_exponent,  # for a negative base, only the partial by the base exists
    rules=("∂(a^b)/∂a = b·a^(b − 1)", "∂(a^b)/∂b = a^b·log(a)"),
    domain=power_domain,
    array="a**b",
    array_partials=(
        "np.where((a == 0.0) & (b == 0.0), 0.0, b * a ** (b - 1.0))",
        "np.where(a == 0.0, 0.0, out * np.log(a))",
    ),
)
exp: Op = Op(
    "exp",
    value=math.exp,
    partials=lambda out, a: (out,),
)
log: Op = Op(
    "log",
    value=lambda a: math.log(a),
    partials=lambda out, a: (1.0 / a,),
    domain=Domain("a > 0", lambda a: a > 0, "Add a small number first, as in log(a + 1e-12)."),
    array="np.log(a)",
)
log1p = Op(
    "log1p",
    value=math.log1p,
    partials=lambda out, a: (1.0 / (1.0 + a),),
    domain=Domain("a > -1", lambda a: a > -1, "Add a small number first, as in log1p(a + 1e-12)."),
)
expm1 = Op(
    "expm1",
    value=math.expm1,
    partials=lambda out, a: (exp(a),),
)
log2 = Op(
    "log2",
    value=math.log2,
    partials=lambda out, a: ((1.0 / LOG_2) / a,),
    rules=("∂log2(a)/∂a = 1/(a·log(2))",),
    domain=Domain("a > 0", lambda a: a > 0, "Add a small number first, as in log2(a + 1e-12)."),
)
log10 = Op(
    "log10",
    value=math.log10,
    partials=lambda out, a: ((1.0 / LOG_10) / a,),
    rules=("∂log10(a)/∂a = 1/(a·log(10))",),
    domain=Domain("a > 0", lambda a: a > 0, "Add a small number first, as in log10(a + 1e-12)."),
)
exp2 = Op(
    "exp2",
    value=lambda a: math.pow(2.0, a),
    partials=lambda out, a: (out * LOG_2,),
    rules=("∂exp2(a)/∂a = exp2(a)·log(2)",),
    array="np.exp2(a)",
)
sqrt = Op(
    "sqrt",
    value=math.sqrt,
    partials=lambda out, a: (0.5 / out,),
    reads=lambda out, a: (1.0 / (2.0 * out),),
    rules=("∂sqrt(a)/∂a = 1/(2·sqrt(a))",),  # with the dot, which formulas leave out
    domain=Domain("a >= 0", lambda a: a >= 0, "Add a small number first, as in sqrt(a + 1e-12)."),
)
square = Op(
    "square",
    value=lambda a: a * a,
    partials=lambda out, a: (2.0 * a,),
    rules=("∂square(a)/∂a = 2·a",),
)
reciprocal = Op(
    "reciprocal",
    value=lambda a: 1.0 / a,
    partials=lambda out, a: (-out * out,),
    reads=lambda out, a: (-1.0 / a**2,),
    domain=Domain("a != 0", lambda a: a != 0, "Add a small number to the denominator."),
)
rsqrt = Op(
    "rsqrt",
    value=lambda a: 1.0 / math.sqrt(a),
    partials=lambda out, a: (-0.5 * out / a,),
    rules=("∂rsqrt(a)/∂a = −0.5·rsqrt(a)/a",),
    domain=Domain("a > 0", lambda a: a > 0, "Add a small number first, as in rsqrt(a + 1e-12)."),
    array="1.0 / np.sqrt(a)",
)
hypot: Op = Op(  # √(a² + b²), whose squares cannot overflow
    "hypot",
    value=lambda a, b: math.hypot(a, b),
    partials=lambda out, a, b: (a / out, b / out),
    array="np.hypot(a, b)",
)
sin: Op = Op(
    "sin",
    value=math.sin,
    partials=lambda out, a: (cos(a),),
)
cos: Op = Op(
    "cos",
    value=math.cos,
    partials=lambda out, a: (-sin(a),),
)
tan = Op(
    "tan",
    value=math.tan,
    partials=lambda out, a: (1.0 + out * out,),
    reads=lambda out, a: (1.0 + out**2,),
)
asin = Op(
    "asin",
    value=math.asin,
    partials=lambda out, a: (1.0 / sqrt((1.0 - a) * (1.0 + a)),),
    reads=lambda out, a: (1.0 / sqrt(1.0 - a**2),),
    domain=Domain("-1 <= a <= 1", lambda a: -1 <= a <= 1, "Limit it first, as in 0.999 * tanh(a)."),
    array="np.arcsin(a)",
)
acos = Op(
    "acos",
    value=math.acos,
    partials=lambda out, a: (-1.0 / sqrt((1.0 - a) * (1.0 + a)),),
    reads=lambda out, a: (-1.0 / sqrt(1.0 - a**2),),
    domain=asin.domain,
    array="np.arccos(a)",
)
atan = Op(
    "atan",
    value=math.atan,
    partials=lambda out, a: (1.0 / (1.0 + a * a),),
    reads=lambda out, a: (1.0 / (1.0 + a**2),),
    array="np.arctan(a)",
)
atan2 = Op(  # the angle of the point (b, a)
    "atan2",
    value=lambda a, b: math.atan2(a, b),
    # by b/(a² + b²) and −a/(a² + b²), the squares would overflow
    partials=lambda out, a, b: (b / hypot(a, b) / hypot(a, b), -a / hypot(a, b) / hypot(a, b)),
    reads=lambda out, a, b: (b / (a**2 + b**2), -a / (a**2 + b**2)),
    kink=lambda a, b: a if b <= 0.0 else 1.0,  # there the angle jumps from −π to π
    array="np.arctan2(a, b)",
)
sinh: Op = Op(
    "sinh",
    value=math.sinh,
    partials=lambda out, a: (cosh(a),),
)
cosh: Op = Op(
    "cosh",
    value=math.cosh,
    partials=lambda out, a: (sinh(a),),
)
asinh = Op(
    "asinh",
    value=math.asinh,
    partials=lambda out, a: (1.0 / hypot(a, 1.0),),
    reads=lambda out, a: (1.0 / sqrt(1.0 + a**2),),
    array="np.arcsinh(a)",
)
acosh = Op(
    "acosh",
    value=math.acosh,
    # equal to 1/sqrt(a² − 1), which would lose digits near 1
    partials=lambda out, a: (1.0 / (sqrt(a - 1.0) * sqrt(a + 1.0)),),
    domain=Domain("a >= 1", lambda a: a >= 1, "Raise it first, as in acosh(1 + abs(a))."),
    array="np.arccosh(a)",
)
atanh = Op(
    "atanh",
    value=math.atanh,
    partials=lambda out, a: (1.0 / ((1.0 - a) * (1.0 + a)),),
    reads=lambda out, a: (1.0 / (1.0 - a**2),),
    domain=Domain("-1 < a < 1", lambda a: -1 < a < 1, "Limit it first, as in 0.999 * tanh(a)."),
    array="np.arctanh(a)",
)
tanh = Op(
    "tanh",
    value=math.tanh,
    # equal to 1 − out², which would lose all digits in both tails
    partials=lambda out, a: (4.0 * sigmoid(2.0 * a) * sigmoid(-2.0 * a),),
    reads=lambda out, a: (1.0 - out**2,),
    array_partials=("1.0 / np.cosh(a) ** 2",),
)
sigmoid: Op = Op(
    "sigmoid",
    symbol="σ",
    value=_sigmoid,
    # equal to out·(1 − out), which would lose all digits in the right tail
    partials=lambda out, a: (out * sigmoid(-a),),
    reads=lambda out, a: (out * (1.0 - out),),
    rules=("∂σ(a)/∂a = σ(a)·(1 − σ(a))",),  # without the dot, it reads like a call of σ(a)
    array="1.0 / (1.0 + np.exp(-a))",
    array_partials=("out / (1.0 + np.exp(a))",),
)
relu = Op(
    "relu",
    value=lambda a: 0.0 if a <= 0.0 else a,
    partials=lambda out, a: (1.0 if a > 0.0 else 0.0,),
    rules=("∂relu(a)/∂a = 1 if a > 0 else 0",),
    kink=lambda a: a,
    array="np.maximum(a, 0.0)",
    array_partials=("a > 0.0",),
)
leaky_relu = Op(
    "leaky_relu",
    value=lambda a, negative_slope=0.01: a if a > 0.0 else negative_slope * a,
    partials=lambda out, a, b: (1.0 if a > 0.0 else b, 0.0 if a > 0.0 else a),
    rules=("∂leaky_relu(a, b)/∂a = 1 if a > 0 else b", "∂leaky_relu(a, b)/∂b = 0 if a > 0 else a"),
    kink=lambda a, b: a,
    array="np.where(a > 0.0, a, b * a)",
    array_partials=("np.where(a > 0.0, 1.0, b)", "np.where(a > 0.0, 0.0, a)"),
)
elu = Op(
    "elu",
    value=lambda a, alpha=1.0: a if a > 0.0 else alpha * math.expm1(a),
    partials=lambda out, a, b: (
        1.0 if a > 0.0 else b * exp(a),
        0.0 if a > 0.0 else expm1(a),
    ),
    rules=("∂elu(a, b)/∂a = 1 if a > 0 else b·exp(a)", "∂elu(a, b)/∂b = 0 if a > 0 else expm1(a)"),
    kink=lambda a, b: a,
    array="np.where(a > 0.0, a, b * np.expm1(np.minimum(a, 0.0)))",
    array_partials=(
        "np.where(a > 0.0, 1.0, b * np.exp(np.minimum(a, 0.0)))",
        "np.where(a > 0.0, 0.0, np.expm1(np.minimum(a, 0.0)))",
    ),
)
silu = Op(
    "silu",
    value=lambda a: a * _sigmoid(a),
    partials=lambda out, a: (sigmoid(a) * (1.0 + a * sigmoid(-a)),),
    rules=("∂silu(a)/∂a = σ(a)·(1 + a·(1 − σ(a)))",),
    array="a / (1.0 + np.exp(-a))",
)
erf = Op(  # the error function, and below it 1 − erf(a), accurate in the right tail
    "erf",
    value=math.erf,
    partials=lambda out, a: ((2.0 / ROOT_PI) * exp(-a * a),),
    reads=lambda out, a: ((2.0 / ROOT_PI) * exp(-(a**2)),),
    rules=("∂erf(a)/∂a = 2·exp(−a²)/sqrt(π)",),
)
erfc = Op(
    "erfc",
    value=math.erfc,
    partials=lambda out, a: ((-2.0 / ROOT_PI) * exp(-a * a),),
    reads=lambda out, a: (-((2.0 / ROOT_PI) * exp(-(a**2))),),
    rules=("∂erfc(a)/∂a = −2·exp(−a²)/sqrt(π)",),
)
gelu = Op(  # a·Φ(a), where Φ(a) is the share of a normal distribution below a, and φ its density
    "gelu",
    value=lambda a: 0.5 * a * math.erfc(-a * ROOT_HALF),
    partials=lambda out, a: (
        0.5 * erfc(-a * ROOT_HALF) + a * exp(-0.5 * a * a) * (ROOT_HALF / ROOT_PI),
    ),
    reads=lambda out, a: (
        0.5 * erfc(-(ROOT_HALF * a)) + (ROOT_HALF / ROOT_PI) * a * exp(-(a**2) / 2.0),
    ),
    rules=("∂gelu(a)/∂a = Φ(a) + a·φ(a)",),
    array=f"0.5 * a * erfc(-a * {ROOT_HALF})",
)
softplus = Op(
    "softplus",
    value=lambda a: _maximum(a, 0.0) + math.log1p(math.exp(-abs(a))),
    partials=lambda out, a: (sigmoid(a),),
    array="np.logaddexp(0.0, a)",
)
step = Op(
    "step",
    value=lambda a: a if math.isnan(a) else 1.0 if a > 0.0 else 0.0,
    partials=lambda out, a: (0.0,),
    kink=lambda a: a,
    array="np.heaviside(a, 0.0)",
)
sign = Op(
    "sign",
    value=lambda a: 1.0 if a > 0.0 else -1.0 if a < 0.0 else a,
    partials=lambda out, a: (0.0,),
    kink=lambda a: a,
    array="np.sign(a)",
)
floor = Op(
    "floor",
    value=lambda a: float(math.floor(a)) if math.isfinite(a) else a,
    partials=lambda out, a: (0.0,),
    kink=_whole_below,
    array="np.floor(a)",
)
mod = Op(  # what is left of a after steps of b; it has the sign of b, as in Python
    "mod",
    value=lambda a, b: a % b,
    # −floor(a/b) may be off by one, where the rounded a/b is whole
    partials=lambda out, a, b: (1.0, (out - a) / b),
    reads=lambda out, a, b: (1.0, -floor(a / b)),
    domain=Domain("b != 0", lambda a, b: b != 0, "Add a small number to the divisor."),
    kink=lambda a, b: _whole_below(a / b),
    array="np.mod(a, b)",
)
absolute = Op(
    "abs",
    value=abs,
    partials=lambda out, a: (1.0 if a > 0.0 else -1.0 if a < 0.0 else 0.0,),
    rules=("∂abs(a)/∂a = 1 if a > 0 else −1 if a < 0 else 0",),
    kink=lambda a: a,
    array_partials=("(a > 0.0) - 1.0 * (a < 0.0)",),
)
maximum = Op(
    "maximum",
    symbol="max",
    value=_maximum,
    partials=lambda out, a, b: (
        1.0 if a > b else 0.0 if a < b else 0.5,
        1.0 if b > a else 0.0 if b < a else 0.5,
    ),
    rules=(
        "∂max(a, b)/∂a = 1 if a > b else 0 if a < b else ½",
        "∂max(a, b)/∂b = 1 if b > a else 0 if b < a else ½",
    ),
    kink=lambda a, b: a - b,
    array="np.maximum(a, b)",
    array_partials=("0.5 * (1.0 + (a > b) - (a < b))", "0.5 * (1.0 + (b > a) - (b < a))"),
)
minimum = Op(
    "minimum",
    symbol="min",
    value=_minimum,
    partials=lambda out, a, b: (
        1.0 if a < b else 0.0 if a > b else 0.5,
        1.0 if b < a else 0.0 if b > a else 0.5,
    ),
    rules=(
        "∂min(a, b)/∂a = 1 if a < b else 0 if a > b else ½",
        "∂min(a, b)/∂b = 1 if b < a else 0 if b > a else ½",
    ),
    kink=lambda a, b: a - b,
    array="np.minimum(a, b)",
    array_partials=("0.5 * (1.0 + (a < b) - (a > b))", "0.5 * (1.0 + (b < a) - (b > a))"),
)
clip = Op(
    "clip",
    value=lambda a, low, high: _minimum(_maximum(a, low), high),
    partials=lambda out, a, b, c: (
        1.0 if b <= a <= c else 0.0,
        1.0 if a < b <= c else 0.0,
        1.0 if a > c or b > c else 0.0,
    ),
    rules=(
        "∂clip(a, b, c)/∂a = 1 if b <= a <= c else 0",
        "∂clip(a, b, c)/∂b = 1 if a < b <= c else 0",
        "∂clip(a, b, c)/∂c = 1 if a > c or b > c else 0",
    ),
    kink=lambda a, b, c: 1.0 if a > c or b > c else -1.0 if a < b else 0.0,  # which one it is
    array="np.minimum(np.maximum(a, b), c)",
    array_partials=(
        "(a >= b) & (a <= c)",
        "(a < b) & (b <= c)",
        "np.where(a > c, 1.0, b > c)",
    ),
)
where = Op(  # b if a is not 0, else c; `recompute` can change a only if it is a Value
    "where",
    value=lambda a, b, c: c if is_zero(a) else b,
    partials=lambda out, a, b, c: (
        0.0,
        0.0 if is_zero(a) else 1.0,
        1.0 if is_zero(a) else 0.0,
    ),
    rules=(
        "∂where(a, b, c)/∂a = 0",
        "∂where(a, b, c)/∂b = 0 if a == 0 else 1",
        "∂where(a, b, c)/∂c = 1 if a == 0 else 0",
    ),
    kink=lambda a, b, c: a,
    array="np.where(a == 0.0, c, b)",
    array_partials=("0.0", "a != 0.0", "a == 0.0"),
)
take = Op(  # entries[index], for a whole number; the operands are the index and all entries
    "take",
    value=lambda index, *entries: entries[place(index, len(entries))],
    partials=lambda out, index, *entries: (
        0.0,
        *(_is_at(index, k) for k in range(len(entries))),
    ),
    rules=("∂take/∂index = 0", "∂take/∂entry = 1 at the index, else 0"),
    arity=MANY,
)
stop_gradient = Op(
    "stop_gradient",
    symbol="stop",
    value=lambda a: a,
    partials=lambda out, a: (0.0,),
)

TABLE: dict[str, Op] = {
    row.name: row
    for row in (
        *(leaf, constant),
        *(add, sub, gap, mul, div, neg, pow, power),
        *(exp, log, log1p, expm1, log2, log10, exp2),
        *(sqrt, square, reciprocal, rsqrt, hypot),
        *(sin, cos, tan, asin, acos, atan, atan2),
        *(sinh, cosh, tanh, asinh, acosh, atanh),
        *(sigmoid, relu, leaky_relu, elu, silu, gelu, softplus, step),
        *(erf, erfc, floor, mod),
        *(sign, absolute, maximum, minimum, clip, where, take, stop_gradient),
    )
}
"""The built-in operations by name. `leaf` and `constant` have no operands."""

for row in (copy, *TABLE.values()):
    derive_value(row)
for row in (copy, *TABLE.values()):  # the partials of a row use the values of later rows
    derive_partials(row)


def _row(name: str) -> Op:
    return TABLE[name]
