"""Tests of the lesson on handwritten digits."""

from __future__ import annotations

import gzip
import runpy
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from demos import digits
from tests.demo_runs import Results


def test_digits(results: Results) -> None:
    numbers = results["digits"]
    before, wishes = numbers["before"], numbers["wishes"]
    assert numbers["parameters"] == 64 * 16 + 16 + 16 * 16 + 16 + 16 * 10 + 10
    assert sum(before["square"]) == pytest.approx(before["cost"][0])
    assert before["wish"] == pytest.approx([2 * (y - a) for a, y in zip(before["a"], before["y"])])
    np.testing.assert_allclose(wishes["step"], wishes["batch"], atol=1e-12)
    assert wishes["wishes"].shape == (16, numbers["parameters"])
    assert ((numbers["noise"] > 0.1) & (numbers["noise"] <= 1.0)).all()


def test_small_digits_are_bright_from_0_to_1_and_none_is_in_both_parts() -> None:
    data = digits.small_digits(seed=0, images=None)
    assert (data.X.min(), data.X.max()) == (0.0, 1.0)
    assert (len(data.X), len(data.unseen_images)) == (1437, 360)
    learned = {image.tobytes() for image in data.X}
    assert not any(image.tobytes() in learned for image in data.unseen_images)


def idx_files(folder: Path) -> Path:
    """Write six images for each part; every pixel of digit d is 20·d, plus 7 in `train`."""
    for part, shift, labelled in (("train", 7, range(6)), ("t10k", 0, range(4, 10))):
        labels = np.array(labelled, dtype=np.uint8)
        images = np.repeat(20 * labels + shift, 28 * 28).reshape(6, 28, 28).astype(np.uint8)
        for name, array in (("images-idx3", images), ("labels-idx1", labels)):
            header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            (folder / f"{part}-{name}-ubyte.gz").write_bytes(
                gzip.compress(header + array.tobytes())
            )
    return folder


@pytest.mark.slow
def test_mnist_has_the_lessons_13002_parameters(tmp_path: Path) -> None:
    files = idx_files(tmp_path)
    numbers = digits.main(mnist=files, images=3, epochs=1, out=tmp_path)
    assert numbers["parameters"] == 13_002


def test_images_of_mnist_keep_their_labels(tmp_path: Path) -> None:
    data = digits.mnist_digits(idx_files(tmp_path), seed=1, images=4)
    assert (data.X[:, 0] * 255).round().tolist() == (20 * data.y + 7).tolist()
    unseen = (data.unseen_images[:, 0] * 255).round().tolist()
    assert unseen == (20 * data.unseen_labels).tolist()
    assert (len(data.y), data.side) == (4, 28)


def test_the_mistakes_in_the_picture_are_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    figures: dict[str, Any] = {}
    monkeypatch.setattr(
        digits, "save", lambda figure, out, name: figures.update({name: figure}) or name
    )
    data = digits.small_digits(seed=0, images=5)
    said = (data.unseen_labels + (np.arange(360) < 3)) % 10
    digits.pictures(nn.MLP(64, [2, 10], seed=0), data, said, out="")
    titles = [axes.get_title() for axes in figures["digits-mistakes"].axes]
    assert titles == [f"a {y}, said {(y + 1) % 10}" for y in data.unseen_labels[:3]]


def test_a_damaged_mnist_is_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = idx_files(tmp_path) / "train-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-6])
    monkeypatch.setattr(sys, "argv", ["digits", "--mnist", str(tmp_path)])
    with pytest.raises(SystemExit, match="demos.digits: .*train-labels.* cannot be unzipped"):
        runpy.run_path(digits.__file__ or "", run_name="__main__")


def test_a_folder_of_images_is_judged_before_any_work(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        digits.parsed(["--mnist", "nowhere"])
    assert stopped.value.code == 2
    assert "expected a folder with MNIST's files, got 'nowhere'" in capsys.readouterr().err
