"""The lessons' digit recogniser: the cost and gradient of one image, a batch, and training.

By default a 64-16-16-10 network learns the 8×8 digits that come with scikit-learn. With
`--mnist DIR` the lessons' 784-16-16-10 network, with its 13,002 weights and biases, learns the
28×28 digits of MNIST. The wish of an image is minus the gradient of its cost: how it would change
an output or a weight.

    python -m demos.digits
    python -m demos.digits --mnist path/to/mnist --images 500 --epochs 2

Source: 3Blue1Brown, "But what is a neural network?" and "Gradient descent", Deep Learning,
chapters 1 to 3.
"""

from __future__ import annotations

import argparse
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import nn
from autograd import softmax
from demos import idx
from demos.lesson import heading, options, percent, positive, run, save, save_drawing

HIDDEN = [16, 16]
TABLE_WEIGHTS, TABLE_IMAGES = 6, 6  # rows and columns of the table of wishes
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


def print_wishes(model: nn.Module, image: np.ndarray, digit: int) -> dict[str, list[float]]:
    """Print the cost of one image, and which outputs should go up and which down.

    Returns:
        The columns of the table, and the `cost` of the image as the lessons define it.
    """
    z = model(image)
    a = softmax(z)
    wanted = nn.one_hot(digit, 10).tolist()
    cost = nn.squared_error(a, wanted)
    model.zero_grad()
    cost.backward()
    columns = {
        "a": [v.data for v in a],
        "y": wanted,
        "square": [(v.data - y) ** 2 for v, y in zip(a, wanted, strict=True)],
        "wish": [-v.grad for v in a],
    }
    print("digit      a     y   (a − y)²   −∂C/∂a   should go")
    for k, (p, y, square, wish) in enumerate(zip(*columns.values(), strict=True)):
        direction = "up" if wish > 0 else "down"
        print(f"{k:>5}{p:>7.2f}{y:>6.0f}{square:>11.4f}{wish:>+9.2f}   {direction}")
    print(f"C = Σ(a − y)² = {cost.data:.4f}")
    return columns | {"cost": [cost.data]}


def gradients(model: nn.Module, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Compute the gradient of each example's cost by all parameters, a row for each example."""
    rows = []
    for x, digit in zip(X, y, strict=True):
        model.zero_grad()
        nn.cross_entropy(model(x), int(digit)).backward()
        rows.append([p.grad for p in model.parameters()])
    return np.array(rows)


def print_sum_of_wishes(model: nn.Module, X: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Print the wishes of a few images for a few weights, and their mean: the batch's step.

    Returns:
        `wishes` (−∂C/∂w by example and parameter), `step` (their mean), and `batch` (minus the
        gradient of the mean cost of the whole batch, from one backward pass).
    """
    wishes = -gradients(model, X, y)
    step = wishes.mean(0)
    model.zero_grad()
    nn.cross_entropy([model(x) for x in X], y.tolist()).backward()
    batch = np.array([-p.grad for p in model.parameters()])
    labels = [p.label for p in model.parameters()]
    shown = np.argsort(-abs(wishes).sum(0))[:TABLE_WEIGHTS]
    print("".join([f"{'':10}", *(f"{f'a {d}':>8}" for d in y[:TABLE_IMAGES])])
          + f"   …  mean of {len(X)}")  # fmt: skip
    for i in shown:
        cells = "".join(f"{wish:>+8.2f}" for wish in wishes[:TABLE_IMAGES, i])
        print(f"{labels[i]:10}{cells}   …  {step[i]:+.3f}")
    off = abs(step - batch).max()
    print(f"the batch's own backward pass gives the same, to {off:.0e}")
    return {"wishes": wishes, "step": step, "batch": batch}


def confidences(model: nn.Module, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the model's answer to each image, and its probability."""
    outputs = model.predict(X)
    shifted = np.exp(outputs - outputs.max(1, keepdims=True))
    return outputs.argmax(1), (shifted / shifted.sum(1, keepdims=True)).max(1)


def print_noise(model: nn.Module, pixels: int, rng: random.Random) -> np.ndarray:
    """Print the model's answers to images of noise; return the probability of each answer."""
    noise = np.array([[rng.random() for _ in range(pixels)] for _ in range(8)])
    said, sure = confidences(model, noise)
    for digit, confidence in zip(said, sure, strict=True):
        print(f"to noise it says {digit}, {percent(confidence)} sure")
    print("It never learned to say that something is no digit.")
    return sure


def pictures(model: nn.MLP, digits: Digits, said: np.ndarray, out: str | Path) -> list[str]:
    """Draw first-layer weights, mistakes, the confusion matrix, and the network at one image."""
    from matplotlib.figure import Figure

    from nn import plots

    wrong = np.flatnonzero(said != digits.unseen_labels)[:16]
    figure = Figure(figsize=(8.0, 2.4), layout="constrained")
    for i, j in enumerate(wrong, 1):
        axes = figure.add_subplot(2, 8, i)
        axes.imshow(digits.unseen_images[j].reshape(digits.side, digits.side), cmap="gray_r")
        axes.set(xticks=[], yticks=[])
        axes.set_title(f"a {digits.unseen_labels[j]}, said {said[j]}", fontsize=8)
    network = nn.draw(model, digits.unseen_images[0])
    shape = (digits.side, digits.side)
    return [
        save(plots.weights_as_images(model.layers[0], shape), out, "digits-weights"),
        save(figure, out, "digits-mistakes"),
        save(
            plots.confusion_matrix(digits.unseen_labels, said, range(10)), out, "digits-confusion"
        ),
        save_drawing(network, out, "digits-network"),
    ]


def main(
    mnist: str | Path | None = None,
    images: int | None = None,
    epochs: int = 5,
    lr: float = 0.01,
    seed: int = 0,
    out: str | Path = "out",
) -> dict[str, Any]:
    """Show the recogniser before and after training, and return the numbers.

    Args:
        mnist: a folder with MNIST's IDX files; by default scikit-learn's digits are read.
        images: number of images to learn from; by default all.
        epochs: how often each image is shown.
        lr: the learning rate, which falls to zero along half a cosine.
        seed: seed of the split, of the weights and of the order.
        out: the folder for the pictures and `digits.html`.

    Returns:
        `parameters` (their number), `before` (see `print_wishes`), `wishes` (see
        `print_sum_of_wishes`), `history`, `accuracy` on the held-out digits, `noise` (the
        probability of each answer to noise), and the paths of the `pictures` and the `page`.
    """
    digits = mnist_digits(mnist, seed, images) if mnist else small_digits(seed, images)
    model = nn.MLP(digits.side**2, [*HIDDEN, 10], seed=seed)
    count = len(model.parameters())
    print(f"{count:,} weights and biases, {len(digits.X):,} images to learn from")
    print(heading(f"One image, before training: a {digits.y[0]}"))
    print_image(digits.X[0], digits.side)
    before = print_wishes(model, digits.X[0], int(digits.y[0]))
    print(heading("The wishes (−gradients) of single images, and their mean: the batch's step"))
    wishes = print_sum_of_wishes(model, digits.X[:16], digits.y[:16])

    print(heading("Training"))
    optimizer = nn.Adam(model.parameters(), lr)
    schedule = nn.CosineAnnealingLR(optimizer, epochs)
    trainer = nn.Trainer(model, nn.cross_entropy, optimizer, scheduler=schedule)
    history = trainer.fit(digits.X, digits.y, epochs, 16, seed=seed)
    print(history)
    said, sure = confidences(model, digits.unseen_images)
    right = said == digits.unseen_labels
    accuracy = float(right.mean())
    print(f"right on {percent(accuracy)} of {len(right):,} digits it never saw")
    for what, chosen in (("right", sure[right]), ("wrong", sure[~right])):
        mean = percent(chosen.mean() if len(chosen) else None)
        print(f"mean probability of its {what} answers: {mean}")
    print(heading("And noise?"))
    noise = print_noise(model, digits.side**2, random.Random(seed))
    made = pictures(model, digits, said, out)
    page = model.save_html(
        Path(out, "digits.html"),
        history=history,
        data=(digits.unseen_images, digits.unseen_labels),
        loss=nn.cross_entropy,
        title="the digit recogniser",
    )
    print(f"\nThe pictures: {', '.join(made)}")
    print(
        f"A page that plays the training, with a canvas to draw digits on, for any browser: {page}"
    )
    return {
        "parameters": count,
        "before": before,
        "wishes": wishes,
        "history": history,
        "accuracy": accuracy,
        "noise": noise,
        "pictures": made,
        "page": page,
    }


def mnist_folder(text: str) -> str:
    """Return the name of an existing folder; raise argparse's error for any other text."""
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"expected a folder with MNIST's files, got {text!r}")
    return text


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse and check the command line's options."""
    parser = options(
        main,
        "The lessons' digit recogniser.",
        epochs="how often each image is shown",
        lr="learning rate",
    )
    parser.add_argument(
        "--mnist", type=mnist_folder, metavar="DIR", help="a folder with MNIST's IDX files"
    )
    parser.add_argument("--images", type=positive(int), help="images to learn from")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    run(main, parsed)
