"""Tests of HTML markup: data is escaped."""

from __future__ import annotations

from autograd.extend import markup
from tests.elements import Elements


def test_what_is_no_markup_is_escaped() -> None:
    cell = markup.element("b", "1 < 2 & 3", markup.element("i", "x"), title='"<"')
    assert cell == '<b title="&quot;&lt;&quot;">1 &lt; 2 &amp; 3<i>x</i></b>'


def test_markup_joined_with_text_by_hand_is_text_again() -> None:
    assert markup.joined([markup.element("b") + "<script>"]) == "&lt;b&gt;&lt;/b&gt;&lt;script&gt;"


def test_a_bar_is_as_long_as_its_share() -> None:
    assert "width:9em" in markup.bar(1.0)
    assert "width:4.5em" in markup.bar(0.5, negative=True)


def test_a_table_has_a_cell_for_each_text() -> None:
    found = Elements(markup.table([["w", "0.6"], ["b", "0.1"]], "lr", ["leaf", "data"]))
    assert found.rows == [["leaf", "data"], ["w", "0.6"], ["b", "0.1"]]
    assert found.styles("th", "text-align") == ["left", "right"]
    assert found.styles("td", "text-align") == ["left", "right"] * 2


def test_a_bar_shows_its_sign() -> None:
    assert markup.POSITIVE in markup.bar(0.5)
    assert markup.NEGATIVE in markup.bar(0.5, negative=True)
