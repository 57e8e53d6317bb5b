"""Translate operations and functions of Values to JavaScript, which computes the same numbers.

`tables` writes the operations of a page. `nn` calls `javascript` for activations and probabilities,
and `javascript_gradient` for the backward pass. A function of Values is traced, as by `compile`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..compiler import Trace, record_trace
from ..core import boundary
from ..core.boundary import several, text
from ..core.ops import MANY, Op, take
from ..core.term import LETTERS
from ..core.value import Value
from .expressions import write_arrow
from .record import plain

# The reserved words of JavaScript
RESERVED = (
    "arguments|await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|"
    "eval|export|extends|false|finally|for|function|if|implements|import|in|instanceof|interface|"
    "let|new|null|package|private|protected|public|return|static|super|switch|this|throw|true|try|"
    "typeof|var|void|while|with|yield"
)


def is_computable(row: Op) -> bool:
    """Return True if the page can compute the operation; leaves and constants need no computation.

    >>> from autograd import tanh
    >>> is_computable(tanh)
    True
    """
    return row.arity == 0 or row is take or write_functions(row)[0] != "null"


def write_functions(row: Op) -> tuple[str, list[str]]:
    """Write the value and the partials of a row as arrow functions; "null" if they are unknown."""
    if row.arity in (0, MANY):
        return "null", []
    letters = list(LETTERS[: row.arity])
    try:
        if row.array and row.array_partials:
            return write_arrow(letters, row.array), [
                write_arrow(["out", *letters], partial) for partial in row.array_partials
            ]
        value = javascript(row.value, letters)
        partials = [
            javascript(lambda *x, slot=slot: row.slope(slot, *x), ["out", *letters])
            for slot in range(row.arity)
        ]
    except (ArithmeticError, AttributeError, NotImplementedError, TypeError, ValueError):
        return "null", []  # made by hand, for numbers only, or of what JavaScript does not have
    return value, partials


def write_textbook_partials(row: Op) -> list[str]:
    """Write the partials in their textbook form; an empty list if the row has no such form."""
    reads = row.reads
    if reads is None or not row.array:
        return []
    names = ["out", *LETTERS[: row.arity]]
    return [javascript(lambda *x, slot=i: reads(*x)[slot], names) for i in range(row.arity)]


def javascript(function: Callable[..., Any], names: Sequence[str]) -> str:
    """Translate a function of Values to JavaScript.

    Args:
        function: takes Values, and returns one or a list of them.
        names: the names of its arguments in JavaScript.

    Raises:
        TraceError: the function reads the data of its arguments.
        ValueError: the function uses an operation that has no JavaScript, or a name is not a
            word of letters and digits.

    >>> javascript(lambda a: 2.0 * a, ["a"])
    '(a) => { const t2 = ((a, b) => +(a * b))((2.0), a); return t2; }'
    """
    names = _check_names(function, names)
    # These numbers are away from kinks, and inside the domain of most operations.
    trace, called = _trace_function(function, names, [0.5 + 0.125 * i for i in range(len(names))])
    statements = list(_statements(trace.nodes, called))
    outputs = ", ".join(called[id(v)] for v in trace.outputs)
    returned = f"[{outputs}]" if trace.shape else outputs
    return f"({', '.join(names)}) => {{ {' '.join([*statements, f'return {returned};'])} }}"


def javascript_gradient(
    function: Callable[..., Any], names: Sequence[str], at: Sequence[float]
) -> str:
    """Translate a function of Values and its backward pass to JavaScript.

    The JavaScript returns an array: the value, then the derivative by each argument.

    Args:
        function: takes Values, and returns one.
        names: the names of its arguments in JavaScript.
        at: a number for each argument, in the domain of the function.

    Raises:
        TraceError: the function reads the data of its arguments.
        ValueError: the function returns a list or uses an operation that has no JavaScript, a
            name is not a word of letters and digits, or `at` has too few or too many numbers.

    >>> print(*javascript_gradient(lambda a: 2.0 * a, ["a"], [1.0]).split("; "), sep="\\n")
    (a) => { const t2 = ((a, b) => +(a * b))((2.0), a)
    let d_a = 0.0, d_t2 = 1.0
    d_a += d_t2 * ((out, a, b) => +(a))(t2, (2.0), a)
    return [t2, d_a]
    }
    """
    names = _check_names(function, names)
    numbers = [boundary.finite(x, "at") for x in several(at, "at are numbers")]
    if len(numbers) != len(names):
        raise ValueError(f"at has {len(numbers)} number(s), and there are {len(names)} arguments")
    trace, called = _trace_function(function, names, numbers)
    if trace.shape:
        raise ValueError("the function returns a list; a gradient is that of one Value")
    statements = list(_statements(trace.nodes, called))
    (output,) = trace.outputs
    results = [called[id(v)] for v in trace.nodes if v.op.arity and v is not output]
    zeros = [f"d_{name} = 0.0" for name in [*names, *results] if name != called[id(output)]]
    statements.append(f"let {', '.join([*zeros, f'd_{called[id(output)]} = 1.0'])};")
    inputs = {id(leaf) for (leaf,) in trace.inputs}
    for node in reversed(trace.nodes):
        operands = ", ".join(["", *(called[id(arg)] for arg in node.args)])
        for arg, slope in zip(node.args, write_functions(node.op)[1]):
            if arg.op.arity or id(arg) in inputs:
                passed = f"d_{called[id(node)]} * ({slope})({called[id(node)]}{operands})"
                statements.append(f"d_{called[id(arg)]} += {passed};")
    slopes = ", ".join(f"d_{name}" for name in names)
    statements.append(f"return [{called[id(output)]}, {slopes}];")
    return f"({', '.join(names)}) => {{ {' '.join(statements)} }}"


def _check_names(function: Callable[..., Any], names: Sequence[str]) -> list[str]:
    boundary.function(function, "javascript takes a function of Values")
    names = [text(name, "a name") for name in several(names, "names are those of the arguments")]
    for name in names:
        if not re.fullmatch("[A-Za-z][A-Za-z0-9]*", name) or re.fullmatch(RESERVED, name):
            raise ValueError(f"a name in JavaScript is a word of letters and digits, got {name!r}")
    return names


def _trace_function(
    function: Callable[..., Any], names: list[str], at: list[float]
) -> tuple[Trace, dict[int, str]]:
    """Trace a function at these numbers; return the trace, and the names of the inputs by id."""
    trace = record_trace(lambda *x: _as_values(function(*x)), [np.array(x) for x in at])
    return trace, {id(leaf): name for (leaf,), name in zip(trace.inputs, names)}


def _as_values(x: Any) -> Any:
    return x if isinstance(x, (Value, list)) else Value(x)


def _statements(order: list[Value], called: dict[int, str]) -> Iterator[str]:
    """Yield a JavaScript statement for each operation, and add the name of its result to `called`.

    `called` maps the `id` of a node to its name in JavaScript.
    """
    for node in order:
        if id(node) in called:
            continue
        if not node.op.arity:
            called[id(node)] = f"({plain(node.data)})"
            continue
        function, _ = write_functions(node.op)
        if function == "null":
            raise ValueError(f"{node.op.name} has no JavaScript")
        operands = ", ".join(called[id(arg)] for arg in node.args)
        called[id(node)] = f"t{len(called)}"
        yield f"const {called[id(node)]} = ({function})({operands});"
