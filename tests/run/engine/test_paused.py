"""Who waits at a rung, and where trials wait at all."""

import pytest

from caviar.run.engine.trial_table import TrialTable
from caviar.run.engine.work import Work
from caviar.space import Float, Space
from caviar.spec.plan import Plan
from caviar_workers.states import Action, Cause


def test_a_trial_that_is_promoted_before_it_has_paused_goes_on_when_it_has() -> None:
    def work(trial: int, attempt: int = 1) -> Work:
        return Work(trials=(trial,), attempts=(attempt,), seeds=(0,), configs={"lr": (0.5,)})

    table = TrialTable()
    table.promote(3)
    table.pause(work(4))
    assert table.next() is None
    table.pause(work(3))
    found = table.next()
    assert found is not None
    assert (found.trials, found.attempts, found.cause(0)) == ((3,), (1,), Cause.PROMOTE)
    table.promote(5)
    table.asks(5, Action.PAUSE)  # it was told to pause again, at a higher rung
    table.pause(work(5))
    assert table.next() is None
    assert table.paused == 2
    table.promote(4)
    out = [table.take_out(trial) for trial in (3, 4, 5)]
    assert [work and work.attempts for work in out] == [None, (1,), (1,)]
    assert table.paused == 0


@pytest.mark.parametrize(("stopping", "pauses"), [("", False), ("median", False), ("asha", True), ("hyperband", True)])
def test_only_where_a_policy_pauses_are_trials_chosen_one_by_one(stopping: str, pauses: bool) -> None:
    plan = Plan(
        name="s",
        metric="m",
        mode="min",
        trials=1,
        seed=0,
        space=Space({"lr": Float(0.0, 1.0)}),
        stopping=stopping,
        pausing=True,
    )

    assert Plan.from_json(plan.to_json()).pauses == pauses
