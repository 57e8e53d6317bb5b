"""`python -m autograd`: say which versions run, and which core."""

from __future__ import annotations

import platform
from importlib.metadata import version

from .core.twin import choice


def main() -> None:
    """Print the versions, the core that runs, and why."""
    core = "compiled" if choice.twin else "plain Python"
    print(f"scalar-autograd {version('scalar-autograd')}")
    print(f"Python {platform.python_version()}, NumPy {version('numpy')}")
    print(f"core: {core} ({choice.reason})")


if __name__ == "__main__":
    main()
