"""Write the gradient with respect to the parameters as NumPy source: the backward pass.

This is reverse-mode differentiation of array statements. `emit` calls it. The statements are
visited from the last to the first. The gradient of a statement's result, times a partial
derivative, is a contribution to the gradient of an operand. Contributions that cover a whole array
are added in one expression; others are added to an array of zeros. All partial derivatives are
those of the table of operations: a dot product, for example, uses those of `mul`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..core import ops
from ..core.ops import Op
from .arrays import LIST_OPS, Array, ArrayProgram, Read, Statement, find_distinct
from .expression import (
    Dims,
    Expr,
    bracket,
    multiply,
    split_axes,
    substitute,
    sum_exprs,
    sum_over_copies,
    sum_over_rows,
    write_shape,
)
from .forward import Forward
from .program import DOT, LSE, ODDS, SOFTMAX, SUM
from .support import RepeatedIndices
from .view import View, find_view

SHARING = (ops.maximum, ops.minimum)  # their partial derivatives add up to 1
LONG = 64  # the number of right lists from which a product is made by `multiply_long`
TERMS = 50  # the largest number of contributions that one expression adds


class Contribution(NamedTuple):
    """A contribution to the elements of a gradient at these indices.

    `target` is the view to assign to, of shape `shape`; "" if the indices are irregular.
    """

    indices: np.ndarray
    target: str
    expr: Expr
    shape: tuple[int, ...] = ()

    @property
    def full(self) -> bool:
        """True if the contribution has the shape of the target, without broadcasting."""
        return self.expr.dims[: len(self.shape)] == self.shape


class Backward(Forward):
    """A writer of the statements of a program, and of their gradient.

    Attributes:
        contributions: those to the gradients of whole arrays, which `collect_gradient` adds.
        first_lines: for each gradient that has an array, the line of the source that creates it.
        covered: for each of these, a mask of the elements that are set.
        zeroed: gradients that must begin as zeros: some `+=` reaches an element that is not set.
        varying: the arrays that depend on the parameters.
    """

    def __init__(self, program: ArrayProgram) -> None:
        super().__init__(program)
        self.contributions: dict[Array, list[Contribution]] = {}
        self.first_lines: dict[Array, int] = {}
        self.covered: dict[Array, np.ndarray] = {}
        self.zeroed: set[Array] = set()
        self.varying = {program.theta}
        for statement in program.statements:
            reads = statement.reads if statement.op is not ops.stop_gradient else ()
            if any(read.array in self.varying for read in reads):
                self.varying.add(statement.out)

    def add_backward_pass(self) -> None:
        """Write the backward pass, from the last statement to the first."""
        first = self.program.outputs[0]
        cost = Read(first.array, first.indices[:1])
        # The gradient of the mean over n rows. All rows share a cost that is not batched.
        seed = Expr("1.0 / n" if cost.array.batched else "rows / n", ())
        self.contribute(cost, seed, (1,), cost.array.batched)
        for statement in reversed(self.program.statements):
            out = statement.out
            reached = out in self.contributions or out in self.first_lines
            if reached and statement.reaches_cost:
                self.contribute_to_operands(statement, self.collect_gradient(statement))
        for array, line in self.first_lines.items():
            if array is not self.program.theta and self.is_fully_set(array):
                # Zeros would be overwritten.
                self.lines[line] = self.lines[line].replace("np.zeros", "np.empty")

    def contribute(
        self, read: Read, expr: Expr, shape: tuple[int, ...], batched: bool, with_rows: bool = True
    ) -> None:
        """Add a contribution to the gradient of the elements that were read.

        Args:
            read: the elements.
            expr: the contribution; an axis of size 1 means that it is the same along the axis.
            shape: the shape in which the elements were read, without the axis of the rows.
            batched: True if the contribution differs from row to row.
            with_rows: True if the contribution has the axis of the rows.
        """
        array = read.array
        if array not in self.varying:
            return
        over_rows = batched and not array.batched
        if not with_rows and array is not self.program.theta:
            # Only slices of parameters are matrices.
            expr, with_rows = Expr(f"{bracket(expr.text)}[..., None]", (*expr.dims, 1)), True
        name, width = f"d_{array.name}", str(array.width) if with_rows else ""
        indices = read.indices.reshape(shape)
        found = find_view(name, array.size, indices, width)
        if found is None:
            expr = sum_over_rows(expr) if over_rows else expr
            full = (*shape, array.width) if with_rows else shape
            text = self.broadcast(expr, full).text
            if len(full) != 2 or not with_rows:
                text = f"{bracket(text)}.reshape({indices.size}, {array.width})"
            expr = Expr(text, (indices.size, array.width))
            contribution = Contribution(indices.ravel(), "", expr)
        else:
            axes = [axis for axis, size in enumerate(found.dims) if size > 1]
            expr = sum_over_copies(expr, shape, axes, over_rows)
            distinct = indices[tuple(slice(None) if k in axes else 0 for k in range(len(shape)))]
            distinct = np.atleast_1d(distinct)
            view = find_view(name, array.size, distinct, width)
            assert view is not None
            target = self.write_target(array, view)
            contribution = Contribution(distinct.ravel(), target, expr, distinct.shape)
        if array.whole and array is not self.program.theta:
            self.contributions.setdefault(array, []).append(contribution)
        else:
            self.begin_gradient(array)
            self.add_assignment(array, contribution)

    def write_target(self, array: Array, view: View) -> str:
        """Return the text of a view of a gradient; slices of the parameters have a name."""
        if array is self.program.theta:
            name = self.slice_names.get(view.core.replace("d_theta", "theta", 1))
            if name:
                return f"d_{name}{view.suffix}"
        return view.core + view.suffix

    def begin_gradient(self, array: Array) -> None:
        """Write the line that creates the array of a gradient, unless there is one."""
        if array not in self.first_lines:
            self.first_lines[array] = len(self.lines)
            self.covered[array] = np.zeros(array.size, dtype=bool)
            if array is not self.program.theta:
                self.add_line(f"d_{array.name} = np.zeros(({array.size}, {array.width}), dtype)")

    def add_assignment(self, array: Array, contribution: Contribution) -> None:
        """Write a contribution to part of a gradient: an assignment, or += if elements are set."""
        covered, indices, text = self.covered[array], contribution.indices, contribution.expr.text
        once = len(find_distinct(indices)) == indices.size
        fresh = once and not covered[indices].any()
        if not fresh and not covered[indices].all():
            self.zeroed.add(array)
        covered[indices] = True
        target = contribution.target
        if not once:
            index = self.add_constant(RepeatedIndices(indices, array.size), "i")
            self.add_line(f"add_at(d_{array.name}, {index}, {text})")
        elif fresh and contribution.expr.out_call and target.isidentifier() and contribution.full:
            self.add_line(contribution.expr.out_call.replace("{}", target))
        else:
            target = target or f"d_{array.name}[{self.add_constant(indices, 'i')}]"
            target += "" if target.endswith("]") else "[...]"
            self.add_line(f"{target} {'=' if fresh else '+='} {text}")

    def collect_gradient(self, statement: Statement) -> Expr:
        """Return the gradient of a statement's result, in the shape that the statement computes."""
        out = statement.out
        name, contributions = f"d_{out.name}", self.contributions.pop(out, [])
        every = np.arange(out.size)
        if contributions and all(np.array_equal(c.indices, every) for c in contributions):
            dims = (out.size, out.width)
            exprs = [self.flatten(contribution, dims) for contribution in contributions]
            while len(exprs) > TERMS:  # Python limits the nesting of an expression
                first = self.add_variable(sum_exprs(exprs[:TERMS]), "g")
                exprs = [first, *exprs[TERMS:]]
            total = sum_exprs(exprs)
            if total.dims == ():
                self.add_line(f"{name} = {total.text}")
                return Expr(name, ())
            if len(self.find_dims(statement)) == 2 and statement.list_starts is None:
                self.add_line(f"{name} = {total.text}")  # the uses broadcast it
                return Expr(name, total.dims)
            self.add_line(f"{name} = {self.broadcast(total, dims).text}")
        else:
            self.begin_gradient(out)
            for contribution in contributions:
                self.add_assignment(out, contribution)
        return split_axes(statement.write_slice(name), self.find_dims(statement))

    def flatten(self, contribution: Contribution, dims: Dims) -> Expr:
        """Return a contribution to a whole array, in the shape of the array."""
        if len(contribution.shape) < 2 or contribution.expr.dims == ():
            return contribution.expr
        full = (*contribution.shape, dims[-1])
        text = self.broadcast(contribution.expr, full).text
        return Expr(f"{bracket(text)}.reshape{write_shape(dims)}", dims)

    def contribute_to_operands(self, statement: Statement, g: Expr) -> None:
        """Pass the gradient `g` of a statement's result on to its operands."""
        op = statement.op
        if op is ops.take:
            self.contribute_lookup(statement, g)
        elif op not in LIST_OPS:
            self.contribute_elementwise(statement, g)
        elif op is SUM:
            g = self.spread(statement, g)
            shape = self.find_shape(statement)
            self.contribute(statement.reads[0], g, shape, statement.out.batched)
        elif op is DOT and statement.matrix_product:
            self.contribute_matrix_product(statement, g)
        elif op is DOT:
            self.contribute_pairs(statement, g)
        elif op in (LSE, ODDS, SOFTMAX):
            self.contribute_normalised(statement, g)

    def spread(self, statement: Statement, expr: Expr) -> Expr:
        """Return one value per list in a shape that broadcasts to the operands of the lists."""
        if expr.dims == ():
            return expr
        return self.repeat(statement, self.restore_axis(statement, expr))

    def restore_axis(self, statement: Statement, expr: Expr) -> Expr:
        """Return one value per list with an axis of size 1 for the operands: undo `drop_axis`."""
        one_list = len(self.find_shape(statement)) == 1
        if expr.dims == () or statement.list_starts is not None or one_list:
            return expr
        return Expr(f"{bracket(expr.text)}[..., None, :]", (*expr.dims[:-1], 1, expr.dims[-1]))

    def contribute_elementwise(self, statement: Statement, g: Expr) -> None:
        """Pass the gradient times its partial derivative on to each operand."""
        op, shape = statement.op, self.find_shape(statement)
        operands = [self.write_operand(read, shape) for read in statement.reads]
        out = self.write_result(statement)
        if op in SHARING and all(read.array in self.varying for read in statement.reads):
            first = multiply(g, self.write_partial(op, 0, operands))
            first = self.add_variable(first, "g")
            rest = Expr(f"{bracket(g.text)} - {first.text}", first.dims)
            for read, share in zip(statement.reads, (first, rest)):
                self.contribute(read, share, shape, statement.out.batched)
            return
        for i, read in enumerate(statement.reads):
            if read.array not in self.varying:
                continue
            if op.array_partials:
                partial = self.write_partial(op, i, operands, out)
            else:
                partial = self.write_call(op, i, [out, *operands])
            if partial.text != "0.0":
                self.contribute(read, multiply(g, partial), shape, statement.out.batched)

    def write_partial(self, op: Op, operand: int, on: list[Expr], out: Expr | None = None) -> Expr:
        """Return a partial derivative of an operation that has an array form, at these operands."""
        return substitute(op.array_partials[operand], on, out)

    def write_result(self, statement: Statement) -> Expr:
        """Return the result of a statement, in the shape that the statement computes."""
        return split_axes(statement.write_slice(statement.out.name), self.find_dims(statement))

    def contribute_pairs(self, statement: Statement, g: Expr) -> None:
        """Pass the gradient of dot products on to the factors and the summand."""
        lefts, rights = statement.reads[:2]
        shape, batched = self.find_shape(statement), statement.out.batched
        for other in statement.reads[2:]:
            self.contribute(other, g, self.find_dims(statement)[:-1], batched)
        g = self.spread(statement, g)
        factors = [self.write_read(read, read.indices.reshape(shape)) for read in (lefts, rights)]
        sides = list(enumerate((lefts, rights)))
        if lefts.array is rights.array and np.array_equal(lefts.indices, rights.indices):
            g, sides = Expr(f"2.0 * {bracket(g.text)}", g.dims), sides[:1]
        for i, read in sides:
            partial = self.write_partial(ops.mul, i, factors)
            self.contribute(read, multiply(g, partial), shape, batched)

    def contribute_normalised(self, statement: Statement, g: Expr) -> None:
        """Pass the gradient of a log-sum-exp, log-odds or a softmax on to the operands.

        It flows through the logarithm, or the quotients, to the exponentials, and then to the
        operands. No gradient flows through the largest operand that was subtracted.
        """
        e, s = self.softmax_parts[id(statement)]
        for other in statement.reads[1:]:
            lead = multiply(g, self.write_partial(ops.gap, 1, []))
            self.contribute(other, lead, self.find_dims(statement)[:-1], statement.out.batched)
        if statement.op is not SOFTMAX:
            by_log = multiply(self.restore_axis(statement, g), self.write_partial(ops.log, 0, [s]))
            d_e = self.repeat(statement, self.add_gradient(s, by_log))
        else:
            quotient, out = [e, self.repeat(statement, s)], self.write_result(statement)
            by_e, by_s = (self.write_partial(ops.div, i, quotient, out) for i in (0, 1))
            summed = self.reduce_keeping_axis(statement, multiply(g, by_s), "sum")
            d_s = self.add_gradient(s, summed)
            d_e = self.add_gradient(e, sum_exprs([multiply(g, by_e), self.repeat(statement, d_s)]))
        d_x = multiply(d_e, self.write_partial(ops.exp, 0, [], e))
        self.contribute(statement.reads[0], d_x, self.find_shape(statement), statement.out.batched)

    def add_gradient(self, of: Expr, expr: Expr) -> Expr:
        """Assign the gradient of a variable to a variable, and return its name."""
        self.add_line(f"d_{of.text} = {expr.text}")
        return Expr(f"d_{of.text}", expr.dims)

    def contribute_lookup(self, statement: Statement, g: Expr) -> None:
        """Pass the gradient of a look-up on to the rows, or to the numbers, that were chosen."""
        entries = statement.reads[1]
        at, dims = self.write_places(statement), self.find_dims(statement)
        text, count = self.broadcast(g, dims).text, entries.indices.shape[1]
        if not statement.looks_up_rows:
            expr = Expr(f"spread({at}, {text}, {count})", (*entries.indices.shape, dims[-1]))
            self.contribute(entries, expr, entries.indices.shape, statement.out.batched)
            return
        if len(dims) == 2:
            text = f"{bracket(text)}[{':, ' * (len(entries.indices) == 1)}None]"
        table = Read(entries.array, entries.indices.T)
        expr = Expr(f"add_rows({at}, {text}, {count})", table.indices.shape)
        self.contribute(table, expr, table.indices.shape, False, with_rows=False)

    def contribute_matrix_product(self, statement: Statement, g: Expr) -> None:
        """Pass the gradient of a matrix product on to both matrices and the summands.

        The gradient G of L @ R becomes G @ Rᵀ for L, and Lᵀ @ G for R.
        """
        lefts, rights = statement.reads[:2]
        count, r = self.find_shape(statement)
        batched = rights.array.batched
        full = self.find_dims(statement)
        for other in statement.reads[2:]:
            self.contribute(other, g, full[:-1], statement.out.batched)
        g = self.broadcast(g, full)
        if statement.out.batched and not batched:
            g = sum_over_rows(g)
        columns = self.count_columns(statement)
        matrix = g.text if r == 1 else f"{bracket(g.text)}.reshape({count}, {columns})"
        matrix, factors = bracket(matrix), list(self.write_factors(statement))
        by_left, by_right = (bracket(self.write_partial(ops.mul, i, factors).text) for i in (0, 1))
        text, out_call = f"{matrix} @ {by_left}.T", f"np.matmul({matrix}, {by_left}.T, out={{}})"
        if r >= LONG:
            text, out_call = f"multiply_long({matrix}, {by_left})", ""
        product = Expr(text, lefts.indices.shape, out_call)
        self.contribute(lefts, product, lefts.indices.shape, False, with_rows=False)
        k, last = lefts.indices.shape[1], rights.array.width
        dims: Dims = (k, last) if r == 1 else (k, r, last)
        expr = split_axes(f"{by_right}.T @ {matrix}", dims)
        self.contribute(Read(rights.array, rights.indices.T), expr, dims[:-1], batched)

    def is_fully_set(self, array: Array) -> bool:
        """Return True if each element of a gradient is assigned before anything is added to it."""
        begun = array in self.first_lines and array not in self.zeroed
        return begun and bool(self.covered[array].all())
