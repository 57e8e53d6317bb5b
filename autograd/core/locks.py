"""Locks for nodes that several threads share.

The locks are reentrant: a signal handler may take a lock that the interrupted thread holds, so it
cannot deadlock. A forked process has only the thread that forked it, so it starts with new locks.
"""

from __future__ import annotations

import os
import threading

marks = threading.RLock()  # for `Value._mark`, which a traversal of a graph sets
gradients = threading.RLock()  # for `Value.grad`, to which a backward pass adds
places = threading.RLock()  # for the place of a leaf's number, which `Flat` moves


def _free() -> None:
    """Replace the locks, because a thread that the fork lacks may have held them."""
    global marks, gradients, places
    marks, gradients, places = threading.RLock(), threading.RLock(), threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_free)
