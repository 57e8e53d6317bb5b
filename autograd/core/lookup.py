"""`take`: look up the row of a table that a whole number chooses, such as a token's embedding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import ops
from .boundary import is_real, quoted, refuse_masked, several
from .value import Value, constant, failure, make_node


def take(values: Any, index: Any) -> Any:
    """Return `values[index]`, for an index that may be a Value, with the choice in the graph.

    Each number of the result is a node whose operands are the index and all entries of a column.
    The gradient goes to the entry at the index. After a change of the index, `recompute` chooses
    another entry, and compiled code chooses anew for each row.

    Args:
        values: a list of Values and numbers; or a table, which is a list of rows of equal shape.
        index: a whole number from 0, an int or a Value; or a list of them.

    Returns:
        The Value at the index; of a table the row, a list; for several indices a list of these.

    Raises:
        TypeError: `values` is not a list of numbers or of rows, or the index is not a number.
        ValueError: `values` is empty or its rows differ in shape, or the index is negative, not
            whole or out of range.

    >>> table = [[Value(0.1), Value(0.2)], [Value(0.3), Value(0.4)], [Value(0.5), Value(0.6)]]
    >>> token = Value(2, label="token")
    >>> row = take(table, token)
    >>> (row[0] * row[1]).backward()
    >>> row[0].data, table[2][0].grad, table[1][0].grad
    (0.5, 0.6, 0.0)
    >>> token.data = 1
    >>> row[0].recompute().data
    0.3
    """
    if isinstance(index, np.ndarray):
        refuse_masked(index, "the indices of take")
        index = index.tolist()
    if isinstance(index, (list, tuple)):
        return [take(values, one) for one in index]
    return _take(_checked_entries(values), _checked_index(index))


def _checked_index(index: Any) -> Value:
    """Return an index as a Value; refuse all but a number."""
    if isinstance(index, Value):
        return index
    if isinstance(index, (bool, np.bool_)) or not is_real(index):
        raise TypeError(f"take: a token is a whole number, an int or a Value, got {quoted(index)}")
    return constant(index, "take")


def _checked_entries(values: Any) -> list[Any]:
    """Return a table as a list of numbers, or as a list of rows of equal shape."""
    refuse_masked(values, "the table of take")
    entries = values.tolist() if isinstance(values, np.ndarray) else values
    entries = several(entries, "take looks up in a list of Values, or in a list of rows")
    if not entries:
        raise ValueError("take: the table has no rows")
    return entries


def _take(entries: Sequence[Any], index: Value) -> Any:
    """Return the entry at an index, and of a table the row, column by column."""
    lengths = [_length(entry) for entry in entries]
    if any(length != lengths[0] for length in lengths):
        k = next(k for k, length in enumerate(lengths) if length != lengths[0])
        raise ValueError(
            f"take: the rows of the table differ: row 0 has {_counted(lengths[0])}, and row {k} "
            f"has {_counted(lengths[k])}"
        )
    if lengths[0] is not None:
        return [_take(column, index) for column in zip(*entries)]
    operands = (index, *[v if isinstance(v, Value) else constant(v, "take") for v in entries])
    try:
        chosen = operands[1 + ops.place(index._number, len(entries))]
    except (TypeError, ValueError) as error:
        raise failure(ops.take, error, operands) from None
    return make_node(ops.take, chosen._number, operands, None)


def _length(entry: Any) -> int | None:
    """Return the length of a row; None for a single number."""
    return len(entry) if isinstance(entry, (list, tuple, np.ndarray)) else None


def _counted(length: int | None) -> str:
    return "no length" if length is None else f"length {length}"
