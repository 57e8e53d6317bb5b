"""The weights and gradients of a training run at a few of its epochs, small enough to keep."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MOST = 64  # of a run
BUDGET = 500_000  # numbers of a run, weights and gradients together; its first and last come first
KEPT_AS = "<f4"  # seven digits, which are more than a picture shows


@dataclass(frozen=True)
class Snapshot:
    """All parameters after an epoch, and the gradient that moved them last.

    Attributes:
        epoch: how many epochs were done; 0 is before training.
        weights: the parameters in the order of `model.parameters()`, packed.
        gradient: of the mean cost of the epoch's last batch, before its step; packed, and empty
            before training.

    >>> shot = Snapshot.of(0, [0.5, -2.0])
    >>> shot.weights, unpacked(shot.weights)
    ('AAAAPwAAAMA=', array([ 0.5, -2. ], dtype=float32))
    """

    epoch: int
    weights: str
    gradient: str = ""

    @classmethod
    def of(
        cls, epoch: int, weights: Sequence[float], gradient: Sequence[float] | np.ndarray = ()
    ) -> Snapshot:
        """A snapshot of these numbers."""
        return cls(epoch, packed(weights), packed(gradient))

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return count(self.weights) + count(self.gradient)


def with_snapshot(snapshots: list[Snapshot], newest: Snapshot) -> list[Snapshot]:
    """The snapshots of a run and one more, thinned when they become too many.

    Kept are every epoch, or every second, fourth, eighth, … as far as the budget reaches, and the
    newest: which they are depends on the number of epochs alone, so that a resumed run keeps the
    same.

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
    """Refuse what no run of so many epochs has left.

    Raises:
        ValueError: the epochs do not rise or are outside the run, a text holds no packed numbers
            or a NaN, or there are more or fewer weights or gradients than in the first.

    >>> check_snapshots([Snapshot(0, "AAAAAA=="), Snapshot(1, "AAAAAAAAAAA=")], 1)
    Traceback (most recent call last):
    ...
    ValueError: the snapshot of epoch 1 has 2 weight(s), and the first has 1
    """
    last, size = -1, None
    for shot in snapshots:
        if not last < shot.epoch <= epochs:
            raise ValueError(f"there is a snapshot of epoch {shot.epoch} after that of {last}")
        weights, gradient = unpacked(shot.weights), unpacked(shot.gradient)
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
    """How many numbers a text that `packed` wrote holds.

    >>> count(packed([1.0, 2.0]))
    2
    """
    return 3 * len(text) // 16  # of 6 bits a character; the rest rounds the last one up


def packed(numbers: Sequence[float] | np.ndarray) -> str:
    """Numbers as text, four bytes each; what is too large for that is infinite.

    >>> packed([1.0])
    'AACAPw=='
    """
    with np.errstate(over="ignore"):
        return base64.b64encode(np.asarray(numbers, dtype=KEPT_AS).tobytes()).decode()


def unpacked(text: str) -> np.ndarray:
    """The numbers in a text that `packed` wrote.

    Raises:
        ValueError: it wrote something else.

    >>> unpacked("AACAPw==")
    array([1.], dtype=float32)
    """
    try:
        return np.frombuffer(base64.b64decode(text, validate=True), dtype=KEPT_AS)
    except (TypeError, ValueError) as error:
        raise ValueError(f"these are no packed numbers, {text!r:.40}: {error}") from None
