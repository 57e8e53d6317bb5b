"""Tests of symptoms: planted faults are reported first, and healthy runs have none."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import nn
from autograd import Value

RNG = np.random.default_rng(0)


def moons(n: int = 30) -> tuple[np.ndarray, np.ndarray]:
    t, y = RNG.uniform(0.0, np.pi, n), np.arange(n) % 2
    X = np.stack([np.cos(t) * (1 - 2 * y) + y, np.sin(t) * (1 - 2 * y) + 0.5 * y], 1)
    return X + RNG.normal(0.0, 0.1, X.shape), y


def blobs(n: int = 30, kinds: int = 3) -> tuple[np.ndarray, np.ndarray]:
    y = np.arange(n) % kinds
    turn = 2.0 * np.pi * y / kinds
    return np.stack([np.cos(turn), np.sin(turn)], 1) * 2.0 + RNG.normal(0.0, 0.5, (n, 2)), y


def ring(n: int = 30) -> tuple[np.ndarray, np.ndarray]:
    X = RNG.normal(0.0, 1.0, (n, 2))
    return X, (np.hypot(*X.T) > 1.1).astype(int)


def line(n: int = 30, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    X = RNG.normal(0.0, 1.0, (n, 3))
    return X, X @ [1.0, -2.0, 0.5] + 1.0 + RNG.normal(0.0, noise, n)


def wave(n: int = 30) -> tuple[np.ndarray, np.ndarray]:
    X = RNG.uniform(-1.0, 1.0, (n, 1))
    return X, np.sin(3.0 * X[:, 0])


def bars(n: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Draw vertical and horizontal bars in 6 × 6 images with black borders."""
    images, y = np.zeros((n, 6, 6)), np.arange(n) % 2
    for image, kind in zip(images, y):
        image[1:5, RNG.integers(1, 5)] = RNG.uniform(0.5, 1.0)
        image[:] = image if kind else image.T.copy()
    return images.reshape(n, -1), y


def noisy(n: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Draw two overlapping clouds, on which no model reaches 100 %."""
    y = np.arange(n) % 2
    return RNG.normal(0.0, 1.0, (n, 2)) + 0.7 * y[:, None], y


XOR = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0, 1, 1, 0])
MOONS, BLOBS, RING, LINE, WAVE, BARS, NOISY = (
    make() for make in (moons, blobs, ring, line, wave, bars, noisy)
)
LINE2 = LINE[0][:, :2], LINE[1]
BCE, BCE_LOGITS, CROSS = (
    nn.binary_cross_entropy,
    nn.binary_cross_entropy_with_logits,
    nn.cross_entropy,
)


def signs(data: Any) -> Any:
    return data[0], 2 * data[1] - 1


def one_hot(data: Any) -> Any:
    return data[0], nn.one_hot(data[1], int(max(data[1])) + 1)


class Healthy(NamedTuple):
    """The settings of a run that learns."""

    data: Any
    sizes: list[int]
    activation: str
    output: str
    loss: Any
    optimizer: Callable[[Any], nn.Optimizer]
    epochs: int = 40
    batch: int | None = 8


def sgd(lr: float, **settings: Any) -> Callable[[Any], nn.Optimizer]:
    return lambda params: nn.SGD(params, lr, **settings)


def adam(lr: float, **settings: Any) -> Callable[[Any], nn.Optimizer]:
    return lambda params: nn.Adam(params, lr, **settings)


HEALTHY = {
    "xor tanh": Healthy(XOR, [4, 1], "tanh", "identity", BCE_LOGITS, sgd(1.0), 120, None),
    "xor sigmoid": Healthy(XOR, [4, 1], "sigmoid", "sigmoid", BCE, sgd(2.0), 120, None),
    "xor relu": Healthy(XOR, [8, 1], "relu", "identity", BCE_LOGITS, adam(0.05), 100, None),
    "xor hinge": Healthy(signs(XOR), [6, 1], "tanh", "identity", nn.hinge_loss, sgd(0.2), 100),
    "xor squares": Healthy(XOR, [4, 1], "tanh", "identity", nn.mse_loss, sgd(0.3), 120, None),
    "moons relu": Healthy(MOONS, [8, 8, 1], "relu", "identity", BCE_LOGITS, adam(0.02)),
    "moons tanh": Healthy(MOONS, [8, 8, 1], "tanh", "sigmoid", BCE, sgd(0.5)),
    "moons leaky": Healthy(MOONS, [8, 1], "leaky_relu", "identity", BCE_LOGITS, sgd(0.3)),
    "moons elu": Healthy(signs(MOONS), [8, 1], "elu", "identity", nn.hinge_loss, adam(0.03)),
    "moons softplus": Healthy(MOONS, [8, 1], "softplus", "identity", BCE_LOGITS, adam(0.05)),
    "moons squares": Healthy(MOONS, [8, 1], "tanh", "sigmoid", nn.mse_loss, sgd(1.0)),
    "moons two": Healthy(MOONS, [8, 2], "tanh", "identity", CROSS, sgd(0.3, momentum=0.9)),
    "moons one by one": Healthy(MOONS, [6, 1], "tanh", "identity", BCE_LOGITS, sgd(0.1), 30, 1),
    "moons deep": Healthy(MOONS, [5] * 3 + [1], "tanh", "identity", BCE_LOGITS, adam(0.02)),
    "moons decayed": Healthy(
        MOONS, [8, 1], "relu", "identity", BCE_LOGITS, adam(0.03, weight_decay=1e-3)
    ),
    "blobs": Healthy(BLOBS, [8, 3], "relu", "identity", CROSS, adam(0.03)),
    "blobs straight": Healthy(BLOBS, [3], "relu", "identity", CROSS, sgd(0.5)),
    "blobs one-hot": Healthy(one_hot(BLOBS), [8, 3], "tanh", "softmax", nn.mse_loss, adam(0.05)),
    "blobs squares": Healthy(
        one_hot(BLOBS), [8, 3], "sigmoid", "sigmoid", nn.squared_error, sgd(1.0)
    ),
    "blobs soft": Healthy(one_hot(BLOBS), [6, 3], "tanh", "identity", CROSS, sgd(0.3)),
    "blobs sides": Healthy(one_hot(BLOBS), [6, 3], "tanh", "identity", BCE_LOGITS, adam(0.05)),
    "ring": Healthy(RING, [10, 1], "tanh", "identity", BCE_LOGITS, adam(0.05)),
    "ring relu": Healthy(RING, [12, 1], "relu", "sigmoid", BCE, sgd(0.3)),
    "line": Healthy(LINE, [1], "relu", "identity", nn.mse_loss, sgd(0.05)),
    "line by a network": Healthy(LINE, [8, 1], "relu", "identity", nn.mse_loss, adam(0.02)),
    "line absolute": Healthy(LINE, [1], "relu", "identity", nn.l1_loss, sgd(0.05)),
    "wave": Healthy(WAVE, [8, 1], "tanh", "identity", nn.mse_loss, adam(0.03)),
    "wave bounded": Healthy(WAVE, [8, 1], "tanh", "tanh", nn.squared_error, sgd(0.3, momentum=0.5)),
    "bars": Healthy(BARS, [6, 2], "relu", "identity", CROSS, adam(0.03)),
    "bars logistic": Healthy(BARS, [1], "relu", "identity", BCE_LOGITS, sgd(0.5)),
    "noisy": Healthy(NOISY, [4, 1], "tanh", "identity", BCE_LOGITS, sgd(0.3)),
    "noisy relu": Healthy(NOISY, [8, 1], "relu", "identity", BCE_LOGITS, adam(0.02)),
    "perceptron": Healthy(
        signs(NOISY), [1], "relu", "identity", nn.perceptron_loss, sgd(0.1), 20, 1
    ),
    "a sigmoid neuron": Healthy(NOISY, [1], "relu", "sigmoid", BCE, sgd(0.5), 40, None),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_run_has_nothing(name: str) -> None:
    run = HEALTHY[name]
    X, y = run.data
    model = nn.MLP(X.shape[1], run.sizes, run.activation, output=run.output, seed=0)
    trainer = nn.Trainer(model, run.loss, run.optimizer(model.parameters()))
    found = {"before": nn.diagnose(model, X, y, trainer=trainer)}

    def look(trainer: nn.Trainer, history: nn.History) -> None:
        if history.epochs == max(run.epochs // 10, 1):
            found["during"] = nn.diagnose(model, X, y, trainer=trainer)

    trainer.fit(X, y, run.epochs, run.batch, callbacks=[look])
    found["after"] = nn.diagnose(model, X, y, trainer=trainer)
    found["alone"] = nn.diagnose(model, X, y, run.loss, optimizer=trainer.optimizer)
    assert {when: str(said) for when, said in found.items() if said} == {}
    assert len(found) == 4


# ---------------------------------------------------------------------- planted faults


class Planted(NamedTuple):
    """A model with a fault, and what `diagnose` is told about it."""

    model: nn.Module
    data: Any
    known: dict[str, Any]


def network(*sizes: int, activation: str = "tanh", seed: int = 0, **settings: Any) -> nn.MLP:
    return nn.MLP(2, sizes, activation, seed=seed, **settings)


def shifted(model: nn.MLP, layer: int, by: float, only: slice = slice(None)) -> nn.MLP:
    for neuron in model.layers[layer].neurons[only]:
        neuron.b.data += by
    return model


def scaled(model: nn.MLP, by: float) -> nn.MLP:
    for p in model.parameters():
        p.data *= by
    return model


def fitted(
    model: nn.Module,
    data: tuple[Any, Any],
    loss: Any,
    optimizer: nn.Optimizer,
    epochs: int = 12,
    **settings: Any,
) -> Planted:
    trainer = nn.Trainer(model, loss, optimizer)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # about divergence, which the fault causes
        trainer.fit(*data, epochs, 8, **settings)
    return Planted(model, data, {"trainer": trainer})


def looped(
    model: nn.Module,
    data: Any,
    loss: Any,
    optimizer: nn.Optimizer | None,
    steps: int,
    *,
    zeroed: bool = False,
    of_mean: bool = True,
    batch: int | None = None,
    known: bool = True,
) -> Planted:
    """Train in a user's own loop; with `zeroed`, it zeroes the gradients before each pass."""
    X, y = data
    size = batch or len(X)
    for step in range(steps):
        if zeroed:
            model.zero_grad()
        rows = [(step * size + i) % len(X) for i in range(size)]
        for i in rows:
            loss(model(X[i].tolist()), y[i].tolist()).backward(1.0 / size if of_mean else 1.0)
        if optimizer is not None:
            optimizer.step()
    return Planted(model, data, {"loss": loss, "optimizer": optimizer if known else None})


def raw(data: Any, *by: float) -> Any:
    return data[0] * np.array(by), data[1]


def contradicting() -> Any:
    X, y = MOONS
    return np.concatenate([X, X[:15]]), np.concatenate([y, 1 - y[:15]])


def rare() -> Any:
    X = np.random.default_rng(1).normal(0.0, 1.0, (40, 2))
    return X, (np.arange(40) % 10 == 0).astype(int)


def chance(seed: int, n: int) -> Any:
    """Draw labels that are independent of the features."""
    rng = np.random.default_rng(seed)
    return rng.normal(0.0, 1.0, (n, 2)), rng.integers(0, 2, n)


def descent(model: nn.Module, lr: float, **settings: Any) -> nn.SGD:
    return nn.SGD(model.parameters(), lr, **settings)


def detached_loss(outputs: Any, y: Any) -> Value:
    return BCE_LOGITS(outputs.detach(), y)


def with_optimizer_of_another() -> Planted:
    model = network(4, 1)
    return Planted(model, MOONS, {"optimizer": descent(network(4, 1), 0.1)})


def with_optimizer_of_the_last_layer() -> Planted:
    model = network(4, 1)
    return Planted(model, MOONS, {"optimizer": descent(model.layers[1], 0.1)})


def with_rate(make: Callable[[Any], nn.Optimizer], data: Any = MOONS, **settings: Any) -> Planted:
    model = network(6, 1, **settings)
    return Planted(model, data, {"optimizer": make(model.parameters()), "loss": BCE_LOGITS})


def overfitting() -> Planted:
    model = network(16, 16, 1)
    return fitted(
        model,
        chance(0, 12),
        BCE_LOGITS,
        nn.Adam(model.parameters(), 0.05),
        60,
        validation=chance(1, 20),
    )


def forgetful(make: Callable[[Any], nn.Optimizer], steps: int, **settings: Any) -> Planted:
    model = network(3, 1)
    return looped(model, MOONS, BCE_LOGITS, make(model.parameters()), steps, **settings)


FAULTS: dict[str, tuple[str, Callable[[], Planted]]] = {
    "a dead layer": (
        "dead",
        lambda: Planted(shifted(network(6, 1, activation="relu"), 0, -20.0), MOONS, {}),
    ),
    "a dead second layer": (
        "dead",
        lambda: Planted(shifted(network(6, 6, 1, activation="relu"), 1, -50.0), MOONS, {}),
    ),
    "half a layer dead": (
        "dead",
        lambda: Planted(shifted(network(6, 1, activation="relu"), 0, -20.0, slice(3)), MOONS, {}),
    ),
    "one neuron dead": (
        "dead",
        lambda: Planted(shifted(network(6, 1, activation="relu"), 0, -99.0, slice(1)), MOONS, {}),
    ),
    "a dead output": (
        "dead",
        lambda: Planted(
            shifted(network(6, 1, output="relu"), 1, -20.0), MOONS, {"loss": nn.mse_loss}
        ),
    ),
    "saturated sigmoids": (
        "saturated",
        lambda: Planted(shifted(network(6, 1, activation="sigmoid"), 0, 20.0), MOONS, {}),
    ),
    "saturated tanhs": ("saturated", lambda: Planted(scaled(network(6, 1), 60.0), MOONS, {})),
    "a saturated neuron": (
        "saturated",
        lambda: Planted(shifted(network(6, 1), 0, -90.0, slice(1)), MOONS, {}),
    ),
    "a saturated output": (
        "saturated",
        lambda: Planted(
            shifted(network(6, 1, output="sigmoid"), 1, 20.0), MOONS, {"loss": nn.mse_loss}
        ),
    ),
    "deep sigmoids": (
        "vanishing",
        lambda: Planted(network(*[6] * 6, 1, activation="sigmoid"), MOONS, {}),
    ),
    "small weights in a deep network": (
        "vanishing",
        lambda: Planted(
            nn.MLP(2, [6] * 5 + [1], init=lambda rng, *_: rng.gauss(0, 0.05), seed=0), MOONS, {}
        ),
    ),
    "steps": ("vanishing", lambda: Planted(network(6, 1, activation="step"), MOONS, {})),
    "a perceptron at zero": (
        "vanishing",
        lambda: Planted(
            network(1, init=lambda *_: 0.0), signs(NOISY), {"loss": nn.perceptron_loss}
        ),
    ),
    "large weights in a deep network": (
        "exploding",
        lambda: Planted(
            nn.MLP(2, [6] * 5 + [1], init=lambda rng, *_: rng.gauss(0, 4.0), seed=0), MOONS, {}
        ),
    ),
    "equal weights": ("symmetric", lambda: Planted(network(4, 1, init=lambda *_: 0.3), MOONS, {})),
    "equal weights after training": (
        "symmetric",
        lambda: fitted(
            model := network(4, 1, init=lambda *_: 0.3), MOONS, BCE_LOGITS, descent(model, 0.1)
        ),
    ),
    "two equal neurons": (
        "symmetric",
        lambda: Planted(
            nn.MLP(2, [4, 1], "tanh", init=lambda _, nin, nout: 0.2 * nin / nout), BLOBS, {}
        ),
    ),
    "a network of zeros": ("zero", lambda: Planted(scaled(network(4, 1), 0.0), MOONS, {})),
    "relus of zeros": (
        "zero",
        lambda: Planted(scaled(network(4, 3, activation="relu"), 0.0), BLOBS, {}),
    ),
    "no zero_grad": ("zero_grad", lambda: forgetful(sgd(0.1), 5)),
    "no zero_grad, a sum": ("zero_grad", lambda: forgetful(sgd(0.001), 4, of_mean=False)),
    "no zero_grad, momentum": ("zero_grad", lambda: forgetful(sgd(0.02, momentum=0.9), 6)),
    "no zero_grad, Adam": ("zero_grad", lambda: forgetful(adam(0.02), 6)),
    "no zero_grad, two steps": ("zero_grad", lambda: forgetful(sgd(0.3), 2)),
    "no zero_grad, batches": ("zero_grad", lambda: forgetful(sgd(1e-4), 400, batch=8)),
    "no zero_grad, no steps": (
        "zero_grad",
        lambda: looped(network(3, 1), MOONS, BCE_LOGITS, None, 3),
    ),
    "no zero_grad, a sum without steps": (
        "zero_grad",
        lambda: looped(network(3, 1), MOONS, BCE_LOGITS, None, 2, of_mean=False),
    ),
    "another model's optimizer": ("optimizer", with_optimizer_of_another),
    "an optimizer of one layer": ("optimizer", with_optimizer_of_the_last_layer),
    "a high rate": ("lr", lambda: with_rate(sgd(300.0))),
    "a high rate of Adam": ("lr", lambda: with_rate(adam(30.0))),
    "a high rate of plain descent": (
        "lr",
        lambda: Planted(network(6, 1), LINE2, {"lr": 50.0, "loss": nn.mse_loss}),
    ),
    "a low rate": ("lr", lambda: with_rate(sgd(1e-6))),
    "a low rate of Adam": ("lr", lambda: with_rate(adam(1e-8))),
    "divergence": (
        "diverged",
        lambda: fitted(model := network(1), LINE2, nn.mse_loss, descent(model, 1.2), compile=False),
    ),
    "slow divergence": (
        "diverged",
        lambda: fitted(model := network(1), LINE2, nn.mse_loss, descent(model, 0.9), epochs=4),
    ),
    "raw features": ("scale", lambda: Planted(network(6, 1), raw(MOONS, 2000.0, 1.0), {})),
    "raw pixels": (
        "scale",
        lambda: Planted(nn.MLP(36, [6, 1], seed=0), (BARS[0] * 255.0, BARS[1]), {}),
    ),
    "tiny features": ("scale", lambda: Planted(network(6, 1), raw(MOONS, 1e-5, 1e-5), {})),
    "raw features that diverge": (
        "scale",
        lambda: fitted(
            model := network(1), raw(LINE2, 900.0, 1.0), nn.mse_loss, descent(model, 0.1)
        ),
    ),
    "a constant feature": (
        "constant",
        lambda: Planted(network(6, 1), (MOONS[0] * [1.0, 0.0] + [0.0, 5.0], MOONS[1]), {}),
    ),
    "nothing but zeros": (
        "constant",
        lambda: Planted(network(6, 1), (MOONS[0] * 0.0 + 2.0, [3.5, 1.5] * 15), {}),
    ),
    "contradicting examples": (
        "contradiction",
        lambda: Planted(network(6, 1), contradicting(), {}),
    ),
    "targets above a sigmoid": (
        "range",
        lambda: Planted(
            network(6, 1, output="sigmoid"), (MOONS[0], MOONS[1] * 5.0), {"loss": nn.mse_loss}
        ),
    ),
    "targets below a relu": (
        "range",
        lambda: Planted(network(6, 1, output="relu"), LINE2, {"loss": nn.l1_loss}),
    ),
    "targets beyond tanh": (
        "range",
        lambda: Planted(network(6, 1, output="tanh"), LINE2, {"loss": nn.squared_error}),
    ),
    "scores of a relu": (
        "range",
        lambda: Planted(network(6, 1, output="relu"), MOONS, {"loss": BCE_LOGITS}),
    ),
    "a hinge on a sigmoid": (
        "range",
        lambda: Planted(network(6, 1, output="sigmoid"), signs(MOONS), {"loss": nn.hinge_loss}),
    ),
    "softmax twice": (
        "squashed",
        lambda: Planted(network(6, 3, output="softmax"), BLOBS, {"loss": CROSS}),
    ),
    "sigmoid twice": (
        "squashed",
        lambda: Planted(network(6, 1, output="sigmoid"), MOONS, {"loss": BCE_LOGITS}),
    ),
    "nll of probabilities": (
        "squashed",
        lambda: Planted(network(6, 3, output="softmax"), BLOBS, {"loss": nn.NLLLoss()}),
    ),
    "nll of logits": ("squashed", lambda: Planted(network(6, 3), BLOBS, {"loss": nn.nll_loss})),
    "a cost of the outputs' numbers": (
        "detached",
        lambda: Planted(network(6, 1), MOONS, {"loss": detached_loss}),
    ),
    "a rare answer": (
        "imbalance",
        lambda: fitted(model := network(2, 1), rare(), BCE_LOGITS, descent(model, 0.02)),
    ),
    "overfitting": ("overfit", overfitting),
    "weights that are no numbers": (
        "overflow",
        lambda: Planted(scaled(network(6, 1), float("nan")), MOONS, {}),
    ),
    "weights too large": (
        "overflow",
        lambda: Planted(
            scaled(network(6, 1, activation="relu"), 1e160), LINE2, {"loss": nn.mse_loss}
        ),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_planted_fault_is_named_first(name: str) -> None:
    kind, plant = FAULTS[name]
    model, (X, y), known = plant()
    before = [(p.data, p.grad) for p in model.parameters()]
    found = nn.diagnose(model, X, y, **known)
    assert [finding.kind for finding in found][:1] == [kind], str(found)
    assert repr([(p.data, p.grad) for p in model.parameters()]) == repr(before)


@pytest.mark.parametrize("of_mean", [True, False], ids=["mean", "sum"])
@pytest.mark.parametrize("batch", [None, 8, 1], ids=["all", "batches", "one by one"])
@pytest.mark.parametrize(
    "make", [sgd(0.01), sgd(0.005, momentum=0.9), adam(0.01)], ids=["plain", "momentum", "adam"]
)
def test_a_loop_that_empties_its_gradients_has_nothing(
    make: Callable[[Any], nn.Optimizer], batch: int | None, of_mean: bool
) -> None:
    model, loss = network(3, 1), BCE_LOGITS if of_mean else nn.mse_loss
    planted = looped(
        model, MOONS, loss, make(model.parameters()), 12, zeroed=True, of_mean=of_mean, batch=batch
    )
    optimizer = planted.known["optimizer"]
    assert nn.diagnose(model, *MOONS, **planted.known) == []
    assert nn.diagnose(model, *MOONS, loss, lr=optimizer.lr) == []
