"""Tests of a run's identity: equal in every process, different if anything relevant differs."""

from __future__ import annotations

import copy
import enum
import functools
import subprocess
import sys
import types
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value, relu
from nn.training.identity import difference, identity

X = np.random.default_rng(0).normal(size=(12, 2))
Y = (X[:, 0] > 0).astype(int)
ALPHA = 0.5


def network(*sizes: int, activation: str = "tanh", **settings: Any) -> nn.MLP:
    return nn.MLP(2, [*sizes, 2], activation, seed=0, **settings)


class Weighted:
    """A cost that is an object and reads a constant of its module."""

    def __init__(self, weight: float) -> None:
        self.weight = weight
        self._calls = 0

    def __call__(self, z: Any, y: Any) -> Value:
        self._calls += 1
        return self.weight * ALPHA * nn.cross_entropy(z, y)


class Scaled(nn.Module):
    """A module with a number, and with an attribute that identity ignores."""

    def __init__(self, scale: float = 2.0, function: Any = relu) -> None:
        self.scale, self.function, self.layer = scale, function, nn.Layer(2, 2, seed=0)
        self.last: Any = None

    def forward(self, x: Any) -> Any:
        self.last = self.layer(x)[0]
        return [self.scale * self.function(a) for a in self.layer(x)]


def penalty(strength: float) -> Callable[[nn.Module], Value]:
    return lambda model: nn.l2_penalty(model.parameters(), strength)


def trained(path: Path | None, **changed: Any) -> nn.History:
    """Train a short run with some settings changed; resume from the file if it exists."""
    settings = {"model": network, "lr": 0.1, "loss": nn.cross_entropy, "X": X, "y": Y, **changed}
    model = settings["model"]()
    optimizer = settings.get("optimizer", lambda p: nn.SGD(p, settings["lr"]))(model.parameters())
    schedule = settings.get("scheduler", lambda _: None)(optimizer)
    options = {name: settings[name] for name in ("penalty", "clip", "accuracy") if name in settings}
    fitted = nn.Trainer(model, settings["loss"], optimizer, scheduler=schedule, **options)
    epochs = 2 if path is not None and path.exists() else 1
    validation = settings.get("validation")
    before = [p.data for p in model.parameters()]
    try:
        return fitted.fit(
            settings["X"], settings["y"], epochs, checkpoint=path, resume=True,
            validation=validation,
        )  # fmt: skip
    except ValueError:
        assert [p.data for p in model.parameters()] == before
        assert not fitted.history.losses
        raise


def swish(z: Any) -> Any:
    return z * z.sigmoid()


SWISH = nn.Activation("swish", "Swish", "he", swish)

SAME: list[dict[str, Any]] = [
    {},
    {"loss": functools.partial(nn.cross_entropy, reduction="sum")},
    {"loss": Weighted(2.0)},
    {"loss": nn.CrossEntropyLoss()},
    {"loss": lambda z, y: 2.0 * nn.cross_entropy(z, y)},
    {"penalty": penalty(0.1)},
    {"penalty": functools.partial(lambda s, model: nn.l1_penalty(model.parameters(), s), 0.1)},
    {"model": Scaled},
    {"model": lambda: nn.Sequential(nn.Layer(2, 2, seed=0), nn.Dropout(0.1), lambda x: x)},
    {"optimizer": lambda p: nn.Adam(p, 0.1), "scheduler": lambda o: nn.CosineAnnealingLR(o, 4)},
    {"scheduler": nn.ReduceLROnPlateau, "validation": (X, Y)},
    {"loss": nn.mse_loss, "model": lambda: nn.MLP(2, [1], seed=0), "y": Y.astype(float)},
    {"X": X.tolist(), "y": Y.astype(bool)},
]


@pytest.mark.parametrize("settings", SAME, ids=range(len(SAME)))
def test_the_same_run_goes_on(tmp_path: Path, settings: dict[str, Any]) -> None:
    path = tmp_path / "run.npz"
    trained(path, **settings)
    if settings.get("y") is not None:
        settings = {**settings, "y": Y}
    assert trained(path, **settings).epochs == 2


OTHER: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"X": X * 7}, "X was float64 of shape .* there and is float64 of shape .* here$"),
    ({}, {"y": 1 - Y}, "y was float64"),
    ({}, {"X": X[::-1], "y": Y[::-1]}, "X was float64"),
    ({"validation": (X, Y)}, {"validation": (X + 1, Y)}, "validation X was float64"),
    ({"validation": 0.5}, {"validation": 0.25}, "X was float64 of shape"),
    ({}, {"loss": nn.nll_loss}, "loss was nn.cross_entropy there and is nn.nll_loss here"),
    ({}, {"loss": nn.CrossEntropyLoss("sum")}, "loss was nn.cross_entropy .* nn.CrossEntropyLoss"),
    (
        {"loss": nn.CrossEntropyLoss()},
        {"loss": nn.CrossEntropyLoss("sum")},
        "loss.reduction was 'mean' there and is 'sum' here",
    ),
    (
        {"loss": functools.partial(nn.cross_entropy, reduction="sum")},
        {"loss": functools.partial(nn.cross_entropy, reduction="mean")},
        "loss.keywords\\['reduction'\\] was 'sum' there and is 'mean' here",
    ),
    ({"loss": Weighted(2.0)}, {"loss": Weighted(3.0)}, "loss.weight was 2.0 there and is 3.0 here"),
    (
        {"loss": lambda z, y: 2.0 * nn.cross_entropy(z, y)},
        {"loss": lambda z, y: 3.0 * nn.cross_entropy(z, y)},
        "loss was .*<lambda>, code with digest .* there and is .*<lambda>, code with digest",
    ),
    ({}, {"penalty": penalty(0.1)}, "penalty was None there and is .*penalty.<locals>.<lambda>"),
    (
        {"penalty": penalty(0.1)},
        {"penalty": penalty(0.2)},
        "penalty.strength was 0.1 there and is 0.2 here$",
    ),
    ({}, {"clip": 1.0}, "clip was None there and is 1.0 here"),
    (
        {"model": lambda: network(3)},
        {"model": lambda: network(3, activation="relu")},
        r"model.layers\[0\].activation.name was 'tanh' there and is 'relu' here",
    ),
    (
        {"model": lambda: network(output="tanh")},
        {"model": lambda: network()},
        r"model.layers\[0\].activation.name was 'tanh' there and is 'identity' here",
    ),
    (
        {"model": lambda: nn.Sequential(nn.Layer(2, 2, seed=0), nn.Dropout(0.1))},
        {"model": lambda: nn.Sequential(nn.Layer(2, 2, seed=0), nn.Dropout(0.2))},
        r"model.layers\[1\].p was 0.1 there and is 0.2 here",
    ),
    (
        {"model": lambda: nn.Sequential(nn.Layer(2, 2, seed=0), copy.copy)},
        {"model": lambda: nn.Sequential(nn.Layer(2, 2, seed=0), list.copy)},
        r"model.layers\[1\] was copy.copy there and is builtins.list.copy here",
    ),
    (
        {"model": lambda: Scaled(2.0)},
        {"model": lambda: Scaled(3.0)},
        "model.scale was 2.0 there and is 3.0 here$",
    ),
    (
        {"model": Scaled},
        {"model": lambda: Scaled(function=lambda a: a.relu())},
        "model.function was autograd.Op there and is .*<lambda>",
    ),
    (
        {"optimizer": lambda p: nn.SGD(p, 0.1)},
        {"optimizer": lambda p: nn.SGD(p, 0.1 + 1e-12)},
        "optimizer.lr was 0.1 there and is 0.1000000000",
    ),
    (
        {"optimizer": lambda p: nn.SGD(p[:3])},
        {"optimizer": lambda p: nn.SGD(p[1:4])},
        "moved was .*w.0', .* there and is .*w.1', ",
    ),
    (
        {"scheduler": lambda o: nn.StepLR(o, 2)},
        {"scheduler": lambda o: nn.StepLR(o, 3)},
        "scheduler.step_size was 2 there and is 3 here",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("there", "here", "said"), OTHER, ids=range(len(OTHER)))
def test_another_run_is_told_and_nothing_changes(
    tmp_path: Path, there: dict[str, Any], here: dict[str, Any], said: str
) -> None:
    path = tmp_path / "run.npz"
    if there.get("loss") is not nn.nll_loss:
        trained(path, **there)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=rf"run.npz is of another run: (.*; )?{said}"):
        trained(path, **here)
    assert path.read_bytes() == before


PROGRAM = """
import functools, sys, nn
from tests.nn.training.test_identity import *
said = {name: text for settings in SAME for name, text in identity(**settings).items()}
print(sorted(said.items()))
"""


def test_another_process_says_the_same() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[3])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1 and "0x" not in said.pop()


def test_globals_and_functions_that_code_reads_are_part_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def square(z: Any) -> Any:
        return ALPHA * z * z

    def cube(z: Any) -> Any:
        return ALPHA * z * z * z

    helper = square

    def loss(z: Any, y: Any) -> Any:
        return helper(z - y)

    before = identity(loss=loss)
    monkeypatch.setattr(sys.modules[__name__], "ALPHA", 0.75)
    said = difference(before, identity(loss=loss))
    assert said == "loss.helper.ALPHA was 0.5 there and is 0.75 here"
    helper = cube
    assert "loss.helper was" in difference(before, identity(loss=loss))


def test_defaults_sets_and_methods_are_told_apart() -> None:
    def by(k: Any = 1.0, *, among: Any = ()) -> Any:
        return k in {"a", "b"}

    assert identity(f=by) == identity(f=by)
    assert identity(f={"b", "a"}) == identity(f={"a", "b"}) != identity(f={"a", "c"})
    assert difference(identity(f="abc".upper), identity(f="abc".lower))
    method, same = Weighted(1.0).__call__, Weighted(1.0).__call__
    assert identity(f=method) == identity(f=same) != identity(f=Weighted(2.0).__call__)


class Slotted:
    __slots__ = ("weight",)

    def __init__(self, weight: float) -> None:
        self.weight = weight


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Rate(float):
    pass


settings = types.ModuleType("settings_of_mine")
settings.ALPHA = 0.5  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Slotted(1.0), Slotted(2.0)),
        (Colour.RED, Colour.BLUE),
        (Rate(0.1), Rate(0.2)),
        (Decimal("0.1"), Decimal("0.2")),
        (Fraction(1, 3), Fraction(2, 3)),
        (Path("a"), Path("b")),
        (range(3), range(4)),
        ([[1, [2, [3, [4, [5]]]]]], [[1, [2, [3, [4, [6]]]]]]),
        ({"a": {"b": [1]}}, {"a": {"b": [2]}}),
        (np.float32(0.5), np.float32(0.25)),
        (np.array([None, 1]), np.array([None, 2])),
        (np.zeros((2, 3)), np.zeros((3, 2))),
        (functools.lru_cache(lambda x: x), functools.lru_cache(lambda x: x + 1)),
        ("x" * 500 + "a", "x" * 500 + "b"),
        (True, 1),
        (1, 1.0),
        (b"a", "a"),
    ],
)
def test_what_differs_is_told_apart(one: Any, other: Any) -> None:
    assert identity(thing=one) == identity(thing=copy.deepcopy(one)) != identity(thing=other)
    assert "0x" not in "".join(identity(thing=one).values())


def test_constants_of_a_module_that_code_reads_are_part_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def loss(z: Any, y: Any) -> Any:
        return settings.ALPHA * (z - y)

    before = identity(loss=loss)
    monkeypatch.setattr(settings, "ALPHA", 0.75)
    said = difference(before, identity(loss=loss))
    assert said == "loss.settings.ALPHA was 0.5 there and is 0.75 here"


def test_a_list_that_holds_itself_is_described() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert identity(f=loop) == {"f": "builtins.list of 1", "f[0]": "the same as f"}


def test_what_leads_to_itself_or_is_shared_is_named_once() -> None:
    loop: list[Any] = [Weighted(1.0)]
    loop += [loop, loop[0]]
    facts = identity(f=loop)
    assert facts["f[1]"] == "the same as f" and facts["f[2]"] == "the same as f[0]"
    assert facts != identity(f=[loop[0], loop, Weighted(1.0)])


def test_a_chain_of_any_length_is_described() -> None:
    chain: Any = None
    for _ in range(5000):
        chain = functools.partial(print, chain)
    assert len(identity(f=chain)) > 5000


def test_the_activation_of_your_own_is_described_by_its_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(nn.ACTIVATIONS, "swish", SWISH)
    before = identity(model=network(3, activation="swish"))
    steeper = nn.Activation("swish", "Swish", "he", lambda z: z * (2.0 * z).sigmoid())
    monkeypatch.setitem(nn.ACTIVATIONS, "swish", steeper)
    said = difference(before, identity(model=network(3, activation="swish")))
    assert f"model.layers[0].activation.of_one was {__name__}.swish, code with" in said


def test_more_than_three_differences_are_not_listed() -> None:
    there, here = (dict.fromkeys("abcde", text) for text in ("1", "2"))
    assert difference(there, here).endswith("c was 1 there and is 2 here; and more")
    assert difference(there, there) == ""


def test_using_a_model_changes_nothing_about_it() -> None:
    model = Scaled()
    before = identity(model=model)
    model([1.0, 2.0])
    model.eval()
    assert difference(before, identity(model=model)) == ""
