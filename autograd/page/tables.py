"""Write the tables that a page reads: the operations, and the texts of the quiz, as JavaScript.

All derivatives come from the table in `core.ops`; nothing here may state its own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from ..core.ops import MANY, Op, take
from ..core.term import Term, write_formula
from ..teach import mistakes, slips
from .expressions import write_arrow
from .javascript import javascript, write_functions, write_textbook_partials


def write_operations(used: Sequence[Op]) -> str:
    """Write a JavaScript array with a row for each operation: names, value and derivatives.

    Nodes refer to an operation by its position in the array, because two operations may have the
    same name.

    A user's operation may have no array form. Its functions are then traced on Values, and the
    built-in operations that they use are written. If this is impossible, `value` is null, and the
    leaves of the graph cannot be edited on the page.

    >>> from autograd import neg
    >>> print(write_operations([neg]))
    [
      {
        "name": "neg",
        "symbol": "−",
        "template": "−{0}",
        "rules": ["∂(−a)/∂a = −1"],
        "domain": null,
        "remedy": null,
        "looksUp": false,
        "mixedUp": false,
        "value": (a) => +(-a),
        "partials": [(out, a) => +(-1.0)],
        "reads": []
      }
    ]
    """
    return _write_array([_write_row(row) for row in used])


def _write_array(items: Sequence[str]) -> str:
    return "[\n" + ",\n".join(f"  {item}" for item in items) + "\n]"


def write_quiz() -> str:
    """Write the tables of `slips.py` and `mistakes.py` as JavaScript, for the page's quiz."""
    texts = {
        **{"sign": slips.SIGN, "kept": slips.KEPT, "path": slips.PATH, "onePath": slips.ONE_PATH},
        **{"added": slips.ADDED, "part": slips.PART, "other": slips.OTHER, "slope": slips.SLOPE},
        **{"digits": slips.DIGITS, "times": slips.TIMES, "divided": slips.DIVIDED},
        **{"extra": slips.EXTRA, "nearly": mistakes.NEARLY},
        "hint": f"{mistakes.HINT} each edge on a path to the output shows one.",
    }
    numbers = {
        **{"rounded": mistakes.ROUNDED, "close": mistakes.CLOSE, "limit": slips.GRAPH_LIMIT},
        **{"paths": slips.PATHS, "length": slips.LENGTH, "common": slips.COMMON},
        **{"places": list(slips.PLACES), "multiples": list(slips.MULTIPLES)},
    }
    settings = [f"{key}: {quote(text)}" for key, text in texts.items()]
    settings += [f"{key}: {x!r}" for key, x in numbers.items()]
    wrong = [
        f"{{ wrong: {write_arrow(slips.NAMES, wrong)}, says: {quote(says)} }}"
        for wrong, says in slips.SLIPS
    ]
    slopes = [_write_activation(row) for row in slips.ACTIVATIONS]
    return (
        f"const QUIZ = {{ {', '.join(settings)} }};\n"
        f"const SLIPS = {_write_array(wrong)};\n"
        f"const SLOPES = {_write_array(slopes)};"
    )


def _write_activation(row: Op) -> str:
    """Write the value and the derivative of an activation, the latter in textbook form if known."""
    value, partials = write_functions(row)
    slope = [*write_textbook_partials(row), *partials][0]
    return f"{{ name: {quote(row.name)}, value: {value}, slope: {slope} }}"


def _write_row(row: Op) -> str:
    value, partials = _write_look_up() if row is take else write_functions(row)
    fields = {
        "name": quote(row.name),
        "symbol": quote(row.symbol),
        "template": quote(write_template(row)),
        "rules": f"[{', '.join(map(quote, row.rules))}]",
        "domain": quote(row.domain.text) if row.domain else "null",
        "remedy": quote(row.domain.remedy) if row.domain else "null",
        "looksUp": "true" if row is take else "false",
        "mixedUp": "true" if row in slips.MIXED_UP else "false",
        "value": value,
        "partials": f"[{', '.join(partials)}]",
        "reads": f"[{', '.join(write_textbook_partials(row))}]",
    }
    return "{\n" + ",\n".join(f'    "{key}": {text}' for key, text in fields.items()) + "\n  }"


def _write_look_up() -> tuple[str, list[str]]:
    """Write a look-up by the index and the chosen entry, and its partials in a list of two.

    The page chooses the entry itself. The partials are by the index, by the chosen entry and by
    any other.
    """
    partials = [
        javascript(lambda out, a, b, slot=slot: take.slope(slot, out, 0.0, a, b), ["out", "a", "b"])
        for slot in range(3)
    ]
    return javascript(lambda index, entry: take.value(0.0, entry), ["index", "entry"]), partials


def write_template(row: Op) -> str:
    """Write the operation with gaps for its operands: `{0} + {1}`, `σ({0})`."""
    if row is take:
        return "[…][{0}]"
    if row.arity == MANY:
        return row.symbol
    return write_formula(row, [Term(f"{{{i}}}", np.nan) for i in range(row.arity)]).text


def quote(text: str) -> str:
    """Quote text as a JavaScript string that cannot close the script element that contains it."""
    return json.dumps(text, ensure_ascii=False).replace("<", "\\u003c")
