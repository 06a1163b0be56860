"""What the display is told of the sweep."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from caviar.results.progress import ProgressReader
from caviar.run.engine.counters import Counters, Leader
from caviar.run.engine.ports import Ports
from caviar.run.engine.scheduler import Scheduler
from caviar.run.engine.trial_source import ResumeState, SampledTrials
from caviar.run.engine.trial_table import TrialTable
from caviar.run.engine.work import Work
from caviar.run.executors.inline import InlineExecutor
from caviar.run.run_progress import Readings, RunProgress
from caviar.search.samplers import make_sampler
from caviar.space import Float, Space
from caviar.spec.plan import Plan
from caviar.store import Store, SweepDir, Writer
from caviar_workers.messages import Program

from ..small_stores import add_digits, attempt_row, configs, curve, make_plan

CURVES = [[9.0, 9.0, 9.0, 9.0, 1.0], [0.5, 5.0, 5.0, 5.0, 5.0], [2.0, 2.0, 2.0, 2.0, 2.0]]
"""By trial: the first is the best at its end, the second was the best of all once, the third is it in the mean."""


def stored(tmp_path: Path, **plan: Any) -> tuple[Store, SweepDir, Plan]:
    made = Plan(name="x", metric="loss", mode="min", seed=0, space=Space({"x": Float(0, 1)}), **plan)
    store = Store.open(tmp_path / "store", create=True)
    return store, store.create_sweep({"plan": made.to_json()}, b""), made


@pytest.mark.parametrize(("slots", "running"), [(0, 0), (1, 1), (2, 2), (9, 3)])
def test_leases_that_wait_for_room_do_not_run(tmp_path: Path, slots: int, running: int) -> None:
    store, sweep, plan = stored(tmp_path, trials=5)
    trials = TrialTable(3)
    for lease in range(3):
        trials.submit(lease, Work(trials=(lease,), attempts=(0,), seeds=(0,), configs={}))
    scheduler: Any = SimpleNamespace(slots=slots, forked=0, lack="", trials=trials, counters=Counters("loss", "min"))
    before = ResumeState(failed=2, stopped=1)
    said = RunProgress(store, sweep, plan, already=3, before=before, curves=False).read(scheduler)
    assert (said.done, said.failed, said.stopped) == (3, 2, 1), "what earlier drivers saw counts"
    assert (said.running, said.no_room) == (running, slots == 0)


def train(config: Any, trial: Any) -> None:
    for step, loss in enumerate(CURVES[trial.number]):
        trial.report(step, loss=loss)


@pytest.mark.parametrize("curves", [False, True])
@pytest.mark.parametrize(
    ("rule", "best"),
    [
        ("last", [(0, 1.0), (2, 2.0), (1, 5.0)]),
        ("best", [(1, 0.5), (0, 1.0), (2, 2.0)]),
        ("smoothed", [(2, 2.0), (1, 4.1), (0, 7.4)]),
    ],
)
def test_trials_are_ranked_by_the_rule_of_the_sweep(
    tmp_path: Path, rule: Any, best: list[tuple[int, float]], curves: bool
) -> None:
    store, sweep, plan = stored(tmp_path, trials=3, rule=rule)
    program = Program(digest="d", train="train", functions={"train": train})
    source = SampledTrials(plan, make_sampler(plan.sampler, plan.space, plan.seed, plan.trials))
    executor = InlineExecutor(program)
    run_progress = RunProgress(store, sweep, plan, already=0, curves=curves)
    with run_progress, Writer(sweep, sweep.claim()) as writer:
        ports = Ports(executor=executor, sink=writer)
        scheduler = Scheduler(plan, sweep.id, source, ports, on_tick=lambda: said.append(run_progress.read(scheduler)))
        said: list[Any] = []
        assert scheduler.run() is None
    shown = run_progress.read(scheduler).best
    assert [(row.trial, row.value) for row in shown] == best
    assert all(row.config for row in shown)
    if curves:
        assert [list(row.curve or ()) for row in shown] == [CURVES[row.trial] for row in shown]
    executor.close()


def test_after_a_resume_the_best_of_earlier_drivers_are_shown(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store", create=True)
    sweep = store.find(add_digits(store))
    counters = Counters("val_loss", "min")
    scheduler: Any = SimpleNamespace(slots=1, forked=0, lack="", trials=TrialTable(1), counters=counters)
    with RunProgress(store, sweep, make_plan("digits", 8), already=8, curves=False) as run_progress:
        pass  # however soon it ends
    assert [row.trial for row in run_progress.read(scheduler).best] == [2, 1, 0, 5, 6]


class Slow(ProgressReader):
    """A reader that is told when a reading begins, and says when it may end."""

    begun = threading.Event()
    may_end = threading.Event()

    def read(self) -> Any:
        self.begun.set()
        assert self.may_end.wait(30)
        return super().read()


def test_nobody_waits_for_a_reading_and_none_comes_after_the_end(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store", create=True)
    plan = make_plan("slow", 4)
    sweep = store.create_sweep({"plan": plan.to_json()}, b"")
    with Writer(sweep, sweep.claim()) as writer:
        writer.add("configs", configs(plan, 4))
        readings = Readings(Slow(store, sweep), again=True)
        readings.start()
        assert Slow.begun.wait(30)
        assert readings.newest is None, "one that is not finished is not shown"
        writer.add("curves", curve(1))
        writer.add("attempts", attempt_row(1, "COMPLETED"))
        writer.flush()
        Slow.may_end.set()
        readings.stop(read=True)
        assert readings.newest is not None
        assert readings.newest.done == 1, "what was published before the end is read"
        writer.add("attempts", attempt_row(2, "COMPLETED"))
        writer.flush()
        assert "progress" not in [thread.name for thread in threading.enumerate()]
    assert readings.newest.done == 1


def test_an_error_ends_the_readings_at_once(tmp_path: Path) -> None:
    store, sweep, plan = stored(tmp_path, trials=3)
    run_progress = RunProgress(store, sweep, plan, already=0, curves=True)
    with pytest.raises(KeyboardInterrupt), run_progress:
        raise KeyboardInterrupt
    assert "progress" not in [thread.name for thread in threading.enumerate()]


def test_no_trial_is_called_the_best_while_those_of_earlier_drivers_are_not_known(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store", create=True)
    sweep = store.find(add_digits(store))
    counters = Counters("val_loss", "min")
    counters.leaders.append(Leader(7, 9.0, {}))
    scheduler: Any = SimpleNamespace(slots=1, forked=0, lack="", trials=TrialTable(1), counters=counters)
    run_progress = RunProgress(store, sweep, make_plan("digits", 9), already=8, curves=False)
    assert run_progress.read(scheduler).best == ()
    with run_progress:
        pass
    assert run_progress.read(scheduler).best[0].trial == 2
