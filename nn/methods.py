"""The methods of `Module` and `History` that draw pictures and write pages, and foreign names.

Pictures and pages import `Module` and `History`, so these methods cannot be defined in the
classes: this module adds them after both are imported. For type checkers, `Module` and `History`
derive from the classes here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd import RenderError
from autograd.extend import add_spellings, bind, markup, saved

from . import spellings
from .module import Module
from .optim import Optimizer
from .picture import pages
from .picture.draw import draw
from .training.history import History
from .training.trainer import Trainer

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class OfModule:
    """The methods that are added to `Module`."""

    page = pages.page
    save_html = saved(pages.page)

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
for kind, what, names in [
    (Module, "a module", spellings.OF_MODULES),
    (Trainer, "a trainer", spellings.OF_TRAINERS),
    (Optimizer, "an optimiser", spellings.OF_OPTIMIZERS),
    (History, "a history", spellings.OF_HISTORIES),
]:
    add_spellings(kind, what, names)
