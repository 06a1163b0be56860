"""By night: nodes die under a trial again and again, and it is not to blame."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from caviar import Result

from ..raylets import TOKEN, Raylets

pytestmark = [pytest.mark.nightly, pytest.mark.ray, pytest.mark.timeout(300)]
EXPERIMENT = """
import time
from pathlib import Path

from caviar import Float, Sweep

HERE = Path("FOLDER")


def train(config, trial):
    trial.report(0, loss=config["lr"])
    (HERE / f"attempt-{trial.attempt}").touch()
    while not (HERE / "hurry").exists():
        time.sleep(0.1)


sweep = Sweep(train, {"lr": Float(0.1, 1.0)}, metric="loss", trials=1, max_attempts=1)
"""
DEATHS = 5


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_trial_that_loses_its_node_five_times_completes(tmp_path: Path) -> None:
    (tmp_path / "exp.py").write_text(EXPERIMENT.replace("FOLDER", str(tmp_path)))
    main = "from caviar.cli.main import main; main()"
    with Raylets(1) as cluster:
        command = [sys.executable, "-c", main, "run", tmp_path / "exp.py", "--store", tmp_path / "store"]
        driver = subprocess.Popen([*command, "--address", cluster.address, "-q"], env=os.environ | TOKEN)
        try:
            for death in range(DEATHS):
                wait_until((tmp_path / f"attempt-{death}").exists)
                cluster.kill(cluster.nodes[0])
                cluster.add()
            wait_until((tmp_path / f"attempt-{DEATHS}").exists)
            (tmp_path / "hurry").touch()
            assert driver.wait(timeout=120) == 0
        finally:
            driver.kill()
            driver.wait()
    rows = Result(tmp_path / "store").sql("SELECT state, kind, error FROM attempts ORDER BY attempt").fetchall()
    assert [state for state, *_ in rows] == ["LOST"] * DEATHS + ["COMPLETED"]
    assert all("node" in error for _, _, error in rows[:DEATHS])
