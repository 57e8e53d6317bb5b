"""What keeps a network from learning: a sentence for each trouble, with layer and remedy."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import Value, terminal

from . import losses
from .answers import answers_of
from .data import Examples
from .layers import Layer, layers_of
from .module import Module, evaluating, mode, numbers
from .optim import grad_norm, move
from .settings import function, instance, positive

FLAT = {"sigmoid": 4.6, "tanh": 3.0}  # beyond this |z| the slope is below a hundredth
SATURATED = 0.9  # of the examples
RATIO = 100.0  # between the gradients of two layers
REPEATED = 1.9  # times one pass
LEARNED = 0.95  # of the answers right: flat neurons and small gradients are then no trouble


@dataclass(frozen=True)
class Finding:
    """A trouble that was found.

    Attributes:
        kind: "dead", "saturated", "vanishing", "exploding", "symmetric", "zero_grad", "lr", or
            "overflow" where numbers have grown beyond what can be computed with.
        layer: where, as in `layers.0`; "" for the whole model.
        text: what it is, and the remedy.
    """

    kind: str
    layer: str
    text: str

    @terminal.fitted
    def __str__(self) -> str:
        return f"{self.layer}: {self.text}" if self.layer else self.text


class Diagnosis(list[Finding]):
    """The findings, which print as sentences."""

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
) -> Diagnosis:
    """Look for what keeps a model from learning; nothing is changed.

    Found are dead ReLUs, saturated sigmoids and tanhs, gradients that vanish or explode from
    layer to layer, neurons that are equal, gradients of several backward passes added up, and
    a learning rate whose next step would raise the cost.

    Args:
        model: a network of layers, or a neuron.
        X, y: examples, as for `Trainer.fit`.
        loss: the cost of one example; by default cross-entropy for several outputs and whole
            numbers as targets, the logistic one for targets 0 and 1, the hinge's for −1 and 1,
            else the squared error.
        lr: the learning rate to judge; none is judged without.

    Returns:
        A list of findings that prints as sentences.

    Raises:
        TypeError, ValueError: X or y is not what the model and the loss take, `lr` is not
            positive, or the model has no layers.

    >>> from nn import MLP
    >>> model = MLP(2, [3, 1], init=lambda rng, nin, nout: 0.5)
    >>> diagnose(model, [[0.0, 1.0], [1.0, 0.0]], [0, 1])
    layers.0: neurons 0, 1, 2 have the same weights and the same gradients, and will always learn
    the same: draw weights at random, as init="he" does
    """
    instance(model, Module, "model is a module of nn")
    if loss is not None:
        function(loss, "loss is a function or a module of nn")
    rate = None if lr is None else positive(lr, "lr")
    examples = list(Examples.of(X, y))
    loss = loss or _usual_loss(model, examples[0][0], [target for _, target in examples])
    layers = layers_of(model)
    params = model.parameters()
    held = [p.grad for p in params]
    try:
        with mode(model, training=False):
            return Diagnosis(_findings(model, layers, examples, loss, rate, held))
    finally:
        for p, before in zip(params, held):
            p.grad = before


def _findings(
    model: Module,
    layers: dict[str, Layer],
    examples: list[Any],
    loss: Callable[[Any, Any], Value],
    lr: float | None,
    held: list[float],
) -> Iterator[Finding]:
    for name, layer in layers.items():
        if not all(math.isfinite(p.data) for p in layer.parameters()):
            yield Finding(
                "overflow",
                name,
                "it has weights that are not finite: start anew, with a lower learning rate",
            )
            return
    try:
        cost, learned = _pass(model, loss, examples)
    except ArithmeticError as error:
        yield Finding(
            "overflow",
            "",
            f"the cost cannot be computed ({error}): start anew, with smaller weights, smaller "
            f"features, or a lower learning rate",
        )
        return
    gradient = np.array([p.grad or 0.0 for p in model.parameters()])
    yield from _dead_or_saturated(model, layers, [x for x, _ in examples], learned)
    yield from _uneven(layers, learned)
    yield from _symmetric(layers)
    yield from _added_up(np.array([g or 0.0 for g in held]), gradient, len(examples))
    if lr is not None:
        yield from _too_fast(model, loss, examples, cost, gradient, lr)


def _usual_loss(model: Module, row: list[float], y: list[Any]) -> Callable[[Any, Any], Value]:
    with evaluating(model):
        several = not isinstance(model(row), Value)
    kinds = set(np.ravel(np.array(y)).tolist())
    if several:
        whole = all(isinstance(target, int) for target in y)
        return losses.cross_entropy if whole else losses.squared_error
    if kinds <= {0, 1}:
        return losses.binary_cross_entropy_with_logits
    return losses.hinge_loss if kinds <= {-1, 1} else losses.squared_error


def _pass(model: Module, loss: Callable[..., Value], examples: Any) -> tuple[float, bool]:
    """The mean cost, and whether it is already learned; leaves the gradient in the parameters."""
    costs, answers = [], []
    with evaluating(model):
        nout = np.size(numbers(model(examples[0][0])))
    judge = answers_of(loss, [y for _, y in examples], nout).right
    model.zero_grad()
    for x, y in examples:
        outputs = model(x)
        cost = loss(outputs, y)
        cost.backward(1.0 / len(examples))
        costs.append(cost.data)
        answers.append(judge(numbers(outputs), y))
    mean_cost = sum(costs) / len(examples)
    if not math.isfinite(mean_cost):
        raise OverflowError(f"it is {mean_cost}")
    judged = [answer for answer in answers if answer is not None]
    if judged:
        return mean_cost, sum(judged) / len(judged) >= LEARNED
    return mean_cost, mean_cost <= (1.0 - LEARNED) * float(np.var([y for _, y in examples]))


def _dead_or_saturated(
    model: Module, layers: dict[str, Layer], rows: list[list[float]], learned: bool
) -> Iterator[Finding]:
    sums: dict[str, list[list[float]]] = defaultdict(list)
    with evaluating(model):
        for row in rows:
            model(row)
            for name, layer in layers.items():
                sums[name].append([n.z.data if n.z is not None else 0.0 for n in layer.neurons])
    for name, layer in layers.items():
        z = np.array(sums[name])
        kind = layer.activation.name
        if kind == "relu" and (dead := np.flatnonzero((z <= 0.0).all(0))).size:
            yield Finding(
                "dead",
                name,
                f"{_neurons(dead)} of {layer.nout} {'is' if dead.size == 1 else 'are'} dead: the "
                f"weighted sum is not above 0 for any of the {len(rows)} examples, so that relu "
                f"lets no gradient through. Lower the learning rate, start anew, or use leaky_relu",
            )
        if kind in FLAT and not learned:
            share = (abs(z) > FLAT[kind]).mean(0)
            if (flat := np.flatnonzero(share >= SATURATED)).size:
                yield Finding(
                    "saturated",
                    name,
                    f"{_neurons(flat)} of {layer.nout} {'is' if flat.size == 1 else 'are'} "
                    f"saturated: |z| is above {FLAT[kind]:g} for nearly all examples, where "
                    f"{kind} is flat. Scale the features, or start with smaller weights, as "
                    f'init="xavier" does',
                )


def _uneven(layers: dict[str, Layer], learned: bool) -> Iterator[Finding]:
    """The layer whose gradient is farthest below the last one's, and the one farthest above."""
    sizes = {
        name: grad_norm(layer.parameters()) / math.sqrt(len(layer.parameters()))
        for name, layer in layers.items()
    }
    if learned or not sizes:
        return
    last = list(sizes)[-1]
    least, most = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
    kinds = {layer.activation.name for layer in layers.values()}
    if sizes[least] == 0.0:
        if "step" in kinds:
            why = "step is flat everywhere. Use relu, tanh or sigmoid"
        elif sizes[last] == 0.0:
            why = "the cost is flat where the outputs are. Start from other weights"
        else:
            why = "all that lies behind it is flat or dead. Start from other weights"
        yield Finding("vanishing", least, f"no gradient at all arrives here: {why}")
    elif sizes[least] * RATIO < sizes[last]:
        remedy = "Start with weights that fit the activation (he, xavier), or use fewer layers"
        if "sigmoid" in kinds:
            remedy = "Sigmoid's slope is at most ¼: use relu or tanh, or fewer layers"
        yield Finding(
            "vanishing",
            least,
            f"the gradient vanishes on its way here: a weight of {last} gets "
            f"{sizes[last] / sizes[least]:,.3g} times as much. {remedy}",
        )
    if 0.0 < sizes[last] * RATIO < sizes[most]:
        yield Finding(
            "exploding",
            most,
            f"the gradient explodes on its way here: a weight gets "
            f"{sizes[most] / sizes[last]:,.3g} times as much as one of {last}. Start with smaller "
            f"weights (he, xavier), or clip the gradient",
        )


def _symmetric(layers: dict[str, Layer]) -> Iterator[Finding]:
    for name, layer in layers.items():
        alike: dict[tuple[float, ...], list[int]] = defaultdict(list)
        for j, neuron in enumerate(layer.neurons):
            params = neuron.parameters()
            alike[(*(p.data for p in params), *(p.grad for p in params))].append(j)
        for twins in alike.values():
            if len(twins) > 1:
                yield Finding(
                    "symmetric",
                    name,
                    f"{_neurons(twins)} have the same weights and the same gradients, and will "
                    f'always learn the same: draw weights at random, as init="he" does',
                )


def _added_up(held: np.ndarray, fresh: np.ndarray, examples: int) -> Iterator[Finding]:
    """Gradients in the parameters that point as one pass does, and are several times as long."""
    norms = np.linalg.norm(held), np.linalg.norm(fresh)
    if not norms[0] or not norms[1]:
        return
    times, cosine = norms[0] / norms[1], held @ fresh / (norms[0] * norms[1])
    of_a_sum = math.isclose(times, examples, rel_tol=1e-6)  # of costs, where we take their mean
    if times >= REPEATED and cosine >= 0.9 and not of_a_sum:
        yield Finding(
            "zero_grad",
            "",
            f"the gradients in the parameters are {times:.3g} times those of one pass over these "
            f"examples: backward() adds to them, so call zero_grad() before it, unless you meant "
            f"to add up",
        )


def _too_fast(
    model: Module,
    loss: Callable[..., Value],
    examples: Any,
    cost: float,
    gradient: np.ndarray,
    lr: float,
) -> Iterator[Finding]:
    """Whether the next step raises the cost, tried out and taken back."""
    params = model.parameters()
    start = np.array([p.data for p in params])

    def cost_after(rate: float) -> float:
        try:
            move(params, (start - rate * gradient).tolist())
            with evaluating(model):
                return math.fsum(loss(model(x), y).data for x, y in examples) / len(examples)
        except ArithmeticError:
            return math.inf
        finally:
            move(params, start.tolist())

    after = cost_after(lr)
    if after <= cost:
        return
    better = lr
    while better > 1e-12 * lr and not cost_after(better) <= cost:
        better /= 4.0
    yield Finding(
        "lr",
        "",
        f"the learning rate is too high: a step with lr={lr:g} takes the cost from {cost:.4g} "
        f"up to {after:.4g}. Try lr={better:.2g}",
    )


def _neurons(indices: Sequence[int] | np.ndarray) -> str:
    shown = ", ".join(str(int(j)) for j in indices[:6])
    more = f" and {len(indices) - 6} more" if len(indices) > 6 else ""
    return f"neuron{'s' if len(indices) > 1 else ''} {shown}{more}"
