"""Tables whose rows may differ in shape, as sequences of different lengths do.

A table is an array with a row for each example. If rows differ in shape, it is an array of arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np


def as_table(rows: Sequence[Any]) -> np.ndarray:
    """Return rows of numbers as an array; as an array of arrays, if they differ in shape.

    >>> as_table([[1.0, 2.0], [3.0, 4.0]]).shape, as_table([[1.0, 2.0], [3.0]]).shape
    ((2, 2), (2,))
    """
    try:
        return np.array(rows, dtype=float)
    except ValueError:  # rows differ in shape
        found = np.empty(len(rows), dtype=object)
        for i, row in enumerate(rows):
            found[i] = np.asarray(row, dtype=float)
        return found


def differ(table: np.ndarray) -> bool:
    """Return True if the rows of a table may differ in shape."""
    return table.dtype == object


def stacked(table: np.ndarray, rows: Any) -> np.ndarray:
    """Return some rows of one shape as an array of numbers; `rows` are a slice or indices."""
    if differ(table):
        return np.stack(table[rows].tolist())
    return table[rows] if isinstance(rows, slice) else table.take(rows, axis=0)


def groups(places: Iterable[int], *tables: np.ndarray) -> list[list[int]]:
    """Return the places of rows in groups: in each, the rows of every table have one shape.

    >>> groups(range(3), as_table([[1.0, 2.0], [3.0], [4.0, 5.0]]))
    [[0, 2], [1]]
    """
    varied = [table for table in tables if differ(table)]
    if not varied:
        return [list(places)]
    found: dict[Any, list[int]] = {}
    for i in places:
        found.setdefault(tuple([table[i].shape for table in varied]), []).append(i)
    return list(found.values())


def rows_of(tables: Sequence[Any]) -> Any:
    """Return the rows of several tables in one: an array if they are arrays, else a list.

    >>> rows_of([np.array([[1.0]]), np.array([[2.0]])]).tolist(), rows_of([[1], [2, 3]])
    ([[1.0], [2.0]], [1, 2, 3])
    """
    shapes = {table.shape[1:] if isinstance(table, np.ndarray) else None for table in tables}
    if len(shapes) == 1 and None not in shapes:
        return np.concatenate(tables)
    return [row for table in tables for row in table]


def content_of(table: np.ndarray) -> Any:
    """Return what is in a table as arrays of numbers: itself, or all numbers and all shapes."""
    if not differ(table):
        return table
    shapes = np.array([[*row.shape] for row in table])
    return [np.concatenate([row.ravel() for row in table]), shapes]


def checked_sequences(data: Sequence[Any], what: str) -> np.ndarray | None:
    """Return sequences of different lengths as a table; None if `data` is something else.

    A sequence is a list of tokens, which are whole numbers, or of vectors of one width.

    Raises:
        ValueError: a sequence is empty, has vectors of different widths, or other vectors than the
            first sequence.
    """
    found = []
    for i, row in enumerate(data):
        if hasattr(row, "__len__") and len(row) == 0:
            raise ValueError(
                f"{what}[{i}] is an empty sequence: give it a position, or leave it out"
            )
        try:
            array = np.asarray(row)
        except ValueError:
            raise ValueError(
                f"{what}[{i}] has vectors of different lengths: a sequence has the shape "
                f"(positions, width)"
            ) from None
        if array.dtype.kind not in "fiub" or array.ndim == 0:
            return None
        if array.ndim == 1 and array.dtype.kind not in "iu":
            return None
        found.append(array.astype(float))
    for i, array in enumerate(found):
        if array.shape[1:] != found[0].shape[1:]:
            raise ValueError(
                f"{what}[{i}] has positions of shape {array.shape[1:]}, and {what}[0] of shape "
                f"{found[0].shape[1:]}: the vectors of all sequences have one width"
            )
    return as_table(found)
