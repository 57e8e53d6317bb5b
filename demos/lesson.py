"""What all demos share: headings, options, and how they start and end."""

from __future__ import annotations

import argparse
import io
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd import Drawing, RenderError, write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def heading(text: str) -> str:
    """A title over a part of what is printed."""
    return f"\n{text}\n{'─' * len(text)}"


def share(x: float | None) -> str:
    """A share as per cent.

    >>> share(0.975), share(None)
    ('97.5%', '—')
    """
    return "—" if x is None else f"{x:.1%}"


def options(
    name: str, description: str, **numbers: tuple[int | float, str]
) -> argparse.ArgumentParser:
    """A parser with the options that every demo has, and numbers above zero of its own.

    Args:
        name: of the demo.
        description: what it shows.
        numbers: for each option its default, and what it is.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m demos.{name}",
        description=description,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=0, help="of everything random")
    parser.add_argument("--out", default="out", help="folder for the pictures")
    for option, (default, what) in numbers.items():
        parser.add_argument(f"--{option}", type=positive(type(default)), default=default, help=what)
    return parser


def positive(kind: type[int] | type[float]) -> Callable[[str], int | float]:
    """A reader of numbers above zero, for argparse."""

    def read(text: str) -> int | float:
        number = kind(text)
        if not 0 < number < math.inf:
            raise argparse.ArgumentTypeError(f"must be positive, got {text}")
        return number

    read.__name__ = kind.__name__  # argparse names it in "invalid int value"
    return read


def save(figure: Figure, out: str | Path, name: str) -> str:
    """Write a figure to a PNG in a folder, made if need be; returns its path."""
    png = io.BytesIO()
    figure.savefig(png, dpi=100)
    return _written(png, out, name)


def save_drawing(drawing: Drawing, out: str | Path, name: str) -> str:
    """Write a drawing to a small PNG in a folder, made if need be; returns its path."""
    from PIL import Image  # comes with matplotlib

    png = io.BytesIO()
    picture = Image.open(io.BytesIO(drawing.pipe("png"))).convert("RGB")
    picture.quantize(128).save(png, "PNG", optimize=True)
    return _written(png, out, name)


def _written(png: io.BytesIO, out: str | Path, name: str) -> str:
    path = Path(out, f"{name}.png").expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, png.getvalue())
    return str(path)


def run(name: str, main: Callable[..., Any], parsed: Callable[[], argparse.Namespace]) -> None:
    """Run a demo from the command line: no traceback for what a user can mend."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without ∂ shows a question mark
    try:
        main(**vars(parsed()))
    except BrokenPipeError:
        os._exit(0)  # whoever reads has enough; there is nowhere left to flush to
    except KeyboardInterrupt:
        sys.exit(130)
    except (ArithmeticError, ImportError, OSError, RenderError, ValueError) as error:
        sys.exit(f"demos.{name}: {error}")
