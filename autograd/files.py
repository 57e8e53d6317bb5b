"""Files: written whole or not at all, and only where a regular file belongs."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

from .core import boundary
from .core.boundary import instance


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file so that at no time half of it can be seen.

    The content is written to a temporary file beside the target and forced to the disk; then the
    temporary file takes the place of the target in one move. A full disk, Ctrl-C or a power cut
    leaves either the old file or the new one, and of several writers one wins. `~` is the home
    folder, a link is followed, and the mode of an old file is kept, as are its owner and group
    where the system allows it. Another hard link to the old file keeps the old content.

    A process that is killed may leave its temporary file, `.autograd-….tmp`.

    Raises:
        OSError: it cannot be written; what stood there is untouched.

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
    finally:  # a second Ctrl-C may have come before the first removal
        temporary.unlink(missing_ok=True)


def read_whole(path: str | os.PathLike[str]) -> bytes:
    """The content of a regular file; `~` is the home folder.

    Raises:
        OSError: it cannot be read, or is a folder, a device or a pipe, which may have no end.
    """
    named = expanded(path)
    _check_regular(named, named.stat())
    return named.read_bytes()


def destination(path: str | os.PathLike[str]) -> Path:
    """The file that `write_whole` would write: `~` expanded, and links followed.

    Raises:
        FileNotFoundError: its folder is not there.
        IsADirectoryError: it is a folder.
        PermissionError: it is read-only, or no file may be made in its folder.
        OSError: it is a device or a pipe, or cannot be looked at.

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
        # A mode without any w protects a file from root too
        if not (status.st_mode & 0o222 and os.access(target, os.W_OK)):
            raise PermissionError(errno.EACCES, "this file is read-only", str(named))
    elif not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no folder", str(folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, "no file may be made in this folder", str(folder))
    return target


def expanded(path: str | os.PathLike[str]) -> Path:
    """A path with the home folder in place of `~`.

    Raises:
        TypeError, ValueError: it is no path.
        FileNotFoundError: it begins with `~somebody`, and there is nobody of that name.
    """
    try:
        return boundary.path(path).expanduser()
    except RuntimeError:
        raise FileNotFoundError(errno.ENOENT, "there is no such home folder", str(path)) from None


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _check_regular(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "this is a folder, not a file", str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(
            errno.EINVAL, "this is a device or a pipe; only regular files will do", str(path)
        )


def _fill(temporary: Path, content: bytes, old: os.stat_result | None) -> None:
    """Write the content, closed to others until the file has the owner and mode of the old one."""
    with temporary.open("r+b") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if old is not None:
        for owner, group in ((old.st_uid, -1), (-1, old.st_gid)):
            with contextlib.suppress(AttributeError, OSError):  # Windows has no chown
                os.chown(temporary, owner, group)
        temporary.chmod(stat.S_IMODE(old.st_mode))
