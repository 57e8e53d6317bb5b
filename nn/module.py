"""`Module`, the base class of neurons, layers, networks and losses."""

from __future__ import annotations

from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

import numpy as np

from .modes import HasMode
from .prediction import predict
from .state import HasState

if TYPE_CHECKING:
    from .methods import OfModule
else:
    OfModule = object


class Module(HasState, HasMode, OfModule):
    """Base class of everything that has parameters: neurons, layers, networks and your own classes.

    The parameters are the leaf Values in the module's attributes: directly, in lists, tuples,
    dicts or arrays, or in other modules. Computed Values, such as a neuron's last output, are not
    parameters.

    >>> from autograd import Value
    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.intercept = Value(2.0), Value(1.0)
    ...     def forward(self, x):
    ...         return self.slope * x + self.intercept
    >>> line = Line()
    >>> line(3.0).data
    7.0
    >>> dict(line.named_parameters())
    {'slope': Value(data=2.0, grad=0.0), 'intercept': Value(data=1.0, grad=0.0)}
    """

    _answers: Any = None  # the `Answers` of the last training; set by Trainer

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return `forward(...)`."""
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs. Every subclass defines this method.

        Raises:
            NotImplementedError: the subclass does not define it.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(self, x)")

    def predict(self, X: Any) -> np.ndarray:
        """Compute the outputs for each row of X as numbers, without a graph and without dropout.

        From 50 rows on, compiled code computes them. New code is compared with the engine on 12
        rows that differ much, and in later calls on single rows, which takes at most a fiftieth of
        their time. If a row differs, a warning says so, and the engine computes all outputs from
        then on.

        Args:
            X: rows of features, shape (n, nin), images, shape (n, channels, height, width), or a
                list of sequences, each a list of tokens or of vectors; their lengths may differ.

        Returns:
            The outputs, shape (n, nout), or (n,) if the module has one output; for images that come
            out, (n, channels, height, width). Outputs that differ in shape, as for sequences, are
            an array of arrays.

        Raises:
            TypeError, ValueError: X is not a table of finite numbers, or images. The error names
                the place.

        >>> from nn import MLP
        >>> MLP(2, [3], seed=0).predict([[0.0, 0.0], [1.0, 2.0]]).shape
        (2, 3)
        """
        return predict(self, X)

    @recursive_repr("…")
    def __repr__(self) -> str:
        inside = ", ".join(repr(module) for _, module in self._members(parameters=False))
        return f"{type(self).__name__}({inside})"
