"""No execution goes on from a state whose rows are not its trial's living history, whoever is killed and when.

Leases of several trials that save and load run on virtual workers, and their rows and checkpoints go to a real store.
Workers die within a lease; the driver dies between two rounds, perhaps in the midst of a publication; its workers live
on for a while, even beside the next driver. Every value that is reported is like no other, and a checkpoint holds which
execution saved it. So it can be told whose state an execution had, and whether the curve is that of its forefathers.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pytest

from caviar.run.assembly import acts_of
from caviar.run.engine.acts import Acts
from caviar.run.engine.checkpoint_store import StoredCheckpoints
from caviar.run.engine.ports import Ports
from caviar.run.engine.scheduler import Scheduler
from caviar.run.engine.trial_source import SampledTrials
from caviar.run.engine.work import Kept, Pinned, Work
from caviar.run.executors.simulated import SimulatedDeathError, SimulatedExecutor, Stage
from caviar.run.resume import unfinished
from caviar.search.samplers import make_sampler
from caviar.space import Float, Space
from caviar.spec.plan import Plan
from caviar.store import Store, SweepDir, Views
from caviar.store.check import check
from caviar.store.checkpoints import discard_unrecorded
from caviar.store.finalize import finalize
from caviar.store.owner import Owner, Sighting
from caviar.store.writer import Publisher
from caviar_workers.tables import TABLES
from caviar_workers.trial import Trial

TRIALS, STEPS, LIVES = 10, 7, 4
SPACE = Space({"lr": Float(0.0, 1.0, live=True)})


class Prompt(StoredCheckpoints):
    """Waits for what it looks up, so that virtual time stands still meanwhile."""

    def look_up(self, work: Work) -> Future[Kept]:
        found = super().look_up(work)
        found.exception()
        return found

    def pin(self, trial: int, attempt: int, step: int, *, living: bool) -> Future[Pinned | None]:
        found = super().pin(trial, attempt, step, living=living)
        found.exception()
        return found


class Killed(BaseException):
    """The driver is dead."""


@dataclass(eq=False, slots=True)
class Attempt:
    """What one execution of a trial did, as itself knows it."""

    number: int
    trial: int
    attempt: int
    parent: Attempt | None = None
    step: int = -1
    """Of the checkpoint that it went on from."""
    rows: list[tuple[int, float]] = field(default_factory=list)
    """(step, value) reported, in order."""

    def forefathers(self) -> list[float]:
        """Values that led to its first row."""
        if self.parent is None or self.parent.trial != self.trial:  # the curve of who was forked is its own
            return []
        return self.parent.forefathers() + [value for step, value in self.parent.rows if step <= self.step]


class Sink:
    """Publishes now and then; what waits dies with the driver, or some of it."""

    def __init__(self, sweep: SweepDir, epoch: int, chance: random.Random) -> None:
        self._publisher = Publisher(sweep, epoch)
        self._chance = chance
        self._waiting: list[tuple[str, pa.Table]] = []
        self._added = self._done = 0

    def add(self, table: str, data: pa.Table) -> None:
        self._waiting.append((table, data))
        self._added += 1
        if self._chance.random() < 0.06:
            self.flush()

    def mark(self) -> int:
        return self._added

    def reached(self, mark: int) -> bool:
        return self._done >= mark

    def has_room(self, timeout: float) -> bool:
        return True

    def flush(self) -> None:
        self._publish(TABLES)
        self._done = self._added

    def die(self) -> None:
        """A tick's files appear one after the other."""
        self._publish(TABLES[: self._chance.randrange(len(TABLES))])

    def _publish(self, tables: tuple[str, ...]) -> None:
        rows: dict[str, list[pa.Table]] = {}
        for table, data in self._waiting:
            if table in tables:
                rows.setdefault(table, []).append(data)
        self._waiting = []
        if rows:
            self._publisher.publish(rows)


class Story:
    """One sweep, from its first driver to its end."""

    def __init__(self, home: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        keep = self.chance.choice([1, 1, 2])
        self.plan = Plan(name="s", metric="loss", mode="min", trials=TRIALS, seed=0, space=SPACE, keep_checkpoints=keep)
        self.store = Store.open(home, create=True)
        self.sweep = self.store.create_sweep({"plan": self.plan.to_json()}, b"code")
        self.executions: list[Attempt] = []
        self.of_value: dict[float, Attempt] = {}
        self.deadly = 0.05
        self.zombies: list[SimulatedExecutor] = []
        """Workers of drivers that died."""

    def course(self, config: dict[str, float], trial: Trial) -> Iterator[Stage]:
        """Reports most steps, and saves after most; some executions load nothing, and some fail before they could."""
        chance = self.chance
        execution = Attempt(len(self.executions), trial.number, trial.attempt)
        self.executions.append(execution)
        if chance.random() < 0.02:
            raise ValueError("before anything")
        saved = trial.load() if chance.random() < 0.95 else None
        if saved is not None:
            execution.parent, execution.step = self.executions[int(saved.data)], saved.step
        eager = chance.random() < 0.7
        for step in range(execution.step + 1, STEPS):
            if chance.random() < self.deadly:
                raise SimulatedDeathError
            if eager or step == STEPS - 1 or chance.random() < 0.3:
                value = float(len(self.of_value))
                self.of_value[value] = execution
                execution.rows.append((step, value))
                yield 0.08, step, {"loss": value, "rate": config["lr"]}
            if chance.random() < 0.6:
                trial.save(step, b"%d" % execution.number)

    def live(self, *, last: bool) -> SimulatedExecutor:
        """One driver's life; returns its workers, who may not know that it is dead."""
        self.epoch = self.sweep.claim()
        discard_unrecorded(self.store, self.sweep)
        rest = unfinished(self.store, self.sweep, retry_failed=True)
        for zombie in self.zombies:
            zombie.poll(1.0)
        supply = SampledTrials(self.plan, make_sampler(self.plan.sampler, SPACE, 0, TRIALS), rest=rest)
        self.sink = Sink(self.sweep, self.epoch, self.chance)
        acts = Acts()
        with Views(self.store, [self.sweep]) as views:
            acts.restore(acts_of(views))
        self.vault = Prompt(self.store, self.sweep, self.plan, self.sink, self.epoch, acts.all_cuts, acts.forks)
        executor = SimulatedExecutor(self.course, workers=2)
        rounds = math.inf if last else self.chance.randrange(1, 25)

        def tick() -> None:
            nonlocal rounds
            self.act(loop)
            rounds -= 1
            if rounds <= 0:
                raise Killed

        loop = Scheduler(
            self.plan,
            self.sweep.id,
            supply,
            Ports(executor=executor, sink=self.sink, checkpoints=self.vault, clock=executor.clock),
            acts=acts,
            round_s=math.inf,
            on_tick=tick,
        )
        try:
            loop.run()
        except Killed:
            self.sink.die()
            return executor
        self.sink.flush()
        self.vault.settle()
        assert len(self.vault) == 0, "checkpoints of trials that ended are remembered"
        return executor

    def act(self, loop: Scheduler) -> None:
        """What somebody does to trials by hand after a round: nothing."""

    def act_between(self) -> None:
        """What somebody does to trials by hand while nobody runs the sweep: nothing."""

    def tell(self) -> None:
        """All of it, looked at after each driver."""
        for life in range(LIVES):
            last = life == LIVES - 1
            self.deadly = 0.01 if last else 0.06
            executor = self.live(last=last)
            executor.poll(self.chance.random() * 0.4)  # a worker does not know at once that its driver is dead
            self.zombies.append(executor)
            self.look()
            if not last:
                self.act_between()
        self.vault.finish()
        finalize(self.sweep, self.epoch)
        self.look()
        assert check(self.sweep) == []
        assert not list(Path(str(self.sweep.path)).rglob("*.aside"))

    def look(self) -> None:
        """Every curve is one execution's, and that of those whose state it went on from."""
        with Views(self.store, [self.sweep]) as views:
            sql = "SELECT trial, loss FROM curves ORDER BY trial, attempt, step"
            found = views.execute(sql).fetchall() if "loss" in views.metrics() else []
        curves: dict[int, list[float]] = {}
        for trial, value in found:
            curves.setdefault(trial, []).append(value)
        for trial, values in curves.items():
            newest = self.of_value[values[-1]]
            own = [value for value in values if self.of_value[value] is newest]
            assert values == newest.forefathers() + own, f"trial {trial}, attempt {newest.attempt}, is spliced"
            assert own == [value for _, value in newest.rows[: len(own)]], f"trial {trial} has a hole"
        names = {(one.trial, one.attempt) for one in map(self.of_value.get, (value for _, value in found)) if one}
        assert len(names) == len({self.of_value[value].number for _, value in found}), "a number was used twice"


@pytest.fixture
def mortal(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process stands for many: whoever claims a sweep after another takes that one for dead."""

    def dead(owner: Owner | None, epoch: int, _age: object) -> Sighting:
        return Sighting(epoch=epoch, standing="silent", owner=owner)

    monkeypatch.setattr("caviar.store.owner.sight", dead)


@pytest.mark.usefixtures("mortal")
@pytest.mark.parametrize("seed", [0, 6])
def test_no_execution_goes_on_from_a_state_that_is_not_its_curve_s(tmp_path: Path, seed: int) -> None:
    Story(tmp_path / "store", seed).tell()


@pytest.mark.nightly
@pytest.mark.usefixtures("mortal")
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("block", range(20))
def test_nor_does_any_of_thousands(tmp_path: Path, block: int) -> None:
    for seed in range(1000 + block * 100, 1100 + block * 100):
        try:
            Story(tmp_path / f"{seed}", seed).tell()
        except BaseException as error:
            error.add_note(f"story {seed}")
            raise
