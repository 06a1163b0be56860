"""A small sweep to hand over: one trial failed, one diverged, one was stopped, one is paused, one was edited."""

import pytest

from caviar import Result
from caviar.store import Store, Writer
from caviar.store.finalize import finalize

from ..small_stores import DIVERGED, FAILED, STEPS, TRACEBACK, attempt_row, configs, curve, decision, log_row, make_plan

EDITED, STOPPED, PAUSED, RUNNING = 1, 5, 6, 7


@pytest.fixture(scope="session")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Result:
    place = tmp_path_factory.mktemp("export") / "store"
    store = Store.open(place, create=True)
    plan = make_plan("digits/1", 8)
    sweep = store.create_sweep({"plan": plan.to_json(), "provenance": {"host": "box"}}, b"")
    states = {FAILED: "FAILED", STOPPED: "STOPPED", PAUSED: "PAUSED", RUNNING: "LOST"}
    with Writer(sweep, epoch := sweep.claim()) as writer:
        writer.add("configs", configs(plan, 8))
        for trial in range(8):
            steps = STEPS if trial <= DIVERGED and trial != FAILED else 7
            failure = {"kind": "error", "error": TRACEBACK} if trial == FAILED else {}
            writer.add("curves", curve(trial, 0, steps))
            writer.add("attempts", attempt_row(trial, states.get(trial, "COMPLETED"), 0, steps, **failure))
        writer.add("decisions", decision(0, EDITED, "edit", step=4, numbers='{"set": {"lr": 0.5}}'))
        writer.add("logs", log_row(2, 0, "epoch 0\n"))
    finalize(sweep, epoch)
    return Result(place)
