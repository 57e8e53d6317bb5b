"""Tests of settings on random programs of blocks, generators, tasks and threads.

Each program is a tree, whose shape determines the settings at each of its places. At every place
the test compares the actual settings with these. A program may be interrupted anywhere, and after
its end no setting may remain.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

from autograd import Setting, Value, detect_anomaly, no_grad, scope
from autograd.core import modes

Expected = tuple[bool, bool, str]  # recording, watching, scope
OUTSIDE: Expected = (True, False, "")
Tree = tuple[Any, ...]


def program(draw: random.Random, depth: int, kinds: list[str]) -> Tree:
    """Draw a random tree: the kind of a place, and the places inside it."""
    kind = draw.choice(kinds) if depth else "look"
    count = 0 if kind == "look" else draw.randint(1, 3)
    inside = [program(draw, depth - 1, kinds) for _ in range(count)]
    return kind, draw.choice(["no_grad", "watch", "a", "b"]), inside


def block(name: str) -> Setting:
    if name == "no_grad":
        return no_grad()
    return detect_anomaly() if name == "watch" else scope(name)


def under(expected: Expected, name: str) -> Expected:
    """Return the settings inside a block, from those around it."""
    recording, watching, around = expected
    if name == "no_grad":
        return False, watching, around
    if name == "watch":
        return recording, True, around
    return recording, watching, f"{around}.{name}" if around else name


def look(expected: Expected) -> None:
    node = Value(1.0) * 2
    found = (bool(node.args), modes.setting("watching"), node.scope)
    assert found == expected


def all_of(inside: list[Tree], expected: Expected) -> None:
    for tree in inside:
        look(expected)
        run(tree, expected)
    look(expected)


def in_block(name: str, inside: list[Tree], expected: Expected) -> None:
    with block(name):
        all_of(inside, under(expected, name))


def by_decorator(name: str, inside: list[Tree], expected: Expected) -> None:
    block(name)(all_of)(inside, under(expected, name))


def in_generator(name: str, inside: list[Tree], expected: Expected) -> None:
    def generate() -> Iterator[None]:
        with block(name):
            for tree in inside:
                run(tree, under(expected, name))
                yield

    for _ in generate():
        look(expected)
        all_of(inside[:1], expected)


def left_suspended(name: str, inside: list[Tree], expected: Expected) -> None:
    @block(name)
    def generate() -> Iterator[None]:
        yield
        all_of(inside, expected)

    started = generate()
    next(started)
    all_of(inside, expected)


def by_manager(name: str, inside: list[Tree], expected: Expected) -> None:
    @contextlib.contextmanager
    def manager() -> Iterator[None]:
        with block(name):
            yield

    with manager():
        all_of(inside, under(expected, name))


def with_an_error(name: str, inside: list[Tree], expected: Expected) -> None:
    with contextlib.suppress(KeyError), block(name):
        all_of(inside, under(expected, name))
        raise KeyError


def in_thread(name: str, inside: list[Tree], expected: Expected) -> None:
    failed: list[BaseException] = []

    def work() -> None:
        try:
            in_block(name, inside, OUTSIDE)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    with block(name):
        thread.start()
        look(under(expected, name))
        thread.join()
    if failed:
        raise failed[0]


def in_tasks(name: str, inside: list[Tree], expected: Expected) -> None:
    async def task(mine: str) -> None:
        with block(mine):
            for _ in range(3):
                look(under(expected, mine))
                await asyncio.sleep(0)

    async def both() -> None:
        await asyncio.gather(task(name), task("a"), task("no_grad"))

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(both())
    all_of(inside, expected)


DO: dict[str, Callable[[str, list[Tree], Expected], None]] = {
    "block": in_block,
    "decorator": by_decorator,
    "generator": in_generator,
    "suspended": left_suspended,
    "manager": by_manager,
    "error": with_an_error,
    "thread": in_thread,
    "tasks": in_tasks,
}
KINDS = ["block", "look", *DO]
IN_ONE_THREAD = [kind for kind in KINDS if kind not in ("thread", "tasks")]


def run(tree: Tree, expected: Expected) -> None:
    kind, name, inside = tree
    if kind == "look":
        look(expected)
    else:
        DO[kind](name, inside, expected)


def assert_nothing_is_set() -> None:
    look(OUTSIDE)
    assert modes.settings() == modes.DEFAULTS


@pytest.mark.parametrize("seed", range(60))
def test_settings_are_those_that_the_shape_of_a_program_says(seed: int) -> None:
    run(program(random.Random(seed), 4, KINDS), OUTSIDE)
    assert_nothing_is_set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a generator's end
@pytest.mark.parametrize("seed", range(150))
def test_an_interrupt_anywhere_in_a_program_leaves_nothing_set(seed: int) -> None:
    draw = random.Random(seed)
    tree = program(draw, 2, IN_ONE_THREAD)
    left = draw.randint(1, 1500)

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal left
        frame.f_trace_opcodes = frame.f_globals["__name__"] in ("autograd.core.modes", __name__)
        if event == "opcode":
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return trace

    before, kept = sys.gettrace(), []
    sys._getframe().f_trace_opcodes = True  # Python 3.12 asks the frame that sets the function
    sys.settrace(trace)
    try:
        run(tree, OUTSIDE)
    except KeyboardInterrupt as interrupt:
        sys.settrace(before)
        kept.append(interrupt)  # with all its frames
        assert_nothing_is_set()
    finally:
        sys.settrace(before)
    assert_nothing_is_set()
