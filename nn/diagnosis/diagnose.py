"""What keeps a network from learning: a sentence for each trouble, with its proof and a remedy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Value
from autograd.extend import terminal

from .. import losses
from ..data import Examples
from ..layers import layers_of
from ..module import Module, evaluating
from ..optim import SGD, Optimizer, gradient_of
from ..settings import function, instance, positive
from ..training.history import History
from ..training.trainer import NUMERIC, Trainer
from .evidence import Evidence, kept
from .symptoms import SYMPTOMS, Case, Finding


class Diagnosis(list[Finding]):
    """The findings, the one to mend first before the others; they print as sentences."""

    @terminal.fitted
    def __str__(self) -> str:
        return "\n".join(map(str, self)) or "nothing found that would keep it from learning"

    __repr__ = __str__


def diagnose(
    model: Module,
    X: Any,
    y: Any,
    loss: Callable[[Any, Any], Value] | None = None,
    lr: float | None = None,
    *,
    optimizer: Optimizer | None = None,
    history: History | None = None,
    trainer: Trainer | None = None,
) -> Diagnosis:
    """Look for what keeps a model from learning; nothing is changed.

    Only what can be shown is said, with the numbers that show it. What is found depends on what
    is known: dead, saturated, equal and zero neurons, gradients that vanish, explode or cannot
    flow, unscaled and contradicting examples, and targets that the outputs cannot reach are
    found by the model and its examples; a learning rate that is too high or too low and a
    forgotten `zero_grad()` by the optimiser as well; divergence, overfitting and answers that
    are all the same by the history.

    Args:
        model: a network of layers, or a neuron.
        X, y: examples, as for `Trainer.fit`.
        loss: the cost of one example; by default the trainer's, else cross-entropy for several
            outputs and whole numbers as targets, the logistic one for targets 0 and 1, the
            hinge's for −1 and 1, else the squared error.
        lr: the learning rate to judge, by default the optimiser's; without an optimiser it is
            that of plain descent.
        optimizer: what moves the parameters.
        history: of the training so far, as `trainer.fit()` returned it.
        trainer: for the loss, the optimiser and the history in one.

    Returns:
        A list of findings, in the order in which to mend them, that prints as sentences.

    Raises:
        TypeError, ValueError: X or y is not what the model and the loss take, `lr` is not
            positive, the model has no layers, or an argument is something else.

    >>> from nn import MLP
    >>> model = MLP(2, [3, 1], init=lambda rng, nin, nout: 0.5)
    >>> diagnose(model, [[0.0, 1.0], [1.0, 0.0]], [0, 1])
    layers.0: neurons 0, 1, 2 have the same weights and the same gradients, and will always learn
    the same: draw weights at random, as init="he" does
    """
    instance(model, Module, "model is a module of nn")
    if loss is not None:
        function(loss, "loss is a function or a module of nn")
    if trainer is not None:
        instance(trainer, Trainer, "trainer is a Trainer")
        loss, optimizer = loss or trainer.loss, optimizer or trainer.optimizer
        history = history or (trainer.history if trainer.history.step_losses else None)
    if optimizer is not None:
        instance(optimizer, Optimizer, "optimizer is one of nn, as in SGD(...)")
    if history is not None:
        instance(history, History, "history is what trainer.fit() returned")
    rate = None if lr is None else positive(lr, "lr")
    examples = Examples.of(X, y)
    layers = layers_of(model)
    loss = loss or _usual_loss(model, examples)
    for name, layer in layers.items():
        if not all(math.isfinite(p.data) for p in layer.parameters()):
            why = "it has weights that are not finite: start anew, with a lower learning rate"
            return Diagnosis([Finding("overflow", name, why)])
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # such numbers are what it looks for
            seen = Evidence(model, examples, loss)
            if not math.isfinite(seen.cost):
                raise OverflowError(f"it is {seen.cost}")
            case = _case(seen, optimizer, rate, history)
            return Diagnosis(finding for symptom in SYMPTOMS for finding in symptom(case))
    except NUMERIC as error:
        why = (
            f"the cost cannot be computed ({error}): start anew, with smaller weights, smaller "
            f"features, or a lower learning rate"
        )
        return Diagnosis([Finding("overflow", "", why)])


def _case(
    seen: Evidence, optimizer: Optimizer | None, lr: float | None, history: History | None
) -> Case:
    if optimizer is None and lr is not None:
        optimizer = SGD(seen.params, lr)
    if lr is None and history is not None and history.learning_rates:
        lr = history.learning_rates[0]  # a schedule may have brought it down since
    if lr is None and optimizer is not None:
        lr = optimizer.lr
    return Case(seen, optimizer, lr, history, gradient_of(seen.params))


def _usual_loss(model: Module, examples: Examples) -> Callable[[Any, Any], Value]:
    with evaluating(model), kept(layers_of(model)):
        several = not isinstance(model(examples[0][0]), Value)
    kinds = set(np.ravel(np.array(examples.y)).tolist())
    if several:
        whole = all(isinstance(target, int) for target in examples.y)
        return losses.cross_entropy if whole else losses.squared_error
    if kinds <= {0, 1}:
        return losses.binary_cross_entropy_with_logits
    return losses.hinge_loss if kinds <= {-1, 1} else losses.squared_error
