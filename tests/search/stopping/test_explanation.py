"""Decisions in words."""

from typing import Any

import pytest

from caviar.search.searchers import asked
from caviar.search.stopping import KINDS, Judgement, parse_stopping, sentence

HALVING: dict[str, Any] = {"rung": 1, "rank": 7, "of": 9, "kept": 3}


def said(by: str, action: str, numbers: dict[str, Any], **given: Any) -> str:
    facts = {"step": 3, "value": 0.75, "bar": 0.5} | given
    return sentence(action=action, by=by, numbers=numbers, **facts)


@pytest.mark.parametrize(
    ("by", "action", "numbers", "words"),
    [
        (
            "asha:eta=3",
            "stop",
            HALVING,
            "was stopped at step 3 by asha:eta=3: 0.75 ranked 7 of 9 there, and the best 3",
        ),
        ("asha:eta=3", "go_on", HALVING | {"rank": 1, "kept": 1}, "ranked 1 of 9 there, and only the best one goes on"),
        ("asha:eta=3", "pause", HALVING | {"kept": 0}, "ranked 7 of 9 there, and none goes on yet"),
        ("asha:eta=3", "promote", HALVING, "it is the best that waits, and no trial had completed"),
        ("asha:eta=3", "promote", HALVING | {"rank": 3}, "was promoted at step 3"),
        ("asha:eta=3", "stop", HALVING | {"rank": 1}, "is not a number to go on with"),
        ("hyperband:eta=3", "pause", HALVING | {"bracket": 2}, "ranked 7 of 9 there of bracket 2"),
        ("median", "stop", {"of": 8}, "its best value 0.75 was worse than 0.5, the median of 8 averages"),
        ("median", "go_on", {"of": 8}, "went on at step 3 by median: its best value 0.75 was no worse than 0.5"),
        ("patience:steps=4", "stop", {"best_step": 2, "patience": 4}, "its best value 0.5 is of step 2, and patience"),
        ("extrapolate", "stop", {"chance": 0.01, "end": 50, "expected": 0.7}, "about 0.7 at step 50, where the best"),
        ("stop_on_divergence", "stop", {}, "was stopped at step 3 by stop_on_divergence: it diverged (0.75)"),
        ("user", "stop", {}, "was stopped at step 3 by user: it had 0.75 against 0.5"),
    ],
)
def test_a_decision_is_told_with_its_numbers(by: str, action: str, numbers: dict[str, Any], words: str) -> None:
    assert words in said(by, action, numbers)


@pytest.mark.parametrize(
    ("by", "numbers", "words"),
    [
        ("local", {"origin": "near", "parent": 7}, "a step away from trial 7, one of the best"),
        ("local", {"origin": "random"}, "a random point"),
        (
            "gp",
            {"origin": "model", "rows": 30, "step": 9},
            "a draw of the model of 30 rows has its minimum here, at step 9",
        ),
        ("optuna:tpe", {"origin": "model"}, "a point of its model"),
        ("of_a_later_version", {}, "a point of its model"),
    ],
)
def test_an_ask_is_told_with_where_the_point_comes_from(by: str, numbers: dict[str, Any], words: str) -> None:
    assert asked(by, numbers) == f"was asked for by {by}: {words}"


def test_a_decision_without_numbers_is_told_too() -> None:
    assert said("user", "stop", {}, step=None, value=None, bar=None) == "was stopped by user"


def test_every_judgement_of_every_policy_can_be_told() -> None:
    for text, pausing in ((kind.example, kind.needs_pausing) for kind in KINDS.values()):
        policy = parse_stopping(text).policy(mode="min", pausing=pausing)
        told: list[Judgement] = []
        for trial in range(6):
            for step in range(12):
                policy.note(trial, step, 1.0 + trial)
                found = policy.judge(trial)
                if found is not None and trial:
                    told.append(found)
            policy.end(trial, state="COMPLETED")
        assert told
        for found in told:
            assert ": " in sentence(
                action=found.action,
                by=text,
                step=found.step,
                value=found.value,
                bar=found.bar,
                numbers=found.numbers,
            )
