"""Translate operations to JavaScript, so that a page computes the same numbers as the engine.

`graph_page` writes `operations` and `quiz` into a page. `nn` calls `javascript` for activations and
probabilities, and `javascript_gradient` for the backward pass. All derivatives come from the table
in `core.ops`; nothing here may state its own.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..compiler.trace import Trace, record_trace
from ..core import boundary
from ..core.boundary import several, text
from ..core.ops import Op
from ..core.term import LETTERS, Term, write_formula
from ..core.value import Value
from ..teach import mistakes, slips
from .record import plain

OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.BitAnd: "&&",
    ast.USub: "-",
    ast.Eq: "===",
    ast.NotEq: "!==",
    ast.Lt: "<",
    ast.Gt: ">",
}
# By NumPy name. A template may repeat an argument, because arguments are names or numbers.
FUNCTIONS = {
    "where": "({0} ? {1} : {2})",
    "maximum": "Math.max({0}, {1})",
    "minimum": "Math.min({0}, {1})",
    "heaviside": "({0} < 0.0 ? 0.0 : {0} > 0.0 ? 1.0 : {0} === 0.0 ? {1} : NaN)",
    "logaddexp": "(Math.max({0}, {1}) + Math.log1p(Math.exp(-Math.abs({0} - {1}))))",
} | {
    name: f"Math.{name}({{0}})"
    for name in ("exp", "log", "log1p", "expm1", "sqrt", "sin", "cos", "tanh", "cosh", "abs")
}
# The reserved words of JavaScript
RESERVED = re.compile(
    "arguments|await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|"
    "eval|export|extends|false|finally|for|function|if|implements|import|in|instanceof|interface|"
    "let|new|null|package|private|protected|public|return|static|super|switch|this|throw|true|try|"
    "typeof|var|void|while|with|yield"
)


def expression(source: str) -> str:
    """Translate an expression of the table from NumPy to JavaScript.

    Raises:
        ValueError: the expression contains something that has no translation here.

    >>> expression("np.where(a > 0.0, a, b * np.expm1(a))")
    '((a > 0.0) ? a : (b * Math.expm1(a)))'
    >>> expression("a**b")
    'Math.pow(a, b)'
    """
    return _written(ast.parse(source, mode="eval").body)


def _written(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Constant(value=int() | float() as number):
            return repr(number)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return f"Math.pow({_written(left)}, {_written(right)})"
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in OPERATORS:
            return f"({_written(left)} {OPERATORS[type(sign)]} {_written(right)})"
        case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in OPERATORS:
            return f"({_written(left)} {OPERATORS[type(sign)]} {_written(right)})"
        case ast.IfExp(test=test, body=body, orelse=other):
            return f"({_written(test)} ? {_written(body)} : {_written(other)})"
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return f"(-{_written(operand)})"
        case ast.Call(func=ast.Attribute(attr=name), args=args) if name in FUNCTIONS:
            return FUNCTIONS[name].format(*map(_written, args))
    raise ValueError(f"no JavaScript is known for {ast.unparse(node)}")


def operations(used: Sequence[Op]) -> str:
    """Write a JavaScript array with a row for each operation: names, value and derivatives.

    Nodes refer to an operation by its position in the array, because two operations may have the
    same name.

    A user's operation may have no array form. Its functions are then traced on Values, and the
    built-in operations that they use are written. If this is impossible, `value` is null, and the
    leaves of the graph cannot be edited on the page.

    >>> from autograd import neg
    >>> print(operations([neg]))
    [
      {
        "name": "neg",
        "symbol": "−",
        "template": "−{0}",
        "rules": ["∂(−a)/∂a = −1"],
        "domain": null,
        "remedy": null,
        "mixedUp": false,
        "value": (a) => +(-a),
        "partials": [(out, a) => +(-1.0)],
        "reads": []
      }
    ]
    """
    return _listed([_row(row) for row in used])


def _listed(items: Sequence[str]) -> str:
    return "[\n" + ",\n".join(f"  {item}" for item in items) + "\n]"


def quiz() -> str:
    """Write the tables of `slips.py` and `mistakes.py` as JavaScript, for the page's quiz."""
    texts = {
        **{"sign": slips.SIGN, "kept": slips.KEPT, "path": slips.PATH, "onePath": slips.ONE_PATH},
        **{"added": slips.ADDED, "part": slips.PART, "other": slips.OTHER, "slope": slips.SLOPE},
        **{"digits": slips.DIGITS, "times": slips.TIMES, "divided": slips.DIVIDED},
        **{"extra": slips.EXTRA, "nearly": mistakes.NEARLY},
        "hint": f"{mistakes.HINT} each edge on a path to the output shows one.",
    }
    numbers = {
        **{"rounded": mistakes.ROUNDED, "close": mistakes.CLOSE, "limit": slips.GRAPH_LIMIT},
        **{"paths": slips.PATHS, "length": slips.LENGTH, "common": slips.COMMON},
        **{"places": list(slips.PLACES), "multiples": list(slips.MULTIPLES)},
    }
    settings = [f"{key}: {quoted(text)}" for key, text in texts.items()]
    settings += [f"{key}: {x!r}" for key, x in numbers.items()]
    wrong = [
        f"{{ wrong: {_arrow(slips.NAMES, wrong)}, says: {quoted(says)} }}"
        for wrong, says in slips.SLIPS
    ]
    slopes = [
        f"{{ name: {quoted(row.name)}, value: {_functions(row)[0]}, slope: {_lesson(row)} }}"
        for row in slips.ACTIVATIONS
    ]
    return (
        f"const QUIZ = {{ {', '.join(settings)} }};\n"
        f"const SLIPS = {_listed(wrong)};\n"
        f"const SLOPES = {_listed(slopes)};"
    )


def _lesson(row: Op) -> str:
    """Write the derivative of an activation, in its textbook form if the row has one."""
    return [*_reads(row), *_functions(row)[1]][0]


def computable(row: Op) -> bool:
    """Return True if the page can compute the operation; leaves and constants need no computation.

    >>> from autograd import tanh
    >>> computable(tanh)
    True
    """
    return row.arity == 0 or _functions(row)[0] != "null"


def _row(row: Op) -> str:
    value, partials = _functions(row)
    fields = {
        "name": quoted(row.name),
        "symbol": quoted(row.symbol),
        "template": quoted(template(row)),
        "rules": f"[{', '.join(map(quoted, row.rules))}]",
        "domain": quoted(row.domain.text) if row.domain else "null",
        "remedy": quoted(row.domain.remedy) if row.domain else "null",
        "mixedUp": "true" if row in slips.MIXED_UP else "false",
        "value": value,
        "partials": f"[{', '.join(partials)}]",
        "reads": f"[{', '.join(_reads(row))}]",
    }
    return "{\n" + ",\n".join(f'    "{key}": {text}' for key, text in fields.items()) + "\n  }"


def template(row: Op) -> str:
    """Write the operation with gaps for its operands: `{0} + {1}`, `σ({0})`."""
    return write_formula(row, [Term(f"{{{i}}}", np.nan) for i in range(row.arity)]).text


def quoted(text: str) -> str:
    """Quote text as a JavaScript string that cannot close the script element that contains it."""
    return json.dumps(text, ensure_ascii=False).replace("<", "\\u003c")


def _functions(row: Op) -> tuple[str, list[str]]:
    """Write the value and the partials of a row as arrow functions; "null" if they are unknown."""
    if row.arity == 0:
        return "null", []
    letters = list(LETTERS[: row.arity])
    try:
        if row.array and row.array_partials:
            return _arrow(letters, row.array), [
                _arrow(["out", *letters], partial) for partial in row.array_partials
            ]
        value = javascript(row.value, letters)
        partials = [
            javascript(lambda *x, slot=slot: row.slope(slot, *x), ["out", *letters])
            for slot in range(row.arity)
        ]
    except (ArithmeticError, AttributeError, NotImplementedError, TypeError, ValueError):
        return "null", []  # made by hand, for numbers only, or of what JavaScript does not have
    return value, partials


def _reads(row: Op) -> list[str]:
    """Write the partials in their textbook form; an empty list if the row has no such form."""
    reads = row.reads
    if reads is None or not row.array:
        return []
    names = ["out", *LETTERS[: row.arity]]
    return [javascript(lambda *x, slot=i: reads(*x)[slot], names) for i in range(row.arity)]


def _arrow(names: Sequence[str], source: str) -> str:
    """Write an expression of the table as an arrow function; a boolean result becomes 0 or 1."""
    text = expression(source)
    return f"({', '.join(names)}) => +{text if text.startswith('(') else f'({text})'}"


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
    names = _argument_names(function, names)
    # These numbers are away from kinks, and inside the domain of most operations.
    seen, called = _traced(function, names, [0.5 + 0.125 * i for i in range(len(names))])
    statements = list(_statements(seen.nodes, called))
    outputs = ", ".join(called[id(v)] for v in seen.outputs)
    returned = f"[{outputs}]" if seen.shape else outputs
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
    names = _argument_names(function, names)
    numbers = [boundary.finite(x, "at") for x in several(at, "at are numbers")]
    if len(numbers) != len(names):
        raise ValueError(f"at has {len(numbers)} number(s), and there are {len(names)} arguments")
    seen, called = _traced(function, names, numbers)
    if seen.shape:
        raise ValueError("the function returns a list; a gradient is that of one Value")
    statements = list(_statements(seen.nodes, called))
    (output,) = seen.outputs
    places = [called[id(v)] for v in seen.nodes if v.op.arity and v is not output]
    zeros = [f"d_{name} = 0.0" for name in [*names, *places] if name != called[id(output)]]
    statements.append(f"let {', '.join([*zeros, f'd_{called[id(output)]} = 1.0'])};")
    inputs = {id(leaf) for (leaf,) in seen.inputs}
    for node in reversed(seen.nodes):
        operands = ", ".join(["", *(called[id(arg)] for arg in node.args)])
        for arg, slope in zip(node.args, _functions(node.op)[1]):
            if arg.op.arity or id(arg) in inputs:
                passed = f"d_{called[id(node)]} * ({slope})({called[id(node)]}{operands})"
                statements.append(f"d_{called[id(arg)]} += {passed};")
    slopes = ", ".join(f"d_{name}" for name in names)
    statements.append(f"return [{called[id(output)]}, {slopes}];")
    return f"({', '.join(names)}) => {{ {' '.join(statements)} }}"


def _argument_names(function: Callable[..., Any], names: Sequence[str]) -> list[str]:
    boundary.function(function, "javascript takes a function of Values")
    names = [text(name, "a name") for name in several(names, "names are those of the arguments")]
    for name in names:
        if not re.fullmatch("[A-Za-z][A-Za-z0-9]*", name) or RESERVED.fullmatch(name):
            raise ValueError(f"a name in JavaScript is a word of letters and digits, got {name!r}")
    return names


def _traced(
    function: Callable[..., Any], names: list[str], at: list[float]
) -> tuple[Trace, dict[int, str]]:
    """Trace a function at these numbers; return the trace, and the names of the inputs by id."""
    seen = record_trace(lambda *x: _as_values(function(*x)), [np.array(x) for x in at])
    return seen, {id(leaf): name for (leaf,), name in zip(seen.inputs, names)}


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
        function, _ = _functions(node.op)
        if function == "null":
            raise ValueError(f"{node.op.name} has no JavaScript")
        operands = ", ".join(called[id(arg)] for arg in node.args)
        called[id(node)] = f"t{len(called)}"
        yield f"const {called[id(node)]} = ({function})({operands});"
