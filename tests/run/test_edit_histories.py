"""Each row that counts was trained with what the fold of the decisions says, whoever is killed and when.

The stories of `test_histories`, in which trials are edited too: at once, ahead, and in ramps.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from tests.run.test_histories import TRIALS, Story, mortal

from caviar.errors import SpecError
from caviar.results.edits import edit_of, standing
from caviar.results.open_sweep import OpenSweep, open_sweep
from caviar.run.engine.acts import Act
from caviar.run.engine.decision_log import Decision
from caviar.run.engine.scheduler import Scheduler
from caviar_workers.schedule import config_at

__all__ = ["mortal"]


class EditedStory(Story):
    """One sweep whose trials are edited while they run, pause or wait."""

    edits = 0

    def act(self, loop: Scheduler) -> None:
        """Edit a trial now and then."""
        chance = self.chance
        if chance.random() > 0.5:
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

    def opened(self) -> AbstractContextManager[OpenSweep]:
        return open_sweep(self.store, self.sweep, print)

    def look(self) -> None:
        super().look()
        with self.opened() as opened:
            there = "rate" in opened.views.metrics()
            rows = opened.rows("SELECT trial, step, loss, rate FROM curves") if there else []
            known = {trial: standing(opened, trial) for trial in {row["trial"] for row in rows}}
        for row in rows:
            now, attempt = known[row["trial"]], self.of_value[row["loss"]]
            before = max((step for step, _ in attempt.rows if step < row["step"]), default=attempt.step)
            if before < 0 < attempt.attempt:
                continue  # it did not load its checkpoint perhaps, and began with what holds there
            told = config_at(now.first, now.changes, before + 1)["lr"]  # as it was given after the report before
            assert row["rate"] == told, f"step {row['step']} of trial {row['trial']} was trained with another lr"


@pytest.mark.exhaustive
@pytest.mark.usefixtures("mortal")
@pytest.mark.parametrize("seed", [0, 1])
def test_each_row_was_trained_with_what_the_decisions_tell(tmp_path: Path, seed: int) -> None:
    story = EditedStory(tmp_path / "store", seed)
    story.tell()
    assert story.edits > 3


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
