"""Locks for nodes that several threads share.

The locks are reentrant: a signal handler may take a lock that the interrupted thread holds, so it
cannot deadlock. A forked process has only the thread that forked it, so it starts with new locks.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 10.0  # seconds to wait for a trace in another thread, which may wait for this one

marks = threading.RLock()  # for `Value._mark`, which a traversal of a graph sets
gradients = threading.RLock()  # for `Value.grad`, to which a backward pass adds
places = threading.RLock()  # for the place of a leaf's number, which `Flat` moves
code = threading.RLock()  # for code that is being written and checked
traces = threading.RLock()  # for the classes of Values, which a trace replaces while it runs


def _replace_locks() -> None:
    """Replace the locks, because a thread that the fork lacks may have held them."""
    global marks, gradients, places, code, traces
    marks, gradients, places, code, traces = [threading.RLock() for _ in range(5)]


@contextmanager
def alone_in_tracing() -> Iterator[None]:
    """Wait until no other thread traces, and keep others waiting; give up after `PATIENCE`.

    A traced function may itself wait for a thread that wants to trace. Then both go on.
    """
    lock = traces
    taken = lock.acquire(timeout=PATIENCE)
    try:
        yield
    finally:
        if taken:
            lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_replace_locks)
