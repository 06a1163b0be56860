import json
import shutil

import pyarrow as pa

from caviar.store import Store, Writer
from caviar_workers.tables import DECISIONS


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
        "  was stopped at step 3 by asha:eta=3: 0.5 ranked 5 of 6 there, and the best 2 go on (0.25 or better)",
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
