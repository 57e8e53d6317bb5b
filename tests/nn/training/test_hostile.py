"""Tests of malicious checkpoints with correct checksums: refused as a whole, or harmless.

    python -m tests.nn.training.test_hostile 10000

tries this many files, from another seed each time.
"""

from __future__ import annotations

import copy
import io
import json
import math
import random
import sys
import tempfile
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from nn.training.history import _digest

X = np.random.default_rng(0).normal(size=(10, 2))
Y = (X[:, 0] > 0).astype(int)
TEXTS = ("progress", "history")


def built() -> nn.Trainer:
    model = nn.Sequential(nn.Layer(2, 3, "tanh", seed=0), nn.Dropout(0.1), nn.Layer(3, 2, seed=1))
    optimizer = nn.Adam(model.parameters(), 0.05)
    schedule = nn.ReduceLROnPlateau(optimizer, patience=0)
    return nn.Trainer(model, nn.cross_entropy, optimizer, scheduler=schedule)


def fit(trainer: nn.Trainer, path: Path, epochs: int) -> nn.History:
    return trainer.fit(
        X, Y, epochs, 5, validation=(X, Y), early_stopping=3, checkpoint=path, resume=True,
        compile=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the bytes of a correct checkpoint."""
    path = tmp_path_factory.mktemp("good") / "run.npz"
    fit(built(), path, 2)
    return path.read_bytes()


# ---------------------------------------------------------------------- apart and together

Member = tuple[str, bytes]


def members(content: bytes) -> list[Member]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(info.filename, archive.read(info)) for info in archive.infolist()]


def archive(parts: list[Member], how: int = zipfile.ZIP_STORED) -> bytes:
    content = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(content, "w", how) as file:
        warnings.simplefilter("ignore")  # about duplicate names
        for name, data in parts:
            file.writestr(name, data)
    return content.getvalue()


def npy(array: Any) -> bytes:
    content = io.BytesIO()
    np.save(content, array, allow_pickle=True)
    return content.getvalue()


def lying(header: str, data: bytes = b"") -> bytes:
    """Return an .npy file with an arbitrary header."""
    text = header.encode()
    return b"\x93NUMPY\x02\x00" + len(text).to_bytes(4, "little") + text + data


def array_of(data: bytes) -> Any:
    return np.load(io.BytesIO(data))


NUMBERS = [
    0,
    -1,
    1,
    2,
    0.5,
    -0.5,
    1e-320,
    1e308,
    -1e308,
    1e999,
    -1e999,
    math.nan,
    10**40,
    -(10**40),
]
VALUES: list[Any] = [
    *NUMBERS,
    *(None, True, False, "", "tanh", "0", "AAAA", "min", "nan", [], {}, [[]], {"a": 1}, [None]),
    *([0.1] * 3, ["a"], "é" * 50, "\0"),
]
ARRAYS: list[Callable[[np.ndarray], Any]] = [
    lambda a: a * np.nan,
    lambda a: a + np.inf,
    lambda a: -a - 1.0,
    lambda a: a * 1e300,
    lambda a: a + 0.125,
    lambda a: a.astype(complex) + 1j,
    lambda a: a.astype(str),
    lambda a: a.astype("S"),
    lambda a: a.astype(object),
    lambda a: a.astype(">f4"),
    lambda a: a.astype(int),
    lambda a: a > 0,
    lambda a: a.astype("M8[s]"),
    lambda a: np.zeros(a.shape, [("a", float)]),
    lambda a: a[None],
    lambda a: a.ravel()[:-1],
    lambda a: a[..., :0],
    lambda a: np.float64(0.5),
    lambda a: np.asfortranarray(a),
    lambda a: np.zeros((1000, 1000)),
]
HEADERS = [
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }\n",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }\n",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -1), }\n",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 99999999999999999999), }\n",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (True,), }\n",
    "{'descr': '|S0', 'fortran_order': False, 'shape': (1000000000000,), }\n",
    "{'descr': '|S4000000000', 'fortran_order': False, 'shape': (), }\n",
    "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }\n",
    "{'descr': ('<f8', (2,)), 'fortran_order': False, 'shape': (1,), }\n",
    "{'descr': [['a', '<f8']], 'fortran_order': False, 'shape': (1,), }\n",
    "(" * 5000 + "\n",
    "-" * 9000 + "1\n",
    "[" * 150 + "]" * 150 + "\n",
    "{'descr': __import__('os').getcwd(), 'shape': (1,), 'fortran_order': False}\n",
    "\xff\xfe",
    "",
]


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every object and list of a JSON tree, with each of its keys."""
    stack = [tree]
    while stack:
        inside = stack.pop()
        keys = inside if isinstance(inside, dict) else range(len(inside))
        for key in list(keys):
            yield inside, key
            if isinstance(inside[key], (dict, list)):
                stack.append(inside[key])


def changed_text(rng: random.Random, data: bytes) -> bytes:
    """Change a JSON text in one place, and correct its digest."""
    tree = json.loads(array_of(data).item())
    kind = rng.randrange(8)
    inside, key = rng.choice(list(places(tree)))
    if kind < 5:
        inside[key] = copy.deepcopy(rng.choice(VALUES))
    elif kind == 5:
        del inside[key]
    elif kind == 6:
        other, place = rng.choice(list(places(tree)))
        inside[key] = copy.deepcopy(other[place])
    elif isinstance(inside, dict):
        inside[rng.choice(["more", "", "optimizer", "__class__", "epoch"])] = rng.choice(VALUES)
    if "digest" in tree and rng.random() < 0.9:
        del tree["digest"]
        digest = _digest_or_none(tree)
        tree = {**tree, "digest": digest} if digest else tree
    text = json.dumps(tree)
    if rng.random() < 0.05:
        text = rng.choice(
            ["[" * 100_000, '{"a":' * 100_000, "9" * 100_000, text + "x", "[]", '"a"', "\ud800", ""]
        )
    if rng.random() < 0.05:
        text = text.replace(": ", ': 1, "seed": ', 1)
    return npy(np.array(text.encode("utf-8", "surrogatepass")))


def _digest_or_none(tree: dict[str, Any]) -> str | None:
    try:
        return _digest(tree)
    except ValueError:
        return None


def hostile(rng: random.Random, content: bytes) -> bytes:
    """Return a checkpoint with one or two errors and correct checksums."""
    parts, whole = members(content), dict(members(content))
    how = zipfile.ZIP_STORED
    for _ in range(rng.choice([1, 1, 1, 2])):
        place = rng.randrange(len(parts))
        name, data = parts[place]
        kind = rng.randrange(12)
        if kind < 6 or (kind < 9 and name.removesuffix(".npy") in TEXTS):
            place = rng.choice([i for i, (n, _) in enumerate(parts) if n.startswith(TEXTS)])
            name = parts[place][0]
            parts[place] = name, changed_text(rng, whole[name])
        elif kind < 9:
            parts[place] = name, npy(rng.choice(ARRAYS)(array_of(whole.get(name, data))))
        elif kind == 9:
            parts[place] = name, lying(rng.choice(HEADERS), data[-rng.randrange(64) :])
        elif kind == 10:
            odd = ["/etc/x.npy", "../x.npy", "model/x.npy", name, "x", "x/", "best/.npy", "é.npy"]
            parts.insert(place, (rng.choice(odd), data))
        elif rng.random() < 0.5:
            del parts[place]
        else:
            parts.reverse()
        if rng.random() < 0.02:
            how = zipfile.ZIP_DEFLATED
    return archive(parts, how)


# ---------------------------------------------------------------------- what must hold


def state(trainer: nn.Trainer) -> str:
    """Return everything that `fit` may change, as text."""
    schedule = trainer.scheduler
    assert schedule is not None
    optimizer = {k: np.asarray(v).tolist() for k, v in trainer.optimizer.state_dict().items()}
    numbers = [p.data for p in trainer.model.parameters()]
    return repr((numbers, optimizer, schedule.state_dict(), trainer.history.to_json()))


def outcome(content: bytes, path: Path) -> str:
    """Resume from a file, check the state afterwards, and return "refused" or "taken"."""
    path.write_bytes(content)
    trainer = built()
    before = state(trainer)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", "training (stopped|diverged)|overflow|invalid value")
            history = fit(trainer, path, 3)
    except ValueError as error:
        assert str(path) in str(error), error
        assert state(trainer) == before
        assert path.read_bytes() == content
        return "refused"
    assert all(math.isfinite(p.data) for p in trainer.model.parameters())
    assert nn.History.from_json(history.to_json()) == history
    assert str(history) and trainer.model.predict(X).shape == (10, 2)
    return "taken"


def tried(count: int, content: bytes, seed: int) -> dict[str, int]:
    counts = {"refused": 0, "taken": 0}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.npz")
        for k in range(count):
            made = hostile(random.Random(f"{seed}, {k}"), content)
            try:
                counts[outcome(made, path)] += 1
            except BaseException as error:
                error.args = (f"file {k} of seed {seed}: {error}",)
                raise
    return counts


def test_a_good_checkpoint_is_taken(content: bytes, tmp_path: Path) -> None:
    assert outcome(content, tmp_path / "run.npz") == "taken"
    assert outcome(archive(members(content)), tmp_path / "run.npz") == "taken"


def test_hostile_checkpoints_are_refused_or_right(content: bytes) -> None:
    counts = tried(150, content, 0)
    assert counts["refused"] > 75 and counts["taken"] > 5


# ---------------------------------------------------------------------- the kinds by name


def history(**changed: Any) -> str:
    """Return the JSON of a history with some fields changed and a correct digest."""
    numbers = json.loads(nn.History(losses=[0.5], accuracies=[1.0], kept_epoch=1).to_json())
    del numbers["digest"]
    numbers |= changed
    return json.dumps({**numbers, "digest": _digest_or_none(numbers)})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"losses": 3}, "history.losses is "),
        ({"losses": ["a"]}, r"history.losses\[0\] is a finite number, got 'a'"),
        ({"losses": [True]}, r"history.losses\[0\] is a finite number, got True"),
        ({"losses": [math.nan]}, "NaN is no number of JSON"),
        ({"losses": [10**400]}, r"history.losses\[0\] is (beyond|a finite)"),
        ({"accuracies": [1.5]}, "an accuracy is not between 0 and 1"),
        ({"validation_accuracies": [-0.5]}, "an accuracy is not between 0 and 1"),
        ({"accuracies": [0.5, 0.5]}, "losses has 1 epoch.s., and another list has more"),
        ({"learning_rates": [0.0]}, "a learning rate is not above 0"),
        ({"seconds": [-1.0]}, "a norm or a time is negative"),
        ({"gradient_norms": {"a": [-1.0]}}, "a norm or a time is negative"),
        ({"gradient_norms": [1.0]}, "history.gradient_norms is "),
        ({"kept_epoch": 2}, "kept_epoch is 2, of 1 epoch"),
        ({"kept_epoch": 1.0}, "history.kept_epoch is a whole number, got 1.0"),
        ({"seed": None}, "history.seed is a whole number, got None"),
        ({"batch_size": -1}, "the batch size or the momentum is negative"),
        ({"momentum": -0.5}, "the batch size or the momentum is negative"),
        ({"optimizer": 1}, "history.optimizer is a text, got 1"),
        ({"stop_reason": 1}, "history.stop_reason is a text, got 1"),
        ({"speed": 1}, "history has no 'speed'"),
        ({"snapshots": [{"epoch": 0}]}, r"history.snapshots\[0\]: .*missing .*'weights'"),
        ({"snapshots": [{"epoch": 0, "weights": "A"}]}, "these are no packed numbers"),
        ({"snapshots": [{"epoch": 0, "weights": "AAAA"}]}, "these are no packed numbers"),
        ({"snapshots": [{"epoch": 0, "weights": "AADAfw=="}]}, "snapshot of epoch 0 has a NaN"),
        ({"snapshots": [{"epoch": 2, "weights": ""}]}, "a snapshot of epoch 2 after that of -1"),
        (
            {"snapshots": [{"epoch": 0, "weights": "AAAAAA==", "gradient": "AAAAAAAAAAA="}]},
            r"snapshot of epoch 0 has 2 gradient\(s\) and 1 weight",
        ),
        ({"answers": {"kind": "sides", "names": ["no", "yes"], "kinds": ["0", "1"]}}, "kinds"),
    ],
)
def test_a_history_that_no_run_has_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=rf"not the JSON of a History: .*{said}"):
        nn.History.from_json(history(**changed))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"seed": 1, "seed": 2}', "'seed' stands twice in one object"),
        ('{"seed": ' + "9" * 10_000 + "}", ""),
        ("[]", "history is an object"),
        (b"\xff\xfe\x00", ""),
        ('{"digest": "", "seed": 1}', "it is damaged: its digest does not match"),
    ],
)
def test_a_text_that_is_no_history_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=rf"not the JSON of a History: .*{said}"):
        nn.History.from_json(text)


def test_a_changed_character_of_a_history_is_noticed() -> None:
    text = nn.History(seed=12, losses=[0.25], stop_reason="done").to_json()
    for old, new in {"12": "13", "0.25": "0.26", "done": "gone"}.items():
        with pytest.raises(ValueError, match="damaged"):
            nn.History.from_json(text.replace(old, new))


def test_a_history_without_a_digest_is_read() -> None:
    text = nn.History(seed=12, losses=[0.25]).to_json()
    older = json.loads(text)
    del older["digest"]
    assert nn.History.from_json(json.dumps(older)) == nn.History.from_json(text)


def test_a_history_with_a_nan_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        nn.History(losses=[math.nan]).save(tmp_path / "history.json")
    assert not any(tmp_path.iterdir())


def weights(**changed: Any) -> list[Member]:
    state = nn.Neuron(3, seed=0).state_dict() | changed
    return [(f"{name}.npy", npy(array)) for name, array in state.items()]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (archive(weights(b=np.array("1.5"))), "In b, .*it holds <U3, expected real numbers"),
        (archive(weights(b=np.array(b"1.5"))), "b is not an array of numbers: it holds .S3"),
        (archive(weights(b=np.array(1j))), "In b, .*it holds complex128"),
        (archive(weights(b=np.array(None))), "In b, .*it holds object"),
        (archive(weights(b=np.array(math.nan))), r"b\[\] is nan"),
        (archive([*weights(), *weights()]), "In w, .*two arrays of this name"),
        (archive([("/w.npy", b""), *weights()]), "In /w, from byte 0"),
        (archive([("w", b""), *weights()]), "In w, .*does not end in .npy"),
        (archive(weights(), zipfile.ZIP_DEFLATED), "it is compressed: write it with numpy.savez"),
        (archive([("w.npy", lying(HEADERS[0], b"0" * 8))]), "shape .* of float64 does not fill"),
    ],
)
def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path, neuron = tmp_path / "weights.npz", nn.Neuron(3, seed=1)
    path.write_bytes(content)
    before = [p.data for p in neuron.parameters()]
    with pytest.raises(ValueError, match=f"weights.npz .*{said}"):
        neuron.load(path)
    assert [p.data for p in neuron.parameters()] == before


def overlapping() -> bytes:
    """Return a zip file in which many names refer to the same bytes."""
    content = archive([("a.npy", npy(np.zeros(125_000)))])
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        start = file.start_dir
    entry = content[start : content.index(b"PK\x05\x06")]
    end = bytearray(content[content.index(b"PK\x05\x06") :])
    end[8:12] = 2 * (300).to_bytes(2, "little")
    end[12:16] = (300 * len(entry)).to_bytes(4, "little")
    names = (entry.replace(b"a.npy", b"%05d" % k) for k in range(300))
    return content[:start] + b"".join(names) + bytes(end)


@pytest.mark.parametrize(
    "content",
    [
        *(archive([("w.npy", lying(header, b"0" * 1000))]) for header in HEADERS),
        archive([("w.npy", npy(np.zeros(10**7)))], zipfile.ZIP_DEFLATED),
        overlapping(),
    ],
    ids=[*(f"header {k}" for k in range(len(HEADERS))), "compressed", "overlapping"],
)
def test_a_small_file_takes_little_memory(tmp_path: Path, content: bytes) -> None:
    path, neuron = tmp_path / "weights.npz", nn.Neuron(3, seed=1)
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="weights.npz"):
            neuron.load(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * len(content) + 4_000_000


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"steps": -1}, "steps is a whole number of at least 0, got -1"),
        ({"steps": 1.5}, "steps is a whole number"),
        ({"lr": math.nan}, "lr, the learning rate, is a positive number, got nan"),
        ({"lr": "0.1"}, "this is no state of Adam: lr, the learning rate, is a number"),
        ({"betas": [0.9, 2.0]}, "each of betas is at least 0 and below 1, got 2.0"),
        ({"weight_decay": -1.0}, "weight_decay is at least 0, got -1.0"),
        ({"memory.m": np.zeros(3)}, r"memory.m has shape \(3,\), and there are 2 parameters"),
        ({"memory.m": np.array([math.nan, 0.0])}, "memory.m is not an array of finite numbers"),
        ({"memory.m": np.array([1j, 0.0])}, "memory.m is not an array of finite numbers"),
        ({"memory.v": np.array([-1.0, 0.0])}, "its next step would not be finite"),
    ],
)
def test_an_optimiser_takes_no_state_that_no_run_has(changed: dict[str, Any], said: str) -> None:
    neuron = nn.Neuron(1, seed=0)
    optimizer = nn.Adam(neuron.parameters(), 0.1)
    neuron([1.0]).backward()
    optimizer.step()
    before = repr(optimizer.state_dict())
    with pytest.raises(ValueError, match=said):
        optimizer.load_state_dict({**optimizer.state_dict(), **changed})
    assert repr(optimizer.state_dict()) == before


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"epoch": -1}, "epoch is a whole number of at least 0, got -1"),
        ({"waited": "1"}, "waited is a whole number"),
        ({"best": math.nan}, "best is a.* number, got nan"),
        ({"factor": -1.0}, "factor is "),
        ({"mode": "most"}, "mode is "),
        ({"base_lr": 0.0}, "lr, the learning rate, is a positive number"),
        ({"step": 1}, "this is the state of another schedule, and not of ReduceLROnPlateau"),
    ],
)
def test_a_schedule_takes_no_state_that_no_run_has(changed: dict[str, Any], said: str) -> None:
    schedule = nn.ReduceLROnPlateau(nn.SGD(nn.Neuron(1).parameters(), 0.1))
    schedule.step(1.0)
    before = schedule.state_dict()
    with pytest.raises(ValueError, match=said):
        schedule.load_state_dict({**before, **changed})
    assert schedule.state_dict() == before


def test_an_older_checkpoint_is_refused_in_words(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    path.write_bytes(archive([*members(content), ("settings.npy", npy(np.array(b"{}")))]))
    with pytest.raises(ValueError, match="run.npz is not a checkpoint: .* an older version"):
        fit(built(), path, 3)


@pytest.mark.parametrize("kind", [nn.Module, nn.Optimizer, nn.Scheduler])
@pytest.mark.parametrize("after", [False, True])
def test_a_run_that_is_interrupted_as_it_goes_on_is_as_it_was(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Any], after: bool
) -> None:
    path, trainer = tmp_path / "run.npz", built()
    path.write_bytes(content)
    before, original = state(trainer), kind.load_state_dict

    def interrupted(*arguments: Any) -> None:
        if after:
            original(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(kind, "load_state_dict", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit(trainer, path, 3)
    assert state(trainer) == before


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        good = Path(folder, "run.npz")
        fit(built(), good, 2)
        seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10**6)
        print(seed, tried(int(sys.argv[1]), good.read_bytes(), seed))  # noqa: T201
