"""Trace a function: run it once on Values, and record the graph that it computes.

`compiled` traces two different rows, and their graphs must be equal. While a function is traced,
its Values and leaves have another class:

    before and after    while traced
    Value               Hidden
    Shared              HiddenShared

These raise an error if code outside this package reads a number, because the graph could then
depend on the number.
"""

from __future__ import annotations

import functools
import inspect
import linecache
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

from ..core import boundary, locks, modes, ops
from ..core.flat import Shared
from ..core.graph import topological_order
from ..core.modes import TraceError
from ..core.sequences import sum as total
from ..core.value import Value, constant
from .reach import Reach, is_foreign


class Requirement(NamedTuple):
    """A test of the numbers of some Values, made for each row; see `require`."""

    test: Callable[..., Any]
    values: list[Value]

    def fails(self, columns: np.ndarray) -> np.ndarray:
        """Return a mask of the rows that fail; `columns` has one row of numbers for each Value."""
        return ~np.asarray(self.test(*columns), dtype=bool)


@dataclass
class Trace:
    """The record of one run of a function, on one row of its arguments.

    Attributes:
        inputs: for each argument, its Values, flat; then the Values that were drawn.
        outputs: the returned Values, flat; a plain number becomes a constant.
        shape: the shape of what the function returned: () for one Value, (k,) for a list of k.
        nodes: all nodes, each after its operands.
        samplers: the functions that draw a number for each row, one for each drawn Value.
        requirements: the tests that each row must pass.
        created: the ids of the nodes that were created during the run.
        lines: the line that created each node, by id, if the lines were asked for.
        settings_read: the settings that the run looked up.
    """

    inputs: list[list[Value]]
    outputs: list[Value]
    shape: tuple[int, ...]
    nodes: list[Value]
    samplers: list[Callable[[], float]]
    requirements: list[Requirement]
    created: set[int]
    lines: dict[int, str]
    settings_read: set[str]

    def list_computed(self) -> list[Value]:
        """Return the Values that compiled code computes: outputs, then those of requirements."""
        return [*self.outputs, *(v for required in self.requirements for v in required.values)]

    def list_tests(self) -> list[Any]:
        """Return the code objects of the requirements' tests, for a comparison of two runs."""
        tests = [requirement.test for requirement in self.requirements]
        return [getattr(test, "__code__", test) for test in tests]

    def list_numbers(self) -> list[float]:
        """Return the numbers of all nodes."""
        return [v.data for v in self.nodes]

    def find_leaves(self) -> list[Value]:
        """Return the leaves other than the inputs, in the order of first use."""
        inputs = {id(leaf) for argument in self.inputs for leaf in argument}
        return [v for v in self.nodes if v.op is ops.leaf and id(v) not in inputs]

    def find_outside_leaves(self) -> list[Value]:
        """Return the leaves and constants other than the inputs that existed before the run."""
        inputs = {id(leaf) for argument in self.inputs for leaf in argument}
        known = inputs | self.created
        return [v for v in self.nodes if not v.op.arity and id(v) not in known]

    def find_outside_results(self) -> list[Value]:
        """Return the nodes that were computed before the run."""
        return [v for v in self.nodes if v.op.arity and id(v) not in self.created]

    def count_leading(self, params: list[Value]) -> int:
        """Return how many of these Values, the first of `params`, the outputs depend on."""
        created = set(_order_nodes(self.outputs)) if self.requirements else set(self.nodes)
        return sum(p in created for p in params)


def _read_grad(value: Value) -> float:
    modes.refuse_outsiders("`.grad` of a Value is read", "compute the gradient outside")
    return _grad_slot.__get__(value)  # type: ignore[no-any-return]


_grad_slot: Any = Value.grad
_hidden_grad = property(_read_grad, _grad_slot.__set__)


class Hidden(Value):
    """A Value while a function is traced: only this package may read its number or gradient.

    Operations read the slot `_number`, so `data` may be slow here.
    """

    __slots__ = ()
    grad = _hidden_grad

    @property
    def data(self) -> float:
        """The number; outside this package, reading it raises `TraceError`."""
        if tracer := modes.find_tracer():
            tracer.refuse_reading(self.label)
        return self._number

    @data.setter
    def data(self, data: Any) -> None:
        raise _make_error("`.data` of a Value is set", "compute a new Value instead")

    def __eq__(self, other: object) -> bool:  # beside `__hash__`, for the two belong together
        return super().__eq__(other)

    def __hash__(self) -> int:
        modes.refuse_outsiders(
            "a Value is looked for in a set or a dict",
            "compare by where, step or maximum; for the Value itself, not its number, use id(v)",
        )
        return object.__hash__(self)


class HiddenShared(Shared):
    """A `Shared` while a function is traced; its `data` refuses reads already."""

    __slots__ = ()
    grad = _hidden_grad


READ_REMEDY = (
    "use the Value itself. autograd.stop_gradient(v) is its number without a gradient, softmax and "
    "logsumexp take out the largest themselves, autograd.require checks a number, and with "
    "has_aux=True outputs are returned beside a cost, to count right answers outside"
)


class Tracer:
    """A recorder of the nodes that are created while a function is traced; see `modes.Tracer`.

    Args:
        leaves: the known parameters.
        reach: what the function reads; its random generators and iterators may advance only in
            `drawn`.
        locating: True to record the line that creates each node, which is slower.
    """

    def __init__(
        self, leaves: Iterable[Value] = (), reach: Reach | None = None, locating: bool = False
    ) -> None:
        self.hidden: list[Value] = []
        known = [*leaves, *(reach.values if reach else ())]
        self.leaves = [leaf for leaf in known if type(leaf) is Shared]
        for leaf in self.leaves:
            leaf.__class__ = HiddenShared
        self.samples: list[tuple[Value, Callable[[], float]]] = []
        self.requirements: list[Requirement] = []
        self.raised: list[Exception] = []
        self.settings_read: set[str] = set()
        self.created: set[int] = set()
        self.references: list[Value] = []  # references, so that no id in `created` is used again
        self.lines: dict[int, str] = {}
        self._reach, self.locating = reach, locating
        self._states = reach.read_states() if reach else []
        for value in known:
            if type(value) is Value:
                self.hide(value)

    def hide(self, node: Value) -> Value:
        """Protect a number from being read until `reveal`, and return the Value."""
        node.__class__ = Hidden
        self.hidden.append(node)
        return node

    def reveal(self) -> None:
        """Give all hidden Values and leaves their classes back."""
        for node in self.hidden:
            node.__class__ = Value
        for leaf in self.leaves:
            leaf.__class__ = Shared

    def record_node(self, node: Value, recording: bool) -> Value:
        """Record and hide a new node, and return the node to use in its place.

        If `recording` is False, as under `no_grad`, this is a `stop_gradient` of the new node.
        """
        self.locate(node)
        self.created.add(id(node))
        self.hide(node)
        if not recording:
            with modes.enable_grad():
                return ops.stop_gradient(node)  # type: ignore[no-any-return]
        return node

    def record_leaf(self, node: Value) -> None:
        """Record a Value that was made from a plain number."""
        self.locate(node)
        self.created.add(id(node))
        self.references.append(node)

    def locate(self, node: Value) -> None:
        """Record the line that creates a node, and raise if a number was drawn up to there."""
        if self.locating:
            self.lines[id(node)] = line = _find_line()
            self.refuse_draws(f"the lines up to {line}")

    def draw(self, sampler: Callable[[], float]) -> Value:
        """Return a Value that compiled code draws for each row."""
        self.refuse_draws()
        value = self.hide(Value(sampler(), label="drawn"))
        self.samples.append((value, sampler))
        self._states = self._reach.read_states() if self._reach else []
        return value

    def refuse_draws(self, line: str = "") -> None:
        """Raise if a random generator or an iterator has advanced outside `drawn`."""
        if advanced := self.find_advanced():
            raise _make_error(
                f"a number is taken from {advanced}",
                "draw it with autograd.drawn, which draws anew for every row",
                line,
            )

    def find_advanced(self) -> str:
        """Return the name of a generator or iterator that advanced outside `drawn`; or ""."""
        return self._reach.find_advanced(self._states) if self._reach else ""

    def refuse_caught_errors(self) -> None:
        """Raise if the function caught an error, because another row may not raise it."""
        for error in self.raised:
            if isinstance(error, TraceError):
                raise error
            raise TraceError(
                f"the function catches an error, which not every row may meet: {error}. What is "
                f"compiled must be the same for all numbers: choose with where, or keep the "
                f"operands inside the domain"
            )

    def refuse_reading(self, name: str) -> None:
        """Raise because the number of a Value is read, unless this package reads it."""
        caller = sys._getframe(2).f_globals.get("__name__", "")
        if not caller.startswith("autograd."):
            raise _make_error(f"`.data` of {name or 'a Value'} is read", READ_REMEDY)

    def refuse(self, what: str, remedy: str) -> NoReturn:
        """Raise an error that says what cannot be compiled, and in which line it is."""
        raise _make_error(what, remedy)


def _make_error(what: str, remedy: str, line: str = "") -> TraceError:
    where = line or _find_line()
    error = TraceError(
        f"{what} in {where}. What is compiled must be the same for all numbers: {remedy}"
    )
    if tracer := modes.find_tracer():
        tracer.raised.append(error)
    return error


def _find_line() -> str:
    """Return the line of the user's code that is running."""
    frame = sys._getframe(1)
    while frame.f_back and is_foreign(frame.f_globals.get("__name__")):
        frame = frame.f_back
    path, number = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(path, number).strip()
    return f"{Path(path).name}, line {number}" + (f": `{text}`" if text else "")


def require(test: Callable[..., Any], *values: Any, error: Callable[..., Exception]) -> None:
    """Raise an error unless a test of some numbers holds, in the engine and in compiled code.

    In a compiled function, an `if` on the number of a Value is refused, because it would be decided
    once for all rows. `require` is decided for every row.

    Args:
        test: `test(*numbers)` is true if the numbers are allowed. It must accept floats and NumPy
            arrays, so write `(p >= 0) & (p <= 1)` and `np.isfinite(p)`, not `and` and
            `math.isfinite`.
        values: Values or plain numbers.
        error: `error(*numbers)` returns the exception to raise if the test fails. Compiled code
            puts the number of the row in front of its text.

    Raises:
        Exception: the test fails; the exception is the one that `error` returned.
        TypeError: `test` or `error` is not a function, or one of the values is not a number.
        TraceError: the function is compiled, and the test of an array does not return one answer
            for each element.

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
    tracer = modes.find_tracer()
    if not test(*numbers):
        failed = error(*numbers)
        if tracer:
            tracer.raised.append(failed)
        raise failed
    if tracer:
        _check_on_arrays(test, numbers)
        tracer.requirements.append(Requirement(test, nodes))


def _check_on_arrays(test: Callable[..., Any], numbers: list[float]) -> None:
    """Raise unless a test accepts arrays, and answers for each element."""
    try:
        answer = test(*(np.full(2, x) for x in numbers))
    except (TypeError, ValueError):
        answer = None
    if np.shape(answer) != (2,):
        raise _make_error(
            "the test of autograd.require answers for one number, and not for an array of them",
            "write (p >= 0) & (p <= 1) and np.isfinite(p), not `and` and math.isfinite",
        )


@locks.alone_in_tracing()
def record_trace(
    function: Callable[..., Any],
    row: Sequence[np.ndarray],
    leaves: Iterable[Value] = (),
    reach: Reach | None = None,
    locating: bool = False,
) -> Trace:
    """Run a function on Values that hold one row of its arguments.

    Args:
        function: takes Values, lists of Values, or nested lists.
        row: for each argument, the numbers of one example, in their shape.
        leaves: the known parameters.
        reach: what the function reads; the run must not change it.
        locating: True to record the line that creates each node.

    Raises:
        TraceError: the function returned no Value, read the number of one, caught an error, or
            changed what it reads.
    """
    tracer = Tracer(leaves, reach, locating)
    before = reach.read_contents() if reach else []
    inputs: list[list[Value]] = []
    arguments = []
    try:
        for name, numbers in zip(_name_arguments(function, len(row)), row):
            values = [tracer.hide(v) for v in _make_values(numbers, name)]
            inputs.append(values)
            arguments.append(_nest(values, numbers.shape))
        with modes.traced(tracer):
            returned = function(*arguments)
            tracer.refuse_caught_errors()
            outputs, shape = _flatten_outputs(returned)
    finally:
        tracer.reveal()
    if reach:
        again = functools.partial(record_trace, function, row, leaves, reach, locating=True)
        _refuse_changes(reach, before, tracer, again)
    if tracer.samples:
        inputs.append([value for value, _ in tracer.samples])
    samplers = [draw for _, draw in tracer.samples]
    trace = Trace(
        *(inputs, outputs, shape, _order_nodes(outputs), samplers),
        *(tracer.requirements, tracer.created, tracer.lines, tracer.settings_read),
    )
    if tracer.requirements:
        known = set(trace.nodes)
        trace.nodes += [v for v in _order_nodes(trace.list_computed()) if v not in known]
    return trace


def _refuse_changes(
    reach: Reach, before: list[Any], tracer: Tracer, locate: Callable[[], object]
) -> None:
    """Raise if a function changed what it reads: compiled code would not change it for each row."""
    if tracer.find_advanced():
        if not tracer.locating:
            locate()  # raises the error with the line, unless no node follows that line
        tracer.refuse_draws("the function")
    if changed := reach.find_change(before):
        raise TraceError(
            f"the function changes what it reads: {changed}. Compiled code runs once for all rows: "
            f"give what differs from row to row as an argument, or draw it with autograd.drawn"
        )


def drawn(sampler: Callable[[], float]) -> Any:
    """Draw a random number, which compiled code draws again for each row of each call.

    A compiled function that draws numbers in another way is refused: a number that is drawn while
    the function is traced would be used for all rows.

    Args:
        sampler: a function without arguments that draws the number, such as `random.random`.

    Raises:
        TypeError: `sampler` is not a function.

    >>> drawn(lambda: 0.5)
    0.5
    """
    boundary.function(sampler, "sampler is a function without arguments, as random.random is")
    tracer = modes.find_tracer()
    return tracer.draw(sampler) if tracer else sampler()


def _order_nodes(outputs: list[Value]) -> list[Value]:
    """Return all nodes that the outputs depend on, each after its operands."""
    with modes.enable_grad():
        root = total(outputs)
    order = topological_order(root)
    above = set()  # the nodes of the sum itself
    for _ in outputs[1:]:
        above.add(root)
        root = root.args[0]
    return [v for v in order if v not in above] if above else order


def _name_arguments(function: Callable[..., Any], count: int) -> list[str]:
    """Return names for the arguments: those that the function uses, as far as it has them."""
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


def _make_values(numbers: np.ndarray, name: str) -> list[Value]:
    """Return Values of an argument's numbers, flat; their labels have the name and the index."""
    if numbers.ndim == 0:
        return [Value(float(numbers), label=name)]
    places = np.ndindex(*numbers.shape)
    return [
        Value(x, label=f"{name}[{','.join(map(str, place))}]")
        for x, place in zip(numbers.ravel().tolist(), places)
    ]


def _nest(values: list[Any], shape: tuple[int, ...]) -> Any:
    """Return Values in nested lists of this shape; the Value itself for the shape ()."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array.reshape(shape).tolist() if shape else values[0]


def _flatten_outputs(returned: Any) -> tuple[list[Value], tuple[int, ...]]:
    """Return what a function returned as a flat list of Values, and its shape."""
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


def explain_difference(
    function: Callable[..., Any], row: Sequence[np.ndarray], other: Sequence[np.ndarray]
) -> TraceError:
    """Return the error for a function whose graph differs between two rows."""
    first, second = (record_trace(function, numbers, locating=True) for numbers in (row, other))
    for a, b in zip(first.nodes, second.nodes):
        here = first.lines.get(id(a), "")
        if a.op is not b.op:
            return _make_error(
                f"for one row it computes {a.op.name} and for another {b.op.name}",
                "something steers it that was read from a Value, or drawn at random",
                here,
            )
        if a.op is ops.constant and repr(a.data) != repr(b.data):
            return _make_error(
                f"a plain number is {a.data:g} for one row and {b.data:g} for another",
                "give it as an argument, draw it with autograd.drawn, or use the Value it is from",
                here,
            )
    return _make_error(
        f"for one row it computes {len(first.nodes):,} nodes and for another "
        f"{len(second.nodes):,}, or the same of others",
        "something steers it that was read from a Value, or drawn at random",
        first.lines.get(id(first.outputs[0]), ""),
    )
