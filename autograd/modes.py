"""What new nodes are made under: recorded or not, watched or not, traced or not, in which scope.

The settings are read by `value.py` for every node it makes, so they are plain module
variables, shared by all threads.
"""

from __future__ import annotations

from contextlib import ContextDecorator
from types import TracebackType

recording = True
watching = False
tracing: list[object] | None = None  # while tracing, what was drawn at random
scope_name = ""


class _Setting(ContextDecorator):
    """Sets one variable of this module for a `with` block or a decorated function."""

    variable: str

    def __init__(self) -> None:
        self._outer: list[object] = []

    def _inner(self) -> object:
        raise NotImplementedError

    def __enter__(self) -> None:
        self._outer.append(globals()[self.variable])
        globals()[self.variable] = self._inner()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        globals()[self.variable] = self._outer.pop()


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
    """Comparisons of Values inside raise, for which way they go cannot be compiled."""

    variable = "tracing"

    def _inner(self) -> list[object]:
        return []


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
