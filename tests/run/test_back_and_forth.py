"""Rollbacks of sweeps that run, pauses and forks, from another shell."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.run.test_edits import EXPERIMENT, driver, wait_for

from caviar import Result
from caviar.results.open_sweep import open_sweep
from caviar.run.acts import Wish, roll_back
from caviar.run.forks import ForkWish, look_to_fork
from caviar.store import Store
from caviar_workers.tables import FORKED

from .conftest import Caviar, Driver, Write

__all__ = ["driver"]


@pytest.mark.usefixtures("inline")
def test_a_trial_of_a_sweep_that_runs_goes_back_at_once_and_what_is_behind_counts_no_more(
    driver: Driver, tmp_path: Path, caviar: Caviar, store: Path
) -> None:
    wait_for(driver, 1, "step = 50")
    assert "no checkpoint at or before 7" in caviar("rollback", "0", "--to-step", "7").err
    back = caviar("rollback", "0", "--to-step", "45", "lr=0.5", "--why", "spike")
    assert back.code == 0, back.err
    assert "trial 0 goes on from step 39" in back.err
    shown = Result(store).sql("SELECT step, attempt FROM _curves ORDER BY _row").fetchall()
    assert [step for step, attempt in shown if attempt == 0] == list(range(40)), "what is behind is shown no more"
    wait_for(driver, 1, "rate = 0.5")
    (tmp_path / "code" / "enough").touch()
    driver.process.communicate(timeout=120)
    assert driver.process.returncode == 0
    rows = Result(store).sql("SELECT step, attempt, rate FROM _curves ORDER BY _row").fetchall()
    assert [row[0] for row in rows] == list(range(rows[-1][0] + 1))
    assert {rate for _, attempt, rate in rows if attempt} == {0.5}
    states = Result(store).sql("SELECT attempt, state, cause FROM attempts ORDER BY attempt").fetchall()
    assert states == [(0, "PAUSED", "first"), (1, "COMPLETED", "rollback")]


@pytest.mark.usefixtures("inline")
def test_who_is_paused_frees_its_process_and_goes_on_from_its_checkpoint(
    driver: Driver, tmp_path: Path, caviar: Caviar, store: Path
) -> None:
    wait_for(driver, 1, "step = 20")
    paused = caviar("pause", "--trial", "0")
    assert paused.code == 0, paused.err
    _, err = driver.process.communicate(timeout=120)
    assert driver.process.returncode == 0
    assert "paused: only trial 0 is left" in err
    assert "is paused already" in caviar("pause", "--trial", "0").err
    assert "does not run" in caviar("pause").err
    (tmp_path / "code" / "enough").touch()
    again = caviar("continue")
    assert again.code == 0, again.err
    assert "trial 0 goes on" in again.err
    rows = Result(store).sql("SELECT step FROM _curves ORDER BY _row").fetchall()
    assert [step for (step,) in rows] == list(range(len(rows)))
    states = Result(store).sql("SELECT state, cause FROM attempts ORDER BY attempt").fetchall()
    assert states == [("PAUSED", "first"), ("COMPLETED", "continue")]
    assert [line.split(";")[0].split(": ")[-1] for line in caviar("diary", "0").out.splitlines()[3:]] == [
        "paused",
        "went on",
    ]


def see_what_is_refused(caviar: Caviar) -> None:
    for words, why in (
        (["-k", "2"], "would be alike"),
        (["--branch", "2"], "has the branches 0 to 1"),
        (["--at-step", "3"], "no checkpoint at or before 3; there are 19, 39"),
        (["--space", "lr=2..3"], "is outside"),
    ):
        refused = caviar("fork", "0", *words)
        assert (refused.code, why in refused.err) == (2, True), refused.err


@pytest.mark.usefixtures("inline")
def test_forks_go_on_from_a_checkpoint_of_any_branch_with_their_parent_s_seed(
    write: Write, caviar: Caviar, store: Path
) -> None:
    path = write(EXPERIMENT.replace("trials=1)", "trials=2, keep_checkpoints=99)"))
    path.with_name("enough").touch()
    assert caviar("run", path).code == 0
    assert caviar("rollback", "0", "--to-step", "30", "lr=0.5").code == 0  # branch 0 ended at 60, 1 goes on from 19
    see_what_is_refused(caviar)
    dead = caviar("fork", "0", "--branch", "0", "--at-step", "59", "-k", "2", "--space", "lr=log:1e-3..1e-2")
    assert dead.code == 0, dead.err
    living = caviar("fork", "1", "--at-step", "45")
    assert "nothing changes" in living.err

    result = Result(store)
    forked = result.sql("SELECT trial, seed, lr, state FROM trials WHERE trial > 9 ORDER BY trial").fetchall()
    seeds = [seed for (seed,) in result.sql("SELECT seed FROM trials WHERE trial < 9 ORDER BY trial").fetchall()]
    first = FORKED
    assert [row[0] for row in forked] == [first, first + 1, first + 2]
    assert [row[1] for row in forked] == [seeds[0], seeds[0], seeds[1]]
    assert all(1e-3 <= row[2] <= 1e-2 for row in forked[:2])
    assert forked[0][2] != forked[1][2]
    assert {row[3] for row in forked} == {"COMPLETED"}
    rows = result.sql(
        "SELECT trial, min(step), max(step), min(rate), max(rate) FROM curves WHERE trial > 9 GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert [row[:3] for row in rows] == [(first, 60, 120), (first + 1, 60, 120), (first + 2, 40, 100)]
    assert [row[3] for row in rows[:2]] == [row[4] for row in rows[:2]] == [row[2] for row in forked[:2]]
    lineage = result.sql("SELECT * EXCLUDE (sweep) FROM lineage ORDER BY trial, part").fetchall()
    assert lineage[:2] == [(first, 0, 0, 0, 0, 59), (first, 1, first, None, 60, None)]
    grandchild = caviar("fork", str(first), "lr=0.1")
    assert grandchild.code == 0, grandchild.err
    parts = result.sql(f"SELECT ancestor, first_step, last_step FROM lineage WHERE trial = {first + 3} ORDER BY part")
    assert parts.fetchall() == [(0, 0, 59), (first, 60, 119), (first + 3, 120, None)]
    assert "forked: lr " in caviar("diary", str(first)).out
    told = caviar("diary", "0").out
    assert f"step 59: t{first} and t{first + 1} were forked from there; " in told, told
    assert f"step 39: t{first + 2} was forked from there" in caviar("diary", "1").out
    schedule: dict[str, Any] = {}
    exec(caviar("diary", str(first + 3), "--as-code").out, schedule)
    began = result.sql("SELECT lr FROM trials WHERE trial = 0").fetchall()[0][0]
    assert [schedule["config_at"](step)["lr"] for step in (0, 59, 60, 119, 120)] == [began] * 2 + [forked[0][2]] * 2 + [
        0.1
    ]
    assert json.loads(caviar("status", "--json").out)["planned"] == 6
    assert caviar("ls", "--json").out.count('"finished"') == 1
    more = caviar("resume", "--add", "1")
    assert more.code == 0, more.err
    assert result.sql("SELECT count(*), max(trial) FROM trials WHERE trial < 9").fetchall() == [(3, 2)]
    assert caviar("best", "--json").code == 0
    assert caviar("report", "-o", str(path.with_name("r.html"))).code == 0
    see_that_a_branch_that_trained_nothing_can_be_forked(store, result.id)


def see_that_a_branch_that_trained_nothing_can_be_forked(store: Path, sweep: str) -> None:
    """It goes on from where the branch would have."""
    opened_store = Store.open(store)
    found = opened_store.find(sweep)
    for to_step in (45, 30):
        roll_back(opened_store, found, 1, Wish(values={}), to_step=to_step, say=print)
    wish = ForkWish(branch=1, space={}, values={})
    with open_sweep(opened_store, found, print) as opened:
        assert [look_to_fork(opened, 1, replace(wish, branch=one))[2].step for one in (0, 1, 2)] == [59, 39, 19]
