"""Tests on the real MNIST; AUTOGRAD_DATA names the folder that contains `mnist/`."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

import nn
from demos import digits, idx

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("part", "count", "md5"),
    [
        ("train", 60_000, "6bbc9ace898e44ae57da46a324031adb"),
        ("t10k", 10_000, "2646ac647ad5339dbf082846283269ea"),
    ],
)
def test_the_files_are_read_whole(mnist: Path, part: str, count: int, md5: str) -> None:
    images = idx.read(mnist / f"{part}-images-idx3-ubyte.gz")
    assert images.shape == (count, 28, 28)
    content = b"\x00\x00\x08\x03" + np.array(images.shape, dtype=">u4").tobytes()
    assert hashlib.md5(content + images.tobytes()).hexdigest() == md5
    X, y = idx.mnist(mnist, part)
    assert X.shape == (count, 784)
    assert (X.min(), X.max()) == (0.0, 1.0)
    assert np.bincount(y).size == 10


def test_the_recogniser_learns_from_a_few(mnist: Path, tmp_path: Path) -> None:
    numbers = digits.main(mnist=mnist, images=150, out=tmp_path)
    assert numbers["parameters"] == 13_002
    assert numbers["accuracy"] > 0.5


def test_all_of_it_is_learned_from(mnist: Path) -> None:
    X, y = idx.mnist(mnist, "train")
    unseen, answers = idx.mnist(mnist, "t10k")
    model = nn.MLP(784, [16, 16, 10], seed=0)
    trainer = nn.Trainer(model, nn.cross_entropy, nn.Adam(model.parameters(), lr=0.005))
    history = trainer.fit(X, y, epochs=2, batch_size=64)
    assert history.not_compiled == ""
    assert np.mean(model.predict(unseen).argmax(axis=1) == answers) > 0.92
