"""Which variables and which folder trials find: what the sweep says, here as on a cluster; secrets are not kept."""

import os
import shlex
from pathlib import Path

import pytest

from caviar import Result

from .test_secrets import everything

SOURCE = """
    import os
    from caviar import Float, Sweep

    AT_IMPORT = os.environ.get("P_PLAIN")

    def load():
        return [os.environ.get("P_PLAIN"), os.getcwd()]

    def train(config, trial):
        trial.report(0, loss=config["x"])
        print(os.getcwd(), AT_IMPORT, os.environ.get("P_TOKEN"), *trial.data)

    def final(config, trial):
        return {"here": float(os.getcwd() == trial.data[1])}

    sweep = Sweep(
        train, {"x": Float(0, 1)}, "loss", trials=1, data=load, final=final, env={"P_PLAIN": "5"}, workdir="runs"
    )
"""


def said(store: Path) -> list[str]:
    """What the trials of the newest sweep printed."""
    return [text for (text,) in Result(store).sql("SELECT text FROM logs ORDER BY trial").fetchall()]


@pytest.mark.usefixtures("inline")
def test_trials_find_what_the_sweep_says_and_the_store_no_secret(caviar, write, store, monkeypatch) -> None:
    monkeypatch.setenv("P_TOKEN", "hunter2-hunter2")
    file = write(SOURCE)
    (file.parent / "runs").mkdir()
    before = os.getcwd(), dict(os.environ)

    output = caviar("run", file, "--env", "P_TOKEN")

    assert output.code == 0, output
    runs = str(file.parent / "runs")
    assert said(store) == [f"{runs} 5 *** 5 {runs}\n"]
    assert Result(store).final["here"] == 1.0
    assert (os.getcwd(), dict(os.environ)) == before
    assert b"env:P_TOKEN" in everything(store)
    assert b"hunter2" not in everything(store)
    assert caviar("resume", "--add", 1).code == 0
    assert said(store)[1] == said(store)[0]
    monkeypatch.delenv("P_TOKEN")
    gone = caviar("resume", "--add", 1)
    assert (gone.code, "type export P_TOKEN=" in gone.err) == (2, True)


@pytest.mark.ray
@pytest.mark.parametrize("words", [("--set", "workdir="), pytest.param((), marks=pytest.mark.nightly)])
def test_on_a_cluster_that_is_joined_they_are_the_same(drive, write, store, tmp_path, monkeypatch, words) -> None:
    monkeypatch.setenv("P_TOKEN", "hunter2-hunter2")
    file = write(SOURCE)
    runs = file.parent / "runs"
    runs.mkdir()
    driver = drive(file, "--env", "P_TOKEN", *words, first=f"import os; os.chdir({shlex.quote(str(tmp_path))!r})")
    output = driver.end(60)
    assert output.code == 0, output
    begins = tmp_path if words else runs  # not where this Ray was started, which is the cluster's
    assert said(store) == [f"{begins} 5 *** 5 {begins}\n"]
    assert Result(store).final["here"] == 1.0
