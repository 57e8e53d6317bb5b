"""Check on each call of compiled code that everything the function reads is unchanged."""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import MappingProxyType, ModuleType
from typing import Any

from ..core import modes, ops
from ..core.value import Value
from .foreign import is_foreign
from .reach import MAPPINGS, SEQUENCES, Holder, Reach, is_same, read_bytes


class Guard:
    """The check that everything a function reads is as it was when the guard was made.

    Args:
        reach: what the function reads.
        numbers: the Values whose numbers are part of the code.
    """

    def __init__(self, reach: Reach, numbers: list[Value]) -> None:
        self._reads: list[tuple[Callable[[Any], Any], Any]] = []
        self._sized: list[Any] = []
        for holder in reach.holders:
            if isinstance(holder.thing, (tuple, frozenset)):
                continue  # they are immutable
            keys = [
                key
                for key, thing in holder.read_contents().items()
                if (id(holder.thing), key) not in reach.assigned
                and not _is_library(thing)
                and not _is_only_stored(thing, numbers)
            ]
            if keys:
                self._reads.append((holder.make_reader(keys), holder.thing))
            if _is_sized(holder):
                self._sized.append(holder.thing)
        self._sizes = list(map(len, self._sized))
        self._missing = _Missing(reach.holders)
        self._objects, self._kinds = reach.objects, list(map(type, reach.objects))
        self._numbers = numbers
        self._settings = reach.settings
        self._arrays = [numbers for _, numbers in reach.arrays]
        self._entries, self._contents = self._read_entries(), self._read_contents()

    def holds(self) -> bool:
        """Return True if nothing has changed."""
        try:
            found = self._read_entries()
        except (AttributeError, LookupError):  # an entry was removed
            return False
        if not all(map(operator.is_, found, self._entries)):
            if len(found) != len(self._entries) or not all(map(is_same, found, self._entries)):
                return False
            self._entries = found  # equal numbers in new objects, which are identical next time
        return (
            list(map(len, self._sized)) == self._sizes
            and list(map(type, self._objects)) == self._kinds
            and self._missing.holds()
            and all(map(_is_equal, self._contents, self._read_contents()))
        )

    def _read_entries(self) -> list[Any]:
        """Return the present entries, which are compared by identity first."""
        found: list[Any] = []
        add = found.extend
        for read, thing in self._reads:
            add(read(thing))
        return found

    def _read_contents(self) -> list[Any]:
        """Return what is compared by content: numbers, the bytes of arrays, and settings."""
        return [
            *[repr(v.data) for v in self._numbers],
            *map(read_bytes, self._arrays),
            *map(modes.setting, self._settings),
        ]


class _Missing:
    """The names that were not found, such as an instance attribute that the class has instead.

    If one is set later, the function may read it.
    """

    def __init__(self, holders: list[Holder]) -> None:
        missing: dict[int, tuple[Any, set[str]]] = {}  # by the id of the object that lacks them
        for holder in holders:
            if holder.names is not None:
                _, names = missing.setdefault(id(holder.thing), (holder.thing, set()))
                names.update(holder.names.difference(holder.read_contents()))
        # `isdisjoint` of a view, which shows what is added later, iterates over the shorter side.
        self._mappings: list[tuple[Callable[[set[str]], bool], set[str]]] = []
        self._slots: list[tuple[Any, str]] = []
        for thing, names in missing.values():
            if isinstance(thing, MAPPINGS):
                self._mappings.append((thing.keys().isdisjoint, names))
            else:
                self._slots += [(thing, name) for name in names]

    def holds(self) -> bool:
        """Return True if they are all still missing."""
        return all(without(names) for without, names in self._mappings) and not any(
            hasattr(thing, name) for thing, name in self._slots
        )


def _is_sized(holder: Holder) -> bool:
    """Return True if the number of entries must stay the same.

    Then the function reads all entries, or it uses a class: a new method of a class may be called
    without being named, as by an operator.
    """
    whole = holder.names is None and isinstance(holder.thing, (dict, *SEQUENCES))
    return whole or isinstance(holder.thing, MappingProxyType)


def _is_equal(a: Any, b: Any) -> bool:
    """Return True if two things are identical, or equal by an `==` that returns a bool."""
    return a is b or (type(a) is type(b) and (a == b) is True)


def _is_library(thing: Any) -> bool:
    """Return True for a module or a class that is assumed not to change."""
    if isinstance(thing, ModuleType):
        return is_foreign(thing.__name__)
    return isinstance(thing, type) and is_foreign(thing.__module__)


def _is_only_stored(thing: Any, numbers: list[Value]) -> bool:
    """Return True for a computed Value that the function stores, and the code does not read."""
    return isinstance(thing, Value) and thing.op is not ops.leaf and thing not in numbers
