"""Tests of the lists in the documents and in the Makefile: complete, and not out of date.

A failure shows what the document lacks, or names although it is gone.
"""

from __future__ import annotations

import importlib
import re
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

import nn
from autograd.core import sequences
from autograd.extend import TABLE
from nn import losses, optim, penalties, schedule
from tests.demo_runs import TARGETS, TINY

ROOT = Path(__file__).parent.parent


def text_of(file: str) -> str:
    return (ROOT / file).read_text("utf-8")


def rows(file: str, header: str) -> list[list[str]]:
    """Return the rows of all tables whose first column has this header."""
    found = []
    for table in re.findall(r"(?:^\|.*\n)+", text_of(file), re.MULTILINE):
        first, _, *rest = [line.strip("| ").split(" | ") for line in table.splitlines()]
        if re.fullmatch(header, first[0]):
            found += rest
    return found


def code(text: str) -> list[str]:
    """Return the words that are set as code."""
    return [word for found in re.findall("`([^`]+)`", text) for word in found.split()]


# ---------------------------------------------------------------------- docs/ and demos/README.md


BASES = {"Optimizer", "Scheduler"}


def public(module: ModuleType) -> set[str]:
    """Return the names that `autograd` or `nn` exports from one of its modules, but no bases."""
    package = importlib.import_module(module.__name__.partition(".")[0])
    things = {name: getattr(package, name) for name in package.__all__}
    return {n for n, x in things.items() if getattr(x, "__module__", "") == module.__name__} - BASES


def functions(module: ModuleType) -> set[str]:
    return {name for name in public(module) if name.islower()}


NAMES = {
    "modules": set().union(
        *map(public, (nn.module, nn.layers, nn.networks, nn.dropout, nn.images)),
        *map(public, (nn.embedding, nn.attention, nn.normalisation)),
    ),
    "activations, as in": set(nn.ACTIVATIONS),
    "activations as modules": public(nn.activation_modules) - {"ActivationModule"},
    "costs": functions(losses) | functions(penalties) | functions(nn.targets),
    "optimisers": public(optim) | public(nn.gradients) - {"grad_norm"},
    "schedules": public(schedule),
}


@pytest.mark.parametrize("kind", NAMES)
def test_the_page_of_networks_names_what_nn_has(kind: str) -> None:
    (row,) = [row for row in rows("docs/network.md", "what") if row[0].startswith(kind)]
    assert set(code(row[1])) == NAMES[kind]


def test_the_rules_name_every_operation() -> None:
    section = text_of("docs/rules.md").partition("\n## Operations\n")[2].partition("\n```")[0]
    operators = {"add", "sub", "mul", "div", "power", "pow", "neg"}
    inner = {"leaf", "constant", "gap", "stop_gradient"}
    wanted = set(TABLE) - operators - inner | functions(sequences)
    assert wanted - {word.partition("(")[0] for word in code(section)} == set()


def test_the_house_says_what_each_file_does() -> None:
    files = [path.name for folder in ("autograd", "nn") for path in (ROOT / folder).rglob("*.py")]
    cells = " ".join(cell for row in rows("docs/house.md", "`autograd/.*|file") for cell in row)
    named = [word for word in code(cells) if word.endswith(".py")]
    assert Counter(named) == Counter(name for name in files if name != "__init__.py")


def test_each_demo_is_listed_wherever_demos_are() -> None:
    readme = set(re.findall(r"\]\(demos/(\w+)\.py\)", text_of("README.md")))
    table = {name for row in rows("demos/README.md", "demo") for name in code(row[0])}
    (lessons,) = re.findall("^LESSONS := (.+)$", text_of("Makefile"), re.MULTILINE)
    listed = {
        "README.md": readme,
        "demos/README.md": table,
        "Makefile": set(lessons.split()),
        "TARGETS": set(TARGETS),
    }
    assert {place: names ^ set(TINY) for place, names in listed.items() if names != set(TINY)} == {}


# ---------------------------------------------------------------------- CONTRIBUTING.md


def test_the_files_in_tests_are_listed() -> None:
    listed = {name for row in rows("CONTRIBUTING.md", "file in .*") for name in code(row[0])}
    files = {path.name for path in (ROOT / "tests").glob("*.py")} - {"__init__.py", "conftest.py"}
    assert listed == files | {"benchmarks/"}


WRITTEN = {ROOT / "docs" / name for name in ("lessons", "notebooks", "reference")}  # by `make docs`
PAGES = [path for path in (ROOT / "docs").rglob("*.md") if not WRITTEN & set(path.parents)]
DOCUMENTS = [
    *("README.md", "CONTRIBUTING.md", "pyproject.toml", "demos/README.md"),
    *(path.relative_to(ROOT).as_posix() for path in sorted(PAGES)),
]
FILE = re.compile(r"Makefile|[\w/]+\.(py|js|html|md)")


@pytest.mark.parametrize("row", rows("CONTRIBUTING.md", "change"), ids=lambda row: row[0])
def test_the_table_of_changes_names_files_and_what_is_in_them(row: list[str]) -> None:
    """A name after a file is a name in this file, as in "`Makefile`: `LESSONS`"."""
    for cell in row[1:]:
        text = ""
        for name in re.findall("`([^`]+)`", cell):
            if FILE.fullmatch(name) and "NAME" not in name:
                text = text_of(name)
            elif name.isidentifier():
                assert re.search(rf"\b{name}\b", text), name


def test_the_readme_is_read_in_two_minutes() -> None:
    assert len(text_of("README.md").splitlines()) <= 200


@pytest.mark.parametrize("file", DOCUMENTS)
def test_documents_link_to_files(file: str) -> None:
    links = re.findall(r"\]\(([^)#:\"]+)\)", text_of(file))
    targets = {((ROOT / file).parent / link).resolve() for link in links}
    missing = {path for path in targets if not path.exists()}
    assert {path for path in missing if not WRITTEN & set(path.parents)} == set()


@pytest.mark.parametrize("file", DOCUMENTS)
def test_documents_name_targets_of_the_makefile(file: str) -> None:
    (targets,) = re.findall(r"^\.PHONY: (.+)$", text_of("Makefile"), re.MULTILINE)
    assert set(re.findall("`make ([a-z]+)", text_of(file))) <= set(targets.split())


# ---------------------------------------------------------------------- the workflow

WORKFLOW = ".github/workflows/tests.yml"


def test_the_workflow_runs_every_python_that_the_project_names() -> None:
    named = re.findall(r"Programming Language :: Python :: (3\.\d+)", text_of("pyproject.toml"))
    matrices = re.findall(r"python: \[(.+)\]", text_of(WORKFLOW))
    assert len(matrices) == 2
    for matrix in matrices:
        assert set(named) <= set(re.findall(r"3\.\d+", matrix))


def test_windows_runs_the_tests_of_make_fast() -> None:
    makefile = text_of("Makefile")
    (common,) = re.findall(r"^PYTEST := .* (-m pytest .+)$", makefile, re.MULTILINE)
    (fast,) = re.findall(r"^fast:.*\n\t\$\(PYTEST\) (.+)$", makefile, re.MULTILINE)
    assert f"python {common} {fast}" in " ".join(text_of(WORKFLOW).split())
