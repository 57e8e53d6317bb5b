"""Tests of the training loop: its numbers, its end, and resuming after a kill."""

from __future__ import annotations

import errno
import json
import math
import os
import pickle
import random
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import Value, stop_gradient
from autograd.compiler.guard import Guard
from nn.training import comparison
from nn.training.checkpoint import Checkpoint

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 2))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)


def network(seed: int = 0) -> nn.MLP:
    return nn.MLP(2, [4, 2], "tanh", seed=seed)


def trainer(model: nn.Module | None = None, lr: float = 0.1, **settings: Any) -> nn.Trainer:
    model = model or network()
    optimizer = settings.pop("optimizer", nn.SGD(model.parameters(), lr=lr))
    return nn.Trainer(model, settings.pop("loss", nn.cross_entropy), optimizer, **settings)


def data(model: nn.Module) -> list[float]:
    return [p.data for p in model.parameters()]


# ---------------------------------------------------------------------- what it computes


def test_batch_descent_is_the_loop_one_would_write() -> None:
    model, twin = network(), network()
    history = trainer(model).fit(X, Y, epochs=3, batch_size=None)
    losses = []
    for _ in range(3):
        loss = nn.cross_entropy([twin(row) for row in X], Y)
        twin.zero_grad()
        loss.backward()
        for p in twin.parameters():
            p.data -= 0.1 * p.grad
        losses.append(loss.data)
    assert data(model) == pytest.approx(data(twin), rel=1e-12)
    assert history.losses == history.step_losses == pytest.approx(losses, rel=1e-12)
    assert history.learning_rates == [0.1] * 3


@pytest.mark.parametrize(("batch_size", "steps"), [(None, 1), (1, 20), (8, 3), (100, 1)])
def test_one_setting_chooses_how_many_examples_make_a_step(
    batch_size: int | None, steps: int
) -> None:
    history = trainer().fit(X, Y, epochs=2, batch_size=batch_size)
    assert len(history.step_losses) == 2 * steps
    assert history.epochs == 2


class Noting(nn.Module):
    """A module that returns its inputs, and records those it gets in training."""

    def __init__(self) -> None:
        self.shown: list[float] = []

    def forward(self, x: Any) -> Any:
        if self.training:
            self.shown.append(x[0])
        return x


def test_every_epoch_shows_every_example_once_in_another_order() -> None:
    noting = Noting()
    trainer(nn.Sequential(noting, network())).fit(X, Y, epochs=2, batch_size=3, compile=False)
    first, second = noting.shown[:20], noting.shown[20:]
    assert sorted(first) == sorted(second) == sorted(X[:, 0].tolist())
    assert first != second


def test_the_seed_alone_decides() -> None:
    runs = []
    for seed in (1, 1, 2):
        model = nn.Sequential(nn.Layer(2, 4, seed=0), nn.Dropout(0.3), nn.Layer(4, 2, seed=1))
        history = trainer(model).fit(X, Y, epochs=2, batch_size=4, seed=seed)
        runs.append((history.losses, data(model)))
    assert runs[0] == runs[1] != runs[2]


STILL = 1e-300  # a learning rate so small that no weight changes


def dropping(p: float = 0.5) -> nn.Sequential:
    layers = nn.Layer(2, 6, seed=0), nn.Dropout(p), nn.Layer(6, 6, seed=1), nn.Dropout(p)
    return nn.Sequential(*layers, nn.Layer(6, 2, seed=2))


def masks(model: nn.Sequential, which: int) -> list[list[bool]]:
    """Make a dropout record which of six ones it drops, at each call in training."""
    noted: list[list[bool]] = []
    dropout = model[which]
    drop = dropout.forward

    def noting(x: Any) -> Any:
        if dropout.training and isinstance(x, list):
            state = dropout._rng.getstate()
            noted.append([kept == 0.0 for kept in map(drop, [1.0] * len(x))])
            dropout._rng.setstate(state)
        return drop(x)

    dropout.forward = noting
    return noted


def test_dropout_drops_in_training_whatever_the_mode_was_before() -> None:
    model = dropping().eval()
    noted = masks(model, 1)
    trainer(model).fit(X, Y, 1, compile=False)
    assert len(noted) == len(X)
    assert any(map(any, noted))


def test_dropouts_and_epochs_have_masks_of_their_own() -> None:
    model = dropping()
    first, second = masks(model, 1), masks(model, 3)
    everything = nn.Trainer(model, nn.cross_entropy, nn.SGD(model.parameters(), STILL))
    everything.fit(X, Y, 2, compile=False)
    assert len(first) == len(second) == 2 * len(X)
    assert first[: len(X)] != first[len(X) :]
    assert first != second


def test_judging_drops_nothing() -> None:
    model = dropping()
    outputs = model.predict(X)
    cost = np.mean(np.log(np.exp(outputs).sum(1)) - outputs[np.arange(20), Y])
    judge = trainer(model, lr=STILL)
    assert judge.evaluate(X, Y)[0] == pytest.approx(cost)
    history = judge.fit(X, Y, 1, validation=(X, Y))
    assert history.validation_losses == pytest.approx([cost])
    assert model.training


def test_an_epochs_numbers_are_those_of_all_its_examples() -> None:
    model = network()
    trained = trainer(model, lr=STILL)
    history = trained.fit(X, Y, 1, 8)  # 8, 8 and 4 examples
    loss, accuracy = trained.evaluate(X, Y)
    assert history.losses == pytest.approx([loss])
    assert history.accuracies == [accuracy]


def test_gradient_norms_are_means_over_the_batches_before_clipping() -> None:
    whole, halves = (trainer(lr=STILL, clip=1e-6) for _ in range(2))
    twice = np.concatenate([X[:1], X[:1]])
    once = whole.fit(twice, [1, 1], 1, None).gradient_norms
    assert once["layers.0"][0] > 1e-3
    halved = halves.fit(twice, [1, 1], 1, 1).gradient_norms
    for layer, norms in once.items():
        assert halved[layer] == pytest.approx(norms)


def test_an_answer_that_makes_no_sense_does_not_count() -> None:
    def judge(outputs: Any, y: int) -> bool | None:
        return None if y else True

    assert trainer(accuracy=judge).evaluate(X, Y)[1] == 1.0


def test_the_gradient_norms_are_the_layers() -> None:
    model = network()
    history = trainer(model, lr=1e-300).fit(X, Y, epochs=1, batch_size=None)
    model.zero_grad()
    nn.cross_entropy([model(row) for row in X], Y).backward()
    for i, layer in enumerate(model.layers):
        norm = history.gradient_norms[f"layers.{i}"]
        assert norm == pytest.approx([nn.grad_norm(layer.parameters())], rel=1e-12)


def test_a_penalty_is_added_to_cost_and_gradient() -> None:
    model, twin = network(), network()
    penalised = trainer(model, penalty=lambda m: nn.l2_penalty(m.parameters(), 0.05))
    history = penalised.fit(X, Y, epochs=1, batch_size=None)
    loss = nn.cross_entropy([twin(row) for row in X], Y) + nn.l2_penalty(twin.parameters(), 0.05)
    loss.backward()
    nn.SGD(twin.parameters(), 0.1).step()
    assert data(model) == pytest.approx(data(twin), rel=1e-12)
    assert history.losses == pytest.approx([loss.data])


def test_clipping_bounds_the_step() -> None:
    model = network()
    before = np.array(data(model))
    trainer(model, lr=1.0, clip=1e-3).fit(X, Y, epochs=1, batch_size=None)
    assert np.linalg.norm(np.array(data(model)) - before) == pytest.approx(1e-3)
    before = np.array(data(model))

    def steep(outputs: Any, y: int) -> Value:
        return 1e3 * nn.cross_entropy(outputs, y)

    trainer(model, loss=steep, lr=1e-3, clip=2.0).fit(X, Y, epochs=1, batch_size=None)
    assert np.linalg.norm(np.array(data(model)) - before) == pytest.approx(2e-3)


def test_a_schedule_steps_once_an_epoch() -> None:
    model = network()
    optimizer = nn.SGD(model.parameters(), 0.1)
    schedule = nn.ExponentialLR(optimizer, 0.5)
    history = trainer(model, optimizer=optimizer, scheduler=schedule).fit(X, Y, 3, 5)
    assert history.learning_rates == pytest.approx([0.1, 0.05, 0.025])


def test_a_plateau_is_judged_by_the_validation_cost() -> None:
    model = network()
    optimizer = nn.SGD(model.parameters(), 1e-300)
    schedule = nn.ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
    trained = trainer(model, optimizer=optimizer, scheduler=schedule)
    trained.fit(X, Y, 2, validation=(X[:4], Y[:4]))
    assert schedule.best == pytest.approx(trained.evaluate(X[:4], Y[:4])[0], rel=1e-12)


def test_evaluate_is_the_mean_cost_and_the_share_of_right_answers() -> None:
    model = network()
    outputs = model.predict(X)
    cost = np.mean(np.log(np.exp(outputs).sum(1)) - outputs[np.arange(20), Y])
    loss, accuracy = trainer(model).evaluate(X, Y)
    assert loss == pytest.approx(cost)
    assert accuracy == np.mean(outputs.argmax(1) == Y)


@pytest.mark.parametrize(
    ("loss", "outputs", "right", "wrong"),
    [
        (nn.cross_entropy, [0.1, 2.0], 1, 0),
        (nn.CrossEntropyLoss(), [0.1, 2.0], [0.0, 1.0], [1.0, 0.0]),
        (nn.nll_loss, [-3.0, -0.1], 1, 0),
        (nn.squared_error, [0.1, 0.6], [0, 1], [1, 0]),
        (nn.SquaredError(), [0.1, 0.6], [0, 1], [1, 0]),
        (nn.binary_cross_entropy, 0.6, 1, 0),
        (nn.binary_cross_entropy_with_logits, 0.3, 1, 0),
        (nn.binary_cross_entropy_with_logits, [0.3, -1.0], [1, 0], [1, 1]),
        (nn.HingeLoss(), -0.2, -1, 1),
        (nn.perceptron_loss, 0.2, 1, -1),
        (nn.perceptron_loss, 0.0, -1, 1),
        (nn.binary_cross_entropy, 0.5, 0, 1),
        (nn.mse_loss, 0.6, None, None),
        (nn.l1_loss, [0.6], None, None),
    ],
)
def test_a_cost_knows_what_a_right_answer_is(
    loss: Any, outputs: Any, right: Any, wrong: Any
) -> None:
    values = [Value(z) for z in outputs] if isinstance(outputs, list) else Value(outputs)
    constant = nn.Sequential(nn.Layer(1, 1), lambda _: values)
    judge = nn.Trainer(constant, loss, nn.SGD(constant.parameters(), 0.1))
    if right is None:
        target = 1.0 if np.ndim(outputs) == 0 else [1.0]
        assert judge.evaluate([[0.0]], [target])[1] is None
    else:
        assert judge.evaluate([[0.0]] * 2, [right, wrong])[1] == 0.5


def test_an_accuracy_of_ones_own() -> None:
    def close(outputs: float, y: float) -> bool:
        return abs(outputs - y) < 1e9

    model = nn.MLP(2, [1], seed=0)
    assert trainer(model, loss=nn.mse_loss, accuracy=close).evaluate(X, Y)[1] == 1.0


def test_callbacks_are_called_each_epoch_and_may_stop() -> None:
    seen = []

    def stop_after_two(who: nn.Trainer, history: nn.History) -> bool:
        seen.append((who, history.epochs))
        return history.epochs == 2

    trained = trainer()
    history = trained.fit(X, Y, epochs=9, callbacks=[stop_after_two])
    assert seen == [(trained, 1), (trained, 2)]
    assert history.stop_reason == "a callback asked to stop"


def test_every_callback_is_called_even_if_one_stops() -> None:
    seen: list[str] = []

    def stop(trainer: nn.Trainer, history: nn.History) -> bool:
        seen.append("stop")
        return True

    def after(trainer: nn.Trainer, history: nn.History) -> None:
        seen.append("after")

    callbacks: list[Any] = [stop, after]
    trainer().fit(X, Y, 5, callbacks=iter(callbacks))
    assert seen == ["stop", "after"]


def test_a_share_of_the_examples_is_held_out() -> None:
    shown: list[float] = []
    model = nn.Sequential(lambda x: shown.append(x[0]) or x, network())  # type: ignore[func-returns-value]
    history = trainer(model).fit(X, Y, 1, None, validation=0.25, compile=False)
    assert len(history.validation_losses) == 1
    learned, judged = shown[-35:-20], shown[-20:-15]  # the fifteen examples are evaluated again
    assert sorted(learned + judged) == sorted(X[:, 0].tolist())


# ---------------------------------------------------------------------- as compiled code


def slopes(x: Value, y: float) -> Value:
    return (x - y) ** 2


@pytest.mark.parametrize(
    ("loss", "nout", "target"),
    [
        (nn.cross_entropy, 2, Y),
        (nn.CrossEntropyLoss(), 2, nn.one_hot(Y, 2)),
        (nn.squared_error, 2, nn.one_hot(Y, 2)),
        (nn.binary_cross_entropy_with_logits, 1, Y),
        (nn.HingeLoss(), 1, 2 * Y - 1),
        (nn.perceptron_loss, 1, 2 * Y - 1),
        (nn.l1_loss, 1, X[:, 0]),
        (slopes, 1, X[:, 0]),
    ],
)
def test_code_and_engine_tell_the_same_history(loss: Any, nout: int, target: Any) -> None:
    runs = []
    for compile in (True, False):
        layers = nn.Layer(2, 5, "tanh", seed=0), nn.Dropout(0.3), nn.Layer(5, nout, seed=1)
        layers[2].activation = nn.ACTIVATIONS["identity"]
        for neuron in layers[2].neurons:
            neuron.activation = nn.ACTIVATIONS["identity"]
        model = nn.Sequential(*layers)
        optimizer = nn.SGD(model.parameters(), 0.05, momentum=0.5)
        trained = trainer(
            model,
            loss=loss,
            optimizer=optimizer,
            penalty=lambda m: nn.l2_penalty(m.parameters(), 0.01),
            clip=0.5,
        )
        history = trained.fit(X, target, 4, 6, validation=(X[:6], target[:6]), compile=compile)
        assert history.not_compiled == ""
        runs.append((history, data(model), [p.grad for p in model.parameters()]))
    (one, weights, grads), (two, others, slow) = runs
    assert one.losses == pytest.approx(two.losses, rel=1e-9)
    assert one.step_losses == pytest.approx(two.step_losses, rel=1e-9)
    assert one.validation_losses == pytest.approx(two.validation_losses, rel=1e-9)
    assert one.accuracies == two.accuracies
    assert one.validation_accuracies == two.validation_accuracies
    for layer, norms in one.gradient_norms.items():
        assert norms == pytest.approx(two.gradient_norms[layer], rel=1e-9)
    assert weights == pytest.approx(others, rel=1e-9, abs=1e-12)
    assert grads == pytest.approx(slow, rel=1e-7, abs=1e-10)


def test_a_cost_that_changes_from_outside_is_compiled_anew() -> None:
    weight = [1.0]

    def cost(outputs: list[Value], y: Any) -> Value:
        return weight[0] * nn.cross_entropy(outputs, y)

    def double(who: nn.Trainer, history: nn.History) -> None:
        weight[0] = 2.0

    history = trainer(loss=cost, lr=STILL).fit(X, nn.one_hot(Y, 2), 2, callbacks=[double])
    assert history.losses[1] == pytest.approx(2.0 * history.losses[0])
    assert history.not_compiled == ""


def test_a_penalty_that_changes_from_outside_is_compiled_anew() -> None:
    strength = [0.0]

    def grow(who: nn.Trainer, history: nn.History) -> None:
        strength[0] += 0.1

    model = network()
    weight = sum(p.data**2 for p in model.parameters())
    trained = trainer(model, lr=STILL, penalty=lambda m: nn.l2_penalty(m.parameters(), strength[0]))
    losses = trained.fit(X, Y, 3, callbacks=[grow]).losses
    assert np.diff(losses) == pytest.approx([0.1 * weight] * 2)


def branching(score: Value, y: Any) -> Value:
    return (1.0 - score).relu() if y == 1 else (1.0 + score).relu()


@pytest.mark.parametrize(
    ("loss", "reason"),
    [
        (lambda outputs, y: outputs[y] * outputs[y], "TypeError"),
        (lambda outputs, y: branching(outputs[0], y), "a Value is compared in"),
        (
            lambda outputs, y: outputs[0] if outputs[0] > outputs[1] else outputs[1],
            "Values are compared in",
        ),
    ],
)
def test_what_cannot_be_compiled_runs_on_the_engine_and_says_why(loss: Any, reason: str) -> None:
    model, twin = network(), network()
    history = trainer(model, loss=loss).fit(X, Y, 2, 5)
    assert reason in history.not_compiled
    assert f"not compiled: {history.not_compiled}" in str(history)
    trainer(twin, loss=loss).fit(X, Y, 2, 5, compile=False)
    assert data(model) == data(twin)


# ---------------------------------------------------------------------- how it ends


def test_early_stopping_restores_the_best_weights() -> None:
    costs = [3.0, 2.0, 2.5, 2.6, 1.0]
    weights: list[list[float]] = []
    model = network()

    def cost(outputs: list[Value], y: int) -> Value:
        # the cost of an epoch is what the list says, whatever the weights
        return 0.0 * outputs[0] + costs[len(weights)]

    def remember(who: nn.Trainer, history: nn.History) -> None:
        for p in model.parameters():
            p.data += 1.0
        weights.append(data(model))

    trained = trainer(model, loss=cost)
    settings: dict[str, Any] = {
        "validation": (X[:2], Y[:2]),
        "early_stopping": 2,
        "callbacks": [remember],
    }
    history = trained.fit(X, Y, 5, None, **settings)
    assert history.epochs == 4
    assert history.kept_epoch == 2
    assert data(model) == weights[0], "the weights that the second epoch ended with"
    assert "no lower cost for 2 epochs; the weights are those of epoch 2" in history.stop_reason


def test_equal_costs_are_no_progress() -> None:
    history = trainer(lr=STILL).fit(X, Y, 9, validation=0.2, early_stopping=2)
    assert (history.epochs, history.kept_epoch) == (3, 1)


def test_the_best_weights_come_back_however_training_ends() -> None:
    for ending in (KeyboardInterrupt, OverflowError):
        model, weights = network(), []

        def worse(who: nn.Trainer, history: nn.History) -> None:
            weights.append(data(who.model))  # noqa: B023  # called in this turn of the loop

        def ends(outputs: Any, y: int) -> Value:
            if len(weights) == 3:  # noqa: B023
                raise ending  # noqa: B023
            return (1.0 + len(weights)) * nn.cross_entropy(outputs, y)  # noqa: B023

        trained = trainer(model, loss=ends, lr=0.01)
        settings: dict[str, Any] = {"validation": (X, Y), "early_stopping": 9, "callbacks": [worse]}
        if ending is OverflowError:
            with pytest.warns(RuntimeWarning, match="training stopped"):
                history = trained.fit(X, Y, 9, None, **settings)
        else:
            history = trained.fit(X, Y, 9, None, **settings)
        assert (history.epochs, history.kept_epoch) == (3, 1)
        assert data(model) == weights[0]


def test_early_stopping_keeps_the_best_when_the_epochs_run_out() -> None:
    model = network()
    trained = trainer(model, lr=5.0)
    history = trained.fit(X, Y, 4, 1, validation=(X[:7], Y[:7]), early_stopping=50)
    best = min(history.validation_losses)
    assert history.validation_losses[history.kept_epoch - 1] == best
    assert trained.evaluate(X[:7], Y[:7])[0] == best


def test_ctrl_c_keeps_what_was_learned() -> None:
    model, twin = network(), network()
    calls = []

    def interrupted(outputs: Any, y: int) -> Value:
        calls.append(1)
        if len(calls) > 60:
            raise KeyboardInterrupt
        return nn.cross_entropy(outputs, y)

    history = trainer(model, loss=interrupted).fit(X, Y, 9, None, compile=False)
    first = history.epochs
    assert 1 <= first < 9
    assert history.stop_reason == f"interrupted by Ctrl-C after {first} epoch(s)"
    trainer(twin).fit(X, Y, epochs=first, batch_size=None, compile=False)
    assert data(model) == data(twin)
    assert {len(history.losses), len(history.accuracies), len(history.seconds)} == {first}
    assert history.kept_epoch == first


def test_a_cost_that_turns_nan_stops_and_keeps_the_last_good_weights() -> None:
    model = nn.MLP(1, [1], init=lambda *_: 1.0, seed=0)
    good: list[list[float]] = []

    def cost(z: Value, y: float) -> Value:
        good.append(data(model))
        return stop_gradient(z) * np.inf * 0.0 + z if len(good) > 4 else z

    with pytest.warns(RuntimeWarning, match="training stopped: the cost became nan at step 4"):
        history = trainer(model, loss=cost).fit([[1.0]] * 2, [0.0] * 2, 5, 1, compile=False)
    assert "the cost became nan at step 4, in epoch 2" in history.stop_reason
    assert "Try a learning rate below 0.1" in history.stop_reason
    # one call checks the target, then one call for each step
    assert data(model) == good[-2]
    assert history.epochs == 1


def test_an_overflow_is_a_divergence_too() -> None:
    model = nn.MLP(1, [1], init=lambda *_: 1.0, seed=0)
    trained = trainer(model, loss=lambda z, y: (z * z).exp(), lr=1e3)
    with pytest.warns(RuntimeWarning, match=r"the cost could not be computed \(.*too large"):
        history = trained.fit([[1.0]], [0.0], 5)
    assert data(model) == [1.0, 0.0]
    assert history.losses == pytest.approx([math.e])


def test_an_overflow_on_the_held_out_examples_is_a_divergence_too() -> None:
    model = nn.MLP(1, [1], init=lambda *_: 1.0, seed=0)
    trained = trainer(model, loss=lambda z, y: (z * z).exp() if y else z, lr=1e3)
    with pytest.warns(RuntimeWarning, match="could not be computed"):
        history = trained.fit([[1.0]], [0.0], 5, validation=([[1.0]], [1.0]), compile=False)
    assert data(model) == [1.0, 0.0]
    assert (history.epochs, history.validation_losses) == (0, [])


def test_the_last_step_is_judged_too() -> None:
    model = nn.MLP(1, [1], init=lambda *_: 1.0, seed=0)
    with pytest.warns(RuntimeWarning, match="at step 2"):
        trainer(model, loss=nn.mse_loss, lr=1e160).fit([[1.0]], [0.0], 1)
    assert data(model) == [1.0, 0.0]


def test_an_output_that_is_sure_and_wrong_is_a_divergence() -> None:
    model = nn.MLP(1, [1], output="sigmoid", init=lambda *_: 1.0, seed=0)
    trained = trainer(model, loss=nn.binary_cross_entropy, lr=1e4)
    with pytest.warns(RuntimeWarning, match="costs infinity: give the logits"):
        trained.fit([[1.0], [1.1]], [0, 1], 5, 1)
    assert trained.evaluate([[1.0], [1.1]], [0, 1])[0] < 1.0


def test_a_gradient_that_is_not_finite_moves_nothing() -> None:
    model = nn.MLP(1, [1], init=lambda *_: 1e-300, seed=0)
    trained = trainer(model, loss=lambda z, y: z * 1e200 * 1e200)
    with pytest.warns(RuntimeWarning, match="the gradient is no longer finite at step 1"):
        trained.fit([[1.0]], [0.0], 1)
    assert data(model) == [1e-300, 0.0]


def test_a_gradient_that_is_not_finite_undoes_no_good_step() -> None:
    model = nn.MLP(1, [1], init=lambda *_: 1.0, seed=0)
    calls = []

    def cost(z: Value, y: float) -> Value:
        calls.append(1)
        return (z - z.data) * 1e200 * 1e200 if len(calls) == 3 else z

    with pytest.warns(RuntimeWarning, match="the gradient is no longer finite at step 2"):
        trainer(model, loss=cost, lr=0.5).fit([[1.0]], [0.0], 2, compile=False)
    assert data(model) == [0.5, -0.5], "the weights after the first step"


def line(weight: float = 1.0) -> nn.Neuron:
    neuron = nn.Neuron(1, "identity", seed=0)
    neuron.load_state_dict({"w": [weight], "b": 0.0})
    return neuron


def log_loss(p: list[Value], y: int) -> Value:
    return -p[y].log()


@pytest.mark.parametrize("compile", [True, False])
def test_a_logarithm_of_zero_stops_and_keeps_the_last_good_weights(compile: bool) -> None:
    model = nn.MLP(2, [4, 2], "tanh", output="softmax", seed=1)
    trained = trainer(model, loss=log_loss, lr=500.0)
    with pytest.warns(RuntimeWarning, match="training stopped: the cost could not be computed"):
        history = trained.fit(X, Y, 200, None, compile=compile)
    assert re.search(r"X\[\d+\]: .*log needs a > 0.* at step \d+, in epoch", history.stop_reason)
    assert trained.evaluate(X, Y)[0] == pytest.approx(history.step_losses[-1])


@pytest.mark.parametrize("compile", [True, False])
def test_a_root_at_a_perfect_fit_stops_there(compile: bool) -> None:
    model = line()
    trained = trainer(model, loss=lambda o, y: ((o - y) ** 2).sqrt())
    with pytest.warns(RuntimeWarning, match=r"the gradient could not be computed \(X\[1\]: sqrt"):
        history = trained.fit([[2.0], [1.0]], [3.0, 1.0], 3, compile=compile)
    assert history.stop_reason.endswith("at step 1, in epoch 1, so no step was made")
    assert data(model) == [1.0, 0.0]


@pytest.mark.parametrize("compile", [True, False])
def test_a_step_into_a_perfect_fit_is_kept(compile: bool) -> None:
    model = line(0.0)
    trained = trainer(model, loss=lambda o, y: ((o - y) ** 2).sqrt(), lr=1.0)
    with pytest.warns(RuntimeWarning, match="gradient could not be computed .* at step 2"):
        trained.fit([[1.0]], [2.0], 3, compile=compile)
    assert data(model) == [1.0, 1.0]


@pytest.mark.parametrize("compile", [True, False])
def test_a_penalty_without_a_slope_stops(compile: bool) -> None:
    model = line(0.0)
    trained = trainer(model, loss=nn.mse_loss, penalty=lambda m: (m.w[0] ** 2 + m.b**2).sqrt())
    with pytest.warns(RuntimeWarning, match="training stopped: the gradient .*sqrt"):
        trained.fit([[1.0]], [2.0], 3, compile=compile)


def test_an_error_of_ones_own_on_the_way_stops_too() -> None:
    def cost(z: Value, y: float) -> Value:
        return z * math.log(2.0 + z.data)

    model = line()
    with pytest.warns(RuntimeWarning, match=r"math.* at step 2, in epoch 2; the weights are"):
        history = trainer(model, loss=cost, lr=3.0).fit([[1.0]], [0.0], 9)
    assert data(model) == [1.0, 0.0]
    assert history.epochs == 1


def test_an_accuracy_that_cannot_be_computed_stops_after_the_epoch() -> None:
    trained = trainer(accuracy=lambda outputs, y: math.log(-1.0) > 0.0)
    with pytest.warns(RuntimeWarning, match="the accuracy could not be computed .math domain"):
        history = trained.fit(X, Y, 2, 10)
    assert (history.epochs, len(history.step_losses)) == (0, 2)


def test_held_out_examples_and_checkpoints_meet_logarithms_of_zero_too(tmp_path: Path) -> None:
    def cost(z: Value, y: float) -> Value:
        return (z - y) ** 2 if y else z.log()

    model = line(2.0)
    settings: dict[str, Any] = {"validation": ([[1.0]], [0.0]), "checkpoint": tmp_path / "run.npz"}
    with pytest.warns(RuntimeWarning, match=r"validation X\[0\]: log"):
        history = trainer(model, loss=cost).fit([[1.0]], [-9.0], 9, compile=False, **settings)
    assert data(model) == [2.0, 0.0]
    assert history.epochs == 0
    model = line()
    with pytest.warns(RuntimeWarning, match="log"):
        trainer(model, loss=lambda z, y: z.log(), lr=1.0).fit(
            [[1.0]], [0.0], 1, checkpoint=settings["checkpoint"]
        )
    assert data(model) == [1.0, 0.0]
    assert not settings["checkpoint"].exists()


def test_a_start_with_a_logarithm_of_zero_is_the_worst() -> None:
    model = nn.Neuron(1, "identity", init="uniform", seed=0)
    starts = [nn.Neuron(1, "identity", init="uniform", seed=k).w[0].data for k in range(6)]
    assert min(starts) < 0.0 < max(starts)
    with pytest.warns(RuntimeWarning, match="so no step was made"):
        histories = trainer(model, loss=lambda z, y: -z.log(), lr=STILL).restarts(
            6, [[1.0]], [0], 1
        )
    assert len(histories) == 6
    assert starts[histories[0].seed] == max(starts)
    assert starts[histories[-1].seed] < 0.0


def test_an_example_whose_cost_cannot_be_computed_is_named() -> None:
    judge = trainer(line(), loss=lambda z, y: z.log())
    with pytest.raises(ValueError, match=r"^X\[2\]: log\(.* needs a > 0"):
        judge.evaluate([[1.0], [2.0], [-1.0]], [0, 0, 0])
    judge = trainer(line(), loss=lambda z, y: 1.0 / z)
    with pytest.raises(ZeroDivisionError, match=r"^X\[1\]: "):
        judge.evaluate([[1.0], [0.0]], [0, 0])


def test_a_mistake_in_a_shared_out_target_is_named_by_its_place_in_the_table() -> None:
    targets = Y.copy()
    targets[7] = 5
    with pytest.raises(ValueError, match=r"^(validation )?y\[7\]: class 5 is outside"):
        trainer().fit(X, targets, validation=0.5)


@pytest.mark.parametrize(
    ("loss", "error", "message"),
    [
        (lambda o, y: (o.detach() - y) ** 2, ValueError, "does not depend on any parameter"),
        (lambda o, y: (Value(o.data) - y) ** 2, ValueError, "does not depend on any parameter"),
        (lambda o, y: stop_gradient(o) * y, ValueError, "does not depend on any parameter"),
        (lambda o, y: Value(float(y)), ValueError, r"without \.data, detach\(\)"),
        (lambda o, y: (o.data - y) ** 2, TypeError, "loss returned the number .* has no gradient"),
        (lambda o, y: np.float64(3.0), TypeError, "loss returned the number 3.0"),
        (lambda o, y: None, TypeError, "loss returned None: does it end in `return`"),
        (lambda o, y: [o - y], TypeError, "loss returned a list: return one Value, as from auto"),
        (lambda o, y: np.array([o - y]), TypeError, "loss returned a ndarray: return one Value"),
        (lambda o, y: "0.5", TypeError, "loss returned a str"),
        (lambda o, y: object(), TypeError, "loss returned a object, and not a Value"),
    ],
)
def test_a_loss_that_cannot_teach_is_refused(
    loss: Any, error: type[Exception], message: str
) -> None:
    model = line()
    trained = trainer(model, loss=loss)
    with pytest.raises(error, match=message):
        trained.fit([[1.0], [2.0]], [3.0, 4.0], 5)
    assert data(model) == [1.0, 0.0]
    if error is TypeError:
        with pytest.raises(TypeError, match=message):
            trained.evaluate([[1.0], [2.0]], [3.0, 4.0])


def test_a_penalty_that_is_no_value_is_refused() -> None:
    with pytest.raises(TypeError, match="the penalty returned the number 0.0"):
        trainer(penalty=lambda m: 0.0).fit(X, Y)


def test_a_cost_that_counts_one_kind_of_target_alone_may_learn() -> None:
    model = line()
    masked = trainer(model, loss=lambda o, y: o * o if y else Value(0.0))
    masked.fit([[1.0]] * 3, [0, 0, 1], 1, compile=False)
    assert data(model) != [1.0, 0.0]


def test_a_run_without_any_gradient_says_so() -> None:
    model = nn.MLP(2, [3, 1], "step", seed=0, output="step")
    history = trainer(model, loss=nn.mse_loss).fit(X, Y + 1.0, 3)
    assert history.stop_reason == (
        "all 3 epochs done; every gradient was zero, so nothing was learned"
    )


def test_steps_too_small_for_any_weight_are_told() -> None:
    model = nn.Neuron(1, "identity", seed=0)
    model.b.data = 1.0
    history = trainer(model, loss=nn.mse_loss, lr=STILL).fit([[1.0]], [9.0], 2)
    assert history.stop_reason.startswith("all 2 epochs done; no weight moved: with lr=1e-300")


def test_an_exploding_run_says_so() -> None:
    model = line()
    with pytest.warns(RuntimeWarning, match="training diverged: the mean cost grew from 0.25 to"):
        history = trainer(model, loss=nn.mse_loss, lr=20.0).fit([[1.0]], [1.5], 30)
    assert "all 30 epochs done; the mean cost grew from 0.25 to" in history.stop_reason
    assert data(model) != [1.0, 0.0]


@pytest.mark.parametrize(
    "healthy",
    [
        lambda: trainer(line(), loss=nn.mse_loss).fit([[1.0], [2.0]], [1.0, 2.0], 5),  # perfect
        lambda: trainer(line(3.0), loss=nn.hinge_loss).fit([[1.0], [-1.0]], [1, -1], 5),
        lambda: trainer(line(3.0), loss=nn.mse_loss).fit([[1.0], [2.0]], [1.0, 2.0], 400, None),
        lambda: trainer(line(0.05), loss=nn.l1_loss).fit(
            [[1.0]], [0.0], 6
        ),  # the weight oscillates
        lambda: trainer().fit(X, Y, 3, 1),
    ],
)
def test_a_healthy_run_is_not_accused(healthy: Callable[[], nn.History]) -> None:
    history = healthy()
    assert history.stop_reason == f"all {history.epochs} epochs done"


def test_the_modes_are_as_they_were() -> None:
    model = nn.Sequential(nn.Layer(2, 2, seed=0), nn.Dropout(0.5, seed=0))
    model.eval()
    trainer(model).fit(X, Y, epochs=1, validation=0.2)
    assert [module.training for module in model.modules()] == [False] * 5


# ---------------------------------------------------------------------- checkpoints


def full_run(path: Path | None, epochs: int = 6, **settings: Any) -> tuple[Any, Any]:
    model = nn.Sequential(nn.Layer(2, 4, seed=0), nn.Dropout(0.2), nn.Layer(4, 2, seed=1))
    optimizer = nn.Adam(model.parameters(), 0.05)
    trained = nn.Trainer(
        model, nn.cross_entropy, optimizer, scheduler=nn.StepLR(optimizer, step_size=2)
    )
    settings = {"validation": 0.2, "early_stopping": 5, "seed": 3, **settings}
    history = trained.fit(X, Y, epochs, 4, checkpoint=path, **settings)
    return history, data(model)


def timeless(history: nn.History) -> dict[str, Any]:
    numbers = json.loads(history.to_json())
    return {k: v for k, v in numbers.items() if k not in ("seconds", "digest")}


def test_a_resumed_run_ends_at_the_same_numbers(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    straight, weights = full_run(None)
    full_run(path, epochs=2)
    history, resumed = full_run(path, resume=True)
    assert resumed == weights
    assert timeless(history) == timeless(straight)


KILLED = """
import os, signal, sys
from tests.nn.training.test_train import full_run

def killed(trainer, history):
    if history.epochs == 3:
        os.kill(os.getpid(), signal.SIGKILL)

full_run(sys.argv[1], callbacks=[killed])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no such signal")
def test_a_killed_run_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    straight, weights = full_run(None)
    done = subprocess.run([sys.executable, "-c", KILLED, path])
    assert done.returncode == -signal.SIGKILL
    assert Checkpoint.load(path).history.epochs in (2, 3)
    history, resumed = full_run(path, resume=True)
    assert resumed == weights
    assert timeless(history) == timeless(straight)


def test_resume_without_a_file_starts_from_the_beginning(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    assert full_run(path, resume=True)[1] == full_run(None)[1]
    assert path.exists()


def test_a_checkpoint_of_another_shape_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    trainer(nn.MLP(2, [3, 2], seed=0)).fit(X, Y, 1, checkpoint=path)
    other = trainer()
    before = data(other.model)
    with pytest.raises(
        ValueError,
        match=r"run.npz is of another run: model.layers\[0\].nout was 3 there and is 4 here",
    ):
        other.fit(X, Y, 2, checkpoint=path, resume=True)
    assert data(other.model) == before


def test_a_checkpoint_of_another_optimiser_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    model = network()
    nn.Trainer(model, nn.cross_entropy, nn.Adam(model.parameters()[:3])).fit(
        X, Y, 1, checkpoint=path
    )
    other = trainer(network(seed=9))
    before = data(other.model)
    with pytest.raises(
        ValueError,
        match="moved was .*'layers.0.neurons.*; optimizer was nn.Adam there and is nn.SGD",
    ):
        other.fit(X, Y, 2, checkpoint=path, resume=True)
    assert data(other.model) == before


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seed": 4}, "is of another run: seed was 0 there and is 4 here"),
        ({"batch_size": 5}, "batch_size was 20 there and is 5 here"),
        ({"validation": (X, Y)}, "validation X was None there and is float64 of shape .20, 2."),
        (
            {"validation": (X, Y), "early_stopping": 3},
            "early_stopping was None there and is 3 here; validation X was None there",
        ),
    ],
)
def test_a_checkpoint_of_other_settings_is_refused(
    tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    path = tmp_path / "run.npz"
    trainer().fit(X, Y, 1, checkpoint=path)
    with pytest.raises(ValueError, match=message):
        trainer().fit(X, Y, 2, checkpoint=path, resume=True, **settings)


def test_a_rate_set_by_a_callback_is_in_the_checkpoint(tmp_path: Path) -> None:
    def halve(who: nn.Trainer, history: nn.History) -> None:
        who.optimizer.lr *= 0.5

    straight = full_run(None, callbacks=[halve])
    full_run(tmp_path / "run.npz", epochs=2, callbacks=[halve])
    resumed = full_run(tmp_path / "run.npz", callbacks=[halve], resume=True)
    assert resumed[0].learning_rates == straight[0].learning_rates
    assert resumed[1] == straight[1]


def test_rows_and_patience_are_part_of_the_run(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    trainer().fit(X, Y, 1, 5, checkpoint=path, validation=(X, Y))
    with pytest.raises(
        ValueError,
        match=r"X was float64 of shape \(20, 2\), .* there and is float64 of shape \(10, 2\)",
    ):
        trainer().fit(X[:10], Y[:10], 2, 5, checkpoint=path, resume=True, validation=(X, Y))
    with pytest.raises(ValueError, match="early_stopping was None there and is 3 here"):
        trainer().fit(X, Y, 2, 5, checkpoint=path, resume=True, validation=(X, Y), early_stopping=3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lr": 0.7}, "run: optimizer.lr was 0.1 there and is 0.7 here$"),
        ({"loss": nn.nll_loss}, "run: loss was nn.cross_entropy there and is nn.nll_loss here"),
        ({"clip": 1.0}, "clip was None there and is 1.0 here"),
    ],
)
def test_how_it_learns_is_part_of_the_run(
    tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    path = tmp_path / "run.npz"
    trainer().fit(X, Y, 1, checkpoint=path)
    with pytest.raises(ValueError, match=message):
        trainer(**settings).fit(X, Y, 2, checkpoint=path, resume=True)


def test_what_learns_is_part_of_the_run(tmp_path: Path) -> None:
    path, model = tmp_path / "run.npz", network()
    trainer(model).fit(X, Y, 1, checkpoint=path)
    some = nn.SGD(model.layers[1].parameters(), 0.1)
    with pytest.raises(ValueError, match=r"moved was 22 there and is \['layers.1.neurons.0.w.0', "):
        trainer(model, optimizer=some).fit(X, Y, 2, checkpoint=path, resume=True)


def test_a_step_that_went_too_far_is_in_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    for _ in range(2):
        model = nn.MLP(1, [1], init=lambda *_: 1.0, seed=0)
        with pytest.warns(RuntimeWarning, match="training stopped"):
            trainer(model, loss=nn.mse_loss, lr=1e200).fit(
                [[1.0]], [1e3], 1, checkpoint=path, resume=True
            )
        assert data(model) == [1.0, 0.0]
    assert not path.exists()


def test_a_schedule_is_part_of_the_run(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    trainer().fit(X, Y, 1, checkpoint=path)
    model = network()
    optimizer = nn.SGD(model.parameters(), 0.1)
    other = trainer(model, optimizer=optimizer, scheduler=nn.ExponentialLR(optimizer, 0.5))
    with pytest.raises(
        ValueError, match="run: scheduler was None there and is nn.ExponentialLR here$"
    ):
        other.fit(X, Y, 2, checkpoint=path, resume=True)


def test_a_run_that_a_callback_stopped_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    full_run(path, callbacks=[lambda who, history: history.epochs == 2])
    assert full_run(path, resume=True)[1] == full_run(None)[1]


def test_weights_are_no_checkpoint_and_a_torn_one_is_told(tmp_path: Path) -> None:
    network().save(tmp_path / "weights.npz")
    with pytest.raises(ValueError, match="weights.npz is not a checkpoint"):
        trainer().fit(X, Y, 1, checkpoint=tmp_path / "weights.npz", resume=True)
    path = tmp_path / "run.npz"
    trainer().fit(X, Y, 1, checkpoint=path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="not a whole .npz file"):
        trainer().fit(X, Y, 1, checkpoint=path, resume=True)


def test_a_full_disk_leaves_the_old_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.npz"
    trainer().fit(X, Y, 1, checkpoint=path)
    before = path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        trainer().fit(X, Y, 2, checkpoint=path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"]


# ---------------------------------------------------------------------- restarts


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_restarts_keep_the_best_of_n_starts(n_jobs: int) -> None:
    model = network()
    trained = trainer(model, lr=1.0)
    histories = trained.restarts(3, X, Y, 4, None, n_jobs=n_jobs)
    finals = [history.losses[-1] for history in histories]
    assert finals == sorted(finals)
    assert {history.seed for history in histories} == {0, 1, 2}
    twin = network(seed=histories[0].seed)
    again = trainer(twin, lr=1.0).fit(X, Y, 4, None, seed=histories[0].seed)
    assert again.losses == histories[0].losses
    assert data(model) == data(twin)
    assert trained.history is histories[0]


RESTARTS = """
from tests.nn.training.test_train import X, Y, trainer
if __name__ == "__main__":
    print(len(trainer().restarts(2, X, Y, 1, n_jobs=2)))
"""


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python can only be told so from 3.11 on")
@pytest.mark.parametrize("before", [None, "1"])
def test_workers_run_nothing_that_lies_in_the_current_folder(
    tmp_path: Path, before: str | None
) -> None:
    here, script = tmp_path / "here", tmp_path / "script.py"
    here.mkdir()
    script.write_text(RESTARTS)
    for name in ("joblib", "multiprocessing", "numpy"):
        (here / f"{name}.py").write_text(f"open('{name} was run', 'w')")
    done = subprocess.run(
        [sys.executable, script],
        cwd=here,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
        | ({} if before is None else {"PYTHONSAFEPATH": before}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "2\n"
    assert {p.name for p in here.iterdir()} == {"joblib.py", "multiprocessing.py", "numpy.py"}


def test_a_start_that_diverged_is_the_worst() -> None:
    def cost(z: Value, y: float) -> Value:
        return 0.0 * z - 1.0 if z.data > 0.0 else (z * -1e4).exp()

    model = nn.MLP(1, [1], init="uniform", seed=0)
    firsts = [nn.MLP(1, [1], init="uniform", seed=k).predict([[1.0]])[0] for k in range(6)]
    assert min(firsts) < -0.1
    with pytest.warns(RuntimeWarning, match="training stopped"):
        histories = trainer(model, loss=cost).restarts(6, [[1.0]], [0.0], 1)
    assert histories[0].stop_reason.startswith("all 1 epochs done")
    assert model.predict([[1.0]])[0] > 0.0
    assert "could not be computed" in histories[-1].stop_reason


def test_starts_leave_frozen_layers_alone() -> None:
    model = network()
    frozen = data(model.layers[0])
    some = nn.SGD(model.layers[1].parameters(), 0.1)
    trainer(model, optimizer=some).restarts(2, X, Y, 1, seed=5)
    assert data(model.layers[0]) == frozen
    assert data(model.layers[1]) != data(network().layers[1])


def test_gradients_of_frozen_layers_do_not_add_up() -> None:
    model = network()
    some = nn.SGD(model.layers[1].parameters(), STILL)
    norms = trainer(model, optimizer=some).fit(X, Y, 3, None).gradient_norms
    assert norms["layers.0"] == pytest.approx([norms["layers.0"][0]] * 3)


@pytest.mark.parametrize("batch_size", [1, 3])
def test_a_mean_of_large_costs_is_no_divergence(batch_size: int) -> None:
    model = nn.Neuron(1, "identity", seed=0)
    trained = trainer(model, loss=nn.squared_error, lr=1e-300)
    history = trained.fit([[0.0]] * 3, [1.3e154] * 3, 2, batch_size)
    assert history.losses == pytest.approx([1.69e308] * 2, rel=1e-3)
    assert trained.evaluate([[0.0]] * 3, [1.3e154] * 3)[0] == pytest.approx(1.69e308, rel=1e-3)


def test_a_penalty_that_adds_up_to_infinity_is_a_divergence() -> None:
    model = nn.Neuron(1, "identity", seed=0)
    heavy = trainer(model, loss=nn.mse_loss, penalty=lambda m: 0.0 * m.b + 1.7e308)
    with pytest.warns(RuntimeWarning, match="the cost became inf"):
        heavy.fit([[0.0]], [1.3e154], 2)


def test_a_target_is_judged_by_its_own_outputs() -> None:
    neuron = nn.Neuron(1, "sigmoid", seed=0)
    neuron.load_state_dict({"w": [60.0], "b": 0.0})
    judge = trainer(neuron, loss=nn.binary_cross_entropy)
    loss, accuracy = judge.evaluate([[1.0], [-1.0]], [1, 0])
    assert loss < 1e-20
    assert accuracy == 1.0


def test_a_regression_of_several_outputs_has_no_right_answers() -> None:
    model = network()
    assert trainer(model, loss=nn.mse_loss).evaluate(X, X + 5.0)[1] is None
    assert trainer(model, loss=nn.mse_loss).evaluate(X, nn.one_hot(Y, 2))[1] is not None


@pytest.mark.parametrize("loss", [nn.HingeLoss(), nn.mse_loss, nn.cross_entropy])
def test_a_trainer_is_pickled(loss: Any) -> None:
    copied = pickle.loads(pickle.dumps(trainer(loss=loss)))
    assert copied.optimizer.params[0] is copied.model.parameters()[0]


def test_starts_count_from_their_seed() -> None:
    histories = trainer(lr=STILL).restarts(3, X, Y, 1, seed=4)
    assert {history.seed for history in histories} == {4, 5, 6}


def test_the_best_start_is_the_one_whose_kept_weights_cost_least() -> None:
    settings: dict[str, Any] = {"validation": (X[:5], Y[:5]), "early_stopping": 9}
    trained = trainer(lr=8.0)
    histories = trained.restarts(5, X[5:], Y[5:], 6, None, **settings)
    kept = [history.validation_losses[history.kept_epoch - 1] for history in histories]
    assert kept == sorted(kept)
    assert kept[0] == pytest.approx(trained.evaluate(X[:5], Y[:5])[0], rel=1e-12)
    lasts = [history.validation_losses[-1] for history in histories]
    learned = [history.losses[history.kept_epoch - 1] for history in histories]
    assert lasts != sorted(lasts)
    assert learned != sorted(learned), "otherwise this test could not fail"


def test_the_share_held_out_follows_the_seed() -> None:
    histories = [trainer(lr=STILL).fit(X, Y, 1, validation=0.25, seed=s) for s in (0, 1)]
    assert histories[0].validation_losses != histories[1].validation_losses


def test_all_starts_are_judged_by_the_same_examples() -> None:
    trained = trainer(lr=1e-300)
    histories = trained.restarts(3, X, Y, 1, validation=0.5, seed=4)
    order = random.Random("4, validation").sample(range(20), 20)[:10]
    for history in histories:
        model = network(seed=history.seed)
        cost = trainer(model).evaluate(X[order], Y[order])[0]
        assert history.validation_losses == [pytest.approx(cost)]


def test_starts_begin_with_the_first_rate_and_an_empty_memory() -> None:
    def built() -> nn.Trainer:
        model = network()
        optimizer = nn.Adam(model.parameters(), 0.1)
        return trainer(model, optimizer=optimizer, scheduler=nn.CosineAnnealingLR(optimizer, 4))

    used = built()
    used.fit(X, Y, 4)
    again, fresh = used.restarts(2, X, Y, 4), built().restarts(2, X, Y, 4)
    assert [timeless(h) for h in again] == [timeless(h) for h in fresh]


def test_ctrl_c_ends_the_starts_and_keeps_the_best_so_far() -> None:
    calls = []

    def interrupted(outputs: Any, y: int) -> Value:
        calls.append(1)
        if len(calls) == 100:
            raise KeyboardInterrupt
        return nn.cross_entropy(outputs, y)

    trained = trainer(loss=interrupted)
    histories = trained.restarts(9, X, Y, 2, None)
    assert 1 < len(histories) < 4
    assert sum("Ctrl-C" in history.stop_reason for history in histories) == 1


# ---------------------------------------------------------------------- what it says


def test_the_bar_is_quiet_when_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    trainer().fit(X, Y, 2)
    assert capsys.readouterr() == ("", "")
    trainer().fit(X, Y, 2, progress=True)
    shown = capsys.readouterr().err
    assert "2/2" in shown
    assert "loss=" in shown
    assert "accuracy=" in shown


def test_a_history_prints_and_is_saved(tmp_path: Path) -> None:
    history = trainer().fit(X, Y, epochs=30, batch_size=None, validation=0.2)
    lines = str(history).splitlines()
    assert lines[0].split() == [
        *("epoch", "loss", "accuracy", "val.", "loss", "val.", "acc.", "lr")
    ]
    assert len(lines) == 1 + 12 + 1 + 1
    assert lines[7].strip() == "⋮"
    assert lines[-1] == "all 30 epochs done"
    history.save(tmp_path / "history.json")
    assert nn.History.load(tmp_path / "history.json") == history


def test_a_history_knows_how_the_steps_were_made() -> None:
    model = network()
    optimizer = nn.SGD(model.parameters(), lr=0.1, momentum=0.5)
    history = trainer(model, optimizer=optimizer).fit(X, Y, epochs=1, batch_size=2, seed=7)
    assert (history.optimizer, history.momentum, history.batch_size) == ("SGD", 0.5, 2)
    adam = trainer(model, optimizer=nn.Adam(model.parameters())).fit(X, Y, 1, batch_size=None)
    assert (adam.optimizer, adam.momentum, adam.batch_size) == ("Adam", 0.0, len(X))
    assert (nn.History().optimizer, nn.History().batch_size) == ("", 0)


def test_an_interrupted_epoch_is_not_in_the_history() -> None:
    class Interrupted(list):  # type: ignore[type-arg]
        def append(self, x: Any) -> None:
            super().append(x)
            raise KeyboardInterrupt

    history = nn.History(accuracies=Interrupted())
    with pytest.raises(KeyboardInterrupt):
        history.add(losses=0.5, accuracies=1.0, gradient_norms={"layers.0": 0.1})
    assert (history.losses, history.accuracies) == ([], [])
    assert history.gradient_norms == {"layers.0": []}


def test_a_history_with_gaps_prints() -> None:
    assert "—" in str(nn.History(losses=[0.5, 0.4], accuracies=[0.5]))


def test_a_history_of_a_regression_shows_no_accuracy() -> None:
    history = trainer(nn.MLP(2, [1], seed=0), loss=nn.mse_loss).fit(X, X[:, 0], 2)
    assert "accuracy" not in str(history)
    assert history.accuracies == [None, None]


@pytest.mark.parametrize("text", ["", "[]", '{"speed": 3}', "{"])
def test_what_is_no_history_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "history.json").write_text(text)
    with pytest.raises(ValueError, match="not the JSON of a History"):
        nn.History.load(tmp_path / "history.json")


# ---------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        (lambda t: t.fit(X, Y[:-1]), r"X has 20 row\(s\) and y has 19"),
        (lambda t: t.fit(X, 1), r"X has 20 row\(s\) and y has one number"),
        (lambda t: t.fit([], []), "X has shape"),
        (lambda t: t.fit(X[:, :1], Y), r"takes 2 input\(s\), got 1"),
        (lambda t: t.fit(X, np.where(Y == 0, 7, Y)), r"y\[\d+\]: class 7 is outside the 2 classes"),
        (lambda t: t.fit([[1.0, np.nan]], [0]), r"X\[0, 1\] \(row 0, column 1\) is nan"),
        (lambda t: t.fit(X, np.full(20, np.nan)), r"y\[0\] is nan"),
        (lambda t: t.fit(X, np.full(20, np.inf)), r"y\[0\] is inf"),
        (lambda t: t.fit(X, Y, epochs=0), "epochs is a whole number of at least 1"),
        (lambda t: t.fit(X, Y, batch_size=-1), "batch_size is a whole number of at least 1"),
        (lambda t: t.fit(X, Y, early_stopping=0), "early_stopping is a whole number"),
        (lambda t: t.fit(X, Y, seed=0.5), "seed is a whole number, got 0.5"),
        (lambda t: t.fit(X, Y, validation=0.01), "leaves none on one side"),
        (lambda t: t.fit(X, Y, validation=(X, Y[:3])), "y has 3"),
        (lambda t: t.fit(X, Y, validation=(X[:1], [5])), r"validation y\[0\]: class 5 is outside"),
        (lambda t: t.fit(X, Y, batch_size=0), "batch_size is a whole number of at least 1, got 0"),
        (lambda t: t.fit(X, Y, early_stopping=3), "give validation=0.2"),
        (lambda t: t.fit(X, Y, resume=True), "name the file it is in"),
        (lambda t: t.restarts(0, X, Y), "n is a whole number"),
        (lambda t: t.restarts(2, X, Y, checkpoint="a.npz"), "would write the same checkpoint"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_changes(
    fit: Callable[[nn.Trainer], Any], message: str
) -> None:
    trained = trainer()
    before = data(trained.model)
    with pytest.raises(ValueError, match=message):
        fit(trained)
    assert data(trained.model) == before


def test_targets_of_another_kind_are_refused() -> None:
    with pytest.raises(TypeError, match=r"y\[0\]: a class is a whole number from 0 to 1, got 0.5"):
        trainer().fit(X, Y + 0.5)
    with pytest.raises(TypeError, match="y must be made of real numbers"):
        trainer().fit(X, [b"a"] * 20)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"validation": 1 + 0j}, "validation is a pair"),
        ({"validation": (X, Y, Y)}, "validation is a pair"),
        ({"callbacks": [3]}, "callbacks are functions"),
    ],
)
def test_settings_of_another_kind_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        trainer().fit(X, Y, **settings)


def test_a_checkpoint_that_cannot_be_written_is_told_before_training(tmp_path: Path) -> None:
    (tmp_path / "read-only.npz").touch(0o444)
    for name, message in {
        "nowhere/run.npz": "there is no folder: '.*nowhere'",
        "read-only.npz": "this file is read-only",
        "": "this is a folder",
    }.items():
        trained = trainer()
        before = data(trained.model)
        with pytest.raises(OSError, match=message):
            trained.fit(X, Y, checkpoint=tmp_path / name)
        assert data(trained.model) == before


def test_ctrl_c_while_a_checkpoint_is_written_keeps_what_was_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, trained = tmp_path / "run.npz", trainer()
    trained.fit(X, Y, 1, checkpoint=path)
    before = path.read_bytes()

    def pressed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", pressed)
    history = trained.fit(X, Y, 5, checkpoint=path)
    assert history.epochs == 1 and "interrupted by Ctrl-C after 1" in history.stop_reason
    twin = trainer()
    twin.fit(X, Y, 1)
    twin.fit(X, Y, 1)
    assert data(trained.model) == data(twin.model)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["run.npz"]


def test_an_optimiser_of_another_model_is_refused() -> None:
    lost = nn.Trainer(network(), nn.cross_entropy, nn.SGD(network().parameters()))
    with pytest.raises(ValueError, match="was the model made anew"):
        lost.fit(X, Y)


@pytest.mark.parametrize(
    ("model", "loss", "optimizer", "message"),
    [
        (lambda x: x, nn.mse_loss, nn.SGD([Value(1.0)]), "model is a module of nn"),
        (network(), nn.MSELoss, nn.SGD([Value(1.0)]), r"make one, as in MSELoss\(\)"),
        (network(), "mse", nn.SGD([Value(1.0)]), "loss is a function or a module of nn; got 'mse'"),
        (network(), nn.mse_loss, nn.SGD, r"optimizer is one of nn, as in SGD\(...\)"),
        (network(), nn.mse_loss, "sgd", "optimizer is one of nn"),
    ],
)
def test_a_trainer_of_other_things_is_refused(
    model: Any, loss: Any, optimizer: Any, message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        nn.Trainer(model, loss, optimizer)


def test_a_clip_is_positive() -> None:
    with pytest.raises(ValueError, match="clip is a positive number, got 0"):
        trainer(clip=0)


# ---------------------------------------------------------------------- code and engine

POINTS = np.random.default_rng(1).normal(size=(24, 2))
HALVES = np.array([0] * 12 + [1] * 12)


def slow_run(loss: Any, epochs: int, after: Any = lambda: None, **settings: Any) -> nn.History:
    """Train with a tiny learning rate, and call `after` after each epoch."""
    model = nn.MLP(2, [3, 2], "tanh", seed=0)
    trained = nn.Trainer(model, loss, nn.SGD(model.parameters(), 1e-12), **settings)
    return trained.fit(POINTS, HALVES, epochs, None, callbacks=[lambda *_: after()])


def test_a_cost_that_changes_for_one_kind_of_target_is_noticed_in_time() -> None:
    extra = [0.0]

    def loss(z: Any, y: Any) -> Value:
        return z[0] * z[0] + extra[0] * y * z[1] * z[1]

    losses = slow_run(loss, 3, lambda: extra.__setitem__(0, 1.0)).losses
    assert losses[2] > 1.01 * losses[0]


def test_a_cost_that_begins_to_branch_goes_on_with_the_engine() -> None:
    branching = [False]

    def loss(z: Any, y: Any) -> Value:
        return (1.0 - z[0]).exp() if branching[0] and y == 1 else 1.0 + z[0] * z[0]

    history = slow_run(loss, 4, lambda: branching.__setitem__(0, True))
    assert "a Value is compared in" in history.not_compiled


class Scaled(nn.Module):
    """A network whose outputs are multiplied by a number, which is no parameter."""

    def __init__(self, *others: nn.Module) -> None:
        self.inner, self.others, self.scale = network(), list(others), 1.0

    def forward(self, x: Any) -> Any:
        for module in (self.inner, *self.others):
            x = module(x)
        return [self.scale * a for a in x]


class Meddling(nn.SGD):
    """An optimiser of the user's that changes the model in each step."""

    model: Scaled

    def _change(self, gradient: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        self.model.scale += 0.1
        return super()._change(gradient)


def meddled(model: Scaled, way: str) -> nn.Optimizer:
    """Return an optimiser that changes the model by a class or an attribute of its own."""
    if way == "class":
        optimizer = Meddling(model.parameters(), 0.1)
        optimizer.model = model
        return optimizer
    plain = nn.SGD(model.parameters(), 0.1)

    def step(gradient: Any = None) -> None:
        model.scale += 0.1
        nn.SGD.step(plain, gradient)

    vars(plain)["step"] = step
    return plain


@pytest.mark.parametrize("way", ["class", "attribute"])
def test_what_an_optimiser_changes_between_steps_is_noticed(way: str) -> None:
    runs = []
    for compile in (True, False):
        model = Scaled()
        trained = trainer(model, optimizer=meddled(model, way))
        history = trained.fit(X, Y, 2, 5, compile=compile)
        assert history.not_compiled == ""
        runs.append(history.step_losses)
    assert runs[0] == pytest.approx(runs[1], rel=1e-9)


def test_a_dropout_that_a_callback_adds_drops_as_in_the_engine() -> None:
    def add(who: nn.Trainer, history: nn.History) -> None:
        assert isinstance(who.model, Scaled)
        who.model.others = [nn.Dropout(0.4).eval()]

    runs = []
    for compile in (True, False):
        trained = trainer(Scaled())
        history = trained.fit(X, Y, 3, 5, compile=compile, callbacks=[add], validation=(X, Y))
        assert history.not_compiled == ""
        runs.append(history)
    assert runs[0].step_losses == pytest.approx(runs[1].step_losses, rel=1e-9)
    assert runs[0].validation_losses == pytest.approx(runs[1].validation_losses, rel=1e-9)


def test_code_is_checked_for_changes_once_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = []
    holds = Guard.holds

    def count(guard: Guard) -> bool:
        checked.append(guard)
        return holds(guard)

    monkeypatch.setattr(Guard, "holds", count)
    counts = []
    for size in (10, 1):  # 2 or 20 steps an epoch
        monkeypatch.setattr(comparison, "SHARE", 0.0)
        trainer().fit(X, Y, 3, size)
        counts.append(len(checked))
        checked.clear()
    assert counts[0] == counts[1]


def test_an_optimiser_of_some_parameters_in_any_order_moves_those() -> None:
    moved = []
    for compile in (True, False):
        model = nn.MLP(2, [3, 2], "tanh", seed=0)
        optimizer = nn.SGD(model.parameters()[12:3:-2], 0.1)
        nn.Trainer(model, nn.cross_entropy, optimizer).fit(POINTS, HALVES, 2, 8, compile=compile)
        moved.append([p.data for p in model.parameters()])
    assert moved[0] == pytest.approx(moved[1], rel=1e-12)


@pytest.mark.parametrize("compile", [True, False])
@pytest.mark.parametrize("change", ["in front", "removed"])
def test_gradients_go_to_their_parameters_after_a_callback_changed_the_layers(
    compile: bool, change: str
) -> None:
    model = nn.Sequential(nn.Layer(1, 1, "tanh", seed=0), nn.Layer(1, 1, "identity", seed=1))
    first, last = model[0].parameters(), model[1].parameters()

    def act(trainer: nn.Trainer, history: nn.History) -> None:
        if history.epochs == 1 and change == "removed":
            model.layers.pop()
        elif history.epochs == 1:
            model.layers.insert(0, nn.Layer(1, 1, "tanh", seed=2))

    trainer = nn.Trainer(model, nn.mse_loss, nn.SGD(model.parameters(), lr=0.1))
    trainer.fit([[1.0], [-0.5]], [0.5, 1.0], 2, None, callbacks=[act], compile=compile)
    found = [p.grad for p in (*first, *last)]
    before = [p.data + 0.1 * g for p, g in zip((*first, *last), found)]
    for p, x in zip((*first, *last), before):
        p.data = x
    cost = sum((nn.mse_loss(model([x]), y) for x, y in ((1.0, 0.5), (-0.5, 1.0))), Value(0.0)) / 2
    wanted = autograd.grad(cost, [*first, *last], allow_unused=True)
    np.testing.assert_allclose(found, [g or 0.0 for g in wanted], rtol=1e-9)
