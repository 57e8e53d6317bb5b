"""Tests of the lesson on convolution."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.patches import Rectangle

import nn
from demos import convolution, filter_gradient, filter_pictures, filters
from demos.digit_data import small_digits
from demos.lesson import Lesson
from tests.demo_runs import Results
from tests.demos.test_digits import idx_files

IMAGE = filters.whole_pixels(small_digits(0, 1).X[0])


def test_the_numbers_belong_together(results: Results) -> None:
    numbers = results["convolution"]
    ours, dense = numbers["parameters"]
    assert ours == 2 * 9 + 2 + 4 * 2 * 9 + 4 + 16 * 10 + 10
    assert ours <= dense < ours + 75, "one neuron less would be too few"
    shares, others = numbers["shares"]
    assert list(shares) == ["unseen", "left", "right", "up", "down"]
    assert numbers["accuracy"] == shares["unseen"]
    moved, of_dense = (sum(list(each.values())[1:]) / 4 for each in (shares, others))
    assert numbers["moved"] == pytest.approx(moved)
    assert numbers["better"] == pytest.approx(moved - of_dense)
    gradient = numbers["gradient"]
    assert gradient.slopes.shape == gradient.pixels.shape == (8, 8)
    assert (gradient.slopes * gradient.pixels).sum() == pytest.approx(gradient.total)
    assert "the sum over 64 paths" in gradient.explanation


def test_a_filter_slides_as_by_hand() -> None:
    image = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16]])
    corner = np.array([[1, 0], [0, -1]])
    assert filters.slide(image, corner).tolist() == [[-5] * 3] * 3
    assert filters.slide(image, corner, stride=2).tolist() == [[-5] * 2] * 2
    padded = filters.slide(image, corner, stride=2, padding=1)
    assert padded.tolist() == [[-1, -3, 0], [-9, -5, 8], [0, 14, 16]]
    assert filters.pooled(image).tolist() == [[6, 8], [14, 16]]


def test_the_gradient_by_places_is_that_of_small_changes_of_the_weight() -> None:
    model = convolution.convolutional(8, 2, seed=3)
    digits = small_digits(0, 1)
    image, digit = digits.X[0].reshape(1, 8, 8), int(digits.y[0])
    found = filter_gradient.gradient_of_weight(model, image, digit)
    p, q = filter_gradient.WEIGHT
    changes = []
    for kernel in model[0].weight:
        weight, costs = kernel[0][p][q], []
        for step in (1e-6, -1e-6):
            weight.data += step
            costs.append(nn.cross_entropy(model(image.tolist()), digit).data)
            weight.data -= step
        changes.append((costs[0] - costs[1]) / 2e-6)
    assert found.total == pytest.approx(max(changes, key=abs), rel=1e-4)
    assert not any(w.grad for w in model.parameters())


def test_a_stride_takes_every_other_pixel() -> None:
    model = nn.Sequential(nn.Conv2d(1, 1, 3, stride=2, seed=0), nn.Flatten(), nn.Linear(9, 10))
    image = np.random.default_rng(0).random((1, 8, 8))
    found = filter_gradient.gradient_of_weight(model, image, 1)
    assert found.pixels.tolist() == image[0, 1:7:2, 1:7:2].tolist()
    assert (found.slopes * found.pixels).sum() == pytest.approx(found.total)


def test_the_networks_for_mnist_are_small_enough() -> None:
    model = convolution.convolutional(28, 8, seed=0)
    other = convolution.dense(28, len(model.parameters()), seed=0)
    assert len(model.parameters()) <= len(other.parameters()) <= 13_002
    shape: tuple[int, ...] = (1, 28, 28)
    for layer in model:
        shape = convolution.shape_after(layer, shape)
    assert shape == (10,)


def test_false_numbers_refute_the_claims(capsys: pytest.CaptureFixture[str]) -> None:
    lesson = Lesson()
    good = dict.fromkeys(["unseen", *convolution.MOVES], 0.98)
    convolution.show_reading(lesson, {**good, "unseen": 0.5}, good, by=1)
    assert set(lesson.claims.values()) == {False}
    assert "98.0%" in capsys.readouterr().out


def test_filters_that_are_all_alike_refute_that_they_differ() -> None:
    lesson, model = Lesson(), convolution.convolutional(8, 3, seed=0)
    one = np.array([[w.data for w in row] for row in model[0].weight[0][0]])
    model[0].load_state_dict({"weight": np.tile(one, (3, 1, 1, 1)), "bias": np.zeros(3)})
    likeness = convolution.show_filters(lesson, model, small_digits(0, 1))
    assert lesson.claims == {"filters_answer_to_different_patterns": False}
    assert likeness.max() == pytest.approx(1.0)


def test_a_filter_of_zeros_is_no_edge_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    lesson = Lesson()
    nothing = dict.fromkeys(filters.CLASSICS, [[0.0] * 3] * 3)
    monkeypatch.setattr(filters, "CLASSICS", nothing)
    filters.show_classics(lesson, IMAGE)
    assert set(lesson.claims.values()) == {False}


def test_a_wrong_sum_of_products_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    lesson, right = Lesson(), filters.slide
    monkeypatch.setattr(filters, "slide", lambda *args: right(*args) + 1)
    filters.show_slide(lesson, IMAGE)
    assert not lesson.claims["a_number_of_the_map_is_a_sum_of_products"]


def test_the_picture_frames_the_window_and_its_number() -> None:
    figure = filter_pictures.sliding(IMAGE)
    top, left = filters.strongest(IMAGE)
    total = filters.slide(IMAGE, filters.KERNEL).max()
    assert figure.axes[2].get_xlabel() == f"their sum: {total}"
    shifts = {0: 0, 3: 0, 5: 1}  # of the panels: the image, and the maps without and with padding
    for panel, shift in shifts.items():
        (frame,) = figure.axes[panel].patches
        assert isinstance(frame, Rectangle)
        assert frame.get_xy() == (left + shift - 0.5, top + shift - 0.5)


def test_mnist_is_learned_from_its_files(tmp_path: Path) -> None:
    numbers = convolution.main(
        mnist=idx_files(tmp_path), images=3, filters=1, epochs=1, out=tmp_path
    )
    gradient = numbers["gradient"]
    assert gradient.slopes.shape == (12, 12)
    assert (gradient.slopes * gradient.pixels).sum() == pytest.approx(gradient.total)


def test_a_folder_without_mnist_is_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["convolution", "--mnist", str(tmp_path)])
    with pytest.raises(SystemExit, match="demos.convolution: there is no train-images"):
        runpy.run_path(convolution.__file__ or "", run_name="__main__")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--mnist=nowhere", "expected a folder with MNIST's files, got 'nowhere'"),
        ("--images=0", "expected a whole number above zero"),
        ("--epochs=-1", "expected a whole number above zero"),
        ("--filters=2.5", "expected a whole number above zero"),
    ],
)
def test_bad_options_are_judged_before_any_work(
    option: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        convolution.parsed([option])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
