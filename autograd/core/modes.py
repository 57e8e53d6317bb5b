"""What new nodes are made under: recorded or not, watched or not, traced or not, in which scope.

A setting holds inside its `with` block, for the thread or task that opened the block. The blocks
that are open are links of a chain in a context variable, the innermost first.

A link does not rely on `__exit__` to learn that its block has ended: Ctrl-C can keep a Python
function from running. The `with` statement holds the object that it got for `__exit__`, and nothing
else holds it. So that object is gone once the statement has ended, however it ended, and the link
asks a weak reference to it.
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

DEFAULTS: Settings = {"recording": True, "watching": False, "tracing": None, "scope": ""}

open_blocks: set[object] = set()
"""An item for each open block of any thread: while there is none, a new node asks no further."""

open_traces: set[object] = set()
"""Those of them that trace: while there is none, a number that is read asks no further."""


class Link(NamedTuple):
    """An open block, in the chain of those around it.

    Attributes:
        block: what it sets.
        opened: gives None once the block has ended.
        generator: the frame of the generator that the block stands in, if it stands in one.
        outer: the link around it.
        settings: all that holds inside it.
        signs: for this link and each one around it, a function that gives None if the link does
            not count: its block has ended, or its generator is suspended.
    """

    block: Setting
    opened: Callable[[], object]
    generator: FrameType | None
    outer: Link | None
    settings: Settings
    signs: tuple[Callable[[], object], ...]


_innermost: ContextVar[Link | None] = ContextVar("innermost", default=None)


def settings() -> Settings:
    """All settings that are in force here.

    >>> with scope("layer1"), no_grad():
    ...     settings()["scope"], settings()["recording"]
    ('layer1', False)
    """
    link = _innermost.get()
    if link is None:
        return DEFAULTS
    for sign in link.signs:
        if sign() is None:
            return _of_those_that_count(link)
    return link.settings


def _of_those_that_count(link: Link | None) -> Settings:
    """The settings of a chain in which not every link counts."""
    blocks = []
    while link is not None:
        if link.signs[0]() is not None:
            blocks.append(link.block)
        link = link.outer
    found = DEFAULTS
    for block in reversed(blocks):
        found = block.within(found)
    return found


def setting(name: str) -> Any:
    """One of the settings that are in force here; None if nobody set it.

    >>> setting("recording"), setting("volume")
    (True, None)
    """
    found = settings() if open_blocks else DEFAULTS
    if found["tracing"]:
        found["tracing"].asked.add(name)
    return found.get(name)


class Tracing(Protocol):
    """Who sees what is made while a function is traced."""

    checks: list[Any]  # what must hold in every row
    raised: list[Exception]  # by operations, and to refuse something
    asked: set[str]  # the settings that were asked for

    def node(self, node: Any, recording: bool) -> Any:
        """The node to use in place of a new one."""

    def leaf(self, node: Any) -> None:
        """A Value was made of a plain number."""

    def draw(self, sampler: Any) -> Any:
        """A Value that is drawn anew for each row."""

    def looked(self, name: str) -> None:
        """The number of a Value was asked for."""

    def refuse(self, what: str, remedy: str) -> Any:
        """Raise a TraceError that names the line that is being run."""


def tracing() -> Tracing | None:
    """Who traces what runs here, if anybody does."""
    return cast("Tracing | None", settings()["tracing"]) if open_traces else None


def for_the_engine(what: str, remedy: str) -> None:
    """Refuse what a caller outside this package does to a Value while a function is traced."""
    if (tracer := tracing()) and _package(sys._getframe(2)) != _package(sys._getframe()):
        tracer.refuse(what, remedy)


def _package(frame: FrameType) -> str:
    """The package whose code runs in a frame."""
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


class TraceError(TypeError):
    """A function depends on values in a way that cannot be compiled."""


# ---------------------------------------------------------------------- blocks


class _Exit:
    """`__exit__` of a setting: a new object for each `with` statement that looks it up."""

    def __get__(self, block: Setting | None, kind: type[Setting]) -> Callable[..., None]:
        if block is None:
            return _leave  # contextlib.ExitStack calls it with the block
        leave = functools.partial(_leave, block)
        block._statement = weakref.ref(leave)
        return leave


class Setting:
    """Sets something for a `with` block or a decorated function, in this thread or task.

    It ends with its block, whatever ends the block: an error, Ctrl-C, a lack of memory. Other
    threads do not see it. A task that is started inside the block has it until the block ends.
    A generator has the settings that it makes while it runs, and whoever uses the generator has
    not; one that `contextlib.contextmanager` decorates makes settings for its user.

    A kind of setting derives from this class and defines `within`.

    >>> class quietly(Setting):
    ...     def within(self, outer):
    ...         return {**outer, "volume": 1}
    >>> with quietly():
    ...     setting("volume")
    1
    """

    _statement: Callable[[], object] | None = None  # of the statement that is about to enter
    _open_ones: tuple[set[object], ...] = (open_blocks,)  # where a block is while it is open
    __exit__ = _Exit()

    def within(self, outer: Settings) -> Settings:
        """All settings inside the block, made from those around it."""
        raise NotImplementedError

    def __enter__(self) -> None:
        opened, self._statement = self._statement, None
        if opened is None or opened() is None:
            opened = self._opened_by_hand()
        outer = _open(_innermost.get())
        generator = _generator(sys._getframe(1))
        sign = functools.partial(_runs, opened, generator) if generator else opened
        signs = (sign, *(outer.signs if outer else ()))
        for open_ones in self._open_ones:
            open_ones.add(weakref.ref(opened(), open_ones.discard))  # when it ends, it leaves
        _innermost.set(Link(self, opened, generator, outer, self.within(settings()), signs))

    def _opened_by_hand(self) -> Callable[[], object]:
        """The sign of a block without a `with` statement, which is open until it is left."""
        leave = functools.partial(_leave, self)
        vars(self).setdefault("_by_hand", set()).add(leave)
        return weakref.ref(leave)

    def __call__(self, function: Function) -> Function:
        """The function, run inside such a block each time.

        Raises:
            TypeError: it is no function.
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
    """End the innermost block of this setting."""
    link = _innermost.get()
    while link is not None and (link.block is not block or link.opened() is None):
        link = link.outer
    if link is not None:
        vars(block).get("_by_hand", set()).discard(link.opened())
        if link is _innermost.get():
            _innermost.set(_open(link.outer))


def _open(link: Link | None) -> Link | None:
    """The innermost link from here on whose block has not ended."""
    while link is not None and link.opened() is None:
        link = link.outer
    return link


def _generator(frame: FrameType | None) -> FrameType | None:
    """The frame, if it is a generator's that may be suspended while others run."""
    inner = frame
    while frame is not None and frame.f_code.co_flags & GENERATOR:
        frame = frame.f_back
    managed = frame is not None and frame.f_globals.get("__name__") == "contextlib"
    return None if frame is inner or managed else inner


GENERATOR = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


def _runs(opened: Callable[[], object], generator: FrameType) -> object:
    """None unless the block is open, and the generator in which it stands is not suspended."""
    return generator.f_back and opened()


# ---------------------------------------------------------------------- the settings


class no_grad(Setting):
    """Operations inside compute numbers and record no graph: their results are constants.

    Usable as a `with` block and as a decorator, like `torch.no_grad`, also of generators and
    coroutines.

    >>> from autograd import Value, no_grad
    >>> x = Value(2.0, label="x")
    >>> with no_grad():
    ...     y = x * x
    >>> y.data, y.args
    (4.0, ())
    """

    def within(self, outer: Settings) -> Settings:
        """Not recorded."""
        return {**outer, "recording": False}


class recorded(Setting):
    """Operations inside are recorded, whatever was said outside."""

    def within(self, outer: Settings) -> Settings:
        """Recorded."""
        return {**outer, "recording": True}


class detect_anomaly(Setting):
    """Operations inside raise where a NaN or an infinity first appears, naming the expression.

    Both passes are watched: a value that is not finite, and a gradient that is not.

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
        """Watched."""
        return {**outer, "watching": True}


class traced(Setting):
    """Everything made inside is shown to `tracing`; what depends on values raises."""

    _open_ones = (open_blocks, open_traces)

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing

    def within(self, outer: Settings) -> Settings:
        """Traced, and recorded whatever was said outside."""
        return {**outer, "tracing": self._tracing, "recording": True}


class scope(Setting):
    """Nodes made inside carry this name; drawings fold large graphs by it.

    Scopes nest: inside `scope("layer1")`, a node made in `scope("neuron3")` carries
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
        """In the scope of this name, inside those around it."""
        around = outer["scope"]
        return {**outer, "scope": f"{around}.{self._name}" if around else self._name}
