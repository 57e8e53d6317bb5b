"""Attention on three letters with vectors of two numbers, small enough to compute by hand."""

from __future__ import annotations

import math
from typing import NamedTuple

import autograd
from autograd import Value
from demos.lesson import Lesson

LETTERS = ("e", "m", "m")
X = ([1.0, 0.2], [0.1, 1.0], [0.3, 0.8])  # a vector for each letter at its place
QUERY, KEY, VALUE = (  # matrices
    ([0.5, 2.0], [-1.0, 0.5]),
    ([1.5, -0.5], [0.5, 1.0]),
    ([1.0, 0.5], [-0.5, 2.0]),
)
ROOT = math.sqrt(len(X[0]))


class Attention(NamedTuple):
    """What the third letter computes: its query, and for each letter key, value and share."""

    query: list[Value]
    keys: list[list[Value]]
    values: list[list[Value]]
    scores: list[Value]
    shares: list[Value]
    mixture: list[Value]


def attend() -> Attention:
    """Compute attention of the third letter, each number a Value with a name."""
    query = [_named(f"q3[{i}]", x) for i, x in enumerate(_times(QUERY, X[2]))]
    keys, values = (
        [[_named(f"{name}{t}[{i}]", x) for i, x in enumerate(_times(matrix, x_t))]
         for t, x_t in enumerate(X, 1)]
        for name, matrix in (("k", KEY), ("v", VALUE))
    )  # fmt: skip
    scores, powers, shares = [], [], []
    for t, key in enumerate(keys, 1):
        scores.append(_named(f"s{t}", (query[0] * key[0] + query[1] * key[1]) / ROOT))
        powers.append(_named(f"e{t}", scores[-1].exp()))
    total = _named("total", autograd.sum(powers))
    for t, power in enumerate(powers, 1):
        shares.append(_named(f"p{t}", power / total))
    mixture = [
        _named(f"o3[{i}]", autograd.sum(p * value[i] for p, value in zip(shares, values)))
        for i in range(len(query))
    ]
    return Attention(query, keys, values, scores, shares, mixture)


def _named(label: str, x: float | Value) -> Value:
    if isinstance(x, Value):
        x.label = label
        return x
    return Value(x, label=label)


def _times(matrix: tuple[list[float], ...], x: list[float]) -> list[float]:
    return [sum(w * xi for w, xi in zip(row, x)) for row in matrix]


def _pair(x: list[Value] | list[float]) -> str:
    return "(" + ", ".join(f"{float(a.data if isinstance(a, Value) else a):5.2f}" for a in x) + ")"


def show_attention(lesson: Lesson) -> Attention:
    """Show each number of attention."""
    found = attend()
    query, keys, values, scores, shares, mixture = found
    print(f"   {'x, of letter + place':22}{'query q = Q·x':18}{'key k = K·x':18}value v = V·x")
    for t, letter in enumerate(LETTERS):
        asks = _pair(query) if t == 2 else "—"
        print(f"{t + 1} {letter} {_pair(X[t]):22}{asks:18}{_pair(keys[t]):18}{_pair(values[t])}")
    print(f"The third letter looks at     {'q3·k':>6}{'q3·k/√2':>10}{'softmax':>10}   share · v")
    for t, (key, score, share, value) in enumerate(zip(keys, scores, shares, values)):
        terms = " + ".join(f"{q.data:.2f}·{k.data:.2f}" for q, k in zip(query, key))
        part = _pair([share.data * v.data for v in value])
        print(f"{t + 1} {LETTERS[t]}   {terms:23}={score.data * ROOT:6.2f}{score.data:10.3f}"
              f"{share.data:10.3f}   {part}")  # fmt: skip
    print(f"{'the mixture o3, the sum of these':50}{1.0:6.3f}   {_pair(mixture)}")
    q, k, v, p, o = query[0], keys[0][0], values[0][0], shares[0], mixture[0]
    o.backward()
    by_hand = q.data / ROOT * p.data * (v.data - o.data)
    print(f"∂o3[0]/∂k1[0] = q3[0]/√2 · p1 · (v1[0] − o3[0]) = {q.data / ROOT:.3f} · {p.data:.3f} · "
          f"({v.data:.3f} − {o.data:.3f}) = {by_hand:.4f}")  # fmt: skip
    best = max(range(3), key=lambda t: scores[t].data)
    lesson.claim(
        "the_key_that_fits_best_gets_the_largest_share",
        "The key that fits the query best gets the largest share, and the shares sum to 1.",
        shares[best].data == max(p.data for p in shares)
        and math.isclose(sum(p.data for p in shares), 1.0),
    )
    lesson.claim(
        "the_mixture_lies_among_the_values",
        "The mixture lies among the values, nearest to the one with the largest share.",
        all(min(c) <= o <= max(c) for o, c in zip(_data(mixture), zip(*map(_data, values))))
        and min(range(3), key=lambda t: math.dist(_data(values[t]), _data(mixture))) == best,
    )
    lesson.claim(
        "a_key_pulled_to_the_query_pulls_the_mixture",
        "A key that turns to the query gets a larger share, and pulls the mixture to its value.",
        math.isclose(by_hand, k.grad) and by_hand * (v.data - o.data) * q.data > 0.0,
    )
    return found


def _data(values: list[Value]) -> list[float]:
    return [x.data for x in values]
