"""Times of `nn.sklearn.MLPClassifier` beside scikit-learn's own, on scikit-learn's data.

Both have the same parameters, and so the same first weights and batches; each is fitted on the same
folds. A fit begins with a new estimator, so that compiling counts.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from sklearn import datasets, neural_network
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from nn.sklearn import MLPClassifier

DATA = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast cancer": datasets.load_breast_cancer,
    "digits": datasets.load_digits,
}
SETTINGS: dict[str, Any] = {"hidden_layer_sizes": (16, 16), "random_state": 0}
FOLDS = 3
ROUNDS = 3


class Fitted(NamedTuple):
    """Median seconds of a fit, and the mean share of right answers on the folds left out."""

    seconds: float
    accuracy: float


def race(name: str) -> tuple[Fitted, Fitted]:
    """Fit both estimators on the folds of a data set, in turns: ours, then scikit-learn's."""
    X, y = DATA[name](return_X_y=True)
    kinds = MLPClassifier, neural_network.MLPClassifier
    seconds: list[list[float]] = [[], []]
    scores: list[list[float]] = [[], []]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # both stop after as many epochs
        for _ in range(ROUNDS):
            for train, test in folds(X, y):
                scaler = StandardScaler().fit(X[train])
                learned, held_out = scaler.transform(X[train]), scaler.transform(X[test])
                for kind, taken, found in zip(kinds, seconds, scores):
                    estimator = kind(**SETTINGS)
                    start = perf_counter()
                    estimator.fit(learned, y[train])
                    taken.append(perf_counter() - start)
                    found.append(estimator.score(held_out, y[test]))
    ours, theirs = (Fitted(median(s), float(np.mean(a))) for s, a in zip(seconds, scores))
    return ours, theirs


def folds(X: Any, y: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the examples of each fold: to learn from, and left out."""
    yield from StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(X, y)
