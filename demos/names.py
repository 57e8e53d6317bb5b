"""A decoder of 4,192 weights learns to spell names, letter by letter, and invents new ones.

The lesson goes from letters to numbers, computes attention by hand, and trains the decoder of
`demos/decoder.py`, which is written in scalars, on a list of given names of many countries. Then it
shows what the decoder expects after a prefix, where it looks, and what it knows.

    python -m demos.names
    python -m demos.names --prefix mari --temperature 0.5
    python -m demos.names --file path/to/names.txt

Source: Karpathy, "microgpt"; 3Blue1Brown, "Attention in transformers" and "How might LLMs store
facts", Deep Learning, chapters 6 and 7.
"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from autograd import Value
from demos import decoder_inside as inside
from demos.attention_by_hand import show_attention
from demos.decoder import HEADS, Decoder, added
from demos.lesson import WIDTH, Lesson, options, run, save
from demos.name_list import END, Names, check_prefix, load
from demos.name_training import BATCH, endless, show_engine, show_training

NEW = 50  # new names
SPELT = 12  # of these are shown, on one line
COLD = 0.5  # a temperature
LIKELY = 6  # tokens that are shown of what it expects
STARTS = "·•∎"  # signs for the start; the page takes one that is no letter
PICTURED = 6  # letters of the name whose attention is drawn


def show_numbers(lesson: Lesson, decoder: Decoder, names: Names) -> None:
    """Show how a name becomes tokens, and tokens become vectors."""
    twice = (name for name in names.learned if len(set(name)) < len(name))
    name = min(twice, key=len, default=names.learned[0])
    tokens = names.tokens(name)
    some = ", ".join(f"{t} is {letter}" for t, letter in enumerate(names.letters[:2], 1))
    print(f"{len(names.learned):,} names to learn from, {len(names.unseen):,} unseen ones. "
          f"Tokens: {some}, …; 0 is start and end, ·")  # fmt: skip
    print(f"{'reads':9}" + "".join(f"{letter:>4}" for letter in names.shown(tokens[:-1])))
    print(f"{'tokens':9}" + "".join(f"{token:>4}" for token in tokens[:-1]))
    print(f"{'predicts':9}" + "".join(f"{letter:>4}" for letter in names.shown(tokens[1:])))
    token = max(tokens[1:-1], key=tokens.count)
    row = decoder.letter[token]
    print(f"{f'the letter {names.shown([token])}':24}{_start_of(row)}   row {token} of a table")
    at = [place for place, t in enumerate(tokens[:-1]) if t == token]
    sums = [added(row, decoder.place[place]) for place in at]
    for place, x in zip(at, sums):
        print(f"{f'with its place, {place}':24}{_start_of(x)}   + row {place} of another")
    lesson.claim(
        "a_letter_chooses_a_row",
        "A letter chooses a row, and its place another: the sum says what is read, and where.",
        len(at) > 1 and [x.data for x in sums[0]] != [x.data for x in sums[-1]],
    )


def show_teaching(lesson: Lesson, decoder: Decoder, names: Names) -> None:
    """Show which rows of the table of letters a name changes."""
    name = names.learned[0]
    tokens = names.tokens(name)
    decoder.cost(tokens[:-1], tokens[1:]).backward()
    moved = [t for t, row in enumerate(decoder.letter) if any(x.grad for x in row)]
    print(f"The gradient of the cost of {name} reaches the rows {', '.join(map(str, moved))}.")
    lesson.claim(
        "a_name_teaches_the_rows_of_its_letters",
        "A name changes the rows of its own letters only.",
        moved == sorted(set(tokens)),
    )


def _start_of(x: Sequence[Value]) -> str:
    return "".join(f"{a.data:>8.3f}" for a in x[:4]) + " …"


def show_expected(lesson: Lesson, decoder: Decoder, names: Names, prefix: str) -> np.ndarray:
    """Show what the decoder expects after each letter of a prefix; return the probabilities."""
    read = names.tokens(prefix)[:-1]
    logits = np.array([[logit.data for logit in place] for place in decoder(read)])
    expected = inside.probabilities(logits)
    for place, row in enumerate(expected):
        print(f"after {names.shown(read[: place + 1]):17}{_likely(names, row)}")
    colder = inside.probabilities(logits[-1], COLD)
    print(f"{f'  at temperature {COLD:g}':23}{_likely(names, colder)}")
    lesson.claim(
        "a_low_temperature_prefers_the_likely",
        "The lower the temperature, the more the most likely letter gets.",
        colder.max() > expected[-1].max(),
    )
    return expected


def _likely(names: Names, probabilities: np.ndarray) -> str:
    best = np.argsort(-probabilities, kind="stable")[:LIKELY]
    return "".join(f"{names.shown([t])} {probabilities[t]:<7.0%}" for t in best.tolist())


def new_names(reader: inside.Reader, names: Names, temperature: float, seed: int) -> list[str]:
    """Let the decoder spell new names: draw a letter, read it, draw the next, until an end.

    The end is not drawn first, so that no name is empty. A name as long as the longest in the
    list ends there.
    """
    rng = np.random.default_rng(seed)
    tokens = np.zeros((NEW, names.places), int)
    for place in range(names.places - 1):
        expected = inside.probabilities(reader(tokens).logits[:, place], temperature)
        if place == 0:
            expected[:, END] = 0.0
        sums = expected.cumsum(axis=1)
        chosen = (rng.uniform(size=(NEW, 1)) * sums[:, -1:] >= sums).sum(axis=1)
        ended = (tokens[:, place] == END) if place else np.zeros(NEW, bool)
        tokens[:, place + 1] = np.where(ended, END, chosen)
    return [names.shown(row[row != END]) for row in tokens]


def show_new_names(
    lesson: Lesson, reader: inside.Reader, names: Names, temperature: float, seed: int
) -> list[str]:
    """Show names that the decoder invents."""
    invented = new_names(reader, names, temperature, seed)
    listed = {*names.learned, *names.unseen}
    novel = sum(name not in listed for name in invented)
    print(
        f"New names at temperature {temperature:g}, of which {novel} of {NEW} are not in the list:"
    )
    print(textwrap.fill("  ".join(invented[:SPELT]), WIDTH))
    lesson.claim(
        "no_new_name_is_empty", "None is empty, because the end may not come first.", all(invented)
    )
    lesson.claim(
        "it_invents_names",
        "Most of its names are new: it learned how names are spelt, not the list by heart.",
        novel >= NEW / 2,
    )
    return invented


def pictures(
    decoder: Decoder, names: Names, numbers: dict[str, Any], prefix: str, out: str | Path
) -> list[str]:
    """Draw the fall of the loss, what it expects, one name's attention, and the neurons."""
    from demos import name_pictures as draw

    levels = {"a guess": numbers["guess"], "counting pairs of letters": numbers["pairs"]}
    losses = draw.draw_losses(numbers["losses"], numbers["curve"], numbers["steps"], levels)
    return [
        save(losses, out, "names-loss"),
        save(draw.draw_expected(numbers["expected"], names, prefix), out, "names-expected"),
        save(draw.draw_attention(decoder, names, numbers["pictured"]), out, "names-attention"),
        save(draw.draw_neurons(numbers["knowledge"], names), out, "names-neurons"),
    ]


def shares_by_head(decoder: Decoder) -> list[list[list[Value]]]:
    """Return for each head how much each place of the last run looked at each place so far."""
    return [[place[head] for place in decoder.shares] for head in range(HEADS)]


def main(
    steps: int = 1000,
    batches: int = 400,
    file: str | Path | None = None,
    prefix: str = "ma",
    temperature: float = 1.0,
    seed: int = 0,
    out: str | Path = "out",
    more: bool = False,
) -> dict[str, Any]:
    """Train a decoder on names, show what it learned, and return the numbers.

    Args:
        steps: steps with one name each.
        batches: steps with 32 names each, after them.
        file: a text file with a name on each line; by default the list that comes with the demo.
        prefix: the beginning of a name that the decoder continues.
        temperature: how freely new names are drawn.
        seed: seed of the split, the weights, the order and the new names.
        out: the folder for the pictures.
        more: True to show the sections that are hidden by default.

    Raises:
        OSError, ValueError: the file, the prefix or the temperature is unfit; nothing was trained
            or written.
    """
    names = load(file, seed)
    prefix = check_prefix(prefix, names)
    if not temperature > 0.0:
        raise ValueError(f"the temperature is a number above zero, got {temperature}")
    lesson = Lesson(more)
    decoder = Decoder(names.count, seed)
    with lesson.section("From letters to numbers"):
        show_numbers(lesson, decoder, names)
    with lesson.section("What a name changes", more=True):
        show_teaching(lesson, decoder, names)
    with lesson.section("Attention by hand: three letters, vectors of two numbers"):
        attention = show_attention(lesson)
    with lesson.section("∂o3[0]/∂k1[0] explained", more=True):
        print(attention.mixture[0].explain(attention.keys[0][0]))
    drawn = endless(names.learned, seed)
    singles, groups = (
        [list(islice(drawn, size)) for _ in range(count)]
        for size, count in ((1, steps), (BATCH, batches))
    )
    with lesson.section("A decoder learns to spell"):
        numbers = show_training(lesson, decoder, names, [singles, groups])
        engine = show_engine(lesson, names, singles, numbers["losses"], seed)
    reader = inside.compiled_reader(decoder)
    with lesson.section("What it expects next, and new names"):
        expected = show_expected(lesson, decoder, names, prefix)
        invented = show_new_names(lesson, reader, names, temperature, seed)
    pictured = min(names.unseen, key=lambda name: abs(len(name) - PICTURED))
    with lesson.section("Where each head looks"):
        looks = inside.show_looks(lesson, reader, names, pictured)
    with lesson.section("It cannot look ahead", more=True):
        inside.show_no_peeking(lesson, reader, names)
    with lesson.section("What the feed-forward part knows: neurons and their letters"):
        knowledge = inside.show_knowledge(lesson, decoder, reader, names)
    with lesson.section("Without parts", more=True):
        parts = inside.show_parts(lesson, decoder, reader, names)
    numbers.update(
        engine_losses=engine, steps=steps, pictured=pictured, expected=expected,
        invented=invented, looks=looks, knowledge=knowledge, parts=parts,
    )  # fmt: skip
    made = pictures(decoder, names, numbers, prefix, out)
    start = next(sign for sign in STARTS if sign not in names.letters)
    page = decoder.save_html(
        Path(out, "names.html"),
        tokens=start + names.letters,
        longest=max(names.places, 1 + len(prefix)),
        start=start,
        prefix=prefix,
        attention=shares_by_head,
        title="a decoder of names",
    )
    lesson.end(made, page)
    return {
        **numbers,
        "claims": lesson.claims,
        "sections": lesson.sections,
        "pictures": made,
        "page": page,
    }


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse and check the command line's options."""
    parser = options(
        main,
        "A decoder that learns to spell names.",
        steps="steps with one name each",
        batches=f"steps with {BATCH} names each, after them",
        temperature="how freely new names are drawn: below 1 the likely letters, above 1 all",
    )
    parser.add_argument("--file", metavar="FILE", help="a text file with a name on each line")
    parser.add_argument("--prefix", help="the beginning of a name, to be continued")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    run(main, parsed)
