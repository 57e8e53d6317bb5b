"""Points and networks of the reader's own, as the page of the playground takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data import Examples
from ..labels import Labels, are_labels, numbered
from ..module import Module
from ..networks import layers_of, parameters_in
from ..picture.page import check_computed, pack_exactly
from ..picture.train_on import dropouts_after
from ..settings import instance, pair
from .settings import (
    LEARNING,
    MOST_CLASSES,
    MOST_INPUTS,
    MOST_LAYERS,
    MOST_NEURONS,
    MOST_POINTS,
)


@dataclass(frozen=True)
class Own:
    """Points with their targets.

    Attributes:
        X: the points, shape (n, nin).
        y: their targets: 0 or 1 for "sides", 0, 1, 2, … for "classes", else numbers.
        targets: "sides", "classes" or "numbers".
        names: the names of the classes.
    """

    X: np.ndarray
    y: np.ndarray
    targets: str
    names: list[str]

    @classmethod
    def of(cls, data: Any) -> Own:
        """Check points; two kinds of targets are sides, a few whole numbers or texts are classes.

        Raises:
            TypeError, ValueError: `data` is no pair (X, y) of points, or there are too many.
        """
        X, y = pair(data, "data is the name of a kind of points, or a pair (X, y)")
        labels = Labels.of(y) if are_labels(y) else None
        examples = Examples.of(X, numbered(y, labels), rows_only=True)
        y = np.array(examples.y, dtype=float)
        if y.ndim != 1:
            raise ValueError(f"each point has one target, got y of shape {y.shape}")
        if len(y) > MOST_POINTS:
            raise ValueError(f"the page learns from at most {MOST_POINTS:,} points, got {len(y):,}")
        if examples.X.shape[1] > MOST_INPUTS:
            raise ValueError(
                f"the page draws at most {MOST_INPUTS} numbers of a point, got "
                f"{examples.X.shape[1]}: for images, use model.save_html"
            )
        if labels is not None and not 2 <= len(labels.names) <= MOST_CLASSES:
            raise ValueError(f"y has from 2 to {MOST_CLASSES} classes, got {len(labels.names)}")
        kinds = np.unique(y)
        if len(kinds) == 2:
            targets, y = "sides", (y == kinds[1]).astype(float)
        elif 2 < len(kinds) <= MOST_CLASSES and np.array_equal(kinds, np.arange(len(kinds))):
            targets = "classes"
        else:
            targets = "numbers"
        names = [f"{kind:g}" for kind in kinds] if labels is None else list(map(str, labels.names))
        return cls(examples.X, y, targets, [] if targets == "numbers" else names)

    @property
    def count(self) -> int:
        """The number of classes; 1 for numbers."""
        return max(len(self.names), 1)

    def kind(self) -> dict[str, Any]:
        """Return the row of these data in the page's table."""
        kind = {"title": "your own", "targets": self.targets, "count": self.count}
        return kind if self.targets == "numbers" else kind | {"names": self.names}

    def contents(self) -> dict[str, Any]:
        """Return the points as the page reads them."""
        return {"X": self.X.tolist(), "y": self.y.tolist()}


@dataclass(frozen=True)
class Start:
    """A network to start from: the sizes and the activations of its layers, and its weights."""

    sizes: list[int]
    activations: list[str]
    weights: np.ndarray
    dropout: float

    @classmethod
    def of(cls, model: Module, own: Own, features: int = 2) -> Start:
        """Take a network of dense layers.

        Args:
            model: the network.
            own: the points that it learns from.
            features: of a point in the plane, the inputs that are computed from it.

        Raises:
            TypeError, ValueError: `model` is no network of dense layers, does not fit the points,
                has an activation that the page does not train, or weights that are not finite.
        """
        layers = list(layers_of(instance(model, Module, "model is a module of nn")).values())
        sizes = [layers[0].nin, *(layer.nout for layer in layers)]
        activations = [layer.activation.name for layer in layers]
        for name in activations:
            if name not in LEARNING:
                raise ValueError(f"the page trains {', '.join(LEARNING)}, and not {name}")
        axes = own.X.shape[1]
        nin, nout = features if axes == 2 else axes, own.count if own.targets == "classes" else 1
        if sizes[0] != nin or sizes[-1] != nout:
            raise ValueError(
                f"a network of {sizes[0]} input(s) and {sizes[-1]} output(s) does not fit points "
                f"of {axes} numbers that need {nin} input(s) and {nout} output(s)"
            )
        rates = dropouts_after(model, len(layers) - 1)
        if rates is None or len(set(rates)) > 1:
            raise ValueError("the page knows dropout of one rate, after each hidden layer")
        weights = np.array([p.data for p in parameters_in(layers)])
        if not np.isfinite(weights).all():
            raise ValueError("the weights of the model are not finite: there is nothing to learn")
        check_computed(model, layers, None, nin, None)
        return cls(sizes, activations, weights, (rates[0] if rates else None) or 0.0)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that describe the network as well as they can."""
        hidden = self.sizes[1:-1]
        small = len(hidden) <= MOST_LAYERS and all(size <= MOST_NEURONS for size in hidden)
        return {"dropout": self.dropout, "activation": self.activations[0]} | (
            {"layers": hidden} if small else {}
        )

    def contents(self) -> dict[str, Any]:
        """Return the network as the page reads it."""
        weights = pack_exactly(self.weights)
        return {"sizes": self.sizes, "activations": self.activations, "weights": weights}
