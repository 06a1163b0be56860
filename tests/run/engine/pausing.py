"""A sweep that pauses, on simulated workers in virtual time: what it stores, and what goes on from there."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
from tests.run.engine.tables import Tables

from caviar.run.assembly import policies_of
from caviar.run.engine.decision_log import Decision
from caviar.run.engine.policy_runner import PolicyRunner
from caviar.run.engine.ports import Ports
from caviar.run.engine.scheduler import Scheduler
from caviar.run.engine.trial_source import ResumeState, SampledTrials
from caviar.run.executors.simulated import Course, SimulatedExecutor, Stage
from caviar.run.replay import MemoryCheckpoints
from caviar.search.samplers import make_sampler
from caviar.space import Float, Space
from caviar.spec.plan import Plan
from caviar_workers.states import ENDED
from caviar_workers.trial import Trial

SPACE = Space({"lr": Float(0.0, 1.0)})
END = 30
Row = dict[str, Any]


def course(config: dict[str, Any], trial: Trial) -> Iterator[Stage]:
    """Ten virtual seconds an epoch; the smaller lr, the better. `total` is right if the state was carried on."""
    saved = trial.load()
    first, total = (0, 0.0) if saved is None else (saved.step + 1, float(saved.data))
    for epoch in range(first, END):
        total += config["lr"]
        yield 10.0, epoch, {"loss": config["lr"] + 1.0 / (epoch + 1), "total": total}
        trial.save(epoch, repr(total).encode())


class Run:
    """A sweep that pauses; what it stores, and what goes on from there."""

    def __init__(
        self, trials: int = 30, stopping: str = "asha:eta=3", run: Course = course, *, after: "Run | None" = None
    ) -> None:
        plan = Plan(
            name="s", metric="loss", mode="min", trials=trials, seed=0, space=SPACE, stopping=stopping, pausing=True
        )
        self.sink = Tables()
        self.shelf = MemoryCheckpoints() if after is None else after.shelf
        self.adviser = PolicyRunner(policies_of(plan), "loss")
        rest = ResumeState()
        if after is not None:
            self.sink = after.sink
            rest = after.rest()
            rows = [(row["trial"], row["step"], row["loss"]) for row in after.curve()]
            ended = {trial: state for trial, state in after.states().items() if state in ENDED}
            self.adviser.restore(rows, after.sink.rows["decisions"], ended)
        supply = SampledTrials(plan, make_sampler(plan.sampler, SPACE, 0, trials), rest=rest)
        executor = SimulatedExecutor(run, workers=4)
        self.clock = executor.clock
        self.loop = Scheduler(
            plan,
            "sweep",
            supply,
            Ports(executor=executor, sink=self.sink, checkpoints=self.shelf, clock=executor.clock),
            policies=self.adviser,
            round_s=math.inf,
            on_tick=self.tick,
        )
        self.stop_at = math.inf
        self.asked: dict[int, float] = {}
        """Trial → when the user stops it."""

    def tick(self) -> None:
        if self.clock.time() >= self.stop_at:
            self.loop.stop(at_once=True)
        for trial in [trial for trial, when in self.asked.items() if self.clock.time() >= when]:
            del self.asked[trial]
            self.loop.decide([Decision(action="stop", by="user", trial=trial)])

    def states(self) -> dict[int, str]:
        newest: dict[int, Row] = {}
        for row in self.sink.ended():
            if row["trial"] not in newest or row["attempt"] > newest[row["trial"]]["attempt"]:
                newest[row["trial"]] = row
        return {trial: row["state"] for trial, row in newest.items()}

    def curve(self) -> list[Row]:
        """The live rows, by the rule of the store, in order."""
        starts: dict[int, dict[int, int]] = {}
        for row in self.sink.rows["curves"]:
            starts.setdefault(row["trial"], {})[row["attempt"]] = row["_start"]
        live = [
            row
            for row in self.sink.rows["curves"]
            if all(start > row["step"] for a, start in starts[row["trial"]].items() if a > row["attempt"])
        ]
        return sorted(live, key=lambda row: (row["trial"], row["step"]))

    def rest(self) -> ResumeState:
        """What a driver that comes after would find, as `unfinished` reads it from the store."""
        states = self.states()
        written = len(self.sink.rows["configs"])
        seen: dict[int, int] = {}
        for row in [*self.sink.rows["attempts"], *self.sink.rows["curves"]]:
            seen[row["trial"]] = max(row["attempt"] + 1, seen.get(row["trial"], 0))
        return ResumeState(
            written=written,
            attempts={n: seen.get(n, 0) for n in range(written) if states.get(n) not in ENDED},
            paused=frozenset(n for n, state in states.items() if state == "PAUSED"),
            completed=list(states.values()).count("COMPLETED"),
            decided=len(self.sink.rows["decisions"]),
        )

    def check_curves(self) -> None:
        """Every trial has each step up to its last one once, and the state was carried on."""
        lr = {row["trial"]: row["lr"] for row in self.sink.rows["configs"]}
        steps: dict[int, list[int]] = {}
        for row in self.curve():
            steps.setdefault(row["trial"], []).append(row["step"])
            assert row["total"] == pytest.approx(lr[row["trial"]] * (row["step"] + 1))
        assert all(found == list(range(len(found))) for found in steps.values())
        completed = [trial for trial, state in self.states().items() if state == "COMPLETED"]
        assert {len(steps[trial]) for trial in completed} == {END}

    def check_end(self, trials: int = 30) -> None:
        assert sorted(self.states()) == list(range(trials))
        assert set(self.states().values()) == {"COMPLETED", "STOPPED"}
        assert self.loop.trials.paused == 0
        self.check_curves()
