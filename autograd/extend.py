"""Names for libraries that are built on this package, such as `nn`; users do not need them.

Like the public names, they keep their meaning between versions.
"""

from .core import boundary, terminal
from .core.flat import Flat
from .core.ops import TABLE, PlaceError
from .core.spellings import add_spellings
from .files import destination, expanded, read_whole, save_arrays, write_whole
from .methods import bind
from .page import GAPS, GraphTemplates, Programs, javascript, javascript_gradient, saved
from .picture import markup

__all__ = [
    "GAPS",
    "TABLE",
    "Flat",
    "GraphTemplates",
    "PlaceError",
    "Programs",
    "add_spellings",
    "bind",
    "boundary",
    "destination",
    "expanded",
    "javascript",
    "javascript_gradient",
    "markup",
    "read_whole",
    "save_arrays",
    "saved",
    "terminal",
    "write_whole",
]
