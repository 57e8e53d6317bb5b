"""What the outputs of a network mean: one of several classes, a yes or a no, or just numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .layers import Neuron
from .module import Module
from .targets import class_index

USUAL_PAIRS = ([0, 1], [-1, 1])  # of no and yes


@dataclass(frozen=True)
class Answers:
    """How outputs are read.

    Attributes:
        kind: "classes" if the largest output wins, "sides" if one output says yes above the
            threshold, "numbers" if the outputs are what was asked for.
        names: of the classes, of no and yes, or of the outputs.
        threshold: between no and yes.
    """

    kind: str
    names: list[str]
    threshold: float = 0.0


def answers_of(
    model: Module,
    nout: int,
    y: list[Any] | None,
    classes: Sequence[Any] | None,
    judged: bool | None = None,
) -> tuple[Answers, list[int] | None]:
    """How the outputs of a model are read, and which answer is right for each target.

    Args:
        model: whose outputs they are.
        nout: how many it has.
        y: targets, if they are known: class indices, one-hot vectors, no and yes, or numbers.
        classes: names of the classes, or of no and yes; by default as the targets have them.
        judged: whether its training told right answers from wrong ones; None if it is not known.

    Returns:
        With targets that are no classes, none is right or wrong: None.

    Raises:
        ValueError: there are not as many names as answers, or a target is none of them.

    >>> from nn import MLP
    >>> answers_of(MLP(2, [1]), 1, [-1, 1, 1], None)
    (Answers(kind='sides', names=['-1', '1'], threshold=0.0), [0, 1, 1])
    """
    found = None if y is None else _kinds(y, nout, named=classes is not None)
    if classes is None and (judged is False or (found is None and not _may_tell(model, nout, y))):
        return Answers("numbers", [f"output {j}" for j in range(nout)]), None
    if found is None and y is not None:
        raise ValueError(f"classes names what y tells apart, but y has numbers such as {y[0]!r}")
    count = max(nout, 2)
    kinds, right = found or (list(range(count)), None)
    names = [str(kind) for kind in (kinds if classes is None else classes)]
    if len(names) != count:
        raise ValueError(
            f"the outputs tell {count} classes apart, and there are {len(names)} names"
        )
    if nout > 1:
        return Answers("classes", names), right
    return Answers("sides", names, threshold_of(model)), right


def _may_tell(model: Module, nout: int, y: list[Any] | None) -> bool:
    """Whether outputs without a word on what they mean are taken for answers."""
    return y is None and (nout > 1 or threshold_of(model) > 0.0)


def _kinds(y: list[Any], nout: int, named: bool) -> tuple[list[Any], list[int]] | None:
    """What targets tell apart, and which each of them is; None if they are just numbers.

    Any two numbers are a no and a yes if they are named; otherwise only 0 and 1, and −1 and 1.
    """
    array = np.array(y, dtype=float)
    if array.ndim == 2 and array.shape[1] == nout > 1:
        one_hot = (array >= 0.0).all() and np.allclose(array.sum(1), 1.0)
        return (list(range(nout)), array.argmax(1).tolist()) if one_hot else None
    flat = array.ravel()
    if len(flat) != len(y) or (flat != flat.round()).any():
        return None
    whole = flat.astype(int).tolist()
    if nout > 1:
        return list(range(nout)), [class_index(kind, nout) for kind in whole]
    try:
        pair = no_and_yes(whole)
    except ValueError:
        return None
    if pair not in USUAL_PAIRS and not named:
        return None
    return pair, [pair.index(kind) for kind in whole]


def no_and_yes(classes: Sequence[Any]) -> list[Any]:
    """The two classes that one output tells apart, the lower first.

    Raises:
        ValueError: there are not two.

    >>> no_and_yes([1, 1]), no_and_yes([3, 2, 3])
    ([0, 1], [2, 3])
    """
    kinds = sorted(set(classes))
    for pair in USUAL_PAIRS:
        if set(kinds) <= set(pair):
            return pair
    if len(kinds) != 2:
        raise ValueError(f"one output tells two classes apart, and y has {kinds}")
    return kinds


def threshold_of(model: Module) -> float:
    """Between no and yes, by the activation that comes last: 0.5 of a probability, 0 of a logit.

    >>> from nn import MLP
    >>> threshold_of(MLP(2, [1], output="sigmoid")), threshold_of(MLP(2, [1]))
    (0.5, 0.0)
    """
    last = [m for m in model.modules() if isinstance(m, Neuron)][-1:]
    return 0.5 if last and last[0].activation.name in ("sigmoid", "step") else 0.0
