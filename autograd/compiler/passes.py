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

import numpy as np

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
    change_nodes,
    find_used,
    merge_nodes,
    number_keys,
)


def fold_constants(program: Program) -> Program:
    """Evaluate nodes whose operands are all constants: constant folding.

    Also replace 0 + x by x, because `sum` begins with 0, and a look-up at a constant by the entry.
    """
    constants = list(program.constants)
    is_constant = program.find(ops.constant)
    offsets = program.offsets[is_constant].tolist()
    known = {i: constants[k] for i, k in zip(np.flatnonzero(is_constant).tolist(), offsets)}
    changed: dict[int, Node] = {}
    into: dict[int, int] = {}
    fresh = is_constant
    while fresh.any():
        users, fresh = np.flatnonzero(program.find_users(fresh)).tolist(), np.zeros_like(fresh)
        for i in users:
            op = program.kinds[program.codes[i]]
            operands = [into.get(arg, arg) for arg in program.list_operands(i)]
            first, numbers = known.get(operands[0]), [known[a] for a in operands if a in known]
            if i in known or not numbers:
                continue
            if len(numbers) == len(operands):
                known[i] = op.value(*numbers)
                changed[i] = Node(ops.constant, (), len(constants))
                constants.append(known[i])
            elif op is ops.take and first is not None:
                into[i] = operands[1 + int(first)]
            elif op is ops.add and first == 0.0:
                into[i] = operands[1]
            fresh[i] = into.get(i, i) in known
    folded = merge_nodes(change_nodes(program, changed), into)
    return replace(folded, constants=constants)


def eliminate_common_subexpressions(program: Program) -> Program:
    """Merge equal nodes: common subexpression elimination. Equal constants are merged too."""
    offsets = program.offsets.copy()
    is_constant = program.find(ops.constant)
    _, offsets[is_constant] = np.unique(
        number_keys(program.constants)[offsets[is_constant]], return_inverse=True
    )
    known: dict[tuple[int, ...], int] = {}
    into: dict[int, int] = {}
    for i in np.flatnonzero(_find_suspects(program, offsets)).tolist():
        operands = [into.get(arg, arg) for arg in program.list_operands(i)]
        key = (int(program.codes[i]), int(offsets[i]), *operands)
        into[i] = known.setdefault(key, i)
    return merge_nodes(program, into)


ROUNDS = 8  # more find fewer suspects, and take longer
HASH = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)


def _find_suspects(program: Program, offsets: np.ndarray) -> np.ndarray:
    """Return a mask of the nodes that may equal another, because they have the same hash.

    The hash of a node is made of its operation, its offset and the hashes of its operands. It is
    computed in rounds, in each of which equal nodes have equal hashes.
    """
    own = program.codes.astype(np.uint64) * HASH[0] + offsets.astype(np.uint64) * HASH[1]
    slots = np.arange(len(program.args)) - np.repeat(program.starts[:-1], program.arities)
    weights = (2 * slots + 3).astype(np.uint64) * HASH[2]
    hashes, totals = own, np.zeros(len(slots) + 1, dtype=np.uint64)
    for _ in range(ROUNDS):
        mixed = (hashes ^ (hashes >> np.uint64(29))) * HASH[0]
        np.cumsum(mixed[program.args] * weights, out=totals[1:])
        hashes = own + totals[program.starts[1:]] - totals[program.starts[:-1]]
    order = np.argsort(hashes)
    again = np.diff(hashes[order], prepend=~hashes[order[:1]]) == 0
    suspects = np.zeros(len(hashes), dtype=bool)
    suspects[order] = again | np.append(again[1:], False)
    return suspects


def eliminate_dead_code(program: Program) -> Program:
    """Remove the nodes that no output depends on: dead code elimination."""
    used = find_used(program, program.outputs)
    return merge_nodes(program, {}, used)


def merge_chains(program: Program) -> Program:
    """Replace chains of additions and of maxima by one node with all their operands.

        (a + b) + c              SUM(a, b, c)
        (a·b + c·d) + e          DOT(a, c, b, d, e)
        max(max(a, b), c)        MAX(a, b, c)

    A chain is replaced at its end, and only through nodes that nothing else uses. Maxima are
    replaced only where no gradient flows: at a tie, a chain does not split it equally.
    """
    uses = _count_uses(program)
    left, right = _find_pairs(program)
    is_inner = _find_inside_chains(program, uses)
    maxima, lone = program.find(ops.maximum), uses == 1
    ends = np.flatnonzero((program.find(ops.add) | maxima) & ~is_inner)
    stopped = np.zeros_like(lone)
    stopped[program.args[program.find(ops.stop_gradient)[program.users]]] = True
    kinds = zip(ends.tolist(), maxima[ends].tolist(), (stopped & lone)[ends].tolist())
    inner, is_product = is_inner.tolist(), (program.find(ops.mul) & lone).tolist()
    changed: dict[int, Node] = {}
    for i, is_maximum, stops in kinds:
        terms = _find_terms(i, left, right, inner)
        if is_maximum:
            if len(terms) > 2 and stops:
                changed[i] = Node(MAX, tuple(terms))
            continue
        products = [t for t in terms if is_product[t]]
        others = [t for t in terms if not is_product[t]]
        lefts, rights = [left[t] for t in products], [right[t] for t in products]
        if len(others) <= 1 and _is_dot_product(program, lefts, rights):
            changed[i] = Node(DOT, (*lefts, *rights, *others))
        elif len(terms) > 2:
            changed[i] = Node(SUM, tuple(terms))
    return eliminate_dead_code(change_nodes(program, changed))


def _is_dot_product(program: Program, lefts: list[int], rights: list[int]) -> bool:
    """Return True if the sum of these products is to be a dot product.

    Three or more products always are one. Two are not if one of them is a constant times a computed
    node: this is probably a weighted sum of two costs.
    """
    if len(lefts) != 2:
        return len(lefts) > 2
    kinds = [{program.kinds[program.codes[i]] for i in factors} for factors in zip(lefts, rights)]
    return not any(ops.constant in kind and not kind & {INPUT, PARAM} for kind in kinds)


def _count_uses(program: Program) -> np.ndarray:
    """Count, for each node, how often it is an operand or an output."""
    count = len(program.codes)
    found = np.bincount(program.args, minlength=count)
    return found + np.bincount(program.outputs, minlength=count)


def _find_pairs(program: Program) -> tuple[list[int], list[int]]:
    """Return the left and the right operand of each addition, maximum and product; else -1.

    The left factor of a product is the parameter, so that W·x and x·W are treated alike.
    """
    found = np.full((2, len(program.codes)), -1)
    nodes = np.flatnonzero(program.find(ops.add, ops.maximum, ops.mul))
    first = program.starts[nodes]
    pairs = np.array([program.args[first], program.args[first + 1]])
    is_param = program.find(PARAM)[pairs]
    swapped = program.find(ops.mul)[nodes] & is_param[1] & ~is_param[0]
    found[:, nodes] = np.where(swapped, pairs[::-1], pairs)
    return found[0].tolist(), found[1].tolist()


def _find_inside_chains(program: Program, uses: np.ndarray) -> np.ndarray:
    """Return a mask of the additions and maxima that only the next node of their chain uses."""
    chained, users = program.find(ops.add, ops.maximum), program.users
    same = chained[users] & (program.codes[users] == program.codes[program.args])
    found: np.ndarray = uses == 1
    found[np.bincount(program.args[same], minlength=len(uses)) == 0] = False
    return found


def _find_terms(end: int, left: list[int], right: list[int], inner: list[bool]) -> list[int]:
    """Return the operands of a whole chain, from left to right."""
    found: list[int] = []
    stack, i = [right[end]], left[end]
    while True:
        while inner[i]:
            stack.append(right[i])
            i = left[i]
        found.append(i)
        if not stack:
            return found
        i = stack.pop()


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


def _merge_logsumexp(program: Program, uses: np.ndarray) -> Program:
    """Replace every m + log S by LSE, and every log S + gap(m, z) by ODDS."""
    changed: dict[int, Node] = {}
    logs = program.find(ops.log) & (uses == 1)
    for i in np.flatnonzero(program.find(ops.add) & program.find_users(logs)).tolist():
        nodes = program.nodes
        for a, b in (nodes[i].args, nodes[i].args[::-1]):
            if logs[b] and uses[nodes[b].args[0]] == 1:
                shifted = _match_shifted(program, nodes[b].args[0])
                if not shifted or set(shifted.count_uses(uses)) != {1}:
                    continue
                if shifted.shift == a:
                    changed[i] = Node(LSE, shifted.operands)
                elif nodes[a].op is ops.gap and nodes[a].args[0] == shifted.shift and uses[a] == 1:
                    changed[i] = Node(ODDS, (*shifted.operands, nodes[a].args[1]))
    return change_nodes(program, changed)


def _merge_softmax(program: Program, uses: np.ndarray) -> Program:
    """Replace quotients exp(gap(xᵢ, m))/S by parts of one SOFTMAX, which takes the place of S."""
    quotients: dict[int, list[int]] = {}
    for i in np.flatnonzero(program.find(ops.div)).tolist():
        quotients.setdefault(program.nodes[i].args[1], []).append(i)
    changed: dict[int, Node] = {}
    for divisor, ends in quotients.items():
        shifted = _match_shifted(program, divisor)
        exponentials = shifted.exponentials if shifted else ()
        place = {e: k for k, e in enumerate(exponentials)}
        numerators = {i: program.nodes[i].args[0] for i in ends}
        mine = [i for i in ends if numerators[i] in place]
        others = uses[divisor] - len(mine) - (divisor in place)
        if shifted and mine and len(place) == len(exponentials) and not others:
            changed[divisor] = Node(SOFTMAX, shifted.operands)
            changed.update({i: Node(PART, (divisor,), place[numerators[i]]) for i in mine})
    program = change_nodes(program, changed)
    return replace(program, labels=program.labels * ~program.find(SOFTMAX))  # S's is not its own


class _Shifted(NamedTuple):
    """A sum of exponentials exp(gap(xᵢ, m)): the xᵢ, m, and the intermediate nodes."""

    operands: tuple[int, ...]
    shift: int
    exponentials: tuple[int, ...]
    differences: tuple[int, ...]

    def count_uses(self, uses: np.ndarray) -> list[int]:
        """Return how often each intermediate node is used."""
        return [int(uses[i]) for i in (*self.exponentials, *self.differences)]


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


Pass = Callable[[Program], Program]
PASSES: tuple[Pass, ...] = (
    fold_constants,
    eliminate_common_subexpressions,
    merge_chains,
    recognise_softmax,
)
