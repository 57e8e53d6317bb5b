"""A scalar graph as data: a list of nodes, each with an operation and the places of its operands.

Besides the rows of the table of operations, a program has nodes that add up, multiply in pairs and
take the largest of many operands at once: chains of additions and maxima, gathered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from .. import ops
from ..ops import Op
from ..value import Value
from .trace import Traced

SUM = Op("sum", value=lambda: 0.0, partials=lambda out: (), arity=-2)
DOT = Op("dot", value=lambda: 0.0, partials=lambda out: (), arity=-2)  # lefts, then rights
MAX = Op("max", value=lambda: 0.0, partials=lambda out: (), arity=-2)
INPUT = Op("input", value=lambda: 0.0, partials=lambda out: ())
PARAM = Op("param", value=lambda: 0.0, partials=lambda out: ())


class Node(NamedTuple):
    """One scalar: what makes it, from which nodes; a leaf has the place of its number instead."""

    op: Op
    args: tuple[int, ...] = ()
    place: int = -1


@dataclass(frozen=True)
class Program:
    """What a function computes, as data.

    Attributes:
        nodes: each after its operands.
        outputs: which nodes are returned.
        constants: the numbers of the constants.
        params: the Values that are parameters.
        labels: of nodes that have one.
        sizes: how many numbers each argument has.
    """

    nodes: list[Node]
    outputs: list[int]
    constants: list[float]
    params: list[Value]
    sizes: list[int]
    labels: dict[int, str] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = []
        for i, node in enumerate(self.nodes):
            operands = ", ".join(f"v{arg}" for arg in node.args) or str(node.place)
            label = f"   # {self.labels[i]}" if i in self.labels else ""
            lines.append(f"v{i} = {node.op.name}({operands}){label}")
        return "\n".join([*lines, f"return {', '.join(f'v{i}' for i in self.outputs)}"])


def recorded(traced: Traced, params: list[Value]) -> Program:
    """The program that a trace recorded."""
    nodes: list[Node] = []
    index: dict[int, int] = {}
    constants: list[float] = []
    labels: dict[int, str] = {}
    inputs = [leaf for argument in traced.inputs for leaf in argument]
    places = {id(leaf): Node(INPUT, (), i) for i, leaf in enumerate(inputs)}
    places |= {id(p): Node(PARAM, (), i) for i, p in enumerate(params)}
    for value in traced.order:
        if id(value) in places:
            node = places[id(value)]
        elif value.op is ops.constant:
            node = Node(ops.constant, (), len(constants))
            constants.append(value.data)
        else:
            node = Node(value.op, tuple([index[id(arg)] for arg in value.args]))
        if value.label:
            labels[len(nodes)] = value.label
        index[id(value)] = len(nodes)
        nodes.append(node)
    outputs = [index[id(value)] for value in traced.outputs]
    return Program(nodes, outputs, constants, params, [len(a) for a in traced.inputs], labels)


# ---------------------------------------------------------------------- passes


def rewritten(program: Program, rewrite: Callable[[list[Node], Node], Node | int]) -> Program:
    """The program with each node rewritten: into another, or into an earlier one's place.

    `rewrite(nodes, node)` sees the new nodes so far, and the node with its new operands.
    """
    nodes: list[Node] = []
    new: list[int] = []
    labels: dict[int, str] = {}
    for i, node in enumerate(program.nodes):
        args = tuple([new[arg] for arg in node.args])
        moved = rewrite(nodes, Node(node.op, args, node.place))
        if isinstance(moved, int):
            new.append(moved)
        else:
            new.append(len(nodes))
            nodes.append(moved)
        if i in program.labels:
            labels.setdefault(new[-1], program.labels[i])
    return replace(program, nodes=nodes, outputs=[new[i] for i in program.outputs], labels=labels)


def shared(program: Program) -> Program:
    """Common subexpressions, and equal constants, once."""
    known: dict[tuple[object, ...], int] = {}

    def rewrite(nodes: list[Node], node: Node) -> Node | int:
        if node.op is ops.constant:
            key: tuple[object, ...] = ("constant", repr(program.constants[node.place]))
        else:
            key = (id(node.op), node.args, node.place)
        found = known.setdefault(key, len(nodes))
        return node if found == len(nodes) else found

    return rewritten(program, rewrite)


def folded(program: Program) -> Program:
    """What is computed from constants alone, as constants."""
    constants = list(program.constants)

    def rewrite(nodes: list[Node], node: Node) -> Node:
        operands = [nodes[arg] for arg in node.args]
        if not operands or any(operand.op is not ops.constant for operand in operands):
            return node
        constants.append(node.op.value(*(constants[operand.place] for operand in operands)))
        return Node(ops.constant, (), len(constants) - 1)

    return replace(rewritten(program, rewrite), constants=constants)


def needed(program: Program) -> Program:
    """Only what the outputs are made of."""
    wanted = [False] * len(program.nodes)
    for i in program.outputs:
        wanted[i] = True
    for i in range(len(program.nodes) - 1, -1, -1):
        if wanted[i]:
            for arg in program.nodes[i].args:
                wanted[arg] = True
    new: dict[int, int] = {}
    nodes: list[Node] = []
    for i, node in enumerate(program.nodes):
        if wanted[i]:
            new[i] = len(nodes)
            nodes.append(Node(node.op, tuple([new[arg] for arg in node.args]), node.place))
    labels = {new[i]: label for i, label in program.labels.items() if i in new}
    return replace(program, nodes=nodes, outputs=[new[i] for i in program.outputs], labels=labels)


def gathered(program: Program) -> Program:
    """Chains of additions as sums, products in them as dot products, chains of maxima as one.

    A chain is gathered at its end, and only through nodes that nothing else uses. Maxima are
    gathered only where no gradient flows, for at a tie a chain does not share it equally.
    """
    uses = _uses(program)
    stopped = {n.args[0] for n in program.nodes if n.op is ops.stop_gradient}
    inner = _inside_chains(program, uses, stopped)
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
        if len(products) > 1 and len(others) <= 1:
            factors = [_ordered(program, *program.nodes[t].args) for t in products]
            nodes[i] = Node(DOT, (*(a for a, _ in factors), *(b for _, b in factors), *others))
        elif len(terms) > 2:
            nodes[i] = Node(SUM, tuple(terms))
    return needed(replace(program, nodes=nodes))


def _ordered(program: Program, a: int, b: int) -> tuple[int, int]:
    """Two factors with the parameter first, so that W·x and x·W are one and the same."""
    return (b, a) if program.nodes[b].op is PARAM and program.nodes[a].op is not PARAM else (a, b)


def _uses(program: Program) -> list[int]:
    uses = [0] * len(program.nodes)
    for node in program.nodes:
        for arg in node.args:
            uses[arg] += 1
    for i in program.outputs:
        uses[i] += 1
    return uses


def _inside_chains(program: Program, uses: list[int], stopped: Iterable[int]) -> set[int]:
    """The additions and maxima that only continue in another of their kind."""
    inner = set()
    for node in program.nodes:
        if node.op is ops.add or node.op is ops.maximum:
            for arg in node.args:
                if uses[arg] == 1 and program.nodes[arg].op is node.op:
                    inner.add(arg)
    return inner - set(stopped)


def _terms(program: Program, end: int, inner: set[int]) -> list[int]:
    """What a chain combines, from left to right."""
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
