"""Rewrite programs: the passes that a program goes through before it becomes array statements.

    fold_constants                      evaluate what depends on constants alone
    eliminate_common_subexpressions     compute equal nodes once
    delay_relus                         maxima of relus to the relu of a maximum
    merge_chains                        chains of additions to sums and dot products, chains of
                                        maxima to one maximum
    recognise_softmax                   the nodes of a log-sum-exp or a softmax to one node

The last three end with `eliminate_dead_code`. Every pass takes a program and returns one that
computes the same and keeps the invariants that `check_program` states; `stages` runs `PASSES` in
order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..core import ops
from ..core.columns import list_terms, number_values
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
    replace_nodes,
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
    targets = np.arange(len(program.codes))
    targets[list(into)] = list(into.values())
    folded = merge_nodes(change_nodes(program, changed), targets)
    return replace(folded, constants=constants)


def eliminate_common_subexpressions(program: Program) -> Program:
    """Merge equal nodes: common subexpression elimination. Equal constants are merged too."""
    offsets = program.offsets.copy()
    is_constant = program.find(ops.constant)
    _, offsets[is_constant] = np.unique(
        number_keys(program.constants)[offsets[is_constant]], return_inverse=True
    )
    numbers = np.empty_like(program.codes)
    number_values(program.codes, offsets, program.starts, program.args, numbers)
    return merge_nodes(program, numbers)


def eliminate_dead_code(program: Program) -> Program:
    """Remove the nodes that no output depends on: dead code elimination."""
    used = find_used(program, program.outputs)
    return merge_nodes(program, np.arange(len(used), dtype=np.int32), used)


def delay_relus(program: Program) -> Program:
    """Replace maxima of relus by the relu of a maximum, as after a convolution.

        max(max(relu(a), relu(b)), relu(c))        relu(max(max(a, b), c))

    The gradient is the same too: if a, b and c are at most 0, both forms stop it, and else both
    pass it to the same operands. A chain is replaced only if nothing else uses its relus.
    """
    is_relu, is_maximum = program.find(ops.relu), program.find(ops.maximum)
    if not (program.find_users(is_relu) & is_maximum).any():
        return program
    uses = _count_uses(program)
    ends, counts, terms = _list_chains(program, uses)
    chain = np.repeat(np.arange(len(ends)), counts)
    relus = np.bincount(chain, (is_relu & (uses == 1))[terms], minlength=len(ends))
    inside = terms[(is_maximum[ends] & (relus == counts))[chain]]
    below = dict(zip(inside.tolist(), program.args[program.starts[inside]].tolist()))
    changed: dict[int, Node] = {}
    labels = program.labels.copy()
    maxima = np.flatnonzero(is_maximum)
    firsts = program.args[program.starts[maxima]].tolist()
    seconds = program.args[program.starts[maxima] + 1].tolist()
    for i, a, b in zip(maxima.tolist(), firsts, seconds):
        if a in below and b in below:
            largest = max(a, b)  # a free place after all operands
            changed[largest] = Node(ops.maximum, (below[a], below[b]))
            changed[i] = Node(ops.relu, (largest,))
            labels[largest] = 0  # the function itself does not compute this number
            if uses[i] == 1:
                below[i] = largest
    return eliminate_dead_code(change_nodes(replace(program, labels=labels), changed))


def merge_chains(program: Program) -> Program:
    """Replace chains of additions and of maxima by one node with all their operands.

        (a + b) + c              SUM(a, b, c)
        (a·b + c·d) + e          DOT(a, c, b, d, e)
        max(max(a, b), c)        MAX(a, b, c)

    A chain is replaced at its end, and only through nodes that nothing else uses. Maxima are
    replaced only where no gradient flows: at a tie, a chain does not split it equally.
    """
    uses = _count_uses(program)
    ends, counts, terms = _list_chains(program, uses)
    is_maximum = program.find(ops.maximum)[ends]
    is_product = (program.find(ops.mul) & (uses == 1))[terms] & ~np.repeat(is_maximum, counts)
    is_dot = _find_dot_products(program, counts, terms, is_product)
    is_product &= np.repeat(is_dot, counts)
    changed = is_dot | (counts > 2) & (~is_maximum | _find_stopped(program, uses)[ends])
    inside = np.repeat(changed, counts)
    sizes, operands = _list_factors(program, counts[changed], terms[inside], is_product[inside])
    kinds = (is_maximum + 2 * is_dot)[changed].tolist()
    named = [(SUM, MAX, DOT)[kind] for kind in kinds]
    return eliminate_dead_code(replace_nodes(program, ends[changed], named, sizes, operands))


def _list_chains(program: Program, uses: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the ends of all chains, how many operands each chain has, and all these operands.

    A node is inside of a chain if only the next node uses it, which has the same operation.
    """
    chained, users = program.find(ops.add, ops.maximum), program.users
    same = chained[users] & (program.codes[users] == program.codes[program.args])
    inner = uses == 1
    inner[np.bincount(program.args[same], minlength=len(uses)) == 0] = False
    ends = np.flatnonzero(chained & ~inner).astype(np.int32)
    counts, terms = np.zeros_like(ends), np.zeros_like(program.args)
    list_terms(program.starts, program.args, inner, ends, counts, terms)
    return ends, counts, terms[: counts.sum()]


def _find_dot_products(
    program: Program, counts: np.ndarray, terms: np.ndarray, is_product: np.ndarray
) -> np.ndarray:
    """Return a mask of the sums that are dot products, with at most one other summand.

    Three or more products always are one. Two are not if one of them is a constant times a computed
    node: this is probably a weighted sum of two costs.
    """
    chain = np.repeat(np.arange(len(counts)), counts)[is_product]
    factors = _find_factors(program, terms[is_product])
    is_leaf, is_constant = program.find(INPUT, PARAM), program.find(ops.constant)
    is_weighted = is_constant[factors].any(axis=0) & ~is_leaf[factors].any(axis=0)
    products, weighted = (
        np.bincount(which, minlength=len(counts)) for which in (chain, chain[is_weighted])
    )
    found: np.ndarray = (products > 2) | ((products == 2) & (weighted == 0))
    return found & (counts - products <= 1)


def _list_factors(
    program: Program, counts: np.ndarray, terms: np.ndarray, is_product: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return how many operands each chain has, and all operands: left factors, right ones, rest.

    Args:
        program: the program.
        counts: the number of terms of each chain.
        terms: the terms of all chains, one chain after the other.
        is_product: a mask of the products in dot products.
    """
    chain = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    lefts, rights = _find_factors(program, terms[is_product])
    operands = np.concatenate([lefts, rights, terms[~is_product]])
    owners = np.concatenate([chain[is_product], chain[is_product], chain[~is_product]])
    sizes = np.bincount(owners, minlength=len(counts))
    return sizes, operands[np.argsort(owners, kind="stable")]


def _find_factors(program: Program, products: np.ndarray) -> np.ndarray:
    """Return the left and the right factors of products, shape (2, n).

    The left factor is the parameter, so that W·x and x·W are treated alike.
    """
    first = program.starts[products]
    factors = np.array([program.args[first], program.args[first + 1]])
    is_param = program.find(PARAM)[factors]
    return np.where(is_param[1] & ~is_param[0], factors[::-1], factors)


def _find_stopped(program: Program, uses: np.ndarray) -> np.ndarray:
    """Return a mask of the nodes that only a `stop_gradient` uses."""
    stopped = program.args[program.find(ops.stop_gradient)[program.users]]
    found = np.zeros(len(uses), dtype=bool)
    found[stopped] = uses[stopped] == 1
    return found


def _count_uses(program: Program) -> np.ndarray:
    """Count, for each node, how often it is an operand or an output."""
    count = len(program.codes)
    found = np.bincount(program.args, minlength=count)
    return found + np.bincount(program.outputs, minlength=count)


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
        left, right = program.list_operands(i)
        for a, b in ((left, right), (right, left)):
            total = program.list_operands(b)[0] if logs[b] else -1
            shifted = _match_shifted(program, total) if total >= 0 and uses[total] == 1 else None
            if not shifted or not shifted.is_used_once(uses):
                continue
            if shifted.shift == a:
                changed[i] = Node(LSE, shifted.operands)
            elif program.kinds[program.codes[a]] is ops.gap and uses[a] == 1:
                largest, other = program.list_operands(a)
                if largest == shifted.shift:
                    changed[i] = Node(ODDS, (*shifted.operands, other))
    return change_nodes(program, changed)


def _merge_softmax(program: Program, uses: np.ndarray) -> Program:
    """Replace quotients exp(gap(xᵢ, m))/S by parts of one SOFTMAX, which takes the place of S."""
    ends = np.flatnonzero(program.find(ops.div))
    divisors = program.args[program.starts[ends] + 1]
    is_sum = program.find(SUM, ops.add, ops.exp)[divisors]
    quotients: dict[int, list[int]] = {}
    for i, divisor in zip(ends[is_sum].tolist(), divisors[is_sum].tolist()):
        quotients.setdefault(divisor, []).append(i)
    changed: dict[int, Node] = {}
    for divisor, quotient in quotients.items():
        shifted = _match_shifted(program, divisor)
        exponentials = shifted.exponentials.tolist() if shifted else []
        place = {e: k for k, e in enumerate(exponentials)}
        numerators = {i: int(program.args[program.starts[i]]) for i in quotient}
        mine = [i for i in quotient if numerators[i] in place]
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
    exponentials: np.ndarray
    differences: np.ndarray

    def is_used_once(self, uses: np.ndarray) -> bool:
        """Return True if each intermediate node is used once."""
        return bool((uses[self.exponentials] == 1).all() and (uses[self.differences] == 1).all())


def _match_shifted(program: Program, i: int) -> _Shifted | None:
    """Match the sum S of `recognise_softmax` at node `i`; return None if it is no such sum."""
    code_of = {op: code for code, op in enumerate(program.kinds)}
    codes, starts, args = program.codes, program.starts, program.args
    op = program.kinds[codes[i]]
    if op not in (SUM, ops.add, ops.exp):
        return None
    # a sum of one has no node
    exponentials = np.array([i]) if op is ops.exp else args[starts[i] : starts[i + 1]]
    if (codes[exponentials] != code_of.get(ops.exp)).any():
        return None
    differences = args[starts[exponentials]]
    if (codes[differences] != code_of.get(ops.gap)).any():
        return None
    operands = tuple(args[starts[differences]].tolist())
    shift, *others = set(args[starts[differences] + 1].tolist())
    if others or program.kinds[codes[shift]] is not ops.stop_gradient:
        return None
    largest = program.list_operands(shift)[0]
    is_compared = program.kinds[codes[largest]] in (MAX, ops.maximum)
    compared = program.list_operands(largest) if is_compared else [largest]
    if set(compared) != set(operands) and operands != (largest,):
        return None
    return _Shifted(operands, shift, exponentials, differences)


Pass = Callable[[Program], Program]
PASSES: tuple[Pass, ...] = (
    fold_constants,
    eliminate_common_subexpressions,
    delay_relus,
    merge_chains,
    recognise_softmax,
)
