"""Trace a function: run it once on Values, and record the graph that it computes.

A `Tracer` records what the function does. `stages` traces two different rows, and their graphs
must be equal.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..core import locks, modes, ops
from ..core.graph import find_places, tabulate, topological_order
from ..core.modes import TraceError
from ..core.ops import Op
from ..core.sequences import sum as total
from ..core.value import Value, constant
from .errors import make_error
from .reach import Reach
from .tracer import Requirement, Tracer


class Table(NamedTuple):
    """The nodes of a trace as columns of numbers; see `tabulate`."""

    kinds: list[Op]
    texts: list[str]
    codes: np.ndarray
    starts: np.ndarray
    args: np.ndarray
    labels: np.ndarray
    created: np.ndarray
    numbers: np.ndarray


class TracedRow(NamedTuple):
    """What code is held against: the engine's numbers for one row.

    Attributes:
        inputs: the numbers of the row.
        computed: the numbers that compiled code computes.
        root: the first output.
        largest: the largest absolute value of a number in the graph.
    """

    inputs: list[float]
    computed: list[float]
    root: Value
    largest: Any


@dataclass
class Trace:
    """The record of one run of a function, on one row of its arguments.

    Attributes:
        inputs: for each argument, its Values, flat; then the Values that were drawn.
        outputs: the returned Values, flat; a plain number becomes a constant.
        shape: the shape of what the function returned: () for one Value, (k,) for a list of k.
        nodes: all nodes, each after its operands: first those that the outputs depend on.
        reached: the number of nodes that the outputs depend on.
        table: the nodes as columns of numbers.
        samplers: the functions that draw a number for each row, one for each drawn Value.
        requirements: the tests that each row must pass.
        lines: the line that created each node, by id, if the lines were asked for.
        settings_read: the settings that the run looked up.
    """

    inputs: list[list[Value]]
    outputs: list[Value]
    shape: tuple[int, ...]
    nodes: list[Value]
    reached: int
    table: Table
    samplers: list[Callable[[], float]]
    requirements: list[Requirement]
    lines: dict[int, str]
    settings_read: set[str]

    def list_computed(self) -> list[Value]:
        """Return the Values that compiled code computes: outputs, then those of requirements."""
        return [*self.outputs, *(v for required in self.requirements for v in required.values)]

    def list_tests(self) -> list[Any]:
        """Return the code objects of the requirements' tests, for a comparison of two runs."""
        tests = [requirement.test for requirement in self.requirements]
        return [getattr(test, "__code__", test) for test in tests]

    def describe_row(self) -> TracedRow:
        """Return what code is held against."""
        inputs = [leaf.data for argument in self.inputs for leaf in argument]
        computed = [v.data for v in self.list_computed()]
        return TracedRow(inputs, computed, self.outputs[0], find_largest(self.table.numbers))

    def choose(self, mask: np.ndarray) -> list[Value]:
        """Return the nodes in a mask."""
        return [self.nodes[i] for i in np.flatnonzero(mask).tolist()]

    def find_places(self, values: list[Value]) -> np.ndarray:
        """Return the indices of Values among the nodes; -1 for those that are not there."""
        return _find_places(self.nodes, values)

    @functools.cached_property
    def input_places(self) -> np.ndarray:
        """The indices of the inputs among the nodes; -1 for those that are not there."""
        return self.find_places([leaf for argument in self.inputs for leaf in argument])

    @functools.cached_property
    def is_end(self) -> np.ndarray:
        """A mask of the leaves and constants other than the inputs."""
        found: np.ndarray = np.diff(self.table.starts) == 0
        found[self.input_places[self.input_places >= 0]] = False
        return found

    @property
    def is_leaf(self) -> np.ndarray:
        """A mask of the leaves other than the inputs."""
        kinds = np.array([op is ops.leaf for op in self.table.kinds], dtype=bool)
        found: np.ndarray = self.is_end & kinds[self.table.codes]
        return found

    @property
    def is_outside(self) -> np.ndarray:
        """A mask of the nodes other than the inputs that existed before the run."""
        found: np.ndarray = self.table.created == 0
        found[self.input_places[self.input_places >= 0]] = False
        return found


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
            values = tracer.hide(_make_values(numbers, name))
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
    _sort_indices(tracer, inputs)
    nodes = _order_nodes(outputs)
    reached = len(nodes)
    computed = [*outputs, *(v for required in tracer.requirements for v in required.values)]
    if tracer.requirements and (_find_places(nodes, computed) < 0).any():
        known = set(nodes)
        nodes += [v for v in _order_nodes(computed) if v not in known]
    table = _tabulate(nodes, tracer.created)
    return Trace(
        *(inputs, outputs, shape, nodes, reached, table, samplers),
        *(tracer.requirements, tracer.lines, tracer.settings_read),
    )


def _find_places(nodes: list[Value], values: list[Value]) -> np.ndarray:
    """Return the indices of Values among nodes; -1 for those that are not there."""
    return np.frombuffer(find_places(nodes, values), dtype=np.int32)


def _tabulate(nodes: list[Value], created: list[Value]) -> Table:
    """Return nodes as columns of numbers."""
    kinds, texts, *columns, numbers = tabulate(nodes, created)
    codes, starts, args, labels, made = (np.frombuffer(column, np.int32) for column in columns)
    return Table(kinds, texts, codes, starts, args, labels, made, np.frombuffer(numbers))


def find_largest(numbers: np.ndarray) -> Any:
    """Return the largest absolute value of the finite numbers; 0.0 if there are none."""
    sizes = np.abs(numbers)
    return sizes.max(initial=0.0, where=np.isfinite(sizes))


def _sort_indices(tracer: Tracer, inputs: list[list[Value]]) -> None:
    """Sort the indices of `take` as they stand in the arguments, so that a slice reads them."""
    place = {id(leaf): i for i, leaf in enumerate(leaf for group in inputs for leaf in group)}
    for indices in tracer.indices.values():
        indices.sort(key=lambda index: place.get(id(index), len(place)))


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
    indices = np.ndindex(*numbers.shape)
    return [
        Value(x, label=f"{name}[{','.join(map(str, index))}]")
        for x, index in zip(numbers.ravel().tolist(), indices)
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
            return make_error(
                f"for one row it computes {a.op.name} and for another {b.op.name}",
                "something steers it that was read from a Value, or drawn at random",
                here,
            )
        if a.op is ops.constant and repr(a.data) != repr(b.data):
            return make_error(
                f"a plain number is {a.data:g} for one row and {b.data:g} for another",
                "give it as an argument, draw it with autograd.drawn, or use the Value it is from",
                here,
            )
    return make_error(
        f"for one row it computes {len(first.nodes):,} nodes and for another "
        f"{len(second.nodes):,}, or the same of others",
        "something steers it that was read from a Value, or drawn at random",
        first.lines.get(id(first.outputs[0]), ""),
    )
