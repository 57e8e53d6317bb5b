"""Write the rows of the table in `ops.py` as C functions, for the compiled twin of the core.

The build of the package reads the text of `ops.py`, so a value or a derivative is stated there and
nowhere else. Python's operators and functions of floats have the same names and the same results in
C wherever the result is finite; the twin asks the row itself if a result is not finite, so errors
and infinities need no translation. A row that says something which has no counterpart in C is left
out, and the twin calls its Python functions.
"""

from __future__ import annotations

import ast
import hashlib
import math
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

MATH = {  # functions of `math` that call the function of this name in C's library
    *("exp", "log", "log1p", "expm1", "log2", "log10", "sqrt", "pow"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "atan2"),
    *(
        "sinh",
        "cosh",
        "tanh",
        "asinh",
        "acosh",
        "atanh",
        "erf",
        "erfc",
        "isnan",
        "isfinite",
        "floor",
    ),
}
SIGNS: dict[type[ast.AST], str] = {
    **{ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"},
    **{ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="},
    **{ast.USub: "-", ast.UAdd: "+", ast.Not: "!", ast.And: "&&", ast.Or: "||"},
}


FUNCTIONS: dict[type[ast.AST], str] = {ast.Pow: "pow", ast.Mod: "python_mod"}
LETTERS = "abc"  # the names of the operands in C


class UntranslatableError(Exception):
    """A piece of Python that has no counterpart in C here."""


class Row(NamedTuple):
    """One row in C.

    Attributes:
        name: the name of the operation.
        arity: the number of operands.
        value, partials: the bodies of the two C functions; "" if one has no counterpart in C.
    """

    name: str
    arity: int
    value: str
    partials: str


class Table:
    """The rows, functions and constants of the text of `ops.py`.

    Args:
        source: the text.
    """

    def __init__(self, source: str) -> None:
        self.constants: dict[str, float] = {}
        self.functions: dict[str, ast.FunctionDef] = {}
        self.rows: dict[str, dict[str, ast.expr]] = {}
        for statement in ast.parse(source).body:
            if isinstance(statement, ast.FunctionDef):
                self.functions[statement.name] = statement
            elif isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value:
                self._assign(statement)

    def _assign(self, statement: ast.Assign | ast.AnnAssign) -> None:
        """Note the constant, the constants or the row that a statement gives a name to."""
        single = isinstance(statement, ast.AnnAssign)
        target = statement.target if single else statement.targets[0]  # type: ignore[union-attr]
        names = target.elts if isinstance(target, ast.Tuple) else [target]
        given = statement.value
        values = given.elts if isinstance(given, ast.Tuple) else [given]
        for name, value in zip(names, values):
            if not (isinstance(name, ast.Name) and isinstance(value, ast.Call)):
                continue
            if ast.unparse(value.func) == "Op":
                self.rows[name.id] = {k.arg: k.value for k in value.keywords if k.arg}
                self.rows[name.id]["name"] = value.args[0]
            elif ast.unparse(value.func).startswith("math."):
                self.constants[name.id] = eval(ast.unparse(value), {"math": math})

    def translated(self) -> list[Row]:
        """Return the rows whose value can be written in C."""
        found = []
        for row in self.rows.values():
            try:
                names, value = self._function(row["value"])
            except UntranslatableError:
                continue
            if names:
                name = ast.literal_eval(row["name"])
                found.append(Row(name, len(names), value, self._partials(row["partials"])))
        return found

    def _function(self, value: ast.expr) -> tuple[list[str], str]:
        """Return the parameters of the function of a row, and its body in C."""
        if isinstance(value, ast.Lambda):
            if value.args.vararg:
                raise UntranslatableError
            names = [a.arg for a in value.args.args]
            return names, f"return {self.write(value.body, _places(names))};"
        name = value.attr if isinstance(value, ast.Attribute) else ast.unparse(value)
        function = self.functions.get(name)
        names = [a.arg for a in function.args.args] if function else ["a"]  # as math.exp has
        call = ast.Call(value, [ast.Name(n) for n in names], [])
        return names, f"return {self.write(call, _places(names))};"

    def _partials(self, value: ast.expr) -> str:
        """Return the body of the C function that sets d[0], d[1], …; "" if C has none."""
        if not (isinstance(value, ast.Lambda) and isinstance(value.body, ast.Tuple)):
            return ""
        out, *names = [a.arg for a in value.args.args]
        known = {out: "out", **_places(names)}
        try:
            partials = [self.write(partial, known) for partial in value.body.elts]
        except UntranslatableError:
            return ""
        return " ".join(f"d[{i}] = {partial};" for i, partial in enumerate(partials))

    def helpers(self) -> list[str]:
        """Return the functions of `ops.py` that are functions of floats, in C."""
        found = []
        for name, function in self.functions.items():
            try:
                found.append(self._helper(name, function))
            except UntranslatableError:
                continue
        return found

    def _helper(self, name: str, function: ast.FunctionDef) -> str:
        """Return a function of `ops.py` in C."""
        names = [a.arg for a in function.args.args]
        if function.args.vararg or not names:
            raise UntranslatableError
        known = {n: n for n in names}
        statements = function.body[ast.get_docstring(function) is not None :]
        body = " ".join(self._statement(s, known) for s in statements)
        parameters = ", ".join(f"double {n}" for n in names)
        return f"static inline double helper_{name}({parameters}) {{ {body} }}"

    def _statement(self, statement: ast.stmt, known: dict[str, str]) -> str:
        if isinstance(statement, ast.Return) and statement.value:
            return f"return {self.write(statement.value, known)};"
        if isinstance(statement, ast.If) and not statement.orelse:
            inside = " ".join(self._statement(s, known) for s in statement.body)
            return f"if ({self.write(statement.test, known)}) {{ {inside} }}"
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            text = f"double {name} = {self.write(statement.value, known)};"
            known[name] = name
            return text
        raise UntranslatableError

    def write(self, node: ast.expr, known: dict[str, str]) -> str:
        """Return an expression in C; `known` gives the names of Python's variables in C.

        Raises:
            UntranslatableError: it has no counterpart in C.
        """
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            return repr(float(node.value))
        if isinstance(node, ast.Name) and node.id in known:
            return known[node.id]
        if isinstance(node, ast.Name) and node.id in self.constants:
            return self.constants[node.id].hex()
        if isinstance(node, ast.UnaryOp) and type(node.op) in SIGNS:
            return f"({SIGNS[type(node.op)]}{self.write(node.operand, known)})"
        if isinstance(node, ast.BinOp):
            left, right = self.write(node.left, known), self.write(node.right, known)
            if type(node.op) in FUNCTIONS:
                return f"{FUNCTIONS[type(node.op)]}({left}, {right})"
            if type(node.op) in SIGNS:
                return f"({left} {SIGNS[type(node.op)]} {right})"
        if isinstance(node, ast.Compare) and all(type(op) in SIGNS for op in node.ops):
            sides = [self.write(side, known) for side in (node.left, *node.comparators)]
            tests = [f"{a} {SIGNS[type(op)]} {b}" for a, op, b in zip(sides, node.ops, sides[1:])]
            return f"({' && '.join(tests)})"
        if isinstance(node, ast.BoolOp):
            sign = f" {SIGNS[type(node.op)]} "
            return f"({sign.join(self.write(side, known) for side in node.values)})"
        if isinstance(node, ast.IfExp):
            parts = (self.write(part, known) for part in (node.test, node.body, node.orelse))
            return "({} ? {} : {})".format(*parts)
        if isinstance(node, ast.Call) and not node.keywords:
            return self._call(node, known)
        raise UntranslatableError

    def _call(self, node: ast.Call, known: dict[str, str]) -> str:
        name = ast.unparse(node.func)
        inside = ", ".join(self.write(argument, known) for argument in node.args)
        if name in ("float", "bool"):
            return inside
        if name == "abs":
            return f"fabs({inside})"
        if name == "math.floor":  # an integer in Python, and so without a sign at zero
            return f"(floor({inside}) + 0.0)"
        if name.startswith("math.") and name[5:] in MATH:
            return f"{name[5:]}({inside})"
        if name in self.functions:
            self._helper(name, self.functions[name])
            return f"helper_{name}({inside})"
        if name in self.rows:
            self._function(self.rows[name]["value"])
            return f"value_{ast.literal_eval(self.rows[name]['name'])}({inside})"
        raise UntranslatableError


def _places(names: Iterable[str]) -> dict[str, str]:
    """Return the names that the operands have in C: a, b, c."""
    return dict(zip(names, LETTERS))


def digest(core: Path) -> str:
    """Return a short text that differs if the table or a C file in the folder of the core does."""
    sources = [path.read_bytes() for path in (core / "ops.py", *sorted(core.glob("*.c")))]
    return hashlib.sha1(b"\0".join(sources), usedforsecurity=False).hexdigest()


def header(core: Path) -> str:
    """Return the C header with the rows of `ops.py` in the folder of the core, and its digest."""
    source = (core / "ops.py").read_text(encoding="utf-8")
    return f'#define ROWS_DIGEST "{digest(core)}"\n{written(source)}'


def written(source: str) -> str:
    """Return the rows of the text of `ops.py` in C.

    >>> text = 'mul = Op("mul", value=lambda a, b: a * b, partials=lambda out, a, b: (b, a))'
    >>> print(written(text).splitlines()[2])
    static double value_mul(double a, double b) { return (a * b); }
    """
    table = Table(source)
    rows = table.translated()
    lines = ["/* Written from autograd/core/ops.py when the package is built. */"]
    lines += [f"static double value_{row.name}({_parameters(row)});" for row in rows]
    lines += table.helpers()
    for row in rows:
        lines += _functions(row)
    entries = [
        f'    {{"{row.name}", {row.arity}, evaluate_{row.name}, '
        f"{f'partials_{row.name}' if row.partials else 'NULL'}}},"
        for row in rows
    ]
    return "\n".join([*lines, "static const Row ROWS[] = {", *entries, "};", ""])


def _parameters(row: Row) -> str:
    return ", ".join(f"double {letter}" for letter in LETTERS[: row.arity])


def _functions(row: Row) -> list[str]:
    """Return the C functions of a row: its value, by operands and by array, and its partials."""
    operands = ", ".join(f"x[{i}]" for i in range(row.arity))
    loads = " ".join(f"double {a} = x[{i}]; (void){a};" for i, a in enumerate(LETTERS[: row.arity]))
    found = [
        f"static double value_{row.name}({_parameters(row)}) {{ {row.value} }}",
        f"static double evaluate_{row.name}(const double *x) "
        f"{{ return value_{row.name}({operands}); }}",
    ]
    if row.partials:
        found.append(
            f"static void partials_{row.name}(double out, const double *x, double *d) "
            f"{{ (void)out; {loads} {row.partials} }}"
        )
    return found
