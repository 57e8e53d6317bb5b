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
from .arrays import MANY, Array, Read, Rolled, Statement
from .expression import (
    Dims,
    Expr,
    added,
    atom,
    over_copies,
    over_rows,
    shape_text,
    substituted,
    times,
    with_axes,
)
from .forward import Forward
from .program import DOT, LSE, ODDS, SOFTMAX, SUM
from .support import Places
from .view import View, view

TERMS = 50  # the largest number of contributions that one expression adds


class Piece(NamedTuple):
    """A contribution to the elements of a gradient at the indices `places`.

    `target` is the view to assign to, of shape `shape`; "" if the indices are irregular.
    """

    places: np.ndarray
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
        handed: contributions to the gradients of whole arrays, which `collected` adds.
        begun: for each gradient that has an array, the line of the source that creates it.
        covered: for each of these, a mask of the elements that are set.
        uneven: gradients that must begin as zeros: some `+=` reaches an element that is not set.
        varying: the arrays that depend on the parameters.
    """

    def __init__(self, rolled: Rolled) -> None:
        super().__init__(rolled)
        self.handed: dict[Array, list[Piece]] = {}
        self.begun: dict[Array, int] = {}
        self.covered: dict[Array, np.ndarray] = {}
        self.uneven: set[Array] = set()
        self.varying = {rolled.theta}
        for statement in rolled.statements:
            reads = statement.reads if statement.op is not ops.stop_gradient else ()
            if any(read.base in self.varying for read in reads):
                self.varying.add(statement.out)

    def backward(self) -> None:
        """Write the backward pass, from the last statement to the first."""
        first = self.rolled.outputs[0]
        cost = Read(first.base, first.places[:1])
        # The gradient of the mean over n rows. All rows share a cost that is not batched.
        seed = Expr("1.0 / n" if cost.base.batched else "rows / n", ())
        self.hand(cost, seed, (1,), cost.base.batched)
        for statement in reversed(self.rolled.statements):
            out = statement.out
            reached = out in self.handed or out in self.begun
            if reached and statement.inside:
                self.hand_on(statement, self.collected(statement))
        for array, line in self.begun.items():
            if array is not self.rolled.theta and self.whole(array):  # zeros would be overwritten
                self.lines[line] = self.lines[line].replace("np.zeros", "np.empty")

    def hand(
        self, read: Read, expr: Expr, shape: tuple[int, ...], batched: bool, tail: bool = True
    ) -> None:
        """Add a contribution to the gradient of the elements that were read.

        Args:
            read: the elements.
            expr: the contribution; an axis of size 1 means that it is the same along the axis.
            shape: the shape in which the elements were read, without the axis of the rows.
            batched: True if the contribution differs from row to row.
            tail: True if the contribution has the axis of the rows.
        """
        base = read.base
        if base not in self.varying:
            return
        if batched and not base.batched:
            expr = over_rows(expr)
        if not tail and base is not self.rolled.theta:  # only slices of parameters are matrices
            expr, tail = Expr(f"{atom(expr.text)}[..., None]", (*expr.dims, 1)), True
        places = read.places.reshape(shape)
        found = view(f"d_{base.name}", base.size, places, str(base.axis) if tail else "")
        if found is None:
            full = (*shape, base.axis) if tail else shape
            text = self.broadcast(expr, full).text
            if len(full) != 2 or not tail:
                text = f"{atom(text)}.reshape({places.size}, {base.axis})"
            piece = Piece(places.ravel(), "", Expr(text, (places.size, base.axis)))
        else:
            axes = [axis for axis, size in enumerate(found.dims) if size > 1]
            expr = over_copies(expr, shape, axes)
            distinct = places[tuple(slice(None) if k in axes else 0 for k in range(len(shape)))]
            distinct = np.atleast_1d(distinct)
            target = view(f"d_{base.name}", base.size, distinct, str(base.axis) if tail else "")
            assert target is not None
            piece = Piece(distinct.ravel(), self.target(base, target), expr, distinct.shape)
        if base.whole and base is not self.rolled.theta:
            self.handed.setdefault(base, []).append(piece)
        else:
            self.begin(base)
            self.store(base, piece)

    def target(self, base: Array, target: View) -> str:
        """Return the text of a view of a gradient; slices of the parameters have a name."""
        if base is self.rolled.theta:
            name = self.views.get(target.core.replace("d_theta", "theta", 1))
            if name:
                return f"d_{name}{target.suffix}"
        return target.core + target.suffix

    def begin(self, base: Array) -> None:
        """Write the line that creates the array of a gradient, unless there is one."""
        if base not in self.begun:
            self.begun[base] = len(self.lines)
            self.covered[base] = np.zeros(base.size, dtype=bool)
            if base is not self.rolled.theta:
                self.add(f"d_{base.name} = np.zeros(({base.size}, {base.axis}), dtype)")

    def store(self, base: Array, piece: Piece) -> None:
        """Write a contribution to part of a gradient: an assignment, or += if elements are set."""
        covered, places, text = self.covered[base], piece.places, piece.expr.text
        once = len(np.unique(places)) == places.size
        fresh = once and not covered[places].any()
        if not fresh and not covered[places].all():
            self.uneven.add(base)
        covered[places] = True
        target = piece.target
        if not once:
            index = self.constant(Places(places, base.size), "i")
            self.add(f"add_at(d_{base.name}, {index}, {text})")
        elif fresh and piece.expr.into and target.isidentifier() and piece.full:
            self.add(piece.expr.into.replace("{}", target))
        else:
            target = target or f"d_{base.name}[{self.constant(places, 'i')}]"
            target += "" if target.endswith("]") else "[...]"
            self.add(f"{target} {'=' if fresh else '+='} {text}")

    def collected(self, statement: Statement) -> Expr:
        """Return the gradient of a statement's result, in the shape that the statement computes."""
        out = statement.out
        name, pieces = f"d_{out.name}", self.handed.pop(out, [])
        every = np.arange(out.size)
        if pieces and all(np.array_equal(piece.places, every) for piece in pieces):
            dims = (out.size, out.axis)
            exprs = [self.flattened(piece, dims) for piece in pieces]
            while len(exprs) > TERMS:  # Python limits the nesting of an expression
                first = self.local(added(exprs[:TERMS]), "g")
                exprs = [first, *exprs[TERMS:]]
            total = added(exprs)
            if total.dims == ():
                self.add(f"{name} = {total.text}")
                return Expr(name, ())
            self.add(f"{name} = {self.broadcast(total, dims).text}")
        else:
            self.begin(out)
            for piece in pieces:
                self.store(out, piece)
        return with_axes(statement.part(name), self.full(statement))

    def flattened(self, piece: Piece, dims: Dims) -> Expr:
        """Return a contribution to a whole array, in the shape of the array."""
        if len(piece.shape) < 2 or piece.expr.dims == ():
            return piece.expr
        full = (*piece.shape, dims[-1])
        text = self.broadcast(piece.expr, full).text
        return Expr(f"{atom(text)}.reshape{shape_text(dims)}", dims)

    def hand_on(self, statement: Statement, g: Expr) -> None:
        """Pass the gradient `g` of a statement's result on to its operands."""
        op = statement.op
        if op not in MANY:
            self.hand_on_elementwise(statement, g)
        elif op is SUM:
            g = self.spread(statement, g)
            self.hand(statement.reads[0], g, self.shape(statement), statement.out.batched)
        elif op is DOT and statement.outer:
            self.hand_on_outer(statement, g)
        elif op is DOT:
            self.hand_on_pairs(statement, g)
        elif op in (LSE, ODDS, SOFTMAX):
            self.hand_on_normalised(statement, g)

    def spread(self, statement: Statement, expr: Expr) -> Expr:
        """Return one value per list in a shape that broadcasts to the operands of the lists."""
        if expr.dims == ():
            return expr
        return self.repeated(statement, self.kept(statement, expr))

    def kept(self, statement: Statement, expr: Expr) -> Expr:
        """Return one value per list with an axis of size 1 for the operands: undo `dropped`."""
        if expr.dims == () or statement.sums is not None or len(self.shape(statement)) == 1:
            return expr
        return Expr(f"{atom(expr.text)}[..., None, :]", (*expr.dims[:-1], 1, expr.dims[-1]))

    def hand_on_elementwise(self, statement: Statement, g: Expr) -> None:
        """Pass the gradient times its partial derivative on to each operand."""
        op, shape = statement.op, self.shape(statement)
        operands = [self.operand(read, shape) for read in statement.reads]
        out = self.made(statement)
        for i, read in enumerate(statement.reads):
            if read.base not in self.varying:
                continue
            if op.array_partials:
                partial = self.partial(op, i, operands, out)
            else:
                partial = self.called(op, i, [out, *operands])
            if partial.text != "0.0":
                self.hand(read, times(g, partial), shape, statement.out.batched)

    def partial(self, op: Op, operand: int, on: list[Expr], out: Expr | None = None) -> Expr:
        """Return a partial derivative of an operation that has an array form, at these operands."""
        return substituted(op.array_partials[operand], on, out)

    def made(self, statement: Statement) -> Expr:
        """Return the result of a statement, in the shape that the statement computes."""
        return with_axes(statement.part(statement.out.name), self.full(statement))

    def hand_on_pairs(self, statement: Statement, g: Expr) -> None:
        """Pass the gradient of dot products on to the factors and the summand."""
        lefts, rights = statement.reads[:2]
        shape, batched = self.shape(statement), statement.out.batched
        for other in statement.reads[2:]:
            self.hand(other, g, self.full(statement)[:-1], batched)
        g = self.spread(statement, g)
        factors = [self.read(read, read.places.reshape(shape)) for read in (lefts, rights)]
        sides = list(enumerate((lefts, rights)))
        if lefts.base is rights.base and np.array_equal(lefts.places, rights.places):
            g, sides = Expr(f"2.0 * {atom(g.text)}", g.dims), sides[:1]
        for i, read in sides:
            self.hand(read, times(g, self.partial(ops.mul, i, factors)), shape, batched)

    def hand_on_normalised(self, statement: Statement, g: Expr) -> None:
        """Pass the gradient of a log-sum-exp, log-odds or a softmax on to the operands.

        It flows through the logarithm, or the quotients, to the exponentials, and then to the
        operands. No gradient flows through the largest operand that was subtracted.
        """
        e, s = self.shares[id(statement)]
        for other in statement.reads[1:]:
            lead = times(g, self.partial(ops.gap, 1, []))
            self.hand(other, lead, self.full(statement)[:-1], statement.out.batched)
        if statement.op is not SOFTMAX:
            by_log = times(self.kept(statement, g), self.partial(ops.log, 0, [s]))
            d_e = self.repeated(statement, self.gradient(s, by_log))
        else:
            quotient = [e, self.repeated(statement, s)]
            by_e, by_s = (self.partial(ops.div, i, quotient, self.made(statement)) for i in (0, 1))
            d_s = self.gradient(s, self.each(statement, times(g, by_s), "sum"))
            d_e = self.gradient(e, added([times(g, by_e), self.repeated(statement, d_s)]))
        d_x = times(d_e, self.partial(ops.exp, 0, [], e))
        self.hand(statement.reads[0], d_x, self.shape(statement), statement.out.batched)

    def gradient(self, of: Expr, expr: Expr) -> Expr:
        """Assign the gradient of a variable to a variable, and return its name."""
        self.add(f"d_{of.text} = {expr.text}")
        return Expr(f"d_{of.text}", expr.dims)

    def hand_on_outer(self, statement: Statement, g: Expr) -> None:
        """Pass the gradient of a matrix product on to both matrices and the summands.

        The gradient G of L @ R becomes G @ Rᵀ for L, and Lᵀ @ G for R.
        """
        lefts, rights = statement.reads[:2]
        count, r = self.shape(statement)
        batched = rights.base.batched
        full = self.full(statement)
        for other in statement.reads[2:]:
            self.hand(other, g, full[:-1], statement.out.batched)
        g = self.broadcast(g, full)
        if statement.out.batched and not batched:
            g = over_rows(g)
        grid = g.text if r == 1 else f"{atom(g.text)}.reshape({count}, {self.columns(statement)})"
        grid, factors = atom(grid), list(self.factors(statement))
        by_left, by_right = (atom(self.partial(ops.mul, i, factors).text) for i in (0, 1))
        into = f"np.matmul({grid}, {by_left}.T, out={{}})"
        product = Expr(f"{grid} @ {by_left}.T", lefts.places.shape, into)
        self.hand(lefts, product, lefts.places.shape, False, tail=False)
        k, last = lefts.places.shape[1], rights.base.axis
        dims: Dims = (k, last) if r == 1 else (k, r, last)
        expr = with_axes(f"{by_right}.T @ {grid}", dims)
        self.hand(Read(rights.base, rights.places.T), expr, dims[:-1], batched)

    def whole(self, array: Array) -> bool:
        """Return True if each element of a gradient is assigned before anything is added to it."""
        return array in self.begun and array not in self.uneven and bool(self.covered[array].all())
