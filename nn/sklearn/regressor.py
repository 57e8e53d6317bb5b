"""`MLPRegressor`: a network of scalar neurons that predicts one or several numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d

from ..settings import choice
from .costs import OF_NUMBERS, Loss
from .pictures import Shown


@dataclass(eq=False, repr=False)
class MLPRegressor(RegressorMixin, Shown):  # type: ignore[misc]
    """A regressor for scikit-learn: a network of scalar neurons, as `model_`.

    The parameter `loss` is "squared_error", half the squared error summed over the outputs, or
    "poisson", for counts: the answers are exp of the outputs, and the cost is half the deviance.

    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0]
    >>> model = MLPRegressor((), "identity", solver="lbfgs", alpha=0.0, tol=1e-9, random_state=0)
    >>> model.fit(X, y).predict([[4.0]]).round(4).tolist()
    [9.0]
    """

    loss: str = field(default="squared_error", kw_only=True)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train for one epoch more, and return the estimator; the arguments are those of `fit`."""
        return self._continue(X, y, sample_weight)

    def predict(self, X: Any) -> np.ndarray:
        """Return the number for each row of X, shape (n,); of several numbers (n, n_outputs)."""
        return self._answer(self._outputs(X))

    def _encode(self, y: np.ndarray, classes: np.ndarray | None) -> np.ndarray:
        y = np.asarray(y, dtype=float)
        return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _form(self, targets: np.ndarray) -> tuple[int, str, Loss]:
        form, loss = OF_NUMBERS[choice(self.loss, "loss", list(OF_NUMBERS))]
        return targets.shape[1] if targets.ndim == 2 else 1, form, loss

    def _answer(self, outputs: np.ndarray) -> np.ndarray:
        answers = np.exp(outputs) if self.out_activation_ == "exp" else outputs
        return answers[:, 0] if self.n_outputs_ == 1 else answers

    def _judge(self, y: np.ndarray, answers: np.ndarray, weights: np.ndarray) -> float:
        return float(r2_score(y, answers, sample_weight=weights))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.regressor_tags.poor_score = True
        return tags
