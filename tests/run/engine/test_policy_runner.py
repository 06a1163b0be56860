"""Stop policies at work: on simulated workers, in virtual time, through the real scheduler."""

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest
from tests.run.engine.tables import Tables

from caviar.run.assembly import policies_of
from caviar.run.engine.policy_runner import PolicyRunner
from caviar.run.engine.ports import Ports
from caviar.run.engine.scheduler import Scheduler
from caviar.run.engine.trial_source import ResumeState, SampledTrials
from caviar.run.executors.executor import VirtualClock
from caviar.run.executors.simulated import Course, SimulatedExecutor, Stage
from caviar.search.samplers import make_sampler
from caviar.search.stopping import parse_stopping
from caviar.space import Float, Space
from caviar.spec.plan import Plan
from caviar_workers.messages import Message
from caviar_workers.trial import Trial

SPACE = Space({"lr": Float(0.0, 1.0)})
END = 30


def course(config: dict[str, Any], trial: Trial) -> Iterator[Stage]:
    """Ten virtual seconds an epoch; the smaller lr, the better."""
    for epoch in range(END):
        yield 10.0, epoch, {"loss": config["lr"] + 1.0 / (epoch + 1)}


def diverging(config: dict[str, Any], trial: Trial) -> Iterator[Stage]:
    """Ten virtual seconds an epoch; from the fifth on, the loss of every third trial is no number."""
    for epoch in range(END):
        lost = epoch >= 4 and trial.number % 3 == 0
        yield 10.0, epoch, {"loss": (math.nan, math.inf)[trial.number % 2] if lost else config["lr"], "other": math.nan}


def sweep(
    trials: int,
    stopping: str,
    rest: ResumeState | None = None,
    run: Course = course,
    *,
    diverged: bool = False,
    workers: type[SimulatedExecutor] = SimulatedExecutor,
    tables: Callable[[VirtualClock], Tables] = lambda _: Tables(),
    **restore: Any,
) -> tuple[Scheduler, Tables]:
    plan = Plan(
        name="s",
        metric="loss",
        mode="min",
        trials=trials,
        seed=0,
        space=SPACE,
        stopping=stopping,
        stop_on_divergence=diverged,
    )
    adviser = PolicyRunner(policies_of(plan), "loss")
    if restore:
        adviser.restore(**restore)
    supply = SampledTrials(plan, make_sampler(plan.sampler, SPACE, 0, trials), rest=rest or ResumeState())
    executor = workers(run, workers=4)
    sink = tables(executor.clock)
    loop = Scheduler(
        plan,
        "sweep",
        supply,
        Ports(executor=executor, sink=sink, clock=executor.clock),
        policies=adviser,
        round_s=math.inf,
    )
    return loop, sink


def states(sink: Tables) -> dict[int, str]:
    return {row["trial"]: row["state"] for row in sink.ended()}


@pytest.mark.parametrize("stopping", ["asha:eta=3", "hyperband:eta=3", "median", "extrapolate"])
def test_stopping_really_stops(stopping: str) -> None:
    loop, sink = sweep(28, stopping)
    loop.run()

    found = states(sink)
    assert sorted(found) == list(range(28))
    assert set(found.values()) == {"COMPLETED", "STOPPED"}
    assert loop.counters.completed + loop.counters.stopped == 28
    stopped = [row for row in sink.ended() if row["state"] == "STOPPED"]
    assert all(row["rows"] < END for row in stopped)
    assert len(sink.rows["curves"]) < 0.8 * 28 * END


def test_a_stopped_trial_ends_at_the_step_after_the_one_that_it_was_judged_at() -> None:
    loop, sink = sweep(28, "asha:eta=3")
    loop.run()

    last = {row["trial"]: row["step"] for row in sink.ended()}
    stops = [row for row in sink.rows["decisions"] if row["action"] == "stop"]
    assert stops
    assert {last[row["trial"]] - row["step"] for row in stops} == {1}


def test_the_best_trial_is_not_stopped_and_every_decision_has_its_numbers() -> None:
    loop, sink = sweep(28, "asha:eta=3")
    loop.run()

    lr = {row["trial"]: row["lr"] for row in sink.rows["configs"]}
    assert states(sink)[min(lr, key=lr.__getitem__)] == "COMPLETED"
    for row in sink.rows["decisions"]:
        numbers = json.loads(row["numbers"])
        assert row["decided_by"] == "asha:eta=3"
        assert (row["action"] == "stop") == (numbers["rank"] > numbers["kept"])
        assert row["step"] in (1, 3, 9, 27)


def test_decisions_are_published_after_the_rows_that_they_rest_on_and_before_the_trial_ends() -> None:
    loop, sink = sweep(12, "asha:eta=3")
    loop.run()

    assert sink.order.index("curves") < sink.order.index("decisions")
    assert sink.order[-1] == "attempts"


class Slow(Tables):
    """Each publication takes a tenth of a virtual second; handfuls of decisions are counted."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self.clock = clock
        self.handfuls = 0

    def add(self, table: str, data: pa.Table) -> None:
        super().add(table, data)
        self.handfuls += table == "decisions"

    def flush(self) -> None:
        super().flush()
        self.clock.advance(self.clock.time() + 0.1)


def test_where_publishing_takes_time_decisions_are_published_by_the_handful_and_all_are_done() -> None:
    loop, sink = sweep(60, "asha:eta=3", run=quick, tables=Slow)
    loop.run()

    decided = sink.rows["decisions"]
    assert isinstance(sink, Slow)
    assert sink.handfuls < len(decided) / 2
    assert [row["n"] for row in decided] == list(range(len(decided)))
    told = {row["trial"] for row in decided if row["action"] == "stop"}
    assert {trial for trial, state in states(sink).items() if state == "STOPPED"} <= told
    assert len(states(sink)) == 60


def quick(config: dict[str, Any], trial: Trial) -> Iterator[Stage]:
    """A twentieth of a virtual second an epoch; trials are out of step with each other."""
    for epoch in range(END):
        yield 0.05 + trial.number % 7 / 1000, epoch, {"loss": config["lr"] + 1.0 / (epoch + 1)}


def test_without_a_policy_nobody_is_judged() -> None:
    plan = Plan(name="s", metric="loss", mode="min", trials=5, seed=0, space=SPACE)
    executor = SimulatedExecutor(course, workers=4)
    sink = Tables()
    supply = SampledTrials(plan, make_sampler(plan.sampler, SPACE, 0, 5))
    Scheduler(plan, "sweep", supply, Ports(executor=executor, sink=sink, clock=executor.clock), round_s=math.inf).run()

    assert sink.rows["decisions"] == []
    assert len(sink.rows["curves"]) == 5 * END


def test_a_resumed_sweep_keeps_what_was_decided() -> None:
    """Stored decisions stand: who was told to stop is not trained again, and no rung is judged twice."""
    loop, sink = sweep(28, "asha:eta=3")
    loop.run()
    cut = 20
    ended = {trial: state for trial, state in states(sink).items() if trial < cut}
    told = next(row["trial"] for row in sink.rows["decisions"] if row["action"] == "stop" and row["trial"] < cut)
    running = next(trial for trial, state in ended.items() if state == "COMPLETED")
    del ended[told], ended[running]
    rows = sorted((row["trial"], row["step"], row["loss"]) for row in sink.rows["curves"] if row["trial"] < cut)
    made = [row for row in sink.rows["decisions"] if row["trial"] < cut]
    rest = ResumeState(written=cut, attempts={told: 1, running: 1}, completed=1, decided=len(made))
    again, later = sweep(28, "asha:eta=3", rest, rows=rows, decisions=made, ended=ended)
    again.run()

    found = states(later)
    assert sorted(found) == sorted([told, running, *range(cut, 28)])
    assert found[told] == "STOPPED", "it ran before"
    assert again.trials.condemned == [], "policies and searcher know that it is over"
    assert found[running] == "COMPLETED"
    assert told not in {row["trial"] for row in later.rows["curves"]}
    assert {row["trial"] for row in later.rows["decisions"]} <= set(range(cut, 28))
    assert min(row["n"] for row in later.rows["decisions"]) == len(made)


def test_a_trial_whose_rows_come_with_its_end_is_not_judged() -> None:
    adviser = PolicyRunner({"asha": parse_stopping("asha").policy(mode="min", pausing=False)}, "loss")
    loop, sink = sweep(6, "patience:steps=29")  # nobody is stopped by this one
    loop.run()

    adviser.hear(pa.Table.from_pylist(sink.rows["curves"]), pa.Table.from_pylist(sink.ended()))

    assert adviser.decisions() == []


def test_it_knows_whether_anybody_was_judged() -> None:
    """Trials that are over before their first rows arrive are not: whoever asked for a policy is told."""

    def quick(config: dict[str, Any], trial: Trial) -> Iterator[Stage]:
        for epoch in range(END):
            yield 0.001, epoch, {"loss": config["lr"]}

    slow, hasty = (sweep(8, "asha", run=run)[0] for run in (course, quick))
    for loop in (slow, hasty):
        loop.run()

    assert (slow.judged, hasty.judged) == (True, False)


@pytest.mark.parametrize("stopping", ["", "asha:eta=3"])
def test_a_trial_that_diverges_is_stopped_if_that_is_asked_for(stopping: str) -> None:
    loop, sink = sweep(12, stopping, run=diverging, diverged=True)
    loop.run()

    lost = range(0, 12, 3)
    rows = {row["trial"]: row for row in sink.ended()}
    made = {row["trial"]: row for row in sink.rows["decisions"] if row["decided_by"] == "stop_on_divergence"}
    assert set(made) <= set(lost)
    assert set(made) == set(lost) or stopping
    assert {row["action"] for row in made.values()} == {"stop"}
    assert all((row["step"], math.isfinite(row["value"])) == (4, False) for row in made.values())
    assert all((rows[n]["state"], rows[n]["step"], rows[n]["diverged"]) == ("STOPPED", 5, True) for n in made)
    assert stopping or {rows[n]["state"] for n in range(12) if n not in lost} == {"COMPLETED"}


def test_a_trial_that_diverges_is_trained_on_if_nobody_asks() -> None:
    loop, sink = sweep(6, "", run=diverging)
    loop.run()

    assert {(row["state"], row["step"]) for row in sink.ended()} == {("COMPLETED", END - 1)}
    assert sorted(row["trial"] for row in sink.ended() if row["diverged"]) == [0, 3]


def test_a_diverged_trial_that_was_told_to_stop_is_not_trained_again_when_the_sweep_is_resumed() -> None:
    first, sink = sweep(4, "", run=diverging, diverged=True)
    first.run()
    made = sink.rows["decisions"]
    rows = [(row["trial"], row["step"], row["loss"]) for row in sink.rows["curves"] if row["step"] < 5]
    rest = ResumeState(written=4, attempts={0: 1, 3: 1}, completed=2, decided=len(made))
    ended = {1: "COMPLETED", 2: "COMPLETED"}
    again, later = sweep(4, "", rest, diverging, diverged=True, rows=rows, decisions=made, ended=ended)
    again.run()

    assert states(later) == {0: "STOPPED", 3: "STOPPED"}
    assert later.rows["curves"] == []


class Deadly(SimulatedExecutor):
    """The process of a trial that is told to stop dies before the trial has heard of it, the first time."""

    def tell(self, lease: int, message: Message) -> None:
        if message.attempt == 0:
            self.kill(lease)
        else:
            super().tell(lease, message)


def test_a_trial_whose_process_dies_before_it_has_stopped_is_not_trained_again() -> None:
    loop, sink = sweep(24, "asha:eta=3", workers=Deadly)
    loop.run()

    told = {row["trial"] for row in sink.rows["decisions"] if row["action"] == "stop"}
    assert told
    assert {states(sink)[trial] for trial in told} == {"STOPPED"}
    assert {row["attempt"] for row in sink.rows["curves"]} == {0}
    assert loop.counters.ended == 24


def rows(*heard: tuple[int, int, int, float]) -> pa.Table:
    """Rows of trial, attempt, step and loss, of executions that began at step 0."""
    return pa.Table.from_pylist(
        [
            {"trial": trial, "attempt": attempt, "_start": 0, "step": step, "loss": loss}
            for trial, attempt, step, loss in heard
        ]
    )


def stopped(stopping: str, *batches: pa.Table) -> set[int]:
    """Who is told to stop, as these are heard."""
    adviser = PolicyRunner({stopping: parse_stopping(stopping).policy(mode="min", pausing=False)}, "loss")
    for batch in batches:
        adviser.hear(batch, None)
    return {one.trial for one in adviser.decisions() if one.trial is not None and one.action == "stop"}


@pytest.mark.parametrize("stopping", ["asha:eta=3", "hyperband:eta=3", "median", "patience:steps=1", "extrapolate"])
def test_of_two_reports_of_a_step_that_come_together_the_later_one_is_judged(stopping: str) -> None:
    others = [rows(*((trial, 0, step, 1.0 - step / 100) for step in range(4))) for trial in range(8)]

    assert 8 not in stopped(stopping, *others, rows((8, 0, 0, 1.0), (8, 0, 1, 100.0), (8, 0, 1, 0.001)))
    assert stopping == "extrapolate" or 8 in stopped(stopping, *others, rows((8, 0, 0, 1.0), (8, 0, 1, 100.0)))


@pytest.mark.parametrize("stopping", ["asha:eta=3", "hyperband:eta=3,brackets=1", "median:least=1"])
def test_nobody_is_held_against_rows_of_an_execution_that_began_again(stopping: str) -> None:
    lucky, slow = rows((0, 0, 1, 0.001)), rows((0, 1, 1, 10.0), (0, 1, 2, 10.0))
    others = rows((1, 0, 1, 5.0))

    assert stopped(stopping, lucky, others) == {1}
    assert stopped(stopping, lucky, slow, others) == stopped(stopping, slow, others) == set()


def test_patience_counts_from_the_best_value_of_the_curve() -> None:
    better = rows(*((0, 1, step, 10.0 - step / 10) for step in range(12)))

    assert stopped("patience:steps=5", rows((0, 0, 0, 9.0), (0, 0, 3, 0.001)), better) == set()
