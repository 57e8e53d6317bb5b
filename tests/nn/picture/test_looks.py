"""Tests of drawings of attention: a map for each head."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nn
from tests.nn.picture.test_maps import box, nodes

X = np.random.default_rng(0).normal(size=(3, 4))


class Decoder(nn.Module):
    """Two blocks of attention; the second looks at all positions."""

    def __init__(self) -> None:
        self.first = nn.MultiheadAttention(4, 2, causal=True, dropout=0.5, seed=0)
        self.second = nn.MultiheadAttention(4, 4, seed=1)
        self.last = nn.Linear(4, 2, seed=2)

    def forward(self, x: Any) -> Any:
        found, _ = self.first(x)
        found, _ = self.second(found, x[:2])
        return [self.last(row) for row in found]


def test_each_head_has_a_map_of_its_shares() -> None:
    attention = nn.MultiheadAttention(4, 2, causal=True, seed=0)
    found = nodes(nn.draw(attention, X, classes="ann").source)
    _, shares = attention(X.tolist(), average_attn_weights=False)
    for h, head in enumerate(shares):
        for i, row in enumerate(head):
            assert found[f"row0_{h}_{i}"]["label"] == found[f"column0_{h}_{i}"]["label"] == "ann"[i]
            for j, share in enumerate(row):
                cell = found[f"cell0_{h}_{i}_{j}"]
                assert cell["label"] == f"{share.data:.2f}"
                assert cell["tooltip"] == f"{'ann'[i]} looks at {'ann'[j]}: {share.data:.3g}"
                red = round(255 - 255 * share.data)
                assert int(cell["fillcolor"][1:3], 16) == red
        assert found[f"head0_{h}"]["label"] == f"head {h}"
    assert found["title0"]["label"] == "MultiheadAttention(4, 2, causal=True)"


def test_all_modules_of_a_model_are_drawn_without_dropout() -> None:
    model = Decoder()
    source = nn.draw(model, X).source
    assert source == nn.draw(model, X).source, "no share is dropped in a drawing"
    found = nodes(source)
    titles = [node["label"] for name, node in found.items() if name.startswith("title")]
    assert titles == [f"first: {model.first!r}", f"second: {model.second!r}"]
    maps = [box(node) for name, node in found.items() if name.startswith("frame")]
    assert len(maps) == 2 + 4
    (left, right, low, high), *others = maps
    assert right - left == pytest.approx(high - low)
    left, right, low, high = others[-1]
    assert 3 * (right - left) == pytest.approx(2 * (high - low)), "3 positions look at 2"
    for i, (left, right, low, high) in enumerate(maps):
        for other in maps[:i]:
            assert left >= other[1] or right <= other[0] or low >= other[3] or high <= other[2]


def test_many_positions_have_small_cells_and_no_numbers() -> None:
    attention = nn.MultiheadAttention(4, 2, seed=0)
    found = nodes(nn.draw(attention, np.ones((9, 4)), max_neurons=2).source)
    assert found["cell0_0_8_8"]["label"] == ""
    many = nn.MultiheadAttention(4, 4, seed=0)
    assert nodes(nn.draw(many, X, max_neurons=2).source)["hidden0"]["label"] == "⋮ 2 more heads"


@pytest.mark.parametrize("format", ["svg", "png", "pdf"])
def test_it_renders(format: str) -> None:
    start = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[format]
    picture = nn.draw(Decoder().first, X, classes=["<b>", "a\\N", ""], format=format)
    assert picture.pipe().startswith(start)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "attention depends on what is read: give an example x"),
        ({"x": X, "classes": "ab"}, "there are 3 positions and 2 names"),
        ({"x": X, "bias": "input"}, "shows no weights: leave out by and bias"),
        ({"x": X, "by": "gradient"}, "shows no weights: leave out by and bias"),
        (
            {"x": X, "shape": (1, 2, 2)},
            "shape is that of images, and MultiheadAttention takes none",
        ),
        ({"x": X[:, :3]}, "takes as query a sequence of shape"),
    ],
)
def test_what_does_not_fit_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nn.draw(nn.MultiheadAttention(4, 2, seed=0), **settings)
    assert nn.MultiheadAttention(4, 2)._repr_html_() is None
