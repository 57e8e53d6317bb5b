"""Checks of arguments, which every public function calls.

Each check takes a value and its name for messages, and returns the value in the type that the
caller works with. The error of a check says what was expected and what was given, and how to
correct it if that is not obvious.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import math
import numbers
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np

Kind = TypeVar("Kind")
Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")

# NumPy multiplies longer vectors on several threads, and to wake these takes 20 µs.
# From WORTH_WAKING numbers on, several threads are faster all the same.
ON_ONE_THREAD, WORTH_WAKING = 10_000, 100_000

# ---------------------------------------------------------------------- scalars


def is_real(value: Any) -> bool:
    """Return whether `value` is one real number: of Python, of `fractions`, or a NumPy scalar."""
    return isinstance(value, (numbers.Real, np.bool_))


def knows_no_values(x: Any) -> bool:
    """Return whether the type of `x` surely defines no arithmetic with Values.

    True for the built-in types and for numbers. Other types, such as arrays, may define it.

    >>> import numpy as np
    >>> knows_no_values("3"), knows_no_values(None), knows_no_values(np.array([3.0]))
    (True, True, False)
    """
    return type(x).__module__ == "builtins" or isinstance(x, numbers.Number)


def as_float(value: Any, what: str = "Value") -> float:
    """Convert a real scalar, or an array of one element, to a float.

    Raises:
        TypeError: `value` is not one real number; the message says how to get one.
        OverflowError: `value` is beyond the largest float.

    >>> import numpy as np
    >>> as_float(np.float32(0.5)), as_float(True), as_float(np.array([3]))
    (0.5, 1.0, 3.0)
    """
    if type(value) is float:
        return value
    if type(value) is int or is_real(value):  # is_real takes longer
        try:
            return float(value)
        except OverflowError:
            raise OverflowError(
                f"{what} got a number beyond the largest float, about 1.8e308: scale it down first"
            ) from None
    if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "fiub":
        refuse_masked(value, what)
        return float(value.item())
    raise TypeError(f"{what} expected one real number, got {_described(value)}: {_remedy(value)}")


def _described(value: Any) -> str:
    """Return the type and the content of a value, shortened for an error message."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.size} elements ({value.dtype}, shape {value.shape})"
    return f"{type(value).__name__} {quoted(value)}"


def quoted(value: Any, width: int = 40) -> str:
    """Return the `repr` of a value, shortened for an error message.

    >>> quoted("x" * 100, 10)
    "'xxxxxxxx…"
    """
    text = repr(value)
    return text if len(text) <= width else text[: width - 1] + "…"


def _remedy(value: Any) -> str:
    """Return advice on how to get one real number from a value."""
    if hasattr(value, "_apply"):
        return "use its .data where a number belongs, as in w.data -= 0.1 * w.grad"
    if isinstance(value, str):
        return "convert it first, as in float('3')"
    if isinstance(value, numbers.Complex):
        return "pass its .real or .imag part"
    if isinstance(value, (np.ndarray, list, tuple)):
        return "make one Value for each, as in [Value(x) for x in xs]"
    return "pass an int, a float or a NumPy scalar"


# ---------------------------------------------------------------------- settings


def real(x: Any, what: str) -> float:
    """Return one real number as a float; True and False are not numbers here.

    Raises:
        TypeError: `x` is not a real number.
        ValueError: `x` is beyond the largest float.

    >>> real(np.float32(0.5), "lr")
    0.5
    """
    if isinstance(x, bool) or not isinstance(x, numbers.Real):
        remedy = ": use its .data" if hasattr(x, "_apply") else ""
        raise TypeError(f"{what} is a number, got {quoted(x)}{remedy}")
    try:
        return float(x)
    except OverflowError:
        raise ValueError(f"{what} is beyond the largest float, about 1.8e308") from None


def finite(x: Any, what: str) -> float:
    """Return a number that is neither infinite nor NaN.

    Raises:
        TypeError: `x` is not a number.
        ValueError: `x` is not finite.

    >>> finite(-0.5, "amount")
    -0.5
    """
    if not math.isfinite(real(x, what)):
        raise ValueError(f"{what} is a finite number, got {x!r}")
    return float(x)


def positive(x: Any, what: str) -> float:
    """Return a number above zero.

    Raises:
        TypeError: `x` is not a number.
        ValueError: `x` is not above zero, or not finite.

    >>> positive(0.1, "lr")
    0.1
    """
    if not 0.0 < real(x, what) < math.inf:
        raise ValueError(f"{what} is a positive number, got {x!r}")
    return float(x)


def at_least_zero(x: Any, what: str) -> float:
    """Return a number of at least zero.

    Raises:
        TypeError: `x` is not a number.
        ValueError: `x` is negative, or not finite.

    >>> at_least_zero(0.9, "momentum")
    0.9
    """
    if not 0.0 <= real(x, what) < math.inf:
        raise ValueError(f"{what} is at least 0, got {x!r}")
    return float(x)


def fraction(x: Any, what: str) -> float:
    """Return a number of at least 0 and below 1.

    Raises:
        TypeError: `x` is not a number.
        ValueError: `x` is outside this range.

    >>> fraction(0.5, "p")
    0.5
    """
    if not 0.0 <= real(x, what) < 1.0:
        raise ValueError(f"{what} is at least 0 and below 1, got {x!r}")
    return float(x)


def whole(n: Any, what: str, least: int | None = 1) -> int:
    """Return an integer of at least `least`, or any integer if `least` is None.

    Raises:
        ValueError: `n` is not an integer, or is too small.

    >>> whole(16, "nout"), whole(-3, "seed", None)
    (16, -3)
    """
    is_whole = isinstance(n, (int, np.integer)) and not isinstance(n, bool)
    if not is_whole or (least is not None and n < least):
        expected = "a whole number" if least is None else f"a whole number of at least {least}"
        raise ValueError(f"{what} is {expected}, got {quoted(n)}")
    return int(n)


def flag(x: Any, what: str) -> bool:
    """Return True or False; refuse values that Python only treats as true or false.

    Raises:
        TypeError: `x` is not a bool.

    >>> flag(np.bool_(True), "resume")
    True
    """
    if not isinstance(x, (bool, np.bool_)):
        raise TypeError(f"{what} is True or False, got {quoted(x)}")
    return bool(x)


def choice(name: Any, what: str, names: Iterable[str]) -> str:
    """Return the name if it is one of `names`.

    Raises:
        ValueError: it is not one of `names`. The message lists them, or the most similar of many.

    >>> choice("LR", "rankdir", ("LR", "TB"))
    'LR'
    """
    known = list(names)
    if not (isinstance(name, str) and name in known):
        near = known if len(known) < 10 else difflib.get_close_matches(str(name), known, cutoff=0.3)
        raise ValueError(f"{what} is one of {', '.join(near or known)}; got {quoted(name)}")
    return name


def text(x: Any, what: str) -> str:
    """Return a string.

    Raises:
        TypeError: `x` is not a string.

    >>> text("epoch 3", "title")
    'epoch 3'
    """
    if not isinstance(x, str):
        raise TypeError(f"{what} is a text, got {quoted(x)}")
    return x


def path(x: Any, what: str = "path") -> Path:
    """Return the path of a file, which need not exist.

    Raises:
        TypeError: `x` is not a path.
        ValueError: `x` is empty, or contains the null character.

    >>> path("weights.npz").suffix
    '.npz'
    """
    if not isinstance(x, (str, os.PathLike)) or not isinstance(os.fspath(x), str):
        raise TypeError(f"{what} is the path of a file, as in 'weights.npz'; got {quoted(x)}")
    if not os.fspath(x) or "\0" in os.fspath(x):
        raise ValueError(f"{what} names no file, got {quoted(x)}")
    return Path(x)


# ---------------------------------------------------------------------- objects


def function(x: Any, what: str) -> Callable[..., Any]:
    """Return a callable that is not a class.

    Raises:
        TypeError: `x` is not callable, or is a class.

    >>> function(abs, "loss") is abs
    True
    """
    if isinstance(x, type):
        raise TypeError(f"{what}; got the class {x.__name__}: make one, as in {x.__name__}()")
    if not callable(x):
        raise TypeError(f"{what}; got {quoted(x)}")
    return x  # type: ignore[no-any-return]


def instance(x: Any, kind: type[Kind] | tuple[type[Kind], ...], what: str) -> Kind:
    """Return an object of this class.

    Args:
        x: the object.
        kind: the class, or several.
        what: the beginning of the error message, as in "model is a module of nn".

    Raises:
        TypeError: `x` is not an instance of `kind`.

    >>> instance([1.0], list, "xs is a list")
    [1.0]
    """
    if not isinstance(x, kind):
        made = f": make one, as in {x.__name__}(…)" if isinstance(x, type) else ""
        raise TypeError(f"{what}; got {quoted(x)}{made}")
    return x


def several(xs: Any, what: str) -> list[Any]:
    """Return the elements of an iterable that is neither a string nor a dictionary.

    Raises:
        TypeError: `xs` is not such an iterable.

    >>> several((1.0, 2.0), "inputs are numbers")
    [1.0, 2.0]
    """
    if isinstance(xs, (str, bytes, Mapping)) or not isinstance(xs, Iterable):
        raise TypeError(f"{what}; got {quoted(xs)}")
    return list(xs)


def pair(xs: Any, what: str) -> tuple[Any, Any]:
    """Return the two elements of a tuple or a list.

    Raises:
        TypeError: `xs` is not a tuple or a list of two elements.

    >>> pair([28, 28], "shape is a pair (rows, columns)")
    (28, 28)
    """
    if not isinstance(xs, (tuple, list)) or len(xs) != 2:
        raise TypeError(f"{what}; got {quoted(xs)}")
    return xs[0], xs[1]


# ---------------------------------------------------------------------- arrays


def refuse_masked(data: Any, what: str) -> None:
    """Refuse an array with masked entries, which NumPy would silently convert to numbers.

    Raises:
        ValueError: an entry is masked.

    >>> refuse_masked(np.ma.array([1.0, 2.0], mask=[True, False]), "X")
    Traceback (most recent call last):
    ...
    ValueError: X has masked entries, which are no numbers: leave their rows out, or fill them, ...
    """
    if _is_masked(data):
        raise ValueError(
            f"{what} has masked entries, which are no numbers: leave their rows out, or fill them, "
            f"as in x.filled(0.0)"
        )


def are_finite(numbers: np.ndarray) -> bool:
    """Return True if all numbers are finite.

    They are if the sum of their squares is, which takes one step and signals no error. If it
    overflows, each number is tested.

    >>> are_finite(np.array([1e200, -1e200])), are_finite(np.array([1.0, np.nan]))
    (True, False)
    """
    flat = numbers.ravel(order="K")
    return math.isfinite(sum_squares(flat)) or bool(np.isfinite(flat).all())


def sum_squares(flat: np.ndarray) -> float:
    """Return the sum of the squares of an array of one axis; an overflow signals no error.

    >>> sum_squares(np.array([3.0, 4.0])), sum_squares(np.array([1e200]))
    (25.0, inf)
    """
    if not ON_ONE_THREAD < flat.size < WORTH_WAKING:
        return float(np.vdot(flat, flat))
    blocks = (flat[i : i + ON_ONE_THREAD] for i in range(0, flat.size, ON_ONE_THREAD))
    return sum(float(np.vdot(block, block)) for block in blocks)


def _is_masked(data: Any) -> bool:
    """Return whether an array, or an array in a list of arrays, has a masked entry."""
    if isinstance(data, np.ndarray):
        return bool(np.ma.is_masked(data))
    holds_more = isinstance(data, (list, tuple)) and len(data) > 0
    return (
        holds_more and isinstance(data[0], (np.ndarray, list, tuple)) and any(map(_is_masked, data))
    )


# ---------------------------------------------------------------------- options


def with_options(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Return the function with an error for an unknown option that gives the nearest names.

    >>> @with_options
    ... def draw(root, *, max_nodes=60): ...
    >>> draw(1, max_node=5)
    Traceback (most recent call last):
    ...
    TypeError: draw has no option 'max_node'; the nearest are 'max_nodes'
    """
    known = list(inspect.signature(function).parameters)

    @functools.wraps(function)
    def checked(*args: Arguments.args, **options: Arguments.kwargs) -> Result:
        for name in options:
            if name not in known:
                near = difflib.get_close_matches(name, known) or known[1:]
                called = getattr(function, "__name__", "the function")
                raise TypeError(
                    f"{called} has no option {name!r}; the nearest are {', '.join(map(repr, near))}"
                )
        return function(*args, **options)

    return checked
