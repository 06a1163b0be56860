"""What the display is told of the sweep."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from caviar.drive.gauge import Gauge
from caviar.plan import Plan
from caviar.schedule.counters import Counters
from caviar.schedule.leases import Work
from caviar.schedule.trial_source import ResumeState
from caviar.schedule.trial_table import TrialTable
from caviar.space import Float, Space
from caviar.store import Store


@pytest.mark.parametrize(("slots", "running"), [(0, 0), (1, 1), (2, 2), (9, 3)])
def test_leases_that_wait_for_room_do_not_run(tmp_path: Path, slots: int, running: int) -> None:
    plan = Plan(name="x", metric="loss", mode="min", trials=5, seed=0, space=Space({"x": Float(0, 1)}))
    store = Store.open(tmp_path / "store", create=True)
    sweep = store.create_sweep({"plan": plan.to_json()}, b"")
    trials = TrialTable(3)
    for lease in range(3):
        trials.submit(lease, Work(trials=(lease,), attempts=(0,), seeds=(0,), configs={}), 0.0)
    scheduler: Any = SimpleNamespace(slots=slots, trials=trials, counters=Counters("loss", "min"))
    before = ResumeState(failed=2, stopped=1)
    said = Gauge(store, sweep, plan, already=3, before=before, curves=False).read(scheduler)
    assert (said.done, said.failed, said.stopped) == (3, 2, 1), "what earlier drivers saw counts"
    assert (said.running, said.no_room) == (running, slots == 0)
