"""`Judge`: what the mean cost of examples is, and which share of the answers is right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..data import Examples
from ..labels import Labels, are_labels
from ..module import Module
from ..tables import rows_of
from ..targets import as_lists
from .answers import IGNORED, Accuracy, Answers, answers_of, labels_of
from .compatibility import count_outputs, shape_of_outputs
from .costs import ALL, Costs, Loss, Rows

Judged = tuple[float, float | None]  # the mean cost, and the share of right answers


class Judge(NamedTuple):
    """Judges a model by its costs and its answers.

    Attributes:
        loss: the cost of one example.
        answers: how the outputs are interpreted; None if this is unknown.
        accuracy: a function of the user that judges in place of `answers`; None without one.
    """

    loss: Loss
    answers: Answers | None
    accuracy: Accuracy | None

    def judge(self, costs: Costs, examples: Examples, rows: Rows = ALL) -> Judged:
        """Compute the mean cost and the share of right answers in evaluation mode."""
        found = costs.judge(examples, rows)
        return found.cost, self.share_right(found.outputs, examples, rows)

    def share_right(self, outputs: Sequence[Any], examples: Examples, rows: Rows) -> float | None:
        """Return the share of right answers; None if no answer is right or wrong.

        An answer to a target that the loss ignores is neither. If the outputs for an example are a
        table, each of its rows is an answer.
        """
        right = None
        if self.accuracy is not None:
            y = [examples.y[i] for i in np.arange(len(examples))[rows].tolist()]
            verdicts = [self._verdict(found, target) for found, target in zip(outputs, y)]
            right = np.array([verdict for verdict in verdicts if verdict is not None])
        elif self.answers is not None:
            targets: Any = examples.targets[rows]
            if np.ndim(outputs[0]) == 2:
                outputs, targets = rows_of(outputs), rows_of(targets)
            ignored = getattr(self.loss, "ignore_index", IGNORED)
            right = self.answers.rights(outputs, targets, ignored)
        return None if right is None or not len(right) else float(right.mean())

    def _verdict(self, outputs: Any, y: Any) -> bool | None:
        """Return what the user's function `accuracy` says about an example."""
        assert self.accuracy is not None
        verdict = self.accuracy(as_lists(outputs), y)
        if not isinstance(verdict, (bool, np.bool_, int, type(None))):
            raise TypeError(f"accuracy answers with True, False or None, it said {verdict!r}")
        return None if verdict is None else bool(verdict)


def find_labels(model: Module, loss: Loss, X: Any, y: Any) -> Labels | None:
    """Return the labels in y, with the targets that stand for them; None without labels."""
    if not are_labels(y):
        return None
    return labels_of(loss, y, count_outputs(model, Examples.of(X, np.zeros(len(y)))))


def find_answers(
    model: Module, loss: Loss, examples: Examples, labels: Labels | None = None
) -> Answers:
    """Return how the outputs of a model are interpreted."""
    shape, y = shape_of_outputs(model, examples), examples.y
    if len(shape) == 2 and all(hasattr(row, "__len__") for row in y):
        return answers_of(loss, rows_of(y), shape[1])
    return answers_of(loss, y, math.prod(shape)).labelled(labels)
