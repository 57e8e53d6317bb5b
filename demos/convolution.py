"""Seeing with filters: a convolutional network beside a dense one, on moved digits too.

First one filter slides over one digit by hand (`demos/filters.py`). Then two networks with as
many parameters learn scikit-learn's 8×8 digits, or with `--mnist DIR` the 28×28 digits of MNIST:
one of filters, and one of dense layers. Both read digits that they never saw; of the same digits
moved by a pixel, the dense one reads far fewer.

    python -m demos.convolution
    python -m demos.convolution --mnist path/to/mnist

Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
recognition", Proceedings of the IEEE, 1998.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import nn
from demos import filter_pictures
from demos import filters as by_hand
from demos.digit_data import Digits, mnist_digits, moved, small_digits
from demos.digits import mnist_folder
from demos.filter_gradient import Gradient, show_gradient
from demos.lesson import Lesson, options, percent, positive, run, save, save_drawing


class Plan(NamedTuple):
    """How both networks are trained."""

    epochs: int
    batch: int
    lr: float


PLANS = {8: Plan(12, 32, 0.02), 28: Plan(5, 64, 0.005)}  # by the side of an image
MOVES = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}  # (down, right)
SHOWN = 10  # filters in a table
LIT = 100  # unseen digits that show where filters light up


def convolutional(side: int, filters: int, seed: int) -> nn.Sequential:
    """Return a network of two convolutions and a dense layer, for images of 8×8 or 28×28."""
    if side == 8:
        return nn.Sequential(
            nn.Conv2d(1, filters, 3, padding=1, init="he", seed=seed),
            nn.ReLU(),
            nn.Conv2d(filters, 2 * filters, 3, init="he", seed=seed + 1),
            nn.ReLU(),
            nn.MaxPool2d(3),
            nn.Flatten(),
            nn.Linear(8 * filters, 10, seed=seed + 2),
        )
    return nn.Sequential(
        nn.Conv2d(1, filters, 5, stride=2, init="he", seed=seed),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(filters, 3 * filters, 3, init="he", seed=seed + 1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(48 * filters, 10, seed=seed + 2),
    )


def dense(side: int, parameters: int, seed: int) -> nn.Sequential:
    """Return a network of two dense layers with at least this many parameters."""
    width = -(-(parameters - 10) // (side**2 + 1 + 10))
    hidden = nn.Linear(side**2, width, init="he", seed=seed)
    output = nn.Linear(width, 10, seed=seed + 1)
    return nn.Sequential(nn.Flatten(), hidden, nn.ReLU(), output)


def as_images(rows: np.ndarray, side: int) -> np.ndarray:
    """Return rows of pixels as images of one channel."""
    return rows.reshape(-1, 1, side, side)


def show_networks(lesson: Lesson, model: nn.Sequential, other: nn.Sequential, side: int) -> None:
    """Show each layer with the shape of what it gives, its parameters, and how often it is used."""
    shape: tuple[int, ...] = (1, side, side)
    print(f"{'layer':36}{'gives':>14}{'weights, biases':>17}{'places':>8}")
    print(f"{'the image':36}{' × '.join(map(str, shape)):>14}")
    convolutions = []
    for layer in model:
        before, shape = shape, shape_after(layer, shape)
        if isinstance(layer, nn.ReLU):  # it changes no shape
            continue
        name = (
            f"Linear({layer.nin}, {layer.nout})" if isinstance(layer, nn.Linear) else f"{layer!r}"
        )
        count, places = len(layer.parameters()), ""
        if isinstance(layer, nn.Conv2d):
            name, places = f"{name}, ReLU", f"{shape[1] * shape[2]:>8}"
            convolutions.append((count, (np.prod(before) + 1) * np.prod(shape)))
        row = (
            f"{name:36}{' × '.join(map(str, shape)):>14}{f'{count:,}' if count else '':>17}{places}"
        )
        print(row.rstrip())
    hidden = other[1]
    print(f"{len(model.parameters()):,} weights and biases; the dense network has "
          f"{len(other.parameters()):,}: {hidden.nin} → {hidden.nout} (ReLU) → 10")  # fmt: skip
    shared, without = (sum(counts) for counts in zip(*convolutions, strict=True))
    print(f"dense layers in place of the filters would need {without:,.0f} instead of {shared:,}")
    lesson.claim(
        "filters_share_their_weights",
        "A filter has few weights, because it uses the same ones at every place.",
        shared < 0.1 * without and len(other.parameters()) >= len(model.parameters()),
    )


def shape_after(layer: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of what a layer gives for inputs of this shape."""
    if isinstance(layer, (nn.Conv2d, nn.MaxPool2d)):
        return layer.output_shape(shape)
    if isinstance(layer, nn.Flatten):
        return (int(np.prod(shape)),)
    return (layer.nout,) if isinstance(layer, nn.Linear) else shape


def trained(model: nn.Module, digits: Digits, plan: Plan, seed: int) -> nn.History:
    """Train a network on the digits; return the history."""
    optimizer = nn.Adam(model.parameters(), plan.lr)
    schedule = nn.CosineAnnealingLR(optimizer, plan.epochs)
    trainer = nn.Trainer(model, nn.cross_entropy, optimizer, scheduler=schedule)
    images = as_images(digits.X, digits.side)
    return trainer.fit(images, digits.y, plan.epochs, plan.batch, seed=seed, progress=False)


def read(model: nn.Module, digits: Digits) -> dict[str, float]:
    """Compute the share of unseen digits that a network reads, as they are and when moved."""
    by, images = digits.side // 8, digits.unseen_images
    moves = [(by * down, by * right) for down, right in MOVES.values()]
    tried = np.concatenate([images, *(moved(images, digits.side, *move) for move in moves)])
    said = model.predict(as_images(tried, digits.side)).argmax(1).reshape(5, -1)
    shares = (said == digits.unseen_labels).mean(1).tolist()
    return dict(zip(["unseen", *MOVES], shares, strict=True))


def mean_of_moves(shares: dict[str, float]) -> float:
    """Compute the mean share over the four moves."""
    return float(np.mean([shares[move] for move in MOVES]))


def show_reading(
    lesson: Lesson, with_filters: dict[str, float], without: dict[str, float], by: int
) -> None:
    """Show how many digits each network reads: unseen ones, and the same ones moved."""
    names = [name if name == "unseen" else f"{name} by {by}" for name in with_filters]
    print(f"{'digits read rightly':20}" + "".join(f"{name:>11}" for name in [*names, "mean of 4"]))
    means = []
    for what, shares in (("convolutional", with_filters), ("dense", without)):
        means.append(mean_of_moves(shares))
        row = [*shares.values(), means[-1]]
        print(f"{what:20}" + "".join(f"{percent(share):>11}" for share in row))
    lesson.claim(
        "both_read_unseen_digits",
        "Both networks read more than nine of ten digits that they never saw.",
        min(with_filters["unseen"], without["unseen"]) > 0.9,
    )
    lesson.claim(
        "the_dense_network_has_no_sense_of_place",
        "The dense network reads far fewer of the same digits once they are moved.",
        means[1] < without["unseen"] - 0.15,
    )
    lesson.claim(
        "filters_help_with_moved_digits",
        "Filters move their answers along, and pooling forgives: it reads more of them.",
        means[0] >= means[1] + 0.10,
    )


def show_filters(lesson: Lesson, model: nn.Sequential, digits: Digits) -> np.ndarray:
    """Show how often each filter lights up, and how alike any two are; return the likeness."""
    images = as_images(digits.unseen_images[:LIT], digits.side)
    lit = np.maximum(nn.Sequential(model[0]).predict(images), 0.0).swapaxes(0, 1)
    rows = lit.reshape(len(lit), -1)
    shares = (rows > 0.0).mean(1)
    lengths = np.maximum(np.linalg.norm(rows, axis=1), 1e-12)
    likeness = np.asarray(rows @ rows.T / np.outer(lengths, lengths))
    np.fill_diagonal(likeness, 0.0)
    shown = range(min(len(rows), SHOWN))
    print(f"{'filter':22}" + "".join(f"{j:>7}" for j in shown))
    print(f"{'lit at so many places':22}" + "".join(f"{shares[j]:>7.0%}" for j in shown))
    print(f"{'most alike filter':22}" + "".join(f"{likeness[j].argmax():>7}" for j in shown))
    print(f"{'cosine of their maps':22}" + "".join(f"{likeness[j].max():>7.2f}" for j in shown))
    pairs = likeness[np.triu_indices(len(rows), 1)]
    lesson.claim(
        "filters_answer_to_different_patterns",
        "Nobody chose the filters; training made them answer to different patterns.",
        len(pairs) > 0 and float(np.median(pairs)) < 0.6,
    )
    return likeness


def pictures(
    image: np.ndarray,
    digits: Digits,
    model: nn.Sequential,
    shares: list[dict[str, float]],
    found: Gradient,
    out: str | Path,
) -> list[str]:
    """Draw what the sections show: filters by hand, pooling, both networks, what one learned."""
    from nn import plots

    pixels = [(image / by_hand.BRIGHT).tolist()]
    classics = by_hand.convolution(list(by_hand.CLASSICS.values()))
    digit = as_images(digits.unseen_images[0], digits.side)[0]
    return [
        save(filter_pictures.sliding(image), out, "convolution-sliding"),
        save(plots.filters(classics, pixels, list(by_hand.CLASSICS)), out, "convolution-classics"),
        save(filter_pictures.pooling(image), out, "convolution-pooling"),
        save_drawing(nn.draw(model, digit), out, "convolution-network"),
        save(filter_pictures.reading(digits, shares), out, "convolution-moved"),
        save(plots.filters(model[0], digit), out, "convolution-filters"),
        save(filter_pictures.gradient(*found[:2]), out, "convolution-gradient"),
    ]


def main(
    mnist: str | Path | None = None,
    images: int | None = None,
    filters: int = 8,
    epochs: int | None = None,
    seed: int = 0,
    out: str | Path = "out",
    more: bool = False,
) -> dict[str, Any]:
    """Slide filters by hand, train both networks, and return the numbers.

    Args:
        mnist: a folder with MNIST's IDX files; by default scikit-learn's digits are learned.
        images: number of images to learn from; by default all.
        filters: number of filters of the first convolution; the second has two or three times more.
        epochs: how often each image is shown; by default as `PLANS` says.
        seed: seed of the split, of the weights and of the order.
        out: the folder for the pictures.
        more: True to show the sections that are hidden by default.

    Returns:
        `classics` (see `show_classics`), `changes` (see `show_pooling`), `parameters` (of each
        network), `history` and `dense_history`, `accuracy` and `moved` (shares of unseen digits,
        of the convolutional network), `better` (`moved` less that of the dense one), `shares` (see
        `read`, of each network), `likeness` (see `show_filters`), `gradient` (see `Gradient`),
        `claims`, `sections`, and the paths of the `pictures` and of the `page`.
    """
    lesson = Lesson(more)
    small = small_digits(seed, None)
    image = by_hand.whole_pixels(small.X[0])
    with lesson.section("One filter slides over a digit"):
        by_hand.show_slide(lesson, image)
    with lesson.section("What classic filters answer", more=True):
        classics = by_hand.show_classics(lesson, image)
    with lesson.section("Pooling and flatten"):
        changes = by_hand.show_pooling(lesson, image, small)
    digits = mnist_digits(mnist, seed, images) if mnist else small_digits(seed, images)
    plan = PLANS[digits.side]
    plan = plan._replace(epochs=epochs or plan.epochs)
    model = convolutional(digits.side, filters, seed)
    other = dense(digits.side, len(model.parameters()), seed)
    with lesson.section("Two networks of the same size"):
        show_networks(lesson, model, other, digits.side)
    with lesson.section("What they read after training"):
        histories = [trained(network, digits, plan, seed) for network in (model, other)]
        shares = [read(network, digits) for network in (model, other)]
        show_reading(lesson, shares[0], shares[1], digits.side // 8)
    with lesson.section("What the filters learned to look for", more=True):
        likeness = show_filters(lesson, model, digits)
    with lesson.section("The gradient of one weight of a filter"):
        unseen = as_images(digits.unseen_images[:1], digits.side)[0]
        found = show_gradient(lesson, model, unseen, int(digits.unseen_labels[0]))
    made = pictures(image, digits, model, shares, found, out)
    page = model.save_html(
        Path(out, "convolution.html"),
        history=histories[0],
        data=(as_images(digits.unseen_images, digits.side), digits.unseen_labels),
        loss=nn.cross_entropy,
        title="a reader with filters",
    )
    lesson.end(made, page)
    means = [mean_of_moves(each) for each in shares]
    return {
        "classics": classics,
        "changes": changes,
        "parameters": [len(network.parameters()) for network in (model, other)],
        "history": histories[0],
        "dense_history": histories[1],
        "accuracy": shares[0]["unseen"],
        "moved": means[0],
        "better": means[0] - means[1],
        "shares": shares,
        "likeness": likeness,
        "gradient": found,
        "claims": lesson.claims,
        "sections": lesson.sections,
        "pictures": made,
        "page": page,
    }


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse and check the command line's options."""
    parser = options(
        main,
        "A convolutional network beside a dense one.",
        filters="filters of the first convolution",
    )
    parser.add_argument(
        "--mnist", type=mnist_folder, metavar="DIR", help="a folder with MNIST's IDX files"
    )
    parser.add_argument("--images", type=positive(int), help="images to learn from")
    parser.add_argument("--epochs", type=positive(int), help="how often each image is shown")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    run(main, parsed)
