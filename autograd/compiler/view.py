"""Turn indices into a view of an array: a slice, reshaped, instead of a copy by `take`.

`forward` reads operands through views, and `backward` assigns gradients to them. Indices allow a
view if they are regular, which means that they change by a fixed step along each axis. Here the
steps are 4 and 1, in an array v of 12 elements:

    indices:  0  1  2       view:  v.reshape(3, 4, rows)[:, :3]
              4  5  6
              8  9 10

A step of 0 means that one element is repeated along an axis. The view then has size 1 there, and
NumPy broadcasts it.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

DEPTH = 3  # the largest number of nested runs that `_find_run_lengths` looks for


def find_regular_shape(operands: list[np.ndarray], inner: int = 1) -> tuple[int, ...]:
    """Return a shape in which the indices of as many operands as possible are regular.

    Args:
        operands: the indices of each operand, flat, all of one length.
        inner: a number that must be the product of the last axes.

    >>> find_regular_shape([np.arange(6), np.array([0, 0, 0, 1, 1, 1])])
    (2, 3)
    """
    length = len(operands[0])
    sizes = {1, inner, length}
    for indices in operands:
        more = sizes | _find_run_lengths(indices)
        ordered = sorted(more)
        if all(b % a == 0 for a, b in itertools.pairwise(ordered)):
            sizes = more
    ordered = sorted(sizes)
    return tuple(b // a for a, b in itertools.pairwise(ordered))[::-1] or (1,)


def _find_run_lengths(indices: np.ndarray) -> set[int]:
    """Return the length of the runs with a fixed step, of the runs of runs, and so on.

    The set is empty if there is one run, or if the indices are irregular.
    """
    sizes: set[int] = set()
    size = 1
    while len(indices) > 1:
        steps = np.diff(indices)
        breaks = np.flatnonzero(steps != steps[0])
        if not len(breaks):
            return sizes
        run = int(breaks[0]) + 1
        if len(indices) % run or len(sizes) == DEPTH:
            return set()
        rows = indices.reshape(-1, run)
        if (np.diff(rows, axis=1) != steps[0]).any():
            return set()
        size *= run
        sizes.add(size)
        indices = rows[:, 0]
    return sizes


def find_strides(indices: np.ndarray) -> tuple[int, ...] | None:
    """Return the step of the indices along each axis; None if they are irregular.

    Indices that decrease along an axis count as irregular if they change along another axis too.

    >>> find_strides(np.array([[0, 1], [4, 5]])), find_strides(np.array([0, 1, 3]))
    ((4, 1), None)
    >>> find_strides(np.array([3, 2, 1])), find_strides(np.array([[1, 0], [5, 4]]))
    ((-1,), None)
    """
    found = []
    regular = indices.flat[0]
    for axis, size in enumerate(indices.shape):
        corner = [0] * indices.ndim
        corner[axis] = min(1, size - 1)
        step = int(indices[tuple(corner)] - indices.flat[0])
        found.append(step)
        shape = [1] * indices.ndim
        shape[axis] = size
        regular = regular + step * np.arange(size).reshape(shape)
    reverses = min(found) < 0 and np.count_nonzero(found) > 1
    return tuple(found) if np.array_equal(regular, indices) and not reverses else None


class View(NamedTuple):
    """The source text of a view.

    Attributes:
        core: a view that has each element once, and can be assigned to.
        suffix: an index that gives it the axes that were asked for.
        dims: the sizes of the axes; 1 where one element is repeated.
    """

    core: str
    suffix: str
    dims: tuple[int, ...]


def find_view(name: str, length: int, indices: np.ndarray, width: str) -> View | None:
    """Return a view of the elements at these indices; None if the indices are irregular.

    Args:
        name: the name of the array.
        length: the number of its elements.
        indices: the indices, in the shape that the view is to have.
        width: the size of the array's last axis, that of the rows; "" to drop this axis.

    >>> find_view("v", 12, np.array([[0, 1, 2], [4, 5, 6], [8, 9, 10]]), "rows").core
    'v.reshape(3, 4, rows)[:, :3]'
    """
    steps = find_strides(indices)
    if steps is None:
        return None
    start = int(indices.flat[0])
    axes = [axis for axis, size in enumerate(indices.shape) if size > 1 and steps[axis]]
    dims = tuple(size if axis in axes else 1 for axis, size in enumerate(indices.shape))
    outermost_first = sorted(axes, key=lambda axis: -steps[axis])
    runs = [(steps[axis], indices.shape[axis]) for axis in outermost_first]
    core = _write_core(name, length, start, runs, width)
    if core is None:
        return None
    order = [outermost_first.index(axis) for axis in axes] + [len(axes)] * bool(width)
    core += _write_transposition(order)
    if not axes and not width:
        core += ".reshape(" + "1, " * (indices.ndim - 1) + "1)"
        return View(core, "", dims)
    kept = axes or [indices.ndim - 1]  # the slice of one element has an axis too
    index = [":" if axis in kept else "None" for axis in range(indices.ndim)]
    if width and index[-1] == "None":
        index.append(":")
    text = f"[{', '.join(index)}]" if "None" in index else ""
    return View(core, text, dims)


def _write_transposition(order: list[int]) -> str:
    """Return the call that puts axes in this order; "" if they are."""
    displaced = [axis for axis, source in enumerate(order) if axis != source]
    if len(displaced) == 2:
        return f".swapaxes({displaced[0]}, {displaced[1]})"
    return f".transpose({', '.join(map(str, order))})" if displaced else ""


def _write_core(
    name: str, length: int, start: int, axes: list[tuple[int, int]], width: str
) -> str | None:
    """Return a slice reshaped to these axes, each a (step, size), outermost first; or None.

    The slice has a row for each element of the outermost axis. Each further axis splits a row, or a
    block of it, into blocks of `step` elements, and keeps `size` of them. Of a last block of
    several elements, one is kept.
    """
    width = f", {width}" if width else ""
    if not axes:
        return _write_slice(name, length, start, start + 1)
    if len(axes) == 1:
        step, size = axes[0]
        stop = start + (size - 1) * step + (1 if step > 0 else -1)
        text = _write_slice(name, length, start, stop, step)
        return text if width else f"{text}.reshape({size})"
    (row_length, rows), inner = axes[0], axes[1:]
    if inner[-1][0] > 1:
        inner = [*inner, (1, 1)]
    lengths = [row_length, *(step for step, _ in inner)]
    if any(outer % step for outer, step in itertools.pairwise(lengths)):
        return None
    sizes = [rows, *(outer // step for outer, step in itertools.pairwise(lengths))]
    # The slice must have full rows. If it would end behind the array, it starts earlier, and the
    # first elements of each row are skipped.
    least = max(0, start + rows * row_length - length)
    for skipped in (least, start % row_length):
        kept = _keep_blocks(skipped, inner, sizes[1:])
        if kept is not None and least <= skipped <= start:
            start -= skipped
            text = _write_slice(name, length, start, start + rows * row_length)
            text += f".reshape({', '.join(map(str, sizes))}{width})"
            return text + (f"[:, {', '.join(kept)}]" if kept else "")
    return None


def _keep_blocks(skipped: int, axes: list[tuple[int, int]], sizes: list[int]) -> list[str] | None:
    """Return the index along each axis of the blocks that are kept; None if a row has too few.

    Args:
        skipped: how many elements to skip at the beginning of each row.
        axes: the length of the blocks along each axis, and how many of them are kept.
        sizes: how many blocks there are along each axis.
    """
    found = []
    for (step, count), size in zip(axes, sizes):
        first, skipped = divmod(skipped, step)
        if first + count > size:
            return None
        stop = first + count if first + count < size else ""
        found.append(f"{first or ''}:{stop}" if count > 1 else str(first))
    while found and found[-1] == ":":
        found.pop()
    return found


def _write_slice(name: str, length: int, start: int, stop: int, step: int = 1) -> str:
    if step == 1 and start == 0 and stop == length:
        return name
    if step < 0:
        first, end = "" if start == length - 1 else start, "" if stop < 0 else stop
        return f"{name}[{first}:{end}:{step}]"
    return f"{name}[{start}:{stop}]" if step == 1 else f"{name}[{start}:{stop}:{step}]"
