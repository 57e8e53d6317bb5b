"""Checkpoints: everything that the next epoch depends on, in one `.npz` file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ..files import json_of, load_arrays, save_arrays
from .history import History
from .typed import typed

ARRAYS = ("model", "optimizer", "best")
OLDER = (
    "it was written by an older version, which did not note what identifies a run, and cannot go "
    "on: train anew"
)


@dataclass
class Progress:
    """How far a run is, besides its arrays and its history.

    Attributes:
        identity: what must be the same in the run that goes on (see `nn/identity.py`).
        optimizer: the optimiser's settings, and how many steps it made.
        scheduler: the state of the schedule; empty if there is none.
        best_epoch: the epoch of the lowest cost; 0 without early stopping.
        best_cost: that cost; None if there is none.
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
        optimizer: the arrays that the optimiser keeps.
        best: the state dict of the best epoch so far; empty without early stopping.
        progress: how far the run is, and what identifies it.
        history: what happened so far.
    """

    model: Mapping[str, Any]
    optimizer: Mapping[str, Any]
    best: Mapping[str, Any] = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress)
    history: History = field(default_factory=History)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file, whole or not at all.

        Raises:
            OSError: it cannot be written; an old one is untouched.
            ValueError: a number in it is NaN or infinite, outside the arrays.
        """
        arrays = {
            f"{part}/{name}": np.asarray(array)
            for part in ARRAYS
            for name, array in getattr(self, part).items()
        }
        progress = json.dumps(asdict(self.progress), allow_nan=False)
        # As bytes: NumPy keeps four of them for each character of a str
        arrays["progress"] = np.array(progress.encode())
        arrays["history"] = np.array(self.history.to_json().encode())
        save_arrays(path, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Checkpoint:
        """Read a file that `save` wrote.

        Raises:
            OSError: it cannot be read.
            ValueError: it is damaged, no checkpoint, or one of an older version.
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
