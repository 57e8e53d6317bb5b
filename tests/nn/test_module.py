"""Tests of modules: they find, name, save and load their parameters."""

from __future__ import annotations

import copy
import dataclasses
import errno
import pickle
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import nn
from autograd import Value, no_grad
from nn.modes import evaluating, mode


class Mixed(nn.Module):
    """A module with parameters in every place where a user may keep them."""

    def __init__(self) -> None:
        self.scale = Value(2.0)
        self.grid = [[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]]
        self.ragged = [[Value(5.0)], [Value(6.0), Value(7.0)]]
        self.array = np.array([Value(8.0), Value(9.0)], dtype=object)
        self.heads = {"left": nn.Neuron(1, seed=0), "right": nn.Neuron(1, seed=1)}
        self.tied = self.scale
        self.name = "mixed"
        self.sizes = [1, 2, 3]


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


def test_train_and_eval_reach_every_module() -> None:
    model = nn.Sequential(nn.Layer(1, 2), nn.Dropout())
    assert model.eval() is model
    assert [module.training for module in model.modules()] == [False] * 5
    model.train()
    assert all(module.training for module in model.modules())


def test_zero_grad_empties_every_parameter() -> None:
    model = nn.MLP(2, [2, 1], seed=0)
    model([1.0, 2.0]).backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad()
    assert not any(p.grad for p in model.parameters())


def test_predict_drops_nothing_records_nothing_and_keeps_the_mode() -> None:
    dropout = nn.Dropout(0.9, seed=0).eval()
    model = nn.Sequential(nn.Layer(2, 3, seed=0), dropout)
    model.training = True
    X = [[1.0, 2.0], [3.0, -1.0]]
    expected = [[a.data for a in model[0](row)] for row in X]
    assert model.predict(X).tolist() == expected
    assert (model.training, dropout.training) == (True, False)
    assert model[0].neurons[0].a.args == ()


def test_a_mode_is_that_of_its_thread_and_of_its_module() -> None:
    model, other = nn.Dropout(0.5, seed=0), nn.Dropout(0.5, seed=0)
    inside, done = threading.Event(), threading.Event()

    def evaluate() -> None:
        with evaluating(model):
            inside.set()
            done.wait()

    thread = threading.Thread(target=evaluate)
    thread.start()
    inside.wait()
    assert model.training
    done.set()
    thread.join()
    with evaluating(model):
        assert (model.training, other.training) == (False, True)
        with mode(other, training=False), mode(model, training=True):
            assert (model.training, other.training) == (True, False)
        assert (model.training, other.training) == (False, True)
    assert model.training


def test_threads_that_predict_leave_recording_as_it_is() -> None:
    model = nn.MLP(2, [8, 1], "tanh", seed=3)
    stop, wrong = threading.Event(), []

    def predict() -> None:
        while not stop.is_set():
            model.predict([[0.1, 0.2]] * 3)

    threads = [threading.Thread(target=predict) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(2_000):
        x = Value(2.0)
        y = x * x * x + x
        y.backward()
        if x.grad != 13.0:
            wrong.append(x.grad)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert (Value(2.0) * 2).op.name == "mul"


@pytest.mark.parametrize("nout", [1, 3])
def test_many_rows_are_predicted_as_few_are(nout: int) -> None:
    model = nn.Sequential(nn.Layer(2, 4, "tanh", seed=0), nn.Dropout(), nn.Layer(4, nout, seed=1))
    X = np.random.default_rng(0).normal(size=(120, 2))
    few = np.concatenate([model.predict(X[i : i + 10]) for i in range(0, 120, 10)])
    np.testing.assert_allclose(model.predict(X), few, rtol=1e-12, atol=1e-15)
    assert all(module.training for module in model.modules())


def test_predict_compiles_once_and_sees_every_change(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[Any] = []

    def noting(function: Any) -> Any:
        compiled.append(function)
        return autograd.compile(function)

    monkeypatch.setattr("nn.prediction.compile", noting)
    X, model = np.random.default_rng(0).normal(size=(60, 2)), nn.MLP(2, [3, 1], "tanh", seed=0)

    def is_right(model: nn.Module) -> bool:
        with no_grad():
            wanted = [model(row).data for row in X.tolist()]
        return bool(np.allclose(model.predict(X), wanted, rtol=1e-12))

    assert is_right(model)
    model.parameters()[0].data += 1.0
    assert is_right(model)
    model.layers[0] = nn.Layer(2, 3, "relu", seed=1)
    assert is_right(model)
    assert len(compiled) == 1


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_a_copy_of_a_model_that_has_predicted_predicts_by_itself(copied: Any) -> None:
    X, model = np.random.default_rng(0).normal(size=(60, 2)), nn.MLP(2, [3, 1], seed=0)
    before = model.predict(X)
    other = copied(model)
    other.layers = nn.MLP(2, [3, 1], seed=1).layers
    assert not np.allclose(other.predict(X), before)
    assert model.predict(X).tolist() == before.tolist()


def test_a_module_that_cannot_be_compiled_predicts_too() -> None:
    class Branching(nn.Module):
        def forward(self, x: Any) -> Value:
            z = Value(1.0) * x[0]
            return z if z.data > 0.0 else -z

    X = np.linspace(-1.0, 1.0, 101)[:, None]
    assert Branching().predict(X).tolist() == abs(X[:, 0]).tolist()


def test_one_output_predicts_a_vector() -> None:
    assert nn.MLP(2, [3, 1], seed=0).predict(np.zeros((4, 2))).shape == (4,)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([1.0, 2.0], r"shape \(2,\), expected rows"),
        ([], "shape"),
        (np.zeros((0, 2)), "nothing in it"),
        (np.zeros((2, 2, 2)), r"reshape\(len\(X\), -1\)"),
        ([[1.0, 2.0], [3.0]], r"rows of X differ in shape: \(1,\), \(2,\)"),
        ([[1.0, 2.0], [3.0, np.inf]], r"X\[1, 1\] \(row 1, column 1\) is inf"),
        ([["a", "b"]], "must be made of real numbers"),
        ([[1j, 2.0]], "must be made of real numbers"),
        ([[Value(1.0), Value(2.0)]], "X holds Values"),
        ([[1.0, 2.0, 3.0]], "takes 2 input"),
        (None, "must be made of real numbers"),
    ],
)
def test_predict_says_what_is_wrong_with_its_features(X: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        nn.MLP(2, [3, 1], seed=0).predict(X)


def test_a_module_without_forward_says_what_it_lacks() -> None:
    with pytest.raises(NotImplementedError, match=r"Mixed needs a method forward\(self, x\)"):
        Mixed()(1.0)


def test_a_module_that_defines_call_as_in_micrograd_works() -> None:
    class Line(nn.Module):
        def __init__(self) -> None:
            self.w = Value(2.0)

        def __call__(self, x: float) -> Value:
            return self.w * x

    assert Line()(3.0).data == 6.0
    assert repr(Line()) == "Line()"


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


def test_modules_that_compare_by_their_contents_work() -> None:
    @dataclasses.dataclass
    class Line(nn.Module):
        w: Value

        def forward(self, x: Any) -> Value:
            return self.w * x[0]

    model = nn.Sequential(Line(Value(2.0)))
    assert model.predict([[3.0]]).tolist() == [6.0]
    assert len(model.parameters()) == 1


def test_predict_turns_arrays_of_values_into_numbers() -> None:
    class Matrix(nn.Module):
        def __init__(self) -> None:
            self.W = np.array([[Value(1.0), Value(2.0)], [Value(0.0), Value(-1.0)]])

        def forward(self, x: Any) -> Any:
            return self.W @ x

    outputs = Matrix().predict([[1.0, 2.0], [3.0, 4.0]])
    assert outputs.dtype == np.float64
    assert outputs.tolist() == [[5.0, -2.0], [11.0, -4.0]]


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


def test_a_module_used_twice_is_one_module() -> None:
    shared = nn.Dropout()
    model = nn.Sequential(shared, shared)
    assert [name for name, _ in model.named_modules()] == ["", "layers.0"]


def test_an_error_leaves_the_mode_as_it_was() -> None:
    model = nn.MLP(2, [3, 1], seed=0)
    with pytest.raises(ValueError, match="takes 2 input"):
        model.predict([[1.0]])
    assert all(module.training for module in model.modules())


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


def _saved(model: nn.Module, folder: Path) -> Path:
    model.save(folder / "family.npz")
    return folder / "family.npz"


def test_compiled_code_follows_which_modules_a_mode_is_for() -> None:
    dropout = nn.Dropout(0.5, seed=0)

    class Beside(nn.Module):
        def forward(self, x: Value) -> list[Value]:
            return dropout([x] * 8)

    model: Any = Beside()
    compiled = autograd.compile(lambda x: model(x))
    with evaluating(model):
        assert 0.0 in compiled([1.0])
    model.part = dropout
    with evaluating(model):
        assert compiled([1.0]).tolist() == [[1.0] * 8]
