"""`MLPClassifier`: a network of scalar neurons that chooses a class, or several labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from .costs import OF_CLASSES, OF_SIDES, Loss
from .pictures import Shown


@dataclass(eq=False, repr=False)
class MLPClassifier(ClassifierMixin, Shown):  # type: ignore[misc]
    """A classifier for scikit-learn: a network of scalar neurons, as `model_`.

    Labels may be of any type. For two classes there is one output, its logit z, and the cost is the
    binary cross-entropy; for more, an output each and the cross-entropy. If y is a matrix of zeros
    and ones, each column is a label of its own.

    `classes_` are the labels, in the order of the outputs.

    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"]
    >>> model = MLPClassifier((3,), "tanh", solver="lbfgs", random_state=0).fit(X, y)
    >>> model.predict([[0.5], [2.5]]).tolist(), model.classes_.tolist()
    (['low', 'high'], ['high', 'low'])
    """

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Any:
        """Train for one epoch more, and return the estimator.

        Args:
            X, y, sample_weight: as for `fit`.
            classes: all labels that there will be; needed at the first call.

        Raises:
            TypeError, ValueError: as for `fit`, or the labels are unknown or not those of the
                first call.
        """
        known = None if classes is None else np.unique(classes)
        if hasattr(self, "model_"):
            if known is not None and not np.array_equal(known, self.classes_):
                raise ValueError(f"classes were {self.classes_} at first, and are {known} now")
        elif known is None:
            raise ValueError("the first partial_fit needs all labels: give classes=[...]")
        return self._continue(X, y, sample_weight, known)

    def predict(self, X: Any) -> np.ndarray:
        """Return the label for each row of X, shape (n,); of several labels (n, n_labels)."""
        return self._answer(self._outputs(X))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class for each row of X, shape (n, n_classes)."""
        return self._apply(softmax, expit, self._outputs(X))

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithms of `predict_proba(X)`, which are finite for probability 0 too."""
        return self._apply(log_softmax, log_expit, self._outputs(X))

    def _apply(self, to_classes: Any, to_sides: Any, outputs: np.ndarray) -> np.ndarray:
        """Apply one function to the logits of classes, or another to those of no and yes."""
        if self.out_activation_ == "softmax":
            return np.asarray(to_classes(outputs, axis=1))
        yes = np.asarray(to_sides(outputs))
        return yes if self._has_labels else np.hstack([to_sides(-outputs), yes])

    def _encode(self, y: np.ndarray, classes: np.ndarray | None) -> np.ndarray:
        check_classification_targets(y)
        self._has_labels = type_of_target(y) == "multilabel-indicator"
        if self._has_labels:
            self.classes_ = np.arange(y.shape[1])
            return np.asarray(y, dtype=float)
        y = column_or_1d(y, warn=True)
        known = np.unique(y) if classes is None else classes
        if len(unknown := np.setdiff1d(y, known)):
            raise ValueError(f"y has the labels {unknown}, which are not among {known}")
        self.classes_ = known
        if len(known) > 2:
            return np.asarray(y[:, np.newaxis] == known, dtype=float)
        return np.searchsorted(known, y)

    def _form(self, targets: np.ndarray) -> tuple[int, str, Loss]:
        if self._has_labels:
            return targets.shape[1], *OF_SIDES
        if len(self.classes_) > 2:
            return len(self.classes_), *OF_CLASSES
        return 1, *OF_SIDES

    def _answer(self, outputs: np.ndarray) -> np.ndarray:
        if self._has_labels:
            return (outputs > 0.0).astype(int)
        places = outputs.argmax(axis=1) if self.n_outputs_ > 1 else (outputs[:, 0] > 0.0)
        return self.classes_[np.minimum(places, len(self.classes_) - 1)]

    def _judge(self, y: np.ndarray, answers: np.ndarray, weights: np.ndarray) -> float:
        return float(accuracy_score(y, answers, sample_weight=weights))

    def _names(self) -> list[Any] | None:
        return None if self._has_labels else self.classes_.tolist()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
