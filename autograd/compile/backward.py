"""Array statements to NumPy source: the gradient by the parameters.

The statements once more, the last first, each handing its gradient to its operands. What is handed
to part of an array, or more than once, is added up in an array of zeros; else it is the gradient.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .arrays import MANY, Array, Read, Rolled, Statement
from .expression import (
    Dims,
    Expr,
    added,
    atom,
    broadcast_dims,
    over_copies,
    over_rows,
    shape_text,
    substituted,
    with_axes,
)
from .forward import Forward
from .program import DOT, LSE, SOFTMAX, SUM
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
            if any(read.base in self.varying for read in statement.reads):
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
        elif op in (LSE, SOFTMAX):
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
                partial = substituted(op.array_partials[i], operands, out)
            else:
                partial = self.called(op, i, [out, *operands])
            if partial.text == "0.0":
                continue
            text = {"1.0": g.text, "-1.0": f"-{atom(g.text)}"}.get(
                partial.text, f"{atom(g.text)} * {atom(partial.text)}"
            )
            dims = broadcast_dims([g.dims, partial.dims])
            self.hand(read, Expr(text, dims), shape, statement.out.batched)

    def made(self, statement: Statement) -> Expr:
        """What a statement made, with the axes it was made with."""
        return with_axes(statement.part(statement.out.name), self.full(statement))

    def hand_on_pairs(self, statement: Statement, g: Expr) -> None:
        """Of dot products: to each factor the gradient times the other."""
        lefts, rights = statement.reads[:2]
        shape, batched = self.shape(statement), statement.out.batched
        for other in statement.reads[2:]:
            self.hand(other, g, self.full(statement)[:-1], batched)
        g = self.spread(statement, g)
        sides = [(lefts, rights), (rights, lefts)]
        if lefts.base is rights.base and np.array_equal(lefts.places, rights.places):
            g, sides = Expr(f"2.0 * {atom(g.text)}", g.dims), sides[:1]
        for one, other in sides:
            if one.base in self.varying:
                factor = self.read(other, other.places.reshape(shape))
                dims = broadcast_dims([g.dims, factor.dims])
                expr = Expr(f"{atom(g.text)} * {atom(factor.text)}", dims)
                self.hand(one, expr, shape, batched)

    def hand_on_normalised(self, statement: Statement, g: Expr) -> None:
        """Of log-sum-exp: p·g with p = exp(x − out); of softmax: p·(g − Σ p·g) with p = out."""
        if statement.op is LSE:
            e, s = self.shares[id(statement)]
            share = Expr(f"{atom(self.kept(statement, g).text)} / {s.text}", s.dims)
            expr = Expr(f"{e.text} * {atom(self.repeated(statement, share).text)}", e.dims)
        else:
            p = self.made(statement)
            weighted = Expr(f"({p.text} * {atom(g.text)})", p.dims)
            total = self.repeated(statement, self.each(statement, weighted, "sum"))
            expr = Expr(f"{p.text} * ({g.text} - {total.text})", p.dims)
        self.hand(statement.reads[0], expr, self.shape(statement), statement.out.batched)

    def hand_on_outer(self, statement: Statement, g: Expr) -> None:
        """Of a matrix product L·R: g·Rᵀ to the lefts, Lᵀ·g to the rights."""
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
        grid, (left, right) = atom(grid), self.factors(statement)
        into = f"np.matmul({grid}, {right}.T, out={{}})"
        product = Expr(f"{grid} @ {right}.T", lefts.places.shape, into)
        self.hand(lefts, product, lefts.places.shape, False, tail=False)
        k, last = lefts.places.shape[1], rights.base.axis
        dims: Dims = (k, last) if r == 1 else (k, r, last)
        expr = with_axes(f"{left}.T @ {grid}", dims)
        self.hand(Read(rights.base, rights.places.T), expr, dims[:-1], batched)

    def whole(self, array: Array) -> bool:
        """Whether each element of a gradient is set before anything is added to it."""
        return array in self.begun and array not in self.uneven and bool(self.covered[array].all())
