"""Tests of what all lessons share: sections, claims, and what `--more` shows."""

from __future__ import annotations

import pytest

from demos.lesson import WIDTH, Lesson


def test_a_hidden_section_runs_and_its_claims_count(capsys: pytest.CaptureFixture[str]) -> None:
    lesson = Lesson()
    with lesson.section("Hidden", more=True):
        lesson.claim("one_is_one", "One is one.", 1)
    assert capsys.readouterr().out == ""
    lesson.end(["out/a.png", "out/b.png"], "page.html")
    said = capsys.readouterr().out
    assert "--more also shows: Hidden\n" in said
    assert "The pictures in out: a.png, b.png\n" in said
    assert said.endswith("page.html\n")
    assert (lesson.claims, lesson.sections) == ({"one_is_one": True}, ["Hidden"])


def test_more_shows_the_hidden_sections(capsys: pytest.CaptureFixture[str]) -> None:
    lesson = Lesson(more=True)
    with lesson.section("Hidden", more=True):
        lesson.claim("one_is_one", "One is one.", 1)
    lesson.end(["out/a.png"])
    said = capsys.readouterr().out
    assert said == "\nHidden\n──────\n✓ One is one.\n\nThe picture in out: a.png\n"


def test_a_claim_that_does_not_hold_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    lesson = Lesson()
    lesson.claim("long", 15 * "One is two. ", False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("✗ not in this run: One is two.")
    assert len(lines) > 1
    assert max(map(len, lines)) <= WIDTH
    assert lesson.claims == {"long": False}


def test_a_lesson_claims_each_thing_once() -> None:
    lesson = Lesson()
    lesson.claim("same", "One is one.", True)
    with pytest.raises(ValueError, match="'same' was claimed before"):
        lesson.claim("same", "One is one.", True)
