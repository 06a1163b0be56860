"""Whole sweeps on a cluster of several nodes: who runs where, from how many drivers, and what is loaded how often."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from caviar import Result

from ..raylets import TOKEN, Raylets
from .conftest import MAIN, Write

pytestmark = pytest.mark.ray

EXPERIMENT = """
    import os
    import time
    from pathlib import Path

    import numpy as np
    from caviar import Float, Sweep

    HERE = Path(__file__).parent


    def load(rows=1000):
        with (HERE / "loaded").open("a") as calls:
            print(os.getpid(), file=calls)
        return {"x": np.arange(rows * 1000.0), "names": ["a", "b"]}


    def train(config, trial, rows=1000):
        (HERE / f"trains-{trial.sweep}").touch()
        while len(list(HERE.glob("trains-*"))) < 2:  # until the other sweep trains too
            time.sleep(0.05)
        x = trial.data["x"]
        assert len(x) == rows * 1000 and not x.flags.writeable
        for step in range(4):
            trial.report(step, loss=config["lr"] * x[step + 1], node=float(os.getppid()))
            time.sleep(0.2)


    sweep = Sweep(
        train, space={"lr": Float(0.1, 1.0)}, metric="loss", trials=12, data=load, train_args={"rows": 500}
    )
"""

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def experiment(write: Write) -> Path:
    return write(EXPERIMENT)


@pytest.fixture
def start(raylets: Raylets, experiment: Path) -> Iterator[Start]:
    """Starts drivers on the cluster, as processes of their own."""
    started: list[subprocess.Popen[str]] = []

    def run(store: Path, *words: str, file: Path = experiment) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", MAIN, "run", str(file), *words]
        process = subprocess.Popen(
            [*command, "--store", str(store), "--address", raylets.address, "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | TOKEN,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def test_two_sweeps_share_a_cluster_and_each_loads_its_data_once(
    start: Start, experiment: Path, tmp_path: Path
) -> None:
    stores = [tmp_path / "one", tmp_path / "two"]
    drivers = [start(stores[0], "--concurrency", "3"), start(stores[1], "--concurrency", "3", "--seed", "1")]
    outputs = [driver.communicate(timeout=120) for driver in drivers]

    assert [driver.returncode for driver in drivers] == [0, 0], outputs
    assert all(json.loads(out) for out, _ in outputs)
    assert len((experiment.parent / "loaded").read_text().split()) == 2
    spans = []
    for store in stores:
        result = Result(store)
        assert result.sql("SELECT DISTINCT state, attempts FROM trials").fetchall() == [("COMPLETED", 1)]
        assert result.sql("SELECT count(*), count(DISTINCT trial) FROM curves").fetchall() == [(48, 12)]
        nodes = result.sql("SELECT count(DISTINCT last_node) FROM trials").fetchall()[0][0]
        assert nodes >= 3, "three at a time were not spread over the nodes"
        spans += result.sql("SELECT min(started), max(ended) FROM trials").fetchall()
    assert max(start for start, _ in spans) < min(end for _, end in spans), "they ran one after the other"


@pytest.mark.nightly
def test_data_that_waits_for_room_says_for_what(raylets: Raylets, write: Write, start: Start, store: Path) -> None:
    file = write(
        """
        from caviar import Sweep

        def train(config, trial):
            return trial.data

        sweep = Sweep(train, space={"x": [1]}, metric="value", trials=1, cpus=2, data=lambda: 5.0)
        """,
        "large.py",
    )
    driver = start(store, file=file)
    assert driver.stderr is not None
    said: list[str] = []
    while "loading the data… waiting for room" not in "".join(said):
        said.append(driver.stderr.readline())
        assert said[-1], said
    assert "a trial needs 2 CPU, but the machines of this cluster have 1 CPU, or 0 CPU each" in said[-1]

    node = raylets.add(2)
    out, err = driver.communicate(timeout=120)
    raylets.kill(node)

    assert driver.returncode == 0, (out, err)
    assert "[caviar] loading the data…\n" in err
    assert Result(store).sql("SELECT last_value FROM trials").fetchall() == [(5.0,)]


@pytest.mark.nightly
def test_a_trial_that_no_node_can_hold_is_told_at_once_and_runs_when_one_comes(
    raylets: Raylets, write: Write, start: Start, store: Path
) -> None:
    """Four nodes of a CPU have two CPUs together, and none of them has two."""
    file = write(
        """
        import time
        from caviar import Float, Sweep

        def train(config, trial):
            time.sleep(0.5)
            return config["x"]

        sweep = Sweep(train, space={"x": Float(0, 1)}, metric="value", trials=4, cpus=2)
        """,
        "wide.py",
    )
    driver = start(store, file=file)
    assert driver.stderr is not None
    said = [driver.stderr.readline() for _ in range(2)]
    word = "a trial needs 2 CPU, but the machines of this cluster have 1 CPU, or 0 CPU each: waiting for it to grow"
    assert word in "".join(said)

    node = raylets.add(3)
    out, err = driver.communicate(timeout=120)
    raylets.kill(node)

    assert driver.returncode == 0, (out, err)
    spans = Result(store).sql("SELECT started, ended FROM attempts ORDER BY started").fetchall()
    assert len(spans) == 4
    assert all(before[1] <= after[0] for before, after in pairwise(spans)), "a node of three holds one of two at a time"


def test_a_node_s_death_never_counts_against_the_trial_that_it_ran(
    raylets: Raylets, write: Write, start: Start, store: Path
) -> None:
    file = write(
        """
        import pathlib, ray, time
        from caviar import Sweep

        def train(config, trial):
            trial.report(0, loss=1.0)
            seen = pathlib.Path(__file__).with_name(f"attempt-{trial.attempt}")
            seen.write_text(ray.get_runtime_context().get_node_id())
            while trial.attempt < 2:
                time.sleep(0.1)

        sweep = Sweep(train, space={"x": [1]}, metric="loss", trials=1, max_attempts=1)
        """,
        "alone.py",
    )
    driver = start(store, file=file)
    for attempt in range(2):
        seen = file.with_name(f"attempt-{attempt}")
        until = time.monotonic() + 120
        while not (seen.exists() and seen.read_text() and heard(store, attempt)):
            assert time.monotonic() < until
            assert driver.poll() is None
            time.sleep(0.1)
        raylets.add()
        raylets.kill_named(seen.read_text())
    out, err = driver.communicate(timeout=120)

    assert driver.returncode == 0, (out, err)
    rows = Result(store).sql("SELECT state, kind, host <> '' FROM attempts ORDER BY attempt").fetchall()
    assert rows == [("LOST", "lost", True), ("LOST", "lost", True), ("COMPLETED", None, True)]


def heard(store: Path, attempt: int) -> bool:
    """Whether the driver has heard from an attempt, and thus knows where it runs."""
    return bool(Result(store).sql(f"SELECT 1 FROM _curves WHERE attempt = {attempt}").fetchall())
