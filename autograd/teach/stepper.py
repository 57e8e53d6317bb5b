"""Step through the backward pass, one multiplication at a time, forwards and backwards.

`Value.stepper` returns a `Stepper`. It keeps gradients in a table of its own and never changes a
`.grad`. Its methods print, because they are meant to be called by a person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core import ops
from ..core.backprop import STALE_WARNING, check_for_leaves, local_of, stale
from ..core.boundary import as_float, instance, whole
from ..core.find import find_variable
from ..core.graph import flowing_edges, shown_order, topological_order
from ..core.notation import name, shortened
from ..core.term import numeral
from ..core.terminal import fitted, shown
from ..core.value import Value
from ..picture.draw import draw
from ..picture.markup import code, details, joined
from .formulas import WIDTH, local_term, slope_name
from .mistakes import Verdict, judge

if TYPE_CHECKING:
    from ..picture.drawing import Drawing

MOST_NODES = 5_000  # a larger graph gets no player in a notebook: it stores 400 bytes per node
LINES = 24  # most lines printed of a long run, and most rows of a long table


@dataclass(frozen=True)
class Step:
    """One multiplication of the backward pass: upstream × local = contribution.

    Attributes:
        root: the output whose gradients are computed.
        node, operand: the gradient flows from `node` to its `operand`.
        slot: the position of `operand` among the operands of `node`, counted from 0.
        local: ∂node/∂operand.
        upstream: ∂root/∂node.
        contribution: upstream × local.
        before: the gradient of `operand` before this step; None at the first contribution.
        total: the gradient of `operand` after this step, the sum of its contributions so far.
        complete: True if this is the last contribution, so that total is ∂root/∂operand.
        index, count: this is step `index` of `count`, counted from 1.
        stale: True if the data changed since stepping began, or if the graph was stale then.
    """

    root: Value
    node: Value
    operand: Value
    slot: int
    local: float
    upstream: float
    contribution: float
    before: float | None
    total: float
    complete: bool
    index: int
    count: int
    stale: bool

    @property
    def rule(self) -> str:
        """The local derivative in symbols: `∂a/∂z = a(1 − a)`."""
        return f"{slope_name(self.node, self.operand)} = {local_term(self.node, self.slot)}"

    @property
    def arithmetic(self) -> str:
        """The multiplication in numbers: `upstream × local = contribution`."""
        return f"{numeral(self.upstream)} × {numeral(self.local)} = {numeral(self.contribution)}"

    @property
    def sum(self) -> str:
        """The sum of the contributions so far: `∂C/∂x = 4`, then `∂C/∂x: 4 → 10`."""
        slope, total = slope_name(self.root, self.operand), numeral(self.total)
        so_far = f"{slope} = " if self.before is None else f"{slope}: {numeral(self.before)} → "
        return so_far + total + ("" if self.complete else " …")

    @fitted
    def __str__(self) -> str:
        width = len(str(self.count))
        place = f"{self.index:>{width}}/{self.count}"
        line = f"{place}  {shortened(self.rule, 40)}"
        line = f"{line:<27}  {self.arithmetic}"
        wide = f"{line:<55}  {self.sum}"
        line = wide if len(wide) <= WIDTH else f"{line}  {self.sum}"
        return f"{line}  (stale)" if self.stale else line


class Stepper:
    """A backward pass of `root` that is run step by step; it does not change any `.grad`.

    Args:
        root: the output.
        gradient: the gradient of `root`, as for `backward`.

    Raises:
        ValueError: the graph has a cycle, or `root` is a constant.

    >>> x = Value(3.0, label="x")
    >>> y = x * x; y.label = "y"
    >>> s = y.stepper()
    >>> s.next()
    1/2  ∂y/∂x = x                  1 × 3 = 3              ∂y/∂x = 3 …
    >>> s.next()
    2/2  ∂y/∂x = x                  1 × 3 = 3              ∂y/∂x: 3 → 6
    >>> s
    gradients of y: 2 of 2 steps done
    <BLANKLINE>
      node                      value      gradient
      y                             9             1
      x                             3             6
    <BLANKLINE>
    done: every gradient is known
    """

    def __init__(self, root: Value, gradient: float = 1.0) -> None:
        self.root = instance(root, Value, "the root of a graph is a Value")
        self._gradient = as_float(gradient, "gradient")
        self.reset()

    def reset(self) -> None:
        """Return to the beginning, and read the current data of the graph.

        >>> w = Value(3.0, label="w")
        >>> s = (w * w).stepper()
        >>> s.next(2); s.reset(); len(s.gradients)
        1/2 ...
        2/2 ...
        1
        """
        order = topological_order(self.root)
        check_for_leaves(self.root, order)
        shown = reversed(shown_order(self.root))
        self._nodes = [node for node in shown if node.op is not ops.constant]
        self._edges = flowing_edges(self.root)
        self._to_come = Counter(node.args[slot] for node, slot in self._edges)
        self._found = {self.root: self._gradient + 0.0}
        self._undo: list[float | None] = []  # one entry per step done: the total before the step
        self._data = {node: node.data for node in order}
        self._stale = bool(stale(self.root))

    # ------------------------------------------------------------------ driving

    def next(self, count: int = 1) -> None:
        """Do the next `count` steps, and print a line of arithmetic for each.

        Raises:
            ValueError: `count` is not a positive whole number, or there is no finite derivative.
        """
        last = len(self._undo) + _positive(count)
        self._print(self._advance_while(lambda: len(self._undo) < last))

    def back(self, count: int = 1) -> None:
        """Undo the last `count` steps exactly.

        Raises:
            ValueError: `count` is not a positive whole number.

        >>> s = (Value(3.0, label="x") * 2.0).tanh().stepper()
        >>> s.next(); s.back()
        1/2 ...
        0 of 2 steps done
        """
        self._take_back(min(_positive(count), len(self._undo)))
        print(f"{len(self._undo)} of {len(self._edges)} steps done")

    def _take_back(self, count: int) -> None:
        """Undo the last `count` steps without printing."""
        for _ in range(count):
            operand = self._operand(len(self._undo) - 1)
            before = self._undo.pop()
            self._to_come[operand] += 1
            if before is None:
                del self._found[operand]
            else:
                self._found[operand] = before

    def until(self, node: Value | str) -> None:
        """Run until the gradient of `node` is complete.

        Raises:
            LabelError, ValueError, TypeError: `node` is not a node of the graph (see `find`).

        >>> w, x = Value(3.0, label="w"), Value(2.0, label="x")
        >>> s = (w * x).stepper()
        >>> s.until("x")
        1/2  ∂(w·x)/∂w = x           1 × 2 = 2                   ∂(w·x)/∂w = 2
        2/2  ∂(w·x)/∂x = w           1 × 3 = 3                   ∂(w·x)/∂x = 3
        """
        node = find_variable(self.root, node)
        self._print(self._advance_while(lambda: self._to_come[node] > 0))

    def run(self) -> None:
        """Do all remaining steps, and print them.

        >>> (Value(3.0, label="w") * 2.0).stepper().run()
        1/1  ∂(w·2)/∂w = 2              1 × 2 = 2              ∂(w·2)/∂w = 2
        """
        self._print(iter(self))

    n, b, u = next, back, until

    def __iter__(self) -> Iterator[Step]:
        """Yield the remaining steps one by one, without printing."""
        return self._advance_while(lambda: True)

    def check(
        self, guesses: Mapping[Value | str, float] | None = None, /, **by_label: float
    ) -> Verdict:
        """Compare gradients computed by hand with the right ones.

        Args:
            guesses: gradients by node or label, for labels that are not Python names.
            by_label: gradients by label.

        Returns:
            A verdict that is true if all are right. It prints a line for each gradient, which
            names the likely mistake in a wrong one.

        Raises:
            LabelError, ValueError, TypeError: a node is not in the graph, or a guess is not a
                number.

        >>> w = Value(2.0, label="w")
        >>> s = (w * 3.0).tanh().stepper()
        >>> s.check(w=3.0)
        w: 3 is not right. The factor 1 − tanh(w·3)² = 2.458e-05 is missing.
        """
        given = {} if guesses is None else guesses
        instance(given, Mapping, "check takes gradients by label, as in check(w=-0.16)")
        wanted = dict(given)
        wanted.update(by_label)
        if not wanted:
            raise ValueError("nothing to check: give a gradient by label, as in check(w=-0.16)")
        found = [
            (find_variable(self.root, node), as_float(guess, "a guess"))
            for node, guess in wanted.items()
        ]
        verdict = Verdict(judge(self.root, node, guess, self._gradient) for node, guess in found)
        verdict.stale = bool(stale(self.root))
        return verdict

    def draw(
        self,
        *,
        path: tuple[Value | str, Value | str] | None = None,
        around: Value | str | None = None,
        depth: int | None = None,
        max_nodes: int = 60,
        open: str | Collection[str] = (),
        rankdir: str = "LR",
        format: str = "svg",
    ) -> Drawing:
        """Draw the graph with the gradients known so far; the options are those of `Value.draw`.

        Raises:
            LabelError, TypeError, ValueError: as for `Value.draw`.
        """
        return draw(
            self.root,
            path=path,
            around=around,
            depth=depth,
            max_nodes=max_nodes,
            open=open,
            gradients=self.gradients,
            rankdir=rankdir,
            format=format,
        )

    # ------------------------------------------------------------------ reading

    @property
    def left(self) -> int:
        """The number of remaining steps."""
        return len(self._edges) - len(self._undo)

    @property
    def gradients(self) -> dict[Value, float]:
        """The gradients known so far, complete or not, by node."""
        return dict(self._found)

    @fitted
    def __repr__(self) -> str:
        done, count = len(self._undo), len(self._edges)
        title = f"gradients of {name(self.root)}: {done} of {count} steps done"
        lines = [title, "", f"  {'node':<20}{'value':>11}{'gradient':>14}"]
        lines += [*self._rows(), ""]
        if self.left:
            node, slot = self._edges[done]
            lines.append(f"next: from {name(node)} to {name(node.args[slot])}; {self.left} left")
        else:
            lines.append("done: every gradient is known")
        if self._is_stale():
            lines.append(STALE_WARNING.replace("recompute()", "recompute() and reset()"))
        return "\n".join(lines)

    def _repr_html_(self) -> str | None:
        """Return the interactive player at this step, with the text form below it, as HTML.

        Return None, which selects the text form, for a large graph and for a `gradient` other
        than 1: the player can only show ∂root/∂node.
        """
        if self._gradient != 1.0 or len(self._data) > MOST_NODES:
            return None
        player = self.root.page(position=len(self._undo))
        return joined([player.frame(), details("as text", code(repr(self)))])

    def _rows(self) -> list[str]:
        nodes = self._nodes
        if len(nodes) <= LINES:
            return [self._row(node) for node in nodes]
        here = nodes.index(self._edges[min(len(self._undo), len(self._edges) - 1)][0])
        start = max(0, min(here - LINES // 2, len(nodes) - LINES))
        end = start + LINES
        above = [f"  … {start:,} nodes above"] if start else []
        below = [f"  … {len(nodes) - end:,} nodes below"] if end < len(nodes) else []
        return above + [self._row(node) for node in nodes[start:end]] + below

    def _row(self, node: Value) -> str:
        called = shortened(shown(name(node).text), 19)
        gradient = numeral(self._found[node]) if node in self._found else "—"
        more = " …" if node in self._found and self._to_come[node] else ""
        return f"  {called:<20}{numeral(node.data):>11}{gradient:>14}{more}"

    # ------------------------------------------------------------------ the pass

    def _operand(self, index: int) -> Value:
        """Return the operand of the step with this index, counted from 0."""
        node, slot = self._edges[index]
        return node.args[slot]

    def _advance(self) -> Step:
        """Do the next step without printing."""
        index = len(self._undo)
        node, slot = self._edges[index]
        operand = node.args[slot]
        local = local_of(node, slot)
        upstream = self._found[node]
        contribution = upstream * local
        before = self._found.get(operand)
        self._found[operand] = (before or 0.0) + contribution
        self._to_come[operand] -= 1
        self._undo.append(before)
        return Step(
            root=self.root,
            node=node,
            operand=operand,
            slot=slot,
            local=local,
            upstream=upstream,
            contribution=contribution,
            before=before,
            total=self._found[operand],
            complete=not self._to_come[operand],
            index=index + 1,
            count=len(self._edges),
            stale=self._stale or any(map(self._has_changed, (node, *node.args))),
        )

    def _has_changed(self, node: Value) -> bool:
        return repr(node.data) != repr(self._data[node])  # repr, so that NaN equals NaN

    def _is_stale(self) -> bool:
        return any(map(self._has_changed, self._data)) or bool(stale(self.root))

    def _advance_while(self, wanted: Callable[[], bool]) -> Iterator[Step]:
        self._stale = self._stale or self._is_stale()
        while self.left and wanted():
            yield self._advance()

    def _print(self, steps: Iterator[Step]) -> None:
        """Do the steps and print them; if printing fails, undo them."""
        before = len(self._undo)
        done: list[Step] = []
        try:
            done.extend(steps)
        finally:  # if a step fails, those before it remain done, so they must be printed
            try:
                if done:
                    print(*_lines(done), sep="\n")
            except BaseException:
                self._take_back(len(self._undo) - before)
                raise
        if not done:
            print("nothing left to do here: go back, or reset to start again")


def _lines(done: list[Step]) -> list[str]:
    """Return a line for each step; of a long run, only those at both ends."""
    ends = LINES // 2
    skipped = len(done) - 2 * ends
    if skipped <= 0:
        return [str(step) for step in done]
    first, last = done[:ends], done[-ends:]
    return [*map(str, first), shown(f"… {skipped:,} steps …"), *map(str, last)]


def _positive(count: Any) -> int:
    return whole(count, "count, how many steps,")
