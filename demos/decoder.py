"""A decoder: a network that reads a name letter by letter, and after each predicts the next.

It has one layer, no biases, and is written scalar by scalar. At each place of a name it carries a
vector of `WIDTH` numbers, the stream, from bottom to top:

    letter + place            what is read here, and where
    + attention               what the letters up to here say, each head mixing them in its own way
    + feed-forward            what the network knows about what the stream says now
    → a logit for each token  how likely it comes next

Source: Vaswani et al., "Attention is all you need", NeurIPS 2017; Zhang and Sennrich, "Root mean
square layer normalization", NeurIPS 2019; Karpathy, "microgpt".
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import autograd
import nn
from autograd import Value

WIDTH, HEADS, POSITIONS = 16, 4, 16
HEAD = WIDTH // HEADS
IGNORED = -100  # what follows where there is nothing to predict
START_SPREAD = 0.08  # standard deviation of the weights before training

Vector = list[Value]
Matrix = list[Vector]


class Decoder(nn.Module):
    """The decoder's weights, and what it computes from them.

    Args:
        tokens: the number of tokens.
        seed: seed of the weights.

    Attributes:
        shares: of the last run: for each place and head, how much it looked at each place so far.
        neurons: of the last run: for each place, the activations in the feed-forward part.
    """

    def __init__(self, tokens: int, seed: int = 0) -> None:
        random = Random(seed)

        def matrix(name: str, rows: int, columns: int) -> Matrix:
            def weight(place: str) -> Value:
                return Value(random.gauss(0.0, START_SPREAD), label=f"{name}[{place}]")

            return [[weight(f"{i},{j}") for j in range(columns)] for i in range(rows)]

        self.letter = matrix("letter", tokens, WIDTH)
        self.place = matrix("place", POSITIONS, WIDTH)
        self.query, self.key, self.value, self.mix = (
            matrix(name, WIDTH, WIDTH) for name in ("query", "key", "value", "mix")
        )
        self.widen = matrix("widen", 4 * WIDTH, WIDTH)
        self.narrow = matrix("narrow", WIDTH, 4 * WIDTH)
        self.expect = matrix("expect", tokens, WIDTH)

    def forward(self, tokens: Sequence[Any]) -> Matrix:
        """Compute at each place the logits of the token that follows."""
        keys: Matrix = []
        values: Matrix = []
        logits: Matrix = []
        self.shares: list[Matrix] = []
        self.neurons: Matrix = []
        for token, place in zip(tokens, self.place):
            x = normalised(added(autograd.take(self.letter, token), place))
            x = added(x, self.attend(normalised(x), keys, values))
            x = added(x, self.recall(normalised(x)))
            logits.append(linear(self.expect, x))
        return logits

    def attend(self, x: Vector, keys: Matrix, values: Matrix) -> Vector:
        """Mix the values of all places so far; the better a key fits the query, the more of it."""
        query = linear(self.query, x)
        keys.append(linear(self.key, x))
        values.append(linear(self.value, x))
        mixture, shares = [], []
        for start in range(0, WIDTH, HEAD):
            part = slice(start, start + HEAD)
            fits = linear([key[part] for key in keys], query[part])
            share = autograd.softmax(fit / HEAD**0.5 for fit in fits)
            mixture += linear(transposed([value[part] for value in values]), share)
            shares.append(share)
        self.shares.append(shares)
        return linear(self.mix, mixture)

    def recall(self, x: Vector) -> Vector:
        """Let each neuron that knows what the stream says add to it what follows from that."""
        neurons = [z.relu() for z in linear(self.widen, x)]
        self.neurons.append(neurons)
        return linear(self.narrow, neurons)

    def cost(self, tokens: Sequence[Any], following: Sequence[Any]) -> Value:
        """Compute the mean surprisal of the tokens that follow; `IGNORED` ones do not count."""
        return nn.cross_entropy(self(tokens), following, ignore_index=IGNORED)


def linear(matrix: Matrix, x: Vector) -> Vector:
    """Multiply a matrix by a vector: the dot product of each row with it."""
    return [autograd.sum(w * xi for w, xi in zip(row, x)) for row in matrix]


def added(x: Vector, y: Vector) -> Vector:
    """Add two vectors."""
    return [a + b for a, b in zip(x, y)]


def normalised(x: Vector) -> Vector:
    """Divide a vector by the root of the mean of its squares."""
    size = (autograd.mean(a * a for a in x) + 1e-5) ** 0.5
    return [a / size for a in x]


def transposed(rows: Matrix) -> Matrix:
    """Return the columns of a matrix."""
    return [list(column) for column in zip(*rows)]
