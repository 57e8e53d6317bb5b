"""Checkpoints: everything that the next epoch depends on, in one `.npz` file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .files import load_arrays, save_arrays
from .history import History


@dataclass
class Checkpoint:
    """The state of a training run between two epochs.

    Attributes:
        model: the model's state dict.
        optimizer: the optimiser's.
        best: the state dict of the best epoch so far; empty without early stopping.
        settings: what must be the same in the run that goes on: seed, batch size, rows.
        progress: the schedule's state, and what early stopping knows.
        history: what happened so far.
    """

    model: Mapping[str, Any]
    optimizer: Mapping[str, Any]
    best: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    progress: Mapping[str, Any] = field(default_factory=dict)
    history: History = field(default_factory=History)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file, whole or not at all.

        Raises:
            OSError: it cannot be written; an old one is untouched.
        """
        arrays = {
            f"{part}/{name}": np.asarray(array)
            for part in ("model", "optimizer", "best")
            for name, array in getattr(self, part).items()
        }
        texts = {"settings": self.settings, "progress": self.progress}
        written = {part: json.dumps(text) for part, text in texts.items()}
        written["history"] = self.history.to_json()
        # As bytes: NumPy keeps four of them for each character of a str
        arrays |= {part: np.array(text.encode()) for part, text in written.items()}
        save_arrays(path, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Checkpoint:
        """Read a file that `save` wrote.

        Raises:
            OSError: it cannot be read.
            ValueError: it is damaged, or no checkpoint.
        """
        arrays = load_arrays(path)
        parts: dict[str, dict[str, Any]] = {"model": {}, "optimizer": {}, "best": {}}
        try:
            texts = {name: arrays.pop(name).item() for name in ("settings", "progress", "history")}
            for name, array in arrays.items():
                part, _, inner = name.partition("/")
                parts[part][inner] = array
            settings, progress = json.loads(texts["settings"]), json.loads(texts["progress"])
            history = History.from_json(texts["history"])
        except (KeyError, ValueError) as error:
            raise ValueError(f"{os.fspath(path)} is not a checkpoint: {error}") from None
        return cls(**parts, settings=settings, progress=progress, history=history)
