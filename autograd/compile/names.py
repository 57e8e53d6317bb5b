"""Names for the arrays of the source, from the labels of the scalars in them."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence

TAKEN = frozenset(
    {
        *("np", "rows", "n", "dtype", "theta", "d_theta", "constants", "value", "d_value"),
        *("parameters", "compiled", "add_at"),
    }
)
"""The names that the source has for itself."""


def common_name(labels: Sequence[str]) -> str:
    """What labels have in common, as a Python name; "" if that is none.

    >>> common_name(["W0[0,0]", "W0[0,1]"]), common_name(["x", "y"])
    ('W0', '')
    >>> common_name(["layers[0].neurons[3]", "layers[0].neurons[4]"])
    'layers_0_neurons'
    """
    low, high = (min(labels), max(labels)) if labels else ("", "")
    differ = next((i for i, (a, b) in enumerate(zip(low, high)) if a != b), len(low))
    text = low[:differ]
    if text.count("[") > text.count("]"):  # cut inside an index
        text = text[: text.rindex("[")]
    text = re.sub(r"\[[^\]]*\]$", "", text)
    name = re.sub(r"\W+", "_", text).strip("_")
    return name if name.isidentifier() and not keyword.iskeyword(name) else ""


def free(name: str, taken: set[str]) -> str:
    """The name, with a number if it or that of its gradient is taken; both are then.

    >>> free("W", {"W"}), free("W", {"d_W"})
    ('W_2', 'W_2')
    """
    found, count = name, 1
    while found in taken or f"d_{found}" in taken:
        count += 1
        found = f"{name}_{count}"
    taken |= {found, f"d_{found}"}
    return found
