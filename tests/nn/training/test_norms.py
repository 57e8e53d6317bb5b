"""Tests of the norms of the layers' gradients, which are computed for many steps at once."""

from __future__ import annotations

import math

import numpy as np
import pytest

import nn
from nn.gradients import norm_of
from nn.training.norms import AT_ONCE, LayerNorms


@pytest.mark.parametrize("size, steps", [(7, AT_ONCE // 7 + 2), (3000, 7), (AT_ONCE + 1, 2)])
def test_the_means_are_those_of_the_norms_one_by_one(size: int, steps: int) -> None:
    gradients = np.random.default_rng(0).normal(size=(steps, size))
    gradients[0] *= 1e200  # the squares overflow
    gradients[1, 2:] = 0.0
    layers = {"a": slice(0, 2), "b": slice(2, size), "c": np.array([0, 3, 5])}
    norms = LayerNorms(layers, size)
    for gradient in gradients:
        norms.add(gradient)
    for layer, mean in norms.means().items():
        each = [norm_of(gradient[layers[layer]]) for gradient in gradients]
        assert mean == pytest.approx(math.fsum(each) / steps, rel=1e-14), layer


def test_the_norms_of_a_block_are_averaged_with_those_of_single_steps() -> None:
    norms = LayerNorms({"a": slice(0, 2)}, size=2)
    norms.add(np.array([3.0, 4.0]))
    norms.add_all(np.array([[0.0, 1.0], [0.0, 3.0]]))
    assert norms.means() == {"a": 3.0}
    norms.begin()
    norms.add_all(np.array([[0.0, 1.0]]))
    assert norms.means() == {"a": 1.0}


def test_the_mean_of_large_norms_is_no_overflow() -> None:
    norms = LayerNorms({"a": slice(0, 1)}, size=1)
    norms.add_all(np.full((4, 1), 1.25e308))
    assert norms.means() == {"a": 1.25e308}


class Overwriting(nn.SGD):
    """Uses the memory of the gradient for the step."""

    def _change(self, gradient: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        gradient *= self.lr
        return gradient, {}


def test_the_norms_are_of_the_gradient_before_the_optimizer_overwrites_it() -> None:
    norms = []
    for kind in (nn.SGD, Overwriting):
        model = nn.Linear(1, 1, seed=0)
        trainer = nn.Trainer(model, nn.mse_loss, kind(model.parameters(), lr=0.1))
        norms.append(trainer.fit([[1.0], [2.0]], [1.0, 3.0], 2, 1).gradient_norms)
    assert norms[0] == norms[1]
