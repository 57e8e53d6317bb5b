"""Tests of the numbers of a module's parameters: read, set, saved and loaded."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd import Value
from tests.examples import Mixed


def test_a_state_dict_has_arrays_where_the_lists_are_of_one_length() -> None:
    state = Mixed().state_dict()
    assert {name: array.shape for name, array in state.items()} == {
        "scale": (),
        "grid": (2, 2),
        "ragged.0": (1,),
        "ragged.1": (2,),
        "array": (2,),
        "heads.left.w": (1,),
        "heads.left.b": (),
        "heads.right.w": (1,),
        "heads.right.b": (),
        "tied": (),
    }
    assert state["grid"].tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert all(array.dtype == np.float64 for array in state.values())


def test_a_layer_is_laid_out_as_pytorchs_linear() -> None:
    layer = nn.Layer(2, 3, seed=0)
    state = layer.state_dict()
    for j, neuron in enumerate(layer.neurons):
        assert state["weight"][j].tolist() == [w.data for w in neuron.w]
        assert state["bias"][j] == neuron.b.data


def test_a_state_dict_round_trips_through_a_file(tmp_path: Path) -> None:
    model, other = nn.MLP(2, [3, 1], seed=0), nn.MLP(2, [3, 1], seed=1)
    model.save(tmp_path / "weights.npz")
    assert other.load(tmp_path / "weights.npz") is other
    assert [p.data for p in other.parameters()] == [p.data for p in model.parameters()]
    assert [path.name for path in tmp_path.iterdir()] == ["weights.npz"]


def test_the_weights_work_in_pytorch_and_come_back(torch: Any) -> None:

    class Twin(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layers = torch.nn.ModuleList([torch.nn.Linear(3, 4), torch.nn.Linear(4, 2)])

        def forward(self, x: Any) -> Any:
            return self.layers[1](torch.relu(self.layers[0](x)))

    model, twin = nn.MLP(3, [4, 2], seed=0), Twin().double()
    twin.load_state_dict({k: torch.from_numpy(v) for k, v in model.state_dict().items()})
    X = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_allclose(
        twin(torch.from_numpy(X)).detach().numpy(), model.predict(X), rtol=1e-12
    )
    back = nn.MLP(3, [4, 2], seed=1)
    back.load_state_dict(twin.state_dict())
    np.testing.assert_array_equal(back.predict(X), model.predict(X))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("layers.0.bias"), "missing layers.0.bias"),
        (lambda s: s.update(extra=np.zeros(1)), "unknown extra"),
        (lambda s: s.update({"layers.1.bias": np.zeros(2)}), r"shape \(2,\), expected \(1,\)"),
        (lambda s: s.update({"layers.1.bias": ["a"]}), "layers.1.bias is not an array of numbers"),
        (lambda s: s.update({"layers.1.bias": [np.nan]}), r"layers.1.bias\[0\] is nan"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change: Any, message: str) -> None:
    model = nn.MLP(2, [3, 1], seed=0)
    before = [p.data for p in model.parameters()]
    state = nn.MLP(2, [3, 1], seed=1).state_dict()
    change(state)
    with pytest.raises(ValueError, match=message):
        model.load_state_dict(state)
    assert [p.data for p in model.parameters()] == before


def damaged(content: bytes, kind: str) -> bytes:
    if kind == "flipped":
        middle = len(content) // 3
        return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]
    return {
        "empty": b"",
        "cut": content[: len(content) // 2],
        "text": b"these are no weights",
    }[kind]


@pytest.mark.parametrize("kind", ["empty", "cut", "text", "flipped"])
def test_a_damaged_file_says_so_and_loads_nothing(tmp_path: Path, kind: str) -> None:
    model = nn.MLP(2, [30, 1], seed=0)
    path = tmp_path / "weights.npz"
    nn.MLP(2, [30, 1], seed=1).save(path)
    path.write_bytes(damaged(path.read_bytes(), kind))
    before = [p.data for p in model.parameters()]
    with pytest.raises(ValueError, match=r"weights.npz \([\d,]+ bytes\) is not a whole .npz file"):
        model.load(path)
    assert [p.data for p in model.parameters()] == before


@settings(max_examples=300)
@given(position=st.floats(0.0, 1.0, exclude_max=True), mask=st.integers(1, 255))
def test_no_changed_byte_loads_another_number(
    tmp_path_factory: pytest.TempPathFactory, position: float, mask: int
) -> None:
    path = tmp_path_factory.mktemp("changed") / "weights.npz"
    model, other = nn.Neuron(2, seed=0), nn.Neuron(2, seed=1)
    model.save(path)
    content = bytearray(path.read_bytes())
    content[int(position * len(content))] ^= mask
    path.write_bytes(content)
    before = [p.data for p in other.parameters()]
    try:
        other.load(path)
    except ValueError:
        assert [p.data for p in other.parameters()] == before
    else:
        assert [p.data for p in other.parameters()] == [p.data for p in model.parameters()]


def test_a_single_array_and_pickles_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(ValueError, match="not a whole .npz file. In the directory at its end"):
        nn.Neuron(1).load(tmp_path / "one.npy")
    np.savez(tmp_path / "pickled.npz", w=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="In w, from byte 0: it holds object"):
        nn.Neuron(1).load(tmp_path / "pickled.npz")


def test_weights_of_another_model_are_named_as_such(tmp_path: Path) -> None:
    nn.MLP(2, [3, 1]).save(tmp_path / "small.npz")
    with pytest.raises(ValueError, match="small.npz does not fit this model: layers.0.weight"):
        nn.MLP(2, [4, 1]).load(tmp_path / "small.npz")


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        nn.MLP(2, [3, 1]).load(tmp_path / "nowhere.npz")


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "weights.npz"
    nn.Neuron(1, seed=0).save(path)
    before = path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        nn.Neuron(1, seed=1).save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["weights.npz"]


def test_a_layer_keeps_what_a_kind_of_it_has_besides() -> None:
    class Scaled(nn.Layer):
        def __init__(self, seed: int) -> None:
            super().__init__(2, 2, seed=seed)
            self.scale = Value(1.0)
            self.neurons[0].slope = Value(0.25)  # type: ignore[attr-defined]

    first, second = Scaled(0), Scaled(1)
    first.scale.data = 5.0
    assert list(first.state_dict()) == ["weight", "bias", "neurons.0.slope", "scale"]
    second.load_state_dict(first.state_dict())
    assert [p.data for p in second.parameters()] == [p.data for p in first.parameters()]


def test_a_sequential_of_pytorchs_loads_under_its_own_names(torch: Any) -> None:
    theirs = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    model = nn.MLP(2, [3, 1], seed=0)
    with pytest.raises(ValueError, match=r"dict\(zip\(model.state_dict\(\), state.values"):
        model.load_state_dict(theirs.state_dict())
    with pytest.raises(ValueError, match="is not an array of numbers"):
        model.load_state_dict(dict(zip(model.state_dict(), theirs.parameters())))
    model.load_state_dict(dict(zip(model.state_dict(), theirs.state_dict().values())))
    x = torch.tensor([[0.5, -1.0]])
    assert model.predict(x.numpy())[0] == pytest.approx(theirs(x).item(), rel=1e-5)


@pytest.mark.parametrize("name", ["file", "allow_pickle"])
def test_parameters_may_have_any_name(tmp_path: Path, name: str) -> None:
    class Odd(nn.Module):
        pass

    model, other = Odd(), Odd()
    setattr(model, name, Value(2.0))
    setattr(other, name, Value(0.0))
    model.save(tmp_path / "odd.npz")
    assert getattr(other.load(tmp_path / "odd.npz"), name).data == 2.0
    assert np.load(tmp_path / "odd.npz")[name] == 2.0
