"""What a library on top of this package may use, as `nn` does; users need none of it.

What stands here keeps its name and its meaning between versions, as the public names do.
"""

from .core import boundary, terminal
from .core.flat import Flat
from .core.ops import TABLE
from .files import destination, read_whole, write_whole
from .methods import bind
from .page import javascript
from .picture import markup

__all__ = [
    "TABLE",
    "Flat",
    "bind",
    "boundary",
    "destination",
    "javascript",
    "markup",
    "read_whole",
    "terminal",
    "write_whole",
]
