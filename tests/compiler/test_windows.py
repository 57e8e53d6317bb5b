"""Tests of convolution and pooling in compiled code: the engine's gradient, by slices."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import pytest

import autograd
import nn
from autograd import Value
from autograd.compiler.compiled import Compiled
from autograd.compiler.support import multiply_long

Pixels = list[list[Value]]


def small_network() -> nn.Sequential:
    """Return a convolution, maxima of windows and a linear layer, for images of 6 × 6."""
    front = [nn.Conv2d(1, 3, 3, seed=0), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    return nn.Sequential(*front, nn.Linear(12, 2, seed=1))


def compiled_cost(model: nn.Module) -> Compiled:
    return autograd.compile(
        lambda x, y: nn.cross_entropy(model(x), y), params=list(model.parameters())
    )


def test_the_gradient_of_a_convolution_is_written_with_slices() -> None:
    cost = compiled_cost(small_network())
    X = np.random.default_rng(0).random((4, 1, 6, 6))
    cost.value_and_grad(X, nn.one_hot([0, 1, 1, 0], 2))
    backward = cost.source.partition("    value = ")[2]
    assert cost.source.count("x.take(") == 1  # the windows, for the values and for the gradient
    assert "[i" not in backward and "add_at" not in backward
    pooling = [line for line in backward.splitlines() if " < " in line]
    assert len(pooling) == 3  # of 4 pixels
    assert ".sum(axis=(1, 2), keepdims=True)" in backward  # of the bias, over places and rows
    assert cost.source.count("Conv2d_4d = ") == 2  # a name each, for the values and the gradient
    assert "    d_Conv2d_4d[:, :2, 0] = " in backward
    assert "    MaxPool2d = np.maximum(maximum_3, 0.0)" in cost.source  # of 12 numbers, not of 48
    assert "broadcast_to" not in backward


def test_the_gradient_of_many_windows_is_a_product_in_blocks() -> None:
    model = nn.Sequential(nn.Conv2d(1, 1, 3, seed=0), nn.Flatten(), nn.Linear(64, 2, seed=1))
    cost = compiled_cost(model)
    cost.value_and_grad(np.random.default_rng(0).random((4, 1, 10, 10)), [[1.0, 0.0]] * 4)
    assert "d_W1[...] = multiply_long(" in cost.source


@pytest.mark.parametrize("columns", [1, 4096, 10_000])
def test_a_product_in_blocks_is_the_product(columns: int) -> None:
    left, right = np.random.default_rng(0).integers(-9, 10, (2, 3, columns)).astype(float)
    assert np.array_equal(multiply_long(left, right), left @ right.T)


@pytest.mark.parametrize("choose", [Value.maximum, Value.minimum])
@pytest.mark.parametrize("activation", [Value.relu, abs])
@pytest.mark.parametrize("seed", range(5))
def test_ties_in_windows_share_the_gradient_as_in_the_engine(
    choose: Callable[[Value, Value], Value], activation: Callable[[Value], Value], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    weights = [Value(float(w)) for w in rng.integers(-2, 3, 36)]
    outer = rng.integers(-4, 5, 9).tolist()

    def cost(x: list[Value]) -> Value:
        pixels = [activation(w * v) for w, v in zip(weights, x)]
        image = [pixels[i : i + 6] for i in range(0, 36, 6)]
        windows = [
            [image[i][j], image[i][j + 1], image[i + 1][j], image[i + 1][j + 1]]
            for i in range(0, 6, 2)
            for j in range(0, 6, 2)
        ]
        return autograd.sum(functools.reduce(choose, w) * k for w, k in zip(windows, outer))

    x = rng.integers(0, 3, 36).astype(float)
    found = autograd.compile(cost, params=weights).value_and_grad([x])[1]
    cost([Value(v) for v in x]).backward()
    assert found.tolist() == [w.grad for w in weights]
