"""Choose names for the arrays of the source, from the labels of the scalars in them.

Labels come from a user, and the source is executed: every label must pass through
`make_identifier`.
"""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable, Sequence

from ..core.special import BESIDES_NUMPY
from .support import SUPPORT

SOURCE_NAMES = frozenset(
    {
        *("np", "rows", "n", "dtype", "theta", "d_theta", "constants", "value", "d_value"),
        *("parameters", "compiled", *BESIDES_NUMPY),
        *(function.__name__ for function in SUPPORT),
    }
)
"""The names that the source uses itself."""
RESERVED = frozenset({*keyword.kwlist, *keyword.softkwlist, *dir(builtins)})
LONGEST = 40  # characters of a name


def make_identifier(text: str) -> str:
    """Return a label as a name for the source: ASCII letters, digits and underscores.

    The name begins with a letter, and is neither a keyword nor a builtin. It is "" if no such name
    is left. Every name that comes from a user passes through here, and no other text of a user is
    ever executed.

    >>> [make_identifier(label) for label in ("layers[0].w", "W₁", "ε", "class")]
    ['layers_0_w', 'W1', '', '']
    >>> make_identifier('x"); import os #')
    'x_import_os'
    """
    plain = unicodedata.normalize("NFKC", text)
    name = re.sub(r"[^A-Za-z0-9]+", "_", plain).lstrip("_0123456789")[:LONGEST].rstrip("_")
    return "" if name in RESERVED else name


def find_common_name(labels: Sequence[str]) -> str:
    """Return the common beginning of labels as a name; "" if it gives none.

    >>> find_common_name(["W1[0,0]", "W1[0,1]"]), find_common_name(["x", "y"])
    ('W1', '')
    >>> find_common_name(["layers[0].neurons[3]", "layers[0].neurons[4]"])
    'layers_0_neurons'
    """
    low, high = (min(labels), max(labels)) if labels else ("", "")
    differ = next((i for i, (a, b) in enumerate(zip(low, high)) if a != b), len(low))
    text = low[:differ]
    if text.count("[") > text.count("]"):  # the labels differ inside an index
        text = text[: text.rindex("[")]
    return make_identifier(re.sub(r"\[[^\]]*\]$", "", text))


class Names:
    """The names in use. Each name also reserves the name of its gradient, which begins with `d_`.

    >>> names = Names(["W"])
    >>> names.reserve("W"), names.reserve("W"), names.reserve("b")
    ('W_2', 'W_3', 'b')
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(SOURCE_NAMES)
        self._counts: dict[str, int] = {}
        for name in taken:
            self._take(name)

    def reserve(self, name: str) -> str:
        """Reserve a name, and return it: with a number if it or its gradient's name is taken."""
        count = self._counts.get(name, 1)
        found = name if count == 1 else f"{name}_{count}"
        while found in self._taken or f"d_{found}" in self._taken:
            count += 1
            found = f"{name}_{count}"
        self._counts[name] = count + 1
        self._take(found)
        return found

    def _take(self, name: str) -> None:
        self._taken |= {name, f"d_{name}"}
