"""Tests of attention: by hand, against PyTorch, in compiled code, and what it refuses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import nn
from autograd import Value, gradcheck
from autograd import sum as total
from nn.nested import items_of, nested

X = np.random.default_rng(0).normal(size=(3, 4))


def leaves(array: np.ndarray) -> Any:
    return nested(array.shape, lambda *i: Value(array[i]))


def numbers(outputs: Any) -> np.ndarray:
    return np.array([v.data for v in items_of(outputs)]).reshape(np.shape(outputs))


def close(found: Any, wanted: Any) -> None:
    """Check that the numbers agree to 1e-12 of the largest, or of 1."""
    size = max(1.0, float(np.max(np.abs(wanted))))
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12 * size)


# ---------------------------------------------------------------------- numbers and gradients


def test_attention_by_hand() -> None:
    """Query and key are the number itself, value its double, and the last weight is 1."""
    attention = nn.MultiheadAttention(1, 1, bias=False)
    attention.load_state_dict({"in_proj_weight": [[1], [1], [2]], "out_proj.weight": [[1]]})
    outputs, shares = attention([[0.0], [1.0]])
    e = math.e / (1.0 + math.e)
    close(numbers(shares), [[0.5, 0.5], [1.0 - e, e]])
    close(numbers(outputs), [[1.0], [2.0 * e]])


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_values_and_gradients_are_pytorchs(torch: Any, data: st.DataObject) -> None:
    heads, size = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    width, bias, crossed = heads * size, data.draw(st.booleans()), data.draw(st.booleans())
    widths = [width] * 3
    if crossed:
        widths = [width, data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))]
    length = data.draw(st.integers(1, 4))
    others = data.draw(st.integers(1, 4)) if crossed else length
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    ours = nn.MultiheadAttention(width, heads, 0.0, bias, kdim=widths[1], vdim=widths[2], seed=1)
    theirs = torch.nn.MultiheadAttention(
        width, heads, bias=bias, kdim=widths[1], vdim=widths[2]
    ).double()
    state = {n: 0.5 * rng.normal(size=a.shape) for n, a in ours.state_dict().items()}
    theirs.load_state_dict({name: torch.from_numpy(x) for name, x in state.items()})
    ours.load_state_dict(theirs.state_dict())

    arrays = [rng.normal(size=(n, w)) for n, w in zip((length, others, others), widths)]
    arrays = arrays if crossed else arrays[:1]
    inputs = [leaves(array) for array in arrays]
    tensors = [torch.from_numpy(array).requires_grad_() for array in arrays]
    masks: dict[str, Any] = {"average_attn_weights": data.draw(st.booleans())}
    given = dict(masks)
    kind = data.draw(st.sampled_from(["none", "causal", "hidden", "added", "by head", "padding"]))
    if kind == "causal":
        masks["is_causal"] = True
        given["attn_mask"] = torch.ones(length, others).triu(1).bool()
    elif kind in ("hidden", "added", "by head"):
        shape = (heads, length, others) if kind == "by head" else (length, others)
        mask = rng.normal(size=shape) if kind == "added" else rng.random(shape) < 0.5
        mask[..., 0] = 0.0  # every position looks at the first
        masks["attn_mask"], given["attn_mask"] = mask, torch.from_numpy(mask)
    elif kind == "padding":
        padding = [False, True, False, True][:others]
        masks["key_padding_mask"], given["key_padding_mask"] = padding, torch.tensor(padding)
    found, shares = ours(*inputs, **masks)
    wanted, theirs_shares = theirs(*(tensors if crossed else tensors * 3), **given)
    close(numbers(found), wanted.detach().numpy())
    close(numbers(shares), theirs_shares.detach().numpy())
    total(a * a for a in items_of(found)).backward()
    (wanted * wanted).sum().backward()
    for leaf, tensor in zip(inputs, tensors):
        close([v.grad for v in items_of(leaf)], tensor.grad.numpy().ravel())
    for name, parameter in theirs.named_parameters():
        close([v.grad for v in ours.tensors()[name].flat], parameter.grad.numpy().ravel())


class Block(nn.Module):
    """A block of a decoder; PyTorch's TransformerEncoderLayer with `norm_first` and a mask."""

    def __init__(self) -> None:
        self.self_attn = nn.MultiheadAttention(4, 2, causal=True, seed=0)
        self.linear1, self.linear2 = nn.Linear(4, 6, seed=1), nn.Linear(6, 4, seed=2)
        self.norm1, self.norm2 = nn.LayerNorm(4), nn.LayerNorm(4)

    def forward(self, x: Any) -> Any:
        found, _ = self.self_attn(self.norm1(x), need_weights=False)
        x = [[a + b for a, b in zip(*rows)] for rows in zip(x, found)]
        found = [self.linear2(nn.ReLU()(self.linear1(row))) for row in self.norm2(x)]
        return [[a + b for a, b in zip(*rows)] for rows in zip(x, found)]


def test_a_block_is_pytorchs(torch: Any) -> None:
    theirs = torch.nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0, norm_first=True).double()
    block = Block()
    block.load_state_dict(theirs.state_dict())
    mask = torch.nn.Transformer.generate_square_subsequent_mask(3).double()
    close(numbers(block(X)), theirs(torch.from_numpy(X), src_mask=mask).detach().numpy())


def test_gradients_are_the_slopes_of_differences() -> None:
    block, x = Block(), leaves(X)
    assert gradcheck(total(a * a for a in items_of(block(x))))


def test_compiled_code_agrees_with_the_engine() -> None:
    rows = np.stack([X, X[::-1], 2.0 * X])
    block = Block()
    engine = [numbers(block(x)) for x in rows]
    close(autograd.compile(block)(rows), engine)

    def cost(x: Any, y: Any) -> Value:
        _, shares = block.self_attn(x, y)
        found = block.self_attn(x, y, attn_mask=[[0.0, -1.0, 0.5]] * 3, is_causal=True)[0]
        return total(a * a for a in items_of([shares, found]))

    compiled = autograd.compile(cost, params=block.self_attn.parameters())
    mean, slopes = compiled.value_and_grad(rows, -rows)
    block.zero_grad()
    costs = [cost(x, y) for x, y in zip(rows, -rows)]
    (total(costs) / 3).backward()
    close(mean, np.mean([c.data for c in costs]))
    close(slopes, [p.grad for p in block.self_attn.parameters()])


# ---------------------------------------------------------------------- what it gives


def test_no_later_position_changes_an_earlier_output() -> None:
    attention = nn.MultiheadAttention(4, 2, causal=True, seed=0)
    outputs, shares = attention(X)
    for length in (1, 2):
        assert numbers(attention(X[:length])[0]).tolist() == numbers(outputs)[:length].tolist()
    assert np.triu(numbers(shares), 1).tolist() == np.zeros((3, 3)).tolist()


def test_shares_of_each_head_their_mean_and_none() -> None:
    attention = nn.MultiheadAttention(4, 2, seed=0)
    each = numbers(attention(X, average_attn_weights=False)[1])
    assert each.shape == (2, 3, 3)
    close(each.sum(2), np.ones((2, 3)))
    close(numbers(attention(X)[1]), each.mean(0))
    assert attention(X, need_weights=False)[1] is None


def test_dropout_sets_shares_to_zero_in_training_only() -> None:
    attention = nn.MultiheadAttention(4, 2, dropout=0.5, seed=0)
    shares = numbers(attention(X, average_attn_weights=False)[1])
    assert 0 < (shares == 0.0).sum() < 18
    before = numbers(attention.eval()(X)[0])
    assert before.tolist() == numbers(attention(X)[0]).tolist()


def test_the_numbers_on_the_way_have_names() -> None:
    output = nn.MultiheadAttention(4, 2, seed=0)(leaves(X))[0][2][3]
    root = output if isinstance(output, Value) else output[0]
    for name in ("q[2,0]", "k[1,3]", "v[0,2]", "Wq[0,0]", "bk[3]"):
        assert root.explain(name) is not None
    assert root.explain("share[1,2,0]") is not None


def test_parameters_are_drawn_again_as_they_were_first() -> None:
    attention = nn.MultiheadAttention(4, 2, seed=3)
    first = attention.state_dict()
    shapes = {"in_proj_weight": (12, 4), "in_proj_bias": (12,)}
    shapes |= {"out_proj.weight": (4, 4), "out_proj.bias": (4,)}
    assert {name: array.shape for name, array in first.items()} == shapes
    attention.reset_parameters(5)
    assert attention.state_dict()["out_proj.weight"].tolist() != first["out_proj.weight"].tolist()
    attention.reset_parameters(3)
    assert {n: a.tolist() for n, a in attention.state_dict().items()} == {
        n: a.tolist() for n, a in first.items()
    }


def test_the_settings_are_shown() -> None:
    assert repr(nn.MultiheadAttention(4, 2)) == "MultiheadAttention(4, 2)"
    shown = repr(nn.MultiheadAttention(4, 2, kdim=3, causal=True))
    assert shown == "MultiheadAttention(4, 2, kdim=3, causal=True)"


# ---------------------------------------------------------------------- bad input


def attend(*sequences: Any, **masks: Any) -> Any:
    return nn.MultiheadAttention(4, 2, seed=0)(*sequences, **masks)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.MultiheadAttention(16, 3), "num_heads=3 does not divide embed_dim=16"),
        (lambda: nn.MultiheadAttention(6, 4), "of one length: 1, 2, 3, 6 would"),
        (lambda: attend(X[0]), r"as query a sequence of shape \(positions, 4\); .* shape \(4,\)"),
        (lambda: attend(X[None]), r"shape \(1, 3, 4\): pass one example at a time"),
        (lambda: attend(X[:, :3]), r"got numbers of shape \(3, 3\)"),
        (lambda: attend([]), "rows of query are of one length and not empty"),
        (lambda: attend([[0.0] * 4, [0.0] * 3]), "rows of query are of one length"),
        (lambda: attend(X, X, X[:2]), "key has 3 positions and value 2"),
        (lambda: attend(X, X[:, :2]), r"as key a sequence of shape \(positions, 4\)"),
        (lambda: attend(X, attn_mask=[[0.0] * 2] * 3), r"shape \(3, 2\); expected 3 rows of 3"),
        (lambda: attend(X, attn_mask=[[True] * 3] * 3), "position 0 of query look at nothing"),
        (lambda: attend(X, key_padding_mask=[True] * 3), "position 0 of query look at nothing"),
        (lambda: attend(X, key_padding_mask=[True]), "has 1 entries for 3 positions"),
        (
            lambda: attend(X, key_padding_mask=[True, False, False], is_causal=True),
            "position 0 of query look at nothing",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "masks",
    [
        {"attn_mask": [["a"] * 3] * 3},
        {"key_padding_mask": [0.0] * 3},
        {"is_causal": 1},
        {"need_weights": None},
    ],
)
def test_a_mask_of_the_wrong_type_is_refused(masks: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        attend(X, **masks)
