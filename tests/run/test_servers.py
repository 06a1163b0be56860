"""A server of our own Ray that dies in mid-sweep: one sentence, nothing lost, nothing left behind."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from caviar import Result

from .conftest import Write

EXPERIMENT = """
    import time
    from caviar import Float, Sweep

    def train(config, trial):
        for step in range(1000):
            trial.report(step, loss=config["lr"])
            time.sleep(0.05)

    sweep = Sweep(train, space={"lr": Float(0.0, 1.0)}, metric="loss", trials=4)
"""


@pytest.mark.ray
@pytest.mark.parametrize("server", ["raylet", pytest.param("gcs_server", marks=pytest.mark.nightly)])
def test_its_death_is_told_and_nothing_stays(write: Write, store: Path, tmp_path: Path, server: str) -> None:
    path = write(EXPERIMENT)
    short = Path("/tmp") / f"fallen-{os.getpid()}-{server[:2]}"
    short.mkdir(mode=0o700)
    command = [sys.executable, "-m", "caviar.cli.main", "run", str(path), "-q"]
    env = os.environ | {"TMPDIR": str(short), "CAVIAR_STORE": str(store)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as driver:
        family = reporting(driver.pid, store)
        (victim,) = [one for one in family if one.cmdline() and one.cmdline()[0].endswith(f"/{server}")]
        victim.send_signal(signal.SIGKILL)
        _, err = driver.communicate()
    assert driver.returncode == 6
    last = err.strip().splitlines()[-1]
    assert last == (
        f"caviar: Ray's {server} has died, perhaps killed for want of memory: all that was reported is saved, and "
        "caviar resume goes on"
    )
    _, alive = psutil.wait_procs(family, timeout=5)
    assert [one.cmdline() for one in alive if one.status() != psutil.STATUS_ZOMBIE] == []
    assert [one.name for one in short.iterdir() if not one.name.startswith("caviar-code-")] == []  # that is for all
    shutil.rmtree(short)
    assert Result(store).sql("SELECT state FROM sweeps").fetchall() == [("interrupted",)]


def reporting(pid: int, store: Path) -> list[psutil.Process]:
    """The driver's family, once rows are in the store."""
    while not list(store.glob("sweep=*/_hot/*curves*")):
        assert psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        psutil.wait_procs([], timeout=0.2)
    return psutil.Process(pid).children(recursive=True)
