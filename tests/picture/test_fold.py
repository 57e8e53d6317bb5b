"""Tests of folding: what a large graph hides, what it shows, and how to open it."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest

import autograd
import nn
from autograd import Value, draw, scope
from autograd.core.graph import count, topological_order
from tests.pictures import Picture, look


def network(*sizes: int, scoped: bool = False) -> Value:
    """Build the squared error of a relu network with inputs "x0", "x1", …; run backward."""
    rng = random.Random(7)
    out = [Value(rng.uniform(-1, 1), label=f"x{i}") for i in range(sizes[0])]
    for layer, size in enumerate(sizes[1:], start=1):
        inputs, out = out, []
        for i in range(size):
            with scope(f"layer{layer}"), scope(f"neuron{i}"):
                z = Value(rng.uniform(-1, 1))
                for x in inputs:
                    z = z + Value(rng.uniform(-1, 1)) * x
                out.append(z.relu() if layer < len(sizes) - 1 else z)
    loss = (out[0] - 0.5) ** 2
    loss.label = "loss"
    loss.backward()
    if not scoped:
        for node in topological_order(loss):
            node.scope = ""
    return loss


@pytest.fixture(scope="module")
def plain() -> Value:
    return network(2, 32, 32, 1)


@pytest.fixture(scope="module")
def scoped() -> Value:
    return network(2, 32, 32, 1, scoped=True)


def numbers(note: str) -> tuple[int, int]:
    """Read the numbers of a note: (3431, 3491) from "3,431 of 3,491 nodes are folded; …"."""
    found = re.match(r"([\d,]+) of ([\d,]+) nodes are folded", note)
    assert found, note
    folded, total = (int(group.replace(",", "")) for group in found.groups())
    return folded, total


def chain(length: int) -> tuple[Value, Value]:
    """Build x and y = x + 1 + 1 + …."""
    x = y = Value(1.0, label="x")
    one = Value(1.0, label="one")
    for _ in range(length):
        y = y + one
    y.label = "y"
    return x, y


# ---------------------------------------------------------------------- size


def test_a_network_of_thousands_of_nodes_fits_a_screen(plain: Value, scoped: Value) -> None:
    assert count(plain).total() > 3_400
    for root in (plain, scoped):
        picture = look(root)
        assert max(picture.size()) < 2_000  # in points, of 1/72 inch


@pytest.mark.parametrize("max_nodes", [1, 2, 7, 60, 200])
def test_no_more_than_max_nodes_are_drawn_and_stubs_for_the_rest(
    plain: Value, scoped: Value, max_nodes: int
) -> None:
    for root in (plain, scoped):
        picture = look(root, max_nodes=max_nodes)
        assert 1 <= len(picture.boxes) <= max_nodes
        assert len(picture.stubs) <= 2 * max_nodes
    assert len(look(plain, max_nodes=max_nodes).boxes) == max_nodes  # as many as there is room for


def test_the_note_says_how_many_nodes_are_folded(plain: Value) -> None:
    picture = look(plain, max_nodes=20)
    assert numbers(picture.note) == (count(plain).total() - 20, count(plain).total())


def test_a_graph_of_max_nodes_is_not_folded() -> None:
    _, y = chain(8)
    assert count(y).total() == 10
    whole, folded = look(y, max_nodes=10), look(y, max_nodes=9)
    assert (len(whole.boxes), whole.stubs, whole.note) == (10, [], "")
    assert (len(folded.boxes), numbers(folded.note)) == (9, (1, 10))


def test_what_the_note_offers_shows_more() -> None:
    root = network(2, 6, 1, scoped=True)
    node = topological_order(root)[5]
    before = look(root, max_nodes=30)
    folded, total = numbers(before.note)
    offers = re.findall(r"draw\((.+?)\)(?= or | shows)", before.note)
    assert [offer.split("=")[0] for offer in offers] == ["open", "around", "max_nodes"]
    opened, around, everything = (
        look(root, **{"max_nodes": 30, **eval(f"dict({offer})", {"node": node})})
        for offer in offers
    )
    assert numbers(opened.note)[0] < folded
    assert len(around.boxes) > 1 and around.note
    assert (len(everything.boxes), everything.note) == (total, "")


@pytest.mark.parametrize("name", ['layer "1"', "it's", "back\\slash \\N", "&amp; <b>"])
def test_the_note_names_a_scope_as_it_can_be_typed(name: str) -> None:
    with scope(name):
        inside = Value(1.0) * 2.0
    root = inside + 1.0
    assert f"draw(open={name!r})" in look(root, max_nodes=3).note
    assert not scopes(look(root, max_nodes=3, open=name))


def test_a_chain_of_ten_thousand_operations_is_drawn() -> None:
    _, y = chain(10_000)
    assert look(y).box("y").data == "1e+04"


@pytest.mark.parametrize("max_nodes", [0, -3])
def test_a_drawing_without_nodes_is_refused(max_nodes: int) -> None:
    with pytest.raises(ValueError, match=f"max_nodes is .* at least 1, got {max_nodes}"):
        draw(Value(1.0), max_nodes=max_nodes)


# ---------------------------------------------------------------------- by scope


def scopes(picture: Picture) -> dict[str, int]:
    """Return the folded scopes in a picture, with the number of nodes that each states."""
    return {
        box.texts[0]: int(box.texts[1].split()[0].replace(",", ""))
        for box in picture.boxes
        if box.texts[-1].endswith(" nodes")
    }


def test_a_scope_folds_into_one_box_with_its_name_and_the_number_of_its_nodes(
    scoped: Value,
) -> None:
    made_in = Counter(node.scope.split(".")[0] for node in topological_order(scoped))
    del made_in[""]
    picture = look(scoped)
    assert scopes(picture) == made_in and len(made_in) == 3
    assert numbers(picture.note)[0] == made_in.total()
    assert picture.labels > {"x0", "x1", "loss"}  # nodes outside any scope stay


def test_lines_between_folded_scopes_lead_from_input_to_output(scoped: Value) -> None:
    picture = look(scoped)
    name = {box.id: box.texts[0] for box in picture.boxes}
    lines = Counter((name[line.tail], name[line.head]) for line in picture.lines)
    assert lines == Counter(
        [
            *(("x0", "layer1"), ("x1", "layer1"), ("layer1", "layer2"), ("layer2", "layer3")),
            *(("layer3", "−"), ("0.5", "−"), ("−", "loss"), ("2", "loss")),
        ]
    )


def test_inner_scopes_fold_before_the_outer_ones(scoped: Value) -> None:
    inner = scopes(look(scoped, max_nodes=600))
    assert len(inner) == 65 and {"layer1.neuron0", "layer3.neuron0"} < set(inner)
    assert set(scopes(look(scoped, max_nodes=60))) == {"layer1", "layer2", "layer3"}


def test_open_unfolds_one_scope_and_leaves_the_others(scoped: Value) -> None:
    picture = look(scoped, open="layer1")
    assert set(scopes(picture)) == {
        *(f"layer1.neuron{i}" for i in range(32)),
        *("layer2", "layer3"),
    }


def test_open_reaches_a_scope_inside_another(scoped: Value) -> None:
    closed = look(scoped)
    picture = look(scoped, open=["layer1.neuron3"])
    inside = [node for node in topological_order(scoped) if node.scope == "layer1.neuron3"]
    assert set(scopes(picture)) == {"layer1", "layer2", "layer3"}
    assert len(picture.boxes) == len(closed.boxes) + len(inside)
    assert scopes(picture)["layer1"] == scopes(closed)["layer1"] - len(inside)


def test_open_tells_a_scope_from_one_whose_name_begins_alike() -> None:
    x = Value(1.0, label="x")
    for name in ("layer1", "layer10"):
        with scope(name):
            for _ in range(10):
                x = x + x
    assert set(scopes(look(x, max_nodes=15, open="layer1"))) == {"layer10"}


def test_scopes_that_fit_are_not_folded() -> None:
    root = network(2, 3, 1, scoped=True)
    assert scopes(look(root)) == {} and look(root).note == ""


# ---------------------------------------------------------------------- by distance and gradient


def test_what_is_nearest_to_the_output_stays() -> None:
    _, y = chain(100)
    picture = look(y, max_nodes=5)
    assert {box.data for box in picture.boxes} == {"101", "100", "99", "98", "1"}
    assert "x" not in picture.labels and {"y", "one"} < picture.labels


def test_of_nodes_equally_far_those_with_the_larger_gradients_stay() -> None:
    leaves = [Value(1.0, label=f"x{i}") for i in range(4)]
    terms = [leaf * slope for leaf, slope in zip(leaves, (0.1, -50.0, 2.0, 30.0))]
    root = (terms[0] + terms[1]) + (terms[2] + terms[3])
    root.backward()
    picture = look(root, max_nodes=1 + 2 + 4 + 2)
    assert {label for label in picture.labels if label.startswith("x")} == {"x1", "x3"}


def test_where_something_is_folded_a_stub_stands_and_nowhere_else() -> None:
    _, y = chain(100)
    picture = look(y, max_nodes=5)
    ids = {stub.id for stub in picture.stubs}
    cut = [line for line in picture.lines if ids & {line.tail, line.head}]
    whole = {box.id for box in picture.boxes if box.data in ("101", "100")}
    assert cut and not whole & {line.head for line in cut}
    assert all(line.dashes for line in cut) and {stub.tooltip for stub in picture.stubs} == {
        "folded"
    }


# ---------------------------------------------------------------------- a path in a large graph


def lit_path(picture: Picture, start: str) -> list[str]:
    """Return the ids of the boxes on the highlighted path."""
    onward = {line.tail: line.head for line in picture.lines if line.width > 2.0}
    path = [picture.box(start).id]
    while path[-1] in onward:
        path.append(onward.pop(path[-1]))
    assert not onward  # nothing else is highlighted
    return path


def test_a_path_to_a_far_leaf_is_shown_whole_in_a_folded_drawing(plain: Value) -> None:
    picture = look(plain, path=("x0", "loss"), max_nodes=90)
    path = lit_path(picture, "x0")
    assert len(path) > 10 and path[-1] == picture.box("loss").id
    assert len(picture.boxes) == 90


def test_a_path_is_lit_through_folded_scopes_too(scoped: Value) -> None:
    picture = look(scoped, path=("x0", "loss"), max_nodes=120)
    assert lit_path(picture, "x0")[-1] == picture.box("loss").id
    assert scopes(picture)  # what is not on the path stays folded


def test_the_ends_of_a_path_longer_than_max_nodes_are_shown() -> None:
    x, y = chain(40)
    root = y + 1.0
    root.label = "root"
    for _ in range(2):
        assert look(root, path=(x, y), max_nodes=10).labels >= {"x", "y", "root"}
        root.backward()


def test_the_same_graph_is_drawn_the_same_every_time() -> None:
    sources = {draw(network(2, 6, 1), path=("x0", "loss"), max_nodes=20).source for _ in range(10)}
    assert len(sources) == 1


# ---------------------------------------------------------------------- around and depth


def steps(length: int) -> tuple[list[Value], Value]:
    """Build v0, v1 = -v0, v2 = -v1, …."""
    nodes = [Value(0.5, label="v0")]
    for i in range(1, length):
        nodes.append(-nodes[-1])
        nodes[-1].label = f"v{i}"
    return nodes, nodes[-1]


def shown(picture: Picture) -> set[str]:
    return {label for label in picture.labels if label.startswith("v")}


def test_around_shows_what_lies_within_two_edges_either_way() -> None:
    nodes, root = steps(10)
    for node in (nodes[5], "v5"):
        assert shown(look(root, around=node)) == {"v3", "v4", "v5", "v6", "v7"}


def test_around_reaches_as_far_as_depth() -> None:
    _, root = steps(10)
    assert shown(look(root, around="v5", depth=0)) == {"v5"}
    assert shown(look(root, around="v5", depth=1)) == {"v4", "v5", "v6"}
    assert shown(look(root, around="v8", depth=3)) == {"v5", "v6", "v7", "v8", "v9"}


def test_depth_alone_counts_from_the_output() -> None:
    _, root = steps(10)
    picture = look(root, depth=3)
    assert shown(picture) == {"v6", "v7", "v8", "v9"}
    assert numbers(picture.note) == (6, 10)
    assert len(picture.stubs) == 1  # for v5 and all before it


def test_around_looks_into_folded_scopes(scoped: Value) -> None:
    bias = next(node for node in topological_order(scoped) if node.scope == "layer2.neuron9")
    picture = look(scoped, around=bias, depth=1)
    assert [box.head for box in picture.boxes] == [[], ["+"]]  # it is added to one thing


def test_around_stays_within_max_nodes_and_keeps_the_node_itself(plain: Value) -> None:
    picture = look(plain, around="x0", depth=4, max_nodes=8)
    assert len(picture.boxes) == 8 and "x0" in picture.labels


def test_layers_that_are_fully_connected_fold_to_layers_before_their_lines_fill_the_page() -> None:
    x = [Value(float(i), label=f"x{i}") for i in range(8)]
    for layer in range(3):
        with scope(f"layer{layer}"):
            outputs = []
            for j in range(8):
                with scope(f"neuron{j}"):
                    outputs.append(autograd.sum(Value(0.1) * v for v in x).tanh())
        x = outputs
    picture = look(autograd.sum(x), max_nodes=60)
    assert set(scopes(picture)) == {"layer0", "layer1", "layer2"}


def test_a_nameless_leaf_folds_with_the_only_scope_it_feeds() -> None:
    weights = [Value(float(i)) for i in range(100)]
    with scope("layer"):
        total = autograd.sum(weights)
    picture = look(total * 2, max_nodes=10)
    assert len(picture.boxes) <= 4
    assert set(scopes(picture)) == {"layer"}


def test_the_middle_of_a_path_longer_than_max_nodes_is_folded() -> None:
    y = Value(1.0, label="x")
    for _ in range(2000):
        y = y.sin()
    y.label = "y"
    picture = look(y, path=("x", "y"), max_nodes=20)
    assert picture.labels >= {"x", "y"}
    assert len(picture.boxes) <= 22


def test_a_scope_that_does_not_exist_is_not_opened(scoped: Value) -> None:
    with pytest.raises(ValueError, match="no scope 'layr1' to open; the nearest are .*'layer1'"):
        draw(scoped, open="layr1")


def test_a_negative_depth_is_refused(scoped: Value) -> None:
    with pytest.raises(ValueError, match="depth is a whole number of at least 0, got -1"):
        draw(scoped, depth=-1)


def test_a_network_folds_into_one_row_of_layers() -> None:
    model = nn.MLP(4, [16, 16, 3], seed=1)
    cost = nn.cross_entropy(model([Value(1.0)] * 4), 1)
    source = draw(cost).source
    assert all(f"<B>layer{k}</B>" in source for k in (1, 2, 3))
    assert "W1[" not in source
    size = re.search(r'height="(\d+)pt"', draw(cost).pipe("svg").decode())
    assert size and int(size[1]) < 600


def test_a_function_is_one_box_that_opens_to_its_parts() -> None:
    logits = [Value(float(i), f"z{i}") for i in range(3)]
    cost = nn.cross_entropy(logits, 1)
    cost.backward()
    source = draw(cost).source
    assert source.count("<B>cross_entropy</B>") == 1
    assert "softplus" not in source
    assert all(f"<B>z{i}</B>" in source for i in range(3))
    assert f">{cost.data:.4g}<" in source
    opened = draw(cost, open="cross_entropy()").source
    assert "softplus" in opened
    assert "<B>cross_entropy</B>" not in opened
    shares = autograd.softmax(logits)
    source = draw(shares[0] * 2.0 + shares[1]).source
    assert source.count("<B>softmax()</B>") == 1
    assert ">exp<" not in source
    for i, share in enumerate(shares):
        share.label = f"p{i}"
    source = draw(shares[0] * 2.0 + shares[1]).source
    assert "<TD>p0, p1</TD>" in source  # the outputs that are used


def test_a_function_of_the_user_is_one_box_in_its_layer() -> None:
    x = Value(2.0, "x")
    with scope("layer1"), scope("square()"):
        y = x * x * 1.0
    source = draw(y + 1.0).source
    assert "<B>square</B>" in source
    assert ">·<" not in source
    assert "<B>x</B>" in source
