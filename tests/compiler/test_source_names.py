"""Tests of names in compiled source: labels become plain identifiers, so none is executed."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import Op, Value, extend
from autograd.compiler.names import Names, find_common_name, make_identifier
from autograd.page.tables import write_operations

ATTACKS = [
    *("ε", "ϵ", "µ", "μ", "ｗ", "ﬁ", "𝐱", "ª", "K", "x́", "\u202eevil", "ſum"),
    *("class", "None", "match", "type", "_", "__import__", "__builtins__", "__name__", "dict"),
    *("np", "theta", "d_theta", "n", "rows", "compiled", "value", "d_w", "add_at", "op_value"),
    *("w'", 'w"', '"""', "w\n", "w\nimport os", "w\r\nx = 1", "w#", "w # y\n", "w\\", "w;x"),
    *("w = 1", "(w", "w)", "[", "]", "w[0", "w]0[", "{w}", "%s", "\x00", "1e5", "0", "", " "),
    'np[__import__("os").system("touch hacked")].x',
    "w):\n    import os\n    os.system('touch hacked')\ndef f(",
    "x" * 10_000,
]


@given(st.one_of(st.sampled_from(ATTACKS), st.text(max_size=30)))
def test_a_name_is_a_plain_word_or_nothing(text: str) -> None:
    name = make_identifier(text)
    assert re.fullmatch(r"(|[A-Za-z][A-Za-z0-9_]{0,39})", name)
    assert name not in (*keyword.kwlist, *keyword.softkwlist, *dir(builtins))
    assert make_identifier(name) == name


@pytest.mark.parametrize(
    ("label", "name"),
    [("W₁", "W1"), ("ｗ", "w"), ("layers[0].w", "layers_0_w"), ("__w__", "w"), ("1st w", "st_w")],
)
def test_what_can_be_kept_of_a_label_is_kept(label: str, name: str) -> None:
    assert make_identifier(label) == name == find_common_name([f"{label}[0]", f"{label}[1]"])


@given(st.lists(st.sampled_from(["w", "w_2", "d_w", "d_w_2", "np", "b"]), max_size=12))
def test_free_names_and_those_of_their_gradients_all_differ(wanted: list[str]) -> None:
    names = Names(["x"])
    found = [names.reserve(name) for name in wanted]
    every = [*found, *(f"d_{name}" for name in found), "x", "d_x", "np"]
    assert len(set(every)) == len(every)


def words(compiled: autograd.Compiled) -> set[str]:
    """Return the names in the source, and check that the source contains no strings."""
    tree = ast.parse(compiled.source)
    assert all(isinstance(part, ast.FunctionDef) for part in tree.body)
    assert compiled.source.isascii() and "#" not in compiled.source
    assert not any(
        isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes))
        for node in ast.walk(tree)
    )
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def hold(function: Any, params: list[Value], x: list[float]) -> autograd.Compiled:
    """Compile a function and check its outputs and gradient against the engine's."""
    compiled = autograd.compile(function, params=params)
    value, gradient = compiled.value_and_grad(x)
    assert not {"__import__", "os", "exec", "eval", "open"} & words(compiled)
    found = compiled(x)
    words(compiled)
    wanted = []
    for p in params:
        p.zero_grad()
    for xi in x:
        cost = function(Value(xi))
        cost.backward(1.0 / len(x))
        wanted.append(cost.data)
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    assert value == pytest.approx(np.mean(wanted))
    np.testing.assert_allclose(gradient, [p.grad for p in params], rtol=1e-12)
    return compiled


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(ATTACKS), min_size=3, max_size=3))
def test_labels_of_parameters_and_scopes_are_never_executed(labels: list[str]) -> None:
    u, v = Value(0.5, labels[0]), Value(1.5, labels[1])

    def function(x: Value) -> Value:
        with autograd.scope(labels[2] or "-"):
            y = (u * x).tanh()
            y.label = labels[0]
            z = (y + v).exp()
        z.label = labels[2]
        return z * u

    compiled = hold(function, [u, v], [0.25, -1.0])
    assert str(compiled.program).count("\n") == len(compiled.program.nodes), (
        "one line for each node"
    )


@pytest.mark.parametrize("name", ["ε", "ϵ", "ｗ", "match", "dict", "np", "d_w", "self", "_", "__"])
def test_names_of_arguments_are_never_executed(name: str) -> None:
    w = Value(2.0, "w")
    hold(eval(f"lambda {name}: (weight * {name}).tanh()", {"weight": w}), [w], [0.5, 2.0])


def test_two_letters_that_python_takes_for_one_are_two_parameters() -> None:
    a, b = Value(2.0, "ε"), Value(3.0, "ϵ")
    hold(lambda x: a * x + b * b * x, [a, b], [1.0, 2.0])


OPERATION = {"op", "op_2", "op_value", "op_partial0", "op_partial1"}


@pytest.mark.parametrize("name", ATTACKS)
def test_names_of_operations_are_never_executed(name: str) -> None:
    w = Value(2.0, "w")
    made = Op(name, lambda a, b: a * b * b, lambda out, a, b: (b * b, 2.0 * a * b))
    compiled = hold(lambda x: made(w, x) + made(x, x), [w], [0.5, 2.0])
    assert {word for word in words(compiled) if word.startswith("op")} <= OPERATION
    if name.isidentifier() and not keyword.iskeyword(name):
        again = autograd.op(name, lambda a: a * a, lambda out, a: (2.0 * a,))
        hold(lambda x: again(w * x), [w], [0.5, 2.0])


def test_a_node_made_by_hand_is_never_executed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ATTACKS:
        by_hand = Value(6.0, (Value(2.0),), name)
        with pytest.raises(autograd.TraceError, match="computed before it was called"):
            autograd.compile(lambda x: by_hand * x)([1.0, 2.0])  # noqa: B023
        if name:
            with pytest.raises(autograd.TraceError):
                autograd.compile(lambda x: Value(6.0, (x,), name) * x)([1.0, 2.0])  # noqa: B023
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "array",
    [
        '__import__("os").system("touch hacked")',
        "np[__import__('os')].x",
        "a.__class__",
        "np.load('x')",
        "(lambda: a)()",
        "[a for a in b]",
        "'a'",
        "np.lib.npyio.os.system('x')",
        "a if a else b",
        "other",
        "a\nb",
        "np.exp(a, out=a)",
        "f'{a}'",
        "a := 1",
        "np.core",
    ],
)
def test_an_array_form_is_an_expression_of_numbers_and_nothing_else(array: str) -> None:
    for forms in ({"array": array}, {"array_partials": (array,)}):
        with pytest.raises(ValueError, match="an array form is an expression of"):
            Op("mine", lambda a: a, lambda out, a: (1.0,), **forms)


def test_names_in_javascript_are_words() -> None:
    for name in ("a) => 1; alert(1); (b", "class", "é", "a b", "", "__proto__", "</script>"):
        with pytest.raises(ValueError, match="a name in JavaScript is"):
            extend.javascript(lambda x: x * 2.0, [name])
    hostile = Op("</script><b>\n`${x}`", lambda a: a * 2.0, lambda out, a: (2.0,))
    text = write_operations([hostile])
    assert "</" not in text and '"\\u003c/script>\\u003cb>\\n`${x}`"' in text


def test_a_comparison_that_occurs_twice_is_named() -> None:
    w = Value(3.0, "w")
    cost = autograd.compile(lambda x, y: autograd.where(x, w * y, w) + autograd.where(y, 0.0, w))
    value, gradient = cost.value_and_grad([0.0, 2.0, np.nan, 0.0], [5.0, 0.0, 7.0, 0.0])
    assert (value, gradient.tolist()) == ((3 + 3 + 21 + 6) / 4, [(1 + 1 + 7 + 2) / 4])
    lines = [line.strip() for line in cost.source.splitlines()]
    assert "x_is_0 = x == 0.0" in lines and "y_is_0 = y == 0.0" in lines
    assert "d_where = d_add" in lines and "d_w[...] += (d_where * y_is_0)" in cost.source
    assert cost.source.count("x == 0.0") == cost.source.count("y == 0.0") == 1
