"""The kinds of arguments, with values that each kind accepts and values that it must refuse.

`test_input.py` tries every kind with its own examples and with all values of `ODD`, which people
pass by mistake. A value must be refused unless it is a good example or the kind `takes` it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import nn
from autograd import Value

X, Y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0.0, 1.0, 1.0, 0.0]
SHARED = Value(3.0, "x")
MASKED: Any = np.ma.array(np.array(X), mask=np.array([[0, 0], [0, 1], [0, 0], [0, 0]], bool))


def model() -> nn.MLP:
    """Return a network with 2 inputs, 2 hidden neurons and 1 output."""
    return nn.MLP(2, [2, 1], "tanh", seed=0)


def graph() -> Value:
    """Build y = w·x + b with labels."""
    y = Value(2.0, "w") * Value(3.0, "x") + Value(1.0, "b")
    y.label = "y"
    return y


def sgd() -> nn.SGD:
    """Return an optimiser of a new model."""
    return nn.SGD(model().parameters(), lr=0.1, momentum=0.9)


def returning(x: Any) -> Callable[[], Any]:
    return lambda: x


ODD: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "True": lambda: True,
    **{str(x): returning(x) for x in (0, 1, 5, -1, 0.5, 1.5)},
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "huge": lambda: 10**400,
    "1j": lambda: 1j,
    "''": str,
    "'a'": lambda: "a",
    "bytes": lambda: b"a",
    "[]": list,
    "['a']": lambda: ["a"],
    "[1.0]": lambda: [1.0],
    "{}": dict,
    "{'a': 1}": lambda: {"a": 1},
    "object": object,
    "function": lambda: lambda: 0,
    "class": lambda: nn.SGD,
    "Value": lambda: Value(1.0, "stranger"),
    "model": model,
    "optimizer": sgd,
    "scheduler": lambda: nn.StepLR(sgd(), 1),
    "rng": lambda: random.Random(0),
    "path": lambda: Path("a"),
    "array of texts": lambda: np.array(["a", "b"]),
    "masked array": lambda: MASKED,
    "three axes": lambda: np.ones((2, 2, 2)),
}

NAMES = "array of texts three axes masked array"
WHOLE = "0 1 5 -1"
NUMBERS = f"{WHOLE} 0.5 1.5 inf nan"


@dataclass(frozen=True)
class Kind:
    """One kind of argument.

    Attributes:
        good: makes examples that are accepted; the first is used to complete a call.
        says: a regular expression for what the error says was expected.
        takes: the names of the values in `ODD` that it may accept.
        bad: makes further examples that must be refused.
    """

    good: Callable[[], list[Any]]
    says: str
    takes: str = ""
    bad: Callable[[], list[Any]] = list
    odd: dict[str, Callable[[], Any]] = field(init=False)

    def __post_init__(self) -> None:
        taken = {name for name in ODD if f" {name} " in f" {self.takes} "}
        refused = {name: make for name, make in ODD.items() if name not in taken}
        object.__setattr__(self, "odd", refused)


def names(*given: str) -> Kind:
    """Return the kind of an argument that is one of these names."""
    return Kind(
        lambda: list(given), "one of|there is no|is no", bad=lambda: [given[0].upper() + "!"]
    )


def wrong_sides() -> list[Any]:
    """Return what are no sizes of the sides of a window."""
    return [(1, 2, 3), (), (0, 1), "same"]


KINDS: dict[str, Kind] = {
    # numbers
    "real": Kind(
        lambda: [2.0, np.float32(0.5), Fraction(1, 2), np.array([3.0])],
        "one real number|beyond the largest float",
        f"{NUMBERS} True [1.0]",
    ),
    "operand": Kind(
        lambda: [2.0, np.float32(0.5), Value(1.0)],
        "one real number|beyond the largest float",
        f"{NUMBERS} True [1.0] Value three axes",
    ),
    "finite": Kind(lambda: [2.0, -1, np.float32(0.5)], "finite|number|beyond", "0 1 5 -1 0.5 1.5"),
    "positive": Kind(lambda: [0.1, 5, np.float32(0.5)], "number|beyond", "1 5 0.5 1.5"),
    "at least 0": Kind(
        lambda: [0.1, 0, np.float32(0.5)], "number|at least 0|beyond", "0 1 5 0.5 1.5"
    ),
    "share": Kind(lambda: [0.1, 0, np.float32(0.5)], "number|at least 0|beyond", "0 0.5"),
    "above 0 below 1": Kind(
        lambda: [0.1, np.float32(0.5)], "number|at least 0|above 0|beyond", "0.5"
    ),
    "whole": Kind(lambda: [2, 1, np.int64(3)], "whole number of at least 1", "1 5 huge"),
    "whole from 0": Kind(lambda: [2, 0, np.int64(3)], "whole number of at least 0", "0 1 5 huge"),
    "whole from 2": Kind(lambda: [60, 2, np.int64(3)], "whole number of at least 2", "5 huge"),
    "any whole": Kind(lambda: [2, -3, np.int64(3)], "whole number", f"{WHOLE} huge"),
    "seed": Kind(
        lambda: [0, -3, "name", None, random.Random(1), np.int64(3)],
        "seed",
        f"{WHOLE} huge None rng 0.5 1.5 '' 'a'",
        lambda: [float("nan"), np.random.default_rng(0)],
    ),
    # texts and choices
    "label": Kind(lambda: ["w", ""], "string", "'' 'a' [] {} Value"),
    "text": Kind(lambda: ["a title", ""], "text|string", "'' 'a'"),
    "flag": Kind(lambda: [True, False, np.bool_(True)], "True or False", "True"),
    "off": Kind(lambda: [False], "True or False", "True"),
    "picture": Kind(lambda: ["a.svg"], "path|names no file|ending", "'a' path None"),
    "path": Kind(
        lambda: ["a.file", Path("a.file")], "path|names no file", "'a' path", lambda: ["a\0"]
    ),
    "rankdir": names("LR", "TB", "RL", "BT"),
    "format": names("svg", "png", "pdf"),
    "mode": names("min", "max"),
    "reduction": names("mean", "sum"),
    "approximation": names("none", "tanh"),
    "threshold mode": names("rel", "abs"),
    "by": names("weight"),
    "place of biases": names("inside", "input"),
    "activation": Kind(lambda: ["relu", "tanh", True], "there is no activation", "True"),
    "activations": Kind(lambda: [["tanh"], ("relu", "elu")], "activation|names|a name", ""),
    "data kind": Kind(lambda: ["moons", "wave"], "there is no kind of data", ""),
    "init": Kind(
        lambda: ["he", None, lambda rng, nin, nout: 0.5],
        "there is no initialiser|init",
        "None function model",
        lambda: [lambda rng, nin, nout: float("nan"), lambda rng, nin, nout: "a"],
    ),
    "op name": Kind(lambda: ["softsign"], "name is a word", "'a'", lambda: ["a b", "class"]),
    "scope": Kind(lambda: ["layer1"], "needs a name", "'a'"),
    "open": Kind(lambda: [(), []], "scope", "[]"),
    "js names": Kind(lambda: [["z"]], "names|a name", "['a'] [] array of texts"),
    "js numbers": Kind(lambda: [[0.5], np.array([0.5])], "at", "[1.0] array"),
    "rules": Kind(lambda: [(), ["∂f/∂a = 1"]], "rule", "[]  ['a']"),
    "bytes": Kind(lambda: [b"content"], "bytes", "bytes"),
    # functions and objects
    "function": Kind(lambda: [lambda x: x], "function|class", "function model"),
    "decorated": Kind(lambda: [lambda x: x], "function", "function model"),
    "test": Kind(lambda: [lambda x: x > 0.0], "function", "class model function"),
    "error": Kind(lambda: [ValueError], "function", "class model function"),
    "sampler": Kind(lambda: [lambda: 1.0], "function", "function model"),
    "op value": Kind(lambda: [lambda a: a], "function", "", lambda: [lambda *a: a]),
    "op partials": Kind(
        lambda: [lambda out, a: (1.0,)], "function|partials", "", lambda: [lambda out: ()]
    ),
    "op function": Kind(lambda: [lambda out, a: (1.0,)], "function", "function None model"),
    "kink": Kind(lambda: [lambda a: a], "function", "function None model"),
    "domain": Kind(lambda: [("a > 0", lambda a: a > 0, "Move it.")], "domain", "None"),
    "loss": Kind(lambda: [nn.mse_loss, nn.MSELoss()], "loss", "function model"),
    "penalty": Kind(
        lambda: [lambda m: nn.l2_penalty(m.parameters(), 0.1)], "penalty", "None function model"
    ),
    "accuracy": Kind(lambda: [lambda out, y: True], "accuracy", "None function model"),
    "callbacks": Kind(
        lambda: [[], [lambda t, h: None], lambda t, h: None], "callback", "[] function model"
    ),
    "model": Kind(lambda: [model()], "module of nn|model", "model"),
    "layer": Kind(lambda: [model()[0]], "layer", ""),
    "layers": Kind(lambda: [model()[0], abs], "modules of nn and functions", "function model"),
    "optimizer": Kind(lambda: [sgd()], "optimi[sz]er", "optimizer"),
    "history": Kind(lambda: [nn.History(), None], "history", "None"),
    "trainer": Kind(
        lambda: [nn.Trainer(m := nn.Neuron(2), nn.mse_loss, nn.SGD(m.parameters()))], "trainer"
    ),
    # Values
    "output": Kind(lambda: [SHARED * 2.0], "Value", "Value"),
    "inputs of it": Kind(lambda: [SHARED, [SHARED]], "Value", "[] Value"),
    "children": Kind(lambda: [(Value(1.0), Value(2.0)), (), [Value(1.0)]], "Value", "[] {} Value"),
    "children or label": Kind(lambda: ["x", "", (Value(1.0),), ()], "Value", "'' 'a' [] {} Value"),
    "local grads": Kind(lambda: [(), ""], "number", "'' 'a' [] {}", lambda: [(1.0, 2.0), ("a",)]),
    "checked": Kind(lambda: [lambda a, b: a * b], "function", "function model Value"),
    "root": Kind(lambda: [graph()], "Value", "Value"),
    "node": Kind(lambda: ["x", "w"], "in the graph|in this graph|label|node"),
    "nodes": Kind(lambda: [["x"], "x"], "parameter|leaf|label|node", "[] None"),
    "values": Kind(
        lambda: [[Value(1.0), 2.0], np.array([1.0, 2.0]), (Value(1.0),)],
        "sequence of Values|real number|at least one|masked",
        "[] [1.0] three axes",
    ),
    "others": Kind(
        lambda: [[Value(1.0)], []], "sequence of Values|real number", "[] [1.0] three axes"
    ),
    "table": Kind(
        lambda: [[[Value(1.0), 2.0], (3.0, Value(4.0))], np.eye(2), [Value(1.0), 2.0]],
        "take|real number|masked",
        "[1.0] three axes",
        lambda: [[[1.0], [1.0, 2.0]], [1.0, [1.0]]],
    ),
    "token": Kind(
        lambda: [0, np.int64(1), Value(1.0), [0, 1], np.array([1.0])],
        "take|masked|beyond",
        "0 1 True [] [1.0] Value three axes",
        lambda: [True, np.bool_(False), Value(2.0), [0.5], Value(-1.0)],
    ),
    "leaves": Kind(
        lambda: [[Value(1.0)], (Value(1.0), Value(2.0))],
        "Values? that you made|parameters|listed twice",
        "[]",
        lambda: [[graph()], [Value(1.0)] * 2, [1.0]],
    ),
    "parameters": Kind(
        lambda: [model().parameters(), [Value(1.0)]],
        "parameters|Values that you made",
        "Value []",
        lambda: [[1.0], [None]],
    ),
    "path pair": Kind(lambda: [("w", "y"), None], "path is a pair|in the graph|label", "None"),
    "gradients": Kind(lambda: [{}, None], "gradients", "None {}"),
    "guesses": Kind(
        lambda: [{"w": 3.0}, {"x": 2.0}], "gradients by label|label|nothing to check|number"
    ),
    # arrays
    "rows": Kind(lambda: [X, np.array(X)], "X |input"),
    "features": Kind(lambda: [[0.5, 1.0], np.array([0.5, 1.0])], "X |x |input"),
    "answers": Kind(lambda: [[0, 1, 1, 0], np.array([0, 1, 1, 0])], r"y |y\[|target|class"),
    "targets": Kind(lambda: [Y, np.array(Y), [0, 1, 1, 0]], r"y |y\[|target"),
    "column": Kind(
        lambda: [[1.0, 2.0], np.array([1.0, 2.0])], "argument|array", "[1.0] three axes"
    ),
    "two inputs": Kind(lambda: [[0.5, 1.0], [Value(0.5), 1.0]], "input|number", "[] [1.0]"),
    "inputs": Kind(lambda: [[0.5, 1.0], np.array([0.5, 1.0]), [Value(0.5), 1.0]], "input|number"),
    "activated": Kind(
        lambda: [[-0.5, Value(1.0)], np.array([0.5, 1.0]), Value(0.5)],
        "number",
        f"{NUMBERS} True [] [1.0] Value three axes",
    ),
    "image": Kind(
        lambda: [[[[0.5, Value(1.0)], [1.0, 0.0]]], np.ones((1, 2, 3))], "image|number|channel"
    ),
    "pixels": Kind(lambda: [np.ones((1, 2, 3)), [[[0.5, 1.0], [1.0, 0.0]]], None], "image", "None"),
    "signal": Kind(lambda: [[[0.5, Value(1.0)]], np.ones((1, 3))], "signal|number|channel"),
    "two sides": Kind(lambda: [2, (1, 2), [2, 1]], "whole number", "1 5 huge", wrong_sides),
    "two sides from 0": Kind(lambda: [2, (0, 2)], "whole number", "0 1 5 huge", lambda: [(-1, 0)]),
    "one side": Kind(lambda: [2, (2,)], "whole number", "1 5 huge", wrong_sides),
    "one side from 0": Kind(lambda: [2, (0,)], "whole number", "0 1 5 huge", lambda: [(0, 1)]),
    "axis": Kind(lambda: [None, -1, 0, 1], "dim", "None 0 1 -1"),
    "image shape": Kind(lambda: [(1, 2, 2), [1, 4, 3]], "input_shape"),
    "sequence": Kind(lambda: [[[0.5, Value(1.0)]], np.ones((1, 2))], "query|key|value|sequence"),
    "mask": Kind(
        lambda: [None, [[0.0]], [[[False]]], np.zeros((1, 1))], "attn_mask|look at nothing", "None"
    ),
    "padding": Kind(lambda: [None, [False], np.array([False])], "key_padding_mask", "None"),
    "sizes": Kind(lambda: [2, (2,), [2, 3]], "normalized_shape", "1 5 huge", lambda: [(), [0]]),
    "normalised": Kind(lambda: [[0.5, Value(1.0)], np.ones((3, 2))], "number", "three axes"),
    "divisor": Kind(lambda: [1, np.int64(1)], "num_heads", "1"),
    "outputs": Kind(
        lambda: [Value(0.5), [Value(0.5)]], "output|number|shape", f"{NUMBERS} [1.0] Value True"
    ),
    "target": Kind(
        lambda: [0.5, [1], np.array([1.0])], "target|number", f"{NUMBERS} [1.0] Value True"
    ),
    "sign": Kind(lambda: [1, [-1]], "target|number", "1 -1 [1.0] Value True"),
    "log-probabilities": Kind(
        lambda: [[Value(-0.5), Value(-1.0), -2.0]],
        "output|number",
        f"{NUMBERS} True [1.0] Value",
    ),
    "norm": Kind(lambda: [0.1, 5, float("inf")], "number|beyond", "1 5 0.5 1.5 inf"),
    "learnt": Kind(
        lambda: [[Value(1.0)], (Value(1.0), Value(2.0))],
        "Values? that you made|parameters|listed twice",
        "Value",
        lambda: [[graph()], [Value(1.0)] * 2, [1.0]],
    ),
    "logits": Kind(lambda: [[Value(0.5), Value(1.0), 0.0]], "output|number|logits"),
    "class": Kind(lambda: [0, 2, np.int64(1)], "class|target|probabilities", "0 1 True Value"),
    "jobs": Kind(lambda: [1, None], "n_jobs", "None 1 -1 5 huge"),
    "metric": Kind(lambda: [0.5, Value(0.5)], "cost", f"{NUMBERS} Value"),
    "optimizer state": Kind(lambda: [sgd().state_dict()], "state"),
    "scheduler state": Kind(lambda: [nn.StepLR(sgd(), 1).state_dict()], "state"),
    "scheduler": Kind(lambda: [None], "schedule", "None"),
    "any scheduler": Kind(lambda: [None], "schedule", "None scheduler"),
    "one activation": Kind(lambda: ["relu", "tanh", True], "there is no activation", "True"),
    "one class": Kind(lambda: [["yes"], None], "classes|names|features", "None ['a'] [1.0]"),
    "told history": Kind(lambda: [None], "history", "None"),
    "full history": Kind(lambda: [nn.History(losses=[0.5, 0.4], accuracies=[0.5, 1.0])], "history"),
    "axes": Kind(lambda: [Figure().add_subplot()], "axes"),
    "attention": Kind(
        lambda: [[[1.0, 0.0], [0.5, 0.5]], np.eye(2), [[1.0], [0.5, 0.5]]], "weights"
    ),
    "tokens": Kind(lambda: ["ab", ["a", "b"]], "tokens|weights", "model array of texts three axes"),
    "cost": Kind(lambda: [lambda p, q: p * p + q * q], "cost", "function model"),
    "places": Kind(lambda: [{"way": [(0.0, 0.0), (1.0, 1.0)]}], "path|place|X has shape"),
    "two names": Kind(lambda: [("w", "b")], "names"),
    "convolution": Kind(lambda: [nn.Conv2d(1, 1, 2, seed=0)], "conv", ""),
    "shape of two": Kind(lambda: [(1, 2), (2, 1)], "shape|image"),
    "no shape": Kind(lambda: [None], "shape", "None"),
    "json": Kind(lambda: [nn.History().to_json()], "JSON|text"),
    "file": Kind(lambda: [], "path|names no file|not a", "'a' path"),
    "state": Kind(lambda: [model().state_dict()], "state|missing"),
    "array": Kind(lambda: [np.ones(9)], "array|number", "", lambda: [np.ones(8)]),
    "numbers": Kind(lambda: [np.ones(9), [0.5] * 9], "number|shape|array"),
    "pair": Kind(lambda: [(X, Y), None], "pair|X |y ", "None"),
    "validation": Kind(lambda: [0.25, (X, Y), None], "validation|X |y ", "None 0.5"),
    "shape": Kind(lambda: [(1, 2), None], "shape", "None"),
    "classes": Kind(lambda: [["no", "yes"], None], "classes|names", f"None model {NAMES}"),
    "nouts": Kind(
        lambda: [[2, 1], (1,), np.array([2, 1])], "nouts|nout ", "", lambda: [[0], [2.5], [[2]]]
    ),
    "betas": Kind(
        lambda: [(0.9, 0.99), [0.0, 0.5]], "betas", "", lambda: [(1.0, 0.9), (0.9, None)]
    ),
    "padding index": Kind(lambda: [1, 0, None], "padding_idx", "0 1 None"),
    "static": Kind(lambda: [(), "x", [0]], "static|no argument", "0 [] {}", lambda: ["y", -1]),
    "dtype": Kind(lambda: [np.float64, "float32"], "dtype", "None"),
    "class index": Kind(lambda: [0, [0, 1], np.array([1])], "class", "0 1 True [] [1.0]"),
    # arguments that Python or another package checks, or that nothing depends on
    "theirs": Kind(lambda: [], "", " ".join(ODD)),
}


def kind_of(name: str) -> Kind:
    """Return the kind with this name; an argument of kind `name?` may also be None."""
    kind = KINDS[name.removesuffix("?")]
    if name.endswith("?"):
        return Kind(lambda: [*kind.good(), None], kind.says, f"{kind.takes} None", kind.bad)
    return kind
