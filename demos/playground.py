"""The playground: watch a network learn, and open every number in it.

Choose the data, the layers and the learning rate, press play, and stop at any moment.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import nn


def main(argv: Sequence[str] | None = None) -> str:
    """Write the page, say how to open it, and return its path."""
    parser = argparse.ArgumentParser(prog="python -m demos.playground", description=__doc__)
    parser.add_argument("--out", default="out", help="the folder to write to; default: out")
    path = nn.playground(Path(parser.parse_args(argv).out, "playground.html"))
    print(f"{path} is one file that needs no network. Open it in a browser:")
    print(f"    {Path(path).resolve().as_uri()}")
    return path


if __name__ == "__main__":
    main()
