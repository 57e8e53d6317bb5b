"""Tests of the lesson on names: its decoder, its list of names, and what it claims."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
from demos import attention_by_hand, decoder_inside, name_list, name_training, names
from demos.decoder import HEAD, HEADS, IGNORED, POSITIONS, WIDTH, Decoder
from demos.decoder_inside import Reading
from demos.lesson import Lesson
from demos.name_list import END, Names
from tests.demo_runs import TINY, Results

SMALL = Names("amn", learned=["ann", "anna", "man", "m"], unseen=["nam"])


# ---------------------------------------------------------------------- the decoder


def by_numpy(w: dict[str, np.ndarray], tokens: list[int]) -> np.ndarray:
    """Compute the decoder's logits with matrices, from the formulas."""

    def normalised(x: np.ndarray) -> np.ndarray:
        return x / np.sqrt((x * x).mean(axis=1, keepdims=True) + 1e-5)

    n = len(tokens)
    x = normalised(w["letter"][tokens] + w["place"][:n])
    q, k, v = (normalised(x) @ w[name].T for name in ("query", "key", "value"))
    mixture = np.empty((n, WIDTH))
    for head in range(HEADS):
        part = slice(head * HEAD, (head + 1) * HEAD)
        scores = q[:, part] @ k[:, part].T / math.sqrt(HEAD)
        powers = np.tril(np.exp(scores))
        mixture[:, part] = powers / powers.sum(axis=1, keepdims=True) @ v[:, part]
    x = x + mixture @ w["mix"].T
    x = x + np.maximum(normalised(x) @ w["widen"].T, 0.0) @ w["narrow"].T
    return np.asarray(x @ w["expect"].T)


def test_the_decoder_computes_what_the_formulas_say() -> None:
    decoder, tokens = Decoder(5, seed=1), [0, 3, 1, 4, 4, 2]
    matrices = ("letter", "place", "query", "key", "value", "mix", "widen", "narrow", "expect")
    w = {name: decoder_inside.numbers(getattr(decoder, name)) for name in matrices}
    logits = decoder_inside.numbers(decoder(tokens))
    assert logits == pytest.approx(by_numpy(w, tokens), rel=1e-12)
    assert sum(array.size for array in w.values()) == len(decoder.parameters())


def test_the_decoder_has_the_size_that_the_lesson_says() -> None:
    assert (WIDTH, HEADS, POSITIONS) == (16, 4, 16)
    assert len(Decoder(27).parameters()) == 4192


def test_shares_and_neurons_of_the_last_run() -> None:
    decoder = Decoder(4)
    decoder([0, 1, 2])
    assert [[len(head) for head in place] for place in decoder.shares] == [
        [1] * 4,
        [2] * 4,
        [3] * 4,
    ]
    assert [len(place) for place in decoder.neurons] == [4 * WIDTH] * 3
    for place in decoder.shares:
        for head in place:
            assert sum(share.data for share in head) == pytest.approx(1.0)


def test_compiled_code_gives_each_name_the_engine_s_cost_and_gradient() -> None:
    decoder = Decoder(SMALL.count, seed=2)
    cost = autograd.compile(decoder.cost, params=decoder.parameters(), allow_unused=True)
    engine = name_training.by_the_engine(decoder)
    for name in SMALL.learned:  # of several lengths, by one trace
        loss, gradient = cost.value_and_grad(*SMALL.rows([name]))
        same, slopes = engine(*SMALL.rows([name]))
        assert loss == pytest.approx(same, rel=1e-12)
        assert gradient == pytest.approx(slopes, rel=1e-9, abs=1e-14)


@pytest.mark.slow
def test_the_engine_trains_to_the_same_losses() -> None:
    listed = name_list.load(None, 0)
    singles = [[name] for name in sorted(listed.learned, key=len)[:: len(listed.learned) // 40]]
    one, other = Decoder(listed.count), Decoder(listed.count)
    cost = autograd.compile(one.cost, params=one.parameters(), allow_unused=True)
    losses = list(name_training.train(one, cost.value_and_grad, listed, singles))
    engine = list(name_training.train(other, name_training.by_the_engine(other), listed, singles))
    assert losses == pytest.approx(engine, rel=0.0, abs=1e-9)
    assert len({len(name) for (name,) in singles}) >= 8


# ---------------------------------------------------------------------- the list


def test_the_list_that_comes_with_the_lesson() -> None:
    lines = name_list.BUILT_IN.read_text("ascii").splitlines()
    assert 1900 <= len(lines) <= 2200
    assert lines == sorted(set(lines))
    assert all(re.fullmatch("[a-z]{2,15}", line) for line in lines)


def test_the_list_is_in_the_source_distribution() -> None:
    manifest = (Path(__file__).parents[2] / "MANIFEST.in").read_text("utf-8")
    (kinds,) = re.findall(r"^recursive-include demos (.*)$", manifest, re.MULTILINE)
    assert "*.txt" in kinds.split()


def test_a_tenth_is_held_out() -> None:
    listed = name_list.load(None, 3)
    everything = name_list.read(name_list.BUILT_IN)
    assert len(listed.unseen) == len(everything) // 10
    assert sorted(listed.learned + listed.unseen) == sorted(everything)
    assert listed.unseen != name_list.load(None, 4).unseen


def test_rows_are_padded_and_what_follows_is_ignored() -> None:
    tokens, following = SMALL.rows(["m", "anna"])
    assert tokens.tolist() == [[END, 2, 0, 0, 0], [END, 1, 3, 3, 1]]
    assert following.tolist() == [[2, END] + 3 * [IGNORED], [1, 3, 3, 1, END]]


def test_names_are_made_small_and_counted_once(tmp_path: Path) -> None:
    lines = ["Zoë", "  ANNA ", "anna", *(f"a{letter}" for letter in "bcdefghijklmnopqrst")]
    file = tmp_path / "names.txt"
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode() + b"\r\n\r\n")
    assert name_list.read(file) == ["zoë", "anna", *lines[3:]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has 0 different names; at least 20 are needed"),
        (b"anna\n" * 30, "has 1 different names; at least 20 are needed"),
        (b"anna\n\nben\n", "line 2 is empty; expected one name a line"),
        (b"\nanna\n", "line 1 is empty"),
        (b"anna\nabcdefghijklmnop\n", "line 2: 'abcdefghijklmnop' has 16 letters; a name has at"),
        (b"anna\n\x89PNG\r\n\x1a\n", "is no text: byte 5 does not fit UTF-8"),
        (b"an\0na\nben\n", r"line 1 is no name: 'an\\x00na'"),
        ("anna\nben".encode("utf-16"), "is no text: byte 0"),
    ],
)
def test_a_file_of_no_names_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "given"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=said):
        names.main(file=file, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path, ""):
        with pytest.raises(OSError, match=re.escape(str(path) or "'.'")):
            names.main(file=path, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("prefix", "said"),
    [
        ("zoë", "the prefix 'zoë' has the letter 'ë', which no name in the list has"),
        ("a b", "has the letter ' '"),
        ("a" * 16, "has 16 letters; it has at most 15"),
    ],
)
def test_an_unfit_prefix_is_refused(prefix: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=said):
        names.main(prefix=prefix, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("prefix", "small"), [("", ""), (" An ", "an"), ("m" * 15, "m" * 15)])
def test_a_fitting_prefix_is_continued(
    prefix: str, small: str, capsys: pytest.CaptureFixture[str]
) -> None:
    checked = name_list.check_prefix(prefix, SMALL)
    expected = names.show_expected(Lesson(), Decoder(SMALL.count), SMALL, checked)
    assert expected.shape == (len(small) + 1, SMALL.count)
    assert expected.sum(axis=1) == pytest.approx(1.0)
    assert f"after ·{small} " in capsys.readouterr().out


@pytest.mark.parametrize("temperature", ["0", "-1", "nan", "hot"])
def test_a_temperature_is_above_zero(temperature: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        names.parsed([f"--temperature={temperature}"])
    assert "argument --temperature: expected a number above zero" in capsys.readouterr().err


def test_a_temperature_of_zero_is_noticed_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the temperature is a number above zero, got 0.0"):
        names.main(temperature=0.0, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_tiny_temperature_takes_the_most_likely() -> None:
    assert decoder_inside.probabilities(np.array([1.0, 3.0, 2.0]), 1e-308).tolist() == [0, 1, 0]


def test_pairs_are_counted_with_one_more_each() -> None:
    counted = Names("ab", learned=["ab", "aa"], unseen=["b"])
    # After the start: a twice, of 2 + 3. After b: the end once, of 1 + 3.
    expected = -(math.log(1 / 5) + math.log(2 / 4)) / 2
    assert name_list.pair_surprisal(counted) == pytest.approx(expected)


# ---------------------------------------------------------------------- what it shows


def test_attention_by_hand() -> None:
    found = attention_by_hand.attend()
    scores = [(1.75 * 1.4 + 0.1 * 0.7), (1.75 * -0.35 + 0.1 * 1.05), (1.75 * 0.05 + 0.1 * 0.95)]
    powers = [math.exp(score / math.sqrt(2)) for score in scores]
    shares = [power / sum(powers) for power in powers]
    assert [share.data for share in found.shares] == pytest.approx(shares)
    values = [[1.1, -0.1], [0.6, 1.95], [0.7, 1.45]]
    mixture = [sum(p * v[i] for p, v in zip(shares, values)) for i in (0, 1)]
    assert [o.data for o in found.mixture] == pytest.approx(mixture)


def saying(*logits: list[float]) -> Callable[[np.ndarray], Reading]:
    """Return a reader that always has these logits, one list for each place."""

    def reader(tokens: np.ndarray) -> Reading:
        return Reading(np.array([logits] * len(tokens)), np.empty(0), np.empty(0))

    return reader


def test_no_new_name_is_empty_even_if_the_end_is_most_likely() -> None:
    ends = saying(*5 * [[50.0, 0.0, 0.0, 0.0]])
    invented = names.new_names(ends, SMALL, temperature=1.0, seed=0)
    assert {len(name) for name in invented} == {1}
    assert set(invented) == set("amn")


def test_a_new_name_ends_where_the_longest_name_does() -> None:
    never = saying(*5 * [[-50.0, 0.0, 0.0, 50.0]])
    assert set(names.new_names(never, SMALL, temperature=1.0, seed=0)) == {"nnnn"}


def test_the_temperature_divides_the_logits() -> None:
    odds = saying(*5 * [[0.0, 2.0, 0.0, 0.0]])
    share = {}
    for temperature in (0.1, 1.0, 100.0):
        first = [name[0] for name in names.new_names(odds, SMALL, temperature, seed=0)]
        share[temperature] = first.count("a") / len(first)
    assert share[0.1] == 1.0
    assert share[1.0] == pytest.approx(math.exp(2) / (math.exp(2) + 2), abs=0.15)
    assert share[100.0] == pytest.approx(1 / 3, abs=0.15)


def test_names_of_the_list_are_no_new_ones() -> None:
    lesson = Lesson()
    spells_m = saying([0.0, 0.0, 50.0, 0.0], *4 * [[50.0, 0.0, 0.0, 0.0]])
    assert set(names.show_new_names(lesson, spells_m, SMALL, 1.0, 0)) == {"m"}
    assert lesson.claims == {"no_new_name_is_empty": True, "it_invents_names": False}


@pytest.mark.parametrize(("peeks", "holds"), [(False, True), (True, False)])
def test_a_decoder_that_looks_ahead_is_noticed(peeks: bool, holds: bool) -> None:
    def reader(tokens: np.ndarray) -> Reading:
        sums = np.cumsum(tokens[:, ::-1], axis=1)[:, ::-1] if peeks else np.cumsum(tokens, axis=1)
        return Reading(np.repeat(sums[..., None], 4, axis=2), np.empty(0), np.empty(0))

    lesson = Lesson()
    decoder_inside.show_no_peeking(lesson, reader, SMALL)
    assert lesson.claims == {"it_never_looks_ahead": holds}


def test_heads_that_look_at_the_same_are_noticed() -> None:
    def reader(tokens: np.ndarray) -> Reading:
        shares = np.zeros((*tokens.shape, HEADS, tokens.shape[1]))
        shares[..., 0] = 1.0
        return Reading(np.empty(0), shares, np.empty(0))

    lesson = Lesson()
    decoder_inside.show_looks(lesson, reader, SMALL, "nam")
    assert lesson.claims == {"each_head_looks_elsewhere": False}


def test_looks_are_the_mean_shares_by_distance() -> None:
    following = np.array([[1, 2, 3, 1, 0]])
    shares = np.zeros((1, 5, HEADS, 5))
    shares[0, :, :, 0] = 1.0  # all heads look at the start
    shares[0, 4, 1] = [0.1, 0.2, 0.3, 0.0, 0.4]
    looks = decoder_inside.looks_of_heads(Reading(np.empty(0), shares, np.empty(0)), following)
    assert looks[0] == pytest.approx([0.0, 0.0, 0.0, 0.0, 1.0])
    assert looks[1] == pytest.approx([0.1, 0.0, 0.075, 0.05, 0.775])


def test_attention_differs_by_what_goes_to_different_places() -> None:
    shares = np.zeros((1, 3, HEADS, 3))
    shares[..., 0] = 1.0
    shares[0, 1, 2] = [0.4, 0.6, 0.0]  # at one letter of two, 0.6 of it goes elsewhere
    following = np.array([[1, 2, 0]])
    apart = decoder_inside.apart_at_a_letter(Reading(np.empty(0), shares, np.empty(0)), following)
    assert apart[0] == pytest.approx([0.0, 0.0, 0.3, 0.0])
    assert (apart == apart.T).all()


def test_a_neuron_s_letters_are_those_at_which_it_is_bright() -> None:
    tokens = np.array([[0, 1, 2, 3]])
    neurons = np.zeros((1, 4, decoder_inside.NEURONS))
    neurons[0, [1, 3], 7] = 3.0, 1.0
    reading = Reading(np.zeros((1, 4, 4)), np.empty(0), neurons)
    push = np.ones((4, decoder_inside.NEURONS))
    found = decoder_inside.knowledge(reading, tokens, np.ones((1, 4), bool), push)
    assert found.chosen[0] == 7
    assert list(found.letters[0][:2]) == [1, 3]
    assert found.shares[0] == pytest.approx(1.0)


def test_weights_are_switched_off_within_a_block() -> None:
    decoder = Decoder(4)
    weights = decoder.mix[0]
    before = [weight.data for weight in weights]
    with pytest.raises(KeyError), decoder_inside.switched_off(weights):
        assert {weight.data for weight in weights} == {0.0}
        raise KeyError
    assert [weight.data for weight in weights] == before


def test_other_losses_of_the_engine_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def off(decoder: Decoder) -> name_training.Gradient:
        return lambda *rows: (3.0 + 1e-8, np.zeros(len(decoder.parameters())))

    monkeypatch.setattr(name_training, "by_the_engine", off)
    monkeypatch.setattr(name_training, "pair_surprisal", lambda listed: 0.0)
    claims = names.main(**TINY["names"], out=tmp_path)["claims"]
    assert not claims["the_compiled_code_computes_what_the_engine_does"]
    assert not claims["it_knows_more_than_pairs_of_letters"]


def test_names(results: Results) -> None:
    numbers = results["names"]
    assert numbers["engine_losses"] == pytest.approx(numbers["losses"][:3], rel=0.0, abs=1e-9)
    assert len(numbers["losses"]) == TINY["names"]["steps"] + TINY["names"]["batches"]
    assert [step for step, _ in numbers["curve"]][-1] == len(numbers["losses"])
    assert all(numbers["invented"])
    assert numbers["expected"].sum(axis=1) == pytest.approx(1.0)


def test_names_are_drawn_in_rounds() -> None:
    drawn = list(islice(name_training.endless(["a", "b", "c"], seed=0), 9))
    assert [sorted(drawn[i : i + 3]) for i in (0, 3, 6)] == [["a", "b", "c"]] * 3


def test_numbers_for_any_alphabet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "names.txt"
    file.write_text("\n".join(a + b for a in "абвг·" for b in "яюэь"), encoding="utf-8")
    settings: dict[str, Any] = {**TINY["names"], "file": file, "prefix": "б"}
    assert names.main(**settings, out=tmp_path)["pictures"]
    assert "after ·б " in capsys.readouterr().out


def test_the_page_computes_what_the_decoder_does(
    tmp_path: Path, opened: Callable[..., Any]
) -> None:
    decoder = Decoder(SMALL.count, seed=1)
    for p in decoder.parameters():
        p.data *= 5.0  # so that the heads look at different places
    path = decoder.save_html(
        tmp_path / "page.html",
        tokens=SMALL.shown(range(SMALL.count)),
        longest=4,
        start=SMALL.shown([END]),
        attention=names.shares_by_head,
    )
    page = opened(path)
    for prefix in ("", "n", "man"):
        page.fill("#prefix", prefix)
        logits = decoder_inside.numbers(decoder(SMALL.tokens(prefix)[:-1]))
        shown = page.locator("#next data").evaluate_all("all => all.map((one) => one.value)")
        wanted = decoder_inside.probabilities(logits)[-1]
        assert [float(share) for share in shown] == pytest.approx(wanted.tolist(), rel=1e-9)
        last = page.locator("#heads tbody tr:last-child").evaluate_all(
            "rows => rows.map((row) => [...row.querySelectorAll('data')].map((x) => x.value))"
        )
        for head, row in enumerate(last):
            shares = [share.data for share in decoder.shares[-1][head]]
            assert [float(share) for share in row] == pytest.approx(shares, rel=1e-9)
