"""Snapshots: the weights and gradients of a training run at some of its epochs.

A History stores them, and a network's page plays the weights. Numbers are stored as float32 in
base64, and long runs are thinned, so that a history stays small.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MOST = 64  # target for the number of snapshots in a run
BUDGET = 500_000  # target for all weights and gradients in a run; first and last are always kept
KEPT_AS = "<f4"  # seven digits are more than a picture shows


@dataclass(frozen=True)
class Snapshot:
    """All parameters after an epoch, and the gradient of the last step.

    Attributes:
        epoch: the number of finished epochs; 0 is before training.
        weights: the parameters in the order of `model.parameters()`, packed.
        gradient: the gradient of the mean cost of the epoch's last batch, before its step, packed;
            "" before training.

    >>> shot = Snapshot.of(0, [0.5, -2.0])
    >>> shot.weights, unpack(shot.weights)
    ('AAAAPwAAAMA=', array([ 0.5, -2. ], dtype=float32))
    """

    epoch: int
    weights: str
    gradient: str = ""

    @classmethod
    def of(
        cls,
        epoch: int,
        weights: Sequence[float] | np.ndarray,
        gradient: Sequence[float] | np.ndarray = (),
    ) -> Snapshot:
        """Make a snapshot of these numbers."""
        return cls(epoch, pack(weights), pack(gradient))

    @property
    def size(self) -> int:
        """The number of weights and gradients together."""
        return count(self.weights) + count(self.gradient)


def with_snapshot(snapshots: list[Snapshot], newest: Snapshot) -> list[Snapshot]:
    """Return the snapshots of a run with one more, thinned to the budget.

    Every epoch is kept, or every second, fourth, eighth and so on, and the newest. The choice
    depends only on the number of epochs, so a resumed run keeps the same snapshots.

    >>> kept = []
    >>> for epoch in range(101):
    ...     kept = with_snapshot(kept, Snapshot.of(epoch, [0.0] * 50_000))
    >>> [snapshot.epoch for snapshot in kept]
    [0, 16, 32, 48, 64, 80, 96, 100]
    """
    most = min(MOST, BUDGET // max(newest.size, 1))
    stride = 1
    while stride < newest.epoch and -(-newest.epoch // stride) + 1 > most:
        stride *= 2
    return [shot for shot in snapshots if shot.epoch % stride == 0] + [newest]


def check_snapshots(snapshots: Sequence[Snapshot], epochs: int) -> None:
    """Check that the snapshots can be those of one run of this many epochs.

    Raises:
        ValueError: the epochs do not increase or are outside the run, a text does not hold packed
            numbers, a number is NaN, or the snapshots differ in size.

    >>> check_snapshots([Snapshot(0, "AAAAAA=="), Snapshot(1, "AAAAAAAAAAA=")], 1)
    Traceback (most recent call last):
    ...
    ValueError: the snapshot of epoch 1 has 2 weight(s), and the first has 1
    """
    last, size = -1, None
    for shot in snapshots:
        if not last < shot.epoch <= epochs:
            raise ValueError(f"there is a snapshot of epoch {shot.epoch} after that of {last}")
        weights, gradient = unpack(shot.weights), unpack(shot.gradient)
        size = len(weights) if size is None else size
        what = f"the snapshot of epoch {shot.epoch} has"
        if len(weights) != size:
            raise ValueError(f"{what} {len(weights)} weight(s), and the first has {size}")
        if len(gradient) not in (0, size):
            raise ValueError(f"{what} {len(gradient)} gradient(s) and {size} weight(s)")
        if np.isnan(weights).any() or np.isnan(gradient).any():
            raise ValueError(f"{what} a NaN")
        last = shot.epoch


def count(text: str) -> int:
    """Return the number of numbers in a text that `pack` made.

    >>> count(pack([1.0, 2.0]))
    2
    """
    return 3 * len(text) // 16  # 6 bits a character, 32 bits a number; // drops the padding


def pack(numbers: Sequence[float] | np.ndarray) -> str:
    """Return numbers as base64 of float32; numbers too large for float32 become infinite.

    >>> pack([1.0])
    'AACAPw=='
    """
    with np.errstate(over="ignore"):
        return base64.b64encode(np.asarray(numbers, dtype=KEPT_AS).tobytes()).decode()


def unpack(text: str) -> np.ndarray:
    """Return the numbers in a text that `pack` made.

    Raises:
        ValueError: `text` is not such a text.

    >>> unpack("AACAPw==")
    array([1.], dtype=float32)
    """
    try:
        return np.frombuffer(base64.b64decode(text, validate=True), dtype=KEPT_AS)
    except (TypeError, ValueError) as error:
        raise ValueError(f"these are no packed numbers, {text!r:.40}: {error}") from None
