"""Each row that counts was trained with what the fold of the decisions says, whoever is killed and when.

The stories of `test_histories`, in which trials are edited too: at once, ahead, and in ramps.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import pyarrow as pa
import pytest
from tests.run import test_histories
from tests.run.test_histories import STEPS, TRIALS, Killed, Story, mortal

from caviar.errors import SpecError
from caviar.results.edits import acts_of, edit_of, standing
from caviar.results.open_sweep import OpenSweep, open_sweep
from caviar.run.acts import Wish, look_back, roll_back
from caviar.run.engine.acts import Act
from caviar.run.engine.decision_log import Decision
from caviar.run.engine.scheduler import Scheduler
from caviar.run.executors.simulated import SimulatedExecutor, Stage
from caviar.run.forks import ForkWish, asked_of, look_to_fork
from caviar.space import Float
from caviar.store.checkpoints import cuts_of
from caviar.store.finalize import finalize
from caviar.store.writer import Published, Publisher
from caviar_workers.schedule import config_at
from caviar_workers.tables import FORKED, TABLES
from caviar_workers.trial import Trial

__all__ = ["mortal"]


class EditedStory(Story):
    """One sweep whose trials are edited while they run, pause or wait."""

    edits = 0
    rollbacks = 0
    live_rollbacks = 0
    forks = 0

    def act(self, loop: Scheduler) -> None:
        """Edit a trial now and then, or roll it back."""
        chance = self.chance
        if chance.random() > 0.5:
            return
        if chance.random() < 0.4:
            chance.choice([self.roll_back, self.roll_back, self.fork])(loop)
            return
        wish = chance.choice(["*0.5", "/4", f"{chance.random():.6f}"])
        over = chance.choice([None, None, 2, 3])
        with self.opened() as opened:
            try:
                now = standing(opened, chance.randrange(TRIALS))
                ahead = chance.choice([None, None, (now.step or 0) + chance.randrange(3)])
                edit = edit_of(opened, now, {"lr": wish}, at_step=ahead, over=over)
            except (SpecError, LookupError):  # it has ended, or was not drawn yet
                return
        self.edits += 1
        numbers = edit.numbers() | {"token": str(self.edits)}
        decision = Decision(action="edit", by="user", trial=now.trial, step=now.step, numbers=numbers)
        loop.act(Act(decision=decision, token=str(self.edits), seen=now.seen))

    def roll_back(self, loop: Scheduler) -> None:
        """Ask for a rollback of some trial, as another shell would."""
        wish = Wish(values={"lr": "/3"} if self.chance.random() < 0.5 else {})
        with self.opened() as opened:
            try:
                trial, step = self.chance.randrange(TRIALS), self.chance.randrange(STEPS)
                now, back = look_back(opened, trial, wish, step)
            except (SpecError, LookupError):  # it has no checkpoint there, or was not drawn yet
                return
        self.live_rollbacks += 1
        token = f"back {self.live_rollbacks}"
        facts = {"step": now.step, "attempt": now.attempt, "numbers": back.numbers() | {"token": token}}
        decision = Decision(action="rollback", by="user", trial=trial, **facts)  # type: ignore[arg-type]
        loop.act(Act(decision=decision, token=token, seen=now.seen))

    def fork(self, loop: Scheduler) -> None:
        """Ask for two trials from a checkpoint of another one, on whichever branch."""
        wish = ForkWish(branch=self.chance.choice([None, None, 0]), k=2, space={"lr": Float(0.0, 1.0)}, values={})
        with self.opened() as opened:
            trial = self.chance.choice([*range(TRIALS), FORKED])
            try:
                now, branch, save, children = look_to_fork(opened, trial, wish)
            except (SpecError, LookupError):  # it has no checkpoint, or was not drawn yet
                return
        self.forks += 1
        token = f"fork {self.forks}"
        numbers = asked_of(branch, save, children) | {"token": token}
        decision = Decision(action="fork", by="user", trial=trial, numbers=numbers)
        loop.act(Act(decision=decision, token=token, seen=now.seen))

    def act_between(self) -> None:
        """Roll a trial back now and then, perhaps one that has ended."""
        for trial in range(TRIALS):
            if self.chance.random() < 0.5:
                wish = Wish(values={"lr": "/3"} if self.chance.random() < 0.5 else {})
                with suppress(SpecError, LookupError):  # it has no checkpoint there, or was not drawn yet
                    roll_back(self.store, self.sweep, trial, wish, to_step=self.chance.randrange(STEPS), say=print)
                    self.rollbacks += 1

    def opened(self) -> AbstractContextManager[OpenSweep]:
        return open_sweep(self.store, self.sweep, print)

    def look(self) -> None:
        super().look()
        with self.opened() as opened:
            there = "rate" in opened.views.metrics()
            rows = opened.rows("SELECT trial, step, loss, rate FROM curves") if there else []
            known = {trial: standing(opened, trial) for trial in {row["trial"] for row in rows}}
            cuts = {trial: cuts_of(acts_of(opened, trial)) for trial in known}
            lineage = opened.rows("SELECT * FROM lineage WHERE trial <> ancestor ORDER BY part DESC")
        origins = {(row["trial"]): (row["ancestor"], row["attempt"], row["last_step"]) for row in reversed(lineage)}
        for one in self.executions:
            if one.trial >= FORKED and one.parent is not None and one.parent.trial != one.trial:
                assert (one.parent.trial, one.parent.attempt, one.step) == origins[one.trial], "of another's checkpoint"
        for row in rows:
            now, attempt = known[row["trial"]], self.of_value[row["loss"]]
            before = max((step for step, _ in attempt.rows if step < row["step"]), default=attempt.step)
            if any(attempt.attempt <= cut.attempt and row["step"] > cut.step for cut in cuts[row["trial"]]):
                continue  # it was rolled back, and has not gone on yet
            if before < 0 < attempt.attempt:
                continue  # it did not load its checkpoint perhaps, and began with what holds there
            taken = [one for one in now.changes if one.settled]  # it may end before it takes one
            told = config_at(now.first, taken, before + 1)["lr"]  # as it was given after the report before
            assert row["rate"] == told, f"step {row['step']} of trial {row['trial']} was trained with another lr"


@pytest.mark.usefixtures("mortal")
def test_each_row_was_trained_with_what_the_decisions_tell(tmp_path: Path) -> None:
    """Mostly one story will do; on a busy machine lives end elsewhere, and less may be done in one."""
    told: list[EditedStory] = []
    for seed in (1, 5, 2, 7):
        story = EditedStory(tmp_path / f"store-{seed}", seed)
        story.tell()
        see_that_all_ended(story)
        told.append(story)
        if much_was_done(told):
            return
    raise AssertionError("too little was done in these stories")


def much_was_done(told: Sequence[EditedStory]) -> bool:
    edits, at_rest = sum(one.edits for one in told), sum(one.rollbacks for one in told)
    return edits > 3 and at_rest > 1 and any(one.live_rollbacks for one in told) and any(one.forks for one in told)


def see_that_all_ended(story: EditedStory) -> None:
    with story.opened() as opened:
        decided = {row["trial"] for row in opened.rows("SELECT trial FROM decisions WHERE action = 'fork'")}
        states = {row["trial"]: row["state"] for row in opened.rows("SELECT trial, state FROM trials")}
    assert {trial for trial in states if trial >= FORKED} == decided
    assert set(states.values()) <= {"COMPLETED", "FAILED"}


@pytest.mark.nightly
@pytest.mark.usefixtures("mortal")
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("block", range(5))
def test_nor_is_there_another_row_in_hundreds_of_stories(tmp_path: Path, block: int) -> None:
    for seed in range(2000 + block * 100, 2100 + block * 100):
        try:
            EditedStory(tmp_path / f"{seed}", seed).tell()
        except BaseException as error:
            error.add_note(f"story {seed}")
            raise


class Chronicle(EditedStory):
    """One trial that is edited three times; its driver dies after so many files."""

    def __init__(self, home: Path, files: int) -> None:
        super().__init__(home, 0)
        self.files = files
        self.agenda = [{"wish": "*0.5", "over": None}, {"wish": "/4", "over": 3}, {"wish": "0.9", "over": None}]

    def course(self, config: dict[str, float], trial: Trial) -> Iterator[Stage]:
        """Report each step, and save after each second one."""
        saved = trial.load()
        for step in range(0 if saved is None else saved.step + 1, 30):
            yield 0.5, step, {"loss": float(trial.attempt * 100 + step), "rate": config["lr"]}
            if step % 2:
                trial.save(step, b"")

    def act(self, loop: Scheduler) -> None:
        with self.opened() as opened:
            try:
                now = standing(opened, 0)
            except LookupError:
                return
            if len(now.changes) == 3 or (now.step or 0) < 6 * (len(now.changes) + 1):
                return
            asked = self.agenda[len(now.changes)]
            edit = edit_of(opened, now, {"lr": asked["wish"]}, over=asked["over"])  # type: ignore[arg-type]
        numbers = edit.numbers() | {"token": str(len(now.changes))}
        decision = Decision(action="edit", by="user", trial=0, step=now.step, numbers=numbers)
        loop.act(Act(decision=decision, token=numbers["token"], seen=now.seen))

    def live(self, *, last: bool) -> SimulatedExecutor:
        left = math.inf if last else self.files
        publish = Publisher.publish

        def some(own: Publisher, rows: Mapping[str, Sequence[pa.Table]]) -> Published:
            """Publish a tick's files one after the other, until the driver dies."""
            nonlocal left
            done = Published(files=0, rows=0, size=0)
            for table in TABLES:
                if table in rows:
                    if left <= 0:
                        raise Killed
                    left -= 1
                    done = publish(own, {table: rows[table]})
            return done

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Publisher, "publish", some)
            patch.setattr(test_histories, "TRIALS", 1)
            try:
                return super().live(last=last)
            except Killed:
                return SimulatedExecutor(self.course, workers=1)
            finally:
                self.died = left <= 0

    def tell(self) -> None:
        """Two lives, the first of them cut short."""
        self.plan = dataclasses.replace(self.plan, trials=1)
        self.chance.random = lambda: 0.01  # type: ignore[method-assign]  # the sink publishes all at once
        self.live(last=False)
        self.live(last=True)
        self.vault.finish()
        finalize(self.sweep, self.epoch)
        with self.opened() as opened:
            now = standing(opened, 0)
            rows = opened.rows("SELECT step, rate FROM _curves ORDER BY _row")
        assert [row["step"] for row in rows] == list(range(30))
        assert [row["rate"] for row in rows] == [config_at(now.first, now.changes, step)["lr"] for step in range(30)]
        assert [one.settled for one in now.changes] == [True] * 3, "an edit that was accepted is lost"
        assert rows[-1]["rate"] == 0.9


@pytest.mark.usefixtures("mortal")
@pytest.mark.parametrize("files", [15, *(pytest.param(n, marks=pytest.mark.nightly) for n in range(25))])
def test_a_driver_that_dies_at_any_file_leaves_edits_whole(tmp_path: Path, files: int) -> None:
    Chronicle(tmp_path / "store", files).tell()
