"""Static arguments: those that are the same for all rows, so that their values become code.

`Compiled` splits the arguments of a call with a `Splitter`, and compiles a `Bound` function for
each value of the static ones.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from ..core.boundary import quoted, several

Static = tuple["str | int", ...]


def check_static(static: Any) -> Static:
    """Return the names and positions of static arguments as a tuple.

    Raises:
        TypeError: `static` is no name, no position, and no list of them.
        ValueError: a position is negative.
    """
    expected = "static is the name or the position of an argument, or a list of them"
    alone = isinstance(static, (str, int)) and not isinstance(static, bool)
    found = (static,) if alone else tuple(several(static, expected))
    for one in found:
        if not isinstance(one, (str, int)) or isinstance(one, bool):
            raise TypeError(f"{expected}; got {quoted(one)}")
        if isinstance(one, int) and one < 0:
            raise ValueError(f"a position of a static argument counts from 0, got {one}")
    return found


class Splitter:
    """Splits the arguments of a call into the static ones and those that have rows.

    Args:
        function: the function, or an object with a method `forward`.
        static: names and positions.

    Raises:
        ValueError: the function has no such argument.
    """

    def __init__(self, function: Callable[..., Any], static: Static) -> None:
        self._signature = _find_signature(function)
        known = list(self._signature.parameters.values()) if self._signature else []
        names = [p.name for p in known]
        places = [p.name for p in known if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        endless = self._signature is None or any(p.kind == p.VAR_POSITIONAL for p in known)
        for one in static:
            if one not in names and not (isinstance(one, int) and (endless or one < len(places))):
                what = f"no argument {one!r}" if isinstance(one, str) else f"no argument {one}"
                raise ValueError(f"the function has {what} to be static: it has {', '.join(names)}")
        numbers = {one for one in static if isinstance(one, int)}
        self.names = {one for one in static if isinstance(one, str)}
        self.names |= {name for i, name in enumerate(places) if i in numbers}
        self.places = numbers | {i for i, name in enumerate(places) if name in self.names}

    def split(
        self, arguments: tuple[Any, ...], named: Mapping[str, Any]
    ) -> tuple[dict[int | str, Any], tuple[Any, ...]]:
        """Return the static arguments, by position or name, and the others.

        Raises:
            TypeError: an argument that is given by name is not static.
        """
        for name in named:
            if name not in self.names:
                raise TypeError(
                    f"only static arguments are given by name, and {name!r} is none: give it by "
                    f"position, with a row for each example"
                )
        fixed: dict[int | str, Any] = {i: x for i, x in enumerate(arguments) if i in self.places}
        fixed.update(named)
        return fixed, tuple(x for i, x in enumerate(arguments) if i not in self.places)

    def name_argument(self, at: int | str) -> str:
        """Return the name of an argument, given by position or name."""
        names = list(self._signature.parameters) if self._signature else []
        return names[at] if isinstance(at, int) and at < len(names) else str(at)

    def make_key(self, fixed: Mapping[int | str, Any]) -> Any:
        """Return a key that differs for static arguments that differ in value or type.

        Raises:
            TypeError: a static argument cannot be hashed.
        """
        for at, x in fixed.items():
            try:
                hash(x)
            except TypeError:
                raise TypeError(
                    f"the static argument {self.name_argument(at)} is hashed, and "
                    f"{quoted(x)} cannot be: give a tuple for a list. An argument with rows is "
                    f"not static"
                ) from None
        return tuple((at, _distinguish(x)) for at, x in fixed.items())

    def bind(self, function: Callable[..., Any], fixed: Mapping[int | str, Any]) -> Bound:
        """Return the function of the other arguments."""
        bound = Bound(function, fixed)
        if self._signature:
            others = [
                p
                for i, p in enumerate(self._signature.parameters.values())
                if p.name not in self.names and i not in self.places
            ]
            bound.__signature__ = self._signature.replace(parameters=others)
        return bound


class Bound:
    """A function with its static arguments, to be called with the others.

    `Reach` follows the attributes `func`, `args` and `keywords`, as those of `functools.partial`.
    """

    __signature__: inspect.Signature

    def __init__(self, function: Callable[..., Any], fixed: Mapping[int | str, Any]) -> None:
        self.func = function
        self.args = {at: x for at, x in fixed.items() if isinstance(at, int)}
        self.keywords = {at: x for at, x in fixed.items() if isinstance(at, str)}

    def __call__(self, *rows: Any) -> Any:
        """Call the function with all arguments in their order."""
        others, given = iter(rows), []
        for i in range(len(rows) + len(self.args)):
            given.append(self.args[i] if i in self.args else next(others))
        return self.func(*given, **self.keywords)


def _find_signature(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(getattr(function, "forward", function))
    except (TypeError, ValueError):
        return None


def _distinguish(x: Any) -> Any:
    """Return a key in which 1, 1.0, True, 0.0 and −0.0 differ, also inside of tuples."""
    if isinstance(x, tuple):
        return type(x), tuple(map(_distinguish, x))
    return type(x), (repr(x) if isinstance(x, float) else x)
