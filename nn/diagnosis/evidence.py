"""`Evidence`: the measurements of a model on which the diagnosis is based."""

from __future__ import annotations

import contextlib
import copy
import itertools
import math
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from autograd import Value, grad

from ..data import Examples
from ..dropout import Dropout
from ..gradients import depends_on
from ..layers import Layer
from ..loss_modules import function_of
from ..losses import cost_of
from ..modes import mode
from ..module import Module
from ..networks import layers_of
from ..optim import Optimizer
from ..parameters import move
from ..prediction import numbers_in
from ..probes import ABSOLUTE, RELATIVE
from ..training.answers import DISTANCES, Answers, answers_of
from ..training.compatibility import NUMERIC
from ..training.compiled_costs import CompiledCosts
from ..training.costs import ALL, EngineCosts
from ..training.squash import squashed_twice

BUDGET = 200_000  # examples times parameters to differentiate with the engine
LEAST = 30  # examples to measure in any case
FEW = 20  # examples in a trial that runs on the engine
ASKED = 3  # examples whose outputs are kept as Values
STEPS = 20  # steps in a trial


class Evidence:
    """Outputs, costs and slopes of a model on examples, and trial steps of an optimiser.

    The model is unchanged afterwards: its weights, gradients, modes, and the z and a that its
    neurons store.

    Args:
        model: a network of layers, or a neuron.
        examples: the examples to learn from. If there are many, evenly spaced ones are measured.
        loss: the cost of one example.

    Attributes:
        z: for each layer its weighted sums, shape (examples, nout).
        slopes: for each layer ∂C/∂z, in the same shape.
        outputs: the model's outputs, one row per example.
        costs: the cost of each example.
        gradients: ∂C/∂w for each example and parameter.
        depends: True if the cost of any example depends on the parameters.
        squashed: the message of `squashed_twice`; "" if the last activation fits the loss.
        activation: the name of the last layer's activation; "" if the outputs are not those of
            the last layer.
        range: the range of the last layer's activation.

    Raises:
        ArithmeticError, DomainError: a cost cannot be computed.
        TypeError, ValueError: the model or the loss does not accept an example.
    """

    def __init__(self, model: Module, examples: Examples, loss: Callable[[Any, Any], Any]) -> None:
        self.model, self.loss, self.all = model, loss, examples
        self.params = model.parameters()
        self.weights = np.array([p.data for p in self.params])
        self.layers = layers_of(model)
        count = max(LEAST, BUDGET // max(len(self.params), 1))
        chosen = np.linspace(0, len(examples) - 1, min(count, len(examples)))
        self.examples = examples.chosen(chosen.round().astype(int).tolist())
        shape = len(self.examples), len(self.params)
        self.outputs: list[Any] = []
        first: list[Any] = []
        last = list(self.layers.values())[-1].activation
        self.activation, self.range = last.name, last.range
        self.costs, self.gradients, self.depends = np.zeros(shape[0]), np.zeros(shape), False
        self.z = {name: np.zeros((shape[0], layer.nout)) for name, layer in self.layers.items()}
        self.slopes = {name: np.zeros_like(z) for name, z in self.z.items()}
        with mode(model, training=False), kept(self.layers):
            for i, (x, y) in enumerate(self.examples):
                outputs = self._look(i, x, y)
                first += [outputs] if len(first) < ASKED else []
        self.squashed = squashed_twice(loss, first)

    def _look(self, i: int, x: list[float], y: Any) -> Any:
        """Measure example i, and return the model's outputs for it."""
        outputs = self.model(x)
        cost = cost_of(self.loss(outputs, y), "loss")
        self.outputs.append(numbers_in(outputs))
        made = [n.a for n in list(self.layers.values())[-1].neurons]
        given = [outputs] if isinstance(outputs, Value) else list(outputs)
        if len(given) != len(made) or any(a is not b for a, b in zip(given, made)):
            self.activation = ""
        self.costs[i] = cost.data
        self.depends = self.depends or depends_on(cost, self.params)
        called: dict[str, list[Value]] = {}
        for name, layer in self.layers.items():
            sums = [n.z for n in layer.neurons if n.z is not None]
            if len(sums) == layer.nout:
                called[name] = sums
        found = _slopes(cost, [*self.params, *itertools.chain(*called.values())])
        self.gradients[i], found = found[: len(self.params)], found[len(self.params) :]
        for name, zs in called.items():
            self.z[name][i] = [z.data for z in zs]
            self.slopes[name][i], found = found[: len(zs)], found[len(zs) :]
        return outputs

    # ------------------------------------------------------------------ summaries

    @property
    def looked_at(self) -> str:
        """The measured examples, in words."""
        some, every = len(self.examples), len(self.all)
        return f"the {every:,} examples" if some == every else f"{some:,} of {every:,} examples"

    @property
    def tried_on(self) -> str:
        """The examples of the trials, in words."""
        if self._compiled or len(self.examples) <= FEW:
            return self.looked_at
        return f"{FEW} of {len(self.all):,} examples"

    @property
    def drops(self) -> bool:
        """True if the model has active dropout, so that training differs from the measurements."""
        return any(isinstance(module, Dropout) and module.p for module in self.model.modules())

    @property
    def longest(self) -> float:
        """An upper bound for the norm of the summed gradient of one pass over the examples."""
        return float(np.linalg.norm(self.gradients, axis=1).sum())

    @property
    def cost(self) -> float:
        """The mean cost."""
        return float((self.costs / len(self.costs)).sum())

    @property
    def gradient(self) -> np.ndarray:
        """The gradient of the mean cost."""
        return np.asarray((self.gradients / len(self.gradients)).sum(0))

    @cached_property
    def answers(self) -> Answers:
        """The interpretation of the outputs."""
        return answers_of(self.loss, self.all.y, int(np.size(self.outputs[0])))

    @cached_property
    def accuracy(self) -> float | None:
        """The share of right answers; None if an answer is neither right nor wrong."""
        judged = [self.answers.right(a, y) for a, y in zip(self.outputs, self.examples.y)]
        return None if None in judged else judged.count(True) / len(judged)

    @cached_property
    def commonest(self) -> float:
        """The share of the most frequent target: the accuracy of always giving that answer."""
        expected = [tuple(self.answers.expected(y)) for y in self.examples.y]
        return max(map(expected.count, expected)) / len(expected)

    @cached_property
    def learned(self) -> bool:
        """True if the model has largely learned the examples.

        For answers: the error rate is at most a tenth of that of the best constant answer. For
        numbers and a distance: at most a twentieth of the targets' variance is unexplained.
        """
        if self.accuracy is not None:
            return 1.0 - self.accuracy <= 0.1 * (1.0 - self.commonest)
        if not any(function_of(self.loss) is distance for distance in DISTANCES):
            return False
        y = np.array(self.examples.y, dtype=float).reshape(len(self.examples), -1)
        outputs = np.array(self.outputs, dtype=float).reshape(y.shape)
        return bool(((outputs - y) ** 2).sum() <= 0.05 * ((y - y.mean(0)) ** 2).sum())

    # ------------------------------------------------------------------ other weights

    @cached_property
    def _compiled(self) -> CompiledCosts | None:
        """Compiled code that reproduces the measurements; None if there is no such code."""
        # Any error is acceptable, because the engine can compute the same.
        with contextlib.suppress(Exception), kept(self.layers), _moved(self.params, self.weights):
            compiled = CompiledCosts(self.model, self.loss)
            found = compiled.compute(self.examples, ALL, training=False, slopes=True)
            numbers, measured = [*found.costs, *found.gradient], [*self.costs, *self.gradient]
            if np.allclose(numbers, measured, rtol=RELATIVE, atol=ABSOLUTE):
                return compiled
        return None

    def at(self, weights: np.ndarray, everywhere: bool = False) -> tuple[float, np.ndarray]:
        """Compute the mean cost and its gradient at other weights.

        Args:
            weights: a number for each parameter.
            everywhere: True to use all measured examples. If False, only `FEW` of them are used
                when there is no compiled code.

        Returns:
            The cost and the gradient; infinity and zeros if they cannot be computed.
        """
        costs = self._compiled or EngineCosts(self.model, self.loss)
        rows = slice(None if self._compiled or everywhere else FEW)
        suppressed = contextlib.suppress(*NUMERIC, ValueError)
        with _moved(self.params, weights), kept(self.layers), suppressed:
            found = costs.compute(self.examples, rows, training=False, slopes=True)
            if found.is_finite:
                return float(found.costs.mean()), found.gradient
        return math.inf, np.zeros(len(self.params))

    def elsewhere(self, weights: np.ndarray) -> Evidence:
        """Measure the model at other weights."""
        with _moved(self.params, weights):
            return Evidence(self.model, self.all, self.loss)

    def trial(self, optimizer: Optimizer, lr: float) -> list[float]:
        """Simulate `STEPS` steps of an optimiser with another learning rate.

        Returns:
            The mean cost before the first step and after each step. The list ends at the first
            cost that is not finite.
        """
        tried = copy.copy(optimizer)
        tried.lr = lr
        place = {id(p): i for i, p in enumerate(self.params)}
        moved = [place[id(p)] for p in optimizer.params]
        weights, found = self.weights.copy(), []
        for _ in range(STEPS + 1):
            cost, gradient = self.at(weights)
            found.append(cost)
            if not math.isfinite(cost):
                break
            slope = gradient[moved] + tried.weight_decay * weights[moved]
            with np.errstate(all="ignore"):
                change, tried.memory = tried._change(slope)
                weights[moved] -= change
            tried.steps += 1
        return found


def _slopes(cost: Value, by: list[Any]) -> list[float]:
    return [slope or 0.0 for slope in grad(cost, by, allow_unused=True)]


@contextlib.contextmanager
def kept(layers: dict[str, Layer]) -> Iterator[None]:
    """Restore the z and a that the neurons store, after the block."""
    held = [(n, n.z, n.a) for layer in layers.values() for n in layer.neurons]
    try:
        yield
    finally:
        for neuron, z, a in held:
            neuron.z, neuron.a = z, a


@contextlib.contextmanager
def _moved(params: list[Value], weights: np.ndarray) -> Iterator[None]:
    """Set the parameters to other weights for the duration of the block."""
    before = [p.data for p in params]
    try:
        move(params, weights.tolist())
        yield
    finally:
        move(params, before)
