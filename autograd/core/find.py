"""Find a node of a graph by its label or its formula."""

from __future__ import annotations

import difflib
import re

from . import ops
from .boundary import quoted
from .graph import topological_order
from .notation import expression, name
from .terminal import fitted, spell
from .value import Value


def find(root: Value, wanted: Value | str) -> Value:
    """Find a node of the graph by its label or formula, or check that the graph has the node.

    A formula may be written as it is shown or as it is typed: `w·x` and `w*x` are the same.

    Raises:
        KeyError: no node, or more than one, has this label or formula.
        ValueError: the node is not part of the graph.
        TypeError: `wanted` is neither a node nor a string.

    >>> w, x = Value(2.0, label="w"), Value(3.0, label="x")
    >>> y = w * x - 1.0
    >>> find(y, "w") is w, find(y, "w*x") is find(y, "w·x") is y.args[0]
    (True, True)
    """
    order = topological_order(root)
    if isinstance(wanted, Value):
        if wanted not in set(order):
            raise ValueError(f"{wanted!r} is not part of the graph of {root!r}")
        return wanted
    if not isinstance(wanted, str):
        raise TypeError(f"expected a node, its label or its formula, got {quoted(wanted)}")
    found = [node for node in order if node.label == wanted] if wanted else []
    found = found or _with_formula(wanted, order)
    if len(found) == 1:
        return found[0]
    if found:
        kind = "labelled" if found[0].label == wanted else "written"
        raise LabelError(
            f"{len(found)} nodes are {kind} {wanted!r}: pass the node itself, not its name"
        )
    labels = list(dict.fromkeys(str(node.label) for node in order if node.label))
    near = ", ".join(map(repr, nearest(wanted, labels)))
    hint = f"the nearest are {near}" if near else "no node has a label yet"
    raise LabelError(f"no node is labelled {wanted!r}: {hint}")


def _with_formula(wanted: str, order: list[Value]) -> list[Value]:
    """Return the nodes whose formula or displayed name equals the formula `wanted`."""
    typed = _typed(wanted)
    return [
        node
        for node in order
        if typed in {_typed(term.text) for term in (name(node), expression(node))}
    ]


def _typed(formula: str) -> str:
    """Return one common spelling, as for w·x, w*x and (w * x), or 2(a − 1)² and 2*(a-1)**2."""
    text = spell("".join(formula.split())).replace("**", "^")
    for row in ops.TABLE.values():
        text = text.replace(f"{row.name}(", f"{spell(row.symbol)}(")
    text = re.sub(r"\*(?=\()|(?<![\w.])([\d.]+)\*(?=[^\W\d])", r"\1", text)
    return text[1:-1] if re.fullmatch(r"\([^()]*\)", text) else text


def nearest(wanted: str, names: list[str]) -> list[str]:
    """Return the names most similar to `wanted`, or the first six if none is similar.

    >>> nearest("wieght", ["bias", "weight"])
    ['weight']
    """
    return difflib.get_close_matches(wanted, names, n=3, cutoff=0.3) or names[:6]


def find_variable(root: Value, wanted: Value | str) -> Value:
    """Find a node as `find` does, and refuse a constant, which has no gradient.

    Raises:
        ValueError: the node is a constant.
    """
    node = find(root, wanted)
    if node.op is ops.constant:
        raise ValueError(
            f"{node.label or node.data} is a constant: it cannot move and has no gradient"
        )
    return node


class LabelError(KeyError):
    """No node, or more than one, has the label or formula that was asked for.

    >>> x = Value(1.0, label="x")
    >>> (x * x).explain("y")
    Traceback (most recent call last):
    autograd.core.find.LabelError: ...
    """

    @fitted
    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would print the repr, quotes and all
