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

DEPTH = 3  # the largest number of nested runs that `_sizes` looks for


def grid(operands: list[np.ndarray], inner: int = 1) -> tuple[int, ...]:
    """Return a shape in which the indices of as many operands as possible are regular.

    Args:
        operands: the indices of each operand, flat, all of one length.
        inner: a number that must be the product of the last axes.

    >>> grid([np.arange(6), np.array([0, 0, 0, 1, 1, 1])])
    (2, 3)
    """
    length = len(operands[0])
    sizes = {1, inner, length}
    for places in operands:
        more = sizes | _sizes(places)
        ordered = sorted(more)
        if all(b % a == 0 for a, b in itertools.pairwise(ordered)):
            sizes = more
    ordered = sorted(sizes)
    return tuple(b // a for a, b in itertools.pairwise(ordered))[::-1] or (1,)


def _sizes(places: np.ndarray) -> set[int]:
    """Return the length of the runs with a fixed step, of the runs of runs, and so on.

    The set is empty if there is one run, or if the indices are irregular.
    """
    sizes: set[int] = set()
    size = 1
    while len(places) > 1:
        steps = np.diff(places)
        breaks = np.flatnonzero(steps != steps[0])
        if not len(breaks):
            return sizes
        run = int(breaks[0]) + 1
        if len(places) % run or len(sizes) == DEPTH:
            return set()
        rows = places.reshape(-1, run)
        if (np.diff(rows, axis=1) != steps[0]).any():
            return set()
        size *= run
        sizes.add(size)
        places = rows[:, 0]
    return sizes


def strides(places: np.ndarray) -> tuple[int, ...] | None:
    """Return the step of the indices along each axis; None if they are irregular or decrease.

    >>> strides(np.array([[0, 1], [4, 5]])), strides(np.array([0, 1, 3]))
    ((4, 1), None)
    """
    found = []
    regular = places.flat[0]
    for axis, size in enumerate(places.shape):
        corner = [0] * places.ndim
        corner[axis] = min(1, size - 1)
        step = int(places[tuple(corner)] - places.flat[0])
        if step < 0:
            return None
        found.append(step)
        shape = [1] * places.ndim
        shape[axis] = size
        regular = regular + step * np.arange(size).reshape(shape)
    return tuple(found) if np.array_equal(regular, places) else None


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


def view(name: str, length: int, places: np.ndarray, tail: str) -> View | None:
    """Return a view of the elements at these indices; None if the indices are irregular.

    Args:
        name: the name of the array.
        length: the number of its elements.
        places: the indices, in the shape that the view is to have.
        tail: the size of the array's last axis, that of the rows; "" to drop this axis.

    >>> view("v", 12, np.array([[0, 1, 2], [4, 5, 6], [8, 9, 10]]), "rows").core
    'v.reshape(3, 4, rows)[:, :3]'
    """
    steps = strides(places)
    if steps is None:
        return None
    start = int(places.flat[0])
    axes = [axis for axis, size in enumerate(places.shape) if size > 1 and steps[axis]]
    dims = tuple(size if axis in axes else 1 for axis, size in enumerate(places.shape))
    inward = sorted(axes, key=lambda axis: -steps[axis])
    sizes = [places.shape[axis] for axis in inward]
    core = _core(name, length, start, [(steps[axis], places.shape[axis]) for axis in inward], tail)
    if core is None:
        return None
    if inward != axes:
        order = [inward.index(axis) for axis in axes] + ([len(axes)] if tail else [])
        swapped = [i for i, place in enumerate(order) if i != place]
        core += (
            f".swapaxes({swapped[0]}, {swapped[1]})"
            if len(swapped) == 2
            else (f".transpose({', '.join(map(str, order))})")
        )
    if not sizes and not tail:
        core += ".reshape(" + "1, " * (places.ndim - 1) + "1)"
        return View(core, "", dims)
    kept = axes or [places.ndim - 1]  # the slice of one element has an axis too
    index = [":" if axis in kept else "None" for axis in range(places.ndim)]
    if tail and index[-1] == "None":
        index.append(":")
    text = f"[{', '.join(index)}]" if "None" in index else ""
    return View(core, text, dims)


def _core(name: str, length: int, start: int, axes: list[tuple[int, int]], tail: str) -> str | None:
    """Return a slice reshaped to these axes, each a (step, size), outermost first; or None."""
    tail = f", {tail}" if tail else ""
    if not axes:
        return _slice(name, length, start, start + 1)
    if len(axes) == 1:
        step, size = axes[0]
        text = _slice(name, length, start, start + (size - 1) * step + 1, step)
        return text if tail else f"{text}.reshape({size})"
    (outer, rows), inner = axes[0], axes[1:]
    sizes, indices, block, last = [rows], [":"], outer, 0
    offset = 0
    # The slice must have full rows. If it would end behind the array, it starts earlier, and the
    # first elements of each row are skipped.
    if start + rows * outer > length:
        offset = start + rows * outer - length
        start -= offset
    for step, size in inner:
        if block % step or block // step < size or start < 0:
            return None
        sizes.append(block // step)
        block = step
        indices.append(":" if size == sizes[-1] else f":{size}")
        last = size
    if block > 1:
        sizes.append(block)
        indices.append("0")
    if offset:
        if len(inner) > 1 or block > 1 or offset + last > sizes[1]:
            return None
        indices[1] = f"{offset}:{offset + last}" if offset + last < sizes[1] else f"{offset}:"
    while indices and indices[-1] == ":":
        indices.pop()
    text = _slice(name, length, start, start + rows * outer)
    text += f".reshape({', '.join(map(str, sizes))}{tail})"
    return text + (f"[{', '.join(indices)}]" if indices else "")


def _slice(name: str, length: int, start: int, stop: int, step: int = 1) -> str:
    if step == 1 and start == 0 and stop == length:
        return name
    return f"{name}[{start}:{stop}]" if step == 1 else f"{name}[{start}:{stop}:{step}]"
