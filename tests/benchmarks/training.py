"""Times of a training step: `Trainer.fit` beside its bare code, scikit-learn and PyTorch.

All peers train the same network on the same examples in shuffled batches, with the same optimiser.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

import autograd
import nn

ROUNDS = 5
HIDDEN = [16, 16]
RIGHT = 0.9  # the share of right answers that every peer reaches at least

Train = Callable[[int], float]
"""Train anew for a number of epochs; return the share of right answers on the examples."""


class Task(NamedTuple):
    """What the peers learn, and how.

    Attributes:
        X, y: the examples, and their classes.
        size: the number of examples in a batch.
        lr: the learning rate, of Adam if there are many classes, else of SGD.
        epochs: the numbers of epochs of a short and a long training.
    """

    X: np.ndarray
    y: np.ndarray
    size: int
    lr: float
    epochs: tuple[int, int]

    @property
    def nout(self) -> int:
        """The number of outputs: one for two classes."""
        return len(np.unique(self.y)) if self.y.max() > 1 else 1

    @property
    def loss(self) -> Any:
        """The cost of an example."""
        return nn.cross_entropy if self.nout > 1 else nn.binary_cross_entropy_with_logits

    def model(self) -> nn.MLP:
        """Make a network with its first weights."""
        return nn.MLP(self.X.shape[1], [*HIDDEN, self.nout], seed=0)

    def optimizer(self, model: nn.MLP) -> nn.Optimizer:
        """Make the optimiser of a network."""
        kind: Any = nn.Adam if self.nout > 1 else nn.SGD
        optimizer: nn.Optimizer = kind(model.parameters(), lr=self.lr)
        return optimizer

    def share_right(self, outputs: np.ndarray) -> float:
        """Return the share of right answers."""
        answers = outputs.argmax(1) if self.nout > 1 else outputs.ravel() > 0.0
        return float((answers == self.y).mean())


def points() -> Task:
    """Draw 1,000 points of two classes, in batches of 10."""
    X = np.random.default_rng(0).normal(size=(1000, 2))
    return Task(X, (X[:, 0] > X[:, 1]).astype(int), 10, 0.05, (2, 42))


def digits() -> Task:
    """Load the 8×8 digits of scikit-learn, in batches of 32."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return Task(found.data / 16.0, found.target, 32, 0.003, (2, 52))


def seconds_a_step(task: Task) -> dict[str, float]:
    """Measure the seconds a step of each peer, which take turns.

    They are those by which a long training takes longer than a short one, without what comes before
    the first step, such as compiling.
    """
    peers = {"fit": fitted(task), "the bare code": bare(task)}
    if find_spec("sklearn"):
        peers["scikit-learn"] = in_sklearn(task)
    if find_spec("torch"):
        peers["PyTorch, 1 thread"] = in_torch(task)
    few, many = task.epochs
    steps = (many - few) * -(-len(task.X) // task.size)
    seconds: dict[str, list[float]] = {name: [] for name in peers}
    for turn in range(ROUNDS):
        for name in list(peers)[:: 1 if turn % 2 else -1]:
            start = perf_counter()
            peers[name](few)
            between = perf_counter()
            assert peers[name](many) > RIGHT, name
            seconds[name].append((perf_counter() - between - (between - start)) / steps)
    return {name: median(times) for name, times in seconds.items()}


def fitted(task: Task) -> Train:
    """Train with `Trainer.fit`."""

    def train(epochs: int) -> float:
        model = task.model()
        trainer = nn.Trainer(model, task.loss, task.optimizer(model))
        trainer.fit(task.X, task.y, epochs, task.size, progress=False)
        return task.share_right(model.predict(task.X))

    return train


def bare(task: Task) -> Train:
    """Train with the compiled cost and the optimiser alone, on batches that are cut beforehand."""

    def train(epochs: int) -> float:
        model = task.model()

        def cost(x: Any, y: Any) -> list[Any]:
            outputs = model(x)
            return [task.loss(outputs, y), *(outputs if task.nout > 1 else [outputs])]

        compiled = autograd.compile(cost, params=model.parameters(), has_aux=True)
        quick, optimizer = compiled.while_unchanged(), task.optimizer(model)
        order = np.random.default_rng(0).permutation(len(task.X))
        batches = [order[i : i + task.size] for i in range(0, len(order), task.size)]
        for X, y in [(task.X[batch], task.y[batch].astype(float)) for batch in batches] * epochs:
            optimizer.step(quick.value_and_grad(X, y)[1])
        return task.share_right(model.predict(task.X))

    return train


def in_sklearn(task: Task) -> Train:
    """Train with scikit-learn's MLPClassifier."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    def train(epochs: int) -> float:
        model = MLPClassifier(
            HIDDEN,
            solver="adam" if task.nout > 1 else "sgd",
            alpha=0.0,
            batch_size=task.size,
            learning_rate_init=task.lr,
            max_iter=epochs,
            n_iter_no_change=epochs + 1,
            momentum=0.0,
            random_state=0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return float(model.fit(task.X, task.y).score(task.X, task.y))

    return train


def in_torch(task: Task) -> Train:
    """Train with a loop as PyTorch's tutorials write it."""
    import torch

    def train(epochs: int) -> float:
        torch.set_num_threads(1)  # these matrices are too small to be shared
        torch.manual_seed(0)
        sizes = [task.X.shape[1], *HIDDEN, task.nout]
        layers: list[Any] = []
        for nin, nout in pairwise(sizes):
            layers += [torch.nn.Linear(nin, nout, dtype=torch.float64), torch.nn.ReLU()]
        model = torch.nn.Sequential(*layers[:-1])
        kind: Any = torch.optim.Adam if task.nout > 1 else torch.optim.SGD
        loss: Any = torch.nn.CrossEntropyLoss if task.nout > 1 else torch.nn.BCEWithLogitsLoss
        optimizer, cost = kind(model.parameters(), lr=task.lr), loss()
        X = torch.tensor(task.X)
        y = torch.tensor(task.y) if task.nout > 1 else torch.tensor(task.y[:, None] + 0.0)
        for _ in range(epochs):
            for batch in torch.randperm(len(X)).split(task.size):
                optimizer.zero_grad()
                cost(model(X[batch]), y[batch]).backward()
                optimizer.step()
        return task.share_right(model(X).detach().numpy())

    return train
