"""Tests of locks: threads, signal handlers and forked processes that use the same nodes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

import pytest

import autograd
from autograd import Value
from autograd.core import locks
from autograd.core.graph import topological_order
from autograd.extend import Flat


@pytest.fixture
def impatient() -> Iterator[None]:
    """Make threads switch as often as possible."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def chain(x: Value, length: int) -> Value:
    y = x
    for _ in range(length):
        y = y * 1.0 + x
    return y


@pytest.mark.usefixtures("impatient")
def test_passes_of_several_threads_add_up_in_the_leaves_they_share() -> None:
    w = Value(2.0)

    def work(_: int) -> None:
        for _ in range(20):
            chain(w, 10).backward()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(8)))
    assert w.grad == 8 * 20 * 11.0


@pytest.mark.usefixtures("impatient")
def test_passes_of_several_threads_over_one_graph_add_up() -> None:
    w = Value(2.0)
    y = chain(w, 50)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: y.backward(), range(40)))
    assert (w.grad, y.grad) == (40 * 51.0, 1.0)


@pytest.mark.usefixtures("impatient")
def test_leaves_move_into_one_array_whatever_thread_asks_first() -> None:
    values = [Value(float(i)) for i in range(200)]
    with ThreadPoolExecutor(4) as pool:
        flats = list(pool.map(lambda _: Flat(values), range(8)))
    values[7].data = -1.0
    assert all(flat.read()[7] == -1.0 for flat in flats)


# ---------------------------------------------------------------------- signal handlers


def at_every_line(of: str, handler: Callable[[], None]) -> Callable[..., Any]:
    """Return a trace function that runs a handler at each line of a function, as a signal may."""

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        if frame.f_code.co_name != of:
            return None
        if event == "line":
            sys.settrace(None)
            handler()
            sys.settrace(trace)
        return trace

    return trace


@pytest.mark.usefixtures("plain_core")
def test_a_signal_handler_may_walk_the_graph_that_is_being_walked() -> None:
    x = Value(2.0)
    y = chain(x, 30)
    wanted = topological_order(y)
    seen: list[list[Value]] = []
    calls = iter(range(10_000))

    def handler() -> None:
        if next(calls) % 37 == 0 and len(seen) < 3:
            seen.append(topological_order(y))

    sys.settrace(at_every_line("_walked", handler))
    try:
        found = topological_order(y)
    finally:
        sys.settrace(None)
    assert len(seen) == 3
    assert found == wanted and seen == [wanted] * 3


@pytest.mark.usefixtures("plain_core")
def test_a_signal_handler_may_differentiate_another_graph_with_the_same_leaves() -> None:
    x = Value(2.0)
    y, other = chain(x, 20), x * x
    calls = iter(range(10_000))

    def handler() -> None:
        if next(calls) == 5:
            other.backward()

    sys.settrace(at_every_line("_accumulate", handler))
    try:
        y.backward()
    finally:
        sys.settrace(None)
    assert x.grad == 21.0 + 4.0


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers")
def test_a_signal_may_come_during_a_long_walk_and_a_long_pass() -> None:
    x = Value(2.0)
    y, other = chain(x, 200_000), x * x
    wanted = topological_order(y)
    walks: list[bool] = []

    def handler(*_: object) -> None:
        walks.append(topological_order(y) == wanted)
        other.backward()

    before = signal.signal(signal.SIGALRM, handler)
    try:
        for turn in range(1, 9):
            signal.setitimer(signal.ITIMER_REAL, 0.002 * turn)
            assert topological_order(y) == wanted
            y.backward()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert walks and all(walks)
    assert x.grad == 8 * 200_001.0 + 4.0 * len(walks)


def test_a_pass_inside_another_over_the_same_nodes_is_refused() -> None:
    x = Value(2.0, label="x")
    found: list[str] = []

    def partials(out: Any, a: Any) -> tuple[float]:
        try:
            y.backward()
        except RuntimeError as error:
            found.append(str(error))
        return (1.0,)

    y = autograd.op("same", value=lambda a: a, partials=partials)(x * 3.0) * 2.0
    y.backward()
    assert len(found) == 1 and "inside another backward pass over the same nodes" in found[0]
    assert x.grad == 6.0
    y.backward()  # a later call works
    assert x.grad == 12.0


def test_a_signal_in_the_middle_does_not_wait_for_ever() -> None:
    x = Value(2.0)
    y = chain(x, 500)
    done = []

    def handler(*_: object) -> None:
        done.append(len(topological_order(x * 2.0)))

    before = signal.signal(signal.SIGALRM, handler)
    try:
        for _ in range(20):
            count = len(done)  # before the timer starts, because the signal may come at once
            signal.setitimer(signal.ITIMER_REAL, 1e-4)
            while len(done) == count:
                topological_order(y)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert done == [3] * 20


# ---------------------------------------------------------------------- forks


def differentiated() -> None:
    x = Value(3.0)
    y = x * x
    y.backward()
    os._exit(0 if x.grad == 6.0 and list(Flat([x]).read()) == [3.0] else 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork")
def test_a_forked_process_does_not_wait_for_a_thread_that_it_has_not() -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with locks.marks, locks.gradients, locks.places:
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        child = multiprocessing.get_context("fork").Process(target=differentiated, daemon=True)
        child.start()
        child.join(30)
        assert child.exitcode == 0
    finally:
        done.set()
        thread.join()
