"""Random small functions with branches, loops, state and random numbers, for tests of `compile`.

Each function is source text, so that it can run twice from equal states: by the engine, row by row,
and compiled.
"""

from __future__ import annotations

import itertools
import linecache
import math
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import autograd
from autograd import Value
from autograd.core.ops import DomainError

CALM = ("tanh()", "sigmoid()", "relu()", "sin()", "softplus()", "leaky_relu(0.1)", "step()")
RISKY = ("log()", "sqrt()", "exp()", "log1p()")
SIGNS = ("+", "-", "*")
# Expressions that read the number of a Value, {v}; they also work on a float.
LOOKS = (
    *("{v} > 0.0", "not {v}", "{v}", "{v} == 1.0", "{v} in (0.0, 1.0)", "{v} != 0.0"),
    *(
        "{v}.data > 0.0",
        "{v}.item() > 0.0",
        "float(format({v}, '.3f')) > 0.0",
        "str({v})[0] == '-'",
    ),
    *("max({v}, x[0]) is {v}", "sorted([{v}, x[0]])[0] is {v}", "any([{v}])", "bool({v})"),
    *("hash({v}) % 2", "{v} in {{x[0]: 1}}", "float(np.array([{v}])[0].data) > 0.0"),
    *("{v}.grad == 0.0", "copy.copy({v}).data > 0.0", "math.floor({v}.data) % 2"),
    *("len(list(filter(None, [{v}])))", "np.where({v} > 0.0, 1, 0) == 1", "abs({v}) > 0.5"),
)
STATE = (
    *("box.count += 1", "box.log.append(1.0)", "counts[0] += 1", "box.seen['n'] = len(box.seen)"),
    *("box.numbers[0] += 1.0", "next(turns)", "box.kept = {v}", "box.list = [{v}, {v}]"),
    *("K = K + 0.5", "box.state = (box.state + {v}).tanh()", "box.w = box.w * 1.0"),
)
STEERED = ("box.count % 2", "len(box.log) > 2", "counts[0] % 2", "next(turns) % 2", "K > 2.0")
CHANCE = (
    *("rng.random() < 0.5", "random.random() < 0.5", "np.random.rand() < 0.5"),
    *("box.rng.random() < 0.5", "rng.choice([True, False])"),
)
SETTLED = ("box.k > 1.0", "K > 1.0", "box.flag", "len(ws) > 2", "table['k'] > 1.0", "DEFAULT > 1.0")
NUMBERS = ("box.k", "K", "table['k']", "ks[0]", "ks[-1]", "0.5", "-2.0", "DEFAULT", "array[0]")
VALUES = ("x[0]", "x[1]", "w", "box.w", "ws[0]", "ws[-1]", "table['w']", "weights[1]")
CHANGES = (
    *("box.k = {x}", "table['k'] = {x}", "ks[0] = {x}", "K = {x}", "box.flag = not box.flag"),
    *("array[0] = {x}", "w.data = {x}", "box.w.data = {x}", "ws[0].data = {x}"),
    *(
        "box.w = Value({x})",
        "ws[0] = Value({x})",
        "ws.append(Value({x}))",
        "table['w'] = Value({x})",
    ),
    *(
        "weights[1] = Value({x})",
        "function.__defaults__ = ({x},)",
        "w = Value({x})",
        "kept.data = {x}",
    ),
    *("box.half = lambda v: v * {x}", "pass"),
)

KINDS = {  # of statements, and how often each is written
    **{"sum": 6, "method": 5, "if": 4, "look": 1, "state": 1, "chance": 0.5, "drawn": 1, "mode": 2},
    **{"try": 0.5, "loop": 2, "check": 1, "helper": 2, "composite": 2, "risky": 1},
}


class Writer:
    """A writer of one random function."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.lines: list[str] = []
        self.names: list[str] = []

    def function(self) -> str:
        """Return the source of the function."""
        self.statements(self.rng.randint(1, 7), "    ")
        outputs = [self.value() for _ in range(self.rng.choice([1, 1, 2]))]
        returned = outputs[0] if len(outputs) == 1 else f"[{', '.join(outputs)}]"
        head = ["def function(x, DEFAULT=1.5):", "    global K"]
        return "\n".join([*head, *self.lines, f"    return {returned}", ""])

    def statements(self, count: int, indent: str) -> None:
        for _ in range(count):
            self.statement(indent)

    def statement(self, indent: str) -> None:
        kind = self.rng.choices(list(KINDS), list(KINDS.values()))[0]
        add = lambda text: self.lines.append(indent + text)  # noqa: E731
        if kind == "if":
            self.branch(self.rng.choice(SETTLED), indent)
        elif kind == "look":
            self.branch(self.rng.choice(LOOKS).format(v=self.value()), indent)
        elif kind == "chance":
            self.branch(self.rng.choice(CHANCE), indent)
        elif kind == "state":
            add(self.rng.choice(STATE).format(v=self.value()))
            if self.rng.random() < 0.5:
                self.branch(self.rng.choice(STEERED), indent)
        elif kind == "mode":
            mode = self.rng.choice(["autograd.no_grad()", "autograd.scope('inner')"])
            text = f"{self.value()}{self.rng.choice(['', '.detach()'])} * {self.value()}"
            add(f"with {mode}:")
            self.assign(text, indent + "    ")
        elif kind == "try":
            text, instead = f"{self.value()}.{self.rng.choice(RISKY)}", self.value()
            add("try:")
            name = self.assign(text, indent + "    ")
            add("except (ArithmeticError, ValueError):")
            add(f"    {name} = {instead}")
        elif kind == "loop":
            name = self.assign(self.value(), indent)
            over = self.rng.choice(["ws", "range(3)", "ks"])
            add(f"for each in {over}:")
            add(f"    {name} = ({name} * each + {self.value()}).tanh()")
        elif kind == "check":
            add(f"autograd.require(lambda a: a < 1.9, {self.value()}, error=ValueError)")
        else:
            self.assign(self.expression(kind), indent)

    def branch(self, test: str, indent: str) -> None:
        """Assign to a new name one of two values, depending on a test."""
        name, first, second = f"t{len(self.names)}", self.value(), self.value()
        self.lines.append(f"{indent}{name} = {first}.tanh() if {test} else {second} * 0.5")
        self.names.append(name)

    def assign(self, text: str, indent: str) -> str:
        name = f"t{len(self.names)}"
        self.lines.append(f"{indent}{name} = {text}")
        self.names.append(name)
        return name

    def expression(self, kind: str) -> str:
        a, b, c = self.value(), self.value(), self.value()
        if kind == "sum":
            return f"{a} {self.rng.choice(SIGNS)} {self.rng.choice([b, self.rng.choice(NUMBERS)])}"
        if kind == "method":
            return f"{a}.{self.rng.choice(CALM)}"
        if kind == "risky":
            return f"({a} + 2.5).{self.rng.choice(RISKY)}"
        if kind == "drawn":
            return f"{a} * autograd.drawn({self.rng.choice(['rng.random', 'box.rng.random'])})"
        if kind == "helper":
            return self.rng.choice(
                [f"helper({a})", f"box.times({a})", f"box.half({a})", f"{a} * kept"]
            )
        return self.rng.choice(
            [
                f"autograd.softmax([{a}, {b}, {c}])[0]",
                f"autograd.logsumexp([{a}, {b}])",
                f"{a}.maximum({b})",
                f"autograd.where({a}.relu(), {b}, {c})",
                f"autograd.stop_gradient({a}) * {b}",
                f"autograd.take([{a}, {b}, {c}], {a}.step() + {c}.step())",
                f"autograd.take(ws, {a}.step())",
            ]
        )

    def value(self) -> str:
        """Choose an expression that is a Value."""
        return self.rng.choice([*VALUES, *self.names[-3:] * 3])


class Box:
    """An object that a function may read and change."""

    def __init__(self) -> None:
        self.k, self.flag, self.count, self.log, self.seen = 1.5, True, 0, [0.0], {"n": 1}
        self.numbers, self.rng = np.zeros(2), np.random.default_rng(5)
        self.w, self.state = Value(0.7, "bw"), Value(0.1, "state")
        self.kept: Any = None
        self.half = lambda v: v * 0.5

    def times(self, v: Any) -> Any:
        """Multiply by two attributes."""
        return v * self.w * self.k


def world(source: str, name: str) -> dict[str, Any]:
    """Return the globals of the function, and the function among them."""
    names: dict[str, Any] = {
        **{"autograd": autograd, "np": np, "math": math, "random": random, "Value": Value},
        **{"copy": __import__("copy"), "box": Box(), "K": 1.25, "ks": [0.5, -1.5], "counts": [0]},
        **{
            "w": Value(-0.4, "w"),
            "ws": [Value(0.3, "w0"), Value(-0.6, "w1")],
            "rng": random.Random(7),
        },
        **{"table": {"k": 0.5, "w": Value(0.9, "tw")}, "array": np.array([0.75, 2.0])},
        **{
            "weights": np.array([Value(0.2), Value(-0.8)], dtype=object),
            "turns": itertools.count(),
        },
        **{"kept": Value(0.6).detach(), "__name__": "random_function"},
    }
    exec("def helper(v):\n    return v * K + ws[0]\n", names)
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(source, name, "exec"), names)
    return names


def rows(seed: int) -> Iterator[list[list[float]]]:
    """Yield the arguments of calls: tables with rows of two numbers."""
    rng = random.Random(f"rows {seed}")
    special = [0.0, 1.0, -1.0, 2.0]

    def number() -> float:
        return rng.choice(special) if rng.random() < 0.4 else rng.uniform(-2.0, 2.0)

    while True:
        yield [[number(), number()] for _ in range(rng.choice([1, 2, 3, 6]))]


def by_the_engine(function: Callable[..., Any], table: list[list[float]]) -> list[list[float]]:
    """Compute the outputs row by row."""
    found = []
    for row in table:
        returned = function([Value(x, f"x{i}") for i, x in enumerate(row)])
        found.append([v.data for v in (returned if isinstance(returned, list) else [returned])])
    return found


def tried(seed: int) -> str:
    """Compare a random function, compiled, with the engine, for some calls.

    Returns:
        "agreed", or "refused" if compiling it was refused.

    Raises:
        AssertionError: the compiled function gives other numbers, or another error.
    """
    source = Writer(seed).function()
    ours, other = world(source, f"<one {seed}>"), world(source, f"<two {seed}>")
    compiled = autograd.compile(lambda x: other["function"](x))
    arguments, rng = rows(seed), random.Random(f"changes {seed}")
    for _ in range(4):
        table = next(arguments)
        chance = random.getstate(), np.random.get_state()
        found = _answered(compiled, table)
        random.setstate(chance[0])
        np.random.set_state(chance[1])
        if isinstance(found, TypeError):
            assert str(found), "a refusal says why"
            return "refused"
        wanted = _answered(by_the_engine, ours["function"], table)
        if isinstance(wanted, DomainError) and not isinstance(found, Exception):
            wanted = _answered(_by_what_is_needed, source, ours, table)
        assert _alike(found, wanted), f"{found} and not {wanted} for {table} in\n{source}"
        if np.ndim(found) == 1 and not compiled.program.sizes[1:]:  # one output, nothing drawn
            _hold_gradient(compiled, ours, other, table)
        if isinstance(wanted, Exception):
            _draw_alike(ours, other)
        change = rng.choice(CHANGES).format(x=round(rng.uniform(-2.0, 2.0), 2))
        for names in (ours, other):
            exec(change, names)
    return "agreed"


def _by_what_is_needed(
    source: str, names: dict[str, Any], table: list[list[float]]
) -> list[list[float]]:
    """Compute the engine's outputs without unused values, which code does not compute either."""
    whole = names["function"]
    exec(_without_unused(source), names)
    needed, names["function"] = names["function"], whole
    needed.__defaults__ = whole.__defaults__
    return by_the_engine(needed, table)


def _without_unused(source: str) -> str:
    """Replace unused values in the source by None, unless they draw random numbers."""
    kept: list[str] = []
    reads: list[str] = []
    for line in reversed(source.splitlines()):
        name, assigned, _ = line.partition(" = ")
        assigns = re.fullmatch(r"\s+t\d+", name) and assigned
        needed = any(re.search(rf"\b{name.strip()}\b", text) for text in reads)
        if assigns and not needed and "drawn" not in line:
            line = f"{name} = None"
        kept.append(line)
        reads.append(line.partition(" = ")[2] or line)
    return "\n".join(reversed(kept))


def _draw_alike(ours: dict[str, Any], other: dict[str, Any]) -> None:
    """Make both random states equal; after an error, the engine has drawn for fewer rows."""
    ours["rng"].setstate(other["rng"].getstate())
    ours["box"].rng.bit_generator.state = other["box"].rng.bit_generator.state


def _hold_gradient(compiled: Any, ours: Any, other: Any, table: list[list[float]]) -> None:
    """Compare the gradient with the engine's, if both exist."""
    found = _answered(compiled.value_and_grad, table)
    wanted = _answered(_slopes, ours, table)
    if isinstance(found, Exception) or isinstance(wanted, Exception):
        return  # one of them may know that a derivative times zero is zero
    mine = {id(v): slope for v, slope in zip(compiled.params, found[1])}
    slopes = [mine.get(id(v), 0.0) for v in _parameters(other)]
    np.testing.assert_allclose(slopes, wanted, rtol=1e-8, atol=1e-10)


def _slopes(names: dict[str, Any], table: list[list[float]]) -> list[float]:
    for p in _parameters(names):
        p.grad = 0.0
    for row in table:
        names["function"]([Value(x) for x in row]).backward(1.0 / len(table))
    return [p.grad for p in _parameters(names)]


def _parameters(names: dict[str, Any]) -> list[Value]:
    box, table = names["box"], names["table"]
    return [names["w"], *names["ws"], box.w, box.state, table["w"], *names["weights"]]


def _answered(call: Callable[..., Any], *args: Any) -> Any:
    try:
        return call(*args)
    except (ArithmeticError, ValueError, TypeError) as error:
        return error


def _alike(found: Any, wanted: Any) -> bool:
    """Test whether numbers or types of errors agree; code may be finite after an overflow."""
    if isinstance(wanted, Exception):
        if isinstance(found, Exception):
            return type(found) is type(wanted)
        return isinstance(wanted, ArithmeticError) and bool(np.isfinite(found).all())
    if isinstance(found, Exception):
        return "use the function itself, without compile" in str(found)
    return np.allclose(
        np.reshape(found, np.shape(wanted)), wanted, rtol=1e-9, atol=1e-12, equal_nan=True
    )
