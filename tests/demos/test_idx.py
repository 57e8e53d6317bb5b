"""Tests of `demos.idx`: files are read completely, or the error says what is wrong."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from demos import idx


def packed(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4) * 10
LABELS = np.array([7, 0], dtype=np.uint8)


def folder(path: Path, images: bytes = packed(IMAGES), labels: bytes = packed(LABELS)) -> Path:
    (path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
    (path / "train-labels-idx1-ubyte").write_bytes(labels)
    return path


@given(arrays.arrays(np.uint8, arrays.array_shapes(max_dims=4, max_side=5)), st.booleans())
def test_what_was_packed_is_read(
    tmp_path_factory: pytest.TempPathFactory, array: np.ndarray, zipped: bool
) -> None:
    path = tmp_path_factory.mktemp("idx") / "array"
    path.write_bytes(gzip.compress(packed(array)) if zipped else packed(array))
    np.testing.assert_array_equal(idx.read(path), array)


def test_mnist_comes_as_rows_from_0_to_1_and_digits(tmp_path: Path) -> None:
    X, y = idx.mnist(folder(tmp_path), "train")
    np.testing.assert_array_equal(X, IMAGES.reshape(2, 12) / 255.0)
    assert y.tolist() == [7, 0]


# Zipped without a time stamp, so that all test processes collect the same parameters.
ZIPPED = gzip.compress(packed(IMAGES), mtime=0)
DAMAGED = {
    "empty": (b"", "ends at byte 0, inside the magic number"),
    "no dimensions": (
        b"\x00\x00\x08\x00!",
        r"byte 3 promises 0 dimension\(s\), and it ends at byte 5",
    ),
    "a picture": (b"\x89PNG123", r"is no IDX file: bytes 0 and 1 are b'\\x89P', not zeros"),
    "floats": (
        b"\x00\x00\x0d\x01\x00\x00\x00\x00",
        "the type at byte 2 is 0x0d, expected 0x08",
    ),
    "cut in the sizes": (
        b"\x00\x00\x08\x03\x00\x00",
        r"byte 3 promises 3 dimension\(s\), and it ends at byte 6",
    ),
    "cut in the data": (
        packed(IMAGES)[:-1],
        "should end at byte 40 to hold 2 × 3 × 4, and ends at byte 39",
    ),
    "more than it should hold": (packed(IMAGES) + b"!", "should end at byte 40 .* at byte 41"),
    "cut while zipped": (ZIPPED[:-12], r"\(\d+ bytes\) cannot be unzipped: .* good bytes"),
    "overwritten while zipped": (ZIPPED[:12] + b"\xff" * 30, "cannot be unzipped"),
}


@pytest.mark.parametrize(("content", "message"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_says_where(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        idx.read(path)


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"shape \(2, 3, 4\) and labels of shape \(3,\)"):
        idx.mnist(folder(tmp_path, labels=packed(np.zeros(3, np.uint8))), "train")
    with pytest.raises(ValueError, match="label 1, at byte 9, is 10, not a digit"):
        idx.mnist(folder(tmp_path, labels=packed(np.array([0, 10], np.uint8))), "train")
    with pytest.raises(FileNotFoundError, match="there is no t10k-images-idx3-ubyte"):
        idx.mnist(tmp_path, "t10k")
