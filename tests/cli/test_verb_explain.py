import json
import shutil
from itertools import product

import pyarrow as pa
import pytest

from caviar.store import Store, Writer
from caviar_workers.tables import DECISIONS

from ..small_stores import attempt_row, configs, curve, make_plan


def decide(filled, tmp_path, **row):
    path = shutil.copytree(filled.path, tmp_path / "store")
    sweep = Store.open(path).find("digits")
    numbers = json.dumps({"rung": 1, "rank": 5, "of": 6, "kept": 2})
    given = {"n": 0, "time": 0, "attempt": 0, "numbers": numbers, **row}
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add(
            "decisions", pa.table({f.name: pa.array([given[f.name]], f.type) for f in DECISIONS}, schema=DECISIONS)
        )
        writer.flush()
    sweep.release(epoch)
    return str(path)


def test_a_decision_is_told_in_a_sentence_with_its_numbers(caviar, filled, tmp_path):
    path = decide(filled, tmp_path, trial=2, action="stop", decided_by="asha:eta=3", step=3, value=0.5, bar=0.25)
    got = caviar("explain", "t2", "--sweep", "digits", "--store", path)

    assert got.code == 0
    assert got.lines == [
        f"trial 2 of digits ({filled.digits}): COMPLETED",
        "  was told to stop at step 3 by asha:eta=3: 0.5 ranked 5 of 6 there, and the best 2 go on (0.25 or better);"
        " it ran on to step 19, and is COMPLETED",
    ]
    document = json.loads(caviar("explain", "2", "--sweep", "digits", "--store", path, "--json").out)
    assert document["decisions"][0]["numbers"] == {"rung": 1, "rank": 5, "of": 6, "kept": 2}
    assert document["decisions"][0]["sentence"] in got.out


def test_where_nothing_was_decided_it_says_why(caviar, filled):
    got = caviar("explain", "1", "--sweep", "digits", "--store", filled.path)

    assert got.lines[1:] == ["  nothing was decided about it: the sweep has no stop policy"]


def test_a_trial_that_is_not_there(caviar, filled):
    got = caviar("explain", "999", "--sweep", "digits", "--store", filled.path)

    assert got.code == 4
    assert "has no trial 999" in got.err


STATES = ["COMPLETED", "STOPPED", "PAUSED", "FAILED", "RUNNING"]


@pytest.mark.parametrize(("action", "state"), list(product(["stop", "pause", "go_on"], STATES)))
def test_what_was_decided_is_not_taken_for_what_was_done(caviar, tmp_path, action, state):
    plan = make_plan("halved", 4, stopping="asha", pausing=True)
    store = Store.open(tmp_path / "store", create=True)
    sweep = store.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
    epoch = sweep.claim()
    row = {"n": 0, "time": 0, "trial": 0, "attempt": 0, "action": action, "decided_by": "asha", "step": 3}
    row |= {"value": 0.5, "bar": 0.25, "numbers": "{}"}
    ended = {"ended": None, "busy": None} if state == "RUNNING" else {}
    with Writer(sweep, epoch) as writer:
        writer.add("configs", configs(plan, 1))
        writer.add("curves", curve(0))
        writer.add("attempts", attempt_row(0, state, **ended))
        writer.add(
            "decisions", pa.table({f.name: pa.array([row[f.name]], f.type) for f in DECISIONS}, schema=DECISIONS)
        )
    sweep.release(epoch)
    sentence = caviar("explain", "0", "--store", store.path).lines[1]
    did = {"stop": ("STOPPED",), "pause": ("PAUSED", "STOPPED"), "go_on": STATES}[action]
    done, told = {"stop": ("stopped", "stop"), "pause": ("paused", "pause"), "go_on": ("went on", "")}[action]
    assert (done in sentence) == (state in did)
    assert (f"was told to {told}" in sentence) == (state not in did)
    assert ("it ran on to step" in sentence) == (state not in did)
