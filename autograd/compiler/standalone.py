"""Write compiled code as a Python file of its own, which needs NumPy alone.

`Compiled.save` calls `save`. The file holds the source of the code, the numbers of the parameters,
and two functions: `predict`, and `value_and_grad`, which takes the parameters as an array.
"""

from __future__ import annotations

import ast
import functools
import inspect
import os
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from ..files import destination, save_arrays, write_whole
from .emit import Source, write_source
from .support import RepeatedIndices
from .version import Version

INLINE = 2_000  # numbers of an array that the file itself holds; longer arrays lie beside it

LOAD = 'ARRAYS = np.load(Path(__file__).with_name("{name}"))\n'
HEADING = '''"""{title}: NumPy code that was compiled from a graph of {count:,} scalar operations.

predict({arguments}) returns the outputs for each row.{gradient}
"""

from __future__ import annotations
{imports}
import numpy as np
'''
GRADIENT = """
value_and_grad({arguments}) returns also the gradient by theta, the parameters, of the mean."""
COMMON = '''
def as_columns(*arguments):
    """Return each argument with a column for each row, and the number of rows."""
    arrays = [np.asarray(argument, dtype) for argument in arguments]
    n = len(arrays[0]) if arrays else 1
    return [array.reshape(n, -1).T for array in arrays], n


def as_rows(outputs, n):
    """Return the outputs with a row for each row of the arguments."""
    return np.broadcast_to(outputs[:{count}], ({count}, n)).T.reshape(n{shape}).copy()


def predict({arguments}):
    """Return the outputs for each row."""
    columns, n = as_columns({arguments})
    column = theta[:, None]
    with np.errstate(all="ignore"):
        return as_rows(compiled(*columns, column{slices}, n), n)
'''
WITH_GRADIENT = '''

def value_and_grad({arguments}):
    """Return {what}, and the gradient of the mean by theta."""
    columns, n = as_columns({columns})
    column = np.asarray(theta, dtype)[:, None]
    with np.errstate(all="ignore"):
        call = compiled_with_gradient
        found, gradient = compiled_with_gradient(*columns, column{slices}, n)
        value = as_rows(found, n)
    return {value}, gradient.ravel()[:{size}]
'''


def save(version: Version, title: str, path: str | os.PathLike[str], gradient: bool) -> str:
    """Write the code of a version to a file; see `Compiled.save`."""
    if version.trace.samplers:
        raise ValueError("this code draws random numbers, which a file cannot: call model.eval()")
    target = destination(path)
    module = _Module(version, title, gradient)
    text = module.write(f"{target.stem}.npz")
    _check(module, text)
    if module.beside:
        save_arrays(target.with_suffix(".npz"), module.beside)
    write_whole(target, text.encode())
    return str(path)


class _Module:
    """The text of the file, and the arrays that are too long for it.

    Attributes:
        beside: the long arrays, by their names in the text.
    """

    def __init__(self, version: Version, title: str, has_gradient: bool) -> None:
        self.version, self.title, self.has_gradient = version, title, has_gradient
        self.program, self.trace, self.dtype = version.array_program, version.trace, version.dtype
        self.beside: dict[str, np.ndarray] = {}

    def write(self, name: str) -> str:
        """Return the text; `name` is that of the file with the long arrays."""
        values = write_source(self.program, gradient=False)
        sources = [values]
        if self.has_gradient:
            sources.append(_renamed(write_source(self.program, gradient=True), values))
        known = {key: thing for source in sources for key, thing in source.namespace.items()}
        known["constants"] = self.program.numbers.astype(self.dtype)[:, None]
        used = _names_in(*(source.text for source in sources))
        parts = [part for key in known if key in used for part in self._define(key, known[key])]
        numbers = self._write_array("theta", self.version.read_parameters())
        load = LOAD.format(name=name) if self.beside else ""
        parts = [f'dtype = np.dtype("{self.dtype.name}")\n{load}{numbers}', *dict.fromkeys(parts)]
        parts += [*(source.text for source in sources), self._write_calls(sources)]
        text = [self._write_heading(parts), *parts]
        return "\n\n\n".join(part.strip("\n") for part in text) + "\n"

    def _arguments(self) -> list[str]:
        return [array.name for array in self.program.inputs]

    def _write_heading(self, parts: Iterable[str]) -> str:
        """Return the docstring and the imports, those that the parts need."""
        imports = ["import math"] if any("math." in part for part in parts) else []
        imports += ["from pathlib import Path"] if self.beside else []
        arguments = self._arguments()
        gradient = GRADIENT.format(arguments=", ".join(["theta", *arguments]))
        return HEADING.format(
            title=re.sub(r"[^\w ]", "", self.title),
            count=sum(1 for node in self.trace.nodes if node.args),
            arguments=", ".join(arguments),
            gradient=gradient if self.has_gradient else "",
            imports="".join(f"\n{line}" for line in imports) + "\n" * bool(imports),
        )

    def _write_calls(self, sources: list[Source]) -> str:
        """Return the text of `predict` and `value_and_grad`."""
        arguments, shape = self._arguments(), self.trace.shape
        text = COMMON.format(
            arguments=", ".join(arguments),
            count=len(self.trace.outputs),
            shape="".join(f", {size}" for size in shape),
            slices=_write_slices(sources[:1]),
        )
        if self.has_gradient:
            text += WITH_GRADIENT.format(
                arguments=", ".join(["theta", *arguments]),
                columns=", ".join(arguments),
                slices=_write_slices(sources),
                what="the outputs for each row"
                if shape
                else "the mean of the output over the rows",
                value="value" if shape else "float(value.mean())",
                size=self.version.gradient_size,
            )
        return text

    def _define(self, name: str, thing: Any) -> Iterator[str]:
        """Yield the text that defines what the source calls `name`."""
        if isinstance(thing, ModuleType):
            return
        if isinstance(thing, np.ndarray):
            yield self._write_array(name, thing)
        elif isinstance(thing, RepeatedIndices):
            yield inspect.getsource(RepeatedIndices)
            yield self._write_array(f"{name}_indices", thing.indices)
            yield f"{name} = RepeatedIndices({name}_indices, {thing.size})"
        elif isinstance(thing, FunctionType):
            for helper in _names_in(inspect.getsource(thing)) - {name}:
                if isinstance(found := thing.__globals__.get(helper), FunctionType):
                    yield from self._define(helper, found)
            yield inspect.getsource(thing)
        else:
            raise ValueError(
                f"this code calls {getattr(thing, 'op', thing)}, which has no form for arrays, and "
                f"so cannot run without autograd"
            )

    def _write_array(self, name: str, numbers: np.ndarray) -> str:
        """Return the text that makes an array, or reads it from the file beside."""
        if numbers.size > INLINE:
            self.beside[name] = numbers
            return f'{name} = ARRAYS["{name}"]'
        kind = "dtype" if numbers.dtype.kind == "f" else f'"{numbers.dtype.name}"'
        listed = repr(numbers.ravel().tolist()).replace("inf", "np.inf").replace("nan", "np.nan")
        shape = f".reshape{numbers.shape}" if numbers.ndim > 1 else ""
        lines = textwrap.wrap(listed, 96, initial_indent="    ", subsequent_indent="     ")
        inside = listed if len(listed) < 60 else "\n" + "\n".join(lines) + "\n"
        return f"{name} = np.array({inside.rstrip(' ')}, {kind}){shape}".replace("\n, ", ",\n    ")


def _renamed(source: Source, other: Source) -> Source:
    """Return the source with names that differ from those of another source."""
    taken = {
        name
        for name, thing in source.namespace.items()
        if not _is_same(other.namespace.get(name, thing), thing)
    }
    text = source.text
    if other.text.partition("\n\n\n")[0] == text.partition("\n\n\n")[0]:  # the same slices
        text = text.partition("\n\n\n")[2]
    for name in ("compiled", *(["parameters"] if "def parameters" in text else []), *taken):
        text = re.sub(rf"\b{name}\b", f"{name}_with_gradient", text)
    namespace = {
        f"{name}_with_gradient" if name in taken else name: thing
        for name, thing in source.namespace.items()
    }
    return Source(text, namespace, source.gradient)


def _is_same(thing: Any, other: Any) -> bool:
    arrays = isinstance(thing, np.ndarray) and isinstance(other, np.ndarray)
    return np.array_equal(thing, other) if arrays else thing is other


def _names_in(*texts: str) -> set[str]:
    """Return all names that sources read."""
    trees = [ast.parse(text) for text in texts]
    return {node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _check(module: _Module, text: str) -> None:
    """Run the text on the rows that were traced, and compare it with the compiled code.

    Raises:
        ArithmeticError: it gives other numbers.
    """
    version, namespace = module.version, dict[str, Any](ARRAYS=module.beside)
    exec(re.sub(r"^ARRAYS = .*$", "", text, flags=re.MULTILINE), namespace)
    rows = version.take_traced_rows()
    found: list[Any] = [namespace["predict"](*rows.arrays)]
    wanted: list[Any] = [version.arrange_by_row(rows, version.run(rows, gradient=False)[0])]
    if module.has_gradient:
        found.append(namespace["value_and_grad"](version.read_parameters(), *rows.arrays)[1])
        wanted.append(version.run(rows, gradient=True)[1][: version.gradient_size])
    if not all(map(functools.partial(np.array_equal, equal_nan=True), found, wanted)):
        raise ArithmeticError("the file would give other numbers than the code: nothing is written")


def _write_slices(sources: Sequence[Source]) -> str:
    """Return the arguments that the last source takes besides all parameters."""
    for name in ("parameters_with_gradient", "parameters"):
        if any(f"def {name}(" in source.text for source in sources):
            return f", *{name}(column)"
    return ""
