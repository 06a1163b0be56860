"""What every executor promises; see caviar.run.executors.executor."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pytest

from caviar.run.executors.executor import Executor, LeaseEnded, LeaseSpoke
from caviar.run.executors.inline import InlineExecutor
from caviar.run.executors.simulated import SimulatedExecutor
from caviar_workers.messages import Demand, Lease, Message, Program

Script = Sequence[tuple[float, float | None]]
"""What every trial does: seconds that pass, and the loss that is reported then; None: it raises."""
Make = Callable[[Script], Executor]

FOUR: Script = [(0.0, float(step)) for step in range(4)]
SLOW: Script = [(0.0, 1.0), (0.8, 1.0)]


def trained(script: Script, mates: float) -> Callable[..., Any]:
    """The script as a train function, which sleeps; trials after the first take `mates` of its time."""

    def train(config: dict[str, Any], trial: Any) -> None:
        import time

        for step, (seconds, loss) in enumerate(script):
            time.sleep(seconds if trial.number == 0 else seconds * mates)
            if loss is None:
                raise ValueError("as the script says")
            trial.report(step, loss=loss)

    return train


def simulated(script: Script, mates: float) -> Callable[..., Any]:
    """The script as a course, which does not."""

    def course(config: dict[str, Any], trial: Any) -> Iterator[tuple[float, int, dict[str, float]]]:
        for step, (seconds, loss) in enumerate(script):
            if loss is None:
                raise ValueError("as the script says")
            yield seconds if trial.number == 0 else seconds * mates, step, {"loss": loss}

    return course


@pytest.fixture(params=["inline", "simulated", pytest.param("ray", marks=pytest.mark.ray)])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes executors whose trials follow a script; closes them."""
    made: list[Executor] = []

    def build(script: Script, mates: float = 1.0) -> Executor:
        program = Program(digest="d", train="train", functions={"train": trained(script, mates)})
        if request.param == "inline":
            executor: Executor = InlineExecutor(program)
        elif request.param == "simulated":
            executor = SimulatedExecutor(simulated(script, mates), workers=2)
        else:
            request.getfixturevalue("ray")
            from caviar.run.executors.ray_tasks import RayExecutor

            executor = RayExecutor(program, Demand())
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
    deadline = time.monotonic() + 120
    while sum(isinstance(events[-1], LeaseEnded) for events in found.values()) < leases:
        assert time.monotonic() < deadline
        for event in executor.poll(0.1):
            found.setdefault(event.lease, []).append(event)
    return found


def rows(events: list[LeaseSpoke | LeaseEnded], table: str) -> list[dict[str, Any]]:
    data = [getattr(event.batch, table) for event in events if isinstance(event, LeaseSpoke)]
    return [row for part in data if part for row in pa.ipc.open_stream(part).read_all().to_pylist()]


def test_there_is_at_least_one_slot(make: Make) -> None:
    assert make(FOUR).slots() >= 1


def test_every_lease_ends_exactly_once_and_its_rows_come_in_order_and_before(make: Make) -> None:
    executor = make(FOUR)
    for number in range(5):
        executor.submit(lease(number, trials=3))
    found = collect(executor, 5)

    assert sorted(found) == list(range(5))
    for events in found.values():
        assert [isinstance(event, LeaseEnded) for event in events].count(True) == 1
        assert events[-1] == LeaseEnded(lease=events[-1].lease)
        curve = [(row["trial"], row["_seq"], row["step"], row["loss"]) for row in rows(events, "curves")]
        assert curve == [(trial, seq, seq, float(seq)) for trial in range(3) for seq in range(4)]
        assert [row["state"] for row in rows(events, "attempts") if row["ended"]] == ["COMPLETED"] * 3
    assert executor.poll(0.1) == []


def test_a_trial_that_raises_fails_and_the_next_one_of_its_lease_runs(make: Make) -> None:
    executor = make([(0.0, 1.0), (0.0, None)])
    executor.submit(lease(0, trials=2))
    events = collect(executor, 1)[0]

    ended = [row for row in rows(events, "attempts") if row["ended"]]
    assert [(row["trial"], row["state"], row["kind"]) for row in ended] == [
        (0, "FAILED", "error"),
        (1, "FAILED", "error"),
    ]
    assert all(row["error"].endswith("ValueError: as the script says") for row in ended)
    assert [(row["trial"], row["step"]) for row in rows(events, "curves")] == [(0, 0), (1, 0)]
    assert events[-1] == LeaseEnded(lease=0)


def test_polling_with_nothing_to_do_returns_nothing_soon(make: Make) -> None:
    executor = make(FOUR)
    started = time.monotonic()

    assert executor.poll(0.05) == []
    assert time.monotonic() - started < 5


def test_a_long_trial_speaks_while_it_runs(make: Make) -> None:
    executor = make(SLOW)
    executor.submit(lease(0))
    events = collect(executor, 1)[0]

    spoken = [event for event in events if isinstance(event, LeaseSpoke)]
    assert len(spoken) >= 2
    assert [row["step"] for row in rows([spoken[0]], "curves")] == [0]
    assert [row["state"] for row in rows([spoken[0]], "attempts")] == ["RUNNING"]
    assert [row["step"] for row in rows(events, "curves")] == [0, 1]


def tell(executor: Executor, message: Message, *, after: Callable[[dict[str, Any]], bool]) -> list[Any]:
    """Tell lease 0 as soon as it has published such a row of attempts; its events until it has ended."""
    events: list[LeaseSpoke | LeaseEnded] = []
    deadline = time.monotonic() + 120
    while not any(map(after, rows(events, "attempts"))):
        assert time.monotonic() < deadline
        events += executor.poll(0.1)
    executor.tell(0, message)
    return events + collect(executor, 1)[0]


def test_a_told_trial_ends_as_stopped_with_its_curve_and_its_lease_mates_run_on(make: Make) -> None:
    executor = make([(0.5, float(step)) for step in range(40)], mates=0.1)
    executor.submit(lease(0, trials=2))
    events = tell(
        executor, Message(trial=0, attempt=0, action="stop", decision=0), after=lambda row: row["state"] == "RUNNING"
    )

    stopped, completed = (row for row in rows(events, "attempts") if row["ended"])
    assert (stopped["state"], stopped["kind"], stopped["error"]) == ("STOPPED", None, None)
    assert 0 < stopped["rows"] < 40
    assert (completed["state"], completed["rows"]) == ("COMPLETED", 40)
    curve = [row["step"] for row in rows(events, "curves") if row["trial"] == 0]
    assert curve == list(range(stopped["rows"]))
    assert stopped["last_loss"] == curve[-1]


def test_messages_for_trials_that_ended_for_other_attempts_and_for_no_lease_do_no_harm(make: Make) -> None:
    executor = make([(0.07, 1.0)] * 10)
    executor.submit(lease(0, trials=2))
    executor.tell(7, Message(trial=1, attempt=0, action="stop", decision=0))
    executor.tell(0, Message(trial=1, attempt=3, action="stop", decision=0))
    late = Message(trial=0, attempt=0, action="stop", decision=0)
    events = tell(executor, late, after=lambda row: row["ended"] is not None)

    assert [(row["state"], row["rows"]) for row in rows(events, "attempts") if row["ended"]] == [("COMPLETED", 10)] * 2


def test_killing_ends_all_leases(make: Make) -> None:
    executor = make([(0.0, 1.0), (1.0, 1.0)])
    for number in range(4):
        executor.submit(lease(number, trials=50))
    executor.poll(1.0)
    executor.kill()
    found = collect(executor, 4)

    assert all(isinstance(events[-1], LeaseEnded) and events[-1].failure for events in found.values())


def test_killing_one_lease_leaves_the_others(make: Make) -> None:
    executor = make(SLOW)
    for number in range(3):
        executor.submit(lease(number))
    executor.kill(1)
    found = collect(executor, 3)

    failures = {number: events[-1].failure for number, events in found.items() if isinstance(events[-1], LeaseEnded)}
    assert [number for number, failure in failures.items() if failure] == [1]
    assert [row["step"] for row in rows(found[0] + found[2], "curves")] == [0, 1, 0, 1]
