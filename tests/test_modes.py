"""no_grad, detect_anomaly and scope: what nodes are made under."""

from __future__ import annotations

import math

import pytest

from autograd import Value, detect_anomaly, no_grad, scope


def test_no_grad_works_as_a_decorator_and_nests() -> None:
    @no_grad()
    def predicted(x: Value) -> Value:
        with no_grad():
            x = x * 2
        return x * 3

    assert predicted(Value(1.0)).args == ()
    assert (Value(1.0) * 2).args != ()


def test_settings_end_with_their_block_even_if_it_fails() -> None:
    with pytest.raises(KeyError), no_grad(), detect_anomaly(), scope("a"):
        raise KeyError
    x = Value(1e300)
    y = x * x
    assert (y.data, y.args, y.scope) == (math.inf, (x, x), "")


def test_one_setting_can_be_entered_twice() -> None:
    quiet = no_grad()
    with quiet:
        with quiet:
            pass
        assert (Value(1.0) * 2).args == ()
    assert (Value(1.0) * 2).args != ()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda x: x * 1e200 * 1e200, r"x·1e\+200·1e\+200 is inf, at a = x·1e\+200 = 1e\+200"),
        (lambda x: x * math.inf - x * math.inf, r"x·inf is inf, at a = x = 1, b = inf"),
        (lambda x: (x * math.nan).exp(), r"x·nan is nan"),
    ],
)
def test_detect_anomaly_stops_at_the_first_operation(make, words: str) -> None:  # type: ignore[no-untyped-def]
    with detect_anomaly(), pytest.raises(FloatingPointError, match=words):
        make(Value(1.0, label="x"))


def test_scopes_nest_and_mark_leaves_constants_and_results() -> None:
    with scope("layer1"):
        x = Value(1.0)
        with scope("neuron0"):
            y = x * 2
        z = y + x
    after = z * 1
    assert [v.scope for v in (x, y, y.args[1], z, after)] == [
        *("layer1", "layer1.neuron0", "layer1.neuron0", "layer1", ""),
    ]


@pytest.mark.parametrize("name", ["", None, 3])
def test_a_scope_needs_a_name(name: object) -> None:
    with pytest.raises(ValueError, match="a scope needs a name"):
        scope(name)  # type: ignore[arg-type]
