"""Why a gradient is what it is: the paths it came by, what a nudge does, what matters most."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan

from .backprop import gradients, locals_of, moved, stale
from .boundary import as_float
from .graph import count_paths, find, leaves, topological_order
from .notation import ATOM, PRODUCT, Term, name, number
from .value import Value

WIDTH = 80
GROUPING_LIMIT = 2000  # nodes up to which unlabelled nodes on a path are looked through


@dataclass(frozen=True)
class Path:
    """One way from a node to the output, output first.

    Attributes:
        nodes: the nodes on the way.
        slots: which operand the next node is, for each node but the last.
        locals: ∂node/∂next for each node but the last.
    """

    nodes: tuple[Value, ...]
    slots: tuple[int, ...]
    locals: tuple[float, ...]

    @property
    def product(self) -> float:
        """The product of the local derivatives: what this path adds to the gradient."""
        product = 1.0
        for local in self.locals:
            product *= local
        return product


@dataclass(frozen=True)
class Explanation:
    """A gradient as the sum over paths of the products of local derivatives.

    Attributes:
        root, node: it explains ∂root/∂node.
        paths: the paths, the largest product first; at most `max_paths` of them.
        count: how many paths there are in all.
        total: ∂root/∂node.
    """

    root: Value
    node: Value
    paths: tuple[Path, ...]
    count: int
    total: float

    def __str__(self) -> str:
        left = slope_name(self.root, self.node)
        if self.count == 0:
            return f"{left} = 0: no path leads from {name(self.node)} to {name(self.root)}"
        blocks = [_path_lines(path, f"{left} = ") for path in self.paths] if self.count == 1 else []
        if self.count > 1:
            blocks.append([f"{left} = {number(self.total)}, the sum over {self.count:,} paths"])
            for i, path in enumerate(self.paths, 1):
                blocks.append([f"path {i}: {_route(path)}", *_path_lines(path, "    ")])
            blocks.append(self._sum_lines(left))
        if stale(self.root):
            blocks.append([STALE_WARNING])
        return "\n\n".join("\n".join(lines) for lines in blocks)

    __repr__ = __str__

    def _sum_lines(self, left: str) -> list[str]:
        parts = [number(path.product) for path in self.paths]
        if self.count > len(self.paths):
            rest = self.total - sum(path.product for path in self.paths)
            parts.append(f"{number(rest)} from {self.count - len(self.paths):,} smaller paths")
        return wrapped(f"{left} = ", parts, " + ", last=f" = {number(self.total)}")


STALE_WARNING = "stale: data changed since the graph was evaluated; call recompute() first"


def slope_name(of: Value, by: Value) -> str:
    """How ∂of/∂by is written."""
    return f"∂{name(of).inside(ATOM)}/∂{name(by).inside(ATOM)}"


def local_term(node: Value, slot: int) -> Term:
    """The local derivative ∂node/∂operand as a formula of the names around it.

    >>> z = Value(1.0, label="z")
    >>> a = z.sigmoid(); a.label = "a"
    >>> local_term(a, 0)
    a(1 − a)
    """
    args = node.args
    written = node.op.reads or node.op.partials
    try:
        term = Term.of(written(name(node), *[name(arg) for arg in args])[slot])
    except (ArithmeticError, AttributeError, TypeError, ValueError):
        # a user's derivative that only works on numbers still has a name
        term = Term(slope_name(node, args[slot]), 0.0)
    return Term(term.text, locals_of(node)[slot], term.binds)


def explain(root: Value, node: Value | str, max_paths: int = 10) -> Explanation:
    """Every path by which a nudge of `node` reaches `root`: symbols, numbers, product, sum.

    ∂root/∂node = Σ over paths of Π over edges of ∂(later)/∂(earlier).

    Args:
        root: the output.
        node: a node of its graph, or the label of one.
        max_paths: how many paths to spell out; the largest come first, the others are summed.

    Raises:
        LabelError, ValueError, TypeError: `node` is not a node of the graph (see `graph.find`).
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
    if max_paths < 1:
        raise ValueError(f"max_paths is at least 1, got {max_paths}")
    node = find(root, node)
    return Explanation(
        root,
        node,
        tuple(itertools.islice(largest_paths(root, node), max_paths)),
        count_paths(root, node),
        gradients(root).get(node, 0.0),
    )


def largest_paths(root: Value, node: Value) -> Iterator[Path]:
    """All paths from `root` down to `node`, the largest |product| first.

    Best-first search. The order is exact, for the bound on what a half-built path can still
    become, the largest product from its end to `node`, is reached by one of its continuations.
    """
    best = {node: 1.0}
    slopes: dict[Value, tuple[float, ...]] = {}
    for other in topological_order(root):
        if other is not node and any(arg in best for arg in other.args):
            slopes[other] = locals_of(other)
            best[other] = max(
                _size(local) * best[arg]
                for arg, local in zip(other.args, slopes[other])
                if arg in best
            )
    if root not in best:
        return
    ticket = itertools.count()  # breaks ties in the heap, first come first served
    # A half-built path is a chain of links (previous link, node, slot it was entered by).
    heap = [(-best[root], next(ticket), 1.0, (None, root, -1))]
    while heap:
        _, _, size, link = heapq.heappop(heap)
        here: Value = link[1]
        if here is node:
            yield _unrolled(link, slopes)
            continue
        for slot, (arg, local) in enumerate(zip(here.args, slopes[here])):
            if arg in best:
                longer = size * _size(local)
                heapq.heappush(heap, (-longer * best[arg], next(ticket), longer, (link, arg, slot)))  # type: ignore[misc]


def _size(local: float) -> float:
    return float("inf") if isnan(local) else abs(local)


def _unrolled(
    link: tuple[object, Value, int] | None, slopes: dict[Value, tuple[float, ...]]
) -> Path:
    nodes: list[Value] = []
    slots: list[int] = []
    while link is not None:
        link, here, slot = link  # type: ignore[assignment]
        nodes.append(here)
        slots.append(slot)
    nodes.reverse()
    entered = slots[-2::-1]  # the root was not entered by any slot
    return Path(
        tuple(nodes),
        tuple(entered),
        tuple(slopes[upper][slot] for upper, slot in zip(nodes, entered)),
    )


def _route(path: Path) -> str:
    return " ← ".join(name(node).text for node in path.nodes)


def _path_lines(path: Path, left: str) -> list[str]:
    """`∂C/∂a · ∂a/∂z`, then its formulas, then its numbers, then the product."""
    if len(path.nodes) == 1:
        return [f"{left}1"]
    segments = list(_segments(path))
    indent = " " * (len(left) - 2)
    symbols = [slope_name(path.nodes[i], path.nodes[j]) for i, j in segments]
    formulas = [_segment_term(path, i, j) for i, j in segments]
    texts = [
        symbols,
        [formula.inside(PRODUCT) for formula in formulas],
        [number(formula.number) for formula in formulas],
        [number(path.product)],
    ]
    if left.startswith(symbols[0] + " ="):
        del texts[0]  # a single factor is what stands on the left already
    lines: list[str] = []
    for previous, parts in zip([None, *texts], texts):
        if parts != previous:
            lines += wrapped(f"{indent}= " if lines else left, parts, " · ")
    return lines


def _segments(path: Path) -> Iterator[tuple[int, int]]:
    """The path cut at its labelled nodes, so that a factor reads ∂a/∂z and not ∂(…)/∂(…).

    Unlabelled nodes are looked through only where there is one way through them: otherwise
    ∂a/∂z would stand for more than this path.
    """
    last = len(path.nodes) - 1
    start = 0
    for end in range(1, last + 1):
        if end == last or path.nodes[end].label:
            if _one_way(path.nodes[start], path.nodes[end], end - start):
                yield start, end
            else:
                yield from zip(range(start, end), range(start + 1, end + 1))
            start = end


def _one_way(upper: Value, lower: Value, edges: int) -> bool:
    if edges == 1:
        return True
    return len(topological_order(upper)) <= GROUPING_LIMIT and count_paths(upper, lower) == 1


def _segment_term(path: Path, start: int, end: int) -> Term:
    terms = [local_term(path.nodes[i], path.slots[i]) for i in range(start, end)]
    product = terms[0]
    value = terms[0].number
    for term in terms[1:]:
        product = product * term
        value *= term.number
    return Term(product.text, value, product.binds)


def wrapped(left: str, parts: Sequence[str], sign: str, last: str = "") -> list[str]:
    """`left` and the parts joined by `sign`, broken into lines that fit and stay aligned."""
    lines = [left]
    for i, part in enumerate(parts):
        piece = part + (sign.rstrip() if i < len(parts) - 1 else last)
        lead = "" if i == 0 else " "
        if len(lines[-1]) + len(lead + piece) > WIDTH and len(lines[-1]) > len(left):
            lines.append(" " * len(left) + piece)
        else:
            lines[-1] += lead + piece
    return lines


# ---------------------------------------------------------------------- nudges


@dataclass(frozen=True)
class Nudge:
    """What a small change of one node does to the output.

    Attributes:
        root, node, amount: `root` after adding `amount` to `node`.
        gradient: ∂root/∂node.
        actual: the change of `root`, computed by evaluating the graph again.
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

    def __repr__(self) -> str:
        root, node = name(self.root).inside(ATOM), name(self.node)
        slope = slope_name(self.root, self.node)
        gap = self.actual - self.predicted
        return (
            f"nudge {node} by {number(self.amount)}\n"
            f"  predicted  Δ{root} = {slope} · Δ{node.inside(ATOM)} = {number(self.gradient)} × "
            f"{number(self.amount)} = {number(self.predicted, 6)}\n"
            f"  actual     Δ{root} = {number(self.actual, 6)}, off by {number(gap, 2)}"
        )


def nudge(root: Value, node: Value | str, amount: float) -> Nudge:
    """Compare gradient × nudge with what really happens; the graph is left as it is.

    Δroot ≈ ∂root/∂node · Δnode.

    Args:
        root: the output.
        node: a node of its graph, leaf or not, or the label of one.
        amount: what to add to its data.

    Raises:
        LabelError, ValueError, TypeError: `node` is not a node of the graph (see `graph.find`).
        ValueError, OverflowError: an operation is not defined where the nudge leads.

    >>> x = Value(3.0, label="x")
    >>> result = nudge(x * x, x, 0.01)
    >>> round(result.predicted, 6), round(result.actual, 6)
    (0.06, 0.0601)
    """
    node = find(root, node)
    amount = as_float(amount, "the amount of a nudge")
    gradient = gradients(root).get(node, 0.0)
    actual = moved(root, node, node.data + amount).get(root, root.data) - root.data
    return Nudge(root, node, amount, gradient, actual)


# ---------------------------------------------------------------------- sensitivity


class Sensitivity(tuple[tuple[Value, float], ...]):
    """Pairs (leaf, gradient), the largest |gradient| first; prints as a table with bars."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self:
            return "no leaves: the output depends on constants alone"
        largest = max(abs(gradient) for _, gradient in self) or 1.0
        lines = [f"{'leaf':<20}{'data':>12}{'gradient':>14}"]
        for leaf, gradient in self[:ROWS]:
            bar = "█" * round(24 * abs(gradient) / largest)
            label = leaf.label and name(leaf).text
            lines.append(
                f"{label or '(no label)':<20.19}{number(leaf.data):>12}"
                f"{number(gradient):>14}  {bar}".rstrip()
            )
        if len(self) > ROWS:
            lines.append(f"… and {len(self) - ROWS:,} leaves that matter less")
        return "\n".join(lines)


ROWS = 20


def sensitivity(root: Value) -> Sensitivity:
    """The leaves ranked by |∂root/∂leaf|: the most bang for the buck first.

    Raises:
        ValueError: the graph has a cycle, or has no finite derivative somewhere.

    >>> x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    >>> [(leaf.label, gradient) for leaf, gradient in sensitivity(w * x)]
    [('x', -3.0), ('w', 2.0)]
    """
    found = gradients(root)
    ranked = sorted(leaves(root), key=lambda leaf: -_size(found[leaf]))
    return Sensitivity((leaf, found[leaf]) for leaf in ranked)
