"""Names for the arrays of the source, from the labels of the scalars in them."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence


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
    """The name, with a number if it is taken; it is taken then.

    >>> free("W", {"W"})
    'W_2'
    """
    found, count = name, 1
    while found in taken:
        count += 1
        found = f"{name}_{count}"
    taken.add(found)
    return found
