"""Represent a scalar graph as data, and rewrite it by passes.

A `Program` is a list of nodes, each after its operands. `recorded` makes it from a trace, and
`compiled` sends it through the `PASSES`:

    folded      constant folding
    shared      common subexpression elimination
    gathered    chains of additions to sums and dot products, chains of maxima to one maximum
    recognised  the nodes of a log-sum-exp or a softmax to one node

The last two create nodes with any number of operands, and end with `needed`, which is dead code
elimination. Every pass must keep the invariants that `check` states.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ..core import ops
from ..core.notation import shortened
from ..core.ops import Op
from ..core.terminal import fitted
from ..core.value import Value
from .trace import Traced


def _kind(name: str) -> Op:
    """Return an operation outside the table, which only marks a kind of node."""
    return Op(name, value=lambda: 0.0, partials=lambda out: (), arity=0)


INPUT, PARAM = _kind("input"), _kind("param")
SUM, MAX, LSE = _kind("sum"), _kind("max"), _kind("logsumexp")
ODDS = _kind("log_odds")  # log(Σ exp(xᵢ) / exp(z)): the operands are the xᵢ, then z
DOT = _kind("dot")  # the operands are the left factors, the right factors, then at most one summand
SOFTMAX = _kind("softmax")  # a list of numbers; a PART is one of them
PART = _kind("part")


class Node(NamedTuple):
    """One scalar: its operation, and the indices of its operands.

    `place` is the index of a leaf's number among those of its kind, or the index of a PART in its
    list.
    """

    op: Op
    args: tuple[int, ...] = ()
    place: int = -1


def _node(op: Op, args: tuple[int, ...], place: int = -1) -> Node:
    """Return `Node(op, args, place)`, in a third of the time: programs have very many nodes."""
    return tuple.__new__(Node, (op, args, place))


@dataclass(frozen=True)
class Program:
    """A scalar graph as data.

    Attributes:
        nodes: the nodes, each after its operands.
        outputs: the indices of the nodes that are returned, then of those that `require` tests.
        constants: the numbers of the constants.
        params: the Values that are parameters.
        labels: the labels of nodes that have one, by index.
        sizes: for each argument, the count of its numbers.
    """

    nodes: list[Node]
    outputs: list[int]
    constants: list[float]
    params: list[Value]
    sizes: list[int]
    labels: dict[int, str] = field(default_factory=dict)

    def computes_as(self, other: Program) -> bool:
        """Return True if another program has the same nodes, outputs and constants."""
        return (
            self.nodes == other.nodes
            and self.outputs == other.outputs
            and list(map(repr, self.constants)) == list(map(repr, other.constants))
        )

    @fitted
    def __str__(self) -> str:
        lines = []
        for i, node in enumerate(self.nodes):
            operands = ", ".join(f"v{arg}" for arg in node.args) or str(node.place)
            label = f"   # {shortened(self.labels[i])}" if i in self.labels else ""
            lines.append(f"v{i} = {shortened(node.op.name)}({operands}){label}")
        return "\n".join([*lines, f"return {', '.join(f'v{i}' for i in self.outputs)}"])


def recorded(traced: Traced, params: list[Value]) -> Program:
    """Return the program of a trace; a leaf that is no parameter and no input is a constant."""
    nodes: list[Node] = []
    index: dict[Value, int] = {}
    constants: list[float] = []
    labels: dict[int, str] = {}
    inputs = [leaf for argument in traced.inputs for leaf in argument]
    places = {p: Node(PARAM, (), i) for i, p in enumerate(params)}
    places |= {leaf: Node(INPUT, (), i) for i, leaf in enumerate(inputs)}
    for i, value in enumerate(traced.order):
        arity = value.op.arity
        if arity == 2:
            node = _node(value.op, (index[value._a], index[value._b]))
        elif arity:
            node = _node(value.op, tuple([index[arg] for arg in value.args]))
        elif value in places:
            node = places[value]
        else:
            node = _node(ops.constant, (), len(constants))
            constants.append(value.data)
        if value.label or value.scope:
            labels[i] = value.label or value.scope
        index[value] = i
        nodes.append(node)
    outputs = [index[value] for value in traced.computed()]
    return Program(nodes, outputs, constants, params, [len(a) for a in traced.inputs], labels)


# ---------------------------------------------------------------------- passes


def rewritten(program: Program, rewrite: Callable[[list[Node], Node], Node | int]) -> Program:
    """Return the program with every node rewritten.

    `rewrite(nodes, node)` gets the new nodes so far, and the next node with its new operands. It
    returns a node to add, or the index of the new node to use instead.
    """
    nodes: list[Node] = []
    new: list[int] = []
    for node in program.nodes:
        if len(nodes) < len(new) and node.args:  # a node was dropped, so indices have changed
            node = _node(node.op, tuple([new[arg] for arg in node.args]), node.place)
        moved = rewrite(nodes, node)
        if isinstance(moved, int):
            new.append(moved)
        else:
            new.append(len(nodes))
            nodes.append(moved)
    labels: dict[int, str] = {}
    for i, label in program.labels.items():
        labels.setdefault(new[i], label)
    return replace(program, nodes=nodes, outputs=[new[i] for i in program.outputs], labels=labels)


def shared(program: Program) -> Program:
    """Merge equal nodes: common subexpression elimination. Equal constants are merged too."""
    known: dict[object, int] = {}

    def rewrite(nodes: list[Node], node: Node) -> Node | int:
        key = repr(program.constants[node.place]) if node.op is ops.constant else node
        found = known.setdefault(key, len(nodes))
        return node if found == len(nodes) else found

    return rewritten(program, rewrite)


def folded(program: Program) -> Program:
    """Evaluate nodes whose operands are all constants: constant folding.

    Also replace 0 + x by x, because `sum` begins with 0.
    """
    constants = list(program.constants)

    def rewrite(nodes: list[Node], node: Node) -> Node | int:
        known = [arg for arg in node.args if nodes[arg].op is ops.constant]
        if not known:
            return node
        numbers = [constants[nodes[arg].place] for arg in known]
        if len(known) == len(node.args):
            constants.append(node.op.value(*numbers))
            return _node(ops.constant, (), len(constants) - 1)
        if node.op is ops.add and known[0] == node.args[0] and numbers[0] == 0.0:
            return node.args[1]
        return node

    return replace(rewritten(program, rewrite), constants=constants)


def made_of(program: Program, outputs: list[int]) -> list[bool]:
    """Return, for each node, True if one of `outputs` depends on it."""
    found = [False] * len(program.nodes)
    for i in outputs:
        found[i] = True
    for i in range(len(program.nodes) - 1, -1, -1):
        if found[i]:
            for arg in program.nodes[i].args:
                found[arg] = True
    return found


def needed(program: Program) -> Program:
    """Remove the nodes that no output depends on: dead code elimination."""
    wanted = made_of(program, program.outputs)
    if all(wanted):
        return program
    new = [-1] * len(wanted)
    nodes: list[Node] = []
    for i, node in enumerate(program.nodes):
        if wanted[i]:
            new[i] = len(nodes)
            args = node.args and tuple([new[arg] for arg in node.args])
            nodes.append(_node(node.op, args, node.place))
    labels = {new[i]: label for i, label in program.labels.items() if wanted[i]}
    return replace(program, nodes=nodes, outputs=[new[i] for i in program.outputs], labels=labels)


def gathered(program: Program) -> Program:
    """Replace chains of additions and of maxima by one node with all their operands.

        (a + b) + c              SUM(a, b, c)
        (a·b + c·d) + e          DOT(a, c, b, d, e)
        max(max(a, b), c)        MAX(a, b, c)

    A chain is replaced at its end, and only through nodes that nothing else uses. Maxima are
    replaced only where no gradient flows: at a tie, a chain does not split it equally.
    """
    uses = _uses(program)
    stopped = {n.args[0] for n in program.nodes if n.op is ops.stop_gradient}
    inner = _inside_chains(program, uses)
    nodes = list(program.nodes)
    for i, node in enumerate(program.nodes):
        if i in inner or node.op not in (ops.add, ops.maximum):
            continue
        terms = _terms(program, i, inner)
        if node.op is ops.maximum:
            if len(terms) > 2 and i in stopped and uses[i] == 1:
                nodes[i] = Node(MAX, tuple(terms))
            continue
        products = [t for t in terms if program.nodes[t].op is ops.mul and uses[t] == 1]
        others = [t for t in terms if not (program.nodes[t].op is ops.mul and uses[t] == 1)]
        if len(others) <= 1 and _alike(program, products):
            factors = [_ordered(program, *program.nodes[t].args) for t in products]
            nodes[i] = Node(DOT, (*(a for a, _ in factors), *(b for _, b in factors), *others))
        elif len(terms) > 2:
            nodes[i] = Node(SUM, tuple(terms))
    return needed(replace(program, nodes=nodes))


def _alike(program: Program, products: list[int]) -> bool:
    """Return True if the sum of these products is to be a dot product.

    Three or more products always are one. Two are not if one of them is a constant times a computed
    node: this is probably a weighted sum of two costs.
    """
    if len(products) != 2:
        return len(products) > 2
    kinds = [{program.nodes[arg].op for arg in program.nodes[i].args} for i in products]
    return not any(ops.constant in kind and not kind & {INPUT, PARAM} for kind in kinds)


def _ordered(program: Program, a: int, b: int) -> tuple[int, int]:
    """Return two factors with the parameter first, so that W·x and x·W are treated alike."""
    return (b, a) if program.nodes[b].op is PARAM and program.nodes[a].op is not PARAM else (a, b)


def _uses(program: Program) -> list[int]:
    """Count, for each node, how often it is an operand or an output."""
    uses = [0] * len(program.nodes)
    for node in program.nodes:
        for arg in node.args:
            uses[arg] += 1
    for i in program.outputs:
        uses[i] += 1
    return uses


def _inside_chains(program: Program, uses: list[int]) -> set[int]:
    """Return the additions and maxima whose only use is in the next node of their chain."""
    inner = set()
    for node in program.nodes:
        if node.op is ops.add or node.op is ops.maximum:
            for arg in node.args:
                if uses[arg] == 1 and program.nodes[arg].op is node.op:
                    inner.add(arg)
    return inner


def _terms(program: Program, end: int, inner: set[int]) -> list[int]:
    """Return the operands of a whole chain, from left to right."""
    op = program.nodes[end].op
    found: list[int] = []
    stack = [end]
    while stack:
        i = stack.pop()
        if i == end or (i in inner and program.nodes[i].op is op):
            stack.extend(reversed(program.nodes[i].args))
        else:
            found.append(i)
    return found


def recognised(program: Program) -> Program:
    """Replace the nodes of a log-sum-exp, of log-odds and of a softmax by one node each.

    With m = max xᵢ, through which no gradient flows, and S = Σ exp(gap(xᵢ, m)), they are

        LSE         m + log S
        ODDS        log S + gap(m, z), the log-odds against z
        SOFTMAX     exp(gap(xᵢ, m)) / S, for all i

    They are replaced only if nothing else uses the intermediate nodes.
    """
    uses = _uses(program)
    return needed(_with_softmax(_with_logsumexp(program, uses), uses))


def _with_logsumexp(program: Program, uses: list[int]) -> Program:
    """Replace every m + log S by LSE, and every log S + gap(m, z) by ODDS."""
    nodes = list(program.nodes)
    for i, node in enumerate(nodes):
        for a, b in (node.args, node.args[::-1]) if node.op is ops.add else ():
            if nodes[b].op is ops.log and uses[b] == 1 and uses[nodes[b].args[0]] == 1:
                shifted = _shifted(program, nodes[b].args[0])
                if not shifted or set(shifted.uses(uses)) != {1}:
                    continue
                if shifted.shift == a:
                    nodes[i] = Node(LSE, shifted.operands)
                elif nodes[a].op is ops.gap and nodes[a].args[0] == shifted.shift and uses[a] == 1:
                    nodes[i] = Node(ODDS, (*shifted.operands, nodes[a].args[1]))
    return replace(program, nodes=nodes)


def _with_softmax(program: Program, uses: list[int]) -> Program:
    """Replace quotients exp(gap(xᵢ, m))/S by parts of one SOFTMAX, inserted before the first."""
    quotients: dict[int, list[int]] = {}
    for i, node in enumerate(program.nodes):
        if node.op is ops.div:
            quotients.setdefault(node.args[1], []).append(i)
    before: dict[int, Node] = {}
    parts: dict[int, tuple[int, int]] = {}
    for divisor, ends in quotients.items():
        shifted = _shifted(program, divisor)
        exponentials = shifted.exponentials if shifted else ()
        place = {e: k for k, e in enumerate(exponentials)}
        mine = [i for i in ends if program.nodes[i].args[0] in place]
        others = uses[divisor] - len(mine) - (divisor in place)
        if shifted and mine and len(place) == len(exponentials) and not others:
            before[mine[0]] = Node(SOFTMAX, shifted.operands)
            parts.update({i: (mine[0], place[program.nodes[i].args[0]]) for i in mine})
    return _inserted(program, before, parts) if before else program


class _Shifted(NamedTuple):
    """A sum of exponentials exp(gap(xᵢ, m)): the xᵢ, m, and the intermediate nodes."""

    operands: tuple[int, ...]
    shift: int
    exponentials: tuple[int, ...]
    differences: tuple[int, ...]

    def uses(self, uses: list[int]) -> list[int]:
        """Return how often each intermediate node is used."""
        return [uses[i] for i in (*self.exponentials, *self.differences)]


def _shifted(program: Program, i: int) -> _Shifted | None:
    """Match the sum S of `recognised` at node `i`; return None if the node is no such sum."""
    nodes = program.nodes
    exponentials = (i,) if nodes[i].op is ops.exp else nodes[i].args  # a sum of one has no node
    if nodes[i].op not in (SUM, ops.add, ops.exp):
        return None
    if any(nodes[e].op is not ops.exp for e in exponentials):
        return None
    differences = tuple([nodes[e].args[0] for e in exponentials])
    if any(nodes[d].op is not ops.gap for d in differences):
        return None
    operands = tuple([nodes[d].args[0] for d in differences])
    shifts = {nodes[d].args[1] for d in differences}
    shift = shifts.pop()
    if shifts or nodes[shift].op is not ops.stop_gradient:
        return None
    largest = nodes[shift].args[0]
    compared = nodes[largest].args if nodes[largest].op in (MAX, ops.maximum) else (largest,)
    if set(compared) != set(operands) and operands != (largest,):
        return None
    return _Shifted(operands, shift, exponentials, differences)


def _inserted(
    program: Program, before: dict[int, Node], parts: dict[int, tuple[int, int]]
) -> Program:
    """Insert the nodes `before` some nodes, and replace other nodes by `parts` of the inserted.

    Args:
        program: the program.
        before: new nodes, by the index of the node that they are inserted before.
        parts: by the index of a node to replace, the key in `before` and the index in that list.
    """
    nodes: list[Node] = []
    new: list[int] = []
    made: dict[int, int] = {}
    for i, node in enumerate(program.nodes):
        if i in before:
            made[i] = len(nodes)
            nodes.append(before[i]._replace(args=tuple([new[arg] for arg in before[i].args])))
        new.append(len(nodes))
        if i in parts:
            source, place = parts[i]
            nodes.append(Node(PART, (made[source],), place))
        else:
            nodes.append(Node(node.op, tuple([new[arg] for arg in node.args]), node.place))
    labels = {new[i]: label for i, label in program.labels.items()}
    return replace(program, nodes=nodes, outputs=[new[i] for i in program.outputs], labels=labels)


Pass = Callable[[Program], Program]
PASSES: tuple[Pass, ...] = (folded, shared, gathered, recognised)


# ---------------------------------------------------------------------- invariants


def check(program: Program) -> Program:
    """Return the program if it keeps the invariants that passes and later stages rely on.

    Raises:
        AssertionError: a node stands before one of its operands, has a wrong number of operands,
            or refers to a number, parameter, input or part that does not exist; or an output is
            not the index of a scalar node.
    """
    count = len(program.nodes)
    places = {
        INPUT: sum(program.sizes),
        PARAM: len(program.params),
        ops.constant: len(program.constants),
    }
    for i, node in enumerate(program.nodes):
        assert all(0 <= arg < i for arg in node.args), f"v{i} stands before an operand"
        for arg in node.args:
            assert node.op is PART or program.nodes[arg].op is not SOFTMAX, f"v{i} reads a list"
        if node.op in places:
            assert 0 <= node.place < places[node.op], f"v{i} has no number"
        elif node.op is PART:
            (source,) = node.args
            assert program.nodes[source].op is SOFTMAX, f"v{i} is no part"
            assert 0 <= node.place < len(program.nodes[source].args), f"v{i} is no part"
        elif node.op in (SUM, MAX, LSE, ODDS, SOFTMAX, DOT):
            assert len(node.args) > (node.op is not SOFTMAX), f"v{i} has too few operands"
        else:
            assert len(node.args) == node.op.arity, f"v{i} has not {node.op.arity} operands"
    assert all(0 <= i < count for i in program.outputs), "an output is not there"
    assert all(program.nodes[i].op is not SOFTMAX for i in program.outputs), "an output is a list"
    return program
