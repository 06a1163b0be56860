"""Acts that cannot be: a word that says why and what to type, an exit code, and nothing changed."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from caviar import Result
from caviar.errors import CaviarError
from caviar.results.edits import Edit, standing
from caviar.results.open_sweep import open_sweep
from caviar.run import acts
from caviar.store import Store, Writer
from caviar.store.requests import ask_to_act

from ..small_stores import attempt_row, configs, curve, decision, make_plan
from .conftest import MAIN, Caviar, Driver, Write
from .mortal_driver import Living
from .test_act_crashes import PLAN

EXPERIMENT = """
    import time

    from caviar import Choice, Constant, Float, Int, Sweep


    def train(config, trial):
        trial.load()
        for step in range(trial.start, config["until"]):
            time.sleep(config["pause"])
            trial.report(step, loss=1 / (step + 1), rate=config["lr"])
            if step % 4 == 3:
                trial.save(step, b"")


    space = {
        "lr": Float(0.01, 1.0, scale="log", live=True),
        "until": Int(1, 100_000),
        "units": Int(1, 64),
        "kind": Choice(["a", "b"], live=True),
        "pause": PAUSE,
        "seed": Int(1, 9),
    }
    first = [{"lr": 0.1, "until": UNTIL, "units": 8, "kind": "a", "seed": 3}]
    sweep = Sweep(train, space, metric="loss", trials=1, first=first)
"""

REFUSED = (
    ("edit 0 lr=0.5", 2, "trial 0 is COMPLETED, and only one that has not ended can be edited"),
    ("edit 0", 2, "A trial and what becomes of it"),
    ("edit 9 lr=0.5", 4, "has no trial 9"),
    ("edit 0 lr=0.5 lr=0.2", 2, "one is named twice"),
    ("rollback 0 --to-step 10", 2, "step 10 is on branch 0, which was left at 7: caviar fork"),
    ("rollback 0 --to-step 50", 2, "is at step 8, and is rolled back to a step before that: nothing was changed"),
    ("rollback 0 --to-step 2", 2, "no checkpoint at or before 2; there are 7: nothing was changed"),
    ("rollback 0 --to-step 7 lrr=0.5", 2, "there is no parameter 'lrr'; did you mean 'lr'?: nothing was changed"),
    ("rollback 0 --to-step 7 lr=7", 2, "lr=7 is outside 0.01 … 1: nothing was changed"),
    ("rollback 0 --to-step 7 lr=nan", 2, "lr"),
    ("rollback 0 --to-step 7 units=3.5", 2, "units"),
    ("rollback 0 --to-step 7 kind=c", 2, "kind"),
    ("rollback 0 --to-step 7 kind=a", 2, "nothing changes: kind is 'a' already"),
    ("rollback 0 --to-step -1", 2, "--to-step"),
    ("rollback 9 --to-step 7", 4, "has no trial 9"),
    ("rollback 0 --to-step 7 lr=hello", 2, "give its value, or what becomes of it, such as lr=*0.5;"),
    ("fork 0 --space lr=0.02:0.2", 2, "lr is drawn from numbers, such as lr=0.01..0.2 or lr=log:1e-4..1e-2, but got"),
    ("fork 0 --space units=1.5..3", 2, "units is drawn from whole numbers, such as units=1..8"),
    ("fork 0 --space lr=0.99..1.5", 2, "lr=1.5 is outside 0.01 … 1: nothing was changed"),
    ("fork 0 --space kind=a,c", 2, "kind: Choice has no option 'c'"),
    ("fork 0 --space nothing=1..2", 2, "there is no parameter 'nothing'"),
    ("fork 0 lr=0.2 --space lr=0.1..0.2", 2, "lr is given twice"),
    ("fork 0 --space lr=0.1..0.2 --space lr=0.1..0.3", 2, "one is named twice"),
    ("fork 0 -k 3 --space lr=0.5", 2, "3 forks with the same values would be alike"),
)


@pytest.mark.usefixtures("inline")
def test_what_cannot_be_is_told_and_nothing_is_changed(write: Write, caviar: Caviar, store: Path) -> None:
    assert caviar("run", write(EXPERIMENT.replace("UNTIL", "12").replace("PAUSE", "0"))).code == 0
    assert caviar("rollback", "0", "--to-step", "8", "until=9").code == 0
    result = Result(store)
    before = result.sql("SELECT count(*) FROM decisions").fetchall()

    for words, code, told in REFUSED:
        refused = caviar(*words.split())
        assert (refused.code, told in refused.err) == (code, True), (words, refused.err)
        assert refused.err.count("\n") <= 4, "one sentence"
    assert result.sql("SELECT count(*) FROM decisions").fetchall() == before
    assert result.sql("SELECT state FROM sweeps").fetchall() == [("finished",)]
    assert not list(store.glob("sweep=*/_requests/*"))


@pytest.mark.usefixtures("inline")
def test_forks_are_counted_and_told_as_what_they_are(write: Write, caviar: Caviar, store: Path) -> None:
    assert caviar("run", write(EXPERIMENT.replace("UNTIL", "12").replace("PAUSE", "0"))).code == 0
    words = "fork 0 --at-step 7 -k 2 seed=5 --space lr=0.1..0.2 --space units=2..9"
    forked = caviar(*words.split())
    assert (forked.code, "trial 1073741824, 1073741825 goes on from step 7 of trial 0" in forked.err) == (0, True)
    assert caviar("rollback", "0", "--to-step", "7").code == 0
    result = Result(store)
    assert result.sql("SELECT planned, completed FROM sweeps").fetchall() == [(3, 3)]
    assert "0 to 0, and 1073741824 to 1073741825, which were forked" in caviar("show", "1073741826").err
    configs = [result.diary(trial).config for trial in (1073741824, 1073741825)]
    assert all(one["config.seed"] == 5 and 0.1 <= one["lr"] <= 0.2 and type(one["units"]) is int for one in configs)
    assert caviar("fork", "0", "lr=0.3").code == 0, "from a checkpoint that its living branch goes back to"
    assert [entry.undone for entry in result.diary(1073741824).entries] == [False]


def test_what_is_asked_of_a_driver_that_is_dying_is_not_done(write: Write, caviar: Caviar, store: Path) -> None:
    path = write(EXPERIMENT.replace("UNTIL", "100_000").replace("PAUSE", "0.01"))
    driver = Driver(path, address=None, store=store, first="from tests.run.inline_driver import inline; inline()")
    try:
        until(lambda: list(store.glob("sweep=*")) and Result(store).sql("SELECT 1 FROM curves").fetchall())
        for words, told in (
            ("edit 0 units=9", "--now lets it begin again from its next checkpoint: nothing was changed"),
            ("edit 0 pause=0.5", "pause is not live"),
            ("edit 0 lrr=0.5", "did you mean 'lr'?: nothing was changed"),
            ("edit 0 lr=7", "lr=7 is outside 0.01 … 1: nothing was changed"),
            ("edit 0 kind=b --over 5", "kind is no number, so it cannot change bit by bit"),
            ("edit 0 lr=0.5 --at-step 0", "is past step 0"),
            ("edit 0 lr=*0", "lr=0 is outside"),
            ("edit 0 lr=/0", "is outside"),
        ):
            refused = caviar(*words.split())
            assert (refused.code, told in refused.err) == (2, True), (words, refused.err)
        driver.signal(signal.SIGSTOP)
        command = [sys.executable, "-c", MAIN, "edit", "0", "lr=0.5", "--store", str(store)]
        with ThreadPoolExecutor() as pool:
            asked = pool.submit(subprocess.run, command, capture_output=True, text=True, check=False, timeout=120)
            until(lambda: list(store.glob("sweep=*/_requests/*")))
            driver.signal(signal.SIGKILL)
            driver.process.communicate()
            late = asked.result()
    finally:
        if driver.process.poll() is None:
            driver.signal(signal.SIGKILL)
            driver.process.communicate()
    assert late.returncode == 1
    assert "the driver ended before it took this: nothing was changed" in late.stderr
    assert Result(store).sql("SELECT count(*) FROM decisions WHERE action = 'edit'").fetchall() == [(0,)]
    assert os.listdir(next(store.glob("sweep=*/_requests"))) == []


def until(found: object) -> None:
    deadline = time.monotonic() + 120
    while not found():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_who_asked_a_driver_that_is_gone_does_not_wait_for_its_successor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another shell resumed the sweep before this one had looked again: what was asked is for nobody."""
    living = Living(monkeypatch)
    sweep = Store.open(tmp_path / "store", create=True).create_sweep({"plan": PLAN.to_json(), "provenance": {}}, b"")
    living.epoch = sweep.claim()
    request = ask_to_act(sweep, action="edit", trial=0, token="x", act="{}")
    living.epoch = 0
    living.epoch = sweep.claim()
    assert sweep.owner_alive()
    with pytest.raises(CaviarError, match="the driver ended before it took this: nothing was changed"):
        acts._answer(Store.open(tmp_path / "store"), sweep, request, "x", print)
    assert not request.file.exists()  # type: ignore[attr-defined]


def test_who_edits_a_paused_trial_is_told_so_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    living, plan = Living(monkeypatch), make_plan("digits", 1)
    store = Store.open(tmp_path / "store", create=True)
    sweep = store.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
    living.epoch = sweep.claim()
    with Writer(sweep, living.epoch) as writer:
        writer.add("configs", configs(plan, 1))
        writer.add("curves", curve(0))
        writer.add("decisions", decision(0, 0, "pause", decided_by="user", numbers="{}"))
        writer.add("attempts", attempt_row(0, "PAUSED"))
    with open_sweep(store, sweep, print) as opened:
        now = standing(opened, 0)
    edit = Edit(old={"lr": 1.0}, new={"lr": 0.5}, asked={}, scales={}, at_step=None, over=0)
    monkeypatch.setattr(acts, "LOOK_S", 1e9)
    told = acts._awaited(store, sweep, now, edit, 1, print, acts.TAKES_S)
    assert (told.taken, told.warnings) == (False, ("trial 0 takes it when it goes on, by caviar continue",))
