"""What a function reads besides its arguments, which compiled code takes as it is.

A function reads what it closes over, globals, defaults, attributes and elements. All that its code
names is found by a walk that starts at the function. So it is seen whether a run of the function
changes some of it, which code that runs for all rows at once would not do, and whether somebody
has changed it since.
"""

from __future__ import annotations

import functools
import itertools
import operator
import pickle
import random
import sys
import sysconfig
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import CellType, CodeType, FunctionType, MappingProxyType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from ..core import modes, ops
from ..core.value import Value

OURS = {"autograd", "numpy"}
STANDARD = sys.stdlib_module_names | OURS  # these are taken to stay as they are
INSTALLED = tuple({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
PLAIN = (int, float, complex, str, bytes, type(None), range, np.generic)
GENERATORS = (*(random.Random, np.random.RandomState, np.random.Generator, np.random.BitGenerator),)
LARGE = 100_000  # the elements of a larger list or array are not looked at
SEQUENCES = (list, deque, set, frozenset, tuple, np.ndarray)
MAPPINGS = (dict, MappingProxyType)
PARTS = ("__self__", "__func__", "__wrapped__", "func", "args", "keywords", "fget")
OF_A_FUNCTION = frozenset({"__code__", "__defaults__", "__kwdefaults__"})
MAKERS = {"__init__", "__new__", "__post_init__"}
UNCALLED = MAKERS | {"__repr__", "__str__", "__hash__", "__setattr__", "__delattr__"}
BY_NAME = frozenset({"vars", "getattr", "__dict__", "attrgetter"})  # what reads any attribute


class Holder(NamedTuple):
    """Something that holds what a function reads.

    Attributes:
        path: what it is called in messages.
        held: a mapping, a sequence, the cell of a closure, or an object with slots.
        names: which entries of a mapping, or which slots, are read; None for all.
    """

    path: str
    held: Any
    names: frozenset[str] | None = None

    def contents(self) -> dict[Any, Any]:
        """What it holds now."""
        held, names = self.held, self.names
        if names is None:
            return dict(held) if isinstance(held, dict) else dict(enumerate(_listed(held)))
        if isinstance(held, MAPPINGS):
            return {name: held[name] for name in names if name in held}
        return {name: getattr(held, name) for name in names if hasattr(held, name)}

    def called(self, key: Any) -> str:
        """What an entry is called in messages."""
        if isinstance(self.held, CellType):
            return self.path
        if self.names is None:
            return f"{self.path}[{key!r:.40}]"
        return f"{self.path}.{key}" if self.path else str(key)

    def reader(self, keys: list[Any]) -> Callable[[Any], Any]:
        """What reads these entries of `held`, quickly, as one tuple."""
        if isinstance(self.held, (*MAPPINGS, list)):
            return operator.itemgetter(*keys, keys[0])  # of one key alone it would give no tuple
        return operator.attrgetter(*keys, keys[0]) if self.names is not None else _listed


def _listed(held: Any) -> tuple[Any, ...]:
    """The elements of a sequence or of the cell of a closure."""
    if isinstance(held, CellType):
        try:
            return (held.cell_contents,)
        except ValueError:  # it is empty
            return ()
    return tuple(held.ravel().tolist() if isinstance(held, np.ndarray) else held)


Written = set[tuple[int, Any]]  # entries of holders, by the id of what holds them, and their key


class Reach:
    """All that the code of a function names and can get at.

    Args:
        function: where the walk begins.
        written: entries that the function sets itself, which are not looked at.
        settings: those that it asks for.

    Attributes:
        holders: what holds it.
        values: the Values among it.
        arrays: the arrays of numbers among it, by what they are called.
        objects: the objects of classes that are looked into.
        sources: the generators of random numbers and the iterators, by what they are called.
    """

    def __init__(
        self, function: Any, written: Written | None = None, settings: Iterable[str] = ()
    ) -> None:
        self._function, self.written = function, written or set()
        self._settings = [(f"the setting {name}", modes.setting(name)) for name in settings]
        self._names: frozenset[str] = frozenset()
        known: frozenset[str] | None = None
        while known != self._names:  # with more names there may be more to look at
            known = self._names
            self._walk()

    def _walk(self) -> None:
        self.holders: list[Holder] = []
        self.values: list[Value] = []
        self.arrays: list[tuple[str, Any]] = []
        self.objects: list[Any] = []
        self.sources: list[tuple[str, Any]] = [
            ("the module random", random.random.__self__),  # type: ignore[attr-defined]
            ("np.random", np.random.get_state.__self__),  # type: ignore[attr-defined]
        ]
        seen: dict[int, Any] = {}
        # What it is called, the thing, and the names in the code that names the thing itself
        stack: list[tuple[str, Any, frozenset[str] | None]]
        stack = [(path, thing, None) for path, thing in (*self._settings, ("", self._function))]
        while stack and len(seen) < LARGE:
            path, thing, names = stack.pop()
            if isinstance(thing, PLAIN) or id(thing) in seen:
                continue
            seen[id(thing)] = thing  # kept, so that no other thing gets its id
            stack += [(path, part, None) for part in _parts(thing)]
            for holder in self._holders_in(path, thing, names):
                self.holders.append(holder)
                inside = holder.names if isinstance(thing, (FunctionType, ModuleType)) else None
                for key, inner in holder.contents().items():
                    if (id(holder.held), key) not in self.written:
                        stack.append((holder.called(key), inner, inside))

    def _holders_in(self, path: str, thing: Any, names: frozenset[str] | None) -> Iterator[Holder]:
        """What holds the parts of a thing; `names` are those in the code that names it."""
        if isinstance(thing, Value):
            self.values.append(thing)
        elif isinstance(thing, GENERATORS) or _is_iterator(thing):
            self.sources.append((path, thing))
        elif isinstance(thing, np.ndarray):
            if thing.dtype != object:
                self._add_array(path, thing, thing.size)
            elif thing.size <= LARGE:
                yield Holder(path, thing)
        elif isinstance(thing, (array, bytearray)):
            self._add_array(path, thing, len(thing))
        elif isinstance(thing, FunctionType):
            if not foreign(thing.__module__):
                yield from self._in_function(thing)
        elif isinstance(thing, ModuleType):
            if not foreign(thing.__name__):
                yield Holder(path, vars(thing), self._names if names is None else names)
        elif isinstance(thing, type):
            for base in thing.__mro__:
                if not foreign(base.__module__):
                    special = _special(base, made=names is not None)
                    yield Holder(path, base.__dict__, self._names | special)
        else:
            yield from self._in_object(path, thing)

    def _add_array(self, path: str, numbers: Any, size: int) -> None:
        if size <= LARGE:
            self.arrays.append((path, numbers))

    def _in_function(self, function: FunctionType) -> Iterator[Holder]:
        code = function.__code__
        names = frozenset(_names_in(code))
        self._names |= names
        yield Holder("", function.__globals__, names)
        for name, cell in zip(code.co_freevars, function.__closure__ or ()):
            yield Holder(name, cell)
        yield Holder(function.__name__, function, OF_A_FUNCTION)
        yield Holder(function.__name__, vars(function), self._names)

    def _in_object(self, path: str, thing: Any) -> Iterator[Holder]:
        if isinstance(thing, dict) or (isinstance(thing, SEQUENCES) and len(thing) <= LARGE):
            yield Holder(path, thing)
        if type(thing).__module__.partition(".")[0] in OURS:
            return
        every = bool(BY_NAME & self._names)
        if hasattr(thing, "__dict__"):
            yield Holder(path, vars(thing), self._names | (vars(thing).keys() if every else set()))
        if foreign(type(thing).__module__):
            return
        self.objects.append(thing)
        slots = frozenset(name for base in type(thing).__mro__ for name in _slots(base))
        if slots:
            yield Holder(path, thing, slots if every else slots & self._names)

    # ------------------------------------------------------------------ changes

    def states(self) -> list[Any]:
        """In which state each source of numbers is."""
        return [_state(source) for _, source in self.sources]

    def moved(self, before: list[Any]) -> str:
        """What a source is called that is no longer in the state it was in; "" if all are."""
        for (path, _), old, new in zip(self.sources, before, self.states()):
            if old != new:
                return path
        return ""

    def put_back(self, states: list[Any]) -> None:
        """Put the generators of random numbers back into these states."""
        for (_, source), state in zip(self.sources, states):
            _set_state(source, state)

    def contents(self) -> list[Any]:
        """All that is held now."""
        held: list[Any] = [holder.contents() for holder in self.holders]
        return held + [_bytes(numbers) for _, numbers in self.arrays]

    def changed(self, before: list[Any]) -> str:
        """What was changed that is more than a Value which is kept; "" if nothing was.

        Values that are kept are noted in `written`.
        """
        after, count = self.contents(), len(self.holders)
        for (path, _), old, new in zip(self.arrays, before[count:], after[count:]):
            if old != new:
                return f"the array {path} has other numbers after a run"
        for holder, old, new in zip(self.holders, before, after):
            if holder.names is None and len(old) != len(new):
                return f"{holder.path} has {len(new)} elements after a run, and had {len(old)}"
            for key in old.keys() | new.keys():
                was, now = old.get(key, _NOTHING), new.get(key, _NOTHING)
                if same(was, now):
                    continue
                if not _is_kept(now):
                    return f"{holder.called(key)} is {now!r:.40} after a run, and was {was!r:.40}"
                self.written.add((id(holder.held), key))
        return ""


class Guard:
    """Tells whether all that a function reads is as it was when this was made.

    Args:
        reach: what it reads.
        numbers: Values whose numbers have become part of the code.
        settings: those that it asks for, which others than we set.
    """

    def __init__(self, reach: Reach, numbers: list[Value], settings: set[str]) -> None:
        self._reads: list[tuple[Callable[[Any], Any], Any]] = []
        self._sized: list[Any] = []
        for holder in reach.holders:
            if isinstance(holder.held, (tuple, frozenset)):
                continue  # it never changes
            keys = [
                key
                for key, thing in holder.contents().items()
                if (id(holder.held), key) not in reach.written
                and not _is_library(thing)
                and not _is_for_a_look(thing, numbers)
            ]
            if keys:
                self._reads.append((holder.reader(keys), holder.held))
            if _is_sized(holder):
                self._sized.append(holder.held)
        self._sizes = list(map(len, self._sized))
        self._missing = _Missing(reach.holders)
        self._objects, self._kinds = reach.objects, list(map(type, reach.objects))
        self._numbers = numbers
        self._settings = sorted(settings)
        self._arrays = [numbers for _, numbers in reach.arrays]
        self._expected, self._looks = self._found(), self._looked()

    def holds(self) -> bool:
        """Whether nothing has changed."""
        try:
            found = self._found()
        except (AttributeError, LookupError):  # something is no longer there
            return False
        if not all(map(operator.is_, found, self._expected)):
            if len(found) != len(self._expected) or not all(map(same, found, self._expected)):
                return False
            self._expected = found
        return (
            list(map(len, self._sized)) == self._sizes
            and list(map(type, self._objects)) == self._kinds
            and self._missing.holds()
            and all(map(_equal, self._looks, self._looked()))
        )

    def _found(self) -> list[Any]:
        found: list[Any] = []
        add = found.extend
        for read, held in self._reads:
            add(read(held))
        return found

    def _looked(self) -> list[Any]:
        """Numbers, the bytes of arrays, and settings that others than we set."""
        return [
            *[repr(v.data) for v in self._numbers],
            *map(_bytes, self._arrays),
            *map(modes.setting, self._settings),
        ]


class _Missing:
    """Names that were read and were not there, as of an attribute that the class has instead."""

    def __init__(self, holders: list[Holder]) -> None:
        missing: dict[int, tuple[Any, set[str]]] = {}  # by the id of what does not hold them
        for holder in holders:
            if holder.names is not None:
                _, names = missing.setdefault(id(holder.held), (holder.held, set()))
                names.update(holder.names.difference(holder.contents()))
        # Each name is looked for among few entries, or each of few names among the entries
        self._small: tuple[list[frozenset[str]], list[Any]] = ([], [])
        self._large: tuple[list[Any], list[str]] = ([], [])
        self._slots: list[tuple[Any, str]] = []
        for held, names in missing.values():
            if not isinstance(held, MAPPINGS):
                self._slots += [(held, name) for name in names]
            elif len(held) < len(names):
                self._small[0].append(frozenset(names))
                self._small[1].append(held)
            else:
                self._large[0].extend([held] * len(names))
                self._large[1].extend(names)

    def holds(self) -> bool:
        """Whether they are still missing."""
        return (
            all(map(frozenset.isdisjoint, *self._small))
            and not any(map(operator.contains, *self._large))
            and not any(hasattr(held, name) for held, name in self._slots)
        )


_NOTHING = object()


def _is_sized(holder: Holder) -> bool:
    """Whether another number of entries means that something else may be read.

    So it is for a class: it may get a method that no code names, as an operator.
    """
    whole = holder.names is None and isinstance(holder.held, (dict, *SEQUENCES))
    return whole or isinstance(holder.held, MappingProxyType)


def _equal(a: Any, b: Any) -> bool:
    """Whether two things are one, or say that they are equal; an array says nothing."""
    return a is b or (type(a) is type(b) and (a == b) is True)


def _parts(thing: Any) -> list[Any]:
    """What a thing has for good: its class, and the function of a method or a partial."""
    if isinstance(thing, (Value, np.ndarray, ModuleType, type)):
        return []
    if standard(type(thing).__module__):
        return [getattr(thing, name, None) for name in PARTS]
    return [] if foreign(type(thing).__module__) else [type(thing)]


def same(a: Any, b: Any) -> bool:
    """Whether two things are one, or equal plain numbers or texts of one type."""
    return a is b or (type(a) is type(b) and isinstance(a, PLAIN) and repr(a) == repr(b))


def _is_kept(thing: Any) -> bool:
    """Whether this is a Value that was computed, or a list of such."""
    return isinstance(thing, Value) or (
        isinstance(thing, (list, tuple)) and all(map(_is_kept, thing))
    )


def standard(module: str | None) -> bool:
    """Whether a module is of this package, of NumPy or of Python itself."""
    return str(module).partition(".")[0] in STANDARD


@functools.cache
def foreign(module: str | None) -> bool:
    """Whether a module is taken to stay as it is: a standard one, or one that is installed.

    An installed module that has something of this package in it may define layers and costs, and
    is looked into like a user's.
    """
    found = sys.modules.get(str(module))
    file = getattr(found, "__file__", None) or ""
    return standard(module) or (
        file.startswith(INSTALLED) and not any(map(_of_this_package, vars(found).values()))
    )


def _of_this_package(thing: Any) -> bool:
    """Whether this is a module, class, function or operation of this package."""
    if isinstance(thing, ModuleType):
        name = thing.__name__
    else:
        named = thing if isinstance(thing, (type, FunctionType)) else type(thing)
        name = str(named.__module__)
    return name.partition(".")[0] == __name__.partition(".")[0]


def _names_in(code: CodeType) -> Iterator[str]:
    """The globals and attributes that code names, also as text and in functions inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)
        elif isinstance(constant, str) and constant.isidentifier():
            yield constant


def _special(kind: type, made: bool) -> frozenset[str]:
    """The methods of a class that are called without being named, as by an operator.

    `made` tells whether its objects may be made, and not only used.
    """
    methods = (name for name, method in vars(kind).items() if isinstance(method, FunctionType))
    return frozenset(n for n in methods if n.startswith("__") and (made or n not in UNCALLED))


def _bytes(numbers: Any) -> bytes:
    """The content of an array."""
    return numbers.tobytes() if isinstance(numbers, np.ndarray) else bytes(memoryview(numbers))


def _is_iterator(thing: Any) -> bool:
    """Whether this is an iterator of Python's own, which shows only where it stands."""
    return isinstance(thing, Iterator) and standard(type(thing).__module__)


def _is_library(thing: Any) -> bool:
    """Whether this is a module or a class that is taken to stay as it is."""
    if isinstance(thing, ModuleType):
        return foreign(thing.__name__)
    return isinstance(thing, type) and foreign(thing.__module__)


def _is_for_a_look(thing: Any, numbers: list[Value]) -> bool:
    """Whether this is a Value that was computed and is kept, which no code is made of."""
    return isinstance(thing, Value) and thing.op is not ops.leaf and thing not in numbers


def _slots(kind: type) -> Iterator[str]:
    slots = vars(kind).get("__slots__", ())
    yield from (slots,) if isinstance(slots, str) else slots


def _state(source: Any) -> Any:
    """The state of a generator of random numbers or an iterator, to be compared."""
    if isinstance(source, random.SystemRandom):
        return None  # the system's chance has no state
    if isinstance(source, random.Random):
        return source.getstate()
    if isinstance(source, np.random.RandomState):
        return pickle.dumps(source.get_state(legacy=False))
    if isinstance(source, GENERATORS):
        return pickle.dumps(_bits(source).state)
    if isinstance(source, itertools.count):
        return repr(source)
    if frame := getattr(source, "gi_frame", None):
        return frame.f_lasti, repr(frame.f_locals)
    left = operator.length_hint(source, -1)
    return left if left >= 0 else object()  # where it cannot be seen it is taken to have moved


def _set_state(source: Any, state: Any) -> None:
    if isinstance(source, random.SystemRandom):
        return
    if isinstance(source, random.Random):
        source.setstate(state)
    elif isinstance(source, np.random.RandomState):
        source.set_state(pickle.loads(state))
    elif isinstance(source, GENERATORS):
        _bits(source).state = pickle.loads(state)


def _bits(source: Any) -> Any:
    """The bit generator of NumPy in a generator, or the generator itself."""
    return getattr(source, "bit_generator", source)
