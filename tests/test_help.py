"""Tests of what `help`, `dir`, tab completion and wrong names say."""

from __future__ import annotations

import doctest
import inspect
import pydoc
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import autograd
import nn
import nn.sklearn
from autograd import Op, Value
from docs import reference
from nn import spellings
from tests.test_input import PUBLIC

UNTYPED: Any = nn


def help_of(thing: Any) -> str:
    return pydoc.plain(pydoc.render_doc(thing))


@pytest.mark.parametrize("module", [autograd, nn], ids=["autograd", "nn"])
def test_the_page_of_a_package_names_all_that_is_public(module: ModuleType) -> None:
    words = set(re.findall(r"\w+", module.__doc__ or ""))
    assert set(module.__all__) - words == set()


@pytest.mark.parametrize("module", [autograd, nn], ids=["autograd", "nn"])
def test_completion_offers_public_names_only(module: ModuleType) -> None:
    modules = {"autograd": {"extend", "micrograd"}, "nn": {"plots", "sklearn"}}[module.__name__]
    offered = {name for name in dir(module) if not name.startswith("_")}
    assert offered == {*module.__all__, *modules}
    assert all(hasattr(module, name) for name in offered)


def test_no_signature_hides_its_options() -> None:
    hidden = [
        name
        for name, function in PUBLIC.items()
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind == parameter.VAR_KEYWORD and parameter.name in ("options", "settings")
    ]
    assert hidden == []


@pytest.mark.parametrize(
    "method",
    [Value.draw, Value.page, Value.save_html, nn.Module.page, nn.Module.save_html],
    ids=lambda method: f"{method.__module__}.{method.__name__}",
)
def test_a_method_states_its_options(method: Callable[..., Any]) -> None:
    _, *options = inspect.signature(method).parameters
    for option in options:
        assert re.search(rf"^ +(\w+, )*{option}\b[^\n]*: ", help_of(method), re.MULTILINE), option
    assert "More:" not in help_of(method)


def test_a_page_is_saved_with_the_options_of_the_page(tmp_path: Path) -> None:
    x = Value(3.0, "x")
    path = (x * x).save_html(tmp_path / "square.html", title="A square")
    assert Path(path).read_text("utf-8") == (x * x).page(title="A square").html


def test_help_on_an_operation_is_about_the_operation() -> None:
    assert "∂σ(a)/∂a = σ(a)·(1 − σ(a))" in help_of(autograd.sigmoid)
    assert "log(a)" in help_of(autograd.log)
    assert "DomainError: not a > 0" in help_of(autograd.log)
    assert "One row of the table" in help_of(autograd.Op)
    own = autograd.op("cube", lambda a: a**3, lambda out, a: (3 * a**2,))
    assert "cube(a)" in help_of(own)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda v: v.save_html("x.html", params=["w"]), "no option 'params'.* 'parameters'"),
        (lambda v: v.page(learning_rate=0.1), "no option 'learning_rate'"),
        (
            lambda v: v.draw(max_node=3),
            "draw has no option 'max_node'; the nearest are 'max_nodes'",
        ),
        (lambda v: UNTYPED.draw(nn.MLP(2, [1]), inputs=[1, 2]), "draw has no option 'inputs'"),
        (lambda v: UNTYPED.MLP(2, [1]).page(training=None), "no option 'training'"),
        (lambda v: nn.MLP(2, [1]).page(longest=3), "longest= needs tokens="),
        (lambda v: nn.MLP(2, [1]).page(tokens="ab", shape=(1, 2), longest=3), "shape= is for"),
        (lambda v: nn.MLP(2, [1]).page(tokens="ab"), "longest= is missing"),
    ],
)
def test_an_unknown_option_gets_the_nearest(call: Callable[[Any], Any], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        call(Value(1.0) * 2.0)


def in_reference() -> dict[str, Any]:
    """Return the functions, operations and classes of the reference, by their full names."""
    modules = {module: module.__all__ for module in (autograd, nn, nn.sklearn)}
    found = {
        f"{module.__name__}.{name}": getattr(module, name)
        for module, names in {**modules, nn.plots: reference.own(nn.plots)}.items()
        for name in names
    }
    return {name: thing for name, thing in found.items() if callable(thing)}


NAMED = in_reference()


@pytest.mark.parametrize("name", NAMED)
def test_every_name_in_the_reference_has_an_example(name: str) -> None:
    assert doctest.DocTestParser().get_examples(inspect.getdoc(NAMED[name]) or "")


# The examples of functions and classes are run as doctests of their modules.
@pytest.mark.parametrize("name", [n for n, thing in NAMED.items() if isinstance(thing, Op)])
def test_the_example_of_an_operation_runs(name: str) -> None:
    names = {"autograd": autograd, "Value": Value}
    example = doctest.DocTestParser().get_doctest(NAMED[name].__doc__, names, name, None, 0)
    assert doctest.DocTestRunner().run(example).failed == 0


MODEL = nn.MLP(2, [1], seed=0)
TRAINER = nn.Trainer(MODEL, nn.mse_loss, nn.SGD(MODEL.parameters()))
HAVING_SPELLINGS = [
    (nn, spellings.OF_NN),
    (MODEL, spellings.OF_MODULES),
    (TRAINER, spellings.OF_TRAINERS),
    (TRAINER.optimizer, spellings.OF_OPTIMIZERS),
    (TRAINER.history, spellings.OF_HISTORIES),
]


@pytest.mark.parametrize(
    ("thing", "name", "here"),
    [(thing, name, here) for thing, names in HAVING_SPELLINGS for name, here in names.items()],
)
def test_a_name_of_another_library_gets_the_nearest(thing: Any, name: str, here: str) -> None:
    with pytest.raises(AttributeError) as error:
        getattr(thing, name)
    assert str(error.value).endswith(f"has no attribute {name!r}: here it is {here}") or str(
        error.value
    ).endswith(f"has no {name!r}: here it is {here}")
    assert name not in dir(thing)
    for mentioned in re.findall(r"\b(?:nn|autograd)(?:\.\w+)+", here):
        assert find(mentioned) is not None


def find(path: str) -> Any:
    found: Any = {"nn": nn, "autograd": autograd}[path.partition(".")[0]]
    for name in path.split(".")[1:]:
        found = getattr(found, name)
    return found


def test_a_module_may_have_an_attribute_of_a_foreign_name() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            self.weights = [Value(2.0)]

        def fit(self) -> str:
            return "fitted"

    own: Any = Own()
    assert (own.fit(), len(own.parameters()), own.weights[0].data) == ("fitted", 1, 2.0)
    assert {"fit", "weights"} <= set(dir(own))


def test_values_do_not_offer_the_names_of_others() -> None:
    offered = dir(Value(1.0))
    assert "draw" in offered
    assert "numpy" not in offered


def test_what_trains_says_what_it_is() -> None:
    assert repr(TRAINER).startswith("Trainer(MLP of 3 parameters, mse_loss, SGD(lr=0.001,")
    schedule = nn.StepLR(nn.SGD(MODEL.parameters(), lr=0.1), 2)
    trainer = nn.Trainer(MODEL, nn.MSELoss(), schedule.optimizer, scheduler=schedule, clip=1.0)
    assert "scheduler=StepLR(step_size=2, gamma=0.1), clip=1.0)" in repr(trainer)
    history = trainer.fit([[0.0, 1.0]], [1.0], epochs=1, progress=False)
    assert repr(history).startswith("History of 1 epoch\n")
    assert repr(nn.History()).startswith("History of 0 epochs")
