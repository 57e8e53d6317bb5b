"""Find everything that a function reads besides its arguments.

Compiled code is specialised: the closure, globals, defaults, attributes and elements that the
function reads become part of it. `Reach` finds them by a walk over all objects that can be reached
from the function by names in its code. Two checks use it:

    while the function is traced    `Reach.find_change`: the run itself must not change them
    on each later call              `Guard.holds`: if they have changed, the trace is repeated

If the walk finds too much, calls take longer. If it misses something, a change goes unnoticed.
"""

from __future__ import annotations

import dis
import functools
import operator
import random
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from types import CellType, CodeType, FunctionType, MappingProxyType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from ..core import modes
from ..core.flat import Shared
from ..core.value import Value
from .foreign import OURS, is_foreign, is_standard
from .sources import is_iterator, list_generators, read_state, set_state

PLAIN = (int, float, complex, str, bytes, type(None), range, np.generic)  # compared by value
LARGE = 100_000  # larger lists and arrays are not inspected
SEQUENCES = (list, deque, set, frozenset, tuple, np.ndarray)
MAPPINGS = (dict, MappingProxyType)
PARTS = ("__self__", "__func__", "__wrapped__", "func", "args", "keywords", "fget")  # of callables
OF_A_FUNCTION = frozenset({"__code__", "__defaults__", "__kwdefaults__"})
MAKERS = {"__init__", "__new__", "__post_init__"}
UNCALLED = MAKERS | {"__repr__", "__str__", "__hash__", "__setattr__", "__delattr__"}
BY_NAME = frozenset({"vars", "getattr", "__dict__", "attrgetter"})  # these can read any attribute


class Holder(NamedTuple):
    """An object with entries that a function reads.

    Attributes:
        path: its name in messages.
        thing: the object: a mapping, a sequence, the cell of a closure, or an object with slots.
        names: the keys of a mapping, or the attributes of an object, that are read; None for all.
    """

    path: str
    thing: Any
    names: frozenset[str] | None = None

    def read_contents(self) -> dict[Any, Any]:
        """Return its present entries."""
        entries = self.read_entries()
        return entries if isinstance(entries, dict) else dict(enumerate(entries))

    def read_entries(self) -> dict[Any, Any] | tuple[Any, ...]:
        """Return its present entries; those of a sequence as a tuple."""
        thing, names = self.thing, self.names
        if names is None:
            return dict(thing) if isinstance(thing, dict) else list_elements(thing)
        if isinstance(thing, MAPPINGS):
            return {name: thing[name] for name in names & thing.keys()}
        return {name: getattr(thing, name) for name in names if hasattr(thing, name)}

    def name_entry(self, key: Any) -> str:
        """Return the name of an entry in messages."""
        if isinstance(self.thing, CellType):
            return self.path
        if self.names is None:
            return f"{self.path}[{key!r:.40}]"
        return f"{self.path}.{key}" if self.path else str(key)


def list_elements(thing: Any) -> tuple[Any, ...]:
    """Return the elements of a sequence, or the content of the cell of a closure."""
    if isinstance(thing, CellType):
        try:
            return (thing.cell_contents,)
        except ValueError:  # the cell is empty
            return ()
    return tuple(thing.ravel().tolist() if isinstance(thing, np.ndarray) else thing)


Entries = set[tuple[int, Any]]  # entries of holders: the id of `thing`, and the key


class Reach:
    """Everything that can be reached from a function by the names in its code.

    Args:
        function: the function at which the walk begins.
        settings: the names of the settings that the function looks up, other than those of
            `modes.DEFAULTS`.
        earlier: an earlier walk, from which names in code and `assigned` are taken over.

    Attributes:
        settings: these names, sorted.
        assigned: entries that the function sets itself; they are skipped.
        outdated: True if such an entry held an object before, whose parts are not read any more.
        holders: the holders of everything found.
        values: the Values found.
        arrays: the arrays of numbers found, with their names in messages.
        objects: the instances found, except those of classes that are assumed not to change.
        sources: the random generators and iterators found, with their names in messages.
    """

    def __init__(
        self, function: Any, settings: Iterable[str] = (), earlier: Reach | None = None
    ) -> None:
        self._function, self.settings = function, sorted(settings)
        self.assigned: Entries = earlier.assigned if earlier else set()
        self.outdated = False
        self._names: frozenset[str] = earlier._names if earlier else frozenset()
        self._codes: dict[int, CodeType] = dict(earlier._codes) if earlier else {}  # by their ids
        self._attributes: tuple[int, frozenset[str]] = (0, frozenset())
        self._sequences: dict[int, Sequence[Value]] = {}  # those of Values, by their ids
        known: frozenset[str] | None = None
        while known != self._names:  # a walk finds names, and names may lead to more objects
            known = self._names
            self._walk()

    def _walk(self) -> None:
        """Visit everything that can be reached with the names known so far."""
        self.holders: list[Holder] = []
        self.values: list[Value] = []
        self.arrays: list[tuple[str, Any]] = []
        self.objects: list[Any] = []
        self.sources: list[tuple[str, Any]] = [
            ("the module random", random.random.__self__),  # type: ignore[attr-defined]
            ("np.random", np.random.get_state.__self__),  # type: ignore[attr-defined]
        ]
        seen: dict[int, Any] = {}
        stored = {thing for thing, _ in self.assigned}
        # The arguments of `_find_holders`
        stack: list[tuple[str, Any, frozenset[str] | None]]
        stack = [(f"the setting {name}", modes.setting(name), None) for name in self.settings]
        stack.append(("", self._function, None))
        while stack and len(seen) < LARGE:
            path, thing, names = stack.pop()
            if isinstance(thing, PLAIN) or id(thing) in seen:
                continue
            seen[id(thing)] = thing  # a reference, so that its id is not used again
            stack += [(path, part, None) for part in _find_parts(thing)]
            for holder in self._find_holders(path, thing, names):
                self.holders.append(holder)
                if id(holder.thing) not in stored and self._add_sequence(holder.thing):
                    continue
                inside = holder.names if isinstance(thing, (FunctionType, ModuleType)) else None
                for key, inner in holder.read_contents().items():
                    if id(inner) in seen:
                        continue
                    if stored and (id(holder.thing), key) in self.assigned:
                        continue
                    if isinstance(inner, Value) and not inner._own:  # as most things are
                        seen[id(inner)] = inner
                        self.values.append(inner)
                    elif not _is_plain(inner):
                        stack.append((holder.name_entry(key), inner, inside))

    def _add_sequence(self, thing: Any) -> bool:
        """Add the elements of a sequence of Values, and return True; else return False.

        Most of what is reached are parameters in sequences, and later walks skip these.
        """
        if type(thing) not in (list, tuple):
            return False
        if id(thing) not in self._sequences:
            plain = {Value, Shared}.issuperset(map(type, thing)) and not any(v._own for v in thing)
            self._sequences[id(thing)] = thing if plain else ()
        self.values += self._sequences[id(thing)]
        return len(self._sequences[id(thing)]) > 0

    def _find_holders(
        self, path: str, thing: Any, names: frozenset[str] | None
    ) -> Iterator[Holder]:
        """Yield the holders of a thing's parts, or add the thing to one of the lists.

        Args:
            path: its name in messages.
            thing: the thing.
            names: if code refers to the thing by name, all names in that code; else None.
        """
        if isinstance(thing, Value):
            self.values.append(thing)
            if thing._own:
                yield self._find_attributes(path, thing, self._list_attributes())
        elif isinstance(thing, list_generators()) or is_iterator(thing):
            self.sources.append((path, thing))
        elif isinstance(thing, np.ndarray):
            if thing.dtype != object:
                self._add_array(path, thing, thing.size)
            elif thing.size <= LARGE:
                yield Holder(path, thing)
        elif isinstance(thing, (array, bytearray)):
            self._add_array(path, thing, len(thing))
        elif isinstance(thing, FunctionType):
            if not is_foreign(thing.__module__):
                yield from self._find_in_function(thing)
        elif isinstance(thing, ModuleType):
            if not is_foreign(thing.__name__):
                yield Holder(path, vars(thing), self._names if names is None else names)
        elif isinstance(thing, type):
            for base in thing.__mro__:
                if not is_foreign(base.__module__):
                    special = _find_special_methods(base, made=names is not None)
                    yield Holder(path, base.__dict__, self._names | special)
        else:
            yield from self._find_in_object(path, thing)

    def _add_array(self, path: str, numbers: Any, size: int) -> None:
        if size <= LARGE:
            self.arrays.append((path, numbers))

    def _find_in_function(self, function: FunctionType) -> Iterator[Holder]:
        code = function.__code__
        names, self._codes[id(code)] = _find_names(code), code
        if not names <= self._names:
            self._names |= names
        yield Holder("", function.__globals__, names)
        for name, cell in zip(code.co_freevars, function.__closure__ or ()):
            yield Holder(name, cell)
        yield Holder(function.__name__, function, OF_A_FUNCTION)
        yield Holder(function.__name__, vars(function), self._names)

    def _find_in_object(self, path: str, thing: Any) -> Iterator[Holder]:
        if isinstance(thing, dict) or (isinstance(thing, SEQUENCES) and len(thing) <= LARGE):
            yield Holder(path, thing)
        if type(thing).__module__.partition(".")[0] in OURS:
            return
        if hasattr(thing, "__dict__"):
            yield self._find_attributes(path, thing, self._names)
        if is_foreign(type(thing).__module__):
            return
        self.objects.append(thing)
        kind: Any = type(thing)
        slots = _find_slots(kind)
        if slots:
            yield Holder(path, thing, slots if BY_NAME & self._names else slots & self._names)

    def _list_attributes(self) -> frozenset[str]:
        """Return the names in all code found so far, without those that are only of globals."""
        if self._attributes[0] < len(self._codes):
            names = map(_find_attribute_names, self._codes.values())
            self._attributes = len(self._codes), frozenset[str]().union(*names)
        return self._attributes[1]

    def _find_attributes(self, path: str, thing: Any, names: frozenset[str]) -> Holder:
        every = vars(thing).keys() if BY_NAME & self._names else set()
        return Holder(path, vars(thing), names | every)

    # ------------------------------------------------------------------ changes

    def read_states(self) -> list[Any]:
        """Return the state of each source of numbers."""
        return [read_state(source) for _, source in self.sources]

    def find_advanced(self, before: list[Any]) -> str:
        """Return the name of a source whose state is no longer the same; "" if there is none."""
        for (path, _), old, new in zip(self.sources, before, self.read_states()):
            if old != new:
                return path
        return ""

    def restore(self, states: list[Any]) -> None:
        """Set the random generators back to these states."""
        for (_, source), state in zip(self.sources, states):
            set_state(source, state)

    def read_contents(self) -> list[Any]:
        """Return the present contents of all holders and arrays."""
        contents: list[Any] = [holder.read_entries() for holder in self.holders]
        return contents + [read_bytes(numbers) for _, numbers in self.arrays]

    def find_change(self, before: list[Any]) -> str:
        """Return a description of a change since `before`; "" if there is none.

        The function may set an entry to a Value, or to a list of Values. This is no change, and
        the entry is added to `assigned`.
        """
        after, count = self.read_contents(), len(self.holders)
        for (path, _), old, new in zip(self.arrays, before[count:], after[count:]):
            if old != new:
                return f"the array {path} has other numbers after a run"
        for holder, old, new in zip(self.holders, before, after):
            if holder.names is None and len(old) != len(new):
                return f"{holder.path} has {len(new)} elements after a run, and had {len(old)}"
            if isinstance(new, tuple):
                if all(map(operator.is_, old, new)):
                    continue
                old, new = dict(enumerate(old)), dict(enumerate(new))
            if old.keys() == new.keys() and all(map(operator.is_, old.values(), new.values())):
                continue
            for key in old.keys() | new.keys():
                was, now = old.get(key, _NOTHING), new.get(key, _NOTHING)
                if is_same(was, now):
                    continue
                if not _may_be_stored(now):
                    name = holder.name_entry(key)
                    return f"{name} is {now!r:.40} after a run, and was {was!r:.40}"
                self.assigned.add((id(holder.thing), key))
                self.outdated |= not _has_no_parts(was)
        return ""


_NOTHING = object()


def _has_no_parts(thing: Any) -> bool:
    """Return True for a Value as most are, a plain thing, or nothing."""
    return thing is _NOTHING or _is_plain(thing) or (isinstance(thing, Value) and not thing._own)


def _is_plain(thing: Any) -> bool:
    """Return True for what cannot change: plain numbers and texts, and tuples of them."""
    if type(thing) is tuple:
        return all(isinstance(inner, PLAIN) for inner in thing)
    return isinstance(thing, PLAIN)


def _find_parts(thing: Any) -> list[Any]:
    """Return the parts that are never replaced: a class, or the function of a method or partial."""
    if isinstance(thing, (Value, np.ndarray, ModuleType, type)):
        return []
    if is_standard(type(thing).__module__):
        return [getattr(thing, name, None) for name in PARTS]
    return [] if is_foreign(type(thing).__module__) else [type(thing)]


def is_same(a: Any, b: Any) -> bool:
    """Return True if two things are identical, or equal plain numbers or texts of one type."""
    return a is b or (type(a) is type(b) and isinstance(a, PLAIN) and repr(a) == repr(b))


def read_bytes(numbers: Any) -> bytes:
    """Return the content of an array."""
    return numbers.tobytes() if isinstance(numbers, np.ndarray) else bytes(memoryview(numbers))


def _may_be_stored(thing: Any) -> bool:
    """Return True for a Value, and for a list or tuple of Values: a function may store them."""
    return isinstance(thing, Value) or (
        isinstance(thing, (list, tuple)) and all(map(_may_be_stored, thing))
    )


@functools.lru_cache(maxsize=1000)
def _find_names(code: CodeType) -> frozenset[str]:
    """Return the names of globals and attributes in code: also in strings and inner functions."""
    inner = [_find_names(c) for c in code.co_consts if isinstance(c, CodeType)]
    texts = [c for c in code.co_consts if isinstance(c, str) and c.isidentifier()]
    return frozenset(code.co_names).union(texts, *inner)


@functools.lru_cache(maxsize=1000)
def _find_attribute_names(code: CodeType) -> frozenset[str]:
    """Return the names in code, without those that are only of globals.

    An optimiser may set `p.m` for every parameter, in a program whose model is called `m`.
    """
    read = [i.argval for i in dis.get_instructions(code) if "GLOBAL" not in i.opname]
    names = [name for name in read if isinstance(name, str)]
    inner = [_find_attribute_names(c) for c in code.co_consts if isinstance(c, CodeType)]
    return _find_names(code).intersection(names).union(*inner)


def _find_special_methods(kind: type, made: bool) -> frozenset[str]:
    """Return the special methods of a class, which are called without being named.

    `made` is True if the code may create instances; else the methods in `UNCALLED` are left out.
    """
    methods = (name for name, method in vars(kind).items() if isinstance(method, FunctionType))
    return frozenset(n for n in methods if n.startswith("__") and (made or n not in UNCALLED))


@functools.lru_cache(maxsize=1000)
def _find_slots(kind: Any) -> frozenset[str]:
    """Return the names in `__slots__` of a class and its bases; each may be a single string."""
    found = [vars(base).get("__slots__", ()) for base in kind.__mro__]
    none: frozenset[str] = frozenset()
    return none.union(*((slots,) if isinstance(slots, str) else slots for slots in found))
