"""After a retest its winner stands at the top, with what it is worth, and what is left open is said."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from caviar.display.numbers import with_half_width
from caviar.results.report import verdict as verdict_file
from caviar.results.report.charts import retest
from caviar.results.retest import newest_verdict
from caviar.results.retest_words import verdict_lines
from caviar.spec.retested import Retested

from .conftest import read
from .small_sweeps import BEGAN, add_curves, plan_of

RNG = np.random.default_rng(0)
NOISE = RNG.normal(0, 0.01, (5, 3))


def add_retested(store, means, *, failed=(), complete=True):
    """A sweep of four trials, the first the lucky one, whose best three were trained again on five seeds each."""
    plan = plan_of(4)
    root = add_curves(store, plan, [{"loss": [1.0, value]} for value in (0.10, 0.11, 0.12, 0.5)])
    retested = Retested(origins=((root, 0), (root, 1), (root, 2)), seeds=tuple(range(15)), looks=(5,))
    again = replace(plan, trials=15, parent=root, relation="retest", retested=retested)
    curves = [{"loss": [1.0, means[k % 3] + NOISE[k // 3, k % 3]]} for k in range(15 if complete else 10)]
    sweep = add_curves(store, again, curves, dict.fromkeys(failed, "FAILED"), ended=complete)
    return root, sweep


def test_the_winner_on_fresh_seeds_is_the_winner(store):
    root, _ = add_retested(store, (0.4, 0.2, 0.4))
    document = newest_verdict(store, store.find(root))
    found = read(store, root).documents
    verdict = found["verdict"]
    assert document.winner is not None
    assert (verdict["trial"], verdict["value"]) == (1, document.winner.value)
    assert verdict["shown"] == with_half_width(document.winner.value, document.winner.half_width)
    assert verdict["by"] == "retest, 5 fresh seeds each"
    assert [verdict["retest"]["sentence"], *verdict["retest"]["more"]] == verdict_lines(document)
    assert verdict["sentence"].startswith("of the sweep alone, t0 at 0.1 is best by last loss")
    assert [one["trial"] for one in verdict["retest"]["rows"] if one["live"]] == [1]
    assert verdict["second"]["trial"] == 0, "who the sweep itself had said is best"
    assert "behind" not in verdict["second"]["shown"], "one of the two values is of fresh seeds"
    assert verdict["luck"] is None
    assert found["charts"]["retest"] == retest(document)
    kinds = {one["kind"] for one in found["trust"]}
    assert not kinds & {"one_seed", "tie"}, "the retest has answered that"
    assert not [one for one in verdict["commands"] if one["command"].startswith("caviar retest")]


def test_a_tie_is_said_first_with_what_would_tell(store):
    root, _ = add_retested(store, (0.3, 0.3, 0.3))
    found = read(store, root).documents
    first = found["trust"][0]
    assert first["command"] in [one["command"] for one in found["verdict"]["commands"]], "what to type next has it too"
    assert (first["kind"], first["level"], first["command"]) == ("tie", "warn", f"caviar retest {root} --repeats 10")
    assert first["text"].startswith("tie: ")
    assert "shows in 8 of 10" in first["detail"]


def test_a_retest_that_is_not_complete_leaves_the_sweeps_own_best(store):
    root, sweep = add_retested(store, (0.4, 0.2, 0.4), complete=False)
    found = read(store, root).documents
    assert (found["verdict"]["trial"], found["verdict"]["value"]) == (0, 0.10)
    assert any(f"caviar resume {sweep}" in one for one in found["verdict"]["retest"]["more"])
    assert {one["text"] for one in found["trust"] if one["kind"] == "retest"} == {"no verdict yet"}


def test_where_all_failed_on_a_seed_there_is_no_winner(store):
    root, _ = add_retested(store, (0.4, 0.2, 0.4), failed=(0, 1, 2))
    found = read(store, root).documents
    assert found["verdict"]["trial"] == 0
    (said,) = [one for one in found["trust"] if one["kind"] == "retest"]
    assert said["text"].startswith("no winner")


@pytest.mark.parametrize("days", [60, 120])
def test_what_was_trained_long_ago_is_a_reason_to_look(store, monkeypatch, days):
    class Later(datetime):
        @classmethod
        def now(cls, zone=None):
            return BEGAN.astimezone(zone) + timedelta(days=days)

    monkeypatch.setattr(verdict_file, "datetime", Later)
    found = read(store, add_curves(store, plan_of(2), [{"loss": [1.0]}] * 2)).documents["trust"]
    assert [one["text"] for one in found if one["kind"] == "old"] == (["trained 120 days ago"] if days > 90 else [])
