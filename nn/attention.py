"""Attention: each position of a sequence looks at positions, and mixes what it finds there.

A sequence is a list of positions, each a list of Values or numbers: shape (positions, width).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd import Value, mean, scope, softmax
from autograd import sum as total

from .activations import ACTIVATIONS
from .dropout import Dropout
from .init import Initialiser, Seed, initialiser_and_rng
from .layers import Linear
from .module import Module
from .nested import SizeError, shape_of
from .pairing import as_value
from .settings import finite, flag, real, several, whole
from .targets import as_lists

Sequence = list[list[Value]]
Seen = list[dict[int, Any]]  # for each position, the others it looks at, and what scores add


class MultiheadAttention(Module):
    """Attention with several heads, as in PyTorch, on one example at a time.

    Each position has a query q, a key k and a value v: linear functions of its numbers. A head has
    its part of them. In a head, position i looks at position j by the share
    wᵢⱼ = softmaxⱼ(qᵢ·kⱼ/√d), where d is the length of the part, and its output is Σⱼ wᵢⱼ·vⱼ. A
    last linear function takes the outputs of all heads side by side.

    Args:
        embed_dim: the number of numbers at each position, the width.
        num_heads: the number of heads, which divides the width.
        dropout: the probability that a share is set to zero in training; see `Dropout`.
        bias: False for linear functions without biases.
        kdim, vdim: the widths of the positions that give keys, and values. Default: `embed_dim`.
        batch_first: accepted as PyTorch's; an example has no batch axis, so nothing depends on it.
        causal: True if no position looks at later ones, in every call.
        init, seed: as for `Neuron`.

    Attributes:
        in_proj_weight: the weights of queries, keys and values, shape (3·embed_dim, embed_dim).
            With another `kdim` or `vdim` it is None, and there are `q_proj_weight`,
            `k_proj_weight` and `v_proj_weight`.
        in_proj_bias: a list of 3·embed_dim Values; None without biases.
        out_proj: the last linear function, a `Linear`.
        shares: the shares of each head in the last call; empty before.

    Raises:
        ValueError: a size is below 1, or `num_heads` does not divide `embed_dim`.

    Source: Vaswani et al., "Attention is all you need", NIPS 2017, section 3.2.

    >>> attention = MultiheadAttention(4, 2, causal=True, seed=0)
    >>> outputs, weights = attention([[1.0, 0.0, 0.5, 0.0], [0.0, 1.0, 0.0, 0.5]])
    >>> [len(position) for position in outputs]
    [4, 4]
    >>> [[round(w.data, 2) for w in row] for row in weights]
    [[1.0, 0.0], [0.51, 0.49]]

    A block of a decoder adds attention, and a small network, to the numbers of each position:

    >>> from nn import GELU, LayerNorm, Sequential
    >>> class Block(Module):
    ...     def __init__(self, width, heads):
    ...         self.norm1, self.norm2 = LayerNorm(width), LayerNorm(width)
    ...         self.attention = MultiheadAttention(width, heads, causal=True)
    ...         self.mlp = Sequential(Linear(width, 4 * width), GELU(), Linear(4 * width, width))
    ...     def forward(self, x):
    ...         found, _ = self.attention(self.norm1(x))
    ...         x = [[a + b for a, b in zip(*rows)] for rows in zip(x, found)]
    ...         found = [self.mlp(row) for row in self.norm2(x)]
    ...         return [[a + b for a, b in zip(*rows)] for rows in zip(x, found)]
    >>> np.shape(Block(4, 2)(outputs))
    (2, 4)
    """

    in_proj_weight: list[list[Value]] | None
    in_proj_bias: list[Value] | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        *,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        causal: bool = False,
        init: str | Initialiser | None = None,
        seed: Seed = None,
    ) -> None:
        width = self.embed_dim = whole(embed_dim, "embed_dim")
        self.num_heads = whole(num_heads, "num_heads")
        if width % self.num_heads:
            divisors = [str(n) for n in range(1, width + 1) if width % n == 0]
            raise ValueError(
                f"num_heads={num_heads} does not divide embed_dim={width} into parts of one "
                f"length: {', '.join(divisors)} would"
            )
        self.kdim = width if kdim is None else whole(kdim, "kdim")
        self.vdim = width if vdim is None else whole(vdim, "vdim")
        self.batch_first, self.causal = flag(batch_first, "batch_first"), flag(causal, "causal")
        bias = flag(bias, "bias")
        self.init, rng = initialiser_and_rng(init, seed, ACTIVATIONS["identity"])
        queries, keys, values = (
            [[Value(0.0, f"W{name}[{j},{i}]") for i in range(inputs)] for j in range(width)]
            for name, inputs in (("q", width), ("k", self.kdim), ("v", self.vdim))
        )
        if self.kdim == self.vdim == width:
            self.in_proj_weight = [*queries, *keys, *values]
        else:
            self.in_proj_weight = None
            self.q_proj_weight, self.k_proj_weight, self.v_proj_weight = queries, keys, values
        names = [f"b{name}[{j}]" for name in "qkv" for j in range(width)]
        self.in_proj_bias = [Value(0.0, name) for name in names] if bias else None
        for p, x in MultiheadAttention.sample_parameters(self, rng):
            p.data = finite(x, "a weight that init draws")
        self.shares: list[Sequence] = []
        self.out_proj = Linear(width, width, bias, init=self.init, seed=rng)
        self.dropout = Dropout(dropout, seed=rng)

    def sample_parameters(self, rng: random.Random) -> Iterator[tuple[Value, float]]:
        """Yield each weight with a number drawn by the initialiser, and each bias with zero."""
        for matrix in self._matrices():
            for row in matrix:
                for w in row:
                    yield w, self.init(rng, len(row), self.embed_dim)
        for b in self.in_proj_bias or ():
            yield b, 0.0

    def _matrices(self) -> list[Sequence]:
        """Return the weights of the queries, of the keys, and of the values."""
        if self.in_proj_weight is None:
            return [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
        width = self.embed_dim
        return [self.in_proj_weight[n * width : (n + 1) * width] for n in range(3)]

    def forward(
        self,
        query: Any,
        key: Any = None,
        value: Any = None,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Sequence, Any]:
        """Mix, for each position of `query`, the values of the positions that it looks at.

        Args:
            query: the sequence that looks.
            key: the sequence that is looked at. Default: `query`, so that it looks at itself.
            value: the sequence whose values are mixed, of the length of `key`. Default: `key`.
            key_padding_mask: for each position of `key`, True if nothing looks at it.
            need_weights: False to return None for the shares.
            attn_mask: a table with a row for each position that looks: True, or −∞, where it does
                not look; other numbers are added to qᵢ·kⱼ/√d. Or such a table for each head.
            average_attn_weights: False to return the shares of each head, instead of their mean.
            is_causal: True if no position looks at later ones; no `attn_mask` is needed.

        Returns:
            The outputs, a sequence of the length of `query`; and the shares, a table with a row
            for each position that looks, or such a table for each head.

        Raises:
            TypeError, ValueError: a sequence is not (positions, width), a mask does not fit, or a
                position looks at nothing.
        """
        average = flag(average_attn_weights, "average_attn_weights")
        wanted = flag(need_weights, "need_weights")
        key = query if key is None else key
        value = key if value is None else value
        sequences = (
            self._sequence(query, self.embed_dim, "query"),
            self._sequence(key, self.kdim, "key"),
            self._sequence(value, self.vdim, "value"),
        )
        length, others = len(sequences[0]), len(sequences[1])
        if len(sequences[2]) != others:
            raise ValueError(f"key has {others} positions and value {len(sequences[2])}")
        causal = flag(is_causal, "is_causal") or self.causal
        seen = self._seen(attn_mask, key_padding_mask, length, others, causal)
        queries, keys, values = (self._projected(n, x) for n, x in enumerate(sequences))
        outputs: Sequence = [[] for _ in range(length)]
        shares = []
        for h in range(self.num_heads):
            with scope(f"head{h}"):
                shares.append(self._shares(h, queries, keys, seen[h]))
                for i, row in enumerate(shares[h]):
                    for d in self._part(h):
                        outputs[i].append(total(row[j] * values[j][d] for j in seen[h][i]))
        self.shares = shares
        mixed = [_listed(self.out_proj(output)) for output in outputs]
        if not wanted:
            return mixed, None
        if not average:
            return mixed, shares
        return mixed, [[mean(cells) for cells in zip(*rows)] for rows in zip(*shares)]

    def _projected(self, n: int, sequence: Sequence) -> Sequence:
        """Return the queries (n = 0), the keys (1) or the values (2) of a sequence."""
        matrix, width = self._matrices()[n], self.embed_dim
        biases = self.in_proj_bias[n * width : (n + 1) * width] if self.in_proj_bias else None
        found = []
        for i, x in enumerate(sequence):
            outputs = [total(w * xi for w, xi in zip(row, x)) for row in matrix]
            if biases:
                outputs = [z + b for z, b in zip(outputs, biases)]
            for j, z in enumerate(outputs):
                z.label = f"{'qkv'[n]}[{i},{j}]"
            found.append(outputs)
        return found

    def _part(self, h: int) -> range:
        """Return the places in a query, key or value that head h has."""
        size = self.embed_dim // self.num_heads
        return range(h * size, (h + 1) * size)

    def _shares(self, h: int, queries: Sequence, keys: Sequence, seen: Seen) -> Sequence:
        """Return, for each position, the shares by which it looks at the others, in one head."""
        part, nothing = self._part(h), Value(0.0).detach()
        found = []
        for i, q in enumerate(queries):
            scores = []
            for j, added in seen[i].items():
                score = total(q[d] * keys[j][d] for d in part) / math.sqrt(len(part))
                if isinstance(added, Value) or added:
                    score = score + added
                score.label = f"score[{h},{i},{j}]"
                scores.append(score)
            row = [nothing] * len(keys)
            for j, share in zip(seen[i], softmax(scores)):
                share.label = f"share[{h},{i},{j}]"
                row[j] = share
            found.append(self.dropout(row))
        return found

    def _seen(
        self, attn_mask: Any, key_padding_mask: Any, length: int, others: int, causal: bool
    ) -> list[Seen]:
        """Return, for each head, what each position looks at, and what is added to its score."""
        masks: Any = [[0.0] * others] * length if attn_mask is None else as_lists(attn_mask)
        shape = shape_of(masks, "attn_mask")
        if shape == (length, others):
            masks = [masks] * self.num_heads
        elif shape != (self.num_heads, length, others):
            raise ValueError(
                f"attn_mask has shape {shape}; expected {length} rows of {others} entries, or "
                f"{self.num_heads} such tables, one for each head"
            )
        there = _there(key_padding_mask, others)
        return [
            [
                _entries(row, [j for j in there if j <= i] if causal else there, i)
                for i, row in enumerate(mask)
            ]
            for mask in masks
        ]

    def _sequence(self, x: Any, width: int, name: str) -> Sequence:
        """Return a sequence as nested lists of Values. Each number becomes one constant."""
        x = as_lists(x)
        shape = shape_of(x, name)
        if len(shape) != 2 or shape[1] != width:
            mend = ": pass one example at a time" if len(shape) == 3 else ""
            raise SizeError(
                f"{self!r} takes as {name} a sequence of shape (positions, {width}); got numbers "
                f"of shape {shape}{mend}"
            )
        return [[as_value(xi) for xi in position] for position in x]

    def __repr__(self) -> str:
        widths = "".join(
            f", {name}={size}"
            for name, size in (("kdim", self.kdim), ("vdim", self.vdim))
            if size != self.embed_dim
        )
        causal = ", causal=True" if self.causal else ""
        return f"MultiheadAttention({self.embed_dim}, {self.num_heads}{widths}{causal})"


def _there(key_padding_mask: Any, others: int) -> list[int]:
    """Return the positions of the keys that are no padding."""
    if key_padding_mask is None:
        return list(range(others))
    mask = several(as_lists(key_padding_mask), "key_padding_mask is a list of True and False")
    if len(mask) != others:
        raise ValueError(f"key_padding_mask has {len(mask)} entries for {others} positions")
    return [j for j, padding in enumerate(mask) if not flag(padding, "key_padding_mask")]


def _entries(row: list[Any], there: list[int], i: int) -> dict[int, Any]:
    """Return the positions that position i looks at, with what the mask adds to its scores."""
    entries = {j: row[j] for j in there if not _hides(row[j])}
    if not entries:
        raise ValueError(f"the masks let position {i} of query look at nothing")
    return entries


def _hides(entry: Any) -> bool:
    """Return True for an entry of a mask that hides a position: True, or −∞."""
    if isinstance(entry, (bool, np.bool_)):
        return bool(entry)
    return not isinstance(entry, Value) and real(entry, "an entry of attn_mask") == -math.inf


def _listed(outputs: Value | list[Value]) -> list[Value]:
    """Return the outputs of a layer as a list, also of a layer with one output."""
    return [outputs] if isinstance(outputs, Value) else outputs
