"""The core of what a cluster may do to a sweep: a node dies, the driver dies, and the same line is typed again.

What is more, a job server, a bucket and a second cluster, is in `test_cluster.py`, by night.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from caviar import Result
from caviar.cli.experiment_file import load
from caviar.store import Store

from ..network import ON_A_NETWORK
from ..run.inline_driver import executor_of, session
from .conftest import Hosts, end, wait_until

pytestmark = [
    pytest.mark.ray,
    pytest.mark.timeout(400),  # on a busy machine; on a quiet one it is half a minute
    ON_A_NETWORK,
]
TRIALS = 12
EXPERIMENT = """
import os
import time

from caviar import Float, Sweep


def train(config, trial):
    for step in range(3):
        trial.report(step, loss=config["lr"] + step)
    while trial.number >= 8 and os.path.exists("WAIT"):
        time.sleep(0.1)


sweep = Sweep(train, {"lr": Float(0.1, 1.0)}, metric="loss", trials=12, seed=5, max_attempts=1)
"""
ROWS = "SELECT trial, step, loss FROM curves ORDER BY trial, step"


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    with Hosts(Path(sys.executable).parent, tmp_path, RAY_enable_worker_prestart="0") as hosts:
        hosts.cluster("head", "one", "two", cpus=1, job_server=False)
        yield hosts


def counted(store: Path, of: str) -> int:
    if not list(store.glob("sweep=*")):
        return 0
    return int(Result(store).sql(f"SELECT count(*) FROM {of}").fetchall()[0][0])


def uninterrupted(file: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """The rows of the same sweep in one process, to its end."""
    monkeypatch.setattr("caviar.run.driver.session", session)
    monkeypatch.setattr("caviar.run.driver.executor_of", executor_of)
    return load(str(file)).run(store=store).sql(ROWS).fetchall()


def test_a_sweep_outlives_a_node_and_its_driver(hosts: Hosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (wait := tmp_path / "wait").touch()
    (file := tmp_path / "exp.py").write_text(EXPERIMENT.replace("WAIT", str(wait)))
    store = tmp_path / "store"
    line = ["caviar", "run", str(file), "--address", "auto", "--store", str(store), "--resume-or-start", "-q"]
    first = hosts.popen("head", *line)
    running = "SELECT host FROM attempts WHERE state = 'RUNNING' AND trial >= 8 AND host IS NOT NULL ORDER BY trial"
    wait_until(lambda: counted(store, f"({running})") > 0)
    ((host,), *_) = Result(store).sql(running).fetchall()

    hosts.machines[host].cut_power()
    wait_until(lambda: counted(store, "attempts WHERE state = 'LOST'") > 0)
    wait_until(lambda: counted(store, f"({running}) WHERE host <> '{host}'") > 0)
    (driver,) = hosts.drivers("head", str(file))
    driver.kill()
    first.wait(timeout=20)
    wait.unlink()
    again = hosts.popen("head", *line)
    said = again.communicate(timeout=100)
    assert again.returncode == 0, said
    end(first)

    assert len(Store.open(store).sweeps()) == 1
    assert counted(store, "trials WHERE state = 'COMPLETED'") == TRIALS
    lost = Result(store).sql("SELECT error FROM attempts WHERE state = 'LOST' AND attempt = 0").fetchall()
    assert any("node" in (error or "") for (error,) in lost)
    assert Result(store).sql(ROWS).fetchall() == uninterrupted(file, tmp_path / "whole", monkeypatch)
