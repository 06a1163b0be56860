"""A sweep with a stop policy on Ray, from the command line to the explanation."""

import json

import pytest
from tests.drive.conftest import Caviar, Write

from caviar.drive.advice import adviser_of
from caviar.plan import Plan
from caviar.result import Result
from caviar.store import Store

SLOW = """
    import time

    from caviar import Float, Sweep


    def train(config, trial, pause=0.15):
        for step in range(20):
            time.sleep(pause)
            trial.report(step, loss=config["lr"] + 0.1 * step)  # whoever is stopped early has a smaller last loss


    sweep = Sweep(train, space={"lr": Float(0.0, 1.0)}, metric="loss", trials=12, sampler="random")
"""


@pytest.mark.ray
def test_hopeless_trials_are_stopped_explained_and_never_win(ray: object, caviar: Caviar, write: Write, store) -> None:
    ran = caviar("run", write(SLOW), "--stopping", "asha:eta=3", "--address", "auto", "-q")
    assert ran.code == 0, ran.err

    result = Result(store)
    states = dict(result.sql("SELECT trial, state FROM trials").fetchall())
    assert sorted(states) == list(range(12))
    assert set(states.values()) == {"COMPLETED", "STOPPED"}
    rows = dict(result.sql("SELECT trial, rows FROM trials").fetchall())
    stopped = [trial for trial, state in states.items() if state == "STOPPED"]
    assert all(rows[trial] < 20 for trial in stopped)

    last = dict(result.sql("SELECT trial, last_loss FROM trials").fetchall())
    assert min(last, key=last.__getitem__) in stopped
    assert states[result.best.trial] == "COMPLETED"
    assert result.best.step == 19

    told = json.loads(caviar("explain", stopped[0], "--json").out)
    assert told["stopping"] == "asha:eta=3"
    assert told["decisions"][-1]["action"] == "stop"
    assert "was stopped at step" in told["decisions"][-1]["sentence"]
    assert f"trial {stopped[0]} of experiment" in caviar("explain", stopped[0]).out

    opened = Store.open(store)
    sweep_dir = opened.find(None)
    adviser = adviser_of(Plan.from_json(sweep_dir.description()["plan"]), opened, sweep_dir)
    assert adviser.condemned == ()
    assert adviser.decisions() == []


@pytest.mark.parametrize("text", ["ahsa", "asha:eta=0.5"])
def test_a_wrong_policy_is_refused_before_anything_runs(caviar: Caviar, write: Write, store, text: str) -> None:
    ran = caviar("run", write(SLOW), "--stopping", text)

    assert ran.code == 2
    assert len(ran.told) == 1
    assert not store.exists()
