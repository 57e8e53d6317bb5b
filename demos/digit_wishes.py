"""What one image asks of a network of digits, and what all images ask: backpropagation in tables.

The wish of an image for a number p is −∂C/∂p, minus the gradient of the image's cost: by how much,
in proportion, p should go up (or down, if it is negative). A step of descent moves each weight and
bias by the mean wish of a batch, times the learning rate.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import nn
from autograd import Value, mean
from demos.lesson import Lesson

SHOWN = 4  # hidden neurons in a table
TABLE_WEIGHTS, TABLE_IMAGES = 6, 6  # rows and columns of the table of images


def cost_of(model: nn.MLP, image: np.ndarray, digit: int) -> Value:
    """Build the cost of one image, Σ(a − y)²."""
    return nn.squared_error(model(image), nn.one_hot(digit, 10).tolist())


def column(neurons: Any, name: str) -> np.ndarray:
    """Return the number or the gradient ("data" or "grad") of the activation of each neuron."""
    return np.array([getattr(neuron.a, name) for neuron in neurons])


def show_outputs(
    lesson: Lesson, model: nn.MLP, image: np.ndarray, digit: int
) -> dict[str, np.ndarray]:
    """Show the cost of one image, and which outputs should go up and which down.

    Returns:
        The columns of the table, and the `cost` of the image.
    """
    cost = cost_of(model, image, digit)
    cost.backward()
    outputs = model.layers[-1].neurons
    a, y, wish = column(outputs, "data"), nn.one_hot(digit, 10), -column(outputs, "grad")
    square = (a - y) ** 2
    print("digit      a     y   (a − y)²   −∂C/∂a   should go")
    for k in range(10):
        row = f"{k:>5}{a[k]:>7.2f}{y[k]:>6.0f}{square[k]:>11.4f}{wish[k]:>+9.2f}"
        print(f"{row}   {'up' if wish[k] > 0 else 'down'}")
    print(f"C = Σ(a − y)² = {cost.data:.4f}")
    lesson.claim(
        "the_cost_of_an_image_is_the_sum_of_squares",
        "The cost of one image is the sum of the squares of what the outputs are off.",
        bool(np.isclose(square.sum(), cost.data)),
    )
    lesson.claim(
        "the_farther_off_the_larger_the_wish",
        "The right output should go up and the others down, in proportion to what they are off.",
        bool(np.allclose(wish, 2.0 * (y - a)) and ((wish > 0.0) == (y == 1.0)).all()),
    )
    return {"a": a, "y": y, "square": square, "wish": wish, "cost": np.array([cost.data])}


def show_three_ways(lesson: Lesson, model: nn.MLP, image: np.ndarray, digit: int) -> None:
    """Show how the right output can be raised: by its bias, its weights, and what it reads."""
    model.zero_grad()
    output, hidden = model.layers[-1].neurons[digit], model.layers[-2].neurons
    model(image)
    ((output.a - 1.0) ** 2).backward()
    a, w = column(hidden, "data"), np.array([weight.data for weight in output.w])
    by_bias, by_a = -output.b.grad, -column(hidden, "grad")
    by_w = np.array([-weight.grad for weight in output.w])
    print(f"Here C is the part of this output alone, (a − 1)² = {(output.a.data - 1.0) ** 2:.4f}.")
    print(f"1. its bias: −∂C/∂{output.b.label} = {by_bias:+.4f}")
    print("2. its weights, in proportion to a        3. the activations a, in proportion to w")
    print(f"{'weight':>10}{'a':>10}{'−∂C/∂w':>12}{'w':>12}{'−∂C/∂a':>12}   should be")
    order = np.argsort(-a)
    for i in [*order[:SHOWN], *order[-SHOWN // 2 :]]:
        row = f"{output.w[i].label:>10}{a[i]:>10.4f}{by_w[i]:>+12.4f}{w[i]:>+12.4f}"
        print(f"{row}{by_a[i]:>+12.4f}   {'brighter' if by_a[i] > 0 else 'dimmer'}")
    lesson.claim(
        "weights_change_in_proportion_to_activations",
        "The weight from the brightest neuron gets the largest change: “fire together, wire "
        "together”.",
        bool(np.allclose(by_w, by_bias * a) and by_w.argmax() == a.argmax()),
    )
    lesson.claim(
        "activations_should_change_in_proportion_to_weights",
        "A neuron with a positive weight should get brighter, one with a negative weight dimmer.",
        bool(np.allclose(by_a, by_bias * w) and ((by_a > 0.0) == (w > 0.0)).all()),
    )


def show_competition(
    lesson: Lesson, model: nn.MLP, image: np.ndarray, digit: int
) -> dict[str, np.ndarray]:
    """Show what each output wishes of the hidden neurons, and that these wishes add up.

    Returns:
        `desires` (−∂C/∂a of each hidden neuron of the last hidden layer, of each output alone),
        `sum` (over the outputs) and `engine` (−∂C/∂a of the whole cost).
    """
    first, hidden = model.layers[0].neurons, model.layers[1].neurons
    y, rows = nn.one_hot(digit, 10), []
    for k in range(10):
        ((model(image)[k] - float(y[k])) ** 2).backward()
        rows.append(-column(hidden, "grad"))
    desires = np.array(rows).T
    cost_of(model, image, digit).backward()
    summed, engine = desires.sum(1), -column(hidden, "grad")
    print(f"{'output':>8}" + "".join(f"{k:>7}" for k in range(10)) + f"{'sum':>9}{'−∂C/∂a':>9}")
    for i in np.argsort(-abs(summed))[:SHOWN]:
        cells = "".join(f"{wish:>+7.3f}" for wish in desires[i])
        print(f"{hidden[i].a.label:>8}{cells}{summed[i]:>+9.3f}{engine[i]:>+9.3f}")
    lesson.claim(
        "outputs_compete",
        "The outputs disagree: some want a neuron brighter, others want it dimmer.",
        bool(((desires > 0.0).any(1) & (desires < 0.0).any(1)).mean() > 0.5),
    )
    lesson.claim(
        "the_wishes_add_up",
        "The sum of their wishes is −∂C/∂a of the neuron.",
        bool(np.allclose(summed, engine)),
    )
    a, w = column(hidden, "data"), np.array([[p.data for p in neuron.w] for neuron in hidden])
    lesson.claim(
        "the_sum_is_passed_back",
        "From these sums alone follow the wishes for the layer before, and so on to the input.",
        bool(np.allclose((summed * a * (1.0 - a)) @ w, -column(first, "grad"))),
    )
    return {"desires": desires, "sum": summed, "engine": engine}


def show_mean_of_wishes(
    lesson: Lesson, model: nn.MLP, X: np.ndarray, y: np.ndarray
) -> dict[str, Any]:
    """Show the wishes of a few images for a few weights, and their mean: the batch's step.

    Returns:
        `wishes` (−∂C/∂p by image and parameter), `step` (their mean), and `batch` (minus the
        gradient of the mean cost of the whole batch, from one backward pass).
    """
    rows, costs = [], []
    for x, digit in zip(X, y, strict=True):
        model.zero_grad()
        cost = cost_of(model, x, int(digit))
        cost.backward()
        costs.append(cost.data)
        rows.append([-p.grad for p in model.parameters()])
    wishes = np.array(rows)
    step = wishes.mean(0)
    model.zero_grad()
    together = mean([cost_of(model, x, int(digit)) for x, digit in zip(X, y, strict=True)])
    together.backward()
    batch = np.array([-p.grad for p in model.parameters()])
    print(f"{'image of a':12}" + "".join(f"{d:>9}" for d in y[:TABLE_IMAGES])
          + f"   …  mean of {len(X)}")  # fmt: skip
    for i in np.argsort(-wishes.std(0))[:TABLE_WEIGHTS]:
        cells = "".join(f"{wish:>+9.3f}" for wish in wishes[:TABLE_IMAGES, i])
        print(f"{model.parameters()[i].label:12}{cells}   …  {step[i]:+.4f}")
    lesson.claim(
        "images_disagree",
        "The images disagree about many weights: some want one larger, others want it smaller.",
        bool(((wishes > 0.0).any(0) & (wishes < 0.0).any(0)).mean() > 0.25),
    )
    lesson.claim(
        "the_step_is_the_mean_wish",
        "The mean of their wishes is minus the gradient of the mean cost: the step of the batch.",
        bool(np.allclose(step, batch, atol=1e-12)),
    )
    lesson.claim(
        "the_cost_of_the_network_is_the_mean",
        "The cost of the network is the mean of the costs of the images.",
        bool(np.isclose(np.mean(costs), together.data)),
    )
    return {"wishes": wishes, "step": step, "batch": batch}
