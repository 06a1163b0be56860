"""What every executor promises; see caviar.execute.executor."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest

from caviar.execute.executor import Executor, LeaseEnded, LeaseSpoke
from caviar.execute.inline import InlineExecutor
from caviar_workers.messages import Lease, Program

Make = Callable[[Callable[..., Any]], Executor]


@pytest.fixture(params=["inline", pytest.param("ray", marks=pytest.mark.ray)])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes executors for a train function; closes them."""
    made: list[Executor] = []

    def build(train: Callable[..., Any]) -> Executor:
        program = Program(digest="d", train="train", functions={"train": train})
        if request.param == "inline":
            executor: Executor = InlineExecutor(program)
        else:
            request.getfixturevalue("ray")
            from caviar.execute.ray_tasks import RayExecutor

            executor = RayExecutor(program, cpus=1, gpus=0)
        made.append(executor)
        return executor

    yield build
    for executor in made:
        executor.close()
        executor.close()


def lease(number: int, trials: int = 1) -> Lease:
    return Lease(
        id=number,
        sweep="s",
        metric="loss",
        trials=tuple(range(trials)),
        attempts=(0,) * trials,
        seeds=tuple(range(trials)),
        configs={"lr": (0.5,) * trials},
        flush_s=0.1,
    )


def collect(executor: Executor, leases: int) -> dict[int, list[LeaseSpoke | LeaseEnded]]:
    """All events until that many leases have ended, by lease."""
    found: dict[int, list[LeaseSpoke | LeaseEnded]] = {}
    deadline = time.monotonic() + 50
    while sum(isinstance(events[-1], LeaseEnded) for events in found.values()) < leases:
        assert time.monotonic() < deadline
        for event in executor.poll(0.1):
            found.setdefault(event.lease, []).append(event)
    return found


def rows(events: list[LeaseSpoke | LeaseEnded], table: str) -> list[dict[str, Any]]:
    data = [getattr(event.batch, table) for event in events if isinstance(event, LeaseSpoke)]
    return [row for part in data if part for row in pa.ipc.open_stream(part).read_all().to_pylist()]


def test_there_is_at_least_one_slot(make: Make) -> None:
    assert make(lambda config, trial: 1.0).slots() >= 1


def test_every_lease_ends_exactly_once_and_its_rows_come_in_order_and_before(make: Make) -> None:
    def train(config: dict[str, Any], trial: Any) -> None:
        for step in range(4):
            trial.report(step, loss=float(step))

    executor = make(train)
    for number in range(5):
        executor.submit(lease(number, trials=3))
    found = collect(executor, 5)

    assert sorted(found) == list(range(5))
    for events in found.values():
        assert [isinstance(event, LeaseEnded) for event in events].count(True) == 1
        assert events[-1] == LeaseEnded(lease=events[-1].lease)
        curve = [(row["trial"], row["_seq"]) for row in rows(events, "curves")]
        assert curve == [(trial, seq) for trial in range(3) for seq in range(4)]
        assert [row["state"] for row in rows(events, "attempts") if row["ended"]] == ["COMPLETED"] * 3
    assert executor.poll(0.1) == []


def test_polling_with_nothing_to_do_returns_nothing_soon(make: Make) -> None:
    executor = make(lambda config, trial: 1.0)
    started = time.monotonic()

    assert executor.poll(0.05) == []
    assert time.monotonic() - started < 5


def test_a_long_trial_speaks_while_it_runs(make: Make) -> None:
    def train(config: dict[str, Any], trial: Any) -> None:
        import time

        trial.report(0, loss=1.0)
        time.sleep(1.5)
        trial.report(1, loss=1.0)

    executor = make(train)
    executor.submit(lease(0))
    events = collect(executor, 1)[0]

    spoken = [event for event in events if isinstance(event, LeaseSpoke)]
    assert len(spoken) >= 2
    assert [row["step"] for row in rows([spoken[0]], "curves")] == [0]
    assert [row["step"] for row in rows(events, "curves")] == [0, 1]


def test_killing_ends_all_leases(make: Make) -> None:
    def train(config: dict[str, Any], trial: Any) -> None:
        import time

        trial.report(0, loss=1.0)
        time.sleep(1)

    executor = make(train)
    for number in range(4):
        executor.submit(lease(number, trials=50))
    executor.poll(1.0)
    executor.kill()
    found = collect(executor, 4)

    assert all(isinstance(events[-1], LeaseEnded) and events[-1].failure for events in found.values())
