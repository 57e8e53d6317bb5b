"""Compare the distributions with the files that git tracks: `contents.py SDIST WHEEL`."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

NOT_PACKAGED = {".gitignore", ".gitattributes"}  # what only git reads
FOR_LINTERS = {".ts", ".json"}  # files beside the pages' modules that no page contains


def tracked() -> set[str]:
    """Return the files that git tracks."""
    done = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, check=True)
    return {
        name for name in done.stdout.split("\0") if name and Path(name).name not in NOT_PACKAGED
    }


def of_sdist(path: str) -> set[str]:
    """Return the files of a source distribution, without what the build adds."""
    with tarfile.open(path) as archive:
        names = [member.name.partition("/")[2] for member in archive if member.isfile()]
    return {n for n in names if ".egg-info/" not in n and n not in ("PKG-INFO", "setup.cfg")}


def of_wheel(path: str) -> set[str]:
    """Return the files of a wheel, without its metadata and the compiled core."""
    names = zipfile.ZipFile(path).namelist()
    return {n for n in names if ".dist-info/" not in n and "/_twin." not in n}


def difference(what: str, wanted: set[str], found: set[str]) -> list[str]:
    """Say which files are missing and which are too many."""
    return [f"{what} lacks {name}" for name in sorted(wanted - found)] + [
        f"{what} has {name}, which git does not track" for name in sorted(found - wanted)
    ]


def main(sdist: str, wheel: str) -> None:
    """Compare both distributions with git.

    Raises:
        SystemExit: a file is missing or too many.
    """
    packages = {
        name
        for name in tracked()
        if name.startswith(("autograd/", "nn/")) and PurePosixPath(name).suffix not in FOR_LINTERS
    }
    problems = difference("the source distribution", tracked(), of_sdist(sdist))
    problems += difference("the wheel", packages, of_wheel(wheel))
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main(*sys.argv[1:])
