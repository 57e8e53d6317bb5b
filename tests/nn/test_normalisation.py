"""Tests of layer normalisation: its numbers and gradients, PyTorch's, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import nn
from autograd import Value
from autograd import sum as total
from nn.nested import items_of, nested

KINDS = {"LayerNorm": nn.LayerNorm, "RMSNorm": nn.RMSNorm}


def leaves(array: np.ndarray) -> Any:
    return nested(array.shape, lambda *i: Value(array[i]))


def test_by_hand() -> None:
    norm = nn.LayerNorm(2, eps=0.0)
    norm.load_state_dict({"weight": [2.0, 3.0], "bias": [0.5, -0.5]})
    assert [a.data for a in norm([1.0, 5.0])] == [-1.5, 2.5]
    root = nn.RMSNorm(2, eps=0.0, elementwise_affine=False)
    assert [a.data for a in root([1.0, 7.0])] == pytest.approx([0.2, 1.4], rel=1e-15)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_values_and_gradients_are_pytorchs(torch: Any, kind: str, data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    sizes = shape[-data.draw(st.integers(1, len(shape))) :]
    given: dict[str, Any] = {"eps": data.draw(st.sampled_from([1e-5, 0.1]))}
    if kind == "RMSNorm" and data.draw(st.booleans()):
        given["eps"] = None
    given["elementwise_affine"] = data.draw(st.booleans())
    if kind == "LayerNorm":
        given["bias"] = data.draw(st.booleans())
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    one_size = data.draw(st.booleans()) and len(sizes) == 1
    ours = KINDS[kind](sizes[0] if one_size else sizes, **given)
    theirs = getattr(torch.nn, kind)(sizes, **given).double()
    state = {name: rng.normal(size=array.shape) for name, array in ours.state_dict().items()}
    ours.load_state_dict(state)
    theirs.load_state_dict({name: torch.from_numpy(x) for name, x in state.items()})
    x = rng.normal(size=shape)
    inputs, tensor = leaves(x), torch.from_numpy(x).requires_grad_()
    found, wanted = ours(inputs), theirs(tensor)
    assert np.shape(found) == tuple(wanted.shape)
    numbers = [a.data for a in items_of(found)]
    np.testing.assert_allclose(numbers, wanted.detach().numpy().ravel(), rtol=1e-12, atol=1e-12)
    weights = rng.normal(size=len(numbers))
    total(c * a for c, a in zip(weights, items_of(found))).backward()
    (wanted * torch.from_numpy(weights).reshape(wanted.shape)).sum().backward()
    slopes = [v.grad for v in items_of(inputs)]
    # With eps=0 and one number the slope is infinite; with eps it is at most 1/√eps.
    np.testing.assert_allclose(slopes, tensor.grad.numpy().ravel(), rtol=1e-9, atol=1e-12)
    assert list(ours.state_dict()) == [name for name, _ in theirs.named_parameters()]
    for name, parameter in theirs.named_parameters():
        slopes = [v.grad for v in ours.tensors()[name].flat]
        np.testing.assert_allclose(slopes, parameter.grad.numpy().ravel(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_compiled_code_agrees_with_the_engine(kind: str) -> None:
    X = np.random.default_rng(0).normal(size=(3, 4, 5))
    norm = KINDS[kind](5)
    norm.load_state_dict({n: np.linspace(0.5, 2.0, 5) for n in norm.state_dict()})
    engine = [[[a.data for a in position] for position in norm(x)] for x in X.tolist()]
    compiled = autograd.compile(norm)(X)
    np.testing.assert_allclose(compiled, engine, rtol=1e-12, atol=1e-14)


def test_parameters_start_from_one_and_zero_again() -> None:
    norm = nn.LayerNorm((2, 3))
    assert {name: array.shape for name, array in norm.state_dict().items()} == {
        "weight": (2, 3),
        "bias": (2, 3),
    }
    assert (norm.weight[1][2].label, norm.bias[0][1].label) == ("weight[1,2]", "bias[0,1]")
    norm.load_state_dict({"weight": np.full((2, 3), 5.0), "bias": np.ones((2, 3))})
    norm.reset_parameters(seed=0)
    assert set(norm.state_dict()["weight"].flat) == {1.0}
    assert set(norm.state_dict()["bias"].flat) == {0.0}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.LayerNorm(3)([1.0, 2.0]), r"of 3 numbers.* of shape \(2,\): make it LayerNorm"),
        (lambda: nn.RMSNorm(3)([[1.0, 2.0]]), r"shape \(1, 2\): make it RMSNorm\(2\)"),
        (lambda: nn.LayerNorm((2, 3))([1.0, 2.0, 3.0]), r"lists of \(2, 3\) numbers"),
        (lambda: nn.LayerNorm(2)([[1.0, 2.0], [1.0]]), "rows of x are of one length"),
        (lambda: nn.LayerNorm(2)([]), "not empty"),
        (lambda: nn.LayerNorm(2)(1.0), r"of shape \(\)"),
        (lambda: nn.LayerNorm(0), "normalized_shape is a whole number of at least 1, got 0"),
        (lambda: nn.LayerNorm(()), "normalized_shape is empty"),
        (lambda: nn.RMSNorm((2, 0)), "a size in normalized_shape is a whole number of at least 1"),
        (lambda: nn.RMSNorm(2, eps=-1.0), "eps is at least 0, got -1.0"),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
