"""Explain gradients: `explain` lists paths, `nudge` tests a change, `sensitivity` ranks leaves.

All three are public, and are also methods of `Value`. They compute gradients with `gradients`,
so that they never change a `.grad`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor, isfinite, log10

from ..core.backprop import STALE_WARNING, gradients, moved, stale
from ..core.boundary import as_float, whole
from ..core.find import find_variable
from ..core.graph import count_paths, leaves
from ..core.notation import name, shortened
from ..core.paths import Path, largest_paths, magnitude
from ..core.term import ATOM, numeral
from ..core.terminal import fitted, shown
from ..core.value import Value
from ..picture.markup import Markup, bar, block, note, paragraph, table, warning
from .formulas import (
    Factor,
    Ways,
    factors_of,
    path_lines,
    path_rows,
    route_lines,
    slope_name,
    wrapped,
)

ROWS = 20  # most rows printed of a table
SIGN = "a step goes against it"  # says of a printed number that it is the gradient, not a nudge


@dataclass(frozen=True)
class Explanation:
    """A gradient as the sum over paths of the products of local derivatives.

    Attributes:
        root, node: the output and the node of the explained gradient ∂root/∂node.
        paths: the paths with the largest products, largest first; at most `max_paths`.
        count: the number of all paths.
        total: ∂root/∂node.
    """

    root: Value
    node: Value
    paths: tuple[Path, ...]
    count: int
    total: float

    @fitted
    def __str__(self) -> str:
        left = self._slope
        if self.count == 1:
            path = self.paths[0]
            blocks = [path_lines(path, factors_of(path, None), f"{left} = ")]
        else:
            blocks = [[self._title]]
            ways = Ways(self.root)
            for i, path in enumerate(self._shown, 1):
                factors = factors_of(path, ways)
                route = route_lines(path, factors, f"path {i}: ")
                blocks.append(route + path_lines(path, factors, "    "))
            blocks.append(self._sum_lines())
        if stale(self.root):
            blocks.append([STALE_WARNING])
        return "\n\n".join("\n".join(lines) for lines in blocks)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return the explanation as HTML, with the factors of each path in columns."""
        if self.count == 1:
            path = self.paths[0]
            parts = [_columns(path, factors_of(path, None), self._slope)]
        else:
            parts = [paragraph(self._title)]
            ways = Ways(self.root)
            for i, path in enumerate(self._shown, 1):
                factors = factors_of(path, ways)
                parts.append(note(*_unwrapped(route_lines(path, factors, f"path {i}: "))))
                parts.append(_columns(path, factors, ""))
            parts.append(paragraph(*_unwrapped(self._sum_lines())))
        return block(*parts, *_stale_warning(self.root))

    @property
    def _slope(self) -> str:
        return slope_name(self.root, self.node)

    @property
    def _title(self) -> str:
        many = approximately(self.count)
        return f"{self._slope} = {numeral(self.total)}, the sum over {many} paths"

    @property
    def _shown(self) -> Sequence[Path]:
        return [path for path in self.paths if path.product] or self.paths[:1]

    def _sum_lines(self) -> list[str]:
        left, shown = self._slope, self._shown
        parts = [numeral(path.product) for path in shown]
        if self.count > len(shown):
            rest = self.total - sum(path.product for path in shown)
            parts.append(f"{numeral(rest)} from {approximately(self.count - len(shown))} more")
        return wrapped(f"{left} = ", parts, " + ", last=f" = {numeral(self.total)}")


def _columns(path: Path, factors: Sequence[Factor], left: str) -> Markup:
    """Return a table of a path: a column for each factor, its formula and its number."""
    rows: list[list[str]] = []
    for parts in path_rows(path, factors, left):
        cells = [cell for part in parts for cell in ("·", part or "…")][1:]
        rows.append(["" if rows else left, "=", *cells])
    return table(rows, "l" + "c" * (max(map(len, rows)) - 1))


def _unwrapped(lines: list[str]) -> list[str]:
    """Join lines that `wrapped` has broken, because HTML breaks lines by itself."""
    return [" ".join(line.strip() for line in lines)]


def _stale_warning(root: Value) -> list[Markup]:
    return [warning(STALE_WARNING)] if stale(root) else []


def approximately(count: int) -> str:
    """Write a number of paths; it may have thousands of digits.

    >>> approximately(1234), approximately(2**200)
    ('1,234', 'about 10^60')
    """
    return f"{count:,}" if count < 10**15 else f"about 10^{floor(log10(count))}"


def explain(root: Value, node: Value | str, max_paths: int = 10) -> Explanation:
    """Explain ∂root/∂node as a sum over all paths from `node` to `root`.

    ∂root/∂node = Σ over paths of Π over edges of ∂(later)/∂(earlier).

    The result prints each path in symbols, in numbers and as a product, and then the sum.

    Args:
        root: the output.
        node: a node of its graph, or the label of one.
        max_paths: how many paths to print, largest product first. The other paths, and paths
            whose product is zero, are printed as one sum.

    Raises:
        LabelError, ValueError, TypeError: `node` is not in the graph, or is a constant.
        ValueError: `max_paths` is less than one.

    >>> w = Value(0.6, label="w"); x = Value(1.5, label="x")
    >>> z = w * x; z.label = "z"
    >>> a = z.sigmoid(); a.label = "a"
    >>> print(explain(a, w))
    ∂a/∂w = ∂a/∂z · ∂z/∂w
          = a(1 − a) · x
          = 0.2055 · 1.5
          = 0.3083
    """
    max_paths = whole(max_paths, "max_paths")
    node = find_variable(root, node)
    return Explanation(
        root,
        node,
        tuple(largest_paths(root, node, max_paths)),
        count_paths(root, node),
        gradients(root, by=[node]).get(node, 0.0),
    )


# ---------------------------------------------------------------------- nudges


@dataclass(frozen=True)
class Nudge:
    """The predicted and the actual change of the output after a small change of one node.

    Attributes:
        root: the output.
        node: the node that is changed.
        amount: the amount that is added to the data of `node`.
        gradient: ∂root/∂node.
        actual: the change of `root`, computed by evaluating the graph again.

    >>> x = Value(3.0, label="x")
    >>> nudge = (x * x).nudge(x, 0.1)
    >>> round(nudge.predicted, 6), round(nudge.actual, 6)
    (0.6, 0.61)
    """

    root: Value
    node: Value
    amount: float
    gradient: float
    actual: float

    @property
    def predicted(self) -> float:
        """The change that the gradient predicts: gradient × nudge."""
        return self.gradient * self.amount

    @fitted
    def __repr__(self) -> str:
        root, node = name(self.root).inside(ATOM), name(self.node)
        slope = slope_name(self.root, self.node)
        gap = self.actual - self.predicted
        return (
            f"nudge {node} by {numeral(self.amount)}\n"
            f"  predicted  Δ{root} = {slope} · Δ{node.inside(ATOM)} = {numeral(self.gradient)} × "
            f"{numeral(self.amount)} = {numeral(self.predicted, 6)}\n"
            f"  actual     Δ{root} = {numeral(self.actual, 6)}, off by {numeral(gap, 2)}"
            + (f"\n{STALE_WARNING}" if stale(self.root) else "")
        )

    def _repr_html_(self) -> str:
        """Return the two changes as an HTML table with bars."""
        node, change = name(self.node), f"Δ{name(self.root).inside(ATOM)}"
        slope = f"{slope_name(self.root, self.node)} · Δ{node.inside(ATOM)}"
        product = f"{numeral(self.gradient)} × {numeral(self.amount)}"
        predicted, actual = numeral(self.predicted, 6), numeral(self.actual, 6)
        gap = numeral(self.actual - self.predicted, 2)
        largest = _largest([self.predicted, self.actual])
        rows = [
            ["predicted", f"{change} = {slope} = {product} =", predicted],
            ["actual", f"{change} =", actual],
            ["off by", "", gap],
        ]
        bars = [_bar(self.predicted, largest), _bar(self.actual, largest), ""]
        return block(
            paragraph(f"nudge {node} by {numeral(self.amount)}"),
            table([[*row, bar] for row, bar in zip(rows, bars)], "lrrl"),
            *_stale_warning(self.root),
        )


def _bar(x: float, largest: float) -> Markup:
    return bar(min(1.0, magnitude(x) / largest), negative=x < 0)


def nudge(root: Value, node: Value | str, amount: float) -> Nudge:
    """Compare the predicted and the actual change of `root` if `amount` is added to `node`.

    Δroot ≈ ∂root/∂node · Δnode. The graph is not changed.

    Args:
        root: the output.
        node: a node of its graph, leaf or not, or the label of one.
        amount: the amount to add to its data.

    Raises:
        LabelError, ValueError, TypeError: `node` is not in the graph, or is a constant.
        ValueError, OverflowError: an operation is not defined after the change.

    >>> x = Value(3.0, label="x")
    >>> result = nudge(x * x, x, 0.01)
    >>> round(result.predicted, 6), round(result.actual, 6)
    (0.06, 0.0601)
    """
    node = find_variable(root, node)
    amount = as_float(amount, "the amount of a nudge")
    gradient = gradients(root, by=[node]).get(node, 0.0)
    actual = moved(root, node, node.data + amount)[root] - root.data
    return Nudge(root, node, amount, gradient, actual)


# ---------------------------------------------------------------------- sensitivity


class Sensitivity(tuple[tuple[Value, float], ...]):
    """Pairs (leaf, gradient), the largest |gradient| first; prints as a table with bars."""

    stale = False
    """True if data changed since the graph was evaluated."""

    @fitted
    def __repr__(self) -> str:
        if not self:
            return "no leaves: the output depends on constants alone"
        largest = _largest(g for _, g in self)
        lines = [f"{'leaf':<20}{'data':>12}{'gradient':>14}  {SIGN}"]
        for leaf, gradient in self[:ROWS]:
            bar = "█" * round(24 * min(1.0, magnitude(gradient) / largest))
            label = shortened(shown(_called(leaf)), 19)
            lines.append(
                f"{label:<20}{numeral(leaf.data):>12}{numeral(gradient):>14}  {bar}".rstrip()
            )
        if len(self) > ROWS:
            lines.append(self._rest)
        if self.stale:
            lines.append(STALE_WARNING)
        return "\n".join(lines)

    def _repr_html_(self) -> str | None:
        """Return an HTML table with bars, or None if there are no leaves."""
        if not self:
            return None
        largest = _largest(g for _, g in self)
        rows = [
            [
                _called(leaf),
                numeral(leaf.data),
                numeral(gradient),
                _bar(gradient, largest),
            ]
            for leaf, gradient in self[:ROWS]
        ]
        return block(
            table(rows, "lrrl", ["leaf", "data", "gradient", SIGN]),
            *([note(self._rest)] if len(self) > ROWS else []),
            *([warning(STALE_WARNING)] if self.stale else []),
        )

    @property
    def _rest(self) -> str:
        count = len(self) - ROWS
        matter = "leaf that matters" if count == 1 else "leaves that matter"
        return f"… and {count:,} {matter} less"


def _called(leaf: Value) -> str:
    return name(leaf).text if leaf.label else "(no label)"


def _largest(numbers: Iterable[float]) -> float:
    """Return the largest finite |x|, the scale of the bars; 1.0 if there is none or it is 0."""
    return max((abs(x) for x in numbers if isfinite(x)), default=0.0) or 1.0


def sensitivity(root: Value) -> Sensitivity:
    """Rank the leaves by |∂root/∂leaf|, the largest first.

    Raises:
        ValueError: the graph has a cycle, or has no finite derivative somewhere.

    >>> x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    >>> [(leaf.label, gradient) for leaf, gradient in sensitivity(w * x)]
    [('x', -3.0), ('w', 2.0)]
    """
    below = leaves(root)
    found = gradients(root)
    ranked = sorted(below, key=lambda leaf: -magnitude(found[leaf]))
    table = Sensitivity((leaf, found[leaf]) for leaf in ranked)
    table.stale = bool(stale(root))
    return table
