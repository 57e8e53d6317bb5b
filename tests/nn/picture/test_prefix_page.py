"""Tests of the page of a model that reads tokens, used in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import Value
from nn.picture.prefix import prefix_page
from tests.browsing import screens, violations

Opener = Callable[..., Any]
LETTERS = "·abcd"
LONGEST = 6
HOSTILE = "</script><b>"


def matrix(rows: int, columns: int, seed: int) -> list[list[Value]]:
    random = Random(seed)
    return [[Value(random.gauss(0.0, 1.0)) for _ in range(columns)] for _ in range(rows)]


class Decoder(nn.Module):
    """A decoder of one layer and two heads, written in scalars, which keeps its own shares."""

    def __init__(self, count: int = len(LETTERS), causal: bool = True) -> None:
        self.letter, self.place = matrix(count, 4, 0), matrix(LONGEST, 4, 1)
        self.query, self.answer = matrix(4, 4, 2), matrix(count, 4, 3)
        self.causal = causal
        self.drop = nn.Dropout(0.5, seed=0)

    def forward(self, tokens: Any) -> Any:
        rows = [
            [a + b for a, b in zip(autograd.take(self.letter, token), place)]
            for token, place in zip(tokens, self.place)
        ]
        rows = self.drop(rows)
        self.shares: list[list[list[Value]]] = [[], []]
        logits = []
        for i, x in enumerate(rows):
            seen = rows[: i + 1] if self.causal else rows
            mixed: list[Value] = []
            for h, shares in enumerate(self.shares):
                part = slice(2 * h, 2 * h + 2)
                query = [autograd.sum(w * xi for w, xi in zip(row, x)) for row in self.query[part]]
                scores = [autograd.sum(q * k for q, k in zip(query, other[part])) for other in seen]
                shares.append(autograd.softmax(scores))
                mixed += [
                    autograd.sum(share * other[d] for share, other in zip(shares[-1], seen))
                    for d in range(2 * h, 2 * h + 2)
                ]
            logits.append([autograd.sum(w * m for w, m in zip(row, mixed)) for row in self.answer])
        return logits


class Layers(nn.Module):
    """A decoder made of layers, which returns the logits of the last place alone."""

    def __init__(self) -> None:
        self.letter = matrix(3, 4, 0)
        self.attention = nn.MultiheadAttention(4, 2, causal=True, seed=0)
        self.last = nn.Linear(4, 3, seed=1)

    def forward(self, tokens: Any) -> Any:
        found, _ = self.attention([autograd.take(self.letter, token) for token in tokens])
        return self.last(found[-1])


class Pairs(nn.Module):
    """Counts of pairs: what follows depends on the last token alone."""

    def __init__(self, count: int) -> None:
        self.weight = matrix(count, count, 4)

    def forward(self, tokens: Any) -> Any:
        return autograd.take(self.weight, tokens[-1])


def written(folder: Path, model: nn.Module, **options: Any) -> str:
    options = {"tokens": LETTERS, "longest": LONGEST, "start": "·", **options}
    return str(model.save_html(folder / "page.html", **options))


def own_shares(decoder: Any) -> Any:
    return decoder.shares


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Decoder, str]:
    model = Decoder()
    folder = tmp_path_factory.mktemp("decoder")
    return model, written(folder, model, attention=own_shares, prefix="ab", title="a small decoder")


def probabilities(logits: Any, temperature: float = 1.0) -> list[float]:
    row = logits[-1] if isinstance(logits, list) and isinstance(logits[0], list) else logits
    return [p.data for p in autograd.softmax([z / temperature for z in row])]


def expected(page: Any) -> list[float]:
    found = page.locator("#next data").evaluate_all("all => all.map((one) => one.value)")
    return [float(x) for x in found]


def maps(page: Any) -> list[list[list[float]]]:
    found: list[list[list[float]]] = page.locator("#heads tbody").evaluate_all(
        """all => all.map((body) => [...body.rows].map((row) =>
          [...row.querySelectorAll("data")].map((one) => Number(one.value))))"""
    )
    return found


def padded(head: Any) -> list[list[float]]:
    count = len(head)
    return [[*(share.data for share in row), *[0.0] * (count - len(row))] for row in head]


def close(found: Any, wanted: Any) -> bool:
    assert np.shape(found) == np.shape(wanted)
    return bool(np.allclose(found, wanted, rtol=1e-9, atol=1e-12))


# ---------------------------------------------------------------------- the numbers


@pytest.mark.parametrize("prefix", ["", "a", "ab", "dcba", "aabcd", "cc"])
def test_it_computes_what_the_model_does(
    decoder: tuple[Decoder, str], prefix: str, opened: Opener
) -> None:
    model, path = decoder
    page = opened(path)
    page.fill("#prefix", prefix)
    logits = model.eval()([0, *map(LETTERS.index, prefix)])
    assert close(expected(page), probabilities(logits))
    assert close(maps(page), [padded(head) for head in model.shares])
    best = LETTERS[int(np.argmax(expected(page)))].replace("·", "the end, ·,")
    after = f"After “{prefix}”" if prefix else "At the start"
    assert page.inner_text("#answer").startswith(f"{after} it expects {best} most")
    model.train()


def test_a_model_that_looks_ahead_is_computed_for_each_length(
    tmp_path: Path, opened: Opener
) -> None:
    model = Decoder(causal=False).eval()
    page = opened(written(tmp_path, model, attention=own_shares))
    for prefix in ("", "ad", "bbbb"):
        page.fill("#prefix", prefix)
        logits = model([0, *map(LETTERS.index, prefix)])
        assert close(expected(page), probabilities(logits))
        assert close(maps(page), [padded(head) for head in model.shares])


def test_the_heads_of_attention_modules_are_found(tmp_path: Path, opened: Opener) -> None:
    model = Layers()
    page = opened(written(tmp_path, model, tokens="xyz", start=None, longest=4))
    assert page.inner_text("#answer") == "Write a token first."
    assert page.locator("#draw").is_disabled()
    for prefix in ("y", "zyx"):
        page.fill("#prefix", prefix)
        assert close(expected(page), probabilities(model(["xyz".index(x) for x in prefix])))
        assert close(maps(page), [padded(head) for head in model.attention.shares])
    assert page.locator("#heads caption").all_inner_texts() == ["head 0", "head 1"]


def test_the_temperature_divides_the_logits(decoder: tuple[Decoder, str], opened: Opener) -> None:
    model, path = decoder
    page = opened(path)
    page.locator("#temperature").fill("0.5")
    assert page.inner_text("#degrees") == "0.5"
    logits = model.eval()([0, 1, 2])
    assert close(expected(page), probabilities(logits, 0.5))
    model.train()


def test_a_model_without_attention_shows_none(tmp_path: Path, opened: Opener) -> None:
    page = opened(written(tmp_path, Pairs(5), prefix="d"))
    assert page.locator("#attention").is_hidden()
    assert close(expected(page), probabilities(Pairs(5)([4])))


# ---------------------------------------------------------------------- writing


def test_tokens_are_typed_pressed_drawn_and_taken_back(
    decoder: tuple[Decoder, str], opened: Opener
) -> None:
    page = opened(decoder[1])
    assert page.input_value("#prefix") == "ab"
    page.locator("#next button").nth(3).press("Enter")
    assert page.input_value("#prefix") == "abc"
    page.click("#back")
    page.click("#back")
    assert page.input_value("#prefix") == "a"
    page.evaluate("Math.random = () => 0.999999")
    page.click("#draw")
    assert page.input_value("#prefix") == "ad", "the last token, for the largest number"
    page.click("#finish")
    assert page.input_value("#prefix") == "adddd"
    assert page.locator("#draw").is_disabled()
    page.evaluate("Math.random = () => 0")
    page.click("#back")
    page.click("#draw")
    assert page.inner_text("#said") == "· was drawn: “addd” ends here."
    page.click("#clear")
    assert page.input_value("#prefix") == ""
    assert page.locator("#back").is_disabled()


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("axb", "“x” is none of the 5 tokens: a b c d"),
        ("aaaaaa", "6 tokens are too many: the model reads 5 at most."),
    ],
)
def test_what_cannot_be_read_is_said(
    decoder: tuple[Decoder, str], typed: str, message: str, opened: Opener
) -> None:
    page = opened(decoder[1])
    before = expected(page)
    page.fill("#prefix", typed)
    assert page.inner_text("#said") == message
    assert page.get_attribute("#prefix", "aria-invalid") == "true"
    assert expected(page) == before
    page.fill("#prefix", "AB")
    assert page.get_attribute("#prefix", "aria-invalid") == "false"
    assert expected(page) == before, "capital letters are read as small ones"


def test_words_are_tokens_too(tmp_path: Path, opened: Opener) -> None:
    words = ["cat", "dog", HOSTILE]
    page = opened(written(tmp_path, Pairs(3), tokens=words, start=None, prefix="cat dog"))
    assert close(expected(page), probabilities(Pairs(3)([1])))
    assert page.locator("#next .term").all_inner_texts() == words
    page.locator("#next button").nth(2).click()
    assert page.input_value("#prefix") == f"cat dog {HOSTILE}"
    assert page.locator("script").count() == 2


# ---------------------------------------------------------------------- for everyone


@pytest.mark.parametrize(("width", "scheme"), screens(320, 360, 830, 1280))
def test_nothing_is_in_the_way_of_anyone(
    width: int, scheme: str, decoder: tuple[Decoder, str], opened: Opener
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = opened(decoder[1], viewport={"width": width, "height": 900}, color_scheme=scheme)
    for prefix in ("abcda", "ax"):
        page.fill("#prefix", prefix)
        assert violations(Axe().run(page)) == []
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_a_page_is_small(decoder: tuple[Decoder, str]) -> None:
    assert Path(decoder[1]).stat().st_size < 200_000


# ---------------------------------------------------------------------- what is refused


class Refusing(nn.Module):
    def forward(self, tokens: Any) -> Any:
        return [tokens[0] * float(tokens[0].data > 1.0), tokens[0]]


class Placed(nn.Module):
    """A model with three places."""

    def forward(self, tokens: Any) -> Any:
        return [[token * 0.0, Value((0.5, 1.0, 2.0)[i])] for i, token in enumerate(tokens)]


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (Pairs(5), {"tokens": "a"}, "tokens are two or more different names"),
        (Pairs(5), {"tokens": "aabcd"}, "tokens are two or more different names"),
        (Pairs(5), {"start": "x"}, "start is one of ·, a, b, c, d; got 'x'"),
        (Pairs(5), {"longest": 1}, "longest is at least 2, because the start is one of the tokens"),
        (Pairs(5), {"longest": 0}, "longest is a whole number of at least 1, got 0"),
        (Pairs(5), {"prefix": "aß"}, "prefix has 'ß', which is no token"),
        (Pairs(5), {"prefix": "aaaaaa"}, "prefix has 6 tokens, and the model takes 5 at most"),
        (Pairs(4), {}, r"logits of 5 tokens, .*; got 1 row\(s\) of \[4\]"),
        (Decoder(), {"longest": 7}, r"or for each of 7 places; got 6 row\(s\) of \[5\]"),
        (
            Decoder(),
            {"attention": lambda decoder: [decoder.shares[0][:2]]},
            r"6 rows of 6 shares; got rows of \[1, 2\]",
        ),
        (
            Refusing(),
            {"tokens": "ab", "start": None},
            "the page cannot compute this model: `.data`",
        ),
        (Placed(), {"tokens": "ab", "start": None}, "cannot compute this model: .* out of range"),
        (nn.Linear(1, 5), {}, "takes 1 input"),
    ],
)
def test_what_does_not_fit_is_refused(
    model: nn.Module, options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        written(tmp_path, model, **options)
    assert list(tmp_path.iterdir()) == []


def test_what_is_of_another_kind_is_refused() -> None:
    page: Any = prefix_page
    for options, message in (
        ({"tokens": 5}, "tokens are names"),
        ({"attention": 5}, "attention returns the shares of the last run"),
        ({"title": 5}, "title"),
    ):
        with pytest.raises(TypeError, match=re.escape(message)):
            page(Pairs(5), **{"tokens": LETTERS, "longest": 4, **options})
    with pytest.raises(TypeError, match="model is a module of nn"):
        page(lambda tokens: tokens, tokens=LETTERS, longest=4)
