"""Programs as users write them, with type hints: test_types.py runs and checks them."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

import autograd
import nn
from autograd import Value


def session() -> None:
    """Look into a backward pass, as in README.md."""
    w, x, b = Value(0.6, label="w"), Value(1.5, label="x"), Value(0.1, label="b")
    a = (w * x + b).sigmoid()
    cost = (a - 1.0) ** 2
    cost.label = "C"
    stepper = cost.stepper()
    stepper.next()
    stepper.n(2)
    stepper.back()
    stepper.until("w")
    stepper.check(w=-0.16)
    cost.backward()
    slope: float = w.grad
    shown = [cost.explain(w), cost.explain("w"), cost.nudge(w, 0.01), cost.sensitivity(), slope]
    assert len(list(map(str, shown))) == 5
    w.data -= 0.1 * w.grad
    cost.recompute().zero_grad()
    paths: list[str] = [
        cost.draw(path=("w", "C")).render("neuron.svg"),
        cost.save_html("neuron.html", parameters=["w", "b"], lr=1.0),
    ]
    assert len(paths) == 2


def arithmetic() -> None:
    """Combine Values with numbers of all kinds, and with arrays."""
    x = Value(2.0)
    sums = [x + 1, 1.0 - x, x * np.float64(2.0), np.float64(2.0) * x, x / np.float32(2.0)]
    sums += [x + Fraction(1, 3), x + True, x ** np.int64(3), 2**x, abs(-x), x.maximum(0)]
    sums += [Value(np.float32(1.5)), Value(Fraction(1, 3)), autograd.elu(x, alpha=0.5)]
    total: Value = autograd.sum(sums) + autograd.mean([x, 2.0]) + sum(sums, Value(0.0))
    assert math.isfinite(total.data) and math.isfinite(total.item() + autograd.sigmoid(0.5))
    assert x > 1 and not x <= np.float64(1.0) and x == x and x in {x: 1}
    values, weights = np.array([x, total]), np.eye(2)
    assert (weights @ values).shape == np.tanh(values).shape == autograd.maximum(values, 0).shape
    sums += [x.add(1).sub(x).mul(2.0).div(x).pow(2).neg().abs().clamp(0, max=1).clone()]
    assert x.requires_grad and autograd.value_and_grad(lambda w: w * w)(3.0)[0] == 9.0
    (slope,) = autograd.grad(x**3, x, create_graph=True)
    assert autograd.grad(slope, x) and autograd.gradcheck(x**3)
    with autograd.no_grad(), autograd.detect_anomaly(), autograd.scope("layer1"):
        assert not autograd.tanh(x).args


def network() -> None:
    """Train a network and look at it, as in README.md."""
    model = nn.MLP(2, [4, 1], "tanh", seed=np.int64(1))
    X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    optimizer = nn.SGD(model.parameters(), lr=1.0)
    trainer = nn.Trainer(model, nn.binary_cross_entropy_with_logits, optimizer)
    history = trainer.fit(X, y, epochs=2, batch_size=None)
    logit = model([0, 1])
    neuron = model.layers[0].neurons[2]
    shown = [
        history,
        neuron.z,
        neuron.a,
        logit.explain("W1[2,1]"),
        nn.diagnose(model, X, y, lr=1.0),
    ]
    assert len(list(map(str, shown))) == 5 and history.losses[-1] < 1.0
    paths: list[str] = [
        nn.draw(model, [0, 1]).render("network.svg"),
        model.save_html("network.html", history=history, data=(X, y)),
    ]
    assert len(paths) == 2
    answers = history.answers.of(model.predict(X) > 0.0)
    assert len(answers) == 4 and history.answers.why
    loss, accuracy = trainer.evaluate(X, y)
    best = trainer.restarts(2, X, y, epochs=2)[0]
    assert loss > 0.0 and accuracy is not None and best.stop_reason
    nn.plots.decision_regions(model, X, y)


def images() -> None:
    """Train a convolution, written as in PyTorch."""
    convolution = nn.Conv2d(1, 2, kernel_size=3, stride=1, padding=1)
    pool, hidden = nn.MaxPool2d(kernel_size=2), nn.Linear(8, 4)
    channels, height, width = pool.output_shape(convolution.output_shape((1, 4, 4)))
    assert channels * height * width == hidden.nin
    head = nn.Sequential(nn.Flatten(), hidden, nn.LeakyReLU(0.1), nn.Linear(4, 2, bias=False))
    model = nn.Sequential(convolution, nn.ReLU(), pool, head)
    X = np.random.default_rng(0).normal(size=(6, 1, 4, 4))
    nn.Trainer(model, nn.CrossEntropyLoss(), nn.Adam(model.parameters())).fit(X, [0, 1] * 3)
    assert model.predict(X).shape == (6, 2) and model.predict([X[0]]).shape == (1, 2)
    assert list(head.state_dict()) == ["1.weight", "1.bias", "3.weight"] and head(X[0, :, :2])
    assert convolution(X[0])[1][2][3].data == convolution(X[0].tolist())[1][2][3].data


def loop() -> None:
    """Train a network in a loop, as with PyTorch."""
    X = np.random.default_rng(0).normal(size=(6, 2))
    y = X[:, 0] > X[:, 1]
    model = nn.Sequential(nn.Layer(2, 4, seed=0), nn.Dropout(0.1), nn.Layer(4, 1, "identity"))
    criterion = nn.BCEWithLogitsLoss()
    optimizer = nn.Adam(model.parameters(), lr=0.01, betas=(0.9, 0.99))
    scheduler = nn.StepLR(optimizer, step_size=10)
    for _ in range(2):
        model.train()
        running = 0.0
        for i in random.sample(range(len(X)), len(X)):
            optimizer.zero_grad()
            loss = criterion(model(X[i]), y[i])
            loss.backward()
            nn.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            running += loss.item()
        scheduler.step()
        assert math.isfinite(running) and scheduler.get_last_lr()[0] == 0.01
    model.eval()
    model.load_state_dict(model.state_dict())
    optimizer.load_state_dict(optimizer.state_dict())
    costs = [nn.mse_loss(model(x), t) for x, t in zip(X, y)]
    cost = autograd.mean(costs) + nn.l2_penalty(model.parameters(), 1e-4)
    nn.ReduceLROnPlateau(optimizer, patience=2).step(cost)


def micrograd() -> None:
    """Build a graph and train a network, as with micrograd."""
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    c += 1 + c + (-a)
    d = a * b + b**3
    d += d * 2 + (b + a).relu()
    g = (c - d) ** 2 / 2.0
    g += 10.0 / g
    g.backward()
    out = Value(a.data * b.data, (a, b), "*")

    def backward() -> None:
        a.grad += b.data * out.grad
        b.grad += a.data * out.grad

    out._backward = backward
    made = [Value(1.0, (a, b), "+", "c"), Value(1.0, (a, b), "+", label="c"), Value(1.0, "c")]
    made += [Value(1.0, (a, b), (1, 1.0)), Value(1.0, children=[a], local_grads=[2.0])]
    made += [Value(1.0, _children=(a, b), _op="+"), Value(1.0, requires_grad=False)]
    assert [v._op for v in made[:3]] == ["+", "+", ""] and made[3]._local_grads == (1.0, 1.0)
    nodes, edges = autograd.trace(out)
    autograd.draw_dot(out, rankdir="LR")
    assert f"{g.data:.4f}" and out._op == "*" and len(out._prev) == len(nodes) - 1 == len(edges)
    model = nn.MLP(2, [4, 1])
    xs, ys = [[2.0, 3.0], [3.0, -1.0]], [1.0, -1.0]
    for _ in range(2):
        loss = sum((model(x) - y) ** 2 for x, y in zip(xs, ys))
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data += -0.1 * p.grad


class Line(nn.Module):
    """A module of one's own."""

    def __init__(self, names: list[str]) -> None:
        self.slope = Value(2.0)
        self.offsets = [Value(0.0, label=name) for name in names]

    def forward(self, x: Sequence[Value]) -> Value:
        return self.slope * x[0] + autograd.tanh(self.offsets[0]) + self.offsets[1]


class Tilted(nn.Module):
    """A cost of one's own."""

    def forward(self, output: Value, target: float) -> Value:
        return autograd.maximum(output - target, 0.3 * (target - output))


def absolute_error(output: Value, target: float) -> Value:
    return abs(output - target)


def close(output: float, target: float) -> bool:
    return abs(output - target) < 0.1


def stop(trainer: nn.Trainer, history: nn.History) -> bool:
    return history.losses[-1] < 0.01


def own() -> None:
    """Train a module with a cost, an operation and a callback of one's own."""
    swish = autograd.op(
        "swish",
        value=lambda a: a * autograd.sigmoid(a),
        partials=lambda out, a: (autograd.sigmoid(a) * (1 + a * autograd.sigmoid(-a)),),
    )
    line = Line(["a", "b"])
    y: Value = swish(line([3.0]))
    y.backward()
    assert dict(line.named_parameters())["slope"].grad and swish(2.0)
    optimizer = nn.SGD(line.parameters(), lr=0.1, momentum=0.9)
    trainer = nn.Trainer(
        line,
        absolute_error,
        optimizer,
        scheduler=nn.CosineAnnealingLR(optimizer, 10),
        penalty=lambda m: nn.l2_penalty(m.parameters(), 1e-3),
        clip=1.0,
        accuracy=close,
    )
    X, t = [[0.0], [1.0], [2.0], [3.0]], np.arange(4.0)
    trainer.fit(X, t, 2, None, validation=0.5, early_stopping=3, callbacks=[stop])
    nn.Trainer(line, Tilted(), optimizer).fit(X, t, epochs=1)
    nn.Trainer(line, nn.MSELoss("sum"), optimizer).fit(X, t, epochs=1)


weight = Value(1.0)


@autograd.compile
def cost(x: Value, y: Value) -> Value:
    return (weight * x - y) ** 2


@autograd.compile(dtype="float32")
def guarded(x: Value, y: Value) -> Value:
    autograd.require(lambda x: x >= 0, x, error=lambda x: ValueError(f"{x} is negative"))
    return (weight * x - y) ** 2


def compiled() -> None:
    """Compile functions and a model, as in README.md."""
    X, y = np.zeros(5), np.ones(5)
    value, gradient = cost.value_and_grad(X, y)
    nn.SGD(cost.params, lr=0.1).step(gradient)
    assert value == cost.mean(X, y) and guarded(X, y).shape == (5,)
    recogniser = autograd.compile(nn.MLP(4, [3, 2], seed=0))
    assert recogniser(np.zeros((5, 4))).shape == (5, 2) and "W1" in recogniser.source
    shown = [cost.explain(), cost.program, cost.graph]
    assert len(list(map(str, shown))) == 3
