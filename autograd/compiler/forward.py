"""Write array statements as NumPy source: the forward pass.

`emit` calls it, and `backward` extends it. Every array has shape (size, rows), or (size, 1) if all
rows share it, so that a layer becomes `W0 @ x + b0`. Inside an expression, the first axis may be
split into several: the last axis is always that of the rows, and the axis before it counts the
operands of each result, where a result has a list of them.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ..core import ops
from ..core.ops import Op
from .arrays import MANY, Read, Rolled, Statement
from .expression import (
    Dims,
    Expr,
    added,
    as_rows,
    atom,
    broadcast_dims,
    into,
    number_text,
    reduced,
    shape_text,
    substituted,
)
from .names import Names, common_name
from .program import DOT, LSE, MAX, SOFTMAX, SUM
from .support import Elementwise, add_at
from .view import View, grid, view


class Forward:
    """A writer of the statements of a program.

    Attributes:
        lines: the body of the function so far.
        names: the constants and functions that the source refers to, by name.
        views: the names of the slices of the parameters, by the text of the slice.
    """

    def __init__(self, rolled: Rolled) -> None:
        self.rolled = rolled
        self.lines: list[str] = []
        self.names: dict[str, Any] = {"np": np, "add_at": add_at}
        self.views: dict[str, str] = {}
        self.taken = Names(array.name for array in (*rolled.inputs, *rolled.arrays()))
        self.shares: dict[int, tuple[Expr, Expr]] = {}  # by id of statement: exponentials, sums
        self.functions: dict[tuple[Op, int], str] = {}
        self._shapes: dict[int, tuple[int, ...]] = {}

    def forward(self) -> None:
        """Write all statements."""
        for array in self.rolled.arrays():
            if not array.whole:
                self.add(f"{array.name} = np.empty(({array.size}, {array.axis}), dtype)")
        for statement in self.rolled.statements:
            self.compute(statement)

    def add(self, line: str) -> None:
        """Append a line to the body of the function."""
        # Of consecutive reshapes, only the last has an effect.
        line = re.sub(r"(\.reshape\([\w ,*]+\))+(?=\.reshape\([\w ,*]+\))", "", line)
        self.lines.append(f"    {line}")

    def constant(self, value: Any, prefix: str) -> str:
        """Make an object available to the source as a constant, and return its name."""
        name = self.taken.free(f"{prefix}{len(self.names)}")
        self.names[name] = value
        return name

    def outputs(self) -> str:
        """Return the expression of all outputs, concatenated."""
        reads = self.rolled.outputs
        axis = "rows" if any(read.base.batched for read in reads) else 1
        parts = [
            self.broadcast(self.read(read, read.places), (len(read.places), axis)).text
            for read in reads
        ]
        return parts[0] if len(parts) == 1 else f"np.concatenate(({', '.join(parts)}))"

    # ------------------------------------------------------------------ reading

    def read(self, read: Read, places: np.ndarray, tail: bool = True) -> Expr:
        """Return the elements of an array at these indices, as a view if they are regular.

        The result has the axes of `places`, and with `tail` that of the rows.
        """
        base = read.base
        found = view(base.name, base.size, places, str(base.axis) if tail else "")
        after: Dims = (base.axis,) if tail else ()
        if found is None:
            index = self.constant(places, "i")
            text = f"{base.name}.take({index}, axis=0)" + ("" if tail else "[..., 0]")
            return Expr(text, (*places.shape, *after))
        core = found.core
        if base is self.rolled.theta:
            core = self.parameter(found, places)
        return Expr(core + found.suffix, (*found.dims, *after))

    def parameter(self, found: View, places: np.ndarray) -> str:
        """Return the name of a slice of the parameters."""
        if found.core not in self.views:
            labels = self.rolled.labels
            name = common_name([labels.get(i, "") for i in np.unique(places).tolist()])
            name = self.taken.free(name or f"p{len(self.views)}")
            self.views[found.core] = name
        return self.views[found.core]

    def operand(self, read: Read, shape: tuple[int, ...]) -> Expr:
        """Return a read in this shape; a constant that is the same everywhere, as a number."""
        if read.base is self.rolled.constants:
            numbers = self.rolled.numbers[np.unique(read.places)]
            if len(set(map(repr, numbers.tolist()))) == 1:
                return Expr(number_text(float(numbers[0])), ())
        return self.read(read, read.places.reshape(shape))

    # ------------------------------------------------------------------ computing

    def compute(self, statement: Statement) -> None:
        """Write the line that computes a statement."""
        out = statement.out
        expr = self.computed(statement)
        full = self.full(statement)
        if out.whole:
            text = self.broadcast(expr, full).text
            self.add(f"{out.name} = {as_rows(text, full)}")
            return
        target = statement.part(out.name)
        if len(full) == 2 and expr.dims == full and (call := into(expr.text, target)):
            self.add(call)
        else:
            self.add(f"{target} = {as_rows(self.broadcast(expr, full).text, full)}")

    def computed(self, statement: Statement) -> Expr:
        """Return the expression that a statement computes."""
        op = statement.op
        if op not in MANY:
            return self.elementwise(statement)
        if op is DOT:
            return self.outer(statement) if statement.outer else self.paired(statement)
        if op in (SUM, MAX):
            method = "max" if op is MAX else "sum"
            return self.folded(statement, self.many(statement), method)
        return self.normalised(statement)

    def shape(self, statement: Statement) -> tuple[int, ...]:
        """Return the shape in which a statement reads its operands, without the axis of the rows.

        For an operation of `MANY`, the last axis counts the operands of each result.
        """
        key = id(statement)
        if key not in self._shapes:
            self._shapes[key] = self._shape(statement)
        return self._shapes[key]

    def _shape(self, statement: Statement) -> tuple[int, ...]:
        reads = statement.reads
        if statement.outer:
            return (len(reads[0].places), len(reads[1].places))
        if statement.op not in MANY:
            varying = [read for read in reads if read.base is not self.rolled.constants]
            return grid([read.places for read in varying or reads[:1]])
        if statement.sums is not None:
            return (reads[0].places.size,)
        lists = reads[: 2 if statement.op is DOT else 1]
        count, k = lists[0].places.shape
        if count == 1:
            return (k,)
        shape = grid([read.places.ravel() for read in lists], k)
        return shape if shape[-1] == k else (count, k)

    def full(self, statement: Statement) -> Dims:
        """Return the shape of the expression that a statement computes."""
        last = statement.out.axis
        shape = self.shape(statement)
        if statement.op is DOT and statement.outer:
            return (shape[0], last) if shape[1] == 1 else (*shape, last)
        if statement.op in MANY and statement.op is not SOFTMAX:
            if statement.sums is not None or len(shape) == 1:
                return (statement.size, last)
            return (*shape[:-1], last)
        return (*shape, last)

    def broadcast(self, expr: Expr, dims: Dims) -> Expr:
        """Return an expression broadcast to this shape."""
        if expr.dims == dims:
            return expr
        if expr.dims == ():
            return Expr(f"np.full({shape_text(dims)}, {expr.text}, dtype)", dims)
        return Expr(f"np.broadcast_to({expr.text}, {shape_text(dims)})", dims)

    def elementwise(self, statement: Statement) -> Expr:
        """Return an operation of the table applied to the operands, element by element."""
        op = statement.op
        shape = self.shape(statement)
        operands = [self.operand(read, shape) for read in statement.reads]
        if op.array:
            return substituted(op.array, operands)
        return self.called(op, -1, operands)

    def called(self, op: Op, operand: int, on: list[Expr]) -> Expr:
        """Return a call of `Elementwise`, for an operation without an array form."""
        name = self.functions.get((op, operand))
        if name is None:
            wanted = f"op_{'value' if operand < 0 else f'partial{operand}'}"
            name = self.functions[op, operand] = self.taken.free(wanted)
            self.names[name] = Elementwise(op, operand)
        dims = broadcast_dims([e.dims for e in on])
        return Expr(f"{name}({', '.join(e.text for e in on)})", dims)

    def many(self, statement: Statement) -> Expr:
        """Return the lists of operands of a statement, one along the last axis before the rows."""
        shape, read = self.shape(statement), statement.reads[0]
        expr = self.read(read, read.places.reshape(shape))
        return self.broadcast(expr, (*shape, expr.dims[-1]))

    def paired(self, statement: Statement) -> Expr:
        """Return dot products that form no matrix product: the sums of elementwise products."""
        lefts, rights = statement.reads[:2]
        shape = self.shape(statement)
        left, right = (self.read(r, r.places.reshape(shape)) for r in (lefts, rights))
        dims = broadcast_dims([left.dims, right.dims])
        last = statement.out.axis if "rows" in dims else 1
        product = self.broadcast(Expr(f"{left.text} * {right.text}", dims), (*shape, last))
        expr = self.folded(statement, product, "sum")
        lead = self.full(statement)[:-1]
        return added([expr, *(self.read(o, o.places.reshape(lead)) for o in statement.reads[2:])])

    def folded(self, statement: Statement, expr: Expr, method: str) -> Expr:
        """Reduce each list of operands by a sum or a maximum; drop their axis if others stay."""
        if statement.sums is not None:
            starts = self.constant(statement.sums, "i")
            ufunc = "np.maximum" if method == "max" else "np.add"
            text = f"{ufunc}.reduceat({expr.text}, {starts}, axis=0)"
            return Expr(text, (statement.size, expr.dims[-1]))
        return reduced(expr, method, len(expr.dims) - 2)

    def normalised(self, statement: Statement) -> Expr:
        """Return a log-sum-exp, log-odds or a softmax.

        The largest operand is subtracted first, so that no exponential overflows.
        """
        x = self.local(self.many(statement), "x")
        m = self.local(self.each(statement, x, "max"), "m")
        shift = self.repeated(statement, m)
        below = substituted(ops.gap.array, [x, shift])
        e = self.local(substituted(ops.exp.array, [below]), "e")
        s = self.local(self.each(statement, e, "sum"), "s")
        self.shares[id(statement)] = e, s
        if statement.op is SOFTMAX:
            return Expr(f"{e.text} / {self.repeated(statement, s).text}", x.dims)
        log = substituted(ops.log.array, [s])
        if statement.op is LSE:
            return self.dropped(statement, added([m, log]))
        other = statement.reads[1]
        held = self.read(other, other.places.reshape(self.full(statement)[:-1]))
        lead = substituted(ops.gap.array, [self.dropped(statement, m), held])
        return added([self.dropped(statement, log), lead])

    def dropped(self, statement: Statement, expr: Expr) -> Expr:
        """Drop the axis of size 1 that `each` keeps."""
        axis = len(self.shape(statement)) - 1
        if axis == 0:
            return expr
        return Expr(f"{atom(expr.text)}[{':, ' * axis}0]", (*expr.dims[:axis], expr.dims[-1]))

    def each(self, statement: Statement, expr: Expr, method: str) -> Expr:
        """Reduce each list of operands by a sum or a maximum; their axis stays, with size 1."""
        if statement.sums is not None:
            return self.folded(statement, expr, method)
        axis = len(expr.dims) - 2
        text = f"{atom(expr.text)}.{method}(axis={axis}, keepdims=True)"
        return Expr(text, (*expr.dims[:axis], 1, expr.dims[-1]))

    def repeated(self, statement: Statement, expr: Expr) -> Expr:
        """Repeat one value per list for each operand of the list.

        Lists of equal length need no copy, because NumPy broadcasts along their axis.
        """
        if statement.sums is None:
            return expr
        counts = np.diff([*statement.sums, statement.reads[0].places.size])
        text = f"{atom(expr.text)}.repeat({self.constant(counts, 'k')}, axis=0)"
        return Expr(text, (statement.reads[0].places.size, expr.dims[-1]))

    def local(self, expr: Expr, prefix: str) -> Expr:
        """Assign an expression that is used more than once to a variable, and return its name."""
        if expr.text.isidentifier():
            return expr
        name = self.taken.free(f"{prefix}{len(self.lines)}")
        self.add(f"{name} = {expr.text}")
        return Expr(name, expr.dims)

    # ------------------------------------------------------------------ matrix products

    def factors(self, statement: Statement) -> tuple[Expr, Expr]:
        """Return the two matrices of a product, of shapes (l, k) and (k, columns)."""
        lefts, rights = statement.reads[:2]
        left = self.read(lefts, lefts.places, tail=False)
        left = self.broadcast(left, lefts.places.shape)
        places = rights.places.T
        r = places.shape[1]
        if r == 1:
            right = self.read(rights, places[:, 0])
            right = self.broadcast(right, (len(places), rights.base.axis))
            return Expr(atom(left.text), left.dims), Expr(atom(right.text), right.dims)
        right = self.read(rights, places)
        right = self.broadcast(right, (*places.shape, rights.base.axis))
        columns = self.columns(statement)
        matrix = f"{atom(right.text)}.reshape({len(places)}, {columns})"
        return Expr(atom(left.text), left.dims), Expr(matrix, (len(places), columns))

    def columns(self, statement: Statement) -> str:
        """Return the number of columns of a matrix product: one for each right list and row."""
        r = len(statement.reads[1].places)
        if not statement.reads[1].base.batched:
            return str(r)
        return "rows" if r == 1 else f"{r} * rows"

    def outer(self, statement: Statement) -> Expr:
        """Return a matrix product, plus the summands of its dot products."""
        left, right = self.factors(statement)
        count, r = self.shape(statement)
        axis = statement.reads[1].base.axis
        dims: Dims = (count, axis) if r == 1 else (count, r, axis)
        text = f"{left.text} @ {right.text}"
        product = Expr(text if r == 1 else f"({text}).reshape{shape_text(dims)}", dims)
        others = [self.read(o, o.places.reshape(dims[:-1])) for o in statement.reads[2:]]
        return added([product, *others])
