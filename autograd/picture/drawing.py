"""`Drawing`, the class that `draw` returns: a `graphviz.Digraph` that renders with `lay_out`.

Only functions that draw import this module, because graphviz takes long to import.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import graphviz

from ..core import boundary
from ..core.boundary import choice, flag
from ..core.terminal import fitted
from ..files import expanded, write_whole
from . import render
from .markup import Markup, image

FORMATS = tuple(sorted(graphviz.FORMATS))
DOT_ENDINGS = {"gv", "dot"}  # endings of DOT sources, although Graphviz also has such formats


class Drawing(graphviz.Digraph):  # type: ignore[misc]  # graphviz is untyped
    """A `graphviz.Digraph` that renders without a `dot` program, and to exactly the named file.

    `.source` is its DOT, `.pipe("png")` returns bytes, and `.render("chain.svg")` writes a file.
    Notebooks display it as an image.

    >>> from autograd import Value
    >>> drawing = (Value(2.0, label="x") * 3.0).draw()
    >>> drawing.pipe("png")[1:4]
    b'PNG'
    """

    @fitted
    def __str__(self) -> str:
        return str(self.source)

    formats = FORMATS
    """The formats of `.pipe()` and `.render()`; some need a Graphviz that was built with them."""

    def __repr__(self) -> str:
        return "<drawing: .render('drawing.svg') writes it, a notebook shows it>"

    def pipe(
        self,
        format: str | None = None,
        renderer: str | None = None,
        formatter: str | None = None,
        *,
        quiet: bool = False,
        engine: str | None = None,
        encoding: str | None = None,
    ) -> Any:
        """Return the drawing as bytes, or as a string if `encoding` is given.

        Args:
            format, renderer, formatter, engine: override the settings of the drawing.
            quiet: do not write Graphviz's warnings to stderr.
            encoding: decode the result, as with "utf-8" for SVG.

        Raises:
            RenderError: Graphviz fails; the message gives the reason.
        """
        format = choice(self.format if format is None else format, "format", FORMATS)
        kind = ":".join(part for part in (format, renderer, formatter) if part)
        rendered = render.lay_out(self.source, kind, engine or self.engine, flag(quiet, "quiet"))
        return rendered.decode(encoding) if encoding else rendered

    def markup(self) -> Markup:
        """Return the drawing as an image for HTML.

        Raises:
            RenderError: Graphviz fails.
        """
        return image(self.pipe("svg"), "drawing")

    _repr_html_ = markup

    def save(
        self,
        filename: str | os.PathLike[str] | None = None,
        directory: str | os.PathLike[str] | None = None,
        *,
        skip_existing: bool | None = False,
    ) -> str:
        """Write the DOT to a file and return its path.

        Raises:
            OSError: the file cannot be written; an existing file is then unchanged.
        """
        _check_paths(filename=filename, directory=directory)
        target = expanded(Path(directory or self.directory or "", filename or self.filename))
        if not (skip_existing and target.exists()):
            target.parent.mkdir(parents=True, exist_ok=True)
            write_whole(target, self.source.encode())
        return str(target)

    def render(
        self,
        filename: str | os.PathLike[str] | None = None,
        directory: str | os.PathLike[str] | None = None,
        view: bool = False,
        cleanup: bool = False,
        format: str | None = None,
        renderer: str | None = None,
        formatter: str | None = None,
        *,
        quiet: bool = False,
        quiet_view: bool = False,
        outfile: str | os.PathLike[str] | None = None,
        engine: str | None = None,
    ) -> str:
        """Write the drawing to a file and return its path.

        Args:
            filename: the file to write. `"chain.svg"` writes only that file. A name without a
                known ending gets the ending of `format`, and the DOT is written beside it, as
                in graphviz.
            directory: the folder; it is created if necessary.
            view, quiet_view: open the result in a viewer; `quiet_view` without its messages.
            cleanup: do not write the DOT.
            format, engine, renderer, formatter: override the settings of the drawing.
            quiet: do not write Graphviz's warnings to stderr.
            outfile: like `filename`, but its ending determines the format.

        Raises:
            RenderError: Graphviz fails; the DOT is written to the same folder.
            OSError: the file cannot be written.
        """
        _check_paths(filename=filename, directory=directory, outfile=outfile)
        flags = {"view": view, "cleanup": cleanup, "quiet": quiet, "quiet_view": quiet_view}
        for what, truth in flags.items():
            flag(truth, what)
        name = Path(directory or self.directory or "", outfile or filename or self.filename)
        target = expanded(name)
        ending = target.suffix[1:].lower()
        source = None
        if format is None and (outfile or ending in graphviz.FORMATS - DOT_ENDINGS):
            format = ending
        else:
            format = choice(self.format if format is None else format, "format", FORMATS)
            source = target.with_name(target.name.removesuffix(".gv") + ".gv")
            target = target.with_name(f"{target.name}.{format}")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            rendered = self.pipe(format, renderer, formatter, quiet=quiet, engine=engine)
        except render.RenderError as error:
            kept = source or target.with_suffix(".gv")
            write_whole(kept, self.source.encode())
            raise render.RenderError(f"{error}. The DOT is kept in {kept}", self.source) from None
        if source and not cleanup:
            write_whole(source, self.source.encode())
        write_whole(target, rendered)
        if view or quiet_view:
            self._view(str(target), format=format, quiet=quiet_view)
        return str(target)


def _check_paths(**paths: Any) -> None:
    for what, path in paths.items():
        if path is not None:
            boundary.path(path, what)
