"""Tests of `Answers`: accuracy, plots, page and `predict` read outputs in the same way."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value
from autograd.page.html import modules
from nn.loss_modules import function_of
from nn.training.answers import (
    DISTANCES,
    OF_CLASSES,
    OF_SIDES,
    Answers,
    answers_of,
    outputs_read,
)

pytest.importorskip("matplotlib")
from nn import plots
from nn.picture.page import WEB

X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
NO_AND_YES = [0, 0, 1, 1]
SIGNS = [-1, -1, 1, 1]
SCORES = ("identity", "sigmoid", "tanh", "step")

# For each cost and kind of target: the activations it accepts, and the threshold of a yes
SIDES: list[tuple[Any, list[int], tuple[str, ...], float]] = [
    (nn.binary_cross_entropy, NO_AND_YES, ("sigmoid",), 0.5),
    (nn.binary_cross_entropy_with_logits, NO_AND_YES, SCORES, 0.0),
    (nn.BCEWithLogitsLoss("sum"), NO_AND_YES, SCORES, 0.0),
    (nn.hinge_loss, SIGNS, SCORES, 0.0),
    (nn.PerceptronLoss(), SIGNS, SCORES, 0.0),
    (nn.mse_loss, NO_AND_YES, SCORES, 0.5),
    (nn.SquaredError(), NO_AND_YES, SCORES, 0.5),
    (nn.squared_error, SIGNS, ("identity",), 0.0),
    (partial(nn.l1_loss, reduction="sum"), NO_AND_YES, SCORES, 0.5),
    (nn.mse_loss, SIGNS, SCORES, 0.0),
]
CLASSES: list[tuple[Any, Any, tuple[str, ...]]] = [
    (nn.cross_entropy, [0, 1, 2, 0], ("identity", "softmax", "tanh")),
    (nn.cross_entropy, np.eye(3)[[0, 1, 2, 0]].tolist(), ("identity",)),
    (nn.NLLLoss(), [0, 1, 2, 0], ("identity", "relu")),
    (nn.mse_loss, np.eye(3)[[0, 1, 2, 0]].tolist(), ("identity", "sigmoid", "softmax")),
]
BIASES = [-3.0, -0.5, -0.0, 0.0, 1e-15, 0.5, 0.5000000000000001, 0.7, 2.0]
TRIPLES = [[0.7, -0.0, 0.7], [0.0, -0.0, 0.0], [-0.5, 0.5, 0.7], [0.5, 0.7, -2.0]]


def constant(biases: list[float], activation: str) -> nn.MLP:
    """Return a network with constant outputs."""
    model = nn.MLP(2, [len(biases)], output=activation, init=lambda *_: 0.0)
    for neuron, b in zip(model.layers[0].neurons, biases):
        neuron.b.data = b
    return model


def trained(model: nn.Module, loss: Any, y: Any) -> nn.Trainer:
    """Return a trainer that has read the targets and whose weights are unchanged."""
    trainer, before = nn.Trainer(model, loss, nn.SGD(model.parameters(), 0.1)), model.state_dict()
    trainer.fit(X, y, 1, None, compile=False)
    model.load_state_dict(before)
    return trainer


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    """Yield a function that computes the page's answers to outputs, in a browser."""
    opened = browser.new_page()
    opened.add_script_tag(content=modules("answers.js", [WEB]))
    yield lambda answers, outputs: opened.evaluate(
        "([answers, outputs]) => "
        "MODULES['answers.js'].answered({ ...answers, shares: null }, outputs).said",
        [{name: getattr(answers, name) for name in ("kind", "names", "threshold")}, outputs],
    )
    opened.close()


@pytest.fixture(autouse=True)
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw plots on a coarse grid, to save time."""
    monkeypatch.setattr(plots, "GRID", 3)


def painted(model: nn.Module, y: Any) -> int:
    """Return the index of the only answer in a plot of decision regions."""
    (axes,) = plots.decision_regions(model, X, y).axes
    (kind,) = np.unique(np.asarray(axes.collections[0].get_array())).tolist()
    return int(kind)


@pytest.mark.filterwarnings("ignore:the outputs are prob", "ignore:nll_loss takes logarithms")
@pytest.mark.parametrize(
    ("loss", "y", "activation", "threshold"),
    [(loss, y, name, line) for loss, y, names, line in SIDES for name in names],
)
def test_everybody_reads_one_output_alike(
    loss: Any, y: list[int], activation: str, threshold: float, page: Any
) -> None:
    for bias in BIASES:
        model = constant([bias], activation)
        output = float(model.predict(X[:1])[0])
        yes = output > threshold
        trainer = trained(model, loss, y)
        answers = trainer.history.answers
        assert trainer.evaluate(X, [max(y)] * 4)[1] == float(yes)
        assert trainer.evaluate(X, [min(y)] * 4)[1] == float(not yes)
        assert answers.of([output]).tolist() == [max(y) if yes else min(y)]
        assert painted(model, y) == int(yes)
        assert page(answers, [output]) == [int(yes)]


@pytest.mark.filterwarnings("ignore:the outputs are prob", "ignore:nll_loss takes logarithms")
@pytest.mark.parametrize(
    ("loss", "y", "activation"), [(loss, y, name) for loss, y, names in CLASSES for name in names]
)
def test_everybody_reads_several_outputs_alike(
    loss: Any, y: Any, activation: str, page: Any
) -> None:
    for biases in TRIPLES:
        model = constant(biases, activation)
        outputs = model.predict(X[:1])[0]
        said = min(j for j in range(3) if outputs[j] == max(outputs))
        trainer = trained(model, loss, y)
        answers = trainer.history.answers
        for kind in range(3):
            meant = kind if np.ndim(y) == 1 else np.eye(3)[kind].tolist()
            assert trainer.evaluate(X, [meant] * 4)[1] == float(said == kind)
        assert answers.of([outputs]).tolist() == [said]
        assert painted(model, [0, 1, 2, 0]) == said
        assert page(answers, outputs.tolist()) == [said]


@pytest.mark.parametrize(
    ("loss", "pair", "activation", "threshold"),
    [
        (nn.binary_cross_entropy, (0, 1), "sigmoid", 0.5),
        (nn.binary_cross_entropy_with_logits, (0, 1), "tanh", 0.0),
        (nn.hinge_loss, (-1, 1), "sigmoid", 0.0),
        (nn.mse_loss, (0, 1), "identity", 0.5),
        (nn.l1_loss, (-1, 1), "sigmoid", 0.0),
    ],
)
def test_several_yes_and_no_at_once(
    loss: Any, pair: tuple[int, int], activation: str, threshold: float, page: Any
) -> None:
    for biases in TRIPLES:
        model = constant(biases, activation)
        outputs = model.predict(X[:1])[0]
        trainer = trained(model, loss, [[pair[1], pair[1], pair[0]]] * 4)
        wanted = [pair[int(a > threshold)] for a in outputs]
        other = [pair[int(wanted[0] == pair[0])], *wanted[1:]]
        assert trainer.evaluate(X, [wanted] * 4)[1] == 1.0
        assert trainer.evaluate(X, [other] * 4)[1] == 0.0
        answers = trainer.history.answers
        assert answers.kind == "labels"
        assert answers.of([outputs]).tolist() == [wanted]
        assert page(answers, outputs.tolist()) == [j for j in range(3) if wanted[j] == pair[1]]


def test_every_cost_with_a_meaning_is_tried() -> None:
    tried = {function_of(loss) for loss, *_ in (*SIDES, *CLASSES)}
    assert tried == {*OF_CLASSES, *OF_SIDES, *DISTANCES}


# ---------------------------------------------------------------------- what is known


@pytest.mark.parametrize(
    "y", [[0.5, 1.0], [5, 7], [0, 1, 2], [1, 1], [-1, 0, 1], [0.0, 0.0], [[0.2], [0.4]]]
)
def test_a_distance_to_numbers_is_no_answer(y: Any) -> None:
    answers = answers_of(nn.mse_loss, y, 1)
    assert (answers.kind, answers.known) == ("numbers", True)
    assert answers.right(0.5, y[0]) is None
    with pytest.raises(ValueError, match="the targets are numbers"):
        answers.of([0.5])


def test_a_cost_of_ones_own_is_not_judged() -> None:
    def mine(outputs: Any, y: Any) -> Value:
        return nn.cross_entropy(outputs, y) * 2.0

    assert answers_of(mine, NO_AND_YES, 1).kind == "numbers"
    answers = answers_of(mine, NO_AND_YES, 2)
    assert (answers.kind, answers.known) == ("classes", False)
    assert answers.right([0.0, 1.0], 1) is None
    assert answers.why == "assumed, for mine is not known: the largest output is the answer"
    assert answers_of(mine, [1999, 2024], 2).kind == "numbers"
    assert trained(nn.MLP(2, [2], seed=0), mine, NO_AND_YES).history.accuracies == [None]


def test_nan_says_nothing_and_is_never_right() -> None:
    answers = answers_of(nn.hinge_loss, SIGNS, 1)
    assert answers.predicted(float("nan")) is None
    assert answers.right(float("nan"), -1) is False
    with pytest.raises(ValueError, match="the output of row 1 is nan"):
        answers.of([0.0, float("nan")])


def test_a_history_keeps_what_outputs_say() -> None:
    history = trained(nn.MLP(2, [1], seed=0), nn.mse_loss, NO_AND_YES).history
    assert nn.History.from_json(history.to_json()).answers == history.answers
    assert history.answers.why == "by mse_loss an output above 0.5 is nearer to 1 than to 0"


def test_the_best_start_leaves_what_its_outputs_say() -> None:
    model = nn.MLP(2, [1], seed=0)
    trainer = nn.Trainer(model, nn.mse_loss, nn.SGD(model.parameters(), 0.1))
    trainer.restarts(2, X, NO_AND_YES, 1, None)
    assert trainer.answers == outputs_read(model, 1, None)
    assert trainer.answers.threshold == 0.5


def test_one_reading_goes_with_one_run() -> None:
    model = constant([0.3], "identity")
    trainer = trained(model, nn.mse_loss, NO_AND_YES)
    assert trainer.evaluate(X, [1, 1, 1, 1])[1] == 0.0, (
        "evaluate uses the run's targets, as these alone have one class only"
    )
    trainer.fit(X, [5.0, 6.0, 7.0, 8.0], 1)
    assert trainer.evaluate(X, NO_AND_YES)[1] is None
    assert outputs_read(model, 1, NO_AND_YES).kind == "numbers"


# ---------------------------------------------------------------------- what is assumed


@pytest.mark.parametrize(
    ("nout", "output", "y", "kind", "threshold"),
    [
        (1, "sigmoid", None, "sides", 0.5),
        (1, "step", NO_AND_YES, "sides", 0.5),
        (1, "identity", NO_AND_YES, "sides", 0.0),
        (1, "tanh", [1.0, 1.0], "sides", 0.0),
        (1, "identity", None, "numbers", 0.0),
        (1, "identity", [5, 7], "numbers", 0.0),
        (2, "identity", None, "classes", 0.0),
        (2, "identity", NO_AND_YES, "classes", 0.0),
        (2, "softmax", [[0.2, 0.8]], "classes", 0.0),
        (2, "identity", [[0.2, 0.9]], "numbers", 0.0),
    ],
)
def test_what_nobody_told_is_assumed_and_said(
    nout: int, output: str, y: Any, kind: str, threshold: float
) -> None:
    answers = outputs_read(nn.MLP(2, [nout], output=output), nout, y)
    assert (answers.kind, answers.threshold) == (kind, threshold)
    if kind != "numbers":
        assert not answers.known
        assert answers.why.startswith("assumed, for no cost is known: ")


@pytest.mark.parametrize(
    ("nout", "output", "sure"),
    [
        *[(1, "identity", "sigmoid"), (1, "sigmoid", "output"), (1, "tanh", "")],
        *[(3, "identity", "softmax"), (3, "softmax", "output"), (3, "sigmoid", "output")],
        (3, "tanh", ""),
    ],
)
def test_what_is_a_probability_is_assumed_from_the_last_activation(
    nout: int, output: str, sure: str
) -> None:
    y = NO_AND_YES if nout == 1 else [0, 1, 2, 0]
    assert outputs_read(nn.MLP(2, [nout], output=output), nout, y).sure == sure


def test_a_picture_says_what_was_assumed_and_nothing_else() -> None:
    model = nn.MLP(2, [1], seed=0)
    assumed = plots.decision_regions(model, X, NO_AND_YES).axes[0].get_xlabel()
    assert assumed == (
        "assumed, for no cost is known: an output above 0 is a yes, as of scores and logits"
    )
    history = trained(nn.MLP(2, [1], seed=0), nn.mse_loss, NO_AND_YES).history
    for options in ({"history": history}, {"threshold": 0.5}):
        assert not plots.decision_regions(model, X, NO_AND_YES, **options).axes[0].get_xlabel()
    with pytest.raises(ValueError, match="a model of 1 outputs, and this one has 3"):
        plots.decision_regions(nn.MLP(2, [3], seed=0), X, [0, 1, 2, 0], history=history)


def test_a_place_has_one_colour() -> None:
    model = nn.MLP(2, [3], output="sigmoid", seed=0)
    trained(model, nn.binary_cross_entropy, [[1, 1, 0]] * 4)
    with pytest.raises(ValueError, match="the 3 outputs are 3 separate answers"):
        plots.decision_regions(model, X, NO_AND_YES)


def test_confusions_are_read_from_outputs() -> None:
    history = trained(nn.MLP(2, [1], seed=0), nn.hinge_loss, SIGNS).history
    figure = plots.confusion_matrix(SIGNS, [-0.5, 0.0, 0.1, 2.0], history=history)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["-1", "1"]
    assert {t.get_position(): t.get_text() for t in axes.texts} == {(0, 0): "2", (1, 1): "2"}
    numbers = trained(nn.MLP(2, [1], seed=0), nn.mse_loss, [0.0, 1.0, 2.0, 3.0]).history
    for said in (numbers, nn.History()):
        with pytest.raises(ValueError, match="one answer a row; these outputs are"):
            plots.confusion_matrix(SIGNS, [0.0] * 4, history=said)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"kind": "guesses", "names": []}, "outputs are read as one of"),
        ({"kind": "numbers", "names": [], "sure": "very"}, "outputs are read as one of"),
        ({"kind": "classes", "names": ["a"], "kinds": [0, 1]}, "classes do not fit"),
        ({"kind": "sides", "names": ["a"], "kinds": [0, 1]}, "sides do not fit"),
        (
            {"kind": "sides", "names": ["a", "b"], "kinds": [0, 1], "threshold": float("nan")},
            "a threshold is a finite number, got nan",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(parts: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Answers(**parts)


def test_there_are_as_many_names_as_answers() -> None:
    answers = answers_of(nn.hinge_loss, SIGNS, 1)
    assert answers.named(["no", "yes"]).names == ["no", "yes"]
    assert answers.named(None) is answers
    with pytest.raises(ValueError, match="tell 2 classes apart, and there are 3 names"):
        answers.named(["a", "b", "c"])


OUTPUTS = [[0.0, 0.0, 1.0], [1.0, 1.0, -1.0], [float("nan"), 2.0, 0.0], [0.5, 0.6, 0.4]]


@pytest.mark.parametrize(
    ("loss", "y", "nout"),
    [
        (nn.cross_entropy, [2, 1, 1, 0.0], 3),
        (nn.cross_entropy, [[0.0, 0.0, 1.0], [0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], 3),
        (nn.mse_loss, [[0, 0, 1], [1, 0, 0], [0, 1, 0], [1, 0, 0]], 3),
        (nn.binary_cross_entropy, [[0, 0, 1], [1, 1, 0], [0, 1, 0], [0, 1, 0]], 3),
        (nn.hinge_loss, SIGNS, 1),
        (nn.mse_loss, NO_AND_YES, 1),
        (nn.binary_cross_entropy, [[0], [1], [1], [0]], 1),
        (nn.mse_loss, [0.0, 1.0, 2.0, 3.0], 1),
        (lambda a, y: a[0] - y, [0, 1, 2, 0], 3),
    ],
)
def test_answers_are_judged_alike_one_by_one_and_together(loss: Any, y: Any, nout: int) -> None:
    answers = answers_of(loss, y, nout)
    for column in range(3 if nout == 1 else 1):
        outputs = [row if nout > 1 else row[column] for row in OUTPUTS]
        each = [answers.right(found, target) for found, target in zip(outputs, y)]
        for table in (outputs, np.array(outputs)):
            found = answers.rights(table, y)
            assert ([None] * len(y) if found is None else found.tolist()) == each


@pytest.mark.parametrize("wrong", [3, -1, 0.5])
def test_judging_together_refuses_what_is_no_class(wrong: float) -> None:
    answers = answers_of(nn.cross_entropy, [0, 1], 3)
    with pytest.raises((TypeError, ValueError), match="class"):
        answers.rights([[0.0, 1.0, 2.0]] * 2, [1, wrong])
