"""Tests of drawings: boxes and lines, read from the SVG as a person sees them."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import autograd
from autograd import LabelError, Value, draw, no_grad, scope
from tests.pictures import SVG, Picture, look


def neuron() -> tuple[Value, Value, Value, Value]:
    """Build C = (w·x + b)², where w·x + b = 2·1.5 − 1 = 2."""
    w, x, b = Value(2.0, label="w"), Value(1.5, label="x"), Value(-1.0, label="b")
    cost = (w * x + b) ** 2
    cost.label = "C"
    return w, x, b, cost


# ---------------------------------------------------------------------- nodes


def test_each_node_shows_its_label_value_and_gradient() -> None:
    _, _, _, cost = neuron()
    cost.backward()
    picture = look(cost)
    assert (picture.box("w").data, picture.box("w").gradient) == ("2", "6")
    assert (picture.box("x").data, picture.box("x").gradient) == ("1.5", "8")
    assert (picture.box("C").data, picture.box("C").gradient) == ("4", "1")


def test_an_operation_is_drawn_once_with_its_symbol() -> None:
    x = Value(0.5, label="x")
    y = x * x
    root = y.tanh() + y.relu() - y
    picture = look(root)
    heads = sorted(head for box in picture.boxes for head in box.head)
    assert heads == sorted(["x", "·", "tanh", "relu", "+", "−"])
    assert len(picture.lines) == 8  # a line for each operand: x·x has two lines from x


def test_an_operation_with_a_label_shows_both() -> None:
    _, _, _, cost = neuron()
    assert look(cost).box("C").head == ["C", "^"]


def test_an_operation_of_ones_own_shows_its_symbol_whatever_its_characters() -> None:
    cube = autograd.op("cube", lambda a: a**3, lambda out, a: (3 * a**2,), symbol="<³&\\N")
    assert look(cube(Value(2.0, label="x"))).labels == {"x", "<³&\\N"}


def test_a_node_made_by_hand_as_for_micrograd_is_drawn() -> None:
    x = Value(2.0, label="x")
    made = Value(8.0, (x,), "cube")
    assert look(made * x).box("cube").data == "8"


def test_constants_are_quiet() -> None:
    x = Value(2.0, label="x")
    with no_grad():
        k = x * 2.0
    k.label = "k"
    y = x * 3.0 + k
    y.backward()
    picture = look(y)
    for shown in ("3", "k = 4"):  # a constant shows only its number: no value row, no gradient
        box, line = picture.box(shown), picture.line(shown)
        assert (box.texts, box.outline) == ([shown], 0.0)
        assert line.width < picture.line("x").width and not line.text


def test_a_gradient_not_computed_yet_is_a_dash() -> None:
    w, _, _, cost = neuron()
    picture = look(cost)
    assert {picture.box(label).gradient for label in ("w", "x", "b", "C")} == {"—"}
    cost.backward(0.0)
    assert w.grad == 0.0 and look(cost).box("w").gradient == "0"  # computed, and zero


def test_a_changed_leaf_marks_what_depends_on_it_and_every_gradient_stale() -> None:
    w, _, _, cost = neuron()
    cost.backward()
    assert "stale" not in " ".join(text for box in look(cost).boxes for text in box.texts)
    w.data = 3.0
    picture = look(cost)
    assert picture.box("w").data == "3"
    assert picture.box("b").data == "-1"
    assert [picture.box(label).data for label in ("·", "+", "C")] == [
        "3 stale",
        "2 stale",
        "4 stale",
    ]
    assert [picture.box(label).gradient for label in ("w", "b", "C")] == [
        "6 stale",
        "4 stale",
        "1 stale",
    ]


def test_after_recompute_leaves_are_stale_and_the_rest_not_computed() -> None:
    w, _, _, cost = neuron()
    cost.backward()
    w.data = 3.0
    picture = look(cost.recompute())
    assert [picture.box(label).data for label in ("w", "·", "C")] == ["3", "4.5", "12.25"]
    assert [picture.box(label).gradient for label in ("w", "x", "b")] == [
        "6 stale",
        "8 stale",
        "4 stale",
    ]
    assert [picture.box(label).gradient for label in ("·", "+", "C")] == ["—", "—", "—"]
    cost.zero_grad()
    cost.backward()
    assert look(cost).box("w").gradient == "10.5"


def test_a_leaf_with_the_gradient_of_an_earlier_graph_is_stale_in_a_new_one() -> None:
    x = Value(3.0, label="x")
    (x * x).backward()
    assert look(x * 2.0).box("x").gradient == "6 stale"


def test_gradients_can_be_given_and_none_is_touched() -> None:
    w, x, _, cost = neuron()
    picture = look(cost, gradients={cost: 1.0, w: 7.5})
    assert (picture.box("w").gradient, picture.box("x").gradient) == ("7.5", "—")
    assert (w.grad, x.grad, cost.data) == (0.0, 0.0, 4.0)
    assert look(cost).box("w").gradient == "—"


def test_a_place_without_a_derivative_is_still_drawn() -> None:
    root = Value(0.0, label="s").sqrt()
    assert look(root).line("s").text == "× nan"


@pytest.mark.parametrize(
    ("rankdir", "sideways", "down"), [("LR", 1, 0), ("RL", -1, 0), ("TB", 0, 1), ("BT", 0, -1)]
)
def test_rankdir_says_where_the_output_stands(rankdir: str, sideways: int, down: int) -> None:
    x = Value(2.0, label="x")
    y = x.exp()
    y.label = "y"
    picture = look(y, rankdir=rankdir)
    (x0, y0), (x1, y1) = picture.box("x").at, picture.box("y").at
    assert (x1 - x0) * sideways + (y1 - y0) * down > 60.0


def test_an_unknown_direction_is_refused() -> None:
    with pytest.raises(ValueError, match="LR, TB, RL, BT; got 'left'"):
        draw(Value(1.0), rankdir="left")


# ---------------------------------------------------------------------- edges


def weighted(**slopes: float) -> Value:
    """Build a sum of leaves, each times a slope, which is then the leaf's gradient."""
    terms = [Value(1.0, label=label) * slope for label, slope in slopes.items()]
    root = autograd.sum(terms)
    root.backward()
    return root


def test_a_line_is_as_thick_as_what_flows_back_along_it() -> None:
    picture = look(weighted(none=0.0, small=0.1, middle=1.0, large=10.0, negative=-10.0))
    widths = [picture.line(label).width for label in ("none", "small", "middle", "large")]
    assert all(b > 1.2 * a for a, b in itertools.pairwise(widths))
    assert picture.line("negative").width == picture.line("large").width
    assert widths[-1] <= 6.0


def test_what_flows_back_is_upstream_times_local() -> None:
    x, y = Value(1.0, label="x"), Value(1.0, label="y")
    root = 5.0 * (x * 2.0) + y * 10.0
    root.backward()
    picture = look(root)
    assert picture.line("x").width == picture.line("y").width
    assert (picture.line("x").text, picture.line("y").text) == ("× 2", "× 10")


def test_an_infinite_flow_is_not_drawn_as_the_smallest() -> None:
    x, y = Value(1e-200, label="x"), Value(1e200, label="y")
    root = x * 1e200 * 1e200 + y * 1e200
    root.backward()
    assert x.grad == float("inf")
    picture = look(root)
    inner = next(line for line in picture.lines if line.tail == picture.line("x").head)
    assert picture.line("x").width >= inner.width


def test_the_sign_shows_in_colour_and_without_colour() -> None:
    picture = look(weighted(plus=3.0, minus=-3.0, zero=0.0))
    plus, minus, zero = (picture.line(label) for label in ("plus", "minus", "zero"))
    assert len({plus.colour, minus.colour, zero.colour}) == 3
    assert len({plus.dashes, minus.dashes, zero.dashes}) == 3 and plus.dashes == ""


# What is left of a colour for those without one kind of cone, on linear RGB: Machado, Oliveira
# and Fernandes, "A physiologically-based model for simulation of color vision deficiency" (2009).
BLIND = {
    "protanopia": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "deuteranopia": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "tritanopia": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}


def linear(colour: str) -> list[float]:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


@pytest.mark.parametrize("kind", BLIND)
def test_the_colours_of_the_signs_stay_apart_for_the_colour_blind(kind: str) -> None:
    picture = look(weighted(plus=3.0, minus=-3.0))
    plus, minus = (linear(picture.line(label).colour) for label in ("plus", "minus"))
    difference = [a - b for a, b in zip(plus, minus)]
    seen = [sum(k * d for k, d in zip(row, difference)) for row in BLIND[kind]]
    assert sum(d * d for d in seen) ** 0.5 > 0.3


def test_before_backward_no_line_claims_a_size_or_a_sign() -> None:
    _, _, _, cost = neuron()
    lines = look(cost).lines
    assert len({(line.colour, line.width, line.dashes) for line in lines}) == 1


def test_local_derivatives_stand_beside_the_lines_of_small_graphs_only() -> None:
    small, large = (look(weighted(**{f"x{i}": 3.0 for i in range(n)})) for n in (4, 19))
    assert [small.line(f"x{i}").text for i in range(4)] == ["× 3"] * 4
    assert {line.text for line in large.lines} == {""}


# ---------------------------------------------------------------------- a path


def branched() -> tuple[Value, Value]:
    """Build two paths from w to C: through `big` with slope 6, and `small` with slope 0.1."""
    w = Value(1.0, label="w")
    big, small = w * 6.0, w * 0.1
    big.label, small.label = "big", "small"
    cost = big + small
    cost.label = "C"
    return w, cost


@pytest.mark.parametrize("differentiated", [True, False], ids=["after backward", "before"])
def test_path_lights_up_the_one_path_that_carries_most(differentiated: bool) -> None:
    w, cost = branched()
    if differentiated:
        cost.backward()
    picture = look(cost, path=(w, "C"))
    w_box, big, small, c_box = (picture.box(label) for label in ("w", "big", "small", "C"))
    lit = {(w_box.id, big.id), (big.id, c_box.id)}
    bright = [line for line in picture.lines if (line.tail, line.head) in lit]
    pale = [line for line in picture.lines if (line.tail, line.head) not in lit]
    assert len(bright) == 2
    assert min(line.width for line in bright) > 1.5 * max(line.width for line in pale)
    assert max(sum(linear(line.colour)) for line in bright) < min(
        sum(linear(line.colour)) for line in pale
    )
    assert min(box.outline for box in (w_box, big, c_box)) > small.outline


def test_a_path_may_be_given_from_either_end() -> None:
    w, cost = branched()
    assert (
        draw(cost, path=("C", w)).source == draw(cost, path=("w", cost)).source != draw(cost).source
    )


def test_a_path_that_does_not_exist_is_refused_with_its_ends() -> None:
    _, _, _, cost = neuron()
    with pytest.raises(ValueError, match="no path leads from w to x"):
        draw(cost, path=("w", "x"))


@pytest.mark.parametrize("where", [{"path": ("wight", "C")}, {"around": "wight"}])
def test_an_unknown_label_is_refused_with_the_nearest(where: dict[str, Any]) -> None:
    w, cost = branched()
    w.label = "weight"
    with pytest.raises(LabelError, match=r"no node is labelled 'wight': the nearest .* 'weight'"):
        draw(cost, **where)


def test_a_node_of_another_graph_is_refused() -> None:
    _, cost = branched()
    stranger = Value(1.0)
    for where in ({"path": (stranger, cost)}, {"around": stranger}):
        with pytest.raises(ValueError, match="not part of the graph"):
            draw(cost, **where)
    with pytest.raises(TypeError, match="a node, its label or its formula"):
        draw(cost, around=3)  # type: ignore[arg-type]


# ---------------------------------------------------------------------- labels are data

LITERAL = [
    *('say "hi"', "it's", "a<b>c</b>", "a|b", "{a|{b}}", "a & b", "&amp;", "&lt;b&gt;", "&nbsp;"),
    *("&#65;", "<!--", "]]>", "-->", "%s %d", "😀 naïve ∂", "]", "]]", "<", ">", "--", "->", ";"),
    *("back\\slash", "\\n", "\\N", "\\G", "\\L", "\\T", "\\", "\\\\"),
]


@pytest.mark.parametrize("label", LITERAL)
def test_a_label_is_shown_as_it_was_written(label: str) -> None:
    root = Value(2.0, label=label).exp()
    root.label = f"y{label}"
    picture = look(root)
    assert picture.labels == {label, f"y{label}", "exp"}
    assert picture.box(label).tooltip == label
    assert picture.box(f"y{label}").tooltip == f"exp({label})"


def test_newlines_and_control_characters_of_a_label_become_spaces() -> None:
    assert look(Value(1.0, label="one\ntwo\x00\x1b")).labels == {"one two"}


def test_a_label_of_ten_thousand_characters_keeps_the_picture_small() -> None:
    long = "long" * 2_500
    with scope(long):
        x = Value(2.0, label=long)
        y = x * x + x
    y.label = long
    for drawing in (y.draw(), y.draw(max_nodes=2)):
        assert long[:12] in drawing.source
        assert len(drawing.source) < 10_000
        assert Picture(drawing).size()[0] < 1_500


hostile = st.lists(
    st.sampled_from(
        [*LITERAL, "\n", "\r\n", "\x00", "\ud800", "\ufffe", "\u2028", "</TD>", "<svg>"]
    )
    | st.text(st.characters(), max_size=20),  # surrogates and control characters too
    max_size=4,
).map("".join)


def tags(root: Value, **options: Any) -> Counter[str]:
    """Count the elements of the SVG by tag, without texts."""
    return Counter(element.tag for element in look(root, **options).svg.iter()) - Counter(
        {f"{SVG}text": 10**6}
    )


def labelled(label: str) -> Value:
    with scope(label or "layer"):
        x, k = Value(2.0, label=label), Value(3.0).detach()
        k.label = label
        y = x * k + x.exp()
    y.label = label
    return y


@settings(max_examples=15, deadline=None)
@given(hostile)
@example("\ud800<b>\n\\N&nbsp;")
@example("")
def test_no_label_breaks_the_picture_or_adds_an_element_to_it(label: str) -> None:
    assert tags(labelled(label)) == tags(labelled("x"))


@settings(max_examples=15, deadline=None)
@given(hostile)
@example("\ud800<b>\n\\N&nbsp;")
def test_no_name_of_a_folded_scope_breaks_the_picture(name: str) -> None:
    assert tags(labelled(name), max_nodes=2) == tags(labelled("x"), max_nodes=2)


# ---------------------------------------------------------------------- the graph itself


def test_drawing_leaves_the_graph_as_it_was() -> None:
    w, x, b, cost = neuron()
    cost.backward()
    before = [(v.data, v.grad, v.label, v.args) for v in (w, x, b, cost)]
    look(cost, path=(w, cost), around=x, depth=1)
    assert [(v.data, v.grad, v.label, v.args) for v in (w, x, b, cost)] == before


def test_every_door_draws_the_same() -> None:
    _, _, _, cost = neuron()
    cost.backward()
    assert cost.draw().source == draw(cost).source == autograd.draw_dot(cost).source


def test_dpi_is_the_size_of_a_png() -> None:
    def width(dpi: int | None) -> int:
        png = draw(Value(1.0, "x") * 2.0, dpi=dpi).pipe("png")
        return int.from_bytes(png[16:20], "big")

    assert abs(width(288) - 3 * width(96)) <= 3
    assert width(96) == width(None)
    with pytest.raises(ValueError, match="dpi is at most 1200, got 5000"):
        draw(Value(1.0), dpi=5000)
