"""Coarse, then fine, in one go; and what is left of it after an end at a bad moment."""

import json
from pathlib import Path

import pytest

from caviar import Result
from caviar.errors import StoreError
from caviar.results.family import family
from caviar.run import driver
from caviar.store import Store
from caviar.store.final_tests import final_results

from .conftest import Caviar, Write

EXPERIMENT = """
    from caviar import Float, Sweep


    def train(config, trial):
        return {"loss": (config["x"] - 0.3) ** 2 + (config["y"] - 0.6) ** 2}


    def final(config, trial):
        return {"test": config["x"]}


    space = {"x": Float(0.0, 1.0), "y": Float(0.0, 1.0)}
    sweep = Sweep(train, space=space, metric="loss", rounds=[12, 8, 5], seed=2, final=final)
"""


def rows(store: Path) -> list[object]:
    """What each sweep of the family holds, oldest first, without ids and times."""
    opened = Store.open(store)
    found: list[object] = []
    for sweep in family(opened, opened.find(None)):
        trials = Result(store, sweep.id).trials()
        found.append((sweep.name, trials[["trial", "seed", "x", "y", "last_loss"]].values.tolist()))
    return found


def test_rounds_end_where_an_undisturbed_run_would_have(
    inline: None, caviar: Caviar, write: Write, tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(EXPERIMENT)
    whole = tmp_path / "whole"
    ran = caviar("run", file, at=whole)
    assert ran.code == 0, ran.err
    assert [len(part[1]) for part in rows(whole)] == [12, 8, 5]  # type: ignore[index]
    opened = Store.open(whole)
    tested = [final_results(sweep) for sweep in family(opened, opened.find(None))]
    assert [len(one) for one in tested] == [0, 0, 1]  # when all choices are made
    best = json.loads(caviar("best", "--family", "-k", "1", "--json", at=whole).out)["trials"][0]
    assert (tested[2][0]["sweep"], tested[2][0]["trial"]) == (best["sweep"], best["trial"])
    assert tested[2][0]["metrics"]["test"] == best["config"]["x"]

    def broken(*_: object) -> None:
        raise StoreError("gone between two rounds")

    with monkeypatch.context() as patched:
        patched.setattr(driver, "next_plan", broken)
        assert caviar("run", file).code == 5
    assert len(Store.open(store).sweeps()) == 1
    file.write_text("raise RuntimeError('edited')")
    resumed = caviar("resume")
    assert resumed.code == 0, resumed.err
    assert rows(store) == rows(whole)
    first = family(Store.open(store), Store.open(store).find(None))[0]
    again = caviar("resume", first.id)
    assert (again.code, "there is nothing to resume" in again.err) == (0, True)
    assert len(Store.open(store).sweeps()) == 3


def test_a_zoom_runs_the_code_of_its_parent(inline: None, caviar: Caviar, write: Write, store: Path) -> None:
    file = write(EXPERIMENT.replace("rounds=[12, 8, 5]", "trials=12"))
    assert caviar("run", file).code == 0
    parent = Result(store).id
    file.write_text("raise RuntimeError('edited')")
    ran = caviar("zoom", "--trials", "6", "--plot", file.with_name("zoom.svg"))
    assert ran.code == 0, ran.err
    found = Result(store)
    assert len(found.trials()) == 6
    assert found.sql("SELECT parent FROM sweeps").fetchall() == [(parent,)]
    assert "<svg" in file.with_name("zoom.svg").read_text()
