"""Running a function once on Values, to see what it computes."""

from __future__ import annotations

import inspect
import linecache
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

from ..core import boundary, modes, ops
from ..core.flat import Shared
from ..core.graph import topological_order
from ..core.modes import TraceError
from ..core.sequences import sum as total
from ..core.value import Value, constant
from .reach import Reach, foreign


class Check(NamedTuple):
    """What must hold of the numbers of some Values; see `require`."""

    test: Callable[..., Any]
    values: list[Value]

    def fails(self, columns: np.ndarray) -> np.ndarray:
        """In which rows it fails; `columns` has a row of numbers for each Value."""
        return ~np.asarray(self.test(*columns), dtype=bool)


@dataclass
class Traced:
    """What a function computed from one row of its arguments.

    Attributes:
        inputs: for each argument its Values, flat.
        outputs: what it returned, flat; a plain number is a constant.
        shape: () for one Value, else (k,) for a list of k.
        order: every node, each after its operands.
        samplers: what to draw anew for each row; the Values so drawn are the last inputs.
        checks: what must hold of some of the numbers in every row.
        made: the ids of the leaves and constants that were made while it ran.
        lines: where each node was made, by its id, if that was asked for.
        asked: the settings that were asked for.
    """

    inputs: list[list[Value]]
    outputs: list[Value]
    shape: tuple[int, ...]
    order: list[Value]
    samplers: list[Callable[[], float]]
    checks: list[Check]
    made: set[int]
    lines: dict[int, str]
    asked: set[str]

    def computed(self) -> list[Value]:
        """What compiled code computes: the outputs, and then what the checks look at."""
        return [*self.outputs, *(v for check in self.checks for v in check.values)]

    def tests(self) -> list[Any]:
        """The code of the checks' tests."""
        return [getattr(check.test, "__code__", check.test) for check in self.checks]

    def data(self) -> list[float]:
        """The numbers of all nodes."""
        return [v.data for v in self.order]

    def leaves(self) -> list[Value]:
        """The Values it met that you made, in the order first met, without the inputs."""
        inputs = {id(leaf) for argument in self.inputs for leaf in argument}
        return [v for v in self.order if v.op is ops.leaf and id(v) not in inputs]

    def outside(self) -> list[Value]:
        """The leaves and constants that were there before it ran, without the inputs."""
        inputs = {id(leaf) for argument in self.inputs for leaf in argument}
        known = inputs | self.made
        return [v for v in self.order if not v.op.arity and id(v) not in known]

    def computed_outside(self) -> list[Value]:
        """The nodes that were computed before it ran."""
        return [v for v in self.order if v.op.arity and id(v) not in self.made]

    def leading(self, params: list[Value]) -> int:
        """How many of these Values, in the order first met, the outputs are made of."""
        made = set(_order(self.outputs)) if self.checks else set(self.order)
        return sum(p in made for p in params)


def _seen_grad(value: Value) -> float:
    modes.for_the_engine("`.grad` of a Value is read", "compute the gradient outside")
    return _grad.__get__(value)  # type: ignore[no-any-return]


_grad: Any = Value.grad  # the descriptor of the slot
_hidden_grad = property(_seen_grad, _grad.__set__)


class HiddenLeaf(Shared):
    """A parameter while a function is traced: only the engine may look at its gradient, too."""

    __slots__ = ()
    grad = _hidden_grad


class Hidden(Value):
    """A Value while its function is traced: only the engine may look at its number."""

    __slots__ = ()

    @property
    def data(self) -> float:
        """The number, for the engine alone."""
        if sys._getframe(1).f_globals is not _ENGINE and (tracing := modes.tracing()):
            tracing.looked(self.label)
        return _slot.__get__(self)  # type: ignore[no-any-return]

    @data.setter
    def data(self, data: Any) -> None:
        raise _error("`.data` of a Value is set", "compute a new Value instead")

    grad = _hidden_grad

    def __eq__(self, other: object) -> bool:  # with it goes a hash of its own
        return super().__eq__(other)

    def __hash__(self) -> int:
        modes.for_the_engine(
            "a Value is looked for in a set or a dict",
            "compare by where, step or maximum; for the Value itself, not its number, use id(v)",
        )
        return object.__hash__(self)


LOOKED = (
    "use the Value itself. autograd.stop_gradient(v) is its number without a gradient, softmax and "
    "logsumexp take out the largest themselves, autograd.require checks a number, and with "
    "has_aux=True outputs are returned beside a cost, to count right answers outside"
)
_ENGINE = constant.__globals__  # whose reading of a number is no look at it
_slot: Any = Value.data  # the descriptor of the slot itself


class Trace:
    """Sees what is made while a function is traced; see `modes.Tracing`.

    Args:
        leaves: those known to be parameters.
        reach: what the function reads, whose sources of numbers may move only in `drawn`.
        locating: whether to note the line that makes each node, which takes longer.
    """

    def __init__(
        self, leaves: Iterable[Value] = (), reach: Reach | None = None, locating: bool = False
    ) -> None:
        self.hidden: list[Value] = []
        known = [*leaves, *(reach.values if reach else ())]
        self.leaves = [leaf for leaf in known if type(leaf) is Shared]
        for leaf in self.leaves:
            leaf.__class__ = HiddenLeaf
        self.drawn: list[tuple[Value, Callable[[], float]]] = []
        self.checks: list[Check] = []
        self.raised: list[Exception] = []
        self.asked: set[str] = set()
        self.made: set[int] = set()
        self.kept: list[Value] = []  # so that no other Value gets the id of one that was made
        self.lines: dict[int, str] = {}
        self._reach, self.locating = reach, locating
        self._states = reach.states() if reach else []
        for value in known:
            if type(value) is Value:
                self.hide(value)

    def hide(self, node: Value) -> Value:
        """Keep a number from being looked at until `reveal`."""
        node.__class__ = Hidden
        self.hidden.append(node)
        return node

    def reveal(self) -> None:
        """Everything is what it was before it was hidden."""
        for node in self.hidden:
            node.__class__ = Value
        for leaf in self.leaves:
            leaf.__class__ = Shared

    def node(self, node: Value, recording: bool) -> Value:
        """A new node, hidden; under `no_grad` or after `detach` no gradient flows through it."""
        self.locate(node)
        self.made.add(id(node))
        self.hide(node)
        if not recording:
            with modes.recorded():
                return ops.stop_gradient(node)  # type: ignore[no-any-return]
        return node

    def leaf(self, node: Value) -> None:
        """A plain number became a Value."""
        self.locate(node)
        self.made.add(id(node))
        self.kept.append(node)

    def locate(self, node: Value) -> None:
        """Note the line that makes a node, and whether it drew a number at random."""
        if self.locating:
            self.lines[id(node)] = line = _line()
            self.hold_still(f"the lines up to {line}")

    def draw(self, sampler: Callable[[], float]) -> Value:
        """A Value that is drawn anew for each row."""
        self.hold_still()
        value = self.hide(Value(sampler(), label="drawn"))
        self.drawn.append((value, sampler))
        self._states = self._reach.states() if self._reach else []
        return value

    def hold_still(self, line: str = "") -> None:
        """Refuse numbers that were drawn elsewhere than in `drawn`."""
        if moved := self.moved():
            raise _error(
                f"a number is taken from {moved}",
                "draw it with autograd.drawn, which draws anew for every row",
                line,
            )

    def moved(self) -> str:
        """Where a number was taken from, elsewhere than in `drawn`; "" if none was."""
        return self._reach.moved(self._states) if self._reach else ""

    def refuse_what_was_caught(self) -> None:
        """Refuse a function that goes on after an error, for another row may not meet it."""
        for error in self.raised:
            if isinstance(error, TraceError):
                raise error
            raise TraceError(
                f"the function catches an error, which not every row may meet: {error}. What is "
                f"compiled must be the same for all numbers: choose with where, or keep the "
                f"operands inside the domain"
            )

    def looked(self, name: str) -> None:
        """Refuse a look at a number, unless the engine itself looks."""
        caller = sys._getframe(2).f_globals.get("__name__", "")
        if not caller.startswith("autograd."):
            raise _error(f"`.data` of {name or 'a Value'} is read", LOOKED)

    def refuse(self, what: str, remedy: str) -> NoReturn:
        """Raise for what cannot be compiled, with the line that does it."""
        raise _error(what, remedy)


def _error(what: str, remedy: str, line: str = "") -> TraceError:
    error = TraceError(
        f"{what} in {line or _line()}. What is compiled must be the same for all numbers: {remedy}"
    )
    if tracing := modes.tracing():
        tracing.raised.append(error)
    return error


def _line() -> str:
    """The line of the user's that is being run."""
    frame = sys._getframe(1)
    while frame.f_back and foreign(frame.f_globals.get("__name__")):
        frame = frame.f_back
    path, number = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(path, number).strip()
    return f"{Path(path).name}, line {number}" + (f": `{text}`" if text else "")


def require(test: Callable[..., Any], *values: Any, error: Callable[..., Exception]) -> None:
    """Raise an error unless a test of some numbers holds, in the engine and in compiled code.

    In a function that is compiled an `if` on the number of a Value is refused, because it would
    be decided once for all rows. This check is made for every row.

    Args:
        test: `test(*numbers)`, true if all is well. It must take floats and NumPy arrays, so write
            `(p >= 0) & (p <= 1)` and `np.isfinite(p)`, not `and` and `math.isfinite`.
        values: Values or plain numbers.
        error: `error(*numbers)` makes the exception to raise if the test fails. Compiled code puts
            the number of the row before its text.

    Raises:
        Exception: what `error` made, if the test fails.
        TypeError: `test` or `error` is not a function, or one of the values is not a number.
        TraceError: while it is compiled, the test does not answer arrays element by element.

    >>> def root(x):
    ...     require(lambda x: x >= 0.0, x, error=lambda x: ValueError(f"{x} is negative"))
    ...     return x.sqrt()
    >>> root(Value(4.0)).data
    2.0
    >>> import autograd
    >>> autograd.compile(root)([4.0, -9.0])
    Traceback (most recent call last):
    ...
    ValueError: in row 1: -9.0 is negative
    """
    for role, function in (("test", test), ("error", error)):
        if not callable(function):
            raise TypeError(f"{role} of require is a function of numbers, got {function!r}")
    nodes = [v if isinstance(v, Value) else constant(v, "require") for v in values]
    numbers = [v.data for v in nodes]
    tracing = modes.tracing()
    if not test(*numbers):
        failed = error(*numbers)
        if tracing:
            tracing.raised.append(failed)
        raise failed
    if tracing:
        _check_on_arrays(test, numbers)
        tracing.checks.append(Check(test, nodes))


def _check_on_arrays(test: Callable[..., Any], numbers: list[float]) -> None:
    """Refuse a test that takes numbers and no arrays of them."""
    try:
        answer = test(*(np.full(2, x) for x in numbers))
    except (TypeError, ValueError):
        answer = None
    if np.shape(answer) != (2,):
        raise _error(
            "the test of autograd.require answers for one number, and not for an array of them",
            "write (p >= 0) & (p <= 1) and np.isfinite(p), not `and` and math.isfinite",
        )


def trace(
    function: Callable[..., Any],
    row: Sequence[np.ndarray],
    leaves: Iterable[Value] = (),
    reach: Reach | None = None,
    locating: bool = False,
) -> Traced:
    """Run a function on Values that hold one row of its arguments.

    Args:
        function: of Values, lists of Values, or nested lists.
        row: for each argument its numbers for one example, in its shape.
        leaves: the parameters, as far as they are known and lie in an array.
        reach: what the function reads, which is held to stay as it is.
        locating: note the line that makes each node.

    Raises:
        TraceError: it returned no Value, looked at the number of one, or changed what it reads.
    """
    seen = Trace(leaves, reach, locating)
    before = reach.contents() if reach else []
    inputs: list[list[Value]] = []
    arguments = []
    try:
        for name, numbers in zip(_names(function, len(row)), row):
            values = [seen.hide(v) for v in _made(numbers, name)]
            inputs.append(values)
            arguments.append(_nested(values, numbers.shape))
        with modes.traced(seen):
            returned = function(*arguments)
            seen.refuse_what_was_caught()
            outputs, shape = _outputs(returned)
    finally:
        seen.reveal()
    if reach:
        _hold_to(reach, before, seen, lambda: trace(function, row, leaves, reach, True))
    if seen.drawn:
        inputs.append([value for value, _ in seen.drawn])
    samplers = [draw for _, draw in seen.drawn]
    traced = Traced(
        *(inputs, outputs, shape, _order(outputs), samplers, seen.checks, seen.made, seen.lines),
        seen.asked,
    )
    if seen.checks:
        known = set(traced.order)
        traced.order += [v for v in _order(traced.computed()) if v not in known]
    return traced


def _hold_to(reach: Reach, before: list[Any], seen: Trace, locate: Callable[[], object]) -> None:
    """Refuse a function that changes what it reads, which code for all rows at once would not."""
    if seen.moved():
        if not seen.locating:
            locate()  # which raises the error at the line, unless no node follows
        seen.hold_still("the function")
    if changed := reach.changed(before):
        raise TraceError(
            f"the function changes what it reads: {changed}. Compiled code runs once for all rows: "
            f"give what differs from row to row as an argument, or draw it with autograd.drawn"
        )


def drawn(sampler: Callable[[], float]) -> Any:
    """A number drawn at random, which compiled code draws anew for each row and each call.

    A function that draws in another way is refused when it is compiled: what was drawn once would
    be used for all rows.

    Args:
        sampler: draws it, as in `random.random`.

    Raises:
        TypeError: `sampler` is no function.

    >>> drawn(lambda: 0.5)
    0.5
    """
    boundary.function(sampler, "sampler is a function without arguments, as random.random is")
    tracing = modes.tracing()
    return tracing.draw(sampler) if tracing else sampler()


def _order(outputs: list[Value]) -> list[Value]:
    """Every node that these are made of, each after its operands."""
    with modes.recorded():
        root = total(outputs)
    order = topological_order(root)
    above = set()  # the sum itself is no part of them
    for _ in outputs[1:]:
        above.add(root)
        root = root.args[0]
    return [v for v in order if v not in above] if above else order


def _names(function: Callable[..., Any], count: int) -> list[str]:
    """What the function calls its arguments."""
    target = getattr(function, "forward", function)
    try:
        names = [
            p.name
            for p in inspect.signature(target).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ][:count]
    except ValueError:
        names = []
    return names + [f"x{i}" for i in range(len(names), count)]


def _made(numbers: np.ndarray, name: str) -> list[Value]:
    if numbers.ndim == 0:
        return [Value(float(numbers), label=name)]
    places = np.ndindex(*numbers.shape)
    return [
        Value(x, label=f"{name}[{','.join(map(str, place))}]")
        for x, place in zip(numbers.ravel().tolist(), places)
    ]


def _nested(values: list[Any], shape: tuple[int, ...]) -> Any:
    """Values in lists of lists of this shape; a Value itself for the shape ()."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array.reshape(shape).tolist() if shape else values[0]


def _outputs(returned: Any) -> tuple[list[Value], tuple[int, ...]]:
    if isinstance(returned, Value):
        return [returned], ()
    array = np.array(returned, dtype=object)
    if array.ndim == 0 and isinstance(array.item(), Value):
        return [array.item()], ()
    if any(isinstance(v, (list, tuple)) for v in array.flat):
        raise TraceError(f"the function returned lists that differ in length: {returned!r:.60}")
    if not array.ndim or not any(isinstance(v, Value) for v in array.flat):
        raise TraceError(f"the function returned no Value, and no list of them: {returned!r:.60}")
    outputs = [v if isinstance(v, Value) else constant(v, "an output") for v in array.flat]
    return outputs, array.shape


def different(
    function: Callable[..., Any], row: Sequence[np.ndarray], other: Sequence[np.ndarray]
) -> TraceError:
    """The error for a function that computes one thing for one row, and another for another."""
    first, second = (trace(function, numbers, locating=True) for numbers in (row, other))
    for a, b in zip(first.order, second.order):
        here = first.lines.get(id(a), "")
        if a.op is not b.op:
            return _error(
                f"for one row it computes {a.op.name} and for another {b.op.name}",
                "something steers it that was read from a Value, or drawn at random",
                here,
            )
        if a.op is ops.constant and repr(a.data) != repr(b.data):
            return _error(
                f"a plain number is {a.data:g} for one row and {b.data:g} for another",
                "give it as an argument, draw it with autograd.drawn, or use the Value it is from",
                here,
            )
    return _error(
        f"for one row it computes {len(first.order):,} nodes and for another "
        f"{len(second.order):,}, or the same of others",
        "something steers it that was read from a Value, or drawn at random",
        first.lines.get(id(first.outputs[0]), ""),
    )
