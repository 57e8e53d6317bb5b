"""Tests of `reach`: after a change of anything that a function reads, its code is renewed."""

from __future__ import annotations

import functools
import itertools
import math
import random
import sys
import sysconfig
import types
import warnings
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import Setting, TraceError, Value, drawn, setting
from autograd.compiler.foreign import is_foreign
from autograd.compiler.guard import Guard

X = [1.0, -2.0, 0.5]
GLOBAL: Any = 2.0
SETTINGS = types.ModuleType("settings_of_a_test")
SETTINGS.scale = 2.0  # type: ignore[attr-defined]
RANDOM = random.Random(0)


class Scale:
    """An object with every kind of attribute that a function may read."""

    shared: Any = 2.0
    __slots__ = ("__dict__", "slot")

    def __init__(self) -> None:
        self.number, self.value, self.several = 2.0, Value(2.0), [Value(2.0), Value(3.0)]
        self.slot, self._hidden = 2.0, 2.0

    @property
    def hidden(self) -> float:
        return self._hidden

    def times(self, x: Value) -> Value:
        return x * self.number

    def __call__(self, x: Value) -> Value:
        return x * self.value


Case = tuple[Callable[..., Any], Callable[[], object]]  # a function, and a change of what it reads
CASES: dict[str, Callable[[], Case]] = {}


def case(make: Callable[[], Case]) -> Callable[[], Case]:
    CASES[make.__name__.replace("_", " ").strip()] = make
    return make


@case
def a_number_in_a_closure() -> Case:
    scale = 2.0

    def change() -> None:
        nonlocal scale
        scale = 3.0

    return lambda x: x * scale, change


@case
def a_value_in_a_closure() -> Case:
    w = Value(2.0)

    def change() -> None:
        nonlocal w
        w = Value(5.0)

    return lambda x: x * w, change


@case
def a_number_of_another_type() -> Case:
    flag: Any = 1

    def change() -> None:
        nonlocal flag
        flag = True

    return lambda x: x * (5.0 if isinstance(flag, bool) else 2.0), change


@case
def the_sign_of_a_zero() -> Case:
    box = [0.0]
    return lambda x: x * math.copysign(2.0, box[0]), lambda: box.__setitem__(0, -0.0)


@case
def a_global() -> Case:
    return lambda x: x * GLOBAL, lambda: globals().__setitem__("GLOBAL", GLOBAL + 1.0)


@case
def a_global_of_a_module() -> Case:
    return lambda x: x * SETTINGS.scale, lambda: vars(SETTINGS).__setitem__("scale", 7.0)


@case
def a_default() -> Case:
    def function(x: Value, scale: float = 2.0) -> Value:
        return x * scale

    return function, lambda: setattr(function, "__defaults__", (4.0,))


@case
def a_default_by_name() -> Case:
    def function(x: Value, *, scale: Any = (2.0,)) -> Value:
        return x * scale[0]

    return function, lambda: setattr(function, "__kwdefaults__", {"scale": (4.0,)})


@case
def a_list() -> Case:
    several = [Value(2.0), Value(3.0)]
    return lambda x: x * several[0] + several[1], lambda: several.__setitem__(1, Value(7.0))


@case
def the_length_of_a_list() -> Case:
    several = [Value(2.0)]
    return lambda x: autograd.sum(x * w for w in several), lambda: several.append(Value(7.0))


@case
def the_order_of_a_list() -> Case:
    several: list[Any] = [Value(2.0), Value(2.0), 3.0]
    return lambda x: x * several[0] ** several[2], several.reverse


@case
def a_list_in_a_list() -> Case:
    rows = [[1.0, 2.0], [3.0, 4.0]]
    return lambda x: x * rows[1][0], lambda: rows[1].__setitem__(0, 9.0)


@case
def a_list_in_a_tuple() -> Case:
    rows = ([1.0, 2.0],)
    return lambda x: x * rows[0][0], lambda: rows[0].__setitem__(0, 9.0)


@case
def a_queue() -> Case:
    rows = deque([2.0, 3.0])
    return lambda x: x * rows[0], rows.rotate


@case
def a_set() -> Case:
    names = {"double"}
    return lambda x: x * (2.0 if "double" in names else 1.0), names.clear


@case
def a_dictionary() -> Case:
    weights: dict[str, Any] = {"w": Value(2.0)}
    return lambda x: x * weights["w"], lambda: weights.update(w=Value(3.0))


@case
def a_key_of_a_dictionary() -> Case:
    weights: dict[str, Any] = {}
    return lambda x: x * weights.get("w", 2.0), lambda: weights.update(w=Value(3.0))


@case
def an_attribute() -> Case:
    scale = Scale()
    return lambda x: x * scale.number, lambda: setattr(scale, "number", 3.0)


@case
def an_attribute_that_is_a_value() -> Case:
    scale = Scale()
    return scale, lambda: setattr(scale, "value", Value(3.0))


@case
def an_attribute_by_its_text() -> Case:
    scale = Scale()
    return lambda x: x * getattr(scale, "number"), lambda: setattr(scale, "number", 3.0)  # noqa: B009


@case
def an_attribute_by_a_text_that_is_made() -> Case:
    scale = Scale()
    return lambda x: x * getattr(scale, "".join(["num", "ber"])), lambda: setattr(
        scale, "number", 3.0
    )


@case
def an_element_of_an_attribute() -> Case:
    scale = Scale()
    return lambda x: x * scale.several[1], lambda: scale.several.__setitem__(1, Value(9.0))


@case
def a_slot() -> Case:
    scale = Scale()
    return lambda x: x * scale.slot, lambda: setattr(scale, "slot", 3.0)


@case
def behind_a_property() -> Case:
    scale = Scale()
    return lambda x: x * scale.hidden, lambda: setattr(scale, "_hidden", 3.0)


@case
def of_a_bound_method() -> Case:
    scale = Scale()
    return scale.times, lambda: setattr(scale, "number", 3.0)


@case
def an_attribute_of_a_class() -> Case:
    scale = Scale()
    return lambda x: x * scale.shared, lambda: setattr(Scale, "shared", Scale.shared + 1.0)


@case
def an_attribute_that_hides_that_of_the_class() -> Case:
    scale = Scale()
    return lambda x: x * scale.shared, lambda: setattr(scale, "shared", 9.0)


@case
def a_method_that_is_replaced() -> Case:
    scale = Scale()
    return lambda x: scale.times(x), lambda: setattr(scale, "times", lambda x: x * 11.0)


@case
def of_a_partial() -> Case:
    weights = [2.0]
    partial = functools.partial(lambda weights, x: x * weights[0], weights)
    return partial, lambda: weights.__setitem__(0, 5.0)


@case
def a_helper_that_is_replaced() -> Case:
    helpers = [lambda x: x * 2.0]
    return lambda x: helpers[0](x), lambda: helpers.__setitem__(0, lambda x: x * 3.0)


@case
def in_a_helper() -> Case:
    scale = Scale()

    def helper(x: Value) -> Value:
        return x * scale.number

    return lambda x: next(helper(v) for v in [x]), lambda: setattr(scale, "number", 3.0)


@case
def behind_a_decorator() -> Case:
    scale = Scale()

    def twice(function: Any) -> Any:
        @functools.wraps(function)
        def wrapped(*args: Any) -> Any:
            return function(*args) * 2.0

        return wrapped

    return twice(lambda x: x * scale.number), lambda: setattr(scale, "number", 3.0)


@case
def numbers_in_an_array() -> Case:
    weights = np.array([2.0, 3.0])
    return lambda x: x * float(weights[1]), lambda: weights.__setitem__(1, 5.0)


@case
def numbers_in_an_array_of_python() -> Case:
    weights = array("d", [2.0, 3.0])
    return lambda x: x * weights[1], lambda: weights.__setitem__(1, 5.0)


@case
def values_in_an_array() -> Case:
    weights = np.array([Value(2.0), Value(3.0)], dtype=object)
    return lambda x: x * weights[1], lambda: weights.__setitem__(1, Value(5.0))


@case
def a_constant_that_is_a_value() -> Case:
    kept = Value(2.0).detach()
    return lambda x: x * kept, lambda: setattr(kept, "data", 5.0)


@case
def a_bias_of_a_neuron() -> Case:
    neuron = nn.Neuron(1, "tanh", seed=0)
    return lambda x: neuron(x), lambda: setattr(neuron, "b", Value(0.5))


@case
def the_weights_of_a_neuron() -> Case:
    neuron = nn.Neuron(1, "tanh", seed=0)
    return neuron, lambda: setattr(neuron, "w", [Value(0.7)])


@case
def a_layer_of_a_network() -> Case:
    model = nn.MLP(1, [2, 1], seed=0)
    return lambda x: model([x]), lambda: model.layers.__setitem__(1, nn.Layer(2, 1, seed=5))


@case
def an_activation() -> Case:
    neuron = nn.Neuron(1, "tanh", seed=0)
    return neuron, lambda: setattr(neuron, "activation", nn.ACTIVATIONS["sigmoid"])


class Shadowed:
    """An object with class attributes that an instance attribute may shadow."""

    __slots__ = ("__dict__", "empty")
    scale = 2.0

    def __call__(self, x: Value) -> Value:
        return x * self.scale * getattr(self, "missing", 1.0) * getattr(self, "empty", 1.0)


class Scaled(nn.Module):
    """A module with a class attribute that may be shadowed, and without attribute functions."""

    scale: Any = 2.0

    def __init__(self) -> None:
        self.unread = 1

    def forward(self, x: Value) -> Value:
        return x * self.scale


def heir() -> Any:
    """Return an instance of a new class, which a test may change."""
    return type("Heir", (Shadowed,), {"__module__": __name__})()


@case
def an_attribute_that_the_class_had() -> Case:
    thing = Scaled()
    return thing, lambda: setattr(thing, "scale", 3.0)


@case
def an_attribute_in_place_of_another() -> Case:
    thing = Scaled()

    def change() -> None:
        del thing.unread
        thing.scale = 3.0

    return lambda x: thing(x), change


@case
def an_attribute_that_the_base_had() -> Case:
    thing = heir()
    return lambda x: thing(x), lambda: setattr(type(thing), "scale", 3.0)


@case
def a_method_that_the_base_had() -> Case:
    thing = heir()
    return lambda x: thing(x), lambda: setattr(type(thing), "__call__", lambda self, x: x * 9.0)


@case
def an_attribute_of_a_class_that_was_missing() -> Case:
    thing = heir()
    return lambda x: thing(x), lambda: setattr(type(thing), "missing", 3.0)


@case
def a_method_that_no_code_names() -> Case:
    thing = heir()

    def seen(self: object, name: str) -> Any:
        return 6.0 if name == "scale" else object.__getattribute__(self, name)

    return lambda x: thing(x), lambda: setattr(type(thing), "__getattribute__", seen)


@case
def a_slot_that_was_empty() -> Case:
    thing = Shadowed()
    return lambda x: thing(x), lambda: setattr(thing, "empty", 3.0)


@case
def the_class_of_an_object() -> Case:
    thing, kind = heir(), type(heir())
    kind.scale = 7.0
    return lambda x: thing(x), lambda: setattr(thing, "__class__", kind)


def defined(source: str, **names: Any) -> tuple[Any, dict[str, Any]]:
    """Execute a source in new globals; return its function `f`, and the globals."""
    names["__name__"] = "module_of_a_test"
    exec(source, names)
    return names["f"], names


@case
def a_global_in_place_of_a_builtin() -> Case:
    function, names = defined("def f(x): return abs(x) * 2.0")
    return function, lambda: names.__setitem__("abs", lambda x: x * 10.0)


@case
def a_global_that_was_missing() -> Case:
    function, names = defined("def f(x): return x * globals().get('scale', 1.0)")
    return function, lambda: names.__setitem__("scale", 3.0)


@case
def the_code_of_a_function() -> Case:
    def function(x: Value) -> Value:
        return x * 2.0

    return function, lambda: setattr(function, "__code__", (lambda x: x * 3.0).__code__)


@case
def an_attribute_of_a_function() -> Case:
    def function(x: Value) -> Value:
        return x * function.scale  # type: ignore[attr-defined]

    function.scale = 2.0  # type: ignore[attr-defined]
    return function, lambda: setattr(function, "scale", 3.0)


@case
def a_keyword_of_a_partial() -> Case:
    function = functools.partial(lambda x, scale=2.0: x * scale)
    return function, lambda: function.keywords.__setitem__("scale", 3.0)


def by_the_engine(function: Callable[..., Any], x: list[float] = X) -> list[float]:
    return [function(Value(xi)).data for xi in x]


@pytest.mark.parametrize("name", CASES)
def test_what_changed_since_is_noticed_at_the_next_call(name: str) -> None:
    function, change = CASES[name]()
    compiled = autograd.compile(function)
    before = compiled(X)
    np.testing.assert_allclose(before, by_the_engine(function), rtol=1e-12)
    change()
    np.testing.assert_allclose(compiled(X), by_the_engine(function), rtol=1e-12)
    assert not np.allclose(compiled(X), before), "the change must change the outputs"
    value, _ = compiled.value_and_grad(X)
    assert value == pytest.approx(np.mean(by_the_engine(function)))


class Volume(Setting):
    """A user's own setting."""

    def __init__(self, number: Any) -> None:
        self.number = number

    def within(self, outer: Any) -> Any:
        return {**outer, "volume": self.number}


@pytest.mark.parametrize("kind", [list, np.array])
def test_what_is_inside_a_setting_is_followed(kind: Callable[[list[float]], Any]) -> None:
    compiled = autograd.compile(lambda x: x * float(setting("volume")[0]))
    first, second = kind([2.0]), kind([3.0])
    with Volume(first):
        np.testing.assert_array_equal(compiled([1.0]), [2.0])
        first[0] = 5.0
        np.testing.assert_array_equal(compiled([1.0]), [5.0])
    with Volume(second):
        np.testing.assert_array_equal(compiled([1.0]), [3.0])


def test_a_module_given_as_it_is_follows_its_parts() -> None:
    model = nn.MLP(2, [3, 2], "tanh", seed=0)
    compiled, x = autograd.compile(model), np.ones((2, 2))

    def wanted() -> list[list[float]]:
        return [[v.data for v in model([Value(1.0), Value(1.0)])]] * 2

    for change in (
        lambda: setattr(model.layers[0].neurons[1], "b", Value(3.0)),
        lambda: model.layers[0].neurons.reverse(),
        lambda: model.layers.__setitem__(1, nn.Layer(3, 2, "sigmoid", seed=3)),
    ):
        np.testing.assert_allclose(compiled(x), wanted())
        change()
        np.testing.assert_allclose(compiled(x), wanted())


def test_nothing_is_traced_anew_while_nothing_changes() -> None:
    model = nn.Sequential(nn.Layer(2, 3, "tanh", seed=0), nn.Dropout(0.5, seed=0))
    compiled, x = autograd.compile(model.train()), np.ones((2, 2))
    compiled(x)
    learning = compiled.graph
    model([1.0, 1.0])  # each neuron now stores other sums
    model.layers[0].neurons[0].b.data = 4.0
    compiled(x)
    assert compiled.graph is learning
    model.eval()
    compiled(x)
    judging = compiled.graph
    assert judging is not learning
    for mode, graph in ((True, learning), (False, judging), (True, learning)):
        model.train(mode)
        compiled(x)
        assert compiled.graph is graph


def test_what_a_function_replaces_may_change_afterwards() -> None:
    class Recorder:
        def __init__(self) -> None:
            self.w = Value(2.0)
            self.last: list[Any] = [1.0]

        def __call__(self, x: Value) -> Any:
            self.last = [self.w * x]
            return self.last[0]

    recorder = Recorder()
    replaced = recorder.last
    compiled = autograd.compile(recorder, params=[recorder.w])
    compiled(X)
    graph = compiled.graph
    replaced.append(3.0)
    compiled(X)
    assert compiled.graph is graph


def test_what_neurons_keep_is_no_change_even_to_what_looks_at_all_attributes() -> None:
    model = nn.MLP(2, [3, 1], seed=0)
    model([1.0, 1.0])
    penalty = autograd.compile(lambda: nn.l2_penalty(model.parameters(), 0.1))
    penalty()
    graph = penalty.graph
    model([2.0, 1.0])
    with autograd.no_grad():
        model([3.0, 1.0])
    penalty()
    assert penalty.graph is graph
    model.layers[0].neurons[0].b = Value(2.0)
    assert penalty() == pytest.approx(nn.l2_penalty(model.parameters(), 0.1).data)


def test_masks_that_start_anew_are_no_change() -> None:
    dropout = nn.Dropout(0.5, seed=0)
    dropout.seed(1)
    compiled, x = autograd.compile(dropout.train()), np.ones((1, 40))
    found = compiled(x)
    graph = compiled.graph
    dropout.seed(1)
    assert np.array_equal(compiled(x), found)
    assert compiled.graph is graph


def test_an_equal_number_is_no_change() -> None:
    scale = Scale()
    compiled = autograd.compile(scale.times)
    compiled(X)
    graph = compiled.graph
    scale.number = float("2.0")
    compiled(X)
    assert compiled.graph is graph
    scale.number = 3.0
    compiled(X)
    scale.number = float("2.0")
    compiled(X)
    assert compiled.graph is graph, "the code of an equal state is used again"


def test_entries_are_compared_one_by_one_only_after_a_change(
    twin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, taken = Guard._take_snapshot, []

    def count_and_take(guard: Guard) -> Any:
        taken.append(guard)
        return take(guard)

    monkeypatch.setattr(Guard, "_take_snapshot", count_and_take)
    function, names = defined("def f(x): return x * scale", scale=2.0)
    compiled = autograd.compile(function)
    compiled(X)
    compiled(X)
    assert len(taken) == 1
    graph = compiled.graph
    names["unread"] = 1.0  # like a variable of a loop in a program
    for _ in range(3):
        names["unread"] += 1.0
        compiled(X)
    assert len(taken) == 2
    assert compiled.graph is graph
    names["scale"] = 3.0
    assert compiled([1.0]).tolist() == [3.0]


def test_retrace_forgets() -> None:
    compiled = autograd.compile(lambda x: x * 2.0)
    compiled(X)
    graph = compiled.graph
    compiled.retrace()
    compiled(X)
    assert compiled.graph is not graph


def test_what_is_said_to_be_unchanged_is_checked_once_for_each_shape() -> None:
    scale, p = Scale(), Value(1.0)
    compiled = autograd.compile(lambda x: p * scale.number * autograd.sum(x), params=[p])
    quick = compiled.while_unchanged()
    one, two = [[1.0]], [[1.0, 1.0]]
    assert quick(one).tolist() == [2.0]
    scale.number, p.data = 3.0, 10.0
    assert quick(one).tolist() == [20.0], "the parameter is read anew, and nothing else"
    assert quick.value_and_grad(one)[1].tolist() == [2.0]
    assert quick(two).tolist() == [60.0]
    assert compiled(one).tolist() == compiled.while_unchanged()(one).tolist() == [30.0]
    quick.retrace()
    assert quick(one).tolist() == [30.0]


def test_what_draws_or_has_static_arguments_is_checked_in_each_call() -> None:
    scale = Scale()
    drawing = autograd.compile(lambda x: autograd.drawn(lambda: 1.0) * x * scale.number)
    static = autograd.compile(lambda x, n: x**n * scale.number, static="n")
    for quick, arguments in ((drawing.while_unchanged(), []), (static.while_unchanged(), [2])):
        for scale.number in (2.0, 3.0):
            assert quick([1.0], *arguments).tolist() == [scale.number]


# ---------------------------------------------------------------------- chance

BITS = np.random.PCG64(0)
NUMPY = np.random.default_rng(0)
LEGACY = np.random.RandomState(0)


class Chancy:
    """A function that draws from generators in its attributes."""

    def __init__(self) -> None:
        self._rng = random.Random(1)
        self.kept = {"rng": [np.random.default_rng(2)]}

    def __call__(self, x: Value) -> Value:
        return x * 2.0 if self._rng.random() < 2.0 else x

    def deep(self, x: Value) -> Value:
        return x * 2.0 if self.kept["rng"][0].random() < 2.0 else x


CHANCE: dict[str, Callable[[Value], Value]] = {
    "random": lambda x: x * 2.0 if random.random() < 2.0 else x,
    "random.gauss": lambda x: x * 2.0 if random.gauss(0.0, 1.0) < 99.0 else x,
    "random.shuffle": lambda x: x * 2.0 if random.sample([1, 1], 1) else x,
    "np.random": lambda x: x * 2.0 if np.random.rand() < 2.0 else x,
    "np.random.normal": lambda x: x * 2.0 if np.random.normal() < 99.0 else x,
    "a Random": lambda x: x * 2.0 if RANDOM.random() < 2.0 else x,
    "a Generator": lambda x: x * 2.0 if NUMPY.random() < 2.0 else x,
    "a RandomState": lambda x: x * 2.0 if LEGACY.rand() < 2.0 else x,
    "a BitGenerator": lambda x: x * 2.0 if BITS.random_raw() >= 0 else x,
    "an attribute": Chancy(),
    "deep inside": Chancy().deep,
    "a method kept": (lambda draw: lambda x: x * 2.0 if draw() < 2.0 else x)(RANDOM.random),
}


def words(generator: Any) -> list[int]:
    """Return the state of one of NumPy's old generators as numbers."""
    return generator.get_state()[1].tolist()


@pytest.mark.parametrize("name", CHANCE)
def test_a_branch_on_chance_is_refused_with_its_line(name: str) -> None:
    function = CHANCE[name]
    states = random.getstate(), words(np.random), RANDOM.getstate()
    others = NUMPY.bit_generator.state, words(LEGACY)
    with pytest.raises(TraceError, match=r"a number is taken from .*test_reach.py, line.*drawn"):
        autograd.compile(function)(X)
    assert states == (random.getstate(), words(np.random), RANDOM.getstate())
    assert others == (NUMPY.bit_generator.state, words(LEGACY))


def test_chance_that_no_node_follows_is_refused_too() -> None:
    with pytest.raises(
        TraceError, match="a number is taken from the module random in the function"
    ):
        autograd.compile(lambda x: [x * 2.0, x][: 1 + (random.random() > 2.0)])(X)


def test_what_is_drawn_openly_is_no_chance_and_is_put_back() -> None:
    rng = random.Random(3)
    compiled = autograd.compile(lambda x: x * drawn(rng.random))
    found = compiled([1.0, 1.0, 1.0])
    again = random.Random(3)
    assert found.tolist() == [again.random() for _ in range(3)], (
        "tracing must not draw numbers from the user's generator"
    )
    with pytest.raises(TraceError, match="a number is taken from rng"):
        autograd.compile(lambda x: x * drawn(rng.random) * (rng.random() + 1.0))(X)
    with pytest.raises(TraceError, match="`.data` of drawn is read"):
        autograd.compile(lambda x: x * drawn(rng.random).data)(X)


class Noisy(nn.Module):
    """A module that negates its input in a tenth of the training steps."""

    def __init__(self) -> None:
        self.layer = nn.Layer(1, 1, "identity", seed=0)

    def forward(self, x: Any) -> Any:
        return self.layer([-x[0]] if self.training and random.random() < 0.1 else x)


def test_training_with_chance_is_the_same_compiled_or_not() -> None:
    costs = []
    for compile in (True, False):
        random.seed(0)
        model = Noisy()
        trainer = nn.Trainer(model, nn.mse_loss, nn.SGD(model.parameters(), lr=0.001))
        X = np.linspace(1.0, 2.0, 50)[:, None]
        history = trainer.fit(X, np.ones(50), epochs=2, progress=False, compile=compile)
        costs.append(history.losses)
        assert ("a number is taken from the module random" in history.not_compiled) == compile
    assert costs[0] == costs[1]


# ---------------------------------------------------------------------- state


class Counter:
    """A function that counts its calls in many different ways."""

    calls = 0

    def __init__(self) -> None:
        self.count, self.log, self.seen = 0, [0], {"calls": 0}
        self.numbers = np.zeros(1)

    def attribute(self, x: Value) -> Value:
        self.count += 1
        return x * 2.0

    def of_the_class(self, x: Value) -> Value:
        Counter.calls += 1
        return x * 2.0

    def new(self, x: Value) -> Value:
        self.fresh = getattr(self, "fresh", 0) + 1
        return x * 2.0

    def in_a_list(self, x: Value) -> Value:
        self.log[0] += 1
        return x * 2.0

    def by_a_length(self, x: Value) -> Value:
        self.log.append(0)
        return x * 2.0

    def in_a_dictionary(self, x: Value) -> Value:
        self.seen["calls"] += 1
        return x * 2.0

    def in_an_array(self, x: Value) -> Value:
        self.numbers[0] += 1.0
        return x * 2.0


def in_a_closure() -> Any:
    count = 0

    def function(x: Value) -> Value:
        nonlocal count
        count += 1
        return x * 2.0 if count % 3 else x

    return function


def by_a_global(x: Value) -> Value:
    global GLOBAL
    GLOBAL = GLOBAL + 1.0
    return x * 2.0


def by_an_iterator() -> Any:
    switch = itertools.cycle([True, True])
    return lambda x: x * 2.0 if next(switch) else x


def by_a_generator() -> Any:
    def switches() -> Iterator[int]:
        yield from range(100)

    switch = switches()
    return lambda x: x * 2.0 if next(switch) >= 0 else x


STATE = {
    **{
        name: getattr(Counter(), name)
        for name in vars(Counter)
        if name.islower() and name[0] != "_" and name != "calls"
    },
    **{"in a closure": in_a_closure(), "by a global": by_a_global},
    **{"by a generator": by_a_generator(), "by an iterator": by_an_iterator()},
}
STATE["by an iterator of a list"] = (lambda it: lambda x: x * 2.0 if next(it) else x)(iter([1] * 9))
STATE["by counting"] = (lambda it: lambda x: x * 2.0 if next(it) + 1 else x)(itertools.count())


@pytest.mark.parametrize("name", STATE)
def test_a_function_that_counts_its_calls_is_refused(name: str) -> None:
    with pytest.raises(TraceError, match="changes what it reads|a number is taken from"):
        autograd.compile(STATE[name])(X)


def test_what_counts_is_named() -> None:
    counter = Counter()
    with pytest.raises(TraceError, match=r"function.*\.count is 1 after a run, and was 0"):
        autograd.compile(lambda x: counter.attribute(x))(X)


# ---------------------------------------------------------------------- numbers of Values


def test_the_number_of_a_value_is_read_nowhere() -> None:
    w, several = Value(2.0, "w"), {"w": (Value(3.0, "v"),)}
    kept = nn.Neuron(1, "tanh", seed=0)
    kept([1.0])
    for look in (
        lambda x: x * w.data,
        lambda x: x * several["w"][0].data,
        lambda x: x * w * w.grad,
        lambda x: x * float(np.array([w], dtype=object)[0].data),
        lambda x: x * kept.b.data,
        lambda x: x * (kept.a.data if kept.a else 1.0),
        lambda x: x * w if w.data > 0.0 else x,
    ):
        with pytest.raises(TraceError):
            autograd.compile(look)(X)
    assert type(w) in (Value, autograd.core.flat.Shared)
    assert (w.data, w * w > 3.0) == (2.0, True), "all is as it was"


def test_what_was_computed_before_is_refused() -> None:
    w = Value(2.0, "w")
    before = w * 3.0
    with pytest.raises(TraceError, match="which was computed before it was called"):
        autograd.compile(lambda x: x * before)(X)
    constant = before.detach()
    assert autograd.compile(lambda x: x * constant)([1.0]).tolist() == [6.0]


class Recurrent:
    """A function that starts from its previous result."""

    def __init__(self) -> None:
        self.h = Value(0.0)

    def __call__(self, x: Value) -> Value:
        self.h = (self.h + x).tanh()
        return self.h


def test_a_state_that_is_a_value_is_refused() -> None:
    with pytest.raises(TraceError, match="computed before it was called"):
        autograd.compile(Recurrent())(X)


class Turning:
    """A function that uses two weights in turn."""

    def __init__(self) -> None:
        self.weights = [Value(2.0, "u"), Value(2.0, "v")]

    def __call__(self, x: Value) -> Value:
        self.weights.reverse()
        return x * self.weights[0]


def test_weights_that_take_turns_are_refused() -> None:
    with pytest.raises(TraceError, match="and for another it does not"):
        autograd.compile(Turning())(X)


class Lazy:
    """A function that creates its weight at the first call."""

    def __init__(self) -> None:
        self.w: Value | None = None

    def __call__(self, x: Value) -> Value:
        if self.w is None:
            self.w = Value(2.0, "w")
        return x * self.w


def test_a_weight_that_is_made_at_the_first_call_is_a_parameter() -> None:
    lazy = Lazy()
    compiled = autograd.compile(lazy)
    assert compiled.value_and_grad([1.0, 3.0])[1].tolist() == [2.0]
    assert lazy.w is not None and compiled.params == [lazy.w]
    lazy.w.data = 5.0
    assert compiled([1.0]).tolist() == [5.0]


class Mine(Value):
    """A user's subclass of Value."""


def test_a_kind_of_value_of_ones_own_is_refused() -> None:
    w = Mine(2.0)
    with pytest.raises(TypeError, match="the number of a Mine cannot lie in an array"):
        autograd.compile(lambda x: x * w)(X)


def test_gradients_inside_are_refused_or_agree() -> None:
    w = Value(2.0)

    def by_hand(x: Value) -> Value:
        y = w * x
        y.backward()
        return x * w.grad

    with pytest.raises(TraceError):
        autograd.compile(by_hand)(X)
    slope = autograd.compile(lambda x: autograd.grad((w * x) ** 3, x)[0])
    try:
        found = slope(X)
    except TraceError:
        return
    wanted = [autograd.grad((w * v) ** 3, v)[0] for v in map(Value, X)]
    np.testing.assert_allclose(found, [getattr(g, "data", g) for g in wanted])


def test_a_large_dataset_beside_the_function_is_not_walked() -> None:
    rows = [[0.0] * 10 for _ in range(20_000)]
    data = types.SimpleNamespace(rows=rows, scale=2.0)
    compiled = autograd.compile(lambda x: x * data.scale)
    assert compiled([1.0]).tolist() == [2.0]
    data.scale = 3.0
    assert compiled([1.0]).tolist() == [3.0]


def test_attributes_that_a_program_sets_on_a_value_are_read() -> None:
    w: Any = Value(2.0)
    w.scale, w.table, w.shift = 3.0, [1.0], Value(0.0)
    compiled = autograd.compile(lambda x: w * x * w.scale * w.table[0] + w.shift)
    assert compiled([1.0]).tolist() == [6.0]
    w.scale = 5.0
    assert compiled([1.0]).tolist() == [10.0]
    w.table[0] = 2.0
    assert compiled([1.0]).tolist() == [20.0]
    w.shift = Value(1.0)
    assert compiled([1.0]).tolist() == [21.0]

    def counting(x: Any) -> Any:
        w.scale += 1.0
        return x * w

    with pytest.raises(TraceError, match=r"w\.scale is 6\.0 after a run, and was 5\.0"):
        autograd.compile(counting)([1.0])


moment = Value(3.0)


def test_an_attribute_of_a_value_is_read_if_code_names_an_attribute_so_and_not_a_global() -> None:
    w: Any = Value(2.0)
    w.moment = 1.0
    steady = autograd.compile(lambda x: w * x * moment)
    reading = autograd.compile(lambda x: w * x * w.moment)
    assert [steady([1.0]), reading([1.0])] == [6.0, 2.0]
    before = steady.graph
    w.moment = 5.0
    assert [steady([1.0]), reading([1.0])] == [6.0, 10.0]
    assert steady.graph is before, "it is not traced again"


def test_nothing_of_ones_own_is_run_by_looking() -> None:
    class Touchy:
        touched = 0

        @property
        def scale(self) -> float:
            looking = ("autograd.compiler.reach", "autograd.compiler.guard")
            Touchy.touched += sys._getframe(1).f_globals["__name__"] in looking
            return 2.0

        func = args = keywords = fget = __wrapped__ = scale

    touchy = Touchy()
    assert autograd.compile(lambda x: x * touchy.scale)([1.0]).tolist() == [2.0]
    assert Touchy.touched == 0


def module_in(folder: str, name: str, source: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Execute a source as a module whose file seems to be in `folder`."""
    module = types.ModuleType(name)
    module.__file__ = f"{folder}/{name}.py"
    monkeypatch.setitem(sys.modules, name, module)
    exec(source, vars(module))
    return module


def test_an_installed_module_may_hold_what_warns_when_it_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Deprecated:
        @property  # type: ignore[misc]
        def __class__(self) -> Any:
            warnings.warn("deprecated", FutureWarning, stacklevel=2)
            return Deprecated

    module = module_in(sysconfig.get_path("purelib"), "torchlike", "scale = 2.0", monkeypatch)
    module.reduce_op = Deprecated()
    assert is_foreign("torchlike")


def test_an_installed_module_is_looked_into_if_it_knows_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed = sysconfig.get_path("purelib")
    states = "scale = 2.0\ndef times(x): return x * scale\n"
    uses = "from autograd import Value\n" + states
    module_in(installed, "a_library", states, monkeypatch)
    layers = module_in(installed, "some_layers", uses, monkeypatch)
    own = module_in("/home", "a_script", states, monkeypatch)
    module_in(installed, "some_layers.settings", states, monkeypatch)
    assert not is_foreign("some_layers.settings"), "its package knows Values"
    assert is_foreign("a_library") and not is_foreign("some_layers") and not is_foreign("a_script")
    for module in (layers, own):
        compiled = autograd.compile(lambda x, module=module: module.times(x))
        assert compiled([1.0]).tolist() == [2.0]
        module.scale = 3.0
        assert compiled([1.0]).tolist() == [3.0]
