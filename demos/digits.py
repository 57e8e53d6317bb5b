"""The lessons' digit recogniser: from random weights to a network that reads digits.

By default a 64-16-16-10 network learns the 8×8 digits that come with scikit-learn. With
`--mnist DIR` the lessons' 784-16-16-10 network, with its 13,002 weights and biases, learns the
28×28 digits of MNIST. Both are the lessons' own: a sigmoid in each neuron, the cost Σ(a − y)², and
plain gradient descent in mini-batches. `--modern` trains the same digits with today's choices too.

    python -m demos.digits
    python -m demos.digits --mnist path/to/mnist --images 500

Source: 3Blue1Brown, "But what is a neural network?" and "Gradient descent", Deep Learning,
chapters 1 to 3.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path
from typing import Any

import numpy as np

import nn
from autograd.extend import expanded
from demos.digit_data import (
    Digits,
    edges_and_loops,
    likeness,
    mnist_digits,
    moved,
    print_image,
    small_digits,
)
from demos.digit_wishes import show_competition, show_mean_of_wishes, show_outputs, show_three_ways
from demos.lesson import Lesson, options, percent, positive, run, save, save_drawing

HIDDEN = [16, 16]
BATCH = 16
EPOCHS_SHOWN = (1, 2, 3, 5, 10, 20, 30)
NOISE = 1000  # images of noise
MODERN_EPOCHS, MODERN_LR = 5, 0.01


def judge(model: nn.Module, X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute for each image its cost Σ(a − y)², and whether its digit has the largest output."""
    outputs = model.predict(X)
    return ((outputs - nn.one_hot(y, 10)) ** 2).sum(1), outputs.argmax(1) == y


def show_function(lesson: Lesson, model: nn.MLP, digits: Digits) -> None:
    """Show one image, and the network as a function from pixels to ten outputs."""
    side, sizes = digits.side, [digits.side**2, *HIDDEN, 10]
    count = len(model.parameters())
    print_image(digits.X[0], side)
    pixels = f"{side}·{side} = {side**2} inputs"
    print(f"{pixels} → {' → '.join(map(str, sizes[1:]))} outputs; {count:,} weights and biases")
    terms = [f"{n}·{m} + {n}" for m, n in itertools.pairwise(sizes)]
    print(f"= {' + '.join(terms)}   (28·28 = 784 inputs make 13,002)")
    lesson.claim(
        "inputs_are_the_brightness_of_pixels",
        "The inputs are the brightness of the pixels, from 0 (dark) to 1 (bright).",
        digits.X.shape[1] == side**2 and digits.X.min() == 0.0 and digits.X.max() == 1.0,
    )
    outputs = model.predict(digits.X)
    made = sum(n * m + n for m, n in itertools.pairwise(sizes))
    lesson.claim(
        "the_network_is_a_function",
        "The network is a function of these inputs, with ten outputs from 0 to 1 and all weights "
        "and biases as parameters.",
        made == count and outputs.shape[1] == 10 and 0.0 <= outputs.min() <= outputs.max() <= 1.0,
    )


def show_training(
    lesson: Lesson, model: nn.MLP, digits: Digits, settings: tuple[int, float, int]
) -> nn.History:
    """Train, and show what becomes of cost and accuracy."""
    epochs, lr, seed = settings
    X, y = digits.X, digits.y
    before, _ = judge(model, X, y)
    trash = judge(model, digits.unseen_images, digits.unseen_labels)[1].mean()
    trainer = nn.Trainer(model, nn.squared_error, nn.SGD(model.parameters(), lr))
    history = trainer.fit(X, nn.one_hot(y, 10), epochs, BATCH, seed=seed, progress=False)
    after, right = judge(model, X, y)
    learned = right.mean()
    unseen = judge(model, digits.unseen_images, digits.unseen_labels)[1].mean()
    print(f"{'epoch':>6}{'cost':>10}{'right':>9}")
    for epoch in sorted({min(epoch, epochs) for epoch in (*EPOCHS_SHOWN, epochs)}):
        share = percent(history.accuracies[epoch - 1])
        print(f"{epoch:>6}{history.losses[epoch - 1]:>10.4f}{share:>9}")
    print(f"{'':28}{'before':>9}{'after':>9}")
    print(f"{'cost of the image above':28}{before[0]:>9.4f}{after[0]:>9.4f}")
    print(f"{'cost of the network':28}{before.mean():>9.4f}{after.mean():>9.4f}")
    print(f"{'right of the unseen digits':28}{percent(trash):>9}{percent(unseen):>9}"
          f"   (of the learned ones {percent(learned)})")  # fmt: skip
    lesson.claim(
        "random_weights_give_trash",
        "With random weights the answers are trash: hardly better than a guess.",
        trash < 0.3,
    )
    lesson.claim(
        "the_cost_is_large_for_trash",
        "The cost of an image is large while the answer is trash, and small when it is right.",
        after[0] < 0.1 * before[0] and right[0],
    )
    lesson.claim(
        "training_lowers_the_cost",
        "Learning is finding the weights and biases that make the cost small.",
        after.mean() < 0.2 * before.mean(),
    )
    lesson.claim(
        "unseen_digits_are_read_as_well",
        "It reads most digits that it never saw, nearly as well as those it learned from.",
        unseen > 0.9 and unseen > learned - 0.06,
    )
    return history


def show_first_layer(lesson: Lesson, model: nn.MLP, side: int) -> np.ndarray:
    """Show whether the neurons of the first layer look for edges or loops; return the shares."""
    weights = np.array([[w.data for w in neuron.w] for neuron in model.layers[0].neurons])
    found = np.sort(likeness(weights, side))[::-1]
    print("share of each neuron's weights that the most similar edge or loop explains"
          f" (of {len(edges_and_loops(side)):,}):")  # fmt: skip
    print("   " + " ".join(f"{x:.2f}" for x in found))
    lesson.claim(
        "the_first_layer_finds_no_edges",
        "One hoped for edges and loops; most neurons look for neither, and still it reads digits.",
        float(np.median(found)) < 0.5,
    )
    return found


def show_moved(lesson: Lesson, model: nn.MLP, digits: Digits) -> dict[str, float]:
    """Show how many unseen digits are read after a move by a pixel (of eight)."""
    by, images, y = digits.side // 8, digits.unseen_images, digits.unseen_labels
    moves = {"not moved": (0, 0), "left": (0, -by), "right": (0, by), "up": (-by, 0)}
    moves["down"] = (by, 0)
    tried = np.concatenate([moved(images, digits.side, *move) for move in moves.values()])
    right = judge(model, tried, np.tile(y, len(moves)))[1].reshape(len(moves), -1)
    found = dict(zip(moves, right.mean(1).tolist(), strict=True))
    print(f"moved by {by} of {digits.side} pixels: right")
    print("   " + "   ".join(f"{name} {percent(x)}" for name, x in found.items()))
    lesson.claim(
        "a_moved_digit_is_not_recognised",
        "Many of the same images, a little moved, are not recognised: it has no sense of place.",
        max(x for name, x in found.items() if name != "not moved") < found["not moved"] - 0.15,
    )
    return found


def show_noise(lesson: Lesson, model: nn.MLP, digits: Digits, seed: int) -> np.ndarray:
    """Show how large the largest output is for noise; return it for each image of noise."""
    noise = np.random.default_rng(seed).random((NOISE, digits.side**2))
    largest = model.predict(np.concatenate([noise, digits.unseen_images])).max(1)
    noisy, unseen = largest[:NOISE], largest[NOISE:]
    print(f"{'largest output':26}{'median':>8}{'above ½':>10}")
    for name, outputs in (("images of noise", noisy), ("unseen digits", unseen)):
        share = percent((outputs > 0.5).mean())
        print(f"{f'of {len(outputs):,} {name}':26}{np.median(outputs):>8.2f}{share:>10}")
    lesson.claim(
        "noise_gets_confident_answers",
        "To most images of noise it gives an answer above ½: it never learned that there are "
        "images of no digit.",
        (noisy > 0.5).mean() > 0.5,
    )
    return np.asarray(noisy)


def show_modern(model: nn.MLP, digits: Digits, seed: int) -> float:
    """Train a network as one does today, and compare it with the lessons'; return its accuracy."""
    modern = nn.MLP(digits.side**2, [*HIDDEN, 10], seed=seed)
    optimizer = nn.Adam(modern.parameters(), MODERN_LR)
    schedule = nn.CosineAnnealingLR(optimizer, MODERN_EPOCHS)
    trainer = nn.Trainer(modern, nn.cross_entropy, optimizer, scheduler=schedule)
    trainer.fit(digits.X, digits.y, MODERN_EPOCHS, BATCH, seed=seed, progress=False)
    unseen = digits.unseen_images, digits.unseen_labels
    reached = float(judge(modern, *unseen)[1].mean())
    rows = {
        "the lessons": (judge(model, *unseen)[1].mean(), "sigmoid, Σ(a − y)², plain descent"),
        "today": (reached, f"relu, softmax and cross-entropy, Adam; {MODERN_EPOCHS} epochs"),
    }
    for name, (right, what) in rows.items():
        print(f"{name:14}{percent(right):>7}   {what}")
    print("What changed: slopes (relu), the cost (steep where it is wrong), and steps (Adam).")
    return reached


def pictures(model: nn.MLP, digits: Digits, said: np.ndarray, out: str | Path) -> list[str]:
    """Draw first-layer weights, mistakes, the confusion matrix, and the network at one image."""
    from matplotlib.figure import Figure

    from nn import plots

    wrong = np.flatnonzero(said != digits.unseen_labels)[:16]
    figure = Figure(figsize=(8.0, 2.4), layout="constrained")
    for i, j in enumerate(wrong, 1):
        axes = figure.add_subplot(2, 8, i)
        image = digits.unseen_images[j].reshape(digits.side, digits.side)
        axes.imshow(image, cmap="gray", vmin=0.0, vmax=1.0)
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
    modern: bool = False,
    epochs: int = 30,
    lr: float = 2.0,
    seed: int = 0,
    out: str | Path = "out",
    more: bool = False,
) -> dict[str, Any]:
    """Show the recogniser before and after training, and return the numbers.

    Args:
        mnist: a folder with MNIST's IDX files; by default scikit-learn's digits are read.
        images: number of images to learn from; by default all.
        modern: True to train with today's choices too.
        epochs: how often each image is shown.
        lr: the learning rate.
        seed: seed of the split, of the weights and of the order.
        out: the folder for the pictures and `digits.html`.
        more: True to show the sections that are hidden by default.

    Returns:
        `parameters` (their number), `before` (see `show_outputs`), `competition` (see
        `show_competition`), `wishes` (see `show_mean_of_wishes`), `history`, `accuracy` on the
        held-out digits, `likeness` (see `show_first_layer`), `moved` (see `show_moved`), `noise`
        (the largest output for each image of noise), `modern` (the accuracy with today's choices,
        or None), `claims`, `sections`, and the paths of the `pictures` and the `page`.
    """
    lesson = Lesson(more)
    digits = mnist_digits(mnist, seed, images) if mnist else small_digits(seed, images)
    model = nn.MLP(digits.side**2, [*HIDDEN, 10], "sigmoid", output="sigmoid", seed=seed)
    image, digit = digits.X[0], int(digits.y[0])
    with lesson.section("The network is a function"):
        print(f"The image of a {digit}:")
        show_function(lesson, model, digits)
    with lesson.section("The image above, before training: what should change"):
        before = show_outputs(lesson, model, image, digit)
    with lesson.section("Three ways to raise the right output", more=True):
        show_three_ways(lesson, model, image, digit)
    with lesson.section("What each output wishes of the last hidden neurons: −∂C/∂a", more=True):
        competition = show_competition(lesson, model, image, digit)
    with lesson.section("The wishes −∂C/∂w of single images, and their mean: the step", more=True):
        wishes = show_mean_of_wishes(lesson, model, digits.X[:BATCH], digits.y[:BATCH])
    with lesson.section("Training on all images"):
        history = show_training(lesson, model, digits, (epochs, lr, seed))
    with lesson.section("What the first layer looks for"):
        found = show_first_layer(lesson, model, digits.side)
    with lesson.section("What it has not learned"):
        shares = show_moved(lesson, model, digits)
        noise = show_noise(lesson, model, digits, seed)
    reached = None
    if modern:
        with lesson.section("Today's choices beside the lessons'"):
            reached = show_modern(model, digits, seed)
    said = model.predict(digits.unseen_images).argmax(1)
    made = pictures(model, digits, said, out)
    page = model.save_html(
        Path(out, "digits.html"),
        history=history,
        data=(digits.unseen_images, digits.unseen_labels),
        loss=nn.squared_error,
        title="the digit recogniser",
    )
    lesson.end(made, page)
    return {
        "parameters": len(model.parameters()),
        "before": before,
        "competition": competition,
        "wishes": wishes,
        "history": history,
        "accuracy": float((said == digits.unseen_labels).mean()),
        "likeness": found,
        "moved": shares,
        "noise": noise,
        "modern": reached,
        "claims": lesson.claims,
        "sections": lesson.sections,
        "pictures": made,
        "page": page,
    }


def mnist_folder(text: str) -> str:
    """Return the name of an existing folder; raise argparse's error for any other text."""
    if not expanded(text).is_dir():
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
    parser.add_argument("--modern", action="store_true", help="train with today's choices too")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    run(main, parsed)
