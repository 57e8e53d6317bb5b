"""Tests of what the lessons claim: each claim is in demos/README.md, and the numbers show it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from demos.lesson import WIDTH
from tests.demo_runs import TINY, Results, demo, mostly_slow

TABLES = Path(__file__).parents[2] / "demos" / "README.md"
# Claims that need more than the tests' small budgets.
TRAINED = {
    "convolution": {
        "both_read_unseen_digits",
        "filters_help_with_moved_digits",
        "the_dense_network_has_no_sense_of_place",
    },
    "digits": {
        "a_moved_digit_is_not_recognised",
        "noise_gets_confident_answers",
        "the_cost_is_large_for_trash",
        "training_lowers_the_cost",
        "unseen_digits_are_read_as_well",
    },
    "moons": {
        "hidden_neurons_bend_the_boundary",
        "it_is_right_on_points_it_never_saw",
        "more_neurons_bend_it_more",
        "training_lowers_the_cost",
    },
    "spirals": {
        "a_network_separates_three_classes",
        "a_sure_and_right_answer_costs_little",
        "numbers_put_class_1_between",
        "one_hot_targets_learn_better",
    },
    "overfit": {
        "held_out_cost_turns_up",
        "just_right_is_best_on_new_points",
        "learned_cost_falls_on",
        "learned_points_choose_the_wrong_model",
        "stopping_early_is_better_on_new_points",
        "stops_when_the_cost_no_longer_falls",
        "too_large_is_worse_on_new_points",
        "too_large_learns_by_heart",
        "too_simple_is_wrong_on_both",
        "underfits_before_and_overfits_after",
    },
    "dropout": {"dropout_holds_back", "dropout_makes_no_neuron_indispensable"},
    "regularise": {
        "l1_picks_inputs",
        "l1_sets_weights_to_zero",
        "l2_keeps_weights_small_and_even",
        "penalties_hold_back",
        "too_large_a_lambda_underfits",
        "too_small_a_lambda_still_overfits",
    },
    "vanishing": {"early_layers_hardly_move"},
    "names": {
        "a_neuron_says_what_follows_its_letters",
        "each_head_looks_elsewhere",
        "it_invents_names",
        "it_knows_more_than_pairs_of_letters",
        "it_learns_to_spell_names_it_never_saw",
        "looking_back_helps",
        "neurons_light_up_for_few_letters",
        "the_feed_forward_part_knows_something",
    },
}


class Row(NamedTuple):
    """A row of a lesson's table: a statement, where it is seen, and the names of its claims."""

    statement: str
    sections: list[str]
    files: list[str]
    claims: list[str]


def tables() -> dict[str, list[Row]]:
    """Read the table of each lesson from demos/README.md."""
    found: dict[str, list[Row]] = {}
    for part in TABLES.read_text(encoding="utf-8").split("\n## ")[1:]:
        head = re.match(r"`python -m demos\.(\w+)`", part)
        assert head, f"a section is headed by the command that runs its lesson, got {part[:40]!r}"
        lines = [line for line in part.splitlines() if line.startswith("|")]
        assert [cell.strip() for cell in lines[0].strip("|").split("|")] == [
            "the notes say",
            "seen in",
            "claim",
        ]
        found[head[1]] = [_row(line) for line in lines[2:]]
    return found


def _row(line: str) -> Row:
    statement, seen, claims = (cell.strip() for cell in line.strip("|").split(" | "))
    names = re.findall(r"`([^`]+)`", claims)
    assert names or claims == "—", line
    sections, files = re.findall(r"\*([^*]+)\*", seen), re.findall(r"`([^`]+)`", seen)
    assert sections or files, f"this row does not say where to look: {line}"
    return Row(statement, sections, files, names)


ROWS = tables()


def test_every_lesson_has_a_table() -> None:
    assert set(ROWS) == set(TINY)


@pytest.mark.parametrize("name", ROWS)
def test_each_statement_is_seen_where_the_table_says(name: str, results: Results) -> None:
    numbers: dict[str, Any] = results[name]
    made = {Path(path).name for path in (*numbers["pictures"], numbers.get("page", ""))}
    for row in ROWS[name]:
        assert set(row.sections) <= set(numbers["sections"]), row.statement
        assert set(row.files) <= made, row.statement


@pytest.mark.parametrize("name", ROWS)
def test_the_table_lists_the_claims_of_the_lesson(name: str, results: Results) -> None:
    assert {claim for row in ROWS[name] for claim in row.claims} == set(results[name]["claims"])


@pytest.mark.parametrize("name", ROWS)
def test_the_numbers_show_each_claim(name: str, results: Results) -> None:
    claims = results[name]["claims"]
    needing = TRAINED.get(name, set())
    assert needing <= set(claims)
    assert [claim for claim, holds in claims.items() if not holds and claim not in needing] == []


@pytest.mark.parametrize("name", mostly_slow(ROWS, "chain", "boundary"))
def test_a_lesson_prints_two_screens(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    demo(name).main(**TINY[name], out=tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 80
    own = [line for line in lines if str(tmp_path) not in line]
    assert max(map(len, own)) <= WIDTH
