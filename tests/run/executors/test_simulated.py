"""Virtual workers: when things happen, and what becomes of those that die."""

import time
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from caviar.run.executors.executor import Event, LeaseEnded, LeaseFailure, LeaseSpoke
from caviar.run.executors.simulated import Recorded, SimulatedDeathError, SimulatedExecutor, Stage
from caviar_workers.messages import Lease

INF = float("inf")


def lease(number: int, *trials: int) -> Lease:
    return Lease(
        id=number,
        sweep="s",
        metric="loss",
        trials=trials or (number,),
        attempts=(0,) * max(1, len(trials)),
        seeds=(0,) * max(1, len(trials)),
        configs={"lr": (0.5,) * max(1, len(trials))},
    )


def hours(config: dict[str, Any], trial: Any) -> Iterator[Stage]:
    """Trial i takes three steps of i + 1 hours."""
    for step in range(3):
        yield 3600.0 * (trial.number + 1), step, {"loss": 1.0}


def rows(events: list[Event], table: str) -> list[dict[str, Any]]:
    data = [getattr(event.batch, table) for event in events if isinstance(event, LeaseSpoke)]
    return [row for part in data if part for row in pa.ipc.open_stream(part).read_all().to_pylist()]


def all_events(executor: SimulatedExecutor, leases: int) -> list[Event]:
    events: list[Event] = []
    while sum(isinstance(event, LeaseEnded) for event in events) < leases:
        events += executor.poll(INF)
    return events


def test_two_workers_take_the_leases_in_order_and_the_clock_is_what_the_slowest_needs() -> None:
    executor = SimulatedExecutor(hours, workers=2)
    for number in range(3):
        executor.submit(lease(number))
    began = time.monotonic()
    ended = [event.lease for event in all_events(executor, 3) if isinstance(event, LeaseEnded)]

    assert ended == [0, 1, 2]
    assert executor.clock.time() == 3600 * (3 + 9)  # the first worker: trials 0 and 2
    assert time.monotonic() - began < 5


def test_reports_carry_the_virtual_time_and_come_at_it() -> None:
    executor = SimulatedExecutor(hours, workers=1)
    executor.submit(lease(0))

    first = executor.poll(1.0)  # that it runs
    assert [row["state"] for row in rows(first, "attempts")] == ["RUNNING"]
    assert executor.poll(3000.0) == []
    assert executor.clock.time() == pytest.approx(3000.5)
    second = executor.poll(3000.0)
    assert [(row["step"], row["time"].timestamp()) for row in rows(second, "curves")] == [(0, 3600.0)]
    assert executor.clock.time() == 3600.0
    last = rows(all_events(executor, 1), "attempts")[-1]
    assert (last["state"], last["started"].timestamp(), last["ended"].timestamp()) == ("COMPLETED", 0.0, 10800.0)
    assert last["busy"] == 10800.0


def test_short_steps_come_together_and_none_later_than_a_worker_would_send_it() -> None:
    def quick(config: dict[str, Any], trial: Any) -> Iterator[Stage]:
        for step in range(100):
            yield 0.01, step, {"loss": 1.0}
        yield 10.0, 100, {"loss": 0.0}

    executor = SimulatedExecutor(quick, workers=1)
    executor.submit(lease(0))
    heard: list[tuple[float, int]] = []
    ended = 0
    while not ended:
        events = executor.poll(INF)
        heard += [(executor.clock.time(), row["step"]) for row in rows(events, "curves")]
        ended = sum(isinstance(event, LeaseEnded) for event in events)

    assert [step for _, step in heard] == list(range(101))
    assert all(when - (step + 1) * 0.01 <= 0.5 + 1e-9 for when, step in heard[:-1])
    assert len({when for when, _ in heard}) <= 4


def test_a_death_takes_what_was_not_sent_and_leaves_the_rest_of_the_lease_unsaid() -> None:
    def mortal(config: dict[str, Any], trial: Any) -> Iterator[Stage]:
        yield 1.0, 0, {"loss": 1.0}
        yield 0.1, 1, {"loss": 1.0}
        if trial.number == 1:
            raise SimulatedDeathError(LeaseFailure.OOM)

    executor = SimulatedExecutor(mortal, workers=1)
    executor.submit(lease(0, 0, 1, 2))
    events = all_events(executor, 1)

    end = events[-1]
    assert isinstance(end, LeaseEnded)
    assert (end.kind, bool(end.failure)) == ("oom", True)
    assert [(row["trial"], row["step"]) for row in rows(events, "curves")] == [(0, 0), (0, 1), (1, 0)]
    assert [row["trial"] for row in rows(events, "attempts") if row["ended"]] == [0]


def test_a_start_takes_its_time() -> None:
    executor = SimulatedExecutor(hours, workers=1, startup_s=5.0)
    executor.submit(lease(0, 0, 0))
    all_events(executor, 1)

    assert executor.clock.time() == 5.0 + 2 * 10800.0


def test_recorded_curves_take_the_time_they_took() -> None:
    stamps = pa.array([2000, 5000, 1000, 9000, 3000], pa.timestamp("ms", tz="UTC"))
    curves = pa.table(
        {
            "sweep": ["a"] * 5,
            "trial": [7, 7, 3, 7, 3],
            "attempt": [0] * 5,
            "step": [0, 1, 0, 2, 1],
            "time": stamps,
            "loss": [0.5, 0.4, 1.0, float("nan"), 0.9],
            "acc": [None, 0.1, None, None, None],
        }
    )
    recorded = Recorded(curves, started={(7, 0): 1.5})

    assert recorded.trials() == [3, 7]
    assert list(recorded.stages(3)) == [(2.0, 0, {"loss": 1.0}), (2.0, 1, {"loss": 0.9})]
    stages = list(recorded.stages(7))
    assert stages[:2] == [(0.5, 0, {"loss": 0.5}), (3.0, 1, {"loss": 0.4, "acc": 0.1})]
    assert (stages[2][:2], list(stages[2][2])) == ((4.0, 2), ["loss"])
    assert list(recorded.stages(5)) == []


def test_what_a_trial_waited_between_two_executions_is_no_training() -> None:
    stamps = pa.array([1000, 2000, 90_000, 92_000, 200_000], pa.timestamp("ms", tz="UTC"))
    curves = pa.table(
        {"trial": [7] * 5, "attempt": [0, 0, 1, 1, 3], "step": range(5), "time": stamps, "loss": [0.5] * 5}
    )
    stages = Recorded(curves, started={(7, 0): 0.0, (7, 1): 87.0}).stages(7)
    assert [seconds for seconds, _, _ in stages] == [1.0, 1.0, 3.0, 2.0, 1.5]


def test_what_the_driver_computes_takes_time_for_slots_that_wait_for_it_and_not_for_trials_that_run() -> None:
    """The first lease's worker waits for the next lease, 100 s; the trial of the other one goes on meanwhile."""
    computed = [0.0]
    executor = SimulatedExecutor(hours, workers=2, cpu=lambda: computed[0])
    executor.submit(lease(0))
    executor.submit(lease(1))
    while not any(isinstance(event, LeaseEnded) for event in executor.poll(INF)):
        pass
    computed[0] += 100.0
    executor.submit(lease(2, 0))
    events = all_events(executor, 2)

    ends = {row["trial"]: row["ended"].timestamp() for row in rows(events, "attempts") if row["ended"] is not None}
    assert executor.driver_s == 100.0
    assert ends == {1: 3 * 7200.0, 0: 3 * 3600.0 + 100.0 + 3 * 3600.0}


def test_a_lease_that_waits_in_front_of_a_slot_begins_when_that_is_free_whatever_the_driver_does() -> None:
    computed = [0.0]
    executor = SimulatedExecutor(hours, workers=1, cpu=lambda: computed[0])
    for number in range(2):
        executor.submit(lease(number, 0))
    while not any(isinstance(event, LeaseEnded) for event in executor.poll(INF)):
        computed[0] += 1000.0
    all_events(executor, 1)
    assert executor.clock.time() == 6 * 3600.0
