"""What is said at the end of a sweep whose stop policy stopped nobody."""

import pytest

from caviar.results.nobody_stopped import why_nobody_stopped
from caviar.store import Store, Views, Writer

from ..small_stores import attempt_row, configs, curve, decision, make_plan


def said(store: Store, *, judged: bool, steps=20, busy=60.0, told=0, state="COMPLETED") -> str:
    plan = make_plan("swept", 3, stopping="asha:eta=3")
    sweep = store.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"")
    epoch = sweep.claim()
    with Writer(sweep, epoch) as writer:
        writer.add("configs", configs(plan, 3))
        for trial in range(3):
            writer.add("curves", curve(trial, 0, steps))
            if trial < told:
                writer.add("decisions", decision(trial, trial, "stop", decided_by="asha:eta=3", step=4))
            writer.add("attempts", attempt_row(trial, state if trial == 0 else "COMPLETED", 0, steps, busy=busy))
    sweep.release(epoch)
    with Views(store, [sweep]) as views:
        return why_nobody_stopped(views, "val_loss", "asha:eta=3", judged=judged)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store.open(tmp_path / "store", create=True)


def test_who_was_told_too_late_is_counted(store):
    told = "asha:eta=3 told 2 trials to stop, but they had ended by then: rows take a second to arrive"
    assert said(store, told=2, judged=True) == told
    assert said(store, told=1, state="STOPPED", judged=True) == "", "one was stopped"
    some = "asha:eta=3 told 2 trials to stop, but 1 of them had ended by then: rows take a second to arrive"
    assert said(store, told=2, state="STOPPED", judged=True) == some


def test_a_metric_that_comes_once_cannot_be_stopped_by(store):
    assert "trials reported val_loss once each" in said(store, steps=1, judged=False)
    assert "trials reported val_loss once each" in said(store, steps=1, judged=True)


def test_who_judged_nobody_is_told_why(store):
    assert said(store, judged=True) == ""
    assert "trials that end within a second" in said(store, busy=0.4, judged=False)
    assert "no curve came to a step" in said(store, busy=60.0, judged=False)
