"""Write array statements as NumPy source: the forward pass.

`emit` calls it, and `backward` extends it. Every array has shape (size, rows), or (size, 1) if all
rows share it, so that a layer becomes `W1 @ x + b1`. Inside an expression, the first axis may be
split into several: the last axis is always that of the rows, and the axis before it counts the
operands of each result, where a result has a list of them.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ..core import ops
from ..core.ops import Op
from ..core.special import BESIDES_NUMPY
from .arrays import LIST_OPS, ArrayProgram, Read, Statement, find_distinct
from .expression import (
    Dims,
    Expr,
    bracket,
    broadcast_dims,
    flatten_axes,
    reduce_axis,
    substitute,
    sum_exprs,
    write_number,
    write_out_call,
    write_shape,
)
from .names import Names, find_common_name
from .program import DOT, LSE, MAX, SOFTMAX, SUM
from .support import SUPPORT, Elementwise
from .view import View, find_regular_shape, find_view


class Forward:
    """A writer of the statements of a program.

    Attributes:
        lines: the body of the function so far.
        namespace: the constants and functions that the source refers to, by name.
        slice_names: the names of the slices of the parameters, by the text of the slice.
    """

    def __init__(self, program: ArrayProgram) -> None:
        self.program = program
        self.lines: list[str] = []
        self.namespace: dict[str, Any] = {"np": np, **BESIDES_NUMPY}
        self.namespace |= {function.__name__: function for function in SUPPORT}
        self.slice_names: dict[str, str] = {}
        self.names = Names(array.name for array in (*program.inputs, *program.arrays()))
        # By the id of the statement: the exponentials and their sums
        self.softmax_parts: dict[int, tuple[Expr, Expr]] = {}
        self.places: dict[str, Expr] = {}  # the variables of the indices of `take`, by their text
        self.functions: dict[tuple[Op, int], str] = {}
        self._index_names: dict[tuple[tuple[int, ...], bytes], str] = {}
        self._shapes: dict[int, tuple[int, ...]] = {}

    def add_forward_pass(self) -> None:
        """Write all statements."""
        for array in self.program.arrays():
            if not array.whole:
                self.add_line(f"{array.name} = np.empty(({array.size}, {array.width}), dtype)")
        for statement in self.program.statements:
            self.add_statement(statement)

    def add_line(self, line: str) -> None:
        """Append a line to the body of the function."""
        # Of consecutive reshapes, only the last has an effect.
        line = re.sub(r"(\.reshape\([\w ,*]+\))+(?=\.reshape\([\w ,*]+\))", "", line)
        self.lines.append(f"    {line}")

    def add_constant(self, value: Any, prefix: str) -> str:
        """Make an object available to the source as a constant, and return its name."""
        name = self.names.reserve(f"{prefix}{len(self.namespace)}")
        self.namespace[name] = value
        return name

    def add_indices(self, indices: np.ndarray, prefix: str = "i") -> str:
        """Make indices available as a constant, the same ones once, and return its name."""
        key = indices.shape, indices.tobytes()
        if key not in self._index_names:
            self._index_names[key] = self.add_constant(indices, prefix)
        return self._index_names[key]

    def write_outputs(self) -> str:
        """Return the expression of all outputs, concatenated."""
        reads = self.program.outputs
        width = "rows" if any(read.array.batched for read in reads) else 1
        parts = [
            self.broadcast(self.write_read(read, read.indices), (len(read.indices), width)).text
            for read in reads
        ]
        return parts[0] if len(parts) == 1 else f"np.concatenate(({', '.join(parts)}))"

    # ------------------------------------------------------------------ reading

    def write_read(self, read: Read, indices: np.ndarray, with_rows: bool = True) -> Expr:
        """Return the elements of an array at these indices, as a view if they are regular.

        The result has the axes of `indices`, and that of the rows if `with_rows` is True.
        """
        array = read.array
        found = find_view(array.name, array.size, indices, str(array.width) if with_rows else "")
        after: Dims = (array.width,) if with_rows else ()
        if found is None:
            index = self.add_indices(indices)
            text = f"{array.name}.take({index}, axis=0)" + ("" if with_rows else "[..., 0]")
            return Expr(text, (*indices.shape, *after))
        core = found.core
        if array is self.program.theta:
            core = self.name_slice(found, indices)
        return Expr(core + found.suffix, (*found.dims, *after))

    def name_slice(self, found: View, indices: np.ndarray) -> str:
        """Return the name of a slice of the parameters."""
        if found.core not in self.slice_names:
            labels = self.program.labels
            name = find_common_name([labels[i] for i in find_distinct(indices).tolist()])
            name = self.names.reserve(name or f"p{len(self.slice_names)}")
            self.slice_names[found.core] = name
        return self.slice_names[found.core]

    def write_operand(self, read: Read, shape: tuple[int, ...]) -> Expr:
        """Return a read in this shape; a constant that is the same everywhere, as a number."""
        if read.array is self.program.constants:
            numbers = self.program.numbers[find_distinct(read.indices)]
            if len(set(map(repr, numbers.tolist()))) == 1:
                return Expr(write_number(float(numbers[0])), ())
        return self.write_read(read, read.indices.reshape(shape))

    # ------------------------------------------------------------------ computing

    def add_statement(self, statement: Statement) -> None:
        """Write the line that computes a statement."""
        out = statement.out
        expr = self.write_statement(statement)
        full = self.find_dims(statement)
        if out.whole:
            text = self.broadcast(expr, full).text
            self.add_line(f"{out.name} = {flatten_axes(text, full)}")
            return
        target = statement.write_slice(out.name)
        if len(full) == 2 and expr.dims == full and (call := write_out_call(expr.text, target)):
            self.add_line(call)
        else:
            self.add_line(f"{target} = {flatten_axes(self.broadcast(expr, full).text, full)}")

    def write_statement(self, statement: Statement) -> Expr:
        """Return the expression that a statement computes."""
        op = statement.op
        if op is ops.take:
            return self.write_lookup(statement)
        if op not in LIST_OPS:
            return self.write_elementwise(statement)
        if op is DOT:
            if statement.matrix_product:
                return self.write_matrix_product(statement)
            return self.write_pairs(statement)
        if op in (SUM, MAX):
            method = "max" if op is MAX else "sum"
            return self.reduce_lists(statement, self.write_lists(statement), method)
        return self.write_normalised(statement)

    def find_shape(self, statement: Statement) -> tuple[int, ...]:
        """Return the shape in which a statement reads its operands, without the axis of the rows.

        For an operation of `LIST_OPS`, the last axis counts the operands of each result.
        """
        key = id(statement)
        if key not in self._shapes:
            self._shapes[key] = self._find_shape(statement)
        return self._shapes[key]

    def _find_shape(self, statement: Statement) -> tuple[int, ...]:
        reads = statement.reads
        if statement.matrix_product:
            return (len(reads[0].indices), len(reads[1].indices))
        if statement.op not in LIST_OPS:
            varying = [read for read in reads if read.array is not self.program.constants]
            return find_regular_shape([read.indices for read in varying or reads[:1]])
        if statement.list_starts is not None:
            return (reads[0].indices.size,)
        lists = reads[: 2 if statement.op is DOT else 1]
        count, k = lists[0].indices.shape
        if count == 1:
            return (k,)
        shape = find_regular_shape([read.indices.ravel() for read in lists], k)
        return shape if shape[-1] == k else (count, k)

    def find_dims(self, statement: Statement) -> Dims:
        """Return the shape of the expression that a statement computes."""
        last = statement.out.width
        if statement.op is ops.take:
            return self.find_lookup_dims(statement)
        shape = self.find_shape(statement)
        if statement.op is DOT and statement.matrix_product:
            return (shape[0], last) if shape[1] == 1 else (*shape, last)
        if statement.op in LIST_OPS and statement.op is not SOFTMAX:
            if statement.list_starts is not None or len(shape) == 1:
                return (statement.size, last)
            return (*shape[:-1], last)
        return (*shape, last)

    def broadcast(self, expr: Expr, dims: Dims) -> Expr:
        """Return an expression broadcast to this shape."""
        if expr.dims == dims:
            return expr
        if expr.dims == ():
            return Expr(f"np.full({write_shape(dims)}, {expr.text}, dtype)", dims)
        return Expr(f"np.broadcast_to({expr.text}, {write_shape(dims)})", dims)

    def write_elementwise(self, statement: Statement) -> Expr:
        """Return an operation of the table applied to the operands, element by element."""
        op = statement.op
        shape = self.find_shape(statement)
        operands = [self.write_operand(read, shape) for read in statement.reads]
        if op.array:
            return substitute(op.array, operands)
        return self.write_call(op, -1, operands)

    def write_call(self, op: Op, operand: int, on: list[Expr]) -> Expr:
        """Return a call of `Elementwise`, for an operation without an array form."""
        name = self.functions.get((op, operand))
        if name is None:
            wanted = f"op_{'value' if operand < 0 else f'partial{operand}'}"
            name = self.functions[op, operand] = self.names.reserve(wanted)
            self.namespace[name] = Elementwise(op, operand)
        dims = broadcast_dims([e.dims for e in on])
        return Expr(f"{name}({', '.join(e.text for e in on)})", dims)

    def write_lists(self, statement: Statement) -> Expr:
        """Return the lists of operands of a statement, one along the last axis before the rows."""
        shape, read = self.find_shape(statement), statement.reads[0]
        expr = self.write_read(read, read.indices.reshape(shape))
        return self.broadcast(expr, (*shape, expr.dims[-1]))

    def write_pairs(self, statement: Statement) -> Expr:
        """Return dot products that form no matrix product: the sums of elementwise products."""
        lefts, rights = statement.reads[:2]
        shape = self.find_shape(statement)
        left, right = (self.write_read(r, r.indices.reshape(shape)) for r in (lefts, rights))
        dims = broadcast_dims([left.dims, right.dims])
        last = statement.out.width if "rows" in dims else 1
        product = self.broadcast(Expr(f"{left.text} * {right.text}", dims), (*shape, last))
        expr = self.reduce_lists(statement, product, "sum")
        lead = self.find_dims(statement)[:-1]
        others = [self.write_read(o, o.indices.reshape(lead)) for o in statement.reads[2:]]
        return sum_exprs([expr, *others])

    def reduce_lists(self, statement: Statement, expr: Expr, method: str) -> Expr:
        """Reduce each list of operands by a sum or a maximum; drop their axis if others stay."""
        if statement.list_starts is not None:
            starts = self.add_constant(statement.list_starts, "i")
            ufunc = "np.maximum" if method == "max" else "np.add"
            text = f"{ufunc}.reduceat({expr.text}, {starts}, axis=0)"
            return Expr(text, (statement.size, expr.dims[-1]))
        return reduce_axis(expr, method, len(expr.dims) - 2)

    def write_normalised(self, statement: Statement) -> Expr:
        """Return a log-sum-exp, log-odds or a softmax.

        The largest operand is subtracted first, so that no exponential overflows.
        """
        x = self.add_variable(self.write_lists(statement), "x")
        m = self.add_variable(self.reduce_keeping_axis(statement, x, "max"), "m")
        shift = self.repeat(statement, m)
        below = substitute(ops.gap.array, [x, shift])
        e = self.add_variable(substitute(ops.exp.array, [below]), "e")
        s = self.add_variable(self.reduce_keeping_axis(statement, e, "sum"), "s")
        self.softmax_parts[id(statement)] = e, s
        if statement.op is SOFTMAX:
            return Expr(f"{e.text} / {self.repeat(statement, s).text}", x.dims)
        log = substitute(ops.log.array, [s])
        if statement.op is LSE:
            return self.drop_axis(statement, sum_exprs([m, log]))
        other = statement.reads[1]
        against = self.write_read(other, other.indices.reshape(self.find_dims(statement)[:-1]))
        lead = substitute(ops.gap.array, [self.drop_axis(statement, m), against])
        return sum_exprs([self.drop_axis(statement, log), lead])

    def drop_axis(self, statement: Statement, expr: Expr) -> Expr:
        """Drop the axis of size 1 that `reduce_keeping_axis` keeps."""
        axis = len(self.find_shape(statement)) - 1
        if axis == 0:
            return expr
        return Expr(f"{bracket(expr.text)}[{':, ' * axis}0]", (*expr.dims[:axis], expr.dims[-1]))

    def reduce_keeping_axis(self, statement: Statement, expr: Expr, method: str) -> Expr:
        """Reduce each list of operands by a sum or a maximum; their axis stays, with size 1."""
        if statement.list_starts is not None:
            return self.reduce_lists(statement, expr, method)
        axis = len(expr.dims) - 2
        text = f"{bracket(expr.text)}.{method}(axis={axis}, keepdims=True)"
        return Expr(text, (*expr.dims[:axis], 1, expr.dims[-1]))

    def repeat(self, statement: Statement, expr: Expr) -> Expr:
        """Repeat one value per list for each operand of the list.

        Lists of equal length need no copy, because NumPy broadcasts along their axis.
        """
        if statement.list_starts is None:
            return expr
        counts = np.diff([*statement.list_starts, statement.reads[0].indices.size])
        text = f"{bracket(expr.text)}.repeat({self.add_indices(counts, 'k')}, axis=0)"
        return Expr(text, (statement.reads[0].indices.size, expr.dims[-1]))

    def add_variable(self, expr: Expr, prefix: str) -> Expr:
        """Assign an expression that is used more than once to a variable, and return its name."""
        if expr.text.isidentifier():
            return expr
        name = self.names.reserve(f"{prefix}{len(self.lines)}")
        self.add_line(f"{name} = {expr.text}")
        return Expr(name, expr.dims)

    # ------------------------------------------------------------------ look-ups

    def write_lookup(self, statement: Statement) -> Expr:
        """Return the rows of a table, or the numbers of lists, at the indices."""
        entries, dims = statement.reads[1], self.find_lookup_dims(statement)
        at = self.write_places(statement)
        if not statement.looks_up_rows:
            lists = self.write_read(entries, entries.indices)
            lists = self.broadcast(lists, (*entries.indices.shape, lists.dims[-1]))
            return Expr(f"choose({lists.text}, {at})", dims)
        shape = entries.indices.T.shape if len(entries.indices) > 1 else entries.indices.shape[1:]
        table = self.write_read(entries, entries.indices.T.reshape(shape), with_rows=False)
        rows = bracket(self.broadcast(table, shape).text)
        if len(shape) == 1:
            return Expr(f"{rows}.take({at})", dims)
        if len(dims) == 2:
            return Expr(f"{rows}.take({at}[0], axis=0).T", dims)
        return Expr(f"{rows}.take({at}, axis=0).swapaxes(1, 2)", dims)

    def write_places(self, statement: Statement) -> str:
        """Return the name of the variable that holds the indices of a look-up as whole numbers."""
        indices, entries = statement.reads
        read = self.write_read(indices, indices.indices)
        text = f"places({read.text}, {entries.indices.shape[1]})"
        if text not in self.places:
            self.places[text] = self.add_variable(Expr(text, read.dims), "at")
        return self.places[text].text

    def find_lookup_dims(self, statement: Statement) -> Dims:
        """Return the shape of a look-up: (n, rows), or (p, d, rows) for d columns of a table."""
        indices, entries = statement.reads
        if not statement.looks_up_rows or 1 in (len(indices.indices), len(entries.indices)):
            return (statement.size, statement.out.width)
        return (len(indices.indices), len(entries.indices), statement.out.width)

    # ------------------------------------------------------------------ matrix products

    def write_factors(self, statement: Statement) -> tuple[Expr, Expr]:
        """Return the two matrices of a product, of shapes (l, k) and (k, columns)."""
        lefts, rights = statement.reads[:2]
        left = self.write_read(lefts, lefts.indices, with_rows=False)
        left = self.broadcast(left, lefts.indices.shape)
        indices = rights.indices.T
        r = indices.shape[1]
        if r == 1:
            right = self.write_read(rights, indices[:, 0])
            right = self.broadcast(right, (len(indices), rights.array.width))
            return Expr(bracket(left.text), left.dims), Expr(bracket(right.text), right.dims)
        right = self.write_read(rights, indices)
        right = self.broadcast(right, (*indices.shape, rights.array.width))
        columns = self.count_columns(statement)
        matrix = f"{bracket(right.text)}.reshape({len(indices)}, {columns})"
        return Expr(bracket(left.text), left.dims), Expr(matrix, (len(indices), columns))

    def count_columns(self, statement: Statement) -> str:
        """Return the number of columns of a matrix product: one for each right list and row."""
        r = len(statement.reads[1].indices)
        if not statement.reads[1].array.batched:
            return str(r)
        return "rows" if r == 1 else f"{r} * rows"

    def write_matrix_product(self, statement: Statement) -> Expr:
        """Return a matrix product, plus the summands of its dot products."""
        left, right = self.write_factors(statement)
        count, r = self.find_shape(statement)
        width = statement.reads[1].array.width
        dims: Dims = (count, width) if r == 1 else (count, r, width)
        text = f"{left.text} @ {right.text}"
        product = Expr(text if r == 1 else f"({text}).reshape{write_shape(dims)}", dims)
        others = [self.write_read(o, o.indices.reshape(dims[:-1])) for o in statement.reads[2:]]
        return sum_exprs([product, *others])
