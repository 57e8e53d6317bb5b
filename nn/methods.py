"""The methods of `Module` and `History` that call what is built on them: pictures and pages.

This module comes last and gives them these methods, so that imports point one way. For type
checkers both classes derive from the classes here.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from autograd import RenderError
from autograd.extend import bind, markup

from .module import Module
from .picture.draw import draw
from .picture.page import network_page
from .settings import path as checked_path
from .training.history import History

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class OfModule:
    """What every `Module` has besides its parameters and its outputs."""

    def save_html(self: Any, path: str | os.PathLike[str], **options: Any) -> str:
        """Write a page that shows the network and plays its training, and return its path.

        The page is one file that needs no network and no server: weights and gradients by epoch,
        the loss, what each neuron sees, and inputs to try. Options and more:
        `nn.picture.page.network_page`.

        Raises:
            ValueError: the model cannot be shown, or an option does not fit it.
            OSError: the file cannot be written; what stood there is untouched.
        """
        file = checked_path(path)  # before the page is made, which takes time
        return network_page(self, **options).save(file)

    def _repr_html_(self: Any) -> str | None:
        """The text, and the drawing of the network; None, for the text alone, if it is none."""
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
    """What a `History` has besides its numbers."""

    def plot(self: Any) -> Figure:
        """The curves of cost and accuracy, as a matplotlib figure.

        Raises:
            ImportError: matplotlib is not there; it says how to install it.
        """
        from .picture.plots import curves  # which needs matplotlib

        return curves(self)


bind(Module, OfModule)
bind(History, OfHistory)
