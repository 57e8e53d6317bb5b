"""One offline page that plays backpropagation."""

from .html import Page
from .javascript import javascript
from .play import graph_page

__all__ = ["Page", "graph_page", "javascript"]
