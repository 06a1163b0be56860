"""Who waits at a rung, and where trials wait at all."""

import pytest

from caviar.plan import Plan
from caviar.schedule.paused import Paused
from caviar.schedule.work import Work
from caviar.space import Float, Space


def test_a_trial_that_is_promoted_before_it_has_paused_goes_on_when_it_has() -> None:
    def work(trial: int, attempt: int = 1) -> Work:
        return Work(trials=(trial,), attempts=(attempt,), seeds=(0,), configs={"lr": (0.5,)})

    paused = Paused()
    paused.promote(3)
    paused.hold(work(4))
    assert paused.next() is None
    paused.hold(work(3))
    found = paused.next()
    assert found is not None
    assert (found.trials, found.attempts, found.promoted) == ((3,), (1,), {3})
    paused.promote(5)
    paused.revoke(5)  # it was told to pause again, at a higher rung
    paused.hold(work(5))
    assert paused.next() is None
    assert len(paused) == 2
    paused.promote(4)
    assert [paused.drop(trial) for trial in (3, 4, 5)] == [None, 1, 1]
    assert len(paused) == 0


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
