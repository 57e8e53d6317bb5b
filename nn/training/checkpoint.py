"""Checkpoints: everything that the next epoch depends on, in one `.npz` file.

`Trainer.fit` writes one after each epoch if asked to, and `resume=True` reads it. Arrays are
stored as arrays; the rest is stored as JSON texts inside the same file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from autograd.extend import save_arrays

from ..files import json_of, load_arrays
from .history import History
from .typed import typed

ARRAYS = ("model", "optimizer", "best")
OLDER = (
    "it was written by an older version, which did not note what identifies a run, and cannot go "
    "on: train anew"
)


@dataclass
class Progress:
    """The part of a checkpoint that is neither arrays nor history.

    Attributes:
        identity: facts that must be the same in the resumed run (see `nn/training/identity.py`).
        optimizer: the optimiser's settings and step count.
        scheduler: the state of the schedule; empty if there is none.
        best_epoch: the epoch of the lowest cost; 0 without early stopping.
        best_cost: the cost of that epoch; None if `best_epoch` is 0.
    """

    identity: dict[str, str] = field(default_factory=dict)
    optimizer: dict[str, Any] = field(default_factory=dict)
    scheduler: dict[str, Any] = field(default_factory=dict)
    best_epoch: int = 0
    best_cost: float | None = None


@dataclass
class Checkpoint:
    """The state of a training run between two epochs.

    Attributes:
        model: the model's state dict.
        optimizer: the arrays in the optimiser's state dict.
        best: the model's state dict of the best epoch so far; empty without early stopping.
        progress: settings, counters and the identity of the run.
        history: the history so far.
    """

    model: Mapping[str, Any]
    optimizer: Mapping[str, Any]
    best: Mapping[str, Any] = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress)
    history: History = field(default_factory=History)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the checkpoint to a file.

        Raises:
            OSError: the file cannot be written. An existing file is unchanged.
            ValueError: a number outside the arrays is NaN or infinite.
        """
        arrays = {
            f"{part}/{name}": np.asarray(array)
            for part in ARRAYS
            for name, array in getattr(self, part).items()
        }
        progress = json.dumps(asdict(self.progress), allow_nan=False)
        # As bytes, because NumPy stores four bytes for each character of a str.
        arrays["progress"] = np.array(progress.encode())
        arrays["history"] = np.array(self.history.to_json().encode())
        save_arrays(path, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Checkpoint:
        """Read a file that `save` wrote.

        Raises:
            OSError: the file cannot be read.
            ValueError: the file is damaged, is not a checkpoint, or is one of an older version.
        """
        arrays = load_arrays(path)
        parts: dict[str, dict[str, Any]] = {part: {} for part in ARRAYS}
        try:
            if "settings" in arrays:
                raise ValueError(OLDER)
            progress = typed(json_of(_text(arrays, "progress")), Progress, "progress")
            history = History.from_json(_text(arrays, "history"))
            for name, array in arrays.items():
                part, _, inner = name.partition("/")
                if part not in parts:
                    raise ValueError(f"no part of a checkpoint is called {name!r}")
                parts[part][inner] = array
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)} is not a checkpoint: {error}") from None
        return cls(**parts, progress=progress, history=history)


def _text(arrays: dict[str, np.ndarray], name: str) -> bytes:
    array = arrays.pop(name, None)
    if array is None or array.dtype.kind != "S" or array.ndim:
        raise ValueError(f"it has no text {name!r}")
    return bytes(array.item())
