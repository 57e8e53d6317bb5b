"""One offline page that plays backpropagation."""

from .graph_page import graph_page
from .html import Page

__all__ = ["Page", "graph_page"]
