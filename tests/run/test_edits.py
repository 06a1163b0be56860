"""Edits from another shell: taken while a trial trains, kept through kill -9, refused in clear words."""

import json
import os
import signal
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from caviar import Result
from caviar.errors import SpecError
from caviar.results.edits import standing
from caviar.results.open_sweep import open_sweep
from caviar.run.acts import Wish, roll_back
from caviar.run.engine.trial_source import SampledTrials
from caviar.search.samplers import make_sampler
from caviar.space import Float, Int, Space
from caviar.spec.plan import Plan
from caviar.store import Store, SweepDir, Writer
from caviar.store.requests import Asked

from .conftest import Caviar, Driver, Write

EXPERIMENT = """
    import time
    from pathlib import Path

    from caviar import Float, Sweep


    def train(config, trial):
        trial.load()
        for step in range(trial.start, 100_000):
            time.sleep(0.01)
            trial.report(step, loss=1 / (step + 1), rate=config["lr"])
            if step % 20 == 19:
                trial.save(step, b"")
            if step >= trial.start + 60 and Path(__file__).with_name("enough").exists():
                return


    space = {"lr": Float(1e-4, 1.0, scale="log", live=True), "units": 32}
    sweep = Sweep(train, space, metric="loss", trials=1)
"""


INLINE = "from tests.run.inline_driver import inline; inline()"


def rates(store: Path) -> list[tuple[Any, ...]]:
    """Step and rate of the row before each change of the rate, and of that after it, by attempt."""
    rows = Result(store).sql("SELECT step, rate FROM _curves ORDER BY _row").fetchall()
    return [pair for before, after in pairwise(rows) if before[1] != after[1] for pair in (before, after)]


def decided(store: Path, action: str) -> list[tuple[int, Any, Any, dict[str, Any]]]:
    rows = Result(store).sql(f"SELECT n, attempt, step, numbers FROM decisions WHERE action = '{action}' ORDER BY n")
    return [(n, attempt, step, json.loads(numbers)) for n, attempt, step, numbers in rows.fetchall()]


def wait_for(driver: Driver, rows: int, which: str = "true") -> None:
    """Wait until the store has so many of the rows."""
    deadline = time.monotonic() + 120
    sql = f"SELECT count(*) FROM curves WHERE {which}"
    while not list(driver.store.glob("sweep=*")) or Result(driver.store).sql(sql).fetchall()[0][0] < rows:
        assert driver.process.poll() is None, driver.process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.fixture
def driver(store: Path, write: Write) -> Iterator[Driver]:
    """The experiment in a process of its own, which trains itself, without Ray."""
    keeps = EXPERIMENT.replace("trials=1)", "trials=1, keep_checkpoints=999)")
    driver = Driver(write(keeps), address=None, store=store, first=INLINE)
    yield driver
    if driver.process.poll() is None:
        driver.signal(signal.SIGKILL)
    driver.process.communicate()


@pytest.mark.usefixtures("inline")
def test_an_edit_is_taken_while_the_trial_trains_and_holds_after_the_driver_was_killed(
    driver: Driver, tmp_path: Path, caviar: Caviar, store: Path
) -> None:
    wait_for(driver, 1)

    first = caviar("edit", "0", "lr=0.01", "--why", "too large")
    wait_for(driver, 1, "rate = 0.01")
    half = caviar("edit", "0", "lr=*0.5", "--json")
    wait_for(driver, 1, "rate = 0.005")
    for words, why in (
        (["0", "lr=3"], "lr=3 is outside 0.0001 … 1: nothing was changed"),
        (["0", "units=64"], "units is not live"),
        (["0", "lrr=64"], "did you mean 'lr'?"),
        (["0", "lr=0.005"], "nothing changes: lr is 0.005 already"),
        (["0", "lr=0.1", "--at-step", "0"], "is past step 0"),
    ):
        refused = caviar("edit", *words)
        assert refused.code == 2
        assert why in refused.err
    assert caviar("edit", "7", "lr=0.5").code == 4
    wait_for(driver, 30, "rate = 0.005")
    driver.signal(signal.SIGKILL)
    driver.process.communicate()
    later = caviar("edit", "0", "lr=*2")
    (tmp_path / "code" / "enough").touch()
    resumed = caviar("resume")

    assert first.code == half.code == later.code == 0, (first.err, half.err, later.err)
    assert "lr" in first.out
    assert "→ 0.01 after step" in first.out
    document = json.loads(half.out)
    assert (document["changes"], document["taken"]) == ({"lr": [0.01, 0.005]}, True)
    assert "takes it when its sweep is resumed" in later.err
    assert resumed.code == 0, resumed.err
    edits, applied = decided(store, "edit"), decided(store, "applied")
    assert [numbers["set"]["lr"] for *_, numbers in edits] == [0.01, 0.005, 0.01]
    assert edits[0][3]["why"] == "too large"
    assert edits[0][3]["before"].keys() == {"loss", "rate"}
    assert [numbers["edit"] for *_, numbers in applied] == [n for n, *_ in edits]
    found = rates(store)
    assert [rate for _, rate in found[1:]] == [0.01, 0.01, 0.005, 0.005, 0.01]
    assert [step for step, _ in found[::2]] == [step for _, _, step, _ in applied]
    said = caviar("diary", "0").out
    assert "→ 0.01; “too large”; " in said
    assert ", better" in said
    assert [one["after"] for one in json.loads(caviar("diary", "0", "--json").out)["entries"]] == [
        step for _, _, step, _ in applied
    ]
    table = Result(store).sql("SELECT lr FROM trials").fetchall()
    assert table[0][0] == found[0][1], "the view trials shows the first value"


def test_edits_and_notes_of_sweeps_that_nobody_runs(inline: None, write: Write, caviar: Caviar, store: Path) -> None:
    path = write(EXPERIMENT)
    path.with_name("enough").touch()
    assert caviar("run", path).code == 0
    before = store.stat()

    late = caviar("edit", "0", "lr=*0.5")
    note = caviar("note", "0", "a good start")
    assert (late.code, note.code) == (2, 0), note.err
    assert "trial 0 is COMPLETED, and only one that has not ended can be edited" in late.err
    (found,) = decided(store, "note")
    assert (found[2], found[3]["text"]) == (60, "a good start")
    assert "@" in found[3]["who"]
    for words in (" ", "caf\udce9", "a\0b", "x" * 10_001):
        assert caviar("note", "0", words).code == 2
    assert len(decided(store, "note")) == 1
    assert caviar("ls", "--json").out.count('"finished"') == 1
    assert len(list(store.glob("sweep=*/decisions/*.parquet"))) == 1
    assert caviar("store", "check").code == 0
    assert before.st_ino == store.stat().st_ino


@pytest.fixture
def waiting(store: Path) -> SweepDir:
    """A sweep whose one trial has not begun, and that nobody runs."""
    space = Space({"lr": Float(1e-4, 1.0, scale="log", live=True), "units": Int(1, 64, live=True), "depth": Int(1, 9)})
    plan = Plan(name="s", metric="loss", mode="min", trials=1, seed=0, space=space)
    sweep = Store.open(store, create=True).create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
    epoch = sweep.claim()
    with Writer(sweep, epoch, sealing=True) as writer:
        configs = SampledTrials(plan, make_sampler("sobol", space, 0, 1)).draw()
        assert configs is not None
        writer.add("configs", configs)
    sweep.release(epoch)
    return sweep


def test_the_schedule_as_code_says_for_each_step_what_the_fold_says(
    waiting: SweepDir, caviar: Caviar, store: Path
) -> None:
    for words in ("--at-step 9999999999999999999", "--over 99999999999999999999999999", "lr=0.2"):
        assert caviar("edit", "0", "lr=0.1", *words.split()).code == 2
    assert "but got '1000" in caviar("edit", "0", f"units={10**400}").err
    with pytest.raises(SpecError, match="a number of many digits is outside"):
        Result(store).edit(0, units=10**400)
    for words, why in (
        ("depth=3", "depth is not live, as Float(…, live=True) is, so train does not look at it; --now lets it"),
        ("depth=3 --now --over 4", "depth is not live, so it cannot change bit by bit"),
        ("depth=30 --now", "depth=30 is outside 1 … 9"),
    ):
        refused = caviar("edit", "0", *words.split())
        assert (refused.code, why in refused.err) == (2, True), refused.err
    assert Result(store).diary(np.int64(0)).entries == ()
    assert "half a character" in caviar("edit", "0", "lr=0.1", "--why", "caf\udce9").err
    for words in (
        "units=9",
        "lr=0.5 --at-step 3",
        "lr=/7 --over 9 --at-step 5",
        "units=60 --over 4 --at-step 8",
        "depth=2 --now",
    ):
        assert caviar("edit", "0", *words.split()).code == 0
    code = caviar("diary", "0", "--as-code").out
    told: dict[str, Any] = {}
    exec(code, told)
    with open_sweep(Store.open(store), waiting, print) as opened:
        now = standing(opened, 0)
    assert [one.restart for one in now.changes] == [False, True, False, False, False]
    for step in range(25):
        assert told["config_at"](step) == now.config(step)
    said = caviar("diary", "0")
    assert "lr 0.5 → 0.07143 over 9 steps; not taken yet" in said.out
    assert caviar("edit", "0", "lr=*2", "--at-step", "5").code == 0, "a ramp ahead can be changed ahead"


def test_python_edits_and_reads_the_diary_as_the_verbs_do(waiting: SweepDir, store: Path) -> None:
    result = Result(store)
    with pytest.raises(SpecError, match="lr=7 is outside"):
        result.edit(0, lr=7)
    with pytest.raises(SpecError, match="whole number from 0"):
        result.edit("0", lr=0.1)  # type: ignore[arg-type]
    done = result.edit(0, lr="*0.5", why="too large")
    result.note(0, "well")
    first, second = result.diary(0).entries
    assert (done.taken, first.text, second.text) == (False, "too large", "well")
    assert first.changes["lr"] == done.changes["lr"]


def test_a_driver_that_ends_before_it_takes_an_edit_leaves_nothing_of_it(
    waiting: SweepDir, caviar: Caviar, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting.claim()
    lives = iter([True, True])
    monkeypatch.setattr(SweepDir, "owner_alive", lambda _: next(lives, False))
    monkeypatch.setattr(Asked, "lives", lambda *_: next(lives, False))

    gone = caviar("edit", "0", "lr=*0.5")

    assert gone.code == 1
    assert "the driver ended before it took this: nothing was changed" in gone.err
    assert decided(store, "edit") == []
    assert os.listdir(Path(str(waiting.path)) / "_requests") == []


def test_a_finished_trial_is_rolled_back_and_goes_on_with_other_values(
    inline: None, write: Write, caviar: Caviar, store: Path, tmp_path: Path
) -> None:
    source = EXPERIMENT.replace('rate=config["lr"]', 'rate=config["lr"], units=config["units"], branch=trial.branch')
    path = write(source.replace('"units": 32', '"units": Int(1, 64)').replace("import Float", "import Float, Int"))
    path.with_name("enough").touch()
    assert caviar("run", path).code == 0
    before = rates_by_step(store)
    for words, why in (
        (["--to-step", "5"], "no checkpoint at or before 5; there are 39, 59: nothing was changed"),
        (["--to-step", "500"], "is at step 60, and is rolled back to a step before that"),
        (["--to-step", "45", "units=99"], "units=99 is outside 1 … 64"),
        (["--to-step", "45", "seed=1"], "there is no parameter 'seed'"),
    ):
        refused = caviar("rollback", "0", *words)
        assert (refused.code, why in refused.err) == (2, True), refused.err
    assert decided(store, "rollback") == []

    back = caviar("rollback", "0", "--to-step", "45", "lr=*0.5", "units=7", "--why", "spike")

    assert back.code == 0, back.err
    assert "trial 0 goes on from step 39" in back.err
    after = rates_by_step(store)
    assert after[:40] == before[:40], "what is before the checkpoint stays as it is"
    assert [(rate, units, branch) for _, rate, units, branch in after[40:]] == [(before[0][1] / 2, 7, 1)] * 61
    assert [step for step, *_ in after] == list(range(101))
    result = Result(store)
    assert [row[0] for row in result.sql("SELECT cause FROM attempts ORDER BY attempt").fetchall()] == [
        "first",
        "rollback",
    ]
    assert "step 39: back to there, lr " in caviar("diary", "0").out
    sql = "SELECT _branch, _living, count(*), max(rate) FROM branches GROUP BY ALL ORDER BY 1, 2"
    rate = before[0][1]
    assert result.sql(sql).fetchall() == [(0, False, 21, rate), (0, True, 40, rate), (1, True, 61, rate / 2)]
    saved = sorted(one.name[:24] for one in store.glob("sweep=*/_checkpoints/0/*"))
    assert saved == [f"{attempt:04d}-{step:019d}" for attempt, step in ((0, 39), (0, 59), (1, 79), (1, 99))]

    again = caviar("rollback", "0", "--to-step", "60")
    once_more = caviar("rollback", "0", "--to-step", "39")
    assert (again.code, once_more.code) == (0, 0)
    assert "1 change after step 39 holds no more" in again.err
    assert [one["undone"] for one in json.loads(caviar("diary", "0", "--json").out)["entries"]] == [True, False, False]
    assert "; undone by a rollback; " in caviar("diary", "0").out
    assert "nothing changes: a deterministic train repeats itself" in once_more.err
    assert [row[:3] for row in rates_by_step(store)] == [(step, *before[0][1:3]) for step in range(101)]
    assert caviar("store", "check").code == 0


def rates_by_step(store: Path) -> list[tuple[Any, ...]]:
    return Result(store).sql("SELECT step, rate, units, branch FROM _curves ORDER BY _row").fetchall()


@pytest.mark.usefixtures("inline")
def test_the_final_test_of_a_winner_that_was_edited_gets_what_held_at_its_checkpoint(
    write: Write, caviar: Caviar, store: Path
) -> None:
    final = """

    def final(config, trial):
        return {"rate": config["lr"], "saved": trial.load().step}


    space"""
    source = EXPERIMENT.replace("\n\n    space", final).replace("trials=1)", "trials=1, final=final)")
    path = write(source)
    path.with_name("enough").touch()
    path.write_text(path.read_text().replace('return {"rate"', 'raise ValueError("not yet")\n    return {"rate"'))
    assert caviar("run", path).code != 0
    opened = Store.open(store)
    sweep = opened.sweeps()[0]
    roll_back(opened, sweep, 0, Wish(values={"lr": 0.25}), to_step=39, say=print)
    path.write_text(path.read_text().replace('raise ValueError("not yet")', "pass"))
    resumed = caviar("resume", "--force")
    assert resumed.code == 0, resumed.err
    found = json.loads(caviar("best", "--json").out)
    assert found["trials"][0]["trial"] == 0
    assert Result(store).final["rate"] == 0.25
    assert "caviar diary" in caviar("best").err


@pytest.mark.usefixtures("inline")
def test_a_rollback_holds_where_the_driver_dies_before_it_goes_on(write: Write, caviar: Caviar, store: Path) -> None:
    path = write(EXPERIMENT)
    path.with_name("enough").touch()
    assert caviar("run", path).code == 0
    opened = Store.open(store)
    sweep = opened.sweeps()[0]
    roll_back(opened, sweep, 0, Wish(values={"lr": 0.5}), to_step=39, say=print)
    assert caviar("ls", "--json").out.count('"interrupted"') == 1
    resumed = caviar("resume")
    assert resumed.code == 0, resumed.err
    rows = Result(store).sql("SELECT step, attempt, rate FROM _curves ORDER BY _row").fetchall()
    assert [row[:2] for row in rows] == [*((step, 0) for step in range(40)), *((step, 1) for step in range(40, 101))]
    assert {rate for _, attempt, rate in rows if attempt} == {0.5}
