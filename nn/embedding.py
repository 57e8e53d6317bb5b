"""`Embedding`: a table with a row of weights for each token; names follow PyTorch."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from autograd import Value, stop_gradient, take

from .activations import ACTIVATIONS
from .init import Initialiser, Seed, initialiser_and_rng
from .module import Module
from .settings import finite, whole


class Embedding(Module):
    """A table of vectors: a token, a whole number from 0, chooses a row. The row is learnt.

    The look-up is `autograd.take`, so the gradient goes to the rows that were chosen.

    Args:
        num_embeddings: the number of rows, which is the number of tokens.
        embedding_dim: the length of a row.
        padding_idx: a token whose row starts at 0 and gets no gradient.
        init: the initialiser of the weights, as for `Neuron`. Default: N(0, 1), as in PyTorch.
        seed: the seed of the weights.

    Attributes:
        weight: the rows, each a list of Values.

    Raises:
        ValueError: a size is below 1, `padding_idx` is no token, or there is no such initialiser.

    >>> embedding = Embedding(27, 2, seed=0)
    >>> embedding
    Embedding(27, 2)
    >>> row = embedding(3)
    >>> row[0].backward()
    >>> embedding.weight[3][0].grad, embedding.weight[4][0].grad
    (1.0, 0.0)
    >>> [len(row) for row in embedding([3, 0, 26])]
    [2, 2, 2]
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        init: str | Initialiser | None = None,
        seed: Seed = None,
    ) -> None:
        self.num_embeddings = whole(num_embeddings, "num_embeddings")
        self.embedding_dim = whole(embedding_dim, "embedding_dim")
        self.padding_idx = None if padding_idx is None else whole(padding_idx, "padding_idx", 0)
        if self.padding_idx is not None and self.padding_idx >= self.num_embeddings:
            last = self.num_embeddings - 1
            raise ValueError(f"padding_idx is a token from 0 to {last}, got {padding_idx}")
        chosen = _normal if init is None else init
        self.init, rng = initialiser_and_rng(chosen, seed, ACTIVATIONS["identity"])
        self.weight = [
            [Value(0.0, f"E[{i},{j}]") for j in range(self.embedding_dim)]
            for i in range(self.num_embeddings)
        ]
        for p, x in Embedding.sample_parameters(self, rng):
            p.data = finite(x, "a weight that init draws")

    def sample_parameters(self, rng: random.Random) -> Iterator[tuple[Value, float]]:
        """Yield each weight with a number drawn by the initialiser; that of padding with 0."""
        for i, row in enumerate(self.weight):
            for w in row:
                x = self.init(rng, self.num_embeddings, self.embedding_dim)
                yield w, 0.0 if i == self.padding_idx else x

    def forward(self, token: Any) -> Any:
        """Return the row of a token, or the rows of a list of tokens.

        Args:
            token: a whole number from 0, an int or a Value; or nested lists of them.

        Returns:
            A list of `embedding_dim` Values, or nested lists of such lists.

        Raises:
            TypeError, ValueError: a token is no whole number, or is out of range.
        """
        table = self.weight
        if self.padding_idx is not None:
            table = [*table]
            table[self.padding_idx] = [stop_gradient(w) for w in table[self.padding_idx]]
        return take(table, token)

    def __repr__(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"Embedding({self.num_embeddings}, {self.embedding_dim}{padding})"


def _normal(rng: random.Random, nin: int, nout: int) -> float:
    """Draw a weight from N(0, 1)."""
    return rng.gauss(0.0, 1.0)
