"""Leaves that store their numbers in one shared array, for code that works on arrays.

Compiled code and optimisers read and write the whole array in one step. Each leaf remains the same
object, and its `data` reads and writes an element of the array. The number is stored once, so the
leaf and the array cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from . import locks, modes, ops
from .boundary import as_float, instance, refuse_masked, several
from .twin import give
from .value import Value


class Shared(Value):
    """A leaf whose number is an element of an array.

    Graphs refer to the leaf, so it must remain the same object: `Flat` assigns its `__class__`.
    Python allows this between classes with the same slots only. A Shared therefore adds none, and
    uses those of the operands, which a leaf does not have, under names of its own:

        slot    in a Value     in a Shared
        _a      an operand     _array: the array, as a memoryview
        _b      an operand     _index: the place of the number in the array
        data    the number     not used
    """

    __slots__ = ()
    _array: Any = Value._a
    _index: Any = Value._b

    @property
    def _number(self) -> float:  # type: ignore[override]
        return self._array[self._index]  # type: ignore[no-any-return]

    @property
    def data(self) -> float:
        """The number, a float: the element of the array."""
        if tracer := modes.find_tracer():
            tracer.refuse_reading(self.label)
        return self._array[self._index]  # type: ignore[no-any-return]

    @data.setter
    def data(self, data: Any) -> None:
        self._array[self._index] = data if type(data) is float else as_float(data)

    @property
    def _kind(self) -> type[Value]:
        return Value  # a copy stores its own number


give(Shared=Shared)


class Flat:
    """The numbers of leaves as one array.

    Making a Flat moves the numbers of the leaves into one array. The numbers of leaves that are
    in an array already stay there.

    Args:
        values: the leaves, in the order of the array.

    Raises:
        TypeError: an element is not a leaf, or its class is a subclass of Value.
        ValueError: a leaf is listed twice.

    >>> w, b = Value(2.0), Value(1.0)
    >>> flat = Flat([w, b])
    >>> flat.read()
    array([2., 1.])
    >>> flat.write(flat.read() / 2.0)
    >>> w.data = 5.0
    >>> flat.read(), b.data
    (array([5. , 0.5]), 0.5)
    """

    def __init__(self, values: Iterable[Value]) -> None:
        self.values = several(values, "only Values that you made can lie in an array")
        others = [v for v in self.values if not isinstance(v, Shared)]
        for v in others:
            if not isinstance(v, Value) or v.op is not ops.leaf:
                raise TypeError(f"only Values that you made can lie in an array, got {v!r}")
        if len(set(self.values)) < len(self.values):
            raise ValueError("a Value is listed twice, but has only one place in an array")
        with locks.places:
            _bring_together([v for v in others if not isinstance(v, Shared)])
        self._arrays: list[np.ndarray] = []
        self._places: list[tuple[np.ndarray, np.ndarray]] = []  # in values, and in the array
        self._find()

    def __reduce__(self) -> tuple[Any, ...]:
        return Flat, (self.values,)  # the copies of the leaves share a new array

    def _find(self) -> None:
        """Find the arrays that hold the numbers, and a view if one array holds them in order."""
        views = [v._array for v in self.values]
        arrays = dict(zip(map(id, views), views))
        number = {key: i for i, key in enumerate(arrays)}
        which = np.fromiter(map(number.__getitem__, map(id, views)), np.intp, len(views))
        there = np.fromiter((v._index for v in self.values), np.intp, len(views))
        for i, view in enumerate(arrays.values()):
            here = np.flatnonzero(which == i)
            self._arrays.append(view.obj)
            self._places.append((here, there[here]))
        first = int(there[0]) if len(there) else 0
        side_by_side = len(arrays) == 1 and np.array_equal(
            there, np.arange(first, first + len(there))
        )
        self._view = self._arrays[0][first : first + len(there)] if side_by_side else None

    def read(self) -> np.ndarray:
        """Return the numbers, shape (n,): a view if one array holds them in order, else a copy."""
        if self._view is not None:
            return self._view
        found = np.empty(len(self.values))
        for array, (here, there) in zip(self._arrays, self._places):
            found[here] = array[there]
        return found

    def write(self, numbers: np.ndarray) -> None:
        """Set all numbers, shape (n,).

        Raises:
            TypeError, ValueError: `numbers` is not an array of n numbers. Nothing has changed then.
        """
        self._check(numbers)
        if self._view is not None:
            self._view[...] = numbers
        else:
            for array, (here, there) in zip(self._arrays, self._places):
                array[there] = numbers[here]

    def lower(self, change: np.ndarray) -> None:
        """Subtract `change`, shape (n,), from the numbers.

        Raises:
            TypeError, ValueError: as for `write`.
        """
        self._check(change)
        if self._view is not None:
            self._view -= change
        else:
            self.write(self.read() - change)

    def _check(self, numbers: np.ndarray) -> None:
        """Refuse all but an array of n numbers, which NumPy might broadcast or convert."""
        instance(numbers, np.ndarray, "the numbers of a Flat are an array")
        refuse_masked(numbers, "the array")
        if numbers.dtype.kind not in "fiub" or numbers.shape != (len(self.values),):
            raise ValueError(
                f"a Flat of {len(self.values):,} leaves takes an array of real numbers of shape "
                f"({len(self.values)},), got {numbers.dtype} of shape {numbers.shape}"
            )


def _bring_together(leaves: list[Value]) -> None:
    """Move the numbers of plain leaves into one new array."""
    for v in leaves:
        if type(v) is not Value:
            raise TypeError(
                f"the number of a {type(v).__name__} cannot lie in an array: use Value itself, "
                f"not a subclass; got {v!r}"
            )
    numbers = [v.data for v in leaves]
    if set(map(type, numbers)) != {float}:
        numbers = [as_float(v.data, f"the data of {v.label or 'a leaf'}") for v in leaves]
    array: Any = np.array(numbers, dtype=float)
    view = memoryview(array)  # its elements are read as floats
    for i, v in enumerate(leaves):
        v._a, v._b = view, i  # first, for another thread may read the number at any time
        v.__class__ = Shared
