"""The head of a cluster dies: Ray ends the driver, and the sweep goes on elsewhere."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from caviar import Result
from caviar.errors import SpecError
from caviar.store import Store

from ..raylets import TOKEN, Raylets

pytestmark = [pytest.mark.ray, pytest.mark.nightly, pytest.mark.timeout(240)]

EXPERIMENT = """
    import time
    from pathlib import Path

    from caviar import Float, Sweep


    def train(config, trial):
        for step in range(5):
            trial.report(step, loss=config["lr"] * (step + 1))
            if not Path(__file__).with_name("hurry").exists():
                time.sleep(0.3)


    sweep = Sweep(train, space={"lr": Float(0.1, 1.0)}, metric="loss", trials=30)
"""


def caviar(*words: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from caviar.cli.main import main; main()", *map(str, words)]
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | TOKEN
    )


def test_a_sweep_whose_head_died_is_interrupted_and_is_resumed_on_another_cluster(tmp_path: Path) -> None:
    experiment, store = tmp_path / "experiment.py", tmp_path / "store"
    experiment.write_text(textwrap.dedent(EXPERIMENT))
    with Raylets(2) as first:
        driver = caviar("run", experiment, "--store", store, "--address", first.address)
        deadline = time.monotonic() + 120
        while not (seen := rows(store)):
            assert time.monotonic() < deadline
            assert driver.poll() is None, driver.communicate()
            time.sleep(0.2)
        first.kill_head()
        driver.communicate(timeout=120)

        assert driver.returncode != 0
        assert Store.open(store).sweeps()[0].state() == "interrupted"
        seen = rows(store)
    experiment.with_name("hurry").touch()
    with Raylets(2) as second:
        again = caviar("resume", "--store", store, "--address", second.address)
        _, errors = again.communicate(timeout=100)

    assert again.returncode == 0, errors
    result = Result(store)
    assert result.sql("SELECT state, count(*) FROM trials GROUP BY state").fetchall() == [("COMPLETED", 30)]
    assert set(seen) <= set(rows(store))
    assert len(rows(store)) == 150


def rows(store: Path) -> list[tuple[int, int, float]]:
    """The rows of all curves that a reader sees."""
    if not list(store.glob("sweep=*")):
        return []
    try:
        return Result(store).sql("SELECT trial, step, loss FROM curves").fetchall()
    except SpecError:  # there is no loss so far
        return []
