"""The scheduler on executors that run in this process: the real one, and one whose leases die on cue."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.run.engine.tables import Tables

from caviar.errors import ClusterError, NoResultError, SpecError
from caviar.run.engine.ports import Ports
from caviar.run.engine.scheduler import Scheduler
from caviar.run.engine.trial_source import ResumeState, SampledTrials
from caviar.run.executors.executor import Event, LeaseEnded, LeaseFailure, LeaseSpoke
from caviar.run.executors.inline import InlineExecutor
from caviar.search.samplers import make_sampler
from caviar.space import Float, Space
from caviar.spec.plan import Plan
from caviar_workers.lease import run_lease
from caviar_workers.messages import Lease, Program


class Mortal(InlineExecutor):
    """Kills a lease, before it says a word, when it carries one of the doomed trials."""

    def __init__(self, program: Program, doomed: dict[int, int], kind: LeaseFailure = LeaseFailure.LOST) -> None:
        super().__init__(program)
        self.program = program
        self.doomed = doomed
        self.kind = kind
        self.events: list[Event] = []

    def submit(self, lease: Lease) -> None:
        victims = [trial for trial in lease.trials if self.doomed.get(trial, 0) > 0]
        if victims:
            self.doomed[victims[0]] -= 1
            self.events.append(LeaseEnded(lease=lease.id, failure="the process died", kind=self.kind))
            return
        batches = run_lease(self.program, lease, own_process=False)
        self.events += [LeaseSpoke(lease=lease.id, batch=batch) for batch in batches]
        self.events.append(LeaseEnded(lease=lease.id))

    def poll(self, timeout: float) -> list[Event]:
        events, self.events = self.events, []
        return events

    def kill(self, lease: int | None = None) -> None:
        """All have ended already."""


class Hanging(Mortal):
    """A lease that carries trial 2 says that it runs, and then no more until it is killed."""

    def submit(self, lease: Lease) -> None:
        if 2 not in lease.trials:
            super().submit(lease)
            return
        self.events.append(LeaseSpoke(lease=lease.id, batch=next(run_lease(self.program, lease, own_process=False))))

    def kill(self, lease: int | None = None) -> None:
        if lease is not None:
            self.events.append(LeaseEnded(lease=lease, failure="killed"))


def train(config: dict[str, Any], trial: Any) -> None:
    for step in range(3):
        trial.report(step, loss=config["lr"] * (step + 1))


def scheduler(
    trials: int,
    run: Callable[..., Any] = train,
    *,
    doomed: dict[int, int] | None = None,
    kind: LeaseFailure = LeaseFailure.LOST,
    rest: ResumeState | None = None,
    **given: Any,
) -> tuple[Scheduler, Tables]:
    space = Space({"lr": Float(1e-4, 1.0, scale="log")})
    plan = Plan(name="s", metric="loss", mode="min", trials=trials, seed=0, space=space, **given)
    program = Program(digest="d", train="train", functions={"train": run})
    executor = InlineExecutor(program) if doomed is None else Mortal(program, dict(doomed), kind)
    sink = Tables()
    supply = SampledTrials(plan, make_sampler(plan.sampler, space, 0, trials), rest=rest or ResumeState())
    return Scheduler(plan, "sweep", supply, Ports(executor=executor, sink=sink)), sink


def test_exactly_the_planned_trials_run_and_their_rows_arrive() -> None:
    loop, sink = scheduler(100)
    loop.run()

    assert sorted(row["trial"] for row in sink.ended()) == list(range(100))
    assert len(sink.rows["curves"]) == 300
    assert loop.counters.completed == 100


def test_a_trial_s_config_is_in_the_sink_before_anything_else_of_it() -> None:
    loop, sink = scheduler(3)
    loop.run()

    assert sink.order[0] == "configs"


def test_the_leaders_are_the_best_of_all_trials_with_their_configs() -> None:
    loop, sink = scheduler(200)
    loop.run()

    best = sorted((row["last_loss"], row["trial"]) for row in sink.ended())[:5]
    assert [(leader.value, leader.trial) for leader in loop.counters.leaders] == best
    lr = {row["trial"]: row["lr"] for row in sink.rows["configs"]}
    assert [leader.config["lr"] for leader in loop.counters.leaders] == [lr[trial] for _, trial in best]


def test_trials_of_a_dead_lease_run_again_and_all_end_once() -> None:
    loop, sink = scheduler(50, doomed={0: 1, 7: 2, 30: 1})
    loop.run()

    completed = [row for row in sink.ended() if row["state"] == "COMPLETED"]
    lost = [row for row in sink.ended() if row["state"] == "LOST"]
    assert sorted(row["trial"] for row in completed) == list(range(50))
    assert len(lost) == 4
    pairs = [(row["trial"], row["attempt"]) for row in sink.ended()]
    assert len(set(pairs)) == len(pairs)


@pytest.mark.parametrize("kind", [LeaseFailure.LOST, LeaseFailure.OOM])
def test_a_trial_that_always_kills_its_process_fails_and_the_others_complete(kind: LeaseFailure) -> None:
    loop, sink = scheduler(20, doomed={4: 1000}, kind=kind)
    loop.run()

    failed = [row for row in sink.ended() if row["state"] == "FAILED"]
    assert [(row["trial"], row["kind"]) for row in failed] == [(4, kind)]
    assert loop.counters.completed == 19
    assert loop.counters.failed == 1


def test_out_of_memory_by_exception_is_tried_once_more_alone_and_then_is_a_result() -> None:
    alone: dict[int, list[int]] = {3: [], 7: []}

    def hungry(config: dict[str, Any], trial: Any) -> None:
        trial.report(0, loss=1.0)
        if trial.number in alone:
            alone[trial.number].append(trial.attempt)
            if trial.number == 3 or trial.attempt == 0:
                raise MemoryError("no room for the weights")

    loop, sink = scheduler(40, hungry)
    loop.run()

    assert alone == {3: [0, 1], 7: [0, 1]}
    ends = {(row["trial"], row["attempt"]): (row["state"], row["kind"]) for row in sink.ended()}
    assert ends[3, 0] == ("LOST", "oom")
    assert ends[3, 1] == ("FAILED", "oom")
    assert (ends[7, 0], ends[7, 1]) == (("LOST", "oom"), ("COMPLETED", None))
    assert (loop.counters.completed, loop.counters.failed, loop.counters.ended) == (39, 1, 40)


def test_code_that_workers_cannot_load_ends_the_sweep_at_once() -> None:
    loop, _ = scheduler(20, doomed={0: 1}, kind=LeaseFailure.ERROR)

    with pytest.raises(ClusterError, match="the workers cannot run the experiment"):
        loop.run()


def test_a_sweep_whose_trials_all_fail_alike_is_ended_early() -> None:
    def broken(config: dict[str, Any], trial: Any) -> None:
        raise ValueError("no such file")

    loop, sink = scheduler(1000, broken)

    error = loop.run()

    assert isinstance(error, NoResultError)
    assert "trials all failed with ValueError: no such file: see caviar show sweep 0" in str(error)
    assert 10 <= len(sink.ended()) < 1000


def test_they_fail_alike_where_one_line_says_something_else_of_each() -> None:
    def broken(config: dict[str, Any], trial: Any) -> None:
        raise ValueError(f"lr {config} is of no use")

    loop, sink = scheduler(1000, broken)

    error = loop.run()

    assert isinstance(error, NoResultError)
    assert "trials all failed at one line, the first with ValueError: lr {" in str(error)
    assert 10 <= len(sink.ended()) < 1000


def test_trials_that_give_up_before_they_validate_do_not_end_a_sweep() -> None:
    def moody(config: dict[str, Any], trial: Any) -> None:
        trial.report(0, train_loss=1.0)
        if trial.number % 4:
            return  # exploded
        trial.report(1, loss=1.0)

    loop, _ = scheduler(40, moody)

    assert loop.run() is None
    assert (loop.counters.completed, loop.counters.unmeasured) == (10, 30)


def test_a_misspelt_metric_ends_the_sweep_soon_with_a_suggestion() -> None:
    loop, sink = scheduler(1000, lambda config, trial: trial.report(0, los=1.0))

    error = loop.run()

    assert isinstance(error, SpecError)
    assert "did you mean metric='los'" in str(error)
    assert len(sink.rows["curves"]) < 100


def test_some_failures_do_not_end_a_sweep() -> None:
    def moody(config: dict[str, Any], trial: Any) -> None:
        trial.report(0, loss=1.0)
        if trial.number % 2:
            raise ValueError("odd")

    loop, _ = scheduler(40, moody)
    loop.run()

    assert (loop.counters.completed, loop.counters.failed) == (20, 20)


@pytest.mark.parametrize("stored", [(), ("ACC",)])
@pytest.mark.parametrize("size", [1, 4])
def test_a_metric_has_one_spelling_whichever_trials_and_processes_report_it(
    stored: tuple[str, ...], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def either(config: dict[str, Any], trial: Any) -> None:
        name, loss = ("Acc", "Loss") if trial.number == 2 else ("acc", "loss")
        trial.report(0, **{loss: 1.0, name: float(trial.number)})
        trial.report(1, **{loss.upper(): 2.0, name.upper(): trial.number + 10.0})

    monkeypatch.setattr("caviar.run.engine.scheduler.pack_size", lambda *_, **__: size)
    loop, sink = scheduler(6, either, rest=ResumeState(metrics=stored))
    loop.run()

    (name,) = stored or ("acc",)
    assert {row["state"] for row in sink.ended()} == {"COMPLETED"}
    rows = [(row["trial"], row["step"], row["loss"], row[name]) for row in sink.rows["curves"]]
    assert sorted(rows) == [(t, s, s + 1.0, t + 10.0 * s) for t in range(6) for s in range(2)]
    assert sorted((row["trial"], row[f"last_{name}"], row[f"min_{name}"]) for row in sink.ended()) == [
        (t, t + 10.0, float(t)) for t in range(6)
    ]
    assert {key for row in sink.rows["curves"] for key in row if key.lower() in ("acc", "loss")} == {name, "loss"}


@pytest.mark.parametrize(
    ("stored", "odd", "many", "size"),
    [
        ((), 0, 5, 1),
        ((), 0, 5, 3),
        ((), 1, 4, 1),
        ((), 1, 4, 3),
        ((), 5, 4, 3),
        (("m0", "ACC"), 0, 4, 1),
        (("m0", "ACC"), 4, 4, 3),
    ],
)
@pytest.mark.parametrize("end", ["", "fail"])
def test_too_many_metrics_are_the_end_of_their_trial_only(
    stored: tuple[str, ...], odd: int, many: int, size: int, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("caviar.run.engine.metric_names", "caviar_workers.row_checks"):
        monkeypatch.setattr(f"{place}.MOST_METRICS", 6)
    monkeypatch.setattr("caviar.run.engine.scheduler.pack_size", lambda *_, **__: size)

    def moody(config: dict[str, Any], trial: Any) -> None:
        trial.report(0, loss=1.0, m0=2.0)
        if trial.number == odd:
            trial.report(1, loss=2.0, **{f"odd{i}": 1.0 for i in range(many)})
            if end == "fail":
                raise KeyError("own")
        trial.report(2, loss=3.0, acc=4.0)

    loop, sink = scheduler(6, moody, rest=ResumeState(metrics=stored))
    loop.run()

    acc = "ACC" if stored else "acc"
    ended = {row["trial"]: row for row in sink.ended()}
    assert {trial: row["state"] for trial, row in ended.items() if row["state"] != "COMPLETED"} == {odd: "FAILED"}
    assert "KeyError" in ended[odd]["error"] or "at most 1000 metrics" in ended[odd]["error"]
    assert all(row[f"last_{acc}"] == 4.0 for trial, row in ended.items() if trial != odd)
    assert (loop.counters.completed, loop.counters.failed) == (5, 1)
    for table in sink.rows.values():
        assert not [name for row in table for name in row if "odd" in name]


def test_stopping_starts_nothing_more_and_keeps_what_was_reported() -> None:
    def stopping(config: dict[str, Any], trial: Any) -> None:
        trial.report(0, loss=1.0)
        if trial.number == 5:
            loop.stop()

    loop, sink = scheduler(1000, stopping)
    loop.run()

    assert loop.stopped
    told = [(row["action"], row["decided_by"], row["trial"]) for row in sink.rows["decisions"]]
    assert told == [("stop", "signal", None)]
    done = [row["trial"] for row in sink.ended() if row["state"] == "COMPLETED"]
    assert 5 in done
    assert len(done) < 1000
    assert {row["trial"] for row in sink.rows["curves"]} >= set(done)


def test_diverged_and_failed_trials_never_lead() -> None:
    def wild(config: dict[str, Any], trial: Any) -> None:
        trial.report(0, loss={0: float("nan"), 1: float("-inf"), 2: -5.0}.get(trial.number, 1.0))
        if trial.number == 2:
            raise ValueError("failed after a good value")

    loop, _ = scheduler(6, wild)
    loop.run()

    assert [leader.trial for leader in loop.counters.leaders] == [3, 4, 5]


def test_more_failures_than_allowed_end_the_sweep() -> None:
    def moody(config: dict[str, Any], trial: Any) -> None:
        trial.report(0, loss=1.0)
        if trial.number % 2:
            raise ValueError("odd")

    loop, sink = scheduler(1000, moody, max_failures=3)

    error = loop.run()

    assert isinstance(error, NoResultError)
    assert "more than --max-failures 3" in str(error)
    assert len(sink.ended()) < 100


def test_a_hanging_trial_is_ended_as_failed_and_the_others_complete() -> None:
    def hanging(config: dict[str, Any], trial: Any) -> None:
        trial.report(0, loss=1.0)
        if trial.number == 2:
            time.sleep(1)

    loop, sink = scheduler(8, hanging, doomed={}, trial_timeout=0.2)
    loop._ports = replace(
        loop._ports, executor=Hanging(Program(digest="d", train="train", functions={"train": hanging}), {})
    )
    loop._accounting._ports = loop._ports
    loop.run()

    failed = [row for row in sink.ended() if row["state"] == "FAILED"]
    assert [(row["trial"], row["kind"], row["error"]) for row in failed] == [
        (2, "timeout", "it ran longer than 0.2 seconds")
    ]
    assert loop.counters.completed == 7
    assert 2 in {row["trial"] for row in sink.rows["curves"]}
