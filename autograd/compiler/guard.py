"""Check on each call of compiled code that everything the function reads is unchanged."""

from __future__ import annotations

import gc
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType, ModuleType
from typing import Any

from ..core import modes, ops, snapshot
from ..core.snapshot import Snapshot, Watched
from ..core.value import Value
from .foreign import is_foreign
from .reach import MAPPINGS, SEQUENCES, Holder, Reach, is_same, list_elements, read_bytes


class Guard:
    """The check that everything a function reads is as it was when the guard was made.

    Almost always nothing has changed, and one comparison with a snapshot tells so. The snapshot is
    not current either if something has changed that the function does not read: a module may have
    a new name. Then each entry is compared, and if all are the same, a new snapshot is taken.

    Args:
        reach: what the function reads.
        numbers: the Values whose numbers are part of the code.
    """

    def __init__(self, reach: Reach, numbers: list[Value]) -> None:
        contents = _merge_holders(reach, numbers)
        self._entries = _Entries([c for c in contents if type(c.thing) in snapshot.KINDS])
        self._others = _Entries([c for c in contents if type(c.thing) not in snapshot.KINDS])
        self._objects, self._kinds = reach.objects, list(map(type, reach.objects))
        self._snapshot = self._take_snapshot()
        self._numbers = numbers
        self._settings = reach.settings
        self._arrays = [numbers for _, numbers in reach.arrays]
        self._by_content = self._read_by_content()

    def holds(self) -> bool:
        """Return True if nothing has changed."""
        if not (self._snapshot and self._snapshot.is_current()):
            if not self._entries.hold() or list(map(type, self._objects)) != self._kinds:
                return False
            self._snapshot = self._take_snapshot()
        return (not self._others.watched or self._others.hold()) and (
            not self._by_content or all(map(_is_equal, self._by_content, self._read_by_content()))
        )

    def _take_snapshot(self) -> Snapshot | None:
        """Return a snapshot of the entries and classes, if it is faster than to compare each."""
        if not snapshot.IS_FAST:
            return None
        return Snapshot(
            [*self._entries.watched, *(Watched(x, ["__class__"]) for x in self._objects)]
        )

    def _read_by_content(self) -> list[Any]:
        """Return what is compared by content: numbers, the bytes of arrays, and settings."""
        return [
            *[repr(v.data) for v in self._numbers],
            *map(read_bytes, self._arrays),
            *map(modes.setting, self._settings),
        ]


class _Entries:
    """What a function reads of some objects; each entry is compared on its own.

    Attributes:
        watched: the objects, for a snapshot.
    """

    def __init__(self, contents: list[_Content]) -> None:
        self.watched = [Watched(content.thing, content.keys) for content in contents]
        self._reads = [
            (content.make_reader(), content.thing) for content in contents if content.keys
        ]
        self._sized = [content.thing for content in contents if content.is_sized]
        self._sizes = list(map(len, self._sized))
        # `isdisjoint` of a view, which shows what is added later, iterates over the shorter side.
        self._without: list[tuple[Callable[[set[str]], bool], set[str]]] = []
        self._slots: list[tuple[Any, str]] = []
        for content in contents:
            if isinstance(content.thing, MAPPINGS):
                self._without.append((content.thing.keys().isdisjoint, content.missing))
            else:
                self._slots += [(content.thing, name) for name in content.missing]
        self._found = self._read()

    def hold(self) -> bool:
        """Return True if all entries are the same, and what was missing still is."""
        try:
            found = self._read()
        except (AttributeError, LookupError):  # an entry was removed
            return False
        if not all(map(operator.is_, found, self._found)):
            if len(found) != len(self._found) or not all(map(is_same, found, self._found)):
                return False
            self._found = found  # equal numbers in new objects, which are identical next time
        return (
            list(map(len, self._sized)) == self._sizes
            and all(without(names) for without, names in self._without)
            and not any(hasattr(thing, name) for thing, name in self._slots)
        )

    def _read(self) -> list[Any]:
        """Return the present entries."""
        found: list[Any] = []
        add = found.extend
        for read, thing in self._reads:
            add(read(thing))
        return found


@dataclass
class _Content:
    """What a function reads of one object, which may have several holders.

    Attributes:
        thing: the object; for the view of a dict, the dict.
        has_attributes: True if its attributes are read, and not its elements.
        keys: the keys of the entries that must not change, as the keys of a dict, in order.
        missing: the names that were not found, such as an instance attribute that the class has
            instead. If one is set later, the function may read it.
        is_sized: True if the number of entries must stay the same.
    """

    thing: Any
    has_attributes: bool
    keys: dict[Any, None] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    is_sized: bool = False

    @property
    def is_read(self) -> bool:
        """False if nothing can change, as in a tuple."""
        return bool(self.keys or self.missing or self.is_sized)

    def make_reader(self) -> Callable[[Any], Any]:
        """Return a fast function that reads these entries of `thing` as one tuple."""
        first = next(iter(self.keys))
        if isinstance(self.thing, (*MAPPINGS, list)):
            # One key is repeated, because for a single key an itemgetter returns no tuple.
            return operator.itemgetter(*self.keys, first)
        return operator.attrgetter(*self.keys, first) if self.has_attributes else list_elements


def _merge_holders(reach: Reach, numbers: list[Value]) -> list[_Content]:
    """Return what the holders read, once for each object that they share."""
    found: dict[tuple[int, bool], _Content] = {}
    for holder in reach.holders:
        thing, present = _find_shown(holder.thing), holder.read_contents()
        has_attributes = holder.names is not None and not isinstance(thing, MAPPINGS)
        content = found.setdefault((id(thing), has_attributes), _Content(thing, has_attributes))
        if holder.names is not None:
            content.missing.update(holder.names.difference(present))
        if isinstance(thing, (tuple, frozenset)):
            continue  # they are immutable
        content.is_sized |= _is_sized(holder)
        for key, entry in present.items():
            if (
                (id(holder.thing), key) not in reach.assigned
                and not _is_library(entry)
                and not _is_only_stored(entry, numbers)
            ):
                content.keys[key] = None
    return [content for content in found.values() if content.is_read]


def _find_shown(thing: Any) -> Any:
    """Return the dict that a view shows, such as that of a class; of anything else, the thing."""
    if isinstance(thing, MappingProxyType):
        (shown,) = gc.get_referents(thing)
        return shown if type(shown) is dict else thing
    return thing


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
