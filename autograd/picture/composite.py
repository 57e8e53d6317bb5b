"""Functions that are drawn as one box: those that make their nodes in a scope named `name()`.

So `softmax` is one box although it is built from maximum, exp and division. The box opens to its
parts: on a page by a click, in `draw` by `open="softmax()"`. A user's own function becomes such a
box by `with scope("attention()")`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..core.graph import shown_args
from ..core.value import Value

ENDING = "()"


def is_composite(scope: str) -> bool:
    """Return True if a scope is that of one function.

    >>> is_composite("layer1.softmax()"), is_composite("layer1")
    (True, False)
    """
    return scope.endswith(ENDING)


def composite_of(scope: str, opened: Collection[str] = ()) -> str:
    """Return the outermost scope of a function that contains `scope` and is not open; else "".

    >>> composite_of("layer1.softmax().part")
    'layer1.softmax()'
    """
    parts = scope.split(".")
    for i, part in enumerate(parts):
        outer = ".".join(parts[: i + 1])
        if is_composite(part) and not any(f"{name}.".startswith(f"{outer}.") for name in opened):
            return outer
    return ""


def title_of(scope: str) -> str:
    """Return the name of a function as it is drawn.

    >>> title_of("layer1.softmax()")
    'softmax'
    """
    return scope.rpartition(".")[2].removesuffix(ENDING)


def single_output(inside: Collection[Value], order: Iterable[Value]) -> Value | None:
    """Return the only one of these nodes that others use, or that is the output; else None."""
    nodes, last = set(inside), None
    used: dict[Value, None] = {}
    for node in order:
        last = node
        if node not in nodes:
            used.update((arg, None) for arg in shown_args(node) if arg in nodes)
    if last in nodes:
        used[last] = None
    return next(iter(used)) if len(used) == 1 else None
