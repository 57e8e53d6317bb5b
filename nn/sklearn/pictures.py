"""What shows the network of an estimator: a drawing, an explanation and a page."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from autograd import Drawing, Value

from ..picture.draw import draw
from ..picture.page import network_page
from ..settings import choice, whole
from .estimator import Estimator

if TYPE_CHECKING:
    from autograd.teach.explain import Explanation


class Shown(Estimator):
    """Base class of estimators whose network is drawn, explained and opened as a page."""

    def draw(
        self, x: Any = None, *, by: str = "weight", max_neurons: int = 16, bias: str | None = None
    ) -> Drawing:
        """Draw the network; with the features x of one example, show the activations.

        Args:
            x: n_features numbers, or None.
            by, max_neurons, bias: as for `nn.draw`.

        Raises:
            TypeError, ValueError: x does not fit, or as for `nn.draw`.
        """
        check_is_fitted(self, "model_")
        x = None if x is None else self._check_example(x)
        names = self._names() if self.n_outputs_ > 1 else None
        return draw(self.model_, x, by=by, max_neurons=max_neurons, classes=names, bias=bias)

    def explain(
        self,
        x: Any,
        feature: int | str | None = None,
        *,
        output: int | None = None,
        max_paths: int = 10,
    ) -> Explanation:
        """Explain how an output of the network depends on a feature of one example.

        The derivative of the output is written as a sum over paths through the network. The output
        is the logit of a class, or the predicted number.

        Args:
            x: n_features numbers.
            feature: the index of a feature, or the name of one if `fit` was given names. Default:
                the one with the largest derivative.
            output: the index of an output. Default: the largest, which decides the class.
            max_paths: how many paths to print, as for `Value.explain`.

        Raises:
            TypeError, ValueError: x does not fit, or there is no such feature or output.
        """
        check_is_fitted(self, "model_")
        numbers = self._check_example(x)
        names = getattr(self, "feature_names_in_", [f"x{i}" for i in range(len(numbers))])
        inputs = [Value(number, str(name)) for number, name in zip(numbers, names)]
        found = self.model_(inputs)
        outputs = [found] if isinstance(found, Value) else found
        if output is None:
            output = int(np.argmax([value.data for value in outputs]))
        chosen = outputs[_place(output, "output", len(outputs))]
        if feature is None:
            chosen.backward()
            feature = int(np.argmax([abs(value.grad) for value in inputs]))
        elif isinstance(feature, str):
            feature = list(names).index(choice(feature, "feature", list(names)))
        return chosen.explain(inputs[_place(feature, "feature", len(inputs))], max_paths=max_paths)

    def save_html(
        self,
        path: str | os.PathLike[str],
        X: Any = None,
        y: Any = None,
        *,
        title: str | None = None,
    ) -> str:
        """Write an HTML page that shows the network, and return its path.

        Args:
            path: the file to write.
            X, y: examples to run the network on, or None.
            title: the title of the page. Default: the sizes of the layers.

        Raises:
            TypeError, ValueError: X or y does not fit.
            OSError: the file cannot be written.
        """
        check_is_fitted(self, "model_")
        data = None
        if X is not None:
            rows = validate_data(self, X, reset=False, dtype=np.float64)
            data = rows, self._encode(np.asarray(y), getattr(self, "classes_", None))
        page = network_page(self.model_, data=data, classes=self._names(), title=title)
        return page.save(path)

    def _check_example(self, x: Any) -> list[float]:
        """Check the features of one example, and return them."""
        row: np.ndarray = check_array(x, ensure_2d=False, dtype=np.float64, input_name="x")
        if row.shape != (self.n_features_in_,):
            raise ValueError(f"x is one example of {self.n_features_in_} features, got {row.shape}")
        found: list[float] = row.tolist()
        return found

    def _names(self) -> list[Any] | None:
        """Return the names of the classes, or None."""
        return None


def _place(i: Any, what: str, count: int) -> int:
    if (place := whole(i, what, least=0)) >= count:
        raise ValueError(f"{what} {place} is outside the {count}, 0 to {count - 1}")
    return place
