"""Filters by hand: how one slides over an image, what classic ones answer to, pooling, flatten."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import nn
from demos.digit_data import Digits, moved
from demos.lesson import Lesson

BRIGHT = 16  # a pixel of the 8×8 digits is a whole number from 0 to 16
CLASSICS: dict[str, list[list[float]]] = {
    "vertical edges": [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]],
    "horizontal edges": [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
    "outline": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    "blur": [[1 / 9, 1 / 9, 1 / 9], [1 / 9, 1 / 9, 1 / 9], [1 / 9, 1 / 9, 1 / 9]],
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
}
PATTERNS: dict[str, list[list[float]]] = {
    "flat": [[16, 16, 16], [16, 16, 16], [16, 16, 16]],
    "vertical edge": [[0, 8, 16], [0, 8, 16], [0, 8, 16]],
    "horizontal edge": [[0, 0, 0], [8, 8, 8], [16, 16, 16]],
    "dot": [[0, 0, 0], [0, 16, 0], [0, 0, 0]],
}
KERNEL = np.array(CLASSICS["vertical edges"], dtype=int)
STEPS = [(1, 0), (2, 0), (1, 1), (2, 1)]  # stride and padding
POOL = 2
POOLED = 100  # digits whose maps are compared with those of the moved digits


def slide(image: np.ndarray, kernel: np.ndarray, stride: int = 1, padding: int = 0) -> np.ndarray:
    """Slide a filter over an image: at each place, multiply by the window's pixels, and add.

    >>> slide(np.array([[0, 0, 5], [0, 0, 5]]), np.array([[-1, 1], [-1, 1]]))
    array([[ 0, 10]])
    """
    image, side = np.pad(image, padding), len(kernel)
    tops, lefts = (range(0, size - side + 1, stride) for size in image.shape)
    windows = [[image[i : i + side, j : j + side] for j in lefts] for i in tops]
    return np.array([[(window * kernel).sum() for window in row] for row in windows])


def pooled(image: np.ndarray, side: int = POOL) -> np.ndarray:
    """Return the largest number of each window of side × side numbers; windows do not overlap.

    >>> pooled(np.array([[1, 2, 0, 0], [4, 3, 0, 7]]))
    array([[4, 7]])
    """
    down, across = (size // side for size in image.shape)
    cut = image[: down * side, : across * side]
    return np.asarray(cut.reshape(down, side, across, side).max((1, 3)))


def convolution(kernels: Any, stride: int = 1, padding: int = 0) -> nn.Conv2d:
    """Return a module that slides these filters over an image of one channel."""
    weight = np.array(kernels, dtype=float)[:, None]
    found = nn.Conv2d(1, len(weight), weight.shape[-1], stride, padding)
    found.load_state_dict({"weight": weight, "bias": np.zeros(len(weight))})
    return found


def beside(*blocks: tuple[str, np.ndarray]) -> str:
    """Set tables of whole numbers beside each other, each below its title.

    >>> print(beside(("one", np.array([[1, -2]])), ("two", np.array([[3], [4]]))))
    one       two
       1  -2     3
                 4
    """
    columns = []
    for title, table in blocks:
        lines = [title, *("".join(f"{number:>4}" for number in row) for row in table)]
        columns.append([line.ljust(max(map(len, lines))) for line in lines])
    height = max(map(len, columns))
    filled = [lines + [" " * len(lines[0])] * (height - len(lines)) for lines in columns]
    return "\n".join("  ".join(line).rstrip() for line in zip(*filled, strict=True))


def strongest(image: np.ndarray) -> tuple[int, int]:
    """Return the row and the column of the window to which the filter has its largest answer."""
    found = slide(image, KERNEL)
    top, left = np.unravel_index(found.argmax(), found.shape)
    return int(top), int(left)


def show_slide(lesson: Lesson, image: np.ndarray) -> None:
    """Show one window, its products and their sum, then the maps for each stride and padding."""
    top, left = strongest(image)
    window = image[top : top + 3, left : left + 3]
    products = window * KERNEL
    print(beside(("the image", image), (f"window ({top}, {left})", window),
                 ("the filter", KERNEL), ("products", products)))  # fmt: skip
    signed = "".join(f" {'−' if x < 0 else '+'} {abs(x)}" for x in products.ravel()[1:])
    total = int(products.sum())
    first = f"{products[0, 0]}".replace("-", "−")
    print(f"the sum {first}{signed} = {total} is the number at ({top}, {left}) of the map:")
    maps = {step: slide(image, KERNEL, *step) for step in STEPS}
    print(beside(("stride 1", maps[1, 0]), ("stride 2", maps[2, 0])))
    side = len(image)
    sizes = {step: (side + 2 * step[1] - 3) // step[0] + 1 for step in STEPS}
    for padding in (0, 1):
        print(";   ".join(
            f"stride {stride}, padding {padding}: ({side} + 2·{padding} − 3)//{stride} + 1 = "
            f"{sizes[stride, padding]}" for stride in (1, 2)
        ))  # fmt: skip
    made = {s: convolution([KERNEL], *s).predict(image[None, None].astype(float)) for s in STEPS}
    lesson.claim(
        "a_number_of_the_map_is_a_sum_of_products",
        "Each number of the map is the sum of the products of a window and the filter.",
        total == maps[1, 0][top, left]
        and all(np.allclose(made[step][0, 0], maps[step]) for step in STEPS),
    )
    lesson.claim(
        "the_size_follows_from_stride_and_padding",
        "A stride of 2 skips every other place; a border of zeros (padding) keeps the size.",
        all(maps[step].shape == (size, size) for step, size in sizes.items())
        and np.array_equal(maps[2, 0], maps[1, 0][::2, ::2])
        and maps[1, 1].shape == image.shape
        and np.array_equal(maps[1, 1][1:-1, 1:-1], maps[1, 0]),
    )
    wide = np.pad(image, 2)
    right = slide(np.roll(wide, 1, axis=1), KERNEL)
    lesson.claim(
        "the_map_moves_with_the_image",
        "The filter is the same at every place: if the digit moves by a pixel, so does its map.",
        np.array_equal(right[:, 1:], slide(wide, KERNEL)[:, :-1]) and right.any(),
    )


def show_classics(lesson: Lesson, image: np.ndarray) -> dict[str, dict[str, float]]:
    """Show what classic filters answer to simple windows; return the answers."""
    found = {
        name: {what: float(np.multiply(kernel, window).sum()) for what, window in PATTERNS.items()}
        for name, kernel in CLASSICS.items()
    }
    print(f"{'answer to a window that is':28}" + "".join(f"{what:>17}" for what in PATTERNS))
    for name, answers in found.items():
        print(f"   {name:25}" + "".join(f"{answer:>17.1f}" for answer in answers.values()))
    upright, level = found["vertical edges"], found["horizontal edges"]
    lesson.claim(
        "an_edge_filter_answers_to_its_edge",
        "An edge filter answers to edges of its direction; to the other windows above it says 0.",
        upright["vertical edge"] == level["horizontal edge"] > 0.0
        and not any(upright[what] for what in PATTERNS if what != "vertical edge")
        and not any(level[what] for what in PATTERNS if what != "horizontal edge"),
    )
    rough = {name: roughness(slide(image, np.array(CLASSICS[name]))) for name in CLASSICS}
    before = roughness(image[1:-1, 1:-1])
    lesson.claim(
        "blur_evens_out_and_sharpen_does_not",
        "Blur makes neighbouring pixels more alike, and sharpen makes them differ more.",
        rough["blur"] < 0.7 * before and rough["sharpen"] > 1.5 * before,
    )
    return found


def roughness(image: np.ndarray) -> float:
    """Compute the mean difference of pixels that lie beside or below each other.

    >>> roughness(np.array([[0, 2], [0, 2]]))
    1.0
    """
    steps = [abs(np.diff(image, axis=axis)).ravel() for axis in (0, 1)]
    return float(np.concatenate(steps).mean())


def show_pooling(lesson: Lesson, image: np.ndarray, digits: Digits) -> dict[str, float]:
    """Show what max pooling keeps of a map, and how it changes when the digits move.

    Returns:
        How much the `map` and the `pooled` map of a digit change if it moves by a pixel, as a
        share of their length; the mean over unseen digits.
    """
    found = slide(image, KERNEL)
    small = pooled(found)
    turned = found.reshape(3, 2, 3, 2)[:, ::-1, :, ::-1].reshape(6, 6)  # in each window
    line = small.reshape(1, -1)
    print(beside(("the largest of each 2 × 2 of the map of stride 1", small), ("flatten", line)))
    module = nn.MaxPool2d(POOL)
    rows = [[float(x) for x in row] for row in found]
    lesson.claim(
        "pooling_keeps_the_largest",
        "Max pooling keeps the largest number of each window: what was found, not where in it.",
        np.array_equal(module.predict([[rows]])[0, 0], small)
        and np.array_equal(pooled(turned), small)
        and not np.array_equal(turned, found),
    )
    flat = [x.data for x in nn.Flatten()(module([rows]))]
    lesson.claim(
        "flatten_only_lines_up",
        "Flatten changes no number: it lines the rows up, as the inputs of a dense layer.",
        flat == small.ravel().tolist(),
    )
    changes = {"map": 0.0, "pooled": 0.0}
    pixels = digits.unseen_images[:POOLED]
    for before, after in zip(pixels, moved(pixels, digits.side, 0, 1), strict=True):
        maps = [slide(x.reshape(digits.side, -1), KERNEL) for x in (before, after)]
        changes["map"] += change(*maps) / len(pixels)
        changes["pooled"] += change(*map(pooled, maps)) / len(pixels)
    print(f"moved by a pixel, the maps of {len(pixels)} digits change by {changes['map']:.0%} of "
          f"their length, pooled ones by {changes['pooled']:.0%}")  # fmt: skip
    lesson.claim(
        "pooling_forgives_small_moves",
        "A small move changes a pooled map less than the map itself.",
        changes["pooled"] < 0.9 * changes["map"],
    )
    return changes


def change(before: np.ndarray, after: np.ndarray) -> float:
    """Compute the length of a change as a share of the length of what was there before."""
    return float(np.linalg.norm(after - before) / max(float(np.linalg.norm(before)), 1e-12))


def whole_pixels(image: Sequence[float]) -> np.ndarray:
    """Return a digit of 8×8 pixels as rows of whole numbers from 0 to 16."""
    pixels = np.reshape(image, (8, 8)) * BRIGHT
    return np.asarray(np.rint(pixels), dtype=int)
