"""A step of SGD of a small convolutional network: compiled, by hand in NumPy, and in PyTorch.

The network has 8 filters, a relu, maxima of 2 × 2 pixels, and a linear layer to 10 classes. The
cost is the cross-entropy of 32 images of noise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

import nn

from .compiled import BATCH, RATE, Peer, Step, peers_of

FILTERS, CLASSES = 8, 10


def network(side: int, kernel: int) -> nn.Sequential:
    """Return the network for images of side × side pixels."""
    front = [nn.Conv2d(1, FILTERS, kernel, seed=0), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    pixels = FILTERS * ((side - kernel + 1) // 2) ** 2
    return nn.Sequential(*front, nn.Linear(pixels, CLASSES, seed=1))


def peers(side: int, kernel: int) -> list[Peer]:
    """Return the peers for a step, PyTorch if it is installed, after 5 steps with equal costs."""
    rng = np.random.default_rng(0)
    X, y = rng.random((BATCH, 1, side, side)), rng.integers(0, CLASSES, BATCH)
    return peers_of(network(side, kernel), X, y, by_hand, in_torch, 5)


def by_hand(state: dict[str, np.ndarray], X: np.ndarray, Y: np.ndarray) -> Step:
    """Return the step, written by hand in NumPy; pixels stand before channels."""
    X, kernel = X[:, 0], state["0.weight"].shape[-1]
    W, b = state["0.weight"].reshape(FILTERS, -1).copy(), state["0.bias"].copy()
    V, c = state["4.weight"].copy(), state["4.bias"].copy()
    n, side = len(X), X.shape[1] - kernel + 1
    half = side // 2

    def step() -> float:
        windows = sliding_window_view(X, (kernel, kernel), axis=(1, 2)).reshape(-1, kernel**2)
        z = windows @ W.T + b
        blocks = np.maximum(z, 0.0).reshape(n, half, 2, half, 2, FILTERS)
        largest = blocks.max(axis=(2, 4), keepdims=True)
        flat = largest.reshape(n, half**2, FILTERS).swapaxes(1, 2).reshape(n, -1)
        logits = flat @ V.T + c
        logits -= logits.max(axis=1, keepdims=True)
        e = np.exp(logits)
        s = e.sum(axis=1, keepdims=True)
        cost = (np.log(s[:, 0]) - (logits * Y).sum(axis=1)).mean()
        d = (e / s - Y) / n
        d_largest = (d @ V).reshape(n, FILTERS, half**2).swapaxes(1, 2).reshape(largest.shape)
        dz = ((blocks == largest) * d_largest).reshape(z.shape) * (z > 0.0)
        for array, gradient in (
            *((W, dz.T @ windows), (b, dz.sum(axis=0))),
            *((V, d.T @ flat), (c, d.sum(axis=0))),
        ):
            array -= RATE * gradient
        return float(cost)

    return step


def in_torch(torch: Any, state: dict[str, np.ndarray]) -> Any:
    """Return PyTorch's network with these weights."""
    pixels, kernel = state["4.weight"].shape[1], state["0.weight"].shape[-1]
    layers: list[Any] = [torch.nn.Conv2d(1, FILTERS, kernel), torch.nn.ReLU()]
    layers += [torch.nn.MaxPool2d(2), torch.nn.Flatten(), torch.nn.Linear(pixels, CLASSES)]
    model = torch.nn.Sequential(*layers).double()
    model.load_state_dict({name: torch.tensor(array) for name, array in state.items()})
    return model
