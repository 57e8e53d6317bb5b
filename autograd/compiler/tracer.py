"""Record what a function does with Values: its nodes, draws, requirements and errors."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

import numpy as np

from ..core import modes, ops
from ..core.modes import TraceError
from ..core.value import Value
from .errors import find_line, make_error
from .hidden import Hidden, hide, reveal
from .reach import Reach

READ_REMEDY = (
    "use the Value itself. autograd.stop_gradient(v) is its number without a gradient, softmax and "
    "logsumexp take out the largest themselves, autograd.require checks a number, and with "
    "has_aux=True outputs are returned beside a cost, to count right answers outside"
)

LARGEST_REMEDY = "write functools.reduce(autograd.maximum, values) for the largest of Values"


class Requirement(NamedTuple):
    """A test of the numbers of some Values, made for each row; see `require`.

    Attributes:
        test: the test.
        values: the Values.
        together: True if the test takes all numbers as one array, not one argument for each.
    """

    test: Callable[..., Any]
    values: list[Value]
    together: bool = False

    def ask(self, numbers: Any) -> Any:
        """Return what the test answers to numbers: one, or an array of rows, for each Value."""
        return self.test(numbers) if self.together else self.test(*numbers)

    def passes(self, columns: np.ndarray) -> np.ndarray:
        """Return a mask of the rows that pass; `columns` has one row of numbers for each Value."""
        return np.asarray(self.ask(columns), dtype=bool)


@dataclass(frozen=True)
class InTable:
    """The test that indices are places in a table of `size` rows."""

    size: int

    def __call__(self, at: np.ndarray) -> Any:
        """Return whether all indices are, for each column."""
        return ((at >= 0.0) & (at < self.size) & (at == np.floor(at))).all(axis=0)


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
        self.hidden = hide([*leaves, *(reach.values if reach else ())])
        self.samples: list[tuple[Value, Callable[[], float]]] = []
        self.requirements: list[Requirement] = []
        self.indices: dict[int, list[Value]] = {}  # of `take`, by the size of the table
        self._noted: set[tuple[int, int]] = set()
        self.raised: list[Exception] = []
        self.settings_read: set[str] = set()
        self.created: list[Value] = []  # nodes, leaves and constants
        self.collected = None if locating else self.created
        self.lines: dict[int, str] = {}
        self._reach, self.locating = reach, locating
        self._states = reach.read_states() if reach else []

    def hide(self, nodes: list[Value]) -> list[Value]:
        """Protect the numbers of these from being read until `reveal`, and return the Values."""
        self.hidden += hide(nodes)
        return nodes

    def reveal(self) -> None:
        """Give all hidden Values and leaves their classes back."""
        reveal(self.hidden)
        reveal(self.created)

    def record_node(self, node: Value, recording: bool) -> Value:
        """Record and hide a new node, and return the node to use in its place.

        If `recording` is False, as under `no_grad`, this is a `stop_gradient` of the new node.
        """
        self.record_leaf(node)
        node.__class__ = Hidden
        if node.op is ops.take:
            self.note_index(*node.args)
        if not recording:
            with modes.enable_grad():
                return ops.stop_gradient(node)
        return node

    def note_index(self, index: Value, *entries: Value) -> None:
        """Require that the index of a `take` is a place in its table, in every row."""
        size = len(entries)
        if index.op is ops.constant or (size, id(index)) in self._noted:
            return
        self._noted.add((size, id(index)))
        if size not in self.indices:
            self.indices[size] = []
            self.requirements.append(Requirement(InTable(size), self.indices[size], True))
        self.indices[size].append(index)

    def record_leaf(self, node: Value) -> None:
        """Record a Value that was made from a plain number."""
        self.locate(node)
        self.created.append(node)

    def locate(self, node: Value) -> None:
        """Record the line that creates a node, and raise if a number was drawn up to there."""
        if self.locating:
            self.lines[id(node)] = line = find_line()
            self.refuse_draws(f"the lines up to {line}")

    def draw(self, sampler: Callable[[], float]) -> Value:
        """Return a Value that compiled code draws for each row."""
        self.refuse_draws()
        (value,) = self.hide([Value(sampler(), label="drawn")])
        self.samples.append((value, sampler))
        self._states = self._reach.read_states() if self._reach else []
        return value

    def refuse_draws(self, line: str = "") -> None:
        """Raise if a random generator or an iterator has advanced outside `drawn`."""
        if advanced := self.find_advanced():
            raise make_error(
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
            remedy = LARGEST_REMEDY if "max(" in find_line() else READ_REMEDY
            raise make_error(f"`.data` of {name or 'a Value'} is read", remedy)

    def refuse(self, what: str, remedy: str) -> NoReturn:
        """Raise an error that says what cannot be compiled, and in which line it is."""
        raise make_error(what, remedy)
