"""Tests of `squashed_twice`: its warnings, and the cases that must give no warning."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value, log_softmax, softmax
from nn.training.squash import squashed_twice

X = np.random.default_rng(0).normal(size=(12, 2))
CLASSES = [0, 1, 2] * 4
SIDES = [0, 1] * 6


def model(output: str, nout: int) -> nn.MLP:
    return nn.MLP(2, [4, nout], "tanh", output=output, seed=0)


def with_head(head: Any, nout: int) -> nn.Sequential:
    return nn.Sequential(model("identity", nout), head)


def by_hand(z: list[Value]) -> list[Value]:
    exponentials = [v.exp() for v in z]
    return [e / sum(exponentials) for e in exponentials]


@pytest.mark.parametrize(
    ("network", "loss", "y", "message"),
    [
        (model("softmax", 3), nn.cross_entropy, CLASSES, "no class of 3 gets above 0.576"),
        (model("softmax", 3), nn.CrossEntropyLoss(), CLASSES, "takes the softmax of them once"),
        (with_head(by_hand, 3), nn.cross_entropy, CLASSES, "probabilities already"),
        (with_head(softmax, 3), nn.cross_entropy, nn.one_hot(CLASSES, 3), "probabilities already"),
        (model("sigmoid", 3), nn.cross_entropy, CLASSES, "probabilities already"),
        (model("sigmoid", 1), nn.binary_cross_entropy_with_logits, SIDES, "between 0.5 and 0.731"),
        (model("softmax", 3), nn.nll_loss, CLASSES, "exp of the outputs .* adds up to .*, not to"),
        (model("identity", 3), nn.NLLLoss(), CLASSES, "put autograd.log_softmax before it"),
    ],
)
def test_outputs_that_are_squashed_twice_are_told(
    network: Any, loss: Any, y: Any, message: str
) -> None:
    trainer = nn.Trainer(network, loss, nn.SGD(network.parameters(), 0.1))
    with pytest.warns(RuntimeWarning, match=message):
        trainer.fit(X, y, 1, compile=False)


@pytest.mark.parametrize(
    ("network", "loss", "y"),
    [
        (model("identity", 3), nn.cross_entropy, CLASSES),
        (model("tanh", 3), nn.cross_entropy, CLASSES),
        (with_head(log_softmax, 3), nn.nll_loss, CLASSES),
        (with_head(log_softmax, 3), nn.cross_entropy, CLASSES),  # log_softmax twice changes nothing
        (model("sigmoid", 1), nn.binary_cross_entropy, SIDES),
        (model("identity", 1), nn.binary_cross_entropy_with_logits, SIDES),
        (model("softmax", 3), nn.mse_loss, nn.one_hot(CLASSES, 3)),
        (model("sigmoid", 1), nn.hinge_loss, [-1, 1] * 6),
    ],
)
def test_outputs_that_fit_are_not(network: Any, loss: Any, y: Any) -> None:
    trainer = nn.Trainer(network, loss, nn.SGD(network.parameters(), 0.1))
    assert trainer.fit(X, y, 1, compile=False).epochs == 1


def test_the_bound_that_is_told_is_right() -> None:
    sure = [Value(1.0), Value(0.0), Value(0.0)]
    assert "0.576" in squashed_twice(nn.cross_entropy, [sure])
    assert np.exp(-nn.cross_entropy(sure, 0).data) == pytest.approx(0.576, abs=5e-4)


def test_logits_that_add_up_to_one_now_and_then_are_logits() -> None:
    rows = [[Value(0.25), Value(0.75)], [Value(0.5), Value(0.75)]]
    assert squashed_twice(nn.cross_entropy, rows) == ""
    assert squashed_twice(nn.cross_entropy, [[Value(1.5), Value(-0.5)]]) == ""
