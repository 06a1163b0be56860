"""Conditions, constraints, first configurations and constants, from the file to the store and back, on a real Ray."""

import json
from pathlib import Path

import pytest

from caviar import Result
from caviar.run.executors.ray_session import RaySession

from .conftest import Caviar, Write

pytestmark = pytest.mark.ray

EXPERIMENT = """
    from caviar import Choice, Float, Int, Sweep
    from rules import allowed


    def train(config, trial):
        if trial.number == 7 and not trial.attempt:
            raise RuntimeError("the first time")
        assert ("momentum" in config) == (config["optimizer"] == "sgd")
        return {"loss": config["lr"], "known": len(config), "layers": len(config["layers"])}


    def final(config, trial):
        assert isinstance(config["layers"], tuple), config
        return {"test": config["lr"], "known": len(config)}


    sweep = Sweep(
        train,
        space={
            "lr": Float(1e-4, 1.0, scale="log"),
            "optimizer": ["sgd", "adam"],
            "momentum": Float(0.5, 0.95, step=0.05, when={"optimizer": "sgd"}),
            "layers": Choice([(8,), (8, 8)]),
            "clip": 1.5,
        },
        metric="loss", trials=30, seed=4, final=final, constraint=allowed,
        first=[{"lr": 3e-4, "optimizer": "adam", "layers": (8,)}],
    )
"""


def test_a_space_with_everything_in_it(ray: RaySession, caviar: Caviar, write: Write, store: Path) -> None:
    write("def allowed(config):\n    return config['lr'] < 0.1 or config['optimizer'] == 'adam'\n", "rules.py")
    file = write(EXPERIMENT)
    ran = caviar("run", file)
    assert ran.code == 0, ran.err
    assert "the constraint rejected" in ran.err
    before = Result(store).trials()

    file.write_text("raise RuntimeError('edited')")
    file.with_name("rules.py").write_text("raise RuntimeError('edited')")
    resumed = caviar("resume", "--retry-failed")
    assert resumed.code == 0, resumed.err
    trials = Result(store).trials()
    assert list(trials.state) == ["COMPLETED"] * 30
    assert list(trials["index"]) == list(before["index"])
    assert trials["index"].is_monotonic_increasing
    assert trials["index"].iloc[-1] > 29
    assert ((trials.optimizer == "sgd") == trials.momentum.notna()).all()
    assert ((trials.lr < 0.1) | (trials.optimizer == "adam")).all()
    assert (trials["clip"] == 1.5).all()
    assert (trials.last_known == 4 + trials.momentum.notna()).all()
    assert trials.lr[0] == 3e-4

    rejected = json.loads(caviar("status", "--json").out)["rejected"]
    assert rejected == trials["index"].iloc[-1] + 1 - 30
    best = json.loads(caviar("best", "--json").out)
    winner = best["trials"][0]["config"]
    assert ("momentum" in winner) == (winner["optimizer"] == "sgd")
    assert best["final"]["metrics"]["known"] == len(winner)
    page = json.loads(caviar("show", 0, "--json").out)
    assert page["config"].keys() == {"lr", "optimizer", "layers", "clip"}
