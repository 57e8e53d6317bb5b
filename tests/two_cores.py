"""A program whose output both cores must share: numbers to the last bit, and errors word by word.

`python -m tests.two_cores SEED COUNT` writes it; `tests/core/test_twin.py` compares the two.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from random import Random
from typing import Any

import numpy as np

from autograd import Op, Value, detect_anomaly, no_grad, scope, take
from autograd.core.backprop import gradients as engine_gradients
from autograd.core.graph import in_order
from autograd.extend import TABLE

from .rows import ROWS

SPECIAL = (
    *(0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -3.0, 1e-300, 5e-324, 1e300, -1e300),
    *(40.0, -40.0, 710.0, -746.0, math.inf, -math.inf, math.nan),
)


def main(seed: int, count: int) -> None:
    """Print what each row does at special places, and what random programs compute."""
    for row in ROWS:
        for at in places(row):
            print(row.name, at, outcome(partial(at_place, row, at)))
    for number in range(seed, seed + count):
        print(number, outcome(partial(random_program, Random(number))))


def places(row: Op) -> Iterator[tuple[float, ...]]:
    """Yield special operands; fewer of them for rows with many operands."""
    if row.arity <= 3:
        yield from product(SPECIAL if row.arity < 3 else SPECIAL[::3], repeat=row.arity)


def outcome(run: Callable[[], list[Any]]) -> str:
    """Return what a function computes, or the error that it raises, as text."""
    try:
        return " ".join(bits(x) for x in run())
    except (ArithmeticError, ValueError, TypeError, NotImplementedError) as error:
        return f"{type(error).__name__}: {error}"


def bits(x: Any) -> str:
    """Return a float with all its bits and its sign; NaN has only one kind here."""
    return x.hex() if type(x) is float else repr(x)


def at_place(row: Op, at: tuple[float, ...]) -> list[Any]:
    """Compute a row and its derivatives; a derivative that does not exist shows in its error."""
    operands = [Value(x, label=letter) for x, letter in zip(at, "abc")]
    out = row(*operands)
    return [out.data, outcome(partial(slopes_of, out, operands))]


def slopes_of(out: Value, operands: list[Value]) -> list[Any]:
    """Run a backward pass, and return the gradients, reset or not."""
    try:
        out.backward(1.5)
    finally:
        found = [operand.grad for operand in operands]
    return found


def random_program(random: Random) -> list[Any]:
    """Build a graph as users do, differentiate it, change it, and return all its numbers."""
    nodes: list[Any] = [Value(number(random), label=f"x{i}") for i in range(3)]
    leaves = list(nodes)
    for _ in range(random.randrange(1, 40)):
        nodes.append(step(random, nodes))
    root = nodes[-1] + nodes[-2]
    if random.random() < 0.2:
        with detect_anomaly():
            root.backward()
    else:
        root.backward()
    found = [x for node in in_order(root) for x in (node.data, node.grad, node.label, node.scope)]
    for leaf in leaves:
        leaf.data += 0.25
        leaf.grad = random.choice([None, 0, 0.0, 1.5])
    root.recompute()
    root.backward(2.0)
    found += [x for node in in_order(root) for x in (node.data, node.grad)]
    for by in (None, leaves[:2]):
        slopes = engine_gradients(root, 0.5, by=by)
        found += [x for node in in_order(root) if node in slopes for x in (node.data, slopes[node])]
    root.zero_grad()
    return [*found, root.grad, *(node.op.name for node in in_order(root))]


def number(random: Random) -> float:
    """Return a number that is mostly harmless."""
    return random.choice(SPECIAL[:8]) if random.random() < 0.2 else random.uniform(-2.0, 2.0)


def step(random: Random, nodes: list[Any]) -> Value:
    """Apply an operation to earlier nodes and numbers, sometimes in a block."""
    a, b = random.choice(nodes), random.choice([*nodes, number(random), 2, np.float64(0.5)])
    kind = random.randrange(10)
    if kind < 4:
        return [a + b, a - b, a * b, b * a, b - a][random.randrange(5)]
    if kind == 4:
        return a / b if random.random() < 0.5 else a ** random.choice([2, 2.0, 0.5, -1, b])
    if kind == 5:
        with no_grad() if random.random() < 0.5 else scope("inner"):
            return a * b + 1.0
    if kind == 6:
        entries = [random.choice(nodes) for _ in range(random.randrange(1, 5))]
        return take(entries, random.randrange(len(entries)))
    if kind == 7:
        return -a if random.random() < 0.5 else abs(a)
    row = random.choice([row for row in TABLE.values() if 0 < row.arity <= 3])
    operands = [random.choice(nodes) if random.random() < 0.7 else number(random) for _ in "abc"]
    return row(a, *operands[: row.arity - 1])


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
