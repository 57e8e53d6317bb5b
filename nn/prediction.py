"""The outputs of a module as numbers: for many rows by compiled code, else by the engine."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import Value, compile

from .data import features
from .modes import evaluating
from .probes import Probes, find_differences
from .tables import as_table, differ, groups, stacked

if TYPE_CHECKING:
    from .module import Module

MANY = 50  # `predict` compiles from this number of rows on
PROBED = 12  # rows on which `predict` compares compiled code with the engine


def predict(model: Module, X: Any) -> np.ndarray:
    """Compute the outputs for each row of X; see `Module.predict`."""
    rows = features(X)
    if not differ(rows):
        return _outputs(model, rows)
    found: list[Any] = [None] * len(rows)
    for group in groups(range(len(rows)), rows):
        for i, outputs in zip(group, _outputs(model, stacked(rows, group))):
            found[i] = outputs
    return as_table(found)


def _outputs(model: Module, rows: np.ndarray) -> np.ndarray:
    """Compute the outputs for rows of one shape."""
    if len(rows) >= MANY and (found := _compiled_outputs(model, rows)) is not None:
        return found
    with evaluating(model):
        return np.array([numbers_in(model(row)) for row in rows.tolist()])


def _compiled_outputs(model: Module, rows: np.ndarray) -> np.ndarray | None:
    """Compute the outputs with compiled code; return None if this fails.

    It fails if the model cannot be compiled, or if the outputs differ from the engine's on some
    rows that `Probes` chooses.
    """
    compiled = vars(model).get("_compiled_outputs")
    if compiled is None or compiled.model is not model:  # `copy.copy` copies the reference
        compiled = vars(model)["_compiled_outputs"] = _CompiledOutputs(model)
    try:
        with evaluating(model):
            found = compiled.run(rows)
            chosen = Probes(rows).next(PROBED)
            wanted = [numbers_in(model(row)) for row in rows[chosen].tolist()]
    except (ArithmeticError, TypeError, ValueError):
        return None
    outputs = np.array(found if np.ndim(wanted) > 1 else found[:, 0])
    for row, right in zip(chosen, wanted):
        if len(find_differences(outputs[row], right, rows[row])):
            warnings.warn(
                f"predict runs on the engine: for X[{row}] the compiled code gives "
                f"{outputs[row]} and the engine {np.array(right)}. Does the model branch on a "
                f"number, or change from one call to the next?",
                RuntimeWarning,
                stacklevel=4,
            )
            return None
    return outputs


class _CompiledOutputs:
    """Compiled code for the outputs of a model.

    The model stores it, so that it is compiled again only if it has changed.
    """

    def __init__(self, model: Module) -> None:
        def listed(x: Any) -> Any:
            outputs = model(x)
            return [outputs] if isinstance(outputs, Value) else outputs

        self.model, self.run = model, compile(listed)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(None), ()  # a deep copy of the model, or a pickled one, stores None


def numbers_in(outputs: Any) -> Any:
    """Return the numbers in a module's outputs: a float for a Value, a list for a list.

    >>> numbers_in([Value(1.0), Value(2.0)])
    [1.0, 2.0]
    """
    if isinstance(outputs, Value):
        return outputs.data
    return [numbers_in(v) for v in outputs] if hasattr(outputs, "__len__") else outputs
