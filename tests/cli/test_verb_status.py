import json
from datetime import UTC, datetime

import pytest

from caviar.store import Store

from ..small_stores import add_paused


def test_a_finished_sweep(caviar, filled):
    got = caviar("status", "digits", "--store", filled.path)
    assert got.lines == [
        f"digits ({filled.digits}) is finished",
        "trials    8/8 done: 7 completed, 1 failed",
        "time      10s since 2026-11-23 04:12:33 UTC",
        "best      t2  val_loss 0.07237  (last val_loss, 6 completed trials at step 19)",
        got.lines[4],
        "diverged  1 trial reported NaN or infinity",
        "failed    1 trial (error): ValueError: no such layer",
        f"          see: caviar show --store {filled.path} {filled.digits} 3",
    ]
    assert got.lines[4].startswith("          lr=")


def test_an_interrupted_sweep_says_how_to_go_on(caviar, filled):
    got = caviar("status", "later", "--store", filled.path)
    assert got.lines[0] == f"later ({filled.later}) is interrupted"
    assert "2/4 done" in got.out
    assert got.lines[-1] == f"go on     caviar resume --store {filled.path} {filled.later}"


def test_trials_that_were_not_drawn_are_pending(caviar, fresh):
    document = json.loads(caviar("status", "--store", fresh.path, "--json").out)
    assert document["counts"]["PENDING"] == 4
    assert document["best"] is None
    assert document["began"] is None


@pytest.mark.parametrize("runs", [True, False])
@pytest.mark.parametrize("words", [("best",), ("best", "--family"), ("status",)], ids=" ".join)
def test_a_value_may_come_yet_only_while_the_sweep_runs(caviar, fresh, words, runs):
    sweep = Store.open(fresh.path).find()
    epoch = sweep.claim() if runs else 0
    got = caviar(*words, "--store", fresh.path)
    assert "usable val_loss" in got.out + got.err
    assert ("usable val_loss yet" in got.out + got.err) == runs
    if runs:
        sweep.release(epoch)


def test_paused_trials_and_those_cancelled_before_they_were_drawn(caviar, tmp_path):
    store = Store.open(tmp_path / "store", create=True)
    add_paused(store)
    counts = json.loads(caviar("status", "--store", store.path, "--json").out)["counts"]
    found = {state: n for state, n in counts.items() if n}
    assert found == {"COMPLETED": 1, "PAUSED": 1, "CANCELLED": 1, "PENDING": 1}
    assert caviar("status", "--store", store.path).lines[1] == (
        "trials    2/4 done: 1 completed, 1 cancelled, 1 paused, 1 pending"
    )


def test_json(caviar, filled):
    document = json.loads(caviar("status", "digits", "--store", filled.path, "--json").out)
    assert document["counts"]["COMPLETED"] == 7
    assert document["best"]["trial"] == 2
    assert document["failures"][0]["kind"] == "error"
    assert document["began"] == "2026-11-23T04:12:33"


def test_what_runs_took_so_long_until_now(caviar, filled):
    def took():
        status = json.loads(caviar("status", "later", "--store", filled.path, "--json").out)["took_s"]
        listed = json.loads(caviar("ls", "later", "--store", filled.path, "--json").out)["sweeps"][0]["took_s"]
        return round(status), round(listed)

    assert took() == (4, 4)
    sweep = Store.open(filled.path).find("later")
    epoch = sweep.claim()
    began = datetime(2026, 11, 23, 4, 12, 33, tzinfo=UTC)
    assert min(took()) > 100_000
    assert max(took()) == pytest.approx((datetime.now(UTC) - began).total_seconds(), abs=86_400)
    sweep.release(epoch)
