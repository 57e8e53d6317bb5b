"""Array statements to the source of one function."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .arrays import Rolled
from .backward import Backward
from .forward import Forward


@dataclass
class Source:
    """Python source of a function `compiled`, and what it names.

    Attributes:
        text: the source.
        names: the constants and functions that it names.
        gradient: whether it returns the gradient as well.
    """

    text: str
    names: dict[str, Any]
    gradient: bool


def written(rolled: Rolled, gradient: bool) -> Source:
    """The source of a function of the inputs' arrays, the parameters and how many rows count.

    It returns the outputs, of shape (k, rows) or (k, 1); with `gradient` also the gradient of the
    mean over n rows of the first output, by theta.
    """
    writer = Backward(rolled) if gradient else Forward(rolled)
    writer.forward()
    if isinstance(writer, Backward):
        writer.add(f"value = {writer.outputs()}")
        writer.backward()
        writer.add("return value, d_theta")
    else:
        writer.add(f"return {writer.outputs()}")
    text = "\n".join(_heading(writer) + writer.lines) + "\n"
    return Source(text, writer.names, gradient)


def _heading(writer: Forward) -> list[str]:
    """What comes before the statements: the slices of the parameters, and the arguments."""
    arguments = [array.name for array in writer.rolled.inputs]
    slices = writer.views.values()
    lines = []
    if slices:
        lines = ["def parameters(theta):"]
        lines += [f"    {name} = {core}" for core, name in writer.views.items()]
        lines += [f"    return {_listed(slices)}", "", ""]
    lines.append(f"def compiled({', '.join([*arguments, 'theta', *slices, 'n'])}):")
    lines.append(f"    rows = {arguments[0]}.shape[1]" if arguments else "    rows = 1")
    if isinstance(writer, Backward):
        theta = writer.rolled.theta
        made = "empty" if writer.whole(theta) else "zeros"
        lines.append(f"    d_theta = np.{made}(({theta.size}, 1), dtype)")
        if slices:
            lines.append(f"    {_listed([f'd_{name}' for name in slices])} = parameters(d_theta)")
    return lines


def _listed(names: Iterable[str]) -> str:
    """A tuple of names, as it is written."""
    names = list(names)
    return ", ".join(names) + ("," if len(names) == 1 else "")
