"""Tests of `Embedding`: by hand, against PyTorch, in compiled code, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import Value, gradcheck

TOKENS = [3, 0, 3, 1]


def numbers(outputs: Any) -> Any:
    return [numbers(x) for x in outputs] if isinstance(outputs, list) else outputs.data


def test_a_token_chooses_a_row_and_lists_of_tokens_choose_rows() -> None:
    embedding = nn.Embedding(4, 2, seed=0)
    weight = embedding.state_dict()["weight"]
    assert weight.shape == (4, 2)
    assert numbers(embedding(2)) == weight[2].tolist()
    assert numbers(embedding(Value(2))) == weight[2].tolist()
    for tokens in (TOKENS, np.array(TOKENS), [TOKENS, TOKENS[::-1]]):
        assert numbers(embedding(tokens)) == weight[np.array(tokens)].tolist()


def test_the_weights_are_drawn_from_a_standard_normal_and_drawn_again() -> None:
    weight = nn.Embedding(100, 50, seed=1).state_dict()["weight"]
    assert abs(weight.mean()) < 0.05 and abs(weight.std() - 1.0) < 0.05
    assert np.array_equal(nn.Embedding(100, 50, seed=1).state_dict()["weight"], weight)
    embedding = nn.Embedding(100, 50, seed=2)
    embedding.reset_parameters(seed=1)
    assert np.array_equal(embedding.state_dict()["weight"], weight)
    narrow = nn.Embedding(10, 10, init=lambda rng, nin, nout: rng.gauss(0.0, 0.1 / nin), seed=0)
    assert np.abs(narrow.state_dict()["weight"]).max() < 0.1


@pytest.mark.parametrize("padding", [None, 0, 3])
def test_values_and_gradients_are_pytorchs_and_weights_load_both_ways(
    torch: Any, padding: int | None
) -> None:
    ours, theirs = nn.Embedding(4, 3, padding, seed=0), torch.nn.Embedding(4, 3, padding).double()
    state = {name: torch.tensor(array) for name, array in ours.state_dict().items()}
    theirs.load_state_dict(state)
    rows = ours(TOKENS)
    autograd.sum([v * v * v for row in rows for v in row]).backward()
    outputs = theirs(torch.tensor(TOKENS))
    (outputs**3).sum().backward()
    np.testing.assert_allclose(numbers(rows), outputs.detach().numpy(), rtol=1e-12)
    slopes = [[w.grad for w in row] for row in ours.weight]
    np.testing.assert_allclose(slopes, theirs.weight.grad.numpy(), rtol=1e-12)
    again = nn.Embedding(4, 3, padding, seed=1)
    again.load_state_dict(theirs.state_dict())
    assert np.array_equal(again.state_dict()["weight"], ours.state_dict()["weight"])


def test_padding_starts_at_zero_and_is_not_learnt() -> None:
    embedding = nn.Embedding(3, 2, padding_idx=1, seed=0)
    assert numbers(embedding(1)) == [0.0, 0.0]
    cost = autograd.sum([v * v for row in embedding([1, 2]) for v in row])
    cost.backward()
    assert [[w.grad != 0.0 for w in row] for row in embedding.weight] == [
        [False, False],
        [False, False],
        [True, True],
    ]


@pytest.mark.parametrize("padding", [None, 1])
def test_compiled_code_is_the_engines(padding: int | None) -> None:
    model = nn.Embedding(5, 3, padding, seed=0)

    def cost(tokens: Any, target: Any) -> Value:
        rows = model(tokens)
        logits = [autograd.sum([a * b for a, b in zip(rows[0], row)]) for row in rows]
        return nn.cross_entropy(logits, target)

    X, Y = [[0, 1, 4], [2, 2, 1], [3, 4, 1]], [0, 2, 1]
    compiled = autograd.compile(cost, params=model.parameters(), allow_unused=True)
    value, gradient = compiled.value_and_grad(X, Y)
    whole = autograd.mean([cost(x, y) for x, y in zip(X, Y)])
    whole.backward()
    assert value == pytest.approx(whole.data, rel=1e-12)
    assert gradient == pytest.approx([p.grad for p in model.parameters()], rel=1e-10, abs=1e-14)
    if padding is None:
        assert compiled.source.count("weight.take(") + compiled.source.count("E.take(") == 1
    with pytest.raises(
        ValueError, match=r"in row 1: take: token 5 \(tokens\[2\]\) is out of range"
    ):
        compiled([[0, 1, 4], [2, 2, 5]], [0, 1])


def test_a_gradient_check_passes() -> None:
    embedding = nn.Embedding(3, 2, seed=0)
    assert gradcheck(autograd.sum([v.tanh() for v in embedding(Value(1, "token"))]))


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda e: e(27), ValueError, "token 27 is out of range for a table of 27 rows: 0 to 26"),
        (lambda e: e(-1), ValueError, "token -1 is negative"),
        (lambda e: e([0, 0.5]), ValueError, "token 0.5 is no whole number"),
        (lambda e: e("a"), TypeError, "a token is a whole number"),
        (lambda e: nn.Embedding(0, 2), ValueError, "num_embeddings is a whole number of at least"),
        (lambda e: nn.Embedding(2, 0), ValueError, "embedding_dim is a whole number of at least"),
        (lambda e: nn.Embedding(2, 2, 2), ValueError, "padding_idx is a token from 0 to 1, got 2"),
        (lambda e: nn.Embedding(2, 2, -1), ValueError, "padding_idx is a whole number of at least"),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, kind: Any, words: str) -> None:
    with pytest.raises(kind, match=words):
        call(nn.Embedding(27, 2, seed=0))
