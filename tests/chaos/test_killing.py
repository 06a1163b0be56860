"""Random kill -9 of workers, nodes and the driver, while four nodes run: nothing acknowledged is lost or doubled."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from caviar import Result

from ..raylets import TOKEN, Raylets
from .auditor import Auditor

pytestmark = pytest.mark.ray

TRIALS, STEPS = 150, 8

EXPERIMENT = f"""
    import os
    import time
    from pathlib import Path

    from caviar import Float, Sweep

    HERE = Path(__file__).parent


    def train(config, trial):
        mark = int.from_bytes(os.urandom(6), "big")  # this execution's own
        with open(HERE / "ledger" / f"{{trial.number}}-{{trial.attempt}}-{{mark}}", "w") as ledger:
            for step in range({STEPS}):
                print(step, file=ledger, flush=True)
                trial.report(step, loss=config["lr"] * (step + 1), mark=float(mark))
                if not (HERE / "hurry").exists():
                    time.sleep(0.25)


    sweep = Sweep(
        train, space={{"lr": Float(0.1, 1.0)}}, metric="loss", trials={TRIALS}, seed=5, max_attempts=1000
    )
"""


class Driver:
    """`caviar run`, and after each death `caviar resume`, as processes of their own; with no address, on their Ray."""

    def __init__(self, experiment: Path, store: Path, address: str | None) -> None:
        self._experiment = experiment
        self._tail = ["--store", str(store), *(["--address", address] if address is not None else [])]
        self._store = store
        self.deaths = 0
        self._start("run", str(experiment))

    def _start(self, *words: str) -> None:
        main = "from caviar.cli.main import main; main()"
        with (self._experiment.parent / "driver.log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", main, *words, *self._tail],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | TOKEN,
            )

    def kill(self) -> None:
        """Kill it at whatever it does, and let another one go on."""
        self.process.kill()
        self.again()

    def again(self) -> None:
        """Wait for its end, and go on in another process: with the sweep if there is one, else from the beginning."""
        self.process.wait()
        self.deaths += 1
        there = self._store.exists() and list(self._store.glob("sweep=*"))
        self._start(*(["resume"] if there else ["run", str(self._experiment)]))


def scene(tmp_path: Path) -> tuple[Path, Path, Auditor, int]:
    """The experiment's file, the store, who looks at it meanwhile, and the seed of what is killed."""
    experiment, store, ledger = tmp_path / "experiment.py", tmp_path / "store", tmp_path / "ledger"
    experiment.write_text(textwrap.dedent(EXPERIMENT))
    ledger.mkdir()
    seed = int(os.environ.get("CAVIAR_CHAOS_SEED", time.time_ns() % 10**6))
    print(f"CAVIAR_CHAOS_SEED={seed}")
    return experiment, store, Auditor(store, ledger), seed


def check_whole(auditor: Auditor, store: Path) -> None:
    """See that nothing is lost, doubled or spliced, and that every trial completed, once."""
    auditor.check_executions()
    result = Result(store)
    states = result.sql("SELECT state, count(*) FROM trials GROUP BY state").fetchall()
    assert states == [("COMPLETED", TRIALS)]
    live = result.sql("SELECT trial, step, mark FROM curves ORDER BY trial, step").fetchall()
    assert [row[:2] for row in live] == [(trial, step) for trial in range(TRIALS) for step in range(STEPS)]
    assert all(len({row[2] for row in live[i * STEPS : (i + 1) * STEPS]}) == 1 for i in range(TRIALS))
    completed = result.sql("SELECT trial, count(*) FROM attempts WHERE state = 'COMPLETED' GROUP BY trial").fetchall()
    assert sorted(completed) == [(trial, 1) for trial in range(TRIALS)]


class Havoc:
    """Kills at random: mostly a worker, else a node, which is replaced, or the driver."""

    def __init__(self, raylets: Raylets, driver: Driver, seed: int) -> None:
        self._raylets = raylets
        self._driver = driver
        self._random = random.Random(seed)
        self.killed = {"worker": 0, "node": 0, "driver": 0}

    def strike(self) -> None:
        """Kill something."""
        victim = self._random.choices(["worker", "node", "driver"], [8, 2, 1])[0]
        if victim == "worker":
            workers = self._raylets.workers()
            if not workers:
                return
            try:
                self._random.choice(workers).kill()
            except psutil.NoSuchProcess:
                return
        elif victim == "node":
            self._raylets.kill(self._random.choice(self._raylets.nodes))
            self._raylets.add()
        else:
            self._driver.kill()
        self.killed[victim] += 1

    def rest(self) -> None:
        """A while."""
        time.sleep(self._random.uniform(0.2, 1.5))


@pytest.mark.parametrize(
    "seconds",
    [
        15,
        pytest.param(120, marks=[pytest.mark.nightly, pytest.mark.timeout(400)]),
        pytest.param(1800, marks=[pytest.mark.nightly, pytest.mark.timeout(2400)]),
    ],
)
def test_nothing_acknowledged_is_lost_doubled_or_spliced_and_every_trial_ends(
    raylets: Raylets, tmp_path: Path, seconds: int
) -> None:
    experiment, store, auditor, seed = scene(tmp_path)
    driver = Driver(experiment, store, raylets.address)
    havoc = Havoc(raylets, driver, seed)
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            havoc.rest()
            auditor.look()
            if driver.process.poll() is not None:
                driver.again()
            havoc.strike()
        experiment.with_name("hurry").touch()
        code = driver.process.wait(timeout=100)
        auditor.look()
    finally:
        driver.process.send_signal(signal.SIGKILL)
        print((tmp_path / "driver.log").read_text()[-5000:], havoc.killed, len(auditor.seen))

    assert code == 0
    assert sum(havoc.killed.values()) >= seconds / 6, "too little was killed to prove anything"
    check_whole(auditor, store)
