"""Tests of what is inside a module: parameters and modules are found, named and drawn again."""

from __future__ import annotations

import copy
import pickle
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nn
from autograd import Value
from tests.examples import Mixed


def test_names_are_the_paths_to_the_parameters() -> None:
    names = [name for name, _ in nn.MLP(3, [4, 4], seed=0).named_parameters()]
    assert len(names) == len(set(names)) == 4 * 4 + 4 * 5
    assert names[0] == "layers.0.neurons.0.w.0"
    assert "layers.0.neurons.3.w.2" in names
    assert names[-1] == "layers.1.neurons.3.b"


def test_parameters_are_found_wherever_they_are_kept_and_once_each() -> None:
    names = [name for name, _ in Mixed().named_parameters()]
    assert names == [
        *("scale", "grid.0.0", "grid.0.1", "grid.1.0", "grid.1.1"),
        *("ragged.0.0", "ragged.1.0", "ragged.1.1", "array.0", "array.1"),
        *("heads.left.w.0", "heads.left.b", "heads.right.w.0", "heads.right.b"),
    ]


def test_what_a_neuron_computed_is_no_parameter() -> None:
    neuron = nn.Neuron(2, "identity", seed=0)
    for x in ([1.0, 2.0], [Value(1.0), Value(2.0)]):
        neuron(x)
        assert neuron.parameters() == [*neuron.w, neuron.b]


def test_zero_grad_empties_every_parameter() -> None:
    model = nn.MLP(2, [2, 1], seed=0)
    model([1.0, 2.0]).backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad(set_to_none=True)
    assert not any(p.grad for p in model.parameters())


def test_reset_parameters_draws_as_the_constructor_does() -> None:
    for given_settings in ({"seed": 3}, {"seed": 3, "init": "uniform", "activation": "tanh"}):
        fresh, reset = (nn.MLP(2, [3, 2], **given_settings) for _ in range(2))
        reset.layers[0].neurons[0].b.data = 5.0
        reset.reset_parameters(4)
        assert [p.data for p in reset.parameters()] != [p.data for p in fresh.parameters()]
        reset.reset_parameters(3)
        assert [p.data for p in reset.parameters()] == [p.data for p in fresh.parameters()]


def test_parameters_that_nobody_can_draw_are_not_left_as_they_are_silently() -> None:
    model = nn.Sequential(nn.Layer(2, 2, seed=0), Mixed())
    before = [p.data for p in model.parameters()]
    with pytest.raises(
        TypeError, match=r"start value is known for layers.1.scale: .*_parameters\(self"
    ):
        model.reset_parameters(1)
    assert [p.data for p in model.parameters()] == before


def test_a_module_of_ones_own_says_where_its_parameters_start() -> None:
    class Scaled(nn.Layer):
        def __init__(self) -> None:
            super().__init__(2, 2, seed=0)
            self.scale = Value(1.0)

        def sample_parameters(self, rng: random.Random) -> Iterator[tuple[Value, float]]:
            yield self.scale, rng.uniform(5.0, 6.0)
            yield from super().sample_parameters(rng)

    layer = Scaled()
    layer.reset_parameters(3)
    assert layer.scale.data == random.Random(3).uniform(5.0, 6.0)


def test_a_module_leaves_the_parameters_of_its_parts_to_them() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            self.layer, self.scale = nn.Layer(2, 2, seed=0), Value(1.0)

        def sample_parameters(self, rng: random.Random) -> Iterator[tuple[Value, float]]:
            yield self.scale, 5.0

    model = Scaled()
    model.reset_parameters(3)
    weights = nn.Layer(2, 2, seed=3).parameters()
    assert [p.data for p in model.parameters()] == [*(p.data for p in weights), 5.0]


def test_a_module_used_twice_is_one_module() -> None:
    shared = nn.Dropout()
    model = nn.Sequential(shared, shared)
    assert [name for name, _ in model.named_modules()] == ["", "layers.0"]


class Knotted(nn.Module):
    """A module with a list and a dict that contain themselves."""

    def __init__(self) -> None:
        self.weights: list[Any] = [Value(1.0), [Value(2.0)]]
        self.weights[1].append(self.weights)
        self.named: dict[str, Any] = {"a": Value(3.0)}
        self.named["me"] = self.named


def test_lists_that_hold_themselves_are_gone_through_once() -> None:
    model = Knotted()
    assert [name for name, _ in model.named_parameters()] == ["weights.0", "weights.1.0", "named.a"]
    assert {name: float(x) for name, x in model.state_dict().items()} == {
        "weights.0": 1.0,
        "weights.1.0": 2.0,
        "named.a": 3.0,
    }
    assert list(model.modules()) == [model]
    assert repr(model) == "Knotted()"


def _saved(model: nn.Module, folder: Path) -> Path:
    model.save(folder / "family.npz")
    return folder / "family.npz"


class Child(nn.Module):
    """A module with a reference to its parent."""

    def __init__(self, parent: nn.Module) -> None:
        self.parent, self.weight = parent, Value(2.0)

    def forward(self, x: Any) -> Any:
        return self.weight * x[0]

    def sample_parameters(self, rng: random.Random) -> Iterator[tuple[Value, float]]:
        yield self.weight, rng.random()
        yield from super().sample_parameters(rng)


class Parent(nn.Module):
    """A module with such a child, and with a layer that refers to it too."""

    def __init__(self) -> None:
        self.child, self.layer = Child(self), nn.Layer(2, 1, "tanh", seed=0)
        self.layer.model, self.layer.neurons[0].layer = self, self.layer  # type: ignore[attr-defined]

    def forward(self, x: Any) -> Any:
        return self.layer(x) + self.child(x)


def test_a_module_may_know_the_one_that_it_is_part_of(tmp_path: Path) -> None:
    family = Parent()
    neuron = "layer.neurons.0"
    names = ["child.weight", f"{neuron}.w.0", f"{neuron}.w.1", f"{neuron}.b"]
    assert [name for name, _ in family.named_parameters()] == names
    assert list(family.state_dict()) == ["child.weight", "layer.weight", "layer.bias"]
    assert [name for name, _ in family.named_modules()] == ["", "child", "layer", neuron]
    assert repr(family) == "Parent(Child(…), Layer of [TanhNeuron(2)])"
    family.load(_saved(family, tmp_path))
    family.reset_parameters(seed=1)
    assert family.child.weight.data == random.Random(1).random()
    assert len(copy.deepcopy(family).parameters()) == 4
    assert pickle.loads(pickle.dumps(family)).state_dict().keys() == family.state_dict().keys()
    assert family.eval().predict([[1.0, 2.0]]).shape == (1,)
    assert "tanh" in nn.draw(family).source
    nn.Trainer(family, nn.mse_loss, nn.SGD(family.parameters(), lr=0.1)).fit(
        [[0.0, 1.0], [1.0, 0.0]], [1.0, 0.0], epochs=1
    )
