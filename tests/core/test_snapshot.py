"""Tests of `snapshot`: the compiled loop and the one in plain Python notice the same changes."""

from __future__ import annotations

from collections.abc import Callable
from types import CellType
from typing import Any

import pytest

from autograd.core.snapshot import Snapshot, Watched


class Thing:
    """An object whose class may change."""


class Other(Thing):
    """Another class."""


def function(x: float, y: float = 1.0, *, z: float = 2.0) -> float:
    return x + y + z


def make_watched() -> list[Any]:
    """Return an object of each kind, and two that are empty."""
    return [{"a": [1], "b": [2]}, [[1], [2]], {}, CellType([1]), CellType(), [], Thing()]


KEYS: list[list[Any]] = [["a"], [0], [], [0], [], [], ["__class__"]]

CHANGES: dict[str, Callable[[list[Any]], object]] = {
    "an entry of a dict": lambda things: things[0].update(a=[1]),
    "a new key": lambda things: things[0].update(c=[1]),
    "a key less": lambda things: things[0].pop("b"),
    "a key in place of another": lambda things: things[0].update(c=things[0].pop("b")),
    "a key in an empty dict": lambda things: things[2].update(a=[1]),
    "no key": lambda things: things[0].clear(),
    "an element of a list": lambda things: things[1].__setitem__(0, [1]),
    "an element more": lambda things: things[1].append([2]),
    "an element less": lambda things: things[1].pop(),
    "an element in an empty list": lambda things: things[5].append([1]),
    "the content of a cell": lambda things: setattr(things[3], "cell_contents", [1]),
    "the content of an empty cell": lambda things: setattr(things[4], "cell_contents", [1]),
    "no content": lambda things: delattr(things[3], "cell_contents"),
    "a class": lambda things: setattr(things[6], "__class__", Other),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_noticed(name: str) -> None:
    things = make_watched()
    snapshot = Snapshot(map(Watched, things, KEYS))
    assert snapshot.is_current()
    CHANGES[name](things)
    assert not snapshot.is_current()
    assert Snapshot(map(Watched, things, KEYS)).is_current()


def test_a_change_of_what_is_not_watched_is_none() -> None:
    things = make_watched()
    snapshot = Snapshot(map(Watched, things, KEYS))
    things[0]["b"], things[1][1] = 5, 5
    assert snapshot.is_current()


@pytest.mark.parametrize(
    ("name", "new"),
    [
        ("__code__", (lambda x, y, *, z: x).__code__),
        ("__defaults__", (5.0,)),
        ("__defaults__", None),
        ("__kwdefaults__", {"z": 2.0}),
        ("__kwdefaults__", None),
    ],
)
def test_a_change_of_a_function_is_noticed(
    name: str, new: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = ["__code__", "__defaults__", "__kwdefaults__"]
    snapshot = Snapshot([Watched(function, keys)])
    assert snapshot.is_current()
    monkeypatch.setattr(function, name, new)
    assert not snapshot.is_current()
    assert Snapshot([Watched(function, keys)]).is_current()
