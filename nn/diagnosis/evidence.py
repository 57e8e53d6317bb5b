"""What can be measured about a model that is to learn: the numbers that a diagnosis stands on."""

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
from ..layers import Dropout, Layer, layers_of
from ..losses import cost_of, depends_on, function_of
from ..module import Module, mode, numbers
from ..optim import Optimizer, move
from ..probes import ABSOLUTE, RELATIVE
from ..training.answers import DISTANCES, Answers, answers_of
from ..training.code import Code
from ..training.squash import squashed_twice
from ..training.trainer import NUMERIC

BUDGET = 200_000  # examples times parameters that the engine differentiates,
LEAST = 30  # and the fewest examples it looks at
FEW = 20  # examples for trials that cannot be compiled
ASKED = 3  # examples whose outputs are kept with their graphs
STEPS = 20  # of a trial


class Evidence:
    """Outputs, costs and slopes of a model on examples, and what steps would do to its cost.

    The model is left as it was: weights, gradients, modes, and what its neurons keep for a look.

    Args:
        model: a network of layers, or a neuron.
        examples: what it is to learn from; of many, some are looked at, evenly spread.
        loss: the cost of one example.

    Attributes:
        z: for each layer its weighted sums, shape (examples, nout).
        slopes: for each layer ∂C/∂z by example, in the same shape.
        outputs: of the model, a row for each example.
        costs: of the examples.
        gradients: ∂C/∂w for each example and parameter.
        depends: whether the cost of any example depends on the parameters at all.
        squashed: what a cost makes of outputs that are probabilities already; "" if it does not.
        activation: the one that made the outputs; "" where something else did.

    Raises:
        ArithmeticError, DomainError: a cost cannot be computed.
        TypeError, ValueError: the model or the loss does not take an example.
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
        said: list[Any] = []
        self.activation = list(self.layers.values())[-1].activation.name
        self.costs, self.gradients, self.depends = np.zeros(shape[0]), np.zeros(shape), False
        self.z = {name: np.zeros((shape[0], layer.nout)) for name, layer in self.layers.items()}
        self.slopes = {name: np.zeros_like(z) for name, z in self.z.items()}
        with mode(model, training=False), kept(self.layers):
            for i, (x, y) in enumerate(self.examples):
                outputs = self._look(i, x, y)
                said += [outputs] if len(said) < ASKED else []
        self.squashed = squashed_twice(loss, said)

    def _look(self, i: int, x: list[float], y: Any) -> Any:
        """Measure the i-th example, and return the outputs."""
        outputs = self.model(x)
        cost = cost_of(self.loss(outputs, y), "loss")
        self.outputs.append(numbers(outputs))
        made = [n.a for n in list(self.layers.values())[-1].neurons]
        said = [outputs] if isinstance(outputs, Value) else list(outputs)
        if len(said) != len(made) or any(a is not b for a, b in zip(said, made)):
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

    # ------------------------------------------------------------------ what it amounts to

    @property
    def looked_at(self) -> str:
        """Which examples were measured, in words."""
        some, every = len(self.examples), len(self.all)
        return f"the {every:,} examples" if some == every else f"{some:,} of {every:,} examples"

    @property
    def tried_on(self) -> str:
        """Which examples the trials are of, in words."""
        if self._code is not None or len(self.examples) <= FEW:
            return self.looked_at
        return f"{FEW} of {len(self.all):,} examples"

    @property
    def drops(self) -> bool:
        """Whether training computes something else than what was measured."""
        return any(isinstance(module, Dropout) and module.p for module in self.model.modules())

    @property
    def longest(self) -> float:
        """The longest gradient that one pass can give, if all examples pull the same way."""
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
        """What the outputs say."""
        return answers_of(self.loss, self.all.y, int(np.size(self.outputs[0])))

    @cached_property
    def accuracy(self) -> float | None:
        """The share of right answers; None where no answer is right or wrong."""
        judged = [self.answers.right(a, y) for a, y in zip(self.outputs, self.examples.y)]
        return None if None in judged else judged.count(True) / len(judged)

    @cached_property
    def commonest(self) -> float:
        """The share of the commonest target: how often one answer for all would be right."""
        meant = [tuple(self.answers.meant(y)) for y in self.examples.y]
        return max(map(meant.count, meant)) / len(meant)

    @cached_property
    def learned(self) -> bool:
        """Whether a tenth or less is left of what one answer for all examples gets wrong.

        For numbers, whether a twentieth or less is left of their variance.
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
    def _code(self) -> Code | None:
        """Compiled code that gives the measured costs and their gradient; None without it."""
        # Whatever keeps it from being compiled, the engine may do without it
        with contextlib.suppress(Exception), kept(self.layers):
            code = Code(self.model, self.loss, self.examples, learns=False)
            with _moved(self.params, self.weights):
                costs, gradient = code.descended(slice(None))
            found, measured = [*costs, *gradient], [*self.costs, *self.gradient]
            if np.allclose(found, measured, rtol=RELATIVE, atol=ABSOLUTE):
                return code
        return None

    def at(self, weights: np.ndarray, everywhere: bool = False) -> tuple[float, np.ndarray]:
        """The mean cost at other weights and its gradient; infinite if it cannot be computed.

        Args:
            weights: a number for each parameter.
            everywhere: whether all measured examples count, or a few where there is no code.
        """
        with _moved(self.params, weights), contextlib.suppress(*NUMERIC, ValueError):
            if self._code is not None:
                costs, gradient = self._code.descended(slice(None))
            else:
                few = self.examples if everywhere else self.examples.first(FEW)
                costs, gradient = self._by_engine(few)
            if np.isfinite(costs).all() and np.isfinite(gradient).all():
                return float(costs.mean()), gradient
        return math.inf, np.zeros(len(self.params))

    def _by_engine(self, examples: Examples) -> tuple[np.ndarray, np.ndarray]:
        costs, gradient = [], np.zeros(len(self.params))
        with mode(self.model, training=False), kept(self.layers):
            for x, y in examples:
                cost = self.loss(self.model(x), y)
                costs.append(cost.data)
                gradient += _slopes(cost, self.params)
        return np.array(costs), gradient / len(examples)

    def elsewhere(self, weights: np.ndarray) -> Evidence:
        """What is measured at other weights."""
        with _moved(self.params, weights):
            return Evidence(self.model, self.all, self.loss)

    def trial(self, optimizer: Optimizer, lr: float) -> list[float]:
        """The mean cost before and after each of some steps with a learning rate."""
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
    """What the neurons keep for a look is afterwards what it was."""
    held = [(n, n.z, n.a) for layer in layers.values() for n in layer.neurons]
    try:
        yield
    finally:
        for neuron, z, a in held:
            neuron.z, neuron.a = z, a


@contextlib.contextmanager
def _moved(params: list[Value], weights: np.ndarray) -> Iterator[None]:
    """Inside, the parameters are at other weights."""
    before = [p.data for p in params]
    try:
        move(params, weights.tolist())
        yield
    finally:
        move(params, before)
