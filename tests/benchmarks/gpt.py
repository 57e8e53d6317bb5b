"""A one-layer character GPT: in scalars to be compiled, by hand in NumPy, and in PyTorch.

It is 16 wide, with 4 heads, 16 positions, RMSNorm, a relu and no biases. The cost is the mean
surprisal of the next character. A character is a whole number that chooses a row of a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np

import autograd
from autograd import Value

from .workloads import HEAD, HEADS, VOCABULARY, WIDTH, Matrix, Vector, added, linear, normalised

POSITIONS = 16
SHAPES = {
    "token": (VOCABULARY, WIDTH),
    "position": (POSITIONS, WIDTH),
    "query": (WIDTH, WIDTH),
    "key": (WIDTH, WIDTH),
    "value": (WIDTH, WIDTH),
    "mix": (WIDTH, WIDTH),
    "widen": (4 * WIDTH, WIDTH),
    "narrow": (WIDTH, 4 * WIDTH),
    "predict": (VOCABULARY, WIDTH),
}

Weights = dict[str, Matrix]


def initial(seed: int = 3) -> dict[str, np.ndarray]:
    """Draw the initial weights."""
    random = Random(seed)
    return {
        name: np.array([[random.gauss(0, 0.2) for _ in range(columns)] for _ in range(rows)])
        for name, (rows, columns) in SHAPES.items()
    }


# ---------------------------------------------------------------------- in scalars


def values(arrays: dict[str, np.ndarray]) -> Weights:
    """Return the weights as Values, labelled by matrix, row and column."""
    return {
        name: [
            [Value(x, label=f"{name}[{i},{j}]") for j, x in enumerate(row)]
            for i, row in enumerate(array.tolist())
        ]
        for name, array in arrays.items()
    }


def cost(w: Weights, tokens: Vector, following: Vector) -> Value:
    """Compute the mean surprisal of the characters that follow."""
    keys: Matrix = []
    memory: Matrix = []
    surprises = []
    for t, (token, target) in enumerate(zip(tokens, following)):
        x = added(autograd.take(w["token"], token), w["position"][t])
        x = added(x, attention(w, normalised(x), keys, memory))
        hidden = [h.relu() for h in linear(w["widen"], normalised(x))]
        x = added(x, linear(w["narrow"], hidden))
        logits = linear(w["predict"], x)
        surprises.append(autograd.logsumexp(logits) - autograd.take(logits, target))
    return autograd.mean(surprises)


def attention(w: Weights, x: Vector, keys: Matrix, memory: Matrix) -> Vector:
    """Append this position to `keys` and `memory`, and compute attention over all of them."""
    query = linear(w["query"], x)
    keys.append(linear(w["key"], x))
    memory.append(linear(w["value"], x))
    found = []
    for start in range(0, WIDTH, HEAD):
        part = slice(start, start + HEAD)
        scores = [s / HEAD**0.5 for s in linear([key[part] for key in keys], query[part])]
        weights = autograd.softmax(scores)
        found += linear(transposed([value[part] for value in memory]), weights)
    return linear(w["mix"], found)


def transposed(rows: Matrix) -> Matrix:
    """Return the columns of a matrix."""
    return [list(column) for column in zip(*rows)]


# ---------------------------------------------------------------------- in NumPy, by hand


def by_hand(
    w: dict[str, np.ndarray], tokens: Sequence[int], following: Sequence[int]
) -> tuple[float, dict[str, np.ndarray]]:
    """Compute the same cost and its gradient."""
    count = len(tokens)
    x0 = w["token"][tokens] + w["position"][:count]
    s0 = ((x0 * x0).mean(axis=1, keepdims=True) + 1e-5) ** -0.5
    n0 = x0 * s0
    q, k, v = (
        (n0 @ w[name].T).reshape(count, HEADS, HEAD).swapaxes(0, 1)
        for name in ("query", "key", "value")
    )
    scores = q @ k.swapaxes(1, 2) / HEAD**0.5
    scores[:, np.triu(np.ones((count, count), bool), 1)] = -np.inf
    e = np.exp(scores - scores.max(axis=2, keepdims=True))
    p = e / e.sum(axis=2, keepdims=True)
    heads = (p @ v).swapaxes(0, 1).reshape(count, WIDTH)
    x1 = x0 + heads @ w["mix"].T
    s1 = ((x1 * x1).mean(axis=1, keepdims=True) + 1e-5) ** -0.5
    n1 = x1 * s1
    h = n1 @ w["widen"].T
    a = np.maximum(h, 0.0)
    x2 = x1 + a @ w["narrow"].T
    z = x2 @ w["predict"].T
    m = z.max(axis=1, keepdims=True)
    f = np.exp(z - m)
    total = f.sum(axis=1, keepdims=True)
    chosen = np.arange(count), following
    loss = float((m[:, 0] + np.log(total[:, 0]) - z[chosen]).mean())

    d: dict[str, np.ndarray] = {}
    dz = f / total
    dz[chosen] -= 1.0
    dz /= count
    d["predict"], dx2 = dz.T @ x2, dz @ w["predict"]
    d["narrow"] = dx2.T @ a
    dh = (dx2 @ w["narrow"]) * (h > 0.0)
    d["widen"] = dh.T @ n1
    dx1 = dx2 + through_norm(dh @ w["widen"], x1, s1)
    d["mix"] = dx1.T @ heads
    dheads = (dx1 @ w["mix"]).reshape(count, HEADS, HEAD).swapaxes(0, 1)
    dp, dv = dheads @ v.swapaxes(1, 2), p.swapaxes(1, 2) @ dheads
    ds = p * (dp - (p * dp).sum(axis=2, keepdims=True)) / HEAD**0.5
    dq, dk = ds @ k, ds.swapaxes(1, 2) @ q
    dn0 = np.zeros_like(n0)
    for name, part in (("query", dq), ("key", dk), ("value", dv)):
        flat = part.swapaxes(0, 1).reshape(count, WIDTH)
        d[name] = flat.T @ n0
        dn0 += flat @ w[name]
    dx0 = dx1 + through_norm(dn0, x0, s0)
    d["token"] = np.zeros_like(w["token"])
    np.add.at(d["token"], tokens, dx0)
    d["position"] = np.zeros_like(w["position"])
    d["position"][:count] = dx0
    return loss, d


def through_norm(g: np.ndarray, x: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Compute the gradient of RMSNorm's input from that of its output."""
    return np.asarray(g * scale - x * scale**3 * (g * x).mean(axis=1, keepdims=True))


# ---------------------------------------------------------------------- in PyTorch


def in_torch(tensors: dict[str, Any], tokens: Any, following: Any) -> Any:
    """Compute the same cost, a tensor."""
    import torch
    from torch.nn import functional

    w, count = tensors, len(tokens)
    x = w["token"][tokens] + w["position"][:count]
    normal = x * (x.square().mean(dim=1, keepdim=True) + 1e-5).rsqrt()
    q, k, v = (
        (normal @ w[name].T).reshape(count, HEADS, HEAD).transpose(0, 1)
        for name in ("query", "key", "value")
    )
    future = torch.ones(count, count, dtype=torch.bool).triu(1)
    scores = (q @ k.transpose(1, 2) / HEAD**0.5).masked_fill(future, -torch.inf)
    x = x + (scores.softmax(dim=2) @ v).transpose(0, 1).reshape(count, WIDTH) @ w["mix"].T
    normal = x * (x.square().mean(dim=1, keepdim=True) + 1e-5).rsqrt()
    x = x + (normal @ w["widen"].T).relu() @ w["narrow"].T
    return functional.cross_entropy(x @ w["predict"].T, following)
