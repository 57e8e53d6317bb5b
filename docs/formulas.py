"""Formulas as MathML, which browsers draw themselves, without a script from elsewhere."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml


def inline(translator: Any, node: Any) -> None:
    """Write a formula within a line."""
    translator.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def block(translator: Any, node: Any) -> None:
    """Write a formula on lines of its own."""
    translator.body.append(tex2mathml(node.astext(), as_block=True))
    raise nodes.SkipNode


def connect(app: Any) -> None:
    """Let `html_math_renderer = "mathml"` mean these functions."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
