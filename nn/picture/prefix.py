"""`prefix_page`: an HTML page that shows what a model expects after a prefix, and where it looks.

The page runs programs that are traced from the model, as `front` does for feature maps.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from autograd import Page, TraceError, Value, no_grad, softmax
from autograd.extend import Programs

from ..attention import MultiheadAttention
from ..modes import evaluating
from ..module import Module
from ..prediction import numbers_in
from ..settings import choice, function, instance, several, text, whole
from ..targets import as_lists
from .page import WEB, pack_exactly

SEED = 0  # of the sequences that are tried


def prefix_page(
    model: Module,
    *,
    tokens: Sequence[Any],
    longest: int,
    start: Any = None,
    prefix: str = "",
    attention: Callable[[Any], Any] | None = None,
    title: str | None = None,
) -> Page:
    """Make a page with a field for a prefix: what comes next, and the attention of each head.

    For the arguments see `pages.page`.

    Raises:
        TypeError, ValueError: an argument does not fit the others, the model returns other than
            logits for each token, or the page cannot compute it.

    >>> from autograd import take
    >>> class Pairs(Module):
    ...     def __init__(self, count):
    ...         self.weight = [[Value(float(i == j)) for j in range(count)] for i in range(count)]
    ...     def forward(self, tokens):
    ...         return take(self.weight, tokens[-1])
    >>> prefix_page(Pairs(3), tokens=".ab", longest=4, start=".").title
    'a model of 3 tokens'
    """
    instance(model, Module, "model is a module of nn")
    names = _names(tokens)
    longest = whole(longest, "longest")
    first = None if start is None else names.index(choice(str(start), "start", names))
    if attention is not None:
        function(attention, "attention returns the shares of the last run")
    reader = _Reader(model, len(names), attention)
    room = longest - (first is not None)
    if room < 1:
        raise ValueError("longest is at least 2, because the start is one of the tokens")
    _check_prefix(text(prefix, "prefix"), names, room)
    named = f"a model of {len(names)} tokens" if title is None else text(title, "title")
    programs = Programs()
    try:
        every_place = reader.never_looks_ahead(longest)
        lengths = [longest] if every_place else range(1, longest + 1)
        written = [reader.write(programs, length, every_place) for length in lengths]
    except (ArithmeticError, IndexError, TraceError) as error:
        raise ValueError(f"the page cannot compute this model: {error}") from error
    contents = {
        "tokens": names,
        "start": first,
        "longest": longest,
        "prefix": prefix,
        "heads": reader.heads,
        "everyPlace": every_place,
        "programs": written,
        "parameters": pack_exactly([p.data for p in model.parameters()]),
    }
    return Page("prefix", named, contents, programs.javascript(), folders=[WEB])


class _Reader:
    """What a model computes for a sequence of tokens.

    Args:
        model: the model.
        count: the number of tokens.
        attention: as for `prefix_page`.

    Attributes:
        heads: the number of heads, known after a run.
    """

    def __init__(self, model: Module, count: int, attention: Callable[[Any], Any] | None) -> None:
        self._model, self._count, self._attention = model, count, attention
        self.heads = 0

    def read(self, tokens: list[Any]) -> tuple[list[list[Any]], list[list[list[Any]]]]:
        """Return the logits at each place, or of the last alone, and the shares of each head."""
        logits = as_lists(self._model(tokens))
        rows = logits if hasattr(logits[0], "__len__") else [logits]
        lengths = {len(row) for row in rows}
        if lengths != {self._count} or len(rows) not in (1, len(tokens)):
            raise ValueError(
                f"the model returns logits of {self._count} tokens, for the last place or for each "
                f"of {len(tokens)} places; got {len(rows)} row(s) of {sorted(lengths)}"
            )
        heads = self._shares(len(tokens))
        self.heads = len(heads)
        return [list(row) for row in rows], heads

    def _shares(self, count: int) -> list[list[list[Any]]]:
        """Return the shares of each head, with zeros for later tokens that a row leaves out."""
        found = (
            _shares_inside(self._model) if self._attention is None else self._attention(self._model)
        )
        heads = [[list(row) for row in head] for head in found]
        for head in heads:
            sizes = [len(row) for row in head]
            if sizes not in ([count] * count, list(range(1, count + 1))):
                raise ValueError(
                    f"attention returns, for each head, {count} rows of {count} shares; got rows "
                    f"of {sizes}"
                )
        return [[[*row, *[0.0] * (count - len(row))] for row in head] for head in heads]

    def never_looks_ahead(self, longest: int) -> bool:
        """Return True if the numbers at a place depend on no later token, nor on their count.

        Then one run for the longest sequence shows what comes out for all shorter ones.
        """
        rng = random.Random(SEED)
        tokens = [rng.randrange(self._count) for _ in range(longest)]
        logits, heads = self._numbers(tokens)
        if longest > 1 and len(logits) == 1:
            return False
        for length in range(1, longest):
            shorter, fewer = self._numbers(tokens[:length])
            cut = [[row[:length] for row in head[:length]] for head in heads]
            ahead = any(any(row[i + 1 :]) for head in heads for i, row in enumerate(head))
            if shorter != logits[:length] or fewer != cut or ahead:
                return False
        return True

    def _numbers(self, tokens: list[int]) -> tuple[Any, Any]:
        with evaluating(self._model), no_grad():
            logits, heads = self.read([Value(float(token)) for token in tokens])
            return numbers_in(logits), numbers_in(heads)

    def write(self, programs: Programs, length: int, every_place: bool) -> dict[str, Any]:
        """Return the program for sequences of one length: probabilities, then all shares.

        Args:
            programs: the programs of the page.
            length: the number of tokens.
            every_place: True for the probabilities at each place; False for the last alone.
        """

        def computed(tokens: list[Value], temperature: Value) -> list[Any]:
            logits, heads = self.read(tokens)
            shown = logits if every_place else logits[-1:]
            found = [p for row in shown for p in softmax([z / temperature for z in row])]
            return [*found, *(share for head in heads for row in head for share in row)]

        rng = random.Random(SEED)
        rows = [[rng.randrange(self._count) for _ in range(length)] for _ in range(2)]
        with evaluating(self._model):
            return programs.add(computed, [rows, [1.0, 2.0]], self._model.parameters())


def _shares_inside(model: Module) -> list[Any]:
    """Return the shares of all heads in the last run of a model, in the order of its modules."""
    inside = [module for module in model.modules() if isinstance(module, MultiheadAttention)]
    return [head for module in inside for head in module.shares]


def _names(tokens: Sequence[Any]) -> list[str]:
    listed = list(tokens) if isinstance(tokens, str) else several(tokens, "tokens are names")
    names = [str(token) for token in listed]
    if len(names) < 2 or len(set(names)) < len(names) or not all(names):
        raise ValueError(f"tokens are two or more different names, and none is empty; got {names}")
    return names


def _check_prefix(prefix: str, names: list[str], room: int) -> None:
    """Raise if a prefix does not consist of tokens, or is too long."""
    parts = list(prefix) if all(len(name) == 1 for name in names) else prefix.split()
    for part in parts:
        if part not in names:
            raise ValueError(f"prefix has {part!r}, which is no token; there are {names!r:.80}")
    if len(parts) > room:
        raise ValueError(f"prefix has {len(parts)} tokens, and the model takes {room} at most")
