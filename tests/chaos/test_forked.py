"""Kill -9 of whatever takes part where workers are forked: nothing acknowledged is lost, and nothing runs on."""

import os
import random
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import psutil
import pytest

from caviar import Result

from .auditor import Auditor
from .test_killing import EXPERIMENT, STEPS, TRIALS, Driver

pytestmark = [pytest.mark.ray, pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is forked")]

WITHIN_S, WORKERS_S = 5, 45
"""Seconds until all have ended. Ray's workers look by themselves whether their raylet lives, every second or two; those
that are just starting look for it for half a minute."""
LARGE = ("raylet", "gcs_server", "driver")
"""The sweep ends with them, and goes on in another process."""


def named(process: psutil.Process) -> str:
    """Which part of a sweep a process is."""
    try:
        words = process.cmdline()
    except psutil.Error:
        return ""
    names = {"fork_server.py": "server", "raylet": "raylet", "gcs_server": "gcs_server"}
    names |= {"fork_request.py": "worker", "default_worker.py": "worker"}
    found = next((name for name in (names.get(os.path.basename(word)) for word in words[:6]) if name), "")
    return found or ("worker" if words and words[0].startswith("ray::") else "")


def forked(worker: psutil.Process) -> bool:
    """Whether a worker comes from a fork server that lives."""
    parent = worker.parent()
    return parent is not None and named(parent) == "server"


def left(processes: Iterable[psutil.Process], timeout: float) -> list[str]:
    """Those that live on after that time."""
    _, alive = psutil.wait_procs(list(processes), timeout=timeout)
    return [repr(one) for one in alive if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


class Family:
    """A driver and all that it has started, and those of them that were ever seen."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.forked = 0
        self.killed: Counter[str] = Counter()

    def members(self) -> list[psutil.Process]:
        """Those that live; a fork server that was killed leaves its workers to another parent."""
        process = psutil.Process(self.driver.process.pid)
        return [process, *process.children(recursive=True)]

    def kill(self, name: str) -> None:
        """Kill one of this name, if there is one now; of who is needed, all others have to end soon, too."""
        family = self.members()
        found = [one for one in family if named(one) == name] if name != "driver" else family[:1]
        if not found:
            return
        workers = {one for one in family if named(one) == "worker"}
        self.forked += sum(map(forked, workers))
        found[-1].kill()
        self.killed[name] += 1
        if name in LARGE:
            self.driver.process.wait(timeout=60)  # where it lives, it has to save what it was told
            assert left(set(family) - workers, WITHIN_S) == []
            assert left(workers, WORKERS_S) == []
            self.driver.again()


@pytest.mark.parametrize(
    "victims",
    [
        pytest.param(["worker", "server", "driver"], marks=[pytest.mark.nightly, pytest.mark.timeout(150)]),
        pytest.param(["raylet", "worker", "gcs_server"], marks=[pytest.mark.nightly, pytest.mark.timeout(200)]),
        pytest.param(60, marks=[pytest.mark.nightly, pytest.mark.timeout(900)]),
    ],
    ids=["each", "Ray", "at random"],
)
def test_nothing_acknowledged_is_lost_and_nothing_runs_on(
    tmp_path: Path, victims: int | list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAVIAR_FORK", "1")
    monkeypatch.delenv("CAVIAR_RAY", raising=False)
    experiment, store, ledger = tmp_path / "experiment.py", tmp_path / "store", tmp_path / "ledger"
    experiment.write_text(textwrap.dedent(EXPERIMENT))
    ledger.mkdir()
    auditor = Auditor(store, ledger)
    seed = int(os.environ.get("CAVIAR_CHAOS_SEED", time.time_ns() % 10**6))
    print(f"CAVIAR_CHAOS_SEED={seed}")
    if isinstance(victims, int):
        victims = random.Random(seed).choices([*LARGE, "worker", "server"], [1, 1, 1, 8, 3], k=victims)
    family = Family(Driver(experiment, store, None))
    try:
        for victim in victims:
            wait_for_rows(auditor, family.driver)
            family.kill(victim)
        experiment.with_name("hurry").touch()
        code = family.driver.process.wait(timeout=100)
        auditor.look()
    finally:
        family.driver.process.kill()
        family.driver.process.wait()
        print((tmp_path / "driver.log").read_text()[-5000:], family.killed, family.forked, len(auditor.seen))

    assert code == 0
    assert family.killed.total() >= len(victims) * 2 / 3
    assert family.forked > 0
    auditor.check_executions()
    result = Result(store)
    assert result.sql("SELECT state, count(*) FROM trials GROUP BY state").fetchall() == [("COMPLETED", TRIALS)]
    live = result.sql("SELECT trial, step, mark FROM curves ORDER BY trial, step").fetchall()
    assert [row[:2] for row in live] == [(trial, step) for trial in range(TRIALS) for step in range(STEPS)]
    assert all(len({row[2] for row in live[i * STEPS : (i + 1) * STEPS]}) == 1 for i in range(TRIALS))


def wait_for_rows(auditor: Auditor, driver: Driver) -> None:
    """Wait until another row is published; whoever has died in between goes on."""
    before, deadline = len(auditor.seen), time.monotonic() + 60
    while auditor.look() <= before:
        assert time.monotonic() < deadline
        if driver.process.poll() is not None:
            driver.again()
        time.sleep(0.1)
