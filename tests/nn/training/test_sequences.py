"""Tests of training on sequences of different lengths: compiled code agrees with the engine."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from autograd.compiler import stages
from nn.data import Examples
from nn.tables import groups

RNG = random.Random(0)
LENGTHS = [1, 2, 3, 5, 2, 3, 1, 2, 5, 3, 3, 2]
TOKENS = [[RNG.randrange(4) for _ in range(n)] for n in LENGTHS]
VECTORS = [[[RNG.gauss(0, 1), RNG.gauss(0, 1)] for _ in range(n)] for n in LENGTHS]
NEXT = [[*tokens[1:], 3] for tokens in TOKENS]  # a target for each position
CLASSES = [tokens[0] % 2 for tokens in TOKENS]  # a target for each sequence


class Decoder(nn.Module):
    """Logits of the next token at each position, of at most five; or of the last position."""

    def __init__(self, of_tokens: bool = True, last: bool = False, dropout: float = 0.0) -> None:
        self.embedding = nn.Embedding(4, 4, seed=0) if of_tokens else None
        self.linear = nn.Linear(2, 4, seed=0)
        self.positions = nn.Embedding(5, 4, seed=1)
        self.norm = nn.RMSNorm(4)
        self.attention = nn.MultiheadAttention(4, 2, causal=True, seed=2)
        self.drop = nn.Dropout(dropout, seed=0)
        self.head = nn.Linear(4, 2 if last else 4, seed=3)
        self.last = last

    def forward(self, x: Any) -> Any:
        rows = self.embedding(x) if self.embedding else [self.linear(row) for row in x]
        places = self.positions(list(range(len(rows))))
        rows = [[a + b for a, b in zip(*pair)] for pair in zip(rows, places)]
        found, _ = self.attention(self.norm(rows), need_weights=False)
        rows = [self.drop([a + b for a, b in zip(*pair)]) for pair in zip(rows, found)]
        return self.head(rows[-1]) if self.last else [self.head(row) for row in rows]


def trained(make: Callable[[], nn.Module], X: Any, y: Any, **settings: Any) -> nn.Trainer:
    model = make()
    trainer = nn.Trainer(model, nn.cross_entropy, nn.SGD(model.parameters(), lr=0.05))
    trainer.fit(X, y, **({"epochs": 3, "batch_size": 3, "seed": 1, "progress": False} | settings))
    return trainer


DATA: dict[str, tuple[Callable[[], nn.Module], Any, Any]] = {
    "tokens, a target each": (lambda: Decoder(last=True), TOKENS, CLASSES),
    "tokens, a target for each position": (Decoder, TOKENS, NEXT),
    "vectors, a target each": (lambda: Decoder(False, last=True), VECTORS, CLASSES),
    "vectors, a target for each position": (lambda: Decoder(False), VECTORS, NEXT),
    "dropout": (lambda: Decoder(dropout=0.3), TOKENS, NEXT),
}


@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize("batch_size", [3, None])
def test_compiled_training_is_that_of_the_engine(kind: str, batch_size: int | None) -> None:
    make, X, y = DATA[kind]
    settings = {"validation": (X[:5], y[:5]), "batch_size": batch_size}
    ours, engine = (trained(make, X, y, compile=compile, **settings) for compile in (True, False))
    assert ours.history.not_compiled == ""
    for name in ("losses", "step_losses", "validation_losses"):
        found, wanted = (getattr(t.history, name) for t in (ours, engine))
        np.testing.assert_allclose(found, wanted, rtol=1e-9)
    for name in ("accuracies", "validation_accuracies"):
        found, wanted = (getattr(t.history, name) for t in (ours, engine))
        assert found == wanted != [None] * 3
    weights, right = (t.model.state_dict() for t in (ours, engine))
    for name, array in right.items():
        np.testing.assert_allclose(weights[name], array, rtol=1e-8, atol=1e-12)
    assert ours.evaluate(X, y)[0] == pytest.approx(engine.evaluate(X, y)[0], rel=1e-9)


def test_the_history_is_the_mean_over_examples_and_positions() -> None:
    trainer = trained(Decoder, TOKENS, NEXT, epochs=1, batch_size=None)
    model = Decoder()
    outputs = [model(tokens) for tokens in TOKENS]
    costs = [nn.cross_entropy(found, y).data for found, y in zip(outputs, NEXT)]
    assert trainer.history.losses[0] == pytest.approx(np.mean(costs), rel=1e-12)
    right = [
        int(np.argmax([v.data for v in row])) == target
        for found, y in zip(outputs, NEXT)
        for row, target in zip(found, y)
    ]
    assert trainer.history.accuracies[0] == np.mean(right)


def test_ignored_targets_are_neither_right_nor_wrong() -> None:
    y = [[-100, *targets[1:]] for targets in NEXT]
    few = [(x, t) for x, t in zip(TOKENS, y) if len(x) > 1]
    X, y = [x for x, _ in few], [t for _, t in few]
    for compile in (True, False):
        trainer = trained(Decoder, X, y, compile=compile)
        _, accuracy = trainer.evaluate(X, y)
        answers = [[row.argmax() for row in found] for found in trainer.model.predict(X)]
        right = [a == t for row, ts in zip(answers, y) for a, t in zip(row, ts) if t != -100]
        assert accuracy == np.mean(right)


def test_a_batch_holds_sequences_of_one_length() -> None:
    examples = Examples.of(TOKENS, CLASSES)
    order = random.Random(1).sample(range(12), 12)
    batches = examples.batches(order, 2)
    assert sorted(i for batch in batches for i in batch) == list(range(12))
    assert all(len({LENGTHS[i] for i in batch}) == 1 and len(batch) <= 2 for batch in batches)
    assert [len(batch) for batch in batches] == [2] * 6
    (everything,) = examples.batches(order, 12)
    assert [LENGTHS[i] for i in everything] == [3] * 4 + [2] * 4 + [5] * 2 + [1] * 2
    rows = Examples.of(np.zeros((5, 2)), [0, 1, 0, 1, 1])
    assert rows.batches([4, 2, 0, 1, 3], 2) == [[4, 2], [0, 1], [3]]


def test_each_length_is_traced_once_in_each_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    traced: list[int] = []

    def counted(function: Any, params: Any, options: Any, rows: Any) -> Any:
        traced.append(rows.shapes[0][0])
        return make_version(function, params, options, rows)

    make_version = stages.make_version
    monkeypatch.setattr("autograd.compiler.compiled.make_version", counted)
    trained(Decoder, TOKENS, NEXT, epochs=10)
    assert sorted(traced) == [1, 1, 2, 2, 3, 3, 5, 5]


@pytest.mark.parametrize("many", [1, 60])
def test_predict_gives_the_outputs_in_the_order_of_the_sequences(many: int) -> None:
    for last in (True, False):
        model = Decoder(last=last)
        found = model.predict(TOKENS * many)
        wanted = [model(tokens) for tokens in TOKENS]
        for i, outputs in enumerate(found):
            rows: Any = wanted[i % 12]
            right = [v.data for v in rows] if last else [[v.data for v in row] for row in rows]
            np.testing.assert_allclose(outputs, right, rtol=1e-12, atol=1e-14)
        assert found.shape == ((12 * many, 2) if last else (12 * many,))


def test_a_share_is_held_out_and_checkpoints_resume(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    settings: dict[str, Any] = {"validation": 0.25, "compile": False}
    whole = trained(Decoder, TOKENS, NEXT, epochs=4, **settings)
    trained(Decoder, TOKENS, NEXT, epochs=2, checkpoint=path, **settings)
    resumed = trained(Decoder, TOKENS, NEXT, epochs=4, checkpoint=path, resume=True, **settings)
    assert resumed.history.losses == whole.history.losses
    assert resumed.history.validation_losses == whole.history.validation_losses
    other = [[3, *tokens[1:]] for tokens in TOKENS]
    with pytest.raises(ValueError, match="is of another run: X"):
        trained(Decoder, other, NEXT, epochs=4, checkpoint=path, resume=True, **settings)


def test_sequences_of_one_length_and_arrays_are_taken() -> None:
    short = [tokens for tokens in TOKENS if len(tokens) == 3]
    found = trained(Decoder, np.array(short), [[1, 2, 3]] * len(short), batch_size=2)
    assert found.history.not_compiled == ""
    arrays = [np.array(row) for row in VECTORS]
    make = DATA["vectors, a target each"][0]
    of_arrays = trained(make, arrays, np.array(CLASSES)).history.losses
    assert of_arrays == trained(make, VECTORS, CLASSES).history.losses


def test_groups_of_rows_of_one_shape() -> None:
    table = Examples.of(TOKENS, CLASSES).X
    assert groups([3, 0, 8, 6], table) == [[3, 8], [0, 6]]


# ---------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1, 2], []], [0, 1], r"X\[1\] is an empty sequence"),
        ([[[1.0, 2.0], [3.0]], [[1.0, 2.0]]], [0, 1], r"X\[0\] has vectors of different lengths"),
        (
            [[[1.0, 2.0]], [[1.0]] * 2],
            [0, 1],
            r"X\[1\] has positions of shape \(1,\), and X\[0\] of",
        ),
        ([[1, 2], [3]], [0], r"X has 2 row\(s\) and y has 1 target"),
        ([[1, 2], [3]], [[0, 1]], r"X has 2 row\(s\) and y has 1 target"),
        ([[1, 2], [3]], [[0, 1], []], r"y\[1\] is an empty sequence"),
        ([[1, 2], [3]], [[0, 1], [float("nan")]], r"rows of y differ in shape|y\[1\]"),
        ([[1, 2], [3]], [[0], [1, 2]], r"2 examples and as targets 1|y\[0\]"),
        ([[1, 2], [1, 2, 3, 0, 1, 2]], [[0, 1], [0] * 6], r"X\[1\]: .*5"),
        ([[1, 2], [9]], [[0, 1], [0]], r"X\[1\]: .*token 9 is out of range"),
        ([[1, 2], [3], [1], [9], [0]], [[0, 1], [0], [1], [2], [3]], r"X\[3\]: .*token 9"),
        ([[1, 2], [3, 3], [1, 9]], [[0, 1], [0, 2], [1, 1]], r"X\[2\]: .*token 9"),
        ([[1, 2], [3], [1]], [[0, 1], [0], [4]], r"y\[2\]: class 4 is outside the 4 classes"),
        ([[1.0, 2.0], [3.0]], [0, 1], r"the rows of X differ in shape: \(1,\), \(2,\)"),
        ([["a"], ["b", "c"]], [0, 1], "X "),
    ],
)
def test_what_does_not_fit_is_refused(X: Any, y: Any, message: str) -> None:
    model = Decoder()
    before = [p.data for p in model.parameters()]
    trainer = nn.Trainer(model, nn.cross_entropy, nn.Adam(model.parameters()))
    with pytest.raises((TypeError, ValueError), match=message):
        trainer.fit(X, y, progress=False)
    assert [p.data for p in model.parameters()] == before


def test_a_dense_network_says_that_it_takes_no_sequences() -> None:
    model = nn.MLP(2, [1], seed=0)
    with pytest.raises(ValueError, match=r"takes 2 input\(s\), got 1"):
        model.predict([[1, 2], [3]])
