"""Tests of snapshots: which weights and gradients training keeps, and how much memory it uses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from nn.training.snapshots import BUDGET, MOST, Snapshot, count, pack, unpack, with_snapshot

X = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
Y = [0, 1, 1, 0]


def fitted(epochs: int, **settings: Any) -> tuple[nn.MLP, nn.History]:
    model = nn.MLP(2, [3, 2], "tanh", seed=0)
    trainer = nn.Trainer(model, nn.cross_entropy, nn.SGD(model.parameters(), lr=0.5))
    return model, trainer.fit(X, Y, epochs, 2, **settings)


@settings(deadline=None)  # a run of many epochs takes a while
@given(epochs=st.integers(0, 400), numbers=st.sampled_from([1, 6_000, 60_000, 600_000]))
def test_few_are_kept_evenly_the_first_and_the_last_among_them(epochs: int, numbers: int) -> None:
    weights = pack([0.0] * numbers)
    most = max(2, min(MOST, BUDGET // numbers))
    snapshots: list[Snapshot] = []
    for epoch in range(epochs + 1):
        snapshots = with_snapshot(snapshots, Snapshot(epoch, weights))
    kept = [shot.epoch for shot in snapshots]
    assert (kept[0], kept[-1]) == (0, epochs)
    assert len(kept) <= most
    steps = np.diff(kept)
    if len(steps):
        assert set(steps[:-1]) <= {steps[0]}, "every epoch, or every second, or every fourth, …"
        assert steps[-1] <= steps[0]
        assert steps[0] == 1 or 2 * len(kept) >= most, "no more epochs are dropped than necessary"


@pytest.mark.parametrize(("epochs", "stride"), [(63, 1), (64, 2), (126, 2), (127, 4)])
def test_of_a_small_network_64_are_kept(epochs: int, stride: int) -> None:
    snapshots: list[Snapshot] = []
    for epoch in range(epochs + 1):
        snapshots = with_snapshot(snapshots, Snapshot.of(epoch, [0.0]))
    assert [shot.epoch for shot in snapshots] == sorted({*range(0, epochs, stride), epochs})


@given(st.lists(st.floats(width=32, allow_nan=False)))
def test_numbers_come_back_as_they_were(numbers: list[float]) -> None:
    assert unpack(pack(numbers)).tolist() == numbers
    assert count(pack(numbers)) == len(numbers)


@pytest.mark.parametrize("text", ["AAA", "AAAA", "?" * 8, None])
def test_what_was_not_packed_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match="these are no packed numbers"):
        unpack(text)


def test_training_keeps_the_weights_of_each_epoch() -> None:
    seen = [[p.data for p in nn.MLP(2, [3, 2], "tanh", seed=0).parameters()]]

    def look(trainer: nn.Trainer, history: nn.History) -> None:
        seen.append([p.data for p in trainer.model.parameters()])

    _, history = fitted(3, callbacks=look)
    assert [shot.epoch for shot in history.snapshots] == [0, 1, 2, 3]
    for shot, weights in zip(history.snapshots, seen, strict=True):
        assert unpack(shot.weights) == pytest.approx(weights, rel=1e-6)


def test_the_weights_are_in_the_models_order_whatever_the_optimisers_is() -> None:
    model = nn.MLP(2, [2, 1], "tanh", seed=0)
    last, *others = reversed(model.parameters())
    for params in ([last, *others], others):
        trainer = nn.Trainer(model, nn.mse_loss, nn.SGD(params, lr=0.1))
        history = trainer.fit([[0.0, 1.0], [1.0, 0.5]], [1.0, 0.0], epochs=1)
        weights = unpack(history.snapshots[-1].weights)
        assert weights == pytest.approx([p.data for p in model.parameters()], rel=1e-6)


def test_the_gradient_is_that_of_the_epochs_last_batch() -> None:
    model, history = fitted(2)
    gradient = unpack(history.snapshots[-1].gradient)
    assert gradient == pytest.approx([p.grad for p in model.parameters()], rel=1e-6)
    assert history.snapshots[0].gradient == "", "there is no gradient before training"


def test_they_survive_files(tmp_path: Path) -> None:
    _, history = fitted(2)
    history.save(tmp_path / "history.json")
    assert nn.History.load(tmp_path / "history.json").snapshots == history.snapshots


def test_a_history_of_before_they_were_kept_still_loads() -> None:
    _, history = fitted(1)
    now = json.loads(history.to_json())
    older = {k: v for k, v in now.items() if k not in ("snapshots", "digest")}
    assert nn.History.from_json(json.dumps(older)).snapshots == []


@pytest.mark.parametrize("text", ["[]", "1", '{"snapshots": 1}', '{"snapshots": [{"epoch": 1}]}'])
def test_other_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="this is not the JSON of a History"):
        nn.History.from_json(text)


def test_a_resumed_run_keeps_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nn.training.snapshots.MOST", 4)
    _, straight = fitted(9)
    path = tmp_path / "run.npz"
    fitted(5, checkpoint=path)
    _, resumed = fitted(9, checkpoint=path, resume=True)
    assert [shot.epoch for shot in straight.snapshots] == [0, 4, 8, 9]
    assert resumed.snapshots == straight.snapshots


def test_numbers_too_large_for_it_are_infinite() -> None:
    assert unpack(pack([1e300, -1e300])).tolist() == [np.inf, -np.inf]


def test_a_gradient_counts_as_numbers_too() -> None:
    assert Snapshot.of(1, [0.0] * 3, [0.0] * 4).size == 7
