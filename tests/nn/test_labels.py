"""Tests of targets that are texts: in training, answers, plots, pages and the diagnosis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

import nn
from tests.browsing import parts

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [3.0, 3.0], [3.0, 4.0]])
ANIMALS = ["cat", "cat", "dog", "dog", "eel", "eel"]
SIDES = ["no", "no", "no", "no", "yes", "yes"]


def trained(loss: Any, y: Any, nout: int, **settings: Any) -> nn.Trainer:
    model = nn.MLP(2, [4, nout], "tanh", seed=0)
    trainer = nn.Trainer(model, loss, nn.SGD(model.parameters(), lr=0.1))
    trainer.fit(X, y, 5, None, **settings)
    return trainer


@pytest.mark.parametrize(
    ("loss", "labels", "numbers", "nout"),
    [
        (nn.cross_entropy, ANIMALS, [0, 0, 1, 1, 2, 2], 3),
        (nn.CrossEntropyLoss(), SIDES, [0, 0, 0, 0, 1, 1], 2),
        (nn.binary_cross_entropy_with_logits, SIDES, [0, 0, 0, 0, 1, 1], 1),
        (nn.hinge_loss, SIDES, [-1, -1, -1, -1, 1, 1], 1),
        (nn.PerceptronLoss(), SIDES, [-1, -1, -1, -1, 1, 1], 1),
        (nn.mse_loss, SIDES, [0, 0, 0, 0, 1, 1], 1),
        (nn.mse_loss, ANIMALS, np.eye(3)[[0, 0, 1, 1, 2, 2]], 3),
    ],
)
def test_labels_train_as_the_targets_that_stand_for_them(
    loss: Any, labels: list[str], numbers: Any, nout: int
) -> None:
    by_label, by_number = trained(loss, labels, nout), trained(loss, numbers, nout)
    assert by_label.history.losses == by_number.history.losses
    assert by_label.history.accuracies == by_number.history.accuracies
    assert by_label.evaluate(X, labels) == by_number.evaluate(X, numbers)
    assert by_label.evaluate(X, numbers) == by_number.evaluate(X, numbers)
    outputs = by_label.model.predict(X)
    answers, known = by_label.history.answers, by_number.history.answers
    names = sorted(set(labels))
    assert answers.names == names
    assert answers.of(outputs).tolist() == [names[i] for i in known.places(outputs)]


@pytest.mark.parametrize("y", [np.array(ANIMALS), tuple(ANIMALS), pandas.Series(ANIMALS)])
def test_labels_may_be_an_array_a_tuple_or_a_column(y: Any) -> None:
    assert trained(nn.cross_entropy, y, 3).history.answers.names == ["cat", "dog", "eel"]


def test_held_out_examples_have_labels_too() -> None:
    trainer = trained(nn.cross_entropy, ANIMALS, 3, validation=(X[:2], ["dog", "eel"]))
    assert len(trainer.history.validation_losses) == 5
    found = trained(nn.cross_entropy, ANIMALS * 1, 3, validation=0.34).history
    assert found.answers.names == ["cat", "dog", "eel"]


def test_the_best_of_several_starts_answers_with_labels() -> None:
    trainer = trained(nn.cross_entropy, ANIMALS, 3)
    for settings in ({}, {"validation": 0.34}, {"validation": (X, ANIMALS)}):
        history = trainer.restarts(2, X, ANIMALS, 2, None, **settings)[0]
        assert set(history.answers.of(trainer.model.predict(X))) <= set(ANIMALS)


def test_a_history_keeps_its_labels(tmp_path: Path) -> None:
    trainer = trained(nn.hinge_loss, SIDES, 1)
    trainer.history.save(tmp_path / "history.json")
    loaded = nn.History.load(tmp_path / "history.json")
    outputs = trainer.model.predict(X)
    assert loaded.answers == trainer.history.answers
    assert loaded.answers.of(outputs).tolist() == trainer.history.answers.of(outputs).tolist()


def test_a_run_with_labels_is_resumed(tmp_path: Path) -> None:
    file = tmp_path / "run.npz"
    trained(nn.cross_entropy, ANIMALS, 3, checkpoint=file)
    model = nn.MLP(2, [4, 3], "tanh", seed=0)
    trainer = nn.Trainer(model, nn.cross_entropy, nn.SGD(model.parameters(), lr=0.1))
    history = trainer.fit(X, ANIMALS, 8, None, checkpoint=file, resume=True)
    assert (history.epochs, history.answers.names) == (8, ["cat", "dog", "eel"])


def legend(axes: Any) -> list[str]:
    return [text for _, text in zip(*axes.get_legend_handles_labels())] or [
        str(collection.get_label()) for collection in axes.collections
    ]


def test_plots_show_labels() -> None:
    trainer = trained(nn.cross_entropy, ANIMALS, 3)
    (axes, *_) = nn.plots.decision_regions(trainer.model, X, ANIMALS).axes
    assert {"cat", "dog", "eel"} <= set(axes.get_legend_handles_labels()[1])
    said = trainer.history.answers.of(trainer.model.predict(X))
    for figure in (
        nn.plots.confusion_matrix(ANIMALS, said),
        nn.plots.confusion_matrix(ANIMALS, trainer.model.predict(X), history=trainer.history),
    ):
        ticks = [text.get_text() for text in figure.axes[0].get_yticklabels()]
        assert ticks == ["cat", "dog", "eel"]


def test_a_page_shows_labels(tmp_path: Path) -> None:
    for model in (trained(nn.cross_entropy, ANIMALS, 3).model, nn.MLP(2, [3], seed=0)):
        shown = parts(model.page(data=(X, ANIMALS)).html)["data"]
        assert shown["answers"]["names"] == ["cat", "dog", "eel"]
        assert (
            shown["examples"]
            == parts(model.page(data=(X, [0, 0, 1, 1, 2, 2])).html)["data"]["examples"]
        )
    shown = parts(trained(nn.hinge_loss, SIDES, 1).model.page(data=(X, SIDES)).html)["data"]
    assert shown["answers"]["names"] == ["no", "yes"]


def test_the_diagnosis_takes_labels() -> None:
    trainer = trained(nn.cross_entropy, ANIMALS, 3)
    by_label = nn.diagnose(trainer.model, X, ANIMALS, trainer=trainer)
    assert str(by_label) == str(nn.diagnose(trainer.model, X, [0, 0, 1, 1, 2, 2], trainer=trainer))
    model = nn.MLP(2, [3], seed=0)
    assert str(nn.diagnose(model, X, ANIMALS)) == str(nn.diagnose(model, X, [0, 0, 1, 1, 2, 2]))


def test_what_no_label_stands_for_is_refused() -> None:
    with pytest.raises(ValueError, match=r"y has 3 labels, and the model has 1 output\(s\)"):
        trained(nn.hinge_loss, ANIMALS, 1)
    with pytest.raises(ValueError, match=r"y has 2 labels, and the model has 3 output\(s\)"):
        trained(nn.cross_entropy, SIDES, 3)
    with pytest.raises(TypeError, match=r"y\[1\] is 3, and other targets are labels"):
        trained(nn.cross_entropy, ["cat", 3, "dog", "dog", "eel", "eel"], 3)
    with pytest.raises(ValueError, match="y has the label 'fox', and the labels are"):
        trained(nn.cross_entropy, ANIMALS, 3).evaluate(X[:1], ["fox"])
    with pytest.raises(ValueError, match="'fox'"):
        trained(nn.cross_entropy, ANIMALS, 3, validation=(X[:1], ["fox"]))
    with pytest.raises(ValueError, match="6 row"):
        trained(nn.cross_entropy, ["cat", "dog", "eel"], 3)
