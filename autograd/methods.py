"""The methods of `Value` that call what is built on it: the backward pass, the tools, the pages.

`Value` itself, in `core/value.py`, knows the operations alone. This module comes last and gives it
the rest, so that imports point one way. For type checkers `Value` derives from `Methods`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from types import FunctionType
from typing import Any

from . import micrograd
from .core import backprop, boundary, copies, modes
from .core.value import Value
from .page import Page, graph_page
from .picture.card import card
from .picture.draw import draw
from .picture.render import Drawing
from .teach.explain import Explanation, Nudge, Sensitivity, explain, nudge, sensitivity
from .teach.stepper import Stepper

A_COPY = ("a Value is copied with its number", "use the Value itself, or v.detach()")


class Methods:
    """What every `Value` has besides its operations."""

    # ------------------------------------------------------------------ the backward pass

    def backward(self: Any, gradient: float = 1.0) -> None:
        """Let gradients flow back from here to every node it is made of.

        Intermediate nodes get the gradient of this call, leaves add it to theirs. More:
        `autograd.core.backprop.backward`.
        """
        backprop.backward(self, gradient)

    def recompute(self: Any) -> Value:
        """Evaluate the graph again, in place, from the data now in its leaves.

        More: `autograd.core.backprop.recompute`.
        """
        return backprop.recompute(self)

    def zero_grad(self: Any) -> None:
        """Empty the gradient of every node it is made of, leaves included.

        More: `autograd.core.backprop.zero_grad`.
        """
        backprop.zero_grad(self)

    # ------------------------------------------------------------------ teaching

    def stepper(self: Any, gradient: float = 1.0) -> Stepper:
        """Drive the backward pass by hand, one multiplication at a time.

        More: `autograd.teach.stepper.Stepper`.
        """
        return Stepper(self, gradient)

    def explain(self: Any, node: Value | str, max_paths: int = 10) -> Explanation:
        """Every path by which a node reaches this output: symbols, numbers, product, sum.

        More: `autograd.teach.explain.explain`.
        """
        return explain(self, node, max_paths)

    def nudge(self: Any, node: Value | str, amount: float) -> Nudge:
        """What a small change of a node does, as its gradient predicts and as it really is.

        More: `autograd.teach.explain.nudge`.
        """
        return nudge(self, node, amount)

    def sensitivity(self: Any) -> Sensitivity:
        """The leaves ranked by the size of their gradient.

        More: `autograd.teach.explain.sensitivity`.
        """
        return sensitivity(self)

    # ------------------------------------------------------------------ pictures

    def draw(self: Any, **options: Any) -> Drawing:
        """The graph as a picture: data, gradients, and what flows along its edges.

        Options and more: `autograd.picture.draw.draw`.
        """
        return draw(self, **options)

    def page(self: Any, **options: Any) -> Page:
        """A page that plays both passes over the graph, which a notebook shows.

        Options and more: `autograd.page.graph_page`.
        """
        return graph_page(self, **options)

    def save_html(self: Any, path: str | os.PathLike[str], **options: Any) -> str:
        """Write a page that plays both passes over the graph, and return its path.

        The page is one file that needs no network and no server: stepping, every path of a
        gradient, leaves to edit, steps downhill, a quiz. Options and more:
        `autograd.page.graph_page`.

        Raises:
            OSError: the file cannot be written; what stood there is untouched.
        """
        file = boundary.path(path)  # before the page is made, which takes time
        return graph_page(self, **options).save(file)

    def _repr_html_(self: Any) -> str | None:
        """What a notebook shows."""
        return card(self)

    # ------------------------------------------------------------------ copies

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> Value:
        modes.for_the_engine(*A_COPY)
        return copies.copied(self, memo)

    def __reduce__(self: Any) -> tuple[Any, ...]:
        modes.for_the_engine(*A_COPY)
        return copies.packed(self)

    # ------------------------------------------------------------------ micrograd's names

    def _made_by_hand(self: Any, children: Any, op: str) -> None:
        micrograd.adopt(self, children, op)

    @property
    def _prev(self: Any) -> set[Value]:
        """micrograd's set of operands."""
        return set(self.args)

    @property
    def _op(self: Any) -> str:
        """micrograd's name of the operation."""
        return micrograd.op_name(self)

    @property
    def _backward(self: Any) -> Callable[[], None]:
        """micrograd's closure: pushes this node's gradient to its operands, once a call."""
        return lambda: backprop.push(self)

    @_backward.setter
    def _backward(self: Any, function: Callable[[], None]) -> None:
        micrograd.set_backward(self, function)


OF_EVERY_CLASS = {"__module__", "__doc__", "__dict__", "__weakref__"}


def bind(kind: type, methods: type) -> None:
    """Give a class the methods of another, as if they were written in it."""
    for name, method in vars(methods).items():
        if name not in OF_EVERY_CLASS:
            if isinstance(method, FunctionType):
                method.__qualname__ = f"{kind.__qualname__}.{name}"
            setattr(kind, name, method)


bind(Value, Methods)
