"""Names as tokens: reads a list of names, numbers its letters, and counts pairs of letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random

import numpy as np

from demos.decoder import IGNORED, POSITIONS

BUILT_IN = Path(__file__).with_name("names.txt")
END = 0  # the token at the start and at the end of each name
LONGEST = POSITIONS - 1  # one position is for the start
FEWEST, MOST_UNSEEN = 20, 1000


@dataclass(frozen=True)
class Names:
    """Names to learn from, unseen names, and the tokens of their letters.

    >>> names = Names("amn", learned=["ann"], unseen=["man"])
    >>> names.tokens("man")
    [0, 2, 1, 3, 0]
    >>> names.shown([0, 2, 1, 3, 0])
    '·man·'
    """

    letters: str
    learned: list[str]
    unseen: list[str]

    @property
    def count(self) -> int:
        """The number of tokens: the letters, and the sign of start and end."""
        return len(self.letters) + 1

    @cached_property
    def places(self) -> int:
        """The number of places that the longest name needs, the start included."""
        return 1 + max(map(len, self.learned + self.unseen))

    def tokens(self, name: str) -> list[int]:
        """Return the tokens of a name, with start and end."""
        return [END, *(1 + self.letters.index(letter) for letter in name), END]

    def shown(self, tokens: Sequence[int]) -> str:
        """Write tokens as letters, and start and end as a dot."""
        return "".join(("·" + self.letters)[token] for token in tokens)

    def rows(self, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the tokens to read and those that follow, a row for each name.

        All rows are as long as the longest name needs. What a row holds after its name changes
        nothing: the decoder never looks ahead, and the cost ignores it.

        >>> tokens, following = Names("amn", ["anna"], ["man"]).rows(["man"])
        >>> tokens.tolist(), following.tolist()
        ([[0, 2, 1, 3, 0]], [[2, 1, 3, 0, -100]])
        """
        tokens = np.full((len(names), self.places), END)
        following = np.full((len(names), self.places), IGNORED)
        for row, name in enumerate(names):
            read = self.tokens(name)
            tokens[row, : len(read) - 1] = read[:-1]
            following[row, : len(read) - 1] = read[1:]
        return tokens, following


def load(file: str | Path | None, seed: int) -> Names:
    """Read names, and hold out a tenth of them, chosen at random, but at most 1,000.

    Raises:
        OSError, ValueError: see `read`.
    """
    names = read(BUILT_IN if file is None else file)
    Random(seed).shuffle(names)
    held_out = min(len(names) // 10, MOST_UNSEEN)
    letters = "".join(sorted(set().union(*names)))
    return Names(letters, learned=names[held_out:], unseen=names[:held_out])


def read(path: str | Path) -> list[str]:
    """Read a file with one name a line; capitals become small, and a name counts once.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no text, a line is empty or no name, or there are too few names.
    """
    names = [_name(line, path, i) for i, line in enumerate(_lines(path), 1)]
    different = list(dict.fromkeys(names))
    if len(different) < FEWEST:
        raise ValueError(
            f"{path} has {len(different)} different names; at least {FEWEST} are needed, a tenth "
            f"of them to test what is learned from the others"
        )
    return different


def _lines(path: str | Path) -> list[str]:
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is no text: byte {error.start} does not fit UTF-8; expected one name a line"
        ) from None
    return text.rstrip().split("\n") if text.strip() else []


def _name(line: str, path: str | Path, number: int) -> str:
    name = line.strip().lower()
    if not name:
        raise ValueError(f"{path}, line {number} is empty; expected one name a line")
    if not name.isprintable():
        raise ValueError(f"{path}, line {number} is no name: {name!r:.60}; expected letters")
    if len(name) > LONGEST:
        raise ValueError(
            f"{path}, line {number}: {name!r:.60} has {len(name)} letters; a name has at most "
            f"{LONGEST}, because the decoder has {POSITIONS} positions, one of them for the start"
        )
    return name


def check_prefix(prefix: str, names: Names) -> str:
    """Return the beginning of a name in small letters.

    Raises:
        ValueError: it has a letter that no name has, or more letters than a name may have.
    """
    small = prefix.strip().lower()
    unknown = [letter for letter in small if letter not in names.letters]
    if unknown:
        raise ValueError(
            f"the prefix {prefix!r} has the letter {unknown[0]!r}, which no name in the list has; "
            f"the letters are {names.letters}"
        )
    if len(small) > LONGEST:
        raise ValueError(
            f"the prefix {prefix!r:.60} has {len(small)} letters; it has at most {LONGEST}, "
            f"because the decoder has {POSITIONS} positions, one of them for the start"
        )
    return small


def pair_surprisal(names: Names) -> float:
    """Compute the mean surprisal of the unseen names' letters by counts of pairs of letters.

    Each pair is counted once more than it occurs, so that none is impossible.

    >>> round(pair_surprisal(Names("a", learned=["a"], unseen=["a"])), 4)  # (2 + 1)/(… ) twice
    0.4055
    """
    counts = np.ones((names.count, names.count))
    for name in names.learned:
        tokens = names.tokens(name)
        np.add.at(counts, (tokens[:-1], tokens[1:]), 1.0)
    surprisal = -np.log(counts / counts.sum(1, keepdims=True))
    pairs = [names.tokens(name) for name in names.unseen]
    return float(np.concatenate([surprisal[p[:-1], p[1:]] for p in pairs]).mean())
