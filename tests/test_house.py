"""Tests of the project's structure: the direction of imports, and public names between parts."""

from __future__ import annotations

import ast
import functools
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import autograd
import nn
from autograd import extend

ROOT = Path(__file__).parent.parent

# A module imports only from its own part and the parts above it, also inside its functions.
# Parts on one line do not import each other.
PARTS = [
    ["autograd.core"],
    ["autograd.files"],
    ["autograd.picture"],
    ["autograd.teach", "autograd.compiler"],
    ["autograd.page"],
    ["autograd.micrograd"],
    ["autograd.methods"],
    ["autograd.extend"],
    ["autograd"],
    ["nn.*"],
    ["nn.training"],
    ["nn.diagnosis"],
    ["nn.picture"],
    ["nn.play"],
    ["nn.methods"],
    ["nn.sklearn"],
    ["nn"],
    ["demos.*"],
]
RANKS = {part: rank for rank, row in enumerate(PARTS) for part in row}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = [path for folder in ("autograd", "nn", "demos") for path in (ROOT / folder).rglob("*.py")]
MODULES = {name_of(path): path for path in PATHS}


def part_of(name: str) -> str:
    """Return the part of a module: itself, its package, or the other files of its folder."""
    package = name.rpartition(".")[0]
    places = (name, f"{package}.*", package, f"{name}.*")
    return next(part for part in places if part in RANKS)


def imports(name: str) -> Iterator[tuple[str, str]]:
    """Yield the module and the name of every import, except those for type checkers."""
    tree = ast.parse(MODULES[name].read_text("utf-8"))
    package = name if MODULES[name].stem == "__init__" else name.rpartition(".")[0]
    for node in statements(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level]
            inside = [".".join(above)] if node.level else []
            module = ".".join([*inside, *([node.module] if node.module else [])])
            yield from ((module, alias.name) for alias in node.names)


def statements(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from statements(child)


@functools.cache
def imported(name: str) -> set[str]:
    """Return the modules of this project that a module imports."""
    pairs = [(f"{module}.{inner}", module) for module, inner in imports(name)]
    return {inner if inner in MODULES else module for inner, module in pairs} & MODULES.keys()


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_up(name: str) -> None:
    mine = part_of(name)
    for other in imported(name):
        above = RANKS[part_of(other)] < RANKS[mine]
        assert above or part_of(other) == mine, f"{name} imports {other}"


@pytest.mark.parametrize("name", MODULES)
def test_no_module_imports_itself_by_a_detour(name: str) -> None:
    reached: set[str] = set()
    found = [name]
    for module in found:
        new = imported(module) - reached
        reached |= new
        found += new
    assert name not in reached


@pytest.mark.parametrize("name", [name for name in MODULES if name[:2] in ("nn", "de")])
def test_outsiders_use_public_names_only(name: str) -> None:
    public = {module.__name__: {*module.__all__, "plots"} for module in (autograd, nn, extend)}
    mine = name.partition(".")[0]
    for module, inner in imports(name):
        if module.partition(".")[0] in {"autograd", "nn"} - {mine}:
            assert module in public, f"import from autograd, autograd.extend and nn, not {module}"
            assert inner in {*public[module], "extend", ""}


@pytest.mark.parametrize("module", ["autograd", "autograd.extend", "nn"])
def test_every_public_name_exists_and_has_a_docstring(module: str) -> None:
    found = importlib.import_module(module)
    for name in found.__all__:
        assert getattr(found, name).__doc__


# Rows made in these places state no derivative: they have no operands, or call a learner's own.
ROWS_ELSEWHERE = {
    ("autograd.compiler.program", "_make_marker"),
    ("autograd.core.by_hand", "_kind"),
}


def test_only_the_table_states_a_derivative() -> None:
    """Check that only known places make rows; test_compile checks what is composed of rows."""
    made = set()
    for name, path in MODULES.items():
        for function in ast.parse(path.read_text("utf-8")).body:
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Op":
                    made.add((name, getattr(function, "name", "")))
    assert {place for place in made if place[0] != "autograd.core.ops"} == ROWS_ELSEWHERE
