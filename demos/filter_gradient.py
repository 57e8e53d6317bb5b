"""The gradient of one weight of a filter: the sum over all places where the filter was used."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import autograd
import nn
from demos.lesson import Lesson

WEIGHT = (1, 1)  # row and column in its filter of the weight whose gradient is explained
PATHS = 1  # of its explanation


class Gradient(NamedTuple):
    """The gradient of one weight of a filter, place by place.

    Attributes:
        slopes: ∂C/∂z of each number z of the filter's map.
        pixels: the pixel that the weight is multiplied by at each place.
        total: ∂C/∂w, by the engine.
        explanation: the paths from C to the weight.
    """

    slopes: np.ndarray
    pixels: np.ndarray
    total: float
    explanation: str


def gradient_of_weight(model: nn.Sequential, image: np.ndarray, digit: int) -> Gradient:
    """Compute the gradient of one weight of the filter that the cost of a digit depends on most."""
    first, *others = model
    z = first(image.tolist())
    outputs: Any = z
    for layer in others:
        outputs = layer(outputs)
    model.zero_grad()
    nn.cross_entropy(outputs, digit).backward()
    p, q = WEIGHT
    j = int(np.argmax([abs(kernel[0][p][q].grad) for kernel in first.weight]))
    weight = first.weight[j][0][p][q]
    slopes = np.array([[v.grad for v in row] for row in z[j]])
    (down, across), (above, beside) = first.stride, first.padding
    padded = np.pad(image[0], [(above, above), (beside, beside)])
    pixels = padded[p::down, q::across][: len(slopes), : slopes.shape[1]]
    for r, row in enumerate(z[j]):
        for c, v in enumerate(row):
            v.label = f"z[{r},{c}]"
    line = nn.Flatten()(z[j])
    through = autograd.sum([float(slope) * v for slope, v in zip(slopes.ravel(), line)])
    through.label = "C"
    found = Gradient(slopes, pixels, weight.grad, str(through.explain(weight, PATHS)))
    model.zero_grad()
    return found


def show_gradient(lesson: Lesson, model: nn.Sequential, image: np.ndarray, digit: int) -> Gradient:
    """Show that the gradient of a filter's weight is a sum over all places where it was used."""
    found = gradient_of_weight(model, image, digit)
    products = found.slopes * found.pixels
    count = np.count_nonzero(products)
    print(f"The image of a {digit}: the weight was used at {products.size} places; {count} of them "
          f"give a part of ∂C/∂w")  # fmt: skip
    print(f"Σ ∂C/∂z·pixel over all places = {products.sum():.6f}, by the engine {found.total:.6f}")
    print("explained from the map on, C = Σ ∂C/∂z·z:")
    print(found.explanation)
    lesson.claim(
        "the_gradient_is_the_sum_over_all_places",
        "The gradient of a filter's weight is the sum, over all places, of ∂C/∂z times the pixel.",
        np.isclose(products.sum(), found.total, rtol=1e-9, atol=1e-15)
        and np.count_nonzero(products) > 1,
    )
    return found
