"""Arrays in files: written whole or not at all, read whole or not at all, and without pickle."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import read_whole, write_whole


def save_arrays(path: str | os.PathLike[str], arrays: Mapping[str, Any]) -> None:
    """Write arrays to an `.npz` file, whole or not at all, and without pickle.

    Raises:
        OSError: the file cannot be written; an old one is untouched.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
    write_whole(path, content.getvalue())


def load_arrays(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Every array in an `.npz` file.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not an `.npz` file, or is damaged; says where.
    """
    content = read_whole(path)
    place = "the directory at its end"
    found = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                place = f"{name}, from byte {member.header_offset}"
                array = io.BytesIO(archive.read(member))
                found[name] = np.lib.format.read_array(array, allow_pickle=False)
    except (EOFError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(
            f"{os.fspath(path)} ({len(content):,} bytes) is not a whole .npz file. "
            f"In {place}: {error}"
        ) from None
    return found
