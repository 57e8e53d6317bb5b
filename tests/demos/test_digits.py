"""Tests of the lesson on handwritten digits."""

from __future__ import annotations

import gzip
import runpy
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from demos import digit_data, digits
from demos.lesson import Lesson
from tests.demo_runs import Results


def test_digits(results: Results) -> None:
    numbers = results["digits"]
    before, wishes = numbers["before"], numbers["wishes"]
    assert numbers["parameters"] == 64 * 16 + 16 + 16 * 16 + 16 + 16 * 10 + 10
    assert sum(before["square"]) == pytest.approx(before["cost"][0])
    assert before["wish"] == pytest.approx([2 * (y - a) for a, y in zip(before["a"], before["y"])])
    np.testing.assert_allclose(wishes["step"], wishes["batch"], atol=1e-12)
    assert wishes["wishes"].shape == (16, numbers["parameters"])
    assert ((numbers["noise"] > 0.0) & (numbers["noise"] < 1.0)).all()


def test_the_wishes_for_hidden_neurons_are_those_of_the_formula(results: Results) -> None:
    before, competition = results["digits"]["before"], results["digits"]["competition"]
    model = nn.MLP(64, [16, 16, 10], "sigmoid", output="sigmoid", seed=0)
    w = np.array([[p.data for p in neuron.w] for neuron in model.layers[-1].neurons])
    slopes = before["a"] * (1.0 - before["a"])
    wishes = (2.0 * (before["y"] - before["a"]) * slopes)[:, None] * w
    np.testing.assert_allclose(competition["desires"], wishes.T)
    np.testing.assert_allclose(competition["engine"], wishes.sum(0))


def test_moved_images_lose_what_leaves_them() -> None:
    image = np.arange(1.0, 10.0)[None]
    up_and_left = [[5.0, 6.0, 0.0, 8.0, 9.0, 0.0, 0.0, 0.0, 0.0]]
    assert digit_data.moved(image, 3, down=-1, right=-1).tolist() == up_and_left
    assert digit_data.moved(image, 3, down=0, right=3).tolist() == [[0.0] * 9]


def test_a_neuron_that_looks_for_an_edge_is_found() -> None:
    image = np.where(np.arange(64) % 8 < 4, 1.0, -1.0) * (np.arange(64) // 8 == 3)
    noise = np.random.default_rng(0).normal(size=64)
    edge, none = digit_data.likeness(np.array([image, noise]), 8)
    assert edge > 0.25 > none
    assert digit_data.likeness(-digit_data.edges_and_loops(8), 8) == pytest.approx(1.0)


def network(weights: Any, bias: float = 0.0) -> nn.MLP:
    """Return a network whose first layer has these weights, and whose outputs have this bias."""
    model = nn.MLP(64, [16, 16, 10], "sigmoid", output="sigmoid", seed=0)
    for neuron, row in zip(model.layers[0].neurons, np.broadcast_to(weights, (16, 64))):
        for p, x in zip(neuron.w, row):
            p.data = float(x)
    for neuron in model.layers[-1].neurons:
        neuron.b.data = bias
    return model


def test_edges_in_the_first_layer_refute_that_there_are_none() -> None:
    lesson = Lesson()
    digits.show_first_layer(lesson, network(digit_data.edges_and_loops(8)[:16]), 8)
    assert lesson.claims == {"the_first_layer_finds_no_edges": False}


def test_what_a_blind_network_answers_is_neither_moved_nor_sure() -> None:
    lesson, data = Lesson(), digit_data.small_digits(seed=0, images=5)
    digits.show_moved(lesson, network(0.0), data)
    noise = digits.show_noise(lesson, network(0.0, bias=-9.0), data, seed=0)
    assert set(lesson.claims.values()) == {False}
    assert noise.max() < 0.01


@pytest.mark.slow
def test_without_steps_nothing_is_learned(tmp_path: Path) -> None:
    claims = digits.main(images=20, epochs=1, lr=1e-9, out=tmp_path)["claims"]
    assert claims["random_weights_give_trash"]
    for claim in (
        "the_cost_is_large_for_trash",
        "training_lowers_the_cost",
        "unseen_digits_are_read_as_well",
    ):
        assert not claims[claim]


def test_a_trained_network_gives_no_trash() -> None:
    data, lesson = digit_data.small_digits(seed=0, images=300), Lesson()
    model = nn.MLP(64, [16, 16, 10], "sigmoid", output="sigmoid", seed=0)
    digits.show_training(Lesson(), model, data, (20, 2.0, 0))
    digits.show_training(lesson, model, data, (1, 0.1, 0))
    assert not lesson.claims["random_weights_give_trash"]
    assert not lesson.claims["training_lowers_the_cost"]


@pytest.mark.slow
def test_todays_choices_are_trained_beside_the_lessons(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = digits.main(images=100, epochs=1, modern=True, out=tmp_path)
    assert numbers["modern"] > numbers["accuracy"]
    assert "relu, softmax and cross-entropy, Adam" in capsys.readouterr().out


def test_small_digits_are_bright_from_0_to_1_and_none_is_in_both_parts() -> None:
    data = digit_data.small_digits(seed=0, images=None)
    assert (data.X.min(), data.X.max()) == (0.0, 1.0)
    assert (len(data.X), len(data.unseen_images)) == (1437, 360)
    learned = {image.tobytes() for image in data.X}
    assert not any(image.tobytes() in learned for image in data.unseen_images)


def idx_files(folder: Path) -> Path:
    """Write six images for each part; every pixel of digit d is 20·d, plus 7 in `train`."""
    for part, shift, labelled in (("train", 7, range(6)), ("t10k", 0, range(4, 10))):
        labels = np.array(labelled, dtype=np.uint8)
        images = np.repeat(20 * labels + shift, 28 * 28).reshape(6, 28, 28).astype(np.uint8)
        for name, array in (("images-idx3", images), ("labels-idx1", labels)):
            header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            (folder / f"{part}-{name}-ubyte.gz").write_bytes(
                gzip.compress(header + array.tobytes())
            )
    return folder


@pytest.mark.slow
def test_mnist_has_the_lessons_13002_parameters(tmp_path: Path) -> None:
    files = idx_files(tmp_path)
    numbers = digits.main(mnist=files, images=3, epochs=1, out=tmp_path)
    assert numbers["parameters"] == 13_002


def test_images_of_mnist_keep_their_labels(tmp_path: Path) -> None:
    data = digit_data.mnist_digits(idx_files(tmp_path), seed=1, images=4)
    assert (data.X[:, 0] * 255).round().tolist() == (20 * data.y + 7).tolist()
    unseen = (data.unseen_images[:, 0] * 255).round().tolist()
    assert unseen == (20 * data.unseen_labels).tolist()
    assert (len(data.y), data.side) == (4, 28)


def test_the_mistakes_in_the_picture_are_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    figures: dict[str, Any] = {}
    monkeypatch.setattr(
        digits, "save", lambda figure, out, name: figures.update({name: figure}) or name
    )
    data = digit_data.small_digits(seed=0, images=5)
    said = (data.unseen_labels + (np.arange(360) < 3)) % 10
    digits.pictures(nn.MLP(64, [2, 10], seed=0), data, said, out="")
    titles = [axes.get_title() for axes in figures["digits-mistakes"].axes]
    assert titles == [f"a {y}, said {(y + 1) % 10}" for y in data.unseen_labels[:3]]


def test_a_damaged_mnist_is_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = idx_files(tmp_path) / "train-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-6])
    monkeypatch.setattr(sys, "argv", ["digits", "--mnist", str(tmp_path)])
    with pytest.raises(SystemExit, match="demos.digits: .*train-labels.* cannot be unzipped"):
        runpy.run_path(digits.__file__ or "", run_name="__main__")


def test_a_folder_of_images_is_judged_before_any_work(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        digits.parsed(["--mnist", "nowhere"])
    assert stopped.value.code == 2
    assert "expected a folder with MNIST's files, got 'nowhere'" in capsys.readouterr().err
