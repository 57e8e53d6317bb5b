"""Name the expressions that the source repeats, so that they are computed once.

`emit` calls `name_repeated` when all lines are written. Each variable of the source is bound once,
and its elements are read after they are assigned, so equal texts have equal results. An array that
is assigned part by part is contiguous: its reshape is a view, to which parts can be assigned too.
"""

from __future__ import annotations

import re
from collections import Counter

from .names import Names

ARRAY = r"(?<![\w.])(\w+)"
PART = rf"{ARRAY}(?:\[\d+:\d+\])?"
COMPARISON = rf"{ARRAY} ([=!]=) 0\.0\b"
PATTERNS = (
    rf"{PART}\.(take|repeat)\(\w+, axis=0\)",
    # In brackets or not; those of a call follow a word, and stay.
    rf"(?<!\w)\((?:{COMPARISON})\)|{COMPARISON}",
    rf"{PART}\.reshape\(([\w ,*]+)\)",
)
SUFFIXES = {"take": "taken", "repeat": "repeated", "==": "is_0", "!=": "is_not_0"}


def name_repeated(lines: list[str], names: Names) -> list[str]:
    """Return lines in which each expression of `PATTERNS` that they repeat is a variable.

    >>> text = ["    y = x.reshape(2, 3, rows)[0]", "    z = x.reshape(2, 3, rows)[1]"]
    >>> print("\\n".join(name_repeated(text, Names(["x", "y", "z"]))))
        x_3d = x.reshape(2, 3, rows)
        y = x_3d[0]
        z = x_3d[1]
    """
    chosen: dict[str, str] = {}
    for pattern in PATTERNS:
        lines = _name_matches(lines, re.compile(pattern), names, chosen)
    return lines


def _name_matches(
    lines: list[str], pattern: re.Pattern[str], names: Names, chosen: dict[str, str]
) -> list[str]:
    """Assign each match of a pattern that occurs more than once to a variable, before its use."""
    count = Counter(map(_drop_brackets, pattern.finditer("\n".join(lines))))
    variables: dict[str, str] = {}
    found = []
    for line in lines:
        for match in pattern.finditer(line):
            text = _drop_brackets(match)
            if count[text] > 1 and text not in variables:
                variables[text] = _choose_name(match, names, chosen)
                found.append(f"    {variables[text]} = {text}")
        found.append(pattern.sub(lambda m: variables.get(_drop_brackets(m), m[0]), line))
    return found


def _choose_name(match: re.Match[str], names: Names, chosen: dict[str, str]) -> str:
    """Return the name for a match: for a part of a gradient, that of the part with `d_`.

    Args:
        match: a match of one of the patterns.
        names: the names in use.
        chosen: the names that were chosen, by the text without a `d_`.
    """
    array, way = filter(None, match.groups())  # a way, or the shape of a reshape
    text, plain = _drop_brackets(match), _drop_brackets(match).removeprefix("d_")
    if plain not in chosen:
        suffix = SUFFIXES.get(way) or f"{way.count(',') + 1}d"
        chosen[plain] = names.reserve(f"{array.removeprefix('d_')}_{suffix}")
    return text[: len(text) - len(plain)] + chosen[plain]


def _drop_brackets(match: re.Match[str]) -> str:
    """Return the text of a match without the brackets around it."""
    return match[0][1:-1] if match[0].startswith("(") else match[0]
