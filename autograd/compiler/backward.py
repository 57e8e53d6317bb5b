"""Array statements to NumPy source: the gradient by the parameters.

The statements once more, the last first, each handing its gradient to its operands. What is handed
to part of an array, or more than once, is added up in an array of zeros; else it is the gradient.
The derivatives are those of the table's rows: what was made of many scalar operations goes back
through these, the sums in it handing on what they get.
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

TERMS = 50  # how many an expression has at the most


class Piece(NamedTuple):
    """A contribution to the elements of a gradient at `places`.

    `target` is what to assign to, of axes `shape`; "" if the places lie in no order.
    """

    places: np.ndarray
    target: str
    expr: Expr
    shape: tuple[int, ...] = ()

    @property
    def full(self) -> bool:
        """Whether the contribution has all axes of the target, and is not the same along one."""
        return self.expr.dims[: len(self.shape)] == self.shape


class Backward(Forward):
    """Writes the statements of a program, and then what hands the gradient back."""

    def __init__(self, rolled: Rolled) -> None:
        super().__init__(rolled)
        self.handed: dict[Array, list[Piece]] = {}
        self.begun: dict[Array, int] = {}  # where the line stands that makes its gradient
        self.covered: dict[Array, np.ndarray] = {}  # the elements of a gradient that are set
        self.uneven: set[Array] = set()  # what was added to where nothing was set
        self.varying = {rolled.theta}  # what depends on the parameters
        for statement in rolled.statements:
            reads = statement.reads if statement.op is not ops.stop_gradient else ()
            if any(read.base in self.varying for read in reads):
                self.varying.add(statement.out)

    def backward(self) -> None:
        """The statements once more, the last first, each handing its gradient to its operands."""
        first = self.rolled.outputs[0]
        cost = Read(first.base, first.places[:1])
        seed = Expr("1.0 / n" if cost.base.batched else "rows / n", ())
        self.hand(cost, seed, (1,), cost.base.batched)
        for statement in reversed(self.rolled.statements):
            out = statement.out
            reached = out in self.handed or out in self.begun
            if reached and statement.inside:
                self.hand_on(statement, self.collected(statement))
        for array, line in self.begun.items():
            if array is not self.rolled.theta and self.whole(array):
                self.lines[line] = self.lines[line].replace("np.zeros", "np.empty")

    def hand(
        self, read: Read, expr: Expr, shape: tuple[int, ...], batched: bool, tail: bool = True
    ) -> None:
        """Give a contribution to the gradient of what was read in this shape.

        Args:
            read, shape: what was read.
            expr: the contribution, with these axes; 1 where it is the same along one.
            batched: whether it differs from row to row.
            tail: whether it has an axis for the rows.
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
        """What to assign to: a slice of a gradient, which for parameters has a name."""
        if base is self.rolled.theta:
            name = self.views.get(target.core.replace("d_theta", "theta", 1))
            if name:
                return f"d_{name}{target.suffix}"
        return target.core + target.suffix

    def begin(self, base: Array) -> None:
        """From here on contributions to this gradient are written into an array."""
        if base not in self.begun:
            self.begun[base] = len(self.lines)
            self.covered[base] = np.zeros(base.size, dtype=bool)
            if base is not self.rolled.theta:
                self.add(f"d_{base.name} = np.zeros(({base.size}, {base.axis}), dtype)")

    def store(self, base: Array, piece: Piece) -> None:
        """Set part of a gradient, or add to it where there already is something."""
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
        """The gradient of what a statement made, with the axes it was made with."""
        out = statement.out
        name, pieces = f"d_{out.name}", self.handed.pop(out, [])
        every = np.arange(out.size)
        if pieces and all(np.array_equal(piece.places, every) for piece in pieces):
            dims = (out.size, out.axis)
            exprs = [self.flattened(piece, dims) for piece in pieces]
            while len(exprs) > TERMS:  # an expression of very many terms is too deep for Python
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
        """A contribution to a whole array, with the axes of the array."""
        if len(piece.shape) < 2 or piece.expr.dims == ():
            return piece.expr
        full = (*piece.shape, dims[-1])
        text = self.broadcast(piece.expr, full).text
        return Expr(f"{atom(text)}.reshape{shape_text(dims)}", dims)

    def hand_on(self, statement: Statement, g: Expr) -> None:
        """What a statement's gradient hands to its operands."""
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
        """What belongs to each sum, for each of its operands."""
        if expr.dims == ():
            return expr
        return self.repeated(statement, self.kept(statement, expr))

    def kept(self, statement: Statement, expr: Expr) -> Expr:
        """What belongs to each, with an axis of size 1 for its operands."""
        if expr.dims == () or statement.sums is not None or len(self.shape(statement)) == 1:
            return expr
        return Expr(f"{atom(expr.text)}[..., None, :]", (*expr.dims[:-1], 1, expr.dims[-1]))

    def hand_on_elementwise(self, statement: Statement, g: Expr) -> None:
        """The gradient times each partial of the row."""
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
        """A partial of a row with an array form, at these operands."""
        return substituted(op.array_partials[operand], on, out)

    def made(self, statement: Statement) -> Expr:
        """What a statement made, with the axes it was made with."""
        return with_axes(statement.part(statement.out.name), self.full(statement))

    def hand_on_pairs(self, statement: Statement, g: Expr) -> None:
        """Of dot products: to both factors of each product the gradient times its partial."""
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
        """Of log-sum-exp and the like: through the logarithm or quotients to the exponentials.

        Through the largest, which was taken out first, no gradient flows.
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
        """The gradient of what has a name, under a name."""
        self.add(f"d_{of.text} = {expr.text}")
        return Expr(f"d_{of.text}", expr.dims)

    def hand_on_outer(self, statement: Statement, g: Expr) -> None:
        """Of a matrix product: what `hand_on_pairs` does, summed over all that each factor met."""
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
        """Whether each element of a gradient is set before anything is added to it."""
        return array in self.begun and array not in self.uneven and bool(self.covered[array].all())
