"""The symptoms: problems that can keep a network from learning.

Each symptom is a function that takes a `Case` and yields a `Finding` for each problem that the
measurements prove. `SYMPTOMS` lists them in the order in which to fix the problems.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from autograd.extend import terminal

from .. import losses
from ..gradients import norm_of
from ..loss_modules import function_of
from ..optim import Optimizer
from ..training.answers import DISTANCES, OF_SIDES
from ..training.compatibility import NO_GRADIENT
from ..training.history import History
from .evidence import STEPS, Evidence
from .rewind import State, before_step, passes_held

FLAT = {"sigmoid": 4.6, "tanh": 3.0}  # above this |z| the slope is below 1/100
SATURATED = 0.9  # share of the examples for which a saturated neuron is flat
STUCK = 10.0  # see `_stuck`: distance to the nearest slope, in units of the sums' spread
RATIO = 100.0  # between the slopes of two layers: vanishing or exploding
CONTRADICTED = 0.1  # share of the examples that no model can get right
LARGE, SMALL, UNLIKE = 30.0, 1e-3, 100.0  # root mean squares of features, and their ratio
HARDLY = 1e-4  # a smaller relative fall of the cost means a learning rate that is too low
GREW = 3.0  # a cost above this many times the first one means divergence
LATE = 10  # epochs that a history must have before its accuracy or overfitting is judged
COMMON = 0.7  # share of the most frequent target that counts as imbalance
SCORED = [loss for loss, (threshold, *_) in OF_SIDES.items() if threshold == 0.0]


@dataclass(frozen=True)
class Finding:
    """A problem that was found.

    Attributes:
        kind: "overflow", "detached", "optimizer", "squashed", "range", "contradiction", "zero",
            "symmetric", "zero_grad", "scale", "diverged", "dead", "saturated", "vanishing",
            "exploding", "lr", "imbalance", "overfit" or "constant".
        layer: the name of the layer, such as `layers.0`; "" for the whole model.
        text: the problem, the numbers that prove it, and the remedy.

    >>> import nn
    >>> model = nn.MLP(2, [3, 1], "tanh", seed=0)
    >>> for p in model.parameters(): p.data = 0.0
    >>> finding = nn.diagnose(model, [[0.0, 1.0], [1.0, 0.0]], [0, 1])[0]
    >>> finding.kind, finding.layer
    ('zero', 'layers.0')
    """

    kind: str
    layer: str
    text: str

    @terminal.fitted
    def __str__(self) -> str:
        return f"{self.layer}: {self.text}" if self.layer else self.text


@dataclass(frozen=True)
class Case:
    """Everything that is known about a model under diagnosis.

    Attributes:
        seen: the measurements.
        optimizer: the optimiser; None if it is not known.
        lr: the learning rate; None if it is not known.
        history: the history of the training; None if it is not known.
        held: the gradients that the parameters held before the measurements.
    """

    seen: Evidence
    optimizer: Optimizer | None
    lr: float | None
    history: History | None
    held: np.ndarray


# ---------------------------------------------------------------------- the task


def detached(case: Case) -> Iterator[Finding]:
    """Report that no gradient can flow from the cost to the parameters."""
    if not case.seen.depends:
        yield Finding("detached", "", f"{NO_GRADIENT}; measured on {case.seen.looked_at}")


def unmoved(case: Case) -> Iterator[Finding]:
    """Report parameters that the optimiser does not move."""
    if case.optimizer is None or case.seen.learned:
        return
    moved = {id(p) for p in case.optimizer.params}
    left = [name for name, p in case.seen.model.named_parameters() if id(p) not in moved]
    if left:
        every = len(case.seen.params)
        yield Finding(
            "optimizer",
            "",
            f"the optimiser does not move {len(left)} of the model's {every} parameters, such as "
            f"{left[0]}: make it anew with model.parameters(), unless they are to stay",
        )


def squashed(case: Case) -> Iterator[Finding]:
    """Report a last activation that does not fit the loss, such as softmax before cross_entropy."""
    if case.seen.squashed:
        yield Finding("squashed", "", case.seen.squashed)


def out_of_range(case: Case) -> Iterator[Finding]:
    """Report targets or scores that the last activation cannot produce."""
    seen, function = case.seen, function_of(case.seen.loss)
    if not seen.activation:
        return
    low, high = seen.range
    between = f"{low:g} to {high:g}" if high < math.inf else f"{low:g} and above"
    if any(function is distance for distance in DISTANCES):
        y = np.array(seen.all.y, dtype=float)
        outside = (y < low) | (y > high)
        if outside.any():
            yield Finding(
                "range",
                "",
                f"{int(outside.sum())} of {y.size} targets, such as {y[outside][0]:g}, lie outside "
                f"what {seen.activation} can give, {between}: use output='identity', or scale y",
            )
        return
    of_logits = function is losses.binary_cross_entropy_with_logits
    is_squashed = of_logits and seen.activation == "sigmoid"  # `squashed` reports it
    if any(function is score for score in SCORED) and low == 0.0 and not is_squashed:
        yield Finding(
            "range",
            "",
            f"{function.__name__} asks for scores on both sides of 0, and {seen.activation} gives "
            f"{between}: use output='identity'",
        )


def contradicted(case: Case) -> Iterator[Finding]:
    """Report examples with the same features but different answers."""
    seen = case.seen
    if seen.answers.kind not in ("classes", "sides"):
        return
    groups: dict[bytes, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for i, (row, y) in enumerate(zip(seen.all.X, seen.all.y)):
        groups[row.tobytes()][seen.answers.expected(y)[0]].append(i)
    wrong = sum(
        sum(map(len, kinds.values())) - max(map(len, kinds.values())) for kinds in groups.values()
    )
    if wrong >= CONTRADICTED * len(seen.all):
        kinds = next(kinds for kinds in groups.values() if len(kinds) > 1)
        first, second = (rows[0] for rows in list(kinds.values())[:2])
        share = 1.0 - wrong / len(seen.all)
        yield Finding(
            "contradiction",
            "",
            f"rows {first} and {second} have the same features and the targets "
            f"{seen.all.y[first]} and {seen.all.y[second]}; with all that are like them, no model "
            f"can be right on more than {share:.1%} of the {len(seen.all)} examples: add a "
            f"feature that tells them apart, or look at the labels",
        )


# ---------------------------------------------------------------------- weights and gradients


def zero(case: Case) -> Iterator[Finding]:
    """Report two or more layers whose weights are all zero."""
    layers = case.seen.layers.items()
    names = [name for name, layer in layers if not any(w.data for n in layer.neurons for w in n.w)]
    if len(names) > 1:
        yield Finding(
            "zero",
            names[0],
            f"all weights of {', '.join(names)} are 0, so that neither signal nor gradient gets "
            f'through: draw weights at random, as init="he" does',
        )


def symmetric(case: Case) -> Iterator[Finding]:
    """Report neurons of a layer with equal weights and equal gradients."""
    seen = case.seen
    place = {id(p): i for i, p in enumerate(seen.params)}
    for name, layer in list(seen.layers.items())[:-1]:
        alike: dict[bytes, list[int]] = defaultdict(list)
        for j, neuron in enumerate(layer.neurons):
            own = [place[id(p)] for p in (*neuron.w, neuron.b)]
            both = np.concatenate([seen.weights[own], seen.gradient[own]])
            alike[_rounded(both).tobytes()].append(j)
        for twins in alike.values():
            if len(twins) > 1:
                yield Finding(
                    "symmetric",
                    name,
                    f"{_neurons(twins)} have the same weights and the same gradients, and will "
                    f'always learn the same: draw weights at random, as init="he" does',
                )


def added_up(case: Case) -> Iterator[Finding]:
    """Report gradients in the parameters that are the sum of several passes."""
    seen, norm = case.seen, float(np.linalg.norm(case.held))
    if norm == 0.0 or case.history is not None:  # a Trainer clears the gradients itself
        return
    optimizer = case.optimizer
    if optimizer is not None and [id(p) for p in optimizer.params] != [id(p) for p in seen.params]:
        optimizer = None
    memory, steps = ({}, 0) if optimizer is None else (optimizer.memory, optimizer.steps)
    state = State(seen.weights, case.held, memory, steps)
    remedy = (
        "backward() adds to them, so call zero_grad() before each pass, unless you meant to add up"
    )
    if len(seen.examples) == len(seen.all):
        passes = passes_held(
            state, optimizer, lambda w: seen.at(w, everywhere=True)[1], len(seen.all)
        )
        if passes is not None:
            if passes > 1:
                yield Finding(
                    "zero_grad",
                    "",
                    f"the gradients in the parameters are {passes} times those of one pass over "
                    f"{seen.looked_at}, or the sum of the last {passes} passes: {remedy}",
                )
            return
    before = None if optimizer is None else before_step(state, optimizer)
    if before is None or len(seen.examples) < len(seen.all) or seen.drops:
        return
    most = max(seen.longest, seen.elsewhere(before.weights).longest)
    if norm > 2.0 * most:
        yield Finding(
            "zero_grad",
            "",
            f"the gradients in the parameters have the norm {norm:.4g}, and one pass over "
            f"{seen.looked_at} gives {most:.4g} at most, here and before the last step: {remedy}",
        )


def unscaled(case: Case) -> Iterator[Finding]:
    """Report features that are much larger or smaller than 1, or than the other features."""
    if case.seen.learned:
        return
    sizes = np.sqrt((case.seen.all.X**2).mean(0))
    largest, smallest = int(sizes.argmax()), int(np.where(sizes > 0, sizes, np.inf).argmin())
    most, usual = sizes[largest], np.median(sizes[sizes > 0]) if sizes.any() else 0.0
    if most > LARGE or 0.0 < most < SMALL or most > max(UNLIKE * usual, 3.0):
        first = next(iter(case.seen.z.values()))
        yield Finding(
            "scale",
            "",
            f"the features are not scaled: the root mean square of column {largest} is "
            f"{most:.4g}, that of column {smallest} is {sizes[smallest]:.4g}, and the first "
            f"layer's |z| reaches {abs(first).max():.4g}. Scale them to about 1, as in "
            f"(X - X.mean(0)) / X.std(0)",
        )


def dead(case: Case) -> Iterator[Finding]:
    """Report ReLU neurons whose weighted sum is negative or zero for all examples."""
    seen = case.seen
    for name, layer in seen.layers.items():
        if layer.activation.name != "relu" or seen.learned:
            continue
        most = seen.z[name].max(0)
        never = most <= 0.0
        found = np.flatnonzero(never if never.all() else _stuck(-most, seen.z[name]))
        if found.size:
            yield Finding(
                "dead",
                name,
                f"{_neurons(found)} of {layer.nout} {_are(found)} dead: the weighted sum is at "
                f"most {most[found].max():.4g} for {seen.looked_at}, so that relu lets no "
                f"gradient through. Lower the learning rate, start anew, or use leaky_relu",
            )


def saturated(case: Case) -> Iterator[Finding]:
    """Report sigmoid and tanh neurons that are flat for nearly all examples.

    The last layer is checked only for distances; most other losses cancel its small slope.
    """
    seen = case.seen
    is_distance = any(function_of(seen.loss) is distance for distance in DISTANCES)
    layers = list(seen.layers.items())
    for name, layer in layers if is_distance else layers[:-1]:
        kind, z = layer.activation.name, seen.z[name]
        if kind not in FLAT or seen.learned:
            continue
        share = (abs(z) > FLAT[kind]).mean(0)
        flat = share >= SATURATED
        stuck = _stuck(abs(z).min(0), z) & (share == 1.0)
        found = np.flatnonzero(flat if 2 * flat.sum() >= layer.nout else stuck)
        if found.size:
            yield Finding(
                "saturated",
                name,
                f"{_neurons(found)} of {layer.nout} {_are(found)} saturated: |z| is above "
                f"{FLAT[kind]:g} for at least {share[found].min():.0%} of {seen.looked_at}, where "
                f"{kind} is flat. Scale the features, or start with smaller weights, as "
                f'init="xavier" does',
            )


def uneven(case: Case) -> Iterator[Finding]:
    """Report gradients that vanish or explode from layer to layer, or are zero everywhere."""
    seen = case.seen
    nothing_to_learn = seen.accuracy is None and not seen.costs.any()
    if seen.learned or not seen.depends or nothing_to_learn:
        return
    sizes = {  # only of slopes that are not 0, because an inactive relu passes none
        name: norm_of(slope) / math.sqrt(np.count_nonzero(slope) or 1)
        for name, slope in seen.slopes.items()
    }
    names, kinds = list(sizes), [layer.activation.name for layer in seen.layers.values()]
    last = names[-1]
    least, most = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
    if sizes[least] == 0.0:
        if "step" in kinds:
            why = "step is flat everywhere. Use relu, tanh or sigmoid"
            yield Finding("vanishing", least, f"no gradient at all arrives here: {why}")
        elif not seen.gradients.any():
            yield Finding(
                "vanishing",
                least,
                f"no gradient at all arrives here: for {seen.looked_at} the cost is flat where "
                f"the outputs are, at a mean of {seen.cost:.4g}. Start from other weights",
            )
    elif sizes[least] * RATIO < sizes[last]:
        remedy = "Start with weights that fit the activation (he, xavier), or use fewer layers"
        if "sigmoid" in kinds[:-1]:
            remedy = "Sigmoid's slope is at most ¼: use relu or tanh, or fewer layers"
        yield Finding(
            "vanishing",
            least,
            f"the gradient vanishes on its way here: ∂C/∂z is {sizes[last] / sizes[least]:,.3g} "
            f"times as large at {last}, over {seen.looked_at}. {remedy}",
        )
    if 0.0 < sizes[last] * RATIO < sizes[most]:
        yield Finding(
            "exploding",
            most,
            f"the gradient explodes on its way here: ∂C/∂z is {sizes[most] / sizes[last]:,.3g} "
            f"times as large as at {last}, over {seen.looked_at}. Start with smaller weights (he, "
            f"xavier), or clip the gradient",
        )


# ---------------------------------------------------------------------- training


def diverged(case: Case) -> Iterator[Finding]:
    """Report a cost that grew in training, or training that ended because of divergence."""
    history = case.history
    if history is None or not history.losses + history.step_losses:
        return
    costs = history.losses if len(history.losses) > 1 else history.step_losses
    rate = history.learning_rates[0] if history.learning_rates else case.lr
    remedy = "lower the learning rate" if rate is None else f"try a learning rate below {rate:g}"
    if " at step " in history.stop_reason:
        yield Finding("diverged", "", f"training ended early: {history.stop_reason}")
    elif 0.0 < GREW * costs[0] < costs[-1]:
        yield Finding(
            "diverged",
            "",
            f"the cost grew from {costs[0]:.4g} to {costs[-1]:.4g} in training: {remedy}, or clip "
            f"the gradient",
        )


def wrong_rate(case: Case) -> Iterator[Finding]:
    """Report a learning rate whose next steps raise the cost, or hardly lower it."""
    seen, optimizer, lr = case.seen, case.optimizer, case.lr
    if optimizer is None or lr is None or seen.learned or not seen.gradient.any():
        return
    if not {id(p) for p in optimizer.params} <= {id(p) for p in seen.params}:
        return
    costs = seen.trial(optimizer, lr)
    first, last = costs[0], costs[-1]
    if not math.isfinite(first):
        return
    by = f"{STEPS} steps of {type(optimizer).__name__} on {seen.tried_on}"
    if not last <= first + abs(first) or (last > first + 0.1 * abs(first) and min(costs) == first):
        better = lr / 4.0
        while better > 1e-12 * lr and not seen.trial(optimizer, better)[-1] < first:
            better /= 4.0
        yield Finding(
            "lr",
            "",
            f"the learning rate is too high: {by} with lr={lr:g} take the cost from {first:.4g} "
            f"up to {last:.4g}. Try lr={better:.2g}",
        )
    elif first - last < HARDLY * abs(first):
        faster = seen.trial(optimizer, 100.0 * lr)
        rates = (
            [lr * 10.0**k for k in range(3, 10)] if sorted(faster, reverse=True) == faster else []
        )
        for rate in rates:
            after = seen.trial(optimizer, rate)[-1]
            if after < first - 0.1 * abs(first):
                yield Finding(
                    "lr",
                    "",
                    f"the learning rate is too low: {by} with lr={lr:g} take the cost from "
                    f"{first:.6g} to {last:.6g}, with lr={rate:g} to {after:.4g}. "
                    f"Try lr={rate:.2g}",
                )
                return


def imbalanced(case: Case) -> Iterator[Finding]:
    """Report a model that gives the same answer for all examples, with imbalanced targets."""
    seen, history = case.seen, case.history
    if history is None or history.epochs < LATE or seen.accuracy is None:
        return
    said = {tuple(seen.answers.predicted(outputs) or ()) for outputs in seen.outputs}
    if len(said) == 1 and COMMON <= seen.commonest < 1.0:
        name = ", ".join(seen.answers.names[k] for k in next(iter(said)))
        yield Finding(
            "imbalance",
            "",
            f"after {history.epochs} epochs the answer is {name} for {seen.looked_at}; the "
            f"accuracy of {seen.accuracy:.1%} says nothing, as {seen.commonest:.1%} of the "
            f"targets are the same. Show the rare ones more often, and judge them apart",
        )


def overfitted(case: Case) -> Iterator[Finding]:
    """Report a cost that rises on the held-out examples while it falls on the training examples."""
    history = case.history
    if history is None or history.epochs < LATE or not history.validation_losses:
        return
    held_out, shown = history.validation_losses, history.losses
    best = int(np.argmin(held_out))
    rise = held_out[-1] - held_out[best]
    kept_last = history.kept_epoch in (0, history.epochs)
    if (
        kept_last
        and shown[-1] < shown[best]
        and rise > max(0.5 * held_out[best], 0.1 * held_out[0])
    ):
        yield Finding(
            "overfit",
            "",
            f"the cost of the examples held out was lowest in epoch {best + 1}, "
            f"{held_out[best]:.4g}, and is {held_out[-1]:.4g} in epoch {history.epochs}, while "
            f"that of the others fell from {shown[best]:.4g} to {shown[-1]:.4g}: stop earlier "
            f"(early_stopping), or use more examples, a penalty or dropout",
        )


def constant(case: Case) -> Iterator[Finding]:
    """Report a feature that is the same in every row.

    Columns that are all 0, such as unused pixels, or all 1 are ignored, unless every column is
    constant.
    """
    X = case.seen.all.X
    if len(X) < 2 or case.seen.learned:
        return
    same = np.flatnonzero((np.ptp(X, 0) == 0.0) & (X[0] != 0.0) & (X[0] != 1.0))
    if same.size or not np.ptp(X, 0).any():
        which = int(same[0]) if same.size else 0
        yield Finding(
            "constant",
            "",
            f"column {which} of X is {X[0, which]:g} in all {len(X)} rows, which tells nothing: "
            f"leave it out",
        )


SYMPTOMS = (
    detached,
    unmoved,
    squashed,
    out_of_range,
    contradicted,
    zero,
    symmetric,
    added_up,
    unscaled,
    diverged,
    dead,
    saturated,
    uneven,
    wrong_rate,
    imbalanced,
    overfitted,
    constant,
)
"""All symptoms, causes before effects: an earlier problem can cause a later one."""


def _stuck(distance: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return for each neuron whether training is unlikely to move it out of the flat region.

    A neuron is stuck if its distance from the nearest z with a slope is larger than the spread of
    its sums or, if fewer than half of the neurons are like this, `STUCK` times as large.

    Args:
        distance: for each neuron, the distance of its nearest sum from a z with a slope.
        z: the sums, shape (examples, neurons).
    """
    spread = np.ptp(z, 0)
    several = 2 * int((distance > spread).sum()) >= len(distance)
    return np.asarray(distance > (spread if several else STUCK * spread))


def _rounded(numbers: np.ndarray) -> np.ndarray:
    """Round to eight digits, so that sums that were added in another order are equal."""
    with np.errstate(all="ignore"):
        size = 10.0 ** np.floor(np.log10(np.where(numbers == 0.0, 1.0, abs(numbers))))
    return np.round(numbers / size, 7) * size + 0.0


def _are(indices: Sequence[int] | np.ndarray) -> str:
    return "is" if len(indices) == 1 else "are"


def _neurons(indices: Sequence[int] | np.ndarray) -> str:
    shown = ", ".join(str(int(j)) for j in indices[:6])
    more = f" and {len(indices) - 6} more" if len(indices) > 6 else ""
    return f"neuron{'s' if len(indices) > 1 else ''} {shown}{more}"
