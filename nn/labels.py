"""Labels: classes that are named by texts, as in y = ["cat", "dog", "cat"].

Losses take numbers. `Trainer.fit` chooses the number, or the vector, that stands for each label;
`Answers` keeps them, and what is trained answers with labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


def are_labels(y: Any) -> bool:
    """Return True for a list or an array of texts.

    >>> are_labels(["cat", "dog"]), are_labels([0, 1]), are_labels("cat")
    (True, False, False)
    """
    if isinstance(y, np.ndarray) or type(y).__module__.startswith("pandas"):
        y = np.asarray(y)
        return y.ndim == 1 and (y.dtype.kind == "U" or (len(y) > 0 and isinstance(y[0], str)))
    return isinstance(y, (list, tuple)) and len(y) > 0 and isinstance(y[0], str)


@dataclass(frozen=True)
class Labels:
    """The labels of a training, in sorted order, and the target of the loss for each.

    Attributes:
        names: the labels.
        targets: the targets: class indices, the two numbers for no and yes, or one-hot vectors.
    """

    names: list[str]
    targets: list[Any]

    @classmethod
    def of(cls, y: Any) -> Labels:
        """Find the labels in y; the targets are class indices.

        >>> Labels.of(["dog", "cat", "dog"])
        Labels(names=['cat', 'dog'], targets=[0, 1])
        """
        names = sorted(set(_texts(y)))
        return cls(names, list(range(len(names))))

    def named(self, targets: Sequence[Any]) -> list[str]:
        """Return the label for each target.

        >>> Labels(["cat", "dog"], [-1, 1]).named([1, -1])
        ['dog', 'cat']
        """
        return [self.names[self.targets.index(target)] for target in targets]

    def numbered(self, y: Any) -> list[Any]:
        """Return the target for each label in y.

        Raises:
            ValueError: a label is not known.

        >>> Labels(["cat", "dog"], [-1, 1]).numbered(["dog", "cat"])
        [1, -1]
        """
        known = dict(zip(self.names, self.targets))
        unknown = sorted({label for label in _texts(y) if label not in known})
        if unknown:
            raise ValueError(f"y has the label {unknown[0]!r}, and the labels are {self.names}")
        return [known[label] for label in _texts(y)]


def numbered(y: Any, labels: Labels | None) -> Any:
    """Return the targets for the labels in y; return y itself if it has none."""
    return labels.numbered(y) if labels and are_labels(y) else y


def _texts(y: Any) -> Sequence[str]:
    """Check that y is made of texts only, and return them.

    Raises:
        TypeError: it holds something else.
    """
    for row, label in enumerate(labels := np.asarray(y, dtype=object).tolist()):
        if not isinstance(label, str):
            raise TypeError(
                f"y[{row}] is {label!r}, and other targets are labels such as {labels[0]!r}"
            )
    return labels  # type: ignore[no-any-return]
