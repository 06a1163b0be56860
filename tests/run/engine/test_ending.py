"""Ends before the end: of a sweep, of one trial, and of trials that have not begun."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from tests.run.engine.tables import Tables

from caviar.run.engine.decision_log import Decision
from caviar.run.engine.messenger import AGAIN_S
from caviar.run.engine.policy_runner import PolicyRunner
from caviar.run.engine.ports import Ports
from caviar.run.engine.scheduler import Scheduler
from caviar.run.engine.shutdown import GRACE_S, Shutdown
from caviar.run.engine.trial_source import ResumeState, SampledTrials
from caviar.run.executors.simulated import Course, SimulatedDeathError, SimulatedExecutor
from caviar.search.samplers import make_sampler
from caviar.space import Float, Space
from caviar.spec.plan import Plan
from caviar.store.read.sweep_tables import BEGAN
from caviar_workers.messages import Message
from caviar_workers.states import Action

STOP = "stop"


class Watched(SimulatedExecutor):
    """Notes what is told, and loses the first so many messages."""

    def __init__(self, *args: Any, deaf: int = 0, **given: Any) -> None:
        super().__init__(*args, **given)
        self.told: list[tuple[float, Message]] = []
        self.deaf = deaf

    def tell(self, lease: int, message: Message) -> None:
        self.told.append((self.clock.time(), message))
        if len(self.told) > self.deaf:
            super().tell(lease, message)


def hundred(config: dict[str, Any], trial: Any) -> Iterator[tuple[float, int, dict[str, float]]]:
    """A hundred steps of a second."""
    for step in range(100):
        yield 1.0, step, {"loss": config["lr"]}


def scheduled(
    trials: int,
    at: dict[float, Callable[[Scheduler], None]],
    *,
    deaf: int = 0,
    run: Course = hundred,
    policies: PolicyRunner | None = None,
    **given: Any,
) -> tuple[Scheduler, Tables, Watched]:
    """Run trials of 100 s on two virtual workers; at some moments, do something to the scheduler."""
    space = Space({"lr": Float(0.1, 1.0)})
    plan = Plan(name="s", metric="loss", mode="min", trials=trials, seed=0, space=space, **given)
    executor = Watched(run, workers=2, deaf=deaf)
    sink = Tables()
    agenda = sorted(at.items())
    began = executor.clock.time()

    def tick() -> None:
        while agenda and executor.clock.time() - began >= agenda[0][0]:
            agenda.pop(0)[1](loop)

    supply = SampledTrials(plan, make_sampler("random", space, 0, trials))
    loop = Scheduler(
        plan,
        "sweep",
        supply,
        Ports(executor=executor, sink=sink, clock=executor.clock),
        policies=policies,
        round_s=0.5,
        on_tick=tick,
    )
    loop.run()
    return loop, sink, executor


def stop(trial: int) -> Callable[[Scheduler], None]:
    return lambda loop: loop.decide([Decision(action=STOP, by="user", trial=trial)])


def test_a_decision_is_durable_before_its_trial_is_told_and_the_others_run_on() -> None:
    loop, sink, executor = scheduled(6, {20.0: stop(1)})

    assert sink.states() == {trial: "STOPPED" if trial == 1 else "COMPLETED" for trial in range(6)}
    assert sink.order[sink.order.index("decisions") + 1] == "flush"
    (decided,) = sink.rows["decisions"]
    assert (decided["n"], decided["action"], decided["decided_by"], decided["trial"]) == (0, "stop", "user", 1)
    assert [message for _, message in executor.told] == [Message(trial=1, attempt=0, action=Action.STOP, decision=0)]
    steps = [row["step"] for row in sink.rows["curves"] if row["trial"] == 1]
    assert steps == list(range(len(steps)))
    assert 15 < len(steps) < 25
    assert (loop.counters.completed, loop.counters.stopped, loop.counters.failed, loop.counters.ended) == (5, 1, 0, 6)


def test_who_does_not_hear_is_told_again() -> None:
    _, sink, executor = scheduled(2, {20.0: stop(1)}, deaf=2)

    assert sink.states() == {0: "COMPLETED", 1: "STOPPED"}
    moments = [when for when, _ in executor.told]
    assert [later - sooner for sooner, later in pairwise(moments)] == [AGAIN_S] * 2


def test_who_died_before_it_heard_is_told_when_it_is_tried_again() -> None:
    def mortal(config: dict[str, Any], trial: Any) -> Iterator[tuple[float, int, dict[str, float]]]:
        for stage in hundred(config, trial):
            yield stage
            if trial.number == 1 and trial.attempt == 0 and stage[1] == 22:
                raise SimulatedDeathError

    _, sink, executor = scheduled(2, {20.0: stop(1)}, deaf=1, run=mortal)

    assert sink.states() == {0: "COMPLETED", 1: "STOPPED"}
    assert [(message.attempt, message.decision) for _, message in executor.told] == [(0, 0), (1, 0)]
    assert len([row for row in sink.rows["curves"] if (row["trial"], row["attempt"]) == (1, 1)]) < 5


class Leases(SimulatedExecutor):
    """Takes as many leases as it is asked to, which wait in a queue, as Ray's do; notes when each came to a worker."""

    def __init__(self, *args: Any, at_once: int, **given: Any) -> None:
        super().__init__(*args, **given)
        self._at_once = at_once
        self.began: dict[int, float] = {}

    def slots(self) -> int:
        return self._at_once

    def _start(self, free: float) -> None:
        waiting = {lease.id: lease for lease, _ in self._waiting}
        super()._start(free)
        for number in waiting.keys() & self._running.keys():
            self.began |= dict.fromkeys(waiting[number].trials, self.clock.time())


@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize("at", [0.2, 1.0, 99.0, 100.0, 101.0, 250.0])
@pytest.mark.parametrize("at_once", [True, False])
def test_what_no_worker_had_is_no_attempt_and_every_attempt_starts_when_its_worker_began(
    workers: int, at: float, at_once: bool
) -> None:
    space = Space({"lr": Float(0.1, 1.0)})
    plan = Plan(name="s", metric="loss", mode="min", trials=8, seed=0, space=space)
    executor, sink = Leases(hundred, workers=workers, at_once=2), Tables()
    source = SampledTrials(plan, make_sampler("random", space, 0, 8))

    def tick() -> None:
        if executor.clock.time() >= at:
            loop.stop(at_once=at_once)

    ports = Ports(executor=executor, sink=sink, clock=executor.clock)
    loop = Scheduler(plan, "sweep", source, ports, round_s=0.5, on_tick=tick)
    loop.run()

    known = {row["trial"] for row in sink.rows["attempts"]}
    spoke = {trial for trial, began in executor.began.items() if began < executor.clock.time() - 1.0}
    assert spoke <= known <= executor.began.keys()
    for row in sink.rows["attempts"]:
        assert abs(row["started"].timestamp() - executor.began[row["trial"]]) < 1.0, row


@pytest.mark.parametrize("attempts", [{}, {0: 1}])
def test_a_trial_that_no_worker_has_ends_at_once_as_one_that_waits(attempts: dict[int, int]) -> None:
    space = Space({"lr": Float(0.1, 1.0)})
    plan = Plan(name="s", metric="loss", mode="min", trials=1, seed=0, space=space)
    executor, sink = Leases(hundred, workers=0, at_once=1), Tables()
    source = SampledTrials(
        plan, make_sampler("random", space, 0, 1), rest=ResumeState(written=len(attempts), attempts=attempts)
    )
    loop = Scheduler(
        plan,
        "sweep",
        source,
        Ports(executor=executor, sink=sink, clock=executor.clock),
        round_s=0.5,
        on_tick=lambda: loop.end_trial(0),
    )
    loop.run()

    (row,) = sink.ended()
    assert (row["state"], row["cause"]) == (("STOPPED", "stop") if attempts else ("CANCELLED", "first"))


def test_only_what_a_worker_began_with_began(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials are stopped in every place where they wait; one dies with its worker, and one while it waits again."""
    monkeypatch.setattr("caviar.run.engine.trial_source.BLOCK", 8)
    began = set()

    def deadly(config: dict[str, Any], trial: Any) -> Iterator[tuple[float, int, dict[str, float]]]:
        began.add(trial.number)
        for stage in hundred(config, trial):
            if trial.number == 2 and stage[1] == 5:
                raise SimulatedDeathError
            yield stage

    gone = {0, 2, 3, 6, 15, 19}
    agenda: dict[float, Callable[[Scheduler], None]] = {
        20.0: lambda loop: [stop(trial)(loop) for trial in gone - {0, 2}],
        110.0: lambda loop: [loop.end_trial(trial) for trial in (0, 2)],
    }
    _, sink, _ = scheduled(20, agenda, run=deadly)

    rows = pa.Table.from_pylist(sink.rows["attempts"]).select(["trial", "state", "cause"])
    assert {row[0] for row in duckdb.from_arrow(rows).filter(BEGAN).fetchall()} == began
    assert {3, 6, 15, 19}.isdisjoint(began)


class Listener:
    """A stop policy that decides nothing, and remembers who ended."""

    def __init__(self) -> None:
        self.ends: list[tuple[int, str]] = []

    def note(self, trial: int, step: int, value: float) -> None: ...

    def withdraw(self, trial: int) -> None: ...

    def judge(self, trial: int) -> None: ...

    def recall(self, *, exhausted: bool) -> None: ...

    def apply(self, judgement: Any) -> None: ...

    def end(self, trial: int, *, state: str) -> None:
        self.ends.append((trial, state))


def test_policies_hear_of_every_end_once_in_whatever_way_it_came() -> None:
    def moody(config: dict[str, Any], trial: Any) -> Iterator[tuple[float, int, dict[str, float]]]:
        for stage in hundred(config, trial):
            if trial.number == 2 and stage[1] == 5:
                raise ValueError("no such layer")
            if trial.number == 3 and stage[1] == 5:
                raise SimulatedDeathError
            yield stage

    listener = Listener()
    at = {20.0: stop(1), 21.0: stop(7), 22.0: lambda loop: loop.end_trial(0), 23.0: stop(9)}
    policies = PolicyRunner({"listener": listener}, "loss")
    _, sink, _ = scheduled(10, at, run=moody, policies=policies, max_attempts=1)

    states = sink.states()
    assert sorted(listener.ends) == sorted(states.items())
    assert {states[trial] for trial in (0, 1)} == {"STOPPED"}  # killed, told
    assert {states[trial] for trial in (2, 3)} == {"FAILED"}  # raised, died
    assert {states[trial] for trial in (7, 9)} == {"CANCELLED"}


def test_what_the_user_stopped_does_not_run_again_under_the_next_driver() -> None:
    """The first one died before its trial had heard; the decision is in the store."""
    space = Space({"lr": Float(0.1, 1.0)})
    plan = Plan(name="s", metric="loss", mode="min", trials=3, seed=0, space=space)
    told = {"n": 7, "decided_by": "user", "trial": 1, "action": "stop", "numbers": "{}"}
    policies = PolicyRunner()
    policies.restore([], [told], {0: "COMPLETED"})
    rest = ResumeState(written=3, attempts={1: 1, 2: 1}, completed=1, decided=8)
    executor, sink = SimulatedExecutor(hundred, workers=2), Tables()
    ports = Ports(executor=executor, sink=sink, clock=executor.clock)
    source = SampledTrials(plan, make_sampler("random", space, 0, 3), rest=rest)
    Scheduler(plan, "sweep", source, ports, policies=policies, round_s=0.5).run()

    assert sink.states() == {1: "STOPPED", 2: "COMPLETED"}
    assert [row["cause"] for row in sink.ended("STOPPED")] == ["stop"], "it was in a lease again"
    assert {row["trial"] for row in sink.rows["curves"]} == {2}
    assert (len(policies.trials), sink.rows["decisions"]) == (0, [])


def test_a_trial_is_cancelled_in_its_lease_in_the_stock_and_before_it_is_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("caviar.run.engine.trial_source.BLOCK", 8)
    cancelled = {3, 6, 15, 16, 17, 18, 19}  # the last block whole
    loop, sink, _ = scheduled(20, {20.0: lambda loop: [stop(trial)(loop) for trial in sorted(cancelled)]})

    states = sink.states()
    assert {trial for trial, state in states.items() if state == "CANCELLED"} == cancelled
    assert sorted(states) == list(range(20))
    assert [row["trial"] for row in sink.rows["configs"]] == list(range(20))
    assert {row["trial"] for row in sink.rows["curves"]} == set(range(20)) - cancelled
    assert loop.counters.ended == 20


def test_stopping_what_has_ended_is_recorded_and_without_effect() -> None:
    _, sink, executor = scheduled(4, {150.0: stop(0)})

    assert set(sink.states().values()) == {"COMPLETED"}
    assert (len(sink.rows["decisions"]), executor.told) == (1, [])


def test_at_once_kills_the_process_and_charges_nobody() -> None:
    loop, sink, _ = scheduled(4, {20.0: lambda loop: loop.end_trial(0)}, max_attempts=1)

    assert sink.states() == {0: "STOPPED", 1: "COMPLETED", 2: "COMPLETED", 3: "COMPLETED"}
    assert loop.counters.stopped == 1


def test_a_sweep_ends_when_its_time_is_up_and_says_so() -> None:
    loop, sink, _ = scheduled(10, {}, time_limit=250.0)

    assert loop.shutdown.by == "time_limit"
    completed = [trial for trial, state in sink.states().items() if state == "COMPLETED"]
    assert completed == [0, 1, 2, 3]
    assert {row["trial"] for row in sink.rows["curves"]} == set(range(6))  # what ran was not thrown away
    (decided,) = sink.rows["decisions"]
    assert (decided["action"], decided["trial"], decided["numbers"]) == ("time_limit", None, '{"seconds": 250.0}')


def test_who_asks_first_gives_the_reason_and_who_asks_harder_the_time() -> None:
    closing = Shutdown(limit=100.0)
    assert (closing.over(99.0), closing.over(100.0), closing.time_left(90.0)) == (False, True, 10.0)

    closing.ask("user", 50.0)
    closing.ask("signal", 50.5, at_once=True)

    assert (closing.by, closing.kill_at, closing.over(200.0)) == ("user", 50.5, False)
    assert Shutdown().time_left(0.0) == float("inf")
    late = Shutdown()
    late.ask("signal", 1.0)
    assert late.kill_at == 1.0 + GRACE_S
