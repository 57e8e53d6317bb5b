"""The rules of the house: imports point one way, and outsiders use public names only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import autograd

ROOT = Path(__file__).parent.parent

# Each module may import those before it.
ORDER = {
    "autograd": [
        *("boundary", "terminal", "notation", "markup", "forms", "ops", "locks", "modes"),
        *("value", "flat", "graph", "backprop", "sequences", "paths", "explain", "slips"),
        *("mistakes", "check", "fold", "files", "render", "draw", "stepper", "card", "micrograd"),
    ],
    "autograd/compile": [
        *("reach", "trace", "program", "arrays", "groups", "names", "roll", "view", "simplify"),
        *("expression", "support", "forward", "backward", "emit", "arguments", "version"),
        "compiled",
    ],
    "autograd/page": [
        *("record", "javascript", "groups", "layout", "html", "play"),
    ],
    "nn": [
        *("settings", "typed", "activations", "init", "optim", "data", "files", "probes", "module"),
        *("layers", "targets", "losses", "squash", "penalties", "schedule", "answers"),
        *("snapshots", "curve", "history", "checkpoint", "identity", "code", "run", "train"),
        *("evidence", "rewind", "symptoms", "diagnose", "draw", "plots", "page"),
    ],
}
# These open a later module when a method is called.
DOORS = {"autograd": ["value"], "nn": ["history", "module"]}


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).glob("*.py"))


def imports(tree: ast.AST) -> Iterator[tuple[ast.ImportFrom | ast.Import, str]]:
    """Every import statement and the module it names, those for type checkers left out."""
    skipped = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.ImportFrom):
            yield node, "." * node.level + (node.module or "")
        elif isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)


@pytest.mark.parametrize("package", ORDER)
def test_the_order_names_every_module(package: str) -> None:
    named = sorted([*ORDER[package], "__init__"])
    assert named == [path.stem for path in modules(package)]


@pytest.mark.parametrize(
    ("package", "name"), [(package, name) for package in ORDER for name in ORDER[package]]
)
def test_imports_point_one_way(package: str, name: str) -> None:
    order = ORDER[package]
    tree = ast.parse((ROOT / package / f"{name}.py").read_text())
    top_level = {child for node in tree.body for child in ast.walk(node) if node_runs(node)}
    for node, module in imports(tree):
        if not module.startswith("."):
            assert module.split(".")[0] != package, "inside the package, imports are relative"
            continue
        if module.startswith(".."):
            continue  # a package inside may use all of the outer one, which does not use it
        if node not in top_level:
            assert name in DOORS.get(package, []), "only doors open a module when called"
            continue
        named = [module[1:]] if module != "." else [alias.name for alias in node.names]
        for imported in named:
            assert order.index(imported) < order.index(name)


def node_runs(node: ast.AST) -> bool:
    """Whether a statement of a module runs when it is imported."""
    return not isinstance(node, (ast.FunctionDef, ast.ClassDef))


@pytest.mark.parametrize("path", [*modules("nn"), *modules("demos")], ids=lambda path: path.stem)
def test_outsiders_use_public_names_only(path: Path) -> None:
    for node, module in imports(ast.parse(path.read_text())):
        assert not module.startswith("autograd."), "import from autograd, not from its modules"
        if module == "autograd" and isinstance(node, ast.ImportFrom):
            assert {alias.name for alias in node.names} <= set(autograd.__all__)


def test_every_public_name_exists_and_has_a_docstring() -> None:
    for name in autograd.__all__:
        assert getattr(autograd, name).__doc__


# Rows made elsewhere state no derivative: some have no operands, the others ask a learner's own.
ROWS_ELSEWHERE = {("program", "_kind"), ("micrograd", "_handmade")}


def test_only_the_table_states_a_derivative() -> None:
    """That all else follows it, composites included, is in test_compile."""
    made = set()
    for path in (path for package in (*ORDER, "demos") for path in modules(package)):
        for function in ast.parse(path.read_text()).body:
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Op":
                    made.add((path.stem, getattr(function, "name", "")))
    assert {place for place in made if place[0] != "ops"} == ROWS_ELSEWHERE
