"""Functions on parameters: check that they are Values, and set their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from autograd import Value

from .settings import instance, several


def values_in(parameters: Iterable[Value]) -> list[Value]:
    """Return the parameters as a list.

    Raises:
        TypeError: `parameters` holds something other than Values.
    """
    expected = "parameters are Values, as in model.parameters()"
    found = [parameters] if isinstance(parameters, Value) else several(parameters, expected)
    for p in found:
        instance(p, Value, expected)
    return found


def move(params: Sequence[Value], data: Sequence[float]) -> None:
    """Set the parameters to these numbers: all of them or, if interrupted, none."""
    before = [p.data for p in params]
    try:
        for p, x in zip(params, data):
            p.data = x
    except BaseException:
        for p, x in zip(params, before):
            p.data = x
        raise
