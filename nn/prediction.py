"""The outputs of a module as numbers: for many rows by compiled code, else by the engine."""

from __future__ import annotations

import random
import time
import warnings
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from autograd import Value, compile

from .data import features
from .modes import evaluating
from .probes import Probes, find_differences
from .tables import as_table, differ, groups, stacked

if TYPE_CHECKING:
    from .module import Module

MANY = 50  # `predict` compiles from this number of rows on
PROBED = 12  # rows on which `predict` compares new code with the engine
SHARE = 0.02  # the largest share of the time of later calls for comparisons


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

    It fails if the model cannot be compiled, or if the outputs differ from the engine's.
    """
    compiled = vars(model).get("_compiled_outputs")
    if compiled is None or compiled.model is not model:  # `copy.copy` copies the reference
        compiled = _CompiledOutputs(model)
        _comparisons[compiled] = _Comparison()
        vars(model)["_compiled_outputs"] = compiled
    try:
        with evaluating(model):
            return _comparisons[compiled].run(compiled, rows)
    except (ArithmeticError, TypeError, ValueError):
        return None


class _CompiledOutputs:
    """Compiled code for the outputs of a model.

    The model stores it, so that it is compiled again only if it has changed.
    """

    def __init__(self, model: Module) -> None:
        self.model, self.run = model, compile(lambda x: model(x))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(None), ()  # a deep copy of the model, or a pickled one, stores None


class _Comparison:
    """The comparison of compiled code with the engine.

    New code is compared on some rows that `Probes` chooses. Known code is compared on one row drawn
    at random, as often as `SHARE` allows. Code that differs on any of them is not used again.
    """

    def __init__(self) -> None:
        self._judged: dict[Any, tuple[Any, bool]] = {}  # by shape: the graph, and if it is right
        self._rng = random.Random(0)
        self._running = self._comparing = 0.0  # seconds, of calls of code that was compared before

    def run(self, compiled: _CompiledOutputs, rows: np.ndarray) -> np.ndarray | None:
        """Compute the outputs for rows of one shape; return None if the engine has others."""
        began = time.perf_counter()
        outputs: np.ndarray = compiled.run(rows)
        ended = time.perf_counter()
        code, is_right = self._judged.get(rows.shape[1:], (None, True))
        if code is not compiled.run.graph:
            is_right = _is_right(compiled.model, rows, outputs, Probes(rows).next(PROBED))
        elif is_right:
            self._running += ended - began
            if self._comparing <= SHARE * self._running:
                row = self._rng.randrange(len(rows))
                is_right = _is_right(compiled.model, rows, outputs, [row])
                self._comparing += time.perf_counter() - ended
        self._judged[rows.shape[1:]] = compiled.run.graph, is_right
        return outputs if is_right else None


_comparisons: WeakKeyDictionary[_CompiledOutputs, _Comparison] = WeakKeyDictionary()
"""They are not in the model: its code reads all of the model, and is made again if that changes."""


def _is_right(model: Module, rows: np.ndarray, outputs: np.ndarray, chosen: list[int]) -> bool:
    """Compare the outputs for the chosen rows with the engine's; warn if they differ."""
    for row in chosen:
        wanted = numbers_in(model(rows[row].tolist()))
        if len(find_differences(outputs[row], wanted, rows[row])):
            warnings.warn(
                f"predict runs on the engine: for X[{row}] the compiled code gives "
                f"{outputs[row]} and the engine {np.array(wanted)}. Does the model branch on a "
                f"number, or change from one call to the next?",
                RuntimeWarning,
                stacklevel=7,
            )
            return False
    return True


def numbers_in(outputs: Any) -> Any:
    """Return the numbers in a module's outputs: a float for a Value, a list for a list.

    >>> numbers_in([Value(1.0), Value(2.0)])
    [1.0, 2.0]
    """
    if isinstance(outputs, Value):
        return outputs.data
    return [numbers_in(v) for v in outputs] if hasattr(outputs, "__len__") else outputs
