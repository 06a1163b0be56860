"""The scheduler, unchanged, on virtual workers: schedules of days in seconds, the same every time."""

import time
from collections.abc import Iterator
from math import inf
from typing import Any

import pytest
from tests.run.engine.tables import Tables

from caviar.run.engine.ports import Ports
from caviar.run.engine.scheduler import Scheduler
from caviar.run.engine.trial_source import SampledTrials
from caviar.run.executors.simulated import Course, SimulatedDeathError, SimulatedExecutor, Stage
from caviar.search.samplers import make_sampler
from caviar.space import Float, Space
from caviar.spec.plan import Plan

SPACE = Space({"lr": Float(1e-4, 1.0, scale="log")})
DAY_S = 86_400.0


def play(course: Course, trials: int, *, workers: int, **given: Any) -> tuple[Tables, SimulatedExecutor, Scheduler]:
    plan = Plan(name="s", metric="loss", mode="min", trials=trials, seed=0, space=SPACE, **given)
    executor = SimulatedExecutor(course, workers=workers)
    sink = Tables()
    supply = SampledTrials(plan, make_sampler(plan.sampler, SPACE, 0, trials))
    loop = Scheduler(plan, "sweep", supply, Ports(executor=executor, sink=sink, clock=executor.clock), round_s=inf)
    loop.run()
    return sink, executor, loop


def days(config: dict[str, Any], trial: Any) -> Iterator[Stage]:
    """Twenty epochs; between one and two days, by the learning rate."""
    for step in range(20):
        yield DAY_S / 20 * (1 + config["lr"]), step, {"loss": config["lr"] / (step + 1)}


def test_a_month_of_eight_workers_passes_in_seconds_and_none_of_them_idles() -> None:
    began = time.monotonic()
    sink, executor, loop = play(days, 80, workers=8)

    assert time.monotonic() - began < 30
    assert loop.counters.completed == 80
    assert len(sink.rows["curves"]) == 80 * 20
    work = sum(row["busy"] for row in sink.ended("COMPLETED"))
    assert work / 8 <= executor.clock.time() <= work / 8 + 2 * DAY_S  # the last ones end within one trial


def test_the_same_schedule_twice_gives_the_same_rows_at_the_same_times() -> None:
    once, again = (play(days, 30, workers=3)[0].rows for _ in range(2))

    assert once == again


def test_short_trials_are_packed_and_the_slots_stay_busy() -> None:
    leases: list[int] = []

    def short(config: dict[str, Any], trial: Any) -> Iterator[Stage]:
        yield 0.01, 0, {"loss": 1.0}

    class Counting(SimulatedExecutor):
        def submit(self, lease: Any) -> None:
            leases.append(len(lease.trials))
            super().submit(lease)

    plan = Plan(name="s", metric="loss", mode="min", trials=8_000, seed=0, space=SPACE)
    executor = Counting(short, workers=4, startup_s=0.005)
    supply = SampledTrials(plan, make_sampler(plan.sampler, SPACE, 0, plan.trials))
    Scheduler(plan, "sweep", supply, Ports(executor=executor, sink=Tables(), clock=executor.clock), round_s=inf).run()

    assert sum(leases) == 8_000
    assert executor.clock.time() <= 1.03 * 8_000 * 0.01 / 4
    assert max(leases) in range(500, 1001)


def test_a_trial_ends_at_its_timeout_to_the_second() -> None:
    def slow(config: dict[str, Any], trial: Any) -> Iterator[Stage]:
        yield (10 * DAY_S if trial.number == 1 else 60.0), 0, {"loss": 1.0}

    sink, executor, loop = play(slow, 3, workers=1, trial_timeout=3600.0)

    (failed,) = sink.ended("FAILED")
    assert (failed["trial"], failed["kind"]) == (1, "timeout")
    assert executor.clock.time() == pytest.approx(60 + 3600 + 60, abs=2)
    assert loop.counters.completed == 2


def test_when_processes_die_at_random_every_trial_still_ends_once_and_no_mate_is_charged() -> None:
    def mortal(config: dict[str, Any], trial: Any) -> Iterator[Stage]:
        for step in range(4):
            if (trial.number, trial.attempt, step) in {(3, 0, 2), (17, 0, 0), (17, 1, 3), (40, 0, 1)} or (
                trial.number == 25 and step == 1
            ):
                raise SimulatedDeathError
            yield 0.05, step, {"loss": 1.0}

    sink, _, loop = play(mortal, 60, workers=4)

    completed = sink.ended("COMPLETED")
    assert sorted(row["trial"] for row in completed) == [trial for trial in range(60) if trial != 25]
    assert [row["trial"] for row in sink.ended("FAILED")] == [25]
    assert {row["trial"] for row in sink.ended("LOST")} >= {3, 17, 25, 40}
    ends = [(row["trial"], row["attempt"]) for row in sink.rows["attempts"] if row["ended"]]
    assert len(ends) == len(set(ends))
    assert loop.counters.ended == 60


def test_a_stop_in_virtual_time_ends_what_runs_after_its_grace() -> None:
    def stopping(config: dict[str, Any], trial: Any) -> Iterator[Stage]:
        if trial.number == 4:
            loops[0].stop()
        yield DAY_S, 0, {"loss": 1.0}

    plan = Plan(name="s", metric="loss", mode="min", trials=50, seed=0, space=SPACE)
    executor = SimulatedExecutor(stopping, workers=2)
    supply = SampledTrials(plan, make_sampler(plan.sampler, SPACE, 0, 50))
    sink = Tables()
    loops = [Scheduler(plan, "sweep", supply, Ports(executor=executor, sink=sink, clock=executor.clock), round_s=inf)]
    loops[0].run()

    assert executor.clock.time() == pytest.approx(2 * DAY_S + 1.5, abs=0.1)
    assert loops[0].counters.completed == 4
    assert {row["trial"] for row in sink.ended("LOST")} == {4, 5}


@pytest.mark.parametrize("most", [2, None])
def test_a_sweep_wants_what_is_left_of_it_and_is_scaled_while_it_runs(most: int | None) -> None:
    seen: list[tuple[int, int, int]] = []

    def look() -> None:
        seen.append((loop.counters.completed, len(loop.trials.leases), loop.wanted))
        if loop.counters.completed >= 10:
            loop.most = 6

    plan = Plan(name="s", metric="loss", mode="min", trials=40, seed=0, space=SPACE, concurrency=most)
    executor = SimulatedExecutor(days, workers=8)
    supply = SampledTrials(plan, make_sampler(plan.sampler, SPACE, 0, 40))
    ports = Ports(executor=executor, sink=Tables(), clock=executor.clock)
    loop = Scheduler(plan, "sweep", supply, ports, round_s=inf, on_tick=look)
    loop.run()

    assert seen[0] == ((0, 2, 2) if most else (0, 16, 40))
    assert max(leases for completed, leases, _ in seen if completed >= 20) == 6
    assert all(wanted == min(6, 40 - completed) for completed, _, wanted in seen if completed >= 20)
