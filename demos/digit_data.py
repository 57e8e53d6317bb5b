"""Images of handwritten digits: scikit-learn's 8×8 digits, and MNIST's 28×28 digits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from demos import idx

SHADES = " .:-=+*#%@"


@dataclass(frozen=True)
class Digits:
    """Images as rows of numbers from 0 to 1, and their labels.

    Attributes:
        X, y: images and labels to learn from.
        unseen_images, unseen_labels: held-out images and labels.
        side: width and height of an image in pixels.
    """

    X: np.ndarray
    y: np.ndarray
    unseen_images: np.ndarray
    unseen_labels: np.ndarray
    side: int


def small_digits(seed: int, images: int | None) -> Digits:
    """Load scikit-learn's 8×8 digits and hold out a fifth of them."""
    X, y = load_digits(return_X_y=True)
    split = train_test_split(X / 16.0, y, test_size=0.2, random_state=seed, stratify=y)
    learn_X, test_X, learn_y, test_y = split
    return Digits(learn_X[:images], learn_y[:images], test_X, test_y, side=8)


def mnist_digits(folder: str | Path, seed: int, images: int | None) -> Digits:
    """Load MNIST from its IDX files: `images` of the training set, and as many of the test set."""
    X, y = idx.mnist(folder, "train")
    test_X, test_y = idx.mnist(folder, "t10k")
    learn, test = (
        np.random.default_rng(seed).permutation(len(labels))[:images] for labels in (y, test_y)
    )
    return Digits(X[learn], y[learn], test_X[test], test_y[test], side=28)


def print_image(image: np.ndarray, side: int) -> None:
    """Print an image in characters; brighter pixels get denser characters."""
    for row in image.reshape(side, side):
        print("   " + "".join(2 * SHADES[min(int(x * len(SHADES)), len(SHADES) - 1)] for x in row))


def moved(images: np.ndarray, side: int, down: int, right: int) -> np.ndarray:
    """Move images by some pixels; what leaves the image is lost, and what enters is dark.

    >>> moved(np.array([[1.0, 0.0, 0.5, 0.0]]), 2, down=0, right=1)
    array([[0. , 1. , 0. , 0.5]])
    """
    squares = np.pad(images.reshape(-1, side, side), [(0, 0), (side, side), (side, side)])
    rows, columns = slice(side - down, 2 * side - down), slice(side - right, 2 * side - right)
    return squares[:, rows, columns].reshape(len(images), -1)


def edges_and_loops(side: int) -> np.ndarray:
    """Make images of edges (in four directions) and loops (of two sizes), at all places.

    A row is an image; its numbers have the mean 0 and the squared sum 1.
    """
    y, x = np.mgrid[:side, :side] + 0.5
    shapes = []
    for down, right in np.ndindex(side - 1, side - 1):
        dy, dx = y - down - 1, x - right - 1
        distance = np.hypot(dy, dx)
        near = distance < side / 4
        shapes += [near * np.sign(edge) for edge in (dy, dx, dy + dx, dy - dx)]
        rings = (abs(distance - radius) < side / 16 for radius in (side / 4, 3 * side / 8))
        shapes += [ring.astype(float) for ring in rings]
    rows = np.array(shapes).reshape(len(shapes), -1)
    rows -= rows.mean(1, keepdims=True)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def likeness(weights: np.ndarray, side: int) -> np.ndarray:
    """Compute how much of the variance of each neuron's weights one edge or loop explains at most.

    It is 1 for weights that are an edge or a loop, of any strength and on any ground.

    >>> likeness(3.0 - 2.0 * edges_and_loops(8)[[5, 60]], 8).round(6)
    array([1., 1.])
    """
    centred = weights - weights.mean(1, keepdims=True)
    lengths = np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    return np.asarray(((centred / lengths @ edges_and_loops(side).T) ** 2).max(1))
