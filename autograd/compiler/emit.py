"""Write array statements as the NumPy source of one function, `compiled`.

`version` calls `write_source` once for the values, and once for the values and the gradient.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .arrays import ArrayProgram
from .backward import Backward
from .forward import Forward
from .repeats import name_repeated


@dataclass
class Source:
    """The Python source of the function `compiled`.

    Attributes:
        text: the source.
        namespace: the constants and functions that the source refers to, by name.
        gradient: True if the function returns the gradient too.
    """

    text: str
    namespace: dict[str, Any]
    gradient: bool


def write_source(program: ArrayProgram, gradient: bool) -> Source:
    """Return the source of `compiled(*inputs, theta, *slices of theta, n)`.

    The function returns the outputs, of shape (k, rows) or (k, 1). With `gradient` it also returns
    the gradient with respect to theta of the first output, summed over its rows and divided by n.

    >>> from autograd import Value, compile
    >>> W = [[Value(1.0, label=f"W[{i},{k}]") for k in range(3)] for i in range(2)]
    >>> f = compile(lambda x: [sum(w * v for w, v in zip(row, x)).tanh() for row in W])
    >>> f([[1.0, 2.0, 3.0]]).shape
    (1, 2)
    >>> print(f.source.partition("\\n\\n\\n")[2].rstrip())
    def compiled(x, theta, W, n):
        rows = x.shape[1]
        dot = W @ x
        tanh = np.tanh(dot)
        return tanh
    """
    writer = Backward(program) if gradient else Forward(program)
    writer.add_forward_pass()
    if isinstance(writer, Backward):
        writer.add_line(f"value = {writer.write_outputs()}")
        writer.add_backward_pass()
        writer.add_line("return value, d_theta")
    else:
        writer.add_line(f"return {writer.write_outputs()}")
    lines = _write_heading(writer) + name_repeated(writer.lines, writer.names)
    text = "\n".join(lines) + "\n"
    return Source(text, writer.namespace, gradient)


def _write_heading(writer: Forward) -> list[str]:
    """Return the lines before the statements: the slices of the parameters, and the signature."""
    arguments = [array.name for array in writer.program.inputs]
    slices = writer.slice_names.values()
    lines = []
    if slices:
        lines = ["def parameters(theta):"]
        lines += [f"    {name} = {core}" for core, name in writer.slice_names.items()]
        lines += [f"    return {_write_tuple(slices)}", "", ""]
    lines.append(f"def compiled({', '.join([*arguments, 'theta', *slices, 'n'])}):")
    lines.append(f"    rows = {arguments[0]}.shape[1]" if arguments else "    rows = 1")
    if isinstance(writer, Backward):
        theta = writer.program.theta
        maker = "empty" if writer.is_fully_set(theta) else "zeros"
        lines.append(f"    d_theta = np.{maker}(({theta.size}, 1), dtype)")
        if slices:
            gradients = _write_tuple([f"d_{name}" for name in slices])
            lines.append(f"    {gradients} = parameters(d_theta)")
    return lines


def _write_tuple(names: Iterable[str]) -> str:
    """Return names as the source text of a tuple."""
    names = list(names)
    return ", ".join(names) + ("," if len(names) == 1 else "")
