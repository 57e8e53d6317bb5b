"""What one thread at a time may do to nodes that several threads share.

A thread may take a lock that it holds once more, so a signal handler that interrupts the thread
cannot wait for it for ever. A forked process has only the thread that forked it, so it starts with
locks that nobody holds.
"""

from __future__ import annotations

import os
import threading

marks = threading.RLock()  # of a traversal, which are on the nodes
gradients = threading.RLock()  # of leaves, to which backward passes add
places = threading.RLock()  # of leaves, whose numbers move into an array


def _free() -> None:
    global marks, gradients, places
    marks, gradients, places = threading.RLock(), threading.RLock(), threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_free)
