"""A driver that dies before any change of its disk leaves whatever is done to trials by hand whole, or not done at all.

In one story a trial is edited, in ramps, ahead and with another beginning; in others it is rolled back, also when it
had completed; forked, from a dead branch and from a fork; paused and let go on; and sent back by a guard, twice. Who
asks does so by requests, as another shell does, and asks again for what the driver did not live to take. What a step
computes follows from the step before and all that may change: so one row from elsewhere, or trained with another value
than the decisions tell, cannot be overlooked.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.run.mortal_driver import Life, Living, MortalDriver
from tests.run.nurse import Errand, Nurse

from caviar.results.edits import acts_of, standing, with_options
from caviar.results.open_sweep import OpenSweep, open_sweep
from caviar.results.paused import paused_by_user
from caviar.run.acts import Wish, edit_trial, note_trial, roll_back
from caviar.run.executors.simulated import Course, SimulatedDeathError, Stage
from caviar.run.forks import ForkWish, fork_trial
from caviar.run.pauses import go_on, pause
from caviar.search.stopping import Guard
from caviar.space import Float, Int, Space
from caviar.spec.plan import Plan
from caviar.store import Store, SweepDir
from caviar.store.check import check
from caviar_workers.schedule import config_at, place_of, schedule_of
from caviar_workers.states import Action
from caviar_workers.tables import FORKED
from caviar_workers.trial import Trial

STEPS = {"edits": 26}
"""Story → steps that its trials have; else 16."""
BOUNDS = {"guards": 0.3}
"""Story → the rate beyond which its trials diverge."""
SPACE = Space({"lr": Float(0.0, 1.0, live=True), "units": Int(1, 64)})
PLAN = Plan(
    name="s", metric="loss", mode="min", trials=1, seed=0, space=SPACE, keep_checkpoints=99, sampler="random"
)  # fmt: skip


def after(state: float, step: int, lr: float, units: float, branch: float, skip: float) -> float:
    """What a step makes of the one before."""
    return state * 0.7 + lr * 0.21 + units * 1e-3 + branch * 0.013 + skip * 0.0017 + step * 1e-5


def course_of(steps: int = 16, bound: float = math.inf) -> Course:
    """Reports each step, and saves after each second one; one attempt's process dies.

    Beyond a bound of the rate it diverges, from step 7 on.
    """

    def course(config: dict[str, Any], trial: Trial) -> Iterator[Stage]:
        saved = trial.load()
        state = trial.seed % 97 / 97 if saved is None else float(saved.data)
        for step in range(0 if saved is None else saved.step + 1, steps):
            if (trial.number, trial.attempt, step) == (1, 0, 3):
                raise SimulatedDeathError
            state = after(state, step, config["lr"], config["units"], trial.branch, trial.skip)
            if step >= 7 and config["lr"] > bound:
                state = math.nan
            known = {"lr": config["lr"], "units": config["units"], "branch": trial.branch, "skip": trial.skip}
            yield 0.5 + trial.number % 3 / 10, step, {"loss": state, **known}
            if step % 2 and math.isfinite(state):
                trial.save(step, repr(state).encode())

    return course


def at(step: int) -> Callable[[int, str], bool]:
    return lambda now, state: now >= step


def edit(
    trial: int, over: int | None = None, *, now: bool = False, **values: Any
) -> Callable[[Store, SweepDir], object]:
    wish = Wish(values=values, over=over, now=now)
    return lambda store, sweep: edit_trial(store, sweep, trial, wish, say=print)


def back(trial: int, to_step: int, *, skip_data: bool = False, **values: Any) -> Callable[[Store, SweepDir], object]:
    wish = Wish(values=values, skip_data=skip_data)
    return lambda store, sweep: roll_back(store, sweep, trial, wish, to_step=to_step, say=print)


def fork(trial: int, **asked: Any) -> Callable[[Store, SweepDir], object]:
    wish = ForkWish(**{"space": {}, "values": {}} | asked)
    return lambda store, sweep: fork_trial(store, sweep, trial, wish, say=print)


def note(store: Store, sweep: SweepDir) -> object:
    return note_trial(store, sweep, 0, "it learns", say=print)


def ahead(store: Store, sweep: SweepDir) -> object:
    with open_sweep(store, sweep, print) as opened:
        step = (standing(opened, 0).step or 0) + 3
    return edit_trial(store, sweep, 0, Wish(values={"lr": "/3"}, at_step=step), say=print)


def let_go_on(trial: int) -> Callable[[Store, SweepDir], object]:
    def do(store: Store, sweep: SweepDir) -> object:
        with open_sweep(store, sweep, print) as opened:
            held = paused_by_user(opened)
        return go_on(store, sweep, trial, say=print) if trial in held else None  # a driver had nothing else to do

    return do


def paused(_step: int, state: str) -> bool:
    return state in ("PAUSED", "LOST")  # its driver may have died before it had: it is held all the same


def waits_or_is_over(_step: int, state: str) -> bool:
    return state in ("PAUSED", "COMPLETED")  # with nothing else left a driver lets it go on


def completed(_step: int, state: str) -> bool:
    return state == "COMPLETED"


def halt(trial: int) -> Callable[[Store, SweepDir], object]:
    return lambda store, sweep: pause(store, sweep, trial, say=print)


def errands() -> dict[str, list[Errand]]:
    """Story → what is done in it."""
    return {
        "edits": [
            Errand(trial=0, when=at(1), do=edit(0, lr="*0.5")),
            Errand(trial=0, when=at(2), do=edit(0, lr=0.9, over=4)),
            Errand(trial=0, when=at(3), do=note),
            Errand(trial=0, when=at(3), do=edit(0, units=7, now=True)),
            Errand(trial=0, when=at(5), do=ahead),
        ],
        "rollbacks": [
            Errand(trial=0, when=at(3), do=edit(0, lr="*0.5")),
            Errand(trial=0, when=at(6), do=back(0, 4, lr=0.2)),
            Errand(trial=0, when=completed, do=back(0, 8, skip_data=True, units=3)),
        ],
        "forks": [
            Errand(trial=0, when=at(5), do=back(0, 1, lr=0.2)),
            Errand(trial=0, when=at(3), do=fork(0, branch=0, at_step=4, k=2, space={"units": Int(1, 9)})),
            Errand(trial=FORKED, when=at(8), do=fork(FORKED, values={"lr": 0.7})),
        ],
        "pauses": [
            Errand(trial=0, when=at(2), do=halt(0)),
            Errand(trial=0, when=paused, do=let_go_on(0)),
            Errand(trial=0, when=at(8), do=edit(0, lr="/3")),
            Errand(trial=1, when=at(5), do=halt(1)),
            Errand(trial=1, when=waits_or_is_over, do=back(1, 2, lr=0.4)),
        ],
        "guards": [Errand(trial=0, when=at(1), do=edit(0, lr=0.8))],
    }


TRIALS = {"forks": [0, FORKED, FORKED + 1, FORKED + 2], "pauses": [0, 1]}
"""Story → the trials that there are in the end; else one."""
DONE = {
    "edits": {"edit": 4, "applied": 4, "note": 1},
    "rollbacks": {"edit": 1, "rollback": 2},
    "forks": {"rollback": 1, "fork": 3},
    "pauses": {"pause": 2, "edit": 1, "rollback": 1},
    "guards": {"edit": 1, "rollback": 2},
}
"""Story → how often each action is decided in it."""


class Story:
    """One sweep from its first driver, which dies before a change of its disk, to its end."""

    def __init__(self, home: Path, patch: pytest.MonkeyPatch, name: str) -> None:
        self.home, self.name, self.living = home, name, Living(patch)
        self.steps = STEPS.get(name, 16)
        self.plan = replace(PLAN, trials=2 if name == "pauses" else 1)
        if name == "guards":
            halved = Guard(on="diverged", back="best", set={"lr": "*0.5"}, at_most=3)
            self.plan = replace(self.plan, guards=(halved,))
        store = Store.open(home, create=True)
        store.create_sweep({"plan": self.plan.to_json(), "provenance": {}}, b"code")
        self.nurse = Nurse(store, errands()[name], patch)
        self.drivers = 0

    def tell(self, most: float, each_round: Callable[[MortalDriver], None] = lambda driver: None) -> int:
        """All of it; returns the changes that the first driver made."""

        def look(driver: MortalDriver) -> None:
            self.nurse.look(driver.sink.steps, driver.sink.states)
            each_round(driver)

        first = Life(most)
        while self.drivers < 12:
            whole = not self.nurse.due()
            life = Life() if self.drivers else first
            self.drivers += 1
            course = course_of(self.steps, BOUNDS.get(self.name, math.inf))
            ended = MortalDriver(self.home, self.plan, course, self.living, life).run(look)
            self.nurse.hear_last()
            if ended or most % 2:  # or at once, before anybody goes on
                self.nurse.look_again()
            if ended and whole:
                return first.changes
        raise AssertionError(f"still to do: {self.nurse.due()}, after {self.nurse.said}")

    def see_that_all_is_whole(self) -> None:
        """What must hold in the end."""
        assert check(self.nurse.sweep) == []
        with open_sweep(self.nurse.store, self.nurse.sweep, print) as opened:
            see_decisions(opened, self.nurse, DONE[self.name])
            trials = opened.rows("SELECT trial, state FROM trials ORDER BY trial")
            assert [one["trial"] for one in trials] == TRIALS.get(self.name, [0])
            assert {one["state"] for one in trials} == {"COMPLETED"}
            for one in trials:
                see_curve(opened, one["trial"], self.steps)


def see_decisions(opened: OpenSweep, nurse: Nurse, expected: Mapping[str, int]) -> None:
    """What was accepted is there once, and what was not is not."""
    made = opened.rows("SELECT action, decided_by, numbers FROM decisions")
    tokens = [json.loads(one["numbers"]).get("token") for one in made if one["action"] != Action.REFUSE]
    assert set(nurse.accepted) <= set(tokens), "an accepted act is lost"
    assert not set(nurse.denied) & set(tokens), "an act that was not taken is done all the same"
    found = {action: sum(one["action"] == action for one in made) for action in expected}
    assert found == expected


def see_curve(opened: OpenSweep, trial: int, steps: int) -> None:
    """Each row follows from the one before, and was trained with what the decisions tell."""
    rows = opened.rows("SELECT step, loss, lr, units, branch, skip FROM _curves WHERE trial = ? ORDER BY _row", [trial])
    seed = opened.rows("SELECT seed FROM configs WHERE trial = ?", [trial])[0]["seed"]
    origin = opened.rows("SELECT * FROM decisions WHERE trial = ? AND action = 'fork'", [trial])
    state, start = seed % 97 / 97, 0
    if origin:
        numbers = json.loads(origin[0]["numbers"])
        parent, to = numbers["parent"], numbers["to"]
        state, start = state_at(opened, parent, to["attempt"], to["step"]), to["step"] + 1
    assert [row["step"] for row in rows] == list(range(start, steps)), f"the curve of trial {trial} has a hole"
    now = standing(opened, trial)
    changes = schedule_of(with_options(acts_of(opened, trial)))
    assert all(one.settled for one in changes), "an edit was accepted, and is not taken"
    for row in rows:
        step = row["step"]
        told = config_at(now.first, changes, step)
        place = place_of(changes, step - 1)
        where = f"step {step} of trial {trial}"
        assert (row["lr"], row["units"]) == (told["lr"], told["units"]), f"{where} was trained with another value"
        assert (row["branch"], row["skip"]) == place, f"{where} is of another branch"
        state = after(state, step, row["lr"], row["units"], *place)
        assert row["loss"] == state, f"{where} follows from another one than that before it"


def state_at(opened: OpenSweep, trial: int, attempt: int, step: int) -> float:
    """What an attempt, perhaps of a dead branch, had computed at a step, or that from which it went on."""
    sql = "SELECT loss FROM branches WHERE trial = ? AND attempt <= ? AND step = ? ORDER BY attempt DESC LIMIT 1"
    found: Mapping[str, float] = opened.rows(sql, [trial, attempt, step])[0]
    return found["loss"]


@pytest.mark.parametrize(("name", "most"), [("rollbacks", 31), ("pauses", 26)])
def test_a_driver_that_dies_leaves_acts_done_or_not_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, most: int
) -> None:
    story = Story(tmp_path / "store", monkeypatch, name)
    assert story.tell(most) == most
    story.see_that_all_is_whole()


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", DONE)
def test_and_so_does_one_that_dies_before_any_change_of_its_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    most, last = -1, 0
    while last >= most:
        most += 1
        try:
            with monkeypatch.context() as patch:
                story = Story(tmp_path / f"{most}", patch, name)
                last = story.tell(most)
                story.see_that_all_is_whole()
        except BaseException as error:
            error.add_note(f"it died after {most} changes")
            raise
    assert most > 30, "it lived to its end"
