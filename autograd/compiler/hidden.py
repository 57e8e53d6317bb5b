"""The classes that Values have while a function is traced.

They raise an error if code outside this package reads a number, because the graph could then depend
on the number. A Value remains the same object; only its class is replaced:

    before and after    while traced
    Value               Hidden
    Shared              HiddenShared
"""

from __future__ import annotations

from typing import Any

from ..core import modes
from ..core.flat import Shared
from ..core.twin import give, twinned
from ..core.value import Value
from .errors import make_error


def _read_grad(value: Value) -> float:
    modes.refuse_outsiders("`.grad` of a Value is read", "compute the gradient outside")
    return _grad_slot.__get__(value)  # type: ignore[no-any-return]


_grad_slot: Any = Value.grad
_hidden_grad = property(_read_grad, _grad_slot.__set__)


class Hidden(Value):
    """A Value while a function is traced: only this package may read its number or gradient.

    Operations read the slot `_number`, so `data` may be slow here.
    """

    __slots__ = ()
    grad = _hidden_grad

    @property
    def data(self) -> float:
        """The number; outside this package, reading it raises `TraceError`."""
        if tracer := modes.find_tracer():
            tracer.refuse_reading(self.label)
        return self._number

    @data.setter
    def data(self, data: Any) -> None:
        raise make_error("`.data` of a Value is set", "compute a new Value instead")

    def __eq__(self, other: object) -> bool:  # beside `__hash__`, for the two belong together
        return super().__eq__(other)

    def __hash__(self) -> int:
        modes.refuse_outsiders(
            "a Value is looked for in a set or a dict",
            "compare by where, step or maximum; for the Value itself, not its number, use id(v)",
        )
        return object.__hash__(self)


class HiddenShared(Shared):
    """A `Shared` while a function is traced; its `data` refuses reads already."""

    __slots__ = ()
    grad = _hidden_grad


give(Hidden=Hidden, HiddenShared=HiddenShared)
_HIDDEN: dict[type, Any] = {Value: Hidden, Shared: HiddenShared}
_SHOWN: dict[type, Any] = {hidden: shown for shown, hidden in _HIDDEN.items()}


@twinned
def hide(nodes: list[Value]) -> list[Value]:
    """Give those that have one their hidden class, and return them."""
    found = []
    for node in nodes:
        if type(node) in _HIDDEN:
            node.__class__ = _HIDDEN[type(node)]
            found.append(node)
    return found


@twinned
def reveal(nodes: list[Value]) -> None:
    """Give each of these that is hidden its class back."""
    for node in nodes:
        if type(node) in _SHOWN:
            node.__class__ = _SHOWN[type(node)]
