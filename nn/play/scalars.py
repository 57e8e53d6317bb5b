"""The scalars behind a neuron: with these, the page of the playground writes the page of a graph.

The page of the playground makes the graph of one point's cost, and shows it in a frame. Python
makes the templates of its parts, and the page of a graph that is still empty.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterable, Mapping
from typing import Any

from autograd import Page, Value
from autograd.extend import GAPS, GraphTemplates

from .. import losses
from ..activations import ACTIVATIONS
from .settings import LEARNING


def scalars(counts: Mapping[str, Iterable[int]]) -> tuple[dict[str, Any], Page]:
    """Return the templates as the page reads them, and the empty page of a graph.

    Args:
        counts: for each cost, the numbers of outputs that it may have.
    """
    templates = GraphTemplates()
    z, w = (Value(0.5, label=gap) for gap in GAPS[:2])
    activations = {name: ACTIVATIONS[name].of_one for name in LEARNING if name != "identity"}
    parts = {
        "product": templates.add(z * w),
        "sum": templates.add(z + w),
        "activations": {name: templates.add(of(z)) for name, of in activations.items() if of},
        "costs": {
            name: {n: [templates.add(cost) for cost in _costs(name, n)] for n in several}
            for name, several in counts.items()
        },
    }
    page = templates.page("the cost of one point")
    packed = base64.b64encode(gzip.compress(page.html.encode(), mtime=0)).decode()
    return {**parts, "page": packed}, page


def _costs(name: str, n: int) -> list[Value]:
    """Return the cost of one point with n outputs; one for each target if it decides the formula.

    The gaps are the outputs, then the targets. In the cross-entropy of several outputs the first
    output is that of the point's class.
    """
    loss = getattr(losses, name)
    gaps = [Value(1.0, label=gap) for gap in GAPS[: 2 * n]]  # a target of the hinge is 1 or −1
    outputs, targets = gaps[:n], gaps[n:]
    if name == "binary_cross_entropy_with_logits":
        return [loss(outputs[0], target) for target in (0.0, 1.0)]
    if name == "cross_entropy":
        return [loss(outputs, 0)]
    return [loss(outputs[0], targets[0])] if n == 1 else [loss(outputs, targets)]
