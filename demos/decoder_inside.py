"""What a decoder of names does: what it expects, where it looks, and which neurons light up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import NamedTuple

import numpy as np

import autograd
from autograd import Value
from demos.decoder import HEADS, IGNORED, WIDTH, Decoder
from demos.lesson import Lesson
from demos.name_list import Names

NEURONS = 4 * WIDTH
SHOWN, TOP = 5, 3  # neurons, and letters of each
STUDIED = 1000  # names at most, to see which neurons light up
USED = 0.85  # of the neurons, those with more effect than this share of them are shown
RARE = 4  # a letter is rare if the names have it this many times less than letters on average
LOOKS = ("itself", "1 before", "2 before", "earlier", "the start")
EARLIER, START = 3, 4


class Reading(NamedTuple):
    """What the decoder computes for each row of tokens, at each place.

    Attributes:
        logits: (rows, places, tokens).
        shares: how much each head looks at each place, (rows, places, heads, places).
        neurons: the activations in the feed-forward part, (rows, places, neurons).
    """

    logits: np.ndarray
    shares: np.ndarray
    neurons: np.ndarray


Reader = Callable[[np.ndarray], Reading]


def compiled_reader(decoder: Decoder) -> Reader:
    """Compile a decoder to a function that returns all that it computes on the way."""

    @autograd.compile(params=decoder.parameters(), allow_unused=True)
    def look(tokens: list[Value]) -> list[Value]:
        logits = decoder(tokens)
        shares = chain.from_iterable(decoder.shares)
        return [*chain.from_iterable([*logits, *shares, *decoder.neurons])]

    def read(tokens: np.ndarray) -> Reading:
        rows, places = tokens.shape
        found = look(tokens)
        first_neuron = found.shape[1] - places * NEURONS
        first_share = first_neuron - HEADS * places * (places + 1) // 2
        logits, looks, neurons = np.split(found, [first_share, first_neuron], axis=1)
        shares = np.zeros((rows, places, HEADS, places))
        for t in range(places):
            here, looks = np.split(looks, [HEADS * (t + 1)], axis=1)
            shares[:, t, :, : t + 1] = here.reshape(rows, HEADS, t + 1)
        return Reading(logits.reshape(rows, places, -1), shares, neurons.reshape(rows, places, -1))

    return read


def probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Turn logits into probabilities; the lower the temperature, the more the likely ones get.

    >>> probabilities(np.log([1.0, 3.0])).round(6), probabilities(np.log([1.0, 3.0]), 0.5)
    (array([0.25, 0.75]), array([0.1, 0.9]))
    """
    below = logits - logits.max(-1, keepdims=True)
    with np.errstate(over="ignore"):  # at a tiny temperature
        powers = np.exp(below / temperature)
    return np.asarray(powers / powers.sum(-1, keepdims=True))


def surprisals(logits: np.ndarray, following: np.ndarray) -> np.ndarray:
    """Compute the surprisal of each token that follows; NaN after the end of a name."""
    chosen = np.where(following == IGNORED, 0, following)[..., None]
    found = -np.log(np.take_along_axis(probabilities(logits), chosen, axis=-1)[..., 0])
    return np.where(following == IGNORED, np.nan, found)


@contextmanager
def switched_off(weights: Sequence[Value]) -> Iterator[None]:
    """Set weights to 0 within a `with` block."""
    before = [weight.data for weight in weights]
    for weight in weights:
        weight.data = 0.0
    try:
        yield
    finally:
        for weight, number in zip(weights, before):
            weight.data = number


# ---------------------------------------------------------------------- where it looks


def looks_of_heads(reading: Reading, following: np.ndarray) -> np.ndarray:
    """Compute the mean share of its attention that each head gives to each of `LOOKS`."""
    inside = following != IGNORED
    looks = np.zeros((HEADS, len(LOOKS)))
    for here in range(1, following.shape[1]):
        shares = reading.shares[inside[:, here], here].sum(axis=0)
        looks[:, START] += shares[:, 0]
        for there in range(1, here + 1):
            looks[:, min(here - there, EARLIER)] += shares[:, there]
    return np.asarray(looks / inside[:, 1:].sum())


def apart_at_a_letter(reading: Reading, following: np.ndarray) -> np.ndarray:
    """Compute how much of the attention of each pair of heads differs, on average at a letter."""
    shares = reading.shares[:, 1:][following[:, 1:] != IGNORED]
    return np.asarray(np.abs(shares[:, :, None] - shares[:, None]).sum(axis=-1).mean(axis=0) / 2)


def show_looks(lesson: Lesson, reader: Reader, names: Names, name: str) -> np.ndarray:
    """Show where each head looks: on average in the unseen names, and at the end of one."""
    tokens, following = names.rows(names.unseen)
    reading = reader(tokens)
    looks = looks_of_heads(reading, following)
    letters = names.shown(names.tokens(name)[:-1])
    last = reader(names.rows([name])[0]).shares[0, len(name)]
    print(f"{'mean shares':11}" + "".join(f"{look:>11}" for look in LOOKS)
          + f"   at the end of {name} most at")  # fmt: skip
    for head, row in enumerate(looks):
        most = int(last[head].argmax())
        there = letters[:most] + f"[{letters[most]}]" + letters[most + 1 :]
        print(f"{f'head {head}':11}" + "".join(f"{share:>11.2f}" for share in row)
              + f"   {there}, {last[head, most]:.2f}")  # fmt: skip
    apart = apart_at_a_letter(reading, following)
    one, other = np.unravel_index(apart.argmax(), apart.shape)
    print(f"Heads {one} and {other} differ most: at a letter, {apart.max():.2f} of their "
          "attention goes to different places.")  # fmt: skip
    lesson.claim(
        "each_head_looks_elsewhere",
        "The heads learned to look at different places.",
        apart.max() > 0.25,
    )
    return looks


def show_no_peeking(lesson: Lesson, reader: Reader, names: Names) -> None:
    """Show that later letters change nothing that was predicted before them."""
    name = max(names.unseen, key=len)
    kept = len(name) // 2
    changed = names.tokens(name)[1 + kept : -1]
    other = name[:kept] + names.shown([token % len(names.letters) + 1 for token in changed])
    one, two = (reader(names.rows([text])[0]).logits[0] for text in (name, other))
    apart = ~np.isclose(one, two, rtol=0.0, atol=1e-9).all(axis=1)
    print(f"{name} and {other} share {kept} letters, and the first {apart.argmax()} predictions: "
          "those after the start and after each of these letters.")  # fmt: skip
    lesson.claim(
        "it_never_looks_ahead",
        "Later letters change nothing that was predicted before them.",
        apart.argmax() == kept + 1,
    )


# ---------------------------------------------------------------------- what it knows


class Knowledge(NamedTuple):
    """Which neurons light up for which letters.

    Attributes:
        light: the mean activation of each neuron at each token, (neurons, tokens); NaN for
            tokens that are rare.
        chosen: of the neurons that do most, those that light up for the fewest letters.
        letters: for each chosen neuron, the tokens for which it lights up most.
        shares: for each chosen neuron, the share of its light that these tokens have.
    """

    light: np.ndarray
    chosen: np.ndarray
    letters: np.ndarray
    shares: np.ndarray


def knowledge(
    reading: Reading, tokens: np.ndarray, read: np.ndarray, push: np.ndarray
) -> Knowledge:
    """Find which neurons light up for which letters.

    Args:
        reading: what the decoder computes for the tokens.
        tokens: rows of tokens.
        read: True at the places within names.
        push: how much each neuron adds to the logit of each token, (tokens, neurons).
    """
    count = reading.logits.shape[-1]
    light = np.full((NEURONS, count), np.nan)
    for token in range(count):
        here = read & (tokens == token)
        if here.sum() * RARE * count >= read.sum():
            light[:, token] = reading.neurons[here].mean(0)
    bright = np.nan_to_num(light)
    effect = reading.neurons[read].mean(0) * np.linalg.norm(push, axis=0)
    order = np.argsort(-bright, axis=1)[:, :TOP]
    shares = np.take_along_axis(bright, order, axis=1).sum(1) / np.maximum(bright.sum(1), 1e-12)
    used = effect >= np.quantile(effect, USED)
    chosen = np.argsort(-np.where(used, shares, 0.0))[:SHOWN]
    return Knowledge(light, chosen, order[chosen], shares[chosen])


def show_knowledge(lesson: Lesson, decoder: Decoder, reader: Reader, names: Names) -> Knowledge:
    """Show for which letters neurons light up, and what changes after these without them."""
    tokens, following = names.rows((names.learned + names.unseen)[-STUDIED:])
    read = following != IGNORED
    reading = reader(tokens)
    push = numbers(decoder.expect) @ numbers(decoder.narrow)
    found = knowledge(reading, tokens, read, push)
    before, likely = surprisals(reading.logits, following), probabilities(reading.logits)
    print(f"{'neuron':>6}  {'lights up for':14}{'their share':>12}   {'makes likelier':26}"
          f"{'surprisal without it':>22}{'elsewhere':>12}")  # fmt: skip
    suffer = []
    for neuron, letters, share in zip(found.chosen, found.letters, found.shares):
        with switched_off([row[neuron] for row in decoder.narrow]):
            without = reader(tokens).logits
        its = read & np.isin(tokens, letters)
        rise = surprisals(without, following) - before
        after, elsewhere = np.nanmean(rise[its]), np.nanmean(rise[~its])
        suffer.append(after > elsewhere)
        gain = (likely - probabilities(without))[its].mean(axis=0)
        gains = "".join(f"{names.shown([t])} {gain[t]:<+7.1%}" for t in np.argsort(-gain)[:TOP])
        print(f"{neuron:>6}  {' '.join(names.shown(letters)):14}{share:>12.0%}   {gains:26}"
              f"{after:>+22.3f}{elsewhere:>+12.3f}")  # fmt: skip
    dark = float((reading.neurons[read] == 0.0).mean())
    print(f"At a letter, {dark:.0%} of the {NEURONS} neurons are dark.")
    lesson.claim(
        "neurons_light_up_for_few_letters",
        "Some neurons give most of their light to three letters, and are dark at most others.",
        found.shares.mean() > 0.4 and dark > 0.5,
    )
    lesson.claim(
        "a_neuron_says_what_follows_its_letters",
        "Without such a neuron it predicts worse after these letters than after others.",
        np.mean(suffer) > 0.7,
    )
    return found


def show_parts(lesson: Lesson, decoder: Decoder, reader: Reader, names: Names) -> dict[str, float]:
    """Show the surprisal of unseen names without attention, and without the feed-forward part."""
    tokens, following = names.rows(names.unseen)
    found = {}
    for part, matrix in (
        ("nothing", []),
        ("attention", decoder.mix),
        ("feed-forward", decoder.narrow),
    ):
        with switched_off([*chain.from_iterable(matrix)]):
            found[part] = float(np.nanmean(surprisals(reader(tokens).logits, following)))
        print(f"surprisal of unseen names without {part:14}{found[part]:.3f}")
    lesson.claim(
        "looking_back_helps",
        "Without attention, it sees one letter only, and predicts worse.",
        found["attention"] > found["nothing"] + 0.03,
    )
    lesson.claim(
        "the_feed_forward_part_knows_something",
        "Without the feed-forward part it predicts worse, too.",
        found["feed-forward"] > found["nothing"] + 0.03,
    )
    return found


def numbers(matrix: list[list[Value]]) -> np.ndarray:
    """Return the numbers of a matrix of Values."""
    return np.array([[weight.data for weight in row] for row in matrix])
