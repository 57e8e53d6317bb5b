"""`Answers`: how the outputs of a network are interpreted, as classes, yes or no, or numbers.

The loss and the targets decide it, in this module only. The trainer's accuracy, the diagnosis,
plots and pages all use the same `Answers`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import losses
from ..activations import ACTIVATIONS
from ..labels import Labels, are_labels
from ..loss_modules import function_of
from ..module import Module
from ..networks import layers_of
from ..tables import as_table, differ
from ..targets import class_index

if TYPE_CHECKING:
    from .history import History

Accuracy = Callable[[Any, Any], bool | None]
"""A function (outputs as numbers, target) that returns True for a right answer, False for a wrong
one, and None if there is no right answer."""

IGNORED = -100  # the target that the losses of classes ignore by default
KINDS = ("classes", "sides", "labels", "numbers")
SURE = ("", "output", "sigmoid", "softmax")
USUAL_PAIRS = ([0, 1], [-1, 1])  # targets for no and yes


@dataclass(frozen=True)
class Answers:
    """The interpretation of a network's outputs.

    Attributes:
        kind: "classes": the largest output wins, the first if several are equal.
            "sides": a single output means yes above the threshold, else no.
            "labels": each of several outputs means yes above the threshold, else no.
            "numbers": the outputs are plain numbers.
        names: the names of the classes, of no and yes, or (for labels and numbers) of the outputs.
        kinds: the target for each class, or the targets for no and yes.
        threshold: the boundary between no and yes.
        sure: the probability of an answer: "output" for the output itself, "sigmoid" for its
            sigmoid, "softmax" for the softmax of all outputs, "" if the loss defines none.
        known: True if the loss implies the interpretation, False if it is assumed.
        why: the reason for the interpretation, as a sentence.
        labels: the labels that the targets stand for, if `Trainer.fit` was given texts.

    Raises:
        ValueError: there is no such kind, or the attributes do not fit together.

    >>> answers = answers_of(losses.mse_loss, [0, 1, 1], nout=1)
    >>> answers.kind, answers.threshold, answers.of([-0.1, 0.5, 0.6])
    ('sides', 0.5, array([0, 0, 1]))
    """

    kind: str
    names: list[str]
    kinds: list[float | int] = field(default_factory=list)
    threshold: float = 0.0
    sure: str = ""
    known: bool = True
    why: str = ""
    labels: Labels | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS or self.sure not in SURE:
            raise ValueError(
                f"outputs are read as one of {KINDS}, got {self.kind!r}, {self.sure!r}"
            )
        count = {"classes": len(self.names), "numbers": 0}.get(self.kind, 2)
        if len(self.kinds) != count or (self.kind == "sides" and len(self.names) != 2):
            raise ValueError(f"{self.kind} do not fit {self.names} and {self.kinds}")
        if not math.isfinite(self.threshold):
            raise ValueError(f"a threshold is a finite number, got {self.threshold}")

    def predicted(self, outputs: Any) -> list[int] | None:
        """Return the answer to one example: indices into `names`; None for numbers or a NaN.

        Classes and sides give one index; labels give the index of each output that means yes.

        >>> answers_of(losses.cross_entropy, [0, 1], nout=3).predicted([0.5, 2.0, 2.0])
        [1]
        """
        flat = np.ravel(outputs).tolist()
        if self.kind == "numbers" or any(a != a for a in flat):
            return None
        if self.kind == "classes":
            return [flat.index(max(flat))]
        above = [j for j, a in enumerate(flat) if a > self.threshold]
        return above if self.kind == "labels" else [len(above)]

    def expected(self, target: Any) -> list[int]:
        """Return the answer that a target stands for, in the form of `predicted`.

        Raises:
            TypeError, ValueError: the target is not a class index, or is out of range.

        >>> answers_of(losses.hinge_loss, [-1, 1], nout=1).expected(1)
        [1]
        """
        if self.kind == "classes":
            if np.ndim(target) == 0:
                return [class_index(target, len(self.names))]
            return [int(np.argmax(target))]
        middle = math.fsum(self.kinds) / 2.0
        above = [j for j, y in enumerate(np.ravel(target).tolist()) if y > middle]
        return above if self.kind == "labels" else [len(above)]

    def right(self, outputs: Any, target: Any) -> bool | None:
        """Return True if the answer to one example agrees with its target.

        Return None if the outputs are numbers, or if the interpretation is only assumed.

        >>> from nn import BCEWithLogitsLoss
        >>> answers_of(BCEWithLogitsLoss(), [0, 1], nout=1).right(-0.3, 0)
        True
        """
        if self.kind == "numbers" or not self.known:
            return None
        return self.predicted(outputs) == self.expected(target)

    def rights(self, outputs: Any, targets: Any, ignored: float = IGNORED) -> np.ndarray | None:
        """Return for each of n examples whether its answer is right; None where `right` is None.

        Examples with the target `ignored` are left out.

        >>> answers_of(losses.hinge_loss, [-1, 1], nout=1).rights([0.5, 0.5], [1, -1])
        array([ True, False])
        """
        if self.kind == "numbers" or not self.known:
            return None
        targets = as_table(targets)
        rows = np.asarray(outputs, dtype=float).reshape(len(targets), -1)
        if targets.ndim == 1 and not differ(targets):
            rows, targets = rows[targets != ignored], targets[targets != ignored]
        expected = self._expected_of_all(targets, *rows.shape)
        if expected is None:  # `expected` raises the error of a target
            return np.array([self.right(found, y) for found, y in zip(rows, targets.tolist())])
        if self.kind == "classes":
            agree = rows.argmax(1) == expected
        else:
            agree = ((rows > self.threshold) == expected).all(1)
        return np.asarray(agree & ~np.isnan(rows).any(1))

    def _expected_of_all(self, targets: np.ndarray, n: int, nout: int) -> np.ndarray | None:
        """Return the classes, or which outputs mean yes, for n targets; None for unusual ones."""
        if differ(targets):
            return None
        if self.kind == "classes":
            if targets.shape == (n, nout):
                return np.asarray(targets.argmax(1))
            is_class = targets.shape == (n,) and np.isin(targets, np.arange(nout)).all()
            return targets if is_class else None
        if targets.size != n * nout:
            return None
        middle = math.fsum(self.kinds) / 2.0
        return np.asarray(targets.reshape(n, nout) > middle)

    def of(self, outputs: Any) -> np.ndarray:
        """Convert the outputs of n examples to answers, in the form of the targets.

        Args:
            outputs: as `model.predict(X)` returns them, shape (n,) or (n, nout).

        Returns:
            Class indices, or the targets for no and yes, shape (n,); for several outputs that each
            mean yes or no, shape (n, nout). If the targets were texts, these, shape (n,).

        Raises:
            ValueError: the kind is "numbers", or an output is NaN.

        >>> answers_of(losses.hinge_loss, [-1, 1], nout=1).of([0.0, 0.3])
        array([-1,  1])
        """
        answers: np.ndarray = np.array(self.names if self.labels else self.kinds)
        return answers[self.places(outputs)]  # type: ignore[no-any-return]

    def places(self, outputs: Any) -> np.ndarray:
        """Convert the outputs of n examples to indices into `names`, shape (n,).

        For several outputs that each mean yes or no, return 0 or 1 for each, shape (n, nout).

        Raises:
            ValueError: as for `of`.

        >>> answers_of(losses.hinge_loss, [-1, 1], nout=1).places([0.0, 0.3])
        array([0, 1])
        """
        if self.kind == "numbers":
            raise ValueError(f"these outputs are numbers and no answers: {self.why}")
        rows = np.asarray(outputs, dtype=float)
        if np.isnan(rows).any():
            row = int(np.argwhere(np.isnan(rows))[0][0])
            raise ValueError(f"the output of row {row} is nan, which says nothing")
        if self.kind == "classes":
            return np.asarray(rows.argmax(1))
        above = (rows > self.threshold).astype(int)
        return above.ravel() if self.kind == "sides" else above

    def labelled(self, labels: Labels | None) -> Answers:
        """Return a copy whose answers have these labels; for None, return the same object."""
        if labels is None or self.kind not in ("classes", "sides"):
            return self
        return replace(self, names=labels.names, labels=labels)

    def named(self, classes: Sequence[Any] | None) -> Answers:
        """Return a copy with other names; for None, return the same object.

        Raises:
            ValueError: the number of names is wrong.
        """
        if classes is None:
            return self
        if len(classes) != len(self.names):
            raise ValueError(
                f"the outputs tell {len(self.names)} classes apart, and there are "
                f"{len(classes)} names"
            )
        return replace(self, names=[str(name) for name in classes])


# ---------------------------------------------------------------------- implied by the loss

# For each loss of classes: `sure`.
OF_CLASSES = {losses.cross_entropy: "softmax", losses.nll_loss: "softmax"}
# For each loss of no and yes: `threshold`, `kinds` and `sure`.
OF_SIDES: dict[Any, tuple[float, list[int], str]] = {
    losses.binary_cross_entropy: (0.5, [0, 1], "output"),
    losses.binary_cross_entropy_with_logits: (0.0, [0, 1], "sigmoid"),
    losses.hinge_loss: (0.0, [-1, 1], ""),
    losses.perceptron_loss: (0.0, [-1, 1], ""),
}
DISTANCES = (losses.squared_error, losses.mse_loss, losses.l1_loss)


def answers_of(loss: Any, y: Sequence[Any], nout: int) -> Answers:
    """Determine from the loss and the targets how outputs are interpreted.

    - `cross_entropy` and `nll_loss`: classes; the largest output wins.
    - Binary cross-entropies, hinge and perceptron loss: no or yes, at the loss's own threshold.
    - Distances (`mse_loss`, `l1_loss`, `squared_error`): the targets decide. One-hot vectors or
      probabilities are classes. Targets that are all 0 or 1, or all −1 or 1, with both present,
      are no and yes, with the threshold in the middle. Other targets are numbers.
    - Your own loss: numbers. If there are several outputs and the targets are class indices or
      probabilities, classes are assumed.

    Args:
        loss: the cost of one example, a function or a module.
        y: all targets.
        nout: the number of outputs.

    >>> answers_of(losses.hinge_loss, [-1, 1], nout=1).why
    'by hinge_loss an output above 0 is a yes'
    """
    function, name = function_of(loss), _name_of(loss)
    if any(function is row for row in OF_CLASSES):
        why = f"by {name} the largest output is the answer"
        return _classes(nout, OF_CLASSES[function], why)
    if any(function is row for row in OF_SIDES):
        threshold, pair, sure = OF_SIDES[function]
        why = f"by {name} an output above {threshold:g} is a yes"
        return _sides(nout, pair, threshold, sure, why)
    if any(function is row for row in DISTANCES):
        return _nearest(name, y, nout)
    of_classes = _are_whole(y) and set(y) <= set(range(nout))
    if nout > 1 and (of_classes or _are_probabilities(y, nout)):
        why = f"assumed, for {name} is not known: the largest output is the answer"
        return replace(_classes(nout, "", why), known=False)
    return _numbers(nout, f"{name} does not say what an answer is")


def _nearest(name: str, y: Sequence[Any], nout: int) -> Answers:
    """Return the interpretation for a distance: the answer is the nearest target."""
    if nout > 1 and _are_probabilities(y, nout):
        why = f"by {name} with one-hot targets the largest output is the answer"
        return _classes(nout, "output", why)
    found = np.unique(np.asarray(y, dtype=float)).tolist()
    pair = next((pair for pair in USUAL_PAIRS if pair == found), None)
    if pair is None or np.size(y) != len(y) * nout:
        return _numbers(nout, f"{name} measures a distance, and the targets are numbers")
    middle = math.fsum(pair) / 2.0
    why = f"by {name} an output above {middle:g} is nearer to {pair[1]} than to {pair[0]}"
    return _sides(nout, pair, middle, "output" if pair == [0, 1] else "", why)


def labels_of(loss: Any, y: Any, nout: int) -> Labels:
    """Find the labels in y, and choose the targets of the loss that stand for them.

    They are the two numbers for no and yes of a single output, one-hot vectors for a distance, else
    class indices.

    Raises:
        ValueError: the number of labels does not fit the number of outputs.

    >>> labels_of(losses.hinge_loss, ["yes", "no"], nout=1)
    Labels(names=['no', 'yes'], targets=[-1, 1])
    """
    found, function = Labels.of(y), function_of(loss)
    count = len(found.names)
    if count != max(nout, 2):
        raise ValueError(
            f"y has {count} labels, and the model has {nout} output(s): one output tells two "
            f"labels apart, and more labels need an output each"
        )
    if nout == 1:
        pair = next((OF_SIDES[row][1] for row in OF_SIDES if row is function), [0, 1])
        return Labels(found.names, list(pair))
    if any(function is row for row in DISTANCES):
        return Labels(found.names, np.eye(nout).tolist())
    return found


def labels_known(y: Any, model: Module, history: History | None = None) -> Labels | None:
    """Return the labels of the model's training; without any, those in y; None without labels."""
    if not are_labels(y):
        return None
    known = model._answers if history is None else history.answers
    return (known and known.labels) or Labels.of(y)


# ---------------------------------------------------------------------- assumed


def outputs_read(
    model: Module,
    nout: int,
    y: Sequence[Any] | None,
    classes: Sequence[Any] | None = None,
    history: History | None = None,
    told_apart: bool = False,
) -> Answers:
    """Return how the outputs of a model are interpreted: as in its training, else by assumption.

    Args:
        model: the model.
        nout: the number of its outputs.
        y: targets; None if unknown.
        classes: names for the answers.
        history: of the model's training. Default: the last training of this object, if any.
        told_apart: True if y must hold classes. Names in `classes` imply it.

    Raises:
        ValueError: the number of names is wrong, y must hold classes but does not, or the
            history is of a model with another number of outputs.

    >>> from nn import MLP
    >>> outputs_read(MLP(2, [1]), 1, [-1, 1, 1]).why
    'assumed, for no cost is known: an output above 0 is a yes, as of scores and logits'
    """
    known = model._answers if history is None else history.answers
    told_apart = told_apart or classes is not None
    if known is None or (known.kind == "numbers" and told_apart):
        assumed = replace(_assumed(model, nout, y, told_apart), known=False)
        return assumed.named(classes)
    count = 1 if known.kind == "sides" else len(known.names)
    if nout != count:
        raise ValueError(f"the history is of a model of {count} outputs, and this one has {nout}")
    return known.named(classes)


def _assumed(model: Module, nout: int, y: Sequence[Any] | None, told_apart: bool) -> Answers:
    because = "assumed, for no cost is known: "
    last = _last_activation(model)
    is_probability = last in ACTIVATIONS and ACTIVATIONS[last].range == (0.0, 1.0)
    if nout > 1:
        if y is not None and not (_are_whole(y) or _are_probabilities(y, nout)):
            _refuse_numbers(y, told_apart)
            return _numbers(nout, because + "the targets are numbers")
        sure = "output" if is_probability else "softmax" if last == "identity" else ""
        return _classes(nout, sure, because + "the largest output is the answer")
    pair = [0, 1] if y is None else _assumed_pair(y, told_apart)
    if pair is None or (y is None and not (is_probability or told_apart)):
        return _numbers(nout, because + "the output is a number")
    kind = f"the {last} of the last layer" if is_probability else "scores and logits"
    threshold, sure = (0.5, "output") if is_probability else (0.0, "")
    if last == "identity" and pair == [0, 1]:
        sure = "sigmoid"
    why = f"{because}an output above {threshold:g} is a yes, as of {kind}"
    return _sides(1, pair, threshold, sure, why)


def _assumed_pair(y: Sequence[Any], told_apart: bool) -> list[Any] | None:
    """Return the targets for no and yes of a single output; None if the targets are numbers."""
    found = np.unique(np.asarray(y, dtype=float)).tolist()
    if np.size(y) == len(y) and all(x == round(x) for x in found):
        kinds = [int(x) for x in found]
        for pair in USUAL_PAIRS:
            if set(kinds) <= set(pair):
                return pair
        if not told_apart:
            return None
        if len(kinds) == 2:
            return kinds
        raise ValueError(f"one output tells two classes apart, and y has {kinds}")
    _refuse_numbers(y, told_apart)
    return None


def _refuse_numbers(y: Sequence[Any], told_apart: bool) -> None:
    if told_apart:
        raise ValueError(f"classes are to be told apart, but y has numbers such as {y[0]!r}")


def _last_activation(model: Module) -> str:
    try:
        return list(layers_of(model).values())[-1].activation.name
    except ValueError:  # a custom module without layers
        return ""


# ---------------------------------------------------------------------- small parts


def _classes(nout: int, sure: str, why: str) -> Answers:
    kinds: list[float | int] = list(range(nout))
    return Answers("classes", [str(kind) for kind in kinds], kinds, sure=sure, why=why)


def _sides(nout: int, pair: list[Any], threshold: float, sure: str, why: str) -> Answers:
    """Return the interpretation as no or yes: "sides" for one output, "labels" for several."""
    if nout == 1:
        return Answers("sides", [str(kind) for kind in pair], pair, threshold, sure, why=why)
    return Answers("labels", _outputs(nout), pair, threshold, sure, why=why)


def _numbers(nout: int, why: str) -> Answers:
    return Answers("numbers", _outputs(nout), why=why)


def _outputs(nout: int) -> list[str]:
    return [f"output {j}" for j in range(nout)]


def _are_whole(y: Sequence[Any]) -> bool:
    return np.ndim(y) == 1 and all(x == round(x) for x in y)


def _are_probabilities(y: Sequence[Any], nout: int) -> bool:
    """Return True if each target is a one-hot vector or a vector of class probabilities."""
    if np.ndim(y) != 2 or np.shape(y)[1] != nout:
        return False
    rows = np.asarray(y, dtype=float)
    return bool((rows >= 0.0).all() and np.allclose(rows.sum(1), 1.0, rtol=0.0, atol=1e-6))


def _name_of(loss: Any) -> str:
    function = function_of(loss)
    return str(getattr(function, "__name__", type(function).__name__))
