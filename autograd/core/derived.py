"""What follows from the functions of a row: its rules, its array forms, and an example.

The functions are run on letters: on Forms, which record NumPy source, and on Terms, which record
formulas.
"""

from __future__ import annotations

import contextlib
import inspect
import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .forms import NOT_IN_NUMPY, SAME_IN_NUMPY, recorded_forms
from .term import ATOM, LETTERS, Term, write_formula

if TYPE_CHECKING:
    from .ops import Op


def derive_value(row: Op) -> None:
    """Derive the array form of the value, unless the row states it or the function has none."""
    letters = LETTERS[: row.arity]
    with contextlib.suppress(Exception):  # the function of a user may raise anything
        (form,) = recorded_forms(row.value, letters)
        if not row.array and all(re.search(rf"\b{letter}\b", form) for letter in letters):
            object.__setattr__(row, "array", form)  # it has the shape of all operands together


def derive_partials(row: Op) -> None:
    """Derive the array forms of the partials, and the rules, unless the row states them."""
    names = ["out", *LETTERS[: row.arity]]
    with contextlib.suppress(Exception):
        forms = row.array_partials or recorded_forms(row.partials, names)
        object.__setattr__(row, "array_partials", forms)
    with contextlib.suppress(Exception):
        recorded_forms(row.reads or row.partials, names)  # raises if the rule depends on a number
        object.__setattr__(row, "rules", row.rules or _read_rules(row))


def _read_rules(row: Op) -> tuple[str, ...]:
    """Return the partials as text, by running them on the letters of the operands."""
    letters = [Term(letter, math.nan) for letter in LETTERS[: row.arity]]
    out = write_formula(row, letters)
    slopes = (row.reads or row.partials)(out, *letters)
    return tuple(
        f"∂{out.inside(ATOM)}/∂{letter} = {Term.of(slope).text.replace('-', '−')}"
        for letter, slope in zip(letters, slopes, strict=True)
    )


def is_closed(function: Callable[..., Any], built_in: Callable[[Any], bool]) -> bool:
    """Return whether a function reads only its arguments and built-in rows, and has no effects.

    Such a function may be run when the row is made, and what is derived then stays true.

    Args:
        function: the function of a row.
        built_in: returns whether an object is a built-in row.
    """
    if function in (abs, *SAME_IN_NUMPY, *NOT_IN_NUMPY):
        return True
    if not inspect.isfunction(function) or any(map(inspect.iscode, function.__code__.co_consts)):
        return False
    try:
        read = inspect.getclosurevars(function)
    except ValueError:  # it reads a local variable that is assigned later
        return False
    return read.builtins.keys() <= {"abs"} and all(
        x.__name__ in {"autograd", "math"} if inspect.ismodule(x) else built_in(x)
        for x in (*read.nonlocals.values(), *read.globals.values())
    )


PUBLIC = {"abs": "absolute"}  # names that differ from those of the rows

# Operands to show an operation with, by arity: the first that are in its domain.
EXAMPLES = {1: ((0.5,), (2.0,)), 2: ((2.0, 1.5),), 3: ((0.5, 0.0, 1.0),)}


def example_of(row: Op) -> list[str]:
    """Return the lines of an example: the value of an operation, and its derivatives.

    >>> from autograd import square
    >>> example_of(square)[1], example_of(square)[-1]
    ('>>> out = autograd.square(a)', '[0.25, 1.0]')
    """
    numbers = next(
        chosen for chosen in EXAMPLES[row.arity] if not row.domain or row.domain.holds(*chosen)
    )
    operands = LETTERS[: row.arity]
    letters = ", ".join(operands)
    grads = ", ".join(f"{letter}.grad" for letter in operands)
    out = row.value(*numbers)
    results = [round(float(x), 4) for x in (out, *row.partials(out, *numbers))]
    return [
        f">>> {letters} = {', '.join(f'Value({x})' for x in numbers)}",
        f">>> out = autograd.{PUBLIC.get(row.name, row.name)}({letters})",
        ">>> out.backward()",
        f">>> [round(x, 4) for x in (out.data, {grads})]",
        f"{results}",
    ]
