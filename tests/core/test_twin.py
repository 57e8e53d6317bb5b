"""The compiled twin of the core: it does what plain Python does, to the last bit."""

from __future__ import annotations

import functools
import gc
import importlib
import os
import shutil
import subprocess
import sys
import warnings
import weakref
from pathlib import Path
from random import Random
from typing import Any

import pytest

from autograd import Value
from autograd.core import in_c
from autograd.core.backprop import has_gradient
from autograd.core.flat import Flat
from autograd.core.twin import CORE, choose

HERE = Path(__file__).parents[2]
needs_twin = pytest.mark.usefixtures("twin")


def run(*command: str, pure: bool) -> str:
    """Run a module with one of the cores, and return what it prints."""
    environment = {**os.environ, "AUTOGRAD_PURE": "1" if pure else "0"}
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=HERE, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# ---------------------------------------------------------------------- the same numbers


@needs_twin
def test_both_cores_compute_the_same_bits_and_raise_the_same_errors() -> None:
    command = ("tests.two_cores", "0", "300")
    ours, reference = (run(*command, pure=pure).splitlines() for pure in (False, True))
    assert len(reference) > 6000
    assert ours == reference


def test_the_twin_has_each_row_that_is_used_much() -> None:
    names = {
        row.name for row in in_c.Table((CORE / "ops.py").read_text(encoding="utf-8")).translated()
    }
    assert names >= {
        "add",
        "sub",
        "mul",
        "div",
        "neg",
        "pow",
        "exp",
        "log",
        "tanh",
        "relu",
        "where",
    }


def test_a_row_is_written_in_c() -> None:
    text = """
def _half(a):
    '''Return half of a.'''
    if a > 2.0:
        return a / LOG
    b = a * 0.5
    return b

LOG = math.log(2.0)
soft = Op("soft", value=_half, partials=lambda out, a: (0.5 if not a <= 1 else half(a) ** 2,))
half = Op("half", value=lambda a: _half(a) + abs(a), partials=lambda out, a: (0.5,))
"""
    written = in_c.written(text)
    assert (
        "{ if ((a > 2.0)) { return (a / 0x1.62e42fefa39efp-1); } double b = (a * 0.5); return b; }"
        in written
    )
    assert "d[0] = ((!(a <= 1.0)) ? 0.5 : pow(value_half(a), 2.0));" in written


@pytest.mark.parametrize(
    "value",
    [
        "lambda a: table[a]",
        "lambda a, *b: a",
        "lambda a: math.hypot(a, 1.0)",
        "lambda a: unknown(a)",
        "lambda a: a is None",
        "lambda a: a if a else 'x'",
        "lambda a: f(a, b=1)",
    ],
)
def test_a_row_that_has_no_counterpart_in_c_is_left_out(value: str) -> None:
    text = f'odd = Op("odd", value={value}, partials=lambda out, a: (1.0,))'
    assert in_c.Table(text).translated() == []


def test_partials_that_have_no_counterpart_in_c_are_left_to_python() -> None:
    text = 'odd = Op("odd", value=lambda a: a, partials=lambda out, a: (math.hypot(a, 1.0),))'
    assert in_c.Table(text).translated() == [in_c.Row("odd", 1, "return a;", "")]


# ---------------------------------------------------------------------- which core runs


def test_plain_python_runs_if_it_is_asked_for() -> None:
    printed = run("autograd", pure=True)
    assert "core: plain Python (AUTOGRAD_PURE=1)" in printed
    assert f"Python {sys.version.split()[0]}" in printed


@needs_twin
def test_the_command_says_that_the_twin_runs() -> None:
    assert "core: compiled" in run("autograd", pure=False)


def test_a_twin_of_another_table_is_not_used(twin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twin, "DIGEST", "another")
    with pytest.warns(RuntimeWarning, match="built from another version of ops.py"):
        assert choose().twin is None


@pytest.mark.parametrize("file", ["twin.c", "node.c", "new.c"])
def test_a_twin_of_other_source_in_c_is_not_used(
    twin: Any, file: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for path in (CORE / "ops.py", *CORE.glob("*.c")):
        shutil.copy(path, tmp_path)
    monkeypatch.setattr("autograd.core.twin.CORE", tmp_path)
    assert choose().twin is twin
    (tmp_path / file).write_text("/* another version */", encoding="utf-8")
    with pytest.warns(RuntimeWarning, match="another version of ops.py or of the C files"):
        assert choose().twin is None


def test_without_a_twin_plain_python_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", missing)
    monkeypatch.delenv("AUTOGRAD_PURE", raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chosen = choose()
    assert chosen.twin is None
    assert chosen.reason.startswith("the compiled twin was not built for this Python")


# ---------------------------------------------------------------------- what only C could break


@needs_twin
def test_a_node_takes_at_most_96_bytes_and_is_not_tracked() -> None:
    x = Value(2.0)
    y = x * 3.0
    assert sys.getsizeof(y) <= 96
    assert not gc.is_tracked(y)
    Flat([x])
    assert not gc.is_tracked(x)


def test_a_deep_graph_is_freed_without_recursion() -> None:
    x = y = Value(1.0)
    for _ in range(300_000):
        y = (y + x) * 0.5
    y.backward()
    del y
    assert x.grad == pytest.approx(1.0)


def test_nodes_keep_their_numbers_while_others_are_freed() -> None:
    random = Random(1)
    kept: dict[int, Value] = {}
    for i in range(30_000):
        kept[i] = Value(i) * 1.0
        if random.random() < 0.8 and i < 20_000:
            del kept[random.choice((i, next(iter(kept))))]
        if i == 10_000:
            kept.clear()
    assert all(node.data == i == node.args[0].data for i, node in kept.items())
    assert len({id(node) for node in kept.values()}) == len(kept) > 12_000


LARGE_GRAPH = """
import tracemalloc
from autograd import Value

tracemalloc.start()
x = Value(1.0)
for _ in range(1_600_000):
    x = -x
print(tracemalloc.get_traced_memory()[0])
del x
print(tracemalloc.get_traced_memory()[0])
"""


@needs_twin
def test_the_memory_of_a_large_graph_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", LARGE_GRAPH], cwd=HERE, capture_output=True)
    held, kept = map(float, done.stdout.split())
    assert kept < 130e6 < held


class Marked(Value):
    """A subclass with attributes of its own."""

    note: str


def test_a_deep_graph_with_subclasses_is_freed_without_recursion() -> None:
    y: Value = Marked(1.0)
    deepest = weakref.ref(y)
    for i in range(100_000):
        leaf = Marked(0.5)
        leaf.note = str(i)
        y = y * 0.5 + leaf
    del y, leaf
    gc.collect()
    assert deepest() is None


def test_a_tracked_node_is_freed_whatever_its_class_was() -> None:
    class Plain(Value):
        __slots__ = ()

    for kind, other in ((Value, Plain), (Plain, Value)):
        for _ in range(2000):
            x: Any = kind(2.0)
            x.args = ()
            x.note = x
            x.__class__ = other
            assert (x * 2.0).data == 4.0
            del x.note
    del x
    gc.collect()


def test_what_python_ties_into_a_cycle_is_collected() -> None:
    class Witness:
        alive = 0

        def __init__(self) -> None:
            Witness.alive += 1

        def __del__(self) -> None:
            Witness.alive -= 1

    for _ in range(3):
        witness, x = Witness(), Value(2.0)
        out = Value(4.0, (x,), "by hand")
        out._backward = functools.partial(print, out, witness)
        del witness, out, x
    gc.collect()
    assert Witness.alive == 0


def test_many_graphs_leave_the_process_at_its_size() -> None:
    resource = pytest.importorskip("resource")
    w: list[Any] = [Value(0.1 * i, label=f"w{i}") for i in range(20)]

    def step() -> None:
        total: Value = sum((v * v.tanh() for v in w), Value(0.0))
        total.backward()
        total.recompute()
        for v in w:
            v.grad = 0  # as users of micrograd do
        with pytest.raises(ZeroDivisionError):
            total / 0.0

    for _ in range(200):
        step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(2000):
        step()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2000


def test_attributes_may_hold_what_is_no_float_until_they_are_used() -> None:
    x: Any = Value(2.0, label="x")
    x.data = 3
    assert type(x.data) is int
    assert type((x * 2).data) is float
    x.data = "three"
    with pytest.raises(TypeError, match="the data of x"):
        x * 2
    x.data = 3.0
    for given in (None, 0, 2, 0.5):
        y = x * 2
        x.grad = given
        assert x.grad == given and type(x.grad) is type(given)
        y.backward()
        assert x.grad == (given or 0.0) + 2.0 and type(x.grad) is float


@pytest.mark.parametrize("name", ["data", "grad", "op", "label", "scope"])
def test_an_attribute_cannot_be_used_after_it_is_deleted(name: str) -> None:
    x = Value(2.0)
    with pytest.raises(AttributeError):
        delattr(x, name)
        getattr(x, name)


def test_methods_that_a_user_assigns_to_the_class_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Value, "double", lambda self: self + self, raising=False)
    monkeypatch.setattr(Value, "__mul__", lambda self, other: "replaced")
    x: Any = Value(2.0)
    assert (x + 1).double().data == 6.0
    assert x * x == "replaced"


def test_a_constructor_that_a_user_replaces_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    original: Any = Value.__init__

    def init(self: Value, *args: Any) -> None:
        made.append(args)
        original(self, *args)

    monkeypatch.setattr(Value, "__init__", init)
    assert Value(2.0).data == 2.0
    assert made == [(2.0,)]


def test_a_failed_pass_changes_no_gradient() -> None:
    x, y = Value(0.0, label="x"), Value(2.0)
    unknown: Any = None
    x.grad, y.grad = 0.25, unknown
    z = x.sqrt() * y
    with pytest.raises(ValueError, match="no finite derivative"):
        z.backward()
    assert x.grad == 0.25 and y.grad is None
    assert not has_gradient(z)


def test_a_failed_evaluation_changes_no_number() -> None:
    x = Value(2.0, label="x")
    first = x * 3.0
    y = first.log()
    y.backward()
    x.data = -1.0
    with pytest.raises(ValueError, match="log needs a > 0"):
        y.recompute()
    assert first.data == 6.0 and first.grad == pytest.approx(1.0 / 6.0)
