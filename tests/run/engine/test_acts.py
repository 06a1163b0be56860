"""Acts on trials in the scheduler's loop: what is done, what is refused, and who hears of it."""

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.run.engine.tables import Tables

from caviar.run.assembly import policies_of
from caviar.run.engine.acts import Act, Acts, breaks_a_rule
from caviar.run.engine.decision_log import Decision
from caviar.run.engine.policy_runner import PolicyRunner
from caviar.run.engine.ports import Ports
from caviar.run.engine.scheduler import Scheduler
from caviar.run.engine.trial_source import GivenTrials, SampledTrials
from caviar.run.engine.work import Work
from caviar.run.executors.executor import LeaseFailure
from caviar.run.executors.simulated import SimulatedDeathError, SimulatedExecutor, Stage
from caviar.run.replay import MemoryCheckpoints
from caviar.search.samplers import make_sampler
from caviar.space import Float, Space
from caviar.spec.plan import Plan
from caviar_workers.trial import Trial

SPACE = Space({"lr": Float(1e-4, 1.0, live=True), "units": Float(0.0, 1.0)})
END = 30


def course(config: dict[str, Any], trial: Trial) -> Iterator[Stage]:
    """Ten virtual seconds an epoch; it says with what each was trained."""
    saved = trial.load()
    for epoch in range(0 if saved is None else saved.step + 1, END):
        yield 10.0, epoch, {"loss": config["lr"] + 1 / (epoch + 1), "rate": config["lr"]}
        trial.save(epoch, b"")


class Sweep:
    """A sweep on virtual workers, in which something is done at some moments."""

    def __init__(self, run: Callable[..., Iterator[Stage]] = course, **given: Any) -> None:
        plan = Plan(**{"name": "s", "metric": "loss", "mode": "min", "trials": 4, "seed": 0, "space": SPACE} | given)
        self.sink = Tables()
        executor = SimulatedExecutor(run, workers=4)
        self.clock = executor.clock
        self.policies = PolicyRunner(policies_of(plan), "loss")
        ports = Ports(executor=executor, sink=self.sink, checkpoints=MemoryCheckpoints(), clock=executor.clock)
        self.loop = Scheduler(
            plan,
            "sweep",
            SampledTrials(plan, make_sampler(plan.sampler, SPACE, 0, plan.trials)),
            ports,
            policies=self.policies,
            acts=Acts(),
            round_s=5.0,
            on_tick=self.tick,
        )
        self.agenda: list[tuple[float, Callable[[], None]]] = []

    def at(self, when: float, trial: int, seen: int = -1, **numbers: Any) -> None:
        """Ask for an edit at a moment."""
        decision = Decision(action="edit", by="user", trial=trial, step=int(when // 10) - 1, numbers=numbers)
        self.agenda.append((when, lambda: self.loop.act(Act(decision=decision, token="t", seen=seen))))

    def tick(self) -> None:
        for one in [one for one in self.agenda if one[0] <= self.clock.time()]:
            self.agenda.remove(one)
            one[1]()

    def rates(self, trial: int) -> list[float]:
        newest = {row["step"]: row["rate"] for row in self.sink.rows["curves"] if row["trial"] == trial}
        return [newest[step] for step in sorted(newest)]

    def decisions(self, *actions: str) -> list[dict[str, Any]]:
        rows = [row for row in self.sink.rows["decisions"] if row["action"] in actions]
        return [row | {"numbers": json.loads(row["numbers"])} for row in rows]


def test_an_edit_is_published_taken_at_a_report_and_that_is_published_before_its_rows() -> None:
    sweep = Sweep()
    sweep.at(105, 1, set={"lr": 0.5})
    sweep.loop.run()

    rates = sweep.rates(1)
    (applied,) = sweep.decisions("applied")
    assert applied["numbers"] == {"edit": 0}
    assert (applied["trial"], applied["attempt"]) == (1, 0)
    assert 9 <= applied["step"] <= 12
    assert rates[applied["step"] + 1 :] == [0.5] * (END - 1 - applied["step"])
    assert 0.5 not in rates[: applied["step"] + 1]
    assert 0.5 not in sweep.rates(0)
    assert [row["trial"] for row in sweep.sink.rows["configs"]] == [0, 1, 2, 3]


def test_an_edit_whose_message_is_lost_is_sent_again_until_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    lost: list[Any] = []
    tell = SimulatedExecutor.tell

    def forgetful(self: SimulatedExecutor, lease: int, message: Any) -> None:
        lost.append(message)
        if len(lost) > 2:
            tell(self, lease, message)

    monkeypatch.setattr(SimulatedExecutor, "tell", forgetful)
    sweep = Sweep()
    sweep.at(105, 1, set={"lr": 0.5})
    sweep.loop.run()

    (applied,) = sweep.decisions("applied")
    assert applied["step"] <= 16
    assert sweep.rates(1)[-1] == 0.5
    assert len(lost) <= 5, "what was taken is sent no more"


def test_what_a_trial_was_told_before_it_was_rolled_back_concerns_it_no_more() -> None:
    made = [
        {"n": 0, "trial": 1, "action": "stop", "decided_by": "user"},
        {"n": 1, "trial": 1, "action": "rollback", "decided_by": "user"},
        {"n": 2, "trial": 2, "action": "stop", "decided_by": "user"},
    ]
    policies = PolicyRunner()
    policies.restore([], made, {})
    assert policies.trials.condemned == [(2, 2)]


def test_a_trial_whose_process_dies_before_it_takes_an_edit_takes_it_where_it_stood() -> None:
    def dying(config: dict[str, Any], trial: Trial) -> Iterator[Stage]:
        for stage in course(config, trial):
            if trial.number == 1 and trial.attempt == 0 and stage[1] == 12:
                raise SimulatedDeathError(LeaseFailure.LOST)
            yield stage

    sweep = Sweep(dying)
    sweep.agenda.append((121.0, lambda: None))
    sweep.at(60, 1, set={"lr": 0.5}, at_step=11)
    sweep.loop.run()

    assert sweep.rates(1)[:12] == [sweep.rates(1)[0]] * 12
    assert sweep.rates(1)[12:] == [0.5] * (END - 12)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"trial": 1, "seen": 3}, "another change came first"),
        ({"trial": 9}, "it has ended"),
        ({"trial": 1, "set": {"units": 0.5}}, "units is not live"),
        ({"trial": 1, "set": {"lr": 2.0}}, "needs a value in"),
        ({"trial": 1, "set": {"lr": [1]}}, "needs a number"),
        ({"trial": 1, "set": {"nothing": 2.0}}, "no parameter"),
        ({"trial": 1, "set": 7}, "none that this version knows"),
        ({"trial": 1, "over": "x"}, "none that this version knows"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_changed(asked: dict[str, Any], why: str) -> None:
    sweep = Sweep()
    sweep.at(105, **{"set": {"lr": 0.5}} | asked)
    sweep.loop.run()

    assert [row["action"] for row in sweep.sink.rows["decisions"]] == ["refuse"]
    (refusal,) = sweep.decisions("refuse")
    assert why in refusal["numbers"]["why"]
    assert refusal["numbers"]["token"] == "t"
    assert refusal["numbers"]["again"] == (asked.get("seen") == 3)
    assert len(set(sweep.rates(1))) == 1


def test_a_parameter_that_is_not_live_may_change_where_train_begins_again() -> None:
    assert breaks_a_rule(SPACE, {"set": {"units": 0.5}, "now": True}) == ""
    assert "needs a value in" in breaks_a_rule(SPACE, {"set": {"units": 99.0}, "now": True})


def test_of_two_edits_at_once_the_second_is_to_look_again() -> None:
    sweep = Sweep()
    sweep.at(105, 1, set={"lr": 0.5})
    sweep.at(105, 1, set={"lr": 0.25})
    sweep.at(150, 1, seen=0, set={"lr": 0.125})
    sweep.loop.run()

    assert [one["numbers"]["again"] for one in sweep.decisions("refuse")] == [True]
    assert [one["numbers"]["set"]["lr"] for one in sweep.decisions("edit")] == [0.5, 0.125]
    assert sweep.rates(1)[-1] == 0.125


def test_a_trial_that_was_told_to_stop_is_not_edited() -> None:
    sweep = Sweep()
    sweep.agenda.append((100, lambda: sweep.loop.decide([Decision(action="stop", by="user", trial=1)])))
    sweep.at(100, 1, set={"lr": 0.5})
    sweep.loop.run()

    assert [one["numbers"]["why"] for one in sweep.decisions("refuse")] == ["it was told to stop"]
    assert sweep.sink.states()[1] == "STOPPED"


def test_the_final_test_of_a_winner_takes_no_edits() -> None:
    plan = Plan(name="s", metric="loss", mode="min", trials=1, seed=0, space=SPACE)
    executor, sink = SimulatedExecutor(course, workers=1), Tables()
    work = Work(trials=(0,), attempts=(0,), seeds=(1,), configs={"lr": (1.0,), "units": (0.5,)})
    decision = Decision(action="edit", by="user", trial=0, numbers={"set": {"lr": 0.5}})
    asked: list[None] = []

    def tick() -> None:
        if not asked:
            asked.append(loop.act(Act(decision=decision, token="t")))  # type: ignore[func-returns-value]

    ports = Ports(executor=executor, sink=sink, clock=executor.clock)
    loop = Scheduler(plan, "sweep", GivenTrials(work), ports, round_s=5.0, on_tick=tick)
    loop.run()
    assert [row["action"] for row in sink.rows["decisions"]] == ["refuse"]


@pytest.mark.parametrize("pausing", [False, True])
def test_who_is_edited_is_judged_no_more_and_is_no_bar_for_others(pausing: bool) -> None:
    """A policy's state is as if the trial had never begun, also in a driver that resumes."""
    sweep = Sweep(trials=12, stopping="asha:eta=3", pausing=pausing)
    sweep.at(15, 0, set={"lr": 1e-4})
    sweep.at(35, 1, set={"lr": 1.0})
    sweep.loop.run()

    edits = {one["trial"]: one["n"] for one in sweep.decisions("edit")}
    judged = [one for one in sweep.decisions("stop", "pause", "go_on") if one["trial"] in edits]
    assert edits
    assert all(one["n"] < edits[one["trial"]] for one in judged)
    assert math.isfinite(sweep.clock.time())
    assert {sweep.sink.states()[trial] for trial in edits} == {"COMPLETED"}


def test_a_paused_trial_that_is_edited_goes_on() -> None:
    sweep = Sweep(trials=12, stopping="asha:eta=3", pausing=True)
    found: list[int] = []

    def edit() -> None:
        paused = next(iter(sorted(sweep.loop.trials._paused)))
        found.append(paused)
        decision = Decision(action="edit", by="user", trial=paused, step=1, numbers={"set": {"lr": 0.5}})
        sweep.loop.act(Act(decision=decision, token="t"))

    sweep.agenda.append((100.0, edit))
    sweep.loop.run()

    (promoted,) = [one for one in sweep.decisions("promote") if one["decided_by"] == "user"]
    assert promoted["trial"] == found[0]
    assert sweep.sink.states()[found[0]] == "COMPLETED"
    assert sweep.rates(found[0])[-1] == 0.5


def ask(sweep: Sweep, when: float, action: str, trial: int) -> None:
    """Ask for a pause, or for its end, at a moment."""
    decision = Decision(action=action, by="user", trial=trial)
    sweep.agenda.append((when, lambda: sweep.loop.act(Act(decision=decision, token=f"{action} {when}"))))


@pytest.mark.parametrize("stopping", ["", "asha:eta=3"])
def test_who_its_user_has_paused_waits_for_its_user_alone(stopping: str) -> None:
    sweep = Sweep(trials=6, stopping=stopping, pausing=bool(stopping))
    ask(sweep, 35, "pause", 0)
    ask(sweep, 40, "pause", 0)
    ask(sweep, 45, "continue", 1)
    sweep.loop.run()

    assert sweep.sink.states()[0] == "PAUSED"
    assert sweep.loop.trials.held == [0]
    others = {state for trial, state in sweep.sink.states().items() if trial}
    assert others == {"COMPLETED"} if not stopping else "STOPPED" not in others, "nobody is exhausted while one is held"
    whys = [one["numbers"]["why"] for one in sweep.decisions("refuse")]
    assert sorted(whys) == ["it is not paused", "it is paused already"]


def test_a_trial_goes_on_from_its_checkpoint_when_its_user_says_so_also_before_it_has_paused() -> None:
    sweep = Sweep()
    ask(sweep, 35, "pause", 0)
    ask(sweep, 150, "continue", 0)
    ask(sweep, 36, "pause", 1)
    ask(sweep, 37, "continue", 1)
    sweep.loop.run()

    assert set(sweep.sink.states().values()) == {"COMPLETED"}
    causes = {(row["trial"], row["attempt"]): row["cause"] for row in sweep.sink.rows["attempts"]}
    assert causes[0, 1] == causes[1, 1] == "continue"
    rows = [(row["trial"], row["step"]) for row in sweep.sink.rows["curves"]]
    assert len(rows) == len(set(rows)), "a step was trained twice"


def test_a_sweep_that_is_paused_begins_nothing_more_and_ends_with_all_at_their_checkpoints() -> None:
    sweep = Sweep(trials=6)
    sweep.agenda.append((35.0, sweep.loop.pause))
    sweep.loop.run()

    assert sweep.sink.states() == dict.fromkeys(range(4), "PAUSED")
    assert sweep.loop.stopped
    assert not sweep.loop.trials.held
