"""The interactive page: one HTML file that plays backpropagation and works offline."""

from .html import Page, saved
from .javascript import javascript, javascript_gradient
from .play import graph_page
from .programs import Programs
from .templates import GAPS, GraphTemplates

__all__ = [
    "GAPS",
    "GraphTemplates",
    "Page",
    "Programs",
    "graph_page",
    "javascript",
    "javascript_gradient",
    "saved",
]
