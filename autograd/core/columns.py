"""Loops over a graph that is stored as columns of numbers, for the compiler.

Node i has the operands `args[starts[i]:starts[i + 1]]`, and stands after them. Columns are NumPy
arrays: masks of bool, and else integers of 4 bytes. Each function fills its last columns. What is
done here goes from node to node, so that operations on whole arrays cannot do it.
"""

from __future__ import annotations

import numpy as np

from .twin import twinned


@twinned
def mark_operands(starts: np.ndarray, args: np.ndarray, marked: np.ndarray) -> None:
    """Mark also all nodes that a marked node depends on."""
    bounds, operands, found = starts.tolist(), args.tolist(), marked.tolist()
    for i in range(len(found) - 1, -1, -1):
        if found[i]:
            for arg in operands[bounds[i] : bounds[i + 1]]:
                found[arg] = True
    marked[:] = found


@twinned
def mark_users(starts: np.ndarray, args: np.ndarray, marked: np.ndarray) -> None:
    """Mark also all nodes that depend on a marked node."""
    bounds, operands, found = starts.tolist(), args.tolist(), marked.tolist()
    for i in range(len(found)):
        if not found[i]:
            found[i] = any(found[arg] for arg in operands[bounds[i] : bounds[i + 1]])
    marked[:] = found


@twinned
def add_depths(starts: np.ndarray, args: np.ndarray, depths: np.ndarray) -> None:
    """Add to the depth of each node the largest of its operands."""
    bounds, operands, found = starts.tolist(), args.tolist(), depths.tolist()
    for i in range(len(found)):
        below = [found[arg] for arg in operands[bounds[i] : bounds[i + 1]]]
        found[i] += max(below, default=0)
    depths[:] = found


@twinned
def list_terms(
    starts: np.ndarray,
    args: np.ndarray,
    inner: np.ndarray,
    ends: np.ndarray,
    counts: np.ndarray,
    terms: np.ndarray,
) -> None:
    """List the operands of whole chains of operations with two operands, from left to right.

    Args:
        starts, args: the operands.
        inner: a mask of the nodes inside of chains.
        ends: the last node of each chain.
        counts: the number of operands of each chain.
        terms: the operands of all chains, one chain after the other.
    """
    first, operands, inside = starts.tolist(), args.tolist(), inner.tolist()
    found: list[int] = []
    for k, end in enumerate(ends.tolist()):
        before = len(found)
        stack = [end]
        while stack:
            i = stack.pop()
            if i == end or inside[i]:
                stack += [operands[first[i] + 1], operands[first[i]]]
            else:
                found.append(i)
        counts[k] = len(found) - before
    terms[: len(found)] = found


@twinned
def number_values(
    codes: np.ndarray,
    offsets: np.ndarray,
    starts: np.ndarray,
    args: np.ndarray,
    numbers: np.ndarray,
) -> None:
    """Give each node the number of the first node that computes the same: value numbering.

    Two nodes do if their codes and offsets are equal, and their operands have the same numbers.
    """
    bounds, operands = starts.tolist(), args.tolist()
    found: list[int] = []
    known: dict[tuple[int, ...], int] = {}
    for i, (code, offset) in enumerate(zip(codes.tolist(), offsets.tolist())):
        inside = [found[arg] for arg in operands[bounds[i] : bounds[i + 1]]]
        found.append(known.setdefault((code, offset, *inside), i))
    numbers[:] = found
