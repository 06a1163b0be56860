"""Stop policies know the same of trials that somebody acts on, whether they saw it happen or a driver has resumed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.run.mortal_driver import Life, Living, MortalDriver, frozen
from tests.run.nurse import Errand, Nurse
from tests.run.test_act_crashes import PLAN, at, back, course_of, edit, fork, halt

from caviar.store import Store

POLICIES = ["asha:eta=2,first=1", "hyperband:eta=2,first=1,brackets=2", "median:first=1,least=2", "patience:steps=4"]


def known(policies: Any) -> Any:
    """What policies know; a rung that nobody has reached is made sooner or later, and says nothing."""
    if isinstance(policies, dict):
        return {name: known(one) for name, one in policies.items()}
    if isinstance(policies, list):
        return [known(one) for one in policies if not (isinstance(one, dict) and one.get("scores") == {})]
    return policies


@pytest.mark.nightly
@pytest.mark.timeout(900)
@pytest.mark.parametrize("stopping", POLICIES)
def test_policies_know_the_same_live_and_rebuilt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopping: str
) -> None:
    store = Store.open(tmp_path / "store", create=True)
    plan = replace(PLAN, trials=5, stopping=stopping, pausing=stopping.startswith(("asha", "hyperband")))
    store.create_sweep({"plan": plan.to_json(), "provenance": {}}, b"code")
    errands = [
        Errand(trial=0, when=at(2), do=edit(0, lr="*0.5")),
        Errand(trial=1, when=at(3), do=back(1, 1, lr=0.2)),
        Errand(trial=2, when=at(1), do=halt(2)),
        Errand(trial=1, when=at(3), do=fork(1, values={"lr": 0.7})),
    ]
    nurse, compared = Nurse(store, errands, monkeypatch), 0

    def compare(driver: MortalDriver) -> None:
        nonlocal compared
        nurse.look(driver.sink.steps, driver.sink.states)
        if driver.sink.waits or driver.executor.clock.time() == 0:
            return
        again, live = driver.rebuilt(), driver.search
        compared += 1
        assert known(frozen(live.policies._policies)) == known(frozen(again.policies._policies))
        assert frozen(live.acts) == frozen(again.acts)
        assert live.policies._let_go == again.policies._let_go
        assert live.policies.trials.held == again.policies.trials.held

    MortalDriver(tmp_path / "store", plan, course_of(), Living(monkeypatch), Life()).run(compare)
    assert compared > 5
    assert errands[0].done
    assert errands[2].done
