"""Reads IDX files, the format of MNIST: a magic number, the sizes, then the bytes."""

from __future__ import annotations

import contextlib
import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from autograd.extend import expanded

UNSIGNED_BYTES = 0x08
GZIP = b"\x1f\x8b"


def read(path: str | Path) -> np.ndarray:
    """Read the array in an IDX file of unsigned bytes, gzipped or not.

    The file holds two zero bytes, the type 0x08, the number of dimensions, each dimension as a
    big-endian 32-bit number, then the bytes. The format has no checksum, so changed bytes are
    noticed only if the file is gzipped.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is not an IDX file of bytes, or is damaged; the message names the
            byte.

    Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits".
    """
    path = expanded(path)
    content = _unzipped(path, path.read_bytes())
    if len(content) < 4:
        raise ValueError(f"{path} ends at byte {len(content)}, inside the magic number")
    zeros, kind, dimensions = struct.unpack(">HBB", content[:4])
    if zeros != 0:
        raise ValueError(f"{path} is no IDX file: bytes 0 and 1 are {content[:2]!r}, not zeros")
    if kind != UNSIGNED_BYTES:
        raise ValueError(f"{path}: the type at byte 2 is 0x{kind:02x}, expected 0x08, bytes")
    start = 4 + 4 * dimensions
    if dimensions == 0 or len(content) < start:
        raise ValueError(
            f"{path}: byte 3 promises {dimensions} dimension(s), and it ends at byte {len(content)}"
        )
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    expected = start + math.prod(shape)
    if len(content) != expected:
        raise ValueError(
            f"{path} should end at byte {expected:,} to hold {' × '.join(map(str, shape))}, and "
            f"ends at byte {len(content):,}"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


def mnist(folder: str | Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Read MNIST's images, as rows of numbers from 0 to 1, and their digits.

    Args:
        folder: holds the files under their published names, gzipped or not.
        part: "train" or "t10k".

    Returns:
        Images of shape (n, rows·columns), and n digits.

    Raises:
        OSError: a file is missing or cannot be read.
        ValueError: a file is damaged, or images and labels do not belong together.
    """
    images = read(_found(expanded(folder), f"{part}-images-idx3-ubyte"))
    labels = read(_found(expanded(folder), f"{part}-labels-idx1-ubyte"))
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
        raise ValueError(
            f"{folder}: images of shape {images.shape} and labels of shape {labels.shape} do not "
            f"belong together"
        )
    if len(labels) and labels.max() > 9:
        place = int(labels.argmax())
        raise ValueError(
            f"{folder}: label {place}, at byte {8 + place}, is {labels[place]}, not a digit"
        )
    return images.reshape(len(images), -1) / 255.0, labels.astype(int)


def _found(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.exists():
            return path
    raise FileNotFoundError(f"there is no {name}, gzipped or not, in {folder}")


def _unzipped(path: Path, content: bytes) -> bytes:
    if not content.startswith(GZIP):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(
            f"{path} ({len(content):,} bytes) cannot be unzipped: {error}, after "
            f"{_readable(content):,} good bytes of what is inside"
        ) from None


def _readable(content: bytes) -> int:
    """Count the bytes that can be unzipped before the damage."""
    stream, found = zlib.decompressobj(wbits=31), 0
    with contextlib.suppress(zlib.error):  # raised at the damage
        for i in range(0, len(content), 4096):
            found += len(stream.decompress(content[i : i + 4096]))
    return found
