"""Writes the pages of the reference: every public name, in the groups of `help(autograd)`."""

from __future__ import annotations

import inspect
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import autograd
import nn
import nn.sklearn
from nn.picture import plots

HERE = Path(__file__).parent / "reference"
SECTION = re.compile(r"^(\S.*):\n((?:(?: +.*)?\n)+)", re.MULTILINE)
ROW = re.compile(r"^    (\S.*?)  +(\S.*)$")


def sections(module: ModuleType) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield the sections of a module's docstring: a title, and rows of a name and a text."""
    for title, body in SECTION.findall(inspect.getdoc(module) or ""):
        rows: list[list[str]] = []
        for line in body.splitlines():
            if found := ROW.match(line):
                rows.append([found[1], found[2]])
            elif line.strip() and rows:
                rows[-1][1] += " " + line.strip()
            elif line.strip():
                rows.append(["", line.strip()])
        yield title, [(name, text) for name, text in rows]


def groups(module: ModuleType) -> dict[str, dict[str, list[str]]]:
    """Return the public names by section and row; each name once, where it is named first."""
    left = set(module.__all__)
    found: dict[str, dict[str, list[str]]] = {}
    for title, rows in sections(module):
        for row, text in rows:
            names = [n for n in re.findall(r"(?<![\w.])\w+", f"{row} {text}") if n in left]
            names = list(dict.fromkeys(names))
            left -= set(names)
            if names:
                label = "" if set(re.findall(r"\w+", row)) & set(names) else row
                found.setdefault(title, {}).setdefault(label, []).extend(names)
    rest = [n for n in dict.fromkeys(re.findall(r"\w+", module.__doc__ or "")) if n in left]
    return {"": {"": rest}, **found} if rest else found


def of_bases(thing: type) -> str:
    """Return the option that names public bases, or shows the methods of others among its own."""
    public = {*autograd.__all__, *nn.__all__}
    ours = [b for b in thing.__bases__ if b.__module__.startswith(("autograd", "nn"))]
    if ours and not all(base.__name__ in public for base in ours):
        return "   :inherited-members:\n"
    return "   :show-inheritance:\n" if thing.__base__ is not object else ""


def of_others(thing: type) -> str:
    """Return the option that leaves out methods that another library writes into a class."""
    methods = {name: method for name, method in vars(thing).items() if inspect.isfunction(method)}
    others = [n for n, m in methods.items() if not m.__module__.startswith(("autograd", "nn"))]
    return f"   :exclude-members: {', '.join(others)}\n" if others else ""


def entry(module: str, name: str, thing: object) -> str:
    """Return the directive of autodoc that shows a name."""
    if inspect.isclass(thing):
        return f".. autoclass:: {module}.{name}\n   :members:\n{of_bases(thing)}{of_others(thing)}"
    if isinstance(thing, autograd.Op):  # its docstring begins with a call, its signature does not
        call = re.search(r"\(.*?\)", thing.__doc__ or "")
        return f".. autofunction:: {module}.{name}{call[0] if call else '()'}\n"
    if callable(thing):
        return f".. autofunction:: {module}.{name}\n"
    if isinstance(thing, dict):
        keys = ", ".join(f"``{key!r}``" for key in thing)
        return f".. py:data:: {module}.{name}\n\n   A table with the rows {keys}.\n"
    return f".. autodata:: {module}.{name}\n   :no-value:\n"


def underlined(title: str, sign: str) -> str:
    """Return a title with a line under it, which makes it a heading."""
    return f"{title}\n{sign * len(title)}\n"


def page(name: str, title: str, parts: list[str]) -> str:
    """Write a page, and return its name."""
    (HERE / f"{name}.rst").write_text("\n".join([underlined(title, "="), *parts]), "utf-8")
    return name


def slug(text: str) -> str:
    """Return the first words of a title as the name of a file."""
    return "-".join(re.findall(r"[a-z]+", text.lower())[:4])


def pages(module: ModuleType, first: str) -> list[str]:
    """Write a page for each section of a module; `first` is the title of names in no section."""
    name = module.__name__
    made = []
    for title, rows in groups(module).items():
        parts = []
        for row, names in rows.items():
            if row:
                parts.append(underlined(row[0].upper() + row[1:], "-"))
            parts += [entry(name, n, getattr(module, n)) for n in names]
        shown = title.partition(",")[0] if title else first
        full = shown if module is autograd else f"nn: {shown[0].lower()}{shown[1:]}"
        made.append(page(f"{name}-{slug(shown)}", full, parts))
    return made


def own(module: ModuleType) -> list[str]:
    """Return the public names that a module defines, in the order of its text."""
    return [
        name
        for name, thing in vars(module).items()
        if not name.startswith("_")
        and callable(thing)
        and getattr(thing, "__module__", "") == module.__name__
    ]


def write() -> None:
    """Write all pages of the reference anew."""
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir()
    made = {
        "autograd": pages(autograd, "Values"),
        "nn": pages(nn, "More"),
    }
    functions = [entry("nn.plots", name, getattr(plots, name)) for name in own(plots)]
    made["nn"].append(
        page("nn-plots", "nn.plots", [".. py:currentmodule:: nn.plots\n", *functions])
    )
    estimators = [entry("nn.sklearn", n, getattr(nn.sklearn, n)) for n in nn.sklearn.__all__]
    made["nn"].append(page("nn-sklearn", "nn.sklearn", estimators))
    trees = [
        f"{underlined(module, '-')}\n.. toctree::\n   :maxdepth: 2\n\n   "
        + "\n   ".join(names)
        + "\n"
        for module, names in made.items()
    ]
    page("index", "Reference", ["Every public name, with its arguments and an example.\n", *trees])
