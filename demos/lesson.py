"""Code that all demos share: sections and claims, options, saving pictures, and `run`."""

from __future__ import annotations

import argparse
import contextlib
import inspect
import io
import math
import os
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd import Drawing, RenderError
from autograd.extend import expanded, terminal, write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure


WIDTH = 100  # columns of what a lesson prints
SEEDS = 4_000_000_000  # scikit-learn takes seeds below 2³², and demos add a little to theirs


def heading(text: str) -> str:
    """Return a title with a line under it."""
    return f"\n{text}\n{'─' * len(text)}"


class Lesson:
    """The sections of a lesson and its claims: sentences that the numbers beside them show.

    Args:
        more: True to show the sections that are hidden by default.

    Attributes:
        claims: by name, True if this run shows the claim, False if it does not.
        sections: the titles of all sections, also of the hidden ones.

    >>> lesson = Lesson()
    >>> with lesson.section("A square"):
    ...     print(f"(−2)² = {(-2) ** 2}")
    ...     lesson.claim("no_negative_square", "A square is never negative.", (-2) ** 2 >= 0)
    <BLANKLINE>
    A square
    ────────
    (−2)² = 4
    ✓ A square is never negative.
    >>> with lesson.section("A cube", more=True):
    ...     lesson.claim("negative_cube", "A cube can be negative.", (-2) ** 3 < 0)
    >>> lesson.claims
    {'no_negative_square': True, 'negative_cube': True}
    >>> lesson.end(["out/square.png"])
    <BLANKLINE>
    --more also shows: A cube
    The picture in out: square.png
    """

    def __init__(self, more: bool = False) -> None:
        self.more = more
        self.claims: dict[str, bool] = {}
        self.sections: list[str] = []
        self._hidden: list[str] = []

    @contextlib.contextmanager
    def section(self, title: str, more: bool = False) -> Iterator[None]:
        """Print a heading; what the block prints follows.

        Args:
            title: the heading.
            more: True to hide the section unless the lesson shows more. The block runs anyway.
        """
        self.sections.append(title)
        hidden = more and not self.more
        if hidden:
            self._hidden.append(title)
        with contextlib.redirect_stdout(io.StringIO()) if hidden else contextlib.nullcontext():
            print(heading(title))
            yield

    def claim(self, name: str, sentence: str, holds: object) -> None:
        """Print a sentence, marked by whether this run shows it, and note it in `claims`.

        Args:
            name: the claim's name in `claims` and in demos/README.md.
            sentence: the claim.
            holds: true if the numbers of this run show it.

        Raises:
            ValueError: a claim of this name was made before.
        """
        if name in self.claims:
            raise ValueError(f"a lesson claims each thing once, and {name!r} was claimed before")
        self.claims[name] = bool(holds)
        text = f"✓ {sentence}" if holds else f"✗ not in this run: {sentence}"
        print(textwrap.fill(text, WIDTH, subsequent_indent="  "))

    def end(self, pictures: list[str], page: str = "") -> None:
        """Print what `--more` adds, and which files were written."""
        print()
        if self._hidden:
            text = f"--more also shows: {'; '.join(self._hidden)}"
            print(textwrap.fill(text, WIDTH, subsequent_indent="  "))
        named = ", ".join(Path(picture).name for picture in pictures)
        head = f"The picture{'s' * (len(pictures) > 1)} in {Path(pictures[0]).parent}: "
        print(
            head + textwrap.fill(named, WIDTH - 2, subsequent_indent="  ", break_on_hyphens=False)
        )
        if page:
            print(f"A page to play with, for any browser: {page}")


def percent(x: float | None) -> str:
    """Write a fraction as a percentage, and None as a dash.

    >>> percent(0.975), percent(None)
    ('97.5%', '—')
    """
    return "—" if x is None else f"{x:.1%}"


def options(main: Callable[..., Any], description: str, **numbers: str) -> argparse.ArgumentParser:
    """Return a parser with the options of every demo, and this demo's numbers above zero.

    Args:
        main: the demo's main function; an option has the default of its parameter.
        description: what the demo shows.
        numbers: the help text of each number.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m demos.{name_of(main)}",
        description=description,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    defaults = {name: p.default for name, p in inspect.signature(main).parameters.items()}
    parser.set_defaults(**defaults)
    parser.add_argument("--seed", type=seed, help="seed of all random numbers")
    parser.add_argument("--out", type=folder, help="folder for the pictures")
    if "more" in defaults:
        parser.add_argument("--more", action="store_true", help="show all sections")
    for name, what in numbers.items():
        parser.add_argument(f"--{name}", type=positive(type(defaults[name])), help=what)
    return parser


def name_of(main: Callable[..., Any]) -> str:
    """Return the name of the demo that has this main function: the name of its file."""
    return Path(inspect.getfile(main)).stem


# Functions that read an option. When one raises ArgumentTypeError, argparse prints the message
# with the option's name and exits with code 2.


def positive(kind: type[int] | type[float]) -> Callable[[str], int | float]:
    """Return a function that reads numbers above zero.

    >>> positive(int)("3"), positive(float)("0.5")
    (3, 0.5)
    """
    called = "a whole number" if kind is int else "a number"

    def read(text: str) -> int | float:
        number = _number(kind, text, f"{called} above zero")
        if not 0 < number < math.inf:
            raise argparse.ArgumentTypeError(f"expected {called} above zero, got {text!r}")
        return number

    return read


def seed(text: str) -> int:
    """Read a seed: a whole number that every random generator of the demos accepts."""
    expected = f"a whole number from 0 to {SEEDS:,}"
    number = int(_number(int, text, expected))
    if not 0 <= number <= SEEDS:
        raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}")
    return number


def _number(kind: type[int] | type[float], text: str, expected: str) -> int | float:
    try:
        return kind(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}") from None


def folder(text: str) -> str:
    """Read the name of a folder that is writable, or that can be made."""
    try:
        place = (expanded(text) if text else Path()).absolute()
        while not _exists(place):
            place = place.parent
    except (OSError, ValueError) as error:  # the name is too long, or contains a zero byte
        raise argparse.ArgumentTypeError(f"{text!r} names no folder: {error}") from None
    if not text or not place.is_dir():
        raise argparse.ArgumentTypeError(f"expected a folder, and {str(place)!r} is none")
    if not os.access(place, os.W_OK | os.X_OK):
        raise argparse.ArgumentTypeError(f"nothing can be written into the folder {str(place)!r}")
    return text


def _exists(path: Path) -> bool:
    """Test whether a path exists; unlike `path.exists()`, raise for a name no path can have."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def save(figure: Figure, out: str | Path, name: str) -> str:
    """Write a figure to a PNG in a folder, which is made if missing; return the PNG's path."""
    png = io.BytesIO()
    figure.savefig(png, dpi=100)
    return _write_png(png, out, name)


def save_drawing(drawing: Drawing, out: str | Path, name: str) -> str:
    """Write a drawing to a small PNG in a folder, which is made if missing; return its path."""
    from PIL import Image  # comes with matplotlib

    png = io.BytesIO()
    picture = Image.open(io.BytesIO(drawing.pipe("png"))).convert("RGB")
    picture.quantize(128).save(png, "PNG", optimize=True)
    return _write_png(png, out, name)


def _write_png(png: io.BytesIO, out: str | Path, name: str) -> str:
    path = expanded(Path(out, f"{name}.png"))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, png.getvalue())
    return str(path)


def run(main: Callable[..., Any], parsed: Callable[[], argparse.Namespace]) -> None:
    """Run a demo from the command line; end with a message for errors that the user can fix."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=terminal.ERRORS)  # a terminal that has no ∂ shows d
    try:
        main(**vars(parsed()))
    except BrokenPipeError:
        os._exit(0)  # the reader closed the pipe, and a normal exit would fail to flush it
    except KeyboardInterrupt:
        sys.exit(130)
    except (ArithmeticError, ImportError, OSError, RenderError, ValueError) as error:
        sys.exit(f"demos.{name_of(main)}: {error}")
