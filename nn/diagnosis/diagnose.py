"""`diagnose`: finds what keeps a network from learning.

It measures the model once (`evidence.py`) and asks each symptom (`symptoms.py`) for its findings.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Value
from autograd.extend import terminal

from .. import losses
from ..data import Examples
from ..gradients import gradient_of
from ..labels import numbered
from ..modes import evaluating
from ..module import Module
from ..networks import layers_of
from ..optim import SGD, Optimizer
from ..settings import function, instance, positive
from ..training.answers import labels_known
from ..training.compatibility import NUMERIC
from ..training.history import History
from ..training.trainer import Trainer
from .evidence import Evidence, kept
from .symptoms import SYMPTOMS, Case, Finding


class Diagnosis(list[Finding]):
    """A list of findings, in the order in which to fix them. It prints as sentences.

    >>> import nn
    >>> model = nn.Layer(2, 1, "sigmoid", seed=0)
    >>> nn.diagnose(model, [[0.0, 1.0], [1.0, 0.0]], [0, 1], nn.binary_cross_entropy)
    nothing found that would keep it from learning
    """

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
    """Find what keeps a model from learning. Nothing is changed.

    Each finding comes with the numbers that prove it. The arguments decide what can be found:

    - From the model and the examples: dead, saturated, equal and zero neurons; gradients that
      vanish, explode or cannot flow; unscaled features, contradictory examples, and targets that
      the outputs cannot reach.
    - With the optimiser: a learning rate that is too high or too low, a forgotten `zero_grad()`,
      and parameters that the optimiser does not move.
    - With the history: divergence, overfitting, and answers that are all the same.

    Args:
        model: a network of layers, or a neuron.
        X, y: examples, as for `Trainer.fit`.
        loss: the cost of one example. Default: the trainer's loss. Without a trainer it is
            cross-entropy for several outputs and integer targets, binary cross-entropy with
            logits for targets 0 and 1, hinge loss for −1 and 1, else the squared error.
        lr: the learning rate to check. Default: the optimiser's. If `lr` is given without an
            optimiser, plain gradient descent is assumed.
        optimizer: the optimiser that moves the parameters.
        history: the history of the training so far, as `trainer.fit()` returned it.
        trainer: supplies the loss, the optimiser and the history, unless they are given.

    Returns:
        A list of findings, in the order in which to fix them. It prints as sentences.

    Raises:
        TypeError, ValueError: X or y does not fit the model and the loss, `lr` is not positive,
            the model has no layers, or an argument has the wrong type.

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
    examples = Examples.of(X, numbered(y, labels_known(y, model, history)), rows_only=True)
    layers = layers_of(model)
    loss = loss or _usual_loss(model, examples)
    for name, layer in layers.items():
        if not all(math.isfinite(p.data) for p in layer.parameters()):
            why = "it has weights that are not finite: start anew, with a lower learning rate"
            return Diagnosis([Finding("overflow", name, why)])
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # overflow is reported as a finding
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
    """Put together what is known, with the defaults for the optimiser and the rate."""
    if optimizer is None and lr is not None:
        optimizer = SGD(seen.params, lr)
    if lr is None and history is not None and history.learning_rates:
        lr = history.learning_rates[0]  # a schedule may have lowered the rate since
    if lr is None and optimizer is not None:
        lr = optimizer.lr
    return Case(seen, optimizer, lr, history, gradient_of(seen.params))


def _usual_loss(model: Module, examples: Examples) -> Callable[[Any, Any], Value]:
    """Return the default loss for these outputs and targets; see `diagnose`."""
    with evaluating(model), kept(layers_of(model)):
        several = not isinstance(model(examples[0][0]), Value)
    kinds = set(np.ravel(np.array(examples.y)).tolist())
    if several:
        whole = all(isinstance(target, int) for target in examples.y)
        return losses.cross_entropy if whole else losses.squared_error
    if kinds <= {0, 1}:
        return losses.binary_cross_entropy_with_logits
    return losses.hinge_loss if kinds <= {-1, 1} else losses.squared_error
