"""Tests of `no_grad`, `detect_anomaly` and `scope`: their effect, and where it ends."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import math
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType, SimpleNamespace
from typing import Any

import pytest

from autograd import Setting, Value, detect_anomaly, no_grad, scope, setting
from autograd.core import modes


def recording() -> bool:
    """Test whether an operation is recorded here."""
    return bool((Value(1.0) * 2).args)


def made_here() -> str:
    """Return the scope of a node that is made here."""
    return (Value(1.0) * 2).scope


def assert_nothing_is_set() -> None:
    if modes.open_blocks:
        gc.collect()  # frees a generator that an error of another test refers to
    assert recording() and made_here() == "" and not modes.open_blocks
    assert modes.settings() == modes.DEFAULTS


def test_no_grad_works_as_a_decorator_and_nests() -> None:
    @no_grad()
    def predicted(x: Value) -> Value:
        with no_grad():
            x = x * 2
        return x * 3

    assert predicted(Value(1.0)).args == ()
    assert (Value(1.0) * 2).args != ()


def test_settings_end_with_their_block_even_if_it_fails() -> None:
    with pytest.raises(KeyError), no_grad(), detect_anomaly(), scope("a"):
        raise KeyError
    x = Value(1e300)
    y = x * x
    assert (y.data, y.args, y.scope) == (math.inf, (x, x), "")


def test_one_setting_can_be_entered_twice() -> None:
    quiet = no_grad()
    with quiet:
        with quiet:
            pass
        assert (Value(1.0) * 2).args == ()
    assert (Value(1.0) * 2).args != ()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda x: x * 1e200 * 1e200, r"x·1e\+200·1e\+200 is inf, at a = x·1e\+200 = 1e\+200"),
        (lambda x: x * math.inf - x * math.inf, r"x·inf is inf, at a = x = 1, b = inf"),
        (lambda x: (x * math.nan).exp(), r"x·nan is nan"),
    ],
)
def test_detect_anomaly_stops_at_the_first_operation(make, words: str) -> None:  # type: ignore[no-untyped-def]
    with detect_anomaly(), pytest.raises(FloatingPointError, match=words):
        make(Value(1.0, label="x"))


def test_scopes_nest_and_mark_leaves_constants_and_results() -> None:
    with scope("layer1"):
        x = Value(1.0)
        with scope("neuron0"):
            y = x * 2
        z = y + x
    after = z * 1
    assert [v.scope for v in (x, y, y.args[1], z, after)] == [
        *("layer1", "layer1.neuron0", "layer1.neuron0", "layer1", ""),
    ]


@pytest.mark.parametrize("name", ["", None, 3])
def test_a_scope_needs_a_name(name: object) -> None:
    with pytest.raises(ValueError, match="a scope needs a name"):
        scope(name)  # type: ignore[arg-type]


# ---------------------------------------------------------------------- threads and tasks


def test_a_setting_is_that_of_its_thread() -> None:
    inside, done = threading.Event(), threading.Event()

    def other() -> None:
        with no_grad(), scope("other"):
            inside.set()
            done.wait()

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait()
    assert recording() and made_here() == ""
    done.set()
    thread.join()
    assert_nothing_is_set()


def test_threads_that_open_and_close_blocks_leave_nothing_behind() -> None:
    def work(i: int) -> bool:
        right = True
        for _ in range(200):
            with scope(f"t{i}"), no_grad():
                right &= not recording() and made_here() == f"t{i}"
            right &= recording() and made_here() == ""
        return right

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(work, range(8)))
    finally:
        sys.setswitchinterval(before)
    assert_nothing_is_set()


def test_tasks_that_overlap_have_settings_of_their_own() -> None:
    async def quiet(entered: asyncio.Event, leave: asyncio.Event) -> bool:
        with no_grad(), scope("quiet"):
            entered.set()
            await leave.wait()
            return not recording() and made_here() == "quiet"

    async def loud(entered: asyncio.Event, leave: asyncio.Event) -> bool:
        await entered.wait()
        with scope("loud"):
            right = recording() and made_here() == "loud"
            leave.set()
            await asyncio.sleep(0)
            return right and recording() and made_here() == "loud"

    async def both() -> list[bool]:
        events = asyncio.Event(), asyncio.Event()
        return list(await asyncio.gather(quiet(*events), loud(*events)))

    assert asyncio.run(both()) == [True, True]
    assert_nothing_is_set()


def test_a_task_has_what_was_set_where_it_was_started_until_the_block_ends() -> None:
    async def child(ended: asyncio.Event) -> list[bool]:
        inside = recording()
        await ended.wait()
        return [inside, recording()]

    async def parent() -> list[bool]:
        ended = asyncio.Event()
        with no_grad():
            task = asyncio.create_task(child(ended))
            await asyncio.sleep(0)
        ended.set()
        return await task

    assert asyncio.run(parent()) == [False, True]


def test_a_copied_context_does_not_keep_a_setting_alive() -> None:
    with no_grad():
        context = contextvars.copy_context()
        assert context.run(recording) is False
    assert context.run(recording) is True


# ---------------------------------------------------------------------- generators


def numbered() -> Iterator[bool]:
    with no_grad(), scope("inside"):
        for _ in range(3):
            yield recording() or made_here() != "inside"


@no_grad()
def decorated() -> Iterator[bool]:
    for _ in range(3):
        yield recording()


@pytest.mark.parametrize("generator", [numbered, decorated])
def test_a_suspended_generator_sets_nothing_for_its_user(
    generator: Callable[[], Iterator[bool]],
) -> None:
    for recorded_inside in generator():
        assert not recorded_inside
        assert recording() and made_here() == ""
    started = generator()
    next(started)
    with scope("mine"):
        assert recording() and made_here() == "mine"
        next(started)
        started.close()  # type: ignore[attr-defined]
        assert made_here() == "mine"
    assert_nothing_is_set()


def test_generators_and_their_user_may_leave_in_any_order() -> None:
    first, second = numbered(), decorated()
    with detect_anomaly():
        for a, b in zip(first, second):
            assert (a, b) == (False, False)
            assert recording() and setting("watching")
    del first, second
    assert_nothing_is_set()


def test_a_generator_inside_a_generator() -> None:
    def outer() -> Iterator[bool]:
        with scope("outer"):
            yield from numbered_in("outer.inside")

    def numbered_in(name: str) -> Iterator[bool]:
        with scope("inside"):
            yield made_here() == name

    assert all(inside and made_here() == "" for inside in outer())


def test_a_decorated_generator_passes_on_what_is_sent_and_returned() -> None:
    @no_grad()
    def talk() -> Any:
        heard = yield "ready"
        return heard, recording()

    talking = talk()
    assert next(talking) == "ready"
    with pytest.raises(StopIteration) as ended:
        talking.send("hello")
    assert ended.value.value == ("hello", False)


def test_a_context_manager_made_of_a_generator_sets_for_its_user() -> None:
    @contextlib.contextmanager
    def quiet() -> Iterator[None]:
        with no_grad(), scope("quiet"):
            yield

    with quiet():
        assert not recording() and made_here() == "quiet"
    assert_nothing_is_set()


def test_coroutines_and_asynchronous_generators() -> None:
    @no_grad()
    async def value() -> bool:
        await asyncio.sleep(0)
        return recording()

    @no_grad()
    async def values() -> AsyncIterator[bool]:
        for _ in range(2):
            await asyncio.sleep(0)
            yield recording()

    async def use() -> list[bool]:
        seen = [await value(), recording()]
        async for inside in values():
            seen += [inside, recording()]
        return seen

    assert asyncio.run(use()) == [False, True] * 3
    assert_nothing_is_set()


# ---------------------------------------------------------------------- by hand


def test_blocks_without_a_with_statement() -> None:
    quiet = no_grad()
    quiet.__enter__()
    quiet.__enter__()
    quiet.__exit__(None, None, None)
    assert not recording()
    quiet.__exit__(None, None, None)
    assert_nothing_is_set()
    with contextlib.ExitStack() as stack:
        stack.enter_context(no_grad())
        stack.enter_context(scope("stacked"))
        assert not recording() and made_here() == "stacked"
    assert_nothing_is_set()
    quiet.__exit__(None, None, None)  # no block is open
    assert_nothing_is_set()


def test_a_setting_of_ones_own() -> None:
    class Volume(Setting):
        def within(self, outer: Any) -> Any:
            return {**outer, "volume": outer.get("volume", 0) + 1}

    with Volume(), Volume(), no_grad():
        assert setting("volume") == 2 and not recording()
    assert setting("volume") is None


# ---------------------------------------------------------------------- interrupts


INTERRUPTED = ("autograd", "contextlib", __name__)


def blocks() -> None:
    with no_grad(), scope("a"), detect_anomaly():
        Value(1.0) * 2
    with contextlib.suppress(KeyError), scope("b"):
        raise KeyError


def interrupted_at(count: int, run: Callable[[], None]) -> BaseException | None:
    """Interrupt `run` at its bytecode number `count`; return the interrupt, or None if it ended."""
    left = count

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal left
        if frame.f_globals["__name__"].partition(".")[0] not in INTERRUPTED:
            return None  # such as callbacks that the garbage collector runs
        frame.f_trace_opcodes = True
        if event == "opcode":
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys._getframe().f_trace_opcodes = True  # Python 3.12 asks the frame that sets the function
    sys.settrace(trace)
    try:
        run()
    except KeyboardInterrupt as interrupt:
        return interrupt
    finally:
        sys.settrace(before)
    return None


def test_an_interrupt_at_any_bytecode_leaves_nothing_set() -> None:
    count, kept = 1, []
    while interrupt := interrupted_at(count, blocks):
        kept.append(interrupt)  # as sys.last_value does, with all its frames
        assert_nothing_is_set()
        count += 1
    assert count > 500


def test_interrupts_by_signals_leave_nothing_set() -> None:
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    gc.disable()  # Python ignores an interrupt in a callback of its garbage collector
    try:
        for i in range(200):
            with pytest.raises(KeyboardInterrupt):
                signal.setitimer(signal.ITIMER_REAL, 1e-4 + i % 97 * 1e-6, 0.5)
                while True:
                    with no_grad():
                        pass
            signal.setitimer(signal.ITIMER_REAL, 0)
            assert_nothing_is_set()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        gc.enable()


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="CPython itself fails there")
def test_a_lack_of_memory_at_any_allocation_leaves_nothing_set() -> None:
    memory = pytest.importorskip("_testcapi")
    failed = 0
    for start in range(100):
        try:
            memory.set_nomemory(start, start + 1)
            blocks()
            memory.remove_mem_hooks()
        except MemoryError:
            memory.remove_mem_hooks()
            failed += 1
            assert_nothing_is_set()
    assert failed > 10


def test_who_traces_is_asked_only_while_a_trace_is_open_and_whatever_ended_it() -> None:
    tracer: Any = SimpleNamespace(collected=None)
    with scope("a"), no_grad():
        assert not modes.open_traces and modes.find_tracer() is None
        with pytest.raises(KeyError), modes.traced(tracer):
            with scope("b"):
                assert modes.find_tracer() is tracer
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(modes.find_tracer).result() is None
            raise KeyError
        assert not modes.open_traces and modes.find_tracer() is None
