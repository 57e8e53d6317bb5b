"""Rewrite programs: the passes that a program goes through before it becomes array statements.

    fold_constants                      evaluate what depends on constants alone
    eliminate_common_subexpressions     compute equal nodes once
    merge_chains                        chains of additions to sums and dot products, chains of
                                        maxima to one maximum
    recognise_softmax                   the nodes of a log-sum-exp or a softmax to one node

The last two end with `eliminate_dead_code`. Every pass takes a program and returns one that
computes the same and keeps the invariants that `check_program` states; `stages` runs `PASSES` in
order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from ..core import ops
from .program import (
    DOT,
    INPUT,
    LSE,
    MAX,
    ODDS,
    PARAM,
    PART,
    SOFTMAX,
    SUM,
    Node,
    Program,
    find_used,
    make_node,
)


def rewrite_nodes(program: Program, rewrite: Callable[[list[Node], Node], Node | int]) -> Program:
    """Return the program with every node rewritten.

    `rewrite(nodes, node)` gets the new nodes so far, and the next node with its new operands. It
    returns a node to add, or the index of the new node to use instead.
    """
    nodes: list[Node] = []
    new: list[int] = []
    for node in program.nodes:
        if len(nodes) < len(new) and node.args:  # a node was dropped, so indices have changed
            node = make_node(node.op, tuple([new[arg] for arg in node.args]), node.offset)
        rewritten = rewrite(nodes, node)
        if isinstance(rewritten, int):
            new.append(rewritten)
        else:
            new.append(len(nodes))
            nodes.append(rewritten)
    labels: dict[int, str] = {}
    for i, label in program.labels.items():
        labels.setdefault(new[i], label)
    return replace(program, nodes=nodes, outputs=[new[i] for i in program.outputs], labels=labels)


def eliminate_common_subexpressions(program: Program) -> Program:
    """Merge equal nodes: common subexpression elimination. Equal constants are merged too."""
    known: dict[object, int] = {}

    def rewrite(nodes: list[Node], node: Node) -> Node | int:
        key = repr(program.constants[node.offset]) if node.op is ops.constant else node
        found = known.setdefault(key, len(nodes))
        return node if found == len(nodes) else found

    return rewrite_nodes(program, rewrite)


def fold_constants(program: Program) -> Program:
    """Evaluate nodes whose operands are all constants: constant folding.

    Also replace 0 + x by x, because `sum` begins with 0, and a look-up at a constant by the entry.
    """
    constants = list(program.constants)

    def rewrite(nodes: list[Node], node: Node) -> Node | int:
        known = [arg for arg in node.args if nodes[arg].op is ops.constant]
        if not known:
            return node
        numbers = [constants[nodes[arg].offset] for arg in known]
        if len(known) == len(node.args):
            constants.append(node.op.value(*numbers))
            return make_node(ops.constant, (), len(constants) - 1)
        if node.op is ops.take and known[0] == node.args[0]:
            return node.args[1 + int(numbers[0])]
        if node.op is ops.add and known[0] == node.args[0] and numbers[0] == 0.0:
            return node.args[1]
        return node

    return replace(rewrite_nodes(program, rewrite), constants=constants)


def eliminate_dead_code(program: Program) -> Program:
    """Remove the nodes that no output depends on: dead code elimination."""
    wanted = find_used(program, program.outputs)
    if all(wanted):
        return program
    new = [-1] * len(wanted)
    nodes: list[Node] = []
    for i, node in enumerate(program.nodes):
        if wanted[i]:
            new[i] = len(nodes)
            args = node.args and tuple([new[arg] for arg in node.args])
            nodes.append(make_node(node.op, args, node.offset))
    labels = {new[i]: label for i, label in program.labels.items() if wanted[i]}
    return replace(program, nodes=nodes, outputs=[new[i] for i in program.outputs], labels=labels)


def merge_chains(program: Program) -> Program:
    """Replace chains of additions and of maxima by one node with all their operands.

        (a + b) + c              SUM(a, b, c)
        (a·b + c·d) + e          DOT(a, c, b, d, e)
        max(max(a, b), c)        MAX(a, b, c)

    A chain is replaced at its end, and only through nodes that nothing else uses. Maxima are
    replaced only where no gradient flows: at a tie, a chain does not split it equally.
    """
    uses = _count_uses(program)
    stopped = {n.args[0] for n in program.nodes if n.op is ops.stop_gradient}
    inner = _find_inside_chains(program, uses)
    nodes = list(program.nodes)
    for i, node in enumerate(program.nodes):
        if i in inner or node.op not in (ops.add, ops.maximum):
            continue
        terms = _find_terms(program, i, inner)
        if node.op is ops.maximum:
            if len(terms) > 2 and i in stopped and uses[i] == 1:
                nodes[i] = Node(MAX, tuple(terms))
            continue
        products = [t for t in terms if program.nodes[t].op is ops.mul and uses[t] == 1]
        others = [t for t in terms if not (program.nodes[t].op is ops.mul and uses[t] == 1)]
        if len(others) <= 1 and _is_dot_product(program, products):
            factors = [_order_factors(program, *program.nodes[t].args) for t in products]
            nodes[i] = Node(DOT, (*(a for a, _ in factors), *(b for _, b in factors), *others))
        elif len(terms) > 2:
            nodes[i] = Node(SUM, tuple(terms))
    return eliminate_dead_code(replace(program, nodes=nodes))


def _is_dot_product(program: Program, products: list[int]) -> bool:
    """Return True if the sum of these products is to be a dot product.

    Three or more products always are one. Two are not if one of them is a constant times a computed
    node: this is probably a weighted sum of two costs.
    """
    if len(products) != 2:
        return len(products) > 2
    kinds = [{program.nodes[arg].op for arg in program.nodes[i].args} for i in products]
    return not any(ops.constant in kind and not kind & {INPUT, PARAM} for kind in kinds)


def _order_factors(program: Program, a: int, b: int) -> tuple[int, int]:
    """Return two factors with the parameter first, so that W·x and x·W are treated alike."""
    return (b, a) if program.nodes[b].op is PARAM and program.nodes[a].op is not PARAM else (a, b)


def _count_uses(program: Program) -> list[int]:
    """Count, for each node, how often it is an operand or an output."""
    uses = [0] * len(program.nodes)
    for node in program.nodes:
        for arg in node.args:
            uses[arg] += 1
    for i in program.outputs:
        uses[i] += 1
    return uses


def _find_inside_chains(program: Program, uses: list[int]) -> set[int]:
    """Return the additions and maxima whose only use is in the next node of their chain."""
    inner = set()
    for node in program.nodes:
        if node.op is ops.add or node.op is ops.maximum:
            for arg in node.args:
                if uses[arg] == 1 and program.nodes[arg].op is node.op:
                    inner.add(arg)
    return inner


def _find_terms(program: Program, end: int, inner: set[int]) -> list[int]:
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


def recognise_softmax(program: Program) -> Program:
    """Replace the nodes of a log-sum-exp, of log-odds and of a softmax by one node each.

    With m = max xᵢ, through which no gradient flows, and S = Σ exp(gap(xᵢ, m)), they are

        LSE         m + log S
        ODDS        log S + gap(m, z), the log-odds against z
        SOFTMAX     exp(gap(xᵢ, m)) / S, for all i

    They are replaced only if nothing else uses the intermediate nodes.
    """
    uses = _count_uses(program)
    return eliminate_dead_code(_merge_softmax(_merge_logsumexp(program, uses), uses))


def _merge_logsumexp(program: Program, uses: list[int]) -> Program:
    """Replace every m + log S by LSE, and every log S + gap(m, z) by ODDS."""
    nodes = list(program.nodes)
    for i, node in enumerate(nodes):
        for a, b in (node.args, node.args[::-1]) if node.op is ops.add else ():
            if nodes[b].op is ops.log and uses[b] == 1 and uses[nodes[b].args[0]] == 1:
                shifted = _match_shifted(program, nodes[b].args[0])
                if not shifted or set(shifted.count_uses(uses)) != {1}:
                    continue
                if shifted.shift == a:
                    nodes[i] = Node(LSE, shifted.operands)
                elif nodes[a].op is ops.gap and nodes[a].args[0] == shifted.shift and uses[a] == 1:
                    nodes[i] = Node(ODDS, (*shifted.operands, nodes[a].args[1]))
    return replace(program, nodes=nodes)


def _merge_softmax(program: Program, uses: list[int]) -> Program:
    """Replace quotients exp(gap(xᵢ, m))/S by parts of one SOFTMAX, inserted before the first."""
    quotients: dict[int, list[int]] = {}
    for i, node in enumerate(program.nodes):
        if node.op is ops.div:
            quotients.setdefault(node.args[1], []).append(i)
    before: dict[int, Node] = {}
    parts: dict[int, tuple[int, int]] = {}
    for divisor, ends in quotients.items():
        shifted = _match_shifted(program, divisor)
        exponentials = shifted.exponentials if shifted else ()
        place = {e: k for k, e in enumerate(exponentials)}
        mine = [i for i in ends if program.nodes[i].args[0] in place]
        others = uses[divisor] - len(mine) - (divisor in place)
        if shifted and mine and len(place) == len(exponentials) and not others:
            before[mine[0]] = Node(SOFTMAX, shifted.operands)
            parts.update({i: (mine[0], place[program.nodes[i].args[0]]) for i in mine})
    return _insert_nodes(program, before, parts) if before else program


class _Shifted(NamedTuple):
    """A sum of exponentials exp(gap(xᵢ, m)): the xᵢ, m, and the intermediate nodes."""

    operands: tuple[int, ...]
    shift: int
    exponentials: tuple[int, ...]
    differences: tuple[int, ...]

    def count_uses(self, uses: list[int]) -> list[int]:
        """Return how often each intermediate node is used."""
        return [uses[i] for i in (*self.exponentials, *self.differences)]


def _match_shifted(program: Program, i: int) -> _Shifted | None:
    """Match the sum S of `recognise_softmax` at node `i`; return None if it is no such sum."""
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


def _insert_nodes(
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
    inserted: dict[int, int] = {}
    for i, node in enumerate(program.nodes):
        if i in before:
            inserted[i] = len(nodes)
            nodes.append(before[i]._replace(args=tuple([new[arg] for arg in before[i].args])))
        new.append(len(nodes))
        if i in parts:
            source, place = parts[i]
            nodes.append(Node(PART, (inserted[source],), place))
        else:
            nodes.append(Node(node.op, tuple([new[arg] for arg in node.args]), node.offset))
    labels = {new[i]: label for i, label in program.labels.items()}
    return replace(program, nodes=nodes, outputs=[new[i] for i in program.outputs], labels=labels)


Pass = Callable[[Program], Program]
PASSES: tuple[Pass, ...] = (
    fold_constants,
    eliminate_common_subexpressions,
    merge_chains,
    recognise_softmax,
)
