"""Snapshots of what objects hold, for a check that they still hold it.

A snapshot compares everything by identity, in one loop. In C this takes nanoseconds for each entry.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import chain
from types import CellType, FunctionType
from typing import Any, NamedTuple

from .twin import choice, twinned

KINDS = (dict, list, CellType, FunctionType)
IS_FAST = choice.twin is not None

ANY, END = object(), object()  # an entry that may change; the end of what an object holds


class Watched(NamedTuple):
    """An object, and the keys of its entries that must not change.

    Attributes:
        thing: a dict, a list, the cell of a closure or a function. Any other object has one entry,
            its class.
        keys: these keys. The object must not get or lose others, but their entries may change.
    """

    thing: Any
    keys: Collection[Any]


class Snapshot:
    """What some objects hold now.

    >>> box, names = [1.5, "a"], {"scale": 2.5}
    >>> snapshot = Snapshot([Watched(box, [0]), Watched(names, ["scale"])])
    >>> box[1] = "b"
    >>> snapshot.is_current()
    True
    >>> names["shift"] = 0.5
    >>> snapshot.is_current()
    False
    """

    def __init__(self, watched: Iterable[Watched]) -> None:
        self._things: list[Any] = []
        self._held: list[Any] = []
        for thing, keys in watched:
            self._things.append(thing)
            entries = read_entries(thing)
            held = [entry if key in keys else ANY for key, entry in entries.items()]
            self._held += chain.from_iterable(zip(entries, held)) if type(thing) is dict else held
            self._held.append(END)

    def is_current(self) -> bool:
        """Return True if the objects still hold the same objects, in the same order."""
        return hold(self._things, self._held, ANY, END)


def read_entries(thing: Any) -> dict[Any, Any]:
    """Return the entries of an object by their keys: names, indices or attributes.

    >>> read_entries([1.5, 2.5]), read_entries(2.5)
    ({0: 1.5, 1: 2.5}, {'__class__': <class 'float'>})
    """
    if type(thing) is dict:
        return thing
    if type(thing) is list:
        return dict(enumerate(thing))
    if type(thing) is CellType:
        try:
            return {0: thing.cell_contents}
        except ValueError:  # the cell is empty
            return {}
    if type(thing) is FunctionType:
        names = ("__code__", "__defaults__", "__kwdefaults__")
        return {name: getattr(thing, name) for name in names}
    return {"__class__": type(thing)}


@twinned
def hold(things: list[Any], held: list[Any], any: object, end: object) -> bool:
    """Return True if the objects hold the given ones: `any` stands for any, and `end` ends a list.

    The entries of a dict are given as key, entry, key, entry, and so on.
    """
    found: list[Any] = []
    for thing in things:
        entries = read_entries(thing)
        if type(thing) is dict:
            found += chain.from_iterable(entries.items())
        else:
            found += entries.values()
        found.append(end)
    return len(found) == len(held) and all(
        is_now is was or was is any for is_now, was in zip(found, held)
    )
