"""Settings that apply to new nodes: recording, anomaly detection, tracing and scope.

A setting applies inside its `with` block, in the thread or task that opened the block. The open
blocks form a linked list in a context variable, the innermost first; each element is a `Link`.

A link does not rely on `__exit__` to learn that its block has ended, because Ctrl-C can prevent
`__exit__` from running. Instead, each `with` statement gets an object of its own as `__exit__`, and
only the statement holds a strong reference to it. When the statement ends, for whatever reason, the
object is freed. The link holds a weak reference, which then returns None.
"""

from __future__ import annotations

import copy
import functools
import inspect
import sys
import weakref
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from types import FrameType
from typing import Any, NamedTuple, Protocol, TypeVar, cast

from . import boundary

Function = TypeVar("Function", bound=Callable[..., Any])
Settings = Mapping[str, Any]

DEFAULTS: Settings = {"recording": True, "watching": False, "tracer": None, "scope": ""}

open_blocks: set[object] = set()
"""One item per open block, in any thread. While it is empty, new nodes look up no settings."""

open_traces: set[object] = set()
"""One item per open block that traces. While it is empty, `find_tracer` looks up no settings."""


class Link(NamedTuple):
    """An open block, as an element of the linked list of open blocks.

    Attributes:
        block: the setting that the block applies.
        opened: returns None once the block has ended.
        generator: the frame of the generator that contains the block, or None.
        outer: the link of the enclosing block, or None.
        settings: all settings inside the block.
        checks: for this link and each outer link, a function that returns None while the link is
            inactive: its block has ended, or its generator is suspended.
    """

    block: Setting
    opened: Callable[[], object]
    generator: FrameType | None
    outer: Link | None
    settings: Settings
    checks: tuple[Callable[[], object], ...]


innermost: ContextVar[Link | None] = ContextVar("innermost", default=None)


def settings() -> Settings:
    """Return all settings that apply here.

    >>> with scope("layer1"), no_grad():
    ...     settings()["scope"], settings()["recording"]
    ('layer1', False)
    """
    link = innermost.get()
    if link is None:
        return DEFAULTS
    for check in link.checks:
        if check() is None:
            return _active_settings(link)  # link.settings includes an inactive block
    return link.settings


def _active_settings(link: Link | None) -> Settings:
    """Compute the settings from the active links only."""
    blocks = []
    while link is not None:
        if link.checks[0]() is not None:
            blocks.append(link.block)
        link = link.outer
    found = DEFAULTS
    for block in reversed(blocks):
        found = block.within(found)
    return found


def setting(name: str) -> Any:
    """Return one of the settings that apply here; None if it was never set.

    >>> setting("recording"), setting("volume")
    (True, None)
    """
    found = settings() if open_blocks else DEFAULTS
    if found["tracer"]:
        found["tracer"].settings_read.add(name)
    return found.get(name)


class Tracer(Protocol):
    """The interface of the compiler's tracer, which sees every node that a function makes."""

    requirements: list[Any]  # conditions that must hold in every row of the input
    raised: list[Exception]  # errors of operations, and those that `refuse` raised
    settings_read: set[str]  # names of the settings that were read
    collected: list[Any] | None  # to which the twin adds nodes; None if `record_node` must see each

    def record_node(self, node: Any, recording: bool) -> Any:
        """Return the node to use in place of a new one."""

    def record_leaf(self, node: Any) -> None:
        """Register a Value that was made from a plain number."""

    def draw(self, sampler: Any) -> Any:
        """Return a Value that is drawn anew for each row of the input."""

    def refuse_reading(self, name: str) -> None:
        """Raise a TraceError if code outside this package reads the number of a Value."""

    def refuse(self, what: str, remedy: str) -> Any:
        """Raise a TraceError that names the line that is being run."""


def find_tracer() -> Tracer | None:
    """Return the tracer of the function that is being traced here, or None."""
    return cast("Tracer | None", settings()["tracer"]) if open_traces else None


def refuse_outsiders(what: str, remedy: str) -> None:
    """Raise a TraceError if code outside this package uses a Value while a function is traced.

    Args:
        what: a description of the use, for the error message.
        remedy: what to write instead.
    """
    if (tracer := find_tracer()) and _package(sys._getframe(2)) != _package(sys._getframe()):
        tracer.refuse(what, remedy)


def _package(frame: FrameType) -> str:
    """Return the name of the package whose code runs in a frame."""
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


class TraceError(TypeError):
    """A function depends on the numbers of its Values in a way that cannot be compiled.

    >>> import autograd
    >>> @autograd.compile
    ... def size(x):
    ...     return x if x > 0 else -x
    >>> size([1.0])
    Traceback (most recent call last):
    autograd.core.modes.TraceError: ...
    """


# ---------------------------------------------------------------------- blocks


class _Exit:
    """A descriptor for `__exit__`: each `with` statement that looks it up gets a new object."""

    def __get__(self, block: Setting | None, kind: type[Setting]) -> Callable[..., None]:
        if block is None:
            return _leave  # looked up on the class, as contextlib.ExitStack does
        leave = functools.partial(_leave, block)
        block._statement = weakref.ref(leave)
        return leave


class Setting:
    """Base class of settings, which apply to a `with` block or to a decorated function.

    A setting ends with its block, even if an error, Ctrl-C or a lack of memory ends the block.
    Other threads do not see it. A task that is started inside the block has the setting until the
    block ends. A block in a generator applies while the generator runs, not to the code that uses
    the generator. If `contextlib.contextmanager` decorates the generator, the block applies to the
    code in the `with` statement.

    A subclass defines `within`.

    >>> class quietly(Setting):
    ...     def within(self, outer):
    ...         return {**outer, "volume": 1}
    >>> with quietly():
    ...     setting("volume")
    1
    """

    _statement: Callable[[], object] | None = None  # a weak reference: see _Exit
    _open_ones: tuple[set[object], ...] = (open_blocks,)  # each has an item while a block is open
    __exit__ = _Exit()

    def within(self, outer: Settings) -> Settings:
        """Return all settings inside the block, given those around it."""
        raise NotImplementedError

    def __enter__(self) -> None:
        opened, self._statement = self._statement, None
        if opened is None or opened() is None:
            opened = self._opened_by_hand()  # no `with` statement called __enter__
        outer = _open(innermost.get())
        generator = _generator(sys._getframe(1))
        check = functools.partial(_runs, opened, generator) if generator else opened
        checks = (check, *(outer.checks if outer else ()))
        for open_ones in self._open_ones:
            open_ones.add(weakref.ref(opened(), open_ones.discard))  # discarded at the block's end
        innermost.set(Link(self, opened, generator, outer, self.within(settings()), checks))

    def _opened_by_hand(self) -> Callable[[], object]:
        """Return `Link.opened` for a block without a `with` statement, which `__exit__` ends."""
        leave = functools.partial(_leave, self)
        vars(self).setdefault("_by_hand", set()).add(leave)
        return weakref.ref(leave)

    def __call__(self, function: Function) -> Function:
        """Wrap a function so that each call runs inside such a block.

        Raises:
            TypeError: `function` is not a function.
        """
        boundary.function(function, "such a block decorates a function")

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with copy.copy(self):
                return function(*args, **kwargs)

        @functools.wraps(function)
        def generate(*args: Any, **kwargs: Any) -> Any:
            with copy.copy(self):
                return (yield from function(*args, **kwargs))

        @functools.wraps(function)
        async def wait(*args: Any, **kwargs: Any) -> Any:
            with copy.copy(self):
                return await function(*args, **kwargs)

        @functools.wraps(function)
        async def wait_for_each(*args: Any, **kwargs: Any) -> Any:
            with copy.copy(self):
                async for item in function(*args, **kwargs):
                    yield item

        if inspect.isgeneratorfunction(function):
            return cast(Function, generate)
        if inspect.iscoroutinefunction(function):
            return cast(Function, wait)
        return cast(Function, wait_for_each if inspect.isasyncgenfunction(function) else run)


def _leave(block: Setting, *error: object) -> None:
    """End the innermost open block of this setting."""
    link = innermost.get()
    while link is not None and (link.block is not block or link.opened() is None):
        link = link.outer
    if link is not None:
        vars(block).get("_by_hand", set()).discard(link.opened())
        if link is innermost.get():
            innermost.set(_open(link.outer))


def _open(link: Link | None) -> Link | None:
    """Return this link or the nearest outer one whose block has not ended."""
    while link is not None and link.opened() is None:
        link = link.outer
    return link


def _generator(frame: FrameType | None) -> FrameType | None:
    """Return the frame if a generator runs in it, else None.

    For a generator that `contextlib` runs as a context manager, return None: its block applies to
    the code in the `with` statement, which runs while the generator is suspended.
    """
    inner = frame
    while frame is not None and frame.f_code.co_flags & GENERATOR:
        frame = frame.f_back
    managed = frame is not None and frame.f_globals.get("__name__") == "contextlib"
    return None if frame is inner or managed else inner


GENERATOR = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


def _runs(opened: Callable[[], object], generator: FrameType) -> object:
    """Return None if the block has ended or its generator is suspended."""
    return generator.f_back and opened()


# ---------------------------------------------------------------------- the settings


class no_grad(Setting):
    """A block in which operations record no graph: their results are constants.

    Use it in a `with` statement or as a decorator, like `torch.no_grad`. It also decorates
    generators and coroutines.

    >>> from autograd import Value, no_grad
    >>> x = Value(2.0, label="x")
    >>> with no_grad():
    ...     y = x * x
    >>> y.data, y.args
    (4.0, ())
    """

    def within(self, outer: Settings) -> Settings:
        """Return the settings with recording off."""
        return {**outer, "recording": False}


class enable_grad(Setting):
    """A block in which operations are recorded, even inside `no_grad`."""

    def within(self, outer: Settings) -> Settings:
        """Return the settings with recording on."""
        return {**outer, "recording": True}


class detect_anomaly(Setting):
    """A block in which the first NaN or infinity raises an error that names the expression.

    It checks the values of the forward pass and the gradients of the backward pass.

    Raises:
        FloatingPointError: an operation inside made a NaN or an infinity.

    >>> from autograd import Value, detect_anomaly
    >>> x = Value(1e200, label="x")
    >>> with detect_anomaly():
    ...     y = x * x - 1.0
    Traceback (most recent call last):
    ...
    FloatingPointError: x·x is inf, at a = x = 1e+200, b = x = 1e+200
    """

    def within(self, outer: Settings) -> Settings:
        """Return the settings with anomaly detection on."""
        return {**outer, "watching": True}


class traced(Setting):
    """A block in which `tracer` sees every new node, and code that depends on numbers raises."""

    _open_ones = (open_blocks, open_traces)

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def within(self, outer: Settings) -> Settings:
        """Return the settings with this tracer and with recording on."""
        collected = self._tracer.collected
        return {**outer, "tracer": self._tracer, "collected": collected, "recording": True}


class scope(Setting):
    """A block that names the nodes made inside; drawings fold large graphs by these names.

    Scopes nest: a node made in `scope("neuron3")` inside `scope("layer1")` has the scope
    `layer1.neuron3`.

    Raises:
        ValueError: the name is empty or not a string.

    >>> from autograd import Value, scope
    >>> x = Value(2.0)
    >>> with scope("layer1"):
    ...     with scope("neuron3"):
    ...         y = x * x
    >>> y.scope
    'layer1.neuron3'
    """

    def __init__(self, name: str) -> None:
        if not (isinstance(name, str) and name):
            raise ValueError(f"a scope needs a name, as in scope('layer1'); got {name!r}")
        self._name = name

    def within(self, outer: Settings) -> Settings:
        """Return the settings with this name appended to the scope."""
        around = outer["scope"]
        return {**outer, "scope": f"{around}.{self._name}" if around else self._name}
