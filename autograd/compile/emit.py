"""Array statements to NumPy source: the value, and the gradient by the parameters.

A batched array has shape (size, rows), so that a layer reads `W0 @ x + b0[:, None]`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..notation import LETTERS
from ..ops import Op
from .program import DOT, MAX, SUM
from .roll import Array, Read, Rolled, Statement


@dataclass
class Source:
    """Python source, and the constants and functions that it names."""

    lines: list[str] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=lambda: {"np": np})

    def add(self, line: str) -> None:
        """One more line of the function's body."""
        self.lines.append(f"    {line}")

    def constant(self, value: Any, prefix: str) -> str:
        """A name for a constant of the source."""
        name = f"{prefix}{sum(1 for known in self.names if known.startswith(prefix))}"
        self.names[name] = value
        return name


def written(rolled: Rolled, gradient: bool) -> Source:
    """The source of a function of the inputs' arrays and theta.

    It returns the outputs, of shape (k, rows) or (k,); with `gradient` also the gradient of the
    mean over the rows of the first output, by theta.
    """
    return _Writer(rolled).written(gradient)


class _Writer:
    def __init__(self, rolled: Rolled) -> None:
        self.rolled = rolled
        self.source = Source()
        self.adjoints: dict[Array, list[tuple[Read, str]]] = {}
        self.source.names["constants"] = rolled.numbers
        self.varying = {rolled.theta}  # what depends on the parameters
        for statement in rolled.statements:
            if any(array in self.varying for read in statement.reads for array in read.sources):
                self.varying.add(statement.out)

    def written(self, gradient: bool) -> Source:
        source, rolled = self.source, self.rolled
        arguments = [array.name for array in rolled.inputs]
        source.lines.append(f"def compiled({', '.join([*arguments, 'theta'])}):")
        if arguments:
            source.add(f"rows = {arguments[0]}.shape[1]")
        for statement in rolled.statements:
            source.add(f"{statement.out.name} = {self.computed(statement)}")
        output = self.ref(rolled.output, rolled.output.batched)
        if not gradient:
            source.add(f"return {output}")
            return source
        source.add(f"value = {output}")
        self.backward()
        source.add("return value, d_theta")
        return source

    # ------------------------------------------------------------------ reading

    def base(self, read: Read) -> str:
        """The array that a read's places count in."""
        if len(read.sources) == 1:
            return read.sources[0].name
        parts = [
            f"np.broadcast_to({array.name}[:, None], ({array.size}, rows))"
            if read.batched and not array.batched
            else array.name
            for array in read.sources
        ]
        return f"np.concatenate(({', '.join(parts)}))"

    def ref(self, read: Read, batched: bool) -> str:
        """A read as an expression; of numbers for all rows, with an axis for the rows if asked."""
        text = self.view(self.base(read), _length(read), read.places, read.batched)
        if batched and not read.batched:
            text += "[:, None]" if read.places.ndim == 1 else "[..., None]"
        return text

    def view(self, base: str, length: int, places: np.ndarray, batched: bool) -> str:
        """The elements of an array at these places: a slice where they lie so, else gathered."""
        flat = places.ravel()
        step = int(flat[1] - flat[0]) if flat.size > 1 else 1
        shape = ", ".join(map(str, places.shape)) + (", rows" if batched else "")
        if flat.size == 1 or (step > 0 and (np.diff(flat) == step).all()):
            start, stop = int(flat[0]), int(flat[-1]) + 1
            whole = step == 1 and start == 0 and stop == length
            cut = "" if whole else f"[{start}:{stop}]" if step == 1 else f"[{start}:{stop}:{step}]"
            return f"{base}{cut}" + (f".reshape({shape})" if places.ndim > 1 else "")
        if places.ndim == 2 and (rows := _strided(places, length)):
            start, width = rows
            stop, k = start + places.shape[0] * width, places.shape[1]
            shape = f"{places.shape[0]}, {width}" + (", rows" if batched else "")
            return f"{base}[{start}:{stop}].reshape({shape})[:, :{k}]"
        return f"{base}[{self.source.constant(places, 'i')}]"

    def operand(self, read: Read, batched: bool) -> str:
        """A read of an elementwise operation: one number for all, if they are all the same."""
        if (read.places == read.places[0]).all() and read.places.size > 1:
            read = read.taking(read.places[:1])
        if read.sources == [self.rolled.constants] and read.places.size == 1:
            return repr(float(self.rolled.numbers[read.places[0]]))
        return self.ref(read, batched)

    # ------------------------------------------------------------------ forwards

    def computed(self, statement: Statement) -> str:
        out, op, reads = statement.out, statement.op, statement.reads
        if op is SUM or op is MAX:
            method = "sum" if op is SUM else "max"
            return f"{_atom(self.ref(reads[0], out.batched))}.{method}(axis=1)"
        if op is DOT:
            added = f" + {self.ref(reads[2], out.batched)}" if len(reads) > 2 else ""
            return self.product(statement) + added
        return self.elementwise(statement)

    def elementwise(self, statement: Statement) -> str:
        op, out = statement.op, statement.out
        operands = [self.operand(read, out.batched) for read in statement.reads]
        if op.array:
            text = _substituted(op.array, operands)
        else:
            text = f"{self.function(op, -1)}({', '.join(operands)})"
        shape = f"({out.size}, rows)" if out.batched else f"({out.size},)"
        if all((r.places == r.places[0]).all() for r in statement.reads) and out.size > 1:
            return f"np.broadcast_to({text}, {shape})"
        return text

    def function(self, op: Op, operand: int) -> str:
        """A function on arrays for an operation without an array form: its value or a partial."""
        name = f"{op.name}_{'value' if operand < 0 else f'partial{operand}'}"

        def scalar(*numbers: float) -> float:
            found = op.value(*numbers) if operand < 0 else op.partials(*numbers)[operand]
            return float(found)

        def elementwise(*arrays: Any) -> Any:
            return np.frompyfunc(scalar, len(arrays), 1)(*arrays).astype(float)

        self.source.names[name] = elementwise
        return name

    def product(self, statement: Statement) -> str:
        lefts, rights = statement.reads[:2]
        batched = statement.out.batched
        if not statement.outer:
            return f"({self.ref(lefts, batched)} * {self.ref(rights, batched)}).sum(axis=1)"
        left, right = _atom(self.ref(lefts, False)), _atom(self.matrix(rights))
        if not batched:
            return f"({right} @ {left}.T).ravel()"
        if len(rights.places) == 1:
            return f"{left} @ {right}"
        return f"({left} @ {right}).reshape({statement.out.size}, rows)"

    def matrix(self, rights: Read) -> str:
        """What stands right in a matrix product: (k, rows), (r, k, rows), or (r, k)."""
        if rights.batched and len(rights.places) == 1:
            return self.ref(rights.taking(rights.places[0]), True)
        return self.ref(rights, rights.batched)

    # ------------------------------------------------------------------ backwards

    def backward(self) -> None:
        """The statements once more, the last first, each handing its gradient to its operands."""
        rolled = self.rolled
        cost = rolled.output.taking(rolled.output.places[:1])
        seed = "np.full((1, rows), 1.0 / rows)" if cost.batched else "np.ones(1)"
        self.hand(cost, seed, cost.batched)
        for statement in reversed(rolled.statements):
            if statement.out in self.varying and statement.out in self.adjoints:
                self.collect(statement.out)
                self.hand_on(statement, f"d_{statement.out.name}")
        self.collect(rolled.theta)

    def hand(self, read: Read, gradient: str, batched: bool) -> None:
        """Note a contribution to the gradient of what was read."""
        if not read.batched and batched:
            gradient = f"{_atom(gradient)}.sum(axis=-1)"
        for array in read.sources:
            if array in self.varying:
                self.adjoints.setdefault(array, []).append((read, gradient))

    def collect(self, array: Array) -> None:
        """The gradient of an array from all that was handed to it."""
        name, source = f"d_{array.name}", self.source
        handed = self.adjoints.get(array, [])
        everything = np.arange(array.size)
        if handed and all(
            read.sources == [array] and np.array_equal(read.places, everything)
            for read, _ in handed
        ):
            source.add(f"{name} = {' + '.join(gradient for _, gradient in handed)}")
            return
        shape = f"({array.size}, rows)" if array.batched else f"{array.size}"
        source.add(f"{name} = np.zeros({shape})")
        for read, gradient in handed:
            self.scatter(array, name, read, gradient)

    def scatter(self, array: Array, name: str, read: Read, gradient: str) -> None:
        """Add a contribution to the part of a gradient it belongs to."""
        start = 0
        for source in read.sources:
            if source is array:
                break
            start += source.size
        inside = (read.places >= start) & (read.places < start + array.size)
        places = read.places[inside] - start
        if not inside.all():
            gradient = f"({gradient})[{self.source.constant(inside, 'm')}]"
            if read.batched and not array.batched:
                gradient += ".sum(axis=-1)"
        else:
            places = read.places - start
            if read.batched and not array.batched:
                gradient = f"{_atom(gradient)}.sum(axis=-1)"
        if len(np.unique(places)) == places.size:
            target = self.view(name, array.size, places, array.batched)
            self.source.add(f"{_assignable(target)} += {gradient}")
        else:
            index = self.source.constant(places, "i")
            self.source.add(f"np.add.at({name}, {index}, {gradient})")

    def hand_on(self, statement: Statement, g: str) -> None:
        """What a statement's gradient hands to its operands."""
        if statement.op is SUM:
            read = statement.reads[0]
            rows = ", rows" if statement.out.batched else ""
            shape = f"({read.places.shape[0]}, {read.places.shape[1]}{rows})"
            self.hand(read, f"np.broadcast_to({g}[:, None], {shape})", statement.out.batched)
        elif statement.op is DOT:
            self.hand_on_product(statement, g)
        elif statement.op is not MAX:
            self.hand_on_elementwise(statement, g)

    def hand_on_elementwise(self, statement: Statement, g: str) -> None:
        op, out = statement.op, statement.out
        operands = [self.operand(read, out.batched) for read in statement.reads]
        for i, read in enumerate(statement.reads):
            if not any(array in self.varying for array in read.sources):
                continue
            if op.array_partials:
                partial = _substituted(op.array_partials[i], operands, out.name)
            else:
                partial = f"{self.function(op, i)}({', '.join([out.name, *operands])})"
            if partial == "0.0":
                continue
            gradient = {"1.0": g, "-1.0": f"-{g}"}.get(partial, f"{g} * ({partial})")
            if (read.places == read.places[0]).all() and read.places.size > 1:
                one = read.taking(read.places[:1])
                self.hand(one, f"{_atom(gradient)}.sum(axis=0, keepdims=True)", out.batched)
            else:
                self.hand(read, gradient, out.batched)

    def hand_on_product(self, statement: Statement, g: str) -> None:
        lefts, rights = statement.reads[:2]
        batched = statement.out.batched
        if len(statement.reads) > 2:
            self.hand(statement.reads[2], g, batched)
        if not statement.outer:
            for one, other in ((lefts, rights), (rights, lefts)):
                self.hand(one, f"{g}[:, None] * {self.ref(other, batched)}", batched)
            return
        left, right = _atom(self.ref(lefts, False)), _atom(self.matrix(rights))
        count = len(rights.places)
        if not batched:
            grid = f"{g}.reshape({count}, -1)"
            self.hand(lefts, f"{grid}.T @ {right}", False)
            self.hand(rights, f"{grid} @ {left}", False)
        elif count == 1:
            self.hand(lefts, f"{g} @ {right}.T", False)
            self.hand(rights.taking(rights.places[0]), f"{left}.T @ {g}", True)
        else:
            grid = f"{g}.reshape({count}, -1, rows)"
            self.hand(lefts, f"np.einsum('rln,rkn->lk', {grid}, {right})", False)
            self.hand(rights, f"{left}.T @ {grid}", True)


def _length(read: Read) -> int:
    return sum(array.size for array in read.sources)


def _strided(places: np.ndarray, length: int) -> tuple[int, int] | None:
    """The start and the width of the rows that these places begin, if they do."""
    if places.shape[0] < 2 or places.shape[1] < 1:
        return None
    start, width = int(places[0, 0]), int(places[1, 0] - places[0, 0])
    regular = start + np.arange(places.shape[0])[:, None] * width + np.arange(places.shape[1])
    fits = width >= places.shape[1] and start + places.shape[0] * width <= length
    return (start, width) if fits and np.array_equal(places, regular) else None


def _substituted(expression: str, operands: list[str], out: str = "") -> str:
    """An expression of a row with the names of its operands in place of a, b and out."""
    known = {letter: _atom(text) for letter, text in zip(LETTERS, operands)}
    if out:
        known["out"] = out
    return re.sub(r"\b(?<!\.)(out|[a-z])\b(?!\.)", lambda m: known.get(m[0], m[0]), expression)


def _atom(text: str) -> str:
    """An expression that can stand beside any sign."""
    depth = 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if depth == 0 and character == " ":
            return f"({text})"
    return f"({text})" if text.startswith("-") else text


def _assignable(target: str) -> str:
    """A whole array as a target is written with [...]: it is added to in place."""
    return target if target.endswith("]") else f"{target}[...]"
