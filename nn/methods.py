"""The methods of `Module` and `History` that draw pictures and write pages.

Pictures and pages import `Module` and `History`, so these methods cannot be defined in the
classes: this module adds them after both are imported. For type checkers, `Module` and `History`
derive from the classes here.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from autograd import RenderError
from autograd.extend import bind, markup

from .module import Module
from .picture.draw import draw
from .picture.page import network_page
from .picture.prefix import prefix_page
from .settings import path as checked_path
from .training.history import History

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class OfModule:
    """The methods that are added to `Module`."""

    def save_html(self: Any, path: str | os.PathLike[str], **options: Any) -> str:
        """Write an HTML page that shows the network and plays its training; return its path.

        The page is one file that works offline. It shows the weights and the loss by epoch, the
        gradients of one example's cost and what each neuron sees, and runs the network on inputs
        of the reader's choice. For the options see `nn.picture.page.network_page`.

        With `tokens=`, the page is that of a model that reads tokens: it shows what the model
        expects after a prefix, and where its heads look. See `nn.picture.prefix.prefix_page`.

        Raises:
            ValueError: the model cannot be shown, or an option does not fit it.
            OSError: the file cannot be written. An existing file is unchanged.
        """
        file = checked_path(path)  # first, because making the page takes time
        page = prefix_page if "tokens" in options else network_page
        return page(self, **options).save(file)

    def _repr_html_(self: Any) -> str | None:
        """Return text and drawing as HTML; None if the module cannot be drawn.

        For None a notebook shows the text alone.
        """
        try:
            drawing = draw(self).markup()
        except (RenderError, ValueError):
            return None
        count = f": {len(self.parameters()):,} parameters"
        return markup.block(
            markup.paragraph(markup.element("b", type(self).__name__), count),
            drawing,
            markup.details("as text", markup.code(repr(self))),
        )


class OfHistory:
    """The method that is added to `History`."""

    def plot(self: Any) -> Figure:
        """Plot cost and accuracy by epoch, as a matplotlib figure.

        Raises:
            ImportError: matplotlib is not installed. The error says how to install it.
        """
        from .picture.plots import curves  # here, because it needs matplotlib

        return curves(self)


bind(Module, OfModule)
bind(History, OfHistory)
