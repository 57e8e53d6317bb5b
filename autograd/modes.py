"""What new nodes are made under: recorded or not, watched or not, traced or not, in which scope.

The settings are read by `value.py` for every node it makes, so they are plain module
variables, shared by all threads.
"""

from __future__ import annotations

from contextlib import ContextDecorator
from types import TracebackType
from typing import Any, Protocol

recording = True
watching = False
tracing: Tracing | None = None
special = False  # whether any of these is not as it is at first: what a new node has to ask
scope_name = ""


class Tracing(Protocol):
    """Who sees what is made while a function is traced."""

    drawn: list[Any]  # what was drawn at random
    checks: list[Any]  # what must hold in every row

    def node(self, node: Any) -> Any:
        """The node to use in place of a new one."""

    def constant(self, node: Any) -> None:
        """A plain number became a constant."""

    def looked(self, name: str) -> None:
        """The number of a Value was asked for."""

    def refuse(self, what: str, remedy: str) -> Any:
        """Raise a TraceError that names the line that is being run."""


class _Setting(ContextDecorator):
    """Sets one variable of this module for a `with` block or a decorated function."""

    variable: str

    def __init__(self) -> None:
        self._outer: list[object] = []

    def _inner(self) -> object:
        raise NotImplementedError

    def __enter__(self) -> None:
        self._outer.append(globals()[self.variable])
        self._set(self._inner())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._set(self._outer.pop())

    def _set(self, setting: object) -> None:
        global special
        globals()[self.variable] = setting
        special = watching or not recording or tracing is not None


class no_grad(_Setting):
    """Operations inside compute numbers and record no graph: their results are constants.

    Usable as a `with` block and as a decorator, like `torch.no_grad`.

    >>> from autograd import Value, no_grad
    >>> x = Value(2.0, label="x")
    >>> with no_grad():
    ...     y = x * x
    >>> y.data, y.args
    (4.0, ())
    """

    variable = "recording"

    def _inner(self) -> bool:
        return False


class detect_anomaly(_Setting):
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

    variable = "watching"

    def _inner(self) -> bool:
        return True


class TraceError(TypeError):
    """A function depends on values in a way that cannot be compiled."""


class traced(_Setting):
    """Everything made inside is shown to `tracing`; what depends on values raises."""

    variable = "tracing"

    def __init__(self, tracing: Tracing) -> None:
        super().__init__()
        self._tracing = tracing

    def _inner(self) -> Tracing:
        return self._tracing


class recorded(_Setting):
    """Operations inside are recorded, whatever was said outside."""

    variable = "recording"

    def _inner(self) -> bool:
        return True


class scope(_Setting):
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

    variable = "scope_name"

    def __init__(self, name: str) -> None:
        if not (isinstance(name, str) and name):
            raise ValueError(f"a scope needs a name, as in scope('layer1'); got {name!r}")
        super().__init__()
        self._name = name

    def _inner(self) -> str:
        return f"{scope_name}.{self._name}" if scope_name else self._name
