"""Tests of the backward pass: its results, its error messages, and what it leaves unchanged."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from mpmath import mpf

import autograd
from autograd import Value, detect_anomaly, grad, gradcheck, no_grad
from autograd.core import ops
from autograd.core.backprop import gradients, has_gradient, moved, stale
from autograd.core.graph import topological_order
from autograd.core.term import numeral
from autograd.extend import TABLE
from tests import oracle
from tests.random_graphs import CALM, GUARDED, PIECEWISE, Program, programs

ENGINE: dict[str, Any] = dict(TABLE)


def run(program: Program) -> tuple[list[Value], list[Value]]:
    leaves = [Value(x) for x in program.leaves]
    return leaves, program.run(leaves, ENGINE)


def slopes_by_oracle(program: Program) -> list[Any]:
    def output(*leaves: Any) -> Any:
        return program.run(leaves, oracle.FORMULAS)[-1]

    return [oracle.partial(output, program.leaves, i) for i in range(len(program.leaves))]


# ---------------------------------------------------------------------- right gradients


@settings(deadline=None, max_examples=150)
@given(programs())
def test_random_graphs_have_the_gradients_of_a_150_digit_oracle(program: Program) -> None:
    leaves, results = run(program)
    results[-1].backward()
    wanted = program.run([mpf(x) for x in program.leaves], oracle.FORMULAS)[-1]
    assert abs(results[-1].data - wanted) <= 1e-11 * max(1, abs(wanted))
    for leaf, slope in zip(leaves, slopes_by_oracle(program)):
        assert abs(leaf.grad - slope) <= 1e-9 * max(1, abs(slope))


@settings(deadline=None, max_examples=60)
@given(programs((*CALM, *GUARDED, *PIECEWISE)))
def test_all_ways_to_a_gradient_agree(program: Program) -> None:
    leaves, results = run(program)
    root = results[-1]
    root.backward()
    by_table = gradients(root)
    used = [leaf for leaf in leaves if leaf in by_table]
    by_leaves = gradients(root, by=used)
    with_graph = grad(root, used, create_graph=True)
    for node in topological_order(root):
        if node.op is not ops.constant:
            assert by_table[node] == node.grad
    assert [by_leaves[x] for x in used] == [x.grad for x in used]
    assert [g.data for g in with_graph] == pytest.approx([x.grad for x in used], rel=1e-12)
    stepper = root.stepper()
    list(stepper)
    assert stepper.gradients == {n: g for n, g in by_table.items() if n.op is not ops.constant}


@settings(deadline=None, max_examples=30)
@given(programs(CALM, most=6))
def test_second_derivatives_of_random_graphs(program: Program) -> None:
    leaves, results = run(program)
    used = gradients(results[-1])
    which, leaf = next((i, leaf) for i, leaf in enumerate(leaves) if leaf in used)
    (slope,) = grad(results[-1], leaf, create_graph=True)
    second = gradients(slope).get(leaf, 0.0)

    def output(*at: Any) -> Any:
        return program.run(at, oracle.FORMULAS)[-1]

    wanted = oracle.second_partial(output, program.leaves, which, which)
    assert abs(second - wanted) <= 1e-7 * max(1, abs(wanted))


@settings(deadline=None, max_examples=60)
@given(programs((*CALM, *GUARDED, *PIECEWISE)))
def test_pytorch_agrees_kinks_and_ties_included(torch: Any, program: Program) -> None:
    do: dict[str, Callable[..., Any]] = {
        **{name: getattr(torch, name) for name in ("sin", "cos", "tanh", "sigmoid", "log", "sqrt")},
        **{name: getattr(torch, name) for name in ("atan", "asinh")},
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "neg": lambda a: -a,
        "pow": lambda a, b: a**b,
        "power": lambda a, b: a**b,
        "expm1": torch.expm1,
        "softplus": torch.nn.functional.softplus,
        "relu": torch.relu,
        "leaky_relu": torch.nn.functional.leaky_relu,
        "elu": torch.nn.functional.elu,
        "abs": torch.abs,
        "maximum": torch.maximum,
        "minimum": torch.minimum,
    }
    leaves, results = run(program)
    tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in program.leaves]
    root = program.run(tensors, do)[-1]
    results[-1].backward()
    root.backward()
    for leaf, tensor in zip(leaves, tensors):
        wanted = 0.0 if tensor.grad is None else float(tensor.grad)
        assert leaf.grad == pytest.approx(wanted, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("x", [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0])
@pytest.mark.parametrize(
    "name",
    [
        *("log2", "log10", "exp2", "square", "reciprocal", "rsqrt", "tan", "asin", "acos", "atan"),
        *("sinh", "cosh", "asinh", "acosh", "atanh", "silu", "gelu"),
        *("sign", "floor", "erf", "erfc"),
    ],
)
def test_pytorch_has_the_same_values_and_slopes(torch: Any, name: str, x: float) -> None:
    ours, theirs = Value(x), torch.tensor(x, dtype=torch.float64, requires_grad=True)
    functional = torch.nn.functional if name in ("silu", "gelu") else torch
    wanted = getattr(functional, name)(theirs)
    wanted.backward()
    if not (torch.isfinite(wanted) and torch.isfinite(theirs.grad)):
        with pytest.raises(ValueError, match="not defined|no finite derivative"):
            getattr(ours, name)().backward()
        return
    found = getattr(ours, name)()
    found.backward()
    assert found.data == pytest.approx(wanted.item(), rel=1e-13)
    assert ours.grad == pytest.approx(theirs.grad.item(), rel=1e-13)


@pytest.mark.parametrize("x", [-3.0, -1.0, 0.5, 2.0, 4.0])
def test_pytorch_clips_and_measures_alike(torch: Any, x: float) -> None:
    for ours, theirs in (
        (lambda v: v.clip(-1.0, 2.0), lambda t: t.clamp(-1.0, 2.0)),
        (lambda v: v.hypot(3.0), lambda t: torch.hypot(t, torch.full_like(t, 3.0))),
        (lambda v: v.atan2(3.0), lambda t: torch.atan2(t, torch.full_like(t, 3.0))),
    ):
        leaf, tensor = Value(x), torch.tensor(x, dtype=torch.float64, requires_grad=True)
        found, wanted = ours(leaf), theirs(tensor)
        found.backward(), wanted.backward()
        assert found.data == pytest.approx(wanted.item(), rel=1e-14)
        assert leaf.grad == pytest.approx(tensor.grad.item(), rel=1e-14)


def test_the_chain_worked_by_hand() -> None:
    x, w, b = Value(1.5), Value(0.6), Value(0.1)
    z = w * x + b
    a = z.sigmoid()
    cost = (a - 1.0) ** 2
    cost.backward()
    a_ = 1 / (1 + math.exp(-1.0))
    slope = 2 * (a_ - 1) * a_ * (1 - a_)
    assert b.grad == pytest.approx(slope, rel=1e-14)
    assert w.grad == pytest.approx(slope * 1.5, rel=1e-14)
    assert x.grad == pytest.approx(slope * 0.6, rel=1e-14)


# ---------------------------------------------------------------------- what backward() means


def test_a_second_backward_doubles_the_leaves_and_nothing_else() -> None:
    x = Value(3.0)
    y = x * x
    z = y + x
    z.backward()
    first = (x.grad, y.grad, z.grad)
    z.backward()
    assert first == (7.0, 1.0, 1.0)
    assert (x.grad, y.grad, z.grad) == (14.0, 1.0, 1.0)


def test_gradients_of_two_outputs_add_up_in_their_leaves() -> None:
    x = Value(3.0)
    (x * 2).backward()
    (x * 5).backward()
    assert x.grad == 7.0


def test_an_intermediate_node_has_the_gradient_of_the_last_call() -> None:
    x = Value(3.0)
    y = x * 2
    (y * 10).backward()
    (y * 7).backward()
    assert (y.grad, x.grad) == (7.0, 34.0)


def test_the_gradient_that_flows_in_scales_all() -> None:
    x = Value(3.0)
    (x * x).backward(gradient=-0.5)
    assert x.grad == -3.0
    with pytest.raises(TypeError, match="gradient expected one real number"):
        (x * x).backward(gradient="1")  # type: ignore[arg-type]


def test_backward_of_a_leaf_is_one() -> None:
    x = Value(3.0)
    x.backward()
    x.backward()
    assert x.grad == 2.0


def test_zero_grad_empties_leaves_and_intermediate_nodes() -> None:
    x = Value(3.0)
    y = x * x
    y.backward()
    y.zero_grad()
    assert (x.grad, y.grad, has_gradient(x), has_gradient(y)) == (0.0, 0.0, False, False)


def test_a_constant_gets_no_gradient() -> None:
    x, c = Value(3.0), Value(2.0).detach()
    (x * c + 5.0).backward()
    assert (x.grad, c.grad, has_gradient(c)) == (2.0, 0.0, False)


def test_backward_of_a_constant_says_that_there_is_nothing_to_differentiate() -> None:
    with pytest.raises(ValueError, match="nothing to differentiate.*detach"):
        Value(3.0).detach().backward()


def test_gradients_are_exact_floats_even_if_the_data_is_not() -> None:
    x = Value(3.0)
    x.data = 4  # a learner's w.data = 4 is an int
    y = x * x
    y.backward()
    assert (type(y.data), y.data, x.grad) == (float, 16.0, 8.0)


def test_backward_that_fails_leaves_every_gradient_as_it_was() -> None:
    x, y = Value(4.0), Value(0.0)
    good = x * y
    good.backward()
    bad = good + y.sqrt() + x
    with pytest.raises(ValueError, match="no finite derivative"):
        bad.backward()
    assert (x.grad, y.grad, good.grad, bad.grad) == (0.0, 4.0, 1.0, 0.0)


def cyclic() -> Value:
    a, b = Value(2.0), Value(3.0)
    c = a * b
    d = c + 1
    c.args = (a, d)
    return d


@pytest.mark.parametrize(
    "use",
    [
        lambda v: v.backward(),
        lambda v: v.recompute(),
        lambda v: v.zero_grad(),
        lambda v: v.stepper(),
        lambda v: v.draw(),
        lambda v: v.sensitivity(),
        lambda v: grad(v, v.args[0]),
    ],
)
def test_a_cycle_made_by_hand_is_an_error_not_a_hang(use: Callable[[Value], Any]) -> None:
    with pytest.raises(ValueError, match="the graph has a cycle: the (add|mul) node"):
        use(cyclic())


def test_a_node_that_is_its_own_operand_is_a_cycle() -> None:
    y = -Value(1.0)
    y.label = "y"
    y.args = (y,)
    with pytest.raises(ValueError, match="cycle: the neg node 'y'"):
        y.backward()


# ---------------------------------------------------------------------- grad


def test_grad_leaves_every_grad_alone() -> None:
    x = Value(3.0)
    y = x * x
    y.backward()
    assert grad(y, [x, y]) == (6.0, 1.0)
    assert (x.grad, y.grad) == (6.0, 1.0)


def test_grad_takes_intermediate_nodes() -> None:
    x = Value(3.0)
    y = x * 2
    assert grad(y * y, y) == (12.0,)


def test_third_derivative() -> None:
    x = Value(2.0)
    y = x**5
    for wanted in (80.0, 160.0, 240.0):
        (y,) = grad(y, x, create_graph=True)
        assert y.data == wanted


def test_a_derivative_that_is_constant_is_a_constant() -> None:
    x = Value(2.0)
    (slope,) = grad(3.0 * x, x, create_graph=True)
    assert (slope.data, slope.op) == (3.0, ops.constant)


def test_create_graph_and_backward_work_together() -> None:
    x = Value(2.0)
    (slope,) = grad(x**3, x, create_graph=True)
    (slope**2).backward()  # d/dx (3x²)² = 36x³
    assert x.grad == 288.0


def test_an_unused_input_is_an_error_unless_allowed() -> None:
    x, other = Value(2.0, label="x"), Value(3.0, label="other")
    with pytest.raises(ValueError, match="x² does not depend on other.*allow_unused=True"):
        grad(x**2, [x, other])
    assert grad(x**2, [x, other], allow_unused=True) == (4.0, None)


def test_a_constant_input_is_an_error_that_says_so() -> None:
    c = Value(2.0).detach()
    with pytest.raises(ValueError, match=r"\(a constant\)"):
        grad(c * Value(1.0), c)


def test_grad_refuses_what_is_not_a_value() -> None:
    with pytest.raises(TypeError, match="with respect to Values; got 2.0"):
        grad(Value(1.0) * 2, [2.0])  # type: ignore[list-item]


# ---------------------------------------------------------------------- recompute


@settings(deadline=None, max_examples=60)
@given(programs(), programs())
def test_recompute_gives_what_a_new_graph_would(program: Program, other: Program) -> None:
    leaves, results = run(program)
    numbers = (other.leaves * 4)[: len(leaves)]
    for leaf, x in zip(leaves, numbers):
        leaf.data = x
    results[-1].recompute()
    again = run(Program(tuple(numbers), program.instructions))[1]
    in_graph = set(topological_order(results[-1]))
    for old, new in zip(results, again):
        if old in in_graph:
            assert old.data == new.data or (math.isnan(old.data) and math.isnan(new.data))


def test_recompute_keeps_leaf_gradients_and_empties_the_others() -> None:
    x = Value(3.0)
    y = x * x
    y.backward()
    x.data = 4.0
    assert y.recompute() is y
    assert (y.data, x.grad, has_gradient(x), has_gradient(y)) == (16.0, 6.0, True, False)


def test_recompute_that_fails_leaves_the_graph_as_it_was() -> None:
    x = Value(3.0, label="x")
    double = x * 2
    y = (double - 1).log()
    y.backward()
    x.data = 0.25
    with pytest.raises(ValueError, match=r"log\(x·2 − 1\).*a = x·2 − 1 = -0.5"):
        y.recompute()
    assert (double.data, y.data, y.grad) == (6.0, math.log(5.0), 1.0)
    x.data = "4"  # type: ignore[assignment]
    with pytest.raises(TypeError, match="the data of x expected one real number"):
        y.recompute()
    assert y.data == math.log(5.0)


def test_recompute_turns_foreign_data_into_floats() -> None:
    x = Value(3.0)
    y = x * x
    x.data = np.float64(2.0)
    y.recompute()
    assert (type(x.data), type(y.data)) == (float, float)


def test_stale_nodes_are_those_downstream_of_a_change() -> None:
    x, w = Value(3.0), Value(2.0)
    a, b = x * 2, w * 2
    y = a + b
    assert stale(y) == set()
    x.data = 4.0
    assert stale(y) == {a, y}
    y.recompute()
    assert stale(y) == set()


def test_moved_evaluates_without_touching_the_graph() -> None:
    x = Value(3.0)
    y = x * x + 1
    assert moved(y, x, 4.0)[y] == 17.0
    assert moved(y, y.args[0], 0.0)[y] == 1.0
    assert (x.data, y.data) == (3.0, 10.0)


# ---------------------------------------------------------------------- modes and tails


def test_log_of_one_plus_a_huge_exponential() -> None:
    x = Value(1000.0)
    y = x.softplus()
    y.backward()
    assert (y.data, x.grad) == (1000.0, 1.0)


def test_under_no_grad_nothing_is_recorded() -> None:
    x = Value(3.0)
    with no_grad():
        y = x * x + 1
    assert (y.data, y.args, y.op) == (10.0, (), ops.constant)


def test_under_detect_anomaly_a_gradient_that_overflows_is_found_where_it_does() -> None:
    x = Value(1e-200, label="x")
    with detect_anomaly():
        y = x.log() * 1e200
        words = r"gradient of x became inf in log\(x\): upstream 1e\+200 × local 1e\+200"
        with pytest.raises(FloatingPointError, match=words):
            y.backward()
    assert not has_gradient(x)


def test_under_detect_anomaly_recompute_is_watched_too() -> None:
    x = Value(1.0, label="x")
    y = x * x
    x.data = 1e200
    with detect_anomaly(), pytest.raises(FloatingPointError, match="x·x became inf"):
        y.recompute()
    assert y.data == 1.0


def test_python_functions_of_the_package_share_the_engine() -> None:
    x = Value(2.0)
    y = autograd.log(autograd.exp(x))
    y.backward()
    assert x.grad == pytest.approx(1.0)


def test_grad_does_not_mistake_pytorchs_third_argument() -> None:
    x = Value(2.0)
    with pytest.raises(TypeError, match="create_graph is True or False"):
        grad(x * x, x, Value(1.0))  # type: ignore[arg-type]


def test_a_derivative_that_nobody_asks_for_does_not_stop_the_pass() -> None:
    x, c = Value(3.0), Value(0.0).detach()
    y = c.sqrt() + c**0.5 * c + x
    y.backward()
    assert x.grad == 1.0
    assert grad(y, x) == (1.0,)


@pytest.mark.parametrize(
    ("base", "exponent", "slope"), [(0.0, 0.0, 0.0), (0.0, 1.0, 1.0), (0.0, 2.0, 0.0), (-2, 3, 12)]
)
def test_powers_at_and_below_zero(base: float, exponent: float, slope: float) -> None:
    x = Value(base)
    (x**exponent).backward()
    assert x.grad == slope
    if base == 0.0:
        a, b = Value(base), Value(exponent)
        (a**b).backward()
        assert (a.grad, b.grad) == (slope, 0.0)


def test_a_power_takes_the_row_that_fits_its_exponent_however_it_is_called() -> None:
    x, n = Value(2.0), Value(3.0)
    assert (TABLE["pow"](x, n).op, TABLE["power"](x, 3.0).op) == (TABLE["power"], TABLE["pow"])
    assert (2.0 ** n.detach()).op is TABLE["pow"]


def test_threads_that_share_a_graph_get_right_gradients() -> None:
    x = y = Value(1.0)
    for _ in range(200):
        y = y * 0.5 + y * 0.5
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _: grad(y, x)[0], range(200)))
    finally:
        sys.setswitchinterval(before)
    assert set(found) == {1.0}


@pytest.mark.parametrize("use", [lambda y: y.backward(), lambda y: y.recompute()])
def test_an_interrupt_leaves_the_graph_as_it_was(use: Callable[[Value], Any]) -> None:
    def interrupted(*_: float) -> Any:
        raise KeyboardInterrupt

    x = Value(2.0)
    inner = autograd.op("f", lambda a: a, lambda out, a: interrupted())(x)
    y = inner * x
    x.grad, inner.grad, y.grad = 5.0, 6.0, 7.0
    x.data = 3.0
    late = autograd.op("g", lambda a: interrupted() if a == 9.0 else a, lambda out, a: (1.0,))
    y = late(y)
    with pytest.raises(KeyboardInterrupt):
        use(y)
    assert (x.grad, inner.grad, inner.data) == (5.0, 6.0, 2.0)


def test_foreign_data_neither_lowers_the_precision_nor_leaks() -> None:
    x: Any = Value(1.0)
    x.data = np.float32(0.1)
    y = x * x
    assert (type(y.data), y.data) == (float, float(np.float32(0.1)) ** 2)
    y.backward()
    assert (type(x.data), type(x.grad)) == (float, float)


def test_anomalies_are_found_under_no_grad_and_in_sums_of_gradients() -> None:
    x = Value(0.0, label="x")
    with detect_anomaly():
        with no_grad(), pytest.raises(FloatingPointError, match="is inf"):
            Value(1e200) * Value(1e200)
        y = x * 1.5e308 + x * 1.5e308
        with pytest.raises(FloatingPointError, match="gradient of x added up to inf"):
            y.backward()
    assert x.grad == 0.0


def test_grad_of_something_else_is_refused() -> None:
    with pytest.raises(TypeError, match="inputs are Values; got 3"):
        grad(Value(1.0) * 2, 3)  # type: ignore[arg-type]


# ---------------------------------------------------------------------- slopes that go to no one


def no_slope(out: float, a: float, b: float) -> float:
    raise ValueError("this derivative does not exist")


half = autograd.op(  # has a derivative by its first operand only
    "half",
    value=lambda a, b: a * b,
    partials=(lambda out, a, b: b, no_slope),
)
GOES_NOWHERE: dict[str, Any] = {  # functions of a leaf x = 2, and their derivatives
    "zero to a learned power": (lambda x: 0.0**x, 0.0),
    "a power with a whole exponent from elsewhere": (lambda x: (x - 5.0) ** constant(3.0), 27.0),
    "a root at zero, of constants": (lambda x: x * (constant(0.0) * 3.0).sqrt(), 0.0),
    "a power of constants": (lambda x: x + (constant(-2.0) * 1.0) ** (constant(2.0) * 1.0), 1.0),
    "zero, computed, to a power": (lambda x: (constant(0.0) * 3.0) ** (x / 4.0), 0.0),
    "a user's operation beside a constant": (lambda x: half(x, 3.0), 3.0),
    "a user's operation beside what constants make": (lambda x: half(x, constant(3.0) * 1.0), 3.0),
}
each_nowhere = pytest.mark.parametrize(("f", "slope"), GOES_NOWHERE.values(), ids=GOES_NOWHERE)


def constant(x: float) -> Value:
    return Value(x).detach()


@each_nowhere
def test_a_slope_that_goes_to_no_leaf_is_no_error(f: Any, slope: float) -> None:
    x = Value(2.0, label="x")
    out = f(x)
    out.backward()
    assert x.grad == gradients(out)[x] == slope
    assert grad(out, x) == (slope,)
    assert grad(out, x, create_graph=True)[0].data == slope
    out.zero_grad()
    with detect_anomaly():
        f(x).backward()
    assert x.grad == slope
    assert f"{numeral(slope)}" in str(out.explain(x))
    stepper = out.stepper()
    stepper.until("x")
    assert stepper.gradients[x] == slope
    assert stepper.check(x=slope)
    assert gradcheck(out)
    out.draw()
    out.page()


@each_nowhere
def test_compiled_code_asks_for_no_slope_that_goes_nowhere(f: Any, slope: float) -> None:
    x = Value(2.0)
    code = autograd.compile(lambda: f(x), params=[x])
    assert code.value_and_grad()[1].tolist() == [slope]
    by_rows = autograd.compile(lambda c: f(x) + c, params=[x])
    assert by_rows.value_and_grad([1.0, 2.0])[1].tolist() == [slope]


def test_beside_a_negative_base_only_the_exponent_has_no_derivative() -> None:
    a, b = Value(-2.0, label="a"), Value(3.0, label="b")
    out = a**b
    assert grad(out, a) == (12.0,)
    (slope,) = grad(out, a, create_graph=True)
    assert grad(slope, a) == (-12.0,)
    assert "12" in str(out.explain(a))
    assert out.nudge(a, 0.5).gradient == 12.0
    for ask in (out.backward, lambda: grad(out, [a, b]), lambda: grad(out, b, create_graph=True)):
        with pytest.raises(ValueError, match=r"a\^b has no finite derivative at a = a = -2"):
            ask()
    assert (a.grad, b.grad) == (0.0, 0.0)
    base = autograd.compile(lambda n: a**n, params=[a])
    assert base.value_and_grad([3.0, 2.0])[1].tolist() == [4.0]
    both = autograd.compile(lambda: a**b, params=[a, b])
    with pytest.raises(ValueError, match="has no finite derivative"):
        both.value_and_grad()


def test_after_a_slope_that_goes_nowhere_the_pass_goes_on() -> None:
    x, y = Value(2.0), Value(3.0)
    out = (0.0**x + x * y) * (0.0**y + y)
    out.backward()
    assert (x.grad, y.grad) == (9.0, 12.0)


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x.detach(),
        lambda x: x.detach() * 2,
        lambda x: autograd.sum([1.0, 2.0]) * 3.0,
        lambda x: (x.detach() * 2).exp() + x.detach() ** 2,
        lambda x: autograd.mean([x.detach(), 4.0]),
    ],
)
def test_what_is_made_of_constants_has_nothing_to_differentiate(make: Any) -> None:
    out = make(Value(3.0))
    for ask in (out.backward, out.stepper):
        with pytest.raises(ValueError, match="nothing to differentiate: .* constant"):
            ask()
    assert out.grad == 0.0


def test_a_leaf_that_nothing_flows_to_is_something_to_differentiate() -> None:
    x = Value(3.0)
    out = autograd.stop_gradient(x) * 2.0
    out.backward()
    assert (out.grad, x.grad) == (1.0, 0.0)


def test_where_follows_a_recompute_if_its_condition_is_a_value() -> None:
    x, y = Value(2.0), Value(1.0)
    out = autograd.where((x - y).step(), x * 10.0, y)
    x.data = 0.5
    assert (out.data, out.recompute().data) == (20.0, 1.0)


@pytest.mark.parametrize("condition", [True, np.bool_(False)])
def test_where_warns_of_a_condition_that_cannot_follow(condition: Any) -> None:
    x = Value(2.0)
    with pytest.warns(UserWarning, match=r"condition of where is the plain bool (True|False)") as w:
        out = autograd.where(condition, x, 0.0)
    assert w[0].filename == __file__
    assert out.data == (2.0 if condition else 0.0)
    assert autograd.where(float(condition), x, 0.0).data == out.data
    assert autograd.where(condition, 1.0, 3.0) == (1.0 if condition else 3.0)  # no Value, no graph
