"""Reading and writing of files: a write is atomic, and only regular files are read or written."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .core import boundary
from .core.boundary import instance


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file atomically: nobody ever sees a part of it.

    The content is written to a temporary file in the same folder and flushed to the disk. Then the
    temporary file replaces the target in one step. After a full disk, Ctrl-C or a power cut, either
    the old file or the new one is there. If several processes write, one of them wins.

    `~` is the home folder, and links are followed. The new file keeps the mode of the old one, and
    its owner and group if the system allows it. Another hard link to the old file keeps the old
    content. A process that is killed may leave its temporary file, `.autograd-….tmp`.

    Raises:
        OSError: the file cannot be written; the old file is unchanged.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "weights.npz")
    ...     write_whole(path, b"all of it")
    ...     path.read_bytes()
    b'all of it'
    """
    instance(content, bytes, "the content of a file is bytes")
    target = destination(path)
    old = _status(target)
    temporary = target.with_name(f".autograd-{secrets.token_hex(8)}.tmp")
    try:
        try:
            temporary.touch(0o666 if old is None else 0o600, exist_ok=False)
            _fill(temporary, content, old)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from None
    finally:  # again, because a second Ctrl-C may have prevented the removal above
        temporary.unlink(missing_ok=True)


def save_arrays(path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays of numbers or bytes to an `.npz` file, each with a checksum.

    Raises:
        OSError: the file cannot be written. An existing file is unchanged.
    """
    import zipfile  # here, because it takes long to import

    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    write_whole(path, content.getvalue())


def read_whole(path: str | os.PathLike[str]) -> bytes:
    """Read a regular file; `~` is the home folder.

    Raises:
        OSError: the file cannot be read, or it is a folder, a device or a pipe.
    """
    named = expanded(path)
    _check_regular(named, named.stat())
    return named.read_bytes()


def destination(path: str | os.PathLike[str]) -> Path:
    """Return the path that `write_whole` would write to: `~` expanded, and links followed.

    Raises:
        FileNotFoundError: the folder does not exist.
        IsADirectoryError: the path is a folder.
        PermissionError: the file is read-only, or its folder does not allow new files.
        OSError: the path is a device or a pipe, or its status cannot be read.

    >>> destination("no/such/folder/model.npz")
    Traceback (most recent call last):
    ...
    FileNotFoundError: [Errno 2] there is no folder: '...no/such/folder'
    """
    named = expanded(path)
    status = _status(named)
    target = Path(os.path.realpath(named))
    folder = target.parent
    if status is not None:
        _check_regular(named, status)
        # os.access allows root everything, so check the mode as well
        if not (status.st_mode & 0o222 and os.access(target, os.W_OK)):
            raise PermissionError(errno.EACCES, "this file is read-only", str(named))
    elif not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no folder", str(folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, "no file may be made in this folder", str(folder))
    return target


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return a path with `~` replaced by the home folder.

    Raises:
        TypeError, ValueError: `path` is not a path.
        FileNotFoundError: `path` begins with `~name`, and there is no user of that name.
    """
    try:
        return boundary.path(path).expanduser()
    except RuntimeError:
        raise FileNotFoundError(errno.ENOENT, "there is no such home folder", str(path)) from None


def _status(path: Path) -> os.stat_result | None:
    """Return the status of a file, or None if it does not exist."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _check_regular(path: Path, status: os.stat_result) -> None:
    """Raise an OSError for a folder, a device or a pipe; a device may have no end."""
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "this is a folder, not a file", str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(
            errno.EINVAL, "this is a device or a pipe; only regular files will do", str(path)
        )


def _fill(temporary: Path, content: bytes, old: os.stat_result | None) -> None:
    """Write the content, then set the owner and the mode of the old file, if there is one.

    In that case, no other user can read the temporary file before its mode is set.
    """
    with temporary.open("r+b") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if old is not None:
        for owner, group in ((old.st_uid, -1), (-1, old.st_gid)):
            with contextlib.suppress(AttributeError, OSError):  # Windows has no chown
                os.chown(temporary, owner, group)
        temporary.chmod(stat.S_IMODE(old.st_mode))
