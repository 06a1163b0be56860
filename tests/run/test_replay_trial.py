"""A trial that was edited, rolled back and interrupted, trained again: the same curve, bit for bit."""

import json
from pathlib import Path

import pytest

from caviar import Result
from caviar.results.lineage import differences
from caviar.results.open_sweep import open_sweep
from caviar.results.report.acts import MOST_POINTS, acts_document, thinned
from caviar.run.acts import Wish, roll_back
from caviar.store import Store

from .conftest import Caviar, Write

EXPERIMENT = """
    import json
    import random
    import time
    from pathlib import Path

    from caviar import Float, Int, Sweep


    def train(config, trial):
        saved, units = trial.load(), config["units"]
        state = 1.0 if saved is None else json.loads(saved.data)
        for step in range(trial.start, 40):
            drawn = random.Random(f"{trial.seed} {trial.branch} {step + trial.skip}").random()
            state += config["lr"] * (drawn - state / units) + random.random() * 1e-3
            trial.report(step, loss=state, lr=config["lr"], units=units, at=time.time())
            if step % 5 == 4 or trial.save_wanted:
                trial.save(step, json.dumps(state).encode())
            if step == 12 and Path(__file__).with_name("fail").exists():
                raise ValueError("a crash")


    space = {"lr": Float(1e-4, 1.0, scale="log", live=True), "units": Int(1, 64)}
    sweep = Sweep(train, space, metric="loss", trials=2, keep_checkpoints=50)
"""


@pytest.mark.usefixtures("inline")
def test_a_lineage_with_all_kinds_of_acts_gives_the_same_curve_bit_for_bit(
    write: Write, caviar: Caviar, store: Path
) -> None:
    path = write(EXPERIMENT)
    path.with_name("fail").touch()
    caviar("run", path)
    path.with_name("fail").unlink()
    assert caviar("resume", "--retry-failed").code == 0
    result, opened = Result(store), Store.open(store)
    for to_step, wish in ((30, Wish(values={"lr": "*0.5"})), (22, Wish(values={"units": 7}, skip_data=True))):
        roll_back(opened, opened.sweeps()[0], 0, wish, to_step=to_step, say=print)
    result.edit(0, lr=0.3, at_step=25, over=4)
    result.edit(0, units=9, now=True, at_step=31)
    assert caviar("resume").code == 0

    with open_sweep(opened, opened.sweeps()[0], print) as sweep:
        told = acts_document(sweep)
    acts = [(row[0], row[1], row[2].split()[-1]) for row in reversed(told["rows"])]
    assert acts == [("t0", "29", "rollback"), ("t0", "19", "rollback"), ("t0", "25", "ramp"), ("t0", "31", "edit")]
    assert [(one["branch"], one["points"][0][0], one["points"][-1][0]) for one in told["branches"]] == [(0, 19, 39)]
    assert any("was sent back at step 29 to step 19 by " in one for mark in told["marks"] for one in mark["said"])

    again = caviar("replay", "0", "--json")
    assert again.code == 0, again.err
    document = json.loads(again.out)
    assert (document["rows"], document["equal"], document["same"]) == (40, True, ["loss", "lr", "units"])
    assert document["differs"] == {"at": 0}
    sql = "SELECT list(DISTINCT units), count(DISTINCT lr), count(DISTINCT attempt) FROM curves WHERE trial = 0"
    units, rates, attempts = result.sql(sql).fetchall()[0]
    assert ({7.0, 9.0} < set(units), rates, attempts) == (True, 5, 3), "there was something to be replayed"
    assert result.replay(1).equal, "nothing was done to this one, but that it crashed"
    assert caviar("replay", "7").code == 4
    sweep = next(store.glob("sweep=*"))
    assert not list(sweep.glob("_requests/*")), "nothing is left of it"

    path.write_text(path.read_text().replace("1e-3", "2e-3"))
    assert caviar("resume", "--force", "--add", "1").code == 0
    other = caviar("replay", "1")
    assert (other.code, "loss differs from step 0 on" in other.out) == (1, True)
    assert "trained with 1 version of the code, and replayed with the newest" in other.err


def test_a_branch_is_shown_by_some_points_up_to_where_it_diverged() -> None:
    points = [(step, float(step)) for step in range(1000)]
    found = thinned(points)
    assert (found[0], found[-1], len(found) <= MOST_POINTS + 1) == (points[0], points[-1], True)
    assert thinned([(0, 1.0), (1, float("nan")), (2, 2.0)]) == [(0, 1.0)]
    assert thinned([(0, float("inf"))]) == thinned([]) == []


def test_curves_are_compared_bit_for_bit() -> None:
    nan, rows = float("nan"), [{"step": 0.0, "a": 1.0}, {"step": 1.0, "a": float("nan"), "b": 0.0}]
    assert differences(rows, [{"step": 0.0, "a": 1.0}, {"step": 1.0, "a": nan, "b": 0.0}, {"step": 2.0}]) == {}
    assert differences(rows, [{"step": 0.0, "a": 1.0 + 2**-52}, {"step": 1.0, "a": nan, "b": -0.0}]) == {"a": 0, "b": 1}
    assert differences(rows, rows[:1]) == {"step": 1}
    assert differences(rows, [rows[0], {"step": 1.0, "a": nan}]) == {"b": 1}
    assert differences(rows, [rows[0], {"step": 2.0, "a": nan, "b": 0.0}]) == {"step": 1}
