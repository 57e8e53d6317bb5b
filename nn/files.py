"""Reading arrays (`.npz`) and JSON safely.

Models and checkpoints are read with these functions. Nothing is unpickled, and an array's size
is checked before memory is allocated for it, so a damaged or hostile file only raises an error.
"""

from __future__ import annotations

import io
import json
import math
import os
from typing import Any

import numpy as np

from autograd.extend import read_whole

KINDS = "fiubS"  # the allowed `dtype.kind`s: real numbers, booleans and bytes


def load_arrays(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read all arrays of an `.npz` file of real numbers and bytes.

    The arrays take no more memory than the file: compressed files are refused, and so are arrays
    whose header states a wrong size.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is not such a file, or is damaged. The error says where.
    """
    import zipfile  # here, because it takes long to import

    content = read_whole(path)
    place = "the directory at its end"
    found: dict[str, np.ndarray] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if any(member.compress_type != zipfile.ZIP_STORED for member in members):
                raise ValueError("it is compressed: write it with numpy.savez, which does not")
            if sum(member.file_size for member in members) > len(content):
                raise ValueError("its arrays would be larger than the file")
            for member in members:
                name = member.filename.removesuffix(".npy")
                place = f"{name}, from byte {member.header_offset}"
                if name == member.filename:
                    raise ValueError("this is no array: its name does not end in .npy")
                if name in found:
                    raise ValueError("there are two arrays of this name")
                found[name] = _array(archive.read(member))
    except Exception as error:  # zipfile and NumPy raise many types of errors for damaged files
        raise ValueError(
            f"{os.fspath(path)} ({len(content):,} bytes) is not a whole .npz file. "
            f"In {place}: {error or type(error).__name__}"
        ) from None
    return found


def _array(content: bytes) -> np.ndarray:
    """Return the array in the content of an `.npy` file, after checking its header."""
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, fortran, kind = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, fortran, kind = np.lib.format.read_array_header_2_0(stream)
    else:
        raise ValueError(f"version {version} of the .npy format, which no array of numbers needs")
    if kind.kind not in KINDS:
        raise ValueError(f"it holds {kind}, expected real numbers or bytes")
    rest = len(content) - stream.tell()
    if math.prod(shape) * kind.itemsize != rest:
        raise ValueError(f"shape {shape} of {kind} does not fill its {rest:,} bytes")
    numbers = np.frombuffer(content, kind, offset=stream.tell())
    return numbers.reshape(shape, order="F" if fortran else "C")


def json_of(text: str | bytes) -> Any:
    """Parse a JSON text strictly.

    Raises:
        ValueError: the text is not JSON or is nested too deeply, an object has a name twice, or a
            number is NaN or infinite.

    >>> json_of('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ...
    ValueError: 'a' stands twice in one object
    """
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!r} stands twice in one object")
        found[name] = value
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
