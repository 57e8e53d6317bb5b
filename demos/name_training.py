"""Trains a decoder on names, with compiled code and, for the first steps, with the engine."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from random import Random
from typing import Any

import numpy as np

import autograd
import nn
from demos.decoder import IGNORED, Decoder
from demos.lesson import Lesson
from demos.name_list import Names, pair_surprisal

LR, BATCH = 0.01, 32
ENGINE_STEPS = 3  # steps that the engine takes too
MEASURED = 10  # times that the loss on unseen names is measured

Batch = list[str]
Gradient = Callable[[np.ndarray, np.ndarray], tuple[Any, np.ndarray]]


def train(
    decoder: Decoder, gradient: Gradient, names: Names, batches: Sequence[Batch]
) -> Iterator[float]:
    """Take a step with each batch, smaller from step to step; yield the loss before each step."""
    optimizer = nn.Adam(decoder.parameters(), LR, betas=(0.9, 0.99))
    schedule = nn.LinearLR(optimizer, 1.0, 0.0, total_iters=max(len(batches), 1))
    for batch in batches:
        loss, slopes = gradient(*names.rows(batch))
        optimizer.step(slopes)
        schedule.step()
        yield loss


def by_the_engine(decoder: Decoder) -> Gradient:
    """Return the function that computes the loss of one name and its gradient by the engine."""
    parameters = decoder.parameters()

    def gradient(tokens: np.ndarray, following: np.ndarray) -> tuple[float, np.ndarray]:
        length = int((following[0] != IGNORED).sum())
        cost = decoder.cost(tokens[0, :length].tolist(), following[0, :length].tolist())
        decoder.zero_grad()
        cost.backward()
        return cost.data, np.array([p.grad for p in parameters])

    return gradient


def endless(names: Sequence[str], seed: int) -> Iterator[str]:
    """Yield all names in a random order, then all in another, without end."""
    random, order = Random(seed), list(names)
    while True:
        random.shuffle(order)
        yield from order


def show_training(
    lesson: Lesson, decoder: Decoder, names: Names, steps: Sequence[list[Batch]]
) -> dict[str, Any]:
    """Train with single names, then with batches; show what becomes of the loss."""
    cost = autograd.compile(decoder.cost, params=decoder.parameters(), allow_unused=True)
    tokens, following = names.rows(names.unseen)

    def unseen() -> float:
        letters = (following != IGNORED).sum(axis=1)
        return float(np.average(cost(tokens, following), weights=letters))

    guess, pairs = math.log(names.count), pair_surprisal(names)
    began = time.perf_counter()
    losses, curve = [], [(0, unseen())]
    print(
        f"{'steps':>7}{'names a step':>14}{'seconds':>9}   surprisal of unseen names, nats a letter"
    )
    print(f"{0:>7}{'compiling':>14}{time.perf_counter() - began:>9.1f}{curve[0][1]:>10.3f}   "
          f"{len(decoder.parameters()):,} random weights; a guess has {guess:.3f}")  # fmt: skip
    for batches in steps:
        began = time.perf_counter()
        shown = {len(batches) * part // MEASURED for part in range(1, MEASURED + 1)}
        for step, loss in enumerate(train(decoder, cost.value_and_grad, names, batches), 1):
            losses.append(loss)
            if step in shown:
                curve.append((len(losses), unseen()))
        print(f"{len(losses):>7}{len(batches[0]):>14}{time.perf_counter() - began:>9.1f}"
              f"{curve[-1][1]:>10.3f}")  # fmt: skip
    print(f"{'counting pairs of letters':30}{pairs:>10.3f}")
    lesson.claim(
        "it_learns_to_spell_names_it_never_saw",
        "The surprisal of names that it never saw falls: it learned how names are spelt.",
        curve[-1][1] < curve[0][1] - 0.5,
    )
    lesson.claim(
        "it_knows_more_than_pairs_of_letters",
        "It predicts better than counts of pairs, which look at one letter only.",
        curve[-1][1] < pairs - 0.1,
    )
    return {
        "losses": losses, "curve": curve, "surprisal": curve[-1][1], "pairs": pairs, "guess": guess
    }  # fmt: skip


def show_engine(
    lesson: Lesson, names: Names, singles: list[Batch], losses: Sequence[float], seed: int
) -> list[float]:
    """Show that the engine, which runs the decoder scalar by scalar, takes the same first steps."""
    decoder = Decoder(names.count, seed)
    by_engine = train(decoder, by_the_engine(decoder), names, singles)
    found = list(islice(by_engine, ENGINE_STEPS))
    for batch, loss, same in zip(singles, losses, found):
        print(f"{batch[0]:15} loss {loss:.12f}   by the engine {same:.12f}")
    lesson.claim(
        "the_compiled_code_computes_what_the_engine_does",
        "Compiled to matrix code, the scalars give the losses of the engine.",
        np.allclose(losses[: len(found)], found, rtol=0.0, atol=1e-9),
    )
    return found
