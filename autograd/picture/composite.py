"""Functions that are drawn as one box: those that make their nodes in a scope named `name()`.

So `softmax` is one box although it is built from maximum, exp and division. The box opens to its
parts: on a page by a click, in `draw` by `open="softmax()"`. A user's own function becomes such a
box by `with scope("attention()")`.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TypeVar

from ..core.graph import shown_args
from ..core.value import Value

ENDING = "()"
Function = TypeVar("Function", bound=Hashable)


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


def outputs_of(
    order: Sequence[Value], functions: Mapping[Value, Collection[Function]]
) -> dict[Function, list[Value]]:
    """Return the outputs of each function.

    An output is a node that another node uses outside the function, or the last node.

    Args:
        order: all nodes in topological order.
        functions: the functions that contain a node; a node in none may be missing.

    >>> x = Value(2.0)
    >>> y = x * x + 1.0
    >>> outputs_of([x, y.args[0], y.args[1], y], {x: ["f"], y.args[0]: ["f"]})
    {'f': [Value(data=4.0, grad=0.0)]}
    """
    used: dict[Function, dict[Value, None]] = {}
    for node in order:
        inside = functions.get(node, ())
        for arg in shown_args(node):
            for function in functions.get(arg, ()):
                if function not in inside:
                    used.setdefault(function, {})[arg] = None
    for function in functions.get(order[-1], ()):
        used.setdefault(function, {})[order[-1]] = None
    return {function: list(nodes) for function, nodes in used.items()}
